//! Ledgers to try things on.

use sovang_core::record::Prepared;
use sovang_core::tree::{Frontier, leaf_hash};
use sovang_core::{
    Actor, CodecError, Decoder, Encoder, Envelope, Event, Head, Kind, LedgerId, Personal, Position, RawEvent, RecordId, Result,
};
use sovang_storage::files::{Files, Open};
use sovang_storage::log::{Identity, Log, LogOptions, LogReport, Segments, Walked, verify};
use sovang_storage::memory::MemoryFiles;
use std::sync::Arc;

pub(crate) fn identity() -> Identity {
    Identity { ledger_id: LedgerId([7; 16]), origin: "example.org/log".into(), schema: "example.org/schema".into() }
}
pub(crate) fn random(into: &mut [u8]) -> Result<()> {
    into.fill(0x5a);
    Ok(())
}
pub(crate) fn options() -> LogOptions {
    LogOptions { segment_bytes: 64 << 20, strict: false }
}
pub(crate) fn small_segments() -> LogOptions {
    LogOptions { segment_bytes: 4096 + 900, strict: false }
}

/// The n-th record: its payload is as long as given.
pub(crate) fn record(n: u64, payload: usize) -> Prepared {
    let mut id = [0; 10];
    id[..8].copy_from_slice(&n.to_be_bytes());
    let payload: Vec<u8> = (0..payload).map(|i| (i as u64 * 31 + n) as u8).collect();
    let event = RawEvent { number: 9, version: 1, payload: payload.into() };
    let envelope = Envelope::by(Actor::new("clerk:lan").unwrap());
    let id = RecordId::v7(1_700_000_000_000 + n, id);
    let mut record = Prepared::new(&event, id, Some(19_000), envelope, None, &[], &mut || Ok([0; 32])).unwrap();
    record.stamp(1_000_000 + n as i64, 19_000);
    record
}
/// An event with a personal field, whose record ends in a commitment.
struct Named(Vec<u8>);
impl Event for Named {
    const SCHEMA: &'static str = "example.org/schema";
    const KINDS: &'static [Kind] = &[Kind::new(8, 1, "named")];
    fn kind(&self) -> Kind {
        Self::KINDS[0]
    }
    fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        to.put(&self.0)?;
        to.personal(1, &Personal::<String>::of("citizen:1", "a name"))
    }
    fn decode(_: u16, _: u16, from: &mut Decoder) -> Result<Self, CodecError> {
        let payload = from.take()?;
        from.personal::<String>(1)?;
        Ok(Self(payload))
    }
}
/// As [`record`], with a personal field.
pub(crate) fn private_record(n: u64, payload: usize) -> Prepared {
    let id = RecordId::v7(1_700_000_000_000 + n, [1; 10]);
    let envelope = Envelope::by(Actor::new("clerk:lan").unwrap());
    let event = Named(vec![7; payload]);
    let salt = &mut || Ok([n as u8; 32]);
    let mut record = Prepared::new(&event, id, Some(19_000), envelope, None, &[], salt).unwrap();
    record.stamp(1_000_000 + n as i64, 19_000);
    record
}
pub(crate) fn records(range: std::ops::Range<u64>) -> Vec<Prepared> {
    range.map(|n| record(n, 40)).collect()
}
/// The head of a log of these records, by the definitions alone.
pub(crate) fn head_of(records: &[Prepared]) -> Head {
    let mut frontier = Frontier::new();
    for (position, record) in (0..).zip(records) {
        frontier.push(leaf_hash(&record.hash(Position(position))));
    }
    frontier.head()
}

pub(crate) fn new_ledger() -> Arc<dyn Files> {
    let files: Arc<dyn Files> = Arc::new(MemoryFiles::default());
    Log::create(&files, &identity(), &random).unwrap();
    files
}
pub(crate) fn open(files: &Arc<dyn Files>, options: LogOptions) -> Log {
    Log::open(Arc::clone(files), options, &random).unwrap().0
}
/// A ledger of batches of these sizes, closed.
pub(crate) fn ledger(batches: &[u64], options: LogOptions) -> Arc<dyn Files> {
    let files = new_ledger();
    let mut log = open(&files, options);
    let mut next = 0;
    for batch in batches {
        log.append(&records(next..next + batch)).unwrap();
        next += batch;
    }
    log.close().unwrap();
    files
}

pub(crate) fn walk(segments: &Arc<Segments>, head: Head) -> Result<Vec<Walked>> {
    segments.walk(Segments::start(), head.size).collect()
}
pub(crate) fn sound(files: &Arc<dyn Files>) -> LogReport {
    let report = verify(files, &|_, _| {}).unwrap();
    assert_eq!(report.findings, []);
    report
}

pub(crate) fn read(files: &Arc<dyn Files>, path: &str) -> Vec<u8> {
    let file = files.open(path, Open::Read).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    let got = file.read_at(&mut bytes, 0).unwrap();
    assert_eq!(got, bytes.len());
    bytes
}
pub(crate) fn write(files: &Arc<dyn Files>, path: &str, bytes: &[u8]) {
    let file = files.open(path, Open::Create).unwrap();
    file.write_at(bytes, 0).unwrap();
}
/// All files of a ledger.
pub(crate) fn everything(files: &Arc<dyn Files>) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for directory in ["", "log", "quarantine"] {
        for name in files.list(directory).unwrap_or_default() {
            let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
            if files.open(&path, Open::Read).is_ok_and(|file| file.len().is_ok()) && files.list(&path).is_err() {
                all.push((path.clone(), read(files, &path)));
            }
        }
    }
    all
}
/// A ledger of these files.
pub(crate) fn of(all: &[(String, Vec<u8>)]) -> Arc<dyn Files> {
    let files: Arc<dyn Files> = Arc::new(MemoryFiles::default());
    for directory in ["", "log", "quarantine"] {
        files.create_directory(directory).unwrap();
    }
    for (path, bytes) in all {
        write(&files, path, bytes);
    }
    files
}
