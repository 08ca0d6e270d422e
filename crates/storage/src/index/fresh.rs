//! A run's content from tables in memory.

use super::footer::Fence;
use super::page::{Of, fingerprint};
use super::table::Table;
use super::tree::Growing;
use super::write::{About, Content, Each, Key};
use super::{Answer, IndexError};
use crate::log::{Cursor, Location};
use sovang_core::tree::{self, Frontier, Hash, Node};
use sovang_core::{Error, ErrorKind};
use std::sync::Arc;

/// What the tables know from one position on, sorted.
pub(super) struct Fresh {
    about: About,
    ids: Vec<(u64, u32)>,
    keys: Vec<(u64, u32)>,
    offsets: Vec<u32>,
    batches: Vec<u32>,
    nodes: Vec<(Node, Hash)>,
}

impl Fresh {
    /// From adjacent tables, from the frontier's size on up to their end, where the log goes on at `cursor`.
    pub(super) fn new(tables: &[Arc<Table>], from: &Frontier, cursor: Cursor) -> Answer<Self> {
        let first = from.size().0;
        let missing = || IndexError::from(Error::new(ErrorKind::InvalidInput, "records in memory are not adjacent"));
        let relative = |position: u64| position.checked_sub(first).and_then(|p| u32::try_from(p).ok()).ok_or_else(missing);
        let records = usize::try_from(cursor.position.saturating_sub(first)).unwrap_or(0);
        let mut growing = Growing::from(from);
        let (mut nodes, mut keys) = (Vec::new(), Vec::new());
        let (mut ids, mut offsets) = (Vec::with_capacity(records), Vec::with_capacity(records));
        let (mut batches, mut segments) = (Vec::new(), Vec::<(u32, u64)>::new());
        let mut fence = Fence::NONE;
        for table in tables {
            let range = table.range().start.max(first)..table.range().end;
            for position in range.clone() {
                let row = (table.id(position), table.hash(position), table.location(position));
                let (Some(id), Some(hash), Some(location)) = row else {
                    return Err(missing());
                };
                let row = relative(position)?;
                fence.include(id);
                ids.push((fingerprint(Of::Id, &id.to_bytes()), row));
                keys.extend(table.keys(position).iter().map(|key| (*key, row)));
                offsets.push(offset_of(location)?);
                if segments.last().is_none_or(|s| s.1 != location.segment) {
                    segments.push((row, location.segment));
                }
                growing.push(tree::leaf_hash(&hash), &mut |node, hash| nodes.push((node, hash)));
            }
            for batch in table.batch_firsts().filter(|first| range.contains(first)) {
                batches.push(relative(batch)?);
            }
        }
        let start = tables.iter().find_map(|t| t.location(first)).ok_or_else(missing)?;
        if growing.size() != cursor.position || batches.first() != Some(&0) {
            return Err(missing());
        }
        ids.sort_unstable();
        keys.sort_unstable();
        nodes.sort_unstable_by_key(|n| n.0);
        let about =
            About { first, before: from.root(), frontier: growing.frontier()?, cursor, batch: start.batch, fence, segments };
        Ok(Self { about, ids, keys, offsets, batches, nodes })
    }
}

fn offset_of(location: Location) -> Answer<u32> {
    let too_large = |_| Error::new(ErrorKind::TooLarge, "a frame's offset does not fit in 32 bits");
    Ok(u32::try_from(location.offset).map_err(too_large)?)
}

impl Content for Fresh {
    fn about(&self) -> &About {
        &self.about
    }
    fn ids(&mut self, each: Each<'_, (u64, u32)>) -> Answer<()> {
        self.ids.iter().copied().try_for_each(each)
    }
    fn keys(&mut self, each: Each<'_, Key>) -> Answer<()> {
        for key in self.keys.chunk_by(|a, b| a.0 == b.0) {
            // As many as records, whose positions fit.
            let count = u32::try_from(key.len()).unwrap_or(u32::MAX);
            each(Key { fingerprint: key[0].0, count, first: key[0].1 })?;
        }
        Ok(())
    }
    fn postings(&mut self, each: Each<'_, u32>) -> Answer<()> {
        for key in self.keys.chunk_by(|a, b| a.0 == b.0).filter(|key| key.len() > 1) {
            key.iter().try_for_each(|(_, position)| each(*position))?;
        }
        Ok(())
    }
    fn offsets(&mut self, each: Each<'_, u32>) -> Answer<()> {
        self.offsets.iter().copied().try_for_each(each)
    }
    fn batches(&mut self, each: Each<'_, u32>) -> Answer<()> {
        self.batches.iter().copied().try_for_each(each)
    }
    fn nodes(&mut self, each: Each<'_, Hash>) -> Answer<()> {
        self.nodes.iter().try_for_each(|(_, hash)| each(*hash))
    }
}
