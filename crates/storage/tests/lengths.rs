//! Files of any length: what no writer can have made is refused at once, and the rest takes no more memory than is read at a time.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use sovang_core::{ErrorKind, LedgerId, Result};
use sovang_storage::disk::DiskFiles;
use sovang_storage::files::Files;
use sovang_storage::log::{Identity, Log, LogView, verify};
use sovang_storage::vault::Vault;
use std::path::Path;
use std::sync::Arc;

const LEDGER: LedgerId = LedgerId([9; 16]);

/// Gives a file another length; it takes no space.
fn set_len(directory: &Path, name: &str, len: u64) {
    std::fs::OpenOptions::new().write(true).open(directory.join(name)).unwrap().set_len(len).unwrap();
}

fn random(into: &mut [u8]) -> Result<()> {
    into.fill(7);
    Ok(())
}
/// A log without a record.
fn new_log(directory: &Path) -> Arc<dyn Files> {
    let files: Arc<dyn Files> = Arc::new(DiskFiles::new(directory));
    let identity =
        Identity { ledger_id: LEDGER, origin: "example.org/lengths".to_owned(), schema: "example.org/none".to_owned() };
    Log::create(&files, &identity, &random).unwrap();
    files
}

#[test]
fn a_vault_of_any_length_is_refused_or_passed_over() {
    let place = tempfile::tempdir().unwrap();
    let files = DiskFiles::new(place.path());
    Vault::create(&files, LEDGER, &random).unwrap();
    for name in ["vault/keys", "vault/rows"] {
        set_len(place.path(), name, 1 << 43);
        for writable in [false, true] {
            let error = Vault::open(&files, LEDGER, writable).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
            assert!(error.path() == Some(&place.path().join(name)) && error.offset().is_some(), "{error}");
        }
        set_len(place.path(), name, 4096 + (256 << 20));
    }
    let vault = Vault::open(&files, LEDGER, true).unwrap().unwrap();
    assert_eq!(vault.check().unwrap().len(), 0, "reserved space is no damage");
    assert_eq!(vault.recover(&|_, _| Ok(true)).unwrap().torn_bytes, 0);
    for name in ["vault/keys", "vault/rows"] {
        assert_eq!(std::fs::metadata(place.path().join(name)).unwrap().len(), 4096);
    }
}

#[test]
fn segments_of_any_number_and_length_are_findings() {
    let place = tempfile::tempdir().unwrap();
    let files = new_log(place.path());
    // Together they are longer than a number can say.
    for number in [7, u64::MAX - 1, u64::MAX] {
        let name = format!("log/{number}");
        std::fs::write(place.path().join(&name), b"").unwrap();
        set_len(place.path(), &name, 1 << 43);
    }
    let report = verify(&files, &|_, _| {}).unwrap();
    assert!(report.findings.iter().any(|finding| finding.what.contains("missing")), "{report:?}");
    assert_eq!(
        report.findings.iter().filter(|finding| finding.file.starts_with(place.path().join("log"))).count(),
        4,
        "{report:?}"
    );
}

#[test]
fn the_last_segment_is_as_long_as_any_can_be_and_no_longer() {
    let place = tempfile::tempdir().unwrap();
    let files = new_log(place.path());
    // docs/FORMAT.md §2.1.
    let longest = (1 << 30) + (16 << 20);
    set_len(place.path(), "log/0", longest);
    assert_eq!(verify(&files, &|_, _| {}).unwrap().findings, []);
    set_len(place.path(), "log/0", longest + 1);
    assert_eq!(LogView::open(Arc::clone(&files)).unwrap_err().kind(), ErrorKind::Damaged);
    let report = verify(&files, &|_, _| {}).unwrap();
    assert!(report.findings.iter().any(|finding| finding.what.contains("longer")), "{report:?}");
}
