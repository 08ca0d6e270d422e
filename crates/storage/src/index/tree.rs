//! The tree nodes an index keeps: the roots of the complete blocks of 256, 65,536 … leaves (tile levels 1, 2 …). Lower ones
//! are recomputed from at most 255 records.

use sovang_core::tree::{self, Frontier, Hash, Node};

/// Levels that are kept are multiples of this; a block is 2^LEVELS leaves.
pub(super) const LEVELS: u32 = 8;

/// A frontier that gives up each node to be kept when it completes.
#[derive(Clone, Debug)]
pub(super) struct Growing {
    size: u64,
    hashes: Vec<Hash>,
}

impl Growing {
    pub(super) fn from(frontier: &Frontier) -> Self {
        Self { size: frontier.size().0, hashes: frontier.hashes().to_vec() }
    }
    pub(super) fn size(&self) -> u64 {
        self.size
    }
    pub(super) fn push(&mut self, leaf: Hash, keep: &mut dyn FnMut(Node, Hash)) {
        let mut hash = leaf;
        for level in 1..=self.size.trailing_ones() {
            if let Some(left) = self.hashes.pop() {
                hash = tree::node_hash(&left, &hash);
            }
            if level % LEVELS == 0 {
                keep(Node { level, index: self.size >> level }, hash);
            }
        }
        self.hashes.push(hash);
        self.size += 1;
    }
    pub(super) fn frontier(&self) -> sovang_core::Result<Frontier> {
        Ok(Frontier::from_hashes(self.size, self.hashes.clone())?)
    }
}

/// The first node of each kept level that completes within a range of leaves, and how many do: (level, index, count).
pub(super) fn kept(first: u64, end: u64) -> impl Iterator<Item = (u32, u64, u64)> {
    (1..)
        .map(|n| n * LEVELS)
        .take_while(move |level| *level < u64::BITS && end >> level > 0)
        .map(move |level| (level, first >> level, (end >> level) - (first >> level)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sovang_core::RecordHash;

    fn leaf(n: u64) -> Hash {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&n.to_le_bytes());
        tree::leaf_hash(&RecordHash(hash))
    }

    #[test]
    fn keeps_exactly_the_nodes_that_complete() {
        let leaves: Vec<Hash> = (0..65_536 + 300).map(leaf).collect();
        let mut growing = Growing::from(&Frontier::new());
        let mut reference = Frontier::new();
        let mut nodes = Vec::new();
        for l in &leaves {
            growing.push(*l, &mut |node, hash| nodes.push((node, hash)));
            reference.push(*l);
        }
        assert_eq!(growing.frontier().unwrap(), reference);
        assert_eq!(nodes.len(), 257 + 1);
        for (node, hash) in &nodes {
            assert_eq!(*hash, tree::perfect_root(&leaves[node.leaves()]));
        }
        let counted: Vec<_> = kept(0, 65_836).collect();
        assert_eq!(counted, [(8, 0, 257), (16, 0, 1)]);
        let later: Vec<_> = kept(257, 65_535).collect();
        assert_eq!(later, [(8, 1, 254)]);
    }
}
