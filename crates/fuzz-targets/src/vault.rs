//! The vault's two files, beside what the log knows.

use crate::edit::{apply, edits};
use crate::{INPUT_BYTES_MAX, image, seal};
use arbitrary::Unstructured;
use sovang_core::ids::Commitment;
use sovang_core::personal::Opened;
use sovang_core::record::{PersonalRow, PersonalValue};
use sovang_core::{ErrorKind, RecordId, Result, SubjectId, hash};
use sovang_storage::files::Files;
use sovang_storage::memory::MemoryFiles;
use sovang_storage::vault::{Vault, fuzzing};
use std::sync::{Arc, OnceLock};

/// The first byte of an input: changes go to `vault/keys`, otherwise to `vault/rows`.
pub const KEYS: u8 = 1;
/// The checksums are made to fit.
pub const SUMS: u8 = 2;

/// Rows of the image.
const ROWS: u64 = 6;
/// Rows from this one on have no record in the log: an append that never came to be.
const ORPHANS_FROM: u64 = 5;
/// Whose rows were erased.
const ERASED: u64 = 1;

fn subject(n: u64) -> SubjectId {
    SubjectId::new(format!("S-{}", n % 3)).unwrap()
}
fn row(n: u64) -> PersonalRow {
    let salt = [u8::try_from(n).unwrap(); 32];
    let value = vec![b'v'; crate::at(n) * 90];
    PersonalRow {
        field: 1,
        commitment: hash::commitment(&salt, 1, &value),
        value: Some(PersonalValue { subject: subject(n), salt, value }),
    }
}
fn known(n: u64) -> Opened {
    let given = row(n).value.unwrap();
    Opened::Known { subject: given.subject, salt: given.salt, value: given.value }
}
fn exists(record: RecordId, commitment: &Commitment) -> Result<bool> {
    Ok((0..ORPHANS_FROM).any(|n| image::id(n) == record && row(n).commitment == *commitment))
}

fn base() -> MemoryFiles {
    static IMAGE: OnceLock<MemoryFiles> = OnceLock::new();
    let image = IMAGE.get_or_init(|| {
        let memory = MemoryFiles::default();
        memory.create_directory("").unwrap();
        let random = image::randomness(1);
        Vault::create(&memory, image::LEDGER, &random).unwrap();
        let vault = Vault::open(&memory, image::LEDGER, true).unwrap().unwrap();
        vault.recover(&exists).unwrap();
        let put = |rows: std::ops::Range<u64>| {
            let rows: Vec<_> = rows.map(|n| (image::id(n), row(n))).collect();
            let rows: Vec<_> = rows.iter().map(|(id, row)| (*id, row)).collect();
            vault.put(&rows, &random).unwrap();
        };
        put(0..3);
        vault.mark().unwrap();
        put(3..5);
        vault.erase(&vault.handle(&subject(ERASED)).unwrap().unwrap()).unwrap();
        put(5..ROWS);
        memory
    });
    image.fork()
}

/// A value reads as what was put, or not at all; one whose key is gone never does. Recovering twice is recovering once, and then
/// the vault takes values again.
///
/// # Panics
/// When that does not hold.
pub fn run(bytes: &[u8]) {
    let Some((mode, rest)) = bytes.split_first().filter(|_| bytes.len() <= INPUT_BYTES_MAX) else { return };
    let path = if mode & KEYS == 0 { "vault/rows" } else { "vault/keys" };
    let mut file = sound(path);
    for edit in edits(&mut Unstructured::new(rest)).unwrap_or_default() {
        apply(&mut file, &edit);
    }
    check(path, file, mode & SUMS != 0);
}

/// The bytes of a file of a sound vault: `vault/keys` or `vault/rows`.
#[must_use]
pub fn sound(path: &str) -> Vec<u8> {
    image::read(&base(), path)
}

/// As [`run`], of one file as it is to be; with `forged` its checksums are made to fit.
///
/// # Panics
/// When an assertion does not hold.
pub fn check(path: &str, mut file: Vec<u8>, forged: bool) {
    let files = base();
    if forged {
        if path == "vault/rows" {
            seal::vault_rows(&mut file, image::LEDGER);
        } else {
            seal::vault_keys(&mut file, image::LEDGER);
        }
    }
    structures(path, &file);
    image::write(&files, path, &file);
    let before = image::all(&files);
    let reader = Vault::open(&files, image::LEDGER, false);
    let opened = match &reader {
        Ok(Some(vault)) => {
            values(vault);
            let _ = vault.check();
            true
        }
        Ok(None) => panic!("the directory is there"),
        Err(error) => {
            image::assert_refusal(error);
            false
        }
    };
    assert_eq!(image::all(&files), before, "a reader writes nothing");
    if opened {
        recover(&files, forged);
    }
}

/// Whatever decodes encodes to the same bytes.
fn structures(path: &str, file: &[u8]) {
    for (offset, bytes) in (0u64..).step_by(128).zip(file.chunks(128)) {
        let again = match (path, offset) {
            ("vault/keys", 4096..) => {
                let number = u32::try_from((offset - 4096) / 128).unwrap();
                fuzzing::slot(bytes, image::LEDGER, number)
            }
            ("vault/rows", 4096..) => fuzzing::row(bytes.get(..112).unwrap_or_default(), image::LEDGER, offset),
            ("vault/rows", 512 | 1024) => {
                let sector: Option<&[u8; 512]> = file.get(crate::at(offset)..).and_then(|rest| rest.first_chunk());
                sector.and_then(|sector| fuzzing::mark(sector, image::LEDGER, offset))
            }
            _ => None,
        };
        if let Some(again) = again {
            assert_eq!(again, file[crate::at(offset)..crate::at(offset) + again.len()]);
        }
    }
}

fn values(vault: &Vault) {
    for n in 0..ROWS {
        match vault.value(&row(n).commitment) {
            Ok(opened @ Opened::Known { .. }) => {
                assert!(opened == known(n), "a value is the one that was put");
                assert_ne!(subject(n), subject(ERASED), "a value whose key is gone cannot be known");
            }
            Ok(Opened::Erased | Opened::Sealed) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::Damaged, "{error}"),
        }
    }
}

fn recover(files: &MemoryFiles, forged: bool) {
    let open = || Vault::open(files, image::LEDGER, true).expect("a reader opened it").expect("it is there");
    let vault = open();
    let before = image::all(files);
    if let Err(error) = vault.recover(&exists) {
        image::assert_refusal(&error);
        assert_eq!(image::all(files), before, "a refusal changes nothing");
        return;
    }
    values(&vault);
    drop(vault);
    let once = image::all(files);
    let vault = open();
    let again = vault.recover(&exists).expect("it recovered before");
    assert_eq!((again.orphans, again.torn_bytes), (0, 0), "nothing is left to do");
    assert_eq!(image::all(files), once, "recovering twice is recovering once");
    let new = PersonalRow {
        value: Some(PersonalValue { subject: SubjectId::new("S-9").unwrap(), salt: [9; 32], value: b"new".to_vec() }),
        commitment: hash::commitment(&[9; 32], 1, b"new"),
        field: 1,
    };
    match vault.put(&[(image::id(99), &new)], &image::randomness(9)) {
        Ok(_) => {
            match vault.value(&new.commitment) {
                Ok(opened) => assert!(matches!(opened, Opened::Known { value, .. } if value == b"new")),
                // A forged row of the torn end may claim the bytes of what follows it.
                Err(error) => assert!(forged && error.kind() == ErrorKind::Damaged, "what was just put is read: {error}"),
            }
            values(&vault);
            let _ = vault.close();
        }
        // A damaged slot hides whether a subject was erased.
        Err(error) => assert!(matches!(error.kind(), ErrorKind::Damaged | ErrorKind::TooLarge), "{error}"),
    }
    drop(vault);
    let reader: Arc<dyn Files> = Arc::new(files.clone());
    assert!(Vault::open(&*reader, image::LEDGER, false).is_ok(), "what was recovered opens");
}
