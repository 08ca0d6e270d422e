//! Data on stdout, messages on stderr, in shapes that programs rely on.

use crate::book::{Book, GIFT, program, run};
use serde_json::{Value, json};
use std::process::Stdio;

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn json_has_the_promised_keys_and_types() {
    let book = Book::new();
    let imported = book.import(crate::book::OFFICE.as_bytes()).json();
    assert_eq!(keys(&imported), ["appended", "duplicates", "root", "size"]);
    let head = book.run("head", &["--json"]).json();
    assert_eq!(keys(&head), ["origin", "root", "root_hex", "size"]);
    assert_eq!(head["origin"], "example.org/book");
    assert_eq!((&head["root"], &head["size"]), (&imported["root"], &imported["size"]));
    assert_eq!(head["root"].as_str().unwrap().len(), 44, "32 bytes in base64");
    assert_eq!(head["root_hex"].as_str().unwrap().len(), 64);

    for (position, record) in (0u64..).zip(book.run("log", &["--json"]).lines()) {
        assert_eq!(keys(&record), ["actor", "event", "id", "occurred_on", "position", "record_hash", "recorded_at"]);
        assert_eq!(record["position"], position);
        let hash = record["record_hash"].as_str().unwrap();
        assert!(hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{hash}");
        let event = record["event"].as_object().unwrap();
        assert!(event.contains_key("type"), "{record}");
        for outside in ["actor", "occurred_on", "id", "recorded_at", "private"] {
            assert!(!event.contains_key(outside), "{record}");
        }
        let recorded_at = record["recorded_at"].as_str().unwrap();
        assert!(recorded_at.contains('T') && recorded_at.ends_with('Z'), "{recorded_at}");
    }

    let verified = book.run("verify", &["--json"]).json();
    for key in ["ok", "size", "root", "findings"] {
        assert!(verified.get(key).is_some(), "{verified}");
    }
    assert_eq!((&verified["ok"], &verified["findings"]), (&json!(true), &json!([])));
    assert_eq!((&verified["root"], &verified["size"]), (&head["root"], &head["size"]));

    let tally = book.run("tally", &["contributions", "--format", "json"]).json();
    assert_eq!(keys(&tally), ["as_of", "root", "rows", "size", "tally"]);
    assert_eq!((&tally["tally"], &tally["root"], &tally["size"]), (&json!("contributions"), &head["root"], &head["size"]));
    assert_eq!(tally["as_of"], head["size"]);
    assert_eq!(
        tally["rows"],
        json!([{"year": 2024, "kind": "cash", "count": 1, "vnd": 15_000_000, "labour_days": 0, "square_decimetres": 0}])
    );
}

#[test]
fn an_empty_ledger_has_a_head_and_totals() {
    let book = Book::new();
    let head = book.run("head", &["--json"]).json();
    // SHA-256 of nothing: the root of no leaves.
    assert_eq!(head["root_hex"], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(book.verified().size, 0);
    assert_eq!(book.run("log", &["--json"]).done(), "");
    assert_eq!(book.run("export", &[]).done(), "");
    let tally = |by: &str| book.run("tally", &["registered", "--by", by, "--format", "json"]).json()["rows"].clone();
    assert_eq!(tally("year"), json!([]));
    assert_eq!(tally(""), json!([{"count": 0}]), "one total row, zero or not");
}

#[test]
fn every_tally_prints_in_every_format() {
    let book = Book::of_office();
    let list = book.run("tally", &["--list"]).done();
    let names = [
        "registered",
        "recognised",
        "recognition-rate",
        "continuity",
        "contributions",
        "plaques",
        "commendations",
        "proposals",
        "multi-level",
        "cumulative",
        "amendments",
    ];
    for name in names {
        assert!(list.contains(name), "{name} in {list}");
        for by in [None, Some(""), Some("year")] {
            let by: Vec<&str> = by.map(|by| vec!["--by", by]).unwrap_or_default();
            let json = book.run("tally", &[&[name, "--format", "json"], &by[..]].concat()).json();
            let csv = book.run("tally", &[&[name, "--format", "csv"], &by[..]].concat()).done();
            let table = book.run("tally", &[&[name], &by[..]].concat()).done();
            let rows = json["rows"].as_array().unwrap();
            assert_eq!(csv.lines().count(), rows.len() + 1, "{name} {by:?}: {csv}");
            assert_eq!(table.trim_end().lines().count(), rows.len() + 1, "{name} {by:?}: {table}");
            for row in rows {
                for (key, value) in row.as_object().unwrap() {
                    assert!(!value.is_f64() && !value.is_object(), "{name}: {key} {value}");
                }
            }
        }
    }
}

#[test]
fn no_colour_and_no_progress_where_nobody_looks() {
    let book = Book::of_office();
    let file = book.file("gift.jsonl", GIFT);
    for (key, value) in [("NO_COLOR", "1"), ("TERM", "xterm-256color"), ("LANG", "vi_VN.UTF-8")] {
        for args in [
            book.args("import", &[file.to_str().unwrap()]),
            book.args("tally", &["registered"]),
            book.args("verify", &[]),
            book.args("log", &[]),
            book.args("tally", &["nonsense"]),
            book.args("head", &["--nonsense"]),
            vec!["--help".into()],
        ] {
            let output = program().args(&args).env(key, value).output().unwrap();
            assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b), "{args:?} with {key}: {output:?}");
        }
    }
}

#[test]
fn usage_errors_exit_with_2_and_help_with_0() {
    let book = Book::of_office();
    let cases: [(&str, &[&str]); 12] = [
        ("tally", &["nonsense"]),
        ("tally", &["registered", "--by", "kind"]),
        ("tally", &["registered", "--where", "kind=cash"]),
        ("tally", &["registered", "--where", "year=soon"]),
        ("tally", &["registered", "--as-of", "99999"]),
        ("tally", &["registered", "--as-of", "yesterday"]),
        ("tally", &["registered", "--from", "2024-02-30"]),
        ("log", &["--type", "nonsense"]),
        ("log", &["--limit", "-1"]),
        ("import", &[]),
        ("import", &["-", "--batch", "0"]),
        ("head", &["--nonsense"]),
    ];
    for (command, rest) in cases {
        let said = book.run(command, rest);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{command} {rest:?}: {said:?}");
        assert!(said.err.starts_with("error: "), "{command} {rest:?}: {said:?}");
    }
    assert_eq!(run(["nonsense"]).code, Some(2));
    assert_eq!(run::<&str>([]).code, Some(2));
    for command in ["init", "import", "export", "log", "head", "tally", "verify", "demo"] {
        let help = run([command, "--help"]).done();
        assert!(help.contains("Usage: sovang"), "{help}");
        assert!(help.contains("Example"), "the help of {command} has an example: {help}");
    }
    assert!(run(["--version"]).done().starts_with("sovang "));
}

#[test]
fn whoever_stops_reading_causes_no_panic() {
    let book = Book::of_office();
    let gifts: String = (0..2000).map(|n| GIFT.replace("\"vnd\":7", &format!("\"vnd\":{n}")) + "\n").collect();
    book.import(gifts.as_bytes()).done();
    for args in [book.args("log", &["--json"]), book.args("log", &[]), book.args("export", &[])] {
        let mut child = program().args(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*err), (Some(0), ""), "{args:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_stdout_or_stderr_causes_no_panic() {
    let book = Book::of_office();
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for args in [
        book.args("log", &[]),
        book.args("export", &[]),
        book.args("head", &["--json"]),
        book.args("tally", &["registered"]),
        book.args("tally", &["registered", "--format", "csv"]),
        book.args("tally", &["registered", "--format", "json"]),
        book.args("tally", &["--list"]),
        book.args("verify", &[]),
    ] {
        let output = program().args(&args).stdout(full()).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{args:?}: {err}");
        assert!(err.contains("stdout") && !err.contains("panicked"), "{args:?}: {err}");
    }
    let status = program().args(book.args("tally", &["nonsense"])).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(2), "an unheard message changes no exit code");
}
