//! Corrections and retractions.

use crate::desk::*;
use sovang_core::{Event, RecordId, date};
use sovang_recognition::rules::Refusal;
use sovang_recognition::*;

const DAY: sovang_core::Date = date(2024, 10, 1);
const BEFORE: sovang_core::Date = date(2024, 9, 30);

fn corrected(target: RecordId, by: impl Into<Recognition>) -> sovang_core::Entry<Recognition> {
    record_corrected(target, by, DAY, "typing").on(date(2025, 1, 1))
}
fn retracted(target: RecordId) -> sovang_core::Entry<Recognition> {
    record_retracted(target, "entered twice").on(date(2025, 1, 1))
}

#[test]
fn rule_9_amends_original_records_only() {
    let mut desk = Desk::open();
    let missing = RecordId::from_bytes([9; 16]);
    assert_eq!(desk.refuse(9, retracted(missing)), Refusal::TargetMissing { target: missing });
    assert_eq!(desk.refuse(9, corrected(missing, gift("m"))), Refusal::TargetMissing { target: missing });
    let original = desk.record(gift("m").on(DAY));
    let correction = desk.record(corrected(original, gift("m")));
    let refusal = desk.refuse(9, retracted(correction));
    assert_eq!(refusal, Refusal::TargetIsAmendment { target: correction });
    desk.refuse(9, corrected(correction, gift("m")));
    let retraction = desk.record(retracted(original));
    let refusal = desk.refuse(9, retracted(retraction));
    assert_eq!(refusal, Refusal::TargetIsAmendment { target: retraction });
    // An override is of no help.
    desk.refuse(9, retracted(retraction).overriding([1, 4, 5], "of no help"));
    // A correction is no event to correct to.
    let nested = record_corrected(original, record_retracted(original, "x"), DAY, "x");
    desk.refuse(9, nested.on(DAY));
}

#[test]
fn rule_9_lets_the_last_correction_stand_until_a_retraction_that_is_final() {
    let mut desk = Desk::open();
    let original = desk.record(recognised("m", ruling(1)).on(DAY));
    desk.record(corrected(original, recognised("m", ruling(1)).period("2021")));
    desk.record(corrected(original, recognised("m", ruling(1)).period("2022")));
    // 2024 and 2021 are free again, 2022 is taken.
    let second = desk.record(recognised("m", ruling(1)).on(DAY));
    desk.record(recognised("m", ruling(1)).period("2021").on(DAY));
    desk.refuse(4, recognised("m", ruling(1)).period("2022").on(DAY));
    desk.record(retracted(original));
    desk.record(recognised("m", ruling(1)).period("2022").on(DAY));
    for entry in [retracted(original), corrected(original, recognised("m", ruling(1)).period("2030"))] {
        assert_eq!(desk.refuse(9, entry), Refusal::TargetRetracted { target: original });
    }
    desk.record(retracted(second));
}

#[test]
fn rule_9_keeps_the_type_and_the_ids() {
    let mut desk = Desk::open();
    desk.record(model("n", "w").on(DAY));
    desk.record(ward("v").on(DAY));
    desk.record(recognised("m", ruling(1)).on(DAY));
    desk.record(recognised("n", ruling(1)).on(DAY));
    let proposal = |id: &str| commendation_proposed(id, Recipient::collective("Tổ 5"), Form::Order, Level::City);
    let succession = |from: &str, to: &str| unit_succeeded(from, to, DAY, "1656/NQ", Extent::Part);
    let cases: Vec<(Recognition, Recognition, &str)> = vec![
        (ward("u").into(), ward("t").into(), "unit"),
        (succession("w", "v").into(), succession("v", "v").into(), "from"),
        (succession("w", "v").into(), succession("w", "w").into(), "to"),
        (model("o", "w").into(), model("x", "w").into(), "model"),
        (model_continued("m", 2025).into(), model_continued("n", 2025).into(), "model"),
        (model_replicated("m", "n").into(), model_replicated("n", "n").into(), "model"),
        (model_replicated("m", "n").into(), model_replicated("m", "m").into(), "replica"),
        (recognised("m", ruling(1)).period("1").into(), recognised("n", ruling(1)).period("1").into(), "model"),
        (gift("m").into(), gift("n").into(), "model"),
        (plaque("p", "m").into(), plaque("q", "m").into(), "plaque"),
        (plaque("r", "m").into(), plaque("r", "n").into(), "model"),
        (removal("p").into(), removal("r").into(), "plaque"),
        (proposal("c").into(), proposal("d").into(), "commendation"),
        (award("c", ruling(1)).into(), award("d", ruling(1)).into(), "commendation"),
        (model_withdrawn("m", "x").into(), model_withdrawn("n", "x").into(), "model"),
    ];
    for (original, replacement, expected) in cases {
        let target = desk.record(original.clone().on(DAY));
        match desk.refuse(9, corrected(target, replacement)) {
            Refusal::IdChanged { key, .. } => assert_eq!(key, expected),
            other => panic!("{other}"),
        }
        let other_type =
            if original.kind() == Recognition::UNIT_DEFINED { gift("m").into() } else { Recognition::from(ward("u")) };
        assert!(matches!(desk.refuse(9, corrected(target, other_type)), Refusal::TypeChanged { .. }));
        // With the ids it has, in another form of the same text too, it is taken.
        desk.record(corrected(target, original));
    }
    let written = desk.record(model("Cổ".to_owned().as_str(), "w").on(DAY));
    desk.record(corrected(written, model("Co\u{302}\u{309}", "w")));
}

#[test]
fn rule_9_corrects_facts_that_are_not_the_records_own_id() {
    let mut desk = Desk::open();
    desk.record(ward("v").on(DAY));
    let registration = desk.record(model("n", "w").on(DAY));
    desk.record(gift("n").on(DAY));
    // A model entered under the wrong unit, though something rests on it.
    desk.record(corrected(registration, model("n", "v")));
    desk.refuse(1, corrected(registration, model("n", "nowhere")));
    // It now rests on the other unit: what it left may go (m is retracted first), what it went to may not.
    let x = desk.record(ward("x").on(DAY));
    desk.record(corrected(registration, model("n", "x")));
    assert!(matches!(desk.refuse(9, retracted(x)), Refusal::RestedOn { .. }));
    desk.record(corrected(registration, model("n", "v")));
    desk.record(retracted(x));
    // A wrong decision in an annulment.
    let annulment = desk.record(annulled(ruling(1), ruling(5)).on(DAY));
    desk.record(corrected(annulment, annulled(ruling(2), ruling(5))));
    desk.record(award("c", ruling(1)).on(DAY));
    desk.refuse(1, award("d", ruling(2)).on(DAY));
}

#[test]
fn rule_9_judges_a_correction_as_if_its_target_were_absent() {
    let mut desk = Desk::open();
    let unit = desk.record(ward("v").on(DAY));
    desk.record(corrected(unit, ward("v").parent("w")));
    let registration = desk.record(model("n", "v").on(DAY));
    desk.record(corrected(registration, model("n", "v")));
    let recognition = desk.record(recognised("n", decision("S", "1", BEFORE)).on(DAY));
    // The place and the date that only the target itself takes are free for it.
    desk.record(corrected(recognition, recognised("n", decision("S", "1", DAY)).period("2024")));
    desk.refuse(3, award("c", decision("S", "1", BEFORE)).on(DAY));
    let award_of = |id: &str, n| award(id, ruling(n)).achievement("Sạch");
    let c = desk.record(award_of("c", 1).on(DAY));
    desk.record(corrected(c, award_of("c", 2)));
    let p = desk.record(plaque("p", "n").on(DAY));
    desk.record(corrected(p, plaque("p", "n").inscription("a")));
    let removed = desk.record(removal("p").on(DAY));
    desk.record(corrected(removed, plaque_removed("p", RemovalReason::Relocated)));
    let withdrawal = desk.record(model_withdrawn("n", "a").on(DAY));
    desk.record(corrected(withdrawal, model_withdrawn("n", "b")));
    let annulment = desk.record(annulled(ruling(7), ruling(8)).on(DAY));
    desk.record(corrected(annulment, annulled(ruling(7), ruling(9))));
    // But what others take is taken.
    let second = desk.record(recognised("m", ruling(1)).on(DAY));
    desk.record(recognised("m", ruling(1)).period("2030").on(DAY));
    desk.refuse(4, corrected(second, recognised("m", ruling(1)).period("2030")));
    desk.record(corrected(second, recognised("m", ruling(1)).period("2030")).overriding([4], "two tiers"));
    desk.refuse(1, corrected(second, recognised("m", ruling(7))));
    desk.refuse(3, corrected(second, recognised("m", decision("UBND", "1/QD", DAY))));
    desk.refuse(6, corrected(second, recognised("m", decision("w", "1", date(2000, 1, 1)))));
    desk.record(award_of("d", 1).on(DAY).overriding([5], "two groups of one name"));
    desk.refuse(5, corrected(c, award_of("c", 1)));
}

#[test]
fn rule_9_judges_a_corrections_day_too() {
    let mut desk = Desk::open();
    let (june, july) = (date(2024, 6, 30), date(2024, 7, 1));
    desk.record(model_withdrawn("m", "moved").on(june));
    let on_time = desk.record(gift("m").on(june));
    let late = record_corrected(on_time, gift("m"), july, "typing");
    desk.refuse(1, late.clone().on(DAY));
    desk.needs_waiver(1, late.on(DAY));
    let p = desk.record(plaque("p", "m").decision(decision("S", "1", june)).on(june));
    desk.refuse(2, record_corrected(p, plaque("p", "m").decision(decision("S", "1", july)), june, "x").on(DAY));
    desk.record(record_corrected(p, plaque("p", "m").decision(decision("S", "1", july)), july, "x").on(DAY));
}

#[test]
fn rule_9_does_not_judge_again_what_rests_on_a_corrected_record() {
    let mut desk = Desk::open();
    let recognition = desk.record(recognised("m", ruling(1)).on(DAY));
    desk.record(plaque("p", "m").on(DAY));
    desk.record(record_corrected(recognition, recognised("m", ruling(1)), date(2024, 12, 1), "typing").on(DAY));
    // Nothing supports the plaque any longer, so nothing rests on the recognition either.
    assert_eq!(desk.flags().len(), 1);
    desk.record(retracted(recognition));
}

#[test]
fn rule_9_keeps_a_registration_while_anything_of_its_model_stands() {
    let dependents: Vec<Recognition> = vec![
        model_continued("n", 2025).into(),
        model_replicated("n", "m").into(),
        model_replicated("m", "n").into(),
        model_withdrawn("n", "moved").into(),
        recognised("n", ruling(1)).into(),
        gift("n").into(),
        plaque("p", "n").decision(ruling(1)).into(),
    ];
    for dependent in dependents {
        let mut desk = Desk::open();
        let registration = desk.record(model("n", "w").on(DAY));
        let rests = desk.record(dependent.clone().on(DAY));
        match desk.refuse(9, retracted(registration)) {
            Refusal::RestedOn { target, dependents: 1, .. } => assert_eq!(target, registration),
            other => panic!("{other}"),
        }
        desk.record(corrected(rests, dependent));
        desk.refuse(9, retracted(registration));
        desk.record(retracted(rests));
        desk.record(retracted(registration));
        desk.record(model("n", "w").on(DAY));
    }
}

#[test]
fn rule_9_keeps_a_unit_while_models_and_successions_stand() {
    let mut desk = Desk::new();
    let (w, v) = (desk.record(ward("w").on(DAY)), desk.record(ward("v").on(DAY)));
    let registration = desk.record(model("m", "w").on(DAY));
    desk.refuse(9, retracted(w));
    desk.record(retracted(registration));
    let succession = desk.record(unit_succeeded("w", "v", DAY, "1656/NQ", Extent::Part).on(DAY));
    desk.refuse(9, retracted(w));
    desk.refuse(9, retracted(v));
    desk.record(retracted(succession));
    // Decisions, recipients, children and figures do not rest on it.
    desk.record(award("c", decision("w", "1", DAY)).on(DAY));
    desk.record(ward("u").parent("w").on(DAY));
    desk.record(figure_published("registered", "w", "2024", 1, Qualifier::Exact, "press").on(DAY));
    desk.record(retracted(w));
    desk.record(retracted(v));
}

#[test]
fn rule_9_lets_the_second_definition_go() {
    let mut desk = Desk::open();
    let again = desk.record(model("m", "w").on(DAY).overriding([1], "two registers"));
    desk.record(gift("m").on(DAY));
    desk.record(retracted(again));
    let unit = desk.record(ward("w").on(DAY).overriding([1], "two registers"));
    desk.record(retracted(unit));
}

#[test]
fn rule_9_keeps_a_mounting_while_its_removal_stands() {
    let mut desk = Desk::open();
    let mounting = desk.record(plaque("p", "m").decision(ruling(1)).on(DAY));
    let removed = desk.record(removal("p").on(DAY));
    desk.refuse(9, retracted(mounting));
    desk.record(retracted(removed));
    desk.record(retracted(mounting));
}

#[test]
fn rule_9_keeps_the_only_recognition_that_supports_a_plaque() {
    let mut desk = Desk::open();
    let first = desk.record(recognised("m", ruling(1)).on(DAY));
    let mounting = desk.record(plaque("p", "m").on(DAY));
    // A later one supports nothing, an earlier one does.
    let later = desk.record(recognised("m", ruling(2)).on(date(2025, 1, 1)));
    desk.refuse(9, retracted(first));
    desk.record(retracted(later));
    let earlier = desk.record(recognised("m", ruling(2)).period("2023").on(BEFORE));
    desk.record(retracted(first));
    desk.refuse(9, retracted(earlier));
    // A plaque that hangs no more was mounted all the same.
    let removed = desk.record(removal("p").on(DAY));
    desk.refuse(9, retracted(earlier));
    // With another that is annulled it is still the only one.
    let other = desk.record(recognised("m", ruling(3)).on(DAY));
    let annulment = desk.record(annulled(ruling(3), ruling(4)).on(DAY));
    desk.refuse(9, retracted(earlier));
    desk.record(retracted(other));
    desk.record(retracted(annulment));
    // Once it is annulled itself, nothing rests on it.
    desk.record(annulled(ruling(2), ruling(4)).on(DAY));
    desk.record(retracted(earlier));
    desk.record(retracted(removed));
    desk.record(retracted(mounting));
}

#[test]
fn rule_9_lets_a_recognition_go_from_a_plaque_with_a_decision_of_its_own() {
    let mut desk = Desk::open();
    let recognition = desk.record(recognised("m", ruling(1)).on(DAY));
    desk.record(plaque("p", "m").decision(ruling(5)).on(DAY));
    // One of the same day supports it too, a later one does not.
    let same_day = desk.record(plaque("q", "m").decision(decision("S", "1", DAY)).on(DAY));
    let later = desk.record(plaque("r", "m").decision(decision("S", "2", date(2024, 10, 2))).on(DAY));
    let refusal = desk.refuse(9, retracted(recognition));
    assert!(matches!(refusal, Refusal::RestedOn { dependents: 1, .. }), "{refusal}");
    desk.record(retracted(later));
    desk.record(retracted(same_day));
    // Annulled, that decision supports it no longer.
    let annulment = desk.record(annulled(ruling(5), ruling(6)).on(DAY));
    desk.refuse(9, retracted(recognition));
    desk.record(retracted(annulment));
    desk.record(retracted(recognition));
}

#[test]
fn rule_9_restores_a_decision_when_its_annulment_is_retracted() {
    let mut desk = Desk::open();
    desk.record(recognised("m", ruling(1)).on(DAY));
    let annulment = desk.record(annulled(ruling(1), ruling(2)).on(DAY));
    desk.refuse(1, award("c", ruling(1)).on(DAY));
    desk.record(retracted(annulment));
    desk.record(award("c", ruling(1)).on(DAY));
    desk.refuse(4, recognised("m", ruling(3)).on(DAY));
    desk.record(plaque("p", "m").on(DAY));
}

#[test]
fn rule_9_lets_go_what_nothing_rests_on() {
    let mut desk = Desk::open();
    desk.record(ward("v").on(DAY));
    desk.record(model("n", "w").on(DAY));
    let proposal = commendation_proposed("c", Recipient::collective("Tổ 5"), Form::Order, Level::City);
    let entries: Vec<Recognition> = vec![
        proposal.into(),
        award("c", ruling(1)).into(),
        unit_succeeded("w", "v", DAY, "1656/NQ", Extent::Whole).into(),
        model_replicated("m", "n").into(),
        gift("m").into(),
        figure_published("registered", "w", "2024", 1, Qualifier::Exact, "press").into(),
    ];
    let ids: Vec<RecordId> = entries.into_iter().map(|event| desk.record(event.on(DAY))).collect();
    for id in ids {
        desk.record(retracted(id));
    }
}
