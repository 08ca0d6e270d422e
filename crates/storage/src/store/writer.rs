//! The writer's thread: it drains the queue group by group, and answers after the sync.

use super::group::{Group, Outcome, Reference};
use super::queue::{Job, Popped, Queue, Work};
use super::shared::Shared;
use super::ticket::Answerer;
use super::{Done, Placed, StoreOptions, Submission};
use crate::index::Added;
use crate::log::{Log, Written};
use sovang_core::record::PersonalRow;
use sovang_core::{Error, ErrorKind, Position, RecordHash, RecordId, Result};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// With nothing to do for so long, the writer syncs what it otherwise leaves to the next batch.
const IDLE: Duration = Duration::from_millis(25);

pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) log: Log,
    pub(super) queue: Arc<Queue>,
    pub(super) options: Arc<StoreOptions>,
}

/// Refuses what comes once the writer is gone, also by a panic.
struct Last(Arc<Queue>);
impl Drop for Last {
    fn drop(&mut self) {
        self.0.refuse(unknown("the writer has ended"));
        if let Popped::Jobs(jobs) = self.0.pop(Some(Duration::ZERO)) {
            drop(jobs);
        }
    }
}

fn unknown(what: &str) -> Error {
    Error::new(
        ErrorKind::Poisoned,
        format!("{what}: the outcome is unknown"),
    )
    .advise("reopen the ledger, then send the same ids again")
}

impl Writer {
    /// Works until the queue is closed, then syncs and closes.
    pub(super) fn run(mut self) -> Result<()> {
        let _last = Last(Arc::clone(&self.queue));
        let mut jobs = VecDeque::new();
        let mut at_rest = true;
        loop {
            if jobs.is_empty() {
                jobs = match self.queue.pop(if at_rest { None } else { Some(IDLE) }) {
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
            self.take_group(&mut jobs);
        }
        self.close()
    }
    /// Makes durable what is not yet, so that the next opening is short.
    fn rest(&mut self) {
        let done = self.log.idle().and_then(|()| {
            self.shared
                .vault
                .as_ref()
                .map_or(Ok(()), |vault| vault.mark())
        });
        if let Err(error) = done {
            self.queue.refuse(unknown("a sync failed").caused_by(error));
        }
    }
    fn close(self) -> Result<()> {
        if self.log.is_poisoned() {
            return Err(unknown("an earlier write failed"));
        }
        if let Some(vault) = &self.shared.vault {
            vault.close()?;
        }
        let closed = self.log.close();
        self.shared.write_index();
        closed
    }

    /// Takes jobs from the front as far as one batch holds them, appends, and answers.
    fn take_group(&mut self, jobs: &mut VecDeque<Job>) {
        let mut group = Group::new(self.log.head().size, self.log.last_recorded_at());
        let mut decided: Vec<(Answerer, Outcome)> = Vec::new();
        let mut erasing = None;
        while let Some(job) = jobs.pop_front() {
            let submission = match job.work {
                Work::Reserve { bytes } => {
                    job.answerer
                        .answer(self.log.reserve(bytes).map(|()| Done::default()));
                    continue;
                }
                Work::Append(submission) => {
                    if !group.has_room(&submission.records) {
                        jobs.push_front(Job {
                            work: Work::Append(submission),
                            answerer: job.answerer,
                        });
                        break;
                    }
                    submission
                }
                Work::Erase { handle, record } => {
                    // Alone, so that what comes later finds the subject erased.
                    if !decided.is_empty() {
                        jobs.push_front(Job {
                            work: Work::Erase { handle, record },
                            answerer: job.answerer,
                        });
                        break;
                    }
                    match self.shared.erasure_of(&handle) {
                        Ok(None) => {}
                        Ok(Some(there)) => {
                            let done = self.erase(&handle).and_then(|()| {
                                self.done(Outcome::Repeated(vec![there]), None, &group)
                            });
                            job.answerer.answer(done);
                            continue;
                        }
                        Err(error) => {
                            job.answerer.answer(Err(error));
                            continue;
                        }
                    }
                    erasing = Some(handle);
                    Submission {
                        records: vec![*record],
                        condition: None,
                        recorded_at: None,
                    }
                }
            };
            let outcome = match self.shared.damage() {
                Some(damage) => Outcome::Refused(damage.clone()),
                None => group.decide(&self.shared, &self.options, submission),
            };
            decided.push((job.answerer, outcome));
            if erasing.is_some() {
                break;
            }
        }
        if decided.is_empty() {
            return;
        }
        match self.append(&group) {
            Ok(written) => {
                let erased = match erasing {
                    Some(handle) if !matches!(decided.first(), Some((_, Outcome::Refused(_)))) => {
                        self.erase(&handle)
                    }
                    _ => Ok(()),
                };
                for (answerer, outcome) in decided {
                    let done = erased
                        .clone()
                        .and_then(|()| self.done(outcome, written.as_ref(), &group));
                    answerer.answer(done);
                }
            }
            Err(error) => {
                // Each ticket names its own records.
                let error = error.with_ids([]);
                for (answerer, outcome) in decided {
                    // What was answered from the log alone stands.
                    let done = match outcome {
                        Outcome::Refused(why)
                            if why.position().is_none_or(|p| group.is_after(p)) =>
                        {
                            Err(why)
                        }
                        Outcome::Repeated(there)
                            if there.iter().all(|r| group.is_after(r.position)) =>
                        {
                            self.done(Outcome::Repeated(there), None, &group)
                        }
                        _ => Err(error.clone()),
                    };
                    answerer.answer(done);
                }
            }
        }
    }

    /// Makes the group durable: the vault's rows first, then the log.
    fn append(&mut self, group: &Group) -> Result<Option<Written>> {
        if group.records.is_empty() {
            return Ok(None);
        }
        let rows: Vec<(RecordId, &PersonalRow)> = group
            .records
            .iter()
            .flat_map(|record| record.personal().iter().map(|row| (record.id(), row)))
            .collect();
        let mut put: Range<u64> = 0..0;
        if let Some(vault) = self.shared.vault.as_ref().filter(|_| !rows.is_empty()) {
            put = vault
                .put(&rows, &|b| (self.options.random)(b))
                .map_err(|e| self.failed(e))?;
        }
        let written = match self.log.append(&group.records) {
            Ok(written) => written,
            Err(error) => {
                let error = self.failed(error);
                if let Some(vault) = self
                    .shared
                    .vault
                    .as_ref()
                    .filter(|_| !put.is_empty() && error.kind() != ErrorKind::Poisoned)
                {
                    // A row without a record would outlive the next mark.
                    if let Err(e) = vault.withdraw(put) {
                        self.queue
                            .refuse(unknown("a write of the vault failed").caused_by(e));
                    }
                }
                return Err(error);
            }
        };
        self.index(group, &written);
        self.shared.publish(written.head);
        Ok(Some(written))
    }
    /// What callers are told of a failed write, and what follows from it.
    fn failed(&self, error: Error) -> Error {
        let refused_cleanly = matches!(
            error.kind(),
            ErrorKind::NoSpace
                | ErrorKind::TooLarge
                | ErrorKind::InvalidInput
                | ErrorKind::ErasedSubject
                | ErrorKind::Damaged
        );
        if refused_cleanly && !self.log.is_poisoned() {
            return error;
        }
        let error = if error.kind() == ErrorKind::Poisoned {
            error.with_ids([])
        } else {
            unknown("a write failed").caused_by(error)
        };
        self.queue.refuse(error.clone());
        error
    }
    fn index(&self, group: &Group, written: &Written) {
        let keys: Vec<_> = group
            .records
            .iter()
            .enumerate()
            .map(|(index, record)| group.keys(index, record))
            .collect();
        let mut added = Vec::with_capacity(keys.len());
        for (index, (record, keys)) in group.records.iter().zip(&keys).enumerate() {
            if let (Some(location), Some(hash)) =
                (written.locations.get(index), written.hashes.get(index))
            {
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
            self.queue
                .refuse(unknown("the index failed").caused_by(error));
        }
    }
    fn erase(&self, handle: &[u8; 16]) -> Result<()> {
        let Some(vault) = &self.shared.vault else {
            return Ok(());
        };
        vault.erase(handle).map_err(|e| {
            let error = Error::new(
                ErrorKind::Poisoned,
                "the erasure is recorded, but the vault could not be written",
            )
            .caused_by(e)
            .advise("reopen the ledger: that completes the erasure");
            self.queue.refuse(error.clone());
            error
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
                let hash = r
                    .hash
                    .or_else(|| hash(&r))
                    .ok_or_else(|| unknown("the log gave no hash"))?;
                Ok(Placed {
                    position: r.position,
                    id: r.id,
                    hash,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Done {
            records,
            repeated,
            size: self.shared.head().size,
        })
    }
}
