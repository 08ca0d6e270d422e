//! `continuity`: new models against models kept up from an earlier year: see [`super::Continuity`].

use super::counting::{Counting, Scope};
use super::grouping::{Grouping, Seen};
use super::joins::{Models, Place};
use super::name::Dimension;
use super::state::{Cells, Keyed};
use crate::event::Recognition;
use serde::{Deserialize, Serialize};
use sovang_core::{Effect, Kind};

/// Registrations in sum, years continued by model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    new: Cells<Place>,
    models: Models,
    continued: Keyed<i32>,
}

impl Counting for State {
    fn kinds(_joined: bool) -> Vec<Kind> {
        vec![Recognition::MODEL_REGISTERED, Recognition::MODEL_CONTINUED]
    }
    fn count(&mut self, effect: Effect<'_, Recognition>, scope: &Scope) {
        let counts = scope.counts(effect.occurred_on);
        if let Recognition::ModelContinued(event) = effect.event {
            if counts {
                self.continued.add(scope.model(&event.model), event.year.into(), effect.weight);
            }
            return;
        }
        if counts && let Some(place) = Place::of(effect.event) {
            self.new.add(place, effect.weight);
        }
        if scope.joined {
            self.models.count(effect);
        }
    }
    fn merge(&mut self, later: Self) {
        self.new.merge(later.new);
        self.models.merge(later.models);
        self.continued.merge(later.continued);
    }
    fn rows<'a>(&'a self, rows: &mut Grouping<'a>) {
        for (place, weight) in self.new.iter() {
            if let Some(line) = rows.line(|dimension| Place::seen(Some(place), dimension)) {
                line.add(0, weight);
            }
        }
        for (model, years) in self.continued.iter() {
            let place = self.models.place(model);
            for (year, weight) in years {
                let line = rows.line(|dimension| match dimension {
                    Dimension::Year => Seen::Number((*year).into()),
                    other => Place::seen(place, other),
                });
                if let Some(line) = line {
                    line.add(1, weight);
                }
            }
        }
    }
}
