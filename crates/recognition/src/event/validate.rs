//! What the fields may hold, whoever made the event: the import, or a program.

use super::facts::{Address, Contribution, Decision, Recipient};
use super::invalid::{Fault, Invalid};
use super::{Recognition, SubjectKind};
use sovang_core::limits::{LEDGER_TEXT_BYTES_MAX, SOURCE_BYTES_MAX};
use sovang_core::{Date, Personal};

/// Bytes of an id of a unit, a model, a plaque or a commendation.
pub const ID_BYTES_MAX: usize = 128;
/// Bytes of a decision's issuer and of its number.
pub const DECISION_BYTES_MAX: usize = 512;
/// Bytes of a text of one line: titles, names, places, occasions.
pub const TEXT_BYTES_MAX: usize = 4096;
/// Bytes of a text that may have lines: inscription, description, achievement, note, reason.
pub const LONG_TEXT_BYTES_MAX: usize = 16_384;
/// The last year that a date or a year may name; the first is 1.
pub const YEAR_MAX: u16 = 9999;

type Checked = Result<(), Invalid>;

/// A text against its limit; line feeds only where it may have `lines`.
fn check(field: &str, text: &str, limit: &'static str, max: usize, lines: bool) -> Checked {
    let fault = if text.is_empty() {
        Fault::Empty
    } else if text.len() > max {
        Fault::TooLong { bytes: text.len(), limit, max }
    } else if let Some(character) = text.chars().find(|c| c.is_control() && !(lines && *c == '\n')) {
        Fault::Control { character }
    } else {
        return Ok(());
    };
    Err(Invalid::new(field, fault))
}
fn id(field: &str, text: &str) -> Checked {
    check(field, text, "ID_BYTES_MAX", ID_BYTES_MAX, false)
}
pub(crate) fn line(field: &str, text: &str) -> Checked {
    check(field, text, "TEXT_BYTES_MAX", TEXT_BYTES_MAX, false)
}
pub(crate) fn lines(field: &str, text: &str) -> Checked {
    check(field, text, "LONG_TEXT_BYTES_MAX", LONG_TEXT_BYTES_MAX, true)
}
/// As [`lines`], within a limit of the ledger.
pub(crate) fn source_lines(field: &str, text: &str) -> Checked {
    check(field, text, "SOURCE_BYTES_MAX", SOURCE_BYTES_MAX, true)
}
/// As [`lines`], of a record of the ledger itself.
pub(crate) fn ledger_lines(field: &str, text: &str) -> Checked {
    check(field, text, "LEDGER_TEXT_BYTES_MAX", LEDGER_TEXT_BYTES_MAX, true)
}
fn maybe(field: &str, text: Option<&str>, rule: fn(&str, &str) -> Checked) -> Checked {
    text.map_or(Ok(()), |text| rule(field, text))
}
fn quantity(field: &str, value: i64) -> Checked {
    if value < 0 { Err(Invalid::new(field, Fault::Negative)) } else { Ok(()) }
}
fn year(field: &str, year: i32) -> Checked {
    if (1..=i32::from(YEAR_MAX)).contains(&year) { Ok(()) } else { Err(Invalid::new(field, Fault::Year)) }
}
fn date(field: &str, date: Date) -> Checked {
    year(field, date.year())
}
/// A name; whose it is was checked when its id was made.
fn person(field: &str, person: &Personal<String>) -> Checked {
    person.value().map_or(Ok(()), |name| line("name", name).map_err(|e| e.within(field)))
}
fn decision(field: &str, decision: &Decision) -> Checked {
    let part = |key: &str, text: &str| check(key, text, "DECISION_BYTES_MAX", DECISION_BYTES_MAX, false);
    part("issuer", &decision.issuer)
        .and_then(|()| part("number", &decision.number))
        .and_then(|()| date("date", decision.date))
        .map_err(|e| e.within(field))
}
fn recipient(recipient: &Recipient) -> Checked {
    let inner = || {
        maybe("unit", recipient.unit(), id)?;
        maybe("name", recipient.name(), line)?;
        person("subject", recipient.subject())
    };
    inner().map_err(|e| e.within("recipient"))
}
fn contribution(contribution: &Contribution) -> Checked {
    match contribution {
        Contribution::Cash { vnd } => quantity("vnd", *vnd),
        Contribution::Labour { days } => quantity("days", *days),
        Contribution::Land { square_decimetres, .. } => quantity("square_metres", *square_decimetres),
        Contribution::InKind { vnd, description } => {
            quantity("vnd", *vnd).and_then(|()| maybe("description", description.as_deref(), lines))
        }
    }
    .map_err(|e| e.within("contribution"))
}
fn address(subject: &Personal<String>, address: &Address) -> Checked {
    match (subject, address) {
        (Personal::None, Address::Public(text)) => line("address", text),
        (Personal::None, Address::Personal(_)) | (_, Address::Public(_)) => Err(Invalid::new("address", Fault::AddressApart)),
        (_, Address::Personal(personal)) => match (subject.subject(), personal.subject()) {
            (Some(a), Some(b)) if a != b => Err(Invalid::new("address", Fault::AddressApart)),
            _ => personal.value().map_or(Ok(()), |text| line("address", text)),
        },
    }
}

impl Recognition {
    /// Whether every field holds what it may: ids of 1 to [`ID_BYTES_MAX`] bytes, texts that are neither empty nor too
    /// long, no control characters (but line feeds in inscription, description, achievement, note and reason), no
    /// negative quantity, years and dates from 1 to [`YEAR_MAX`], personal data only where they belong, and no amendment
    /// within an amendment.
    ///
    /// # Errors
    /// The first field, in the order of the interchange, that does not.
    pub fn validate(&self) -> Result<(), Invalid> {
        match self {
            Self::UnitDefined(e) => {
                id("unit", &e.unit)?;
                line("name", &e.name)?;
                maybe("parent", e.parent.as_deref(), id)?;
                date("valid_from", e.valid_from)?;
                e.valid_to.map_or(Ok(()), |to| date("valid_to", to))
            }
            Self::UnitSucceeded(e) => {
                id("from", &e.from)?;
                id("to", &e.to)?;
                date("effective_on", e.effective_on)?;
                line("act", &e.act)?;
                maybe("note", e.note.as_deref(), lines)
            }
            Self::ModelRegistered(e) => {
                id("model", &e.model)?;
                line("title", &e.title)?;
                if e.subject_kind == SubjectKind::Collective && e.subject.is_some() {
                    return Err(Invalid::new("subject", Fault::SubjectOfCollective));
                }
                person("subject", &e.subject)?;
                id("unit", &e.unit)?;
                if !e.field.is_sound() {
                    return Err(Invalid::new("field", Fault::Code));
                }
                year("year", e.year.into())?;
                maybe("target", e.target.as_deref(), line)?;
                e.address.as_ref().map_or(Ok(()), |a| address(&e.subject, a))
            }
            Self::ModelContinued(e) => id("model", &e.model).and_then(|()| year("year", e.year.into())),
            Self::ModelReplicated(e) => id("model", &e.model).and_then(|()| id("replica", &e.replica)),
            Self::ModelWithdrawn(e) => id("model", &e.model).and_then(|()| lines("reason", &e.reason)),
            Self::ModelRecognised(e) => {
                id("model", &e.model)?;
                maybe("tier", e.tier.as_deref(), line)?;
                decision("decision", &e.decision)?;
                maybe("period", e.period.as_deref(), line)
            }
            Self::ModelFunded(e) => {
                id("model", &e.model)?;
                contribution(&e.contribution)?;
                person("donor", &e.donor)
            }
            Self::PlaqueMounted(e) => {
                id("plaque", &e.plaque)?;
                id("model", &e.model)?;
                line("place", &e.place)?;
                maybe("occasion", e.occasion.as_deref(), line)?;
                e.decision.as_ref().map_or(Ok(()), |d| decision("decision", d))?;
                maybe("inscription", e.inscription.as_deref(), lines)
            }
            Self::PlaqueRemoved(e) => id("plaque", &e.plaque),
            Self::CommendationProposed(e) => {
                id("commendation", &e.commendation)?;
                recipient(&e.recipient)?;
                maybe("achievement", e.achievement.as_deref(), lines)
            }
            Self::CommendationAwarded(e) => {
                id("commendation", &e.commendation)?;
                recipient(&e.recipient)?;
                decision("decision", &e.decision)?;
                quantity("bonus_vnd", e.bonus_vnd.unwrap_or(0))?;
                maybe("achievement", e.achievement.as_deref(), lines)
            }
            Self::DecisionAnnulled(e) => {
                decision("decision", &e.decision)?;
                decision("by", &e.by)?;
                maybe("artefact", e.artefact.as_deref(), line)?;
                quantity("bonus_recovered_vnd", e.bonus_recovered_vnd.unwrap_or(0))
            }
            Self::RecordCorrected(e) => {
                if matches!(*e.replacement, Self::RecordCorrected(_) | Self::RecordRetracted(_)) {
                    return Err(Invalid::new("replacement", Fault::Amendment));
                }
                date("occurred_on", e.replacement_on).map_err(|e| e.within("replacement"))?;
                e.replacement.validate().map_err(|e| e.within("replacement"))?;
                lines("reason", &e.reason)?;
                maybe("authority", e.authority.as_deref(), line)
            }
            Self::RecordRetracted(e) => {
                lines("reason", &e.reason)?;
                maybe("authority", e.authority.as_deref(), line)
            }
            Self::FigurePublished(e) => {
                line("measure", &e.measure)?;
                id("unit", &e.unit)?;
                line("period", &e.period)?;
                quantity("value", e.value)?;
                line("source", &e.source)
            }
        }
    }
}
