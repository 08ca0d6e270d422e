//! What records refer to: the models they are about and the decisions they cite.

use super::counting::model;
use super::grouping::Seen;
use super::name::Dimension;
use super::state::{Cells, Key, Keyed, Text, text};
use crate::event::{Decision, Recognition};
use serde::{Deserialize, Serialize};
use sovang_core::{Effect, calendar};

/// The identity of a decision: issuer, number and date (domain rule 3). No text of an event holds a zero character, so the joined
/// parts cannot be mistaken for others.
pub(super) fn decision(decision: &Decision) -> Key {
    let day = calendar::days_of(decision.date);
    Key::of("decision", &format!("{}\0{}\0{day}", decision.issuer, decision.number))
}

/// Where a model stands: what its registration says of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) year: i32,
    pub(super) unit: Text,
    pub(super) field: Text,
    pub(super) subject_kind: Text,
}

impl Place {
    /// Of a registration: its own.
    pub(super) fn of(event: &Recognition) -> Option<Self> {
        let Recognition::ModelRegistered(event) = event else {
            return None;
        };
        Some(Self {
            year: event.year.into(),
            unit: text(&event.unit),
            field: text(event.field.code()),
            subject_kind: event.subject_kind.code().into(),
        })
    }
    /// A place's value in a dimension; null in every one for a record whose model is not registered.
    pub(super) fn seen(place: Option<&Self>, dimension: Dimension) -> Seen<'_> {
        let Some(place) = place else {
            return Seen::Null;
        };
        match dimension {
            Dimension::Year => Seen::Number(place.year.into()),
            Dimension::Unit => Seen::Text(&place.unit),
            Dimension::Field => Seen::Text(&place.field),
            Dimension::SubjectKind => Seen::Text(&place.subject_kind),
            _ => Seen::Null,
        }
    }
}

/// The registered models and where they stand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Models(Keyed<Place>);

impl Models {
    pub(super) fn count(&mut self, effect: Effect<'_, Recognition>) {
        if let Recognition::ModelRegistered(event) = effect.event
            && let Some(place) = Place::of(effect.event)
        {
            self.0.add(model(&event.model), place, effect.weight);
        }
    }
    pub(super) fn merge(&mut self, later: Self) {
        self.0.merge(later.0);
    }
    /// Where a model stands. The rules admit one registration of an id; where several stand all the same, the smallest in
    /// (year, unit, field, subject kind) speaks for the model.
    pub(super) fn place(&self, model: &Key) -> Option<&Place> {
        self.0.of(model).find(|(_, weight)| *weight > 0).map(|(place, _)| place)
    }
}

/// The annulments that stand, by decision.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Annulled(Cells<Key>);

impl Annulled {
    pub(super) fn count(&mut self, effect: Effect<'_, Recognition>) {
        if let Recognition::DecisionAnnulled(event) = effect.event {
            self.0.add(decision(&event.decision), effect.weight);
        }
    }
    pub(super) fn merge(&mut self, later: Self) {
        self.0.merge(later.0);
    }
    pub(super) fn holds(&self, decision: &Key) -> bool {
        self.0.get(decision) > 0
    }
}
