//! `contributions`: what was given to models, with bounds (domain rule 12): see [`super::Contributions`].

use super::counting::{Counting, Scope};
use super::grouping::{Grouping, Seen};
use super::joins::{Models, Place};
use super::name::Dimension;
use super::state::{Keyed, Text, Total};
use super::table::Bound;
use crate::event::{Contribution, Recognition};
use serde::{Deserialize, Serialize};
use sovang_core::{Effect, Kind};

const COUNT: usize = 0;
const VND: usize = 1;
const LABOUR_DAYS: usize = 2;
const SQUARE_DECIMETRES: usize = 3;

const CASH: &str = "cash";
const LABOUR: &str = "labour";
const LAND: &str = "land";
const IN_KIND: &str = "in_kind";
/// The kinds there are.
pub(super) const KINDS: &[&str] = &[CASH, LABOUR, LAND, IN_KIND];

/// What a contribution says besides its model and how much it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Gift {
    year: i32,
    kind: Text,
    source: Text,
    land: Option<Text>,
    qualifier: Text,
}

impl Gift {
    /// Which measure it adds to.
    fn measure(&self) -> usize {
        match &*self.kind {
            LABOUR => LABOUR_DAYS,
            LAND => SQUARE_DECIMETRES,
            _ => VND,
        }
    }
    fn bound(&self) -> Option<Bound> {
        Bound::ALL.into_iter().find(|bound| bound.as_str() == self.qualifier)
    }
}

/// Contributions by model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    models: Models,
    gifts: Keyed<Gift, Total>,
}

impl Counting for State {
    fn kinds(joined: bool) -> Vec<Kind> {
        let mut kinds = vec![Recognition::MODEL_FUNDED];
        kinds.extend(joined.then_some(Recognition::MODEL_REGISTERED));
        kinds
    }
    fn count(&mut self, effect: Effect<'_, Recognition>, scope: &Scope) {
        if let Recognition::ModelFunded(event) = effect.event {
            if scope.counts(effect.occurred_on) {
                let (kind, land, quantity) = match &event.contribution {
                    Contribution::Cash { vnd } => (CASH, None, *vnd),
                    Contribution::Labour { days } => (LABOUR, None, *days),
                    Contribution::Land { square_decimetres, land } => (LAND, Some(land.code().into()), *square_decimetres),
                    Contribution::InKind { vnd, .. } => (IN_KIND, None, *vnd),
                };
                let gift = Gift {
                    year: effect.occurred_on.year(),
                    kind: kind.into(),
                    source: event.source.code().into(),
                    land,
                    qualifier: event.qualifier.unwrap_or(crate::Qualifier::Exact).code().into(),
                };
                let total = Total { count: effect.weight, quantity: i128::from(effect.weight) * i128::from(quantity) };
                self.gifts.add(scope.model(&event.model), gift, total);
            }
        } else if scope.joined {
            self.models.count(effect);
        }
    }
    fn merge(&mut self, later: Self) {
        self.models.merge(later.models);
        self.gifts.merge(later.gifts);
    }
    fn rows<'a>(&'a self, rows: &mut Grouping<'a>) {
        for (model, gifts) in self.gifts.iter() {
            let place = self.models.place(model);
            for (gift, total) in gifts {
                let line = rows.line(|dimension| match dimension {
                    Dimension::Year => Seen::Number(gift.year.into()),
                    Dimension::Kind => Seen::Text(&gift.kind),
                    Dimension::Source => Seen::Text(&gift.source),
                    Dimension::Land => Seen::maybe(gift.land.as_deref()),
                    other => Place::seen(place, other),
                });
                if let Some(line) = line {
                    let measure = gift.measure();
                    line.add(COUNT, total.count);
                    line.add(measure, total.quantity);
                    line.bound(measure, gift.bound());
                }
            }
        }
    }
}
