//! What a command fails with: a message with a hint on stderr, and an exit code that other programs rely on.

use sovang::{Error, ErrorKind};
use std::io;
use std::process::ExitCode;

/// A check found something wrong.
pub(crate) const FOUND: u8 = 1;
/// Usage or bad input.
pub(crate) const INPUT: u8 = 2;
/// The ledger is damaged, not a ledger, or of another schema or format.
pub(crate) const DAMAGED: u8 = 3;
/// The environment: locked, no space, permissions.
pub(crate) const ENVIRONMENT: u8 = 4;

/// Why a command could not be carried out.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
    /// Bytes that were durable are missing or changed.
    damage: bool,
    /// Whoever read stdout has stopped: nothing is to be said.
    quiet: bool,
}

impl Failure {
    pub(crate) fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), damage: false, quiet: false }
    }
    /// Bad input.
    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::new(INPUT, message)
    }
    /// A file of the user's that cannot be read or written.
    pub(crate) fn file(error: &io::Error, doing: &str, path: &str) -> Self {
        let not_there =
            matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory);
        let code = if not_there { INPUT } else { ENVIRONMENT };
        Self::new(code, format!("cannot {doing} {path}: {error}"))
    }
    /// What went wrong, with the place in an input in front.
    pub(crate) fn within(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }
    /// Adds what to do next.
    pub(crate) fn advise(mut self, hint: &str) -> Self {
        self.message.push_str("\nhint: ");
        self.message.push_str(hint);
        self
    }
    /// Adds a line.
    pub(crate) fn add(mut self, line: &str) -> Self {
        self.message.push('\n');
        self.message.push_str(line);
        self
    }
    /// Whether it is damage that was met.
    pub(crate) fn is_damage(&self) -> bool {
        self.damage
    }
    /// What went wrong.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }
    pub(crate) fn code(&self) -> u8 {
        self.code
    }
    /// Tells the user, and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        if self.quiet {
            return ExitCode::SUCCESS;
        }
        crate::output::complain(&self.message);
        ExitCode::from(self.code)
    }
}

/// The exit code that a kind of error stands for.
pub(crate) fn code_of(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Damaged | ErrorKind::NotALedger | ErrorKind::WrongSchema | ErrorKind::WrongFormat | ErrorKind::Codec => {
            DAMAGED
        }
        ErrorKind::Locked
        | ErrorKind::NoSpace
        | ErrorKind::PermissionDenied
        | ErrorKind::Io
        | ErrorKind::Poisoned
        | ErrorKind::Busy
        | ErrorKind::Closed
        | ErrorKind::TimedOut => ENVIRONMENT,
        ErrorKind::NotProven => FOUND,
        _ => INPUT,
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let damage = error.kind() == ErrorKind::Damaged;
        Self { damage, ..Self::new(code_of(error.kind()), error.to_string()) }
    }
}

/// Stdout.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let quiet = error.kind() == io::ErrorKind::BrokenPipe;
        Self { quiet, ..Self::new(ENVIRONMENT, format!("cannot write to stdout: {error}")) }
    }
}
impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::from(io::Error::from(error))
    }
}
impl From<csv::Error> for Failure {
    fn from(error: csv::Error) -> Self {
        match error.into_kind() {
            csv::ErrorKind::Io(error) => Self::from(error),
            other => Self::new(ENVIRONMENT, format!("cannot write CSV: {other:?}")),
        }
    }
}

/// A write over the limit on file sizes is to fail like any other for lack of space, not to kill the process.
pub(crate) fn refuse_instead_of_dying() {
    #[cfg(unix)]
    {
        let met = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        // Without the handler such a write kills the process: no worse than before.
        let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, met);
    }
}
