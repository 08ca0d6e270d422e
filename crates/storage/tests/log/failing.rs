//! Full and failing disks.

use crate::common::*;
use sovang_core::ErrorKind;
use sovang_storage::files::Files;
use sovang_storage::log::{Log, LogOptions};
use sovang_storage::sim::{Fault, SimFiles};
use std::sync::Arc;

fn ledger_on(sim: &SimFiles) -> Arc<dyn Files> {
    let files: Arc<dyn Files> = Arc::new(sim.clone());
    Log::create(&files, &identity(), &random).unwrap();
    files
}

#[test]
fn a_full_disk_refuses_the_batch_and_nothing_else() {
    let sim = SimFiles::new();
    let files = ledger_on(&sim);
    let mut log = open(&files, small_segments());
    for n in 0..20 {
        // In the segment and at rotations alike: the step, and the exact need when the step fails.
        sim.inject(Fault::Allocate { nth: 1 });
        sim.inject(Fault::Allocate { nth: 1 });
        match log.append(&records(n..n + 1)) {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::NoSpace);
                assert_eq!(error.ids(), [records(n..n + 1)[0].id()]);
                assert!(!log.is_poisoned());
                sim.take_faults();
                log.append(&records(n..n + 1)).unwrap();
            }
            Ok(_) => assert_eq!(sim.take_faults(), 0, "no space was needed"),
        }
    }
    assert!(log.next().segment > 3);
    log.close().unwrap();
    assert_eq!(sound(&files).head, head_of(&records(0..20)));
}

#[test]
fn every_failed_sync_write_and_rename_poisons() {
    let options = LogOptions { strict: true, ..small_segments() };
    for (name, fault) in [
        ("sync", (|nth| Fault::Sync { nth, kept: 0, len_kept: false }) as fn(u64) -> Fault),
        ("write", |nth| Fault::Write { nth, sectors: 0 }),
        ("rename", |nth| Fault::Rename { nth }),
    ] {
        let mut failures = 0;
        for nth in 1.. {
            let sim = SimFiles::new();
            let files = ledger_on(&sim);
            let mut log = open(&files, options);
            log.append(&records(0..2)).unwrap();
            sim.inject(fault(nth));
            let failed = (2..8).find_map(|n| log.append(&records(n..n + 1)).err().map(|error| (n, error)));
            let Some((n, error)) = failed else { break };
            failures += 1;
            assert_eq!(error.kind(), ErrorKind::Poisoned, "{name} {nth}");
            assert_eq!(error.ids(), [records(n..n + 1)[0].id()]);
            assert!(log.is_poisoned());
            let before = everything(&files);
            for refused in [log.append(&records(n..n + 1)).map(|_| ()), log.idle(), log.reserve_batch(1, 1)] {
                assert_eq!(refused.unwrap_err().kind(), ErrorKind::Poisoned);
            }
            assert_eq!(log.close().unwrap_err().kind(), ErrorKind::Poisoned);
            assert_eq!(everything(&files), before, "a poisoned log writes nothing more");
            // Opening again reads the disk: everything acknowledged is there, the batch of unknown outcome may be.
            let log = open(&files, options);
            assert!([n, n + 1].contains(&log.head().size.0), "{name} {nth}");
            assert_eq!(log.head(), head_of(&records(0..log.head().size.0)));
        }
        assert!(failures >= 2, "{name} never failed");
    }
}

#[test]
fn an_append_costs_one_sync_and_one_write_of_the_head() {
    let sim = SimFiles::new();
    let files = ledger_on(&sim);
    let mut log = open(&files, options());
    log.append(&records(0..1)).unwrap();
    sim.take_counts();
    for n in 1..11 {
        log.append(&records(n..n + 1)).unwrap();
    }
    let counts = sim.take_counts();
    assert_eq!((counts.data_syncs, counts.syncs, counts.directory_syncs), (10, 0, 0));
    assert_eq!((counts.writes, counts.reads, counts.opens), (20, 0, 0));
    log.idle().unwrap();
    log.idle().unwrap();
    assert_eq!(sim.take_counts().data_syncs, 2, "an idle log syncs its head once, in two slots");
}

#[test]
fn a_strict_append_costs_one_more_sync() {
    let sim = SimFiles::new();
    let files = ledger_on(&sim);
    let mut log = open(&files, LogOptions { strict: true, ..options() });
    log.append(&records(0..1)).unwrap();
    sim.take_counts();
    log.append(&records(1..2)).unwrap();
    let counts = sim.take_counts();
    assert_eq!((counts.data_syncs, counts.syncs, counts.writes), (2, 0, 2));
}

#[test]
fn opening_reads_little() {
    let sim = SimFiles::new();
    let files = ledger_on(&sim);
    let mut log = open(&files, LogOptions { segment_bytes: 150_000, strict: false });
    for n in 0..40 {
        log.append(&records(n * 100..n * 100 + 100)).unwrap();
    }
    assert!(log.next().segment > 2);
    drop(log);
    sim.take_counts();
    let view = sovang_storage::log::LogView::open(Arc::clone(&files)).unwrap();
    let counts = sim.take_counts();
    assert_eq!(view.head().size.0, 4000);
    assert!(counts.bytes_read < 200_000 && counts.reads < 25, "{counts:?}");
    assert_eq!((counts.writes, counts.syncs + counts.data_syncs + counts.directory_syncs), (0, 0), "readers write nothing");
    view.refresh().unwrap();
    let counts = sim.take_counts();
    assert_eq!((counts.reads, counts.opens, counts.lists), (1, 1, 0), "{counts:?}");
}
