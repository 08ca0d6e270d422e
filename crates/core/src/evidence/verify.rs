//! The one strict path: record, record hash, leaf, root, signature, policy. Whatever is to be believed goes along it.

use super::policy::{Policy, PolicyWitness};
use super::{Checkpoint, EvidenceError, VerifierKey};
use crate::ids::{Head, Position, RecordHash};
use crate::record::Frame;
use crate::tree::{self, Hash};

/// The earliest time a cosignature may have, 2020-01-01T00:00:00Z in seconds since 1970: nobody cosigned before (docs/FORMAT.md §11.7).
pub const TIME_MIN: u64 = 1_577_836_800;
/// The latest one, 9999-12-31T23:59:59Z: what can be written as a day.
pub const TIME_MAX: u64 = 253_402_300_799;
/// How far ahead of the given present a cosignature may be, in seconds: clocks differ.
pub const AHEAD_SECONDS_MAX: u64 = 86_400;

/// What a checkpoint is worth under a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedCheckpoint {
    /// Which log.
    pub origin: String,
    /// What was signed.
    pub head: Head,
    /// The first of the log's keys that has signed, in the policy's order.
    pub log: VerifierKey,
    /// The witnesses that have cosigned, in the policy's order: name in the policy, key, time in seconds since 1970.
    pub witnesses: Vec<(String, VerifierKey, u64)>,
    /// How many signature lines are of none of these keys.
    pub ignored: usize,
    /// By when it existed, in seconds since 1970, over the policy's quorum; none under `quorum none`.
    pub not_after: Option<u64>,
    /// The time up to which the policy's quorum vouches for it, in seconds since 1970: whatever holds these cosignatures was made after it.
    pub not_before: Option<u64>,
}

/// What a proof or a receipt proves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proven {
    /// Where the record stands in the log.
    pub position: Position,
    /// The record's hash; none for the raw entry of another log.
    pub record_hash: Option<RecordHash>,
    /// The record, if the receipt holds it.
    pub frame: Option<Frame>,
    /// The checkpoint whose root the record leads to.
    pub checkpoint: VerifiedCheckpoint,
}

/// That a checkpoint holds under a policy: signed by a log of its origin, every line of a key of the policy verifies, the quorum has
/// cosigned, at times that can be, and lately enough if the policy asks for that.
///
/// # Errors
/// The first of these that does not hold.
pub fn verify_checkpoint(checkpoint: &Checkpoint, policy: &Policy) -> Result<VerifiedCheckpoint, EvidenceError> {
    let origin = checkpoint.origin();
    if !policy.logs.iter().any(|log| log.origin == origin) {
        return Err(EvidenceError::UnknownOrigin { origin: origin.to_owned() });
    }
    let known: Vec<VerifierKey> =
        policy.logs.iter().map(|log| &log.key).chain(policy.witnesses.iter().map(|witness| &witness.key)).cloned().collect();
    let verified = checkpoint.note().verify(&known).map_err(|error| match error {
        EvidenceError::NoKnownKey { .. } => EvidenceError::NotSignedByLog { origin: origin.to_owned() },
        other => other,
    })?;
    let time_of = |key: &VerifierKey| verified.keys.iter().find(|(k, _)| k == key).map(|(_, time)| *time);
    let log = policy
        .logs
        .iter()
        .find(|log| log.origin == origin && time_of(&log.key).is_some())
        .ok_or_else(|| EvidenceError::NotSignedByLog { origin: origin.to_owned() })?;
    for (key, time) in &verified.cosignatures {
        check_time(key, *time, policy)?;
    }
    let mut witnesses = Vec::new();
    for PolicyWitness { name, key, .. } in &policy.witnesses {
        if let Some(Some(time)) = time_of(key) {
            witnesses.push((name.clone(), key.clone(), time));
        }
    }
    let times: Vec<(VerifierKey, u64)> = witnesses.iter().map(|(_, key, time)| (key.clone(), *time)).collect();
    if !policy.quorum_met(&times.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>()) {
        let cosigned = witnesses.into_iter().map(|(name, ..)| name).collect();
        return Err(EvidenceError::Quorum { quorum: policy.quorum().to_owned(), cosigned });
    }
    let not_before = policy.not_before(&times);
    check_age(not_before, policy)?;
    Ok(VerifiedCheckpoint {
        origin: origin.to_owned(),
        head: checkpoint.head(),
        log: log.key.clone(),
        witnesses,
        // A line by the key of another log of the policy vouches for nothing here.
        ignored: verified.ignored
            + verified.keys.iter().filter(|(key, _)| policy.logs.iter().any(|l| l.key == *key && l.origin != origin)).count(),
        not_after: policy.not_after(&times),
        not_before,
    })
}

fn check_time(key: &VerifierKey, seconds: u64, policy: &Policy) -> Result<(), EvidenceError> {
    let absurd = |why| Err(EvidenceError::Time { name: key.name().to_owned(), seconds, why });
    match &policy.present {
        _ if seconds < TIME_MIN => absurd("before 2020-01-01"),
        _ if seconds > TIME_MAX => absurd("after the year 9999"),
        Some(present) if seconds > present.now.saturating_add(AHEAD_SECONDS_MAX) => {
            absurd("more than a day ahead of the present")
        }
        _ => Ok(()),
    }
}

fn check_age(not_before: Option<u64>, policy: &Policy) -> Result<(), EvidenceError> {
    let Some((present, max_age)) = policy.present.and_then(|p| p.max_age.map(|max| (p, max))) else { return Ok(()) };
    let oldest = present.now.saturating_sub(max_age);
    match not_before {
        Some(time) if time >= oldest => Ok(()),
        cosigned => Err(EvidenceError::Stale { cosigned, oldest }),
    }
}

/// That the leaf stands at `position` under a checkpoint that holds under the policy.
pub(super) fn verify_leaf(
    leaf: &Hash,
    position: Position,
    hashes: &[Hash],
    checkpoint: &Checkpoint,
    policy: &Policy,
) -> Result<VerifiedCheckpoint, EvidenceError> {
    let verified = verify_checkpoint(checkpoint, policy)?;
    tree::verify_inclusion(leaf, position, verified.head.size, hashes, &verified.head.root)
        .map_err(|error| EvidenceError::Proof { what: "that the record is in the log", error })?;
    Ok(verified)
}
