//! A record as it is read.

use crate::calendar;
use crate::codec::CodecError;
use crate::entry::Override;
use crate::event::{Amends, Decoder, Event, Tags};
use crate::ids::{Actor, Commitment, Position, RecordHash, RecordId};
use crate::personal::Opener;
use crate::query::Query;
use crate::record::Frame;
use std::sync::atomic::{AtomicU8, Ordering};
use time::{Date, UtcDateTime};

/// A record with its envelope and its event.
#[derive(Debug)]
#[non_exhaustive]
pub struct Recorded<E> {
    /// Where it stands in the log.
    pub position: Position,
    /// Its id.
    pub id: RecordId,
    /// When the ledger learned it.
    pub recorded_at: UtcDateTime,
    /// When it happened.
    pub occurred_on: Date,
    /// Who recorded it.
    pub actor: Actor,
    /// Where the fact was taken from.
    pub source: Option<String>,
    /// The caller's own key for what belongs together.
    pub correlation: Option<String>,
    /// The record that caused it.
    pub causation: Option<RecordId>,
    /// Rules waived for it.
    pub overriding: Option<Override>,
    /// The event.
    pub event: E,
    frame: Frame,
    before: Option<Box<Stood<E>>>,
    shown: AtomicU8,
}

/// What stood in place of an original record just before an amendment.
#[derive(Debug)]
struct Stood<E> {
    record: Recorded<E>,
}

const SHOW_BEFORE: u8 = 1;
const SHOW_NOW: u8 = 2;

/// A signed effect of a record: what a projection adds up. A plain record has one of weight +1; an amendment takes
/// away what stood and adds what stands now.
#[derive(Debug)]
#[non_exhaustive]
pub struct Effect<'a, E> {
    /// +1 or -1.
    pub weight: i64,
    /// What stands, or stood.
    pub event: &'a E,
    /// When that occurred.
    pub occurred_on: Date,
    /// The original record: the same for a record and for every amendment of it.
    pub id: RecordId,
}
impl<E> Clone for Effect<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E> Copy for Effect<'_, E> {}

/// What a record is found and counted by, its flags, is what its event says. A raw event says nothing.
fn check_flags<E: Event>(frame: &Frame, event: &E) -> Result<(), CodecError> {
    let agree = match event.amends() {
        Some(Amends::Replaces { .. }) => frame.is_amendment() && !frame.is_retraction(),
        Some(Amends::Retracts { .. }) => frame.is_retraction(),
        None => E::KINDS.is_empty() || !frame.is_amendment(),
    };
    if agree { Ok(()) } else { Err(CodecError::Malformed { what: "flags and event disagree" }) }
}

impl<E: Event> Recorded<E> {
    /// Decodes a frame. Without an opener personal fields read `Sealed`.
    ///
    /// # Errors
    /// When the frame does not decode as `E`.
    pub fn decode(position: Position, frame: Frame, opener: Option<Opener<'_>>) -> Result<Self, CodecError> {
        let metadata = frame.metadata()?;
        let mut decoder = Decoder::new(&frame, opener)?;
        let event = E::decode(frame.kind(), frame.version(), &mut decoder)?;
        decoder.finish()?;
        check_flags(&frame, &event)?;
        Ok(Self {
            position,
            id: frame.id(),
            recorded_at: calendar::instant_of(frame.recorded_at())?,
            occurred_on: calendar::date_of(frame.occurred_on())?,
            actor: metadata.envelope.actor,
            source: metadata.envelope.source,
            correlation: metadata.envelope.correlation,
            causation: metadata.envelope.causation,
            overriding: metadata.overriding,
            event,
            before: None,
            shown: AtomicU8::new(SHOW_BEFORE | SHOW_NOW),
            frame,
        })
    }
    /// Its hash: the leaf of the tree is made of it.
    #[must_use]
    pub fn hash(&self) -> RecordHash {
        self.frame.hash(self.position)
    }
    /// Its bytes.
    #[must_use]
    pub fn frame(&self) -> &Frame {
        &self.frame
    }
    /// The original record that this one amends.
    #[must_use]
    pub fn amends(&self) -> Option<RecordId> {
        self.event.amends().map(|a| a.target())
    }
    /// The commitments to its personal fields.
    #[must_use]
    pub fn commitments(&self) -> Vec<(u16, Commitment)> {
        self.frame.commitments()
    }

    /// For a runner: says what stood just before this amendment, as the original record or the last amendment of it.
    /// Nothing stood if the original had been retracted.
    #[doc(hidden)]
    pub fn resolve(&mut self, before: Option<Recorded<E>>) {
        self.before = before.map(|record| Box::new(Stood { record }));
    }
    /// For a runner: leaves only the effects that match `query`, and says whether any is left.
    #[doc(hidden)]
    pub fn narrow(&self, query: &Query) -> bool {
        let mut shown = 0;
        if !self.frame.is_amendment() {
            if query.matches(&[self.frame.kind()], &self.frame.tags(), &[self.id]) {
                shown = SHOW_NOW;
            }
        } else {
            for (bit, effect) in [(SHOW_BEFORE, self.before_effect()), (SHOW_NOW, self.now_effect())] {
                let matches = effect
                    .is_some_and(|e| query.matches(&[e.event.kind().number()], &Tags::of(e.event).unwrap_or_default(), &[e.id]));
                if matches {
                    shown |= bit;
                }
            }
            // The amendment itself may be what is asked for, also as one of the record that it amends.
            let ids = [Some(self.id), self.amends()];
            let ids: Vec<RecordId> = ids.into_iter().flatten().collect();
            if query.matches(&[self.frame.kind()], &self.frame.tags(), &ids) {
                self.shown.store(shown, Ordering::Relaxed);
                return true;
            }
        }
        self.shown.store(shown, Ordering::Relaxed);
        shown != 0
    }
    fn before_effect(&self) -> Option<Effect<'_, E>> {
        let record = &self.before.as_ref()?.record;
        Some(match record.event.amends() {
            None => Effect { weight: -1, event: &record.event, occurred_on: record.occurred_on, id: record.id },
            Some(Amends::Replaces { target, on, by }) => Effect { weight: -1, event: by, occurred_on: on, id: target },
            Some(Amends::Retracts { .. }) => return None,
        })
    }
    fn now_effect(&self) -> Option<Effect<'_, E>> {
        match self.event.amends() {
            None => Some(Effect { weight: 1, event: &self.event, occurred_on: self.occurred_on, id: self.id }),
            // What was retracted stays so.
            Some(Amends::Replaces { target, on, by }) => {
                self.before.as_ref().map(|_| Effect { weight: 1, event: by, occurred_on: on, id: target })
            }
            Some(Amends::Retracts { .. }) => None,
        }
    }
    /// What this record changes: for a plain record itself with +1; for an amendment what stood just before with -1
    /// and what stands now with +1. Only effects that match the projection's query.
    pub fn effects(&self) -> impl Iterator<Item = Effect<'_, E>> {
        let shown = self.shown.load(Ordering::Relaxed);
        let before = if shown & SHOW_BEFORE != 0 { self.before_effect() } else { None };
        let now = if shown & SHOW_NOW != 0 { self.now_effect() } else { None };
        before.into_iter().chain(now)
    }
}
