//! The pure heart of the Sovang ledger: ids, the envelope, the codec, hashes, the RFC 6962 tree and the
//! [`Event`] trait. Nothing here reads a file, a clock or a random source: ids, times, salts and keys arrive as
//! arguments, so that the same inputs give the same bytes everywhere.
//!
//! Users meet these types through the `sovang` facade.
#![forbid(unsafe_code)]

pub mod calendar;
pub mod codec;
pub mod disclosure;
pub mod entry;
pub mod error;
pub mod event;
pub mod evidence;
pub mod hash;
pub mod ids;
mod ledger_event;
pub mod likeness;
pub mod limits;
pub mod personal;
mod prepared;
pub mod query;
pub mod record;
pub mod recorded;
pub mod shape;
pub mod tree;
pub mod words;

pub use calendar::{Date, UtcDateTime, date};
pub use codec::CodecError;
pub use entry::{Entry, Envelope, Import, Override};
pub use error::{Conflict, Error, ErrorKind, Result};
pub use event::{Amends, Decoder, Encoder, Event, Kind, RawEvent, Tags};
pub use ids::{Actor, Head, LedgerId, Position, RecordHash, RecordId, Root, Size, SubjectId};
pub use personal::Personal;
pub use query::{Condition, Query, TagKey};
pub use recorded::{Effect, Recorded};
