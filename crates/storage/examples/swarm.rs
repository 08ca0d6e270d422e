//! Runs seeded histories of a log on the simulated disk for as long as one likes (docs/RELIABILITY.md):
//!
//! ```text
//! cargo run --release -p sovang-storage --example swarm -- --seed 0 --histories 100000
//! ```
//!
//! Whatever goes wrong is told with its seed and the shortest history in which it still does, and ends the run with 1.

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

#[path = "../tests/swarm/history.rs"]
mod history;
#[path = "../tests/crash/records.rs"]
mod records;

use history::{Counts, History, run, shrink};
use sovang_storage::files::Files;
use sovang_storage::sim::SimFiles;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;

fn as_it_is(files: SimFiles) -> Arc<dyn Files> {
    Arc::new(files)
}
/// A panic is a failure like any other.
fn try_run(history: &History) -> Result<Counts, String> {
    catch_unwind(AssertUnwindSafe(|| run(history, &as_it_is))).unwrap_or_else(|_| Err("a panic".to_owned()))
}
/// The value of an option, or what it is without one.
fn option(name: &str, default: u64) -> Result<u64, String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    match (arguments.next(), arguments.next()) {
        (None, _) => Ok(default),
        (_, value) => value.and_then(|value| value.parse().ok()).ok_or(format!("{name} needs a number")),
    }
}

fn main() -> ExitCode {
    let (seed, histories) = match (option("--seed", 0), option("--histories", 1_000)) {
        (Ok(seed), Ok(histories)) => (seed, histories),
        (Err(what), _) | (_, Err(what)) => {
            eprintln!("{what}\nusage: swarm [--seed N] [--histories N]");
            return ExitCode::from(2);
        }
    };
    let mut total = Counts::default();
    for (done, seed) in (1..=histories).zip(seed..) {
        match try_run(&History::of(seed)) {
            Ok(counts) => total += counts,
            Err(what) => {
                let least = shrink(&History::of(seed), &|shorter| try_run(shorter).is_err());
                let why = try_run(&least).err().unwrap_or_default();
                println!("seed {seed}: {what}\nthe shortest history that fails: {least:?}\nwith: {why}");
                return ExitCode::FAILURE;
            }
        }
        if done % 10_000 == 0 {
            println!("{done} histories: {total}");
        }
    }
    println!("{histories} histories from seed {seed}: {total}; nothing went wrong");
    ExitCode::SUCCESS
}
