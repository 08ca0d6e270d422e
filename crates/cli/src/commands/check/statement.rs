//! Statements: a figure with the log it was computed from.

use super::{Check, Kind, Outcome};
use crate::failure::Failure;
use sovang::evidence::Statement;
use sovang::recognition::Recognition;
use sovang::{ErrorKind, Ledger, Policy, VerifierKey};
use std::path::Path;

pub(super) fn check(check: &Check<'_>, bytes: &[u8]) -> Result<Outcome, Failure> {
    let statement = match Statement::parse(bytes) {
        Ok(statement) => statement,
        Err(error) => return Ok(Outcome::of_error(Kind::Statement, &error)),
    };
    let policy = policy_of(check, &statement)?;
    let verified = match statement.verify(&check.trusted.vkeys, policy.as_ref()) {
        Ok(verified) => verified,
        Err(error) => return Ok(Outcome::of_error(Kind::Statement, &error)),
    };
    let figure = statement.figure();
    let what = format!("the figure `{}` was stated of the first {} records", figure.tally, statement.as_of());
    let mut outcome = Outcome::holds(Kind::Statement, what);
    for key in &verified.keys {
        outcome = outcome.note(format!("stated by {key}"));
    }
    if verified.ignored > 0 {
        outcome = outcome.note(format!("{} signature lines of the statement are of keys that are not trusted", verified.ignored));
    }
    outcome = match verified.checkpoint {
        Some(checkpoint) => outcome.with_checkpoint(checkpoint),
        None => outcome
            .note(format!("checkpoint not checked (no log key given): it is of the log {:?}", statement.checkpoint().origin())),
    };
    match &check.args.replay {
        Some(dir) => replay(dir, &statement, outcome),
        None => Ok(outcome.note("the figure was not computed again (no ledger given with --replay)")),
    }
}

/// Whom to believe the checkpoint: the policy that is given, else the keys that bear the log's name.
fn policy_of(check: &Check<'_>, statement: &Statement) -> Result<Option<Policy>, Failure> {
    if check.trusted.has_policy() {
        return check.policy().map(Some);
    }
    let origin = statement.checkpoint().origin();
    // An origin that is asked for is one whose key has another name.
    let is_logs = |key: &&VerifierKey| check.args.origin.is_some() || key.name() == origin;
    let states = |key: &VerifierKey| statement.note().signatures().iter().any(|line| line.is_of(key));
    let logs: Vec<VerifierKey> = check.trusted.vkeys.iter().filter(is_logs).filter(|key| !states(key)).cloned().collect();
    if logs.is_empty() { Ok(None) } else { check.trusted.logs_among(&logs).map(Some) }
}

/// Computes the figure again. What is wrong with the ledger is a failure, what is wrong with the statement an outcome.
fn replay(dir: &Path, statement: &Statement, held: Outcome) -> Result<Outcome, Failure> {
    let reader = Ledger::<Recognition>::open_read_only(dir)?;
    match reader.replay(statement) {
        Ok(()) => {
            let what = format!("{}, and the log gives the same figure, byte for byte", held.what);
            Ok(Outcome { what, ..held })
        }
        Err(error) if error.kind() == ErrorKind::NotProven => Ok(Outcome::refused(Kind::Statement, error.to_string())),
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            Ok(Outcome::not_checked(Kind::Statement, error.message(), "replay it with a program that knows this tally"))
        }
        Err(error) => Err(error.into()),
    }
}
