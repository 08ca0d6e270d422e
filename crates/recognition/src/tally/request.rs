//! What is asked of a tally.

use super::name::{Dimension, Name, listed};
use super::table::Value;
use sovang_core::{Date, Error, ErrorKind};
use unicode_normalization::UnicodeNormalization;

/// What a report is broken down by, and which records it counts.
///
/// ```
/// use sovang_recognition::tally::{Name, Request};
/// let asked = Request::parse(Name::Contributions, Some("year,source"), &["kind=cash", "unit=phu-dien"], Some("2024-01-01"), None)?;
/// assert_eq!(asked.by.len(), 2);
/// # Ok::<(), sovang_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The dimensions of the rows, in this order; none asks for one total row.
    pub by: Vec<Dimension>,
    /// What a row's records must be, all of it; also in dimensions that the rows are not broken down by.
    pub filters: Vec<(Dimension, Value)>,
    /// The first effective `occurred_on` of the records counted.
    pub from: Option<Date>,
    /// The last effective `occurred_on` of the records counted.
    pub to: Option<Date>,
}

impl Request {
    /// The default report of a tally: its default dimensions, all records.
    #[must_use]
    pub fn of(tally: Name) -> Self {
        Self { by: tally.default_dimensions().to_vec(), filters: Vec::new(), from: None, to: None }
    }
    /// From what is written in a command: `by` is a list with commas (empty text asks for the total, none for the default
    /// dimensions), a filter `dimension=value` (an empty value asks for the records that have none), a date YYYY-MM-DD.
    ///
    /// # Errors
    /// When a name, value or date does not exist; the hint lists what does.
    pub fn parse(
        tally: Name,
        by: Option<&str>,
        filters: &[impl AsRef<str>],
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Self, Error> {
        let by = match by.map(str::trim) {
            None => tally.default_dimensions().to_vec(),
            Some("") => Vec::new(),
            Some(list) => list.split(',').map(|name| dimension(tally, name.trim())).collect::<Result<_, _>>()?,
        };
        let filters = filters.iter().map(|given| filter(tally, given.as_ref())).collect::<Result<_, _>>()?;
        let request = Self { by, filters, from: from.map(day).transpose()?, to: to.map(day).transpose()? };
        request.check(tally)?;
        Ok(request)
    }
    /// That a tally can answer this.
    ///
    /// # Errors
    /// When it has not one of the dimensions, a dimension is asked for twice, a value cannot be one of its dimension, or the
    /// first day comes after the last.
    pub fn check(&self, tally: Name) -> Result<(), Error> {
        for (index, dimension) in self.by.iter().enumerate() {
            tally.check(*dimension)?;
            if self.by[..index].contains(dimension) {
                return Err(invalid(format!("the dimension {dimension} is asked for twice")));
            }
        }
        for (dimension, value) in &self.filters {
            tally.check(*dimension)?;
            let codes = dimension.codes();
            let (possible, hint) = match value {
                Value::Null => continue,
                Value::Number(_) => (dimension.is_number(), "it is a text".to_owned()),
                Value::Text(_) if dimension.is_number() => (false, "it is a number".to_owned()),
                Value::Text(text) => (
                    codes.is_none_or(|codes| codes.contains(&text.as_str())),
                    format!("it is one of {}", listed(codes.unwrap_or_default())),
                ),
            };
            if !possible {
                return Err(invalid(format!("{value:?} is no value of the dimension {dimension}", value = value.to_string()))
                    .advise(hint));
            }
        }
        match (self.from, self.to) {
            (Some(from), Some(to)) if from > to => {
                Err(invalid(format!("the first day, {from}, comes after the last, {to}")).advise("change the two"))
            }
            _ => Ok(()),
        }
    }
    /// Whether a dimension is needed to answer.
    pub(super) fn uses(&self, dimension: Dimension) -> bool {
        self.by.contains(&dimension) || self.filters.iter().any(|(d, _)| *d == dimension)
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}

fn dimension(tally: Name, name: &str) -> Result<Dimension, Error> {
    let found = Dimension::ALL.iter().copied().find(|d| d.as_str() == name && tally.check(*d).is_ok());
    found.ok_or_else(|| {
        invalid(format!("the tally {tally} has no dimension {name:?}"))
            .advise(format!("it has: {}", listed(&tally.dimensions().collect::<Vec<_>>())))
    })
}

fn filter(tally: Name, given: &str) -> Result<(Dimension, Value), Error> {
    let Some((name, value)) = given.split_once('=') else {
        return Err(invalid(format!("{given:?} is no filter")).advise("write dimension=value, such as year=2024"));
    };
    let dimension = dimension(tally, name.trim())?;
    let value = if value.is_empty() {
        Value::Null
    } else if dimension.is_number() {
        let number = value.trim().parse();
        Value::Number(number.map_err(|_| invalid(format!("{value:?} is no {dimension}")).advise("it is a number, such as 2024"))?)
    } else {
        Value::Text(value.nfc().collect())
    };
    Ok((dimension, value))
}

pub(super) fn day(given: &str) -> Result<Date, Error> {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    Date::parse(given, &format).map_err(|_| invalid(format!("{given:?} is no date")).advise("a date looks like 2024-10-14"))
}
