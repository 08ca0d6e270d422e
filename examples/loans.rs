//! The engine is generic: a loan book with its own event type, a command that is decided on what the ledger says, and a projection.
//!
//!     cargo run --example loans

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use serde::{Deserialize, Serialize};
use sovang::{
    CodecError, Command, Date, Decoder, Encoder, Entry, Event, ExecuteError, Kind, Ledger, Merge, Projection, Query, Recorded,
    Stored, Tags, date,
};
use std::collections::BTreeMap;

enum Loan {
    Opened { loan: String, cents: i64 },
    Repaid { loan: String, cents: i64 },
    Closed { loan: String },
}

impl Loan {
    const REPAID: Kind = Kind::new(2, 1, "loan_repaid"); // number, version written today, wire name
}

impl Event for Loan {
    const SCHEMA: &'static str = "example.org/loans"; // a ledger of another schema is not opened
    const KINDS: &'static [Kind] = &[Kind::new(1, 1, "loan_opened"), Self::REPAID, Kind::new(3, 1, "loan_closed")];
    fn kind(&self) -> Kind {
        Self::KINDS[match self {
            Loan::Opened { .. } => 0,
            Loan::Repaid { .. } => 1,
            Loan::Closed { .. } => 2,
        }]
    }
    fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        match self {
            Loan::Opened { loan, cents } | Loan::Repaid { loan, cents } => to.put(&(loan, cents)),
            Loan::Closed { loan } => to.put(loan),
        }
    }
    fn decode(number: u16, version: u16, from: &mut Decoder) -> Result<Self, CodecError> {
        Ok(match (number, version) {
            (1, 1) => {
                let (loan, cents) = from.take()?;
                Loan::Opened { loan, cents }
            }
            (2, 1) => {
                let (loan, cents) = from.take()?;
                Loan::Repaid { loan, cents }
            }
            (3, 1) => Loan::Closed { loan: from.take()? },
            _ => return Err(from.unknown_kind()),
        })
    }
    fn tags(&self, tags: &mut Tags) {
        let (Loan::Opened { loan, .. } | Loan::Repaid { loan, .. } | Loan::Closed { loan }) = self;
        tags.add("loan", loan);
    }
}

/// What a loan still owes: the state a repayment is decided on.
struct Balance {
    loan: String,
    cents: i128,
}

impl Projection<Loan> for Balance {
    fn query(&self) -> Query {
        Query::tag("loan", &self.loan) // what is folded is what is guarded
    }
    fn apply(&mut self, record: &Recorded<Loan>) {
        for effect in record.effects() {
            self.cents += i128::from(effect.weight)
                * match effect.event {
                    Loan::Opened { cents, .. } => i128::from(*cents),
                    Loan::Repaid { cents, .. } => -i128::from(*cents),
                    Loan::Closed { .. } => 0,
                }
        }
    }
}

struct Repay {
    loan: String,
    cents: i64,
    on: Date,
}

#[derive(Debug, PartialEq)]
enum Refused {
    NotOpen,
    MoreThanOwed { owed: i128 },
}

impl Command<Loan> for Repay {
    type State = Balance;
    type Refusal = Refused;
    fn state(&self) -> Balance {
        Balance { loan: self.loan.clone(), cents: 0 }
    }
    fn decide(&self, state: &Balance) -> Result<Vec<Entry<Loan>>, Refused> {
        if state.cents == 0 {
            return Err(Refused::NotOpen);
        }
        if i128::from(self.cents) > state.cents {
            return Err(Refused::MoreThanOwed { owed: state.cents });
        }
        Ok(vec![Loan::Repaid { loan: self.loan.clone(), cents: self.cents }.on(self.on)])
    }
}

/// A read model that is kept between runs.
#[derive(Default, Clone, Serialize, Deserialize)]
struct RepaidByYear {
    cents: BTreeMap<i32, i128>,
}

impl Projection<Loan> for RepaidByYear {
    fn query(&self) -> Query {
        Query::kind(Loan::REPAID) // other kinds are skipped before decoding
    }
    fn apply(&mut self, record: &Recorded<Loan>) {
        for effect in record.effects() {
            if let Loan::Repaid { cents, .. } = effect.event {
                *self.cents.entry(effect.occurred_on.year()).or_default() += i128::from(effect.weight) * i128::from(*cents)
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
            *self.cents.entry(year).or_default() += cents
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let home = std::env::temp_dir().join(format!("sovang-loans-{}", std::process::id()));
    let ledger = Ledger::<Loan>::create(&home, "example.org/loans")?;
    let teller = ledger.by("teller:7");
    teller.record(Loan::Opened { loan: "L-1".into(), cents: 50_000 }.on(date(2024, 1, 15)))?;

    let half = Repay { loan: "L-1".into(), cents: 25_000, on: date(2024, 6, 30) };
    let key = "request-0001";
    for attempt in 1..=2 {
        // A client that heard no answer sends its request again: the same key, no second repayment.
        match teller.clone().idempotency_key(key).execute(&half) {
            Ok(done) => println!("attempt {attempt}: recorded at {}, repeated: {}", done[0].position, done[0].repeated),
            Err(ExecuteError::Refused(why)) => println!("attempt {attempt}: refused: {why:?}"),
            Err(ExecuteError::Failed(error)) => return Err(error.into()),
        }
    }
    let too_much = Repay { loan: "L-1".into(), cents: 99_000, on: date(2025, 1, 2) };
    if let Err(ExecuteError::Refused(why)) = teller.execute(&too_much) {
        println!("refused: {why:?}");
    }

    let kept = ledger.project(RepaidByYear::default())?;
    let parallel = ledger.fold_parallel(RepaidByYear::default, 4)?;
    assert_eq!(kept.cents, parallel.cents);
    for (year, cents) in &kept.cents {
        println!("{year}: {cents} cents repaid, as of size {}", kept.head.size);
    }
    std::fs::remove_dir_all(&home)?;
    Ok(())
}
