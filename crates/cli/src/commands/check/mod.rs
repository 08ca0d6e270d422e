//! `sovang check`: evidence, without the ledger. Each kind of file has its module; what they found is told in `report`.

mod disclosure;
mod evidence;
mod fork;
mod record;
mod report;
mod statement;
mod time;
mod token;

use crate::args::evidence::CheckArgs;
use crate::failure::{self, Failure};
use crate::trusted::Trusted;
use sovang::{Checkpoint, EvidenceError, Policy, Proven, RecordHash, VerifiedCheckpoint};
use std::path::Path;
use std::process::ExitCode;

/// No file of evidence is larger than two of this: it is read no further.
const FILE_BYTES_MAX: u64 = 4 << 20;

pub(crate) fn run(args: &CheckArgs) -> Result<ExitCode, Failure> {
    let mut check = Check::new(args)?;
    for file in &args.files {
        let outcome = check.file(file)?;
        check.outcomes.push(outcome);
    }
    time::bound(&mut check)?;
    let tokens = token::check(&check)?;
    check.outcomes.extend(tokens);
    let fork = fork::among(&check, args.fork_proof.as_deref())?;
    report::tell(&check.outcomes, fork.as_ref(), args.json)?;
    Ok(ExitCode::from(code(&check.outcomes, fork.is_some())))
}

/// What is false outranks what could not be checked.
fn code(outcomes: &[Outcome], forked: bool) -> u8 {
    let any = |verdict| outcomes.iter().any(|outcome| outcome.verdict == verdict);
    if forked || any(Verdict::Refused) {
        failure::FOUND
    } else if any(Verdict::NotChecked) {
        failure::INPUT
    } else {
        0
    }
}

/// What is known while the files are checked one after the other.
pub(super) struct Check<'a> {
    pub(super) args: &'a CheckArgs,
    pub(super) trusted: Trusted,
    /// The raw entry that proofs are of.
    leaf: Option<Vec<u8>>,
    /// The checkpoint of the file just before, for a growth file.
    before: Option<Checkpoint>,
    /// The receipts that held, for disclosures.
    receipts: Vec<Proven>,
    /// Every checkpoint that held, with the growth that led to it.
    seen: Vec<fork::Seen>,
    outcomes: Vec<Outcome>,
}

/// What came of one file.
pub(super) struct Outcome {
    pub(super) file: String,
    pub(super) kind: Kind,
    pub(super) verdict: Verdict,
    /// Why it does not hold, or what it shows.
    pub(super) what: String,
    pub(super) hint: Option<String>,
    pub(super) checkpoint: Option<VerifiedCheckpoint>,
    pub(super) position: Option<u64>,
    /// After which time the record was recorded, in seconds since 1970, where that is shown.
    pub(super) not_before: Option<u64>,
    pub(super) record_hash: Option<RecordHash>,
    /// What the record of a receipt says.
    pub(super) record: Option<record::Shown>,
    /// More lines for people: what was not checked, what is not proven.
    pub(super) notes: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Holds,
    Refused,
    /// Something that the user has to give is missing.
    NotChecked,
}

/// What a file says that it is, by its first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Proof,
    Receipt,
    Growth,
    ForkProof,
    Statement,
    Disclosure,
    /// A time-stamp response, named by its option.
    Token,
    Checkpoint,
    /// It could not be read.
    Unknown,
}
impl Kind {
    fn of(bytes: &[u8]) -> Self {
        let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        match first {
            b"c2sp.org/tlog-proof@v1" => Self::Proof,
            b"sovang fork proof v1" => Self::ForkProof,
            b"sovang statement v1" => Self::Statement,
            _ if first.starts_with(b"old ") => Self::Growth,
            _ if first.starts_with(b"{") => Self::Disclosure,
            _ => Self::Checkpoint,
        }
    }
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Proof => "proof",
            Self::Receipt => "receipt",
            Self::Growth => "growth",
            Self::ForkProof => "fork_proof",
            Self::Statement => "statement",
            Self::Disclosure => "disclosure",
            Self::Token => "token",
            Self::Checkpoint => "checkpoint",
            Self::Unknown => "unknown",
        }
    }
}

impl Outcome {
    pub(super) fn holds(kind: Kind, what: impl Into<String>) -> Self {
        Self {
            file: String::new(),
            kind,
            verdict: Verdict::Holds,
            what: what.into(),
            hint: None,
            checkpoint: None,
            position: None,
            not_before: None,
            record_hash: None,
            record: None,
            notes: Vec::new(),
        }
    }
    pub(super) fn refused(kind: Kind, what: impl Into<String>) -> Self {
        Self { verdict: Verdict::Refused, ..Self::holds(kind, what) }
    }
    /// For want of something that the user has to give.
    pub(super) fn not_checked(kind: Kind, what: impl Into<String>, hint: &str) -> Self {
        Self { verdict: Verdict::NotChecked, hint: Some(hint.to_owned()), ..Self::holds(kind, what) }
    }
    pub(super) fn of_error(kind: Kind, error: &EvidenceError) -> Self {
        let hint = error.hint().map(str::to_owned);
        Self { hint, ..Self::refused(kind, error.to_string()) }
    }
    pub(super) fn with_checkpoint(self, checkpoint: VerifiedCheckpoint) -> Self {
        Self { checkpoint: Some(checkpoint), ..self }
    }
    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

impl<'a> Check<'a> {
    fn new(args: &'a CheckArgs) -> Result<Self, Failure> {
        let trusted = Trusted::of(&args.trust)?.with_origin(args.origin.as_deref()).with_max_age(args.max_age.as_deref())?;
        let leaf = args.leaf.as_deref().map(read).transpose()?;
        let none = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { args, trusted, leaf, before: None, receipts: none.0, seen: none.1, outcomes: none.2 })
    }
    pub(super) fn policy(&self) -> Result<Policy, Failure> {
        self.trusted.logs()
    }
    /// Only what the options say is a failure; whatever is wrong with a file is an outcome.
    fn file(&mut self, path: &Path) -> Result<Outcome, Failure> {
        let file = path.display().to_string();
        let before = self.before.take();
        let bytes = match read(path) {
            Ok(bytes) => bytes,
            Err(failure) if failure.code() == failure::INPUT => {
                let hint = "name files that are there";
                return Ok(Outcome { file, ..Outcome::not_checked(Kind::Unknown, failure.message(), hint) });
            }
            Err(failure) => return Err(failure),
        };
        let kind = Kind::of(&bytes);
        let outcome = match kind {
            Kind::Proof | Kind::Receipt => self.proof(&bytes)?,
            Kind::Growth => self.growth(&bytes, before.as_ref())?,
            Kind::ForkProof => self.fork_proof(&bytes)?,
            Kind::Statement => statement::check(self, &bytes)?,
            Kind::Disclosure => self.disclosure(&bytes),
            Kind::Checkpoint | Kind::Token | Kind::Unknown => self.checkpoint(&bytes)?,
        };
        Ok(Outcome { file, ..outcome })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    use std::io::Read as _;
    let fail = |e| Failure::file(&e, "read", &path.display().to_string());
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(fail)?.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(fail)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn false_outranks_missing() {
        let of = |verdict| Outcome { verdict, ..Outcome::holds(Kind::Checkpoint, "") };
        assert_eq!(code(&[of(Verdict::Holds)], false), 0);
        assert_eq!(code(&[of(Verdict::Holds), of(Verdict::NotChecked)], false), failure::INPUT);
        assert_eq!(code(&[of(Verdict::NotChecked), of(Verdict::Refused), of(Verdict::NotChecked)], false), failure::FOUND);
        assert_eq!(code(&[of(Verdict::Holds)], true), failure::FOUND);
    }

    #[test]
    fn a_kind_is_told_by_the_whole_first_line() {
        assert_eq!(Kind::of(b"old 7\nx"), Kind::Growth);
        assert_eq!(Kind::of(b"c2sp.org/tlog-proof@v1\n"), Kind::Proof);
        assert_eq!(Kind::of(b"c2sp.org/tlog-proof@v10\n"), Kind::Checkpoint);
        assert_eq!(Kind::of(b""), Kind::Checkpoint);
        assert_eq!(Kind::of(b"{}"), Kind::Disclosure);
    }
}
