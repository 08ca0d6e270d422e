//! The facts themselves: one struct for each event. Optional fields are set by the methods in [`super::build`].

use crate::codes::{Extent, Field, Form, Ground, LandKind, Level, Qualifier, RemovalReason, Source, SubjectKind, UnitKind};
use crate::event::Recognition;
use serde::{Deserialize, Serialize};
use sovang_core::{Date, Personal, RecordId};
use std::fmt;

/// A numbered, dated decision. Unique by all three (domain rule 3): numbers restart every year.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decision {
    /// Who decided: the id of a defined unit, or any other text.
    pub issuer: String,
    /// Its number, such as `123-QD/QU`.
    pub number: String,
    /// Its date.
    pub date: Date,
}
impl Decision {
    /// The value of the tag `decision`: issuer, number and year, so that it also finds the same number with another
    /// date (rule 3). `|` joins the parts; a backslash stands before a `|` or a backslash within one.
    #[must_use]
    pub fn tag(&self) -> String {
        let escaped = |part: &str| part.replace('\\', "\\\\").replace('|', "\\|");
        format!("{}|{}|{:04}", escaped(&self.issuer), escaped(&self.number), self.date.year())
    }
}
impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}, {}", self.number, self.issuer, self.date)
    }
}

/// What is given to a model. Quantities are whole numbers and never negative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Contribution {
    /// Money.
    Cash {
        /// Đồng.
        vnd: i64,
    },
    /// Work.
    Labour {
        /// Person-days.
        days: i64,
    },
    /// Land; it is never valued in đồng.
    Land {
        /// Hundredths of a square metre.
        square_decimetres: i64,
        /// What it was used for.
        land: LandKind,
    },
    /// Goods.
    InKind {
        /// Their value in đồng.
        vnd: i64,
        /// What they are.
        description: Option<String>,
    },
}

/// Who is commended. A person's name and id are personal; a collective's name is public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// A collective.
    Collective {
        /// Its name.
        name: String,
        /// Its unit.
        unit: Option<String>,
    },
    /// A person; who it is may be left out.
    Individual {
        /// Whose id, and the name.
        subject: Personal<String>,
        /// The person's unit.
        unit: Option<String>,
    },
    /// A family; which it is may be left out.
    Household {
        /// Whose id, and the name.
        subject: Personal<String>,
        /// The family's unit.
        unit: Option<String>,
    },
}
impl Recipient {
    /// A collective of this name.
    #[must_use]
    pub fn collective(name: impl Into<String>) -> Self {
        Self::Collective { name: name.into(), unit: None }
    }
    /// A person: `Personal::of(id, name)`, or `Personal::None` to say no more.
    #[must_use]
    pub fn individual(subject: Personal<String>) -> Self {
        Self::Individual { subject, unit: None }
    }
    /// A family: as [`Self::individual`].
    #[must_use]
    pub fn household(subject: Personal<String>) -> Self {
        Self::Household { subject, unit: None }
    }
    /// Of this unit.
    #[must_use]
    pub fn of_unit(mut self, id: impl Into<String>) -> Self {
        let (Self::Collective { unit, .. } | Self::Individual { unit, .. } | Self::Household { unit, .. }) = &mut self;
        *unit = Some(id.into());
        self
    }
    /// What kind it is.
    #[must_use]
    pub const fn kind(&self) -> SubjectKind {
        match self {
            Self::Collective { .. } => SubjectKind::Collective,
            Self::Individual { .. } => SubjectKind::Individual,
            Self::Household { .. } => SubjectKind::Household,
        }
    }
    /// Its unit, where given.
    #[must_use]
    pub fn unit(&self) -> Option<&str> {
        let (Self::Collective { unit, .. } | Self::Individual { unit, .. } | Self::Household { unit, .. }) = self;
        unit.as_deref()
    }
    /// A collective's name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        if let Self::Collective { name, .. } = self { Some(name) } else { None }
    }
    /// Who a person or a family is; [`Personal::None`] for a collective.
    #[must_use]
    pub const fn subject(&self) -> &Personal<String> {
        match self {
            Self::Collective { .. } => &Personal::None,
            Self::Individual { subject, .. } | Self::Household { subject, .. } => subject,
        }
    }
}

/// Where a model is: public, unless the model is a person's or a family's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Of a model without a subject.
    Public(String),
    /// Of a model with a subject: the same subject's data.
    Personal(Personal<String>),
}

/// A unit exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitDefined {
    /// Its id.
    pub unit: String,
    /// Its name, which other units may have had before.
    pub name: String,
    /// What it is.
    pub kind: UnitKind,
    /// Its first day.
    pub valid_from: Date,
    /// The unit it belongs to.
    pub parent: Option<String>,
    /// Its last day.
    pub valid_to: Option<Date>,
}

/// A unit goes over into another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitSucceeded {
    /// The old unit.
    pub from: String,
    /// The new unit.
    pub to: String,
    /// The first day of the new order.
    pub effective_on: Date,
    /// The act that orders it.
    pub act: String,
    /// Whether all of the old unit goes there.
    pub extent: Extent,
    /// A remark.
    pub note: Option<String>,
}

/// A model is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRegistered {
    /// Its id.
    pub model: String,
    /// What it is called; the name of a collective stands here too.
    pub title: String,
    /// Who carries it.
    pub subject_kind: SubjectKind,
    /// The unit it belongs to.
    pub unit: String,
    /// Its field.
    pub field: Field,
    /// The year it is registered for: 1 to 9999.
    pub year: u16,
    /// Whose it is, when it is a person's or a family's.
    pub subject: Personal<String>,
    /// What it aims at.
    pub target: Option<String>,
    /// Where it is.
    pub address: Option<Address>,
}

/// A model is kept up in a later year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelContinued {
    /// The model.
    pub model: String,
    /// The later year: 1 to 9999.
    pub year: u16,
}

/// A model was taken as the example for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelReplicated {
    /// The example.
    pub model: String,
    /// The new model.
    pub replica: String,
}

/// A model ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelWithdrawn {
    /// The model.
    pub model: String,
    /// Why.
    pub reason: String,
}

/// A model is recognised by a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRecognised {
    /// The model.
    pub model: String,
    /// At which level.
    pub level: Level,
    /// By which decision.
    pub decision: Decision,
    /// Within the level, such as `exemplar`.
    pub tier: Option<String>,
    /// For which period; absent equals the year of `occurred_on` in four digits.
    pub period: Option<String>,
}

/// Something is given to a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFunded {
    /// The model.
    pub model: String,
    /// What is given.
    pub contribution: Contribution,
    /// Where it comes from.
    pub source: Source,
    /// How the quantity relates to the truth, as it was said; exact when nothing was.
    pub qualifier: Option<Qualifier>,
    /// Who gave it.
    pub donor: Personal<String>,
}

/// A plaque is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaqueMounted {
    /// Its id.
    pub plaque: String,
    /// The model it is for.
    pub model: String,
    /// At which level.
    pub level: Level,
    /// Where it hangs.
    pub place: String,
    /// By which decision.
    pub decision: Option<Decision>,
    /// On which occasion.
    pub occasion: Option<String>,
    /// What it says.
    pub inscription: Option<String>,
}

/// A plaque is no longer there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaqueRemoved {
    /// The plaque.
    pub plaque: String,
    /// Why.
    pub reason: RemovalReason,
}

/// Someone is proposed for a commendation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommendationProposed {
    /// The commendation's id; its award carries the same.
    pub commendation: String,
    /// Who.
    pub recipient: Recipient,
    /// For which form.
    pub form: Form,
    /// Of which level.
    pub level: Level,
    /// For what.
    pub achievement: Option<String>,
}

/// Someone is commended by a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommendationAwarded {
    /// The commendation's id.
    pub commendation: String,
    /// Who.
    pub recipient: Recipient,
    /// In which form.
    pub form: Form,
    /// At which level.
    pub level: Level,
    /// By which decision.
    pub decision: Decision,
    /// Đồng that come with it.
    pub bonus_vnd: Option<i64>,
    /// For what.
    pub achievement: Option<String>,
}

/// A decision is annulled by another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionAnnulled {
    /// The decision annulled.
    pub decision: Decision,
    /// Why.
    pub ground: Ground,
    /// The decision that annuls it.
    pub by: Decision,
    /// What of the artefact was recovered.
    pub artefact: Option<String>,
    /// Đồng recovered of the bonus.
    pub bonus_recovered_vnd: Option<i64>,
}

/// An original record stands as another event of the same type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordCorrected {
    /// The original record. It is kept in the record's metadata.
    pub target: RecordId,
    /// What really happened; no amendment itself.
    pub replacement: Box<Recognition>,
    /// When it really happened.
    pub replacement_on: Date,
    /// Why.
    pub reason: String,
    /// On whose authority.
    pub authority: Option<String>,
}

/// An original record does not stand, for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRetracted {
    /// The original record. It is kept in the record's metadata.
    pub target: RecordId,
    /// Why.
    pub reason: String,
    /// On whose authority.
    pub authority: Option<String>,
}

/// A figure was published; it is compared with the tallies and never added to them (domain rule 10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FigurePublished {
    /// What it measures.
    pub measure: String,
    /// Of which unit.
    pub unit: String,
    /// For which period.
    pub period: String,
    /// The figure, never negative.
    pub value: i64,
    /// How it relates to the truth.
    pub qualifier: Qualifier,
    /// Where it was published.
    pub source: String,
    /// The digest of the signed statement that shows how it was computed, where there is one: of all bytes of its file (`hash::statement_digest`).
    pub statement: Option<[u8; 32]>,
}
