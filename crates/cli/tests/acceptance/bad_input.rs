//! Everything that an import refuses: a clear error with file, line and field, exit code 2, and a ledger that has not changed.

use crate::book::{Book, GIFT};

struct Case {
    name: &'static str,
    input: Vec<u8>,
    /// The line that is to be blamed; none when it is the file.
    line: Option<u64>,
    /// What the message names: the field, the rule, the reason.
    says: &'static [&'static str],
}

/// A bad line after a good one: the good one must not stay.
fn line(name: &'static str, bad: impl AsRef<[u8]>, says: &'static [&'static str]) -> Case {
    let input = [GIFT.as_bytes(), b"\n", bad.as_ref(), b"\n"].concat();
    Case { name, input, line: Some(2), says }
}

fn gift(contribution: &str) -> String {
    format!(
        r#"{{"type":"model_funded","occurred_on":"2024-06-07","actor":"clerk","model":"M-1","contribution":{contribution},"source":"own"}}"#
    )
}
fn cash(vnd: &str) -> String {
    gift(&format!(r#"{{"kind":"cash","vnd":{vnd}}}"#))
}
fn on(day: &str) -> String {
    GIFT.replace("2024-06-06", day)
}
fn with(key: &str) -> String {
    GIFT.replace(r#""type""#, &format!(r#"{key},"type""#))
}

fn cases() -> Vec<Case> {
    let mut cases = forms();
    cases.extend(values());
    cases.extend(rules());
    cases
}

fn forms() -> Vec<Case> {
    let huge = vec![b'x'; (4 << 20) + 100];
    let long_text = format!(
        r#"{{"type":"model_withdrawn","occurred_on":"2024-06-07","actor":"clerk","model":"M-1","reason":"{}"}}"#,
        "x".repeat(2 << 20)
    );
    vec![
        Case { name: "empty", input: vec![], line: None, says: &["no event", "--allow-empty"] },
        Case { name: "blank lines only", input: b"\n\r\n  \n".to_vec(), line: None, says: &["no event", "--allow-empty"] },
        Case { name: "a byte order mark only", input: b"\xEF\xBB\xBF".to_vec(), line: None, says: &["no event"] },
        line("not UTF-8", b"{\"type\":\"\xFF\xFE\"}", &["UTF-8"]),
        line("UTF-16", "{\"type\"".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(), &["no JSON"]),
        line("a half surrogate", with(r#""id":"\ud800""#), &["no JSON", "column"]),
        line("a line over the limit", huge, &["IMPORT_LINE_BYTES_MAX", "4194304"]),
        line("a text over the limit", long_text, &["reason", "more than"]),
        line("no JSON", "model,unit,year", &["no JSON", "column 1"]),
        line("JSON over two lines", "{\n\"type\":\"model_funded\"}", &["no JSON"]),
        line("cut off", &GIFT[..GIFT.len() - 9], &["no JSON"]),
        line("two objects on a line", format!("{GIFT}{GIFT}"), &["no JSON"]),
        line("a list", format!("[{GIFT}]"), &["object"]),
        line("deeply nested", "[".repeat(100_000), &["no JSON"]),
        line("an unknown key", with(r#""colour":"red""#), &["colour", "unknown key"]),
        line("an unknown key within", gift(r#"{"kind":"cash","vnd":1,"days":2}"#), &["contribution.days", "unknown key"]),
        line("a repeated key", with(r#""actor":"clerk""#), &["actor", "twice"]),
        line("a repeated key within", gift(r#"{"kind":"cash","vnd":1,"vnd":1}"#), &["contribution.vnd", "twice"]),
        line("a key repeated by an escape", with(r#""\u0061ctor":"x""#), &["actor", "twice"]),
        line("a missing key", GIFT.replace(r#","source":"own""#, ""), &["source", "missing"]),
        line("no actor", GIFT.replace(r#""actor":"clerk","#, ""), &["actor", "missing"]),
        line("an unknown type", GIFT.replace("model_funded", "model_found"), &["type", "model_found"]),
        line("a type of a mebibyte", GIFT.replace("model_funded", &"model_found".repeat(100_000)), &["type"]),
        line("a key of a mebibyte", with(&format!(r#""{}":1"#, "colour".repeat(200_000))), &["colour", "unknown key"]),
        line("a key that steers terminals", with(r#""\u001b[2J\u0007":1"#), &["\\u{1b}[2J", "unknown key"]),
        line("an unknown code", GIFT.replace("\"own\"", "\"theirs\""), &["source", "theirs", "sponsor"]),
        line("a text for a number", cash("\"7\""), &["contribution.vnd", "text"]),
        line("null", cash("null"), &["contribution.vnd"]),
        line(
            "a commitment",
            GIFT.replace(r#""source""#, &format!(r#""donor":{{"commitment":"{}"}},"source""#, "ab".repeat(32))),
            &["donor", "--migrate"],
        ),
        line(
            "a record of the ledger's own",
            r#"{"type":"subject_erased","occurred_on":"2024-06-06","actor":"clerk","id":"00000000-0000-4000-8000-0000000000aa","handle":"00000000000000000000000000000000","basis":"asked"}"#,
            &["type", "--migrate"],
        ),
    ]
}

fn values() -> Vec<Case> {
    vec![
        line("30 February", on("2024-02-30"), &["occurred_on", "YYYY-MM-DD"]),
        line("29 February of a common year", on("2023-02-29"), &["occurred_on"]),
        line("a short date", on("24-1-1"), &["occurred_on"]),
        line("a date without zeros", on("2024-1-1"), &["occurred_on"]),
        line("a date with a time", on("2024-06-06T08:00:00Z"), &["occurred_on"]),
        line("a Vietnamese date", on("06/06/2024"), &["occurred_on"]),
        line("year 0", on("0000-01-01"), &["occurred_on"]),
        line("an empty date", on(""), &["occurred_on"]),
        line("negative money", cash("-1"), &["contribution.vnd", "negative"]),
        line("negative days", gift(r#"{"kind":"labour","days":-3}"#), &["contribution.days", "negative"]),
        line("a negative area", gift(r#"{"kind":"land","square_metres":"-1","land":"farm"}"#), &["contribution.square_metres"]),
        line(
            "an area as a number",
            gift(r#"{"kind":"land","square_metres":12.5,"land":"farm"}"#),
            &["contribution.square_metres"],
        ),
        line(
            "an area too fine",
            gift(r#"{"kind":"land","square_metres":"1.234","land":"farm"}"#),
            &["contribution.square_metres"],
        ),
        line("one more than i64 holds", cash("9223372036854775808"), &["contribution.vnd", "64 bits"]),
        line("far more than i64 holds", cash("99999999999999999999999999999999999999999"), &["contribution.vnd", "64 bits"]),
        line(
            "an area that overflows",
            gift(r#"{"kind":"land","square_metres":"92233720368547758.08","land":"farm"}"#),
            &["contribution.square_metres"],
        ),
        line("a float", cash("1.0"), &["contribution.vnd", "fraction or an exponent"]),
        line("an exponent", cash("1e3"), &["contribution.vnd", "fraction or an exponent"]),
        line("minus nothing", cash("-0.0"), &["contribution.vnd"]),
        line(
            "a year as text",
            r#"{"type":"model_continued","occurred_on":"2025-02-01","actor":"clerk","model":"M-1","year":"2025"}"#,
            &["year"],
        ),
        line("an id that is no UUID", with(r#""id":"7""#), &["id", "UUID"]),
        line("an empty model", GIFT.replace("\"M-1\"", "\"\""), &["model"]),
        line("a model of 129 bytes", GIFT.replace("M-1", &"M".repeat(129)), &["model"]),
        line("a control character", GIFT.replace("M-1", "M\\u0007"), &["model", "control"]),
        line("an override of rule 3", with(r#""override":{"rules":[3],"reason":"because"}"#), &["override.rules", "1, 4 and 5"]),
        line("an override without reason", with(r#""override":{"rules":[1]}"#), &["override.reason"]),
        line(
            "a person's name in public",
            r#"{"type":"commendation_awarded","occurred_on":"2024-10-14","actor":"clerk","commendation":"C-9","recipient":{"kind":"individual","name":"Nguyễn Văn A","unit":"phu-dien"},"form":"order","level":"central","decision":{"issuer":"X","number":"1","date":"2024-10-01"}}"#,
            &["recipient.name", "subject"],
        ),
        line(
            "an id of the ledger with other content",
            cash("1").replace(r#""type""#, r#""id":"00000000-0000-4000-8000-000000000002","type""#),
            &["00000000-0000-4000-8000-000000000002", "other content"],
        ),
        Case {
            name: "an id of the file with other content",
            input: [
                cash("1").replace(r#""type""#, r#""id":"00000000-0000-4000-8000-0000000000bb","type""#),
                cash("2").replace(r#""type""#, r#""id":"00000000-0000-4000-8000-0000000000bb","type""#),
            ]
            .join("\n")
            .into_bytes(),
            line: Some(2),
            says: &["00000000-0000-4000-8000-0000000000bb", "other content"],
        },
        line(
            "another person under the id of the ledger",
            r#"{"type":"commendation_awarded","occurred_on":"2024-10-15","actor":"clerk","id":"00000000-0000-4000-8000-000000000004","commendation":"C-2","recipient":{"kind":"individual","subject":{"id":"P-18","name":"Nguyễn Văn B"},"unit":"phu-dien"},"form":"commemorative_medal","level":"central","decision":{"issuer":"BDVTW","number":"77-QD/BDV","date":"2024-10-01"}}"#,
            &["00000000-0000-4000-8000-000000000004", "other content"],
        ),
    ]
}

/// Each rule of the office that a line can break; rule 8 is about what an annulment leaves standing.
fn rules() -> Vec<Case> {
    vec![
        line(
            "rule 1: a second unit",
            r#"{"type":"unit_defined","occurred_on":"2013-12-27","actor":"clerk","unit":"phu-dien","name":"Phú Diễn 2","kind":"ward","valid_from":"2013-12-27"}"#,
            &["unit:", "rule 1", "phu-dien"],
        ),
        line(
            "rule 1: a second model",
            r#"{"type":"model_registered","occurred_on":"2024-02-01","actor":"clerk","model":"M-1","title":"Khác","subject_kind":"collective","unit":"phu-dien","field":"economy","year":2024}"#,
            &["model:", "rule 1", "M-1"],
        ),
        line(
            "rule 1: a unit that is not defined",
            r#"{"type":"model_registered","occurred_on":"2024-02-01","actor":"clerk","model":"M-9","title":"Khác","subject_kind":"collective","unit":"nowhere","field":"economy","year":2024}"#,
            &["unit:", "rule 1", "nowhere"],
        ),
        line("rule 1: a model that is not registered", GIFT.replace("M-1", "M-9"), &["model:", "rule 1", "M-9"]),
        line("rule 1: a withdrawn model", GIFT.replace("M-1", "M-3"), &["occurred_on:", "rule 1", "withdrawn"]),
        line(
            "rule 1: a plaque that never was",
            r#"{"type":"plaque_removed","occurred_on":"2025-05-01","actor":"clerk","plaque":"PL-9","reason":"missing"}"#,
            &["plaque:", "rule 1", "PL-9"],
        ),
        line(
            "rule 1: an annulled decision",
            r#"{"type":"model_recognised","occurred_on":"2025-07-01","actor":"clerk","model":"M-1","level":"city","decision":{"issuer":"QU-BTL","number":"99-QD/QU","date":"2024-09-01"}}"#,
            &["decision:", "rule 1", "annulled"],
        ),
        line(
            "rule 2: a plaque on nothing",
            r#"{"type":"plaque_mounted","occurred_on":"2024-10-10","actor":"clerk","plaque":"PL-2","model":"M-2","level":"city","place":"Tổ 5"}"#,
            &["rule 2", "PL-2"],
        ),
        line(
            "rule 2: a plaque before its decision",
            r#"{"type":"plaque_mounted","occurred_on":"2024-09-30","actor":"clerk","plaque":"PL-2","model":"M-1","level":"city","place":"Tổ 5"}"#,
            &["rule 2", "2024-09-30"],
        ),
        line(
            "rule 3: a decision with two dates",
            r#"{"type":"model_recognised","occurred_on":"2024-10-01","actor":"clerk","model":"M-2","level":"city","decision":{"issuer":"QU-BTL","number":"123-QD/QU","date":"2024-10-02"}}"#,
            &["decision:", "rule 3", "2024-10-01"],
        ),
        line(
            "rule 4: recognised twice",
            r#"{"type":"model_recognised","occurred_on":"2024-12-01","actor":"clerk","model":"M-1","level":"district","decision":{"issuer":"QU-BTL","number":"200-QD/QU","date":"2024-12-01"}}"#,
            &["rule 4", "M-1", "2024"],
        ),
        line(
            "rule 5: awarded twice",
            r#"{"type":"commendation_awarded","occurred_on":"2024-12-14","actor":"clerk","commendation":"C-9","recipient":{"kind":"collective","name":"Tổ dân phố 5","unit":"phu-dien"},"form":"certificate_of_merit","level":"district","decision":{"issuer":"QU-BTL","number":"201-QD/QU","date":"2024-12-01"},"achievement":"Dân vận khéo 2024"}"#,
            &["achievement:", "rule 5"],
        ),
        line(
            "rule 6: an issuer that had ended",
            r#"{"type":"model_recognised","occurred_on":"2025-08-01","actor":"clerk","model":"M-2","level":"city","decision":{"issuer":"bac-tu-liem","number":"1-QD","date":"2025-08-01"}}"#,
            &["decision:", "rule 6", "2025-06-30"],
        ),
        line("rule 7: less than nothing", cash("-5"), &["contribution.vnd", "rule 7"]),
        line(
            "rule 9: an amendment of nothing",
            r#"{"type":"record_retracted","occurred_on":"2025-06-03","actor":"clerk","target":"00000000-0000-4000-8000-0000000000cc","reason":"twice"}"#,
            &["target:", "rule 9"],
        ),
        line(
            "rule 9: an amendment of an amendment",
            r#"{"type":"record_retracted","occurred_on":"2025-06-03","actor":"clerk","target":"00000000-0000-4000-8000-000000000005","reason":"twice"}"#,
            &["target:", "rule 9"],
        ),
        line(
            "rule 9: a retraction is final",
            r#"{"type":"record_retracted","occurred_on":"2025-06-05","actor":"clerk","target":"00000000-0000-4000-8000-000000000003","reason":"again"}"#,
            &["target:", "rule 9", "final"],
        ),
        line(
            "rule 9: another type",
            r#"{"type":"record_corrected","occurred_on":"2025-06-02","actor":"clerk","target":"00000000-0000-4000-8000-000000000002","replacement":{"type":"model_continued","occurred_on":"2024-05-05","model":"M-1","year":2024},"reason":"wrong"}"#,
            &["rule 9", "model_continued"],
        ),
        line(
            "rule 9: others rest on it",
            r#"{"type":"record_retracted","occurred_on":"2025-06-05","actor":"clerk","target":"00000000-0000-4000-8000-000000000001","reason":"wrong"}"#,
            &["target:", "rule 9", "plaque"],
        ),
    ]
}

#[test]
fn a_bad_line_says_where_and_what_and_changes_nothing() {
    let book = Book::of_office();
    let before = book.head();
    for case in cases() {
        let file = book.file("in.jsonl", &case.input);
        let name = file.to_str().unwrap();
        let said = book.run("import", &[name]);
        let place = case.line.map_or_else(|| format!("error: {name}: "), |line| format!("error: {name}: line {line}: "));
        if std::env::var_os("SOVANG_SHOW_MESSAGES").is_some() {
            eprintln!("{}\n    {}", case.name, said.err.replace(name, "in.jsonl").trim_end());
        }
        assert_eq!(said.code, Some(2), "{}: {said:?}", case.name);
        assert_eq!(said.out, "", "{}: data on stdout only", case.name);
        assert!(said.err.starts_with(&place), "{}: {said:?}", case.name);
        assert!(said.err.len() < 1000, "{}: a message, not the input: {} bytes", case.name, said.err.len());
        assert!(said.err.chars().all(|c| c == '\n' || !c.is_control()), "{}: {said:?}", case.name);
        for part in case.says {
            assert!(said.err.contains(part), "{}: {part:?} in {said:?}", case.name);
        }
        assert_eq!(book.head(), before, "{}", case.name);
    }
    assert_eq!(book.verified(), before);
    let done = book.import(GIFT.as_bytes()).json();
    assert_eq!((&done["appended"], &done["size"]), (&1.into(), &(before.size + 1).into()), "a correct import works afterwards");
}

#[test]
fn an_empty_file_may_be_allowed() {
    let book = Book::of_office();
    let done = book.import_with(&["--json", "--allow-empty"], b"\n\n").json();
    assert_eq!((&done["appended"], &done["duplicates"]), (&0.into(), &0.into()));
}

#[test]
fn a_name_that_is_no_file_is_told() {
    let book = Book::of_office();
    let before = book.head();
    let directory = book.dir.path().join("in.d");
    std::fs::create_dir(&directory).unwrap();
    for (name, code) in [("/no/such/file.jsonl", 2), (directory.to_str().unwrap(), 2)] {
        let said = book.run("import", &[name]);
        assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{said:?}");
        assert!(said.err.contains(name), "{said:?}");
    }
    // The second file is bad: the first one is not appended either.
    let good = book.file("good.jsonl", GIFT);
    let bad = book.file("bad.jsonl", "nonsense");
    let said = book.run("import", &[good.to_str().unwrap(), bad.to_str().unwrap()]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("bad.jsonl: line 1"), "{said:?}");
    assert_eq!(book.head(), before);
}

#[test]
fn what_is_no_ledger_exits_with_3() {
    let empty = tempfile::tempdir().unwrap();
    let missing = empty.path().join("none");
    let file = empty.path().join("file");
    std::fs::write(&file, "x").unwrap();
    for dir in [empty.path(), &missing, &file] {
        let dir = dir.to_str().unwrap();
        for command in [
            vec!["head", dir],
            vec!["head", dir, "--json"],
            vec!["log", dir],
            vec!["export", dir],
            vec!["tally", dir, "registered"],
            vec!["verify", dir],
            vec!["verify", dir, "--json"],
            vec!["import", dir, "-"],
        ] {
            let said = crate::book::run(&command);
            assert_eq!((said.code, said.out.as_str()), (Some(3), ""), "{command:?}: {said:?}");
            assert!(said.err.contains(dir) && said.err.contains("hint:"), "{command:?}: {said:?}");
        }
    }
    assert!(!missing.exists(), "nothing was made");
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 1, "nothing was made");
}

#[test]
fn init_refuses_what_is_there_and_what_is_no_name() {
    let book = Book::of_office();
    let before = book.head();
    let said = book.run("init", &["--origin", "example.org/other"]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
    assert_eq!(book.head(), before);
    let dir = book.dir.path().to_str().unwrap();
    let said = crate::book::run(["init", dir, "--origin", "example.org/other"]);
    assert_eq!(said.code, Some(2), "a directory with something in it: {said:?}");
    assert!(said.err.contains("empty"), "{said:?}");
    let new = book.dir.path().join("a/b/c");
    let new = new.to_str().unwrap();
    let long = "x".repeat(256);
    for origin in ["", "a b", "a+b", "a\nb", "a\u{a0}b", long.as_str()] {
        let said = crate::book::run(["init", new, "--origin", origin]);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{origin:?}: {said:?}");
        assert!(!book.dir.path().join("a").exists(), "{origin:?}: nothing was made");
    }
    crate::book::run(["init", new, "--origin", &"x".repeat(255)]).done();
    assert_eq!(crate::book::head(new.as_ref()).size, 0);
}
