//! Recording without rules: batches, conditions, ids, tickets, envelopes, times.

use crate::loan::{DAY, Loan, ORIGIN, at, closed, corrected, fixed, in_memory, opened, repaid, withdrawn};
use sovang::testing::ManualClock;
use sovang::{Date, ErrorKind, Event, Ledger, Options, Position, Query, RecordId, Size, Ticket, calendar, date};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

#[test]
fn a_record_carries_its_envelope() {
    let (options, clock) = fixed();
    let ledger = options.in_memory::<Loan>(ORIGIN).unwrap();
    let desk = ledger.by("clerk:lan").source("scan:2014/017").correlation("request-9");
    let first = desk.record(opened("L-1", 500).on(date(2014, 5, 2))).unwrap();
    assert_eq!((first.position, first.repeated, first.size()), (Position(0), false, Size(1)));

    let seen = ledger.get(first.position).unwrap();
    assert_eq!(seen.event, opened("L-1", 500));
    assert_eq!((seen.id, seen.hash()), (first.id, first.hash));
    assert_eq!((seen.occurred_on, seen.recorded_at), (date(2014, 5, 2), at(DAY, 12, 0)));
    assert_eq!(seen.actor.as_str(), "clerk:lan");
    assert_eq!(seen.source.as_deref(), Some("scan:2014/017"));
    assert_eq!(seen.correlation.as_deref(), Some("request-9"));
    assert_eq!((seen.causation, &seen.overriding), (None, &None));

    clock.advance(Duration::from_secs(60));
    let effect = ledger.by("clerk:mai").caused_by(&seen);
    let entry = repaid("L-1", 20).today().source("counter 4").overriding([3, 1, 3], "as agreed by telephone");
    let second = ledger.get(effect.record(entry).unwrap().position).unwrap();
    assert_eq!((second.causation, second.correlation.as_deref()), (Some(first.id), Some("request-9")));
    assert_eq!((second.occurred_on, second.recorded_at), (DAY, at(DAY, 12, 1)));
    assert_eq!(second.source.as_deref(), Some("counter 4"), "the entry's own source goes before the desk's");
    let waived = second.overriding.unwrap();
    assert_eq!((waived.rules, waived.reason.as_str()), (vec![1, 3], "as agreed by telephone"));
    assert_eq!(ledger.verify().unwrap(), ledger.head());
}

#[test]
fn a_blank_actor_or_envelope_is_refused_and_the_error_names_the_id() {
    let ledger = in_memory();
    for desk in [ledger.by(" "), ledger.by("a\nb"), ledger.by("t").source(""), ledger.by("t").correlation(" ")] {
        let error = desk.record(opened("L-1", 1).on(DAY)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert_eq!(error.ids().len(), 1);
    }
    let waived = opened("L-1", 1).on(DAY).overriding([], "no rule");
    assert_eq!(ledger.by("t").record(waived).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(ledger.head().size, Size::ZERO);
}

#[test]
fn nothing_is_recorded_outside_of_the_years_that_a_line_can_write() {
    let (options, clock) = fixed();
    let ledger = options.in_memory::<Loan>(ORIGIN).unwrap();
    let desk = ledger.by("teller:1");
    for day in [date(0, 12, 31), date(-1, 1, 1), Date::MIN] {
        let error = desk.record(opened("L-1", 1).on(day)).unwrap_err();
        assert_eq!((error.kind(), error.ids().len()), (ErrorKind::InvalidInput, 1), "{error}");
    }
    assert_eq!(ledger.head().size, Size::ZERO);
    // Nothing was recorded before 1970, whatever a clock says.
    clock.set(at(date(0, 12, 31), 23, 59));
    for day in [date(1, 1, 1), date(9999, 12, 31)] {
        desk.record(opened("L-1", 1).on(day)).unwrap();
    }
    let last = ledger.get(Position(1)).unwrap();
    assert_eq!((last.occurred_on, last.recorded_at), (date(9999, 12, 31), at(date(1970, 1, 1), 0, 0)));
}

#[test]
fn a_batch_is_all_or_none_and_an_error_names_the_index() {
    let ledger = in_memory();
    let desk = ledger.by("teller:1");
    let done = desk.record_all([opened("L-1", 5).on(DAY), repaid("L-1", 5).on(DAY), closed("L-1").on(DAY)]).unwrap();
    assert_eq!(done.iter().map(|d| d.position.0).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(desk.record_all(Vec::<sovang::Entry<Loan>>::new()).unwrap().is_empty());

    let too_long = "x".repeat(5_000);
    let error = desk.record_all([opened("L-2", 5).on(DAY), opened(&too_long, 5).on(DAY)]).unwrap_err();
    assert_eq!((error.kind(), error.entry()), (ErrorKind::TooLarge, Some(1)));
    let nowhere = Loan::Withdrawn { target: RecordId::from_bytes([9; 16]) };
    let error = desk.record_all([opened("L-2", 5).on(DAY), nowhere.on(DAY)]).unwrap_err();
    assert_eq!((error.kind(), error.entry(), error.ids().len()), (ErrorKind::AmendmentTarget, Some(1), 2));
    assert_eq!(ledger.head().size, Size(3));

    let id = RecordId::from_bytes([1; 16]);
    let twice = [opened("L-3", 5).on(DAY).with_id(id), opened("L-4", 5).on(DAY).with_id(id)];
    assert_eq!(desk.record_all(twice).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(ledger.head().size, Size(3));
}

#[test]
fn an_amendment_replaces_an_original_by_its_like() {
    let ledger = in_memory();
    let desk = ledger.by("teller:1");
    let loan = desk.record(opened("L-1", 500).on(DAY)).unwrap();
    let payment = desk.record(repaid("L-1", 20).on(DAY)).unwrap();
    let fix = desk.record(corrected(&payment, DAY, repaid("L-1", 30)).on(DAY)).unwrap();
    let refused = |event: Loan| desk.record(event.on(DAY)).unwrap_err();

    let of_an_amendment = refused(withdrawn(&fix));
    assert_eq!(of_an_amendment.kind(), ErrorKind::AmendmentTarget);
    // Storage finds an amendment under its target's kind: one of another kind would not be found under its own.
    let of_another_kind = refused(corrected(&payment, DAY, opened("L-1", 30)));
    assert_eq!(of_another_kind.kind(), ErrorKind::AmendmentTarget, "{of_another_kind}");
    assert_eq!(of_another_kind.ids().len(), 1);
    let in_one_batch = RecordId::from_bytes([7; 16]);
    let batch = [
        repaid("L-1", 1).on(DAY).with_id(in_one_batch),
        Loan::Corrected { target: in_one_batch, on: DAY, by: Box::new(closed("L-1")) }.on(DAY),
    ];
    let error = desk.record_all(batch).unwrap_err();
    assert_eq!((error.kind(), error.entry()), (ErrorKind::AmendmentTarget, Some(1)));

    assert_eq!(ledger.head().size, Size(3));
    desk.record(corrected(&loan, DAY, opened("L-9", 400)).on(DAY)).unwrap();
}

#[test]
fn a_condition_names_the_record_in_the_way() {
    let ledger = in_memory();
    let desk = ledger.by("teller:1");
    let of_loan = || Query::kind(Loan::OPENED).tagged("loan", "L-1");
    desk.record_if(of_loan().absent(), [opened("L-1", 500).on(DAY)]).unwrap();
    let error = desk.record_if(of_loan().absent(), [opened("L-1", 700).on(DAY)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let conflict = error.conflict().unwrap();
    assert_eq!((conflict.position, conflict.looked_at), (Position(0), Size::ZERO));
    assert!(error.is_retryable() && error.ids().len() == 1);
    desk.record_if(Query::tag("loan", "L-2").absent(), [opened("L-2", 500).on(DAY)]).unwrap();

    let looked_at = ledger.head().size;
    let unchanged = || Query::tag("loan", "L-1").unchanged_since(looked_at);
    desk.record(repaid("L-2", 1).on(DAY)).unwrap();
    desk.record_if(unchanged(), [repaid("L-1", 100).on(DAY)]).unwrap();
    let error = desk.record_if(unchanged(), [repaid("L-1", 100).on(DAY)]).unwrap_err();
    let conflict = error.conflict().unwrap();
    assert_eq!((conflict.position, conflict.looked_at), (Position(3), Size(2)));
    assert_eq!(ledger.head().size, Size(4));
}

#[test]
fn an_amendment_is_in_the_way_of_what_looked_at_its_target() {
    let ledger = in_memory();
    let desk = ledger.by("teller:1");
    let payment = desk.record(repaid("L-1", 20).on(DAY)).unwrap();
    let since = |query: Query| query.unchanged_since(Size(1));
    // Moved to another loan: both loans' readers have to know.
    desk.record(corrected(&payment, DAY, repaid("L-2", 20)).on(DAY)).unwrap();
    for query in [
        Query::tag("loan", "L-1"),
        Query::tag("loan", "L-2"),
        Query::kind(Loan::REPAID),
        Query::kind(Loan::CORRECTED),
        Query::kind(Loan::REPAID).tagged("loan", "L-1"),
        Query::record(payment.id),
        Query::all(),
    ] {
        let error = desk.record_if(since(query.clone()), [closed("L-3").on(DAY)]).unwrap_err();
        assert_eq!(error.conflict().map(|c| c.position), Some(Position(1)), "{query:?}");
    }
    let elsewhere = Query::tag("loan", "L-3").or(Query::kind(Loan::OPENED)).or(Query::none());
    desk.record_if(since(elsewhere), [closed("L-3").on(DAY)]).unwrap();
}

#[test]
fn the_same_id_is_one_record() {
    let (options, clock) = fixed();
    let ledger = options.in_memory::<Loan>(ORIGIN).unwrap();
    let desk = ledger.by("teller:1");
    let id = RecordId::from_bytes([3; 16]);
    let first = desk.record(opened("L-1", 500).today().with_id(id)).unwrap();
    clock.advance(Duration::from_secs(86_400));
    let again = desk.record(opened("L-1", 500).today().with_id(id)).unwrap();
    assert!(again.repeated && !first.repeated, "a day that the writer gave is not compared");
    assert_eq!((again.position, again.id, again.hash), (first.position, first.id, first.hash));
    // The condition comes after the id.
    assert!(desk.record_if(Query::all().absent(), [opened("L-1", 500).today().with_id(id)]).unwrap()[0].repeated);

    for (other, desk) in [
        (opened("L-1", 501).today(), ledger.by("teller:1")),
        (closed("L-1").today(), ledger.by("teller:1")),
        (opened("L-1", 500).on(date(2020, 1, 1)), ledger.by("teller:1")),
        (opened("L-1", 500).today(), ledger.by("teller:2")),
        (opened("L-1", 500).today().source("form"), ledger.by("teller:1")),
    ] {
        let error = desk.record(other.with_id(id)).unwrap_err();
        assert_eq!((error.kind(), error.ids()), (ErrorKind::ContentDiffers, &[id][..]), "{error}");
    }
    let partly = [opened("L-1", 500).today().with_id(id), opened("L-2", 1).today()];
    assert_eq!(desk.record_all(partly).unwrap_err().kind(), ErrorKind::PartlyPresent);
    assert_eq!(ledger.head().size, Size(1));
    assert_eq!(ledger.find(id).unwrap().unwrap().position, first.position);
    assert!(ledger.find(RecordId::from_bytes([4; 16])).unwrap().is_none());
}

#[test]
fn a_days_end_is_where_the_office_is() {
    let clock = ManualClock::at(at(DAY, 16, 59));
    let hanoi = Options::new().clock(clock.clone()).utc_offset(7 * 3600).in_memory::<Loan>(ORIGIN).unwrap();
    let desk = hanoi.by("teller:1");
    let day = |position: Position| hanoi.get(position).unwrap().occurred_on;
    assert_eq!(day(desk.record(opened("L-1", 1).today()).unwrap().position), DAY);
    clock.advance(Duration::from_secs(60));
    assert_eq!(day(desk.record(opened("L-2", 1).today()).unwrap().position), DAY.next_day().unwrap());
}

#[test]
fn recorded_times_never_go_back() {
    let (options, clock) = fixed();
    let ledger = options.in_memory::<Loan>(ORIGIN).unwrap();
    let desk = ledger.by("teller:1");
    let time = |position: Position| ledger.get(position).unwrap().recorded_at;
    let noon = time(desk.record(opened("L-1", 1).on(DAY)).unwrap().position);
    clock.set(at(date(2019, 1, 1), 0, 0));
    let after = desk.record(opened("L-2", 1).today()).unwrap();
    assert_eq!(time(after.position), noon);
    assert_eq!(ledger.get(after.position).unwrap().occurred_on, DAY, "today is of the time recorded");
    clock.set(at(date(2030, 1, 1), 0, 0));
    assert_eq!(time(desk.record(opened("L-3", 1).on(DAY)).unwrap().position), at(date(2030, 1, 1), 0, 0));
}

#[test]
fn many_threads_hold_many_tickets() {
    let ledger = in_memory();
    let (threads, each) = (8u8, 60i64);
    thread::scope(|scope| {
        for teller in 0..threads {
            let desk = ledger.by(format!("teller:{teller}"));
            scope.spawn(move || {
                let loan = format!("L-{teller}");
                let submit = |cents| desk.submit(repaid(&loan, cents).on(DAY));
                let tickets = (0..each).map(submit).collect::<sovang::Result<Vec<Ticket>>>().unwrap();
                let done: Vec<_> = tickets.into_iter().map(|t| t.wait().unwrap()).collect();
                assert!(done.is_sorted_by(|a, b| a.position < b.position), "one caller's order is position order");
            });
        }
    });
    assert_eq!(ledger.head().size, Size(u64::from(threads) * u64::try_from(each).unwrap()));
    for teller in 0..threads {
        let cents = ledger.read(Query::tag("loan", format!("L-{teller}"))).into_iter().map(|r| match r.unwrap().event {
            Loan::Repaid { cents, .. } => cents,
            other => panic!("{other:?}"),
        });
        assert!(cents.eq(0..each));
    }
    assert_eq!(ledger.verify().unwrap(), ledger.head());
}

/// A clock that the writer waits for.
struct Gate(std::sync::Mutex<mpsc::Receiver<()>>);
impl sovang::Clock for Gate {
    fn now(&self) -> sovang::UtcDateTime {
        // Only the writer's thread is held up: ids are drawn on the caller's.
        if thread::current().name() == Some("sovang writer") {
            let _ = self.0.lock().unwrap().recv();
        }
        calendar::instant_of(0).unwrap()
    }
}

#[test]
fn a_full_queue_is_busy_and_a_dropped_ticket_cancels_nothing() {
    let (open, gate) = mpsc::channel();
    let ledger = Options::new().clock(Gate(gate.into())).queue(2).in_memory::<Loan>(ORIGIN).unwrap();
    let desk = ledger.by("teller:1");
    let mut taken = 0u64;
    let busy = loop {
        match desk.try_submit(opened("L-1", 1).on(DAY)) {
            Ok(ticket) => drop(ticket),
            Err(error) => break error,
        }
        taken += 1;
        // At most one is with the writer, and two wait.
        assert!(taken <= 3, "the queue takes no more than it holds");
    };
    assert_eq!((busy.kind(), busy.is_retryable(), busy.ids().len()), (ErrorKind::Busy, true, 1));
    drop(open);
    let last = loop {
        match desk.try_submit(closed("L-1").on(DAY)) {
            Ok(ticket) => break ticket.wait().unwrap(),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Busy),
        }
    };
    assert_eq!(last.position, Position(taken));
}

#[test]
fn the_error_of_a_ticket_names_its_id() {
    let ledger: Ledger<Loan> = in_memory();
    let ticket = ledger.by("teller:1").submit(Loan::Withdrawn { target: RecordId::from_bytes([9; 16]) }.on(DAY)).unwrap();
    let error = ticket.wait().unwrap_err();
    assert_eq!((error.kind(), error.ids().len()), (ErrorKind::AmendmentTarget, 1));
}

/// The smallest runtime there is: one future, and a thread that sleeps until it is woken.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Unpark(thread::current())).into();
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn a_ticket_can_be_awaited() {
    let ledger = in_memory();
    let desk = ledger.by("teller:1");
    let sum: sovang::Result<u64> = block_on(async {
        let tickets = (1..=50).map(|n| desk.submit(repaid("L-1", n).on(DAY))).collect::<sovang::Result<Vec<_>>>()?;
        let mut sum = 0;
        for ticket in tickets {
            sum += ticket.await?.size().0;
        }
        desk.submit(Loan::Withdrawn { target: RecordId::from_bytes([9; 16]) }.on(DAY))?.await.expect_err("it amends nothing");
        Ok(sum)
    });
    assert_eq!(sum.unwrap(), 50 * 51 / 2);
}
