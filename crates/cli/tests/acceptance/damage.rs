//! Bytes that change on the disk: found, blamed on the right file, and never shown as if they were right.

use crate::book::{Book, GIFT, OFFICE, Said};
use std::fs;
use std::path::{Path, PathBuf};

/// A line that is not in any of these books.
const NEW: &str = r#"{"type":"model_continued","occurred_on":"2025-02-01","actor":"clerk","model":"M-1","year":2025}"#;

fn book() -> Book {
    book_with(40)
}
/// The office and so many gifts.
fn book_with(gifts: u32) -> Book {
    let book = Book::new();
    let gifts: String = (0..gifts).map(|n| GIFT.replace("\"vnd\":7", &format!("\"vnd\":{n}")) + "\n").collect();
    book.import_with(&["--batch", if gifts.len() > 99_999 { "500" } else { "8" }], format!("{OFFICE}{gifts}").as_bytes()).done();
    book
}

/// The reading commands, with what they print of a sound ledger.
struct Reading {
    commands: Vec<(&'static str, Vec<&'static str>, String)>,
}
impl Reading {
    fn of(book: &Book) -> Self {
        let commands = [
            ("head", vec!["--json"]),
            ("log", vec!["--json"]),
            ("log", vec!["--json", "--model", "M-1", "--with-personal"]),
            ("export", vec!["--with-personal"]),
            ("tally", vec!["contributions", "--format", "json"]),
            ("tally", vec!["amendments", "--format", "json", "--as-of", "40"]),
        ];
        Self { commands: commands.map(|(command, rest)| (command, rest.clone(), book.run(command, &rest).done())).to_vec() }
    }
    /// Each either prints what it printed, or fails with one of the codes and prints a part of it at most.
    fn holds(&self, book: &Book, codes: &[i32], context: &str) {
        for (command, rest, sound) in &self.commands {
            let said = book.run(command, rest);
            let code = said.code.expect(context);
            if code == 0 {
                assert_eq!(said.out, *sound, "{context}: {command} {rest:?}");
            } else {
                assert!(codes.contains(&code), "{context}: {command} {rest:?}: {said:?}");
                assert!(sound.starts_with(&said.out), "{context}: {command} {rest:?}: {said:?}");
                told(&said, context);
            }
        }
    }
}

fn told(said: &Said, context: &str) {
    assert!(said.err.contains("hint:") && !said.err.contains("panicked"), "{context}: {said:?}");
}

fn files(book: &Book, directory: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(book.path().join(directory)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{directory}");
    files
}

/// Flips one bit at about so many places of a file, each time calling `check`, and puts the file back.
fn flips(path: &Path, places: usize, mut check: impl FnMut(&str)) {
    let sound = fs::read(path).unwrap();
    let step = (sound.len() / places).max(1) | 1;
    for at in (0..sound.len()).step_by(step) {
        let mut bytes = sound.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(path, &bytes).unwrap();
        check(&format!("byte {at} of {}", path.display()));
    }
    fs::write(path, sound).unwrap();
}

fn verify(book: &Book, context: &str) -> (i32, serde_json::Value) {
    let said = book.run("verify", &["--json"]);
    let code = said.code.expect(context);
    assert!(!said.err.contains("panicked"), "{context}: {said:?}");
    let report = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {context}: {said:?}"));
    (code, report)
}

#[test]
fn a_flip_in_the_log_is_damage_that_names_the_place() {
    let book = book();
    let (reading, head) = (Reading::of(&book), book.head());
    let segment = book.path().join("log/0");
    let copy = fs::read(&segment).unwrap();
    let mut round = 0;
    flips(&segment, 120, |context| {
        let (code, report) = verify(&book, context);
        assert_eq!((code, &report["ok"]), (3, &false.into()), "{context}: {report}");
        let finding = &report["findings"][0];
        assert!(finding["file"].as_str().unwrap().ends_with("log/0"), "{context}: {report}");
        assert!(finding["what"].as_str().is_some_and(|what| !what.is_empty()), "{context}: {report}");
        assert!(report["size"].as_u64().unwrap() <= head.size, "{context}: {report}");
        round += 1;
        if round % 6 == 0 {
            reading.holds(&book, &[3], context);
            let damaged = fs::read(&segment).unwrap();
            let said = book.import(NEW.as_bytes());
            if said.code == Some(0) {
                // Damage far below the head is not met by an append: nothing of it is hidden by one.
                assert_eq!(verify(&book, context).0, 3, "{context}");
                fs::write(&segment, &copy).unwrap();
                panic!("{context}: an import judges by the whole log, and so must meet the damage: {said:?}");
            }
            assert_eq!((said.code, said.out.as_str()), (Some(3), ""), "{context}: {said:?}");
            told(&said, context);
            assert_eq!(fs::read(&segment).unwrap(), damaged, "{context}: nothing is changed");
        }
    });
    assert_eq!(book.verified(), head);
}

#[test]
fn a_flip_in_the_middle_names_the_first_bad_position() {
    let book = book();
    let segment = book.path().join("log/0");
    let bytes = fs::read(&segment).unwrap();
    // The words of one record, in the middle of its payload.
    let words = "Tuyến đường hoa".as_bytes();
    let at = bytes.windows(words.len()).position(|window| window == words).unwrap();
    let mut bad = bytes.clone();
    bad[at + 2] ^= 4;
    fs::write(&segment, bad).unwrap();
    let (code, report) = verify(&book, "one record");
    assert_eq!(code, 3);
    assert_eq!(report["findings"][0]["position"], 5, "{report}");
    let said = book.run("verify", &[]);
    assert_eq!(said.code, Some(3));
    assert!(said.out.contains("position 5"), "{said:?}");
    told(&said, "one record");
}

#[test]
fn a_flip_beside_the_log_leaves_the_log_sound() {
    // Enough for the index to have written a file.
    let book = book_with(3_000);
    let (reading, head) = (Reading::of(&book), book.head());
    for directory in ["index", "vault"] {
        for file in files(&book, directory) {
            let mut round = 0;
            flips(&file, 40, |context| {
                let (code, report) = verify(&book, context);
                assert_eq!((code, &report["ok"]), (1, &false.into()), "{context}: {report}");
                assert_eq!((&report["size"], &report["root"]), (&head.size.into(), &head.root.as_str().into()), "{context}");
                assert!(report["findings"][0]["file"].as_str().unwrap().contains(directory), "{context}: {report}");
                round += 1;
                if round % 5 == 0 {
                    reading.holds(&book, &[3], context);
                }
            });
        }
    }
    assert_eq!(book.verified(), head);
}

#[test]
fn one_slot_of_the_head_may_go_and_not_all_three() {
    let book = book();
    let (reading, head) = (Reading::of(&book), book.head());
    let file = book.path().join("HEAD");
    flips(&file, 24, |context| {
        let (code, report) = verify(&book, context);
        assert_eq!(code, 0, "the log is sound: {context}: {report}");
        assert!(report["notes"][0].as_str().unwrap().contains("HEAD"), "{context}: {report}");
        if report["size"] == head.size {
            reading.holds(&book, &[], context);
        } else {
            // The newest slot: only the next batch or a writer proves the last one again. It is there, and said to be.
            assert_eq!(
                (&report["size"], report["notes"].as_array().unwrap().len()),
                (&(head.size - 8).into(), 2),
                "{context}: {report}"
            );
            assert!(report["notes"][1].as_str().unwrap().contains("the next writer keeps them"), "{context}: {report}");
        }
    });
    let again = book.import(OFFICE.as_bytes()).json();
    assert_eq!((&again["appended"], &again["size"], &again["root"]), (&0.into(), &head.size.into(), &head.root.as_str().into()));
    let sound = fs::read(&file).unwrap();
    fs::write(&file, vec![0xAA; sound.len()]).unwrap();
    let (code, report) = verify(&book, "no slot");
    assert_eq!(code, 3, "{report}");
    reading.holds(&book, &[3], "no slot");
    fs::write(&file, sound).unwrap();
    assert_eq!(book.verified(), head);
}

#[test]
fn a_log_cut_off_is_damage() {
    let book = book();
    let (reading, head) = (Reading::of(&book), book.head());
    let segment = book.path().join("log/0");
    let sound = fs::read(&segment).unwrap();
    for length in [0, 1, 100, 4095, 4096, 4097, sound.len() / 2, sound.len() - 200, sound.len() - 1] {
        fs::write(&segment, &sound[..length]).unwrap();
        let context = format!("{length} of {} bytes", sound.len());
        let (code, report) = verify(&book, &context);
        assert_eq!(code, 3, "{context}: {report}");
        reading.holds(&book, &[3], &context);
        let said = book.import(NEW.as_bytes());
        assert_eq!(said.code, Some(3), "{context}: {said:?}");
        told(&said, &context);
        assert_eq!(fs::metadata(&segment).unwrap().len(), length as u64, "{context}: nothing is changed");
    }
    // What follows the end is no record and no damage: a torn tail, which the next writer sets aside.
    fs::write(&segment, [&sound[..], b"half a batch"].concat()).unwrap();
    let (code, report) = verify(&book, "a torn tail");
    assert_eq!((code, report["ok"].as_bool()), (0, Some(true)), "{report}");
    assert!(!report["notes"].as_array().unwrap().is_empty(), "it is a note: {report}");
    reading.holds(&book, &[], "a torn tail");
    book.import(NEW.as_bytes()).done();
    assert_eq!(book.verified().size, head.size + 1);
}

#[test]
fn a_file_that_is_gone_is_told() {
    // Derived files come again; nothing else does.
    for (name, code) in
        [("log/0", 3), ("log", 3), ("HEAD", 3), ("ledger", 3), ("index", 0), ("vault", 0), ("vault/keys", 1), ("vault/rows", 1)]
    {
        let book = book();
        let (reading, head) = (Reading::of(&book), book.head());
        let path = book.path().join(name);
        let aside = book.dir.path().join("aside");
        fs::rename(&path, &aside).unwrap();
        let said = book.run("verify", &["--json"]);
        assert_eq!(said.code, Some(code), "{name}: {said:?}");
        match name {
            // Personal values read as sealed: other output, and no error.
            "vault" => {
                assert_eq!(book.head(), head);
                assert!(!book.run("export", &["--with-personal"]).done().contains("P-17"));
            }
            "vault/keys" | "vault/rows" => {}
            _ => reading.holds(&book, &[3], name),
        }
        if name == "index" {
            book.import(NEW.as_bytes()).done();
            assert_eq!(book.verified().size, head.size + 1, "{name}");
        }
        if code == 3 {
            let said = book.import(NEW.as_bytes());
            assert_eq!(said.code, Some(3), "{name}: {said:?}");
            told(&said, name);
            assert!(!path.exists(), "{name}: nothing is made again");
            fs::rename(&aside, &path).unwrap();
            assert_eq!(book.verified(), head, "{name}");
        }
    }
}

#[test]
fn a_lock_that_is_gone_admits_no_second_writer() {
    let book = book();
    let head = book.head();
    fs::remove_file(book.path().join("lock")).unwrap();
    let said = book.import(NEW.as_bytes());
    assert!(matches!(said.code, Some(3 | 4)), "{said:?}");
    told(&said, "no lock");
    assert_eq!(book.verified(), head, "reading needs no lock");
    let (_, report) = verify(&book, "no lock");
    assert!(report["notes"][0].as_str().unwrap().contains("lock: the file is missing"), "{report}");
    // As the note says.
    fs::write(book.path().join("lock"), "").unwrap();
    book.import(NEW.as_bytes()).done();
}

#[test]
fn files_of_another_ledger_are_not_taken() {
    let (one, two) = (book(), book());
    for name in ["log/0", "HEAD", "ledger"] {
        let (path, other) = (one.path().join(name), two.path().join(name));
        let own = fs::read(&path).unwrap();
        fs::copy(&other, &path).unwrap();
        let (code, report) = verify(&one, name);
        assert_eq!(code, 3, "{name}: {report}");
        assert_eq!(one.import(NEW.as_bytes()).code, Some(3), "{name}");
        fs::write(&path, own).unwrap();
    }
    one.verified();
}

/// Puts something else in the place of a file or directory of a book, has it looked at, and puts the book's own back.
#[cfg(unix)]
fn replaced(book: &Book, name: &str, with: impl Fn(&Path), check: impl FnOnce()) {
    let path = book.path().join(name);
    let aside = book.dir.path().join("aside");
    fs::rename(&path, &aside).unwrap();
    with(&path);
    check();
    if path.is_dir() {
        fs::remove_dir(&path).unwrap()
    } else {
        fs::remove_file(&path).unwrap()
    }
    fs::rename(&aside, &path).unwrap();
}

#[cfg(unix)]
fn pipe(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// A pipe that nobody writes into would be waited for, for ever.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_told_and_not_waited_for() {
    let book = book();
    let (reading, head) = (Reading::of(&book), book.head());
    fs::create_dir_all(book.path().join("checkpoints")).unwrap();
    fs::write(book.path().join("checkpoints/3"), "").unwrap();
    let device = |path: &Path| std::os::unix::fs::symlink("/dev/zero", path).unwrap();
    let socket = |path: &Path| drop(std::os::unix::net::UnixListener::bind(path).unwrap());
    let directory = |path: &Path| fs::create_dir(path).unwrap();
    type Make<'a> = &'a dyn Fn(&Path);
    let kinds: [(&str, Make<'_>); 4] = [("pipe", &pipe), ("device", &device), ("socket", &socket), ("directory", &directory)];
    for (kind, make) in kinds {
        for (name, code) in [("ledger", 3), ("HEAD", 3), ("log/0", 3), ("vault/keys", 1), ("vault/rows", 1), ("checkpoints/3", 1)]
        {
            let context = format!("a {kind} in the place of {name}");
            replaced(&book, name, make, || {
                let (found, report) = verify(&book, &context);
                assert_eq!(found, code, "{context}: {report}");
                assert!(report["findings"][0]["file"].as_str().unwrap().ends_with(name), "{context}: {report}");
                reading.holds(&book, &[3], &context);
                let new = book.dir.path().join("saved");
                let saved = book.run("salvage", &["--origin", "example.org/book", "-o", new.to_str().unwrap()]);
                assert_eq!(saved.code, Some(if name == "log/0" { 3 } else { 0 }), "{context}: {saved:?}");
                let _ = fs::remove_dir_all(&new);
                let _ = fs::remove_file(book.dir.path().join("saved.report.json"));
            });
        }
    }
    fs::remove_file(book.path().join("checkpoints/3")).unwrap();
    assert_eq!(book.verified(), head);
}

/// The index is derived and may be gone: what stands in its place hinders no reader, and is found.
#[cfg(unix)]
#[test]
fn what_is_no_directory_is_told() {
    let book = book();
    let reading = Reading::of(&book);
    fs::create_dir_all(book.path().join("checkpoints")).unwrap();
    let file = |path: &Path| fs::write(path, "not a directory").unwrap();
    for (name, code) in [("index", 1), ("checkpoints", 1), ("vault", 1), ("log", 3)] {
        replaced(&book, name, file, || {
            let (found, report) = verify(&book, name);
            assert_eq!(found, code, "{name}: {report}");
            reading.holds(&book, &[3], name);
        });
    }
}

/// Files that go on for a terabyte of nothing, or are said to.
#[cfg(unix)]
#[test]
fn what_is_far_too_long_is_not_read() {
    let book = book();
    let reading = Reading::of(&book);
    fs::create_dir_all(book.path().join("checkpoints")).unwrap();
    fs::write(book.path().join("checkpoints/3"), "").unwrap();
    for (name, code) in [("log/0", 3), ("checkpoints/3", 1), ("HEAD", 3)] {
        let path = book.path().join(name);
        let len = fs::metadata(&path).unwrap().len();
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
        let (found, report) = verify(&book, name);
        assert_eq!(found, code, "{name}: {report}");
        reading.holds(&book, &[3], name);
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(len).unwrap();
    }
}

/// Every file of a book with its bytes.
fn bytes_of(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(bytes_of(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// Whoever sorts the damage out finds what there was: a writing command that refuses has changed no byte, not in `HEAD` either.
#[test]
fn a_refusal_leaves_every_byte_as_it_was() {
    let flip = |path: &Path, at: usize| {
        let mut bytes = fs::read(path).unwrap();
        bytes[at] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    let cut = |path: &Path, by: u64| {
        let file = fs::OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(file.metadata().unwrap().len() - by).unwrap();
    };
    type Damage<'a> = Box<dyn Fn(&Path) + 'a>;
    let damages: [(&str, Damage<'_>); 6] = [
        ("a record in the middle", Box::new(|dir| flip(&dir.join("log/0"), 9_000))),
        ("rows missing", Box::new(|dir| fs::remove_file(dir.join("vault/rows")).unwrap())),
        ("keys cut short", Box::new(|dir| cut(&dir.join("vault/keys"), 1))),
        ("rows cut short", Box::new(|dir| cut(&dir.join("vault/rows"), 1))),
        ("the header of the keys", Box::new(|dir| flip(&dir.join("vault/keys"), 20))),
        (
            "rows cut short and a torn tail",
            Box::new(|dir| {
                cut(&dir.join("vault/rows"), 1);
                let log = dir.join("log/0");
                fs::write(&log, [fs::read(&log).unwrap(), vec![7; 100]].concat()).unwrap();
            }),
        ),
    ];
    for (what, damage) in damages {
        let book = book();
        damage(&book.path());
        let before = bytes_of(&book.path());
        let said = book.import(NEW.as_bytes());
        assert_eq!(said.code, Some(3), "{what}: {said:?}");
        assert!(bytes_of(&book.path()) == before, "{what}: something was changed");
    }
    let book = book();
    let before = bytes_of(&book.path());
    assert_eq!(book.import(b"no event").code, Some(2));
    assert!(bytes_of(&book.path()) == before, "bad input: something was changed");
}
