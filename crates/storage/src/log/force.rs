//! A sync from outside: what is durable by the writer's word is made durable by one's own.

use super::evidence::list_numbers;
use super::head::HEAD_FILE;
use super::segment::{LOG_DIRECTORY, segment_path};
use crate::files::{Files, Open};
use sovang_core::{Error, Result};
use std::io;

/// Syncs the last segment, `HEAD`, and the directories that name them. No lock is needed, and nothing is written that was not.
///
/// Older segments were synced before the last one got its name, so the whole log is durable then; and with it the head: a power
/// loss together with damage can hide nothing of it (docs/RELIABILITY.md).
///
/// # Errors
/// [`sovang_core::ErrorKind::Io`] and other failures of the system.
pub fn force(files: &dyn Files) -> Result<()> {
    let last = list_numbers(files)?.0.last().copied().unwrap_or(0);
    for path in [segment_path(last).as_str(), HEAD_FILE] {
        files
            .open(path, Open::Read)
            .and_then(|file| file.sync_all())
            .map_err(|e| Error::io(e, "sync the log", files.describe(path)))?;
    }
    let sync = |directory: &str| {
        files.sync_directory(directory).map_err(|e: io::Error| Error::io(e, "sync a directory", files.describe(directory)))
    };
    sync(LOG_DIRECTORY)?;
    sync("")
}
