//! The real disk. Everything that makes bytes durable is in this file, and these are all the system calls it uses:
//!
//! | what | Linux | elsewhere |
//! |---|---|---|
//! | read, write | `pread`, `pwrite` | the same; on Windows `ReadFile`, `WriteFile` with an offset |
//! | data durable ([`File::sync_data`]) | `fdatasync` | `fcntl(F_FULLFSYNC)` on macOS, `FlushFileBuffers` on Windows |
//! | data and metadata durable ([`File::sync_all`]) | `fsync` | as above |
//! | names durable ([`Files::sync_directory`]) | `open` and `fsync` of the directory | nothing on Windows, whose file system journals names |
//! | space ([`File::allocate`]) | `fallocate`; `ftruncate` where the file system does not know it | `ftruncate`: a later write can still find the disk full |
//! | length ([`File::set_len`]) | `ftruncate` | the same; `SetFileInformationByHandle` on Windows |
//! | names | `openat(O_CREAT\|O_EXCL)`, `rename`, `unlink`, `mkdir` | the same by their names there |
//! | lock | `flock(LOCK_EX\|LOCK_NB)` | the same; `LockFileEx` on Windows |
//!
//! An error is passed on as it came, never retried: what to do after a failed write or sync is the log's decision. Only
//! an interrupted call (EINTR), which did nothing, is made again.

use crate::files::{File, Files, Open};
use std::fs::{self, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A ledger's files in a directory of the file system.
#[derive(Clone, Debug)]
pub struct DiskFiles {
    directory: PathBuf,
}

impl DiskFiles {
    /// The files of the ledger in `directory`, which need not exist yet. Touches nothing.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }
    /// The ledger's directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
    fn path(&self, relative: &str) -> PathBuf {
        // "" joined would leave a trailing slash, in messages too.
        if relative.is_empty() { self.directory.clone() } else { self.directory.join(relative) }
    }
}

impl Files for DiskFiles {
    fn open(&self, path: &str, how: Open) -> io::Result<Arc<dyn File>> {
        let path = self.path(path);
        if how != Open::Create {
            check_is_file(&path, how)?;
        }
        let mut options = OpenOptions::new();
        options.read(true);
        match how {
            Open::Read => {}
            Open::Write => {
                options.write(true);
            }
            Open::Create => {
                match fs::remove_file(&path) {
                    Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                    _ => {}
                }
                options.write(true).create_new(true);
            }
            Open::Ensure => {
                options.write(true).create(true).truncate(false);
            }
        }
        Ok(Arc::new(DiskFile(options.open(path)?)))
    }
    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.path(directory))? {
            // Our own names are ASCII; a foreign one only has to be seen to be there.
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort_unstable();
        Ok(names)
    }
    fn create_directory(&self, directory: &str) -> io::Result<()> {
        let path = self.path(directory);
        if directory.is_empty() {
            return fs::create_dir_all(path);
        }
        match fs::create_dir(&path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            done => done,
        }
    }
    fn sync_directory(&self, directory: &str) -> io::Result<()> {
        if directory == ".." { sync_ancestors(&self.directory) } else { sync_directory(&self.path(directory)) }
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        fs::remove_file(self.path(path))
    }
    fn lock(&self, path: &str) -> io::Result<Box<dyn Send + Sync>> {
        let file = OpenOptions::new().read(true).write(true).open(self.path(path))?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(file)),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(e)) => Err(e),
        }
    }
    fn describe(&self, path: &str) -> PathBuf {
        self.path(path)
    }
}

/// Looks before opening: to open a pipe waits for its other end, and a device may do anything.
fn check_is_file(path: &Path, how: Open) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(there) if !there.is_file() => Err(io::ErrorKind::NotSeekable.into()),
        Err(e) if e.kind() != io::ErrorKind::NotFound || how != Open::Ensure => Err(e),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = fs::File::open(path)?;
    if !directory.metadata()?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    directory.sync_all()
}
#[cfg(not(unix))]
fn sync_directory(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// Syncs the parent of the ledger's directory, and every directory above it that we may open: `create_directory("")` makes
/// missing parents, perhaps in an earlier attempt that was killed, and their own entries must be durable too. One that we
/// may not open is one that we cannot have made.
fn sync_ancestors(directory: &Path) -> io::Result<()> {
    let directory = fs::canonicalize(directory)?;
    for (depth, ancestor) in directory.ancestors().skip(1).enumerate() {
        match sync_directory(ancestor) {
            Err(e) if depth > 0 && e.kind() == io::ErrorKind::PermissionDenied => {}
            done => done?,
        }
    }
    Ok(())
}

struct DiskFile(fs::File);

impl File for DiskFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while done < into.len() {
            match at::read(&self.0, &mut into[done..], forward(offset, done)?) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(done)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut done = 0;
        while done < bytes.len() {
            match at::write(&self.0, &bytes[done..], forward(offset, done)?) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => done += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
    fn allocate(&self, len: u64) -> io::Result<()> {
        allocate(&self.0, len)
    }
    fn sync_all(&self) -> io::Result<()> {
        self.0.sync_all()
    }
    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

fn forward(offset: u64, done: usize) -> io::Result<u64> {
    u64::try_from(done).ok().and_then(|done| offset.checked_add(done)).ok_or_else(|| io::ErrorKind::FileTooLarge.into())
}

#[cfg(unix)]
mod at {
    use std::fs::File;
    use std::io;
    use std::os::unix::fs::FileExt;

    pub(super) fn read(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
        file.read_at(into, offset)
    }
    pub(super) fn write(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
        file.write_at(bytes, offset)
    }
}
#[cfg(windows)]
mod at {
    use std::fs::File;
    use std::io;
    use std::os::windows::fs::FileExt;

    // These move the file's cursor, which nothing here uses.
    pub(super) fn read(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
        file.seek_read(into, offset)
    }
    pub(super) fn write(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
        file.seek_write(bytes, offset)
    }
}

/// The whole range is asked for, not only what is beyond the end: a hole below it would be found full by a write.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn allocate(file: &fs::File, len: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::{Errno, retry_on_intr};
    if len == 0 {
        return Ok(());
    }
    match retry_on_intr(|| fallocate(file, FallocateFlags::empty(), 0, len)) {
        Ok(()) => Ok(()),
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => lengthen(file, len),
        Err(e) => Err(e.into()),
    }
}
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn allocate(file: &fs::File, len: u64) -> io::Result<()> {
    lengthen(file, len)
}

/// What stands in for an allocation where the system has none: the length alone. The batch format tolerates a write that
/// then finds the disk full (the writer is poisoned and reopens), but it is no longer refused before a byte is written.
fn lengthen(file: &fs::File, len: u64) -> io::Result<()> {
    if file.metadata()?.len() < len { file.set_len(len) } else { Ok(()) }
}
