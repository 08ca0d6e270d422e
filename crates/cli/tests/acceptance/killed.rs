//! Kill -9 in the middle of an import: what is there is a prefix on a batch boundary, and the same command completes it.

use crate::book::{Book, head, program};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

const TALLIES: [&str; 5] = ["registered", "contributions", "commendations", "cumulative", "amendments"];
/// Events of one batch of an import without `--batch`.
const BATCH: u64 = 1024;

/// The office and then models, people, gifts and corrections: every file of the ledger is written to.
fn lines(models: u32) -> String {
    let mut lines = crate::book::OFFICE.to_owned();
    for n in 0..models {
        let (kind, subject) = match n % 3 {
            0 => ("individual", format!(r#""subject":{{"id":"S-{}","name":"Người {n}"}},"#, n / 6)),
            _ => ("collective", String::new()),
        };
        let gift = format!("00000000-0000-4000-9000-{n:012x}");
        writeln!(lines, r#"{{"type":"model_registered","occurred_on":"2024-02-01","actor":"clerk","model":"K-{n}","title":"Mô hình {n}","subject_kind":"{kind}",{subject}"unit":"phu-dien","field":"economy","year":2024}}"#).unwrap();
        writeln!(lines, r#"{{"type":"model_funded","occurred_on":"2024-05-05","actor":"clerk","id":"{gift}","model":"K-{n}","contribution":{{"kind":"cash","vnd":{n}}},"source":"own"}}"#).unwrap();
        if n % 5 == 0 {
            writeln!(lines, r#"{{"type":"record_corrected","occurred_on":"2025-06-02","actor":"clerk","target":"{gift}","replacement":{{"type":"model_funded","occurred_on":"2024-05-05","model":"K-{n}","contribution":{{"kind":"cash","vnd":{}}},"source":"own"}},"reason":"digits swapped"}}"#, n + 1).unwrap();
        }
    }
    lines
}

/// A sequence of numbers that looks random and is the same each time.
struct Sequence(u64);
impl Sequence {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}

fn ids(book: &Book) -> Vec<Value> {
    book.run("log", &["--json"]).lines().into_iter().map(|record| record["id"].clone()).collect()
}
fn figures(book: &Book) -> Vec<Value> {
    TALLIES.map(|tally| book.run("tally", &[tally, "--format", "json"]).json()["rows"].clone()).to_vec()
}

/// Imports, and kills the import after so long; what size was seen just before, and whether it was killed in time.
fn import_and_kill(book: &Book, file: &Path, options: &[&str], after: Duration) -> (u64, bool) {
    let mut args = book.args("import", &[file.to_str().unwrap()]);
    args.extend(options.iter().map(Into::into));
    let mut child = program().args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(after);
    // Read-only, beside it: what a reader was shown must still be there.
    let seen = head(&book.path()).size;
    child.kill().unwrap();
    (seen, !child.wait().unwrap().success())
}

fn kill(rounds: u32, models: u32, seed: u64) {
    let input = lines(models);
    let whole = Book::new();
    let file = whole.file("in.jsonl", &input);
    let started = Instant::now();
    whole.run("import", &[file.to_str().unwrap(), "--batch", "50"]).done();
    let takes = u64::try_from(started.elapsed().as_micros()).unwrap();
    let (ids_of_whole, figures_of_whole) = (ids(&whole), figures(&whole));
    let all = ids_of_whole.len() as u64;
    let mut random = Sequence(seed);
    let (mut kills, mut partial, mut sizes) = (0, 0, Vec::new());
    for round in 0..rounds {
        let book = Book::new();
        let (options, batch): (&[&str], u64) = if round % 3 == 2 { (&[], BATCH) } else { (&["--batch", "50"], 50) };
        // Now and then killed again while it completes itself.
        for _ in 0..=random.below(3) {
            let before = book.head().size;
            let (seen, killed) = import_and_kill(&book, &file, options, Duration::from_micros(random.below(takes)));
            let now = book.verified();
            let context = format!("round {round} of seed {seed}: {before}, then {seen} seen, then {now:?}");
            assert!(now.size >= seen && seen >= before, "nothing that was shown is gone: {context}");
            assert!(now.size == all || (now.size - before).is_multiple_of(batch), "a batch boundary: {context}");
            assert_eq!(now, book.head(), "{context}");
            let there = ids(&book);
            assert_eq!(there, ids_of_whole[..there.len()], "a prefix: {context}");
            kills += u32::from(killed);
            partial += u32::from(0 < now.size && now.size < all);
            sizes.push(now.size);
        }
        let context = format!("round {round} of seed {seed}");
        let before = book.head().size;
        let done = book.run("import", &[&[file.to_str().unwrap(), "--json"], options].concat()).json();
        // A batch that was whole and not yet proven is shown by no reader, and kept by the next writer.
        let found = done["duplicates"].as_u64().unwrap();
        let whole_batches = found >= before && (found - before).is_multiple_of(batch);
        assert!(found == all || whole_batches, "{context}: {found} found after {before} shown");
        assert_eq!(done["size"], all, "{context}");
        assert_eq!(ids(&book), ids_of_whole, "{context}");
        assert_eq!(figures(&book), figures_of_whole, "{context}");
        assert_eq!(book.verified().size, all, "{context}");
    }
    sizes.sort_unstable();
    sizes.dedup();
    eprintln!("{kills} imports of {all} events killed, {partial} left a part of them, of {} sizes", sizes.len());
}

#[test]
fn a_killed_import_leaves_a_prefix_and_completes() {
    kill(6, 300, 20_141_014);
}

#[test]
#[ignore = "minutes: cargo test -p sovang-cli --test acceptance -- --ignored --nocapture killed"]
fn two_hundred_killed_imports_leave_a_prefix_and_complete() {
    kill(200, 1500, 20_241_014);
}
