//! Reading: queries, directions, cursors, amendments, history, raw events.

use crate::loan::{Balance, DAY, Loan, ORIGIN, at, closed, corrected, fixed, in_memory, opened, repaid, signed, withdrawn};
use sovang::{
    ErrorKind, Event, Historic, Ledger, LedgerEvent, Personal, Position, Query, RawEvent, Reader, Recorded, Size, date,
};
use std::time::Duration;

fn positions(read: impl IntoIterator<Item = sovang::Result<Recorded<Loan>>>) -> Vec<u64> {
    read.into_iter().map(|record| record.unwrap().position.0).collect()
}
/// 0 opened L-1, 1 opened L-2, 2 repaid L-1, 3 repaid L-2, 4 closed L-1, 5 repaid L-1.
fn book() -> Ledger<Loan> {
    let ledger = in_memory();
    let desk = ledger.by("teller:1");
    for event in [opened("L-1", 50), opened("L-2", 70), repaid("L-1", 50), repaid("L-2", 7), closed("L-1"), repaid("L-1", 1)] {
        desk.record(event.on(DAY)).unwrap();
    }
    ledger
}

#[test]
fn a_query_is_a_union_of_conjunctions() {
    let ledger = book();
    let of = |query: Query| positions(ledger.read(query));
    assert_eq!(of(Query::all()), [0, 1, 2, 3, 4, 5]);
    assert_eq!(of(Query::none()), [] as [u64; 0]);
    assert_eq!(of(Query::tag("loan", "L-1")), [0, 2, 4, 5]);
    assert_eq!(of(Query::kind(Loan::REPAID)), [2, 3, 5]);
    assert_eq!(of(Query::kinds([Loan::REPAID, Loan::OPENED]).tagged("loan", "L-1")), [0, 2, 5]);
    assert_eq!(of(Query::tag("loan", "L-2").or(Query::kind(Loan::KINDS[2]))), [1, 3, 4]);
    assert_eq!(of(Query::tag("loan", "L-1").tagged("loan", "L-2")), [] as [u64; 0]);
    assert_eq!(of(Query::tag("loan", "L-3")), [] as [u64; 0]);
}

#[test]
fn a_read_starts_at_its_cursor_and_goes_either_way() {
    let ledger = book();
    let read = || ledger.read(Query::tag("loan", "L-1"));
    assert_eq!(positions(read().from(Size(2))), [2, 4, 5]);
    assert_eq!(positions(read().backwards()), [5, 4, 2, 0]);
    assert_eq!(positions(read().backwards().from(Size(3))), [5, 4]);
    assert_eq!(positions(read().from(Size(6))), [] as [u64; 0]);
    assert_eq!(positions(read().from(Size(60))), [] as [u64; 0]);
    assert_eq!(positions(ledger.read(Query::kind(Loan::REPAID)).backwards()), [5, 3, 2]);
    let last = ledger.read(Query::all()).backwards().into_iter().take(2).collect::<sovang::Result<Vec<_>>>().unwrap();
    assert_eq!(positions(last.into_iter().map(Ok)), [5, 4]);
    let records = ledger.read(Query::all()).into_iter();
    assert_eq!(std::thread::spawn(|| positions(records)).join().unwrap(), [0, 1, 2, 3, 4, 5], "a thread may take it");
}

#[test]
fn what_is_not_there_is_said_to_be_so() {
    let ledger = book();
    let beyond = ledger.get(Position(6)).unwrap_err();
    assert_eq!((beyond.kind(), beyond.position()), (ErrorKind::NotFound, Some(Position(6))));
    assert_eq!(ledger.get(Position(5)).unwrap().event, repaid("L-1", 1));
    assert_eq!(ledger.as_of(Size(7)).unwrap_err().kind(), ErrorKind::NotFound);
    let early = ledger.as_of(Size(5)).unwrap();
    assert_eq!(early.get(Position(5)).unwrap_err().kind(), ErrorKind::NotFound);
    let last = ledger.get(Position(5)).unwrap().id;
    assert!(early.find(last).unwrap().is_none() && ledger.find(last).unwrap().is_some());
    assert_eq!(positions(early.read(Query::tag("loan", "L-1"))), [0, 2, 4]);
    assert_eq!(positions(early.read(Query::all()).backwards()), [4, 3, 2, 1, 0]);
}

#[test]
fn an_amendment_is_found_where_its_target_is() {
    let ledger = in_memory();
    let desk = ledger.by("teller:1");
    let record = |event: Loan| desk.record(event.on(DAY)).unwrap();
    let first = record(repaid("L-1", 10));
    record(repaid("L-2", 10));
    record(corrected(&first, date(2023, 1, 1), repaid("L-3", 11)));
    record(corrected(&first, DAY, repaid("L-2", 12)));
    record(withdrawn(&first));
    let of = |query: Query| positions(ledger.read(query));
    assert_eq!(of(Query::tag("loan", "L-1")), [0, 2, 3, 4]);
    assert_eq!(of(Query::tag("loan", "L-2")), [1, 3, 4], "its own tags, and those of every earlier amendment");
    assert_eq!(of(Query::tag("loan", "L-3")), [2, 3, 4]);
    assert_eq!(of(Query::kind(Loan::REPAID)), [0, 1, 2, 3, 4]);
    assert_eq!(of(Query::kind(Loan::CORRECTED)), [2, 3, 4], "the kind of an earlier amendment counts as well");
    assert_eq!(of(Query::record(first.id)), [0, 2, 3, 4]);
    assert_eq!(positions(ledger.read(Query::record(first.id)).backwards()), [4, 3, 2, 0]);

    let effects = |position: u64| -> Vec<(i64, Loan, sovang::Date)> {
        let record = ledger.get(Position(position)).unwrap();
        assert!(record.effects().all(|e| e.id == if position == 1 { record.id } else { first.id }));
        record.effects().map(|e| (e.weight, e.event.clone(), e.occurred_on)).collect()
    };
    assert_eq!(effects(0), [(1, repaid("L-1", 10), DAY)]);
    assert_eq!(effects(2), [(-1, repaid("L-1", 10), DAY), (1, repaid("L-3", 11), date(2023, 1, 1))]);
    assert_eq!(effects(3), [(-1, repaid("L-3", 11), date(2023, 1, 1)), (1, repaid("L-2", 12), DAY)]);
    assert_eq!(effects(4), [(-1, repaid("L-2", 12), DAY)]);
    // What was retracted stays so, whatever comes.
    record(corrected(&first, DAY, repaid("L-1", 99)));
    assert_eq!(effects(5), []);
    assert_eq!(ledger.fold(Balance::of("L-1")).unwrap().cents, 0);
}

#[test]
fn history_and_raw_events_show_the_ledgers_own_records() {
    let home = tempfile::tempdir().unwrap();
    let (options, _) = fixed();
    let ledger = options.create::<Loan>(home.path().join("book"), ORIGIN).unwrap();
    let desk = ledger.by("teller:1");
    desk.record(signed("L-1", 1).on(DAY)).unwrap();
    let erasure = desk.erase("citizen:1", "request of 2 May").unwrap();
    desk.record(opened("L-1", 5).on(DAY)).unwrap();

    assert_eq!(positions(ledger.read(Query::all())), [0, 2]);
    assert_eq!(positions(ledger.read(Query::all()).backwards()), [2, 0]);
    let error = ledger.get(erasure.position).unwrap_err();
    assert_eq!((error.kind(), error.position()), (ErrorKind::Codec, Some(erasure.position)));

    let mut history = ledger.history(Size::ZERO).unwrap().map(Result::unwrap);
    assert!(matches!(history.next(), Some(Historic::Event(r)) if r.position == Position(0)));
    let Some(Historic::Ledger(record)) = history.next() else { panic!("the erasure") };
    let LedgerEvent::SubjectErased { basis, .. } = &record.event else { panic!("{record:?}") };
    assert_eq!((record.id, basis.as_str(), record.actor.as_str()), (erasure.id, "request of 2 May", "teller:1"));
    assert!(matches!(history.next(), Some(Historic::Event(r)) if r.event == opened("L-1", 5)));
    assert!(history.next().is_none());
    assert_eq!(ledger.history(Size(2)).unwrap().count(), 1);
    assert_eq!(ledger.history(Size(9)).unwrap().count(), 0);

    let raw = Ledger::<RawEvent>::open_read_only(home.path().join("book")).unwrap();
    let numbers = |read: sovang::Read<RawEvent>| read.into_iter().map(|r| r.unwrap().event.number).collect::<Vec<_>>();
    assert_eq!(numbers(raw.read(Query::all())), [4, 0xFF00, 1]);
    assert_eq!(numbers(raw.read(Query::all()).backwards()), [1, 0xFF00, 4]);
    assert_eq!(numbers(raw.read(Query::all().or(Query::kind(Loan::OPENED))).from(Size(1))), [0xFF00, 1]);
    assert_eq!(numbers(raw.read(Query::kind(Loan::OPENED))), [1]);
    assert_eq!(raw.get(erasure.position).unwrap().hash(), erasure.hash);
    let audit = raw.audit().unwrap();
    assert!(audit.is_sound() && audit.head == ledger.head(), "{:?}", audit.findings);
}

#[test]
fn personal_values_are_opened_for_readers() {
    let ledger = in_memory();
    let desk = ledger.by("teller:1");
    let done = desk.record(signed("L-1", 1).on(DAY)).unwrap();
    fn borrower(reader: &Reader<Loan>, position: Position) -> Personal<String> {
        match reader.get(position).unwrap().event {
            Loan::Signed { borrower, guarantor: Personal::None, .. } => borrower,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(borrower(&ledger, done.position), Personal::of("citizen:1", "Name-of-1"));
    assert_eq!(format!("{:?}", borrower(&ledger, done.position)), "Known(…)");
    // What was read sealed or erased cannot be recorded as if it were known.
    for unknown in [Personal::Sealed, Personal::Erased] {
        let event = Loan::Signed { loan: "L-2".into(), borrower: unknown, guarantor: Personal::None };
        assert_eq!(desk.record(event.on(DAY)).unwrap_err().kind(), ErrorKind::Codec);
    }
    // An amendment's effects tell of the person as well.
    let fix = desk.record(corrected(&done, DAY, signed("L-1", 2)).on(DAY)).unwrap();
    let record = ledger.get(fix.position).unwrap();
    let names: Vec<_> = record
        .effects()
        .map(|effect| match effect.event {
            Loan::Signed { borrower, .. } => borrower.value().map(String::as_str),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, [Some("Name-of-1"), Some("Name-of-2")]);
}

#[test]
fn as_of_a_day_an_instant_or_a_size() {
    let (options, clock) = fixed();
    let hanoi = options.utc_offset(7 * 3600).in_memory::<Loan>(ORIGIN).unwrap();
    let desk = hanoi.by("teller:1");
    let record = |hour: u8, minute: u8| {
        clock.set(at(DAY, hour, minute));
        desk.record(opened("L-1", 1).on(date(2001, 1, 1))).unwrap();
    };
    record(16, 58);
    record(16, 59);
    record(17, 0); // midnight in Hà Nội
    let size = |reader: sovang::Result<Reader<Loan>>| reader.unwrap().head().size.0;
    let day = |offset: i64| DAY.checked_add(time::Duration::days(offset)).unwrap();
    assert_eq!(size(hanoi.as_of(day(-1))), 0);
    assert_eq!(size(hanoi.as_of(DAY)), 2);
    assert_eq!(size(hanoi.as_of(day(1))), 3);
    assert_eq!(size(hanoi.as_of(at(DAY, 16, 58))), 1, "a record of that very instant is known then");
    assert_eq!(size(hanoi.as_of(at(DAY, 16, 57))), 0);
    assert_eq!(size(hanoi.as_of(Size(2))), 2);
    assert_eq!(hanoi.as_of(Size::ZERO).unwrap().head().root, sovang::Root::empty());

    // It has stopped growing, and what it says of itself stays true.
    let then = hanoi.as_of(day(1)).unwrap();
    let head = then.head();
    clock.advance(Duration::from_secs(60));
    desk.record(opened("L-1", 1).on(DAY)).unwrap();
    assert_eq!((then.refresh().unwrap(), then.head()), (head, head));
    assert_eq!(then.fold(Balance::of("L-1")).unwrap().cents, 3);
    assert_eq!(then.verify().unwrap(), head);
    assert_eq!(hanoi.as_of(head.size).unwrap().head(), head);
    assert_eq!(size(then.as_of(DAY)), 2, "also as of an earlier day");
    assert_eq!(then.as_of(Size(4)).unwrap_err().kind(), ErrorKind::NotFound);
}
