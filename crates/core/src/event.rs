//! What a user's event meets: [`Event`], [`Kind`], [`Encoder`], [`Decoder`], [`Tags`], [`Amends`]; and [`RawEvent`], for those who know no event type.

use crate::codec::{self, CodecError};
use crate::entry::Entry;
use crate::hash;
use crate::ids::{Commitment, RecordId, SubjectId};
pub use crate::ledger_event::LedgerEvent;
use crate::limits;
use crate::personal::{Opened, Opener, Personal};
use crate::query::TagKey;
use crate::record::Frame;
use crate::shape::Tracer;
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt;
use time::Date;

/// A kind of event: its number for ever, the version of its payload written today, and its name on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    number: u16,
    version: u16,
    name: &'static str,
}

impl Kind {
    /// A kind. Numbers are never reused; a changed payload gets the next version and an arm in `decode` for the old one.
    ///
    /// # Panics
    /// At compile time, when used in a `const`: for number 0 or from 0xFF00 on (the ledger's own), version 0, or an empty name.
    #[must_use]
    pub const fn new(number: u16, version: u16, name: &'static str) -> Self {
        assert!(number != 0 && number < limits::LEDGER_KIND_FIRST, "a kind's number is 1 to 0xFEFF");
        assert!(version != 0, "a kind's version starts at 1");
        assert!(!name.is_empty(), "a kind has a name");
        Self { number, version, name }
    }
    pub(crate) const fn of_ledger(number: u16, version: u16, name: &'static str) -> Self {
        assert!(number >= limits::LEDGER_KIND_FIRST);
        Self { number, version, name }
    }
    pub(crate) const fn raw(number: u16, version: u16) -> Self {
        Self { number, version, name: "" }
    }
    /// The number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.number
    }
    /// The version written today.
    #[must_use]
    pub const fn version(self) -> u16 {
        self.version
    }
    /// The name on the wire; empty for a [`RawEvent`].
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }
}

/// A fact of one domain, as it is stored and read back.
///
/// ```
/// use sovang_core::{CodecError, Decoder, Encoder, Event, Kind, Tags};
///
/// pub enum Loan { Opened { loan: String, cents: i64 }, Closed { loan: String } }
///
/// impl Event for Loan {
///     const SCHEMA: &'static str = "example.org/loans";
///     const KINDS: &'static [Kind] = &[Kind::new(1, 1, "loan_opened"), Kind::new(3, 1, "loan_closed")];
///     fn kind(&self) -> Kind {
///         Self::KINDS[match self { Loan::Opened { .. } => 0, Loan::Closed { .. } => 1 }]
///     }
///     fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
///         match self {
///             Loan::Opened { loan, cents } => to.put(&(loan, cents)),
///             Loan::Closed { loan } => to.put(loan),
///         }
///     }
///     fn decode(number: u16, version: u16, from: &mut Decoder) -> Result<Self, CodecError> {
///         Ok(match (number, version) {
///             (1, 1) => { let (loan, cents) = from.take()?; Loan::Opened { loan, cents } }
///             (3, 1) => Loan::Closed { loan: from.take()? },
///             _ => return Err(from.unknown_kind()),
///         })
///     }
///     fn tags(&self, tags: &mut Tags) {
///         let (Loan::Opened { loan, .. } | Loan::Closed { loan }) = self;
///         tags.add("loan", loan);
///     }
/// }
/// ```
pub trait Event: Sized + Send + Sync + 'static {
    /// The name of the schema; a ledger of another schema is not opened. Empty = any (only [`RawEvent`]).
    const SCHEMA: &'static str;
    /// Every kind that is written today.
    const KINDS: &'static [Kind];
    /// This event's kind.
    fn kind(&self) -> Kind;
    /// Writes the payload; the kind is kept beside it.
    ///
    /// # Errors
    /// What the encoder refuses.
    fn encode(&self, to: &mut Encoder) -> Result<(), CodecError>;
    /// Reads the payload of kind `number` as it was written at `version`. An upcast is one more arm.
    ///
    /// # Errors
    /// What the decoder refuses, and [`Decoder::unknown_kind`].
    fn decode(number: u16, version: u16, from: &mut Decoder) -> Result<Self, CodecError>;
    /// The tags to find this event by. Never a person's data or id: tags are public for ever.
    fn tags(&self, _tags: &mut Tags) {}
    /// The original record this event replaces or retracts, if it does.
    fn amends(&self) -> Option<Amends<'_, Self>> {
        None
    }
    /// This event, which happened on that day.
    fn on(self, date: Date) -> Entry<Self> {
        Entry::new(self, Some(date))
    }
    /// This event, which happened on the day on which the writer records it.
    fn today(self) -> Entry<Self> {
        Entry::new(self, None)
    }
}

/// What an amending event does to an original record. It never names another amendment.
#[derive(Debug)]
pub enum Amends<'a, E> {
    /// The record stands as `by`, having occurred on `on`. `by` is of the original's kind, and the amending event's own tags
    /// include those of `by`: queries find it under its own and under those of what it replaces.
    Replaces {
        /// The original record.
        target: RecordId,
        /// When it really occurred.
        on: Date,
        /// What really happened.
        by: &'a E,
    },
    /// The record does not stand, for good.
    Retracts {
        /// The original record.
        target: RecordId,
    },
}
impl<E> Amends<'_, E> {
    /// The original record.
    #[must_use]
    pub fn target(&self) -> RecordId {
        match self {
            Self::Replaces { target, .. } | Self::Retracts { target } => *target,
        }
    }
}

/// Collects an event's tags.
#[derive(Debug, Default)]
pub struct Tags {
    keys: Vec<TagKey>,
    refused: Option<CodecError>,
}
impl Tags {
    /// No tags yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds `name:value`. The value is compared in Unicode normalization form C.
    pub fn add(&mut self, name: &str, value: impl AsRef<str>) {
        let value = value.as_ref();
        if value.len() > limits::TAG_VALUE_BYTES_MAX {
            self.refused = Some(CodecError::TooLong { what: "a tag's value", max: limits::TAG_VALUE_BYTES_MAX });
        } else if name.is_empty() || name.contains('\0') {
            self.refused = Some(CodecError::Malformed { what: "a tag's name is empty or holds a zero byte" });
        } else {
            self.keys.push(hash::tag_key(name, value));
        }
    }
    /// The keys, ascending and each once.
    ///
    /// # Errors
    /// For more than [`limits::TAGS_MAX`] tags, a value over [`limits::TAG_VALUE_BYTES_MAX`] or an empty name.
    pub fn finish(mut self) -> Result<Vec<TagKey>, CodecError> {
        if let Some(error) = self.refused {
            return Err(error);
        }
        self.keys.sort_unstable();
        self.keys.dedup();
        if self.keys.len() > limits::TAGS_MAX {
            return Err(CodecError::TooLong { what: "the number of tags", max: limits::TAGS_MAX });
        }
        Ok(self.keys)
    }
    /// The tag keys of an event.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub fn of<E: Event>(event: &E) -> Result<Vec<TagKey>, CodecError> {
        let mut tags = Self::new();
        event.tags(&mut tags);
        tags.finish()
    }
}

/// A personal field as the encoder took it.
#[derive(Clone, PartialEq, Eq)]
pub enum PersonalPart {
    /// A value to commit to and to keep in the vault.
    Value {
        /// Whose it is.
        subject: SubjectId,
        /// The encoded value.
        value: Vec<u8>,
    },
    /// A value that this program never had: only its commitment can be recorded, by an import.
    Absent,
}
impl fmt::Debug for PersonalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Absent) { "Absent" } else { "Value(…)" })
    }
}

/// Takes an event's payload apart into what is public and what is personal.
#[derive(Debug, Default)]
pub struct Encoder {
    pub(crate) payload: Vec<u8>,
    pub(crate) personal: Vec<(u16, PersonalPart)>,
    depth: usize,
}

impl Encoder {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// Appends a public value: the fields of the event, usually as one tuple or struct.
    ///
    /// # Errors
    /// When it cannot be serialised or is too large.
    pub fn put<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        codec::append(&mut self.payload, value)
    }
    /// Appends a personal field: a commitment to the log, the value to the vault. `field` is its number in this
    /// kind, for ever. [`Personal::None`] writes nothing.
    ///
    /// # Errors
    /// When the number is used twice or the value is too large.
    pub fn personal<T: Serialize>(&mut self, field: u16, value: &Personal<T>) -> Result<(), CodecError> {
        let part = match value {
            Personal::None => return Ok(()),
            Personal::Known { subject, value } => {
                let value = codec::encode(value)?;
                if value.len() > limits::PERSONAL_VALUE_BYTES_MAX {
                    return Err(CodecError::TooLong { what: "a personal value", max: limits::PERSONAL_VALUE_BYTES_MAX });
                }
                PersonalPart::Value { subject: subject.clone(), value }
            }
            Personal::Erased | Personal::Sealed => PersonalPart::Absent,
        };
        if self.personal.iter().any(|(f, _)| *f == field) {
            return Err(CodecError::Personal { field, what: "its number is used twice" });
        }
        if self.personal.len() == limits::PERSONAL_FIELDS_MAX {
            return Err(CodecError::TooLong { what: "the number of personal fields", max: limits::PERSONAL_FIELDS_MAX });
        }
        self.personal.push((field, part));
        Ok(())
    }
    /// Appends a whole event inside this one (a correction's replacement): its kind number, its version, its payload.
    ///
    /// # Errors
    /// What its `encode` refuses, and more than [`limits::EVENT_DEPTH_MAX`] within one another.
    pub fn put_event<E: Event>(&mut self, event: &E) -> Result<(), CodecError> {
        if self.depth == limits::EVENT_DEPTH_MAX {
            return Err(TOO_DEEP);
        }
        let kind = event.kind();
        self.put(&(kind.number(), kind.version()))?;
        self.depth += 1;
        let encoded = event.encode(self);
        self.depth -= 1;
        encoded
    }
    /// The public payload so far.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }
    /// The personal fields so far, in the order they were put.
    #[must_use]
    pub fn personal_parts(&self) -> &[(u16, PersonalPart)] {
        &self.personal
    }
}

/// Reads a payload back.
pub struct Decoder<'a> {
    source: Source<'a>,
    number: u16,
    version: u16,
    depth: usize,
}

/// Bytes that claim event within event must not exhaust the stack.
const TOO_DEEP: CodecError = CodecError::TooLong { what: "events within one another", max: limits::EVENT_DEPTH_MAX };

enum Source<'a> {
    Bytes {
        frame: &'a Frame,
        rest: &'a [u8],
        opener: Option<Opener<'a>>,
        fields_left: Vec<(u16, Commitment)>,
        target: Option<RecordId>,
        occurred_on: Date,
    },
    Trace(&'a mut Tracer),
}

impl fmt::Debug for Decoder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decoder(kind {} version {})", self.number, self.version)
    }
}

impl<'a> Decoder<'a> {
    /// Over a frame's payload; personal fields read [`Personal::Sealed`] without an opener.
    ///
    /// # Errors
    /// When the frame's metadata do not decode.
    pub fn new(frame: &'a Frame, opener: Option<Opener<'a>>) -> Result<Self, CodecError> {
        let target = if frame.is_amendment() { frame.metadata()?.target } else { None };
        Ok(Self {
            number: frame.kind(),
            version: frame.version(),
            depth: 0,
            source: Source::Bytes {
                frame,
                rest: frame.payload(),
                opener,
                fields_left: frame.commitments(),
                target,
                occurred_on: crate::calendar::date_of(frame.occurred_on())?,
            },
        })
    }
    pub(crate) fn tracing(tracer: &'a mut Tracer, number: u16, version: u16) -> Self {
        Self { source: Source::Trace(tracer), number, version, depth: 0 }
    }
    /// Takes what the matching [`Encoder::put`] put.
    ///
    /// # Errors
    /// When the bytes do not follow the layout.
    pub fn take<T: DeserializeOwned>(&mut self) -> Result<T, CodecError> {
        match &mut self.source {
            Source::Bytes { rest, .. } => codec::take(rest),
            Source::Trace(tracer) => tracer.take(),
        }
    }
    /// Takes a personal field; a known value is checked against its commitment in the log.
    ///
    /// # Errors
    /// When the vault fails, or its value does not match.
    pub fn personal<T: DeserializeOwned>(&mut self, field: u16) -> Result<Personal<T>, CodecError> {
        match &mut self.source {
            Source::Trace(tracer) => {
                tracer.personal::<T>(field);
                Ok(Personal::None)
            }
            Source::Bytes { opener, fields_left, .. } => {
                let Some(index) = fields_left.iter().position(|(f, _)| *f == field) else { return Ok(Personal::None) };
                let (_, commitment) = fields_left.swap_remove(index);
                let Some(open) = opener else { return Ok(Personal::Sealed) };
                match open(&commitment).map_err(|e| CodecError::Refused { why: e.to_string() })? {
                    Opened::Sealed => Ok(Personal::Sealed),
                    Opened::Erased => Ok(Personal::Erased),
                    Opened::Known { subject, salt, value } => {
                        if hash::commitment(&salt, field, &value) != commitment {
                            return Err(CodecError::PersonalMismatch { field });
                        }
                        Ok(Personal::Known { subject, value: codec::decode(&value)? })
                    }
                }
            }
        }
    }
    /// Takes what [`Encoder::put_event`] put.
    ///
    /// # Errors
    /// What its `decode` refuses.
    pub fn take_event<E: Event>(&mut self) -> Result<E, CodecError> {
        if let Source::Trace(tracer) = &mut self.source {
            return tracer.event();
        }
        if self.depth == limits::EVENT_DEPTH_MAX {
            return Err(TOO_DEEP);
        }
        let (number, version) = self.take()?;
        let outer = (self.number, self.version);
        (self.number, self.version) = (number, version);
        self.depth += 1;
        let event = E::decode(number, version, self);
        self.depth -= 1;
        (self.number, self.version) = outer;
        event
    }
    /// When the record occurred: an upcast may need it.
    #[must_use]
    pub fn occurred_on(&self) -> Date {
        match &self.source {
            Source::Bytes { occurred_on, .. } => *occurred_on,
            Source::Trace(_) => crate::date(1970, 1, 1),
        }
    }
    /// The original record that this record amends, which is kept in its metadata.
    ///
    /// # Errors
    /// When the record is no amendment.
    pub fn target(&self) -> Result<RecordId, CodecError> {
        match &self.source {
            Source::Bytes { target, .. } => target.ok_or(CodecError::Malformed { what: "an amendment without a target" }),
            Source::Trace(_) => Ok(RecordId::from_bytes([0; 16])),
        }
    }
    /// The error for a kind or version that `decode` has no arm for.
    #[must_use]
    pub fn unknown_kind(&self) -> CodecError {
        CodecError::UnknownKind { number: self.number, version: self.version }
    }
    /// That everything was taken.
    ///
    /// # Errors
    /// When payload bytes or personal fields are left over.
    pub fn finish(self) -> Result<(), CodecError> {
        match self.source {
            Source::Trace(_) => Ok(()),
            Source::Bytes { rest, fields_left, .. } => {
                if !rest.is_empty() {
                    return Err(CodecError::Leftover { what: "payload bytes" });
                }
                if !fields_left.is_empty() {
                    return Err(CodecError::Leftover { what: "a personal field" });
                }
                Ok(())
            }
        }
    }
    fn take_rest(&mut self) -> Result<Bytes, CodecError> {
        match &mut self.source {
            Source::Bytes { frame, rest, fields_left, .. } => {
                fields_left.clear();
                let payload = frame.payload_bytes();
                let taken = payload.len() - rest.len();
                *rest = &[];
                Ok(payload.slice(taken..))
            }
            Source::Trace(_) => Err(CodecError::Malformed { what: "a raw event has no shape" }),
        }
    }
}

/// Any event of any schema, undecoded: for verification, proofs and audit, which need no event type. It also shows
/// ledger-level records, which typed reads pass over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawEvent {
    /// The kind's number; from 0xFF00 on a record of the ledger itself.
    pub number: u16,
    /// The payload's version.
    pub version: u16,
    /// The payload as stored.
    pub payload: Bytes,
}

impl Event for RawEvent {
    const SCHEMA: &'static str = "";
    const KINDS: &'static [Kind] = &[];
    fn kind(&self) -> Kind {
        Kind::raw(self.number, self.version)
    }
    fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        to.payload.extend_from_slice(&self.payload);
        Ok(())
    }
    fn decode(number: u16, version: u16, from: &mut Decoder) -> Result<Self, CodecError> {
        Ok(Self { number, version, payload: from.take_rest()? })
    }
}
