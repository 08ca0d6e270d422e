//! The texts of tests/golden, made by make.py there with other libraries than ours. A difference is a change of the format.

use crate::kit::{self, Log};
use sovang_core::evidence::{
    Checkpoint, Figure, ForkProof, Growth, KeyKind, Leaf, Policy, Receipt, SecretKey, Statement, VerifierKey, verify_checkpoint,
};
use sovang_core::{Position, Size};

macro_rules! golden {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/", $name))
    };
}

fn keys() -> (SecretKey, SecretKey, SecretKey, SecretKey) {
    let key = kit::secret;
    (key(kit::ORIGIN, 1), key("w1.example.net", 2), key("w2.example.net/ủy-ban", 3), key("example.org/golden/statements", 4))
}
fn cosigned(log: &Log) -> Checkpoint {
    let (_, w1, w2, _) = keys();
    let mut checkpoint = log.checkpoint(7);
    checkpoint.add(w1.cosign(&checkpoint, 1_750_000_000)).unwrap();
    checkpoint.add(w2.cosign(&checkpoint, 1_760_000_000)).unwrap();
    checkpoint
}
fn policy() -> Policy {
    Policy::parse(golden!("policy").as_bytes()).unwrap()
}

#[test]
fn vkeys() {
    let (log, w1, w2, office) = keys();
    let ours = [
        log.verifier(KeyKind::Ed25519),
        w1.verifier(KeyKind::Cosignature),
        w2.verifier(KeyKind::Cosignature),
        office.verifier(KeyKind::Ed25519),
    ];
    assert_eq!(ours.iter().map(|key| format!("{key}\n")).collect::<String>(), golden!("keys"));
    for (line, key) in golden!("keys").lines().zip(ours) {
        assert_eq!(line.parse::<VerifierKey>().unwrap(), key);
    }
}

#[test]
fn checkpoints() {
    let log = Log::of(7);
    assert_eq!(log.checkpoint(7).to_string(), golden!("checkpoint"));
    assert_eq!(log.checkpoint(3).to_string(), golden!("checkpoint.old"));
    assert_eq!(cosigned(&log).to_string(), golden!("checkpoint.cosigned"));
    let verified = verify_checkpoint(&golden!("checkpoint.cosigned").parse().unwrap(), &policy()).unwrap();
    assert_eq!((verified.not_after, verified.not_before), (Some(1_760_000_000), Some(1_750_000_000)));
}

#[test]
fn proofs() {
    let log = Log::of(7);
    let hash = kit::frame(4).hash(Position(4));
    let proof = Receipt::of(Position(4), Leaf::Hash(hash), log.inclusion(4), log.checkpoint(7));
    assert_eq!(proof.to_string(), golden!("proof"));
    assert_eq!(log.receipt(4, cosigned(&log)).to_string(), golden!("receipt"));
    let proven = golden!("receipt").parse::<Receipt>().unwrap().verify(&policy()).unwrap();
    assert_eq!((proven.record_hash, proven.frame), (Some(hash), Some(kit::frame(4))));
}

#[test]
fn growth() {
    let log = Log::of(7);
    assert_eq!(log.growth(3, cosigned(&log)).to_string(), golden!("growth"));
    let growth: Growth = golden!("growth").parse().unwrap();
    growth.verify(&golden!("checkpoint.old").parse().unwrap(), &kit::trusting()).unwrap();
}

#[test]
fn forks() {
    let (log, other) = (Log::of(7), Log::forged(7, 0));
    let same = ForkProof::of(log.checkpoint(7), other.checkpoint(7), None).unwrap();
    assert_eq!(same.to_string(), golden!("fork.same-size"));
    let grown = ForkProof::of(log.checkpoint(3), other.checkpoint(7), Some((other.root(3), other.consistency(3)))).unwrap();
    assert_eq!(grown.to_string(), golden!("fork.growth"));
    for text in [golden!("fork.same-size"), golden!("fork.growth")] {
        text.parse::<ForkProof>().unwrap().verify(&kit::trusting()).unwrap();
    }
}

#[test]
fn statement() {
    let (.., office) = keys();
    let log = Log::of(7);
    let root = log.root(5).to_base64();
    let figure = Figure {
        tally: "registered".into(),
        revision: 1,
        parameters: r#"{"as_of":5,"by":["year","unit"],"from":"2024-01-01","map_date":null,"to":null,"where":{"unit":["liên-mạc","phu-dien"],"year":[2024]}}"#.into(),
        result: format!(r#"{{"as_of":5,"root":"{root}","rows":[{{"count":2,"unit":"liên-mạc","year":2024}}],"size":5,"tally":"registered"}}"#),
    };
    assert_eq!(Statement::sign(&office, figure, &cosigned(&log)).unwrap().to_string(), golden!("statement"));
    let statement: Statement = golden!("statement").parse().unwrap();
    assert_eq!(statement.as_of(), Size(5));
    statement.verify(&[office.verifier(KeyKind::Ed25519)], Some(&policy())).unwrap();
}
