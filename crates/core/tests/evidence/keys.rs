//! Verifier keys: one text for each key.

use crate::kit;
use sovang_core::evidence::{KeyKind, Note, SecretKey, VerifierKey, check_key_name};
use sovang_core::{Error, ErrorKind};

/// Of C2SP signed-note.
const EXAMPLE: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

#[test]
fn the_example_of_the_specification_holds() {
    let note = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    let key: VerifierKey = EXAMPLE.parse().unwrap();
    let note = Note::parse(note.as_bytes()).unwrap();
    assert_eq!(note.verify(std::slice::from_ref(&key)).unwrap().keys, [(key, None)]);
}

#[test]
fn a_key_is_its_text() {
    for key in [EXAMPLE.parse().unwrap(), kit::log_vkey(), kit::witness_vkey(1)] {
        assert_eq!(key.to_string().parse::<VerifierKey>().unwrap(), key);
    }
    // The same public key of another name or kind is another key.
    assert_ne!(kit::log_key().verifier(KeyKind::Cosignature).id(), kit::log_vkey().id());
}

#[test]
fn every_changed_byte_is_refused() {
    for at in 0..EXAMPLE.len() {
        for byte in 0..=255u8 {
            let mut changed = EXAMPLE.as_bytes().to_vec();
            changed[at] = byte;
            let Ok(text) = std::str::from_utf8(&changed) else { continue };
            assert_eq!(text.parse::<VerifierKey>().is_ok(), text == EXAMPLE, "{text}");
        }
    }
}

#[test]
fn keys_that_cannot_be_trusted_are_refused_and_said_why() {
    let with_kind = |kind: u8, public: &[u8]| {
        use base64::Engine as _;
        let key = base64::engine::general_purpose::STANDARD.encode([&[kind], public].concat());
        format!("example.org/x+00000000+{key}").parse::<VerifierKey>().unwrap_err().to_string()
    };
    let point = *kit::log_vkey().public_key();
    assert!(with_kind(6, &[1; 1312]).contains("ML-DSA-44"), "{}", with_kind(6, &[1; 1312]));
    assert!(with_kind(2, &point).contains("type 0x02"));
    assert!(with_kind(1, &point[1..]).contains("32 bytes"));
    assert!(with_kind(1, &point).contains("its id is given as \"00000000\""));
    // y = 1 is the neutral element; y = p is 0 written otherwise; 2 is no y of a point.
    let mut y_is_p = [0xff; 32];
    (y_is_p[0], y_is_p[31]) = (0xed, 0x7f);
    let two = std::array::from_fn(|n| if n == 0 { 2 } else { 0 });
    for public in [std::array::from_fn(|n| u8::from(n == 0)), [0; 32], y_is_p, two] {
        assert!(with_kind(1, &public).contains("small order"), "{public:?}");
    }
    for text in ["", "a", "a+b", "+530d903a+AA==", "a b+00000000+AQ==", "a+00000000+"] {
        assert!(text.parse::<VerifierKey>().is_err(), "{text:?}");
    }
    let error: Error = "x".parse::<VerifierKey>().unwrap_err().into();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.hint().is_some());
}

#[test]
fn a_point_has_one_encoding() {
    // y and y + p are one point, and 19 of the latter fit in 255 bits: p = 2^255 - 19 ends in 0xed.
    let mut points = 0;
    for y in 0..19u8 {
        for sign in [0, 0x80] {
            let mut reduced = [0; 32];
            (reduced[0], reduced[31]) = (y, sign);
            let mut loose = [0xff; 32];
            (loose[0], loose[31]) = (0xed + y, 0x7f | sign);
            let is_key = |public| VerifierKey::new("x", KeyKind::Ed25519, public).is_ok();
            points += u32::from(is_key(reduced));
            assert!(!is_key(loose), "y = p + {y}");
        }
    }
    assert!(points > 10, "{points} of the reduced ones are points of large order");
}

#[test]
fn names_are_those_of_c2sp() {
    for name in ["a", "example.org/ủy-ban", "oid/1.2.3", "\u{2014}", &"x".repeat(255)] {
        assert_eq!(check_key_name(name), Ok(()), "{name:?}");
    }
    for name in
        ["", "a b", "a+b", "a\tb", "a\n", "a\u{a0}b", "a\u{2003}b", "a\u{85}", "a\u{1}", "a\u{7f}", "a\u{9f}", &"x".repeat(256)]
    {
        assert!(check_key_name(name).is_err(), "{name:?}");
        assert!(SecretKey::from_seed(name, [1; 32]).is_err(), "{name:?}");
    }
}

#[test]
fn a_secret_is_not_shown() {
    let key = kit::secret("example.org/x", 0x5a);
    assert_eq!(key.seed(), &[0x5a; 32]);
    let shown = format!("{key:?}");
    assert!(shown.contains("example.org/x+") && !shown.to_lowercase().contains("5a5a"), "{shown}");
}
