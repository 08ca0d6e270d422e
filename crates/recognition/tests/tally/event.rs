//! From a document to its event. Not through the interchange: the tallies are held to documents as they are meant.

use crate::ledger::id;
use serde_json::Value as Json;
use sovang_core::{Date, Personal, date};
use sovang_recognition::{
    CommendationAwarded, CommendationProposed, Contribution, Decision, DecisionAnnulled, Ground, ModelContinued, ModelFunded,
    ModelRecognised, ModelRegistered, ModelWithdrawn, PlaqueMounted, PlaqueRemoved, Recipient, Recognition, RecordCorrected,
    RecordRetracted, SubjectKind,
};
use std::str::FromStr;

fn text(doc: &Json, key: &str) -> String {
    doc[key].as_str().expect("a text").to_owned()
}
fn maybe(doc: &Json, key: &str) -> Option<String> {
    doc[key].as_str().map(str::to_owned)
}
fn code<C: FromStr>(doc: &Json, key: &str) -> C {
    doc[key].as_str().and_then(|code| code.parse().ok()).expect("a code")
}
fn year(doc: &Json) -> u16 {
    doc["year"].as_u64().and_then(|year| year.try_into().ok()).expect("a year")
}
fn number(doc: &Json, key: &str) -> i64 {
    doc[key].as_i64().expect("a number")
}
pub(crate) fn day(text: &str) -> Date {
    let part = |range: std::ops::Range<usize>| text[range].parse::<u16>().expect("a number");
    let small = |part: u16| u8::try_from(part).expect("small");
    date(part(0..4).into(), small(part(5..7)), small(part(8..10)))
}
fn decision(doc: &Json) -> Decision {
    Decision { issuer: text(doc, "issuer"), number: text(doc, "number"), date: day(&text(doc, "date")) }
}
fn recipient(doc: &Json) -> Recipient {
    let recipient = match code(doc, "kind") {
        SubjectKind::Collective => Recipient::collective(text(doc, "name")),
        SubjectKind::Individual => Recipient::individual(Personal::None),
        SubjectKind::Household => Recipient::household(Personal::None),
    };
    match maybe(doc, "unit") {
        Some(unit) => recipient.of_unit(unit),
        None => recipient,
    }
}
fn contribution(doc: &Json) -> Contribution {
    match doc["kind"].as_str() {
        Some("cash") => Contribution::Cash { vnd: number(doc, "vnd") },
        Some("labour") => Contribution::Labour { days: number(doc, "days") },
        Some("land") => Contribution::Land {
            square_decimetres: text(doc, "square_metres").replace('.', "").parse().expect("two decimals"),
            land: code(doc, "land"),
        },
        _ => Contribution::InKind { vnd: number(doc, "vnd"), description: maybe(doc, "description") },
    }
}

/// The event of a document and the day on which it occurred.
pub(crate) fn event(doc: &Json) -> (Recognition, Date) {
    let target = || id(doc["target"].as_u64().and_then(|at| usize::try_from(at).ok()).expect("a target"));
    let event = match doc["type"].as_str().expect("a type") {
        "model_registered" => Recognition::ModelRegistered(ModelRegistered {
            model: text(doc, "model"),
            title: text(doc, "title"),
            subject_kind: code(doc, "subject_kind"),
            unit: text(doc, "unit"),
            field: code(doc, "field"),
            year: year(doc),
            subject: Personal::None,
            target: None,
            address: None,
        }),
        "model_continued" => Recognition::ModelContinued(ModelContinued { model: text(doc, "model"), year: year(doc) }),
        "model_withdrawn" => {
            Recognition::ModelWithdrawn(ModelWithdrawn { model: text(doc, "model"), reason: text(doc, "reason") })
        }
        "model_recognised" => Recognition::ModelRecognised(ModelRecognised {
            model: text(doc, "model"),
            level: code(doc, "level"),
            decision: decision(&doc["decision"]),
            tier: maybe(doc, "tier"),
            period: None,
        }),
        "model_funded" => Recognition::ModelFunded(ModelFunded {
            model: text(doc, "model"),
            contribution: contribution(&doc["contribution"]),
            source: code(doc, "source"),
            qualifier: Some(code(doc, "qualifier")),
            donor: Personal::None,
        }),
        "plaque_mounted" => Recognition::PlaqueMounted(PlaqueMounted {
            plaque: text(doc, "plaque"),
            model: text(doc, "model"),
            level: code(doc, "level"),
            place: text(doc, "place"),
            decision: doc.get("decision").map(decision),
            occasion: maybe(doc, "occasion"),
            inscription: None,
        }),
        "plaque_removed" => {
            Recognition::PlaqueRemoved(PlaqueRemoved { plaque: text(doc, "plaque"), reason: code(doc, "reason") })
        }
        "commendation_proposed" => Recognition::CommendationProposed(CommendationProposed {
            commendation: text(doc, "commendation"),
            recipient: recipient(&doc["recipient"]),
            form: code(doc, "form"),
            level: code(doc, "level"),
            achievement: None,
        }),
        "commendation_awarded" => Recognition::CommendationAwarded(CommendationAwarded {
            commendation: text(doc, "commendation"),
            recipient: recipient(&doc["recipient"]),
            form: code(doc, "form"),
            level: code(doc, "level"),
            decision: decision(&doc["decision"]),
            bonus_vnd: doc["bonus_vnd"].as_i64(),
            achievement: None,
        }),
        "decision_annulled" => Recognition::DecisionAnnulled(DecisionAnnulled {
            decision: decision(&doc["decision"]),
            ground: Ground::FalsePapers,
            by: decision(&doc["by"]),
            artefact: None,
            bonus_recovered_vnd: None,
        }),
        "record_corrected" => {
            let (replacement, replacement_on) = event(&doc["replacement"]);
            Recognition::RecordCorrected(RecordCorrected {
                target: target(),
                replacement: Box::new(replacement),
                replacement_on,
                reason: text(doc, "reason"),
                authority: None,
            })
        }
        "record_retracted" => {
            Recognition::RecordRetracted(RecordRetracted { target: target(), reason: text(doc, "reason"), authority: None })
        }
        other => unreachable!("{other}"),
    };
    (event, day(doc["occurred_on"].as_str().expect("a day")))
}
