//! What an index knows at a moment: runs, and tables of what is not in a run yet.

use super::footer::range;
use super::run::Run;
use super::set::Set;
use super::table::{Entry, Table};
use super::{Added, IndexError};
use crate::log::{Cursor, Location};
use sovang_core::{Error, ErrorKind, Position, RecordHash, Size};
use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

/// So many runs' worth of records may be in memory, durable, before the writer waits for them to be written.
pub(super) const LAG_MAX: u64 = 8;

pub(super) struct State {
    pub(super) set: Arc<Set>,
    /// Full tables, ascending; each ends with a batch.
    pub(super) full: VecDeque<Arc<Table>>,
    pub(super) active: Table,
    /// What the log has said is durable.
    pub(super) durable: u64,
    /// Where the log goes on at a size.
    pub(super) next: Option<Cursor>,
    /// Lookups answer only when so much is known again.
    pub(super) target: u64,
    /// Changes when records are forgotten: what was derived from them is void.
    pub(super) epoch: u64,
    /// Files of others that are not believed any more.
    pub(super) rejected: BTreeSet<String>,
    run_records: usize,
    keys: Vec<u64>,
}

impl State {
    pub(super) fn new(set: Set, run_records: usize) -> Self {
        Self {
            active: Table::new(set.end()),
            set: Arc::new(set),
            full: VecDeque::new(),
            durable: 0,
            next: None,
            target: 0,
            epoch: 0,
            rejected: BTreeSet::new(),
            run_records: run_records.max(1),
            keys: Vec::new(),
        }
    }
    /// How many records are known.
    pub(super) fn size(&self) -> u64 {
        self.active.end().max(self.set.end())
    }
    /// All tables, the oldest first.
    pub(super) fn tables(&self) -> impl DoubleEndedIterator<Item = &Table> {
        self.full.iter().map(|t| &**t).chain(std::iter::once(&self.active))
    }
    /// The table that holds a position no run holds.
    pub(super) fn table(&self, position: u64) -> Option<&Table> {
        if position < self.set.end() {
            return None;
        }
        self.tables().find(|t| t.range().contains(&position))
    }
    /// An error unless all is known that was known before a discard, as far as records below `before` go.
    pub(super) fn check(&self, before: u64) -> Result<(), IndexError> {
        if self.size() < self.target.min(before) {
            return Err(IndexError::Behind { size: Size(self.size()) });
        }
        Ok(())
    }
    /// An error unless the record at `position` is known.
    pub(super) fn check_known(&self, position: u64) -> Result<(), IndexError> {
        self.check(position.saturating_add(1))?;
        if position < self.size() {
            return Ok(());
        }
        let error = Error::new(ErrorKind::NotFound, "the ledger has no such record");
        Err(error.at(Position(position)).into())
    }
    /// The positions with this fingerprint in memory, within a range, descending.
    pub(super) fn recent(&self, fingerprint: u64, within: &Range<u64>) -> Vec<u64> {
        let within = within.start.max(self.set.end())..within.end;
        let mut found = Vec::new();
        for table in self.tables().rev().filter(|t| t.end() > within.start) {
            found.extend(table.with(fingerprint, within.clone()));
        }
        found
    }
    /// The hashes of the records from one in memory on.
    pub(super) fn hashes(&self, from: u64) -> Vec<RecordHash> {
        let mut hashes = Vec::new();
        for table in self.tables().filter(|t| t.end() > from) {
            let range = table.range().start.max(from)..table.end();
            hashes.extend(range.filter_map(|position| table.hash(position)));
        }
        hashes
    }

    fn last_batch(&self) -> u64 {
        let tables = self.tables().rev().find_map(Table::last_batch);
        tables.unwrap_or(self.set.cursor().batch - 1)
    }
    pub(super) fn add(&mut self, added: &Added<'_>) -> sovang_core::Result<()> {
        let Added { position, location, first_in_batch, .. } = *added;
        if position.0 < self.size() {
            return Ok(());
        }
        let wrong = |what| Error::new(ErrorKind::InvalidInput, what).at(position);
        if position.0 > self.size() {
            return Err(wrong("a record was left out of the index"));
        }
        let in_memory = self.active.end() > self.set.end();
        let batch = self.last_batch() + u64::from(first_in_batch);
        if location.batch != batch || !(first_in_batch || in_memory) {
            return Err(wrong("a batch was left out of the index"));
        }
        if !fits(location) {
            return Err(wrong("a frame's offset is not that of a frame in a segment"));
        }
        if first_in_batch && self.active.len() >= self.run_records {
            self.freeze();
        }
        Table::fingerprints(added.keys, &mut self.keys);
        let entry = Entry { id: added.id, keys: &self.keys, location, hash: added.hash };
        if self.active.push(&entry, first_in_batch) {
            return Ok(());
        }
        Err(wrong("a batch has more keys than the index can hold"))
    }
    fn freeze(&mut self) {
        let next = Table::new(self.active.end());
        let table = std::mem::replace(&mut self.active, next);
        if !table.is_empty() {
            self.full.push_back(Arc::new(table));
        }
    }
    pub(super) fn set_durable(&mut self, size: u64, next: Option<Cursor>) {
        self.durable = self.durable.max(size);
        if next.is_some() {
            self.next = next;
        }
        if self.active.len() >= self.run_records && self.active.end() <= self.durable {
            self.freeze();
        }
    }
    /// Makes full tables of all that is durable, as far as it is known where the log goes on.
    pub(super) fn freeze_durable(&mut self) {
        let end = self.active.end();
        if end <= self.durable && self.next.is_some_and(|next| next.position == end) {
            self.freeze();
        } else if let Some(at) = self.active.last_batch_start(self.durable.min(end)) {
            let (before, after) = self.active.split(at);
            self.full.push_back(Arc::new(before));
            self.active = after;
        }
    }
    /// The full tables to write as one run, and where the log goes on behind them.
    pub(super) fn due(&self) -> Option<(Vec<Arc<Table>>, Cursor)> {
        let limit = self.set.end() + LAG_MAX * self.run_records as u64;
        let mut due = None;
        for (i, table) in self.full.iter().enumerate() {
            let end = table.end();
            if end > self.durable || (i > 0 && end > limit) {
                break;
            }
            let follower = self.full.get(i + 1).map_or(&self.active, |t| t);
            let told = self.next.filter(|next| next.position == end);
            if let Some(cursor) = follower.batch_start(end).or(told) {
                due = Some((i + 1, cursor));
            }
        }
        let (tables, cursor) = due?;
        Some((self.full.iter().take(tables).cloned().collect(), cursor))
    }
    /// How many durable records are in full tables.
    pub(super) fn waiting(&self) -> u64 {
        let last = self.full.iter().rev().find(|t| t.end() <= self.durable);
        last.map_or(0, |t| t.end().saturating_sub(self.set.end()))
    }
    /// Uses other runs, and drops the tables they have made superfluous.
    pub(super) fn use_set(&mut self, set: Set) {
        let end = set.end();
        self.set = Arc::new(set);
        while self.full.front().is_some_and(|t| t.end() <= end) {
            self.full.pop_front();
        }
        if self.full.is_empty() && self.active.end() <= end {
            self.active = Table::new(end);
        }
    }
    /// Drops the runs that reach past `size` and all tables; hands over the runs dropped.
    pub(super) fn discard_from(&mut self, size: u64) -> Vec<Arc<Run>> {
        let fed = if self.active.end() > self.active.first() || !self.full.is_empty() { self.active.end() } else { 0 };
        self.target = self.target.max(self.durable).max(fed);
        let runs = self.set.members().iter().map(|m| Arc::clone(&m.run));
        let (kept, dropped): (Vec<_>, Vec<_>) = runs.partition(|run| run.end() <= size);
        let set = Set::cover(kept, true);
        self.full.clear();
        self.active = Table::new(set.end());
        self.durable = 0;
        self.next = None;
        self.set = Arc::new(set);
        self.epoch += 1;
        for run in dropped.iter().filter(|run| !run.own) {
            self.rejected.insert(run.name.clone());
        }
        dropped
    }
    /// Whether a listed file is a run that may be believed and is not in use.
    pub(super) fn is_new(&self, file_name: &str) -> bool {
        range(file_name).is_some()
            && !self.rejected.contains(file_name)
            && !self.set.members().iter().any(|m| !m.run.own && m.run.name == file_name)
    }
}

/// Whether a location fits in a run: behind a batch's header, within 32 bits.
fn fits(location: Location) -> bool {
    location.offset >= super::run::BATCH_HEADER_BYTES && u32::try_from(location.offset).is_ok()
}
