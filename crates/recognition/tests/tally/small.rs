//! Small histories whose figures can be added up by hand.

use crate::ledger::{self, rows};
use serde_json::{Value as Json, json};

const NO: &[&str] = &[];

fn at(day: &str, mut doc: Json) -> Json {
    doc["occurred_on"] = day.into();
    doc
}
fn registered(model: &str, unit: &str, field: &str, kind: &str, year: i32, day: &str) -> Json {
    at(
        day,
        json!({"type": "model_registered", "model": model, "title": "T", "subject_kind": kind, "unit": unit, "field": field, "year": year}),
    )
}
fn decision(number: &str) -> Json {
    json!({"issuer": "district", "number": number, "date": "2023-05-01"})
}
fn recognised(model: &str, level: &str, number: &str, day: &str) -> Json {
    at(day, json!({"type": "model_recognised", "model": model, "level": level, "decision": decision(number)}))
}
fn annulled(number: &str, day: &str) -> Json {
    at(day, json!({"type": "decision_annulled", "decision": decision(number), "ground": "false_papers", "by": decision("9")}))
}
fn corrected(target: usize, day: &str, replacement: Json) -> Json {
    at(day, json!({"type": "record_corrected", "target": target, "replacement": replacement, "reason": "r"}))
}
fn retracted(target: usize, day: &str) -> Json {
    at(day, json!({"type": "record_retracted", "target": target, "reason": "r"}))
}
fn funded(model: &str, contribution: Json, qualifier: &str, day: &str) -> Json {
    at(
        day,
        json!({"type": "model_funded", "model": model, "contribution": contribution, "source": "socialised", "qualifier": qualifier}),
    )
}
fn cash(vnd: u64) -> Json {
    json!({"kind": "cash", "vnd": vnd})
}
fn person() -> Json {
    json!({"kind": "individual", "name": "N", "unit": "u1"})
}

/// Two models of 2023, one of 2024, one of another unit, one registered in December for the next year.
fn five() -> Vec<Json> {
    vec![
        registered("a", "u1", "economy", "collective", 2023, "2023-02-01"),
        registered("b", "u1", "economy", "collective", 2023, "2023-03-01"),
        registered("c", "u1", "economy", "individual", 2024, "2024-02-01"),
        registered("d", "u2", "green_living", "household", 2024, "2024-02-01"),
        registered("e", "u1", "economy", "collective", 2024, "2023-12-20"),
    ]
}

#[test]
fn registrations_count_in_the_year_they_are_for() {
    assert_eq!(
        rows("registered", &five(), None, NO, None, None),
        json!([
            {"year": 2023, "unit": "u1", "field": "economy", "subject_kind": "collective", "count": 2},
            {"year": 2024, "unit": "u1", "field": "economy", "subject_kind": "collective", "count": 1},
            {"year": 2024, "unit": "u1", "field": "economy", "subject_kind": "individual", "count": 1},
            {"year": 2024, "unit": "u2", "field": "green_living", "subject_kind": "household", "count": 1},
        ])
    );
    assert_eq!(
        rows("registered", &five(), Some("year"), NO, Some("2023-03-01"), Some("2023-12-20")),
        json!([
            {"year": 2023, "count": 1},
            {"year": 2024, "count": 1},
        ])
    );
    assert_eq!(
        rows("registered", &five(), Some("unit"), &["year=2024", "field=economy"], None, None),
        json!([{"unit": "u1", "count": 2}])
    );
}

#[test]
fn a_withdrawn_model_stays_and_a_retracted_one_goes() {
    let mut history = five();
    history.push(at("2024-05-01", json!({"type": "model_withdrawn", "model": "a", "reason": "moved"})));
    history.push(retracted(1, "2024-06-01"));
    assert_eq!(
        rows("registered", &history, Some("year"), NO, None, None),
        json!([{"year": 2023, "count": 1}, {"year": 2024, "count": 3}])
    );
    history.push(retracted(5, "2024-07-01"));
    assert_eq!(
        rows("amendments", &history, Some("type,year"), NO, None, None),
        json!([{"type": "record_retracted", "year": 2024, "count": 2}])
    );
}

#[test]
fn the_last_correction_stands() {
    let mut history = five();
    history.push(corrected(0, "2025-01-01", registered("a", "u2", "economy", "collective", 2022, "2022-02-01")));
    history.push(corrected(0, "2025-01-02", registered("a", "u3", "economy", "collective", 2021, "2021-02-01")));
    assert_eq!(rows("registered", &history, Some("unit"), &["year=2021"], None, None), json!([{"unit": "u3", "count": 1}]));
    assert_eq!(
        rows("registered", &history, Some("year"), NO, None, None),
        json!([
            {"year": 2021, "count": 1}, {"year": 2023, "count": 1}, {"year": 2024, "count": 3},
        ])
    );
    assert_eq!(rows("registered", &history, Some(""), NO, Some("2021-02-01"), Some("2021-02-01")), json!([{"count": 1}]));
    assert_eq!(
        rows("registered", &history[..6], Some("year"), &["unit=u2"], None, None),
        json!([
            {"year": 2022, "count": 1}, {"year": 2024, "count": 1},
        ])
    );
}

#[test]
fn recognitions_are_counted_gross_and_models_once_in_a_row() {
    let mut history = five();
    history.push(recognised("a", "district", "1", "2024-01-05"));
    history.push(recognised("a", "city", "2", "2024-02-05"));
    history.push(recognised("b", "district", "1", "2024-01-05"));
    history.push(recognised("unknown", "district", "1", "2024-01-05"));
    let mut exemplar = recognised("c", "district", "1", "2025-01-05");
    exemplar["tier"] = "exemplar".into();
    history.push(exemplar);
    assert_eq!(
        rows("recognised", &history, None, NO, None, None),
        json!([
            {"year": 2024, "level": "city", "subject_kind": "collective", "count": 1, "distinct_models": 1},
            {"year": 2024, "level": "district", "subject_kind": null, "count": 1, "distinct_models": 1},
            {"year": 2024, "level": "district", "subject_kind": "collective", "count": 2, "distinct_models": 2},
            {"year": 2025, "level": "district", "subject_kind": "individual", "count": 1, "distinct_models": 1},
        ])
    );
    assert_eq!(rows("recognised", &history, Some(""), NO, None, None), json!([{"count": 5, "distinct_models": 4}]));
    assert_eq!(
        rows("recognised", &history, Some("tier"), &["level=district"], None, None),
        json!([
            {"tier": null, "count": 3, "distinct_models": 3}, {"tier": "exemplar", "count": 1, "distinct_models": 1},
        ])
    );
    assert_eq!(
        rows("recognised", &history, Some("unit"), &["unit="], None, None),
        json!([{"unit": null, "count": 1, "distinct_models": 1}])
    );
}

#[test]
fn a_models_unit_is_the_one_its_registration_says_now() {
    let mut history = vec![recognised("a", "district", "1", "2024-01-05")];
    history.push(registered("a", "u1", "economy", "collective", 2023, "2023-02-01"));
    assert_eq!(
        rows("recognised", &history, Some("unit"), NO, None, None),
        json!([{"unit": "u1", "count": 1, "distinct_models": 1}])
    );
    history.push(corrected(1, "2024-03-01", registered("a", "u2", "economy", "collective", 2023, "2023-02-01")));
    assert_eq!(
        rows("recognised", &history, Some("unit"), NO, None, None),
        json!([{"unit": "u2", "count": 1, "distinct_models": 1}])
    );
    // The model is looked up whatever its date.
    assert_eq!(
        rows("recognised", &history, Some("unit"), NO, Some("2024-01-01"), Some("2024-12-31")),
        json!([{"unit": "u2", "count": 1, "distinct_models": 1}])
    );
}

#[test]
fn an_annulment_holds_from_its_record_until_it_is_retracted() {
    let mut history = five();
    history.push(recognised("a", "district", "1", "2024-01-05"));
    history.push(recognised("b", "district", "2", "2024-01-05"));
    // It happened before the recognition, and was recorded after it.
    history.push(annulled("1", "2023-01-01"));
    let total = |history: &[Json]| rows("recognised", history, Some(""), NO, None, None);
    let two = json!([{"count": 2, "distinct_models": 2}]);
    let one = json!([{"count": 1, "distinct_models": 1}]);
    assert_eq!(total(&history[..7]), two);
    assert_eq!(total(&history), one);
    // Outside of the days asked for, an annulment holds all the same.
    assert_eq!(rows("recognised", &history, Some(""), NO, Some("2024-01-01"), None), one);
    history.push(corrected(7, "2025-01-01", annulled("2", "2023-01-01")));
    assert_eq!(rows("recognised", &history, Some(""), &["unit=u1"], None, None), one);
    assert_eq!(
        rows("recognition-rate", &history, None, &["year=2023"], None, None),
        json!([{"year": 2023, "registered": 2, "recognised": 1, "rate_bp": 5000}])
    );
    history.push(retracted(7, "2025-02-01"));
    assert_eq!(total(&history), two);
    assert_eq!(
        rows("amendments", &history, None, NO, None, None),
        json!([
            {"type": "record_corrected", "count": 1}, {"type": "record_retracted", "count": 1},
        ])
    );
    assert_eq!(
        rows("amendments", &history[..9], None, NO, None, None),
        json!([
            {"type": "decision_annulled", "count": 1}, {"type": "record_corrected", "count": 1},
        ])
    );
}

#[test]
fn the_rate_is_of_a_registration_year_whenever_recognised() {
    let mut history = five();
    history.push(recognised("a", "district", "1", "2023-06-01"));
    history.push(recognised("a", "city", "1", "2025-06-01"));
    history.push(recognised("c", "district", "1", "2025-06-01"));
    history.push(recognised("unknown", "district", "1", "2025-06-01"));
    assert_eq!(
        rows("recognition-rate", &history, None, NO, None, None),
        json!([
            {"year": 2023, "registered": 2, "recognised": 1, "rate_bp": 5000},
            {"year": 2024, "registered": 3, "recognised": 1, "rate_bp": 3333},
        ])
    );
    // Two thirds are rounded down, not to the nearest.
    history.push(recognised("d", "district", "1", "2025-06-01"));
    assert_eq!(
        rows("recognition-rate", &history, None, &["year=2024"], None, None),
        json!([
            {"year": 2024, "registered": 3, "recognised": 2, "rate_bp": 6666},
        ])
    );
    assert_eq!(rows("recognition-rate", &history, None, NO, Some("2025-01-01"), None), json!([]));
}

#[test]
fn continued_models_count_in_the_year_continued() {
    let mut history = five();
    history.push(at("2025-12-30", json!({"type": "model_continued", "model": "a", "year": 2024})));
    history.push(at("2025-12-31", json!({"type": "model_continued", "model": "d", "year": 2026})));
    assert_eq!(
        rows("continuity", &history, None, NO, None, None),
        json!([
            {"year": 2023, "new": 2, "continued": 0},
            {"year": 2024, "new": 3, "continued": 1},
            {"year": 2026, "new": 0, "continued": 1},
        ])
    );
    assert_eq!(
        rows("continuity", &history, Some("unit"), &["year=2026"], Some("2025-12-31"), None),
        json!([{"unit": "u2", "new": 0, "continued": 1}])
    );
}

#[test]
fn contributions_add_up_by_kind_with_their_bounds() {
    let land = |square_metres: &str, land: &str| json!({"kind": "land", "square_metres": square_metres, "land": land});
    let history = vec![
        funded("a", cash(7_000_000_000), "more_than", "2024-05-05"),
        funded("a", cash(5), "exact", "2024-05-05"),
        funded("a", json!({"kind": "in_kind", "vnd": 20, "description": "xi măng"}), "exact", "2024-05-05"),
        funded("a", json!({"kind": "labour", "days": 3000}), "less_than", "2024-05-05"),
        funded("a", land("659.88", "farm"), "exact", "2024-05-05"),
        funded("a", land("0.12", "residential"), "about", "2024-05-05"),
    ];
    assert_eq!(
        rows("contributions", &history, None, NO, None, None),
        json!([
            {"year": 2024, "kind": "cash", "count": 2, "vnd": 7_000_000_005u64, "labour_days": 0, "square_decimetres": 0, "vnd_bound": "more_than"},
            {"year": 2024, "kind": "in_kind", "count": 1, "vnd": 20, "labour_days": 0, "square_decimetres": 0},
            {"year": 2024, "kind": "labour", "count": 1, "vnd": 0, "labour_days": 3000, "square_decimetres": 0, "labour_days_bound": "less_than"},
            {"year": 2024, "kind": "land", "count": 2, "vnd": 0, "labour_days": 0, "square_decimetres": 66000, "square_decimetres_bound": "about"},
        ])
    );
    assert_eq!(
        rows("contributions", &history, Some(""), NO, None, None),
        json!([{
            "count": 6, "vnd": 7_000_000_025u64, "labour_days": 3000, "square_decimetres": 66000,
            "vnd_bound": "more_than", "labour_days_bound": "less_than", "square_decimetres_bound": "about",
        }])
    );
    assert_eq!(
        rows("contributions", &history, Some("land"), &["kind=land"], None, None),
        json!([
            {"land": "farm", "count": 1, "vnd": 0, "labour_days": 0, "square_decimetres": 65988},
            {"land": "residential", "count": 1, "vnd": 0, "labour_days": 0, "square_decimetres": 12, "square_decimetres_bound": "about"},
        ])
    );
}

#[test]
fn bounds_of_two_directions_are_about_and_go_with_their_records() {
    let mut history = vec![funded("a", cash(1), "more_than", "2024-05-05"), funded("b", cash(2), "less_than", "2024-05-05")];
    let row = |vnd: u64, count: u64| json!({"count": count, "vnd": vnd, "labour_days": 0, "square_decimetres": 0});
    let total = |history: &[Json]| rows("contributions", history, Some(""), NO, None, None);
    let mut about = row(3, 2);
    about["vnd_bound"] = "about".into();
    assert_eq!(total(&history), json!([about]));
    history.push(corrected(1, "2025-01-01", funded("b", cash(20), "exact", "2024-05-05")));
    let mut more = row(21, 2);
    more["vnd_bound"] = "more_than".into();
    assert_eq!(total(&history), json!([more]));
    history.push(retracted(0, "2025-01-02"));
    assert_eq!(total(&history), json!([row(20, 1)]));
    history.push(retracted(1, "2025-01-02"));
    assert_eq!(total(&history), json!([row(0, 0)]));
    assert_eq!(rows("contributions", &history, None, NO, None, None), json!([]));
}

#[test]
fn a_sum_beyond_64_bits_is_neither_wrapped_nor_rounded() {
    let history = vec![funded("a", cash(i64::MAX.unsigned_abs()), "exact", "2024-05-05"); 3];
    let rows = ledger::table("contributions", &history, Some(""), NO, None, None).rows;
    assert_eq!(rows[0].measure("vnd").expect("a measure").value, 27_670_116_110_564_327_421);
    assert!(serde_json::to_string(&rows).expect("JSON").contains("\"vnd\":27670116110564327421,"));
}

#[test]
fn plaques_say_what_became_of_them() {
    let mount = |plaque: &str, model: &str, day: &str| {
        at(
            day,
            json!({"type": "plaque_mounted", "plaque": plaque, "model": model, "level": "city", "place": "P", "decision": decision("1")}),
        )
    };
    let remove =
        |plaque: &str, reason: &str, day: &str| at(day, json!({"type": "plaque_removed", "plaque": plaque, "reason": reason}));
    let mut history = five();
    history.extend([mount("p", "a", "2023-06-01"), mount("q", "d", "2024-06-01"), mount("r", "a", "2024-06-01")]);
    history.extend([remove("p", "missing", "2025-01-01"), annulled("1", "2025-01-01")]);
    assert_eq!(
        rows("plaques", &history, None, NO, None, None),
        json!([
            {"level": "city", "status": "missing", "count": 1}, {"level": "city", "status": "standing", "count": 2},
        ])
    );
    assert_eq!(
        rows("plaques", &history, Some("year,unit,status"), NO, None, Some("2024-12-31")),
        json!([
            {"year": 2023, "unit": "u1", "status": "missing", "count": 1},
            {"year": 2024, "unit": "u1", "status": "standing", "count": 1},
            {"year": 2024, "unit": "u2", "status": "standing", "count": 1},
        ])
    );
    assert_eq!(
        rows("plaques", &history, Some("occasion"), &["status=standing"], None, None),
        json!([{"occasion": null, "count": 2}])
    );
    history.push(corrected(8, "2025-02-01", remove("p", "relocated", "2025-01-01")));
    assert_eq!(
        rows("plaques", &history, Some("status"), &["year=2023"], None, None),
        json!([{"status": "relocated", "count": 1}])
    );
    history.push(retracted(8, "2025-02-02"));
    assert_eq!(rows("plaques", &history, Some("status"), NO, None, None), json!([{"status": "standing", "count": 3}]));
}

#[test]
fn where_an_override_let_two_stand_one_speaks() {
    let mut history = vec![
        recognised("a", "district", "1", "2024-01-05"),
        registered("a", "u2", "economy", "collective", 2023, "2023-02-01"),
        registered("a", "u1", "economy", "collective", 2024, "2024-02-01"),
    ];
    let unit = |unit: &str| json!([{"unit": unit, "count": 1, "distinct_models": 1}]);
    assert_eq!(rows("recognised", &history, Some("unit"), NO, None, None), unit("u2"), "the smallest year");
    assert_eq!(rows("registered", &history, Some(""), NO, None, None), json!([{"count": 2}]));
    history.push(retracted(1, "2025-01-01"));
    assert_eq!(rows("recognised", &history, Some("unit"), NO, None, None), unit("u1"));
    let remove = |reason: &str, day: &str| at(day, json!({"type": "plaque_removed", "plaque": "p", "reason": reason}));
    let history = [
        at("2023-06-01", json!({"type": "plaque_mounted", "plaque": "p", "model": "a", "level": "city", "place": "P"})),
        remove("relocated", "2025-01-02"),
        remove("missing", "2025-01-01"),
    ];
    assert_eq!(
        rows("plaques", &history, Some("status"), NO, None, None),
        json!([{"status": "relocated", "count": 1}]),
        "the last to occur"
    );
}

fn award(commendation: &str, number: &str, bonus: Option<u64>, day: &str) -> Json {
    let mut doc = at(
        day,
        json!({"type": "commendation_awarded", "commendation": commendation, "recipient": person(),
        "form": "diploma_of_merit", "level": "city", "decision": decision(number)}),
    );
    if let Some(bonus) = bonus {
        doc["bonus_vnd"] = bonus.into();
    }
    doc
}
fn proposal(commendation: &str, day: &str) -> Json {
    at(
        day,
        json!({"type": "commendation_proposed", "commendation": commendation, "recipient": {"kind": "collective", "name": "N"},
        "form": "certificate_of_merit", "level": "district"}),
    )
}

#[test]
fn commendations_count_awards_and_bonuses() {
    let mut history =
        vec![proposal("x", "2024-01-01"), award("x", "1", Some(500), "2024-02-01"), award("y", "2", None, "2025-02-01")];
    let row = |year: i32, bonus: u64| json!({"year": year, "form": "diploma_of_merit", "level": "city", "recipient_kind": "individual", "count": 1, "bonus_vnd": bonus});
    assert_eq!(rows("commendations", &history, None, NO, None, None), json!([row(2024, 500), row(2025, 0)]));
    assert_eq!(
        rows("commendations", &history, Some("unit"), NO, None, None),
        json!([{"unit": "u1", "count": 2, "bonus_vnd": 500}])
    );
    history.push(annulled("1", "2025-03-01"));
    assert_eq!(rows("commendations", &history, None, NO, None, None), json!([row(2025, 0)]));
}

#[test]
fn a_proposal_is_awarded_by_the_award_of_its_id() {
    let mut history = vec![
        proposal("x", "2023-12-31"),
        proposal("z", "2024-01-01"),
        award("x", "1", None, "2025-02-01"),
        award("y", "2", None, "2025-02-01"),
    ];
    let row = |year: i32, awarded: u64| json!({"year": year, "form": "certificate_of_merit", "level": "district", "proposed": 1, "awarded": awarded});
    assert_eq!(rows("proposals", &history, None, NO, None, None), json!([row(2023, 1), row(2024, 0)]));
    assert_eq!(rows("proposals", &history, None, NO, None, Some("2023-12-31")), json!([row(2023, 1)]));
    history.push(annulled("1", "2025-03-01"));
    assert_eq!(
        rows("proposals", &history, Some("recipient_kind"), NO, None, None),
        json!([{"recipient_kind": "collective", "proposed": 2, "awarded": 0}])
    );
}

#[test]
fn levels_are_distinct_levels_of_one_model() {
    let mut history = five();
    for (model, level, number) in
        [("a", "district", "1"), ("a", "district", "2"), ("a", "city", "3"), ("b", "district", "1"), ("c", "city", "3")]
    {
        history.push(recognised(model, level, number, "2024-06-01"));
    }
    assert_eq!(
        rows("multi-level", &history, None, NO, None, None),
        json!([
            {"levels": 1, "distinct_models": 2}, {"levels": 2, "distinct_models": 1},
        ])
    );
    assert_eq!(
        rows("multi-level", &history, Some("year"), &["levels=1"], None, None),
        json!([
            {"year": 2023, "distinct_models": 1}, {"year": 2024, "distinct_models": 1},
        ])
    );
    history.push(annulled("3", "2025-01-01"));
    assert_eq!(rows("multi-level", &history, None, NO, None, None), json!([{"levels": 1, "distinct_models": 2}]));
    assert_eq!(rows("multi-level", &history, Some(""), NO, None, None), json!([{"distinct_models": 2}]));
}

#[test]
fn the_sum_so_far_has_a_row_for_every_year() {
    let mut history = five();
    history.push(recognised("a", "district", "1", "2026-01-05"));
    history.push(recognised("a", "city", "2", "2027-01-05"));
    history.push(award("x", "3", None, "2026-02-01"));
    history.push(annulled("2", "2027-02-01"));
    let row = |year: i32, registered: u64, recognised: u64| json!({"year": year, "registered": registered, "recognised": recognised, "plaques": 0, "commendations": recognised});
    assert_eq!(
        rows("cumulative", &history, None, NO, None, None),
        json!([row(2023, 2, 0), row(2024, 5, 0), row(2025, 5, 0), row(2026, 5, 1)])
    );
    assert_eq!(rows("cumulative", &history, None, &["year=2025"], None, None), json!([row(2025, 5, 0)]));
    let total = |filters: &[&str]| rows("cumulative", &history, Some(""), filters, None, None);
    assert_eq!(total(NO), json!([{"registered": 5, "recognised": 1, "plaques": 0, "commendations": 1}]));
    assert_eq!(total(&["year=2023"]), json!([{"registered": 2, "recognised": 0, "plaques": 0, "commendations": 0}]));
    assert_eq!(total(&["year=2030"]), json!([{"registered": 0, "recognised": 0, "plaques": 0, "commendations": 0}]));
    assert_eq!(
        rows("cumulative", &history, None, NO, Some("2023-03-01"), Some("2024-01-31")),
        json!([row(2023, 1, 0), row(2024, 2, 0)])
    );
}

#[test]
fn corrections_and_retractions_are_in_the_register_by_their_own_day() {
    let mut history = five();
    history.push(at("2024-05-01", json!({"type": "model_withdrawn", "model": "a", "reason": "moved"})));
    history.push(corrected(
        5,
        "2026-01-01",
        at("2023-05-01", json!({"type": "model_withdrawn", "model": "a", "reason": "left"})),
    ));
    history.push(retracted(4, "2026-02-01"));
    // Recorded raw, past the rules: nothing stands to be corrected.
    history.push(corrected(4, "2027-01-01", registered("e", "u1", "economy", "collective", 2024, "2023-12-20")));
    assert_eq!(
        rows("amendments", &history, Some("type,year"), NO, None, None),
        json!([
            {"type": "model_withdrawn", "year": 2023, "count": 1},
            {"type": "record_corrected", "year": 2026, "count": 1},
            {"type": "record_corrected", "year": 2027, "count": 1},
            {"type": "record_retracted", "year": 2026, "count": 1},
        ])
    );
    assert_eq!(rows("registered", &history, Some(""), NO, None, None), json!([{"count": 4}]));
    assert_eq!(
        rows("amendments", &history, Some(""), &["type=record_corrected"], Some("2027-01-01"), None),
        json!([{"count": 1}])
    );
}

#[test]
fn two_spellings_are_one_model_and_one_unit() {
    let (composed, decomposed) = ("Ph\u{FA}", "Phu\u{301}");
    let history = vec![
        registered(composed, decomposed, "economy", "collective", 2023, "2023-02-01"),
        registered("other", composed, "economy", "collective", 2023, "2023-02-01"),
        recognised(decomposed, "district", "1", "2023-06-01"),
        recognised(composed, "city", "1", "2023-06-01"),
    ];
    assert_eq!(
        rows("recognised", &history, Some("unit"), &[&format!("unit={decomposed}")], None, None),
        json!([
            {"unit": composed, "count": 2, "distinct_models": 1},
        ])
    );
    assert_eq!(rows("registered", &history, Some("unit"), NO, None, None), json!([{"unit": composed, "count": 2}]));
}

#[test]
fn nothing_recorded_is_no_row_and_one_total() {
    for name in sovang_recognition::tally::Name::ALL {
        assert_eq!(rows(name.as_str(), &[], None, NO, None, None), json!([]), "{name}");
        let total = ledger::table(name.as_str(), &[], Some(""), NO, None, None);
        assert_eq!(total.rows.len(), 1, "{name}");
        assert!(total.rows[0].measures.iter().all(|m| m.value == 0) && total.rows[0].dimensions.is_empty(), "{name}");
    }
}
