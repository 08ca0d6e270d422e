//! One error for the whole library: opaque outside, rich inside.

use crate::codec::CodecError;
use crate::ids::{Position, RecordId, Size};
use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// `Result` with the library's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as far as a program needs to tell cases apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A value that was given cannot be taken as it is.
    InvalidInput,
    /// Something is larger than one of the named limits.
    TooLarge,
    /// An event could not be encoded or decoded.
    Codec,
    /// A condition did not hold: see [`Error::conflict`].
    Conflict,
    /// The id is in the ledger already, with other content.
    ContentDiffers,
    /// Some ids of one call are in the ledger and some are not; nothing was appended.
    PartlyPresent,
    /// An amendment names no original record of this ledger, or replaces it by an event of another kind.
    AmendmentTarget,
    /// The record names a person whose data was erased.
    ErasedSubject,
    /// Nothing is at that position or id.
    NotFound,
    /// The writer's queue is full; try again later.
    Busy,
    /// The handle was closed.
    Closed,
    /// A wait ran out of time.
    TimedOut,
    /// An earlier write failed: the outcome of what was under way is unknown. Reopen the ledger, then send the same ids again.
    Poisoned,
    /// Another process holds the ledger's lock.
    Locked,
    /// The directory to create a ledger in is not empty.
    NotEmpty,
    /// The directory is not a ledger.
    NotALedger,
    /// The ledger holds events of another schema.
    WrongSchema,
    /// The ledger is of a format version this library does not know.
    WrongFormat,
    /// Bytes that were durable are missing or changed. Nothing was modified.
    Damaged,
    /// A proof, checkpoint, receipt or statement does not hold: see [`crate::evidence::EvidenceError`].
    NotProven,
    /// No space left for the write; nothing of it was written.
    NoSpace,
    /// The system refused access.
    PermissionDenied,
    /// Any other failure of the system.
    Io,
}

/// The record that stood in the way of a conditional append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conflict {
    /// The newest record that matches the condition's query.
    pub position: Position,
    /// The size at which the caller had looked.
    pub looked_at: Size,
}
impl Conflict {
    /// A conflict with the record at `position`, for a caller who had looked at size `looked_at`.
    #[must_use]
    pub const fn new(position: Position, looked_at: Size) -> Self {
        Self { position, looked_at }
    }
}

/// Why an operation failed. Cheap to clone: one failed sync answers many tickets.
///
/// `{}` and `{:?}` print the message, where it happened, the causes and, after `hint:`, what to do.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    position: Option<Position>,
    path: Option<PathBuf>,
    offset: Option<u64>,
    entry: Option<usize>,
    conflict: Option<Conflict>,
    ids: Vec<RecordId>,
    hint: Option<String>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this kind. The message says what, without a full stop.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: message.into(),
            position: None,
            path: None,
            offset: None,
            entry: None,
            conflict: None,
            ids: Vec::new(),
            hint: None,
            source: None,
        }))
    }
    /// `what` has `bytes` bytes, over the limit of that name.
    #[must_use]
    pub fn too_large(what: &str, bytes: usize, limit: &str, max: usize) -> Self {
        Self::new(ErrorKind::TooLarge, format!("{what} has {bytes} bytes, more than {limit} = {max}"))
    }
    /// An I/O failure at a path; the kind follows the system's error.
    #[must_use]
    pub fn io(source: std::io::Error, doing: &str, path: impl AsRef<Path>) -> Self {
        use std::io::ErrorKind as Io;
        let kind = match source.kind() {
            Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => ErrorKind::NoSpace,
            Io::PermissionDenied | Io::ReadOnlyFilesystem => ErrorKind::PermissionDenied,
            _ => ErrorKind::Io,
        };
        Self::new(kind, format!("cannot {doing}")).in_file(path.as_ref()).caused_by(source)
    }
    fn with(self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.0);
        change(&mut inner);
        Self(Arc::new(inner))
    }
    /// Adds the record at fault.
    #[must_use]
    pub fn at(self, position: Position) -> Self {
        self.with(|e| e.position = Some(position))
    }
    /// Adds the file or directory at fault.
    #[must_use]
    pub fn in_file(self, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        self.with(|e| e.path = Some(path))
    }
    /// Adds the byte offset at fault.
    #[must_use]
    pub fn at_offset(self, offset: u64) -> Self {
        self.with(|e| e.offset = Some(offset))
    }
    /// Adds the entry at fault, by its 0-based index in what was given.
    #[must_use]
    pub fn in_entry(self, index: usize) -> Self {
        self.with(|e| e.entry = Some(index))
    }
    /// Adds what to do next.
    #[must_use]
    pub fn advise(self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        self.with(|e| e.hint = Some(hint))
    }
    /// Adds the record in the way.
    #[must_use]
    pub fn with_conflict(self, conflict: Conflict) -> Self {
        self.with(|e| e.conflict = Some(conflict))
    }
    /// Adds the ids of the entries this answers.
    #[must_use]
    pub fn with_ids(self, ids: impl IntoIterator<Item = RecordId>) -> Self {
        let ids = ids.into_iter().collect();
        self.with(|e| e.ids = ids)
    }
    /// Adds the cause.
    #[must_use]
    pub fn caused_by(self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.with(|e| e.source = Some(Arc::new(source)))
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
    /// The message alone, without place, cause and hint.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }
    /// The record at fault.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.0.position
    }
    /// The file or directory at fault.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }
    /// The byte offset at fault within [`Self::path`].
    #[must_use]
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }
    /// The 0-based index of the entry at fault in what was given.
    #[must_use]
    pub fn entry(&self) -> Option<usize> {
        self.0.entry
    }
    /// The record that stood in the way of a conditional append.
    #[must_use]
    pub fn conflict(&self) -> Option<Conflict> {
        self.0.conflict
    }
    /// The ids of the entries this answers: send the same ids again, never new ones.
    #[must_use]
    pub fn ids(&self) -> &[RecordId] {
        &self.0.ids
    }
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
    /// Whether the same call may succeed later without a change by anyone who reads this.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Busy | ErrorKind::Conflict | ErrorKind::Locked | ErrorKind::TimedOut)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let e = &*self.0;
        f.write_str(&e.message)?;
        if let Some(index) = e.entry {
            write!(f, " in entry {index}")?;
        }
        if let Some(position) = e.position {
            write!(f, " at position {position}")?;
        }
        if let Some(path) = &e.path {
            write!(f, " in {}", path.display())?;
        }
        if let Some(offset) = e.offset {
            write!(f, " at byte {offset}")?;
        }
        if let Some(conflict) = e.conflict {
            write!(f, " (record {} came after size {})", conflict.position, conflict.looked_at)?;
        }
        let mut source: Option<&dyn StdError> = e.source.as_deref().map(|s| s as &dyn StdError);
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        if let Some(hint) = &e.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|s| s as &(dyn StdError + 'static))
    }
}
impl From<CodecError> for Error {
    fn from(error: CodecError) -> Self {
        let kind = if matches!(error, CodecError::TooLong { .. }) { ErrorKind::TooLarge } else { ErrorKind::Codec };
        Self::new(kind, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_where_and_what_to_do() {
        let error = Error::io(std::io::Error::other("disk on fire"), "sync the log", "/x/log/0")
            .at(Position(7))
            .at_offset(4096)
            .advise("reopen");
        let text = format!("{error:?}");
        assert_eq!(text, "cannot sync the log at position 7 in /x/log/0 at byte 4096: disk on fire\nhint: reopen");
        assert_eq!(error.kind(), ErrorKind::Io);
    }

    #[test]
    fn is_shareable() {
        fn check<T: Clone + Send + Sync + 'static>() {}
        check::<Error>();
    }
}
