//! One changed byte anywhere is refused where all signatures count. Every byte and every change of it.

use crate::kit::{self, Log};
use sovang_core::evidence::{
    Checkpoint, EvidenceError, Figure, ForkProof, Growth, KeyKind, Policy, Receipt, SignatureLine, Statement, verify_checkpoint,
};

/// Which values a changed byte takes.
#[derive(Clone, Copy)]
enum To {
    /// All 255 others.
    Any,
    /// Each bit flipped, and what lines and base64 are made of: enough where the parts are tried with all values elsewhere.
    Likely,
}
impl To {
    fn values(self, from: u8) -> Vec<u8> {
        match self {
            Self::Any => (0..=255u8).filter(|to| *to != from).collect(),
            Self::Likely => (0..8).map(|bit| from ^ 1 << bit).chain(*b"\n +/=0A").filter(|to| *to != from).collect(),
        }
    }
}

/// Every byte changed, left out, or doubled, every cut, and any byte put in at the ends.
fn each_change(file: &str, to: To, mut see: impl FnMut(&[u8])) {
    let good = file.as_bytes();
    let mut changed = good.to_vec();
    for at in 0..good.len() {
        for byte in to.values(good[at]) {
            changed[at] = byte;
            see(&changed);
        }
        changed[at] = good[at];
        let mut shorter = good.to_vec();
        let byte = shorter.remove(at);
        see(&shorter);
        shorter.splice(at..at, [byte, byte]);
        see(&shorter);
        see(&good[..at]);
    }
    for byte in 0..=255u8 {
        see(&[good, &[byte]].concat());
        see(&[&[byte], good].concat());
    }
}
fn assert_all_refused(file: &str, to: To, accepts: impl Fn(&[u8]) -> bool) {
    assert!(accepts(file.as_bytes()), "{file}");
    each_change(file, to, |changed| assert!(!accepts(changed), "{}", String::from_utf8_lossy(changed)));
}
fn checkpoint_holds<'a>(policy: &'a Policy) -> impl Fn(&[u8]) -> bool + 'a {
    |file| Checkpoint::parse(file).is_ok_and(|c| verify_checkpoint(&c, policy).is_ok())
}
fn receipt_holds<'a>(policy: &'a Policy) -> impl Fn(&[u8]) -> bool + 'a {
    |file| Receipt::parse(file).is_ok_and(|r| r.verify(policy).is_ok())
}

#[test]
fn a_checkpoint_that_only_the_log_has_signed() {
    assert_all_refused(&Log::of(6).checkpoint(6).to_string(), To::Any, checkpoint_holds(&kit::trusting()));
}
#[test]
fn a_receipt_that_only_the_log_has_signed() {
    let log = Log::of(6);
    assert_all_refused(&log.receipt(2, log.checkpoint(6)).to_string(), To::Any, receipt_holds(&kit::trusting()));
}
#[test]
fn a_checkpoint_whose_every_signer_is_known_and_needed() {
    assert_all_refused(&Log::of(6).cosigned(6, 2).to_string(), To::Any, checkpoint_holds(&kit::policy(2, "all")));
}
#[test]
fn a_receipt_whose_every_signer_is_known_and_needed() {
    let log = Log::of(3);
    assert_all_refused(&log.receipt(0, log.cosigned(3, 2)).to_string(), To::Likely, receipt_holds(&kit::policy(2, "all")));
}
#[test]
fn a_growth() {
    let log = Log::of(6);
    let (old, policy) = (log.checkpoint(3), kit::trusting());
    assert_all_refused(&log.growth(3, log.checkpoint(6)).to_string(), To::Likely, |file| {
        Growth::parse(file).is_ok_and(|g| g.verify(&old, &policy).is_ok())
    });
}
#[test]
fn a_fork_proof() {
    let (log, other) = (Log::of(6), Log::forged(6, 0));
    let proof = ForkProof::of(log.checkpoint(3), other.checkpoint(6), Some((other.root(3), other.consistency(3)))).unwrap();
    let policy = kit::trusting();
    assert_all_refused(&proof.to_string(), To::Likely, |file| ForkProof::parse(file).is_ok_and(|p| p.verify(&policy).is_ok()));
}
#[test]
fn a_statement() {
    let office = kit::secret("example.org/figures", 90);
    let figure = Figure {
        tally: "registered".into(),
        revision: 1,
        parameters: r#"{"as_of":3,"by":[],"from":null,"map_date":null,"to":null,"where":{}}"#.into(),
        result: format!(r#"{{"as_of":3,"root":"{}","rows":[],"size":3,"tally":"registered"}}"#, Log::of(3).root(3).to_base64()),
    };
    let statement = Statement::sign(&office, figure, &Log::of(3).checkpoint(3)).unwrap();
    let (key, policy) = ([office.verifier(KeyKind::Ed25519)], kit::trusting());
    assert_all_refused(&statement.to_string(), To::Likely, |file| {
        Statement::parse(file).is_ok_and(|s| s.verify(&key, Some(&policy)).is_ok())
    });
}

/// With more signers than the quorum needs, what passes has touched one line only: it made its key unknown, and the count of witnesses is lower.
#[test]
fn where_a_signer_is_not_needed_only_its_line_may_change() {
    let checkpoint = Log::of(3).cosigned(3, 2);
    let policy = kit::policy(2, "any");
    let text = checkpoint.to_string();
    let text = text.as_bytes();
    let lines_at = checkpoint.note().text().len() + 1 + checkpoint.note().signatures()[0].to_string().len() + 1;
    let mut passed = 0;
    let mut changed = text.to_vec();
    for at in 0..text.len() {
        for byte in (0..=255u8).filter(|byte| *byte != text[at]) {
            changed[at] = byte;
            let Ok(read) = Checkpoint::parse(&changed) else { continue };
            let Ok(verified) = verify_checkpoint(&read, &policy) else { continue };
            passed += 1;
            assert!(at >= lines_at, "{}", String::from_utf8_lossy(&changed));
            assert_eq!((verified.witnesses.len(), verified.ignored), (1, 1));
            assert_eq!(read.note().text(), checkpoint.note().text());
        }
        changed[at] = text[at];
    }
    assert!(passed > 0);
}

#[test]
fn an_appended_line_of_an_unknown_key_passes_and_a_failing_one_of_a_known_key_refuses() {
    let policy = kit::policy(2, "any");
    let checkpoint = Log::of(3).cosigned(3, 1);
    let verify = |line: SignatureLine| {
        let mut more = checkpoint.clone();
        more.add(line).unwrap();
        verify_checkpoint(&more.to_string().parse().unwrap(), &policy)
    };
    let unknown = verify(kit::witness(9).cosign(&checkpoint, 1_750_000_000)).unwrap();
    assert_eq!((unknown.witnesses.len(), unknown.ignored), (1, 1));
    // Of a known witness, and of the log, over another checkpoint.
    let other = Log::of(4).checkpoint(4);
    for line in [kit::witness(2).cosign(&other, 1_750_000_000), kit::log_key().sign_text(other.note().text())] {
        assert!(matches!(verify(line), Err(EvidenceError::Signature { .. })));
    }
    // A cosignature is no signature of the same key over the text, nor the other way round.
    let known = kit::witness_vkey(2);
    let mut plain = kit::witness(2).sign_text(checkpoint.note().text());
    plain.id = known.id();
    assert!(matches!(verify(plain), Err(EvidenceError::Signature { .. })));
}
