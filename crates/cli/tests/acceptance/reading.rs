//! `log` with its filters, and tallies as of then and now.

use crate::book::{Book, GIFT};
use serde_json::{Value, json};

const CORRECTION: &str = r#"{"type":"record_corrected","occurred_on":"2025-06-02","actor":"chief","target":"00000000-0000-4000-8000-000000000002","replacement":{"type":"model_funded","occurred_on":"2024-05-05","model":"M-1","contribution":{"kind":"cash","vnd":51000000},"source":"socialised"},"reason":"digits swapped"}"#;

fn positions(book: &Book, options: &[&str]) -> Vec<u64> {
    let records = book.run("log", &[options, &["--json"]].concat()).lines();
    records.iter().map(|record| record["position"].as_u64().unwrap()).collect()
}

#[test]
fn log_filters_by_model_unit_type_and_position() {
    let book = Book::of_office();
    book.import(CORRECTION.as_bytes()).done();
    assert_eq!(positions(&book, &[]), (0..17).collect::<Vec<_>>());
    // Its registration, recognition, gifts, plaque, the retraction and the correction of a gift.
    assert_eq!(positions(&book, &["--model", "M-1"]), [3, 7, 8, 9, 10, 14, 16]);
    assert_eq!(positions(&book, &["--model", "M-1", "--type", "model_funded"]), [8, 9]);
    assert_eq!(positions(&book, &["--model", "M-1", "--from", "9", "--limit", "2"]), [9, 10]);
    assert_eq!(positions(&book, &["--model", "nothing"]), [0u64; 0]);
    assert_eq!(positions(&book, &["--type", "model_registered"]), [3, 4, 5]);
    assert_eq!(positions(&book, &["--from", "15"]), [15, 16]);
    assert_eq!(positions(&book, &["--from", "17"]), [0u64; 0]);
    assert_eq!(positions(&book, &["--from", "99"]), [0u64; 0]);
    assert_eq!(positions(&book, &["--limit", "2"]), [0, 1]);
    assert_eq!(positions(&book, &["--limit", "0"]), [0u64; 0]);
    // The unit itself, its model, and what is about that model.
    assert_eq!(positions(&book, &["--unit", "tay-tuu"]), [2, 5, 6]);
    let of_ward = positions(&book, &["--unit", "phu-dien"]);
    for position in [1, 3, 4, 7, 8, 9, 10, 11, 12, 14, 16] {
        assert!(of_ward.contains(&position), "{position} in {of_ward:?}");
    }
    assert!(!of_ward.contains(&5), "{of_ward:?}");
    assert_eq!(positions(&book, &["--unit", "phu-dien", "--type", "model_registered"]), [3, 4]);
    assert_eq!(positions(&book, &["--unit", "tay-tuu", "--from", "5", "--limit", "1"]), [5]);
}

#[test]
fn log_shows_people_what_a_correction_needs() {
    let book = Book::of_office();
    let gift = &book.run("log", &["--json", "--type", "model_funded"]).lines()[0];
    let shown = book.run("log", &["--type", "model_funded", "--limit", "1"]).done();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], "8  model_funded  2024-05-05  by clerk");
    for (key, value) in [
        ("id", gift["id"].as_str().unwrap()),
        ("hash", gift["record_hash"].as_str().unwrap()),
        ("recorded", gift["recorded_at"].as_str().unwrap()),
        ("model", "M-1"),
        ("contribution.vnd", "15000000"),
        ("source", "socialised"),
    ] {
        let found = lines.iter().any(|line| line.strip_prefix(&format!("    {key:<18}  ")) == Some(value));
        assert!(found, "{key} {value} in {shown}");
    }
}

#[test]
fn log_shows_personal_fields_only_when_asked() {
    let book = Book::of_office();
    let plain = book.run("log", &["--json"]);
    for secret in ["Nguyễn Văn A", "P-17", "ngõ 5"] {
        assert!(!plain.out.contains(secret), "{secret}");
        assert!(!book.run("log", &[]).out.contains(secret), "{secret}");
        assert!(!book.run("export", &[]).out.contains(secret), "{secret}");
    }
    let event = plain.lines()[4]["event"].clone();
    for field in ["subject", "address"] {
        assert_eq!(event[field]["commitment"].as_str().unwrap().len(), 64, "{event}");
    }
    let shown = book.run("log", &["--json", "--with-personal"]).lines()[4]["event"].clone();
    assert_eq!(shown["subject"], json!({"id": "P-17", "name": "Nguyễn Văn A"}));
    assert_eq!(shown["address"], "Số 3, ngõ 5");
}

#[test]
fn a_tally_as_of_a_size_or_a_time_knows_what_was_known_then() {
    let book = Book::of_office();
    let size = book.head().size;
    let recorded = |position: usize| book.run("log", &["--json"]).lines()[position]["recorded_at"].as_str().unwrap().to_owned();
    let then = recorded(usize::try_from(size).unwrap() - 1);
    // The clock has microseconds; the correction is recorded at a later one.
    book.import(CORRECTION.as_bytes()).done();
    assert_ne!(then, recorded(usize::try_from(size).unwrap()));
    let cash = |as_of: &[&str]| -> Value {
        let args = [&["contributions", "--by", "kind", "--where", "kind=cash", "--format", "json"], as_of].concat();
        book.run("tally", &args).json()
    };
    let now = cash(&[]);
    assert_eq!((&now["rows"][0]["vnd"], &now["as_of"]), (&json!(51_000_000), &json!(size + 1)));
    for as_of in [size.to_string(), then.clone()] {
        let known = cash(&["--as-of", &as_of]);
        assert_eq!((&known["rows"][0]["vnd"], &known["as_of"]), (&json!(15_000_000), &json!(size)), "{as_of}");
        assert_eq!(known["size"], size, "{as_of}");
        assert_ne!(known["root"], now["root"]);
    }
    // Before everything, and after all.
    for (as_of, rows, used) in [("0", 0, 0), ("1999-12-31T23:59:59+07:00", 0, 0), ("2999-01-01T00:00:00Z", 1, size + 1)] {
        let known = cash(&["--as-of", as_of]);
        assert_eq!((known["rows"].as_array().unwrap().len(), &known["as_of"]), (rows, &json!(used)), "{as_of}");
    }
    // A retraction that came later: the labour days stood until then.
    let labour = |as_of: &str| {
        book.run("tally", &["contributions", "--by", "", "--format", "json", "--as-of", as_of]).json()["rows"][0].clone()
    };
    assert_eq!((&labour("14")["labour_days"], &labour("14")["labour_days_bound"]), (&json!(12), &json!("more_than")));
    assert_eq!((&labour("15")["labour_days"], labour("15").get("labour_days_bound")), (&json!(0), None));
}

#[test]
fn dates_filters_and_dimensions_narrow_a_tally() {
    let book = Book::of_office();
    book.import(GIFT.as_bytes()).done();
    let rows = |args: &[&str]| {
        book.run("tally", &[&["contributions", "--format", "json", "--by"], args].concat()).json()["rows"].clone()
    };
    assert_eq!(rows(&["source"]).as_array().unwrap().len(), 2);
    assert_eq!(rows(&["source", "--from", "2024-06-06"])[0]["source"], "own");
    assert_eq!(rows(&["source", "--to", "2024-05-05"])[0]["source"], "socialised");
    assert_eq!(rows(&["source", "--from", "2024-06-07"]), json!([]));
    assert_eq!(rows(&["", "--where", "source=own", "--where", "year=2024"])[0]["vnd"], 7);
    assert_eq!(rows(&["", "--where", "source=own", "--where", "year=2023"])[0]["vnd"], 0);
    let units = book.run("tally", &["registered", "--by", "unit", "--format", "json"]).json()["rows"].clone();
    assert_eq!(
        units,
        json!([{"unit": "phu-dien", "count": 2}, {"unit": "tay-tuu", "count": 1}]),
        "sorted; withdrawn stays registered"
    );
    // A record without a unit: null sorts first.
    let places = book.run("tally", &["recognised", "--by", "unit", "--format", "json"]).json()["rows"].clone();
    assert_eq!(places[0]["unit"], Value::Null);
    assert_eq!(places[1]["unit"], "phu-dien");
}

#[test]
fn sums_beyond_64_bits_are_exact() {
    let book = Book::of_office();
    let most = GIFT.replace("\"vnd\":7", &format!("\"vnd\":{}", i64::MAX));
    book.import(format!("{most}\n{most}\n{most}\n").as_bytes()).done();
    let args = ["contributions", "--by", "source", "--where", "source=own", "--format"];
    let said = book.run("tally", &[&args[..], &["json"]].concat()).done();
    assert!(said.contains("\"vnd\":27670116110564327421,"), "{said}");
    assert!(book.run("tally", &[&args[..], &["csv"]].concat()).done().contains("27670116110564327421"));
    let exported = book.run("export", &[]).done();
    assert!(exported.contains("\"vnd\":9223372036854775807"), "{exported}");
}
