//! See `sovang_fuzz_targets::segment`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sovang_fuzz_targets::segment::run(bytes));
