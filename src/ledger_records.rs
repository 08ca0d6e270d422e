//! What a desk records about the ledger itself: which key signs, what bounds its time, which statements it gave out.

use crate::recorder::Recorder;
use crate::ticket::Appended;
use sovang_core::event::LedgerEvent;
use sovang_core::{Error, ErrorKind, Event, Result};

impl<E: Event> Recorder<E> {
    /// Records that from here on the key of the vkey `new` signs the log's checkpoints, after that of `old`, if there was one.
    /// Both are kept as given: that they are vkeys is for the caller to see to.
    ///
    /// # Errors
    /// `InvalidInput` or `TooLarge` for what is no text of 1 to [`crate::limits::LEDGER_TEXT_BYTES_MAX`] bytes; else as [`Self::record`].
    pub fn rotate_key(&self, old: Option<&str>, new: &str) -> Result<Appended> {
        self.record_of_ledger(&LedgerEvent::KeyRotated { old: old.map(str::to_owned), new: new.to_owned() })
    }
    /// Records what nobody could know before a moment, so that what comes later is known to be recorded after it: `what` is
    /// [`LedgerEvent::ANCHOR_CHECKPOINT`] with a cosigned checkpoint as its text, or [`LedgerEvent::ANCHOR_VALUE`] with a fresh
    /// public value; `source` says where it was taken from.
    ///
    /// # Errors
    /// As [`Self::rotate_key`], and for another `what`.
    pub fn anchor(&self, what: &str, text: &str, source: &str) -> Result<Appended> {
        let (what, text, source) = (what.to_owned(), text.to_owned(), source.to_owned());
        self.record_of_ledger(&LedgerEvent::TimeAnchored { what, text, source })
    }
    /// Records a signed statement that is given out: the digest of its result, and all of it.
    ///
    /// # Errors
    /// As [`Self::rotate_key`].
    pub fn record_statement(&self, digest: [u8; 32], text: &str) -> Result<Appended> {
        self.record_of_ledger(&LedgerEvent::StatementIssued { digest, text: text.to_owned() })
    }
    /// Records something about the ledger itself, on the day on which the writer records it.
    pub(crate) fn record_of_ledger(&self, event: &LedgerEvent) -> Result<Appended> {
        event.validate()?;
        let prepared = self.prepare_event(event, None, self.fresh_id()?, None, None)?;
        let mut done = self.append(vec![prepared], None)?;
        done.pop().ok_or_else(|| Error::new(ErrorKind::Closed, "the writer answered for no record"))
    }
}
