//! Verified pages in memory, bounded, shared by all runs of an index.

use super::page::{PAGE, Page};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, PoisonError};

const SHARDS: usize = 16;

/// A page's name: the run's serial number in this process and the page's number in the run.
pub(super) type Key = (u64, u32);

/// A cache of pages: CLOCK over shards, so that threads seldom meet.
pub(super) struct Cache {
    shards: Vec<Mutex<Shard>>,
}

struct Shard {
    capacity: usize,
    at: FxHashMap<Key, usize>,
    slots: Vec<Slot>,
    hand: usize,
}
struct Slot {
    key: Key,
    page: Arc<Page>,
    used: bool,
}

impl Cache {
    /// A cache of at most `bytes` bytes of pages, but of no fewer than one page a shard.
    pub(super) fn new(bytes: usize) -> Self {
        let capacity = (bytes / PAGE / SHARDS).max(1);
        let shard = || Mutex::new(Shard { capacity, at: FxHashMap::default(), slots: Vec::new(), hand: 0 });
        Self { shards: std::iter::repeat_with(shard).take(SHARDS).collect() }
    }
    fn shard(&self, key: Key) -> std::sync::MutexGuard<'_, Shard> {
        let spread = (u64::from(key.1) ^ key.0.wrapping_mul(7)) % SHARDS as u64;
        let shard = usize::try_from(spread).unwrap_or(0);
        // No operation leaves a shard half changed.
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// The page, if it is here.
    pub(super) fn get(&self, key: Key) -> Option<Arc<Page>> {
        let mut shard = self.shard(key);
        let slot = *shard.at.get(&key)?;
        shard.slots[slot].used = true;
        Some(Arc::clone(&shard.slots[slot].page))
    }
    /// Keeps a page, in place of one not used lately.
    pub(super) fn insert(&self, key: Key, page: &Arc<Page>) {
        let mut shard = self.shard(key);
        if shard.at.contains_key(&key) {
            return;
        }
        let new = Slot { key, page: Arc::clone(page), used: false };
        if shard.slots.len() < shard.capacity {
            let slot = shard.slots.len();
            shard.slots.push(new);
            shard.at.insert(key, slot);
            return;
        }
        let slot = loop {
            let slot = shard.hand;
            shard.hand = (slot + 1) % shard.slots.len();
            if !std::mem::take(&mut shard.slots[slot].used) {
                break slot;
            }
        };
        let old = std::mem::replace(&mut shard.slots[slot], new);
        shard.at.remove(&old.key);
        shard.at.insert(key, slot);
    }
    /// How many pages are kept.
    #[cfg(test)]
    pub(super) fn pages(&self) -> usize {
        let len = |s: &Mutex<Shard>| s.lock().unwrap_or_else(PoisonError::into_inner).slots.len();
        self.shards.iter().map(len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_is_used_and_no_more_than_allowed() {
        let cache = Cache::new(64 * PAGE);
        let page = |n: u32| Arc::new([u8::try_from(n % 251).unwrap(); PAGE]);
        for n in 0..1_000 {
            cache.insert((1, n), &page(n));
            if let Some(first) = cache.get((1, 0)) {
                assert_eq!(*first, *page(0));
            }
        }
        assert_eq!(cache.pages(), 64);
        assert!(cache.get((1, 0)).is_some(), "a page in use is kept");
        assert!(cache.get((1, 16)).is_none());
        assert!(cache.get((2, 0)).is_none(), "another run's page is another page");
    }
}
