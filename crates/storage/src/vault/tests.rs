mod after_failure;
mod crash;
mod living;

use super::format::{GRANULE, HEADER_BYTES};
use super::{Exists, Vault};
use crate::files::{Files, Open};
use crate::sim::{Fault, Image, SimFiles};
use proptest::prelude::*;
use sovang_core::personal::Opened;
use sovang_core::record::{PersonalRow, PersonalValue};
use sovang_core::{ErrorKind, LedgerId, RecordId, Result, SubjectId, hash};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

const LEDGER: LedgerId = LedgerId([7; 16]);

/// Reproducible, and never the same twice.
struct Randomness(Cell<u64>);
impl Randomness {
    fn new(seed: u64) -> Self {
        Self(Cell::new(seed << 32))
    }
    fn fill(&self, into: &mut [u8]) -> Result<()> {
        self.0.set(self.0.get() + 1);
        let mut reader = blake3::Hasher::new().update(&self.0.get().to_le_bytes()).finalize_xof();
        reader.fill(into);
        Ok(())
    }
}
fn id(n: u64) -> RecordId {
    let mut b = [0; 16];
    b[8..].copy_from_slice(&n.to_be_bytes());
    RecordId::from_bytes(b)
}
fn subject(n: u64) -> SubjectId {
    SubjectId::new(format!("citizen:{n:09}")).unwrap()
}
fn text(n: u64) -> Vec<u8> {
    format!("Trần Thị số {n:06}, Cổ Nhuế").into_bytes()
}
/// The personal value of record `n`, of person `who`; `salt` tells attempts apart.
fn row(n: u64, who: u64, salt: u8) -> PersonalRow {
    let mut r = [salt; 32];
    r[..8].copy_from_slice(&n.to_le_bytes());
    let value = text(n);
    PersonalRow {
        field: 1,
        commitment: hash::commitment(&r, 1, &value),
        value: Some(PersonalValue { subject: subject(who), salt: r, value }),
    }
}
fn new_ledger(files: &SimFiles, random: &Randomness) {
    files.create_directory("").unwrap();
    files.sync_directory("..").unwrap();
    Vault::create(files, LEDGER, &|b| random.fill(b)).unwrap();
}
fn write(files: &SimFiles, exists: Exists<'_>) -> Vault {
    let vault = Vault::open(files, LEDGER, true).unwrap().unwrap();
    vault.recover(exists).unwrap();
    vault
}
fn read(files: &SimFiles) -> Vault {
    Vault::open(files, LEDGER, false).unwrap().unwrap()
}
fn put(vault: &Vault, rows: &[(u64, &PersonalRow)], random: &Randomness) -> Result<()> {
    let rows: Vec<_> = rows.iter().map(|(n, row)| (id(*n), *row)).collect();
    vault.put(&rows, &|b| random.fill(b)).map(|_| ())
}
fn assert_known(vault: &Vault, row: &PersonalRow) {
    let given = row.value.as_ref().unwrap();
    let known = Opened::Known { subject: given.subject.clone(), salt: given.salt, value: given.value.clone() };
    assert!(vault.value(&row.commitment).unwrap() == known);
}
fn kind<T>(result: Result<T>) -> ErrorKind {
    match result {
        Ok(_) => panic!("an error was expected"),
        Err(e) => e.kind(),
    }
}
fn all_bytes(files: &SimFiles) -> Vec<u8> {
    files
        .disk()
        .visible()
        .files
        .iter()
        .filter(|(path, _)| path.starts_with("vault/"))
        .flat_map(|(_, content)| content.to_vec())
        .collect()
}
fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|w| w == needle)
}
fn all(_: RecordId, _: &sovang_core::ids::Commitment) -> Result<bool> {
    Ok(true)
}

#[test]
fn keeps_values_and_reads_them_back_after_reopening() {
    let (files, random) = (SimFiles::new(), Randomness::new(1));
    new_ledger(&files, &random);
    let rows: Vec<_> = (0..10).map(|n| row(n, n % 3, 0)).collect();
    let sealed = PersonalRow { field: 2, commitment: row(99, 9, 0).commitment, value: None };
    let vault = write(&files, &all);
    put(&vault, &rows.iter().zip(0..).map(|(r, n)| (n, r)).collect::<Vec<_>>(), &random).unwrap();
    put(&vault, &[(11, &sealed)], &random).unwrap();
    let beside = read(&files);
    for vault in [&vault, &beside] {
        rows.iter().for_each(|r| assert_known(vault, r));
        assert!(vault.value(&sealed.commitment).unwrap() == Opened::Sealed);
    }
    let missing = vault.value(&row(50, 1, 0).commitment).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Damaged);
    vault.close().unwrap();
    let length = files.open("vault/rows", Open::Read).unwrap().len().unwrap();
    assert!(length.is_multiple_of(GRANULE as u64), "reserved space is given back: {length}");
    let before = files.disk().visible();
    let again = write(&files, &|_, _| panic!("rows below the mark are not asked for"));
    assert_eq!(files.disk().visible(), before, "opening after a close writes nothing");
    rows.iter().for_each(|r| assert_known(&again, r));
    assert!(again.check().unwrap().is_empty());
}

#[test]
fn reader_sees_rows_put_after_it_looked() {
    let (files, random) = (SimFiles::new(), Randomness::new(2));
    new_ledger(&files, &random);
    let vault = write(&files, &all);
    let beside = read(&files);
    for n in 0..20 {
        let row = row(n, n, 0);
        assert_eq!(kind(beside.value(&row.commitment)), ErrorKind::Damaged);
        put(&vault, &[(n, &row)], &random).unwrap();
        assert_known(&beside, &row);
        assert_known(&vault, &row);
    }
    assert_eq!(kind(beside.put(&[(id(1), &row(1, 1, 0))], &|b| random.fill(b))), ErrorKind::InvalidInput);
}

#[test]
fn one_sync_a_put_and_one_more_for_a_new_subject() {
    let (files, random) = (SimFiles::new(), Randomness::new(3));
    new_ledger(&files, &random);
    let vault = write(&files, &all);
    put(&vault, &[(0, &row(0, 1, 0))], &random).unwrap();
    files.take_counts();
    put(&vault, &[(1, &row(1, 1, 0)), (2, &row(2, 1, 0))], &random).unwrap();
    let counts = files.take_counts();
    assert_eq!((counts.data_syncs, counts.syncs, counts.writes), (1, 0, 1));
    put(&vault, &[(3, &row(3, 2, 0)), (4, &row(4, 1, 0))], &random).unwrap();
    assert_eq!(files.take_counts().data_syncs, 2);
}

#[test]
fn erasing_leaves_no_byte_of_value_subject_or_key() {
    let (files, random) = (SimFiles::new(), Randomness::new(4));
    new_ledger(&files, &random);
    let vault = write(&files, &all);
    let rows: Vec<_> = (0..8).map(|n| row(n, n % 2, 0)).collect();
    put(&vault, &rows.iter().zip(0..).map(|(r, n)| (n, r)).collect::<Vec<_>>(), &random).unwrap();
    let handle = vault.handle(&subject(0)).unwrap().unwrap();
    let slot = vault.keys.slot(0).unwrap();
    assert!(slot.handle == handle && holds(&all_bytes(&files), &*slot.key), "the search finds what is there");
    assert!(
        !holds(&all_bytes(&files), &text(0)) && !holds(&all_bytes(&files), subject(0).as_str().as_bytes()),
        "nothing is in the clear"
    );
    let ciphertext = vault.rows.read(HEADER_BYTES).unwrap().1.unwrap();
    vault.erase(&handle).unwrap();
    vault.erase(&handle).unwrap();
    let check = |vault: &Vault| {
        let bytes = all_bytes(&files);
        assert!(!holds(&bytes, &*slot.key) && !holds(&bytes, &ciphertext[..40]) && !holds(&bytes, &id(2).to_bytes()));
        assert!(holds(&bytes, &handle), "the handle stays: the log names it");
        for (n, row) in rows.iter().enumerate() {
            if n % 2 == 0 {
                assert!(vault.value(&row.commitment).unwrap() == Opened::Erased);
            } else {
                assert_known(vault, row);
            }
        }
    };
    check(&vault);
    assert!(vault.is_erased(&subject(0)).unwrap() && !vault.is_erased(&subject(1)).unwrap());
    let (refused, other) = (row(20, 0, 0), row(21, 5, 0));
    let error = put(&vault, &[(21, &other), (20, &refused)], &random).unwrap_err();
    assert_eq!((error.kind(), error.ids()), (ErrorKind::ErasedSubject, &[id(20)][..]));
    assert_eq!(kind(vault.value(&other.commitment)), ErrorKind::Damaged, "nothing of a refused put is kept");
    assert_eq!(kind(vault.erase(&[1; 16])), ErrorKind::NotFound);
    vault.close().unwrap();
    check(&read(&files));
    let again = write(&files, &all);
    check(&again);
    assert!(again.is_erased(&subject(0)).unwrap());
    assert!(again.check().unwrap().is_empty());
}

#[test]
fn restored_backup_is_erased_again() {
    let (files, random) = (SimFiles::new(), Randomness::new(5));
    new_ledger(&files, &random);
    let vault = write(&files, &all);
    let (mine, theirs) = (row(0, 0, 0), row(1, 1, 0));
    put(&vault, &[(0, &mine), (1, &theirs)], &random).unwrap();
    vault.close().unwrap();
    let backup = SimFiles::from_image(&files.disk().visible());
    let handle = vault.handle(&subject(0)).unwrap().unwrap();
    let reader = read(&backup);
    assert_known(&reader, &mine);
    reader.hide([handle]);
    assert!(reader.value(&mine.commitment).unwrap() == Opened::Erased, "the log names it, so it reads so before a writer came");
    let restored = write(&backup, &all);
    assert!(restored.complete(&mut [[9; 16], handle].into_iter()).unwrap());
    assert!(!restored.complete(&mut [[9; 16], handle].into_iter()).unwrap());
    assert!(restored.value(&mine.commitment).unwrap() == Opened::Erased);
    assert_known(&restored, &theirs);
}

#[test]
fn orphans_and_withdrawn_rows_are_gone() {
    let (files, random) = (SimFiles::new(), Randomness::new(6));
    new_ledger(&files, &random);
    let vault = write(&files, &all);
    let rows: Vec<_> = (0..4).map(|n| row(n, 1, 0)).collect();
    put(&vault, &[(0, &rows[0])], &random).unwrap();
    let range = vault.put(&[(id(1), &rows[1])], &|b| random.fill(b)).unwrap();
    vault.withdraw(range).unwrap();
    put(&vault, &[(2, &rows[2])], &random).unwrap();
    put(&vault, &[(3, &rows[3])], &random).unwrap();
    assert_eq!(kind(vault.value(&rows[1].commitment)), ErrorKind::Damaged);
    drop(vault);
    let vault = Vault::open(&files, LEDGER, true).unwrap().unwrap();
    assert_eq!(kind(vault.put(&[(id(1), &rows[1])], &|b| random.fill(b))), ErrorKind::InvalidInput, "recovery comes first");
    let done = vault.recover(&|record, _| Ok(record != id(2))).unwrap();
    assert_eq!((done.orphans, done.torn_bytes), (1, 0));
    for n in [0, 3] {
        assert_known(&vault, &rows[n]);
    }
    assert_eq!(kind(vault.value(&rows[2].commitment)), ErrorKind::Damaged);
    // An id may be sent again with the same salt.
    put(&vault, &[(2, &rows[2])], &random).unwrap();
    put(&vault, &[(2, &rows[2])], &random).unwrap();
    assert_known(&vault, &rows[2]);
    assert!(vault.check().unwrap().is_empty());
}

#[test]
fn absent_foreign_and_incomplete_vaults() {
    let (files, random) = (SimFiles::new(), Randomness::new(7));
    files.create_directory("").unwrap();
    assert!(Vault::open(&files, LEDGER, true).unwrap().is_none());
    Vault::create(&files, LEDGER, &|b| random.fill(b)).unwrap();
    assert_eq!(kind(Vault::open(&files, LedgerId([8; 16]), false)), ErrorKind::Damaged);
    files.remove("vault/keys").unwrap();
    assert_eq!(kind(Vault::open(&files, LEDGER, false)), ErrorKind::Damaged);
    // An interrupted creation is repeated.
    Vault::create(&files, LEDGER, &|b| random.fill(b)).unwrap();
    put(&write(&files, &all), &[(0, &row(0, 0, 0))], &random).unwrap();
}

#[test]
fn full_disk_refuses_and_failed_sync_poisons() {
    let (files, random) = (SimFiles::new(), Randomness::new(8));
    new_ledger(&files, &random);
    let vault = write(&files, &all);
    files.set_capacity(Some(8_300));
    assert_eq!(kind(put(&vault, &[(0, &row(0, 0, 0))], &random)), ErrorKind::NoSpace);
    files.set_capacity(None);
    put(&vault, &[(0, &row(0, 0, 0))], &random).unwrap();
    files.inject(Fault::Sync { nth: 1, kept: 0, len_kept: false });
    assert!(put(&vault, &[(1, &row(1, 0, 0))], &random).is_err());
    assert_eq!(kind(put(&vault, &[(1, &row(1, 0, 0))], &random)), ErrorKind::Poisoned);
    assert_eq!(kind(vault.mark()), ErrorKind::Poisoned);
    drop(vault);
    let again = write(&files, &|record, _| Ok(record == id(0)));
    put(&again, &[(1, &row(1, 0, 0))], &random).unwrap();
    assert_known(&again, &row(0, 0, 0));
    assert_known(&again, &row(1, 0, 0));
}

/// A closed vault with rows of three subjects, one erased.
fn closed() -> (Image, Vec<PersonalRow>) {
    let (files, random) = (SimFiles::new(), Randomness::new(11));
    new_ledger(&files, &random);
    let vault = write(&files, &all);
    let rows: Vec<_> = (0..6).map(|n| row(n, n % 3, 0)).collect();
    put(&vault, &rows.iter().zip(0..).map(|(r, n)| (n, r)).collect::<Vec<_>>(), &random).unwrap();
    vault.erase(&vault.handle(&subject(2)).unwrap().unwrap()).unwrap();
    vault.close().unwrap();
    (files.disk().visible(), rows)
}

#[test]
fn no_flipped_bit_gives_a_wrong_value_or_loses_a_row() {
    let (image, rows) = closed();
    for path in ["vault/keys", "vault/rows"] {
        let content = image.files[path].to_vec();
        let places = (0..600).chain(1020..1040).chain(4096..content.len());
        for at in places.filter(|at| at % 3 == 0 || *at < 4200) {
            let files = SimFiles::from_image(&image);
            let byte = [content[at] ^ 0x10];
            files.open(path, Open::Write).unwrap().write_at(&byte, at as u64).unwrap();
            let Ok(Some(reader)) = Vault::open(&files, LEDGER, false) else {
                assert!(at < 512, "only a header's damage hides the whole vault: {path} {at}");
                continue;
            };
            let mut harmed = 0;
            for (n, row) in rows.iter().enumerate() {
                match reader.value(&row.commitment) {
                    Ok(Opened::Erased) => assert_eq!(n % 3, 2),
                    Ok(Opened::Known { value, .. }) => {
                        assert_eq!((value, n % 3 == 2), (text(n as u64), false))
                    }
                    Ok(Opened::Sealed) => panic!("{path} {at}"),
                    Err(e) => {
                        assert_eq!(e.kind(), ErrorKind::Damaged);
                        harmed += 1;
                    }
                }
            }
            let found = reader.check().unwrap();
            assert!(harmed == 0 || !found.is_empty(), "{path} {at}");
            // Nothing of a closed vault is taken for a torn tail.
            let length = files.open(path, Open::Read).unwrap().len().unwrap();
            if let Some(vault) = Vault::open(&files, LEDGER, true).unwrap() {
                vault.recover(&all).unwrap();
                assert_eq!(files.open(path, Open::Read).unwrap().len().unwrap(), length, "{path} {at}");
            }
        }
    }
}

/// As when a live writer is in the middle of a header or a slot.
#[test]
fn what_is_not_sound_is_looked_at_again_before_it_is_called_damaged() {
    let (image, rows) = closed();
    let mut looks = 0;
    // A bit of the structure that each reading begins with.
    for nth in 1.. {
        let files = SimFiles::from_image(&image);
        let (reader, other) = (read(&files), read(&files));
        files.inject(Fault::FlippedRead { nth, bit: 8 * 20 });
        for (n, row) in rows.iter().enumerate() {
            let value = reader.value(&row.commitment).unwrap_or_else(|e| panic!("{n}, reading {nth}: {e}"));
            assert!(matches!(value, Opened::Erased) == (n % 3 == 2), "{n}, reading {nth}");
        }
        let found = other.check().unwrap();
        assert!(found.is_empty(), "reading {nth}: {found:?}");
        if files.take_faults() == 0 {
            break;
        }
        looks += 1;
    }
    assert!(looks > 15, "{looks}");
}

#[test]
fn a_shortened_vault_is_damage() {
    let (image, rows) = closed();
    for path in ["vault/keys", "vault/rows"] {
        let files = SimFiles::from_image(&image);
        let length = image.files[path].len();
        files.open(path, Open::Write).unwrap().set_len(length - 128).unwrap();
        let vault = Vault::open(&files, LEDGER, true).unwrap().unwrap();
        assert_eq!(kind(vault.recover(&all)), ErrorKind::Damaged);
        let reader = read(&files);
        assert!(!reader.check().unwrap().is_empty());
        assert_known(&reader, &rows[0]);
    }
}

#[test]
fn a_vault_cut_within_its_header_is_a_finding_though_it_has_no_values() {
    let (files, random) = (SimFiles::new(), Randomness::new(9));
    new_ledger(&files, &random);
    for path in ["vault/keys", "vault/rows"] {
        assert!(read(&files).check().unwrap().is_empty());
        for length in [512, 1_536, 3_076, 4_095] {
            let file = files.open(path, Open::Write).unwrap();
            file.set_len(length).unwrap();
            assert!(!read(&files).check().unwrap().is_empty(), "{path} of {length} bytes");
            file.set_len(4_096).unwrap();
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put(Vec<(u64, bool)>),
    Erase(u64),
    Reopen { close: bool },
}
fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => proptest::collection::vec((0u64..6, any::<bool>()), 1..5).prop_map(Step::Put),
        1 => (0u64..6).prop_map(Step::Erase),
        1 => any::<bool>().prop_map(|close| Step::Reopen { close }),
    ]
}
proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn behaves_as_a_map(steps in proptest::collection::vec(step(), 1..25)) {
        let (files, random) = (SimFiles::new(), Randomness::new(12));
        new_ledger(&files, &random);
        let mut vault = write(&files, &all);
        let mut rows: Vec<(PersonalRow, Option<u64>)> = Vec::new();
        let mut erased: BTreeSet<u64> = BTreeSet::new();
        for step in steps {
            match step {
                Step::Put(values) => {
                    let first = rows.len() as u64;
                    let made: Vec<_> = values.iter().zip(first..).map(|((who, known), n)| {
                        let row = row(n, *who, 0);
                        if *known { (row, Some(*who)) } else { (PersonalRow { value: None, ..row }, None) }
                    }).collect();
                    let given: Vec<_> = made.iter().zip(first..).map(|((r, _), n)| (n, r)).collect();
                    let refused = made.iter().any(|(_, who)| who.is_some_and(|who| erased.contains(&who)));
                    match put(&vault, &given, &random) {
                        Ok(()) => {
                            prop_assert!(!refused);
                            rows.extend(made);
                        }
                        Err(e) => {
                            prop_assert_eq!(e.kind(), ErrorKind::ErasedSubject);
                            prop_assert!(refused);
                        }
                    }
                }
                Step::Erase(who) => {
                    let known = rows.iter().any(|(_, w)| *w == Some(who));
                    let handle = vault.handle(&subject(who)).unwrap();
                    prop_assert!(handle.is_some() || !known);
                    if let Some(handle) = handle {
                        vault.erase(&handle).unwrap();
                        erased.insert(who);
                    }
                }
                Step::Reopen { close } => {
                    if close {
                        vault.close().unwrap();
                    }
                    drop(vault);
                    vault = write(&files, &all);
                }
            }
            for (row, who) in &rows {
                match who {
                    None => prop_assert!(vault.value(&row.commitment).unwrap() == Opened::Sealed),
                    Some(who) if erased.contains(who) => prop_assert!(vault.value(&row.commitment).unwrap() == Opened::Erased),
                    Some(_) => assert_known(&vault, row),
                }
            }
        }
        prop_assert!(vault.check().unwrap().is_empty());
    }
}
