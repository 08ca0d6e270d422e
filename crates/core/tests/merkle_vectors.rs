//! The proofs of transparency-dev/merkle: the good ones hold, the bad ones are refused.

#![expect(clippy::disallowed_methods, reason = "a test may read its vectors")]

use base64::Engine as _;
use serde_json::Value;
use sovang_core::tree::{leaf_of_entry, verify_consistency, verify_inclusion};
use sovang_core::{Head, Position, Root, Size};
use std::path::{Path, PathBuf};

fn files(under: &str) -> Vec<PathBuf> {
    fn walk(directory: &Path, into: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).expect("the vectors are there") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                walk(&path, into);
            } else if path.extension().is_some_and(|e| e == "json") {
                into.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/merkle").join(under);
    let mut found = Vec::new();
    walk(&root, &mut found);
    found.sort();
    found
}

/// A hash of 32 bytes; the bad vectors hold others, which no `[u8; 32]` can carry: refused at the type.
fn hash(value: &Value) -> Option<[u8; 32]> {
    let text = value.as_str().unwrap_or_default();
    base64::engine::general_purpose::STANDARD.decode(text).expect("base64").try_into().ok()
}
fn proof(value: &Value) -> Option<Vec<[u8; 32]>> {
    value.as_array().map_or(Some(Vec::new()), |hashes| hashes.iter().map(hash).collect())
}

#[test]
fn inclusion() {
    let (mut good, mut bad) = (0, 0);
    for path in files("inclusion") {
        let v: Value = serde_json::from_slice(&std::fs::read(&path).expect("readable")).expect("JSON");
        let holds = || {
            let (position, size) = (Position(v["leafIdx"].as_u64()?), Size(v["treeSize"].as_u64()?));
            verify_inclusion(&hash(&v["leafHash"])?, position, size, &proof(&v["proof"])?, &Root(hash(&v["root"])?)).ok()
        };
        let refused = holds().is_none();
        assert_eq!(refused, v["wantErr"].as_bool().expect("wantErr"), "{}: {}", path.display(), v["desc"]);
        if refused { bad += 1 } else { good += 1 }
    }
    assert!(good > 4 && bad > 50, "{good} good, {bad} bad");
}

#[test]
fn consistency() {
    let (mut good, mut bad) = (0, 0);
    for path in files("consistency") {
        let v: Value = serde_json::from_slice(&std::fs::read(&path).expect("readable")).expect("JSON");
        let holds = || {
            // Some vectors name roots by short texts; any hash may stand for such a root, as long as equal ones stay equal.
            let root = |root: &Value| hash(root).unwrap_or_else(|| leaf_of_entry(root.as_str().unwrap_or_default().as_bytes()));
            let head = |size: &str, name: &str| Some(Head { size: Size(v[size].as_u64()?), root: Root(root(&v[name])) });
            verify_consistency(&head("size1", "root1")?, &head("size2", "root2")?, &proof(&v["proof"])?).ok()
        };
        let refused = holds().is_none();
        assert_eq!(refused, v["wantErr"].as_bool().expect("wantErr"), "{}: {}", path.display(), v["desc"]);
        if refused { bad += 1 } else { good += 1 }
    }
    assert!(good > 4 && bad > 50, "{good} good, {bad} bad");
}
