//! Proofs and receipts: the one path from a record to a signature.

use crate::kit::{self, Log};
use sovang_core::evidence::{EvidenceError, Leaf, Policy, Receipt, TlogProof, VerifierKey};
use sovang_core::{Position, RecordHash, tree};

fn vector(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../../tests/vectors/sumdb/{name}", env!("CARGO_MANIFEST_DIR"))).expect("readable")
}

#[test]
fn the_go_checksum_database() {
    let key: VerifierKey = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8".parse().unwrap();
    let file = vector("go.sum-database-tree-43930254.tlog-proof");
    let entry = vector("go.sum-database-tree-43930254.raw");
    let proof = TlogProof::parse(&file).unwrap();
    assert_eq!(proof.to_string().as_bytes(), file);
    let policy = Policy::key(key.clone()).unwrap().with_origin("go.sum database tree").unwrap();
    let proven = proof.verify_entry(&entry, &policy).unwrap();
    assert_eq!((proven.position, proven.checkpoint.head.size.0), (Position(43_930_254), 58_253_265));
    assert_eq!(proven.record_hash, None);

    // Its origin is not its key's name.
    assert!(matches!(proof.verify_entry(&entry, &Policy::key(key).unwrap()), Err(EvidenceError::UnknownOrigin { .. })));
    for at in 0..entry.len() {
        let mut other = entry.clone();
        other[at] ^= 1;
        assert!(matches!(proof.verify_entry(&other, &policy), Err(EvidenceError::Proof { .. })), "byte {at}");
    }
    // Nobody has put one of our records there.
    assert!(Receipt::parse(&file).unwrap_err().is_malformed());
}

#[test]
fn every_record_of_logs_up_to_twenty() {
    for size in 1..=20u8 {
        let log = Log::of(size);
        for position in 0..size {
            let receipt = log.receipt(position, log.checkpoint(u64::from(size)));
            let read: Receipt = receipt.to_string().parse().unwrap();
            assert_eq!(read, receipt);
            let proven = read.verify(&kit::trusting()).unwrap();
            let frame = kit::frame(position);
            assert_eq!(proven.record_hash, Some(frame.hash(Position(u64::from(position)))));
            assert_eq!((proven.position.0, proven.frame), (u64::from(position), Some(frame)));
            // The same as any C2SP verifier does it.
            let entry = proven.record_hash.unwrap().0;
            receipt.proof().verify_entry(&entry, &kit::trusting()).unwrap();
        }
    }
}

#[test]
fn a_receipt_of_another_place_or_record_is_refused() {
    let log = Log::of(9);
    let checkpoint = || log.checkpoint(9);
    let parts =
        |position: u64, leaf: Leaf, hashes| Receipt::of(Position(position), leaf, hashes, checkpoint()).verify(&kit::trusting());
    let record = |n: u8| Leaf::Record(kit::frame(n));
    assert!(parts(3, record(3), log.inclusion(3)).is_ok());
    for refused in [
        parts(3, record(4), log.inclusion(3)),
        parts(4, record(3), log.inclusion(3)),
        parts(3, record(3), log.inclusion(4)),
        parts(3, record(3), log.inclusion(3)[1..].to_vec()),
        parts(3, record(3), [log.inclusion(3), vec![[0; 32]]].concat()),
        parts(9, record(3), log.inclusion(3)),
        parts(3, Leaf::Hash(RecordHash([0; 32])), log.inclusion(3)),
        // A node of the tree is no record: its preimage has 65 bytes, and a record hash 32.
        parts(0, Leaf::Hash(RecordHash(tree::node_hash(&log.leaves[0], &log.leaves[1]))), log.inclusion(0)[1..].to_vec()),
    ] {
        assert!(matches!(refused, Err(EvidenceError::Proof { .. })), "{refused:?}");
    }
    // Of the same record in an older state of the log.
    let old = Receipt::of(Position(3), record(3), log.inclusion(3), log.checkpoint(8));
    assert!(old.verify(&kit::trusting()).is_err());
}

#[test]
fn what_is_no_proof_is_refused() {
    let log = Log::of(6);
    let good = log.receipt(2, log.checkpoint(6)).to_string();
    let hash = good.lines().nth(3).unwrap().to_owned();
    let extra = good.lines().nth(1).unwrap().to_owned();
    for bad in [
        good.replacen("@v1", "@v2", 1),
        format!("\n{good}"),
        format!(" {good}"),
        format!("\u{feff}{good}"),
        format!("{good}\n"),
        format!("{good}x\n"),
        good.trim_end().to_owned(),
        good.replacen("index 2", "index 02", 1),
        good.replacen("index 2", "index  2", 1),
        good.replacen("index 2", "index 2 ", 1),
        good.replacen("index 2", "index", 1),
        good.replacen("index 2", "Index 2", 1),
        good.replacen("index 2", "index 9223372036854775808", 1),
        good.replacen("index 2\n", "", 1),
        good.replacen("index 2\n", "index 2\nindex 2\n", 1),
        good.replacen("extra ", "extra  ", 1),
        good.replacen(&extra, "extra ", 1),
        good.replacen(&extra, "extra", 1),
        good.replacen(&extra, &format!("{extra}\n{extra}"), 1),
        good.replacen(&format!("{extra}\nindex 2"), &format!("index 2\n{extra}"), 1),
        good.replacen(&hash, "", 1),
        good.replacen(&hash, &format!("{hash}\n"), 1),
        good.replacen(&hash, &format!("{hash} "), 1),
        good.replacen(&hash, &hash[4..], 1),
        good.replacen(&hash, &hash.to_lowercase().replace('=', ""), 1),
        good.replacen(&hash, &[hash.as_str(); 64].join("\n"), 1),
        good.replacen("\n\n", "\n", 1),
        good.replacen("\n\n", "\n\n\n", 1),
        good.replace('\n', "\r\n"),
    ] {
        let error = TlogProof::parse(bad.as_bytes()).unwrap_err();
        assert!(error.is_malformed(), "{bad:?}: {error}");
    }
    let error = TlogProof::parse(good.replacen(&hash, "x", 1).as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "not a tlog-proof: line 4: a hash is 32 bytes in canonical base64");
    // In the checkpoint the line is still that of the file.
    let error = TlogProof::parse(good.replacen("\n6\n", "\n06\n", 1).as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "not a checkpoint: line 9: the size is not a canonical decimal below 2^63");
}

#[test]
fn extra_holds_exactly_one_leaf() {
    let log = Log::of(6);
    let with = |extra: Option<Vec<u8>>| TlogProof {
        extra,
        position: Position(2),
        hashes: log.inclusion(2),
        checkpoint: log.checkpoint(6),
    };
    let frame = kit::frame(2).into_bytes().to_vec();
    let hash = kit::frame(2).hash(Position(2)).0.to_vec();
    for good in [[vec![1], hash.clone()].concat(), [vec![2], frame.clone()].concat()] {
        Receipt::try_from(with(Some(good))).unwrap().verify(&kit::trusting()).unwrap();
    }
    for bad in [
        None,
        Some(Vec::new()),
        Some(vec![1]),
        Some(vec![2]),
        Some(vec![0]),
        Some([vec![1], hash[1..].to_vec()].concat()),
        Some([vec![1], hash.clone(), vec![0]].concat()),
        Some([vec![2], frame[..frame.len() - 1].to_vec()].concat()),
        Some([vec![2], frame.clone(), vec![0]].concat()),
        Some([vec![3], frame].concat()),
        Some(hash),
    ] {
        let error = Receipt::try_from(with(bad.clone())).unwrap_err();
        assert!(error.is_malformed(), "{bad:?}: {error}");
    }
}

#[test]
fn a_proof_of_another_log_may_have_any_extra_and_none() {
    let log = Log::of(6);
    let entry = kit::frame(2).hash(Position(2)).0;
    for extra in [None, Some(vec![7; 300])] {
        let proof = TlogProof { extra, position: Position(2), hashes: log.inclusion(2), checkpoint: log.checkpoint(6) };
        let read: TlogProof = proof.to_string().parse().unwrap();
        assert_eq!(read, proof);
        read.verify_entry(&entry, &kit::trusting()).unwrap();
        assert!(read.verify_entry(&entry[1..], &kit::trusting()).is_err());
    }
}

#[test]
fn a_log_of_one_record_has_no_hashes() {
    let log = Log::of(1);
    let receipt = log.receipt(0, log.checkpoint(1));
    assert!(receipt.proof().hashes.is_empty());
    receipt.to_string().parse::<Receipt>().unwrap().verify(&kit::trusting()).unwrap();
}
