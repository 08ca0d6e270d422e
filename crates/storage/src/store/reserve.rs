//! Space set aside for a bulk import, so that a full disk is met before the first batch.

use crate::files::{File, Files, Open};
use sovang_core::{Error, Result};
use std::sync::Arc;

const PATH: &str = "import.tmp";
/// The log, the index and the vault reserve ahead in steps; so much is left to them.
const AHEAD_BYTES: u64 = 192 << 20;

/// Space that is held until it is needed. Dropping it gives all of it back.
pub struct Reservation {
    files: Arc<dyn Files>,
    file: Option<Arc<dyn File>>,
    held: u64,
}

impl Reservation {
    pub(super) fn new(files: Arc<dyn Files>, bytes: u64) -> Result<Self> {
        let fail = |e: std::io::Error| Error::io(e, &format!("set {bytes} bytes aside for the import"), files.describe(""));
        let mut reservation = Self { file: Some(files.open(PATH, Open::Create).map_err(fail)?), held: bytes, files: Arc::clone(&files) };
        if let Some(file) = &reservation.file {
            file.allocate(bytes).map_err(fail)?;
        }
        reservation.keep(bytes);
        Ok(reservation)
    }
    /// Gives back all but what `bytes` still to be written will need. Failing to is no fault: the space is given back at the end.
    pub fn keep(&mut self, bytes: u64) {
        let hold = bytes.saturating_sub(AHEAD_BYTES);
        if let Some(file) = &self.file
            && hold < self.held
            && file.set_len(hold).is_ok()
        {
            self.held = hold;
        }
        if self.held == 0 {
            self.give_back();
        }
    }
    fn give_back(&mut self) {
        if self.file.take().is_some() {
            // A leftover is ignored by every reader and replaced by the next import.
            let _ = self.files.remove(PATH);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.give_back();
    }
}
impl std::fmt::Debug for Reservation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reservation({} bytes)", self.held)
    }
}
