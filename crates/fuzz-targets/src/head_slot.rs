//! The file `HEAD`, beside a sound log.

use crate::edit::{apply, edits};
use crate::{INPUT_BYTES_MAX, image, seal, segment};
use arbitrary::Unstructured;
use sovang_storage::log::fuzzing;

/// The first byte of an input: the rest is the file, otherwise changes to a sound one.
pub const RAW: u8 = 1;
/// The checksums are made to fit.
pub const SUMS: u8 = 2;

/// A slot that decodes encodes to the same bytes; and the log with that `HEAD` is refused or opened as [`segment::check`] says.
///
/// # Panics
/// When that does not hold.
pub fn run(bytes: &[u8]) {
    let Some((mode, rest)) = bytes.split_first().filter(|_| bytes.len() <= INPUT_BYTES_MAX) else { return };
    let files = image::short_log();
    let mut head = image::read(&files, "HEAD");
    if mode & RAW != 0 {
        head = rest.to_vec();
    } else {
        for edit in edits(&mut Unstructured::new(rest)).unwrap_or_default() {
            apply(&mut head, &edit);
        }
    }
    for slot in head.chunks_mut(4096) {
        if mode & SUMS != 0 {
            seal::end_in_crc(slot);
        }
        if let Some(again) = fuzzing::head_slot(slot, image::LEDGER) {
            assert_eq!(again, slot);
        }
    }
    image::write(&files, "HEAD", &head);
    segment::check(&files);
}
