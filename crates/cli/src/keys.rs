//! Opening signing keys: where their passphrases come from.

use crate::failure::Failure;
use sovang::{Error, ErrorKind, SigningKey};
use std::io::IsTerminal as _;
use std::path::Path;
use zeroize::Zeroizing;

/// The environment variable that holds a passphrase.
pub(crate) const PASSPHRASE: &str = "SOVANG_KEY_PASSPHRASE";

/// Opens a key; asks for its passphrase when it takes one.
pub(crate) fn open(path: &Path) -> Result<SigningKey, Failure> {
    Ok(SigningKey::open_with(path, || match from_environment()? {
        Some(passphrase) => Ok(passphrase),
        None => prompt(&format!("Passphrase of {}: ", path.display())),
    })?)
}

/// A passphrase for a new key: given twice, or by the environment.
pub(crate) fn new_passphrase() -> Result<Zeroizing<String>, Failure> {
    if let Some(passphrase) = from_environment()? {
        return Ok(passphrase);
    }
    let first = prompt("Passphrase of the new key: ")?;
    if first.is_empty() {
        return Err(Failure::input("the passphrase is empty").advise("give one, or --no-passphrase"));
    }
    if *first != *prompt("The same once more: ")? {
        return Err(Failure::input("the two passphrases differ"));
    }
    Ok(first)
}

fn from_environment() -> sovang::Result<Option<Zeroizing<String>>> {
    match std::env::var(PASSPHRASE) {
        Ok(passphrase) => Ok(Some(Zeroizing::new(passphrase))),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Error::new(ErrorKind::InvalidInput, format!("{PASSPHRASE} is not UTF-8"))),
    }
}

fn prompt(text: &str) -> sovang::Result<Zeroizing<String>> {
    if !std::io::stdin().is_terminal() {
        return Err(Error::new(ErrorKind::InvalidInput, "a passphrase is needed and there is no terminal to ask on")
            .advise(format!("set {PASSPHRASE}, or run it on a terminal")));
    }
    match rpassword::prompt_password(text) {
        Ok(passphrase) => Ok(Zeroizing::new(passphrase)),
        Err(e) => Err(Error::new(ErrorKind::Io, "cannot ask for the passphrase").caused_by(e)),
    }
}
