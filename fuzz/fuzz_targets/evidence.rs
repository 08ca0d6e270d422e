//! See `sovang_fuzz_targets::evidence`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sovang_fuzz_targets::evidence::run(bytes));
