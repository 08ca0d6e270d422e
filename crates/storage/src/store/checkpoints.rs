//! The files of `checkpoints/` (docs/FORMAT.md §11.2), as bytes: who reads them knows what they say. Any process may add to them,
//! beside a live writer too, so they have a lock of their own.

use super::View;
use crate::blobs;
use crate::files::Open;
use sovang_core::{Error, ErrorKind, Result, Size, limits};
use std::io;
use std::thread;
use std::time::Duration;

const DIRECTORY: &str = "checkpoints";
const LOCK: &str = "checkpoints/lock";
/// How often the lock is tried, and the pause in between: whoever holds it writes one small file.
const TRIES: u32 = 3_000;
const PAUSE: Duration = Duration::from_millis(10);

impl View {
    /// The sizes of which a checkpoint is kept, ascending.
    ///
    /// # Errors
    /// `NotProven` when there is no directory in their place; I/O.
    pub fn checkpoint_sizes(&self) -> Result<Vec<Size>> {
        let names = self.blob_names(DIRECTORY).map_err(not_proven)?;
        let mut sizes: Vec<Size> =
            names.iter().filter_map(|name| name.parse::<u64>().ok().filter(|n| n.to_string() == *name)).map(Size).collect();
        sizes.sort_unstable();
        Ok(sizes)
    }
    /// The path of the checkpoint of a size, relative to the ledger.
    #[must_use]
    pub fn checkpoint_path(size: Size) -> String {
        format!("{DIRECTORY}/{size}")
    }
    /// The checkpoint of a size; none when none is kept.
    ///
    /// # Errors
    /// `NotProven` when something else is there, or more than a note can have; I/O.
    pub fn checkpoint(&self, size: Size) -> Result<Option<Vec<u8>>> {
        self.checkpoint_file(&Self::checkpoint_path(size))
    }
    fn checkpoint_file(&self, path: &str) -> Result<Option<Vec<u8>>> {
        blobs::blob_read_within(&*self.shared.files, path, limits::NOTE_BYTES_MAX as u64).map_err(not_proven)
    }
    /// Changes a file of `checkpoints/` under their lock: `change` is given what is there and gives what is to be there, none to
    /// leave it. The file is replaced whole and durable on return.
    ///
    /// # Errors
    /// What `change` refuses; `Locked` when another process keeps the lock for half a minute; `PermissionDenied`, `NoSpace`, I/O.
    pub fn change_checkpoint_file(
        &self,
        name: &str,
        change: &mut dyn FnMut(Option<Vec<u8>>) -> Result<Option<Vec<u8>>>,
    ) -> Result<()> {
        let path = format!("{DIRECTORY}/{name}");
        let _lock = self.lock_checkpoints()?;
        let there = self.checkpoint_file(&path)?;
        match change(there)? {
            Some(bytes) => blobs::blob_write(&*self.shared.files, &path, &bytes),
            None => Ok(()),
        }
    }
    fn lock_checkpoints(&self) -> Result<Box<dyn Send + Sync>> {
        let files = &self.shared.files;
        let fail = |doing: &'static str| move |e: io::Error| Error::io(e, doing, files.describe(LOCK));
        files.create_directory(DIRECTORY).map_err(fail("create the directory of the checkpoints"))?;
        files.open(LOCK, Open::Ensure).map_err(fail("create the lock of the checkpoints"))?;
        for _ in 0..TRIES {
            match files.lock(LOCK) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => thread::sleep(PAUSE),
                taken => return taken.map_err(fail("lock the checkpoints")),
            }
        }
        Err(Error::new(ErrorKind::Locked, "another process keeps the lock of the checkpoints").in_file(files.describe(LOCK)))
    }
}

/// What stands in a checkpoint's place proves nothing, and the log is no worse for it.
fn not_proven(error: Error) -> Error {
    if error.kind() != ErrorKind::Damaged {
        return error;
    }
    let mut told = Error::new(ErrorKind::NotProven, error.message());
    if let Some(path) = error.path() {
        told = told.in_file(path);
    }
    if let Some(hint) = error.hint() {
        told = told.advise(hint);
    }
    told
}
