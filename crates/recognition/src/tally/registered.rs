//! `registered`: models registered, by the year they are registered for: see [`super::Registered`].

use super::counting::{Counting, Scope};
use super::grouping::Grouping;
use super::joins::Place;
use super::state::Cells;
use crate::event::Recognition;
use serde::{Deserialize, Serialize};
use sovang_core::{Effect, Kind};

/// Registrations by what they say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    models: Cells<Place>,
}

impl Counting for State {
    fn kinds(_joined: bool) -> Vec<Kind> {
        vec![Recognition::MODEL_REGISTERED]
    }
    fn count(&mut self, effect: Effect<'_, Recognition>, scope: &Scope) {
        if let Some(place) = Place::of(effect.event)
            && scope.counts(effect.occurred_on)
        {
            self.models.add(place, effect.weight);
        }
    }
    fn merge(&mut self, later: Self) {
        self.models.merge(later.models);
    }
    fn rows<'a>(&'a self, rows: &mut Grouping<'a>) {
        for (place, weight) in self.models.iter() {
            if let Some(line) = rows.line(|dimension| Place::seen(Some(place), dimension)) {
                line.add(0, weight);
            }
        }
    }
}
