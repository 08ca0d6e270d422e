//! The figures of the paragraph, folded from the ledger, beside those that were published.

use super::REPORT;
use sovang::recognition::tally::{Bound, Dimension, Name, Request, Row, Table, Tally, Value};
use sovang::recognition::{Field, Qualifier, Recognition};
use sovang::{Query, Reader, Result};

/// What is asked of the ledger, as it is written on the command line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    pub(crate) tally: Name,
    by: &'static str,
    filters: &'static [&'static str],
}

impl Question {
    /// What follows `sovang tally DIR`.
    pub(crate) fn arguments(&self) -> String {
        let by = if self.by.is_empty() { "\"\"" } else { self.by };
        let filters: String = self.filters.iter().map(|filter| format!(" --where {filter}")).collect();
        format!("{} --by {by}{filters}", self.tally)
    }
    fn ask(self, reader: &Reader<Recognition>) -> Result<Asked> {
        let request = Request::parse(self.tally, Some(self.by), self.filters, None, None)?;
        let table = reader.fold(Tally::new(self.tally, request)?)?.table();
        Ok(Asked { question: self, table })
    }
}

const REGISTERED: Question = Question { tally: Name::Registered, by: "year", filters: &[] };
const WARDS: Question = Question { tally: Name::Registered, by: "unit", filters: &[] };
const RECOGNISED: Question = Question { tally: Name::Recognised, by: "subject_kind", filters: &["level=district"] };
const PROPOSED: Question =
    Question { tally: Name::Proposals, by: "form,level,recipient_kind", filters: &["form=diploma_of_merit", "level=city"] };
const OF_THE_YEAR: Question = Question { tally: Name::Registered, by: "field", filters: &["year=2024"] };
const GIVEN: Question = Question { tally: Name::Contributions, by: "kind", filters: &["year=2024", "source=socialised"] };
const GIVEN_IN_ALL: Question = Question { tally: Name::Contributions, by: "", filters: &["year=2024", "source=socialised"] };
const COMMENDED: Question = Question { tally: Name::Commendations, by: "form,level,recipient_kind", filters: &["year=2024"] };

/// A question with its answer.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) question: Question,
    pub(crate) table: Table,
}

impl Asked {
    /// A measure of the rows that have these values.
    fn sum(&self, measure: &str, of: &[(Dimension, &str)]) -> Figure {
        let is = |row: &&Row| of.iter().all(|(d, text)| row.dimension(*d) == Some(&Value::Text((*text).to_owned())));
        let measures = self.table.rows.iter().filter(is).filter_map(|row| row.measure(measure));
        measures.fold(Figure { value: 0, bound: None }, |sum, measure| Figure {
            value: sum.value + measure.value,
            bound: Bound::joined(sum.bound, measure.bound),
        })
    }
    /// How many rows there are.
    fn rows(&self) -> Figure {
        Figure { value: i128::try_from(self.table.rows.len()).unwrap_or(i128::MAX), bound: None }
    }
}

/// A figure and how it relates to the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) value: i128,
    pub(crate) bound: Option<Bound>,
}

impl Figure {
    /// As a report says it: only whole grains, rounded down. What is cut off, like what a lower bound leaves open, makes it
    /// "more than"; a figure that is no lower bound stays what it is. A figure below one grain is said in full.
    pub(crate) fn in_whole(self, grain: i128) -> Self {
        let rest = self.value % grain;
        if self.value < grain || rest == 0 {
            return self;
        }
        let bound = match self.bound {
            None | Some(Bound::MoreThan) => Bound::MoreThan,
            Some(Bound::LessThan | Bound::About) => Bound::About,
        };
        Self { value: self.value - rest, bound: Some(bound) }
    }
}

/// A milliard đồng (tỷ), the grain in which the report speaks of money.
pub(crate) const BILLION: i128 = 1_000_000_000;
/// A thousand, the grain in which it speaks of labour days.
pub(crate) const THOUSAND: i128 = 1_000;

/// Everything the paragraph says.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    /// The years of the registrations, first and last.
    pub(crate) years: Option<(i64, i64)>,
    pub(crate) registered: Figure,
    pub(crate) wards: Figure,
    pub(crate) recognised_collectives: Figure,
    pub(crate) recognised_individuals: Figure,
    pub(crate) proposed_collectives: Figure,
    pub(crate) registered_2024: Figure,
    /// Whether all four fields have models of 2024.
    pub(crate) all_fields: bool,
    /// Money and goods in đồng.
    pub(crate) socialised_vnd: Figure,
    pub(crate) labour_days: Figure,
    pub(crate) commended_collectives: Figure,
    pub(crate) commended_individuals: Figure,
    pub(crate) medals_individuals: Figure,
    /// The questions with their answers, in the order of the paragraph.
    pub(crate) asked: Vec<Asked>,
}

impl Figures {
    /// Folds the ledger.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub(crate) fn of(reader: &Reader<Recognition>) -> Result<Self> {
        use Dimension::{Form, Level, RecipientKind, SubjectKind};
        let ask = |question: Question| question.ask(reader);
        let (registered, wards, recognised, proposed) = (ask(REGISTERED)?, ask(WARDS)?, ask(RECOGNISED)?, ask(PROPOSED)?);
        let (of_the_year, given, given_in_all, commended) = (ask(OF_THE_YEAR)?, ask(GIVEN)?, ask(GIVEN_IN_ALL)?, ask(COMMENDED)?);
        let years: Vec<i64> = registered.table.rows.iter().filter_map(year).collect();
        let has = |field: &str| of_the_year.sum("count", &[(Dimension::Field, field)]).value > 0;
        let by_district = |kind| commended.sum("count", &[(Level, "district"), (RecipientKind, kind)]);
        Ok(Self {
            years: years.first().copied().zip(years.last().copied()),
            registered: registered.sum("count", &[]),
            wards: wards.rows(),
            recognised_collectives: recognised.sum("distinct_models", &[(SubjectKind, "collective")]),
            recognised_individuals: recognised.sum("distinct_models", &[(SubjectKind, "individual")]),
            proposed_collectives: proposed.sum("proposed", &[(RecipientKind, "collective")]),
            registered_2024: of_the_year.sum("count", &[]),
            all_fields: Field::CODES.iter().all(|field| has(field)),
            socialised_vnd: given_in_all.sum("vnd", &[]),
            labour_days: given_in_all.sum("labour_days", &[]),
            commended_collectives: by_district("collective"),
            commended_individuals: by_district("individual"),
            medals_individuals: commended
                .sum("count", &[(Form, "commemorative_medal"), (Level, "central"), (RecipientKind, "individual")]),
            asked: vec![registered, wards, recognised, proposed, of_the_year, given, commended],
        })
    }

    /// The figure of a published measure as the report would say it.
    fn stated(&self, measure: &str, period: &str) -> Option<Figure> {
        Some(match (measure, period) {
            ("registered", "2024") => self.registered_2024,
            ("socialised_vnd", "2024") => self.socialised_vnd.in_whole(BILLION),
            ("labour_days", "2024") => self.labour_days.in_whole(THOUSAND),
            ("commended_collectives", "2024") => self.commended_collectives,
            ("commended_individuals", "2024") => self.commended_individuals,
            ("medals_individuals", "2024") => self.medals_individuals,
            ("registered", "2014/2024") => self.registered,
            ("wards", "2014/2024") => self.wards,
            ("recognised_collectives", "2014/2024") => self.recognised_collectives,
            ("recognised_individuals", "2014/2024") => self.recognised_individuals,
            ("proposed_collectives", "2014/2024") => self.proposed_collectives,
            _ => return None,
        })
    }

    /// Each figure of the report, as the ledger has it published, beside what the ledger adds up to.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub(crate) fn compared(&self, reader: &Reader<Recognition>) -> Result<Vec<Compared>> {
        let mut compared = Vec::new();
        for record in reader.read(Query::kind(Recognition::FIGURE_PUBLISHED)) {
            let Recognition::FigurePublished(figure) = record?.event else { continue };
            if figure.source != REPORT {
                continue;
            }
            let bound = match figure.qualifier {
                Qualifier::Exact => None,
                Qualifier::MoreThan => Some(Bound::MoreThan),
                Qualifier::LessThan => Some(Bound::LessThan),
                Qualifier::About => Some(Bound::About),
            };
            compared.push(Compared {
                stated: self.stated(&figure.measure, &figure.period),
                published: Figure { value: figure.value.into(), bound },
                measure: figure.measure,
                period: figure.period,
            });
        }
        Ok(compared)
    }
}

fn year(row: &Row) -> Option<i64> {
    match row.dimension(Dimension::Year) {
        Some(Value::Number(year)) => Some(*year),
        _ => None,
    }
}

/// A published figure and what the ledger says instead.
#[derive(Clone, Debug)]
pub(crate) struct Compared {
    pub(crate) measure: String,
    pub(crate) period: String,
    pub(crate) published: Figure,
    /// None when the ledger does not answer that.
    pub(crate) stated: Option<Figure>,
}

impl Compared {
    pub(crate) fn is_equal(&self) -> bool {
        self.stated == Some(self.published)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_grains_are_rounded_down_to_more_than() {
        let figure = |value, bound| Figure { value, bound };
        let lower = Some(Bound::MoreThan);
        assert_eq!(figure(7_441_050_000, lower).in_whole(BILLION), figure(7_000_000_000, lower));
        assert_eq!(figure(7_441_050_000, None).in_whole(BILLION), figure(7_000_000_000, lower));
        assert_eq!(figure(7_000_000_000, None).in_whole(BILLION), figure(7_000_000_000, None));
        assert_eq!(figure(7_000_000_000, lower).in_whole(BILLION), figure(7_000_000_000, lower));
        assert_eq!(figure(3_187, Some(Bound::LessThan)).in_whole(THOUSAND), figure(3_000, Some(Bound::About)));
        assert_eq!(figure(870, lower).in_whole(THOUSAND), figure(870, lower));
        assert_eq!(figure(0, None).in_whole(THOUSAND), figure(0, None));
    }

    #[test]
    fn figures_come_from_records_and_not_from_what_was_published() {
        let ledger = sovang::Options::new().in_memory::<Recognition>("example.org/test").expect("a ledger");
        ledger.by("press").record_all(super::super::press::figures()).expect("recorded");
        let figures = Figures::of(&ledger).expect("folded");
        let compared = figures.compared(&ledger).expect("compared");
        assert_eq!(compared.len(), 11, "those of the report only");
        for figure in compared {
            assert_eq!(figure.stated, Some(Figure { value: 0, bound: None }), "{}", figure.measure);
            assert!(!figure.is_equal());
        }
    }
}
