//! The three kinds of files behave alike: one suite for all of them, and the same random operations on each.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use sovang_storage::disk::DiskFiles;
use sovang_storage::files::{File, Files, Open};
use sovang_storage::memory::MemoryFiles;
use sovang_storage::sim::SimFiles;
use std::io::ErrorKind;
use std::sync::Arc;

/// A place whose directory and its parent do not exist yet.
fn on_each(check: impl Fn(&dyn Files)) {
    let place = tempfile::tempdir().unwrap();
    check(&DiskFiles::new(place.path().join("offices").join("ledger")));
    check(&MemoryFiles::default());
    check(&SimFiles::new());
}
fn on_each_created(check: impl Fn(&dyn Files)) {
    on_each(|files| {
        files.create_directory("").unwrap();
        files.create_directory("log").unwrap();
        check(files);
    });
}
fn all(file: &dyn File) -> Vec<u8> {
    let mut bytes = vec![0xEE; usize::try_from(file.len().unwrap()).unwrap()];
    assert_eq!(file.read_at(&mut bytes, 0).unwrap(), bytes.len());
    bytes
}
fn kind<T>(result: std::io::Result<T>) -> Option<ErrorKind> {
    result.err().map(|e| e.kind())
}
fn create(files: &dyn Files, path: &str, bytes: &[u8]) -> Arc<dyn File> {
    let file = files.open(path, Open::Create).unwrap();
    file.write_at(bytes, 0).unwrap();
    file
}

#[test]
fn directories_are_created_listed_and_synced() {
    on_each(|files| {
        assert_eq!(kind(files.list("")), Some(ErrorKind::NotFound));
        assert_eq!(kind(files.open("ledger", Open::Create)), Some(ErrorKind::NotFound));
        files.create_directory("").unwrap();
        files.create_directory("").unwrap();
        files.sync_directory("..").unwrap();
        assert_eq!(files.list("").unwrap(), Vec::<String>::new());
        files.create_directory("log").unwrap();
        files.create_directory("log").unwrap();
        for path in ["lock", "log/10", "log/9", "HEAD"] {
            create(files, path, b"");
        }
        assert_eq!(files.list("").unwrap(), ["HEAD", "lock", "log"]);
        assert_eq!(files.list("log").unwrap(), ["10", "9"]);
        files.sync_directory("").unwrap();
        files.sync_directory("log").unwrap();
        assert_eq!(kind(files.list("vault")), Some(ErrorKind::NotFound));
        assert_eq!(kind(files.list("HEAD")), Some(ErrorKind::NotADirectory));
        assert_eq!(kind(files.sync_directory("vault")), Some(ErrorKind::NotFound));
        assert_eq!(kind(files.sync_directory("HEAD")), Some(ErrorKind::NotADirectory));
        assert_eq!(kind(files.create_directory("HEAD")), Some(ErrorKind::AlreadyExists));
        assert_eq!(kind(files.open("vault/1", Open::Create)), Some(ErrorKind::NotFound));
        for how in [Open::Read, Open::Write, Open::Create, Open::Ensure] {
            assert!(files.open("log", how).is_err(), "a directory is no file");
        }
    });
}

#[test]
fn bytes_are_read_where_they_were_written() {
    on_each_created(|files| {
        let file = create(files, "log/0", b"header");
        file.write_at(b"batch", 1_000).unwrap();
        assert_eq!(file.len().unwrap(), 1_005);
        let mut expected = b"header".to_vec();
        expected.resize(1_000, 0);
        expected.extend(b"batch");
        assert_eq!(all(&*file), expected);
        let mut into = [0xEE; 10];
        assert_eq!(file.read_at(&mut into, 1_003).unwrap(), 2);
        assert_eq!(&into, b"ch\xEE\xEE\xEE\xEE\xEE\xEE\xEE\xEE");
        assert_eq!(file.read_at(&mut into, 1_005).unwrap(), 0);
        assert_eq!(file.read_at(&mut into, u64::from(u32::MAX)).unwrap(), 0);
        file.write_at(b"", 5_000).unwrap();
        assert_eq!(file.len().unwrap(), 1_005, "an empty write changes nothing");
        file.sync_data().unwrap();
        file.sync_all().unwrap();
        assert_eq!(all(&*files.open("log/0", Open::Read).unwrap()), expected);
    });
}

#[test]
fn a_file_is_ensured_without_touching_one_that_is_there() {
    on_each_created(|files| {
        assert_eq!(kind(files.open("vault/1", Open::Ensure)), Some(ErrorKind::NotFound), "there is no such directory");
        let file = files.open("log/ensured", Open::Ensure).unwrap();
        file.write_at(b"kept", 0).unwrap();
        assert_eq!(all(&*files.open("log/ensured", Open::Ensure).unwrap()), b"kept");
    });
}

#[test]
fn what_is_gained_in_length_is_zero() {
    on_each_created(|files| {
        let file = create(files, "log/0", &[7; 1_500]);
        file.set_len(700).unwrap();
        file.allocate(600).unwrap();
        assert_eq!(all(&*file), [7; 700], "an allocation never shortens");
        file.allocate(1_200).unwrap();
        file.set_len(2_000).unwrap();
        let mut expected = vec![7; 700];
        expected.resize(2_000, 0);
        assert_eq!(all(&*file), expected);
        file.allocate(0).unwrap();
        assert_eq!(file.len().unwrap(), 2_000);
    });
}

#[test]
fn a_handle_for_reading_cannot_write() {
    on_each_created(|files| {
        create(files, "HEAD", b"slots");
        let file = files.open("HEAD", Open::Read).unwrap();
        assert!(file.write_at(b"x", 0).is_err());
        assert!(file.set_len(0).is_err());
        assert!(file.allocate(100).is_err());
        assert_eq!(all(&*file), b"slots");
    });
}

#[test]
fn names_change_and_handles_stay() {
    on_each_created(|files| {
        let old = create(files, "HEAD", b"old");
        let new = create(files, "HEAD.tmp", b"new");
        files.rename("HEAD.tmp", "HEAD").unwrap();
        assert_eq!(all(&*files.open("HEAD", Open::Read).unwrap()), b"new");
        assert_eq!(kind(files.open("HEAD.tmp", Open::Read)), Some(ErrorKind::NotFound));
        new.write_at(b"N", 0).unwrap();
        assert_eq!(all(&*files.open("HEAD", Open::Write).unwrap()), b"New");
        assert_eq!(all(&*old), b"old", "the replaced file is still there for who has it open");
        let newest = create(files, "HEAD", b"newest");
        assert_eq!(all(&*new), b"New", "creating replaces, it does not truncate");
        files.remove("HEAD").unwrap();
        assert_eq!(all(&*newest), b"newest");
        assert_eq!(files.list("").unwrap(), ["log"]);
        let gone = [kind(files.remove("HEAD")), kind(files.rename("HEAD", "x")), kind(files.open("HEAD", Open::Write))];
        assert_eq!(gone, [Some(ErrorKind::NotFound); 3]);
    });
}

#[test]
fn a_lock_has_one_holder() {
    on_each_created(|files| {
        assert_eq!(kind(files.lock("lock")), Some(ErrorKind::NotFound));
        create(files, "lock", b"");
        let held = files.lock("lock").unwrap();
        assert_eq!(kind(files.lock("lock")), Some(ErrorKind::WouldBlock));
        files.open("lock", Open::Read).unwrap();
        drop(held);
        drop(files.lock("lock").unwrap());
        files.lock("lock").unwrap();
    });
}

#[test]
fn several_threads_write_and_read_one_file() {
    on_each_created(|files| {
        let file = create(files, "log/0", &[0; 4_000]);
        std::thread::scope(|scope| {
            for part in 0..4u8 {
                let file = &file;
                scope.spawn(move || {
                    let start = u64::from(part) * 1_000;
                    for n in 1..=20u8 {
                        file.write_at(&[n; 1_000], start).unwrap();
                        let mut read = [0; 1_000];
                        assert_eq!(file.read_at(&mut read, start).unwrap(), 1_000);
                        assert_eq!(read, [n; 1_000]);
                    }
                });
            }
        });
        assert_eq!(all(&*file), [20; 4_000]);
    });
}

#[test]
fn a_path_is_described_for_people() {
    on_each_created(|files| assert!(files.describe("log/0").to_string_lossy().ends_with("log/0")));
    assert_eq!(DiskFiles::new("golden-book").describe("").to_str(), Some("golden-book"));
}

#[test]
fn a_fork_in_memory_is_independent_and_unlocked() {
    let files = MemoryFiles::default();
    files.create_directory("").unwrap();
    let file = create(&files, "HEAD", b"one");
    let _held = files.lock("HEAD").unwrap();
    let fork = files.fork();
    file.write_at(b"two", 0).unwrap();
    assert_eq!(all(&*fork.open("HEAD", Open::Read).unwrap()), b"one");
    fork.lock("HEAD").unwrap();
    assert_eq!(all(&*files.clone().open("HEAD", Open::Read).unwrap()), b"two", "a clone is the same files");
}

#[derive(Clone, Debug)]
enum Step {
    Create(&'static str),
    Write(&'static str, u64, usize, u8),
    SetLen(&'static str, u64),
    Allocate(&'static str, u64),
    Rename(&'static str, &'static str),
    Remove(&'static str),
}
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let path = || prop::sample::select(vec!["HEAD", "HEAD.tmp", "log/0", "log/1"]);
    let renames = vec![("HEAD", "HEAD.tmp"), ("HEAD.tmp", "HEAD"), ("log/0", "log/1")];
    let step = prop_oneof![
        path().prop_map(Step::Create),
        (path(), 0u64..2_000, 0usize..1_500, 1u8..).prop_map(|(p, o, n, b)| Step::Write(p, o, n, b)),
        (path(), 0u64..2_500).prop_map(|(p, n)| Step::SetLen(p, n)),
        (path(), 0u64..2_500).prop_map(|(p, n)| Step::Allocate(p, n)),
        prop::sample::select(renames).prop_map(|(from, to)| Step::Rename(from, to)),
        path().prop_map(Step::Remove),
    ];
    prop::collection::vec(step, 1..25)
}
fn take(files: &dyn Files, step: &Step) -> Option<ErrorKind> {
    let open = |path: &str| files.open(path, Open::Write);
    kind(match *step {
        Step::Create(path) => files.open(path, Open::Create).map(drop),
        Step::Write(path, offset, len, byte) => open(path).and_then(|file| file.write_at(&vec![byte; len], offset)),
        Step::SetLen(path, len) => open(path).and_then(|file| file.set_len(len)),
        Step::Allocate(path, len) => open(path).and_then(|file| file.allocate(len)),
        Step::Rename(from, to) => files.rename(from, to),
        Step::Remove(path) => files.remove(path),
    })
}
fn seen(files: &dyn Files) -> Vec<(String, Vec<u8>)> {
    let mut seen = Vec::new();
    for (directory, prefix) in [("", ""), ("log", "log/")] {
        for name in files.list(directory).unwrap() {
            let path = format!("{prefix}{name}");
            if path != "log" {
                seen.push((path.clone(), all(&*files.open(&path, Open::Read).unwrap())));
            }
        }
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_same_operations_have_the_same_outcome(steps in steps()) {
        let place = tempfile::tempdir().unwrap();
        let (disk, memory, sim) = (DiskFiles::new(place.path()), MemoryFiles::default(), SimFiles::new());
        let each: [&dyn Files; 3] = [&disk, &memory, &sim];
        for files in each {
            files.create_directory("").unwrap();
            files.create_directory("log").unwrap();
        }
        for step in &steps {
            let [disk, memory, sim] = each.map(|files| take(files, step));
            prop_assert_eq!(disk, memory, "{:?}", step);
            prop_assert_eq!(disk, sim, "{:?}", step);
        }
        let [disk, memory, sim] = each.map(seen);
        prop_assert_eq!(&disk, &memory);
        prop_assert_eq!(&disk, &sim);
    }
}
