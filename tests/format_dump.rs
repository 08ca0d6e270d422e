//! Keeps the hex dump in docs/FORMAT.md, "Appendix: a whole ledger", true: builds the same ledger again and compares.
//!
//! Run: `cargo test -p sovang --test format_dump`
//!
//! It never rewrites the page. When the format changes on purpose, the failing test says where the new dump is; put it between the markers.
//!
//! Nothing in the ledger depends on time or chance: ids, salts and keys come from a seed, the clock stands, and the writer takes
//! no rest (`Options::rest_after`), because it is the writer's idle moments that decide which slot of `HEAD` is written next.
#![forbid(unsafe_code)]
#![cfg(feature = "recognition")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use sovang::recognition::event::{model_continued, model_registered};
use sovang::recognition::tally::Registered;
use sovang::recognition::{Field, Recognition, SubjectKind};
use sovang::testing::{ManualClock, SeededIds};
use sovang::{Ledger, Options, Personal, calendar, date};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use std::{env, fs, iter};

const BEGIN: &str = "<!-- dump: begin -->\n";
const END: &str = "<!-- dump: end -->";
/// In the order of the page's sections. There is no index: runs are not written for so few records.
const FILES: [&str; 7] = ["ledger", "lock", "HEAD", "log/0", "vault/keys", "vault/rows", "snapshots/tally-registered"];
const PAGE: usize = 4096;

/// A model of a person, a continuation of it, and the erasure of the person: three records in three batches, the first one's personal
/// value destroyed.
fn build(directory: &Path) {
    let clock = ManualClock::at(calendar::instant_of(1_795_509_000_000_000).unwrap());
    let options = Options::new().clock(clock).ids(SeededIds::new(1)).rest_after(Duration::from_secs(86_400));
    let ledger: Ledger<Recognition> = options.create(directory, "example.org/three").unwrap();
    let desk = ledger.by("clerk:lan");
    let model = model_registered("BTL-2024-0002", "Vườn rau sạch", SubjectKind::Individual, "phu-dien", Field::Economy, 2024);
    desk.record(model.subject(Personal::of("P-17", "Nguyễn Văn A")).on(date(2024, 2, 1))).unwrap();
    desk.record(model_continued("BTL-2024-0002", 2025).on(date(2025, 2, 1))).unwrap();
    desk.erase("P-17", "request of 2026-11-24").unwrap();
    drop(desk);
    ledger.project(Registered::default()).unwrap();
    ledger.close().unwrap();
}

#[test]
fn the_dump_in_the_page_is_that_of_the_code() {
    let directory = tempfile::tempdir().unwrap();
    build(directory.path());
    let mut dump = String::from("```text\n");
    let mut files = files_below(directory.path(), "");
    for name in FILES {
        let Some(at) = files.iter().position(|file| file == name) else { panic!("{name} is not there, but {files:?}") };
        files.remove(at);
        let bytes = fs::read(directory.path().join(name)).unwrap();
        write_file(&mut dump, name, &bytes);
    }
    assert!(files.is_empty(), "files that the page does not show: {files:?}");
    dump.push_str("```\n");

    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/FORMAT.md")).unwrap();
    let shown = page.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).map_or("", |(shown, _)| shown);
    if shown != dump {
        let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("format-dump.md");
        fs::write(&new, &dump).unwrap();
        let first = shown.lines().zip(dump.lines()).position(|(a, b)| a != b).unwrap_or(0);
        panic!(
            "the dump in docs/FORMAT.md is not that of the code, from its line {} on; the new one is in {}",
            first + 1,
            new.display()
        );
    }
}

fn files_below(root: &Path, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(prefix)).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_below(root, &format!("{name}/")));
        } else {
            found.push(name);
        }
    }
    found
}

fn write_file(to: &mut String, name: &str, bytes: &[u8]) {
    writeln!(to, "== {name}, {} bytes", bytes.len()).unwrap();
    let parts = match name {
        "ledger" => vec![(0, "header".to_owned()), (40, "names".to_owned())],
        "HEAD" => (0..3).flat_map(|n| [(n * PAGE, format!("slot {n}")), (n * PAGE + 112, "frontier".to_owned())]).collect(),
        "log/0" => log_parts(bytes),
        "vault/keys" => vault_parts(bytes, |_, _| 128, "slot"),
        "vault/rows" => vault_parts(bytes, |b, at| (112 + number(b, at + 8, 4)).next_multiple_of(128), "row"),
        _ if name.starts_with("snapshots/") => snapshot_parts(bytes),
        _ => Vec::new(),
    };
    let ends = parts.iter().skip(1).map(|(at, _)| *at).chain(iter::once(bytes.len()));
    let mut folded = false;
    for ((start, part), end) in parts.iter().zip(ends) {
        writeln!(to, "-- {part}").unwrap();
        folded = false;
        for at in (*start..end).step_by(16) {
            let line = &bytes[at..end.min(at + 16)];
            if line.iter().any(|byte| *byte != 0) {
                write_line(to, at, line);
                folded = false;
            } else if !folded {
                to.push_str("*\n");
                folded = true;
            }
        }
    }
    if folded {
        writeln!(to, "{:08x}", bytes.len()).unwrap();
    }
}

fn write_line(to: &mut String, at: usize, line: &[u8]) {
    let hex: String = line.iter().map(|byte| format!(" {byte:02x}")).collect();
    let text: String = line.iter().map(|b| if (0x20..0x7f).contains(b) { char::from(*b) } else { '.' }).collect();
    writeln!(to, "{at:08x} {hex:48}  {text}").unwrap();
}

/// A little-endian number.
fn number(bytes: &[u8], at: usize, width: usize) -> usize {
    bytes[at..at + width].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

fn log_parts(bytes: &[u8]) -> Vec<(usize, String)> {
    let mut parts = vec![(0, "segment header".to_owned()), (160, "frontier".to_owned())];
    let mut at = PAGE;
    while bytes.get(at..at + 4) == Some(b"SOVB") {
        let (count, batch, first) = (number(bytes, at + 4, 4), number(bytes, at + 8, 8), number(bytes, at + 16, 8));
        parts.push((at, format!("batch {batch}: header")));
        at += 128;
        for position in first..first + count {
            let (length, private) = (number(bytes, at, 4), bytes[at + 8] & 1 == 1);
            let metadata = number(bytes, at + 40, 2);
            let tags = usize::from(bytes[at + 42]);
            parts.push((at, format!("record {position}: frame")));
            parts.push((at + 40, format!("record {position}: body, metadata")));
            parts.push((at + 43 + metadata, format!("record {position}: tags")));
            parts.push((at + 43 + metadata + 16 * tags, format!("record {position}: payload")));
            at += 40 + length;
            if private {
                parts.push((at, format!("record {position}: commitments")));
                at += 2 + 34 * number(bytes, at, 2);
            }
            parts.push((at, format!("record {position}: checksum")));
            at += 4;
        }
        parts.push((at, format!("batch {batch}: trailer")));
        at += 72;
    }
    assert_eq!(at, bytes.len(), "the log is cut at its end when it is closed");
    // A record without tags has an empty part.
    let starts: Vec<usize> = parts.iter().map(|(at, _)| *at).collect();
    let mut next = starts.iter().skip(1);
    parts.into_iter().filter(|(at, _)| next.next() != Some(at)).collect()
}

fn vault_parts(bytes: &[u8], length: impl Fn(&[u8], usize) -> usize, what: &str) -> Vec<(usize, String)> {
    let mut parts = vec![(0, "header".to_owned())];
    if what == "row" {
        parts.extend([(512, "mark, even".to_owned()), (1024, "mark, odd".to_owned())]);
    }
    let (mut at, mut n) = (PAGE, 0);
    while at < bytes.len() {
        parts.push((at, format!("{what} {n}")));
        at += length(bytes, at);
        n += 1;
    }
    parts
}

fn snapshot_parts(bytes: &[u8]) -> Vec<(usize, String)> {
    let digest = 120 + number(bytes, 112, 2);
    let parts = [(0, "header"), (120, "name"), (digest, "digest"), (digest + 32, "state")];
    parts.map(|(at, part)| (at, part.to_owned())).to_vec()
}
