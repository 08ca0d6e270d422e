//! The office's rules that are kept when figures are made: 10 (a published figure is never added to detail), 11 (erasing a
//! person changes nothing else) and 12 (a sum that contains a bound is a bound).
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use sovang::recognition::tally::{Bound, Name, Request, Table, Tally};
use sovang::recognition::{
    self, Contribution, Field, Form, LandKind, Level, ModelFunded, Qualifier, Recipient, Recognition, Source, SubjectKind,
    UnitKind,
};
use sovang::testing::{ManualClock, SeededIds};
use sovang::{Date, Ledger, Options, Personal, Position, UtcDateTime, date};

const DAY: Date = date(2024, 5, 5);

fn office() -> Ledger<Recognition> {
    let options = Options::new().clock(ManualClock::at(UtcDateTime::UNIX_EPOCH)).ids(SeededIds::new(11));
    let ledger = options.in_memory::<Recognition>("example.org/office").unwrap();
    let clerk = ledger.by("clerk");
    clerk.execute(&recognition::unit_defined("w", "W", UnitKind::Ward, date(2013, 12, 27)).on(DAY)).unwrap();
    let person = Personal::of("P-17", "Nguyễn Văn A");
    let garden = recognition::model_registered("garden", "Garden", SubjectKind::Individual, "w", Field::Economy, 2024)
        .subject(person.clone());
    clerk.execute(&garden.on(DAY)).unwrap();
    let decision = recognition::decision("district", "1/QD", DAY);
    clerk.execute(&recognition::model_recognised("garden", Level::District, decision.clone()).on(DAY)).unwrap();
    let gift =
        recognition::model_funded("garden", Contribution::Cash { vnd: 5_000_000 }, Source::Socialised).donor(person.clone());
    clerk.execute(&gift.on(DAY)).unwrap();
    let award = recognition::commendation_awarded(
        "C-1",
        Recipient::individual(person),
        Form::CertificateOfMerit,
        Level::District,
        decision,
    );
    clerk.execute(&award.on(DAY)).unwrap();
    ledger
}

fn every_tally(ledger: &Ledger<Recognition>) -> Vec<Table> {
    let table = |name: &Name| ledger.fold(Tally::new(*name, Request::of(*name)).unwrap()).unwrap().table();
    Name::ALL.iter().map(table).collect()
}

#[test]
fn rule_10_a_published_figure_is_never_added_to_detail() {
    let ledger = office();
    let before = every_tally(&ledger);
    for measure in ["registered", "recognised", "contributions", "vnd", "count"] {
        let figure = recognition::figure_published(measure, "w", "2024", 6_977, Qualifier::Exact, "a press report");
        ledger.by("press").execute(&figure.on(DAY)).unwrap();
    }
    assert_eq!(every_tally(&ledger), before);
}

#[test]
fn rule_11_erasing_a_person_changes_no_total_no_hash_and_no_proof() {
    let ledger = office();
    let (before, head) = (every_tally(&ledger), ledger.head());
    let hashes: Vec<_> = (0..head.size.0).map(|p| ledger.get(Position(p)).unwrap().hash()).collect();
    ledger.by("officer").erase("P-17", "personal data law 91/2025, art. 14").unwrap();
    assert_eq!(every_tally(&ledger), before);
    assert_eq!(ledger.as_of(head.size).unwrap().head(), head);
    for (position, hash) in (0..).zip(hashes) {
        assert_eq!(ledger.get(Position(position)).unwrap().hash(), hash);
    }
    ledger.verify().unwrap();
    let Recognition::ModelFunded(ModelFunded { donor, .. }) = ledger.get(Position(3)).unwrap().event else { panic!("a gift") };
    assert_eq!(donor, Personal::Erased);
}

/// The cash of 2024 after these gifts: its sum and what kind of bound it is.
fn cash(qualifiers: &[Option<Qualifier>]) -> (i128, Option<Bound>) {
    let ledger = office();
    for qualifier in qualifiers {
        let gift = recognition::model_funded("garden", Contribution::Cash { vnd: 1_000 }, Source::Socialised);
        let gift = if let Some(qualifier) = qualifier { gift.qualifier(*qualifier) } else { gift };
        ledger.by("clerk").execute(&gift.on(DAY)).unwrap();
    }
    let request = Request::parse(Name::Contributions, Some(""), &["kind=cash"], None, None).unwrap();
    let row = ledger.fold(Tally::new(Name::Contributions, request).unwrap()).unwrap().rows().remove(0);
    let measure = row.measure("vnd").unwrap();
    assert_eq!(row.measure("count").unwrap().bound, None, "a number of gifts is a number");
    (measure.value, measure.bound)
}

#[test]
fn rule_12_a_sum_that_contains_a_bound_is_a_bound() {
    use Qualifier::{About, Exact, LessThan, MoreThan};
    assert_eq!(cash(&[None, Some(Exact)]), (5_002_000, None));
    assert_eq!(cash(&[Some(MoreThan), None]), (5_002_000, Some(Bound::MoreThan)));
    assert_eq!(cash(&[Some(LessThan), Some(Exact)]), (5_002_000, Some(Bound::LessThan)));
    assert_eq!(cash(&[Some(LessThan), Some(MoreThan)]), (5_002_000, Some(Bound::About)));
    assert_eq!(cash(&[Some(MoreThan), Some(About)]), (5_002_000, Some(Bound::About)));
}

#[test]
fn rule_12_goods_add_to_money_land_never_does_and_sources_stay_apart() {
    let ledger = office();
    let clerk = ledger.by("clerk");
    let cement = Contribution::InKind { vnd: 2_000_000, description: Some("xi măng".into()) };
    let land = Contribution::Land { square_decimetres: 65_988, land: LandKind::Farm };
    clerk.execute(&recognition::model_funded("garden", cement, Source::Sponsor).on(DAY)).unwrap();
    clerk.execute(&recognition::model_funded("garden", land, Source::Socialised).on(DAY)).unwrap();
    clerk.execute(&recognition::model_funded("garden", Contribution::Cash { vnd: 9 }, Source::Budget).on(DAY)).unwrap();
    let by_source = Request::parse(Name::Contributions, Some("source"), &[] as &[&str], None, None).unwrap();
    let rows = ledger.fold(Tally::new(Name::Contributions, by_source).unwrap()).unwrap().rows();
    let shown: Vec<String> = rows.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "source=budget count=1 vnd=9 labour_days=0 square_decimetres=0",
            "source=socialised count=2 vnd=5000000 labour_days=0 square_decimetres=65988",
            "source=sponsor count=1 vnd=2000000 labour_days=0 square_decimetres=0",
        ]
    );
}
