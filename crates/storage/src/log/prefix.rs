//! How far a log can be proven from its first byte, whatever else of it is damaged: the longest sequence of valid batches
//! whose roots hold, over one copy or several. Nothing here writes to a copy, and nothing needs `HEAD` or `ledger`.
//!
//! Of several copies each batch is taken from the first one that has it whole. They can be mixed because a segment's header
//! seeds the checksum of every byte in it: only copies with the same header are asked.

use super::batch::{BATCH_FIXED_BYTES, BATCH_HEADER_BYTES, BatchHeader, whole_batch};
use super::damage::Damage;
use super::evidence::{CHUNK_BYTES, bad_header, predecessor_end};
use super::segment::{LOG_DIRECTORY, SEAL_MAGIC, SEGMENT_HEADER_BYTES, SegmentHeader, Sums, seal, segment_path};
use super::{Cursor, End};
use crate::files::{File, Files, Open, why_no_file};
use bytes::Bytes;
use sovang_core::{LedgerId, Result, hash};
use std::io;
use std::sync::Arc;

/// Where the provable prefix goes, piece by piece.
pub(super) trait Sink {
    /// A segment begins.
    fn segment(&mut self, number: u64, header: &[u8]) -> Result<()>;
    /// A valid batch, with where it starts.
    fn batch(&mut self, at: &Cursor, bytes: &[u8]) -> Result<()>;
    /// The segment is full: its seal, and where it goes.
    fn seal(&mut self, offset: u64, seal: &[u8]) -> Result<()>;
}

/// What stands behind the last batch of a log that simply ends.
pub const SEGMENT_ENDS: &str = "the segment ends here";

/// For who only wants to know how far it goes.
pub(super) struct Nowhere;
impl Sink for Nowhere {
    fn segment(&mut self, _: u64, _: &[u8]) -> Result<()> {
        Ok(())
    }
    fn batch(&mut self, _: &Cursor, _: &[u8]) -> Result<()> {
        Ok(())
    }
    fn seal(&mut self, _: u64, _: &[u8]) -> Result<()> {
        Ok(())
    }
}

/// How far a log is proven, and what stands in the way.
pub(super) struct Prefix {
    pub(super) end: End,
    /// Why it ends there: damage, or just the end of the log. Of the first copy, which the others are to help.
    pub(super) stop: Damage,
    /// How many batches were taken from each copy.
    pub(super) batches: Vec<u64>,
}

/// Follows the log from the start of a segment as far as some copy has it, or to a place that is known to be its end.
/// `progress` is told bytes taken.
pub(super) fn follow(
    copies: &[Arc<dyn Files>],
    ledger: LedgerId,
    from: &End,
    until: Option<&Cursor>,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(u64),
) -> Result<Prefix> {
    let mut prefix = Prefix { end: from.clone(), stop: Damage::new(LOG_DIRECTORY, ""), batches: vec![0; copies.len()] };
    let mut headers = headers(copies, ledger, from.next.segment);
    let mut before: Option<[u8; 32]> = None;
    loop {
        let number = prefix.end.next.segment;
        let Some(header) = headers.iter().find_map(|found| found.as_ref().ok().filter(|h| continues(h, &prefix.end, before)))
        else {
            prefix.stop = why_no_segment(&headers, number);
            return Ok(prefix);
        };
        let mut open = Segment::open(copies, header, &headers)?;
        sink.segment(number, &open.header_bytes)?;
        prefix.end = header.start.clone();
        let successors = self::headers(copies, ledger, number + 1);
        let digest = loop {
            let Cursor { segment, offset, .. } = prefix.end.next;
            if until.is_some_and(|until| (segment, offset) >= (until.segment, until.offset)) {
                prefix.stop = Damage::new(&*open.path, "what was asked for ends here").at(offset);
                return Ok(prefix);
            }
            if successors.iter().flatten().any(|next| next.predecessor_length == offset) {
                let digest = *open.hasher.finalize().as_bytes();
                if successors.iter().flatten().any(|next| follows(next, &prefix.end, digest)) {
                    break digest;
                }
            }
            match open.batch(&prefix.end) {
                Ok((copy, bytes, end)) => {
                    sink.batch(&prefix.end.next, &bytes)?;
                    open.hasher.update(&bytes);
                    progress(bytes.len() as u64);
                    prefix.batches[copy] += 1;
                    prefix.end = end;
                }
                Err(stop) => {
                    prefix.stop = stop;
                    return Ok(prefix);
                }
            }
        };
        sink.seal(prefix.end.next.offset, &seal(open.sums, &prefix.end))?;
        before = Some(digest);
        prefix.end.next.segment = number + 1;
        headers = successors;
    }
}

/// The header of a segment in each copy, or why there is none.
type Headers = Vec<Result<SegmentHeader, Damage>>;

fn headers(copies: &[Arc<dyn Files>], ledger: LedgerId, number: u64) -> Headers {
    copies.iter().map(|files| read_header(&**files, number).and_then(|(_, bytes)| decode(&bytes, ledger, number))).collect()
}

fn decode(bytes: &[u8], ledger: LedgerId, number: u64) -> Result<SegmentHeader, Damage> {
    SegmentHeader::decode(bytes, ledger, number).map_err(|what| bad_header(number, what))
}

fn read_header(files: &dyn Files, number: u64) -> Result<(Arc<dyn File>, Vec<u8>), Damage> {
    let path = segment_path(number);
    let file = files.open(&path, Open::Read).map_err(|e| unreadable(&path, &e).at(0))?;
    let mut bytes = vec![0; SEGMENT_HEADER_BYTES];
    let got = file.read_at(&mut bytes, 0).map_err(|e| unreadable(&path, &e).at(0))?;
    bytes.truncate(got);
    Ok((file, bytes))
}

pub(super) fn unreadable(path: &str, e: &io::Error) -> Damage {
    match why_no_file(e) {
        Some(what) => Damage::new(path, what),
        None => Damage::new(path, format!("the system cannot read it: {e}")),
    }
}

/// Whether a segment's header continues the log that ends so, in its records and in the bytes of the segment before.
fn continues(header: &SegmentHeader, end: &End, before: Option<[u8; 32]>) -> bool {
    let start = &header.start;
    start.frontier == end.frontier
        && (start.next.batch, start.next.position) == (end.next.batch, end.next.position)
        && start.last_recorded_at == end.last_recorded_at
        && before.is_none_or(|digest| header.predecessor_length == end.next.offset && header.predecessor_digest == digest)
}

/// Whether a segment's header names this as the end of the segment before it.
fn follows(header: &SegmentHeader, end: &End, digest: [u8; 32]) -> bool {
    predecessor_end(header).as_ref() == Some(end) && header.predecessor_digest == digest
}

fn why_no_segment(headers: &Headers, number: u64) -> Damage {
    match headers.first() {
        Some(Err(damage)) => damage.clone(),
        _ => Damage::new(segment_path(number), "the segment does not continue the one before").at(0),
    }
}

/// One segment, as the copies with the same header have it.
struct Segment {
    sums: Sums,
    path: String,
    header_bytes: Vec<u8>,
    hasher: blake3::Hasher,
    /// The copies' numbers with their bytes.
    readings: Vec<(usize, Reading)>,
}

impl Segment {
    fn open(copies: &[Arc<dyn Files>], header: &SegmentHeader, headers: &Headers) -> Result<Self> {
        let number = header.number();
        let mut readings = Vec::new();
        for (copy, (files, found)) in copies.iter().zip(headers).enumerate() {
            // What could be read a moment ago and cannot now is as good as missing.
            if let (Ok(found), Ok((file, _))) = (found, read_header(&**files, number))
                && found == header
            {
                readings.push((copy, Reading::new(file)));
            }
        }
        let header_bytes = header.encode();
        let mut hasher = hash::segment_hasher();
        hasher.update(&header_bytes);
        Ok(Self { sums: header.sums(), path: segment_path(number), header_bytes, hasher, readings })
    }

    /// The valid batch at the end of the log so far, from the first copy that has it; or what the first copy has instead.
    fn batch(&mut self, end: &End) -> Result<(usize, Bytes, End), Damage> {
        let mut stop = None;
        for (copy, reading) in &mut self.readings {
            let found = reading.batch(self.sums, end).map_err(|e| unreadable(&self.path, &e));
            let defect = match found {
                Err(damage) => damage.at(end.next.offset).of(end.next.position),
                Ok(bytes) => match whole_batch(&bytes, self.sums, end) {
                    Ok((header, after)) => {
                        let len = usize::try_from(header.batch_bytes()).unwrap_or(usize::MAX).min(bytes.len());
                        return Ok((*copy, bytes.slice(..len), after));
                    }
                    Err(_) if bytes.is_empty() => {
                        Damage::new(&*self.path, SEGMENT_ENDS).at(end.next.offset).of(end.next.position)
                    }
                    Err(_) if bytes.starts_with(&SEAL_MAGIC) => {
                        Damage::new(&*self.path, "the segment is sealed here, and no copy has its successor")
                            .at(end.next.offset)
                            .of(end.next.position)
                    }
                    Err(defect) => Damage::of_defect(&self.path, defect, &end.next),
                },
            };
            stop.get_or_insert(defect);
        }
        // The copy whose header was taken is always there.
        Err(stop.unwrap_or_else(|| Damage::new(&*self.path, "the file is missing")))
    }
}

/// A file read forward, where a bad sector must not hide what is before it.
pub(super) struct Reading {
    file: Arc<dyn File>,
    chunk: Bytes,
    at: u64,
}

impl Reading {
    pub(super) fn new(file: Arc<dyn File>) -> Self {
        Self { file, chunk: Bytes::new(), at: 0 }
    }
    /// The bytes from an offset on, as many as wanted or up to the file's end.
    pub(super) fn ahead(&mut self, offset: u64, want: usize) -> io::Result<Bytes> {
        let at = offset.checked_sub(self.at).and_then(|at| usize::try_from(at).ok());
        if let Some(at) = at.filter(|at| at.saturating_add(want) <= self.chunk.len()) {
            return Ok(self.chunk.slice(at..));
        }
        let mut bytes = vec![0; want.max(CHUNK_BYTES)];
        let got = self.file.read_at(&mut bytes, offset).or_else(|_| {
            // Some of what was read ahead cannot be read: only what is wanted counts.
            bytes.truncate(want);
            self.file.read_at(&mut bytes, offset)
        })?;
        bytes.truncate(got);
        self.chunk = bytes.into();
        self.at = offset;
        Ok(self.chunk.clone())
    }
    /// The bytes of the batch at the log's end, as far as its header tells and the file goes.
    fn batch(&mut self, sums: Sums, end: &End) -> io::Result<Bytes> {
        let offset = end.next.offset;
        let start = self.ahead(offset, BATCH_HEADER_BYTES)?;
        let header = BatchHeader::take(&start, sums, offset).filter(|header| header.check(&end.next).is_ok());
        let len = header.and_then(|header| usize::try_from(header.batch_bytes()).ok()).unwrap_or(BATCH_FIXED_BYTES);
        match self.ahead(offset, len) {
            Ok(bytes) => Ok(bytes.slice(..bytes.len().min(len))),
            // The header alone is there: what is missing is the rest.
            Err(_) if header.is_none() => Ok(start.slice(..start.len().min(BATCH_HEADER_BYTES))),
            Err(e) => Err(e),
        }
    }
}
