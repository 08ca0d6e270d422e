//! Writing and merging runs, off the caller's path.

use super::cache::Cache;
use super::footer::range;
use super::fresh::Fresh;
use super::merge::{self, Merged};
use super::page::Of;
use super::run::{DIRECTORY, Run};
use super::set::Set;
use super::state::{LAG_MAX, State};
use super::tree::Growing;
use super::write::{self, Target};
use super::{Answer, IndexError, IndexOptions};
use crate::files::Files;
use crate::memory::MemoryFiles;
use crate::sync::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
use rustc_hash::FxHashMap;
use sovang_core::tree::{self, Frontier, Hash, Node};
use sovang_core::{Error, LedgerId, Position, RecordId, Size};
use std::io::ErrorKind as IoKind;
use std::sync::{Arc, PoisonError};

/// How often a listing is read again when files of it are gone: their writer is merging.
const LISTINGS_MAX: usize = 8;

/// All of an index but its thread.
pub(super) struct Keeper {
    files: Arc<dyn Files>,
    /// Where runs are written: the ledger's files, or memory when these may not be written.
    own: Arc<dyn Files>,
    ledger: LedgerId,
    options: IndexOptions,
    cache: Arc<Cache>,
    state: RwLock<State>,
    /// Held while runs are written or merged.
    writing: Mutex<Attempts>,
    recent: Mutex<Recent>,
    signals: Mutex<Signals>,
    /// Something is to be done, or all is to end.
    wake: Condvar,
    /// Something was done, or failed.
    done: Condvar,
}

/// So that a disk that refuses is not asked at every append.
#[derive(Default)]
struct Attempts {
    /// Below so many records waiting no attempt is made.
    again_at: u64,
}

#[derive(Default)]
pub(super) struct Signals {
    work: bool,
    stop: bool,
    failed: bool,
}

/// The tree over records in memory, as far as someone has asked for it.
struct Recent {
    epoch: u64,
    growing: Growing,
    nodes: FxHashMap<Node, Hash>,
}

fn unpoisoned<T>(result: Result<T, PoisonError<T>>) -> T {
    // What these locks guard is changed in steps that do not panic.
    result.unwrap_or_else(PoisonError::into_inner)
}

impl Keeper {
    pub(super) fn open(files: Arc<dyn Files>, ledger: LedgerId, options: IndexOptions) -> sovang_core::Result<Self> {
        let own: Arc<dyn Files> = if options.writable {
            let io = |e| Error::io(e, "create the index's directory", files.describe(DIRECTORY));
            files.create_directory(DIRECTORY).map_err(io)?;
            Arc::clone(&files)
        } else {
            let memory = MemoryFiles::default();
            for directory in ["", DIRECTORY] {
                memory.create_directory(directory).map_err(|e| Error::io(e, "create a directory in memory", directory))?;
            }
            Arc::new(memory)
        };
        let keeper = Self {
            cache: Arc::new(Cache::new(options.cache_bytes)),
            state: RwLock::new(State::new(Set::default(), options.run_records)),
            recent: Mutex::new(Recent { epoch: 0, growing: Growing::from(&Frontier::new()), nodes: FxHashMap::default() }),
            writing: Mutex::default(),
            signals: Mutex::default(),
            wake: Condvar::new(),
            done: Condvar::new(),
            files,
            own,
            ledger,
            options,
        };
        let found = keeper.load(options.writable)?;
        let set = Set::cover(found, false);
        if options.writable {
            keeper.remove_leftovers(&set);
        }
        keeper.write().use_set(set);
        Ok(keeper)
    }
    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        unpoisoned(self.state.read())
    }
    pub(super) fn write(&self) -> RwLockWriteGuard<'_, State> {
        unpoisoned(self.state.write())
    }
    fn signals(&self) -> MutexGuard<'_, Signals> {
        unpoisoned(self.signals.lock())
    }
    fn is_stopped(&self) -> bool {
        self.signals().stop
    }
    pub(super) fn options(&self) -> IndexOptions {
        self.options
    }
    #[cfg(test)]
    pub(super) fn cached_pages(&self) -> usize {
        self.cache.pages()
    }

    /// The ledger's runs that can be believed and are not in use.
    fn load(&self, own: bool) -> sovang_core::Result<Vec<Arc<Run>>> {
        let mut runs: Vec<Arc<Run>> = Vec::new();
        for _ in 0..LISTINGS_MAX {
            let names = match self.files.list(DIRECTORY) {
                Ok(names) => names,
                // What is derived may be gone, or anything else may stand there: `verify` says so.
                Err(e) if matches!(e.kind(), IoKind::NotFound | IoKind::NotADirectory) => Vec::new(),
                Err(e) => {
                    return Err(Error::io(e, "list the index", self.files.describe(DIRECTORY)));
                }
            };
            let mut gone = false;
            for name in names {
                if !self.read().is_new(&name) || runs.iter().any(|run| run.name == name) {
                    continue;
                }
                match Run::open(&*self.files, self.ledger, &name, own, &self.cache) {
                    Ok(run) => runs.push(Arc::new(run)),
                    Err(error) => gone |= is_gone(&error),
                }
            }
            if !gone {
                break;
            }
        }
        Ok(runs)
    }
    /// Removes what an interrupted write, a merge or another history has left. What cannot be removed is ignored for ever.
    fn remove_leftovers(&self, set: &Set) {
        for name in self.files.list(DIRECTORY).unwrap_or_default() {
            let run = name.strip_suffix(".tmp").unwrap_or(&name);
            let in_use = set.members().iter().any(|m| m.run.name == name);
            if range(run).is_some() && !in_use {
                let _ = self.files.remove(&format!("{DIRECTORY}/{name}"));
            }
        }
    }
    /// Takes over the runs of another process.
    pub(super) fn refresh(&self) -> sovang_core::Result<()> {
        if self.options.writable {
            return Ok(());
        }
        let _writing = unpoisoned(self.writing.lock());
        let found = self.load(false)?;
        if !found.is_empty() {
            let mut state = self.write();
            let before = Arc::clone(&state.set);
            let used = before.members().iter().map(|m| Arc::clone(&m.run));
            let set = Set::cover(used.chain(found), true);
            state.use_set(set);
            let after = Arc::clone(&state.set);
            drop(state);
            self.remove(before.members().iter().map(|m| &m.run).filter(|run| !after.contains(run)));
        }
        Ok(())
    }
    fn remove<'a>(&self, runs: impl Iterator<Item = &'a Arc<Run>>) {
        for run in runs.filter(|run| run.own) {
            // One that stays is covered by others, or fails its checks when opened.
            let _ = self.own.remove(&format!("{DIRECTORY}/{}", run.name));
        }
    }
    pub(super) fn discard_from(&self, size: Size) {
        let dropped = self.write().discard_from(size.0);
        self.remove(dropped.iter());
    }

    /// Whether the thread has something to do.
    pub(super) fn is_work_due(&self) -> bool {
        let state = self.read();
        state.due().is_some() || self.merge_due(&state).is_some()
    }
    fn merge_due(&self, state: &State) -> Option<std::ops::Range<usize>> {
        merge::due(state.set.members(), self.options.run_records as u64)
    }
    /// Writes and merges until nothing is due.
    ///
    /// # Errors
    /// When a run could not be written. The next attempt is made when twice as many records wait.
    pub(super) fn work(&self) -> Answer<()> {
        let mut attempts = unpoisoned(self.writing.lock());
        if self.read().waiting() < attempts.again_at {
            return Ok(());
        }
        let outcome = self.work_through();
        attempts.again_at = if outcome.is_ok() { 0 } else { self.read().waiting() * 2 };
        self.signals().failed = outcome.is_err();
        outcome
    }
    fn work_through(&self) -> Answer<()> {
        while self.write_one()? || (!self.is_stopped() && self.merge_one()?) {}
        Ok(())
    }
    /// Writes a run of what is durable in memory, whatever its size, and merges.
    pub(super) fn flush(&self) -> Answer<()> {
        let mut attempts = unpoisoned(self.writing.lock());
        self.write().freeze_durable();
        let outcome = self.work_through();
        if outcome.is_ok() {
            attempts.again_at = 0;
            self.signals().failed = false;
        }
        outcome
    }
    /// Writes a run, if one is due. The caller holds `writing`.
    fn write_one(&self) -> Answer<bool> {
        let (tables, cursor, frontier, epoch) = {
            let state = self.read();
            let Some((tables, cursor)) = state.due() else {
                return Ok(false);
            };
            (tables, cursor, state.set.frontier(), state.epoch)
        };
        let mut content = Fresh::new(&tables, &frontier, cursor)?;
        let target = Target { files: &*self.own, ledger: self.ledger, go_on: &|| true };
        let name = write::write(&target, &mut content)?;
        let run = Arc::new(Run::open(&*self.own, self.ledger, &name, true, &self.cache)?);
        let mut state = self.write();
        if state.epoch != epoch {
            drop(state);
            self.remove(std::iter::once(&run));
            return Ok(true);
        }
        let used = state.set.members().iter().map(|m| Arc::clone(&m.run));
        let set = Set::cover(used.chain([run]), !self.options.writable);
        state.use_set(set);
        drop(state);
        drop(self.signals());
        self.done.notify_all();
        Ok(true)
    }
    /// Merges runs, if some are due. The caller holds `writing`. Runs that fall due meanwhile are written in between.
    fn merge_one(&self) -> Answer<bool> {
        let runs: Vec<Arc<Run>> = {
            let state = self.read();
            let Some(due) = self.merge_due(&state) else {
                return Ok(false);
            };
            state.set.members()[due].iter().map(|m| Arc::clone(&m.run)).collect()
        };
        let Some(mut content) = Merged::new(runs.clone()) else {
            return Ok(false);
        };
        let go_on = || {
            // A failure is met again, and reported, when the merge is done.
            let _ = self.write_one();
            !self.is_stopped()
        };
        let target = Target { files: &*self.own, ledger: self.ledger, go_on: &go_on };
        let name = match write::write(&target, &mut content) {
            Ok(name) => name,
            // An input is damaged, and is not merged again; whoever asks it next is told.
            Err(IndexError::Stale { .. }) => return Ok(true),
            Err(_) if self.is_stopped() => return Ok(false),
            Err(error) => return Err(error),
        };
        let merged = Arc::new(Run::open(&*self.own, self.ledger, &name, true, &self.cache)?);
        let mut state = self.write();
        if !runs.iter().all(|run| state.set.contains(run)) {
            drop(state);
            self.remove(std::iter::once(&merged));
            return Ok(true);
        }
        let used = state.set.members().iter().map(|m| Arc::clone(&m.run));
        let others = used.filter(|run| !runs.iter().any(|old| Arc::ptr_eq(run, old)));
        let set = Set::cover(others.chain([merged]), !self.options.writable);
        state.use_set(set);
        drop(state);
        self.remove(runs.iter());
        Ok(true)
    }

    /// Tells the thread that there is work.
    pub(super) fn call(&self) {
        self.signals().work = true;
        self.wake.notify_one();
    }
    /// Waits while far too much is in memory, unless nothing is to be expected of the thread.
    pub(super) fn wait_for_room(&self) {
        let mut signals = self.signals();
        let most = LAG_MAX * self.options.run_records as u64;
        while !signals.stop && !signals.failed && self.read().waiting() > most {
            signals = unpoisoned(self.done.wait(signals));
        }
    }
    pub(super) fn stop(&self) {
        self.signals().stop = true;
        self.wake.notify_all();
        self.done.notify_all();
    }
    /// What the thread does, until it is stopped.
    pub(super) fn run(&self) {
        let _ended = Ended(self);
        loop {
            let mut signals = self.signals();
            while !signals.work && !signals.stop {
                signals = unpoisoned(self.wake.wait(signals));
            }
            if signals.stop {
                return;
            }
            signals.work = false;
            drop(signals);
            // A failure keeps the records in memory, where they are found as well; `flush` and `close` report it.
            let _ = self.work();
            drop(self.signals());
            self.done.notify_all();
        }
    }

    pub(super) fn find(&self, id: RecordId, before: Size) -> Answer<Vec<Position>> {
        let fingerprint = super::page::fingerprint(Of::Id, &id.to_bytes());
        let (mut found, set) = {
            let state = self.read();
            state.check(before.0)?;
            (state.recent(fingerprint, &(0..before.0)), Arc::clone(&state.set))
        };
        for member in set.members().iter().rev().filter(|m| m.from < before.0) {
            member.run.find(id, member.from, &mut found)?;
        }
        Ok(found.into_iter().filter(|p| *p < before.0).map(Position).collect())
    }

    /// The tree over all records known.
    pub(super) fn frontier(&self) -> Answer<Frontier> {
        Ok(self.grown().growing.frontier()?)
    }
    /// A kept node whose last leaf is `last`.
    pub(super) fn kept_node(&self, node: Node, last: u64) -> Answer<Hash> {
        loop {
            let set = {
                let state = self.read();
                state.check_known(last)?;
                Arc::clone(&state.set)
            };
            if let Some(run) = set.at(last) {
                return run.node(node);
            }
            // Missing when a run with it has been written meanwhile.
            if let Some(hash) = self.grown().nodes.get(&node) {
                return Ok(*hash);
            }
        }
    }
    fn grown(&self) -> MutexGuard<'_, Recent> {
        let mut recent = unpoisoned(self.recent.lock());
        let (hashes, end) = {
            let state = self.read();
            let end = state.set.end();
            if recent.epoch != state.epoch || recent.growing.size() < end {
                recent.epoch = state.epoch;
                recent.growing = Growing::from(&state.set.frontier());
                recent.nodes.clear();
            }
            (state.hashes(recent.growing.size()), end)
        };
        let Recent { growing, nodes, .. } = &mut *recent;
        nodes.retain(|node, _| (node.index + 1) << node.level > end);
        for hash in hashes {
            growing.push(tree::leaf_hash(&hash), &mut |node, hash| {
                nodes.insert(node, hash);
            });
        }
        recent
    }
}

/// Stops all when the thread ends, also by a panic: nobody may wait for it any more.
struct Ended<'a>(&'a Keeper);
impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

pub(super) fn is_gone(error: &Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|e| e.downcast_ref::<std::io::Error>());
    cause.is_some_and(|e| e.kind() == IoKind::NotFound)
}
