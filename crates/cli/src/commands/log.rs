//! `sovang log`

use crate::args::LogArgs;
use crate::failure::Failure;
use crate::output::{self, Stdout};
use sovang::recognition::Recognition;
use sovang::recognition::interchange::{self, Json, Show};
use sovang::{Event, Historic, Ledger, LedgerEvent, Query, Reader, RecordId, Recorded, Size};
use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use unicode_normalization::UnicodeNormalization as _;

pub(crate) fn run(args: &LogArgs) -> Result<(), Failure> {
    check_type(args.kind.as_deref())?;
    let reader = Ledger::<Recognition>::open_read_only(&args.dir)?;
    let mut out = output::stdout();
    let mut shown = 0;
    let mut wanted = Wanted::new(args);
    for record in records(&reader, args)? {
        if args.limit.is_some_and(|limit| shown >= limit) {
            break;
        }
        let record = record?;
        if wanted.takes(&record) && position(&record) >= args.from {
            show(&mut out, &record, args)?;
            shown += 1;
        }
    }
    out.flush()?;
    if shown == 0 && !args.json {
        output::tell("no record is like that");
    }
    Ok(())
}

type Records = Box<dyn Iterator<Item = sovang::Result<Historic<Recognition>>>>;

/// By model the index finds the records; otherwise everything is looked at.
fn records(reader: &Reader<Recognition>, args: &LogArgs) -> Result<Records, Failure> {
    Ok(match &args.model {
        Some(model) => Box::new(reader.read(Query::tag("model", model)).into_iter().map(|record| record.map(Historic::Event))),
        // Of a unit's records some name only a model that was registered before.
        None if args.unit.is_some() => Box::new(reader.history(Size::ZERO)?),
        None => Box::new(reader.history(Size(args.from))?),
    })
}

fn position(record: &Historic<Recognition>) -> u64 {
    match record {
        Historic::Event(record) => record.position.0,
        Historic::Ledger(record) => record.position.0,
    }
}

fn check_type(kind: Option<&str>) -> Result<(), Failure> {
    let known = || Recognition::KINDS.iter().chain(LedgerEvent::KINDS).map(|k| k.name());
    match kind {
        Some(kind) if !known().any(|name| name == kind) => {
            let names: Vec<_> = known().collect();
            Err(Failure::input(format!("there is no type {kind:?}\nhint: there are {}", names.join(", "))))
        }
        _ => Ok(()),
    }
}

/// Which records are asked for.
struct Wanted<'a> {
    kind: Option<&'a str>,
    unit: Option<&'a str>,
    /// Where each model was registered, as far as was read.
    unit_of: HashMap<String, String>,
    /// Records about the unit, so that their amendments are too.
    about_unit: HashSet<RecordId>,
}

impl<'a> Wanted<'a> {
    fn new(args: &'a LogArgs) -> Self {
        Self { kind: args.kind.as_deref(), unit: args.unit.as_deref(), unit_of: HashMap::new(), about_unit: HashSet::new() }
    }
    fn takes(&mut self, record: &Historic<Recognition>) -> bool {
        let of_unit = self.of_unit(record);
        let name = match record {
            Historic::Event(record) => record.event.type_name(),
            Historic::Ledger(record) => record.event.kind().name(),
        };
        of_unit && self.kind.is_none_or(|kind| kind == name)
    }
    fn of_unit(&mut self, record: &Historic<Recognition>) -> bool {
        let Some(unit) = self.unit else { return true };
        let Historic::Event(record) = record else { return false };
        let mut events = vec![&record.event];
        if let Recognition::RecordCorrected(correction) = &record.event {
            events.push(&correction.replacement);
        }
        let mut found = record.amends().is_some_and(|target| self.about_unit.contains(&target));
        for event in events {
            if let Recognition::ModelRegistered(registration) = event {
                self.unit_of.insert(nfc(&registration.model), nfc(&registration.unit));
            }
            found |= units(event).any(|named| nfc(named) == nfc(unit))
                || event.model().is_some_and(|model| self.unit_of.get(&nfc(model)).is_some_and(|of| *of == nfc(unit)));
        }
        if found {
            self.about_unit.insert(record.id);
        }
        found
    }
}

/// The units that an event names itself.
fn units(event: &Recognition) -> impl Iterator<Item = &str> {
    let of_recipient = match event {
        Recognition::CommendationProposed(proposal) => proposal.recipient.unit(),
        Recognition::CommendationAwarded(award) => award.recipient.unit(),
        _ => None,
    };
    let succession = match event {
        Recognition::UnitSucceeded(succession) => [Some(succession.from.as_str()), Some(succession.to.as_str())],
        _ => [None, None],
    };
    event.unit().into_iter().chain(of_recipient).chain(succession.into_iter().flatten())
}

/// Ids compare in NFC.
fn nfc(id: &str) -> String {
    id.nfc().collect()
}

fn show(out: &mut Stdout, record: &Historic<Recognition>, args: &LogArgs) -> Result<(), Failure> {
    let values = if args.with_personal { Show::Values } else { Show::Commitments };
    match record {
        Historic::Event(record) => write(out, record, interchange::event(record, values)?, args.json),
        Historic::Ledger(record) => write(out, record, interchange::ledger_event(&record.event)?, args.json),
    }
}

fn write<E: Event>(out: &mut Stdout, record: &Recorded<E>, event: Json, as_json: bool) -> Result<(), Failure> {
    let recorded_at = interchange::instant(record.recorded_at)?;
    let occurred_on = interchange::day(record.occurred_on);
    if as_json {
        let object = Json::Object(vec![
            ("position".into(), Json::Integer(i64::try_from(record.position.0).unwrap_or(i64::MAX))),
            ("id".into(), Json::from(record.id.to_string())),
            ("record_hash".into(), Json::from(record.hash().to_string())),
            ("recorded_at".into(), Json::from(recorded_at)),
            ("occurred_on".into(), Json::from(occurred_on)),
            ("actor".into(), Json::from(record.actor.as_str())),
            ("event".into(), event),
        ]);
        writeln!(out, "{object}")?;
    } else {
        let Json::Object(members) = event else { return Ok(()) };
        let kind = members.iter().find(|(key, _)| key == "type").and_then(|(_, kind)| kind.as_text()).unwrap_or_default();
        writeln!(out, "{}  {kind}  {occurred_on}  by {}", record.position.0, record.actor)?;
        line(out, "id", &record.id.to_string())?;
        line(out, "hash", &record.hash().to_string())?;
        line(out, "recorded", &recorded_at)?;
        for (key, value) in members.iter().filter(|(key, _)| key != "type") {
            field(out, key, value)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// A field of the event, and what is within it under its path, as messages about an import name them too.
fn field(out: &mut Stdout, path: &str, value: &Json) -> Result<(), Failure> {
    match value {
        Json::Object(members) => members.iter().try_for_each(|(key, value)| field(out, &format!("{path}.{key}"), value)),
        // Of a text with several lines each stands under the first.
        Json::Text(text) => line(out, path, &text.replace('\n', &format!("\n{:24}", ""))),
        other => line(out, path, &other.to_string()),
    }
}

fn line(out: &mut Stdout, key: &str, value: &str) -> Result<(), Failure> {
    Ok(writeln!(out, "    {key:<18}  {value}")?)
}
