//! Names of persons that got into free text: what is public for ever, and what no erasure reaches.
//!
//! ```
//! use sovang_core::Personal;
//! use sovang_recognition::{self as recognition, Field, Recognition, SubjectKind, names::NameWatch};
//!
//! let mut watch = NameWatch::new();
//! let titled = |title: &str| recognition::model_registered("M", title, SubjectKind::Individual, "u", Field::Economy, 2024);
//! watch.look(1, &titled(" nguyễn  văn a").into(), None, None); // public
//! watch.look(2, &titled("Vườn rau").subject(Personal::of("P-17", "Nguyễn Văn A")).into(), None, None); // personal
//! let found = watch.end_of_file();
//! assert_eq!((found.count, found.first[0].line, found.first[0].field.as_str()), (1, 1, "title"));
//! ```

use crate::event::Recognition;
use sovang_core::likeness::folded;
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

/// Names that are remembered at most.
pub const NAMES_MAX: usize = 1 << 20;
/// Texts of one file that are remembered at most, in case a name comes after them.
pub const TEXTS_MAX: usize = 1 << 20;
/// Longer texts are no names.
const NAME_BYTES_MAX: usize = 512;
/// Places that are told one by one.
const PLACES_TOLD: usize = 100;

/// A free text that is a known person's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePlace {
    /// The line.
    pub line: u64,
    /// The field's path.
    pub field: String,
}

/// The free texts of one file that are names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamesFound {
    /// The first ones, in the order of the lines.
    pub first: Vec<NamePlace>,
    /// How many there are.
    pub count: u64,
    /// Whether there were too many names or texts to compare all.
    pub is_partial: bool,
}

/// Watches line after line for free text that equals a known person's name, in NFC, without regard to case and spaces: names told
/// by [`Self::know`], and those of the lines themselves, which may come later in the file.
///
/// Memory: about 18 bytes a name and 16 a text, up to [`NAMES_MAX`] and [`TEXTS_MAX`] of them; only hashes of 64 bits are kept.
#[derive(Debug, Default)]
pub struct NameWatch {
    names: HashSet<u64, BuildHasherDefault<AsItIs>>,
    waiting: Vec<Waiting>,
    found: NamesFound,
    names_left_out: bool,
}

/// A text that may turn out to be a name.
#[derive(Debug)]
struct Waiting {
    hash: u64,
    line: u32,
    path: u8,
    in_replacement: bool,
}

impl NameWatch {
    /// Knows nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// A name to look for.
    pub fn know(&mut self, name: &str) {
        let Some(hash) = hash_of(name) else { return };
        if self.names.len() < NAMES_MAX || self.names.contains(&hash) {
            self.names.insert(hash);
        } else {
            self.names_left_out = true;
        }
    }
    /// Looks at what one line says: its event, and of its envelope the source and the reason of an override.
    pub fn look(&mut self, line: u64, event: &Recognition, source: Option<&str>, overriding: Option<&str>) {
        for name in event.persons().into_iter().filter_map(|person| person.value()) {
            self.know(name);
        }
        let (mut event, mut in_replacement) = (event, false);
        loop {
            for (path, text) in event.free_texts() {
                self.wait(line, path, in_replacement, text);
            }
            match event {
                Recognition::RecordCorrected(correction) => (event, in_replacement) = (&correction.replacement, true),
                _ => break,
            }
        }
        for (path, text) in [("record_source", source), ("override.reason", overriding)] {
            if let Some(text) = text {
                self.wait(line, path, false, text);
            }
        }
    }
    fn wait(&mut self, line: u64, path: &'static str, in_replacement: bool, text: &str) {
        let (Some(hash), Some(path)) = (hash_of(text), PATHS.iter().position(|p| *p == path)) else { return };
        if self.waiting.len() == TEXTS_MAX {
            // What is a known name already is told all the same.
            self.found.is_partial = true;
            if !self.names.contains(&hash) {
                return;
            }
            self.settle();
        }
        // There are few paths, and lines beyond 2^32 are told as the last of them.
        let (line, path) = (u32::try_from(line).unwrap_or(u32::MAX), u8::try_from(path).unwrap_or(0));
        self.waiting.push(Waiting { hash, line, path, in_replacement });
    }
    /// Tells what is known of the texts that wait, and forgets the others.
    fn settle(&mut self) {
        for text in self.waiting.drain(..).filter(|text| self.names.contains(&text.hash)) {
            self.found.count += 1;
            if self.found.first.len() < PLACES_TOLD {
                let within = if text.in_replacement { "replacement." } else { "" };
                let path = PATHS.get(usize::from(text.path)).copied().unwrap_or_default();
                self.found.first.push(NamePlace { line: text.line.into(), field: format!("{within}{path}") });
            }
        }
    }
    /// What was found in the file that ends here. Its names stay known, its texts do not.
    pub fn end_of_file(&mut self) -> NamesFound {
        self.settle();
        let mut found = std::mem::take(&mut self.found);
        found.is_partial |= self.names_left_out;
        found
    }
}

/// None of what cannot be a name.
fn hash_of(text: &str) -> Option<u64> {
    if text.len() > NAME_BYTES_MAX {
        return None;
    }
    let folded = folded(text);
    if folded.is_empty() {
        return None;
    }
    // Of fixed keys: the same text has the same hash everywhere. A chance equality costs a note.
    let mut hasher = DefaultHasher::new();
    folded.hash(&mut hasher);
    Some(hasher.finish())
}

/// Of what is a hash already.
#[derive(Debug, Default)]
struct AsItIs(u64);
impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Every path of a free text, so that one byte tells which.
const PATHS: &[&str] = &[
    "name",
    "act",
    "note",
    "title",
    "target",
    "address",
    "reason",
    "tier",
    "period",
    "contribution.description",
    "place",
    "occasion",
    "inscription",
    "recipient.name",
    "achievement",
    "artefact",
    "authority",
    "measure",
    "source",
    "record_source",
    "override.reason",
];

#[cfg(test)]
mod tests {
    use super::{NameWatch, PATHS, TEXTS_MAX};
    use crate::{self as recognition, Contribution, Field, Form, Level, Recipient, Recognition, Source, SubjectKind};
    use sovang_core::{Personal, RecordId, date};

    fn withdrawn(reason: &str) -> Recognition {
        recognition::model_withdrawn("M", reason).into()
    }
    fn places(watch: &mut NameWatch) -> Vec<(u64, String)> {
        watch.end_of_file().first.into_iter().map(|place| (place.line, place.field)).collect()
    }

    #[test]
    fn equal_without_regard_to_form_case_and_spaces_before_and_after() {
        let mut watch = NameWatch::new();
        watch.know("Lê Văn Khác");
        for (line, text) in (1..).zip([
            "lê văn khác",
            " LÊ  VĂN\nKHÁC ",
            "Le\u{302} Va\u{306}n Kha\u{301}c",
            "Le Van Khac",
            "của Lê Văn Khác",
            "Trần Thị B",
        ]) {
            watch.look(line, &withdrawn(text), None, None);
        }
        let recipient = Recipient::individual(Personal::of("P-1", "Trần Thị B"));
        watch.look(7, &recognition::commendation_proposed("C", recipient, Form::Medal, Level::City).into(), None, None);
        watch.look(8, &withdrawn("x"), Some("Lê Văn Khác"), Some("trần thị b"));
        let reason = || "reason".to_owned();
        let expected = vec![
            (1, reason()),
            (2, reason()),
            (3, reason()),
            (6, reason()),
            (8, "record_source".to_owned()),
            (8, "override.reason".to_owned()),
        ];
        assert_eq!(places(&mut watch), expected);
        // Names stay known for the next file, texts do not.
        watch.look(1, &withdrawn("TRẦN THỊ B"), None, None);
        assert_eq!(places(&mut watch), [(1, reason())]);
    }

    #[test]
    fn a_replacement_is_looked_at_too() {
        let mut watch = NameWatch::new();
        let donor = Personal::of("P-2", "Phạm Thị D");
        let goods = Contribution::InKind { vnd: 1, description: Some("phạm thị d".to_owned()) };
        let gift = recognition::model_funded("M", goods, Source::Own).donor(donor);
        let target = RecordId::from_bytes([1; 16]);
        let corrected = recognition::record_corrected(target, gift, date(2024, 1, 1), "Phạm Thị D").authority("Phạm Thị D");
        watch.look(3, &corrected.into(), None, None);
        let fields: Vec<_> = places(&mut watch).into_iter().map(|(_, field)| field).collect();
        assert_eq!(fields, ["reason", "authority", "replacement.contribution.description"]);
    }

    #[test]
    fn every_free_text_has_its_path() {
        let of = |event: Recognition| event.free_texts().into_iter().map(|(path, _)| path).collect::<Vec<_>>();
        let model = recognition::model_registered("M", "t", SubjectKind::Collective, "u", Field::Economy, 2024).address("a");
        for path in [of(model.into()), of(withdrawn("r"))].concat() {
            assert!(PATHS.contains(&path), "{path}");
        }
        let source = include_str!("event/persons.rs");
        let paths = source.split("free_texts").nth(1).unwrap_or_default().split('"').skip(1).step_by(2);
        let mut count = 0;
        for path in paths {
            assert!(PATHS.contains(&path), "{path} is missing");
            count += 1;
        }
        assert!(count > PATHS.len(), "the search finds them");
    }

    #[test]
    fn memory_is_bounded_and_what_is_left_out_is_said() {
        let mut watch = NameWatch::new();
        watch.know("An");
        for line in 0..=TEXTS_MAX as u64 {
            watch.look(line, &withdrawn(&line.to_string()), None, None);
        }
        watch.look(2_000_000, &withdrawn("an"), None, None);
        let found = watch.end_of_file();
        assert_eq!((found.count, found.first[0].line, found.is_partial), (1, 2_000_000, true));
        assert!(!watch.end_of_file().is_partial);
    }
}
