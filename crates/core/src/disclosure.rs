//! One personal value shown to one reader: the file that carries it, and whether it is what a record commits to
//! (docs/FORMAT.md §11.9).

use crate::codec::{self, CodecError};
use crate::hash;
use crate::ids::{Commitment, Position, RecordId};
use crate::limits;
use crate::record::Frame;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::{self, Write as _};

/// Bytes of a disclosure's file at most: its texts may take six bytes for one.
pub const DISCLOSURE_BYTES_MAX: usize = 2 << 20;

/// Whether `value` (encoded as docs/FORMAT.md §5 says) under `salt` is what the record's personal field commits to; gives the commitment.
/// The frame is that of a receipt (§11.3): that the record is in the log is for the receipt to prove.
///
/// ```
/// # use sovang_core::{codec, disclosure, record::Frame};
/// # fn check(frame: &Frame, salt: [u8; 32]) -> Result<(), sovang_core::CodecError> {
/// disclosure::verify(frame, 1, &salt, &codec::encode("Nguyễn Văn A")?)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `Personal` when the record has no such field, `PersonalMismatch` when value or salt is another.
pub fn verify(frame: &Frame, field: u16, salt: &[u8; 32], value: &[u8]) -> Result<Commitment, CodecError> {
    let committed = frame.commitments().into_iter().find(|(number, _)| *number == field).map(|(_, commitment)| commitment);
    let committed = committed.ok_or(CodecError::Personal { field, what: "the record has none of that number" })?;
    if hash::commitment(salt, field, value) == committed { Ok(committed) } else { Err(CodecError::PersonalMismatch { field }) }
}

/// One personal value with all that shows whose commitment it meets. `Display` writes the file, [`Self::parse`] reads it.
///
/// It proves nothing by itself: [`Self::verify`] holds it against the record of a receipt.
#[derive(Clone, PartialEq, Eq)]
pub struct Disclosure {
    /// The ledger's name.
    pub origin: String,
    /// Where the record stands in the log.
    pub position: Position,
    /// The record's id.
    pub record: RecordId,
    /// The field's number in the record.
    pub field: u16,
    /// What the record holds in place of the value.
    pub commitment: Commitment,
    /// The salt that the commitment was made with.
    pub salt: [u8; 32],
    /// The value in the encoding of payloads.
    pub value: Vec<u8>,
    /// Who it was given to.
    pub reader: String,
    /// What for.
    pub purpose: String,
    /// Where the log says that it was.
    pub logged_at: Position,
}

impl fmt::Debug for Disclosure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Disclosure(record {}, field {}, …)", self.position, self.field)
    }
}

impl Disclosure {
    /// The value, if it is a text.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        codec::decode(&self.value).ok()
    }
    /// Whether this is what the record at `position` commits to.
    ///
    /// # Errors
    /// `Malformed` when it is of another record, `Personal` when the record has no such field, `PersonalMismatch` when
    /// commitment, salt or value is another.
    pub fn verify(&self, position: Position, frame: &Frame) -> Result<(), CodecError> {
        if (self.position, self.record) != (position, frame.id()) {
            return Err(CodecError::Malformed { what: "the disclosure is of another record than the receipt" });
        }
        if verify(frame, self.field, &self.salt, &self.value)? == self.commitment {
            Ok(())
        } else {
            Err(CodecError::PersonalMismatch { field: self.field })
        }
    }
    /// Reads a disclosure's file. Strict: what [`Self`] would not have written is refused.
    ///
    /// # Errors
    /// `Malformed` with what is wrong, `TooLong` over [`DISCLOSURE_BYTES_MAX`].
    pub fn parse(bytes: &[u8]) -> Result<Self, CodecError> {
        if bytes.len() > DISCLOSURE_BYTES_MAX {
            return Err(CodecError::TooLong { what: "a disclosure", max: DISCLOSURE_BYTES_MAX });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("the disclosure is not UTF-8"))?;
        let mut rest = Rest(text);
        let commitment = Commitment(hex_of(&rest.text("{\"commitment\":")?)?);
        let field = rest.number(",\"field\":")?;
        let logged_at = Position(rest.number(",\"logged_at\":")?);
        let origin = rest.text(",\"origin\":")?;
        let position = Position(rest.number(",\"position\":")?);
        let purpose = rest.text(",\"purpose\":")?;
        let reader = rest.text(",\"reader\":")?;
        let record = rest.text(",\"record_id\":")?;
        let record = record.parse().map_err(|_| malformed("the disclosure's record_id is no UUID"))?;
        let salt = base64_of(&rest.text(",\"salt\":")?)?;
        let salt = salt.try_into().map_err(|_| malformed("the disclosure's salt has not 32 bytes"))?;
        let value = if rest.0.starts_with(",\"value\":") {
            codec::encode(&rest.text(",\"value\":")?)?
        } else {
            base64_of(&rest.text(",\"value_bytes\":")?)?
        };
        if value.len() > limits::PERSONAL_VALUE_BYTES_MAX {
            return Err(CodecError::TooLong { what: "a personal value", max: limits::PERSONAL_VALUE_BYTES_MAX });
        }
        rest.expect("}\n")?;
        let read = Self { origin, position, record, field, commitment, salt, value, reader, purpose, logged_at };
        // One form for one content: escapes, digits and what follows are as they would be written.
        if read.to_string() == text { Ok(read) } else { Err(malformed("the disclosure is not in its one form")) }
    }
}

fn malformed(what: &'static str) -> CodecError {
    CodecError::Malformed { what }
}
fn hex_of(text: &str) -> Result<[u8; 32], CodecError> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| malformed("the disclosure's commitment is not 64 hex digits"))?;
    Ok(bytes)
}
fn base64_of(text: &str) -> Result<Vec<u8>, CodecError> {
    STANDARD.decode(text).map_err(|_| malformed("a value of the disclosure is not base64"))
}

/// In the form of RFC 8785, and a line feed.
impl fmt::Display for Disclosure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{\"commitment\":\"{}\",\"field\":{}", self.commitment, self.field)?;
        write!(f, ",\"logged_at\":{},\"origin\":{}", self.logged_at.0, Quoted(&self.origin))?;
        write!(f, ",\"position\":{},\"purpose\":{}", self.position.0, Quoted(&self.purpose))?;
        write!(f, ",\"reader\":{},\"record_id\":\"{}\"", Quoted(&self.reader), self.record)?;
        write!(f, ",\"salt\":\"{}\"", STANDARD.encode(self.salt))?;
        match self.text() {
            Some(text) => write!(f, ",\"value\":{}", Quoted(&text))?,
            None => write!(f, ",\"value_bytes\":\"{}\"", STANDARD.encode(&self.value))?,
        }
        f.write_str("}\n")
    }
}

/// A text as RFC 8785 writes it.
struct Quoted<'a>(&'a str);
impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\u{8}' => f.write_str("\\b")?,
                '\t' => f.write_str("\\t")?,
                '\n' => f.write_str("\\n")?,
                '\u{C}' => f.write_str("\\f")?,
                '\r' => f.write_str("\\r")?,
                c if c < ' ' => write!(f, "\\u{:04x}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

/// What is left to read.
struct Rest<'a>(&'a str);
impl Rest<'_> {
    fn expect(&mut self, what: &'static str) -> Result<(), CodecError> {
        self.0 =
            self.0.strip_prefix(what).ok_or_else(|| malformed("a key of the disclosure is missing, unknown or out of order"))?;
        Ok(())
    }
    fn number<N: std::str::FromStr>(&mut self, key: &'static str) -> Result<N, CodecError> {
        self.expect(key)?;
        let end = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        self.0 = rest;
        digits.parse().map_err(|_| malformed("a number of the disclosure is none, or too large"))
    }
    fn text(&mut self, key: &'static str) -> Result<String, CodecError> {
        const BAD: &str = "a text of the disclosure is not written as JSON";
        self.expect(key)?;
        self.expect("\"")?;
        let mut text = String::new();
        let mut chars = self.0.char_indices();
        loop {
            match chars.next().ok_or(malformed(BAD))?.1 {
                '"' => break,
                '\\' => match chars.next().ok_or(malformed(BAD))?.1 {
                    'b' => text.push('\u{8}'),
                    't' => text.push('\t'),
                    'n' => text.push('\n'),
                    'f' => text.push('\u{C}'),
                    'r' => text.push('\r'),
                    'u' => {
                        let hex: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                        let code = u32::from_str_radix(&hex, 16).map_err(|_| malformed(BAD))?;
                        text.push(char::from_u32(code).ok_or(malformed(BAD))?);
                    }
                    c => text.push(c),
                },
                c => text.push(c),
            }
        }
        self.0 = chars.as_str();
        Ok(text)
    }
}
