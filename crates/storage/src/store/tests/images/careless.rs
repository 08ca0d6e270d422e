//! Files that leave out a step of the order in which log and vault are written, or do it too late, as a mistake in the store
//! would.

use super::*;
use crate::files::{File, Open};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// What is left out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Making the vault's rows durable before the log's batch.
    Rows,
    /// Making it durable that a key is zero.
    Zeroing,
    /// Making it durable that ciphertexts are gone.
    Deleting,
    /// Making new keys durable before rows rely on them.
    Keys,
    /// The vault is made durable after the log's batch instead of before it.
    LogFirst,
    /// The key is destroyed before the record of the erasure is in the log.
    EraseFirst,
}

type Through = fn(SimFiles) -> Arc<dyn Files>;
/// A name, how the disk is then seen, and what is to be noticed.
pub(super) const ALL: [(&str, Through, &str); 6] = [
    ("rows are not synced before the log's batch", |files| careless(files, Step::Rows), "vault"),
    ("a zeroed key is not synced", |files| careless(files, Step::Zeroing), "a destroyed key"),
    ("deleted rows are not synced", |files| careless(files, Step::Deleting), "a ciphertext of the erased subject"),
    ("new keys are not synced before rows rely on them", |files| careless(files, Step::Keys), "the key slot of subject"),
    ("the log's batch is durable before the vault's rows", |files| careless(files, Step::LogFirst), "vault"),
    ("a key is destroyed before the log says so", |files| careless(files, Step::EraseFirst), "Erased"),
];

/// Steps that are done too late.
type Later = Arc<Mutex<Vec<Postponed>>>;
type Postponed = Box<dyn FnOnce() -> io::Result<()> + Send>;

fn postpone(later: &Later, step: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    later.lock().unwrap().push(Box::new(step));
    Ok(())
}
/// Does what was put off, in its order.
fn catch_up(later: &Later) -> io::Result<()> {
    let steps = std::mem::take(&mut *later.lock().unwrap());
    steps.into_iter().try_for_each(|step| step())
}

fn careless(files: SimFiles, left_out: Step) -> Arc<dyn Files> {
    Arc::new(Careless { files, left_out, later: Arc::default() })
}

struct Careless {
    files: SimFiles,
    left_out: Step,
    later: Later,
}
struct CarelessFile {
    file: Arc<dyn File>,
    path: String,
    left_out: Step,
    later: Later,
    /// Whether the last write zeroed a key, or a row.
    zeroing: AtomicBool,
}

impl Files for Careless {
    fn open(&self, path: &str, how: Open) -> io::Result<Arc<dyn File>> {
        let file = self.files.open(path, how)?;
        let (path, later) = (path.to_owned(), Arc::clone(&self.later));
        Ok(Arc::new(CarelessFile { file, path, left_out: self.left_out, later, zeroing: AtomicBool::new(false) }))
    }
    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        self.files.list(directory)
    }
    fn create_directory(&self, directory: &str) -> io::Result<()> {
        self.files.create_directory(directory)
    }
    fn sync_directory(&self, directory: &str) -> io::Result<()> {
        self.files.sync_directory(directory)
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
    fn is_catching_up_due(&self) -> bool {
        !self.later.lock().unwrap().is_empty()
    }
    fn sync_in_wrong_order(&self, zeroing: bool) -> io::Result<()> {
        let (is_log, is_vault) = (self.path.starts_with("log/"), self.path.starts_with("vault/"));
        let is_late = match self.left_out {
            Step::LogFirst => is_vault && !zeroing,
            _ => is_log && self.is_catching_up_due(),
        };
        if is_late {
            let file = Arc::clone(&self.file);
            return postpone(&self.later, move || file.sync_data());
        }
        self.file.sync_data()?;
        let is_due = if self.left_out == Step::LogFirst { is_log } else { is_vault && zeroing };
        if is_due { catch_up(&self.later) } else { Ok(()) }
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
        // A slot's key (docs/FORMAT.md §7.2); or a row's nonce, or its ciphertext (§7.3).
        let zeroing = bytes.get(64..88).is_some_and(|bytes| bytes.iter().all(|byte| *byte == 0));
        self.zeroing.store(zeroing, Ordering::Relaxed);
        let is_late = match self.left_out {
            // A batch whose first record is one of the ledger itself (docs/FORMAT.md §2.3, §3), and all of the log after it.
            Step::EraseFirst if self.path.starts_with("log/") => bytes.get(132..134) == Some(&[0x00, 0xff]),
            Step::EraseFirst => self.path == "HEAD" && self.is_catching_up_due(),
            _ => false,
        };
        if is_late {
            let (file, bytes) = (Arc::clone(&self.file), bytes.to_vec());
            return postpone(&self.later, move || file.write_at(&bytes, offset));
        }
        self.file.write_at(bytes, offset)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }
    fn allocate(&self, len: u64) -> io::Result<()> {
        self.file.allocate(len)
    }
    fn sync_all(&self) -> io::Result<()> {
        self.file.sync_all()
    }
    fn sync_data(&self) -> io::Result<()> {
        let zeroing = self.zeroing.load(Ordering::Relaxed);
        let left_out = match self.left_out {
            Step::Rows => self.path == "vault/rows",
            Step::Deleting => self.path == "vault/rows" && zeroing,
            Step::Zeroing => self.path == "vault/keys" && zeroing,
            Step::Keys => self.path == "vault/keys" && !zeroing,
            Step::LogFirst | Step::EraseFirst => return self.sync_in_wrong_order(zeroing),
        };
        if left_out { Ok(()) } else { self.file.sync_data() }
    }
}
