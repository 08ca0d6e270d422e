//! The one place that knows how values become bytes (design §2): bincode 2, fixed-width little-endian integers,
//! bounded. The layout is ours by docs/FORMAT.md and locked by golden vectors; nothing outside this module names
//! bincode.
//!
//! Stored types are plain serde derives without attributes, made of integers, `bool`, `String`, `Vec`, `Option`,
//! byte arrays and their own enums, fixed-width fields first. Snapshot states may also hold `BTreeMap` and `BTreeSet`.

use crate::limits::RECORD_BYTES_MAX;
use bincode::error::{DecodeError, EncodeError};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt;

/// Why an event's bytes could not be written or read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodecError {
    /// No code for this kind and version: written by a newer program, or not this schema.
    UnknownKind {
        /// The kind's number.
        number: u16,
        /// The version written.
        version: u16,
    },
    /// The bytes do not follow the layout.
    Malformed {
        /// What is wrong with them.
        what: &'static str,
    },
    /// serde or bincode refused.
    Refused {
        /// Its reason.
        why: String,
    },
    /// Larger than the named limit.
    TooLong {
        /// What is too large.
        what: &'static str,
        /// The limit in bytes or items.
        max: usize,
    },
    /// Bytes or personal fields were left over after the event was decoded.
    Leftover {
        /// What was left.
        what: &'static str,
    },
    /// A personal value does not match the commitment in the log.
    PersonalMismatch {
        /// The field's number.
        field: u16,
    },
    /// A personal field is wrong in itself: a number used twice, or a value that cannot be recorded.
    Personal {
        /// The field's number.
        field: u16,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKind { number, version } => {
                write!(f, "no event of kind {number} version {version} is known to this program")
            }
            Self::Malformed { what } => write!(f, "malformed bytes: {what}"),
            Self::Refused { why } => write!(f, "malformed value: {why}"),
            Self::TooLong { what, max } => write!(f, "{what} is larger than {max}"),
            Self::Leftover { what } => write!(f, "{what} left over after decoding"),
            Self::PersonalMismatch { field } => {
                write!(f, "the vault's value of personal field {field} does not match its commitment in the log")
            }
            Self::Personal { field, what } => write!(f, "personal field {field}: {what}"),
        }
    }
}
impl std::error::Error for CodecError {}

fn config() -> bincode::config::Configuration<
    bincode::config::LittleEndian,
    bincode::config::Fixint,
    bincode::config::Limit<RECORD_BYTES_MAX>,
> {
    bincode::config::standard().with_fixed_int_encoding().with_limit::<RECORD_BYTES_MAX>()
}
fn state_config() -> bincode::config::Configuration<bincode::config::LittleEndian, bincode::config::Fixint> {
    bincode::config::standard().with_fixed_int_encoding()
}
fn refused(error: impl Into<Cause>) -> CodecError {
    CodecError::Refused { why: error.into().0 }
}

/// Why bincode refused, in words: its own messages are names of its variants.
struct Cause(String);
impl From<DecodeError> for Cause {
    fn from(error: DecodeError) -> Self {
        Self(match error {
            DecodeError::UnexpectedEnd { additional } => {
                format!("the bytes end too early, at least {additional} more are needed")
            }
            DecodeError::LimitExceeded => format!("a length in it exceeds RECORD_BYTES_MAX = {RECORD_BYTES_MAX}"),
            DecodeError::UnexpectedVariant { found, .. } => format!("there is no variant of number {found}"),
            DecodeError::Utf8 { inner } => format!("a text is not UTF-8: {inner}"),
            DecodeError::InvalidBooleanValue(found) => format!("{found} is neither true nor false"),
            DecodeError::OutsideUsizeRange(found) => format!("a length of {found} is beyond this machine's memory"),
            DecodeError::Other(why) => why.to_owned(),
            DecodeError::OtherString(why) => why,
            other => format!("the bytes do not follow the layout ({other:?})"),
        })
    }
}
impl From<EncodeError> for Cause {
    fn from(error: EncodeError) -> Self {
        Self(match error {
            EncodeError::Other(why) => why.to_owned(),
            EncodeError::OtherString(why) => why,
            EncodeError::Io { inner, .. } => inner.to_string(),
            other => format!("it cannot be written in the layout ({other:?})"),
        })
    }
}

/// Appends a value's bytes.
///
/// # Errors
/// When the value cannot be serialised or the bytes exceed [`RECORD_BYTES_MAX`].
pub fn append<T: Serialize + ?Sized>(to: &mut Vec<u8>, value: &T) -> Result<(), CodecError> {
    bincode::serde::encode_into_std_write(value, to, config()).map_err(refused)?;
    if to.len() > RECORD_BYTES_MAX {
        return Err(CodecError::TooLong { what: "an encoded value", max: RECORD_BYTES_MAX });
    }
    Ok(())
}

/// A value's bytes.
///
/// # Errors
/// As [`append`].
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::new();
    append(&mut bytes, value)?;
    Ok(bytes)
}

/// Takes a value from the front of `bytes` and moves the slice past it.
///
/// # Errors
/// When the bytes do not follow the layout or claim more than [`RECORD_BYTES_MAX`].
pub fn take<T: DeserializeOwned>(bytes: &mut &[u8]) -> Result<T, CodecError> {
    let (value, used) = bincode::serde::decode_from_slice(bytes, config()).map_err(refused)?;
    *bytes = bytes.get(used..).ok_or(CodecError::Malformed { what: "a value past its end" })?;
    Ok(value)
}

/// The value that `bytes` holds, all of them.
///
/// # Errors
/// As [`take`], and when bytes are left over.
pub fn decode<T: DeserializeOwned>(mut bytes: &[u8]) -> Result<T, CodecError> {
    let value = take(&mut bytes)?;
    if bytes.is_empty() { Ok(value) } else { Err(CodecError::Leftover { what: "bytes" }) }
}

/// A projection's state as bytes; as [`encode`], but not bounded by a record's limit.
///
/// # Errors
/// When the state cannot be serialised.
pub fn encode_state<T: Serialize + ?Sized>(state: &T) -> Result<Vec<u8>, CodecError> {
    bincode::serde::encode_to_vec(state, state_config()).map_err(refused)
}

/// A projection's state from bytes. Whatever lengths they claim, no more is set aside than 16 times as many bytes as they are,
/// or 64 KiB: a snapshot may be a hostile file.
///
/// # Errors
/// When the bytes do not follow the layout, are left over, or are not what [`encode_state`] writes for that state
/// (a map whose keys do not ascend).
pub fn decode_state<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let (state, used): (T, usize) = decode_bounded(bytes)?;
    if used != bytes.len() {
        return Err(CodecError::Leftover { what: "bytes" });
    }
    if encode_state(&state)? != bytes {
        return Err(CodecError::Malformed { what: "a state that is not in canonical form" });
    }
    Ok(state)
}

/// Bytes of a projection's state at most.
const STATE_BYTES_MAX: usize = 1 << 32;

/// Decodes within a limit that the bytes cannot need more than: bincode's limits are constants, so the next one of a few is taken.
fn decode_bounded<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, usize), CodecError> {
    let config = state_config();
    match bytes.len() {
        0..=0x1_0000 => bincode::serde::decode_from_slice(bytes, config.with_limit::<0x1_0000>()),
        0x1_0001..=0x10_0000 => bincode::serde::decode_from_slice(bytes, config.with_limit::<0x10_0000>()),
        0x10_0001..=0x100_0000 => bincode::serde::decode_from_slice(bytes, config.with_limit::<0x100_0000>()),
        0x100_0001..=0x1000_0000 => bincode::serde::decode_from_slice(bytes, config.with_limit::<0x1000_0000>()),
        0x1000_0001..=STATE_BYTES_MAX => bincode::serde::decode_from_slice(bytes, config.with_limit::<STATE_BYTES_MAX>()),
        _ => return Err(CodecError::TooLong { what: "a projection's state", max: STATE_BYTES_MAX }),
    }
    .map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[test]
    fn a_state_that_claims_terabytes_is_refused() {
        let mut bytes = encode_state("text").unwrap();
        bytes[..8].copy_from_slice(&(1u64 << 43).to_le_bytes());
        assert!(matches!(decode_state::<String>(&bytes), Err(CodecError::Refused { .. })));
        let long = "x".repeat(70_000);
        assert_eq!(decode_state::<String>(&encode_state(&long).unwrap()), Ok(long), "and a long one is not");
    }

    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    enum Choice {
        First,
        Second { text: String },
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    struct Sample {
        small: u8,
        day: i32,
        wide: i128,
        id: [u8; 4],
        maybe: Option<i64>,
        choice: Choice,
        list: Vec<u16>,
        text: String,
    }

    #[test]
    fn golden_layout() {
        let sample = Sample {
            small: 7,
            day: -2,
            wide: 1,
            id: [1, 2, 3, 4],
            maybe: Some(5),
            choice: Choice::Second { text: "é".into() },
            list: vec![258],
            text: "ab".into(),
        };
        let bytes = encode(&sample).expect("encodes");
        assert_eq!(
            hex::encode(&bytes),
            concat!(
                "07",
                "feffffff",
                "01000000000000000000000000000000",
                "01020304",
                "010500000000000000",
                "01000000",
                "0200000000000000",
                "c3a9",
                "0100000000000000",
                "0201",
                "0200000000000000",
                "6162"
            )
        );
        assert_eq!(decode::<Sample>(&bytes).expect("decodes"), sample);
    }

    #[test]
    fn a_claimed_length_does_not_allocate() {
        let mut bytes = u64::MAX.to_le_bytes().to_vec();
        bytes.push(b'x');
        assert!(decode::<String>(&bytes).is_err());
        assert!(decode::<Vec<u64>>(&bytes).is_err());
    }

    #[test]
    fn leftovers_are_refused() {
        assert_eq!(decode::<u8>(&[1, 2]), Err(CodecError::Leftover { what: "bytes" }));
    }

    #[test]
    fn states_are_canonical() {
        let state: BTreeMap<u8, u8> = [(1, 1), (2, 2)].into();
        let bytes = encode_state(&state).expect("encodes");
        assert_eq!(decode_state::<BTreeMap<u8, u8>>(&bytes).expect("decodes"), state);
        let mut swapped = bytes.clone();
        swapped.swap(8, 10);
        swapped.swap(9, 11);
        assert!(decode_state::<BTreeMap<u8, u8>>(&swapped).is_err());
    }

    proptest! {
        #[test]
        fn round_trips(small in any::<u8>(), day in any::<i32>(), wide in any::<i128>(), maybe in any::<Option<i64>>(), list in any::<Vec<u16>>(), text in any::<String>(), first in any::<bool>()) {
            let choice = if first { Choice::First } else { Choice::Second { text: text.clone() } };
            let sample = Sample { small, day, wide, id: [9; 4], maybe, choice, list, text };
            let bytes = encode(&sample).unwrap();
            prop_assert_eq!(decode::<Sample>(&bytes).unwrap(), sample);
        }
        #[test]
        fn noise_never_panics(bytes in any::<Vec<u8>>()) {
            if let Ok(sample) = decode::<Sample>(&bytes) { prop_assert_eq!(encode(&sample).unwrap(), bytes) }
        }
    }
}
