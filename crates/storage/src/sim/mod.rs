//! A simulated disk under the log: it knows what a power loss at any moment can leave, fails on demand, and counts what
//! an operation costs. Everything is reproducible.
//!
//! A test lets the log work on [`SimFiles`] while it records, then takes the [`Snapshot`]s, one after every change of the
//! disk. Of each, [`Disk::crashes`] are the images a power loss can leave (open them with [`SimFiles::from_image`]) and
//! the disk itself is what a killed process leaves ([`SimFiles::from_disk`]). What the test knew at that moment, it reads
//! back by [`Snapshot::mark`].

mod content;
mod disk;

pub use content::{Content, SECTOR};
pub use disk::{Crash, Crashes, Disk, Image};

use crate::files::{File, Files, Open, split_path};
use content::{sector_of, sectors_in, start_of, to_u64, to_usize};
use disk::{ABOVE, Directory, Inode, NameChange, Node};
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A failure to come. Each happens once, at the `nth` such operation from now on; 1 is the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A sync, of a file or a directory, fails. Of what it should have made durable, the n-th part (a sector, or a change
    /// of a name) reached the disk if bit n of `kept` is set, modulo 60; the rest is lost although it still shows. The
    /// length is kept or lost with `len_kept`.
    Sync {
        /// Which sync.
        nth: u64,
        /// What of it reached the disk.
        kept: u64,
        /// Whether a new length reached the disk.
        len_kept: bool,
    },
    /// An allocation finds no space.
    Allocate {
        /// Which allocation.
        nth: u64,
    },
    /// A write fails after some of it was written.
    Write {
        /// Which write.
        nth: u64,
        /// How many sectors of it were written.
        sectors: u64,
    },
    /// A rename fails and does nothing.
    Rename {
        /// Which rename.
        nth: u64,
    },
}

/// How often the disk was asked, since the start or the last [`SimFiles::take_counts`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Files opened or created.
    pub opens: u64,
    /// Directories listed.
    pub lists: u64,
    /// Reads.
    pub reads: u64,
    /// Bytes that reads returned.
    pub bytes_read: u64,
    /// Writes.
    pub writes: u64,
    /// Bytes written.
    pub bytes_written: u64,
    /// Allocations.
    pub allocations: u64,
    /// Syncs of data and metadata.
    pub syncs: u64,
    /// Syncs of data only.
    pub data_syncs: u64,
    /// Syncs of directories.
    pub directory_syncs: u64,
}

/// The disk after one operation.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The disk.
    pub disk: Disk,
    /// What the test had last set with [`SimFiles::mark`].
    pub mark: u64,
    /// False in the middle of a write: a kill or a reader may come there, while a power loss can do no more than after it.
    pub whole: bool,
    /// The operation.
    pub done: String,
}

/// A ledger's files on a simulated disk. A clone is another handle on the same disk.
#[derive(Clone, Default)]
pub struct SimFiles(Arc<Mutex<Sim>>);

#[derive(Default)]
struct Sim {
    disk: Disk,
    locked: BTreeSet<usize>,
    recording: bool,
    snapshots: Vec<Snapshot>,
    mark: u64,
    faults: Vec<Fault>,
    fired: u64,
    capacity: Option<u64>,
    counts: Counts,
}

impl SimFiles {
    /// A disk on which the ledger's directory does not exist yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// A disk at rest with these files: a machine started again.
    #[must_use]
    pub fn from_image(image: &Image) -> Self {
        Self::from_disk(Disk::at_rest(image))
    }
    /// A disk in that state, nothing locked and no fault to come: a process started again on a machine that went on.
    #[must_use]
    pub fn from_disk(disk: Disk) -> Self {
        Self(Arc::new(Mutex::new(Sim { disk, ..Sim::default() })))
    }
    /// Whether to take a snapshot after every operation that changes the disk, from now on.
    pub fn record(&self, on: bool) {
        self.sim().recording = on;
    }
    /// The snapshots taken since the last call, oldest first.
    #[must_use]
    pub fn take_snapshots(&self) -> Vec<Snapshot> {
        std::mem::take(&mut self.sim().snapshots)
    }
    /// Sets what snapshots carry from now on, and takes one when recording: what the test knows changed, if not the disk.
    pub fn mark(&self, mark: u64) {
        let mut sim = self.sim();
        sim.mark = mark;
        sim.snapshot(true, || format!("mark {mark}"));
    }
    /// The disk as it is.
    #[must_use]
    pub fn disk(&self) -> Disk {
        self.sim().disk.clone()
    }
    /// Puts the disk into another state of its own history, such as a snapshot's: a reader's files stay open while the
    /// disk goes on under it.
    pub fn set_disk(&self, disk: Disk) {
        self.sim().disk = disk;
    }
    /// Adds a failure to come.
    pub fn inject(&self, fault: Fault) {
        self.sim().faults.push(fault);
    }
    /// Takes back the failures that did not happen, and says how many did since the last call.
    pub fn take_faults(&self) -> u64 {
        let mut sim = self.sim();
        sim.faults.clear();
        std::mem::take(&mut sim.fired)
    }
    /// Limits the sum of all lengths, in bytes; what would exceed it fails for lack of space.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.sim().capacity = bytes;
    }
    /// What the disk was asked since the last call.
    pub fn take_counts(&self) -> Counts {
        std::mem::take(&mut self.sim().counts)
    }
    /// Lets what is clean leave the cache, so that what is durable shows again, as can happen any time after a failed sync:
    /// the n-th sector that differs if bit n (modulo 58) of `which` is set, names with bit 58, lengths with bit 59.
    pub fn evict(&self, which: u64) {
        let mut sim = self.sim();
        for inode in &mut sim.disk.inodes {
            inode.evict(|n| which >> (n % 58) & 1 == 1, which >> 59 & 1 == 1);
        }
        if which >> 58 & 1 == 1 {
            for directory in &mut sim.disk.directories {
                if directory.pending.is_empty() {
                    directory.visible = directory.durable.clone();
                }
            }
        }
        sim.snapshot(true, || format!("evict {which:x}"));
    }
    fn sim(&self) -> MutexGuard<'_, Sim> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sim {
    fn snapshot(&mut self, whole: bool, done: impl FnOnce() -> String) {
        if self.recording {
            let snapshot = Snapshot { disk: self.disk.clone(), mark: self.mark, whole, done: done() };
            self.snapshots.push(snapshot);
        }
    }
    /// Counts down the faults of one kind, of which `nth` names the counter, and takes the one that is due.
    fn due(&mut self, nth: impl Fn(&mut Fault) -> Option<&mut u64>) -> Option<Fault> {
        let mut due = None;
        for (n, fault) in self.faults.iter_mut().enumerate() {
            if let Some(left) = nth(fault) {
                *left = left.saturating_sub(1);
                if *left == 0 && due.is_none() {
                    due = Some(n);
                }
            }
        }
        let fault = self.faults.remove(due?);
        self.fired += 1;
        Some(fault)
    }
    fn node(&self, path: &str) -> io::Result<Node> {
        let mut node = self.disk.directories[ABOVE].visible.get("").copied();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            node = match node {
                Some(Node::Directory(d)) => self.disk.directories[d].visible.get(name).copied(),
                Some(Node::File(_)) => return Err(io::ErrorKind::NotADirectory.into()),
                None => None,
            };
        }
        node.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
    fn file(&self, path: &str) -> io::Result<usize> {
        match self.node(path)? {
            Node::File(inode) => Ok(inode),
            Node::Directory(_) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }
    fn directory(&self, path: &str) -> io::Result<usize> {
        if path == ".." {
            return Ok(ABOVE);
        }
        match self.node(path)? {
            Node::Directory(number) => Ok(number),
            Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }
    fn parent<'p>(&self, path: &'p str) -> io::Result<(usize, &'p str)> {
        let (parent, name) = split_path(path);
        Ok((self.directory(parent)?, name))
    }
    fn create(&mut self, path: &str) -> io::Result<usize> {
        let (parent, name) = self.parent(path)?;
        match self.disk.directories[parent].visible.get(name) {
            Some(Node::Directory(_)) => return Err(io::ErrorKind::IsADirectory.into()),
            Some(Node::File(_)) => self.remove(path)?,
            None => {}
        }
        let inode = self.disk.inodes.len();
        self.disk.inodes.push(Inode::default());
        self.disk.directories[parent].change(NameChange::Link(name.to_owned(), Node::File(inode)));
        self.snapshot(true, || format!("create {path}"));
        Ok(inode)
    }
    fn remove(&mut self, path: &str) -> io::Result<()> {
        self.file(path)?;
        let (parent, name) = self.parent(path)?;
        self.disk.directories[parent].change(NameChange::Unlink(name.to_owned()));
        self.snapshot(true, || format!("unlink {path}"));
        Ok(())
    }
    /// Whether a file may take `len` bytes.
    fn room(&self, inode: usize, len: u64) -> io::Result<()> {
        let Some(capacity) = self.capacity else {
            return Ok(());
        };
        let mut used = len;
        for directory in &self.disk.directories {
            for node in directory.visible.values() {
                match *node {
                    Node::File(other) if other != inode => used += self.disk.inodes[other].visible.len(),
                    _ => {}
                }
            }
        }
        if used > capacity && len > self.disk.inodes[inode].visible.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
    /// Some whole sectors after each other, in a few steps: a kill or a reader may come between.
    fn write(&mut self, inode: usize, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.counts.writes += 1;
        let end = offset.checked_add(to_u64(bytes.len())).ok_or(io::ErrorKind::FileTooLarge)?;
        if bytes.is_empty() {
            return Ok(());
        }
        self.room(inode, end)?;
        let first = sector_of(offset);
        let fails_at = match self.due(|fault| if let Fault::Write { nth, .. } = fault { Some(nth) } else { None }) {
            Some(Fault::Write { sectors, .. }) => Some(start_of(first.saturating_add(sectors)).clamp(offset, end)),
            _ => None,
        };
        let stop = fails_at.unwrap_or(end);
        let step = (sectors_in(stop) - first).div_ceil(WRITE_STEPS_MAX).max(1);
        let mut from = offset;
        while from < stop {
            let to = start_of(sector_of(from) + step).min(stop);
            self.disk.inodes[inode].write(&bytes[to_usize(from - offset)..to_usize(to - offset)], from, to);
            self.counts.bytes_written += to - from;
            self.snapshot(to == stop, || format!("write file {inode} {offset}+{} up to {to}", bytes.len()));
            from = to;
        }
        if fails_at.is_some() { Err(failure()) } else { Ok(()) }
    }
    /// Counts a sync and says which parts of it reach the disk, when not all of them do.
    fn sync_fault(&mut self) -> Option<(u64, bool)> {
        match self.due(|fault| if let Fault::Sync { nth, .. } = fault { Some(nth) } else { None }) {
            Some(Fault::Sync { kept, len_kept, .. }) => Some((kept, len_kept)),
            _ => None,
        }
    }
    fn sync(&mut self, inode: usize, data_only: bool) -> io::Result<()> {
        *(if data_only { &mut self.counts.data_syncs } else { &mut self.counts.syncs }) += 1;
        let fault = self.sync_fault();
        let file = &mut self.disk.inodes[inode];
        match fault {
            Some((kept, len_kept)) => file.sync_fails(|n| bit(kept, n), len_kept),
            None if data_only => file.sync_data(),
            None => file.sync_all(),
        }
        let failed = if fault.is_some() { " fails" } else { "" };
        self.snapshot(true, || format!("{} file {inode}{failed}", if data_only { "fdatasync" } else { "fsync" }));
        if fault.is_some() { Err(failure()) } else { Ok(()) }
    }
}

/// A write is seen in at most so many steps.
const WRITE_STEPS_MAX: u64 = 4;

fn bit(mask: u64, n: usize) -> bool {
    mask >> (n % 60) & 1 == 1
}

/// EIO, as near as the standard library can name it.
fn failure() -> io::Error {
    io::Error::other("simulated failure of the disk")
}

impl Files for SimFiles {
    fn open(&self, path: &str, how: Open) -> io::Result<Arc<dyn File>> {
        let mut sim = self.sim();
        sim.counts.opens += 1;
        let inode = if how == Open::Create { sim.create(path)? } else { sim.file(path)? };
        Ok(Arc::new(SimFile { files: self.clone(), inode, writable: how != Open::Read }))
    }
    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let mut sim = self.sim();
        sim.counts.lists += 1;
        let directory = sim.directory(directory)?;
        Ok(sim.disk.directories[directory].visible.keys().cloned().collect())
    }
    fn create_directory(&self, directory: &str) -> io::Result<()> {
        let mut sim = self.sim();
        let (parent, name) = if directory.is_empty() { (ABOVE, "") } else { sim.parent(directory)? };
        match sim.disk.directories[parent].visible.get(name) {
            Some(Node::Directory(_)) => return Ok(()),
            Some(Node::File(_)) => return Err(io::ErrorKind::AlreadyExists.into()),
            None => {}
        }
        let number = sim.disk.directories.len();
        sim.disk.directories.push(Directory::default());
        sim.disk.directories[parent].change(NameChange::Link(name.to_owned(), Node::Directory(number)));
        sim.snapshot(true, || format!("mkdir {directory}"));
        Ok(())
    }
    fn sync_directory(&self, directory: &str) -> io::Result<()> {
        let mut sim = self.sim();
        let number = sim.directory(directory)?;
        sim.counts.directory_syncs += 1;
        let fault = sim.sync_fault();
        sim.disk.directories[number].sync(|n| fault.is_none_or(|(kept, _)| bit(kept, n)));
        let failed = if fault.is_some() { " fails" } else { "" };
        sim.snapshot(true, || format!("fsync directory {directory:?}{failed}"));
        if fault.is_some() { Err(failure()) } else { Ok(()) }
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut sim = self.sim();
        let node = Node::File(sim.file(from)?);
        let ((parent, from_name), (to_parent, to_name)) = (sim.parent(from)?, sim.parent(to)?);
        if parent != to_parent {
            return Err(io::ErrorKind::CrossesDevices.into());
        }
        if sim.due(|fault| if let Fault::Rename { nth } = fault { Some(nth) } else { None }).is_some() {
            return Err(failure());
        }
        sim.disk.directories[parent].change(NameChange::Rename(from_name.to_owned(), to_name.to_owned(), node));
        sim.snapshot(true, || format!("rename {from} {to}"));
        Ok(())
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        self.sim().remove(path)
    }
    fn lock(&self, path: &str) -> io::Result<Box<dyn Send + Sync>> {
        let mut sim = self.sim();
        let inode = sim.file(path)?;
        if !sim.locked.insert(inode) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Lock { files: self.clone(), inode }))
    }
    fn describe(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("simulated:{path}"))
    }
}

struct Lock {
    files: SimFiles,
    inode: usize,
}
impl Drop for Lock {
    fn drop(&mut self) {
        self.files.sim().locked.remove(&self.inode);
    }
}

struct SimFile {
    files: SimFiles,
    inode: usize,
    writable: bool,
}
impl SimFile {
    fn writable(&self) -> io::Result<MutexGuard<'_, Sim>> {
        if self.writable { Ok(self.files.sim()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }
}
impl File for SimFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.files.sim().disk.inodes[self.inode].visible.len())
    }
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut sim = self.files.sim();
        let n = sim.disk.inodes[self.inode].visible.read(into, offset);
        sim.counts.reads += 1;
        sim.counts.bytes_read += to_u64(n);
        Ok(n)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.writable()?.write(self.inode, bytes, offset)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut sim = self.writable()?;
        sim.room(self.inode, len)?;
        sim.disk.inodes[self.inode].set_visible_len(len);
        sim.snapshot(true, || format!("ftruncate file {} {len}", self.inode));
        Ok(())
    }
    fn allocate(&self, len: u64) -> io::Result<()> {
        let mut sim = self.writable()?;
        sim.counts.allocations += 1;
        if sim.due(|fault| if let Fault::Allocate { nth } = fault { Some(nth) } else { None }).is_some() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        sim.room(self.inode, len)?;
        let file = &mut sim.disk.inodes[self.inode];
        file.set_visible_len(len.max(file.visible.len()));
        sim.snapshot(true, || format!("fallocate file {} {len}", self.inode));
        Ok(())
    }
    fn sync_all(&self) -> io::Result<()> {
        self.files.sim().sync(self.inode, false)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.files.sim().sync(self.inode, true)
    }
}
