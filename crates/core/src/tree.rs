//! The public tree: exactly RFC 6962 §2.1 (SHA-256, 0x00 before a leaf, 0x01 before a node), and its proofs as RFC 9162
//! §2.1.3 and §2.1.4 verify them. Nothing here stores a node: proofs ask for the perfect subtrees they need.
//!
//! ```
//! use sovang_core::{Position, RecordHash, Size, tree};
//! let leaves: Vec<_> = (0..5).map(|i| tree::leaf_hash(&RecordHash([i; 32]))).collect();
//! let mut frontier = tree::Frontier::new();
//! for leaf in &leaves {
//!     frontier.push(*leaf);
//! }
//! let mut node = |n: tree::Node| Ok::<_, ()>(tree::perfect_root(&leaves[n.leaves()]));
//! let proof = tree::inclusion_proof(Position(3), Size(5), &mut node).unwrap();
//! tree::verify_inclusion(&leaves[3], Position(3), Size(5), &proof, &frontier.root()).unwrap();
//! ```

use crate::codec::CodecError;
use crate::ids::{Head, Position, RecordHash, Root, Size};
use crate::limits::PROOF_HASHES_MAX;
use sha2::{Digest, Sha256};
use std::fmt;

/// A leaf's or a node's hash.
pub type Hash = [u8; 32];

/// SHA-256 of nothing: the root of the empty tree.
#[must_use]
pub fn empty_root() -> Root {
    Root(Sha256::digest([]).into())
}
/// The leaf of a record: SHA-256(0x00 ‖ record hash).
#[must_use]
pub fn leaf_hash(record: &RecordHash) -> Hash {
    leaf_of_entry(&record.0)
}
/// The leaf of any entry: SHA-256(0x00 ‖ entry).
#[must_use]
pub fn leaf_of_entry(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}
/// A node over two: SHA-256(0x01 ‖ left ‖ right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root over a power of two of leaves.
///
/// # Panics
/// When the number of leaves is not a power of two.
#[must_use]
pub fn perfect_root(leaves: &[Hash]) -> Hash {
    assert!(leaves.len().is_power_of_two(), "a perfect subtree has a power of two of leaves");
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.push(*leaf);
    }
    frontier.root().0
}

/// The perfect subtrees of a growing tree, the largest first: all that appending needs to know.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    hashes: Vec<Hash>,
}

impl Frontier {
    /// Of the empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// Of a tree of `size` leaves, from the hashes that its binary digits name, the largest subtree first.
    ///
    /// # Errors
    /// When their number is not popcount(size).
    pub fn from_hashes(size: u64, hashes: Vec<Hash>) -> Result<Self, CodecError> {
        if hashes.len() == size.count_ones() as usize {
            Ok(Self { size, hashes })
        } else {
            Err(CodecError::Malformed { what: "a frontier's number of hashes" })
        }
    }
    /// Adds a leaf, and gives the root of the largest perfect subtree that it completes with its level (0 = the leaf alone).
    pub fn push(&mut self, leaf: Hash) -> (u32, Hash) {
        let mut hash = leaf;
        let level = self.size.trailing_ones();
        for _ in 0..level {
            if let Some(left) = self.hashes.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.hashes.push(hash);
        self.size += 1;
        (level, hash)
    }
    /// How many leaves.
    #[must_use]
    pub fn size(&self) -> Size {
        Size(self.size)
    }
    /// The perfect subtrees' roots, the largest first.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }
    /// The root over all leaves.
    #[must_use]
    pub fn root(&self) -> Root {
        fold_right(&self.hashes).map_or_else(empty_root, Root)
    }
    /// Size and root.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { size: self.size(), root: self.root() }
    }
}

fn fold_right(hashes: &[Hash]) -> Option<Hash> {
    let (last, rest) = hashes.split_last()?;
    Some(rest.iter().rfold(*last, |right, left| node_hash(left, &right)))
}

/// A perfect subtree: 2^level leaves from `index` * 2^level on. Not a position: the two cannot be mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// 0 is a leaf.
    pub level: u32,
    /// From the left, at its level.
    pub index: u64,
}
impl Node {
    /// The positions of its leaves.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "a tree in memory is indexed by usize")]
    pub fn leaves(&self) -> std::ops::Range<usize> {
        ((self.index << self.level) as usize)..(((self.index + 1) << self.level) as usize)
    }
}

/// The perfect subtrees that together cover the leaves `low..high`, left to right, when `low` is a multiple of the largest power of two below `high - low` or zero.
fn cover(mut low: u64, high: u64) -> Vec<Node> {
    let mut nodes = Vec::new();
    while low < high {
        let level = (high - low).ilog2();
        nodes.push(Node { level, index: low >> level });
        low += 1 << level;
    }
    nodes
}

/// A source of perfect subtrees' roots; it is asked only for subtrees within the size of the proof.
pub type Nodes<'a, E> = &'a mut dyn FnMut(Node) -> Result<Hash, E>;

fn range_root<E>(low: u64, high: u64, nodes: Nodes<'_, E>) -> Result<Hash, E> {
    let hashes = cover(low, high).into_iter().map(nodes).collect::<Result<Vec<_>, E>>()?;
    Ok(fold_right(&hashes).unwrap_or(empty_root().0))
}

/// The largest power of two smaller than `n`, which is at least 2.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// The root over the first `size` leaves.
///
/// # Errors
/// Those of the source.
pub fn root<E>(size: Size, nodes: Nodes<'_, E>) -> Result<Root, E> {
    Ok(Root(range_root(0, size.0, nodes)?))
}

/// The frontier at `size`.
///
/// # Errors
/// Those of the source.
pub fn frontier<E>(size: Size, nodes: Nodes<'_, E>) -> Result<Frontier, E> {
    let hashes = cover(0, size.0).into_iter().map(nodes).collect::<Result<Vec<_>, E>>()?;
    Ok(Frontier { size: size.0, hashes })
}

/// The inclusion proof of a leaf in the tree of `size` leaves (RFC 6962 §2.1.1), empty when `position` is not below `size`.
///
/// # Errors
/// Those of the source.
pub fn inclusion_proof<E>(position: Position, size: Size, nodes: Nodes<'_, E>) -> Result<Vec<Hash>, E> {
    let mut proof = Vec::new();
    if !size.contains(position) {
        return Ok(proof);
    }
    let (mut low, mut high) = (0, size.0);
    while high - low > 1 {
        let middle = low + split(high - low);
        if position.0 < middle {
            proof.push(range_root(middle, high, nodes)?);
            high = middle;
        } else {
            proof.push(range_root(low, middle, nodes)?);
            low = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of `new` leaves extends the one of `old` leaves (RFC 6962 §2.1.2); empty when `old` is 0, or not below `new`.
///
/// # Errors
/// Those of the source.
pub fn consistency_proof<E>(old: Size, new: Size, nodes: Nodes<'_, E>) -> Result<Vec<Hash>, E> {
    let mut proof = Vec::new();
    if old.0 == 0 || old >= new {
        return Ok(proof);
    }
    let (mut low, mut high) = (0, new.0);
    let mut old_is_whole = true;
    while high != old.0 {
        let middle = low + split(high - low);
        if old.0 <= middle {
            proof.push(range_root(middle, high, nodes)?);
            high = middle;
        } else {
            proof.push(range_root(low, middle, nodes)?);
            low = middle;
            old_is_whole = false;
        }
    }
    if !old_is_whole {
        proof.push(range_root(low, high, nodes)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProofError {
    /// The position or the sizes are impossible.
    Sizes,
    /// The proof has too few or too many hashes for its sizes.
    Length,
    /// The hashes lead to another root.
    Mismatch,
}
impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sizes => "the proof's position or sizes are impossible",
            Self::Length => "the proof has the wrong number of hashes for its sizes",
            Self::Mismatch => "the proof leads to another root",
        })
    }
}
impl std::error::Error for ProofError {}

/// That the leaf stands at `position` in the tree of that size and root (RFC 9162 §2.1.3.2).
///
/// # Errors
/// When it does not follow from the proof.
pub fn verify_inclusion(leaf: &Hash, position: Position, size: Size, proof: &[Hash], root: &Root) -> Result<(), ProofError> {
    if !size.contains(position) {
        return Err(ProofError::Sizes);
    }
    if proof.len() > PROOF_HASHES_MAX {
        return Err(ProofError::Length);
    }
    let (mut fnode, mut snode) = (position.0, size.0 - 1);
    let mut hash = *leaf;
    for p in proof {
        if snode == 0 {
            return Err(ProofError::Length);
        }
        if fnode & 1 == 1 || fnode == snode {
            hash = node_hash(p, &hash);
            while fnode & 1 == 0 && fnode != 0 {
                fnode >>= 1;
                snode >>= 1;
            }
        } else {
            hash = node_hash(&hash, p);
        }
        fnode >>= 1;
        snode >>= 1;
    }
    if snode != 0 {
        return Err(ProofError::Length);
    }
    if hash == root.0 { Ok(()) } else { Err(ProofError::Mismatch) }
}

/// That the tree `new` extends the tree `old` (RFC 9162 §2.1.4.2). Of an empty `old` nothing can be proven, since every
/// tree extends it: that is refused, and a first contact has to be told apart by the caller.
///
/// # Errors
/// When it does not follow from the proof.
pub fn verify_consistency(old: &Head, new: &Head, proof: &[Hash]) -> Result<(), ProofError> {
    if old.size == Size::ZERO || old.size > new.size {
        return Err(ProofError::Sizes);
    }
    if proof.len() > PROOF_HASHES_MAX {
        return Err(ProofError::Length);
    }
    if old.size == new.size {
        return match (proof.is_empty(), old.root == new.root) {
            (true, true) => Ok(()),
            (true, false) => Err(ProofError::Mismatch),
            (false, _) => Err(ProofError::Length),
        };
    }
    let mut rest = proof.iter();
    let (mut fnode, mut snode) = (old.size.0 - 1, new.size.0 - 1);
    let shift = fnode.trailing_ones();
    fnode >>= shift;
    snode >>= shift;
    let first = if old.size.0.is_power_of_two() { &old.root.0 } else { rest.next().ok_or(ProofError::Length)? };
    let (mut old_hash, mut new_hash) = (*first, *first);
    for p in rest {
        if snode == 0 {
            return Err(ProofError::Length);
        }
        if fnode & 1 == 1 || fnode == snode {
            old_hash = node_hash(p, &old_hash);
            new_hash = node_hash(p, &new_hash);
            while fnode & 1 == 0 && fnode != 0 {
                fnode >>= 1;
                snode >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, p);
        }
        fnode >>= 1;
        snode >>= 1;
    }
    if snode != 0 {
        return Err(ProofError::Length);
    }
    if old_hash == old.root.0 && new_hash == new.root.0 { Ok(()) } else { Err(ProofError::Mismatch) }
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "the trees of these tests are small")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition of RFC 6962 §2.1, word for word.
    fn naive(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root().0,
            [leaf] => *leaf,
            _ => {
                let mut k = 1;
                while k * 2 < leaves.len() {
                    k *= 2;
                }
                node_hash(&naive(&leaves[..k]), &naive(&leaves[k..]))
            }
        }
    }
    fn leaves(n: u64) -> Vec<Hash> {
        (0..n).map(|i| leaf_of_entry(&i.to_le_bytes())).collect()
    }
    fn node(leaves: &[Hash]) -> impl FnMut(Node) -> Result<Hash, ()> + '_ {
        |n| leaves.get(n.leaves()).map(naive).ok_or(())
    }

    #[test]
    fn every_root_and_frontier_up_to_130() {
        let all = leaves(130);
        let mut frontier = Frontier::new();
        for n in 0..=130u64 {
            let some = &all[..n as usize];
            assert_eq!(frontier.root().0, naive(some), "size {n}");
            assert_eq!(root(Size(n), &mut node(some)), Ok(frontier.root()));
            assert_eq!(super::frontier(Size(n), &mut node(some)).as_ref(), Ok(&frontier));
            if n < 130 {
                let (level, hash) = frontier.push(all[n as usize]);
                let first = (n + 1 - (1 << level)) as usize;
                assert_eq!(hash, naive(&all[first..=n as usize]));
            }
        }
    }

    #[test]
    fn every_inclusion_and_consistency_up_to_40() {
        let all = leaves(40);
        for n in 1..=40u64 {
            let new = Head { size: Size(n), root: Root(naive(&all[..n as usize])) };
            for i in 0..n {
                let proof = inclusion_proof(Position(i), Size(n), &mut node(&all[..n as usize])).unwrap();
                verify_inclusion(&all[i as usize], Position(i), Size(n), &proof, &new.root).unwrap();
                for j in (0..n).filter(|j| *j != i) {
                    assert!(verify_inclusion(&all[i as usize], Position(j), Size(n), &proof, &new.root).is_err());
                }
            }
            for m in 1..=n {
                let old = Head { size: Size(m), root: Root(naive(&all[..m as usize])) };
                let proof = consistency_proof(Size(m), Size(n), &mut node(&all[..n as usize])).unwrap();
                verify_consistency(&old, &new, &proof).unwrap();
                let other = Head { size: Size(m), root: Root([7; 32]) };
                assert!(verify_consistency(&other, &new, &proof).is_err(), "{m} {n}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_changed_proof_is_refused(n in 2u64..300, at in any::<u64>(), old in any::<u64>(), flip in any::<(usize, u8)>()) {
            let all = leaves(n);
            let head = Head { size: Size(n), root: Root(naive(&all)) };
            let i = at % n;
            let mut proof = inclusion_proof(Position(i), Size(n), &mut node(&all)).unwrap();
            let hash = flip.0 % proof.len();
            proof[hash][flip.0 % 32] ^= flip.1 | 1;
            prop_assert!(verify_inclusion(&all[i as usize], Position(i), Size(n), &proof, &head.root).is_err());
            let m = 1 + old % n;
            let before = Head { size: Size(m), root: Root(naive(&all[..m as usize])) };
            let mut proof = consistency_proof(Size(m), Size(n), &mut node(&all)).unwrap();
            if !proof.is_empty() {
                let hash = flip.0 % proof.len();
                proof[hash][flip.0 % 32] ^= flip.1 | 1;
                prop_assert!(verify_consistency(&before, &head, &proof).is_err());
                proof[hash][flip.0 % 32] ^= flip.1 | 1;
                proof.pop();
                prop_assert!(verify_consistency(&before, &head, &proof).is_err());
            }
        }
    }
}
