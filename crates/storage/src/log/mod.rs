//! The append-only log (docs/FORMAT.md §§1, 2, 4): segments of batches, a durable head in three slots, recovery, rotation,
//! a read-only view and verification. It sees records as bytes and never an event.
//!
//! The rules are those of docs/FORMAT.md §4. In short: a batch is whole or it is not there; the writer writes none before
//! the one before it is durable; whatever says that the log was durable up to some size must agree with the log, or
//! nothing is opened and nothing changed.

mod batch;
mod bytes;
mod check;
mod chunks;
mod copy;
mod create;
mod damage;
mod evidence;
mod force;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(test)]
mod golden;
mod head;
mod head_writer;
mod identity;
mod loss;
mod place;
mod prefix;
mod recovery;
mod repair;
mod segment;
mod segments;
mod verify;
mod view;
mod walk;
mod writer;

pub(crate) use batch::{BATCH_FIXED_BYTES, RECORD_SUM_BYTES};
pub use copy::{
    LogCopy, Provable, Taken, check_readable, first_salt, ledger_of_segments, log_bytes, provable, provable_start, reads_back,
    segments_of, write_provable,
};
pub(crate) use create::begin_anew;
pub use force::force;
pub use loss::{BATCH_HEADER, Island, Trace};
pub use prefix::SEGMENT_ENDS;
pub use segments::Segments;
pub use verify::{Finding, LogReport, verify};
pub use view::{LogView, Note};
pub use walk::{Walk, Walked};
pub(crate) use writer::LOCK_FILE;
pub use writer::Log;

use sovang_core::tree::Frontier;
use sovang_core::{Head, LedgerId, Position, RecordHash, Result};
use std::path::PathBuf;

/// The version of the format that is written and read.
pub const FORMAT_VERSION: u32 = 1;

/// Who a ledger is: written once, at creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Drawn at random at creation.
    pub ledger_id: LedgerId,
    /// The log's name in checkpoints: a C2SP key name of 1 to 255 bytes.
    pub origin: String,
    /// The name of the schema of its events, 1 to 255 bytes.
    pub schema: String,
}

/// Reads who the ledger is: no lock, nothing recovered.
///
/// # Errors
/// [`sovang_core::ErrorKind::NotALedger`], [`sovang_core::ErrorKind::WrongFormat`], [`sovang_core::ErrorKind::Damaged`];
/// those of the system.
pub fn identity_of(files: &dyn crate::files::Files) -> Result<Identity> {
    identity::read(files)
}

/// How to open a log for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// Bytes of a segment before the log rotates; at most [`sovang_core::limits::SEGMENT_BYTES_MAX`]. A batch that is
    /// larger gets a segment of its own.
    pub segment_bytes: u64,
    /// Whether every append also syncs `HEAD` before it answers: twice the syncs, and then a power loss together with
    /// damage at the log's end cannot hide a batch.
    pub strict: bool,
}

/// Where a record's frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// The segment's number.
    pub segment: u64,
    /// The frame's first byte in the segment's file.
    pub offset: u64,
    /// The number of the batch that holds it.
    pub batch: u64,
}

/// A place between two batches, from which the log can be walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The segment's number.
    pub segment: u64,
    /// Where the next batch starts in the segment's file.
    pub offset: u64,
    /// The next batch's number.
    pub batch: u64,
    /// The position of the next batch's first record.
    pub position: u64,
}

/// A source of random bytes; randomness arrives as an argument.
pub type Random<'a> = &'a dyn Fn(&mut [u8]) -> Result<()>;

/// The log up to the end of a batch: all that is needed to append to it or to read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The tree's frontier, and so size and root.
    pub frontier: Frontier,
    /// Where the next batch starts.
    pub next: Cursor,
    /// The last record's `recorded_at` in microseconds; 0 when there is none.
    pub last_recorded_at: i64,
}

impl End {
    /// Of a log without a record.
    #[must_use]
    pub fn start() -> Self {
        let next = Cursor { segment: 0, offset: segment::SEGMENT_HEADER_BYTES as u64, batch: 1, position: 0 };
        Self { frontier: Frontier::new(), next, last_recorded_at: 0 }
    }
    /// Size and root.
    #[must_use]
    pub fn head(&self) -> Head {
        self.frontier.head()
    }
    /// The number of the last batch; 0 when there is none.
    fn last_batch(&self) -> u64 {
        self.next.batch.saturating_sub(1)
    }
}

/// What opening a log for writing found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// A rejected tail that was moved away: its file now, and how many bytes.
    pub quarantined: Option<(PathBuf, u64)>,
    /// How many batches above the durable head were whole and kept.
    pub kept_batches: u64,
    /// Whether a rotation that had been interrupted was finished.
    pub finished_rotation: bool,
}

/// What one append wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The first record's position.
    pub first: Position,
    /// Where each record's frame is.
    pub locations: Vec<Location>,
    /// Each record's hash.
    pub hashes: Vec<RecordHash>,
    /// The head after it.
    pub head: Head,
}
