//! The examples of the contract, one of each event.

use crate::records::{Kept, import};
use sovang_core::Event;
use sovang_recognition::interchange::{Json, Mode, Show, event};
use sovang_recognition::{Recipient, Recognition};

const EXAMPLES: &str = include_str!("examples.jsonl");

#[test]
fn every_example_is_read_kept_and_written_as_it_was() {
    let mut types = Vec::new();
    for text in EXAMPLES.lines() {
        let read = import(text, Mode::Append);
        types.push(read.entry.event().type_name());
        let kept = Kept::of(&read, false);
        assert_eq!(kept.read().event, *read.entry.event(), "{text}");
        assert_eq!(kept.frame.kind(), read.entry.event().kind().number());

        let Json::Object(written) = kept.export(true) else { panic!("an object") };
        let (own, envelope): (Vec<_>, Vec<_>) =
            written.into_iter().partition(|(key, _)| !["id", "recorded_at", "private"].contains(&key.as_str()));
        assert!(envelope.len() >= 2, "{text}");
        let example = Json::parse(text.as_bytes()).expect("JSON");
        assert_eq!(own[..3].iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["type", "occurred_on", "actor"]);
        assert_eq!(Json::Object(own).canonical(), example.canonical());
    }
    types.dedup();
    assert_eq!(types, Recognition::KINDS.iter().map(|kind| kind.name()).collect::<Vec<_>>());
}

#[test]
fn keys_stand_in_the_order_of_the_examples() {
    for text in EXAMPLES.lines() {
        let kept = Kept::of(&import(text, Mode::Append), false);
        let written = kept.export(true).to_string();
        let common = text.len() - 1;
        assert_eq!(written.get(..common), Some(&text[..common]));
        assert!(written[common..].starts_with(r#","id":""#), "{written}");
    }
}

#[test]
fn log_shows_the_events_own_keys() {
    let kept = Kept::of(&import(EXAMPLES.lines().nth(3).expect("a line"), Mode::Append), false);
    let shown = event(&kept.read(), Show::Values).expect("JSON").to_string();
    assert_eq!(
        shown,
        r#"{"type":"model_registered","model":"BTL-2024-0002","title":"Vườn rau sạch","subject_kind":"individual","subject":{"id":"P-17","name":"Nguyễn Văn A"},"unit":"phu-dien","field":"economy","year":2024}"#
    );
    let (_, commitment) = kept.read().commitments()[0];
    let hidden = event(&kept.read(), Show::Commitments).expect("JSON").to_string();
    assert!(hidden.contains(&format!(r#""subject":{{"commitment":"{commitment}"}},"unit""#)), "{hidden}");
}

#[test]
fn nothing_of_a_person_is_in_the_record() {
    for text in EXAMPLES.lines().filter(|text| text.contains("P-17")) {
        let kept = Kept::of(&import(text, Mode::Append), false);
        for secret in ["P-17", "Nguyễn Văn A"] {
            let bytes = kept.frame.bytes();
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{text}");
        }
        let anonymous = import(&text.replace("P-17", "P-18").replace("Nguyễn Văn A", "Trần Thị B"), Mode::Append);
        let other = Kept::of(&anonymous, false);
        assert_eq!(other.frame.tags(), kept.frame.tags());
        assert_eq!(other.frame.payload(), kept.frame.payload());
        assert_eq!(other.frame.id(), kept.frame.id(), "a derived id says nothing of a person");
    }
}

#[test]
fn a_recipient_may_be_named_or_not() {
    let line = r#"{"type":"commendation_proposed","occurred_on":"2024-09-01","actor":"clerk","commendation":"C","recipient":{"kind":"household"},"form":"order","level":"central"}"#;
    let read = import(line, Mode::Append);
    let Recognition::CommendationProposed(proposed) = read.entry.event() else { panic!("a proposal") };
    assert_eq!(proposed.recipient, Recipient::household(sovang_core::Personal::None));
    assert_eq!(Kept::of(&read, false).frame.commitments(), []);
}
