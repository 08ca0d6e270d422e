//! Checkpoints (C2SP tlog-checkpoint): a log's head, signed. Of exactly three lines: extension lines are refused.

use super::EvidenceError;
use super::key::SecretKey;
use super::note::{Note, SignatureLine};
use super::text::{self, Lines};
use crate::ids::{Head, Root, Size};
use crate::tree;
use std::fmt;
use std::str::FromStr;

const WHAT: &str = "a checkpoint";

/// A signed head. What it says counts only once [`super::verify_checkpoint`] has accepted it. Displays as exactly the bytes it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    head: Head,
    note: Note,
}

impl Checkpoint {
    /// The three lines that a log signs. `origin` is one line that is not empty; ours are key names.
    #[must_use]
    pub fn unsigned(origin: &str, head: Head) -> String {
        format!("{origin}\n{}\n{}\n", head.size, head.root.to_base64())
    }
    /// The head signed by the log's key, whose name is the origin. Signing two heads of which neither extends the other is a fork:
    /// to prevent that is the caller's part (docs/FORMAT.md §11.2).
    ///
    /// # Errors
    /// When the head cannot be: size 0 with another root than that of nothing, or a size over 2^63 - 1.
    pub fn sign(key: &SecretKey, head: Head) -> Result<Self, EvidenceError> {
        let text = Self::unsigned(key.name(), head);
        let line = key.sign_text(&text);
        Self::of(Note::new(&text, vec![line])?)
    }
    /// Reads a checkpoint. No signature is verified.
    ///
    /// # Errors
    /// [`EvidenceError::Malformed`] with the line, or [`EvidenceError::TooLarge`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EvidenceError> {
        Self::of(Note::parse(bytes)?)
    }
    fn of(note: Note) -> Result<Self, EvidenceError> {
        let mut lines = Lines::new(WHAT, note.text());
        let origin = lines.next("the origin")?;
        if origin.is_empty() {
            return Err(lines.bad("the origin is empty"));
        }
        let size = Size(
            text::decimal(lines.next("the size")?).ok_or_else(|| lines.bad("the size is not a canonical decimal below 2^63"))?,
        );
        let root = lines.next("the root")?;
        let root = Root(text::hash(root).ok_or_else(|| lines.bad("the root is not 32 bytes in canonical base64"))?);
        if size == Size::ZERO && root != tree::empty_root() {
            return Err(lines.bad("at size 0 the root is that of nothing"));
        }
        if !lines.rest().is_empty() {
            return Err(EvidenceError::malformed(WHAT, 4, "a line after the root: extension lines are refused"));
        }
        Ok(Self { origin: origin.to_owned(), head: Head { size, root }, note })
    }
    /// Which log it is of, by its own words.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }
    /// Size and root.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }
    /// Text and signature lines.
    #[must_use]
    pub fn note(&self) -> &Note {
        &self.note
    }
    /// Adds a signature line at the end, unless the very same is there.
    ///
    /// # Errors
    /// When the line is no signature line, or the note would be over a limit.
    pub fn add(&mut self, line: SignatureLine) -> Result<(), EvidenceError> {
        self.note.add(line)
    }
    /// Adds the lines of another copy of the same checkpoint that are not here yet.
    ///
    /// # Errors
    /// [`EvidenceError::Disagrees`] when the texts differ; else as [`Self::add`], and then nothing was added.
    pub fn merge(&mut self, other: &Self) -> Result<(), EvidenceError> {
        if self.note.text() != other.note.text() {
            return Err(EvidenceError::Disagrees { what: "the two checkpoints are not of one head".into() });
        }
        let mut merged = self.note.clone();
        for line in other.note.signatures() {
            merged.add(line.clone())?;
        }
        self.note = merged;
        Ok(())
    }
}
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}
impl FromStr for Checkpoint {
    type Err = EvidenceError;
    fn from_str(text: &str) -> Result<Self, EvidenceError> {
        Self::parse(text.as_bytes())
    }
}
