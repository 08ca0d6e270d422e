//! Support, decisions, places, achievements, issuers, quantities and annulment.

use crate::desk::*;
use sovang_core::{Event, Personal, date};
use sovang_recognition::rules::Refusal;
use sovang_recognition::*;

const DAY: sovang_core::Date = date(2024, 10, 1);
const BEFORE: sovang_core::Date = date(2024, 9, 30);

#[test]
fn rule_2_supports_a_plaque_by_a_recognition_on_or_before_its_day() {
    let mut desk = Desk::open();
    desk.record(model("n", "w").on(DAY));
    let unsupported = desk.refuse(2, plaque("p", "m").on(DAY));
    let expected = Refusal::PlaqueUnsupported { plaque: "p".into(), model: "m".into(), mounted_on: DAY };
    assert_eq!(unsupported, expected);
    desk.record(recognised("n", ruling(1)).on(BEFORE));
    desk.refuse(2, plaque("p", "m").on(DAY));
    desk.record(recognised("m", ruling(1)).on(DAY));
    desk.refuse(2, plaque("p", "m").on(BEFORE));
    desk.record(plaque("p", "m").on(DAY));
    desk.record(plaque("q", "m").on(date(2025, 1, 1)));
    // Nobody may waive it.
    let all = plaque("r", "m").on(BEFORE).overriding([1, 4, 5], "legacy");
    desk.refuse(2, all.clone());
    desk.refuse(2, plaque("r", "unregistered").on(DAY).overriding([1], "legacy"));
}

#[test]
fn rule_2_supports_a_plaque_by_a_decision_of_its_own() {
    let mut desk = Desk::open();
    let of = |day| plaque("p", "m").decision(decision("TU", "9-QD", day));
    desk.refuse(2, of(date(2024, 10, 2)).on(DAY));
    desk.record(of(DAY).on(DAY));
    // A later decision of its own does no harm beside a recognition.
    desk.record(recognised("m", ruling(1)).on(DAY));
    desk.record(plaque("q", "m").decision(decision("TU", "10-QD", date(2024, 12, 1))).on(DAY));
}

#[test]
fn rule_2_is_not_met_by_an_annulled_or_retracted_recognition() {
    let mut desk = Desk::open();
    desk.record(recognised("m", ruling(1)).on(DAY));
    let annulment = desk.record(annulled(ruling(1), ruling(2)).on(DAY));
    desk.refuse(2, plaque("p", "m").on(DAY));
    let second = desk.record(recognised("m", ruling(3)).on(DAY));
    desk.record(record_retracted(second, "entered twice").on(DAY));
    desk.refuse(2, plaque("p", "m").on(DAY));
    desk.record(record_retracted(annulment, "wrong number").on(DAY));
    desk.record(plaque("p", "m").on(DAY));
}

#[test]
fn rule_3_gives_an_issuers_number_one_date_a_year() {
    let mut desk = Desk::open();
    let of = |issuer: &str, number: &str, day| recognised("m", decision(issuer, number, day)).on(DAY);
    let first = desk.record(of("UBND", "120/QD", date(2024, 9, 2)));
    let refusal = desk.refuse(3, of("UBND", "120/QD", date(2024, 9, 3)));
    let standing = date(2024, 9, 2);
    assert_eq!(refusal, Refusal::DecisionRedated { decision: decision("UBND", "120/QD", date(2024, 9, 3)), standing });
    assert!(refusal.to_string().starts_with("rule 3: decision 120/QD of UBND exists with date 2024-09-02"));
    for other in [
        plaque("p", "m").decision(decision("UBND", "120/QD", date(2024, 9, 1))).on(DAY),
        award("c", decision("UBND", "120/QD", date(2024, 12, 31))).on(DAY),
        annulled(decision("UBND", "120/QD", date(2024, 1, 1)), ruling(1)).on(DAY),
        annulled(ruling(1), decision("UBND", "120/QD", date(2024, 1, 1))).on(DAY),
    ] {
        assert!(matches!(desk.refuse(3, other.clone()), Refusal::DecisionRedated { .. }));
        desk.refuse(3, other.overriding([1, 4, 5], "of no help"));
    }
    // Cited again, another year, another issuer, another number.
    desk.record(award("c", decision("UBND", "120/QD", standing)).on(DAY));
    desk.record(award("d", decision("UBND", "120/QD", date(2025, 1, 1))).on(DAY));
    desk.record(award("e", decision("QU", "120/QD", date(2024, 9, 3))).on(DAY));
    desk.record(award("f", decision("UBND", "121/QD", date(2024, 9, 3))).on(DAY));
    // An annulment that gives one number two dates.
    let twice = annulled(decision("S", "1", date(2024, 1, 1)), decision("S", "1", date(2024, 1, 2)));
    desk.refuse(3, twice.on(DAY));
    // The parts of a decision do not run into each other.
    desk.record(award("g", decision("A|B", "1", date(2024, 1, 1))).on(DAY));
    desk.record(award("h", decision("A", "B|1", date(2024, 1, 2))).on(DAY));
    // A date stands as long as someone cites it, annulled or not.
    desk.record(annulled(decision("UBND", "120/QD", standing), ruling(1)).on(DAY));
    desk.refuse(3, award("i", decision("UBND", "120/QD", date(2024, 9, 3))).on(DAY));
    desk.record(record_retracted(first, "entered twice").on(DAY));
    desk.refuse(3, award("i", decision("UBND", "120/QD", date(2024, 9, 3))).on(DAY));
}

#[test]
fn rule_3_forgets_a_date_that_nobody_cites_any_longer() {
    let mut desk = Desk::open();
    let wrong = desk.record(award("c", decision("UBND", "1/QD", date(2024, 9, 2))).on(DAY));
    desk.record(record_retracted(wrong, "wrong date").on(DAY));
    desk.record(award("c", decision("UBND", "1/QD", date(2024, 9, 3))).on(DAY));
    desk.refuse(3, award("d", decision("UBND", "1/QD", date(2024, 9, 2))).on(DAY));
}

#[test]
fn rule_4_recognises_a_model_once_at_a_level_in_a_period() {
    let mut desk = Desk::open();
    desk.record(model("n", "w").on(DAY));
    desk.record(recognised("m", ruling(1)).on(DAY));
    let refusal = desk.refuse(4, recognised("m", ruling(2)).on(date(2024, 1, 2)));
    let expected = Refusal::RecognisedTwice { model: "m".into(), level: Level::District, period: "2024".into() };
    assert_eq!(refusal, expected);
    // An absent period equals the year in four digits, and only that.
    desk.refuse(4, recognised("m", ruling(2)).period("2024").on(date(2023, 5, 1)));
    desk.record(recognised("m", ruling(2)).period("2024-2025").on(DAY));
    desk.refuse(4, recognised("m", ruling(3)).period("2024-2025").on(DAY));
    desk.record(recognised("m", ruling(2)).on(date(2025, 1, 1)));
    desk.record(recognised("m", ruling(2)).period("0987").on(DAY));
    desk.refuse(4, recognised("m", ruling(3)).on(date(987, 1, 1)));
    // Other levels and other models.
    desk.record(model_recognised("m", Level::City, ruling(1)).on(DAY));
    desk.record(recognised("n", ruling(1)).on(DAY));
    // Periods compare in NFC.
    desk.record(recognised("m", ruling(1)).period("quy\u{301} 1").on(DAY));
    desk.refuse(4, recognised("m", ruling(1)).period("qu\u{fd} 1").on(DAY));
    desk.needs_waiver(4, recognised("m", ruling(2)).on(DAY));
}

#[test]
fn rule_4_frees_the_place_of_what_was_retracted_or_annulled() {
    let mut desk = Desk::open();
    let first = desk.record(recognised("m", ruling(1)).on(DAY));
    desk.record(record_retracted(first, "entered twice").on(DAY));
    desk.record(recognised("m", ruling(2)).on(DAY));
    desk.refuse(4, recognised("m", ruling(3)).on(DAY));
    desk.record(annulled(ruling(2), ruling(4)).on(DAY));
    desk.record(recognised("m", ruling(3)).on(DAY));
    desk.refuse(4, recognised("m", ruling(5)).on(DAY));
}

#[test]
fn rule_5_awards_a_collectives_achievement_once_to_it() {
    let mut desk = Desk::open();
    let of = |id: &str, name: &str, unit: &str, text: &str| {
        let mut award = award(id, ruling(1)).achievement(text);
        award.recipient = Recipient::collective(name).of_unit(unit);
        award
    };
    desk.record(of("a", "Tổ 5", "w", "S\u{1ea1}ch").on(DAY));
    let apart = "Sa\u{323}ch";
    let refusal = desk.refuse(5, of("b", "Tổ 5", "w", apart).on(DAY));
    let (form, level) = (Form::CertificateOfMerit, Level::District);
    assert_eq!(refusal, Refusal::AwardedTwice { achievement: apart.into(), form, level });
    desk.needs_waiver(5, of("b", "Tổ 5", "w", apart).on(DAY));
    // Another recipient, the same name in another unit, another text, form or level.
    desk.record(of("c", "Tổ 6", "w", "Sạch").on(DAY));
    desk.record(of("d", "Tổ 5", "v", "Sạch").on(DAY));
    desk.record(of("e", "Tổ 5", "w", "Xanh").on(DAY));
    let mut other = of("f", "Tổ 5", "w", "Sạch");
    other.form = Form::DiplomaOfMerit;
    desk.record(other.on(DAY));
    let mut other = of("g", "Tổ 5", "w", "Sạch");
    other.level = Level::City;
    desk.record(other.on(DAY));
    // Without an achievement nothing collides.
    desk.record(award("h", ruling(1)).on(DAY));
    desk.record(award("i", ruling(1)).on(DAY));
    // A proposal is no award.
    let proposal = commendation_proposed("j", Recipient::collective("Tổ 5").of_unit("w"), form, level);
    desk.record(proposal.achievement("Sạch").on(DAY));
}

#[test]
fn rule_5_knows_a_persons_award_by_the_achievement_alone() {
    let mut desk = Desk::open();
    let of = |id: &str, person: &str| {
        let mut award = award(id, ruling(1)).achievement("Cứu người");
        award.recipient = Recipient::individual(Personal::of(person, "Nguyễn Văn A")).of_unit("w");
        award.on(DAY)
    };
    desk.record(of("a", "P-17"));
    desk.needs_waiver(5, of("b", "P-18"));
    // A collective's is another achievement.
    desk.record(award("c", ruling(1)).achievement("Cứu người").on(DAY));
}

#[test]
fn rule_5_lets_an_annulled_or_retracted_award_be_given_again() {
    let mut desk = Desk::open();
    let of = |id: &str, n| award(id, ruling(n)).achievement("Sạch").on(DAY);
    desk.record(of("a", 1));
    desk.record(annulled(ruling(1), ruling(2)).on(DAY));
    let second = desk.record(of("b", 3));
    desk.refuse(5, of("c", 3));
    desk.record(record_retracted(second, "entered twice").on(DAY));
    desk.record(of("c", 3));
}

#[test]
fn rule_6_ends_an_issuer_the_day_before_a_whole_succession() {
    let mut desk = Desk::open();
    let (june, july) = (date(2025, 6, 30), date(2025, 7, 1));
    desk.record(ward("v").on(july));
    let by_w = |id: &str, day| award(id, decision("w", format!("{id}/QD"), day)).on(day);
    desk.record(by_w("a", july));
    let part = desk.record(unit_succeeded("w", "v", july, "1656/NQ", Extent::Part).on(july));
    desk.record(by_w("b", july));
    desk.record(record_retracted(part, "it is whole").on(july));
    let whole = desk.record(unit_succeeded("w", "v", july, "1656/NQ", Extent::Whole).on(july));
    desk.record(by_w("c", june));
    let refusal = desk.refuse(6, by_w("d", july));
    assert_eq!(
        refusal,
        Refusal::IssuerAbsent { decision: decision("w", "d/QD", july), from: date(2013, 12, 27), to: Some(june) }
    );
    desk.refuse(6, by_w("d", july).overriding([1, 4, 5], "of no help"));
    // Every citation counts, an annulment's two as well; the successor may decide.
    let w = |n: &str, day| decision("w", n, day);
    desk.refuse(6, annulled(w("d/QD", july), ruling(1)).on(july));
    desk.refuse(6, annulled(ruling(1), w("d/QD", july)).on(july));
    desk.refuse(6, recognised("m", w("d/QD", july)).on(july));
    desk.refuse(6, plaque("p", "m").decision(w("d/QD", july)).on(july));
    desk.record(annulled(w("c/QD", june), decision("v", "1/QD", july)).on(july));
    desk.record(record_retracted(whole, "it is not").on(july));
    desk.record(by_w("d", july));
}

#[test]
fn rule_6_keeps_an_issuer_within_its_validity() {
    let mut desk = Desk::new();
    let unit = unit_defined("w", "Phường", UnitKind::Ward, date(2014, 1, 1)).valid_to(date(2020, 12, 31));
    desk.record(unit.on(DAY));
    let by = |id: &str, issuer: &str, day| award(id, decision(issuer, id, day)).on(DAY);
    desk.record(by("a", "w", date(2014, 1, 1)));
    desk.record(by("b", "w", date(2020, 12, 31)));
    desk.refuse(6, by("c", "w", date(2013, 12, 31)));
    desk.refuse(6, by("c", "w", date(2021, 1, 1)));
    // Another text is taken as it is.
    desk.record(by("d", "Phường W", date(1990, 1, 1)));
    // Two definitions by a waiver of rule 1: either will do.
    let again = unit_defined("w", "Phường", UnitKind::Ward, date(2022, 1, 1)).on(DAY);
    desk.record(again.overriding([1], "re-established"));
    desk.record(by("c", "w", date(2022, 1, 1)));
    desk.refuse(6, by("e", "w", date(2021, 1, 1)));
}

#[test]
fn rule_7_refuses_quantities_below_zero() {
    let mut desk = Desk::open();
    for contribution in [
        Contribution::Cash { vnd: -1 },
        Contribution::Labour { days: -1 },
        Contribution::Land { square_decimetres: -1, land: LandKind::Farm },
        Contribution::InKind { vnd: -1, description: None },
    ] {
        let gift = model_funded("m", contribution, Source::Own);
        desk.refuse(7, gift.clone().on(DAY));
        desk.refuse(7, gift.on(DAY).overriding([1], "of no help"));
    }
    desk.refuse(7, award("c", ruling(1)).bonus_vnd(-1).on(DAY));
    let original = desk.record(gift("m").on(DAY));
    let below = model_funded("m", Contribution::Cash { vnd: -1 }, Source::Own);
    desk.refuse(7, record_corrected(original, below, DAY, "typing").on(DAY));
    // A field that no rule speaks of is refused too.
    assert!(matches!(desk.refuse(0, gift("").on(DAY)), Refusal::Invalid(_)));
    desk.record(model_funded("m", Contribution::Cash { vnd: 0 }, Source::Own).on(DAY));
}

#[test]
fn rule_8_annuls_without_touching_what_depends_on_it() {
    let mut desk = Desk::open();
    desk.record(recognised("m", ruling(1)).on(DAY));
    desk.record(plaque("p", "m").on(DAY));
    desk.record(award("c", ruling(1)).on(DAY));
    desk.record(annulled(ruling(1), ruling(2)).on(DAY));
    // The plaque still hangs there: it can be taken down, and its id is taken.
    desk.refuse(1, plaque("p", "m").decision(ruling(3)).on(DAY));
    desk.record(removal("p").on(DAY));
    desk.refuse(1, award("c", ruling(3)).on(DAY));
}

#[test]
fn an_entry_without_its_day_is_judged_where_no_rule_needs_it() {
    let decide = |event: Recognition| {
        let given = sovang_projection::testing::given_on::<Recognition>(
            DAY,
            [ward("w").into(), model("m", "w").into(), model("n", "w").into(), model_withdrawn("n", "moved").into()],
        );
        given.when(&event.today()).decided()
    };
    assert!(decide(gift("m").into()).is_ok());
    assert!(decide(recognised("m", ruling(1)).period("2024").into()).is_ok());
    assert_eq!(decide(gift("n").into()).err(), Some(Refusal::Undated));
    assert_eq!(decide(recognised("m", ruling(1)).into()).err(), Some(Refusal::Undated));
    assert_eq!(decide(plaque("p", "m").decision(ruling(1)).into()).err(), Some(Refusal::Undated));
}
