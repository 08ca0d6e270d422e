//! One process writes, another looks on: it sees a growing ledger that verifies at every moment.

use crate::book::{Book, GIFT, Head, program};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Stdio;

const CHUNK: u64 = 60;
const BATCH: u64 = 20;

#[test]
fn a_reader_beside_a_writer_sees_a_growing_and_always_sound_prefix() {
    let book = Book::of_office();
    let office = book.head().size;
    let batch = BATCH.to_string();
    let mut writer = program()
        .args(book.args("import", &["-", "--batch", &batch]))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut feed = writer.stdin.take().unwrap();
    let mut seen: BTreeMap<u64, String> = BTreeMap::new();
    let (mut cursor, mut read) = (0, Vec::new());
    let mut see = |Head { size, root }| {
        let at_that_size = seen.entry(size).or_insert_with(|| root.clone());
        assert_eq!(*at_that_size, root, "one root for one size");
        size
    };
    for chunk in 0..12 {
        for n in 0..CHUNK {
            let vnd = chunk * CHUNK + n;
            writeln!(feed, "{}", GIFT.replace("\"vnd\":7", &format!("\"vnd\":{vnd}"))).unwrap();
        }
        feed.flush().unwrap();
        // The writer has all of the chunk and commits it, without more being fed: look on until it is there.
        let all = office + (chunk + 1) * CHUNK;
        loop {
            assert!(writer.try_wait().unwrap().is_none(), "the writer is at work");
            let size = see(book.head());
            let verified = see(book.verified());
            assert!(verified >= size, "{verified} after {size}");
            assert!((verified - office).is_multiple_of(BATCH), "whole batches: {verified}");
            let news = book.run("log", &["--json", "--from", &cursor.to_string()]).lines();
            for record in &news {
                assert_eq!(record["position"], cursor, "without a gap");
                cursor += 1;
            }
            assert!(cursor >= verified, "{cursor} read after {verified} verified");
            read.extend(news);
            let tally =
                book.run("tally", &["contributions", "--by", "source", "--where", "source=own", "--format", "json"]).json();
            let counted = tally["rows"][0]["count"].as_u64().unwrap_or(0);
            assert_eq!(
                counted + office,
                see(Head { size: tally["size"].as_u64().unwrap(), root: tally["root"].as_str().unwrap().to_owned() })
            );
            if verified == all {
                break;
            }
        }
    }
    drop(feed);
    assert!(writer.wait().unwrap().success());
    assert!(seen.len() > 12, "it grew while it was looked at: {:?}", seen.keys());
    assert_eq!(read, book.run("log", &["--json"]).lines(), "what was read piece by piece is the log");
    for (size, root) in seen {
        let then = book.run("tally", &["registered", "--by", "", "--as-of", &size.to_string(), "--format", "json"]).json();
        assert_eq!(then["root"], root, "the head shown at size {size} is one of this log");
    }
}
