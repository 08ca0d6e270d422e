use crate::files::Files;
use sovang_core::record::{Frame, Prepared};
use sovang_core::tree::Frontier;
use sovang_core::{Head, LedgerId, Position, RecordHash, Result, Size};
use std::path::PathBuf;
use std::sync::Arc;

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

/// How to open a log for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// Bytes of a segment before the log rotates; at most `SEGMENT_BYTES_MAX`.
    pub segment_bytes: u64,
    /// Whether every append also syncs `HEAD` before it answers.
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
    /// The last record's `recorded_at`; 0 when there is none.
    pub last_recorded_at: i64,
}

/// What opening a log for writing found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The rejected tail that was moved away: its file and its bytes' number.
    pub quarantined: Option<(PathBuf, u64)>,
    /// How many batches above the durable head were kept.
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

/// The single writer of a log.
pub struct Log {
    files: Arc<dyn Files>,
}

#[allow(missing_docs, unused_variables, clippy::unimplemented, clippy::missing_errors_doc)]
impl Log {
    pub fn create(files: &Arc<dyn Files>, identity: &Identity, random: Random<'_>) -> Result<()> {
        unimplemented!()
    }
    pub fn open(files: Arc<dyn Files>, options: LogOptions, random: Random<'_>) -> Result<(Self, Recovered)> {
        unimplemented!()
    }
    pub fn identity(&self) -> &Identity {
        unimplemented!()
    }
    pub fn head(&self) -> Head {
        unimplemented!()
    }
    pub fn last_recorded_at(&self) -> i64 {
        unimplemented!()
    }
    pub fn frontier(&self) -> &Frontier {
        unimplemented!()
    }
    pub fn next(&self) -> Cursor {
        unimplemented!()
    }
    pub fn end(&self) -> &End {
        unimplemented!()
    }
    pub fn segments(&self) -> &Arc<Segments> {
        unimplemented!()
    }
    pub fn append(&mut self, records: &[Prepared]) -> Result<Written> {
        unimplemented!()
    }
    pub fn reserve(&mut self, bytes: u64) -> Result<()> {
        unimplemented!()
    }
    pub fn idle(&mut self) -> Result<()> {
        unimplemented!()
    }
    pub fn close(self) -> Result<()> {
        unimplemented!()
    }
    pub fn is_poisoned(&self) -> bool {
        unimplemented!()
    }
}

/// The reading side of a log, shared by threads.
pub struct Segments {
    files: Arc<dyn Files>,
}
#[allow(missing_docs, unused_variables, clippy::unimplemented, clippy::missing_errors_doc)]
impl Segments {
    pub fn start() -> Cursor {
        unimplemented!()
    }
    pub fn frame(&self, at: Location, position: Position) -> Result<Frame> {
        unimplemented!()
    }
    pub fn walk(self: &Arc<Self>, from: Cursor, end: Size) -> Walk {
        unimplemented!()
    }
}

/// Records in order, checksums verified.
pub struct Walk {
    segments: Arc<Segments>,
}
/// One record met on a walk.
#[derive(Clone, Debug)]
pub struct Walked {
    /// Its position.
    pub position: Position,
    /// Where it is.
    pub location: Location,
    /// Its bytes.
    pub frame: Frame,
    /// Whether a batch starts with it.
    pub first_in_batch: bool,
}
#[allow(clippy::unimplemented)]
impl Walk {
    /// Where the batch of the record last given starts.
    pub fn batch(&self) -> Cursor {
        unimplemented!()
    }
}
#[allow(clippy::unimplemented)]
impl Iterator for Walk {
    type Item = Result<Walked>;
    fn next(&mut self) -> Option<Self::Item> {
        unimplemented!()
    }
}

/// A log open for reading only, also beside a live writer. Takes no lock and writes nothing.
pub struct LogView {
    files: Arc<dyn Files>,
}
#[allow(missing_docs, unused_variables, clippy::unimplemented, clippy::missing_errors_doc)]
impl LogView {
    pub fn open(files: Arc<dyn Files>) -> Result<Self> {
        unimplemented!()
    }
    pub fn identity(&self) -> &Identity {
        unimplemented!()
    }
    pub fn head(&self) -> Head {
        unimplemented!()
    }
    pub fn end(&self) -> End {
        unimplemented!()
    }
    pub fn refresh(&self) -> Result<Head> {
        unimplemented!()
    }
    pub fn segments(&self) -> &Arc<Segments> {
        unimplemented!()
    }
    pub fn notes(&self) -> Vec<Note> {
        unimplemented!()
    }
}

/// Something worth knowing that is no fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The file.
    pub file: PathBuf,
    /// The byte in it.
    pub offset: Option<u64>,
    /// What.
    pub what: String,
}
/// Something wrong with the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The record at fault, or the first that may be.
    pub position: Option<Position>,
    /// The file.
    pub file: PathBuf,
    /// The byte in it.
    pub offset: Option<u64>,
    /// What.
    pub what: String,
}
/// What a verification of every byte found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogReport {
    /// The head up to which the log was verified.
    pub head: Head,
    /// Everything wrong.
    pub findings: Vec<Finding>,
    /// What is no fault.
    pub notes: Vec<Note>,
}
/// Re-reads and re-hashes every byte of the log, with no index. `progress` is told bytes done and bytes in all.
///
/// # Errors
/// When the directory is no ledger or cannot be read. Damage is no error here but a finding.
#[allow(unused_variables, clippy::unimplemented)]
pub fn verify(files: &Arc<dyn Files>, progress: &dyn Fn(u64, u64)) -> Result<LogReport> {
    unimplemented!()
}
