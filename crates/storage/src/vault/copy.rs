//! Copying personal values into the vault of another copy of the ledger, row by row: only what records need, each value opened and
//! held against its commitment first. The copy has the same secret, so that it knows the same subjects, and who of them was erased.

use super::format::{KEYS_MAGIC, ROW_HEADER_BYTES, RowHeader, RowState, Slot, SlotState};
use super::rows::open_identified;
use super::{Vault, Writer, keys, poison_on_failure};
use crate::files::Files;
use rustc_hash::{FxHashMap, FxHashSet};
use sovang_core::ids::Commitment;
use sovang_core::personal::Opened;
use sovang_core::{Error, ErrorKind, LedgerId, Position, RecordId, Result, SubjectId};

/// So many bytes of rows are written and synced at once.
const WRITE_BYTES: usize = 1 << 20;

/// A personal value that a record has, and its copy needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where the record stands.
    pub position: Position,
    /// Its id.
    pub record: RecordId,
    /// The field's number in it.
    pub field: u16,
    /// What the log has of the value.
    pub commitment: Commitment,
}

/// What became of the values that were wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopiedRows {
    /// Values copied.
    pub known: u64,
    /// Values that are erased, in the copy too.
    pub erased: u64,
    /// Values of which only the commitment was ever known.
    pub sealed: u64,
    /// Where a value is missing or damaged: sealed in the copy.
    pub lost: Vec<Position>,
    /// Bytes added to the vault.
    pub bytes: u64,
}

/// What a vault has for a commitment, as it can be copied.
enum Row {
    /// Header and ciphertext, with the subject and its slot.
    Value(Box<(RowHeader, Vec<u8>, SubjectId, Slot)>),
    Erased,
    Sealed,
}

impl Vault {
    /// Creates a vault for a copy of a ledger: without rows, and with the secret of the vault in `from`.
    ///
    /// # Errors
    /// `Damaged` when that vault has no header that can be read; I/O.
    pub fn create_copy(files: &dyn Files, from: &dyn Files, ledger_id: LedgerId) -> Result<()> {
        let (_, secret) = open_identified(from, keys::PATH, KEYS_MAGIC, ledger_id, false)?;
        Self::create(files, ledger_id, &|bytes| {
            bytes.copy_from_slice(&secret);
            Ok(())
        })
    }

    /// Takes over who was erased: the slots of `from`, a vault with the same secret, that are erased or whose handles are given,
    /// without a key. Gives how many slots of it are damaged: who they were is lost.
    ///
    /// # Errors
    /// I/O. `Damaged` when a slot of this vault is.
    pub fn copy_erased(&self, from: &Self, erased: &FxHashSet<[u8; 16]>) -> Result<u64> {
        let mut writer = self.recovered()?;
        let (mut gone, mut damaged) = (Vec::new(), 0);
        from.keys.each(&mut |_, slot| match slot {
            None => damaged += 1,
            Some(slot) if slot.state != SlotState::Living || erased.contains(&slot.handle) => {
                gone.push(Slot { state: SlotState::Cleared, key: [0; 32].into(), ..slot });
            }
            Some(_) => {}
        })?;
        let mut new = Vec::new();
        for slot in gone {
            if self.keys.find_hash(slot.subject)?.is_none() {
                new.push(slot);
            }
        }
        if !new.is_empty() {
            self.append_slots(&mut writer, &new)?;
            // The mark alone makes slots count that no row names.
            let checked = writer.mark.checked;
            self.write_mark(&mut writer, checked)?;
        }
        Ok(damaged)
    }

    /// Adds the rows of records, from the first of several vaults that has each; durable on return. Values of subjects with these handles, and
    /// of those that were erased here, become tombstones. What none of them has is sealed.
    ///
    /// # Errors
    /// I/O. `Damaged` when a slot of this vault is; it is no error that a row of another is.
    pub fn copy_rows(&self, from: &[&Self], wanted: &[Wanted], erased: &FxHashSet<[u8; 16]>) -> Result<CopiedRows> {
        let mut writer = self.recovered()?;
        let mut copied = CopiedRows::default();
        let mut batch = Batch::default();
        for want in wanted {
            let row = first_row(from, &want.commitment)?;
            let row = match row {
                Some(Row::Value(value)) => {
                    let (header, body, subject, slot) = *value;
                    let here = self.keys.find(&subject)?;
                    let living = here.as_ref().is_none_or(|(_, slot)| slot.state == SlotState::Living);
                    if living && !erased.contains(&slot.handle) {
                        copied.known += 1;
                        let number = match here {
                            Some((number, _)) => number,
                            None => batch.number_of(slot, self.keys.count())?,
                        };
                        (RowHeader { slot: number, ..header }, body)
                    } else {
                        copied.erased += 1;
                        (erased_row(want), Vec::new())
                    }
                }
                Some(Row::Erased) => {
                    copied.erased += 1;
                    (erased_row(want), Vec::new())
                }
                Some(Row::Sealed) => {
                    copied.sealed += 1;
                    (sealed_row(want), Vec::new())
                }
                None => {
                    copied.lost.push(want.position);
                    (sealed_row(want), Vec::new())
                }
            };
            batch.bytes += row.0.extent();
            batch.rows.push(row);
            if batch.bytes >= WRITE_BYTES {
                copied.bytes += self.write_batch(&mut writer, std::mem::take(&mut batch))?;
            }
        }
        copied.bytes += self.write_batch(&mut writer, batch)?;
        Ok(copied)
    }

    fn write_batch(&self, writer: &mut Writer, batch: Batch) -> Result<u64> {
        if batch.rows.is_empty() {
            return Ok(0);
        }
        self.append_slots(writer, &batch.slots)?;
        let start = writer.end;
        let mut bytes = Vec::with_capacity(batch.bytes);
        for (header, mut body) in batch.rows {
            let offset = start + bytes.len() as u64;
            body.resize(header.extent() - ROW_HEADER_BYTES, 0);
            let body_sum = if header.state == RowState::Erased { 0 } else { self.rows.body_sum(offset, &body) };
            let header = RowHeader { proven: start, slots: self.keys.count(), body_sum, ..header };
            bytes.extend_from_slice(&header.encode(self.ledger_id, offset));
            bytes.extend_from_slice(&body);
        }
        let end = start + bytes.len() as u64;
        if end > writer.allocated {
            writer.allocated = self.rows.allocate(end, true)?;
        }
        let done = self.rows.append(&bytes, start);
        poison_on_failure(writer, done)?;
        writer.end = end;
        self.rows.set_end(end);
        Ok(end - start)
    }
    fn append_slots(&self, writer: &mut Writer, slots: &[Slot]) -> Result<()> {
        if slots.is_empty() {
            return Ok(());
        }
        self.keys.reserve(u32::try_from(slots.len()).unwrap_or(u32::MAX), true)?;
        let done = self.keys.append(slots);
        poison_on_failure(writer, done)
    }

    /// What this vault has for a commitment; none when it has nothing that can be read.
    fn row(&self, commitment: &Commitment) -> Result<Option<Row>> {
        match sound(self.value(commitment))? {
            None => return Ok(None),
            Some(Opened::Erased) => return Ok(Some(Row::Erased)),
            Some(Opened::Sealed) => return Ok(Some(Row::Sealed)),
            Some(Opened::Known { .. }) => {}
        }
        for offset in self.rows.candidates(commitment) {
            let Some(Some(Opened::Known { subject, .. })) = sound(self.open_row(offset, commitment))? else {
                continue;
            };
            let (header, body) = self.rows.read(offset)?;
            if let (Some(header), Some(body)) = (header, body)
                && let Some(slot) = sound(self.keys.slot(header.slot))?
                && header.state == RowState::Value
                && slot.state == SlotState::Living
            {
                return Ok(Some(Row::Value(Box::new((header, body, subject, slot)))));
            }
        }
        // It was erased while we looked.
        Ok(Some(Row::Erased))
    }
}

/// Whether two ledgers' vaults have one secret; a vault that cannot be read has none.
pub(crate) fn same_secret(one: &dyn Files, other: &dyn Files, ledger_id: LedgerId) -> bool {
    let secret = |files| open_identified(files, keys::PATH, KEYS_MAGIC, ledger_id, false).map(|(_, secret)| secret);
    matches!((secret(one), secret(other)), (Ok(one), Ok(other)) if one == other)
}

/// The best that the first vaults have: a value, else that it was erased, else that it is sealed.
fn first_row(from: &[&Vault], commitment: &Commitment) -> Result<Option<Row>> {
    let mut best = None;
    for vault in from {
        match vault.row(commitment)? {
            Some(value @ Row::Value(..)) => return Ok(Some(value)),
            Some(Row::Erased) => best = Some(Row::Erased),
            Some(Row::Sealed) => best = best.or(Some(Row::Sealed)),
            None => {}
        }
    }
    Ok(best)
}

/// What of a vault is damaged or cannot be read is what is to be found out, and no failure.
fn sound<T>(found: Result<T>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(e) if matches!(e.kind(), ErrorKind::Damaged | ErrorKind::Io) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Rows that are to be written as one, with the slots that are new with them.
#[derive(Default)]
struct Batch {
    slots: Vec<Slot>,
    numbers: FxHashMap<[u8; 32], u32>,
    rows: Vec<(RowHeader, Vec<u8>)>,
    bytes: usize,
}

impl Batch {
    /// The number that a subject's slot gets, behind the `count` that are there.
    fn number_of(&mut self, slot: Slot, count: u32) -> Result<u32> {
        if let Some(number) = self.numbers.get(&slot.subject) {
            return Ok(*number);
        }
        let number = u32::try_from(self.slots.len()).ok().and_then(|n| count.checked_add(n));
        let number = number.ok_or_else(|| Error::new(ErrorKind::TooLarge, "the vault is full: it holds 2^32 subjects"))?;
        self.numbers.insert(slot.subject, number);
        self.slots.push(slot);
        Ok(number)
    }
}

fn sealed_row(want: &Wanted) -> RowHeader {
    RowHeader {
        state: RowState::Sealed,
        body_len: 0,
        slot: 0,
        field: want.field,
        record: want.record,
        commitment: want.commitment,
        nonce: [0; 24],
        proven: 0,
        slots: 0,
        body_sum: 0,
    }
}
fn erased_row(want: &Wanted) -> RowHeader {
    sealed_row(want).erased()
}
