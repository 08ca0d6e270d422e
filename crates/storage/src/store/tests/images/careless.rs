//! Files that leave out one step of the order in which log and vault are written, as a mistake in the store would.

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
}

type Through = fn(SimFiles) -> Arc<dyn Files>;
/// A name, how the disk is then seen, and what is to be noticed.
pub(super) const ALL: [(&str, Through, &str); 4] = [
    ("rows are not synced before the log's batch", |files| careless(files, Step::Rows), "vault"),
    ("a zeroed key is not synced", |files| careless(files, Step::Zeroing), "a destroyed key"),
    ("deleted rows are not synced", |files| careless(files, Step::Deleting), "a ciphertext of the erased subject"),
    ("new keys are not synced before rows rely on them", |files| careless(files, Step::Keys), "the key slot of subject"),
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
    /// Whether the last write zeroed a key, or a row.
    zeroing: AtomicBool,
}

impl Files for Careless {
    fn open(&self, path: &str, how: Open) -> io::Result<Arc<dyn File>> {
        let file = self.files.open(path, how)?;
        Ok(Arc::new(CarelessFile { file, path: path.to_owned(), left_out: self.left_out, zeroing: AtomicBool::new(false) }))
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

impl File for CarelessFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(into, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        // A slot's key (docs/FORMAT.md §7.2); or a row's nonce and sum, or its ciphertext (§7.3).
        let zeroing = bytes.get(64..96).is_some_and(|key| key.iter().all(|byte| *byte == 0));
        self.zeroing.store(zeroing, Ordering::Relaxed);
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
        };
        if left_out { Ok(()) } else { self.file.sync_data() }
    }
}
