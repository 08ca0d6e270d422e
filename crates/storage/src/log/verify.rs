//! stub
use crate::files::Files;
use super::view::Note;
use sovang_core::{Head, Position, Result};
use std::path::PathBuf;
use std::sync::Arc;
/// Something wrong with the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The record at fault, or the first that may be.
    pub position: Option<Position>,
    /// The file.
    pub file: PathBuf,
    /// The byte in it.
    pub offset: Option<u64>,
    /// What is wrong.
    pub what: String,
}
/// What a verification of every byte found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogReport {
    /// The head up to which the log was verified.
    pub head: Head,
    /// Everything wrong.
    pub findings: Vec<Finding>,
    /// What is no fault.
    pub notes: Vec<Note>,
}
/// Re-reads and re-hashes every byte of the log, with no index. `progress` is told bytes done and bytes in all.
///
/// # Errors
/// When the directory is no ledger or cannot be read. Damage is no error here but a finding.
#[allow(unused_variables, clippy::unimplemented)]
pub fn verify(files: &Arc<dyn Files>, progress: &(dyn Fn(u64, u64) + Sync)) -> Result<LogReport> {
    unimplemented!()
}
