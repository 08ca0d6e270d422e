//! The names a report is asked by: the tallies, their dimensions and their measures.

use super::{amendments, contributions, plaques};
use crate::codes::{Form, LandKind, Level, Source, SubjectKind};
use sovang_core::{Error, ErrorKind};
use std::fmt;
use std::str::FromStr;

macro_rules! names {
    ($(#[$doc:meta])* $type:ident, $what:literal; $($(#[$vdoc:meta])* $variant:ident = $text:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $type {
            $($(#[$vdoc])* $variant,)*
        }
        impl $type {
            /// Every one, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The name as it is written in a command and in a report.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
        impl FromStr for $type {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self, Error> {
                Self::ALL.iter().copied().find(|n| n.as_str() == text).ok_or_else(|| {
                    Error::new(ErrorKind::InvalidInput, format!("there is no {} {text:?}", $what))
                        .advise(format!("there are: {}", listed(Self::ALL)))
                })
            }
        }
    };
}

names! {
    /// A tally that an office publishes.
    Name, "tally";
    /// Models registered.
    Registered = "registered",
    /// Models recognised.
    Recognised = "recognised",
    /// How many of the models registered in a year were ever recognised.
    RecognitionRate = "recognition-rate",
    /// New models against models continued from an earlier year.
    Continuity = "continuity",
    /// Money, labour, land and goods given, with bounds.
    Contributions = "contributions",
    /// Plaques mounted, and what became of them.
    Plaques = "plaques",
    /// Commendations awarded.
    Commendations = "commendations",
    /// Commendations proposed, and how many of these were awarded.
    Proposals = "proposals",
    /// At how many levels models are recognised.
    MultiLevel = "multi-level",
    /// Everything since the start, year by year.
    Cumulative = "cumulative",
    /// The register of withdrawals, annulments, corrections and retractions.
    Amendments = "amendments",
}

names! {
    /// What a tally can be broken down by, and filtered by.
    Dimension, "dimension";
    /// A year; which one is said at each tally.
    Year = "year",
    /// The unit of the model a record is about; the recipient's in `commendations`.
    Unit = "unit",
    /// The field of the model a record is about.
    Field = "field",
    /// Whether the model's subject is a collective, an individual or a household.
    SubjectKind = "subject_kind",
    /// The level of a recognition, a plaque or a commendation.
    Level = "level",
    /// The tier of a recognition.
    Tier = "tier",
    /// The kind of a contribution.
    Kind = "kind",
    /// Where a contribution comes from.
    Source = "source",
    /// The kind of land given.
    Land = "land",
    /// What became of a plaque.
    Status = "status",
    /// The occasion of a plaque.
    Occasion = "occasion",
    /// The form of a commendation.
    Form = "form",
    /// Who is commended: a collective, an individual or a household.
    RecipientKind = "recipient_kind",
    /// At how many distinct levels a model is recognised.
    Levels = "levels",
    /// The type of an amending record.
    Type = "type",
}

impl Dimension {
    /// Whether its values are numbers; all other dimensions' are texts.
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Year | Self::Levels)
    }
    /// The only texts it has, where there is a closed list of them.
    pub(super) const fn codes(self) -> Option<&'static [&'static str]> {
        match self {
            Self::SubjectKind | Self::RecipientKind => Some(SubjectKind::CODES),
            Self::Level => Some(Level::CODES),
            Self::Kind => Some(contributions::KINDS),
            Self::Source => Some(Source::CODES),
            Self::Land => Some(LandKind::CODES),
            Self::Status => Some(plaques::STATUSES),
            Self::Form => Some(Form::CODES),
            Self::Type => Some(amendments::TYPES),
            Self::Year | Self::Unit | Self::Field | Self::Tier | Self::Occasion | Self::Levels => None,
        }
    }
}

impl Name {
    /// The dimensions a report is broken down by unless others are asked for.
    #[must_use]
    pub const fn default_dimensions(self) -> &'static [Dimension] {
        use Dimension::{Field, Form, Kind, Level, Levels, RecipientKind, Status, SubjectKind, Type, Unit, Year};
        match self {
            Self::Registered => &[Year, Unit, Field, SubjectKind],
            Self::Recognised => &[Year, Level, SubjectKind],
            Self::RecognitionRate | Self::Continuity | Self::Cumulative => &[Year],
            Self::Contributions => &[Year, Kind],
            Self::Plaques => &[Level, Status],
            Self::Commendations => &[Year, Form, Level, RecipientKind],
            Self::Proposals => &[Year, Form, Level],
            Self::MultiLevel => &[Levels],
            Self::Amendments => &[Type],
        }
    }
    /// The dimensions that may be asked for besides the default ones.
    #[must_use]
    pub const fn further_dimensions(self) -> &'static [Dimension] {
        use Dimension::{Field, Land, Occasion, RecipientKind, Source, SubjectKind, Tier, Unit, Year};
        match self {
            Self::Registered | Self::Cumulative => &[],
            Self::Recognised => &[Tier, Unit, Field],
            Self::RecognitionRate => &[Unit, Field, SubjectKind],
            Self::Continuity => &[Unit, Field],
            Self::Contributions => &[Unit, Field, Source, Land],
            Self::Plaques => &[Year, Unit, Occasion],
            Self::Commendations => &[Unit],
            Self::Proposals => &[RecipientKind],
            Self::MultiLevel => &[Year, Unit],
            Self::Amendments => &[Year],
        }
    }
    /// Every dimension: the default ones, then the further ones.
    pub fn dimensions(self) -> impl Iterator<Item = Dimension> {
        self.default_dimensions().iter().chain(self.further_dimensions()).copied()
    }
    /// The names of what is counted or summed, in the order of a row.
    #[must_use]
    pub const fn measures(self) -> &'static [&'static str] {
        match self {
            Self::Registered | Self::Plaques | Self::Amendments => &["count"],
            Self::Recognised => &["count", "distinct_models"],
            Self::RecognitionRate => &["registered", "recognised", "rate_bp"],
            Self::Continuity => &["new", "continued"],
            Self::Contributions => &["count", "vnd", "labour_days", "square_decimetres"],
            Self::Commendations => &["count", "bonus_vnd"],
            Self::Proposals => &["proposed", "awarded"],
            Self::MultiLevel => &["distinct_models"],
            Self::Cumulative => &["registered", "recognised", "plaques", "commendations"],
        }
    }
    /// That this tally has the dimension.
    ///
    /// # Errors
    /// When it has not; the hint lists those it has.
    pub fn check(self, dimension: Dimension) -> Result<(), Error> {
        if self.dimensions().any(|d| d == dimension) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::InvalidInput,
            format!("the tally {self} has no dimension {dimension:?}", dimension = dimension.as_str()),
        )
        .advise(format!("it has: {}", listed(&self.dimensions().collect::<Vec<_>>()))))
    }
}

/// Names in a row, for a hint.
pub(super) fn listed(names: &[impl fmt::Display]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
