//! See `sovang_fuzz_targets::vault`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sovang_fuzz_targets::vault::run(bytes));
