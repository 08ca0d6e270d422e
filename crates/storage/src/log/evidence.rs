//! Reading what recovery judges: `HEAD`, then the listing, then the end of the log, in this order, since evidence is only
//! held against what was read after it. Nothing here writes.

use super::batch::{TRAILER_BYTES, Trailer};
use super::bytes::is_zero;
use super::damage::Damage;
use super::head::{HEAD_BYTES, HEAD_FILE, SLOT_BYTES, SLOTS, best_slot, decode_slots};
use super::recovery::{Claim, SLACK_BYTES, Scan, check_slot, scan, slot_agrees};
use super::segment::{
    LOG_DIRECTORY, SEAL_BYTES, SEGMENT_FILE_BYTES_MAX, SEGMENT_HEADER_BYTES, SegmentHeader, seal, segment_path,
};
use super::{Cursor, End};
use crate::files::{File, Files, Open, why_no_file};
use bytes::Bytes;
use sovang_core::{Error, LedgerId, Result, hash};
use std::io;
use std::sync::Arc;

/// Bytes read at once.
pub(super) const CHUNK_BYTES: usize = 1 << 20;

/// `HEAD` as read, with at least one valid slot.
pub(super) struct HeadFile {
    pub(super) bytes: Vec<u8>,
    pub(super) slots: [Option<End>; SLOTS],
    /// The valid slot that knows of the most.
    pub(super) best: usize,
    pub(super) best_end: End,
}

/// The names in `log/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listing {
    /// The last segment's number; there is one of each below.
    pub(super) last: u64,
    /// Names that are no segment's.
    pub(super) others: Vec<String>,
}

/// How the segment before the last one stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Predecessor {
    /// There is none.
    None,
    Sealed,
    /// Whole, but its seal is missing or not the end of the file: the rotation was interrupted.
    Unsealed,
}

/// The end of a log as read.
pub(super) struct Reading {
    pub(super) listing: Listing,
    pub(super) header: SegmentHeader,
    pub(super) header_bytes: Vec<u8>,
    pub(super) file: Arc<dyn File>,
    pub(super) predecessor: Predecessor,
    pub(super) scan: Scan,
}

/// The failure of a read that should have worked.
pub(super) fn read_failed(files: &dyn Files, path: &str) -> impl Fn(io::Error) -> Error {
    move |e| match why_no_file(&e) {
        Some(what) => Damage::new(path, what).error(files),
        None if e.kind() == io::ErrorKind::FileTooLarge => too_long(path).error(files),
        None => Error::io(e, "read the log", files.describe(path)),
    }
}

/// A segment's file goes on where no writer has reserved anything.
fn too_long(path: &str) -> Damage {
    Damage::new(path, "the file is longer than a segment's can be").at(SEGMENT_FILE_BYTES_MAX)
}

/// Reads `len` bytes, fewer only at the file's end.
pub(super) fn read(file: &dyn File, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    let got = file.read_at(&mut bytes, offset)?;
    bytes.truncate(got);
    Ok(bytes)
}

/// Reads `HEAD`, valid or not.
pub(super) fn read_head_bytes(files: &dyn Files) -> Result<Vec<u8>> {
    let fail = read_failed(files, HEAD_FILE);
    let file = files.open(HEAD_FILE, Open::Read).map_err(&fail)?;
    read(&*file, 0, HEAD_BYTES).map_err(fail)
}

/// `HEAD` says nothing.
pub(super) fn no_slot() -> Damage {
    let damage = Damage::new(HEAD_FILE, "none of the three slots is valid").at(0);
    damage.expecting("at least one with its magic, this ledger's id and its checksum")
}

/// Reads `HEAD`.
pub(super) fn read_head(files: &dyn Files, ledger: LedgerId) -> Result<HeadFile> {
    let bytes = read_head_bytes(files)?;
    let slots = decode_slots(&bytes, ledger);
    let Some((best, best_end)) = best_slot(&slots).map(|(i, end)| (i, end.clone())) else {
        return Err(no_slot().error(files));
    };
    Ok(HeadFile { bytes, slots, best, best_end })
}

impl HeadFile {
    /// Its valid slots as claims.
    pub(super) fn claims(&self) -> Vec<Claim> {
        let claim = |(i, slot): (usize, &Option<End>)| {
            let head = slot.as_ref()?.head();
            Some(Claim { head, file: HEAD_FILE.to_owned(), offset: (i * SLOT_BYTES) as u64 })
        };
        self.slots.iter().enumerate().filter_map(claim).collect()
    }
    /// The claims that a scan can judge; the others' places were checked by themselves.
    pub(super) fn claims_from(&self, scan: &Scan) -> Vec<Claim> {
        self.claims().into_iter().filter(|claim| claim.head.size.0 >= scan.start_size()).collect()
    }
    /// A slot beside the best one that says this.
    pub(super) fn other_slot_of(&self, end: &End) -> Option<usize> {
        (0..SLOTS).find(|slot| *slot != self.best && self.slots[*slot].as_ref() == Some(end))
    }
    /// The bytes of the best slot.
    pub(super) fn best_bytes(&self) -> &[u8] {
        &self.bytes[self.best * SLOT_BYTES..(self.best + 1) * SLOT_BYTES]
    }
}

/// The numbers of the segments in `log/`, ascending, and the names that are no segment's.
pub(super) fn list_numbers(files: &dyn Files) -> Result<(Vec<u64>, Vec<String>)> {
    let names = files.list(LOG_DIRECTORY).map_err(read_failed(files, LOG_DIRECTORY))?;
    let (mut numbers, mut others) = (Vec::new(), Vec::new());
    for name in names {
        match name.parse::<u64>() {
            Ok(number) if number.to_string() == name => numbers.push(number),
            _ => others.push(name),
        }
    }
    numbers.sort_unstable();
    Ok((numbers, others))
}

/// The first segment that is missing among these.
pub(super) fn first_gap(numbers: &[u64]) -> Option<u64> {
    let gap = (0..).zip(numbers).find(|(expected, number)| expected != *number);
    if numbers.is_empty() { Some(0) } else { gap.map(|(expected, _)| expected) }
}

/// Lists `log/`.
fn list(files: &dyn Files) -> Result<Listing> {
    let (numbers, others) = list_numbers(files)?;
    match (first_gap(&numbers), numbers.last()) {
        (None, Some(last)) => Ok(Listing { last: *last, others }),
        (gap, _) => Err(missing(gap.unwrap_or(0)).error(files)),
    }
}

/// A segment that must be there is not.
pub(super) fn missing(number: u64) -> Damage {
    Damage::new(segment_path(number), "the segment is missing").expecting("every number from 0 on, without a gap")
}

/// A segment's header is not what it must be.
pub(super) fn bad_header(number: u64, what: &'static str) -> Damage {
    Damage::new(segment_path(number), what)
        .at(0)
        .expecting(format!("the header of segment {number} of this ledger, {SEGMENT_HEADER_BYTES} bytes"))
}

/// Opens a segment and reads its header.
pub(super) fn open_segment(
    files: &dyn Files,
    ledger: LedgerId,
    number: u64,
    how: Open,
) -> Result<(Arc<dyn File>, SegmentHeader, Vec<u8>)> {
    let path = segment_path(number);
    let fail = read_failed(files, &path);
    let file = files.open(&path, how).map_err(&fail)?;
    let bytes = read(&*file, 0, SEGMENT_HEADER_BYTES).map_err(fail)?;
    let header = SegmentHeader::decode(&bytes, ledger, number).map_err(|what| bad_header(number, what).error(files))?;
    Ok((file, header, bytes))
}

/// Reads from an offset to the last byte that is not zero, and a few zeros more where the file has them. `FileTooLarge` where it goes
/// on beyond what a segment's file can have: whatever is there, it is not read into memory.
fn read_used(file: &dyn File, from: u64) -> io::Result<Bytes> {
    let mut used = Vec::new();
    let mut zeros = 0;
    let mut chunk = vec![0; CHUNK_BYTES / 64];
    let mut at = from;
    loop {
        let got = file.read_at(&mut chunk, at)?;
        let read = &chunk[..got];
        if is_zero(read) {
            zeros += got;
        } else {
            used.resize(used.len() + zeros, 0);
            used.extend_from_slice(read);
            zeros = 0;
        }
        at += got as u64;
        if at > SEGMENT_FILE_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if got < chunk.len() {
            break;
        }
        chunk.resize((chunk.len() * 2).min(CHUNK_BYTES), 0);
    }
    used.resize(used.len() + zeros.min(SLACK_BYTES), 0);
    Ok(used.into())
}

/// Reads the end of the log, and holds `HEAD` against the places it points to. `how` is how the last segment is opened.
pub(super) fn read_end(files: &dyn Files, ledger: LedgerId, head: &HeadFile, how: Open) -> Result<Reading> {
    let listing = list(files)?;
    let (file, header, header_bytes) = open_segment(files, ledger, listing.last, how)?;
    let predecessor = check_predecessor(files, &header)?;
    check_slots(files, head, &*file, &header)?;
    let path = segment_path(listing.last);
    let fail = read_failed(files, &path);
    let mut start = &header.start;
    if head.best_end.next.segment == listing.last {
        start = &head.best_end;
    }
    let mut scanned = scan(header.sums(), start, read_used(&*file, start.next.offset).map_err(&fail)?);
    if scanned.starts_too_late() {
        start = &header.start;
        scanned = scan(header.sums(), start, read_used(&*file, start.next.offset).map_err(&fail)?);
    }
    Ok(Reading { listing, header, header_bytes, file, predecessor, scan: scanned })
}

/// Holds each slot of `HEAD` against the last segment and the place that the slot points to.
fn check_slots(files: &dyn Files, head: &HeadFile, file: &dyn File, last: &SegmentHeader) -> Result<()> {
    for (i, slot) in head.slots.iter().enumerate() {
        let Some(slot) = slot else { continue };
        let damage = |what: String| {
            let damage = Damage::new(HEAD_FILE, what).at((i * SLOT_BYTES) as u64);
            damage.of(slot.next.position).error(files)
        };
        check_slot(slot, &last.start).map_err(|what| damage(what.to_owned()))?;
        let Cursor { segment, offset, .. } = slot.next;
        let path = segment_path(segment);
        let length_where_not = |file: &dyn File, header: &SegmentHeader| match place_agrees(file, header, slot) {
            Ok(true) => Ok(None),
            Ok(false) => file.len().map(Some),
            Err(e) => Err(e),
        };
        let disagrees = if segment == last.number() {
            length_where_not(file, last)
        } else {
            let (file, header, _) = open_segment(files, last.ledger_id, segment, Open::Read)?;
            length_where_not(&*file, &header)
        };
        if let Some(len) = disagrees.map_err(read_failed(files, &path))? {
            if len < offset {
                let what =
                    format!("the segment has {len} bytes, but {HEAD_FILE} says that batches were durable up to byte {offset}");
                let expected = format!("batches up to position {}", slot.next.position);
                return Err(Damage::new(path, what).at(len).expecting(expected).error(files));
            }
            return Err(damage(format!("a slot points to byte {offset} of {path}, where no batch ends as it says")));
        }
    }
    Ok(())
}

/// Whether a segment agrees with a slot just before the place that the slot points to.
pub(super) fn place_agrees(file: &dyn File, header: &SegmentHeader, slot: &End) -> io::Result<bool> {
    let offset = slot.next.offset;
    if offset == SEGMENT_HEADER_BYTES as u64 {
        let start = &header.start;
        return Ok(slot_agrees(slot, start.frontier.root(), start.next.position, start.last_batch()));
    }
    let Some(at) = offset.checked_sub(TRAILER_BYTES as u64) else {
        return Ok(false);
    };
    let trailer = Trailer::take(&read(file, at, TRAILER_BYTES)?, header.sums(), at);
    Ok(trailer.is_some_and(|t| slot_agrees(slot, t.root, t.end_size, t.number)))
}

/// Where a segment's predecessor ends, as the segment's header says.
pub(super) fn predecessor_end(header: &SegmentHeader) -> Option<End> {
    let segment = header.number().checked_sub(1)?;
    let next = Cursor { segment, offset: header.predecessor_length, ..header.start.next };
    Some(End { next, ..header.start.clone() })
}

/// Sees whether the predecessor is sealed as its successor's header says; only when it is not, reads it whole.
fn check_predecessor(files: &dyn Files, header: &SegmentHeader) -> Result<Predecessor> {
    let Some(end) = predecessor_end(header) else {
        return Ok(Predecessor::None);
    };
    let path = segment_path(end.next.segment);
    let (file, before, _) = open_segment(files, header.ledger_id, end.next.segment, Open::Read)?;
    let fail = read_failed(files, &path);
    let found = read(&*file, end.next.offset, SEAL_BYTES + 1).map_err(&fail)?;
    if found == seal(before.sums(), &end) {
        return Ok(Predecessor::Sealed);
    }
    match digest(&*file, end.next.offset).map_err(fail)? {
        Some(digest) if digest == header.predecessor_digest => Ok(Predecessor::Unsealed),
        found => {
            let what = match found {
                None => "the segment is shorter than its successor says",
                Some(_) => "the segment is not sealed, and its bytes are not those its successor names",
            };
            Err(Damage::new(path, what).at(end.next.offset).error(files))
        }
    }
}

/// The digest of a segment's first `len` bytes; none when there are fewer.
pub(super) fn digest(file: &dyn File, len: u64) -> io::Result<Option<[u8; 32]>> {
    let mut hasher = hash::segment_hasher();
    let mut chunk = vec![0; usize::try_from(len).unwrap_or(usize::MAX).min(CHUNK_BYTES)];
    let mut at = 0;
    while at < len {
        let want = usize::try_from(len - at).unwrap_or(usize::MAX).min(chunk.len());
        let got = file.read_at(&mut chunk[..want], at)?;
        if got == 0 {
            return Ok(None);
        }
        hasher.update(&chunk[..got]);
        at += got as u64;
    }
    Ok(Some(*hasher.finalize().as_bytes()))
}
