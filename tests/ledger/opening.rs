//! Creating, opening, and what is refused there.

use crate::loan::{DAY, Loan, ORIGIN, opened};
use sovang::recognition::Recognition;
use sovang::{ErrorKind, Event, Ledger, Options, Position, Query, RawEvent, Size};

#[test]
fn one_writer_at_a_time() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("book");
    let first = Ledger::<Loan>::create(&dir, ORIGIN).unwrap();
    let second = Ledger::<Loan>::open(&dir).unwrap_err();
    assert_eq!(second.kind(), ErrorKind::Locked);
    assert!(second.is_retryable() && second.path().is_some(), "{second}");

    // Readers do not care.
    let reader = Ledger::<Loan>::open_read_only(&dir).unwrap();
    assert_eq!(reader.head(), first.head());

    let other_handle = first.clone();
    first.close().unwrap();
    let late = other_handle.by("teller:1").record(opened("L-1", 1).on(DAY)).unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Closed);
    assert_eq!(late.ids().len(), 1);
    Ledger::<Loan>::open(&dir).unwrap().close().unwrap();
}

#[test]
fn a_directory_is_a_ledger_of_one_schema_and_one_origin() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("deep").join("book");
    assert_eq!(Ledger::<Loan>::open(&dir).unwrap_err().kind(), ErrorKind::NotALedger);
    assert_eq!(Ledger::<Loan>::open_read_only(&dir).unwrap_err().kind(), ErrorKind::NotALedger);
    assert!(!dir.exists(), "a failed opening makes nothing");
    Ledger::<Loan>::create(&dir, ORIGIN).unwrap().close().unwrap();

    assert_eq!(Ledger::<Loan>::create(&dir, ORIGIN).unwrap_err().kind(), ErrorKind::NotEmpty);
    let wrong = Ledger::<Recognition>::open(&dir).unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::WrongSchema);
    assert!(wrong.to_string().contains(Loan::SCHEMA), "{wrong}");
    assert_eq!(Ledger::<Recognition>::open_read_only(&dir).unwrap_err().kind(), ErrorKind::WrongSchema);

    let stranger = home.path().join("attic");
    std::fs::create_dir(&stranger).unwrap();
    std::fs::write(stranger.join("letter.txt"), "dear all").unwrap();
    assert_eq!(Ledger::<Loan>::create(&stranger, ORIGIN).unwrap_err().kind(), ErrorKind::NotEmpty);
    assert_eq!(std::fs::read_dir(&stranger).unwrap().count(), 1, "a refused creation leaves the directory as it was");
}

#[test]
fn a_services_second_start_is_no_error() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("book");
    let first = Ledger::<Loan>::open_or_create(&dir, ORIGIN).unwrap();
    first.by("teller:1").record(opened("L-1", 500).on(DAY)).unwrap();
    let id = first.ledger_id();
    drop(first);
    let second = Ledger::<Loan>::open_or_create(&dir, ORIGIN).unwrap();
    assert_eq!((second.ledger_id(), second.head().size), (id, Size(1)));
    assert_eq!((second.origin(), second.schema()), (ORIGIN, Loan::SCHEMA));
    drop(second);
    let other = Ledger::<Loan>::open_or_create(&dir, "example.org/other").unwrap_err();
    assert_eq!(other.kind(), ErrorKind::InvalidInput);
    assert!(other.to_string().contains(ORIGIN), "{other}");
}

#[test]
fn an_origin_is_a_key_name() {
    let long = "x".repeat(256);
    for origin in ["", "a b", "a+b", "a\tb", "a\u{a0}b", "a\0b", long.as_str()] {
        let error = Options::new().in_memory::<Loan>(origin).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{origin:?}");
        assert!(error.hint().is_some());
    }
    Options::new().in_memory::<Loan>("sổ.example/vàng").unwrap();
}

#[test]
fn raw_events_are_read_and_never_written() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("book");
    assert_eq!(Ledger::<RawEvent>::create(&dir, ORIGIN).unwrap_err().kind(), ErrorKind::InvalidInput);
    let ledger = Ledger::<Loan>::create(&dir, ORIGIN).unwrap();
    ledger.by("teller:1").record(opened("L-1", 500).on(DAY)).unwrap();
    ledger.close().unwrap();
    assert_eq!(Ledger::<RawEvent>::open(&dir).unwrap_err().kind(), ErrorKind::InvalidInput);
    let raw = Ledger::<RawEvent>::open_read_only(&dir).unwrap();
    assert_eq!(raw.get(Position(0)).unwrap().event.number, Loan::OPENED.number());
    assert_eq!(raw.read(Query::kind(Loan::OPENED)).into_iter().count(), 1);
}

#[test]
fn a_ledger_in_memory_is_like_any_other() {
    let ledger = Options::new().in_memory::<Loan>(ORIGIN).unwrap();
    ledger.by("teller:1").record(opened("L-1", 500).on(DAY)).unwrap();
    assert_eq!(ledger.verify().unwrap(), ledger.head());
    assert_eq!(ledger.head().size, Size(1));
}

#[test]
fn what_was_recorded_is_there_after_a_reopening() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("book");
    let ledger = Options::new().durability(sovang::Durability::Strict).segment_bytes(1).create::<Loan>(&dir, ORIGIN).unwrap();
    let desk = ledger.by("teller:1");
    for cents in 1..40 {
        desk.record(opened("L-1", cents).on(DAY)).unwrap();
    }
    let head = ledger.head();
    drop((ledger, desk)); // the last handle closes it
    let again = Ledger::<Loan>::open(&dir).unwrap();
    assert_eq!(again.head(), head);
    assert_eq!(again.verify().unwrap(), head);
    assert_eq!(again.read(Query::tag("loan", "L-1")).into_iter().filter_map(Result::ok).count(), 39);
}
