//! Records in memory: enough of a ledger to decide on.

use super::{DAY, record_id};
use crate::command::Store;
use sovang_core::event::Amends;
use sovang_core::record::{Frame, Prepared};
use sovang_core::{
    Actor, Condition, Conflict, Entry, Envelope, Error, ErrorKind, Event, Position, Query, RecordId, Recorded, Result, Size,
    TagKey, Tags, calendar,
};
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Records in memory, without hashes, ids to look up or durability: what [`super::given`] lets a command decide on, and
/// what a decide loop can be tested against. Recorded times count microseconds from 1970 on, ids are [`record_id`].
#[derive(Debug)]
pub struct Memory<E> {
    kept: Mutex<Vec<Kept>>,
    event: PhantomData<fn() -> E>,
}

/// A record and what it is found by: an amendment also by what its target and every earlier amendment of it are.
#[derive(Clone, Debug)]
struct Kept {
    frame: Frame,
    target: Option<RecordId>,
    kinds: Vec<u16>,
    tags: Vec<TagKey>,
}

impl Kept {
    fn matches(&self, query: &Query) -> bool {
        let ids = [self.frame.id(), self.target.unwrap_or(self.frame.id())];
        query.matches(&self.kinds, &self.tags, &ids)
    }
}

impl<E> Default for Memory<E> {
    fn default() -> Self {
        Self { kept: Mutex::default(), event: PhantomData }
    }
}

impl<E: Event> Memory<E> {
    /// No records.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// How many records.
    #[must_use]
    pub fn len(&self) -> Size {
        Size(self.kept().len() as u64)
    }
    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// The records of these positions that match the query, not resolved.
    fn matching(&self, query: &Query, from: Size, to: Size) -> Vec<(Position, Frame)> {
        let kept = self.kept();
        (from.0..)
            .zip(kept.iter().skip(index(from.0)).take(index(to.0.saturating_sub(from.0))))
            .filter(|(_, kept)| kept.matches(query))
            .map(|(position, kept)| (Position(position), kept.frame.clone()))
            .collect()
    }
}

fn index(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

fn decode<E: Event>(position: Position, frame: Frame) -> Result<Recorded<E>> {
    Recorded::decode(position, frame, None).map_err(|error| Error::from(error).at(position))
}

/// Whether a record amends `target`, or is it.
fn is_of(kept: &Kept, target: RecordId) -> bool {
    kept.frame.id() == target || kept.target == Some(target)
}

impl<E: Event> Store<E> for Memory<E> {
    type Appended = Position;

    fn size(&self) -> Result<Size> {
        Ok(self.len())
    }

    fn read(&self, query: &Query, from: Size, to: Size) -> Result<impl Iterator<Item = Result<Recorded<E>>>> {
        Ok(self.matching(query, from, to).into_iter().map(|(position, frame)| decode(position, frame)))
    }

    fn before(&self, target: RecordId, position: Position) -> Result<Option<Recorded<E>>> {
        let found = {
            let kept = self.kept();
            let history = || (0..).zip(kept.iter()).take(index(position.0)).filter(|(_, kept)| is_of(kept, target));
            if history().any(|(_, kept)| kept.frame.is_retraction()) {
                return Ok(None);
            }
            history().last().map(|(position, kept)| (Position(position), kept.frame.clone()))
        };
        let (position, frame) = found.ok_or_else(|| no_target(target))?;
        Ok(Some(decode(position, frame)?))
    }

    fn append(&self, entries: Vec<Entry<E>>, condition: Condition) -> Result<Vec<Position>> {
        let mut kept = self.kept();
        let in_the_way = kept.iter().rposition(|kept| kept.matches(&condition.query));
        if let Some(position) = in_the_way.map(|p| Position(p as u64)).filter(|p| !condition.looked_at.contains(*p)) {
            return Err(Error::new(ErrorKind::Conflict, "another record came first")
                .with_conflict(Conflict::new(position, condition.looked_at)));
        }
        let before = kept.len();
        let mut positions = Vec::with_capacity(entries.len());
        for entry in entries {
            let position = kept.len() as u64;
            match keep(&kept, &entry, position) {
                Ok(record) => kept.push(record),
                Err(error) => {
                    kept.truncate(before);
                    return Err(error);
                }
            }
            positions.push(Position(position));
        }
        Ok(positions)
    }
}

fn no_target(target: RecordId) -> Error {
    Error::new(ErrorKind::AmendmentTarget, format!("no record {target} was given before the amendment that names it"))
        .advise("the nth given record has the id testing::record_id(n)")
}

fn keep<E: Event>(earlier: &[Kept], entry: &Entry<E>, position: u64) -> Result<Kept> {
    let event = entry.event();
    let mut envelope = Envelope::by(Actor::new("testing")?);
    envelope.source = entry.given_source().map(str::to_owned);
    let mut prepared = Prepared::new(
        event,
        entry.id().unwrap_or_else(|| record_id(position)),
        entry.occurred_on().map(calendar::days_of),
        envelope,
        entry.waiver().cloned(),
        &[],
        &mut || Ok([0; 32]),
    )?;
    prepared.stamp(i64::try_from(position).unwrap_or(i64::MAX), calendar::days_of(DAY));
    let frame = Frame::parse(prepared.bytes().to_vec().into())?;
    let mut kept = Kept { kinds: vec![frame.kind()], tags: frame.tags(), target: prepared.target(), frame };
    if let Some(Amends::Replaces { by, .. }) = event.amends() {
        kept.kinds.push(by.kind().number());
        kept.tags.extend(Tags::of(by)?);
    }
    if let Some(target) = kept.target {
        if !earlier.iter().any(|other| other.frame.id() == target && other.target.is_none()) {
            return Err(no_target(target));
        }
        for other in earlier.iter().filter(|other| is_of(other, target)) {
            kept.kinds.extend(&other.kinds);
            kept.tags.extend(&other.tags);
        }
    }
    Ok(kept)
}
