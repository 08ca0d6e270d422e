//! The test kit that embedders get.

use crate::loan::{DAY, Loan, Move, ORIGIN, at, play};
use sovang::testing::{ManualClock, SeededIds, assert_schema_locked, ledger};
use sovang::{CodecError, Decoder, Encoder, Event, Kind, Options, Size};
use std::panic::catch_unwind;

#[test]
fn the_loan_books_schema_is_locked() {
    assert_schema_locked::<Loan>(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ledger/loan.lock"));
}

/// The loan book after a careless change: a field of another type, under the same version.
struct Careless;
impl Event for Careless {
    const SCHEMA: &'static str = Loan::SCHEMA;
    const KINDS: &'static [Kind] = &[Loan::OPENED];
    fn kind(&self) -> Kind {
        Loan::OPENED
    }
    fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        to.put(&("L-1", 5u32))
    }
    fn decode(_: u16, _: u16, from: &mut Decoder) -> Result<Self, CodecError> {
        from.take::<(String, u32)>().map(|_| Self)
    }
}

#[test]
fn a_changed_shape_and_a_missing_lock_are_told() {
    let message = |of: fn(&str), path: &'static str| {
        let panic = catch_unwind(|| of(path)).expect_err("an assertion fails");
        panic.downcast_ref::<String>().expect("a message").clone()
    };
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ledger/loan.lock");
    let changed = message(|path| assert_schema_locked::<Careless>(path), lock);
    assert!(changed.contains("loan_opened") && changed.contains("hint:"), "{changed}");
    let missing = message(|path| assert_schema_locked::<Loan>(path), "tests/ledger/no-such.lock");
    assert!(missing.contains("loan_opened") && missing.contains("hint:"), "it gives the text to save: {missing}");
}

#[test]
fn the_same_inputs_give_the_same_root() {
    let history: Vec<Move> = (0..20u8)
        .flat_map(|n| {
            [Move::Open(n % 4, 900), Move::Repay(n % 4, i64::from(n) + 1, 2020), Move::Sign(n % 4, n), Move::Withdraw(n)]
        })
        .collect();
    let played = |seed: u64, minute: u8| {
        let options = Options::new().clock(ManualClock::at(at(DAY, 12, minute))).ids(SeededIds::new(seed));
        let ledger = options.in_memory::<Loan>(ORIGIN).unwrap();
        play(&ledger, &history);
        assert_eq!(ledger.head().size, Size(80));
        (ledger.head(), ledger.ledger_id())
    };
    for _ in 0..20 {
        assert_eq!(played(7, 0), played(7, 0), "however the writer groups what it finds waiting");
    }
    assert_ne!(played(7, 0).0.root, played(7, 1).0.root, "the time is recorded");
    assert_ne!(played(7, 0).0.root, played(8, 0).0.root, "salts are drawn");
}

#[test]
fn a_ledger_for_a_test_is_one_call() {
    let ledger = ledger::<Loan>();
    ledger.by("teller:1").record(crate::loan::opened("L-1", 5).on(DAY)).unwrap();
    assert_eq!(ledger.verify().unwrap().size, Size(1));
}
