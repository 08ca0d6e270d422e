//! `sovang disclose`: one value for one reader, recorded first.

use crate::book::{Book, GIFT, Said};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

const NAME: &str = "Lê Văn Khác";

/// The position of a gift with a donor.
fn office() -> (Book, u64) {
    let book = Book::of_office();
    let position = book.head().size;
    book.import(GIFT.replace(r#""source""#, &format!(r#""donor":{{"id":"P-78","name":"{NAME}"}},"source""#)).as_bytes()).done();
    (book, position)
}
fn disclose(book: &Book, position: u64, field: &str, (to, purpose): (&str, &str), file: &Path) -> Said {
    let position = position.to_string();
    let args = ["--position", &position, "--field", field, "--to", to, "--purpose", purpose, "-o", file.to_str().unwrap()];
    book.run("disclose", &[&args[..], &["--actor", "dpo", "--json"]].concat())
}

#[test]
fn the_file_opens_the_commitment_and_the_log_says_who_got_it() {
    let (book, position) = office();
    let file = book.dir.path().join("value.json");
    let done = disclose(&book, position, "1", ("district court", "case 12/2026"), &file).json();
    assert_eq!((done["logged_at"].as_u64(), done["position"].as_u64()), (Some(position + 1), Some(position)));
    let text = fs::read_to_string(&file).unwrap();
    let held: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(held.to_string() + "\n", text, "one line in canonical form");
    let record = &book.run("log", &["--json", "--from", &position.to_string()]).lines()[0];
    assert_eq!(held["commitment"], record["event"]["donor"]["commitment"]);
    assert_eq!((&held["value"], &held["record_id"]), (&NAME.into(), &record["id"]));
    assert_eq!((&held["origin"], &held["reader"]), (&"example.org/book".into(), &"district court".into()));
    assert_eq!((held["position"].as_u64(), held["logged_at"].as_u64()), (Some(position), Some(position + 1)));

    let logged = &book.run("log", &["--json", "--from", &(position + 1).to_string()]).lines()[0];
    let expected = serde_json::json!({
        "type": "value_disclosed", "record": record["id"], "field": 1, "reader": "district court", "purpose": "case 12/2026",
    });
    assert_eq!(logged["event"], expected);
    assert_eq!(logged["actor"], "dpo");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "for its owner alone");
    }
    book.verified();
}

#[test]
fn what_is_refused_is_neither_recorded_nor_written() {
    let (book, position) = office();
    let before = book.head();
    let file = book.dir.path().join("value.json");
    let court = ("court", "case 1");
    for (position, field, whom, says) in [
        (position, "2", court, "its personal fields are 1"),
        (position - 1, "1", court, "no personal field"),
        (position + 9, "1", court, "there is no record"),
        (position, "1", (" ", "case"), "reader is blank"),
        (position, "1", ("court", " "), "purpose is blank"),
        (position, "1", ("court", "about LÊ VĂN KHÁC"), "from its word 2 on"),
        (position, "1", (NAME, "own request"), "from its word 1 on"),
    ] {
        let said = disclose(&book, position, field, whom, &file);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
        assert!(said.err.contains(says), "{said:?}");
    }
    // A file that is there, a place inside the ledger, and one that cannot be.
    let taken = book.file("taken.json", "mine");
    let places: [(PathBuf, &str); 3] = [
        (taken.clone(), "there is a file already"),
        (book.path().join("checkpoints").join("value.json"), ""),
        (book.dir.path().join("no/such/place.json"), "cannot create"),
    ];
    for (place, says) in places {
        let said = disclose(&book, position, "1", court, &place);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(says), "{said:?}");
    }
    let inside = disclose(&book, position, "1", court, &book.path().join("value.json"));
    assert!(inside.code == Some(2) && inside.err.contains("inside the ledger"), "{inside:?}");
    assert_eq!(fs::read_to_string(taken).unwrap(), "mine");
    assert!(!file.exists() && !book.path().join("value.json").exists());
    assert_eq!(book.head(), before);
    // After the erasure there is nothing to show.
    book.run("erase", &["--subject", "P-78", "--basis", "request 12/2026"]).done();
    let said = disclose(&book, position, "1", court, &file);
    assert!(said.code == Some(2) && said.err.contains("was erased") && !file.exists(), "{said:?}");
}
