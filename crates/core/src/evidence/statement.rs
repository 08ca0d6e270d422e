//! Statements: a figure bound to the log it was computed from (docs/FORMAT.md §11.6).

use super::json::{self, Json};
use super::key::{KeyKind, SecretKey, VerifierKey};
use super::note::Note;
use super::text::{self, Lines};
use super::{Checkpoint, EvidenceError, Policy, VerifiedCheckpoint, verify_checkpoint};
use crate::hash;
use crate::ids::{Head, Size};
use std::fmt;
use std::str::FromStr;

const WHAT: &str = "a statement";
const FIRST_LINE: &str = "sovang statement v1";
const RESULT: [&str; 5] = ["as_of", "root", "rows", "size", "tally"];
const PARAMETERS: [&str; 6] = ["as_of", "by", "from", "map_date", "to", "where"];

/// A figure as a statement carries it. Both JSON texts are one line in RFC 8785 form, with integers only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// The tally's name.
    pub tally: String,
    /// The tally's revision, which goes up when its meaning changes.
    pub revision: u64,
    /// An object of exactly `as_of`, `by`, `from`, `map_date`, `to` and `where`.
    pub parameters: String,
    /// What `sovang tally --format json` prints for them.
    pub result: String,
}

/// A figure, the checkpoint of the log it comes from, and the signatures of who states it. Displays as exactly the bytes it was read from.
///
/// ```
/// use sovang_core::evidence::{Checkpoint, Figure, KeyKind, SecretKey, Statement};
/// use sovang_core::{Head, Root, Size};
/// let log = SecretKey::from_seed("example.org/log", [7; 32])?;
/// let office = SecretKey::from_seed("example.org/figures", [8; 32])?;
/// let checkpoint = Checkpoint::sign(&log, Head { size: Size(9), root: Root([1; 32]) })?;
/// let figure = Figure {
///     tally: "registered".into(),
///     revision: 1,
///     parameters: r#"{"as_of":9,"by":[],"from":null,"map_date":null,"to":null,"where":{}}"#.into(),
///     result: format!(
///         r#"{{"as_of":9,"root":"{}","rows":[{{"count":6977}}],"size":9,"tally":"registered"}}"#,
///         checkpoint.head().root.to_base64()
///     ),
/// };
/// let statement = Statement::sign(&office, figure, &checkpoint)?;
/// statement.to_string().parse::<Statement>()?.verify(&[office.verifier(KeyKind::Ed25519)], None)?;
/// # Ok::<(), sovang_core::evidence::EvidenceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    figure: Figure,
    as_of: Size,
    digest: [u8; 32],
    checkpoint: Checkpoint,
    note: Note,
}

/// What a statement is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedStatement {
    /// The known keys that have signed it, each once.
    pub keys: Vec<VerifierKey>,
    /// How many signature lines are of keys that are not known.
    pub ignored: usize,
    /// The checkpoint, if a policy was given to verify it under; else nothing is known about the log.
    pub checkpoint: Option<VerifiedCheckpoint>,
}

impl Statement {
    /// States a figure. The key is no log's: its name is not the checkpoint's origin, and its public key not that of a signature there.
    ///
    /// # Errors
    /// When the figure is not in its canonical form, does not agree with itself or the checkpoint, or the key is a log's.
    pub fn sign(key: &SecretKey, figure: Figure, checkpoint: &Checkpoint) -> Result<Self, EvidenceError> {
        let Figure { tally, revision, parameters, result } = &figure;
        let digest = hex::encode(hash::statement_result_digest(result.as_bytes()));
        let text = format!(
            "{FIRST_LINE}\ntally {tally}\nrevision {revision}\nparameters {parameters}\ndigest {digest}\nresult {result}\n\n{checkpoint}"
        );
        let statement = Self::of(Note::new(&text, vec![key.sign_text(&text)])?)?;
        statement.check_key(&key.verifier(KeyKind::Ed25519), None)?;
        Ok(statement)
    }
    /// Reads a statement. No signature is verified.
    ///
    /// # Errors
    /// [`EvidenceError::Malformed`] with the line, or [`EvidenceError::TooLarge`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EvidenceError> {
        Self::of(Note::parse(bytes)?)
    }
    fn of(note: Note) -> Result<Self, EvidenceError> {
        let mut lines = Lines::new(WHAT, note.text());
        lines.exactly(FIRST_LINE)?;
        let tally = lines.field("tally")?;
        if tally.is_empty() || tally.contains(char::is_whitespace) {
            return Err(lines.bad("a tally's name is one word"));
        }
        let revision = lines.field("revision")?;
        let revision = text::decimal(revision).ok_or_else(|| lines.bad("the revision is not a canonical decimal below 2^63"))?;
        let parameters = lines.field("parameters")?;
        let as_of = json::canonical(parameters).and_then(|p| read_parameters(&p)).map_err(|why| lines.bad(why))?;
        let digest = lines.field("digest")?;
        let digest = digest_of(digest).ok_or_else(|| lines.bad("the digest is 64 lower-case hex digits"))?;
        let result = lines.field("result")?;
        let read_result = json::canonical(result).map_err(|why| lines.bad(why))?;
        if !lines.next("the empty line")?.is_empty() {
            return Err(lines.bad("an empty line comes before the checkpoint"));
        }
        let checkpoint = Checkpoint::parse(lines.rest().as_bytes()).map_err(|e| e.after(lines.taken()))?;
        if as_of > checkpoint.head().size {
            return Err(EvidenceError::malformed(WHAT, 4, "as_of is above the checkpoint's size"));
        }
        check_result(&read_result, tally, as_of, checkpoint.head()).map_err(|why| EvidenceError::malformed(WHAT, 6, why))?;
        let figure = Figure { tally: tally.to_owned(), revision, parameters: parameters.to_owned(), result: result.to_owned() };
        Ok(Self { figure, as_of, digest, checkpoint, note })
    }
    /// What is stated.
    #[must_use]
    pub fn figure(&self) -> &Figure {
        &self.figure
    }
    /// How many records it was computed from: the first so many.
    #[must_use]
    pub fn as_of(&self) -> Size {
        self.as_of
    }
    /// The result's digest, as written.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
    /// The digest of the whole statement, by which a published figure names it.
    #[must_use]
    pub fn file_digest(&self) -> [u8; 32] {
        hash::statement_digest(self.to_string().as_bytes())
    }
    /// The log it was computed from.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }
    /// Text and signature lines.
    #[must_use]
    pub fn note(&self) -> &Note {
        &self.note
    }
    /// That one of these keys has stated exactly this, every line of any of them verifies, the result has the digest, and, if a policy is given,
    /// the checkpoint holds under it. Whether the log leads to the result only a replay can tell.
    ///
    /// # Errors
    /// The first of these that does not hold; also when a signing key is a log's.
    pub fn verify(&self, keys: &[VerifierKey], policy: Option<&Policy>) -> Result<VerifiedStatement, EvidenceError> {
        let verified = self.note.verify(keys).map_err(|error| match error {
            EvidenceError::NoKnownKey { .. } => EvidenceError::NoKnownKey { what: WHAT },
            other => other,
        })?;
        for (key, _) in &verified.keys {
            self.check_key(key, policy)?;
        }
        if hash::statement_result_digest(self.figure.result.as_bytes()) != self.digest {
            return Err(EvidenceError::Disagrees { what: "the statement's digest is not that of its result".into() });
        }
        let checkpoint = match policy {
            Some(policy) => {
                Some(verify_checkpoint(&self.checkpoint, policy).map_err(|e| e.within("the statement's checkpoint"))?)
            }
            None => None,
        };
        let keys = verified.keys.into_iter().map(|(key, _)| key).collect();
        Ok(VerifiedStatement { keys, ignored: verified.ignored, checkpoint })
    }
    /// A log's key signs checkpoints and nothing else, so what it signs here is refused.
    fn check_key(&self, key: &VerifierKey, policy: Option<&Policy>) -> Result<(), EvidenceError> {
        let disagrees = |why: &str| Err(EvidenceError::Disagrees { what: format!("the key {}: {why}", key.name()).into() });
        if key.kind() != KeyKind::Ed25519 {
            return disagrees("a statement's key is of kind 0x01");
        }
        if key.name() == self.checkpoint.origin() {
            return disagrees("a statement's key does not have the log's origin as its name");
        }
        let is_log = |other: &VerifierKey| other.public_key() == key.public_key();
        if policy.is_some_and(|policy| policy.logs().iter().any(|log| is_log(&log.key))) {
            return disagrees("it is a log's, and a log's key states nothing");
        }
        let has_signed = |line: &super::SignatureLine| {
            VerifierKey::new(&line.name, KeyKind::Ed25519, *key.public_key())
                .is_ok_and(|as_log| line.verify(&as_log, self.checkpoint.note().text()).is_ok())
        };
        if self.checkpoint.note().signatures().iter().any(has_signed) {
            return disagrees("it has signed the checkpoint, so it is a log's, and a log's key states nothing");
        }
        Ok(())
    }
}

fn digest_of(hex: &str) -> Option<[u8; 32]> {
    let digest: [u8; 32] = hex::decode(hex).ok()?.try_into().ok()?;
    (hex::encode(digest) == hex).then_some(digest)
}

/// Checks the parameters' shape, and gives `as_of`.
fn read_parameters(parameters: &Json) -> Result<Size, &'static str> {
    let Json::Object(members) = parameters else { return Err("the parameters are no JSON object") };
    if !members.iter().map(|(key, _)| key.as_str()).eq(PARAMETERS) {
        return Err("the parameters' keys are not exactly as_of, by, from, map_date, to, where");
    }
    let get = |key| parameters.get(key).unwrap_or(&Json::Null);
    for key in ["from", "map_date", "to"] {
        if !matches!(get(key), Json::Null) && !get(key).as_text().is_some_and(is_day) {
            return Err("from, map_date and to are a day, YYYY-MM-DD, or null");
        }
    }
    let Json::Array(by) = get("by") else { return Err("by is no array") };
    if !by.iter().all(|dimension| matches!(dimension, Json::Text(_))) {
        return Err("by holds a dimension that is no text");
    }
    let Json::Object(filters) = get("where") else { return Err("where is no object") };
    for (_, values) in filters {
        let Json::Array(values) = values else { return Err("where holds values that are no array") };
        if !values.iter().all(|value| matches!(value, Json::Null | Json::Integer(_) | Json::Text(_))) {
            return Err("where holds a value that is no text, integer or null");
        }
        if values.is_empty() {
            return Err("where holds a dimension without a value");
        }
        if !values.is_sorted_by(precedes) {
            return Err("where holds values that do not ascend");
        }
    }
    let Json::Integer(as_of) = get("as_of") else { return Err("as_of is no number") };
    text::decimal(as_of).map(Size).ok_or("as_of is no number below 2^63")
}
/// Null before integers before texts; integers by value, texts by their bytes.
fn precedes(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Text(a), Json::Text(b)) => a < b,
        (Json::Integer(a), Json::Integer(b)) => {
            matches!((a.parse::<i64>(), b.parse::<i64>()), (Ok(a), Ok(b)) if a < b)
        }
        (Json::Null, Json::Integer(_) | Json::Text(_)) | (Json::Integer(_), Json::Text(_)) => true,
        _ => false,
    }
}
/// A day of the calendar as YYYY-MM-DD.
fn is_day(text: &str) -> bool {
    let digits = |range: std::ops::Range<usize>| {
        let digits = text.get(range).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
        digits.parse::<u16>().ok()
    };
    let dashes = text.len() == 10 && text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
    let (Some(year), Some(month), Some(day)) = (digits(0..4), digits(5..7), digits(8..10)) else { return false };
    let month = u8::try_from(month).ok().and_then(|month| time::Month::try_from(month).ok());
    let (Some(month), Ok(day)) = (month, u8::try_from(day)) else { return false };
    dashes && time::Date::from_calendar_date(year.into(), month, day).is_ok()
}

/// The result is of this tally, of so many records, and of the checkpoint's log: otherwise what stands around it would say something else than the figure.
fn check_result(result: &Json, tally: &str, as_of: Size, head: Head) -> Result<(), &'static str> {
    let Json::Object(members) = result else { return Err("the result is no JSON object") };
    if !members.iter().map(|(key, _)| key.as_str()).eq(RESULT) {
        return Err("the result's keys are not exactly as_of, root, rows, size, tally");
    }
    if result.get("tally").and_then(Json::as_text) != Some(tally) {
        return Err("the result is of another tally");
    }
    let size = Some(Json::Integer(as_of.to_string()));
    if result.get("as_of") != size.as_ref() || result.get("size") != size.as_ref() {
        return Err("the result is of another as_of or size");
    }
    let Some(root) = result.get("root").and_then(Json::as_text).and_then(text::hash) else {
        return Err("the result's root is not 32 bytes in canonical base64");
    };
    if as_of == head.size && root != head.root.0 {
        return Err("the result is of another log: its root at the checkpoint's size is not the checkpoint's");
    }
    match result.get("rows") {
        Some(Json::Array(rows)) if rows.iter().all(|row| matches!(row, Json::Object(_))) => Ok(()),
        _ => Err("the result's rows are no array of objects"),
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}
impl FromStr for Statement {
    type Err = EvidenceError;
    fn from_str(text: &str) -> Result<Self, EvidenceError> {
        Self::parse(text.as_bytes())
    }
}
