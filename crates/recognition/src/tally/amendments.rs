//! `amendments`: the register of withdrawals, annulments, corrections and retractions: see [`super::Amendments`].

use super::counting::{Counting, Scope};
use super::grouping::{Grouping, Seen};
use super::name::Dimension;
use super::state::{Cells, Text};
use crate::event::Recognition;
use serde::{Deserialize, Serialize};
use sovang_core::{Date, Effect, Event as _, Kind, Recorded};

const KINDS: [Kind; 4] =
    [Recognition::MODEL_WITHDRAWN, Recognition::DECISION_ANNULLED, Recognition::RECORD_CORRECTED, Recognition::RECORD_RETRACTED];
/// The types of record that are counted.
pub(super) const TYPES: &[&str] = &[KINDS[0].name(), KINDS[1].name(), KINDS[2].name(), KINDS[3].name()];

/// What a report says of an amending record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Amendment {
    kind: Text,
    year: i32,
}

/// Amending records in sum.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    records: Cells<Amendment>,
}

impl State {
    fn add(&mut self, kind: Kind, occurred_on: Date, weight: i64, scope: &Scope) {
        if scope.counts(occurred_on) {
            self.records.add(Amendment { kind: kind.name().into(), year: occurred_on.year() }, weight);
        }
    }
}

impl Counting for State {
    fn kinds(_joined: bool) -> Vec<Kind> {
        KINDS.to_vec()
    }
    fn count(&mut self, effect: Effect<'_, Recognition>, scope: &Scope) {
        if matches!(effect.event, Recognition::ModelWithdrawn(_) | Recognition::DecisionAnnulled(_)) {
            self.add(effect.event.kind(), effect.occurred_on, effect.weight, scope);
        }
    }
    fn record(&mut self, record: &Recorded<Recognition>, scope: &Scope) {
        if record.amends().is_some() {
            self.add(record.event.kind(), record.occurred_on, 1, scope);
        }
        for effect in record.effects() {
            self.count(effect, scope);
        }
    }
    fn merge(&mut self, later: Self) {
        self.records.merge(later.records);
    }
    fn rows<'a>(&'a self, rows: &mut Grouping<'a>) {
        for (amendment, weight) in self.records.iter() {
            let line = rows.line(|dimension| match dimension {
                Dimension::Type => Seen::Text(&amendment.kind),
                Dimension::Year => Seen::Number(amendment.year.into()),
                _ => Seen::Null,
            });
            if let Some(line) = line {
                line.add(0, weight);
            }
        }
    }
}
