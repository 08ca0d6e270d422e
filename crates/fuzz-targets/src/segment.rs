//! A segment with its header, through opening, reading, verifying and appending.

use crate::edit::{apply, edits};
use crate::{INPUT_BYTES_MAX, image, seal};
use arbitrary::Unstructured;
use sovang_core::tree::{self, Frontier};
use sovang_core::{Head, Position};
use sovang_storage::files::Files;
use sovang_storage::log::{self, Log, LogView, Segments, fuzzing};
use sovang_storage::memory::MemoryFiles;
use std::sync::Arc;

/// The first byte of an input: the rest is changes to a sound segment, otherwise the bytes behind its header.
pub const EDITED: u8 = 1;
/// The checksums are made to fit.
pub const SUMS: u8 = 2;
/// The roots as well.
pub const ROOTS: u8 = 4;
/// `HEAD` says that the sound segment's records were durable; otherwise that nothing was.
pub const DURABLE: u8 = 8;

/// See [`check`].
///
/// # Panics
/// When an assertion does not hold.
pub fn run(bytes: &[u8]) {
    let Some((mode, rest)) = bytes.split_first().filter(|_| bytes.len() <= INPUT_BYTES_MAX) else { return };
    let sound = image::short_log();
    let files = if mode & DURABLE == 0 { image::empty_log() } else { sound.fork() };
    let mut segment = image::read(&sound, "log/0");
    if mode & EDITED == 0 {
        segment.truncate(seal::SEGMENT_HEADER);
        segment.extend_from_slice(rest);
    } else {
        for edit in edits(&mut Unstructured::new(rest)).unwrap_or_default() {
            apply(&mut segment, &edit);
        }
    }
    if mode & SUMS != 0 {
        if let Some(header) = segment.get_mut(..seal::SEGMENT_HEADER) {
            seal::end_in_crc(header);
        }
        seal::batches(&mut segment, mode & ROOTS != 0);
    }
    structures(&segment);
    image::write(&files, "log/0", &segment);
    check(&files);
}

/// Whatever decodes encodes to the same bytes.
fn structures(segment: &[u8]) {
    if let Some(again) = fuzzing::segment_header(segment, image::LEDGER, 0) {
        assert_eq!(again, segment[..seal::SEGMENT_HEADER]);
    }
    let Some(of) = seal::Segment::of(segment) else { return };
    for (offset, magic) in segment.windows(4).enumerate().skip(seal::SEGMENT_HEADER) {
        let rest = &segment[offset..];
        let again = match magic {
            b"SOVB" => fuzzing::batch_header(rest, of.ledger, of.number, of.salt, offset as u64),
            b"SOVT" => fuzzing::batch_trailer(rest, of.ledger, of.number, of.salt, offset as u64),
            _ => None,
        };
        if let Some(again) = again {
            assert_eq!(again, rest[..again.len()]);
        }
    }
}

/// Opens a log for reading and for writing. Either both refuse, saying why and changing nothing, or: the reader shows a beginning of
/// what the writer keeps, its records lead to its root, opening again finds the same and has nothing left to do, appending
/// works, and a full verification finds nothing but what a faulty program wrote.
///
/// # Panics
/// When that does not hold.
pub fn check(files: &MemoryFiles) {
    let shared: Arc<dyn Files> = Arc::new(files.clone());
    let before = image::all(files);
    let reader = LogView::open(Arc::clone(&shared));
    let is_sound = log::verify(&shared, &|_, _| {}).is_ok_and(|report| report.is_sound());
    assert_eq!(image::all(files), before, "readers write nothing");
    let opened = Log::open(Arc::clone(&shared), image::log_options(), &image::randomness(3));
    let (log, recovered) = match opened {
        Err(error) => {
            image::assert_refusal(&error);
            assert!(reader.is_err(), "a writer refuses what a reader shows: {error}");
            assert!(!is_sound, "verifying sees what opening refuses: {error}");
            assert_eq!(image::all(files), before, "a refusal changes nothing");
            return;
        }
        Ok(opened) => opened,
    };
    let head = log.head();
    let shown = reader.expect("a reader refuses what a writer opens").head();
    assert!(shown.size <= head.size, "a reader shows what a writer does not find");
    let Some(leaves) = leaves(log.segments(), head).filter(|leaves| root_of(leaves) == head.root) else {
        assert!(!is_sound, "verifying sees what reading meets");
        return;
    };
    assert_eq!(root_of(&leaves[..crate::at(shown.size.0)]), shown.root);
    drop(log);
    again(&shared, files, head);
    let rejected = recovered.quarantined.map(|(_, bytes)| bytes);
    assert_eq!(rejected.is_some(), image::all(files).keys().any(|path| path.starts_with("quarantine/")));
    append(&shared, head, is_sound);
}

/// Every record's leaf, in order; none when damage is met: what is older than the place that `HEAD` points to is not read by opening.
fn leaves(segments: &Arc<Segments>, head: Head) -> Option<Vec<tree::Hash>> {
    let mut leaves = Vec::new();
    for walked in segments.walk(Segments::start(), head.size) {
        let walked = match walked {
            Ok(walked) => walked,
            Err(error) => {
                image::assert_refusal(&error);
                return None;
            }
        };
        assert_eq!(walked.position, Position(leaves.len() as u64));
        let there = segments.frame(walked.location, walked.position).expect("the same record by its place");
        assert_eq!(there.bytes(), walked.frame.bytes());
        leaves.push(tree::leaf_hash(&walked.frame.hash(walked.position)));
    }
    assert_eq!(leaves.len() as u64, head.size.0);
    Some(leaves)
}
fn root_of(leaves: &[tree::Hash]) -> sovang_core::Root {
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.push(*leaf);
    }
    frontier.root()
}

/// Recovering twice is recovering once.
fn again(shared: &Arc<dyn Files>, files: &MemoryFiles, head: Head) {
    let once = image::all(files);
    let (log, recovered) = Log::open(Arc::clone(shared), image::log_options(), &image::randomness(4)).expect("it opened before");
    assert_eq!(log.head(), head);
    assert_eq!(recovered.quarantined, None, "nothing is left to reject");
    assert_eq!(recovered.kept_batches, 0, "all that was kept is durable");
    drop(log);
    for (path, bytes) in image::all(files) {
        // HEAD's slots are written in turn.
        assert!(path == "HEAD" || once.get(&path) == Some(&bytes), "{path} changed");
    }
}

fn append(shared: &Arc<dyn Files>, head: Head, is_sound: bool) {
    let (mut log, _) = Log::open(Arc::clone(shared), image::log_options(), &image::randomness(5)).expect("it opened before");
    let mut one = image::record(99, b"after");
    one.stamp(log.last_recorded_at(), 18_000);
    let written = log.append(&[one]).expect("appending works");
    assert_eq!((written.first.0, written.head.size.0), (head.size.0, head.size.0 + 1));
    log.close().expect("closing works");
    let report = log::verify(shared, &|_, _| {}).expect("verifying works");
    if !is_sound {
        // What opening does not read and verifying had found is still there.
        return;
    }
    assert_eq!(report.head, written.head);
    for finding in report.findings {
        // A faulty program wrote the record.
        assert!(finding.what.contains("cannot be read"), "{finding}");
    }
}
