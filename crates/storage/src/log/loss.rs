//! What a damaged log still says of the part that cannot be proven: how far it went, and which later segments are whole.

use super::End;
use super::batch::{BATCH_HEADER_BYTES, BATCH_MAGIC, BatchHeader};
use super::check::{SegmentTask, check_segment};
use super::evidence::{CHUNK_BYTES, list_numbers, read_head_bytes};
use super::head::{HEAD_FILE, SLOT_BYTES, decode_slots};
use super::segment::{SEGMENT_FILE_BYTES_MAX, SEGMENT_HEADER_BYTES, SegmentHeader, segment_path};
use crate::files::{File, Files, Open};
use sovang_core::{Head, LedgerId, Size};
use std::path::PathBuf;
use std::sync::Arc;

/// Something that says that the log was durable up to a size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The file that says so.
    pub file: PathBuf,
    /// The byte in it.
    pub offset: u64,
    /// What says so: `slot of HEAD`, `segment header`, `batch header`, `checkpoint`.
    pub what: &'static str,
    /// The size, and the root there.
    pub head: Head,
}

/// A segment behind the provable part that can be read from its own first byte: whole if a copy fills the gap before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Island {
    /// Its file.
    pub file: PathBuf,
    /// The size at which it starts.
    pub from: Size,
    /// The size up to which it is sound in itself.
    pub to: Size,
    /// Whether that is all of it.
    pub whole: bool,
}

/// What `HEAD` and the segments' headers say of how far the log goes. Read before the log itself: a writer may be at work.
pub(super) fn said(files: &dyn Files, ledger: LedgerId) -> Vec<Trace> {
    let mut traces = Vec::new();
    if let Ok(bytes) = read_head_bytes(files) {
        for (i, slot) in decode_slots(&bytes, ledger).iter().enumerate() {
            if let Some(slot) = slot {
                traces.push(trace(files, HEAD_FILE, (i * SLOT_BYTES) as u64, "slot of HEAD", slot.head()));
            }
        }
    }
    for number in numbers(files) {
        if let Some((_, header)) = open(files, ledger, number) {
            traces.push(trace(files, &segment_path(number), 0, "segment header", header.start.head()));
        }
    }
    traces
}

/// What batch headers behind an end prove, the best of each segment. Behind the end of a sound log these may be a live writer's.
pub(super) fn proven_behind(files: &dyn Files, ledger: LedgerId, end: &End) -> Vec<Trace> {
    let mut traces = Vec::new();
    for number in numbers(files).into_iter().filter(|number| *number >= end.next.segment) {
        let Some((file, header)) = open(files, ledger, number) else { continue };
        let from = if number == end.next.segment { end.next.offset } else { SEGMENT_HEADER_BYTES as u64 };
        if let Some((offset, header)) = last_header(&*file, &header, from) {
            let head = Head { size: Size(header.proven.size), root: header.proven.root };
            traces.push(trace(files, &segment_path(number), offset, BATCH_HEADER, head));
        }
    }
    traces
}

/// What a batch header is called in a [`Trace`].
pub const BATCH_HEADER: &str = "batch header";

fn trace(files: &dyn Files, path: &str, offset: u64, what: &'static str, head: Head) -> Trace {
    Trace { file: files.describe(path), offset, what, head }
}

/// The later segments that are sound in themselves, from their first byte on.
pub(super) fn islands(files: &dyn Files, ledger: LedgerId, end: &End) -> Vec<Island> {
    let mut islands = Vec::new();
    for number in numbers(files) {
        let Some((_, header)) = open(files, ledger, number) else { continue };
        if header.start.next.position < end.next.position || number <= end.next.segment {
            continue;
        }
        let successor = number.checked_add(1).and_then(|next| open(files, ledger, next)).map(|(_, header)| header);
        let task = SegmentTask { ledger, number, successor, durable: None, slots: Vec::new() };
        let Ok(check) = check_segment(files, &task, &|_| {}) else { continue };
        if let Some(sound) = check.sound {
            let (from, to) = (Size(header.start.next.position), Size(sound.next.position));
            islands.push(Island { file: files.describe(&segment_path(number)), from, to, whole: check.findings.is_empty() });
        }
    }
    islands
}

fn numbers(files: &dyn Files) -> Vec<u64> {
    list_numbers(files).map(|(numbers, _)| numbers).unwrap_or_default()
}

fn open(files: &dyn Files, ledger: LedgerId, number: u64) -> Option<(Arc<dyn File>, SegmentHeader)> {
    let opened = super::evidence::open_segment(files, ledger, number, Open::Read).ok();
    opened.map(|(file, header, _)| (file, header))
}

/// The batch header behind an offset that proves the most; where it cannot be read, what follows is looked at.
fn last_header(file: &dyn File, segment: &SegmentHeader, from: u64) -> Option<(u64, BatchHeader)> {
    let (sums, len) = (segment.sums(), file.len().ok()?.min(SEGMENT_FILE_BYTES_MAX));
    let mut best: Option<(u64, BatchHeader)> = None;
    let mut at = from;
    let mut chunk = vec![0; CHUNK_BYTES];
    while at < len {
        let got = file.read_at(&mut chunk, at).unwrap_or(0);
        let bytes = &chunk[..got];
        for (i, _) in bytes.windows(BATCH_MAGIC.len()).enumerate().filter(|(_, window)| *window == BATCH_MAGIC) {
            let offset = at + i as u64;
            if let Some(header) = BatchHeader::take(&bytes[i..], sums, offset)
                && best.is_none_or(|(_, best)| header.proven.size >= best.proven.size)
            {
                best = Some((offset, header));
            }
        }
        // A header may lie across two chunks.
        at += (CHUNK_BYTES - BATCH_HEADER_BYTES) as u64;
    }
    best
}
