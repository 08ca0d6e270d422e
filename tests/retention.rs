//! Which records' term has ended, on real ledgers: what is counted from when, under which class, and what an amendment changes.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use sovang::recognition::retention::{Classes, Ended, Ends, Retention, Term};
use sovang::recognition::{self, Contribution, Field, Form, Level, Recipient, Recognition, RemovalReason, Source, SubjectKind};
use sovang::{Date, Event, Ledger, Options, Personal, Query, RecordId, date};

const CLASSES: &str = r#"{"classes":[
    {"class":"city plaques","types":["plaque_mounted"],"levels":["city"],"permanent":true,"source":"s"},
    {"class":"plaques","types":["plaque_mounted","plaque_removed"],"from":"end","years":20,"source":"s"},
    {"class":"models","types":["model_registered","model_withdrawn"],"from":"end","years":5,"source":"s"},
    {"class":"gifts","types":["model_funded"],"years":10,"source":"s"},
    {"class":"proposals","types":["commendation_proposed"],"years":2,"source":"s"}
]}"#;

fn book() -> Ledger<Recognition> {
    Options::new().in_memory("example.org/book").unwrap()
}
fn record(ledger: &Ledger<Recognition>, event: impl Into<Recognition>, on: Date) -> RecordId {
    ledger.by("clerk").record(event.into().on(on)).unwrap().id
}
fn model(id: &str, person: Option<&str>) -> Recognition {
    let kind = if person.is_some() { SubjectKind::Individual } else { SubjectKind::Collective };
    let event = recognition::model_registered(id, "Vườn rau", kind, "u", Field::Economy, 2010);
    match person {
        Some(subject) => event.subject(Personal::of(subject, "Nguyễn Văn A")).into(),
        None => event.into(),
    }
}
fn gift(vnd: i64) -> Recognition {
    recognition::model_funded("M-1", Contribution::Cash { vnd }, Source::Own).into()
}
/// Position, class, last day, whether readable.
type Row = (u64, String, Date, bool);
fn rows(ledger: &Ledger<Recognition>, as_of: Date) -> Vec<Row> {
    let classes = Classes::parse(CLASSES.as_bytes()).unwrap();
    let ends = ledger.fold(Ends::default()).unwrap();
    let retention = Retention::new(&classes, &ends);
    let row = |ended: Ended<'_>| (ended.position.0, ended.class.name.clone(), ended.ended_on, ended.is_readable);
    ledger.read(Query::all()).into_iter().filter_map(|record| retention.ended(&record.unwrap(), as_of).map(row)).collect()
}
fn last(year: i32) -> Date {
    date(year, 12, 31)
}

#[test]
fn a_term_is_counted_from_the_end_of_the_year_and_ends_with_its_last_day() {
    let ledger = book();
    record(&ledger, gift(1), date(2014, 1, 1));
    record(&ledger, gift(2), date(2014, 12, 31));
    record(&ledger, gift(3), date(2015, 1, 1));
    assert_eq!(rows(&ledger, last(2024)), []);
    let both = vec![(0, "gifts".to_owned(), last(2024), false), (1, "gifts".to_owned(), last(2024), false)];
    assert_eq!(rows(&ledger, date(2025, 1, 1)), both);
    assert_eq!(rows(&ledger, last(2025)), both);
    assert_eq!(rows(&ledger, date(2026, 1, 1)).len(), 3);
}

#[test]
fn models_and_plaques_count_from_their_end() {
    let ledger = book();
    record(&ledger, model("M-1", Some("P-1")), date(2010, 2, 1));
    record(&ledger, model("M-2", None), date(2010, 2, 1));
    let mounted = |plaque: &str, level| recognition::plaque_mounted(plaque, "M-1", level, "Tổ 5");
    record(&ledger, mounted("P-1", Level::District), date(2011, 3, 1));
    record(&ledger, mounted("P-2", Level::District), date(2011, 3, 1));
    record(&ledger, mounted("P-3", Level::City), date(2011, 3, 1));
    let far = date(2999, 1, 1);
    assert_eq!(rows(&ledger, far), [], "none has ended");
    let withdrawn = record(&ledger, recognition::model_withdrawn("M-1", "moved"), date(2015, 4, 1));
    record(&ledger, recognition::plaque_removed("P-2", RemovalReason::Missing), date(2016, 5, 1));
    record(&ledger, recognition::plaque_removed("P-3", RemovalReason::Missing), date(2016, 5, 1));
    let models = |until: i32| [(0, "models".to_owned(), last(until), true), (5, "models".to_owned(), last(until), false)];
    let plaques = [3, 6, 7].map(|position| (position, "plaques".to_owned(), last(2036), false));
    assert_eq!(rows(&ledger, date(2021, 1, 1)), models(2020));
    assert_eq!(rows(&ledger, last(2036)), models(2020), "a city's plaque stays for ever, its removal does not");
    let [registered, withdrawal] = models(2020);
    let [mounted, removed, city] = plaques;
    assert_eq!(rows(&ledger, far), [registered, mounted, withdrawal, removed, city]);
    // The withdrawal was in another year, then it was none.
    let corrected: Recognition = recognition::model_withdrawn("M-1", "moved").into();
    record(&ledger, recognition::record_corrected(withdrawn, corrected, date(2018, 4, 1), "year"), date(2018, 6, 1));
    let until: Vec<_> = rows(&ledger, date(2030, 1, 1)).into_iter().map(|(position, _, until, _)| (position, until)).collect();
    assert_eq!(until, [(0, last(2023)), (5, last(2023)), (8, last(2023))]);
    record(&ledger, recognition::record_retracted(withdrawn, "never happened"), date(2018, 7, 1));
    assert_eq!(rows(&ledger, date(2030, 1, 1)), [], "the model lives");
}

#[test]
fn an_amendment_goes_with_what_it_amends_and_the_latest_date_counts() {
    let ledger = book();
    let first = record(&ledger, gift(1), date(2000, 5, 5));
    record(&ledger, recognition::record_corrected(first, gift(2), date(2004, 5, 5), "date"), date(2006, 1, 1));
    let second = record(&ledger, gift(3), date(2000, 5, 5));
    record(&ledger, recognition::record_retracted(second, "twice"), date(2002, 1, 1));
    let row = |position, year| (position, "gifts".to_owned(), last(year), false);
    assert_eq!(rows(&ledger, date(2040, 1, 1)), [row(0, 2014), row(1, 2016), row(2, 2010), row(3, 2012)]);
}

#[test]
fn only_what_can_still_be_read_is_said_to_be() {
    let ledger = book();
    let recipient = |subject: &str| Recipient::individual(Personal::of(subject, "Trần Thị B"));
    record(
        &ledger,
        recognition::commendation_proposed("C-1", recipient("P-1"), Form::DiplomaOfMerit, Level::City),
        date(2010, 1, 1),
    );
    record(
        &ledger,
        recognition::commendation_proposed("C-2", recipient("P-2"), Form::DiplomaOfMerit, Level::City),
        date(2010, 1, 1),
    );
    ledger.by("dpo").erase("P-1", "request 12/2026").unwrap();
    let readable: Vec<_> =
        rows(&ledger, date(2040, 1, 1)).into_iter().map(|(position, .., readable)| (position, readable)).collect();
    assert_eq!(readable, [(0, false), (1, true)], "and the erasure itself is no event of the office");
}

#[test]
fn what_no_class_names_is_said_to_have_none() {
    let ledger = book();
    record(&ledger, recognition::unit_defined("u", "U", recognition::UnitKind::Ward, date(2013, 1, 1)), date(2013, 1, 1));
    record(&ledger, recognition::plaque_mounted("P-1", "M-1", Level::City, "Tổ 5"), date(2013, 1, 1));
    record(&ledger, model("M-1", None), date(2013, 1, 1));
    let classes = Classes::parse(CLASSES.as_bytes()).unwrap();
    let ends = ledger.fold(Ends::default()).unwrap();
    let retention = Retention::new(&classes, &ends);
    let terms: Vec<_> = ledger.read(Query::all()).into_iter().map(|record| retention.term(&record.unwrap())).collect();
    assert!(
        matches!(terms.as_slice(), [Term::Unclassed, Term::Permanent(city), Term::NotBegun(models)]
        if city.name == "city plaques" && models.name == "models"),
        "{terms:?}"
    );
}

#[test]
fn bad_files_of_classes() {
    let class =
        |keys: &str| format!(r#"{{"classes":[{{"class":"a","types":["model_funded"],"years":3,"source":"s"}},{{{keys}}}]}}"#);
    for (file, says) in [
        ("".to_owned(), "EOF"),
        ("[]".to_owned(), "invalid"),
        (r#"{"classes":[]}"#.to_owned(), "no class"),
        (r#"{"classes":[],"more":1}"#.to_owned(), "unknown field"),
        (class(r#""class":"b","types":["model_funded"],"years":3,"source":"s","x":1"#), "unknown field"),
        (class(r#""class":"b","class":"c","types":["model_funded"],"years":3,"source":"s""#), "duplicate field"),
        (class(r#""class":"b","types":["model_funded"],"years":1,"source":"s""#), "class 2: years is 1"),
        (class(r#""class":"b","types":["model_funded"],"years":71,"source":"s""#), "class 2: years is 71"),
        (class(r#""class":"b","types":["model_funded"],"years":2.5,"source":"s""#), "invalid type"),
        (class(r#""class":"b","types":["model_funded"],"source":"s""#), "neither years nor"),
        (class(r#""class":"b","types":["model_funded"],"years":3,"permanent":true,"source":"s""#), "one of them"),
        (class(r#""class":"a","types":["model_funded"],"years":3,"source":"s""#), "class 2: another class"),
        (class(r#""class":"b","types":["model_found"],"years":3,"source":"s""#), "no event type"),
        (class(r#""class":"b","types":["record_corrected"],"years":3,"source":"s""#), "what it amends"),
        (class(r#""class":"b","types":["subject_erased"],"years":3,"source":"s""#), "no event type"),
        (class(r#""class":"b","types":[],"years":3,"source":"s""#), "names no event type"),
        (class(r#""class":"b","types":["model_funded"],"levels":["city"],"years":3,"source":"s""#), "has no level"),
        (class(r#""class":"b","types":["plaque_mounted"],"levels":["town"],"years":3,"source":"s""#), "levels: \"town\""),
        (class(r#""class":"b","types":["unit_defined"],"from":"end","years":3,"source":"s""#), "cannot count from an end"),
        (class(r#""class":"b","types":["model_funded"],"from":"start","years":3,"source":"s""#), "occurred_on or end"),
        (class(r#""class":" ","types":["model_funded"],"years":3,"source":"s""#), "class is blank"),
        (class(r#""class":"b","types":["model_funded"],"years":3,"source":"""#), "source is blank"),
    ] {
        let error = Classes::parse(file.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(says), "{error}, of {file}");
    }
    // The example reads, and has a class for every event that can have one.
    assert!(!Classes::example().all().is_empty());
    for kind in Recognition::KINDS {
        let is_amendment = kind.name().starts_with("record_");
        assert_eq!(Classes::EXAMPLE.contains(&format!("\"{}\"", kind.name())), !is_amendment, "{}", kind.name());
    }
}
