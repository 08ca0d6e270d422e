//! The two things a ledger takes from the world around it: the time, and random bytes. Both are injected, so that the same inputs give the same root.

use sovang_core::{Error, ErrorKind, Result, UtcDateTime};

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> UtcDateTime;
}

/// The system's clock. It may jump: `recorded_at` never goes back all the same, because the writer keeps the last one.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;
impl Clock for SystemClock {
    fn now(&self) -> UtcDateTime {
        UtcDateTime::now()
    }
}

/// Draws the random bytes of which ids, salts and keys are made.
pub trait IdSource: Send + Sync + 'static {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// When no random bytes are to be had.
    fn fill(&self, bytes: &mut [u8]) -> Result<()>;
    /// Fills `bytes` for what callers do not record: a ledger's id, keys and nonces, salts of files. The writer draws these on its
    /// own thread, so a source that is to be repeatable keeps them apart from what [`Self::fill`] gives.
    ///
    /// # Errors
    /// As [`Self::fill`].
    fn fill_aside(&self, bytes: &mut [u8]) -> Result<()> {
        self.fill(bytes)
    }
}

/// The system's random source.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemIds;
impl IdSource for SystemIds {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        getrandom::fill(bytes).map_err(|e| Error::new(ErrorKind::Io, "the system gave no random bytes").caused_by(e))
    }
}
