//! A copy beside the writer: consistent, grown by what is new, and never of another history.

use crate::ledger::*;
use sovang_core::personal::Opened;
use sovang_core::{ErrorKind, Result, Size};
use sovang_storage::backup::{BackedUp, BackupOptions, backup};
use sovang_storage::files::Files;
use sovang_storage::store::Store;
use std::sync::Arc;

const PLAIN: BackupOptions = BackupOptions { with_vault: false, full: false };
const VAULT: BackupOptions = BackupOptions { with_vault: true, full: false };
const FULL: BackupOptions = BackupOptions { with_vault: false, full: true };

fn copy(source: &Arc<dyn Files>, target: &Arc<dyn Files>, options: BackupOptions) -> Result<BackedUp> {
    backup(source, target, options, &mut |_, _| {})
}

#[test]
fn a_copy_grows_with_its_ledger_beside_the_writer() {
    for segment in [LARGE, SMALL] {
        let mut book = Book::create(memory(), segment);
        let target = memory();
        let mut bytes = 0;
        for round in 0..12 {
            if round != 3 {
                book.append(1 + round % 3);
            }
            let done = copy(&book.files, &target, if round % 4 == 1 { FULL } else { PLAIN }).unwrap();
            assert_eq!((done.head, sound(&target)), (book.head(), book.head()));
            let grown: u64 =
                everything(&*target).iter().filter(|(path, _)| path.starts_with("log/")).map(|(_, b)| b.len() as u64).sum();
            assert!(done.copied_bytes <= grown - bytes, "only what is new: {done:?}");
            assert_eq!(done.copied_records == 0, round == 3);
            assert_eq!(done.copied_bytes == 0, round == 3);
            bytes = grown - 72 * 12;
            assert!(target.list("vault").is_err(), "nobody asked for personal values");
        }
        assert_eq!(copy(&book.files, &target, FULL).unwrap().checked, book.head().size.0);
        assert!(values(&view(&target)).iter().all(|(_, value)| *value == Opened::Sealed));
        let (head, files) = (book.head(), book.close());
        copy(&files, &target, PLAIN).unwrap();
        for (path, bytes) in everything(&*files).into_iter().filter(|(path, _)| path.starts_with("log/") || path == "ledger") {
            assert!(read(&*target, &path) == bytes, "{path} is the same, byte for byte");
        }
        assert_eq!(sound(&target), head);
        goes_on(&target);
        // Now it has another history.
        let error = copy(&files, &target, PLAIN).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("newer"), "{error}");
    }
}

#[test]
fn personal_values_come_along_only_when_asked_for() {
    let mut book = Book::create(memory(), LARGE);
    let (target, plain) = (memory(), memory());
    book.append(7);
    copy(&book.files, &target, VAULT).unwrap();
    copy(&book.files, &plain, PLAIN).unwrap();
    assert_eq!(values(&view(&target)), values(&view(&book.files)));
    book.append(8);
    book.erase("citizen:0");
    book.append(4);
    copy(&book.files, &target, VAULT).unwrap();
    sound(&target);
    assert_eq!(values(&view(&target)), values(&view(&book.files)));
    assert!(values(&view(&target)).iter().any(|(_, value)| *value == Opened::Erased));
    assert!(values(&view(&target)).iter().any(|(_, value)| matches!(value, Opened::Known { .. })));
    // The keys of the erased are gone from the copy's file, not only hidden: its slots hold as many keys as persons are left.
    let keys = read(&*target, "vault/keys");
    let states: Vec<u8> = keys[4096..].chunks_exact(128).map(|slot| slot[4]).collect();
    let zeroed = keys[4096..].chunks_exact(128).filter(|slot| slot[64..96] == [0; 32]).count();
    assert_eq!((states.iter().filter(|state| **state == 3).count(), zeroed), (1, 1), "{states:?}");
    let known = values(&view(&target)).iter().filter(|(_, value)| matches!(value, Opened::Known { .. })).count();
    let rows = read(&*target, "vault/rows");
    assert_eq!(rows.chunks_exact(128).skip(32).filter(|row| row.starts_with(b"SOVR\x01\0")).count(), known, "and their rows");
    // A copy has a vault from its first time on, or never.
    for (target, options, says) in [(&target, PLAIN, "--with-vault"), (&plain, VAULT, "new directory")] {
        let before = everything(&**target);
        let error = copy(&book.files, target, options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(says), "{error}");
        assert!(everything(&**target) == before);
    }
    let error = copy(&plain, &memory(), VAULT).unwrap_err();
    assert!(error.to_string().contains("has no vault"), "{error}");
    // Whoever was erased is refused by the copy too.
    let store = Store::open(Arc::clone(&target), options(LARGE), None).unwrap();
    assert!(store.view().is_erased(&sovang_core::SubjectId::new("citizen:0").unwrap()).unwrap());
    store.close().unwrap();
    goes_on(&target);
}

#[test]
fn a_damaged_value_is_no_copy() {
    let files = closed(&[7], LARGE);
    let mut rows = read(&*files, "vault/rows");
    rows[4096 + 120] ^= 1;
    write(&*files, "vault/rows", &rows);
    let error = copy(&files, &memory(), VAULT).unwrap_err();
    assert_eq!((error.kind(), error.position().map(|p| p.0)), (ErrorKind::Damaged, Some(0)), "{error}");
    copy(&files, &memory(), PLAIN).unwrap();
}

#[test]
fn another_ledger_or_another_history_is_refused() {
    let files = closed(&[2, 2], LARGE);
    let target = memory();
    copy(&files, &target, PLAIN).unwrap();
    let other = memory();
    let id = sovang_storage::log::Identity { ledger_id: sovang_core::LedgerId([6; 16]), ..identity() };
    Store::create(Arc::clone(&other), id, options(LARGE)).unwrap().close().unwrap();
    let error = copy(&other, &target, PLAIN).unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains("another ledger"), "{error}");
    // The copy went its own way, and the ledger too.
    goes_on(&target);
    let store = Store::open(Arc::clone(&files), options(LARGE), None).unwrap();
    let records = (50..53).map(record).collect();
    store.submit(sovang_storage::store::Submission { records, condition: None, recorded_at: None }).unwrap().wait().unwrap();
    store.close().unwrap();
    let before = everything(&*target);
    let error = copy(&files, &target, PLAIN).unwrap_err();
    let text = error.to_string();
    assert!(error.kind() == ErrorKind::InvalidInput && text.contains("no beginning of") && text.contains("size 5"), "{text}");
    assert!(text.contains(&sound(&target).root.to_base64()), "{text}");
    let same = |all: Vec<(String, Vec<u8>)>| all.into_iter().filter(|(path, _)| path != "HEAD").collect::<Vec<_>>();
    assert!(same(everything(&*target)) == same(before));
    // What is in the way stays.
    let busy = memory();
    busy.create_directory("").unwrap();
    write(&*busy, "letter.txt", b"dear");
    assert_eq!(copy(&files, &busy, PLAIN).unwrap_err().kind(), ErrorKind::NotEmpty);
    let _writer = Store::open(Arc::clone(&target), options(LARGE), None).unwrap();
    assert_eq!(copy(&files, &target, PLAIN).unwrap_err().kind(), ErrorKind::Locked);
}

#[test]
fn a_source_that_is_damaged_is_said_and_the_copy_stays() {
    let files = closed(&[2; 12], SMALL);
    let target = memory();
    let mut early = Book::create(memory(), SMALL);
    (0..3).for_each(|_| early.append(2));
    copy(&early.files, &target, PLAIN).unwrap();
    let head = sound(&target);
    // The same ledger later, with damage in what is new.
    let mut bytes = read(&*files, "log/2");
    bytes[4096 + 150] ^= 1;
    write(&*files, "log/2", &bytes);
    let error = copy(&files, &target, PLAIN).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
    assert!(error.path().unwrap().ends_with("log/2") || error.to_string().contains("log/2"), "{error}");
    let now = sound(&target);
    assert!(now.size >= head.size);
    assert_eq!(now, head_of(&frames(&view(&early.files)), now.size.0.min(6)).max_by_size(now));
}
trait MaxBySize {
    fn max_by_size(self, other: Self) -> Self;
}
impl MaxBySize for sovang_core::Head {
    fn max_by_size(self, other: Self) -> Self {
        if other.size > self.size { other } else { self }
    }
}

#[test]
fn damage_of_the_copy_is_found_with_full_and_named_as_the_copys() {
    let files = closed(&[2; 12], SMALL);
    let target = memory();
    copy(&files, &target, PLAIN).unwrap();
    let mut bytes = read(&*target, "log/0");
    bytes[4096 + 150] ^= 1;
    write(&*target, "log/0", &bytes);
    copy(&files, &target, PLAIN).unwrap();
    let error = copy(&files, &target, FULL).unwrap_err();
    assert!(error.kind() == ErrorKind::Damaged && error.to_string().contains("the copy is damaged"), "{error}");
}

#[test]
fn who_reads_a_copy_goes_on_reading_it_while_it_grows() {
    let mut book = Book::create(memory(), SMALL);
    book.append(2);
    let target = memory();
    copy(&book.files, &target, PLAIN).unwrap();
    let follower = view(&target);
    assert_eq!(frames(&follower).len(), 2);
    // The segment that was the last one is put in place again, whole, and others come after it.
    (0..20).for_each(|_| book.append(1));
    copy(&book.files, &target, PLAIN).unwrap();
    assert!(target.list("log").unwrap().len() > 3);
    assert_eq!(follower.refresh().unwrap(), book.head());
    assert_eq!(frames(&follower).len(), 22);
}

#[test]
fn a_checkpoint_that_is_signed_during_a_backup_tells_of_no_rollback() {
    let mut book = Book::create(memory(), SMALL);
    book.append(20);
    let (files, before) = (Arc::clone(&book.files), book.head());
    let mut is_signed = false;
    let done = backup(&files, &memory(), PLAIN, &mut |_, _| {
        if !std::mem::replace(&mut is_signed, true) {
            book.append(1);
            book.files.create_directory("checkpoints").unwrap();
            write(&*book.files, &format!("checkpoints/{}", book.head().size), b"signed");
        }
    });
    assert!(is_signed);
    let done = done.unwrap();
    assert_eq!((done.head, done.signed_beyond), (before, None));
}

#[test]
fn checkpoints_come_along_and_tell_of_a_rollback() {
    let mut book = Book::create(memory(), LARGE);
    book.append(2);
    book.files.create_directory("checkpoints").unwrap();
    for (name, bytes) in [("2", "signed"), ("2.0011223344556677.tsr", "stamped"), ("lock", ""), ("3.tmp", "half")] {
        write(&*book.files, &format!("checkpoints/{name}"), bytes.as_bytes());
    }
    let target = memory();
    assert_eq!(copy(&book.files, &target, PLAIN).unwrap().signed_beyond, None);
    assert_eq!(target.list("checkpoints").unwrap(), ["2", "2.0011223344556677.tsr"]);
    write(&*book.files, "checkpoints/2", b"signed and cosigned");
    copy(&book.files, &target, PLAIN).unwrap();
    assert_eq!(read(&*target, "checkpoints/2"), b"signed and cosigned");
    write(&*book.files, "checkpoints/9", b"signed");
    assert_eq!(copy(&book.files, &target, PLAIN).unwrap().signed_beyond, Some(Size(9)));
}
