//! Books: what is recorded together, and when.

use super::press;
use sovang::recognition::Recognition;
use sovang::{Actor, Date, Entry, Envelope, Import, Result, UtcDateTime, date};
use time::macros::time;

/// What an office wrote down until it closed the book.
#[derive(Debug)]
pub(crate) struct Book {
    /// When the book was closed and recorded.
    pub(crate) closed_at: UtcDateTime,
    /// Its entries, by the day on which they occurred.
    pub(crate) entries: Vec<Import<Recognition>>,
}

/// An entry that somebody records by itself, on the day on which it occurs.
#[derive(Debug)]
pub(crate) struct Single {
    pub(crate) actor: String,
    pub(crate) entry: Entry<Recognition>,
}

impl Single {
    /// The working day's end in Hà Nội.
    pub(crate) fn recorded_at(&self) -> Option<UtcDateTime> {
        self.entry.occurred_on().map(evening)
    }
}

/// The books before the press report, what came one by one afterwards.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) books: Vec<Book>,
    pub(crate) singles: Vec<Single>,
}

/// Half past five in Hà Nội.
fn evening(day: Date) -> UtcDateTime {
    UtcDateTime::new(day, time!(10:30))
}

/// The days on which books are closed: the ledger's first day, every year's end, the day of the report.
fn closings() -> impl Iterator<Item = UtcDateTime> {
    let years = (2013..=2023).map(|year| evening(date(year, 12, 31)));
    // Eight o'clock in Hà Nội.
    years.chain([UtcDateTime::new(press::DAY, time!(01:00))])
}

/// Sorts what was written, whatever the order it was thought of, into books; entries of one day keep their order.
pub(super) fn bind(mut written: Vec<Single>) -> Result<History> {
    written.sort_by_key(|single| single.entry.occurred_on());
    let mut written = written.into_iter().peekable();
    let mut books = Vec::new();
    for closed_at in closings() {
        let mut entries = Vec::new();
        while let Some(single) = written.next_if(|single| single.recorded_at().is_none_or(|at| at <= closed_at)) {
            entries.push(Import {
                entry: single.entry,
                envelope: Envelope::by(Actor::new(&single.actor)?),
                recorded_at: None,
                given: Vec::new(),
            });
        }
        books.push(Book { closed_at, entries });
    }
    Ok(History { books, singles: written.collect() })
}
