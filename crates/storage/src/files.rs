//! The seam under the log: files as bytes. The disk, a memory and a simulated disk implement it, so that they share all
//! of the log's logic (style: the backend seam is at bytes).
//!
//! Paths are relative to the ledger's directory, with `/`, at most one directory deep (`log/0`).

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// How to open a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// An existing file, for reading.
    Read,
    /// An existing file, for reading and writing.
    Write,
    /// A new file, for reading and writing; an existing one of that name is unlinked first.
    Create,
    /// A file for reading and writing, an empty one when there is none of that name.
    Ensure,
}

/// A place for a ledger's files.
pub trait Files: Send + Sync {
    /// Opens a file. `NotFound` when it must exist and does not, `IsADirectory` or `NotSeekable` when something else is there.
    fn open(&self, path: &str, how: Open) -> io::Result<Arc<dyn File>>;
    /// The names of files and directories in a directory (`""` is the ledger's own), ascending. `NotFound` when there is no
    /// such directory.
    fn list(&self, directory: &str) -> io::Result<Vec<String>>;
    /// Creates a directory, and for `""` its missing parents; not an error when it is there.
    fn create_directory(&self, directory: &str) -> io::Result<()>;
    /// Makes creations, renames and removals in a directory durable. `".."` stands for the parents of the ledger's own.
    fn sync_directory(&self, directory: &str) -> io::Result<()>;
    /// Renames a file within its directory, replacing what is there.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &str) -> io::Result<()>;
    /// Takes the exclusive lock on an existing file, until the guard is dropped. `WouldBlock` when another holds it.
    fn lock(&self, path: &str) -> io::Result<Box<dyn Send + Sync>>;
    /// The path as a user would write it, for messages.
    fn describe(&self, path: &str) -> PathBuf;
}

/// An open file. All writes are at offsets, all reads repeatable, both from several threads.
#[expect(clippy::len_without_is_empty, reason = "the length can fail and nothing asks only for emptiness")]
pub trait File: Send + Sync {
    /// Its length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Reads up to `into.len()` bytes from `offset`; fewer only at the end of the file.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `bytes` at `offset`.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Sets the length; what is gained is zero.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Reserves space up to `len` and, when that is more than the length, sets the length to it. What is gained is zero. When
    /// it fails, part of the length may have been gained. Where the system cannot reserve, it only sets the length.
    fn allocate(&self, len: u64) -> io::Result<()>;
    /// Makes data and metadata durable (fsync).
    fn sync_all(&self) -> io::Result<()>;
    /// Makes data durable, and as much metadata as reading it back takes (fdatasync).
    fn sync_data(&self) -> io::Result<()>;
}

/// Why nothing can be read where a file should be, as far as the failure of [`Files::open`] tells; none when the system has a reason of its own.
pub(crate) fn why_no_file(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Some("the file is missing"),
        io::ErrorKind::IsADirectory => Some("there is a directory in the place of the file"),
        io::ErrorKind::NotSeekable => Some("there is a pipe or a device in the place of the file"),
        _ => None,
    }
}

/// A path's directory (`""` for the ledger's own) and its name there.
pub(crate) fn split_path(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}
