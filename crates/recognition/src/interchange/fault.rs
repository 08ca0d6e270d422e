//! What is wrong with a line.

use crate::codes::UnknownCode;
use crate::event::{Fault, Invalid};
use std::fmt;

/// Why a line cannot be taken. The caller knows which file and line it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// The path of the field at fault, such as `contribution.vnd`; none when it is the whole line.
    pub field: Option<String>,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a field or a line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// Not JSON.
    Syntax {
        /// What stands there.
        what: &'static str,
        /// Where: the byte of the line, from 1.
        column: usize,
    },
    /// Longer than a line may be.
    LineTooLong {
        /// The limit.
        max: usize,
    },
    /// A key stands twice in one object.
    Repeated,
    /// The key belongs to no such object.
    Unknown,
    /// A key is not there.
    Missing,
    /// A value of another kind.
    Expected {
        /// What should stand there.
        what: &'static str,
        /// What does.
        found: &'static str,
    },
    /// A number with a fraction or an exponent.
    NotWhole,
    /// A whole number that does not fit.
    Overflow,
    /// No event has this name.
    Type {
        /// The name.
        given: String,
    },
    /// None of the list's codes.
    Code(UnknownCode),
    /// The value is not one that the field may hold.
    Invalid(Fault),
    /// No day of the calendar as YYYY-MM-DD.
    Date,
    /// No instant as RFC 3339 writes it.
    Time,
    /// No UUID in its form with hyphens.
    Uuid,
    /// No area: digits, and at most two after a point.
    Area,
    /// Not so many lower-case hex digits.
    Hex {
        /// How many there should be.
        digits: usize,
    },
    /// No salt: base64 of 32 bytes.
    Salt,
    /// A salt for what is no personal value of this line.
    SaltOfNothing,
    /// A commitment or a record of the ledger itself, which only a migration takes.
    OnlyMigrated {
        /// What it is.
        what: &'static str,
    },
    /// An override names a rule that nobody may waive, or one twice.
    Override,
    /// A person's name where it would be public for ever.
    PublicName,
    /// Whose address it is cannot be known: the subject stands there as a commitment.
    AddressOfSealed,
}

impl LineError {
    pub(super) fn whole(reason: Reason) -> Self {
        Self { field: None, reason }
    }
    pub(super) fn at(field: impl Into<String>, reason: Reason) -> Self {
        Self { field: Some(field.into()), reason }
    }
}
impl From<Invalid> for LineError {
    fn from(invalid: Invalid) -> Self {
        Self::at(invalid.field, Reason::Invalid(invalid.fault))
    }
}
impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        self.reason.fmt(f)
    }
}
impl std::error::Error for LineError {}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { what, column } => write!(f, "no JSON: {what}, at column {column}"),
            Self::LineTooLong { max } => write!(f, "the line is longer than IMPORT_LINE_BYTES_MAX = {max} bytes"),
            Self::Repeated => f.write_str("stands twice"),
            Self::Unknown => f.write_str("is an unknown key here"),
            Self::Missing => f.write_str("is missing"),
            Self::Expected { what, found } => write!(f, "is {found}, and should be {what}"),
            Self::NotWhole => f.write_str("is a number with a fraction or an exponent: write whole numbers in plain digits"),
            Self::Overflow => f.write_str("is a number beyond 64 bits"),
            Self::Type { given } => write!(f, "{given:?} is no event type of this version"),
            Self::Code(unknown) => unknown.fmt(f),
            Self::Invalid(fault) => {
                if fault.rule() != 0 {
                    write!(f, "rule {}: ", fault.rule())?;
                }
                fault.fmt(f)
            }
            Self::Date => f.write_str("is no day of the years 1 to 9999 written YYYY-MM-DD"),
            Self::Time => f.write_str("is no instant such as 2024-10-14T08:30:00Z (RFC 3339)"),
            Self::Uuid => f.write_str("is no UUID such as 0192d7a0-5c1e-7000-8000-000000000001"),
            Self::Area => {
                f.write_str("is no area in square metres: digits, and at most two more after a point, such as \"659.88\"")
            }
            Self::Hex { digits } => write!(f, "is not {digits} lower-case hex digits"),
            Self::Salt => f.write_str("is not base64 of 32 bytes"),
            Self::SaltOfNothing => f.write_str("names no personal value that this line shows"),
            Self::OnlyMigrated { what } => write!(f, "is {what}, which only `--migrate` takes, into an empty ledger"),
            Self::Override => f.write_str("names a rule that cannot be waived, or one twice: only 1, 4 and 5 can"),
            Self::PublicName => {
                f.write_str("would be public for ever: a person's name stands in `subject`, from where it can be erased")
            }
            Self::AddressOfSealed => f.write_str("is personal, and whose it is stands here as a commitment only"),
        }
    }
}
