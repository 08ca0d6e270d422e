//! Where a command writes: data on stdout, everything else on stderr.

use crate::failure::Failure;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

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

/// A document into a file, which it replaces, or to stdout.
pub(crate) fn document(path: Option<&Path>, text: &str) -> Result<(), Failure> {
    match path {
        Some(path) => std::fs::write(path, text).map_err(|e| Failure::file(&e, "write", &path.display().to_string())),
        None => {
            let mut out = stdout();
            out.write_all(text.as_bytes())?;
            Ok(out.flush()?)
        }
    }
}

/// An error message.
pub(crate) fn complain(message: &str) {
    tell(&format!("error: {message}"));
}

/// A message that is no error. Nobody may be listening, and that is no failure.
pub(crate) fn tell(message: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", harmless(message));
}

/// A message may cite what a stranger wrote into a file: none of it is to steer the terminal.
pub(crate) fn harmless(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    for character in message.chars() {
        if character.is_control() && character != '\n' {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

/// What is said about an input, not the input itself: the middle of a very long text is left out.
pub(crate) fn shortened(text: &str) -> String {
    const START: usize = 400;
    const END: usize = 200;
    let characters = text.chars().count();
    if characters <= START + END {
        return text.to_owned();
    }
    let start: String = text.chars().take(START).collect();
    let end: String = text.chars().skip(characters - END).collect();
    format!("{start} … {end}")
}

#[cfg(test)]
mod tests {
    use super::{harmless, shortened};

    #[test]
    fn a_message_steers_no_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\nhint: ê"), "a\\u{1b}[2Jb\nhint: ê");
    }

    #[test]
    fn the_middle_of_a_long_text_is_left_out() {
        assert_eq!(shortened("ngắn"), "ngắn");
        let long = shortened(&"ế".repeat(5000));
        assert_eq!(long.chars().count(), 603);
    }
}
