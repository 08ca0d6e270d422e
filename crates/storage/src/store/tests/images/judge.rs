//! The judgement of a disk against what must be there.

use super::known::{Item, Known, SUBJECT, VALUE, erase, subject, submission};
use super::*;
use crate::sim::{Disk, Image, SECTOR, Snapshot};
use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

/// How much is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// Images at each crash point: all there can be, when there are no more than this.
    pub(super) images: u64,
    /// The same for a second crash while opening.
    pub(super) second_images: u64,
    /// One in how many different images has its opening crashed as well.
    pub(super) second_one_in: u64,
}

/// What was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) workloads: u64,
    pub(super) crash_points: u64,
    exhaustive_points: u64,
    images: u64,
    pub(super) distinct: u64,
    second_images: u64,
    second_distinct: u64,
    pub(super) kills: u64,
    /// Openings that completed or confirmed an erasure.
    pub(super) erased: u64,
    /// Rows without a record that were removed.
    pub(super) orphans: u64,
    torn: u64,
}
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} workloads, {} crash points ({} exhaustive), {} images ({} distinct), {} of second crashes ({} distinct), {} kills; {} openings \
             of a log with an erasure, {} orphans removed, {} torn tails of the vault",
            self.workloads,
            self.crash_points,
            self.exhaustive_points,
            self.images,
            self.distinct,
            self.second_images,
            self.second_distinct,
            self.kills,
            self.erased,
            self.orphans,
            self.torn
        )
    }
}

/// Options whose random bytes and times follow from the seed.
pub(super) fn seeded(segment_bytes: u64, seed: u64) -> StoreOptions {
    let clock = AtomicI64::new(0);
    let drawn = AtomicU64::new(0);
    StoreOptions {
        segment_bytes,
        clock: Arc::new(move || 1_000_000 * i64::try_from(seed).unwrap() + clock.fetch_add(1_000, Ordering::Relaxed)),
        random: Arc::new(move |bytes| {
            hash::stream(&[seed, drawn.fetch_add(1, Ordering::Relaxed)].map(u64::to_le_bytes).concat(), bytes);
            Ok(())
        }),
        ..options()
    }
}

/// Looks at disks and keeps what is wrong.
pub(super) struct Judge {
    pub(super) segment_bytes: u64,
    effort: Effort,
    /// Stop at so many violations.
    pub(super) most: usize,
    /// How the store of the workload sees the disk: as it is, or through a mistake.
    pub(super) through: fn(SimFiles) -> Arc<dyn Files>,
    pub(super) violations: Vec<String>,
    pub(super) counts: Counts,
    seen: HashSet<u64>,
}

impl Judge {
    pub(super) fn new(segment_bytes: u64, effort: Effort) -> Self {
        Self {
            segment_bytes,
            effort,
            most: 5,
            through: |files| Arc::new(files),
            violations: Vec::new(),
            counts: Counts::default(),
            seen: HashSet::new(),
        }
    }
    pub(super) fn done(&self) -> bool {
        self.violations.len() >= self.most
    }

    /// Judges every crash and every kill at these snapshots. `marks` are looked up by their marks.
    pub(super) fn snapshots(&mut self, snapshots: &[Snapshot], marks: &[Known], when: &str) {
        for snapshot in snapshots {
            if self.done() {
                return;
            }
            let known = &marks[usize::try_from(snapshot.mark).unwrap()];
            self.kill(&snapshot.disk, known, &|| format!("{when}; killed after {}", snapshot.done));
            if !snapshot.whole {
                continue;
            }
            self.counts.crash_points += 1;
            let crashes = snapshot.disk.crashes(self.effort.images, self.counts.crash_points);
            self.counts.exhaustive_points += u64::from(crashes.is_exhaustive());
            for crash in crashes {
                self.counts.images += 1;
                self.image(&crash.image, known, true, &|| format!("{when}; power lost after {} with [{crash}]", snapshot.done));
            }
        }
    }
    fn is_new(&mut self, image: &Image, known: &Known, context: u64) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        // Neither the index, which is derived, nor a quarantined tail is relied on.
        for file in image.files.iter().filter(|(path, _)| !path.starts_with("quarantine/") && !path.starts_with("index/")) {
            file.hash(&mut hasher);
        }
        (&known.acked, &known.pending, context).hash(&mut hasher);
        let key = hasher.finish();
        self.seen.insert(key).then_some(key)
    }

    /// Judges what a power loss left, and what a second one leaves while the store is opened.
    pub(super) fn image(&mut self, image: &Image, known: &Known, is_first: bool, when: &dyn Fn() -> String) {
        let Some(key) = self.is_new(image, known, u64::from(is_first)) else {
            return;
        };
        *(if is_first { &mut self.counts.distinct } else { &mut self.counts.second_distinct }) += 1;
        let again = is_first && key.is_multiple_of(self.effort.second_one_in);
        let files = SimFiles::from_image(image);
        let Some(opened) = self.restart(&files, known, false, again, when) else {
            return;
        };
        for (n, snapshot) in opened.snapshots.iter().enumerate() {
            // Once it is open, what was found is what there is.
            let known = if snapshot.mark == 0 { known } else { &opened.known };
            for crash in snapshot.disk.crashes(self.effort.second_images, key.wrapping_add(n as u64)) {
                if self.done() {
                    return;
                }
                self.counts.second_images += 1;
                let when = || format!("{}; then power lost after {} with [{crash}]", when(), snapshot.done);
                self.image(&crash.image, known, false, &when);
            }
        }
    }
    /// Judges what a killed process left, and the power loss after another had opened it.
    pub(super) fn kill(&mut self, disk: &Disk, known: &Known, when: &dyn Fn() -> String) {
        let mut hasher = DefaultHasher::new();
        disk.durable().hash(&mut hasher);
        if self.is_new(&disk.visible(), known, hasher.finish()).is_none() {
            return;
        }
        self.counts.kills += 1;
        let files = SimFiles::from_disk(disk.clone());
        let Some(opened) = self.restart(&files, known, true, true, when) else {
            return;
        };
        let Some(last) = opened.snapshots.last() else {
            return;
        };
        for crash in last.disk.crashes(self.effort.second_images, self.counts.kills) {
            self.counts.second_images += 1;
            self.image(&crash.image, &opened.known, false, &|| format!("{}; reopened; then power lost with [{crash}]", when()));
        }
    }

    fn restart(
        &mut self,
        files: &SimFiles,
        known: &Known,
        is_kill: bool,
        record: bool,
        when: &dyn Fn() -> String,
    ) -> Option<Opened> {
        match self.try_restart(files, known, is_kill, record) {
            Ok(opened) => Some(opened),
            Err(what) => {
                self.violations.push(format!("{what} :: {}", when()));
                None
            }
        }
    }
    /// Starts again on what is there: reads, opens, opens again, appends, closes, verifies.
    fn try_restart(&mut self, files: &SimFiles, known: &Known, is_kill: bool, record: bool) -> Result<Opened, String> {
        let options = |seed| seeded(self.segment_bytes, seed);
        let before = files.disk().visible();
        in_the_clear(&before)?;
        let acked = known.acked.len();
        destroyed(&before, known, &known.items(acked))?;
        self.read(files, known, is_kill)?;

        files.record(record);
        let store = Store::open(Arc::new(files.clone()), options(1_000), None).map_err(|e| format!("opening refuses: {e}"))?;
        let batches = match known.batches_of(store.view().head().size.0) {
            Some(batches) if batches >= acked => batches,
            found => return Err(format!("{} records: {found:?} batches of {acked}", store.view().head().size)),
        };
        let mut found = known.clone();
        if batches > acked {
            found.answered();
        }
        found.pending.clear();
        files.mark(1);
        files.record(false);
        let snapshots = files.take_snapshots();
        let items = found.items(usize::MAX);
        let erased = Known::erased(&items);
        let VaultRecovered { orphans, torn_bytes } = store.opening().vault;
        self.counts.orphans += orphans;
        self.counts.torn += u64::from(torn_bytes > 0);
        self.counts.erased += u64::from(!erased.is_empty());
        found.compare(store.view(), &items, &BTreeSet::new()).map_err(|e| format!("opened: {e}"))?;
        let after = files.disk();
        for image in [after.visible(), after.durable()] {
            destroyed(&image, &found, &items).map_err(|e| format!("opened: {e}"))?;
        }

        // Another process, once this one was killed: nothing is left to do.
        let again = SimFiles::from_disk(after.clone());
        drop(store);
        let store =
            Store::open(Arc::new(again.clone()), options(2_000), None).map_err(|e| format!("opening again refuses: {e}"))?;
        if *store.opening() != Opening::default() {
            return Err(format!("opening again has something to do: {:?}", store.opening()));
        }
        if let Some(path) = difference(&after.visible(), &again.disk().visible()) {
            return Err(format!("opening again changes {path}"));
        }
        found.compare(store.view(), &items, &BTreeSet::new()).map_err(|e| format!("opened again: {e}"))?;

        let size = go_on(&store, known, batches > acked, &erased)?;
        store.close().map_err(|e| format!("closing fails: {e}"))?;
        let view = View::open(Arc::new(again.clone()), None, &options(3_000))
            .map_err(|e| format!("a reader refuses in the end: {e}"))?;
        let report = view.verify(&mut |_, _| {}).map_err(|e| format!("verifying fails: {e}"))?;
        if !report.findings.is_empty() || report.head.size != size {
            return Err(format!("{} records, not {size}, and {:?}", report.head.size, report.findings));
        }
        in_the_clear(&again.disk().visible())?;
        Ok(Opened { known: found, snapshots })
    }
    /// What a reader finds before any writer has come.
    fn read(&self, files: &SimFiles, known: &Known, is_kill: bool) -> Result<(), String> {
        let options = seeded(self.segment_bytes, 4_000);
        let view = View::open(Arc::new(files.clone()), None, &options).map_err(|e| format!("a reader refuses: {e}"))?;
        let size = view.head().size.0;
        let acked = known.acked.len();
        // After a power loss the last batch may wait for the next writer to prove it.
        let least = if is_kill { acked } else { acked.saturating_sub(1) };
        match known.batches_of(size) {
            Some(batches) if batches >= least => {
                let perhaps = Known::erased(&known.items(usize::MAX));
                known.compare(&view, &known.items(batches), &perhaps).map_err(|e| format!("read: {e}"))?;
            }
            found => return Err(format!("a reader is shown {size} records: {found:?} batches of {acked}")),
        }
        let report = view.verify(&mut |_, _| {}).map_err(|e| format!("verifying what was left fails: {e}"))?;
        if report.findings.is_empty() { Ok(()) } else { Err(format!("what was left has findings: {:?}", report.findings)) }
    }
}

/// What an opening came to.
struct Opened {
    /// What is known from then on.
    known: Known,
    /// Every disk state of the opening, and the one after it under mark 1.
    snapshots: Vec<Snapshot>,
}

/// Beyond the number of any record of a workload.
const FAR: u64 = 10_000_000;
/// Sends again what was under way, appends more, and is refused what names an erased subject. Gives the size.
fn go_on(store: &Store, known: &Known, was_found: bool, erased: &BTreeSet<u64>) -> Result<Size, String> {
    let fails = |what: &str| {
        let what = what.to_owned();
        move |e: Error| format!("{what} fails: {e}")
    };
    let mut nothing = |_| {};
    if let Some(first) = known.pending.first() {
        let done = match *first {
            Item::Erasure(number, of) => erase(store, number, of, &mut nothing),
            Item::Plain(_) | Item::Personal(..) => append(store, submission(&known.pending, 5)),
        };
        if done.map_err(fails("sending again what was under way"))?.repeated != was_found {
            return Err("what was under way is not what was found".to_owned());
        }
    }
    for batch in &known.acked {
        let done = match batch[0] {
            Item::Erasure(number, of) => erase(store, FAR + number, of, &mut nothing),
            Item::Plain(_) | Item::Personal(..) => append(store, submission(batch, 6)),
        };
        if !done.map_err(fails("sending again what is there"))?.repeated {
            return Err(format!("{batch:?} is appended twice"));
        }
    }
    for of in erased {
        let refused = append(store, submission(&[Item::Personal(2 * FAR + of, *of)], 0));
        let is_erased = store.view().is_erased(&SubjectId::new(subject(*of)).unwrap());
        if !matches!(refused, Err(e) if e.kind() == ErrorKind::ErasedSubject) || !matches!(is_erased, Ok(true)) {
            return Err(format!("the erased subject {of} is taken again"));
        }
    }
    let more = [Item::Plain(3 * FAR), Item::Personal(3 * FAR + 1, 3 * FAR + 1)];
    append(store, submission(&more, 0)).map_err(fails("appending"))?;
    let living = Known::living(&known.items(if was_found { usize::MAX } else { known.acked.len() }));
    if let Some(of) = living.iter().find(|of| !Known::erased(&known.pending).contains(of)) {
        append(store, submission(&[Item::Personal(3 * FAR + 2, *of)], 0)).map_err(fails("appending for a known subject"))?;
    }
    Ok(store.view().head().size)
}

/// The sectors of an image's files that are not all zero, file by file.
fn contents(image: &Image) -> impl Iterator<Item = (&String, Vec<u8>)> {
    image.files.iter().map(|(path, content)| {
        let bytes = content.to_vec();
        let mut written = Vec::with_capacity(bytes.len());
        for sector in bytes.chunks(SECTOR).filter(|sector| **sector != [0; SECTOR][..sector.len()]) {
            written.extend_from_slice(sector);
        }
        (path, written)
    })
}
fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else { return true };
    bytes.iter().enumerate().any(|(at, byte)| byte == first && bytes[at + 1..].starts_with(rest))
}
/// No file has a subject's id or a personal value in the clear.
pub(super) fn in_the_clear(image: &Image) -> Result<(), String> {
    for (path, bytes) in contents(image) {
        if holds(&bytes, SUBJECT.as_bytes()) || holds(&bytes, VALUE.as_bytes()) {
            return Err(format!("{path} has personal data in the clear"));
        }
    }
    Ok(())
}
/// No file has the key of a subject that these records erase, nor what was encrypted under it.
pub(super) fn destroyed(image: &Image, known: &Known, items: &[Item]) -> Result<(), String> {
    let erased = Known::erased(items);
    let keys = known.keys.iter().filter(|(of, _)| erased.contains(of)).map(|(of, key)| (key, "destroyed key", *of));
    let mut gone: Vec<(&[u8; 32], &str, u64)> = keys.collect();
    if gone.len() != erased.len() {
        return Err("a key is not known".to_owned());
    }
    for (of, ciphertexts) in known.ciphertexts.iter().filter(|(of, _)| erased.contains(of)) {
        gone.extend(ciphertexts.iter().map(|begin| (begin, "ciphertext of the erased subject", *of)));
    }
    // Few bytes begin like any of them: all are looked for in one go.
    let mut begins = vec![false; 1 << 16];
    let begin = |bytes: &[u8]| usize::from(u16::from_le_bytes([bytes[0], bytes[1]]));
    gone.iter().for_each(|(bytes, ..)| begins[begin(&bytes[..])] = true);
    for (path, bytes) in contents(image).filter(|_| !gone.is_empty()) {
        let places = (0..bytes.len().saturating_sub(31)).filter(|at| begins[begin(&bytes[*at..])]);
        for at in places {
            if let Some((_, what, of)) = gone.iter().find(|(needle, ..)| bytes[at..].starts_with(&needle[..])) {
                return Err(format!("{path} still has a {what}, {of}"));
            }
        }
    }
    Ok(())
}
/// The first file of log or vault that differs; `HEAD` may, as its two slots take turns.
fn difference(one: &Image, other: &Image) -> Option<String> {
    let relied_on = |image: &Image| -> Vec<(String, crate::sim::Content)> {
        let files = image.files.iter().filter(|(path, _)| !path.starts_with("index/") && *path != "HEAD");
        files.map(|(path, content)| (path.clone(), content.clone())).collect()
    };
    let (one, other) = (relied_on(one), relied_on(other));
    let differing = one.iter().find(|file| !other.contains(file)).or_else(|| other.iter().find(|file| !one.contains(file)));
    differing.map(|(path, _)| path.clone())
}
