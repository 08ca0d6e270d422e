//! Creating, appending, reopening, rotating.

use crate::common::*;
use sovang_core::limits::BATCH_BYTES_MAX;
use sovang_core::{ErrorKind, Head, Position, Root, Size};
use sovang_storage::disk::DiskFiles;
use sovang_storage::files::{File, Files, Open};
use sovang_storage::log::{Identity, Log, LogOptions, LogView, Segments};
use sovang_storage::memory::MemoryFiles;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

#[test]
fn a_new_log_is_empty_and_sound() {
    let files = new_ledger();
    let log = open(&files, options());
    assert_eq!(log.head(), Head { size: Size(0), root: Root::empty() });
    assert_eq!(log.last_recorded_at(), 0);
    assert_eq!(log.identity(), &identity());
    log.close().unwrap();
    assert_eq!(sound(&files).notes, []);
}

#[test]
fn creation_refuses_what_is_there() {
    let kind = |files: &Arc<dyn Files>| Log::create(files, &identity(), &random).unwrap_err().kind();
    assert_eq!(kind(&new_ledger()), ErrorKind::NotEmpty);
    let files: Arc<dyn Files> = Arc::new(MemoryFiles::default());
    files.create_directory("").unwrap();
    write(&files, "notes.txt", b"mine");
    assert_eq!(kind(&files), ErrorKind::NotEmpty);
    // Records whose `ledger` is gone are not built over.
    let files = ledger(&[2], options());
    files.remove("ledger").unwrap();
    assert_eq!(kind(&files), ErrorKind::Damaged);
    assert_eq!(Log::open(files, options(), &random).unwrap_err().kind(), ErrorKind::Damaged);
}

#[test]
fn creation_harms_nothing_that_is_left_of_a_ledger() {
    for (path, bytes) in
        [("vault/rows", &[1; 4608][..]), ("vault/keys", &[1; 4224]), ("checkpoints/7", b"signed"), ("index/0", b"x")]
    {
        let files: Arc<dyn Files> = Arc::new(MemoryFiles::default());
        files.create_directory("").unwrap();
        files.create_directory(path.split('/').next().unwrap()).unwrap();
        write(&files, path, bytes);
        let error = Log::create(&files, &identity(), &random).unwrap_err();
        assert!(error.kind() == ErrorKind::NotEmpty && error.to_string().contains(path), "{error}");
        assert_eq!(read(&files, path), bytes);
        assert!(files.list("log").is_err(), "nothing was made");
    }
}

/// A disk that lets somebody else act between the look for a lock and what follows from it.
struct Paused {
    inner: DiskFiles,
    then: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}
impl Files for Paused {
    fn open(&self, path: &str, how: Open) -> io::Result<Arc<dyn File>> {
        self.inner.open(path, how)
    }
    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        self.inner.list(directory)
    }
    fn create_directory(&self, directory: &str) -> io::Result<()> {
        self.inner.create_directory(directory)
    }
    fn sync_directory(&self, directory: &str) -> io::Result<()> {
        self.inner.sync_directory(directory)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.inner.rename(from, to)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        self.inner.remove(path)
    }
    fn lock(&self, path: &str) -> io::Result<Box<dyn Send + Sync>> {
        let taken = self.inner.lock(path);
        if taken.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::NotFound)
            && let Some(then) = self.then.lock().unwrap().take()
        {
            then();
        }
        taken
    }
    fn describe(&self, path: &str) -> PathBuf {
        self.inner.describe(path)
    }
}

#[test]
fn of_two_creations_at_once_one_is_refused_and_no_lock_is_taken_away() {
    let directory = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Files> = Arc::new(DiskFiles::new(directory.path()));
    let first: Arc<Mutex<Option<Log>>> = Arc::default();
    let create = {
        let (disk, first) = (Arc::clone(&disk), Arc::clone(&first));
        move || {
            Log::create(&disk, &identity(), &random).unwrap();
            *first.lock().unwrap() = Some(open(&disk, options()));
        }
    };
    let then: Box<dyn FnOnce() + Send> = Box::new(create);
    let paused: Arc<dyn Files> = Arc::new(Paused { inner: DiskFiles::new(directory.path()), then: Mutex::new(Some(then)) });
    assert_eq!(Log::create(&paused, &identity(), &random).unwrap_err().kind(), ErrorKind::Locked);
    assert!(first.lock().unwrap().is_some());
    let second = Log::open(Arc::clone(&disk), options(), &random);
    assert_eq!(second.unwrap_err().kind(), ErrorKind::Locked, "the first writer is still there");
}

#[test]
fn creation_that_was_interrupted_is_repeated() {
    let files = new_ledger();
    files.remove("ledger").unwrap();
    assert_eq!(LogView::open(Arc::clone(&files)).unwrap_err().kind(), ErrorKind::NotALedger);
    Log::create(&files, &identity(), &random).unwrap();
    open(&files, options()).append(&records(0..1)).unwrap();
}

#[test]
fn creation_refuses_names_that_cannot_be() {
    let create = |origin: &str, schema: &str| {
        let files: Arc<dyn Files> = Arc::new(MemoryFiles::default());
        let identity = Identity { origin: origin.into(), schema: schema.into(), ..identity() };
        Log::create(&files, &identity, &random).map_err(|e| e.kind())
    };
    assert_eq!(create("", "s"), Err(ErrorKind::InvalidInput));
    assert_eq!(create("a b", "s"), Err(ErrorKind::InvalidInput));
    assert_eq!(create("a\u{3000}b", "s"), Err(ErrorKind::InvalidInput));
    assert_eq!(create("a+b", "s"), Err(ErrorKind::InvalidInput));
    assert_eq!(create("o", ""), Err(ErrorKind::InvalidInput));
    assert_eq!(create(&"o".repeat(256), "s"), Err(ErrorKind::TooLarge));
    assert_eq!(create(&"o".repeat(255), &"s".repeat(255)), Ok(()));
}

#[test]
fn what_is_no_ledger_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let kind = |path: std::path::PathBuf| LogView::open(Arc::new(DiskFiles::new(path))).unwrap_err().kind();
    assert_eq!(kind(directory.path().join("absent")), ErrorKind::NotALedger);
    assert_eq!(kind(directory.path().to_owned()), ErrorKind::NotALedger);
    let file = directory.path().join("file");
    std::fs::write(&file, b"x").unwrap();
    assert_eq!(kind(file), ErrorKind::NotALedger);
}

#[test]
fn a_newer_format_is_told_from_damage() {
    let files = new_ledger();
    let mut bytes = read(&files, "ledger");
    bytes[8] = 2;
    write(&files, "ledger", &bytes);
    assert_eq!(LogView::open(Arc::clone(&files)).unwrap_err().kind(), ErrorKind::Damaged, "the checksum fails");
    let end = bytes.len() - 4;
    let sum = crc32c::crc32c(&bytes[..end]);
    bytes[end..].copy_from_slice(&sum.to_le_bytes());
    write(&files, "ledger", &bytes);
    assert_eq!(LogView::open(files).unwrap_err().kind(), ErrorKind::WrongFormat);
}

#[test]
fn one_writer_at_a_time() {
    let files = new_ledger();
    let log = open(&files, options());
    let second = Log::open(Arc::clone(&files), options(), &random).unwrap_err();
    assert_eq!(second.kind(), ErrorKind::Locked);
    assert!(second.hint().is_some());
    drop(log);
    drop(open(&files, options()));
    files.remove("lock").unwrap();
    assert_eq!(Log::open(files, options(), &random).unwrap_err().kind(), ErrorKind::Damaged);
}

#[test]
fn appends_are_found_where_they_say() {
    let files = new_ledger();
    let mut log = open(&files, options());
    let all = records(0..7);
    let first = log.append(&all[..3]).unwrap();
    let second = log.append(&all[3..]).unwrap();
    assert_eq!((first.first, second.first), (Position(0), Position(3)));
    assert_eq!(second.head, head_of(&all));
    assert_eq!(log.head(), second.head);
    assert_eq!(log.last_recorded_at(), all[6].recorded_at());
    let places = first.locations.iter().chain(&second.locations);
    let hashes = first.hashes.iter().chain(&second.hashes);
    for (position, ((record, place), hash)) in (0..).zip(all.iter().zip(places).zip(hashes)) {
        let frame = log.segments().frame(*place, Position(position)).unwrap();
        assert_eq!(&frame.bytes()[..], record.bytes());
        assert_eq!(frame.hash(Position(position)), *hash);
        // A location is of one position and one batch only.
        assert_eq!(log.segments().frame(*place, Position(position + 1)).unwrap_err().kind(), ErrorKind::Damaged);
    }
}

#[test]
fn long_records_are_read_whole() {
    let files = new_ledger();
    let mut log = open(&files, options());
    let all: Vec<_> =
        [700, 760, 5_000, 300_000, 1_000_000].into_iter().enumerate().map(|(n, len)| record(n as u64, len)).collect();
    let written = log.append(&all).unwrap();
    for (position, (record, place)) in (0..).zip(all.iter().zip(&written.locations)) {
        assert_eq!(&log.segments().frame(*place, Position(position)).unwrap().bytes()[..], record.bytes());
    }
    let walked = walk(log.segments(), written.head).unwrap();
    assert!(walked.iter().zip(&all).all(|(walked, record)| walked.frame.bytes()[..] == *record.bytes()));
    assert_eq!(walked.len(), all.len());
}

#[test]
fn a_closed_log_goes_on_where_it_ended() {
    let files = ledger(&[2, 3], options());
    let (mut log, recovered) = Log::open(Arc::clone(&files), options(), &random).unwrap();
    assert_eq!(recovered, Default::default());
    assert_eq!(log.head(), head_of(&records(0..5)));
    log.append(&records(5..6)).unwrap();
    log.close().unwrap();
    let report = sound(&files);
    assert_eq!(report.head, head_of(&records(0..6)));
    assert_eq!(report.notes, []);
}

#[test]
fn a_dropped_log_loses_nothing() {
    let files = new_ledger();
    for n in 0..5 {
        let (mut log, recovered) = Log::open(Arc::clone(&files), options(), &random).unwrap();
        assert_eq!(recovered, Default::default());
        assert_eq!(log.head(), head_of(&records(0..n)));
        log.append(&records(n..n + 1)).unwrap();
    }
    sound(&files);
}

#[test]
fn closing_gives_reserved_space_back() {
    let files = new_ledger();
    let mut log = open(&files, options());
    log.append(&records(0..1)).unwrap();
    assert_eq!(read(&files, "log/0").len(), 4096 + (1 << 20), "space is reserved in steps");
    let end = log.next().offset;
    log.close().unwrap();
    assert_eq!(read(&files, "log/0").len() as u64, end);
}

#[test]
fn segments_follow_one_another() {
    let files = new_ledger();
    let mut log = open(&files, small_segments());
    let mut next = 0;
    while log.next().segment < 4 {
        log.append(&records(next..next + 2)).unwrap();
        next += 2;
        if next == 6 {
            // The digest of a segment that another writer started is read from its file.
            log.close().unwrap();
            log = open(&files, small_segments());
        }
    }
    let head = log.head();
    assert_eq!(head, head_of(&records(0..next)));
    for number in 0..4 {
        assert!(read(&files, &format!("log/{number}")).len() <= 4096 + 900, "a full segment is trimmed");
    }
    let walked = walk(log.segments(), head).unwrap();
    assert_eq!(walked.len() as u64, next);
    assert!(walked.iter().zip(0..).all(|(walked, n)| walked.position == Position(n) && walked.first_in_batch == (n % 2 == 0)));
    log.close().unwrap();
    assert_eq!(sound(&files).head, head);
    assert_eq!(open(&files, small_segments()).head(), head);
}

#[test]
fn a_batch_larger_than_a_segment_gets_its_own() {
    let files = new_ledger();
    let mut log = open(&files, small_segments());
    log.append(&records(0..1)).unwrap();
    log.append(&[record(1, 9_000)]).unwrap();
    assert_eq!(log.next().segment, 1);
    log.append(&[record(2, 9_000)]).unwrap();
    assert_eq!(log.next().segment, 2);
    log.append(&records(3..4)).unwrap();
    assert_eq!(log.next().segment, 3);
    log.close().unwrap();
    sound(&files);
}

#[test]
fn what_cannot_be_appended_is_refused_and_harms_nothing() {
    let files = new_ledger();
    let mut log = open(&files, options());
    log.append(&records(0..3)).unwrap();
    assert_eq!(log.append(&[]).unwrap_err().kind(), ErrorKind::InvalidInput);
    let earlier = records(1..2);
    let error = log.append(&earlier).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.ids(), [earlier[0].id()]);
    let large: Vec<_> = (3..3 + BATCH_BYTES_MAX as u64 / 1_000_000 + 1).map(|n| record(n, 1_000_000)).collect();
    assert_eq!(log.append(&large).unwrap_err().kind(), ErrorKind::TooLarge);
    log.append(&large[1..]).unwrap();
    assert!(!log.is_poisoned());
    let too_large = LogOptions { segment_bytes: (1 << 30) + 1, strict: false };
    assert_eq!(Log::open(files, too_large, &random).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_disk_holds_what_a_memory_holds() {
    let directory = tempfile::tempdir().unwrap();
    let files: Arc<dyn Files> = Arc::new(DiskFiles::new(directory.path().join("deep/ledger")));
    Log::create(&files, &identity(), &random).unwrap();
    let mut log = open(&files, LogOptions { strict: true, ..small_segments() });
    for n in 0..9 {
        log.append(&records(n..n + 1)).unwrap();
        if n == 4 {
            log.idle().unwrap();
        }
    }
    log.close().unwrap();
    let memory = ledger(&[1; 9], small_segments());
    for number in 0..3 {
        let path = format!("log/{number}");
        assert_eq!(read(&files, &path), read(&memory, &path));
    }
    assert_eq!(sound(&files).head, sound(&memory).head);
}

#[test]
fn reserving_ahead_changes_no_record() {
    let files = new_ledger();
    let mut log = open(&files, options());
    log.reserve_batch(10, 5 << 20).unwrap();
    let reserved = files.open("log/0", Open::Read).unwrap().len().unwrap();
    assert!(reserved > 4096 + (5 << 20), "{reserved}");
    // What goes into the next segment needs no room in this one.
    log.append(&records(0..1)).unwrap();
    log.reserve_batch(1, 1 << 40).unwrap();
    assert_eq!(files.open("log/0", Open::Read).unwrap().len().unwrap(), reserved);
    log.close().unwrap();
    assert_eq!(everything(&files), everything(&ledger(&[1], options())));
}

#[test]
fn a_walk_may_start_at_any_batch() {
    let files = ledger(&[1, 2, 1, 3, 2, 1], small_segments());
    let view = LogView::open(files).unwrap();
    let mut walk = view.segments().walk(Segments::start(), view.head().size);
    let mut starts = Vec::new();
    let mut all = Vec::new();
    while let Some(walked) = walk.next() {
        let walked = walked.unwrap();
        if walked.first_in_batch {
            starts.push(walk.batch());
        }
        all.push(walked.frame);
    }
    assert_eq!(walk.after(), view.end().next);
    assert_eq!(starts.iter().map(|start| start.position).collect::<Vec<_>>(), [0, 1, 3, 4, 7, 9]);
    for start in starts {
        let rest: Vec<_> = view.segments().walk(start, view.head().size).map(|walked| walked.unwrap().frame).collect();
        assert_eq!(rest, all[start.position as usize..]);
    }
    assert_eq!(view.segments().walk(Segments::start(), Size(4)).count(), 4);
}

#[test]
fn records_are_read_whole_wherever_they_fall() {
    let files = new_ledger();
    let mut log = open(&files, options());
    // Lengths that put the ends of bodies and commitments at the edges of what is read at once.
    let all: Vec<_> = (0..900u64)
        .map(|n| match n % 2 {
            0 => private_record(n, 600 + (n as usize * 7) % 300),
            _ => record(n, (n as usize * 13) % 2_000),
        })
        .collect();
    let mut places = Vec::new();
    for batch in all.chunks(90) {
        places.extend(log.append(batch).unwrap().locations);
    }
    let walked = walk(log.segments(), log.head()).unwrap();
    assert_eq!(walked.len(), all.len());
    for ((walked, record), place) in walked.iter().zip(&all).zip(&places) {
        assert_eq!((&walked.frame.bytes()[..], walked.location), (record.bytes(), *place));
        let frame = log.segments().frame(*place, walked.position).unwrap();
        assert_eq!(&frame.bytes()[..], record.bytes());
    }
}
