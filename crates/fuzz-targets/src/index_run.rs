//! A run of the index, beside a sound log.

use crate::edit::{apply, edits};
use crate::fact::{Fact, prepared};
use crate::{INPUT_BYTES_MAX, image, seal};
use arbitrary::Unstructured;
use sovang_core::{Error, ErrorKind, Query, Size};
use sovang_core::{Position, Result};
use sovang_storage::files::Files;
use sovang_storage::index::{Index, IndexError, IndexOptions};
use sovang_storage::memory::MemoryFiles;
use sovang_storage::store::{Durability, Store, StoreOptions, Submission, View};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

/// The first byte of an input: the checksums of the pages are made to fit; otherwise a changed page is found out.
pub const SUMS: u8 = 1;

/// Records of the image; the index writes its file when there are more than 256.
const RECORDS: u64 = 300;
/// Tags of the image.
const TAGS: u64 = 7;

/// How stores are opened here.
#[must_use]
pub fn store_options(seed: u64) -> StoreOptions {
    let clock = AtomicI64::new(1_000_000 + i64::try_from(seed).unwrap());
    StoreOptions {
        segment_bytes: image::SEGMENT_BYTES,
        durability: Durability::Grouped,
        queue: 512,
        cache_bytes: 1 << 16,
        clock: Arc::new(move || clock.fetch_add(1, Ordering::Relaxed)),
        utc_offset_seconds: 0,
        random: Arc::new(image::randomness(seed)),
    }
}

fn base() -> MemoryFiles {
    static IMAGE: OnceLock<MemoryFiles> = OnceLock::new();
    let image = IMAGE.get_or_init(|| {
        let memory = MemoryFiles::default();
        let store = Store::create(Arc::new(memory.clone()), image::identity(), store_options(1)).unwrap();
        let of = |n: u64| Fact::A(vec![tag(n), 200], vec![0; 8]);
        let records = (0..RECORDS).map(|n| prepared(&of(n), image::id(n))).collect();
        store.submit(Submission { records, condition: None, recorded_at: None }).unwrap().wait().unwrap();
        store.close().unwrap();
        memory
    });
    image.fork()
}
fn tag(n: u64) -> u8 {
    u8::try_from(n % TAGS).unwrap()
}

/// With a run that anyone can see is damaged, every answer is the log's. With one whose checksums were forged, records are still confirmed on
/// the log: what is found is what was asked for, and nothing panics.
///
/// # Panics
/// When that does not hold.
pub fn run(bytes: &[u8]) {
    let Some((mode, rest)) = bytes.split_first().filter(|_| bytes.len() <= INPUT_BYTES_MAX) else { return };
    let mut file = sound();
    for edit in edits(&mut Unstructured::new(rest)).unwrap_or_default() {
        apply(&mut file, &edit);
    }
    check(file, mode & SUMS != 0);
}

/// The path of the run.
fn path() -> String {
    format!("index/0-{RECORDS}.run")
}
/// The bytes of a sound run.
#[must_use]
pub fn sound() -> Vec<u8> {
    image::read(&base(), &path())
}

/// As [`run`], of a run as it is to be; with `forged` its checksums are made to fit.
///
/// # Panics
/// When an assertion does not hold.
pub fn check(mut file: Vec<u8>, forged: bool) {
    let files = base();
    if forged {
        seal::run(&mut file, image::LEDGER, 0, RECORDS);
    }
    image::write(&files, &path(), &file);
    direct(&files, forged);
    let before = image::all(&files);
    through_view(&files, forged);
    assert_eq!(image::all(&files), before, "a reader writes nothing");
    through_store(&files, forged);
}

/// The index by itself: it answers rightly, or says that it is stale.
fn direct(files: &MemoryFiles, forged: bool) {
    let options = IndexOptions { cache_bytes: 1 << 16, background: false, ..IndexOptions::default() };
    let index = Index::open(Arc::new(files.clone()), image::LEDGER, options).expect("an index that is not believed is left out");
    let known = index.size();
    assert!(forged || known == Size(0) || known == Size(RECORDS));
    if known == Size(0) {
        return;
    }
    for n in (0..RECORDS).step_by(37) {
        let found = index.find(image::id(n));
        let positions =
            index.positions(&Fact::key(tag(n)), 0..known.0).and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>);
        let place = index.location(Position(n)).map(|_| ()).and_then(|()| index.batch_start(Position(n)).map(|_| ()));
        let leaf = |_| -> Result<_> { Err(Error::new(ErrorKind::NotFound, "no leaf")) };
        let _ = index.root_at(known, &leaf);
        if forged {
            continue;
        }
        match found {
            Ok(found) => assert!(found.contains(&Position(n)), "a miss from a run that was believed"),
            Err(error) => assert!(matches!(error, IndexError::Stale { .. }), "{error}"),
        }
        if let Ok(positions) = positions {
            let expected: Vec<_> = (0..RECORDS).filter(|m| tag(*m) == tag(n)).map(Position).collect();
            assert_eq!(positions, expected);
        }
        assert!(place.is_ok() || matches!(place, Err(IndexError::Stale { .. })));
    }
    assert!(index.find(image::id(RECORDS)).is_ok_and(|found| found.is_empty()) || forged || known == Size(RECORDS));
}

fn through_view(files: &MemoryFiles, forged: bool) {
    let view = View::open(Arc::new(files.clone()), None, &store_options(2)).expect("the log is sound");
    assert_eq!(view.head().size, Size(RECORDS));
    ask(&view, forged);
    let report = view.verify(&mut |_, _| {}).expect("verifying works");
    assert!(report.findings.iter().all(|finding| !finding.in_log), "the log is sound: {:?}", report.findings);
}

fn ask(view: &View, forged: bool) {
    for n in (0..RECORDS).step_by(61) {
        match view.find(image::id(n)) {
            Ok(found) => assert!(found == Some(Position(n)) || (forged && found.is_none())),
            Err(error) => assert!(forged, "{error}"),
        }
        let query = Query::tag("t", tag(n).to_string());
        let selected: Result<Vec<u64>> = view.select(&query, 0..u64::MAX, n % 2 == 1).map(|r| r.map(|(p, _)| p.0)).collect();
        let mut expected: Vec<u64> = (0..RECORDS).filter(|m| tag(*m) == tag(n)).collect();
        match selected {
            Ok(mut selected) => {
                selected.sort_unstable();
                expected.retain(|p| !forged || selected.contains(p));
                assert_eq!(selected, expected, "what is found is what was asked for");
            }
            Err(error) => assert!(forged, "{error}"),
        }
    }
    match view.find(image::id(RECORDS)) {
        Ok(found) => assert_eq!(found, None),
        Err(error) => assert!(forged, "{error}"),
    }
}

fn through_store(files: &MemoryFiles, forged: bool) {
    let opened = Store::open(Arc::new(files.clone()) as Arc<dyn Files>, store_options(3), None);
    let Ok(store) = opened else {
        assert!(forged, "{:?}", opened.err());
        return;
    };
    ask(store.view(), forged);
    let one =
        Submission { records: vec![prepared(&Fact::B(vec![3], vec![]), image::id(RECORDS))], condition: None, recorded_at: None };
    let done = store.submit(one).and_then(sovang_storage::store::Ticket::wait);
    match done {
        Ok(done) => assert_eq!(done.records[0].position, Position(RECORDS)),
        Err(error) => assert!(forged, "{error}"),
    }
    let closed = store.close();
    assert!(forged || closed.is_ok(), "{closed:?}");
}
