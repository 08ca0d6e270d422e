//! Every page of every run, for a verification: the index itself only reads what a lookup needs.

use super::cache::Cache;
use super::footer;
use super::keeper::is_gone;
use super::run::{DIRECTORY, Run, unsound};
use crate::files::Files;
use sovang_core::{Error, LedgerId, Result};
use std::io;
use std::sync::Arc;

/// What is wrong with the files of an index by themselves, in the order of their names. Runs that a live writer removes
/// meanwhile are passed over, and so is what is no run.
///
/// # Errors
/// When the directory or a file cannot be read.
pub fn check(files: &dyn Files, ledger_id: LedgerId) -> Result<Vec<Error>> {
    let names = match files.list(DIRECTORY) {
        Ok(names) => names,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
            return Ok(vec![unsound("there is no directory in the place of the index", &files.describe(DIRECTORY))]);
        }
        Err(e) => return Err(Error::io(e, "list the index", files.describe(DIRECTORY))),
    };
    let cache = Arc::new(Cache::new(0));
    let mut findings = Vec::new();
    for name in names.iter().filter(|name| footer::range(name).is_some()) {
        match Run::open(files, ledger_id, name, false, &cache) {
            Err(error) if is_gone(&error) => {}
            Err(error) if std::error::Error::source(&error).is_some() => return Err(error),
            Err(error) => findings.push(error),
            Ok(run) => findings.extend(run.first_bad_page()?),
        }
    }
    Ok(findings)
}
