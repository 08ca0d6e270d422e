//! What is provable is saved, all of it and nothing else; what is damaged is not touched.

use crate::ledger::*;
use proptest::prelude::*;
use sovang_core::personal::Opened;
use sovang_core::{ErrorKind, Size, SubjectId};
use sovang_storage::files::Files;
use sovang_storage::salvage::{Named, Salvaged, salvage, survey};
use std::sync::Arc;

fn save(copies: &[Arc<dyn Files>]) -> (Salvaged, Arc<dyn Files>) {
    let target = memory();
    let before: Vec<_> = copies.iter().map(|files| everything(&**files)).collect();
    let saved = salvage(copies, &target, &Named::default(), &mut |_, _| {}).unwrap();
    let after: Vec<_> = copies.iter().map(|files| everything(&**files)).collect();
    assert!(before == after, "a source was changed");
    let surveyed = survey(copies, &Named::default(), &mut |_, _| {}).unwrap();
    assert_eq!((surveyed.head, &surveyed.findings, &surveyed.stop), (saved.head, &saved.findings, &saved.stop));
    (saved, target)
}
/// A ledger whose log was flipped at a byte.
fn flipped(all: &[(String, Vec<u8>)], path: &str, at: usize) -> Arc<dyn Files> {
    let mut all = all.to_vec();
    let (_, bytes) = all.iter_mut().find(|(name, _)| name == path).unwrap();
    bytes[at] ^= 0x10;
    of(&all)
}
fn without(all: &[(String, Vec<u8>)], path: &str) -> Arc<dyn Files> {
    of(&all.iter().filter(|(name, _)| name != path).cloned().collect::<Vec<_>>())
}

/// Where a batch starts: segment, offset, size before it.
type Mark = (String, usize, u64);

/// A ledger of one batch after another, with where each batch starts.
fn marked(batches: &[u64], segment_bytes: u64) -> (Vec<(String, Vec<u8>)>, Vec<Mark>) {
    let mut book = Book::create(memory(), segment_bytes);
    let mut marks = Vec::new();
    for batch in batches {
        let size = book.next;
        book.append(*batch);
        // The batch is the last in its segment: it ends where HEAD says, and starts behind the one before.
        let last =
            (0..).take_while(|n| book.files.open(&format!("log/{n}"), sovang_storage::files::Open::Read).is_ok()).last().unwrap();
        marks.push((format!("log/{last}"), size));
    }
    let files = book.close();
    let all = everything(&*files);
    let mut found = Vec::new();
    let mut next: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    for (path, size) in marks {
        let bytes = &all.iter().find(|(name, _)| *name == path).unwrap().1;
        let at = *next.entry(path.clone()).or_insert(4096);
        let records = u32::from_le_bytes(bytes[at + 24..at + 28].try_into().unwrap()) as usize;
        found.push((path.clone(), at, size));
        next.insert(path, at + 200 + records);
    }
    (all, found)
}

#[test]
fn a_sound_ledger_is_said_to_be_sound_and_copied() {
    for (batches, segment) in [(vec![], LARGE), (vec![3, 1, 5], LARGE), (vec![2; 20], SMALL)] {
        let files = closed(&batches, segment);
        let (saved, target) = save(&[Arc::clone(&files)]);
        assert!(saved.was_sound() && saved.stop.is_none() && saved.traces.is_empty(), "{saved:?}");
        assert_eq!(sound(&target), sound(&files));
        let (one, other) = (view(&files), view(&target));
        assert_eq!(one.identity(), other.identity());
        assert!(frames(&one).iter().map(|f| f.bytes().to_vec()).eq(frames(&other).iter().map(|f| f.bytes().to_vec())));
        assert_eq!(values(&one), values(&other));
        for path in everything(&*files).iter().map(|(path, _)| path).filter(|path| path.starts_with("log/")) {
            assert!(read(&*files, path) == read(&*target, path), "{path} is the same, byte for byte");
        }
        goes_on(&target);
    }
}

#[test]
fn everything_before_the_damage_is_saved_and_nothing_behind_it() {
    let (all, marks) = marked(&[2, 3, 1, 4, 2, 2, 3, 1, 2], SMALL);
    let sound_files = of(&all);
    let known = frames(&view(&sound_files));
    assert!(all.iter().filter(|(path, _)| path.starts_with("log/")).count() >= 3);
    for (path, at, size) in &marks {
        for inside in [0, 60, 127, 130, 190] {
            let damaged = flipped(&all, path, at + inside);
            if *size == 0 {
                let error = salvage(&[damaged], &memory(), &Named::default(), &mut |_, _| {}).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
                assert!(error.to_string().contains("not one record can be proven") && error.hint().is_some(), "{error}");
                continue;
            }
            let (saved, target) = save(&[damaged]);
            assert_eq!(saved.head, head_of(&known, *size), "{path} {at} {inside}");
            let stop = saved.stop.clone().unwrap();
            assert!(stop.file.to_string_lossy().ends_with(path) && stop.offset.is_some(), "{stop:?}");
            assert_eq!(saved.known_size(), Size(known.len() as u64), "HEAD says how far it went");
            assert!(!saved.findings.is_empty());
            assert_eq!(sound(&target), saved.head);
            goes_on(&target);
        }
    }
}

#[test]
fn later_segments_that_are_whole_are_named() {
    let (all, marks) = marked(&[2; 14], SMALL);
    let (path, at, size) = marks.iter().find(|(path, ..)| path == "log/1").unwrap();
    let (saved, _) = save(&[flipped(&all, path, at + 140)]);
    assert_eq!(saved.head.size, Size(*size));
    let segments = all.iter().filter(|(path, _)| path.starts_with("log/")).count();
    assert!(segments >= 4);
    assert_eq!(saved.islands.len(), segments - 2, "{:?}", saved.islands);
    assert!(saved.islands.iter().all(|island| island.whole));
    assert_eq!(saved.islands.last().unwrap().to, Size(28));
    assert!(saved.islands.windows(2).all(|pair| pair[0].to == pair[1].from));
}

#[test]
fn what_is_missing_of_one_copy_comes_from_another() {
    let (all, marks) = marked(&[2; 14], SMALL);
    let whole = sound(&of(&all));
    // Each is damaged in several places, and between them they have everything.
    let damage = |odd: usize| {
        let mut all = all.clone();
        for (n, (path, at, _)) in marks.iter().enumerate() {
            if n % 2 == odd && n > 0 {
                all.iter_mut().find(|(name, _)| name == path).unwrap().1[at + 150] ^= 1;
            }
        }
        of(&all)
    };
    let (alone, _) = save(&[damage(1)]);
    assert_eq!(alone.head.size, Size(2));
    let (saved, target) = save(&[damage(1), damage(0)]);
    assert_eq!((saved.head, sound(&target)), (whole, whole));
    assert!(saved.batches.iter().all(|batches| *batches > 4), "{:?}", saved.batches);
    assert_eq!(saved.stop, None, "nothing is missing");
    assert!(!saved.was_sound());
    goes_on(&target);
    // A segment that one has not and a log that ends early.
    let (saved, _) = save(&[without(&all, "log/1"), of(&all)]);
    assert_eq!(saved.head, whole);
    let other = Book::create(memory(), LARGE);
    write(&*other.files, "ledger", &read(&*closed(&[], LARGE), "ledger"));
    let (saved, _) = save(&[other.close(), of(&all)]);
    assert_eq!(saved.head, whole, "an empty log of other bytes helps nothing");
}

#[test]
fn head_and_lock_and_ledger_may_be_gone() {
    let all = everything(&*closed(&[2, 2, 2], LARGE));
    let whole = sound(&of(&all));
    for path in ["HEAD", "lock"] {
        let (saved, target) = save(&[without(&all, path)]);
        assert_eq!((saved.head, sound(&target)), (whole, whole), "{path}");
        goes_on(&target);
    }
    let nameless = without(&all, "ledger");
    let error = salvage(&[Arc::clone(&nameless)], &memory(), &Named::default(), &mut |_, _| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("--origin"), "{error}");
    let named = Named { origin: Some(identity().origin), schema: Some(identity().schema) };
    let target = memory();
    let saved = salvage(&[Arc::clone(&nameless)], &target, &named, &mut |_, _| {}).unwrap();
    assert!(saved.identity_given && saved.identity == identity());
    assert_eq!(sound(&target), whole);
    // Another copy knows the name.
    let (saved, _) = save(&[nameless, of(&all)]);
    assert!(!saved.identity_given);
    // What is there may not be contradicted.
    let named = Named { origin: Some("example.org/other".into()), schema: None };
    let error = salvage(&[of(&all)], &memory(), &named, &mut |_, _| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
}

#[test]
fn only_one_ledger_and_only_a_new_directory() {
    let files = closed(&[2], LARGE);
    let error = salvage(&[Arc::clone(&files)], &files, &Named::default(), &mut |_, _| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotEmpty);
    let error = salvage(&[memory()], &memory(), &Named::default(), &mut |_, _| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotALedger);
    let other = memory();
    let other_id = sovang_storage::log::Identity { ledger_id: sovang_core::LedgerId([6; 16]), ..identity() };
    sovang_storage::store::Store::create(Arc::clone(&other), other_id, options(LARGE)).unwrap().close().unwrap();
    let error = salvage(&[files, other], &memory(), &Named::default(), &mut |_, _| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
}

#[test]
fn values_are_saved_where_their_rows_are_sound() {
    let mut book = Book::create(memory(), LARGE);
    book.append(5);
    book.append(8);
    book.erase("citizen:1");
    book.append(3);
    let files = book.close();
    let all = everything(&*files);
    let known = values(&view(&files));
    let (saved, target) = save(&[Arc::clone(&files)]);
    assert_eq!(values(&view(&target)), known);
    let rows = saved.vault.unwrap().rows;
    assert_eq!((rows.known + rows.erased, rows.lost.len()), (known.len() as u64, 0));
    assert!(rows.erased > 0);
    // A row and a key that are damaged cost their values, which read as sealed.
    let rows = &all.iter().find(|(path, _)| path == "vault/rows").unwrap().1;
    let keys = &all.iter().find(|(path, _)| path == "vault/keys").unwrap().1;
    let mut lost = 0;
    for (path, at) in (4096..rows.len())
        .step_by(40)
        .map(|at| ("vault/rows", at))
        .chain((4096..keys.len()).step_by(30).map(|at| ("vault/keys", at)))
    {
        let (saved, target) = save(&[flipped(&all, path, at)]);
        let vault = saved.vault.unwrap();
        sound(&target);
        let here = values(&view(&target));
        for ((commitment, value), (same, found)) in known.iter().zip(&here) {
            assert_eq!(commitment, same);
            assert!(found == value || *found == Opened::Sealed, "{path} {at}: {found:?} of {value:?}");
        }
        let sealed = here.iter().filter(|(_, value)| *value == Opened::Sealed).count();
        assert_eq!(sealed, vault.rows.lost.len(), "{path} {at}");
        lost += sealed;
        goes_on(&target);
    }
    assert!(lost > 10);
    // With a second copy of the vault nothing is lost.
    let (saved, target) = save(&[flipped(&all, "vault/rows", 4096 + 130), files]);
    assert_eq!((values(&view(&target)), saved.vault.unwrap().rows.lost.len()), (known, 0));
}

#[test]
fn a_vault_without_a_header_is_left_out_and_said() {
    let all = everything(&*closed(&[7], LARGE));
    let (saved, target) = save(&[flipped(&all, "vault/keys", 40)]);
    assert_eq!(saved.vault.unwrap().unreadable.len(), 1);
    assert!(target.list("vault").is_err());
    assert!(values(&view(&target)).iter().all(|(_, value)| *value == Opened::Sealed));
    sound(&target);
}

#[test]
fn an_erasure_that_the_log_names_is_completed_in_the_new_ledger() {
    let mut book = Book::create(memory(), LARGE);
    book.append(9);
    let vault = everything(&*book.files).into_iter().filter(|(path, _)| path.starts_with("vault/")).collect::<Vec<_>>();
    book.erase("citizen:3");
    let files = book.close();
    // The vault of before, beside the log of after.
    for (path, bytes) in &vault {
        write(&*files, path, bytes);
    }
    let (saved, target) = save(&[files]);
    assert!(saved.vault.unwrap().rows.erased > 0);
    let store = sovang_storage::store::Store::open(Arc::clone(&target), options(LARGE), None).unwrap();
    assert!(store.view().is_erased(&SubjectId::new("citizen:3").unwrap()).unwrap(), "the subject is refused from now on");
    store.close().unwrap();
    assert!(values(&view(&target)).iter().any(|(_, value)| *value == Opened::Erased));
    let raw = read(&*target, "vault/keys");
    let old = &vault.iter().find(|(path, _)| path == "vault/keys").unwrap().1;
    let slot = |n: usize| &old[4096 + 128 * n + 64..4096 + 128 * n + 96];
    let kept =
        (0..(old.len() - 4096) / 128).filter(|n| slot(*n) != [0; 32] && raw.windows(32).any(|window| window == slot(*n))).count();
    assert_eq!(kept, 2, "the keys of the living, and of nobody else");
}

#[test]
fn checkpoints_are_kept_and_prove_the_loss() {
    let (all, marks) = marked(&[2, 2, 2], LARGE);
    let whole = sound(&of(&all));
    let note = format!("example.org/notes\n{}\n{}\n\n\u{2014} example.org/notes AAAA\n", whole.size, whole.root.to_base64());
    let mut all = all;
    all.push(("checkpoints/6".into(), note.clone().into_bytes()));
    all.push(("checkpoints/lock".into(), Vec::new()));
    all.retain(|(path, _)| path != "HEAD");
    let (path, at, _) = &marks[1];
    let (saved, target) = save(&[flipped(&all, path, at + 5)]);
    assert_eq!((saved.head.size, saved.checkpoints), (Size(2), 1));
    assert!(saved.traces.iter().any(|trace| trace.what == "checkpoint" && trace.head == whole), "{:?}", saved.traces);
    assert_eq!(read(&*target, "checkpoints/6"), note.as_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_damage_leaves_exactly_the_records_before_it(
        batches in prop::collection::vec(1_u64..5, 1..9),
        small in any::<bool>(),
        place in any::<prop::sample::Index>(),
        bit in 0_u8..8,
        cut in any::<bool>(),
    ) {
        let (all, marks) = marked(&batches, if small { SMALL } else { LARGE });
        let known = frames(&view(&of(&all)));
        let logs: Vec<_> = all.iter().filter(|(path, _)| path.starts_with("log/")).cloned().collect();
        let total: usize = logs.iter().map(|(_, bytes)| bytes.len()).sum();
        let mut at = place.index(total);
        let (path, bytes) = logs.iter().find(|(_, bytes)| { let here = at < bytes.len(); if !here { at -= bytes.len(); } here }).unwrap();
        let mut damaged = bytes.clone();
        if cut { damaged.truncate(at); } else { damaged[at] ^= 1 << bit; }
        let mut files = all.clone();
        files.iter_mut().find(|(name, _)| name == path).unwrap().1 = damaged;
        // Batches that end before the damage; a header's damage takes its whole segment.
        let number = |path: &str| path[4..].parse::<u64>().unwrap();
        let mut expected = 0;
        for (n, (segment, start, size)) in marks.iter().enumerate() {
            let end = marks.get(n + 1).filter(|(next, ..)| next == segment).map(|(_, start, _)| *start);
            let end = end.unwrap_or_else(|| {
                let bytes = &logs.iter().find(|(name, _)| name == segment).unwrap().1;
                start + 200 + u32::from_le_bytes(bytes[start + 24..start + 28].try_into().unwrap()) as usize
            });
            let whole = number(segment) < number(path) || (segment == path && at >= end);
            // A cut or a flip inside the seal costs no batch of its own segment, nor of a later one whose header vouches for it.
            let sealed = number(segment) > number(path) && at >= marks.iter().filter(|(s, ..)| s == path).map(|(_, start, _)| {
                let bytes = &logs.iter().find(|(name, _)| name == path).unwrap().1;
                start + 200 + u32::from_le_bytes(bytes[start + 24..start + 28].try_into().unwrap()) as usize
            }).max().unwrap_or(0);
            if !(whole || sealed) { break; }
            expected = size + batches[n];
        }
        let target = memory();
        match salvage(&[of(&files)], &target, &Named::default(), &mut |_, _| {}) {
            Ok(saved) => {
                prop_assert_eq!(saved.head, head_of(&known, expected));
                prop_assert_eq!(sound(&target), saved.head);
                let there = frames(&view(&target));
                prop_assert!(there.iter().zip(&known).all(|(a, b)| a.bytes() == b.bytes()));
                goes_on(&target);
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::Damaged);
                prop_assert_eq!(expected, 0);
            }
        }
    }
}
