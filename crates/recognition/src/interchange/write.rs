//! A record as a line, or as an event within other JSON.

use super::area::square_metres;
use super::json::Json;
use crate::event::stored::{ADDRESS_FIELD, PERSON_FIELD};
use crate::event::{Address, Contribution, Decision, Recipient, Recognition};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sovang_core::event::LedgerEvent;
use sovang_core::ids::Commitment;
use sovang_core::personal::{Opened, Opener};
use sovang_core::{Date, Error, ErrorKind, Event, Override, Personal, Recorded, Result, SubjectId, UtcDateTime};
use time::format_description::well_known::Rfc3339;

/// How personal fields are written.
#[derive(Clone, Copy)]
pub enum Show<'a> {
    /// As their commitments.
    Commitments,
    /// As their values, where they are known.
    Values,
    /// As their values, with the salts in `private`; the vault is asked for them.
    ValuesAndSalts(Opener<'a>),
}
impl std::fmt::Debug for Show<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Commitments => "Commitments",
            Self::Values => "Values",
            Self::ValuesAndSalts(_) => "ValuesAndSalts",
        })
    }
}

/// A record as a line of an export: `type`, `occurred_on` and `actor`, the event's own keys, then `id`, `record_source`,
/// `correlation`, `causation`, `override`, `recorded_at` and `private`, where there are such. Read back by a migration it gives the same
/// record, byte for byte.
///
/// # Errors
/// When the vault fails, or a time lies outside of what RFC 3339 can write.
pub fn line(record: &Recorded<Recognition>, show: Show<'_>) -> Result<Json> {
    let mut persons = Persons::of(record.commitments(), show);
    let mut object = Object::new();
    object.put("type", record.event.type_name());
    object.put("occurred_on", day(record.occurred_on));
    object.put("actor", record.actor.as_str());
    keys(&record.event, "", &mut object, &mut persons)?;
    envelope(record, &mut object)?;
    if !persons.private.0.is_empty() {
        object.put("private", persons.private);
    }
    Ok(object.into())
}

/// A record's event as it stands in `log --json`: `type` and the event's own keys. Personal values need no salts here.
///
/// # Errors
/// When the vault fails.
pub fn event(record: &Recorded<Recognition>, show: Show<'_>) -> Result<Json> {
    let mut persons = Persons::of(record.commitments(), show);
    let mut object = Object::new();
    object.put("type", record.event.type_name());
    keys(&record.event, "", &mut object, &mut persons)?;
    Ok(object.into())
}

/// A record of the ledger itself as a line of an export.
///
/// # Errors
/// For a kind of record that this version cannot write, or a time outside of what RFC 3339 can.
pub fn ledger_line(record: &Recorded<LedgerEvent>) -> Result<Json> {
    let mut object = Object::new();
    object.put("type", record.event.kind().name());
    object.put("occurred_on", day(record.occurred_on));
    object.put("actor", record.actor.as_str());
    ledger_keys(&record.event, &mut object)?;
    envelope(record, &mut object)?;
    Ok(object.into())
}

/// An event of the ledger itself as it stands in `log --json`.
///
/// # Errors
/// For a kind of record that this version cannot write.
pub fn ledger_event(event: &LedgerEvent) -> Result<Json> {
    let mut object = Object::new();
    object.put("type", event.kind().name());
    ledger_keys(event, &mut object)?;
    Ok(object.into())
}

/// A day as YYYY-MM-DD.
#[must_use]
pub fn day(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

/// An instant as RFC 3339 writes it, in UTC.
///
/// # Errors
/// When its year is not 0 to 9999.
pub fn instant(at: UtcDateTime) -> Result<String> {
    at.format(&Rfc3339).map_err(|_| Error::new(ErrorKind::InvalidInput, format!("RFC 3339 cannot write the year {}", at.year())))
}

/// An object's members, in order.
#[derive(Default)]
struct Object(Vec<(String, Json)>);
impl Object {
    fn new() -> Self {
        Self::default()
    }
    fn put(&mut self, key: &str, value: impl Into<Json>) {
        self.0.push((key.to_owned(), value.into()));
    }
    fn maybe(&mut self, key: &str, value: Option<impl Into<Json>>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }
}
impl From<Object> for Json {
    fn from(object: Object) -> Self {
        Self::Object(object.0)
    }
}
impl From<&Decision> for Json {
    fn from(decision: &Decision) -> Self {
        let mut object = Object::new();
        object.put("issuer", decision.issuer.as_str());
        object.put("number", decision.number.as_str());
        object.put("date", day(decision.date));
        object.into()
    }
}
impl From<&Contribution> for Json {
    fn from(contribution: &Contribution) -> Self {
        let mut object = Object::new();
        match contribution {
            Contribution::Cash { vnd } => {
                object.put("kind", "cash");
                object.put("vnd", *vnd);
            }
            Contribution::Labour { days } => {
                object.put("kind", "labour");
                object.put("days", *days);
            }
            Contribution::Land { square_decimetres, land } => {
                object.put("kind", "land");
                object.put("square_metres", square_metres(*square_decimetres));
                object.put("land", land.code());
            }
            Contribution::InKind { vnd, description } => {
                object.put("kind", "in_kind");
                object.put("vnd", *vnd);
                object.maybe("description", description.as_deref());
            }
        }
        object.into()
    }
}

fn envelope<E: Event>(record: &Recorded<E>, object: &mut Object) -> Result<()> {
    object.put("id", record.id.to_string());
    object.maybe("record_source", record.source.as_deref());
    object.maybe("correlation", record.correlation.as_deref());
    object.maybe("causation", record.causation.map(|id| id.to_string()));
    if let Some(Override { rules, reason }) = &record.overriding {
        let mut waiver = Object::new();
        waiver.put("rules", Json::List(rules.iter().map(|rule| Json::from(*rule)).collect()));
        waiver.put("reason", reason.as_str());
        object.put("override", waiver);
    }
    object.put("recorded_at", instant(record.recorded_at)?);
    Ok(())
}

fn ledger_keys(event: &LedgerEvent, object: &mut Object) -> Result<()> {
    match event {
        LedgerEvent::SubjectErased { handle, basis } => {
            object.put("handle", hex::encode(handle));
            object.put("basis", basis.as_str());
        }
        LedgerEvent::ValueDisclosed { record, field, reader, purpose } => {
            object.put("record", record.to_string());
            object.put("field", *field);
            object.put("reader", reader.as_str());
            object.put("purpose", purpose.as_str());
        }
        LedgerEvent::KeyRotated { old, new } => {
            object.maybe("old", old.as_deref());
            object.put("new", new.as_str());
        }
        LedgerEvent::TimeAnchored { what, text, source } => {
            object.put("what", what.as_str());
            object.put("text", text.as_str());
            object.put("source", source.as_str());
        }
        LedgerEvent::StatementIssued { digest, text } => {
            object.put("digest", hex::encode(digest));
            object.put("text", text.as_str());
        }
        other => {
            let what = format!("{} is not known to this version's interchange", other.kind().name());
            return Err(Error::new(ErrorKind::Codec, what).advise("use a newer version of this program"));
        }
    }
    Ok(())
}

/// A record's personal fields.
struct Persons<'a> {
    commitments: Vec<(u16, Commitment)>,
    show: Show<'a>,
    /// The salts of the values shown.
    private: Object,
}

impl<'a> Persons<'a> {
    fn of(commitments: Vec<(u16, Commitment)>, show: Show<'a>) -> Self {
        Self { commitments, show, private: Object::new() }
    }
    /// The field as it is to be shown; none when it was not given.
    fn show(
        &mut self,
        field: u16,
        path: String,
        personal: &Personal<String>,
        shown: impl FnOnce(&SubjectId, &str) -> Json,
    ) -> Result<Option<Json>> {
        let commitment = self.commitments.iter().find(|(f, _)| *f == field).map(|(_, commitment)| *commitment);
        let mut erased = matches!(personal, Personal::Erased);
        match (personal, self.show) {
            (Personal::None, _) => return Ok(None),
            (Personal::Known { subject, value }, Show::Values) => {
                return Ok(Some(shown(subject, value)));
            }
            (Personal::Known { subject, value }, Show::ValuesAndSalts(open)) => {
                // Asked anew: the person may have been erased since the record was read.
                match commitment.as_ref().map(open).transpose()? {
                    Some(Opened::Known { salt, .. }) => {
                        self.private.put(&path, STANDARD.encode(salt));
                        return Ok(Some(shown(subject, value)));
                    }
                    Some(Opened::Erased) => erased = true,
                    Some(Opened::Sealed) | None => {}
                }
            }
            _ => {}
        }
        let mut object = Object::new();
        object.maybe("commitment", commitment.map(|c| c.to_string()));
        object.maybe("erased", erased.then_some(Json::Bool(true)));
        Ok(Some(object.into()))
    }
    fn person(&mut self, path: String, person: &Personal<String>) -> Result<Option<Json>> {
        self.show(PERSON_FIELD, path, person, |subject, name| {
            let mut object = Object::new();
            object.put("id", subject.as_str());
            object.put("name", name);
            object.into()
        })
    }
    fn address(&mut self, path: String, address: &Address) -> Result<Option<Json>> {
        match address {
            Address::Public(address) => Ok(Some(address.as_str().into())),
            Address::Personal(address) => self.show(ADDRESS_FIELD, path, address, |_, address| address.into()),
        }
    }
    fn recipient(&mut self, path: String, recipient: &Recipient) -> Result<Json> {
        let mut object = Object::new();
        object.put("kind", recipient.kind().code());
        object.maybe("name", recipient.name());
        object.maybe("subject", self.person(format!("{path}.subject"), recipient.subject())?);
        object.maybe("unit", recipient.unit());
        Ok(object.into())
    }
}

/// The event's own keys, in the order of the interchange's examples. `within` is the path of the object they go into.
fn keys(event: &Recognition, within: &str, to: &mut Object, persons: &mut Persons<'_>) -> Result<()> {
    match event {
        Recognition::UnitDefined(e) => {
            to.put("unit", e.unit.as_str());
            to.put("name", e.name.as_str());
            to.put("kind", e.kind.code());
            to.maybe("parent", e.parent.as_deref());
            to.put("valid_from", day(e.valid_from));
            to.maybe("valid_to", e.valid_to.map(day));
        }
        Recognition::UnitSucceeded(e) => {
            to.put("from", e.from.as_str());
            to.put("to", e.to.as_str());
            to.put("effective_on", day(e.effective_on));
            to.put("act", e.act.as_str());
            to.put("extent", e.extent.code());
            to.maybe("note", e.note.as_deref());
        }
        Recognition::ModelRegistered(e) => {
            to.put("model", e.model.as_str());
            to.put("title", e.title.as_str());
            to.put("subject_kind", e.subject_kind.code());
            to.maybe("subject", persons.person(format!("{within}subject"), &e.subject)?);
            to.put("unit", e.unit.as_str());
            to.put("field", e.field.code());
            to.put("year", e.year);
            to.maybe("target", e.target.as_deref());
            if let Some(address) = &e.address {
                to.maybe("address", persons.address(format!("{within}address"), address)?);
            }
        }
        Recognition::ModelContinued(e) => {
            to.put("model", e.model.as_str());
            to.put("year", e.year);
        }
        Recognition::ModelReplicated(e) => {
            to.put("model", e.model.as_str());
            to.put("replica", e.replica.as_str());
        }
        Recognition::ModelWithdrawn(e) => {
            to.put("model", e.model.as_str());
            to.put("reason", e.reason.as_str());
        }
        Recognition::ModelRecognised(e) => {
            to.put("model", e.model.as_str());
            to.put("level", e.level.code());
            to.maybe("tier", e.tier.as_deref());
            to.put("decision", &e.decision);
            to.maybe("period", e.period.as_deref());
        }
        Recognition::ModelFunded(e) => {
            to.put("model", e.model.as_str());
            to.put("contribution", &e.contribution);
            to.put("source", e.source.code());
            to.maybe("qualifier", e.qualifier.map(crate::Qualifier::code));
            to.maybe("donor", persons.person(format!("{within}donor"), &e.donor)?);
        }
        Recognition::PlaqueMounted(e) => {
            to.put("plaque", e.plaque.as_str());
            to.put("model", e.model.as_str());
            to.put("level", e.level.code());
            to.put("place", e.place.as_str());
            to.maybe("occasion", e.occasion.as_deref());
            to.maybe("decision", e.decision.as_ref());
            to.maybe("inscription", e.inscription.as_deref());
        }
        Recognition::PlaqueRemoved(e) => {
            to.put("plaque", e.plaque.as_str());
            to.put("reason", e.reason.code());
        }
        Recognition::CommendationProposed(e) => {
            to.put("commendation", e.commendation.as_str());
            to.put("recipient", persons.recipient(format!("{within}recipient"), &e.recipient)?);
            to.put("form", e.form.code());
            to.put("level", e.level.code());
            to.maybe("achievement", e.achievement.as_deref());
        }
        Recognition::CommendationAwarded(e) => {
            to.put("commendation", e.commendation.as_str());
            to.put("recipient", persons.recipient(format!("{within}recipient"), &e.recipient)?);
            to.put("form", e.form.code());
            to.put("level", e.level.code());
            to.put("decision", &e.decision);
            to.maybe("bonus_vnd", e.bonus_vnd);
            to.maybe("achievement", e.achievement.as_deref());
        }
        Recognition::DecisionAnnulled(e) => {
            to.put("decision", &e.decision);
            to.put("ground", e.ground.code());
            to.put("by", &e.by);
            to.maybe("artefact", e.artefact.as_deref());
            to.maybe("bonus_recovered_vnd", e.bonus_recovered_vnd);
        }
        Recognition::RecordCorrected(e) => {
            let mut replacement = Object::new();
            replacement.put("type", e.replacement.type_name());
            replacement.put("occurred_on", day(e.replacement_on));
            keys(&e.replacement, &format!("{within}replacement."), &mut replacement, persons)?;
            to.put("target", e.target.to_string());
            to.put("replacement", replacement);
            to.put("reason", e.reason.as_str());
            to.maybe("authority", e.authority.as_deref());
        }
        Recognition::RecordRetracted(e) => {
            to.put("target", e.target.to_string());
            to.put("reason", e.reason.as_str());
            to.maybe("authority", e.authority.as_deref());
        }
        Recognition::FigurePublished(e) => {
            to.put("measure", e.measure.as_str());
            to.put("unit", e.unit.as_str());
            to.put("period", e.period.as_str());
            to.put("value", e.value);
            to.put("qualifier", e.qualifier.code());
            to.put("source", e.source.as_str());
            to.maybe("statement", e.statement.map(hex::encode));
        }
    }
    Ok(())
}
