//! Writing `HEAD`: in turn over the two slots that were not synced last (docs/FORMAT.md §4), so that a torn write never
//! harms the slot that is known to be on the disk.

use super::End;
use super::head::{SLOT_BYTES, SLOTS, encode_slot};
use crate::files::File;
use sovang_core::LedgerId;
use std::io;
use std::sync::Arc;

const _: () = assert!(SLOTS == 3);

pub(super) struct HeadWriter {
    file: Arc<dyn File>,
    ledger: LedgerId,
    /// The slot that was last synced.
    protected: usize,
    /// The slot written last.
    written: usize,
    /// The slot to write next: never the protected one.
    next: usize,
    dirty: bool,
    /// Whether only one slot says where the log ends.
    alone: bool,
}

impl HeadWriter {
    /// `protected` holds what is on the disk.
    pub(super) fn new(file: Arc<dyn File>, ledger: LedgerId, protected: usize) -> Self {
        Self { file, ledger, protected, written: protected, next: (protected + 1) % SLOTS, dirty: false, alone: false }
    }
    /// The next slot to write is this one: `HEAD` says the same there already, and so stays as it is.
    pub(super) fn write_next(&mut self, slot: usize) {
        if slot != self.protected {
            self.next = slot;
        }
    }
    /// Two slots that are on the disk say where the log ends.
    pub(super) fn is_settled(&mut self) {
        self.alone = self.dirty;
    }
    /// Writes the protected slot's own bytes again and syncs them: a page cache may show what the disk never got.
    pub(super) fn rewrite_protected(&self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(bytes, (self.protected * SLOT_BYTES) as u64)?;
        self.file.sync_data()
    }
    /// Writes a slot, without a sync.
    pub(super) fn write(&mut self, end: &End) -> io::Result<()> {
        self.file.write_at(&encode_slot(self.ledger, end), (self.next * SLOT_BYTES) as u64)?;
        self.written = self.next;
        // The third one: their numbers add up to 3.
        self.next = 3 - self.protected - self.written;
        self.dirty = true;
        self.alone = true;
        Ok(())
    }
    /// Makes the head durable in two slots, so that damage to one of them hides nothing: when there is time for it.
    pub(super) fn settle(&mut self, end: &End) -> io::Result<()> {
        if self.alone {
            self.sync()?;
            self.write(end)?;
            self.sync()?;
            self.alone = false;
        }
        Ok(())
    }
    /// Makes the slot written last durable, and the protected one.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if self.dirty {
            self.file.sync_data()?;
            self.protected = self.written;
            self.dirty = false;
        }
        Ok(())
    }
}
