//! What is wrong with a ledger's files, before it becomes an error or a finding.

use super::Cursor;
use super::batch::{Defect, UNREADABLE};
use super::verify::Finding;
use crate::files::Files;
use sovang_core::{Error, ErrorKind, Position};
use std::borrow::Cow;

/// Bytes that are missing or are not what they must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) file: String,
    pub(super) offset: Option<u64>,
    pub(super) position: Option<u64>,
    pub(super) what: Cow<'static, str>,
    /// What should be there.
    expected: Option<String>,
}

impl Damage {
    pub(super) fn new(file: impl Into<String>, what: impl Into<Cow<'static, str>>) -> Self {
        Self { file: file.into(), offset: None, position: None, what: what.into(), expected: None }
    }
    /// What makes the batch invalid that should be at a place.
    pub(super) fn of_defect(path: &str, defect: Defect, at: &Cursor) -> Self {
        let damage = Self::new(path, defect.what).at(defect.offset).of(defect.position);
        let Cursor { batch, position, offset, .. } = *at;
        if defect.what == UNREADABLE {
            // Its bytes are as they were written.
            return damage;
        }
        if defect.offset == offset {
            damage.expecting(format!("batch {batch}, from position {position} on"))
        } else {
            damage.expecting(format!("batch {batch} as it was written, from byte {offset} on"))
        }
    }
    pub(super) fn expecting(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }
    /// What is wrong, and what should be there instead.
    fn message(&self) -> String {
        match &self.expected {
            Some(expected) => format!("{} (expected: {expected})", self.what),
            None => self.what.clone().into_owned(),
        }
    }
    pub(super) fn at(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }
    pub(super) fn of(mut self, position: u64) -> Self {
        self.position = Some(position);
        self
    }
    /// As the refusal of an operation.
    pub(super) fn error(self, files: &dyn Files) -> Error {
        let mut error = Error::new(ErrorKind::Damaged, self.message()).in_file(files.describe(&self.file));
        if let Some(offset) = self.offset {
            error = error.at_offset(offset);
        }
        if let Some(position) = self.position {
            error = error.at(Position(position));
        }
        error.advise(advice(files))
    }
    /// As one result of a verification.
    pub(super) fn finding(self, files: &dyn Files) -> Finding {
        Finding {
            position: self.position.map(Position),
            file: files.describe(&self.file),
            offset: self.offset,
            what: self.message(),
        }
    }
}

/// What to do about a damaged log.
fn advice(files: &dyn Files) -> String {
    let directory = files.describe("");
    let directory = directory.display();
    format!(
        "nothing was changed; restore {directory} from a backup, or write what is provable into a new ledger with \
         `sovang salvage {directory} -o NEW`; `sovang verify {directory}` lists all damage and says how far the log holds"
    )
}
