//! Named atomic blobs: a file appears whole under its name or not at all. Snapshots are kept so.

use crate::files::{Files, Open, why_no_file};
use sovang_core::{Error, ErrorKind, Result};
use std::io;

/// Writes a blob under `path` (`snapshots/NAME`), replacing the one of that name; durable on return.
///
/// # Errors
/// [`sovang_core::ErrorKind::NoSpace`], [`sovang_core::ErrorKind::PermissionDenied`] or [`sovang_core::ErrorKind::Io`];
/// a blob that stood there before stands unchanged unless the very last sync failed.
pub fn blob_write(files: &dyn Files, path: &str, bytes: &[u8]) -> Result<()> {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let temporary = format!("{path}.tmp");
    let fail = |doing: &'static str| move |e: io::Error| Error::io(e, doing, files.describe(path));
    if !directory.is_empty() {
        // Also when it is there already: the one who made it may not have come to the sync.
        files.create_directory(directory).map_err(fail("create the directory of a blob"))?;
        files.sync_directory("").map_err(fail("sync the directory of a blob"))?;
    }
    let file = files.open(&temporary, Open::Create).map_err(fail("create a blob"))?;
    file.write_at(bytes, 0).map_err(fail("write a blob"))?;
    file.sync_all().map_err(fail("sync a blob"))?;
    files.rename(&temporary, path).map_err(fail("put a blob in place"))?;
    files.sync_directory(directory).map_err(fail("sync the directory of a blob"))
}

/// No blob is larger: the state of a projection may be large, but what claims to be larger than this is not read into memory.
pub const BLOB_BYTES_MAX: u64 = 1 << 30;

/// A blob's bytes; none when there is no blob of that name.
///
/// # Errors
/// [`sovang_core::ErrorKind::Damaged`] when something else than a file is there, or one of more than [`BLOB_BYTES_MAX`];
/// [`sovang_core::ErrorKind::PermissionDenied`] or [`sovang_core::ErrorKind::Io`].
pub fn blob_read(files: &dyn Files, path: &str) -> Result<Option<Vec<u8>>> {
    blob_read_within(files, path, BLOB_BYTES_MAX)
}

/// As [`blob_read`], of a blob that has at most so many bytes.
///
/// # Errors
/// As there.
pub fn blob_read_within(files: &dyn Files, path: &str, most: u64) -> Result<Option<Vec<u8>>> {
    let fail = |e: io::Error| Error::io(e, "read a blob", files.describe(path));
    let damaged = |what: String| {
        let error = Error::new(ErrorKind::Damaged, what).in_file(files.describe(path));
        Err(error.advise("restore it from a backup, or move it away: it does not belong here"))
    };
    let file = match files.open(path, Open::Read) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return why_no_file(&e).map_or_else(|| Err(fail(e)), |what| damaged(what.to_owned())),
    };
    let len = file.len().map_err(fail)?;
    let Some(len) = usize::try_from(len).ok().filter(|_| len <= most) else {
        return damaged(format!("the file has {len} bytes, and should have {most} at most"));
    };
    let mut bytes = vec![0; len];
    let got = file.read_at(&mut bytes, 0).map_err(fail)?;
    bytes.truncate(got);
    Ok(Some(bytes))
}

/// The names of the blobs in a directory, ascending; none when there is no such directory.
///
/// # Errors
/// As [`blob_read`].
pub fn blob_names(files: &dyn Files, directory: &str) -> Result<Vec<String>> {
    match files.list(directory) {
        Ok(names) => Ok(names.into_iter().filter(|name| !name.ends_with(".tmp")).collect()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
            let error = Error::new(ErrorKind::Damaged, "there is no directory in this place").in_file(files.describe(directory));
            Err(error.advise("restore it from a backup, or move it away: it does not belong here"))
        }
        Err(e) => Err(Error::io(e, "list blobs", files.describe(directory))),
    }
}

/// Removes a blob; not an error when there is none of that name.
///
/// # Errors
/// As [`blob_read`].
pub fn blob_remove(files: &dyn Files, path: &str) -> Result<()> {
    match files.remove(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io(e, "remove a blob", files.describe(path))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryFiles;
    use crate::sim::{Fault, SimFiles};

    const PATH: &str = "snapshots/tally";

    #[test]
    fn blobs_replace_one_another() {
        let files = MemoryFiles::default();
        files.create_directory("").unwrap();
        assert_eq!(blob_read(&files, PATH).unwrap(), None);
        assert_eq!(blob_names(&files, "snapshots").unwrap(), Vec::<String>::new());
        blob_remove(&files, PATH).unwrap();
        blob_write(&files, PATH, b"longer than the next").unwrap();
        blob_write(&files, PATH, b"one").unwrap();
        blob_write(&files, "snapshots/empty", b"").unwrap();
        assert_eq!(blob_read(&files, PATH).unwrap(), Some(b"one".to_vec()));
        assert_eq!(blob_read(&files, "snapshots/empty").unwrap(), Some(Vec::new()));
        assert_eq!(blob_names(&files, "snapshots").unwrap(), ["empty", "tally"]);
        blob_remove(&files, PATH).unwrap();
        assert_eq!(blob_read(&files, PATH).unwrap(), None);
    }

    #[test]
    fn what_is_no_blob_is_not_read() {
        let files = MemoryFiles::default();
        files.create_directory("").unwrap();
        blob_write(&files, PATH, b"four").unwrap();
        assert_eq!(blob_read_within(&files, PATH, 4).unwrap(), Some(b"four".to_vec()));
        assert_eq!(blob_read_within(&files, PATH, 3).unwrap_err().kind(), ErrorKind::Damaged);
        assert_eq!(blob_read(&files, "snapshots").unwrap_err().kind(), ErrorKind::Damaged);
    }

    #[test]
    fn after_a_power_loss_a_blob_is_the_old_or_the_new_one() {
        let files = SimFiles::new();
        files.create_directory("").unwrap();
        files.sync_directory("..").unwrap();
        blob_write(&files, PATH, &[1; 3000]).unwrap();
        files.record(true);
        blob_write(&files, PATH, &[2; 5000]).unwrap();
        files.mark(1);
        let mut seen = [0, 0];
        for snapshot in files.take_snapshots() {
            for crash in snapshot.disk.crashes(500, 1) {
                let after = SimFiles::from_image(&crash.image);
                let blob = blob_read(&after, PATH).unwrap().unwrap();
                let new = blob == [2; 5000];
                assert!(new || blob == [1; 3000], "neither blob is whole");
                assert!(new || snapshot.mark == 0, "a blob was not durable");
                seen[usize::from(new)] += 1;
            }
        }
        assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
    }

    #[test]
    fn a_failed_write_leaves_the_old_blob() {
        let files = SimFiles::new();
        files.create_directory("").unwrap();
        blob_write(&files, PATH, b"old").unwrap();
        for fault in [Fault::Write { nth: 1, sectors: 0 }, Fault::Rename { nth: 1 }] {
            files.inject(fault);
            let error = blob_write(&files, PATH, b"new").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Io);
            assert_eq!(blob_read(&files, PATH).unwrap(), Some(b"old".to_vec()));
        }
        assert_eq!(blob_names(&files, "snapshots").unwrap(), ["tally"]);
    }
}
