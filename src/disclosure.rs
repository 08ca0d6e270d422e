//! Showing one personal value to one reader: an act of its own, recorded before the value is given out.

use crate::recorder::Recorder;
use sovang_core::disclosure::{self, Disclosure};
use sovang_core::event::LedgerEvent;
use sovang_core::ids::Commitment;
use sovang_core::personal::Opened;
use sovang_core::record::Frame;
use sovang_core::{Error, ErrorKind, Event, Position, Result};

impl<E: Event> Recorder<E> {
    /// Gives out the value of personal field `field` of the record at `position`, with its salt, for one reader to hold against
    /// the record's receipt: records first (without value or person) to whom and what for, then opens the value.
    ///
    /// Reader and purpose are public for ever, so they are refused when they hold a value that the vault knows: name an office,
    /// a role, a case. What was given out cannot be taken back by an erasure.
    ///
    /// ```
    /// use sovang::recognition::{self, Field, Recognition, SubjectKind};
    /// use sovang::{Event, Options, Personal, Position, date};
    /// # fn main() -> sovang::Result<()> {
    /// let ledger = Options::new().in_memory::<Recognition>("example.org/golden-book")?;
    /// let model = recognition::model_registered("M-1", "Vườn rau", SubjectKind::Individual, "u", Field::Economy, 2024);
    /// let model = model.subject(Personal::of("P-17", "Nguyễn Văn A"));
    /// ledger.by("clerk:lan").record(model.on(date(2024, 2, 1)))?;
    ///
    /// let disclosed = ledger.by("dpo").disclose(Position(0), 1, "district court", "case 12/2026")?;
    /// assert_eq!(disclosed.text().as_deref(), Some("Nguyễn Văn A"));
    /// disclosed.verify(Position(0), ledger.get(Position(0))?.frame())?; // as the reader does, with a receipt's frame
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound` when there is no such record, or its value is erased or not in this copy's vault; `InvalidInput` when the record has
    /// no personal field of that number, or reader or purpose is blank or names somebody: nothing is recorded then. Else as
    /// [`Self::record`]; and `NotFound` when the person was erased while it was recorded.
    pub fn disclose(&self, position: Position, field: u16, reader: &str, purpose: &str) -> Result<Disclosure> {
        let size = self.ledger().refresh()?.size;
        if !size.contains(position) {
            return Err(Error::new(ErrorKind::NotFound, format!("there is no record: the ledger's size is {size}")).at(position));
        }
        let frame = self.ledger().view().frame(position)?;
        let commitment = commitment_of(&frame, field).map_err(|e| e.at(position))?;
        self.opened(&commitment, position)?;
        let event =
            LedgerEvent::ValueDisclosed { record: frame.id(), field, reader: reader.to_owned(), purpose: purpose.to_owned() };
        event.validate()?;
        self.names_nobody("reader", reader, None)?;
        self.names_nobody("purpose", purpose, None)?;
        let logged = self.record_of_ledger(&event)?;
        // Opened anew: an erasure may have come before the record did.
        let (salt, value) = self.opened(&commitment, position)?;
        disclosure::verify(&frame, field, &salt, &value).map_err(|e| Error::from(e).at(position))?;
        Ok(Disclosure {
            origin: self.ledger().origin().to_owned(),
            position,
            record: frame.id(),
            field,
            commitment,
            salt,
            value,
            reader: reader.to_owned(),
            purpose: purpose.to_owned(),
            logged_at: logged.position,
        })
    }
    fn opened(&self, commitment: &Commitment, position: Position) -> Result<([u8; 32], Vec<u8>)> {
        let why = match self.ledger().view().open_value(commitment).map_err(|e| e.at(position))? {
            Opened::Known { salt, value, .. } => return Ok((salt, value)),
            Opened::Erased => "the value was erased",
            Opened::Sealed => "this copy's vault does not have the value",
        };
        Err(Error::new(ErrorKind::NotFound, why).at(position))
    }
}

fn commitment_of(frame: &Frame, field: u16) -> Result<Commitment> {
    let commitments = frame.commitments();
    if let Some((_, commitment)) = commitments.iter().find(|(number, _)| *number == field) {
        return Ok(*commitment);
    }
    let there: Vec<String> = commitments.iter().map(|(number, _)| number.to_string()).collect();
    let what = match there.as_slice() {
        [] => "the record has no personal field".to_owned(),
        numbers => format!("the record has no personal field {field}: its personal fields are {}", numbers.join(", ")),
    };
    Err(Error::new(ErrorKind::InvalidInput, what))
}
