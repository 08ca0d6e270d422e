//! Recent records in memory: one map from fingerprints to positions, for ids and keys alike.

use super::page::{Of, fingerprint};
use super::run::before_batch;
use crate::log::{Cursor, Location};
use rustc_hash::FxHashMap;
use sovang_core::{RecordHash, RecordId, TagKey};
use std::ops::Range;

/// No earlier link.
const NONE: u32 = u32::MAX;

/// Consecutive records, from the start of a batch. Whoever is done with a table drops it whole.
pub(super) struct Table {
    first: u64,
    rows: Vec<Row>,
    /// The fingerprints of all rows' keys, in order.
    keys: Vec<u64>,
    /// (first row, number) of each batch.
    batches: Vec<(u32, u64)>,
    /// From a fingerprint to the newest of its links.
    newest: FxHashMap<u64, u32>,
    /// (row, the link before): newest first.
    links: Vec<(u32, u32)>,
}

#[derive(Clone, Copy)]
struct Row {
    id: RecordId,
    hash: RecordHash,
    segment: u64,
    offset: u64,
    /// Where its keys end.
    keys_end: u32,
}

/// A record with its keys' fingerprints.
pub(super) struct Entry<'a> {
    pub(super) id: RecordId,
    pub(super) keys: &'a [u64],
    pub(super) location: Location,
    pub(super) hash: RecordHash,
}

impl Table {
    pub(super) fn new(first: u64) -> Self {
        Self { first, rows: Vec::new(), keys: Vec::new(), batches: Vec::new(), newest: FxHashMap::default(), links: Vec::new() }
    }
    pub(super) fn first(&self) -> u64 {
        self.first
    }
    pub(super) fn end(&self) -> u64 {
        self.first + self.rows.len() as u64
    }
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
    pub(super) fn range(&self) -> Range<u64> {
        self.first..self.end()
    }
    /// The number of the last batch.
    pub(super) fn last_batch(&self) -> Option<u64> {
        self.batches.last().map(|b| b.1)
    }

    /// Adds the next record. False when the table has no room for it: then a new one must begin, with a batch.
    pub(super) fn push(&mut self, entry: &Entry<'_>, first_in_batch: bool) -> bool {
        let counts = (u32::try_from(self.rows.len()), u32::try_from(self.links.len() + entry.keys.len() + 1));
        let (Ok(row), Ok(links)) = counts else {
            return false;
        };
        if links == NONE {
            return false;
        }
        if first_in_batch {
            self.batches.push((row, entry.location.batch));
        }
        self.link(fingerprint(Of::Id, &entry.id.to_bytes()), row);
        for key in entry.keys {
            self.link(*key, row);
        }
        self.keys.extend_from_slice(entry.keys);
        self.rows.push(Row {
            id: entry.id,
            hash: entry.hash,
            segment: entry.location.segment,
            offset: entry.location.offset,
            // No more than links, which were counted.
            keys_end: u32::try_from(self.keys.len()).unwrap_or(u32::MAX),
        });
        true
    }
    fn link(&mut self, fingerprint: u64, row: u32) {
        let link = u32::try_from(self.links.len()).unwrap_or(NONE);
        let before = self.newest.insert(fingerprint, link).unwrap_or(NONE);
        self.links.push((row, before));
    }
    /// The fingerprints of a key list, each once: what [`Entry`] takes.
    pub(super) fn fingerprints(keys: &[TagKey], into: &mut Vec<u64>) {
        into.clear();
        into.extend(keys.iter().map(|k| fingerprint(Of::Key, &k.0)));
        into.sort_unstable();
        into.dedup();
    }

    /// The positions with this fingerprint within a range, descending.
    pub(super) fn with(&self, fingerprint: u64, range: Range<u64>) -> impl Iterator<Item = u64> {
        let mut link = self.newest.get(&fingerprint).copied().unwrap_or(NONE);
        std::iter::from_fn(move || {
            let (row, before) = *self.links.get(link as usize)?;
            link = before;
            Some(self.first + u64::from(row))
        })
        .skip_while(move |p| *p >= range.end)
        .take_while(move |p| *p >= range.start)
    }
    fn row(&self, position: u64) -> Option<(usize, &Row)> {
        let row = usize::try_from(position.checked_sub(self.first)?).ok()?;
        Some((row, self.rows.get(row)?))
    }
    /// (first position, number) of the batch of a row.
    fn batch(&self, row: usize) -> Option<(u64, u64)> {
        let at = self.batches.partition_point(|b| b.0 as usize <= row).checked_sub(1)?;
        let (first, number) = self.batches[at];
        Some((self.first + u64::from(first), number))
    }
    pub(super) fn location(&self, position: u64) -> Option<Location> {
        let (row, at) = self.row(position)?;
        Some(Location { segment: at.segment, offset: at.offset, batch: self.batch(row)?.1 })
    }
    pub(super) fn batch_start(&self, position: u64) -> Option<Cursor> {
        let (first, _) = self.batch(self.row(position)?.0)?;
        before_batch(first, self.location(first)?)
    }
    pub(super) fn hash(&self, position: u64) -> Option<RecordHash> {
        Some(self.row(position)?.1.hash)
    }
    pub(super) fn id(&self, position: u64) -> Option<RecordId> {
        Some(self.row(position)?.1.id)
    }
    pub(super) fn keys(&self, position: u64) -> &[u64] {
        let Some((row, at)) = self.row(position) else {
            return &[];
        };
        let from = row.checked_sub(1).map_or(0, |before| self.rows[before].keys_end as usize);
        &self.keys[from..at.keys_end as usize]
    }
    /// The first positions of the batches.
    pub(super) fn batch_firsts(&self) -> impl Iterator<Item = u64> {
        self.batches.iter().map(|b| self.first + u64::from(b.0))
    }
    /// The last start of a batch that is at most `bound`, other than the table's own.
    pub(super) fn last_batch_start(&self, bound: u64) -> Option<u64> {
        let under = self.batches.partition_point(|b| self.first + u64::from(b.0) <= bound);
        let (row, _) = self.batches[..under].last()?;
        (*row > 0).then(|| self.first + u64::from(*row))
    }

    /// The same records as two tables, apart at a position.
    pub(super) fn split(&self, at: u64) -> (Self, Self) {
        let (mut before, mut after) = (Self::new(self.first), Self::new(at));
        for position in self.range() {
            let (Some(id), Some(hash), Some(location)) = (self.id(position), self.hash(position), self.location(position)) else {
                break;
            };
            let starts = self.batch_start(position).is_some_and(|b| b.position == position);
            let into = if position < at { &mut before } else { &mut after };
            into.push(&Entry { id, keys: self.keys(position), location, hash }, starts);
        }
        (before, after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(10);
        for n in 0..6u64 {
            let entry = Entry {
                id: RecordId::v7(n, [0; 10]),
                keys: &[100 + n % 2, 200],
                location: Location { segment: 1 + n / 4, offset: 4224 + 100 * n, batch: 7 + n / 2 },
                hash: RecordHash([u8::try_from(n).unwrap(); 32]),
            };
            assert!(table.push(&entry, n % 2 == 0));
        }
        table
    }

    #[test]
    fn finds_newest_first_within_the_range() {
        let table = table();
        assert_eq!(table.with(200, 0..u64::MAX).collect::<Vec<_>>(), [15, 14, 13, 12, 11, 10]);
        assert_eq!(table.with(101, 12..15).collect::<Vec<_>>(), [13]);
        assert_eq!(table.with(300, 0..99).count(), 0);
        let id = fingerprint(Of::Id, &RecordId::v7(3, [0; 10]).to_bytes());
        assert_eq!(table.with(id, 0..99).collect::<Vec<_>>(), [13]);
    }

    #[test]
    fn knows_places() {
        let table = table();
        assert_eq!(table.location(13), Some(Location { segment: 1, offset: 4524, batch: 8 }));
        let start = Cursor { segment: 1, offset: 4424 - 128, batch: 8, position: 12 };
        assert_eq!(table.batch_start(13), Some(start));
        assert_eq!(table.location(16), None);
        assert_eq!(table.location(9), None);
        assert_eq!(table.last_batch_start(13), Some(12));
        assert_eq!(table.last_batch_start(11), None);
    }

    #[test]
    fn splits_without_loss() {
        let table = table();
        let (before, after) = table.split(12);
        assert_eq!((before.range(), after.range()), (10..12, 12..16));
        for position in table.range() {
            let part = if position < 12 { &before } else { &after };
            assert_eq!(part.location(position), table.location(position));
            assert_eq!(part.keys(position), table.keys(position));
            assert_eq!(part.hash(position), table.hash(position));
            assert_eq!(part.batch_start(position), table.batch_start(position));
        }
        assert_eq!(after.with(200, 0..99).collect::<Vec<_>>(), [15, 14, 13, 12]);
    }
}
