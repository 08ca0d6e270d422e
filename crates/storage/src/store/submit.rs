//! What is handed to the writer, and what it answers.

use sovang_core::record::Prepared;
use sovang_core::{Condition, Error, ErrorKind, Position, RecordHash, RecordId, Result, Size};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Records to append as one: all of them, or none.
#[derive(Debug, Default)]
pub struct Submission {
    /// The records, in order.
    pub records: Vec<Prepared>,
    /// What must not have happened.
    pub condition: Option<Condition>,
    /// When each was first recorded, for a migration into an empty ledger; otherwise the writer says.
    pub recorded_at: Option<Vec<i64>>,
}

/// A record that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoneRecord {
    /// Where it stands.
    pub position: Position,
    /// Its id.
    pub id: RecordId,
    /// Its hash.
    pub hash: RecordHash,
}

/// The answer to a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Its records, in the order submitted.
    pub records: Vec<DoneRecord>,
    /// Whether they had been recorded before, with the same content.
    pub repeated: bool,
    /// The size that holds them all.
    pub size: Size,
}

/// Where an answer will be.
#[derive(Debug, Default)]
pub(super) struct Slot {
    answer: Mutex<Option<Result<Done>>>,
    answered: Condvar,
}

impl Slot {
    pub(super) fn answer(&self, answer: Result<Done>) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        self.answered.notify_all();
    }
}

/// A submission under way. Dropping it cancels nothing.
#[derive(Debug)]
#[must_use = "the records are durable only once the ticket says so"]
pub struct Ticket {
    slot: Arc<Slot>,
}

impl Ticket {
    pub(super) fn new(slot: Arc<Slot>) -> Self {
        Self { slot }
    }
    /// Waits for the answer.
    ///
    /// # Errors
    /// Whatever kept the records from becoming durable; `Poisoned` when it is unknown whether they did.
    pub fn wait(self) -> Result<Done> {
        let mut answer = self.slot.answer.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(answer) = answer.take() {
                return answer;
            }
            answer = self.slot.answered.wait(answer).unwrap_or_else(PoisonError::into_inner);
        }
    }
    /// The answer that the writer itself has just given.
    pub(super) fn taken(&self) -> Result<Done> {
        self.slot.answer.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_else(|| Err(closed()))
    }
    /// Whether the answer is there.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.slot.answer.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

/// The error for what reaches a writer that has ended.
pub(super) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the ledger was closed")
}
