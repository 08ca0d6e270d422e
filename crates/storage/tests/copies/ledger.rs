//! Ledgers to copy: records with and without a person, in batches, over segments.

use sovang_core::event::LedgerEvent;
use sovang_core::ids::Commitment;
use sovang_core::personal::{Opened, Personal};
use sovang_core::record::{Frame, Prepared};
use sovang_core::tree::{Frontier, leaf_hash};
use sovang_core::{
    Actor, CodecError, Decoder, Encoder, Envelope, Event, Head, Kind, LedgerId, Position, RecordId, SubjectId, hash,
};
use sovang_storage::files::{Files, Open};
use sovang_storage::log::Identity;
use sovang_storage::memory::MemoryFiles;
use sovang_storage::store::{Durability, Store, StoreOptions, Submission, View, verify};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// A segment of a few batches.
pub(crate) const SMALL: u64 = 4096 + 1_500;
pub(crate) const LARGE: u64 = 1 << 20;

/// An event that may name a person.
pub(crate) struct Note(pub(crate) String, pub(crate) Option<Personal<String>>);
impl Event for Note {
    const SCHEMA: &'static str = "example.org/notes";
    const KINDS: &'static [Kind] = &[Kind::new(1, 1, "note"), Kind::new(2, 1, "person")];
    fn kind(&self) -> Kind {
        Self::KINDS[usize::from(self.1.is_some())]
    }
    fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        to.put(&self.0)?;
        self.1.as_ref().map_or(Ok(()), |name| to.personal(1, name))
    }
    fn decode(number: u16, _: u16, from: &mut Decoder) -> Result<Self, CodecError> {
        let text = from.take()?;
        Ok(Self(text, if number == 2 { Some(from.personal(1)?) } else { None }))
    }
}

pub(crate) fn id(n: u64) -> RecordId {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&n.to_be_bytes());
    RecordId::v7(1_700_000_000_000 + n, random)
}
pub(crate) fn prepare<E: Event>(event: &E, n: u64) -> Prepared {
    let mut drawn = 0_u64;
    let mut salt = || {
        drawn += 1;
        let mut salt = [0; 32];
        hash::stream(&[n.to_le_bytes(), drawn.to_le_bytes()].concat(), &mut salt);
        Ok(salt)
    };
    Prepared::new(event, id(n), Some(18_000), Envelope::by(Actor::new("clerk").unwrap()), None, &[], &mut salt).unwrap()
}
/// The n-th record: every third names one of four persons.
pub(crate) fn record(n: u64) -> Prepared {
    let person = n.is_multiple_of(3).then(|| Personal::of(format!("citizen:{}", n % 4).as_str(), format!("Nguyễn {n}")));
    prepare(&Note("x".repeat(20 + (n as usize * 7) % 60), person), n)
}
pub(crate) fn options(segment_bytes: u64) -> StoreOptions {
    let clock = AtomicI64::new(1_000_000);
    let drawn = AtomicU64::new(0);
    StoreOptions {
        segment_bytes,
        durability: Durability::Grouped,
        queue: 64,
        cache_bytes: 1 << 20,
        clock: Arc::new(move || clock.fetch_add(1_000, Ordering::Relaxed)),
        utc_offset_seconds: 0,
        random: Arc::new(move |bytes| {
            hash::stream(&[drawn.fetch_add(1, Ordering::Relaxed).to_le_bytes(), [7; 8]].concat(), bytes);
            Ok(())
        }),
    }
}
pub(crate) fn identity() -> Identity {
    Identity { ledger_id: LedgerId([5; 16]), origin: "example.org/notes".to_owned(), schema: Note::SCHEMA.to_owned() }
}

/// A ledger that is written to.
pub(crate) struct Book {
    pub(crate) files: Arc<dyn Files>,
    pub(crate) store: Store,
    pub(crate) next: u64,
}
impl Book {
    pub(crate) fn create(files: Arc<dyn Files>, segment_bytes: u64) -> Self {
        let store = Store::create(Arc::clone(&files), identity(), options(segment_bytes)).unwrap();
        store.rest_after(std::time::Duration::from_secs(600));
        Self { files, store, next: 0 }
    }
    /// One batch of the next records.
    pub(crate) fn append(&mut self, count: u64) {
        let records = (self.next..self.next + count).map(record).collect();
        self.store.submit(Submission { records, condition: None, recorded_at: None }).unwrap().wait().unwrap();
        self.next += count;
    }
    pub(crate) fn erase(&mut self, subject: &str) {
        let n = 1_000_000 + self.next;
        let subject = SubjectId::new(subject).unwrap();
        let record = |handle| Ok(prepare(&LedgerEvent::SubjectErased { handle, basis: "on request".to_owned() }, n));
        self.store.erase(&subject, record).unwrap();
        // Record numbers follow positions.
        self.next += 1;
    }
    pub(crate) fn head(&self) -> Head {
        self.store.view().head()
    }
    pub(crate) fn close(self) -> Arc<dyn Files> {
        self.store.close().unwrap();
        self.files
    }
}

/// A closed ledger of batches of these sizes.
pub(crate) fn closed(batches: &[u64], segment_bytes: u64) -> Arc<dyn Files> {
    let mut book = Book::create(memory(), segment_bytes);
    for batch in batches {
        book.append(*batch);
    }
    book.close()
}
pub(crate) fn memory() -> Arc<dyn Files> {
    Arc::new(MemoryFiles::default())
}

pub(crate) fn read(files: &dyn Files, path: &str) -> Vec<u8> {
    let file = files.open(path, Open::Read).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    let got = file.read_at(&mut bytes, 0).unwrap();
    assert_eq!(got, bytes.len());
    bytes
}
pub(crate) fn write(files: &dyn Files, path: &str, bytes: &[u8]) {
    files.open(path, Open::Create).unwrap().write_at(bytes, 0).unwrap();
}
/// Every file of a ledger.
pub(crate) fn everything(files: &dyn Files) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for directory in ["", "log", "vault", "index", "snapshots", "checkpoints", "quarantine"] {
        for name in files.list(directory).unwrap_or_default() {
            let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
            if files.list(&path).is_err() {
                all.push((path.clone(), read(files, &path)));
            }
        }
    }
    all
}
/// A copy of some files.
pub(crate) fn of(all: &[(String, Vec<u8>)]) -> Arc<dyn Files> {
    let files = memory();
    for directory in ["", "log", "vault", "index", "snapshots", "checkpoints", "quarantine"] {
        if directory.is_empty() || all.iter().any(|(path, _)| path.starts_with(&format!("{directory}/"))) {
            files.create_directory(directory).unwrap();
        }
    }
    for (path, bytes) in all {
        write(&*files, path, bytes);
    }
    files
}

pub(crate) fn view(files: &Arc<dyn Files>) -> View {
    View::open(Arc::clone(files), None, &options(LARGE)).unwrap()
}
pub(crate) fn frames(view: &View) -> Vec<Frame> {
    let size = view.head().size.0;
    view.scan(0..size).map(|found| found.unwrap().1).collect()
}
/// What is known of each personal value.
pub(crate) fn values(view: &View) -> Vec<(Commitment, Opened)> {
    let all = frames(view);
    let commitments = all.iter().flat_map(|frame| frame.commitments());
    commitments.map(|(_, commitment)| (commitment, view.open_value(&commitment).unwrap())).collect()
}
/// The head of the first records, by the definitions alone.
pub(crate) fn head_of(frames: &[Frame], size: u64) -> Head {
    let mut frontier = Frontier::new();
    for (position, frame) in (0..size).zip(frames) {
        frontier.push(leaf_hash(&frame.hash(Position(position))));
    }
    frontier.head()
}
/// Verifies everything, and gives the head.
#[track_caller]
pub(crate) fn sound(files: &Arc<dyn Files>) -> Head {
    let report = verify(files, &mut |_, _| {}).unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    report.head
}
/// A writer opens it, appends and closes.
#[track_caller]
pub(crate) fn goes_on(files: &Arc<dyn Files>) {
    let store = Store::open(Arc::clone(files), options(LARGE), Some(Note::SCHEMA)).unwrap();
    let size = store.view().head().size.0;
    let records = vec![prepare(&Note("on".to_owned(), None), 7_000_000 + size)];
    store.submit(Submission { records, condition: None, recorded_at: None }).unwrap().wait().unwrap();
    assert_eq!(store.view().head().size.0, size + 1);
    store.close().unwrap();
    sound(files);
}
