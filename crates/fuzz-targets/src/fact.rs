//! An event for the targets that need tags, persons and amendments.

use sovang_core::record::Prepared;
use sovang_core::{
    Actor, Amends, CodecError, Decoder, Encoder, Envelope, Event, Kind, Personal, RecordId, TagKey, Tags, date, hash,
};

/// Facts with tags of small numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A fact of the first kind.
    A(Vec<u8>, Vec<u8>),
    /// A fact of the second kind.
    B(Vec<u8>, Vec<u8>),
    /// A person joins.
    Member(u8, Personal<String>),
    /// A fact stands as another.
    Replace(RecordId, Box<Self>),
    /// A fact does not stand.
    Retract(RecordId),
}
impl Fact {
    /// The first kind.
    pub const A_KIND: Kind = Kind::new(1, 1, "a");
    /// The second kind.
    pub const B_KIND: Kind = Kind::new(2, 1, "b");
    /// Members.
    pub const MEMBER: Kind = Kind::new(3, 1, "member");
    const REPLACE: Kind = Kind::new(4, 1, "replace");
    const RETRACT: Kind = Kind::new(5, 1, "retract");
    /// The tag of a number.
    #[must_use]
    pub fn key(tag: u8) -> TagKey {
        hash::tag_key("t", &tag.to_string())
    }
}
impl Event for Fact {
    const SCHEMA: &'static str = "example.org/fuzz";
    const KINDS: &'static [Kind] = &[Self::A_KIND, Self::B_KIND, Self::MEMBER, Self::REPLACE, Self::RETRACT];
    fn kind(&self) -> Kind {
        match self {
            Self::A(..) => Self::A_KIND,
            Self::B(..) => Self::B_KIND,
            Self::Member(..) => Self::MEMBER,
            Self::Replace(..) => Self::REPLACE,
            Self::Retract(_) => Self::RETRACT,
        }
    }
    fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        match self {
            Self::A(tags, text) | Self::B(tags, text) => to.put(&(tags, text)),
            Self::Member(tag, name) => {
                to.put(tag)?;
                to.personal(1, name)
            }
            Self::Replace(_, by) => to.put_event(&**by),
            Self::Retract(_) => Ok(()),
        }
    }
    fn decode(number: u16, version: u16, from: &mut Decoder) -> Result<Self, CodecError> {
        Ok(match (number, version) {
            (1, 1) => {
                let (tags, text) = from.take()?;
                Self::A(tags, text)
            }
            (2, 1) => {
                let (tags, text) = from.take()?;
                Self::B(tags, text)
            }
            (3, 1) => Self::Member(from.take()?, from.personal(1)?),
            (4, 1) => Self::Replace(from.target()?, Box::new(from.take_event()?)),
            (5, 1) => Self::Retract(from.target()?),
            _ => return Err(from.unknown_kind()),
        })
    }
    fn tags(&self, tags: &mut Tags) {
        match self {
            Self::A(all, _) | Self::B(all, _) => all.iter().for_each(|tag| tags.add("t", tag.to_string())),
            Self::Member(tag, _) => tags.add("t", tag.to_string()),
            Self::Replace(_, by) => by.tags(tags),
            Self::Retract(_) => {}
        }
    }
    fn amends(&self) -> Option<Amends<'_, Self>> {
        match self {
            Self::Replace(target, by) => Some(Amends::Replaces { target: *target, on: date(2020, 1, 1), by }),
            Self::Retract(target) => Some(Amends::Retracts { target: *target }),
            _ => None,
        }
    }
}

/// The record of an event, of that id; its salts are drawn from the id.
#[must_use]
pub fn prepared<E: Event>(event: &E, id: RecordId) -> Prepared {
    let mut salt = || {
        let mut salt = [0; 32];
        hash::stream(&id.to_bytes(), &mut salt);
        Ok(salt)
    };
    let envelope = Envelope::by(Actor::new("clerk").expect("a name"));
    Prepared::new(event, id, Some(18_000), envelope, None, &[], &mut salt).expect("an event within the limits")
}
