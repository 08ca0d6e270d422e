//! Newtypes that do not mix: a position is not a size, a record's hash is not a root.

use crate::error::{Error, ErrorKind};
use crate::limits;
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// The 0-based index of a record in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64);

/// How many records there are; also the next position, and every cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Size(pub u64);

impl Position {
    /// The size at which this record is the last one: the cursor to save once it has been handled.
    #[must_use]
    pub const fn next(self) -> Size {
        Size(self.0 + 1)
    }
}

impl Size {
    /// No record.
    pub const ZERO: Self = Self(0);
    /// The position of the last record, none when there is none.
    #[must_use]
    pub const fn last(self) -> Option<Position> {
        match self.0.checked_sub(1) {
            Some(p) => Some(Position(p)),
            None => None,
        }
    }
    /// Whether the record at `position` is among the first `self`.
    #[must_use]
    pub const fn contains(self, position: Position) -> bool {
        position.0 < self.0
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! hash_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 32]);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}

hash_type! {
    /// The Merkle root of the log at a size (RFC 6962 §2.1, SHA-256). Displays as lower-case hex.
    Root
}
hash_type! {
    /// The BLAKE3 hash of one record, position included (docs/FORMAT.md). Displays as lower-case hex.
    RecordHash
}
hash_type! {
    /// What the log keeps in place of a personal value. Displays as lower-case hex.
    Commitment
}

impl Root {
    /// The root of the empty tree: SHA-256 of nothing (RFC 6962 §2.1).
    #[must_use]
    pub fn empty() -> Self {
        crate::tree::empty_root()
    }
    /// Standard base64, as in a C2SP checkpoint.
    #[must_use]
    pub fn to_base64(self) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(self.0)
    }
    /// The root that [`Self::to_base64`] writes exactly so.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
        let root = Self(bytes.try_into().ok()?);
        (root.to_base64() == text).then_some(root)
    }
}

/// The log at a size: what a checkpoint signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Head {
    /// How many records.
    pub size: Size,
    /// The root over them.
    pub root: Root,
}

/// A record's id: a UUID, version 7 when drawn, version 5 when derived from content or an idempotency key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(Uuid);

impl RecordId {
    /// A version 7 id (RFC 9562 §5.7) of the given Unix milliseconds and random bytes.
    #[must_use]
    pub fn v7(unix_millis: u64, random: [u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(unix_millis, &random).into_uuid())
    }
    /// A version 5 id (RFC 9562 §5.5): the same namespace and name give the same id.
    #[must_use]
    pub fn v5(namespace: Uuid, name: &[u8]) -> Self {
        Self(Uuid::new_v5(&namespace, name))
    }
    /// The 16 bytes, most significant first.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        *self.0.as_bytes()
    }
    /// From 16 bytes, whatever they say.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
    /// The UUID.
    #[must_use]
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
    /// The Unix milliseconds of a version 7 id.
    #[must_use]
    pub fn millis(self) -> Option<u64> {
        if self.0.get_version_num() != 7 {
            return None;
        }
        let b = self.to_bytes();
        Some(u64::from_be_bytes([0, 0, b[0], b[1], b[2], b[3], b[4], b[5]]))
    }
}
impl From<Uuid> for RecordId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}
impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}
impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordId({self})")
    }
}
impl FromStr for RecordId {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let id = Uuid::try_parse(text).map_err(|_| {
            Error::new(ErrorKind::InvalidInput, format!("{text:?} is not a UUID"))
                .advise("an id looks like 0192d7a0-5c1e-7000-8000-000000000001")
        })?;
        Ok(Self(id))
    }
}

/// The random id a ledger is created with; part of every checksum, so that files of two ledgers never mix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerId(pub [u8; 16]);
impl fmt::Display for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_bytes(self.0).hyphenated().fmt(f)
    }
}
impl fmt::Debug for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LedgerId({self})")
    }
}

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);
        impl $name {
            /// # Errors
            /// When the text is blank, longer than 128 bytes or holds a control character.
            pub fn new(text: impl AsRef<str>) -> Result<Self, Error> {
                let text = text.as_ref();
                check_name($what, text)?;
                Ok(Self(text.into()))
            }
            /// The text as given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self, Error> {
                Self::new(text)
            }
        }
        impl TryFrom<String> for $name {
            type Error = Error;
            fn try_from(text: String) -> Result<Self, Error> {
                Self::new(text)
            }
        }
    };
}

text_type! {
    /// Who records: the name of an office account (`clerk:lan`), public and permanent, so never a person's private data.
    #[derive(Debug)]
    Actor, "an actor"
}
text_type! {
    /// Whose personal data a value is. It lives in the vault alone and is never hashed into the log.
    SubjectId, "a subject's id"
}
impl fmt::Debug for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectId(…)")
    }
}

/// Checks a name-like text: not blank, at most 128 bytes, no control characters.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] or [`ErrorKind::TooLarge`] naming `what`.
pub fn check_name(what: &str, text: &str) -> Result<(), Error> {
    if text.trim().is_empty() {
        return Err(Error::new(ErrorKind::InvalidInput, format!("{what} is blank")));
    }
    if text.len() > limits::NAME_BYTES_MAX {
        return Err(Error::too_large(what, text.len(), "NAME_BYTES_MAX", limits::NAME_BYTES_MAX));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::new(ErrorKind::InvalidInput, format!("{what} holds a control character: {text:?}")));
    }
    Ok(())
}
