//! A small domain: accounts, payments, and amendments of both.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "shared by several test programs")]

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use sovang_core::{
    Amends, CodecError, Date, Decoder, Encoder, Entry, Event, Kind, Position, Query, RecordId, Recorded, Result, Size, Tags,
    calendar, codec,
};
use sovang_projection::testing::{DAY, Memory, record_id};
use sovang_projection::{Merge, Projection, Store, Stored, fold};
use std::collections::BTreeMap;
use std::ops::Range;

#[derive(Clone, Debug, PartialEq)]
pub enum Move {
    Opened { account: String },
    Paid { account: String, cents: i64 },
    Corrected { target: RecordId, on: Date, by: Box<Move> },
    Withdrawn { target: RecordId },
}

impl Move {
    pub const OPENED: Kind = Kind::new(1, 1, "opened");
    pub const PAID: Kind = Kind::new(2, 1, "paid");
    pub const CORRECTED: Kind = Kind::new(3, 1, "corrected");
    pub const WITHDRAWN: Kind = Kind::new(4, 1, "withdrawn");
}

impl Event for Move {
    const SCHEMA: &'static str = "example.org/moves";
    const KINDS: &'static [Kind] = &[Self::OPENED, Self::PAID, Self::CORRECTED, Self::WITHDRAWN];
    fn kind(&self) -> Kind {
        match self {
            Self::Opened { .. } => Self::OPENED,
            Self::Paid { .. } => Self::PAID,
            Self::Corrected { .. } => Self::CORRECTED,
            Self::Withdrawn { .. } => Self::WITHDRAWN,
        }
    }
    fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        match self {
            Self::Opened { account } => to.put(account),
            Self::Paid { account, cents } => to.put(&(cents, account)),
            Self::Corrected { on, by, .. } => {
                to.put(&calendar::days_of(*on))?;
                to.put_event(&**by)
            }
            Self::Withdrawn { .. } => Ok(()),
        }
    }
    fn decode(number: u16, version: u16, from: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match (number, version) {
            (1, 1) => Self::Opened { account: from.take()? },
            (2, 1) => {
                let (cents, account) = from.take()?;
                Self::Paid { account, cents }
            }
            (3, 1) => {
                let on = calendar::date_of(from.take()?)?;
                Self::Corrected { target: from.target()?, on, by: Box::new(from.take_event()?) }
            }
            (4, 1) => Self::Withdrawn { target: from.target()? },
            _ => return Err(from.unknown_kind()),
        })
    }
    fn tags(&self, tags: &mut Tags) {
        match self {
            Self::Opened { account } | Self::Paid { account, .. } => tags.add("account", account),
            Self::Corrected { by, .. } => by.tags(tags),
            Self::Withdrawn { .. } => {}
        }
    }
    fn amends(&self) -> Option<Amends<'_, Self>> {
        match self {
            Self::Opened { .. } | Self::Paid { .. } => None,
            Self::Corrected { target, on, by } => Some(Amends::Replaces { target: *target, on: *on, by }),
            Self::Withdrawn { target } => Some(Amends::Retracts { target: *target }),
        }
    }
}

pub fn opened(account: &str) -> Move {
    Move::Opened { account: account.into() }
}
pub fn paid(account: &str, cents: i64) -> Move {
    Move::Paid { account: account.into(), cents }
}
pub fn corrected(nth: u64, by: Move) -> Move {
    Move::Corrected { target: record_id(nth), on: DAY, by: Box::new(by) }
}
pub fn withdrawn(nth: u64) -> Move {
    Move::Withdrawn { target: record_id(nth) }
}

/// One account's balance and the days of its payments, found by tag.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Balance {
    pub account: String,
    pub opened: i64,
    pub cents: i128,
    pub days: i128,
}
impl Balance {
    pub fn of(account: &str) -> Self {
        Self { account: account.into(), ..Self::default() }
    }
}
impl Projection<Move> for Balance {
    fn query(&self) -> Query {
        Query::tag("account", &self.account)
    }
    fn apply(&mut self, record: &Recorded<Move>) {
        for effect in record.effects() {
            match effect.event {
                Move::Opened { .. } => self.opened += effect.weight,
                Move::Paid { cents, .. } => self.cents += i128::from(effect.weight) * i128::from(*cents),
                amendment => panic!("an amendment is no effect: {amendment:?}"),
            }
            self.days += i128::from(effect.weight) * i128::from(calendar::days_of(effect.occurred_on));
        }
    }
}
impl Merge<Move> for Balance {
    fn merge(&mut self, later: Self) {
        self.opened += later.opened;
        self.cents += later.cents;
        self.days += later.days;
    }
}

/// Payments by day and account, found by kind.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct ByDay {
    pub cents: BTreeMap<(i32, String), i128>,
}
impl Projection<Move> for ByDay {
    fn query(&self) -> Query {
        Query::kind(Move::PAID)
    }
    fn apply(&mut self, record: &Recorded<Move>) {
        for effect in record.effects() {
            let Move::Paid { account, cents } = effect.event else { panic!("asked for payments only") };
            let cell = self.cents.entry((calendar::days_of(effect.occurred_on), account.clone())).or_default();
            *cell += i128::from(effect.weight) * i128::from(*cents);
        }
    }
}
impl Merge<Move> for ByDay {
    fn merge(&mut self, later: Self) {
        for (key, cents) in later.cents {
            *self.cents.entry(key).or_default() += cents;
        }
    }
}
impl Stored<Move> for ByDay {
    const NAME: &'static str = "by_day";
    const REVISION: u32 = 3;
}

/// Every record and every effect, in order: a projection that would notice any difference.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Journal {
    pub lines: Vec<(u64, Vec<Line>)>,
}
/// Weight, original record and day of an effect.
pub type Line = (i64, [u8; 16], i32);
impl Projection<Move> for Journal {
    fn apply(&mut self, record: &Recorded<Move>) {
        let effects = record.effects().map(|e| (e.weight, e.id.to_bytes(), calendar::days_of(e.occurred_on))).collect();
        self.lines.push((record.position.0, effects));
    }
}
impl Merge<Move> for Journal {
    fn merge(&mut self, later: Self) {
        self.lines.extend(later.lines);
    }
}

/// What happens at random; a target is the index of an original record, modulo their number.
#[derive(Clone, Debug)]
pub enum Op {
    Open(u8),
    Pay(u8, i64),
    CorrectPaid(usize, u8, i64, u8),
    CorrectOpened(usize, u8, u8),
    Withdraw(usize),
}

pub fn ops(most: usize) -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        1 => (0u8..3).prop_map(Op::Open),
        4 => (0u8..3, -500i64..500).prop_map(|(a, c)| Op::Pay(a, c)),
        3 => (any::<usize>(), 0u8..3, -500i64..500, 0u8..4).prop_map(|(t, a, c, d)| Op::CorrectPaid(t, a, c, d)),
        1 => (any::<usize>(), 0u8..3, 0u8..4).prop_map(|(t, a, d)| Op::CorrectOpened(t, a, d)),
        2 => any::<usize>().prop_map(Op::Withdraw),
    ];
    proptest::collection::vec(op, 0..most)
}

pub fn account(n: u8) -> String {
    ["ann", "bob", "eve"][usize::from(n)].to_owned()
}

/// The entries of these operations, each original under the id of its place.
pub fn entries(ops: &[Op]) -> Vec<Entry<Move>> {
    let day = |d: u8| calendar::date_of(calendar::days_of(DAY) + i32::from(d)).expect("in the calendar");
    let mut originals: Vec<u64> = Vec::new();
    let mut entries: Vec<Entry<Move>> = Vec::new();
    for op in ops {
        let target = |t: usize| (!originals.is_empty()).then(|| record_id(originals[t % originals.len()]));
        let event = match op {
            Op::Open(a) => opened(&account(*a)),
            Op::Pay(a, cents) => paid(&account(*a), *cents),
            Op::CorrectPaid(t, a, cents, d) => {
                let Some(target) = target(*t) else { continue };
                Move::Corrected { target, on: day(*d), by: Box::new(paid(&account(*a), *cents)) }
            }
            Op::CorrectOpened(t, a, d) => {
                let Some(target) = target(*t) else { continue };
                Move::Corrected { target, on: day(*d), by: Box::new(opened(&account(*a))) }
            }
            Op::Withdraw(t) => {
                let Some(target) = target(*t) else { continue };
                Move::Withdrawn { target }
            }
        };
        if event.amends().is_none() {
            originals.push(entries.len() as u64);
        }
        let on = day(u8::try_from(entries.len() % 3).expect("small"));
        entries.push(event.on(on));
    }
    entries
}

pub fn memory(entries: Vec<Entry<Move>>) -> Memory<Move> {
    let memory = Memory::new();
    for entry in entries {
        memory.append(vec![entry], Query::none().absent()).expect("recorded");
    }
    memory
}

/// The definition of what stands: originals, each as its last correction says, without those ever withdrawn.
pub fn standing(entries: &[Entry<Move>]) -> Vec<(Move, Date)> {
    let mut stands: Vec<(RecordId, Option<(Move, Date)>)> = Vec::new();
    for (nth, entry) in entries.iter().enumerate() {
        let on = entry.occurred_on().expect("dated");
        match entry.event() {
            Move::Corrected { target, on, by } => {
                let (_, original) = stands.iter_mut().find(|(id, _)| id == target).expect("an original");
                if original.is_some() {
                    *original = Some(((**by).clone(), *on));
                }
            }
            Move::Withdrawn { target } => {
                stands.iter_mut().find(|(id, _)| id == target).expect("an original").1 = None;
            }
            plain => stands.push((record_id(nth as u64), Some((plain.clone(), on)))),
        }
    }
    stands.into_iter().filter_map(|(_, original)| original).collect()
}

/// The records of a range that the query finds.
pub fn read(memory: &Memory<Move>, query: &Query, range: Range<u64>) -> std::vec::IntoIter<Result<Recorded<Move>>> {
    let found: Vec<_> = memory.read(query, Size(range.start), Size(range.end)).expect("readable").collect();
    found.into_iter()
}

/// Folds from the start, over what the query finds.
pub fn fold_all<P: Projection<Move>>(memory: &Memory<Move>, projection: P, to: Size) -> P {
    let records = read(memory, &projection.query(), 0..to.0);
    fold(projection, records, &before(memory)).expect("folds")
}

pub fn before(memory: &Memory<Move>) -> impl Fn(RecordId, Position) -> Result<Option<Recorded<Move>>> + Sync {
    |target, position| memory.before(target, position)
}

pub fn bytes<P: Serialize>(state: &P) -> Vec<u8> {
    codec::encode_state(state).expect("encodes")
}
