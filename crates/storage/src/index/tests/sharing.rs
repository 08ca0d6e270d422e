//! Readers beside a writer, threads beside each other, and a disk that refuses.

use super::*;
use crate::files::File;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_reader_takes_over_what_a_writer_has_written() {
    let files = files();
    let writer = open(&files, options(50, true));
    let mut log = Log::new(50_000);
    let grow = |log: &mut Log, batches: u64| {
        for _ in 0..batches {
            let from = log.size();
            log.append((from..from + 10).map(typical));
            log.feed(&writer);
            writer.set_durable(Size(log.size()), Some(log.next()));
        }
    };
    let readers = [open(&files, options(20, false)), open(&files, options(1_000, false))];
    for round in 0..30 {
        grow(&mut log, round % 7 + 1);
        for reader in &readers {
            if round % 3 == 0 {
                reader.refresh().expect("lists");
            }
            log.feed(reader);
            reader.set_durable(Size(log.size()), None);
            log.check(reader, 7).expect("answers");
        }
    }
    let before = listing(&files);
    writer.flush().expect("writes");
    for reader in readers {
        reader.refresh().expect("lists");
        assert_eq!(reader.covered().cursor, log.next(), "the writer's runs reach furthest");
        log.check(&reader, 1).expect("answers");
    }
    assert!(before.len() < 30, "merged: {before:?}");
}

#[test]
fn a_reader_without_an_index_writes_nothing() {
    let files = files();
    let mut log = Log::new(50_000);
    let reader = open(&files, options(64, false));
    for n in 0..200 {
        log.append((n * 10..n * 10 + 10).map(typical));
        log.feed(&reader);
        reader.set_durable(Size(log.size()), None);
    }
    log.check(&reader, 1).expect("answers");
    reader.flush().expect("has runs of its own");
    log.check(&reader, 1).expect("answers");
    reader.close().expect("closes");
    assert!(files.list("index").is_err(), "no directory was created");
}

#[test]
fn a_reader_does_not_take_up_again_what_it_discarded() {
    let files = files();
    let writer = open(&files, options(100, true));
    let mut log = Log::new(50_000);
    for n in 0..30 {
        log.append((n * 10..n * 10 + 10).map(typical));
    }
    log.feed(&writer);
    writer.set_durable(Size(300), Some(log.next()));
    writer.flush().expect("writes");
    let reader = open(&files, options(100, false));
    assert_eq!(reader.size(), Size(300));
    reader.discard_from(Size(0));
    reader.refresh().expect("lists");
    assert_eq!(reader.size(), Size(0));
    log.feed(&reader);
    log.check(&reader, 1).expect("answers");
}

#[test]
fn lookups_beside_a_writer_are_right() {
    let files = files();
    let index = open(&files, IndexOptions { background: true, ..options(128, true) });
    let mut log = Log::new(500_000);
    for n in 0..2_000 {
        log.append((n * 10..n * 10 + 10).map(typical));
    }
    let (index, log) = (&index, &log);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..2u64 {
            let done = &done;
            scope.spawn(move || {
                let mut n = thread;
                while !done.load(Ordering::Relaxed) {
                    let size = index.size().0;
                    n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    if let Some(position) = (n >> 33).checked_rem(size) {
                        log.check_record(index, position).expect("is known");
                        log.check_root(index, position).expect("is known");
                        log.check_key(index, &typical(position).1[0], 0..size).expect("is known");
                    }
                }
            });
        }
        for position in 0..log.size() {
            let record = &log.records[usize::try_from(position).unwrap()];
            let added = Added {
                position: Position(position),
                id: record.id,
                keys: &record.keys,
                location: record.location,
                first_in_batch: record.first_in_batch,
                hash: record.hash,
            };
            if record.first_in_batch {
                index.set_durable(Size(position), None);
            }
            index.add(&added).expect("continues");
        }
        done.store(true, Ordering::Relaxed);
    });
    index.set_durable(Size(log.size()), Some(log.next()));
    index.flush().expect("writes");
    log.check(index, 20).expect("answers");
    assert!(listing(&files).len() <= 7 * 4, "{:?}", listing(&files));
}

/// Files that can be told to refuse to create any.
struct Refusing(MemoryFiles, AtomicBool);
impl Files for Refusing {
    fn open(&self, path: &str, how: Open) -> io::Result<Arc<dyn File>> {
        if how == Open::Create && self.1.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.open(path, how)
    }
    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        self.0.list(directory)
    }
    fn create_directory(&self, directory: &str) -> io::Result<()> {
        self.0.create_directory(directory)
    }
    fn sync_directory(&self, directory: &str) -> io::Result<()> {
        self.0.sync_directory(directory)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        self.0.remove(path)
    }
    fn lock(&self, path: &str) -> io::Result<Box<dyn Send + Sync>> {
        self.0.lock(path)
    }
    fn describe(&self, path: &str) -> PathBuf {
        self.0.describe(path)
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    for background in [false, true] {
        let files = Arc::new(Refusing(files(), AtomicBool::new(true)));
        let chosen = IndexOptions { background, ..options(50, true) };
        let index = Index::open(Arc::clone(&files) as Arc<dyn Files>, LEDGER, chosen).expect("opens");
        let mut log = Log::new(50_000);
        for n in 0..200 {
            log.append((n * 10..n * 10 + 10).map(typical));
            log.feed(&index);
            index.set_durable(Size(log.size()), Some(log.next()));
        }
        assert_eq!(index.flush().expect_err("refuses").kind(), ErrorKind::NoSpace);
        log.check(&index, 1).expect("answers from memory");
        files.1.store(false, Ordering::Relaxed);
        index.flush().expect("writes");
        log.check(&index, 1).expect("answers");
        assert_eq!(index.covered().cursor, log.next());
    }
}
