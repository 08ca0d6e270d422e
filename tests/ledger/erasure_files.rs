//! After an erasure: what is in the files, byte for byte, and what a vault from before becomes beside the log.

use crate::loan::{DAY, Loan, ORIGIN, RepaidByYear, fixed, opened, repaid};
use sovang::{Event, Ledger, Personal, Position, RawEvent, Reader, Size};
use std::fs;
use std::path::{Path, PathBuf};

/// Composed and apart: what a program may have been given, and what another may have made of it.
const COMPOSED: &str = "Nguyễn Thị Hồng Đào";
const APART: &str = "Nguye\u{302}\u{303}n Thi\u{323} Ho\u{302}\u{300}ng Đa\u{300}o";
const OTHER: &str = "Lê Văn Khác";

fn signed(loan: &str, subject: &str, name: &str) -> Loan {
    Loan::Signed { loan: loan.into(), borrower: Personal::of(subject, name), guarantor: Personal::None }
}
fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            all.push((path, bytes));
        }
    }
    all
}
fn holding(directory: &Path, needle: &[u8]) -> Vec<PathBuf> {
    let holds = |bytes: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    files(directory).into_iter().filter(|(_, bytes)| holds(bytes)).map(|(path, _)| path).collect()
}
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
fn word(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}
/// Key and ciphertexts of the subject in slot `number`, from the vault's files (docs/FORMAT.md §7).
fn secrets(dir: &Path, number: usize) -> Vec<Vec<u8>> {
    let keys = fs::read(dir.join("vault/keys")).unwrap();
    let mut secrets = vec![keys[4096 + 128 * number + 64..][..32].to_vec()];
    let rows = fs::read(dir.join("vault/rows")).unwrap();
    let mut at = 4096;
    while at + 112 <= rows.len() && &rows[at..at + 4] == b"SOVR" {
        let length = word(&rows, at + 8);
        if rows[at + 4] == 1 && word(&rows, at + 12) == number {
            secrets.push(rows[at + 112..at + 112 + length].to_vec());
        }
        at += (112 + length).next_multiple_of(128);
    }
    secrets
}
/// Where any sixteen bytes in a row of a secret stand.
fn leftovers(dir: &Path, secrets: &[Vec<u8>]) -> Vec<PathBuf> {
    secrets.iter().flat_map(|secret| secret.chunks_exact(16)).flat_map(|part| holding(dir, part)).collect()
}
fn borrower(reader: &Reader<Loan>, position: u64) -> Personal<String> {
    match reader.get(Position(position)).unwrap().event {
        Loan::Signed { borrower, .. } => borrower,
        other => panic!("{other:?}"),
    }
}

/// A ledger with two persons: 0 and 2 are of `citizen:1`, whose slot is the first, 1 is of another.
fn two_persons(dir: &Path) -> Ledger<Loan> {
    let ledger = fixed().0.create::<Loan>(dir, ORIGIN).unwrap();
    let desk = ledger.by("teller:1");
    desk.record(signed("L-1", "citizen:1/hộ", COMPOSED).on(DAY)).unwrap();
    desk.record(signed("L-2", "citizen:2", OTHER).on(DAY)).unwrap();
    desk.record(signed("L-3", "citizen:1/hộ", APART).on(DAY)).unwrap();
    desk.record_all([opened("L-1", 900).on(DAY), repaid("L-1", 5).on(DAY)]).unwrap();
    ledger
}

#[test]
fn no_file_has_a_byte_of_it() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("book");
    let ledger = two_persons(&dir);
    ledger.project(RepaidByYear::default()).unwrap();
    let gone = secrets(&dir, 0);
    assert_eq!(gone.len(), 3, "a key and two values");
    for secret in &gone {
        assert!(!holding(&dir, secret).is_empty(), "the search finds what is there");
    }
    let kept = secrets(&dir, 1);
    // What a crash may leave behind: a torn tail, and names that end in .tmp.
    ledger.close().unwrap();
    let mut log = fs::read(dir.join("log/0")).unwrap();
    log.extend_from_slice(b"a torn batch");
    fs::write(dir.join("log/0"), log).unwrap();
    fs::write(dir.join("snapshots/x.tmp"), b"half").unwrap();
    let ledger = Ledger::<Loan>::open(&dir).unwrap();
    assert_eq!(fs::read_dir(dir.join("quarantine")).unwrap().count(), 1);

    ledger.by("dpo").erase("citizen:1/hộ", "request 12/2026").unwrap();
    for open in [true, false] {
        let texts = [COMPOSED, APART, OTHER, "citizen:1", "citizen:2"];
        for text in texts {
            let decomposed = text.replace('ộ', "o\u{323}\u{302}");
            for form in [text, &decomposed, &text.to_lowercase(), &text.to_uppercase()] {
                let utf16: Vec<u8> = form.encode_utf16().flat_map(u16::to_le_bytes).collect();
                assert!(holding(&dir, form.as_bytes()).is_empty() && holding(&dir, &utf16).is_empty(), "{form}, open: {open}");
            }
        }
        assert_eq!(leftovers(&dir, &gone), [] as [PathBuf; 0], "open: {open}");
        for secret in &kept {
            assert!(!holding(&dir, secret).is_empty(), "another person's stays");
        }
        assert!(files(&dir).len() > 8, "log, index, vault, snapshots, HEAD, quarantine, leftovers");
        if open {
            ledger.clone().close().unwrap();
        }
    }
}

#[test]
fn a_vault_from_before_is_erased_again() {
    let home = tempfile::tempdir().unwrap();
    let (dir, before) = (home.path().join("book"), home.path().join("vault-before"));
    let ledger = two_persons(&dir);
    ledger.close().unwrap();
    copy(&dir.join("vault"), &before);
    let gone = secrets(&dir, 0);
    let ledger = Ledger::<Loan>::open(&dir).unwrap();
    ledger.by("dpo").erase("citizen:1/hộ", "request 12/2026").unwrap();
    ledger.close().unwrap();
    assert_eq!(leftovers(&dir, &gone), [] as [PathBuf; 0]);

    // From a backup: a reader, which writes nothing, already reads what the log says.
    copy(&before, &dir.join("vault"));
    assert!(!leftovers(&dir, &gone).is_empty());
    let was: Vec<_> = files(&dir);
    let reader = Ledger::<Loan>::open_read_only(&dir).unwrap();
    assert_eq!((borrower(&reader, 0), borrower(&reader, 2)), (Personal::Erased, Personal::Erased));
    assert_eq!(borrower(&reader, 1).value().map(String::as_str), Some(OTHER));
    assert!(reader.audit().unwrap().is_sound());
    assert_eq!(files(&dir), was, "a reader changes nothing");
    // The next writer completes it.
    let ledger = Ledger::<Loan>::open(&dir).unwrap();
    assert_eq!(leftovers(&dir, &gone), [] as [PathBuf; 0]);
    assert_eq!((borrower(&ledger, 0), borrower(&ledger, 2)), (Personal::Erased, Personal::Erased));
    assert!(ledger.by("dpo").erase("citizen:1/hộ", "again").unwrap().repeated);
    let refused = ledger.by("teller:1").record(signed("L-9", "citizen:1/ho\u{323}\u{302}", APART).on(DAY)).unwrap_err();
    assert_eq!(refused.kind(), sovang::ErrorKind::ErasedSubject, "also in another spelling of the id");
    assert_eq!(ledger.head().size, Size(6));
    assert!(ledger.audit().unwrap().is_sound());
}

#[test]
fn what_is_public_of_a_record_has_neither_value_nor_salt() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("book");
    let ledger = two_persons(&dir);
    let desk = ledger.by("dpo");
    let disclosed = desk.disclose(Position(0), 1, "court", "case 1").unwrap();
    desk.erase("citizen:1/hộ", "request 12/2026").unwrap();
    // The frames are what receipts carry.
    let raw = Ledger::<RawEvent>::open_read_only(&dir).unwrap();
    for position in 0..raw.head().size.0 {
        let record = raw.get(Position(position)).unwrap();
        let frame = record.frame();
        let bytes = [frame.payload(), format!("{:?}", frame.metadata().unwrap()).as_bytes()].concat();
        for needle in [COMPOSED.as_bytes(), APART.as_bytes(), b"citizen", &disclosed.salt[..8], &disclosed.value] {
            assert!(!bytes.windows(needle.len()).any(|window| window == needle), "record {position}");
        }
    }
    assert_eq!(holding(&dir, &disclosed.salt[..8]), [] as [PathBuf; 0]);
}
