//! A simulated disk under the log: it knows what a power loss at any moment can leave, fails on demand, and counts what
//! an operation costs. Everything is reproducible.
//!
//! A test lets the log work on [`SimFiles`] while it records, then takes the [`Snapshot`]s, one after every change of the
//! disk. Of each, [`Disk::crashes`] are the images a power loss can leave (open them with [`SimFiles::from_image`]) and
//! the disk itself is what a killed process leaves ([`SimFiles::from_disk`]). What the test knew at that moment, it reads
//! back by [`Snapshot::mark`].

mod content;
mod disk;
mod fault;
mod random;

pub use content::{Content, SECTOR};
pub use disk::{Crash, Crashes, Disk, Image, Torn};
pub use fault::Fault;
pub use random::Random;

use crate::files::{File, Files, Open, split_path};
use content::{sector_of, sectors_in, start_of, to_u64, to_usize};
use disk::{ABOVE, Directory, Inode, NameChange, Node};
use fault::{Call, Plan, failure};
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    /// Calls of all kinds, as [`Fault::Call`] counts them.
    pub calls: u64,
    /// The most bytes that one read asked for: memory that the reader had set aside.
    pub read_bytes_max: u64,
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
    plan: Plan,
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
        self.sim().plan.add(fault);
    }
    /// Takes back the failures that did not happen, and says how many did since the last call.
    pub fn take_faults(&self) -> u64 {
        self.sim().plan.take()
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
    /// Flips a bit of a file, durably and in the cache: a medium that decays.
    ///
    /// # Errors
    /// As opening the file; `UnexpectedEof` when it has no such byte.
    pub fn rot(&self, path: &str, offset: u64, bit: u8) -> io::Result<()> {
        let mut sim = self.sim();
        let inode = sim.file(path)?;
        if !sim.disk.inodes[inode].rot(offset, 1 << (bit % 8)) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        sim.snapshot(true, || format!("bit {bit} of byte {offset} of {path} decays"));
        Ok(())
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
    /// Counts a call, and says what goes wrong with it.
    fn begin(&mut self, call: Call) -> io::Result<Option<Fault>> {
        self.counts.calls += 1;
        self.plan.due(call)
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
        let fault = self.begin(Call::Write)?;
        let len = to_u64(bytes.len());
        let offset = match fault {
            Some(Fault::LostWrite { .. }) => return Ok(()),
            Some(Fault::MisdirectedWrite { sectors, .. }) => {
                let by = start_of(sectors.unsigned_abs());
                if sectors < 0 { offset.saturating_sub(by) } else { offset.saturating_add(by) }
            }
            _ => offset,
        };
        let end = offset.checked_add(len).ok_or(io::ErrorKind::FileTooLarge)?;
        if bytes.is_empty() {
            return Ok(());
        }
        self.room(inode, end)?;
        let first = sector_of(offset);
        let (stop, error) = match fault {
            Some(Fault::Write { sectors, .. }) => (start_of(first.saturating_add(sectors)).clamp(offset, end), Some(failure())),
            Some(Fault::ShortWrite { bytes, error, .. }) => (offset + bytes.min(len), Some(error.into())),
            _ => (end, None),
        };
        let step = (sectors_in(stop) - first).div_ceil(WRITE_STEPS_MAX).max(1);
        let mut from = offset;
        while from < stop {
            let to = start_of(sector_of(from) + step).min(stop);
            self.disk.inodes[inode].write(&bytes[to_usize(from - offset)..to_usize(to - offset)], from, to);
            self.counts.bytes_written += to - from;
            self.snapshot(to == stop, || format!("write file {inode} {offset}+{len} up to {to}"));
            from = to;
        }
        error.map_or(Ok(()), Err)
    }
    fn read(&mut self, inode: usize, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.counts.reads += 1;
        self.counts.read_bytes_max = self.counts.read_bytes_max.max(to_u64(into.len()));
        let fault = self.begin(Call::Read)?;
        let file = &self.disk.inodes[inode];
        let n = match fault {
            Some(Fault::ShortRead { bytes, .. }) => {
                let shorter = bytes.min(into.len());
                file.visible.read(&mut into[..shorter], offset)
            }
            Some(Fault::StaleRead { .. }) => file.shown_stale().read(into, offset),
            _ => file.visible.read(into, offset),
        };
        if let Some(Fault::FlippedRead { bit, .. }) = fault
            && n > 0
        {
            into[bit / 8 % n] ^= 1 << (bit % 8);
        }
        self.counts.bytes_read += to_u64(n);
        Ok(n)
    }
    fn sync(&mut self, inode: usize, data_only: bool) -> io::Result<()> {
        *(if data_only { &mut self.counts.data_syncs } else { &mut self.counts.syncs }) += 1;
        let fault = self.begin(Call::Sync)?;
        let file = &mut self.disk.inodes[inode];
        match fault {
            Some(Fault::LyingSync { .. }) => return Ok(()),
            Some(Fault::Sync { kept, len_kept, .. }) => file.sync_fails(|n| bit(kept, n), len_kept),
            _ if data_only => file.sync_data(),
            _ => file.sync_all(),
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

impl Files for SimFiles {
    fn open(&self, path: &str, how: Open) -> io::Result<Arc<dyn File>> {
        let mut sim = self.sim();
        sim.counts.opens += 1;
        sim.begin(Call::Open)?;
        let inode = match how {
            Open::Create => sim.create(path)?,
            Open::Ensure if matches!(sim.file(path), Err(e) if e.kind() == io::ErrorKind::NotFound) => sim.create(path)?,
            _ => sim.file(path)?,
        };
        Ok(Arc::new(SimFile { files: self.clone(), inode, writable: how != Open::Read }))
    }
    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let mut sim = self.sim();
        sim.counts.lists += 1;
        sim.begin(Call::List)?;
        let directory = sim.directory(directory)?;
        Ok(sim.disk.directories[directory].visible.keys().cloned().collect())
    }
    fn create_directory(&self, directory: &str) -> io::Result<()> {
        let mut sim = self.sim();
        sim.begin(Call::CreateDirectory)?;
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
        let fault = match sim.begin(Call::Sync)? {
            Some(Fault::LyingSync { .. }) => return Ok(()),
            Some(Fault::Sync { kept, .. }) => Some(kept),
            _ => None,
        };
        sim.disk.directories[number].sync(|n| fault.is_none_or(|kept| bit(kept, n)));
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
        sim.begin(Call::Rename)?;
        sim.disk.directories[parent].change(NameChange::Rename(from_name.to_owned(), to_name.to_owned(), node));
        sim.snapshot(true, || format!("rename {from} {to}"));
        Ok(())
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        let mut sim = self.sim();
        sim.begin(Call::Remove)?;
        sim.remove(path)
    }
    fn lock(&self, path: &str) -> io::Result<Box<dyn Send + Sync>> {
        let mut sim = self.sim();
        sim.begin(Call::Lock)?;
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
        let mut sim = self.files.sim();
        sim.begin(Call::Len)?;
        Ok(sim.disk.inodes[self.inode].visible.len())
    }
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.files.sim().read(self.inode, into, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.writable()?.write(self.inode, bytes, offset)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut sim = self.writable()?;
        sim.begin(Call::SetLen)?;
        sim.room(self.inode, len)?;
        sim.disk.inodes[self.inode].set_visible_len(len);
        sim.snapshot(true, || format!("ftruncate file {} {len}", self.inode));
        Ok(())
    }
    fn allocate(&self, len: u64) -> io::Result<()> {
        let mut sim = self.writable()?;
        sim.counts.allocations += 1;
        sim.begin(Call::Allocate)?;
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
