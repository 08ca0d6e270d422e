//! Files in memory, for ledgers that need not outlive the process and for tests.

use crate::files::{File, Files, Open, split_path};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// A ledger's files in memory. A clone is another handle on the same files; [`MemoryFiles::fork`] copies them.
#[derive(Clone, Default)]
pub struct MemoryFiles(Arc<Mutex<Tree>>);

#[derive(Default)]
struct Tree {
    directories: BTreeSet<String>,
    files: BTreeMap<String, Arc<Node>>,
}

#[derive(Default)]
struct Node {
    bytes: RwLock<Vec<u8>>,
    locked: AtomicBool,
}

impl MemoryFiles {
    /// An independent copy of all files as they are now, unlocked: what a backup would hold.
    #[must_use]
    pub fn fork(&self) -> Self {
        let tree = self.tree();
        let copy = |node: &Arc<Node>| {
            let bytes = node.bytes.read().unwrap_or_else(PoisonError::into_inner).clone();
            Arc::new(Node { bytes: RwLock::new(bytes), locked: AtomicBool::new(false) })
        };
        Self(Arc::new(Mutex::new(Tree {
            directories: tree.directories.clone(),
            files: tree.files.iter().map(|(path, node)| (path.clone(), copy(node))).collect(),
        })))
    }
    /// No operation leaves the maps half changed, so a panic elsewhere does not spoil them.
    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tree {
    fn file(&self, path: &str) -> io::Result<&Arc<Node>> {
        if let Some(node) = self.files.get(path) {
            return Ok(node);
        }
        let directory = self.directories.contains(path);
        Err(if directory { io::ErrorKind::IsADirectory } else { io::ErrorKind::NotFound }.into())
    }
    fn directory(&self, path: &str) -> io::Result<()> {
        if self.directories.contains(path) {
            return Ok(());
        }
        let file = self.files.contains_key(path);
        Err(if file { io::ErrorKind::NotADirectory } else { io::ErrorKind::NotFound }.into())
    }
}

impl Files for MemoryFiles {
    fn open(&self, path: &str, how: Open) -> io::Result<Arc<dyn File>> {
        let mut tree = self.tree();
        if how == Open::Create || (how == Open::Ensure && !tree.files.contains_key(path)) {
            tree.directory(split_path(path).0)?;
            if tree.directories.contains(path) {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            tree.files.insert(path.to_owned(), Arc::default());
        }
        let node = Arc::clone(tree.file(path)?);
        Ok(Arc::new(MemoryFile { node, writable: how != Open::Read }))
    }
    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let tree = self.tree();
        tree.directory(directory)?;
        let inside = |path: &String| {
            let (parent, name) = split_path(path);
            (parent == directory && !name.is_empty()).then(|| name.to_owned())
        };
        let names: BTreeSet<String> = tree.directories.iter().chain(tree.files.keys()).filter_map(inside).collect();
        Ok(names.into_iter().collect())
    }
    fn create_directory(&self, directory: &str) -> io::Result<()> {
        let mut tree = self.tree();
        if !directory.is_empty() {
            tree.directory(split_path(directory).0)?;
            if tree.files.contains_key(directory) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
        }
        tree.directories.insert(directory.to_owned());
        Ok(())
    }
    fn sync_directory(&self, directory: &str) -> io::Result<()> {
        self.tree().directory(if directory == ".." { "" } else { directory })
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut tree = self.tree();
        let node = Arc::clone(tree.file(from)?);
        tree.directory(split_path(to).0)?;
        tree.files.remove(from);
        tree.files.insert(to.to_owned(), node);
        Ok(())
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        let mut tree = self.tree();
        tree.file(path)?;
        tree.files.remove(path);
        Ok(())
    }
    fn lock(&self, path: &str) -> io::Result<Box<dyn Send + Sync>> {
        let node = Arc::clone(self.tree().file(path)?);
        if node.locked.swap(true, Ordering::AcqRel) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Lock(node)))
    }
    fn describe(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("memory:{path}"))
    }
}

struct Lock(Arc<Node>);
impl Drop for Lock {
    fn drop(&mut self) {
        self.0.locked.store(false, Ordering::Release);
    }
}

struct MemoryFile {
    node: Arc<Node>,
    writable: bool,
}

impl MemoryFile {
    fn change<T>(&self, change: impl FnOnce(&mut Vec<u8>) -> io::Result<T>) -> io::Result<T> {
        if !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        change(&mut self.node.bytes.write().unwrap_or_else(PoisonError::into_inner))
    }
}

fn index(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

impl File for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        let len = self.node.bytes.read().unwrap_or_else(PoisonError::into_inner).len();
        u64::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge.into())
    }
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let bytes = self.node.bytes.read().unwrap_or_else(PoisonError::into_inner);
        let there = bytes.get(index(offset)?..).unwrap_or_default();
        let n = there.len().min(into.len());
        into[..n].copy_from_slice(&there[..n]);
        Ok(n)
    }
    fn write_at(&self, new: &[u8], offset: u64) -> io::Result<()> {
        let start = index(offset)?;
        let end = start.checked_add(new.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        self.change(|bytes| {
            if bytes.len() < end && !new.is_empty() {
                bytes.resize(end, 0);
            }
            if !new.is_empty() {
                bytes[start..end].copy_from_slice(new);
            }
            Ok(())
        })
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = index(len)?;
        self.change(|bytes| {
            bytes.resize(len, 0);
            Ok(())
        })
    }
    fn allocate(&self, len: u64) -> io::Result<()> {
        let len = index(len)?;
        self.change(|bytes| {
            if bytes.len() < len {
                bytes.resize(len, 0);
            }
            Ok(())
        })
    }
    fn sync_all(&self) -> io::Result<()> {
        Ok(())
    }
    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }
}
