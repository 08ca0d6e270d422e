//! A record as far as it can be made before the writer knows its position: on the caller's thread.

use crate::codec::CodecError;
use crate::entry::{Envelope, Override};
use crate::event::{Amends, Encoder, Event, PersonalPart, Tags};
use crate::hash::{self, RecordDigest};
use crate::ids::{Commitment, Position, RecordHash, RecordId, SubjectId};
use crate::personal::Given;
use crate::query::TagKey;
use crate::record::{
    BODY_PREFIX_BYTES, COMMITMENT_BYTES, Frame, HEADER_BYTES, Metadata, OCCURRED_ON_AT, RECORDED_AT_AT, TAG_BYTES, flags, small,
};
use crate::{Error, ErrorKind, Result, calendar, limits};
use bytes::Bytes;
use std::fmt;

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
    /// When the event does not encode, a text or a count is over its limit, a personal field is erased or sealed
    /// and no commitment was given for it, or the day lies outside the years 1 to 9999.
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
        if let Some(days) = occurred_on {
            calendar::date_of(days).map_err(|_| {
                Error::new(ErrorKind::InvalidInput, "it occurred on a day outside of the years 1 to 9999").with_ids([id])
            })?;
        }
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
                    PersonalRow {
                        field,
                        commitment: hash::commitment(&salt, field, &value),
                        value: Some(PersonalValue { subject, salt, value }),
                    }
                }
                (PersonalPart::Absent, Some(Given::Commitment(commitment))) => {
                    PersonalRow { field, commitment: *commitment, value: None }
                }
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
        let metadata_len = u16::try_from(metadata.len())
            .map_err(|_| Error::too_large("metadata", metadata.len(), "u16", usize::from(u16::MAX)))?;
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
        Ok(Self { bytes: frame.into_bytes().into(), digest, tags, target, replacement_kind, dated_by_writer, personal })
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
