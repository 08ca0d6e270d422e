//! What a tally remembers: sums of signed effects, under keys that are hashes of ids.
//!
//! Every state here is a sum, so adding effects and merging two states is associative and commutative, and a state is
//! canonical: whatever cancelled out is gone, so the same records give the same bytes however they were folded. Weights may be
//! negative in a range that holds a correction but not its target; they are not over a whole prefix of the log.

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _};
use serde::ser::{Error as _, Serialize, Serializer};
use sovang_core::hash;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The identity of a model, plaque, commendation or decision: 16 bytes of a hash of its id in NFC, so that a state stays
/// small and two spellings of one id are one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(super) struct Key([u8; 16]);

impl Key {
    /// What stands for "any model" where a report needs no model.
    pub(super) const ANY: Self = Self([0; 16]);
    pub(super) fn of(what: &str, id: &str) -> Self {
        Self(hash::tag_key(what, id).0)
    }
}

/// A code or a text of a report.
pub(super) type Text = Cow<'static, str>;

/// A text as it stands in a report: in NFC, so that two spellings make one row.
pub(super) fn text(given: &str) -> Text {
    Cow::Owned(match is_nfc_quick(given.chars()) {
        IsNormalized::Yes => given.to_owned(),
        IsNormalized::No | IsNormalized::Maybe => given.nfc().collect(),
    })
}

/// A sum that can tell when it has become nothing.
pub(super) trait Sum: Copy + PartialEq + fmt::Debug + Serialize + DeserializeOwned {
    const NOTHING: Self;
    fn plus(self, other: Self) -> Self;
}
impl Sum for i64 {
    const NOTHING: Self = 0;
    fn plus(self, other: Self) -> Self {
        // Each record adds 1 at most: 2^63 records would be needed to overflow.
        self + other
    }
}

/// How many records, and the sum of what they say. The sum of fewer than 2^64 numbers of 64 bits fits in 128.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Total {
    pub(super) count: i64,
    pub(super) quantity: i128,
}
impl Sum for Total {
    const NOTHING: Self = Self { count: 0, quantity: 0 };
    fn plus(self, other: Self) -> Self {
        Self { count: self.count + other.count, quantity: self.quantity + other.quantity }
    }
}

/// Sums by cell.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Cells<C: Ord, W = i64>(BTreeMap<C, W>);

impl<C: Ord, W> Default for Cells<C, W> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}
impl<C: Ord, W: Sum> Cells<C, W> {
    pub(super) fn add(&mut self, cell: C, weight: W) {
        use std::collections::btree_map::Entry;
        match self.0.entry(cell) {
            Entry::Vacant(place) => {
                if weight != W::NOTHING {
                    place.insert(weight);
                }
            }
            Entry::Occupied(mut place) => {
                let sum = place.get().plus(weight);
                if sum == W::NOTHING {
                    place.remove();
                } else {
                    place.insert(sum);
                }
            }
        }
    }
    pub(super) fn merge(&mut self, later: Self) {
        for (cell, weight) in later.0 {
            self.add(cell, weight);
        }
    }
    pub(super) fn get(&self, cell: &C) -> W {
        self.0.get(cell).copied().unwrap_or(W::NOTHING)
    }
    pub(super) fn iter(&self) -> impl Iterator<Item = (&C, W)> {
        self.0.iter().map(|(cell, weight)| (cell, *weight))
    }
}

/// A fact that many keys share, kept once.
#[derive(Debug)]
pub(super) struct Shared<F>(Arc<F>);

impl<F> Clone for Shared<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F> Deref for Shared<F> {
    type Target = F;
    fn deref(&self) -> &F {
        &self.0
    }
}
impl<F: Ord> PartialEq for Shared<F> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl<F: Ord> Eq for Shared<F> {}
impl<F: Ord> PartialOrd for Shared<F> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<F: Ord> Ord for Shared<F> {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.cmp(&other.0) }
    }
}
impl<F> std::borrow::Borrow<F> for Shared<F> {
    fn borrow(&self) -> &F {
        &self.0
    }
}

/// The facts of one key, ascending, none of weight nothing. Almost every key has one.
#[derive(Clone, Debug)]
enum Few<F, W> {
    One(Shared<F>, W),
    #[expect(clippy::box_collection, reason = "a Vec inline would widen every entry for the sake of a few")]
    Many(Box<Vec<(Shared<F>, W)>>),
}

impl<F: Ord, W: Sum> Few<F, W> {
    /// Of ascending facts; none of no fact.
    fn from_sorted(facts: Vec<(Shared<F>, W)>) -> Option<Self> {
        match facts.as_slice() {
            [] => None,
            [(fact, weight)] => Some(Self::One(fact.clone(), *weight)),
            _ => Some(Self::Many(Box::new(facts))),
        }
    }
    fn iter(&self) -> impl Iterator<Item = (&F, W)> {
        let (one, many) = match self {
            Self::One(fact, weight) => (Some((&**fact, *weight)), [].as_slice()),
            Self::Many(facts) => (None, facts.as_slice()),
        };
        one.into_iter().chain(many.iter().map(|(fact, weight)| (&**fact, *weight)))
    }
    /// Adds, and says whether anything is left.
    fn add(&mut self, fact: Shared<F>, weight: W) -> bool {
        match self {
            Self::One(there, sum) if *there == fact => {
                *sum = sum.plus(weight);
                *sum != W::NOTHING
            }
            Self::One(there, sum) => {
                let mut facts = vec![(there.clone(), *sum), (fact, weight)];
                facts.sort_by(|(a, _), (b, _)| a.cmp(b));
                *self = Self::Many(Box::new(facts));
                true
            }
            Self::Many(facts) => {
                match facts.binary_search_by(|(there, _)| there.cmp(&fact)) {
                    Err(index) => facts.insert(index, (fact, weight)),
                    Ok(index) => {
                        let sum = facts[index].1.plus(weight);
                        if sum == W::NOTHING {
                            facts.remove(index);
                        } else {
                            facts[index].1 = sum;
                        }
                    }
                }
                if let [(fact, weight)] = facts.as_slice() {
                    *self = Self::One(fact.clone(), *weight);
                }
                true
            }
        }
    }
}

/// Facts by key: of each model, plaque or commendation what is known of it, summed up.
#[derive(Clone, Debug)]
pub(super) struct Keyed<F, W = i64> {
    entries: BTreeMap<Key, Few<F, W>>,
    /// Every fact met, so that equal ones share one allocation; no part of the state's value.
    seen: BTreeSet<Shared<F>>,
}

impl<F, W> Default for Keyed<F, W> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), seen: BTreeSet::new() }
    }
}

impl<F: Ord, W: Sum> Keyed<F, W> {
    pub(super) fn add(&mut self, key: Key, fact: F, weight: W) {
        let shared = match self.seen.get(&fact) {
            Some(shared) => shared.clone(),
            None => {
                let shared = Shared(Arc::new(fact));
                self.seen.insert(shared.clone());
                shared
            }
        };
        self.add_shared(key, shared, weight);
    }
    fn add_shared(&mut self, key: Key, fact: Shared<F>, weight: W) {
        use std::collections::btree_map::Entry;
        if weight == W::NOTHING {
            return;
        }
        match self.entries.entry(key) {
            Entry::Vacant(place) => {
                place.insert(Few::One(fact, weight));
            }
            Entry::Occupied(mut place) => {
                if !place.get_mut().add(fact, weight) {
                    place.remove();
                }
            }
        }
    }
    pub(super) fn merge(&mut self, later: Self) {
        for (key, facts) in later.entries {
            let facts = match facts {
                Few::One(fact, weight) => vec![(fact, weight)],
                Few::Many(facts) => *facts,
            };
            for (fact, weight) in facts {
                let fact = match self.seen.get(&fact) {
                    Some(shared) => shared.clone(),
                    None => {
                        self.seen.insert(fact.clone());
                        fact
                    }
                };
                self.add_shared(key, fact, weight);
            }
        }
    }
    /// What is known of a key, ascending.
    pub(super) fn of(&self, key: &Key) -> impl Iterator<Item = (&F, W)> {
        self.entries.get(key).into_iter().flat_map(Few::iter)
    }
    /// Every key with what is known of it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, impl Iterator<Item = (&F, W)>)> {
        self.entries.iter().map(|(key, facts)| (key, facts.iter()))
    }
}

/// How facts by key are kept: the facts once, ascending, and for each key the places of its facts among them.
type Kept<K, F, W> = (Vec<F>, Vec<(K, Vec<(u32, W)>)>);

impl<F: Ord + Serialize, W: Sum> Serialize for Keyed<F, W> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let used: BTreeSet<&F> = self.iter().flat_map(|(_, facts)| facts.map(|(fact, _)| fact)).collect();
        let facts: Vec<&F> = used.into_iter().collect();
        let place = |fact: &F| -> Result<u32, S::Error> {
            let index = facts.binary_search(&fact).map_err(|_| S::Error::custom("a fact that is not listed"))?;
            u32::try_from(index).map_err(|_| S::Error::custom("more than 2^32 different facts"))
        };
        let entries = self
            .iter()
            .map(|(key, facts)| Ok((key, facts.map(|(fact, weight)| Ok((place(fact)?, weight))).collect::<Result<_, _>>()?)))
            .collect::<Result<Vec<_>, S::Error>>()?;
        let kept: Kept<&Key, &F, W> = (facts, entries);
        kept.serialize(to)
    }
}
impl<'de, F: Ord + Deserialize<'de>, W: Sum> Deserialize<'de> for Keyed<F, W> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (facts, entries) = Kept::<Key, F, W>::deserialize(from)?;
        let facts: Vec<Shared<F>> = facts.into_iter().map(|fact| Shared(Arc::new(fact))).collect();
        let mut canonical = facts.is_sorted_by(|a, b| a < b) && entries.is_sorted_by(|(a, _), (b, _)| a < b);
        let mut keyed = Self { entries: BTreeMap::new(), seen: facts.iter().cloned().collect() };
        for (key, places) in entries {
            canonical &= places.is_sorted_by(|(a, _), (b, _)| a < b) && places.iter().all(|(_, weight)| *weight != W::NOTHING);
            let mut known = Vec::with_capacity(places.len());
            for (place, weight) in places {
                let fact = usize::try_from(place).ok().and_then(|place| facts.get(place));
                known.push((fact.ok_or_else(|| D::Error::custom("a fact that is not listed"))?.clone(), weight));
            }
            match Few::from_sorted(known) {
                Some(few) => canonical &= keyed.entries.insert(key, few).is_none(),
                None => canonical = false,
            }
        }
        // Refused here, since to add up what stands twice could overflow.
        if !canonical {
            return Err(D::Error::custom("facts that are not in canonical form"));
        }
        Ok(keyed)
    }
}
impl<F: Ord, W: Sum> PartialEq for Keyed<F, W> {
    fn eq(&self, other: &Self) -> bool {
        self.entries.len() == other.entries.len()
            && self.iter().zip(other.iter()).all(|((a, facts), (b, others))| a == b && facts.eq(others))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sovang_core::codec;

    fn decoded(kept: &Kept<Key, u16, i64>) -> Result<Keyed<u16>, sovang_core::CodecError> {
        codec::decode_state(&codec::encode_state(kept).expect("bytes"))
    }

    #[test]
    fn only_the_canonical_form_is_read() {
        let key = |id| Key::of("model", id);
        let (low, high) = if key("a") < key("b") { (key("a"), key("b")) } else { (key("b"), key("a")) };
        let sound = (vec![3, 5], vec![(low, vec![(1, 2)]), (high, vec![(0, -1), (1, 1)])]);
        let mut keyed = Keyed::default();
        keyed.add(high, 5, 1);
        keyed.add(low, 5, 2);
        keyed.add(high, 3, -1);
        assert_eq!(decoded(&sound), Ok(keyed));
        let refused: [Kept<Key, u16, i64>; 9] = [
            (vec![5, 3], sound.1.clone()),
            (vec![3, 3], sound.1.clone()),
            (vec![3, 5, 7], sound.1.clone()),
            (vec![3], sound.1.clone()),
            (sound.0.clone(), vec![(high, vec![(0, 1)]), (low, vec![(1, 1)])]),
            (sound.0.clone(), vec![(low, vec![(0, 1)]), (low, vec![(1, 1)])]),
            (sound.0.clone(), vec![(low, vec![]), (high, vec![(0, 1), (1, 1)])]),
            (sound.0.clone(), vec![(low, vec![(0, 0), (1, 1)])]),
            (sound.0.clone(), vec![(low, vec![(0, i64::MAX), (0, i64::MAX), (1, 1)])]),
        ];
        for kept in refused {
            assert!(decoded(&kept).is_err(), "{kept:?}");
        }
    }

    proptest! {
        #[test]
        fn sums_are_those_of_a_plain_map(steps in proptest::collection::vec((0u8..4, 0u16..4, -2i64..3), 0..40), cut in 0usize..40) {
            let key = |k: u8| Key::of("model", &k.to_string());
            let mut plain = BTreeMap::<(Key, u16), i64>::new();
            let (mut keyed, mut later) = (Keyed::default(), Keyed::default());
            for (at, (k, fact, weight)) in steps.iter().enumerate() {
                *plain.entry((key(*k), *fact)).or_default() += weight;
                if at < cut { &mut keyed } else { &mut later }.add(key(*k), *fact, *weight);
            }
            keyed.merge(later);
            plain.retain(|_, weight| *weight != 0);
            let flat: BTreeMap<(Key, u16), i64> =
                keyed.iter().flat_map(|(key, facts)| facts.map(move |(fact, weight)| ((*key, *fact), weight))).collect();
            prop_assert_eq!(&flat, &plain);
            let kept = codec::encode_state(&keyed).expect("bytes");
            let mut fresh = Keyed::default();
            for ((key, fact), weight) in plain.into_iter().rev() {
                fresh.add(key, fact, weight);
            }
            prop_assert_eq!(codec::encode_state(&fresh).expect("bytes"), kept.clone());
            prop_assert_eq!(codec::decode_state::<Keyed<u16>>(&kept).expect("a state"), keyed);
        }
        #[test]
        fn noise_never_panics(bytes in any::<Vec<u8>>()) {
            if let Ok(keyed) = codec::decode_state::<Keyed<u16>>(&bytes) {
                prop_assert_eq!(codec::encode_state(&keyed).expect("bytes"), bytes);
            }
        }
    }
}
