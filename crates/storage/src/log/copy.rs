//! Copying a log byte for byte: its provable prefix into a new ledger, or what is new of it into a copy made before.

use super::batch::UNREADABLE;
use super::check::{SegmentTask, check_segment};
use super::damage::Damage;
use super::evidence::{list_numbers, open_segment, read};
use super::loss::{Island, Trace, islands, proven_behind, said};
use super::place::{Placing, write_head};
use super::prefix::{Nowhere, Prefix, Sink, follow};
use super::segment::{LOG_DIRECTORY, SEGMENT_HEADER_BYTES, SegmentHeader, segment_path};
use super::{Cursor, End, Finding, Log, LogOptions, LogView, Segments, verify};
use crate::files::{File, Files, Open};
use sovang_core::record::Frame;
use sovang_core::tree::{Frontier, leaf_hash};
use sovang_core::{Error, ErrorKind, Head, LedgerId, Position, Result, Root, Size};
use std::io;
use std::sync::Arc;

/// How far one or several copies of a log prove it, and what they say of the rest.
#[derive(Clone, Debug)]
pub struct Provable {
    /// The end of the provable prefix.
    pub end: End,
    /// Why it ends there, in the first copy. No damage when nothing says that the log went on.
    pub stop: Finding,
    /// How many batches were taken from each copy.
    pub batches: Vec<u64>,
    /// What says that the log went on, in any copy.
    pub traces: Vec<Trace>,
    /// Later segments of the first copy that are sound in themselves.
    pub islands: Vec<Island>,
}

/// Whose the log is, by its segments' headers: for a copy whose file `ledger` cannot be read.
pub fn ledger_of_segments(files: &dyn Files) -> Option<LedgerId> {
    let (numbers, _) = list_numbers(files).ok()?;
    numbers.into_iter().find_map(|number| {
        let file = files.open(&segment_path(number), Open::Read).ok()?;
        let bytes = read(&*file, 0, SEGMENT_HEADER_BYTES).ok()?;
        let ledger = LedgerId(*bytes.get(16..)?.first_chunk()?);
        SegmentHeader::decode(&bytes, ledger, number).ok().map(|_| ledger)
    })
}

/// How far copies of a log prove it. Reads them once; needs neither `ledger` nor `HEAD`, and writes nothing.
///
/// # Errors
/// None of a copy's own: what cannot be read is where the prefix ends.
pub fn provable(copies: &[Arc<dyn Files>], ledger: LedgerId, progress: &mut dyn FnMut(u64)) -> Result<Provable> {
    let said = all_said(copies, ledger);
    let prefix = follow(copies, ledger, &End::start(), None, &mut Nowhere, progress)?;
    Ok(describe(copies, ledger, prefix, said))
}

/// The end of the first batch, or the start of the log when that cannot be proven.
///
/// # Errors
/// As [`provable`].
pub fn provable_start(copies: &[Arc<dyn Files>], ledger: LedgerId) -> Result<Cursor> {
    let until = Cursor { offset: End::start().next.offset + 1, ..End::start().next };
    Ok(follow(copies, ledger, &End::start(), Some(&until), &mut Nowhere, &mut |_| {})?.end.next)
}

/// Refuses copies with a segment that we may not read: it is not lost.
///
/// # Errors
/// `PermissionDenied` with the file.
pub fn check_readable(copies: &[Arc<dyn Files>]) -> Result<()> {
    for files in copies {
        let numbers = match files.list(LOG_DIRECTORY) {
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                return Err(Error::io(e, "list the log", files.describe(LOG_DIRECTORY)));
            }
            _ => list_numbers(&**files).map(|(numbers, _)| numbers).unwrap_or_default(),
        };
        for path in numbers.into_iter().map(segment_path) {
            match files.open(&path, Open::Read) {
                Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                    return Err(Error::io(e, "read the log", files.describe(&path)));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// How many bytes the segments have; of what can be listed.
pub fn log_bytes(files: &dyn Files) -> u64 {
    let numbers = list_numbers(files).map(|(numbers, _)| numbers).unwrap_or_default();
    let len = |number| files.open(&segment_path(number), Open::Read).and_then(|file| file.len()).ok();
    numbers.into_iter().filter_map(len).fold(0, u64::saturating_add)
}

/// Reads every byte of a log that was just written. Gives what is wrong with it; a record that a faulty program wrote is copied as it is.
///
/// # Errors
/// As [`verify`].
pub fn reads_back(files: &Arc<dyn Files>, head: &Head) -> Result<Option<String>> {
    let wrong = verify(files, &|_, _| {})?.findings.into_iter().find(|finding| !finding.what.starts_with(UNREADABLE));
    let found = LogView::open(Arc::clone(files))?.head();
    Ok(wrong
        .map(|finding| finding.to_string())
        .or_else(|| (found != *head).then(|| format!("its head is at size {}", found.size))))
}

/// Reads again the segments from a number on, up to the end of the log. Gives what is wrong, else how many records were read.
///
/// # Errors
/// Those of the system.
fn read_again(files: &dyn Files, ledger: LedgerId, from: u64, end: &End) -> Result<Result<u64, Finding>> {
    let mut first = end.next.position;
    for number in from..=end.next.segment {
        let last = number == end.next.segment;
        let successor = if last { None } else { Some(open_segment(files, ledger, number + 1, Open::Read)?.1) };
        let durable = last.then(|| end.clone());
        let check = check_segment(files, &SegmentTask { ledger, number, successor, durable, slots: Vec::new() }, &|_| {})?;
        first = first.min(check.start.map_or(first, |start| start.next.position));
        let damage = check.findings.into_iter().find(|damage| damage.what != UNREADABLE);
        if let Some(damage) = damage {
            return Ok(Err(damage.finding(files)));
        }
        if last && check.end.as_ref() != Some(end) {
            let damage = Damage::new(segment_path(number), "the segment does not end as it was written").at(end.next.offset);
            return Ok(Err(damage.finding(files)));
        }
    }
    Ok(Ok(end.next.position - first))
}

/// Writes the provable prefix of copies of a log into `target`, whose directories are there: segments, then `HEAD`, durably.
/// `target` is no ledger yet.
///
/// # Errors
/// Those of writing.
pub fn write_provable(
    copies: &[Arc<dyn Files>],
    ledger: LedgerId,
    target: &dyn Files,
    progress: &mut dyn FnMut(u64),
) -> Result<Provable> {
    let said = all_said(copies, ledger);
    let mut sink = Whole(Placing::new(target), 0);
    let prefix = follow(copies, ledger, &End::start(), None, &mut sink, progress)?;
    sink.0.finish()?;
    write_head(target, ledger, &prefix.end)?;
    Ok(describe(copies, ledger, prefix, said))
}

/// The salt of a log's first segment: a copy has the same.
pub fn first_salt(copies: &[Arc<dyn Files>], ledger: LedgerId) -> Option<[u8; 16]> {
    copies.iter().find_map(|files| open_segment(&**files, ledger, 0, Open::Read).ok().map(|(_, header, _)| header.salt))
}

fn all_said(copies: &[Arc<dyn Files>], ledger: LedgerId) -> Vec<Trace> {
    copies.iter().flat_map(|files| said(&**files, ledger)).collect()
}

fn describe(copies: &[Arc<dyn Files>], ledger: LedgerId, prefix: Prefix, mut traces: Vec<Trace>) -> Provable {
    traces.extend(copies.iter().flat_map(|files| proven_behind(&**files, ledger, &prefix.end)));
    traces.retain(|trace| trace.head.size > prefix.end.head().size);
    let Some(first) = copies.first() else {
        let stop = Finding { position: None, file: Default::default(), offset: None, what: "there is no copy".to_owned() };
        return Provable { end: prefix.end, stop, batches: Vec::new(), traces: Vec::new(), islands: Vec::new() };
    };
    Provable {
        stop: prefix.stop.finding(&**first),
        batches: prefix.batches,
        traces,
        islands: islands(&**first, ledger, &prefix.end),
        end: prefix.end,
    }
}

/// Takes everything, with the number of the segment under way.
struct Whole<'a>(Placing<'a>, u64);
impl Sink for Whole<'_> {
    fn segment(&mut self, number: u64, header: &[u8]) -> Result<()> {
        self.1 = number;
        self.0.begin(number)?;
        self.0.write(header)
    }
    fn batch(&mut self, _: &Cursor, bytes: &[u8]) -> Result<()> {
        self.0.write(bytes)
    }
    fn seal(&mut self, offset: u64, seal: &[u8]) -> Result<()> {
        self.0.seal_later(self.1, offset, seal);
        Ok(())
    }
}

/// The reading side of a log that is not open otherwise.
pub fn segments_of(files: Arc<dyn Files>, ledger: LedgerId) -> Arc<Segments> {
    Arc::new(Segments::new(files, ledger))
}

/// A copy of a log, open to take what is new. It holds the lock; what an interruption left was recovered.
pub struct LogCopy {
    files: Arc<dyn Files>,
    /// Only for the lock: nothing is appended through it.
    log: Log,
}

/// What [`LogCopy::take`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Bytes that the copy had not.
    pub bytes: u64,
    /// The first segment that was written.
    pub from_segment: u64,
}

impl LogCopy {
    /// Opens the copy.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn open(files: Arc<dyn Files>) -> Result<Self> {
        let options = LogOptions { segment_bytes: 0, strict: false };
        // Nothing is appended here, so no salt is drawn.
        let (log, _) = Log::open(Arc::clone(&files), options, &|bytes| {
            bytes.fill(0);
            Ok(())
        })?;
        Ok(Self { files, log })
    }
    /// Where it ends.
    #[must_use]
    pub fn end(&self) -> &End {
        self.log.end()
    }

    /// Holds the copy against the log that it is to be a copy of: the log must go on where the copy ends, or end there. Gives up to
    /// where the log is to be copied; nothing is new when that is the copy's own end.
    ///
    /// # Errors
    /// `InvalidInput` when the copy has other records, or more of them: the message names the size and both roots. `Damaged`, I/O.
    pub fn compare(&self, source: &Arc<dyn Files>, view: &LogView) -> Result<End> {
        let (ours, theirs) = (self.end(), view.end());
        let size = ours.next.position;
        let ledger = view.identity().ledger_id;
        if size > theirs.next.position {
            // After a power loss the last batches are there, but not yet proven: a copy may have them already.
            let until = Cursor { segment: u64::MAX, ..theirs.next };
            let from = segment_start(&**source, ledger, theirs.next.segment)?;
            let beyond = follow(std::slice::from_ref(source), ledger, &from, Some(&until), &mut Nowhere, &mut |_| {})?.end;
            if beyond.next.position < size {
                return Err(self.newer(&**source, &theirs.head()));
            }
        }
        let root = root_at(source, ledger, Size(size))?;
        if root != ours.head().root {
            return Err(self.diverged(&**source, root));
        }
        Ok(if size >= theirs.next.position { ours.clone() } else { theirs })
    }
    fn newer(&self, source: &dyn Files, head: &Head) -> Error {
        let (source, ours) = (source.describe(""), self.end().head());
        Error::new(
            ErrorKind::InvalidInput,
            format!(
                "the copy is newer than {}: it has size {} and root {}, {} has size {} and root {}",
                source.display(),
                ours.size,
                ours.root.to_base64(),
                source.display(),
                head.size,
                head.root.to_base64()
            ),
        )
        .in_file(self.files.describe(""))
        .advise(format!(
            "{} was rolled back, or restored from an older copy: keep this copy, and find out which of the two is right",
            source.display()
        ))
    }
    fn diverged(&self, source: &dyn Files, root: Root) -> Error {
        let (source, ours) = (source.describe(""), self.end().head());
        Error::new(
            ErrorKind::InvalidInput,
            format!(
                "the copy is no beginning of {}: at size {} it has root {}, {} has root {}",
                source.display(),
                ours.size,
                ours.root.to_base64(),
                source.display(),
                root.to_base64()
            ),
        )
        .in_file(self.files.describe(""))
        .advise("both say that they are the same ledger, and their histories differ: keep both, and back up into a new directory")
    }

    /// Takes what is new of the log up to an end that [`Self::compare`] gave: each segment whole or not at all, durably. At each
    /// moment the copy is the beginning of the log. `HEAD` is left to [`Self::finish`].
    ///
    /// # Errors
    /// `Damaged` with the source's file when it is not what it was up to there, or with the copy's own. Those of writing.
    pub fn take(&self, source: &Arc<dyn Files>, until: &End, progress: &mut dyn FnMut(u64)) -> Result<Taken> {
        let (ledger, ours) = (self.log.identity().ledger_id, self.end().clone());
        let last = ours.next.segment;
        self.compare_old(&**source, ledger, last)?;
        if ours.next == until.next {
            return Ok(Taken { bytes: 0, from_segment: last });
        }
        let from = segment_start(&**source, ledger, last)?;
        let (file, ..) = open_segment(&*self.files, ledger, last, Open::Read)?;
        let mut sink = Newer {
            placing: Placing::new(&*self.files),
            files: &*self.files,
            old: (last, ours.next.offset, file),
            segment: last,
            begun: false,
            bytes: 0,
        };
        let prefix = follow(std::slice::from_ref(source), ledger, &from, Some(&until.next), &mut sink, progress)?;
        if prefix.end != *until {
            return Err(prefix.stop.error(&**source));
        }
        sink.placing.finish()?;
        Ok(Taken { bytes: sink.bytes, from_segment: last })
    }
    /// Old segments are the same when their headers are, each of which names the digest of the one before.
    fn compare_old(&self, source: &dyn Files, ledger: LedgerId, last: u64) -> Result<()> {
        for number in 0..=last {
            let (file, header, _) = open_segment(&*self.files, ledger, number, Open::Read)?;
            let (_, theirs, _) = open_segment(source, ledger, number, Open::Read)?;
            if header != theirs {
                return Err(self.other_files(number));
            }
            let Some(next) = (number < last).then(|| open_segment(&*self.files, ledger, number + 1, Open::Read)).transpose()?
            else {
                continue;
            };
            let len =
                file.len().map_err(|e| Error::io(e, "read a copy of the log", self.files.describe(&segment_path(number))))?;
            if len < next.1.predecessor_length {
                let what = format!("the segment has {len} bytes, its successor says {}", next.1.predecessor_length);
                return Err(Damage::new(segment_path(number), what).at(len).error(&*self.files));
            }
        }
        Ok(())
    }
    fn other_files(&self, number: u64) -> Error {
        other_files(&*self.files, number)
    }

    /// Says in `HEAD` that the copy ends there, and gives the lock back.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(self, end: &End) -> Result<()> {
        if self.log.end().next == end.next {
            return Ok(());
        }
        write_head(&*self.files, self.log.identity().ledger_id, end)
    }
    /// Reads again what [`Self::take`] wrote, or with `full` the whole copy. Gives how many records were read.
    ///
    /// # Errors
    /// `Damaged` with what is wrong; I/O.
    pub fn check(&self, taken: &Taken, end: &End, full: bool) -> Result<u64> {
        let ledger = self.log.identity().ledger_id;
        let from = if full { 0 } else { taken.from_segment };
        read_again(&*self.files, ledger, from, end)?.map_err(|finding| {
            let mut error =
                Error::new(ErrorKind::Damaged, format!("the copy is damaged: {}", finding.what)).in_file(finding.file);
            if let Some(offset) = finding.offset {
                error = error.at_offset(offset);
            }
            error.advise("back up into a new directory, on another disk if this one may be failing")
        })
    }
}

fn other_files(files: &dyn Files, number: u64) -> Error {
    Error::new(ErrorKind::InvalidInput, "the copy has the same records in other bytes: another program wrote this segment")
        .in_file(files.describe(&segment_path(number)))
        .advise("back up into a new directory")
}

fn segment_start(files: &dyn Files, ledger: LedgerId, number: u64) -> Result<End> {
    open_segment(files, ledger, number, Open::Read).map(|(_, header, _)| header.start)
}

/// The root of a log at a size, by its records.
fn root_at(files: &Arc<dyn Files>, ledger: LedgerId, size: Size) -> Result<Root> {
    let (numbers, _) = list_numbers(&**files)?;
    for number in numbers.into_iter().rev() {
        let start = segment_start(&**files, ledger, number)?;
        if start.next.position > size.0 {
            continue;
        }
        let mut frontier: Frontier = start.frontier.clone();
        for walked in segments_of(Arc::clone(files), ledger).walk(start.next, size) {
            let walked = walked?;
            frontier.push(leaf_of(walked.position, &walked.frame));
        }
        return Ok(frontier.root());
    }
    Err(super::evidence::missing(0).error(&**files))
}

fn leaf_of(position: Position, frame: &Frame) -> sovang_core::tree::Hash {
    leaf_hash(&frame.hash(position))
}

/// Takes what the copy does not have, and holds what it has against it.
struct Newer<'a> {
    placing: Placing<'a>,
    files: &'a dyn Files,
    /// The copy's last segment: its number, where its batches end, its file.
    old: (u64, u64, Arc<dyn File>),
    segment: u64,
    /// Whether the segment under way is being written.
    begun: bool,
    bytes: u64,
}
impl Sink for Newer<'_> {
    fn segment(&mut self, number: u64, header: &[u8]) -> Result<()> {
        self.segment = number;
        self.begun = number != self.old.0;
        if self.begun {
            self.placing.begin(number)?;
            self.placing.write(header)?;
            self.bytes += header.len() as u64;
        }
        Ok(())
    }
    fn batch(&mut self, at: &Cursor, bytes: &[u8]) -> Result<()> {
        let (number, len, file) = &self.old;
        if self.segment == *number && at.offset < *len {
            let there = read(&**file, at.offset, bytes.len());
            let there = there.map_err(|e| Error::io(e, "read a copy of the log", self.files.describe(&segment_path(*number))))?;
            return if there == bytes { Ok(()) } else { Err(other_files(self.files, *number)) };
        }
        if !self.begun {
            self.placing.begin_with(*number, &**file, *len)?;
            self.begun = true;
        }
        self.bytes += bytes.len() as u64;
        self.placing.write(bytes)
    }
    fn seal(&mut self, offset: u64, seal: &[u8]) -> Result<()> {
        self.placing.seal_later(self.segment, offset, seal);
        Ok(())
    }
}
