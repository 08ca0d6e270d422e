//! The byte-level ledger: log, index and vault as one thing (design §§4-6). It sees records as frames, never an event.
//!
//! [`Store`] owns the writer: a thread that drains a bounded queue of [`Submission`]s group by group. In one group, each is
//! decided on the log and on what came before it in the group: first its ids (what was answered once is answered
//! again), then the targets of amendments and erased subjects, then its condition. Then the vault's rows are made durable, then
//! the log's batch, and only then is anything answered. [`View`] is the reading side, shared by all threads, or opened
//! read-only in another process.

mod audit;
mod checkpoints;
mod group;
mod matching;
mod proofs;
mod queue;
mod reservation;
#[cfg(all(test, shuttle))]
mod schedules;
mod select;
mod shared;
#[cfg(test)]
mod tests;
mod ticket;
mod view;
mod writer;

pub use audit::{Finding, Report, verify};
pub use reservation::Reservation;
pub use select::{Scan, Select};
pub use ticket::Ticket;
pub use view::View;

use crate::files::Files;
use crate::index::{Index, IndexOptions};
use crate::log::{self, Identity, Log, LogOptions, Recovered};
use crate::sync::{
    Mutex,
    thread::{self, JoinHandle},
};
use crate::vault::{Vault, VaultRecovered};
use queue::{Job, Queue, Work};
use shared::{Shared, Source};
use sovang_core::record::{Frame, Prepared};
use sovang_core::{Condition, Error, ErrorKind, Position, RecordHash, RecordId, Result, Size, SubjectId, limits};
use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// What is durable before an append is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// The batch. A power loss alone loses nothing that was answered; together with damage at the log's end it can hide
    /// the last batches (docs/RELIABILITY.md).
    #[default]
    Grouped,
    /// The batch and the head that says so: twice the syncs, and that window is closed.
    Strict,
}

/// Tells the time in microseconds since 1970-01-01T00:00:00Z.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;
/// Fills a buffer with random bytes.
pub type RandomSource = Arc<dyn Fn(&mut [u8]) -> Result<()> + Send + Sync>;
/// Says whether a record has the same content as one of another version that is there: only decoded events can tell.
pub type SameDecoded = Arc<dyn Fn(&Prepared, &Frame) -> Result<bool> + Send + Sync>;

/// How a store is opened.
#[derive(Clone)]
pub struct StoreOptions {
    /// Bytes of a segment before the log rotates.
    pub segment_bytes: u64,
    /// What is durable before an append is answered.
    pub durability: Durability,
    /// Submissions that may wait for the writer before [`Store::submit`] blocks.
    pub queue: usize,
    /// Bytes of memory for index pages.
    pub cache_bytes: usize,
    /// Whose time is recorded.
    pub clock: Clock,
    /// Seconds east of UTC: what day it is where a record is dated by the writer.
    pub utc_offset_seconds: i32,
    /// Whence salts of segments, keys and nonces are drawn.
    pub random: RandomSource,
}
impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreOptions")
            .field("segment_bytes", &self.segment_bytes)
            .field("durability", &self.durability)
            .field("queue", &self.queue)
            .field("cache_bytes", &self.cache_bytes)
            .field("utc_offset_seconds", &self.utc_offset_seconds)
            .finish_non_exhaustive()
    }
}
impl StoreOptions {
    /// For a reader that only verifies or copies.
    pub(crate) fn reading() -> Self {
        Self {
            segment_bytes: limits::SEGMENT_BYTES_DEFAULT,
            durability: Durability::Grouped,
            queue: 1,
            cache_bytes: 8 << 20,
            clock: Arc::new(|| 0),
            utc_offset_seconds: 0,
            random: Arc::new(|_| Err(Error::new(ErrorKind::InvalidInput, "a reader draws nothing at random"))),
        }
    }
}

/// Records to be appended as one: all or none.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The records, in order; at least one.
    pub records: Vec<Prepared>,
    /// What must not have come since the caller looked.
    pub condition: Option<Condition>,
    /// When each was recorded, in microseconds, never going back: for migrations only. Otherwise the clock says.
    pub recorded_at: Option<Vec<i64>>,
}

/// A record that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Where it stands.
    pub position: Position,
    /// Its id.
    pub id: RecordId,
    /// Its hash.
    pub hash: RecordHash,
}

/// What became of a submission: all of it is durable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Its records, in the order given.
    pub records: Vec<Placed>,
    /// Whether they had been there, with the same content, and nothing was appended.
    pub repeated: bool,
    /// A durable size that has all of them.
    pub size: Size,
}

/// What opening a store found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// In the log.
    pub log: Recovered,
    /// In the vault.
    pub vault: VaultRecovered,
}

/// A ledger open for appending: the only one, by the lock. Shared by threads behind an `Arc`; the last one to drop it closes it.
pub struct Store {
    view: View,
    queue: Arc<Queue>,
    opening: Opening,
    thread: Mutex<Option<JoinHandle<Result<()>>>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({:?})", self.view)
    }
}

impl Store {
    /// Creates a ledger and opens it. An interrupted creation is repeated.
    ///
    /// # Errors
    /// `NotEmpty`, `InvalidInput` for the identity, or what the system refuses.
    pub fn create(files: Arc<dyn Files>, identity: Identity, options: StoreOptions) -> Result<Self> {
        let random = Arc::clone(&options.random);
        let random: &dyn Fn(&mut [u8]) -> Result<()> = &|b| random(b);
        // The vault is there before `ledger` is: without one a copy counts as sealed.
        Log::create_with(&files, &identity, random, &|| Vault::create(&*files, identity.ledger_id, random))?;
        let schema = identity.schema;
        Self::open(files, options, Some(&schema))
    }

    /// Opens a ledger for appending: takes the lock, recovers what an interrupted writer left in log and vault, brings the index
    /// up to the head, and completes the erasures that the log names.
    ///
    /// # Errors
    /// `Locked`, `NotALedger`, `WrongFormat`, `WrongSchema`, `Damaged`, or what the system refuses.
    pub fn open(files: Arc<dyn Files>, options: StoreOptions, schema: Option<&str>) -> Result<Self> {
        let options = Arc::new(options);
        let random = |b: &mut [u8]| (options.random)(b);
        let log_options = LogOptions { segment_bytes: options.segment_bytes, strict: options.durability == Durability::Strict };
        // Before anything is recovered: another program's ledger is left as it is.
        let identity = log::identity_of(&*files)?;
        view::check_schema(&*files, &identity, schema)?;
        // A damaged vault refuses before the log is touched.
        let vault = Vault::open(&*files, identity.ledger_id, true)?;
        vault.as_ref().map_or(Ok(()), Vault::check_lengths)?;
        let (log, recovered) = Log::open(Arc::clone(&files), log_options, &random)?;
        let index_options = IndexOptions { cache_bytes: options.cache_bytes, writable: true, ..IndexOptions::default() };
        let index = Index::open(Arc::clone(&files), identity.ledger_id, index_options)?;
        let (segments, head) = (Arc::clone(log.segments()), log.head());
        let shared = Arc::new(Shared::new(files, identity, segments, index, vault, Source::Writer, head));
        shared.begin(head, log.next())?;
        let vault_recovered = recover_vault(&shared)?;
        reservation::remove_leftovers(&*shared.files);
        let queue = Arc::new(Queue::new(options.queue));
        let writer = writer::Writer { shared: Arc::clone(&shared), log, queue: Arc::clone(&queue), options, broken: None };
        let thread = thread::Builder::new()
            .name("sovang writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|e| Error::new(ErrorKind::Io, "cannot start the writer's thread").caused_by(e))?;
        Ok(Self {
            view: View { shared },
            queue,
            opening: Opening { log: recovered, vault: vault_recovered },
            thread: Mutex::new(Some(thread)),
        })
    }

    /// What opening found and did.
    #[must_use]
    pub fn opening(&self) -> &Opening {
        &self.opening
    }
    /// The reading side: everything durable.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }
    /// How long the writer waits for more before it syncs what it left to the next batch; 25 ms unless said otherwise.
    pub fn rest_after(&self, idle: Duration) {
        self.queue.rest_after(idle);
    }
    /// How to compare a record with one of the same id that was written in another version; without it these differ. The
    /// first call counts.
    pub fn compare_versions(&self, same: SameDecoded) {
        let _ = self.view.shared.same_decoded.set(same);
    }

    /// Hands records to the writer; blocks only while the queue is full. One caller's order is position order.
    ///
    /// # Errors
    /// `InvalidInput` or `TooLarge` for what cannot be one batch; `Closed`, `Poisoned`. What the writer refuses comes with the ticket.
    pub fn submit(&self, submission: Submission) -> Result<Ticket> {
        self.send(submission, true)
    }
    /// As [`Self::submit`], but never blocks.
    ///
    /// # Errors
    /// `Busy` while the queue is full; else as there.
    pub fn try_submit(&self, submission: Submission) -> Result<Ticket> {
        self.send(submission, false)
    }
    fn send(&self, submission: Submission, wait: bool) -> Result<Ticket> {
        let ids: Vec<RecordId> = submission.records.iter().map(Prepared::id).collect();
        check(&submission).map_err(|e| e.with_ids(ids.iter().copied()))?;
        self.push(Work::Append(submission), ids, wait)
    }
    fn push(&self, work: Work, ids: Vec<RecordId>, wait: bool) -> Result<Ticket> {
        let (ticket, answerer) = ticket::pair(ids.clone());
        self.queue.push(Job { work, answerer }, wait).map_err(|e| e.with_ids(ids))?;
        Ok(ticket)
    }

    /// Erases a subject: appends the record that `record` makes of the subject's handle, then destroys key and rows. A subject
    /// that was erased before is answered with the record that says so.
    ///
    /// # Errors
    /// `NotFound` when the vault knows no such subject; `InvalidInput` without a vault; else as [`Ticket::wait`].
    pub fn erase(&self, subject: &SubjectId, record: impl FnOnce([u8; 16]) -> Result<Prepared>) -> Result<Done> {
        let Some(vault) = &self.view.shared.vault else {
            return Err(Error::new(ErrorKind::InvalidInput, "this copy of the ledger has no vault")
                .advise("restore `vault/` from its backup"));
        };
        let handle = vault.handle(subject)?.ok_or_else(|| Error::new(ErrorKind::NotFound, "the vault knows no such subject"))?;
        let record = record(handle)?;
        if record.kind() < limits::LEDGER_KIND_FIRST {
            return Err(Error::new(ErrorKind::InvalidInput, "an erasure is a record of the ledger itself"));
        }
        let ids = vec![record.id()];
        self.push(Work::Erase { handle, record: Box::new(record) }, ids, true)?.wait()
    }

    /// Sets space aside for so many bytes of log, index and vault together, so that a bulk import meets a full disk before it
    /// begins. The space is used when a write would otherwise find the disk full, and given back with the reservation.
    ///
    /// # Errors
    /// `NoSpace`, I/O.
    pub fn reserve(&self, bytes: u64) -> Result<Reservation> {
        self.view.shared.reservations.make(&self.view.shared.files, bytes)
    }
    /// Writes a blob such as `snapshots/NAME` whole or not at all, replacing the one of that name.
    ///
    /// # Errors
    /// `Closed` after [`Self::close`], `Poisoned` after a failed write: the lock is given back then. `TooLarge` for what no reader would
    /// take; `NoSpace`, I/O.
    pub fn put_blob(&self, path: &str, bytes: &[u8]) -> Result<()> {
        self.view.shared.write_blob(&|| self.queue.refused(), path, bytes)
    }

    /// Appends what is queued, syncs, and closes. Later calls answer `Closed`; views still read. Closing twice is no error.
    ///
    /// # Errors
    /// When the last sync fails, or an earlier write had. What was answered `Ok` is durable all the same.
    pub fn close(&self) -> Result<()> {
        self.queue.refuse(Error::new(ErrorKind::Closed, "the ledger was closed"));
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        match thread.map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(closed)) => closed,
            Some(Err(_)) => Err(Error::new(ErrorKind::Poisoned, "the writer's thread panicked").advise("reopen the ledger")),
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Whoever wants to know calls `close`.
        let _ = self.close();
    }
}

/// Removes what an interrupted writer left in the vault, and completes the erasures that the log names.
fn recover_vault(shared: &Arc<Shared>) -> Result<VaultRecovered> {
    let Some(vault) = &shared.vault else {
        return Ok(VaultRecovered::default());
    };
    let size = shared.head().size;
    let recovered = vault.recover(&|record, commitment| {
        let Some(position) = shared.find(record, size)? else {
            return Ok(false);
        };
        Ok(shared.frame(position)?.commitments().iter().any(|(_, c)| c == commitment))
    })?;
    vault.complete(&mut shared.erasures(0..size.0)?.into_iter().map(|(.., handle)| handle))?;
    Ok(recovered)
}

/// What can be said of a submission before its turn.
fn check(submission: &Submission) -> Result<()> {
    let invalid = |what: &str| Err(Error::new(ErrorKind::InvalidInput, what));
    if submission.records.is_empty() {
        return invalid("nothing to append");
    }
    if submission.recorded_at.as_ref().is_some_and(|times| times.len() != submission.records.len()) {
        return invalid("one recorded_at is needed for each record");
    }
    let bytes = group::batch_bytes(&submission.records);
    if bytes > limits::BATCH_BYTES_MAX {
        return Err(Error::too_large("what is to be appended as one", bytes, "BATCH_BYTES_MAX", limits::BATCH_BYTES_MAX));
    }
    Ok(())
}
