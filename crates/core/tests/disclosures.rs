//! Disclosures: the file in its one form, and whether it holds against a record.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test program")]

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{Club, counting};
use proptest::prelude::*;
use sovang_core::disclosure::{Disclosure, verify};
use sovang_core::personal::Given;
use sovang_core::record::{Frame, Prepared};
use sovang_core::{Actor, CodecError, Envelope, Personal, Position, codec};

const SALT: [u8; 32] = [0x11; 32];

fn frame() -> Frame {
    let event = Club::Joined {
        seats: 1,
        club: "C-1".into(),
        name: Personal::of("P-17", "Nguyễn Văn A"),
        owes: Personal::of("P-17", 250),
    };
    let given = [(1, Given::Salt(SALT)), (0x0109, Given::Salt([0x22; 32]))];
    let envelope = Envelope::by(Actor::new("clerk").unwrap());
    let mut no_salt = || panic!("both are given");
    let mut prepared = Prepared::new(&event, counting(0), Some(0), envelope, None, &given, &mut no_salt).unwrap();
    prepared.stamp(0, 0);
    Frame::parse(prepared.bytes().to_vec().into()).unwrap()
}
fn disclosed(field: u16) -> Disclosure {
    let (salt, value) = match field {
        1 => (SALT, codec::encode("Nguyễn Văn A").unwrap()),
        _ => ([0x22; 32], codec::encode(&250i32).unwrap()),
    };
    Disclosure {
        origin: "example.org/clubs".into(),
        position: Position(12),
        record: counting(0),
        field,
        commitment: frame().commitments().into_iter().find(|(f, _)| *f == field).unwrap().1,
        salt,
        value,
        reader: "district court".into(),
        purpose: "case 12/2026\n\"urgent\"".into(),
        logged_at: Position(40),
    }
}

#[test]
fn golden_files() {
    let text = disclosed(1).to_string();
    let commitment = disclosed(1).commitment;
    assert_eq!(
        text,
        format!(
            "{{\"commitment\":\"{commitment}\",\"field\":1,\"logged_at\":40,\"origin\":\"example.org/clubs\",\"position\":12,\
             \"purpose\":\"case 12/2026\\n\\\"urgent\\\"\",\"reader\":\"district court\",\
             \"record_id\":\"00010203-0405-0607-0809-0a0b0c0d0e0f\",\
             \"salt\":\"ERERERERERERERERERERERERERERERERERERERERERE=\",\"value\":\"Nguyễn Văn A\"}}\n"
        )
    );
    let number = disclosed(0x0109).to_string();
    assert!(number.ends_with("\",\"value_bytes\":\"+gAAAA==\"}\n"), "{number}");
    for field in [1, 0x0109] {
        let read = Disclosure::parse(disclosed(field).to_string().as_bytes()).unwrap();
        assert!(read == disclosed(field));
        read.verify(Position(12), &frame()).unwrap();
    }
    assert_eq!(disclosed(1).text().as_deref(), Some("Nguyễn Văn A"));
    assert!(!format!("{:?}", disclosed(1)).contains("Nguyễn"), "a value is not for logs");
}

#[test]
fn what_does_not_hold() {
    let frame = frame();
    let whole = disclosed(1);
    let fails = |change: &dyn Fn(&mut Disclosure)| {
        let mut changed = whole.clone();
        change(&mut changed);
        changed.verify(Position(12), &frame).unwrap_err()
    };
    let mismatch = CodecError::PersonalMismatch { field: 1 };
    assert_eq!(fails(&|d| d.value = codec::encode("Nguyễn Văn B").unwrap()), mismatch);
    assert_eq!(fails(&|d| d.salt[31] ^= 1), mismatch);
    assert_eq!(fails(&|d| d.commitment.0[0] ^= 1), mismatch);
    assert!(matches!(fails(&|d| d.field = 7), CodecError::Personal { field: 7, .. }));
    assert_eq!(fails(&|d| d.field = 0x0109), CodecError::PersonalMismatch { field: 0x0109 });
    assert!(matches!(fails(&|d| d.record = counting(1)), CodecError::Malformed { .. }));
    assert!(matches!(whole.verify(Position(11), &frame).unwrap_err(), CodecError::Malformed { .. }));
    assert_eq!(verify(&frame, 1, &SALT, &whole.value).unwrap(), whole.commitment);
}

#[test]
fn every_changed_byte_is_refused_or_another_disclosure() {
    let whole = disclosed(1);
    let text = whole.to_string().into_bytes();
    for at in 0..text.len() {
        for change in 1..=255 {
            let mut bytes = text.clone();
            bytes[at] ^= change;
            if let Ok(read) = Disclosure::parse(&bytes) {
                assert!(read != whole, "byte {at}");
                assert_eq!(read.to_string().into_bytes(), bytes, "byte {at}");
                // What the receipt vouches for is everything but the words about the act of disclosing.
                let about = |d: &Disclosure| (d.origin.clone(), d.reader.clone(), d.purpose.clone(), d.logged_at);
                assert!(read.verify(Position(12), &frame()).is_err() || about(&read) != about(&whole), "byte {at}");
            }
        }
    }
    for cut in 0..text.len() {
        assert!(Disclosure::parse(&text[..cut]).is_err());
    }
    for more in ["\n", " ", "x"] {
        assert!(Disclosure::parse(&[&text, more.as_bytes()].concat()).is_err());
    }
}

#[test]
fn another_form_of_the_same_is_refused() {
    let text = disclosed(1).to_string();
    for (from, to) in [
        ("\"field\":1,", "\"field\":01,"),
        ("\"field\":1,", "\"field\":1.0,"),
        ("\"field\":1,", "\"field\": 1,"),
        ("district", "\\u0064istrict"),
        ("\\n", "\\u000a"),
        ("2/2026", "2\\/2026"),
        ("0a0b", "0A0B"),
        ("REREREREREREREREREREREREREREREREREREREREREE=", "x"),
        ("RERE=", "RERF="),
        ("RERE=", "RERE"),
        ("}\n", ",\"x\":1}\n"),
        ("{\"commitment\"", "\u{FEFF}{\"commitment\""),
        ("}\n", "}"),
        ("}\n", "}\r\n"),
    ] {
        let other = text.replacen(from, to, 1);
        assert!(other == text || Disclosure::parse(other.as_bytes()).is_err(), "{from} as {to}");
    }
    let encoded = STANDARD.encode(disclosed(1).value);
    let bytes = text.replace("\"value\":\"Nguyễn Văn A\"", &format!("\"value_bytes\":\"{encoded}\""));
    assert_ne!(bytes, text);
    assert!(Disclosure::parse(bytes.as_bytes()).is_err(), "a text is shown as one");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(
        origin in "\\PC{1,30}", reader in any::<String>(), purpose in any::<String>(),
        text in proptest::option::of(any::<String>()), bytes in proptest::collection::vec(any::<u8>(), 0..60),
        (position, logged_at, field, salt) in (any::<u64>(), any::<u64>(), any::<u16>(), any::<[u8; 32]>()),
    ) {
        let value = text.map_or(bytes, |text| codec::encode(&text).unwrap());
        let (position, logged_at) = (Position(position), Position(logged_at));
        let commitment = sovang_core::hash::commitment(&salt, field, &value);
        let whole =
            Disclosure { origin, position, record: counting(3), field, commitment, salt, value, reader, purpose, logged_at };
        prop_assert!(Disclosure::parse(whole.to_string().as_bytes()).unwrap() == whole);
        let json: serde_json::Value = serde_json::from_str(&whole.to_string()).unwrap();
        prop_assert_eq!(json.to_string() + "\n", whole.to_string(), "the form of RFC 8785");
    }
    #[test]
    fn anything_else_is_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Disclosure::parse(&bytes).is_err());
    }
}
