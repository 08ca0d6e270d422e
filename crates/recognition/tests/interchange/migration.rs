//! An export taken over into an empty ledger gives the same records, byte for byte.

use crate::records::{Kept, import};
use sovang_core::event::LedgerEvent;
use sovang_core::personal::Opened;
use sovang_core::record::{Frame, Prepared};
use sovang_core::{Actor, Envelope, Personal, Position, RecordId, Recorded, calendar, date};
use sovang_recognition::interchange::{Line, Mode, ledger_event, ledger_line, parse_line};
use sovang_recognition::{self as recognition, Field, Recognition, SubjectKind};

fn registered() -> Kept {
    let event = recognition::model_registered("M", "Vườn rau", SubjectKind::Household, "u", Field::Economy, 2024)
        .address("Tổ 5")
        .subject(Personal::of("P-17", "Nguyễn Văn A"));
    let corrected = recognition::record_corrected(RecordId::from_bytes([1; 16]), event, date(2024, 2, 1), "wrong title")
        .authority("the head");
    let entry = corrected.on(date(2024, 3, 1)).with_id(RecordId::from_bytes([2; 16])).overriding([4, 1], "legacy\ndata");
    let envelope = Envelope {
        actor: Actor::new("clerk:lan").expect("an actor"),
        source: Some("scan:7".into()),
        correlation: Some("c".into()),
        causation: Some(RecordId::from_bytes([3; 16])),
    };
    Kept::of_entry(entry, envelope)
}

#[test]
fn with_values_and_salts() {
    let kept = registered();
    let text = kept.export(true).to_string();
    assert!(text.contains(r#""private":{"replacement.subject":""#) && text.contains(r#""replacement.address":""#), "{text}");
    let again = Kept::of(&import(&text, Mode::Migrate), true);
    assert_eq!(again.frame, kept.frame);
    assert_eq!(again.vault, kept.vault);
    assert_eq!(again.export(true), kept.export(true));
}

#[test]
fn with_commitments_alone() {
    let mut kept = registered();
    let text = kept.export(false).to_string();
    assert!(!text.contains("P-17") && !text.contains("Nguyễn") && !text.contains("Tổ 5"), "{text}");
    let again = Kept::of(&import(&text, Mode::Migrate), true);
    assert_eq!(again.frame, kept.frame);
    assert!(again.vault.values().all(|opened| *opened == Opened::Sealed));

    // Erased in between: says so, and still gives the same record.
    kept.vault.values_mut().for_each(|opened| *opened = Opened::Erased);
    let text = kept.export(true).to_string();
    assert!(text.contains(r#","erased":true}"#) && !text.contains("private"), "{text}");
    let read = import(&text, Mode::Migrate);
    let Recognition::RecordCorrected(corrected) = read.entry.event() else { panic!("a correction") };
    let Recognition::ModelRegistered(model) = &*corrected.replacement else { panic!("a registration") };
    assert_eq!(model.subject, Personal::Erased);
    assert_eq!(Kept::of(&read, true).frame, kept.frame);
}

#[test]
fn into_a_ledger_that_has_records_recorded_time_and_salts_are_its_own() {
    let kept = registered();
    let read = import(&kept.export(true).to_string(), Mode::Append);
    assert_eq!(read.recorded_at, None);
    assert_eq!(read.given, []);
    assert_eq!(read.entry.id(), Some(RecordId::from_bytes([2; 16])));
}

#[test]
fn a_record_of_the_ledger_itself() {
    let event = LedgerEvent::SubjectErased { handle: [0xAB; 16], basis: "91/2025, art. 14".into() };
    let envelope = Envelope::by(Actor::new("dpo").expect("an actor"));
    let (id, on) = (RecordId::from_bytes([9; 16]), date(2026, 1, 5));
    let prepared = |event: &LedgerEvent, id, envelope, on| {
        let mut no_salt = || panic!("no personal fields");
        let mut prepared =
            Prepared::new(event, id, Some(calendar::days_of(on)), envelope, None, &[], &mut no_salt).expect("a record");
        prepared.stamp(1_767_000_000_000_001, 0);
        Frame::parse(prepared.bytes().to_vec().into()).expect("a frame")
    };
    let frame = prepared(&event, id, envelope, on);
    let record = Recorded::<LedgerEvent>::decode(Position(0), frame.clone(), None).expect("an event");
    let text = ledger_line(&record).expect("a line").to_string();
    assert_eq!(
        text,
        r#"{"type":"subject_erased","occurred_on":"2026-01-05","actor":"dpo","handle":"abababababababababababababababab","basis":"91/2025, art. 14","id":"09090909-0909-0909-0909-090909090909","recorded_at":"2025-12-29T09:20:00.000001Z"}"#
    );
    let Ok(Line::Ledger(read)) = parse_line(text.as_bytes(), Mode::Migrate) else { panic!("a record of the ledger") };
    assert_eq!(read.recorded_at.map(calendar::micros_of), Some(1_767_000_000_000_001));
    assert_eq!(prepared(&read.event, read.id, read.envelope, read.occurred_on), frame);
    assert_eq!(
        ledger_event(&event).expect("JSON").to_string(),
        r#"{"type":"subject_erased","handle":"abababababababababababababababab","basis":"91/2025, art. 14"}"#
    );
}
