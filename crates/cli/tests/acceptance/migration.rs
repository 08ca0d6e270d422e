//! An export taken into another ledger: the same records, hashes and root.

use crate::book::{Book, GIFT, OFFICE};
use serde_json::Value;

/// What a record is, wherever it lies.
fn hashes(book: &Book) -> Vec<Value> {
    book.run("log", &["--json"]).lines().into_iter().map(|record| record["record_hash"].clone()).collect()
}

fn full() -> Book {
    let book = Book::of_office();
    let lines = [
        r#"{"type":"record_corrected","occurred_on":"2025-06-02","actor":"chief","id":"00000000-0000-4000-8000-0000000000e1","target":"00000000-0000-4000-8000-000000000002","replacement":{"type":"model_funded","occurred_on":"2024-05-05","model":"M-1","contribution":{"kind":"cash","vnd":51000000},"source":"socialised","donor":{"id":"P-30","name":"Trần Thị B"}},"reason":"digits swapped"}"#,
        r#"{"type":"model_funded","occurred_on":"2024-05-07","actor":"clerk","model":"M-1","contribution":{"kind":"land","square_metres":"659.88","land":"farm"},"source":"socialised","donor":{"id":"P-17","name":"Nguyễn Văn A"}}"#,
        r#"{"type":"plaque_mounted","occurred_on":"2024-10-12","actor":"clerk","plaque":"PL-5","model":"M-2","level":"commune","place":"Ngõ 5","inscription":"Dân vận khéo\n2024","decision":{"issuer":"TU-HN","number":"9-QD/TU","date":"2024-10-01"}}"#,
        r#"{"type":"figure_published","occurred_on":"2024-10-14","actor":"press","measure":"registered","unit":"bac-tu-liem","period":"2014/2024","value":6977,"qualifier":"exact","source":"report of 14 October 2024"}"#,
    ];
    book.import(lines.join("\n").as_bytes()).done();
    book
}

#[test]
fn an_export_migrates_to_the_same_hashes_and_root() {
    let book = full();
    for (options, personal) in [(&[][..], false), (&["--with-personal"][..], true)] {
        let export = book.run("export", options).done();
        assert_eq!(export.contains("Nguyễn Văn A"), personal);
        assert_eq!(export.contains("\"private\""), personal);
        let copy = Book::new();
        let done = copy.import_with(&["--migrate", "--json"], export.as_bytes()).json();
        assert_eq!(done["appended"], book.head().size);
        assert_eq!(copy.verified(), book.verified(), "personal: {personal}");
        assert_eq!(hashes(&copy), hashes(&book));
        assert_eq!(copy.run("export", options).done(), export, "an export of the copy is the export");
        assert_eq!(copy.run("log", &["--json"]).done(), book.run("log", &["--json"]).done());
        for tally in ["registered", "contributions", "plaques", "commendations", "amendments", "cumulative"] {
            let figures = |book: &Book| book.run("tally", &[tally, "--format", "json"]).done();
            assert_eq!(figures(&copy), figures(&book), "{tally}");
        }
        // The personal values came along, or did not.
        let shown = copy.run("log", &["--json", "--with-personal"]).done();
        assert_eq!(shown.contains("Nguyễn Văn A"), personal, "{shown}");
        // A copy goes on like any ledger, and judges by what it took over.
        let said = copy.import(GIFT.replace("M-1", "M-3").as_bytes());
        assert_eq!(said.code, Some(2), "{said:?}");
        copy.import(GIFT.as_bytes()).done();
    }
}

#[test]
fn batches_of_any_size_migrate_to_the_same_root() {
    let book = full();
    let export = book.run("export", &["--with-personal"]).done();
    for batch in ["1", "3", "1000"] {
        let copy = Book::new();
        copy.import_with(&["--migrate", "--batch", batch], export.as_bytes()).done();
        assert_eq!(copy.verified(), book.head(), "{batch}");
    }
}

#[test]
fn an_export_keeps_ids_envelope_and_overrides() {
    let book = full();
    let export: Vec<Value> =
        book.run("export", &["--with-personal"]).done().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let gift = export.iter().find(|line| line["id"] == "00000000-0000-4000-8000-000000000002").unwrap();
    assert_eq!(gift["record_source"], "book 3, page 7");
    assert_eq!(gift["source"], "socialised", "the event's own");
    assert_eq!(gift["correlation"], "c-1");
    assert_eq!(gift["causation"], "00000000-0000-4000-8000-000000000001");
    let legacy = export.iter().find(|line| line["model"] == "cu-1").unwrap();
    assert_eq!(legacy["override"], serde_json::json!({"rules": [1], "reason": "book of 2013 is lost"}));
    for line in &export {
        for key in ["id", "recorded_at", "actor", "occurred_on", "type"] {
            assert!(line[key].is_string(), "{key} in {line}");
        }
    }
}

#[test]
fn without_migrate_recorded_at_and_salts_are_not_taken() {
    let book = full();
    let export = book.run("export", &["--with-personal"]).done();
    let copy = Book::new();
    let done = copy.import(export.as_bytes()).json();
    assert_eq!(done["appended"], book.head().size);
    assert_ne!(copy.head().root, book.head().root, "other salts and times");
    // The same facts with the same ids all the same.
    let ids = |book: &Book| -> Vec<Value> { book.run("log", &["--json"]).lines().into_iter().map(|r| r["id"].clone()).collect() };
    assert_eq!(ids(&copy), ids(&book));
    // And so the ledger that it came from has them already.
    let again = book.import(export.as_bytes()).json();
    assert_eq!((&again["appended"], &again["duplicates"]), (&0.into(), &book.head().size.into()));
    let said = Book::new().import(book.run("export", &[]).done().as_bytes());
    assert_eq!(said.code, Some(2), "a commitment is refused: {said:?}");
    assert!(said.err.contains("--migrate"), "{said:?}");
}

#[test]
fn a_migration_needs_an_empty_ledger_and_a_whole_export() {
    let book = full();
    let head = book.head();
    let export = book.run("export", &[]).done();
    let said = book.import_with(&["--migrate"], export.as_bytes());
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("empty ledger") && said.err.contains("hint:"), "{said:?}");
    assert_eq!(book.head(), head);
    let copy = Book::new();
    let said = copy.import_with(&["--migrate"], OFFICE.as_bytes());
    assert_eq!(said.code, Some(2), "no recorded_at: {said:?}");
    assert!(said.err.contains("line 1") && said.err.contains("recorded_at"), "{said:?}");
    let mut swapped: Vec<&str> = export.lines().collect();
    let last = swapped.len() - 1;
    swapped.swap(0, last);
    let said = copy.import_with(&["--migrate"], swapped.join("\n").as_bytes());
    assert_eq!(said.code, Some(2), "recorded_at goes back: {said:?}");
    let torn = export.replace("\"commitment\":\"", "\"commitment\":\"00");
    let said = copy.import_with(&["--migrate"], torn.as_bytes());
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("subject"), "{said:?}");
    assert_eq!(copy.head().size, 0);
}

/// Erases a person as an office does, through the library: the command comes with its own work.
fn erase(book: &Book, subject: &str) {
    let ledger = sovang::Ledger::<sovang::recognition::Recognition>::open(book.path()).unwrap();
    ledger.by("chief").erase(subject, "asked on 5 January 2026").unwrap();
    ledger.close().unwrap();
}

#[test]
fn an_erasure_is_shown_exported_and_migrated_and_changes_no_hash() {
    let book = full();
    let (before, figures) = (hashes(&book), book.run("tally", &["cumulative", "--format", "json"]).json()["rows"].clone());
    erase(&book, "P-17");
    book.verified();
    assert_eq!(hashes(&book)[..before.len()], before, "what was recorded stays as it was");
    assert_eq!(book.run("tally", &["cumulative", "--format", "json"]).json()["rows"], figures);
    let export = book.run("export", &["--with-personal"]).done();
    for gone in ["P-17", "Nguyễn Văn A", "ngõ 5"] {
        assert!(!export.contains(gone), "{gone}");
    }
    assert!(export.contains("Trần Thị B"), "another person's data stays");
    let model: Value = serde_json::from_str(export.lines().nth(4).unwrap()).unwrap();
    assert_eq!(model["subject"]["erased"], true, "{model}");
    assert_eq!(model["subject"]["commitment"].as_str().unwrap().len(), 64, "{model}");
    let erasures = book.run("log", &["--json", "--type", "subject_erased"]).lines();
    assert_eq!(erasures.len(), 1);
    assert_eq!(erasures[0]["event"]["basis"], "asked on 5 January 2026");
    assert!(!erasures[0].to_string().contains("P-17"), "no id, and nothing to find it by: {erasures:?}");
    for options in [&[][..], &["--with-personal"]] {
        let copy = Book::new();
        copy.import_with(&["--migrate"], book.run("export", options).done().as_bytes()).done();
        assert_eq!(copy.verified(), book.verified());
        assert!(!copy.run("export", &["--with-personal"]).done().contains("P-17"));
    }
    // The person is not recorded again, and what was said of them is still known as said.
    let again = book.import(OFFICE.as_bytes()).json();
    assert_eq!((&again["appended"], &again["duplicates"]), (&0.into(), &(OFFICE.lines().count() as u64).into()));
    let gift = GIFT.replace(r#""source""#, r#""donor":{"id":"P-17","name":"Nguyễn Văn A"},"source""#);
    let said = book.import(gift.as_bytes());
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("line 1") && said.err.contains("erased"), "{said:?}");
}
