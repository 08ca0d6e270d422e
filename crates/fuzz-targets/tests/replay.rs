//! Every kept input of every fuzz target, run as an ordinary test: the seeds, and what once made a target fail.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use sovang_fuzz_targets::{TARGETS, Target};
use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}
fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

/// Runs a target on all that is kept for it, and gives how many inputs that is.
fn replay(name: &str, run: Target) -> usize {
    let mut inputs = 0;
    for kept in ["seeds", "crashes"] {
        let directory = fuzz().join(kept).join(name);
        for input in names(&directory) {
            let bytes = std::fs::read(directory.join(&input)).unwrap();
            if catch_unwind(|| run(&bytes)).is_err() {
                panic!("{name} fails on fuzz/{kept}/{name}/{input}");
            }
            inputs += 1;
        }
    }
    inputs
}

#[test]
fn every_kept_input_passes() {
    let replayed = std::thread::scope(|scope| {
        let threads: Vec<_> = TARGETS.iter().map(|(name, run)| (name, scope.spawn(|| replay(name, *run)))).collect();
        threads.into_iter().map(|(name, thread)| (*name, thread.join())).collect::<Vec<_>>()
    });
    for (name, inputs) in replayed {
        let inputs = inputs.unwrap_or_else(|failure| std::panic::resume_unwind(failure));
        assert!(inputs >= 3, "{name} has no seeds: run the test `write_seeds`");
    }
}

#[test]
fn every_target_has_a_program_and_nothing_is_kept_for_another() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let programs = names(&fuzz().join("fuzz_targets")).into_iter().map(|name| name.trim_end_matches(".rs").to_owned());
    assert_eq!(programs.collect::<BTreeSet<_>>(), targets);
    for kept in ["seeds", "crashes"] {
        for name in names(&fuzz().join(kept)) {
            assert!(targets.contains(&name), "fuzz/{kept}/{name} belongs to no target");
        }
    }
}

#[test]
fn targets_take_any_short_input() {
    for (_, run) in TARGETS {
        run(&[]);
        for first in 0..=u8::MAX {
            run(&[first]);
        }
    }
}

#[test]
#[ignore = "writes files: cargo test -p sovang-fuzz-targets --test replay -- --ignored write_seeds"]
fn write_seeds() {
    for (target, _) in TARGETS {
        let directory = fuzz().join("seeds").join(target);
        std::fs::create_dir_all(&directory).unwrap();
        for (name, bytes) in sovang_fuzz_targets::seeds::of(target) {
            std::fs::write(directory.join(name), bytes).unwrap();
        }
    }
}
