//! The runner: records in, states out.

use crate::projection::{Merge, Plan, Projection};
use sovang_core::{Event, Position, RecordId, Recorded, Result};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Says what stood in place of an original record (the first argument) just before a position: the last amendment of
/// it below that position, or else the original record; none once it had been retracted, whatever came after.
/// Personal fields stay sealed.
pub type Before<'a, E> = &'a dyn Fn(RecordId, Position) -> Result<Option<Recorded<E>>>;

/// Hands one record to a projection: resolves what an amendment takes the place of, then applies what matches.
///
/// # Errors
/// Those of `before`, with the amendment's position unless they name one. The projection is then unchanged.
pub fn step<E: Event, P: Projection<E>>(
    projection: &mut P,
    plan: &Plan,
    mut record: Recorded<E>,
    before: Before<'_, E>,
) -> Result<()> {
    if let Some(target) = record.amends() {
        let stood = before(target, record.position)
            .map_err(|error| if error.position().is_none() { error.at(record.position) } else { error })?;
        record.resolve(stood);
    }
    projection.apply_planned(plan, &record);
    Ok(())
}

/// Folds records in position order into a projection, and stops at the first error.
///
/// # Errors
/// The first one among the records, and those of `before`.
pub fn fold<E: Event, P: Projection<E>>(
    mut projection: P,
    records: impl IntoIterator<Item = Result<Recorded<E>>>,
    before: Before<'_, E>,
) -> Result<P> {
    let plan = projection.plan();
    advance(&mut projection, &plan, records, before)?;
    Ok(projection)
}

/// As [`fold`], in place and by a plan made earlier. After an error the projection is between two records.
pub(crate) fn advance<E: Event, P: Projection<E>>(
    projection: &mut P,
    plan: &Plan,
    records: impl IntoIterator<Item = Result<Recorded<E>>>,
    before: Before<'_, E>,
) -> Result<()> {
    for record in records {
        step(projection, plan, record?, before)?;
    }
    Ok(())
}

/// Folds adjacent ranges of positions on up to `threads` threads, each into a state of its own, and merges these in
/// order: the same bytes as one [`fold`] over all of them.
///
/// `ranges` ascend without gaps; `source` gives the records of one range that match the plan's query, `before` must
/// look past the range's start. More ranges than threads even out the work.
///
/// # Errors
/// The first error in range order among those that were met; ranges not yet begun are then left out.
///
/// # Panics
/// When a projection panics, with its own panic.
pub fn fold_parallel<E, P, I>(
    fresh: impl Fn() -> P + Sync,
    ranges: &[Range<u64>],
    threads: usize,
    source: impl Fn(&Plan, Range<u64>) -> Result<I> + Sync,
    before: impl Fn(RecordId, Position) -> Result<Option<Recorded<E>>> + Sync,
) -> Result<P>
where
    E: Event,
    P: Merge<E> + Send,
    I: Iterator<Item = Result<Recorded<E>>>,
{
    let plan = fresh().plan();
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let folded: Vec<Mutex<Option<Result<P>>>> = ranges.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        while !failed.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let (Some(range), Some(slot)) = (ranges.get(index), folded.get(index)) else {
                break;
            };
            let result = source(&plan, range.clone()).and_then(|records| {
                let mut part = fresh();
                advance(&mut part, &plan, records, &before)?;
                Ok(part)
            });
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(ranges.len())).map(|_| scope.spawn(work)).collect();
        work();
        for other in others {
            if let Err(panic) = other.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    // Ranges are begun in order and every one begun is finished, so what an error left out stands behind that error.
    let mut parts = folded.into_iter().map_while(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner));
    let Some(first) = parts.next() else {
        return Ok(fresh());
    };
    let mut merged = first?;
    for part in parts {
        merged.merge(part?);
    }
    Ok(merged)
}
