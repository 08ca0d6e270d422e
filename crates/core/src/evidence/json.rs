//! JSON in its RFC 8785 form, with integers only: one text for each value. Read to check that it is that text, not to compute with it.

use crate::limits::STATEMENT_JSON_DEPTH_MAX;

/// A JSON value. Integers stay text: a sum may be larger than any machine word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Bool,
    Integer(String),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}
impl Json {
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(k, _)| k == key).map(|(_, value)| value),
            _ => None,
        }
    }
    pub(super) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

type Why = &'static str;

/// The value, if this is exactly its canonical text.
pub(super) fn canonical(text: &str) -> Result<Json, Why> {
    let mut reader = Reader { rest: text };
    let value = reader.value(0)?;
    if reader.rest.is_empty() { Ok(value) } else { Err("something follows the JSON value") }
}

struct Reader<'a> {
    rest: &'a str,
}
impl Reader<'_> {
    fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
    fn value(&mut self, depth: usize) -> Result<Json, Why> {
        if depth >= STATEMENT_JSON_DEPTH_MAX && self.rest.starts_with(['{', '[']) {
            return Err("JSON nested deeper than STATEMENT_JSON_DEPTH_MAX");
        }
        match self.rest.as_bytes().first() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.integer(),
            _ if self.take("null") => Ok(Json::Null),
            _ if self.take("true") || self.take("false") => Ok(Json::Bool),
            _ => Err("no JSON value, or a space, where one must start"),
        }
    }
    fn integer(&mut self) -> Result<Json, Why> {
        let end = self.rest.find(|c: char| !matches!(c, '-' | '+' | '.' | 'e' | 'E' | '0'..='9')).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        let digits = number.strip_prefix('-').unwrap_or(number);
        let is_plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let is_shortest = digits == "0" && number == "0" || !digits.starts_with('0');
        if !is_plain || !is_shortest {
            return Err("a JSON number that is no integer in plain decimal");
        }
        self.rest = rest;
        Ok(Json::Integer(number.to_owned()))
    }
    fn array(&mut self, depth: usize) -> Result<Json, Why> {
        let mut items = Vec::new();
        self.take("[");
        if self.take("]") {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.take("]") {
                return Ok(Json::Array(items));
            }
            if !self.take(",") {
                return Err("a JSON array goes on with , or ends with ]");
            }
        }
    }
    fn object(&mut self, depth: usize) -> Result<Json, Why> {
        let mut members: Vec<(String, Json)> = Vec::new();
        self.take("{");
        if self.take("}") {
            return Ok(Json::Object(members));
        }
        loop {
            let key = self.string()?;
            // RFC 8785 §3.2.3: by UTF-16 code units.
            if members.last().is_some_and(|(last, _)| last.encode_utf16().ge(key.encode_utf16())) {
                return Err("JSON keys that do not ascend, or one twice");
            }
            if !self.take(":") {
                return Err("a JSON key is followed by :");
            }
            members.push((key, self.value(depth + 1)?));
            if self.take("}") {
                return Ok(Json::Object(members));
            }
            if !self.take(",") {
                return Err("a JSON object goes on with , or ends with }");
            }
        }
    }
    fn string(&mut self) -> Result<String, Why> {
        if !self.take("\"") {
            return Err("a JSON string starts with a quotation mark");
        }
        let mut text = String::new();
        loop {
            let Some(end) = self.rest.find(|c: char| c == '"' || c == '\\' || c < ' ') else {
                return Err("a JSON string without end");
            };
            let (plain, rest) = self.rest.split_at(end);
            text.push_str(plain);
            self.rest = rest;
            if self.take("\"") {
                return Ok(text);
            }
            text.push(self.escape()?);
        }
    }
    /// The only escapes of RFC 8785 §3.2.2.2: those without which JSON could not hold the character, each in one form.
    fn escape(&mut self) -> Result<char, Why> {
        const SHORT: [(&str, char); 7] =
            [("\\\"", '"'), ("\\\\", '\\'), ("\\b", '\u{8}'), ("\\t", '\t'), ("\\n", '\n'), ("\\f", '\u{c}'), ("\\r", '\r')];
        if let Some((_, c)) = SHORT.iter().find(|(escape, _)| self.take(escape)) {
            return Ok(*c);
        }
        for code in 0..0x20u8 {
            let c = char::from(code);
            if !SHORT.iter().any(|(_, short)| *short == c) && self.take(&format!("\\u{code:04x}")) {
                return Ok(c);
            }
        }
        Err("a control character or an escape in a JSON string that RFC 8785 does not write")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_canonical_is_taken() {
        for text in [
            "null",
            "true",
            "0",
            "-1",
            "123456789012345678901234567890",
            "\"\"",
            r#""é€\"\\\b\t\n\f\r\u0001\u001f/""#,
            "\"\u{7f}\"",
            "[]",
            "[1,[],{}]",
            r#"{"":1,"a":{"b":null},"b":[true,false]}"#,
            // By UTF-16 code units U+10000 (D800…) comes before U+FFFF; by code points after it.
            "{\"\u{10000}\":1,\"\u{ffff}\":2}",
        ] {
            assert!(canonical(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_not_is_refused() {
        for text in [
            "",
            " 1",
            "1 ",
            "1\n",
            "-0",
            "00",
            "01",
            "-01",
            "1.0",
            "1e2",
            "+1",
            "1-",
            "-",
            "nul",
            "True",
            "[1,]",
            "[1 ,2]",
            "[1",
            "{\"a\":1,\"a\":1}",
            "{\"b\":1,\"a\":1}",
            "{\"a\" :1}",
            "{\"a\":1",
            "{a:1}",
            "{\"\u{ffff}\":1,\"\u{10000}\":2}",
            "\"a",
            "\"\n\"",
            r#""\/""#,
            r#""\u0041""#,
            r#""\u000a""#,
            r#""\u001F""#,
            r#""\u00""#,
            r#""\ud800""#,
            "1 2",
        ] {
            assert!(canonical(text).is_err(), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(canonical(&nested(STATEMENT_JSON_DEPTH_MAX)).is_ok());
        assert!(canonical(&nested(STATEMENT_JSON_DEPTH_MAX + 1)).is_err());
        let innermost = nested(STATEMENT_JSON_DEPTH_MAX).replace("[]", "[1]");
        assert!(canonical(&innermost).is_ok());
        assert!(canonical(&"[".repeat(1 << 20)).is_err());
    }
}
