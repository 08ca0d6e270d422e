//! What is known of a ledger at one moment.

use super::*;
use sovang_core::tree::{Frontier, leaf_hash};
use sovang_core::{RecordHash, Root};
use std::collections::BTreeMap;

/// Begins every subject's id, and nothing else.
pub(super) const SUBJECT: &str = "citizen:";
/// Begins every personal value, and nothing else.
pub(super) const VALUE: &str = "secret-";

/// One record of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Item {
    Plain(u64),
    /// Its number, and its subject's.
    Personal(u64, u64),
    /// The same.
    Erasure(u64, u64),
}
pub(super) fn subject(number: u64) -> String {
    format!("{SUBJECT}{number}")
}
/// A value; one in a thousand goes over several sectors.
pub(super) fn value(number: u64) -> String {
    let more = if number.is_multiple_of(1_000) { "and so on ".repeat(150) } else { String::new() };
    format!("{VALUE}{number}{more}")
}
impl Item {
    pub(super) fn number(self) -> u64 {
        match self {
            Self::Plain(number) | Self::Personal(number, _) | Self::Erasure(number, _) => number,
        }
    }
    /// The record; with each `attempt` other salts. None for an erasure, whose record has the handle.
    pub(super) fn prepare(self, attempt: u64) -> Option<Prepared> {
        let event = match self {
            Self::Plain(number) => a(&[("n", &number.to_string())], "plain"),
            Self::Personal(number, of) => member(&subject(of), &value(number)),
            Self::Erasure(..) => return None,
        };
        Some(salted(&event, self.number(), attempt))
    }
}
/// A record with salts that depend on nothing else.
pub(super) fn salted<E: Event>(event: &E, number: u64, attempt: u64) -> Prepared {
    let mut salt = || {
        let mut salt = [0; 32];
        hash::stream(&[number.to_le_bytes(), attempt.to_le_bytes()].concat(), &mut salt);
        Ok(salt)
    };
    Prepared::new(event, id(number), Some(18_000), Envelope::by(Actor::new("clerk").unwrap()), None, &[], &mut salt).unwrap()
}
pub(super) fn submission(items: &[Item], attempt: u64) -> Submission {
    let records = items.iter().filter_map(|item| item.prepare(attempt)).collect();
    Submission { records, condition: None, recorded_at: None }
}
/// Erases a subject.
pub(super) fn erase(store: &Store, number: u64, of: u64, told: &mut dyn FnMut([u8; 16])) -> Result<Done> {
    store.erase(&SubjectId::new(subject(of)).unwrap(), |handle| {
        told(handle);
        Ok(salted(&LedgerEvent::SubjectErased { handle, basis: "art. 14".to_owned() }, number, 0))
    })
}

/// What is known at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Known {
    /// Batches that were answered.
    pub(super) acked: Vec<Vec<Item>>,
    /// The batch under way: there whole or not at all.
    pub(super) pending: Vec<Item>,
    /// The keys of subjects whose erasure was asked for.
    pub(super) keys: BTreeMap<u64, [u8; 32]>,
    /// How the ciphertexts of their values began.
    pub(super) ciphertexts: BTreeMap<u64, Vec<[u8; 32]>>,
    /// The hashes of all records that were ever answered, by their numbers.
    pub(super) hashes: BTreeMap<u64, RecordHash>,
}
impl Known {
    /// What is there with the first `batches` of the batches.
    pub(super) fn items(&self, batches: usize) -> Vec<Item> {
        self.acked.iter().chain(std::iter::once(&self.pending)).take(batches).flatten().copied().collect()
    }
    /// The number of batches that make up so many records.
    pub(super) fn batches_of(&self, size: u64) -> Option<usize> {
        let batches = self.acked.iter().chain(std::iter::once(&self.pending)).map(|batch| batch.len() as u64);
        let sums = std::iter::once(0).chain(batches.scan(0, |sum, more| {
            *sum += more;
            Some(*sum)
        }));
        (0..).zip(sums).find_map(|(batches, sum)| (sum == size).then_some(batches))
    }
    /// The batch under way was answered.
    pub(super) fn answered(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if !pending.is_empty() {
            self.acked.push(pending);
        }
    }
    /// The subjects that have values among these records and are not erased by them, in order.
    pub(super) fn living(items: &[Item]) -> Vec<u64> {
        let erased = Self::erased(items);
        let mut seen = BTreeSet::new();
        let of = items.iter().filter_map(|item| if let Item::Personal(_, of) = item { Some(*of) } else { None });
        of.filter(|of| !erased.contains(of) && seen.insert(*of)).collect()
    }
    /// The subjects that these records erase.
    pub(super) fn erased(items: &[Item]) -> BTreeSet<u64> {
        items.iter().filter_map(|item| if let Item::Erasure(_, of) = item { Some(*of) } else { None }).collect()
    }
    /// Compares what a view shows with these records: ids, hashes, root, and every personal value. A value of `perhaps` may be
    /// erased already.
    pub(super) fn compare(&self, view: &View, items: &[Item], perhaps: &BTreeSet<u64>) -> Result<(), String> {
        let erased = Self::erased(items);
        let mut frontier = Frontier::new();
        let mut frames = view.scan(0..u64::MAX);
        for item in items {
            let (position, frame) = match frames.next() {
                Some(Ok(walked)) => walked,
                Some(Err(e)) => return Err(format!("{item:?} cannot be read: {e}")),
                None => return Err(format!("{item:?} is missing")),
            };
            let hash = frame.hash(position);
            frontier.push(leaf_hash(&hash));
            if frame.id() != id(item.number()) || self.hashes.get(&item.number()).is_some_and(|known| *known != hash) {
                return Err(format!("another record than {item:?} at {position}"));
            }
            if view.find(frame.id()).map_err(|e| e.to_string())? != Some(position) {
                return Err(format!("{item:?} is not found by its id"));
            }
            compare_value(view, *item, &frame, &erased, perhaps)?;
        }
        if frames.next().is_some() {
            return Err("more records than the head says".to_owned());
        }
        let root: Root = frontier.root();
        if view.head().root != root {
            return Err("the root is another one".to_owned());
        }
        Ok(())
    }
}
/// Compares the value of a record, if it has one.
pub(super) fn compare_value(
    view: &View,
    item: Item,
    frame: &Frame,
    erased: &BTreeSet<u64>,
    perhaps: &BTreeSet<u64>,
) -> Result<(), String> {
    let commitments = frame.commitments();
    let Item::Personal(number, of) = item else {
        return if commitments.is_empty() { Ok(()) } else { Err(format!("{item:?} has a commitment")) };
    };
    let [(_, commitment)] = &commitments[..] else {
        return Err(format!("{item:?} has {} commitments", commitments.len()));
    };
    match view.open_value(commitment) {
        Ok(Opened::Erased) if erased.contains(&of) || perhaps.contains(&of) => Ok(()),
        Ok(Opened::Known { subject: shown, value: shown_value, .. })
            if !erased.contains(&of) && shown.as_str() == subject(of) && shown_value.ends_with(value(number).as_bytes()) =>
        {
            Ok(())
        }
        Ok(other) => Err(format!("the value of {item:?} reads {other:?}")),
        Err(e) => Err(format!("the value of {item:?} cannot be read: {e}")),
    }
}
