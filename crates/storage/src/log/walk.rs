//! Walking a log forward: records in order, every checksum on the way verified.

use super::batch::{
    BATCH_HEADER_BYTES, BATCH_MAGIC, BatchHeader, RECORD_SUM_BYTES, TRAILER_BYTES, Trailer, record_bytes, take_record,
};
use super::chunks::Chunks;
use super::damage::Damage;
use super::segment::SEAL_MAGIC;
use super::segments::{Segment, Segments};
use super::{Cursor, Location};
use bytes::Bytes;
use sovang_core::record::{Frame, HEADER_BYTES};
use sovang_core::{Error, ErrorKind, Position, Result, Size};
use std::sync::Arc;

/// Bytes read at once. A frame that is kept keeps as many in memory.
const CHUNK_BYTES: usize = 256 << 10;

/// One record met on a walk.
#[derive(Clone, Debug)]
pub struct Walked {
    /// Its position.
    pub position: Position,
    /// Where it is.
    pub location: Location,
    /// Its bytes, a part of those read at once: copy them to keep a record for long.
    pub frame: Frame,
    /// Whether a batch starts with it.
    pub first_in_batch: bool,
}

/// Records in order; the checksums of batch headers, records and trailers are verified, the roots are not. Ends after the
/// first error.
pub struct Walk {
    segments: Arc<Segments>,
    segment: Option<Arc<Segment>>,
    end: u64,
    /// The batch of the record given last, and the one after it.
    batch: Cursor,
    next: Cursor,
    /// The header of the batch under way.
    header: Option<BatchHeader>,
    /// Where the next bytes to take are, and the position of the next record.
    offset: u64,
    position: u64,
    /// The segment's bytes.
    chunks: Option<Chunks>,
    failed: bool,
}

impl Walk {
    pub(super) fn new(segments: Arc<Segments>, from: Cursor, end: Size) -> Self {
        Self {
            segments,
            segment: None,
            end: end.0,
            batch: from,
            next: from,
            header: None,
            offset: from.offset,
            position: from.position,
            chunks: None,
            failed: false,
        }
    }
    /// Where the batch of the record given last starts; before the first record, where the walk starts.
    #[must_use]
    pub fn batch(&self) -> Cursor {
        self.batch
    }
    /// Where the batch after it starts, unless a segment ends there.
    #[must_use]
    pub fn after(&self) -> Cursor {
        self.next
    }

    fn damaged(&self, segment: &Segment, what: &'static str) -> Error {
        let damage = Damage::new(&*segment.path, what).at(self.offset).of(self.position);
        let expected = match self.header {
            Some(header) => format!("the record of position {} in batch {}, or that batch's end", self.position, header.number),
            None => format!("batch {}, from position {} on", self.next.batch, self.next.position),
        };
        self.segments.damage(damage.expecting(expected))
    }

    fn ahead(&mut self, segment: &Segment, want: usize) -> Result<Bytes> {
        let file = || Chunks::new(Arc::clone(&segment.file), CHUNK_BYTES);
        let chunks = self.chunks.get_or_insert_with(file);
        chunks.ahead(self.offset, want).map_err(self.segments.read_failed(segment))
    }

    fn enter(&mut self, segment: Arc<Segment>) -> Arc<Segment> {
        self.segment = Some(Arc::clone(&segment));
        self.chunks = None;
        segment
    }

    /// Takes the header of the next batch, in this segment or in the one after it.
    fn take_header(&mut self) -> Result<(Arc<Segment>, BatchHeader)> {
        let mut segment = match &self.segment {
            Some(segment) => Arc::clone(segment),
            None => {
                let first = self.segments.segment(self.next.segment)?;
                self.enter(first)
            }
        };
        let mut bytes = self.ahead(&segment, BATCH_HEADER_BYTES)?;
        if !bytes.starts_with(&BATCH_MAGIC)
            && let Some(successor) = self.successor(bytes.starts_with(&SEAL_MAGIC))?
        {
            self.next = successor.header.start.next;
            self.offset = self.next.offset;
            segment = self.enter(successor);
            bytes = self.ahead(&segment, BATCH_HEADER_BYTES)?;
        }
        let header = BatchHeader::take(&bytes, segment.sums, self.offset);
        let header = header.ok_or_else(|| self.damaged(&segment, "the batch header's checksum fails"))?;
        header.check(&self.next).map_err(|what| self.damaged(&segment, what))?;
        self.batch = self.next;
        self.next = header.after(&self.batch);
        self.offset += BATCH_HEADER_BYTES as u64;
        self.header = Some(header);
        Ok((segment, header))
    }

    /// The next segment, if this one ends here.
    fn successor(&self, sealed: bool) -> Result<Option<Arc<Segment>>> {
        let successor = match self.segments.segment(self.next.segment + 1) {
            Ok(successor) => successor,
            // Without a seal it is this segment that is damaged, whatever the next one is.
            Err(e) if e.kind() == ErrorKind::Damaged && !sealed => return Ok(None),
            Err(e) => return Err(e),
        };
        let start = successor.header.start.next;
        let continues = successor.header.predecessor_length == self.next.offset
            && (start.position, start.batch) == (self.next.position, self.next.batch);
        Ok(continues.then_some(successor))
    }

    /// The bytes of the next record and its checksum, as far as the batch goes.
    fn record_ahead(&mut self, segment: &Segment) -> Result<Bytes> {
        let end = self.next.offset - TRAILER_BYTES as u64;
        let left = usize::try_from(end.saturating_sub(self.offset)).unwrap_or(0);
        let mut want = HEADER_BYTES.min(left);
        loop {
            let bytes = self.ahead(segment, want)?;
            let bytes = bytes.slice(..bytes.len().min(left));
            let more = record_bytes(&bytes).filter(|more| *more > bytes.len() && *more <= left);
            match more {
                Some(more) if bytes.len() >= want => want = more,
                _ => return Ok(bytes),
            }
        }
    }

    /// Takes the trailer of the batch whose records are all taken.
    fn take_trailer(&mut self, segment: &Segment, header: &BatchHeader) -> Result<()> {
        if self.offset + TRAILER_BYTES as u64 != self.next.offset {
            return Err(self.damaged(segment, "the records do not fill their batch"));
        }
        let bytes = self.ahead(segment, TRAILER_BYTES)?;
        if Trailer::take(&bytes, segment.sums, self.offset) != Some(Trailer::of(header)) {
            return Err(self.damaged(segment, "the batch trailer's checksum fails"));
        }
        self.offset = self.next.offset;
        self.header = None;
        Ok(())
    }

    fn take_record(&mut self) -> Result<Walked> {
        let (segment, header, first_in_batch) = match (&self.segment, self.header) {
            (Some(segment), Some(header)) => (Arc::clone(segment), header, false),
            _ => {
                let (segment, header) = self.take_header()?;
                (segment, header, true)
            }
        };
        let bytes = self.record_ahead(&segment)?;
        let len = take_record(&bytes, segment.sums, self.offset, self.position, header.number)
            .map_err(|what| self.damaged(&segment, what))?;
        let frame = Frame::parse(bytes.slice(..len)).map_err(|_| self.damaged(&segment, "the record is malformed"))?;
        let location = Location { segment: self.batch.segment, offset: self.offset, batch: header.number };
        let walked = Walked { position: Position(self.position), location, frame, first_in_batch };
        self.offset += (len + RECORD_SUM_BYTES) as u64;
        if walked.position.next().0 == header.end_size {
            self.take_trailer(&segment, &header)?;
        }
        self.position += 1;
        Ok(walked)
    }
}

impl Iterator for Walk {
    type Item = Result<Walked>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.position >= self.end {
            return None;
        }
        let walked = self.take_record();
        self.failed = walked.is_err();
        Some(walked)
    }
}
