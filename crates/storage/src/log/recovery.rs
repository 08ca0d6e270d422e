//! What a log's bytes say: the pure function under opening, for writers and readers alike (docs/FORMAT.md §4).
//!
//! Evidence goes in, a plan or a refusal comes out; nothing here reads or writes. [`scan`] reads the end of the last
//! segment, [`decide`] holds it against everything that claims to be durable.

use super::batch::{BATCH_HEADER_BYTES, BATCH_MAGIC, BatchHeader, TRAILER_BYTES, whole_batch};
use super::damage::Damage;
use super::segment::{SEAL_BYTES, Sums, seal, segment_path};
use super::{Cursor, End};
use bytes::Bytes;
use sovang_core::{Head, Root, Size};

#[cfg(test)]
mod tests;

/// Zeros kept after the last byte that is not zero: a header, trailer or seal that ends in zeros still lies within them.
pub(super) const SLACK_BYTES: usize = BATCH_HEADER_BYTES;
const _: () = assert!(SLACK_BYTES >= SEAL_BYTES && SLACK_BYTES >= TRAILER_BYTES);

/// Something that says that the log was durable up to a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) head: Head,
    /// The file that says so, and the byte in it.
    pub(super) file: String,
    pub(super) offset: u64,
}

/// The end of a valid batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    offset: u64,
    head: Head,
}

/// What the end of the last segment holds.
#[derive(Clone, Debug)]
pub(super) struct Scan {
    sums: Sums,
    start: End,
    /// From the start on, all zeros after the last byte that is not zero left out but for a few.
    bytes: Bytes,
    /// The start, and the end of each valid batch after it.
    marks: Vec<Mark>,
    /// The log's end after the last valid batch in sequence.
    pub(super) end: End,
    /// How many marks the headers in sequence prove.
    proven: usize,
    /// What headers say that does not follow from the sequence itself, such as those past a defect.
    pub(super) claims: Vec<Claim>,
    /// Whether a seal follows the last batch.
    pub(super) sealed: bool,
    /// Where the last byte that is not zero ends.
    used: u64,
}

fn mark(end: &End) -> Mark {
    Mark { offset: end.next.offset, head: end.head() }
}

/// Reads batches from `start` on; `bytes` start there too.
pub(super) fn scan(sums: Sums, start: &End, bytes: Bytes) -> Scan {
    let base = start.next.offset;
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let file = segment_path(start.next.segment);
    let mut scan = Scan {
        sums,
        start: start.clone(),
        marks: vec![mark(start)],
        end: start.clone(),
        proven: 0,
        claims: Vec::new(),
        sealed: false,
        used: base + used as u64,
        bytes,
    };
    while let Ok((header, end)) = whole_batch(&scan.rest(), sums, &scan.end) {
        let (proven, last) = (header.proven, scan.marks.len() - 1);
        if proven.size == scan.end.next.position && proven.root == scan.marks[last].head.root {
            scan.proven = last;
        } else {
            scan.claims.push(claim(&header, &file, scan.end.next.offset));
        }
        scan.marks.push(mark(&end));
        scan.end = end;
    }
    let rest = scan.rest();
    scan.sealed = rest.get(..SEAL_BYTES) == Some(&seal(sums, &scan.end)[..]);
    // Past a defect a header still proves what came before it. A stale one of a number already passed proves nothing.
    let end_offset = scan.end.next.offset;
    for (at, _) in rest.windows(BATCH_MAGIC.len()).enumerate().filter(|(_, bytes)| *bytes == BATCH_MAGIC) {
        let offset = end_offset + at as u64;
        match BatchHeader::take(&rest[at..], sums, offset) {
            Some(header) if header.number >= scan.end.next.batch => scan.claims.push(claim(&header, &file, offset)),
            _ => {}
        }
    }
    scan
}

fn claim(header: &BatchHeader, file: &str, offset: u64) -> Claim {
    let head = Head { size: Size(header.proven.size), root: header.proven.root };
    Claim { head, file: file.to_owned(), offset }
}

impl Scan {
    fn at(&self, offset: u64) -> usize {
        // An offset between the start and the end of bytes that are in memory.
        usize::try_from(offset - self.start.next.offset).unwrap_or(usize::MAX)
    }
    fn rest(&self) -> Bytes {
        self.bytes.slice(self.at(self.end.next.offset).min(self.bytes.len())..)
    }
    /// The size at which it starts.
    pub(super) fn start_size(&self) -> u64 {
        self.start.next.position
    }
    /// Whether a claim is about what is before the start, so that only a scan from farther back can tell.
    pub(super) fn starts_too_late(&self) -> bool {
        self.claims.iter().any(|claim| claim.head.size.0 < self.start.next.position)
    }
    /// Everything its own headers claim, the plain sequence included.
    pub(super) fn own_claims(&self) -> Vec<Claim> {
        let mut claims = self.claims.clone();
        let Mark { offset, head } = self.marks[self.proven];
        claims.push(Claim { head, file: segment_path(self.start.next.segment), offset });
        claims
    }
    /// The bytes between two offsets at or after the start.
    pub(super) fn bytes_between(&self, from: u64, to: u64) -> Bytes {
        let len = self.bytes.len();
        self.bytes.slice(self.at(from).min(len)..self.at(to).min(len))
    }
    /// What follows the last valid batch, up to the last byte that is not zero.
    pub(super) fn tail(&self) -> Option<(u64, Bytes)> {
        let from = self.end.next.offset;
        (self.used > from).then(|| (from, self.bytes_between(from, self.used)))
    }
    /// The log's end at a mark, by reading the batches up to it once more.
    fn end_at(&self, wanted: usize) -> End {
        if wanted + 1 == self.marks.len() {
            return self.end.clone();
        }
        let mut end = self.start.clone();
        for _ in 0..wanted {
            let bytes = self.bytes.slice(self.at(end.next.offset)..);
            match whole_batch(&bytes, self.sums, &end) {
                Ok((_, after)) => end = after,
                Err(_) => break, // they were valid a moment ago, and are the same bytes
            }
        }
        end
    }
}

/// What is to be done with the end of a log.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The end of what is known durable: what a reader shows.
    pub(super) durable: End,
    /// The end of the valid batches: what a writer keeps.
    pub(super) end: End,
    /// How many batches are between the two.
    pub(super) kept_batches: u64,
}

/// Holds what was scanned against what claims to be durable: `claims` from elsewhere at or above the scan's start, and,
/// unless a reader judges an image that the claims were older than, the headers scanned and the seal.
pub(super) fn decide(scan: &Scan, claims: &[Claim], own: bool) -> Result<Plan, Damage> {
    let file = segment_path(scan.start.next.segment);
    let end = scan.end.next;
    if own && scan.sealed {
        let successor = segment_path(end.segment + 1);
        return Err(Damage::new(file, SEALED).at(end.offset).of(end.position).expecting(successor));
    }
    let mut durable = if own { scan.proven } else { 0 };
    let own_claims = if own { scan.claims.as_slice() } else { &[] };
    for claim in claims.iter().chain(own_claims) {
        let size = claim.head.size.0;
        if size > end.position {
            let what = format!(
                "the log ends at size {}, but it was durable up to size {size}: byte {} of {} says so",
                end.position, claim.offset, claim.file
            );
            return Err(Damage::new(file, what).at(end.offset).of(end.position));
        }
        let found = scan.marks.binary_search_by_key(&size, |mark| mark.head.size.0);
        match found {
            Ok(index) if scan.marks[index].head == claim.head => durable = durable.max(index),
            _ => {
                let what = format!("it names a durable head at size {size} that the log does not have");
                return Err(Damage::new(claim.file.clone(), what).at(claim.offset));
            }
        }
    }
    let kept_batches = (scan.marks.len() - 1 - durable) as u64;
    Ok(Plan { durable: scan.end_at(durable), end: scan.end.clone(), kept_batches })
}

/// The last segment is full and what must follow it is missing.
pub(super) const SEALED: &str = "the segment is sealed, but its successor is missing";

/// Holds a slot of `HEAD` against the last segment's header; the rest of what it says is checked where it points to.
pub(super) fn check_slot(slot: &End, last: &End) -> Result<(), &'static str> {
    let order = slot.next.segment.cmp(&last.next.segment);
    let (size, start) = (slot.next.position, last.next.position);
    if order.is_gt() {
        return Err("a slot names a segment that is missing");
    }
    if (order.is_lt() && size > start) || (order.is_eq() && size < start) {
        return Err("a slot's size and segment contradict the last segment's header");
    }
    if size == start && slot.head() != last.head() {
        return Err("a slot's root contradicts the last segment's header");
    }
    Ok(())
}

/// Whether a slot says what the log says where the slot points to: the end of a batch, or the start of a segment.
pub(super) fn slot_agrees(slot: &End, root: Root, size: u64, batch: u64) -> bool {
    let Cursor { batch: next, position, .. } = slot.next;
    position == size && next.checked_sub(1) == Some(batch) && slot.frontier.root() == root
}
