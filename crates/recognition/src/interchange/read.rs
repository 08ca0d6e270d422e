//! A line as what it says.

use super::fault::{LineError, Reason};
use super::fields::Fields;
use super::identity::Form;
use super::json::Json;
use super::persons::Persons;
use super::read_event::event;
use crate::event::{Fault, Recognition, validate};
use sovang_core::event::LedgerEvent;
use sovang_core::limits::IMPORT_LINE_BYTES_MAX;
use sovang_core::{Actor, Date, Envelope, Event, Import, Override, RecordId, UtcDateTime, ids};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Whether lines come as new facts, or as another ledger's export into an empty one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `recorded_at` and `private` are ignored, commitments and records of the ledger itself are refused.
    Append,
    /// All of them are taken.
    Migrate,
}

/// What one line says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one line at a time, and almost all are events")]
pub enum Line {
    /// An event.
    Event {
        /// The event with its envelope.
        import: Import<Recognition>,
        /// Of a line without `id`: what its id is derived from, see [`Numbering`](super::Numbering).
        form: Option<Form>,
    },
    /// A record of the ledger itself; only in a migration.
    Ledger(LedgerLine),
}

/// A record of the ledger itself, as a migration brings it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerLine {
    /// What happened.
    pub event: LedgerEvent,
    /// The record's id.
    pub id: RecordId,
    /// When it happened.
    pub occurred_on: Date,
    /// Its envelope.
    pub envelope: Envelope,
    /// When it was first recorded.
    pub recorded_at: Option<UtcDateTime>,
}

/// Reads one line, without its line feed.
///
/// The event's fields hold what they may ([`Recognition::validate`]); no rule is asked.
///
/// # Errors
/// The first thing that is wrong, with the path of its field.
pub fn parse_line(line: &[u8], mode: Mode) -> Result<Line, LineError> {
    if line.len() > IMPORT_LINE_BYTES_MAX {
        return Err(LineError::whole(Reason::LineTooLong { max: IMPORT_LINE_BYTES_MAX }));
    }
    let json = Json::parse(line)?;
    let form = if json.get("id").is_none() { Some(Form::of(&json)) } else { None };
    let mut fields = Fields::of_line(json)?;
    let name = fields.text("type")?;
    let head = Head::take(&mut fields, mode)?;
    let private = fields.take("private");
    if LedgerEvent::KINDS.iter().any(|kind| kind.name() == name) {
        if mode == Mode::Append {
            return Err(LineError::at("type", Reason::OnlyMigrated { what: "a record of the ledger itself" }));
        }
        return ledger_line(&name, fields, head).map(Line::Ledger);
    }
    let mut persons = Persons::of(private, mode)?;
    let event = event(&name, &mut fields, &mut persons)?;
    fields.finish()?;
    event.validate()?;
    let given = persons.finish()?;
    let mut entry = event.on(head.occurred_on);
    if let Some(id) = head.id {
        entry = entry.with_id(id);
    }
    if let Some(Override { rules, reason }) = head.overriding {
        entry = entry.overriding(rules, reason);
    }
    Ok(Line::Event { import: Import { entry, envelope: head.envelope, recorded_at: head.recorded_at, given }, form })
}

/// The keys that every line may have.
struct Head {
    id: Option<RecordId>,
    occurred_on: Date,
    envelope: Envelope,
    overriding: Option<Override>,
    recorded_at: Option<UtcDateTime>,
}

impl Head {
    fn take(fields: &mut Fields, mode: Mode) -> Result<Self, LineError> {
        let occurred_on = fields.date("occurred_on")?;
        let actor = fields.text("actor")?;
        let actor = Actor::new(actor).map_err(|_| fields.error("actor", Reason::Invalid(Fault::Name)))?;
        let id = fields.maybe_id("id")?;
        let source = fields.maybe_text("record_source")?;
        if let Some(source) = &source {
            not_blank("record_source", source).and_then(|()| Ok(validate::line("record_source", source)?))?;
        }
        let correlation = fields.maybe_text("correlation")?;
        if correlation.as_ref().is_some_and(|c| ids::check_name("a correlation", c).is_err()) {
            return Err(fields.error("correlation", Reason::Invalid(Fault::Name)));
        }
        let causation = fields.maybe_id("causation")?;
        let overriding = fields.maybe_object("override")?.map(|fields| self::overriding(fields, mode)).transpose()?;
        let recorded_at = match (fields.take("recorded_at"), mode) {
            (Some(at), Mode::Migrate) => Some(instant(&at).ok_or_else(|| fields.error("recorded_at", Reason::Time))?),
            _ => None,
        };
        Ok(Self { id, occurred_on, envelope: Envelope { actor, source, correlation, causation }, overriding, recorded_at })
    }
}

fn not_blank(field: &str, text: &str) -> Result<(), LineError> {
    if text.trim().is_empty() { Err(LineError::at(field, Reason::Invalid(Fault::Empty))) } else { Ok(()) }
}

fn instant(at: &Json) -> Option<UtcDateTime> {
    let at = OffsetDateTime::parse(at.as_text()?, &Rfc3339).ok()?;
    at.checked_to_utc()
}

/// Rules 1, 4 and 5 can be waived, and no other; what another ledger recorded is taken as it is.
fn overriding(mut fields: Fields, mode: Mode) -> Result<Override, LineError> {
    let rules = match fields.take("rules") {
        None => return Err(fields.error("rules", Reason::Missing)),
        Some(Json::List(rules)) if !rules.is_empty() => rules,
        Some(other) => {
            return Err(fields.expected("rules", "a list of rules' numbers, at least one", &other));
        }
    };
    let mut waived: Vec<u16> = Vec::with_capacity(rules.len());
    for rule in rules {
        let Json::Integer(number) = rule else {
            return Err(fields.expected("rules", "a list of rules' numbers, at least one", &rule));
        };
        match u16::try_from(number) {
            Ok(rule) if !waived.contains(&rule) && (mode == Mode::Migrate || matches!(rule, 1 | 4 | 5)) => waived.push(rule),
            _ => return Err(fields.error("rules", Reason::Override)),
        }
    }
    let reason = fields.text("reason")?;
    not_blank("override.reason", &reason)?;
    validate::source_lines("override.reason", &reason)?;
    fields.finish()?;
    Ok(Override { rules: waived, reason })
}

fn ledger_line(name: &str, mut fields: Fields, head: Head) -> Result<LedgerLine, LineError> {
    let event = ledger_event(name, &mut fields)?;
    let id = head.id.ok_or_else(|| fields.error("id", Reason::Missing))?;
    fields.finish()?;
    if head.overriding.is_some() {
        return Err(LineError::at("override", Reason::Unknown));
    }
    Ok(LedgerLine { event, id, occurred_on: head.occurred_on, envelope: head.envelope, recorded_at: head.recorded_at })
}

fn ledger_event(name: &str, fields: &mut Fields) -> Result<LedgerEvent, LineError> {
    Ok(match name {
        "subject_erased" => LedgerEvent::SubjectErased { handle: fields.hex("handle")?, basis: ledger_text(fields, "basis")? },
        "value_disclosed" => LedgerEvent::ValueDisclosed {
            record: fields.maybe_id("record")?.ok_or_else(|| fields.error("record", Reason::Missing))?,
            field: field_number(fields, "field")?,
            reader: ledger_text(fields, "reader")?,
            purpose: ledger_text(fields, "purpose")?,
        },
        "key_rotated" => LedgerEvent::KeyRotated {
            old: if fields.has("old") { Some(ledger_text(fields, "old")?) } else { None },
            new: ledger_text(fields, "new")?,
        },
        "time_anchored" => {
            let what = fields.text("what")?;
            if what != LedgerEvent::ANCHOR_CHECKPOINT && what != LedgerEvent::ANCHOR_VALUE {
                return Err(fields.error("what", Reason::Invalid(Fault::Code)));
            }
            LedgerEvent::TimeAnchored { what, text: ledger_text(fields, "text")?, source: ledger_text(fields, "source")? }
        }
        "statement_issued" => LedgerEvent::StatementIssued { digest: fields.hex("digest")?, text: ledger_text(fields, "text")? },
        other => return Err(fields.error("type", Reason::Type { given: other.to_owned() })),
    })
}

/// A text of a record of the ledger itself.
fn ledger_text(fields: &mut Fields, key: &str) -> Result<String, LineError> {
    let text = fields.text(key)?;
    not_blank(key, &text)?;
    validate::ledger_lines(key, &text)?;
    Ok(text)
}

/// The number of a personal field.
fn field_number(fields: &mut Fields, key: &str) -> Result<u16, LineError> {
    let number = fields.integer(key)?;
    u16::try_from(number).map_err(|_| fields.error(key, Reason::Overflow))
}
