//! An event of the recognition office within a record's bytes.

use crate::INPUT_BYTES_MAX;
use bytes::Bytes;
use sovang_core::event::LedgerEvent;
use sovang_core::personal::Given;
use sovang_core::record::{Frame, Prepared};
use sovang_core::{Event, Position, Recorded};
use sovang_recognition::Recognition;
use sovang_recognition::interchange::{self, Line, Mode, Show};

/// What decodes encodes to the same bytes, and what also holds what its fields may reads back from its line of JSON as the same record.
///
/// # Panics
/// When that does not hold.
pub fn run(bytes: &[u8]) {
    if bytes.len() > INPUT_BYTES_MAX {
        return;
    }
    let Ok(frame) = Frame::parse(Bytes::copy_from_slice(bytes)) else { return };
    if frame.is_ledger_level() {
        if let Some(event) = decoded::<LedgerEvent>(&frame) {
            again(&frame, &event);
        }
        return;
    }
    let Some(event) = decoded::<Recognition>(&frame) else { return };
    let same = again(&frame, &event);
    if same && event.validate().is_ok() {
        as_line(&frame);
    }
}

fn decoded<E: Event>(frame: &Frame) -> Option<E> {
    Recorded::<E>::decode(Position(0), frame.clone(), None).ok().map(|recorded| recorded.event)
}

fn given(frame: &Frame) -> Vec<(u16, Given)> {
    frame.commitments().into_iter().map(|(field, commitment)| (field, Given::Commitment(commitment))).collect()
}

/// Whether the event could be recorded, in which case it gave the same bytes but for tags that are not its own.
fn again<E: Event>(frame: &Frame, event: &E) -> bool {
    let Ok(metadata) = frame.metadata() else { return false };
    let (envelope, overriding) = (metadata.envelope, metadata.overriding);
    let on = Some(frame.occurred_on());
    let prepared =
        Prepared::new(event, frame.id(), on, envelope, overriding, &given(frame), &mut || unreachable!("all fields are given"));
    let Ok(mut prepared) = prepared else { return false };
    prepared.stamp(frame.recorded_at(), 0);
    if prepared.tags() != frame.tags() {
        return false;
    }
    assert_eq!(prepared.bytes(), &frame.bytes()[..], "there is one encoding");
    true
}

fn as_line(frame: &Frame) {
    let Ok(recorded) = Recorded::<Recognition>::decode(Position(0), frame.clone(), None) else { return };
    let Ok(line) = interchange::line(&recorded, Show::Commitments) else { return };
    let text = line.to_string();
    let Ok(Line::Event { import, .. }) = interchange::parse_line(text.as_bytes(), Mode::Migrate) else {
        panic!("an export is not read: {text}");
    };
    let entry = &import.entry;
    let on = entry.occurred_on().map(sovang_core::calendar::days_of);
    let prepared = Prepared::new(
        entry.event(),
        entry.id().expect("an export has ids"),
        on,
        import.envelope.clone(),
        entry.waiver().cloned(),
        &import.given,
        &mut || unreachable!("all fields are given"),
    );
    let mut prepared = prepared.expect("what was recorded can be");
    prepared.stamp(frame.recorded_at(), 0);
    assert_eq!(prepared.bytes(), &frame.bytes()[..], "through {text}");
}
