//! See `sovang_fuzz_targets::head_slot`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sovang_fuzz_targets::head_slot::run(bytes));
