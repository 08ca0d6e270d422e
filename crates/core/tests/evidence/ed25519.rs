//! The edge cases of C2SP/CCTV: what a strict verifier refuses is refused, and nothing else.

use serde_json::Value;
use sovang_core::evidence::{KeyKind, VerifierKey};

const REFUSED: [&str; 5] = ["low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"];

fn bytes<const N: usize>(hex: &Value) -> [u8; N] {
    hex::decode(hex.as_str().expect("hex")).expect("hex").try_into().expect("a length")
}

#[test]
fn the_flagged_ones_are_refused_and_only_they() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/ed25519/ed25519vectors.json");
    let vectors: Vec<Value> = serde_json::from_slice(&std::fs::read(path).expect("readable")).expect("JSON");
    let (mut refused, mut accepted) = (0, 0);
    for v in vectors {
        let message = v["msg"].as_str().expect("a message").as_bytes();
        let key = VerifierKey::new("example.org/vector", KeyKind::Ed25519, bytes(&v["key"]));
        let holds = key.and_then(|key| key.verify(message, &bytes(&v["sig"]))).is_ok();
        let flags: Vec<&str> = v["flags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        assert_eq!(holds, !REFUSED.iter().any(|flag| flags.contains(flag)), "{}: {flags:?}", v["number"]);
        if holds { accepted += 1 } else { refused += 1 }
    }
    assert_eq!((refused, accepted), (871, 43));
}
