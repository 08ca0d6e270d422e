//! The bytes of every structure, held against docs/FORMAT.md by literal values, and what their readers refuse.

use super::batch::{BATCH_HEADER_BYTES, BatchHeader, Proven, TRAILER_BYTES, Trailer, frame_batch, whole_batch};
use super::head::{decode_slot, encode_slot};
use super::segment::{SegmentHeader, Sums, seal};
use super::{Cursor, End, Identity, identity};
use proptest::prelude::*;
use sovang_core::tree::Frontier;
use sovang_core::{LedgerId, Root};

const LEDGER: LedgerId = LedgerId([0x11; 16]);
const SALT: [u8; 16] = [0x22; 16];

fn end(size: u64, segment: u64, offset: u64, last_recorded_at: i64) -> End {
    let mut frontier = Frontier::new();
    for n in 0..u8::try_from(size).unwrap() {
        frontier.push([n; 32]);
    }
    let next = Cursor { segment, offset, batch: size + 1, position: size };
    End { frontier, next, last_recorded_at }
}
fn header() -> BatchHeader {
    let proven = Proven { offset: 0x0102, size: 5, root: Root([0x44; 32]) };
    BatchHeader { count: 2, number: 3, first: 5, records_bytes: 0x1234, end_size: 7, root: Root([0x33; 32]), proven }
}
fn sums() -> Sums {
    Sums::new(LEDGER, 6, SALT)
}
/// Hex, with runs of at least 16 zero bytes after the first `plain` bytes written as `(count)`.
fn hex(bytes: &[u8], plain: usize) -> String {
    let (head, mut rest) = bytes.split_at(plain);
    let mut out: String = head.iter().map(|byte| format!("{byte:02x}")).collect();
    while let Some(byte) = rest.first() {
        let zeros = rest.iter().take_while(|byte| **byte == 0).count();
        if zeros >= 16 {
            out += &format!("({zeros})");
            rest = &rest[zeros..];
        } else {
            out += &format!("{byte:02x}");
            rest = &rest[1..];
        }
    }
    out
}

#[test]
fn golden_ledger() {
    let identity = Identity { ledger_id: LEDGER, origin: "ab".into(), schema: "cde".into() };
    let bytes = identity::encode(&identity).unwrap();
    assert_eq!(
        hex(&bytes, bytes.len()),
        concat!(
            "534f564c45444752",
            "01000000",
            "00000000",
            "11111111111111111111111111111111",
            "0200",
            "0300",
            "00000000",
            "6162",
            "636465",
            "471b398f"
        )
    );
    assert_eq!(identity::decode(&bytes).unwrap(), identity);
}

#[test]
fn golden_slot() {
    let bytes = encode_slot(LEDGER, &end(3, 6, 0x1_0203, -2));
    assert_eq!(
        hex(&bytes, 176),
        concat!(
            "534f564845414431",
            "01000000",
            "00000000",
            "11111111111111111111111111111111",
            "0300000000000000",
            "61385e67b5ba76d8531b20adc14bec9ef6e0553abcc56d899e640d4d67401429",
            "0600000000000000",
            "0302010000000000",
            "0300000000000000",
            "feffffffffffffff",
            "02000000",
            "00000000",
            "2ad82c3a51e8ed6418cb5bf267c5f9e521b99f7ab4fce657f460a8f1a3e87b2e",
            "0202020202020202020202020202020202020202020202020202020202020202",
            "(3916)f3fff408"
        )
    );
}

#[test]
fn a_predecessor_of_any_length_is_not_followed() {
    let longest = sovang_core::limits::SEGMENT_BYTES_MAX;
    for (predecessor_length, holds) in [(longest, true), (longest + 1, false), (u64::MAX, false)] {
        let (predecessor_digest, start) = ([0x55; 32], end(3, 6, 4096, 9));
        let header = SegmentHeader { ledger_id: LEDGER, salt: SALT, predecessor_length, predecessor_digest, start };
        assert_eq!(SegmentHeader::decode(&header.encode(), LEDGER, 6).is_ok(), holds, "{predecessor_length}");
    }
}

#[test]
fn golden_segment_header() {
    let header = SegmentHeader {
        ledger_id: LEDGER,
        salt: SALT,
        predecessor_length: 0x5678,
        predecessor_digest: [0x55; 32],
        start: end(3, 6, 4096, 9),
    };
    let bytes = header.encode();
    assert_eq!(
        hex(&bytes, 224),
        concat!(
            "534f565345474d31",
            "01000000",
            "00000000",
            "11111111111111111111111111111111",
            "0600000000000000",
            "22222222222222222222222222222222",
            "7856000000000000",
            "5555555555555555555555555555555555555555555555555555555555555555",
            "0300000000000000",
            "61385e67b5ba76d8531b20adc14bec9ef6e0553abcc56d899e640d4d67401429",
            "0300000000000000",
            "0900000000000000",
            "02000000",
            "00000000",
            "2ad82c3a51e8ed6418cb5bf267c5f9e521b99f7ab4fce657f460a8f1a3e87b2e",
            "0202020202020202020202020202020202020202020202020202020202020202",
            "(3868)a298059d"
        )
    );
    assert_eq!(SegmentHeader::decode(&bytes, LEDGER, 6).unwrap(), header);
    assert!(SegmentHeader::decode(&bytes, LEDGER, 7).is_err());
    assert!(SegmentHeader::decode(&bytes, LedgerId([0; 16]), 6).is_err());
}

#[test]
fn golden_batch_header_and_trailer() {
    let mut bytes = Vec::new();
    header().put(&mut bytes, sums(), 4096);
    assert_eq!(
        hex(&bytes, bytes.len()),
        concat!(
            "534f5642",
            "02000000",
            "0300000000000000",
            "0500000000000000",
            "34120000",
            "00000000",
            "0700000000000000",
            "3333333333333333333333333333333333333333333333333333333333333333",
            "0201000000000000",
            "0500000000000000",
            "4444444444444444444444444444444444444444444444444444444444444444",
            "00000000",
            "8835c1ca"
        )
    );
    assert_eq!(BatchHeader::take(&bytes, sums(), 4096), Some(header()));
    let mut bytes = Vec::new();
    Trailer::of(&header()).put(&mut bytes, sums(), 8192);
    assert_eq!(
        hex(&bytes, bytes.len()),
        concat!(
            "534f5654",
            "02000000",
            "0300000000000000",
            "0500000000000000",
            "0700000000000000",
            "3333333333333333333333333333333333333333333333333333333333333333",
            "00000000",
            "78b12d05"
        )
    );
    assert_eq!(Trailer::take(&bytes, sums(), 8192), Some(Trailer::of(&header())));
}

#[test]
fn golden_seal() {
    let bytes = seal(sums(), &end(3, 6, 0x5678, 0));
    assert_eq!(
        hex(&bytes, bytes.len()),
        concat!(
            "534f5653",
            "00000000",
            "0600000000000000",
            "7856000000000000",
            "0300000000000000",
            "61385e67b5ba76d8531b20adc14bec9ef6e0553abcc56d899e640d4d67401429",
            "00000000",
            "cb0eccbc"
        )
    );
}

#[test]
fn a_checksum_is_of_its_place() {
    let sum = |sums: Sums, offset, position, batch| sums.sum(offset, position, batch, b"bytes");
    let one = sum(sums(), 1, 2, 3);
    let mut plain = Vec::new();
    for part in
        [&[0x11; 16][..], &6u64.to_le_bytes(), &SALT, &1u64.to_le_bytes(), &2u64.to_le_bytes(), &3u64.to_le_bytes(), b"bytes"]
    {
        plain.extend_from_slice(part);
    }
    assert_eq!(one, crc32c::crc32c(&plain));
    assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283, "the Castagnoli CRC's check value");
    for other in [
        sum(sums(), 2, 2, 3),
        sum(sums(), 1, 3, 3),
        sum(sums(), 1, 2, 4),
        sum(Sums::new(LEDGER, 7, SALT), 1, 2, 3),
        sum(Sums::new(LEDGER, 6, [0; 16]), 1, 2, 3),
        sum(Sums::new(LedgerId([0; 16]), 6, SALT), 1, 2, 3),
    ] {
        assert_ne!(one, other);
    }
}

#[test]
fn a_slot_with_a_right_checksum_may_still_contradict_itself() {
    let good = encode_slot(LEDGER, &end(3, 6, 5000, 7));
    assert!(decode_slot(&good, LEDGER).is_some());
    // Size, root, batch, offset, count, an unused place, reserved bytes.
    for at in [32, 40, 88, 81, 104, 12, 108, 112 + 2 * 32, 2160, 4091] {
        let mut bytes = good.clone();
        bytes[at] = if at == 81 {
            0x0f
        } else if at == 88 {
            0
        } else {
            bytes[at] ^ 1
        };
        let sum = crc32c::crc32c(&bytes[..4092]);
        bytes[4092..].copy_from_slice(&sum.to_le_bytes());
        assert_eq!(decode_slot(&bytes, LEDGER), None, "byte {at}");
    }
}

proptest! {
    #[test]
    fn slots_round_trip(size in 0u64..200, segment in any::<u64>(), offset in 4096u64.., last in any::<i64>()) {
        let end = end(size, segment, offset, last);
        prop_assert_eq!(decode_slot(&encode_slot(LEDGER, &end), LEDGER), Some(end));
    }
    #[test]
    fn batch_headers_and_trailers_round_trip(
        numbers in any::<(u32, u64, u64, u32, u64, u64, u64)>(), root in any::<[u8; 32]>(), proven in any::<[u8; 32]>(), offset in any::<u64>(), flip in any::<proptest::sample::Index>(),
    ) {
        let (count, number, first, records_bytes, end_size, proven_offset, proven_size) = numbers;
        let proven = Proven { offset: proven_offset, size: proven_size, root: Root(proven) };
        let header = BatchHeader { count, number, first, records_bytes, end_size, root: Root(root), proven };
        let mut bytes = Vec::new();
        header.put(&mut bytes, sums(), offset);
        prop_assert_eq!(bytes.len(), BATCH_HEADER_BYTES);
        prop_assert_eq!(BatchHeader::take(&bytes, sums(), offset), Some(header));
        let at = flip.index(bytes.len());
        bytes[at] ^= 1;
        prop_assert_eq!(BatchHeader::take(&bytes, sums(), offset), None);
        let mut bytes = Vec::new();
        Trailer::of(&header).put(&mut bytes, sums(), offset);
        prop_assert_eq!(bytes.len(), TRAILER_BYTES);
        prop_assert_eq!(Trailer::take(&bytes, sums(), offset), Some(Trailer::of(&header)));
    }
    #[test]
    fn noise_behind_a_right_header_is_refused(noise in proptest::collection::vec(any::<u8>(), 0..400), count in 1u32..5) {
        let start = End::start();
        let records_bytes = u32::try_from(noise.len()).unwrap().saturating_sub(72);
        let proven = Proven { offset: 0, size: 0, root: Root([0; 32]) };
        let header = BatchHeader { count, number: 1, first: 0, records_bytes, end_size: u64::from(count), root: Root([0; 32]), proven };
        let mut bytes = Vec::new();
        header.put(&mut bytes, sums(), start.next.offset);
        bytes.extend_from_slice(&noise);
        let bytes = bytes.into();
        prop_assert!(whole_batch(&bytes, sums(), &start).is_err());
        let framed = frame_batch(&bytes, sums(), &start.next, 0, &mut |_, _| {});
        prop_assert!(framed.is_err());
    }
    #[test]
    fn noise_is_no_ledger(noise in proptest::collection::vec(any::<u8>(), 0..200), right in any::<bool>()) {
        let mut bytes = noise;
        if right {
            bytes.splice(0..0, *b"SOVLEDGR\x01\0\0\0\0\0\0\0");
            let sum = crc32c::crc32c(&bytes);
            bytes.extend_from_slice(&sum.to_le_bytes());
        }
        if let Ok(identity) = identity::decode(&bytes) {
            prop_assert_eq!(identity::encode(&identity).unwrap(), bytes);
        }
    }
}
