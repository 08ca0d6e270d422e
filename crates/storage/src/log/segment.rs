//! A segment's header, seal and checksums (docs/FORMAT.md §§2.1, 2.2, 2.4).

use super::bytes::{Put, Take, crc, crc_holds, is_zero};
use super::head::{put_frontier, take_frontier};
use super::{Cursor, End, FORMAT_VERSION};
use sovang_core::{LedgerId, limits};

pub(super) const LOG_DIRECTORY: &str = "log";
pub(super) const SEGMENT_HEADER_BYTES: usize = 4096;
pub(super) const SEAL_BYTES: usize = 72;
/// No writer makes a segment's file longer, whatever its options: a largest segment, and more than its seal behind it.
pub(super) const SEGMENT_FILE_BYTES_MAX: u64 = limits::SEGMENT_BYTES_MAX + limits::BATCH_BYTES_MAX as u64;
const MAGIC: [u8; 8] = *b"SOVSEGM1";
pub(super) const SEAL_MAGIC: [u8; 4] = *b"SOVS";
const FIELDS_BYTES: usize = 8 + 4 + 4 + 16 + 8 + 16 + 8 + 32 + 8 + 32 + 8 + 8 + 4 + 4 + 2048;
const _: () = assert!(FIELDS_BYTES == 2208 && FIELDS_BYTES + 1884 + 4 == SEGMENT_HEADER_BYTES);
const _: () = assert!(4 + 4 + 8 + 8 + 8 + 32 + 4 + 4 == SEAL_BYTES);

/// The path of a segment.
pub(super) fn segment_path(number: u64) -> String {
    format!("{LOG_DIRECTORY}/{number}")
}

/// What a segment says of itself and of all before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) ledger_id: LedgerId,
    pub(super) salt: [u8; 16],
    /// Where the predecessor's seal starts.
    pub(super) predecessor_length: u64,
    pub(super) predecessor_digest: [u8; 32],
    /// The log at its start; the number is that of the next batch's segment.
    pub(super) start: End,
}

impl SegmentHeader {
    pub(super) fn number(&self) -> u64 {
        self.start.next.segment
    }
    pub(super) fn sums(&self) -> Sums {
        Sums::new(self.ledger_id, self.number(), self.salt)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let head = self.start.frontier.head();
        let mut bytes = Vec::with_capacity(SEGMENT_HEADER_BYTES);
        let mut put = Put(&mut bytes);
        put.bytes(&MAGIC)
            .u32(FORMAT_VERSION)
            .u32(0)
            .bytes(&self.ledger_id.0)
            .u64(self.number())
            .bytes(&self.salt)
            .u64(self.predecessor_length)
            .bytes(&self.predecessor_digest)
            .u64(head.size.0)
            .bytes(&head.root.0)
            .u64(self.start.last_batch())
            .i64(self.start.last_recorded_at);
        put_frontier(&mut put, &self.start.frontier);
        put.zeros_to(SEGMENT_HEADER_BYTES - 4);
        let sum = crc(&bytes);
        Put(&mut bytes).u32(sum);
        bytes
    }

    /// Decodes the header of the segment of that number.
    pub(super) fn decode(bytes: &[u8], ledger: LedgerId, number: u64) -> Result<Self, &'static str> {
        if bytes.len() < SEGMENT_HEADER_BYTES {
            return Err("the segment is shorter than its header");
        }
        let Some(before) = crc_holds(&bytes[..SEGMENT_HEADER_BYTES]) else {
            return Err("the segment header's checksum fails");
        };
        let mut fields = Take(before);
        if fields.array() != MAGIC || fields.u32() != FORMAT_VERSION || fields.u32() != 0 {
            return Err("the segment header is not of this format");
        }
        if LedgerId(fields.array()) != ledger {
            return Err("the segment belongs to another ledger");
        }
        if fields.u64() != number {
            return Err("the segment header names another segment");
        }
        let (salt, predecessor_length, predecessor_digest) = (fields.array(), fields.u64(), fields.array());
        let (size, root, batch, last_recorded_at) = (fields.u64(), fields.array(), fields.u64(), fields.i64());
        let Some(frontier) = take_frontier(&mut fields, size, root) else {
            return Err("the segment header's frontier does not lead to its root");
        };
        // No writer seals a segment farther on; who follows it reads so many bytes.
        if predecessor_length > limits::SEGMENT_BYTES_MAX {
            return Err("the segment header names a predecessor longer than SEGMENT_BYTES_MAX");
        }
        if !is_zero(fields.rest()) || (batch == 0) != (size == 0) || (number == 0 && size != 0) {
            return Err("the segment header contradicts itself");
        }
        let batch = batch.checked_add(1).ok_or("the segment header contradicts itself")?;
        let next = Cursor { segment: number, offset: SEGMENT_HEADER_BYTES as u64, batch, position: size };
        let start = End { frontier, next, last_recorded_at };
        Ok(Self { ledger_id: ledger, salt, predecessor_length, predecessor_digest, start })
    }
}

/// The checksums of one segment: CRC32C seeded with where the bytes are and what they are part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sums {
    /// The CRC of what is the same for all of the segment.
    seed: u32,
}

impl Sums {
    pub(super) fn new(ledger: LedgerId, segment: u64, salt: [u8; 16]) -> Self {
        let mut seed = [0; 40];
        seed[..16].copy_from_slice(&ledger.0);
        seed[16..24].copy_from_slice(&segment.to_le_bytes());
        seed[24..].copy_from_slice(&salt);
        Self { seed: crc(&seed) }
    }
    /// The checksum of bytes at an offset of the segment's file, of a position and a batch.
    pub(super) fn sum(self, offset: u64, position: u64, batch: u64, bytes: &[u8]) -> u32 {
        let mut place = [0; 24];
        place[..8].copy_from_slice(&offset.to_le_bytes());
        place[8..16].copy_from_slice(&position.to_le_bytes());
        place[16..].copy_from_slice(&batch.to_le_bytes());
        crc32c::crc32c_append(crc32c::crc32c_append(self.seed, &place), bytes)
    }
}

/// The seal of the segment that ends so.
pub(super) fn seal(sums: Sums, end: &End) -> Vec<u8> {
    let head = end.frontier.head();
    let mut bytes = Vec::with_capacity(SEAL_BYTES);
    Put(&mut bytes)
        .bytes(&SEAL_MAGIC)
        .u32(0)
        .u64(end.next.segment)
        .u64(end.next.offset)
        .u64(head.size.0)
        .bytes(&head.root.0)
        .u32(0);
    let sum = sums.sum(end.next.offset, head.size.0, end.last_batch(), &bytes);
    Put(&mut bytes).u32(sum);
    bytes
}
