//! What can be asked for, and what is answered to what cannot.

use crate::ledger;
use serde_json::json;
use sovang_core::{ErrorKind, date};
use sovang_recognition::tally::{Contributions, Dimension, Name, Request, Tally, Value};

const NO: &[&str] = &[];

fn refused(tally: Name, by: Option<&str>, filters: &[&str], from: Option<&str>, to: Option<&str>) -> String {
    let error = Request::parse(tally, by, filters, from, to).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    error.to_string()
}

#[test]
fn names_are_those_of_the_contract() {
    let names: Vec<&str> = Name::ALL.iter().map(|name| name.as_str()).collect();
    assert_eq!(
        names.join(" "),
        "registered recognised recognition-rate continuity contributions plaques commendations proposals multi-level cumulative amendments"
    );
    for name in Name::ALL {
        assert_eq!(name.as_str().parse::<Name>().expect("a name"), *name);
    }
    let unknown = "restated-2".parse::<Name>().expect_err("refused").to_string();
    assert!(
        unknown.starts_with("there is no tally \"restated-2\"\nhint: there are: registered, recognised, recognition-rate,"),
        "{unknown}"
    );
}

#[test]
fn a_request_is_read_from_text() {
    let asked = Request::parse(
        Name::Plaques,
        Some("year, occasion"),
        &["status=standing", "year=2024", "unit="],
        Some("2024-01-01"),
        Some("2024-12-31"),
    );
    assert_eq!(
        asked.expect("a request"),
        Request {
            by: vec![Dimension::Year, Dimension::Occasion],
            filters: vec![
                (Dimension::Status, Value::Text("standing".into())),
                (Dimension::Year, Value::Number(2024)),
                (Dimension::Unit, Value::Null),
            ],
            from: Some(date(2024, 1, 1)),
            to: Some(date(2024, 12, 31)),
        }
    );
    assert_eq!(Request::parse(Name::Plaques, None, NO, None, None).expect("a request"), Request::of(Name::Plaques));
    assert_eq!(Request::parse(Name::Plaques, Some(""), NO, None, None).expect("a request").by, []);
    // Only the first sign of equality parts the two.
    let tier = Request::parse(Name::Recognised, None, &["tier=a=b"], None, None).expect("a request");
    assert_eq!(tier.filters, [(Dimension::Tier, Value::Text("a=b".into()))]);
}

#[test]
fn what_cannot_be_asked_for_is_said_with_what_can() {
    assert_eq!(
        refused(Name::Plaques, Some("year,tier"), NO, None, None),
        "the tally plaques has no dimension \"tier\"\nhint: it has: level, status, year, unit, occasion"
    );
    assert_eq!(
        refused(Name::Plaques, Some("yeer"), NO, None, None),
        "the tally plaques has no dimension \"yeer\"\nhint: it has: level, status, year, unit, occasion"
    );
    assert_eq!(refused(Name::Plaques, Some("year,year"), NO, None, None), "the dimension year is asked for twice");
    assert!(refused(Name::Plaques, Some("year,"), NO, None, None).starts_with("the tally plaques has no dimension \"\""));
    assert_eq!(
        refused(Name::Plaques, None, &["year"], None, None),
        "\"year\" is no filter\nhint: write dimension=value, such as year=2024"
    );
    assert_eq!(
        refused(Name::Plaques, None, &["year=last"], None, None),
        "\"last\" is no year\nhint: it is a number, such as 2024"
    );
    assert_eq!(
        refused(Name::Plaques, None, &["level=ward"], None, None),
        "\"ward\" is no value of the dimension level\nhint: it is one of commune, district, city, province, central"
    );
    assert_eq!(
        refused(Name::Plaques, None, &["status=gone"], None, None),
        "\"gone\" is no value of the dimension status\nhint: it is one of standing, removed, relocated, missing"
    );
    assert_eq!(
        refused(Name::Plaques, None, NO, Some("2024-02-30"), None),
        "\"2024-02-30\" is no date\nhint: a date looks like 2024-10-14"
    );
    assert_eq!(
        refused(Name::Plaques, None, NO, Some("2024-02-02"), Some("2024-02-01")),
        "the first day, 2024-02-02, comes after the last, 2024-02-01\nhint: change the two"
    );
}

#[test]
fn a_request_made_by_hand_is_checked_too() {
    let mut request = Request::of(Name::Contributions);
    request.filters = vec![(Dimension::Year, Value::Text("2024".into()))];
    assert_eq!(
        Tally::new(Name::Contributions, request).expect_err("refused").to_string(),
        "\"2024\" is no value of the dimension year\nhint: it is a number"
    );
    let mut dated = Request::of(Name::Contributions);
    dated.to = Some(date(2024, 1, 1));
    let error = Contributions::default().table(&dated).expect_err("refused");
    assert_eq!(error.hint(), Some("fold a Tally made with this request"));
    assert!(Contributions::default().table(&Request::of(Name::Plaques)).is_err());
}

#[test]
fn a_row_reads_on_one_line_and_as_one_object() {
    let gift = json!({"type": "model_funded", "occurred_on": "2024-05-05", "model": "a", "source": "socialised", "qualifier": "more_than",
        "contribution": {"kind": "labour", "days": 3000}});
    let table = ledger::table("contributions", &[gift], Some("year,unit,kind"), NO, None, None);
    let [row] = table.rows.as_slice() else { panic!("one row") };
    assert_eq!(row.to_string(), "year=2024 unit=- kind=labour count=1 vnd=0 labour_days=3000(more_than) square_decimetres=0");
    assert_eq!(
        serde_json::to_string(row).expect("JSON"),
        r#"{"year":2024,"unit":null,"kind":"labour","count":1,"vnd":0,"labour_days":3000,"square_decimetres":0,"labour_days_bound":"more_than"}"#
    );
    assert_eq!(row.dimension(Dimension::Kind), Some(&Value::Text("labour".into())));
    assert_eq!(row.measure("vnd").expect("a measure").bound, None);
}

#[test]
fn rows_come_null_first_then_numbers_then_texts_by_code_points() {
    let model = |model: &str, unit: &str, year: u16| {
        json!({"type": "model_registered", "occurred_on": "2024-01-01", "model": model, "title": "T", "subject_kind": "collective",
            "unit": unit, "field": "economy", "year": year})
    };
    let recognised = |model: &str| {
        json!({"type": "model_recognised", "occurred_on": "2024-01-01", "model": model, "level": "city",
            "decision": {"issuer": "i", "number": "1", "date": "2024-01-01"}})
    };
    // U+FF5E comes before U+10400 by code points and after it in UTF-16.
    let mut history =
        vec![model("a", "b", 999), model("b", "\u{10400}", 2024), model("c", "\u{FF5E}", 2024), model("d", "B", 10)];
    history.extend(["a", "b", "c", "d", "e"].map(recognised));
    let units = ledger::table("recognised", &history, Some("unit"), NO, None, None);
    let units: Vec<String> = units.rows.iter().map(|row| row.dimensions[0].1.to_string()).collect();
    assert_eq!(units, ["-", "B", "b", "\u{FF5E}", "\u{10400}"]);
    let years = ledger::table("recognition-rate", &history, Some("year"), NO, None, None);
    let years: Vec<String> = years.rows.iter().map(|row| row.dimensions[0].1.to_string()).collect();
    assert_eq!(years, ["10", "999", "2024"]);
}
