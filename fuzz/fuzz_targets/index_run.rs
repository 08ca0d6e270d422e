//! See `sovang_fuzz_targets::index_run`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sovang_fuzz_targets::index_run::run(bytes));
