//! `sovang stamp`

use crate::args::publishing::StampArgs;
use crate::failure::{FOUND, Failure};
use crate::output;
use crate::timestamp::{self, Certificates, Response};
use sovang::{Checkpoint, Checkpoints, IdSource as _, SystemIds};
use std::path::Path;
use time::format_description::well_known::Rfc3339;

pub(crate) fn run(args: &StampArgs) -> Result<(), Failure> {
    let checkpoints = Checkpoints::of_directory(&args.dir)?;
    match (&args.request, &args.response) {
        (Some(file), _) => request(&checkpoints, file),
        (None, Some(file)) => keep(&checkpoints, file, args.tsa_cert.as_deref()),
        // clap asks for one of them.
        (None, None) => Err(Failure::input("neither --request nor --response is given")),
    }
}

fn request(checkpoints: &Checkpoints, file: &Path) -> Result<(), Failure> {
    let newest = checkpoints.newest(|_| true)?.ok_or_else(none_yet)?;
    let mut nonce = [0; 8];
    SystemIds.fill(&mut nonce)?;
    let name = file.display().to_string();
    std::fs::write(file, timestamp::request(newest.note().text().as_bytes(), nonce))
        .map_err(|e| Failure::file(&e, "write", &name))?;
    output::tell(&format!(
        "{name}: a request over the checkpoint of size {}, to be sent to a time-stamping authority",
        newest.head().size
    ));
    Ok(())
}

fn keep(checkpoints: &Checkpoints, file: &Path, trusted: Option<&Path>) -> Result<(), Failure> {
    let name = file.display().to_string();
    let bytes = std::fs::read(file).map_err(|e| Failure::file(&e, "read", &name))?;
    let refused = |refused: timestamp::Refused| Failure::new(FOUND, refused.to_string()).within(&name);
    let response = Response::parse(&bytes).map_err(refused)?;
    let stamped = checkpoints.all()?.into_iter().rev().find(|checkpoint| response.is_of(checkpoint.note().text().as_bytes()));
    let Some(stamped) = stamped else {
        return Err(Failure::new(FOUND, "the response stamps none of the checkpoints that the ledger keeps").within(&name));
    };
    check(&response, &stamped, trusted).map_err(refused_or(&name))?;
    let kept = checkpoints.add_token(stamped.head().size, &bytes)?;
    let at = response.claimed().format(&Rfc3339).unwrap_or_default();
    output::tell(&format!("{}: the checkpoint of size {} is stamped with {at}", kept.display(), stamped.head().size));
    if trusted.is_none() {
        output::tell("note: who stamped it was not checked (no --tsa-cert given)");
    }
    Ok(())
}

/// Either a file that cannot be read, or a response that does not hold.
enum Unkept {
    Failure(Failure),
    Refused(timestamp::Refused),
}
fn refused_or(name: &str) -> impl Fn(Unkept) -> Failure {
    move |unkept| match unkept {
        Unkept::Failure(failure) => failure,
        Unkept::Refused(refused) => Failure::new(FOUND, refused.to_string()).within(name),
    }
}

fn check(response: &Response<'_>, checkpoint: &Checkpoint, trusted: Option<&Path>) -> Result<(), Unkept> {
    let Some(path) = trusted else { return Ok(()) };
    let trusted = certificates(path).map_err(Unkept::Failure)?;
    response.check(checkpoint.note().text().as_bytes(), &trusted).map(drop).map_err(Unkept::Refused)
}

/// The certificates in a file of the user's.
pub(super) fn certificates(path: &Path) -> Result<Certificates, Failure> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|e| Failure::file(&e, "read", &name))?;
    Certificates::parse(&bytes).map_err(|refused| Failure::input(refused.to_string()).within(&name))
}

fn none_yet() -> Failure {
    Failure::input("there is no signed checkpoint yet").advise("sign one with `sovang checkpoint DIR --key KEYFILE`")
}
