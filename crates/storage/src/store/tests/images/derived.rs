//! Indexes and snapshots are never ahead of the log, whatever a power loss leaves of all three, and never change an answer.

use super::judge::seeded;
use super::known::{Item, submission};
use super::*;

/// Records of the ledger: enough for a file of the index.
const RECORDS: u64 = 300;
const SNAPSHOT: &str = "snapshots/one";

/// The size that a file of the index says it goes to, by its name (docs/FORMAT.md §6).
fn end_of(path: &str) -> Option<u64> {
    path.strip_prefix("index/")?.strip_suffix(".run")?.split_once('-')?.1.parse().ok()
}

#[test]
fn indexes_and_snapshots_are_never_ahead_of_the_log() {
    let files = SimFiles::new();
    let store = Store::create(Arc::new(files.clone()), identity(), seeded(LARGE, 1)).unwrap();
    store.queue.rest_after(Duration::from_secs(3_600));
    let items: Vec<Item> = (1..=RECORDS).map(Item::Plain).collect();
    // All but the last batch is there from the start; each mark is a size that was answered.
    let mut answered = 0;
    for batch in items.chunks(50) {
        files.record(answered >= RECORDS - 50);
        answered = append(&store, submission(batch, 0)).unwrap().size.0;
        files.mark(answered);
        if answered == RECORDS {
            store.put_blob(SNAPSHOT, &answered.to_le_bytes()).unwrap();
        }
    }
    store.close().unwrap();
    let (mut images, mut with_index, mut with_snapshot) = (0, 0, 0);
    let mut seen = std::collections::HashSet::new();
    for (n, snapshot) in (0..).zip(files.take_snapshots()) {
        for crash in snapshot.disk.crashes(40 * scale(), n) {
            images += 1;
            if !seen.insert((crash.image.clone(), snapshot.mark)) {
                continue;
            }
            let files = SimFiles::from_image(&crash.image);
            let when = || format!("power lost after {} with [{crash}]", snapshot.done);
            let left: Arc<dyn Files> = Arc::new(files.clone());
            let report = crate::store::verify(&left, &mut |_, _| {}).unwrap_or_else(|e| panic!("{e} :: {}", when()));
            assert!(report.findings.is_empty(), "{:?} :: {}", report.findings, when());
            let store = Store::open(Arc::new(files), seeded(LARGE, 2), None).unwrap_or_else(|e| panic!("{e} :: {}", when()));
            let size = store.view().head().size.0;
            assert!(size >= snapshot.mark, "{size} records of {} :: {}", snapshot.mark, when());
            let ends: Vec<u64> = crash.image.files.keys().filter_map(|path| end_of(path)).collect();
            assert!(ends.iter().all(|end| *end <= size), "an index of {ends:?} records, the log has {size} :: {}", when());
            with_index += u64::from(!ends.is_empty());
            if let Some(said) = store.view().blob(SNAPSHOT).unwrap() {
                let said = u64::from_le_bytes(said.try_into().expect("a snapshot is whole or not there"));
                assert!(said <= size, "a snapshot of {said} records, the log has {size} :: {}", when());
                with_snapshot += 1;
            }
            for number in [1, 49, 50, 51, RECORDS - 50, RECORDS - 49, RECORDS] {
                let expected = (number <= size).then_some(Position(number - 1));
                assert_eq!(store.view().find(id(number)).unwrap(), expected, "record {number} :: {}", when());
            }
        }
    }
    println!(
        "derived files: {images} images, {} different, {with_index} with an index, {with_snapshot} with a snapshot",
        seen.len()
    );
    assert!(with_index > 0 && with_snapshot > 10, "{with_index} {with_snapshot}");
}
