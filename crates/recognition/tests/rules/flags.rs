//! What stands but rests on something annulled or corrected since.

use crate::desk::*;
use sovang_core::date;
use sovang_recognition::rules::Flag;
use sovang_recognition::*;

const DAY: sovang_core::Date = date(2024, 10, 1);

#[test]
fn rule_8_flags_the_plaques_and_awards_of_an_annulled_decision() {
    let mut desk = Desk::open();
    let recognition = desk.record(recognised("m", ruling(1)).on(DAY));
    let on_recognition = desk.record(plaque("p", "m").on(DAY));
    let on_decision = desk.record(plaque("q", "m").decision(ruling(1)).on(DAY));
    let awarded = desk.record(award("c", ruling(1)).on(DAY));
    desk.record(award("d", ruling(2)).on(DAY));
    desk.record(plaque("r", "m").decision(ruling(2)).on(DAY));
    assert_eq!(desk.flags(), []);
    let annulment = desk.record(annulled(ruling(1), ruling(3)).on(DAY));
    let flags = desk.flags();
    let cites = Flag::CitesAnnulled { decision: ruling(1), annulled_by: vec![annulment] };
    let unsupported = Flag::Unsupported { plaque: "p".into(), model: "m".into(), annulled: vec![recognition] };
    let expected = [(on_recognition, unsupported), (on_decision, cites.clone()), (awarded, cites)];
    assert_eq!(flags.iter().map(|f| (f.record, f.why.clone())).collect::<Vec<_>>(), expected);
    assert_eq!(
        flags[0].to_string(),
        format!(
            "position 3: plaque_mounted {on_recognition}: rule 2: the recognition of model m that supported plaque p is annulled"
        )
    );
    // Another recognition on or before its day takes the first one's flag away, the annulment's retraction all.
    desk.record(model_recognised("m", Level::City, ruling(4)).on(DAY));
    assert_eq!(desk.flags().len(), 2);
    desk.record(annulled(ruling(4), ruling(5)).on(DAY));
    assert_eq!(desk.flags().len(), 3);
    desk.record(record_retracted(annulment, "x").on(DAY));
    assert_eq!(desk.flags(), []);
}

#[test]
fn rule_9_flags_what_a_correction_left_behind() {
    let mut desk = Desk::open();
    let (june, july) = (date(2024, 6, 30), date(2024, 7, 1));
    let unit = desk.record(ward("v").on(DAY));
    let by_v = decision("v", "1/QD", date(2014, 1, 1));
    let issued = desk.record(award("c", by_v.clone()).on(DAY));
    let withdrawal = desk.record(model_withdrawn("m", "moved").on(july));
    let funded = desk.record(gift("m").on(july));
    assert_eq!(desk.flags(), []);
    let later = unit_defined("v", "Phường", UnitKind::Ward, date(2015, 1, 1));
    desk.record(record_corrected(unit, later, DAY, "founded later").on(DAY));
    desk.record(record_corrected(withdrawal, model_withdrawn("m", "moved"), june, "typing").on(DAY));
    let flags: Vec<_> = desk.flags().into_iter().map(|f| (f.record, f.why)).collect();
    let withdrawn = Flag::AfterWithdrawal { model: "m".into(), withdrawn_on: june };
    assert_eq!(flags, [(issued, Flag::IssuerAbsent { decision: by_v }), (funded, withdrawn)]);
    // With a waiver of the rule it is the office's word.
    desk.record(record_corrected(funded, gift("m"), july, "paid late").on(DAY).overriding([1], "promised before"));
    assert_eq!(desk.flags().len(), 1);
}

#[test]
fn rule_9_flags_a_place_taken_twice_by_a_restored_decision() {
    let mut desk = Desk::open();
    let first = desk.record(recognised("m", ruling(1)).on(DAY));
    let award_first = desk.record(award("c", ruling(1)).achievement("Sạch").on(DAY));
    let annulment = desk.record(annulled(ruling(1), ruling(2)).on(DAY));
    let second = desk.record(recognised("m", ruling(3)).on(DAY));
    let award_second = desk.record(award("d", ruling(3)).achievement("Sạch").on(DAY));
    desk.record(recognised("m", ruling(3)).on(DAY).overriding([4], "two tiers"));
    assert_eq!(desk.flags().len(), 1, "the annulled award");
    desk.record(record_retracted(annulment, "wrong number").on(DAY));
    let flags: Vec<_> = desk.flags().into_iter().map(|f| (f.record, f.why)).collect();
    let twice = Flag::RecognisedTwice { model: "m".into(), level: Level::District, period: "2024".into(), earlier: first };
    let awarded = Flag::AwardedTwice { commendation: "d".into(), earlier: award_first };
    assert_eq!(flags, [(second, twice), (award_second, awarded)]);
}
