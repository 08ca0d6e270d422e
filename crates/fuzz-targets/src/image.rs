//! Ledgers in memory, the same each time, for targets to change.

use sovang_core::record::Prepared;
use sovang_core::{Actor, Envelope, Error, LedgerId, RawEvent, RecordId, Result, hash};
use sovang_storage::files::{Files, Open};
use sovang_storage::log::{Identity, Log, LogOptions};
use sovang_storage::memory::MemoryFiles;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// The id of every ledger here.
pub const LEDGER: LedgerId = LedgerId([1; 16]);
/// Segments as small as they may be used.
pub const SEGMENT_BYTES: u64 = 1 << 20;

/// Who every ledger here is.
#[must_use]
pub fn identity() -> Identity {
    Identity { ledger_id: LEDGER, origin: "example.org/fuzz".to_owned(), schema: "example.org/fuzz".to_owned() }
}
/// How logs are opened here.
#[must_use]
pub fn log_options() -> LogOptions {
    LogOptions { segment_bytes: SEGMENT_BYTES, strict: false }
}
/// A source of bytes that look random and are the same each time.
pub fn randomness(seed: u64) -> impl Fn(&mut [u8]) -> Result<()> {
    let drawn = AtomicU64::new(seed << 32);
    move |into| {
        hash::stream(&drawn.fetch_add(1, Ordering::Relaxed).to_le_bytes(), into);
        Ok(())
    }
}
/// The nth record id.
#[must_use]
pub fn id(n: u64) -> RecordId {
    let mut random = [7; 10];
    random[2..].copy_from_slice(&n.to_be_bytes());
    RecordId::v7(1_700_000_000_000 + n, random)
}
/// A record of plain bytes, stamped.
#[must_use]
pub fn record(n: u64, payload: &[u8]) -> Prepared {
    let event = RawEvent { number: 1, version: 1, payload: payload.to_vec().into() };
    let envelope = Envelope::by(Actor::new("clerk").unwrap());
    let mut record = Prepared::new(&event, id(n), Some(18_000), envelope, None, &[], &mut || Ok([5; 32])).unwrap();
    record.stamp(1_000_000 + i64::try_from(n).unwrap(), 18_000);
    record
}

/// An empty log.
#[must_use]
pub fn empty_log() -> MemoryFiles {
    static IMAGE: OnceLock<MemoryFiles> = OnceLock::new();
    let image = IMAGE.get_or_init(|| {
        let memory = MemoryFiles::default();
        let files: Arc<dyn Files> = Arc::new(memory.clone());
        Log::create(&files, &identity(), &randomness(1)).unwrap();
        memory
    });
    image.fork()
}
/// A log of four records in three batches, closed.
#[must_use]
pub fn short_log() -> MemoryFiles {
    static IMAGE: OnceLock<MemoryFiles> = OnceLock::new();
    let image = IMAGE.get_or_init(|| {
        let memory = empty_log();
        let mut log = Log::open(Arc::new(memory.clone()), log_options(), &randomness(2)).unwrap().0;
        log.append(&[record(0, b"first")]).unwrap();
        log.append(&[record(1, b""), record(2, &[0; 300])]).unwrap();
        log.append(&[record(3, b"SOVB is no header here")]).unwrap();
        log.close().unwrap();
        memory
    });
    image.fork()
}

/// The bytes of a file that must be there.
#[must_use]
pub fn read(files: &MemoryFiles, path: &str) -> Vec<u8> {
    let file = files.open(path, Open::Read).unwrap();
    let mut bytes = vec![0; crate::at(file.len().unwrap())];
    file.read_at(&mut bytes, 0).unwrap();
    bytes
}
/// Replaces a file.
pub fn write(files: &MemoryFiles, path: &str, bytes: &[u8]) {
    files.open(path, Open::Create).unwrap().write_at(bytes, 0).unwrap();
}
/// Every file with its bytes.
#[must_use]
pub fn all(files: &MemoryFiles) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for directory in ["", "log", "vault", "index", "snapshots", "quarantine", "checkpoints"] {
        for name in files.list(directory).unwrap_or_default() {
            let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
            if files.open(&path, Open::Read).is_ok() {
                all.insert(path.clone(), read(files, &path));
            }
        }
    }
    all
}

/// That an error is one that a reader of these bytes can act on: it says what and where, and fits a hostile file in a working memory.
pub fn assert_refusal(error: &Error) {
    use sovang_core::ErrorKind::{Damaged, NotALedger, WrongFormat};
    assert!(matches!(error.kind(), Damaged | NotALedger | WrongFormat), "{error:?}");
    assert!(error.path().is_some(), "an error names the file: {error}");
}
