//! Power losses, killed processes and failing disks: after each, every acknowledged record is there, nothing that was not
//! written, no batch in part, and the log goes on (docs/RELIABILITY.md).
//!
//! `SOVANG_CRASH_SCALE=n` looks at n times as many workloads and images.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod careless;
mod follow;
mod lies;
mod oracle;
mod records;
mod window;
mod work;

use oracle::{Effort, Judge};
use sovang_storage::log::LogOptions;
use sovang_storage::sim::Fault;
use work::{Base, Op, base, creation, history, run};

fn scale() -> u64 {
    std::env::var("SOVANG_CRASH_SCALE").ok().and_then(|scale| scale.parse().ok()).unwrap_or(1)
}
fn effort() -> Effort {
    Effort { images: 1_024 * scale(), second_images: 2 * scale(), second_one_in: 1, torn: 96 * scale() }
}
/// Segments of one batch, of a few, and one that does not fill.
const SEGMENTS: [u64; 3] = [4_096 + 500, 4_096 + 2_000, 64 << 10];
const BASES: [Base; 3] =
    [Base { records: 0, closed: false }, Base { records: 3, closed: false }, Base { records: 3, closed: true }];
const OPS: [Op; 7] = [Op::Append, Op::Batch, Op::Large, Op::Idle, Op::Close, Op::Kill, Op::NoSpace];

/// Judges from each base all sequences of operations, the n-th out of the n-th list, of each length; of the longest only
/// one in so many.
fn explore(judge: &mut Judge, ops: &[&[Op]], one_in: u64, name: &str) {
    for from in BASES {
        let start = base(judge.options, from).unwrap();
        let mut paths: Vec<Vec<Op>> = vec![Vec::new()];
        for (depth, ops) in (1..).zip(ops) {
            let is_longest = depth == MAX_DEPTH;
            let all = paths.iter().flat_map(|path| ops.iter().map(move |op| [&path[..], &[*op]].concat()));
            let chosen: Vec<Vec<Op>> = (0..).zip(all).filter(|(n, _)| !is_longest || n % one_in == 0).map(|(_, p)| p).collect();
            paths = chosen;
            paths.retain(|path| !judge.done() && run(judge, &start, path, &format!("{name} {from:?}")));
        }
    }
}
const MAX_DEPTH: usize = 3;

fn holds(judge: &Judge, name: &str) {
    println!("{name}: {}", judge.counts);
    assert!(judge.violations.is_empty(), "{name}:\n{}", judge.violations.join("\n"));
    assert!(judge.counts.distinct > 0, "nothing was looked at");
}
fn options(segment_bytes: u64, strict: bool) -> LogOptions {
    LogOptions { segment_bytes, strict }
}
fn crashes(segment_bytes: u64, strict: bool, one_in: u64, name: &str) {
    let mut judge = Judge::new(options(segment_bytes, strict), effort());
    explore(&mut judge, &[&OPS[..]; MAX_DEPTH], (one_in / scale()).max(1), name);
    holds(&judge, name);
}

#[test]
fn creation_interrupted_anywhere_can_be_repeated() {
    let mut judge =
        Judge::new(options(64 << 20, false), Effort { images: 65_536, second_images: 64, second_one_in: 1, torn: 4_096 });
    creation(&mut judge);
    holds(&judge, "creation");
}
#[test]
fn a_crash_anywhere_loses_nothing_acknowledged() {
    crashes(SEGMENTS[1], false, 1, "segments of a few batches");
}
#[test]
fn a_crash_in_a_rotation_loses_nothing_acknowledged() {
    crashes(SEGMENTS[0], false, 1, "a segment for each batch");
}
#[test]
fn a_crash_in_a_large_segment_loses_nothing_acknowledged() {
    crashes(SEGMENTS[2], false, 1, "large segments");
}
#[test]
fn a_crash_in_a_batch_of_many_sectors_loses_nothing_acknowledged() {
    let effort = Effort { images: 512 * scale(), second_images: 4 * scale(), second_one_in: 8, torn: 96 * scale() };
    let mut judge = Judge::new(options(2 << 20, false), effort);
    explore(&mut judge, &[&[Op::Huge], &[Op::Append, Op::Huge, Op::Close]], 1, "many sectors");
    holds(&judge, "many sectors");
}
#[test]
fn a_crash_under_strict_durability_loses_nothing_acknowledged() {
    crashes(SEGMENTS[1], true, 1, "strict");
}

/// Everything that can fail in one operation, one at a time, in several ways.
fn faults() -> Vec<Fault> {
    let mut faults = Vec::new();
    for nth in 1..=8 {
        for kept in [0, u64::MAX, 0b1, 0b10, 0b101] {
            faults.push(Fault::Sync { nth, kept, len_kept: kept & 1 == 1 });
        }
        faults.extend((0..3).map(|sectors| Fault::Write { nth, sectors }));
        let full = std::io::ErrorKind::StorageFull;
        faults.extend([1, 60, 130, 700].map(|bytes| Fault::ShortWrite { nth, bytes, error: full }));
    }
    faults.push(Fault::Rename { nth: 1 });
    faults
}

/// A failing disk under an append of two records that cross sectors: nothing is acknowledged, nothing more is written, and
/// after opening again the batch is there whole or not at all.
#[test]
fn after_a_failed_write_the_log_is_poisoned_until_it_is_opened_again() {
    let failing: Vec<Op> = faults().into_iter().flat_map(|fault| [Op::Failing(fault), Op::FailingEvicted(fault)]).collect();
    let mut total = oracle::Counts::default();
    for (segment_bytes, strict) in [(SEGMENTS[0], false), (SEGMENTS[1], true), (SEGMENTS[2], false)] {
        let effort = Effort { images: 64 * scale(), second_images: 4 * scale(), second_one_in: 1, torn: 24 * scale() };
        let mut judge = Judge::new(options(segment_bytes, strict), effort);
        explore(&mut judge, &[&[Op::Append, Op::Large], &failing, &[Op::Append, Op::Large]], (8 / scale()).max(1), "failing");
        assert!(judge.violations.is_empty(), "{}", judge.violations.join("\n"));
        total += judge.counts;
    }
    println!("failing appends: {total}");
}

/// A failing disk under closing, and under opening after a failed append: the next opening finds everything.
#[test]
fn a_failing_disk_at_opening_or_closing_loses_nothing() {
    let mut reopening: Vec<Op> =
        faults().into_iter().flat_map(|fault| [Op::CloseFailing(fault), Op::OpenFailing(fault)]).collect();
    reopening.push(Op::OpenFailing(Fault::Allocate { nth: 1 }));
    let torn = [1, 2, 4].map(|nth| Op::FailingEvicted(Fault::Sync { nth, kept: 0b10, len_kept: true }));
    let before: Vec<Op> = torn.into_iter().chain([Op::Append, Op::Large]).collect();
    let mut total = oracle::Counts::default();
    for segment_bytes in [SEGMENTS[0], SEGMENTS[1]] {
        let effort = Effort { images: 64 * scale(), second_images: 4 * scale(), second_one_in: 1, torn: 24 * scale() };
        let mut judge = Judge::new(options(segment_bytes, false), effort);
        explore(&mut judge, &[&before, &reopening, &[Op::Append]], (8 / scale()).max(1), "reopening");
        assert!(judge.violations.is_empty(), "{}", judge.violations.join("\n"));
        total += judge.counts;
    }
    println!("failing openings and closings: {total}");
}

/// A reader beside the writer is never refused and never shown what is not there to stay, wherever the writer is when the
/// reader does its next step. (That what it was shown survives a crash, the other tests judge.)
#[test]
fn a_reader_beside_the_writer_is_never_refused() {
    let torn = Op::Failing(Fault::Sync { nth: 1, kept: 0b10, len_kept: true });
    let works: [&[Op]; 6] = [
        &[Op::Append, Op::Batch, Op::Large, Op::Append],
        &[Op::Large, Op::Idle, Op::Append, Op::Close, Op::Append],
        &[Op::Batch, Op::Kill, Op::Append, Op::Large, Op::Kill],
        &[Op::Append, torn, Op::Append, torn, Op::Batch],
        &[Op::NoSpace, Op::Batch, Op::Close, Op::NoSpace],
        &[Op::Huge, Op::Append, Op::Kill, Op::Append],
    ];
    let (mut readers, mut looks) = (0u64, 0u64);
    for segment_bytes in SEGMENTS {
        for from in BASES {
            let start = base(options(segment_bytes, false), from).unwrap();
            for ops in works {
                let (history, known) = history(options(segment_bytes, false), &start, ops);
                let history = std::sync::Arc::new(history);
                for at in 0..history.len() {
                    for seed in 0..4 * scale() {
                        readers += 1;
                        match follow::follow(&history, &known, at, seed * 1_000 + readers) {
                            Ok(looked) => looks += looked,
                            Err(what) => panic!("{what} :: {segment_bytes} {from:?} {ops:?} from {} on", history[at].done),
                        }
                    }
                }
            }
        }
    }
    println!("readers beside a writer: {readers}, which looked {looks} times");
}

/// A power loss and one damaged byte or a cut file: refused, or nothing lost, or what is lost lies within the window and
/// is reported; under strict durability nothing is lost.
#[test]
fn damage_after_a_power_loss_stays_within_the_window() {
    let ops = [Op::Append, Op::Batch, Op::Idle, Op::Append, Op::Large, Op::Append];
    for (segment_bytes, strict) in [(SEGMENTS[1], false), (SEGMENTS[2], false), (SEGMENTS[1], true)] {
        let options = options(segment_bytes, strict);
        let start = base(options, BASES[1]).unwrap();
        let (history, known) = history(options, &start, &ops);
        let mut fates = [0u64; 3];
        for (n, snapshot) in history.iter().enumerate().filter(|(_, snapshot)| snapshot.whole) {
            let known = &known[usize::try_from(snapshot.mark).unwrap()];
            for crash in snapshot.disk.crashes(4 * scale(), 1) {
                let stride = usize::try_from((211 / scale()).max(1)).unwrap();
                for (image, loss, how) in window::damaged(&crash.image, stride, n * 17) {
                    match window::judge(options, &image, known, loss) {
                        Ok(fate) => fates[fate as usize] += 1,
                        Err(what) => panic!("{what} :: {options:?}; power lost after {} with [{crash}]; {how}", snapshot.done),
                    }
                }
            }
        }
        let [refused, whole, shorter] = fates;
        println!("damage, {options:?}: {refused} refused, {whole} whole, {shorter} shorter within the window");
        assert!(refused > 0 && whole > 0, "the damage was not looked at");
        assert_eq!(shorter > 0, !strict, "the window is what strict durability closes");
    }
}

/// A sync that does nothing, a write that is lost or lands elsewhere, a read that is old, short or flipped: told once, at each call.
#[test]
fn a_disk_that_lies_shows_nothing_that_was_not_written() {
    let mut told = 0u64;
    let mut fates = [0u64; 3];
    for segment_bytes in SEGMENTS {
        for from in BASES {
            for nth in 1.. {
                let mut any = false;
                for fault in lies::lies(nth) {
                    match lies::look(options(segment_bytes, false), from, fault, 16 * scale()) {
                        Ok(None) => {}
                        Ok(Some(found)) => {
                            (any, told) = (true, told + 1);
                            fates.iter_mut().zip(found).for_each(|(sum, more)| *sum += more);
                        }
                        Err(what) => panic!("{what} :: {fault:?}, segments of {segment_bytes}, {from:?}"),
                    }
                }
                if !any {
                    break;
                }
            }
        }
    }
    let [refused, whole, shorter] = fates;
    println!("{told} lies: {refused} ledgers refused, {whole} whole, {shorter} shorter");
    assert!(told > 1_000 && refused > 0 && whole > 0 && shorter > 0, "the lies were not looked at");
}

/// The judge itself is tested: a log that gets a step of the protocol wrong is found out.
#[test]
fn a_mistake_in_the_protocol_is_found_out() {
    let torn = [0b10, 0b01].map(|kept| Op::Failing(Fault::Sync { nth: 1, kept, len_kept: true }));
    let first = [&torn[..], &[Op::Append, Op::Large]].concat();
    for (name, through, at_creation) in careless::ALL {
        let mut found = Vec::new();
        for segment_bytes in [SEGMENTS[1], SEGMENTS[0]] {
            let effort = Effort { images: 256, second_images: 64, second_one_in: 1, torn: 0 };
            let mut judge = Judge::new(options(segment_bytes, false), effort);
            judge.first_only = true;
            judge.through = through;
            if at_creation {
                creation(&mut judge);
            } else {
                explore(&mut judge, &[&first, &[Op::Append, Op::Large, Op::Kill]], 1, name);
            }
            found.append(&mut judge.violations);
        }
        println!("{name}: {}", found.first().map_or("not found out", |what| what));
        assert!(!found.is_empty(), "{name} is not found out");
    }
}
#[test]
fn an_answer_before_the_sync_is_found_out() {
    let failing = [Op::Failing(Fault::Sync { nth: 1, kept: 0, len_kept: false })];
    let mut judge = Judge::new(options(SEGMENTS[2], false), effort());
    (judge.answers_from_memory, judge.first_only) = (true, true);
    explore(&mut judge, &[&failing, &[Op::Append, Op::Large, Op::Kill]], 1, "a duplicate answered before its sync");
    assert!(!judge.violations.is_empty(), "a duplicate that is answered before its sync is not found out");
    println!("a duplicate answered before its sync: {}", judge.violations[0]);
}
