//! Following: the past, then what comes, in the writer's process and beside it.

use crate::loan::{DAY, Loan, ORIGIN, in_memory, opened, repaid};
use sovang::{Event, Ledger, Position, Query, Size};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Longer than any of these tests takes: a deadline that only a defect reaches.
const LONG: Duration = Duration::from_secs(30);
const NOW: Duration = Duration::ZERO;

fn follow_while_recording(of: &Ledger<Loan>, tail: sovang::Follow<Loan>) {
    let (records, loans) = (400i64, 4i64);
    let stopper = tail.stopper();
    let (seen, all_seen) = mpsc::channel();
    thread::scope(|scope| {
        let follower = scope.spawn(move || {
            let mut cents = Vec::new();
            for record in tail {
                let record = record.unwrap();
                let Loan::Repaid { loan, cents: c } = record.event else { panic!("{:?}", record.event) };
                assert_eq!(loan, "L-1");
                cents.push(c);
                seen.send(record.position.next()).unwrap();
            }
            cents
        });
        let desk = of.by("teller:1");
        for n in 0..records {
            desk.submit(repaid(&format!("L-{}", n % loans), n).on(DAY)).map(drop).unwrap();
        }
        let last = desk.record(repaid("L-1", records).on(DAY)).unwrap();
        while all_seen.recv_timeout(LONG).expect("the follower sees every record") < last.size() {}
        stopper.stop();
        let expected: Vec<i64> = (0..records).filter(|n| n % loans == 1).chain([records]).collect();
        assert_eq!(follower.join().unwrap(), expected, "no gap, no repetition, in order");
    });
}

#[test]
fn a_thread_follows_without_a_seam() {
    let ledger = in_memory();
    ledger.by("teller:1").record(repaid("L-1", -1).on(DAY)).unwrap();
    let tail = ledger.read(Query::tag("loan", "L-1")).from(Size(1)).follow();
    follow_while_recording(&ledger, tail);
}

#[test]
fn another_handle_on_the_files_follows_as_well() {
    let home = tempfile::tempdir().unwrap();
    let ledger = sovang::Options::new().segment_bytes(8192).create::<Loan>(home.path().join("book"), ORIGIN).unwrap();
    let reader = Ledger::<Loan>::open_read_only(home.path().join("book")).unwrap();
    follow_while_recording(&ledger, reader.read(Query::tag("loan", "L-1")).follow());
    assert_eq!(reader.refresh().unwrap(), ledger.head());
    assert_eq!(reader.verify().unwrap(), ledger.head());
}

#[test]
fn a_polling_loop_takes_what_is_there_and_goes_on_later() {
    let ledger = in_memory();
    let desk = ledger.by("teller:1");
    desk.record_all([opened("L-1", 1).on(DAY), opened("L-2", 2).on(DAY), opened("L-1", 3).on(DAY)]).unwrap();
    let mut tail = ledger.read(Query::tag("loan", "L-1")).follow();
    let mut next = |timeout| tail.next_timeout(timeout).map(|record| record.unwrap().position);
    assert_eq!(next(LONG), Some(Position(0)));
    assert_eq!(next(Duration::MAX), Some(Position(2)));
    assert_eq!(next(NOW), None);
    desk.record(opened("L-2", 4).on(DAY)).unwrap();
    assert_eq!(next(NOW), None);
    desk.record(opened("L-1", 5).on(DAY)).unwrap();
    assert_eq!(next(LONG), Some(Position(4)));

    let stopper = tail.stopper();
    desk.record(opened("L-1", 6).on(DAY)).unwrap();
    stopper.stop();
    assert!(tail.next_timeout(LONG).is_none() && tail.next().is_none(), "a stopped follower stays so");
}

#[test]
fn a_stopper_ends_the_loop_between_two_records() {
    let ledger = in_memory();
    ledger.by("teller:1").record_all((0..100).map(|n| opened("L-1", n).on(DAY))).unwrap();
    let tail = ledger.read(Query::all()).follow();
    let stopper = tail.stopper();
    let mut seen = 0;
    for record in tail {
        record.unwrap();
        seen += 1;
        if seen == 3 {
            stopper.stop();
        }
    }
    assert_eq!(seen, 3);
}

#[test]
fn of_what_has_stopped_growing_nothing_comes() {
    let ledger = in_memory();
    let desk = ledger.by("teller:1");
    desk.record_all((0..3).map(|n| opened("L-1", n).on(DAY))).unwrap();
    let then = ledger.as_of(Size(2)).unwrap();
    assert_eq!(then.read(Query::all()).follow().count(), 2);
}
