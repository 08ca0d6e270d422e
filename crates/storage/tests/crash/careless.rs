//! Files that leave out one step of the protocol, as a mistake in the log would.

use sovang_storage::files::{File, Files, Open};
use sovang_storage::sim::SimFiles;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// What is left out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Making a batch's data durable before it is acknowledged.
    DataSync,
    /// Making a new segment durable before it gets its name.
    TemporarySync,
    /// Making what recovery and sealing wrote durable.
    SegmentSync,
    /// Making a rejected tail's copy durable.
    QuarantineSync,
    /// Making the names in `log/` durable.
    LogNames,
    /// Making the names in the ledger's directory durable.
    LedgerNames,
    /// Making the ledger's own name durable.
    OwnName,
    /// Making `HEAD` durable.
    Head,
}

type Through = fn(SimFiles) -> Arc<dyn Files>;
/// A name, how the disk is then seen, and whether only creation can tell.
pub(crate) const ALL: [(&str, Through, bool); 10] = [
    ("data not synced", |files| careless(files, Step::DataSync), false),
    ("a new segment not synced", |files| careless(files, Step::TemporarySync), false),
    ("a repaired segment not synced", |files| careless(files, Step::SegmentSync), false),
    ("a quarantined tail not synced", |files| careless(files, Step::QuarantineSync), false),
    ("log/ not synced", |files| careless(files, Step::LogNames), false),
    ("a temporary not synced at creation", |files| careless(files, Step::TemporarySync), true),
    ("log/ not synced at creation", |files| careless(files, Step::LogNames), true),
    ("the ledger's directory not synced", |files| careless(files, Step::LedgerNames), true),
    ("the directory above not synced", |files| careless(files, Step::OwnName), true),
    ("HEAD not synced", |files| careless(files, Step::Head), true),
];

fn careless(files: SimFiles, left_out: Step) -> Arc<dyn Files> {
    Arc::new(Careless { files, left_out })
}

struct Careless {
    files: SimFiles,
    left_out: Step,
}
struct CarelessFile {
    file: Arc<dyn File>,
    path: String,
    left_out: Step,
}

impl Files for Careless {
    fn open(&self, path: &str, how: Open) -> io::Result<Arc<dyn File>> {
        let file = self.files.open(path, how)?;
        Ok(Arc::new(CarelessFile { file, path: path.to_owned(), left_out: self.left_out }))
    }
    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        self.files.list(directory)
    }
    fn create_directory(&self, directory: &str) -> io::Result<()> {
        self.files.create_directory(directory)
    }
    fn sync_directory(&self, directory: &str) -> io::Result<()> {
        match (directory, self.left_out) {
            ("log", Step::LogNames) | ("", Step::LedgerNames) | ("..", Step::OwnName) => Ok(()),
            _ => self.files.sync_directory(directory),
        }
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.files.rename(from, to)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        self.files.remove(path)
    }
    fn lock(&self, path: &str) -> io::Result<Box<dyn Send + Sync>> {
        self.files.lock(path)
    }
    fn describe(&self, path: &str) -> PathBuf {
        self.files.describe(path)
    }
}

impl CarelessFile {
    fn is_left_out(&self, data_only: bool) -> bool {
        let temporary = self.path.ends_with(".tmp");
        match self.left_out {
            Step::DataSync => data_only && self.path.starts_with("log/"),
            Step::TemporarySync => temporary,
            Step::SegmentSync => !data_only && !temporary && self.path.starts_with("log/"),
            Step::QuarantineSync => self.path.starts_with("quarantine/"),
            Step::Head => self.path == "HEAD",
            Step::LogNames | Step::LedgerNames | Step::OwnName => false,
        }
    }
}
impl File for CarelessFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(into, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_at(bytes, offset)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }
    fn allocate(&self, len: u64) -> io::Result<()> {
        self.file.allocate(len)
    }
    fn sync_all(&self) -> io::Result<()> {
        if self.is_left_out(false) { Ok(()) } else { self.file.sync_all() }
    }
    fn sync_data(&self) -> io::Result<()> {
        if self.is_left_out(true) { Ok(()) } else { self.file.sync_data() }
    }
}
