//! `cumulative`: registered, recognised (gross), mounted and commended, each up to the end of a year: see [`super::Cumulative`].

use super::counting::{Counting, Scope};
use super::grouping::{Grouping, Seen};
use super::joins::{Annulled, Place, decision};
use super::name::Dimension;
use super::state::{Cells, Key};
use super::table::Value;
use crate::event::Recognition;
use serde::{Deserialize, Serialize};
use sovang_core::{Effect, Kind};
use std::collections::BTreeMap;

const MEASURES: usize = 4;

/// What grew in a year; of what cites a decision, by decision.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    registered: Cells<i32>,
    recognised: Cells<(i32, Key)>,
    plaques: Cells<i32>,
    commendations: Cells<(i32, Key)>,
    annulled: Annulled,
}

impl State {
    /// By how much each of the four grew, by year; years in which none did are left out.
    fn growth(&self) -> BTreeMap<i32, [i128; MEASURES]> {
        let stands = |((year, decision), weight): (&(i32, Key), i64)| (!self.annulled.holds(decision)).then_some((*year, weight));
        let mut growth = BTreeMap::<i32, [i128; MEASURES]>::new();
        let mut grow = |measure: usize, (year, weight): (i32, i64)| {
            growth.entry(year).or_default()[measure] += i128::from(weight);
        };
        self.registered.iter().for_each(|(year, weight)| grow(0, (*year, weight)));
        self.recognised.iter().filter_map(stands).for_each(|cell| grow(1, cell));
        self.plaques.iter().for_each(|(year, weight)| grow(2, (*year, weight)));
        self.commendations.iter().filter_map(stands).for_each(|cell| grow(3, cell));
        growth
    }
}

impl Counting for State {
    fn kinds(_joined: bool) -> Vec<Kind> {
        vec![
            Recognition::MODEL_REGISTERED,
            Recognition::MODEL_RECOGNISED,
            Recognition::PLAQUE_MOUNTED,
            Recognition::COMMENDATION_AWARDED,
            Recognition::DECISION_ANNULLED,
        ]
    }
    fn count(&mut self, effect: Effect<'_, Recognition>, scope: &Scope) {
        self.annulled.count(effect);
        if !scope.counts(effect.occurred_on) {
            return;
        }
        let (year, weight) = (effect.occurred_on.year(), effect.weight);
        match effect.event {
            Recognition::ModelRecognised(event) => self.recognised.add((year, decision(&event.decision)), weight),
            Recognition::PlaqueMounted(_) => self.plaques.add(year, weight),
            Recognition::CommendationAwarded(event) => self.commendations.add((year, decision(&event.decision)), weight),
            other => {
                if let Some(place) = Place::of(other) {
                    self.registered.add(place.year, weight);
                }
            }
        }
    }
    fn merge(&mut self, later: Self) {
        self.registered.merge(later.registered);
        self.recognised.merge(later.recognised);
        self.plaques.merge(later.plaques);
        self.commendations.merge(later.commendations);
        self.annulled.merge(later.annulled);
    }
    fn rows<'a>(&'a self, rows: &mut Grouping<'a>) {
        let growth = self.growth();
        let (Some((first, _)), Some((last, _))) = (growth.first_key_value(), growth.last_key_value()) else {
            return;
        };
        let asked = |year: i32| rows.request().filters.iter().all(|(_, value)| *value == Value::Number(year.into()));
        let years: Vec<i32> = (*first..=*last).filter(|year| asked(*year)).collect();
        // A total is the state at its last year, so the years before give it no row of their own.
        let years =
            if rows.request().by.is_empty() { years.last().map(std::slice::from_ref).unwrap_or_default() } else { &years };
        let mut up_to = [0i128; MEASURES];
        let mut grown = growth.into_iter().peekable();
        for year in years {
            while let Some((_, by)) = grown.next_if(|(grew, _)| grew <= year) {
                up_to.iter_mut().zip(by).for_each(|(sum, more)| *sum += more);
            }
            let line = rows.line(|dimension| match dimension {
                Dimension::Year => Seen::Number((*year).into()),
                _ => Seen::Null,
            });
            if let Some(line) = line {
                up_to.iter().enumerate().for_each(|(measure, sum)| line.set(measure, *sum));
            }
        }
    }
}
