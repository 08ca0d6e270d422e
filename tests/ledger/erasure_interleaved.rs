//! Any sequence of records, erasures and reopenings: every root, proof and figure ever seen stays what it was.

use crate::loan::{Balance, Loan, Move, ORIGIN, RepaidByYear, fixed, moves, play};
use proptest::prelude::*;
use sovang::{ErrorKind, Head, Personal, Position, Query, Reader, Size, tree};
use sovang_storage::disk::DiskFiles;
use sovang_storage::store::{Durability, StoreOptions, View};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

#[derive(Clone, Debug)]
enum Act {
    Record(Vec<Move>),
    Erase(u8),
    Reopen,
}
fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => moves(8).prop_map(Act::Record),
        4 => (0u8..5).prop_map(Act::Erase),
        1 => Just(Act::Reopen),
    ];
    proptest::collection::vec(act, 1..14)
}

type Figures = (RepaidByYear, [i128; 4]);
fn figures(of: &Reader<Loan>, size: Size) -> Figures {
    let balances = (0..4).map(|n| Balance::of(&format!("L-{n}")));
    let then = of.as_of(size).unwrap();
    let sums: Vec<i128> = balances.map(|balance| then.fold(balance).unwrap().cents).collect();
    (then.fold(RepaidByYear::default()).unwrap().into_inner(), sums.try_into().unwrap())
}
/// Proofs at a size, by the stored nodes: of its first, middle and last record, and from half of it.
fn proofs(dir: &Path, head: Head) -> Vec<Vec<tree::Hash>> {
    let options = StoreOptions {
        segment_bytes: 1 << 20,
        durability: Durability::Grouped,
        queue: 1,
        cache_bytes: 1 << 20,
        clock: Arc::new(|| panic!("a reader asks no clock")),
        utc_offset_seconds: 0,
        random: Arc::new(|_| panic!("a reader draws nothing")),
    };
    let view = View::open(Arc::new(DiskFiles::new(dir)), None, &options).unwrap();
    let size = head.size.0;
    let mut all = Vec::new();
    for position in BTreeSet::from([0, size / 2, size.saturating_sub(1)]).into_iter().filter(|p| *p < size) {
        let proof = view.inclusion_proof(Position(position), head.size).unwrap();
        let leaf = tree::leaf_hash(&view.frame(Position(position)).unwrap().hash(Position(position)));
        tree::verify_inclusion(&leaf, Position(position), head.size, &proof, &head.root).unwrap();
        all.push(proof);
    }
    let old = Head { size: Size(size / 2), root: view.root_at(Size(size / 2)).unwrap() };
    let proof = view.consistency_proof(old.size, head.size).unwrap();
    if old.size != Size::ZERO {
        tree::verify_consistency(&old, &head, &proof).unwrap();
    }
    all.push(proof);
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_was_seen_changes(acts in acts()) {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("book");
        // One source of ids throughout: begun anew at a reopening it would draw the same handle for two people.
        let options = fixed().0;
        let mut ledger = options.create::<Loan>(&dir, ORIGIN).unwrap();
        let mut seen: Vec<(Head, Figures, Vec<Vec<tree::Hash>>)> = Vec::new();
        let mut erased = BTreeSet::new();
        for act in acts {
            match act {
                // Who was erased is signed for no more.
                Act::Record(moves) => {
                    let still = moves.into_iter().filter(|m| !matches!(m, Move::Sign(_, citizen) if erased.contains(citizen)));
                    play(&ledger, &still.collect::<Vec<_>>());
                }
                Act::Erase(citizen) => {
                    let before = figures(&ledger, ledger.head().size);
                    match ledger.by("dpo").erase(&format!("citizen:{citizen}"), "request 12/2026") {
                        Ok(done) => prop_assert_eq!(!erased.insert(citizen), done.repeated),
                        Err(error) => prop_assert_eq!(error.kind(), ErrorKind::NotFound),
                    }
                    prop_assert_eq!(figures(&ledger, ledger.head().size), before, "an erasure changes no figure");
                }
                Act::Reopen => {
                    ledger.close().unwrap();
                    ledger = options.open::<Loan>(&dir).unwrap();
                }
            }
            let head = ledger.head();
            seen.push((head, figures(&ledger, head.size), proofs(&dir, head)));
        }
        for (head, figures_then, proofs_then) in &seen {
            prop_assert_eq!(ledger.as_of(head.size).unwrap().head(), *head);
            prop_assert_eq!(&figures(&ledger, head.size), figures_then);
            prop_assert_eq!(&proofs(&dir, *head), proofs_then);
        }
        for record in ledger.read(Query::kind(Loan::SIGNED)) {
            let Loan::Signed { borrower, .. } = record.unwrap().event else { continue };
            match borrower {
                Personal::Known { subject, .. } => {
                    let citizen: u8 = subject.as_str().trim_start_matches("citizen:").parse().unwrap();
                    prop_assert!(!erased.contains(&citizen));
                }
                Personal::Erased => prop_assert!(!erased.is_empty()),
                other => panic!("{other:?}"),
            }
        }
        prop_assert!(ledger.audit().unwrap().is_sound());
    }
}
