//! `verify --against`: a ledger held against a checkpoint that somebody kept.

use super::{Signed, copy, grow, keygen};
use serde_json::Value;

#[track_caller]
fn json(signed: &Signed, words: &str, code: i32) -> Value {
    let said = signed.sovang(words);
    assert_eq!(said.code, Some(code), "{said:?}");
    serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e} in {said:?}"))
}

#[test]
fn a_ledger_that_continues_a_checkpoint_is_anchored() {
    let signed = Signed::new();
    signed.checkpoint("old").done();
    signed.grow(300, "more");
    let said = signed.sovang("verify @book --against @old --vkey VKEY").done();
    assert!(said.contains("anchored") && !said.contains("not anchored"), "{said}");
    assert!(signed.sovang("verify @book").done().contains("not anchored"));
    let report = json(&signed, "verify @book --against @old --vkey VKEY --json", 0);
    assert_eq!((&report["ok"], &report["anchored"]["size"]), (&true.into(), &16.into()), "{report}");
    assert_eq!(report["findings"], Value::Array(vec![]));
    signed.write("policy", &format!("log {}\nquorum none\n", signed.vkey));
    signed.sovang("verify @book --against @old --policy @policy").done();
}

#[test]
fn a_rolled_back_or_other_history_is_not() {
    let signed = Signed::new();
    let older = signed.file("older");
    copy(&signed.book.path(), &older);
    signed.grow(9, "here");
    signed.checkpoint("old").done();
    let report = json(&signed, "verify @older --against @old --vkey VKEY --json", 1);
    assert_eq!(report["ok"], false);
    assert!(report["findings"][0]["what"].as_str().unwrap().contains("rolled back"), "{report}");
    assert_eq!(report["findings"][0]["file"], signed.file("old").to_str().unwrap());
    grow(&older, 20, "there");
    let said = signed.sovang("verify @older --against @old --vkey VKEY --fork-proof @fork");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("another history"), "{said:?}");
    assert!(!signed.file("fork").exists(), "the other history was never signed: {said:?}");
    // Once it was, with a stolen key, it is a proof.
    let stolen = signed.file("stolen");
    std::fs::create_dir(&stolen).unwrap();
    std::fs::copy(signed.file("book.key"), stolen.join("book.key")).unwrap();
    let first = format!("sovang last signed head\n{}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", signed.vkey);
    std::fs::write(stolen.join("book.key.head"), first).unwrap();
    signed.sovang("checkpoint @older --key @stolen/book.key").done();
    let said = signed.sovang("verify @older --against @old --vkey VKEY --fork-proof @fork");
    assert_eq!(said.code, Some(1), "{said:?}");
    signed.sovang("check @fork --vkey VKEY").done();
}

#[test]
fn damage_outranks_and_what_is_not_given_is_two() {
    let signed = Signed::new();
    signed.checkpoint("old").done();
    let other = keygen(&signed.file("other.key"), "example.org/other");
    signed.write("other.vkey", &other);
    signed.write("junk", "nonsense\n");
    for (words, code) in [
        ("verify @book --against @old", 2),
        ("verify @book --against @none --vkey VKEY", 2),
        ("verify @book --vkey VKEY", 2),
        ("verify @book --fork-proof @fork", 2),
        ("verify @book --against @old --vkey nonsense", 2),
        ("verify @book --against @old --vkey @other.vkey", 1),
        ("verify @book --against @junk --vkey VKEY", 1),
    ] {
        let said = signed.sovang(words);
        assert_eq!(said.code, Some(code), "{words}: {said:?}");
    }
    let path = signed.file("book/log/0");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4096 + 300] ^= 4;
    std::fs::write(&path, bytes).unwrap();
    let report = json(&signed, "verify @book --against @old --vkey VKEY --json", 3);
    assert_eq!((&report["ok"], &report["anchored"]), (&false.into(), &Value::Null));
}
