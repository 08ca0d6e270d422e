//! What the writer and all views of a ledger share: the log's reading side, the index, the vault, the head.

use super::SameDecoded;
use super::group::Reference;
use super::matching::Derived;
use super::reservation::Reservations;
use super::select::Select;
use crate::blobs;
use crate::files::Files;
use crate::index::{Added, Answer, Index, IndexError};
use crate::log::{Cursor, Identity, LogView, Segments, Walk};
use crate::sync::{Condvar, Mutex, MutexGuard};
use crate::vault::{EachValue, Vault};
use sovang_core::event::LedgerEvent;
use sovang_core::ids::Commitment;
use sovang_core::personal::Opened;
use sovang_core::record::Frame;
use sovang_core::{Error, ErrorKind, Head, Position, Query, RecordId, Recorded, Result, Size, TagKey};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How often a stale index is rebuilt within one call before it is given up.
const REBUILDS_MAX: u32 = 3;
/// Records between two words to the index on how far it may write, while it is being built.
const BUILD_STEP: u64 = 4096;
/// A reader that is so many records behind looks first for runs that the writer has made.
const LAG_MAX: u64 = 4096;

/// So many records that are only in memory are written to a file when the store is closed.
const INDEX_WORTH_A_FILE: u64 = 256;

/// The key under which the index keeps records of the ledger itself.
pub(super) const LEDGER_KEY: TagKey = TagKey(*b"\0ledger records\0");
/// The key under which the index keeps the amendments of a record.
pub(super) fn amendments_key(target: RecordId) -> TagKey {
    TagKey(target.to_bytes())
}

/// Where the head comes from.
pub(super) enum Source {
    /// The writer of this process tells.
    Writer,
    /// Nobody tells: the log is looked at.
    Files(LogView),
}

pub(super) struct Shared {
    pub(super) files: Arc<dyn Files>,
    pub(super) identity: Identity,
    pub(super) segments: Arc<Segments>,
    pub(super) index: Index,
    pub(super) vault: Option<Vault>,
    /// Why a reader could not open the vault that is there: that concerns personal values alone.
    pub(super) vault_failure: OnceLock<Error>,
    pub(super) source: Source,
    /// Held by whoever adds to the index.
    indexing: Mutex<()>,
    /// The size at which the index's root was last compared with the log's.
    compared: AtomicU64,
    grown: Mutex<Grown>,
    growth: Condvar,
    /// The first damage of the log that was met: it stops appends.
    damage: OnceLock<Error>,
    /// Compares a record with one of another version.
    pub(super) same_decoded: OnceLock<SameDecoded>,
    /// A reader's vault hides the erasures that the log names up to here.
    hidden: Mutex<Size>,
    pub(super) reservations: Reservations,
    /// Held while a blob is written.
    blobs: Mutex<()>,
}

struct Grown {
    head: Head,
    waiting: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(
        files: Arc<dyn Files>,
        identity: Identity,
        segments: Arc<Segments>,
        index: Index,
        vault: Option<Vault>,
        source: Source,
        head: Head,
    ) -> Self {
        Self {
            files,
            identity,
            segments,
            index,
            vault,
            vault_failure: OnceLock::new(),
            source,
            indexing: Mutex::new(()),
            compared: AtomicU64::new(0),
            grown: Mutex::new(Grown { head, waiting: 0 }),
            growth: Condvar::new(),
            damage: OnceLock::new(),
            same_decoded: OnceLock::new(),
            hidden: Mutex::new(Size::ZERO),
            reservations: Reservations::default(),
            blobs: Mutex::new(()),
        }
    }
    /// Writes a blob, unless `refused` says that the writer is ending. One at a time: two of one name would share a temporary name.
    pub(super) fn write_blob(&self, refused: &dyn Fn() -> Option<Error>, path: &str, bytes: &[u8]) -> Result<()> {
        let most = usize::try_from(blobs::BLOB_BYTES_MAX).unwrap_or(usize::MAX);
        if bytes.len() > most {
            return Err(Error::too_large("a blob", bytes.len(), "BLOB_BYTES_MAX", most));
        }
        let _one = lock(&self.blobs);
        match refused() {
            Some(why) => Err(why),
            None => blobs::blob_write(&*self.files, path, bytes),
        }
    }
    /// Waits until no blob is being written. The writer does so when it refuses everything and before it gives the lock back: the next
    /// process to hold it may write a blob of the same name.
    pub(super) fn await_blobs(&self) {
        drop(lock(&self.blobs));
    }

    /// The durable head, as far as it was looked at.
    pub(super) fn head(&self) -> Head {
        lock(&self.grown).head
    }
    /// The durable head now.
    pub(super) fn refresh(&self) -> Result<Head> {
        match &self.source {
            Source::Writer => Ok(self.head()),
            Source::Files(log) => {
                let head = log.refresh()?;
                self.publish(head);
                Ok(self.head())
            }
        }
    }
    pub(super) fn publish(&self, head: Head) {
        let mut grown = lock(&self.grown);
        if head.size > grown.head.size {
            grown.head = head;
            if grown.waiting > 0 {
                self.growth.notify_all();
            }
        }
    }
    /// Waits until the head is known to be beyond `size`, at most `timeout`.
    pub(super) fn wait_beyond(&self, size: Size, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        let mut grown = lock(&self.grown);
        grown.waiting += 1;
        while grown.head.size <= size {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            grown = self.growth.wait_timeout(grown, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        grown.waiting -= 1;
    }

    /// Notes damage of the log for the writer, and passes it on.
    pub(super) fn noted(&self, error: Error) -> Error {
        if error.kind() == ErrorKind::Damaged {
            let _ = self.damage.set(error.clone());
        }
        error
    }
    /// The damage that was met, if any.
    pub(super) fn damage(&self) -> Option<&Error> {
        self.damage.get()
    }

    /// Asks the index, which knows the first `size` records then; one that is stale is rebuilt.
    pub(super) fn indexed<T>(&self, size: Size, ask: impl Fn(&Index) -> Answer<T>) -> Result<T> {
        for _ in 0..REBUILDS_MAX {
            self.catch_up(size)?;
            match ask(&self.index) {
                Ok(answer) => return Ok(answer),
                Err(stale) => self.heal(stale)?,
            }
        }
        Err(Error::new(ErrorKind::Io, "the index is stale again and again").advise("delete the directory `index`: it is derived"))
    }
    /// Gives up what the index says is stale. An error of another sort is passed on.
    pub(super) fn heal(&self, error: IndexError) -> Result<()> {
        match error {
            IndexError::Stale { first, .. } => {
                let _one = lock(&self.indexing);
                let known = self.index.size();
                self.index.discard_from(first);
                // Other lookups count on what was known.
                self.build(known)
            }
            // Whoever is rebuilding it holds the lock.
            IndexError::Behind { .. } => {
                drop(lock(&self.indexing));
                Ok(())
            }
            IndexError::Failed(error) => Err(error),
        }
    }
    /// Lets the index know the first `size` records at least.
    pub(super) fn catch_up(&self, size: Size) -> Result<()> {
        if self.index.size() >= size && self.compared.load(Ordering::Acquire) >= size.0 {
            return Ok(());
        }
        let _one = lock(&self.indexing);
        // At the head there is a root to compare with.
        let size = size.max(self.head().size);
        if size.0.saturating_sub(self.index.size().0) > LAG_MAX {
            self.index.refresh()?;
        }
        self.build(size)
    }
    /// Walks the log into the index up to `size`. Under the lock.
    fn build(&self, size: Size) -> Result<()> {
        for _ in 0..REBUILDS_MAX {
            let known = self.index.size().0;
            match self.try_build(size).and_then(|()| self.check_root()) {
                Ok(()) => return Ok(()),
                Err(IndexError::Stale { first, .. }) => self.index.discard_from(first),
                // An index of another log leads to places where this one has no batch: without it, what is damaged shows again.
                Err(IndexError::Failed(error)) if error.kind() == ErrorKind::Damaged && !self.is_compared(known) => {
                    self.index.discard_from(Size::ZERO);
                }
                Err(IndexError::Failed(error)) => return Err(self.noted(error)),
                Err(IndexError::Behind { .. }) => break,
            }
        }
        Err(Error::new(ErrorKind::Io, "the index cannot be rebuilt").advise("delete the directory `index`: it is derived"))
    }
    /// That the index is of this log: it may have been made before log or index were restored from a backup, and a reader takes
    /// over what other processes write.
    fn check_root(&self) -> Answer<()> {
        let head = self.head();
        if self.compared.load(Ordering::Acquire) >= head.size.0 {
            return Ok(());
        }
        let size = self.index.size();
        let stale = |first| {
            let cause = Error::new(ErrorKind::Damaged, format!("the index at size {size} is of another log"));
            Err(IndexError::Stale { first, cause })
        };
        // Where the index is of another log, what it leads to says nothing of this one.
        let leaf = |position| {
            let location = self.index.location(position).map_err(|e| Error::new(ErrorKind::Damaged, e.to_string()))?;
            Ok(self.segments.frame(location, position)?.hash(position))
        };
        let same = match self.index.root_at(head.size, &leaf) {
            Ok(root) => root == head.root,
            Err(IndexError::Failed(error)) if error.kind() == ErrorKind::Damaged => false,
            Err(other) => return Err(other),
        };
        if !same {
            return stale(Size::ZERO);
        }
        let compared = match self.source {
            // Beside a live writer the index may be ahead of what was looked at.
            Source::Files(_) => head.size.0,
            Source::Writer if size > head.size => return stale(head.size),
            // From here on it is told of this log alone.
            Source::Writer => u64::MAX,
        };
        self.compared.fetch_max(compared, Ordering::AcqRel);
        Ok(())
    }
    fn try_build(&self, size: Size) -> Answer<()> {
        let known = self.index.size();
        if known >= size {
            return Ok(());
        }
        let covered = self.index.covered().cursor;
        let cursor = match known.last() {
            Some(last) if known.0 > covered.position => self.index.batch_start(last)?,
            _ => covered,
        };
        let mut told = known.0;
        let mut walk = self.segments.walk(cursor, size);
        while let Some(walked) = walk.next() {
            let walked = walked?;
            if walked.position.0 < known.0 {
                continue;
            }
            if walked.first_in_batch && walked.position.0 >= told + BUILD_STEP {
                told = walked.position.0;
                self.index.set_durable(Size(told), Some(walk.batch()));
            }
            let derived = self.derived_of(&walked.frame, walked.position)?;
            let keys = keys_of(&walked.frame, derived.as_ref());
            self.index.add(&Added {
                position: walked.position,
                id: walked.frame.id(),
                keys: &keys,
                location: walked.location,
                first_in_batch: walked.first_in_batch,
                hash: walked.frame.hash(walked.position),
            })?;
        }
        self.index.set_durable(size, None);
        Ok(())
    }
    /// Brings a writer's index up to the log as it was opened.
    pub(super) fn begin(&self, head: Head, next: Cursor) -> Result<()> {
        let _one = lock(&self.indexing);
        // Also where nothing is to be added, the root says whether the index is of this log.
        self.build(head.size)?;
        self.index.set_durable(head.size, Some(next));
        Ok(())
    }
    /// Adds what was just appended: called by the writer alone.
    pub(super) fn add(&self, added: &[Added<'_>], head: Head, next: Cursor) -> Result<()> {
        let _one = lock(&self.indexing);
        added.iter().try_for_each(|a| self.index.add(a))?;
        self.index.set_durable(head.size, Some(next));
        Ok(())
    }

    /// Before closing: writes what the index has in memory, when it is worth a file. What is not written is walked again.
    pub(super) fn write_index(&self) {
        let in_memory = self.index.size().0.saturating_sub(self.index.covered().cursor.position);
        if in_memory >= INDEX_WORTH_A_FILE {
            // Derived: a failure costs the next opening a walk, and nothing else.
            let _ = self.index.flush();
        }
    }

    /// The record at `position`, whose checksum held.
    pub(super) fn frame(&self, position: Position) -> Result<Frame> {
        let location = self.indexed(position.next(), |index| index.location(position))?;
        self.segments.frame(location, position).map_err(|e| self.noted(e))
    }
    /// As [`Self::frame`], for use while the index is being built.
    fn known_frame(&self, position: Position) -> Answer<Frame> {
        let location = self.index.location(position)?;
        let frame = self.segments.frame(location, position);
        Ok(frame.map_err(|e| if self.is_compared(position.0 + 1) { self.noted(e) } else { e })?)
    }
    /// Whether the index was found to be of this log, for the first `size` records.
    fn is_compared(&self, size: u64) -> bool {
        self.compared.load(Ordering::Acquire) >= size
    }
    /// Where the record with this id is, among the first `size`.
    pub(super) fn find(&self, id: RecordId, size: Size) -> Result<Option<Position>> {
        self.indexed(size, |index| self.find_in(index, id, size))
    }
    fn find_in(&self, index: &Index, id: RecordId, size: Size) -> Answer<Option<Position>> {
        for position in index.find_before(id, size)? {
            if self.known_frame(position)?.id() == id {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }
    /// The amendments of a record before a position, ascending.
    pub(super) fn amendments(&self, target: RecordId, before: Size) -> Result<Vec<Position>> {
        let before = before.min(self.head().size);
        self.indexed(before, |index| Ok(self.amendments_in(index, target, before)?.into_iter().map(|(p, _)| p).collect()))
    }
    fn amendments_in(&self, index: &Index, target: RecordId, before: Size) -> Answer<Vec<(Position, Frame)>> {
        let mut found = Vec::new();
        for position in index.positions(&amendments_key(target), 0..before.0)? {
            let position = position?;
            let frame = self.known_frame(position)?;
            if target_of(&frame, position)? == Some(target) {
                found.push((position, frame));
            }
        }
        Ok(found)
    }
    /// What an amendment is found under besides its own kind and tags; none for a record that is no amendment.
    fn derived_of(&self, frame: &Frame, position: Position) -> Answer<Option<Derived>> {
        let Some(target) = target_of(frame, position)? else {
            return Ok(None);
        };
        let before = Size(position.0);
        let mut derived = Derived::of(target);
        if let Some(original) = self.find_in(&self.index, target, before)? {
            derived.add(&self.known_frame(original)?);
        }
        for (_, frame) in self.amendments_in(&self.index, target, before)? {
            derived.add(&frame);
        }
        Ok(Some(derived))
    }
    /// As [`Self::derived_of`], outside of building.
    pub(super) fn derived(&self, frame: &Frame, position: Position) -> Result<Option<Derived>> {
        if !frame.is_amendment() {
            return Ok(None);
        }
        self.indexed(Size(position.0), |_| self.derived_of(frame, position))
    }
    /// The newest record of a range that a query names.
    pub(super) fn newest_match(self: &Arc<Self>, query: &Query, range: Range<u64>) -> Result<Option<Position>> {
        if range.is_empty() {
            return Ok(None);
        }
        Ok(Select::new(self, query, range, true).next().transpose()?.map(|(position, _)| position))
    }
    /// The erasures that the log names in a range, with their handles.
    pub(super) fn erasures(&self, range: Range<u64>) -> Result<Vec<(Position, Frame, [u8; 16])>> {
        self.indexed(Size(range.end), |index| {
            let mut found = Vec::new();
            for position in index.positions(&LEDGER_KEY, range.clone())? {
                let position = position?;
                let frame = self.known_frame(position)?;
                if frame.kind() == LedgerEvent::SUBJECT_ERASED.number() {
                    let record = Recorded::<LedgerEvent>::decode(position, frame.clone(), None)
                        .map_err(|e| Error::from(e).at(position))?;
                    if let LedgerEvent::SubjectErased { handle, .. } = record.event {
                        found.push((position, frame, handle));
                    }
                }
            }
            Ok(found)
        })
    }
    /// The record that names the erasure of this handle.
    pub(super) fn erasure_of(&self, handle: &[u8; 16]) -> Result<Option<Reference>> {
        let there = self.erasures(0..self.head().size.0)?.into_iter().find(|(.., h)| h == handle);
        Ok(there.map(|(position, frame, _)| Reference { position, id: frame.id(), hash: Some(frame.hash(position)) }))
    }
    /// What the vault knows of a commitment; sealed without a vault.
    pub(super) fn open_value(&self, commitment: &Commitment) -> Result<Opened> {
        let Some(vault) = &self.vault else {
            return self.vault_failure.get().map_or(Ok(Opened::Sealed), |why| Err(why.clone()));
        };
        self.hide_erased(vault)?;
        vault.value(commitment)
    }
    /// Meets every personal value that can still be read; none without a vault.
    pub(super) fn each_value(&self, each: EachValue<'_>) -> Result<()> {
        let Some(vault) = &self.vault else {
            return self.vault_failure.get().map_or(Ok(()), |why| Err(why.clone()));
        };
        self.hide_erased(vault)?;
        vault.each_value(each)
    }
    /// The writer may not have completed an erasure that the log names, and a reader may not.
    fn hide_erased(&self, vault: &Vault) -> Result<()> {
        if matches!(self.source, Source::Files(_)) {
            let size = self.head().size;
            let mut hidden = lock(&self.hidden);
            if *hidden < size {
                vault.hide(self.erasures(hidden.0..size.0)?.into_iter().map(|(.., handle)| handle));
                *hidden = size;
            }
        }
        Ok(())
    }
    /// A walk over `range`, from the batch in which it starts; so the first records may be before it.
    pub(super) fn walk(&self, range: &Range<u64>) -> Result<Walk> {
        let from = Position(range.start);
        let start = Segments::start();
        let cursor = if range.start == start.position || range.is_empty() {
            start
        } else {
            self.indexed(from.next(), |index| index.batch_start(from))?
        };
        Ok(self.segments.walk(cursor, Size(range.end)))
    }
}

/// The original record that a frame amends.
pub(super) fn target_of(frame: &Frame, position: Position) -> Result<Option<RecordId>> {
    if !frame.is_amendment() {
        return Ok(None);
    }
    Ok(frame.metadata().map_err(|e| Error::from(e).at(position))?.target)
}

/// The index keys of a record.
pub(super) fn keys_of(frame: &Frame, derived: Option<&Derived>) -> Vec<TagKey> {
    let mut keys = frame.tags();
    if frame.is_ledger_level() {
        keys.push(LEDGER_KEY);
    }
    if let Some(derived) = derived {
        derived.add_keys(&mut keys);
    }
    keys
}
