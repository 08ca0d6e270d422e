//! One history of a log: a thousand operations drawn from a seed, with power losses, kills and failing calls among them, each
//! judged by a model that knows the root at every size.

use crate::records::{Item, identity, random};
use sovang_core::record::Prepared;
use sovang_core::tree::{Frontier, leaf_hash};
use sovang_core::{ErrorKind, Head, Position};
use sovang_storage::files::Files;
use sovang_storage::log::{Location, Log, LogOptions, LogView, Recovered, verify};
use sovang_storage::sim::{Fault, Random, SimFiles};
use std::fmt;
use std::io::ErrorKind as Io;
use std::sync::Arc;

/// Operations of a history.
pub(crate) const OPERATIONS: usize = 1_000;

/// One operation. Everything it draws follows from its own number, so that others can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Appends a batch of so many records, the first with a payload of so many bytes.
    Append { records: u8, bytes: u16 },
    /// Nothing comes for a while.
    Idle,
    /// Appends on a full disk.
    Full,
    /// A reader beside the writer looks.
    Look,
    /// Reads a record that was appended since the last opening.
    Read { which: u64 },
    /// Closes and opens.
    Close,
    /// The process dies and another opens.
    Kill,
    /// The power fails, in one of the ways that are possible then.
    PowerLoss { seed: u64 },
    /// The power fails within an append, at one of its calls.
    PowerLossWithin { call: u64, seed: u64 },
    /// It fails, and again while the log is recovered.
    PowerLossTwice { call: u64, seed: u64 },
    /// Something goes wrong in an append, clean pages leave the cache, and the log is opened again.
    Failing { fault: u8, nth: u64, evicted: u64 },
    /// Something goes wrong in an opening, which is then repeated.
    FailingOpening { call: u64 },
    /// Every byte is verified.
    Verify,
}

/// A history: how the log is opened, and what is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct History {
    pub(crate) options: LogOptions,
    pub(crate) ops: Vec<Op>,
}

impl History {
    /// The history of a seed. Not only the operations are drawn but also how often each comes: some histories only append, some
    /// hardly do.
    pub(crate) fn of(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let segments = [4_096 + 500, 4_096 + 2_000, 12_000, 30_000, 64 << 10];
        let options = LogOptions { segment_bytes: segments[random.below(segments.len())], strict: random.below(4) == 0 };
        // Of appending, and of everything else: the dearer, the rarer.
        let most = [600, 60, 20, 60, 60, 6, 6, 8, 8, 4, 8, 4, 1];
        let weights = most.map(|most| if random.below(5) == 0 { 0 } else { 1 + random.below(most) });
        let total: usize = weights.iter().sum();
        let ops = (0..OPERATIONS)
            .map(|_| {
                let mut at = random.below(total.max(1));
                let kind = weights.iter().position(|weight| {
                    let here = at < *weight;
                    at = at.saturating_sub(*weight);
                    here
                });
                Op::drawn(kind.unwrap_or(0), &mut random)
            })
            .collect();
        Self { options, ops }
    }
}

impl Op {
    fn drawn(kind: usize, random: &mut Random) -> Self {
        let call = |random: &mut Random| 1 + random.draw() % 12;
        match kind {
            0 => {
                let bytes = random.draw() % if random.below(20) == 0 { 6_000 } else { 200 };
                let records = if random.below(4) == 0 { 2 + random.draw().to_le_bytes()[0] % 3 } else { 1 };
                Self::Append { records, bytes: u16::try_from(bytes).unwrap_or(0) }
            }
            1 => Self::Idle,
            2 => Self::Full,
            3 => Self::Look,
            4 => Self::Read { which: random.draw() },
            5 => Self::Close,
            6 => Self::Kill,
            7 => Self::PowerLoss { seed: random.draw() },
            8 => Self::PowerLossWithin { call: call(random), seed: random.draw() },
            9 => Self::PowerLossTwice { call: 2 * call(random), seed: random.draw() },
            10 => Self::Failing { fault: random.draw().to_le_bytes()[0], nth: 1 + random.draw() % 4, evicted: random.draw() },
            11 => Self::FailingOpening { call: 3 * call(random) },
            _ => Self::Verify,
        }
    }
}

/// What histories did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) operations: u64,
    pub(crate) records: u64,
    pub(crate) openings: u64,
    pub(crate) power_losses: u64,
    pub(crate) failures: u64,
    pub(crate) torn_tails: u64,
    pub(crate) looks: u64,
}
impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.operations += other.operations;
        self.records += other.records;
        self.openings += other.openings;
        self.power_losses += other.power_losses;
        self.failures += other.failures;
        self.torn_tails += other.torn_tails;
        self.looks += other.looks;
    }
}
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} operations, {} records answered, {} openings, {} power losses, {} failures met, {} torn tails, {} looks of readers",
            self.operations, self.records, self.openings, self.power_losses, self.failures, self.torn_tails, self.looks
        )
    }
}

/// What must be there: the heads at the ends of all batches that were answered, and the batch whose outcome is unknown.
struct Model {
    frontier: Frontier,
    head: Head,
    /// At the end of each batch, the empty log first.
    heads: Vec<Head>,
    pending: Option<Frontier>,
    /// Records that a reader was shown.
    shown: u64,
    next: u64,
}
impl Model {
    fn head(&self) -> Head {
        self.head
    }
    /// A batch that is now sent.
    fn send(&mut self, records: u8, bytes: u16) -> Vec<Prepared> {
        let mut frontier = self.frontier.clone();
        let batch = (0..u64::from(records))
            .map(|n| {
                let record = Item { number: self.next + n, payload_bytes: usize::from(bytes) }.prepare();
                frontier.push(leaf_hash(&record.hash(Position(frontier.size().0))));
                record
            })
            .collect();
        self.next += u64::from(records);
        self.pending = Some(frontier);
        batch
    }
    fn answered(&mut self) {
        if let Some(frontier) = self.pending.take() {
            self.frontier = frontier;
            self.head = self.frontier.head();
            self.heads.push(self.head);
        }
    }
    /// What an opening found: all that was answered, or that and the batch under way.
    fn found(&mut self, head: Head) -> Result<(), String> {
        if self.pending.as_ref().is_some_and(|pending| pending.head() == head) {
            self.answered();
        }
        self.pending = None;
        let mine = self.head();
        if head != mine {
            return Err(format!("the log has {head:?}, not {mine:?}"));
        }
        if head.size.0 < self.shown {
            return Err(format!("{} of {} records that a reader was shown are lost", self.shown - head.size.0, self.shown));
        }
        Ok(())
    }
    /// What a reader may be shown: the end of a batch, none before the least.
    fn may_show(&mut self, head: Head, least: u64) -> Result<(), String> {
        let known = self.heads.binary_search_by_key(&head.size.0, |head| head.size.0);
        let is_known = known.is_ok_and(|at| self.heads[at] == head);
        if !is_known && self.pending.as_ref().map(Frontier::head) != Some(head) {
            return Err(format!("a reader is shown {head:?}"));
        }
        if head.size.0 < least.max(self.shown) {
            return Err(format!("a reader is shown {} records, less than before or than {least}", head.size));
        }
        self.shown = head.size.0;
        Ok(())
    }
}

struct World<'h> {
    options: LogOptions,
    model: Model,
    files: SimFiles,
    /// How the log sees the disk: as it is, or through a mistake.
    through: &'h dyn Fn(SimFiles) -> Arc<dyn Files>,
    log: Option<Log>,
    reader: Option<LogView>,
    /// Where records were put since the opening, with their bytes.
    placed: Vec<(Location, Position, Prepared)>,
    counts: Counts,
    step: u64,
}

/// Runs a history through a view of the disk and says what it did, or what went wrong.
pub(crate) fn run(history: &History, through: &dyn Fn(SimFiles) -> Arc<dyn Files>) -> Result<Counts, String> {
    let files = SimFiles::new();
    let (frontier, head) = (Frontier::new(), Frontier::new().head());
    let model = Model { frontier, head, heads: vec![head], pending: None, shown: 0, next: 1 };
    let options = history.options;
    let (log, reader, placed, counts) = (None, None, Vec::new(), Counts::default());
    let mut world = World { options, model, files, through, log, reader, placed, counts, step: 0 };
    Log::create(&through(world.files.clone()), &identity(), &random(3)).map_err(|e| format!("creating fails: {e}"))?;
    world.open("the first opening")?;
    for (n, op) in history.ops.iter().enumerate() {
        world.step += 1;
        world.counts.operations += 1;
        world.take(*op).map_err(|what| format!("operation {n}, {op:?}: {what}"))?;
    }
    world.restart("the end")?;
    world.verify()?;
    world.counts.records = world.model.head().size.0;
    Ok(world.counts)
}

impl World<'_> {
    fn seen(&self) -> Arc<dyn Files> {
        (self.through)(self.files.clone())
    }
    fn open(&mut self, what: &str) -> Result<(), String> {
        self.log = None;
        self.placed.clear();
        self.counts.openings += 1;
        let opened = Log::open(self.seen(), self.options, &random(self.step));
        let (log, recovered) = opened.map_err(|e| format!("{what} refuses a legal state: {e}"))?;
        self.counts.torn_tails += u64::from(recovered.quarantined.is_some());
        self.model.found(log.head())?;
        self.log = Some(log);
        if recovered != Recovered::default() {
            // Recovering twice is recovering once.
            self.log = None;
            let again =
                Log::open(self.seen(), self.options, &random(self.step)).map_err(|e| format!("opening again refuses: {e}"))?;
            if again.1 != Recovered::default() {
                return Err(format!("recovery has something left to do: {:?}", again.1));
            }
            self.model.found(again.0.head())?;
            self.log = Some(again.0);
        }
        Ok(())
    }
    /// The process dies, or the machine started again, and the log is opened.
    fn restart(&mut self, what: &str) -> Result<(), String> {
        self.log = None;
        self.open(what)
    }
    /// The power fails: whatever is pending reached the disk or did not.
    fn lose_power(&mut self, seed: u64) {
        self.log = None;
        self.reader = None;
        self.counts.power_losses += 1;
        let crash = self.files.disk().crash_by(seed, true);
        self.files = SimFiles::from_image(&crash.image);
    }
    fn log(&mut self) -> Result<&mut Log, String> {
        self.log.as_mut().ok_or_else(|| "no log is open".to_owned())
    }
    fn append(&mut self, records: u8, bytes: u16) -> Result<sovang_core::Result<()>, String> {
        let batch = self.model.send(records, bytes);
        let first = self.model.head().size.0;
        match self.log()?.append(&batch) {
            Err(e) => Ok(Err(e)),
            Ok(written) => {
                let places = written.locations.into_iter().zip((first..).map(Position)).zip(batch);
                self.placed.extend(places.map(|((location, position), record)| (location, position, record)));
                self.model.answered();
                if written.head != self.model.head() {
                    return Err(format!("an append answers {:?}", written.head));
                }
                Ok(Ok(()))
            }
        }
    }
    fn take(&mut self, op: Op) -> Result<(), String> {
        match op {
            Op::Append { records, bytes } => self.append(records, bytes)?.map_err(|e| format!("fails without a fault: {e}")),
            Op::Idle => self.log()?.idle().map_err(|e| format!("fails without a fault: {e}")),
            Op::Full => self.full(),
            Op::Look => self.look(),
            Op::Read { which } => self.read(which),
            Op::Close => {
                let log = self.log.take().ok_or("no log is open")?;
                log.close().map_err(|e| format!("closing fails without a fault: {e}"))?;
                self.open("opening after a close")
            }
            Op::Kill => self.restart("opening after a kill"),
            Op::PowerLoss { seed } => {
                self.lose_power(seed);
                self.open("recovery")
            }
            Op::PowerLossWithin { call, seed } => {
                self.files.inject(Fault::Gone { nth: call, error: Io::Other });
                // Whether it was answered, the model knows.
                let _ = self.append(2, 900)?;
                self.files.take_faults();
                self.lose_power(seed);
                self.open("recovery")
            }
            Op::PowerLossTwice { call, seed } => {
                self.lose_power(seed);
                self.fail_opening(Fault::Gone { nth: call, error: Io::Other })?;
                self.lose_power(seed ^ 0x55);
                self.open("the second recovery")
            }
            Op::Failing { fault, nth, evicted } => self.failing(fault, nth, evicted),
            Op::FailingOpening { call } => {
                self.fail_opening(Fault::Call { nth: call, error: Io::Interrupted })?;
                self.open("opening after a failed one")
            }
            Op::Verify => self.verify(),
        }
    }
    fn full(&mut self) -> Result<(), String> {
        self.files.set_capacity(Some(0));
        let appended = self.append(1, 400)?;
        self.files.set_capacity(None);
        match appended {
            Ok(()) => Ok(()),
            Err(e) if e.kind() == ErrorKind::NoSpace => {
                // Nothing of it was written: from now on it must not be there.
                self.model.pending = None;
                Ok(())
            }
            Err(e) => Err(format!("a full disk is reported as {:?}: {e}", e.kind())),
        }
    }
    fn look(&mut self) -> Result<(), String> {
        self.counts.looks += 1;
        let head = match &self.reader {
            Some(reader) => reader.refresh(),
            None => {
                let reader = LogView::open(self.seen()).map_err(|e| format!("a reader is refused: {e}"))?;
                let head = reader.head();
                self.reader = Some(reader);
                Ok(head)
            }
        };
        let head = head.map_err(|e| format!("a reader is refused: {e}"))?;
        // The writer has answered nothing yet that it has not written to HEAD as well.
        self.model.may_show(head, self.model.head().size.0)
    }
    fn read(&mut self, which: u64) -> Result<(), String> {
        let Some(log) = &self.log else { return Ok(()) };
        let count = u64::try_from(self.placed.len()).unwrap_or(u64::MAX);
        let Some((location, position, record)) = which.checked_rem(count).and_then(|n| self.placed.get(usize::try_from(n).ok()?))
        else {
            return Ok(());
        };
        let frame = log.segments().frame(*location, *position).map_err(|e| format!("{position} cannot be read: {e}"))?;
        if frame.bytes()[..] == *record.bytes() { Ok(()) } else { Err(format!("another record is at {position}")) }
    }
    fn failing(&mut self, fault: u8, nth: u64, evicted: u64) -> Result<(), String> {
        let error = [Io::Other, Io::StorageFull, Io::Interrupted][usize::from(fault / 8 % 3)];
        self.files.inject(match fault % 8 {
            0 => Fault::Sync { nth, kept: evicted, len_kept: evicted.is_multiple_of(2) },
            1 => Fault::Sync { nth, kept: 0, len_kept: false },
            2 => Fault::ShortWrite { nth, bytes: evicted % 1_000, error },
            3 => Fault::Write { nth, sectors: evicted % 3 },
            4 => Fault::Rename { nth: 1 },
            5 => Fault::Allocate { nth: 1 },
            _ => Fault::Call { nth, error },
        });
        let appended = self.append(2, 1_200)?;
        let fired = self.files.take_faults() > 0;
        self.counts.failures += u64::from(fired);
        match appended {
            // An allocation is asked for once more, for less.
            Ok(()) if fired && fault % 8 < 5 => return Err("is answered although something failed".to_owned()),
            Ok(()) => {}
            Err(e) if !fired => return Err(format!("fails without a fault: {e}")),
            Err(e) if e.kind() == ErrorKind::NoSpace => self.model.pending = None,
            Err(e) if e.kind() == ErrorKind::Damaged => return Err(format!("a failing disk is called damage: {e}")),
            Err(_) => {}
        }
        self.files.evict(evicted);
        self.restart("opening after a failure")
    }
    fn fail_opening(&mut self, fault: Fault) -> Result<(), String> {
        self.log = None;
        self.files.inject(fault);
        let opened = Log::open(self.seen(), self.options, &random(self.step + 500_000));
        let fired = self.files.take_faults() > 0;
        self.counts.failures += u64::from(fired);
        match opened {
            Ok(_) if fired => Err("an opening succeeds although something failed".to_owned()),
            Ok((log, _)) => self.model.found(log.head()),
            Err(e) if !fired => Err(format!("an opening refuses a legal state: {e}")),
            Err(e) if e.kind() == ErrorKind::Damaged => Err(format!("a failing disk is called damage: {e}")),
            Err(_) => Ok(()),
        }
    }
    fn verify(&mut self) -> Result<(), String> {
        let report = verify(&self.seen(), &|_, _| {}).map_err(|e| format!("verifying fails: {e}"))?;
        if report.is_sound() && report.head == self.model.head() {
            return Ok(());
        }
        Err(format!("verification finds {:?} and {:?}", report.head, report.findings))
    }
}

/// Leaves out operations as long as it still goes wrong: half of them, a quarter, down to each alone, until none can go.
pub(crate) fn shrink(history: &History, fails: &dyn Fn(&History) -> bool) -> History {
    let mut least = history.clone();
    loop {
        let before = least.ops.len();
        let mut chunk = before;
        while chunk > 0 {
            let mut at = 0;
            while at < least.ops.len() {
                let mut shorter = least.clone();
                shorter.ops.drain(at..(at + chunk).min(least.ops.len()));
                if fails(&shorter) { least = shorter } else { at += chunk }
            }
            chunk /= 2;
        }
        if least.ops.len() == before {
            return least;
        }
    }
}
