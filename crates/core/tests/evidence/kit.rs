//! A small log with the keys of everybody around it. Seeds of equal bytes: test keys, never to be trusted.

use bytes::Bytes;
use sovang_core::evidence::{Checkpoint, Growth, KeyKind, Leaf, Policy, Receipt, SecretKey, VerifierKey};
use sovang_core::record::Frame;
use sovang_core::tree::{self, Hash, Node};
use sovang_core::{Head, Position, RecordHash, Root, Size};

pub(crate) const ORIGIN: &str = "example.org/golden";

pub(crate) fn secret(name: &str, seed: u8) -> SecretKey {
    SecretKey::from_seed(name, [seed; 32]).expect("a key")
}
pub(crate) fn log_key() -> SecretKey {
    secret(ORIGIN, 1)
}
pub(crate) fn log_vkey() -> VerifierKey {
    log_key().verifier(KeyKind::Ed25519)
}
/// The n-th witness, from 1.
pub(crate) fn witness(n: u8) -> SecretKey {
    secret(&format!("w{n}.example.net"), 100 + n)
}
pub(crate) fn witness_vkey(n: u8) -> VerifierKey {
    witness(n).verifier(KeyKind::Cosignature)
}
pub(crate) fn trusting() -> Policy {
    Policy::key(log_vkey()).expect("a policy")
}
/// A policy of the log and the first `n` witnesses, `threshold` of which must have signed.
pub(crate) fn policy(n: u8, threshold: &str) -> Policy {
    let mut file = format!("log {}\n", log_vkey());
    for w in 1..=n {
        file += &format!("witness w{w} {}\n", witness_vkey(w));
    }
    let names: Vec<String> = (1..=n).map(|w| format!("w{w}")).collect();
    file += &format!("group some {threshold} {}\nquorum some\n", names.join(" "));
    Policy::parse(file.as_bytes()).expect("a policy")
}

/// A public record without personal fields.
pub(crate) fn frame(n: u8) -> Frame {
    let actor = b"clerk:lan";
    let mut body = vec![22, 0, 0, 0, 0, 0];
    body.extend((actor.len() as u64).to_le_bytes());
    body.extend(actor);
    body.extend([0, 0]);
    body.extend(vec![n; usize::from(n) + 1]);
    let mut bytes = Vec::new();
    bytes.extend((body.len() as u32).to_le_bytes());
    bytes.extend([3, 0, 1, 0, 0, 0, 0, 0]);
    bytes.extend((20_000 + i32::from(n)).to_le_bytes());
    bytes.extend((1_728_900_000_000_000 + i64::from(n)).to_le_bytes());
    bytes.extend((0..16).map(|i| n + i));
    bytes.extend(body);
    Frame::parse(Bytes::from(bytes)).expect("a frame")
}

/// A log of the records 0, 1, 2 …
pub(crate) struct Log {
    pub(crate) leaves: Vec<Hash>,
}
impl Log {
    pub(crate) fn of(size: u8) -> Self {
        let leaf = |n: u8| tree::leaf_hash(&frame(n).hash(Position(u64::from(n))));
        Self { leaves: (0..size).map(leaf).collect() }
    }
    /// The same log with another record at `position`.
    pub(crate) fn forged(size: u8, position: u8) -> Self {
        let mut log = Self::of(size);
        log.leaves[usize::from(position)] = tree::leaf_hash(&RecordHash([0; 32]));
        log
    }
    fn nodes(&self) -> impl FnMut(Node) -> Result<Hash, ()> + '_ {
        |node| self.leaves.get(node.leaves()).map(tree::perfect_root).ok_or(())
    }
    pub(crate) fn head(&self, size: u64) -> Head {
        Head { size: Size(size), root: tree::root(Size(size), &mut self.nodes()).expect("a root") }
    }
    pub(crate) fn root(&self, size: u64) -> Root {
        self.head(size).root
    }
    pub(crate) fn size(&self) -> u64 {
        self.leaves.len() as u64
    }
    pub(crate) fn checkpoint(&self, size: u64) -> Checkpoint {
        Checkpoint::sign(&log_key(), self.head(size)).expect("a checkpoint")
    }
    /// Cosigned by the first `n` witnesses, a minute after one another.
    pub(crate) fn cosigned(&self, size: u64, n: u8) -> Checkpoint {
        let mut checkpoint = self.checkpoint(size);
        for w in 1..=n {
            let line = witness(w).cosign(&checkpoint, 1_750_000_000 + 60 * u64::from(w));
            checkpoint.add(line).expect("a line");
        }
        checkpoint
    }
    pub(crate) fn inclusion(&self, position: u64) -> Vec<Hash> {
        tree::inclusion_proof(Position(position), Size(self.size()), &mut self.nodes()).expect("a proof")
    }
    pub(crate) fn consistency(&self, old: u64) -> Vec<Hash> {
        tree::consistency_proof(Size(old), Size(self.size()), &mut self.nodes()).expect("a proof")
    }
    pub(crate) fn receipt(&self, position: u8, checkpoint: Checkpoint) -> Receipt {
        let position = u64::from(position);
        Receipt::of(Position(position), Leaf::Record(frame(position as u8)), self.inclusion(position), checkpoint)
    }
    pub(crate) fn growth(&self, old: u64, checkpoint: Checkpoint) -> Growth {
        Growth { old: Size(old), hashes: self.consistency(old), checkpoint }
    }
}
