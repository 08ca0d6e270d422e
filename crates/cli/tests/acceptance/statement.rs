//! Figures that are stated, checked without the ledger, and computed again with it.

use crate::book::{Book, GIFT, OFFICE, head, run};
use crate::signed::{ORIGIN, Signed};
use serde_json::{Value, json};
use sovang::Checkpoint;
use sovang::evidence::{Figure, KeyKind, SecretKey, Statement};

const TALLIES: [&str; 11] = [
    "registered",
    "recognised",
    "recognition-rate",
    "continuity",
    "contributions",
    "plaques",
    "commendations",
    "proposals",
    "multi-level",
    "cumulative",
    "amendments",
];

/// `sovang state DIR TALLY OPTIONS… --key figures.key -o FILE`
fn state(signed: &Signed, tally: &str, options: &[&str], file: &str) {
    let key = signed.path("figures.key");
    let options = [&[tally][..], options, &["--key", &key]].concat();
    signed.write("state", &options, file);
}
fn read(signed: &Signed, file: &str) -> Statement {
    Statement::parse(&std::fs::read(signed.file(file)).unwrap()).unwrap()
}

#[test]
fn every_tally_is_stated_checked_and_computed_again() {
    let signed = Signed::of_office();
    let ledger = signed.book.path();
    let replay = ["--replay", ledger.to_str().unwrap(), "--json"];
    for tally in TALLIES {
        for options in [&[][..], &["--by", ""], &["--as-of", "9"], &["--from", "2024-05-06", "--to", "2024-12-31"]] {
            state(&signed, tally, options, "statement");
            let said = signed.check("statement", &[&signed.figures, &signed.log], &replay).json();
            let told = &said["files"][0];
            assert_eq!(
                (&told["ok"], &told["kind"], &told["origin"]),
                (&json!(true), &json!("statement"), &json!(ORIGIN)),
                "{said}"
            );
            assert_eq!((&told["size"], &told["log"]), (&json!(16), &json!(signed.log)), "{said}");
            // What is stated is what `tally` prints.
            let printed = signed.book.run("tally", &[&[tally, "--format", "json"], options].concat()).json();
            let statement = read(&signed, "statement");
            assert_eq!(serde_json::from_str::<Value>(&statement.figure().result).unwrap(), printed);
            assert_eq!(json!(statement.as_of().0), printed["as_of"]);
        }
    }
}

#[test]
fn filters_and_the_order_of_dimensions_are_stated() {
    let signed = Signed::of_office();
    let options = ["--by", "source,kind", "--where", "kind=cash", "--where", "source=socialised", "--where", "land="];
    state(&signed, "contributions", &options, "statement");
    let parameters = read(&signed, "statement").figure().parameters.clone();
    assert_eq!(
        parameters,
        r#"{"as_of":16,"by":["source","kind"],"from":null,"map_date":null,"to":null,"where":{"kind":["cash"],"land":[null],"source":["socialised"]}}"#
    );
    let ledger = signed.book.path();
    signed.check("statement", &[&signed.figures], &["--replay", ledger.to_str().unwrap()]).done();
}

#[test]
fn without_a_key_of_the_log_the_checkpoint_is_not_checked_and_that_is_said() {
    let signed = Signed::of_office();
    state(&signed, "registered", &[], "statement");
    let said = signed.check("statement", &[&signed.figures], &[]).done();
    assert!(said.contains("checkpoint not checked (no log key given)"), "{said}");
    let said = signed.check("statement", &[&signed.figures, &signed.log], &[]).done();
    assert!(!said.contains("not checked (no log key"), "{said}");
    assert!(said.contains(&format!("stated by {}", signed.figures)), "{said}");
    // The log's key alone has signed no statement; neither has another key of the same name.
    for key in [&signed.log, &signed.keygen("other.key", "example.org/book/figures")] {
        let said = signed.check("statement", &[key], &[]);
        assert_eq!(said.code, Some(1), "{said:?}");
    }
    // A key of the log's name that did not sign its checkpoint.
    let other = signed.keygen("other-log.key", ORIGIN);
    assert_eq!(signed.check("statement", &[&signed.figures, &other], &[]).code, Some(1));
    let policy = signed.book.file("policy", format!("log {}\nquorum none\n", signed.log)).to_str().unwrap().to_owned();
    signed.check("statement", &[&signed.figures], &["--policy", &policy]).done();
    assert_eq!(run(["check", &signed.path("statement"), "--policy", &policy]).code, Some(1));
}

#[test]
fn what_cannot_be_stated_is_refused_with_what_to_do() {
    let signed = Signed::of(Book::of_office());
    let (log, figures) = (signed.path("log.key"), signed.path("figures.key"));
    let refused = |options: &[&str], expected: &str| {
        let said = signed.book.run("state", &[options, &["-o", &signed.path("statement")]].concat());
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(expected), "{expected}: {said:?}");
        assert!(!signed.file("statement").exists());
    };
    refused(&["registered", "--key", &figures], "hint: sign one with `sovang checkpoint");
    signed.sign();
    refused(&["registered", "--key", &log], "the key bears the log's name");
    refused(&["nothing", "--key", &figures], "there is no tally");
    refused(&["registered", "--by", "source", "--key", &figures], "has no dimension");
    signed.book.import(GIFT.as_bytes()).done();
    refused(&["registered", "--as-of", "17", "--key", &figures], "the newest checkpoint covers 16");
    refused(&["registered", "--as-of", "99", "--key", &figures], "not yet 99");
}

#[test]
fn a_key_that_the_log_ever_had_states_nothing() {
    let signed = Signed::of_office();
    // The same key under another name, as a thief of habit would have it.
    let pem = std::fs::read_to_string(signed.file("log.key")).unwrap();
    // Base64 may hold a plus sign too.
    let key = signed.log.splitn(3, '+').nth(2).unwrap();
    let public: [u8; 32] = base64_decoded(key)[1..].try_into().unwrap();
    let renamed = sovang::VerifierKey::new("example.org/book/figures", KeyKind::Ed25519, public).unwrap().to_string();
    let renamed_pem = pem.replace(&format!("name: {ORIGIN}"), "name: example.org/book/figures").replace(&signed.log, &renamed);
    let file = signed.book.file("renamed.key", &renamed_pem).to_str().unwrap().to_owned();
    let said = signed.book.run("state", &["registered", "--key", &file, "-o", &signed.path("statement")]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("has signed this log's checkpoint of size 16"), "{said:?}");
}
fn base64_decoded(text: &str) -> Vec<u8> {
    let digit = |c: u8| b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".iter().position(|d| *d == c).unwrap();
    let text = text.trim_end_matches('=');
    let bits: Vec<bool> = text.bytes().flat_map(|c| (0..6).rev().map(move |bit| digit(c) >> bit & 1 == 1)).collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |all, bit| all << 1 | u8::from(*bit))).collect()
}

#[test]
fn one_changed_byte_anywhere_is_refused() {
    let signed = Signed::of_office();
    state(&signed, "plaques", &[], "statement");
    let good = std::fs::read(signed.file("statement")).unwrap();
    let mut files = Vec::new();
    for at in 0..good.len() {
        let mut bytes = good.clone();
        // Another letter or digit, case, and line's end each.
        bytes[at] ^= [0x01, 0x20, 0x02][at % 3];
        files.push(signed.book.file(&format!("changed-{at}"), bytes).to_str().unwrap().to_owned());
    }
    for cut in [good.len() - 1, good.len() / 2, 20] {
        files.push(signed.book.file(&format!("cut-{cut}"), &good[..cut]).to_str().unwrap().to_owned());
    }
    files.push(signed.book.file("longer", [&good[..], b"\n"].concat()).to_str().unwrap().to_owned());
    let keys = ["--vkey", &signed.figures, "--vkey", &signed.log, "--json"];
    let said = run(["check"].into_iter().chain(files.iter().map(String::as_str)).chain(keys));
    assert_eq!(said.code, Some(1), "{}", said.err);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    let passed: Vec<&Value> = told["files"].as_array().unwrap().iter().filter(|file| file["ok"] == true).collect();
    assert!(passed.is_empty(), "{passed:?}");
    assert_eq!(told["files"].as_array().unwrap().len(), files.len());
}

/// What whoever has the key could state: another result, under a checkpoint that is right.
#[test]
fn a_replay_shows_where_a_stated_figure_is_false() {
    let signed = Signed::of_office();
    state(&signed, "registered", &["--by", "unit"], "statement");
    let honest = read(&signed, "statement");
    let key = SecretKey::from_seed("example.org/press", [9; 32]).unwrap();
    let forged = |from: &str, to: &str| {
        let result = honest.figure().result.replacen(from, to, 1);
        assert_ne!(result, honest.figure().result);
        let statement = Statement::sign(&key, Figure { result, ..honest.figure().clone() }, honest.checkpoint()).unwrap();
        signed.book.file("forged", statement.to_string());
        let keys = [&key.verifier(KeyKind::Ed25519).to_string(), &signed.log];
        signed.check("forged", &keys, &[]).done();
        let said = signed.check("forged", &keys, &["--replay", signed.book.path().to_str().unwrap()]);
        assert_eq!(said.code, Some(1), "{said:?}");
        said.out
    };
    let said = forged(r#"{"count":2,"unit":"phu-dien"}"#, r#"{"count":5,"unit":"phu-dien"}"#);
    assert!(said.contains(r#"row 1: stated {"count":5,"unit":"phu-dien"}, replayed {"count":2,"unit":"phu-dien"}"#), "{said}");
    let said = forged(r#",{"count":1,"unit":"tay-tuu"}"#, "");
    assert!(said.contains(r#"row 2: stated no such row, replayed {"count":1,"unit":"tay-tuu"}"#), "{said}");
}

#[test]
fn a_replay_needs_the_log_that_was_stated_and_all_of_it() {
    let signed = Signed::of_office();
    state(&signed, "registered", &[], "statement");
    let keys = [&signed.figures, &signed.log];
    let replayed = |book: &Book| signed.check("statement", &keys, &["--replay", book.path().to_str().unwrap()]);
    // Grown and corrected since: the figure is as it was.
    signed.book.import(GIFT.as_bytes()).done();
    replayed(&signed.book).done();
    // The same lines in another ledger have other ids of records.
    let said = replayed(&Book::of_office());
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("is not the log of the statement: its root at size 16"), "{said:?}");
    let smaller = Book::new();
    smaller.import(OFFICE.lines().next().unwrap().as_bytes()).done();
    let said = replayed(&smaller);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("the ledger has 1 records, and the statement's checkpoint covers 16"), "{said:?}");
    let said = signed.check("statement", &keys, &["--replay", &signed.path("nowhere")]);
    assert_eq!(said.code, Some(3), "{said:?}");
}

#[test]
fn a_statement_is_recorded_and_a_published_figure_names_it() {
    let signed = Signed::of_office();
    let before = head(&signed.book.path());
    let key = signed.path("figures.key");
    let said = signed.write("state", &["registered", "--key", &key, "--record", "--actor", "press"], "statement");
    let digest = said.out.trim().to_owned();
    assert_eq!(digest.len(), 64);
    let text = std::fs::read_to_string(signed.file("statement")).unwrap();
    let last = signed.book.run("log", &["--json", "--from", &before.size.to_string()]).lines();
    assert_eq!((last.len(), &last[0]["actor"]), (1, &json!("press")));
    assert_eq!((&last[0]["event"]["type"], &last[0]["event"]["text"]), (&json!("statement_issued"), &json!(text)), "{last:?}");

    let figure = format!(
        r#"{{"type":"figure_published","occurred_on":"2026-11-24","actor":"press","measure":"registered","unit":"phu-dien","period":"2024","value":3,"qualifier":"exact","source":"report","statement":"{digest}"}}"#
    );
    signed.book.import(figure.as_bytes()).done();
    let exported = signed.book.run("export", &[]).done();
    assert!(exported.contains(&format!(r#""statement":"{digest}""#)), "{exported}");
    signed.book.verified();
    signed.check("statement", &[&signed.figures, &signed.log], &["--replay", signed.book.path().to_str().unwrap()]).done();
    let checkpoint = Checkpoint::parse(&std::fs::read(signed.file("checkpoint")).unwrap()).unwrap();
    assert_eq!(checkpoint.head().size.0, before.size);
}
