//! Time stamps of checkpoints (RFC 3161), with responses that `openssl ts` made once: `tests/timestamp/README.md`.

use crate::book::{Book, Said, run};
use serde_json::json;
use std::path::{Path, PathBuf};

/// The name and the empty log that the committed responses stamp.
const ORIGIN: &str = "example.org/golden-book";

fn made(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/timestamp").join(name);
    path.to_str().unwrap().to_owned()
}

struct Office {
    home: tempfile::TempDir,
    vkey: String,
}
impl Office {
    /// An empty ledger with a signed checkpoint of it.
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let office = Self { home, vkey: String::new() };
        run(["init", &office.path("book"), "--origin", ORIGIN]).done();
        let said = run(["keygen", "-o", &office.path("key"), "--name", ORIGIN, "--no-passphrase"]).done();
        let office = Self { vkey: said.lines().last().unwrap().to_owned(), ..office };
        office.sign();
        office
    }
    fn sign(&self) {
        run(["checkpoint", &self.path("book"), "--key", &self.path("key"), "-o", &self.path("checkpoint")]).done();
    }
    fn path(&self, file: &str) -> String {
        self.home.path().join(file).to_str().unwrap().to_owned()
    }
    fn stamp(&self, options: &[&str]) -> Said {
        run(["stamp", &self.path("book")].into_iter().chain(options.iter().copied()))
    }
    fn check(&self, token: &str, certificate: &str, rest: &[&str]) -> Said {
        let args = ["check", &self.path("checkpoint"), "--vkey", &self.vkey, "--token", token, "--tsa-cert", certificate];
        run(args.into_iter().chain(rest.iter().copied()))
    }
    fn kept(&self) -> Vec<PathBuf> {
        let all = std::fs::read_dir(self.home.path().join("book/checkpoints")).unwrap().map(|entry| entry.unwrap().path());
        all.filter(|path| path.extension().is_some_and(|extension| extension == "tsr")).collect()
    }
}

#[test]
fn a_request_asks_for_the_newest_checkpoint() {
    let office = Office::new();
    for _ in 0..2 {
        office.stamp(&["--request", &office.path("book.tsq")]).done();
        let bytes = std::fs::read(office.path("book.tsq")).unwrap();
        assert_eq!((bytes.len(), &bytes[..2]), (69, &[0x30, 0x43][..]));
    }
    assert_eq!(office.stamp(&[]).code, Some(2));
    let unsigned = Book::new();
    let said = unsigned.run("stamp", &["--request", "book.tsq"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("hint: sign one"), "{said:?}");
}

#[test]
fn a_response_is_kept_beside_the_checkpoint_that_it_stamps() {
    let office = Office::new();
    office.stamp(&["--response", &made("p256.tsr"), "--tsa-cert", &made("ca-ec.pem")]).done();
    let said = office.stamp(&["--response", &made("rsa.tsr")]);
    assert!(said.err.contains("who stamped it was not checked"), "{said:?}");
    let mut kept: Vec<Vec<u8>> = office.kept().iter().map(|path| std::fs::read(path).unwrap()).collect();
    let mut stamped = ["p256.tsr", "rsa.tsr"].map(|name| std::fs::read(made(name)).unwrap());
    kept.sort();
    stamped.sort();
    assert_eq!(kept, stamped);
    for name in office.kept() {
        let name = name.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(name.starts_with("0.") && name.len() == "0.".len() + 16 + ".tsr".len(), "{name}");
    }
    // Again, and from another authority than is trusted, and a refusal.
    office.stamp(&["--response", &made("p256.tsr")]).done();
    for (name, certificate) in [("rsa.tsr", "ca-ec.pem"), ("refused.tsr", "ca-rsa.pem")] {
        let said = office.stamp(&["--response", &made(name), "--tsa-cert", &made(certificate)]);
        assert_eq!(said.code, Some(1), "{said:?}");
    }
    assert_eq!(office.kept().len(), 2);
    assert_eq!(run(["verify", &office.path("book")]).code, Some(0));

    let other = Book::of_office();
    run(["keygen", "-o", &office.path("other"), "--name", "example.org/book", "--no-passphrase"]).done();
    other.run("checkpoint", &["--key", &office.path("other")]).done();
    let said = other.run("stamp", &["--response", &made("rsa.tsr")]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("stamps none of the checkpoints"), "{said:?}");
}

#[test]
fn a_token_shows_by_when_a_checkpoint_was_there() {
    let office = Office::new();
    for (token, certificate) in [
        ("rsa.tsr", "ca-rsa.pem"),
        ("rsa-sha1-id.tsr", "ca-rsa.pem"),
        ("p256.tsr", "ca-ec.pem"),
        ("p384-without-certificate.tsr", "tsa-p384.pem"),
    ] {
        let said = office.check(&made(token), &made(certificate), &["--json"]).json();
        let told = &said["files"][1];
        assert_eq!((&told["kind"], &told["ok"], &told["size"]), (&json!("token"), &json!(true), &json!(0)), "{said}");
        // 24 November 2026.
        assert!((1_795_478_400..1_795_564_800).contains(&told["not_after"].as_u64().unwrap()), "{said}");
        assert_eq!(said["files"][0]["not_after"], json!(null), "the log's signature says nothing about time");
    }
    let said = office.check(&made("rsa.tsr"), &made("ca-rsa.pem"), &[]).done();
    assert!(said.contains("the checkpoint was there by 2026-11-24T") && said.contains("CN=tsa-rsa"), "{said}");
}

#[test]
fn what_is_no_token_of_the_checkpoint_is_refused() {
    let office = Office::new();
    let refused = |said: &Said, expected: &str| {
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.out.contains(expected), "{expected}: {said:?}");
    };
    refused(&office.check(&made("rsa.tsr"), &made("ca-ec.pem"), &[]), "is of another issuer");
    refused(&office.check(&made("refused.tsr"), &made("ca-rsa.pem"), &[]), "the authority refused to stamp it");
    refused(&office.check(&made("README.md"), &made("ca-rsa.pem"), &[]), "the time-stamp response is malformed");
    let mut bytes = std::fs::read(made("p256.tsr")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(office.path("changed.tsr"), bytes).unwrap();
    refused(&office.check(&office.path("changed.tsr"), &made("ca-ec.pem"), &[]), "the signature does not verify");
    // What is wrong with the question.
    for said in [
        office.check(&made("rsa.tsr"), &made("rsa.tsr"), &[]),
        office.check(&office.path("nothing"), &made("ca-rsa.pem"), &[]),
        run(["check", &office.path("checkpoint"), "--vkey", &office.vkey, "--token", &made("rsa.tsr")]),
    ] {
        assert_eq!(said.code, Some(2), "{said:?}");
    }
    // Another checkpoint of the log.
    let unit = r#"{"type":"unit_defined","occurred_on":"2013-12-27","actor":"clerk","unit":"w","name":"W","kind":"ward","valid_from":"2013-12-27"}"#;
    crate::book::run_with(["import", &office.path("book"), "-"], unit.as_bytes()).done();
    office.sign();
    refused(&office.check(&made("rsa.tsr"), &made("ca-rsa.pem"), &[]), "stamps no checkpoint of these files");
}
