//! A log open for reading only, in any process, also beside a live writer: no lock, nothing written.

use super::evidence::{HeadFile, Predecessor, Reading, read_end, read_head};
use super::recovery::{Claim, SEALED, decide};
use super::segment::{LOG_DIRECTORY, segment_path};
use super::segments::Segments;
use super::{End, Identity, identity};
use crate::files::{Files, Open};
use crate::sync::RwLock;
use sovang_core::{Head, Result};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

/// Something worth knowing about a log that is no fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The file.
    pub file: PathBuf,
    /// The byte in it.
    pub offset: Option<u64>,
    /// What there is.
    pub what: String,
}

/// A log open for reading only. It takes no lock and writes nothing; a writer may be at work beside it.
///
/// It shows what is whole and known durable, and refuses only what is still bad when it is read again after the evidence
/// against it: a writer at work never looks like damage.
pub struct LogView {
    files: Arc<dyn Files>,
    identity: Identity,
    segments: Arc<Segments>,
    state: RwLock<State>,
}

struct State {
    end: End,
    notes: Vec<Note>,
}

impl LogView {
    /// Opens the log for reading.
    ///
    /// # Errors
    /// [`sovang_core::ErrorKind::NotALedger`], [`sovang_core::ErrorKind::WrongFormat`]; [`sovang_core::ErrorKind::Damaged`]
    /// when bytes that were durable are missing or changed; those of the system.
    pub fn open(files: Arc<dyn Files>) -> Result<Self> {
        let identity = identity::read(&*files)?;
        let segments = Arc::new(Segments::new(Arc::clone(&files), identity.ledger_id));
        let state = RwLock::new(State { end: End::start(), notes: Vec::new() });
        let view = Self { files, identity, segments, state };
        let state = view.look()?;
        view.show(state);
        Ok(view)
    }
    /// Who the ledger is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }
    /// The reading side.
    #[must_use]
    pub fn segments(&self) -> &Arc<Segments> {
        &self.segments
    }
    /// The durable head as last seen.
    #[must_use]
    pub fn head(&self) -> Head {
        self.end().head()
    }
    /// The log up to the durable head as last seen.
    #[must_use]
    pub fn end(&self) -> End {
        self.state.read().unwrap_or_else(PoisonError::into_inner).end.clone()
    }
    /// What was worth knowing when the log was last read as a whole: a torn tail, leftovers of interrupted writes.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).notes.clone()
    }

    /// Looks whether the log has grown. Cheap when it has not, and when it has: one look at the place where it ends now.
    ///
    /// # Errors
    /// As [`Self::open`]; what was seen before stays readable.
    pub fn refresh(&self) -> Result<Head> {
        let known = self.end();
        if let Ok(head) = read_head(&*self.files, self.identity.ledger_id) {
            let best = &head.best_end;
            if best.next.position <= known.next.position {
                return Ok(known.head());
            }
            if best.next.segment == known.next.segment && self.segments.agrees(best)? {
                let notes = self.notes();
                return Ok(self.show(State { end: head.best_end, notes }));
            }
        }
        let state = self.look()?;
        Ok(self.show(state))
    }

    /// Takes a newer state, never an older one.
    fn show(&self, state: State) -> Head {
        let mut shown = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.end.next.position >= shown.end.next.position {
            *shown = state;
        }
        shown.end.head()
    }

    /// Reads the end of the log; what looks bad is read once more, and judged by the evidence that was there before.
    fn look(&self) -> Result<State> {
        let head =
            read_head(&*self.files, self.identity.ledger_id).or_else(|_| read_head(&*self.files, self.identity.ledger_id))?;
        let (claims, first) = match self.read(&head) {
            Ok(reading) => match decide(&reading.scan, &head.claims_from(&reading.scan), true) {
                Ok(plan) => return Ok(self.state(plan.durable, reading)),
                Err(damage) => {
                    let mut claims = head.claims();
                    claims.extend(reading.scan.own_claims());
                    (claims, Some((damage, reading.listing.last)))
                }
            },
            Err(_) => (head.claims(), None),
        };
        let again = self.read(&head)?;
        if let Some((damage, last)) = first
            && damage.what == SEALED
            && again.listing.last == last
        {
            return Err(damage.error(&*self.files));
        }
        let start = again.scan.start_size();
        let claims: Vec<Claim> = claims.into_iter().filter(|claim| claim.head.size.0 >= start).collect();
        let plan = decide(&again.scan, &claims, false).map_err(|damage| damage.error(&*self.files))?;
        Ok(self.state(plan.durable, again))
    }

    fn read(&self, head: &HeadFile) -> Result<Reading> {
        let reading = read_end(&*self.files, self.identity.ledger_id, head, Open::Read)?;
        // Recovery, or a backup into this directory, may have put others in place of the files that were the last ones.
        self.segments.forget_from(self.end().next.segment);
        self.segments.insert(Arc::clone(&reading.file), reading.header.clone());
        Ok(reading)
    }

    fn state(&self, end: End, reading: Reading) -> State {
        let notes = notes(&*self.files, &end, &reading);
        State { end, notes }
    }
}

/// What a reading shows beside the durable log.
fn notes(files: &dyn Files, durable: &End, reading: &Reading) -> Vec<Note> {
    let mut notes = Vec::new();
    let path = segment_path(reading.listing.last);
    let mut note = |path: &str, offset, what: String| notes.push(Note { file: files.describe(path), offset, what });
    let end = reading.scan.end.next;
    if end.position > durable.next.position {
        let records = end.position - durable.next.position;
        note(
            &path,
            Some(durable.next.offset),
            format!("{records} whole records follow the durable head; the next writer keeps them"),
        );
    }
    if let Some((offset, tail)) = reading.scan.tail().filter(|_| !reading.scan.sealed) {
        let what = format!("a torn tail of {} bytes; the next writer moves it to quarantine/", tail.len());
        note(&path, Some(offset), what);
    }
    if reading.predecessor == Predecessor::Unsealed {
        note(&segment_path(reading.listing.last - 1), None, "the segment is not sealed yet; the next writer seals it".to_owned());
    }
    for name in &reading.listing.others {
        note(&format!("{LOG_DIRECTORY}/{name}"), None, "not part of the log".to_owned());
    }
    notes
}

impl fmt::Debug for LogView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogView({}, size {})", self.identity.origin, self.end().next.position)
    }
}
