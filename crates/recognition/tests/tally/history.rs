//! Histories as documents in the shape of the interchange. An amendment's `target` is the number of an earlier document.

use serde_json::{Value as Json, json};

/// What a random history is made of: enough numbers to choose everything a document says.
pub(crate) type Seed = (u8, u8, u8, u8, u8, u32);

fn pick<'a>(from: &[&'a str], at: u8) -> &'a str {
    from[usize::from(at) % from.len()]
}

fn decision(at: u8) -> Json {
    let (issuer, number) = (pick(&["district", "Qu\u{1EAD}n", "Qua\u{323}\u{302}n"], at / 3), pick(&["1", "2"], at));
    json!({"issuer": issuer, "number": number, "date": "2023-05-01"})
}

fn recipient(a: u8, b: u8) -> Json {
    let kind = pick(&["collective", "individual", "household"], a);
    match b % 3 {
        0 => json!({"kind": kind, "name": "N"}),
        1 => json!({"kind": kind, "name": "N", "unit": "phu-dien"}),
        _ => json!({"kind": kind, "name": "N", "unit": "co-nhue"}),
    }
}

/// A plain document. Both spellings of the model `Cổ` are one model.
fn plain(kind: u8, a: u8, b: u8, c: u8, d: u8, amount: u32) -> Json {
    let day = format!("{}-0{}-15", 2021 + u32::from(d % 4), 1 + d % 9);
    let model = pick(&["M-1", "M-2", "C\u{1ED5}", "Co\u{302}\u{309}", "M-4"], a);
    let level = pick(&["district", "city", "central"], b);
    let mut doc = match kind % 11 {
        0 | 9 => {
            json!({"type": "model_registered", "model": model, "title": "T", "unit": pick(&["phu-dien", "co-nhue", "Ph\u{FA}", "Phu\u{301}"], b),
            "subject_kind": pick(&["collective", "individual", "household"], b / 4), "field": pick(&["economy", "culture_society", "green_living"], c), "year": 2020 + i64::from(c % 4)})
        }
        1 => json!({"type": "model_continued", "model": model, "year": 2021 + i64::from(b % 3)}),
        2 => {
            json!({"type": "model_recognised", "model": model, "level": level, "decision": decision(c)})
        }
        3 => {
            let contribution = match b % 4 {
                0 => json!({"kind": "cash", "vnd": amount}),
                1 => json!({"kind": "labour", "days": amount}),
                2 => {
                    json!({"kind": "land", "square_metres": format!("{}.{:02}", amount / 100, amount % 100), "land": pick(&["residential", "farm"], c)})
                }
                _ => json!({"kind": "in_kind", "vnd": amount, "description": "xi măng"}),
            };
            json!({"type": "model_funded", "model": model, "contribution": contribution, "source": pick(&["socialised", "budget", "sponsor", "own"], c / 2),
                "qualifier": pick(&["exact", "exact", "more_than", "less_than", "about"], b / 4)})
        }
        4 => {
            json!({"type": "plaque_mounted", "plaque": pick(&["P-1", "P-2", "P-3"], c), "model": model, "level": level, "place": "here"})
        }
        5 => {
            json!({"type": "plaque_removed", "plaque": pick(&["P-1", "P-2", "P-3"], c), "reason": pick(&["removed", "relocated", "missing"], b)})
        }
        6 => {
            json!({"type": "commendation_proposed", "commendation": pick(&["A", "B", "C"], c), "recipient": recipient(a, b),
            "form": pick(&["certificate_of_merit", "diploma_of_merit"], c / 3), "level": level})
        }
        7 => {
            json!({"type": "commendation_awarded", "commendation": pick(&["A", "B", "C"], c), "recipient": recipient(a, b),
            "form": pick(&["certificate_of_merit", "diploma_of_merit"], c / 3), "level": level, "decision": decision(a), "bonus_vnd": amount})
        }
        8 => json!({"type": "model_withdrawn", "model": model, "reason": "moved"}),
        _ => {
            json!({"type": "decision_annulled", "decision": decision(c), "ground": "false_papers", "by": {"issuer": "district", "number": "9", "date": "2024-01-01"}})
        }
    };
    doc["occurred_on"] = day.into();
    match kind % 11 {
        2 if a.is_multiple_of(2) => doc["tier"] = pick(&["exemplar", "outstanding"], b / 3).into(),
        4 if a.is_multiple_of(2) => doc["occasion"] = "70 năm".into(),
        7 if a.is_multiple_of(3) => {
            doc.as_object_mut().expect("an object").remove("bonus_vnd");
        }
        _ => {}
    }
    doc
}

/// What a standing document defines, so that the rules would refuse another.
fn identity(doc: &Json) -> Option<String> {
    use unicode_normalization::UnicodeNormalization;
    let (kind, key) = match doc["type"].as_str()? {
        kind @ "model_registered" => (kind, "model"),
        kind @ ("plaque_mounted" | "plaque_removed") => (kind, "plaque"),
        kind @ ("commendation_proposed" | "commendation_awarded") => (kind, "commendation"),
        _ => return None,
    };
    Some(format!("{kind} {}", doc[key].as_str()?.nfc()))
}

/// A history that the rules might allow, by and large: an id is defined once at a time; records of models that are not registered (yet)
/// occur, as an override would let them.
pub(crate) fn of(seeds: &[Seed]) -> Vec<Json> {
    let mut history: Vec<Json> = Vec::new();
    for &(kind, a, b, c, d, amount) in seeds {
        let mut doc = plain(kind, a, b, c, d, amount);
        let amending = kind >= 160 && !history.is_empty();
        let target = usize::from(a) % history.len().max(1);
        if amending && history[target].get("target").is_none() {
            let original = &history[target];
            if kind < 220 {
                let same = (0..=u8::MAX).map(|k| plain(k, b, c, d, a, amount)).find(|p| p["type"] == original["type"]);
                let mut replacement = same.expect("every type can be made");
                if let Some(key) = identity(original)
                    .and_then(|_| ["plaque", "commendation", "model"].into_iter().find(|k| original.get(*k).is_some()))
                {
                    replacement[key] = original[key].clone();
                }
                doc = json!({"type": "record_corrected", "occurred_on": doc["occurred_on"], "target": target, "replacement": replacement, "reason": "r"});
            } else {
                doc = json!({"type": "record_retracted", "occurred_on": doc["occurred_on"], "target": target, "reason": "r"});
            }
        } else if let Some(defines) = identity(&doc)
            && super::oracle::standing(&history).iter().any(|there| identity(there).as_ref() == Some(&defines))
        {
            continue;
        }
        history.push(doc);
    }
    history
}
