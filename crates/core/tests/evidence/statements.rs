//! Statements: a figure bound to a log by a key that is no log's.

use crate::kit::{self, Log};
use sovang_core::evidence::{Checkpoint, EvidenceError, Figure, KeyKind, Note, SecretKey, SignatureLine, Statement};
use sovang_core::{Size, hash};

fn office() -> SecretKey {
    secret("example.org/figures")
}
fn secret(name: &str) -> SecretKey {
    kit::secret(name, 90)
}
const PARAMETERS: &str = r#"{"as_of":4,"by":["year"],"from":null,"map_date":null,"to":"2024-12-31","where":{"unit":["a","b"]}}"#;
const RESULT: &str = r#"{"as_of":4,"root":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","rows":[{"count":2,"year":2024}],"size":4,"tally":"registered"}"#;

fn figure() -> Figure {
    Figure { tally: "registered".into(), revision: 1, parameters: PARAMETERS.into(), result: RESULT.into() }
}
fn statement() -> Statement {
    Statement::sign(&office(), figure(), &Log::of(5).cosigned(5, 2)).unwrap()
}

#[test]
fn stated_read_verified() {
    let statement = statement();
    let read: Statement = statement.to_string().parse().unwrap();
    assert_eq!(read, statement);
    assert_eq!((read.figure(), read.as_of()), (&figure(), Size(4)));
    assert_eq!(read.digest(), &hash::statement_result_digest(RESULT.as_bytes()));
    let key = office().verifier(KeyKind::Ed25519);
    let keys = [kit::log_vkey(), key.clone()];
    let verified = read.verify(&keys, None).unwrap();
    assert_eq!((verified.keys, verified.ignored, verified.checkpoint), (vec![key], 0, None));
    let verified = read.verify(&keys, Some(&kit::policy(2, "all"))).unwrap();
    assert_eq!(verified.checkpoint.unwrap().witnesses.len(), 2);
    assert!(matches!(read.verify(&keys, Some(&kit::policy(3, "all"))), Err(EvidenceError::Within { .. })));
    assert_eq!(read.verify(&[kit::log_vkey()], None), Err(EvidenceError::NoKnownKey { what: "a statement" }));
}

#[test]
fn a_statement_is_no_checkpoint() {
    assert!(Checkpoint::parse(statement().to_string().as_bytes()).unwrap_err().is_malformed());
}

#[test]
fn a_logs_key_states_nothing() {
    let checkpoint = Log::of(5).checkpoint(5);
    let sign = |key: &SecretKey| Statement::sign(key, figure(), &checkpoint);
    assert!(matches!(sign(&secret(kit::ORIGIN)), Err(EvidenceError::Disagrees { .. })));
    // The log's key under another name: its signature stands in the checkpoint.
    assert!(matches!(sign(&kit::secret("example.org/figures", 1)), Err(EvidenceError::Disagrees { .. })));
    // The key of another log of the policy.
    let statement = sign(&office()).unwrap();
    let key = office().verifier(KeyKind::Ed25519);
    let policy = kit::trusting().with_log(key.clone(), "example.org/figures").unwrap();
    assert!(matches!(statement.verify(std::slice::from_ref(&key), Some(&policy)), Err(EvidenceError::Disagrees { .. })));
    statement.verify(&[key], Some(&kit::trusting())).unwrap();
}

#[test]
fn a_witness_states_nothing() {
    let text = statement().note().text().to_owned();
    let witness = kit::witness_vkey(1);
    let plain = kit::witness(1).sign_text(&format!("cosignature/v1\ntime 1750000000\n{text}"));
    let signature = [&1_750_000_000u64.to_be_bytes()[..], &plain.signature].concat();
    let line = SignatureLine { name: plain.name, id: witness.id(), signature };
    let statement: Statement = Note::new(&text, vec![line]).unwrap().to_string().parse().unwrap();
    statement.note().verify(std::slice::from_ref(&witness)).unwrap();
    assert!(matches!(statement.verify(&[witness], None), Err(EvidenceError::Disagrees { .. })));
}

/// The statement with another text, signed all the same.
fn signed_anyway(text: &str) -> String {
    Note::new(text, vec![office().sign_text(text)]).unwrap().to_string()
}

#[test]
fn a_digest_of_another_result_is_refused() {
    let text = statement().note().text().replacen("\"count\":2", "\"count\":3", 1);
    let statement: Statement = signed_anyway(&text).parse().unwrap();
    let error = statement.verify(&[office().verifier(KeyKind::Ed25519)], None).unwrap_err();
    assert_eq!(error.to_string(), "the statement's digest is not that of its result");
}

#[test]
fn what_is_no_statement_is_refused_even_signed() {
    let good = statement().note().text().to_owned();
    assert!(Statement::parse(signed_anyway(&good).as_bytes()).is_ok());
    let digest = good.lines().nth(4).unwrap().to_owned();
    for (from, to) in [
        ("sovang statement v1", "sovang statement v2"),
        ("tally registered\n", "tally \n"),
        ("tally registered\n", "tally a b\n"),
        ("tally registered\n", "tally recognised\n"),
        ("revision 1", "revision 01"),
        ("revision 1", "revision -1"),
        ("revision 1\n", ""),
        ("{\"as_of\":4,\"by\"", "{\"as_of\": 4,\"by\""),
        ("{\"as_of\":4,\"by\"", "{\"as_of\":4.0,\"by\""),
        ("{\"as_of\":4,\"by\"", "{\"as_of\":6,\"by\""),
        ("{\"as_of\":4,\"by\"", "{\"as_of\":3,\"by\""),
        ("{\"as_of\":4,\"by\"", "{\"as_of\":\"4\",\"by\""),
        ("{\"as_of\":4,\"by\"", "{\"as_of\":-4,\"by\""),
        ("{\"as_of\":4,\"by\"", "{\"by\""),
        ("[\"year\"]", "[2024]"),
        ("[\"year\"]", "\"year\""),
        ("\"from\":null", "\"from\":\"2024-1-01\""),
        ("\"from\":null", "\"from\":\"2024-13-01\""),
        ("\"from\":null", "\"from\":\"2024-01-00\""),
        ("\"from\":null", "\"from\":0"),
        ("[\"a\",\"b\"]", "[\"b\",\"a\"]"),
        ("[\"a\",\"b\"]", "[\"a\",\"a\"]"),
        ("[\"a\",\"b\"]", "\"a\""),
        ("[\"a\",\"b\"]", "[true]"),
        ("[\"a\",\"b\"]", "[1,null]"),
        ("[\"a\",\"b\"]", "[\"a\",1]"),
        ("[\"a\",\"b\"]", "[10,9]"),
        ("[\"a\",\"b\"]", "[null,null]"),
        ("{\"unit\":[\"a\",\"b\"]}", "null"),
        ("{\"unit\"", "{\"more\":1,\"unit\""),
        ("}}\n", "},\"x\":1}\n"),
        ("{\"as_of\":4,\"root\"", "{\"as_of\":5,\"root\""),
        ("{\"as_of\":4,\"root\"", "{\"root\""),
        ("\"size\":4", "\"size\":5"),
        (",\"size\":4", ""),
        ("\"root\":\"AAAA", "\"root\":\""),
        ("\"root\":\"AAAA", "\"root\":\"AAA "),
        ("[{\"count\":2,\"year\":2024}]", "[1]"),
        ("[{\"count\":2,\"year\":2024}]", "{}"),
        ("\"tally\":\"registered\"}", "\"tally\":\"registered\",\"z\":1}"),
        ("\"to\":\"2024-12-31\"", "\"to\":\"2023-02-29\""),
        ("\"to\":\"2024-12-31\"", "\"to\":\"2024-12-3+\""),
        ("\"to\":\"2024-12-31\"", "\"to\":\"2024/12-31\""),
        ("[\"a\",\"b\"]", "[]"),
        ("\"year\":2024", "\"year\":2024.0"),
        ("\"count\":2,\"year\":2024", "\"year\":2024,\"count\":2"),
        (",\"tally\":\"registered\"", ""),
        (digest.as_str(), "digest "),
        (digest.as_str(), &digest.to_uppercase().replace("DIGEST", "digest")),
        (digest.as_str(), &digest[..digest.len() - 2]),
        ("\n\nexample.org", "\nexample.org"),
        ("\n\nexample.org", "\n\n\nexample.org"),
        ("\n\nexample.org", "\nmore x\n\nexample.org"),
        ("\n5\n", "\n05\n"),
        ("\n5\n", "\n3\n"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        let error = Statement::parse(signed_anyway(&bad).as_bytes()).unwrap_err();
        assert!(error.is_malformed(), "{to:?}: {error}");
    }
    let error = Statement::parse(signed_anyway(&good.replacen("\n5\n", "\n05\n", 1)).as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "not a checkpoint: line 9: the size is not a canonical decimal below 2^63");
}

#[test]
fn filters_ascend_from_null_over_integers_to_texts() {
    for values in ["[null]", "[null,-10,-9,0,9,10,\"\",\"10\",\"9\",\"\u{e9}\"]"] {
        let parameters = PARAMETERS.replace("[\"a\",\"b\"]", values);
        assert!(Statement::sign(&office(), Figure { parameters, ..figure() }, &Log::of(5).checkpoint(5)).is_ok(), "{values}");
    }
}

#[test]
fn a_figure_that_is_not_canonical_is_not_signed() {
    let sign = |figure: Figure| Statement::sign(&office(), figure, &Log::of(5).checkpoint(5));
    assert!(sign(figure()).is_ok());
    for bad in [
        Figure { tally: "recognised".into(), ..figure() },
        Figure { tally: "registered\nrevision 7".into(), ..figure() },
        Figure { revision: 1 << 63, ..figure() },
        Figure { parameters: PARAMETERS.replace(":4", ":6"), result: RESULT.replace(":4,", ":6,"), ..figure() },
        Figure { result: format!("{RESULT} "), ..figure() },
        Figure { result: RESULT.replace('{', "{\n"), ..figure() },
        // All of the checkpoint's records, but another root.
        Figure { parameters: PARAMETERS.replace(":4,", ":5,"), result: RESULT.replace(":4,", ":5,"), ..figure() },
    ] {
        assert!(sign(bad.clone()).is_err(), "{bad:?}");
    }
}
