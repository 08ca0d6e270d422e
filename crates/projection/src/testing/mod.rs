//! Decisions tested without a store: [`given`] these events, when this command, then those.
//!
//! ```
//! use sovang_core::{CodecError, Decoder, Encoder, Entry, Event, Kind, Query, Recorded};
//! use sovang_projection::{Command, Projection, testing};
//!
//! #[derive(Debug)]
//! pub struct Opened { shop: String }
//! # impl Event for Opened {
//! #     const SCHEMA: &'static str = "example.org/shops";
//! #     const KINDS: &'static [Kind] = &[Kind::new(1, 1, "opened")];
//! #     fn kind(&self) -> Kind { Self::KINDS[0] }
//! #     fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> { to.put(&self.shop) }
//! #     fn decode(_: u16, _: u16, from: &mut Decoder) -> Result<Self, CodecError> { Ok(Self { shop: from.take()? }) }
//! #     fn tags(&self, tags: &mut sovang_core::Tags) { tags.add("shop", &self.shop); }
//! # }
//! pub struct IsOpen { shop: String, open: bool }
//! impl Projection<Opened> for IsOpen {
//!     fn query(&self) -> Query { Query::tag("shop", &self.shop) }
//!     fn apply(&mut self, _: &Recorded<Opened>) { self.open = true }
//! }
//! pub struct Open { shop: String }
//! #[derive(Debug, PartialEq)] pub struct AlreadyOpen;
//! impl Command<Opened> for Open {
//!     type State = IsOpen;
//!     type Refusal = AlreadyOpen;
//!     fn state(&self) -> IsOpen { IsOpen { shop: self.shop.clone(), open: false } }
//!     fn decide(&self, state: &IsOpen) -> Result<Vec<Entry<Opened>>, AlreadyOpen> {
//!         if state.open { return Err(AlreadyOpen) }
//!         Ok(vec![Opened { shop: self.shop.clone() }.on(testing::DAY)])
//!     }
//! }
//! let opened = |shop: &str| Opened { shop: shop.into() };
//! testing::given([opened("a")]).when(&Open { shop: "b".into() }).then([opened("b")]);
//! testing::given([opened("a")]).when(&Open { shop: "a".into() }).refused(AlreadyOpen);
//! ```

mod memory;

pub use memory::Memory;

use crate::command::{Command, Looking, Store};
use sovang_core::{CodecError, Date, Encoder, Entry, Event, Query, RecordId, Size, date};
use std::fmt::Debug;

/// The day on which events happened that are given without one.
pub const DAY: Date = date(2000, 1, 1);

/// The id of the `nth` given record, from 0 on, unless its entry has one: for commands and events that name a record.
#[must_use]
pub fn record_id(nth: u64) -> RecordId {
    RecordId::from_bytes((u128::from(nth) + 1).to_be_bytes())
}

/// Events that have been recorded, on [`DAY`].
#[must_use]
pub fn given<E: Event>(events: impl IntoIterator<Item = E>) -> Given<E> {
    given_on(DAY, events)
}

/// Events that have been recorded, on that day.
#[must_use]
pub fn given_on<E: Event>(day: Date, events: impl IntoIterator<Item = E>) -> Given<E> {
    Given { entries: Vec::new() }.and_on(day, events)
}

/// What has been recorded when the command comes.
#[derive(Debug)]
pub struct Given<E> {
    entries: Vec<Entry<E>>,
}

impl<E: Event> Given<E> {
    /// More events, on that day.
    #[must_use]
    pub fn and_on(self, day: Date, events: impl IntoIterator<Item = E>) -> Self {
        self.and(events.into_iter().map(|event| event.on(day)))
    }
    /// More entries, with days, ids and overrides of their own.
    #[must_use]
    pub fn and(mut self, entries: impl IntoIterator<Item = Entry<E>>) -> Self {
        self.entries.extend(entries);
        self
    }
    /// Lets the command decide, as [`crate::execute`] would.
    ///
    /// # Panics
    /// When a given event cannot be recorded, or the command's state cannot be folded.
    #[track_caller]
    pub fn when<C: Command<E>>(self, command: &C) -> When<E, C::Refusal> {
        let memory = Memory::new();
        let everything = Query::none().unchanged_since(Size::ZERO);
        for (nth, entry) in self.entries.into_iter().enumerate() {
            if let Err(error) = memory.append(vec![entry], everything.clone()) {
                panic!("given event {nth} cannot be recorded: {error}");
            }
        }
        let size = memory.len();
        let mut looking = Looking::start(command);
        if let Err(error) = looking.look(&memory, command, size) {
            panic!("the command's state cannot be folded: {error}");
        }
        When { decided: command.decide(&looking.state) }
    }
}

/// What the command decided.
#[derive(Debug)]
#[must_use = "nothing was asserted yet"]
pub struct When<E, R> {
    decided: Result<Vec<Entry<E>>, R>,
}

impl<E: Event, R: Debug> When<E, R> {
    /// Asserts that exactly these events were decided on, whatever their day. They are compared as they would be
    /// recorded: kind, public payload and personal values.
    ///
    /// # Panics
    /// When the command was refused or decided on other events.
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = E>) {
        self.check(expected.into_iter().map(|event| (event, None)).collect());
    }
    /// As [`Self::then`], and that they happened on that day.
    ///
    /// # Panics
    /// As [`Self::then`], and when the day is another or left to the writer.
    #[track_caller]
    pub fn then_on(self, day: Date, expected: impl IntoIterator<Item = E>) {
        self.check(expected.into_iter().map(|event| (event, Some(day))).collect());
    }
    /// Asserts that the command was refused for this reason.
    ///
    /// # Panics
    /// When it was not, or for another reason.
    #[track_caller]
    pub fn refused(self, expected: R)
    where
        R: PartialEq,
    {
        match self.decided {
            Ok(entries) => {
                panic!("expected the refusal {expected:?}, but the command decided on {:?}", Events(&entries))
            }
            Err(refusal) => assert!(refusal == expected, "expected the refusal {expected:?}, got {refusal:?}"),
        }
    }
    /// The decision itself, for other assertions.
    ///
    /// # Errors
    /// The command's refusal.
    pub fn decided(self) -> Result<Vec<Entry<E>>, R> {
        self.decided
    }

    #[track_caller]
    fn check(self, expected: Vec<(E, Option<Date>)>) {
        let entries = match self.decided {
            Ok(entries) => entries,
            Err(refusal) => {
                let expected: Vec<_> = expected.iter().map(|(event, _)| Shown(event)).collect();
                panic!("expected {expected:#?}, but the command was refused: {refusal:?}")
            }
        };
        for (nth, (event, day)) in expected.iter().enumerate() {
            let Some(entry) = entries.get(nth) else {
                panic!("event {nth} is missing: expected {:?}, and the command decided on {:?}", Shown(event), Events(&entries))
            };
            let same = match (recorded_form(event), recorded_form(entry.event())) {
                (Ok(expected), Ok(decided)) => expected == decided,
                (Err(error), _) => {
                    panic!("the expected event {nth} cannot be recorded: {error}: {:?}", Shown(event))
                }
                (_, Err(error)) => panic!("event {nth} cannot be recorded: {error}: {:?}", Shown(entry.event())),
            };
            assert!(same, "event {nth} differs\nexpected: {:?}\n decided: {:?}", Shown(event), Shown(entry.event()));
            if day.is_some() {
                let decided = entry.occurred_on();
                assert!(
                    *day == decided,
                    "event {nth}, {:?}, is of another day\nexpected: {day:?}\n decided: {decided:?}",
                    Shown(event)
                );
            }
        }
        let more = &entries[expected.len()..];
        assert!(more.is_empty(), "{} more events were decided on than expected: {:?}", more.len(), Events(more));
    }
}

struct Events<'a, E>(&'a [Entry<E>]);
impl<E: Event> Debug for Events<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|entry| Shown(entry.event()))).finish()
    }
}

/// An event as a message shows it, for none needs to be `Debug`: its kind and what would be stored of it.
struct Shown<'a, E>(&'a E);
impl<E: Event> Debug for Shown<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = self.0.kind();
        write!(f, "{} v{}", kind.name(), kind.version())?;
        match recorded_form(self.0) {
            Ok((_, payload, personal)) => {
                write!(f, "({})", payload.escape_ascii())?;
                personal.iter().try_for_each(|(field, _)| write!(f, " personal {field}"))
            }
            Err(error) => write!(f, " ({error})"),
        }
    }
}

type Form = ((u16, u16), Vec<u8>, Vec<(u16, sovang_core::event::PersonalPart)>);

fn recorded_form<E: Event>(event: &E) -> Result<Form, CodecError> {
    let mut encoder = Encoder::new();
    event.encode(&mut encoder)?;
    let kind = event.kind();
    let mut personal = encoder.personal_parts().to_vec();
    personal.sort_by_key(|(field, _)| *field);
    Ok(((kind.number(), kind.version()), encoder.payload().to_vec(), personal))
}
