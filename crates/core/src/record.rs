//! A record's bytes: a header at fixed offsets, the body, and the commitments to personal values (docs/FORMAT.md §3).
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | body length u32 |
//! | 4 | 2 | kind u16 |
//! | 6 | 2 | version u16 |
//! | 8 | 4 | flags u32 |
//! | 12 | 4 | occurred_on i32, days |
//! | 16 | 8 | recorded_at i64, microseconds |
//! | 24 | 16 | id |
//! | 40 | | body: metadata length u16, tag count u8, metadata, tags, payload |
//! | | | with flag PRIVATE: count u16, then (field u16, commitment 32) in ascending field order |

use crate::codec::{self, CodecError};
use crate::entry::{Envelope, Override};
use crate::hash::{self, RecordDigest};
use crate::ids::{Actor, Commitment, Position, RecordHash, RecordId};
use crate::limits;
use crate::query::TagKey;
use crate::{Error, ErrorKind, Result};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;

pub use crate::prepared::{PersonalRow, PersonalValue, Prepared};

/// Bytes of a record's header.
pub const HEADER_BYTES: usize = 40;
/// Bytes of the body before the metadata.
pub const BODY_PREFIX_BYTES: usize = 3;
/// Bytes of one tag.
pub const TAG_BYTES: usize = 16;
/// Bytes of one commitment with its field number.
pub const COMMITMENT_BYTES: usize = 34;

pub(crate) const OCCURRED_ON_AT: usize = 12;
pub(crate) const RECORDED_AT_AT: usize = 16;
const _: () = assert!(RECORDED_AT_AT + 8 + 16 == HEADER_BYTES);

/// The record's flags. Unknown ones are refused.
pub mod flags {
    /// Commitments to personal values follow the body.
    pub const PRIVATE: u32 = 1;
    /// The record replaces the one that its metadata name as target.
    pub const REPLACES: u32 = 2;
    /// The record retracts the one that its metadata name as target.
    pub const RETRACTS: u32 = 4;
    /// All that are known.
    pub const ALL: u32 = PRIVATE | REPLACES | RETRACTS;
}

/// The metadata as stored: fixed-width fields first.
#[derive(Serialize, Deserialize)]
struct StoredMetadata {
    causation: Option<[u8; 16]>,
    target: Option<[u8; 16]>,
    overriding: Option<Override>,
    actor: String,
    source: Option<String>,
    correlation: Option<String>,
}

/// A record's metadata: its envelope, the rules it waives, and the record it amends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Who, from where, why.
    pub envelope: Envelope,
    /// Rules waived.
    pub overriding: Option<Override>,
    /// The original record that this one amends.
    pub target: Option<RecordId>,
}

impl Metadata {
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let e = &self.envelope;
        if let Some(source) = &e.source {
            check_text("a source", source, false)?;
        }
        if let Some(correlation) = &e.correlation {
            crate::ids::check_name("a correlation", correlation)?;
        }
        if let Some(o) = &self.overriding {
            check_text("an override's reason", &o.reason, true)?;
            if o.rules.is_empty() || o.rules.len() > 64 || !o.rules.is_sorted_by(|a, b| a < b) {
                return Err(Error::new(ErrorKind::InvalidInput, "an override names 1 to 64 rules, ascending, each once"));
            }
        }
        Ok(codec::encode(&StoredMetadata {
            causation: e.causation.map(RecordId::to_bytes),
            target: self.target.map(RecordId::to_bytes),
            overriding: self.overriding.clone(),
            actor: e.actor.as_str().to_owned(),
            source: e.source.clone(),
            correlation: e.correlation.clone(),
        })?)
    }
    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let m: StoredMetadata = codec::decode(bytes)?;
        Ok(Self {
            envelope: Envelope {
                actor: Actor::new(&m.actor).map_err(|_| CodecError::Malformed { what: "an actor's name" })?,
                source: m.source,
                correlation: m.correlation,
                causation: m.causation.map(RecordId::from_bytes),
            },
            overriding: m.overriding,
            target: m.target.map(RecordId::from_bytes),
        })
    }
}

/// With `lines` line feeds are allowed: no other control character, which an export could not give back (interchange).
fn check_text(what: &str, text: &str, lines: bool) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::new(ErrorKind::InvalidInput, format!("{what} is blank")));
    }
    if text.len() > limits::SOURCE_BYTES_MAX {
        return Err(Error::too_large(what, text.len(), "SOURCE_BYTES_MAX", limits::SOURCE_BYTES_MAX));
    }
    if text.chars().any(|c| c.is_control() && !(lines && c == '\n')) {
        return Err(Error::new(ErrorKind::InvalidInput, format!("{what} holds a control character: {text:?}")));
    }
    Ok(())
}

/// One record's bytes, checked in structure: every length adds up, no unknown flag, tags and fields ascend. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    bytes: Bytes,
    tags_at: u32,
    payload_at: u32,
    body_end: u32,
}

fn word<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}
pub(crate) fn small(n: usize) -> u32 {
    // Frames are at most RECORD_BYTES_MAX long.
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Frame {
    /// The length of the frame that starts `bytes`, once enough of it is there to tell: `None` asks for more bytes.
    ///
    /// # Errors
    /// When it would be longer than [`limits::RECORD_BYTES_MAX`].
    pub fn length(bytes: &[u8]) -> Result<Option<usize>, CodecError> {
        const TOO_LONG: CodecError = CodecError::TooLong { what: "a record", max: limits::RECORD_BYTES_MAX };
        if bytes.len() < HEADER_BYTES {
            return Ok(None);
        }
        let body_len = u32::from_le_bytes(word(bytes, 0)) as usize;
        if body_len > limits::RECORD_BYTES_MAX - HEADER_BYTES {
            return Err(TOO_LONG);
        }
        let body_end = HEADER_BYTES + body_len;
        let mut end = body_end;
        if u32::from_le_bytes(word(bytes, 8)) & flags::PRIVATE != 0 {
            if bytes.len() < body_end + 2 {
                return Ok(None);
            }
            end += 2 + usize::from(u16::from_le_bytes(word(bytes, body_end))) * COMMITMENT_BYTES;
        }
        if end > limits::RECORD_BYTES_MAX { Err(TOO_LONG) } else { Ok(Some(end)) }
    }

    /// Takes exactly one frame.
    ///
    /// # Errors
    /// When a length does not add up, a flag is unknown, or tags or fields do not ascend.
    pub fn parse(bytes: Bytes) -> Result<Self, CodecError> {
        let bad = |what| Err(CodecError::Malformed { what });
        if Self::length(&bytes)? != Some(bytes.len()) {
            return bad("a record's length");
        }
        let flags = u32::from_le_bytes(word(&bytes, 8));
        if flags & !flags::ALL != 0 || flags & (flags::REPLACES | flags::RETRACTS) == flags::REPLACES | flags::RETRACTS {
            return bad("a record's flags");
        }
        let body_end = HEADER_BYTES + u32::from_le_bytes(word(&bytes, 0)) as usize;
        if body_end < HEADER_BYTES + BODY_PREFIX_BYTES {
            return bad("a record's body is too short");
        }
        let tags_at = HEADER_BYTES + BODY_PREFIX_BYTES + usize::from(u16::from_le_bytes(word(&bytes, HEADER_BYTES)));
        let count = usize::from(bytes[HEADER_BYTES + 2]);
        let payload_at = tags_at + count * TAG_BYTES;
        if payload_at > body_end {
            return bad("metadata and tags are longer than the body");
        }
        if count > limits::TAGS_MAX {
            return Err(CodecError::TooLong { what: "the number of tags", max: limits::TAGS_MAX });
        }
        let frame = Self { tags_at: small(tags_at), payload_at: small(payload_at), body_end: small(body_end), bytes };
        if !frame.tag_iter().is_sorted_by(|a, b| a < b) {
            return bad("tags do not ascend");
        }
        if flags & flags::PRIVATE != 0 {
            let fields = frame.commitments();
            if fields.is_empty() || !fields.is_sorted_by(|a, b| a.0 < b.0) {
                return bad("personal fields do not ascend");
            }
            if fields.len() > limits::PERSONAL_FIELDS_MAX {
                return Err(CodecError::TooLong { what: "the number of personal fields", max: limits::PERSONAL_FIELDS_MAX });
            }
        }
        Ok(frame)
    }

    /// All bytes of the frame.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
    /// The same bytes, out of the frame.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }
    /// The kind's number.
    #[must_use]
    pub fn kind(&self) -> u16 {
        u16::from_le_bytes(word(&self.bytes, 4))
    }
    /// The payload's version.
    #[must_use]
    pub fn version(&self) -> u16 {
        u16::from_le_bytes(word(&self.bytes, 6))
    }
    /// The flags, see [`flags`].
    #[must_use]
    pub fn flags(&self) -> u32 {
        u32::from_le_bytes(word(&self.bytes, 8))
    }
    /// Days since the Unix epoch.
    #[must_use]
    pub fn occurred_on(&self) -> i32 {
        i32::from_le_bytes(word(&self.bytes, OCCURRED_ON_AT))
    }
    /// Microseconds since the Unix epoch.
    #[must_use]
    pub fn recorded_at(&self) -> i64 {
        i64::from_le_bytes(word(&self.bytes, RECORDED_AT_AT))
    }
    /// The record's id.
    #[must_use]
    pub fn id(&self) -> RecordId {
        RecordId::from_bytes(word(&self.bytes, 24))
    }
    /// Whether this is a record of the ledger itself.
    #[must_use]
    pub fn is_ledger_level(&self) -> bool {
        self.kind() >= limits::LEDGER_KIND_FIRST
    }
    /// Whether it replaces or retracts another record.
    #[must_use]
    pub fn is_amendment(&self) -> bool {
        self.flags() & (flags::REPLACES | flags::RETRACTS) != 0
    }
    /// Whether it retracts another record.
    #[must_use]
    pub fn is_retraction(&self) -> bool {
        self.flags() & flags::RETRACTS != 0
    }
    /// The body: what [`hash::body_digest`] covers.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.bytes[HEADER_BYTES..self.body_end as usize]
    }
    /// The public payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.bytes[self.payload_at as usize..self.body_end as usize]
    }
    /// The public payload, sharing the frame's memory.
    #[must_use]
    pub fn payload_bytes(&self) -> Bytes {
        self.bytes.slice(self.payload_at as usize..self.body_end as usize)
    }
    /// The metadata.
    ///
    /// # Errors
    /// When they do not decode, or the target does not agree with the flags.
    pub fn metadata(&self) -> Result<Metadata, CodecError> {
        let metadata = Metadata::decode(&self.bytes[HEADER_BYTES + BODY_PREFIX_BYTES..self.tags_at as usize])?;
        if metadata.target.is_some() != self.is_amendment() {
            return Err(CodecError::Malformed { what: "target and flags disagree" });
        }
        Ok(metadata)
    }
    /// That any reader can read it as far as it is not its event's own (docs/FORMAT.md §3): metadata, day and instant.
    ///
    /// # Errors
    /// What of these is malformed.
    pub fn check_readable(&self) -> Result<(), CodecError> {
        self.metadata()?;
        crate::calendar::date_of(self.occurred_on())?;
        crate::calendar::instant_of(self.recorded_at())?;
        Ok(())
    }
    fn tag_iter(&self) -> impl Iterator<Item = TagKey> + '_ {
        self.bytes[self.tags_at as usize..self.payload_at as usize].chunks_exact(TAG_BYTES).map(|c| TagKey(word(c, 0)))
    }
    /// The tags' keys, ascending.
    #[must_use]
    pub fn tags(&self) -> Vec<TagKey> {
        self.tag_iter().collect()
    }
    /// Whether this tag is there.
    #[must_use]
    pub fn has_tag(&self, key: &TagKey) -> bool {
        self.tag_iter().any(|t| t == *key)
    }
    /// The commitments to personal values by field number, ascending.
    #[must_use]
    pub fn commitments(&self) -> Vec<(u16, Commitment)> {
        let private = &self.bytes[self.body_end as usize..];
        private
            .get(2..)
            .unwrap_or_default()
            .chunks_exact(COMMITMENT_BYTES)
            .map(|c| (u16::from_le_bytes(word(c, 0)), Commitment(word(c, 2))))
            .collect()
    }
    /// What the record hash covers.
    #[must_use]
    pub fn digest(&self) -> RecordDigest {
        RecordDigest {
            kind: self.kind(),
            version: self.version(),
            flags: self.flags(),
            recorded_at: self.recorded_at(),
            occurred_on: self.occurred_on(),
            body_len: small(self.body().len()),
            id: self.id().to_bytes(),
            body: hash::body_digest(self.body()),
            private_root: hash::private_root(&self.commitments()),
        }
    }
    /// The record's hash at `position`.
    #[must_use]
    pub fn hash(&self, position: Position) -> RecordHash {
        self.digest().hash(position)
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame(kind {} version {}, {}, {} bytes)", self.kind(), self.version(), self.id(), self.bytes.len())
    }
}
