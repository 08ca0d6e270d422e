//! What a ledger records about itself.

use crate::loan::{DAY, Loan, in_memory, opened};
use sovang::{ErrorKind, Event, Historic, Ledger, LedgerEvent, Position, Query, RawEvent, Size, limits};

fn event(ledger: &Ledger<Loan>, position: Position) -> LedgerEvent {
    match ledger.history(Size(position.0)).unwrap().next().unwrap().unwrap() {
        Historic::Ledger(record) => record.event,
        Historic::Event(record) => panic!("{record:?}"),
    }
}

#[test]
fn keys_anchors_and_statements_are_recorded_and_read_back() {
    let ledger = in_memory();
    let desk = ledger.by("dpo");
    desk.record(opened("L-1", 5).on(DAY)).unwrap();
    let first = desk.rotate_key(None, "a+01234567+AQ==").unwrap();
    let second = desk.rotate_key(Some("a+01234567+AQ=="), "a+89abcdef+AQ==").unwrap();
    let anchored = desk.anchor(LedgerEvent::ANCHOR_CHECKPOINT, "o\n1\nx\n\n— w y\n", "our own").unwrap();
    let issued = desk.record_statement([7; 32], "sovang statement v1\n").unwrap();
    assert_eq!((first.position, issued.position, ledger.head().size), (Position(1), Position(4), Size(5)));
    assert_eq!(event(&ledger, first.position), LedgerEvent::KeyRotated { old: None, new: "a+01234567+AQ==".into() });
    assert_eq!(
        event(&ledger, second.position),
        LedgerEvent::KeyRotated { old: Some("a+01234567+AQ==".into()), new: "a+89abcdef+AQ==".into() }
    );
    assert_eq!(
        event(&ledger, anchored.position),
        LedgerEvent::TimeAnchored { what: "checkpoint".into(), text: "o\n1\nx\n\n— w y\n".into(), source: "our own".into() }
    );
    assert_eq!(
        event(&ledger, issued.position),
        LedgerEvent::StatementIssued { digest: [7; 32], text: "sovang statement v1\n".into() }
    );
    // Typed reads pass over them; the tree does not.
    assert_eq!(ledger.read(Query::all()).into_iter().count(), 1);
    assert_eq!(ledger.verify().unwrap().size, Size(5));
}

#[test]
fn a_text_is_one_and_within_its_limit() {
    let ledger = in_memory();
    let desk = ledger.by("dpo");
    let most = "x".repeat(limits::LEDGER_TEXT_BYTES_MAX);
    desk.record_statement([0; 32], &most).unwrap();
    let more = format!("{most}x");
    assert_eq!(desk.record_statement([0; 32], &more).unwrap_err().kind(), ErrorKind::TooLarge);
    assert_eq!(desk.rotate_key(Some(" "), "new").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(desk.rotate_key(None, "").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(desk.anchor("moon", "text", "source").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(desk.anchor("value", "te\u{0}xt", "source").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(ledger.head().size, Size(1));
}

#[test]
fn who_knows_no_event_type_sees_them_raw() {
    let home = tempfile::tempdir().unwrap();
    let ledger = Ledger::<Loan>::create(home.path().join("book"), "example.org/loans").unwrap();
    ledger.by("dpo").rotate_key(None, "n").unwrap();
    let raw = Ledger::<RawEvent>::open_read_only(home.path().join("book")).unwrap();
    let record = raw.get(Position(0)).unwrap();
    assert_eq!((record.event.number, record.event.version), (0xFF02, 1));
    assert_eq!(&record.event.payload[..], [0, 1, 0, 0, 0, 0, 0, 0, 0, b'n']);
}
