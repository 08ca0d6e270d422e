//! The bounded queue before the writer. Nobody is woken who does not wait.

use super::Submission;
use super::ticket::Answerer;
use crate::sync::{Condvar, Mutex, MutexGuard};
use sovang_core::record::Prepared;
use sovang_core::{Error, ErrorKind, Result};
use std::collections::VecDeque;
use std::sync::PoisonError;
use std::time::Duration;

/// With nothing to do for so long, the writer syncs what it otherwise leaves to the next batch.
const IDLE: Duration = Duration::from_millis(25);

/// What the writer is asked for.
pub(super) enum Work {
    /// Append records.
    Append(Submission),
    /// Append the record of an erasure, then erase the subject of that handle.
    Erase { handle: [u8; 16], record: Box<Prepared> },
}

pub(super) struct Job {
    pub(super) work: Work,
    pub(super) answerer: Answerer,
}

/// What the writer got.
pub(super) enum Popped {
    Jobs(VecDeque<Job>),
    /// Nothing came in time.
    Idle,
    /// Nothing is left and nothing will come.
    Closed,
}

pub(super) struct Queue {
    capacity: usize,
    state: Mutex<State>,
    work: Condvar,
    room: Condvar,
}
struct State {
    jobs: VecDeque<Job>,
    writer_waits: bool,
    /// Whether the writer has rested since its last job.
    is_rested: bool,
    /// How long the writer waits for a job before it rests.
    idle: Duration,
    callers_wait: usize,
    /// Why nothing is taken any more.
    refused: Option<Error>,
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        let state =
            State { jobs: VecDeque::new(), writer_waits: false, is_rested: true, idle: IDLE, callers_wait: 0, refused: None };
        Self { capacity: capacity.max(1), state: Mutex::new(state), work: Condvar::new(), room: Condvar::new() }
    }
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Adds a job; when full, waits for room or refuses.
    pub(super) fn push(&self, job: Job, wait: bool) -> Result<()> {
        let mut state = self.state();
        while state.refused.is_none() && state.jobs.len() >= self.capacity {
            if !wait {
                return Err(Error::new(ErrorKind::Busy, "the writer's queue is full"));
            }
            state.callers_wait += 1;
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.callers_wait -= 1;
        }
        if let Some(error) = &state.refused {
            return Err(error.clone());
        }
        state.jobs.push_back(job);
        if state.writer_waits {
            state.writer_waits = false;
            drop(state);
            self.work.notify_one();
        }
        Ok(())
    }
    /// All jobs there are; with none, waits for one: for a while, and once the writer has rested for as long as it takes.
    pub(super) fn pop(&self, is_rested: bool) -> Popped {
        let mut state = self.state();
        state.is_rested = is_rested;
        while state.jobs.is_empty() {
            if state.refused.is_some() {
                return Popped::Closed;
            }
            state.writer_waits = true;
            if is_rested {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let idle = state.idle;
            let timeout;
            (state, timeout) = self.work.wait_timeout(state, idle).unwrap_or_else(PoisonError::into_inner);
            if timeout.timed_out() && state.jobs.is_empty() {
                state.writer_waits = false;
                return if state.refused.is_some() { Popped::Closed } else { Popped::Idle };
            }
        }
        state.writer_waits = false;
        state.is_rested = false;
        let jobs = std::mem::take(&mut state.jobs);
        if state.callers_wait > 0 {
            drop(state);
            self.room.notify_all();
        }
        Popped::Jobs(jobs)
    }
    /// Drops what is queued: whoever waits for it is told that the outcome is unknown.
    pub(super) fn drop_jobs(&self) {
        let jobs = std::mem::take(&mut self.state().jobs);
        drop(jobs);
    }
    /// From now on the writer rests after so long.
    pub(super) fn rest_after(&self, idle: Duration) {
        self.state().idle = idle;
        self.work.notify_all();
    }
    /// Whether the writer has rested since its last job.
    #[cfg(test)]
    pub(super) fn is_rested(&self) -> bool {
        self.state().is_rested
    }
    /// Why nothing is taken any more.
    pub(super) fn refused(&self) -> Option<Error> {
        self.state().refused.clone()
    }
    /// Takes no more jobs, for this reason; the first reason stays. What is queued is still the writer's.
    pub(super) fn refuse(&self, why: Error) {
        let mut state = self.state();
        state.refused.get_or_insert(why);
        drop(state);
        self.work.notify_all();
        self.room.notify_all();
    }
}
