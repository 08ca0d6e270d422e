//! The id of a line that gives none: derived from what is public in it, so that importing a file again appends nothing.

use super::json::Json;
use sovang_core::RecordId;
use sovang_core::words::Words;
use std::collections::HashMap;
use uuid::Uuid;

/// The namespace of derived ids (RFC 9562 §5.5), fixed for ever: itself UUIDv5 of the URL namespace and
/// `sovang/recognition/interchange-line/v1`.
pub const LINE_NAMESPACE: Uuid = uuid::uuid!("d8b9ae98-1bb4-57ee-98eb-a4763e0a70d0");

/// A line in RFC 8785 form without its personal fields: `subject` and `donor`, `recipient.subject`, `address` beside a
/// subject, the same of a `replacement`; and without `private` and `recorded_at`, which only a migration looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Form(String);

impl Form {
    pub(super) fn of(line: &Json) -> Self {
        Self(public(line).canonical())
    }
    /// The form's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The id of a line of this form before which `earlier` lines of the same file have the same form.
    #[must_use]
    pub fn id(&self, earlier: u64) -> RecordId {
        derived_id(self.0.as_bytes(), earlier)
    }
}

/// UUIDv5 of [`LINE_NAMESPACE`] and `form`, a line feed (which no form holds) and `earlier` in decimal.
#[must_use]
pub fn derived_id(form: &[u8], earlier: u64) -> RecordId {
    let mut name = form.to_vec();
    name.extend_from_slice(format!("\n{earlier}").as_bytes());
    RecordId::v5(LINE_NAMESPACE, &name)
}

fn public(line: &Json) -> Json {
    let Json::Object(members) = line else {
        return line.clone();
    };
    let of_a_subject = members.iter().any(|(key, _)| key == "subject");
    let keep = |key: &str| match key {
        "subject" | "donor" | "private" | "recorded_at" => false,
        "address" => !of_a_subject,
        _ => true,
    };
    let inner = |key: &str, value: &Json| {
        if matches!(key, "recipient" | "replacement") { public(value) } else { value.clone() }
    };
    Json::Object(members.iter().filter(|(key, _)| keep(key)).map(|(key, value)| (key.clone(), inner(key, value))).collect())
}

/// Counts the lines without `id` of one file, and so gives each its id. It remembers 16 bytes of each distinct form.
#[derive(Debug, Default)]
pub struct Numbering {
    met: Words,
    /// How often a form was met, where it was more than once: few are.
    again: HashMap<[u8; 16], u64>,
}

impl Numbering {
    /// At the start of a file.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// The id of the file's next line, which is of this form.
    pub fn id(&mut self, form: &Form) -> RecordId {
        let first = form.id(0);
        // The first id is a hash of the form already: two forms that share it would share their records anyway.
        if self.met.insert(u128::from_be_bytes(first.to_bytes())) {
            return first;
        }
        let earlier = self.again.entry(first.to_bytes()).or_insert(0);
        *earlier += 1;
        form.id(*earlier)
    }
}
