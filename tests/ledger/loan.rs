//! A loan book: an event type that the library knows nothing of, with a command, two read models, amendments and personal data.

use proptest::strategy::Strategy;
use serde::{Deserialize, Serialize};
use sovang::testing::{ManualClock, SeededIds};
use sovang::{
    Amends, Appended, CodecError, Command, Date, Decoder, Encoder, Entry, Event, Kind, Ledger, Merge, Options, Personal,
    Projection, Query, RecordId, Recorded, Stored, Tags, UtcDateTime, calendar, date,
};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Loan {
    Opened { loan: String, cents: i64 },
    Repaid { loan: String, cents: i64 },
    Closed { loan: String },
    Signed { loan: String, borrower: Personal<String>, guarantor: Personal<String> },
    Corrected { target: RecordId, on: Date, by: Box<Loan> },
    Withdrawn { target: RecordId },
}

impl Loan {
    pub(crate) const OPENED: Kind = Kind::new(1, 1, "loan_opened");
    pub(crate) const REPAID: Kind = Kind::new(2, 1, "loan_repaid");
    pub(crate) const SIGNED: Kind = Kind::new(4, 1, "loan_signed");
    pub(crate) const CORRECTED: Kind = Kind::new(5, 1, "loan_corrected");
}

impl Event for Loan {
    const SCHEMA: &'static str = "example.org/loans";
    const KINDS: &'static [Kind] = &[
        Self::OPENED,
        Self::REPAID,
        Kind::new(3, 1, "loan_closed"),
        Self::SIGNED,
        Self::CORRECTED,
        Kind::new(6, 1, "loan_withdrawn"),
    ];
    fn kind(&self) -> Kind {
        Self::KINDS[match self {
            Self::Opened { .. } => 0,
            Self::Repaid { .. } => 1,
            Self::Closed { .. } => 2,
            Self::Signed { .. } => 3,
            Self::Corrected { .. } => 4,
            Self::Withdrawn { .. } => 5,
        }]
    }
    fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        match self {
            Self::Opened { loan, cents } | Self::Repaid { loan, cents } => to.put(&(loan, cents)),
            Self::Closed { loan } => to.put(loan),
            Self::Signed { loan, borrower, guarantor } => {
                to.put(loan)?;
                to.personal(1, borrower)?;
                to.personal(2, guarantor)
            }
            Self::Corrected { on, by, .. } => {
                to.put(&calendar::days_of(*on))?;
                to.put_event(&**by)
            }
            Self::Withdrawn { .. } => Ok(()),
        }
    }
    fn decode(number: u16, version: u16, from: &mut Decoder) -> Result<Self, CodecError> {
        Ok(match (number, version) {
            (1, 1) => {
                let (loan, cents) = from.take()?;
                Self::Opened { loan, cents }
            }
            (2, 1) => {
                let (loan, cents) = from.take()?;
                Self::Repaid { loan, cents }
            }
            (3, 1) => Self::Closed { loan: from.take()? },
            (4, 1) => Self::Signed { loan: from.take()?, borrower: from.personal(1)?, guarantor: from.personal(2)? },
            (5, 1) => {
                let target = from.target()?;
                let on = calendar::date_of(from.take()?)?;
                Self::Corrected { target, on, by: Box::new(from.take_event()?) }
            }
            (6, 1) => Self::Withdrawn { target: from.target()? },
            _ => return Err(from.unknown_kind()),
        })
    }
    fn tags(&self, tags: &mut Tags) {
        match self {
            Self::Opened { loan, .. } | Self::Repaid { loan, .. } | Self::Closed { loan } | Self::Signed { loan, .. } => {
                tags.add("loan", loan);
            }
            Self::Corrected { by, .. } => by.tags(tags),
            Self::Withdrawn { .. } => {}
        }
    }
    fn amends(&self) -> Option<Amends<'_, Self>> {
        match self {
            Self::Corrected { target, on, by } => Some(Amends::Replaces { target: *target, on: *on, by }),
            Self::Withdrawn { target } => Some(Amends::Retracts { target: *target }),
            _ => None,
        }
    }
}

pub(crate) fn opened(loan: &str, cents: i64) -> Loan {
    Loan::Opened { loan: loan.into(), cents }
}
pub(crate) fn repaid(loan: &str, cents: i64) -> Loan {
    Loan::Repaid { loan: loan.into(), cents }
}
pub(crate) fn closed(loan: &str) -> Loan {
    Loan::Closed { loan: loan.into() }
}
/// Signed by `citizen:NUMBER`, without a guarantor.
pub(crate) fn signed(loan: &str, citizen: u32) -> Loan {
    let borrower = Personal::of(format!("citizen:{citizen}"), format!("Name-of-{citizen}"));
    Loan::Signed { loan: loan.into(), borrower, guarantor: Personal::None }
}
pub(crate) fn corrected(target: &Appended, on: Date, by: Loan) -> Loan {
    Loan::Corrected { target: target.id, on, by: Box::new(by) }
}
pub(crate) fn withdrawn(target: &Appended) -> Loan {
    Loan::Withdrawn { target: target.id }
}

/// What a loan still owes.
#[derive(Default, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Balance {
    pub(crate) loan: String,
    pub(crate) cents: i128,
}
impl Balance {
    pub(crate) fn of(loan: &str) -> Self {
        Self { loan: loan.into(), cents: 0 }
    }
}
impl Projection<Loan> for Balance {
    fn query(&self) -> Query {
        Query::tag("loan", &self.loan)
    }
    fn apply(&mut self, record: &Recorded<Loan>) {
        for effect in record.effects() {
            self.cents += i128::from(effect.weight)
                * match effect.event {
                    Loan::Opened { cents, .. } => i128::from(*cents),
                    Loan::Repaid { cents, .. } => -i128::from(*cents),
                    _ => 0,
                };
        }
    }
}

/// The command of the tests: repays, if so much is owed.
#[derive(Clone)]
pub(crate) struct Repay {
    pub(crate) loan: String,
    pub(crate) cents: i64,
    pub(crate) on: Date,
}
impl Repay {
    pub(crate) fn of(loan: &str, cents: i64) -> Self {
        Self { loan: loan.into(), cents, on: DAY }
    }
}
#[derive(Debug, PartialEq)]
pub(crate) enum Refused {
    NotOpen,
    MoreThanOwed { owed: i128 },
}
impl Command<Loan> for Repay {
    type State = Balance;
    type Refusal = Refused;
    fn state(&self) -> Balance {
        Balance::of(&self.loan)
    }
    fn decide(&self, state: &Balance) -> Result<Vec<Entry<Loan>>, Refused> {
        if state.cents == 0 {
            return Err(Refused::NotOpen);
        }
        if i128::from(self.cents) > state.cents {
            return Err(Refused::MoreThanOwed { owed: state.cents });
        }
        Ok(vec![repaid(&self.loan, self.cents).on(self.on)])
    }
}

#[derive(Default, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RepaidByYear {
    pub(crate) cents: BTreeMap<i32, i128>,
}
impl Projection<Loan> for RepaidByYear {
    fn query(&self) -> Query {
        Query::kind(Loan::REPAID)
    }
    fn apply(&mut self, record: &Recorded<Loan>) {
        for effect in record.effects() {
            if let Loan::Repaid { cents, .. } = effect.event {
                *self.cents.entry(effect.occurred_on.year()).or_default() += i128::from(effect.weight) * i128::from(*cents);
            }
        }
    }
}
impl Stored<Loan> for RepaidByYear {
    const NAME: &'static str = "repaid_by_year";
    const REVISION: u32 = 1;
}
impl Merge<Loan> for RepaidByYear {
    fn merge(&mut self, later: Self) {
        for (year, cents) in later.cents {
            *self.cents.entry(year).or_default() += cents;
        }
    }
}

pub(crate) const DAY: Date = date(2024, 5, 2);
pub(crate) const ORIGIN: &str = "example.org/loans";

pub(crate) fn at(day: Date, hour: u8, minute: u8) -> UtcDateTime {
    day.with_hms(hour, minute, 0).expect("a time of day").as_utc()
}
/// Ids from a seed, and a clock that stands at noon of [`DAY`].
pub(crate) fn fixed() -> (Options, ManualClock) {
    let clock = ManualClock::at(at(DAY, 12, 0));
    (Options::new().clock(clock.clone()).ids(SeededIds::new(7)), clock)
}
pub(crate) fn in_memory() -> Ledger<Loan> {
    fixed().0.in_memory(ORIGIN).expect("a ledger in memory")
}
/// One record of a random history; numbers name loans, citizens and earlier records.
#[derive(Clone, Debug)]
pub(crate) enum Move {
    Open(u8, i64),
    Repay(u8, i64, u16),
    Sign(u8, u8),
    Correct(u8, u8, i64, u16),
    Withdraw(u8),
}
pub(crate) fn moves(most: usize) -> impl Strategy<Value = Vec<Move>> {
    use proptest::prelude::*;
    let one = prop_oneof![
        2 => (0u8..4, 1i64..1000).prop_map(|(l, c)| Move::Open(l, c)),
        4 => (0u8..4, 1i64..1000, 2015u16..2025).prop_map(|(l, c, y)| Move::Repay(l, c, y)),
        2 => (0u8..4, 0u8..4).prop_map(|(l, c)| Move::Sign(l, c)),
        3 => (any::<u8>(), 0u8..4, 1i64..1000, 2015u16..2025).prop_map(|(t, l, c, y)| Move::Correct(t, l, c, y)),
        1 => any::<u8>().prop_map(Move::Withdraw),
    ];
    proptest::collection::vec(one, 0..most)
}
/// What a move records, given the originals so far; none when it finds nothing to amend.
pub(crate) fn entry_of(of: &Move, originals: &[(RecordId, Loan)]) -> Option<Entry<Loan>> {
    let loan = |l: &u8| format!("L-{l}");
    let year = |y: &u16| date(i32::from(*y), 6, 30);
    Some(match of {
        Move::Open(l, cents) => opened(&loan(l), *cents).on(DAY),
        Move::Repay(l, cents, y) => repaid(&loan(l), *cents).on(year(y)),
        Move::Sign(l, citizen) => signed(&loan(l), u32::from(*citizen)).on(DAY),
        Move::Correct(t, l, cents, y) => {
            let (target, original) = originals.get(usize::from(*t) % originals.len().max(1))?;
            let by = match original {
                Loan::Opened { .. } => opened(&loan(l), *cents),
                Loan::Repaid { .. } => repaid(&loan(l), *cents),
                _ => return None,
            };
            Loan::Corrected { target: *target, on: year(y), by: Box::new(by) }.on(DAY)
        }
        Move::Withdraw(t) => {
            let (target, _) = originals.get(usize::from(*t) % originals.len().max(1))?;
            Loan::Withdrawn { target: *target }.on(DAY)
        }
    })
}
/// Records a random history, in batches as they come.
pub(crate) fn play(ledger: &Ledger<Loan>, moves: &[Move]) {
    let desk = ledger.by("teller:1");
    let mut next = u128::from(ledger.head().size.0);
    let mut originals = Vec::new();
    let mut tickets = Vec::new();
    for of in moves {
        if let Some(entry) = entry_of(of, &originals) {
            next += 1;
            let id = RecordId::from_bytes(next.to_be_bytes());
            let event = entry.event().clone();
            tickets.push(desk.submit(entry.with_id(id)).expect("submitted"));
            if event.amends().is_none() {
                originals.push((id, event));
            }
        }
    }
    for ticket in tickets {
        ticket.wait().expect("recorded");
    }
}
