//! What can still be read, all of it; and who a subject is, however the id is spelt.

use super::{Randomness, SimFiles, all_bytes, holds, id, kind, new_ledger, put, read, row, text, write};
use crate::files::{Files, Open};
use crate::vault::Vault;
use sovang_core::record::{PersonalRow, PersonalValue};
use sovang_core::{ErrorKind, SubjectId, hash};

fn values(vault: &Vault) -> Vec<(u16, String, Vec<u8>)> {
    let mut all = Vec::new();
    vault.each_value(&mut |field, subject, value| all.push((field, subject.as_str().to_owned(), value.to_vec()))).unwrap();
    all
}
fn named(n: u8, subject: &str) -> PersonalRow {
    let salt = [n; 32];
    PersonalRow {
        field: 1,
        commitment: hash::commitment(&salt, 1, b"x"),
        value: Some(PersonalValue { subject: SubjectId::new(subject).unwrap(), salt, value: b"x".to_vec() }),
    }
}

#[test]
fn every_value_of_the_living_and_no_other() {
    let (files, random) = (SimFiles::new(), Randomness::new(1));
    new_ledger(&files, &random);
    let vault = write(&files, &|_, _| Ok(true));
    assert!(values(&vault).is_empty());
    let rows: Vec<_> = (0..5).map(|n| row(n, n % 2, 1)).collect();
    let sealed = PersonalRow { field: 2, commitment: hash::commitment(&[9; 32], 2, b"?"), value: None };
    let mut all: Vec<(u64, &PersonalRow)> = (0..).zip(&rows).collect();
    all.push((5, &sealed));
    put(&vault, &all, &random).unwrap();
    let of = |n: u64| (1, format!("citizen:{:09}", n % 2), text(n));
    assert_eq!(values(&vault), (0..5).map(of).collect::<Vec<_>>());
    assert_eq!(values(&read(&files)), values(&vault));
    let handle = vault.handle(&super::subject(0)).unwrap().unwrap();
    // A reader beside the writer sees the log's word before the vault's.
    let reader = read(&files);
    reader.hide([handle]);
    assert_eq!(values(&reader), [of(1), of(3)]);
    vault.erase(&handle).unwrap();
    assert_eq!(values(&vault), [of(1), of(3)]);
    assert_eq!(values(&read(&files)), [of(1), of(3)]);

    // One damaged ciphertext hides no other.
    let file = files.open("vault/rows", Open::Write).unwrap();
    let at = all_bytes_of(&files).windows(4).enumerate().filter(|(_, w)| w == b"SOVR").map(|(at, _)| at).nth(1).unwrap();
    file.write_at(&[0xAA], at as u64 + 120).unwrap();
    assert_eq!(values(&read(&files)), [of(3)]);
    assert!(!read(&files).check().unwrap().is_empty());
}
fn all_bytes_of(files: &SimFiles) -> Vec<u8> {
    let file = files.open("vault/rows", Open::Read).unwrap();
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_at(&mut bytes, 0).unwrap();
    bytes
}

#[test]
fn two_spellings_of_an_id_are_one_person() {
    let (files, random) = (SimFiles::new(), Randomness::new(2));
    new_ledger(&files, &random);
    let vault = write(&files, &|_, _| Ok(true));
    let (composed, apart) = ("hộ:Nguyễn", "ho\u{323}\u{302}:Nguye\u{302}\u{303}n");
    // In one call, and in a later one.
    put(&vault, &[(0, &named(1, composed)), (1, &named(2, apart))], &random).unwrap();
    put(&vault, &[(2, &named(3, apart))], &random).unwrap();
    let subject = |id: &str| SubjectId::new(id).unwrap();
    let handle = vault.handle(&subject(composed)).unwrap().unwrap();
    assert_eq!(vault.handle(&subject(apart)).unwrap(), Some(handle));
    assert_eq!(values(&vault).len(), 3);
    vault.erase(&handle).unwrap();
    assert!(values(&vault).is_empty());
    assert!(vault.is_erased(&subject(apart)).unwrap() && vault.is_erased(&subject(composed)).unwrap());
    assert_eq!(kind(put(&vault, &[(3, &named(4, apart))], &random)), ErrorKind::ErasedSubject);
    assert!(!vault.is_erased(&subject("hộ:Nguyên")).unwrap(), "another letter is another id");
    let bytes = all_bytes(&files);
    assert!(!holds(&bytes, composed.as_bytes()) && !holds(&bytes, apart.as_bytes()) && !holds(&bytes, &id(2).to_bytes()));
}
