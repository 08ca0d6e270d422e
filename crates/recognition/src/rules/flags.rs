//! What stands but would not be let in any more: rule 8's "dependent plaques and awards are flagged, not cascaded", and
//! rule 9's corrections, which do not judge again what already rests on the corrected record.

use super::keys;
use crate::event::{Decision, Extent, Level, Recognition};
use sovang_core::{Date, Position, Query, RecordId, Recorded, TagKey};
use sovang_projection::Projection;
use std::collections::BTreeMap;
use std::fmt;

/// A record for the office to look at. Nothing happens to it by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flagged {
    /// The record.
    pub record: RecordId,
    /// Where it stands in the log.
    pub position: Position,
    /// The event's type.
    pub kind: &'static str,
    /// Why.
    pub why: Flag,
}

/// Why a record is flagged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flag {
    /// Rule 8: a plaque or an award whose own decision is annulled.
    CitesAnnulled {
        /// The decision.
        decision: Decision,
        /// The records of its annulment.
        annulled_by: Vec<RecordId>,
    },
    /// Rules 2, 8 and 9: a plaque that no recognition and no decision on or before its day supports any longer.
    Unsupported {
        /// The plaque.
        plaque: String,
        /// Its model.
        model: String,
        /// The recognitions of that model whose decision is annulled.
        annulled: Vec<RecordId>,
    },
    /// Rules 1 and 9: a continuation, recognition or funding that occurred after the model's withdrawal.
    AfterWithdrawal {
        /// The model.
        model: String,
        /// The day of the withdrawal.
        withdrawn_on: Date,
    },
    /// Rules 4 and 9: a recognition at the level and in the period of an earlier one, by a correction or because an
    /// annulment was retracted.
    RecognisedTwice {
        /// The model.
        model: String,
        /// The level.
        level: Level,
        /// The period.
        period: String,
        /// The earlier recognition.
        earlier: RecordId,
    },
    /// Rules 5 and 9: an award for the achievement of an earlier one, in the same way.
    AwardedTwice {
        /// The commendation.
        commendation: String,
        /// The earlier award.
        earlier: RecordId,
    },
    /// Rules 6 and 9: the issuer is a unit that did not exist on the date of its decision.
    IssuerAbsent {
        /// The decision.
        decision: Decision,
    },
}

impl Flag {
    /// The rule that would refuse the record today.
    #[must_use]
    pub fn rule(&self) -> u16 {
        match self {
            Self::CitesAnnulled { .. } => 8,
            Self::Unsupported { .. } => 2,
            Self::AfterWithdrawal { .. } => 1,
            Self::RecognisedTwice { .. } => 4,
            Self::AwardedTwice { .. } => 5,
            Self::IssuerAbsent { .. } => 6,
        }
    }
}
impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CitesAnnulled { decision, .. } => write!(f, "decision {decision} is annulled"),
            Self::Unsupported { plaque, model, annulled } if annulled.is_empty() => {
                write!(f, "no recognition of model {model} on or before its day supports plaque {plaque}")
            }
            Self::Unsupported { plaque, model, .. } => {
                write!(f, "the recognition of model {model} that supported plaque {plaque} is annulled")
            }
            Self::AfterWithdrawal { model, withdrawn_on } => write!(f, "model {model} was withdrawn on {withdrawn_on}"),
            Self::RecognisedTwice { model, level, period, earlier } => {
                write!(f, "record {earlier} recognises model {model} at level {level} in period {period} already")
            }
            Self::AwardedTwice { commendation, earlier } => {
                write!(f, "record {earlier} awards the achievement of commendation {commendation} already")
            }
            Self::IssuerAbsent { decision } => {
                write!(f, "unit {} did not exist on {}", decision.issuer, decision.date)
            }
        }
    }
}
impl fmt::Display for Flagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "position {}: {} {}: rule {}: {}", self.position, self.kind, self.record, self.why.rule(), self.why)
    }
}

/// The flagged records of a whole ledger: fold it, then ask [`Flags::list`].
#[derive(Debug, Default)]
pub struct Flags {
    standing: BTreeMap<Position, Standing>,
    positions: BTreeMap<RecordId, Position>,
}

/// A record that stands and can be flagged, or be the reason for it.
#[derive(Debug)]
struct Standing {
    record: RecordId,
    event: Recognition,
    on: Date,
    /// The rules waived for it, or for its last correction.
    waived: Vec<u16>,
}

impl Flags {
    /// Before any record.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The flagged records, in the log's order.
    #[must_use]
    pub fn list(&self) -> Vec<Flagged> {
        let reasons = Reasons::of(self.standing.values());
        let mut flagged = Vec::new();
        let mut places = BTreeMap::new();
        let mut achievements = BTreeMap::new();
        for (position, standing) in &self.standing {
            let mut flags = reasons.flags(standing);
            flags.extend(reasons.second(standing, &mut places, &mut achievements));
            flagged.extend(flags.into_iter().map(|why| Flagged {
                record: standing.record,
                position: *position,
                kind: standing.event.type_name(),
                why,
            }));
        }
        flagged
    }
}

impl Projection<Recognition> for Flags {
    fn query(&self) -> Query {
        Query::kinds([
            Recognition::UNIT_DEFINED,
            Recognition::UNIT_SUCCEEDED,
            Recognition::MODEL_CONTINUED,
            Recognition::MODEL_WITHDRAWN,
            Recognition::MODEL_RECOGNISED,
            Recognition::MODEL_FUNDED,
            Recognition::PLAQUE_MOUNTED,
            Recognition::COMMENDATION_AWARDED,
            Recognition::DECISION_ANNULLED,
        ])
    }
    fn apply(&mut self, record: &Recorded<Recognition>) {
        for effect in record.effects() {
            let position = *self.positions.entry(effect.id).or_insert(record.position);
            if effect.weight > 0 {
                let waived = record.overriding.as_ref().map_or_else(Vec::new, |o| o.rules.clone());
                let (event, on) = (effect.event.clone(), effect.occurred_on);
                self.standing.insert(position, Standing { record: effect.id, event, on, waived });
            } else {
                self.standing.remove(&position);
            }
        }
    }
}

/// Everything that can make another record flagged.
#[derive(Default)]
struct Reasons<'a> {
    annulled: BTreeMap<TagKey, Vec<RecordId>>,
    withdrawn: BTreeMap<TagKey, Date>,
    recognised: BTreeMap<TagKey, Vec<(&'a Decision, Date, RecordId)>>,
    units: BTreeMap<TagKey, Vec<(Date, Option<Date>)>>,
    ended: BTreeMap<TagKey, Date>,
}

impl<'a> Reasons<'a> {
    fn of(standing: impl Iterator<Item = &'a Standing>) -> Self {
        let mut reasons = Self::default();
        for Standing { record, event, on, .. } in standing {
            match event {
                Recognition::DecisionAnnulled(e) => {
                    reasons.annulled.entry(keys::decision(&e.decision)).or_default().push(*record);
                }
                Recognition::ModelWithdrawn(e) => {
                    let first = reasons.withdrawn.entry(keys::model(&e.model)).or_insert(*on);
                    *first = (*first).min(*on);
                }
                Recognition::ModelRecognised(e) => {
                    reasons.recognised.entry(keys::model(&e.model)).or_default().push((&e.decision, *on, *record));
                }
                Recognition::UnitDefined(e) => {
                    reasons.units.entry(keys::unit(&e.unit)).or_default().push((e.valid_from, e.valid_to));
                }
                Recognition::UnitSucceeded(e) if e.extent == Extent::Whole => {
                    let first = reasons.ended.entry(keys::unit(&e.from)).or_insert(e.effective_on);
                    *first = (*first).min(e.effective_on);
                }
                _ => {}
            }
        }
        reasons
    }

    fn annulments(&self, decision: &Decision) -> Option<&Vec<RecordId>> {
        self.annulled.get(&keys::decision(decision))
    }

    /// What is wrong with a record by itself.
    fn flags(&self, standing: &Standing) -> Vec<Flag> {
        let mut flags = Vec::new();
        match &standing.event {
            Recognition::PlaqueMounted(e) => {
                flags.extend(e.decision.as_ref().and_then(|d| self.cites_annulled(d)));
                let own = e.decision.as_ref().is_some_and(|d| d.date <= standing.on && self.annulments(d).is_none());
                let recognised = self.recognised.get(&keys::model(&e.model)).map_or(&[][..], Vec::as_slice);
                let mut before = recognised.iter().filter(|(_, on, _)| *on <= standing.on);
                if flags.is_empty() && !own && before.clone().all(|(decision, _, _)| self.annulments(decision).is_some()) {
                    let annulled = before.by_ref().map(|(_, _, record)| *record).collect();
                    flags.push(Flag::Unsupported { plaque: e.plaque.clone(), model: e.model.clone(), annulled });
                }
            }
            Recognition::CommendationAwarded(e) => flags.extend(self.cites_annulled(&e.decision)),
            Recognition::ModelContinued(e) => flags.extend(self.after_withdrawal(&e.model, standing)),
            Recognition::ModelRecognised(e) => flags.extend(self.after_withdrawal(&e.model, standing)),
            Recognition::ModelFunded(e) => flags.extend(self.after_withdrawal(&e.model, standing)),
            _ => {}
        }
        let absent = standing.event.decisions().filter(|decision| !self.exists(decision));
        flags.extend(absent.map(|decision| Flag::IssuerAbsent { decision: decision.clone() }));
        flags
    }
    fn cites_annulled(&self, decision: &Decision) -> Option<Flag> {
        let annulled_by = self.annulments(decision)?.clone();
        Some(Flag::CitesAnnulled { decision: decision.clone(), annulled_by })
    }
    fn after_withdrawal(&self, model: &str, standing: &Standing) -> Option<Flag> {
        let withdrawn_on = *self.withdrawn.get(&keys::model(model))?;
        let late = standing.on > withdrawn_on && !standing.waived.contains(&1);
        late.then(|| Flag::AfterWithdrawal { model: model.to_owned(), withdrawn_on })
    }
    fn exists(&self, decision: &Decision) -> bool {
        let unit = keys::unit(&decision.issuer);
        let ended = self.ended.get(&unit).is_some_and(|first_without| decision.date >= *first_without);
        self.units.get(&unit).is_none_or(|definitions| {
            let covers = |(from, to): &(Date, Option<Date>)| *from <= decision.date && to.is_none_or(|to| decision.date <= to);
            !ended && definitions.iter().any(covers)
        })
    }

    /// What is wrong with a record beside an earlier one. Records that do not count take no place.
    fn second(
        &self,
        standing: &Standing,
        places: &mut BTreeMap<(TagKey, TagKey), RecordId>,
        achievements: &mut BTreeMap<TagKey, RecordId>,
    ) -> Option<Flag> {
        match &standing.event {
            Recognition::ModelRecognised(e) if self.annulments(&e.decision).is_none() => {
                let period = keys::period(e.period.as_deref(), standing.on);
                let earlier = *places.entry((keys::model(&e.model), keys::place(e.level, &period))).or_insert(standing.record);
                (earlier != standing.record && !standing.waived.contains(&4)).then(|| Flag::RecognisedTwice {
                    model: e.model.clone(),
                    level: e.level,
                    period,
                    earlier,
                })
            }
            Recognition::CommendationAwarded(e) if self.annulments(&e.decision).is_none() => {
                let earlier = *achievements.entry(keys::achievement(e)?).or_insert(standing.record);
                (earlier != standing.record && !standing.waived.contains(&5))
                    .then(|| Flag::AwardedTwice { commendation: e.commendation.clone(), earlier })
            }
            _ => None,
        }
    }
}
