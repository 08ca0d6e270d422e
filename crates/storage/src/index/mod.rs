//! The derived index over the log: from ids and tag keys to positions, from positions to frames, batches and tree nodes.
//!
//! Recent records are in memory ([`add`](Index::add)); durable ones are written to sorted, immutable runs off the caller's
//! path, and runs are merged by a factor. Every page of a run has a checksum; a run that cannot be believed is an
//! [`IndexError::Stale`], never a miss. A hit is a candidate: keys are 8-byte fingerprints, so the caller confirms it on the record.

use crate::files::Files;
use crate::log::{Cursor, Location};
use sovang_core::tree::{Frontier, Hash, Node};
use sovang_core::{Error, LedgerId, Position, RecordHash, RecordId, Root, Size, TagKey};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// How an index is kept.
#[derive(Clone, Copy, Debug)]
pub struct IndexOptions {
    /// Bytes of verified pages kept in memory, at most.
    pub cache_bytes: usize,
    /// So many durable records in memory are written as a run.
    pub run_records: usize,
    /// Whether files may be written: only by the holder of the ledger's lock.
    pub writable: bool,
    /// Whether runs are written and merged on a thread of the index; otherwise inside [`Index::set_durable`].
    pub background: bool,
}
impl Default for IndexOptions {
    fn default() -> Self {
        Self { cache_bytes: 32 << 20, run_records: 8_192, writable: false, background: true }
    }
}

/// One record as the index sees it.
#[derive(Clone, Copy, Debug)]
pub struct Added<'a> {
    /// Its position: the next one.
    pub position: Position,
    /// Its id.
    pub id: RecordId,
    /// Its keys, the derived ones of an amendment included.
    pub keys: &'a [TagKey],
    /// Where its frame is.
    pub location: Location,
    /// Whether it is its batch's first.
    pub first_in_batch: bool,
    /// Its hash.
    pub hash: RecordHash,
}

/// What the runs cover: every record below, up to the start of a batch.
#[derive(Clone, Debug)]
pub struct Covered {
    /// The tree there, as the run wrote it down: walk on from it, and compare the root with the log's.
    pub frontier: Frontier,
    /// The batch to walk from. It may stand at the end of a full segment.
    pub cursor: Cursor,
}

/// Why the index has no answer.
#[derive(Debug)]
pub enum IndexError {
    /// A run failed a check. Call [`Index::discard_from`] with `first`, then walk the log again from [`Index::covered`].
    Stale {
        /// Where the run starts.
        first: Size,
        /// What is wrong with it.
        cause: Error,
    },
    /// After a discard, records up to where the index had been are still being added again.
    Behind {
        /// What has been added.
        size: Size,
    },
    /// Another failure.
    Failed(Error),
}
impl From<Error> for IndexError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stale { first, cause } => write!(f, "the index from position {first} on is stale: {cause}"),
            Self::Behind { size } => write!(f, "the index is being rebuilt and stands at size {size}"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}
impl std::error::Error for IndexError {}

/// What the index answers with.
pub type Answer<T> = std::result::Result<T, IndexError>;
/// Computes a record's hash from the log.
pub type Leaf<'a> = &'a dyn Fn(Position) -> sovang_core::Result<RecordHash>;

/// The index. All methods may be called from several threads; [`add`](Self::add), [`set_durable`](Self::set_durable) and
/// [`discard_from`](Self::discard_from) by one at a time.
pub struct Index {}

impl Index {
    /// Opens the index of a ledger and reads the footers of its runs only. Whatever cannot be believed is left out (and, when
    /// writable, removed): see [`covered`](Self::covered).
    ///
    /// # Errors
    /// When the directory cannot be listed or created.
    pub fn open(files: Arc<dyn Files>, ledger_id: LedgerId, options: IndexOptions) -> sovang_core::Result<Self> { todo!() }
    /// What the runs cover.
    #[must_use]
    pub fn covered(&self) -> Covered { todo!() }
    /// How many records are known: in runs and in memory.
    #[must_use]
    pub fn size(&self) -> Size { todo!() }
    /// The tree over all records known; the store compares its root with the log's.
    ///
    /// # Errors
    /// A stale run.
    pub fn frontier(&self) -> Answer<Frontier> { todo!() }
    /// Adds the next record; it may be sequenced but not yet durable. One that is known already is passed over.
    ///
    /// # Errors
    /// When it does not continue the records or batches known; nothing is added.
    pub fn add(&self, added: &Added<'_>) -> sovang_core::Result<()> { todo!() }
    /// Says that the records below `size` are durable, so that runs may be written up to there. `next` is where the log goes on
    /// at that size; without it the last batch stays in memory. Waits when far more is durable than has been written.
    pub fn set_durable(&self, size: Size, next: Option<Cursor>) { todo!() }
    /// Forgets the records from `size` on that are in memory: they were sequenced and could not be written.
    pub fn forget_from(&self, size: Size) { todo!() }
    /// The positions at which a record of this id may be, the newest first: fingerprints, so confirm on the record. Empty = no such record.
    ///
    /// # Errors
    /// See [`IndexError`].
    pub fn find(&self, id: RecordId) -> Answer<Vec<Position>> { todo!() }
    /// The positions within `range` of the records that may have this key, in order from both ends: confirm on the record.
    ///
    /// # Errors
    /// See [`IndexError`].
    pub fn positions(&self, key: &TagKey, range: Range<u64>) -> Answer<Postings> { todo!() }
    /// About how many records have this key, at most: to begin with the rarest.
    ///
    /// # Errors
    /// See [`IndexError`].
    pub fn count(&self, key: &TagKey, range: Range<u64>) -> Answer<u64> { todo!() }
    /// Where a record's frame is.
    ///
    /// # Errors
    /// [`sovang_core::ErrorKind::NotFound`] from [`size`](Self::size) on; otherwise see [`IndexError`].
    pub fn location(&self, position: Position) -> Answer<Location> { todo!() }
    /// Where the batch of the record at `position` starts.
    ///
    /// # Errors
    /// As [`location`](Self::location).
    pub fn batch_start(&self, position: Position) -> Answer<Cursor> { todo!() }
    /// The root of a perfect subtree of records known, for roots and proofs. Asks `leaf` for at most 255 record hashes.
    ///
    /// # Errors
    /// As [`location`](Self::location), and those of `leaf`.
    pub fn node(&self, node: Node, leaf: Leaf<'_>) -> Answer<Hash> { todo!() }
    /// The root over the first `size` records. Asks `leaf` for at most 255 record hashes.
    ///
    /// # Errors
    /// As [`node`](Self::node).
    pub fn root_at(&self, size: Size, leaf: Leaf<'_>) -> Answer<Root> { todo!() }
    /// Drops every run that reaches past `size`, and all records in memory. Walk the log again from [`covered`](Self::covered);
    /// until the records known before are known again, lookups answer [`IndexError::Behind`].
    pub fn discard_from(&self, size: Size) { todo!() }
    /// Takes over the runs that another process has written since. For readers beside a writer.
    ///
    /// # Errors
    /// When the directory cannot be listed.
    pub fn refresh(&self) -> sovang_core::Result<()> { todo!() }
    /// Writes a run of all durable records in memory, and merges what is due.
    ///
    /// # Errors
    /// When a file cannot be written. The records stay in memory.
    pub fn flush(&self) -> sovang_core::Result<()> { todo!() }
    /// Ends the index's thread, and writes a run when enough durable records are in memory to be worth a file.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn close(self) -> sovang_core::Result<()> { todo!() }
}

/// Candidate positions of one key, ascending from the front and descending from the back.
pub struct Postings {}
impl Iterator for Postings {
    type Item = Answer<Position>;
    fn next(&mut self) -> Option<Self::Item> { todo!() }
}
impl DoubleEndedIterator for Postings {
    fn next_back(&mut self) -> Option<Self::Item> { todo!() }
}
