//! Signed notes: the format, and which keys have signed.

use crate::kit::{self, Log};
use sovang_core::evidence::{EvidenceError, KeyKind, Note, SignatureLine};

fn note(text: &str, seeds: &[u8]) -> Note {
    let lines = seeds.iter().map(|seed| kit::secret(&format!("k{seed}.example"), *seed).sign_text(text)).collect();
    Note::new(text, lines).unwrap()
}
fn key(seed: u8) -> sovang_core::evidence::VerifierKey {
    kit::secret(&format!("k{seed}.example"), seed).verifier(KeyKind::Ed25519)
}

#[test]
fn a_text_may_hold_empty_lines_and_dashes() {
    for text in ["a\n", "\n", "a\n\nb\n", "a\n\n", "\u{2014} x AAAAAAA=\n", "a\n\n\u{2014} x AAAAAAA=\n\nb\n", "quốc ca\n"] {
        let note = note(text, &[1, 2]);
        let read = Note::parse(note.to_string().as_bytes()).unwrap();
        assert_eq!(read, note);
        assert_eq!(read.text(), text);
        assert_eq!(read.verify(&[key(1), key(2)]).unwrap().keys.len(), 2);
    }
}

#[test]
fn what_is_no_note_is_refused() {
    let good = note("a\n", &[1]).to_string();
    let line = good.lines().last().unwrap().to_owned();
    let name = "k1.example";
    for bad in [
        String::new(),
        "a\n".into(),
        "a\n\n".into(),
        format!("{good}\n"),
        format!("{good}x"),
        format!("\n{line}\n"),
        format!("{line}\n"),
        good.trim_end().to_owned(),
        good.replace('\n', "\r\n"),
        good.replace("a\n", "a\t\n"),
        good.replace("a\n", "\0\n"),
        good.replace('\u{2014}', "-"),
        good.replace('\u{2014}', "\u{2013}"),
        good.replace("\u{2014} ", "\u{2014}  "),
        good.replace(name, ""),
        good.replace(name, "k1+example"),
        good.replace(name, "k1 example"),
        good.replace(name, "k1\u{a0}example"),
        good.replace(&format!("{name} "), &format!("{name}  ")),
        good.replace(&line, &format!("{line} ")),
        good.replace(&line, &format!("{line} x")),
        "a\n\n\u{2014} x AAAAAA==\n".into(),
        "a\n\n\u{2014} x\n".into(),
        format!("a\n\n{line}\nnot a line\n"),
    ] {
        let error = Note::parse(bad.as_bytes()).unwrap_err();
        assert!(error.is_malformed(), "{bad:?}: {error}");
    }
    let mut not_utf8 = good.into_bytes();
    not_utf8[0] = 0xff;
    assert!(Note::parse(&not_utf8).is_err());
}

#[test]
fn an_error_names_the_line() {
    let error = Note::parse("a\nb\n\n\u{2014} x AAAAAAA=\n\u{2014} x *\n".as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "not a signed note: line 5: the signature is not canonical base64");
}

#[test]
fn each_line_of_a_known_key_must_hold_and_a_key_counts_once() {
    let twice = note("a\n", &[1, 2, 1]);
    // Ed25519 gives the same line twice; `new` takes it, as a file may hold it.
    let verified = twice.verify(&[key(1)]).unwrap();
    assert_eq!((verified.keys, verified.ignored), (vec![(key(1), None)], 1));

    // The second line of the known key is of another text: signed_note 0.2, for one, does not look at it.
    let mut lines = note("a\n", &[1]).signatures().to_vec();
    lines.extend(note("b\n", &[1]).signatures().to_vec());
    let bad = Note::new("a\n", lines).unwrap();
    assert_eq!(bad.verify(&[key(1)]), Err(EvidenceError::Signature { name: "k1.example".into(), id: key(1).id() }));
    assert!(!bad.verify(&[key(1)]).unwrap_err().is_malformed());
}

#[test]
fn lines_of_unknown_keys_are_ignored_and_counted() {
    let signed = note("a\n", &[1]);
    let mut renamed = signed.signatures()[0].clone();
    renamed.name = "k2.example".into();
    let mut other_id = signed.signatures()[0].clone();
    other_id.id ^= 1;
    let mut note = signed.clone();
    note.add(renamed).unwrap();
    note.add(other_id).unwrap();
    let verified = note.verify(&[key(1)]).unwrap();
    assert_eq!((verified.keys, verified.ignored), (vec![(key(1), None)], 2));
    assert_eq!(note.verify(&[key(3)]), Err(EvidenceError::NoKnownKey { what: "the note" }));
    assert_eq!(note.verify(&[]), Err(EvidenceError::NoKnownKey { what: "the note" }));
}

#[test]
fn a_known_key_with_a_signature_of_another_length_is_refused() {
    for (kind, length) in [(KeyKind::Ed25519, 63), (KeyKind::Ed25519, 65), (KeyKind::Cosignature, 64), (KeyKind::Cosignature, 73)]
    {
        let mut note = note("a\n", &[1]);
        let known = kit::secret("w.example", 9).verifier(kind);
        note.add(SignatureLine { name: "w.example".into(), id: known.id(), signature: vec![1; length] }).unwrap();
        assert!(matches!(note.verify(&[key(1), known]), Err(EvidenceError::Signature { .. })), "{kind:?} {length}");
    }
}

#[test]
fn a_cosignature_counts_with_its_earliest_time() {
    let mut checkpoint = Log::of(3).checkpoint(3);
    for time in [30, 10, 20] {
        checkpoint.add(kit::witness(1).cosign(&checkpoint, time)).unwrap();
    }
    let verified = checkpoint.note().verify(&[kit::witness_vkey(1)]).unwrap();
    assert_eq!(verified.keys, [(kit::witness_vkey(1), Some(10))]);
    for time in [0, 1 << 63, u64::MAX] {
        let mut checkpoint = Log::of(3).checkpoint(3);
        checkpoint.add(kit::witness(1).cosign(&checkpoint, time)).unwrap();
        assert!(matches!(checkpoint.note().verify(&[kit::witness_vkey(1)]), Err(EvidenceError::Time { .. })), "{time}");
    }
}

#[test]
fn lines_and_bytes_are_bounded() {
    let unknown = |n: u32| SignatureLine { name: "x".into(), id: n, signature: vec![7; 64] };
    let lines = |n: u32| (0..n).map(unknown).collect::<Vec<_>>();
    let full = Note::new("a\n", lines(64)).unwrap();
    assert_eq!(Note::parse(full.to_string().as_bytes()).unwrap(), full);
    assert!(matches!(Note::new("a\n", lines(65)), Err(EvidenceError::TooLarge { limit: "NOTE_SIGNATURES_MAX", .. })));
    let over = format!("{full}{}\n", unknown(64));
    assert!(matches!(Note::parse(over.as_bytes()), Err(EvidenceError::TooLarge { limit: "NOTE_SIGNATURES_MAX", .. })));
    let mut unchanged = full.clone();
    assert!(unchanged.add(unknown(64)).is_err());
    assert_eq!(unchanged, full);

    let line = unknown(0);
    let rest = format!("\n{line}\n").len();
    let largest = "x".repeat((512 << 10) - rest - 1) + "\n";
    assert!(Note::new(&largest, vec![line.clone()]).is_ok());
    assert!(matches!(
        Note::new(&format!("x{largest}"), vec![line]),
        Err(EvidenceError::TooLarge { limit: "NOTE_BYTES_MAX", .. })
    ));
}

#[test]
fn a_line_made_by_hand_is_checked() {
    let good = SignatureLine { name: "x".into(), id: 1, signature: vec![7; 64] };
    for bad in [
        SignatureLine { name: String::new(), ..good.clone() },
        SignatureLine { name: "a b".into(), ..good.clone() },
        SignatureLine { name: "a\n\u{2014} b".into(), ..good.clone() },
        SignatureLine { signature: Vec::new(), ..good.clone() },
    ] {
        assert!(Note::new("a\n", vec![bad.clone()]).is_err(), "{bad:?}");
        assert!(Note::new("a\n", vec![good.clone()]).unwrap().add(bad.clone()).is_err(), "{bad:?}");
    }
    assert!(Note::new("a", vec![good.clone()]).is_err());
    assert!(Note::new("a\n", Vec::new()).is_err());
}

#[test]
fn a_witness_answers_with_lines() {
    let checkpoint = Log::of(3).cosigned(3, 2);
    let lines = &checkpoint.note().signatures()[1..];
    let answer: String = lines.iter().map(|line| format!("{line}\n")).collect();
    assert_eq!(SignatureLine::parse_all(answer.as_bytes()).unwrap(), lines);
    for bad in ["", "\n", answer.trim_end(), &format!("{answer}\n"), &format!("\n{answer}"), &format!("{answer}x\n")] {
        assert!(SignatureLine::parse_all(bad.as_bytes()).is_err(), "{bad:?}");
    }
}
