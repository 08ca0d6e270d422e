//! A damaged ledger: what is said of it, and what can be saved.

use crate::book::{Book, GIFT, OFFICE, Said, head, run};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// The office and gifts, in batches of eight: 16 and then 40 records.
fn book() -> Book {
    let book = Book::new();
    let gifts: String = (0..40).map(|n| GIFT.replace("\"vnd\":7", &format!("\"vnd\":{n}")) + "\n").collect();
    book.import_with(&["--batch", "8"], format!("{OFFICE}{gifts}").as_bytes()).done();
    book
}

fn salvage(book: &Book, copies: &[&Path], rest: &[&str]) -> (Said, PathBuf) {
    let new = book.dir.path().join("saved");
    let mut args: Vec<&OsStr> = vec!["salvage".as_ref(), OsStr::new("PLACE")];
    let dir = book.path();
    args[1] = dir.as_os_str();
    args.extend(copies.iter().map(|copy| copy.as_os_str()));
    args.extend([OsStr::new("-o"), new.as_os_str()]);
    args.extend(rest.iter().map(OsStr::new));
    (run(args), new)
}
/// Every file below a directory, with its bytes.
fn everything(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(everything(&path));
        } else {
            all.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    all
}
fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 0x20;
    fs::write(path, bytes).unwrap();
}
/// Where each batch of a segment starts.
fn batches(segment: &Path) -> Vec<usize> {
    let bytes = fs::read(segment).unwrap();
    let mut at = 4096;
    let mut found = Vec::new();
    while bytes.get(at..at + 4) == Some(b"SOVB") {
        found.push(at);
        at += 200 + u32::from_le_bytes(bytes[at + 24..at + 28].try_into().unwrap()) as usize;
    }
    found
}
fn log(ledger: &Path) -> Vec<Value> {
    run([OsStr::new("log"), ledger.as_os_str(), "--json".as_ref(), "--with-personal".as_ref()]).lines()
}

#[test]
fn the_records_before_the_damage_are_saved_and_the_report_says_what_is_missing() {
    let book = book();
    let (known, whole) = (log(&book.path()), book.head());
    let segment = book.path().join("log/0");
    let starts = batches(&segment);
    assert_eq!(starts.len(), 7);
    flip(&segment, starts[4] + 300);
    let before = everything(&book.path());
    let (said, new) = salvage(&book, &[], &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(everything(&book.path()) == before, "the damaged ledger was touched");
    for words in ["32 records", "log/0", "lost: at least 24 records, positions 32 to 55", "slot of HEAD", "saved.report.json"] {
        assert!(said.out.contains(words), "{words}: {said:?}");
    }
    assert!(said.err.contains("hint:"), "{said:?}");
    let report: Value = serde_json::from_slice(&fs::read(book.dir.path().join("saved.report.json")).unwrap()).unwrap();
    assert_eq!(
        (&report["size"], &report["known_size"], &report["lost_at_least"], &report["sound"]),
        (&32.into(), &56.into(), &24.into(), &false.into()),
        "{report}"
    );
    assert!(report["stop"]["file"].as_str().unwrap().ends_with("log/0") && report["stop"]["offset"].is_u64(), "{report}");
    assert!(report["stop"]["what"].as_str().unwrap().contains("expected"), "{report}");
    assert_eq!(report["evidence_of_more"].as_array().unwrap().last().unwrap()["root"], whole.root.as_str());
    // The new ledger: the same records under the same hashes, sound, and it goes on.
    let saved = head(&new);
    assert_eq!((saved.size, saved.root.as_str()), (32, report["root"].as_str().unwrap()));
    assert_eq!(log(&new), known[..32]);
    let verified = run([OsStr::new("verify"), new.as_os_str(), "--json".as_ref()]).json();
    assert_eq!(verified["ok"], true, "{verified}");
    // All of it again: only what is missing is new.
    let lines: String = (0..40).map(|n| GIFT.replace("\"vnd\":7", &format!("\"vnd\":{n}")) + "\n").collect();
    let again = book.file("again.jsonl", format!("{OFFICE}{lines}"));
    let done = run([OsStr::new("import"), new.as_os_str(), again.as_os_str(), "--json".as_ref()]).json();
    assert_eq!((&done["appended"], &done["duplicates"]), (&24.into(), &32.into()), "{done}");
}

#[test]
fn a_sound_ledger_is_said_to_be_sound_and_copied_with_everything() {
    let book = book();
    let (said, new) = salvage(&book, &[], &["--json"]);
    let report = said.json();
    assert_eq!((&report["sound"], &report["size"], &report["stop"]), (&true.into(), &56.into(), &Value::Null), "{report}");
    assert_eq!((head(&new), log(&new)), (book.head(), log(&book.path())));
    assert!(report["personal"]["known"].as_u64().unwrap() > 0 && report["personal"]["lost"].as_array().unwrap().is_empty());
    // Neither into a directory in use, nor over a report, nor inside the ledger.
    let (said, _) = salvage(&book, &[], &[]);
    assert_eq!(said.code, Some(2), "{said:?}");
    fs::remove_file(book.dir.path().join("saved.report.json")).unwrap();
    let (said, _) = salvage(&book, &[], &[]);
    assert!(said.code == Some(2) && said.err.contains("not empty"), "{said:?}");
    for inside in ["new", "log/new", "./new", "../book/new"] {
        let target = book.path().join(inside);
        let before = everything(&book.path());
        let said = run([OsStr::new("salvage"), book.path().as_os_str(), "-o".as_ref(), target.as_os_str()]);
        assert!(said.code == Some(2) && said.err.contains("is inside"), "{inside}: {said:?}");
        assert!(everything(&book.path()) == before, "{inside}");
    }
}

#[cfg(unix)]
#[test]
fn a_read_only_directory_is_enough() {
    use std::os::unix::fs::PermissionsExt as _;
    let book = book();
    flip(&book.path().join("log/0"), 9000);
    let set = |mode: u32| {
        for directory in [book.path(), book.path().join("log"), book.path().join("vault")] {
            fs::set_permissions(directory, fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    set(0o555);
    let (said, new) = salvage(&book, &[], &[]);
    set(0o755);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(head(&new).size > 0);
}

#[test]
fn ledger_lock_and_head_may_be_gone() {
    for name in ["HEAD", "lock", "ledger"] {
        let book = book();
        let whole = book.head();
        fs::remove_file(book.path().join(name)).unwrap();
        if name == "ledger" {
            let (said, new) = salvage(&book, &[], &[]);
            assert!(said.code == Some(2) && said.err.contains("--origin"), "{said:?}");
            assert!(!new.exists());
        }
        let rest: &[&str] = if name == "ledger" { &["--origin", "example.org/book", "--json"] } else { &["--json"] };
        let (said, new) = salvage(&book, &[], rest);
        assert_eq!(said.json()["named_by_caller"], name == "ledger");
        assert_eq!(head(&new), whole, "{name}");
        let done = run([OsStr::new("verify"), new.as_os_str()]).done();
        assert!(done.contains("sound"), "{done}");
    }
}

#[test]
fn another_copy_fills_the_gap() {
    let book = book();
    let whole = book.head();
    let copy = book.dir.path().join("copy");
    run([OsStr::new("backup"), book.path().as_os_str(), copy.as_os_str()]).done();
    let starts = batches(&book.path().join("log/0"));
    flip(&book.path().join("log/0"), starts[2] + 140);
    flip(&copy.join("log/0"), starts[5] + 140);
    let (said, new) = salvage(&book, &[&copy], &["--json"]);
    let report = said.json();
    assert_eq!((head(&new), &report["lost_at_least"]), (whole, &0.into()), "{report}");
    assert_eq!((&report["copies"][0]["batches"], &report["copies"][1]["batches"]), (&6.into(), &1.into()), "{report}");
    // One of another ledger is no copy.
    let other = Book::of_office();
    let (said, _) = salvage(&other, &[&copy], &["--json"]);
    assert_eq!(said.code, Some(2), "{said:?}");
}

#[test]
fn nothing_to_prove_and_no_ledger_are_refused_and_nothing_is_written() {
    let damaged = book();
    flip(&damaged.path().join("log/0"), 4096 + 200);
    let (said, new) = salvage(&damaged, &[], &[]);
    assert!(said.code == Some(3) && said.err.contains("not one record"), "{said:?}");
    assert!(!new.exists() && !damaged.dir.path().join("saved.report.json").exists());
    let none = Book::new();
    fs::remove_dir_all(none.path()).unwrap();
    let (said, new) = salvage(&none, &[], &[]);
    assert_eq!((said.code, new.exists()), (Some(3), false), "{said:?}");
    let said = run(["salvage", "somewhere"]);
    assert_eq!(said.code, Some(2), "without -o: {said:?}");
}

#[test]
fn personal_values_whose_rows_are_damaged_are_counted_and_sealed() {
    let book = book();
    let rows = book.path().join("vault/rows");
    flip(&rows, 4096 + 130);
    let (said, new) = salvage(&book, &[], &["--json"]);
    let report = said.json();
    assert_eq!(report["personal"]["lost"].as_array().unwrap().len(), 1, "{report}");
    let again = book.dir.path().join("again");
    let said = book.run("salvage", &["-o", again.to_str().unwrap()]).done();
    assert!(said.contains("sound: the records are all here, the personal values are not"), "{said}");
    let verified = run([OsStr::new("verify"), new.as_os_str(), "--json".as_ref()]).json();
    assert_eq!(verified["ok"], true, "{verified}");
    assert_eq!(head(&new), book.head());
}

/// What is done to one ledger, and what is said of it.
struct Damage {
    name: &'static str,
    file: &'static str,
    does: fn(&Path),
    /// The exit codes of `verify`, and of `head`.
    codes: (i32, i32),
    /// Words of the finding; whether it names a byte.
    says: &'static str,
    offset: bool,
    /// How many records are said to be provable.
    provable: Option<u64>,
}

fn batch(path: &Path, number: usize, at: usize) {
    flip(path, batches(path)[number] + at);
}
fn cut(path: &Path, at: usize) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..at]).unwrap();
}
fn directory(path: &Path) {
    fs::remove_file(path).unwrap();
    fs::create_dir(path).unwrap();
}
fn gone(path: &Path) {
    fs::remove_file(path).unwrap();
}

const KINDS: &[Damage] = &[
    Damage {
        name: "flip in a batch header",
        file: "log/0",
        does: |p| batch(p, 3, 20),
        codes: (3, 3),
        says: "expected: batch 4, from position 24 on",
        offset: true,
        provable: Some(24),
    },
    Damage {
        name: "flip in a record",
        file: "log/0",
        does: |p| batch(p, 6, 400),
        codes: (3, 3),
        says: "record",
        offset: true,
        provable: Some(48),
    },
    Damage {
        name: "flip in the last trailer",
        file: "log/0",
        does: |p| {
            let len = fs::read(p).unwrap().len();
            flip(p, len - 10)
        },
        codes: (3, 3),
        says: "log/0",
        offset: true,
        provable: Some(48),
    },
    Damage {
        name: "flip in a segment header",
        file: "log/0",
        does: |p| flip(p, 60),
        codes: (3, 3),
        says: "expected: the header of segment 0",
        offset: true,
        provable: None,
    },
    Damage {
        name: "no slot of HEAD",
        file: "HEAD",
        does: |p| {
            [50, 4146, 8242].into_iter().for_each(|at| flip(p, at));
        },
        codes: (3, 3),
        says: "none of the three slots is valid",
        offset: true,
        provable: Some(56),
    },
    Damage {
        name: "HEAD missing",
        file: "HEAD",
        does: gone,
        codes: (3, 3),
        says: "the file is missing",
        offset: false,
        provable: Some(56),
    },
    Damage {
        name: "HEAD a directory",
        file: "HEAD",
        does: directory,
        codes: (3, 3),
        says: "directory in the place",
        offset: false,
        provable: Some(56),
    },
    Damage {
        name: "ledger missing",
        file: "ledger",
        does: gone,
        codes: (3, 3),
        says: "the file is missing (expected: what creation wrote",
        offset: false,
        provable: Some(56),
    },
    Damage {
        name: "flip in ledger",
        file: "ledger",
        does: |p| flip(p, 45),
        codes: (3, 3),
        says: "the checksum fails",
        offset: true,
        provable: Some(56),
    },
    Damage { name: "segment missing", file: "log/0", does: gone, codes: (3, 3), says: "missing", offset: false, provable: None },
    Damage {
        name: "segment cut",
        file: "log/0",
        does: |p| cut(p, batches(p)[5] + 17),
        codes: (3, 3),
        says: "log/0",
        offset: true,
        provable: Some(40),
    },
    Damage {
        name: "segment empty",
        file: "log/0",
        does: |p| cut(p, 0),
        codes: (3, 3),
        says: "shorter than its header",
        offset: true,
        provable: None,
    },
    Damage {
        name: "segment a directory",
        file: "log/0",
        does: directory,
        codes: (3, 3),
        says: "directory in the place",
        offset: false,
        provable: None,
    },
    Damage {
        name: "flip in a key slot",
        file: "vault/keys",
        does: |p| flip(p, 4096 + 70),
        codes: (1, 0),
        says: "key slot",
        offset: true,
        provable: None,
    },
    Damage {
        name: "flip in a vault row",
        file: "vault/rows",
        does: |p| flip(p, 4096 + 130),
        codes: (1, 0),
        says: "damaged",
        offset: true,
        provable: None,
    },
];

#[test]
fn each_kind_of_damage_names_its_place_and_what_to_do() {
    for damage in KINDS {
        let book = book();
        let path = book.path().join(damage.file);
        (damage.does)(&path);
        let context = damage.name;
        let said = book.run("verify", &["--json"]);
        assert_eq!(said.code, Some(damage.codes.0), "{context}: {said:?}");
        let report: Value = serde_json::from_str(&said.out).unwrap();
        let found = report["findings"].as_array().unwrap().iter().find(|finding| {
            finding["file"].as_str().is_some_and(|file| file.ends_with(damage.file))
                && finding["what"].as_str().is_some_and(|what| what.contains(damage.says) || damage.file.contains(damage.says))
        });
        let found = found.unwrap_or_else(|| panic!("{context}: {report}"));
        assert_eq!(found["offset"].is_u64(), damage.offset, "{context}: {report}");
        let told = |said: &Said, code: i32| {
            let text = format!("{}{}", said.out, said.err);
            assert_eq!(said.code, Some(code), "{context}: {text}");
            assert!(!text.contains("panicked"), "{context}: {text}");
            if code != 0 {
                assert!(text.contains(damage.file), "{context}: {text}");
                assert!(text.contains("hint:") && text.contains("restore"), "{context}: {text}");
                assert!(text.contains("sovang salvage"), "{context}: {text}");
            }
            if let (3, Some(size)) = (code, damage.provable) {
                assert!(text.contains(&format!("provable: the first {size} records, root ")), "{context}: {text}");
            }
        };
        told(&book.run("verify", &[]), damage.codes.0);
        // Damage far below the head is met by who reads it, not by who opens.
        let opened = book.run("head", &[]);
        if opened.code == Some(3) {
            told(&opened, damage.codes.1);
        }
        if damage.codes.0 == 3 {
            told(&book.run("log", &["--json"]), 3);
        }
        // What was said to be provable can be saved.
        let (said, new) = salvage(&book, &[], &["--origin", "example.org/book"]);
        let (said, new) =
            if said.err.contains("contradict") || said.code == Some(2) { salvage(&book, &[], &[]) } else { (said, new) };
        match damage.provable {
            Some(size) => {
                assert_eq!(said.code, Some(0), "{context}: {said:?}");
                assert_eq!(head(&new).size, size, "{context}");
            }
            None if damage.codes.0 == 3 => assert_eq!((said.code, new.exists()), (Some(3), false), "{context}: {said:?}"),
            None => assert_eq!(head(&new).size, 56, "{context}: {said:?}"),
        }
    }
}

#[test]
fn damage_of_derived_files_says_that_they_may_go() {
    let book = Book::new();
    let gifts: String = (0..3_000).map(|n| GIFT.replace("\"vnd\":7", &format!("\"vnd\":{n}")) + "\n").collect();
    book.import_with(&["--batch", "500"], format!("{OFFICE}{gifts}").as_bytes()).done();
    book.run("tally", &["contributions"]).done();
    for directory in ["index", "snapshots"] {
        let Ok(entries) = fs::read_dir(book.path().join(directory)) else { continue };
        let Some(file) = entries.flatten().map(|entry| entry.path()).next() else { continue };
        let sound = fs::read(&file).unwrap();
        flip(&file, sound.len() / 2);
        let said = book.run("verify", &[]);
        assert_eq!(said.code, Some(1), "{directory}: {said:?}");
        assert!(said.out.contains(directory) && said.err.contains("may be deleted"), "{said:?}");
        fs::write(&file, sound).unwrap();
    }
}
