//! Not before: a record that holds a cosigned checkpoint was made after the witnesses saw that, and so was every record at a larger position
//! (docs/FORMAT.md §11.7).

use super::{Check, Verdict};
use crate::commands::check::report::instant;
use crate::failure::Failure;
use sovang::{Checkpoint, Head, LedgerEvent, Policy, Position, Proven, Recorded, evidence};

/// A record that bounds time from below.
struct Anchor {
    origin: String,
    head: Head,
    position: Position,
    /// In seconds since 1970.
    after: u64,
}

/// Says of every proven record after which time it was recorded, as far as the receipts among the files show it.
pub(super) fn bound(check: &mut Check<'_>) -> Result<(), Failure> {
    if check.receipts.is_empty() {
        return Ok(());
    }
    // What is logged long ago may be old.
    let policy = check.trusted.logs_of_any_age()?;
    let anchors: Vec<Anchor> = check.receipts.iter().filter_map(|proven| anchor(proven, &policy)).collect();
    for outcome in check.outcomes.iter_mut().filter(|outcome| outcome.verdict == Verdict::Holds) {
        let (Some(position), Some(checkpoint)) = (outcome.position, &outcome.checkpoint) else { continue };
        // Positions compare within one history, and that is the same head.
        let before =
            anchors.iter().filter(|a| a.origin == checkpoint.origin && a.head == checkpoint.head && a.position.0 <= position);
        if let Some(anchor) = before.max_by_key(|anchor| anchor.after) {
            outcome.not_before = Some(anchor.after);
            outcome.notes.push(format!(
                "recorded after {}: a checkpoint that was cosigned then is logged at position {}",
                instant(anchor.after),
                anchor.position
            ));
        }
    }
    Ok(())
}

fn anchor(proven: &Proven, policy: &Policy) -> Option<Anchor> {
    let frame = proven.frame.clone().filter(|frame| frame.kind() == LedgerEvent::TIME_ANCHORED.number())?;
    let record = Recorded::<LedgerEvent>::decode(proven.position, frame, None).ok()?;
    let LedgerEvent::TimeAnchored { what, text, .. } = record.event else { return None };
    let checkpoint: Checkpoint = text.parse().ok().filter(|_| what == LedgerEvent::ANCHOR_CHECKPOINT)?;
    let after = evidence::verify_checkpoint(&checkpoint, policy).ok()?.not_before?;
    let (origin, head) = (proven.checkpoint.origin.clone(), proven.checkpoint.head);
    Some(Anchor { origin, head, position: proven.position, after })
}
