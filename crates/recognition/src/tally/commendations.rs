//! `commendations`: the awards that stand, and the bonuses that came with them: see [`super::Commendations`].

use super::counting::{Counting, Scope};
use super::grouping::{Grouping, Seen};
use super::joins::{Annulled, decision};
use super::name::Dimension;
use super::state::{Cells, Key, Text, Total, text};
use crate::event::Recognition;
use serde::{Deserialize, Serialize};
use sovang_core::{Effect, Kind};

/// What an award says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Award {
    decision: Key,
    year: i32,
    form: Text,
    level: Text,
    recipient_kind: Text,
    unit: Option<Text>,
}

/// Awards in sum.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    awards: Cells<Award, Total>,
    annulled: Annulled,
}

impl Counting for State {
    fn kinds(_joined: bool) -> Vec<Kind> {
        vec![Recognition::COMMENDATION_AWARDED, Recognition::DECISION_ANNULLED]
    }
    fn count(&mut self, effect: Effect<'_, Recognition>, scope: &Scope) {
        let Recognition::CommendationAwarded(event) = effect.event else {
            self.annulled.count(effect);
            return;
        };
        if scope.counts(effect.occurred_on) {
            let award = Award {
                decision: decision(&event.decision),
                year: effect.occurred_on.year(),
                form: event.form.code().into(),
                level: event.level.code().into(),
                recipient_kind: event.recipient.kind().code().into(),
                unit: event.recipient.unit().map(text),
            };
            let bonus = i128::from(event.bonus_vnd.unwrap_or(0));
            self.awards.add(award, Total { count: effect.weight, quantity: i128::from(effect.weight) * bonus });
        }
    }
    fn merge(&mut self, later: Self) {
        self.awards.merge(later.awards);
        self.annulled.merge(later.annulled);
    }
    fn rows<'a>(&'a self, rows: &mut Grouping<'a>) {
        for (award, total) in self.awards.iter().filter(|(award, _)| !self.annulled.holds(&award.decision)) {
            let line = rows.line(|dimension| match dimension {
                Dimension::Year => Seen::Number(award.year.into()),
                Dimension::Form => Seen::Text(&award.form),
                Dimension::Level => Seen::Text(&award.level),
                Dimension::RecipientKind => Seen::Text(&award.recipient_kind),
                Dimension::Unit => Seen::maybe(award.unit.as_deref()),
                _ => Seen::Null,
            });
            if let Some(line) = line {
                line.add(0, total.count);
                line.add(1, total.quantity);
            }
        }
    }
}
