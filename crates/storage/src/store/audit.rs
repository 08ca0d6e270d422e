//! Verification of everything that a ledger's directory holds.

use super::{StoreOptions, View};
use crate::files::Files;
use crate::log::{self, Segments};
use sovang_core::{Error, ErrorKind, Head, Position, Result};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;

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
            Err(error) if error.kind() == ErrorKind::Damaged => {
                report.findings.push(Finding::beside(&error, None))
            }
            Err(error) => return Err(error),
        }
    }
    Ok(report)
}

fn log_report(files: &Arc<dyn Files>, progress: &mut dyn FnMut(u64, u64)) -> Result<Report> {
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
        verifying
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    let findings = log.findings.into_iter();
    Ok(Report {
        head: log.head,
        findings: findings
            .map(|f| Finding {
                position: f.position,
                file: Some(f.file),
                offset: f.offset,
                what: f.what,
                in_log: true,
            })
            .collect(),
        notes: log
            .notes
            .into_iter()
            .map(|n| format!("{}: {}", n.file.display(), n.what))
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
        let upto = self.refresh()?.size.min(report.head.size);
        let covered = shared.index.size().min(upto);
        let mut index_is_right = true;
        for walked in shared.segments.walk(Segments::start(), upto) {
            let walked = walked?;
            let position = walked.position;
            if index_is_right && covered.contains(position) {
                let found = shared
                    .index
                    .location(position)
                    .map_err(|e| Error::new(ErrorKind::Damaged, e.to_string()));
                if found.as_ref().ok() != Some(&walked.location) {
                    index_is_right = false;
                    let error = found.err().unwrap_or_else(|| {
                        Error::new(
                            ErrorKind::Damaged,
                            "the index has a wrong place for a record",
                        )
                    });
                    report
                        .findings
                        .push(Finding::beside(&error, Some(position)));
                }
            }
            if shared.vault.is_some() {
                for (_, commitment) in walked.frame.commitments() {
                    match shared.open_value(&commitment) {
                        Ok(_) => {}
                        Err(error) if error.kind() == ErrorKind::Damaged => report
                            .findings
                            .push(Finding::beside(&error, Some(position))),
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        if let Some(vault) = &shared.vault {
            for error in vault.check()? {
                let finding = Finding::beside(&error, None);
                // A value that does not open was found above, with its record.
                if !report
                    .findings
                    .iter()
                    .any(|f| f.file == finding.file && f.offset == finding.offset)
                {
                    report.findings.push(finding);
                }
            }
        }
        Ok(())
    }
}
