//! Proofs of our own records: a tlog-proof whose `extra` says what its leaf is made of (docs/FORMAT.md §11.3).

use super::verify::{Proven, verify_leaf};
use super::{Checkpoint, EvidenceError, Policy, TlogProof};
use crate::ids::{Position, RecordHash};
use crate::record::Frame;
use crate::tree::{self, Hash};
use bytes::Bytes;
use std::fmt;
use std::str::FromStr;

const WHAT: &str = "a proof of a record";
const RECORD_HASH: u8 = 0x01;
const RECORD: u8 = 0x02;

/// What a proof's leaf is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// The record's hash alone: 0x01 and 32 bytes.
    Hash(RecordHash),
    /// The public record: 0x02 and its frame. Personal values are commitments in it.
    Record(Frame),
}
impl Leaf {
    fn to_extra(&self) -> Vec<u8> {
        match self {
            Self::Hash(hash) => [&[RECORD_HASH][..], &hash.0].concat(),
            Self::Record(frame) => [&[RECORD][..], frame.bytes()].concat(),
        }
    }
    fn read(extra: &[u8]) -> Result<Self, EvidenceError> {
        let bad = |why: String| EvidenceError::malformed(WHAT, 2, why);
        match extra.split_first() {
            Some((&RECORD_HASH, hash)) => hash
                .try_into()
                .map(|hash| Self::Hash(RecordHash(hash)))
                .map_err(|_| bad(format!("a record hash has 32 bytes, not {}", hash.len()))),
            Some((&RECORD, frame)) => {
                Frame::parse(Bytes::copy_from_slice(frame)).map(Self::Record).map_err(|error| bad(format!("no record: {error}")))
            }
            Some((first, _)) => Err(bad(format!("the extra data starts with 0x{first:02x}, not with 0x01 or 0x02"))),
            None => Err(bad("the extra line is missing".into())),
        }
    }
    /// The hash of the record at `position`.
    #[must_use]
    pub fn record_hash(&self, position: Position) -> RecordHash {
        match self {
            Self::Hash(hash) => *hash,
            Self::Record(frame) => frame.hash(position),
        }
    }
}

/// That a record is in the log: self-contained, to be checked without the ledger. Displays as exactly the bytes it was read from.
///
/// Its `extra` line is required, and holds nothing but the [`Leaf`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    proof: TlogProof,
    leaf: Leaf,
}

impl Receipt {
    /// A receipt of its parts: the record or its hash, where it stands, the inclusion proof for the checkpoint's size, the checkpoint.
    #[must_use]
    pub fn of(position: Position, leaf: Leaf, hashes: Vec<Hash>, checkpoint: Checkpoint) -> Self {
        Self { proof: TlogProof { extra: Some(leaf.to_extra()), position, hashes, checkpoint }, leaf }
    }
    /// Reads a receipt. Nothing is verified.
    ///
    /// # Errors
    /// [`EvidenceError::Malformed`] with the line, or [`EvidenceError::TooLarge`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EvidenceError> {
        TlogProof::parse(bytes)?.try_into()
    }
    /// The proof as C2SP knows it.
    #[must_use]
    pub fn proof(&self) -> &TlogProof {
        &self.proof
    }
    /// What the leaf is made of.
    #[must_use]
    pub fn leaf(&self) -> &Leaf {
        &self.leaf
    }
    /// Where the record stands.
    #[must_use]
    pub fn position(&self) -> Position {
        self.proof.position
    }
    /// The checkpoint, to which cosignatures may be added.
    pub fn checkpoint_mut(&mut self) -> &mut Checkpoint {
        &mut self.proof.checkpoint
    }
    /// That the record stands at its position in a log that the policy trusts.
    ///
    /// # Errors
    /// When it does not follow, or the checkpoint does not hold under the policy.
    pub fn verify(&self, policy: &Policy) -> Result<Proven, EvidenceError> {
        let TlogProof { position, hashes, checkpoint, .. } = &self.proof;
        let record_hash = self.leaf.record_hash(*position);
        let checkpoint = verify_leaf(&tree::leaf_hash(&record_hash), *position, hashes, checkpoint, policy)?;
        let frame = match &self.leaf {
            Leaf::Hash(_) => None,
            Leaf::Record(frame) => Some(frame.clone()),
        };
        Ok(Proven { position: *position, record_hash: Some(record_hash), frame, checkpoint })
    }
}
impl TryFrom<TlogProof> for Receipt {
    type Error = EvidenceError;
    fn try_from(proof: TlogProof) -> Result<Self, EvidenceError> {
        let leaf = Leaf::read(proof.extra.as_deref().unwrap_or_default())?;
        Ok(Self { proof, leaf })
    }
}
impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.proof.fmt(f)
    }
}
impl FromStr for Receipt {
    type Err = EvidenceError;
    fn from_str(text: &str) -> Result<Self, EvidenceError> {
        Self::parse(text.as_bytes())
    }
}
