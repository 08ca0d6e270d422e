//! Proofs from stored nodes, the sync from outside, and the directory that several processes change.

use super::*;
use proptest::prelude::*;
use sovang_core::{Head, tree};

/// A ledger of so many records on a simulated disk, appended in batches of `batch`.
fn ledger(records: u64, batch: u64) -> (SimFiles, Store) {
    let files = SimFiles::new();
    let store = Store::create(Arc::new(files.clone()), identity(), options()).unwrap();
    grow(&store, records, batch);
    (files, store)
}
fn grow(store: &Store, records: u64, batch: u64) {
    let from = store.view().head().size.0;
    let event = a(&[("n", "x")], "text");
    for first in (from..from + records).step_by(usize::try_from(batch).unwrap()) {
        let last = (first + batch).min(from + records);
        append(store, all(&(first..last).map(|n| (&event, n)).collect::<Vec<_>>(), None)).unwrap();
    }
}
fn outside(files: &SimFiles) -> View {
    View::open(Arc::new(files.clone()), None, &StoreOptions::reading()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn proofs_hold_at_every_size_and_nowhere_else(
        records in 1u64..1_500,
        batch in 1u64..300,
        sizes in prop::collection::vec(any::<prop::sample::Index>(), 6),
    ) {
        let (files, store) = ledger(records, batch);
        for view in [store.view().clone(), outside(&files)] {
            for pair in sizes.windows(2) {
                let size = Size(1 + pair[0].index(usize::try_from(records).unwrap()) as u64);
                let position = Position(pair[1].index(usize::try_from(size.0).unwrap()) as u64);
                let head = Head { size, root: view.root_by_walk(size).unwrap() };
                prop_assert_eq!(view.root_at(size).unwrap(), head.root);
                let leaf = tree::leaf_hash(&view.frame(position).unwrap().hash(position));
                let proof = view.inclusion_proof(position, size).unwrap();
                tree::verify_inclusion(&leaf, position, size, &proof, &head.root).unwrap();
                let old = position.next();
                let proof = view.consistency_proof(old, size).unwrap();
                let root = view.root_by_walk(old).unwrap();
                tree::verify_consistency(&Head { size: old, root }, &head, &proof).unwrap();
            }
            let beyond = Size(records + 1);
            prop_assert_eq!(kind(view.inclusion_proof(Position(0), beyond)), ErrorKind::NotFound);
            prop_assert_eq!(kind(view.inclusion_proof(Position(records), Size(records))), ErrorKind::NotFound);
            prop_assert_eq!(kind(view.consistency_proof(Size(1), beyond)), ErrorKind::NotFound);
            prop_assert_eq!(kind(view.root_by_walk(beyond)), ErrorKind::NotFound);
        }
    }
}

/// Nodes are kept from blocks of 256 on, so a proof reads few records, however many there are.
#[test]
fn a_proof_reads_no_more_of_a_larger_log() {
    let reads = |records: u64, position: u64| {
        let (files, store) = ledger(records, 1_000);
        store.close().unwrap();
        let view = outside(&files);
        view.root_at(Size(records)).unwrap();
        view.inclusion_proof(Position(0), Size(records)).unwrap();
        files.take_counts();
        view.inclusion_proof(Position(position), Size(records)).unwrap();
        files.take_counts().reads
    };
    let small = reads(1_000, 517);
    let large = reads(30_000, 23_517);
    assert!(small <= 600 && large <= 600, "{small} and {large} reads");
    assert!(large <= small + 300, "{small} and {large} reads");
}

#[test]
fn a_sync_from_outside_makes_the_head_firm_and_changes_nothing() {
    let (files, store) = ledger(3, 1);
    store.rest_after(Duration::from_secs(3_600));
    grow(&store, 5, 1);
    let view = outside(&files);
    let head = view.refresh().unwrap();
    files.take_counts();
    view.force().unwrap();
    let counts = files.take_counts();
    assert_eq!((counts.syncs, counts.directory_syncs, counts.writes), (2, 2, 0));
    assert_eq!(view.rehash(&mut |_, _| {}).unwrap(), head);
    for _ in 0..4 {
        files.inject(Fault::Sync { nth: 1, kept: 0, len_kept: false });
        assert_eq!(kind(view.force()), ErrorKind::Io);
    }
    grow(&store, 1, 1);
    assert_eq!(view.refresh().unwrap().size, Size(9));
}

#[test]
fn damage_is_met_by_whoever_hashes_again() {
    let (files, store) = memory();
    for n in 0..6 {
        append(&store, one(&a(&[], "the text to change"), n)).unwrap();
    }
    let view = View::open(Arc::new(files.clone()), None, &StoreOptions::reading()).unwrap();
    let file = files.open("log/0", crate::files::Open::Write).unwrap();
    let mut bytes = vec![0; 8_192];
    let got = file.read_at(&mut bytes, 0).unwrap();
    let at = bytes[..got].windows(8).position(|window| window == b"the text").unwrap();
    file.write_at(b"T", u64::try_from(at).unwrap()).unwrap();
    let error = view.rehash(&mut |_, _| {}).unwrap_err();
    assert_eq!((error.kind(), error.position()), (ErrorKind::Damaged, Some(Position(0))), "{error}");
}

#[test]
fn changes_of_checkpoint_files_come_one_after_the_other() {
    let (files, store) = memory();
    append(&store, one(&a(&[], ""), 1)).unwrap();
    let name = "1";
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let view = View::open(Arc::new(files.clone()), None, &StoreOptions::reading()).unwrap();
            scope.spawn(move || {
                for _ in 0..25 {
                    let add = &mut |there: Option<Vec<u8>>| Ok(Some([there.unwrap_or_default(), b"x".to_vec()].concat()));
                    view.change_checkpoint_file(name, add).unwrap();
                }
            });
        }
    });
    let view = store.view();
    assert_eq!(view.checkpoint(Size(1)).unwrap().map(|bytes| bytes.len()), Some(100));
    // Refused, or left alone.
    let refuse = &mut |_: Option<Vec<u8>>| Err(Error::new(ErrorKind::NotProven, "no"));
    assert_eq!(kind(view.change_checkpoint_file(name, refuse)), ErrorKind::NotProven);
    view.change_checkpoint_file(name, &mut |_| Ok(None)).unwrap();
    assert_eq!(view.checkpoint(Size(1)).unwrap().map(|bytes| bytes.len()), Some(100));
    // Only decimal names are sizes, and neither the lock nor a stamp is in the way of anything.
    for other in ["01", "7.abc.tsr", "18446744073709551616"] {
        view.change_checkpoint_file(other, &mut |_| Ok(Some(b"y".to_vec()))).unwrap();
    }
    view.change_checkpoint_file("20", &mut |_| Ok(Some(b"z".to_vec()))).unwrap();
    assert_eq!(view.checkpoint_sizes().unwrap(), [Size(1), Size(20)]);
    assert!(view.verify(&mut |_, _| {}).unwrap().findings.is_empty());
    store.close().unwrap();
    Store::open(Arc::new(files), options(), Some(Ev::SCHEMA)).unwrap();
}
