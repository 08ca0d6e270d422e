//! The store on the simulated disk: power losses, kills, full disks, failing syncs, flipped bits.

use super::*;

fn acked(files: &SimFiles, upto: u64) {
    files.mark(upto);
}

#[test]
fn after_any_crash_every_answered_record_opens() {
    let files = SimFiles::new();
    let store = Store::create(Arc::new(files.clone()), identity(), options()).unwrap();
    files.record(true);
    for n in 0..6 {
        let submission =
            all(&[(&a(&[("n", &n.to_string())], ""), 10 * n), (&member(&format!("citizen:{}", n % 4), "Lan"), 10 * n + 1)], None);
        append(&store, submission).unwrap();
        acked(&files, 2 * (n + 1));
    }
    let subject = SubjectId::new("citizen:1").unwrap();
    store
        .erase(&subject, |handle| Ok(prepare(&LedgerEvent::SubjectErased { handle, basis: "x".to_owned() }, id(500), Some(1))))
        .unwrap();
    acked(&files, 13);
    store.close().unwrap();
    let snapshots = files.take_snapshots();
    let mut images = 0;
    for (index, snapshot) in snapshots.iter().enumerate() {
        let kill = SimFiles::from_disk(snapshot.disk.clone());
        let power = snapshot.disk.crashes(6, index as u64).map(|crash| SimFiles::from_image(&crash.image));
        for (number, files) in std::iter::once(kill).chain(power).enumerate() {
            images += 1;
            let reader = View::open(Arc::new(files.clone()), None, &options()).unwrap();
            // After a power loss a reader shows what is proven; the last batch waits for the next writer.
            assert!(number > 0 || reader.head().size.0 >= snapshot.mark);
            let store = Store::open(Arc::new(files.clone()), options(), None).unwrap();
            let size = store.view().head().size;
            assert!(size.0 >= snapshot.mark && size.0 <= snapshot.mark + 2);
            let erased = size.0 == 13;
            for (position, frame) in store.view().scan(0..size.0).map(|r| r.unwrap()) {
                assert_eq!(store.view().find(frame.id()).unwrap(), Some(position));
                for (_, commitment) in frame.commitments() {
                    match store.view().open_value(&commitment).unwrap() {
                        Opened::Known { subject, .. } => {
                            assert!(!erased || subject.as_str() != "citizen:1")
                        }
                        other => assert!(erased && other == Opened::Erased),
                    }
                }
            }
            // What was not answered is sent again, with new salts; what is there is answered.
            for n in 0..6 {
                if n % 4 == 1 && erased {
                    continue;
                }
                let submission = all(
                    &[(&a(&[("n", &n.to_string())], ""), 10 * n), (&member(&format!("citizen:{}", n % 4), "Lan"), 10 * n + 1)],
                    None,
                );
                let done = append(&store, submission).unwrap();
                assert_eq!(done.repeated, 2 * n < size.0.min(12));
            }
            store.close().unwrap();
            let report = View::open(Arc::new(files.clone()), None, &options()).unwrap().verify(&mut |_, _| {}).unwrap();
            assert!(report.findings.is_empty(), "{:?}", report.findings);
        }
    }
    assert!(images > 200, "{images}");
}

#[test]
fn a_full_disk_answers_its_group_only() {
    let files = SimFiles::new();
    let store = Store::create(Arc::new(files.clone()), identity(), options()).unwrap();
    append(&store, one(&member("citizen:1", "Lan"), 1)).unwrap();
    files.set_capacity(Some(1));
    let mut refused = 0;
    for n in 0..40 {
        let big = a(&[], &"x".repeat(60_000));
        match append(&store, all(&[(&big, 100 + n), (&member("citizen:1", "Lan"), 200 + n)], None)) {
            Ok(_) => {}
            Err(error) => {
                assert_eq!((error.kind(), error.ids()), (ErrorKind::NoSpace, &[id(100 + n), id(200 + n)][..]));
                refused += 1;
            }
        }
    }
    assert!(refused > 0);
    files.set_capacity(None);
    for n in 0..40 {
        append(&store, all(&[(&a(&[], &"x".repeat(60_000)), 100 + n), (&member("citizen:1", "Lan"), 200 + n)], None)).unwrap();
    }
    assert_eq!(store.view().head().size, Size(81));
    store.close().unwrap();
    let reader = View::open(Arc::new(files), None, &options()).unwrap();
    assert!(reader.verify(&mut |_, _| {}).unwrap().findings.is_empty());
}

#[test]
fn a_failed_sync_poisons_and_the_same_ids_are_sent_again() {
    // Of the new key, of the row, of the batch.
    for nth in 1..4 {
        let files = SimFiles::new();
        let store = Store::create(Arc::new(files.clone()), identity(), options()).unwrap();
        store.queue.rest_after(Duration::ZERO);
        append(&store, one(&a(&[], ""), 1)).unwrap();
        while !store.queue.is_rested() {
            std::thread::yield_now();
        }
        files.inject(Fault::Sync { nth, kept: 5, len_kept: true });
        let submission = || all(&[(&member("citizen:1", "Lan"), 2), (&a(&[], ""), 3)], None);
        let error = append(&store, submission()).unwrap_err();
        assert_eq!((error.kind(), error.ids()), (ErrorKind::Poisoned, &[id(2), id(3)][..]));
        let later = append(&store, one(&a(&[], ""), 4)).unwrap_err();
        assert_eq!((later.kind(), later.ids()), (ErrorKind::Poisoned, &[id(4)][..]));
        // The lock is free: the next process writes its blobs.
        assert_eq!(kind(store.put_blob("snapshots/x", b"one")), ErrorKind::Poisoned);
        assert_eq!(store.view().blob_names("snapshots").unwrap(), Vec::<String>::new());
        assert!(store.close().is_err());
        drop(store);
        let store = Store::open(Arc::new(SimFiles::from_disk(files.disk())), options(), None).unwrap();
        append(&store, submission()).unwrap();
        append(&store, submission()).unwrap();
        assert_eq!(store.view().head().size, Size(3));
        assert!(store.view().verify(&mut |_, _| {}).unwrap().findings.is_empty());
    }
}

#[test]
fn damage_that_is_met_stops_appends() {
    let files = SimFiles::new();
    let store = Store::create(Arc::new(files.clone()), identity(), options()).unwrap();
    for n in 0..10 {
        append(&store, one(&a(&[("n", &n.to_string())], "some text"), n)).unwrap();
    }
    let segment = files.open("log/0", crate::files::Open::Write).unwrap();
    let mut bytes = vec![0; 8192];
    segment.read_at(&mut bytes, 0).unwrap();
    let at = bytes.windows(9).position(|w| w == b"some text").unwrap();
    segment.write_at(b"X", at as u64).unwrap();
    let damaged = (0..10).map(|p| store.view().frame(Position(p))).filter(Result::is_err).count();
    assert_eq!(damaged, 1);
    assert_eq!(kind(append(&store, one(&a(&[], ""), 50))), ErrorKind::Damaged);
    let report = store.view().verify(&mut |_, _| {}).unwrap();
    assert!(report.findings.iter().any(|f| f.in_log && f.position == Some(Position(0))));
}

#[test]
fn a_damaged_vault_or_index_is_no_damage_of_the_log() {
    let files = SimFiles::new();
    let store = Store::create(Arc::new(files.clone()), identity(), options()).unwrap();
    let event = |n: u64| {
        if n % 10 == 9 { Ev::Retract(id(n - 1)) } else { member("citizen:1", "Lan") }
    };
    let tickets: Vec<Ticket> = (0..600).map(|n| store.submit(one(&event(n), n)).unwrap()).collect();
    tickets.into_iter().for_each(|t| drop(t.wait().unwrap()));
    store.close().unwrap();
    let image = files.disk().visible();
    let mut places = vec![("vault/rows".to_owned(), 4096 + 200u64), ("vault/keys".to_owned(), 4096 + 70)];
    for name in files.list("index").unwrap() {
        let path = format!("index/{name}");
        let len = image.files[&path].len();
        places.extend((0..len).step_by(usize::try_from(len / 17 + 1).unwrap()).map(|at| (path.clone(), at)));
    }
    assert!(places.len() > 10, "the index has a file");
    let mut noticed = 0;
    for (path, at) in places {
        let files = SimFiles::from_image(&image);
        let file = files.open(&path, crate::files::Open::Write).unwrap();
        let mut byte = [0];
        file.read_at(&mut byte, at).unwrap();
        file.write_at(&[byte[0] ^ 1], at).unwrap();
        let reader = View::open(Arc::new(files.clone()), None, &options()).unwrap();
        let report = reader.verify(&mut |_, _| {}).unwrap();
        assert!(report.findings.iter().all(|f| !f.in_log), "{path} {at}");
        assert!(!path.starts_with("vault") || !report.findings.is_empty(), "{path} {at}");
        noticed += usize::from(!report.findings.is_empty());
        // Whatever the index says, nothing is missed and nothing is appended twice.
        let store = Store::open(Arc::new(files.clone()), options(), None).unwrap();
        for n in (0..600).step_by(7) {
            assert_eq!(reader.find(id(n)).unwrap(), Some(Position(n)), "{path} {at}");
            if !path.starts_with("vault") {
                assert!(append(&store, one(&event(n), n)).unwrap().repeated);
            }
        }
        assert_eq!(selected(store.view(), &Query::tag("club", "chess")).len(), 600);
        assert_eq!(selected(&reader, &Query::record(id(8))), [8, 9]);
    }
    assert!(noticed > 5, "{noticed}");
}

#[test]
fn reserved_space_is_there_when_the_disk_is_full() {
    let used = |files: &SimFiles| files.disk().visible().files.values().map(crate::sim::Content::len).sum::<u64>();
    let files = SimFiles::new();
    let store = Store::create(Arc::new(files.clone()), identity(), options()).unwrap();
    let before = used(&files);
    files.set_capacity(Some(before + 4_000_000));
    assert_eq!(kind(store.reserve(5_000_000)), ErrorKind::NoSpace);
    assert_eq!(used(&files), before, "a refused reservation leaves nothing behind");
    let reservation = store.reserve(4_000_000).unwrap();
    assert_eq!(used(&files), before + 4_000_000);
    for n in 0..20 {
        let big = a(&[], &"x".repeat(60_000));
        append(&store, all(&[(&big, 100 + n), (&member("citizen:1", "Lan"), 200 + n)], None)).unwrap();
    }
    drop(reservation);
    assert!(files.list("").unwrap().iter().all(|name| !name.ends_with(".tmp")));
    // What a killed writer had set aside goes with the next opening.
    let kept = store.reserve(1_000).unwrap();
    let killed = SimFiles::from_disk(files.disk());
    let again = Store::open(Arc::new(killed.clone()), options(), None).unwrap();
    assert!(killed.list("").unwrap().iter().all(|name| !name.ends_with(".tmp")));
    assert_eq!(again.view().head().size, Size(40));
    drop(kept);
}

#[test]
fn an_interrupted_creation_is_repeated() {
    let files = SimFiles::new();
    files.record(true);
    drop(Store::create(Arc::new(files.clone()), identity(), options()).unwrap());
    let (mut repeated, mut opened) = (0, 0);
    for (index, snapshot) in files.take_snapshots().iter().enumerate() {
        let kill = SimFiles::from_disk(snapshot.disk.clone());
        let power = snapshot.disk.crashes(8, index as u64).map(|crash| SimFiles::from_image(&crash.image));
        for files in std::iter::once(kill).chain(power) {
            let other = Identity { ledger_id: LedgerId([9; 16]), ..identity() };
            let store = match Store::open(Arc::new(files.clone()), options(), Some(Ev::SCHEMA)) {
                Ok(store) => {
                    opened += 1;
                    store
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::NotALedger, "{error}");
                    repeated += 1;
                    Store::create(Arc::new(files.clone()), other, options()).unwrap()
                }
            };
            append(&store, one(&member("citizen:1", "Lan"), 1)).unwrap();
            assert!(store.view().verify(&mut |_, _| {}).unwrap().findings.is_empty());
        }
    }
    assert!(repeated > 20 && opened > 5, "{repeated} {opened}");
}

#[test]
fn an_index_of_another_past_is_built_again() {
    let event = |n: u64, past: &str| a(&[("past", past), ("n", &n.to_string())], past);
    let fill = |store: &Store, range: std::ops::Range<u64>, past: &str| {
        let tickets: Vec<Ticket> = range.map(|n| store.submit(one(&event(n, past), n)).unwrap()).collect();
        tickets.into_iter().for_each(|t| drop(t.wait().unwrap()));
    };
    let files = SimFiles::new();
    let store = Store::create(Arc::new(files.clone()), identity(), options()).unwrap();
    fill(&store, 0..400, "first");
    store.close().unwrap();
    let backup = files.disk().visible();
    let store = Store::open(Arc::new(files.clone()), options(), None).unwrap();
    fill(&store, 400..900, "first");
    store.close().unwrap();
    let later = files.disk().visible();
    // The log of the backup goes on otherwise.
    let files = SimFiles::from_image(&backup);
    let store = Store::open(Arc::new(files.clone()), options(), None).unwrap();
    fill(&store, 400..1_000, "second");
    store.close().unwrap();
    let other = files.disk().visible();
    let with_index_of = |log: &crate::sim::Image, index: &crate::sim::Image| {
        let mut image = log.clone();
        image.files.retain(|path, _| !path.starts_with("index/"));
        image
            .files
            .extend(index.files.iter().filter(|(path, _)| path.starts_with("index/")).map(|(p, c)| (p.clone(), c.clone())));
        SimFiles::from_image(&image)
    };
    for (log, past, size) in [(&backup, "first", 400), (&other, "second", 1_000), (&later, "first", 900)] {
        for index in [&backup, &other, &later] {
            let files = with_index_of(log, index);
            let reader = View::open(Arc::new(files.clone()), None, &options()).unwrap();
            let store = Store::open(Arc::new(files.clone()), options(), None).unwrap();
            for view in [&reader, store.view()] {
                assert_eq!(view.head().size, Size(size));
                let expected = if past == "second" { 600 } else { size };
                assert_eq!(selected(view, &Query::tag("past", past)).len() as u64, expected);
                assert_eq!(view.find(id(size - 1)).unwrap(), Some(Position(size - 1)));
                assert_eq!(view.find(id(1_500)).unwrap(), None);
                assert_eq!(view.root_at(Size(size - 7)).unwrap(), reader.root_at(Size(size - 7)).unwrap());
            }
            fill(&store, 1_500..1_600, past);
            reader.refresh().unwrap();
            assert_eq!(reader.find(id(1_550)).unwrap(), Some(Position(size + 50)));
            assert!(append(&store, one(&event(size - 1, past), size - 1)).unwrap().repeated);
            store.close().unwrap();
            assert!(View::open(Arc::new(files), None, &options()).unwrap().verify(&mut |_, _| {}).unwrap().findings.is_empty());
        }
    }
}

#[test]
fn a_creation_whose_sync_fails_is_repeated_or_says_that_it_cannot_be() {
    let (mut repeated, mut anew) = (0, 0);
    for nth in 1.. {
        let files = SimFiles::new();
        files.inject(crate::sim::Fault::Sync { nth, kept: 0, len_kept: false });
        let created = Store::create(Arc::new(files.clone()), identity(), options());
        if files.take_faults() == 0 {
            break;
        }
        let Err(error) = created else { continue };
        if error.to_string().contains("create the ledger in a new one") {
            anew += 1;
            continue;
        }
        repeated += 1;
        let store = Store::open(Arc::new(files.clone()), options(), None)
            .or_else(|_| Store::create(Arc::new(files.clone()), identity(), options()))
            .unwrap();
        append(&store, one(&member("citizen:1", "Lan"), 1)).unwrap();
        store.close().unwrap();
        let after = SimFiles::from_image(&files.disk().durable());
        let store = Store::open(Arc::new(after), options(), None).unwrap_or_else(|e| panic!("sync {nth}: {e}"));
        assert_eq!(store.view().head().size, Size(1), "sync {nth}");
    }
    assert!(repeated > 5 && anew == 3, "{repeated} {anew}");
}
