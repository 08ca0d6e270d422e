//! What a verification found.

use crate::options::Options;
use sovang_core::{Error, ErrorKind, Head, Position, RawEvent, Result};
use sovang_storage::disk::DiskFiles;
use sovang_storage::files::Files;
use sovang_storage::store;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The outcome of re-hashing every byte.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Audit {
    /// Size and root up to which the log holds.
    pub head: Head,
    /// Everything that is wrong; empty = sound, which means consistent, not anchored.
    pub findings: Vec<Finding>,
    /// What is unusual and harmless: a torn tail, stale derived files.
    pub notes: Vec<String>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The first record concerned, where one can be named.
    pub position: Option<Position>,
    /// The file.
    pub file: Option<PathBuf>,
    /// The byte offset in the file.
    pub offset: Option<u64>,
    /// What is wrong.
    pub what: String,
    /// Whether the log itself is damaged; otherwise the log is sound and something beside it disagrees.
    pub in_log: bool,
}

impl Audit {
    pub(crate) fn of(report: store::Report) -> Self {
        let findings = report
            .findings
            .into_iter()
            .map(|f| Finding { position: f.position, file: f.file, offset: f.offset, what: f.what, in_log: f.in_log })
            .collect();
        Self { head: report.head, findings, notes: report.notes }
    }
    /// Re-hashes every byte of a ledger's directory, which may be too damaged to open: all findings. `progress` is told bytes
    /// done and bytes in all.
    ///
    /// # Errors
    /// `NotALedger`, `WrongFormat`, or when the files cannot be read at all.
    pub fn of_directory(directory: impl AsRef<Path>, progress: &mut dyn FnMut(u64, u64)) -> Result<Self> {
        let files: Arc<dyn Files> = Arc::new(DiskFiles::new(directory.as_ref()));
        let mut audit = Self::of(store::verify(&files, progress)?);
        if !audit.findings.iter().any(|finding| finding.in_log) {
            let reader = Options::new().open_read_only::<RawEvent>(directory)?;
            audit.findings.extend(crate::snapshot::check(&reader)?);
            audit.findings.extend(match crate::Checkpoints::of(reader.view().clone()).check() {
                // Something else than their directory is there.
                Err(error) if error.kind() == ErrorKind::NotProven => vec![Finding::beside_log(&error)],
                checked => checked?,
            });
        }
        Ok(audit)
    }
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

impl Finding {
    fn beside_log(error: &Error) -> Self {
        let file = error.path().map(Path::to_owned);
        Self { position: error.position(), file, offset: error.offset(), what: error.message().to_owned(), in_log: false }
    }
    pub(crate) fn to_error(&self) -> Error {
        let mut error = Error::new(ErrorKind::Damaged, self.what.clone());
        if let Some(position) = self.position {
            error = error.at(position);
        }
        if let Some(file) = &self.file {
            error = error.in_file(file.clone());
        }
        if let Some(offset) = self.offset {
            error = error.at_offset(offset);
        }
        error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_error(), f)
    }
}
