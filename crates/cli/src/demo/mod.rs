//! The example of `sovang demo`: what a district's recognition office writes into its books from 2014 to 2024.
//!
//! The office keeps one book a year and closes it at the year's end; the last one before the press report of 14 October
//! 2024 is closed that morning. Every figure of that report is what the books add up to once their mistakes are put
//! right: models entered twice, money with a zero too many, decisions annulled. Names and events are invented; the
//! units, the published figures and the dates of units are those of the real district.
//!
//! - [`history`] makes the books. Nothing in it counts: what comes out is only what [`plan`] puts in.
//! - [`figures`] folds the ledger, [`paragraph`] words what was folded.

mod book;
mod chance;
pub(crate) mod figures;
mod mistakes;
mod office;
pub(crate) mod paragraph;
mod plan;
mod press;
mod review;
mod units;
mod words;

pub(crate) use book::History;
pub(crate) use press::REPORT;

/// The ledger's name.
pub(crate) const ORIGIN: &str = "example.org/bac-tu-liem/golden-book";

/// The whole history, in the order in which it was recorded.
///
/// # Errors
/// When the library does not take an actor's name, which would be a defect of this generator.
pub(crate) fn history() -> sovang::Result<History> {
    let mut office = office::Office::open();
    for year in &plan::YEARS {
        office.work(year);
    }
    office.close()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_history_each_time() {
        let history = |()| {
            let History { books, singles } = history().expect("a history");
            let imports: Vec<_> = books.into_iter().flat_map(|book| book.entries).collect();
            (imports, singles.into_iter().map(|single| (single.actor, single.entry)).collect::<Vec<_>>())
        };
        let (first, second) = (history(()), history(()));
        assert!(first == second);
    }

    #[test]
    fn every_book_holds_what_had_occurred_when_it_was_closed() {
        let History { books, singles } = history().expect("a history");
        assert_eq!(books.len(), 12, "2013 to 2023, and that of the report");
        for (earlier, book) in books.iter().zip(&books[1..]) {
            let days = book.entries.iter().map(|import| import.entry.occurred_on().expect("a day"));
            assert!(days.clone().is_sorted() && !book.entries.is_empty());
            assert!(days.clone().all(|day| day > earlier.closed_at.date() && day <= book.closed_at.date()));
        }
        let report = books.last().expect("books").closed_at;
        assert!(singles.iter().all(|single| single.recorded_at() > Some(report)));
    }
}
