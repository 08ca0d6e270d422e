//! The file `HEAD`: the durable head in three self-checked slots (docs/FORMAT.md §1.2).

use super::bytes::{Put, Take, crc, crc_holds, is_zero};
use super::segment::SEGMENT_HEADER_BYTES;
use super::{Cursor, End, FORMAT_VERSION};
use sovang_core::LedgerId;
use sovang_core::tree::Frontier;

pub(super) const HEAD_FILE: &str = "HEAD";
pub(super) const SLOTS: usize = 3;
pub(super) const SLOT_BYTES: usize = 4096;
pub(super) const HEAD_BYTES: usize = SLOTS * SLOT_BYTES;
/// Places for a frontier's hashes: one for each bit of a size.
const FRONTIER_PLACES: usize = 64;
const FRONTIER_BYTES: usize = FRONTIER_PLACES * 32;
const MAGIC: [u8; 8] = *b"SOVHEAD1";
const FIELDS_BYTES: usize = 112 + FRONTIER_BYTES;
const _: () = assert!(8 + 4 + 4 + 16 + 8 + 32 + 8 + 8 + 8 + 8 + 4 + 4 + FRONTIER_BYTES == FIELDS_BYTES);
const _: () = assert!(FIELDS_BYTES == 2160 && FIELDS_BYTES + 1932 + 4 == SLOT_BYTES);

/// Puts count, reserved bytes and the places of a frontier.
pub(super) fn put_frontier(put: &mut Put<'_>, frontier: &Frontier) {
    let hashes = frontier.hashes();
    put.u32(frontier.size().0.count_ones()).u32(0);
    for hash in hashes {
        put.bytes(hash);
    }
    for _ in hashes.len()..FRONTIER_PLACES {
        put.bytes(&[0; 32]);
    }
}

/// Takes what [`put_frontier`] put. None when it is not the frontier of a tree of that size and root, or a byte that must be zero is not.
pub(super) fn take_frontier(fields: &mut Take<'_>, size: u64, root: [u8; 32]) -> Option<Frontier> {
    let (count, reserved) = (fields.u32(), fields.u32());
    if count != size.count_ones() || reserved != 0 {
        return None;
    }
    let mut hashes = Vec::new();
    for place in 0..FRONTIER_PLACES {
        let hash: [u8; 32] = fields.array();
        if place < count as usize {
            hashes.push(hash);
        } else if hash != [0; 32] {
            return None;
        }
    }
    Frontier::from_hashes(size, hashes).ok().filter(|frontier| frontier.root().0 == root)
}

pub(super) fn encode_slot(ledger: LedgerId, end: &End) -> Vec<u8> {
    let head = end.frontier.head();
    let mut bytes = Vec::with_capacity(SLOT_BYTES);
    let mut put = Put(&mut bytes);
    put.bytes(&MAGIC)
        .u32(FORMAT_VERSION)
        .u32(0)
        .bytes(&ledger.0)
        .u64(head.size.0)
        .bytes(&head.root.0)
        .u64(end.next.segment)
        .u64(end.next.offset)
        .u64(end.last_batch())
        .i64(end.last_recorded_at);
    put_frontier(&mut put, &end.frontier);
    put.zeros_to(SLOT_BYTES - 4);
    let sum = crc(&bytes);
    Put(&mut bytes).u32(sum);
    bytes
}

/// What a slot says; none when it is not valid.
pub(super) fn decode_slot(bytes: &[u8], ledger: LedgerId) -> Option<End> {
    if bytes.len() != SLOT_BYTES {
        return None;
    }
    let mut fields = Take(crc_holds(bytes)?);
    let fixed =
        fields.array() == MAGIC && fields.u32() == FORMAT_VERSION && fields.u32() == 0 && LedgerId(fields.array()) == ledger;
    let (size, root) = (fields.u64(), fields.array());
    let (segment, offset, batch, last_recorded_at) = (fields.u64(), fields.u64(), fields.u64(), fields.i64());
    let frontier = take_frontier(&mut fields, size, root)?;
    let sound = fixed && is_zero(fields.rest()) && offset >= SEGMENT_HEADER_BYTES as u64 && (batch == 0) == (size == 0);
    let next = Cursor { segment, offset, batch: batch.checked_add(1)?, position: size };
    sound.then_some(End { frontier, next, last_recorded_at })
}

/// The slots of a whole file, each by itself.
pub(super) fn decode_slots(bytes: &[u8], ledger: LedgerId) -> [Option<End>; SLOTS] {
    std::array::from_fn(|i| decode_slot(bytes.get(i * SLOT_BYTES..(i + 1) * SLOT_BYTES)?, ledger))
}

/// The slot that knows of the most; the first of equals.
pub(super) fn best_slot(slots: &[Option<End>; SLOTS]) -> Option<(usize, &End)> {
    let known = slots.iter().enumerate().filter_map(|(i, slot)| Some((i, slot.as_ref()?)));
    known.reduce(|best, other| {
        let key = |end: &End| (end.next.position, end.next.segment, end.next.offset);
        if key(other.1) > key(best.1) { other } else { best }
    })
}
