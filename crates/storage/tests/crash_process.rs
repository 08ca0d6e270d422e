//! A real process killed on a real disk: what it had acknowledged is there.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "crash/records.rs"]
mod records;

use records::{Item, identity, random, root_of};
use sovang_core::{ErrorKind, Size};
use sovang_storage::disk::DiskFiles;
use sovang_storage::files::Files;
use sovang_storage::log::{Log, LogOptions, LogView, verify};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

const DIRECTORY: &str = "SOVANG_CRASH_PROCESS_DIRECTORY";
const OPTIONS: LogOptions = LogOptions { segment_bytes: 40_000, strict: false };

fn item(number: u64) -> Item {
    if number.is_multiple_of(7) { Item { number, payload_bytes: 3_000 } } else { Item::small(number) }
}
fn open(directory: &str) -> Arc<dyn Files> {
    Arc::new(DiskFiles::new(directory))
}

/// Not a test by itself: the process to be killed. It appends for ever and tells each size once it is acknowledged.
#[test]
fn the_writer() {
    let Ok(directory) = std::env::var(DIRECTORY) else {
        return;
    };
    let (mut log, _) = Log::open(open(&directory), OPTIONS, &random(1)).unwrap();
    let mut out = std::io::stdout();
    loop {
        let size = log.head().size.0;
        let batch: Vec<_> = (size..size + 1 + size % 3).map(|number| item(number).prepare()).collect();
        let head = log.append(&batch).unwrap().head;
        writeln!(out, "acknowledged {}", head.size.0).unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn a_killed_process_loses_nothing_acknowledged() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("ledger").to_str().unwrap().to_owned();
    Log::create(&open(&directory), &identity(), &random(2)).unwrap();
    let mut before = 0;
    for acknowledgements in [1, 40, 150] {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["the_writer", "--exact", "--nocapture"])
            .env(DIRECTORY, &directory)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(writer.stdout.take().unwrap()).lines().map(|line| line.unwrap());
        let sizes = lines.filter_map(|line| line.split_once("acknowledged ")?.1.parse::<u64>().ok());
        let acked = sizes.take(acknowledgements).last().unwrap();
        let locked = Log::open(open(&directory), OPTIONS, &random(3)).err().map(|e| e.kind());
        assert_eq!(locked, Some(ErrorKind::Locked), "the writer is still at work");
        let view = LogView::open(open(&directory)).unwrap();
        assert!(view.head().size.0 >= acked, "a reader beside it sees what was acknowledged");
        writer.kill().unwrap();
        writer.wait().unwrap();
        let (log, _) = Log::open(open(&directory), OPTIONS, &random(4)).unwrap();
        let size = log.head().size.0;
        assert!(size >= acked && size > before, "{size} records, {acked} acknowledged");
        let items: Vec<Item> = (0..size).map(item).collect();
        assert_eq!(log.head().root, root_of(&items));
        log.close().unwrap();
        let report = verify(&open(&directory), &|_, _| {}).unwrap();
        assert_eq!((report.head.size, report.findings), (Size(size), Vec::new()));
        before = size;
    }
}
