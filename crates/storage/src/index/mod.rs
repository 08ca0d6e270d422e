//! The derived index over the log: from ids and tag keys to positions, from positions to frames, batches and tree nodes.
//!
//! Recent records are in memory ([`add`](Index::add)); durable ones are written to sorted, immutable runs off the caller's
//! path, and runs are merged by a factor. Every page of a run has a checksum; a run that cannot be believed is an
//! [`IndexError::Stale`], never a miss. A hit is a candidate: keys are 8-byte fingerprints, so the caller confirms it on the record.

pub(crate) mod bytes;
mod cache;
mod check;
mod footer;
mod fresh;
mod keeper;
mod merge;
mod page;
mod postings;
mod run;
mod set;
mod state;
mod table;
mod tree;
mod write;

#[cfg(test)]
mod tests;

pub use check::check;
pub use postings::Postings;

use self::keeper::Keeper;
use self::page::Of;
use self::postings::Part;
use crate::files::Files;
use crate::log::{Cursor, Location};
use crate::sync::{
    Mutex,
    thread::{self, JoinHandle},
};
use sovang_core::tree::{Frontier, Hash, Node};
use sovang_core::{Error, ErrorKind, LedgerId, Position, RecordHash, RecordId, Root, Size, TagKey};
use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, PoisonError};

/// How an index is kept.
#[derive(Clone, Copy, Debug)]
pub struct IndexOptions {
    /// Bytes of verified pages kept in memory, at most; but 16 pages of 4 KiB at least.
    pub cache_bytes: usize,
    /// So many durable records in memory are written as a run. After a crash about as many are walked again.
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
            Self::Stale { first, cause } => {
                write!(f, "the index from position {first} on is stale: {cause}")
            }
            Self::Behind { size } => {
                write!(f, "the index is being rebuilt and stands at size {size}")
            }
            Self::Failed(error) => error.fmt(f),
        }
    }
}
impl std::error::Error for IndexError {}

/// What the index answers with.
pub type Answer<T> = std::result::Result<T, IndexError>;
/// Computes a record's hash from the log.
pub type Leaf<'a> = &'a dyn Fn(Position) -> sovang_core::Result<RecordHash>;

/// The index. Lookups may be made from any thread; [`add`](Self::add), [`set_durable`](Self::set_durable)
/// and [`discard_from`](Self::discard_from) come from one at a time.
///
/// Memory: the cache, at most nine times `run_records` durable records (and those not yet durable), each of about
/// 150 bytes and 50 a key, and 2 MiB while runs are merged. Where files may not be written, runs are kept in memory instead.
pub struct Index {
    keeper: Arc<Keeper>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Index {
    /// Opens the index of a ledger and reads the footers of its runs only. Whatever cannot be believed is left out (and, when
    /// writable, removed): see [`covered`](Self::covered).
    ///
    /// # Errors
    /// When the directory cannot be listed or created.
    pub fn open(files: Arc<dyn Files>, ledger_id: LedgerId, options: IndexOptions) -> sovang_core::Result<Self> {
        let keeper = Arc::new(Keeper::open(files, ledger_id, options)?);
        let index = Self { keeper, thread: Mutex::default() };
        if options.background && index.keeper.is_work_due() {
            index.call_thread();
        }
        Ok(index)
    }
    /// What the runs cover.
    #[must_use]
    pub fn covered(&self) -> Covered {
        let state = self.keeper.read();
        Covered { frontier: state.set.frontier(), cursor: state.set.cursor() }
    }
    /// How many records are known: in runs and in memory.
    #[must_use]
    pub fn size(&self) -> Size {
        Size(self.keeper.read().size())
    }
    /// The tree over all records known; the store compares its root with the log's.
    ///
    /// # Errors
    /// See [`IndexError`].
    pub fn frontier(&self) -> Answer<Frontier> {
        self.keeper.frontier()
    }
    /// Adds the next record; it may be sequenced but not yet durable. One that is known already is passed over.
    ///
    /// # Errors
    /// When it does not continue the records or batches known; nothing is added.
    pub fn add(&self, added: &Added<'_>) -> sovang_core::Result<()> {
        self.keeper.write().add(added)
    }
    /// Says that the records below `size` are durable, so that runs may be written up to there. `next` is where the log goes on
    /// at that size; without it the last batch stays in memory. Waits when far more is durable than has been written.
    pub fn set_durable(&self, size: Size, next: Option<Cursor>) {
        let due = {
            let mut state = self.keeper.write();
            state.set_durable(size.0, next);
            state.due().is_some()
        };
        if !due {
            return;
        }
        if self.keeper.options().background && self.call_thread() {
            self.keeper.wait_for_room();
        } else {
            // A failure keeps the records in memory, where they are found as well; `flush` and `close` report it.
            let _ = self.keeper.work();
        }
    }
    /// The positions at which a record of this id may be, the newest first: fingerprints, so confirm on the record. Empty = no such record.
    ///
    /// # Errors
    /// See [`IndexError`].
    pub fn find(&self, id: RecordId) -> Answer<Vec<Position>> {
        self.keeper.find(id, Size(u64::MAX))
    }
    /// As [`find`](Self::find), among the records below `before` only. Answers while later records are still being added again.
    ///
    /// # Errors
    /// See [`IndexError`].
    pub fn find_before(&self, id: RecordId, before: Size) -> Answer<Vec<Position>> {
        self.keeper.find(id, before)
    }
    /// The positions within `range` of the records that may have this key, in order from both ends: confirm on the record.
    /// Answers while records past the range are still being added again.
    ///
    /// # Errors
    /// See [`IndexError`].
    pub fn positions(&self, key: &TagKey, range: Range<u64>) -> Answer<Postings> {
        let fingerprint = page::fingerprint(Of::Key, &key.0);
        let (mut recent, set) = {
            let state = self.keeper.read();
            state.check(range.end)?;
            (state.recent(fingerprint, &range), Arc::clone(&state.set))
        };
        let asked = set.members().iter().filter_map(|member| {
            let range = range.start.max(member.from)..range.end.min(member.run.end());
            let run = Arc::clone(&member.run);
            (range.start < range.end).then_some(Part::Unread { run, fingerprint, range })
        });
        let mut parts: VecDeque<Part> = asked.collect();
        recent.reverse();
        parts.push_back(Part::Here(recent.into_iter()));
        Ok(Postings::new(parts))
    }
    /// How many records within `range` have this key, at most: to begin with the rarest.
    ///
    /// # Errors
    /// See [`IndexError`].
    pub fn count(&self, key: &TagKey, range: Range<u64>) -> Answer<u64> {
        self.positions(key, range)?.total()
    }
    /// Where a record's frame is.
    ///
    /// # Errors
    /// [`sovang_core::ErrorKind::NotFound`] from [`size`](Self::size) on; otherwise see [`IndexError`].
    pub fn location(&self, position: Position) -> Answer<Location> {
        match self.holder(position.0)? {
            Holder::Memory((location, _)) => Ok(location),
            Holder::Run(run) => run.location(position.0),
        }
    }
    /// Where the batch of the record at `position` starts.
    ///
    /// # Errors
    /// As [`location`](Self::location).
    pub fn batch_start(&self, position: Position) -> Answer<Cursor> {
        match self.holder(position.0)? {
            Holder::Memory((_, start)) => Ok(start),
            Holder::Run(run) => run.batch_start(position.0),
        }
    }
    fn holder(&self, position: u64) -> Answer<Holder> {
        let state = self.keeper.read();
        state.check_known(position)?;
        let missing = || Error::new(ErrorKind::NotFound, "the index has no such record").at(Position(position));
        if let Some(run) = state.set.at(position) {
            return Ok(Holder::Run(Arc::clone(run)));
        }
        let table = state.table(position).ok_or_else(missing)?;
        let place = table.location(position).zip(table.batch_start(position));
        Ok(Holder::Memory(place.ok_or_else(missing)?))
    }
    /// The root of a perfect subtree of records known, for roots and proofs. Asks `leaf` for at most 255 record hashes.
    ///
    /// # Errors
    /// As [`location`](Self::location), and those of `leaf`.
    pub fn node(&self, node: Node, leaf: Leaf<'_>) -> Answer<Hash> {
        let beyond = || Error::new(ErrorKind::NotFound, "the ledger has no such tree node");
        let end = node.index.checked_add(1).and_then(|n| n.checked_shl(node.level).filter(|e| *e >> node.level == n));
        let last = end.ok_or_else(beyond)? - 1;
        self.keeper.read().check_known(last)?;
        let kept = node.level - node.level % tree::LEVELS;
        if node.level > 0 && kept == node.level {
            return self.keeper.kept_node(node, last);
        }
        // Made of 2^(level - kept) nodes of the next lower kept level.
        let first = node.index << (node.level - kept);
        let below = first..first + (1 << (node.level - kept));
        let hashes = below.map(|index| match kept {
            0 => self.leaf(index, leaf),
            level => self.node(Node { level, index }, leaf),
        });
        Ok(sovang_core::tree::perfect_root(&hashes.collect::<Answer<Vec<_>>>()?))
    }
    fn leaf(&self, position: u64, leaf: Leaf<'_>) -> Answer<Hash> {
        let known = self.keeper.read().table(position).and_then(|table| table.hash(position));
        let hash = match known {
            Some(hash) => hash,
            None => leaf(Position(position))?,
        };
        Ok(sovang_core::tree::leaf_hash(&hash))
    }
    /// The root over the first `size` records. Asks `leaf` for at most 255 record hashes.
    ///
    /// # Errors
    /// As [`node`](Self::node).
    pub fn root_at(&self, size: Size, leaf: Leaf<'_>) -> Answer<Root> {
        sovang_core::tree::root(size, &mut |node| self.node(node, leaf))
    }
    /// Drops every run that reaches past `size`, and all records in memory. Walk the log again from [`covered`](Self::covered);
    /// until the records known before are known again, lookups answer [`IndexError::Behind`].
    pub fn discard_from(&self, size: Size) {
        self.keeper.discard_from(size);
    }
    /// Takes over the runs that another process has written since. For readers beside a writer.
    ///
    /// # Errors
    /// When the directory cannot be listed.
    pub fn refresh(&self) -> sovang_core::Result<()> {
        self.keeper.refresh()
    }
    /// Writes a run of all durable records in memory, and merges what is due.
    ///
    /// # Errors
    /// When a file cannot be written. The records stay in memory.
    pub fn flush(&self) -> sovang_core::Result<()> {
        self.keeper.flush().map_err(|error| match error {
            IndexError::Stale { cause, .. } => cause,
            IndexError::Failed(error) => error,
            IndexError::Behind { .. } => Error::new(ErrorKind::Busy, error.to_string()),
        })
    }
    /// Ends the index's thread, and writes a run when enough durable records are in memory to be worth a file. The others are
    /// walked again at the next opening.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn close(self) -> sovang_core::Result<()> {
        let options = self.keeper.options();
        let in_memory = self.size().0 - self.covered().cursor.position;
        if options.writable && in_memory >= (options.run_records / WORTH_A_FILE) as u64 {
            self.flush()?;
        }
        Ok(())
    }
    /// How many bytes of pages are in memory.
    #[cfg(test)]
    fn cached_bytes(&self) -> usize {
        self.keeper.cached_pages() * page::PAGE
    }
    /// Wakes the thread, and starts it when it does not run yet. False when it cannot be started.
    fn call_thread(&self) -> bool {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_none() {
            let keeper = Arc::clone(&self.keeper);
            let named = thread::Builder::new().name("sovang-index".into());
            *thread = named.spawn(move || keeper.run()).ok();
        }
        self.keeper.call();
        thread.is_some()
    }
}

/// On closing, one of so many parts of a full run is worth a file.
const WORTH_A_FILE: usize = 32;

/// Who knows a position.
enum Holder {
    Memory((Location, Cursor)),
    Run(Arc<run::Run>),
}

impl Drop for Index {
    fn drop(&mut self) {
        self.keeper.stop();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic there has been reported there.
            let _ = thread.join();
        }
    }
}
