//! What is wrong with a ledger's files, before it becomes an error or a finding.

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
}

impl Damage {
    pub(super) fn new(file: impl Into<String>, what: impl Into<Cow<'static, str>>) -> Self {
        Self { file: file.into(), offset: None, position: None, what: what.into() }
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
        let mut error = Error::new(ErrorKind::Damaged, self.what).in_file(files.describe(&self.file));
        if let Some(offset) = self.offset {
            error = error.at_offset(offset);
        }
        if let Some(position) = self.position {
            error = error.at(Position(position));
        }
        error.advise("nothing was changed; `sovang verify` lists all damage, then restore from a backup")
    }
    /// As one result of a verification.
    pub(super) fn finding(self, files: &dyn Files) -> Finding {
        Finding {
            position: self.position.map(Position),
            file: files.describe(&self.file),
            offset: self.offset,
            what: self.what.into_owned(),
        }
    }
}
