//! A file's bytes as sectors, sparse and shared: a snapshot of a disk is taken after every operation, and a segment's
//! allocated, empty megabyte must cost nothing in it.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What a disk writes whole or not at all, in bytes.
pub const SECTOR: usize = 512;
const SECTOR_U64: u64 = 512;

/// A sector's bytes, and a hash of them: images are told apart by it, millions of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sector {
    digest: u64,
    bytes: [u8; SECTOR],
}
impl Sector {
    pub(super) fn new(bytes: [u8; SECTOR]) -> Self {
        let mut hasher = rustc_hash::FxHasher::default();
        hasher.write(&bytes);
        Self { digest: hasher.finish(), bytes }
    }
}
/// A sector's bytes; none when they are all zero.
pub(super) type Shared = Option<Arc<Sector>>;

/// The bytes of a sector that may be all zero.
pub(super) fn bytes_of(sector: &Shared) -> [u8; SECTOR] {
    sector.as_ref().map_or([0; SECTOR], |sector| sector.bytes)
}
/// A sector with these bytes.
pub(super) fn shared(bytes: [u8; SECTOR]) -> Shared {
    (bytes != [0; SECTOR]).then(|| Arc::new(Sector::new(bytes)))
}

/// The number of the sector that holds `offset`.
pub(super) const fn sector_of(offset: u64) -> u64 {
    offset / SECTOR_U64
}
/// The number of sectors that `len` bytes take.
pub(super) const fn sectors_in(len: u64) -> u64 {
    len.div_ceil(SECTOR_U64)
}
/// Where a sector starts, in bytes.
pub(super) const fn start_of(sector: u64) -> u64 {
    sector * SECTOR_U64
}
pub(super) fn to_u64(n: usize) -> u64 {
    u64::try_from(n).expect("a length in memory fits in u64")
}
/// `n` is at most one sector, or bounded by a length in memory.
pub(super) fn to_usize(n: u64) -> usize {
    usize::try_from(n).expect("a length in memory fits in usize")
}

/// The bytes of a file. Two are equal exactly if their lengths and bytes are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    len: u64,
    // Never a sector of zeros, nor a byte other than zero at or beyond `len`. Copied when it changes: most copies never do.
    sectors: Arc<BTreeMap<u64, Arc<Sector>>>,
}

impl Hash for Content {
    /// Of the sectors' hashes: two contents that differ have the same one as rarely as any two hashes of 64 bits are the same.
    fn hash<H: Hasher>(&self, to: &mut H) {
        self.len.hash(to);
        for (sector, bytes) in &*self.sectors {
            (sector, bytes.digest).hash(to);
        }
    }
}

impl Content {
    /// These bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let mut content = Self::default();
        content.write(bytes, 0);
        content
    }
    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// All bytes.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = vec![0; to_usize(self.len)];
        self.read(&mut bytes, 0);
        bytes
    }
    /// Reads from `offset` and returns how many bytes there were.
    pub(super) fn read(&self, into: &mut [u8], offset: u64) -> usize {
        let n = to_usize(self.len.saturating_sub(offset).min(to_u64(into.len())));
        let into = &mut into[..n];
        into.fill(0);
        if n == 0 {
            return 0;
        }
        let end = offset + to_u64(n);
        for (&sector, bytes) in self.sectors.range(sector_of(offset)..sectors_in(end)) {
            let (from, to) = (start_of(sector).max(offset), start_of(sector + 1).min(end));
            let source = &bytes.bytes[to_usize(from - start_of(sector))..to_usize(to - start_of(sector))];
            into[to_usize(from - offset)..to_usize(to - offset)].copy_from_slice(source);
        }
        n
    }
    /// Writes at `offset`, growing when needed.
    pub(super) fn write(&mut self, bytes: &[u8], offset: u64) {
        if bytes.is_empty() {
            return;
        }
        let end = offset + to_u64(bytes.len());
        self.len = self.len.max(end);
        for sector in sector_of(offset)..sectors_in(end) {
            let (from, to) = (start_of(sector).max(offset), start_of(sector + 1).min(end));
            let mut new = bytes_of(&self.sector(sector));
            let source = &bytes[to_usize(from - offset)..to_usize(to - offset)];
            new[to_usize(from - start_of(sector))..to_usize(to - start_of(sector))].copy_from_slice(source);
            self.put(sector, shared(new));
        }
    }
    pub(super) fn set_len(&mut self, len: u64) {
        self.len = len;
        if self.sectors_from(sectors_in(len)).next().is_some() {
            Arc::make_mut(&mut self.sectors).split_off(&sectors_in(len));
        }
        let last = sector_of(len);
        if let Some(old) = self.sector(last) {
            let mut new = old.bytes;
            let beyond = &mut new[to_usize(len - start_of(last))..];
            if beyond.iter().any(|byte| *byte != 0) {
                beyond.fill(0);
                self.put(last, shared(new));
            }
        }
    }
    /// A sector's bytes, those beyond the end being zero.
    pub(super) fn sector(&self, sector: u64) -> Shared {
        self.sectors.get(&sector).cloned()
    }
    /// Sets a sector's bytes, without a change of length.
    pub(super) fn put(&mut self, sector: u64, bytes: Shared) {
        match bytes {
            Some(bytes) => {
                Arc::make_mut(&mut self.sectors).insert(sector, bytes);
            }
            None if self.sectors.contains_key(&sector) => {
                Arc::make_mut(&mut self.sectors).remove(&sector);
            }
            None => {}
        }
    }
    /// The numbers of the sectors that are not zero, from `sector` on.
    pub(super) fn sectors_from(&self, sector: u64) -> impl Iterator<Item = u64> {
        self.sectors.range(sector..).map(|(&sector, _)| sector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn is_what_a_vector_would_be(steps in proptest::collection::vec((any::<bool>(), 0usize..2_000, 0usize..1_500, any::<u8>()), 1..20)) {
            let (mut content, mut vector) = (Content::default(), Vec::new());
            for (write, offset, len, byte) in steps {
                if write {
                    let bytes = vec![byte; len];
                    content.write(&bytes, to_u64(offset));
                    if len > 0 {
                        vector.resize(vector.len().max(offset + len), 0);
                        vector[offset..offset + len].copy_from_slice(&bytes);
                    }
                } else {
                    content.set_len(to_u64(offset));
                    vector.resize(offset, 0);
                }
                prop_assert_eq!(content.to_vec(), &vector[..]);
                prop_assert_eq!(&content, &Content::new(&vector));
                let mut part = [7; 600];
                let n = content.read(&mut part, 300);
                prop_assert_eq!(&part[..n], &vector[300.min(vector.len())..900.min(vector.len())]);
            }
        }
    }
}
