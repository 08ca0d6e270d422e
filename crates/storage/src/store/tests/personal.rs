//! Personal values: kept, erased, restored, missing.

use super::*;

#[test]
fn erasing_a_subject() {
    let (files, store) = memory();
    append(&store, all(&[(&member("citizen:1", "Lan"), 1), (&member("citizen:2", "Minh"), 2)], None)).unwrap();
    let commitment = |view: &View, position| view.frame(Position(position)).unwrap().commitments()[0].1;
    let known = |view: &View, position: u64| view.open_value(&commitment(view, position)).unwrap();
    assert!(matches!(known(store.view(), 0), Opened::Known { .. }));
    assert!(append(&store, one(&member("citizen:1", "Lan"), 1)).unwrap().repeated, "another salt, the same content");
    assert_eq!(kind(append(&store, one(&member("citizen:1", "Hoa"), 1))), ErrorKind::ContentDiffers);
    assert_eq!(kind(append(&store, one(&member("citizen:3", "Lan"), 1))), ErrorKind::ContentDiffers);
    let subject = SubjectId::new("citizen:1").unwrap();
    let erase = |n| {
        store.erase(&subject, |handle| {
            Ok(prepare(&LedgerEvent::SubjectErased { handle, basis: "art. 14".to_owned() }, id(n), Some(1)))
        })
    };
    let root = store.view().root_at(Size(2)).unwrap();
    let done = erase(50).unwrap();
    assert_eq!((positions(&done), done.repeated), (vec![2], false));
    let again = erase(51).unwrap();
    assert_eq!((&again.records, again.repeated), (&done.records, true));
    assert_eq!(known(store.view(), 0), Opened::Erased);
    assert!(matches!(known(store.view(), 1), Opened::Known { .. }));
    assert_eq!(store.view().root_at(Size(2)).unwrap(), root);
    let error = append(&store, all(&[(&a(&[], ""), 8), (&member("citizen:1", "Lan"), 9)], None)).unwrap_err();
    assert_eq!((error.kind(), error.ids()), (ErrorKind::ErasedSubject, &[id(9)][..]));
    assert!(append(&store, one(&member("citizen:1", "Anything"), 1)).unwrap().repeated, "an erased value matches anything");
    assert_eq!(kind(store.erase(&SubjectId::new("citizen:9").unwrap(), |_| unreachable!())), ErrorKind::NotFound);
    assert_eq!(selected(store.view(), &Query::all()), [0, 1], "a record of the ledger itself matches nothing");
    assert_eq!(store.view().scan(0..9).count(), 3);
    assert_eq!(kind(append(&store, one(&Ev::Retract(id(50)), 60))), ErrorKind::AmendmentTarget);
    store.close().unwrap();
    assert!(View::open(Arc::new(files.clone()), None, &options()).unwrap().verify(&mut |_, _| {}).unwrap().findings.is_empty());
    // A copy without a vault is sealed, and takes no personal data.
    files.remove("vault/keys").unwrap();
    files.remove("vault/rows").unwrap();
    assert_eq!(kind(Store::open(Arc::new(files), options(), None)), ErrorKind::Damaged);
}

#[test]
fn a_restored_vault_is_erased_again() {
    let (files, store) = memory();
    append(&store, one(&member("citizen:1", "Lan"), 1)).unwrap();
    store.close().unwrap();
    let backup = files.fork();
    let store = Store::open(Arc::new(files.clone()), options(), None).unwrap();
    let subject = SubjectId::new("citizen:1").unwrap();
    store
        .erase(&subject, |handle| Ok(prepare(&LedgerEvent::SubjectErased { handle, basis: "x".to_owned() }, id(5), Some(1))))
        .unwrap();
    store.close().unwrap();
    for name in ["vault/keys", "vault/rows"] {
        let old = crate::blobs::blob_read(&backup, name).unwrap().unwrap();
        crate::blobs::blob_write(&files, name, &old).unwrap();
    }
    let commitment = store.view().frame(Position(0)).unwrap().commitments()[0].1;
    let reader = View::open(Arc::new(files.clone()), None, &options()).unwrap();
    assert_eq!(reader.open_value(&commitment).unwrap(), Opened::Erased);
    let store = Store::open(Arc::new(files.clone()), options(), None).unwrap();
    assert_eq!(store.view().open_value(&commitment).unwrap(), Opened::Erased);
    store.close().unwrap();
    let vault = Vault::open(&files, identity().ledger_id, false).unwrap().unwrap();
    assert_eq!(vault.value(&commitment).unwrap(), Opened::Erased);
}

#[test]
fn a_vault_that_is_gone_or_damaged_concerns_personal_values_alone() {
    let files = SimFiles::new();
    let store = Store::create(Arc::new(files.clone()), identity(), options()).unwrap();
    append(&store, one(&member("citizen:1", "Lan"), 1)).unwrap();
    store.close().unwrap();
    let commitment = store.view().frame(Position(0)).unwrap().commitments()[0].1;
    let image = files.disk().visible();

    let mut sealed = image.clone();
    sealed.files.retain(|path, _| !path.starts_with("vault/"));
    sealed.directories.remove("vault");
    let files = SimFiles::from_image(&sealed);
    let reader = View::open(Arc::new(files.clone()), None, &options()).unwrap();
    assert!(!reader.has_vault());
    assert_eq!(reader.open_value(&commitment).unwrap(), Opened::Sealed);
    let report = reader.verify(&mut |_, _| {}).unwrap();
    assert!(report.findings.is_empty() && report.notes.iter().any(|note| note.contains("no vault")));
    let store = Store::open(Arc::new(files), options(), None).unwrap();
    append(&store, one(&a(&[], "public"), 2)).unwrap();
    assert!(append(&store, one(&member("citizen:1", "Any"), 1)).unwrap().repeated, "a sealed value matches anything");
    assert_eq!(kind(append(&store, one(&member("citizen:2", "Minh"), 3))), ErrorKind::InvalidInput);

    let files = SimFiles::from_image(&image);
    files.open("vault/keys", crate::files::Open::Write).unwrap().write_at(b"?", 3).unwrap();
    let shared: Arc<dyn Files> = Arc::new(files);
    let reader = View::open(Arc::clone(&shared), None, &options()).unwrap();
    assert_eq!(selected(&reader, &Query::tag("club", "chess")), [0]);
    assert_eq!(kind(reader.open_value(&commitment)), ErrorKind::Damaged);
    let report = verify(&shared, &mut |_, _| {}).unwrap();
    assert!(!report.findings.is_empty() && report.findings.iter().all(|f| !f.in_log));
    assert_eq!(kind(Store::open(shared, options(), None)), ErrorKind::Damaged);
}

#[test]
fn a_disk_that_is_full_in_a_write_of_the_vault_ends_the_writer() {
    let full = |nth| crate::sim::Fault::ShortWrite { nth, bytes: 40, error: std::io::ErrorKind::StorageFull };
    // The first write is of a new subject's key, the second of the rows.
    for (nth, is_reserved) in [(1, false), (1, true), (2, false), (2, true)] {
        let files = SimFiles::new();
        let store = Store::create(Arc::new(files.clone()), identity(), options()).unwrap();
        append(&store, one(&member("citizen:1", "Lan"), 1)).unwrap();
        let reserved = is_reserved.then(|| store.reserve(100_000).unwrap());
        files.inject(full(nth));
        let error = append(&store, one(&member("citizen:2", "Minh"), 2)).unwrap_err();
        assert_eq!((files.take_faults(), error.kind()), (1, ErrorKind::Poisoned), "write {nth}: {error}");
        let next = append(&store, one(&a(&[], "x"), 3)).unwrap_err();
        assert_eq!((next.kind(), next.to_string()), (ErrorKind::Poisoned, error.to_string()), "nothing is written any more");
        drop(reserved);
        assert_eq!(kind(store.close()), ErrorKind::Poisoned);
        let store = Store::open(Arc::new(files), options(), None).unwrap();
        assert_eq!(store.view().head().size, Size(1));
        append(&store, one(&member("citizen:2", "Minh"), 2)).unwrap();
        assert!(store.view().verify(&mut |_, _| {}).unwrap().findings.is_empty());
    }
}
