//! Verification from scratch: every byte of every segment read, every checksum, record hash and root recomputed. No index
//! is asked and nothing is written, so it works on read-only media and beside a live writer.

use super::check::{SegmentCheck, SegmentTask, check_segment};
use super::damage::Damage;
use super::evidence::{first_gap, list_numbers, missing, no_slot, read_head_bytes};
use super::head::{HEAD_BYTES, HEAD_FILE, SLOT_BYTES, SLOTS, decode_slots};
use super::segment::segment_path;
use super::view::{LogView, Note};
use super::{End, bytes::is_zero, identity};
use crate::files::{Files, Open};
use sovang_core::{Error, ErrorKind, Head, LedgerId, Position, Result};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// More threads than this gain nothing on one disk.
const THREADS_MAX: usize = 8;
/// To read fewer bytes another thread costs more than it gains.
const BYTES_WORTH_A_THREAD: u64 = 1 << 20;

/// Something wrong with the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The record at fault, or the first that may be.
    pub position: Option<Position>,
    /// The file.
    pub file: PathBuf,
    /// The byte in it.
    pub offset: Option<u64>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(position) = self.position {
            write!(f, " at position {position}")?;
        }
        write!(f, " in {}", self.file.display())?;
        self.offset.map_or(Ok(()), |offset| write!(f, " at byte {offset}"))
    }
}

impl Finding {
    fn of(error: &Error) -> Self {
        Self {
            position: error.position(),
            file: error.path().map(PathBuf::from).unwrap_or_default(),
            offset: error.offset(),
            what: error.message().to_owned(),
        }
    }
}

/// What a verification of every byte found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogReport {
    /// The head up to which the log was verified: the durable head when it started, or where the part before the first damage ends.
    pub head: Head,
    /// Everything wrong, by place.
    pub findings: Vec<Finding>,
    /// What is no fault: torn tails, leftovers of interrupted writes, a slot of `HEAD` that a crash tore.
    pub notes: Vec<Note>,
}

impl LogReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Re-reads and re-hashes every byte of the log up to the durable head at the start, on several threads. `progress` is told
/// bytes done and bytes in all, from any of them.
///
/// # Errors
/// [`ErrorKind::NotALedger`], [`ErrorKind::WrongFormat`], and those of the system. Damage is no error here but a finding.
pub fn verify(files: &Arc<dyn Files>, progress: &(dyn Fn(u64, u64) + Sync)) -> Result<LogReport> {
    let mut report = LogReport { head: End::start().head(), findings: Vec::new(), notes: Vec::new() };
    let Some(identity) = or_finding(identity::read(&**files), &mut report)? else {
        return Ok(report);
    };
    let ledger = identity.ledger_id;
    let slots = check_head(&**files, ledger, &mut report)?;
    // What opening says: how far to read, and why it would refuse.
    let opened = LogView::open(Arc::clone(files));
    let refused = match &opened {
        Err(e) if e.kind() == ErrorKind::Damaged => Some(Finding::of(e)),
        Err(e) => return Err(e.clone()),
        Ok(view) => {
            report.notes.extend(view.notes());
            None
        }
    };
    let durable = opened.ok().map(|view| view.end());
    let Some((mut numbers, _)) = or_finding(list_numbers(&**files), &mut report)? else {
        return Ok(report);
    };
    if let Some(end) = &durable {
        // A live writer goes on meanwhile.
        numbers.retain(|number| *number <= end.next.segment);
    }
    if let Some(gap) = first_gap(&numbers) {
        report.findings.push(missing(gap).finding(&**files));
    }
    let tasks = tasks(&**files, ledger, &numbers, &slots, durable.as_ref());
    let checks = run(&**files, &tasks, progress)?;
    join(&**files, checks, &slots, durable.as_ref(), &mut report);
    let same_place = |refused: &Finding, found: &Finding| refused.file == found.file && refused.offset == found.offset;
    report.findings.extend(refused.filter(|refused| !report.findings.iter().any(|found| same_place(refused, found))));
    Ok(report)
}

fn or_finding<T>(result: Result<T>, report: &mut LogReport) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(e) if e.kind() == ErrorKind::Damaged => {
            report.findings.push(Finding::of(&e));
            Ok(None)
        }
        Err(e) => Err(e),
    }
}

/// Checks `HEAD` in itself.
fn check_head(files: &dyn Files, ledger: LedgerId, report: &mut LogReport) -> Result<[Option<End>; SLOTS]> {
    let Some(bytes) = or_finding(read_head_bytes(files), report)? else {
        return Ok([const { None }; SLOTS]);
    };
    let slots = decode_slots(&bytes, ledger);
    let len = files.open(HEAD_FILE, Open::Read).and_then(|file| file.len());
    let len = len.map_err(|e| Error::io(e, "read the head", files.describe(HEAD_FILE)))?;
    if len != HEAD_BYTES as u64 {
        let what = format!("the file has {len} bytes instead of {HEAD_BYTES}");
        report.findings.push(Damage::new(HEAD_FILE, what).finding(files));
    }
    if slots.iter().all(Option::is_none) {
        report.findings.push(no_slot().finding(files));
    }
    for (i, slot) in bytes.chunks(SLOT_BYTES).enumerate() {
        if slots[i].is_none() && !is_zero(slot) {
            let offset = Some((i * SLOT_BYTES) as u64);
            let what = "a slot is not valid, as a crash may leave it; the others carry the head".to_owned();
            report.notes.push(Note { file: files.describe(HEAD_FILE), offset, what });
        }
    }
    Ok(slots)
}

/// One task for each segment: what its neighbours say of it, so that all can be checked at once.
fn tasks(
    files: &dyn Files,
    ledger: LedgerId,
    numbers: &[u64],
    slots: &[Option<End>; SLOTS],
    durable: Option<&End>,
) -> Vec<SegmentTask> {
    let header = |number: u64| super::evidence::open_segment(files, ledger, number, Open::Read).ok().map(|(_, header, _)| header);
    let task = |number: &u64| SegmentTask {
        ledger,
        number: *number,
        successor: number.checked_add(1).filter(|next| numbers.contains(next)).and_then(header),
        durable: durable.filter(|end| end.next.segment == *number).cloned(),
        slots: slots.iter().flatten().filter(|slot| slot.next.segment == *number).cloned().collect(),
    };
    numbers.iter().map(task).collect()
}

/// Checks the segments on several threads.
fn run(files: &dyn Files, tasks: &[SegmentTask], progress: &(dyn Fn(u64, u64) + Sync)) -> Result<Vec<SegmentCheck>> {
    let len = |task: &SegmentTask| match (&task.successor, &task.durable) {
        (Some(successor), _) => successor.predecessor_length,
        (None, Some(end)) => end.next.offset,
        (None, None) => files.open(&segment_path(task.number), Open::Read).and_then(|file| file.len()).unwrap_or(0),
    };
    // Files say anything of their lengths.
    let total = tasks.iter().map(len).fold(0, u64::saturating_add);
    let (done, next) = (AtomicU64::new(0), AtomicUsize::new(0));
    let advance = |bytes: u64| progress(done.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes).min(total), total);
    let results = Mutex::new(Vec::with_capacity(tasks.len()));
    let work = || {
        while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
            let result = check_segment(files, task, &advance);
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            results.push(result);
        }
    };
    let worth = usize::try_from(total / BYTES_WORTH_A_THREAD).unwrap_or(usize::MAX).saturating_add(1);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX).min(tasks.len()).min(worth);
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let mut checks = results.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().collect::<Result<Vec<_>>>()?;
    checks.sort_by_key(|check| check.number);
    Ok(checks)
}

/// Holds the segments against each other, against the durable head and against `HEAD`.
fn join(
    files: &dyn Files,
    checks: Vec<SegmentCheck>,
    slots: &[Option<End>; SLOTS],
    durable: Option<&End>,
    report: &mut LogReport,
) {
    let mut before = Some(End::start());
    let mut matched = 0;
    let mut sound = true;
    for check in checks {
        let path = segment_path(check.number);
        if let (Some(before), Some(start)) = (&before, &check.start)
            && !(before.frontier == start.frontier
                && before.next.batch == start.next.batch
                && before.last_recorded_at == start.last_recorded_at)
        {
            let damage = Damage::new(&*path, "the segment does not continue the one before").at(0);
            report.findings.push(damage.of(start.next.position).finding(files));
            sound = false;
        }
        if let Some(end) = check.sound.as_ref().filter(|_| sound) {
            report.head = end.head();
        }
        sound &= check.findings.is_empty();
        report.findings.extend(check.findings.into_iter().map(|damage| damage.finding(files)));
        report.notes.extend(check.notes.into_iter().map(|(offset, what)| Note { file: files.describe(&path), offset, what }));
        matched += check.matched_slots;
        before = check.end;
    }
    if !sound {
        return;
    }
    let newest = slots.iter().flatten().max_by_key(|slot| slot.next.position);
    if let (None, Some(end), Some(slot)) = (durable, &before, newest)
        && slot.next.position > end.next.position
    {
        // Opening refuses for the slot; what is wrong is here.
        let what = format!("the log ends here, but {HEAD_FILE} says that it was durable up to size {}", slot.next.position);
        let damage = Damage::new(segment_path(end.next.segment), what).at(end.next.offset).of(end.next.position);
        let expected = format!("batch {}, from position {} on", end.next.batch, end.next.position);
        report.findings.push(damage.expecting(expected).finding(files));
    }
    if let (Some(durable), Some(end)) = (durable, &before)
        && durable.frontier != end.frontier
    {
        let damage = Damage::new(segment_path(end.next.segment), "the records do not lead to the durable head");
        report.findings.push(damage.at(end.next.offset).finding(files));
    }
    // Where opening refuses, it says itself which slot is wrong.
    if durable.is_some() && matched != slots.iter().flatten().count() {
        report.findings.push(Damage::new(HEAD_FILE, "a slot points to no end of a batch").finding(files));
    }
}
