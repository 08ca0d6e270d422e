//! How a ledger is opened.

use crate::environment::{Clock, IdSource, SystemClock, SystemIds};
use crate::ledger::Ledger;
use crate::reader::Reader;
use sovang_core::{Date, Error, ErrorKind, Event, LedgerId, RecordId, Result, calendar, limits};
use sovang_storage::disk::DiskFiles;
use sovang_storage::files::Files;
use sovang_storage::log::Identity;
use sovang_storage::memory::MemoryFiles;
use sovang_storage::store::{Store, StoreOptions, View};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use sovang_storage::store::Durability;

/// How to open or create a ledger; the defaults are those of [`Ledger::create`] and [`Ledger::open`].
///
/// ```no_run
/// use sovang::{Durability, Ledger, Options, recognition::Recognition};
/// let ledger: Ledger<Recognition> = Options::new().durability(Durability::Strict).open("golden-book")?;
/// # Ok::<(), sovang::Error>(())
/// ```
#[derive(Clone)]
pub struct Options {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    durability: Durability,
    segment_bytes: u64,
    queue: usize,
    cache_bytes: usize,
    utc_offset_seconds: i32,
    rest_after: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            durability: Durability::Grouped,
            segment_bytes: limits::SEGMENT_BYTES_DEFAULT,
            queue: 4096,
            cache_bytes: 32 << 20,
            utc_offset_seconds: 0,
            rest_after: Duration::from_millis(25),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("durability", &self.durability)
            .field("segment_bytes", &self.segment_bytes)
            .field("queue", &self.queue)
            .field("cache_bytes", &self.cache_bytes)
            .field("utc_offset_seconds", &self.utc_offset_seconds)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// Whose time is recorded.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
    /// Whence ids, salts and keys are drawn.
    #[must_use]
    pub fn ids(mut self, ids: impl IdSource) -> Self {
        self.ids = Arc::new(ids);
        self
    }
    /// What is durable before an append is answered: see [`Durability`].
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }
    /// Bytes of a segment file before the log rotates: 64 MiB by default, at most 1 GiB.
    #[must_use]
    pub fn segment_bytes(mut self, bytes: u64) -> Self {
        self.segment_bytes = bytes.min(limits::SEGMENT_BYTES_MAX);
        self
    }
    /// How many submissions may wait for the writer before `submit` blocks: 4,096 by default.
    #[must_use]
    pub fn queue(mut self, submissions: usize) -> Self {
        self.queue = submissions.max(1);
        self
    }
    /// Bytes of memory for index pages: 32 MiB by default.
    #[must_use]
    pub fn cache_bytes(mut self, bytes: usize) -> Self {
        self.cache_bytes = bytes;
        self
    }
    /// How long the writer waits for more before it syncs what it otherwise leaves to the next batch: 25 ms by default. A longer
    /// rest widens the window that docs/RELIABILITY.md states; every `Ok` is durable all the same.
    #[must_use]
    pub fn rest_after(mut self, idle: Duration) -> Self {
        self.rest_after = idle;
        self
    }
    /// What `today()` and `as_of(date)` mean, in whole seconds east of UTC; UTC by default. Hà Nội is `7 * 3600`.
    #[must_use]
    pub fn utc_offset(mut self, seconds_east: i32) -> Self {
        self.utc_offset_seconds = seconds_east;
        self
    }

    /// Creates a ledger in `directory`, which is made with its parents and must be empty.
    ///
    /// `origin` names the ledger for ever: a C2SP key name such as `example.org/golden-book`.
    ///
    /// # Errors
    /// `NotEmpty`, `InvalidInput` for the origin, or what the system refuses.
    pub fn create<E: Event>(&self, directory: impl AsRef<Path>, origin: &str) -> Result<Ledger<E>> {
        self.create_in(Arc::new(DiskFiles::new(directory.as_ref())), origin)
    }
    /// Opens the ledger in `directory` for recording. It recovers what an interrupted writer left.
    ///
    /// # Errors
    /// `Locked`, `NotALedger`, `WrongSchema`, `WrongFormat`, `Damaged`, or what the system refuses.
    pub fn open<E: Event>(&self, directory: impl AsRef<Path>) -> Result<Ledger<E>> {
        self.open_in(Arc::new(DiskFiles::new(directory.as_ref())))
    }
    /// Opens the ledger in `directory`, or creates it: a service's second start is not an error.
    ///
    /// # Errors
    /// As [`Self::create`] and [`Self::open`]; `InvalidInput` when the ledger there has another origin.
    pub fn open_or_create<E: Event>(&self, directory: impl AsRef<Path>, origin: &str) -> Result<Ledger<E>> {
        let ledger = match self.open(directory.as_ref()) {
            Err(e) if e.kind() == ErrorKind::NotALedger => self.create(directory.as_ref(), origin)?,
            opened => opened?,
        };
        if ledger.origin() != origin {
            let there = format!("the ledger there is {:?}, not {origin:?}", ledger.origin());
            return Err(Error::new(ErrorKind::InvalidInput, there).in_file(directory.as_ref()));
        }
        Ok(ledger)
    }
    /// Opens the ledger in `directory` for reading: no lock is taken and nothing written, also beside a live writer.
    ///
    /// # Errors
    /// `NotALedger`, `WrongSchema`, `WrongFormat`, `Damaged`, or what the system refuses.
    pub fn open_read_only<E: Event>(&self, directory: impl AsRef<Path>) -> Result<Reader<E>> {
        let files: Arc<dyn Files> = Arc::new(DiskFiles::new(directory.as_ref()));
        Ok(Reader::new(View::open(files, schema::<E>(), &self.store_options())?, self.clone()))
    }
    /// A ledger in memory, gone with its last handle: for tests.
    ///
    /// # Errors
    /// `InvalidInput` for the origin.
    pub fn in_memory<E: Event>(&self, origin: &str) -> Result<Ledger<E>> {
        self.create_in(Arc::new(MemoryFiles::default()), origin)
    }

    fn create_in<E: Event>(&self, files: Arc<dyn Files>, origin: &str) -> Result<Ledger<E>> {
        check_origin(origin)?;
        let Some(schema) = schema::<E>() else {
            return Err(Error::new(ErrorKind::InvalidInput, "a ledger of raw events cannot be created"));
        };
        let mut id = [0; 16];
        self.ids.fill_aside(&mut id)?;
        let identity = Identity { ledger_id: LedgerId(id), origin: origin.to_owned(), schema: schema.to_owned() };
        Ok(Ledger::new(Store::create(files, identity, self.store_options())?, self.clone()))
    }
    fn open_in<E: Event>(&self, files: Arc<dyn Files>) -> Result<Ledger<E>> {
        let Some(schema) = schema::<E>() else {
            return Err(Error::new(ErrorKind::InvalidInput, "raw events cannot be recorded").advise("open the ledger read-only"));
        };
        Ok(Ledger::new(Store::open(files, self.store_options(), Some(schema))?, self.clone()))
    }
    fn store_options(&self) -> StoreOptions {
        let (clock, ids) = (Arc::clone(&self.clock), Arc::clone(&self.ids));
        StoreOptions {
            segment_bytes: self.segment_bytes,
            durability: self.durability,
            queue: self.queue,
            cache_bytes: self.cache_bytes,
            clock: Arc::new(move || calendar::micros_of(clock.now())),
            utc_offset_seconds: self.utc_offset_seconds,
            random: Arc::new(move |bytes| ids.fill_aside(bytes)),
        }
    }
    pub(crate) fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        self.ids.fill(bytes)
    }
    /// A version 7 id of this moment.
    pub(crate) fn fresh_id(&self) -> Result<RecordId> {
        let mut random = [0; 10];
        self.fill(&mut random)?;
        let millis = calendar::micros_of(self.clock.now()).div_euclid(1000);
        Ok(RecordId::v7(u64::try_from(millis).unwrap_or(0), random))
    }
    /// The day it is, at the offset of [`Self::utc_offset`].
    pub(crate) fn today(&self) -> Result<Date> {
        let micros = calendar::micros_of(self.clock.now()) + self.offset_micros();
        Ok(calendar::date_of(i32::try_from(micros.div_euclid(calendar::DAY_MICROS)).unwrap_or(i32::MAX))?)
    }
    pub(crate) fn rest(&self) -> Duration {
        self.rest_after
    }
    pub(crate) fn offset_micros(&self) -> i64 {
        i64::from(self.utc_offset_seconds) * 1_000_000
    }
}

fn schema<E: Event>() -> Option<&'static str> {
    Some(E::SCHEMA).filter(|s| !s.is_empty())
}

/// A C2SP key name: not empty, no Unicode space, no plus sign; here also no control character and at most 255 bytes.
fn check_origin(origin: &str) -> Result<()> {
    let what = if origin.is_empty() {
        "is empty"
    } else if origin.len() > limits::ORIGIN_BYTES_MAX {
        "is longer than 255 bytes"
    } else if origin.chars().any(|c| c.is_whitespace() || c.is_control()) {
        "holds a space or control character"
    } else if origin.contains('+') {
        "holds a plus sign"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::InvalidInput, format!("the origin {origin:?} {what}"))
        .advise("an origin is a name like example.org/golden-book"))
}
