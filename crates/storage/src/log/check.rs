//! Checking one segment, byte by byte, and going on past what is damaged.

use super::batch::{
    BATCH_FIXED_BYTES, BATCH_HEADER_BYTES, BATCH_MAGIC, BatchHeader, Defect, RECORD_SUM_BYTES, ROOT_FAILS, TRAILER_BYTES,
    UNREADABLE, frame_batch, take_record,
};
use super::chunks::Chunks;
use super::damage::Damage;
use super::evidence::{CHUNK_BYTES, bad_header, open_segment, predecessor_end, read, read_failed};
use super::recovery::slot_agrees;
use super::segment::{SEAL_BYTES, SEGMENT_FILE_BYTES_MAX, SEGMENT_HEADER_BYTES, SegmentHeader, Sums, seal, segment_path};
use super::{Cursor, End};
use crate::files::{File, Files, Open};
use bytes::Bytes;
use sovang_core::limits::BATCH_BYTES_MAX;
use sovang_core::record::Frame;
use sovang_core::tree::{Frontier, leaf_hash};
use sovang_core::{ErrorKind, LedgerId, Position, Result, hash};
use std::io;
use std::sync::Arc;

/// A segment to check, and what others say of it.
pub(super) struct SegmentTask {
    pub(super) ledger: LedgerId,
    pub(super) number: u64,
    /// The header of the next segment, where there is one and it is valid.
    pub(super) successor: Option<SegmentHeader>,
    /// The durable head, when it is in this segment.
    pub(super) durable: Option<End>,
    /// The slots of `HEAD` that point into it.
    pub(super) slots: Vec<End>,
}

/// What there is to say of a segment.
pub(super) struct SegmentCheck {
    pub(super) number: u64,
    pub(super) start: Option<End>,
    /// How far it is sound.
    pub(super) sound: Option<End>,
    /// Its end, when it is sound up to there.
    pub(super) end: Option<End>,
    pub(super) findings: Vec<Damage>,
    pub(super) notes: Vec<(Option<u64>, String)>,
    pub(super) matched_slots: usize,
}

/// Checks one segment.
pub(super) fn check_segment(files: &dyn Files, task: &SegmentTask, advance: &dyn Fn(u64)) -> Result<SegmentCheck> {
    let mut check = SegmentCheck {
        number: task.number,
        start: None,
        sound: None,
        end: None,
        findings: Vec::new(),
        notes: Vec::new(),
        matched_slots: 0,
    };
    let (file, header, header_bytes) = match open_segment(files, task.ledger, task.number, Open::Read) {
        Ok(opened) => opened,
        Err(e) if e.kind() == ErrorKind::Damaged => {
            let damage = Damage::new(segment_path(task.number), e.message().to_owned());
            check.findings.push(e.offset().map_or(damage.clone(), |offset| damage.at(offset)));
            return Ok(check);
        }
        Err(e) => return Err(e),
    };
    let path = segment_path(task.number);
    let fail = read_failed(files, &path);
    check.start = Some(header.start.clone());
    advance(SEGMENT_HEADER_BYTES as u64);
    let stop = match (&task.successor, &task.durable) {
        (Some(successor), _) => successor.predecessor_length,
        (None, Some(end)) => end.next.offset,
        (None, None) => file.len().map_err(&fail)?.min(SEGMENT_FILE_BYTES_MAX),
    };
    let mut pass = Pass::new(task, &file, &header, &header_bytes, stop);
    pass.batches(advance).map_err(&fail)?;
    check.matched_slots = pass.matched_slots;
    check.findings.append(&mut pass.findings);
    check.end = pass.end();
    check.sound = Some(pass.sound.clone());
    if let Some(digest) = pass.digest() {
        check.check_end(&*file, task, &header, digest).map_err(fail)?;
    }
    Ok(check)
}

/// The digest of a segment up to an end to which its batches, all sound, must lead.
pub(super) fn digest_of_sound(files: &dyn Files, file: &Arc<dyn File>, ledger: LedgerId, end: &End) -> Result<[u8; 32]> {
    let number = end.next.segment;
    let path = segment_path(number);
    let fail = read_failed(files, &path);
    let bytes = read(&**file, 0, SEGMENT_HEADER_BYTES).map_err(&fail)?;
    let header = SegmentHeader::decode(&bytes, ledger, number).map_err(|what| bad_header(number, what).error(files))?;
    let task = SegmentTask { ledger, number, successor: None, durable: Some(end.clone()), slots: Vec::new() };
    let mut pass = Pass::new(&task, file, &header, &bytes, end.next.offset);
    pass.batches(&|_| {}).map_err(fail)?;
    match pass.digest() {
        // A record that this program cannot read is as it was written all the same.
        Some(digest) if pass.end().as_ref() == Some(end) => Ok(digest),
        _ => {
            let found = pass.findings.into_iter().find(|found| found.what != UNREADABLE);
            let otherwise = || Damage::new(path.as_str(), "the segment's batches do not lead to its end").at(end.next.offset);
            Err(found.unwrap_or_else(otherwise).error(files))
        }
    }
}

impl SegmentCheck {
    /// Checks what follows the last batch of a segment whose batches are sound: the seal, and what the successor says.
    fn check_end(&mut self, file: &dyn File, task: &SegmentTask, header: &SegmentHeader, digest: [u8; 32]) -> io::Result<()> {
        let Some(end) = &self.end else { return Ok(()) };
        let path = segment_path(task.number);
        let offset = end.next.offset;
        let found = read(file, offset, SEAL_BYTES + 1)?;
        let sealed = found == seal(header.sums(), end);
        let Some(successor) = &task.successor else {
            return Ok(());
        };
        let expected = predecessor_end(successor);
        if expected.as_ref() != Some(end) || digest != successor.predecessor_digest {
            self.findings
                .push(Damage::new(path, "the segment is not the one that its successor names").at(offset).of(end.next.position));
        } else if !sealed {
            self.notes.push((Some(offset), "the segment is whole but not sealed; a rotation was interrupted here".to_owned()));
        }
        Ok(())
    }
}

/// One pass over a segment's batches.
struct Pass<'a> {
    task: &'a SegmentTask,
    path: String,
    sums: Sums,
    chunks: Chunks,
    stop: u64,
    at: Cursor,
    last_recorded_at: i64,
    /// Of what is before; none once something was not sound.
    frontier: Option<Frontier>,
    /// The end of the last batch up to which everything was sound.
    sound: End,
    hasher: blake3::Hasher,
    findings: Vec<Damage>,
    matched_slots: usize,
}

impl<'a> Pass<'a> {
    fn new(task: &'a SegmentTask, file: &Arc<dyn File>, header: &SegmentHeader, header_bytes: &[u8], stop: u64) -> Self {
        let mut hasher = hash::segment_hasher();
        hasher.update(header_bytes);
        let mut pass = Self {
            task,
            path: segment_path(task.number),
            sums: header.sums(),
            chunks: Chunks::new(Arc::clone(file), CHUNK_BYTES),
            stop,
            at: header.start.next,
            last_recorded_at: header.start.last_recorded_at,
            frontier: Some(header.start.frontier.clone()),
            sound: header.start.clone(),
            hasher,
            findings: Vec::new(),
            matched_slots: 0,
        };
        pass.match_slots();
        pass
    }
    fn damage(&self, defect: Defect) -> Damage {
        Damage::of_defect(&self.path, defect, &self.at)
    }
    fn end(&self) -> Option<End> {
        let frontier = self.frontier.clone()?;
        Some(End { frontier, next: self.at, last_recorded_at: self.last_recorded_at })
    }
    /// The digest of everything up to the end, when all of it is sound.
    fn digest(&self) -> Option<[u8; 32]> {
        self.frontier.as_ref().map(|_| *self.hasher.finalize().as_bytes())
    }

    fn batches(&mut self, advance: &dyn Fn(u64)) -> io::Result<()> {
        while self.at.offset < self.stop {
            let from = self.at.offset;
            let bytes = self.batch_ahead()?;
            let whole = self.batch(&bytes);
            if !whole && !self.skip(&bytes)? {
                break;
            }
            advance(self.at.offset - from);
        }
        // Without a successor and a durable head nothing says where the segment should end.
        let open_end = self.task.successor.is_none() && self.task.durable.is_none();
        if self.at.offset != self.stop && self.findings.is_empty() && !open_end {
            let damage = Damage::new(&*self.path, "the segment's batches do not end where they should");
            let damage = damage.at(self.at.offset).of(self.at.position);
            self.findings.push(damage.expecting(format!("the end at byte {}", self.stop)));
            self.frontier = None;
        }
        Ok(())
    }

    /// The bytes of the batch that starts here, as far as its header tells.
    fn batch_ahead(&mut self) -> io::Result<Bytes> {
        let offset = self.at.offset;
        let left = usize::try_from(self.stop - offset).unwrap_or(usize::MAX);
        let start = self.chunks.ahead(offset, BATCH_HEADER_BYTES)?;
        let header = BatchHeader::take(&start, self.sums, offset).filter(|header| header.check(&self.at).is_ok());
        let len = header.and_then(|header| usize::try_from(header.batch_bytes()).ok()).unwrap_or(BATCH_FIXED_BYTES);
        let bytes = self.chunks.ahead(offset, len)?;
        Ok(bytes.slice(..bytes.len().min(left)))
    }

    /// Takes the batch here. False when it is not valid; then its findings are made.
    fn batch(&mut self, bytes: &Bytes) -> bool {
        let mut frontier = self.frontier.clone();
        let mut unreadable = Vec::new();
        let framed = frame_batch(bytes, self.sums, &self.at, self.last_recorded_at, &mut |position, frame: &Frame| {
            let leaf = leaf_hash(&frame.hash(Position(position)));
            if let Some(frontier) = &mut frontier {
                frontier.push(leaf);
            }
            if frame.check_readable().is_err() {
                unreadable.push(position);
            }
        });
        let framed = match framed {
            Ok(framed) => framed,
            Err(defect) => {
                if self.at_open_end(bytes) {
                    return false;
                }
                self.diagnose(bytes, defect);
                return false;
            }
        };
        self.hasher.update(&bytes[..bytes.len().min(usize::try_from(framed.header.batch_bytes()).unwrap_or(usize::MAX))]);
        let defect = Defect { offset: self.at.offset, position: self.at.position, what: ROOT_FAILS };
        for position in unreadable {
            // Its bytes are those that were written: the root goes on.
            let damage = self.damage(Defect { position, what: UNREADABLE, ..defect });
            self.findings.push(damage);
        }
        let wrong_root = frontier.as_ref().is_some_and(|frontier| frontier.root() != framed.header.root);
        if wrong_root {
            let (root, size) = (framed.header.root.to_base64(), framed.header.end_size);
            let damage = self.damage(defect);
            self.findings.push(damage.expecting(format!("records that lead to root {root} at size {size}")));
        }
        self.at = framed.next;
        self.last_recorded_at = framed.last_recorded_at;
        if wrong_root {
            self.frontier = None;
            return true;
        }
        self.frontier = frontier;
        if let Some(end) = self.end() {
            self.sound = end;
        }
        self.match_slots();
        true
    }

    /// Whether the batches simply end here, in a segment whose end nothing names.
    fn at_open_end(&self, bytes: &Bytes) -> bool {
        let open = self.task.successor.is_none() && self.task.durable.is_none();
        open && BatchHeader::take(bytes, self.sums, self.at.offset).is_none()
    }

    fn fail(&mut self, defect: Defect) {
        let damage = self.damage(defect);
        self.findings.push(damage);
        self.frontier = None;
    }

    /// Names every record of a batch whose checksum fails; else what made the batch invalid.
    fn diagnose(&mut self, bytes: &Bytes, defect: Defect) {
        let found = self.bad_records(bytes);
        self.frontier = None;
        if found.is_empty() {
            self.fail(defect);
        }
        for defect in found {
            self.fail(defect);
        }
    }

    fn bad_records(&self, bytes: &Bytes) -> Vec<Defect> {
        let mut found = Vec::new();
        let header = BatchHeader::take(bytes, self.sums, self.at.offset).filter(|header| header.check(&self.at).is_ok());
        let Some(header) = header else { return found };
        let Some(records) = bytes.get(..BATCH_HEADER_BYTES + header.records_bytes as usize) else {
            return found;
        };
        let mut from = BATCH_HEADER_BYTES;
        for position in header.first..header.end_size {
            let offset = self.at.offset + from as u64;
            let Some(rest) = records.get(from..) else {
                break;
            };
            match take_record(rest, self.sums, offset, position, header.number) {
                Ok(len) => from += len + RECORD_SUM_BYTES,
                Err(what) => {
                    found.push(Defect { offset, position, what });
                    // Its length may be what is damaged: go on only if a record, or the end, is where it leads.
                    let Ok(Some(len)) = Frame::length(rest) else {
                        break;
                    };
                    from += len + RECORD_SUM_BYTES;
                    let next = (self.at.offset + from as u64, position + 1);
                    let leads = records
                        .get(from..)
                        .is_some_and(|rest| take_record(rest, self.sums, next.0, next.1, header.number).is_ok());
                    if !leads {
                        break;
                    }
                }
            }
        }
        found
    }

    /// Goes on after a batch that is not valid: where its header says that it ends, or at the next header there is.
    fn skip(&mut self, bytes: &Bytes) -> io::Result<bool> {
        if self.at_open_end(bytes) {
            return Ok(false);
        }
        let header = BatchHeader::take(bytes, self.sums, self.at.offset).filter(|header| header.check(&self.at).is_ok());
        if let Some(header) = header.filter(|header| self.at.offset + header.batch_bytes() <= self.stop) {
            self.at = header.after(&self.at);
            return Ok(true);
        }
        let mut offset = self.at.offset + 1;
        while offset < self.stop {
            let bytes = self.chunks.ahead(offset, BATCH_HEADER_BYTES)?;
            let found = bytes.windows(BATCH_MAGIC.len()).position(|window| window == BATCH_MAGIC);
            let Some(found) = found else {
                // The magic may start in the last bytes that were read.
                let Some(step) = bytes.len().checked_sub(BATCH_MAGIC.len() - 1).filter(|step| *step > 0) else {
                    break;
                };
                offset += step as u64;
                continue;
            };
            offset += found as u64;
            let bytes = self.chunks.ahead(offset, BATCH_HEADER_BYTES)?;
            let header = BatchHeader::take(&bytes, self.sums, offset).filter(|header| header.number > self.at.batch);
            if let Some(header) = header {
                self.at = Cursor { segment: self.at.segment, offset, batch: header.number, position: header.first };
                return Ok(true);
            }
            offset += 1;
        }
        Ok(false)
    }

    fn match_slots(&mut self) {
        let Some(frontier) = &self.frontier else {
            return;
        };
        for slot in self.task.slots.iter().filter(|slot| slot.next.offset == self.at.offset) {
            if slot_agrees(slot, frontier.root(), self.at.position, self.at.batch.saturating_sub(1))
                && slot.last_recorded_at == self.last_recorded_at
            {
                self.matched_slots += 1;
            }
        }
    }
}

const _: () = assert!(BATCH_BYTES_MAX > CHUNK_BYTES && TRAILER_BYTES < BATCH_HEADER_BYTES);
