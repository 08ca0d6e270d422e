//! The listing of kinds, versions and shapes, as a lock file would hold it.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test program")]

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sovang_core::shape::listing;
use sovang_core::{CodecError, Decoder, Encoder, Event, Kind, Personal, RawEvent};
use std::collections::{BTreeMap, BTreeSet};

/// An event that is only ever decoded.
macro_rules! decoded_only {
    ($name:ident, [$($kind:expr),*], |$number:ident, $version:ident, $from:ident| $decode:expr) => {
        struct $name;
        impl Event for $name {
            const SCHEMA: &'static str = "example.org/shapes";
            const KINDS: &'static [Kind] = &[$($kind),*];
            fn kind(&self) -> Kind {
                Self::KINDS[0]
            }
            fn encode(&self, _: &mut Encoder) -> Result<(), CodecError> {
                Ok(())
            }
            fn decode($number: u16, $version: u16, $from: &mut Decoder<'_>) -> Result<Self, CodecError> {
                $decode
            }
        }
    };
}

#[derive(Serialize, Deserialize)]
enum Security {
    None,
    Bond(i64),
    Pledge(u32, String),
    House { area: u32, place: Option<Place> },
}
#[derive(Serialize, Deserialize)]
enum Place {
    Ward,
    Street { name: String },
}
#[derive(Serialize, Deserialize)]
struct Secured {
    cents: i64,
    by: Security,
    also: Vec<Security>,
    nothing: (),
    key: [u8; 16],
    pair: (u8, u8),
}
#[derive(Serialize, Deserialize)]
struct Name(String);

decoded_only!(
    Loan,
    [
        Kind::new(7, 1, "loan_kept"),
        Kind::new(2, 3, "loan_repaid"),
        Kind::new(1, 1, "loan_opened"),
        Kind::new(3, 1, "loan_closed"),
        Kind::new(4, 1, "member_joined"),
        Kind::new(5, 1, "loan_corrected"),
        Kind::new(6, 2, "loan_secured"),
        Kind::new(8, 1, "loan_counted")
    ],
    |number, version, from| match (number, version) {
        (1, 1) => from.take::<(String, i64)>().map(|_| Self),
        // Version 1 was never released.
        (2, 2) => from.take::<i64>().map(|_| Self),
        (2, 3) => {
            from.take::<(i64, Name)>()?;
            from.take::<Option<bool>>()?;
            Ok(Self)
        }
        (3, 1) => Ok(Self),
        (4, 1) => {
            from.take::<String>()?;
            from.personal::<String>(1)?;
            from.personal::<(String, Option<i32>)>(2)?;
            Ok(Self)
        }
        (5, 1) => {
            from.take::<i32>()?;
            from.target()?;
            from.take_event::<Self>()?;
            from.take::<u8>()?;
            Ok(Self)
        }
        (6, 1) => from.take::<Security>().map(|_| Self),
        (6, 2) => from.take::<Secured>().map(|_| Self),
        (7, 1) => from.take::<BTreeMap<String, BTreeSet<i128>>>().map(|_| Self),
        (8, 1) => from.take::<(u16, u64, i8, i16, char, u128, f64)>().map(|_| Self),
        _ => Err(from.unknown_kind()),
    }
);

const SECURITY: &str =
    "enum(None | Bond(i64) | Pledge(u32, string) | House { area: u32, place: option<enum(Ward | Street { name: string })> })";

#[test]
fn golden_listing() {
    let expected = format!(
        "\
1 v1 loan_opened: (string, i64)
2 v2 loan_repaid: i64
2 v3 loan_repaid: (i64, string), option<bool>
3 v1 loan_closed: nothing
4 v1 member_joined: string, personal 1 string, personal 2 (string, option<i32>)
5 v1 loan_corrected: i32, event, u8
6 v1 loan_secured: {SECURITY}
6 v2 loan_secured: {{ cents: i64, by: {SECURITY}, also: list<{SECURITY}>, nothing: (), key: [u8; 16], pair: (u8, u8) }}
7 v1 loan_kept: map<string, list<i128>>
8 v1 loan_counted: (u16, u64, i8, i16, char, u128, f64)
"
    );
    assert_eq!(listing::<Loan>().unwrap(), expected);
}

#[test]
fn a_raw_event_has_no_kinds() {
    assert_eq!(listing::<RawEvent>().unwrap(), "");
}

#[test]
fn a_kind_written_today_must_decode() {
    decoded_only!(Gap, [Kind::new(1, 2, "gap")], |_number, version, from| match version {
        1 => Ok(Self),
        _ => Err(from.unknown_kind()),
    });
    assert_eq!(listing::<Gap>(), Err(CodecError::UnknownKind { number: 1, version: 2 }));
}

fn skip<T: DeserializeOwned>(from: &mut Decoder<'_>) -> Result<(), CodecError> {
    from.take::<T>().map(|_| ())
}

/// A text that is not empty.
struct Filled;
impl<'de> Deserialize<'de> for Filled {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        if text.is_empty() { Err(serde::de::Error::custom("empty")) } else { Ok(Self) }
    }
}
/// A text that no default value is.
struct Iso;
impl<'de> Deserialize<'de> for Iso {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        if text == "2024-01-01" { Ok(Self) } else { Err(serde::de::Error::custom("no date")) }
    }
}
/// Something the encoding cannot hold.
struct Anything;
impl<'de> Deserialize<'de> for Anything {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(serde::de::IgnoredAny)?;
        Ok(Self)
    }
}
#[derive(Deserialize)]
#[expect(dead_code, reason = "only traced")]
struct Dated {
    before: i64,
    on: Iso,
    after: u8,
}
#[derive(Deserialize)]
#[expect(dead_code, reason = "only traced")]
enum When {
    Never,
    On(Iso),
    Between { from: Iso, to: Iso },
    Later(u8),
}

#[test]
fn what_default_values_cannot_make_is_marked() {
    decoded_only!(
        Picky,
        [
            Kind::new(1, 1, "filled"),
            Kind::new(2, 1, "dated"),
            Kind::new(3, 1, "checked"),
            Kind::new(4, 1, "optional"),
            Kind::new(5, 1, "chosen"),
            Kind::new(6, 1, "listed"),
            Kind::new(7, 1, "anything"),
            Kind::new(8, 1, "personal"),
            Kind::new(9, 1, "nested")
        ],
        |number, _version, from| {
            match number {
                1 => skip::<(Filled, i64)>(from)?,
                2 => skip::<(u8, Dated)>(from)?,
                3 => {
                    let code: String = from.take()?;
                    if code.len() < 5 {
                        return Err(CodecError::Malformed { what: "a code" });
                    }
                    from.take::<i64>()?;
                }
                4 => skip::<(Option<Iso>, i64)>(from)?,
                5 => skip::<(When, i64)>(from)?,
                6 => skip::<(Vec<Dated>, BTreeMap<u8, Iso>, bool)>(from)?,
                7 => skip::<(u8, Anything, u8)>(from)?,
                8 => {
                    from.personal::<Iso>(3)?;
                    from.take::<i64>()?;
                }
                // The first kind that defaults can make stands in, whatever those before it refuse.
                9 => {
                    from.take_event::<Self>()?;
                }
                _ => return Err(from.unknown_kind()),
            }
            Ok(Self)
        }
    );
    let expected = "\
1 v1 filled: (string, i64)
2 v1 dated: (u8, { before: i64, on: string<refused>, after: ? }, ?), <refused; the rest is not traced>
3 v1 checked: string, <refused; the rest is not traced>
4 v1 optional: (option<string<refused>>, i64)
5 v1 chosen: (enum(Never | On(string<refused>, ?) | Between { from: string<refused>, to: ? } | Later(u8)), i64)
6 v1 listed: (list<{ before: i64, on: string<refused>, after: ? }>, map<u8, string<refused>>, bool)
7 v1 anything: (u8, any<refused>, ?), <refused; the rest is not traced>
8 v1 personal: personal 3 string<refused>, i64
9 v1 nested: event
";
    assert_eq!(listing::<Picky>().unwrap(), expected);
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only traced")]
struct Chain {
    value: u8,
    next: Option<Box<Chain>>,
}
#[derive(Deserialize)]
#[expect(dead_code, reason = "only traced")]
enum Tree {
    Branch(Box<Tree>, Box<Tree>),
    Leaf(u8),
    Many(Vec<Tree>),
}
#[derive(Deserialize)]
#[expect(dead_code, reason = "only traced")]
struct Endless(Box<Endless>);
#[derive(Deserialize)]
enum Impossible {}

#[test]
fn types_within_themselves_end() {
    decoded_only!(
        Deep,
        [Kind::new(1, 1, "chain"), Kind::new(2, 1, "tree"), Kind::new(3, 1, "endless"), Kind::new(4, 1, "impossible")],
        |number, _version, from| match number {
            1 => from.take::<(Chain, bool)>().map(|_| Self),
            2 => from.take::<Tree>().map(|_| Self),
            3 => from.take::<Endless>().map(|_| Self),
            4 => from.take::<Impossible>().map(|_| Self),
            _ => Err(from.unknown_kind()),
        }
    );
    let expected = "\
1 v1 chain: ({ value: u8, next: option<^Chain> }, bool)
2 v1 tree: enum(Branch(^Tree, ?) | Leaf(u8) | Many(list<^Tree>))
3 v1 endless: ^Endless, <refused; the rest is not traced>
4 v1 impossible: enum()<refused>, <refused; the rest is not traced>
";
    assert_eq!(listing::<Deep>().unwrap(), expected);
}

/// Field by field what a real decode sees: a traced value is made of the same calls.
#[test]
fn a_traced_personal_field_reads_as_none() {
    struct Joined(Personal<String>);
    impl Event for Joined {
        const SCHEMA: &'static str = "example.org/joined";
        const KINDS: &'static [Kind] = &[Kind::new(1, 1, "joined")];
        fn kind(&self) -> Kind {
            Self::KINDS[0]
        }
        fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
            to.personal(1, &self.0)
        }
        fn decode(_: u16, _: u16, from: &mut Decoder<'_>) -> Result<Self, CodecError> {
            let name = from.personal(1)?;
            assert!(!name.is_some());
            Ok(Self(name))
        }
    }
    assert_eq!(listing::<Joined>().unwrap(), "1 v1 joined: personal 1 string\n");
}
