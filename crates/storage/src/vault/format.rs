//! The bytes of the vault's two files (docs/FORMAT.md §7). Pure: bytes in, values out.
//!
//! Whatever is rewritten in place (a slot, a row's header, a mark) lies within one 512-byte sector, which a crash writes
//! or leaves, but never tears.

use sovang_core::ids::Commitment;
use sovang_core::limits::{NAME_BYTES_MAX, PERSONAL_VALUE_BYTES_MAX};
use sovang_core::{LedgerId, RecordId};
use zeroize::Zeroizing;

/// Where slots and rows start in their files.
pub(crate) const HEADER_BYTES: u64 = 4096;
pub(super) const SECTOR_BYTES: usize = 512;
pub(super) const HEADER_SECTORS: usize = 8;
pub(super) const FORMAT_VERSION: u32 = 1;
pub(super) const KEYS_MAGIC: [u8; 8] = *b"SOVVKEYS";
pub(super) const ROWS_MAGIC: [u8; 8] = *b"SOVVROWS";
const MARK_MAGIC: [u8; 8] = *b"SOVVMARK";
const SLOT_MAGIC: [u8; 4] = *b"SOVK";
pub(super) const ROW_MAGIC: [u8; 4] = *b"SOVR";

/// Bytes of a subject's slot.
pub(super) const SLOT_BYTES: usize = 128;
/// Rows start at multiples of this, so that no header crosses a sector.
pub(super) const GRANULE: usize = 128;
/// Rows end before this: a row's place in memory is its offset in granules, 32 bits.
pub(super) const ROWS_BYTES_MAX: u64 = (1 << 32) * GRANULE as u64;
/// Neither file is longer, with what is reserved behind the last row or slot; a longer one is not read.
pub(super) const FILE_BYTES_MAX: u64 = ROWS_BYTES_MAX + (1 << 20);
const _: () = assert!(FILE_BYTES_MAX > HEADER_BYTES + (1 << 32) * SLOT_BYTES as u64);
/// Bytes of a row's header.
pub(super) const ROW_HEADER_BYTES: usize = 112;
const AEAD_TAG_BYTES: usize = 16;
const SALT_BYTES: usize = 32;
/// Bytes of a value as it is encrypted, before the subject's id and the value.
pub(super) const PLAIN_PREFIX_BYTES: usize = SALT_BYTES + 2;
/// Most bytes of a row's ciphertext.
pub(super) const BODY_BYTES_MAX: usize = PLAIN_PREFIX_BYTES + NAME_BYTES_MAX + PERSONAL_VALUE_BYTES_MAX + AEAD_TAG_BYTES;

const _: () = assert!(SECTOR_BYTES.is_multiple_of(SLOT_BYTES) && SECTOR_BYTES.is_multiple_of(GRANULE));
const _: () = assert!(HEADER_BYTES == (HEADER_SECTORS * SECTOR_BYTES) as u64);
const _: () = assert!(ROW_HEADER_BYTES <= GRANULE && HEADER_BYTES.is_multiple_of(GRANULE as u64));

fn word<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

/// The checksum of a structure at `offset` in a vault's file, seeded with the ledger's id.
pub(super) fn sum(ledger_id: LedgerId, offset: u64, bytes: &[u8]) -> u32 {
    let seed = crc32c::crc32c(&ledger_id.0);
    crc32c::crc32c_append(crc32c::crc32c_append(seed, &offset.to_le_bytes()), bytes)
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| *b == 0)
}

/// The first sector of either file: what it is, whose, and in `vault/keys` the secret under which subjects' ids are hashed.
pub(super) fn encode_identity(magic: [u8; 8], ledger_id: LedgerId, secret: [u8; 32]) -> [u8; SECTOR_BYTES] {
    let mut b = [0; SECTOR_BYTES];
    b[0..8].copy_from_slice(&magic);
    b[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    b[16..32].copy_from_slice(&ledger_id.0);
    b[32..64].copy_from_slice(&secret);
    let sum = sum(ledger_id, 0, &b[..SECTOR_BYTES - 4]);
    b[SECTOR_BYTES - 4..].copy_from_slice(&sum.to_le_bytes());
    b
}

/// What an identity sector may be instead of right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdentityError {
    /// Not these bytes at all, or changed ones.
    Malformed,
    /// Of a version this code does not know.
    Version(u32),
    /// Of another ledger.
    Other(LedgerId),
}

/// The secret of an identity sector.
pub(super) fn decode_identity(b: &[u8; SECTOR_BYTES], magic: [u8; 8], ledger_id: LedgerId) -> Result<[u8; 32], IdentityError> {
    let theirs = LedgerId(word(b, 16));
    if b[0..8] != magic || u32::from_le_bytes(word(b, SECTOR_BYTES - 4)) != sum(theirs, 0, &b[..SECTOR_BYTES - 4]) {
        return Err(IdentityError::Malformed);
    }
    let version = u32::from_le_bytes(word(b, 8));
    if version != FORMAT_VERSION {
        return Err(IdentityError::Version(version));
    }
    if theirs != ledger_id {
        return Err(IdentityError::Other(theirs));
    }
    if !is_zero(&b[12..16]) || !is_zero(&b[64..SECTOR_BYTES - 4]) {
        return Err(IdentityError::Malformed);
    }
    Ok(word(b, 32))
}

/// How far the vault is known to be durable and checked against the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Mark {
    /// Grows with each mark; the higher of two holds.
    pub(super) sequence: u64,
    /// Rows before this offset were checked to have their record in the log.
    pub(super) checked: u64,
    /// Rows before this offset are durable.
    pub(super) durable: u64,
    /// So many slots are durable.
    pub(super) slots: u32,
}

impl Mark {
    /// Where in `vault/rows` this mark goes: two places take turns.
    pub(super) fn offset(&self) -> u64 {
        Self::place(self.sequence % 2)
    }
    pub(super) fn place(turn: u64) -> u64 {
        SECTOR_BYTES as u64 * (1 + turn)
    }
    pub(super) fn encode(&self, ledger_id: LedgerId) -> [u8; SECTOR_BYTES] {
        let mut b = [0; SECTOR_BYTES];
        b[0..8].copy_from_slice(&MARK_MAGIC);
        b[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        b[16..24].copy_from_slice(&self.checked.to_le_bytes());
        b[24..32].copy_from_slice(&self.durable.to_le_bytes());
        b[32..36].copy_from_slice(&self.slots.to_le_bytes());
        let sum = sum(ledger_id, self.offset(), &b[..SECTOR_BYTES - 4]);
        b[SECTOR_BYTES - 4..].copy_from_slice(&sum.to_le_bytes());
        b
    }
    pub(super) fn decode(b: &[u8; SECTOR_BYTES], ledger_id: LedgerId, offset: u64) -> Option<Self> {
        let mark = Self {
            sequence: u64::from_le_bytes(word(b, 8)),
            checked: u64::from_le_bytes(word(b, 16)),
            durable: u64::from_le_bytes(word(b, 24)),
            slots: u32::from_le_bytes(word(b, 32)),
        };
        let sound = b[0..8] == MARK_MAGIC
            && u32::from_le_bytes(word(b, SECTOR_BYTES - 4)) == sum(ledger_id, offset, &b[..SECTOR_BYTES - 4])
            && is_zero(&b[36..SECTOR_BYTES - 4])
            && mark.offset() == offset
            && HEADER_BYTES <= mark.checked
            && mark.checked <= mark.durable
            // Writers begin at 0 and never come that far: there is always a next one.
            && mark.sequence <= u64::MAX / 2
            && mark.durable.is_multiple_of(GRANULE as u64)
            && mark.checked.is_multiple_of(GRANULE as u64);
        sound.then_some(mark)
    }
}

/// Where a file's header, after its first sector, holds what is neither zero nor, in `vault/rows`, a mark in its place.
pub(super) fn misplaced(header: &[u8; HEADER_SECTORS * SECTOR_BYTES], marks: bool, ledger_id: LedgerId) -> Option<u64> {
    let (sectors, _) = header.as_chunks::<SECTOR_BYTES>();
    (0..).step_by(SECTOR_BYTES).zip(sectors).skip(1).find_map(|(offset, sector)| {
        let fits = is_zero(sector) || marks && Mark::decode(sector, ledger_id, offset).is_some();
        (!fits).then_some(offset)
    })
}

/// What became of a subject's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SlotState {
    /// The key is there.
    Living,
    /// The key is gone; rows may be left to delete.
    Erased,
    /// The key and all rows are gone.
    Cleared,
}

/// A subject's slot in `vault/keys`. Its key is wiped from memory when it goes.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) state: SlotState,
    /// Random, unlinkable to the subject: what the log names when it says that the subject was erased.
    pub(super) handle: [u8; 16],
    /// The keyed hash of the subject's id.
    pub(super) subject: [u8; 32],
    /// Zero once erased.
    pub(super) key: Zeroizing<[u8; 32]>,
}

/// Where slot `number` is.
pub(super) fn slot_offset(number: u32) -> u64 {
    HEADER_BYTES + u64::from(number) * SLOT_BYTES as u64
}

impl Slot {
    pub(super) fn encode(&self, ledger_id: LedgerId, number: u32) -> Zeroizing<[u8; SLOT_BYTES]> {
        let mut b = Zeroizing::new([0; SLOT_BYTES]);
        b[0..4].copy_from_slice(&SLOT_MAGIC);
        let state: u32 = match self.state {
            SlotState::Living => 1,
            SlotState::Erased => 2,
            SlotState::Cleared => 3,
        };
        b[4..8].copy_from_slice(&state.to_le_bytes());
        b[8..12].copy_from_slice(&number.to_le_bytes());
        b[16..32].copy_from_slice(&self.handle);
        b[32..64].copy_from_slice(&self.subject);
        b[64..96].copy_from_slice(&*self.key);
        let sum = sum(ledger_id, slot_offset(number), &b[..SLOT_BYTES - 4]);
        b[SLOT_BYTES - 4..].copy_from_slice(&sum.to_le_bytes());
        b
    }
    pub(super) fn decode(b: &[u8], ledger_id: LedgerId, number: u32) -> Option<Self> {
        if b.len() != SLOT_BYTES
            || b[0..4] != SLOT_MAGIC
            || u32::from_le_bytes(word(b, SLOT_BYTES - 4)) != sum(ledger_id, slot_offset(number), &b[..SLOT_BYTES - 4])
            || u32::from_le_bytes(word(b, 8)) != number
            || !is_zero(&b[12..16])
            || !is_zero(&b[96..SLOT_BYTES - 4])
        {
            return None;
        }
        let state = match u32::from_le_bytes(word(b, 4)) {
            1 => SlotState::Living,
            2 => SlotState::Erased,
            3 => SlotState::Cleared,
            _ => return None,
        };
        let slot = Self { state, handle: word(b, 16), subject: word(b, 32), key: Zeroizing::new(word(b, 64)) };
        (slot.state == SlotState::Living || is_zero(&*slot.key)).then_some(slot)
    }
}

/// What a row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowState {
    /// A value under its subject's key.
    Value,
    /// Only the commitment was ever known.
    Sealed,
    /// A tombstone: the value was erased.
    Erased,
    /// A row whose record never came to be: nothing is left of it.
    Void,
}

/// A row's header in `vault/rows`; a `Value`'s ciphertext follows it, then zeros up to the granule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowHeader {
    pub(super) state: RowState,
    /// Bytes of ciphertext, kept by a tombstone: it says where the next row is.
    pub(super) body_len: u32,
    /// The slot with the subject's key.
    pub(super) slot: u32,
    /// The field's number in the record.
    pub(super) field: u16,
    pub(super) record: RecordId,
    pub(super) commitment: Commitment,
    pub(super) nonce: [u8; 24],
    /// Everything before this offset was durable when the row was written.
    pub(super) proven: u64,
    /// So many slots were.
    pub(super) slots: u32,
    /// Checksum of ciphertext and padding.
    pub(super) body_sum: u32,
}

impl RowHeader {
    /// Bytes of the row, padding included.
    pub(super) fn extent(&self) -> usize {
        (ROW_HEADER_BYTES + self.body_len as usize).next_multiple_of(GRANULE)
    }
    pub(super) fn encode(&self, ledger_id: LedgerId, offset: u64) -> [u8; ROW_HEADER_BYTES] {
        let mut b = [0; ROW_HEADER_BYTES];
        b[0..4].copy_from_slice(&ROW_MAGIC);
        let state: u16 = match self.state {
            RowState::Value => 1,
            RowState::Sealed => 2,
            RowState::Erased => 3,
            RowState::Void => 4,
        };
        b[4..6].copy_from_slice(&state.to_le_bytes());
        b[6..8].copy_from_slice(&self.field.to_le_bytes());
        b[8..12].copy_from_slice(&self.body_len.to_le_bytes());
        b[12..16].copy_from_slice(&self.slot.to_le_bytes());
        b[16..32].copy_from_slice(&self.record.to_bytes());
        b[32..64].copy_from_slice(&self.commitment.0);
        b[64..88].copy_from_slice(&self.nonce);
        b[88..96].copy_from_slice(&self.proven.to_le_bytes());
        b[96..100].copy_from_slice(&self.slots.to_le_bytes());
        b[100..104].copy_from_slice(&self.body_sum.to_le_bytes());
        let sum = sum(ledger_id, offset, &b[..ROW_HEADER_BYTES - 4]);
        b[ROW_HEADER_BYTES - 4..].copy_from_slice(&sum.to_le_bytes());
        b
    }
    pub(super) fn decode(b: &[u8], ledger_id: LedgerId, offset: u64) -> Option<Self> {
        if b.len() != ROW_HEADER_BYTES
            || b[0..4] != ROW_MAGIC
            || u32::from_le_bytes(word(b, ROW_HEADER_BYTES - 4)) != sum(ledger_id, offset, &b[..ROW_HEADER_BYTES - 4])
            || !is_zero(&b[104..ROW_HEADER_BYTES - 4])
        {
            return None;
        }
        let state = match u16::from_le_bytes(word(b, 4)) {
            1 => RowState::Value,
            2 => RowState::Sealed,
            3 => RowState::Erased,
            4 => RowState::Void,
            _ => return None,
        };
        let header = Self {
            state,
            field: u16::from_le_bytes(word(b, 6)),
            body_len: u32::from_le_bytes(word(b, 8)),
            slot: u32::from_le_bytes(word(b, 12)),
            record: RecordId::from_bytes(word(b, 16)),
            commitment: Commitment(word(b, 32)),
            nonce: word(b, 64),
            proven: u64::from_le_bytes(word(b, 88)),
            slots: u32::from_le_bytes(word(b, 96)),
            body_sum: u32::from_le_bytes(word(b, 100)),
        };
        let sound = header.body_len as usize <= BODY_BYTES_MAX
            && (header.state != RowState::Value || header.body_len as usize >= PLAIN_PREFIX_BYTES + AEAD_TAG_BYTES)
            && (header.state != RowState::Sealed || header.body_len == 0)
            && header.proven <= offset;
        sound.then_some(header)
    }
    /// What is left of the row once its value was erased: that its commitment was.
    pub(super) fn erased(&self) -> Self {
        Self { state: RowState::Erased, commitment: self.commitment, ..self.void() }
    }
    /// What is left of a row whose record never came to be: where the next one is, and what it proves.
    pub(super) fn void(&self) -> Self {
        Self {
            state: RowState::Void,
            body_len: self.body_len,
            slot: 0,
            field: 0,
            record: RecordId::from_bytes([0; 16]),
            commitment: Commitment([0; 32]),
            nonce: [0; 24],
            proven: self.proven,
            slots: self.slots,
            body_sum: 0,
        }
    }
}

/// What the encryption of a row is bound to besides its key.
pub(super) fn associated_data(ledger_id: LedgerId, header: &RowHeader) -> [u8; 66] {
    let mut b = [0; 66];
    b[0..16].copy_from_slice(&ledger_id.0);
    b[16..48].copy_from_slice(&header.commitment.0);
    b[48..64].copy_from_slice(&header.record.to_bytes());
    b[64..66].copy_from_slice(&header.field.to_le_bytes());
    b
}
