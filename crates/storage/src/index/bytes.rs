//! Bytes of the index's entries (docs/FORMAT.md §6.1), for the table of what an event may cost.

use super::footer::Section;
use super::page::FILTER_BITS_PER_ENTRY;

/// An id: fingerprint and position.
pub(crate) const ID: usize = Section::Ids.width();
/// A distinct key: fingerprint, count and start.
pub(crate) const KEY: usize = Section::Keys.width();
/// A position of a key that has several.
pub(crate) const POSITION: usize = Section::Postings.width();
/// Where a frame starts.
pub(crate) const OFFSET: usize = Section::Offsets.width();
/// A batch's first position.
pub(crate) const BATCH: usize = Section::Batches.width();
/// A node of the tree.
pub(crate) const NODE: usize = Section::Nodes.width();
/// Bits of a filter for each id and each distinct key.
pub(crate) const FILTER_BITS: usize = 12;
const _: () = assert!(FILTER_BITS as u64 == FILTER_BITS_PER_ENTRY);
