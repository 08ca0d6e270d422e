//! The decide loop: what is folded is what is guarded.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test program")]

mod common;

use common::*;
use sovang_core::{Condition, Entry, Error, ErrorKind, Event, Position, Query, RecordId, Recorded, Result, Size};
use sovang_projection::testing::{self, DAY, Memory, record_id};
use sovang_projection::{ATTEMPTS_DEFAULT, Command, ExecuteError, Projection, Store, execute};
use std::cell::RefCell;

/// Pays from an account no more than it holds.
struct Pay {
    account: &'static str,
    cents: i64,
}
#[derive(Debug, PartialEq)]
enum Refused {
    NotOpen,
    Holds(i128),
}
impl Command<Move> for Pay {
    type State = Balance;
    type Refusal = Refused;
    fn state(&self) -> Balance {
        Balance::of(self.account)
    }
    fn decide(&self, state: &Balance) -> Result<Vec<Entry<Move>>, Refused> {
        if state.opened == 0 {
            return Err(Refused::NotOpen);
        }
        if i128::from(self.cents) > state.cents {
            return Err(Refused::Holds(state.cents));
        }
        Ok(vec![paid(self.account, -self.cents).on(DAY)])
    }
}

/// A payment known by its id alone at first: the account, and then its balance, follow from the record.
#[derive(Default)]
struct Target {
    id: Option<RecordId>,
    account: Option<String>,
    cents: i128,
}
impl Projection<Move> for Target {
    fn query(&self) -> Query {
        let record = self.id.map_or_else(Query::none, Query::record);
        match &self.account {
            Some(account) => record.or(Query::tag("account", account)),
            None => record,
        }
    }
    fn apply(&mut self, record: &Recorded<Move>) {
        for effect in record.effects() {
            if let Move::Paid { account, cents } = effect.event {
                if Some(effect.id) == self.id {
                    self.account = Some(account.clone());
                }
                self.cents += i128::from(effect.weight) * i128::from(*cents);
            }
        }
    }
}
/// Withdraws a payment, unless its account would then be short.
struct Withdraw(RecordId);
impl Command<Move> for Withdraw {
    type State = Target;
    type Refusal = &'static str;
    fn state(&self) -> Target {
        Target { id: Some(self.0), ..Target::default() }
    }
    fn decide(&self, state: &Target) -> Result<Vec<Entry<Move>>, &'static str> {
        match (&state.account, state.cents) {
            (None, _) => Err("no such payment"),
            (Some(_), 100) => Ok(vec![Move::Withdrawn { target: self.0 }.on(DAY)]),
            _ => Err("other payments came"),
        }
    }
}

type Race<'a> = Box<dyn FnMut() -> Vec<Move> + 'a>;

/// A store in which others append just before each append, and which notes what was read.
struct Racing<'a> {
    memory: &'a Memory<Move>,
    others: RefCell<Race<'a>>,
    reads: RefCell<Vec<(u64, u64)>>,
    conditions: RefCell<Vec<Condition>>,
}
impl<'a> Racing<'a> {
    fn new(memory: &'a Memory<Move>, others: impl FnMut() -> Vec<Move> + 'a) -> Self {
        Self { memory, others: RefCell::new(Box::new(others)), reads: RefCell::default(), conditions: RefCell::default() }
    }
}
fn add(memory: &Memory<Move>, events: Vec<Move>) {
    for event in events {
        memory.append(vec![event.on(DAY)], Query::none().absent()).expect("recorded");
    }
}
impl Store<Move> for Racing<'_> {
    type Appended = Position;
    fn size(&self) -> Result<Size> {
        self.memory.size()
    }
    fn read(&self, query: &Query, from: Size, to: Size) -> Result<impl Iterator<Item = Result<Recorded<Move>>>> {
        self.reads.borrow_mut().push((from.0, to.0));
        self.memory.read(query, from, to)
    }
    fn before(&self, target: RecordId, position: Position) -> Result<Option<Recorded<Move>>> {
        self.memory.before(target, position)
    }
    fn append(&self, entries: Vec<Entry<Move>>, condition: Condition) -> Result<Vec<Position>> {
        self.conditions.borrow_mut().push(condition.clone());
        let others = (self.others.borrow_mut())();
        add(self.memory, others);
        self.memory.append(entries, condition)
    }
}

/// One list of events for each append, then none.
fn lists(lists: Vec<Vec<Move>>) -> impl FnMut() -> Vec<Move> {
    let mut lists = lists.into_iter();
    move || lists.next().unwrap_or_default()
}

fn funded() -> Memory<Move> {
    memory(vec![opened("ann").on(DAY), paid("ann", 100).on(DAY)])
}

#[test]
fn decides_and_appends_under_its_query() {
    let memory = funded();
    let store = Racing::new(&memory, lists(vec![vec![opened("bob")]]));
    let done = execute(&store, &Pay { account: "ann", cents: 60 }, ATTEMPTS_DEFAULT).unwrap();
    assert_eq!(done, [Position(3)], "an append that was not looked at is not in the way");
    assert_eq!(*store.conditions.borrow(), [Query::tag("account", "ann").unchanged_since(Size(2))]);
    let refused = execute(&store, &Pay { account: "ann", cents: 60 }, ATTEMPTS_DEFAULT).unwrap_err();
    assert!(matches!(refused, ExecuteError::Refused(Refused::Holds(40))), "{refused:?}");
    assert!(matches!(execute(&store, &Pay { account: "eve", cents: 1 }, 1), Err(ExecuteError::Refused(Refused::NotOpen))));
}

#[test]
fn a_conflict_is_decided_again_on_the_tail_alone() {
    let memory = funded();
    let store = Racing::new(&memory, lists(vec![vec![paid("ann", -10), opened("bob")], vec![paid("ann", -30)]]));
    let done = execute(&store, &Pay { account: "ann", cents: 60 }, ATTEMPTS_DEFAULT).unwrap();
    assert_eq!(done, [Position(5)]);
    assert_eq!(*store.reads.borrow(), [(0, 2), (2, 4), (4, 5)]);
    assert_eq!(fold_all(&memory, Balance::of("ann"), memory.len()).cents, 0);
}

#[test]
fn what_others_did_meanwhile_can_turn_a_yes_into_a_no() {
    let memory = funded();
    let store = Racing::new(&memory, lists(vec![vec![withdrawn(1)]]));
    let refused = execute(&store, &Pay { account: "ann", cents: 60 }, ATTEMPTS_DEFAULT).unwrap_err();
    assert!(matches!(refused, ExecuteError::Refused(Refused::Holds(0))), "{refused:?}");
    assert_eq!(memory.len(), Size(3));
}

#[test]
fn attempts_end_with_the_conflict() {
    for attempts in [0, 1, 3] {
        let memory = funded();
        let store = Racing::new(&memory, || vec![paid("ann", 1)]);
        let failed = execute(&store, &Pay { account: "ann", cents: 60 }, attempts).unwrap_err();
        let ExecuteError::Failed(error) = failed else { panic!("not refused") };
        let tries = u64::from(attempts.max(1));
        let conflict = error.conflict().expect("a conflict");
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!((conflict.position, conflict.looked_at), (Position(1 + tries), Size(1 + tries)));
        assert_eq!(memory.len(), Size(2 + tries));
    }
}

#[test]
fn a_query_grows_and_the_wider_one_is_the_guard() {
    let memory = funded();
    let store = Racing::new(&memory, lists(vec![vec![paid("bob", 5)]]));
    execute(&store, &Withdraw(record_id(1)), ATTEMPTS_DEFAULT).unwrap();
    let wider = Query::record(record_id(1)).or(Query::tag("account", "ann"));
    assert_eq!(*store.conditions.borrow(), [wider.unchanged_since(Size(2))]);
    assert_eq!(*store.reads.borrow(), [(0, 2), (0, 2)]);

    let memory = funded();
    let store = Racing::new(&memory, lists(vec![vec![paid("ann", 5)]]));
    let refused = execute(&store, &Withdraw(record_id(1)), ATTEMPTS_DEFAULT).unwrap_err();
    assert!(matches!(refused, ExecuteError::Refused("other payments came")), "{refused:?}");
    assert_eq!(*store.reads.borrow(), [(0, 2), (0, 2), (2, 3)], "an unchanged query is folded on");
}

#[test]
fn a_query_that_grows_on_conflict_is_folded_anew() {
    let memory = funded();
    let store = Racing::new(&memory, lists(vec![vec![corrected(1, paid("bob", 100))]]));
    let withdrawn = execute(&store, &Withdraw(record_id(1)), ATTEMPTS_DEFAULT).unwrap();
    assert_eq!(withdrawn, [Position(3)]);
    assert_eq!(*store.reads.borrow(), [(0, 2), (0, 2), (2, 3), (0, 3)]);
    let all = Query::record(record_id(1)).or(Query::tag("account", "ann")).or(Query::tag("account", "bob"));
    assert_eq!(store.conditions.borrow().last(), Some(&all.unchanged_since(Size(3))));
}

/// Asks for one more account each time, as often as `most`.
struct Hungry {
    fed: usize,
    most: usize,
}
impl Projection<Move> for Hungry {
    fn query(&self) -> Query {
        (0..=self.fed.min(self.most)).fold(Query::none(), |all, n| all.or(Query::tag("account", n.to_string())))
    }
    fn apply(&mut self, _: &Recorded<Move>) {
        self.fed += 1;
    }
}
struct Feed {
    most: usize,
}
impl Command<Move> for Feed {
    type State = Hungry;
    type Refusal = std::convert::Infallible;
    fn state(&self) -> Hungry {
        Hungry { fed: 0, most: self.most }
    }
    fn decide(&self, state: &Hungry) -> Result<Vec<Entry<Move>>, Self::Refusal> {
        assert_eq!(state.fed, self.most + 1, "decided before all was seen");
        Ok(Vec::new())
    }
}

#[test]
fn a_query_grows_three_times_and_no_more() {
    let memory = memory((0..9).map(|n| opened(&n.to_string()).on(DAY)).collect());
    for most in 0..=3 {
        assert_eq!(execute(&memory, &Feed { most }, 1).unwrap(), []);
    }
    let ExecuteError::Failed(error) = execute(&memory, &Feed { most: 4 }, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.hint().is_some());
    assert_eq!(memory.len(), Size(9), "deciding on nothing writes nothing");
}

/// Opens an account whatever there is.
struct Open;
impl Command<Move> for Open {
    type State = ();
    type Refusal = std::convert::Infallible;
    fn state(&self) {}
    fn decide(&self, (): &()) -> Result<Vec<Entry<Move>>, Self::Refusal> {
        Ok(vec![opened("ann").on(DAY), opened("bob").on(DAY)])
    }
}

#[test]
fn nothing_to_look_at_reads_nothing_and_conflicts_with_nothing() {
    let memory = funded();
    let store = Racing::new(&memory, || vec![opened("eve")]);
    assert_eq!(execute(&store, &Open, 1).unwrap(), [Position(3), Position(4)]);
    assert!(store.reads.borrow().is_empty());
}

#[test]
fn errors_read_as_their_message() {
    let failed = ExecuteError::<String>::from(Error::new(ErrorKind::Closed, "the ledger was closed").advise("reopen it"));
    assert_eq!(format!("{failed:?}"), "the ledger was closed\nhint: reopen it");
    assert_eq!(failed.to_string(), format!("{failed:?}"));
    let refused: Box<dyn std::error::Error> = Box::new(ExecuteError::Refused("not open".to_owned()));
    assert_eq!(refused.to_string(), "not open");
    assert!(matches!(ExecuteError::Refused(Refused::NotOpen), ExecuteError::Refused(r) if format!("{r:?}") == "NotOpen"));
}

#[test]
fn given_when_then() {
    let pay = Pay { account: "ann", cents: 60 };
    testing::given([opened("ann"), paid("ann", 100)]).when(&pay).then([paid("ann", -60)]);
    testing::given([opened("ann"), paid("ann", 50)]).when(&pay).refused(Refused::Holds(50));
    testing::given([opened("ann"), paid("ann", 100), withdrawn(1)]).when(&pay).refused(Refused::Holds(0));
    testing::given([opened("ann"), paid("ann", 50), corrected(1, paid("ann", 70))]).when(&pay).then_on(DAY, [paid("ann", -60)]);
    testing::given([]).when(&pay).refused(Refused::NotOpen);
    testing::given([]).when(&Open).then([opened("ann"), opened("bob")]);
    testing::given([opened("ann"), paid("ann", 100)])
        .when(&Withdraw(record_id(1)))
        .then([Move::Withdrawn { target: record_id(1) }]);
    let later = sovang_core::date(2020, 2, 29);
    let given = testing::given_on(later, [opened("ann")]).and([paid("ann", 90).on(later).with_id(record_id(77))]);
    assert_eq!(given.when(&pay).decided().unwrap().len(), 1);
}

fn message(assertion: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(assertion).expect_err("the assertion must fail");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn failed_assertions_say_what_was_decided() {
    let when = |events: Vec<Move>| testing::given(events).when(&Pay { account: "ann", cents: 60 });
    let rich = || vec![opened("ann"), paid("ann", 100)];
    let said = message(move || when(rich()).refused(Refused::NotOpen));
    assert!(said.contains("expected the refusal NotOpen") && said.contains("ann") && said.contains(r"\xc4\xff"), "{said}");
    let said = message(move || when(rich()).then([paid("ann", -61)]));
    assert!(said.contains("event 0 differs") && said.contains(r"\xc3\xff") && said.contains(r"\xc4\xff"), "{said}");
    let said = message(move || when(rich()).then([]));
    assert!(said.contains("1 more events"), "{said}");
    let said = message(move || when(rich()).then([paid("ann", -60), opened("bob")]));
    assert!(said.contains("event 1 is missing"), "{said}");
    let said = message(move || when(rich()).then_on(sovang_core::date(1999, 1, 1), [paid("ann", -60)]));
    assert!(said.contains("another day"), "{said}");
    let said = message(move || when(vec![]).then([paid("ann", -60)]));
    assert!(said.contains("refused: NotOpen"), "{said}");
    let said = message(move || when(vec![]).refused(Refused::Holds(1)));
    assert!(said.contains("expected the refusal Holds(1), got NotOpen"), "{said}");
    let said = message(move || drop(when(vec![withdrawn(5)])));
    assert!(said.contains("given event 0 cannot be recorded"), "{said}");
}
