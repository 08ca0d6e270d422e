//! `sovang retention`: a list, and nothing but a list.

use crate::book::{Book, run};
use serde_json::Value;

const CLASSES: &str = r#"{"classes":[
    {"class":"awards","types":["commendation_awarded"],"years":10,"source":"list of 2 May, no. 4"},
    {"class":"models","types":["model_registered","model_withdrawn"],"from":"end","years":2,"source":"list of 2 May, no. 5"},
    {"class":"the rest","types":["unit_defined","unit_succeeded","model_recognised","model_funded","plaque_mounted","plaque_removed","commendation_proposed","decision_annulled","figure_published","model_continued","model_replicated"],"permanent":true,"source":"list of 2 May, no. 6"}
]}"#;

fn rows(document: &Value) -> Vec<(String, String, String, bool)> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let rows = document["rows"].as_array().unwrap().iter();
    rows.map(|r| (text(r, "class"), text(r, "type"), text(r, "ended_on"), r["personal_readable"].as_bool().unwrap())).collect()
}

#[test]
fn what_has_ended_is_listed_and_nothing_is_changed() {
    let book = Book::of_office();
    let classes = book.file("classes.json", CLASSES);
    let list = |as_of: &str| book.run("retention", &["--classes", classes.to_str().unwrap(), "--as-of", as_of, "--json"]);
    let before = book.head();
    let none = list("2026-12-31").json();
    assert_eq!((none["as_of"].as_str(), none["size"].as_u64(), rows(&none)), (Some("2026-12-31"), Some(before.size), vec![]));
    let models = || {
        ["model_registered", "model_withdrawn"].map(|kind| ("models".to_owned(), kind.to_owned(), "2026-12-31".to_owned(), false))
    };
    assert_eq!(rows(&list("2027-01-01").json()), models());
    let awards = list("2035-01-01").json();
    let awarded = |readable| ("awards".to_owned(), "commendation_awarded".to_owned(), "2034-12-31".to_owned(), readable);
    assert_eq!(rows(&awards)[..2], models());
    assert_eq!(rows(&awards)[2..], [awarded(false), awarded(true)], "a collective's, and a person's");
    let row = &awards["rows"][3];
    let record = &book.run("log", &["--json", "--from", &row["position"].to_string(), "--limit", "1"]).lines()[0];
    assert_eq!((&row["id"], &row["occurred_on"]), (&record["id"], &record["occurred_on"]));
    // The person of that award is erased: the row stays, and says so.
    assert!(list("2035-01-01").err.contains("sovang erase"));
    book.run("erase", &["--subject", "P-17", "--basis", "term ended, list of 2 May, no. 4"]).done();
    let said = list("2035-01-01");
    assert!(!said.err.contains("sovang erase"), "{said:?}");
    assert_eq!(rows(&said.json())[2..], [awarded(false), awarded(false)]);
    assert_eq!(book.verified().size, before.size + 1, "the erasure alone was recorded");
    let table = book.run("retention", &["--classes", classes.to_str().unwrap(), "--as-of", "2035-01-01"]);
    assert!(table.err.contains("nothing was deleted"), "{table:?}");
    assert!(table.done().contains("commendation_awarded"));
}

#[test]
fn without_classes_an_example_judges_and_says_that_it_is_one() {
    let book = Book::of_office();
    let said = book.run("retention", &["--as-of", "2100-01-01", "--json"]);
    assert!(said.err.contains("invented") && said.err.contains("--classes"), "{said:?}");
    let document = said.json();
    assert_eq!(document["unclassed"], 0);
    assert!(!rows(&document).is_empty());
    // Today, whenever that is, has a day.
    assert_eq!(book.run("retention", &["--json"]).json()["as_of"].as_str().unwrap().len(), 10);
    // The example can be taken as it is printed.
    let example = run(["retention", "--example"]).done();
    let file = book.file("example.json", example);
    let again = book.run("retention", &["--as-of", "2100-01-01", "--json", "--classes", file.to_str().unwrap()]);
    assert_eq!(again.json(), document);
}

#[test]
fn bad_classes_and_days_are_bad_input() {
    let book = Book::of_office();
    let refused = |args: &[&str], says: &str| {
        let said = book.run("retention", args);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
        assert!(said.err.contains(says), "{said:?}");
    };
    let bad = book.file("bad.json", r#"{"classes":[{"class":"a","types":["model_funded"],"years":99,"source":"s"}]}"#);
    refused(&["--classes", bad.to_str().unwrap()], "class 1: years is 99");
    refused(&["--classes", bad.to_str().unwrap()], "hint:");
    refused(&["--classes", "no-such-file"], "no-such-file");
    refused(&["--as-of", "2035-02-30"], "is no day");
    refused(&["--as-of", "100"], "is no day");
    let nowhere = run(["retention"]);
    assert_eq!(nowhere.code, Some(2), "{nowhere:?}");
}
