//! Files that get one step of the protocol wrong, as a mistake in the log would: they leave it out, or do it too late.

use sovang_storage::files::{File, Files, Open};
use sovang_storage::sim::SimFiles;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mistake {
    /// A batch's data is not made durable before it is acknowledged.
    DataSync,
    /// A new segment is not made durable before it gets its name.
    TemporarySync,
    /// What recovery and sealing wrote is not made durable.
    SegmentSync,
    /// A rejected tail's copy is not made durable.
    QuarantineSync,
    /// A rejected tail is not copied.
    QuarantineWrite,
    /// The names in `log/` are not made durable.
    LogNames,
    /// The names in the ledger's directory are not made durable.
    LedgerNames,
    /// The ledger's own name is not made durable.
    OwnName,
    /// `HEAD` is not made durable.
    Head,
    /// `HEAD` says where the log ends, durably, before that is so.
    HeadFirst,
    /// A sync that failed is tried again, and believed then.
    Retry,
    /// Recovery keeps what it reads without writing it again.
    KeptUnwritten,
    /// A rejected tail is left where it is.
    TailStays,
    /// A segment is sealed before its successor is in place.
    SealFirst,
}

type Through = fn(SimFiles) -> Arc<dyn Files>;
/// A name, how the disk is then seen, and whether only creation can tell.
pub(crate) const ALL: [(&str, Through, bool); 16] = [
    ("data not synced", |files| careless(files, Mistake::DataSync), false),
    ("the head durable before the log", |files| careless(files, Mistake::HeadFirst), false),
    ("a failed sync tried again", |files| careless(files, Mistake::Retry), false),
    ("bytes kept without writing them again", |files| careless(files, Mistake::KeptUnwritten), false),
    ("a rejected tail not zeroed", |files| careless(files, Mistake::TailStays), false),
    ("a segment sealed before its successor is there", |files| careless(files, Mistake::SealFirst), false),
    ("a new segment not synced", |files| careless(files, Mistake::TemporarySync), false),
    ("a repaired segment not synced", |files| careless(files, Mistake::SegmentSync), false),
    ("a quarantined tail not synced", |files| careless(files, Mistake::QuarantineSync), false),
    ("a rejected tail not quarantined", |files| careless(files, Mistake::QuarantineWrite), false),
    ("log/ not synced", |files| careless(files, Mistake::LogNames), false),
    ("a temporary not synced at creation", |files| careless(files, Mistake::TemporarySync), true),
    ("log/ not synced at creation", |files| careless(files, Mistake::LogNames), true),
    ("the ledger's directory not synced", |files| careless(files, Mistake::LedgerNames), true),
    ("the directory above not synced", |files| careless(files, Mistake::OwnName), true),
    ("HEAD not synced", |files| careless(files, Mistake::Head), true),
];

fn careless(files: SimFiles, mistake: Mistake) -> Arc<dyn Files> {
    Arc::new(Careless { files, mistake, later: Arc::default() })
}

/// Steps that are done too late.
type Later = Arc<Mutex<Vec<Step>>>;
type Step = Box<dyn FnOnce() -> io::Result<()> + Send>;

fn postpone(later: &Later, step: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    later.lock().unwrap().push(Box::new(step));
    Ok(())
}
/// Does what was put off, in its order.
fn catch_up(later: &Later) -> io::Result<()> {
    let steps = std::mem::take(&mut *later.lock().unwrap());
    steps.into_iter().try_for_each(|step| step())
}

struct Careless {
    files: SimFiles,
    mistake: Mistake,
    later: Later,
}
struct CarelessFile {
    file: Arc<dyn File>,
    path: String,
    mistake: Mistake,
    later: Later,
}

impl Careless {
    /// Whether it belongs to a segment that is put in place only later.
    fn is_late(&self, path: &str) -> bool {
        self.mistake == Mistake::SealFirst && path.ends_with(".tmp") && path.starts_with("log/") && path != "log/0.tmp"
    }
}

impl Files for Careless {
    fn open(&self, path: &str, how: Open) -> io::Result<Arc<dyn File>> {
        if how == Open::Create && self.is_late(path) {
            let (files, path, late) = (self.files.clone(), path.to_owned(), Late::default());
            let (later, opened) = (Arc::clone(&self.later), late.clone());
            postpone(&self.later, move || {
                *opened.0.lock().unwrap() = Some(files.open(&path, Open::Create)?);
                Ok(())
            })?;
            return Ok(Arc::new(LateFile { late, later }));
        }
        let file = self.files.open(path, how)?;
        Ok(Arc::new(CarelessFile { file, path: path.to_owned(), mistake: self.mistake, later: Arc::clone(&self.later) }))
    }
    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        self.files.list(directory)
    }
    fn create_directory(&self, directory: &str) -> io::Result<()> {
        self.files.create_directory(directory)
    }
    fn sync_directory(&self, directory: &str) -> io::Result<()> {
        match (directory, self.mistake) {
            ("log", Mistake::LogNames) | ("", Mistake::LedgerNames) | ("..", Mistake::OwnName) => Ok(()),
            ("log", Mistake::SealFirst) if !self.later.lock().unwrap().is_empty() => {
                let files = self.files.clone();
                postpone(&self.later, move || files.sync_directory("log"))
            }
            _ => self.files.sync_directory(directory),
        }
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        if self.is_late(from) {
            let (files, from, to) = (self.files.clone(), from.to_owned(), to.to_owned());
            return postpone(&self.later, move || files.rename(&from, &to));
        }
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
    fn is_log(&self) -> bool {
        self.path.starts_with("log/")
    }
    fn is_left_out(&self, data_only: bool) -> bool {
        let temporary = self.path.ends_with(".tmp");
        match self.mistake {
            Mistake::DataSync => data_only && self.is_log(),
            Mistake::TemporarySync => temporary,
            Mistake::SegmentSync => !data_only && !temporary && self.is_log(),
            Mistake::QuarantineSync => self.path.starts_with("quarantine/"),
            Mistake::Head => self.path == "HEAD",
            _ => false,
        }
    }
    fn sync(&self, data_only: bool) -> io::Result<()> {
        let sync = |file: &dyn File| if data_only { file.sync_data() } else { file.sync_all() };
        match self.mistake {
            _ if self.is_left_out(data_only) => Ok(()),
            Mistake::HeadFirst if data_only && self.is_log() => {
                let file = Arc::clone(&self.file);
                postpone(&self.later, move || file.sync_data())
            }
            Mistake::Retry => sync(&*self.file).or_else(|_| sync(&*self.file)),
            Mistake::SealFirst if !data_only && self.is_log() => {
                sync(&*self.file)?;
                catch_up(&self.later)
            }
            _ => sync(&*self.file),
        }
    }
    /// Whether the bytes stand there already, as far as anyone can see.
    fn shows(&self, bytes: &[u8], offset: u64) -> bool {
        let mut there = vec![0; bytes.len()];
        self.file.read_at(&mut there, offset).is_ok_and(|n| n == bytes.len()) && there == bytes
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
        match self.mistake {
            Mistake::QuarantineWrite if self.path.starts_with("quarantine/") => Ok(()),
            Mistake::KeptUnwritten if self.is_log() && self.shows(bytes, offset) => Ok(()),
            Mistake::TailStays if self.is_log() && bytes.iter().all(|byte| *byte == 0) => Ok(()),
            Mistake::HeadFirst if self.path == "HEAD" => {
                self.file.write_at(bytes, offset)?;
                self.file.sync_data()?;
                catch_up(&self.later)
            }
            _ => self.file.write_at(bytes, offset),
        }
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }
    fn allocate(&self, len: u64) -> io::Result<()> {
        self.file.allocate(len)
    }
    fn sync_all(&self) -> io::Result<()> {
        self.sync(false)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.sync(true)
    }
}

/// A file that is created later, and then all that was asked of it is done.
#[derive(Clone, Default)]
struct Late(Arc<Mutex<Option<Arc<dyn File>>>>);
impl Late {
    fn file(&self) -> io::Result<Arc<dyn File>> {
        self.0.lock().unwrap().clone().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
struct LateFile {
    late: Late,
    later: Later,
}
impl LateFile {
    fn do_it(&self, step: impl FnOnce(&dyn File) -> io::Result<()> + Send + 'static) -> io::Result<()> {
        if let Ok(file) = self.late.file() {
            return step(&*file);
        }
        let late = self.late.clone();
        postpone(&self.later, move || step(&*late.file()?))
    }
}
impl File for LateFile {
    fn len(&self) -> io::Result<u64> {
        self.late.file()?.len()
    }
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.late.file()?.read_at(into, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let bytes = bytes.to_vec();
        self.do_it(move |file| file.write_at(&bytes, offset))
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.do_it(move |file| file.set_len(len))
    }
    fn allocate(&self, len: u64) -> io::Result<()> {
        self.do_it(move |file| file.allocate(len))
    }
    fn sync_all(&self) -> io::Result<()> {
        self.do_it(|file| file.sync_all())
    }
    fn sync_data(&self) -> io::Result<()> {
        self.do_it(|file| file.sync_data())
    }
}
