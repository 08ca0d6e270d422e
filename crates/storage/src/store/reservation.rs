//! Space set aside for a bulk import, so that a full disk is met before its first batch.
//!
//! A file of that size holds the space beside log, index and vault, which then grow as always. When one of them finds the
//! disk full, the writer gives the reserved space back and tries once more.

use crate::files::{Files, Open};
use crate::sync::Mutex;
use sovang_core::{Error, Result};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, Weak};

const PREFIX: &str = "reserve-";
const SUFFIX: &str = ".tmp";

/// Space for a bulk import. Dropping it gives back what is left.
#[must_use = "the space is held as long as this is"]
pub struct Reservation(Arc<Held>);

struct Held {
    files: Arc<dyn Files>,
    path: String,
    bytes: u64,
    given_back: AtomicBool,
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reservation({} bytes)", self.0.bytes)
    }
}

impl Held {
    /// Whether it had not been given back before.
    fn give_back(&self) -> bool {
        if self.given_back.swap(true, Ordering::AcqRel) {
            return false;
        }
        // What cannot be removed is removed by the next opening.
        self.files.remove(&self.path).is_ok()
    }
}
impl Drop for Held {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// The reservations of a store.
#[derive(Default)]
pub(super) struct Reservations {
    held: Mutex<Vec<Weak<Held>>>,
    made: AtomicU64,
}

impl Reservations {
    pub(super) fn make(&self, files: &Arc<dyn Files>, bytes: u64) -> Result<Reservation> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let path = format!("{PREFIX}{number}{SUFFIX}");
        let fail = |e| {
            Error::io(e, &format!("set {bytes} bytes aside"), files.describe(""))
                .advise("free space on that disk, then do the same again")
        };
        let file = files.open(&path, Open::Create).map_err(fail)?;
        // From here on a failure removes the file.
        let held = Arc::new(Held { files: Arc::clone(files), path, bytes, given_back: AtomicBool::new(false) });
        file.allocate(bytes).map_err(fail)?;
        let mut all = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|h| h.strong_count() > 0);
        all.push(Arc::downgrade(&held));
        Ok(Reservation(held))
    }
    /// Gives all reserved space back; says whether there was any.
    pub(super) fn give_back(&self) -> bool {
        let all = std::mem::take(&mut *self.held.lock().unwrap_or_else(PoisonError::into_inner));
        let mut any = false;
        for held in all.iter().filter_map(Weak::upgrade) {
            any |= held.give_back();
        }
        any
    }
}

/// Removes what a writer that was killed had set aside. Failing to harms nothing.
pub(super) fn remove_leftovers(files: &dyn Files) {
    for name in files.list("").unwrap_or_default() {
        if name.starts_with(PREFIX) && name.ends_with(SUFFIX) {
            let _ = files.remove(&name);
        }
    }
}
