//! What stands, arranged as the rules ask for it.
//!
//! Signed effects go in and out, and nothing else changes it: a record that is corrected or retracted leaves no trace.
//! There is no row per record but for recognitions and mountings, which take 16 bytes each: a bulk import keeps the
//! whole ledger in here. Measured with a million of each: 86 bytes a model, 65 more for all that rests on it, 81 for the
//! first recognition, 124 a plaque, 302 for an award by a decision of its own (allowed: 200 bytes a model, plaque or
//! decision and 32 a line).

use super::keys;
use super::relation::{Counts, Numbers, Relation};
use crate::event::{Decision, Extent, Recognition};
use sovang_core::{Date, RecordId, TagKey};
use std::collections::HashMap;

/// A unit's definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Defined {
    pub(super) record: RecordId,
    pub(super) from: Date,
    pub(super) to: Option<Date>,
}
/// A recognition of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Recognised {
    /// The number of its level and period: see [`Books::place`].
    pub(super) place: u32,
    pub(super) on: Date,
    /// The number of its decision.
    decision: u32,
}
/// A plaque mounted on a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mounted {
    on: Date,
    /// The number of the decision of its own that supports it: rule 2, dated on or before the mounting.
    own: Option<u32>,
}

/// What stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    pub(super) units: Relation<Defined>,
    /// When whole successions end a unit: the first day without it.
    pub(super) ended: Relation<Date>,
    /// Models and successions by unit.
    pub(super) on_unit: Counts,
    pub(super) models: Relation<RecordId>,
    pub(super) withdrawn: Relation<Date>,
    /// Everything of a model but its registration.
    pub(super) of_model: Counts,
    pub(super) plaques: Relation<RecordId>,
    /// Removals by plaque.
    pub(super) removed: Counts,
    /// Proposals and awards by commendation.
    pub(super) commended: Counts,
    /// The dates of an issuer's number in a year, each once: one, unless an earlier program let another pass.
    pub(super) dates: Relation<Date>,
    recognised: Relation<Recognised>,
    mounted: Relation<Mounted>,
    /// The decisions' numbers, by achievement.
    awarded: Relation<u32>,
    cited: Counts,
    decisions: Numbers,
    places: Numbers,
    /// How many annulments name a decision.
    annulled: HashMap<u32, u32>,
}

impl Books {
    /// An event that stands from now on (weight +1) or no longer (-1).
    pub(super) fn change(&mut self, weight: i64, event: &Recognition, on: Date, record: RecordId) {
        match event {
            Recognition::UnitDefined(e) => {
                let row = Defined { record, from: e.valid_from, to: e.valid_to };
                self.units.change(weight, keys::unit(&e.unit), row);
            }
            Recognition::UnitSucceeded(e) => {
                if e.extent == Extent::Whole {
                    self.ended.change(weight, keys::unit(&e.from), e.effective_on);
                }
                self.on_unit.change(weight, keys::unit(&e.from));
                self.on_unit.change(weight, keys::unit(&e.to));
            }
            Recognition::ModelRegistered(e) => {
                self.models.change(weight, keys::model(&e.model), record);
                self.on_unit.change(weight, keys::unit(&e.unit));
            }
            Recognition::ModelContinued(e) => self.of_model.change(weight, keys::model(&e.model)),
            Recognition::ModelReplicated(e) => {
                self.of_model.change(weight, keys::model(&e.model));
                self.of_model.change(weight, keys::model(&e.replica));
            }
            Recognition::ModelWithdrawn(e) => {
                self.withdrawn.change(weight, keys::model(&e.model), on);
                self.of_model.change(weight, keys::model(&e.model));
            }
            Recognition::ModelRecognised(e) => {
                let row = Recognised {
                    place: self.places.draw(keys::place(e.level, &keys::period(e.period.as_deref(), on))),
                    on,
                    decision: self.cite(weight, &e.decision),
                };
                self.recognised.change(weight, keys::model(&e.model), row);
                self.of_model.change(weight, keys::model(&e.model));
            }
            Recognition::ModelFunded(e) => self.of_model.change(weight, keys::model(&e.model)),
            Recognition::PlaqueMounted(e) => {
                let own = e.decision.as_ref().map(|d| (d.date, self.cite(weight, d)));
                let row = Mounted { on, own: own.filter(|(date, _)| *date <= on).map(|(_, number)| number) };
                self.plaques.change(weight, keys::plaque(&e.plaque), record);
                self.mounted.change(weight, keys::model(&e.model), row);
                self.of_model.change(weight, keys::model(&e.model));
            }
            Recognition::PlaqueRemoved(e) => self.removed.change(weight, keys::plaque(&e.plaque)),
            Recognition::CommendationProposed(e) => self.commended.change(weight, keys::proposal(&e.commendation)),
            Recognition::CommendationAwarded(e) => {
                self.commended.change(weight, keys::award(&e.commendation));
                let decision = self.cite(weight, &e.decision);
                if let Some(achievement) = keys::achievement(e) {
                    self.awarded.change(weight, achievement, decision);
                }
            }
            Recognition::DecisionAnnulled(e) => {
                let number = self.cite(weight, &e.decision);
                self.cite(weight, &e.by);
                let annulments = self.annulled.entry(number).or_insert(0);
                *annulments = if weight > 0 { annulments.saturating_add(1) } else { annulments.saturating_sub(1) };
                if *annulments == 0 {
                    self.annulled.remove(&number);
                }
            }
            Recognition::RecordCorrected(_) | Recognition::RecordRetracted(_) | Recognition::FigurePublished(_) => {}
        }
    }

    /// Counts a citation and gives the decision's number.
    fn cite(&mut self, weight: i64, decision: &Decision) -> u32 {
        let key = keys::decision(decision);
        let before = self.cited.of(&key);
        self.cited.change(weight, key);
        // A date stands as long as someone cites it.
        if (before == 0) != (self.cited.of(&key) == 0) {
            self.dates.change(weight, keys::number(decision), decision.date);
        }
        self.decisions.draw(key)
    }

    /// Whether a standing annulment names the decision.
    pub(super) fn is_annulled(&self, decision: &Decision) -> bool {
        self.decisions.of(&keys::decision(decision)).is_some_and(|number| self.annuls(number))
    }
    fn annuls(&self, number: u32) -> bool {
        self.annulled.contains_key(&number)
    }

    /// Whether a recognition that counts takes this place of the model already.
    pub(super) fn is_recognised(&self, model: &TagKey, place: &TagKey) -> bool {
        self.places.of(place).is_some_and(|place| self.recognitions(model).any(|r| r.place == place))
    }
    /// Whether an award that counts names this achievement.
    pub(super) fn is_awarded(&self, achievement: &TagKey) -> bool {
        self.awarded.rows(achievement).iter().any(|decision| !self.annuls(*decision))
    }
    /// A model's recognitions without those whose decision is annulled.
    pub(super) fn recognitions(&self, model: &TagKey) -> impl Iterator<Item = &Recognised> {
        self.recognised.rows(model).iter().filter(|r| !self.annuls(r.decision))
    }
    /// How many plaques of the model would lose their last support with this recognition.
    pub(super) fn resting_on(&self, model: &TagKey, recognised_on: Date, decision: &Decision) -> u32 {
        if self.is_annulled(decision) {
            return 0;
        }
        let only = |mounted: &&Mounted| {
            recognised_on <= mounted.on
                && mounted.own.is_none_or(|own| self.annuls(own))
                && self.recognitions(model).filter(|r| r.on <= mounted.on).count() == 1
        };
        u32::try_from(self.mounted.rows(model).iter().filter(only).count()).unwrap_or(u32::MAX)
    }
}
