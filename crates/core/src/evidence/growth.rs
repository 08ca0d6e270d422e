//! That a log only grew: the body of a C2SP tlog-witness add-checkpoint request (docs/FORMAT.md §11.4).

use super::text::{self, Lines};
use super::{Checkpoint, EvidenceError, Policy, VerifiedCheckpoint, verify_checkpoint};
use crate::ids::{Head, Size};
use crate::limits::EVIDENCE_BYTES_MAX;
use crate::tree::{self, Hash, ProofError};
use std::fmt;
use std::str::FromStr;

const WHAT: &str = "a growth file";

/// A checkpoint with the proof that it extends an earlier one. Displays as exactly the bytes it was read from.
///
/// ```
/// use sovang_core::evidence::{Checkpoint, Growth, KeyKind, Policy, SecretKey};
/// use sovang_core::{Head, RecordHash, Root, Size, tree};
/// let leaves = [1, 2].map(|n| tree::leaf_hash(&RecordHash([n; 32])));
/// let log = SecretKey::from_seed("example.org/log", [7; 32])?;
/// let old = Checkpoint::sign(&log, Head { size: Size(1), root: Root(leaves[0]) })?;
/// let new = Checkpoint::sign(&log, Head { size: Size(2), root: Root(tree::node_hash(&leaves[0], &leaves[1])) })?;
/// let growth = Growth { old: Size(1), hashes: vec![leaves[1]], checkpoint: new };
/// growth.verify(&old, &Policy::key(log.verifier(KeyKind::Ed25519))?)?;
/// # Ok::<(), sovang_core::evidence::EvidenceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    /// The earlier size.
    pub old: Size,
    /// The consistency proof (RFC 6962 §2.1.2); none from size 0, and none when nothing was added.
    pub hashes: Vec<Hash>,
    /// The later checkpoint.
    pub checkpoint: Checkpoint,
}

/// Two checkpoints of one log, the later of which extends the earlier.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grown {
    /// The earlier one. At size 0 that says nothing about the later one: every log extends the empty one.
    pub old: VerifiedCheckpoint,
    /// The later one.
    pub new: VerifiedCheckpoint,
}

impl Growth {
    /// Reads a growth file. Nothing is verified.
    ///
    /// # Errors
    /// [`EvidenceError::Malformed`] with the line, or [`EvidenceError::TooLarge`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let mut lines = Lines::new(WHAT, text::checked(WHAT, bytes, ("EVIDENCE_BYTES_MAX", EVIDENCE_BYTES_MAX))?);
        let old = lines.field("old")?;
        let old = Size(text::decimal(old).ok_or_else(|| lines.bad("the old size is not a canonical decimal below 2^63"))?);
        let hashes = lines.hashes()?;
        let checkpoint = Checkpoint::parse(lines.rest().as_bytes()).map_err(|e| e.after(lines.taken()))?;
        let new = checkpoint.head().size;
        if old > new {
            return Err(EvidenceError::malformed(WHAT, 1, "the old size is above the checkpoint's"));
        }
        if !hashes.is_empty() && (old == Size::ZERO || old == new) {
            return Err(EvidenceError::malformed(WHAT, 2, "from size 0, and when nothing was added, there is no hash"));
        }
        Ok(Self { old, hashes, checkpoint })
    }
    /// That the checkpoint extends the tree `old`, whoever signed either. From size 0 nothing is proven, since every tree extends it: the
    /// witness's first contact.
    ///
    /// # Errors
    /// [`EvidenceError::Disagrees`] when `old` is of another size, [`EvidenceError::Proof`] when it does not follow.
    pub fn extends(&self, old: &Head) -> Result<(), EvidenceError> {
        if old.size != self.old {
            let what = format!("the growth is from size {}, but the earlier checkpoint is of size {}", self.old, old.size);
            return Err(EvidenceError::Disagrees { what: what.into() });
        }
        let proof = if old.size > Size::ZERO {
            tree::verify_consistency(old, &self.checkpoint.head(), &self.hashes)
        } else if !self.hashes.is_empty() {
            Err(ProofError::Length)
        } else if old.root != tree::empty_root() {
            Err(ProofError::Mismatch)
        } else {
            Ok(())
        };
        proof.map_err(|error| EvidenceError::Proof { what: "that the later checkpoint extends the earlier one", error })
    }
    /// That both checkpoints hold under the policy, are of one log, and the later one extends the earlier. The policy's greatest age is asked of
    /// the later one only.
    ///
    /// # Errors
    /// The first of these that does not hold.
    pub fn verify(&self, old: &Checkpoint, policy: &Policy) -> Result<Grown, EvidenceError> {
        let earlier =
            verify_checkpoint(old, &policy.without_max_age()).map_err(|error| error.within("the earlier checkpoint"))?;
        let later = verify_checkpoint(&self.checkpoint, policy).map_err(|error| error.within("the later checkpoint"))?;
        if earlier.origin != later.origin {
            let what = format!("the checkpoints are of two logs, {:?} and {:?}", earlier.origin, later.origin);
            return Err(EvidenceError::Disagrees { what: what.into() });
        }
        self.extends(&earlier.head)?;
        Ok(Grown { old: earlier, new: later })
    }
}
impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        for hash in &self.hashes {
            writeln!(f, "{}", text::base64(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}
impl FromStr for Growth {
    type Err = EvidenceError;
    fn from_str(text: &str) -> Result<Self, EvidenceError> {
        Self::parse(text.as_bytes())
    }
}
