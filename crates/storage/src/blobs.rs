//! Named atomic blobs: a file appears whole under its name or not at all. Snapshots are kept so.

use crate::files::{Files, Open};
use sovang_core::{Error, Result};
use std::io;

/// Bytes read at once.
const CHUNK_BYTES: usize = 1 << 20;

/// Writes a blob under `path` (`snapshots/NAME`), replacing the one of that name; durable on return.
///
/// # Errors
/// [`sovang_core::ErrorKind::NoSpace`], [`sovang_core::ErrorKind::PermissionDenied`] or [`sovang_core::ErrorKind::Io`];
/// a blob that stood there before stands unchanged unless the very last sync failed.
pub fn blob_write(files: &dyn Files, path: &str, bytes: &[u8]) -> Result<()> {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let temporary = format!("{path}.tmp");
    let fail = |doing: &'static str| move |e: io::Error| Error::io(e, doing, files.describe(path));
    if !directory.is_empty() && files.list(directory).is_err() {
        files
            .create_directory(directory)
            .map_err(fail("create the directory of a blob"))?;
        files
            .sync_directory("")
            .map_err(fail("sync the directory of a blob"))?;
    }
    let file = files
        .open(&temporary, Open::Create)
        .map_err(fail("create a blob"))?;
    file.write_at(bytes, 0).map_err(fail("write a blob"))?;
    file.sync_all().map_err(fail("sync a blob"))?;
    files
        .rename(&temporary, path)
        .map_err(fail("put a blob in place"))?;
    files
        .sync_directory(directory)
        .map_err(fail("sync the directory of a blob"))
}

/// A blob's bytes; none when there is no blob of that name.
///
/// # Errors
/// [`sovang_core::ErrorKind::PermissionDenied`] or [`sovang_core::ErrorKind::Io`].
pub fn blob_read(files: &dyn Files, path: &str) -> Result<Option<Vec<u8>>> {
    let fail = |e: io::Error| Error::io(e, "read a blob", files.describe(path));
    let file = match files.open(path, Open::Read) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(fail(e)),
    };
    let mut bytes = Vec::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let got = file.read_at(&mut chunk, bytes.len() as u64).map_err(fail)?;
        bytes.extend_from_slice(&chunk[..got]);
        if got < chunk.len() {
            return Ok(Some(bytes));
        }
    }
}

/// The names of the blobs in a directory, ascending; none when there is no such directory.
///
/// # Errors
/// As [`blob_read`].
pub fn blob_names(files: &dyn Files, directory: &str) -> Result<Vec<String>> {
    match files.list(directory) {
        Ok(names) => Ok(names
            .into_iter()
            .filter(|name| !name.ends_with(".tmp"))
            .collect()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(Error::io(e, "list blobs", files.describe(directory))),
    }
}

/// Removes a blob; not an error when there is none of that name.
///
/// # Errors
/// As [`blob_read`].
pub fn blob_remove(files: &dyn Files, path: &str) -> Result<()> {
    match files.remove(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(Error::io(e, "remove a blob", files.describe(path)))
        }
        _ => Ok(()),
    }
}
