//! What leaves the ledger: notes, checkpoints, proofs, receipts, growth, fork proofs, statements, policies, keys, tiles.

use crate::INPUT_BYTES_MAX;
use sovang_core::Head;
use sovang_core::evidence::tiles::{self, Tile};
use sovang_core::evidence::{
    Checkpoint, EvidenceError, ForkProof, Growth, Note, Policy, Receipt, SignatureLine, Statement, TlogProof, VerifierKey,
    verify_checkpoint,
};
use std::fmt::Display;
use std::str::FromStr;
use std::sync::OnceLock;

/// The policy under which [`RECEIPT`] holds.
const POLICY: &[u8] = include_bytes!("../../core/tests/golden/policy");
const CHECKPOINT: &[u8] = include_bytes!("../../core/tests/golden/checkpoint.cosigned");
const RECEIPT: &[u8] = include_bytes!("../../core/tests/golden/receipt");

/// Sound texts, each with the first byte that says what it is.
pub(crate) const SEEDS: &[(u8, &[u8])] = &[
    (0, CHECKPOINT),
    (1, include_bytes!("../../core/tests/golden/checkpoint")),
    (1, CHECKPOINT),
    (2, include_bytes!("../../core/tests/golden/proof")),
    (3, RECEIPT),
    (4, include_bytes!("../../core/tests/golden/growth")),
    (5, include_bytes!("../../core/tests/golden/fork.growth")),
    (5, include_bytes!("../../core/tests/golden/fork.same-size")),
    (6, include_bytes!("../../core/tests/golden/statement")),
    (7, POLICY),
    (8, b"tile/entries/x001/x234/067.p/8"),
    (9, b"example.org/log+00000000+AQAA"),
    (10, b"\x01\x00\x00\x20abcdefghijklmnopqrstuvwxyz012345"),
];

fn policy() -> &'static Policy {
    static POLICY_READ: OnceLock<Policy> = OnceLock::new();
    POLICY_READ.get_or_init(|| Policy::parse(POLICY).expect("the policy is sound"))
}
/// The heads that the policy's log has signed, among all that anyone here has seen.
fn signed(head: Head) -> bool {
    static HEADS: OnceLock<Vec<Head>> = OnceLock::new();
    let of = |bytes| Checkpoint::parse(bytes).expect("a checkpoint").head();
    let heads = HEADS.get_or_init(|| {
        let receipt = TlogProof::parse(RECEIPT).expect("a proof").checkpoint.head();
        let growth = Growth::parse(include_bytes!("../../core/tests/golden/growth")).expect("growth").checkpoint.head();
        let mut heads = vec![of(CHECKPOINT), receipt, growth];
        for fork in
            [&include_bytes!("../../core/tests/golden/fork.growth")[..], include_bytes!("../../core/tests/golden/fork.same-size")]
        {
            let fork = ForkProof::parse(fork).expect("a fork proof");
            heads.extend([fork.a().head(), fork.b().head()]);
        }
        for other in
            [&include_bytes!("../../core/tests/golden/checkpoint")[..], include_bytes!("../../core/tests/golden/checkpoint.old")]
        {
            heads.push(of(other));
        }
        let statement = Statement::parse(include_bytes!("../../core/tests/golden/statement")).expect("a statement");
        heads.push(statement.checkpoint().head());
        heads
    });
    heads.contains(&head)
}

/// What parses gives the same bytes back; and what holds under a policy is something that its log has signed.
///
/// # Panics
/// When that does not hold.
pub fn run(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first().filter(|_| bytes.len() <= INPUT_BYTES_MAX) else { return };
    match which {
        0 => drop(same(Note::parse(bytes), bytes)),
        1 => {
            if let Some(checkpoint) = same(Checkpoint::parse(bytes), bytes)
                && let Ok(verified) = verify_checkpoint(&checkpoint, policy())
            {
                assert!(signed(verified.head), "nobody signed that");
            }
        }
        2 => drop(same(TlogProof::parse(bytes), bytes)),
        3 => {
            if let Some(receipt) = same(Receipt::parse(bytes), bytes)
                && let Ok(proven) = receipt.verify(policy())
            {
                assert!(signed(proven.checkpoint.head), "nobody signed that");
                let there = Receipt::parse(RECEIPT).and_then(|receipt| receipt.verify(policy())).expect("it holds");
                assert!(proven.position != there.position || proven.record_hash == there.record_hash, "one record at a position");
            }
        }
        4 => drop(same(Growth::parse(bytes), bytes)),
        5 => drop(same(ForkProof::parse(bytes), bytes)),
        6 => drop(same(Statement::parse(bytes), bytes)),
        7 => refused(Policy::parse(bytes)),
        8 => named::<Tile>(bytes),
        9 => {
            named::<VerifierKey>(bytes);
            named::<SignatureLine>(bytes);
        }
        10 => tile(bytes),
        _ => {}
    }
}

fn same<T: Display>(parsed: Result<T, EvidenceError>, bytes: &[u8]) -> Option<T> {
    match parsed {
        Ok(value) => {
            assert_eq!(value.to_string().as_bytes(), bytes, "there is one way to write it");
            Some(value)
        }
        Err(error) => {
            refused::<T>(Err(error));
            None
        }
    }
}
fn named<T: Display + FromStr<Err = EvidenceError>>(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        same(text.parse::<T>(), bytes);
    }
}
fn refused<T>(parsed: Result<T, EvidenceError>) {
    if let Err(error) = parsed {
        assert!(!error.to_string().is_empty(), "a refusal says why");
    }
}

/// What a tile's file holds, of a width that the first two bytes say.
fn tile(bytes: &[u8]) {
    let Some((width, bytes)) = bytes.split_first_chunk::<2>() else { return };
    let width = u16::from_le_bytes(*width);
    if let Ok(hashes) = tiles::decode_hashes(bytes, width) {
        assert_eq!(tiles::encode_hashes(&hashes), bytes);
    }
    if let Ok(entries) = tiles::decode_entries(bytes, width) {
        assert_eq!(tiles::encode_entries(&entries), bytes);
    }
    if let Ok(records) = tiles::decode_records(bytes, width) {
        assert_eq!(records.len(), usize::from(width));
        assert_eq!(tiles::encode_records(records).expect("records that were read"), bytes);
    }
}
