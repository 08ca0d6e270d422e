//! JSON as the interchange knows it: RFC 8259 without fractions, exponents and repeated keys; members in the order
//! written. Small enough to say of every mistake where it is, which a general reader cannot: `1e3` and a number
//! beyond 64 bits are different mistakes, and both have a path.

use super::fault::{LineError, Reason};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::fmt;

/// How deep values may stand within one another; no line needs more than four.
const DEPTH_MAX: usize = 16;
/// Members of one object and values of one list; no line needs more than twenty-five. Each key is compared with all
/// before it, and a list of small numbers takes far more memory than its text.
const MEMBERS_MAX: usize = 256;

/// A JSON value. `{}` writes it without spaces, strings escaped as RFC 8785 says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object; no key stands twice.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads one value that is all of `bytes`.
    ///
    /// # Errors
    /// What is wrong and, within an object, at which path.
    pub fn parse(bytes: &[u8]) -> Result<Self, LineError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|e| LineError::whole(Reason::Syntax { what: "text that is not UTF-8", column: e.valid_up_to() + 1 }))?;
        let mut parser = Parser { text, at: 0, path: Vec::new() };
        let value = parser.value()?;
        parser.space();
        if parser.at < text.len() {
            return Err(parser.wrong("something after the end of the value"));
        }
        Ok(value)
    }
    /// The members of an object.
    #[must_use]
    pub fn members(&self) -> Option<&[(String, Self)]> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }
    /// The member of this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.members()?.iter().find(|(k, _)| k == key).map(|(_, value)| value)
    }
    /// The text of a string.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
    /// What it is, for a message.
    pub(super) const fn what(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Integer(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
    /// RFC 8785 (JCS): no spaces, members sorted by the UTF-16 code units of their keys. Integers are written in plain
    /// decimal, also beyond 2^53.
    #[must_use]
    pub fn canonical(mut self) -> String {
        self.sort();
        self.to_string()
    }
    fn sort(&mut self) {
        match self {
            Self::Object(members) => {
                members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
                members.iter_mut().for_each(|(_, value)| value.sort());
            }
            Self::List(values) => values.iter_mut().for_each(Self::sort),
            _ => {}
        }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<i64> for Json {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}
impl From<u16> for Json {
    fn from(number: u16) -> Self {
        Self::Integer(number.into())
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Text(text) => quoted(f, text),
            Self::List(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { "," })?;
                    write!(f, "{value}")?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (index, (key, value)) in members.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { "," })?;
                    quoted(f, key)?;
                    write!(f, ":{value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

/// A string as RFC 8785 §3.2.2.2 escapes it: only what must be, control characters in their short form if they have one.
fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate().filter(|(_, b)| *b < 0x20 || matches!(b, b'"' | b'\\')) {
        f.write_str(&text[written..at])?;
        written = at + 1;
        match byte {
            b'"' => f.write_str("\\\""),
            b'\\' => f.write_str("\\\\"),
            0x08 => f.write_str("\\b"),
            b'\t' => f.write_str("\\t"),
            b'\n' => f.write_str("\\n"),
            0x0C => f.write_str("\\f"),
            b'\r' => f.write_str("\\r"),
            control => write!(f, "\\u{control:04x}"),
        }?;
    }
    f.write_str(&text[written..])?;
    f.write_str("\"")
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_none(),
            Self::Bool(value) => to.serialize_bool(*value),
            Self::Integer(number) => to.serialize_i64(*number),
            Self::Text(text) => to.serialize_str(text),
            Self::List(values) => {
                let mut list = to.serialize_seq(Some(values.len()))?;
                values.iter().try_for_each(|value| list.serialize_element(value))?;
                list.end()
            }
            Self::Object(members) => {
                let mut map = to.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    /// Always between two characters.
    at: usize,
    path: Vec<String>,
}

impl Parser<'_> {
    fn error(&self, reason: Reason) -> LineError {
        LineError { field: if self.path.is_empty() { None } else { Some(self.path.join(".")) }, reason }
    }
    fn wrong(&self, what: &'static str) -> LineError {
        self.error(Reason::Syntax { what, column: self.at + 1 })
    }
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }
    /// Passes over `byte`, which must be ASCII, after space.
    fn passed(&mut self, byte: u8) -> bool {
        self.space();
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }
    fn value(&mut self) -> Result<Json, LineError> {
        self.space();
        match self.peek() {
            None => Err(self.wrong("the end where a value should be")),
            Some(b'{') => self.object(),
            Some(b'[') => self.list(),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => {
                let rest = &self.text[self.at..];
                for (word, value) in [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))] {
                    if rest.starts_with(word) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                Err(self.wrong("no JSON value"))
            }
        }
    }
    fn deeper(&mut self, step: String) -> Result<(), LineError> {
        if self.path.len() == DEPTH_MAX {
            return Err(self.wrong("too many values within one another"));
        }
        self.path.push(step);
        Ok(())
    }
    fn object(&mut self) -> Result<Json, LineError> {
        self.at += 1;
        let mut members: Vec<(String, Json)> = Vec::new();
        if self.passed(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("no key in quotes"));
            }
            let key = self.string()?;
            self.deeper(key.clone())?;
            if members.iter().any(|(k, _)| *k == key) {
                return Err(self.error(Reason::Repeated));
            }
            if !self.passed(b':') {
                return Err(self.wrong("no colon after a key"));
            }
            if members.len() == MEMBERS_MAX {
                return Err(self.wrong("too many keys in one object"));
            }
            let value = self.value()?;
            self.path.pop();
            members.push((key, value));
            if self.passed(b'}') {
                return Ok(Json::Object(members));
            }
            if !self.passed(b',') {
                return Err(self.wrong("neither a comma nor the end of the object"));
            }
        }
    }
    fn list(&mut self) -> Result<Json, LineError> {
        self.at += 1;
        let mut values = Vec::new();
        if self.passed(b']') {
            return Ok(Json::List(values));
        }
        loop {
            self.deeper(values.len().to_string())?;
            if values.len() == MEMBERS_MAX {
                return Err(self.wrong("too many values in one list"));
            }
            let value = self.value()?;
            self.path.pop();
            values.push(value);
            if self.passed(b']') {
                return Ok(Json::List(values));
            }
            if !self.passed(b',') {
                return Err(self.wrong("neither a comma nor the end of the list"));
            }
        }
    }
    fn digits(&mut self) -> usize {
        let from = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - from
    }
    fn number(&mut self) -> Result<Json, LineError> {
        let from = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let digits_at = self.at;
        match self.digits() {
            0 => return Err(self.wrong("a minus without a number")),
            1 => {}
            _ if self.text.as_bytes()[digits_at] == b'0' => {
                return Err(self.wrong("a number with a zero before it"));
            }
            _ => {}
        }
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            return Err(self.error(Reason::NotWhole));
        }
        // Of digits alone, only what is too large does not parse.
        self.text[from..self.at].parse().map(Json::Integer).map_err(|_| self.error(Reason::Overflow))
    }
    fn string(&mut self) -> Result<String, LineError> {
        self.at += 1;
        let mut string = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(plain) = rest.bytes().position(|b| b < 0x20 || matches!(b, b'"' | b'\\')) else {
                return Err(self.wrong("a text without its closing quote"));
            };
            string.push_str(&rest[..plain]);
            self.at += plain;
            match rest.as_bytes()[plain] {
                b'"' => {
                    self.at += 1;
                    return Ok(string);
                }
                b'\\' => string.push(self.escaped()?),
                _ => return Err(self.wrong("a control character that is not escaped")),
            }
        }
    }
    fn escaped(&mut self) -> Result<char, LineError> {
        self.at += 1;
        let Some(letter) = self.peek() else {
            return Err(self.wrong("a text without its closing quote"));
        };
        let plain = match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{C}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                let first = self.four_hex_digits()?;
                let units = if (0xD800..0xDC00).contains(&first) && self.text[self.at..].starts_with("\\u") {
                    self.at += 2;
                    vec![first, self.four_hex_digits()?]
                } else {
                    vec![first]
                };
                return match char::decode_utf16(units).collect::<Result<Vec<_>, _>>().as_deref() {
                    Ok([character]) => Ok(*character),
                    _ => Err(self.wrong("half of a surrogate pair")),
                };
            }
            _ => return Err(self.wrong("an unknown escape")),
        };
        self.at += 1;
        Ok(plain)
    }
    fn four_hex_digits(&mut self) -> Result<u16, LineError> {
        let digits = self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let unit = digits.and_then(|d| u16::from_str_radix(d, 16).ok());
        let unit = unit.ok_or_else(|| self.wrong("an escape without four hex digits"))?;
        self.at += 4;
        Ok(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wrong(text: &str) -> String {
        Json::parse(text.as_bytes()).expect_err(text).to_string()
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        assert_eq!(
            wrong(r#"{"a":{"b":1.0}}"#),
            "a.b: is a number with a fraction or an exponent: write whole numbers in plain digits"
        );
        assert_eq!(
            wrong(r#"{"a":{"b":1e3}}"#),
            "a.b: is a number with a fraction or an exponent: write whole numbers in plain digits"
        );
        assert_eq!(wrong(r#"{"a":9223372036854775808}"#), "a: is a number beyond 64 bits");
        assert_eq!(wrong(r#"{"a":[{"k":1,"k":1}]}"#), "a.0.k: stands twice");
        assert_eq!(wrong(r#"{"a":1,"\u0061":1}"#), "a: stands twice");
        assert_eq!(wrong(r#"{"a":01}"#), "a: no JSON: a number with a zero before it, at column 8");
        assert_eq!(wrong(r#"{"a":1"#), "no JSON: neither a comma nor the end of the object, at column 7");
        assert_eq!(wrong(r#"{"a":1} x"#), "no JSON: something after the end of the value, at column 9");
        assert_eq!(wrong(r#"{"a":"\ud800x"}"#), "a: no JSON: half of a surrogate pair, at column 13");
        assert_eq!(wrong("{\"a\":\"\u{1}\"}"), "a: no JSON: a control character that is not escaped, at column 7");
        for bad in [
            "",
            "{",
            "{}{}",
            "{a:1}",
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            "[1,]",
            "tru",
            "-",
            "+1",
            ".5",
            r#""\x""#,
            r#""\u00g0""#,
            "nullx",
        ] {
            assert!(Json::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Json::parse(b"\"\xff\"").is_err());
        assert!(Json::parse("[".repeat(100_000).as_bytes()).is_err());
        let list = |values: usize| format!("[{}1]", "1,".repeat(values - 1));
        assert!(Json::parse(list(256).as_bytes()).is_ok());
        assert!(wrong(&list(257)).starts_with("256: no JSON: too many values in one list"));
        let object = |keys: usize| {
            let members: Vec<String> = (0..keys).map(|key| format!("\"{key}\":1")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert!(Json::parse(object(256).as_bytes()).is_ok());
        assert!(wrong(&object(257)).starts_with("256: no JSON: too many keys in one object"));
    }

    #[test]
    fn canonical_form_is_that_of_rfc_8785() {
        // The sorting example of RFC 8785 §3.2.3 and the string of §3.2.2.
        let json = Json::parse(r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#.as_bytes()).expect("JSON");
        assert_eq!(
            json.canonical(),
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}"
        );
        let string =
            Json::parse(r#"["\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", true, null, -0, 9007199254740993]"#.as_bytes());
        assert_eq!(string.expect("JSON").canonical(), r#"["€$\u000f\nA'B\"\\\\\"/",true,null,0,9007199254740993]"#);
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            any::<i64>().prop_map(Json::Integer),
            any::<String>().prop_map(Json::Text),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::List),
                prop::collection::btree_map(any::<String>(), inner, 0..4).prop_map(|m| Json::Object(m.into_iter().collect())),
            ]
        })
    }
    proptest! {
        #[test]
        fn round_trips_and_agrees_with_serde_json(json in any_json()) {
            let text = json.to_string();
            prop_assert_eq!(&Json::parse(text.as_bytes()).expect("JSON"), &json);
            prop_assert_eq!(&serde_json::to_string(&json).expect("JSON"), &text);
        }
        #[test]
        fn noise_never_panics(bytes in any::<Vec<u8>>(), text in "[\\[\\]{}\",:0-9eE.\\\\u+ -]{0,40}") {
            let _ = Json::parse(&bytes);
            let ours = Json::parse(text.as_bytes());
            if ours.is_ok() { prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok()) }
        }
    }
}
