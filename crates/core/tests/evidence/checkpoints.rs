//! Checkpoints: exactly three lines.

use crate::kit::{self, Log};
use sovang_core::evidence::{Checkpoint, EvidenceError, Note, verify_checkpoint};
use sovang_core::{Head, Root, Size};

fn signed(text: &str) -> String {
    Note::new(text, vec![kit::log_key().sign_text(text)]).unwrap().to_string()
}

#[test]
fn signed_read_verified() {
    let checkpoint = Log::of(5).checkpoint(5);
    let read: Checkpoint = checkpoint.to_string().parse().unwrap();
    assert_eq!(read, checkpoint);
    let verified = verify_checkpoint(&read, &kit::trusting()).unwrap();
    assert_eq!((verified.origin.as_str(), verified.head), (kit::ORIGIN, Log::of(5).head(5)));
    assert_eq!((verified.log, verified.witnesses.len(), verified.ignored), (kit::log_vkey(), 0, 0));
    assert_eq!((verified.not_after, verified.not_before), (None, None));
}

#[test]
fn what_a_log_would_not_sign_is_refused_even_signed() {
    let root = Log::of(5).root(5).to_base64();
    let empty = Root::empty().to_base64();
    let good = format!("o\n5\n{root}\n");
    assert!(Checkpoint::parse(signed(&good).as_bytes()).is_ok());
    assert!(Checkpoint::parse(signed(&format!("o\n0\n{empty}\n")).as_bytes()).is_ok());
    assert!(Checkpoint::parse(signed(&format!("go.sum database tree\n9223372036854775807\n{root}\n")).as_bytes()).is_ok());
    for bad in [
        format!("o\n5\n{root}\nextension\n"),
        format!("o\n5\n{root}\n\n"),
        format!("\n5\n{root}\n"),
        format!("o\n\n5\n{root}\n"),
        "o\n5\n".into(),
        "o\n".into(),
        format!("o\n05\n{root}\n"),
        format!("o\n+5\n{root}\n"),
        format!("o\n 5\n{root}\n"),
        format!("o\n-5\n{root}\n"),
        format!("o\n5.0\n{root}\n"),
        format!("o\n9223372036854775808\n{root}\n"),
        format!("o\n0\n{root}\n"),
        format!("o\n5\n{root} \n"),
        format!("o\n5\n{}\n", root.trim_end_matches('=')),
        format!("o\n5\n{}\n", &root[4..]),
        format!("o\n5\nAAAA{root}\n"),
        format!("o\n5\n{}\n", hex::encode([7; 32])),
    ] {
        let error = Checkpoint::parse(signed(&bad).as_bytes()).unwrap_err();
        assert!(error.is_malformed(), "{bad:?}: {error}");
    }
    // The last base64 digit holds two bits that no byte of the root uses.
    let at = root.len() - 2;
    let next = char::from(root.as_bytes()[at] + 1);
    let loose = format!("{}{next}=", &root[..at]);
    assert!(Checkpoint::parse(signed(&format!("o\n5\n{loose}\n")).as_bytes()).is_err(), "{loose}");
}

#[test]
fn a_head_that_cannot_be_is_not_signed() {
    let key = kit::log_key();
    for head in [
        Head { size: Size(0), root: Root([1; 32]) },
        Head { size: Size(1 << 63), root: Root([1; 32]) },
        Head { size: Size(u64::MAX), root: Root([1; 32]) },
    ] {
        assert!(Checkpoint::sign(&key, head).is_err(), "{head:?}");
    }
    assert!(Checkpoint::sign(&key, Head { size: Size(0), root: Root::empty() }).is_ok());
}

#[test]
fn copies_of_one_checkpoint_merge() {
    let log = Log::of(5);
    let mut one = log.checkpoint(5);
    one.add(kit::witness(1).cosign(&one, 1_750_000_000)).unwrap();
    let mut two = log.checkpoint(5);
    two.add(kit::witness(2).cosign(&two, 1_750_000_001)).unwrap();
    one.merge(&two).unwrap();
    assert_eq!(one.note().signatures().len(), 3);
    let merged = one.clone();
    one.merge(&two).unwrap();
    assert_eq!(one, merged);
    assert!(matches!(one.merge(&log.checkpoint(4)), Err(EvidenceError::Disagrees { .. })));
    assert_eq!(one, merged);
}

#[test]
fn another_origin_or_key_is_refused() {
    let log = Log::of(5);
    let stranger = kit::secret(kit::ORIGIN, 50);
    let theirs = Checkpoint::sign(&stranger, log.head(5)).unwrap();
    assert!(matches!(verify_checkpoint(&theirs, &kit::trusting()), Err(EvidenceError::NotSignedByLog { .. })));
    let elsewhere = Checkpoint::sign(&kit::secret("example.org/other", 1), log.head(5)).unwrap();
    assert!(matches!(verify_checkpoint(&elsewhere, &kit::trusting()), Err(EvidenceError::UnknownOrigin { .. })));
    // The trusted key itself, under the origin of another log of the policy: that log's own signature is missing.
    let other = kit::secret("example.org/other", 51).verifier(sovang_core::evidence::KeyKind::Ed25519);
    let policy = kit::trusting().with_log(other, "example.org/other").unwrap();
    let text = Checkpoint::unsigned("example.org/other", log.head(5));
    let crossed = Checkpoint::parse(signed(&text).as_bytes()).unwrap();
    assert!(matches!(verify_checkpoint(&crossed, &policy), Err(EvidenceError::NotSignedByLog { .. })));
}

#[test]
fn two_keys_of_one_log_while_it_changes_them() {
    let log = Log::of(5);
    let new = kit::secret(kit::ORIGIN, 60);
    let new_vkey = new.verifier(sovang_core::evidence::KeyKind::Ed25519);
    let mut checkpoint = log.checkpoint(5);
    checkpoint.add(new.sign_text(checkpoint.note().text())).unwrap();
    let both = kit::trusting().with_log(new_vkey.clone(), kit::ORIGIN).unwrap();
    assert_eq!(verify_checkpoint(&checkpoint, &both).unwrap().log, kit::log_vkey());
    let only_new = sovang_core::evidence::Policy::key(new_vkey.clone()).unwrap();
    let verified = verify_checkpoint(&checkpoint, &only_new).unwrap();
    assert_eq!((verified.log, verified.ignored), (new_vkey, 1));
}
