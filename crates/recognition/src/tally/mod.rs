//! The tallies an office publishes, as projections over the ledger and as plain values.
//!
//! Two ways to one figure:
//! - a type for each tally, such as [`Contributions`]: fold it or keep it (`ledger.project`), then ask its rows, or any
//!   report without dates, of the same state;
//! - [`Tally`]: one report as asked for by names in a [`Request`], with dates. It remembers only what that report needs.
//!
//! # What counts
//! A tally adds up signed effects, so a corrected record counts as its replacement and a retracted one nowhere, whatever
//! the order in which they were recorded; which records exist is the reader's matter (`as_of`). Joins are resolved
//! when rows are read:
//! - A record's `unit`, `field` and `subject_kind` are those of the registration that stands for its model, also when that
//!   was recorded or corrected later. Null when none stands (imported with an override).
//! - What cites a decision counts unless an annulment of that decision (issuer, number and date) stands. A retracted
//!   annulment, and one corrected to name another decision, lets it count again. A recognition that cites an annulled
//!   decision by an override does not count. `plaques` asks no decision; `amendments` counts the annulments themselves.
//! - A withdrawn model's records go on counting.
//! - Ids and texts compare in NFC, and a report shows texts in NFC.
//! - Dates (`from`, `to`, both inclusive) filter the records that are counted by the day on which they, or their
//!   corrections, say they occurred. What these refer to is looked up whatever its date: the model, an annulment, a
//!   removal, a proposal's award.
//! - `figure_published` is never counted.
//!
//! Each tally's own reading is said at its type: which record `year` belongs to, and what dates filter.
//!
//! # Rows
//! Sorted by the dimensions in the order asked for: null first, numbers by value, texts by code points. Rows that are all
//! zero are left out, but a report by nothing is one row, zero or not. Sums are of 128 bits and cannot overflow.

mod amendments;
mod commendations;
mod continuity;
mod contributions;
mod counting;
mod cumulative;
mod grouping;
mod joins;
mod multi_level;
mod name;
mod plaques;
mod proposals;
mod rate;
mod recognised;
mod registered;
mod request;
mod state;
mod statement;
mod table;

pub use name::{Dimension, Name};
pub use request::Request;
pub use table::{Bound, Measure, Row, Table, Value};

use crate::event::Recognition;
use counting::{Counting, Scope};
use grouping::Grouping;
use serde::{Deserialize, Serialize};
use sovang_core::{Error, ErrorKind, Query, Recorded};
use sovang_projection::{Merge, Projection, Stored};

fn table(name: Name, state: &impl Counting, request: &Request) -> Table {
    let mut rows = Grouping::new(name, request);
    state.rows(&mut rows);
    rows.table()
}

macro_rules! tallies {
    ($($(#[$doc:meta])* $name:ident = $module:ident, $stored:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
            pub struct $name($module::State);

            impl $name {
                /// The rows of the default report.
                #[must_use]
                pub fn rows(&self) -> Vec<Row> {
                    table(Name::$name, &self.0, &Request::of(Name::$name)).rows
                }
                /// Any report without dates.
                ///
                /// # Errors
                /// When the request does not fit the tally, or has dates: the state no longer tells its days apart.
                pub fn table(&self, request: &Request) -> Result<Table, Error> {
                    request.check(Name::$name)?;
                    if request.from.is_some() || request.to.is_some() {
                        return Err(Error::new(ErrorKind::InvalidInput, "a tally of all records cannot be cut to dates")
                            .advise("fold a Tally made with this request"));
                    }
                    Ok(table(Name::$name, &self.0, request))
                }
            }
            impl Projection<Recognition> for $name {
                fn query(&self) -> Query {
                    Query::kinds($module::State::kinds(Scope::ALL.joined))
                }
                fn apply(&mut self, record: &Recorded<Recognition>) {
                    self.0.record(record, &Scope::ALL);
                }
            }
            impl Stored<Recognition> for $name {
                const NAME: &'static str = $stored;
                const REVISION: u32 = 1;
            }
            impl Merge<Recognition> for $name {
                fn merge(&mut self, later: Self) {
                    self.0.merge(later.0);
                }
            }
        )*

        /// The state of any tally.
        #[derive(Clone, Debug, PartialEq)]
        enum State {
            $($name($module::State),)*
        }
        impl State {
            fn of(name: Name) -> Self {
                match name {
                    $(Name::$name => Self::$name($module::State::default()),)*
                }
            }
            fn query(&self, scope: &Scope) -> Query {
                match self {
                    $(Self::$name(_) => Query::kinds($module::State::kinds(scope.joined)),)*
                }
            }
            fn record(&mut self, record: &Recorded<Recognition>, scope: &Scope) {
                match self {
                    $(Self::$name(state) => state.record(record, scope),)*
                }
            }
            fn merge(&mut self, later: Self) {
                match (self, later) {
                    $((Self::$name(state), Self::$name(later)) => state.merge(later),)*
                    _ => debug_assert!(false, "states of two tallies"),
                }
            }
            fn table(&self, name: Name, request: &Request) -> Table {
                match self {
                    $(Self::$name(state) => table(name, state, request),)*
                }
            }
        }
    };
}

tallies! {
    /// Models registered by year, unit, field and subject kind.
    ///
    /// A withdrawn model stays registered history: only a retraction takes a registration away.
    Registered = registered, "tally-registered";
    /// Models recognised, gross and distinct.
    ///
    /// `year` is that of `occurred_on`, not the recognition's period. `unit`, `field` and `subject_kind` are those of the
    /// model, null when it is not registered. A model is counted once in each row that it is part of.
    Recognised = recognised, "tally-recognised";
    /// How many of the models registered in a year were ever recognised.
    ///
    /// Every dimension is the model's. Dates filter the registrations that are counted; a model among them is recognised
    /// whenever that was. One that no counted registration stands for is in no row, so that a rate never exceeds 10,000. The
    /// rate of no registration is 0.
    RecognitionRate = rate, "tally-recognition-rate";
    /// New models against continued ones.
    ///
    /// `new` counts registrations in the year they are registered for, `continued` the continuations in the year continued,
    /// which is the event's own and not that of `occurred_on`. A continuation's unit and field are its model's.
    Continuity = continuity, "tally-continuity";
    /// Money, labour, land and goods given, with bounds.
    ///
    /// A measure is a bound when a contribution that adds to it is one: the labour of a row may be "more than" while its
    /// money is exact. `count` counts records and is always exact. Money and the value of goods add up in `vnd`; land is
    /// never valued, its measure is in square decimetres (hundredths of a square metre). `land` is null for what is no land.
    Contributions = contributions, "tally-contributions";
    /// Plaques mounted, and what became of them.
    ///
    /// `year` is that of the mounting, `unit` that of the plaque's model. Dates filter by the mounting; a removal is looked
    /// up whenever it occurred. The rules admit one removal of a plaque; where an override let several stand, the last one to
    /// occur says what became of it. An annulled decision takes no plaque away: it hangs there.
    Plaques = plaques, "tally-plaques";
    /// Commendations awarded, with their bonuses.
    ///
    /// `unit` is the recipient's. An award whose decision is annulled counts no more, and neither does its bonus; what was
    /// recovered of it is said by the annulment and not subtracted here.
    Commendations = commendations, "tally-commendations";
    /// Commendations proposed, and how many of these were awarded.
    ///
    /// Every dimension is the proposal's, and dates filter by the proposal. It is awarded when an award of the same
    /// commendation id stands and its decision is not annulled, whenever that award occurred and whatever form or level it
    /// has.
    Proposals = proposals, "tally-proposals";
    /// At how many levels models are recognised.
    ///
    /// Only models with a recognition that stands are counted, so there is no row of 0 levels. Dates filter the recognitions,
    /// so that `levels` is the number of levels among those. `year` is the one the model is registered for.
    MultiLevel = multi_level, "tally-multi-level";
    /// Everything since the start, year by year.
    ///
    /// A registration belongs to the year it is registered for, the others to the year of `occurred_on`. There is a row for
    /// every year from the first to the last in which any of the four grew. A total row, and so the figures under a filter by
    /// year, are those up to the end of the last year asked for: never a sum of sums.
    Cumulative = cumulative, "tally-cumulative";
    /// Withdrawals, annulments, corrections and retractions.
    ///
    /// A withdrawal and an annulment are facts like others: corrected, they count as their replacement, retracted, nowhere. A
    /// correction and a retraction always count, on their own day: they cannot be amended. `year` is that of `occurred_on`.
    Amendments = amendments, "tally-amendments";
}

/// One report of one tally, as a projection: fold it, then read its [`table`](Self::table).
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    name: Name,
    request: Request,
    scope: Scope,
    state: State,
}

impl Tally {
    /// Nothing counted yet.
    ///
    /// # Errors
    /// When the request does not fit the tally: see [`Request::check`].
    pub fn new(name: Name, request: Request) -> Result<Self, Error> {
        request.check(name)?;
        let scope = Scope::of(name, &request);
        Ok(Self { name, request, scope, state: State::of(name) })
    }
    /// Which tally.
    #[must_use]
    pub fn name(&self) -> Name {
        self.name
    }
    /// What is asked of it.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }
    /// The report.
    #[must_use]
    pub fn table(&self) -> Table {
        self.state.table(self.name, &self.request)
    }
    /// The rows of the report.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        self.table().rows
    }
}
impl Projection<Recognition> for Tally {
    fn query(&self) -> Query {
        self.state.query(&self.scope)
    }
    fn apply(&mut self, record: &Recorded<Recognition>) {
        self.state.record(record, &self.scope);
    }
}
/// Both must be of the same name and request.
impl Merge<Recognition> for Tally {
    fn merge(&mut self, later: Self) {
        debug_assert_eq!((self.name, &self.request), (later.name, &later.request), "two reports");
        self.state.merge(later.state);
    }
}
