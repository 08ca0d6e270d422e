//! What is to be recorded: an event with its date, and what belongs to it alone.

use crate::event::Event;
use crate::ids::{Actor, RecordId};
use crate::personal::Given;
use serde::{Deserialize, Serialize};
use time::{Date, UtcDateTime};

/// That rules were waived for one record, and why. It is kept in the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// The rules' numbers.
    pub rules: Vec<u16>,
    /// Why.
    pub reason: String,
}
impl Override {
    /// Whether it waives this rule.
    #[must_use]
    pub fn waives(&self, rule: u16) -> bool {
        self.rules.contains(&rule)
    }
}

/// An event to be recorded, with the day on which it occurred. Only [`Event::on`] and [`Event::today`] make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<E> {
    event: E,
    occurred_on: Option<Date>,
    id: Option<RecordId>,
    source: Option<String>,
    overriding: Option<Override>,
}

impl<E: Event> Entry<E> {
    pub(crate) fn new(event: E, occurred_on: Option<Date>) -> Self {
        Self { event, occurred_on, id: None, source: None, overriding: None }
    }
    /// Records it under this id: to send again what may have been recorded already.
    #[must_use]
    pub fn with_id(mut self, id: RecordId) -> Self {
        self.id = Some(id);
        self
    }
    /// Where this fact was taken from (a scan, a file), instead of the desk's source.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }
    /// Waives rules for this record, for a reason that is kept in it.
    #[must_use]
    pub fn overriding(mut self, rules: impl IntoIterator<Item = u16>, reason: impl Into<String>) -> Self {
        let mut rules: Vec<u16> = rules.into_iter().collect();
        rules.sort_unstable();
        rules.dedup();
        self.overriding = Some(Override { rules, reason: reason.into() });
        self
    }
    /// The same entry with this day, when it has none of its own.
    #[must_use]
    pub fn dated(mut self, day: Date) -> Self {
        self.occurred_on.get_or_insert(day);
        self
    }
    /// The event.
    #[must_use]
    pub fn event(&self) -> &E {
        &self.event
    }
    /// The day it occurred; none means the day on which it is recorded.
    #[must_use]
    pub fn occurred_on(&self) -> Option<Date> {
        self.occurred_on
    }
    /// The id given, if one was.
    #[must_use]
    pub fn id(&self) -> Option<RecordId> {
        self.id
    }
    /// The source given, if one was.
    #[must_use]
    pub fn given_source(&self) -> Option<&str> {
        self.source.as_deref()
    }
    /// The rules waived, if any are.
    #[must_use]
    pub fn waiver(&self) -> Option<&Override> {
        self.overriding.as_ref()
    }
    /// The event, out of the entry.
    #[must_use]
    pub fn into_event(self) -> E {
        self.event
    }
}

/// Who records, from where, and why: the part of a record's metadata that a desk sets once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Who records.
    pub actor: Actor,
    /// Where the fact was taken from.
    pub source: Option<String>,
    /// What belongs together, by the caller's own key: at most 128 bytes.
    pub correlation: Option<String>,
    /// The record that caused this one.
    pub causation: Option<RecordId>,
}
impl Envelope {
    /// Of this actor, and nothing else.
    #[must_use]
    pub fn by(actor: Actor) -> Self {
        Self { actor, source: None, correlation: None, causation: None }
    }
}

/// An entry as an import brings it: with its own envelope and, into an empty ledger, its own recorded time and salts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import<E> {
    /// The entry.
    pub entry: Entry<E>,
    /// Its envelope; the entry's own source, where given, goes before.
    pub envelope: Envelope,
    /// When it was first recorded; honoured only by a migration into an empty ledger.
    pub recorded_at: Option<UtcDateTime>,
    /// Salts or commitments by field number; honoured only by a migration.
    pub given: Vec<(u16, Given)>,
}
