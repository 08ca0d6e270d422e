//! The single writer of a log: appending, durability, rotation.

use super::batch::{BATCH_FIXED_BYTES, BATCH_HEADER_BYTES, BatchHeader, Proven, RECORD_SUM_BYTES, Trailer};
use super::check::digest_of_sound;
use super::evidence::{read_end, read_head};
use super::head::HEAD_FILE;
use super::head_writer::HeadWriter;
use super::recovery::decide;
use super::repair::{Repaired, fill_segment, repair, write_seal};
use super::segment::{SEAL_BYTES, SEGMENT_HEADER_BYTES, SegmentHeader, Sums, seal, segment_path};
use super::segments::Segments;
use super::{Cursor, End, Identity, Location, LogOptions, Random, Recovered, Written, create, identity};
use crate::files::{File, Files, Open};
use sovang_core::limits::{BATCH_BYTES_MAX, SEGMENT_BYTES_MAX};
use sovang_core::record::Prepared;
use sovang_core::tree::leaf_hash;
use sovang_core::{Error, ErrorKind, Head, Position, Result, hash};
use std::fmt;
use std::io;
use std::sync::Arc;

pub(crate) const LOCK_FILE: &str = "lock";
/// Space is reserved in steps that double from this one …
pub(super) const FIRST_STEP_BYTES: u64 = 1 << 20;
/// … to this one.
const LAST_STEP_BYTES: u64 = 64 << 20;

/// The single writer of a log. Synchronous: the store's writer thread owns it.
///
/// After any failed write, sync or rename it is *poisoned*: nothing more is written, since nobody can tell what the disk
/// has. Opening again reads the disk and goes on from what it holds.
pub struct Log {
    files: Arc<dyn Files>,
    options: LogOptions,
    identity: Identity,
    segments: Arc<Segments>,
    /// Salts are drawn from it: a payload cannot foresee them.
    salt_seed: [u8; 32],
    head: HeadWriter,
    /// The last segment, its checksums, how much of it is reserved, and how much more to reserve next, if not just what is needed.
    file: Arc<dyn File>,
    sums: Sums,
    allocated: u64,
    step: u64,
    /// The running digest of the last segment, when it has covered all of it.
    digest: Option<blake3::Hasher>,
    end: End,
    buffer: Vec<u8>,
    poisoned: bool,
    _lock: Box<dyn Send + Sync>,
}

/// Takes the writer's lock.
pub(super) fn lock(files: &dyn Files) -> Result<Box<dyn Send + Sync>> {
    files.lock(LOCK_FILE).map_err(|e| match e.kind() {
        io::ErrorKind::WouldBlock => Error::new(ErrorKind::Locked, "another process has the ledger open for recording")
            .in_file(files.describe(LOCK_FILE))
            .advise("close it there first; reading needs no lock"),
        io::ErrorKind::NotFound => Error::new(ErrorKind::Damaged, "the ledger's lock file is missing")
            .in_file(files.describe(LOCK_FILE))
            .advise("make sure that no process records into this ledger, then create `lock` as an empty file"),
        _ => Error::io(e, "lock the ledger", files.describe(LOCK_FILE)),
    })
}

impl Log {
    /// Creates the log of a new ledger, durably. After a failure it can be called again.
    ///
    /// # Errors
    /// [`ErrorKind::NotEmpty`] when the directory holds anything but what an interrupted creation left;
    /// [`ErrorKind::InvalidInput`] or [`ErrorKind::TooLarge`] for an origin or schema that cannot be; those of the system.
    pub fn create(files: &Arc<dyn Files>, identity: &Identity, random: Random<'_>) -> Result<()> {
        create::create(&**files, identity, random, &|| Ok(()))
    }
    /// As [`Self::create`]; `beside` makes what must be there, durably, before there is a ledger, and may be called again.
    ///
    /// # Errors
    /// As there, and those of `beside`.
    pub fn create_with(
        files: &Arc<dyn Files>,
        identity: &Identity,
        random: Random<'_>,
        beside: &dyn Fn() -> Result<()>,
    ) -> Result<()> {
        create::create(&**files, identity, random, beside)
    }

    /// Opens the log for writing: takes the lock and, where the last writer did not close it, recovers.
    ///
    /// # Errors
    /// [`ErrorKind::NotALedger`], [`ErrorKind::WrongFormat`], [`ErrorKind::Locked`]; [`ErrorKind::Damaged`] when bytes
    /// that were durable are missing or changed, and then nothing was modified; those of the system.
    pub fn open(files: Arc<dyn Files>, options: LogOptions, random: Random<'_>) -> Result<(Self, Recovered)> {
        if options.segment_bytes > SEGMENT_BYTES_MAX {
            let what =
                format!("segments of {} bytes are larger than SEGMENT_BYTES_MAX = {SEGMENT_BYTES_MAX}", options.segment_bytes);
            return Err(Error::new(ErrorKind::InvalidInput, what));
        }
        let identity = identity::read(&*files)?;
        let lock = lock(&*files)?;
        let mut salt_seed = [0; 32];
        random(&mut salt_seed)?;
        let head = read_head(&*files, identity.ledger_id)?;
        let reading = read_end(&*files, identity.ledger_id, &head, Open::Write)?;
        let plan = decide(&reading.scan, &head.claims_from(&reading.scan), true).map_err(|damage| damage.error(&*files))?;
        let sums = reading.header.sums();
        let digest = digest_of_start(&reading.header_bytes, plan.end.next.offset);
        let Repaired { recovered, head, file } = repair(&*files, &head, reading, &plan)?;
        // A file's length reserves nothing: a copy may have holes.
        let allocated = plan.end.next.offset;
        let segments = Arc::new(Segments::new(Arc::clone(&files), identity.ledger_id));
        let log = Self {
            files,
            options,
            identity,
            segments,
            salt_seed,
            head,
            file,
            sums,
            allocated,
            step: FIRST_STEP_BYTES,
            digest,
            end: plan.end,
            buffer: Vec::new(),
            poisoned: false,
            _lock: lock,
        };
        Ok((log, recovered))
    }

    /// Who the ledger is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }
    /// The durable head.
    #[must_use]
    pub fn head(&self) -> Head {
        self.end.head()
    }
    /// The last record's `recorded_at` in microseconds; 0 when there is none.
    #[must_use]
    pub fn last_recorded_at(&self) -> i64 {
        self.end.last_recorded_at
    }
    /// Where the next batch starts, unless the segment is rotated before it.
    #[must_use]
    pub fn next(&self) -> Cursor {
        self.end.next
    }
    /// The log's end.
    #[must_use]
    pub fn end(&self) -> &End {
        &self.end
    }
    /// The reading side.
    #[must_use]
    pub fn segments(&self) -> &Arc<Segments> {
        &self.segments
    }
    /// Whether an earlier failure forbids any further write.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    /// Appends one batch of records, which are stamped; durable on return.
    ///
    /// # Errors
    /// With the records' ids. [`ErrorKind::NoSpace`] when there was no space for it, [`ErrorKind::TooLarge`] for more than
    /// [`BATCH_BYTES_MAX`], [`ErrorKind::InvalidInput`] for no record or a `recorded_at` that goes back: nothing of the
    /// batch was written and the log stays usable. [`ErrorKind::Poisoned`]: the outcome is unknown, see [`Log`].
    pub fn append(&mut self, records: &[Prepared]) -> Result<Written> {
        self.append_batch(records).map_err(|error| error.with_ids(records.iter().map(Prepared::id)))
    }

    fn append_batch(&mut self, records: &[Prepared]) -> Result<Written> {
        self.check_usable()?;
        let bytes = self.check_records(records)?;
        let room = bytes + SEAL_BYTES as u64;
        if self.is_for_next_segment(room) {
            self.rotate()?;
        }
        self.make_room(room)?;
        let (written, end) = self.build(records);
        debug_assert_eq!(self.buffer.len() as u64, bytes);
        let synced = self.file.write_at(&self.buffer, self.end.next.offset).and_then(|()| self.file.sync_data());
        self.must(synced, "write a batch")?;
        if let Some(digest) = &mut self.digest {
            digest.update(&self.buffer);
        }
        self.end = end;
        // The head in the file may lag behind the log, never lead it.
        let head = self.head.write(&self.end);
        self.must_head(head)?;
        if self.options.strict {
            let synced = self.head.sync();
            self.must_head(synced)?;
        }
        Ok(written)
    }

    fn check_usable(&self) -> Result<()> {
        if self.poisoned {
            return Err(Error::new(ErrorKind::Poisoned, "an earlier write to the ledger failed, so nothing more is written")
                .in_file(self.files.describe(""))
                .advise("reopen the ledger, then send the same ids again"));
        }
        Ok(())
    }

    /// The batch's bytes on disk.
    fn check_records(&self, records: &[Prepared]) -> Result<u64> {
        let refuse = |what: &str| Error::new(ErrorKind::InvalidInput, what);
        if records.is_empty() {
            return Err(refuse("a batch needs a record"));
        }
        let bytes = BATCH_FIXED_BYTES + records.iter().map(|record| record.len() + RECORD_SUM_BYTES).sum::<usize>();
        if bytes > BATCH_BYTES_MAX {
            return Err(Error::too_large("a batch", bytes, "BATCH_BYTES_MAX", BATCH_BYTES_MAX).advise("record fewer at once"));
        }
        let mut last = if self.end.next.position == 0 { i64::MIN } else { self.end.last_recorded_at };
        for record in records {
            if record.recorded_at() < last {
                return Err(refuse("recorded_at goes back"));
            }
            last = record.recorded_at();
        }
        Ok(bytes as u64)
    }

    /// Fills the buffer with the batch, and says what the log is after it.
    fn build(&mut self, records: &[Prepared]) -> (Written, End) {
        let Cursor { segment, offset: start, batch, position: first } = self.end.next;
        let mut frontier = self.end.frontier.clone();
        let (mut locations, mut hashes) = (Vec::with_capacity(records.len()), Vec::with_capacity(records.len()));
        let buffer = &mut self.buffer;
        buffer.clear();
        buffer.resize(BATCH_HEADER_BYTES, 0);
        for (position, record) in (first..).zip(records) {
            let offset = start + buffer.len() as u64;
            buffer.extend_from_slice(record.bytes());
            buffer.extend_from_slice(&self.sums.sum(offset, position, batch, record.bytes()).to_le_bytes());
            let hash = record.hash(Position(position));
            frontier.push(leaf_hash(&hash));
            locations.push(Location { segment, offset, batch });
            hashes.push(hash);
        }
        let proven = self.end.head();
        let header = BatchHeader {
            // A batch is at most BATCH_BYTES_MAX long, which is checked.
            count: u32::try_from(records.len()).unwrap_or(u32::MAX),
            records_bytes: u32::try_from(buffer.len() - BATCH_HEADER_BYTES).unwrap_or(u32::MAX),
            number: batch,
            first,
            end_size: frontier.size().0,
            root: frontier.root(),
            proven: Proven { offset: start, size: proven.size.0, root: proven.root },
        };
        let trailer_at = start + buffer.len() as u64;
        Trailer::of(&header).put(buffer, self.sums, trailer_at);
        let mut header_bytes = Vec::with_capacity(BATCH_HEADER_BYTES);
        header.put(&mut header_bytes, self.sums, start);
        buffer[..BATCH_HEADER_BYTES].copy_from_slice(&header_bytes);
        let head = frontier.head();
        let last_recorded_at = records.last().map_or(self.end.last_recorded_at, Prepared::recorded_at);
        let end = End { frontier, next: header.after(&self.end.next), last_recorded_at };
        (Written { first: Position(first), locations, hashes, head }, end)
    }

    /// Reserves disk space for a batch of so many records of so many bytes in all, if it will go into this segment.
    ///
    /// # Errors
    /// [`ErrorKind::NoSpace`]; the log stays usable. [`ErrorKind::Poisoned`] when it is.
    pub fn reserve_batch(&mut self, records: usize, bytes: u64) -> Result<()> {
        self.check_usable()?;
        let room = bytes + (BATCH_FIXED_BYTES + records * RECORD_SUM_BYTES + SEAL_BYTES) as u64;
        if self.is_for_next_segment(room) { Ok(()) } else { self.make_room(room) }
    }
    fn is_for_next_segment(&self, room: u64) -> bool {
        self.end.next.offset > SEGMENT_HEADER_BYTES as u64 && self.end.next.offset + room > self.options.segment_bytes
    }

    /// Sees to it that `room` bytes after the end are reserved. A failure leaves everything as it was.
    fn make_room(&mut self, room: u64) -> Result<()> {
        let need = self.end.next.offset + room;
        if need <= self.allocated {
            return Ok(());
        }
        let mut len = (self.allocated + self.step).min(self.options.segment_bytes).max(need);
        while let Err(e) = self.file.allocate(len) {
            if len == need {
                return Err(no_space(&*self.files, e, &segment_path(self.end.next.segment)));
            }
            len = need;
        }
        self.allocated = len;
        self.step = (self.step * 2).min(LAST_STEP_BYTES);
        Ok(())
    }

    /// From now on reserves no more than is needed: the space that is left was counted to the byte.
    pub fn spare(&mut self) {
        self.step = 0;
    }

    /// Starts the next segment. The order of these steps is the protocol's: docs/FORMAT.md §4, and recovery relies on it.
    fn rotate(&mut self) -> Result<()> {
        self.idle()?;
        let number = self.end.next.segment + 1;
        let predecessor_digest = self.segment_digest()?;
        let mut start = self.end.clone();
        start.next = Cursor { segment: number, offset: SEGMENT_HEADER_BYTES as u64, ..start.next };
        let header = SegmentHeader {
            ledger_id: self.identity.ledger_id,
            salt: self.salt(number),
            predecessor_length: self.end.next.offset,
            predecessor_digest,
            start,
        };
        let header_bytes = header.encode();
        let step = FIRST_STEP_BYTES.min(if self.step == 0 { 0 } else { self.options.segment_bytes });
        let allocated = step.max(SEGMENT_HEADER_BYTES as u64);
        let file = self.create_segment(number, allocated)?;
        let placed = fill_segment(&*self.files, number, &*file, &header_bytes);
        self.must(placed, "put the next segment in place")?;
        let sealed = write_seal(&*self.file, &seal(self.sums, &self.end), &self.end);
        self.must(sealed, "seal a segment")?;
        self.sums = header.sums();
        self.end = header.start;
        self.digest = digest_of_start(&header_bytes, self.end.next.offset);
        self.file = file;
        self.allocated = allocated;
        self.step = if self.step == 0 { 0 } else { FIRST_STEP_BYTES };
        Ok(())
    }

    /// Creates the file of the next segment under its temporary name. No harm is done when that fails.
    fn create_segment(&self, number: u64, len: u64) -> Result<Arc<dyn File>> {
        let temporary = format!("{}.tmp", segment_path(number));
        let file = self.files.open(&temporary, Open::Create);
        file.and_then(|file| file.allocate(len).map(|()| file)).map_err(|e| no_space(&*self.files, e, &temporary))
    }

    /// The digest of all of the last segment. What an earlier writer left in it is read again and must be sound: the successor's header
    /// vouches for these bytes for ever.
    fn segment_digest(&self) -> Result<[u8; 32]> {
        match &self.digest {
            Some(digest) => Ok(*digest.finalize().as_bytes()),
            None => digest_of_sound(&*self.files, &self.file, self.identity.ledger_id, &self.end),
        }
    }

    fn salt(&self, segment: u64) -> [u8; 16] {
        let drawn = blake3::keyed_hash(&self.salt_seed, &segment.to_le_bytes());
        let mut salt = [0; 16];
        salt.copy_from_slice(&drawn.as_bytes()[..16]);
        salt
    }

    /// Makes the head in the file durable, in two of its slots. To be called when there is nothing to append for a while.
    ///
    /// # Errors
    /// [`ErrorKind::Poisoned`].
    pub fn idle(&mut self) -> Result<()> {
        self.check_usable()?;
        let settled = self.head.settle(&self.end);
        self.must_head(settled)
    }

    /// Closes the log: head and log durable, reserved space given back. A log that is only dropped loses nothing either;
    /// the next writer has a little more to read.
    ///
    /// # Errors
    /// [`ErrorKind::Poisoned`].
    pub fn close(mut self) -> Result<()> {
        self.idle()?;
        let trimmed = self.file.set_len(self.end.next.offset).and_then(|()| self.file.sync_all());
        self.must(trimmed, "trim the log")
    }

    /// Poisons the log when a step on the last segment failed.
    fn must<T>(&mut self, result: io::Result<T>, doing: &str) -> Result<T> {
        result.map_err(|e| self.poison(e, doing, &segment_path(self.end.next.segment)))
    }
    fn must_head(&mut self, result: io::Result<()>) -> Result<()> {
        result.map_err(|e| self.poison(e, "write the durable head", HEAD_FILE))
    }
    fn poison(&mut self, e: io::Error, doing: &str, path: &str) -> Error {
        self.poisoned = true;
        Error::new(ErrorKind::Poisoned, format!("cannot {doing}, so its outcome is unknown"))
            .in_file(self.files.describe(path))
            .caused_by(e)
            .advise("reopen the ledger, then send the same ids again")
    }
}

/// A running digest of a segment, when it has nothing but its header so far.
fn digest_of_start(header: &[u8], end: u64) -> Option<blake3::Hasher> {
    (end == SEGMENT_HEADER_BYTES as u64).then(|| {
        let mut hasher = hash::segment_hasher();
        hasher.update(header);
        hasher
    })
}

fn no_space(files: &dyn Files, e: io::Error, path: &str) -> Error {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    if !matches!(e.kind(), StorageFull | QuotaExceeded | FileTooLarge) {
        return Error::io(e, "reserve space for the next batch", files.describe(path));
    }
    Error::new(ErrorKind::NoSpace, "cannot reserve space for the next batch; nothing of it was written")
        .in_file(files.describe(path))
        .caused_by(e)
        .advise("free some space, then send the same ids again")
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Log({}, size {})", self.identity.origin, self.end.next.position)
    }
}
