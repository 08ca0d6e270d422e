//! Reading and following.

use crate::reader::Reader;
use sovang_core::event::LedgerEvent;
use sovang_core::query::Item;
use sovang_core::record::Frame;
use sovang_core::{Error, Event, Position, Query, Recorded, Result, Size};
use sovang_storage::store::View;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often a follower in another process than the writer's looks for growth.
const POLL: Duration = Duration::from_millis(20);
/// So many records are read at once going backwards.
const BACKWARD_STEP: u64 = 512;

/// A read being described: iterate over it, or [`Self::follow`] it.
#[derive(Debug)]
pub struct Read<E> {
    reader: Reader<E>,
    query: Query,
    from: Size,
    backwards: bool,
}

impl<E: Event> Read<E> {
    pub(crate) fn new(reader: Reader<E>, query: Query) -> Self {
        Self { reader, query, from: Size::ZERO, backwards: false }
    }
    /// Starts at this cursor: the size that `record.position.next()` gave when the last one was handled.
    #[must_use]
    pub fn from(mut self, cursor: Size) -> Self {
        self.from = cursor;
        self
    }
    /// The newest first, down to the cursor.
    #[must_use]
    pub fn backwards(mut self) -> Self {
        self.backwards = true;
        self
    }
    /// What is there and then what comes, without a seam or a gap, until stopped; forwards only. Of a reader that has stopped
    /// growing nothing comes: it ends there.
    ///
    /// Handling a record exactly once means: save `record.position.next()` in the same transaction as what you made of the record, and start there again.
    #[must_use]
    pub fn follow(self) -> Follow<E> {
        Follow {
            cursor: self.from,
            current: None,
            stop: Arc::new(AtomicBool::new(false)),
            reader: self.reader,
            query: self.query,
        }
    }
}

impl<E: Event> IntoIterator for Read<E> {
    type Item = Result<Recorded<E>>;
    type IntoIter = Records<E>;
    fn into_iter(self) -> Records<E> {
        match self.reader.refresh() {
            Ok(head) => Records::new(self.reader, &self.query, self.from, head.size, self.backwards),
            Err(error) => {
                Records { reader: self.reader, frames: Box::new(std::iter::once(Err(error))), sealed: false, done: false }
            }
        }
    }
}

/// The records of a [`Read`], owned: a thread may take it. It ends after an error.
pub struct Records<E> {
    reader: Reader<E>,
    frames: Box<dyn Iterator<Item = Result<(Position, Frame)>> + Send>,
    sealed: bool,
    done: bool,
}

impl<E: Event> Records<E> {
    pub(crate) fn new(reader: Reader<E>, query: &Query, from: Size, to: Size, backwards: bool) -> Self {
        let range = from.0.min(to.0)..to.0;
        let view = reader.view();
        // Raw events show the ledger's own records too.
        let shows_all = E::SCHEMA.is_empty() && query.items().contains(&Item::default());
        let frames: Box<dyn Iterator<Item = _> + Send> = match (shows_all, backwards) {
            (true, false) => Box::new(view.scan(range)),
            (true, true) => Box::new(scan_backwards(view.clone(), range)),
            (false, _) => Box::new(view.select(query, range, backwards)),
        };
        Self { reader, frames, sealed: false, done: false }
    }
    /// For a fold, whose runner resolves amendments itself.
    pub(crate) fn sealed(reader: Reader<E>, query: &Query, from: Size, to: Size) -> Self {
        Self { sealed: true, ..Self::new(reader, query, from, to, false) }
    }
}

/// Every record of a range, the newest first.
fn scan_backwards(view: View, mut rest: Range<u64>) -> impl Iterator<Item = Result<(Position, Frame)>> + Send {
    let mut ahead: Vec<Result<(Position, Frame)>> = Vec::new();
    std::iter::from_fn(move || {
        if ahead.is_empty() && !rest.is_empty() {
            let from = rest.end.saturating_sub(BACKWARD_STEP).max(rest.start);
            ahead = view.scan(from..rest.end).collect();
            rest.end = from;
        }
        ahead.pop()
    })
}

impl<E> fmt::Debug for Records<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Records")
    }
}

impl<E: Event> Iterator for Records<E> {
    type Item = Result<Recorded<E>>;
    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let record = self.frames.next()?.and_then(|(position, frame)| {
            if self.sealed { self.reader.decode_sealed(position, frame) } else { self.reader.decode(position, frame) }
        });
        self.done = record.is_err();
        Some(record)
    }
}

/// A live tail: an iterator that waits for what comes. It ends when stopped, or after an error.
pub struct Follow<E> {
    reader: Reader<E>,
    query: Query,
    cursor: Size,
    current: Option<(Records<E>, Size)>,
    stop: Arc<AtomicBool>,
}

impl<E> fmt::Debug for Follow<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Follow(from {})", self.cursor)
    }
}

/// Ends a [`Follow`] from another thread.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<AtomicBool>);
impl Stopper {
    /// The follower gives nothing more; one that waits ends within moments.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl<E: Event> Follow<E> {
    /// A switch that ends the loop from another thread.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.stop))
    }
    /// The next record, or nothing when none came within `timeout`, or the follower was stopped.
    pub fn next_timeout(&mut self, timeout: Duration) -> Option<Result<Recorded<E>>> {
        // A time that is never reached is no deadline.
        self.next_until(Instant::now().checked_add(timeout))
    }
    fn next_until(&mut self, deadline: Option<Instant>) -> Option<Result<Recorded<E>>> {
        loop {
            if self.stop.load(Ordering::Acquire) {
                return None;
            }
            if let Some((records, end)) = &mut self.current {
                match records.next() {
                    Some(Ok(record)) => {
                        self.cursor = record.position.next();
                        return Some(Ok(record));
                    }
                    Some(Err(error)) => {
                        self.stop.store(true, Ordering::Release);
                        return Some(Err(error));
                    }
                    None => {
                        self.cursor = self.cursor.max(*end);
                        self.current = None;
                    }
                }
            }
            let head = match self.reader.refresh() {
                Ok(head) => head,
                Err(error) => {
                    self.stop.store(true, Ordering::Release);
                    return Some(Err(error));
                }
            };
            if head.size > self.cursor {
                let records = Records::new(self.reader.clone(), &self.query, self.cursor, head.size, false);
                self.current = Some((records, head.size));
                continue;
            }
            if self.reader.has_stopped() {
                return None;
            }
            let wait = match deadline {
                None => POLL,
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    left.min(POLL)
                }
            };
            self.reader.view().wait_beyond(self.cursor, wait);
        }
    }
}

impl<E: Event> Iterator for Follow<E> {
    type Item = Result<Recorded<E>>;
    fn next(&mut self) -> Option<Self::Item> {
        self.next_until(None)
    }
}

/// A record of the log as it stands there: an event, or a record of the ledger itself.
#[derive(Debug)]
pub enum Historic<E> {
    /// An event.
    Event(Recorded<E>),
    /// A record of the ledger itself, such as an erasure.
    Ledger(Recorded<LedgerEvent>),
}

/// Every record in position order, those of the ledger itself included: see [`Reader::history`].
pub struct History<E> {
    reader: Reader<E>,
    frames: Box<dyn Iterator<Item = Result<(Position, Frame)>> + Send>,
    done: bool,
}

impl<E> fmt::Debug for History<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("History")
    }
}

impl<E: Event> Iterator for History<E> {
    type Item = Result<Historic<E>>;
    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let record = self.frames.next()?.and_then(|(position, frame)| {
            if frame.is_ledger_level() {
                Recorded::decode(position, frame, None).map(Historic::Ledger).map_err(|e| Error::from(e).at(position))
            } else {
                self.reader.decode(position, frame).map(Historic::Event)
            }
        });
        self.done = record.is_err();
        Some(record)
    }
}

impl<E: Event> Reader<E> {
    /// Every record from a cursor on in position order, those of the ledger itself included: for exports and logs. Folds and
    /// [`Self::read`] pass over the latter.
    ///
    /// # Errors
    /// When the head cannot be read.
    pub fn history(&self, from: Size) -> Result<History<E>> {
        let to = self.refresh()?.size.0;
        let frames = Box::new(self.view().scan(from.0.min(to)..to));
        Ok(History { reader: self.clone(), frames, done: false })
    }
}
