//! How long records are kept: classes with their terms as data, and which records' term has ended.
//!
//! The law keeps archives permanently or for 2 to 70 years, by class; which class has which term is for each office to say, so
//! it is a file ([`Classes::parse`]). [`Classes::example`] shows its form; its terms are no advice.
//!
//! Nothing is deleted here: the log is for ever, and holds no personal data. What a term is for is the personal values beside it.
//!
//! ```
//! use sovang_recognition::retention::Classes;
//! let classes = Classes::parse(br#"{"classes":[
//!     {"class":"gifts","types":["model_funded"],"years":10,"source":"the office's list of 2 May 2026, no. 4"}
//! ]}"#)?;
//! assert_eq!(classes.all()[0].name, "gifts");
//! # Ok::<(), sovang_recognition::retention::BadClasses>(())
//! ```

mod classes;
mod ends;

pub use classes::{BadClasses, Class, Classes, Counted, YEARS_MAX, YEARS_MIN};
pub use ends::Ends;

use crate::event::Recognition;
use sovang_core::{Date, Effect, Event, Position, RecordId, Recorded};
use time::Month;

/// What is said of one record's term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term<'a> {
    /// No class is for it.
    Unclassed,
    /// It is kept for ever.
    Permanent(&'a Class),
    /// It counts from an end that has not come: the model is not withdrawn, the plaque stands.
    NotBegun(&'a Class),
    /// It is kept up to the end of this day.
    Until(&'a Class, Date),
}

/// A record whose term has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended<'a> {
    /// Its class.
    pub class: &'a Class,
    /// Where it stands.
    pub position: Position,
    /// Its id.
    pub id: RecordId,
    /// The event's name on the wire.
    pub kind: &'static str,
    /// When it happened, as it was recorded.
    pub occurred_on: Date,
    /// The last day of its term.
    pub ended_on: Date,
    /// Whether a personal value of it can still be read.
    pub is_readable: bool,
}

/// Classes with what of the log their terms depend on: judges one record after another.
#[derive(Clone, Debug)]
pub struct Retention<'a> {
    classes: &'a Classes,
    ends: &'a Ends,
}

impl<'a> Retention<'a> {
    /// By these classes, with the ends folded from the log.
    #[must_use]
    pub fn new(classes: &'a Classes, ends: &'a Ends) -> Self {
        Self { classes, ends }
    }
    /// The term of a record: its years are counted from the end of the year in which it occurred or, in a class that says
    /// so, in which the model was withdrawn or the plaque removed; of several dates that it was given the latest counts. An amendment is
    /// of the class of what it amends.
    #[must_use]
    pub fn term(&self, record: &Recorded<Recognition>) -> Term<'a> {
        let effects: Vec<Effect<'_, Recognition>> = record.effects().collect();
        let Some(stands) = effects.last() else { return Term::Unclassed };
        let Some(class) = self.classes.of(stands.event) else { return Term::Unclassed };
        let Some(years) = class.years else { return Term::Permanent(class) };
        let dates = effects.iter().map(|effect| effect.occurred_on.year());
        let mut year =
            dates.fold(record.occurred_on.year(), i32::max).max(self.ends.year_of_record(stands.id).unwrap_or(i32::MIN));
        if class.counted == Counted::FromEnd {
            match self.ends.year_of_subject(stands.event) {
                Some(end) => year = year.max(end),
                None => return Term::NotBegun(class),
            }
        }
        // Beyond the calendar it has not ended either.
        let last = Date::from_calendar_date(year.saturating_add(years.into()), Month::December, 31).unwrap_or(Date::MAX);
        Term::Until(class, last)
    }
    /// The record, if its term has ended before the day `as_of`.
    #[must_use]
    pub fn ended(&self, record: &Recorded<Recognition>, as_of: Date) -> Option<Ended<'a>> {
        let Term::Until(class, last) = self.term(record) else { return None };
        (last < as_of).then(|| Ended {
            class,
            position: record.position,
            id: record.id,
            kind: record.event.kind().name(),
            occurred_on: record.occurred_on,
            ended_on: last,
            is_readable: record.event.personal().iter().any(|personal| personal.value().is_some()),
        })
    }
}
