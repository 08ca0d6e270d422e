//! Workloads: short sequences of operations from several base states, each operation's every disk state judged.

use crate::oracle::{Effort, Judge, Known};
use crate::records::{Item, identity, random};
use sovang_core::{ErrorKind, Result};
use sovang_storage::files::Files;
use sovang_storage::log::{Log, LogOptions};
use sovang_storage::sim::{Fault, Image, SimFiles, Snapshot};
use std::sync::Arc;

/// One operation of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Appends one record.
    Append,
    /// Appends two in one batch.
    Batch,
    /// Appends one that crosses several sectors.
    Large,
    /// Appends one that takes so many sectors that their combinations can only be sampled.
    Huge,
    /// The queue is empty: `HEAD` is synced.
    Idle,
    /// Closes and opens.
    Close,
    /// The process dies and another opens.
    Kill,
    /// Appends while there is no space to allocate.
    NoSpace,
    /// Appends while something fails that poisons; then the process dies and another opens.
    Failing(Fault),
    /// The same, with clean pages gone from the cache in between.
    FailingEvicted(Fault),
    /// Closes while something fails, and opens.
    CloseFailing(Fault),
    /// The process dies, something fails while another opens, and a third one opens.
    OpenFailing(Fault),
}

/// Where workloads start from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Base {
    pub records: u64,
    pub closed: bool,
}

/// A log on a simulated disk and what is known of it.
struct World<'j> {
    judge: &'j mut Judge,
    files: SimFiles,
    seen: Arc<dyn Files>,
    log: Option<Log>,
    known: Known,
    marks: Vec<Known>,
    next: u64,
}

/// How an operation went.
#[derive(PartialEq, Eq)]
enum Outcome {
    Done,
    /// It did nothing that was not tried by another one.
    Pointless,
}

pub(crate) fn base(options: LogOptions, base: Base) -> Result<(Image, Known)> {
    let files = SimFiles::new();
    let seen: Arc<dyn Files> = Arc::new(files.clone());
    let random = random(11);
    Log::create(&seen, &identity(), &random)?;
    let mut known = Known { created: true, ..Known::default() };
    let (mut log, _) = Log::open(seen, options, &random)?;
    for number in 0..base.records {
        let item = Item::small(number);
        known.heads.push(log.append(&[item.prepare()])?.head);
        known.acked.push(item);
    }
    if base.closed {
        log.close()?;
    } else {
        log.idle()?;
    }
    Ok((files.disk().visible(), known))
}

impl<'j> World<'j> {
    fn new(judge: &'j mut Judge, (image, known): &(Image, Known)) -> Self {
        let files = SimFiles::from_image(image);
        let seen = (judge.through)(files.clone());
        let mut world = Self { judge, files, seen, log: None, known: known.clone(), marks: vec![known.clone()], next: 100 };
        world.open("the base");
        world
    }
    fn mark(&mut self) {
        self.marks.push(self.known.clone());
        self.files.mark(u64::try_from(self.marks.len()).unwrap() - 1);
    }
    fn violation(&mut self, what: impl std::fmt::Display, path: &str) {
        self.judge.violations.push(format!("{what} :: {path}"));
    }
    /// Opens again; what is found of a batch with unknown outcome is from then on what there is.
    fn open(&mut self, path: &str) {
        self.log = None;
        match Log::open(Arc::clone(&self.seen), self.judge.options, &random(self.next)) {
            Err(e) => self.violation(format!("opening refuses: {e}"), path),
            Ok((log, _)) => {
                let (acked, all) = (self.known.acked.len(), self.known.acked.len() + self.known.pending.len());
                match usize::try_from(log.head().size.0).unwrap() {
                    size if size == all => self.known.acked.append(&mut self.known.pending),
                    size if size == acked => self.known.pending.clear(),
                    size => self.violation(format!("{size} records after opening, not {acked} or {all}"), path),
                }
                self.log = Some(log);
                self.mark();
            }
        }
    }
    fn batch(&mut self, payloads: &[usize]) -> Vec<Item> {
        let items = (self.next..).zip(payloads).map(|(number, &payload_bytes)| Item { number, payload_bytes }).collect();
        self.next += 10;
        items
    }
    /// What was under way is answered.
    fn answered(&mut self) {
        self.known.acked.append(&mut self.known.pending);
        self.known.heads.extend(self.log.as_ref().map(Log::head));
        self.mark();
    }
    fn try_append(&mut self, payloads: &[usize]) -> Option<sovang_core::Error> {
        let items = self.batch(payloads);
        self.known.pending.clone_from(&items);
        self.mark();
        let records: Vec<_> = items.iter().map(|item| item.prepare()).collect();
        self.log.as_mut()?.append(&records).err()
    }
    fn append(&mut self, payloads: &[usize], path: &str) {
        match self.try_append(payloads) {
            Some(e) => self.violation(format!("an append fails without a fault: {e}"), path),
            None => self.answered(),
        }
    }
    fn no_space(&mut self, path: &str) -> Outcome {
        self.files.set_capacity(Some(0));
        let failed = self.try_append(&[100]);
        self.files.set_capacity(None);
        match failed {
            None => {
                self.answered();
                return Outcome::Pointless;
            }
            Some(e) => {
                if e.kind() != ErrorKind::NoSpace {
                    self.violation(format!("no space is reported as {:?}", e.kind()), path);
                }
                if self.log.as_ref().is_some_and(Log::is_poisoned) {
                    self.violation("no space poisons", path);
                }
                self.known.pending.clear();
                self.mark();
                self.append(&[100], path);
            }
        }
        Outcome::Done
    }
    fn failing(&mut self, fault: Fault, evict: bool, path: &str) -> Outcome {
        self.files.inject(fault);
        let failed = self.try_append(&[100, 900]);
        if self.files.take_faults() == 0 {
            self.answered();
            return Outcome::Pointless;
        }
        match failed {
            None => {
                self.violation("an append is acknowledged although something failed", path);
                self.known.acked.append(&mut self.known.pending);
            }
            Some(e) => {
                if e.kind() != ErrorKind::Poisoned {
                    self.violation(format!("a failed write is reported as {:?}", e.kind()), path);
                }
                self.files.take_counts();
                let again = self.log.as_mut().map(|log| (log.is_poisoned(), log.append(&[Item::small(9).prepare()])));
                let counts = self.files.take_counts();
                let touched = counts.writes + counts.syncs + counts.data_syncs + counts.allocations;
                if !matches!(again, Some((true, Err(e))) if e.kind() == ErrorKind::Poisoned && touched == 0) {
                    self.violation("a poisoned log goes on", path);
                }
            }
        }
        if self.judge.answers_from_memory {
            // The same ids are sent again, and whoever remembers them answers.
            self.answered();
        }
        if evict {
            self.files.evict(u64::MAX);
        }
        self.open(path);
        Outcome::Done
    }
    /// Opening while something fails must fail too, but never call the log damaged.
    fn open_failing(&mut self, fault: Fault, path: &str) -> Outcome {
        self.log = None;
        self.files.inject(fault);
        let opened = Log::open(Arc::clone(&self.seen), self.judge.options, &random(self.next));
        if self.files.take_faults() == 0 {
            return Outcome::Pointless;
        }
        match opened {
            Ok(_) => self.violation("opening succeeds although something failed", path),
            Err(e) if e.kind() == ErrorKind::Damaged => self.violation(format!("a failing disk is called damage: {e}"), path),
            Err(_) => {}
        }
        self.open(path);
        Outcome::Done
    }
    fn close_failing(&mut self, fault: Fault, path: &str) -> Outcome {
        self.files.inject(fault);
        let closed = self.log.take().map(Log::close);
        let fired = self.files.take_faults() > 0;
        if fired && !matches!(closed, Some(Err(e)) if e.kind() == ErrorKind::Poisoned) {
            self.violation("closing succeeds although something failed", path);
        }
        self.open(path);
        if fired { Outcome::Done } else { Outcome::Pointless }
    }
    fn step(&mut self, op: Op, path: &str) -> Outcome {
        match op {
            Op::Append => self.append(&[100], path),
            Op::Batch => self.append(&[100, 300], path),
            Op::Large => self.append(&[1_400], path),
            Op::Huge => self.append(&[20_000], path),
            Op::Idle => {
                self.files.take_counts();
                if let Some(Err(e)) = self.log.as_mut().map(Log::idle) {
                    self.violation(format!("idle fails: {e}"), path);
                }
                let counts = self.files.take_counts();
                if counts.data_syncs + counts.syncs == 0 {
                    return Outcome::Pointless;
                }
            }
            Op::Close => {
                if let Some(Err(e)) = self.log.take().map(Log::close) {
                    self.violation(format!("close fails: {e}"), path);
                }
                self.open(path);
            }
            Op::Kill => self.open(path),
            Op::NoSpace => return self.no_space(path),
            Op::Failing(fault) => return self.failing(fault, false, path),
            Op::FailingEvicted(fault) => return self.failing(fault, true, path),
            Op::CloseFailing(fault) => return self.close_failing(fault, path),
            Op::OpenFailing(fault) => return self.open_failing(fault, path),
        }
        Outcome::Done
    }
}

/// Runs the operations and judges every disk state of the last one. False when that did nothing new.
pub(crate) fn run(judge: &mut Judge, start: &(Image, Known), ops: &[Op], name: &str) -> bool {
    let path = format!("{name} {ops:?}");
    let Some((last, before)) = ops.split_last() else {
        return true;
    };
    let mut world = World::new(judge, start);
    for op in before {
        if world.step(*op, &path) == Outcome::Pointless || world.log.is_none() {
            return false;
        }
    }
    world.files.record(true);
    let outcome = world.step(*last, &path);
    let (snapshots, marks) = (world.files.take_snapshots(), std::mem::take(&mut world.marks));
    drop(world);
    judge.counts.workloads += 1;
    judge.snapshots(&snapshots, &marks, &path);
    outcome == Outcome::Done
}

/// Runs the operations from the opening on and returns every disk state, with what was known at each mark.
pub(crate) fn history(options: LogOptions, start: &(Image, Known), ops: &[Op]) -> (Vec<Snapshot>, Vec<Known>) {
    let effort = Effort { images: 1, second_images: 1, second_one_in: 1, torn: 0 };
    let mut judge = Judge::new(options, effort);
    let mut world = World::new(&mut judge, start);
    world.files.record(true);
    world.mark();
    for op in ops {
        world.step(*op, "history");
    }
    let history = (world.files.take_snapshots(), std::mem::take(&mut world.marks));
    assert!(judge.violations.is_empty(), "{}", judge.violations.join("\n"));
    history
}

/// Creates a ledger and judges every disk state of it.
pub(crate) fn creation(judge: &mut Judge) {
    let files = SimFiles::new();
    files.record(true);
    let seen = (judge.through)(files.clone());
    let created = Log::create(&seen, &identity(), &random(3));
    files.mark(1);
    if let Err(e) = created {
        judge.violations.push(format!("creation fails: {e}"));
    }
    let known = [Known::default(), Known { created: true, ..Known::default() }];
    judge.snapshots(&files.take_snapshots(), &known, "creation");
}
