//! What is wrong with a field.

use std::fmt;

/// A field that cannot be taken as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The field's path in the interchange, such as `contribution.vnd` or `replacement.title`.
    pub field: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A text says nothing.
    Empty,
    /// A text is too long.
    TooLong {
        /// Its bytes.
        bytes: usize,
        /// The limit's name.
        limit: &'static str,
        /// The limit.
        max: usize,
    },
    /// A text holds a control character that is not allowed there.
    Control {
        /// The character.
        character: char,
    },
    /// A quantity is below zero (domain rule 7).
    Negative,
    /// A year is not 1 to 9999.
    Year,
    /// A field's code is none.
    Code,
    /// The name of an actor or a correlation, or a subject's id, is blank, longer than 128 bytes or holds a control character.
    Name,
    /// A collective has no subject: its name is public.
    SubjectOfCollective,
    /// The address of a model with a subject is that subject's data, and of one without it is public.
    AddressApart,
    /// An amendment within an amendment.
    Amendment,
}

impl Invalid {
    pub(crate) fn new(field: impl Into<String>, fault: Fault) -> Self {
        Self { field: field.into(), fault }
    }
    /// The same fault, seen from the object that holds this one under `key`.
    pub(crate) fn within(self, key: &str) -> Self {
        Self { field: format!("{key}.{}", self.field), fault: self.fault }
    }
    /// The domain's rule that refuses it: 7 for quantities, 9 for an amendment of an amendment, 0 for no rule.
    #[must_use]
    pub fn rule(&self) -> u16 {
        self.fault.rule()
    }
}
impl Fault {
    pub(crate) fn rule(&self) -> u16 {
        match self {
            Self::Negative => 7,
            Self::Amendment => 9,
            _ => 0,
        }
    }
}
impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.fault)
    }
}
impl std::error::Error for Invalid {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty: say something, or leave an optional field out"),
            Self::TooLong { bytes, limit, max } => write!(f, "has {bytes} bytes, more than {limit} = {max}"),
            Self::Control { character } => write!(f, "holds the control character U+{:04X}", u32::from(*character)),
            Self::Negative => f.write_str("is negative: quantities never are"),
            Self::Year => f.write_str("is not in the years 1 to 9999"),
            Self::Code => f.write_str("is not the code of a field: write it as text and parse it"),
            Self::Name => f.write_str("is blank, longer than 128 bytes or holds a control character"),
            Self::SubjectOfCollective => f.write_str(
                "is for an individual or a household: a collective's name is public and stands in the title or the name",
            ),
            Self::AddressApart => {
                f.write_str("is public: of a model with a subject it is that subject's personal data, and only of such a model")
            }
            Self::Amendment => f.write_str("is an amendment: only an original record's event can stand in its place"),
        }
    }
}
