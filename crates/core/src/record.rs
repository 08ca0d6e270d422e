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
use crate::event::{Amends, Encoder, Event, PersonalPart, Tags};
use crate::hash::{self, RecordDigest};
use crate::ids::{Actor, Commitment, Position, RecordHash, RecordId, SubjectId};
use crate::limits;
use crate::personal::Given;
use crate::query::TagKey;
use crate::{Error, ErrorKind, Result};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Bytes of a record's header.
pub const HEADER_BYTES: usize = 40;
/// Bytes of the body before the metadata.
pub const BODY_PREFIX_BYTES: usize = 3;
/// Bytes of one tag.
pub const TAG_BYTES: usize = 16;
/// Bytes of one commitment with its field number.
pub const COMMITMENT_BYTES: usize = 34;

const OCCURRED_ON_AT: usize = 12;
const RECORDED_AT_AT: usize = 16;
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
    fn encode(&self) -> Result<Vec<u8>> {
        let e = &self.envelope;
        if let Some(source) = &e.source {
            check_text("a source", source)?;
        }
        if let Some(correlation) = &e.correlation {
            crate::ids::check_name("a correlation", correlation)?;
        }
        if let Some(o) = &self.overriding {
            check_text("an override's reason", &o.reason)?;
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

fn check_text(what: &str, text: &str) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::new(ErrorKind::InvalidInput, format!("{what} is blank")));
    }
    if text.len() > limits::SOURCE_BYTES_MAX {
        return Err(Error::too_large(what, text.len(), "SOURCE_BYTES_MAX", limits::SOURCE_BYTES_MAX));
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
fn small(n: usize) -> u32 {
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
        private.get(2..).unwrap_or_default().chunks_exact(COMMITMENT_BYTES).map(|c| (u16::from_le_bytes(word(c, 0)), Commitment(word(c, 2)))).collect()
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

/// A personal value on its way to the vault.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonalRow {
    /// The field's number.
    pub field: u16,
    /// What the log will hold.
    pub commitment: Commitment,
    /// The value; none when only its commitment was ever known.
    pub value: Option<PersonalValue>,
}
/// A personal value with whose it is and its salt.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonalValue {
    /// Whose it is.
    pub subject: SubjectId,
    /// The salt `r`.
    pub salt: [u8; 32],
    /// The encoded value.
    pub value: Vec<u8>,
}
impl fmt::Debug for PersonalRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonalRow({}, {:?})", self.field, self.commitment)
    }
}
impl fmt::Debug for PersonalValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonalValue(…)")
    }
}

/// A record as far as it can be made before the writer knows its position: bytes with `recorded_at` still zero, and
/// its digests. Made on the caller's thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    bytes: Vec<u8>,
    digest: RecordDigest,
    tags: Vec<TagKey>,
    target: Option<RecordId>,
    replacement_kind: Option<u16>,
    dated_by_writer: bool,
    personal: Vec<PersonalRow>,
}

impl Prepared {
    /// Prepares an event's record.
    ///
    /// `occurred_on` = none leaves the day to the writer. `salt` is asked for a fresh 32-byte salt for each personal
    /// field that `given` says nothing of.
    ///
    /// # Errors
    /// When the event does not encode, a text or a count is over its limit, or a personal field is erased or sealed
    /// and no commitment was given for it.
    pub fn new<E: Event>(
        event: &E,
        id: RecordId,
        occurred_on: Option<i32>,
        envelope: Envelope,
        overriding: Option<Override>,
        given: &[(u16, Given)],
        salt: &mut dyn FnMut() -> Result<[u8; 32]>,
    ) -> Result<Self> {
        let kind = event.kind();
        let mut encoder = Encoder::new();
        event.encode(&mut encoder)?;
        let tags = Tags::of(event)?;
        let amends = event.amends();
        let target = amends.as_ref().map(Amends::target);
        let (mut flags, replacement_kind) = match amends {
            None => (0, None),
            Some(Amends::Replaces { by, .. }) => (flags::REPLACES, Some(by.kind().number())),
            Some(Amends::Retracts { .. }) => (flags::RETRACTS, None),
        };
        let mut personal = Vec::with_capacity(encoder.personal.len());
        for (field, part) in std::mem::take(&mut encoder.personal) {
            let given = given.iter().find(|(f, _)| *f == field).map(|(_, g)| g);
            personal.push(match (part, given) {
                (PersonalPart::Value { subject, value }, given) => {
                    let salt = match given {
                        Some(Given::Salt(salt)) => *salt,
                        _ => salt()?,
                    };
                    PersonalRow { field, commitment: hash::commitment(&salt, field, &value), value: Some(PersonalValue { subject, salt, value }) }
                }
                (PersonalPart::Absent, Some(Given::Commitment(commitment))) => PersonalRow { field, commitment: *commitment, value: None },
                (PersonalPart::Absent, _) => {
                    return Err(CodecError::Personal { field, what: "an erased or sealed value cannot be recorded" }.into());
                }
            });
        }
        personal.sort_by_key(|row| row.field);
        if !personal.is_empty() {
            flags |= flags::PRIVATE;
        }
        let metadata = Metadata { envelope, overriding, target }.encode()?;
        let metadata_len = u16::try_from(metadata.len()).map_err(|_| Error::too_large("metadata", metadata.len(), "u16", usize::from(u16::MAX)))?;
        let body_len = BODY_PREFIX_BYTES + metadata.len() + tags.len() * TAG_BYTES + encoder.payload.len();
        let private_len = if personal.is_empty() { 0 } else { 2 + personal.len() * COMMITMENT_BYTES };
        let total = HEADER_BYTES + body_len + private_len;
        if total > limits::RECORD_BYTES_MAX {
            return Err(Error::too_large("a record", total, "RECORD_BYTES_MAX", limits::RECORD_BYTES_MAX).with_ids([id]));
        }
        let mut bytes = Vec::with_capacity(total);
        bytes.extend_from_slice(&small(body_len).to_le_bytes());
        bytes.extend_from_slice(&kind.number().to_le_bytes());
        bytes.extend_from_slice(&kind.version().to_le_bytes());
        bytes.extend_from_slice(&flags.to_le_bytes());
        bytes.extend_from_slice(&occurred_on.unwrap_or(0).to_le_bytes());
        bytes.extend_from_slice(&0i64.to_le_bytes());
        bytes.extend_from_slice(&id.to_bytes());
        bytes.extend_from_slice(&metadata_len.to_le_bytes());
        // At most TAGS_MAX tags.
        bytes.push(u8::try_from(tags.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(&metadata);
        for tag in &tags {
            bytes.extend_from_slice(&tag.0);
        }
        bytes.extend_from_slice(&encoder.payload);
        let body = hash::body_digest(&bytes[HEADER_BYTES..]);
        let fields: Vec<_> = personal.iter().map(|row| (row.field, row.commitment)).collect();
        if !fields.is_empty() {
            bytes.extend_from_slice(&u16::try_from(fields.len()).unwrap_or(u16::MAX).to_le_bytes());
            for (field, commitment) in &fields {
                bytes.extend_from_slice(&field.to_le_bytes());
                bytes.extend_from_slice(&commitment.0);
            }
        }
        let digest = RecordDigest {
            kind: kind.number(),
            version: kind.version(),
            flags,
            recorded_at: 0,
            occurred_on: occurred_on.unwrap_or(0),
            body_len: small(body_len),
            id: id.to_bytes(),
            body,
            private_root: hash::private_root(&fields),
        };
        let prepared = Self { bytes, digest, tags, target, replacement_kind, dated_by_writer: occurred_on.is_none(), personal };
        #[cfg(debug_assertions)]
        prepared.check::<E>()?;
        Ok(prepared)
    }

    /// A record that was prepared before and kept aside, as [`Self::bytes`], [`Self::replacement_kind`],
    /// [`Self::is_dated_by_writer`] and [`Self::personal`] gave it.
    ///
    /// # Errors
    /// When the bytes are no frame, or the personal rows are not those it commits to.
    pub fn from_kept(
        bytes: Vec<u8>,
        replacement_kind: Option<u16>,
        dated_by_writer: bool,
        personal: Vec<PersonalRow>,
    ) -> Result<Self, CodecError> {
        let frame = Frame::parse(Bytes::from(bytes))?;
        if !frame.commitments().into_iter().eq(personal.iter().map(|row| (row.field, row.commitment))) {
            return Err(CodecError::Malformed { what: "personal values that the record does not commit to" });
        }
        let target = if frame.is_amendment() { frame.metadata()?.target } else { None };
        let (digest, tags) = (frame.digest(), frame.tags());
        Ok(Self { bytes: frame.bytes.into(), digest, tags, target, replacement_kind, dated_by_writer, personal })
    }

    /// Debug builds decode what they just encoded: a wrong serde attribute fails in the first test.
    #[cfg(debug_assertions)]
    fn check<E: Event>(&self) -> Result<()> {
        let frame = Frame::parse(Bytes::copy_from_slice(&self.bytes))?;
        let mut decoder = crate::event::Decoder::new(&frame, None)?;
        E::decode(frame.kind(), frame.version(), &mut decoder)?;
        decoder.finish()?;
        Ok(())
    }

    /// The record's id.
    #[must_use]
    pub fn id(&self) -> RecordId {
        RecordId::from_bytes(self.digest.id)
    }
    /// The kind's number.
    #[must_use]
    pub fn kind(&self) -> u16 {
        self.digest.kind
    }
    /// The tags' keys, ascending.
    #[must_use]
    pub fn tags(&self) -> &[TagKey] {
        &self.tags
    }
    /// The original record that this one amends.
    #[must_use]
    pub fn target(&self) -> Option<RecordId> {
        self.target
    }
    /// The kind of the event that takes the target's place: it must be the target's own, under which amendments are found.
    #[must_use]
    pub fn replacement_kind(&self) -> Option<u16> {
        self.replacement_kind
    }
    /// Whether the writer sets the day.
    #[must_use]
    pub fn is_dated_by_writer(&self) -> bool {
        self.dated_by_writer
    }
    /// The personal values, by ascending field number.
    #[must_use]
    pub fn personal(&self) -> &[PersonalRow] {
        &self.personal
    }
    /// The frame's length in bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a frame is never empty")]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }
    /// The frame's bytes, `recorded_at` (and the day, when the writer sets it) still zero.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    /// Sets when it was recorded and, when the writer is to set it, the day.
    pub fn stamp(&mut self, recorded_at: i64, today: i32) {
        self.digest.recorded_at = recorded_at;
        self.bytes[RECORDED_AT_AT..RECORDED_AT_AT + 8].copy_from_slice(&recorded_at.to_le_bytes());
        if self.dated_by_writer {
            self.digest.occurred_on = today;
            self.bytes[OCCURRED_ON_AT..OCCURRED_ON_AT + 4].copy_from_slice(&today.to_le_bytes());
        }
    }
    /// Microseconds since the Unix epoch, once stamped.
    #[must_use]
    pub fn recorded_at(&self) -> i64 {
        self.digest.recorded_at
    }
    /// The record's hash at `position`, once stamped.
    #[must_use]
    pub fn hash(&self, position: Position) -> RecordHash {
        self.digest.hash(position)
    }
    /// Whether two prepared records say the same; personal values compare without their salts, and one that is absent matches any.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        let public = Frame::parse(Bytes::copy_from_slice(&other.bytes)).ok().and_then(|frame| self.same_public_content(&frame));
        public == Some(true)
            && self.personal.iter().zip(&other.personal).all(|(a, b)| match (&a.value, &b.value) {
                (Some(a), Some(b)) => a.subject == b.subject && a.value == b.value,
                _ => true,
            })
    }
    /// Whether the record `there` says the same, personal values aside: kind, day (unless the writer sets it),
    /// metadata, tags and payload. `None` when the versions differ, so that only decoded events can tell.
    #[must_use]
    pub fn same_public_content(&self, there: &Frame) -> Option<bool> {
        if self.digest.kind != there.kind() || !(self.dated_by_writer || self.digest.occurred_on == there.occurred_on()) {
            return Some(false);
        }
        if self.digest.version != there.version() {
            return None;
        }
        let body_end = HEADER_BYTES + self.digest.body_len as usize;
        let fields = there.commitments();
        Some(
            self.digest.flags == there.flags()
                && self.bytes[HEADER_BYTES..body_end] == *there.body()
                && fields.len() == self.personal.len()
                && fields.iter().zip(&self.personal).all(|(a, b)| a.0 == b.field),
        )
    }
}
