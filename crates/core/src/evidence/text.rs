//! The strict forms that all evidence is written in (docs/FORMAT.md §11): lines, base64, decimals.

use super::EvidenceError;
use crate::tree::Hash;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Base64 of RFC 4648 §4 with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
/// The bytes, if this is exactly how they are written.
pub(super) fn unbase64(text: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(text).ok()?;
    (base64(&bytes) == text).then_some(bytes)
}
pub(super) fn hash(text: &str) -> Option<Hash> {
    unbase64(text)?.try_into().ok()
}

/// The largest number that evidence may hold: cosignature times and sizes are bounded by C2SP so.
pub(super) const NUMBER_MAX: u64 = i64::MAX.unsigned_abs();

/// The number of at most 2^63 - 1, if this is exactly how it is written: digits, no sign, no leading zero.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number <= NUMBER_MAX && number.to_string() == text).then_some(number)
}

/// The text, if it is UTF-8 of at most `max` bytes without control characters that ends in LF.
pub(super) fn checked<'a>(
    what: &'static str,
    bytes: &'a [u8],
    (limit, max): (&'static str, usize),
) -> Result<&'a str, EvidenceError> {
    if bytes.len() > max {
        return Err(EvidenceError::TooLarge { what, limit, max });
    }
    let line_of = |at: usize| 1 + bytes[..at].iter().filter(|b| **b == b'\n').count();
    let text = std::str::from_utf8(bytes)
        .map_err(|e| EvidenceError::malformed(what, line_of(e.valid_up_to()), "the bytes are not UTF-8"))?;
    if let Some(at) = bytes.iter().position(|b| *b < b' ' && *b != b'\n') {
        return Err(EvidenceError::malformed(what, line_of(at), "a control character"));
    }
    if bytes.is_empty() {
        return Err(EvidenceError::malformed(what, 0, "nothing is there"));
    }
    if !bytes.ends_with(b"\n") {
        return Err(EvidenceError::malformed(what, line_of(bytes.len()), "the last line does not end in LF"));
    }
    Ok(text)
}

/// Walks over lines that each end in LF.
pub(super) struct Lines<'a> {
    what: &'static str,
    rest: &'a str,
    taken: usize,
}
impl<'a> Lines<'a> {
    /// Over a text whose last line ends in LF; `what` stands in errors.
    pub(super) fn new(what: &'static str, text: &'a str) -> Self {
        Self { what, rest: text, taken: 0 }
    }
    /// The next line, without LF.
    pub(super) fn next(&mut self, name: &str) -> Result<&'a str, EvidenceError> {
        let Some((line, rest)) = self.rest.split_once('\n') else {
            return Err(EvidenceError::malformed(self.what, self.taken, format!("it ends before {name}")));
        };
        self.rest = rest;
        self.taken += 1;
        Ok(line)
    }
    /// The next line without the word and the space that it must start with.
    pub(super) fn field(&mut self, word: &str) -> Result<&'a str, EvidenceError> {
        let line = self.next(&format!("the line `{word} …`"))?;
        line.strip_prefix(word).and_then(|rest| rest.strip_prefix(' ')).ok_or_else(|| self.bad(format!("it must be `{word} …`")))
    }
    /// Takes the next line if it starts with the word and a space.
    pub(super) fn optional_field(&mut self, word: &str) -> Option<&'a str> {
        let (line, rest) = self.rest.split_once('\n')?;
        let value = line.strip_prefix(word)?.strip_prefix(' ')?;
        self.rest = rest;
        self.taken += 1;
        Some(value)
    }
    /// The next line must be exactly this.
    pub(super) fn exactly(&mut self, expected: &'static str) -> Result<(), EvidenceError> {
        if self.next("its first line")? == expected { Ok(()) } else { Err(self.bad(format!("it must be `{expected}`"))) }
    }
    /// Hashes, one a line, up to an empty line, which is taken too.
    pub(super) fn hashes(&mut self) -> Result<Vec<Hash>, EvidenceError> {
        let mut hashes = Vec::new();
        loop {
            let line = self.next("the empty line")?;
            if line.is_empty() {
                return Ok(hashes);
            }
            if hashes.len() == crate::limits::PROOF_HASHES_MAX {
                let (limit, max) = ("PROOF_HASHES_MAX", crate::limits::PROOF_HASHES_MAX);
                return Err(EvidenceError::TooLarge { what: "a proof's hashes", limit, max });
            }
            hashes.push(hash(line).ok_or_else(|| self.bad("a hash is 32 bytes in canonical base64"))?);
        }
    }
    /// An error about the line taken last.
    pub(super) fn bad(&self, why: impl Into<std::borrow::Cow<'static, str>>) -> EvidenceError {
        EvidenceError::malformed(self.what, self.taken, why)
    }
    /// What is left.
    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }
    /// How many lines were taken.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_for_each_value() {
        assert_eq!(decimal("0"), Some(0));
        assert_eq!(decimal("9223372036854775807"), Some(NUMBER_MAX));
        for refused in ["", "00", "01", "+1", "-0", " 1", "1 ", "9223372036854775808", "18446744073709551615", "１"] {
            assert_eq!(decimal(refused), None, "{refused:?}");
        }
        assert_eq!(unbase64("AA=="), Some(vec![0]));
        assert_eq!(unbase64(""), Some(Vec::new()));
        for refused in ["AB==", "AA=", "AA", "A===", "AA==\n", " AA==", "AA==AA==", "-_==", "AAB="] {
            assert_eq!(unbase64(refused), None, "{refused:?}");
        }
    }

    #[test]
    fn text_is_whole_lines_of_printable_utf8() {
        let limit = ("LIMIT", 8);
        assert_eq!(checked("x", b"a\n\n", limit), Ok("a\n\n"));
        for refused in [&b""[..], b"a", b"a\r\n", b"a\t\n", b"\0\n", b"\xff\n", b"\xed\xa0\x80\n", b"12345678\n"] {
            assert!(checked("x", refused, limit).is_err(), "{refused:?}");
        }
        let error = checked("x", b"a\nb\x01\n", limit).unwrap_err();
        assert_eq!(error, EvidenceError::malformed("x", 2, "a control character"));
    }
}
