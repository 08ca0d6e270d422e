//! The classes of records and their terms, as an office writes them down.

use crate::codes::{Level, UnknownCode};
use crate::event::Recognition;
use serde::Deserialize;
use sovang_core::Event;
use std::collections::BTreeSet;
use std::fmt;

/// Years of the shortest term that is not permanent (Law on Archives 2024).
pub const YEARS_MIN: u16 = 2;
/// Years of the longest term that is not permanent (Law on Archives 2024).
pub const YEARS_MAX: u16 = 70;
/// Bytes of a file of classes at most.
const FILE_BYTES_MAX: usize = 1 << 20;

/// From when a term is counted: always from the end of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// In which the record's event occurred.
    FromOccurrence,
    /// In which the model that it is about was withdrawn, or the plaque removed.
    FromEnd,
}

/// A class of records with its term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// Years from the end of the year counted from; none = permanent.
    pub years: Option<u16>,
    /// Counted from when.
    pub counted: Counted,
    /// The rule that says so.
    pub source: String,
    types: Vec<&'static str>,
    levels: Vec<Level>,
}

impl Class {
    fn is_of(&self, event: &Recognition) -> bool {
        self.types.contains(&event.type_name())
            && (self.levels.is_empty() || level_of(event).is_some_and(|level| self.levels.contains(&level)))
    }
}

/// An office's classes, in the order in which they are tried: the first that fits counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes(Vec<Class>);

/// Why a file of classes cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadClasses {
    /// The class at fault by its number in the file, from 1; none when it is the file.
    pub class: Option<usize>,
    /// What is wrong.
    pub what: String,
}
impl fmt::Display for BadClasses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(class) = self.class {
            write!(f, "class {class}: ")?;
        }
        f.write_str(&self.what)
    }
}
impl std::error::Error for BadClasses {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    classes: Vec<ClassForm>,
}
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassForm {
    class: String,
    types: Vec<String>,
    #[serde(default)]
    levels: Vec<String>,
    permanent: Option<bool>,
    years: Option<u16>,
    from: Option<String>,
    source: String,
}

impl Classes {
    /// Text of [`Self::example`], to begin an office's own with.
    pub const EXAMPLE: &'static str = include_str!("example.json");

    /// Classes that show the form. Their terms are invented: an office replaces them by its own.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a constant, which a test reads")]
    pub fn example() -> Self {
        Self::parse(Self::EXAMPLE.as_bytes()).expect("the example is one")
    }
    /// Reads a file: `{"classes":[…]}`, each class an object with `class` (its name), `types` (event types), `permanent` (true)
    /// or `years` (2 to 70), `source` (the rule that says so), and optionally `levels` (only records at one of them) and `from`
    /// (`occurred_on`, which is the default, or `end`). Unknown keys are refused.
    ///
    /// # Errors
    /// What is wrong first, with the number of the class.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadClasses> {
        let whole = |what: String| BadClasses { class: None, what };
        if bytes.len() > FILE_BYTES_MAX {
            return Err(whole(format!("the file has {} bytes, more than {FILE_BYTES_MAX}", bytes.len())));
        }
        let file: FileForm = serde_json::from_slice(bytes).map_err(|error| whole(error.to_string()))?;
        if file.classes.is_empty() {
            return Err(whole("there is no class in it".to_owned()));
        }
        let mut names = BTreeSet::new();
        let mut classes = Vec::with_capacity(file.classes.len());
        for (number, form) in (1..).zip(file.classes) {
            let class = form.check().map_err(|what| BadClasses { class: Some(number), what })?;
            if !names.insert(class.name.clone()) {
                return Err(BadClasses { class: Some(number), what: format!("another class is named {:?} too", class.name) });
            }
            classes.push(class);
        }
        Ok(Self(classes))
    }
    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Class] {
        &self.0
    }
    /// The first that an event belongs to. An amendment belongs where the event does that it is about.
    #[must_use]
    pub fn of(&self, event: &Recognition) -> Option<&Class> {
        self.0.iter().find(|class| class.is_of(event))
    }
}

impl ClassForm {
    fn check(self) -> Result<Class, String> {
        for (key, text) in [("class", &self.class), ("source", &self.source)] {
            if text.trim().is_empty() || text.chars().any(char::is_control) {
                return Err(format!("{key} is blank or holds a control character"));
            }
        }
        let years = match (self.permanent, self.years) {
            (Some(true), None) => None,
            (None | Some(false), Some(years)) if (YEARS_MIN..=YEARS_MAX).contains(&years) => Some(years),
            (None | Some(false), Some(years)) => {
                return Err(format!("years is {years}: a term is permanent or {YEARS_MIN} to {YEARS_MAX} years"));
            }
            (Some(true), Some(_)) => return Err("it is permanent and has years: one of them".to_owned()),
            (None | Some(false), None) => return Err("it has neither years nor \"permanent\":true".to_owned()),
        };
        let counted = match self.from.as_deref() {
            None | Some("occurred_on") => Counted::FromOccurrence,
            Some("end") => Counted::FromEnd,
            Some(other) => return Err(format!("from is {other:?}: it is occurred_on or end")),
        };
        if self.types.is_empty() {
            return Err("types names no event type".to_owned());
        }
        let types =
            self.types.iter().map(|name| checked_type(name, !self.levels.is_empty(), counted)).collect::<Result<_, _>>()?;
        let levels = self
            .levels
            .iter()
            .map(|level| level.parse().map_err(|e: UnknownCode| format!("levels: {e}")))
            .collect::<Result<_, _>>()?;
        Ok(Class { name: self.class, years, counted, source: self.source, types, levels })
    }
}

fn checked_type(name: &str, with_level: bool, counted: Counted) -> Result<&'static str, String> {
    let Some(kind) = Recognition::KINDS.iter().find(|kind| kind.name() == name) else {
        return Err(format!("{name:?} is no event type of this version"));
    };
    if [Recognition::RECORD_CORRECTED, Recognition::RECORD_RETRACTED].contains(kind) {
        return Err(format!("{name} has no class of its own: an amendment is kept as long as what it amends"));
    }
    if with_level && !WITH_LEVEL.contains(kind) {
        return Err(format!("{name} has no level, so a class with levels cannot hold it"));
    }
    if counted == Counted::FromEnd && !WITH_END.contains(kind) {
        return Err(format!("{name} is about no model and no plaque, so its term cannot count from an end"));
    }
    Ok(kind.name())
}

const WITH_LEVEL: &[sovang_core::Kind] = &[
    Recognition::MODEL_RECOGNISED,
    Recognition::PLAQUE_MOUNTED,
    Recognition::COMMENDATION_PROPOSED,
    Recognition::COMMENDATION_AWARDED,
];
const WITH_END: &[sovang_core::Kind] = &[
    Recognition::MODEL_REGISTERED,
    Recognition::MODEL_CONTINUED,
    Recognition::MODEL_REPLICATED,
    Recognition::MODEL_WITHDRAWN,
    Recognition::MODEL_RECOGNISED,
    Recognition::MODEL_FUNDED,
    Recognition::PLAQUE_MOUNTED,
    Recognition::PLAQUE_REMOVED,
];

fn level_of(event: &Recognition) -> Option<Level> {
    match event {
        Recognition::ModelRecognised(e) => Some(e.level),
        Recognition::PlaqueMounted(e) => Some(e.level),
        Recognition::CommendationProposed(e) => Some(e.level),
        Recognition::CommendationAwarded(e) => Some(e.level),
        _ => None,
    }
}
