//! Fork proofs: two histories under one key.

use crate::kit::{self, Log};
use sovang_core::evidence::{Checkpoint, EvidenceError, ForkProof, KeyKind};

#[test]
fn of_one_size() {
    let (log, other) = (Log::of(7), Log::forged(7, 3));
    let proof = ForkProof::of(log.checkpoint(7), other.checkpoint(7), None).unwrap();
    assert_eq!(proof, ForkProof::of(other.checkpoint(7), log.checkpoint(7), None).unwrap());
    let read: ForkProof = proof.to_string().parse().unwrap();
    assert_eq!(read, proof);
    let fork = read.verify(&kit::trusting()).unwrap();
    assert!(fork.a.head.root < fork.b.head.root);
    assert_eq!(fork.root_of_b_at_a, fork.b.head.root);
    // With the cosignatures that each of them got.
    let cosigned = ForkProof::of(log.cosigned(7, 3), other.cosigned(7, 2), None).unwrap();
    assert_eq!(cosigned.to_string().parse::<ForkProof>().unwrap(), cosigned);
    cosigned.verify(&kit::policy(3, "2")).unwrap();
    assert!(cosigned.verify(&kit::policy(3, "all")).is_err());
}

#[test]
fn of_every_two_sizes() {
    for new in 2..=12u8 {
        let other = Log::forged(new, 0);
        for old in 1..u64::from(new) {
            let log = Log::of(new);
            let parts = || (other.root(old), other.consistency(old));
            let proof = ForkProof::of(log.checkpoint(old), other.checkpoint(u64::from(new)), Some(parts())).unwrap();
            assert_eq!(proof, ForkProof::of(other.checkpoint(u64::from(new)), log.checkpoint(old), Some(parts())).unwrap());
            let read: ForkProof = proof.to_string().parse().unwrap();
            assert_eq!(read, proof);
            let fork = read.verify(&kit::trusting()).unwrap();
            assert_eq!((fork.a.head, fork.root_of_b_at_a), (log.head(old), other.root(old)));

            // An honest log has no such proof.
            let honest = Some((log.root(old), log.consistency(old)));
            let refused = ForkProof::of(log.checkpoint(old), log.checkpoint(u64::from(new)), honest);
            assert!(matches!(refused, Err(EvidenceError::Disagrees { .. })), "{old} {new}");
            let invented = Some((other.root(old), other.consistency(old)));
            let refused = ForkProof::of(log.checkpoint(old), log.checkpoint(u64::from(new)), invented);
            assert!(matches!(refused, Err(EvidenceError::Proof { .. })), "{old} {new}");
        }
    }
}

#[test]
fn what_is_no_fork_is_refused() {
    let (log, other) = (Log::of(7), Log::forged(7, 0));
    let fork = |a: Checkpoint, b: Checkpoint, proof| ForkProof::of(a, b, proof);
    assert!(fork(log.checkpoint(7), log.checkpoint(7), None).is_err());
    assert!(fork(log.checkpoint(7), log.cosigned(7, 1), None).is_err());
    assert!(fork(log.checkpoint(3), other.checkpoint(7), None).is_err());
    assert!(fork(log.checkpoint(0), other.checkpoint(7), Some((other.root(0), Vec::new()))).is_err());
    assert!(fork(log.checkpoint(7), other.checkpoint(7), Some((other.root(7), Vec::new()))).is_err());
    let elsewhere = Checkpoint::sign(&kit::secret("example.org/other", 51), other.head(7)).unwrap();
    assert!(fork(log.checkpoint(7), elsewhere, None).is_err());
    // By somebody who is not the log.
    let stranger = Checkpoint::sign(&kit::secret(kit::ORIGIN, 50), other.head(7)).unwrap();
    let claimed = fork(log.checkpoint(7), stranger, None).unwrap();
    assert!(matches!(claimed.verify(&kit::trusting()), Err(EvidenceError::Within { .. })));
    // By two keys of one log: both are its own.
    let second = kit::secret(kit::ORIGIN, 50).verifier(KeyKind::Ed25519);
    claimed.verify(&kit::trusting().with_log(second, kit::ORIGIN).unwrap()).unwrap();
}

#[test]
fn what_is_no_fork_proof_is_refused() {
    let (log, other) = (Log::of(7), Log::forged(7, 0));
    let same = ForkProof::of(log.checkpoint(7), other.checkpoint(7), None).unwrap().to_string();
    let parts = Some((other.root(3), other.consistency(3)));
    let grown = ForkProof::of(log.checkpoint(3), other.checkpoint(7), parts).unwrap().to_string();
    let root = grown.lines().nth(1).unwrap().to_owned();
    let hash = grown.lines().nth(2).unwrap().to_owned();
    let (one, two) = (log.checkpoint(7).to_string(), other.checkpoint(7).to_string());
    let swapped = if same.find(&one) < same.find(&two) { format!("{two}\n{one}") } else { format!("{one}\n{two}") };
    for bad in [
        same.replacen("v1", "v2", 1),
        same.replacen("v1\n", "v1", 1),
        same.replacen("v1\n\n", &format!("v1\n{root}\n\n"), 1),
        same.replacen("v1\n\n", &format!("v1\n{hash}\n\n"), 1),
        grown.replacen(&format!("{root}\n"), "", 1),
        grown.replacen(&root, "other x", 1),
        grown.replacen(&root, &root.replace("other", "Other"), 1),
        format!("sovang fork proof v1\n\n{swapped}"),
        format!("sovang fork proof v1\n\n{one}"),
        format!("sovang fork proof v1\n\n{one}{two}"),
        format!("{same}\n{one}"),
        format!("{same}\n"),
        format!("\n{same}"),
        format!("sovang fork proof v1\n{}\n{hash}\n\n{}\n{}", root, other.checkpoint(7), log.checkpoint(3)),
    ] {
        let error = ForkProof::parse(bad.as_bytes()).unwrap_err();
        assert!(error.is_malformed(), "{bad:?}: {error}");
    }
    for at_proof in [grown.replacen(&format!("{hash}\n"), "", 1), grown.replacen(&hash, &root["other ".len()..], 1)] {
        let error = ForkProof::parse(at_proof.as_bytes()).unwrap().verify(&kit::trusting()).unwrap_err();
        assert!(matches!(error, EvidenceError::Proof { .. }), "{error}");
    }
}
