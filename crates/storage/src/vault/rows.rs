//! `vault/rows`: the encrypted values, appended, found by commitment, and deleted in place.

use super::damaged;
use super::format::{
    FILE_BYTES_MAX, GRANULE, HEADER_BYTES, HEADER_SECTORS, IdentityError, Mark, ROW_HEADER_BYTES, ROWS_BYTES_MAX, ROWS_MAGIC,
    RowHeader, RowState, SECTOR_BYTES, decode_identity, encode_identity, misplaced, sum,
};
use super::prefixes::Prefixes;
use crate::files::{File, Files, Open, why_no_file};
use crate::sync::{Mutex, MutexGuard};
use sovang_core::ids::Commitment;
use sovang_core::{Error, ErrorKind, LedgerId, Result};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

pub(super) const PATH: &str = "vault/rows";
/// Bytes that a scan reads at once; more than any row.
const WINDOW_BYTES: usize = 1 << 20;
/// Space is reserved by steps from this to [`STEP_BYTES_MAX`].
const STEP_BYTES_MIN: u64 = 64 << 10;
const STEP_BYTES_MAX: u64 = 1 << 20;

/// Where a file's header holds what it may not. Beside a live writer a mark may be met half written: it is looked at again.
pub(super) fn header_misplaced(file: &Arc<dyn File>, marks: bool, ledger_id: LedgerId) -> io::Result<Option<u64>> {
    let look = || -> io::Result<Option<u64>> {
        let len = file.len()?;
        if len < HEADER_BYTES {
            return Ok(Some(len)); // what is cut off would read as zeros
        }
        let mut header = [0; HEADER_SECTORS * SECTOR_BYTES];
        file.read_at(&mut header, 0)?;
        Ok(misplaced(&header, marks, ledger_id))
    };
    if look()?.is_none() { Ok(None) } else { look() }
}

/// What a scan meets.
pub(super) enum Span {
    /// A row; `sound` says whether the ciphertext of a value is what was written, `clear` whether nothing stands where there is none.
    Row { offset: u64, header: RowHeader, sound: bool, clear: bool },
    /// Bytes that are no row, up to the next one or to the end.
    Gap { from: u64, to: u64 },
}

pub(super) struct Rows {
    file: Arc<dyn File>,
    path: PathBuf,
    ledger_id: LedgerId,
    directory: Mutex<Directory>,
    /// Where a writer's rows end; what follows is reserved space. Without a writer here the file says how far to look.
    end: AtomicU64,
}

/// What is in memory of the rows: built when first asked for, extended when something is not found.
struct Directory {
    places: Prefixes,
    scanned: u64,
}

/// Writes the file of a vault without rows.
pub(super) fn create(files: &dyn Files, ledger_id: LedgerId) -> Result<()> {
    let path = files.describe(PATH);
    let io = |e, doing: &str| Error::io(e, doing, &path);
    let file = files.open(PATH, Open::Create).map_err(|e| io(e, "create the vault's rows"))?;
    let mut header = vec![0; usize::try_from(HEADER_BYTES).unwrap_or(SECTOR_BYTES)];
    header[..SECTOR_BYTES].copy_from_slice(&encode_identity(ROWS_MAGIC, ledger_id, [0; 32]));
    let mark = Mark { sequence: 0, checked: HEADER_BYTES, durable: HEADER_BYTES, slots: 0 };
    header[SECTOR_BYTES..2 * SECTOR_BYTES].copy_from_slice(&mark.encode(ledger_id));
    file.write_at(&header, 0).map_err(|e| io(e, "write the vault's rows"))?;
    file.sync_all().map_err(|e| io(e, "sync the vault's rows"))
}

/// Opens one of the vault's files and checks whose it is; gives the secret of its header.
pub(super) fn open_identified(
    files: &dyn Files,
    name: &str,
    magic: [u8; 8],
    ledger_id: LedgerId,
    writable: bool,
) -> Result<(Arc<dyn File>, [u8; 32])> {
    let path = files.describe(name);
    let file = files.open(name, if writable { Open::Write } else { Open::Read }).map_err(|e| match why_no_file(&e) {
        Some(what) => damaged(format!("a file of the vault cannot be used: {what}"), &path),
        None => Error::io(e, "open the vault", &path),
    })?;
    let len = file.len().map_err(|e| Error::io(e, "measure the vault", &path))?;
    if len > FILE_BYTES_MAX {
        return Err(damaged(format!("the file has {len} bytes, more than a vault's can have"), &path).at_offset(FILE_BYTES_MAX));
    }
    let mut b = [0; SECTOR_BYTES];
    file.read_at(&mut b, 0).map_err(|e| Error::io(e, "read the vault", &path))?;
    let secret = decode_identity(&b, magic, ledger_id).map_err(|why| match why {
        IdentityError::Malformed => damaged("the vault's header is damaged".to_owned(), &path).at_offset(0),
        IdentityError::Version(v) => Error::new(ErrorKind::WrongFormat, format!("the vault is of format version {v}"))
            .in_file(&path)
            .advise("open it with a newer version of this program"),
        IdentityError::Other(other) => {
            Error::new(ErrorKind::Damaged, format!("the vault belongs to ledger {other}, not to {ledger_id}"))
                .in_file(&path)
                .advise("put this ledger's own vault here, or none: then personal values read as sealed")
        }
    })?;
    Ok((file, secret))
}

/// A place in memory is an offset in granules.
fn place_of(offset: u64) -> Option<u32> {
    u32::try_from(offset / GRANULE as u64).ok()
}
fn offset_of(place: u32) -> u64 {
    u64::from(place) * GRANULE as u64
}

/// Reads a file through one buffer, forwards.
struct Window<'a> {
    file: &'a dyn File,
    buffer: Vec<u8>,
    start: u64,
    filled: usize,
}
impl<'a> Window<'a> {
    fn new(file: &'a dyn File) -> Self {
        Self { file, buffer: vec![0; WINDOW_BYTES], start: 0, filled: 0 }
    }
    /// `len` bytes at `offset`, fewer at the end of the file.
    fn bytes(&mut self, offset: u64, len: usize) -> io::Result<&[u8]> {
        let within = offset.checked_sub(self.start).and_then(|d| usize::try_from(d).ok()).filter(|d| d + len <= self.filled);
        let at = match within {
            Some(at) => at,
            None => {
                self.filled = self.file.read_at(&mut self.buffer, offset)?;
                self.start = offset;
                0
            }
        };
        Ok(&self.buffer[at..self.filled.min(at + len)])
    }
    /// The first granule from `offset` on that is not all zeros; `to` when there is none before it. A row never begins in between.
    fn past_zeros(&mut self, mut offset: u64, to: u64) -> io::Result<u64> {
        while offset < to {
            let bytes = self.bytes(offset, GRANULE)?;
            if bytes != &[0; GRANULE][..bytes.len()] {
                return Ok(offset);
            }
            offset += GRANULE as u64;
        }
        Ok(to)
    }
}

impl Rows {
    pub(super) fn open(files: &dyn Files, ledger_id: LedgerId, writable: bool) -> Result<Self> {
        let path = files.describe(PATH);
        let (file, _) = open_identified(files, PATH, ROWS_MAGIC, ledger_id, writable)?;
        Ok(Self {
            file,
            path,
            ledger_id,
            directory: Mutex::new(Directory { places: Prefixes::default(), scanned: HEADER_BYTES }),
            end: AtomicU64::new(u64::MAX),
        })
    }
    /// Says where a writer's rows end.
    pub(super) fn set_end(&self, end: u64) {
        self.end.store(end, Ordering::Release);
    }
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
    fn io(&self, error: io::Error, doing: &str) -> Error {
        Error::io(error, doing, &self.path)
    }
    pub(super) fn len(&self) -> Result<u64> {
        self.file.len().map_err(|e| self.io(e, "measure the vault's rows"))
    }
    /// Where the rows end as far as is known here: what follows in a writer's file is reserved space.
    pub(super) fn end(&self) -> Result<u64> {
        Ok(self.len()?.min(self.end.load(Ordering::Acquire)))
    }
    /// The newest sound mark. Without one everything counts as unchecked: slower, and never wrong.
    pub(super) fn mark(&self) -> Result<Mark> {
        let mut best = Mark { checked: HEADER_BYTES, durable: HEADER_BYTES, ..Mark::default() };
        for turn in 0..2 {
            let mut b = [0; SECTOR_BYTES];
            self.file.read_at(&mut b, Mark::place(turn)).map_err(|e| self.io(e, "read the vault's rows"))?;
            if let Some(mark) = Mark::decode(&b, self.ledger_id, Mark::place(turn))
                && mark.sequence >= best.sequence
            {
                best = mark;
            }
        }
        Ok(best)
    }
    /// Where the header holds what it may not: nobody reads that, and it is no longer what was written.
    pub(super) fn misplaced(&self) -> Result<Option<u64>> {
        header_misplaced(&self.file, true, self.ledger_id).map_err(|e| self.io(e, "read the vault's rows"))
    }
    pub(super) fn write_mark(&self, mark: &Mark) -> Result<()> {
        self.write(&mark.encode(self.ledger_id), mark.offset())?;
        self.sync()
    }
    fn write(&self, bytes: &[u8], offset: u64) -> Result<()> {
        self.file.write_at(bytes, offset).map_err(|e| self.io(e, "write the vault's rows").at_offset(offset))
    }
    pub(super) fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|e| self.io(e, "sync the vault's rows"))
    }
    /// Appends encoded rows durably; their space was reserved.
    pub(super) fn append(&self, bytes: &[u8], offset: u64) -> Result<()> {
        self.write(bytes, offset)?;
        self.sync()
    }
    /// Reserves space up to `end`, and unless `sparing` beyond; says how far.
    pub(super) fn allocate(&self, end: u64, sparing: bool) -> Result<u64> {
        if end > ROWS_BYTES_MAX {
            return Err(Error::new(ErrorKind::TooLarge, "the vault is full: its rows hold 512 GiB").in_file(&self.path));
        }
        let step = end.next_power_of_two().clamp(STEP_BYTES_MIN, STEP_BYTES_MAX);
        let ahead = end.next_multiple_of(step);
        if !sparing && self.file.allocate(ahead).is_ok() {
            return Ok(ahead);
        }
        self.file.allocate(end).map_err(|e| self.io(e, "reserve space for the vault's rows"))?;
        Ok(end)
    }
    pub(super) fn set_len(&self, len: u64) -> Result<()> {
        self.file.set_len(len).map_err(|e| self.io(e, "trim the vault's rows"))?;
        self.file.sync_all().map_err(|e| self.io(e, "sync the vault's rows"))
    }

    /// Meets every row from `from` up to `to`, and what lies between rows.
    pub(super) fn scan(&self, from: u64, to: u64, bodies: bool, each: &mut dyn FnMut(Span) -> Result<()>) -> Result<()> {
        let mut window = Window::new(&*self.file);
        let mut offset = from;
        let mut gap = None;
        while offset < to {
            let bytes = window.bytes(offset, ROW_HEADER_BYTES).map_err(|e| self.io(e, "read the vault's rows"))?;
            let mut header = RowHeader::decode(bytes, self.ledger_id, offset);
            if header.is_none() && bytes.starts_with(&super::format::ROW_MAGIC) {
                // Beside a live writer a header may be met half written: it is looked at again, alone. What follows it was done before.
                let mut again = [0; ROW_HEADER_BYTES];
                let got = self.file.read_at(&mut again, offset).map_err(|e| self.io(e, "read the vault's rows"))?;
                header = RowHeader::decode(&again[..got], self.ledger_id, offset);
            }
            let header = header.filter(|h| offset + h.extent() as u64 <= to);
            let Some(header) = header else {
                gap.get_or_insert(offset);
                let next = window.past_zeros(offset + GRANULE as u64, to);
                offset = next.map_err(|e| self.io(e, "read the vault's rows"))?;
                continue;
            };
            if let Some(from) = gap.take() {
                each(Span::Gap { from, to: offset })?;
            }
            let (mut sound, mut clear) = (true, true);
            if bodies {
                let row = window.bytes(offset, header.extent()).map_err(|e| self.io(e, "read the vault's rows"))?;
                let body = row.get(ROW_HEADER_BYTES..).unwrap_or_default();
                match header.state {
                    RowState::Value => sound = self.body_sum(offset, body) == header.body_sum,
                    RowState::Sealed | RowState::Erased | RowState::Void => clear = body.iter().all(|b| *b == 0),
                }
            }
            each(Span::Row { offset, header, sound, clear })?;
            offset += header.extent() as u64;
        }
        match gap {
            Some(from) => each(Span::Gap { from, to }),
            None => Ok(()),
        }
    }
    /// Meets the header and the ciphertext of every sound value, up to where the rows end as far as is known here.
    pub(super) fn each_value(&self, each: &mut dyn FnMut(&RowHeader, &[u8]) -> Result<()>) -> Result<()> {
        let end = self.end()?;
        let mut window = Window::new(&*self.file);
        let mut offset = HEADER_BYTES;
        while offset < end {
            let bytes = window.bytes(offset, ROW_HEADER_BYTES).map_err(|e| self.io(e, "read the vault's rows"))?;
            let Some(header) = RowHeader::decode(bytes, self.ledger_id, offset) else {
                let next = window.past_zeros(offset + GRANULE as u64, end);
                offset = next.map_err(|e| self.io(e, "read the vault's rows"))?;
                continue;
            };
            if header.state == RowState::Value {
                let row = window.bytes(offset, header.extent()).map_err(|e| self.io(e, "read the vault's rows"))?;
                let body = row.get(ROW_HEADER_BYTES..).unwrap_or_default();
                if self.body_sum(offset, body) == header.body_sum {
                    each(&header, body)?;
                }
            }
            offset += header.extent() as u64;
        }
        Ok(())
    }
    /// How many bytes from `from` to `to` are there but for the zeros of reserved space at the end.
    pub(super) fn written_bytes(&self, from: u64, to: u64) -> Result<u64> {
        let mut window = Window::new(&*self.file);
        let (mut offset, mut written) = (from, 0);
        while offset < to {
            let bytes = window.bytes(offset, GRANULE).map_err(|e| self.io(e, "read the vault's rows"))?;
            if let Some(last) = bytes.iter().rposition(|b| *b != 0) {
                written = offset + last as u64 + 1 - from;
            }
            let next = window.past_zeros(offset + GRANULE as u64, to);
            offset = next.map_err(|e| self.io(e, "read the vault's rows"))?;
        }
        Ok(written)
    }
    /// The checksum of a row's ciphertext and padding.
    pub(super) fn body_sum(&self, row_offset: u64, body: &[u8]) -> u32 {
        sum(self.ledger_id, row_offset + ROW_HEADER_BYTES as u64, body)
    }
    /// The row at `offset`, with ciphertext and padding; none when it is not sound.
    pub(super) fn read(&self, offset: u64) -> Result<(Option<RowHeader>, Option<Vec<u8>>)> {
        // Most rows are this short: one read.
        let mut bytes = vec![0; 4 * GRANULE];
        let read = |b: &mut [u8], at| self.file.read_at(b, at).map_err(|e| self.io(e, "read the vault's rows"));
        // Beside a live writer a header may be met half written: it is looked at again.
        let mut header = None;
        for _ in 0..2 {
            bytes.resize(4 * GRANULE, 0);
            let got = read(&mut bytes, offset)?;
            bytes.truncate(got);
            header = RowHeader::decode(bytes.get(..ROW_HEADER_BYTES).unwrap_or_default(), self.ledger_id, offset);
            if header.is_some() {
                break;
            }
        }
        let Some(header) = header else {
            return Ok((None, None));
        };
        if header.extent() > bytes.len() {
            bytes.resize(header.extent(), 0);
            read(&mut bytes, offset)?;
        }
        bytes.truncate(header.extent());
        let body = bytes.split_off(ROW_HEADER_BYTES);
        let sound = self.body_sum(offset, &body) == header.body_sum;
        Ok((Some(header), sound.then_some(body)))
    }

    fn directory(&self) -> MutexGuard<'_, Directory> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Where rows of the commitment may be, among the rows known so far.
    pub(super) fn candidates(&self, commitment: &Commitment) -> Vec<u64> {
        self.directory().places.candidates(&commitment.0).map(offset_of).collect()
    }
    /// Takes rows into the directory that were appended since; says whether there were any.
    pub(super) fn extend(&self) -> Result<bool> {
        let end = self.end()?;
        let mut directory = self.directory();
        let Directory { places, scanned } = &mut *directory;
        let mut gap: Option<u64> = None;
        let mut proven = 0;
        let mut next = *scanned;
        let mut any = false;
        self.scan(*scanned, end, false, &mut |span| {
            match span {
                // A live writer may be filling the gap: what follows it is looked at again unless proven to be older.
                Span::Gap { from, .. } => {
                    gap.get_or_insert(from);
                }
                Span::Row { offset, header, .. } => {
                    proven = proven.max(header.proven);
                    if gap.is_some_and(|from| proven > from) {
                        gap = None;
                    }
                    if header.state != RowState::Void {
                        let place = place_of(offset)
                            .ok_or_else(|| Error::new(ErrorKind::TooLarge, "the vault is larger than 512 GiB"))?;
                        places.insert(&header.commitment.0, place);
                        any = true;
                    }
                    next = offset + header.extent() as u64;
                }
            }
            Ok(())
        })?;
        *scanned = gap.unwrap_or(next);
        Ok(any)
    }

    /// Overwrites the ciphertexts of rows with zeros, then their headers with what is left of them, each step durable.
    pub(super) fn delete(&self, rows: &[(u64, RowHeader)], left: impl Fn(&RowHeader) -> RowHeader) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        for (offset, header) in rows {
            let zeros = vec![0; header.extent() - ROW_HEADER_BYTES];
            self.write(&zeros, offset + ROW_HEADER_BYTES as u64)?;
        }
        // The header still names the slot until the ciphertext is gone: so an interrupted deletion can be taken up again.
        self.sync()?;
        let left: Vec<_> = rows.iter().map(|(offset, header)| (*offset, left(header))).collect();
        self.write_headers(&left)
    }
    /// Writes headers in place, durably.
    pub(super) fn write_headers(&self, rows: &[(u64, RowHeader)]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        for (offset, header) in rows {
            self.write(&header.encode(self.ledger_id, *offset), *offset)?;
        }
        self.sync()
    }
    /// Writes what shows of the rows once more, durably: after a failed sync it may be in the page cache only.
    pub(super) fn rewrite(&self, from: u64, to: u64) -> Result<()> {
        let mut window = Window::new(&*self.file);
        let mut offset = from;
        while offset < to {
            let len = usize::try_from(to - offset).map_or(WINDOW_BYTES, |left| left.min(WINDOW_BYTES));
            let bytes = window.bytes(offset, len).map_err(|e| self.io(e, "read the vault's rows"))?;
            if bytes.is_empty() {
                return Err(self.io(io::ErrorKind::UnexpectedEof.into(), "read the vault's rows").at_offset(offset));
            }
            self.write(bytes, offset)?;
            offset += bytes.len() as u64;
        }
        self.sync()
    }
}
