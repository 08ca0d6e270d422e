//! Records of the ledger itself: their payloads, byte for byte as docs/FORMAT.md §3 says, and what they may hold.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test program")]

mod common;

use common::counting;
use proptest::prelude::*;
use sovang_core::event::LedgerEvent;
use sovang_core::record::{Frame, Prepared};
use sovang_core::{Actor, Envelope, ErrorKind, Event, Position, Recorded, limits};

fn frame(event: &LedgerEvent) -> Frame {
    let mut no_salt = || panic!("no personal fields");
    let envelope = Envelope::by(Actor::new("clerk").unwrap());
    let mut prepared = Prepared::new(event, counting(0), Some(0), envelope, None, &[], &mut no_salt).unwrap();
    prepared.stamp(0, 0);
    Frame::parse(prepared.bytes().to_vec().into()).unwrap()
}

#[test]
fn golden_payloads() {
    let golden: [(LedgerEvent, u16, &str, &str); 6] = [
        (
            LedgerEvent::SubjectErased { handle: counting(0).to_bytes(), basis: "art. 17".into() },
            0xFF00,
            "subject_erased",
            "000102030405060708090a0b0c0d0e0f07000000000000006172742e203137",
        ),
        (
            LedgerEvent::ValueDisclosed {
                record: counting(16),
                field: 0x0102,
                reader: "court".into(),
                purpose: "cas\u{E9}".into(),
            },
            0xFF01,
            "value_disclosed",
            "101112131415161718191a1b1c1d1e1f02010500000000000000636f7572740500000000000000636173c3a9",
        ),
        (
            LedgerEvent::KeyRotated { old: Some("a+b".into()), new: "c".into() },
            0xFF02,
            "key_rotated",
            "010300000000000000612b62010000000000000063",
        ),
        (LedgerEvent::KeyRotated { old: None, new: "c".into() }, 0xFF02, "key_rotated", "00010000000000000063"),
        (
            LedgerEvent::TimeAnchored { what: "value".into(), text: "x\ny".into(), source: "z".into() },
            0xFF03,
            "time_anchored",
            "050000000000000076616c75650300000000000000780a7901000000000000007a",
        ),
        (
            LedgerEvent::StatementIssued { digest: [0xAB; 32], text: "s".into() },
            0xFF04,
            "statement_issued",
            "abababababababababababababababababababababababababababababababab010000000000000073",
        ),
    ];
    for (event, number, name, payload) in golden {
        event.validate().unwrap();
        let kind = event.kind();
        assert_eq!((kind.number(), kind.version(), kind.name()), (number, 1, name));
        assert!(LedgerEvent::KINDS.contains(&kind));
        let frame = frame(&event);
        assert_eq!((hex::encode(frame.payload()).as_str(), frame.is_ledger_level()), (payload, true), "{name}");
        assert_eq!(Recorded::<LedgerEvent>::decode(Position(0), frame, None).unwrap().event, event);
    }
}

#[test]
fn what_the_texts_may_hold() {
    let basis = |basis: &str| LedgerEvent::SubjectErased { handle: [0; 16], basis: basis.into() }.validate();
    basis("request of 2 May\nsecond line").unwrap();
    basis(&"x".repeat(limits::LEDGER_TEXT_BYTES_MAX)).unwrap();
    let refused: [(&str, ErrorKind, &str); 4] = [
        ("", ErrorKind::InvalidInput, "basis is blank"),
        (" \n\u{A0}", ErrorKind::InvalidInput, "basis is blank"),
        ("a\u{7}b", ErrorKind::InvalidInput, "basis holds a control character"),
        ("a\r\nb", ErrorKind::InvalidInput, "basis holds a control character"),
    ];
    for (text, kind, message) in refused {
        let error = basis(text).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, message));
    }
    let long = basis(&"x".repeat(limits::LEDGER_TEXT_BYTES_MAX + 1)).unwrap_err();
    assert!(long.kind() == ErrorKind::TooLarge && long.to_string().contains("LEDGER_TEXT_BYTES_MAX"), "{long}");
    let blank = |event: LedgerEvent| event.validate().unwrap_err().to_string();
    let (id, one, none) = (counting(0), || "x".to_owned(), || " ".to_owned());
    assert!(blank(LedgerEvent::ValueDisclosed { record: id, field: 1, reader: none(), purpose: one() }).starts_with("reader"));
    assert!(blank(LedgerEvent::ValueDisclosed { record: id, field: 1, reader: one(), purpose: none() }).starts_with("purpose"));
    assert!(blank(LedgerEvent::KeyRotated { old: Some(none()), new: one() }).starts_with("old"));
    assert!(blank(LedgerEvent::TimeAnchored { what: "value".into(), text: one(), source: none() }).starts_with("source"));
    assert_eq!(
        blank(LedgerEvent::TimeAnchored { what: "Value".into(), text: one(), source: one() }),
        "what is neither checkpoint nor value"
    );
    assert!(blank(LedgerEvent::StatementIssued { digest: [0; 32], text: none() }).starts_with("text"));
}

fn event() -> impl Strategy<Value = LedgerEvent> {
    let text = || "[a-zA-ZàếỮ \n+=/]{0,80}";
    prop_oneof![
        (any::<[u8; 16]>(), text()).prop_map(|(handle, basis)| LedgerEvent::SubjectErased { handle, basis }),
        (any::<u8>(), any::<u16>(), text(), text()).prop_map(|(n, field, reader, purpose)| LedgerEvent::ValueDisclosed {
            record: counting(n / 2),
            field,
            reader,
            purpose
        }),
        (proptest::option::of(text()), text()).prop_map(|(old, new)| LedgerEvent::KeyRotated { old, new }),
        (text(), text(), text()).prop_map(|(what, text, source)| LedgerEvent::TimeAnchored { what, text, source }),
        (any::<[u8; 32]>(), text()).prop_map(|(digest, text)| LedgerEvent::StatementIssued { digest, text }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_encoded_is_decoded(event in event()) {
        let read = Recorded::<LedgerEvent>::decode(Position(0), frame(&event), None).unwrap();
        prop_assert_eq!(read.event, event);
    }
}
