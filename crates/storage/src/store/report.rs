//! Verification: the log's every byte, then whether index and vault agree with it.

use super::view::View;
use crate::log;
use sovang_core::personal::Opened;
use sovang_core::{Error, Head, Position, Result, hash};
use std::path::PathBuf;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The first record concerned, where one can be named.
    pub position: Option<Position>,
    /// The file.
    pub file: Option<PathBuf>,
    /// The byte in it.
    pub offset: Option<u64>,
    /// What is wrong.
    pub what: String,
    /// Whether the log itself is damaged; otherwise something beside it disagrees with it.
    pub in_log: bool,
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Up to where the log holds.
    pub head: Head,
    /// Everything that is wrong.
    pub findings: Vec<Finding>,
    /// What is unusual and no fault.
    pub notes: Vec<String>,
}

impl Report {
    /// Of the log alone.
    pub(super) fn of(report: log::LogReport) -> Self {
        let findings = report
            .findings
            .into_iter()
            .map(|f| Finding { position: f.position, file: Some(f.file), offset: f.offset, what: f.what, in_log: true })
            .collect();
        let notes = report.notes.into_iter().map(|n| note(&n)).collect();
        Self { head: report.head, findings, notes }
    }
}

fn note(note: &log::Note) -> String {
    match note.offset {
        Some(offset) => format!("{}: byte {offset}: {}", note.file.display(), note.what),
        None => format!("{}: {}", note.file.display(), note.what),
    }
}

fn beside(error: &Error) -> Finding {
    Finding {
        position: error.position(),
        file: error.path().map(PathBuf::from),
        offset: error.offset(),
        what: error.message().to_owned(),
        in_log: false,
    }
}

/// Re-reads every byte of the log of a directory that may not even open. `progress` is told bytes done and bytes in all.
///
/// # Errors
/// `NotALedger`, `WrongFormat`, or when the directory cannot be read. Damage is no error here but a finding.
pub fn verify_log(files: &std::sync::Arc<dyn crate::files::Files>, progress: &dyn Fn(u64, u64)) -> Result<Report> {
    Ok(Report::of(log::verify(files, progress)?))
}

impl View {
    /// Re-reads every byte of the log, then checks index and vault against it.
    ///
    /// # Errors
    /// When the files cannot be read at all.
    pub fn verify(&self, progress: &dyn Fn(u64, u64)) -> Result<Report> {
        let mut report = verify_log(self.files(), progress)?;
        if report.findings.is_empty() {
            report.findings.extend(self.index().check()?.iter().map(beside));
            self.check_values(&mut report)?;
        }
        Ok(report)
    }
    /// Whether every commitment of the log opens, is erased by the log's word, or is sealed by the vault's.
    fn check_values(&self, report: &mut Report) -> Result<()> {
        let Some(vault) = self.vault() else {
            if self.scan(0..report.head.size.0.min(self.head().size.0)).any(|found| found.is_ok_and(|(_, frame)| !frame.commitments().is_empty())) {
                report.notes.push("this copy has no vault: personal values read as sealed".to_owned());
            }
            return Ok(());
        };
        report.findings.extend(vault.check()?.iter().map(beside));
        for found in self.scan(0..report.head.size.0.min(self.head().size.0)) {
            let (position, frame) = found?;
            for (field, commitment) in frame.commitments() {
                match vault.value(&commitment) {
                    Ok(Opened::Known { salt, value, .. }) if hash::commitment(&salt, field, &value) != commitment => {
                        let what = format!("the vault's value of personal field {field} does not match the log");
                        report.findings.push(Finding { position: Some(position), file: None, offset: None, what, in_log: false });
                    }
                    Ok(_) => {}
                    Err(error) => report.findings.push(beside(&error.at(position))),
                }
            }
        }
        Ok(())
    }
}
