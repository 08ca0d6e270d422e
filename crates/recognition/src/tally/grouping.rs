//! From facts to the rows of a report.

use super::name::{Dimension, Name};
use super::request::Request;
use super::table::{Bound, Measure, Row, Table, Value};
use std::collections::BTreeMap;

/// A dimension's value, borrowed from the state. Ordered as [`Value`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seen<'a> {
    Null,
    Number(i64),
    Text(&'a str),
}
impl<'a> Seen<'a> {
    pub(super) fn maybe(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }
    fn is(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Null, Value::Null) => true,
            (Self::Number(a), Value::Number(b)) => a == *b,
            (Self::Text(a), Value::Text(b)) => a == b,
            _ => false,
        }
    }
    fn to_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Number(n) => Value::Number(n),
            Self::Text(text) => Value::Text(text.to_owned()),
        }
    }
}

/// The measures of a row being summed up.
#[derive(Debug)]
pub(super) struct Line {
    values: Vec<i128>,
    bounds: Vec<Option<Bound>>,
    /// The thing last counted by [`Self::distinct`].
    last: Option<u64>,
}
impl Line {
    pub(super) fn add(&mut self, measure: usize, amount: impl Into<i128>) {
        self.values[measure] += amount.into();
    }
    pub(super) fn bound(&mut self, measure: usize, bound: Option<Bound>) {
        self.bounds[measure] = Bound::joined(self.bounds[measure], bound);
    }
    /// Counts a thing once in this row; things come one after the other, each with its own number.
    pub(super) fn distinct(&mut self, measure: usize, thing: u64) {
        if self.last.replace(thing) != Some(thing) {
            self.values[measure] += 1;
        }
    }
    pub(super) fn value(&self, measure: usize) -> i128 {
        self.values[measure]
    }
    pub(super) fn set(&mut self, measure: usize, value: i128) {
        self.values[measure] = value;
    }
}

/// Rows being summed up as one request asks.
#[derive(Debug)]
pub(super) struct Grouping<'a> {
    tally: Name,
    request: &'a Request,
    rows: BTreeMap<Vec<Seen<'a>>, Line>,
    /// The dimensions of the fact at hand, kept between facts so that an existing row costs no allocation.
    at: Vec<Seen<'a>>,
}

impl<'a> Grouping<'a> {
    pub(super) fn new(tally: Name, request: &'a Request) -> Self {
        Self { tally, request, rows: BTreeMap::new(), at: Vec::new() }
    }
    pub(super) fn request(&self) -> &'a Request {
        self.request
    }
    /// The row of a fact, unless a filter leaves it out. `of` says the fact's value in a dimension.
    pub(super) fn line(&mut self, of: impl Fn(Dimension) -> Seen<'a>) -> Option<&mut Line> {
        if !self.request.filters.iter().all(|(dimension, value)| of(*dimension).is(value)) {
            return None;
        }
        self.at.clear();
        self.at.extend(self.request.by.iter().map(|dimension| of(*dimension)));
        if !self.rows.contains_key(&self.at) {
            let width = self.tally.measures().len();
            self.rows.insert(self.at.clone(), Line { values: vec![0; width], bounds: vec![None; width], last: None });
        }
        self.rows.get_mut(&self.at)
    }
    /// For measures that follow from others.
    pub(super) fn each(&mut self, change: impl Fn(&mut Line)) {
        self.rows.values_mut().for_each(change);
    }
    pub(super) fn table(mut self) -> Table {
        let measures = self.tally.measures();
        let total = self.request.by.is_empty();
        if total && self.rows.is_empty() {
            self.rows
                .insert(Vec::new(), Line { values: vec![0; measures.len()], bounds: vec![None; measures.len()], last: None });
        }
        let rows = self
            .rows
            .into_iter()
            .filter(|(_, line)| total || line.values.iter().any(|v| *v != 0))
            .map(|(values, line)| Row {
                dimensions: self.request.by.iter().copied().zip(values.into_iter().map(Seen::to_value)).collect(),
                measures: measures
                    .iter()
                    .zip(line.values.iter().zip(&line.bounds))
                    .map(|(name, (value, bound))| Measure { name, value: *value, bound: *bound })
                    .collect(),
            })
            .collect();
        Table { tally: self.tally, dimensions: self.request.by.clone(), measures, rows }
    }
}
