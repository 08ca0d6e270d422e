//! Files that say they are terabytes long, as `truncate -s` makes them: each is answered at once, and blamed.

use crate::book::{Book, GIFT, OFFICE};
use std::fs::{self, OpenOptions};

/// A book with every kind of file: an index file, a snapshot (of no use), a checkpoint (of none either).
fn book() -> Book {
    let book = Book::new();
    let gifts: String = (0..300).map(|n| GIFT.replace("\"vnd\":7", &format!("\"vnd\":{n}")) + "\n").collect();
    book.import(format!("{OFFICE}{gifts}").as_bytes()).done();
    for directory in ["snapshots", "checkpoints"] {
        fs::create_dir_all(book.path().join(directory)).unwrap();
        fs::write(book.path().join(directory).join("7"), "").unwrap();
    }
    book
}

#[test]
fn a_file_of_any_length_is_blamed_at_once() {
    let book = book();
    let mut run = fs::read_dir(book.path().join("index")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let run = format!("index/{}", run.find(|name| name.ends_with(".run")).unwrap());
    let kinds = [
        ("ledger", 3),
        ("HEAD", 3),
        ("log/0", 3),
        ("vault/keys", 1),
        ("vault/rows", 1),
        ("snapshots/7", 1),
        ("checkpoints/7", 1),
        (&*run, 1),
    ];
    for (name, code) in kinds {
        let path = book.path().join(name);
        let sound = fs::metadata(&path).unwrap().len();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(10 << 40).unwrap();
        let said = book.run("verify", &["--json"]);
        assert_eq!(said.code, Some(code), "{name}: {said:?}");
        assert!(said.out.contains(name) && !said.err.contains("panicked"), "{name}: {said:?}");
        let head = book.run("head", &[]);
        // Whoever only wants the head reads the end of the log, and nothing beside it.
        assert_eq!(head.code, Some(if matches!(name, "ledger" | "log/0") { 3 } else { 0 }), "{name}: {head:?}");
        OpenOptions::new().write(true).open(&path).unwrap().set_len(sound).unwrap();
    }
}
