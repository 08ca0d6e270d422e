//! Records in memory, folded by the real runner.

use crate::event::event;
use serde_json::Value as Json;
use sovang_core::entry::Envelope;
use sovang_core::record::{Frame, Prepared};
use sovang_core::{Actor, Position, RecordId, Recorded, Result, calendar};
use sovang_projection::{Merge, Projection};
use sovang_recognition::Recognition;
use sovang_recognition::tally::{Name, Request, Table, Tally};
use std::ops::Range;

/// The id of the record at a position.
pub(crate) fn id(position: usize) -> RecordId {
    let mut bytes = [7; 16];
    bytes[..8].copy_from_slice(&(position as u64).to_be_bytes());
    RecordId::from_bytes(bytes)
}

/// The frames of a history's records.
pub(crate) fn frames(history: &[Json]) -> Vec<Frame> {
    let frame = |(position, doc): (usize, &Json)| {
        let (event, occurred_on) = event(doc);
        let envelope = Envelope::by(Actor::new("clerk").expect("an actor"));
        let prepared =
            Prepared::new(&event, id(position), Some(calendar::days_of(occurred_on)), envelope, None, &[], &mut || Ok([0; 32]));
        Frame::parse(prepared.expect("a record").bytes().to_vec().into()).expect("a frame")
    };
    history.iter().enumerate().map(frame).collect()
}

fn decode(frames: &[Frame], position: usize) -> Recorded<Recognition> {
    Recorded::decode(Position(position as u64), frames[position].clone(), None).expect("an event")
}

/// What stood before a position: the last amendment below it, or the original; none once it was retracted.
fn before(frames: &[Frame], target: RecordId, position: Position) -> Result<Option<Recorded<Recognition>>> {
    let below = usize::try_from(position.0).expect("small");
    let mut stood = None;
    for (position, frame) in frames[..below].iter().enumerate() {
        if frame.id() == target {
            stood = Some(position);
        } else if frame.is_amendment() && frame.metadata()?.target == Some(target) {
            if frame.is_retraction() {
                return Ok(None);
            }
            stood = Some(position);
        }
    }
    Ok(stood.map(|position| decode(frames, position)))
}

pub(crate) fn fold<P: Projection<Recognition>>(projection: P, frames: &[Frame], range: Range<usize>) -> P {
    let records = range.map(|position| Ok(decode(frames, position)));
    sovang_projection::fold(projection, records, &|target, at| before(frames, target, at)).expect("a fold")
}

pub(crate) fn fold_parallel<P: Merge<Recognition> + Send>(fresh: impl Fn() -> P + Sync, frames: &[Frame], cuts: &[usize]) -> P {
    let mut ends: Vec<u64> = cuts.iter().map(|cut| (*cut).min(frames.len()) as u64).collect();
    ends.extend([0, frames.len() as u64]);
    ends.sort_unstable();
    let ranges: Vec<Range<u64>> = ends.windows(2).map(|pair| pair[0]..pair[1]).collect();
    let source = |_: &_, range: Range<u64>| Ok(range.map(|at| Ok(decode(frames, usize::try_from(at).expect("small")))));
    sovang_projection::fold_parallel(fresh, &ranges, 2, source, |target, at| before(frames, target, at)).expect("a fold")
}

/// The report as the command would give it.
pub(crate) fn table(
    tally: &str,
    history: &[Json],
    by: Option<&str>,
    filters: &[&str],
    from: Option<&str>,
    to: Option<&str>,
) -> Table {
    let name: Name = tally.parse().expect("a tally");
    let request = Request::parse(name, by, filters, from, to).expect("a request");
    let frames = frames(history);
    fold(Tally::new(name, request).expect("fits"), &frames, 0..frames.len()).table()
}

/// Its rows as JSON.
pub(crate) fn rows(
    tally: &str,
    history: &[Json],
    by: Option<&str>,
    filters: &[&str],
    from: Option<&str>,
    to: Option<&str>,
) -> Json {
    serde_json::to_value(table(tally, history, by, filters, from, to).rows).expect("rows")
}
