//! A record's bytes: what goes in comes out, no bytes make the parser panic, and no bit changes unnoticed.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test program")]

mod common;

use bytes::Bytes;
use common::{Club, counting};
use proptest::prelude::*;
use sovang_core::ids::Commitment;
use sovang_core::personal::Opened;
use sovang_core::record::{Frame, PersonalValue, Prepared, flags};
use sovang_core::{
    Actor, CodecError, Decoder, Encoder, Envelope, Event, Kind, Override, Personal, Position, RawEvent, RecordId, Recorded, Tags,
    calendar, codec, limits,
};

const AT: Position = Position(7);

fn text() -> impl Strategy<Value = String> {
    // From à to ỹ there is a space too, U+1680: a text of nothing else would be blank.
    "[a-z][a-zà-ỹ0-9:/-]{0,19}"
}
fn personal<T: Clone + std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Personal<T>> {
    proptest::option::of((text(), value))
        .prop_map(|given| given.map_or(Personal::None, |(subject, value)| Personal::of(subject, value)))
}
prop_compose! {
    fn joined()(seats in any::<u32>(), club in "[A-Z]{0,9}", name in personal(any::<String>()), owes in personal(any::<i32>())) -> Club {
        Club::Joined { seats, club, name, owes }
    }
}
fn event() -> impl Strategy<Value = Club> {
    let day = -700_000i32..700_000;
    prop_oneof![
        joined(),
        (joined(), 0u8..200, day).prop_map(|(by, target, day)| Club::Moved {
            target: counting(target),
            on: calendar::date_of(day).expect("a day"),
            by: Box::new(by)
        }),
        (0u8..200).prop_map(|target| Club::Left { target: counting(target) }),
    ]
}
prop_compose! {
    fn envelope()(actor in text(), source in proptest::option::of(text()), correlation in proptest::option::of(text()), causation in proptest::option::of(0u8..200)) -> Envelope {
        Envelope { actor: Actor::new(actor).expect("a name"), source, correlation, causation: causation.map(counting) }
    }
}
fn overriding() -> impl Strategy<Value = Option<Override>> {
    let rules = proptest::collection::btree_set(any::<u16>(), 1..5);
    proptest::option::of((rules, text()).prop_map(|(rules, reason)| Override { rules: rules.into_iter().collect(), reason }))
}
prop_compose! {
    fn prepared()(event in event(), envelope in envelope(), overriding in overriding(), id in 0u8..200, day in proptest::option::of(-700_000i32..700_000), at in -1i64 << 50..1 << 50) -> (Club, Envelope, Option<Override>, Prepared) {
        let mut salts = 0u8;
        let mut salt = || { salts += 1; Ok([salts; 32]) };
        let mut prepared = Prepared::new(&event, counting(id), day, envelope.clone(), overriding.clone(), &[], &mut salt).expect("prepared");
        prepared.stamp(at, 20_010);
        (event, envelope, overriding, prepared)
    }
}

fn frame_of(prepared: &Prepared) -> Frame {
    Frame::parse(Bytes::copy_from_slice(prepared.bytes())).expect("its own bytes")
}

/// Everything that may be asked of a frame; none of it may panic.
fn ask_everything(bytes: Bytes) {
    let Ok(frame) = Frame::parse(bytes) else {
        return;
    };
    let _ = (frame.metadata(), frame.tags(), frame.commitments(), frame.hash(AT), frame.payload_bytes());
    let _ = Recorded::<Club>::decode(AT, frame.clone(), None);
    let opener = |_: &Commitment| Ok(Opened::Known { subject: sovang_core::SubjectId::new("a")?, salt: [0; 32], value: vec![] });
    let _ = Recorded::<Club>::decode(AT, frame.clone(), Some(&opener));
    let raw = Recorded::<RawEvent>::decode(AT, frame.clone(), None);
    if let Ok(raw) = raw {
        assert_eq!(raw.event.payload, frame.payload());
    }
}

proptest! {
    #[test]
    fn what_goes_in_comes_out((event, envelope, overriding, prepared) in prepared()) {
        let frame = frame_of(&prepared);
        prop_assert_eq!(frame.hash(AT), prepared.hash(AT));
        prop_assert_eq!(Frame::length(prepared.bytes()).unwrap(), Some(prepared.len()));
        prop_assert_eq!(frame.kind(), event.kind().number());
        prop_assert_eq!(frame.version(), event.kind().version());
        prop_assert_eq!(frame.id(), prepared.id());
        prop_assert_eq!(frame.tags(), Tags::of(&event).unwrap());
        prop_assert_eq!(frame.tags(), prepared.tags().to_vec());
        prop_assert!(frame.tags().iter().all(|tag| frame.has_tag(tag)));
        let metadata = frame.metadata().unwrap();
        prop_assert_eq!(metadata.target, event.amends().map(|a| a.target()));
        prop_assert_eq!(frame.is_retraction(), matches!(event, Club::Left { .. }));
        prop_assert_eq!(frame.is_amendment(), event.amends().is_some());
        prop_assert_eq!(frame.flags() & flags::PRIVATE != 0, !prepared.personal().is_empty());
        let rows: Vec<_> = prepared.personal().iter().map(|row| (row.field, row.commitment)).collect();
        prop_assert_eq!(frame.commitments(), rows);
        prop_assert_eq!(prepared.same_public_content(&frame), Some(true));

        // With the vault's values the event is whole again; without them its personal fields are sealed.
        let opener = |c: &Commitment| {
            let row = prepared.personal().iter().find(|row| row.commitment == *c).expect("committed to");
            let PersonalValue { subject, salt, value } = row.value.clone().expect("given");
            Ok(Opened::Known { subject, salt, value })
        };
        let recorded = Recorded::<Club>::decode(AT, frame.clone(), Some(&opener)).unwrap();
        prop_assert_eq!(&recorded.event, &event);
        prop_assert_eq!(recorded.overriding, overriding);
        prop_assert_eq!(
            (recorded.actor, recorded.source, recorded.correlation, recorded.causation),
            (envelope.actor, envelope.source, envelope.correlation, envelope.causation)
        );
        prop_assert_eq!(calendar::days_of(recorded.occurred_on), frame.occurred_on());
        prop_assert_eq!(calendar::micros_of(recorded.recorded_at), frame.recorded_at());
        let sealed = Recorded::<Club>::decode(AT, frame, None).unwrap();
        prop_assert_eq!(sealed.event == event, prepared.personal().is_empty());
    }

    #[test]
    fn another_value_than_the_one_committed_to_is_refused((_, _, _, prepared) in prepared()) {
        prop_assume!(!prepared.personal().is_empty());
        let opener = |c: &Commitment| {
            let row = prepared.personal().iter().find(|row| row.commitment == *c).expect("committed to");
            let PersonalValue { subject, salt, mut value } = row.value.clone().expect("given");
            value[0] ^= 1;
            Ok(Opened::Known { subject, salt, value })
        };
        let refused = Recorded::<Club>::decode(AT, frame_of(&prepared), Some(&opener)).unwrap_err();
        prop_assert!(matches!(refused, CodecError::PersonalMismatch { .. }), "{:?}", refused);
    }

    #[test]
    fn noise_never_panics(noise in proptest::collection::vec(any::<u8>(), 0..300), fitting in any::<bool>()) {
        let mut bytes = noise;
        if fitting && bytes.len() >= 40 {
            // A length that fits and flags that exist reach further into the parser.
            let body = u32::try_from(bytes.len() - 40).expect("small");
            bytes[..4].copy_from_slice(&body.to_le_bytes());
            let flags = bytes[8] & 6;
            bytes[8..12].copy_from_slice(&[flags, 0, 0, 0]);
            if let Some(high) = bytes.get_mut(41) { *high = 0 }
            if let Some(count) = bytes.get_mut(42) { *count &= 1 }
        }
        let _ = Frame::length(&bytes);
        ask_everything(bytes.into());
    }

    #[test]
    fn changed_frames_never_panic((_, _, _, prepared) in prepared(), changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..4), cut in any::<usize>(), extra in 0usize..3) {
        let mut bytes = prepared.bytes().to_vec();
        for (at, value) in changes {
            let len = bytes.len();
            bytes[at % len] = value;
        }
        ask_everything(bytes.clone().into());
        bytes.truncate(cut % (bytes.len() + 1));
        bytes.extend(vec![0; extra]);
        ask_everything(bytes.into());
    }

    #[test]
    fn a_cut_or_longer_frame_is_refused((_, _, _, prepared) in prepared(), cut in any::<usize>()) {
        let bytes = prepared.bytes();
        prop_assert!(Frame::parse(Bytes::copy_from_slice(&bytes[..cut % bytes.len()])).is_err());
        let longer = [bytes, &[0]].concat();
        prop_assert!(Frame::parse(longer.into()).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_flipped_bit_is_refused_or_changes_the_hash((_, _, _, prepared) in prepared()) {
        let hash = prepared.hash(AT);
        for bit in 0..prepared.len() * 8 {
            let mut bytes = prepared.bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(frame) = Frame::parse(bytes.into()) {
                prop_assert_ne!(frame.hash(AT), hash, "bit {}", bit);
            }
        }
        prop_assert_ne!(frame_of(&prepared).hash(Position(AT.0 + 1)), hash, "the position is hashed too");
    }
}

fn raw(event: &impl Event, id: RecordId) -> sovang_core::Result<Prepared> {
    Prepared::new(event, id, Some(0), Envelope::by(Actor::new("a")?), None, &[], &mut || Ok([0; 32]))
}

/// An event that holds another of itself, for ever.
#[derive(Debug)]
struct Nest(Option<Box<Nest>>);
impl Event for Nest {
    const SCHEMA: &'static str = "example.org/nests";
    const KINDS: &'static [Kind] = &[Kind::new(1, 1, "nest"), Kind::new(2, 1, "egg")];
    fn kind(&self) -> Kind {
        Self::KINDS[usize::from(self.0.is_none())]
    }
    fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
        self.0.as_ref().map_or(Ok(()), |inner| to.put_event(&**inner))
    }
    fn decode(number: u16, _: u16, from: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self(if number == 1 { Some(Box::new(from.take_event()?)) } else { None }))
    }
}
fn nest(depth: usize) -> Nest {
    (0..depth).fold(Nest(None), |inner, _| Nest(Some(Box::new(inner))))
}

#[test]
fn events_within_one_another_end() {
    let id = counting(0);
    let deepest = frame_of(&raw(&nest(limits::EVENT_DEPTH_MAX), id).unwrap());
    assert!(Recorded::<Nest>::decode(AT, deepest, None).is_ok());
    assert!(raw(&nest(limits::EVENT_DEPTH_MAX + 1), id).is_err());
    let payload: Vec<u8> = [1, 0, 1, 0].repeat(200_000);
    let bottomless = frame_of(&raw(&RawEvent { number: 1, version: 1, payload: payload.into() }, id).unwrap());
    let refused = Recorded::<Nest>::decode(AT, bottomless, None).unwrap_err();
    assert!(matches!(refused, CodecError::TooLong { .. }), "{refused}");
}

#[test]
fn a_frame_over_the_limit_is_refused() {
    let payload = |bytes: usize| RawEvent { number: 1, version: 1, payload: vec![0; bytes].into() };
    let overhead = raw(&payload(0), counting(0)).unwrap().len();
    let largest = raw(&payload(limits::RECORD_BYTES_MAX - overhead), counting(0)).unwrap();
    assert_eq!(frame_of(&largest).bytes().len(), limits::RECORD_BYTES_MAX);
    let error = raw(&payload(limits::RECORD_BYTES_MAX - overhead + 1), counting(0)).unwrap_err();
    assert!(error.message().contains("RECORD_BYTES_MAX"), "{error}");
    assert_eq!(error.ids(), [counting(0)]);
    let mut claims = largest.bytes().to_vec();
    claims[..4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(Frame::length(&claims), Err(CodecError::TooLong { .. })));
}

#[test]
fn flags_tags_and_fields_out_of_order_are_refused() {
    let event = Club::Joined { seats: 1, club: "C".into(), name: Personal::of("x", "n"), owes: Personal::of("x", 1) };
    let good = raw(&event, counting(0)).unwrap().bytes().to_vec();
    let parse = |bytes: Vec<u8>| Frame::parse(bytes.into());
    assert!(parse(good.clone()).is_ok());
    let flagged = |flags: u32| {
        let mut bytes = good.clone();
        bytes[8..12].copy_from_slice(&flags.to_le_bytes());
        parse(bytes)
    };
    assert!(flagged(flags::PRIVATE | 8).is_err(), "an unknown flag");
    assert!(flagged(flags::PRIVATE | flags::REPLACES | flags::RETRACTS).is_err(), "both amendments");
    assert!(flagged(0).is_err(), "a private section without its flag");
    // The flag says amendment, the metadata name no target.
    assert!(flagged(flags::PRIVATE | flags::REPLACES).unwrap().metadata().is_err());

    let metadata = usize::from(u16::from_le_bytes([good[40], good[41]]));
    let (tags, fields) = (43 + metadata, good.len() - 2 * 34);
    let swapped = |at: usize, width: usize| {
        let mut bytes = good.clone();
        let (first, second) = bytes[at..at + 2 * width].split_at_mut(width);
        first.swap_with_slice(second);
        parse(bytes)
    };
    assert!(swapped(tags, 16).is_err(), "tags that descend");
    assert!(swapped(fields, 34).is_err(), "fields that descend");
    let mut twice = good.clone();
    twice.copy_within(tags..tags + 16, tags + 16);
    assert!(parse(twice).is_err(), "the same tag twice");
}

#[test]
fn values_that_cannot_be_recorded_are_refused() {
    let event = |name| Club::Joined { seats: 1, club: "C".into(), name, owes: Personal::None };
    for name in [Personal::Erased, Personal::Sealed] {
        let error = raw(&event(name), counting(0)).unwrap_err();
        assert!(error.message().contains("personal field 1"), "{error}");
    }
    let long = "x".repeat(limits::PERSONAL_VALUE_BYTES_MAX);
    assert!(raw(&event(Personal::of("x", long)), counting(0)).is_err());
    assert!(codec::encode(&"x".repeat(limits::RECORD_BYTES_MAX)).is_err());
}
