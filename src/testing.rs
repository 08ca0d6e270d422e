//! The test kit: ledgers in memory, a clock that is set by hand, ids from a seed, and decisions without a store.

use crate::environment::{Clock, IdSource};
use crate::ledger::Ledger;
use crate::options::Options;
use sovang_core::{Error, ErrorKind, Event, Result, UtcDateTime, calendar, shape};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

pub use sovang_projection::testing::given;

/// A clock that stands still until it is told otherwise. Clones share the time.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);
impl ManualClock {
    /// At this instant.
    #[must_use]
    pub fn at(start: UtcDateTime) -> Self {
        Self(Arc::new(AtomicI64::new(calendar::micros_of(start))))
    }
    /// Sets the time.
    pub fn set(&self, now: UtcDateTime) {
        self.0.store(calendar::micros_of(now), Ordering::Relaxed);
    }
    /// Moves the time on.
    pub fn advance(&self, by: std::time::Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}
impl Clock for ManualClock {
    fn now(&self) -> UtcDateTime {
        calendar::instant_of(self.0.load(Ordering::Relaxed)).unwrap_or(UtcDateTime::UNIX_EPOCH)
    }
}

/// Where the draws for what callers do not record start: never reached by the others.
const ASIDE: u64 = 1 << 63;

/// Ids, salts and keys from a seed. The same seed and the same calls of one thread give the same records and the same root, however
/// the writer groups them. An erasure's handle is the writer's draw: for the same one, wait for the calls before it. For tests
/// only: what it gives can be guessed.
#[derive(Debug)]
pub struct SeededIds {
    seed: u64,
    drawn: AtomicU64,
    drawn_aside: AtomicU64,
}
impl SeededIds {
    /// From this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, drawn: AtomicU64::new(0), drawn_aside: AtomicU64::new(ASIDE) }
    }
    fn draw(&self, from: &AtomicU64, bytes: &mut [u8]) {
        let draw = from.fetch_add(1, Ordering::Relaxed);
        let mut material = [0; 16];
        material[..8].copy_from_slice(&self.seed.to_le_bytes());
        material[8..].copy_from_slice(&draw.to_le_bytes());
        sovang_core::hash::stream(&material, bytes);
    }
}
impl IdSource for SeededIds {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        self.draw(&self.drawn, bytes);
        Ok(())
    }
    fn fill_aside(&self, bytes: &mut [u8]) -> Result<()> {
        self.draw(&self.drawn_aside, bytes);
        Ok(())
    }
}

/// A ledger in memory.
///
/// # Panics
/// When it cannot be made, which would be a defect of this library.
#[must_use]
#[expect(clippy::expect_used, reason = "a test kit fails by panicking")]
pub fn ledger<E: Event>() -> Ledger<E> {
    Options::new().in_memory("example.org/test").expect("a ledger in memory")
}

/// Asserts that the shape of every kind and version is still what the file lists. A missing file fails too, with the text to save.
///
/// A published shape never changes: a changed payload gets a new version and an arm in `decode` for the old one.
///
/// # Panics
/// When a listed shape has changed or is gone, or the file cannot be read. New lines are reported likewise: add them to the file yourself.
#[expect(clippy::panic, reason = "an assertion")]
pub fn assert_schema_locked<E: Event>(path: impl AsRef<Path>) {
    if let Err(error) = schema_locked::<E>(path.as_ref()) {
        panic!("{error}");
    }
}
fn schema_locked<E: Event>(path: &Path) -> Result<()> {
    let now = shape::listing::<E>()?;
    let locked = match std::fs::read_to_string(path) {
        Ok(locked) => locked,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::new(ErrorKind::NotFound, format!("the schema's listing is not there; it would be:\n{now}"))
                .in_file(path)
                .advise("save these lines there and commit the file"));
        }
        Err(e) => return Err(Error::io(e, "read the schema's listing", path)),
    };
    if locked == now {
        return Ok(());
    }
    let gone: Vec<&str> = locked.lines().filter(|line| !now.lines().any(|n| n == *line)).collect();
    let new: Vec<&str> = now.lines().filter(|line| !locked.lines().any(|l| l == *line)).collect();
    Err(Error::new(
        ErrorKind::Codec,
        format!(
            "the schema is not what is locked\nlocked, but no longer so:\n{}\nnot in the file:\n{}",
            gone.join("\n"),
            new.join("\n")
        ),
    )
    .in_file(path)
    .advise("a changed payload needs a new version; lines that are only new belong into the file"))
}
