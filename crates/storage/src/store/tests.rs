mod concurrency;
mod crash;
mod images;
mod matching;
mod model;
mod personal;
mod proofs;

use super::*;
use crate::memory::MemoryFiles;
use crate::sim::{Fault, SimFiles};
use sovang_core::event::LedgerEvent;
use sovang_core::personal::{Opened, Personal};
use sovang_core::{Actor, Amends, CodecError, Decoder, Encoder, Envelope, Event, Kind, LedgerId, Query, Tags, date, hash};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// Events with any tags, that may name a person and amend each other.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ev {
    A(Vec<(String, String)>, String),
    B(Vec<(String, String)>, String),
    Member(String, Personal<String>),
    Replace(RecordId, Box<Ev>),
    Retract(RecordId),
}
impl Ev {
    pub(super) const A_KIND: Kind = Kind::new(1, 1, "a");
    pub(super) const B_KIND: Kind = Kind::new(2, 1, "b");
    const MEMBER: Kind = Kind::new(3, 1, "member");
    const REPLACE: Kind = Kind::new(4, 1, "replace");
    const RETRACT: Kind = Kind::new(5, 1, "retract");
}
impl Event for Ev {
    const SCHEMA: &'static str = "example.org/test";
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
            Self::Member(club, name) => {
                to.put(club)?;
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
            Self::A(all, _) | Self::B(all, _) => all.iter().for_each(|(name, value)| tags.add(name, value)),
            Self::Member(club, _) => tags.add("club", club),
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

pub(super) fn a(tags: &[(&str, &str)], text: &str) -> Ev {
    Ev::A(tags.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(), text.to_owned())
}
fn b(tags: &[(&str, &str)], text: &str) -> Ev {
    let Ev::A(tags, text) = a(tags, text) else { unreachable!() };
    Ev::B(tags, text)
}
fn member(subject: &str, name: &str) -> Ev {
    Ev::Member("chess".to_owned(), Personal::of(subject, name.to_owned()))
}
pub(super) fn id(n: u64) -> RecordId {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&n.to_be_bytes());
    RecordId::v7(1_700_000_000_000 + n, random)
}
static SALTS: AtomicU64 = AtomicU64::new(0);
pub(super) fn prepare<E: Event>(event: &E, id: RecordId, on: Option<i32>) -> Prepared {
    let mut salt = || {
        let mut salt = [0; 32];
        hash::stream(&SALTS.fetch_add(1, Ordering::Relaxed).to_le_bytes(), &mut salt);
        Ok(salt)
    };
    Prepared::new(event, id, on, Envelope::by(Actor::new("clerk").unwrap()), None, &[], &mut salt).unwrap()
}
pub(super) fn one(event: &Ev, n: u64) -> Submission {
    all(&[(event, n)], None)
}
pub(super) fn all(events: &[(&Ev, u64)], condition: Option<Condition>) -> Submission {
    let records = events.iter().map(|(event, n)| prepare(*event, id(*n), Some(18_000))).collect();
    Submission { records, condition, recorded_at: None }
}
pub(super) fn options() -> StoreOptions {
    let clock = AtomicI64::new(1_000_000);
    let drawn = AtomicU64::new(0);
    StoreOptions {
        segment_bytes: 1 << 20,
        durability: Durability::Grouped,
        queue: 64,
        cache_bytes: 1 << 20,
        clock: Arc::new(move || clock.fetch_add(1_000, Ordering::Relaxed)),
        utc_offset_seconds: 7 * 3600,
        random: Arc::new(move |bytes| {
            hash::stream(&drawn.fetch_add(1, Ordering::Relaxed).to_le_bytes(), bytes);
            Ok(())
        }),
    }
}
pub(super) fn identity() -> Identity {
    Identity { ledger_id: LedgerId([3; 16]), origin: "example.org/test".to_owned(), schema: Ev::SCHEMA.to_owned() }
}
fn memory() -> (MemoryFiles, Store) {
    let files = MemoryFiles::default();
    let store = Store::create(Arc::new(files.clone()), identity(), options()).unwrap();
    (files, store)
}
pub(super) fn append(store: &Store, submission: Submission) -> Result<Done> {
    store.submit(submission)?.wait()
}
fn positions(done: &Done) -> Vec<u64> {
    done.records.iter().map(|r| r.position.0).collect()
}
pub(super) fn selected(view: &View, query: &Query) -> Vec<u64> {
    let forwards: Vec<u64> = view.select(query, 0..u64::MAX, false).map(|r| r.unwrap().0.0).collect();
    let mut backwards: Vec<u64> = view.select(query, 0..u64::MAX, true).map(|r| r.unwrap().0.0).collect();
    backwards.reverse();
    assert_eq!(forwards, backwards);
    forwards
}
fn kind<T: fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[test]
fn appends_and_reads_back_after_reopening() {
    let (files, store) = memory();
    let tickets: Vec<Ticket> =
        (0..2_000).map(|n| store.submit(one(&a(&[("n", &n.to_string()), ("all", "x")], "text"), n)).unwrap()).collect();
    let done: Vec<Done> = tickets.into_iter().map(|t| t.wait().unwrap()).collect();
    assert_eq!(done.iter().flat_map(positions).collect::<Vec<_>>(), (0..2_000).collect::<Vec<_>>());
    let check = |view: &View| {
        assert_eq!(view.refresh().unwrap().size, Size(2_000));
        assert_eq!(view.find(id(1_234)).unwrap(), Some(Position(1_234)));
        assert_eq!(view.find(id(5_000)).unwrap(), None);
        assert_eq!(view.frame(Position(7)).unwrap().hash(Position(7)), done[7].records[0].hash);
        assert_eq!(selected(view, &Query::tag("n", "77")), [77]);
        assert_eq!(selected(view, &Query::tag("all", "x").tagged("n", "78")), [78]);
        assert_eq!(selected(view, &Query::tag("n", "9").or(Query::tag("n", "5")).or(Query::record(id(6)))), [5, 6, 9]);
        assert_eq!(selected(view, &Query::kind(Ev::A_KIND)).len(), 2_000);
        assert_eq!(selected(view, &Query::kind(Ev::B_KIND)), [0u64; 0]);
        assert_eq!(selected(view, &Query::none()), [0u64; 0]);
        let scanned: Vec<u64> = view.scan(500..1_500).map(|r| r.unwrap().0.0).collect();
        assert_eq!(scanned, (500..1_500).collect::<Vec<_>>());
        assert_eq!(kind(view.frame(Position(2_000))), ErrorKind::NotFound);
        assert!(view.verify(&mut |_, _| {}).unwrap().findings.is_empty());
    };
    check(store.view());
    let reader = View::open(Arc::new(files.clone()), Some(Ev::SCHEMA), &options()).unwrap();
    check(&reader);
    store.close().unwrap();
    assert_eq!(kind(append(&store, one(&a(&[], ""), 9_999))), ErrorKind::Closed);
    check(store.view());
    check(&reader);
    let again = Store::open(Arc::new(files.clone()), options(), Some(Ev::SCHEMA)).unwrap();
    assert_eq!(*again.opening(), Opening::default());
    check(again.view());
    assert_eq!(kind(Store::open(Arc::new(files.clone()), options(), Some(Ev::SCHEMA))), ErrorKind::Locked);
    drop(again);
    assert_eq!(kind(Store::open(Arc::new(files.clone()), options(), Some("example.org/other"))), ErrorKind::WrongSchema);
    assert_eq!(kind(View::open(Arc::new(files), Some("example.org/other"), &options())), ErrorKind::WrongSchema);
}

#[test]
fn the_same_again_is_answered_and_other_content_refused() {
    let (_files, store) = memory();
    let event = a(&[("t", "1")], "one");
    let first = append(&store, one(&event, 1)).unwrap();
    let again = append(&store, one(&event, 1)).unwrap();
    assert_eq!((again.repeated, &again.records), (true, &first.records));
    // Before any condition: what was answered once is answered again.
    let conditional = all(&[(&event, 1)], Some(Query::all().absent()));
    assert!(append(&store, conditional).unwrap().repeated);
    let error = append(&store, one(&a(&[("t", "1")], "two"), 1)).unwrap_err();
    assert_eq!((error.kind(), error.position(), error.ids()), (ErrorKind::ContentDiffers, Some(Position(0)), &[id(1)][..]));
    assert_eq!(kind(append(&store, one(&b(&[("t", "1")], "one"), 1))), ErrorKind::ContentDiffers);
    let other_day = Submission { records: vec![prepare(&event, id(1), Some(18_001))], condition: None, recorded_at: None };
    assert_eq!(kind(append(&store, other_day)), ErrorKind::ContentDiffers);
    let any_day = Submission { records: vec![prepare(&event, id(1), None)], condition: None, recorded_at: None };
    assert!(append(&store, any_day).unwrap().repeated);
    assert_eq!(kind(append(&store, all(&[(&event, 1), (&event, 2)], None))), ErrorKind::PartlyPresent);
    assert_eq!(kind(append(&store, all(&[(&event, 2), (&event, 1)], None))), ErrorKind::PartlyPresent);
    assert_eq!(kind(append(&store, all(&[(&event, 3), (&event, 3)], None))), ErrorKind::InvalidInput);
    assert_eq!(kind(append(&store, all(&[], None))), ErrorKind::InvalidInput);
    assert_eq!(store.view().head().size, Size(1));
}

#[test]
fn times_are_the_clocks_and_never_go_back() {
    let files = MemoryFiles::default();
    let now = Arc::new(AtomicI64::new(5_000));
    let clock = Arc::clone(&now);
    let mut with_clock = options();
    with_clock.clock = Arc::new(move || clock.load(Ordering::Relaxed));
    let store = Store::create(Arc::new(files), identity(), with_clock).unwrap();
    let at = |position| store.view().frame(Position(position)).unwrap().recorded_at();
    append(&store, one(&a(&[], ""), 1)).unwrap();
    now.store(4_000, Ordering::Relaxed);
    append(&store, one(&a(&[], ""), 2)).unwrap();
    // 20:00 UTC is already the next day at +7.
    now.store(20 * 3_600_000_000, Ordering::Relaxed);
    let undated = Submission { records: vec![prepare(&a(&[], ""), id(3), None)], condition: None, recorded_at: None };
    append(&store, undated).unwrap();
    assert_eq!((at(0), at(1), at(2)), (5_000, 5_000, 20 * 3_600_000_000));
    assert_eq!(store.view().frame(Position(2)).unwrap().occurred_on(), 1);
    assert_eq!(store.view().size_at(4_999).unwrap(), Size(0));
    assert_eq!(store.view().size_at(5_000).unwrap(), Size(2));
    assert_eq!(store.view().size_at(i64::MAX).unwrap(), Size(3));
    let mut given = all(&[(&a(&[], ""), 4), (&a(&[], ""), 5)], None);
    given.recorded_at = Some(vec![72_000_000_005, 72_000_000_003]);
    assert_eq!(kind(append(&store, given.clone())), ErrorKind::InvalidInput);
    given.recorded_at = Some(vec![72_000_000_003, i64::MAX]);
    assert_eq!(kind(append(&store, given.clone())), ErrorKind::InvalidInput, "no reader could read it");
    given.recorded_at = Some(vec![72_000_000_003, 72_000_000_005]);
    append(&store, given).unwrap();
    assert_eq!((at(3), at(4)), (72_000_000_003, 72_000_000_005));
}

#[test]
fn other_versions_are_compared_decoded() {
    let (_files, store) = memory();
    append(&store, one(&a(&[], "x"), 1)).unwrap();
    struct Newer;
    impl Event for Newer {
        const SCHEMA: &'static str = "example.org/test";
        const KINDS: &'static [Kind] = &[Kind::new(1, 2, "a")];
        fn kind(&self) -> Kind {
            Self::KINDS[0]
        }
        fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
            to.put("x")
        }
        fn decode(_: u16, _: u16, from: &mut Decoder) -> Result<Self, CodecError> {
            from.take::<String>().map(|_| Self)
        }
    }
    let newer = || Submission { records: vec![prepare(&Newer, id(1), Some(18_000))], condition: None, recorded_at: None };
    assert_eq!(kind(append(&store, newer())), ErrorKind::ContentDiffers);
    store.compare_versions(Arc::new(|record, there| Ok(record.kind() == there.kind())));
    assert!(append(&store, newer()).unwrap().repeated);
}

#[test]
fn blobs_are_whole_or_not_there() {
    let (_files, store) = memory();
    assert_eq!(store.view().blob("snapshots/x").unwrap(), None);
    store.put_blob("snapshots/x", b"one").unwrap();
    store.put_blob("snapshots/x", b"two").unwrap();
    assert_eq!(store.view().blob("snapshots/x").unwrap().unwrap(), b"two");
    assert_eq!(store.view().blob_names("snapshots").unwrap(), ["x"]);
    store.close().unwrap();
    assert_eq!(kind(store.put_blob("snapshots/x", b"three")), ErrorKind::Closed);
    assert_eq!(store.view().blob("snapshots/x").unwrap().unwrap(), b"two");
}
