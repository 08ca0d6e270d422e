//! An answer that is still to come. A thread may hold thousands of tickets: only one that it is waiting on costs a wake.

use super::Done;
use crate::sync::thread::{self, Thread};
use crate::sync::{Mutex, MutexGuard};
use sovang_core::{Error, ErrorKind, RecordId, Result};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

enum Waiter {
    Thread(Thread),
    Task(Waker),
}

enum State {
    Waiting(Option<Waiter>),
    Answered(Result<Done>),
    Taken,
}

struct Slot(Mutex<State>);
impl Slot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// The answer, or else leaves word whom to wake.
    fn take_or(&self, waiter: impl FnOnce() -> Waiter) -> Option<Result<Done>> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Answered(answer) => Some(answer),
            State::Waiting(_) => {
                *state = State::Waiting(Some(waiter()));
                None
            }
            State::Taken => Some(Err(Error::new(ErrorKind::Closed, "the ticket was answered before"))),
        }
    }
}

/// A submission on its way to the disk. Dropping it cancels nothing. It is a `Future` too, of any runtime.
#[must_use = "the records are durable only once the ticket says so"]
pub struct Ticket(Arc<Slot>);

impl Ticket {
    /// Waits for the answer; `Ok` means durable.
    ///
    /// # Errors
    /// What the writer refused or what failed, with the records' ids.
    pub fn wait(self) -> Result<Done> {
        loop {
            if let Some(answer) = self.0.take_or(|| Waiter::Thread(thread::current())) {
                return answer;
            }
            thread::park();
        }
    }
    /// Whether the answer has come.
    #[must_use]
    pub fn is_done(&self) -> bool {
        !matches!(*self.0.state(), State::Waiting(_))
    }
}
impl Future for Ticket {
    type Output = Result<Done>;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.take_or(|| Waiter::Task(context.waker().clone())).map_or(Poll::Pending, Poll::Ready)
    }
}
impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket(done: {})", self.is_done())
    }
}

/// The writer's side of a ticket. Dropped without an answer, it answers that the outcome is unknown.
pub(super) struct Answerer {
    slot: Arc<Slot>,
    ids: Vec<RecordId>,
    answered: bool,
}

/// A ticket and its other side. Every error is given these ids, unless it names others.
pub(super) fn pair(ids: Vec<RecordId>) -> (Ticket, Answerer) {
    let slot = Arc::new(Slot(Mutex::new(State::Waiting(None))));
    (Ticket(Arc::clone(&slot)), Answerer { slot, ids, answered: false })
}

impl Answerer {
    pub(super) fn answer(mut self, answer: Result<Done>) {
        self.give(answer);
    }
    fn give(&mut self, answer: Result<Done>) {
        self.answered = true;
        let answer = answer.map_err(|e| if e.ids().is_empty() { e.with_ids(std::mem::take(&mut self.ids)) } else { e });
        let before = std::mem::replace(&mut *self.slot.state(), State::Answered(answer));
        match before {
            State::Waiting(Some(Waiter::Thread(thread))) => thread.unpark(),
            State::Waiting(Some(Waiter::Task(waker))) => waker.wake(),
            _ => {}
        }
    }
}
impl Drop for Answerer {
    fn drop(&mut self) {
        if !self.answered {
            self.give(Err(Error::new(ErrorKind::Poisoned, "the writer ended without an answer: the outcome is unknown")
                .advise("reopen the ledger, then send the same ids again")));
        }
    }
}
