//! What a log must still hold, and the judgement of a disk against it.

use crate::records::{Item, identity, random, root_of};
use sovang_core::{Head, Result, Size};
use sovang_storage::files::Files;
use sovang_storage::log::{Log, LogOptions, LogView, Recovered, Segments, verify};
use sovang_storage::sim::{Disk, Image, SimFiles, Snapshot};
use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What is known at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Known {
    /// Whether creation has answered.
    pub created: bool,
    /// Records whose batches were answered.
    pub acked: Vec<Item>,
    /// The batch under way, or whose outcome is unknown: there whole or not at all.
    pub pending: Vec<Item>,
    /// How many records a reader beside the writer was shown, which must not be lost either.
    pub shown: usize,
}
impl Known {
    /// What the log holds, if it is one of the allowed two.
    fn matches(&self, found: &[Item]) -> bool {
        found == self.acked || (!self.pending.is_empty() && found == [&self.acked[..], &self.pending[..]].concat())
    }
    pub(crate) fn submitted(&self) -> Vec<Item> {
        [&self.acked[..], &self.pending[..]].concat()
    }
    fn explain(&self, found: &[Item]) -> &'static str {
        if !self.submitted().starts_with(found) {
            "what was not written is there"
        } else if found.len() < self.acked.len() {
            "an acknowledged record is lost"
        } else {
            "part of a batch is there"
        }
    }
}

/// What an opening did: what was known at each mark set meanwhile, and the tail that it rejected.
struct Restarted {
    marks: Vec<Known>,
    rejected: Option<Rejected>,
}
/// A rejected tail: it must never be in neither of its two places.
struct Rejected {
    segment: String,
    offset: usize,
    quarantine: String,
    bytes: Vec<u8>,
}
impl Rejected {
    /// The tail that went to the newest file in quarantine, as its name tells.
    fn of(recovered: &Recovered, image: &Image) -> Option<Self> {
        let (path, _) = recovered.quarantined.as_ref()?;
        let name = path.file_name()?.to_str()?.to_owned();
        let mut parts = name.split('-');
        let segment = format!("log/{}", parts.next()?);
        let offset = parts.next()?.parse().ok()?;
        let quarantine = path.to_str()?.strip_prefix("simulated:")?.to_owned();
        let bytes = image.files.get(&quarantine)?.to_vec();
        Some(Self { segment, offset, quarantine, bytes })
    }
    fn is_kept(&self, image: &Image) -> bool {
        let end = self.offset + self.bytes.len();
        let in_log = image.files.get(&self.segment).map(|log| log.to_vec());
        let in_quarantine = image.files.get(&self.quarantine).map(|file| file.to_vec());
        in_log.is_some_and(|log| log.get(self.offset..end) == Some(&self.bytes[..]))
            || in_quarantine.is_some_and(|file| file == self.bytes)
    }
}

/// How a recovery's own disk operations are looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Images tried at each crash point: all of them when there are no more than this.
    pub images: u64,
    /// The same for a second crash, within recovery or the work after it.
    pub second_images: u64,
    /// One in how many distinct images has its recovery crashed as well.
    pub second_one_in: u64,
}

/// Counts what was looked at and keeps what was wrong.
pub(crate) struct Judge {
    pub options: LogOptions,
    pub effort: Effort,
    /// Stop at the first violation: a seeded mistake only has to be caught.
    pub first_only: bool,
    /// How the log sees the simulated disk: as it is, or through a mistake.
    pub through: fn(SimFiles) -> Arc<dyn Files>,
    pub violations: Vec<String>,
    pub counts: Counts,
    seen: HashSet<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub crash_points: u64,
    pub exhaustive_points: u64,
    pub images: u64,
    pub distinct: u64,
    pub second_images: u64,
    pub second_distinct: u64,
    pub kills: u64,
    pub torn_tails: u64,
}
impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.crash_points += other.crash_points;
        self.exhaustive_points += other.exhaustive_points;
        self.images += other.images;
        self.distinct += other.distinct;
        self.second_images += other.second_images;
        self.second_distinct += other.second_distinct;
        self.kills += other.kills;
        self.torn_tails += other.torn_tails;
    }
}
impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} crash points ({} exhaustive), {} images ({} distinct), {} images of second crashes ({} distinct), {} kills, {} torn tails",
            self.crash_points,
            self.exhaustive_points,
            self.images,
            self.distinct,
            self.second_images,
            self.second_distinct,
            self.kills,
            self.torn_tails
        )
    }
}

/// What a reader is shown.
fn read(files: Arc<dyn Files>) -> Result<Vec<Item>> {
    let view = LogView::open(files)?;
    items(view.segments(), view.head().size)
}
/// Every record of a log, in order.
pub(crate) fn items(segments: &Arc<Segments>, size: Size) -> Result<Vec<Item>> {
    let overhead = Item { number: 0, payload_bytes: 0 }.prepare().len();
    segments
        .walk(Segments::start(), size)
        .map(|walked| {
            let frame = walked?.frame;
            let mut number = [0; 8];
            number.copy_from_slice(&frame.id().to_bytes()[8..]);
            Ok(Item { number: u64::from_be_bytes(number), payload_bytes: frame.bytes().len() - overhead })
        })
        .collect()
}

impl Judge {
    pub(crate) fn new(options: LogOptions, effort: Effort) -> Self {
        Self {
            options,
            effort,
            first_only: false,
            through: |files| Arc::new(files),
            violations: Vec::new(),
            counts: Counts::default(),
            seen: HashSet::new(),
        }
    }
    pub(crate) fn done(&self) -> bool {
        self.violations.len() >= if self.first_only { 1 } else { 5 }
    }
    fn violation(&mut self, what: impl std::fmt::Display, when: &dyn Fn() -> String) {
        self.violations.push(format!("{what} :: {}", when()));
    }

    /// Judges every crash and every kill at these snapshots. `known` is looked up by their marks.
    pub(crate) fn snapshots(&mut self, snapshots: &[Snapshot], known: &[Known], when: &str) {
        for snapshot in snapshots {
            if self.done() {
                return;
            }
            let mut known = known[usize::try_from(snapshot.mark).unwrap()].clone();
            let when_read = || format!("{when}; read beside the writer at {}", snapshot.done);
            known.shown = self.shown(&snapshot.disk, &known, &when_read);
            let known = &known;
            self.kill(&snapshot.disk, known, &|| format!("{when}; process killed at {}", snapshot.done));
            if !snapshot.whole {
                continue;
            }
            self.counts.crash_points += 1;
            let crashes = snapshot.disk.crashes(self.effort.images, self.counts.crash_points);
            self.counts.exhaustive_points += u64::from(crashes.is_exhaustive());
            for crash in crashes {
                self.counts.images += 1;
                let when = || format!("{when}; power lost after {} with [{crash}]", snapshot.done);
                self.image(&crash.image, known, 1, &when);
            }
        }
    }

    /// How many records a reader beside the writer is shown.
    fn shown(&mut self, disk: &Disk, known: &Known, when: &dyn Fn() -> String) -> usize {
        if !disk.visible().files.contains_key("ledger") {
            return 0;
        }
        match read((self.through)(SimFiles::from_disk(disk.clone()))) {
            Ok(shown) if known.submitted().starts_with(&shown) => shown.len(),
            Ok(shown) => {
                self.violation(format!("a reader is shown {shown:?} of {known:?}"), when);
                0
            }
            Err(e) => {
                self.violation(format!("a reader refuses a log at work: {e}"), when);
                0
            }
        }
    }
    fn is_new(&mut self, image: &Image, known: &Known, context: u64) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        // A quarantined tail is evidence for people; the log does not read it.
        for (path, content) in image.files.iter().filter(|(path, _)| !path.starts_with("quarantine/")) {
            (path, content).hash(&mut hasher);
        }
        (&image.directories, known, context).hash(&mut hasher);
        let key = hasher.finish();
        self.seen.insert(key).then_some(key)
    }

    /// Judges what a power loss left. `depth` is how many more crashes may follow.
    fn image(&mut self, image: &Image, known: &Known, depth: u64, when: &dyn Fn() -> String) {
        let Some(key) = self.is_new(image, known, depth) else {
            return;
        };
        *(if depth > 0 { &mut self.counts.distinct } else { &mut self.counts.second_distinct }) += 1;
        let files = SimFiles::from_image(image);
        let crash_again = depth > 0 && key % self.effort.second_one_in == 0;
        files.record(crash_again);
        let Some(after) = self.restart(&files, image.files.contains_key("ledger"), known, when) else {
            return;
        };
        let Restarted { marks: after, rejected } = after;
        self.counts.torn_tails += u64::from(rejected.is_some());
        let snapshots = files.take_snapshots();
        for (n, snapshot) in snapshots.iter().enumerate().filter(|(_, snapshot)| snapshot.whole) {
            let known = &after[usize::try_from(snapshot.mark).unwrap()];
            let seed = key.wrapping_add(u64::try_from(n).unwrap());
            for crash in snapshot.disk.crashes(self.effort.second_images, seed) {
                if self.done() {
                    return;
                }
                self.counts.second_images += 1;
                let when = || format!("{}; then power lost after {} with [{crash}]", when(), snapshot.done);
                if rejected.as_ref().is_some_and(|rejected| !rejected.is_kept(&crash.image)) {
                    self.violation("a rejected tail is neither in the log nor in quarantine", &when);
                }
                self.image(&crash.image, known, depth - 1, &when);
            }
        }
    }

    /// Judges what a killed process left, and the power loss after another process had opened it.
    fn kill(&mut self, disk: &Disk, known: &Known, when: &dyn Fn() -> String) {
        let (visible, durable) = (disk.visible(), disk.durable());
        let mut hasher = DefaultHasher::new();
        durable.hash(&mut hasher);
        if self.is_new(&visible, known, hasher.finish()).is_none() {
            return;
        }
        self.counts.kills += 1;
        let files = SimFiles::from_disk(disk.clone());
        let Some(after) = self.restart(&files, visible.files.contains_key("ledger"), known, when) else {
            return;
        };
        let Some(last) = after.marks.last() else {
            return;
        };
        let disk = files.disk();
        for crash in disk.crashes(self.effort.second_images, self.counts.kills) {
            self.counts.second_images += 1;
            let when = || format!("{}; reopened; then power lost with [{crash}]", when());
            self.image(&crash.image, last, 0, &when);
        }
    }

    /// Starts again on what is there: recovers, reads, recovers again, appends, closes, verifies. Nothing is
    /// returned after a violation.
    fn restart(&mut self, files: &SimFiles, is_ledger: bool, known: &Known, when: &dyn Fn() -> String) -> Option<Restarted> {
        match self.try_restart(files, is_ledger, known) {
            Ok(restarted) => Some(restarted),
            Err(what) => {
                self.violation(what, when);
                None
            }
        }
    }
    fn try_restart(&self, sim: &SimFiles, is_ledger: bool, known: &Known) -> Result<Restarted, String> {
        let files = (self.through)(sim.clone());
        let random = random(99);
        let mut marks = vec![known.clone()];
        if !known.created && !is_ledger {
            Log::create(&files, &identity(), &random).map_err(|e| format!("creation cannot be repeated: {e}"))?;
        } else {
            let view = LogView::open(Arc::clone(&files)).map_err(|e| format!("a reader refuses a legal state: {e}"))?;
            let shown = items(view.segments(), view.head().size).map_err(|e| format!("a reader cannot read: {e}"))?;
            if ![&known.acked[..], &known.pending[..]].concat().starts_with(&shown) {
                return Err("a reader shows what was not written".into());
            }
        }
        let open = |how: &str| {
            Log::open(Arc::clone(&files), self.options, &random).map_err(|e| format!("{how} refuses a legal state: {e}"))
        };
        let (log, recovered) = open("recovery")?;
        let rejected = Rejected::of(&recovered, &sim.disk().visible());
        if recovered.quarantined.is_some() && rejected.is_none() {
            return Err(format!("a rejected tail is not where recovery says: {recovered:?}"));
        }
        let found = items(log.segments(), log.head().size).map_err(|e| format!("cannot read after recovery: {e}"))?;
        if !known.matches(&found) {
            return Err(format!("{}: {found:?} of {known:?}", known.explain(&found)));
        }
        if found.len() < known.shown {
            return Err(format!("{} of {} records that a reader was shown are lost", known.shown - found.len(), known.shown));
        }
        if log.head().root != root_of(&found) || log.head().size != Size(u64::try_from(found.len()).unwrap()) {
            return Err("the head is not that of the records".into());
        }
        // What recovery answered is from now on acknowledged.
        let mut now = Known { created: true, acked: found, ..Known::default() };
        mark(sim, &mut marks, &now);
        let head = log.head();
        drop(log);
        let (mut log, again) = open("a second recovery")?;
        if log.head() != head || again != Recovered::default() {
            return Err(format!("a second recovery is not the first: {again:?}"));
        }
        let next = Item::small(1_000 + head.size.0);
        now.pending = vec![next];
        mark(sim, &mut marks, &now);
        log.append(&[next.prepare()]).map_err(|e| format!("cannot append after recovery: {e}"))?;
        now.acked.append(&mut now.pending);
        mark(sim, &mut marks, &now);
        log.close().map_err(|e| format!("cannot close after recovery: {e}"))?;
        let expected = Head { size: Size(head.size.0 + 1), root: root_of(&now.acked) };
        let report = verify(&files, &|_, _| {}).map_err(|e| format!("cannot verify: {e}"))?;
        if report.head != expected || !report.findings.is_empty() {
            return Err(format!("verification after recovery: {report:?}"));
        }
        Ok(Restarted { marks, rejected })
    }
}

fn mark(files: &SimFiles, marks: &mut Vec<Known>, known: &Known) {
    marks.push(known.clone());
    files.mark(u64::try_from(marks.len()).unwrap() - 1);
}
