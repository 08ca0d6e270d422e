//! What a ledger records about itself: erasures, disclosures, keys, anchors in time, statements (docs/FORMAT.md §3).

use crate::codec::CodecError;
use crate::error::{Error, ErrorKind};
use crate::event::{Decoder, Encoder, Event, Kind};
use crate::ids::RecordId;
use crate::limits;

/// A record of the ledger itself, of a kind number from 0xFF00 on. Typed reads and folds pass over it.
///
/// It names no person and holds no personal value: a subject's id, a name or an address in one of these texts would be public for
/// ever. The desk refuses a basis, a reader or a purpose that holds one that the vault knows.
///
/// ```
/// use sovang_core::event::LedgerEvent;
/// let rotated = LedgerEvent::KeyRotated { old: None, new: "example.org/book+0123abcd+AQ==".into() };
/// assert!(rotated.validate().is_ok());
/// let blank = LedgerEvent::KeyRotated { old: None, new: " ".into() };
/// assert_eq!(blank.validate().unwrap_err().to_string(), "new is blank");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LedgerEvent {
    /// A person's data was erased.
    SubjectErased {
        /// Drawn with the subject's key and unlinkable to the subject.
        handle: [u8; 16],
        /// The legal basis.
        basis: String,
    },
    /// One personal value was given to one reader.
    ValueDisclosed {
        /// The record that the value belongs to.
        record: RecordId,
        /// The field's number in that record.
        field: u16,
        /// Who got it: an office, a role.
        reader: String,
        /// What for.
        purpose: String,
    },
    /// From here on another key signs the log's checkpoints.
    KeyRotated {
        /// The vkey of the key that signed until here, if there was one.
        old: Option<String>,
        /// The vkey of the key that signs from here on.
        new: String,
    },
    /// Something that nobody could know before a moment: what comes after this record was recorded after that moment.
    TimeAnchored {
        /// What the text is: [`Self::ANCHOR_CHECKPOINT`] or [`Self::ANCHOR_VALUE`].
        what: String,
        /// The cosigned checkpoint as a note, or the fresh public value.
        text: String,
        /// Where it was taken from.
        source: String,
    },
    /// A signed statement of figures was given out.
    StatementIssued {
        /// The digest of the statement's result.
        digest: [u8; 32],
        /// The whole statement.
        text: String,
    },
}

impl LedgerEvent {
    /// The kind of [`Self::SubjectErased`].
    pub const SUBJECT_ERASED: Kind = Kind::of_ledger(0xFF00, 1, "subject_erased");
    /// The kind of [`Self::ValueDisclosed`].
    pub const VALUE_DISCLOSED: Kind = Kind::of_ledger(0xFF01, 1, "value_disclosed");
    /// The kind of [`Self::KeyRotated`].
    pub const KEY_ROTATED: Kind = Kind::of_ledger(0xFF02, 1, "key_rotated");
    /// The kind of [`Self::TimeAnchored`].
    pub const TIME_ANCHORED: Kind = Kind::of_ledger(0xFF03, 1, "time_anchored");
    /// The kind of [`Self::StatementIssued`].
    pub const STATEMENT_ISSUED: Kind = Kind::of_ledger(0xFF04, 1, "statement_issued");

    /// An anchor whose text is a cosigned checkpoint.
    pub const ANCHOR_CHECKPOINT: &'static str = "checkpoint";
    /// An anchor whose text is a public value that nobody could foresee.
    pub const ANCHOR_VALUE: &'static str = "value";

    /// Whether every text is one: not blank, at most [`limits::LEDGER_TEXT_BYTES_MAX`] bytes, no control character but line
    /// feeds; and an anchor is one of the two there are. What a text says is not looked at.
    ///
    /// # Errors
    /// `InvalidInput` with the name of the first field that is not.
    pub fn validate(&self) -> crate::Result<()> {
        let refuse = |field: &str, why: &str| Err(Error::new(ErrorKind::InvalidInput, format!("{field} {why}")));
        for (field, text) in self.texts() {
            if text.trim().is_empty() {
                return refuse(field, "is blank");
            }
            if text.len() > limits::LEDGER_TEXT_BYTES_MAX {
                return Err(Error::too_large(field, text.len(), "LEDGER_TEXT_BYTES_MAX", limits::LEDGER_TEXT_BYTES_MAX));
            }
            if text.chars().any(|c| c.is_control() && c != '\n') {
                return refuse(field, "holds a control character");
            }
        }
        match self {
            Self::TimeAnchored { what, .. } if ![Self::ANCHOR_CHECKPOINT, Self::ANCHOR_VALUE].contains(&what.as_str()) => {
                refuse("what", "is neither checkpoint nor value")
            }
            _ => Ok(()),
        }
    }
    /// Its kind's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.kind().name()
    }
    fn texts(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::SubjectErased { basis, .. } => vec![("basis", basis)],
            Self::ValueDisclosed { reader, purpose, .. } => vec![("reader", reader), ("purpose", purpose)],
            Self::KeyRotated { old, new } => old.iter().map(|old| ("old", old.as_str())).chain([("new", new.as_str())]).collect(),
            Self::TimeAnchored { what, text, source } => vec![("what", what), ("text", text), ("source", source)],
            Self::StatementIssued { text, .. } => vec![("text", text)],
        }
    }
}

impl Event for LedgerEvent {
    const SCHEMA: &'static str = "";
    const KINDS: &'static [Kind] =
        &[Self::SUBJECT_ERASED, Self::VALUE_DISCLOSED, Self::KEY_ROTATED, Self::TIME_ANCHORED, Self::STATEMENT_ISSUED];
    fn kind(&self) -> Kind {
        match self {
            Self::SubjectErased { .. } => Self::SUBJECT_ERASED,
            Self::ValueDisclosed { .. } => Self::VALUE_DISCLOSED,
            Self::KeyRotated { .. } => Self::KEY_ROTATED,
            Self::TimeAnchored { .. } => Self::TIME_ANCHORED,
            Self::StatementIssued { .. } => Self::STATEMENT_ISSUED,
        }
    }
    fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        match self {
            Self::SubjectErased { handle, basis } => to.put(&(handle, basis)),
            Self::ValueDisclosed { record, field, reader, purpose } => to.put(&(record.to_bytes(), field, reader, purpose)),
            Self::KeyRotated { old, new } => to.put(&(old, new)),
            Self::TimeAnchored { what, text, source } => to.put(&(what, text, source)),
            Self::StatementIssued { digest, text } => to.put(&(digest, text)),
        }
    }
    fn decode(number: u16, version: u16, from: &mut Decoder) -> Result<Self, CodecError> {
        Ok(match (number, version) {
            (0xFF00, 1) => {
                let (handle, basis) = from.take()?;
                Self::SubjectErased { handle, basis }
            }
            (0xFF01, 1) => {
                let (record, field, reader, purpose) = from.take()?;
                Self::ValueDisclosed { record: RecordId::from_bytes(record), field, reader, purpose }
            }
            (0xFF02, 1) => {
                let (old, new) = from.take()?;
                Self::KeyRotated { old, new }
            }
            (0xFF03, 1) => {
                let (what, text, source) = from.take()?;
                Self::TimeAnchored { what, text, source }
            }
            (0xFF04, 1) => {
                let (digest, text) = from.take()?;
                Self::StatementIssued { digest, text }
            }
            _ => return Err(from.unknown_kind()),
        })
    }
}
