//! Proofs that a log has forked, from what is at hand: files, or a ledger (docs/FORMAT.md §11.5).

use crate::checkpoints::Checkpoints;
use crate::reader::Reader;
use sovang_core::evidence::{Checkpoint, ForkProof, Growth};
use sovang_core::tree::{Hash, node_hash};
use sovang_core::{Event, Head, Result, Root, Size};

/// The proof that two checkpoints contradict each other: that they are of one size and have two roots, or that a growth file to the larger one
/// starts from another root than the smaller one has. None when nothing at hand shows a contradiction. That both were signed is for
/// [`ForkProof::verify`] to say.
#[must_use]
pub fn between<'a>(one: &Checkpoint, two: &Checkpoint, growths: impl IntoIterator<Item = &'a Growth>) -> Option<ForkProof> {
    if one.head().size == two.head().size {
        return ForkProof::of(one.clone(), two.clone(), None).ok();
    }
    let (smaller, larger) = if one.head().size < two.head().size { (one, two) } else { (two, one) };
    growths.into_iter().find_map(|growth| {
        let leads = growth.old == smaller.head().size && growth.checkpoint.head() == larger.head();
        let root = old_root(growth.old, larger.head(), &growth.hashes).filter(|_| leads)?;
        ForkProof::of(smaller.clone(), larger.clone(), Some((root, growth.hashes.clone()))).ok()
    })
}

/// The root at the old size that a consistency proof is of: what RFC 9162 §2.1.4.2 computes from it. None where the proof does not tell (the
/// old size is a power of two, or not smaller) or has the wrong length; that it leads to the new root is not looked at.
fn old_root(old: Size, new: Head, hashes: &[Hash]) -> Option<Root> {
    if old == Size::ZERO || old >= new.size || old.0.is_power_of_two() {
        return None;
    }
    let (first, rest) = hashes.split_first()?;
    let (mut fnode, mut snode) = (old.0 - 1, new.size.0 - 1);
    let shift = fnode.trailing_ones();
    fnode >>= shift;
    snode >>= shift;
    let mut hash = *first;
    for next in rest {
        if snode == 0 {
            return None;
        }
        if fnode & 1 == 1 || fnode == snode {
            hash = node_hash(next, &hash);
            while fnode & 1 == 0 && fnode != 0 {
                fnode >>= 1;
                snode >>= 1;
            }
        }
        fnode >>= 1;
        snode >>= 1;
    }
    (snode == 0).then_some(Root(hash))
}

impl<E: Event> Reader<E> {
    /// The proof that this ledger and a checkpoint of the same log contradict each other, with the checkpoint that the ledger keeps of the same size
    /// or the next larger one. None when they do not, or the ledger keeps none so large.
    ///
    /// # Errors
    /// When the log or its checkpoints cannot be read.
    pub fn fork_proof(&self, other: &Checkpoint) -> Result<Option<ForkProof>> {
        self.refresh()?;
        let theirs = other.head();
        let checkpoints = Checkpoints::of(self.view().clone());
        for size in checkpoints.sizes()?.into_iter().filter(|size| *size >= theirs.size && *size <= self.view().head().size) {
            let Some(ours) = checkpoints.get(size)? else { continue };
            let proof = if size == theirs.size {
                ForkProof::of(other.clone(), ours, None)
            } else {
                let root = self.view().root_at(theirs.size)?;
                let hashes = self.view().consistency_proof(theirs.size, size)?;
                ForkProof::of(other.clone(), ours, Some((root, hashes)))
            };
            if let Ok(proof) = proof {
                return Ok(Some(proof));
            }
        }
        Ok(None)
    }
    /// That a head of the same log is one that this ledger had: its log is that long, and has that root there.
    ///
    /// # Errors
    /// `NotProven` with sizes and both roots when it is not: rolled back, or another history; `Damaged`, I/O.
    pub fn extends(&self, head: Head) -> Result<()> {
        self.refresh()?;
        Checkpoints::of(self.view().clone()).contradiction(head)?.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sovang_core::tree::{self, Node};

    fn leaves(n: u64, from: u64) -> Vec<Hash> {
        (0..n).map(|i| tree::leaf_of_entry(&(i + from).to_le_bytes())).collect()
    }
    fn node(leaves: &[Hash]) -> impl FnMut(Node) -> Result<Hash, ()> + '_ {
        |n| leaves.get(n.leaves()).map(tree::perfect_root).ok_or(())
    }

    proptest! {
        #[test]
        fn a_consistency_proof_tells_the_root_it_starts_from(new in 3u64..300, old in 1u64..300) {
            prop_assume!(old < new);
            let all = leaves(new, 7);
            let head = Head { size: Size(new), root: tree::root(Size(new), &mut node(&all)).unwrap() };
            let proof = tree::consistency_proof(Size(old), Size(new), &mut node(&all)).unwrap();
            let expected = tree::root(Size(old), &mut node(&all)).unwrap();
            prop_assert_eq!(old_root(Size(old), head, &proof), (!old.is_power_of_two()).then_some(expected));
            prop_assert_eq!(old_root(Size(old), head, &proof[..proof.len() - 1]).filter(|root| *root == expected), None);
        }
    }
}
