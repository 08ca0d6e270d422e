//! Why the rules say no.

use crate::event::{Decision, Form, Invalid, Level};
use sovang_core::{Date, RecordId};
use std::fmt;

/// Why an entry is refused: the rule (domain.md, "Rules a real office keeps"), what it is about, and what to do.
///
/// `{}` and `{:?}` print one line, `rule 3: …`. Ids are given as the entry spells them.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// A field of the event cannot be taken as it is.
    Invalid(Invalid),
    /// An override names a rule that nobody may waive: only 1, 4 and 5 can be.
    NotWaivable {
        /// The rule it names.
        rule: u16,
    },
    /// An override without a reason, or of no rule at all.
    OverrideEmpty,
    /// The entry leaves its day to the writer, but a rule needs it to decide.
    Undated,

    /// Rule 1: the unit is defined already.
    UnitExists {
        /// The unit.
        unit: String,
        /// The record that defines it.
        record: RecordId,
    },
    /// Rule 1: the model is registered already.
    ModelExists {
        /// The model.
        model: String,
        /// The record that registers it.
        record: RecordId,
    },
    /// Rule 1: the plaque was mounted already.
    PlaqueExists {
        /// The plaque.
        plaque: String,
        /// The record of its mounting.
        record: RecordId,
    },
    /// Rule 1: the commendation was proposed already.
    ProposalExists {
        /// The commendation.
        commendation: String,
    },
    /// Rule 1: the commendation was awarded already.
    AwardExists {
        /// The commendation.
        commendation: String,
    },
    /// Rule 1: no unit of that id is defined.
    UnitUnknown {
        /// The key that names it: `unit`, `from` or `to`.
        key: &'static str,
        /// The unit.
        unit: String,
    },
    /// Rule 1: no model of that id is registered.
    ModelUnknown {
        /// The key that names it: `model` or `replica`.
        key: &'static str,
        /// The model.
        model: String,
    },
    /// Rule 1: no plaque of that id was mounted.
    PlaqueUnknown {
        /// The plaque.
        plaque: String,
    },
    /// Rule 1: the plaque was removed already.
    PlaqueGone {
        /// The plaque.
        plaque: String,
    },
    /// Rule 1: the model had been withdrawn by then.
    ModelWithdrawn {
        /// The model.
        model: String,
        /// The day of its withdrawal.
        withdrawn_on: Date,
        /// The later day that is refused.
        occurred_on: Date,
    },
    /// Rule 1: the decision was annulled.
    DecisionAnnulled {
        /// The decision.
        decision: Decision,
    },
    /// Rule 1: a decision would annul itself.
    AnnulsItself {
        /// The decision.
        decision: Decision,
    },

    /// Rule 2: nothing on or before that day supports the plaque.
    PlaqueUnsupported {
        /// The plaque.
        plaque: String,
        /// Its model.
        model: String,
        /// The day of the mounting.
        mounted_on: Date,
    },

    /// Rule 3: the same issuer gave the same number in that year to a decision of another date.
    DecisionRedated {
        /// The decision as the entry cites it.
        decision: Decision,
        /// The date under which it stands.
        standing: Date,
    },

    /// Rule 4: the model is recognised at that level in that period already.
    RecognisedTwice {
        /// The model.
        model: String,
        /// The level.
        level: Level,
        /// The period.
        period: String,
    },

    /// Rule 5: the same achievement was awarded in the same form at the same level already.
    AwardedTwice {
        /// The achievement.
        achievement: String,
        /// The form.
        form: Form,
        /// The level.
        level: Level,
    },

    /// Rule 6: the issuer is a unit that did not exist on the date of its decision.
    IssuerAbsent {
        /// The decision.
        decision: Decision,
        /// The first day on which the unit existed.
        from: Date,
        /// The last one, if it ended.
        to: Option<Date>,
    },

    /// Rule 9: no record has that id.
    TargetMissing {
        /// The id.
        target: RecordId,
    },
    /// Rule 9: the record is itself an amendment.
    TargetIsAmendment {
        /// Its id.
        target: RecordId,
    },
    /// Rule 9: the record was retracted, and that is final.
    TargetRetracted {
        /// Its id.
        target: RecordId,
    },
    /// Rule 9: a correction would make another type of event of it.
    TypeChanged {
        /// The corrected record.
        target: RecordId,
        /// Its type.
        standing: &'static str,
        /// The replacement's type.
        replacement: &'static str,
    },
    /// Rule 9: a correction would give it another id.
    IdChanged {
        /// The corrected record.
        target: RecordId,
        /// The key that differs.
        key: &'static str,
        /// The id that it has.
        standing: String,
        /// The replacement's.
        replacement: String,
    },
    /// Rule 9: other records rest on it.
    RestedOn {
        /// The record that was to be retracted.
        target: RecordId,
        /// What it does, as a phrase: "defines unit phu-dien".
        does: String,
        /// How many records rest on it.
        dependents: u32,
        /// What they are.
        what: &'static str,
    },
}

impl Refusal {
    /// The number of the rule that refuses; 0 where the entry is not fit to be judged (a bad field, an override
    /// without a reason, no day). Of an override, the rule that it names.
    #[must_use]
    pub fn rule(&self) -> u16 {
        match self {
            Self::Invalid(invalid) => invalid.rule(),
            Self::OverrideEmpty | Self::Undated => 0,
            Self::NotWaivable { rule } => *rule,
            Self::UnitExists { .. }
            | Self::ModelExists { .. }
            | Self::PlaqueExists { .. }
            | Self::ProposalExists { .. }
            | Self::AwardExists { .. }
            | Self::UnitUnknown { .. }
            | Self::ModelUnknown { .. }
            | Self::PlaqueUnknown { .. }
            | Self::PlaqueGone { .. }
            | Self::ModelWithdrawn { .. }
            | Self::DecisionAnnulled { .. }
            | Self::AnnulsItself { .. } => 1,
            Self::PlaqueUnsupported { .. } => 2,
            Self::DecisionRedated { .. } => 3,
            Self::RecognisedTwice { .. } => 4,
            Self::AwardedTwice { .. } => 5,
            Self::IssuerAbsent { .. } => 6,
            Self::TargetMissing { .. }
            | Self::TargetIsAmendment { .. }
            | Self::TargetRetracted { .. }
            | Self::TypeChanged { .. }
            | Self::IdChanged { .. }
            | Self::RestedOn { .. } => 9,
        }
    }

    /// The key of the interchange that it is about; for a correction within its `replacement`.
    #[must_use]
    pub fn field(&self) -> &str {
        match self {
            Self::Invalid(invalid) => &invalid.field,
            Self::NotWaivable { .. } | Self::OverrideEmpty => "override",
            Self::Undated | Self::ModelWithdrawn { .. } | Self::PlaqueUnsupported { .. } => "occurred_on",
            Self::UnitUnknown { key, .. } | Self::ModelUnknown { key, .. } | Self::IdChanged { key, .. } => key,
            Self::UnitExists { .. } => "unit",
            Self::ModelExists { .. } => "model",
            Self::PlaqueExists { .. } | Self::PlaqueUnknown { .. } | Self::PlaqueGone { .. } => "plaque",
            Self::ProposalExists { .. } | Self::AwardExists { .. } => "commendation",
            Self::DecisionAnnulled { .. } | Self::DecisionRedated { .. } | Self::IssuerAbsent { .. } => "decision",
            Self::AnnulsItself { .. } => "by",
            Self::RecognisedTwice { .. } => "period",
            Self::AwardedTwice { .. } => "achievement",
            Self::TypeChanged { .. } => "type",
            Self::TargetMissing { .. }
            | Self::TargetIsAmendment { .. }
            | Self::TargetRetracted { .. }
            | Self::RestedOn { .. } => "target",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rule() {
            0 => {}
            rule => write!(f, "rule {rule}: ")?,
        }
        match self {
            Self::Invalid(invalid) => invalid.fmt(f),
            Self::NotWaivable { .. } => f.write_str("it cannot be overridden, only rules 1, 4 and 5 can: leave it out"),
            Self::OverrideEmpty => f.write_str("an override names at least one rule and says why: complete it or leave it out"),
            Self::Undated => f.write_str("the rules need the day on which this occurred: give it with `on(date)`"),
            Self::UnitExists { unit, record } => {
                write!(f, "unit {unit} is already defined by record {record}: correct that record, or take another id")
            }
            Self::ModelExists { model, record } => {
                write!(f, "model {model} is already registered by record {record}: correct that record, or take another id")
            }
            Self::PlaqueExists { plaque, record } => {
                write!(f, "plaque {plaque} was already mounted by record {record}: correct that record, or take another id")
            }
            Self::ProposalExists { commendation } => {
                write!(f, "commendation {commendation} was already proposed: correct that record, or take another id")
            }
            Self::AwardExists { commendation } => {
                write!(f, "commendation {commendation} was already awarded: correct that record, or take another id")
            }
            Self::UnitUnknown { unit, .. } => {
                write!(f, "unit {unit} is not defined: define it first, or override rule 1 with a reason")
            }
            Self::ModelUnknown { model, .. } => {
                write!(f, "model {model} is not registered: register it first, or override rule 1 with a reason")
            }
            Self::PlaqueUnknown { plaque } => {
                write!(f, "plaque {plaque} was not mounted: record its mounting first, or override rule 1 with a reason")
            }
            Self::PlaqueGone { plaque } => {
                write!(f, "plaque {plaque} was already removed: correct that record, or override rule 1 with a reason")
            }
            Self::ModelWithdrawn { model, withdrawn_on, occurred_on } => write!(
                f,
                "model {model} was withdrawn on {withdrawn_on} and takes nothing that occurred on {occurred_on}: \
                 check both days, or override rule 1 with a reason"
            ),
            Self::DecisionAnnulled { decision } => write!(
                f,
                "decision {decision} is annulled and cannot be cited again: cite another, retract the annulment if it \
                 is wrong, or override rule 1 with a reason"
            ),
            Self::AnnulsItself { decision } => {
                write!(f, "decision {decision} cannot annul itself: name the decision that annuls it")
            }
            Self::PlaqueUnsupported { plaque, model, mounted_on } => write!(
                f,
                "plaque {plaque} needs a recognition of model {model}, or a decision of its own, dated {mounted_on} or \
                 before: record the recognition first, or cite the decision"
            ),
            Self::DecisionRedated { decision, standing } => write!(
                f,
                "decision {} of {} exists with date {standing}, not {}: cite it with that date, or correct the records \
                 that cite it",
                decision.number, decision.issuer, decision.date
            ),
            Self::RecognisedTwice { model, level, period } => write!(
                f,
                "model {model} is already recognised at level {level} in period {period}: check level and period, or \
                 override rule 4 with a reason"
            ),
            Self::AwardedTwice { achievement, form, level } => write!(
                f,
                "the achievement {achievement:?} was already awarded as {form} at level {level}: name what is new in \
                 it, or override rule 5 with a reason"
            ),
            Self::IssuerAbsent { decision, from, to } => {
                write!(f, "unit {} did not exist on {}: it existed from {from}", decision.issuer, decision.date)?;
                if let Some(to) = to {
                    write!(f, " to {to}")?;
                }
                f.write_str(": check the decision's issuer and date, or correct the unit's record")
            }
            Self::TargetMissing { target } => {
                write!(f, "no record has the id {target}: look it up with its model or unit")
            }
            Self::TargetIsAmendment { target } => {
                write!(f, "record {target} is itself a correction or retraction: name the original record")
            }
            Self::TargetRetracted { target } => {
                write!(f, "record {target} was retracted, which is final: record the fact again")
            }
            Self::TypeChanged { target, standing, replacement } => write!(
                f,
                "record {target} is a {standing} and cannot be corrected to a {replacement}: retract it and record again"
            ),
            Self::IdChanged { target, key, standing, replacement } => write!(
                f,
                "record {target} has {key} {standing}, and a correction cannot make it {replacement}: retract it and \
                 record again"
            ),
            Self::RestedOn { target, does, dependents, what } => write!(
                f,
                "record {target} {does}, and {dependents} standing {what} on it: retract these first, or correct the \
                 record instead"
            ),
        }
    }
}
impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl std::error::Error for Refusal {}
