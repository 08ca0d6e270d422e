//! An event's own keys.

use super::area::square_decimetres;
use super::fault::{LineError, Reason};
use super::fields::Fields;
use super::persons::Persons;
use crate::codes::UnknownCode;
use crate::event::stored::{ADDRESS_FIELD, PERSON_FIELD};
use crate::event::{
    CommendationAwarded, CommendationProposed, Contribution, Decision, DecisionAnnulled, Fault, FigurePublished, ModelContinued,
    ModelFunded, ModelRecognised, ModelRegistered, ModelReplicated, ModelWithdrawn, PlaqueMounted, PlaqueRemoved, Recipient,
    Recognition, RecordCorrected, RecordRetracted, SubjectKind, UnitDefined, UnitSucceeded,
};
use sovang_core::Event as _;
use std::str::FromStr;

type Read<T> = Result<T, LineError>;

/// What is given, as a code.
#[derive(Clone, Copy)]
enum ContributionKind {
    Cash,
    Labour,
    Land,
    InKind,
}
impl FromStr for ContributionKind {
    type Err = UnknownCode;
    fn from_str(given: &str) -> Result<Self, UnknownCode> {
        Ok(match given {
            "cash" => Self::Cash,
            "labour" => Self::Labour,
            "land" => Self::Land,
            "in_kind" => Self::InKind,
            _ => {
                let allowed = &["cash", "labour", "land", "in_kind"];
                return Err(UnknownCode { list: "kind of contribution", given: given.to_owned(), allowed });
            }
        })
    }
}

/// The event of this type.
pub(super) fn event(name: &str, from: &mut Fields, persons: &mut Persons) -> Read<Recognition> {
    let unknown = || from.error("type", Reason::Type { given: name.to_owned() });
    let kind = *Recognition::KINDS.iter().find(|kind| kind.name() == name).ok_or_else(unknown)?;
    Ok(match kind {
        Recognition::UNIT_DEFINED => unit_defined(from)?.into(),
        Recognition::UNIT_SUCCEEDED => unit_succeeded(from)?.into(),
        Recognition::MODEL_REGISTERED => model_registered(from, persons)?.into(),
        Recognition::MODEL_CONTINUED => ModelContinued { model: from.text("model")?, year: from.year("year")? }.into(),
        Recognition::MODEL_REPLICATED => ModelReplicated { model: from.text("model")?, replica: from.text("replica")? }.into(),
        Recognition::MODEL_WITHDRAWN => ModelWithdrawn { model: from.text("model")?, reason: from.text("reason")? }.into(),
        Recognition::MODEL_RECOGNISED => model_recognised(from)?.into(),
        Recognition::MODEL_FUNDED => model_funded(from, persons)?.into(),
        Recognition::PLAQUE_MOUNTED => plaque_mounted(from)?.into(),
        Recognition::PLAQUE_REMOVED => PlaqueRemoved { plaque: from.text("plaque")?, reason: from.code("reason")? }.into(),
        Recognition::COMMENDATION_PROPOSED => commendation_proposed(from, persons)?.into(),
        Recognition::COMMENDATION_AWARDED => commendation_awarded(from, persons)?.into(),
        Recognition::DECISION_ANNULLED => decision_annulled(from)?.into(),
        Recognition::RECORD_CORRECTED => record_corrected(from, persons)?.into(),
        Recognition::RECORD_RETRACTED => record_retracted(from)?.into(),
        Recognition::FIGURE_PUBLISHED => figure_published(from)?.into(),
        _ => return Err(unknown()),
    })
}

fn decision(mut from: Fields) -> Read<Decision> {
    let decision = Decision { issuer: from.text("issuer")?, number: from.text("number")?, date: from.date("date")? };
    from.finish()?;
    Ok(decision)
}

fn unit_defined(from: &mut Fields) -> Read<UnitDefined> {
    Ok(UnitDefined {
        unit: from.text("unit")?,
        name: from.text("name")?,
        kind: from.code("kind")?,
        valid_from: from.date("valid_from")?,
        parent: from.maybe_text("parent")?,
        valid_to: from.maybe_date("valid_to")?,
    })
}

fn unit_succeeded(from: &mut Fields) -> Read<UnitSucceeded> {
    Ok(UnitSucceeded {
        from: from.text("from")?,
        to: from.text("to")?,
        effective_on: from.date("effective_on")?,
        act: from.text("act")?,
        extent: from.code("extent")?,
        note: from.maybe_text("note")?,
    })
}

fn model_registered(from: &mut Fields, persons: &mut Persons) -> Read<ModelRegistered> {
    let subject = persons.person(from, "subject", PERSON_FIELD)?;
    let address = persons.address(from, "address", ADDRESS_FIELD, &subject)?;
    Ok(ModelRegistered {
        model: from.text("model")?,
        title: from.text("title")?,
        subject_kind: from.code("subject_kind")?,
        unit: from.text("unit")?,
        field: from.code("field")?,
        year: from.year("year")?,
        subject,
        target: from.maybe_text("target")?,
        address,
    })
}

fn model_recognised(from: &mut Fields) -> Read<ModelRecognised> {
    Ok(ModelRecognised {
        model: from.text("model")?,
        level: from.code("level")?,
        decision: decision(from.object("decision")?)?,
        tier: from.maybe_text("tier")?,
        period: from.maybe_text("period")?,
    })
}

fn model_funded(from: &mut Fields, persons: &mut Persons) -> Read<ModelFunded> {
    Ok(ModelFunded {
        model: from.text("model")?,
        contribution: contribution(from.object("contribution")?)?,
        source: from.code("source")?,
        qualifier: from.maybe_code("qualifier")?,
        donor: persons.person(from, "donor", PERSON_FIELD)?,
    })
}

fn contribution(mut from: Fields) -> Read<Contribution> {
    let contribution = match from.code("kind")? {
        ContributionKind::Cash => Contribution::Cash { vnd: from.integer("vnd")? },
        ContributionKind::Labour => Contribution::Labour { days: from.integer("days")? },
        ContributionKind::Land => {
            let area = from.text("square_metres")?;
            let negative = area.strip_prefix('-').is_some_and(|rest| square_decimetres(rest).is_some());
            let reason = if negative { Reason::Invalid(Fault::Negative) } else { Reason::Area };
            Contribution::Land {
                square_decimetres: square_decimetres(&area).ok_or_else(|| from.error("square_metres", reason))?,
                land: from.code("land")?,
            }
        }
        ContributionKind::InKind => {
            Contribution::InKind { vnd: from.integer("vnd")?, description: from.maybe_text("description")? }
        }
    };
    from.finish()?;
    Ok(contribution)
}

fn plaque_mounted(from: &mut Fields) -> Read<PlaqueMounted> {
    Ok(PlaqueMounted {
        plaque: from.text("plaque")?,
        model: from.text("model")?,
        level: from.code("level")?,
        place: from.text("place")?,
        decision: from.maybe_object("decision")?.map(decision).transpose()?,
        occasion: from.maybe_text("occasion")?,
        inscription: from.maybe_text("inscription")?,
    })
}

fn recipient(mut from: Fields, persons: &mut Persons) -> Read<Recipient> {
    let kind: SubjectKind = from.code("kind")?;
    let unit = from.maybe_text("unit")?;
    let recipient = if kind == SubjectKind::Collective {
        if from.has("subject") {
            return Err(from.error("subject", Reason::Invalid(Fault::SubjectOfCollective)));
        }
        Recipient::Collective { name: from.text("name")?, unit }
    } else {
        if from.has("name") {
            return Err(from.error("name", Reason::PublicName));
        }
        let subject = persons.person(&mut from, "subject", PERSON_FIELD)?;
        if kind == SubjectKind::Individual {
            Recipient::Individual { subject, unit }
        } else {
            Recipient::Household { subject, unit }
        }
    };
    from.finish()?;
    Ok(recipient)
}

fn commendation_proposed(from: &mut Fields, persons: &mut Persons) -> Read<CommendationProposed> {
    Ok(CommendationProposed {
        commendation: from.text("commendation")?,
        recipient: recipient(from.object("recipient")?, persons)?,
        form: from.code("form")?,
        level: from.code("level")?,
        achievement: from.maybe_text("achievement")?,
    })
}

fn commendation_awarded(from: &mut Fields, persons: &mut Persons) -> Read<CommendationAwarded> {
    Ok(CommendationAwarded {
        commendation: from.text("commendation")?,
        recipient: recipient(from.object("recipient")?, persons)?,
        form: from.code("form")?,
        level: from.code("level")?,
        decision: decision(from.object("decision")?)?,
        bonus_vnd: from.maybe_integer("bonus_vnd")?,
        achievement: from.maybe_text("achievement")?,
    })
}

fn decision_annulled(from: &mut Fields) -> Read<DecisionAnnulled> {
    Ok(DecisionAnnulled {
        decision: decision(from.object("decision")?)?,
        ground: from.code("ground")?,
        by: decision(from.object("by")?)?,
        artefact: from.maybe_text("artefact")?,
        bonus_recovered_vnd: from.maybe_integer("bonus_recovered_vnd")?,
    })
}

fn record_corrected(from: &mut Fields, persons: &mut Persons) -> Read<RecordCorrected> {
    let target = from.id("target")?;
    let mut inner = from.object("replacement")?;
    let name = inner.text("type")?;
    // An amendment is no replacement; refused before it is read, so that nothing is read within itself without end.
    if [Recognition::RECORD_CORRECTED.name(), Recognition::RECORD_RETRACTED.name()].contains(&name.as_str()) {
        return Err(from.error("replacement", Reason::Invalid(Fault::Amendment)));
    }
    let replacement_on = inner.date("occurred_on")?;
    let replacement = Box::new(event(&name, &mut inner, persons)?);
    inner.finish()?;
    Ok(RecordCorrected {
        target,
        replacement,
        replacement_on,
        reason: from.text("reason")?,
        authority: from.maybe_text("authority")?,
    })
}

fn record_retracted(from: &mut Fields) -> Read<RecordRetracted> {
    Ok(RecordRetracted { target: from.id("target")?, reason: from.text("reason")?, authority: from.maybe_text("authority")? })
}

fn figure_published(from: &mut Fields) -> Read<FigurePublished> {
    Ok(FigurePublished {
        measure: from.text("measure")?,
        unit: from.text("unit")?,
        period: from.text("period")?,
        value: from.integer("value")?,
        qualifier: from.code("qualifier")?,
        source: from.text("source")?,
        statement: from.maybe_hex("statement")?,
    })
}
