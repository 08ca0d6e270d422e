//! Statements: a figure with the log it was computed from.

use super::{Check, Kind, Outcome};
use crate::failure::Failure;
use sovang::evidence::Statement;

pub(super) fn check(check: &Check<'_>, bytes: &[u8]) -> Result<Outcome, Failure> {
    let statement = match Statement::parse(bytes) {
        Ok(statement) => statement,
        Err(error) => return Ok(Outcome::of_error(Kind::Statement, &error)),
    };
    let policy = if check.trusted.has_policy() { Some(check.policy()?) } else { None };
    Ok(match statement.verify(&check.trusted.vkeys, policy.as_ref()) {
        Ok(_) => Outcome::holds(Kind::Statement, format!("the figure was signed as of size {}", statement.as_of())),
        Err(error) => Outcome::of_error(Kind::Statement, &error),
    })
}
