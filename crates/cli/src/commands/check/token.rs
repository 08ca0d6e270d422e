//! RFC 3161 tokens over the checkpoints among the files: not after when these were there.

use super::{Check, Kind, Outcome, Verdict, read};
use crate::commands::stamp::certificates;
use crate::failure::Failure;
use crate::timestamp::{Certificates, Response};
use sovang::{Checkpoint, VerifiedCheckpoint};
use std::path::Path;
use time::format_description::well_known::Rfc3339;

/// What the tokens that were given say, one outcome each.
pub(super) fn check(check: &Check<'_>) -> Result<Vec<Outcome>, Failure> {
    let (tokens, Some(trusted)) = (&check.args.token, &check.args.tsa_cert) else { return Ok(Vec::new()) };
    let trusted = certificates(trusted)?;
    tokens.iter().map(|path| token(check, path, &trusted)).collect()
}

fn token(check: &Check<'_>, path: &Path, trusted: &Certificates) -> Result<Outcome, Failure> {
    let bytes = read(path)?;
    let file = path.display().to_string();
    let refused = |what: String| Outcome { file: file.clone(), ..Outcome::refused(Kind::Token, what) };
    let response = match Response::parse(&bytes) {
        Ok(response) => response,
        Err(error) => return Ok(refused(error.to_string())),
    };
    let held = check
        .outcomes
        .iter()
        .filter(|outcome| outcome.verdict == Verdict::Holds)
        .filter_map(|outcome| outcome.checkpoint.as_ref());
    let stamped = held.map(|checkpoint| (checkpoint, text_of(checkpoint))).find(|(_, text)| response.is_of(text.as_bytes()));
    let Some((checkpoint, text)) = stamped else {
        return Ok(refused("the token stamps no checkpoint of these files that holds".to_owned()));
    };
    Ok(match response.check(text.as_bytes(), trusted) {
        Ok(stamped) => {
            let at = stamped.at.format(&Rfc3339).unwrap_or_default();
            let what = format!("the checkpoint was there by {at}, says {}", stamped.authority);
            // The witnesses say nothing about the token.
            let mut checkpoint = checkpoint.clone();
            checkpoint.witnesses.clear();
            checkpoint.not_after = u64::try_from(stamped.not_after).ok();
            let note = "whether the authority's certificate was revoked was not looked at";
            Outcome { file, ..Outcome::holds(Kind::Token, what).with_checkpoint(checkpoint).note(note) }
        }
        Err(error) => refused(error.to_string()),
    })
}

/// What is signed and stamped: the checkpoint's three lines.
fn text_of(checkpoint: &VerifiedCheckpoint) -> String {
    Checkpoint::unsigned(&checkpoint.origin, checkpoint.head)
}
