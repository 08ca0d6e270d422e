//! `sovang keygen`

use crate::args::evidence::KeygenArgs;
use crate::failure::Failure;
use crate::{keys, output};
use sovang::SigningKey;
use std::io::Write as _;

pub(crate) fn run(args: &KeygenArgs) -> Result<(), Failure> {
    // Said before anybody types a passphrase.
    sovang::evidence::check_key_name(&args.name).map_err(sovang::Error::from)?;
    let passphrase = if args.no_passphrase { None } else { Some(keys::new_passphrase()?) };
    let key = SigningKey::create(&args.output, &args.name, passphrase.as_ref().map(|p| p.as_str()))?;
    let file = args.output.display();
    output::tell(&format!("wrote {file} and {file}.head: keep both, together, away from the ledger and its backups"));
    let mut out = output::stdout();
    writeln!(out, "{}", key.vkey())?;
    Ok(out.flush()?)
}
