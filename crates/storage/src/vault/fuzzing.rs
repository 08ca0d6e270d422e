//! What the fuzz targets see of the vault's structures: each function decodes bytes as opening does and encodes what it read, so that a
//! target can hold the one against the other. Behind the feature `fuzzing`, for tests alone.

use super::format::{Mark, RowHeader, SECTOR_BYTES, Slot};
use sovang_core::LedgerId;

/// A valid mark at an offset of `vault/rows`, encoded again.
#[must_use]
pub fn mark(bytes: &[u8; SECTOR_BYTES], ledger: LedgerId, offset: u64) -> Option<Vec<u8>> {
    Mark::decode(bytes, ledger, offset).map(|mark| mark.encode(ledger).to_vec())
}
/// A valid slot of `vault/keys`, encoded again.
#[must_use]
pub fn slot(bytes: &[u8], ledger: LedgerId, number: u32) -> Option<Vec<u8>> {
    Slot::decode(bytes, ledger, number).map(|slot| slot.encode(ledger, number).to_vec())
}
/// A valid row header at an offset of `vault/rows`, encoded again.
#[must_use]
pub fn row(bytes: &[u8], ledger: LedgerId, offset: u64) -> Option<Vec<u8>> {
    RowHeader::decode(bytes, ledger, offset).map(|row| row.encode(ledger, offset).to_vec())
}
