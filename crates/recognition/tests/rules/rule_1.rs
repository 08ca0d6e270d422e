//! What is defined once, what must exist, and what comes after a withdrawal or an annulment.

use crate::desk::*;
use sovang_core::date;
use sovang_recognition::rules::Refusal;
use sovang_recognition::*;

const DAY: sovang_core::Date = date(2024, 10, 1);

#[test]
fn rule_1_defines_a_unit_once() {
    let mut desk = Desk::new();
    let first = desk.record(ward("w").on(DAY));
    let refusal = desk.refuse(1, ward("w").on(DAY));
    assert_eq!(refusal, Refusal::UnitExists { unit: "w".into(), record: first });
    assert!(refusal.to_string().contains(&first.to_string()) && refusal.to_string().contains("another id"));
    desk.needs_waiver(1, ward("w").on(DAY));
    desk.record(ward("v").on(DAY));
}

#[test]
fn rule_1_registers_a_model_once_and_in_a_defined_unit() {
    let mut desk = Desk::open();
    assert!(matches!(desk.refuse(1, model("m", "w").on(DAY)), Refusal::ModelExists { .. }));
    let refusal = desk.refuse(1, model("n", "nowhere").on(DAY));
    assert_eq!(refusal, Refusal::UnitUnknown { key: "unit", unit: "nowhere".into() });
    desk.needs_waiver(1, model("m", "w").on(DAY));
    desk.needs_waiver(1, model("n", "nowhere").on(DAY));
}

#[test]
fn rule_1_mounts_a_plaque_once_even_after_its_removal() {
    let mut desk = Desk::open();
    desk.record(recognised("m", ruling(1)).on(DAY));
    let first = desk.record(plaque("p", "m").on(DAY));
    let refusal = desk.refuse(1, plaque("p", "m").on(DAY));
    assert_eq!(refusal, Refusal::PlaqueExists { plaque: "p".into(), record: first });
    desk.record(removal("p").on(DAY));
    desk.needs_waiver(1, plaque("p", "m").on(DAY));
}

#[test]
fn rule_1_takes_one_proposal_and_one_award_of_a_commendation() {
    let mut desk = Desk::open();
    let proposal = commendation_proposed("c", Recipient::collective("Tổ 5"), Form::Order, Level::City);
    desk.record(proposal.clone().on(DAY));
    desk.record(award("c", ruling(1)).on(DAY));
    assert!(matches!(desk.refuse(1, proposal.clone().on(DAY)), Refusal::ProposalExists { .. }));
    assert!(matches!(desk.refuse(1, award("c", ruling(1)).on(DAY)), Refusal::AwardExists { .. }));
    desk.needs_waiver(1, proposal.on(DAY));
    desk.needs_waiver(1, award("c", ruling(1)).on(DAY));
    // An award needs no proposal before it.
    desk.record(award("d", ruling(1)).on(DAY));
    // An annulled award keeps its id.
    desk.record(annulled(ruling(1), ruling(2)).on(DAY));
    assert!(matches!(desk.refuse(1, award("d", ruling(3)).on(DAY)), Refusal::AwardExists { .. }));
}

#[test]
fn rule_1_knows_the_model_of_everything() {
    let mut desk = Desk::open();
    let about_x = [
        model_continued("x", 2025).on(DAY),
        model_replicated("x", "m").on(DAY),
        model_replicated("m", "x").on(DAY),
        model_withdrawn("x", "moved").on(DAY),
        recognised("x", ruling(1)).on(DAY),
        gift("x").on(DAY),
        plaque("p", "x").decision(ruling(2)).on(DAY),
    ];
    for (n, entry) in about_x.iter().enumerate() {
        let key = if n == 2 { "replica" } else { "model" };
        let refusal = desk.refuse(1, entry.clone());
        assert_eq!(refusal, Refusal::ModelUnknown { key, model: "x".into() });
    }
    // Legacy data: every one of them by an override that is recorded. The withdrawal comes last here.
    for index in [0, 1, 2, 4, 5, 6, 3] {
        desk.needs_waiver(1, about_x[index].clone());
    }
    desk.record(model("x", "w").on(DAY));
}

#[test]
fn rule_1_succeeds_only_defined_units() {
    let mut desk = Desk::open();
    let july = date(2025, 7, 1);
    for (from, to, key) in [("w", "x", "to"), ("x", "w", "from")] {
        let succession = unit_succeeded(from, to, july, "1656/NQ", Extent::Whole).on(july);
        let refusal = desk.refuse(1, succession);
        assert_eq!(refusal, Refusal::UnitUnknown { key, unit: "x".into() });
    }
    desk.record(ward("v").on(july));
    desk.record(unit_succeeded("w", "v", july, "1656/NQ", Extent::Part).on(july));
    desk.needs_waiver(1, unit_succeeded("w", "x", july, "1656/NQ", Extent::Part).on(july));
}

#[test]
fn rule_1_removes_a_plaque_that_still_stands() {
    let mut desk = Desk::open();
    assert_eq!(desk.refuse(1, removal("p").on(DAY)), Refusal::PlaqueUnknown { plaque: "p".into() });
    desk.record(recognised("m", ruling(1)).on(DAY));
    desk.record(plaque("p", "m").on(DAY));
    let removed = desk.record(removal("p").on(DAY));
    assert_eq!(desk.refuse(1, removal("p").on(DAY)), Refusal::PlaqueGone { plaque: "p".into() });
    desk.record(record_retracted(removed, "found again").on(DAY));
    desk.record(removal("p").on(DAY));
    desk.needs_waiver(1, removal("p").on(DAY));
}

#[test]
fn rule_1_takes_nothing_that_occurred_after_a_withdrawal() {
    let mut desk = Desk::open();
    let (day, next) = (date(2024, 6, 1), date(2024, 6, 2));
    desk.record(gift("m").on(next));
    let withdrawal = desk.record(model_withdrawn("m", "moved").on(day));
    for (n, late) in
        [model_continued("m", 2025).on(next), recognised("m", ruling(1)).on(next), gift("m").on(next)].into_iter().enumerate()
    {
        let refusal = desk.refuse(1, late.clone());
        let expected = Refusal::ModelWithdrawn { model: "m".into(), withdrawn_on: day, occurred_on: next };
        assert_eq!(refusal, expected, "case {n}");
        desk.needs_waiver(1, late);
    }
    // The same day and earlier ones are free, whenever they are recorded.
    desk.record(gift("m").on(day));
    desk.record(model_continued("m", 2024).on(date(2024, 2, 1)));
    desk.record(recognised("m", ruling(2)).period("2023").on(day));
    // What the rule does not name is free too.
    desk.record(model("n", "w").on(DAY));
    desk.record(model_replicated("m", "n").on(DAY));
    desk.record(plaque("p", "m").on(DAY));
    // A second withdrawal is taken, and the earlier day counts.
    desk.record(model_withdrawn("m", "again").on(date(2024, 12, 1)));
    desk.refuse(1, gift("m").on(next));
    // Without the first one, the second counts.
    desk.record(record_retracted(withdrawal, "wrong model").on(DAY));
    desk.record(gift("m").on(date(2024, 12, 1)));
    desk.refuse(1, gift("m").on(date(2024, 12, 2)));
}

#[test]
fn rule_1_never_cites_an_annulled_decision_again() {
    let mut desk = Desk::open();
    desk.record(recognised("m", ruling(1)).on(DAY));
    let annulment = desk.record(annulled(ruling(1), ruling(2)).on(DAY));
    let citing = [
        recognised("m", ruling(1)).period("2030").on(DAY),
        plaque("p", "m").decision(ruling(1)).on(DAY),
        award("c", ruling(1)).on(DAY),
        annulled(ruling(1), ruling(3)).on(DAY),
        annulled(ruling(4), ruling(1)).on(DAY),
    ];
    for entry in &citing {
        let refusal = desk.refuse(1, entry.clone());
        assert_eq!(refusal, Refusal::DecisionAnnulled { decision: ruling(1) });
    }
    for entry in &citing {
        desk.needs_waiver(1, entry.clone());
    }
    // The annulling decision itself stands.
    desk.record(award("d", ruling(2)).on(DAY));
    // Two annulments stand by now, one by a waiver: the decision is back when both are gone.
    desk.record(record_retracted(annulment, "wrong number").on(DAY));
    desk.refuse(1, award("e", ruling(1)).on(DAY));
}

#[test]
fn rule_1_annuls_what_was_never_entered_but_never_itself() {
    let mut desk = Desk::new();
    let itself = decision("U\u{309}y ban", "1/QD", date(2024, 9, 1));
    let same_in_nfc = decision("\u{1ee6}y ban", "1/QD", date(2024, 9, 1));
    assert!(matches!(desk.refuse(1, annulled(itself, same_in_nfc).on(DAY)), Refusal::AnnulsItself { .. }));
    desk.record(annulled(ruling(1), ruling(2)).on(DAY));
}

#[test]
fn rule_1_compares_ids_in_nfc() {
    let (composed, apart) = ("C\u{1ed5} Nhu\u{1ebf}", "Co\u{302}\u{309} Nhue\u{302}\u{301}");
    let mut desk = Desk::new();
    desk.record(ward(composed).on(DAY));
    desk.refuse(1, ward(apart).on(DAY));
    desk.record(model(composed, apart).on(DAY));
    desk.refuse(1, model(apart, composed).on(DAY));
    desk.record(gift(apart).on(DAY));
    desk.record(recognised(apart, decision(composed, apart, date(2024, 9, 1))).on(DAY));
    desk.refuse(4, recognised(composed, ruling(1)).on(DAY));
    desk.record(plaque(apart, composed).on(DAY));
    desk.refuse(1, plaque(composed, composed).decision(ruling(9)).on(DAY));
    desk.record(removal(composed).on(DAY));
    desk.record(annulled(decision(apart, composed, date(2024, 9, 1)), ruling(2)).on(DAY));
    desk.refuse(1, award("c", decision(composed, composed, date(2024, 9, 1))).on(DAY));
    // Letter case and spaces are the office's own.
    desk.record(model("cổ nhuế", composed).on(DAY));
}

#[test]
fn overrides_waive_rules_1_4_and_5_for_a_reason_and_no_other() {
    let mut desk = Desk::open();
    for rule in [0, 2, 3, 6, 7, 9, 12] {
        let refusal = desk.attempt(&gift("m").on(DAY).overriding([1, rule], "because")).expect_err("refused");
        assert_eq!((refusal.clone(), refusal.rule()), (Refusal::NotWaivable { rule }, rule));
    }
    for (rules, reason) in [(vec![], "because"), (vec![1], ""), (vec![1], " \n")] {
        assert_eq!(desk.refuse(0, gift("m").on(DAY).overriding(rules, reason)), Refusal::OverrideEmpty);
    }
    // One that turns out not to be needed is taken.
    desk.record(gift("m").on(DAY).overriding([5, 1, 4], "to be sure"));
}
