//! The writer's thread: it drains the queue group by group, and answers after the sync.

use super::group::{Group, Outcome, Reference};
use super::queue::{Job, Popped, Queue, Work};
use super::shared::Shared;
use super::ticket::Answerer;
use super::{Done, Placed, StoreOptions, Submission};
use crate::index::Added;
use crate::log::{Log, Written};
use crate::vault::Vault;
use sovang_core::record::PersonalRow;
use sovang_core::{Error, ErrorKind, Position, RecordHash, RecordId, Result};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// After so many bytes of rows, the vault is marked as checked also without a rest.
const MARK_BYTES: u64 = 16 << 20;

pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) log: Log,
    pub(super) queue: Arc<Queue>,
    pub(super) options: Arc<StoreOptions>,
    /// Why nothing is appended any more.
    pub(super) broken: Option<Error>,
}

/// Refuses what comes once the writer is gone, also by a panic. It goes before the log does, which gives the lock back.
struct Last(Arc<Queue>, Arc<Shared>);
impl Drop for Last {
    fn drop(&mut self) {
        self.0.refuse(unknown("the writer has ended"));
        // Dropped jobs answer that the outcome is unknown.
        self.0.drop_jobs();
        self.1.await_blobs();
    }
}

fn unknown(what: &str) -> Error {
    Error::new(ErrorKind::Poisoned, format!("{what}: the outcome is unknown"))
        .advise("reopen the ledger, then send the same ids again")
}

/// Submissions on their way into one batch.
struct Gathered {
    group: Group,
    decided: Vec<(Answerer, Outcome)>,
    /// The subject to erase once the group is durable.
    erasing: Option<[u8; 16]>,
}

impl Writer {
    /// Works until the queue is closed, then syncs and closes.
    pub(super) fn run(mut self) -> Result<()> {
        let _last = Last(Arc::clone(&self.queue), Arc::clone(&self.shared));
        let mut jobs = VecDeque::new();
        let mut at_rest = true;
        loop {
            if jobs.is_empty() {
                jobs = match self.queue.pop(at_rest) {
                    Popped::Jobs(jobs) => jobs,
                    Popped::Idle => {
                        self.rest();
                        at_rest = true;
                        continue;
                    }
                    Popped::Closed => break,
                };
            }
            at_rest = false;
            match &self.broken {
                None => {
                    let gathered = self.gather(&mut jobs);
                    self.commit(gathered);
                }
                Some(why) => jobs.drain(..).for_each(|job| job.answerer.answer(Err(why.clone()))),
            }
        }
        self.shared.await_blobs();
        self.close()
    }
    /// Makes durable what is not yet, so that the next opening is short.
    fn rest(&mut self) {
        if self.broken.is_some() {
            return;
        }
        let vault = self.shared.vault.as_ref();
        if let Err(error) = self.log.idle().and_then(|()| vault.map_or(Ok(()), Vault::mark)) {
            self.break_off(unknown("a sync failed").caused_by(error));
        }
    }
    fn close(self) -> Result<()> {
        if let Some(why) = self.broken {
            return Err(why);
        }
        if let Some(vault) = &self.shared.vault {
            vault.close()?;
        }
        let closed = self.log.close();
        self.shared.write_index();
        closed
    }
    /// Appends nothing from now on.
    fn break_off(&mut self, why: Error) -> Error {
        self.queue.refuse(why.clone());
        self.broken.get_or_insert(why).clone()
    }

    /// Takes jobs from the front as far as one batch holds them, and decides each.
    fn gather(&self, jobs: &mut VecDeque<Job>) -> Gathered {
        let group = Group::new(self.log.head().size, self.log.last_recorded_at());
        let mut gathered = Gathered { group, decided: Vec::new(), erasing: None };
        while let Some(Job { work, answerer }) = jobs.pop_front() {
            let has_room = match &work {
                Work::Append(submission) => gathered.group.has_room(&submission.records),
                // Alone, so that what comes later finds the subject erased.
                Work::Erase { .. } => gathered.decided.is_empty(),
            };
            if !has_room {
                jobs.push_front(Job { work, answerer });
                break;
            }
            let (submission, erasing) = match work {
                Work::Append(submission) => (submission, None),
                Work::Erase { handle, record } => {
                    (Submission { records: vec![*record], condition: None, recorded_at: None }, Some(handle))
                }
            };
            let outcome = match (self.shared.damage(), erasing.map(|handle| self.shared.erasure_of(&handle))) {
                (Some(damage), _) => Outcome::Refused(damage.clone()),
                (None, Some(Err(error))) => Outcome::Refused(error),
                (None, Some(Ok(Some(there)))) => Outcome::Repeated(vec![there]),
                (None, _) => gathered.group.decide(&self.shared, &self.options, submission),
            };
            let refused = matches!(outcome, Outcome::Refused(_));
            gathered.decided.push((answerer, outcome));
            if erasing.is_some() {
                gathered.erasing = erasing.filter(|_| !refused);
                break;
            }
        }
        gathered
    }

    /// Makes what was gathered durable, erases, and answers.
    fn commit(&mut self, gathered: Gathered) {
        let Gathered { group, decided, erasing } = gathered;
        let appended = match self.append(&group) {
            // The reserved space is for this, and was counted without what log and vault like to have ahead.
            Err(full) if full.kind() == ErrorKind::NoSpace && self.shared.reservations.give_back() => {
                self.log.spare();
                let sparing = self.shared.vault.as_ref().map_or(Ok(()), Vault::spare);
                sparing.map_err(|error| self.failed(error)).and_then(|()| self.append(&group))
            }
            appended => appended,
        };
        let answered = appended.and_then(|written| match erasing {
            Some(handle) => self.erase(&handle).map(|()| written),
            None => Ok(written),
        });
        // Each ticket names its own records.
        let answered = answered.map_err(|e| e.with_ids([]));
        for (answerer, outcome) in decided {
            let answer = match (&answered, outcome) {
                (Ok(written), outcome) => self.done(outcome, written.as_ref(), &group),
                // What was answered from the log alone stands.
                (Err(_), Outcome::Refused(why)) if why.position().is_none_or(|p| group.was_there(p)) => Err(why),
                (Err(_), Outcome::Repeated(there)) if erasing.is_none() && there.iter().all(|r| group.was_there(r.position)) => {
                    self.done(Outcome::Repeated(there), None, &group)
                }
                (Err(error), _) => Err(error.clone()),
            };
            answerer.answer(answer);
        }
    }

    /// Makes the group durable: the vault's rows first, then the log.
    fn append(&mut self, group: &Group) -> Result<Option<Written>> {
        if group.records.is_empty() {
            return Ok(None);
        }
        let rows: Vec<(RecordId, &PersonalRow)> =
            group.records.iter().flat_map(|record| record.personal().iter().map(|row| (record.id(), row))).collect();
        let mut put: Range<u64> = 0..0;
        if let Some(vault) = self.shared.vault.as_ref().filter(|_| !rows.is_empty()) {
            // The log's room first: rows whose records find none are void, and keep their space.
            let bytes = group.records.iter().map(|record| record.len() as u64).sum();
            if let Err(error) = self.log.reserve_batch(group.records.len(), bytes) {
                return Err(self.failed(error));
            }
            put = match vault.put(&rows, &|b| (self.options.random)(b)) {
                Ok(put) => put,
                Err(error) => return Err(self.failed(error)),
            };
        }
        let written = match self.log.append(&group.records) {
            Ok(written) => written,
            Err(error) => {
                let error = self.failed(error);
                if self.broken.is_none() {
                    self.withdraw(put);
                }
                return Err(error);
            }
        };
        self.index(group, &written);
        self.shared.publish(written.head);
        if !put.is_empty() {
            self.mark_vault();
        }
        Ok(Some(written))
    }
    /// Takes rows back whose records the log refused: a row without a record would outlive the next mark.
    fn withdraw(&mut self, rows: Range<u64>) {
        let Some(vault) = self.shared.vault.as_ref().filter(|_| !rows.is_empty()) else {
            return;
        };
        if let Err(error) = vault.withdraw(rows) {
            self.break_off(unknown("a write of the vault failed").caused_by(error));
        }
    }
    /// Now and then, so that an opening after a kill does not look up all of a long import's rows.
    fn mark_vault(&mut self) {
        let Some(vault) = self.shared.vault.as_ref().filter(|v| v.unmarked_bytes() > MARK_BYTES) else {
            return;
        };
        if let Err(error) = vault.mark() {
            self.break_off(unknown("a write of the vault failed").caused_by(error));
        }
    }
    /// What callers are told of a failed write, and what follows from it.
    fn failed(&mut self, error: Error) -> Error {
        let nothing_written = matches!(
            error.kind(),
            ErrorKind::NoSpace | ErrorKind::TooLarge | ErrorKind::InvalidInput | ErrorKind::ErasedSubject | ErrorKind::Damaged
        );
        // A full disk may also be met in a write, where space cannot be reserved: the error alone does not tell.
        let is_poisoned = self.log.is_poisoned() || self.shared.vault.as_ref().is_some_and(Vault::is_poisoned);
        if nothing_written && !is_poisoned {
            return error;
        }
        if error.kind() == ErrorKind::Poisoned {
            return self.break_off(error.with_ids([]));
        }
        self.break_off(unknown("a write failed").caused_by(error))
    }
    fn index(&mut self, group: &Group, written: &Written) {
        let keys: Vec<_> = group.records.iter().enumerate().map(|(index, record)| group.keys(index, record)).collect();
        let mut added = Vec::with_capacity(keys.len());
        for (index, (record, keys)) in group.records.iter().zip(&keys).enumerate() {
            if let (Some(location), Some(hash)) = (written.locations.get(index), written.hashes.get(index)) {
                added.push(Added {
                    position: Position(written.first.0 + index as u64),
                    id: record.id(),
                    keys,
                    location: *location,
                    first_in_batch: index == 0,
                    hash: *hash,
                });
            }
        }
        if let Err(error) = self.shared.add(&added, written.head, self.log.next()) {
            // The records are durable, but the next ones could not be checked against them.
            self.break_off(unknown("the index failed").caused_by(error));
        }
    }
    fn erase(&mut self, handle: &[u8; 16]) -> Result<()> {
        let Some(vault) = &self.shared.vault else {
            return Ok(());
        };
        vault.erase(handle).map_err(|error| {
            let what = "the erasure is recorded, but the vault could not be written";
            let why = Error::new(ErrorKind::Poisoned, what).caused_by(error);
            self.break_off(why.advise("reopen the ledger: that completes the erasure"))
        })
    }

    fn done(&self, outcome: Outcome, written: Option<&Written>, group: &Group) -> Result<Done> {
        let (there, repeated) = match outcome {
            Outcome::Refused(why) => return Err(why),
            Outcome::Appended(range) => (group.references(range), false),
            Outcome::Repeated(there) => (there, true),
        };
        let hash = |r: &Reference| -> Option<RecordHash> {
            let written = written?;
            let index = usize::try_from(r.position.0.checked_sub(written.first.0)?).ok()?;
            written.hashes.get(index).copied()
        };
        let records = there
            .into_iter()
            .map(|r| {
                let hash = r.hash.or_else(|| hash(&r)).ok_or_else(|| unknown("the log gave no hash"))?;
                Ok(Placed { position: r.position, id: r.id, hash })
            })
            .collect::<Result<_>>()?;
        Ok(Done { records, repeated, size: self.shared.head().size })
    }
}
