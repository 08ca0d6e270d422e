//! Proofs of inclusion as files (C2SP tlog-proof).

use super::text::{self, Lines};
use super::verify::{Proven, verify_leaf};
use super::{Checkpoint, EvidenceError, Policy};
use crate::ids::Position;
use crate::limits::EVIDENCE_BYTES_MAX;
use crate::tree::{self, Hash};
use std::fmt;
use std::str::FromStr;

const WHAT: &str = "a tlog-proof";
const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// A C2SP tlog-proof: that some entry stands at a position under a checkpoint. Displays as exactly the bytes it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// What the application needs beside the proof; it proves nothing by itself. Empty bytes are written as none.
    pub extra: Option<Vec<u8>>,
    /// Where the entry stands.
    pub position: Position,
    /// From the leaf's sibling up to the root's child.
    pub hashes: Vec<Hash>,
    /// What the hashes lead to.
    pub checkpoint: Checkpoint,
}

impl TlogProof {
    /// Reads a proof. Nothing is verified.
    ///
    /// # Errors
    /// [`EvidenceError::Malformed`] with the line, or [`EvidenceError::TooLarge`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let mut lines = Lines::new(WHAT, text::checked(WHAT, bytes, ("EVIDENCE_BYTES_MAX", EVIDENCE_BYTES_MAX))?);
        lines.exactly(FIRST_LINE)?;
        let extra = match lines.optional_field("extra") {
            Some("") => return Err(lines.bad("an empty extra line is left out")),
            Some(extra) => Some(text::unbase64(extra).ok_or_else(|| lines.bad("the extra data is not canonical base64"))?),
            None => None,
        };
        let position = lines.field("index")?;
        let position =
            Position(text::decimal(position).ok_or_else(|| lines.bad("the index is not a canonical decimal below 2^63"))?);
        let hashes = lines.hashes()?;
        let checkpoint = Checkpoint::parse(lines.rest().as_bytes()).map_err(|e| e.after(lines.taken()))?;
        Ok(Self { extra, position, hashes, checkpoint })
    }
    /// That the raw entry stands at the position: its leaf is SHA-256(0x00 ‖ entry). `extra` is not looked at.
    ///
    /// # Errors
    /// When it does not follow, or the checkpoint does not hold under the policy.
    pub fn verify_entry(&self, entry: &[u8], policy: &Policy) -> Result<Proven, EvidenceError> {
        let checkpoint = verify_leaf(&tree::leaf_of_entry(entry), self.position, &self.hashes, &self.checkpoint, policy)?;
        Ok(Proven { position: self.position, record_hash: None, frame: None, checkpoint })
    }
}
impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if let Some(extra) = self.extra.as_ref().filter(|extra| !extra.is_empty()) {
            writeln!(f, "extra {}", text::base64(extra))?;
        }
        writeln!(f, "index {}", self.position)?;
        for hash in &self.hashes {
            writeln!(f, "{}", text::base64(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}
impl FromStr for TlogProof {
    type Err = EvidenceError;
    fn from_str(text: &str) -> Result<Self, EvidenceError> {
        Self::parse(text.as_bytes())
    }
}
