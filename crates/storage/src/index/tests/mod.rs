//! The index against a naive model of the same records.

mod damage;
mod model;
mod scale;
mod sharing;

use super::*;
use crate::files::Open;
use crate::memory::MemoryFiles;
use std::collections::BTreeMap;

pub(super) const LEDGER: LedgerId = LedgerId([7; 16]);

/// A log as the index sees it, and plain maps of the same.
#[derive(Default)]
pub(super) struct Log {
    pub(super) records: Vec<Record>,
    by_id: BTreeMap<RecordId, Vec<u64>>,
    by_key: BTreeMap<TagKey, Vec<u64>>,
    frontier: Frontier,
    roots: Vec<Root>,
    next: Option<Cursor>,
    segment_bytes: u64,
}

#[derive(Clone)]
pub(super) struct Record {
    pub(super) id: RecordId,
    pub(super) keys: Vec<TagKey>,
    location: Location,
    first_in_batch: bool,
    hash: RecordHash,
    batch_start: Cursor,
}

/// Of so many sizes a log keeps the root, which takes as long to compute as all the rest.
const ROOTS_MAX: usize = 20_000;

/// The nth key of a name; not spread, as the index must cope with any 16 bytes.
pub(super) fn key(name: u8, n: u64) -> TagKey {
    let mut key = [name; 16];
    key[8..].copy_from_slice(&n.to_le_bytes());
    TagKey(key)
}

impl Log {
    pub(super) fn new(segment_bytes: u64) -> Self {
        Self { roots: vec![Root::empty()], segment_bytes, ..Self::default() }
    }
    pub(super) fn size(&self) -> u64 {
        self.records.len() as u64
    }
    pub(super) fn next(&self) -> Cursor {
        self.next.unwrap_or_else(crate::log::Segments::start)
    }
    /// Appends a batch.
    pub(super) fn append(&mut self, records: impl IntoIterator<Item = (RecordId, Vec<TagKey>)>) {
        let mut start = self.next();
        if start.offset > self.segment_bytes {
            (start.segment, start.offset) = (start.segment + 1, 4096);
        }
        let mut offset = start.offset + run::BATCH_HEADER_BYTES;
        for (id, keys) in records {
            let position = self.size();
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&position.to_le_bytes());
            hash[8..24].copy_from_slice(&id.to_bytes());
            let hash = RecordHash(hash);
            self.frontier.push(sovang_core::tree::leaf_hash(&hash));
            if self.roots.len() < ROOTS_MAX {
                self.roots.push(self.frontier.root());
            }
            self.by_id.entry(id).or_default().insert(0, position);
            for key in &keys {
                let of = self.by_key.entry(*key).or_default();
                if of.last() != Some(&position) {
                    of.push(position);
                }
            }
            let location = Location { segment: start.segment, offset, batch: start.batch };
            let first_in_batch = position == start.position;
            self.records.push(Record { id, keys, location, first_in_batch, hash, batch_start: start });
            offset += 183;
        }
        let (batch, position) = (start.batch + 1, self.size());
        self.next = Some(Cursor { segment: start.segment, offset: offset + 72, batch, position });
    }
    /// Drops the records from the last batch that starts at or below `size` on.
    pub(super) fn truncate(&mut self, size: u64) {
        let Some(record) = usize::try_from(size).ok().and_then(|s| self.records.get(s)) else {
            return;
        };
        let start = record.batch_start;
        let kept = usize::try_from(start.position).unwrap();
        self.records.truncate(kept);
        self.roots.truncate(kept + 1);
        self.next = Some(start);
        self.frontier = Frontier::new();
        for record in &self.records {
            self.frontier.push(sovang_core::tree::leaf_hash(&record.hash));
        }
        self.by_id.values_mut().chain(self.by_key.values_mut()).for_each(|p| p.retain(|p| *p < start.position));
    }
    /// Adds all records that the index does not have, from where its runs end, as a store does.
    pub(super) fn feed(&self, index: &Index) {
        let from = index.covered().cursor.position.max(index.size().0);
        for (position, record) in (0..).zip(&self.records).skip(usize::try_from(from).unwrap()) {
            let added = Added {
                position: Position(position),
                id: record.id,
                keys: &record.keys,
                location: record.location,
                first_in_batch: record.first_in_batch,
                hash: record.hash,
            };
            index.add(&added).expect("continues");
        }
    }
    pub(super) fn hash(&self, position: Position) -> sovang_core::Result<RecordHash> {
        let record = usize::try_from(position.0).ok().and_then(|p| self.records.get(p));
        Ok(record.expect("only asked for records there are").hash)
    }

    /// Holds every answer about a record against the maps. The first error is handed on.
    pub(super) fn check_record(&self, index: &Index, position: u64) -> Answer<()> {
        let record = &self.records[usize::try_from(position).unwrap()];
        assert_eq!(index.location(Position(position))?, record.location);
        assert_eq!(index.batch_start(Position(position))?, record.batch_start);
        let found = index.find(record.id)?;
        assert_eq!(found, self.by_id[&record.id].iter().copied().map(Position).collect::<Vec<_>>());
        Ok(())
    }
    pub(super) fn check_key(&self, index: &Index, key: &TagKey, range: Range<u64>) -> Answer<()> {
        let all = self.by_key.get(key).map_or(&[][..], Vec::as_slice);
        let expected: Vec<Position> = all.iter().copied().filter(|p| range.contains(p)).map(Position).collect();
        let forwards = index.positions(key, range.clone())?.collect::<Answer<Vec<_>>>()?;
        assert_eq!(forwards, expected, "{key:?} within {range:?}");
        let mut backwards = index.positions(key, range.clone())?.rev().collect::<Answer<Vec<_>>>()?;
        backwards.reverse();
        assert_eq!(backwards, expected);
        let mut both = index.positions(key, range.clone())?;
        let (mut front, mut back) = (Vec::new(), Vec::new());
        while let Some(p) = both.next().transpose()? {
            front.push(p);
            back.extend(both.next_back().transpose()?);
        }
        back.reverse();
        front.extend(back);
        assert_eq!(front, expected);
        assert_eq!(index.count(key, range)?, expected.len() as u64);
        Ok(())
    }
    pub(super) fn check_root(&self, index: &Index, size: u64) -> Answer<()> {
        let whole = (size == self.size()).then(|| self.frontier.root());
        let expected = self.roots.get(usize::try_from(size).unwrap());
        let Some(expected) = whole.or(expected.copied()) else {
            return Ok(());
        };
        let asked = std::cell::Cell::new(0);
        let leaf = |position| {
            asked.set(asked.get() + 1);
            self.hash(position)
        };
        let root = index.root_at(Size(size), &leaf)?;
        assert_eq!(root, expected);
        assert!(asked.get() <= 255, "{} record hashes asked for", asked.get());
        Ok(())
    }
    /// Everything, with every `step`th record.
    pub(super) fn check(&self, index: &Index, step: usize) -> Answer<()> {
        let size = self.size();
        assert_eq!(index.size(), Size(size));
        assert_eq!(index.frontier()?, self.frontier);
        for position in (0..size).step_by(step) {
            self.check_record(index, position)?;
            self.check_root(index, position)?;
        }
        self.check_root(index, size)?;
        for n in 0..u64::from(u8::MAX) {
            let absent = RecordId::v7(n * 1_000, [0xFE; 10]);
            assert_eq!(index.find(absent)?, [], "no such id");
            assert_eq!(index.find(RecordId::from_bytes([u8::try_from(n).unwrap(); 16]))?, []);
        }
        self.check_key(index, &key(0xFF, 0), 0..size)?;
        for key in self.by_key.keys().step_by(step) {
            self.check_key(index, key, 0..size)?;
            self.check_key(index, key, 0..u64::MAX)?;
            self.check_key(index, key, size / 3..size / 2)?;
            self.check_key(index, key, size.saturating_sub(3)..size)?;
        }
        let missing = index.location(Position(size));
        assert!(matches!(missing, Err(IndexError::Failed(e)) if e.kind() == ErrorKind::NotFound));
        Ok(())
    }
}

pub(super) fn options(run_records: usize, writable: bool) -> IndexOptions {
    IndexOptions { cache_bytes: 1 << 20, run_records, writable, background: false }
}
pub(super) fn files() -> MemoryFiles {
    let files = MemoryFiles::default();
    files.create_directory("").expect("creates");
    files
}
pub(super) fn open(files: &MemoryFiles, options: IndexOptions) -> Index {
    Index::open(Arc::new(files.clone()), LEDGER, options).expect("opens")
}
/// The names and lengths of an index's files.
pub(super) fn listing(files: &MemoryFiles) -> Vec<(String, u64)> {
    let names = files.list("index").unwrap_or_default();
    let len = |name: &String| files.open(&format!("index/{name}"), Open::Read).and_then(|f| f.len());
    names.into_iter().map(|name| (name.clone(), len(&name).expect("has a length"))).collect()
}
/// Records as offices write them: one model of five records each, one of a few kinds, and some of neither.
pub(super) fn typical(n: u64) -> (RecordId, Vec<TagKey>) {
    let mut random = [0; 10];
    random[..8].copy_from_slice(&n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
    let id = if n % 16 == 9 { other_id(n) } else { RecordId::v7(1_000 + n / 3, random) };
    (id, vec![key(1, n.wrapping_mul(0x9E37_79B9) % 1_000_000 / 5), key(2, n % 7)])
}
/// An id that is not of version 7.
fn other_id(n: u64) -> RecordId {
    let mut bytes = [0x40; 16];
    bytes[..6].copy_from_slice(&n.to_be_bytes()[2..]);
    RecordId::from_bytes(bytes)
}
