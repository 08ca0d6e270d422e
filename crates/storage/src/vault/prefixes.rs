//! A bounded map in memory from 32-byte hashes to places: about 24 bytes an entry, because only eight bytes of a hash
//! are kept. What it finds are candidates, to be confirmed on the bytes.

use rustc_hash::FxHashMap;

/// Hash prefixes and where they are.
#[derive(Default)]
pub(super) struct Prefixes {
    first: FxHashMap<u64, u32>,
    /// Further places of a prefix: chance, or the same commitment twice.
    further: FxHashMap<u64, Vec<u32>>,
}

fn prefix(hash: &[u8; 32]) -> u64 {
    let mut b = [0; 8];
    b.copy_from_slice(&hash[..8]);
    u64::from_le_bytes(b)
}

impl Prefixes {
    /// Adds a place; once is enough.
    pub(super) fn insert(&mut self, hash: &[u8; 32], place: u32) {
        let key = prefix(hash);
        let first = *self.first.entry(key).or_insert(place);
        if first != place {
            let further = self.further.entry(key).or_default();
            if !further.contains(&place) {
                further.push(place);
            }
        }
    }
    /// Where the hash may be.
    pub(super) fn candidates(&self, hash: &[u8; 32]) -> impl Iterator<Item = u32> + '_ {
        let key = prefix(hash);
        self.first.get(&key).into_iter().chain(self.further.get(&key).into_iter().flatten()).copied()
    }
}
