//! Evidence of every sort against bytes made by hand, such as this version's writer never leaves them.

use super::super::batch::{Proven, Trailer};
use super::*;
use sovang_core::record::Prepared;
use sovang_core::tree::leaf_hash;
use sovang_core::{Actor, Envelope, LedgerId, Position, RawEvent, RecordId};

const SALT: [u8; 16] = [3; 16];

fn sums() -> Sums {
    Sums::new(LedgerId([1; 16]), 0, SALT)
}
fn proven(end: &End) -> Proven {
    Proven { offset: end.next.offset, size: end.next.position, root: end.head().root }
}
fn record(payload: Vec<u8>) -> Prepared {
    let event = RawEvent { number: 1, version: 1, payload: payload.into() };
    let envelope = Envelope::by(Actor::new("a").unwrap());
    let id = RecordId::from_bytes([9; 16]);
    Prepared::new(&event, id, Some(1), envelope, None, &[], &mut || Ok([0; 32])).unwrap()
}
/// Adds a batch of one record, and gives the log's end after it.
fn add(bytes: &mut Vec<u8>, before: &End, proven: Proven, payload: &[u8]) -> End {
    let record = record(payload.to_vec());
    let Cursor { offset, batch, position, .. } = before.next;
    let mut frontier = before.frontier.clone();
    frontier.push(leaf_hash(&record.hash(Position(position))));
    let header = BatchHeader {
        count: 1,
        number: batch,
        first: position,
        records_bytes: u32::try_from(record.len()).unwrap() + 4,
        end_size: position + 1,
        root: frontier.root(),
        proven,
    };
    let start = bytes.len();
    header.put(bytes, sums(), offset);
    bytes.extend_from_slice(record.bytes());
    let at = offset + BATCH_HEADER_BYTES as u64;
    bytes.extend_from_slice(&sums().sum(at, position, batch, record.bytes()).to_le_bytes());
    let at = offset + (bytes.len() - start) as u64;
    Trailer::of(&header).put(bytes, sums(), at);
    End { frontier, next: header.after(&before.next), last_recorded_at: 0 }
}
/// Batches whose headers prove each the one before, and the log's end after each; the first end is the start.
fn chain(count: usize) -> (Vec<u8>, Vec<End>) {
    let (mut bytes, mut ends) = (Vec::new(), vec![End::start()]);
    for _ in 0..count {
        let before = ends[ends.len() - 1].clone();
        ends.push(add(&mut bytes, &before, proven(&before), b"payload"));
    }
    (bytes, ends)
}
fn at(end: &End) -> usize {
    usize::try_from(end.next.offset - End::start().next.offset).unwrap()
}
fn scan_from(start: &End, bytes: &[u8]) -> Scan {
    scan(sums(), start, Bytes::copy_from_slice(&bytes[at(start)..]))
}
fn claim_of(head: Head) -> Claim {
    Claim { head, file: "HEAD".to_owned(), offset: 0 }
}

#[test]
fn a_header_proves_the_batch_before_it() {
    let (bytes, ends) = chain(4);
    let plan = decide(&scan_from(&ends[0], &bytes), &[], true).unwrap();
    assert_eq!((&plan.durable, &plan.end), (&ends[3], &ends[4]));
    assert_eq!(plan.kept_batches, 1);
    // A claim from elsewhere may prove more, never less.
    for (claimed, durable) in [(2, 3), (3, 3), (4, 4)] {
        let claims = [claim_of(ends[claimed].head())];
        let plan = decide(&scan_from(&ends[0], &bytes), &claims, true).unwrap();
        assert_eq!(plan.durable, ends[durable]);
    }
    let plan = decide(&scan_from(&ends[0], &bytes), &[], false).unwrap();
    assert_eq!((&plan.durable, &plan.end), (&ends[0], &ends[4]));
}

#[test]
fn a_scan_may_start_anywhere() {
    let (bytes, ends) = chain(4);
    for start in &ends {
        let scanned = scan_from(start, &bytes);
        assert!(!scanned.starts_too_late());
        let plan = decide(&scanned, &[], true).unwrap();
        assert_eq!(plan.end, ends[4]);
        assert_eq!(scanned.tail(), None);
    }
}

#[test]
fn a_header_past_a_defect_still_proves() {
    let (bytes, ends) = chain(4);
    for batch in 0..4 {
        for from in [at(&ends[batch]), at(&ends[batch]) + 140] {
            let mut bytes = bytes.clone();
            bytes[from] ^= 1;
            let scanned = scan_from(&ends[0], &bytes);
            assert_eq!(scanned.end, ends[batch]);
            let decided = decide(&scanned, &[], true);
            if batch == 3 {
                // Nothing proves the last one: it is a torn tail.
                assert_eq!(decided.unwrap().end, ends[3]);
                assert_eq!(scanned.tail().unwrap().0, ends[3].next.offset);
            } else {
                let damage = decided.unwrap_err();
                assert_eq!(damage.position, Some(batch as u64));
                assert_eq!(damage.offset, Some(ends[batch].next.offset));
            }
            // For a reader judging by what it saw before, it is not there yet.
            assert!(decide(&scanned, &[], false).is_ok());
            assert!(decide(&scanned, &[claim_of(ends[batch].head())], false).is_ok());
            assert!(decide(&scanned, &[claim_of(ends[4].head())], false).is_err());
        }
    }
}

#[test]
fn a_stale_header_proves_nothing() {
    let (bytes, ends) = chain(3);
    // Bytes of the second batch left over behind the third: of another offset, and of a number already passed.
    let mut stale = bytes.clone();
    stale.extend_from_slice(&bytes[at(&ends[1])..at(&ends[2])]);
    let mut header = Vec::new();
    let proven = Proven { offset: 0, size: 77, root: Root([7; 32]) };
    let old = BatchHeader { count: 1, number: 3, first: 2, records_bytes: 1, end_size: 3, root: Root([0; 32]), proven };
    let place = End::start().next.offset + stale.len() as u64;
    old.put(&mut header, sums(), place);
    stale.extend_from_slice(&header);
    let plan = decide(&scan_from(&ends[0], &stale), &[], true).unwrap();
    assert_eq!(plan.end, ends[3]);
    // The same of the next number does.
    header.clear();
    BatchHeader { number: 4, ..old }.put(&mut header, sums(), place);
    let at = stale.len() - header.len();
    stale[at..].copy_from_slice(&header);
    assert!(decide(&scan_from(&ends[0], &stale), &[], true).is_err());
}

#[test]
fn a_payload_cannot_forge_evidence() {
    let start = End::start();
    let mut bytes = Vec::new();
    // A header right in everything but the salt, placed where the payload will be and with all numbers to come.
    let place = start.next.offset + (BATCH_HEADER_BYTES + record(vec![0; 128]).len() - 128) as u64;
    let forged = BatchHeader {
        count: 1,
        number: 9,
        first: 9,
        records_bytes: 1,
        end_size: 10,
        root: Root([0; 32]),
        proven: Proven { offset: 0, size: 9, root: Root([0; 32]) },
    };
    let mut payload = Vec::new();
    forged.put(&mut payload, Sums::new(LedgerId([1; 16]), 0, [0; 16]), place);
    add(&mut bytes, &start, proven(&start), &payload);
    bytes[200] ^= 1;
    let scanned = scan_from(&start, &bytes);
    assert!(scanned.claims.iter().all(|claim| claim.head.size == Size(0)));
    assert_eq!(decide(&scanned, &[], true).unwrap().end, start);
    // With the salt it would be believed.
    let mut known = bytes.clone();
    let mut header = Vec::new();
    forged.put(&mut header, sums(), place);
    let at = usize::try_from(place - start.next.offset).unwrap();
    known[at..at + header.len()].copy_from_slice(&header);
    assert!(decide(&scan_from(&start, &known), &[], true).is_err());
}

#[test]
fn proven_fields_that_lag_are_held_against_the_log() {
    for (lag, root_holds) in [(0, true), (1, true), (1, false)] {
        let (mut bytes, mut ends) = chain(2);
        let mut claimed = proven(&ends[lag]);
        if !root_holds {
            claimed.root = Root([5; 32]);
        }
        ends.push(add(&mut bytes, &ends[2].clone(), claimed, b"late"));
        let from_start = decide(&scan_from(&ends[0], &bytes), &[], true);
        assert_eq!(from_start.is_ok(), root_holds);
        if let Ok(plan) = from_start {
            assert_eq!((plan.durable, plan.end), (ends[1].clone(), ends[3].clone()));
        }
        // A scan from the third batch cannot tell, and says so.
        assert!(scan_from(&ends[2], &bytes).starts_too_late());
    }
}

#[test]
fn evidence_of_another_log_is_refused() {
    let (bytes, ends) = chain(3);
    let scanned = scan_from(&ends[0], &bytes);
    let head = |size, root| claim_of(Head { size: Size(size), root });
    assert!(decide(&scanned, &[head(2, Root([1; 32]))], true).is_err());
    let beyond = decide(&scanned, &[head(4, ends[3].head().root)], true).unwrap_err();
    assert!(beyond.what.contains("durable up to size 4"), "{beyond:?}");
    assert!(decide(&scanned, &[head(3, ends[3].head().root)], true).is_ok());
}

#[test]
fn a_structure_that_ends_in_zeros_is_not_cut() {
    let (bytes, ends) = chain(1);
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut padded = bytes[..used].to_vec();
    padded.resize(used + SLACK_BYTES, 0);
    assert_eq!(scan_from(&ends[0], &padded).end, ends[1]);
    assert_eq!(scan_from(&ends[0], &padded).tail(), None);
}

#[test]
fn a_seal_at_the_end_is_seen() {
    let (mut bytes, ends) = chain(2);
    bytes.extend_from_slice(&seal(sums(), &ends[2]));
    let scanned = scan_from(&ends[1], &bytes);
    assert!(scanned.sealed);
    assert_eq!(decide(&scanned, &[], true).unwrap_err().what, SEALED);
    assert!(decide(&scanned, &[], false).is_ok());
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    assert!(!scan_from(&ends[1], &bytes).sealed);
}

#[test]
fn slots_stand_in_order_with_the_last_segment() {
    let (_, ends) = chain(3);
    let in_segment = |end: &End, segment| {
        let mut end = end.clone();
        end.next.segment = segment;
        end
    };
    let last = in_segment(&ends[2], 5);
    assert!(check_slot(&in_segment(&ends[3], 5), &last).is_ok());
    assert!(check_slot(&in_segment(&ends[2], 5), &last).is_ok());
    assert!(check_slot(&in_segment(&ends[2], 4), &last).is_ok());
    assert!(check_slot(&in_segment(&ends[1], 4), &last).is_ok());
    assert!(check_slot(&in_segment(&ends[3], 6), &last).is_err());
    assert!(check_slot(&in_segment(&ends[3], 4), &last).is_err());
    assert!(check_slot(&in_segment(&ends[1], 5), &last).is_err());
    let mut other = in_segment(&ends[2], 4);
    other.frontier = {
        let mut frontier = sovang_core::tree::Frontier::new();
        frontier.push([1; 32]);
        frontier.push([2; 32]);
        frontier
    };
    assert!(check_slot(&other, &last).is_err());
}
