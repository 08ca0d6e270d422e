//! Copies beside the writer, from outside.

use crate::book::{Book, GIFT, OFFICE, Said, head, run, run_with};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

fn target(book: &Book) -> PathBuf {
    book.dir.path().join("copy")
}
fn backup(book: &Book, rest: &[&str]) -> Said {
    let (from, to) = (book.path(), target(book));
    let mut args: Vec<&OsStr> = vec!["backup".as_ref(), from.as_os_str(), to.as_os_str()];
    args.extend(rest.iter().map(OsStr::new));
    run(args)
}
fn gifts(from: u32, count: u32) -> String {
    (from..from + count).map(|n| GIFT.replace("\"vnd\":7", &format!("\"vnd\":{n}")) + "\n").collect()
}
fn verified(ledger: &Path) -> u64 {
    let report = run([OsStr::new("verify"), ledger.as_os_str(), "--json".as_ref()]).json();
    assert_eq!(report["ok"], true, "{report}");
    report["size"].as_u64().unwrap()
}

#[test]
fn a_backup_is_a_ledger_and_grows_by_what_is_new() {
    let book = Book::of_office();
    let first = backup(&book, &["--json"]).json();
    let whole = book.head();
    assert_eq!((&first["size"], &first["root"]), (&whole.size.into(), &whole.root.as_str().into()));
    assert_eq!((&first["copied_records"], &first["checked"]), (&whole.size.into(), &whole.size.into()), "{first}");
    let keys: Vec<_> = first.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["checked", "copied_bytes", "copied_records", "root", "size"]);
    assert_eq!((head(&target(&book)), verified(&target(&book))), (whole.clone(), whole.size));
    assert!(!target(&book).join("vault").exists(), "nobody asked for personal values");
    let export = run([OsStr::new("export"), target(&book).as_os_str()]).done();
    assert_eq!(export, book.run("export", &[]).done());
    let again = backup(&book, &["--json"]).json();
    assert_eq!((&again["copied_bytes"], &again["copied_records"]), (&0.into(), &0.into()), "{again}");
    book.import(gifts(0, 20).as_bytes()).done();
    let more = backup(&book, &["--json", "--full"]).json();
    assert_eq!((&more["copied_records"], &more["size"]), (&20.into(), &(whole.size + 20).into()), "{more}");
    assert_eq!(more["checked"], more["size"]);
    assert!(more["copied_bytes"].as_u64().unwrap() < 20 * 400, "{more}");
    let said = backup(&book, &[]).done();
    assert!(said.contains("copied 0 records"), "{said}");
    // A restored copy is a ledger for a writer too.
    let done = run_with([OsStr::new("import"), target(&book).as_os_str(), "-".as_ref(), "--json".as_ref()], OFFICE.as_bytes());
    // The office has persons, and this copy has no vault: sealed values match whatever is sent again.
    assert_eq!(done.json()["appended"], 0);
}

#[test]
fn personal_values_only_when_asked_for_by_name() {
    let book = Book::of_office();
    backup(&book, &["--with-vault"]).done();
    let all = book.run("export", &["--with-personal"]).done();
    assert_eq!(run([OsStr::new("export"), target(&book).as_os_str(), "--with-personal".as_ref()]).done(), all);
    book.import(gifts(0, 3).as_bytes()).done();
    let said = backup(&book, &[]);
    assert!(said.code == Some(2) && said.err.contains("--with-vault"), "{said:?}");
    backup(&book, &["--with-vault"]).done();
    assert_eq!(verified(&target(&book)), book.head().size);
}

#[test]
fn another_history_and_a_rolled_back_ledger_are_refused() {
    let book = Book::of_office();
    backup(&book, &[]).done();
    // The ledger as it was, put back after it had gone on and been backed up.
    let old = book.dir.path().join("old");
    copy_directory(&book.path(), &old);
    book.import(gifts(0, 5).as_bytes()).done();
    backup(&book, &[]).done();
    let newest = head(&target(&book));
    fs::remove_dir_all(book.path()).unwrap();
    copy_directory(&old, &book.path());
    let said = backup(&book, &[]);
    assert!(said.code == Some(2) && said.err.contains("newer") && said.err.contains("rolled back"), "{said:?}");
    // It goes another way.
    book.import(gifts(100, 7).as_bytes()).done();
    let said = backup(&book, &[]);
    assert!(said.code == Some(2) && said.err.contains("no beginning of"), "{said:?}");
    assert!(said.err.contains(&newest.root) && said.err.contains(&format!("at size {}", newest.size)), "{said:?}");
    assert_eq!(head(&target(&book)), newest);
    let other = Book::of_office();
    let said = run([OsStr::new("backup"), other.path().as_os_str(), target(&book).as_os_str()]);
    assert!(said.code == Some(2) && said.err.contains("another ledger"), "{said:?}");
    for inside in [book.path().join("copy"), book.path(), book.dir.path().to_path_buf()] {
        let said = run([OsStr::new("backup"), book.path().as_os_str(), inside.as_os_str()]);
        assert!(said.code == Some(2) && said.err.contains("is inside"), "{said:?}");
    }
}
fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_directory(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn a_copy_older_than_the_last_signed_head_says_so() {
    let book = Book::of_office();
    book.import(gifts(0, 5).as_bytes()).done();
    let newest = book.head();
    let old = Book::of_office();
    let checkpoints = old.path().join("checkpoints");
    fs::create_dir_all(&checkpoints).unwrap();
    let note = format!("example.org/book\n{}\n{}\n\n\u{2014} example.org/book AAAAAAAAAAA=\n", newest.size, newest.root);
    fs::write(checkpoints.join(newest.size.to_string()), note).unwrap();
    let said = old.run("verify", &["--json"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("rolled back"), "{said:?}");
    for (command, rest) in [("head", &[] as &[&str]), ("log", &["--json"]), ("tally", &["registered"])] {
        let said = old.run(command, rest);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.err.contains("older than its last signed checkpoint"), "{said:?}");
    }
    let said = backup(&old, &["--json"]);
    assert!(said.code == Some(0) && said.err.contains("older than its last signed checkpoint"), "{said:?}");
    // An import that makes it longer than what was signed does not hide it.
    let longer = Book::of_office();
    copy_directory(&checkpoints, &longer.path().join("checkpoints"));
    let said = longer.import(gifts(5, 20).as_bytes());
    assert!(said.code == Some(0) && said.err.contains("older than its last signed checkpoint"), "{said:?}");
    let said = longer.run("verify", &[]);
    assert!(said.code == Some(1) && said.out.contains("another history"), "{said:?}");
    let said = run([OsStr::new("verify"), target(&old).as_os_str()]);
    assert!(said.code == Some(1) && said.out.contains("rolled back"), "the copy says it too: {said:?}");
}

#[test]
fn beside_a_live_writer_each_copy_is_a_beginning_of_the_ledger() {
    let book = Book::of_office();
    let lines = book.file("many.jsonl", gifts(0, 6_000));
    let mut writer = crate::book::program()
        .args([OsStr::new("import"), book.path().as_os_str(), lines.as_os_str(), "--batch".as_ref(), "40".as_ref()])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut sizes = Vec::new();
    loop {
        let ended = writer.try_wait().unwrap().is_some();
        let done = backup(&book, &["--json"]).json();
        sizes.push(done["size"].as_u64().unwrap());
        assert_eq!(verified(&target(&book)), *sizes.last().unwrap());
        if ended {
            break;
        }
    }
    assert!(sizes.is_sorted());
    assert_eq!(head(&target(&book)), book.head());
}

#[cfg(unix)]
#[test]
fn killed_at_any_moment_the_copy_opens_and_is_completed() {
    let book = Book::of_office();
    for n in 0..4 {
        book.import(gifts(n * 1_000, 1_000).as_bytes()).done();
        let mut complete = false;
        for round in 0..12_u32 {
            let (from, to) = (book.path(), target(&book));
            let mut child = crate::book::program()
                .args([OsStr::new("backup"), from.as_os_str(), to.as_os_str()])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            // From before its first system call to after its last one.
            for _ in 0..round * 400 {
                std::thread::yield_now();
            }
            let _ = child.kill();
            complete |= child.wait().unwrap().success();
            if to.join("ledger").exists() {
                verified(&to);
            }
        }
        backup(&book, &[]).done();
        assert_eq!(head(&target(&book)), book.head(), "{complete}");
    }
}
