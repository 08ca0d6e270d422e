//! A new file for what is personal: for its owner alone, never over another one, never inside a ledger.

use crate::failure::{ENVIRONMENT, Failure};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A file that is there and empty until [`Self::fill`] is called, and gone if it never is.
pub(crate) struct PrivateFile {
    path: PathBuf,
    file: Option<File>,
}

impl PrivateFile {
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        refuse_inside_a_ledger(path)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Failure::input(format!("{}: there is a file already", path.display())).advise("choose another name for -o")
            }
            _ => Failure::file(&error, "create", &path.display().to_string()),
        })?;
        Ok(Self { path: path.to_owned(), file: Some(file) })
    }
    /// Writes the content and syncs it.
    pub(crate) fn fill(mut self, content: &[u8]) -> Result<(), Failure> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        file.write_all(content).and_then(|()| file.sync_all()).map_err(|error| {
            // Half of it is nothing.
            let _ = fs::remove_file(&self.path);
            Failure::new(ENVIRONMENT, format!("cannot write {}: {error}", self.path.display()))
        })
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A backup of the ledger would carry it, and an erasure would not reach it.
fn refuse_inside_a_ledger(path: &Path) -> Result<(), Failure> {
    let Some(ledger) = sovang::ledger_around(path) else { return Ok(()) };
    Err(Failure::input(format!("{} lies inside the ledger {}", path.display(), ledger.display()))
        .advise("a backup would carry the value, and an erasure would not reach it: choose another place"))
}
