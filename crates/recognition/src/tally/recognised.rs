//! `recognised`: recognitions that stand, gross, and the distinct models among them: see [`super::Recognised`].

use super::counting::{Counting, Scope, model};
use super::grouping::{Grouping, Seen};
use super::joins::{Annulled, Models, Place, decision};
use super::name::Dimension;
use super::state::{Key, Keyed, Text, text};
use crate::event::Recognition;
use serde::{Deserialize, Serialize};
use sovang_core::{Effect, Kind};

/// What a recognition says besides its model.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Honour {
    decision: Key,
    year: i32,
    level: Text,
    tier: Option<Text>,
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
                let honour = Honour {
                    decision: decision(&event.decision),
                    year: effect.occurred_on.year(),
                    level: event.level.code().into(),
                    tier: event.tier.as_deref().map(text),
                };
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
        for (thing, (model, honours)) in (0..).zip(self.honours.iter()) {
            let place = self.models.place(model);
            for (honour, weight) in honours.filter(|(honour, _)| !self.annulled.holds(&honour.decision)) {
                let line = rows.line(|dimension| match dimension {
                    Dimension::Year => Seen::Number(honour.year.into()),
                    Dimension::Level => Seen::Text(&honour.level),
                    Dimension::Tier => Seen::maybe(honour.tier.as_deref()),
                    other => Place::seen(place, other),
                });
                if let Some(line) = line {
                    line.add(0, weight);
                    line.distinct(1, thing);
                }
            }
        }
    }
}
