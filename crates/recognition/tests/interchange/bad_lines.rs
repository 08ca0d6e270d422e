//! Lines that must be refused, each with its field and why.

use sovang_recognition::interchange::{Mode, parse_line};

fn refused(line: &str, mode: Mode) -> String {
    parse_line(line.as_bytes(), mode).map(|_| ()).expect_err(line).to_string()
}

/// A line of this type with these keys, refused so.
fn check(name: &str, keys: &str, error: &str) {
    let line = format!(r#"{{"type":"{name}","occurred_on":"2024-05-05","actor":"clerk",{keys}}}"#);
    assert_eq!(refused(&line, Mode::Append), error, "{line}");
}

const DECISION: &str = r#""decision":{"issuer":"I","number":"1","date":"2024-10-01"}"#;

#[test]
fn the_line_itself() {
    for (line, error) in [
        ("", "no JSON: the end where a value should be, at column 1"),
        ("[1]", "is a list, and should be one JSON object"),
        ("{}", "type: is missing"),
        (r#"{"type":7}"#, "type: is a number, and should be text"),
        (r#"{"type":"model_continued"}"#, "occurred_on: is missing"),
        (
            r#"{"type":"model_continued","occurred_on":"2024-02-30","actor":"c"}"#,
            "occurred_on: is no day of the years 1 to 9999 written YYYY-MM-DD",
        ),
        (
            r#"{"type":"model_continued","occurred_on":"2024-2-3","actor":"c"}"#,
            "occurred_on: is no day of the years 1 to 9999 written YYYY-MM-DD",
        ),
        (
            r#"{"type":"model_continued","occurred_on":"0000-01-01","actor":"c"}"#,
            "occurred_on: is no day of the years 1 to 9999 written YYYY-MM-DD",
        ),
        (
            r#"{"type":"model_continued","occurred_on":"+024-01-01","actor":"c"}"#,
            "occurred_on: is no day of the years 1 to 9999 written YYYY-MM-DD",
        ),
        (r#"{"type":"model_continued","occurred_on":"2024-01-01"}"#, "actor: is missing"),
        (
            r#"{"type":"model_continued","occurred_on":"2024-01-01","actor":" "}"#,
            "actor: is blank, longer than 128 bytes or holds a control character",
        ),
        (
            r#"{"type":"model_renamed","occurred_on":"2024-01-01","actor":"c"}"#,
            "type: \"model_renamed\" is no event type of this version",
        ),
        (r#"{"type":"model_continued","type":"x"}"#, "type: stands twice"),
        (
            r#"{"type":"model_continued","occurred_on":"2024-01-01","actor":"c","model":null,"year":2024}"#,
            "model: is null, and should be text",
        ),
    ] {
        assert_eq!(refused(line, Mode::Append), error, "{line}");
    }
    let long = format!(r#"{{"type":"{}"}}"#, "x".repeat(4 << 20));
    assert_eq!(refused(&long, Mode::Append), "the line is longer than IMPORT_LINE_BYTES_MAX = 4194304 bytes");
}

#[test]
fn the_envelope() {
    let name = "model_continued";
    let with = |keys: &str, error: &str| check(name, &format!(r#""model":"M","year":2024,{keys}"#), error);
    with(r#""id":"0192d7a05c1e70008000000000000001""#, "id: is no UUID such as 0192d7a0-5c1e-7000-8000-000000000001");
    with(r#""id":"{0192d7a0-5c1e-7000-8000-000000000001}""#, "id: is no UUID such as 0192d7a0-5c1e-7000-8000-000000000001");
    with(
        r#""causation":"0192d7a0-5c1e-7000-8000-00000000000g""#,
        "causation: is no UUID such as 0192d7a0-5c1e-7000-8000-000000000001",
    );
    with(r#""record_source":"  ""#, "record_source: is empty: say something, or leave an optional field out");
    with(r#""record_source":"a\tb""#, "record_source: holds the control character U+0009");
    with(r#""correlation":"""#, "correlation: is blank, longer than 128 bytes or holds a control character");
    with(
        r#""override":{"rules":[2],"reason":"r"}"#,
        "override.rules: names a rule that cannot be waived, or one twice: only 1, 4 and 5 can",
    );
    with(
        r#""override":{"rules":[1,1],"reason":"r"}"#,
        "override.rules: names a rule that cannot be waived, or one twice: only 1, 4 and 5 can",
    );
    with(
        r#""override":{"rules":[65537],"reason":"r"}"#,
        "override.rules: names a rule that cannot be waived, or one twice: only 1, 4 and 5 can",
    );
    with(
        r#""override":{"rules":[],"reason":"r"}"#,
        "override.rules: is a list, and should be a list of rules' numbers, at least one",
    );
    with(
        r#""override":{"rules":["1"],"reason":"r"}"#,
        "override.rules: is text, and should be a list of rules' numbers, at least one",
    );
    with(r#""override":{"rules":[1]}"#, "override.reason: is missing");
    with(r#""override":{"rules":[1],"reason":""}"#, "override.reason: is empty: say something, or leave an optional field out");
    with(r#""override":{"rules":[1],"reason":"r","by":"me"}"#, "override.by: is an unknown key here");
    with(r#""position":3"#, "position: is an unknown key here");
    with(r#""source":"scan""#, "source: is an unknown key here");
}

#[test]
fn quantities() {
    let with = |contribution: &str, error: &str| {
        check("model_funded", &format!(r#""model":"M","source":"own","contribution":{contribution}"#), error);
    };
    let whole = "is a number with a fraction or an exponent: write whole numbers in plain digits";
    with(r#"{"kind":"cash","vnd":-1}"#, "contribution.vnd: rule 7: is negative: quantities never are");
    with(r#"{"kind":"cash","vnd":1.0}"#, &format!("contribution.vnd: {whole}"));
    with(r#"{"kind":"cash","vnd":1e3}"#, &format!("contribution.vnd: {whole}"));
    with(r#"{"kind":"cash","vnd":9223372036854775808}"#, "contribution.vnd: is a number beyond 64 bits");
    with(r#"{"kind":"cash","vnd":"1000"}"#, "contribution.vnd: is text, and should be a whole number");
    with(r#"{"kind":"cash"}"#, "contribution.vnd: is missing");
    with(r#"{"kind":"cash","vnd":1,"days":2}"#, "contribution.days: is an unknown key here");
    with(r#"{"kind":"cash","vnd":1,"vnd":1}"#, "contribution.vnd: stands twice");
    with(r#"{"kind":"labour","days":1.5}"#, &format!("contribution.days: {whole}"));
    with(r#"{"kind":"labour","days":-2}"#, "contribution.days: rule 7: is negative: quantities never are");
    let area =
        "contribution.square_metres: is no area in square metres: digits, and at most two more after a point, such as \"659.88\"";
    with(r#"{"kind":"land","square_metres":"1.234","land":"farm"}"#, area);
    with(r#"{"kind":"land","square_metres":"1,5","land":"farm"}"#, area);
    with(
        r#"{"kind":"land","square_metres":"-1.5","land":"farm"}"#,
        "contribution.square_metres: rule 7: is negative: quantities never are",
    );
    with(r#"{"kind":"land","square_metres":659,"land":"farm"}"#, "contribution.square_metres: is a number, and should be text");
    with(
        r#"{"kind":"land","square_metres":"1","land":"forest"}"#,
        "contribution.land: \"forest\" is no land kind: it is one of residential, farm",
    );
    with(
        r#"{"kind":"gold","vnd":1}"#,
        "contribution.kind: \"gold\" is no kind of contribution: it is one of cash, labour, land, in_kind",
    );
    with("7", "contribution: is a number, and should be an object");
    let bonus = format!(
        r#""commendation":"C","recipient":{{"kind":"collective","name":"N"}},"form":"medal","level":"city",{DECISION},"bonus_vnd":-1"#
    );
    check("commendation_awarded", &bonus, "bonus_vnd: rule 7: is negative: quantities never are");
    check(
        "figure_published",
        r#""measure":"m","unit":"u","period":"p","value":-7,"qualifier":"exact","source":"s""#,
        "value: rule 7: is negative: quantities never are",
    );
}

#[test]
fn the_statement_of_a_figure() {
    let said = |digest: &str, expected: &str| {
        let figure = r#""measure":"m","unit":"u","period":"p","value":7,"qualifier":"exact","source":"s","statement":"#;
        check("figure_published", &format!("{figure}{digest}"), expected);
    };
    let digits = "statement: is not 64 lower-case hex digits";
    said("\"00ff\"", digits);
    said(&format!("\"{}\"", "0A".repeat(32)), digits);
    said("7", "statement: is a number, and should be text");
}

#[test]
fn texts_codes_and_years() {
    let empty = "is empty: say something, or leave an optional field out";
    check("model_withdrawn", r#""model":"","reason":"r""#, &format!("model: {empty}"));
    check("model_withdrawn", r#""model":"M","reason":"""#, &format!("reason: {empty}"));
    check("model_withdrawn", r#""model":"M\n","reason":"r""#, "model: holds the control character U+000A");
    check("model_withdrawn", r#""model":"M","reason":"a\u009fb""#, "reason: holds the control character U+009F");
    check(
        "model_withdrawn",
        &format!(r#""model":"{}","reason":"r""#, "x".repeat(129)),
        "model: has 129 bytes, more than ID_BYTES_MAX = 128",
    );
    check(
        "plaque_mounted",
        r#""plaque":"P","model":"M","level":"city","place":"a\nb""#,
        "place: holds the control character U+000A",
    );
    check(
        "plaque_mounted",
        r#""plaque":"P","model":"M","level":"ward","place":"p""#,
        "level: \"ward\" is no level: it is one of commune, district, city, province, central",
    );
    check(
        "plaque_removed",
        r#""plaque":"P","reason":"stolen""#,
        "reason: \"stolen\" is no plaque removal: it is one of removed, relocated, missing",
    );
    check("model_continued", r#""model":"M","year":"2024""#, "year: is text, and should be a whole number");
    check("model_continued", r#""model":"M","year":0"#, "year: is not in the years 1 to 9999");
    check("model_continued", r#""model":"M","year":10000"#, "year: is not in the years 1 to 9999");
    check(
        "unit_defined",
        r#""unit":"u","name":"n","kind":"village","valid_from":"2013-12-27""#,
        "kind: \"village\" is no unit kind: it is one of ward, commune, special_zone, district, city, province, department, group, other",
    );
    check(
        "unit_succeeded",
        r#""from":"a","to":"b","effective_on":"2025-07-01","act":"","extent":"whole""#,
        &format!("act: {empty}"),
    );
    let registered = |keys: &str, error: &str| {
        check("model_registered", &format!(r#""model":"M","title":"T","unit":"u","year":2024,{keys}"#), error);
    };
    registered(
        r#""subject_kind":"collective","field":"Green Living""#,
        "field: \"Green Living\" is no field: it is one of economy, culture_society, defence_security, political_system, or another text in lower snake case",
    );
    registered(
        r#""subject_kind":"group","field":"economy""#,
        "subject_kind: \"group\" is no subject kind: it is one of collective, individual, household",
    );
    let recognised = |keys: &str, error: &str| check("model_recognised", &format!(r#""model":"M","level":"city",{keys}"#), error);
    recognised(r#""tier":"t""#, "decision: is missing");
    recognised(r#""decision":{"issuer":"I","number":"1"}"#, "decision.date: is missing");
    recognised(r#""decision":{"issuer":"","number":"1","date":"2024-10-01"}"#, &format!("decision.issuer: {empty}"));
    recognised(
        r#""decision":{"issuer":"I","number":"1","date":"01/10/2024"}"#,
        "decision.date: is no day of the years 1 to 9999 written YYYY-MM-DD",
    );
    recognised(&format!(r#"{DECISION},"period":"""#), &format!("period: {empty}"));
}

#[test]
fn persons() {
    let registered = |kind: &str, keys: &str, error: &str| {
        check(
            "model_registered",
            &format!(r#""model":"M","title":"T","unit":"u","year":2024,"field":"economy","subject_kind":"{kind}",{keys}"#),
            error,
        );
    };
    let collective = "is for an individual or a household: a collective's name is public and stands in the title or the name";
    registered("collective", r#""subject":{"id":"P","name":"N"}"#, &format!("subject: {collective}"));
    registered("individual", r#""subject":{"name":"N"}"#, "subject.id: is missing");
    registered("individual", r#""subject":{"id":"P"}"#, "subject.name: is missing");
    registered(
        "individual",
        r#""subject":{"id":" ","name":"N"}"#,
        "subject.id: is blank, longer than 128 bytes or holds a control character",
    );
    registered(
        "individual",
        r#""subject":{"id":"P","name":""}"#,
        "subject.name: is empty: say something, or leave an optional field out",
    );
    registered("individual", r#""subject":{"id":"P","name":"N","born":1990}"#, "subject.born: is an unknown key here");
    registered("individual", r#""subject":"P""#, "subject: is text, and should be an object");
    let commitment = "00".repeat(32);
    let only_migrated = "is a commitment, which only `--migrate` takes, into an empty ledger";
    registered("individual", &format!(r#""subject":{{"commitment":"{commitment}"}}"#), &format!("subject: {only_migrated}"));
    registered(
        "individual",
        &format!(r#""subject":{{"id":"P","name":"N"}},"address":{{"commitment":"{commitment}"}}"#),
        &format!("address: {only_migrated}"),
    );
    registered(
        "individual",
        &format!(r#""address":{{"commitment":"{commitment}"}}"#),
        "address: is an object, and should be text",
    );
    let proposed = |recipient: &str, error: &str| {
        check(
            "commendation_proposed",
            &format!(r#""commendation":"C","form":"medal","level":"city","recipient":{recipient}"#),
            error,
        );
    };
    proposed(
        r#"{"kind":"individual","name":"N"}"#,
        "recipient.name: would be public for ever: a person's name stands in `subject`, from where it can be erased",
    );
    proposed(r#"{"kind":"collective","name":"N","subject":{"id":"P","name":"N"}}"#, &format!("recipient.subject: {collective}"));
    proposed(r#"{"kind":"collective"}"#, "recipient.name: is missing");
    proposed(r#"{"name":"N"}"#, "recipient.kind: is missing");
    check(
        "model_funded",
        &format!(
            r#""model":"M","source":"own","contribution":{{"kind":"cash","vnd":1}},"donor":{{"commitment":"{commitment}"}}"#
        ),
        &format!("donor: {only_migrated}"),
    );
}

#[test]
fn amendments() {
    const TARGET: &str = r#""target":"0192d7a0-5c1e-7000-8000-000000000001","reason":"r""#;
    let corrected =
        |replacement: &str, error: &str| check("record_corrected", &format!(r#"{TARGET},"replacement":{replacement}"#), error);
    check("record_retracted", r#""target":"17","reason":"r""#, "target: is no UUID such as 0192d7a0-5c1e-7000-8000-000000000001");
    check("record_corrected", TARGET, "replacement: is missing");
    corrected(r#"{"occurred_on":"2024-05-05"}"#, "replacement.type: is missing");
    corrected(r#"{"type":"model_continued","model":"M","year":2024}"#, "replacement.occurred_on: is missing");
    corrected(
        r#"{"type":"model_continued","occurred_on":"2024-05-05","model":"","year":2024}"#,
        "replacement.model: is empty: say something, or leave an optional field out",
    );
    corrected(
        r#"{"type":"model_continued","occurred_on":"2024-05-05","model":"M","year":2024,"actor":"c"}"#,
        "replacement.actor: is an unknown key here",
    );
    corrected(
        r#"{"type":"model_continued","occurred_on":"2024-05-05","model":"M","year":2024,"id":"0192d7a0-5c1e-7000-8000-000000000001"}"#,
        "replacement.id: is an unknown key here",
    );
    corrected(
        r#"{"type":"model_funded","occurred_on":"2024-05-05","model":"M","source":"own","contribution":{"kind":"cash","vnd":-5}}"#,
        "replacement.contribution.vnd: rule 7: is negative: quantities never are",
    );
    corrected(
        r#"{"type":"record_retracted","occurred_on":"2024-05-05"}"#,
        "replacement: rule 9: is an amendment: only an original record's event can stand in its place",
    );
    corrected(
        r#"{"type":"subject_erased","occurred_on":"2024-05-05"}"#,
        "replacement.type: \"subject_erased\" is no event type of this version",
    );
}

#[test]
fn what_only_a_migration_takes() {
    let erased = r#"{"type":"subject_erased","occurred_on":"2026-01-05","actor":"dpo","handle":"00112233445566778899aabbccddeeff","basis":"91/2025, art. 14","id":"0192d7a0-5c1e-7000-8000-000000000009"}"#;
    assert_eq!(
        refused(erased, Mode::Append),
        "type: is a record of the ledger itself, which only `--migrate` takes, into an empty ledger"
    );
    assert!(parse_line(erased.as_bytes(), Mode::Migrate).is_ok());
    for (from, to, error) in [
        ("ddeeff", "ddeef", "handle: is not 32 lower-case hex digits"),
        ("ddeeff", "DDEEFF", "handle: is not 32 lower-case hex digits"),
        (r#","id":"0192d7a0-5c1e-7000-8000-000000000009""#, "", "id: is missing"),
        (r#""actor""#, r#""subject":"P","actor""#, "subject: is an unknown key here"),
    ] {
        assert_eq!(refused(&erased.replace(from, to), Mode::Migrate), error);
    }
    let funded = r#"{"type":"model_funded","occurred_on":"2024-05-05","actor":"c","model":"M","source":"own","contribution":{"kind":"cash","vnd":1}"#;
    let salt = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for (keys, error) in [
        (r#""recorded_at":"2024-05-05""#.to_owned(), "recorded_at: is no instant such as 2024-10-14T08:30:00Z (RFC 3339)"),
        (r#""recorded_at":7"#.to_owned(), "recorded_at: is no instant such as 2024-10-14T08:30:00Z (RFC 3339)"),
        (format!(r#""private":{{"donor":"{salt}"}}"#), "private.donor: names no personal value that this line shows"),
        (
            format!(r#""donor":{{"id":"P","name":"N"}},"private":{{"donor":"{}"}}"#, salt.replace('=', "")),
            "private.donor: is not base64 of 32 bytes",
        ),
        (
            format!(r#""donor":{{"id":"P","name":"N"}},"private":{{"donor":"{}"}}"#, salt.replace("A=", "B=")),
            "private.donor: is not base64 of 32 bytes",
        ),
        (r#""private":"x""#.to_owned(), "private: is text, and should be an object"),
        (format!(r#""donor":{{"commitment":"{}"}}"#, "0".repeat(63)), "donor.commitment: is not 64 lower-case hex digits"),
        (format!(r#""donor":{{"commitment":"{}","erased":"yes"}}"#, "0".repeat(64)), "donor.erased: is text, and should be true"),
    ] {
        let line = format!("{funded},{keys}}}");
        assert_eq!(refused(&line, Mode::Migrate), error, "{line}");
    }
    // Without --migrate these are not looked at.
    let ignored = format!(r#"{funded},"recorded_at":7,"private":"x"}}"#);
    assert!(parse_line(ignored.as_bytes(), Mode::Append).is_ok());
}
