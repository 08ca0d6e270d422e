//! The state on which entries are judged: narrow, for one entry; whole, for many.

use super::books::Books;
use super::judge::{self, Effect, Target};
use super::needs;
use super::refusal::Refusal;
use crate::event::{Decision, Recognition};
use sovang_core::{Amends, Entry, Event, Query, RecordId, Recorded, TagKey};
use sovang_projection::{Command, Projection};
use std::collections::BTreeMap;

/// What stands of all that the rules look at for one entry.
///
/// Its query grows while it is folded: a retraction first knows an id alone, then what that record rests under, then
/// which decisions of those may be annulled.
#[derive(Debug)]
pub struct Office {
    /// What rules 1 to 6 look at, known from the entry.
    asked: Query,
    /// What the entry shares with others: see [`needs::shares`].
    shares: Option<TagKey>,
    target: Option<Watched>,
    books: Books,
    /// The decisions of what was seen, by what that shares and by decision.
    cited: BTreeMap<(TagKey, TagKey), Decision>,
}

/// The target of an amendment.
#[derive(Debug)]
struct Watched {
    id: RecordId,
    retracts: bool,
    found: Target,
}

impl Office {
    /// For this entry, before any record.
    #[must_use]
    pub fn for_entry(entry: &Entry<Recognition>) -> Self {
        let event = entry.event();
        let (to_stand, target) = match event.amends() {
            None => (Some(event), None),
            Some(Amends::Replaces { target, by, .. }) => (Some(by), Some((target, false))),
            Some(Amends::Retracts { target }) => (None, Some((target, true))),
        };
        Self {
            asked: to_stand.map_or_else(Query::none, needs::to_stand),
            shares: to_stand.and_then(needs::shares),
            target: target.map(|(id, retracts)| Watched { id, retracts, found: Target::Missing }),
            books: Books::default(),
            cited: BTreeMap::new(),
        }
    }

    /// Whether the rules let this entry be recorded. It must be the one that this state was made for.
    ///
    /// # Errors
    /// The first rule that refuses it, in the rules' order.
    pub fn judge(&self, entry: &Entry<Recognition>) -> Result<(), Refusal> {
        let found = self.target.as_ref().map_or(&Target::Missing, |t| &t.found);
        // A correction takes its target out for a moment, and this state is shared: what one entry looks at is little.
        judge::judge(&mut self.books.clone(), entry, found).map(|_| ())
    }
}

impl Projection<Recognition> for Office {
    fn query(&self) -> Query {
        let mut query = self.asked.clone();
        let mut shares = self.shares;
        if let Some(target) = &self.target {
            query = query.or(Query::record(target.id));
            if let (true, Target::Standing { event, .. }) = (target.retracts, &target.found) {
                query = query.or(needs::to_retract(event));
                shares = needs::shares(event);
            }
        }
        for ((shared, _), decision) in &self.cited {
            if Some(*shared) == shares {
                query = query.or(needs::annulments(decision));
            }
        }
        query
    }

    fn apply(&mut self, record: &Recorded<Recognition>) {
        if let Some(target) = self.target.as_mut().filter(|t| t.id == record.id && record.amends().is_some()) {
            target.found = Target::Amendment;
        }
        for effect in record.effects() {
            self.books.change(effect.weight, effect.event, effect.occurred_on, effect.id);
            if let Some(shared) = needs::shares(effect.event) {
                for decision in effect.event.decisions() {
                    self.cited.entry((shared, super::keys::decision(decision))).or_insert_with(|| decision.clone());
                }
            }
            if let Some(target) = self.target.as_mut().filter(|t| t.id == effect.id) {
                target.found = if effect.weight > 0 {
                    Target::Standing { event: Box::new(effect.event.clone()), occurred_on: effect.occurred_on }
                } else {
                    Target::Retracted
                };
            }
        }
    }
}

/// An entry is its own command: recorded as it is, if the rules allow it.
impl Command<Recognition> for Entry<Recognition> {
    type State = Office;
    type Refusal = Refusal;
    fn state(&self) -> Office {
        Office::for_entry(self)
    }
    fn decide(&self, state: &Office) -> Result<Vec<Self>, Refusal> {
        state.judge(self)?;
        Ok(vec![self.clone()])
    }
    fn known_id(&self) -> Option<RecordId> {
        self.id()
    }
    fn dated(&self, today: sovang_core::Date) -> Option<Self> {
        self.occurred_on().is_none().then(|| self.clone().dated(today))
    }
}

/// What stands of a whole ledger, for a bulk import that judges line after line and records what it accepted later.
///
/// It keeps no record, so what an amendment's target says is the caller's to know.
#[derive(Debug, Default)]
pub struct WholeOffice {
    books: Books,
}

impl WholeOffice {
    /// Before any record: fold the ledger into it first.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Judges an entry on what stands and, if the rules allow it, takes it as recorded under this id. `target` is what
    /// the id names that the entry amends; it is not looked at for any other entry. A refused entry changes nothing.
    ///
    /// # Errors
    /// The first rule that refuses it, in the rules' order; [`Refusal::Undated`] for an entry without its day.
    pub fn admit(&mut self, entry: &Entry<Recognition>, id: RecordId, target: &Target) -> Result<(), Refusal> {
        let on = entry.occurred_on().ok_or(Refusal::Undated)?;
        match judge::judge(&mut self.books, entry, target)? {
            Effect::Stands(event) => self.books.change(1, event, on, id),
            Effect::Replaces { target, stood, by } => {
                self.books.change(-1, stood.0, stood.1, target);
                self.books.change(1, by.0, by.1, target);
            }
            Effect::Retracts { target, stood } => self.books.change(-1, stood.0, stood.1, target),
        }
        Ok(())
    }
}

impl Projection<Recognition> for WholeOffice {
    fn query(&self) -> Query {
        Query::kinds(Recognition::KINDS.iter().copied().filter(|kind| *kind != Recognition::FIGURE_PUBLISHED))
    }
    fn apply(&mut self, record: &Recorded<Recognition>) {
        for effect in record.effects() {
            self.books.change(effect.weight, effect.event, effect.occurred_on, effect.id);
        }
    }
}
