//! Candidate positions of one key, from both ends, a page at a time.

use super::Answer;
use super::page::Page;
use super::run::{Run, Slice};
use sovang_core::Position;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// Candidate positions of one key: ascending from the front, descending from the back. What it has not been asked for, it
/// has not read. After an error it is at its end.
pub struct Postings {
    parts: VecDeque<Part>,
}

/// The positions of one run, or those in memory; later parts are of later positions.
pub(super) enum Part {
    /// A run that has not been asked yet, and the part of it to ask.
    Unread { run: Arc<Run>, fingerprint: u64, range: Range<u64> },
    /// Places in the postings of a run, and the positions given last from either end.
    Stored { run: Arc<Run>, places: Range<u32>, front: Held, back: Held, given: (Option<u64>, Option<u64>) },
    /// Positions at hand.
    Here(std::vec::IntoIter<u64>),
}
type Held = Option<(u32, Arc<Page>)>;

impl Part {
    fn read(self) -> Answer<Self> {
        let Self::Unread { run, fingerprint, range } = self else {
            return Ok(self);
        };
        Ok(match run.slice(fingerprint)? {
            None => Self::Here(Vec::new().into_iter()),
            Some(Slice::One(relative)) => {
                let position = Some(run.absolute(relative)?).filter(|p| range.contains(p));
                Self::Here(position.into_iter().collect::<Vec<_>>().into_iter())
            }
            Some(Slice::Many { start, count }) => {
                let places = run.clip(start, count, &range)?;
                Self::Stored { run, places, front: None, back: None, given: (None, None) }
            }
        })
    }
    fn next(&mut self) -> Answer<Option<u64>> {
        match self {
            Self::Unread { .. } => Ok(None),
            Self::Stored { run, places, front, given, .. } => {
                let Some(place) = places.next() else { return Ok(None) };
                let position = run.posting(place, front)?;
                // A run whose checksums were forged may say a position twice: then it says nothing.
                if given.0.replace(position).is_some_and(|before| before >= position) {
                    return Err(run.contradiction());
                }
                Ok(Some(position))
            }
            Self::Here(positions) => Ok(positions.next()),
        }
    }
    fn next_back(&mut self) -> Answer<Option<u64>> {
        match self {
            Self::Unread { .. } => Ok(None),
            Self::Stored { run, places, back, given, .. } => {
                let Some(place) = places.next_back() else { return Ok(None) };
                let position = run.posting(place, back)?;
                if given.1.replace(position).is_some_and(|after| after <= position) {
                    return Err(run.contradiction());
                }
                Ok(Some(position))
            }
            Self::Here(positions) => Ok(positions.next_back()),
        }
    }
    fn len(&self) -> u64 {
        match self {
            Self::Unread { .. } => 0,
            Self::Stored { places, .. } => (places.end - places.start).into(),
            Self::Here(positions) => positions.len() as u64,
        }
    }
}

impl Postings {
    pub(super) fn new(parts: VecDeque<Part>) -> Self {
        Self { parts }
    }
    /// How many positions there are: asks every run, but reads none of the positions.
    pub(super) fn total(self) -> Answer<u64> {
        self.parts.into_iter().try_fold(0, |sum, part| Ok(sum + part.read()?.len()))
    }
    fn step(
        &mut self,
        end: impl Fn(&mut VecDeque<Part>) -> Option<Part>,
        put_back: impl Fn(&mut VecDeque<Part>, Part),
        take: impl Fn(&mut Part) -> Answer<Option<u64>>,
    ) -> Answer<Option<Position>> {
        while let Some(part) = end(&mut self.parts) {
            let mut part = part.read()?;
            if let Some(position) = take(&mut part)? {
                put_back(&mut self.parts, part);
                return Ok(Some(Position(position)));
            }
        }
        Ok(None)
    }
    fn ended(&mut self, step: Answer<Option<Position>>) -> Option<Answer<Position>> {
        if step.is_err() {
            self.parts.clear();
        }
        step.transpose()
    }
}
impl Iterator for Postings {
    type Item = Answer<Position>;
    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step(VecDeque::pop_front, VecDeque::push_front, Part::next);
        self.ended(step)
    }
}
impl DoubleEndedIterator for Postings {
    fn next_back(&mut self) -> Option<Self::Item> {
        let step = self.step(VecDeque::pop_back, VecDeque::push_back, Part::next_back);
        self.ended(step)
    }
}
impl std::iter::FusedIterator for Postings {}
