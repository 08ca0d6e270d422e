//! Two checkpoints that hold and contradict each other: the log's key has signed two histories.

use super::{Check, Verdict};
use crate::failure::Failure;
use crate::output;
use sovang::{Checkpoint, ForkProof, Growth, forks};
use std::path::Path;

/// A checkpoint that was met, with the growth that was to lead to it.
pub(super) struct Seen {
    checkpoint: Checkpoint,
    growth: Option<Growth>,
}
impl Seen {
    pub(super) fn checkpoint(checkpoint: Checkpoint) -> Self {
        Self { checkpoint, growth: None }
    }
    pub(super) fn growth(growth: &Growth) -> Self {
        Self { checkpoint: growth.checkpoint.clone(), growth: Some(growth.clone()) }
    }
}

/// The first two that contradict each other, as far as the files show it; written to `path` if there is one.
pub(super) fn among(check: &Check<'_>, path: Option<&Path>) -> Result<Option<ForkProof>, Failure> {
    if check.seen.len() < 2 || check.outcomes.iter().all(|outcome| outcome.verdict == Verdict::NotChecked) {
        return Ok(None);
    }
    let policy = check.policy()?;
    for (i, one) in check.seen.iter().enumerate() {
        for two in &check.seen[..i] {
            let growth = one.growth.as_ref().into_iter().chain(&two.growth);
            let proof = forks::between(&one.checkpoint, &two.checkpoint, growth);
            // What goes out is a proof to others, so it must be one by the very same path.
            if let Some(proof) = proof.filter(|proof| proof.verify(&policy).is_ok()) {
                if let Some(path) = path {
                    output::document(Some(path), &proof.to_string())?;
                }
                return Ok(Some(proof));
            }
        }
    }
    Ok(None)
}
