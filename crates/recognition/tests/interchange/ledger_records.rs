//! Every record of the ledger itself as a line, and read back from it.

use sovang_core::event::LedgerEvent;
use sovang_core::record::{Frame, Prepared};
use sovang_core::{Actor, Envelope, Event, Position, RecordId, Recorded, calendar, date, limits};
use sovang_recognition::interchange::{LedgerLine, Line, Mode, ledger_event, ledger_line, parse_line};

const ID: RecordId = RecordId::from_bytes([9; 16]);

fn all() -> Vec<(LedgerEvent, &'static str)> {
    vec![
        (
            LedgerEvent::SubjectErased { handle: [0xAB; 16], basis: "91/2025, art. 14\nrequest 7".into() },
            r#""type":"subject_erased","handle":"abababababababababababababababab","basis":"91/2025, art. 14\nrequest 7""#,
        ),
        (
            LedgerEvent::ValueDisclosed { record: ID, field: 2, reader: "district court".into(), purpose: "case 12".into() },
            r#""type":"value_disclosed","record":"09090909-0909-0909-0909-090909090909","field":2,"reader":"district court","purpose":"case 12""#,
        ),
        (
            LedgerEvent::KeyRotated { old: Some("a+01234567+AQ==".into()), new: "a+89abcdef+AQ==".into() },
            r#""type":"key_rotated","old":"a+01234567+AQ==","new":"a+89abcdef+AQ==""#,
        ),
        (LedgerEvent::KeyRotated { old: None, new: "a+89abcdef+AQ==".into() }, r#""type":"key_rotated","new":"a+89abcdef+AQ==""#),
        (
            LedgerEvent::TimeAnchored { what: "checkpoint".into(), text: "o\n1\nx\n\n— w y\n".into(), source: "own".into() },
            r#""type":"time_anchored","what":"checkpoint","text":"o\n1\nx\n\n— w y\n","source":"own""#,
        ),
        (
            LedgerEvent::StatementIssued { digest: [0xCD; 32], text: "sovang statement v1\n".into() },
            r#""type":"statement_issued","digest":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd","text":"sovang statement v1\n""#,
        ),
    ]
}

fn frame(event: &LedgerEvent, id: RecordId, envelope: Envelope, on: sovang_core::Date) -> Frame {
    let mut no_salt = || panic!("no personal fields");
    let mut prepared =
        Prepared::new(event, id, Some(calendar::days_of(on)), envelope, None, &[], &mut no_salt).expect("a record");
    prepared.stamp(1_767_000_000_000_001, 0);
    Frame::parse(prepared.bytes().to_vec().into()).expect("a frame")
}

fn read(line: &str) -> LedgerLine {
    match parse_line(line.as_bytes(), Mode::Migrate) {
        Ok(Line::Ledger(read)) => read,
        other => panic!("{other:?} of {line}"),
    }
}

#[test]
fn every_kind_goes_out_and_comes_back_byte_for_byte() {
    let kinds: std::collections::BTreeSet<u16> = all().iter().map(|(event, _)| event.kind().number()).collect();
    assert_eq!(kinds.len(), LedgerEvent::KINDS.len(), "a kind without an example");
    for (event, keys) in all() {
        assert_eq!(ledger_event(&event).expect("JSON").to_string(), format!("{{{keys}}}"));
        let envelope = Envelope { source: Some("file 7".into()), ..Envelope::by(Actor::new("dpo").expect("an actor")) };
        let frame_of = frame(&event, ID, envelope, date(2026, 1, 5));
        let record = Recorded::<LedgerEvent>::decode(Position(0), frame_of.clone(), None).expect("an event");
        let line = ledger_line(&record).expect("a line").to_string();
        let back = read(&line);
        assert_eq!(frame(&back.event, back.id, back.envelope, back.occurred_on), frame_of, "{line}");
        let appended = parse_line(line.as_bytes(), Mode::Append).expect_err("only a migration takes it").to_string();
        assert!(appended.starts_with("type: is a record of the ledger itself"), "{appended}");
    }
}

#[test]
fn what_is_no_record_of_the_ledger() {
    let line = |keys: &str| format!(r#"{{{keys},"occurred_on":"2026-01-05","actor":"dpo","id":"{ID}"}}"#);
    let refused = |keys: &str| parse_line(line(keys).as_bytes(), Mode::Migrate).expect_err(keys).to_string();
    let long = "x".repeat(limits::LEDGER_TEXT_BYTES_MAX + 1);
    let cases = [
        (r#""type":"value_disclosed","field":1,"reader":"r","purpose":"p""#.to_owned(), "record: is missing"),
        (format!(r#""type":"value_disclosed","record":"{ID}","field":65536,"reader":"r","purpose":"p""#), "field: "),
        (format!(r#""type":"value_disclosed","record":"{ID}","field":-1,"reader":"r","purpose":"p""#), "field: "),
        (format!(r#""type":"value_disclosed","record":"{ID}","field":1,"reader":" ","purpose":"p""#), "reader: "),
        (format!(r#""type":"value_disclosed","record":"{ID}","field":1,"reader":"r","purpose":"p","value":"v""#), "value: "),
        (r#""type":"key_rotated","old":"","new":"n""#.to_owned(), "old: "),
        (r#""type":"key_rotated","old":"o""#.to_owned(), "new: is missing"),
        (r#""type":"time_anchored","what":"moon","text":"t","source":"s""#.to_owned(), "what: "),
        (r#""type":"time_anchored","what":"value","text":"t\u0007","source":"s""#.to_owned(), "text: "),
        (r#""type":"statement_issued","digest":"ab","text":"t""#.to_owned(), "digest: is not 64 lower-case hex digits"),
        (format!(r#""type":"key_rotated","new":"{long}""#), "new: "),
        (r#""type":"key_turned","new":"n""#.to_owned(), "type: "),
    ];
    for (keys, error) in cases {
        let said = refused(&keys);
        assert!(said.starts_with(error), "{said} of {keys:.120}");
    }
    let fits = read(&line(&format!(r#""type":"key_rotated","new":"{}""#, &long[1..])));
    fits.event.validate().expect("a text of the largest size");
}
