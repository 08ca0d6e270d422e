//! Small tables in memory, keyed by 16 bytes: what the rules look things up in.
//!
//! A key is the hash of an id (in NFC), never its text, so a row costs the same whatever the id's length: a bulk
//! import keeps millions of them within its stated memory.

use sovang_core::TagKey;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// The key is a hash already: its first eight bytes serve.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FirstBytes(u64);
impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        let mut first = [0; 8];
        for (to, from) in first.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.0 = u64::from_le_bytes(first);
    }
    // The length of an array that is always 16 bytes says nothing.
    fn write_usize(&mut self, _: usize) {}
}
/// A map by key.
pub(super) type KeyMap<V> = HashMap<TagKey, V, BuildHasherDefault<FirstBytes>>;

/// One row inline, more than one behind a pointer: almost every key has one.
#[derive(Clone, Debug)]
enum Few<R> {
    One(R),
    #[expect(clippy::box_collection, reason = "a Vec inline would triple the size of every row for the sake of a few")]
    Many(Box<Vec<R>>),
}

/// Rows by key; a key may have several, and the same row may be there twice. They are kept in ascending order, so that
/// what is read depends on what stands alone, and not on how it came to stand.
#[derive(Clone, Debug)]
pub(super) struct Relation<R> {
    rows: KeyMap<Few<R>>,
}
impl<R> Default for Relation<R> {
    fn default() -> Self {
        Self { rows: KeyMap::default() }
    }
}
impl<R: Copy + Ord> Relation<R> {
    /// The rows of a key, ascending.
    pub(super) fn rows(&self, key: &TagKey) -> &[R] {
        match self.rows.get(key) {
            None => &[],
            Some(Few::One(row)) => std::slice::from_ref(row),
            Some(Few::Many(rows)) => rows,
        }
    }
    /// Whether the key has a row.
    pub(super) fn has(&self, key: &TagKey) -> bool {
        self.rows.contains_key(key)
    }
    /// Adds a row (weight +1) or takes an equal one away (-1).
    pub(super) fn change(&mut self, weight: i64, key: TagKey, row: R) {
        if weight > 0 {
            self.add(key, row);
        } else {
            self.remove(&key, &row);
        }
    }
    fn add(&mut self, key: TagKey, row: R) {
        match self.rows.entry(key) {
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(Few::One(row));
            }
            std::collections::hash_map::Entry::Occupied(mut place) => match place.get_mut() {
                Few::Many(rows) => {
                    let place = rows.partition_point(|r| *r < row);
                    rows.insert(place, row);
                }
                Few::One(first) => {
                    let first = *first;
                    place.insert(Few::Many(Box::new(vec![first.min(row), first.max(row)])));
                }
            },
        }
    }
    fn remove(&mut self, key: &TagKey, row: &R) {
        let empty = match self.rows.get_mut(key) {
            None => return,
            Some(Few::One(only)) => only == row,
            Some(Few::Many(rows)) => {
                if let Ok(index) = rows.binary_search(row) {
                    rows.remove(index);
                }
                rows.is_empty()
            }
        };
        if empty {
            self.rows.remove(key);
        }
    }
}

/// How many of something there are, by key.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    counts: KeyMap<u32>,
}
impl Counts {
    /// How many the key has.
    pub(super) fn of(&self, key: &TagKey) -> u32 {
        self.counts.get(key).copied().unwrap_or(0)
    }
    /// One more (weight +1) or one less (-1).
    pub(super) fn change(&mut self, weight: i64, key: TagKey) {
        if weight > 0 {
            // 2^32 records about one key do not fit in a ledger that fits in memory here.
            let count = self.counts.entry(key).or_insert(0);
            *count = count.saturating_add(1);
        } else if let Some(count) = self.counts.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&key);
            }
        }
    }
}

/// Small numbers for keys that many rows name, so that a row costs 4 bytes and not 16.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    numbers: KeyMap<u32>,
}
impl Numbers {
    /// The number of a key, drawn if it has none yet.
    pub(super) fn draw(&mut self, key: TagKey) -> u32 {
        // More than 2^32 keys would need 100 GB here before they could share the last number.
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        *self.numbers.entry(key).or_insert(next)
    }
    /// The number of a key, if it has one.
    pub(super) fn of(&self, key: &TagKey) -> Option<u32> {
        self.numbers.get(key).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> TagKey {
        TagKey([n; 16])
    }

    #[test]
    fn rows_come_and_go_one_at_a_time() {
        let mut relation = Relation::default();
        for row in [2u32, 1, 2] {
            relation.change(1, key(7), row);
        }
        relation.change(-1, key(7), 2);
        assert_eq!(relation.rows(&key(7)), [1, 2]);
        relation.change(-1, key(7), 9);
        relation.change(-1, key(7), 1);
        relation.change(-1, key(7), 2);
        assert!(!relation.has(&key(7)) && relation.rows(&key(7)).is_empty());
        relation.change(-1, key(7), 2);
        relation.change(1, key(7), 3);
        assert_eq!(relation.rows(&key(7)), [3]);
        relation.change(-1, key(7), 4);
        assert_eq!(relation.rows(&key(7)), [3], "another row does not take this one away");
    }

    #[test]
    fn counts_and_numbers() {
        let mut counts = Counts::default();
        counts.change(1, key(1));
        counts.change(1, key(1));
        counts.change(-1, key(1));
        counts.change(-1, key(2));
        assert_eq!((counts.of(&key(1)), counts.of(&key(2))), (1, 0));
        let mut numbers = Numbers::default();
        assert_eq!((numbers.draw(key(5)), numbers.draw(key(6)), numbers.draw(key(5))), (0, 1, 0));
        assert_eq!((numbers.of(&key(6)), numbers.of(&key(7))), (Some(1), None));
    }

    #[test]
    fn rows_stay_small() {
        // The import's budget (cli.md) rests on these.
        assert!(size_of::<Few<[u32; 3]>>() <= 16 && size_of::<Few<u32>>() <= 16 && size_of::<Few<[u8; 16]>>() <= 24);
    }
}
