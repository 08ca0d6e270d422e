//! Carrying out what recovery decided (design §4): each step can be repeated, and only after the last one is the log open.

use super::evidence::{HeadFile, Predecessor, Reading, predecessor_end};
use super::head::HEAD_FILE;
use super::head_writer::HeadWriter;
use super::recovery::Plan;
use super::segment::{LOG_DIRECTORY, SEAL_BYTES, SEGMENT_HEADER_BYTES, seal, segment_path};
use super::writer::FIRST_STEP_BYTES;
use super::{End, Recovered};
use crate::files::{File, Files, Open};
use sovang_core::{Error, Result};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

const QUARANTINE_DIRECTORY: &str = "quarantine";

/// What the writer goes on with.
pub(super) struct Repaired {
    pub(super) recovered: Recovered,
    pub(super) head: HeadWriter,
    /// The last segment, which may be another file than the one read.
    pub(super) file: Arc<dyn File>,
}

fn failed(files: &dyn Files, path: &str) -> impl Fn(io::Error) -> Error {
    let path = files.describe(path);
    move |e| Error::io(e, "recover the log", path.clone())
}

/// Makes the log on the disk what the plan says.
pub(super) fn repair(files: &dyn Files, head: &HeadFile, reading: Reading, plan: &Plan) -> Result<Repaired> {
    let mut recovered = Recovered { kept_batches: plan.kept_batches, ..Recovered::default() };
    // What was read may be in the page cache only: first the names, then the bytes.
    files.sync_directory(LOG_DIRECTORY).map_err(failed(files, LOG_DIRECTORY))?;
    files.sync_directory("").map_err(failed(files, ""))?;
    let path = segment_path(plan.end.next.segment);
    let mut file = reading.file;
    if let Some((offset, tail)) = reading.scan.tail() {
        let bytes = tail.len() as u64;
        recovered.quarantined = Some((quarantine(files, plan.end.next.segment, offset, &tail)?, bytes));
        let zero = || {
            file.write_at(&vec![0; tail.len()], offset)?;
            file.sync_all()
        };
        zero().map_err(failed(files, &path))?;
    }
    let (durable, end) = (plan.durable.next.offset, plan.end.next.offset);
    if durable < end {
        let rewrite = || {
            file.write_at(&reading.scan.bytes_between(durable, end), durable)?;
            file.sync_all()
        };
        rewrite().map_err(failed(files, &path))?;
    }
    if reading.predecessor == Predecessor::Unsealed {
        if end == SEGMENT_HEADER_BYTES as u64 {
            file = put_segment(files, plan.end.next.segment, &reading.header_bytes, FIRST_STEP_BYTES)
                .map_err(failed(files, &path))?;
        }
        seal_predecessor(files, &reading.header)?;
        recovered.finished_rotation = true;
    }
    let head_file = files.open(HEAD_FILE, Open::Write).map_err(failed(files, HEAD_FILE))?;
    let mut writer = HeadWriter::new(head_file, reading.header.ledger_id, head.best);
    if let Some(same) = head.other_slot_of(&plan.end) {
        writer.write_next(same);
    }
    let rewrite_head = |writer: &mut HeadWriter| {
        writer.rewrite_protected(head.best_bytes())?;
        writer.write(&plan.end)?;
        writer.sync()
    };
    rewrite_head(&mut writer).map_err(failed(files, HEAD_FILE))?;
    if head.best_end == plan.end {
        writer.is_settled();
    }
    Ok(Repaired { recovered, head: writer, file })
}

/// Copies a rejected tail to a file of its own.
fn quarantine(files: &dyn Files, segment: u64, offset: u64, tail: &[u8]) -> Result<PathBuf> {
    let digest = blake3::hash(tail).to_hex();
    let path = format!("{QUARANTINE_DIRECTORY}/{segment}-{offset}-{}", &digest[..16]);
    let fail = failed(files, &path);
    files.create_directory(QUARANTINE_DIRECTORY).map_err(&fail)?;
    files.sync_directory("").map_err(&fail)?;
    let file = files.open(&path, Open::Create).map_err(&fail)?;
    file.write_at(tail, 0).map_err(&fail)?;
    file.sync_all().map_err(&fail)?;
    files.sync_directory(QUARANTINE_DIRECTORY).map_err(fail)?;
    Ok(files.describe(&path))
}

/// Writes a segment with nothing but its header, and puts it in place, durably.
pub(super) fn put_segment(files: &dyn Files, number: u64, header: &[u8], len: u64) -> io::Result<Arc<dyn File>> {
    let path = segment_path(number);
    let temporary = format!("{path}.tmp");
    let file = files.open(&temporary, Open::Create)?;
    file.allocate(len)?;
    fill_segment(files, number, &*file, header)?;
    Ok(file)
}

/// Fills and places what was created as the temporary of a segment.
pub(super) fn fill_segment(files: &dyn Files, number: u64, file: &dyn File, header: &[u8]) -> io::Result<()> {
    let path = segment_path(number);
    file.write_at(header, 0)?;
    file.sync_all()?;
    files.rename(&format!("{path}.tmp"), &path)?;
    files.sync_directory(LOG_DIRECTORY)
}

fn seal_predecessor(files: &dyn Files, header: &super::segment::SegmentHeader) -> Result<()> {
    let Some(end) = predecessor_end(header) else {
        return Ok(());
    };
    let path = segment_path(end.next.segment);
    let (file, before, _) = super::evidence::open_segment(files, header.ledger_id, end.next.segment, Open::Write)?;
    write_seal(&*file, &seal(before.sums(), &end), &end).map_err(failed(files, &path))
}

/// Seals a segment whose successor is in place, and ends its file there.
pub(super) fn write_seal(file: &dyn File, seal: &[u8], end: &End) -> io::Result<()> {
    file.write_at(seal, end.next.offset)?;
    file.set_len(end.next.offset + SEAL_BYTES as u64)?;
    file.sync_all()
}
