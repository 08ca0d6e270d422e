//! Rules 1 to 9 on what stands. Where the text leaves a choice, the comment says which one is taken, and why.

use super::books::Books;
use super::keys;
use super::refusal::Refusal;
use crate::event::{CommendationAwarded, Decision, DecisionAnnulled, ModelRecognised, PlaqueMounted, Recognition};
use sovang_core::{Amends, Date, Entry, Event, Override, RecordId};

/// What a record id names, for an amendment to be judged.
#[derive(Clone, Debug)]
pub enum Target {
    /// No record.
    Missing,
    /// A correction or retraction.
    Amendment,
    /// An original record that was retracted.
    Retracted,
    /// An original record, as it was recorded or as its last correction says.
    Standing {
        /// What stands.
        event: Box<Recognition>,
        /// When that occurred.
        occurred_on: Date,
    },
}

/// What an entry does to what stands, once it is accepted.
pub(super) enum Effect<'a> {
    /// It is added.
    Stands(&'a Recognition),
    /// It takes the place of what stood.
    Replaces { target: RecordId, stood: (&'a Recognition, Date), by: (&'a Recognition, Date) },
    /// What stood no longer does.
    Retracts { target: RecordId, stood: (&'a Recognition, Date) },
}

/// All rules: an entry on what stands, with what its target is if it amends one. `books` comes back unchanged.
pub(super) fn judge<'a>(books: &mut Books, entry: &'a Entry<Recognition>, target: &'a Target) -> Result<Effect<'a>, Refusal> {
    let waiver = entry.waiver();
    check_override(waiver)?;
    entry.event().validate().map_err(Refusal::Invalid)?;
    match entry.event().amends() {
        None => {
            Judge { books, on: entry.occurred_on(), waiver }.all(entry.event())?;
            Ok(Effect::Stands(entry.event()))
        }
        Some(amends) => {
            let stood = standing(amends.target(), target)?;
            match amends {
                Amends::Retracts { target } => {
                    rests(books, target, stood)?;
                    Ok(Effect::Retracts { target, stood })
                }
                Amends::Replaces { target, on, by } => {
                    same_type_and_ids(target, stood.0, by)?;
                    // Rule 9: "judged as if its target were absent".
                    books.change(-1, stood.0, stood.1, target);
                    let verdict = Judge { books, on: Some(on), waiver }.all(by);
                    books.change(1, stood.0, stood.1, target);
                    verdict?;
                    Ok(Effect::Replaces { target, stood, by: (by, on) })
                }
            }
        }
    }
}

/// Rules 1, 4 and 5 can be waived, for a reason, and no other.
fn check_override(waiver: Option<&Override>) -> Result<(), Refusal> {
    let Some(waiver) = waiver else { return Ok(()) };
    if let Some(rule) = waiver.rules.iter().find(|rule| !matches!(rule, 1 | 4 | 5)) {
        return Err(Refusal::NotWaivable { rule: *rule });
    }
    if waiver.rules.is_empty() || waiver.reason.trim().is_empty() {
        return Err(Refusal::OverrideEmpty);
    }
    Ok(())
}

/// Rules 1 to 6 for one event that is to stand.
struct Judge<'a> {
    books: &'a Books,
    on: Option<Date>,
    waiver: Option<&'a Override>,
}

impl Judge<'_> {
    fn all(&self, event: &Recognition) -> Result<(), Refusal> {
        if !self.waives(1) {
            self.rule_1(event)?;
        }
        if let Recognition::PlaqueMounted(mounted) = event {
            self.rule_2(mounted)?;
        }
        self.rule_3(event)?;
        match event {
            Recognition::ModelRecognised(recognised) if !self.waives(4) => self.rule_4(recognised)?,
            Recognition::CommendationAwarded(awarded) if !self.waives(5) => self.rule_5(awarded)?,
            _ => {}
        }
        event.decisions().try_for_each(|decision| self.rule_6(decision))
    }

    fn waives(&self, rule: u16) -> bool {
        self.waiver.is_some_and(|waiver| waiver.waives(rule))
    }
    /// The day, where a rule needs it: an entry may leave it to the writer, whose clock nobody has here.
    fn day(&self) -> Result<Date, Refusal> {
        self.on.ok_or(Refusal::Undated)
    }

    fn rule_1(&self, event: &Recognition) -> Result<(), Refusal> {
        match event {
            Recognition::UnitDefined(e) => match self.books.units.rows(&keys::unit(&e.unit)).first() {
                Some(row) => Err(Refusal::UnitExists { unit: e.unit.clone(), record: row.record }),
                None => Ok(()),
            },
            Recognition::UnitSucceeded(e) => {
                self.unit_defined("from", &e.from)?;
                self.unit_defined("to", &e.to)
            }
            Recognition::ModelRegistered(e) => {
                if let Some(record) = self.books.models.rows(&keys::model(&e.model)).first() {
                    return Err(Refusal::ModelExists { model: e.model.clone(), record: *record });
                }
                self.unit_defined("unit", &e.unit)
            }
            Recognition::ModelContinued(e) => {
                self.registered("model", &e.model)?;
                self.not_withdrawn(&e.model)
            }
            Recognition::ModelReplicated(e) => {
                self.registered("model", &e.model)?;
                self.registered("replica", &e.replica)
            }
            // A model may be withdrawn more than once: the text refuses no second one. The earliest day counts.
            Recognition::ModelWithdrawn(e) => self.registered("model", &e.model),
            Recognition::ModelRecognised(e) => {
                self.registered("model", &e.model)?;
                self.not_withdrawn(&e.model)?;
                self.not_annulled(&e.decision)
            }
            Recognition::ModelFunded(e) => {
                self.registered("model", &e.model)?;
                self.not_withdrawn(&e.model)
            }
            Recognition::PlaqueMounted(e) => {
                // A removed plaque keeps its id: what is mounted next is another plaque.
                if let Some(record) = self.books.plaques.rows(&keys::plaque(&e.plaque)).first() {
                    return Err(Refusal::PlaqueExists { plaque: e.plaque.clone(), record: *record });
                }
                self.registered("model", &e.model)?;
                e.decision.iter().try_for_each(|decision| self.not_annulled(decision))
            }
            Recognition::PlaqueRemoved(e) => {
                // "Still standing" asks what is recorded, not which day came first: a wrong day is corrected later.
                let plaque = keys::plaque(&e.plaque);
                if !self.books.plaques.has(&plaque) {
                    return Err(Refusal::PlaqueUnknown { plaque: e.plaque.clone() });
                }
                if self.books.removed.of(&plaque) > 0 {
                    return Err(Refusal::PlaqueGone { plaque: e.plaque.clone() });
                }
                Ok(())
            }
            Recognition::CommendationProposed(e) => {
                if self.books.commended.of(&keys::proposal(&e.commendation)) > 0 {
                    return Err(Refusal::ProposalExists { commendation: e.commendation.clone() });
                }
                Ok(())
            }
            Recognition::CommendationAwarded(e) => {
                // An award whose decision was annulled still holds its id: annulment appends, it takes nothing away.
                if self.books.commended.of(&keys::award(&e.commendation)) > 0 {
                    return Err(Refusal::AwardExists { commendation: e.commendation.clone() });
                }
                self.not_annulled(&e.decision)
            }
            Recognition::DecisionAnnulled(e) => self.annulment(e),
            Recognition::FigurePublished(_) | Recognition::RecordCorrected(_) | Recognition::RecordRetracted(_) => Ok(()),
        }
    }
    fn unit_defined(&self, key: &'static str, unit: &str) -> Result<(), Refusal> {
        if self.books.units.has(&keys::unit(unit)) { Ok(()) } else { Err(Refusal::UnitUnknown { key, unit: unit.to_owned() }) }
    }
    fn registered(&self, key: &'static str, model: &str) -> Result<(), Refusal> {
        if self.books.models.has(&keys::model(model)) {
            Ok(())
        } else {
            Err(Refusal::ModelUnknown { key, model: model.to_owned() })
        }
    }
    /// "That occurred later": the day of the withdrawal itself is still free.
    fn not_withdrawn(&self, model: &str) -> Result<(), Refusal> {
        let Some(withdrawn_on) = self.books.withdrawn.rows(&keys::model(model)).first().copied() else {
            return Ok(());
        };
        let occurred_on = self.day()?;
        if occurred_on > withdrawn_on {
            return Err(Refusal::ModelWithdrawn { model: model.to_owned(), withdrawn_on, occurred_on });
        }
        Ok(())
    }
    fn not_annulled(&self, decision: &Decision) -> Result<(), Refusal> {
        if self.books.is_annulled(decision) {
            return Err(Refusal::DecisionAnnulled { decision: decision.clone() });
        }
        Ok(())
    }
    /// An annulment cites both decisions, so neither may be annulled already. The one it annuls need not be known:
    /// what it granted may never have been entered.
    fn annulment(&self, annulled: &DecisionAnnulled) -> Result<(), Refusal> {
        if keys::decision(&annulled.decision) == keys::decision(&annulled.by) {
            return Err(Refusal::AnnulsItself { decision: annulled.decision.clone() });
        }
        self.not_annulled(&annulled.decision)?;
        self.not_annulled(&annulled.by)
    }

    /// A recognition counts by the day it occurred, a decision of the plaque's own by its date. An annulled
    /// recognition supports nothing; a plaque's own annulled decision is refused by rule 1 unless that is waived, and
    /// then it is the office's word that it stands.
    fn rule_2(&self, mounted: &PlaqueMounted) -> Result<(), Refusal> {
        let mounted_on = self.day()?;
        let own = mounted.decision.as_ref().is_some_and(|decision| decision.date <= mounted_on);
        if own || self.books.recognitions(&keys::model(&mounted.model)).any(|r| r.on <= mounted_on) {
            return Ok(());
        }
        Err(Refusal::PlaqueUnsupported { plaque: mounted.plaque.clone(), model: mounted.model.clone(), mounted_on })
    }

    /// Every standing citation counts, an annulled decision's too: it was given that number.
    fn rule_3(&self, event: &Recognition) -> Result<(), Refusal> {
        for decision in event.decisions() {
            let number = keys::number(decision);
            let cited_here = event.decisions().filter(|other| keys::number(other) == number).map(|other| other.date);
            let other_date = self.books.dates.rows(&number).iter().copied().chain(cited_here).find(|date| *date != decision.date);
            if let Some(standing) = other_date {
                return Err(Refusal::DecisionRedated { decision: decision.clone(), standing });
            }
        }
        Ok(())
    }

    fn rule_4(&self, recognised: &ModelRecognised) -> Result<(), Refusal> {
        let period = match &recognised.period {
            Some(period) => period.clone(),
            None => keys::period(None, self.day()?),
        };
        if self.books.is_recognised(&keys::model(&recognised.model), &keys::place(recognised.level, &period)) {
            return Err(Refusal::RecognisedTwice { model: recognised.model.clone(), level: recognised.level, period });
        }
        Ok(())
    }

    /// An award that was annulled no longer stands in the way, as in rule 4: it may rightly be given again.
    fn rule_5(&self, awarded: &CommendationAwarded) -> Result<(), Refusal> {
        let (Some(achievement), Some(text)) = (keys::achievement(awarded), &awarded.achievement) else {
            return Ok(());
        };
        if self.books.is_awarded(&achievement) {
            return Err(Refusal::AwardedTwice { achievement: text.clone(), form: awarded.form, level: awarded.level });
        }
        Ok(())
    }

    fn rule_6(&self, decision: &Decision) -> Result<(), Refusal> {
        let unit = keys::unit(&decision.issuer);
        // Several definitions stand only where rule 1 was waived: then any that covers the day will do.
        let mut absent = None;
        for row in self.books.units.rows(&unit) {
            // The day a whole succession takes effect is the first one without the unit.
            let ended = self.books.ended.rows(&unit).first().and_then(|day| day.previous_day());
            let to = match (row.to, ended) {
                (Some(valid_to), Some(ended)) => Some(valid_to.min(ended)),
                (valid_to, ended) => valid_to.or(ended),
            };
            if row.from <= decision.date && to.is_none_or(|to| decision.date <= to) {
                return Ok(());
            }
            absent = Some(Refusal::IssuerAbsent { decision: decision.clone(), from: row.from, to });
        }
        absent.map_or(Ok(()), Err)
    }
}

/// Rule 9: an amendment names an original record that has not been retracted.
fn standing(id: RecordId, target: &Target) -> Result<(&Recognition, Date), Refusal> {
    match target {
        Target::Missing => Err(Refusal::TargetMissing { target: id }),
        Target::Amendment => Err(Refusal::TargetIsAmendment { target: id }),
        Target::Retracted => Err(Refusal::TargetRetracted { target: id }),
        Target::Standing { event, occurred_on } => Ok((event, *occurred_on)),
    }
}

/// Rule 9: "a correction is of the same event type, keeps the ids of unit, model, plaque and commendation".
fn same_type_and_ids(target: RecordId, standing: &Recognition, replacement: &Recognition) -> Result<(), Refusal> {
    if standing.kind().number() != replacement.kind().number() {
        let (standing, replacement) = (standing.kind().name(), replacement.kind().name());
        return Err(Refusal::TypeChanged { target, standing, replacement });
    }
    for ((key, standing), (_, replacement)) in kept_ids(standing).into_iter().zip(kept_ids(replacement)) {
        // Any table's key compares in NFC.
        if keys::unit(standing) != keys::unit(replacement) {
            let (standing, replacement) = (standing.to_owned(), replacement.to_owned());
            return Err(Refusal::IdChanged { target, key, standing, replacement });
        }
    }
    Ok(())
}

/// The ids that say what a record is about. The unit of a model is not one of them: it is a fact about the model that
/// was entered wrongly like any other, and once something rests on the registration nothing but a correction can put
/// it right.
fn kept_ids(event: &Recognition) -> Vec<(&'static str, &str)> {
    match event {
        Recognition::UnitDefined(e) => vec![("unit", &e.unit)],
        Recognition::UnitSucceeded(e) => vec![("from", &e.from), ("to", &e.to)],
        Recognition::ModelRegistered(e) => vec![("model", &e.model)],
        Recognition::ModelContinued(e) => vec![("model", &e.model)],
        Recognition::ModelReplicated(e) => vec![("model", &e.model), ("replica", &e.replica)],
        Recognition::ModelWithdrawn(e) => vec![("model", &e.model)],
        Recognition::ModelRecognised(e) => vec![("model", &e.model)],
        Recognition::ModelFunded(e) => vec![("model", &e.model)],
        Recognition::PlaqueMounted(e) => vec![("plaque", &e.plaque), ("model", &e.model)],
        Recognition::PlaqueRemoved(e) => vec![("plaque", &e.plaque)],
        Recognition::CommendationProposed(e) => vec![("commendation", &e.commendation)],
        Recognition::CommendationAwarded(e) => vec![("commendation", &e.commendation)],
        Recognition::DecisionAnnulled(_)
        | Recognition::FigurePublished(_)
        | Recognition::RecordCorrected(_)
        | Recognition::RecordRetracted(_) => Vec::new(),
    }
}

/// Rule 9: "a record is not retracted while others rest on it". Of two definitions of one id, which only a waiver of
/// rule 1 can have made, the first can go: the other still carries everything.
fn rests(books: &Books, target: RecordId, (event, on): (&Recognition, Date)) -> Result<(), Refusal> {
    let (does, dependents, what) = match event {
        Recognition::UnitDefined(e) if books.units.rows(&keys::unit(&e.unit)).len() <= 1 => {
            (format!("defines unit {}", e.unit), books.on_unit.of(&keys::unit(&e.unit)), "models or successions rest")
        }
        Recognition::ModelRegistered(e) if books.models.rows(&keys::model(&e.model)).len() <= 1 => {
            (format!("registers model {}", e.model), books.of_model.of(&keys::model(&e.model)), "records rest")
        }
        Recognition::PlaqueMounted(e) if books.plaques.rows(&keys::plaque(&e.plaque)).len() <= 1 => {
            (format!("mounts plaque {}", e.plaque), books.removed.of(&keys::plaque(&e.plaque)), "removals rest")
        }
        Recognition::ModelRecognised(e) => (
            format!("recognises model {}", e.model),
            books.resting_on(&keys::model(&e.model), on, &e.decision),
            "plaques with no other support rest",
        ),
        _ => return Ok(()),
    };
    if dependents > 0 {
        return Err(Refusal::RestedOn { target, does, dependents, what });
    }
    Ok(())
}
