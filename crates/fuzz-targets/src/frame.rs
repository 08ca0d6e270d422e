//! A record's bytes.

use crate::INPUT_BYTES_MAX;
use bytes::Bytes;
use sovang_core::record::{Frame, HEADER_BYTES, Prepared};
use sovang_core::{Position, RawEvent, limits};

/// What is taken as a frame is one: its bytes come back, its length is told by any beginning that is long enough and by no other way,
/// its hash says its position and every byte, and what can be prepared from it is it.
///
/// # Panics
/// When that does not hold.
pub fn run(bytes: &[u8]) {
    if bytes.len() > INPUT_BYTES_MAX {
        return;
    }
    let parsed = Frame::parse(Bytes::copy_from_slice(bytes));
    let told = Frame::length(bytes);
    if let Ok(Some(len)) = told {
        assert!(len <= limits::RECORD_BYTES_MAX, "a limit is a limit");
    }
    let Ok(frame) = parsed else { return };
    assert_eq!(frame.bytes(), bytes);
    assert_eq!(told, Ok(Some(bytes.len())));
    for len in [0, HEADER_BYTES - 1, HEADER_BYTES, bytes.len() / 2, bytes.len() - 1] {
        let told = Frame::length(&bytes[..len.min(bytes.len())]);
        assert!(told == Ok(None) || told == Ok(Some(bytes.len())), "{told:?}");
    }
    hashes(&frame);
    let metadata = frame.metadata();
    assert!(frame.check_readable().is_err() || metadata.is_ok());
    let Ok(metadata) = metadata else { return };
    if !frame.is_amendment() && frame.commitments().is_empty() {
        again(&frame, metadata);
    }
}

fn hashes(frame: &Frame) {
    let (at_0, at_1) = (frame.hash(Position(0)), frame.hash(Position(1)));
    assert_eq!(at_0, frame.hash(Position(0)));
    assert_ne!(at_0, at_1);
    // The recorded_at is in the header, so in the hash.
    let mut other = frame.bytes().to_vec();
    other[16] ^= 1;
    let other = Frame::parse(Bytes::from(other)).expect("only recorded_at differs");
    assert_ne!(at_0, other.hash(Position(0)));
}

/// Prepares what the frame says again. What a faulty program wrote may read and yet not be recorded.
fn again(frame: &Frame, metadata: sovang_core::record::Metadata) {
    let event = RawEvent { number: frame.kind(), version: frame.version(), payload: frame.payload_bytes() };
    let (envelope, overriding) = (metadata.envelope, metadata.overriding);
    let on = Some(frame.occurred_on());
    if !frame.tags().is_empty() || frame.check_readable().is_err() {
        return;
    }
    let Ok(mut prepared) = Prepared::new(&event, frame.id(), on, envelope, overriding, &[], &mut || Ok([0; 32])) else {
        return;
    };
    prepared.stamp(frame.recorded_at(), 0);
    assert_eq!(prepared.bytes(), &frame.bytes()[..], "there is one encoding");
    assert_eq!(prepared.hash(Position(3)), frame.hash(Position(3)));
}
