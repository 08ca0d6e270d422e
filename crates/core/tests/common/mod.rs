//! A small domain with personal fields, replacements and retractions.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "shared by several test programs")]

use sovang_core::{Amends, CodecError, Date, Decoder, Encoder, Event, Kind, Personal, RecordId, Tags, calendar};

#[derive(Clone, Debug, PartialEq)]
pub enum Club {
    Joined { seats: u32, club: String, name: Personal<String>, owes: Personal<i32> },
    Moved { target: RecordId, on: Date, by: Box<Club> },
    Left { target: RecordId },
}

impl Event for Club {
    const SCHEMA: &'static str = "example.org/clubs";
    const KINDS: &'static [Kind] = &[Kind::new(0x0101, 1, "joined"), Kind::new(0x0102, 3, "moved"), Kind::new(0x0103, 1, "left")];
    fn kind(&self) -> Kind {
        Self::KINDS[match self {
            Self::Joined { .. } => 0,
            Self::Moved { .. } => 1,
            Self::Left { .. } => 2,
        }]
    }
    fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        match self {
            Self::Joined { seats, club, name, owes } => {
                to.put(&(seats, club))?;
                // Not in ascending order: the record sorts them.
                to.personal(0x0109, owes)?;
                to.personal(1, name)
            }
            Self::Moved { on, by, .. } => {
                to.put(&calendar::days_of(*on))?;
                to.put_event(&**by)
            }
            Self::Left { .. } => Ok(()),
        }
    }
    fn decode(number: u16, version: u16, from: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match (number, version) {
            (0x0101, 1) => {
                let (seats, club) = from.take()?;
                Self::Joined { seats, club, name: from.personal(1)?, owes: from.personal(0x0109)? }
            }
            (0x0102, 3) => {
                let on = calendar::date_of(from.take()?)?;
                Self::Moved { target: from.target()?, on, by: Box::new(from.take_event()?) }
            }
            (0x0103, 1) => Self::Left { target: from.target()? },
            _ => return Err(from.unknown_kind()),
        })
    }
    fn tags(&self, tags: &mut Tags) {
        match self {
            Self::Joined { club, .. } if !club.is_empty() => {
                tags.add("club", club);
                tags.add("level", "X\u{E3}");
            }
            Self::Moved { by, .. } => by.tags(tags),
            Self::Joined { .. } | Self::Left { .. } => {}
        }
    }
    fn amends(&self) -> Option<Amends<'_, Self>> {
        match self {
            Self::Joined { .. } => None,
            Self::Moved { target, on, by } => Some(Amends::Replaces { target: *target, on: *on, by }),
            Self::Left { target } => Some(Amends::Retracts { target: *target }),
        }
    }
}

/// Sixteen bytes that count up from `start`.
pub fn counting(start: u8) -> RecordId {
    RecordId::from_bytes(std::array::from_fn(|n| start + u8::try_from(n).expect("small")))
}
