//! Every image that a power loss or a kill can leave of log and vault together, for all short workloads
//! (docs/RELIABILITY.md). Indexes are derived: they are there, and nothing is asked of them but right answers.
//!
//! `SOVANG_CRASH_SCALE=n` looks at n times as many workloads and images.

#![allow(clippy::print_stdout)]

mod bits;
mod calls;
mod careless;
mod damage;
mod derived;
mod judge;
mod known;
mod swarm;
mod torn;
mod work;

use super::*;
use crate::sim::SimFiles;
use judge::{Effort, Judge};
use work::{Base, Op, base, run};

fn scale() -> u64 {
    std::env::var("SOVANG_CRASH_SCALE").ok().and_then(|scale| scale.parse().ok()).unwrap_or(1)
}
fn effort() -> Effort {
    let scale = scale();
    Effort { images: 64 * scale, second_images: 2 * scale.min(4), second_one_in: (16 / scale).max(4) }
}
/// Segments of many batches, and of one.
const LARGE: u64 = 64 << 10;
const OF_ONE_BATCH: u64 = 4_096 + 500;

/// Judges all sequences of operations from a base; of each length only one in so many is judged.
fn explore(judge: &mut Judge, from: Base, ops: &[Op], one_in: impl IntoIterator<Item = u64>) {
    let start = base(judge.segment_bytes, from);
    let mut paths: Vec<Vec<Op>> = vec![Vec::new()];
    for one_in in one_in {
        let all = paths.iter().flat_map(|path| ops.iter().map(move |op| [&path[..], &[*op]].concat()));
        let chosen: Vec<Vec<Op>> = all.collect();
        // What is not looked at may still lead to what is.
        paths = Vec::new();
        for (n, path) in (0u64..).zip(chosen) {
            if judge.done() {
                return;
            }
            if !n.is_multiple_of(one_in) || run(judge, &start, &path, from) {
                paths.push(path);
            }
        }
    }
}
fn crashes(segment_bytes: u64, from: Base, one_in: [u64; 3], name: &str) {
    let mut judge = Judge::new(segment_bytes, effort());
    explore(&mut judge, from, &Op::ALL, one_in.map(|n| (n / scale()).max(1)));
    println!("{name}: {}", judge.counts);
    assert!(judge.violations.is_empty(), "{name}:\n{}", judge.violations.join("\n"));
    assert!(judge.counts.distinct > 100 && judge.counts.erased > 0 && judge.counts.orphans > 0, "little was looked at");
}

#[test]
fn a_crash_anywhere_from_nothing_on() {
    crashes(LARGE, Base::Empty, [1, 1, 37], "from nothing");
}
#[test]
fn a_crash_anywhere_from_two_subjects_on() {
    crashes(LARGE, Base::TwoSubjects, [1, 1, 37], "from two subjects");
}
#[test]
fn a_crash_in_a_rotation_from_two_subjects_on() {
    crashes(OF_ONE_BATCH, Base::TwoSubjects, [1, 1, 37], "a segment for each batch, from two subjects");
}
#[test]
fn a_crash_in_a_rotation_from_nothing_on() {
    crashes(OF_ONE_BATCH, Base::Empty, [1, 1, 37], "a segment for each batch, from nothing");
}

#[test]
fn a_failing_sync_loses_nothing_acknowledged() {
    let failing = |erasing| {
        let each = (1..=6u64).flat_map(|nth| [0, 0b0101, u64::MAX].map(|kept| (nth, kept)));
        each.map(move |(nth, kept)| Op::Failing { erasing, nth, kept })
    };
    let ops: Vec<Op> = failing(false).chain(failing(true)).collect();
    let mut judge = Judge::new(LARGE, effort());
    explore(&mut judge, Base::TwoSubjects, &ops, [1]);
    println!("failing syncs: {}", judge.counts);
    assert!(judge.violations.is_empty(), "{}", judge.violations.join("\n"));
    assert!(judge.counts.workloads > 20, "{}", judge.counts);
}

#[test]
fn a_mistake_in_the_order_is_found_out() {
    for (name, through, word) in careless::ALL {
        let mut judge = Judge::new(LARGE, effort());
        (judge.through, judge.most) = (through, 1_000);
        explore(&mut judge, Base::TwoSubjects, &[Op::New, Op::Erase], [1]);
        let found = judge.violations.iter().find(|found| found.contains(word));
        let found =
            found.unwrap_or_else(|| panic!("{name} goes unnoticed: {}, but {:?}", judge.counts, judge.violations.first()));
        println!("{name}: {} times, such as {found}", judge.violations.len());
    }
    // The same workloads without a mistake.
    let mut judge = Judge::new(LARGE, effort());
    explore(&mut judge, Base::TwoSubjects, &[Op::New, Op::Erase], [1]);
    assert!(judge.violations.is_empty(), "{}", judge.violations.join("\n"));
}
