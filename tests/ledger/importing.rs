//! Importing: judged entry after entry, appended all or none, migrated to the same root.

use crate::loan::{DAY, Loan, ORIGIN, at, entry_of, fixed, in_memory, moves, opened, repaid, signed};
use proptest::prelude::*;
use sovang::personal::{Given, Opened};
use sovang::recognition::rules::WholeOffice;
use sovang::recognition::{self, Field, Recognition, SubjectKind, UnitKind};
use sovang::{
    Actor, Entry, Envelope, ErrorKind, Event, ExecuteError, Historic, Import, Imported, Importer, Ledger, NoRules, Options,
    Personal, Position, Query, RecordId, Recorded, Rules, Size, Taken, date,
};
use std::thread;

fn id(number: u128) -> RecordId {
    RecordId::from_bytes(number.to_be_bytes())
}
fn import<E: Event>(entry: Entry<E>) -> Import<E> {
    let envelope = Envelope { source: Some("old register".into()), ..Envelope::by(Actor::new("clerk:old").unwrap()) };
    Import { entry, envelope, recorded_at: None, given: Vec::new() }
}
fn failure<T: std::fmt::Debug, R: std::fmt::Debug>(outcome: Result<T, ExecuteError<R>>) -> sovang::Error {
    match outcome {
        Err(ExecuteError::Failed(error)) => error,
        other => panic!("{other:?}"),
    }
}
fn counts(done: &Imported) -> (u64, u64) {
    (done.appended, done.duplicates)
}

#[test]
fn entries_keep_their_ids_and_actors_and_are_appended_together() {
    let ledger = in_memory();
    ledger.by("teller:1").record(opened("L-0", 1).on(DAY)).unwrap();
    let mut importer = ledger.importer(NoRules).unwrap();
    for n in 1..=3 {
        let cents = i64::try_from(n).unwrap();
        assert_eq!(importer.take(import(opened("L-1", cents).on(date(1999, 1, 1)).with_id(id(n)))).unwrap(), Taken::New);
    }
    importer.take(import(repaid("L-1", 1).on(DAY).source("page 7"))).unwrap();
    assert_eq!(importer.take(import(opened("L-1", 3).on(date(1999, 1, 1)).with_id(id(3)))).unwrap(), Taken::Duplicate);
    let other = failure(importer.take(import(opened("L-1", 4).on(date(1999, 1, 1)).with_id(id(3)))));
    assert_eq!((other.kind(), other.ids()), (ErrorKind::ContentDiffers, &[id(3)][..]));
    assert_eq!(ledger.head().size, Size(1), "nothing before the end");
    let done = importer.finish().unwrap();
    assert_eq!((counts(&done), done.head), ((4, 1), ledger.head()));

    let record = ledger.find(id(2)).unwrap().unwrap();
    assert_eq!(
        (record.position, record.actor.as_str(), record.source.as_deref()),
        (Position(2), "clerk:old", Some("old register"))
    );
    assert_eq!(
        (record.occurred_on, record.recorded_at),
        (date(1999, 1, 1), at(DAY, 12, 0)),
        "its own day, and the writer's time"
    );
    assert_eq!(ledger.get(Position(4)).unwrap().source.as_deref(), Some("page 7"));
    // Once more: all there.
    let mut again = ledger.importer(NoRules).unwrap();
    for n in 1..=3 {
        let cents = i64::try_from(n).unwrap();
        assert_eq!(again.take(import(opened("L-1", cents).on(date(1999, 1, 1)).with_id(id(n)))).unwrap(), Taken::Duplicate);
    }
    let differs = failure(again.take(import(opened("L-9", 1).on(DAY).with_id(id(1)))));
    assert_eq!((differs.kind(), differs.position()), (ErrorKind::ContentDiffers, Some(Position(1))));
    assert_eq!(counts(&again.finish().unwrap()), (0, 3));
    ledger.verify().unwrap();
}

#[test]
fn what_is_abandoned_was_never_there() {
    let ledger = in_memory();
    let mut importer = ledger.importer(NoRules).unwrap();
    importer.take(import(opened("L-1", 1).on(DAY))).unwrap();
    assert_eq!(counts(&importer.abandon().unwrap()), (1, 0), "what would have been");
    assert_eq!(ledger.head().size, Size::ZERO);

    let mut importer = ledger.importer(NoRules).unwrap().batch(2);
    for n in 0..5 {
        importer.take(import(opened("L-1", n).on(DAY))).unwrap();
    }
    assert_eq!(ledger.head().size, Size(4), "with batches, as it goes");
    drop(importer);
    assert_eq!(ledger.head().size, Size(4));
}

#[test]
fn what_the_writer_would_refuse_is_refused_at_once() {
    let ledger = in_memory();
    let desk = ledger.by("teller:1");
    let there = desk.record(opened("L-0", 1).on(DAY).with_id(id(100))).unwrap();
    let fix = desk.record(crate::loan::corrected(&there, DAY, opened("L-0", 2)).on(DAY)).unwrap();
    let mut importer = ledger.importer(NoRules).unwrap();
    importer.take(import(repaid("L-1", 1).on(DAY).with_id(id(1)))).unwrap();
    let replaced = |target, by: Loan| import(Loan::Corrected { target, on: DAY, by: Box::new(by) }.on(DAY));
    importer.take(replaced(id(1), repaid("L-1", 2))).unwrap();
    for (target, by) in [
        (id(9), repaid("L-1", 2)),    // nowhere
        (fix.id, opened("L-0", 3)),   // an amendment
        (id(1), opened("L-1", 2)),    // of another kind, in this import
        (there.id, repaid("L-0", 2)), // and in the log
    ] {
        let error = failure(importer.take(replaced(target, by)));
        assert_eq!((error.kind(), error.ids().len()), (ErrorKind::AmendmentTarget, 1), "{error}");
    }
    let sealed = Loan::Signed { loan: "L-1".into(), borrower: Personal::Sealed, guarantor: Personal::None };
    assert_eq!(failure(importer.take(import(sealed.on(DAY)))).kind(), ErrorKind::Codec);
    let early = importer.take_ledger_event(
        &sovang::LedgerEvent::SubjectErased { handle: [0; 16], basis: "x".into() },
        id(5),
        DAY,
        Envelope::by(Actor::new("a").unwrap()),
        None,
    );
    assert_eq!(early.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(importer.migrating().map(drop).unwrap_err().kind(), ErrorKind::NotEmpty);
    assert_eq!(ledger.head().size, Size(2));
}

#[test]
fn a_large_import_is_one_as_well() {
    let ledger = in_memory();
    let mut importer = ledger.importer(NoRules).unwrap();
    for n in 0..3_000 {
        importer.take(import(opened("L-1", n).on(DAY))).unwrap();
    }
    // What the ledger itself records is in nobody's way.
    ledger.by("teller:1").record(signed("L-2", 1).on(DAY)).map(drop).unwrap();
    let error = importer.finish().unwrap_err();
    assert_eq!((error.kind(), error.conflict().unwrap().position), (ErrorKind::Conflict, Position(0)));
    assert_eq!(ledger.head().size, Size(1), "none of it");

    let mut importer = ledger.importer(NoRules).unwrap();
    for n in 0..3_000 {
        importer.take(import(opened("L-1", n).on(DAY))).unwrap();
    }
    ledger.by("teller:1").erase("citizen:1", "request").unwrap();
    let done = importer.finish().unwrap();
    assert_eq!((counts(&done), done.head.size), ((3_000, 0), Size(3_002)));
    assert_eq!(ledger.read(Query::tag("loan", "L-1")).into_iter().count(), 3_000);
    ledger.verify().unwrap();
}

#[test]
fn after_a_conflict_the_import_is_over() {
    let ledger = in_memory();
    let mut importer = ledger.importer(NoRules).unwrap().batch(2);
    importer.take(import(opened("L-1", 1).on(DAY).with_id(id(1)))).unwrap();
    importer.take(import(opened("L-1", 2).on(DAY).with_id(id(2)))).unwrap();
    ledger.by("teller:1").record(opened("L-2", 3).on(DAY)).unwrap();
    importer.take(import(opened("L-1", 3).on(DAY).with_id(id(3)))).unwrap();
    for n in [4, 5] {
        let error = failure(importer.take(import(opened("L-1", 4).on(DAY).with_id(id(n)))));
        assert_eq!((error.kind(), error.conflict().map(|c| c.position)), (ErrorKind::Conflict, Some(Position(2))));
    }
    assert_eq!(importer.finish().unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(ledger.head().size, Size(3));
    // The same import completes it.
    let mut importer = ledger.importer(NoRules).unwrap();
    for (n, cents) in [(1, 1), (2, 2), (3, 3), (4, 4)] {
        importer.take(import(opened("L-1", cents).on(DAY).with_id(id(n)))).unwrap();
    }
    assert_eq!(counts(&importer.finish().unwrap()), (2, 2));
}

#[test]
fn the_offices_rules_judge_an_import() {
    let ledger = Options::new().in_memory::<Recognition>("example.org/golden-book").unwrap();
    let day = date(2024, 3, 1);
    let unit = || recognition::unit_defined("co-nhue-1", "Cổ Nhuế 1", UnitKind::Ward, date(2013, 12, 27)).on(date(2013, 12, 27));
    let model = |name: &str| {
        recognition::model_registered(name, "Flower road", SubjectKind::Collective, "co-nhue-1", Field::CultureSociety, 2024)
            .on(day)
    };
    let correction = |target, name: &str| {
        let by =
            recognition::model_registered(name, "Flower lane", SubjectKind::Collective, "co-nhue-1", Field::CultureSociety, 2024);
        recognition::record_corrected(target, by, day, "misread").on(day)
    };
    let rule = |outcome: Result<Taken, ExecuteError<recognition::rules::Refusal>>| match outcome {
        Err(ExecuteError::Refused(why)) => why.rule(),
        other => panic!("{other:?}"),
    };
    let mut importer = ledger.importer(WholeOffice::new()).unwrap();
    assert_eq!(rule(importer.take(import(model("flower-road")))), 1, "no such unit yet");
    importer.take(import(unit().with_id(id(1)))).unwrap();
    importer.take(import(model("flower-road").with_id(id(2)))).unwrap();
    assert_eq!(rule(importer.take(import(model("flower-road")))), 1, "of this import");
    assert!(matches!(importer.take(import(correction(id(9), "flower-road"))), Err(ExecuteError::Refused(_))), "amends nothing");
    importer.take(import(correction(id(2), "flower-road").with_id(id(3)))).unwrap();
    assert!(
        matches!(importer.take(import(correction(id(3), "flower-road"))), Err(ExecuteError::Refused(_))),
        "amends an amendment"
    );
    assert_eq!(counts(&importer.finish().unwrap()), (3, 0));

    // On the log as well as on what was taken; and what was there is a duplicate before any rule.
    let mut importer = ledger.importer(WholeOffice::new()).unwrap();
    assert_eq!(importer.take(import(model("flower-road").with_id(id(2)))).unwrap(), Taken::Duplicate);
    assert_eq!(rule(importer.take(import(model("flower-road")))), 1);
    importer.take(import(model("lamp-road"))).unwrap();
    let decision = recognition::decision("district", "120/QD-UBND", date(2024, 9, 2));
    let recognised = recognition::model_recognised("lamp-road", recognition::Level::District, decision);
    importer.take(import(recognised.today())).expect("judged by the day it is");
    assert_eq!(counts(&importer.finish().unwrap()), (2, 1));
}

/// What another ledger's export would say of a record.
fn exported(from: &Ledger<Loan>, record: Recorded<Loan>) -> Import<Loan> {
    let given = record
        .commitments()
        .into_iter()
        .map(|(field, commitment)| match from.open_value(&commitment).unwrap() {
            Opened::Known { salt, .. } => (field, Given::Salt(salt)),
            _ => (field, Given::Commitment(commitment)),
        })
        .collect();
    let envelope =
        Envelope { actor: record.actor, source: record.source, correlation: record.correlation, causation: record.causation };
    let entry = record.event.on(record.occurred_on).with_id(record.id);
    let entry = match record.overriding {
        None => entry,
        Some(waived) => entry.overriding(waived.rules, waived.reason),
    };
    Import { entry, envelope, recorded_at: Some(record.recorded_at), given }
}
fn migrate<R: Rules<Loan>>(from: &Ledger<Loan>, into: &mut Importer<Loan, R>)
where
    R::Refusal: std::fmt::Debug,
{
    for record in from.history(Size::ZERO).unwrap() {
        let taken = match record.unwrap() {
            Historic::Event(record) => into.take(exported(from, record)).unwrap(),
            Historic::Ledger(record) => {
                let envelope = Envelope {
                    actor: record.actor,
                    source: record.source,
                    correlation: record.correlation,
                    causation: record.causation,
                };
                into.take_ledger_event(&record.event, record.id, record.occurred_on, envelope, Some(record.recorded_at)).unwrap()
            }
        };
        assert_eq!(taken, Taken::New);
    }
}

#[test]
fn a_migration_brings_everything_with_it() {
    let (options, clock) = fixed();
    let from = options.in_memory::<Loan>(ORIGIN).unwrap();
    let desk = from.by("teller:1").source("scan").correlation("c");
    let first = desk.record(signed("L-1", 1).on(DAY).overriding([2], "known well")).unwrap();
    clock.set(at(DAY, 13, 0));
    desk.clone().caused_by(&from.get(first.position).unwrap()).record(signed("L-2", 2).today()).unwrap();
    desk.erase("citizen:1", "request").unwrap();
    let into = Options::new().in_memory::<Loan>("example.org/new-home").unwrap();
    let mut importer = into.importer(NoRules).unwrap().migrating().unwrap();
    migrate(&from, &mut importer);
    let done = importer.finish().unwrap();
    assert_eq!((done.head, counts(&done)), (from.head(), (3, 0)));
    into.verify().unwrap();
    let (old, new) = (from.get(Position(1)).unwrap(), into.get(Position(1)).unwrap());
    assert_eq!((&new.event, new.recorded_at, new.causation), (&old.event, old.recorded_at, Some(first.id)));
    // Who was erased there is not to be known here.
    assert!(matches!(into.get(Position(0)).unwrap().event, Loan::Signed { borrower: Personal::Sealed | Personal::Erased, .. }));
    into.by("teller:1").record(repaid("L-1", 1).on(DAY)).unwrap();

    // A migration's times are given, and never go back; a refused entry leaves no mark.
    let other = Options::new().in_memory::<Loan>(ORIGIN).unwrap();
    let mut importer = other.importer(NoRules).unwrap().migrating().unwrap();
    let timed = |hour: u8, event: Loan| Import { recorded_at: Some(at(DAY, hour, 0)), ..import(event.on(DAY)) };
    assert_eq!(failure(importer.take(import(opened("L-1", 1).on(DAY)))).kind(), ErrorKind::InvalidInput);
    importer.take(timed(9, opened("L-1", 1))).unwrap();
    assert_eq!(failure(importer.take(timed(23, Loan::Withdrawn { target: id(77) }))).kind(), ErrorKind::AmendmentTarget);
    importer.take(timed(10, opened("L-1", 2))).unwrap();
    assert_eq!(failure(importer.take(timed(9, opened("L-1", 3)))).kind(), ErrorKind::InvalidInput);
    assert_eq!(counts(&importer.finish().unwrap()), (2, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    /// However records come to be in batches and segments, they have one root.
    #[test]
    fn one_root_for_the_same_records(
        moves in moves(60),
        threads in 1usize..4,
        batch in 1usize..20,
        segment_bytes in 1u64..20_000,
        erase in any::<bool>(),
    ) {
        let from = in_memory();
        thread::scope(|scope| {
            for (teller, share) in moves.chunks(moves.len().div_ceil(threads).max(1)).enumerate() {
                let desk = from.by(format!("teller:{teller}"));
                scope.spawn(move || {
                    let mut originals = Vec::new();
                    for of in share {
                        if let Some(entry) = entry_of(of, &originals) {
                            let event = entry.event().clone();
                            let done = desk.record(entry).unwrap();
                            if event.amends().is_none() {
                                originals.push((done.id, event));
                            }
                        }
                    }
                });
            }
        });
        if erase {
            let _ = from.by("teller:1").erase("citizen:1", "request");
        }
        let home = tempfile::tempdir().unwrap();
        let tiny = Options::new().segment_bytes(segment_bytes).create::<Loan>(home.path().join("tiny"), ORIGIN).unwrap();
        let mut importer = tiny.importer(NoRules).unwrap().batch(batch).migrating().unwrap();
        migrate(&from, &mut importer);
        prop_assert_eq!(importer.finish().unwrap().head, from.head());
        prop_assert_eq!(tiny.verify().unwrap(), from.head());
        let whole = Options::new().in_memory::<Loan>("example.org/elsewhere").unwrap();
        let mut importer = whole.importer(NoRules).unwrap().migrating().unwrap();
        migrate(&tiny, &mut importer);
        prop_assert_eq!(importer.finish().unwrap().head, from.head());
        drop(tiny);
        let tiny = Ledger::<Loan>::open(home.path().join("tiny")).unwrap();
        prop_assert_eq!(tiny.verify().unwrap(), from.head());
    }
}
