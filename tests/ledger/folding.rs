//! Folds: the same bytes whichever way, with corrections and retractions; snapshots; live views.

use crate::loan::{
    Balance, DAY, Loan, ORIGIN, RepaidByYear, corrected, fixed, in_memory, moves, opened, play, repaid, signed, withdrawn,
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use sovang::{ErrorKind, Event, Ledger, Merge, Personal, Projection, Query, Recorded, Size, Stored, date};
use std::collections::BTreeMap;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);

fn bytes<P: Serialize>(state: &P) -> Vec<u8> {
    serde_json::to_vec(state).unwrap()
}

#[test]
fn corrections_are_the_engines() {
    let ledger = in_memory();
    let desk = ledger.by("teller:1");
    let first = desk.record(repaid("L-1", 10).on(date(2020, 1, 1))).unwrap();
    let second = desk.record(repaid("L-1", 5).on(date(2021, 1, 1))).unwrap();
    desk.record(corrected(&first, date(2021, 6, 1), repaid("L-2", 11)).on(DAY)).unwrap();
    desk.record(withdrawn(&second).on(DAY)).unwrap();
    desk.record(corrected(&second, date(2022, 1, 1), repaid("L-1", 7)).on(DAY)).unwrap(); // it stays withdrawn
    let years = |size: u64| ledger.as_of(Size(size)).unwrap().fold(RepaidByYear::default()).unwrap().cents.clone();
    assert_eq!(years(2), BTreeMap::from([(2020, 10), (2021, 5)]));
    assert_eq!(years(3), BTreeMap::from([(2020, 0), (2021, 16)]));
    assert_eq!(years(4), BTreeMap::from([(2020, 0), (2021, 11)]));
    assert_eq!(years(5), years(4));
    let balances = ledger.fold((Balance::of("L-1"), Balance::of("L-2"))).unwrap();
    assert_eq!((balances.0.cents, balances.1.cents), (0, -11), "each half of a tuple sees its own");
    assert_eq!(balances.head, ledger.head());
}

#[test]
fn a_fold_reads_people_sealed() {
    struct Sealed(usize);
    impl Projection<Loan> for Sealed {
        fn query(&self) -> Query {
            Query::kind(Loan::SIGNED)
        }
        fn apply(&mut self, record: &Recorded<Loan>) {
            for effect in record.effects() {
                let Loan::Signed { borrower, .. } = effect.event else { panic!("{:?}", effect.event) };
                assert_eq!(*borrower, Personal::Sealed);
                self.0 += 1;
            }
        }
    }
    let ledger = in_memory();
    let desk = ledger.by("teller:1");
    let first = desk.record(signed("L-1", 1).on(DAY)).unwrap();
    desk.record(corrected(&first, DAY, signed("L-1", 2)).on(DAY)).unwrap();
    assert_eq!(ledger.fold(Sealed(0)).unwrap().0, 3);
    assert_eq!(ledger.get(first.position).unwrap().event, signed("L-1", 1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_way_of_folding_gives_the_same_bytes(moves in moves(48), cut in 0.0f64..1.0, threads in 1usize..5) {
        let home = tempfile::tempdir().unwrap();
        let options = fixed().0.segment_bytes(4096);
        let ledger = options.create::<Loan>(home.path().join("book"), ORIGIN).unwrap();
        #[expect(clippy::float_arithmetic, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a test's share")]
        let middle = (moves.len() as f64 * cut) as usize;
        let live = ledger.live(RepaidByYear::default()).unwrap();
        play(&ledger, &moves[..middle]);
        let earlier = ledger.head();
        let then = bytes(&*ledger.fold(RepaidByYear::default()).unwrap());
        let kept = ledger.project(RepaidByYear::default()).unwrap(); // saves
        prop_assert_eq!(bytes(&*kept), then.clone());
        play(&ledger, &moves[middle..]);

        let now = ledger.fold(RepaidByYear::default()).unwrap();
        let want = bytes(&*now);
        prop_assert_eq!(now.head, ledger.head());
        prop_assert_eq!(bytes(&*ledger.fold_parallel(RepaidByYear::default, threads).unwrap()), want.clone());
        let reader = Ledger::<Loan>::open_read_only(home.path().join("book")).unwrap();
        prop_assert_eq!(bytes(&*reader.project(RepaidByYear::default()).unwrap()), want.clone());
        prop_assert_eq!(bytes(&*ledger.project(RepaidByYear::default()).unwrap()), want.clone());
        live.wait_for(ledger.head().size, LONG).unwrap();
        live.read(|view| -> Result<(), TestCaseError> {
            prop_assert_eq!(view.head, ledger.head());
            prop_assert_eq!(bytes(&**view), want.clone());
            Ok(())
        })?;

        // A snapshot of now breaks no look at then.
        let past = ledger.as_of(earlier.size).unwrap();
        prop_assert_eq!(past.head(), earlier);
        prop_assert_eq!(bytes(&*past.fold(RepaidByYear::default()).unwrap()), then.clone());
        prop_assert_eq!(bytes(&*past.project(RepaidByYear::default()).unwrap()), then.clone());
        prop_assert_eq!(bytes(&*past.fold_parallel(RepaidByYear::default, threads).unwrap()), then.clone());
        let stopped = past.live(RepaidByYear::default()).unwrap();
        stopped.wait_for(earlier.size, LONG).unwrap();
        prop_assert_eq!(stopped.read(|view| bytes(&**view)), then);
        let findings = ledger.audit().unwrap().findings;
        prop_assert!(findings.is_empty(), "{:?}", findings);
    }
}

/// The same figures by the same name, after a change of heart.
#[derive(Default, Clone, Serialize, Deserialize)]
struct Doubled {
    cents: BTreeMap<i32, i128>,
}
impl Projection<Loan> for Doubled {
    fn apply(&mut self, record: &Recorded<Loan>) {
        if let Loan::Repaid { cents, .. } = record.event {
            *self.cents.entry(record.occurred_on.year()).or_default() += 2 * i128::from(cents);
        }
    }
}
impl Stored<Loan> for Doubled {
    const NAME: &'static str = RepaidByYear::NAME;
    const REVISION: u32 = RepaidByYear::REVISION + 1;
}

/// A state of another layout under a revision that is taken.
#[derive(Default, Debug, Serialize, Deserialize)]
struct Careless {
    text: String,
}
impl Projection<Loan> for Careless {
    fn apply(&mut self, _: &Recorded<Loan>) {}
}
impl Stored<Loan> for Careless {
    const NAME: &'static str = RepaidByYear::NAME;
    const REVISION: u32 = RepaidByYear::REVISION;
}

#[test]
fn a_snapshot_that_does_not_fit_is_never_used() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("book");
    let ledger = fixed().0.create::<Loan>(&dir, ORIGIN).unwrap();
    let desk = ledger.by("teller:1");
    desk.record(repaid("L-1", 10).on(DAY)).unwrap();
    let want = ledger.project(RepaidByYear::default()).unwrap().cents.clone();
    let file = dir.join("snapshots").join(RepaidByYear::NAME);
    let good = std::fs::read(&file).unwrap();

    // Another revision replaces it, and the first one then replaces that.
    assert_eq!(ledger.project(Doubled::default()).unwrap().cents[&2024], 20);
    assert_ne!(std::fs::read(&file).unwrap(), good);
    assert_eq!(ledger.project(RepaidByYear::default()).unwrap().cents, want);
    assert_eq!(std::fs::read(&file).unwrap(), good);
    // A layout that changed without a revision is a programming error, and said to be one.
    let error = ledger.project(Careless::default()).unwrap_err();
    assert!(error.hint().is_some_and(|hint| hint.contains("REVISION")), "{error}");

    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for garbage in [flipped, good[..good.len() / 2].to_vec(), Vec::new(), b"no snapshot at all".to_vec()] {
        std::fs::write(&file, &garbage).unwrap();
        let audit = ledger.audit().unwrap();
        assert!(audit.findings.len() == 1 && !audit.findings[0].in_log, "{:?}", audit.findings);
        assert_eq!(ledger.verify().unwrap_err().kind(), ErrorKind::Damaged);
        assert_eq!(ledger.project(RepaidByYear::default()).unwrap().cents, want);
        assert_eq!(std::fs::read(&file).unwrap(), good, "rebuilt");
        ledger.verify().unwrap();
    }

    // Of another ledger with the same records, and of a longer log than this.
    let other = sovang::Options::new().create::<Loan>(home.path().join("other"), ORIGIN).unwrap();
    other.by("teller:1").record_all([repaid("L-1", 1).on(DAY), repaid("L-1", 2).on(DAY)]).unwrap();
    other.project(RepaidByYear::default()).unwrap();
    std::fs::copy(home.path().join("other/snapshots").join(RepaidByYear::NAME), &file).unwrap();
    ledger.verify().unwrap();
    assert_eq!(ledger.project(RepaidByYear::default()).unwrap().cents, want);
}

#[test]
fn a_reader_uses_a_snapshot_and_writes_none() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("book");
    let ledger = fixed().0.create::<Loan>(&dir, ORIGIN).unwrap();
    let desk = ledger.by("teller:1");
    desk.record(repaid("L-1", 10).on(DAY)).unwrap();
    let reader = Ledger::<Loan>::open_read_only(&dir).unwrap();
    assert_eq!(reader.project(RepaidByYear::default()).unwrap().cents[&2024], 10);
    let file = dir.join("snapshots").join(RepaidByYear::NAME);
    assert!(!file.exists());
    ledger.project(RepaidByYear::default()).unwrap();
    let saved = std::fs::read(&file).unwrap();
    desk.record(repaid("L-1", 5).on(DAY)).unwrap();
    let begun = reader.live(RepaidByYear::default()).unwrap().read(|view| view.head.size);
    assert!(begun >= Size(1), "begun with the snapshot");
    assert_eq!(reader.project(RepaidByYear::default()).unwrap().cents[&2024], 15);
    assert_eq!(std::fs::read(&file).unwrap(), saved);

    // The writer's view saves what it has when it ends, unless the ledger is closed by then.
    let live = ledger.live(RepaidByYear::default()).unwrap();
    live.wait_for(ledger.head().size, LONG).unwrap();
    drop(live);
    assert_ne!(std::fs::read(&file).unwrap(), saved);
    let other_handle = ledger.clone();
    let saved = std::fs::read(&file).unwrap();
    desk.record(repaid("L-1", 1).on(DAY)).unwrap();
    ledger.close().unwrap();
    assert_eq!(other_handle.project(RepaidByYear::default()).unwrap().cents[&2024], 16, "read, and left alone");
    assert_eq!(std::fs::read(&file).unwrap(), saved);
    drop((other_handle, desk));
    let ledger = Ledger::<Loan>::open(&dir).unwrap();
    let live = ledger.live(RepaidByYear::default()).unwrap();
    drop(ledger);
    Ledger::<Loan>::open(&dir).expect("a live view does not keep the ledger open");
    drop(live);
}

/// Cannot bear a loan of 13.
#[derive(Default, Debug, Serialize, Deserialize)]
struct Superstitious {
    seen: u32,
}
impl Projection<Loan> for Superstitious {
    fn apply(&mut self, record: &Recorded<Loan>) {
        assert!(record.event != opened("L-1", 13), "thirteen");
        self.seen += 1;
    }
}
impl Stored<Loan> for Superstitious {
    const NAME: &'static str = "superstitious";
    const REVISION: u32 = 1;
}

#[test]
fn a_failing_view_says_so_and_holds_up_nobody() {
    let ledger = in_memory();
    let desk = ledger.by("teller:1");
    let live = ledger.live(Superstitious::default()).unwrap();
    let first = desk.record(opened("L-1", 12).on(DAY)).unwrap();
    live.wait_for(first.size(), LONG).unwrap();
    assert_eq!(live.wait_for(Size(9), Duration::ZERO).unwrap_err().kind(), ErrorKind::TimedOut);
    let bad = desk.record(opened("L-1", 13).on(DAY)).unwrap();
    let error = live.wait_for(bad.size(), LONG).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
    live.wait_for(first.size(), LONG).unwrap();
    live.read(|view| assert_eq!((view.seen, view.head.size), (1, first.size())));
    desk.record(opened("L-1", 14).on(DAY)).unwrap();
    assert_eq!(ledger.head().size, Size(3));
}

#[test]
fn an_empty_ledger_folds_to_nothing() {
    let ledger = in_memory();
    let (fold, parallel) =
        (ledger.fold(RepaidByYear::default()).unwrap(), ledger.fold_parallel(RepaidByYear::default, 8).unwrap());
    assert_eq!((&*fold, fold.head), (&RepaidByYear::default(), ledger.head()));
    assert_eq!(parallel, fold);
    let live = ledger.live(RepaidByYear::default()).unwrap();
    live.wait_for(Size::ZERO, Duration::ZERO).unwrap();
    fn merges<P: Merge<Loan>>(_: &P) {}
    merges(&(RepaidByYear::default(), ()));
}
