//! What is asserted of hostile bytes: the bodies of the fuzz targets in `fuzz/`, which the tests of this crate run on every kept
//! input. A target fails by panicking; each asserts more than that nothing panics.
//!
//! Checksums keep random bytes from getting far. So an input says whether the checksums, written here once more from
//! docs/FORMAT.md ([`seal`]), are made to fit first: then what lies behind them is tried as well.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a target fails by panicking")]

pub mod edit;
pub mod event;
pub mod evidence;
pub mod fact;
pub mod frame;
pub mod head_slot;
pub mod image;
pub mod import_jsonl;
pub mod index_run;
pub mod operations;
pub mod seal;
pub mod seeds;
pub mod segment;
pub mod snapshot;
pub mod vault;

/// A target's body.
pub type Target = fn(&[u8]);

/// Every target by its name: that of its program in `fuzz/` and of its inputs in `fuzz/seeds/`.
pub const TARGETS: &[(&str, Target)] = &[
    ("frame", frame::run),
    ("event", event::run),
    ("evidence", evidence::run),
    ("segment", segment::run),
    ("head_slot", head_slot::run),
    ("index_run", index_run::run),
    ("vault", vault::run),
    ("snapshot", snapshot::run),
    ("import_jsonl", import_jsonl::run),
    ("operations", operations::run),
];

/// Longer inputs are passed over: they only make a fuzzer slow.
pub const INPUT_BYTES_MAX: usize = 1 << 16;

/// An index from a number that came from a slice's length or was held against it.
pub(crate) fn at(n: u64) -> usize {
    usize::try_from(n).expect("a 64-bit machine")
}
