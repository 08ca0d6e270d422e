//! Every value that can still be read: what a text is held against before it goes into a record for ever.

use super::Vault;
use super::format::SlotState;
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
        let mut slots = self.keys.nearby();
        self.rows.each_value(&mut |header, body| {
            if let Some(slot) = slots.slot(header.slot)?
                && slot.state == SlotState::Living
                && !self.is_hidden(&slot)
                && let Ok(plain) = self.unseal(header, body, &slot.key)
            {
                each(header.field, &plain.subject, plain.value());
            }
            Ok(())
        })
    }
}
