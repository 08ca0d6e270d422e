//! The root, computed again from what `log --json` prints, by RFC 6962 as written down.

use crate::book::Book;
use sha2::{Digest as _, Sha256};

/// Section 2.1: MTH of the leaves, split at the largest power of two below their number.
fn tree_head(leaves: &[Vec<u8>]) -> Vec<u8> {
    match leaves {
        [] => Sha256::digest([]).to_vec(),
        [leaf] => Sha256::new().chain_update([0]).chain_update(leaf).finalize().to_vec(),
        _ => {
            let split = 1 << (leaves.len() - 1).ilog2();
            let (left, right) = (tree_head(&leaves[..split]), tree_head(&leaves[split..]));
            Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().to_vec()
        }
    }
}
fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_root_is_that_of_rfc_6962_over_the_record_hashes() {
    let book = Book::of_office();
    let gifts: String = (0..600).map(|n| crate::book::GIFT.replace("\"vnd\":7", &format!("\"vnd\":{n}")) + "\n").collect();
    book.import(gifts.as_bytes()).done();
    let leaves: Vec<Vec<u8>> =
        book.run("log", &["--json"]).lines().iter().map(|record| bytes(record["record_hash"].as_str().unwrap())).collect();
    let head = book.run("head", &["--json"]).json();
    assert_eq!(head["root_hex"], hex(&tree_head(&leaves)));
    // And of every earlier size around a power of two.
    for size in [0, 1, 2, 3, 7, 8, 9, 255, 256, 257, 511, 512, 513] {
        let then = book.run("tally", &["registered", "--as-of", &size.to_string(), "--format", "json"]).json();
        let root = then["root"].as_str().unwrap();
        assert_eq!(root, base64(&tree_head(&leaves[..size])), "at size {size}");
    }
}

/// RFC 4648 with padding, for 32 bytes.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * index)) as usize & 63];
            out.push(if index > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    out
}
