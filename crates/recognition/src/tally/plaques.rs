//! `plaques`: the plaques mounted and what became of them: see [`super::Plaques`].

use super::counting::{Counting, Scope};
use super::grouping::{Grouping, Seen};
use super::joins::{Models, Place};
use super::name::Dimension;
use super::state::{Key, Keyed, Text, text};
use crate::codes::RemovalReason;
use crate::event::Recognition;
use serde::{Deserialize, Serialize};
use sovang_core::{Effect, Kind, calendar};

const STANDING: &str = "standing";
/// What may have become of a plaque: it stands, or what its removal says.
pub(super) const STATUSES: &[&str] =
    &[STANDING, RemovalReason::Removed.code(), RemovalReason::Relocated.code(), RemovalReason::Missing.code()];

/// What a mounting says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Mounting {
    year: i32,
    level: Text,
    occasion: Option<Text>,
    model: Key,
}

/// What a removal says; the order is that in which removals occurred.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Removal {
    day: i32,
    reason: Text,
}

/// Mountings and removals by plaque.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    models: Models,
    mounted: Keyed<Mounting>,
    removed: Keyed<Removal>,
}

impl Counting for State {
    fn kinds(joined: bool) -> Vec<Kind> {
        let mut kinds = vec![Recognition::PLAQUE_MOUNTED, Recognition::PLAQUE_REMOVED];
        kinds.extend(joined.then_some(Recognition::MODEL_REGISTERED));
        kinds
    }
    fn count(&mut self, effect: Effect<'_, Recognition>, scope: &Scope) {
        match effect.event {
            Recognition::PlaqueMounted(event) if scope.counts(effect.occurred_on) => {
                let mounting = Mounting {
                    year: effect.occurred_on.year(),
                    level: event.level.code().into(),
                    occasion: event.occasion.as_deref().map(text),
                    model: scope.model(&event.model),
                };
                self.mounted.add(Key::of("plaque", &event.plaque), mounting, effect.weight);
            }
            Recognition::PlaqueRemoved(event) => {
                let removal = Removal { day: calendar::days_of(effect.occurred_on), reason: event.reason.code().into() };
                self.removed.add(Key::of("plaque", &event.plaque), removal, effect.weight);
            }
            _ if scope.joined => self.models.count(effect),
            _ => {}
        }
    }
    fn merge(&mut self, later: Self) {
        self.models.merge(later.models);
        self.mounted.merge(later.mounted);
        self.removed.merge(later.removed);
    }
    fn rows<'a>(&'a self, rows: &mut Grouping<'a>) {
        for (plaque, mountings) in self.mounted.iter() {
            let status = self.removed.of(plaque).last().map_or(STANDING, |(removal, _)| removal.reason.as_ref());
            for (mounting, weight) in mountings {
                let place = self.models.place(&mounting.model);
                let line = rows.line(|dimension| match dimension {
                    Dimension::Year => Seen::Number(mounting.year.into()),
                    Dimension::Level => Seen::Text(&mounting.level),
                    Dimension::Occasion => Seen::maybe(mounting.occasion.as_deref()),
                    Dimension::Status => Seen::Text(status),
                    other => Place::seen(place, other),
                });
                if let Some(line) = line {
                    line.add(0, weight);
                }
            }
        }
    }
}
