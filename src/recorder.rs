//! One actor's desk: where entries become records.

use crate::ledger::Ledger;
use crate::ticket::{Appended, Ticket};
use sovang_core::record::Prepared;
use sovang_core::{
    Actor, Condition, Date, Entry, Envelope, Error, ErrorKind, Event, Override, Position, Query, RecordId, Recorded, Result,
    Size, calendar,
};
use sovang_projection::{ATTEMPTS_DEFAULT, Command, ExecuteError, Store};
use sovang_storage::store::Submission;
use std::fmt;
use uuid::Uuid;

/// The namespace of ids that derive from an idempotency key (docs/FORMAT.md): UUIDv5 of it over the key, a zero byte and the index as decimal digits.
const KEY_NAMESPACE: Uuid = Uuid::from_u128(0x6f1d_3f0a_52f4_5d0e_9c1b_7a60_2f4e_8d11);

/// One actor's desk. A clone is cheap; set source, correlation and cause once for a scope.
pub struct Recorder<E> {
    ledger: Ledger<E>,
    actor: String,
    source: Option<String>,
    correlation: Option<String>,
    causation: Option<RecordId>,
    key: Option<String>,
    attempts: u32,
}

impl<E> Clone for Recorder<E> {
    fn clone(&self) -> Self {
        Self {
            ledger: self.ledger.clone(),
            actor: self.actor.clone(),
            source: self.source.clone(),
            correlation: self.correlation.clone(),
            causation: self.causation,
            key: self.key.clone(),
            attempts: self.attempts,
        }
    }
}
impl<E> fmt::Debug for Recorder<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recorder({})", self.actor)
    }
}

impl<E: Event> Recorder<E> {
    pub(crate) fn new(ledger: Ledger<E>, actor: String) -> Self {
        Self { ledger, actor, source: None, correlation: None, causation: None, key: None, attempts: ATTEMPTS_DEFAULT }
    }
    /// Where the facts are taken from: a scan, a file, a form.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }
    /// What belongs together, by your own key: a request's id, say.
    #[must_use]
    pub fn correlation(mut self, correlation: impl Into<String>) -> Self {
        self.correlation = Some(correlation.into());
        self
    }
    /// The record that causes what follows: its id becomes the causation, and its correlation is copied.
    #[must_use]
    pub fn caused_by<F: Event>(mut self, cause: &Recorded<F>) -> Self {
        self.causation = Some(cause.id);
        self.correlation.clone_from(&cause.correlation);
        self
    }
    /// Makes [`Self::execute`] repeatable: the same key gives the first result again instead of a second copy. It is looked up
    /// before anything is decided. Another command under the same key is an error.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
    /// How often [`Self::execute`] decides again when something came in between; 5 by default.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Records one entry, without rules. `Ok` means durable.
    ///
    /// # Errors
    /// Every error names the entry's id; after `Poisoned` reopen the ledger and send the same id again.
    pub fn record(&self, entry: impl Into<Entry<E>>) -> Result<Appended> {
        self.submit(entry)?.wait()
    }
    /// Records entries as one batch: all or none.
    ///
    /// # Errors
    /// As [`Self::record`]; an entry that is refused is named by its index.
    pub fn record_all<I>(&self, entries: I) -> Result<Vec<Appended>>
    where
        I: IntoIterator,
        I::Item: Into<Entry<E>>,
    {
        let prepared = self.prepare_all(entries)?;
        self.append(prepared, None)
    }
    /// Records entries as one batch, if nothing that matches the condition came since: `query.absent()` is uniqueness,
    /// `query.unchanged_since(size)` the general case.
    ///
    /// # Errors
    /// `Conflict` with the record in the way; else as [`Self::record_all`].
    pub fn record_if<I>(&self, condition: Condition, entries: I) -> Result<Vec<Appended>>
    where
        I: IntoIterator,
        I::Item: Into<Entry<E>>,
    {
        let prepared = self.prepare_all(entries)?;
        self.append(prepared, Some(condition))
    }
    /// Hands one entry to the writer and returns at once; blocks only while the queue is full. One caller's order is position order.
    ///
    /// # Errors
    /// When the entry cannot be prepared or the ledger is closed or poisoned. Dropping the ticket cancels nothing.
    pub fn submit(&self, entry: impl Into<Entry<E>>) -> Result<Ticket> {
        let prepared = self.prepare(&entry.into(), None)?;
        let submission = Submission { records: vec![prepared], condition: None, recorded_at: None };
        Ok(Ticket::new(self.ledger.store().submit(submission)?))
    }
    /// As [`Self::submit`], but never blocks.
    ///
    /// # Errors
    /// `Busy` while the queue is full; else as [`Self::submit`].
    pub fn try_submit(&self, entry: impl Into<Entry<E>>) -> Result<Ticket> {
        let prepared = self.prepare(&entry.into(), None)?;
        let submission = Submission { records: vec![prepared], condition: None, recorded_at: None };
        Ok(Ticket::new(self.ledger.store().try_submit(submission)?))
    }

    /// Decides a command on the state it asks for, and records what it decided, if nothing of that came in between;
    /// otherwise decides again. A command that decides on no events writes nothing.
    ///
    /// # Errors
    /// `Refused` with the command's own reason, or `Failed`: a `Conflict` once the attempts are used up, `ContentDiffers` when the
    /// key or the entry's id was used for another command; else as [`Self::record_all`].
    pub fn execute<C: Command<E>>(&self, command: &C) -> Result<Vec<Appended>, ExecuteError<C::Refusal>> {
        // As for the entries themselves: an id of their own goes before one by the key.
        let first = command.known_id().or_else(|| self.key.as_deref().map(|key| derived_id(key, 0)));
        if let Some(there) = self.position_of(first)? {
            return self.repeat(command, there);
        }
        match self.decide(command, self.ledger.options().today()?, None) {
            // The same command may have been carried out by another thread meanwhile: its result is the answer then.
            Err(error) => match self.position_of(first)? {
                Some(there) => self.repeat(command, there),
                None => Err(error),
            },
            done => done,
        }
    }
    fn decide<C: Command<E>>(
        &self,
        command: &C,
        today: Date,
        at: Option<Size>,
    ) -> Result<Vec<Appended>, ExecuteError<C::Refusal>> {
        let looking = Looking { recorder: self, at };
        let attempts = if at.is_some() { 1 } else { self.attempts };
        match command.dated(today) {
            Some(dated) => sovang_projection::execute(&looking, &dated, attempts),
            None => sovang_projection::execute(&looking, command, attempts),
        }
    }
    fn position_of(&self, id: Option<RecordId>) -> Result<Option<Position>> {
        id.map_or(Ok(None), |id| self.ledger.view().find(id))
    }
    /// The first result of a command that was executed before: decided once more on the state it then saw, and compared
    /// with what it recorded. What comes to anything else is another command.
    fn repeat<C: Command<E>>(&self, command: &C, first: Position) -> Result<Vec<Appended>, ExecuteError<C::Refusal>> {
        let there = self.ledger.view().frame(first)?;
        let then = calendar::date_of(there.occurred_on()).map_err(|e| Error::from(e).at(first))?;
        let is_more = |decided: usize| match &self.key {
            Some(key) => Ok::<_, Error>(self.position_of(Some(derived_id(key, decided)))?.is_some()),
            None => Ok(false),
        };
        match self.decide(command, then, Some(Size(first.0))) {
            Ok(done) if !done.is_empty() && !is_more(done.len())? => Ok(done),
            Err(ExecuteError::Failed(error)) => Err(error.into()),
            Ok(_) | Err(ExecuteError::Refused(_)) => {
                let what = format!("the id {} is there already, recorded for another command", there.id());
                let error = Error::new(ErrorKind::ContentDiffers, what).at(first).with_ids([there.id()]);
                Err(error.advise("give the new command its own id or idempotency key").into())
            }
        }
    }

    pub(crate) fn ledger(&self) -> &Ledger<E> {
        &self.ledger
    }
    pub(crate) fn append(&self, records: Vec<Prepared>, condition: Option<Condition>) -> Result<Vec<Appended>> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<RecordId> = records.iter().map(Prepared::id).collect();
        let done = self
            .ledger
            .store()
            .submit(Submission { records, condition, recorded_at: None })
            .and_then(sovang_storage::store::Ticket::wait)
            .map_err(|e| of_batch(e, ids))?;
        Ok(crate::ticket::appended(&done))
    }
    fn prepare_all<I>(&self, entries: I) -> Result<Vec<Prepared>>
    where
        I: IntoIterator,
        I::Item: Into<Entry<E>>,
    {
        let mut prepared = Vec::new();
        for (index, entry) in entries.into_iter().enumerate() {
            prepared.push(self.prepare(&entry.into(), None).map_err(|e| e.in_entry(index))?);
        }
        Ok(prepared)
    }
    fn prepare_decided(&self, entries: &[Entry<E>]) -> Result<Vec<Prepared>> {
        entries
            .iter()
            .enumerate()
            .map(|(index, entry)| {
                let id = self.key.as_deref().map(|key| derived_id(key, index));
                self.prepare(entry, id).map_err(|e| e.in_entry(index))
            })
            .collect()
    }
    fn prepare(&self, entry: &Entry<E>, id: Option<RecordId>) -> Result<Prepared> {
        let id = match entry.id().or(id) {
            Some(id) => id,
            None => self.fresh_id()?,
        };
        let source = entry.given_source().map(str::to_owned);
        self.prepare_event(entry.event(), entry.occurred_on(), id, source, entry.waiver().cloned()).map_err(|e| e.with_ids([id]))
    }
    pub(crate) fn prepare_event<F: Event>(
        &self,
        event: &F,
        on: Option<Date>,
        id: RecordId,
        source: Option<String>,
        waiver: Option<Override>,
    ) -> Result<Prepared> {
        let envelope = Envelope {
            actor: Actor::new(&self.actor)?,
            source: source.or_else(|| self.source.clone()),
            correlation: self.correlation.clone(),
            causation: self.causation,
        };
        let mut salt = || {
            let mut salt = [0; 32];
            self.ledger.options().fill(&mut salt)?;
            Ok(salt)
        };
        Prepared::new(event, id, on.map(calendar::days_of), envelope, waiver, &[], &mut salt)
    }
    pub(crate) fn fresh_id(&self) -> Result<RecordId> {
        self.ledger.options().fresh_id()
    }
}

/// The ledger as a decision looks at it: at the head, or as it was when the command was executed first. In the latter case
/// the entries have ids that are there, so that appending them compares them and gives the first result.
struct Looking<'a, E> {
    recorder: &'a Recorder<E>,
    at: Option<Size>,
}
impl<E: Event> Store<E> for Looking<'_, E> {
    type Appended = Appended;
    fn size(&self) -> Result<Size> {
        self.at.map_or_else(|| Ok(self.recorder.ledger.refresh()?.size), Ok)
    }
    fn read(&self, query: &Query, from: Size, to: Size) -> Result<impl Iterator<Item = Result<Recorded<E>>>> {
        Ok(self.recorder.ledger.records_between(query, from, to))
    }
    fn before(&self, target: RecordId, position: Position) -> Result<Option<Recorded<E>>> {
        self.recorder.ledger.standing_before(target, position)
    }
    fn append(&self, entries: Vec<Entry<E>>, condition: Condition) -> Result<Vec<Appended>> {
        let prepared = self.recorder.prepare_decided(&entries)?;
        self.recorder.append(prepared, self.at.is_none().then_some(condition))
    }
}

/// What went wrong with a batch: the entry at fault by its index, and the ids of all.
fn of_batch(error: Error, ids: Vec<RecordId>) -> Error {
    let at_fault = match error.ids() {
        [one] if ids.len() > 1 => ids.iter().position(|id| id == one),
        _ => None,
    };
    let error = error.with_ids(ids);
    at_fault.map_or(error.clone(), |index| error.in_entry(index))
}

/// The id of the `index`-th entry of what is executed under an idempotency key.
fn derived_id(key: &str, index: usize) -> RecordId {
    RecordId::v5(KEY_NAMESPACE, format!("{key}\0{index}").as_bytes())
}
