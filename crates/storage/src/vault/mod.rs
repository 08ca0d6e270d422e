//! The vault: personal values under their subjects' keys, outside the log and its backups (design §3, docs/FORMAT.md §7).
//!
//! Two files. `vault/keys` has a slot for each subject, with its key; `vault/rows` has a row for each personal value,
//! encrypted under that key and found by its commitment.
//!
//! **Order of writes.** [`Vault::put`] makes new keys durable first, then appends all rows in one write and one sync, then
//! returns; only then does the log append the records that rely on them. So after a crash a row that a record relies on
//! can be opened, and any other row is an orphan or torn: [`Vault::recover`], the writer's first call, drops it.
//! Each row says up to where rows and keys were durable when it was written, which tells a torn tail from damage.
//!
//! **Erasing.** [`Vault::erase`] zeroes the key in place and syncs, which is the erasure; then it zeroes the ciphertexts,
//! then turns the rows' headers into tombstones, then says in the slot that all is done, with a sync after each. Each
//! step is repeatable, and a slot that is erased but not yet cleared makes the next writer go on where it stopped.
//!
//! **Memory.** About 24 bytes a personal value once a value is first read (a map from eight bytes of its commitment to its
//! place), and in a writer about 24 bytes a subject once a personal value is first put. Opening reads headers and the rows
//! since the last [`Vault::mark`] only.

mod copy;
mod erase;
mod format;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod keys;
mod living;
mod prefixes;
mod recover;
mod rows;
#[cfg(test)]
mod tests;

pub(crate) use copy::same_secret;
pub use copy::{CopiedRows, Wanted};

use crate::files::Files;
use crate::log::begin_anew;
use crate::sync::{Mutex, MutexGuard, RwLock};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
pub(crate) use format::HEADER_BYTES;
use format::{BODY_BYTES_MAX, Mark, PLAIN_PREFIX_BYTES, ROW_HEADER_BYTES, RowHeader, RowState, Slot, SlotState, associated_data};
use keys::Keys;
pub use living::EachValue;
use rows::{Rows, Span};
use rustc_hash::{FxHashMap, FxHashSet};
use sovang_core::ids::Commitment;
use sovang_core::personal::Opened;
use sovang_core::record::{PersonalRow, PersonalValue};
use sovang_core::{Error, ErrorKind, LedgerId, RecordId, Result, SubjectId, hash};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::PoisonError;
use zeroize::Zeroizing;

/// A source of random bytes; randomness arrives as an argument.
pub type Random<'a> = &'a dyn Fn(&mut [u8]) -> Result<()>;
/// Whether the log has this record with this commitment.
pub type Exists<'a> = &'a dyn Fn(RecordId, &Commitment) -> Result<bool>;

pub(crate) const DIRECTORY: &str = "vault";

fn damaged(what: impl Into<String>, path: &Path) -> Error {
    Error::new(ErrorKind::Damaged, what).in_file(path).advise("restore `vault/` from its backup")
}

/// A ledger's vault. One writer, any number of readers, in this process or another.
pub struct Vault {
    ledger_id: LedgerId,
    keys: Keys,
    rows: Rows,
    writer: Option<Mutex<Writer>>,
    /// Handles that the log names as erased: they read so even where this copy still has the key and may not write.
    hidden: RwLock<FxHashSet<[u8; 16]>>,
}

/// The writer's end of the vault.
struct Writer {
    end: u64,
    allocated: u64,
    mark: Mark,
    recovered: bool,
    poisoned: bool,
    /// No space is reserved beyond what is needed.
    sparing: bool,
}

/// What [`Vault::recover`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct VaultRecovered {
    /// Rows without a record that were removed.
    pub orphans: u64,
    /// Bytes of an interrupted write that were cut off.
    pub torn_bytes: u64,
}

impl Vault {
    /// Creates an empty vault, over one that an interrupted creation may have left.
    ///
    /// # Errors
    /// When the files cannot be written, or `random` fails.
    pub fn create(files: &dyn Files, ledger_id: LedgerId, random: Random<'_>) -> Result<()> {
        let path = files.describe(DIRECTORY);
        let io = |e, doing: &str| Error::io(e, doing, &path);
        let mut secret = [0; 32];
        random(&mut secret)?;
        files.create_directory(DIRECTORY).map_err(|e| io(e, "create the vault"))?;
        keys::create(files, ledger_id, secret)?;
        rows::create(files, ledger_id)?;
        files.sync_directory(DIRECTORY).map_err(|e| io(e, "sync the vault's directory"))?;
        files.sync_directory("").map_err(|e| begin_anew(io(e, "sync the ledger's directory")))
    }

    /// Opens the vault; none in a copy without one. With `writable` the log's writer calls [`Self::recover`] before anything else, under
    /// the ledger's lock; otherwise nothing is ever written. Opening writes nothing either way.
    ///
    /// # Errors
    /// `Damaged` when a file is missing, cut short or of another ledger; `WrongFormat`; I/O.
    pub fn open(files: &dyn Files, ledger_id: LedgerId, writable: bool) -> Result<Option<Self>> {
        match files.list(DIRECTORY) {
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
                return Err(damaged("the vault is no directory".to_owned(), &files.describe(DIRECTORY)));
            }
            Err(e) => return Err(Error::io(e, "list the vault", files.describe(DIRECTORY))),
        }
        let keys = Keys::open(files, ledger_id, writable)?;
        let rows = Rows::open(files, ledger_id, writable)?;
        let writer = if writable {
            let mark = rows.mark()?;
            Some(Mutex::new(Writer { end: HEADER_BYTES, allocated: 0, mark, recovered: false, poisoned: false, sparing: false }))
        } else {
            None
        };
        Ok(Some(Self { ledger_id, keys, rows, writer, hidden: RwLock::default() }))
    }

    fn writer(&self) -> Result<MutexGuard<'_, Writer>> {
        let writer =
            self.writer.as_ref().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "the vault was opened for reading only"))?;
        let writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
        if writer.poisoned {
            return Err(Error::new(ErrorKind::Poisoned, "an earlier write of the vault failed")
                .in_file(self.rows.path())
                .advise("reopen the ledger, then send the same ids again"));
        }
        Ok(writer)
    }
    fn recovered(&self) -> Result<MutexGuard<'_, Writer>> {
        let writer = self.writer()?;
        if writer.recovered {
            Ok(writer)
        } else {
            Err(Error::new(ErrorKind::InvalidInput, "the vault was not recovered after opening"))
        }
    }

    /// Whether an earlier failure forbids any further write.
    pub(crate) fn is_poisoned(&self) -> bool {
        self.writer.as_ref().is_some_and(|writer| writer.lock().unwrap_or_else(PoisonError::into_inner).poisoned)
    }
    /// From now on reserves no more space than is needed.
    ///
    /// # Errors
    /// Of a reader's vault, or a poisoned one.
    pub fn spare(&self) -> Result<()> {
        self.recovered()?.sparing = true;
        Ok(())
    }

    /// Adds rows, durable on return: one append and one sync, and one more where a subject is new. The caller then appends
    /// their records to the log, or takes the rows back with [`Self::withdraw`]. Gives the rows' range.
    ///
    /// # Errors
    /// `ErasedSubject` (with the record's id) when a value's subject was erased: nothing is written then. `NoSpace` before a
    /// byte is written: the vault goes on. After any other failure of a write it is poisoned.
    pub fn put(&self, rows: &[(RecordId, &PersonalRow)], random: Random<'_>) -> Result<Range<u64>> {
        if rows.is_empty() {
            return Ok(0..0);
        }
        let mut writer = self.recovered()?;
        let mut slots: FxHashMap<[u8; 32], (u32, Slot)> = FxHashMap::default();
        let mut new: Vec<Slot> = Vec::new();
        for (record, row) in rows {
            let Some(PersonalValue { subject, .. }) = &row.value else {
                continue;
            };
            // By the hash, as they are looked up: of two spellings of one id both are of one person.
            let hash = self.keys.subject_hash(subject);
            if slots.contains_key(&hash) {
                continue;
            }
            let found = match self.keys.find(subject)? {
                Some((_, slot)) if slot.state != SlotState::Living => {
                    return Err(erased_subject(*record));
                }
                Some(found) => found,
                None => {
                    let number = u32::try_from(new.len()).ok().and_then(|n| self.keys.count().checked_add(n));
                    let number =
                        number.ok_or_else(|| Error::new(ErrorKind::TooLarge, "the vault is full: it holds 2^32 subjects"))?;
                    let slot = self.keys.draw(subject, random)?;
                    new.push(slot.clone());
                    (number, slot)
                }
            };
            slots.insert(hash, found);
        }
        let durable_slots = self.keys.count().saturating_add(u32::try_from(new.len()).unwrap_or(u32::MAX));
        let bytes = self.encode(rows, &slots, writer.end, durable_slots, random)?;
        let end = writer.end + bytes.len() as u64;
        // Space first, so that a full disk is met before a byte is written.
        if !new.is_empty() {
            self.keys.reserve(u32::try_from(new.len()).unwrap_or(u32::MAX), writer.sparing)?;
        }
        if end > writer.allocated {
            writer.allocated = self.rows.allocate(end, writer.sparing)?;
        }
        if !new.is_empty() {
            let done = self.keys.append(&new);
            poison_on_failure(&mut writer, done)?;
        }
        let start = writer.end;
        let done = self.rows.append(&bytes, start);
        poison_on_failure(&mut writer, done)?;
        writer.end = end;
        self.rows.set_end(end);
        Ok(start..end)
    }
    /// Removes rows that [`Self::put`] added and whose records the log did not take, durably.
    ///
    /// # Errors
    /// I/O; the vault is poisoned then, and the next writer removes them.
    pub fn withdraw(&self, rows: Range<u64>) -> Result<()> {
        let mut writer = self.recovered()?;
        let mut found = Vec::new();
        self.rows.scan(rows.start, rows.end, false, &mut |span| {
            if let Span::Row { offset, header, .. } = span
                && matches!(header.state, RowState::Value | RowState::Sealed)
            {
                found.push((offset, header));
            }
            Ok(())
        })?;
        let done = self.rows.delete(&found, RowHeader::void);
        poison_on_failure(&mut writer, done)
    }

    fn encode(
        &self,
        rows: &[(RecordId, &PersonalRow)],
        slots: &FxHashMap<[u8; 32], (u32, Slot)>,
        start: u64,
        durable_slots: u32,
        random: Random<'_>,
    ) -> Result<Vec<u8>> {
        let mut nonces = vec![0; rows.len() * 24];
        random(&mut nonces)?;
        let mut out = Vec::new();
        for ((record, row), nonce) in rows.iter().zip(nonces.chunks_exact(24)) {
            let mut header = RowHeader {
                state: RowState::Sealed,
                body_len: 0,
                slot: 0,
                field: row.field,
                record: *record,
                commitment: row.commitment,
                nonce: [0; 24],
                proven: start,
                slots: durable_slots,
                body_sum: 0,
            };
            let mut body = Vec::new();
            if let Some(value) = &row.value
                && let Some((number, slot)) = slots.get(&self.keys.subject_hash(&value.subject))
            {
                header.state = RowState::Value;
                header.slot = *number;
                header.nonce.copy_from_slice(nonce);
                body = self.seal(value, &slot.key, &header)?;
                if body.len() > BODY_BYTES_MAX {
                    return Err(Error::too_large("a personal value", body.len(), "PERSONAL_VALUE_BYTES_MAX", BODY_BYTES_MAX)
                        .with_ids([*record]));
                }
                header.body_len = u32::try_from(body.len()).unwrap_or(u32::MAX);
            }
            let offset = start + out.len() as u64;
            body.resize(header.extent() - ROW_HEADER_BYTES, 0);
            header.body_sum = self.rows.body_sum(offset, &body);
            out.extend_from_slice(&header.encode(self.ledger_id, offset));
            out.extend_from_slice(&body);
        }
        Ok(out)
    }
    fn seal(&self, value: &PersonalValue, key: &[u8; 32], header: &RowHeader) -> Result<Vec<u8>> {
        let subject = value.subject.as_str().as_bytes();
        let mut plain = Zeroizing::new(Vec::with_capacity(PLAIN_PREFIX_BYTES + subject.len() + value.value.len()));
        plain.extend_from_slice(&value.salt);
        // A subject's id has at most NAME_BYTES_MAX bytes.
        plain.extend_from_slice(&u16::try_from(subject.len()).unwrap_or(u16::MAX).to_le_bytes());
        plain.extend_from_slice(subject);
        plain.extend_from_slice(&value.value);
        let aad = associated_data(self.ledger_id, header);
        XChaCha20Poly1305::new(<&Key>::from(key))
            .encrypt(&XNonce::from(header.nonce), Payload { msg: &plain, aad: &aad })
            .map_err(|_| Error::new(ErrorKind::TooLarge, "a personal value cannot be encrypted"))
    }

    /// What the vault knows of a commitment that the log has.
    ///
    /// # Errors
    /// `Damaged` when there is no row for it, or its value does not decrypt or does not match.
    pub fn value(&self, commitment: &Commitment) -> Result<Opened> {
        let mut best = self.best(self.rows.candidates(commitment), commitment)?;
        if best.is_none() && self.rows.extend()? {
            best = self.best(self.rows.candidates(commitment), commitment)?;
        }
        best.ok_or_else(|| damaged(format!("the vault has no row for commitment {commitment}"), self.rows.path()))
    }
    /// The best answer among rows: a sent-again record may have left several.
    fn best(&self, offsets: Vec<u64>, commitment: &Commitment) -> Result<Option<Opened>> {
        let mut best = None;
        let mut failure = None;
        for offset in offsets {
            match self.open_row(offset, commitment) {
                Ok(Some(known @ Opened::Known { .. })) => return Ok(Some(known)),
                Ok(Some(Opened::Erased)) => best = Some(Opened::Erased),
                Ok(Some(Opened::Sealed)) => best = best.or(Some(Opened::Sealed)),
                Ok(None) => {}
                Err(e) => failure = Some(e),
            }
        }
        match (best, failure) {
            (None, Some(e)) => Err(e),
            (best, _) => Ok(best),
        }
    }
    fn open_row(&self, offset: u64, commitment: &Commitment) -> Result<Option<Opened>> {
        let bad = |what: &str| {
            damaged(format!("the vault's value of commitment {commitment} {what}"), self.rows.path()).at_offset(offset)
        };
        // The row first, then its key: an erasure under way in another thread or process zeroes the key first.
        let (header, body) = self.rows.read(offset)?;
        let Some(header) = header else {
            return Err(bad("has a damaged header"));
        };
        if header.commitment != *commitment {
            return Ok(None);
        }
        match header.state {
            RowState::Void => return Ok(None),
            RowState::Sealed => return Ok(Some(Opened::Sealed)),
            RowState::Erased => return Ok(Some(Opened::Erased)),
            RowState::Value => {}
        }
        let slot = self.keys.slot(header.slot)?;
        if slot.state != SlotState::Living || self.is_hidden(&slot) {
            return Ok(Some(Opened::Erased));
        }
        let body = body.ok_or_else(|| bad("is damaged"))?;
        let plain = self.unseal(&header, &body, &slot.key).map_err(bad)?;
        if hash::commitment(&plain.salt, header.field, plain.value()) != *commitment {
            return Err(bad("does not match the log"));
        }
        Ok(Some(Opened::Known { value: plain.value().to_vec(), subject: plain.subject, salt: plain.salt }))
    }
    fn is_hidden(&self, slot: &Slot) -> bool {
        self.hidden.read().unwrap_or_else(PoisonError::into_inner).contains(&slot.handle)
    }
    /// What a row's ciphertext says; an error says why it says nothing.
    fn unseal(&self, header: &RowHeader, body: &[u8], key: &[u8; 32]) -> Result<Plain, &'static str> {
        const SHORT: &str = "is too short";
        let ciphertext = body.get(..header.body_len as usize).ok_or("is damaged")?;
        let aad = associated_data(self.ledger_id, header);
        let plain = XChaCha20Poly1305::new(<&Key>::from(key))
            .decrypt(&XNonce::from(header.nonce), Payload { msg: ciphertext, aad: &aad })
            .map_err(|_| "does not decrypt")?;
        let plain = Zeroizing::new(plain);
        let (salt, rest) = plain.split_first_chunk::<32>().ok_or(SHORT)?;
        let (len, rest) = rest.split_first_chunk::<2>().ok_or(SHORT)?;
        let (subject, value) = rest.split_at_checked(usize::from(u16::from_le_bytes(*len))).ok_or(SHORT)?;
        let subject = std::str::from_utf8(subject).ok().and_then(|s| SubjectId::new(s).ok()).ok_or("names no subject")?;
        let value_at = plain.len() - value.len();
        Ok(Plain { salt: *salt, subject, value_at, plain })
    }

    /// Whether this subject was erased; of a writer's vault.
    ///
    /// # Errors
    /// `Damaged` when a slot is: a miss could not be trusted.
    pub fn is_erased(&self, subject: &SubjectId) -> Result<bool> {
        let _writer = self.recovered()?;
        Ok(self.keys.find(subject)?.is_some_and(|(_, slot)| slot.state != SlotState::Living))
    }
    /// The handle under which the log names the subject once erased; none when the vault knows no such subject. Of a
    /// writer's vault.
    ///
    /// # Errors
    /// As [`Self::is_erased`].
    pub fn handle(&self, subject: &SubjectId) -> Result<Option<[u8; 16]>> {
        let _writer = self.recovered()?;
        Ok(self.keys.find(subject)?.map(|(_, slot)| slot.handle))
    }

    /// All that is damaged in the vault's own structure: every slot, every row's header and ciphertext. Values are checked by
    /// opening them. A torn tail and orphans are not damage.
    ///
    /// # Errors
    /// I/O only.
    pub fn check(&self) -> Result<Vec<Error>> {
        let mark = self.rows.mark()?;
        let len = self.rows.len()?;
        let mut findings = Vec::new();
        for (misplaced, path) in [(self.keys.misplaced()?, self.keys.path()), (self.rows.misplaced()?, self.rows.path())] {
            findings.extend(misplaced.map(|offset| damaged("the vault's header is damaged", path).at_offset(offset)));
        }
        if len < mark.durable {
            findings.push(damaged("the vault's rows are cut short", self.rows.path()).at_offset(len));
        }
        let mut slots = mark.slots;
        let mut durable = mark.durable;
        let mut bad: Vec<(u64, u64, &str)> = Vec::new();
        self.rows.scan(HEADER_BYTES, len, true, &mut |span| {
            match span {
                Span::Gap { from, to } => bad.push((from, to, "bytes of the vault are no row")),
                Span::Row { offset, header, sound, clear } => {
                    slots = slots.max(header.slots);
                    durable = durable.max(header.proven);
                    if !clear {
                        bad.push((
                            offset,
                            offset + header.extent() as u64,
                            "bytes are left behind a row of the vault that has no value",
                        ));
                    }
                    let erasing = header.state == RowState::Value
                        && self.keys.slot(header.slot).is_ok_and(|s| s.state != SlotState::Living);
                    if !sound && !erasing {
                        bad.push((offset, offset + header.extent() as u64, "a value of the vault is damaged"));
                    }
                }
            }
            Ok(())
        })?;
        for (from, _, what) in bad.into_iter().filter(|(from, ..)| *from < durable) {
            findings.push(damaged(what, self.rows.path()).at_offset(from));
        }
        findings.extend(self.keys.check(slots)?);
        Ok(findings)
    }
}

/// A row's content in the clear.
struct Plain {
    salt: [u8; 32],
    subject: SubjectId,
    value_at: usize,
    plain: Zeroizing<Vec<u8>>,
}
impl Plain {
    fn value(&self) -> &[u8] {
        self.plain.get(self.value_at..).unwrap_or_default()
    }
}

fn erased_subject(record: RecordId) -> Error {
    Error::new(ErrorKind::ErasedSubject, "the record names a person whose data was erased").with_ids([record])
}

fn poison_on_failure<T>(writer: &mut Writer, done: Result<T>) -> Result<T> {
    if done.is_err() {
        writer.poisoned = true;
    }
    done
}
