//! Erasing a person: the record that says so first, then the key, then the values. And what keeps a person out of the texts
//! that stand in such records for ever.

use crate::recorder::Recorder;
use crate::ticket::Appended;
use sovang_core::event::LedgerEvent;
use sovang_core::{Error, ErrorKind, Event, Result, SubjectId, likeness};

impl<E: Event> Recorder<E> {
    /// Destroys a person's data and records, under a handle that nobody can link to the person, that it was done and on
    /// which legal basis. No total, hash or proof changes. A person who was erased before is answered with the record that says so
    /// ([`Appended::repeated`]), and nothing is done.
    ///
    /// The basis is public for ever. It is refused when it holds the subject's id or a value that the vault knows, of this
    /// person or another: see [`sovang_core::likeness`] for how they are compared. Give the law and the request's number.
    ///
    /// A copy-on-write file system or an SSD may keep old blocks of the vault, and copies elsewhere cannot be recalled. A copy of the
    /// vault from before is erased again as soon as it stands beside this log.
    ///
    /// ```
    /// use sovang::recognition::{self, Field, Recognition, SubjectKind};
    /// use sovang::{Event, Options, Personal, date};
    /// # fn main() -> sovang::Result<()> {
    /// let ledger = Options::new().in_memory::<Recognition>("example.org/golden-book")?;
    /// let model = recognition::model_registered("M-1", "Vườn rau", SubjectKind::Individual, "u", Field::Economy, 2024);
    /// let model = model.subject(Personal::of("P-17", "Nguyễn Văn A"));
    /// ledger.by("clerk:lan").record(model.on(date(2024, 2, 1)))?;
    ///
    /// let dpo = ledger.by("dpo");
    /// assert!(dpo.erase("P-17", "request of Nguyễn Văn A").is_err()); // the basis would name the person for ever
    /// let done = dpo.erase("P-17", "91/2025/QH15 art. 14, request 12/2026")?;
    /// assert_eq!((done.position.0, done.repeated), (1, false));
    /// assert!(dpo.erase("P-17", "again")?.repeated);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound` when the vault knows no such subject, `InvalidInput` for a basis that is blank or names somebody; else as
    /// [`Self::record`]. After `Poisoned` the erasure may be recorded: reopening the ledger completes it then.
    pub fn erase(&self, subject: &str, basis: &str) -> Result<Appended> {
        let subject = SubjectId::new(subject)?;
        LedgerEvent::SubjectErased { handle: [0; 16], basis: basis.to_owned() }.validate()?;
        let done = self.ledger().store().erase(&subject, |handle| {
            // Of who is erased already nothing is left that the text could hold, and it is not recorded.
            if !self.ledger().view().is_erased(&subject)? {
                self.names_nobody("basis", basis, Some(&subject))?;
            }
            let event = LedgerEvent::SubjectErased { handle, basis: basis.to_owned() };
            self.prepare_event(&event, None, self.fresh_id()?, None, None)
        })?;
        crate::ticket::appended(&done).pop().ok_or_else(|| Error::new(ErrorKind::NotFound, "nothing was erased"))
    }

    /// That a text which is to be recorded for ever holds neither the subject's id nor any personal value that can be read.
    pub(crate) fn names_nobody(&self, field: &str, text: &str, subject: Option<&SubjectId>) -> Result<()> {
        let folded = likeness::folded(text);
        if let Some(word) = subject.and_then(|subject| likeness::word_of(&folded, &likeness::folded(subject.as_str()))) {
            return Err(names_somebody(field, word, "the subject's id"));
        }
        let mut found = None;
        self.ledger().view().each_value(&mut |_, _, value| {
            if found.is_none() {
                found = likeness::texts_of(value).iter().find_map(|text| likeness::word_of(&folded, &likeness::folded(text)));
            }
        })?;
        match found {
            Some(word) => Err(names_somebody(field, word, "a personal value of the vault")),
            None => Ok(()),
        }
    }
}

/// The message does not repeat what it is about.
fn names_somebody(field: &str, word: usize, what: &str) -> Error {
    let what = format!("the {field} would name a person for ever: from its word {word} on it holds {what}");
    Error::new(ErrorKind::InvalidInput, what).advise("name the law, an office, the number of a request; never a person")
}
