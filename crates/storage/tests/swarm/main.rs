//! Seeded histories of a thousand operations each (docs/RELIABILITY.md). `SOVANG_SWARM=n` runs n of them; the example `swarm` runs
//! any number from any seed.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../crash/careless.rs"]
mod careless;
mod history;
#[path = "../crash/records.rs"]
mod records;

use history::{Counts, History, run, shrink};
use sovang_storage::files::Files;
use sovang_storage::sim::SimFiles;
use std::sync::Arc;

fn as_it_is(files: SimFiles) -> Arc<dyn Files> {
    Arc::new(files)
}
/// What a history of that seed does; or what goes wrong, with the shortest history in which it still does.
fn judge(seed: u64, through: &dyn Fn(SimFiles) -> Arc<dyn Files>) -> Result<Counts, String> {
    let history = History::of(seed);
    run(&history, through).map_err(|what| {
        let least = shrink(&history, &|shorter| run(shorter, through).is_err());
        let why = run(&least, through).err().unwrap_or_default();
        format!("seed {seed}: {what}\nthe shortest that fails: {least:?}\nwith: {why}")
    })
}

/// In so many histories everything happens that can happen in one.
const ENOUGH: usize = 100;

/// 5,000 histories, in parts, so that they run at once.
fn histories(part: u64) {
    let all: u64 = std::env::var("SOVANG_SWARM").ok().and_then(|n| n.parse().ok()).unwrap_or(5_000);
    let mut total = Counts::default();
    let seeds = || (0..all).filter(|seed| seed % 2 == part);
    for seed in seeds() {
        match judge(seed, &as_it_is) {
            Ok(counts) => total += counts,
            Err(what) => panic!("{what}"),
        }
    }
    println!("histories, part {part}: {total}");
    let everything = total.power_losses > 0 && total.torn_tails > 0 && total.failures > 0;
    assert!(everything || seeds().count() < ENOUGH, "{total}");
}
#[test]
fn histories_of_even_seeds_hold() {
    histories(0);
}
#[test]
fn histories_of_odd_seeds_hold() {
    histories(1);
}

/// The same seed is the same history on every machine.
#[test]
fn a_seed_is_a_history() {
    let (one, other) = (History::of(42), History::of(42));
    assert_eq!(one, other);
    assert_ne!(one, History::of(43));
    assert_eq!(one.ops.len(), history::OPERATIONS);
}

/// The histories are tested too: mistakes of the protocol are found in a few of them, and cut down to a few operations.
#[test]
fn a_mistake_in_the_protocol_is_found_by_a_few_histories() {
    for (name, through, at_creation) in careless::ALL {
        // A power loss in creation is no part of a history; and nobody looks into the quarantine.
        if at_creation || name.contains("quarantine") {
            continue;
        }
        let found = (0..200).find_map(|seed| {
            let history = History::of(seed);
            run(&history, &through).err().map(|what| (seed, history, what))
        });
        let Some((seed, history, what)) = found else { panic!("{name} is not found out") };
        let least = shrink(&history, &|shorter| run(shorter, &through).is_err());
        println!("{name}: seed {seed}, {what}; {} operations are enough", least.ops.len());
        assert!(least.ops.len() <= 12, "{name}: {least:?}");
    }
}
