//! From a line to a record as the ledger would keep it, and back, with a vault in memory.

use sovang_core::ids::Commitment;
use sovang_core::personal::{Given, Opened};
use sovang_core::record::{Frame, Prepared};
use sovang_core::{Entry, Envelope, Import, Position, Recorded, Result, calendar};
use sovang_recognition::Recognition;
use sovang_recognition::interchange::{Json, Line, Mode, Show, line, parse_line};
use std::collections::BTreeMap;

pub(crate) const RECORDED_AT: i64 = 1_732_000_000_123_456;

/// What personal values there are, by commitment.
pub(crate) type Vault = BTreeMap<Commitment, Opened>;

/// A record with its personal values.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) frame: Frame,
    pub(crate) vault: Vault,
}

impl Kept {
    /// As the importer would record it: a position's worth of salts are drawn where none is given.
    pub(crate) fn of(import: &Import<Recognition>, salted: bool) -> Self {
        let Import { entry, envelope, recorded_at, given } = import;
        let given: &[(u16, Given)] = if salted { given } else { &[] };
        let mut drawn = 0;
        let mut salt = || {
            drawn += 1;
            Ok([drawn; 32])
        };
        let id = entry.id().expect("an id");
        let on = entry.occurred_on().map(calendar::days_of);
        let waiver = entry.waiver().cloned();
        let prepared = Prepared::new(entry.event(), id, on, envelope.clone(), waiver, given, &mut salt);
        let mut prepared = prepared.expect("a record");
        prepared.stamp(recorded_at.map_or(RECORDED_AT, calendar::micros_of), 0);
        let opened = |row: &sovang_core::record::PersonalRow| match &row.value {
            Some(v) => Opened::Known { subject: v.subject.clone(), salt: v.salt, value: v.value.clone() },
            None => Opened::Sealed,
        };
        let vault = prepared.personal().iter().map(|row| (row.commitment, opened(row))).collect();
        Self { frame: Frame::parse(prepared.bytes().to_vec().into()).expect("a frame"), vault }
    }
    pub(crate) fn of_entry(entry: Entry<Recognition>, envelope: Envelope) -> Self {
        Self::of(&Import { entry, envelope, recorded_at: None, given: Vec::new() }, false)
    }
    pub(crate) fn open(&self, commitment: &Commitment) -> Result<Opened> {
        Ok(self.vault.get(commitment).cloned().unwrap_or(Opened::Sealed))
    }
    pub(crate) fn read(&self) -> Recorded<Recognition> {
        Recorded::decode(Position(0), self.frame.clone(), Some(&|c| self.open(c))).expect("an event")
    }
    pub(crate) fn export(&self, with_personal: bool) -> Json {
        let open = |c: &Commitment| self.open(c);
        let show = if with_personal { Show::ValuesAndSalts(&open) } else { Show::Commitments };
        line(&self.read(), show).expect("a line")
    }
}

pub(crate) fn import(text: &str, mode: Mode) -> Import<Recognition> {
    match parse_line(text.as_bytes(), mode) {
        Ok(Line::Event { mut import, form }) => {
            if let Some(form) = form {
                import.entry = import.entry.with_id(form.id(0));
            }
            import
        }
        other => panic!("{text}: {other:?}"),
    }
}
