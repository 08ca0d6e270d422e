//! What an event may cost on disk, as a table that does not compile when it is exceeded (docs/FORMAT.md §10).
//!
//! The event of the budget: an encoding (metadata and payload) of 100 bytes, two tags of which one is new with every event
//! and the other shared, no personal field, written in batches of 1,000. Thousandths of a byte, so that shares count.

use crate::index::bytes as index;
use sovang_core::record;

const fn whole(bytes: usize) -> usize {
    bytes * 1000
}

const ENCODING: usize = whole(100);
const TAGS: usize = whole(2 * record::TAG_BYTES);
const FRAME: usize = whole(record::HEADER_BYTES + record::BODY_PREFIX_BYTES) + ENCODING + TAGS;
const LOG: usize = FRAME + whole(crate::log::RECORD_SUM_BYTES) + whole(crate::log::BATCH_FIXED_BYTES) / 1000;
/// Filters take 12 bits an entry; a key that is met once has its position in its entry, a shared one a posting each time.
const INDEX: usize = whole(index::ID + index::KEY + index::POSITION + index::OFFSET)
    + 2 * whole(index::FILTER_BITS) / 8
    + whole(index::BATCH) / 1000
    + whole(index::NODE) / 255;
/// Every page of an index run gives 4 of 4,096 bytes to its checksum.
const INDEX_PAGED: usize = INDEX * 4096 / 4092 + 1;

/// Bytes an event of the budget, rounded up: log and index.
pub const EVENT_BYTES: usize = (LOG + INDEX_PAGED).div_ceil(1000);
/// Bytes that it may have: below SQLite's 233, Tephra's 245 and redb's 283 for such an event.
pub const EVENT_BYTES_MAX: usize = 230;
const _: () = assert!(EVENT_BYTES <= EVENT_BYTES_MAX);
