//! A sector that a power loss tears, which is worse than what is assumed of a disk. The log withstands it; the vault relies on whole
//! sectors. What it then does is to refuse: nothing is shown that was not written, and no record is lost.

use super::judge::{Judge, destroyed, seeded};
use super::known::{Known, compare_value};
use super::work::{Base, Op, base, states};
use super::*;
use std::collections::HashSet;

/// What became of torn ledgers.
#[derive(Debug, Default)]
struct Fates {
    images: u64,
    whole: u64,
    /// It opens, and a value is said to be damaged.
    said: u64,
    refused: u64,
}

/// Everything that a view shows is what was written, or said to be damaged in the vault; says whether any is.
fn right_or_said(view: &View, known: &Known, batches: usize, case: &str) -> bool {
    let items = known.items(batches);
    let (erased, perhaps) = (Known::erased(&items), Known::erased(&known.items(usize::MAX)));
    let mut said = false;
    for (at, item) in (0..).zip(&items) {
        let frame = view.frame(Position(at)).unwrap_or_else(|e| panic!("{case}: record {at}: {e}"));
        assert_eq!(frame.id(), id(item.number()), "{case}: another record is at {at}");
        if let Err(what) = compare_value(view, *item, &frame, &erased, &perhaps) {
            assert!(what.contains("cannot be read") && what.contains("vault/"), "{case}: {what}");
            said = true;
        }
    }
    said
}

#[test]
fn a_torn_sector_of_the_vault_is_refused_or_said() {
    let judge = Judge::new(LARGE, effort());
    let start = base(LARGE, Base::TwoSubjects);
    let (mut seen, mut fates) = (HashSet::new(), Fates::default());
    for op in [Op::New, Op::More, Op::Batch, Op::Erase, Op::Close] {
        let (snapshots, marks) = states(&judge, &start, op);
        for (n, snapshot) in (0..).zip(&snapshots).filter(|(_, snapshot)| snapshot.whole) {
            let known = &marks[usize::try_from(snapshot.mark).unwrap()];
            for crash in snapshot.disk.torn(100 * scale(), n) {
                if !seen.insert((crash.image.clone(), known.acked.len())) {
                    continue;
                }
                let case = format!("{op:?}, after {} with [{crash}]", snapshot.done);
                fates.images += 1;
                look(&SimFiles::from_image(&crash.image), known, &mut fates, &case);
            }
        }
    }
    println!("torn sectors: {fates:?}");
    assert!(fates.whole > 100 && fates.said > 10 && fates.refused > 10, "{fates:?}");
}

fn look(files: &SimFiles, known: &Known, fates: &mut Fates, case: &str) {
    let acked = known.acked.len();
    let view = View::open(Arc::new(files.clone()), None, &seeded(LARGE, 2)).unwrap_or_else(|e| panic!("{case}: a reader: {e}"));
    let batches = known.batches_of(view.head().size.0).filter(|batches| batches + 1 >= acked);
    right_or_said(&view, known, batches.unwrap_or_else(|| panic!("{case}: a reader is shown {:?}", view.head())), case);
    match Store::open(Arc::new(files.clone()), seeded(LARGE, 1_000), None) {
        Err(e) => {
            assert_eq!(e.kind(), ErrorKind::Damaged, "{case}: {e}");
            assert!(e.path().is_some_and(|path| path.starts_with(files.describe("vault"))), "{case}: not the vault: {e}");
            fates.refused += 1;
        }
        Ok(store) => {
            let batches = known.batches_of(store.view().head().size.0).filter(|batches| *batches >= acked);
            let batches = batches.unwrap_or_else(|| panic!("{case}: opened with {:?}", store.view().head()));
            let said = right_or_said(store.view(), known, batches, case);
            *(if said { &mut fates.said } else { &mut fates.whole }) += 1;
            destroyed(&files.disk().visible(), known, &known.items(batches)).unwrap_or_else(|what| panic!("{case}: {what}"));
        }
    }
}
