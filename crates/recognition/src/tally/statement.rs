//! A report as a statement binds it (docs/FORMAT.md §11.6): what was asked and what came out, each as one line of canonical JSON, and which meaning of
//! the tally that was.

use super::name::{Dimension, Name};
use super::request::{Request, day};
use super::table::{Row, Table, Value};
use crate::interchange::Json;
use sovang_core::{Date, Error, ErrorKind, Head, Size};

impl Name {
    /// Goes up when a tally's meaning changes, so that the same question of the same log has another answer.
    #[must_use]
    pub const fn revision(self) -> u64 {
        match self {
            Self::Registered
            | Self::Recognised
            | Self::RecognitionRate
            | Self::Continuity
            | Self::Contributions
            | Self::Plaques
            | Self::Commendations
            | Self::Proposals
            | Self::MultiLevel
            | Self::Cumulative
            | Self::Amendments => 1,
        }
    }
}

impl Request {
    /// What is asked, of the first `as_of` records, as one line of JSON in RFC 8785 form.
    ///
    /// ```
    /// use sovang_core::Size;
    /// use sovang_recognition::tally::{Name, Request};
    /// let asked = Request::parse(Name::Registered, Some("year"), &["unit=phu-dien"], None, None)?;
    /// let text = asked.parameters(Size(7));
    /// assert_eq!(text, r#"{"as_of":7,"by":["year"],"from":null,"map_date":null,"to":null,"where":{"unit":["phu-dien"]}}"#);
    /// assert_eq!(Request::of_parameters(Name::Registered, &text)?, (asked, Size(7)));
    /// # Ok::<(), sovang_core::Error>(())
    /// ```
    #[must_use]
    pub fn parameters(&self, as_of: Size) -> String {
        let day = |day: Option<Date>| day.map_or(Json::Null, |day| Json::from(crate::interchange::day(day)));
        let mut filters: Vec<&(Dimension, Value)> = self.filters.iter().collect();
        filters.sort_by_key(|(dimension, value)| (dimension.as_str(), value));
        filters.dedup();
        let mut by_dimension: Vec<(String, Json)> = Vec::new();
        for (dimension, value) in filters {
            match by_dimension.last_mut() {
                Some((last, Json::List(values))) if last == dimension.as_str() => values.push(json(value)),
                _ => by_dimension.push((dimension.to_string(), Json::List(vec![json(value)]))),
            }
        }
        let object = Json::Object(vec![
            // A size is at most 2^63 - 1 in everything that is signed.
            ("as_of".to_owned(), Json::Integer(i64::try_from(as_of.0).unwrap_or(i64::MAX))),
            ("by".to_owned(), Json::List(self.by.iter().map(|dimension| Json::from(dimension.as_str())).collect())),
            ("from".to_owned(), day(self.from)),
            ("map_date".to_owned(), Json::Null),
            ("to".to_owned(), day(self.to)),
            ("where".to_owned(), Json::Object(by_dimension)),
        ]);
        object.canonical()
    }
    /// Reads [`Self::parameters`].
    ///
    /// # Errors
    /// When the text is not what that writes for a request that the tally can answer.
    pub fn of_parameters(tally: Name, text: &str) -> Result<(Self, Size), Error> {
        let object = Json::parse(text.as_bytes()).map_err(|error| refused(error.to_string()))?;
        let as_of = match object.get("as_of") {
            Some(Json::Integer(size)) => u64::try_from(*size).ok(),
            _ => None,
        };
        let as_of = Size(as_of.ok_or_else(|| refused("`as_of` is no size"))?);
        let request = Self {
            by: list(&object, "by")?.iter().map(dimension).collect::<Result<_, _>>()?,
            filters: filters(&object)?,
            from: date(&object, "from")?,
            to: date(&object, "to")?,
        };
        request.check(tally)?;
        if request.parameters(as_of) != text {
            return Err(refused("they are not in the one form that a statement has"));
        }
        Ok((request, as_of))
    }
}

fn refused(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("the parameters of the tally cannot be read: {what}"))
}
fn list<'a>(object: &'a Json, key: &str) -> Result<&'a [Json], Error> {
    match object.get(key) {
        Some(Json::List(values)) => Ok(values),
        _ => Err(refused(format!("`{key}` is no list"))),
    }
}
fn dimension(name: &Json) -> Result<Dimension, Error> {
    name.as_text().ok_or_else(|| refused("a dimension is no text"))?.parse()
}
fn date(object: &Json, key: &str) -> Result<Option<Date>, Error> {
    match object.get(key) {
        Some(Json::Null) => Ok(None),
        Some(Json::Text(text)) => day(text).map(Some),
        _ => Err(refused(format!("`{key}` is neither a day nor null"))),
    }
}
fn filters(object: &Json) -> Result<Vec<(Dimension, Value)>, Error> {
    let members = object.get("where").and_then(Json::members).ok_or_else(|| refused("`where` is no object"))?;
    let mut filters = Vec::new();
    for (name, values) in members {
        let dimension: Dimension = name.parse()?;
        let Json::List(values) = values else { return Err(refused(format!("`where.{name}` is no list"))) };
        for value in values {
            let value = match value {
                Json::Null => Value::Null,
                Json::Integer(number) => Value::Number(*number),
                Json::Text(text) => Value::Text(text.clone()),
                _ => return Err(refused(format!("`where.{name}` holds what is no value"))),
            };
            filters.push((dimension, value));
        }
    }
    Ok(filters)
}

fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Number(number) => Json::Integer(*number),
        Value::Text(text) => Json::from(text.as_str()),
    }
}

impl Table {
    /// The report of the log at `head` as one line of JSON in RFC 8785 form: the object that `sovang tally --format json` prints. Integers are in plain
    /// decimal, also beyond 64 bits.
    #[must_use]
    pub fn result(&self, head: Head) -> String {
        let rows: Vec<String> = self.rows.iter().map(row).collect();
        // The keys are in order.
        format!(
            "{{\"as_of\":{size},\"root\":{root},\"rows\":[{rows}],\"size\":{size},\"tally\":{tally}}}",
            size = head.size,
            root = Json::from(head.root.to_base64()),
            rows = rows.join(","),
            tally = Json::from(self.tally.as_str()),
        )
    }
}

fn row(row: &Row) -> String {
    let dimensions = row.dimensions.iter().map(|(dimension, value)| (dimension.to_string(), json(value).to_string()));
    let measures = row.measures.iter().map(|measure| (measure.name.to_owned(), measure.value.to_string()));
    let bounds = row
        .measures
        .iter()
        .filter_map(|measure| Some((format!("{}_bound", measure.name), Json::from(measure.bound?.as_str()).to_string())));
    let mut members: Vec<(String, String)> = dimensions.chain(measures).chain(bounds).collect();
    // Every name is ASCII: the order of bytes is that of UTF-16.
    members.sort();
    let members: Vec<String> = members.iter().map(|(key, value)| format!("{}:{value}", Json::from(key.as_str()))).collect();
    format!("{{{}}}", members.join(","))
}

#[cfg(test)]
mod tests {
    use super::super::table::{Bound, Measure};
    use super::*;
    use proptest::prelude::*;
    use sovang_core::Root;

    /// Any request that some tally can answer.
    fn requests() -> impl Strategy<Value = (Name, Request)> {
        let tallies = prop::sample::select(Name::ALL.to_vec());
        tallies.prop_flat_map(|name| {
            let dimensions: Vec<Dimension> = name.dimensions().collect();
            let by = prop::sample::subsequence(dimensions.clone(), 0..=dimensions.len()).prop_shuffle();
            let filter = prop::sample::select(dimensions).prop_flat_map(|dimension| {
                let value = if dimension.is_number() {
                    any::<i64>().prop_map(Value::Number).boxed()
                } else if let Some(codes) = dimension.codes() {
                    prop::sample::select(codes.to_vec()).prop_map(|code| Value::Text(code.to_owned())).boxed()
                } else {
                    "[a-zế\"\\\\]{1,6}".prop_map(Value::Text).boxed()
                };
                (Just(dimension), prop_oneof![1 => Just(Value::Null), 4 => value])
            });
            let day = || prop::option::of((2000i32..2030).prop_map(|year| sovang_core::date(year, 2, 28)));
            (Just(name), by, prop::collection::vec(filter, 0..5), day(), day()).prop_map(|(name, by, mut filters, from, to)| {
                filters.sort_by_key(|(dimension, value)| (dimension.as_str(), value.clone()));
                filters.dedup();
                let (from, to) = if from > to && to.is_some() { (to, from) } else { (from, to) };
                (name, Request { by, filters, from, to })
            })
        })
    }

    proptest! {
        #[test]
        fn parameters_say_the_request_whole((name, request) in requests(), as_of in 0u64..=i64::MAX.cast_unsigned()) {
            let text = request.parameters(Size(as_of));
            prop_assert_eq!(Request::of_parameters(name, &text)?, (request, Size(as_of)));
            let parsed = Json::parse(text.as_bytes()).expect("JSON");
            prop_assert_eq!(parsed.canonical(), text);
        }

        #[test]
        fn no_other_text_says_it((name, request) in requests(), at in any::<prop::sample::Index>(), byte in 0x20u8..0x7f) {
            let text = request.parameters(Size(5));
            let mut bytes = text.clone().into_bytes();
            let at = at.index(bytes.len());
            prop_assume!(bytes[at] != byte);
            bytes[at] = byte;
            if let Ok(other) = std::str::from_utf8(&bytes)
                && let Ok(read) = Request::of_parameters(name, other)
            {
                prop_assert_ne!(read, (request, Size(5)));
            }
        }
    }

    #[test]
    fn parameters_that_no_request_writes_are_refused() {
        let good = Request::of(Name::Registered).parameters(Size(3));
        assert!(Request::of_parameters(Name::Registered, &good).is_ok());
        for (from, to) in [
            ("\"as_of\":3", "\"as_of\":-3"),
            ("\"as_of\":3", "\"as_of\":03"),
            ("\"as_of\":3", "\"as_of\":\"3\""),
            ("\"as_of\":3,", ""),
            ("\"as_of\":3,", "\"as_of\":3, "),
            ("\"map_date\":null,", ""),
            ("\"map_date\":null", "\"map_date\":\"2024-01-01\""),
            ("\"from\":null", "\"from\":\"2024-13-01\""),
            ("\"where\":{}", "\"where\":{},\"x\":1"),
            ("\"where\":{}", "\"where\":{\"unit\":[]}"),
            ("\"where\":{}", "\"where\":{\"unit\":[\"b\",\"a\"]}"),
            ("\"where\":{}", "\"where\":{\"unit\":[\"a\",\"a\"]}"),
            ("\"where\":{}", "\"where\":{\"source\":[\"own\"]}"),
            ("\"unit\"", "\"\\u0075nit\""),
            ("\"unit\"", "\"year\""),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            assert!(Request::of_parameters(Name::Registered, &bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_result_is_one_line_with_its_keys_in_order() {
        let row = Row {
            dimensions: vec![(Dimension::Unit, Value::Text("phường \"A\"\n".to_owned())), (Dimension::Year, Value::Null)],
            measures: vec![
                Measure { name: "vnd", value: i128::from(i64::MAX) * 3, bound: Some(Bound::MoreThan) },
                Measure { name: "count", value: 2, bound: None },
            ],
        };
        let table = Table { tally: Name::Contributions, dimensions: Vec::new(), measures: &[], rows: vec![row] };
        assert_eq!(
            table.result(Head { size: Size(9), root: Root([0; 32]) }),
            "{\"as_of\":9,\"root\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"rows\":[{\"count\":2,\"unit\":\"phường \\\"A\\\"\\n\",\
             \"vnd\":27670116110564327421,\"vnd_bound\":\"more_than\",\"year\":null}],\"size\":9,\"tally\":\"contributions\"}"
        );
    }
}
