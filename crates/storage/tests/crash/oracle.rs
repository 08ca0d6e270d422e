//! What a log must still hold, and the judgement of a disk against it.

use crate::records::{Item, identity, random, root_of};
use rustc_hash::FxHasher;
use sovang_core::tree::{Hash as TreeHash, ProofError, consistency_proof, leaf_hash, perfect_root, verify_consistency};
use sovang_core::{Head, Result, Size};
use sovang_storage::files::Files;
use sovang_storage::log::{Log, LogOptions, LogView, Recovered, Segments, verify};
use sovang_storage::sim::{Disk, Image, SimFiles, Snapshot};
use std::collections::HashSet;
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
    /// The heads that were answered: whoever keeps one can ask for ever for a proof that the log still holds it.
    pub heads: Vec<Head>,
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
    /// The tail that went to the newest file in quarantine, as its name tells, if that has what stood in the log before.
    fn of(recovered: &Recovered, before: &Image, image: &Image) -> Option<Self> {
        let (path, len) = recovered.quarantined.as_ref()?;
        let name = path.file_name()?.to_str()?.to_owned();
        let mut parts = name.split('-');
        let segment = format!("log/{}", parts.next()?);
        let offset: usize = parts.next()?.parse().ok()?;
        let quarantine = path.to_str()?.strip_prefix("simulated:")?.to_owned();
        let rejected = Self { segment, offset, bytes: image.files.get(&quarantine)?.to_vec(), quarantine };
        let stood = before.files.get(&rejected.segment)?.to_vec();
        let end = offset + usize::try_from(*len).ok()?;
        (stood.get(offset..end) == Some(&rejected.bytes[..])).then_some(rejected)
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
    /// Images with a torn sector tried at each crash point: all of them when there are no more than this.
    pub torn: u64,
}

/// Counts what was looked at and keeps what was wrong.
pub(crate) struct Judge {
    pub options: LogOptions,
    pub effort: Effort,
    /// Stop at the first violation: a seeded mistake only has to be caught.
    pub first_only: bool,
    /// How the log sees the simulated disk: as it is, or through a mistake.
    pub through: fn(SimFiles) -> Arc<dyn Files>,
    /// A mistake above the log: a batch that is sent again is answered because it was sent, not because it is durable.
    pub answers_from_memory: bool,
    pub violations: Vec<String>,
    pub counts: Counts,
    seen: HashSet<(u64, u64)>,
    seen_killed: HashSet<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub crash_points: u64,
    pub exhaustive_points: u64,
    pub workloads: u64,
    pub images: u64,
    pub distinct: u64,
    pub torn: u64,
    pub torn_distinct: u64,
    pub second_images: u64,
    pub second_distinct: u64,
    pub proofs: u64,
    pub kills: u64,
    pub torn_tails: u64,
}
impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.crash_points += other.crash_points;
        self.exhaustive_points += other.exhaustive_points;
        self.workloads += other.workloads;
        self.images += other.images;
        self.distinct += other.distinct;
        self.torn += other.torn;
        self.torn_distinct += other.torn_distinct;
        self.proofs += other.proofs;
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
            "{} workloads, {} crash points ({} exhaustive), {} images ({} distinct), {} with a torn sector ({} distinct), \
             {} of second crashes ({} distinct), {} kills, {} torn tails, {} consistency proofs",
            self.workloads,
            self.crash_points,
            self.exhaustive_points,
            self.images,
            self.distinct,
            self.torn,
            self.torn_distinct,
            self.second_images,
            self.second_distinct,
            self.kills,
            self.torn_tails,
            self.proofs
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
    Ok(leaves(segments, size)?.into_iter().map(|(item, _)| item).collect())
}
/// Every record of a log, in order, with its leaf of the tree.
fn leaves(segments: &Arc<Segments>, size: Size) -> Result<Vec<(Item, TreeHash)>> {
    segments
        .walk(Segments::start(), size)
        .map(|walked| {
            let walked = walked?;
            let mut number = [0; 8];
            number.copy_from_slice(&walked.frame.id().to_bytes()[8..]);
            let payload_bytes = walked.frame.bytes().len() - Item::OVERHEAD_BYTES;
            let item = Item { number: u64::from_be_bytes(number), payload_bytes };
            Ok((item, leaf_hash(&walked.frame.hash(walked.position))))
        })
        .collect()
}
/// Every head that was ever answered is proven to be a beginning of the log, by the hashes that the log has now.
fn prove(heads: &[Head], now: &Head, leaves: &[TreeHash]) -> Result<(), String> {
    for old in heads.iter().filter(|head| head.size.0 > 0) {
        let mut nodes = |node: sovang_core::tree::Node| leaves.get(node.leaves()).map(perfect_root).ok_or(ProofError::Sizes);
        let proof = consistency_proof(old.size, now.size, &mut nodes).and_then(|proof| verify_consistency(old, now, &proof));
        proof.map_err(|e| format!("the head at size {} is not proven by the one at {}: {e}", old.size, now.size))?;
    }
    Ok(())
}
/// No reading asks for more at once, whatever the bytes say: a record's length is believed only within these.
const READ_BYTES_MAX: u64 = 1 << 20;

impl Judge {
    pub(crate) fn new(options: LogOptions, effort: Effort) -> Self {
        Self {
            options,
            effort,
            first_only: false,
            through: |files| Arc::new(files),
            answers_from_memory: false,
            violations: Vec::new(),
            counts: Counts::default(),
            seen: HashSet::new(),
            seen_killed: HashSet::new(),
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
                self.counts.distinct += u64::from(self.image(&crash.image, known, 1, &when));
            }
            for crash in snapshot.disk.torn(self.effort.torn, self.counts.crash_points) {
                self.counts.torn += 1;
                let when = || format!("{when}; power lost after {} with [{crash}]", snapshot.done);
                self.counts.torn_distinct += u64::from(self.image(&crash.image, known, 0, &when));
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
    /// Judges what a power loss left. `depth` is how many more crashes may follow. False when the same bytes were judged
    /// before by the same knowledge.
    fn image(&mut self, image: &Image, known: &Known, depth: u64, when: &dyn Fn() -> String) -> bool {
        let key = key_of(image, known);
        if self.seen.contains(&(key, 1)) || !self.seen.insert((key, depth)) {
            return false;
        }
        let files = SimFiles::from_image(image);
        let crash_again = depth > 0 && key.is_multiple_of(self.effort.second_one_in);
        files.record(crash_again);
        let Some(after) = self.restart(&files, image.files.contains_key("ledger"), known, when) else {
            return true;
        };
        let Restarted { marks: after, rejected } = after;
        self.counts.torn_tails += u64::from(rejected.is_some());
        let snapshots = files.take_snapshots();
        for (n, snapshot) in snapshots.iter().enumerate().filter(|(_, snapshot)| snapshot.whole) {
            let known = &after[usize::try_from(snapshot.mark).unwrap()];
            let seed = key.wrapping_add(u64::try_from(n).unwrap());
            for crash in snapshot.disk.crashes(self.effort.second_images, seed) {
                if self.done() {
                    return true;
                }
                self.counts.second_images += 1;
                let when = || format!("{}; then power lost after {} with [{crash}]", when(), snapshot.done);
                if rejected.as_ref().is_some_and(|rejected| !rejected.is_kept(&crash.image)) {
                    self.violation("a rejected tail is neither in the log nor in quarantine", &when);
                }
                self.counts.second_distinct += u64::from(self.image(&crash.image, known, depth - 1, &when));
            }
        }
        true
    }

    /// Judges what a killed process left, and the power loss after another process had opened it.
    fn kill(&mut self, disk: &Disk, known: &Known, when: &dyn Fn() -> String) {
        let (visible, durable) = (disk.visible(), disk.durable());
        let mut hasher = FxHasher::default();
        (key_of(&visible, known), key_of(&durable, known)).hash(&mut hasher);
        if !self.seen_killed.insert(hasher.finish()) {
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
            self.counts.second_distinct += u64::from(self.image(&crash.image, last, 0, &when));
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
    fn try_restart(&mut self, sim: &SimFiles, is_ledger: bool, known: &Known) -> Result<Restarted, String> {
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
        let before = sim.disk();
        let (log, recovered) = open("recovery")?;
        let rejected = match &recovered.quarantined {
            Some(_) => Rejected::of(&recovered, &before.visible(), &sim.disk().visible()),
            None => None,
        };
        if recovered.quarantined.is_some() && rejected.is_none() {
            return Err(format!("a rejected tail is not where recovery says: {recovered:?}"));
        }
        let found = leaves(log.segments(), log.head().size).map_err(|e| format!("cannot read after recovery: {e}"))?;
        let (found, leaves): (Vec<Item>, Vec<TreeHash>) = found.into_iter().unzip();
        if !known.matches(&found) {
            return Err(format!("{}: {found:?} of {known:?}", known.explain(&found)));
        }
        if found.len() < known.shown {
            return Err(format!("{} of {} records that a reader was shown are lost", known.shown - found.len(), known.shown));
        }
        if log.head().root != root_of(&found) || log.head().size != Size(u64::try_from(found.len()).unwrap()) {
            return Err("the head is not that of the records".into());
        }
        prove(&known.heads, &log.head(), &leaves)?;
        self.counts.proofs += u64::try_from(known.heads.len()).unwrap();
        // What recovery answered is from now on acknowledged.
        let mut heads = known.heads.clone();
        heads.push(log.head());
        let mut now = Known { created: true, acked: found, heads, ..Known::default() };
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
        now.heads.push(log.head());
        mark(sim, &mut marks, &now);
        log.close().map_err(|e| format!("cannot close after recovery: {e}"))?;
        let expected = Head { size: Size(head.size.0 + 1), root: root_of(&now.acked) };
        let report = verify(&files, &|_, _| {}).map_err(|e| format!("cannot verify: {e}"))?;
        if report.head != expected || !report.findings.is_empty() {
            return Err(format!("verification after recovery: {report:?}"));
        }
        let read = sim.take_counts().read_bytes_max;
        if read > READ_BYTES_MAX {
            return Err(format!("a read asked for {read} bytes at once"));
        }
        Ok(Restarted { marks, rejected })
    }
}

/// Tells images apart, and what is known of them, by 64 bits.
fn key_of(image: &Image, known: &Known) -> u64 {
    let mut hasher = FxHasher::default();
    // A quarantined tail is evidence for people; the log does not read it.
    for (path, content) in image.files.iter().filter(|(path, _)| !path.starts_with("quarantine/")) {
        (path, content).hash(&mut hasher);
    }
    (&image.directories, known).hash(&mut hasher);
    hasher.finish()
}

fn mark(files: &SimFiles, marks: &mut Vec<Known>, known: &Known) {
    marks.push(known.clone());
    files.mark(u64::try_from(marks.len()).unwrap() - 1);
}
