//! Commands: folded, decided, appended only on what was looked at.

use crate::loan::{Balance, DAY, Loan, ORIGIN, Refused, Repay, at, closed, corrected, fixed, in_memory, opened, repaid};
use sovang::recognition::{self, Field, SubjectKind, UnitKind};
use sovang::testing::{ManualClock, given};
use sovang::{
    Command, Entry, ErrorKind, Event, ExecuteError, Options, Position, Projection, Query, RecordId, Recorded, Size, date,
};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// Closes a loan, with its last repayment; says nothing about one that is closed.
struct Settle {
    loan: String,
}
impl Command<Loan> for Settle {
    type State = (Balance, Closed);
    type Refusal = Refused;
    fn state(&self) -> Self::State {
        (Balance::of(&self.loan), Closed { loan: self.loan.clone(), closed: false })
    }
    fn decide(&self, (balance, state): &Self::State) -> Result<Vec<Entry<Loan>>, Refused> {
        if state.closed {
            return Ok(Vec::new());
        }
        let cents = i64::try_from(balance.cents).map_err(|_| Refused::NotOpen)?;
        Ok(vec![repaid(&self.loan, cents).today(), closed(&self.loan).today()])
    }
}
struct Closed {
    loan: String,
    closed: bool,
}
impl Projection<Loan> for Closed {
    fn query(&self) -> Query {
        Query::kind(Loan::KINDS[2]).tagged("loan", &self.loan)
    }
    fn apply(&mut self, record: &Recorded<Loan>) {
        assert!(matches!(record.event, Loan::Closed { .. }), "each half of a tuple sees its own");
        self.closed = true;
    }
}

fn refusal<T: std::fmt::Debug, R>(outcome: Result<T, ExecuteError<R>>) -> R {
    match outcome {
        Err(ExecuteError::Refused(why)) => why,
        Err(ExecuteError::Failed(error)) => panic!("failed: {error}"),
        Ok(done) => panic!("{done:?}"),
    }
}
fn failure<T: std::fmt::Debug, R: std::fmt::Debug>(outcome: Result<T, ExecuteError<R>>) -> sovang::Error {
    match outcome {
        Err(ExecuteError::Failed(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_command_is_decided_on_what_the_ledger_says() {
    let ledger = in_memory();
    let desk = ledger.by("teller:1");
    assert_eq!(refusal(desk.execute(&Repay::of("L-1", 5))), Refused::NotOpen);
    desk.record(opened("L-1", 500).on(DAY)).unwrap();
    let done = desk.execute(&Repay::of("L-1", 480)).unwrap();
    assert_eq!((done.len(), done[0].position, done[0].repeated), (1, Position(1), false));
    assert_eq!(refusal(desk.execute(&Repay::of("L-1", 21))), Refused::MoreThanOwed { owed: 20 });

    // A correction counts for the decision: the repayment was of another loan.
    desk.record(corrected(&done[0], DAY, repaid("L-2", 480)).on(DAY)).unwrap();
    desk.execute(&Repay::of("L-1", 21)).unwrap();
    assert_eq!(ledger.fold(Balance::of("L-1")).unwrap().cents, 479);

    let settled = desk.execute(&Settle { loan: "L-1".into() }).unwrap();
    assert_eq!(settled.iter().map(|d| d.position.0).collect::<Vec<_>>(), [4, 5]);
    assert!(desk.execute(&Settle { loan: "L-1".into() }).unwrap().is_empty(), "deciding on no events writes nothing");
    assert_eq!(ledger.head().size, Size(6));
}

#[test]
fn a_decision_is_tested_without_a_store() {
    given([opened("L-1", 50)]).when(&Repay::of("L-1", 20)).then([repaid("L-1", 20)]);
    given([opened("L-1", 50)]).when(&Repay::of("L-1", 20)).then_on(DAY, [repaid("L-1", 20)]);
    given([]).when(&Repay::of("L-1", 20)).refused(Refused::NotOpen);
    given([opened("L-1", 50), repaid("L-1", 45)]).when(&Repay::of("L-1", 6)).refused(Refused::MoreThanOwed { owed: 5 });
}

#[test]
fn a_loan_is_never_repaid_beyond_what_it_owes() {
    let ledger = in_memory();
    let owed = 100;
    ledger.by("office").record(opened("L-1", owed).on(DAY)).unwrap();
    let repaid = AtomicU32::new(0);
    thread::scope(|scope| {
        for teller in 0..8 {
            let (desk, repaid) = (ledger.by(format!("teller:{teller}")).attempts(1_000), &repaid);
            scope.spawn(move || {
                loop {
                    match desk.execute(&Repay::of("L-1", 3)) {
                        Ok(done) => repaid.fetch_add(u32::try_from(done.len()).unwrap(), Ordering::Relaxed),
                        Err(ExecuteError::Refused(why)) => {
                            assert_eq!(why, Refused::MoreThanOwed { owed: 1 });
                            break;
                        }
                        Err(ExecuteError::Failed(error)) => panic!("{error}"),
                    };
                }
            });
        }
    });
    assert_eq!(repaid.into_inner(), 33);
    assert_eq!(ledger.fold(Balance::of("L-1")).unwrap().cents, 1);
    assert_eq!(ledger.head().size, Size(34));
}

/// Records something of its own loan while it decides: whoever decides is always overtaken.
struct Overtaken {
    by: sovang::Recorder<Loan>,
    decided: AtomicU32,
}
impl Command<Loan> for Overtaken {
    type State = Balance;
    type Refusal = Refused;
    fn state(&self) -> Balance {
        Balance::of("L-1")
    }
    fn decide(&self, _: &Balance) -> Result<Vec<Entry<Loan>>, Refused> {
        self.decided.fetch_add(1, Ordering::Relaxed);
        self.by.record(opened("L-1", 1).on(DAY)).unwrap();
        Ok(vec![repaid("L-1", 1).on(DAY)])
    }
}

#[test]
fn attempts_are_counted_and_the_conflict_says_what_came() {
    let ledger = in_memory();
    for (attempts, expected) in [(None, 5), (Some(1), 1), (Some(3), 3), (Some(0), 1)] {
        let command = Overtaken { by: ledger.by("other"), decided: AtomicU32::new(0) };
        let before = ledger.head().size.0;
        let desk = match attempts {
            None => ledger.by("teller:1"),
            Some(n) => ledger.by("teller:1").attempts(n),
        };
        let error = failure(desk.execute(&command));
        assert_eq!(command.decided.into_inner(), expected);
        let conflict = error.conflict().unwrap();
        assert_eq!((error.kind(), error.ids().len()), (ErrorKind::Conflict, 1));
        let last = before + u64::from(expected) - 1;
        assert_eq!((conflict.position, conflict.looked_at), (Position(last), Size(last)));
        assert_eq!(ledger.head().size, Size(last + 1));
    }
}

#[test]
fn the_same_key_gives_the_first_result() {
    let (options, clock) = fixed();
    let ledger = options.in_memory::<Loan>(ORIGIN).unwrap();
    ledger.by("office").record(opened("L-1", 50).on(DAY)).unwrap();
    let desk = ledger.by("teller:1").idempotency_key("request-1");
    let first = desk.execute(&Repay::of("L-1", 40)).unwrap();
    clock.advance(Duration::from_secs(86_400 * 3));
    // Now it would be refused.
    let again = desk.execute(&Repay::of("L-1", 40)).unwrap();
    assert_eq!(
        (again[0].position, again[0].id, again[0].hash, again[0].repeated),
        (Position(1), first[0].id, first[0].hash, true)
    );

    // Another desk's key is its own; a second wish under the same key is an error, whatever it would come to.
    assert_eq!(
        refusal(ledger.by("teller:1").idempotency_key("request-2").execute(&Repay::of("L-1", 40))),
        Refused::MoreThanOwed { owed: 10 }
    );
    for other in [Repay::of("L-1", 39), Repay::of("L-1", 51), Repay { on: date(2020, 1, 1), ..Repay::of("L-1", 40) }] {
        let error = failure(desk.execute(&other));
        assert_eq!((error.kind(), error.position()), (ErrorKind::ContentDiffers, Some(Position(1))), "{error}");
        assert_eq!(error.ids(), [first[0].id]);
    }
    assert_eq!(
        failure(ledger.by("teller:2").idempotency_key("request-1").execute(&Repay::of("L-1", 40))).kind(),
        ErrorKind::ContentDiffers
    );
    assert_eq!(ledger.head().size, Size(2));
}

/// So many repayments in one decision, or none.
struct Several(u8);
impl Command<Loan> for Several {
    type State = ();
    type Refusal = Refused;
    fn state(&self) {}
    fn decide(&self, (): &()) -> Result<Vec<Entry<Loan>>, Refused> {
        Ok((0..self.0).map(|n| repaid("L-1", n.into()).today()).collect())
    }
}

#[test]
fn a_key_stands_for_all_of_a_decision() {
    let (options, clock) = fixed();
    let ledger = options.in_memory::<Loan>(ORIGIN).unwrap();
    let desk = ledger.by("teller:1").idempotency_key("request-1");
    let first = desk.execute(&Several(2)).unwrap();
    clock.advance(Duration::from_secs(86_400 * 3));
    let again = desk.execute(&Several(2)).unwrap();
    assert_eq!(again.iter().map(|a| a.id).collect::<Vec<_>>(), first.iter().map(|a| a.id).collect::<Vec<_>>());
    assert!(again.iter().all(|a| a.repeated));
    for (other, kind) in [(0, ErrorKind::ContentDiffers), (1, ErrorKind::ContentDiffers), (3, ErrorKind::PartlyPresent)] {
        assert_eq!(failure(desk.execute(&Several(other))).kind(), kind, "{other} entries");
    }
    assert_eq!(ledger.head().size, Size(2));
}

#[test]
fn a_key_is_carried_out_once_by_many_threads() {
    let ledger = in_memory();
    ledger.by("office").record(opened("L-1", 50).on(DAY)).unwrap();
    let positions: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let desk = ledger.by("teller:1").idempotency_key("request-1");
                scope.spawn(move || desk.execute(&Repay::of("L-1", 50)).unwrap()[0])
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(positions.iter().all(|a| a.position == Position(1)));
    assert_eq!(positions.iter().filter(|a| !a.repeated).count(), 1);
    assert_eq!(ledger.head().size, Size(2));
}

#[test]
fn the_offices_entries_are_commands() {
    let clock = ManualClock::at(at(DAY, 20, 0));
    let options = Options::new().clock(clock.clone()).utc_offset(7 * 3600);
    let ledger = options.in_memory::<recognition::Recognition>("example.org/golden-book").unwrap();
    let clerk = ledger.by("clerk:lan");
    let unit = recognition::unit_defined("co-nhue-1", "Cổ Nhuế 1", UnitKind::Ward, date(2013, 12, 27)).on(date(2013, 12, 27));
    clerk.execute(&unit).unwrap();
    let register = |name: &str| {
        recognition::model_registered("flower-road", name, SubjectKind::Collective, "co-nhue-1", Field::CultureSociety, 2024)
    };
    let id = RecordId::from_bytes([5; 16]);
    let first = clerk.execute(&register("Flower road").today().with_id(id)).unwrap();
    assert_eq!(ledger.get(first[0].position).unwrap().occurred_on, DAY.next_day().unwrap(), "today is the office's day");

    // An id that is there is answered before any rule; without it the rules would refuse.
    clock.advance(Duration::from_secs(86_400));
    let again = clerk.execute(&register("Flower road").today().with_id(id)).unwrap();
    assert_eq!((again[0].position, again[0].repeated), (first[0].position, true));
    assert_eq!(refusal(clerk.execute(&register("Flower road").today())).rule(), 1);
    let other = failure(clerk.execute(&register("Another name").today().with_id(id)));
    assert_eq!((other.kind(), other.ids()), (ErrorKind::ContentDiffers, &[id][..]));
    assert_eq!(ledger.head().size, Size(2));
}

#[test]
fn the_offices_corrections_are_judged_by_what_they_amend() {
    let ledger = Options::new().in_memory::<recognition::Recognition>("example.org/golden-book").unwrap();
    let clerk = ledger.by("clerk:lan");
    let day = date(2024, 3, 1);
    let model =
        |name: &str| recognition::model_registered(name, "Road", SubjectKind::Collective, "co-nhue-1", Field::Economy, 2024);
    for unit in ["co-nhue-1", "co-nhue-2"] {
        clerk.execute(&recognition::unit_defined(unit, unit, UnitKind::Ward, date(2013, 12, 27)).on(date(2013, 12, 27))).unwrap();
    }
    let registered = clerk.execute(&model("flower-road").on(day)).unwrap()[0];
    // An amendment knows only an id at first: the query grows by what the record says.
    let corrected = |target, title: &str| {
        let by = recognition::ModelRegistered { title: title.into(), ..model("flower-road") };
        recognition::record_corrected(target, by, day, "misread").on(day)
    };
    let fix = clerk.execute(&corrected(registered.id, "Flower road")).unwrap()[0];
    let of_an_amendment = refusal(clerk.execute(&corrected(fix.id, "Flower road")));
    let of_nothing = refusal(clerk.execute(&corrected(RecordId::from_bytes([9; 16]), "Flower road")));
    assert_ne!(of_an_amendment, of_nothing);
    clerk.execute(&recognition::record_retracted(registered.id, "registered twice").on(day)).unwrap();
    refusal(clerk.execute(&corrected(registered.id, "Flower lane")));
    assert_eq!(ledger.head().size, Size(5));
    clerk.execute(&model("flower-road").on(day)).expect("its name is free again");
}

#[test]
fn a_model_is_registered_once_by_many_threads() {
    let ledger = Options::new().in_memory::<recognition::Recognition>("example.org/golden-book").unwrap();
    let day = date(2013, 12, 27);
    let unit = recognition::unit_defined("co-nhue-1", "Cổ Nhuế 1", UnitKind::Ward, day).on(day);
    ledger.by("office").execute(&unit).unwrap();
    let models = 10;
    let registered: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|clerk| {
                let desk = ledger.by(format!("clerk:{clerk}")).attempts(100);
                scope.spawn(move || {
                    let register = |n: usize| {
                        let name = format!("model-{n}");
                        recognition::model_registered(name, "Road", SubjectKind::Collective, "co-nhue-1", Field::Economy, 2024)
                            .today()
                    };
                    (0..models)
                        .filter(|n| desk.execute(&register(*n)).map_err(|e| refusal::<(), _>(Err(e)).rule()) != Err(1))
                        .count()
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    assert_eq!(registered, models);
    assert_eq!(ledger.head().size.0, 1 + models as u64);
}
