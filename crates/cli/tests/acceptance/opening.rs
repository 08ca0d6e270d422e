//! What opening reads: the ends, whatever lies between them.

use crate::book::{Book, GIFT, OFFICE, head, run};
use sovang::recognition::Recognition;
use sovang::recognition::interchange::{Line, Mode, Numbering, parse_line};
use sovang::{Ledger, NoRules, Options};
use std::fs;
use std::path::Path;

/// A ledger of many small segments, closed.
fn long_ledger(dir: &Path) -> usize {
    let ledger: Ledger<Recognition> = Options::new().segment_bytes(64 << 10).create(dir, "example.org/book").unwrap();
    let mut importer = ledger.importer(NoRules).unwrap().batch(50);
    let mut numbering = Numbering::new();
    let gifts = (0..6000).map(|n| GIFT.replace("\"vnd\":7", &format!("\"vnd\":{n}")));
    for line in OFFICE.lines().map(str::to_owned).chain(gifts) {
        let Line::Event { mut import, form } = parse_line(line.as_bytes(), Mode::Append).unwrap() else { unreachable!() };
        if let Some(form) = form {
            import.entry = import.entry.with_id(numbering.id(&form));
        }
        importer.take(import).unwrap();
    }
    importer.finish().unwrap();
    ledger.close().unwrap();
    fs::read_dir(dir.join("log")).unwrap().count()
}

#[test]
fn opening_reads_nothing_of_old_segments_but_their_ends() {
    let book = Book { dir: tempfile::tempdir().unwrap() };
    let segments = long_ledger(&book.path());
    assert!(segments > 8, "{segments} segments");
    let sound = book.head();
    // All records of the old segments become noise: whoever reads one of them meets it.
    for number in 0..segments - 1 {
        let path = book.path().join(format!("log/{number}"));
        let mut bytes = fs::read(&path).unwrap();
        let end = bytes.len() - 4096;
        bytes[4096..end].fill(0xAA);
        fs::write(&path, bytes).unwrap();
    }
    assert_eq!(head(&book.path()), sound, "the head is read from the ends");
    let last = (sound.size - 1).to_string();
    assert_eq!(book.run("log", &["--from", &last, "--json"]).lines()[0]["position"], sound.size - 1);
    // A writer's opening, too; it would recover what is wrong, and finds nothing that is.
    let ledger = Ledger::<Recognition>::open(book.path()).unwrap();
    assert_eq!(ledger.head().size.0, sound.size);
    ledger.close().unwrap();
    assert_eq!(head(&book.path()), sound);
    // The noise is there all the same.
    assert_eq!(book.run("log", &["--json"]).code, Some(3));
    assert_eq!(book.run("verify", &[]).code, Some(3));
}

#[test]
fn an_index_of_several_files_answers_as_the_log_does() {
    let book = Book { dir: tempfile::tempdir().unwrap() };
    long_ledger(&book.path());
    let everything = book.run("log", &["--json"]).done();
    let of_model = book.run("log", &["--json", "--model", "M-1"]).done();
    assert_eq!(of_model.lines().count(), 6000 + 6, "its gifts, and what the office has of it");
    assert!(of_model.lines().all(|line| everything.contains(line)));
    let dir = book.path();
    let again = run(["verify".as_ref(), dir.as_os_str()]);
    assert_eq!(again.code, Some(0), "{again:?}");
}
