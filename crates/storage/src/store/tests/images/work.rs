//! Workloads: short sequences of operations, each awaited, and every disk state of the last one judged.

use super::judge::{Judge, seeded};
use super::known::{Item, Known, erase, submission};
use super::*;
use crate::sim::{Fault, Image, Snapshot};

/// One operation of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// Appends a record without personal values.
    Plain,
    /// Appends one with a value of a new subject.
    New,
    /// Appends one with a value of a subject that has others.
    More,
    /// Appends both in one batch, and a plain one.
    Batch,
    /// Sends the last record again.
    Again,
    /// Erases a subject.
    Erase,
    /// Appends one with a value of a new subject while there is no space, then another.
    Full,
    /// Nothing comes for a while.
    Rest,
    /// Closes and opens.
    Close,
    /// The process dies and another opens.
    Kill,
    /// A sync fails while a value of a new subject is appended, or a subject erased: the n-th, of which that much is kept. What
    /// is clean leaves the cache. Then the process dies and another opens.
    Failing { erasing: bool, nth: u64, kept: u64 },
}
impl Op {
    pub(super) const ALL: [Self; 10] = [
        Self::New,
        Self::Erase,
        Self::Plain,
        Self::Close,
        Self::More,
        Self::Batch,
        Self::Kill,
        Self::Rest,
        Self::Again,
        Self::Full,
    ];
}

/// Where workloads start from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Base {
    Empty,
    /// Three records with values of two subjects, at rest.
    TwoSubjects,
}

/// A ledger before a workload.
pub(super) struct Start {
    image: Image,
    known: Known,
    drawn: Vec<Vec<u8>>,
}

/// A store at work, and what is known of it.
pub(super) struct World {
    segment_bytes: u64,
    through: fn(SimFiles) -> Arc<dyn Files>,
    pub(super) files: SimFiles,
    recording: bool,
    store: Option<Store>,
    pub(super) known: Known,
    marks: Vec<Known>,
    /// Failures that the process meets that opens after a kill.
    pub(super) after_kill: Vec<Fault>,
    /// What was drawn at random so far: among it, slots' handles with their keys.
    drawn: Arc<Mutex<Vec<Vec<u8>>>>,
    next: u64,
    openings: u64,
}

pub(super) fn base(segment_bytes: u64, from: Base) -> Start {
    let files = SimFiles::new();
    drop(Store::create(Arc::new(files.clone()), identity(), seeded(segment_bytes, 1)).unwrap());
    let mut world = World {
        segment_bytes,
        through: |files| Arc::new(files),
        files,
        recording: false,
        store: None,
        known: Known::default(),
        marks: Vec::new(),
        after_kill: Vec::new(),
        drawn: Arc::default(),
        next: 1,
        openings: 10,
    };
    world.open().unwrap();
    if matches!(from, Base::TwoSubjects) {
        for op in [Op::New, Op::Plain, Op::New] {
            world.step(op).unwrap();
        }
    }
    world.store.take().unwrap().close().unwrap();
    let drawn = world.drawn.lock().unwrap().clone();
    Start { image: world.files.disk().visible(), known: world.known, drawn }
}

impl World {
    pub(super) fn new(judge: &Judge, start: &Start) -> Self {
        Self {
            segment_bytes: judge.segment_bytes,
            through: judge.through,
            files: SimFiles::from_image(&start.image),
            recording: false,
            store: None,
            known: start.known.clone(),
            marks: Vec::new(),
            after_kill: Vec::new(),
            drawn: Arc::new(Mutex::new(start.drawn.clone())),
            next: 100,
            openings: 20,
        }
    }
    fn mark(&mut self) {
        self.marks.push(self.known.clone());
        self.files.mark(self.marks.len() as u64 - 1);
    }
    pub(super) fn open(&mut self) -> Result<()> {
        self.openings += 1;
        let mut options = seeded(self.segment_bytes, self.openings);
        let (random, drawn) = (options.random, Arc::clone(&self.drawn));
        options.random = Arc::new(move |bytes| {
            random(bytes)?;
            drawn.lock().unwrap().push(bytes.to_vec());
            Ok(())
        });
        let store = Store::open((self.through)(self.files.clone()), options, None)?;
        // It rests when it is told to.
        store.queue.rest_after(Duration::from_secs(3_600));
        self.store = Some(store);
        self.mark();
        Ok(())
    }
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
    fn append(&mut self, items: Vec<Item>) -> Result<bool> {
        let submission = submission(&items, 0);
        self.known.pending = items;
        self.mark();
        let done = append(self.store.as_ref().unwrap(), submission)?;
        self.answered(&done);
        Ok(true)
    }
    fn answered(&mut self, done: &Done) {
        assert!(!done.repeated && done.records.len() == self.known.pending.len());
        for (item, placed) in self.known.pending.iter().zip(&done.records) {
            self.known.hashes.insert(item.number(), placed.hash);
        }
        self.known.answered();
        self.mark();
    }
    fn erase(&mut self, of: u64) -> Result<bool> {
        let number = self.number();
        let mut handle = [0; 16];
        self.known.ciphertexts.insert(of, self.ciphertexts(of));
        // The key is known as soon as the record is made; that it is to be destroyed, only once it is in the log.
        let store = self.store.take().unwrap();
        self.known.pending = vec![Item::Erasure(number, of)];
        let drawn = Arc::clone(&self.drawn);
        let done = {
            let mut told = |h| {
                handle = h;
                let drawn = drawn.lock().unwrap();
                let slot = drawn.iter().find(|b| b.len() == 48 && b[..16] == handle).expect("the handle was drawn");
                self.known.keys.insert(of, slot[16..].try_into().unwrap());
                self.mark();
            };
            erase(&store, number, of, &mut told)
        };
        self.store = Some(store);
        self.answered(&done?);
        Ok(true)
    }
    /// How the ciphertexts of a subject's values begin (docs/FORMAT.md §7.3).
    fn ciphertexts(&self, of: u64) -> Vec<[u8; 32]> {
        let items = self.known.items(usize::MAX);
        let ids: Vec<[u8; 16]> = items
            .iter()
            .filter(|item| matches!(item, Item::Personal(_, other) if *other == of))
            .map(|item| id(item.number()).to_bytes())
            .collect();
        let rows = self.files.disk().visible().files["vault/rows"].to_vec();
        let rows = rows.chunks_exact(128).zip(rows.chunks_exact(128).skip(1));
        let found: Vec<[u8; 32]> = rows
            .filter(|(row, _)| row.starts_with(b"SOVR\x01\0") && ids.iter().any(|id| row[16..32] == *id))
            .map(|(row, rest)| [&row[112..], &rest[..16]].concat().try_into().unwrap())
            .collect();
        assert_eq!(found.len(), ids.len());
        found
    }
    /// Does an operation; false when there is nothing that it could do.
    pub(super) fn step(&mut self, op: Op) -> Result<bool> {
        let items = self.known.items(usize::MAX);
        let living = Known::living(&items).first().copied();
        match op {
            Op::Plain => {
                let item = Item::Plain(self.number());
                self.append(vec![item])
            }
            Op::New => {
                let number = self.number();
                self.append(vec![Item::Personal(number, number)])
            }
            Op::More => {
                let Some(of) = living else { return Ok(false) };
                let item = Item::Personal(self.number(), of);
                self.append(vec![item])
            }
            Op::Batch => {
                let number = self.number();
                let mut batch = vec![Item::Personal(number, number), Item::Plain(self.number())];
                batch.extend(living.map(|of| Item::Personal(self.number(), of)));
                self.append(batch)
            }
            Op::Again => match items.last() {
                None | Some(Item::Erasure(..)) => Ok(false),
                Some(item) => {
                    assert!(append(self.store.as_ref().unwrap(), submission(&[*item], 1))?.repeated);
                    Ok(true)
                }
            },
            Op::Erase => living.map_or(Ok(false), |of| self.erase(of)),
            Op::Full => {
                let number = self.number();
                let refused = vec![Item::Personal(number, number)];
                let submission = submission(&refused, 0);
                self.known.pending = refused;
                self.mark();
                self.files.set_capacity(Some(0));
                let done = append(self.store.as_ref().unwrap(), submission);
                self.files.set_capacity(None);
                let Err(error) = done else {
                    // Space that was set aside is enough.
                    self.answered(&done?);
                    return Ok(false);
                };
                assert_eq!(error.kind(), ErrorKind::NoSpace);
                // From now on it must not be there.
                self.known.pending.clear();
                self.mark();
                self.step(Op::New)
            }
            Op::Failing { erasing, nth, kept } => {
                let items = self.known.items(usize::MAX);
                self.files.inject(Fault::Sync { nth, kept, len_kept: kept != 0 });
                let done = self.step(if erasing { Op::Erase } else { Op::New });
                if self.files.take_faults() == 0 {
                    return done.map(|_| false);
                }
                assert_eq!(kind(done), ErrorKind::Poisoned);
                self.files.evict(u64::MAX);
                self.step(Op::Kill)?;
                let size = self.store.as_ref().unwrap().view().head().size.0;
                if size > items.len() as u64 {
                    self.known.answered();
                }
                self.known.pending.clear();
                self.mark();
                Ok(true)
            }
            Op::Rest => {
                let queue = Arc::clone(&self.store.as_ref().unwrap().queue);
                if queue.is_rested() {
                    return Ok(false);
                }
                queue.rest_after(Duration::ZERO);
                while !queue.is_rested() {
                    std::thread::yield_now();
                }
                queue.rest_after(Duration::from_secs(3_600));
                Ok(true)
            }
            Op::Close => {
                self.store.take().unwrap().close()?;
                self.open()?;
                Ok(true)
            }
            Op::Kill => {
                let disk = self.files.disk();
                // What the old process still does is done elsewhere.
                self.store = None;
                self.files = SimFiles::from_disk(disk);
                self.files.record(self.recording);
                self.mark();
                std::mem::take(&mut self.after_kill).into_iter().for_each(|fault| self.files.inject(fault));
                self.open()?;
                Ok(true)
            }
        }
    }
}

/// Every disk state of one operation, and what was known there, by the states' marks.
pub(super) fn states(judge: &Judge, start: &Start, op: Op) -> (Vec<Snapshot>, Vec<Known>) {
    let mut world = World::new(judge, start);
    world.open().unwrap();
    world.recording = true;
    world.files.record(true);
    world.mark();
    assert!(world.step(op).unwrap());
    let (snapshots, mut marks) = (world.files.take_snapshots(), std::mem::take(&mut world.marks));
    marks.iter_mut().for_each(|known| known.hashes.clone_from(&world.known.hashes));
    (snapshots, marks)
}

/// Does the operations and judges every disk state of the last one. False when that could do nothing.
pub(super) fn run(judge: &mut Judge, start: &Start, ops: &[Op], from: Base) -> bool {
    let path = format!("from {from:?}, {} bytes a segment, {ops:?}", judge.segment_bytes);
    let Some((last, before)) = ops.split_last() else {
        return true;
    };
    let mut world = World::new(judge, start);
    let mut work = || -> Result<bool> {
        world.open()?;
        for op in before {
            if !world.step(*op)? {
                return Ok(false);
            }
        }
        world.recording = true;
        world.files.record(true);
        world.mark();
        world.step(*last)
    };
    match work() {
        Ok(false) => return false,
        Ok(true) => {}
        Err(e) => judge.violations.push(format!("an operation fails without a fault: {e} :: {path}")),
    }
    let (snapshots, mut marks) = (world.files.take_snapshots(), std::mem::take(&mut world.marks));
    for known in &mut marks {
        known.hashes.clone_from(&world.known.hashes);
    }
    drop(world);
    judge.counts.workloads += 1;
    judge.snapshots(&snapshots, &marks, &path);
    true
}
