//! `multi-level`: at how many distinct levels models are recognised: see [`super::MultiLevel`].

use super::counting::{Counting, Scope, model};
use super::grouping::{Grouping, Seen};
use super::joins::{Annulled, Models, Place, decision};
use super::name::Dimension;
use super::state::{Key, Keyed, Text};
use crate::event::Recognition;
use serde::{Deserialize, Serialize};
use sovang_core::{Effect, Kind};

/// What a recognition says; levels together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Honour {
    level: Text,
    decision: Key,
}

/// Recognitions by model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    models: Models,
    honours: Keyed<Honour>,
    annulled: Annulled,
}

impl Counting for State {
    fn kinds(joined: bool) -> Vec<Kind> {
        let mut kinds = vec![Recognition::MODEL_RECOGNISED, Recognition::DECISION_ANNULLED];
        kinds.extend(joined.then_some(Recognition::MODEL_REGISTERED));
        kinds
    }
    fn count(&mut self, effect: Effect<'_, Recognition>, scope: &Scope) {
        if let Recognition::ModelRecognised(event) = effect.event {
            if scope.counts(effect.occurred_on) {
                let honour = Honour { level: event.level.code().into(), decision: decision(&event.decision) };
                self.honours.add(model(&event.model), honour, effect.weight);
            }
        } else {
            self.annulled.count(effect);
            if scope.joined {
                self.models.count(effect);
            }
        }
    }
    fn merge(&mut self, later: Self) {
        self.models.merge(later.models);
        self.honours.merge(later.honours);
        self.annulled.merge(later.annulled);
    }
    fn rows<'a>(&'a self, rows: &mut Grouping<'a>) {
        for (model, honours) in self.honours.iter() {
            let (mut levels, mut last) = (0, None);
            for (honour, _) in honours.filter(|(honour, _)| !self.annulled.holds(&honour.decision)) {
                if last.replace(&honour.level) != Some(&honour.level) {
                    levels += 1;
                }
            }
            if levels == 0 {
                continue;
            }
            let place = self.models.place(model);
            let line = rows.line(|dimension| match dimension {
                Dimension::Levels => Seen::Number(levels),
                other => Place::seen(place, other),
            });
            if let Some(line) = line {
                line.add(0, 1);
            }
        }
    }
}
