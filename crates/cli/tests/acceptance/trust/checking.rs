//! Checking without the ledger: what holds, what is refused, what was not given.

use super::{Signed, copy, grow, keygen};
use crate::book::Said;
use serde_json::Value;
use sovang::evidence::{KeyKind, SecretKey};
use sovang::{Checkpoint, Receipt};

/// The JSON of a check, whatever its exit code.
#[track_caller]
fn json(said: &Said, code: i32) -> Value {
    assert_eq!(said.code, Some(code), "{said:?}");
    serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e} in {said:?}"))
}
#[track_caller]
fn code(signed: &Signed, words: &str, code: i32) {
    let said = signed.sovang(words);
    assert_eq!(said.code, Some(code), "{words}: {said:?}");
}

/// A ledger with a checkpoint `old`, and after growth a checkpoint `new`, a `proof`, a `receipt` and the growth `grown`.
fn evidence() -> Signed {
    let signed = Signed::new();
    signed.checkpoint("old").done();
    signed.grow(40, "more");
    signed.checkpoint("new").done();
    signed.sovang("prove @book --position 3 -o @proof").done();
    signed.sovang("receipt @book --position 3 -o @receipt").done();
    signed.sovang("prove @book --since 16 -o @grown").done();
    signed
}

#[test]
fn everything_that_the_ledger_gives_out_holds() {
    let signed = evidence();
    let said = signed.sovang("check @proof @receipt @old @grown @new --vkey @book.vkey --json");
    let report = json(&said, 0);
    assert_eq!(report["ok"], true);
    let head = signed.book.head();
    let record = signed.book.run("log", &["--json", "--from", "3", "--limit", "1"]).lines().remove(0);
    let kinds = ["proof", "receipt", "checkpoint", "growth", "checkpoint"];
    for (file, kind) in report["files"].as_array().unwrap().iter().zip(kinds) {
        assert_eq!((&file["kind"], &file["ok"]), (&kind.into(), &true.into()), "{file}");
        assert_eq!(file["log"], signed.vkey.as_str(), "{file}");
        assert_eq!(
            (&file["ignored_lines"], &file["not_after"], &file["witnesses"]),
            (&0.into(), &Value::Null, &Value::Array(vec![]))
        );
        assert_eq!(file["origin"], "example.org/book");
        let is_of_record = matches!(kind, "proof" | "receipt");
        assert_eq!(file["position"], if is_of_record { 3.into() } else { Value::Null });
        assert_eq!(file["record_hash"], if is_of_record { record["record_hash"].clone() } else { Value::Null });
        if file["file"] != signed.file("old").to_str().unwrap() {
            assert_eq!((&file["size"], &file["root"]), (&head.size.into(), &head.root.as_str().into()), "{file}");
        }
    }
    assert_eq!(report["files"][1]["event"], record["event"]);
    let shown = signed.sovang("check @receipt --vkey VKEY").done();
    let line = shown.lines().find(|line| line.contains("recorded at")).unwrap();
    assert!(line.contains("not proven"), "the writer's clock proves nothing: {line}");
    assert!(shown.contains(record["event"]["model"].as_str().unwrap()), "{shown}");
}

#[test]
fn what_is_missing_is_two_and_what_is_false_is_one() {
    let signed = evidence();
    let other = keygen(&signed.file("other.key"), "example.org/book");
    signed.write("other.vkey", &other);
    signed.write("twice.vkey", &format!("{other}\n{other}\n"));
    signed.write("bad", &signed.text("receipt").replace("index 3", "index 4"));
    signed.write("empty", "");
    code(&signed, "check @receipt", 2);
    code(&signed, "check --vkey VKEY", 2);
    code(&signed, "check @receipt --vkey nonsense", 2);
    code(&signed, "check @receipt --vkey @none.vkey", 2);
    code(&signed, "check @receipt --vkey @twice.vkey", 2);
    code(&signed, "check @receipt --policy @none.policy", 2);
    code(&signed, "check @receipt --policy @receipt", 2);
    code(&signed, "check @none --vkey VKEY", 2);
    code(&signed, "check @grown --vkey VKEY", 2);
    code(&signed, "check @new @grown --vkey VKEY", 1);
    code(&signed, "check @receipt @grown --vkey VKEY", 2);
    code(&signed, "check @receipt --vkey @other.vkey", 1);
    code(&signed, "check @bad --vkey VKEY", 1);
    code(&signed, "check @empty --vkey VKEY", 1);
    code(&signed, "check @book --vkey VKEY", 2);
    code(&signed, "check @none @bad @receipt --vkey VKEY", 1);
    code(&signed, "check @none @receipt --vkey VKEY", 2);
    code(&signed, "check @receipt --vkey @other.vkey --vkey VKEY", 0);
    code(&signed, "check @receipt --vkey VKEY --origin example.org/elsewhere", 1);
    code(&signed, "check @receipt --vkey VKEY --max-age 7d", 1);
    code(&signed, "check @receipt --vkey VKEY --max-age soon", 2);
    let said = signed.sovang("check @none @bad --vkey VKEY --json");
    let report = json(&said, 1);
    assert_eq!(report["files"][0]["ok"], false);
    assert_eq!((&report["ok"], &report["files"][1]["size"]), (&false.into(), &Value::Null), "what does not hold says nothing");
}

#[test]
fn a_proof_without_extra_wants_its_leaf() {
    let signed = evidence();
    let proof = signed.text("proof");
    let bare: String = proof.lines().filter(|line| !line.starts_with("extra ")).map(|line| format!("{line}\n")).collect();
    signed.write("bare", &bare);
    code(&signed, "check @bare --vkey VKEY", 2);
    let hash = signed.book.run("log", &["--json", "--from", "3", "--limit", "1"]).lines().remove(0);
    let hash = hash["record_hash"].as_str().unwrap();
    let entry: Vec<u8> = (0..hash.len()).step_by(2).map(|at| u8::from_str_radix(&hash[at..at + 2], 16).unwrap()).collect();
    std::fs::write(signed.file("entry"), &entry).unwrap();
    code(&signed, "check @bare --leaf @entry --vkey VKEY", 0);
    std::fs::write(signed.file("entry"), &entry[1..]).unwrap();
    code(&signed, "check @bare --leaf @entry --vkey VKEY", 1);
    code(&signed, "check @bare --leaf @none --vkey VKEY", 2);
    // Something else in it is not a leaf of ours.
    signed.write("junk", &bare.replace("index 3", "extra AAAA\nindex 3"));
    code(&signed, "check @junk --vkey VKEY", 1);
}

#[test]
fn a_changed_byte_is_refused() {
    let signed = evidence();
    for name in ["proof", "receipt", "old", "grown"] {
        let bytes = std::fs::read(signed.file(name)).unwrap();
        let step = bytes.len() / 12 + 1;
        for at in (0..bytes.len()).step_by(step).chain([bytes.len() - 1]) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            std::fs::write(signed.file("changed"), &changed).unwrap();
            let before = if name == "grown" { "@old" } else { "" };
            let said = signed.sovang(&format!("check {before} @changed --vkey VKEY"));
            assert_eq!(said.code, Some(1), "byte {at} of {name}: {said:?}");
        }
        std::fs::write(signed.file("changed"), &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(signed.sovang("check @changed --vkey VKEY").code, Some(1));
    }
}

#[test]
fn witnesses_are_counted_and_lines_of_strangers_ignored() {
    let signed = evidence();
    let (w1, w2) = (SecretKey::from_seed("w.example/1", [1; 32]).unwrap(), SecretKey::from_seed("w.example/2", [2; 32]).unwrap());
    let policy = format!(
        "log {}\nwitness first {}\nwitness second {}\ngroup both all first second\nquorum both\n",
        signed.vkey,
        w1.verifier(KeyKind::Cosignature),
        w2.verifier(KeyKind::Cosignature)
    );
    signed.write("policy", &policy);
    let mut receipt: Receipt = signed.text("receipt").parse().unwrap();
    let checkpoint: Checkpoint = signed.text("new").parse().unwrap();
    let (early, late) = (1_700_000_000, 1_700_000_500);
    receipt.checkpoint_mut().add(w1.cosign(&checkpoint, late)).unwrap();
    signed.write("one", &receipt.to_string());
    code(&signed, "check @one --policy @policy", 1);
    receipt.checkpoint_mut().add(w2.cosign(&checkpoint, early)).unwrap();
    signed.write("two", &receipt.to_string());
    let report = json(&signed.sovang("check @two --policy @policy --json"), 0);
    let file = &report["files"][0];
    assert_eq!((&file["not_after"], &file["ignored_lines"]), (&late.into(), &0.into()));
    let names: Vec<&Value> = file["witnesses"].as_array().unwrap().iter().map(|w| &w["name"]).collect();
    assert_eq!(names, ["first", "second"]);
    assert_eq!(file["witnesses"][1]["time"], early);
    let alone = json(&signed.sovang("check @two --vkey VKEY --json"), 0);
    assert_eq!(alone["files"][0]["ignored_lines"], 2, "{alone}");
    // A quorum two years ago is no quorum lately.
    code(&signed, "check @two --policy @policy --max-age 7d", 1);
    code(&signed, "check @two --policy @policy --max-age 36500d", 0);
    // A line that claims to be of a known key and is not refuses all.
    let forged = receipt.to_string();
    let last = forged.lines().last().unwrap().to_owned();
    let broken = format!("{}A{}", &last[..last.len() - 20], &last[last.len() - 19..]);
    assert_ne!(last, broken);
    signed.write("broken", &forged.replace(&last, &broken));
    code(&signed, "check @broken --policy @policy", 1);
    code(&signed, "check @broken --vkey VKEY", 0);
}

#[test]
fn two_histories_of_one_key_are_a_fork_that_anyone_can_check() {
    let signed = evidence();
    // Somebody with a copy of key and ledger goes on elsewhere.
    let other = signed.file("other");
    std::fs::create_dir(&other).unwrap();
    for name in ["book.key", "book.key.head"] {
        std::fs::copy(signed.file(name), other.join(name)).unwrap();
    }
    copy(&signed.book.path(), &other.join("book"));
    grow(&other.join("book"), 7, "there");
    signed.sovang("checkpoint @other/book --key @other/book.key -o @there").done();
    signed.sovang("prove @other/book --since 56 -o @there.grown").done();
    signed.grow(7, "here");
    signed.checkpoint("here").done();
    code(&signed, "check @here @there --vkey VKEY", 1);
    code(&signed, "check @new @here --vkey VKEY --fork-proof @none", 0);
    assert!(!signed.file("none").exists());
    let report = json(&signed.sovang("check @here @there --vkey VKEY --fork-proof @fork --json"), 1);
    assert_eq!(report["ok"], false);
    assert_eq!(report["fork"], signed.text("fork"));
    let fork = json(&signed.sovang("check @fork --vkey VKEY --json"), 0);
    assert_eq!((&fork["files"][0]["kind"], &fork["files"][0]["ok"]), (&"fork_proof".into(), &true.into()));
    signed.write("fork", &signed.text("fork").replacen("example.org/book", "example.org/bock", 1));
    code(&signed, "check @fork --vkey VKEY", 1);
    // Of different sizes: the growth of one history since the other's checkpoint says the root that it has there.
    signed.grow(2, "here again");
    signed.checkpoint("later").done();
    signed.sovang("prove @book --since 63 -o @later.grown").done();
    code(&signed, "check @there @later.grown --vkey VKEY --fork-proof @unequal", 1);
    code(&signed, "check @unequal --vkey VKEY", 0);
    assert!(signed.text("unequal").starts_with("sovang fork proof v1\nother "), "{}", signed.text("unequal"));
    code(&signed, "check @here @later.grown --vkey VKEY", 0);
}

#[test]
fn a_record_is_proven_once_a_checkpoint_covers_it() {
    let signed = Signed::new();
    let none = signed.sovang("prove @book --position 3 -o @proof");
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(none.err.contains("hint:") && !signed.file("proof").exists(), "{none:?}");
    code(&signed, "prove @book --since 3", 2);
    signed.checkpoint("old").done();
    signed.grow(4, "more");
    code(&signed, "prove @book --position 15", 0);
    code(&signed, "prove @book --position 16", 2);
    code(&signed, "receipt @book --position 16", 2);
    code(&signed, "prove @book --position 20", 2);
    code(&signed, "prove @book --since 17", 2);
    code(&signed, "prove @book --since 16", 0);
    code(&signed, "prove @book", 2);
    code(&signed, "prove @book --since 1 --position 2", 2);
    signed.write("policy", &format!("log {}\nquorum none\n", signed.vkey));
    code(&signed, "receipt @book --position 3 --policy @policy", 0);
    let other = keygen(&signed.file("other.key"), "example.org/book");
    signed.write("policy", &format!("log {other}\nquorum none\n"));
    code(&signed, "receipt @book --position 3 --policy @policy", 2);
}
