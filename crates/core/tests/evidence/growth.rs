//! Growth: a later checkpoint extends an earlier one.

use crate::kit::{self, Log};
use sovang_core::evidence::{Checkpoint, EvidenceError, Growth};
use sovang_core::{Head, Root, Size};

#[test]
fn every_growth_of_logs_up_to_twenty() {
    for new in 1..=20u8 {
        let log = Log::of(new);
        for old in 0..=u64::from(new) {
            let growth = log.growth(old, log.checkpoint(u64::from(new)));
            let read: Growth = growth.to_string().parse().unwrap();
            assert_eq!(read, growth);
            let grown = read.verify(&log.checkpoint(old), &kit::trusting()).unwrap();
            assert_eq!((grown.old.head, grown.new.head), (log.head(old), log.head(u64::from(new))));
            if old > 0 {
                let other = Log::forged(new, 0).checkpoint(old);
                assert!(matches!(read.verify(&other, &kit::trusting()), Err(EvidenceError::Proof { .. })), "{old} {new}");
            }
        }
    }
}

#[test]
fn the_earlier_checkpoint_must_be_of_that_size_log_and_key() {
    let log = Log::of(9);
    let growth = log.growth(5, log.checkpoint(9));
    assert!(matches!(growth.verify(&log.checkpoint(4), &kit::trusting()), Err(EvidenceError::Disagrees { .. })));
    let stranger = Checkpoint::sign(&kit::secret(kit::ORIGIN, 50), log.head(5)).unwrap();
    let error = growth.verify(&stranger, &kit::trusting()).unwrap_err();
    assert!(error.to_string().starts_with("the earlier checkpoint: "), "{error}");
    let other = kit::secret("example.org/other", 51);
    let policy = kit::trusting().with_log(other.verifier(sovang_core::evidence::KeyKind::Ed25519), "example.org/other").unwrap();
    let elsewhere = Checkpoint::sign(&other, log.head(5)).unwrap();
    assert!(matches!(growth.verify(&elsewhere, &policy), Err(EvidenceError::Disagrees { .. })));
    // Nobody's signature is asked for where only the trees are compared.
    growth.extends(&log.head(5)).unwrap();
    assert!(growth.extends(&Head { size: Size(5), root: Root([0; 32]) }).is_err());
}

#[test]
fn a_quorum_is_asked_of_both_and_an_age_of_the_later_one() {
    let log = Log::of(9);
    let mut new = log.checkpoint(9);
    new.add(kit::witness(1).cosign(&new, 1_760_000_000)).unwrap();
    let growth = log.growth(5, new);
    let policy = kit::policy(1, "any");
    assert!(growth.verify(&log.checkpoint(5), &policy).is_err());
    let old = log.cosigned(5, 1);
    growth.verify(&old, &policy).unwrap();
    growth.verify(&old, &policy.clone().with_max_age(60, 1_760_000_060)).unwrap();
    let error = growth.verify(&old, &policy.with_max_age(60, 1_760_000_061)).unwrap_err();
    assert!(error.to_string().starts_with("the later checkpoint: the checkpoint is stale"), "{error}");
}

#[test]
fn what_is_no_growth_is_refused() {
    let log = Log::of(9);
    let good = log.growth(5, log.checkpoint(9)).to_string();
    let hash = good.lines().nth(1).unwrap().to_owned();
    let no_growth = log.growth(9, log.checkpoint(9)).to_string();
    let first = log.growth(0, log.checkpoint(9)).to_string();
    for bad in [
        good.replacen("old 5", "old 05", 1),
        good.replacen("old 5", "old", 1),
        good.replacen("old 5", "size 5", 1),
        good.replacen("old 5", "old 10", 1),
        good.replacen("old 5", "old 0", 1),
        good.replacen("old 5", "old 9", 1),
        no_growth.replacen("old 9\n", &format!("old 9\n{hash}\n"), 1),
        first.replacen("old 0\n", &format!("old 0\n{hash}\n"), 1),
        good.replacen(&hash, "x", 1),
        good.replacen(&hash, &[hash.as_str(); 64].join("\n"), 1),
        good.replacen("\n\n", "\n", 1),
        format!("{good}\n"),
        format!("\n{good}"),
    ] {
        let error = Growth::parse(bad.as_bytes()).unwrap_err();
        assert!(error.is_malformed(), "{bad:?}: {error}");
    }
    let mut made_by_hand = log.growth(0, log.checkpoint(9));
    made_by_hand.hashes.push([0; 32]);
    assert!(made_by_hand.extends(&log.head(0)).is_err());
}
