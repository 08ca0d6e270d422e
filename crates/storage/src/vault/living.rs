//! Every value that can still be read: what a text is held against before it goes into a record for ever.

use super::Vault;
use super::format::{HEADER_BYTES, RowState, Slot, SlotState};
use super::rows::Span;
use sovang_core::{Result, SubjectId};

/// What is made of one value: its field's number in its record, whose it is, and the value as it was encoded.
pub type EachValue<'a> = &'a mut dyn FnMut(u16, &SubjectId, &[u8]);

impl Vault {
    /// Meets every value of a living subject, in the order in which they were put. What is damaged, or being erased, is passed
    /// over: [`Self::check`] names damage.
    ///
    /// # Errors
    /// I/O.
    pub fn each_value(&self, each: EachValue<'_>) -> Result<()> {
        // Rows of one subject often follow each other.
        let mut last: Option<(u32, Slot)> = None;
        self.rows.scan(HEADER_BYTES, self.rows.end()?, false, &mut |span| {
            let Span::Row { offset, header, .. } = span else { return Ok(()) };
            if header.state != RowState::Value {
                return Ok(());
            }
            let (Some(header), Some(body)) = self.rows.read(offset)? else { return Ok(()) };
            let slot = match last.take() {
                Some((number, slot)) if number == header.slot => slot,
                _ => match self.keys.slot(header.slot) {
                    Ok(slot) => slot,
                    Err(e) if e.kind() == sovang_core::ErrorKind::Damaged => return Ok(()),
                    Err(e) => return Err(e),
                },
            };
            if slot.state == SlotState::Living
                && !self.is_hidden(&slot)
                && let Ok(plain) = self.unseal(&header, &body, &slot.key)
            {
                each(header.field, &plain.subject, plain.value());
            }
            last = Some((header.slot, slot));
            Ok(())
        })
    }
}
