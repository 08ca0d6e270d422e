//! Copying a ledger beside its writer.

use crate::places::resolve;
use sovang_core::{Error, ErrorKind, Head, Result, Size};
use sovang_storage::backup::{self, BackupOptions};
use sovang_storage::disk::DiskFiles;
use sovang_storage::files::Files;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Copies a ledger, also beside its live writer, into a directory that is a ledger itself. Made again, it copies only what is new.
///
/// The copy holds the log up to the durable head, and the checkpoints; personal values only when [`Self::with_vault`] says so. It is always
/// the beginning of the ledger: one that is not, or that is newer, is refused.
///
/// ```no_run
/// use sovang::Backup;
/// let done = Backup::of("golden-book").to("/mnt/backup/golden-book", &mut |_, _| {})?;
/// println!("{} new records; the copy has {} and root {}", done.copied_records, done.head.size, done.head.root);
/// # Ok::<(), sovang::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Backup {
    directory: PathBuf,
    options: BackupOptions,
}

impl Backup {
    /// Of the ledger in this directory.
    #[must_use]
    pub fn of(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), options: BackupOptions::default() }
    }
    /// Also copies the personal values, with their keys: whoever has the copy can read them, and an erasure reaches it only when it is made
    /// again or opened for recording. A copy has them from its first time on, or never.
    #[must_use]
    pub fn with_vault(mut self, with_vault: bool) -> Self {
        self.options.with_vault = with_vault;
        self
    }
    /// Reads all of the copy again and hashes it, not only the segments that were written.
    #[must_use]
    pub fn full(mut self, full: bool) -> Self {
        self.options.full = full;
        self
    }
    /// Makes the copy in `target`: an absent or empty directory, or a copy made before. Interrupted at any point it is a ledger that opens,
    /// with what it had, what it was to get, or something between; making it again completes it. `progress` is told bytes done and bytes in all.
    ///
    /// # Errors
    /// `NotALedger`, `WrongFormat`, or `Damaged` for the ledger, of which nothing is copied from the damage on; `InvalidInput` when
    /// `target` is another ledger, is newer, has another history, was begun with or without personal values unlike now, or is inside the ledger or
    /// around it; `NotEmpty`, `Locked` or `Damaged` for `target`; those of writing.
    pub fn to(&self, target: impl AsRef<Path>, progress: &mut dyn FnMut(u64, u64)) -> Result<BackedUp> {
        check_apart(&self.directory, target.as_ref())?;
        check_apart(target.as_ref(), &self.directory)?;
        let files = |directory: &Path| Arc::new(DiskFiles::new(directory)) as Arc<dyn Files>;
        let done = backup::backup(&files(&self.directory), &files(target.as_ref()), self.options, progress)?;
        Ok(BackedUp {
            origin: done.identity.origin,
            head: done.head,
            copied_bytes: done.copied_bytes,
            copied_records: done.copied_records,
            checked: done.checked,
            signed_beyond: done.signed_beyond,
        })
    }
}

/// What a [`Backup`] did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BackedUp {
    /// The ledger's name.
    pub origin: String,
    /// The head of the copy.
    pub head: Head,
    /// Bytes that the copy did not have: of log, vault and checkpoints.
    pub copied_bytes: u64,
    /// Records that the copy did not have.
    pub copied_records: u64,
    /// Records that were read back from the copy and hashed.
    pub checked: u64,
    /// The largest checkpoint of the ledger, when that is larger than its log: then the ledger is older than its last signed head.
    pub signed_beyond: Option<Size>,
}

/// Refuses a directory inside another one.
pub(crate) fn check_apart(outer: &Path, inner: &Path) -> Result<()> {
    let (Some(outer_real), Some(inner_real)) = (resolve(outer), resolve(inner)) else {
        return Ok(());
    };
    if inner_real.starts_with(&outer_real) {
        let what = format!("{} is inside {}", inner.display(), outer.display());
        return Err(
            Error::new(ErrorKind::InvalidInput, what).advise("name a directory elsewhere, on another disk if there is one")
        );
    }
    Ok(())
}
