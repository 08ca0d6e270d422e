//! Verification of everything that a ledger's directory holds.

use super::shared::Shared;
use super::{StoreOptions, View};
use crate::files::Files;
use crate::index::{self, Answer, IndexError};
use crate::log::{self, Segments, Walked};
use sovang_core::{Error, ErrorKind, Head, Position, Result};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;

/// Up to so many records, the index is compared on each.
const COMPARED_ALL: u64 = 1 << 14;
/// Beyond, on one of so many: its pages hold hundreds each, so that every one is read all the same and its checksum looked at.
const STRIDE: u64 = 32;

/// The outcome of a verification.
#[derive(Clone, Debug)]
pub struct Report {
    /// Size and root up to which the log holds.
    pub head: Head,
    /// Everything that is wrong.
    pub findings: Vec<Finding>,
    /// What is unusual and harmless: a torn tail, stale derived files.
    pub notes: Vec<String>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The first record concerned, where one can be named.
    pub position: Option<Position>,
    /// The file.
    pub file: Option<PathBuf>,
    /// The byte offset in the file.
    pub offset: Option<u64>,
    /// What is wrong.
    pub what: String,
    /// Whether the log itself is damaged; otherwise it is sound, and the index or the vault disagrees with it.
    pub in_log: bool,
}
impl Finding {
    fn beside(error: &Error, position: Option<Position>) -> Self {
        Self {
            position: error.position().or(position),
            file: error.path().map(PathBuf::from),
            offset: error.offset(),
            what: error.message().to_owned(),
            in_log: false,
        }
    }
}

/// Re-reads and re-hashes every byte of a ledger's log without help of the index, then compares the index and the vault with
/// it. `progress` is told bytes done and bytes in all. It needs no ledger that opens: damage is a finding.
///
/// # Errors
/// Only when the files are no ledger or cannot be read at all.
pub fn verify(files: &Arc<dyn Files>, progress: &mut dyn FnMut(u64, u64)) -> Result<Report> {
    let mut report = log_report(files, progress)?;
    if report.findings.is_empty() {
        match View::open(Arc::clone(files), None, &StoreOptions::reading()) {
            Ok(view) => view.beside(&mut report)?,
            Err(error) if error.kind() == ErrorKind::Damaged => report.findings.push(Finding::beside(&error, None)),
            Err(error) => return Err(error),
        }
    }
    Ok(report)
}

pub(super) fn log_report(files: &Arc<dyn Files>, progress: &mut dyn FnMut(u64, u64)) -> Result<Report> {
    let (tell, told) = mpsc::channel();
    // The log is verified by several threads; what they tell reaches the caller on its own.
    let log = thread::scope(|scope| {
        let verifying = scope.spawn(move || {
            let tell = move |done, all| {
                let _ = tell.send((done, all));
            };
            log::verify(files, &tell)
        });
        told.iter().for_each(|(done, all)| progress(done, all));
        verifying.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    let findings = log.findings.into_iter();
    Ok(Report {
        head: log.head,
        findings: findings
            .map(|f| Finding { position: f.position, file: Some(f.file), offset: f.offset, what: f.what, in_log: true })
            .collect(),
        notes: log
            .notes
            .into_iter()
            .map(|n| match n.offset {
                Some(offset) => format!("{}: byte {offset}: {}", n.file.display(), n.what),
                None => format!("{}: {}", n.file.display(), n.what),
            })
            .collect(),
    })
}

impl View {
    /// As [`verify`], with what this view has open.
    ///
    /// # Errors
    /// As there.
    pub fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Report> {
        let mut report = log_report(&self.shared.files, progress)?;
        if report.findings.is_empty() {
            self.beside(&mut report)?;
        }
        Ok(report)
    }

    /// Compares index and vault with a log that is sound.
    fn beside(&self, report: &mut Report) -> Result<()> {
        let shared = &self.shared;
        let listed = shared.files.list("").map_err(|e| Error::io(e, "list the ledger's directory", shared.files.describe("")))?;
        if !listed.iter().any(|name| name == log::LOCK_FILE) {
            let path = shared.files.describe(log::LOCK_FILE);
            let what = "the file is missing: nothing can be recorded here before an empty one is put there";
            report.notes.push(format!("{}: {what}", path.display()));
        }
        let upto = self.refresh()?.size.min(report.head.size);
        let covered = shared.index.size().min(upto);
        let stride = if covered.0 > COMPARED_ALL { STRIDE } else { 1 };
        let mut index_is_right = true;
        let mut sealed: u64 = 0;
        for walked in shared.segments.walk(Segments::start(), upto) {
            let walked = walked?;
            let position = walked.position;
            let due = position.0.is_multiple_of(stride) && covered.contains(position);
            if index_is_right
                && due
                && let Some(error) = shared.index_disagrees(&walked)?
            {
                index_is_right = false;
                report.findings.push(Finding::beside(&error, Some(position)));
            }
            for (_, commitment) in walked.frame.commitments() {
                match &shared.vault {
                    Some(_) => {
                        if let Some(error) = damage(shared.open_value(&commitment).map(|_| ()))? {
                            report.findings.push(Finding::beside(&error, Some(position)));
                        }
                    }
                    None => sealed += 1,
                }
            }
        }
        for error in index::check(&*shared.files, shared.identity.ledger_id)? {
            report.findings.push(Finding::beside(&error, None));
        }
        match shared.vault_failure.get() {
            Some(why) if matches!(why.kind(), ErrorKind::Damaged | ErrorKind::WrongFormat) => {
                report.findings.push(Finding::beside(why, None));
            }
            // A disk that does not answer says nothing about the vault.
            Some(why) => return Err(why.clone()),
            None if sealed > 0 => report.notes.push(format!("this copy has no vault: {sealed} personal values read as sealed")),
            None => {}
        }
        if let Some(vault) = &shared.vault {
            for error in vault.check()? {
                let finding = Finding::beside(&error, None);
                // A value that does not open was found above, with its record.
                if !report.findings.iter().any(|f| f.file == finding.file && f.offset == finding.offset) {
                    report.findings.push(finding);
                }
            }
        }
        Ok(())
    }
}

/// Damage is an answer here, and any other error an error.
fn damage(done: Result<()>) -> Result<Option<Error>> {
    match done {
        Ok(()) => Ok(None),
        Err(error) if error.kind() == ErrorKind::Damaged => Ok(Some(error)),
        Err(error) => Err(error),
    }
}

impl Shared {
    /// What the index says of a record that the log does not.
    fn index_disagrees(&self, walked: &Walked) -> Result<Option<Error>> {
        let wrong = |what: &str| {
            let what = format!("the index {what}");
            Error::new(ErrorKind::Damaged, what).in_file(self.files.describe("index"))
        };
        let position = walked.position;
        let look = || -> Answer<Option<Error>> {
            if self.index.location(position)? != walked.location {
                return Ok(Some(wrong("has a wrong place for a record")));
            }
            if !self.index.find(walked.frame.id())?.contains(&position) {
                return Ok(Some(wrong("does not find a record by its id")));
            }
            for key in walked.frame.tags() {
                if self.index.positions(&key, position.0..position.0 + 1)?.next().transpose()?.is_none() {
                    return Ok(Some(wrong("does not find a record by its tag")));
                }
            }
            Ok(None)
        };
        match look() {
            Ok(found) => Ok(found),
            Err(IndexError::Stale { cause, .. }) => Ok(Some(cause)),
            Err(IndexError::Behind { .. }) => Ok(None),
            Err(IndexError::Failed(error)) => damage(Err(error)),
        }
    }
}
