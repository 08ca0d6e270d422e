//! Taking the members of an object one by one; what is left is unknown.

use super::fault::{LineError, Reason};
use super::json::Json;
use crate::codes::UnknownCode;
use crate::event::{Fault, YEAR_MAX};
use sovang_core::{Date, RecordId};
use std::str::FromStr;

/// An object's members that were not taken yet.
pub(super) struct Fields {
    /// Where the object stands: empty, or the path of the object.
    path: String,
    members: Vec<(String, Json)>,
}

impl Fields {
    pub(super) fn of_line(line: Json) -> Result<Self, LineError> {
        match line {
            Json::Object(members) => Ok(Self { path: String::new(), members }),
            other => Err(LineError::whole(Reason::Expected { what: "one JSON object", found: other.what() })),
        }
    }
    pub(super) fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
    pub(super) fn error(&self, key: &str, reason: Reason) -> LineError {
        LineError::at(self.path(key), reason)
    }
    pub(super) fn expected(&self, key: &str, what: &'static str, found: &Json) -> LineError {
        self.error(key, Reason::Expected { what, found: found.what() })
    }
    pub(super) fn has(&self, key: &str) -> bool {
        self.members.iter().any(|(k, _)| k == key)
    }
    pub(super) fn take(&mut self, key: &str) -> Option<Json> {
        let index = self.members.iter().position(|(k, _)| k == key)?;
        Some(self.members.swap_remove(index).1)
    }
    /// That nothing is left.
    pub(super) fn finish(self) -> Result<(), LineError> {
        // The first in alphabetical order, whatever was taken before.
        match self.members.iter().map(|(key, _)| key).min() {
            Some(key) => Err(self.error(key, Reason::Unknown)),
            None => Ok(()),
        }
    }

    /// The object of this key, whose members were taken already.
    pub(super) fn nested(&self, key: &str, members: Vec<(String, Json)>) -> Self {
        Self { path: self.path(key), members }
    }
    pub(super) fn maybe_text(&mut self, key: &str) -> Result<Option<String>, LineError> {
        match self.take(key) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(other) => Err(self.expected(key, "text", &other)),
        }
    }
    pub(super) fn maybe_integer(&mut self, key: &str) -> Result<Option<i64>, LineError> {
        match self.take(key) {
            None => Ok(None),
            Some(Json::Integer(number)) => Ok(Some(number)),
            Some(other) => Err(self.expected(key, "a whole number", &other)),
        }
    }
    pub(super) fn maybe_object(&mut self, key: &str) -> Result<Option<Self>, LineError> {
        match self.take(key) {
            None => Ok(None),
            Some(Json::Object(members)) => Ok(Some(self.nested(key, members))),
            Some(other) => Err(self.expected(key, "an object", &other)),
        }
    }
    pub(super) fn maybe_date(&mut self, key: &str) -> Result<Option<Date>, LineError> {
        let Some(text) = self.maybe_text(key)? else {
            return Ok(None);
        };
        day(&text).map(Some).ok_or_else(|| self.error(key, Reason::Date))
    }
    pub(super) fn maybe_id(&mut self, key: &str) -> Result<Option<RecordId>, LineError> {
        let Some(text) = self.maybe_text(key)? else {
            return Ok(None);
        };
        // Of the forms a UUID has, only the one with hyphens is as long.
        let id = if text.len() == 36 { text.parse().ok() } else { None };
        id.map(Some).ok_or_else(|| self.error(key, Reason::Uuid))
    }
    pub(super) fn maybe_code<C: FromStr<Err = UnknownCode>>(&mut self, key: &str) -> Result<Option<C>, LineError> {
        let Some(text) = self.maybe_text(key)? else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|unknown| self.error(key, Reason::Code(unknown)))
    }

    fn required<T>(&self, key: &str, value: Option<T>) -> Result<T, LineError> {
        value.ok_or_else(|| self.error(key, Reason::Missing))
    }
    pub(super) fn text(&mut self, key: &str) -> Result<String, LineError> {
        let value = self.maybe_text(key)?;
        self.required(key, value)
    }
    pub(super) fn integer(&mut self, key: &str) -> Result<i64, LineError> {
        let value = self.maybe_integer(key)?;
        self.required(key, value)
    }
    pub(super) fn object(&mut self, key: &str) -> Result<Self, LineError> {
        let value = self.maybe_object(key)?;
        self.required(key, value)
    }
    pub(super) fn date(&mut self, key: &str) -> Result<Date, LineError> {
        let value = self.maybe_date(key)?;
        self.required(key, value)
    }
    pub(super) fn id(&mut self, key: &str) -> Result<RecordId, LineError> {
        let value = self.maybe_id(key)?;
        self.required(key, value)
    }
    pub(super) fn code<C: FromStr<Err = UnknownCode>>(&mut self, key: &str) -> Result<C, LineError> {
        let value = self.maybe_code(key)?;
        self.required(key, value)
    }
    pub(super) fn year(&mut self, key: &str) -> Result<u16, LineError> {
        let year = self.integer(key)?;
        u16::try_from(year)
            .ok()
            .filter(|year| (1..=YEAR_MAX).contains(year))
            .ok_or_else(|| self.error(key, Reason::Invalid(Fault::Year)))
    }
    /// So many bytes in lower-case hex.
    pub(super) fn hex<const N: usize>(&mut self, key: &str) -> Result<[u8; N], LineError> {
        let bytes = self.maybe_hex(key)?;
        self.required(key, bytes)
    }
    pub(super) fn maybe_hex<const N: usize>(&mut self, key: &str) -> Result<Option<[u8; N]>, LineError> {
        let Some(text) = self.maybe_text(key)? else {
            return Ok(None);
        };
        let mut bytes = [0; N];
        let lower = !text.bytes().any(|b| b.is_ascii_uppercase());
        if lower && hex::decode_to_slice(&text, &mut bytes).is_ok() {
            Ok(Some(bytes))
        } else {
            Err(self.error(key, Reason::Hex { digits: 2 * N }))
        }
    }
}

/// A day written YYYY-MM-DD, of the years 1 to 9999.
fn day(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| -> Option<u16> {
        let part = bytes.get(range)?;
        if part.iter().all(u8::is_ascii_digit) { std::str::from_utf8(part).ok()?.parse().ok() } else { None }
    };
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let year = digits(0..4).filter(|year| *year > 0)?;
    let month = u8::try_from(digits(5..7)?).ok()?;
    let day = u8::try_from(digits(8..10)?).ok()?;
    Date::from_calendar_date(year.into(), time::Month::try_from(month).ok()?, day).ok()
}
