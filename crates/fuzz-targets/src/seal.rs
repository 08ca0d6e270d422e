//! The checksums of docs/FORMAT.md, written here once more: a hostile file may have every one of them right.

use crate::at;
use sovang_core::record::Frame;
use sovang_core::tree::{self, Frontier};
use sovang_core::{LedgerId, Position};

/// Makes the last four bytes the CRC32C of those before them (`ledger`, a slot of `HEAD`, a segment's header).
pub fn end_in_crc(bytes: &mut [u8]) {
    if let Some(split) = bytes.len().checked_sub(4) {
        let (before, sum) = bytes.split_at_mut(split);
        sum.copy_from_slice(&crc32c::crc32c(before).to_le_bytes());
    }
}

/// The little-endian number at a place, 0 past the end.
#[must_use]
pub fn number(bytes: &[u8], place: usize, width: usize) -> u64 {
    let mut word = [0; 8];
    if let Some(field) = bytes.get(place..place + width) {
        word[..width].copy_from_slice(field);
    }
    u64::from_le_bytes(word)
}
/// Writes the low bytes of a number at a place that is there.
pub fn put(bytes: &mut [u8], place: usize, width: usize, value: u64) {
    if let Some(field) = bytes.get_mut(place..place + width) {
        field.copy_from_slice(&value.to_le_bytes()[..width]);
    }
}

/// What the checksums inside a segment are seeded with (§2.2).
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// The ledger's id.
    pub ledger: LedgerId,
    /// The segment's number.
    pub number: u64,
    /// The salt in its header.
    pub salt: [u8; 16],
}

impl Segment {
    /// As the header that starts a segment's bytes says.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let ledger = LedgerId(bytes.get(16..32)?.try_into().ok()?);
        Some(Self { ledger, number: number(bytes, 32, 8), salt: bytes.get(40..56)?.try_into().ok()? })
    }
    /// `sum(offset, position, batch, bytes)`.
    #[must_use]
    pub fn sum(&self, offset: u64, position: u64, batch: u64, bytes: &[u8]) -> u32 {
        let mut sum = crc32c::crc32c(&self.ledger.0);
        for word in [self.number.to_le_bytes(), self.salt[..8].try_into().unwrap(), self.salt[8..].try_into().unwrap()] {
            sum = crc32c::crc32c_append(sum, &word);
        }
        for word in [offset, position, batch] {
            sum = crc32c::crc32c_append(sum, &word.to_le_bytes());
        }
        crc32c::crc32c_append(sum, bytes)
    }
}

/// Bytes of a segment's header, a batch's header, its trailer and a seal.
pub const SEGMENT_HEADER: usize = 4096;
/// Bytes of a batch's header.
pub const BATCH_HEADER: usize = 128;
/// Bytes of a batch's trailer.
pub const TRAILER: usize = 72;
/// Bytes of a seal.
pub const SEAL: usize = 72;

/// Makes the checksums of a segment's batches and of its seal fit, batch after batch as their lengths say; with `roots` also the
/// roots, as if the records had been written by a ledger. Only in a segment that starts at size 0 can roots be right.
pub fn batches(file: &mut [u8], roots: bool) {
    let Some(segment) = Segment::of(file) else { return };
    let mut frontier = Frontier::new();
    let (mut offset, mut size, mut last) = (SEGMENT_HEADER, 0, 0);
    while file.get(offset..offset + 4) == Some(b"SOVB") && file.len() >= offset + BATCH_HEADER {
        let header = &file[offset..offset + BATCH_HEADER];
        let (count, batch, first) = (number(header, 4, 4), number(header, 8, 8), number(header, 16, 8));
        let records = at(number(header, 24, 4));
        let trailer = offset.saturating_add(BATCH_HEADER).saturating_add(records);
        self::records(&segment, file, offset + BATCH_HEADER..trailer.min(file.len()), (count, batch, first), &mut frontier);
        if roots {
            file[offset + 40..offset + 72].copy_from_slice(&frontier.root().0);
        }
        let sum = segment.sum(offset as u64, first, batch, &file[offset..offset + BATCH_HEADER - 4]);
        put(file, offset + BATCH_HEADER - 4, 4, sum.into());
        if trailer.saturating_add(TRAILER) > file.len() {
            return;
        }
        if roots {
            file[trailer + 32..trailer + 64].copy_from_slice(&frontier.root().0);
        }
        let end = number(&file[trailer..], 24, 8);
        let number = number(&file[trailer..], 8, 8);
        let sum = segment.sum(trailer as u64, end, number, &file[trailer..trailer + TRAILER - 4]);
        put(file, trailer + TRAILER - 4, 4, sum.into());
        (offset, size, last) = (trailer + TRAILER, end, batch);
    }
    if file.get(offset..offset + 4) == Some(b"SOVS") && file.len() >= offset + SEAL {
        let sum = segment.sum(offset as u64, size, last, &file[offset..offset + SEAL - 4]);
        put(file, offset + SEAL - 4, 4, sum.into());
    }
}

/// The checksums of a batch's records.
fn records(
    segment: &Segment,
    file: &mut [u8],
    place: std::ops::Range<usize>,
    (count, batch, first): (u64, u64, u64),
    frontier: &mut Frontier,
) {
    let mut from = place.start;
    for nth in 0..count.min(1 << 12) {
        let position = first.wrapping_add(nth);
        let Ok(Some(len)) = Frame::length(&file[from..place.end.max(from)]) else { return };
        if from + len + 4 > place.end {
            return;
        }
        let sum = segment.sum(from as u64, position, batch, &file[from..from + len]);
        put(file, from + len, 4, sum.into());
        if let Ok(frame) = Frame::parse(bytes::Bytes::copy_from_slice(&file[from..from + len])) {
            frontier.push(tree::leaf_hash(&frame.hash(Position(position))));
        }
        from += len + 4;
    }
}

/// `vsum(offset, bytes)` of the vault (§7).
#[must_use]
pub fn vault_sum(ledger: LedgerId, offset: u64, bytes: &[u8]) -> u32 {
    let sum = crc32c::crc32c_append(crc32c::crc32c(&ledger.0), &offset.to_le_bytes());
    crc32c::crc32c_append(sum, bytes)
}

/// Ends a stretch of a vault's file in its checksum.
fn end_in_vault_sum(file: &mut [u8], ledger: LedgerId, place: std::ops::Range<usize>) {
    if let Some(bytes) = file.get_mut(place.clone()) {
        let (before, sum) = bytes.split_at_mut(place.len() - 4);
        sum.copy_from_slice(&vault_sum(ledger, place.start as u64, before).to_le_bytes());
    }
}
/// Makes the checksums of `vault/keys` fit.
pub fn vault_keys(file: &mut [u8], ledger: LedgerId) {
    end_in_vault_sum(file, ledger, 0..512);
    for slot in (4096..file.len()).step_by(128) {
        end_in_vault_sum(file, ledger, slot..slot + 128);
    }
}
/// Makes the checksums of `vault/rows` fit: headers, marks, and each row that its magic begins, with its ciphertext.
pub fn vault_rows(file: &mut [u8], ledger: LedgerId) {
    end_in_vault_sum(file, ledger, 0..512);
    for mark in [512, 1024] {
        if file.get(mark..mark + 8) == Some(b"SOVVMARK") {
            end_in_vault_sum(file, ledger, mark..mark + 512);
        }
    }
    let mut row = 4096;
    while row + 112 <= file.len() {
        let body = at(number(file, row + 8, 4));
        let extent = body.saturating_add(112).saturating_add(127) / 128 * 128;
        if file[row..row + 4] != *b"SOVR" {
            row += 128;
            continue;
        }
        let end = row.saturating_add(extent).min(file.len());
        if number(file, row + 4, 2) == 1 {
            let sum = vault_sum(ledger, (row + 112) as u64, &file[row + 112..end.max(row + 112)]);
            put(file, row + 100, 4, sum.into());
        }
        end_in_vault_sum(file, ledger, row..row + 112);
        row = row.saturating_add(extent.max(128));
    }
}

/// Makes the checksums of a run of the index fit, page by page (§6.1).
pub fn run(file: &mut [u8], ledger: LedgerId, first: u64, end: u64) {
    let pages = file.len() / 4096;
    let Some(last) = pages.checked_sub(1) else { return };
    let root: [u8; 32] = file[last * 4096 + 48..last * 4096 + 80].try_into().unwrap();
    for (number, page) in (0u32..).zip(file.chunks_exact_mut(4096)) {
        let mut sum = crc32c::crc32c(&ledger.0);
        sum = crc32c::crc32c_append(sum, &first.to_le_bytes());
        sum = crc32c::crc32c_append(sum, &end.to_le_bytes());
        if number as usize != last {
            sum = crc32c::crc32c_append(sum, &root);
        }
        sum = crc32c::crc32c_append(sum, &number.to_le_bytes());
        let (body, place) = page.split_at_mut(4092);
        place.copy_from_slice(&crc32c::crc32c_append(sum, body).to_le_bytes());
    }
}
