//! Every length and count in the formats at its boundaries, with the checksums made to fit: nothing overflows, nothing is set aside that
//! the format's limits do not allow, and what does not fit is refused as damage (the assertions are those of the fuzz targets).
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use sovang_core::CodecError;
use sovang_core::limits::{BATCH_BYTES_MAX, RECORD_BYTES_MAX};
use sovang_core::record::{Frame, HEADER_BYTES};
use sovang_fuzz_targets::seal::{self, BATCH_HEADER, SEGMENT_HEADER};
use sovang_fuzz_targets::{event, frame, image, index_run, seeds, segment, snapshot, vault};
use sovang_storage::log::fuzzing;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::sync::{Mutex, PoisonError};

#[global_allocator]
static MEMORY: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;
/// One test at a time, so that what is counted is its own.
static ALONE: Mutex<()> = Mutex::new(());

/// Bytes that one look at a hostile file may set aside in all, freed or not. The files are small; a claim that is believed is of gigabytes.
const SET_ASIDE_MAX: usize = 512 << 20;

fn bounded(context: &str, look: impl FnOnce()) {
    let region = Region::new(MEMORY);
    look();
    let bytes = region.change().bytes_allocated;
    assert!(bytes < SET_ASIDE_MAX, "{context}: {bytes} bytes were set aside");
}

/// A number's boundaries, and those of the limits given, in a field of so many bytes.
fn boundaries(width: usize, there: u64, limits: &[u64]) -> Vec<u64> {
    let max = if width == 8 { u64::MAX } else { (1 << (8 * width)) - 1 };
    let mut values = vec![0, 1, 2, max / 2, max / 2 + 1, max - 1, max];
    for limit in limits.iter().chain([&there]) {
        values.extend([limit.wrapping_sub(1), *limit, limit.wrapping_add(1)]);
    }
    values.retain(|value| *value <= max);
    values.sort_unstable();
    values.dedup();
    values
}

/// Sets a field to each boundary in turn, and shows the file.
fn each(name: &str, sound: &[u8], at: usize, width: usize, limits: &[u64], show: impl Fn(Vec<u8>)) {
    let there = seal::number(sound, at, width);
    for value in boundaries(width, there, limits) {
        let mut file = sound.to_vec();
        seal::put(&mut file, at, width, value);
        bounded(&format!("{name} = {value}"), || show(file));
    }
}

#[test]
fn of_a_frame() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let limit = (RECORD_BYTES_MAX - HEADER_BYTES) as u64;
    for (_, sound) in seeds::of("event") {
        let body_end = HEADER_BYTES + usize::try_from(seal::number(&sound, 0, 4)).unwrap();
        let both = |bytes: Vec<u8>| {
            frame::run(&bytes);
            event::run(&bytes);
        };
        each("body length", &sound, 0, 4, &[limit], both);
        each("flags", &sound, 8, 4, &[], both);
        each("metadata length", &sound, 40, 2, &[], both);
        each("tag count", &sound, 42, 1, &[], both);
        each("count of commitments", &sound, body_end, 2, &[], both);
        // Every length and count within metadata and payload starts at some byte.
        for at in 43..body_end {
            each("a length", &sound, at, 8, &[RECORD_BYTES_MAX as u64], both);
        }
    }
    // The limit itself is allowed, one more is not.
    let mut header = [0; HEADER_BYTES];
    seal::put(&mut header, 0, 4, limit);
    assert_eq!(Frame::length(&header), Ok(Some(RECORD_BYTES_MAX)));
    seal::put(&mut header, 0, 4, limit + 1);
    assert!(matches!(Frame::length(&header), Err(CodecError::TooLong { .. })));
}

#[test]
fn of_batches_and_trailers() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let sound = image::read(&image::short_log(), "log/0");
    let batch_limit = (BATCH_BYTES_MAX - BATCH_HEADER - seal::TRAILER) as u64;
    let mut offset = SEGMENT_HEADER;
    while sound[offset..].starts_with(b"SOVB") {
        let trailer = offset + BATCH_HEADER + usize::try_from(seal::number(&sound, offset + 24, 4)).unwrap();
        let fields: &[(&str, usize, usize)] = &[
            ("count", offset + 4, 4),
            ("batch number", offset + 8, 8),
            ("first position", offset + 16, 8),
            ("records length", offset + 24, 4),
            ("end size", offset + 32, 8),
            ("proven offset", offset + 72, 8),
            ("proven size", offset + 80, 8),
            ("body length of a record", offset + BATCH_HEADER, 4),
            ("trailer's count", trailer + 4, 4),
            ("trailer's batch number", trailer + 8, 8),
            ("trailer's first position", trailer + 16, 8),
            ("trailer's end size", trailer + 24, 8),
        ];
        for (name, at, width) in fields {
            each(name, &sound, *at, *width, &[batch_limit, (RECORD_BYTES_MAX - HEADER_BYTES) as u64], |mut file| {
                seal::batches(&mut file, true);
                for files in [image::empty_log(), image::short_log()] {
                    image::write(&files, "log/0", &file);
                    segment::check(&files);
                }
            });
        }
        offset = trailer + seal::TRAILER;
    }
}

#[test]
fn of_a_segment_and_of_head_and_of_ledger() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let files = image::short_log();
    let sound = image::read(&files, "log/0");
    for (name, at, width) in [
        ("format version", 8, 4),
        ("segment number", 32, 8),
        ("predecessor's length", 56, 8),
        ("size at the start", 96, 8),
        ("batch number before", 136, 8),
        ("recorded_at before", 144, 8),
        ("frontier count", 152, 4),
    ] {
        each(name, &sound, at, width, &[64], |mut file| {
            seal::end_in_crc(&mut file[..SEGMENT_HEADER]);
            seal::batches(&mut file, true);
            let files = image::short_log();
            image::write(&files, "log/0", &file);
            segment::check(&files);
        });
    }
    let sound = image::read(&files, "HEAD");
    for slot in [0, 4096, 8192] {
        for (name, at, width) in [
            ("size", 32, 8),
            ("segment", 72, 8),
            ("offset", 80, 8),
            ("batch", 88, 8),
            ("recorded_at", 96, 8),
            ("frontier count", 104, 4),
        ] {
            each(name, &sound, slot + at, width, &[64, 4096], |mut file| {
                seal::end_in_crc(&mut file[slot..slot + 4096]);
                let files = image::short_log();
                image::write(&files, "HEAD", &file);
                segment::check(&files);
            });
        }
    }
    let sound = image::read(&files, "ledger");
    for (name, at) in [("origin length", 32), ("schema length", 34)] {
        each(name, &sound, at, 2, &[255], |mut file| {
            seal::end_in_crc(&mut file);
            if let Some(again) = fuzzing::ledger(&file) {
                assert_eq!(again, file);
            }
            let files = image::short_log();
            image::write(&files, "ledger", &file);
            segment::check(&files);
        });
    }
}

#[test]
fn of_the_vault() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let rows = vault::sound("vault/rows");
    for mark in [512, 1024] {
        for (name, at, width) in [("sequence", 8, 8), ("checked", 16, 8), ("durable", 24, 8), ("slots", 32, 4)] {
            each(name, &rows, mark + at, width, &[4096], |file| vault::check("vault/rows", file, true));
        }
    }
    for row in (4096..rows.len()).step_by(128).filter(|row| rows[*row..].starts_with(b"SOVR")) {
        for (name, at, width) in [("ciphertext length", 8, 4), ("slot number", 12, 4), ("proven", 88, 8), ("slots", 96, 4)] {
            each(name, &rows, row + at, width, &[65_714, 128], |file| vault::check("vault/rows", file, true));
        }
    }
    let keys = vault::sound("vault/keys");
    for slot in (4096..keys.len()).step_by(128) {
        each("slot number", &keys, slot + 8, 4, &[], |file| vault::check("vault/keys", file, true));
        each("slot state", &keys, slot + 4, 4, &[], |file| vault::check("vault/keys", file, true));
    }
}

#[test]
fn of_a_run_of_the_index() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let sound = index_run::sound();
    let last = sound.len() - 4096;
    // Everything in the last page's table is a length, a count or a place; sections hold positions and places too.
    for at in (32..336).step_by(4) {
        each("a field of the last page", &sound, last + at, 4, &[], |file| index_run::check(file, true));
    }
    for page in (0..last).step_by(4096) {
        for at in [0, 4, 8, 12, 2048] {
            each("a word of a page", &sound, page + at, 4, &[], |file| index_run::check(file, true));
        }
    }
}

#[test]
fn of_a_snapshot() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for (_, sound) in seeds::of("snapshot") {
        for (name, at, width) in [("size", 32, 8), ("state length", 72, 8), ("name length", 112, 2)] {
            each(name, &sound, 1 + at, width, &[64], |bytes| snapshot::run(&bytes));
        }
        // Every length within the state starts at some byte.
        for at in 120..sound.len().saturating_sub(8) {
            each("a length of the state", &sound, 1 + at, 8, &[], |mut bytes| {
                bytes[0] = snapshot::SUMS;
                snapshot::run(&bytes);
            });
        }
    }
}
