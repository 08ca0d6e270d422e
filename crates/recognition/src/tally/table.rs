//! A report as a plain data value. Rendering it (a table on a terminal, CSV, JSON) is elsewhere; a row only knows how
//! it is written on one line and as one JSON object.

use super::name::{Dimension, Name};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;

/// A dimension's value in a row. The order is that of a report: null first, numbers by value, texts by code points.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// The record has none.
    Null,
    /// A year, or a number of levels.
    Number(i64),
    /// Any other dimension's value, in NFC.
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.pad("-"),
            Self::Number(n) => fmt::Display::fmt(n, f),
            Self::Text(text) => f.pad(text),
        }
    }
}
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_none(),
            Self::Number(n) => to.serialize_i64(*n),
            Self::Text(text) => to.serialize_str(text),
        }
    }
}

/// How a figure relates to the truth, where it is not exact (domain rule 12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bound {
    /// The truth is more than the figure.
    MoreThan,
    /// The truth is less than the figure.
    LessThan,
    /// The truth is near the figure, on either side.
    About,
}
impl Bound {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::MoreThan, Self::LessThan, Self::About];
    /// As it is written in a report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MoreThan => "more_than",
            Self::LessThan => "less_than",
            Self::About => "about",
        }
    }
    /// The bound of a sum of two figures: the same bound stays, any two that differ make it `about`.
    #[must_use]
    pub const fn joined(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (None, bound) | (bound, None) => bound,
            (Some(Self::MoreThan), Some(Self::MoreThan)) => Some(Self::MoreThan),
            (Some(Self::LessThan), Some(Self::LessThan)) => Some(Self::LessThan),
            (Some(_), Some(_)) => Some(Self::About),
        }
    }
}
impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// What it counts or sums.
    pub name: &'static str,
    /// The count or sum, in the unit its name says (`vnd`, `labour_days`, `square_decimetres`, `rate_bp`), else a number of things.
    pub value: i128,
    /// What kind of bound it is, when something it sums is one.
    pub bound: Option<Bound>,
}

/// A row of a report.
///
/// `{}` writes it on one line; as JSON it is one object: the dimensions, the measures, and `"<measure>_bound"` for a
/// measure that is a bound. A figure beyond 64 bits is written in plain digits, which `serde_json::to_string` keeps
/// and `serde_json::to_value` refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The dimensions in the order asked for.
    pub dimensions: Vec<(Dimension, Value)>,
    /// Every measure of the tally, in its order.
    pub measures: Vec<Measure>,
}

impl Row {
    /// The value of a dimension, if the report is broken down by it.
    #[must_use]
    pub fn dimension(&self, dimension: Dimension) -> Option<&Value> {
        self.dimensions.iter().find(|(d, _)| *d == dimension).map(|(_, value)| value)
    }
    /// The measure of this name, if the tally has it.
    #[must_use]
    pub fn measure(&self, name: &str) -> Option<&Measure> {
        self.measures.iter().find(|m| m.name == name)
    }
}
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut space = "";
        for (dimension, value) in &self.dimensions {
            write!(f, "{space}{dimension}={value}")?;
            space = " ";
        }
        for measure in &self.measures {
            write!(f, "{space}{}={}", measure.name, measure.value)?;
            if let Some(bound) = measure.bound {
                write!(f, "({bound})")?;
            }
            space = " ";
        }
        Ok(())
    }
}
impl Serialize for Row {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        for (dimension, value) in &self.dimensions {
            map.serialize_entry(dimension.as_str(), value)?;
        }
        for measure in &self.measures {
            match i64::try_from(measure.value) {
                Ok(value) => map.serialize_entry(measure.name, &value)?,
                Err(_) => map.serialize_entry(measure.name, &measure.value)?,
            }
        }
        for measure in &self.measures {
            if let Some(bound) = measure.bound {
                map.serialize_entry(&format!("{}_bound", measure.name), bound.as_str())?;
            }
        }
        map.end()
    }
}

/// A report: the rows of one tally, sorted by their dimensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Which tally.
    pub tally: Name,
    /// What the rows are broken down by.
    pub dimensions: Vec<Dimension>,
    /// What is counted or summed.
    pub measures: &'static [&'static str],
    /// The rows.
    pub rows: Vec<Row>,
}
