//! Each system call on a ledger's files fails, one at a time, with each error it may give.

use crate::office::Office;
use crate::trace;

/// The errors that a call may give. EINTR means that nothing was done: the call is made again.
fn errors(call: &str) -> &'static [&'static str] {
    match call {
        "pwrite64" | "fallocate" | "ftruncate" | "fsync" | "fdatasync" => &["EIO", "ENOSPC", "EINTR"],
        "openat" | "mkdir" | "rename" | "unlink" => &["EIO", "ENOSPC", "EACCES"],
        "pread64" => &["EIO", "EINTR"],
        "statx" | "newfstatat" | "fstat" | "getdents64" | "flock" => &["EIO"],
        // What closing says comes too late for anything.
        _ => &[],
    }
}

/// A code and a message that a caller can act on.
#[track_caller]
fn assert_told(said: &crate::book::Said, context: &str) {
    assert_eq!(said.code, Some(4), "{context}: {said:?}");
    assert!(said.err.starts_with("error: ") && said.err.len() > 20, "{context}: {said:?}");
}

#[test]
fn every_call_of_an_import_fails_and_nothing_acknowledged_is_lost() {
    if !trace::is_there() {
        return;
    }
    let office = Office::new(3, 8);
    let counted = office.copy();
    let calls = trace::calls(&counted.ledger, &counted.import_args(&office));
    let (mut failed, mut tolerated) = (0, 0);
    for (call, count) in &calls {
        for error in errors(call) {
            for nth in 1..=*count {
                let copy = office.copy();
                let context = format!("{call} number {nth} fails with {error}");
                let said = trace::inject(&copy.ledger, &copy.import_args(&office), call, &format!("error={error}"), nth);
                if said.code == Some(0) {
                    tolerated += 1;
                } else {
                    assert!(*error != "EINTR", "an interrupted call is made again: {context}: {said:?}");
                    assert_told(&said, &context);
                    failed += 1;
                }
                office.judge(&copy, &context);
            }
        }
    }
    eprintln!("{failed} imports failed and {tolerated} did not, of {calls:?}");
    assert!(failed > 50, "the calls of the import were found: {calls:?}");
}

#[test]
fn every_call_of_a_creation_fails_and_it_can_be_repeated() {
    if !trace::is_there() {
        return;
    }
    let parent = tempfile::tempdir().unwrap();
    let args =
        |ledger: &std::path::Path| ["init", ledger.to_str().unwrap(), "--origin", "example.org/new"].map(str::to_owned).to_vec();
    let counted = parent.path().join("counted");
    let calls = trace::calls(&counted, &args(&counted));
    let mut cases = 0;
    for (call, count) in &calls {
        for error in errors(call) {
            for nth in 1..=*count {
                let ledger = parent.path().join(format!("{call}-{error}-{nth}"));
                let context = format!("{call} number {nth} fails with {error}");
                let said = trace::inject(&ledger, &args(&ledger), call, &format!("error={error}"), nth);
                if said.code != Some(0) {
                    assert_told(&said, &context);
                    let again = crate::book::run(args(&ledger));
                    // The last syncs come after there is a ledger.
                    let there = again.code == Some(2) && ledger.join("ledger").exists();
                    assert!(again.code == Some(0) || there, "{context}: {again:?}");
                }
                assert_eq!(crate::book::head(&ledger).size, 0, "{context}");
                let import = crate::book::run_with(["import", ledger.to_str().unwrap(), "-"], crate::book::OFFICE.as_bytes());
                assert_eq!(import.code, Some(0), "{context}: {import:?}");
                cases += 1;
            }
        }
    }
    eprintln!("{cases} creations with a failing call, of {calls:?}");
    assert!(cases > 20, "the calls of the creation were found: {calls:?}");
}

#[test]
fn every_call_of_a_reader_fails_and_it_never_says_that_the_ledger_is_damaged() {
    if !trace::is_there() {
        return;
    }
    let office = Office::new(3, 0);
    let copy = office.copy();
    copy.import(&office, &[]).done();
    let before = copy.run("head", &["--json"]).done();
    let mut cases = 0;
    let commands: &[&[&str]] =
        &[&["head", "--json"], &["verify", "--json"], &["log", "--json", "--with-personal"], &["tally", "registered"]];
    for command in commands {
        let args: Vec<String> =
            [&command[..1], &[copy.ledger.to_str().unwrap()], &command[1..]].concat().into_iter().map(str::to_owned).collect();
        let plain = crate::book::run(&args).done();
        let calls = trace::calls(&copy.ledger, &args);
        for (call, count) in &calls {
            for error in errors(call).iter().filter(|error| **error != "ENOSPC") {
                for nth in 1..=*count {
                    let context = format!("{}: {call} number {nth} fails with {error}", command[0]);
                    let said = trace::inject(&copy.ledger, &args, call, &format!("error={error}"), nth);
                    if said.code == Some(0) {
                        assert_eq!(said.out, plain, "{context}");
                    } else {
                        assert_told(&said, &context);
                    }
                    cases += 1;
                }
            }
        }
    }
    eprintln!("{cases} readers with a failing call");
    assert_eq!(copy.run("head", &["--json"]).done(), before);
    office.judge_whole(&copy);
}
