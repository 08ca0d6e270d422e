//! `sovang erase`: a person's data gone, every figure as it was, and nobody named by the record.

use crate::book::{Book, GIFT, Said, run};
use serde_json::Value;
use std::fs;
use std::path::Path;

const NAME: &str = "Nguyễn Thị Hồng Đào";
const ADDRESS: &str = "số 12, ngõ Chùa, Cổ Nhuế";

/// An office with a model of one person, a gift of another, and an award to the first.
fn office() -> Book {
    let book = Book::of_office();
    let model = format!(
        r#"{{"type":"model_registered","occurred_on":"2024-02-01","actor":"clerk","model":"M-77","title":"Vườn rau","subject_kind":"individual","subject":{{"id":"P-77","name":"{NAME}"}},"address":"{ADDRESS}","unit":"phu-dien","field":"economy","year":2024}}"#
    );
    let gift = GIFT.replace(r#""source""#, r#""donor":{"id":"P-78","name":"Lê Văn Khác"},"source""#);
    book.import(format!("{model}\n{gift}\n").as_bytes()).done();
    book
}
fn erase(book: &Book, subject: &str, basis: &str) -> Said {
    book.run("erase", &["--subject", subject, "--basis", basis, "--actor", "dpo", "--json"])
}
fn files_with(directory: &Path, needle: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, needle));
        } else if fs::read(&path).unwrap().windows(needle.len()).any(|window| window == needle.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    found
}
/// The rows of every tally that needs no map.
fn tallies(book: &Book) -> Vec<Value> {
    let names = "registered recognised recognition-rate continuity contributions plaques commendations proposals multi-level cumulative amendments";
    names.split(' ').map(|name| book.run("tally", &[name, "--format", "json"]).json()["rows"].clone()).collect()
}

#[test]
fn a_person_is_gone_and_every_figure_stays() {
    let book = office();
    let (before, figures) = (book.head(), tallies(&book));
    let shown = book.run("log", &["--model", "M-77", "--json", "--with-personal"]).done();
    assert!(shown.contains(NAME) && shown.contains(ADDRESS), "{shown}");
    let export = book.run("export", &[]).lines();

    let said = erase(&book, "P-77", "91/2025/QH15 art. 14, request 12/2026");
    let done = said.json();
    let position = done["position"].as_u64().unwrap();
    assert_eq!((position, done["repeated"].as_bool(), done["size"].as_u64()), (before.size, Some(false), Some(before.size + 1)));
    assert_eq!(done["root"], book.head().root.as_str());
    assert!(said.err.contains("sovang receipt") && said.err.contains("--position"), "{}", said.err);
    let record = &book.run("log", &["--json", "--from", &position.to_string()]).lines()[0];
    assert_eq!((&record["event"]["type"], &record["event"]["handle"]), (&"subject_erased".into(), &done["handle"]));
    assert_eq!((&record["record_hash"], &record["actor"]), (&done["record_hash"], &"dpo".into()));
    assert_eq!(record["event"]["basis"], "91/2025/QH15 art. 14, request 12/2026");

    let shown = book.run("log", &["--model", "M-77", "--json", "--with-personal"]).done();
    assert!(shown.contains(r#""erased":true"#) && !shown.contains("P-77"), "{shown}");
    assert!(book.run("log", &["--json", "--with-personal"]).done().contains("Lê Văn Khác"), "the other person stays");
    assert_eq!(tallies(&book), figures);
    assert_eq!(book.verified().size, before.size + 1);
    // The export names the commitments as before, and carries on with the erasure.
    let after = book.run("export", &[]).lines();
    assert_eq!((after.len(), after[0].clone()), (export.len() + 1, export[0].clone()));
    for needle in [NAME, ADDRESS, "P-77", "Lê Văn Khác", "P-78"] {
        assert_eq!(files_with(&book.path(), needle), [] as [String; 0], "{needle}");
    }
    // And all of it can be taken over: the same root.
    let copy = Book::new();
    copy.import_with(&["--migrate", "--json"], book.run("export", &["--with-personal"]).done().as_bytes()).done();
    assert_eq!(copy.head(), book.head());
}

#[test]
fn done_once() {
    let book = office();
    let first = erase(&book, "P-77", "request 12/2026").json();
    let size = book.head().size;
    let again = erase(&book, "P-77", "request 12/2026").json();
    assert_eq!((&again["position"], &again["handle"]), (&first["position"], &first["handle"]));
    assert_eq!((again["repeated"].as_bool(), book.head().size), (Some(true), size));
    let told = book.run("erase", &["--subject", "P-77", "--basis", "x"]).done();
    assert!(told.starts_with("erased before: the record at position"), "{told}");
}

#[test]
fn what_is_refused_changes_nothing() {
    let book = office();
    let before = book.head();
    for (subject, basis, says) in [
        ("P-77", "request of Nguyễn Thị Hồng Đào", "from its word 3 on it holds a personal value"),
        ("P-77", "NGUYE\u{302}\u{303}N THỊ  HỒNG ĐÀO", "from its word 1 on"),
        ("P-77", "lives at Số 12, ngõ chùa, cổ nhuế", "from its word 3 on"),
        ("P-77", "as P-77 asked", "the subject's id"),
        ("P-77", "as lê văn khác asked", "a personal value"),
        ("P-77", " ", "basis is blank"),
        ("P-79", "request 12/2026", "no such subject"),
        ("", "request 12/2026", ""),
    ] {
        let said = erase(&book, subject, basis);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
        assert!(said.err.contains(says) && !said.err.contains("Hồng"), "{said:?}");
    }
    let no_actor = book.run("erase", &["--subject", "P-77", "--basis", "request", "--actor", " "]);
    assert_eq!(no_actor.code, Some(2), "{no_actor:?}");
    assert_eq!(book.run("erase", &["--subject", "P-77"]).code, Some(2));
    assert_eq!(book.head(), before);
    assert!(book.run("log", &["--json", "--with-personal"]).done().contains(NAME));
}

#[test]
fn who_was_erased_is_named_no_more() {
    let book = office();
    erase(&book, "P-77", "request 12/2026").json();
    let before = book.head();
    let gift = |id: &str| {
        GIFT.replace("\"vnd\":7", "\"vnd\":8")
            .replace(r#""source""#, &format!(r#""donor":{{"id":"{id}","name":"{NAME}"}},"source""#))
    };
    let file = book.file("gifts.jsonl", format!("{}\n{}\n", gift("P-80"), gift("P-77").replace("\"vnd\":8", "\"vnd\":9")));
    let said = book.run("import", &[file.to_str().unwrap()]);
    assert_eq!(said.code, Some(2), "{said:?}");
    for part in ["gifts.jsonl: line 2", "a person whose data was erased", "hint:"] {
        assert!(said.err.contains(part), "{said:?}");
    }
    assert!(!said.err.contains(NAME) && !said.err.contains("P-77"), "{said:?}");
    assert_eq!(book.head(), before, "all or nothing");
    // What was said before the erasure may be said again: it is a duplicate.
    let model = format!(
        r#"{{"type":"model_registered","occurred_on":"2024-02-01","actor":"clerk","model":"M-77","title":"Vườn rau","subject_kind":"individual","subject":{{"id":"P-77","name":"{NAME}"}},"address":"{ADDRESS}","unit":"phu-dien","field":"economy","year":2024}}"#
    );
    assert_eq!(book.import(model.as_bytes()).json()["duplicates"], 1);
}

#[test]
fn a_signed_receipt_shows_that_it_was_done() {
    let book = office();
    let at = |name: &str| book.dir.path().join(name).to_str().unwrap().to_owned();
    let keygen = |file: &str, name: &str| run(["keygen", "-o", &at(file), "--name", name, "--no-passphrase"]).done();
    let vkey = keygen("log.key", "example.org/book").lines().last().unwrap().to_owned();
    keygen("other.key", "example.org/other");
    let before = book.head();
    let erase = |key: &str, file: &str| {
        book.run("erase", &["--subject", "P-77", "--basis", "request 12/2026", "--key", &at(key), "-o", &at(file), "--json"])
    };
    // What a receipt needs is looked at while nothing is done.
    for key in ["other.key", "no-such.key"] {
        let said = erase(key, "receipt.txt");
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
    }
    assert_eq!(book.run("erase", &["--subject", "P-77", "--basis", "x", "--key", &at("log.key")]).code, Some(2));
    assert_eq!(book.head(), before);

    let done = erase("log.key", "receipt.txt").json();
    let receipt = fs::read_to_string(at("receipt.txt")).unwrap();
    for needle in [NAME, ADDRESS, "P-77"] {
        assert!(!receipt.contains(needle), "{receipt}");
    }
    let checked = run(["check", &at("receipt.txt"), "--vkey", &vkey, "--json"]).json();
    assert_eq!((&checked["ok"], &checked["files"][0]["position"]), (&true.into(), &done["position"]), "{checked}");
    assert_eq!(checked["files"][0]["record_hash"], done["record_hash"]);
    // Asked for again, it is made again.
    let again = erase("log.key", "again.txt").json();
    assert_eq!((&again["repeated"], &again["position"]), (&true.into(), &done["position"]));
    assert_eq!(run(["check", &at("again.txt"), "--vkey", &vkey]).code, Some(0));
    // A place where nothing can be written: it is done all the same, and says so.
    let said = erase("log.key", "no/such/place.txt");
    assert!(said.code != Some(0) && said.err.contains("the erasure is done"), "{said:?}");
}
