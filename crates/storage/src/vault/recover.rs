//! What a writer does when it opens a vault, and the mark that keeps the next opening short.

use super::format::{Mark, RowHeader, RowState};
use super::rows::Span;
use super::{Exists, Vault, VaultRecovered, Writer, damaged, poison_on_failure};
use sovang_core::Result;

/// What of the rows after the mark stays.
struct Tail {
    /// Where the next row goes.
    end: u64,
    slots: u32,
    orphans: Vec<(u64, RowHeader)>,
    torn_bytes: u64,
}

impl Vault {
    /// Looks at the rows since the last mark: cuts a torn tail and removes rows whose record the log does not have. `exists`
    /// is asked of the log as it was recovered. Writes once more what it keeps: what shows may be lost by a failed sync. Repeatable.
    ///
    /// # Errors
    /// `Damaged` when a file is shorter than was proven durable. Damaged rows further up stay as they are: they read as
    /// damaged, and [`Self::check`] names them.
    pub fn recover(&self, exists: Exists<'_>) -> Result<VaultRecovered> {
        let mut writer = self.writer()?;
        // It was opened before the lock was taken.
        let mark = self.checked_mark()?;
        writer.mark = mark;
        let len = self.rows.len()?;
        let tail = self.tail(&mark, len, exists)?;
        self.keys.recover(tail.slots)?;
        if tail.end < len {
            self.rows.set_len(tail.end)?;
        }
        self.rows.delete(&tail.orphans, RowHeader::void)?;
        writer.end = tail.end;
        self.rows.set_end(tail.end);
        writer.allocated = tail.end;
        // What shows may be in the page cache only, after a sync that failed: what is relied on from here on is written again.
        if tail.end > mark.checked || tail.slots > mark.slots {
            self.rows.rewrite(mark.checked, tail.end)?;
            self.write_mark(&mut writer, tail.end)?;
        } else if mark.sequence > 0 {
            self.rows.write_mark(&mark)?;
        }
        writer.recovered = true;
        let orphans = tail.orphans.len() as u64;
        Ok(VaultRecovered { orphans, torn_bytes: tail.torn_bytes })
    }

    /// Whether both files are as long as the newest mark says: to be asked before anything is changed, also without the lock.
    ///
    /// # Errors
    /// `Damaged` when one is shorter; I/O.
    pub fn check_lengths(&self) -> Result<()> {
        self.checked_mark().map(drop)
    }
    fn checked_mark(&self) -> Result<Mark> {
        let mark = self.rows.mark()?;
        let len = self.rows.len()?;
        if len < mark.durable {
            return Err(damaged("the vault's rows are cut short", self.rows.path()).at_offset(len));
        }
        self.keys.check_length(mark.slots)?;
        Ok(mark)
    }

    /// Decides what of the rows after the mark stays.
    fn tail(&self, mark: &Mark, len: u64, exists: Exists<'_>) -> Result<Tail> {
        // Before this offset everything was durable: by the mark, by a later row's word, or because the log relies on it.
        let mut durable = mark.durable;
        let mut bad: Vec<u64> = Vec::new();
        let mut unwanted: Vec<(u64, RowHeader)> = Vec::new();
        let mut slots = mark.slots;
        let mut end = mark.checked;
        self.rows.scan(mark.checked, len, true, &mut |span| {
            match span {
                Span::Gap { from, .. } => bad.push(from),
                Span::Row { offset, header, sound, .. } => {
                    durable = durable.max(header.proven);
                    slots = slots.max(header.slots);
                    end = offset + header.extent() as u64;
                    let mut wanted = true;
                    if matches!(header.state, RowState::Value | RowState::Sealed) {
                        wanted = exists(header.record, &header.commitment)?;
                        if wanted {
                            durable = durable.max(end);
                        } else {
                            unwanted.push((offset, header));
                        }
                    }
                    // A ciphertext that was being erased is no torn tail, and neither is one that the log relies on.
                    if !sound && !wanted {
                        bad.push(offset);
                    }
                }
            }
            Ok(())
        })?;
        let cut = bad.into_iter().filter(|from| *from >= durable).min();
        let torn_bytes = match cut {
            Some(cut) => self.rows.written_bytes(cut, len)?,
            None => 0,
        };
        let end = cut.unwrap_or(end).max(mark.durable);
        unwanted.retain(|(offset, _)| *offset < end);
        Ok(Tail { end, slots, orphans: unwanted, torn_bytes })
    }

    /// Remembers that all rows so far were checked and are durable, so that the next opening need not look at them: once
    /// the log has all records whose rows were put, so when idle, and before closing.
    ///
    /// # Errors
    /// I/O; the vault is poisoned then.
    pub fn mark(&self) -> Result<()> {
        let mut writer = self.recovered()?;
        if writer.mark.checked == writer.end && writer.mark.slots == self.keys.count() {
            return Ok(());
        }
        let end = writer.end;
        self.write_mark(&mut writer, end)
    }
    /// How many bytes of rows the next opening would look at.
    #[must_use]
    pub fn unmarked_bytes(&self) -> u64 {
        self.recovered().map_or(0, |writer| writer.end - writer.mark.checked)
    }
    pub(super) fn write_mark(&self, writer: &mut Writer, checked: u64) -> Result<()> {
        let mark = Mark { sequence: writer.mark.sequence + 1, checked, durable: writer.end, slots: self.keys.count() };
        let done = self.rows.write_mark(&mark);
        poison_on_failure(writer, done)?;
        writer.mark = mark;
        Ok(())
    }
    /// Marks, gives reserved space back and syncs. The vault may go on being used.
    ///
    /// # Errors
    /// I/O.
    pub fn close(&self) -> Result<()> {
        self.mark()?;
        let mut writer = self.recovered()?;
        if writer.allocated > writer.end {
            let end = writer.end;
            let done = self.rows.set_len(end);
            poison_on_failure(&mut writer, done)?;
            writer.allocated = end;
        }
        let done = self.keys.trim();
        poison_on_failure(&mut writer, done)
    }
}
