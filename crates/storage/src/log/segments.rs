//! The reading side of a log: single records by their location, and segments' headers and files for walks.

use super::batch::{record_bytes, take_record};
use super::damage::Damage;
use super::evidence::{open_segment, place_agrees, read};
use super::segment::{SegmentHeader, Sums, segment_path};
use super::walk::Walk;
use super::{Cursor, End, Location};
use crate::files::{File, Files, Open};
use crate::sync::RwLock;
use bytes::Bytes;
use sovang_core::record::Frame;
use sovang_core::{Error, LedgerId, Position, Result, Size};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError};

/// Bytes read for a record before its length is known: most are shorter.
const GUESS_BYTES: usize = 768;
/// Segments kept open at once.
const OPEN_MAX: usize = 128;

/// A segment as the reading side needs it.
pub(super) struct Segment {
    pub(super) file: Arc<dyn File>,
    pub(super) header: SegmentHeader,
    pub(super) sums: Sums,
    pub(super) path: String,
}

/// The reading side of a log, shared by threads. It reads what the caller knows to be durable; what it finds otherwise is damage.
pub struct Segments {
    files: Arc<dyn Files>,
    ledger: LedgerId,
    open: RwLock<BTreeMap<u64, Arc<Segment>>>,
}

impl Segments {
    pub(super) fn new(files: Arc<dyn Files>, ledger: LedgerId) -> Self {
        Self { files, ledger, open: RwLock::new(BTreeMap::new()) }
    }
    /// Where every log starts.
    #[must_use]
    pub fn start() -> Cursor {
        End::start().next
    }

    /// The segment of that number, opened once.
    pub(super) fn segment(&self, number: u64) -> Result<Arc<Segment>> {
        if let Some(segment) = self.open.read().unwrap_or_else(PoisonError::into_inner).get(&number) {
            return Ok(Arc::clone(segment));
        }
        let (file, header, _) = open_segment(&*self.files, self.ledger, number, Open::Read)?;
        Ok(self.insert(file, header))
    }
    /// Takes a segment's file in place of the one of that number, if there is one: recovery may have put another in place.
    pub(super) fn insert(&self, file: Arc<dyn File>, header: SegmentHeader) -> Arc<Segment> {
        let (sums, number) = (header.sums(), header.number());
        let segment = Arc::new(Segment { file, header, sums, path: segment_path(number) });
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= OPEN_MAX {
            // Old segments are read in passing, the last ones all the time.
            open.pop_first();
        }
        open.insert(number, Arc::clone(&segment));
        segment
    }
    /// Forgets the files of the segments from a number on: what is read of them from now on is what stands there now.
    pub(super) fn forget_from(&self, number: u64) {
        self.open.write().unwrap_or_else(PoisonError::into_inner).split_off(&number);
    }
    /// Whether the log agrees with a slot of `HEAD` at the place it points to.
    pub(super) fn agrees(&self, slot: &End) -> Result<bool> {
        let segment = self.segment(slot.next.segment)?;
        place_agrees(&*segment.file, &segment.header, slot).map_err(self.read_failed(&segment))
    }
    pub(super) fn damage(&self, damage: Damage) -> Error {
        damage.error(&*self.files)
    }
    pub(super) fn read_failed(&self, segment: &Segment) -> impl Fn(io::Error) -> Error {
        let path = self.files.describe(&segment.path);
        move |e| Error::io(e, "read the log", path.clone())
    }

    /// The record at a location, its checksum verified. The frame owns its memory.
    ///
    /// # Errors
    /// [`sovang_core::ErrorKind::Damaged`] with the position when the bytes there are not that record; those of the system.
    pub fn frame(&self, at: Location, position: Position) -> Result<Frame> {
        let segment = self.segment(at.segment)?;
        let fail = self.read_failed(&segment);
        let mut guess = [0; GUESS_BYTES];
        let got = segment.file.read_at(&mut guess, at.offset).map_err(&fail)?;
        let mut bytes = &guess[..got];
        let mut longer;
        while let Some(want) = record_bytes(bytes).filter(|want| *want > bytes.len()) {
            longer = read(&*segment.file, at.offset, want).map_err(&fail)?;
            bytes = &longer;
            if bytes.len() < want {
                break;
            }
        }
        let damaged = |what| {
            let damage = Damage::new(&*segment.path, what).at(at.offset).of(position.0);
            self.damage(damage.expecting(format!("the record of position {position} in batch {}", at.batch)))
        };
        let len = take_record(bytes, segment.sums, at.offset, position.0, at.batch).map_err(damaged)?;
        Frame::parse(Bytes::copy_from_slice(&bytes[..len])).map_err(|_| damaged("the record is malformed"))
    }

    /// Walks the records from a place between two batches up to a size, which must be durable.
    #[must_use]
    pub fn walk(self: &Arc<Self>, from: Cursor, end: Size) -> Walk {
        Walk::new(Arc::clone(self), from, end)
    }
}

impl fmt::Debug for Segments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Segments({})", self.ledger)
    }
}
