//! See `sovang_fuzz_targets::import_jsonl`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sovang_fuzz_targets::import_jsonl::run(bytes));
