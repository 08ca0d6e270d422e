//! `vault/keys`: a slot for each subject, with its key until it is erased.

use super::damaged;
use super::format::{HEADER_BYTES, KEYS_MAGIC, SECTOR_BYTES, SLOT_BYTES, Slot, SlotState, encode_identity, slot_offset};
use super::prefixes::Prefixes;
use super::rows::{header_misplaced, open_identified};
use crate::files::{File, Files, Open};
use crate::sync::{Mutex, MutexGuard};
use rustc_hash::FxHashSet;
use sovang_core::{Error, LedgerId, Result, SubjectId, hash, likeness};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use zeroize::Zeroizing;

pub(super) const PATH: &str = "vault/keys";
/// Slots that a scan reads at once.
const SCAN_SLOTS: u32 = 4096;
/// Slots of one page, read together where rows are looked at in order.
const NEARBY_SLOTS: u32 = 32;
/// Space is reserved by this many slots.
const STEP_SLOTS: u32 = 512;

pub(super) struct Keys {
    file: Arc<dyn File>,
    path: PathBuf,
    ledger_id: LedgerId,
    /// Derived from the vault's secret: the key under which subjects' ids are hashed.
    subject_key: Zeroizing<[u8; 32]>,
    known: Mutex<Known>,
}

/// What is in memory of the slots.
#[derive(Default)]
struct Known {
    subjects: Prefixes,
    /// So many slots are in `subjects`.
    scanned: u32,
    /// So many slots are durable.
    count: u32,
    /// Bytes reserved.
    allocated: u64,
}

/// Writes the file of a vault without subjects.
pub(super) fn create(files: &dyn Files, ledger_id: LedgerId, secret: [u8; 32]) -> Result<()> {
    let path = files.describe(PATH);
    let io = |e, doing: &str| Error::io(e, doing, &path);
    let file = files.open(PATH, Open::Create).map_err(|e| io(e, "create the vault's keys"))?;
    let mut header = vec![0; HEADER_BYTES.try_into().unwrap_or(SECTOR_BYTES)];
    header[..SECTOR_BYTES].copy_from_slice(&encode_identity(KEYS_MAGIC, ledger_id, secret));
    file.write_at(&header, 0).map_err(|e| io(e, "write the vault's keys"))?;
    file.sync_all().map_err(|e| io(e, "sync the vault's keys"))
}

impl Keys {
    pub(super) fn open(files: &dyn Files, ledger_id: LedgerId, writable: bool) -> Result<Self> {
        let path = files.describe(PATH);
        let (file, secret) = open_identified(files, PATH, KEYS_MAGIC, ledger_id, writable)?;
        let subject_key = Zeroizing::new(blake3::derive_key(hash::context::ERASED_SUBJECT, &secret));
        Ok(Self { file, path, ledger_id, subject_key, known: Mutex::default() })
    }
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
    fn io(&self, error: std::io::Error, doing: &str) -> Error {
        Error::io(error, doing, &self.path)
    }
    fn damaged(&self, number: u32) -> Error {
        damaged(format!("the key slot of subject {number} is damaged"), &self.path).at_offset(slot_offset(number))
    }
    /// Whether so many slots are there, sound or not.
    pub(super) fn check_length(&self, count: u32) -> Result<u64> {
        let len = self.file.len().map_err(|e| self.io(e, "measure the vault's keys"))?;
        if len < slot_offset(count) {
            return Err(damaged("the vault's keys are cut short", &self.path).at_offset(len));
        }
        Ok(len)
    }
    /// Takes `count` slots as durable and removes what an interrupted append left behind them.
    pub(super) fn recover(&self, count: u32) -> Result<()> {
        let end = slot_offset(count);
        if self.check_length(count)? > end {
            self.file.set_len(end).map_err(|e| self.io(e, "trim the vault's keys"))?;
            self.file.sync_all().map_err(|e| self.io(e, "sync the vault's keys"))?;
        }
        let mut known = self.known();
        known.count = count;
        known.allocated = end;
        Ok(())
    }
    /// How many slots are durable; of a writer's vault.
    pub(super) fn count(&self) -> u32 {
        self.known().count
    }
    /// The keyed hash under which a subject is looked up: its id is nowhere in the clear. Ids compare in NFC, so that nobody
    /// who was erased comes back in another spelling of the same letters.
    pub(super) fn subject_hash(&self, subject: &SubjectId) -> [u8; 32] {
        *blake3::keyed_hash(&self.subject_key, likeness::nfc(subject.as_str()).as_bytes()).as_bytes()
    }
    /// Slot `number`.
    ///
    /// # Errors
    /// `Damaged` when it is not sound.
    pub(super) fn slot(&self, number: u32) -> Result<Slot> {
        let mut b = Zeroizing::new([0; SLOT_BYTES]);
        // Beside a live writer a slot may be met half written: it is looked at again.
        for _ in 0..2 {
            let read = self.file.read_at(&mut *b, slot_offset(number)).map_err(|e| self.io(e, "read the vault's keys"))?;
            if let Some(slot) = Slot::decode(&b[..read], self.ledger_id, number) {
                return Ok(slot);
            }
        }
        Err(self.damaged(number))
    }
    /// Reads slots one after another; neighbours share a read.
    pub(super) fn nearby(&self) -> Nearby<'_> {
        Nearby { keys: self, first: 0, bytes: Zeroizing::new(Vec::new()) }
    }
    /// Reads slots `from..count` in order. A miss must be trusted, so a damaged slot is an error.
    fn scan(&self, from: u32, count: u32, each: &mut dyn FnMut(u32, &Slot)) -> Result<()> {
        let mut buffer = Zeroizing::new(vec![0; SLOT_BYTES * SCAN_SLOTS.min(count.saturating_sub(from)) as usize]);
        let mut number = from;
        while number < count {
            let slots = SCAN_SLOTS.min(count - number) as usize;
            let chunk = &mut buffer[..slots * SLOT_BYTES];
            let read = self.file.read_at(chunk, slot_offset(number)).map_err(|e| self.io(e, "read the vault's keys"))?;
            for index in 0..slots {
                let bytes = buffer[..read].get(index * SLOT_BYTES..(index + 1) * SLOT_BYTES).unwrap_or_default();
                let slot = Slot::decode(bytes, self.ledger_id, number).map_or_else(|| self.slot(number), Ok)?;
                each(number, &slot);
                number += 1;
            }
        }
        Ok(())
    }
    /// The damaged slots among the first `count`.
    pub(super) fn check(&self, count: u32) -> Result<Vec<Error>> {
        let mut findings = Vec::new();
        let len = self.file.len().map_err(|e| self.io(e, "measure the vault's keys"))?;
        if len < slot_offset(count) {
            findings.push(damaged("the vault's keys are cut short", &self.path).at_offset(len));
        }
        // A hostile file may claim slots by the billion: only those that are there are looked at.
        let there = len.saturating_sub(slot_offset(0)) / SLOT_BYTES as u64;
        let count = u32::try_from(there).unwrap_or(u32::MAX).min(count);
        let mut from = 0;
        while from < count {
            let mut sound = from;
            match self.scan(from, count, &mut |number, _| sound = number + 1) {
                Ok(()) => break,
                Err(e) if e.kind() == sovang_core::ErrorKind::Damaged => findings.push(e),
                Err(e) => return Err(e),
            }
            // Of slots that are zero one after another the first stands for all.
            from = self.past_zeros(sound + 1, count)?;
        }
        Ok(findings)
    }
    /// The first slot from a number on that is not all zeros; `count` when there is none before it.
    fn past_zeros(&self, mut from: u32, count: u32) -> Result<u32> {
        let mut buffer = Zeroizing::new(vec![0; SLOT_BYTES * SCAN_SLOTS as usize]);
        while from < count {
            let read = self.file.read_at(&mut buffer, slot_offset(from)).map_err(|e| self.io(e, "read the vault's keys"))?;
            let used = buffer[..read].chunks(SLOT_BYTES).position(|slot| slot != &[0; SLOT_BYTES][..slot.len()]);
            match used.map(u32::try_from) {
                Some(Ok(used)) => return Ok(from.saturating_add(used).min(count)),
                _ => from = from.saturating_add(SCAN_SLOTS),
            }
        }
        Ok(count)
    }
    /// Where the header holds what it may not.
    pub(super) fn misplaced(&self) -> Result<Option<u64>> {
        header_misplaced(&self.file, false, self.ledger_id).map_err(|e| self.io(e, "read the vault's keys"))
    }
    /// The slot of a subject; of a writer's vault.
    pub(super) fn find(&self, subject: &SubjectId) -> Result<Option<(u32, Slot)>> {
        self.find_hash(self.subject_hash(subject))
    }
    /// As [`Self::find`], by the keyed hash.
    pub(super) fn find_hash(&self, hash: [u8; 32]) -> Result<Option<(u32, Slot)>> {
        let candidates: Vec<u32> = {
            let mut known = self.known();
            let (scanned, count) = (known.scanned, known.count);
            if scanned < count {
                let subjects = &mut known.subjects;
                self.scan(scanned, count, &mut |number, slot| subjects.insert(&slot.subject, number))?;
                known.scanned = count;
            }
            known.subjects.candidates(&hash).collect()
        };
        for number in candidates {
            let slot = self.slot(number)?;
            if slot.subject == hash {
                return Ok(Some((number, slot)));
            }
        }
        Ok(None)
    }
    /// A slot for a new subject, not yet anywhere.
    pub(super) fn draw(&self, subject: &SubjectId, random: super::Random<'_>) -> Result<Slot> {
        let mut b = Zeroizing::new([0; 48]);
        random(&mut *b)?;
        let key = Zeroizing::new([0; 32]);
        let mut slot = Slot { state: SlotState::Living, handle: [0; 16], subject: self.subject_hash(subject), key };
        slot.handle.copy_from_slice(&b[..16]);
        slot.key.copy_from_slice(&b[16..]);
        Ok(slot)
    }
    /// Reserves space for `slots` more, and unless `sparing` for some beyond, without writing.
    pub(super) fn reserve(&self, slots: u32, sparing: bool) -> Result<()> {
        let mut known = self.known();
        let end = known.count.checked_add(slots).map(slot_offset);
        let end = end.ok_or_else(|| Error::new(sovang_core::ErrorKind::TooLarge, "the vault is full: it holds 2^32 subjects"))?;
        if end > known.allocated {
            let step = u64::from(STEP_SLOTS) * SLOT_BYTES as u64;
            let ahead = end.next_multiple_of(step);
            known.allocated = if !sparing && self.file.allocate(ahead).is_ok() {
                ahead
            } else {
                self.file.allocate(end).map_err(|e| self.io(e, "reserve space for the vault's keys"))?;
                end
            };
        }
        Ok(())
    }
    /// Appends slots, whose space was reserved, durably.
    pub(super) fn append(&self, slots: &[Slot]) -> Result<()> {
        let mut known = self.known();
        let first = known.count;
        let mut bytes = Zeroizing::new(Vec::with_capacity(slots.len() * SLOT_BYTES));
        for (number, slot) in (first..).zip(slots) {
            bytes.extend_from_slice(&*slot.encode(self.ledger_id, number));
        }
        self.file.write_at(&bytes, slot_offset(first)).map_err(|e| self.io(e, "write the vault's keys"))?;
        self.file.sync_data().map_err(|e| self.io(e, "sync the vault's keys"))?;
        // `reserve` checked that the sum fits.
        known.count = first.saturating_add(u32::try_from(slots.len()).unwrap_or(u32::MAX));
        Ok(())
    }
    /// Every slot of the file, none where it is damaged; reserved space is passed over. Of a reader's vault too.
    pub(super) fn each(&self, each: &mut dyn FnMut(u32, Option<Slot>)) -> Result<()> {
        let mut buffer = Zeroizing::new(vec![0; SLOT_BYTES * SCAN_SLOTS as usize]);
        for first in (0..=u32::MAX).step_by(SCAN_SLOTS as usize) {
            let read = self.file.read_at(&mut buffer, slot_offset(first)).map_err(|e| self.io(e, "read the vault's keys"))?;
            for (number, slot) in (first..=u32::MAX).zip(buffer[..read].chunks(SLOT_BYTES)) {
                if slot != &[0; SLOT_BYTES][..slot.len()] {
                    each(number, Slot::decode(slot, self.ledger_id, number));
                }
            }
            if read < buffer.len() {
                break;
            }
        }
        Ok(())
    }
    /// The slots with these handles whose rows may still be there.
    pub(super) fn uncleared(&self, handles: &FxHashSet<[u8; 16]>) -> Result<Vec<(u32, Slot)>> {
        let mut found = Vec::new();
        self.scan(0, self.count(), &mut |number, slot| {
            if slot.state != SlotState::Cleared && handles.contains(&slot.handle) {
                found.push((number, slot.clone()));
            }
        })?;
        Ok(found)
    }
    /// Whether a slot has this handle.
    pub(super) fn has_handle(&self, handle: &[u8; 16]) -> Result<bool> {
        let mut found = false;
        self.scan(0, self.count(), &mut |_, slot| found |= slot.handle == *handle)?;
        Ok(found)
    }
    /// Sets the state of slots, and with it zeroes their keys, in place and durably.
    pub(super) fn forget(&self, slots: &[(u32, Slot)], state: SlotState) -> Result<()> {
        for (number, slot) in slots {
            let gone = Slot { state, key: Zeroizing::new([0; 32]), ..slot.clone() };
            let bytes = gone.encode(self.ledger_id, *number);
            self.file.write_at(&*bytes, slot_offset(*number)).map_err(|e| self.io(e, "erase a key of the vault"))?;
        }
        self.file.sync_data().map_err(|e| self.io(e, "sync the vault's keys"))
    }
    /// Gives reserved space back.
    pub(super) fn trim(&self) -> Result<()> {
        let mut known = self.known();
        let end = slot_offset(known.count);
        if known.allocated > end {
            self.file.set_len(end).map_err(|e| self.io(e, "trim the vault's keys"))?;
            known.allocated = end;
        }
        self.file.sync_all().map_err(|e| self.io(e, "sync the vault's keys"))
    }
}

/// Slots in the order of rows: persons come one after another.
pub(super) struct Nearby<'a> {
    keys: &'a Keys,
    first: u32,
    bytes: Zeroizing<Vec<u8>>,
}
impl Nearby<'_> {
    /// Slot `number`; none when it is not sound.
    pub(super) fn slot(&mut self, number: u32) -> Result<Option<Slot>> {
        let first = number - number % NEARBY_SLOTS;
        if self.bytes.is_empty() || first != self.first {
            self.first = first;
            self.bytes.resize(NEARBY_SLOTS as usize * SLOT_BYTES, 0);
            let read = self.keys.file.read_at(&mut self.bytes, slot_offset(first));
            let read = read.map_err(|e| self.keys.io(e, "read the vault's keys"))?;
            self.bytes.truncate(read);
        }
        let at = (number - first) as usize * SLOT_BYTES;
        let bytes = self.bytes.get(at..at + SLOT_BYTES).unwrap_or_default();
        Ok(Slot::decode(bytes, self.keys.ledger_id, number))
    }
}
