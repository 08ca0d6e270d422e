//! `proposals`: commendations proposed, and how many of these were awarded: see [`super::Proposals`].

use super::counting::{Counting, Scope};
use super::grouping::{Grouping, Seen};
use super::joins::{Annulled, decision};
use super::name::Dimension;
use super::state::{Key, Keyed, Text};
use crate::event::Recognition;
use serde::{Deserialize, Serialize};
use sovang_core::{Effect, Kind};

/// What a proposal says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Proposal {
    year: i32,
    form: Text,
    level: Text,
    recipient_kind: Text,
}

/// Proposals, and the decisions of awards, by commendation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    proposed: Keyed<Proposal>,
    awarded: Keyed<Key>,
    annulled: Annulled,
}

impl Counting for State {
    fn kinds(_joined: bool) -> Vec<Kind> {
        vec![Recognition::COMMENDATION_PROPOSED, Recognition::COMMENDATION_AWARDED, Recognition::DECISION_ANNULLED]
    }
    fn count(&mut self, effect: Effect<'_, Recognition>, scope: &Scope) {
        match effect.event {
            Recognition::CommendationProposed(event) if scope.counts(effect.occurred_on) => {
                let proposal = Proposal {
                    year: effect.occurred_on.year(),
                    form: event.form.code().into(),
                    level: event.level.code().into(),
                    recipient_kind: event.recipient.kind().code().into(),
                };
                self.proposed.add(Key::of("commendation", &event.commendation), proposal, effect.weight);
            }
            Recognition::CommendationAwarded(event) => {
                self.awarded.add(Key::of("commendation", &event.commendation), decision(&event.decision), effect.weight);
            }
            _ => self.annulled.count(effect),
        }
    }
    fn merge(&mut self, later: Self) {
        self.proposed.merge(later.proposed);
        self.awarded.merge(later.awarded);
        self.annulled.merge(later.annulled);
    }
    fn rows<'a>(&'a self, rows: &mut Grouping<'a>) {
        for (commendation, proposals) in self.proposed.iter() {
            let awarded = self.awarded.of(commendation).any(|(decision, _)| !self.annulled.holds(decision));
            for (proposal, weight) in proposals {
                let line = rows.line(|dimension| match dimension {
                    Dimension::Year => Seen::Number(proposal.year.into()),
                    Dimension::Form => Seen::Text(&proposal.form),
                    Dimension::Level => Seen::Text(&proposal.level),
                    Dimension::RecipientKind => Seen::Text(&proposal.recipient_kind),
                    _ => Seen::Null,
                });
                if let Some(line) = line {
                    line.add(0, weight);
                    line.add(1, if awarded { weight } else { 0 });
                }
            }
        }
    }
}
