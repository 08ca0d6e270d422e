//! Making events: a function for what is required, a method for each optional field.

use super::facts::{
    Address, CommendationAwarded, CommendationProposed, Contribution, Decision, DecisionAnnulled, FigurePublished,
    ModelContinued, ModelFunded, ModelRecognised, ModelRegistered, ModelReplicated, ModelWithdrawn, PlaqueMounted, PlaqueRemoved,
    Recipient, RecordCorrected, RecordRetracted, UnitDefined, UnitSucceeded,
};
use super::{Extent, Field, Form, Ground, Level, Qualifier, Recognition, RemovalReason, Source, SubjectKind, UnitKind};
use sovang_core::{Date, Personal, RecordId};

/// A decision: who, its number, its date.
#[must_use]
pub fn decision(issuer: impl Into<String>, number: impl Into<String>, date: Date) -> Decision {
    Decision { issuer: issuer.into(), number: number.into(), date }
}

/// A unit of this id, name and kind exists from that day on.
#[must_use]
pub fn unit_defined(unit: impl Into<String>, name: impl Into<String>, kind: UnitKind, valid_from: Date) -> UnitDefined {
    UnitDefined { unit: unit.into(), name: name.into(), kind, valid_from, parent: None, valid_to: None }
}

/// A unit goes over into another on that day, by that act.
#[must_use]
pub fn unit_succeeded(
    from: impl Into<String>,
    to: impl Into<String>,
    effective_on: Date,
    act: impl Into<String>,
    extent: Extent,
) -> UnitSucceeded {
    UnitSucceeded { from: from.into(), to: to.into(), effective_on, act: act.into(), extent, note: None }
}

/// A model of this id and title is registered for a year.
#[must_use]
pub fn model_registered(
    model: impl Into<String>,
    title: impl Into<String>,
    subject_kind: SubjectKind,
    unit: impl Into<String>,
    field: Field,
    year: u16,
) -> ModelRegistered {
    ModelRegistered {
        model: model.into(),
        title: title.into(),
        subject_kind,
        unit: unit.into(),
        field,
        year,
        subject: Personal::None,
        target: None,
        address: None,
    }
}

/// A model is kept up in a later year.
#[must_use]
pub fn model_continued(model: impl Into<String>, year: u16) -> ModelContinued {
    ModelContinued { model: model.into(), year }
}

/// The first model was the example for the second.
#[must_use]
pub fn model_replicated(model: impl Into<String>, replica: impl Into<String>) -> ModelReplicated {
    ModelReplicated { model: model.into(), replica: replica.into() }
}

/// A model ends.
#[must_use]
pub fn model_withdrawn(model: impl Into<String>, reason: impl Into<String>) -> ModelWithdrawn {
    ModelWithdrawn { model: model.into(), reason: reason.into() }
}

/// A model is recognised at a level by a decision.
#[must_use]
pub fn model_recognised(model: impl Into<String>, level: Level, decision: Decision) -> ModelRecognised {
    ModelRecognised { model: model.into(), level, decision, tier: None, period: None }
}

/// Exactly so much is given to a model.
#[must_use]
pub fn model_funded(model: impl Into<String>, contribution: Contribution, source: Source) -> ModelFunded {
    ModelFunded { model: model.into(), contribution, source, qualifier: None, donor: Personal::None }
}

/// A plaque of this id is mounted for a model, at a level and a place.
#[must_use]
pub fn plaque_mounted(
    plaque: impl Into<String>,
    model: impl Into<String>,
    level: Level,
    place: impl Into<String>,
) -> PlaqueMounted {
    PlaqueMounted {
        plaque: plaque.into(),
        model: model.into(),
        level,
        place: place.into(),
        decision: None,
        occasion: None,
        inscription: None,
    }
}

/// A plaque is no longer there.
#[must_use]
pub fn plaque_removed(plaque: impl Into<String>, reason: RemovalReason) -> PlaqueRemoved {
    PlaqueRemoved { plaque: plaque.into(), reason }
}

/// Someone is proposed for a commendation.
#[must_use]
pub fn commendation_proposed(
    commendation: impl Into<String>,
    recipient: Recipient,
    form: Form,
    level: Level,
) -> CommendationProposed {
    CommendationProposed { commendation: commendation.into(), recipient, form, level, achievement: None }
}

/// Someone is commended by a decision.
#[must_use]
pub fn commendation_awarded(
    commendation: impl Into<String>,
    recipient: Recipient,
    form: Form,
    level: Level,
    decision: Decision,
) -> CommendationAwarded {
    CommendationAwarded {
        commendation: commendation.into(),
        recipient,
        form,
        level,
        decision,
        bonus_vnd: None,
        achievement: None,
    }
}

/// A decision is annulled by another.
#[must_use]
pub fn decision_annulled(decision: Decision, ground: Ground, by: Decision) -> DecisionAnnulled {
    DecisionAnnulled { decision, ground, by, artefact: None, bonus_recovered_vnd: None }
}

/// The record `target` stands as `replacement`, having occurred on that day.
#[must_use]
pub fn record_corrected(
    target: RecordId,
    replacement: impl Into<Recognition>,
    replacement_on: Date,
    reason: impl Into<String>,
) -> RecordCorrected {
    RecordCorrected { target, replacement: Box::new(replacement.into()), replacement_on, reason: reason.into(), authority: None }
}

/// The record `target` does not stand, for good.
#[must_use]
pub fn record_retracted(target: RecordId, reason: impl Into<String>) -> RecordRetracted {
    RecordRetracted { target, reason: reason.into(), authority: None }
}

/// A figure was published for a unit and a period.
#[must_use]
pub fn figure_published(
    measure: impl Into<String>,
    unit: impl Into<String>,
    period: impl Into<String>,
    value: i64,
    qualifier: Qualifier,
    source: impl Into<String>,
) -> FigurePublished {
    FigurePublished {
        measure: measure.into(),
        unit: unit.into(),
        period: period.into(),
        value,
        qualifier,
        source: source.into(),
        statement: None,
    }
}

macro_rules! texts {
    ($($event:ident { $($(#[$doc:meta])* $field:ident,)* })*) => {
        $(impl $event {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $field(mut self, text: impl Into<String>) -> Self {
                    self.$field = Some(text.into());
                    self
                }
            )*
        })*
    };
}
texts! {
    UnitDefined {
        /// It belongs to the unit of this id.
        parent,
    }
    UnitSucceeded {
        /// Adds a remark.
        note,
    }
    ModelRegistered {
        /// Says what the model aims at.
        target,
    }
    ModelRecognised {
        /// Says where the model stands within the level, such as `exemplar`.
        tier,
        /// Says for which period; without it, for the year in which it occurred.
        period,
    }
    PlaqueMounted {
        /// Says on which occasion.
        occasion,
        /// Says what is written on it.
        inscription,
    }
    CommendationProposed {
        /// Says for what.
        achievement,
    }
    CommendationAwarded {
        /// Says for what.
        achievement,
    }
    DecisionAnnulled {
        /// Says what of the artefact was recovered.
        artefact,
    }
    RecordCorrected {
        /// Says on whose authority.
        authority,
    }
    RecordRetracted {
        /// Says on whose authority.
        authority,
    }
}

impl UnitDefined {
    /// It exists up to that day.
    #[must_use]
    pub fn valid_to(mut self, date: Date) -> Self {
        self.valid_to = Some(date);
        self
    }
}
impl ModelRegistered {
    /// It is this person's or family's: `Personal::of(id, name)`. An address that was given before becomes personal too.
    #[must_use]
    pub fn subject(mut self, subject: Personal<String>) -> Self {
        self.subject = subject;
        if let Some(Address::Public(address)) = self.address.take_if(|a| matches!(a, Address::Public(_))) {
            self = self.address(address);
        }
        self
    }
    /// It is there; personal if the model has a subject.
    #[must_use]
    pub fn address(mut self, address: impl Into<String>) -> Self {
        let address = address.into();
        self.address = Some(match self.subject.subject() {
            Some(subject) => Address::Personal(Personal::Known { subject: subject.clone(), value: address }),
            None => Address::Public(address),
        });
        self
    }
}
impl ModelFunded {
    /// How the quantity relates to the truth.
    #[must_use]
    pub fn qualifier(mut self, qualifier: Qualifier) -> Self {
        self.qualifier = Some(qualifier);
        self
    }
    /// This person or family gave it: `Personal::of(id, name)`.
    #[must_use]
    pub fn donor(mut self, donor: Personal<String>) -> Self {
        self.donor = donor;
        self
    }
}
impl PlaqueMounted {
    /// A decision of its own orders it.
    #[must_use]
    pub fn decision(mut self, decision: Decision) -> Self {
        self.decision = Some(decision);
        self
    }
}
impl CommendationAwarded {
    /// So many đồng come with it.
    #[must_use]
    pub fn bonus_vnd(mut self, vnd: i64) -> Self {
        self.bonus_vnd = Some(vnd);
        self
    }
}
impl FigurePublished {
    /// It was computed as this signed statement says: the digest of all bytes of its file.
    #[must_use]
    pub fn statement(mut self, digest: [u8; 32]) -> Self {
        self.statement = Some(digest);
        self
    }
}
impl DecisionAnnulled {
    /// So many đồng of the bonus were recovered.
    #[must_use]
    pub fn bonus_recovered_vnd(mut self, vnd: i64) -> Self {
        self.bonus_recovered_vnd = Some(vnd);
        self
    }
}
