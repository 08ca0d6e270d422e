//! The tallies once more, slowly and from nothing but the documents: list what stands, look everything up, add up.

use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use unicode_normalization::UnicodeNormalization;

/// A report as asked for in a command: dimensions, filters (empty = null) and inclusive days.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) by: Vec<&'static str>,
    pub(crate) filters: Vec<(&'static str, String)>,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
}

/// A row as JSON, as the command prints it.
pub(crate) type Row = BTreeMap<String, Json>;

#[derive(Clone, Debug, Default)]
struct Fact {
    dims: BTreeMap<&'static str, Json>,
    adds: Vec<(&'static str, i128)>,
    bound: Option<(&'static str, String)>,
    distinct: Option<(&'static str, String)>,
}

fn nfc(text: &str) -> String {
    text.nfc().collect()
}
fn get(doc: &Json, key: &str) -> Json {
    match &doc[key] {
        Json::String(s) => Json::String(nfc(s)),
        other => other.clone(),
    }
}
fn id(doc: &Json, key: &str) -> String {
    nfc(doc[key].as_str().expect("an id"))
}
fn number(doc: &Json, key: &str) -> i128 {
    doc[key].as_i64().map_or(0, i128::from)
}
fn occurred(doc: &Json) -> &str {
    doc["occurred_on"].as_str().expect("a day")
}
fn year(doc: &Json) -> Json {
    occurred(doc)[..4].parse::<i64>().expect("a year").into()
}
fn decision(doc: &Json) -> String {
    format!("{}|{}|{}", id(doc, "issuer"), id(doc, "number"), id(doc, "date"))
}

/// What stands after these documents, amendments set aside.
pub(crate) fn standing(history: &[Json]) -> Vec<Json> {
    let mut stands: Vec<Option<Json>> = Vec::new();
    for doc in history {
        let target = || usize::try_from(doc["target"].as_u64().expect("a target")).expect("small");
        match doc["type"].as_str() {
            Some("record_corrected") => {
                let replaced = stands[target()].is_some().then(|| doc["replacement"].clone());
                stands[target()] = replaced;
                stands.push(None);
            }
            Some("record_retracted") => {
                stands[target()] = None;
                stands.push(None);
            }
            _ => stands.push(Some(doc.clone())),
        }
    }
    stands.into_iter().flatten().collect()
}

struct Office {
    standing: Vec<Json>,
    annulled: BTreeSet<String>,
}
impl Office {
    fn of_type(&self, name: &str) -> impl Iterator<Item = &Json> {
        self.standing.iter().filter(move |doc| doc["type"] == name)
    }
    fn valid(&self, name: &str) -> impl Iterator<Item = &Json> {
        self.of_type(name).filter(|doc| !self.annulled.contains(&decision(&doc["decision"])))
    }
    fn model(&self, id_of: &str) -> Option<&Json> {
        self.of_type("model_registered").find(|m| id(m, "model") == id_of)
    }
    /// Dimensions of the model that `doc` is about.
    fn of_model(&self, doc: &Json, dims: &[&'static str]) -> BTreeMap<&'static str, Json> {
        let model = self.model(&id(doc, "model"));
        dims.iter().map(|d| (*d, model.map_or(Json::Null, |m| get(m, d)))).collect()
    }
}

fn dims(pairs: &[(&'static str, Json)]) -> BTreeMap<&'static str, Json> {
    pairs.iter().cloned().collect()
}

pub(crate) fn measures(tally: &str) -> &'static [&'static str] {
    match tally {
        "registered" | "plaques" | "amendments" => &["count"],
        "recognised" => &["count", "distinct_models"],
        "recognition-rate" => &["registered", "recognised", "rate_bp"],
        "continuity" => &["new", "continued"],
        "contributions" => &["count", "vnd", "labour_days", "square_decimetres"],
        "commendations" => &["count", "bonus_vnd"],
        "proposals" => &["proposed", "awarded"],
        "multi-level" => &["distinct_models"],
        "cumulative" => &["registered", "recognised", "plaques", "commendations"],
        _ => unreachable!("{tally}"),
    }
}

fn facts(tally: &str, history: &[Json], office: &Office, asked: &Asked) -> Vec<Fact> {
    let within = |doc: &&Json| {
        asked.from.as_deref().is_none_or(|from| from <= occurred(doc)) && asked.to.as_deref().is_none_or(|to| occurred(doc) <= to)
    };
    let recipient = |doc: &Json| {
        let who = &doc["recipient"];
        dims(&[
            ("year", year(doc)),
            ("form", get(doc, "form")),
            ("level", get(doc, "level")),
            ("recipient_kind", get(who, "kind")),
            ("unit", get(who, "unit")),
        ])
    };
    let mut facts = Vec::new();
    match tally {
        "registered" => {
            for m in office.of_type("model_registered").filter(within) {
                let of = ["year", "unit", "field", "subject_kind"].map(|d| (d, get(m, d)));
                facts.push(Fact { dims: dims(&of), adds: vec![("count", 1)], ..Fact::default() });
            }
        }
        "recognised" => {
            for r in office.valid("model_recognised").filter(within) {
                let mut of = office.of_model(r, &["subject_kind", "unit", "field"]);
                of.extend([("year", year(r)), ("level", get(r, "level")), ("tier", get(r, "tier"))]);
                let distinct = Some(("distinct_models", id(r, "model")));
                facts.push(Fact { dims: of, adds: vec![("count", 1)], distinct, ..Fact::default() });
            }
        }
        "recognition-rate" => {
            for m in office.of_type("model_registered").filter(within) {
                let of = ["year", "unit", "field", "subject_kind"].map(|d| (d, get(m, d)));
                facts.push(Fact { dims: dims(&of), adds: vec![("registered", 1)], ..Fact::default() });
            }
            // A recognition is looked up whenever it was, and counts where a registration that counts stands.
            for r in office.valid("model_recognised") {
                let model = id(r, "model");
                let Some(m) = office.of_type("model_registered").filter(within).find(|m| id(m, "model") == model) else {
                    continue;
                };
                let of = ["year", "unit", "field", "subject_kind"].map(|d| (d, get(m, d)));
                facts.push(Fact { dims: dims(&of), distinct: Some(("recognised", id(r, "model"))), ..Fact::default() });
            }
        }
        "continuity" => {
            for m in office.of_type("model_registered").filter(within) {
                let of = ["year", "unit", "field"].map(|d| (d, get(m, d)));
                facts.push(Fact { dims: dims(&of), adds: vec![("new", 1)], ..Fact::default() });
            }
            for c in office.of_type("model_continued").filter(within) {
                let mut of = office.of_model(c, &["unit", "field"]);
                of.insert("year", get(c, "year"));
                facts.push(Fact { dims: of, adds: vec![("continued", 1)], ..Fact::default() });
            }
        }
        "contributions" => {
            for f in office.of_type("model_funded").filter(within) {
                let gift = &f["contribution"];
                let mut of = office.of_model(f, &["unit", "field"]);
                of.extend([
                    ("year", year(f)),
                    ("kind", get(gift, "kind")),
                    ("source", get(f, "source")),
                    ("land", get(gift, "land")),
                ]);
                let (measure, quantity) = match gift["kind"].as_str().expect("a kind") {
                    "labour" => ("labour_days", number(gift, "days")),
                    "land" => {
                        let (whole, part) = gift["square_metres"].as_str().expect("an area").split_once('.').expect("a point");
                        ("square_decimetres", format!("{whole}{part}").parse().expect("two decimals"))
                    }
                    _ => ("vnd", number(gift, "vnd")),
                };
                let bound = f["qualifier"].as_str().filter(|q| *q != "exact").map(|q| (measure, q.to_owned()));
                facts.push(Fact { dims: of, adds: vec![("count", 1), (measure, quantity)], bound, ..Fact::default() });
            }
        }
        "plaques" => {
            for p in office.of_type("plaque_mounted").filter(within) {
                let gone = office.of_type("plaque_removed").find(|r| id(r, "plaque") == id(p, "plaque"));
                let mut of = office.of_model(p, &["unit"]);
                of.extend([
                    ("level", get(p, "level")),
                    ("year", year(p)),
                    ("occasion", get(p, "occasion")),
                    ("status", gone.map_or("standing".into(), |r| get(r, "reason"))),
                ]);
                facts.push(Fact { dims: of, adds: vec![("count", 1)], ..Fact::default() });
            }
        }
        "commendations" => {
            for a in office.valid("commendation_awarded").filter(within) {
                facts.push(Fact {
                    dims: recipient(a),
                    adds: vec![("count", 1), ("bonus_vnd", number(a, "bonus_vnd"))],
                    ..Fact::default()
                });
            }
        }
        "proposals" => {
            for p in office.of_type("commendation_proposed").filter(within) {
                let awarded = office.valid("commendation_awarded").any(|a| id(a, "commendation") == id(p, "commendation"));
                facts.push(Fact {
                    dims: recipient(p),
                    adds: vec![("proposed", 1), ("awarded", awarded.into())],
                    ..Fact::default()
                });
            }
        }
        "multi-level" => {
            let mut levels = BTreeMap::<String, (BTreeSet<String>, &Json)>::new();
            for r in office.valid("model_recognised").filter(within) {
                levels.entry(id(r, "model")).or_insert_with(|| (BTreeSet::new(), r)).0.insert(id(r, "level"));
            }
            for (levels, r) in levels.values() {
                let mut of = office.of_model(r, &["year", "unit"]);
                of.insert("levels", levels.len().into());
                facts.push(Fact { dims: of, adds: vec![("distinct_models", 1)], ..Fact::default() });
            }
        }
        "amendments" => {
            let amending = history.iter().filter(|d| d["type"].as_str().is_some_and(|t| t.starts_with("record_")));
            let plain = office.standing.iter().filter(|d| d["type"] == "model_withdrawn" || d["type"] == "decision_annulled");
            for doc in amending.chain(plain).filter(within) {
                let of = dims(&[("type", get(doc, "type")), ("year", year(doc))]);
                facts.push(Fact { dims: of, adds: vec![("count", 1)], ..Fact::default() });
            }
        }
        "cumulative" => {
            let mut grew = Vec::new();
            let sources = [
                ("registered", office.of_type("model_registered").filter(within).map(|m| get(m, "year")).collect::<Vec<_>>()),
                ("recognised", office.valid("model_recognised").filter(within).map(year).collect()),
                ("plaques", office.of_type("plaque_mounted").filter(within).map(year).collect()),
                ("commendations", office.valid("commendation_awarded").filter(within).map(year).collect()),
            ];
            for (measure, years) in &sources {
                grew.extend(years.iter().map(|y| (y.as_i64().expect("a year"), *measure)));
            }
            let (Some(first), Some(last)) = (grew.iter().map(|g| g.0).min(), grew.iter().map(|g| g.0).max()) else {
                return facts;
            };
            for year in first..=last {
                let adds = grew.iter().filter(|(y, _)| *y <= year).map(|(_, measure)| (*measure, 1)).collect();
                facts.push(Fact { dims: dims(&[("year", year.into())]), adds, ..Fact::default() });
            }
            if asked.by.is_empty() {
                let asked_for = |f: &Fact| asked.filters.iter().all(|(d, v)| matches(&f.dims[d], v));
                let last = facts.iter().rposition(asked_for);
                facts = last.map(|at| facts[at].clone()).into_iter().collect();
            }
        }
        _ => unreachable!("{tally}"),
    }
    facts
}

fn matches(value: &Json, filter: &str) -> bool {
    match value {
        Json::Null => filter.is_empty(),
        Json::String(s) => *s == nfc(filter),
        other => filter.parse().is_ok_and(|number: i64| other.as_i64() == Some(number)),
    }
}

/// Null first, numbers by value, texts by code points.
fn order(value: &Json) -> (u8, i64, Vec<char>) {
    match value {
        Json::Null => (0, 0, Vec::new()),
        Json::Number(n) => (1, n.as_i64().expect("small"), Vec::new()),
        Json::String(s) => (2, 0, s.chars().collect()),
        other => unreachable!("{other}"),
    }
}

pub(crate) fn rows(tally: &str, history: &[Json], asked: &Asked) -> Vec<Row> {
    let standing = standing(history);
    let annulled = standing.iter().filter(|d| d["type"] == "decision_annulled").map(|d| decision(&d["decision"])).collect();
    let office = Office { standing, annulled };
    let facts = facts(tally, history, &office, asked);
    let kept: Vec<&Fact> = facts.iter().filter(|f| asked.filters.iter().all(|(d, v)| matches(&f.dims[d], v))).collect();
    let mut groups: Vec<(Vec<Json>, Vec<&Fact>)> = Vec::new();
    if asked.by.is_empty() {
        groups.push((Vec::new(), Vec::new()));
    }
    for fact in kept {
        let key: Vec<Json> = asked.by.iter().map(|d| fact.dims[d].clone()).collect();
        match groups.iter_mut().find(|(k, _)| *k == key) {
            Some((_, facts)) => facts.push(fact),
            None => groups.push((key, vec![fact])),
        }
    }
    groups.sort_by_key(|(key, _)| key.iter().map(order).collect::<Vec<_>>());
    let mut rows = Vec::new();
    for (key, facts) in groups {
        let sum = |measure: &str| -> i128 {
            let adds: i128 = facts.iter().flat_map(|f| &f.adds).filter(|(m, _)| *m == measure).map(|(_, n)| n).sum();
            let things: BTreeSet<&String> =
                facts.iter().filter_map(|f| f.distinct.as_ref()).filter(|(m, _)| *m == measure).map(|(_, thing)| thing).collect();
            adds + things.len() as i128
        };
        let mut row: Row = asked.by.iter().map(|d| (*d).to_owned()).zip(key).collect();
        let mut all_zero = true;
        for measure in measures(tally) {
            let value = match (*measure, sum("registered")) {
                ("rate_bp", 0) => 0,
                ("rate_bp", registered) => sum("recognised") * 10_000 / registered,
                _ => sum(measure),
            };
            all_zero &= value == 0;
            row.insert((*measure).to_owned(), serde_json::from_str(&value.to_string()).expect("a number"));
            let bounds: BTreeSet<&str> =
                facts.iter().filter_map(|f| f.bound.as_ref()).filter(|(m, _)| m == measure).map(|(_, b)| b.as_str()).collect();
            let bound = match bounds.iter().collect::<Vec<_>>().as_slice() {
                [] => continue,
                [one] => **one,
                _ => "about",
            };
            row.insert(format!("{measure}_bound"), bound.into());
        }
        if !all_zero || asked.by.is_empty() {
            rows.push(row);
        }
    }
    rows
}
