//! Destroying a subject's data: its key first, then its rows.

use super::format::{HEADER_BYTES, RowHeader, RowState, Slot, SlotState};
use super::rows::Span;
use super::{Vault, poison_on_failure};
use rustc_hash::FxHashSet;
use sovang_core::{Error, ErrorKind, Result};
use std::sync::PoisonError;

impl Vault {
    /// Erases the subject of a handle, once the log names it durably. Repeatable.
    ///
    /// # Errors
    /// `NotFound` when no subject has this handle. After a failure the key may still be there: the next writer completes it.
    pub fn erase(&self, handle: &[u8; 16]) -> Result<()> {
        if !self.complete(&mut std::iter::once(*handle))? && !self.keys.has_handle(handle)? {
            return Err(Error::new(ErrorKind::NotFound, "no subject of the vault has this handle"));
        }
        Ok(())
    }
    /// Completes the erasures that the log names: what an interruption or a restored backup left. Says whether there was
    /// anything to do. Handles that this vault never knew are passed over.
    ///
    /// # Errors
    /// `Damaged` when a slot is; I/O, and the vault is poisoned then.
    pub fn complete(&self, handles: &mut dyn Iterator<Item = [u8; 16]>) -> Result<bool> {
        let handles: FxHashSet<[u8; 16]> = handles.collect();
        if handles.is_empty() {
            return Ok(false);
        }
        let mut writer = self.recovered()?;
        let slots = self.keys.uncleared(&handles)?;
        if slots.is_empty() {
            return Ok(false);
        }
        if writer.mark.slots < self.keys.count() {
            // The slot must outlast its rows: the keyed hash in it refuses the subject from now on.
            let checked = writer.mark.checked;
            self.write_mark(&mut writer, checked)?;
        }
        let done = self.forget(&slots, writer.end);
        poison_on_failure(&mut writer, done)?;
        Ok(true)
    }
    fn forget(&self, slots: &[(u32, Slot)], end: u64) -> Result<()> {
        // A tombstone does not say whose it is, and after a failed sync the page cache alone may have it: where a deletion was
        // begun before, all of them are written again.
        let is_begun = slots.iter().any(|(_, slot)| slot.state == SlotState::Erased);
        self.keys.forget(slots, SlotState::Erased)?;
        let numbers: FxHashSet<u32> = slots.iter().map(|(number, _)| *number).collect();
        let (mut rows, mut tombstones) = (Vec::new(), Vec::new());
        self.rows.scan(HEADER_BYTES, end, false, &mut |span| {
            if let Span::Row { offset, header, .. } = span {
                match header.state {
                    RowState::Value if numbers.contains(&header.slot) => rows.push((offset, header)),
                    RowState::Erased if is_begun => tombstones.push((offset, header)),
                    _ => {}
                }
            }
            Ok(())
        })?;
        self.rows.write_headers(&tombstones)?;
        self.rows.delete(&rows, RowHeader::erased)?;
        self.keys.forget(slots, SlotState::Cleared)
    }
    /// Lets values under these handles read as erased from now on: for a read-only copy whose log names an erasure that its
    /// vault has not completed.
    pub fn hide(&self, handles: impl IntoIterator<Item = [u8; 16]>) {
        self.hidden.write().unwrap_or_else(PoisonError::into_inner).extend(handles);
    }
}
