//! What every tally does: count signed effects, be merged, and give rows.

use super::grouping::Grouping;
use super::name::{Dimension, Name};
use super::request::Request;
use super::state::Key;
use crate::event::Recognition;
use sovang_core::{Date, Effect, Kind, Recorded};

/// What of the records is counted and remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    from: Option<Date>,
    to: Option<Date>,
    /// Whether the report needs to know the models that records are about.
    pub(super) joined: bool,
}

impl Scope {
    /// Everything: enough for every report without dates.
    pub(super) const ALL: Self = Self { from: None, to: None, joined: true };

    /// Enough for one report.
    pub(super) fn of(tally: Name, request: &Request) -> Self {
        Self { from: request.from, to: request.to, joined: joined(tally).iter().any(|d| request.uses(*d)) }
    }
    /// Whether a record that occurred then is one of those to count.
    pub(super) fn counts(&self, occurred_on: Date) -> bool {
        self.from.is_none_or(|from| from <= occurred_on) && self.to.is_none_or(|to| occurred_on <= to)
    }
    /// The model that a record is about, if the report needs to know.
    pub(super) fn model(&self, id: &str) -> Key {
        if self.joined { model(id) } else { Key::ANY }
    }
}

/// The identity of a model.
pub(super) fn model(id: &str) -> Key {
    Key::of("model", id)
}

/// The dimensions that are looked up in a record's model.
const fn joined(tally: Name) -> &'static [Dimension] {
    use Dimension::{Field, SubjectKind, Unit, Year};
    match tally {
        Name::Recognised => &[SubjectKind, Unit, Field],
        Name::Continuity | Name::Contributions => &[Unit, Field],
        Name::Plaques => &[Unit],
        Name::MultiLevel => &[Year, Unit],
        Name::Registered
        | Name::RecognitionRate
        | Name::Commendations
        | Name::Proposals
        | Name::Cumulative
        | Name::Amendments => &[],
    }
}

/// A tally's state.
pub(super) trait Counting: Default {
    /// The kinds of event it looks at.
    fn kinds(joined: bool) -> Vec<Kind>;
    /// Adds one effect.
    fn count(&mut self, effect: Effect<'_, Recognition>, scope: &Scope);
    /// Adds a record's effects.
    fn record(&mut self, record: &Recorded<Recognition>, scope: &Scope) {
        for effect in record.effects() {
            self.count(effect, scope);
        }
    }
    /// Adds what a later range of the log gave.
    fn merge(&mut self, later: Self);
    /// Resolves the joins and sums up the rows.
    fn rows<'a>(&'a self, rows: &mut Grouping<'a>);
}
