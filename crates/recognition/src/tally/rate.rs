//! `recognition-rate`: of the models registered in a year, how many were ever recognised: see [`super::RecognitionRate`].

use super::counting::{Counting, Scope, model};
use super::grouping::Grouping;
use super::joins::{Annulled, Models, Place, decision};
use super::state::{Cells, Key, Keyed};
use crate::event::Recognition;
use serde::{Deserialize, Serialize};
use sovang_core::{Effect, Kind};

/// Registrations in sum, decisions by model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    registered: Cells<Place>,
    models: Models,
    decisions: Keyed<Key>,
    annulled: Annulled,
}

impl Counting for State {
    fn kinds(_joined: bool) -> Vec<Kind> {
        vec![Recognition::MODEL_REGISTERED, Recognition::MODEL_RECOGNISED, Recognition::DECISION_ANNULLED]
    }
    fn count(&mut self, effect: Effect<'_, Recognition>, scope: &Scope) {
        if let Recognition::ModelRecognised(event) = effect.event {
            self.decisions.add(model(&event.model), decision(&event.decision), effect.weight);
        } else if let Some(place) = Place::of(effect.event) {
            if scope.counts(effect.occurred_on) {
                self.registered.add(place, effect.weight);
                self.models.count(effect);
            }
        } else {
            self.annulled.count(effect);
        }
    }
    fn merge(&mut self, later: Self) {
        self.registered.merge(later.registered);
        self.models.merge(later.models);
        self.decisions.merge(later.decisions);
        self.annulled.merge(later.annulled);
    }
    fn rows<'a>(&'a self, rows: &mut Grouping<'a>) {
        for (place, weight) in self.registered.iter() {
            if let Some(line) = rows.line(|dimension| Place::seen(Some(place), dimension)) {
                line.add(0, weight);
            }
        }
        for (model, mut decisions) in self.decisions.iter() {
            if decisions.any(|(decision, _)| !self.annulled.holds(decision)) {
                // Of the registrations that count, those recognised whenever. A model that none of them registers is in no row.
                let place = self.models.place(model);
                if place.is_some()
                    && let Some(line) = rows.line(|dimension| Place::seen(place, dimension))
                {
                    line.add(1, 1);
                }
            }
        }
        rows.each(|line| {
            let (registered, recognised) = (line.value(0), line.value(1));
            line.set(2, if registered == 0 { 0 } else { recognised * 10_000 / registered });
        });
    }
}
