//! A ledger going through a history, and what must be there.

use super::super::judge::{Effort, Judge, destroyed, in_the_clear, seeded};
use super::super::known::{Item, Known, compare_value, erase, submission};
use super::*;
use crate::sim::{Fault, Image};
use sovang_core::Head;
use sovang_core::tree::{Frontier, leaf_hash};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::ErrorKind as Io;

/// What histories did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    histories: u64,
    operations: u64,
    records: u64,
    values: u64,
    erasures: u64,
    openings: u64,
    pub(super) power_losses: u64,
    pub(super) failures: u64,
    pub(super) full: u64,
    /// Full disks that were met after the space had been reserved.
    pub(super) full_in_the_middle: u64,
    torn: u64,
    pub(super) orphans: u64,
    /// Erasures that were found in the log and not answered: an opening completed them.
    pub(super) completed: u64,
    looks: u64,
    judged: u64,
    /// Of the disk in the end.
    pub(super) digest: u64,
}
impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.histories += other.histories;
        self.operations += other.operations;
        self.records += other.records;
        self.values += other.values;
        self.erasures += other.erasures;
        self.openings += other.openings;
        self.power_losses += other.power_losses;
        self.failures += other.failures;
        self.full += other.full;
        self.full_in_the_middle += other.full_in_the_middle;
        self.torn += other.torn;
        self.orphans += other.orphans;
        self.completed += other.completed;
        self.looks += other.looks;
        self.judged += other.judged;
    }
}
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { histories, operations, records, values, erasures, openings, .. } = self;
        write!(f, "{histories} histories, {operations} operations, {records} records with {values} personal values, ")?;
        write!(f, "{erasures} erasures, {} of them completed by an opening, {openings} openings, ", self.completed)?;
        write!(f, "{} power losses, {} failures met, ", self.power_losses, self.failures)?;
        write!(f, "{} full disks and {} met in the middle, ", self.full, self.full_in_the_middle)?;
        write!(f, "{} orphans removed, {} torn tails of the vault, ", self.orphans, self.torn)?;
        write!(f, "{} looks of readers, {} times all judged", self.looks, self.judged)
    }
}

/// How far something is known to have come when an opening is judged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    /// The machine went on: a reader sees everything that was answered.
    Kill,
    /// A reader may have to wait for the next writer to prove the last batch.
    PowerLoss,
}

struct Ledger {
    segment_bytes: u64,
    strict: bool,
    through: Through,
    files: SimFiles,
    store: Option<Store>,
    reader: Option<View>,
    known: Known,
    frontier: Frontier,
    /// At the end of each batch, the empty ledger first.
    heads: Vec<Head>,
    /// What a reader was shown last.
    shown: Head,
    /// Keys by their handles.
    drawn: Arc<Mutex<BTreeMap<[u8; 16], [u8; 32]>>>,
    next: u64,
    counts: Counts,
}

/// Runs a history through a view of the disk and says what it did; or at which operation what went wrong.
pub(super) fn run(history: &History, through: Through) -> Result<Counts, (usize, String)> {
    let files = SimFiles::new();
    let (frontier, head) = (Frontier::new(), Frontier::new().head());
    let mut ledger = Ledger {
        segment_bytes: history.segment_bytes,
        strict: history.strict,
        through,
        files,
        store: None,
        reader: None,
        known: Known::default(),
        frontier,
        heads: vec![head],
        shown: head,
        drawn: Arc::default(),
        next: 1,
        counts: Counts { histories: 1, ..Counts::default() },
    };
    let created = Store::create(ledger.seen(), identity(), ledger.options()).map_err(|e| (0, format!("creating fails: {e}")))?;
    drop(created);
    ledger.open(After::Kill, "the first opening").map_err(|what| (0, what))?;
    for (n, op) in history.ops.iter().enumerate() {
        ledger.counts.operations += 1;
        ledger.take(*op).map_err(|what| (n, format!("operation {n}, {op:?}: {what}")))?;
    }
    ledger.end().map_err(|what| (history.ops.len(), format!("in the end: {what}")))
}

/// What an operation comes to: an error of the ledger, or of the judgement.
type Outcome = Result<Result<()>, String>;

impl Ledger {
    fn seen(&self) -> Arc<dyn Files> {
        (self.through)(self.files.clone())
    }
    fn options(&mut self) -> StoreOptions {
        self.counts.openings += 1;
        // Never those that a judge draws from.
        let mut options = seeded(self.segment_bytes, 10_000 + self.counts.openings);
        options.durability = if self.strict { Durability::Strict } else { Durability::Grouped };
        let (random, drawn) = (options.random, Arc::clone(&self.drawn));
        options.random = Arc::new(move |bytes| {
            random(bytes)?;
            if let (48, Some((handle, key))) = (bytes.len(), bytes.split_first_chunk::<16>()) {
                drawn.lock().unwrap().insert(*handle, key.try_into().unwrap());
            }
            Ok(())
        });
        options
    }
    fn store(&self) -> Result<&Store, String> {
        self.store.as_ref().ok_or_else(|| "no store is open".to_owned())
    }
    fn head(&self) -> Head {
        *self.heads.last().unwrap()
    }

    /// The process is gone, with all that it would still have done.
    fn die(&mut self) {
        let disk = self.files.disk();
        self.store = None;
        self.files.set_disk(disk);
        self.files.take_faults();
    }
    /// The power fails: whatever is pending reached the disk or did not.
    fn lose_power(&mut self, seed: u64) {
        self.counts.power_losses += 1;
        // The vault relies on whole sectors.
        let crash = self.files.disk().crash_by(seed, false);
        (self.store, self.reader) = (None, None);
        self.files = SimFiles::from_image(&crash.image);
    }
    /// Opens what is there, and judges it: before, by a reader; opened; and opened again if there was something to do.
    fn open(&mut self, after: After, what: &str) -> Result<(), String> {
        let before = vault_of(self.files.disk().visible());
        in_the_clear(&before)?;
        destroyed(&before, &self.known, &self.known.items(self.known.acked.len()))?;
        self.read_before(after)?;
        let options = self.options();
        let opened = Store::open(self.seen(), options, None).map_err(|e| format!("{what} refuses a legal state: {e}"))?;
        self.opened(opened)?;
        let done = self.store()?.opening().clone();
        self.counts.orphans += done.vault.orphans;
        self.counts.torn += u64::from(done.vault.torn_bytes > 0);
        if done != Opening::default() {
            self.die();
            let options = self.options();
            let again = Store::open(self.seen(), options, None).map_err(|e| format!("opening again refuses: {e}"))?;
            if *again.opening() != Opening::default() {
                return Err(format!("opening again has something to do: {:?}", again.opening()));
            }
            self.opened(again)?;
        }
        Ok(())
    }
    /// What a reader finds before any writer has come.
    fn read_before(&mut self, after: After) -> Result<(), String> {
        let view = View::open(self.seen(), None, &seeded(self.segment_bytes, 4_000));
        let view = view.map_err(|e| format!("a reader refuses: {e}"))?;
        let acked = self.known.acked.len();
        let least = if after == After::Kill { acked } else { acked.saturating_sub(1) };
        let size = view.head().size.0;
        match self.known.batches_of(size) {
            Some(batches) if batches >= least => {
                let perhaps = Known::erased(&self.known.items(usize::MAX));
                self.known.compare(&view, &self.known.items(batches), &perhaps).map_err(|e| format!("read: {e}"))
            }
            found => Err(format!("a reader is shown {size} records: {found:?} batches of {acked}")),
        }
    }
    /// What an opening found: all that was answered, or that and the batch under way.
    fn opened(&mut self, store: Store) -> Result<(), String> {
        // It rests when it is told to.
        store.queue.rest_after(Duration::from_secs(3_600));
        let size = store.view().head().size.0;
        let acked = self.known.acked.len();
        match self.known.batches_of(size) {
            Some(batches) if batches == acked => self.known.pending.clear(),
            Some(batches) if batches > acked => {
                self.counts.completed += u64::from(matches!(self.known.pending[..], [Item::Erasure(..)]));
                let frames = store.view().scan(self.head().size.0..size);
                let hashes: Vec<_> = frames
                    .map(|read| read.map(|(position, frame)| frame.hash(position)))
                    .collect::<Result<_>>()
                    .map_err(|e| format!("what is there cannot be read: {e}"))?;
                self.answered(&hashes);
            }
            found => return Err(format!("opened: {size} records: {found:?} batches of {acked}")),
        }
        let items = self.known.items(usize::MAX);
        self.known.compare(store.view(), &items, &BTreeSet::new()).map_err(|e| format!("opened: {e}"))?;
        if store.view().head() != self.head() {
            return Err(format!("opened: {:?}, not {:?}", store.view().head(), self.head()));
        }
        if self.shown.size > self.head().size || self.shown.size == self.head().size && self.shown != self.head() {
            return Err(format!("a reader was shown {:?}, there is {:?}", self.shown, self.head()));
        }
        let disk = self.files.disk();
        for image in [disk.visible(), disk.durable()] {
            destroyed(&vault_of(image), &self.known, &items).map_err(|e| format!("opened: {e}"))?;
        }
        self.store = Some(store);
        Ok(())
    }
    /// The batch under way is there, with these hashes.
    fn answered(&mut self, hashes: &[sovang_core::RecordHash]) {
        for (item, hash) in self.known.pending.iter().zip(hashes) {
            self.known.hashes.insert(item.number(), *hash);
            self.frontier.push(leaf_hash(hash));
            match item {
                Item::Plain(_) => {}
                Item::Personal(..) => self.counts.values += 1,
                Item::Erasure(..) => self.counts.erasures += 1,
            }
        }
        self.heads.push(self.frontier.head());
        self.known.answered();
    }
    /// Takes an answer to what is under way.
    fn settle(&mut self, done: Result<Done>) -> Outcome {
        let done = match done {
            Ok(done) => done,
            Err(e) => {
                if e.kind() == ErrorKind::NoSpace {
                    // Nothing of it was written: from now on it must not be there.
                    self.known.pending.clear();
                }
                return Ok(Err(e));
            }
        };
        let sent = self.known.pending.iter().map(|item| id(item.number()));
        if done.repeated || !sent.eq(done.records.iter().map(|placed| placed.id)) {
            return Err(format!("another answer: {done:?}"));
        }
        let hashes: Vec<_> = done.records.iter().map(|placed| placed.hash).collect();
        self.answered(&hashes);
        if done.size != self.head().size || self.store()?.view().head() != self.head() {
            return Err(format!("an append answers {}, not {:?}", done.size, self.head()));
        }
        Ok(Ok(()))
    }

    /// One record: plain, of a new subject, or of a known one.
    fn draw(&mut self, who: u64, living: &[u64]) -> Item {
        self.next += 1;
        // One value in 16 goes over several sectors.
        let number = self.next * 1_000 + u64::from(who % 16 != 7);
        let known = usize::try_from(who >> 8).ok().and_then(|n| living.get(n % living.len().max(1)));
        match (who % 4, known) {
            (0, _) => Item::Plain(number),
            (2 | 3, Some(of)) => Item::Personal(number, *of),
            _ => Item::Personal(number, number),
        }
    }
    fn append(&mut self, records: u8, who: u64) -> Outcome {
        let living = Known::living(&self.known.items(usize::MAX));
        let items: Vec<Item> = (0..u32::from(records)).map(|n| self.draw(who.rotate_right(5 * n), &living)).collect();
        let submission = submission(&items, 0);
        self.known.pending = items;
        let done = append(self.store()?, submission);
        self.settle(done)
    }
    fn erase(&mut self, which: u64) -> Outcome {
        let items = self.known.items(usize::MAX);
        let living = Known::living(&items);
        let Some(of) = usize::try_from(which).ok().and_then(|n| living.get(n.checked_rem(living.len())?)).copied() else {
            return self.append(1, 1);
        };
        self.next += 1;
        let number = self.next * 1_000 + 1;
        self.known.ciphertexts.insert(of, self.ciphertexts(&items, of));
        self.known.pending = vec![Item::Erasure(number, of)];
        let mut key = None;
        let drawn = Arc::clone(&self.drawn);
        let done = erase(self.store()?, number, of, &mut |handle| key = drawn.lock().unwrap().get(&handle).copied());
        match (key, done) {
            (Some(key), done) => {
                self.known.keys.insert(of, key);
                self.settle(done)
            }
            // The vault could not be asked for the handle: nothing was sent.
            (None, Err(e)) => {
                self.known.pending.clear();
                Ok(Err(e))
            }
            (None, Ok(done)) => Err(format!("erased without a handle: {done:?}")),
        }
    }
    /// How the ciphertexts of a subject's values begin (docs/FORMAT.md §7.3).
    fn ciphertexts(&self, items: &[Item], of: u64) -> Vec<[u8; 32]> {
        let is_of = |item: &&Item| matches!(item, Item::Personal(_, other) if *other == of);
        let ids: BTreeSet<[u8; 16]> = items.iter().filter(is_of).map(|item| id(item.number()).to_bytes()).collect();
        let rows = self.files.disk().visible().files["vault/rows"].to_vec();
        let rows = rows.windows(256).step_by(128).filter(|row| row.starts_with(b"SOVR\x01\0"));
        let of_these = rows.filter(|row| ids.contains(&row[16..32]));
        of_these.map(|row| row[112..144].try_into().unwrap()).collect()
    }
    fn rest(&self) -> Result<(), String> {
        let queue = Arc::clone(&self.store()?.queue);
        if !queue.is_rested() {
            queue.rest_after(Duration::ZERO);
            while !queue.is_rested() {
                std::thread::yield_now();
            }
            queue.rest_after(Duration::from_secs(3_600));
        }
        Ok(())
    }
    fn close(&mut self) -> Result<()> {
        self.store.take().map_or(Ok(()), |store| store.close())
    }
    fn during(&mut self, during: During, who: u64) -> Outcome {
        match during {
            During::Append => self.append(1 + who.to_le_bytes()[0] % 3, who),
            During::Erase => self.erase(who),
            During::Rest => self.rest().map(Ok),
            During::Close => Ok(self.close()),
        }
    }

    fn take(&mut self, op: Op) -> Result<(), String> {
        let without_a_fault = |done: Result<()>| done.map_err(|e| format!("fails without a fault: {e}"));
        match op {
            Op::Append { records, who } => without_a_fault(self.append(records, who)?),
            Op::Again { which } => self.again(which),
            Op::Refused { which } => self.refused(which),
            Op::Erase { which } => without_a_fault(self.erase(which)?),
            Op::Rest => self.rest(),
            Op::Full { bytes, erasing, who } => self.full(u64::from(bytes), erasing, who),
            Op::Look { which } => self.look(which),
            Op::Read { which } => self.read(self.store()?.view(), self.known.acked.len(), which),
            Op::Close => {
                without_a_fault(self.close())?;
                self.open(After::Kill, "opening after a close")
            }
            Op::Kill => {
                self.die();
                self.open(After::Kill, "opening after a kill")
            }
            Op::PowerLoss { seed } => {
                self.lose_power(seed);
                self.open(After::PowerLoss, "recovery")
            }
            Op::PowerLossWithin { during, call, seed } => {
                self.meet(during, Fault::Gone { nth: call, error: Io::Other }, seed)?;
                self.lose_power(seed);
                self.open(After::PowerLoss, "recovery")
            }
            Op::PowerLossTwice { call, seed } => {
                self.lose_power(seed);
                self.fail_opening(Fault::Gone { nth: call, error: Io::Other })?;
                self.lose_power(seed ^ 0x55);
                self.open(After::PowerLoss, "the second recovery")
            }
            Op::Failing { during, fault, nth, evicted } => {
                self.meet(during, fault_of(fault, nth, evicted), evicted)?;
                self.die();
                self.files.evict(evicted);
                self.open(After::PowerLoss, "opening after a failure")
            }
            Op::FailingOpening { call, error } => {
                self.die();
                self.fail_opening(Fault::Call { nth: call, error: error_of(error) })?;
                self.open(After::PowerLoss, "opening after a failed one")
            }
            Op::Verify => self.verify(),
            Op::Judge { seed } => self.judge(seed),
        }
    }
    /// Lets something go wrong.
    fn meet(&mut self, during: During, fault: Fault, who: u64) -> Result<(), String> {
        self.files.inject(fault);
        let done = self.during(during, who)?;
        let fired = self.files.take_faults() > 0;
        self.counts.failures += u64::from(fired);
        match done {
            // A file that only makes things faster may fail, and space that is set aside ahead.
            Ok(()) => Ok(()),
            Err(e) if !fired => Err(format!("fails without a fault: {e}")),
            Err(e) if e.kind() == ErrorKind::Damaged && !matches!(fault, Fault::StaleRead { .. }) => {
                Err(format!("a failing call is called damage: {e}"))
            }
            Err(_) => Ok(()),
        }
    }
    fn fail_opening(&mut self, fault: Fault) -> Result<(), String> {
        self.files.inject(fault);
        let options = self.options();
        let opened = Store::open(self.seen(), options, None);
        let disk = self.files.disk();
        let fired = self.files.take_faults() > 0;
        self.counts.failures += u64::from(fired);
        match opened {
            Ok(store) => {
                self.opened(store)?;
                self.store = None;
                self.files.set_disk(disk);
                Ok(())
            }
            Err(e) if !fired => Err(format!("an opening refuses a legal state: {e}")),
            Err(e) if e.kind() == ErrorKind::Damaged => Err(format!("a failing call is called damage: {e}")),
            Err(_) => Ok(()),
        }
    }
    fn full(&mut self, bytes: u64, erasing: bool, who: u64) -> Result<(), String> {
        let used: u64 = self.files.disk().visible().files.values().map(crate::sim::Content::len).sum();
        self.files.set_capacity(Some(used + bytes));
        let done = if erasing { self.erase(who)? } else { self.append(2, who)? };
        self.files.set_capacity(None);
        match done {
            Ok(()) => Ok(()),
            Err(e) if e.kind() == ErrorKind::NoSpace => {
                self.counts.full += 1;
                Ok(())
            }
            // It was met in the middle: what an interrupted rotation had left made room for the next segment, not for the seal.
            Err(e) if e.kind() == ErrorKind::Poisoned => {
                self.counts.full_in_the_middle += 1;
                self.die();
                self.open(After::Kill, "opening after a full disk")
            }
            Err(e) => Err(format!("a full disk is reported as {:?}: {e}", e.kind())),
        }
    }
    fn again(&mut self, which: u64) -> Result<(), String> {
        let acked = &self.known.acked;
        let Some(batch) = usize::try_from(which).ok().and_then(|n| acked.get(n.checked_rem(acked.len())?)) else {
            return Ok(());
        };
        let done = match batch[0] {
            Item::Erasure(number, of) => erase(self.store()?, number + 500, of, &mut |_| {}),
            Item::Plain(_) | Item::Personal(..) => append(self.store()?, submission(batch, 1 + which % 3)),
        };
        let done = done.map_err(|e| format!("sending again fails: {e}"))?;
        let same = done.records.iter().map(|placed| Some(&placed.hash));
        if done.repeated && same.eq(batch.iter().map(|item| self.known.hashes.get(&item.number()))) {
            return Ok(());
        }
        Err(format!("{batch:?} sent again is {done:?}"))
    }
    fn refused(&mut self, which: u64) -> Result<(), String> {
        let items = self.known.items(usize::MAX);
        let erased: Vec<u64> = Known::erased(&items).into_iter().collect();
        let pick = |count: usize| usize::try_from(which >> 4).ok()?.checked_rem(count);
        let (first, second) = (Item::Plain((self.next + 1) * 1_000 + 1), (self.next + 2) * 1_000 + 1);
        self.next += 2;
        let there = pick(items.len()).map(|n| items[n]).filter(|item| !matches!(item, Item::Erasure(..)));
        let (batch, kind) = match (pick(erased.len()), there) {
            (Some(of), _) if which.is_multiple_of(2) => {
                (vec![first, Item::Personal(second, erased[of])], ErrorKind::ErasedSubject)
            }
            (_, Some(there)) => (vec![first, there], ErrorKind::PartlyPresent),
            _ => return Ok(()),
        };
        match append(self.store()?, submission(&batch, 0)) {
            Err(e) if e.kind() == kind => Ok(()),
            other => Err(format!("{batch:?} is not refused: {other:?}")),
        }
    }
    fn look(&mut self, which: u64) -> Result<(), String> {
        self.counts.looks += 1;
        let reader = match self.reader.take() {
            Some(reader) => reader.refresh().map(|_| reader),
            None => View::open(self.seen(), None, &seeded(self.segment_bytes, 5_000)),
        };
        let reader = reader.map_err(|e| format!("a reader is refused: {e}"))?;
        let head = reader.head();
        // The writer has answered nothing yet that it has not written to HEAD as well.
        if head != self.head() {
            return Err(format!("a reader is shown {head:?}, not {:?}", self.head()));
        }
        self.shown = head;
        self.read(&reader, self.known.acked.len(), which)?;
        self.reader = Some(reader);
        Ok(())
    }
    /// Reads one of the first records by its id, and its value.
    fn read(&self, view: &View, batches: usize, which: u64) -> Result<(), String> {
        let items = self.known.items(batches);
        let Some(at) = usize::try_from(which).ok().and_then(|n| n.checked_rem(items.len())) else { return Ok(()) };
        let item = items[at];
        let position = view.find(id(item.number())).map_err(|e| format!("{item:?} cannot be found: {e}"))?;
        if position != Some(Position(at as u64)) {
            return Err(format!("{item:?} is at {position:?}, not at {at}"));
        }
        let frame = view.frame(Position(at as u64)).map_err(|e| format!("{item:?} cannot be read: {e}"))?;
        if Some(&frame.hash(Position(at as u64))) != self.known.hashes.get(&item.number()) {
            return Err(format!("another record is at {at}"));
        }
        let erased = Known::erased(&items);
        compare_value(view, item, &frame, &erased, &BTreeSet::new())
    }
    fn verify(&self) -> Result<(), String> {
        let report = self.store()?.view().verify(&mut |_, _| {}).map_err(|e| format!("verifying fails: {e}"))?;
        if report.findings.is_empty() && report.head == self.head() {
            return Ok(());
        }
        Err(format!("verification finds {:?} and {:?}", report.head, report.findings))
    }
    /// What the workloads of up to three operations go through, on what a kill leaves now and on what a power loss does.
    fn judge(&mut self, seed: u64) -> Result<(), String> {
        self.counts.judged += 1;
        let mut judge = Judge::new(self.segment_bytes, Effort { images: 1, second_images: 1, second_one_in: 4 });
        let disk = self.files.disk();
        judge.kill(&disk, &self.known, &|| "killed".to_owned());
        let crash = disk.crash_by(seed, false);
        judge.image(&crash.image, &self.known, true, &|| format!("power lost with [{crash}]"));
        if judge.violations.is_empty() { Ok(()) } else { Err(judge.violations.join("\n")) }
    }
    fn end(mut self) -> Result<Counts, String> {
        self.close().map_err(|e| format!("closing fails: {e}"))?;
        self.open(After::Kill, "opening")?;
        self.verify()?;
        let image = self.files.disk().visible();
        in_the_clear(&image)?;
        destroyed(&image, &self.known, &self.known.items(usize::MAX))?;
        self.counts.records = self.head().size.0;
        let mut hasher = DefaultHasher::new();
        self.files.disk().visible().hash(&mut hasher);
        self.counts.digest = hasher.finish();
        Ok(self.counts)
    }
}

/// The vault's files alone: what is searched at each opening. In the end everything is.
fn vault_of(mut image: Image) -> Image {
    image.files.retain(|path, _| path.starts_with("vault/"));
    image
}
fn error_of(number: u8) -> Io {
    [Io::Other, Io::StorageFull, Io::Interrupted, Io::PermissionDenied, Io::ReadOnlyFilesystem][usize::from(number % 5)]
}
fn fault_of(fault: u8, nth: u64, drawn: u64) -> Fault {
    let error = error_of(fault / 8);
    match fault % 8 {
        0 => Fault::Sync { nth, kept: drawn, len_kept: drawn.is_multiple_of(2) },
        1 => Fault::Sync { nth, kept: 0, len_kept: false },
        2 => Fault::Write { nth, sectors: drawn % 4 },
        3 => Fault::Gone { nth: 2 * nth, error },
        4 => Fault::Rename { nth: 1 },
        5 => Fault::Allocate { nth: 1 + nth % 2 },
        6 => Fault::StaleRead { nth },
        _ => Fault::Call { nth: 2 * nth, error },
    }
}
