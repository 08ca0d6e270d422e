//! Seeded histories of a thousand operations each, over log and vault together: appends with and without personal values, batches,
//! records sent again, erasures, power losses, kills, failing calls, full disks, with a reader beside (docs/RELIABILITY.md). The
//! judgement is that of [`super::judge`]; `crates/storage/tests/swarm` does the same to the log alone.
//!
//! `SOVANG_CRASH_SCALE=n` runs n times as many, `SOVANG_SWARM=n` so many, `SOVANG_SWARM_SEED=n` begins with another seed.

mod ledger;

use super::*;
use crate::sim::Random;
use ledger::{Counts, run};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Operations of a history.
const OPERATIONS: usize = 1_000;
/// Histories without `SOVANG_CRASH_SCALE`.
const HISTORIES: u64 = 60;

/// What a call fails in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum During {
    Append,
    Erase,
    Rest,
    Close,
}

/// One operation. Everything it draws follows from its own numbers, so that others can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    /// Appends a batch of so many records: plain, of a new subject or of a known one, as `who` says.
    Append { records: u8, who: u64 },
    /// Sends a batch again that was answered, or asks for an erasure again.
    Again { which: u64 },
    /// Sends what must be refused: a value of an erased subject, or a batch of which a part is there.
    Refused { which: u64 },
    /// Erases a subject.
    Erase { which: u64 },
    /// Nothing comes for a while.
    Rest,
    /// Appends, or erases, while there is only so much space.
    Full { bytes: u16, erasing: bool, who: u64 },
    /// A reader beside the writer looks, and reads a record.
    Look { which: u64 },
    /// The writer's own view reads a record.
    Read { which: u64 },
    /// Closes and opens.
    Close,
    /// The process dies and another opens.
    Kill,
    /// The power fails, in one of the ways that are possible then.
    PowerLoss { seed: u64 },
    /// The power fails within an append, an erasure, a rest or a closing, at one of its calls.
    PowerLossWithin { during: During, call: u64, seed: u64 },
    /// It fails, and again while log and vault are recovered.
    PowerLossTwice { call: u64, seed: u64 },
    /// Something goes wrong, what is clean leaves the cache, the process dies and another opens.
    Failing { during: During, fault: u8, nth: u64, evicted: u64 },
    /// Something goes wrong in an opening, which is then repeated.
    FailingOpening { call: u64, error: u8 },
    /// Every byte is verified.
    Verify,
    /// The full judgement of what a kill would leave now, and a power loss.
    Judge { seed: u64 },
}
/// How often each may come at most, the dearer the rarer.
const MOST: [usize; 16] = [500, 60, 30, 40, 60, 20, 60, 60, 6, 6, 8, 12, 4, 16, 4, 2];

impl During {
    fn drawn(random: &mut Random) -> Self {
        let all = [Self::Append, Self::Append, Self::Append, Self::Erase, Self::Erase, Self::Rest, Self::Close];
        all[random.below(all.len())]
    }
}
impl Op {
    fn drawn(kind: usize, random: &mut Random) -> Self {
        let call = |random: &mut Random| 1 + random.draw() % 16;
        match kind {
            0 => {
                let records = if random.below(4) == 0 { 2 + random.draw().to_le_bytes()[0] % 4 } else { 1 };
                Self::Append { records, who: random.draw() }
            }
            1 => Self::Again { which: random.draw() },
            2 => Self::Refused { which: random.draw() },
            3 => Self::Erase { which: random.draw() },
            4 => Self::Rest,
            5 => {
                let bytes = if random.below(2) == 0 { 0 } else { random.draw() % 10_000 };
                let bytes = u16::try_from(bytes).unwrap_or(0);
                Self::Full { bytes, erasing: random.below(4) == 0, who: random.draw() }
            }
            6 => Self::Look { which: random.draw() },
            7 => Self::Read { which: random.draw() },
            8 => Self::Close,
            9 => Self::Kill,
            10 => Self::PowerLoss { seed: random.draw() },
            // Now and then there is no such call, and the power fails just after.
            11 => Self::PowerLossWithin { during: During::drawn(random), call: 2 * call(random), seed: random.draw() },
            12 => Self::PowerLossTwice { call: 4 * call(random), seed: random.draw() },
            13 => {
                let (fault, nth) = (random.draw().to_le_bytes()[0], 1 + random.draw() % 6);
                Self::Failing { during: During::drawn(random), fault, nth, evicted: random.draw() }
            }
            14 => Self::FailingOpening { call: 4 * call(random), error: random.draw().to_le_bytes()[0] },
            // By far the dearest.
            _ if random.below(8) == 0 => Self::Judge { seed: random.draw() },
            _ => Self::Verify,
        }
    }
}

/// A history: how the ledger is opened, and what is done.
#[derive(Clone, Debug, PartialEq, Eq)]
struct History {
    segment_bytes: u64,
    strict: bool,
    ops: Vec<Op>,
}
impl History {
    /// The history of a seed. How often each operation comes is drawn as well: some histories only append, some hardly do.
    fn of(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let segments = [OF_ONE_BATCH, 4_096 + 2_000, 12_000, 30_000, LARGE];
        let (segment_bytes, strict) = (segments[random.below(segments.len())], random.below(4) == 0);
        let weights = MOST.map(|most| if random.below(5) == 0 { 0 } else { 1 + random.below(most) });
        let total: usize = weights.iter().sum();
        let drawn = |random: &mut Random| {
            let mut at = random.below(total);
            let kind = weights.iter().position(|weight| {
                let here = at < *weight;
                at = at.saturating_sub(*weight);
                here
            });
            Op::drawn(kind.unwrap_or(0), random)
        };
        Self { segment_bytes, strict, ops: (0..OPERATIONS).map(|_| drawn(&mut random)).collect() }
    }
}

/// How the store sees the disk.
type Through = fn(SimFiles) -> Arc<dyn Files>;
fn as_it_is(files: SimFiles) -> Arc<dyn Files> {
    Arc::new(files)
}
/// Runs a history; a panic is a failure like any other. The number is that of the operation that failed.
fn try_run(history: &History, through: Through) -> Result<Counts, (usize, String)> {
    catch_unwind(AssertUnwindSafe(|| run(history, through))).unwrap_or_else(|panic| {
        let said =
            panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()));
        Err((history.ops.len(), format!("a panic: {}", said.unwrap_or_default())))
    })
}
/// The shortest history found in which it still goes wrong, by leaving out half of the operations, a quarter, down to each alone.
fn shortest(history: &History, failed: usize, through: Through) -> (History, String) {
    let fails = |history: &History| try_run(history, through).err().map(|(_, what)| what);
    let mut least = history.clone();
    least.ops.truncate(failed + 1);
    let Some(mut why) = fails(&least) else {
        return (history.clone(), "only with all of the operations".to_owned());
    };
    let mut chunk = least.ops.len();
    while chunk > 0 {
        let (before, mut at) = (least.ops.len(), 0);
        while at < least.ops.len() {
            let mut shorter = least.clone();
            shorter.ops.drain(at..(at + chunk).min(least.ops.len()));
            match fails(&shorter) {
                Some(what) => (least, why) = (shorter, what),
                None => at += chunk,
            }
        }
        // Once more with single ones, as long as that helps.
        chunk = if chunk == 1 && least.ops.len() < before { 1 } else { chunk / 2 };
    }
    (least, why)
}

/// The histories in two parts, so that they run at once.
fn histories(part: u64) {
    let number = |name| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    let first = number("SOVANG_SWARM_SEED").unwrap_or(0);
    let histories = number("SOVANG_SWARM").unwrap_or(HISTORIES * scale());
    let mut total = Counts::default();
    for seed in (first..first + histories).filter(|seed| seed % 2 == part) {
        let history = History::of(seed);
        match try_run(&history, as_it_is) {
            Ok(counts) => total += counts,
            Err((failed, what)) => {
                println!("seed {seed}: {what}\nlooking for the shortest history that fails ...");
                let (least, why) = shortest(&history, failed, as_it_is);
                panic!("seed {seed}: {what}\nthe shortest that fails: {least:?}\nwith: {why}");
            }
        }
    }
    println!("histories of log and vault, part {part}: {total}");
    if histories >= HISTORIES {
        assert!(total.power_losses > 0 && total.failures > 0 && total.completed > 0 && total.orphans > 0, "{total}");
        assert!(total.full >= 10 * total.full_in_the_middle, "{total}");
    }
}
#[test]
fn histories_of_log_and_vault_of_even_seeds_hold() {
    histories(0);
}
#[test]
fn histories_of_log_and_vault_of_odd_seeds_hold() {
    histories(1);
}

/// The same seed is the same history, and writes the same bytes.
#[test]
fn a_seed_is_a_history() {
    let history = History::of(42);
    assert_eq!((&history, history.ops.len()), (&History::of(42), OPERATIONS));
    assert_ne!(history, History::of(43));
    let digest = |seed| try_run(&History::of(seed), as_it_is).unwrap().digest;
    assert_eq!(digest(42), digest(42));
}

/// The histories are tested too: each mistake in the order of writes is found in a few of them, and cut down to a few operations.
#[test]
fn a_mistake_is_found_by_a_few_histories() {
    for (name, through, _) in careless::ALL {
        let found = (0..100).find_map(|seed| {
            let history = History::of(seed);
            try_run(&history, through).err().map(|(failed, what)| (seed, history, failed, what))
        });
        let Some((seed, history, failed, what)) = found else { panic!("{name} is not found out") };
        let (least, why) = shortest(&history, failed, through);
        println!("{name}: seed {seed}, {what}; {} operations are enough: {:?}, {why}", least.ops.len(), least.ops);
        assert!(least.ops.len() <= 60, "{name}: {least:?}");
    }
}
