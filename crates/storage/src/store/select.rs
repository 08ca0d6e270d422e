//! Iterators over records: all of a range, and those that a query names.

use super::shared::{Shared, amendments_key};
use crate::index::{Answer, Index, Postings};
use crate::log::Walk;
use sovang_core::query::Item;
use sovang_core::record::Frame;
use sovang_core::{Position, Query, Result, Size};
use std::ops::Range;
use std::sync::Arc;

/// So many records are read at once going backwards.
const BACKWARD_STEP: u64 = 512;

/// Every record of a range, in order.
pub struct Scan {
    shared: Arc<Shared>,
    walk: Option<Result<Walk>>,
    from: u64,
}
impl Scan {
    pub(super) fn new(shared: &Arc<Shared>, range: Range<u64>) -> Self {
        let walk = if range.is_empty() { None } else { Some(shared.walk(&range)) };
        Self { shared: Arc::clone(shared), walk, from: range.start }
    }
}
impl Iterator for Scan {
    type Item = Result<(Position, Frame)>;
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let walk = match self.walk.as_mut()? {
                Ok(walk) => walk,
                Err(_) => return self.walk.take()?.err().map(Err),
            };
            match walk.next() {
                None => self.walk = None,
                Some(Ok(walked)) if walked.position.0 < self.from => {}
                Some(Ok(walked)) => return Some(Ok((walked.position, walked.frame))),
                Some(Err(error)) => {
                    self.walk = None;
                    return Some(Err(self.shared.noted(error)));
                }
            }
        }
    }
}

/// The records of a range that a query names, in order or the newest first.
///
/// Where every alternative names a tag or a record the index gives candidates, which are confirmed on the record; otherwise
/// all records of the range are looked at, at their headers.
pub struct Select {
    shared: Arc<Shared>,
    query: Query,
    rest: Range<u64>,
    backwards: bool,
    by: By,
}
enum By {
    /// By the index; candidates of each alternative, once begun.
    Index(Option<Vec<Candidates>>),
    Scan(Option<Box<Scan>>),
    /// Records read ahead, the next to give last.
    Chunks(Vec<(Position, Frame)>),
}

/// Candidates of one alternative, with the next one.
struct Candidates {
    places: Places,
    next: Option<Position>,
}
enum Places {
    Of(Postings),
    One(Option<Position>),
}
impl Candidates {
    fn advance(&mut self, backwards: bool) -> Answer<()> {
        self.next = match &mut self.places {
            Places::One(one) => one.take(),
            Places::Of(postings) if backwards => postings.next_back().transpose()?,
            Places::Of(postings) => postings.next().transpose()?,
        };
        Ok(())
    }
}

impl Select {
    pub(super) fn new(shared: &Arc<Shared>, query: &Query, range: Range<u64>, backwards: bool) -> Self {
        let indexable = query.items().iter().all(|item| item.record.is_some() || !item.tags.is_empty());
        let by = if indexable {
            By::Index(None)
        } else if backwards {
            By::Chunks(Vec::new())
        } else {
            By::Scan(None)
        };
        let rest = if query.is_none() { 0..0 } else { range };
        Self { shared: Arc::clone(shared), query: query.clone(), rest, backwards, by }
    }

    fn begin(&self, index: &Index) -> Answer<Vec<Candidates>> {
        let mut all = Vec::new();
        for item in self.query.items() {
            for places in places(index, item, &self.rest)? {
                let mut candidates = Candidates { places, next: None };
                candidates.advance(self.backwards)?;
                all.push(candidates);
            }
        }
        Ok(all)
    }
    /// The next candidate by the index, and the end of what is left after it.
    fn candidate(&mut self) -> Result<Option<Position>> {
        let backwards = self.backwards;
        loop {
            let By::Index(begun) = &mut self.by else {
                return Ok(None);
            };
            let Some(all) = begun else {
                let begun = self.shared.indexed(Size(self.rest.end), |index| self.begin(index))?;
                self.by = By::Index(Some(begun));
                continue;
            };
            let next = all.iter().filter_map(|c| c.next);
            let Some(next) = (if backwards { next.max() } else { next.min() }) else {
                return Ok(None);
            };
            let mut step = || -> Answer<()> {
                for candidates in all.iter_mut().filter(|c| c.next == Some(next)) {
                    candidates.advance(backwards)?;
                }
                Ok(())
            };
            if let Err(stale) = step() {
                self.shared.heal(stale)?;
                // Begun again from where this one stands.
                self.by = By::Index(None);
                continue;
            }
            self.passed(next);
            return Ok(Some(next));
        }
    }
    /// After an error nothing follows.
    fn end(&mut self) {
        self.rest = 0..0;
        self.by = By::Index(None);
    }
    fn passed(&mut self, position: Position) {
        if self.backwards {
            self.rest.end = position.0;
        } else {
            self.rest.start = position.0 + 1;
        }
    }
    fn next_candidate(&mut self) -> Result<Option<(Position, Frame)>> {
        match &mut self.by {
            By::Index(_) if self.rest.is_empty() => Ok(None),
            By::Index(_) => match self.candidate()? {
                None => Ok(None),
                Some(position) => Ok(Some((position, self.shared.frame(position)?))),
            },
            By::Scan(scan) => scan.get_or_insert_with(|| Box::new(Scan::new(&self.shared, self.rest.clone()))).next().transpose(),
            By::Chunks(ahead) => {
                if ahead.is_empty() {
                    let from = self.rest.end.saturating_sub(BACKWARD_STEP).max(self.rest.start);
                    *ahead = Scan::new(&self.shared, from..self.rest.end).collect::<Result<_>>()?;
                    self.rest.end = from;
                }
                Ok(ahead.pop())
            }
        }
    }
}

/// The places that together hold every record of an alternative: of its rarest tag, or those of its record and amendments.
fn places(index: &Index, item: &Item, range: &Range<u64>) -> Answer<Vec<Places>> {
    if let Some(id) = item.record {
        let mut all = vec![Places::Of(index.positions(&amendments_key(id), range.clone())?)];
        for position in index.find_before(id, Size(range.end))? {
            if range.contains(&position.0) {
                all.push(Places::One(Some(position)));
            }
        }
        return Ok(all);
    }
    let mut rarest = None;
    for tag in &item.tags {
        let count = if item.tags.len() == 1 { 0 } else { index.count(tag, range.clone())? };
        if rarest.is_none_or(|(fewest, _)| count < fewest) {
            rarest = Some((count, tag));
        }
    }
    rarest.map(|(_, tag)| index.positions(tag, range.clone()).map(Places::Of)).into_iter().collect()
}

impl Iterator for Select {
    type Item = Result<(Position, Frame)>;
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (position, frame) = match self.next_candidate() {
                Ok(candidate) => candidate?,
                Err(error) => {
                    self.end();
                    return Some(Err(error));
                }
            };
            match self.shared.matches(&self.query, position, &frame) {
                Ok(false) => {}
                Ok(true) => return Some(Ok((position, frame))),
                Err(error) => {
                    self.end();
                    return Some(Err(error));
                }
            }
        }
    }
}
