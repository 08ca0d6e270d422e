//! Whatever is stated of whatever history can be computed again, and only from that history.

use proptest::prelude::*;
use sovang::recognition::tally::{Dimension, Name, Request, Value};
use sovang::recognition::{
    self, Contribution, Field, Form, Level, Qualifier, Recipient, Recognition, RemovalReason, Source, SubjectKind, UnitKind,
};
use sovang::testing::{ManualClock, SeededIds};
use sovang::{Entry, ErrorKind, Event as _, Ledger, Options, SigningKey, Size, Statement, date};

const ORIGIN: &str = "example.org/statements";

/// What a line of a random history is made of: which kind of event, about which of a few models, when, and how much.
type Line = (u8, u8, u16, i64);

fn entry_of((kind, which, year, amount): Line) -> Entry<Recognition> {
    let model = format!("M-{}", which % 4);
    let day = date(i32::from(year), u8::try_from(amount % 12).unwrap() + 1, 15);
    let level = [Level::Commune, Level::District, Level::City][usize::from(which % 3)];
    let decision = recognition::decision("district", format!("{}/QD", amount % 5), day);
    let event: Recognition = match kind % 9 {
        0 => recognition::unit_defined(format!("w-{}", which % 2), "Ward", UnitKind::Ward, day).into(),
        1 => {
            let field = if which % 2 == 0 { Field::Economy } else { Field::CultureSociety };
            recognition::model_registered(model, "T", SubjectKind::Collective, format!("w-{}", which % 2), field, year).into()
        }
        2 => recognition::model_continued(model, year).into(),
        3 => recognition::model_recognised(model, level, decision).into(),
        4 => {
            let gift = recognition::model_funded(model, Contribution::Cash { vnd: amount * 1_000 }, Source::Socialised);
            if which % 2 == 0 { gift.qualifier(Qualifier::MoreThan).into() } else { gift.into() }
        }
        5 => recognition::plaque_mounted(format!("P-{amount}"), model, level, "a wall").into(),
        6 => recognition::plaque_removed(format!("P-{amount}"), RemovalReason::Missing).into(),
        7 => {
            let whom = Recipient::collective("Tổ 5");
            recognition::commendation_proposed(format!("C-{}", amount % 6), whom, Form::Medal, level).into()
        }
        _ => {
            let whom = Recipient::collective("Tổ 5");
            recognition::commendation_awarded(format!("C-{}", amount % 6), whom, Form::Medal, level, decision).into()
        }
    };
    event.on(day)
}

fn history() -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec((0..9u8, 0..8u8, 2014..2025u16, 0..40i64), 1..60)
}

/// A tally, what it is broken down by and filtered by, and how much of the history it is of.
fn question() -> impl Strategy<Value = (Name, Request, prop::sample::Index)> {
    prop::sample::select(Name::ALL.to_vec()).prop_flat_map(|name| {
        let dimensions: Vec<Dimension> = name.dimensions().collect();
        let by = prop::sample::subsequence(dimensions.clone(), 0..=dimensions.len()).prop_shuffle();
        let filter = prop::option::of(prop::sample::select(dimensions));
        let days = (prop::option::weighted(0.3, 2014..2019i32), prop::option::weighted(0.3, 2019..2025i32));
        (by, filter, days, any::<prop::sample::Index>()).prop_map(move |(by, filter, (from, to), as_of)| {
            let (from, to) = (from.map(|year| date(year, 6, 1)), to.map(|year| date(year, 6, 1)));
            let value = |d: Dimension| if d == Dimension::Year { Value::Number(2019) } else { Value::Null };
            (name, Request { by, filters: filter.map(|d| (d, value(d))).into_iter().collect(), from, to }, as_of)
        })
    })
}

fn ledger_of(lines: &[Line]) -> Ledger<Recognition> {
    let clock = ManualClock::at(date(2026, 11, 24).midnight().as_utc());
    let ledger = Options::new().clock(clock).ids(SeededIds::new(5)).in_memory::<Recognition>(ORIGIN).unwrap();
    ledger.by("clerk").record_all(lines.iter().map(|line| entry_of(*line))).unwrap();
    ledger
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn what_is_stated_is_computed_again(
        lines in history(),
        more in history(),
        questions in prop::collection::vec(question(), 1..6),
        changed in any::<prop::sample::Index>(),
    ) {
        let home = tempfile::tempdir().unwrap();
        let log = SigningKey::create(home.path().join("log"), ORIGIN, None).unwrap();
        let figures = SigningKey::create(home.path().join("figures"), "example.org/figures", None).unwrap();
        let ledger = ledger_of(&lines);
        ledger.checkpoint(&log).unwrap();
        let mut statements = Vec::new();
        for (name, request, as_of) in questions {
            let as_of = Size(u64::try_from(as_of.index(lines.len() + 1)).unwrap());
            let text = ledger.state(&figures, name, request, Some(as_of.into())).unwrap().to_string();
            let statement: Statement = text.parse().unwrap();
            prop_assert_eq!(statement.to_string(), text);
            prop_assert_eq!(statement.as_of(), as_of);
            let policy = sovang::Policy::key(log.vkey()).unwrap();
            statement.verify(&[figures.vkey()], Some(&policy)).unwrap();
            ledger.replay(&statement).unwrap();
            statements.push(statement);
        }
        // Whatever is recorded later.
        ledger.by("clerk").record_all(more.iter().map(|line| entry_of(*line))).unwrap();
        // A history that differs in one event of those that the checkpoint covers.
        let mut other = lines.clone();
        let changed = changed.index(lines.len());
        other[changed].3 += 7_000;
        let other = ledger_of(&other);
        for statement in &statements {
            ledger.replay(statement).unwrap();
            let refused = other.replay(statement).unwrap_err();
            prop_assert_eq!(refused.kind(), ErrorKind::NotProven);
        }
    }
}

#[test]
fn what_is_stated_is_bound_to_the_checkpoint() {
    let home = tempfile::tempdir().unwrap();
    let figures = SigningKey::create(home.path().join("figures"), "example.org/figures", None).unwrap();
    let log = SigningKey::create(home.path().join("log"), ORIGIN, None).unwrap();
    let ledger = ledger_of(&[(1, 0, 2020, 1), (1, 1, 2021, 2)]);
    let state = |key: &SigningKey, as_of: Option<sovang::AsOf>| {
        ledger.state(key, Name::Registered, Request::of(Name::Registered), as_of).map_err(|error| error.kind())
    };
    assert_eq!(state(&figures, None).unwrap_err(), ErrorKind::NotFound, "nothing is signed yet");
    ledger.checkpoint(&log).unwrap();
    assert_eq!(state(&log, None).unwrap_err(), ErrorKind::InvalidInput, "the log's key");
    ledger.by("clerk").record(entry_of((1, 2, 2022, 3))).unwrap();
    assert_eq!(state(&figures, Some(Size(3).into())).unwrap_err(), ErrorKind::InvalidInput, "beyond the checkpoint");
    assert_eq!(state(&figures, None).unwrap().as_of(), Size(2));

    // A key that the log was handed over from or to signs no figures, whatever it is called.
    let vkey = figures.vkey();
    ledger.by("operator").rotate_key(None, &vkey.to_string()).unwrap();
    assert_eq!(state(&figures, None).unwrap_err(), ErrorKind::InvalidInput, "a key of the log");
}
