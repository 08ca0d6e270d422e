//! Payloads as stored, version 1: fixed-width fields first, texts last (docs/FORMAT.md §5). A day is a count of days
//! since 1970-01-01, a code its place in its list. `S` is a borrowed text when written and an owned one when read.
//!
//! Personal fields are numbered within their kind, for ever: of a registration 1 the subject's name and 2 the address,
//! of a contribution 1 the donor's name, of a proposal or award 1 the recipient's name.

use super::facts::{
    Address, CommendationAwarded, CommendationProposed, Contribution, Decision, DecisionAnnulled, FigurePublished,
    ModelContinued, ModelFunded, ModelRecognised, ModelRegistered, ModelReplicated, ModelWithdrawn, PlaqueMounted, PlaqueRemoved,
    Recipient, RecordCorrected, RecordRetracted, UnitDefined, UnitSucceeded,
};
use super::{Extent, Field, Form, Ground, Level, Qualifier, RemovalReason, Source, SubjectKind, UnitKind};
use serde::{Deserialize, Serialize};
use sovang_core::calendar::{date_of, days_of};
use sovang_core::{CodecError, Decoder, Encoder, Personal};

/// The subject of a registration, the donor of a contribution, the recipient of a commendation.
pub(crate) const PERSON_FIELD: u16 = 1;
/// The address of a registration with a subject.
pub(crate) const ADDRESS_FIELD: u16 = 2;

#[derive(Serialize, Deserialize)]
struct DecisionV1<S> {
    date: i32,
    issuer: S,
    number: S,
}
impl<'a> DecisionV1<&'a str> {
    fn of(decision: &'a Decision) -> Self {
        Self { date: days_of(decision.date), issuer: &decision.issuer, number: &decision.number }
    }
}
impl DecisionV1<String> {
    fn read(self) -> Result<Decision, CodecError> {
        Ok(Decision { issuer: self.issuer, number: self.number, date: date_of(self.date)? })
    }
}

#[derive(Serialize, Deserialize)]
struct UnitDefinedV1<S> {
    kind: UnitKind,
    valid_from: i32,
    valid_to: Option<i32>,
    unit: S,
    name: S,
    parent: Option<S>,
}
impl UnitDefined {
    pub(super) fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        to.put(&UnitDefinedV1 {
            kind: self.kind,
            valid_from: days_of(self.valid_from),
            valid_to: self.valid_to.map(days_of),
            unit: self.unit.as_str(),
            name: &self.name,
            parent: self.parent.as_deref(),
        })
    }
    pub(super) fn decode_v1(from: &mut Decoder) -> Result<Self, CodecError> {
        let s: UnitDefinedV1<String> = from.take()?;
        Ok(Self {
            unit: s.unit,
            name: s.name,
            kind: s.kind,
            valid_from: date_of(s.valid_from)?,
            parent: s.parent,
            valid_to: s.valid_to.map(date_of).transpose()?,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct UnitSucceededV1<S> {
    extent: Extent,
    effective_on: i32,
    from: S,
    to: S,
    act: S,
    note: Option<S>,
}
impl UnitSucceeded {
    pub(super) fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        to.put(&UnitSucceededV1 {
            extent: self.extent,
            effective_on: days_of(self.effective_on),
            from: self.from.as_str(),
            to: &self.to,
            act: &self.act,
            note: self.note.as_deref(),
        })
    }
    pub(super) fn decode_v1(from: &mut Decoder) -> Result<Self, CodecError> {
        let s: UnitSucceededV1<String> = from.take()?;
        Ok(Self { from: s.from, to: s.to, effective_on: date_of(s.effective_on)?, act: s.act, extent: s.extent, note: s.note })
    }
}

#[derive(Serialize, Deserialize)]
struct ModelRegisteredV1<S> {
    subject_kind: SubjectKind,
    year: u16,
    field: Field,
    model: S,
    title: S,
    unit: S,
    target: Option<S>,
    /// Of a model without a subject.
    address: Option<S>,
}
impl ModelRegistered {
    pub(super) fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        let (public, personal) = match &self.address {
            None => (None, &Personal::None),
            Some(Address::Public(address)) => (Some(address.as_str()), &Personal::None),
            Some(Address::Personal(address)) => (None, address),
        };
        to.put(&ModelRegisteredV1 {
            subject_kind: self.subject_kind,
            year: self.year,
            field: self.field.clone(),
            model: self.model.as_str(),
            title: &self.title,
            unit: &self.unit,
            target: self.target.as_deref(),
            address: public,
        })?;
        to.personal(PERSON_FIELD, &self.subject)?;
        to.personal(ADDRESS_FIELD, personal)
    }
    pub(super) fn decode_v1(from: &mut Decoder) -> Result<Self, CodecError> {
        let s: ModelRegisteredV1<String> = from.take()?;
        let subject = from.personal(PERSON_FIELD)?;
        let personal = from.personal(ADDRESS_FIELD)?;
        let address = match (s.address, personal) {
            (None, Personal::None) => None,
            (Some(address), Personal::None) => Some(Address::Public(address)),
            (None, personal) => Some(Address::Personal(personal)),
            (Some(_), _) => {
                return Err(CodecError::Malformed { what: "an address that is both public and personal" });
            }
        };
        Ok(Self {
            model: s.model,
            title: s.title,
            subject_kind: s.subject_kind,
            unit: s.unit,
            field: s.field,
            year: s.year,
            subject,
            target: s.target,
            address,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct ModelContinuedV1<S> {
    year: u16,
    model: S,
}
impl ModelContinued {
    pub(super) fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        to.put(&ModelContinuedV1 { year: self.year, model: self.model.as_str() })
    }
    pub(super) fn decode_v1(from: &mut Decoder) -> Result<Self, CodecError> {
        let s: ModelContinuedV1<String> = from.take()?;
        Ok(Self { model: s.model, year: s.year })
    }
}

#[derive(Serialize, Deserialize)]
struct ModelReplicatedV1<S> {
    model: S,
    replica: S,
}
impl ModelReplicated {
    pub(super) fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        to.put(&ModelReplicatedV1 { model: self.model.as_str(), replica: &self.replica })
    }
    pub(super) fn decode_v1(from: &mut Decoder) -> Result<Self, CodecError> {
        let s: ModelReplicatedV1<String> = from.take()?;
        Ok(Self { model: s.model, replica: s.replica })
    }
}

#[derive(Serialize, Deserialize)]
struct ModelWithdrawnV1<S> {
    model: S,
    reason: S,
}
impl ModelWithdrawn {
    pub(super) fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        to.put(&ModelWithdrawnV1 { model: self.model.as_str(), reason: &self.reason })
    }
    pub(super) fn decode_v1(from: &mut Decoder) -> Result<Self, CodecError> {
        let s: ModelWithdrawnV1<String> = from.take()?;
        Ok(Self { model: s.model, reason: s.reason })
    }
}

#[derive(Serialize, Deserialize)]
struct ModelRecognisedV1<S> {
    level: Level,
    decision: DecisionV1<S>,
    model: S,
    tier: Option<S>,
    period: Option<S>,
}
impl ModelRecognised {
    pub(super) fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        to.put(&ModelRecognisedV1 {
            level: self.level,
            decision: DecisionV1::of(&self.decision),
            model: &self.model,
            tier: self.tier.as_deref(),
            period: self.period.as_deref(),
        })
    }
    pub(super) fn decode_v1(from: &mut Decoder) -> Result<Self, CodecError> {
        let s: ModelRecognisedV1<String> = from.take()?;
        Ok(Self { model: s.model, level: s.level, decision: s.decision.read()?, tier: s.tier, period: s.period })
    }
}

#[derive(Serialize, Deserialize)]
struct ModelFundedV1<S, C> {
    source: Source,
    qualifier: Option<Qualifier>,
    contribution: C,
    model: S,
}
impl ModelFunded {
    pub(super) fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        to.put(&ModelFundedV1 {
            source: self.source,
            qualifier: self.qualifier,
            contribution: &self.contribution,
            model: self.model.as_str(),
        })?;
        to.personal(PERSON_FIELD, &self.donor)
    }
    pub(super) fn decode_v1(from: &mut Decoder) -> Result<Self, CodecError> {
        let s: ModelFundedV1<String, Contribution> = from.take()?;
        let donor = from.personal(PERSON_FIELD)?;
        Ok(Self { model: s.model, contribution: s.contribution, source: s.source, qualifier: s.qualifier, donor })
    }
}

#[derive(Serialize, Deserialize)]
struct PlaqueMountedV1<S> {
    level: Level,
    decision: Option<DecisionV1<S>>,
    plaque: S,
    model: S,
    place: S,
    occasion: Option<S>,
    inscription: Option<S>,
}
impl PlaqueMounted {
    pub(super) fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        to.put(&PlaqueMountedV1 {
            level: self.level,
            decision: self.decision.as_ref().map(DecisionV1::of),
            plaque: self.plaque.as_str(),
            model: &self.model,
            place: &self.place,
            occasion: self.occasion.as_deref(),
            inscription: self.inscription.as_deref(),
        })
    }
    pub(super) fn decode_v1(from: &mut Decoder) -> Result<Self, CodecError> {
        let s: PlaqueMountedV1<String> = from.take()?;
        Ok(Self {
            plaque: s.plaque,
            model: s.model,
            level: s.level,
            place: s.place,
            decision: s.decision.map(DecisionV1::read).transpose()?,
            occasion: s.occasion,
            inscription: s.inscription,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct PlaqueRemovedV1<S> {
    reason: RemovalReason,
    plaque: S,
}
impl PlaqueRemoved {
    pub(super) fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        to.put(&PlaqueRemovedV1 { reason: self.reason, plaque: self.plaque.as_str() })
    }
    pub(super) fn decode_v1(from: &mut Decoder) -> Result<Self, CodecError> {
        let s: PlaqueRemovedV1<String> = from.take()?;
        Ok(Self { plaque: s.plaque, reason: s.reason })
    }
}

/// The public part of a recipient. The name is a collective's, never a person's.
#[derive(Serialize, Deserialize)]
struct RecipientV1<S> {
    kind: SubjectKind,
    name: Option<S>,
    unit: Option<S>,
}
impl<'a> RecipientV1<&'a str> {
    fn of(recipient: &'a Recipient) -> Self {
        Self { kind: recipient.kind(), name: recipient.name(), unit: recipient.unit() }
    }
}
impl RecipientV1<String> {
    fn read(self, subject: Personal<String>) -> Result<Recipient, CodecError> {
        match (self.kind, self.name, subject) {
            (SubjectKind::Collective, Some(name), Personal::None) => Ok(Recipient::Collective { name, unit: self.unit }),
            (SubjectKind::Individual, None, subject) => Ok(Recipient::Individual { subject, unit: self.unit }),
            (SubjectKind::Household, None, subject) => Ok(Recipient::Household { subject, unit: self.unit }),
            _ => Err(CodecError::Malformed { what: "a recipient: a collective has a public name, a person has none" }),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct CommendationProposedV1<S> {
    form: Form,
    level: Level,
    recipient: RecipientV1<S>,
    commendation: S,
    achievement: Option<S>,
}
impl CommendationProposed {
    pub(super) fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        to.put(&CommendationProposedV1 {
            form: self.form,
            level: self.level,
            recipient: RecipientV1::of(&self.recipient),
            commendation: &self.commendation,
            achievement: self.achievement.as_deref(),
        })?;
        to.personal(PERSON_FIELD, self.recipient.subject())
    }
    pub(super) fn decode_v1(from: &mut Decoder) -> Result<Self, CodecError> {
        let s: CommendationProposedV1<String> = from.take()?;
        Ok(Self {
            commendation: s.commendation,
            recipient: s.recipient.read(from.personal(PERSON_FIELD)?)?,
            form: s.form,
            level: s.level,
            achievement: s.achievement,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct CommendationAwardedV1<S> {
    form: Form,
    level: Level,
    bonus_vnd: Option<i64>,
    decision: DecisionV1<S>,
    recipient: RecipientV1<S>,
    commendation: S,
    achievement: Option<S>,
}
impl CommendationAwarded {
    pub(super) fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        to.put(&CommendationAwardedV1 {
            form: self.form,
            level: self.level,
            bonus_vnd: self.bonus_vnd,
            decision: DecisionV1::of(&self.decision),
            recipient: RecipientV1::of(&self.recipient),
            commendation: &self.commendation,
            achievement: self.achievement.as_deref(),
        })?;
        to.personal(PERSON_FIELD, self.recipient.subject())
    }
    pub(super) fn decode_v1(from: &mut Decoder) -> Result<Self, CodecError> {
        let s: CommendationAwardedV1<String> = from.take()?;
        Ok(Self {
            commendation: s.commendation,
            recipient: s.recipient.read(from.personal(PERSON_FIELD)?)?,
            form: s.form,
            level: s.level,
            decision: s.decision.read()?,
            bonus_vnd: s.bonus_vnd,
            achievement: s.achievement,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct DecisionAnnulledV1<S> {
    ground: Ground,
    bonus_recovered_vnd: Option<i64>,
    decision: DecisionV1<S>,
    by: DecisionV1<S>,
    artefact: Option<S>,
}
impl DecisionAnnulled {
    pub(super) fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        to.put(&DecisionAnnulledV1 {
            ground: self.ground,
            bonus_recovered_vnd: self.bonus_recovered_vnd,
            decision: DecisionV1::of(&self.decision),
            by: DecisionV1::of(&self.by),
            artefact: self.artefact.as_deref(),
        })
    }
    pub(super) fn decode_v1(from: &mut Decoder) -> Result<Self, CodecError> {
        let s: DecisionAnnulledV1<String> = from.take()?;
        Ok(Self {
            decision: s.decision.read()?,
            ground: s.ground,
            by: s.by.read()?,
            artefact: s.artefact,
            bonus_recovered_vnd: s.bonus_recovered_vnd,
        })
    }
}

/// The target stands in the record's metadata; the replacement follows as a whole event.
#[derive(Serialize, Deserialize)]
struct RecordCorrectedV1<S> {
    replacement_on: i32,
    reason: S,
    authority: Option<S>,
}
impl RecordCorrected {
    pub(super) fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        to.put(&RecordCorrectedV1 {
            replacement_on: days_of(self.replacement_on),
            reason: self.reason.as_str(),
            authority: self.authority.as_deref(),
        })?;
        to.put_event(&*self.replacement)
    }
    pub(super) fn decode_v1(from: &mut Decoder) -> Result<Self, CodecError> {
        let s: RecordCorrectedV1<String> = from.take()?;
        Ok(Self {
            target: from.target()?,
            replacement: Box::new(from.take_event()?),
            replacement_on: date_of(s.replacement_on)?,
            reason: s.reason,
            authority: s.authority,
        })
    }
}

/// The target stands in the record's metadata.
#[derive(Serialize, Deserialize)]
struct RecordRetractedV1<S> {
    reason: S,
    authority: Option<S>,
}
impl RecordRetracted {
    pub(super) fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        to.put(&RecordRetractedV1 { reason: self.reason.as_str(), authority: self.authority.as_deref() })
    }
    pub(super) fn decode_v1(from: &mut Decoder) -> Result<Self, CodecError> {
        let s: RecordRetractedV1<String> = from.take()?;
        Ok(Self { target: from.target()?, reason: s.reason, authority: s.authority })
    }
}

#[derive(Serialize, Deserialize)]
struct FigurePublishedV1<S> {
    value: i64,
    qualifier: Qualifier,
    statement: Option<[u8; 32]>,
    measure: S,
    unit: S,
    period: S,
    source: S,
}
impl FigurePublished {
    pub(super) fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        to.put(&FigurePublishedV1 {
            value: self.value,
            qualifier: self.qualifier,
            statement: self.statement,
            measure: self.measure.as_str(),
            unit: &self.unit,
            period: &self.period,
            source: &self.source,
        })
    }
    pub(super) fn decode_v1(from: &mut Decoder) -> Result<Self, CodecError> {
        let s: FigurePublishedV1<String> = from.take()?;
        Ok(Self {
            measure: s.measure,
            unit: s.unit,
            period: s.period,
            value: s.value,
            qualifier: s.qualifier,
            source: s.source,
            statement: s.statement,
        })
    }
}
