//! Personal fields of a line: values, or, in a migration, values with salts and bare commitments.

use super::fault::{LineError, Reason};
use super::fields::Fields;
use super::json::Json;
use super::read::Mode;
use crate::event::{Address, Fault};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sovang_core::ids::Commitment;
use sovang_core::personal::Given;
use sovang_core::{Personal, SubjectId};
use std::collections::BTreeMap;

/// What a line says of its personal fields besides their values.
pub(super) struct Persons {
    mode: Mode,
    /// Salts by path, as far as they were not used yet.
    salts: BTreeMap<String, [u8; 32]>,
    /// What becomes of the fields, by number.
    given: Vec<(u16, Given)>,
}

impl Persons {
    /// Of a line's `private`, which only a migration looks at.
    pub(super) fn of(private: Option<Json>, mode: Mode) -> Result<Self, LineError> {
        let mut salts = BTreeMap::new();
        match private {
            Some(Json::Object(members)) if mode == Mode::Migrate => {
                for (path, salt) in members {
                    let bytes =
                        salt.as_text().and_then(|text| STANDARD.decode(text).ok()).and_then(|bytes| bytes.try_into().ok());
                    let bytes = bytes.ok_or_else(|| LineError::at(format!("private.{path}"), Reason::Salt))?;
                    salts.insert(path, bytes);
                }
            }
            Some(other) if mode == Mode::Migrate => {
                return Err(LineError::at("private", Reason::Expected { what: "an object", found: other.what() }));
            }
            _ => {}
        }
        Ok(Self { mode, salts, given: Vec::new() })
    }
    /// Salts and commitments by field number; every salt was of a value.
    pub(super) fn finish(self) -> Result<Vec<(u16, Given)>, LineError> {
        match self.salts.into_keys().next() {
            Some(path) => Err(LineError::at(format!("private.{path}"), Reason::SaltOfNothing)),
            None => Ok(self.given),
        }
    }

    /// `{"id","name"}`, or a commitment.
    pub(super) fn person(&mut self, from: &mut Fields, key: &str, field: u16) -> Result<Personal<String>, LineError> {
        let Some(mut person) = from.maybe_object(key)? else {
            return Ok(Personal::None);
        };
        if person.has("commitment") {
            return self.committed(from, key, person, field);
        }
        let id = person.text("id")?;
        let subject = SubjectId::new(&id).map_err(|_| person.error("id", Reason::Invalid(Fault::Name)))?;
        let value = person.text("name")?;
        person.finish()?;
        self.shown(from.path(key), field);
        Ok(Personal::Known { subject, value })
    }
    /// A text, which is the subject's if the model has one, or a commitment.
    pub(super) fn address(
        &mut self,
        from: &mut Fields,
        key: &str,
        field: u16,
        subject: &Personal<String>,
    ) -> Result<Option<Address>, LineError> {
        match (from.take(key), subject) {
            (None, _) => Ok(None),
            (Some(Json::Text(address)), Personal::None) => Ok(Some(Address::Public(address))),
            (Some(Json::Text(value)), Personal::Known { subject, .. }) => {
                self.shown(from.path(key), field);
                Ok(Some(Address::Personal(Personal::Known { subject: subject.clone(), value })))
            }
            (Some(Json::Text(_)), Personal::Sealed | Personal::Erased) => Err(from.error(key, Reason::AddressOfSealed)),
            (Some(Json::Object(members)), Personal::Known { .. } | Personal::Sealed | Personal::Erased) => {
                let committed = from.nested(key, members);
                Ok(Some(Address::Personal(self.committed(from, key, committed, field)?)))
            }
            (Some(other), _) => Err(from.expected(key, "text", &other)),
        }
    }
    fn committed(&mut self, from: &Fields, key: &str, mut committed: Fields, field: u16) -> Result<Personal<String>, LineError> {
        if self.mode != Mode::Migrate {
            return Err(from.error(key, Reason::OnlyMigrated { what: "a commitment" }));
        }
        let commitment = Commitment(committed.hex("commitment")?);
        let erased = match committed.take("erased") {
            None => false,
            Some(Json::Bool(erased)) => erased,
            Some(other) => return Err(committed.expected("erased", "true", &other)),
        };
        committed.finish()?;
        self.given.push((field, Given::Commitment(commitment)));
        Ok(if erased { Personal::Erased } else { Personal::Sealed })
    }
    fn shown(&mut self, path: String, field: u16) {
        if let Some(salt) = self.salts.remove(&path) {
            self.given.push((field, Given::Salt(salt)));
        }
    }
}
