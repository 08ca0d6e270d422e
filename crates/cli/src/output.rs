//! Where a command writes: data on stdout, everything else on stderr.

use crate::failure::Failure;
use std::io::{self, BufWriter, Write as _};

/// Buffered stdout; what it cannot take is a failure, not a panic.
pub(crate) type Stdout = BufWriter<io::StdoutLock<'static>>;

pub(crate) fn stdout() -> Stdout {
    BufWriter::new(io::stdout().lock())
}

/// One JSON document, and a line's end.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let mut out = stdout();
    serde_json::to_writer(&mut out, value)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// An error message.
#[expect(clippy::print_stderr, reason = "the place where messages are told")]
pub(crate) fn complain(message: &str) {
    eprintln!("error: {message}");
}

/// A message that is no error.
#[expect(clippy::print_stderr, reason = "the place where messages are told")]
pub(crate) fn tell(message: &str) {
    eprintln!("{message}");
}
