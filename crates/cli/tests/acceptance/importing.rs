//! What an import takes, and how often.

use crate::book::{Book, GIFT, OFFICE};
use serde_json::{Value, json};

fn gift(vnd: u32) -> String {
    GIFT.replace("\"vnd\":7", &format!("\"vnd\":{vnd}"))
}
fn counts(done: &Value) -> (u64, u64) {
    (done["appended"].as_u64().unwrap(), done["duplicates"].as_u64().unwrap())
}
fn gifts(book: &Book) -> (i64, i64) {
    let rows =
        book.run("tally", &["contributions", "--by", "", "--format", "json", "--where", "source=own"]).json()["rows"][0].clone();
    (rows["count"].as_i64().unwrap(), rows["vnd"].as_i64().unwrap())
}

#[test]
fn line_ends_blank_lines_and_a_byte_order_mark_do_not_matter() {
    let book = Book::of_office();
    let lines = [gift(1), gift(2), gift(3)];
    let unix = lines.join("\n") + "\n";
    assert_eq!(counts(&book.import(unix.as_bytes()).json()), (3, 0));
    let head = book.head();
    for (name, same) in [
        ("CRLF", lines.join("\r\n") + "\r\n"),
        ("no end", lines.join("\n")),
        ("no end after CRLF", lines.join("\r\n")),
        ("a byte order mark", format!("\u{feff}{unix}")),
        ("blank lines", format!("\n\r\n{}\n   \n\t\n{}\n\n{}\n\n", lines[0], lines[1], lines[2])),
        ("a byte order mark and a blank line", format!("\u{feff}\r\n{unix}")),
        ("spaces around", lines.map(|line| format!("  {line}\t")).join("\n")),
    ] {
        assert_eq!(counts(&book.import(same.as_bytes()).json()), (0, 3), "{name}");
        assert_eq!(book.head(), head, "{name}");
    }
    let within = format!("{unix}\u{feff}{}", gift(4));
    assert_eq!(book.import(within.as_bytes()).code, Some(2), "a byte order mark stands at the start only");
    assert_eq!(book.head(), head);
}

#[test]
fn the_order_of_keys_and_how_a_text_is_escaped_are_no_content() {
    let book = Book::of_office();
    let one = r#"{"type":"model_continued","occurred_on":"2025-02-01","actor":"clerk","model":"M-1","year":2025}"#;
    let same = "{ \"year\" : 2025 ,\t\"model\":\"\\u004d-1\",\"actor\":\"clerk\",\"occurred_on\":\"2025-02-01\",\"type\":\"model_continued\"}";
    assert_eq!(counts(&book.import(one.as_bytes()).json()), (1, 0));
    assert_eq!(counts(&book.import(same.as_bytes()).json()), (0, 1));
}

#[test]
fn equal_lines_count_twice_in_one_file_and_once_in_two() {
    let book = Book::of_office();
    let twice = format!("{GIFT}\n{GIFT}\n");
    assert_eq!(counts(&book.import(twice.as_bytes()).json()), (2, 0));
    assert_eq!(gifts(&book), (2, 14));
    assert_eq!(counts(&book.import(twice.as_bytes()).json()), (0, 2), "importing again appends nothing");
    let (one, two) = (book.file("1.jsonl", gift(50)), book.file("2.jsonl", gift(50)));
    let done = book.run("import", &[one.to_str().unwrap(), two.to_str().unwrap(), "--json"]).json();
    assert_eq!(counts(&done), (1, 1), "in two files once");
    assert_eq!(gifts(&book), (3, 64));
    let thrice = format!("{twice}{GIFT}\n");
    assert_eq!(counts(&book.import(thrice.as_bytes()).json()), (1, 2), "the third of one file is new");
}

#[test]
fn importing_again_appends_nothing_and_says_so() {
    let book = Book::of_office();
    let head = book.head();
    let lines = OFFICE.lines().count() as u64;
    let again = book.import(OFFICE.as_bytes()).json();
    assert_eq!(again, json!({"appended": 0, "duplicates": lines, "size": head.size, "root": head.root}));
    let told = book.import_with(&[], OFFICE.as_bytes());
    assert_eq!((told.code, told.out.as_str()), (Some(0), ""));
    assert!(told.err.contains("nothing new"), "{told:?}");
    // With other lines in between, each still has its id.
    let more = format!("{}\n{OFFICE}", gift(9));
    assert_eq!(counts(&book.import(more.as_bytes()).json()), (1, lines));
}

#[test]
fn an_id_may_be_repeated_with_the_same_content_only() {
    let book = Book::of_office();
    let with_id = gift(1).replace(r#""type""#, r#""id":"00000000-0000-4000-8000-0000000000dd","type""#);
    assert_eq!(counts(&book.import(format!("{with_id}\n{with_id}").as_bytes()).json()), (1, 1));
    assert_eq!(counts(&book.import(with_id.as_bytes()).json()), (0, 1));
    // Another actor is other content.
    assert_eq!(book.import(with_id.replace("clerk", "chief").as_bytes()).code, Some(2));
}

#[test]
fn a_dry_run_decides_everything_and_appends_nothing() {
    let book = Book::of_office();
    let head = book.head();
    for options in [&["--json", "--dry-run"][..], &["--json", "--dry-run", "--batch", "1"]] {
        let input = format!("{}\n{}\n", gift(1), gift(2));
        let done = book.import_with(options, input.as_bytes()).json();
        assert_eq!(counts(&done), (2, 0), "what would be appended");
        assert_eq!(book.head(), head);
        let bad = format!("{}\n{}\n", gift(1), gift(2).replace("M-1", "M-9"));
        let said = book.import_with(options, bad.as_bytes());
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
        assert!(said.err.contains("line 2") && said.err.contains("rule 1"), "{said:?}");
        assert_eq!(book.head(), head);
    }
}

#[test]
fn batches_keep_what_came_before_a_bad_line() {
    let book = Book::of_office();
    let before = book.head().size;
    let lines: Vec<String> = (1..=7).map(gift).collect();
    let input = format!("{}\nnonsense\n{}\n", lines[..5].join("\n"), lines[5..].join("\n"));
    let said = book.import_with(&["--batch", "2", "--json"], input.as_bytes());
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
    assert!(said.err.contains("line 6") && said.err.contains("5 events before it"), "{said:?}");
    assert_eq!(book.verified().size, before + 5);
    let mended = lines.join("\n");
    assert_eq!(counts(&book.import_with(&["--batch", "2", "--json"], mended.as_bytes()).json()), (2, 5));
    assert_eq!(gifts(&book), (7, 28));
}

#[test]
fn a_line_may_rest_on_an_earlier_line_of_the_file() {
    let book = Book::of_office();
    for chunk in ["--batch=1", "--batch=3"] {
        let other = Book::new();
        other.import_with(&[chunk], OFFICE.as_bytes()).done();
        let tally = |book: &Book| book.run("tally", &["cumulative", "--format", "json"]).json()["rows"].clone();
        assert_eq!(tally(&book), tally(&other));
    }
    // In another order the same lines are refused: the plaque comes before what supports it.
    let mut lines: Vec<&str> = OFFICE.lines().collect();
    lines.reverse();
    let reversed = Book::new();
    assert_eq!(reversed.import(lines.join("\n").as_bytes()).code, Some(2));
    assert_eq!(reversed.head().size, 0);
}

#[test]
fn ids_compare_in_nfc_and_are_kept_as_given() {
    let book = Book::of_office();
    let (composed, decomposed) = ("Đông Ng\u{1ea1}c", "Đông Nga\u{323}c");
    let model = |id: &str| {
        format!(
            r#"{{"type":"model_registered","occurred_on":"2024-03-01","actor":"clerk","model":"{id}","title":"Khéo","subject_kind":"collective","unit":"phu-dien","field":"economy","year":2024}}"#
        )
    };
    book.import(model(decomposed).as_bytes()).done();
    let said = book.import(model(composed).as_bytes());
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("rule 1"), "one model, however its name is written: {said:?}");
    book.import(GIFT.replace("M-1", composed).as_bytes()).done();
    for spelt in [composed, decomposed] {
        let records = book.run("log", &["--model", spelt, "--json"]).lines();
        assert_eq!(records.len(), 2, "{spelt:?}");
        assert_eq!(records[0]["event"]["model"], decomposed, "kept as given");
        assert_eq!(records[1]["event"]["model"], composed, "kept as given");
    }
}

#[test]
fn a_line_of_nearly_four_mebibytes_is_read() {
    let book = Book::of_office();
    let padded = GIFT.replacen(',', &format!(",{}", " ".repeat((4 << 20) - GIFT.len())), 1);
    assert_eq!(padded.len(), 4 << 20);
    for end in ["\n", "\r\n", ""] {
        let said = book.import(format!("{padded}{end}").as_bytes());
        assert_eq!(said.code, Some(0), "the limit is the line's, not that of its end: {:?}", said.err);
    }
    assert_eq!(book.import(format!("{padded} \n").as_bytes()).code, Some(2));
}
