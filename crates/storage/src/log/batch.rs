//! A batch's bytes and when they are valid (docs/FORMAT.md §2.3). Recovery, walks and verification all read through this
//! one framing, so that they cannot differ in what they take for a batch.

use super::bytes::{Put, Take};
use super::segment::Sums;
use super::{Cursor, End};
use bytes::Bytes;
use sovang_core::limits::BATCH_BYTES_MAX;
use sovang_core::record::{Frame, HEADER_BYTES};
use sovang_core::{Position, Root, tree};

pub(super) const BATCH_MAGIC: [u8; 4] = *b"SOVB";
const TRAILER_MAGIC: [u8; 4] = *b"SOVT";
pub(super) const BATCH_HEADER_BYTES: usize = 128;
pub(super) const TRAILER_BYTES: usize = 72;
/// Bytes of the checksum that follows each frame.
pub(crate) const RECORD_SUM_BYTES: usize = 4;
const _: () = assert!(4 + 4 + 8 + 8 + 4 + 4 + 8 + 32 + 8 + 8 + 32 + 4 + 4 == BATCH_HEADER_BYTES);
const _: () = assert!(4 + 4 + 8 + 8 + 8 + 32 + 4 + 4 == TRAILER_BYTES);
/// Bytes of a batch that are no record's.
pub(crate) const BATCH_FIXED_BYTES: usize = BATCH_HEADER_BYTES + TRAILER_BYTES;

/// How far the log was known durable when a header was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Proven {
    pub(super) offset: u64,
    pub(super) size: u64,
    pub(super) root: Root,
}

/// A batch's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BatchHeader {
    pub(super) count: u32,
    pub(super) number: u64,
    pub(super) first: u64,
    pub(super) records_bytes: u32,
    pub(super) end_size: u64,
    pub(super) root: Root,
    pub(super) proven: Proven,
}

impl BatchHeader {
    /// Puts the header of a batch that starts at an offset.
    pub(super) fn put(&self, to: &mut Vec<u8>, sums: Sums, offset: u64) {
        let start = to.len();
        Put(to)
            .bytes(&BATCH_MAGIC)
            .u32(self.count)
            .u64(self.number)
            .u64(self.first)
            .u32(self.records_bytes)
            .u32(0)
            .u64(self.end_size)
            .bytes(&self.root.0)
            .u64(self.proven.offset)
            .u64(self.proven.size)
            .bytes(&self.proven.root.0)
            .u32(0);
        let sum = sums.sum(offset, self.first, self.number, &to[start..]);
        Put(to).u32(sum);
    }
    /// Takes the header at an offset: (1) its magic, reserved bytes and checksum must hold.
    pub(super) fn take(bytes: &[u8], sums: Sums, offset: u64) -> Option<Self> {
        let whole = bytes.first_chunk::<BATCH_HEADER_BYTES>()?;
        let mut fields = Take(whole);
        if fields.array() != BATCH_MAGIC {
            return None;
        }
        let (count, number, first, records_bytes) = (fields.u32(), fields.u64(), fields.u64(), fields.u32());
        let reserved = fields.u32();
        let (end_size, root) = (fields.u64(), fields.root());
        let proven = Proven { offset: fields.u64(), size: fields.u64(), root: fields.root() };
        let reserved = reserved | fields.u32();
        let sum = sums.sum(offset, first, number, &whole[..BATCH_HEADER_BYTES - 4]);
        (reserved == 0 && fields.u32() == sum).then_some(Self { count, number, first, records_bytes, end_size, root, proven })
    }
    /// Header, records and trailer together.
    pub(super) fn batch_bytes(&self) -> u64 {
        BATCH_FIXED_BYTES as u64 + u64::from(self.records_bytes)
    }
    /// (2) It continues what is before it, and (3) its numbers fit together.
    pub(super) fn check(&self, next: &Cursor) -> Result<(), &'static str> {
        if self.number != next.batch || self.first != next.position {
            return Err("the batch does not continue the one before");
        }
        // A number that has no next one is nobody's: writers begin at 1.
        if self.count == 0 || self.number == u64::MAX || self.first.checked_add(u64::from(self.count)) != Some(self.end_size) {
            return Err("the batch's sizes do not add up");
        }
        if self.batch_bytes() > BATCH_BYTES_MAX as u64 {
            return Err("the batch is larger than BATCH_BYTES_MAX");
        }
        Ok(())
    }
    /// Where the next batch starts when this one starts at `at`.
    pub(super) fn after(&self, at: &Cursor) -> Cursor {
        Cursor { segment: at.segment, offset: at.offset + self.batch_bytes(), batch: self.number + 1, position: self.end_size }
    }
}

/// A batch's trailer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trailer {
    pub(super) count: u32,
    pub(super) number: u64,
    pub(super) first: u64,
    pub(super) end_size: u64,
    pub(super) root: Root,
}

impl Trailer {
    /// Of the batch with that header.
    pub(super) fn of(header: &BatchHeader) -> Self {
        Self { count: header.count, number: header.number, first: header.first, end_size: header.end_size, root: header.root }
    }
    /// Puts the trailer at an offset.
    pub(super) fn put(&self, to: &mut Vec<u8>, sums: Sums, offset: u64) {
        let start = to.len();
        Put(to)
            .bytes(&TRAILER_MAGIC)
            .u32(self.count)
            .u64(self.number)
            .u64(self.first)
            .u64(self.end_size)
            .bytes(&self.root.0)
            .u32(0);
        let sum = sums.sum(offset, self.end_size, self.number, &to[start..]);
        Put(to).u32(sum);
    }
    /// Takes the trailer at an offset: its magic, reserved bytes and checksum must hold.
    pub(super) fn take(bytes: &[u8], sums: Sums, offset: u64) -> Option<Self> {
        let whole = bytes.first_chunk::<TRAILER_BYTES>()?;
        let mut fields = Take(whole);
        if fields.array() != TRAILER_MAGIC {
            return None;
        }
        let (count, number, first, end_size, root) = (fields.u32(), fields.u64(), fields.u64(), fields.u64(), fields.root());
        let reserved = fields.u32();
        let sum = sums.sum(offset, end_size, number, &whole[..TRAILER_BYTES - 4]);
        (reserved == 0 && fields.u32() == sum).then_some(Self { count, number, first, end_size, root })
    }
}

/// How many bytes the record that starts `bytes` takes with its checksum, as far as they tell; with so many they tell
/// more. None when its length cannot be.
pub(super) fn record_bytes(bytes: &[u8]) -> Option<usize> {
    match (Frame::length(bytes), bytes.first_chunk::<4>()) {
        (Ok(Some(len)), _) => Some(len + RECORD_SUM_BYTES),
        // The count of the commitments stands after the body.
        (Ok(None), Some(body)) if bytes.len() >= HEADER_BYTES => Some(HEADER_BYTES + u32::from_le_bytes(*body) as usize + 2),
        (Ok(None), _) => Some(HEADER_BYTES),
        (Err(_), _) => None,
    }
}

/// The length of the frame that starts `bytes`, its checksum verified. `bytes` reach to the end of the batch's records.
pub(super) fn take_record(bytes: &[u8], sums: Sums, offset: u64, position: u64, batch: u64) -> Result<usize, &'static str> {
    let len = match Frame::length(bytes) {
        Ok(Some(len)) => len,
        Ok(None) => return Err("the record reaches past its batch"),
        Err(_) => return Err("the record is longer than RECORD_BYTES_MAX"),
    };
    let sum = bytes.get(len..).and_then(|rest| rest.first_chunk::<RECORD_SUM_BYTES>());
    match sum {
        None => Err("the record reaches past its batch"),
        Some(sum) if u32::from_le_bytes(*sum) != sums.sum(offset, position, batch, &bytes[..len]) => {
            Err("the record's checksum fails")
        }
        Some(_) => Ok(len),
    }
}

/// Where a batch is not valid, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Defect {
    pub(super) offset: u64,
    pub(super) position: u64,
    pub(super) what: &'static str,
}

/// A batch that is valid but for its root, which was not recomputed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Framed {
    pub(super) header: BatchHeader,
    pub(super) next: Cursor,
    pub(super) last_recorded_at: i64,
}

/// Checks rules (1) to (6) on the batch that starts `bytes`, and shows each record.
pub(super) fn frame_batch(
    bytes: &Bytes,
    sums: Sums,
    at: &Cursor,
    last_recorded_at: i64,
    each: &mut dyn FnMut(u64, &Frame),
) -> Result<Framed, Defect> {
    let defect = |what| Defect { offset: at.offset, position: at.position, what };
    let header = BatchHeader::take(bytes, sums, at.offset).ok_or(defect("the batch header's checksum fails"))?;
    header.check(at).map_err(defect)?;
    let next = header.after(at);
    let trailer_at = BATCH_HEADER_BYTES + header.records_bytes as usize;
    if bytes.len() < trailer_at + TRAILER_BYTES {
        return Err(defect("the batch reaches past the end of the segment"));
    }
    let records = bytes.slice(..trailer_at);
    let mut last = last_recorded_at;
    let mut from = BATCH_HEADER_BYTES;
    for position in header.first..header.end_size {
        let offset = at.offset + from as u64;
        let defect = |what| Defect { offset, position, what };
        let len = take_record(&records[from..], sums, offset, position, header.number).map_err(defect)?;
        let frame = Frame::parse(records.slice(from..from + len)).map_err(|_| defect("the record is malformed"))?;
        if position > 0 && frame.recorded_at() < last {
            return Err(defect("recorded_at goes back"));
        }
        last = frame.recorded_at();
        each(position, &frame);
        from += len + RECORD_SUM_BYTES;
    }
    let trailer_offset = at.offset + trailer_at as u64;
    let defect = |what| Defect { offset: trailer_offset, position: at.position, what };
    if from != trailer_at {
        return Err(defect("the records do not fill their batch"));
    }
    match Trailer::take(&bytes[trailer_at..], sums, trailer_offset) {
        None => Err(defect("the batch trailer's checksum fails")),
        Some(trailer) if trailer != Trailer::of(&header) => Err(defect("the batch trailer disagrees with its header")),
        Some(_) => Ok(Framed { header, next, last_recorded_at: last }),
    }
}

/// Checks that the batch that starts `bytes` is valid, all of its rules, and gives the log's end after it.
pub(super) fn whole_batch(bytes: &Bytes, sums: Sums, before: &End) -> Result<(BatchHeader, End), Defect> {
    let mut frontier = before.frontier.clone();
    let framed = frame_batch(bytes, sums, &before.next, before.last_recorded_at, &mut |position, frame| {
        frontier.push(tree::leaf_hash(&frame.hash(Position(position))));
    })?;
    if frontier.root() != framed.header.root {
        return Err(Defect { offset: before.next.offset, position: before.next.position, what: ROOT_FAILS });
    }
    Ok((framed.header, End { frontier, next: framed.next, last_recorded_at: framed.last_recorded_at }))
}

/// Its bytes are those that were written, but a faulty program wrote them.
pub(super) const UNREADABLE: &str = "the record's metadata, day or instant cannot be read";
/// (7) fails while every checksum holds.
pub(super) const ROOT_FAILS: &str = "the records of the batch do not lead to its root";
