//! A person's data: never in the log, only committed to (design §3).

use crate::ids::{Commitment, SubjectId};
use std::fmt;

/// A field of a person's data. The log holds a commitment; the value lives in the vault under the subject's key until it is erased.
///
/// It has no serde impl, so that a derive around it cannot put it into the log by accident: use `Encoder::personal` and
/// `Decoder::personal`, and for what serde is derived for besides `#[serde(skip)]` or
/// `#[serde(with = "sovang::personal::json")]` (see [`json`]). `Debug` hides the value.
///
/// ```compile_fail
/// #[derive(serde::Serialize)]
/// struct Member { name: sovang_core::Personal<String> }
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Personal<T> {
    /// No value was given.
    #[default]
    None,
    /// The value, and whose it is.
    Known {
        /// Whose data it is.
        subject: SubjectId,
        /// The value.
        value: T,
    },
    /// The value was erased, for good.
    Erased,
    /// This copy of the ledger has no vault, or the value never came with the record.
    Sealed,
}

impl<T> Personal<T> {
    /// A value and whose it is.
    ///
    /// # Errors
    /// See [`SubjectId::new`].
    pub fn try_of(subject: impl AsRef<str>, value: impl Into<T>) -> crate::Result<Self> {
        Ok(Self::Known { subject: SubjectId::new(subject)?, value: value.into() })
    }
    /// A value and whose it is.
    ///
    /// # Panics
    /// When the subject's id is blank, longer than 128 bytes or holds a control character; for input use [`Self::try_of`].
    #[must_use]
    #[expect(clippy::expect_used, reason = "documented; the fallible form is try_of")]
    pub fn of(subject: impl AsRef<str>, value: impl Into<T>) -> Self {
        Self::try_of(subject, value).expect("a valid subject id")
    }
    /// The value, where this copy knows it.
    #[must_use]
    pub fn value(&self) -> Option<&T> {
        if let Self::Known { value, .. } = self { Some(value) } else { None }
    }
    /// Whose it is, where this copy knows it.
    #[must_use]
    pub fn subject(&self) -> Option<&SubjectId> {
        if let Self::Known { subject, .. } = self { Some(subject) } else { None }
    }
    /// Whether a value was given when the record was made.
    #[must_use]
    pub fn is_some(&self) -> bool {
        !matches!(self, Self::None)
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Known { .. } => "Known(…)",
            Self::Erased => "Erased",
            Self::Sealed => "Sealed",
        })
    }
}

/// For `#[serde(with = "sovang::personal::json")]` on a field of something that is shown to people: the value where it is
/// known, else null, in human-readable formats only.
///
/// ```
/// use sovang_core::{Personal, personal};
/// #[derive(serde::Serialize)]
/// struct Shown {
///     club: String,
///     #[serde(with = "personal::json")]
///     name: Personal<String>,
/// }
/// let shown = Shown { club: "C-1".into(), name: Personal::of("citizen:77", "Trần Thị B") };
/// assert_eq!(serde_json::to_string(&shown).unwrap(), r#"{"club":"C-1","name":"Trần Thị B"}"#);
/// assert!(sovang_core::codec::encode(&shown).is_err());
/// ```
pub mod json {
    use super::Personal;
    use serde::{Serialize, Serializer, ser::Error as _};

    /// Writes the value where it is known, else null.
    ///
    /// # Errors
    /// In a format that is not for people to read: personal data is stored in the vault only.
    pub fn serialize<T: Serialize, S: Serializer>(personal: &Personal<T>, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            personal.value().serialize(to)
        } else {
            Err(S::Error::custom("personal data is kept in the vault, never in a payload: use Encoder::personal"))
        }
    }
}

/// What a vault knows of a commitment.
#[derive(Clone, PartialEq, Eq)]
pub enum Opened {
    /// The value as committed to.
    Known {
        /// Whose it is.
        subject: SubjectId,
        /// The salt `r`.
        salt: [u8; 32],
        /// The encoded value.
        value: Vec<u8>,
    },
    /// Erased: the handle of its subject is in the log.
    Erased,
    /// No vault here, or migrated without its value.
    Sealed,
}
impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Known { .. } => "Known(…)",
            Self::Erased => "Erased",
            Self::Sealed => "Sealed",
        })
    }
}

/// Asks a vault for a commitment's value.
pub type Opener<'a> = &'a dyn Fn(&Commitment) -> crate::Result<Opened>;

/// A personal field as it travels with an imported record: in the clear with its salt, or as a bare commitment.
#[derive(Clone, PartialEq, Eq)]
pub enum Given {
    /// The salt to commit with; the value is in the event.
    Salt([u8; 32]),
    /// Only the commitment is known; the event's field reads [`Personal::Sealed`] or [`Personal::Erased`].
    Commitment(Commitment),
}
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Salt(_) => f.write_str("Salt(…)"),
            Self::Commitment(c) => write!(f, "{c:?}"),
        }
    }
}
