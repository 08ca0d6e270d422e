//! `sovang import` and names in public text: pointed out, never refused.

use crate::book::{Book, GIFT, Said};

const NAME: &str = "Nguyễn Thị Hồng Đào";

fn withdrawn(model: &str, reason: &str) -> String {
    format!(r#"{{"type":"model_withdrawn","occurred_on":"2024-12-01","actor":"clerk","model":"{model}","reason":"{reason}"}}"#)
}
fn donor(id: &str, name: &str) -> String {
    GIFT.replace(r#""source""#, &format!(r#""donor":{{"id":"{id}","name":"{name}"}},"source""#))
}
fn notes(said: &Said) -> Vec<&str> {
    assert_eq!(said.code, Some(0), "{said:?}");
    said.err.lines().filter(|line| line.starts_with("note:")).collect()
}

#[test]
fn a_name_of_the_same_file_wherever_it_stands() {
    let book = Book::of_office();
    let lines = [withdrawn("M-3", "nguyễn thị  HỒNG ĐÀO "), String::new(), donor("P-80", NAME)].join("\n");
    let file = book.file("names.jsonl", lines);
    let path = file.to_str().unwrap();
    let dry = book.run("import", &[path, "--dry-run", "--json"]);
    let said = book.run("import", &[path, "--json"]);
    for said in [&dry, &said] {
        let notes = notes(said);
        assert_eq!(notes.len(), 2, "{said:?}");
        assert!(notes[0].contains("names.jsonl: line 1: reason: ") && notes[1].contains("1 texts"), "{notes:?}");
        assert!(!said.err.to_lowercase().contains("hồng"), "the note repeats no name: {said:?}");
        assert!(said.err.contains("hint:"), "{said:?}");
    }
    let document = said.json();
    assert_eq!(document.as_object().unwrap().keys().collect::<Vec<_>>(), ["appended", "duplicates", "root", "size"]);
    assert_eq!(document["appended"], 2, "it is no error");
}

#[test]
fn a_name_of_the_vault_until_its_person_is_erased() {
    let book = Book::of_office();
    book.import(donor("P-80", NAME).as_bytes()).done();
    let line = |vnd: u32, text: &str| {
        GIFT.replace("{\"kind\":\"cash\",\"vnd\":7}", &format!(r#"{{"kind":"in_kind","vnd":{vnd},"description":"{text}"}}"#))
    };
    let said = book.import(line(1, NAME).as_bytes());
    assert!(notes(&said)[0].contains("stdin: line 1: contribution.description: "), "{said:?}");
    // Within a longer text it is not equal; an address is no name.
    let said = book.import([line(2, &format!("của {NAME}")), line(3, "Số 3, ngõ 5")].join("\n").as_bytes());
    assert_eq!(notes(&said), [] as [&str; 0]);
    book.run("erase", &["--subject", "P-80", "--basis", "request 12/2026"]).done();
    let said = book.import(line(4, NAME).as_bytes());
    assert_eq!(notes(&said), [] as [&str; 0], "nothing is left to compare with");
}

#[test]
fn many_are_counted() {
    let book = Book::of_office();
    let mut lines = vec![donor("P-80", NAME)];
    lines.extend((0..150).map(|vnd| {
        GIFT.replace("{\"kind\":\"cash\",\"vnd\":7}", &format!(r#"{{"kind":"in_kind","vnd":{vnd},"description":"{NAME}"}}"#))
    }));
    let said = book.import(lines.join("\n").as_bytes());
    let notes = notes(&said);
    assert_eq!(notes.len(), 101, "{notes:?}");
    assert!(notes[100].contains("150 texts"), "{notes:?}");
}
