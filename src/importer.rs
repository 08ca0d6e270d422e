//! Taking many entries at once, with their own ids and actors.

use crate::ledger::Ledger;
use sovang_core::event::LedgerEvent;
use sovang_core::ids::Commitment;
use sovang_core::personal::Given;
use sovang_core::record::{PersonalRow, PersonalValue, Prepared};
use sovang_core::{
    Condition, Date, Envelope, Error, ErrorKind, Event, Head, Import, Override, Query, RecordId, Recorded, Result, Size, SubjectId,
    UtcDateTime, calendar, codec, hash, limits,
};
use sovang_projection::{ExecuteError, Projection};
use sovang_storage::store::{Submission, Ticket};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};

/// Records that are appended as one batch when an import is not told otherwise.
const BATCH_RECORDS: usize = 1024;
/// Bytes after which a batch is closed.
const BATCH_BYTES: usize = limits::BATCH_BYTES_MAX / 4;
/// Batches on their way to the disk at one time.
const BATCHES_IN_FLIGHT: usize = 4;
/// Index bytes set aside for one record (docs/FORMAT.md §6).
const INDEX_BYTES_A_RECORD: u64 = 64;

/// Rules that judge entry after entry in memory: a state of the whole log, kept up to date with what was taken since.
pub trait Rules<E: Event>: Projection<E> {
    /// Why an entry is refused.
    type Refusal;
    /// Judges an entry on the log and all that was admitted before, and on success counts it as admitted.
    ///
    /// `standing` tells what stands for a record of the log or of this import: an amendment is judged by it.
    ///
    /// # Errors
    /// `Refused` by a rule, or `Failed` when the log cannot be read.
    fn admit(&mut self, import: &Import<E>, id: RecordId, standing: Standing<'_, E>) -> Result<(), ExecuteError<Self::Refusal>>;
}

/// Tells what stands for an original record: its last amendment or itself, nothing once retracted or never recorded.
pub type Standing<'a, E> = &'a dyn Fn(RecordId) -> Result<Option<Recorded<E>>>;

/// No rules: for domains that have none, and for migrations.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRules;
impl<E: Event> Projection<E> for NoRules {
    fn query(&self) -> Query {
        Query::none()
    }
    fn apply(&mut self, _record: &Recorded<E>) {}
}
impl<E: Event> Rules<E> for NoRules {
    type Refusal = std::convert::Infallible;
    fn admit(&mut self, _: &Import<E>, _: RecordId, _: Standing<'_, E>) -> Result<(), ExecuteError<Self::Refusal>> {
        Ok(())
    }
}
