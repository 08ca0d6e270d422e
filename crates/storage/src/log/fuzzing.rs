//! What the fuzz targets see of the log's structures: each function decodes bytes as opening does and encodes what it read, so that a
//! target can hold the one against the other. Behind the feature `fuzzing`, for tests alone.

use super::batch::{BATCH_HEADER_BYTES, BatchHeader, TRAILER_BYTES, Trailer};
use super::head::{decode_slot, encode_slot};
use super::identity;
use super::segment::{SegmentHeader, Sums};
use sovang_core::LedgerId;

/// A valid file `ledger`, encoded again.
#[must_use]
pub fn ledger(bytes: &[u8]) -> Option<Vec<u8>> {
    identity::encode(&identity::decode(bytes).ok()?).ok()
}
/// A valid slot of `HEAD`, encoded again.
#[must_use]
pub fn head_slot(bytes: &[u8], ledger: LedgerId) -> Option<Vec<u8>> {
    decode_slot(bytes, ledger).map(|end| encode_slot(ledger, &end))
}
/// The valid header that starts a segment of that number, encoded again.
#[must_use]
pub fn segment_header(bytes: &[u8], ledger: LedgerId, number: u64) -> Option<Vec<u8>> {
    SegmentHeader::decode(bytes, ledger, number).ok().map(|header| header.encode())
}
/// A batch header whose magic, reserved bytes and checksum hold, encoded again.
#[must_use]
pub fn batch_header(bytes: &[u8], ledger: LedgerId, segment: u64, salt: [u8; 16], offset: u64) -> Option<Vec<u8>> {
    let sums = Sums::new(ledger, segment, salt);
    let mut again = Vec::with_capacity(BATCH_HEADER_BYTES);
    BatchHeader::take(bytes, sums, offset)?.put(&mut again, sums, offset);
    Some(again)
}
/// A batch trailer whose magic, reserved bytes and checksum hold, encoded again.
#[must_use]
pub fn batch_trailer(bytes: &[u8], ledger: LedgerId, segment: u64, salt: [u8; 16], offset: u64) -> Option<Vec<u8>> {
    let sums = Sums::new(ledger, segment, salt);
    let mut again = Vec::with_capacity(TRAILER_BYTES);
    Trailer::take(bytes, sums, offset)?.put(&mut again, sums, offset);
    Some(again)
}
