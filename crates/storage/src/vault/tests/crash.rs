//! Power losses and kills at every moment of putting, recovering and erasing.

use super::*;

/// The puts of the crash tests: rows of records, by the mark after which they are acknowledged.
fn puts() -> Vec<Vec<(u64, u64)>> {
    vec![vec![(0, 0)], vec![(1, 0), (2, 1), (3, 2)], vec![(4, 1)], (5..40).map(|n| (n, n % 5)).collect(), vec![(40, 9)]]
}

#[test]
fn after_any_crash_a_row_opens_or_is_dropped() {
    let (files, random) = (SimFiles::new(), Randomness::new(9));
    new_ledger(&files, &random);
    files.record(true);
    let vault = write(&files, &all);
    for (rows, ack) in puts().iter().zip(1..) {
        let made: Vec<_> = rows.iter().map(|(n, who)| (*n, row(*n, *who, 0))).collect();
        put(&vault, &made.iter().map(|(n, r)| (*n, r)).collect::<Vec<_>>(), &random).unwrap();
        files.mark(ack);
        if ack == 3 {
            vault.mark().unwrap();
        }
    }
    vault.close().unwrap();
    let mut images = 0;
    for snapshot in files.take_snapshots() {
        let acked: BTreeMap<u64, u64> = puts().into_iter().take(usize::try_from(snapshot.mark).unwrap()).flatten().collect();
        let exists = |record: RecordId, _: &_| Ok(acked.keys().any(|n| id(*n) == record));
        let kill = SimFiles::from_disk(snapshot.disk.clone());
        let power = snapshot.disk.crashes(80, 1).map(|crash| SimFiles::from_image(&crash.image));
        for files in std::iter::once(kill).chain(power) {
            images += 1;
            let reader = read(&files);
            acked.iter().for_each(|(n, who)| assert_known(&reader, &row(*n, *who, 0)));
            if images % 8 == 0 {
                a_second_crash(&files, &exists, &acked);
            }
            let vault = write(&files, &exists);
            let random = Randomness::new(1000 + images);
            put(&vault, &[(100, &row(100, 1, 0)), (101, &row(101, 50, 0))], &random).unwrap();
            drop(vault);
            let vault = write(&files, &|record, c| Ok(record == id(100) || record == id(101) || exists(record, c)?));
            acked.iter().for_each(|(n, who)| assert_known(&vault, &row(*n, *who, 0)));
            assert_known(&vault, &row(101, 50, 0));
            for (n, who) in puts().into_iter().flatten().filter(|(n, _)| !acked.contains_key(n)) {
                assert_eq!(kind(vault.value(&row(n, who, 0).commitment)), ErrorKind::Damaged, "record {n} was never appended");
            }
            assert!(vault.check().unwrap().is_empty());
        }
    }
    assert!(images > 300, "{images}");
}

/// A power loss at any moment of the recovery itself.
fn a_second_crash(files: &SimFiles, exists: Exists<'_>, acked: &BTreeMap<u64, u64>) {
    let files = SimFiles::from_disk(files.disk());
    files.record(true);
    write(&files, exists);
    for snapshot in files.take_snapshots() {
        for crash in snapshot.disk.crashes(8, 3) {
            let files = SimFiles::from_image(&crash.image);
            let vault = write(&files, exists);
            acked.iter().for_each(|(n, who)| assert_known(&vault, &row(*n, *who, 0)));
            assert!(vault.check().unwrap().is_empty());
        }
    }
}

#[test]
fn an_interrupted_erasure_is_completed() {
    let (files, random) = (SimFiles::new(), Randomness::new(10));
    new_ledger(&files, &random);
    let vault = write(&files, &all);
    // Long enough for rows over several sectors.
    let mut rows: Vec<_> = (0..6).map(|n| row(n, n % 2, 0)).collect();
    let long = vec![b'x'; 1500];
    let salt = [77; 32];
    rows[4] = PersonalRow {
        field: 1,
        commitment: hash::commitment(&salt, 1, &long),
        value: Some(PersonalValue { subject: subject(0), salt, value: long }),
    };
    put(&vault, &rows.iter().zip(0..).map(|(r, n)| (n, r)).collect::<Vec<_>>(), &random).unwrap();
    let handle = vault.handle(&subject(0)).unwrap().unwrap();
    let key = vault.keys.slot(0).unwrap().key;
    files.record(true);
    vault.erase(&handle).unwrap();
    files.mark(1);
    vault.close().unwrap();
    let mut images = 0;
    for snapshot in files.take_snapshots() {
        let kill = SimFiles::from_disk(snapshot.disk.clone());
        let power = snapshot.disk.crashes(40, 2).map(|crash| SimFiles::from_image(&crash.image));
        for files in std::iter::once(kill).chain(power) {
            images += 1;
            for row in &rows {
                assert!(
                    matches!(read(&files).value(&row.commitment).unwrap(), Opened::Known { .. } | Opened::Erased),
                    "half an erasure is no damage"
                );
            }
            let vault = write(&files, &all);
            vault.complete(&mut std::iter::once(handle)).unwrap();
            for (n, row) in rows.iter().enumerate() {
                if n % 2 == 0 {
                    assert!(vault.value(&row.commitment).unwrap() == Opened::Erased);
                } else {
                    assert_known(&vault, row);
                }
            }
            assert!(!holds(&all_bytes(&files), &*key));
            assert!(vault.is_erased(&subject(0)).unwrap());
            assert!(vault.check().unwrap().is_empty());
        }
    }
    assert!(images > 60, "{images}");
}
