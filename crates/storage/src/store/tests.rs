mod crash;
mod model;

use super::*;
use crate::memory::MemoryFiles;
use crate::sim::{Fault, SimFiles};
use sovang_core::event::LedgerEvent;
use sovang_core::personal::{Opened, Personal};
use sovang_core::{
    Actor, Amends, CodecError, Decoder, Encoder, Envelope, Event, Kind, LedgerId, Query, Tags,
    date, hash,
};
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
    const KINDS: &'static [Kind] = &[
        Self::A_KIND,
        Self::B_KIND,
        Self::MEMBER,
        Self::REPLACE,
        Self::RETRACT,
    ];
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
            Self::A(all, _) | Self::B(all, _) => {
                all.iter().for_each(|(name, value)| tags.add(name, value))
            }
            Self::Member(club, _) => tags.add("club", club),
            Self::Replace(_, by) => by.tags(tags),
            Self::Retract(_) => {}
        }
    }
    fn amends(&self) -> Option<Amends<'_, Self>> {
        match self {
            Self::Replace(target, by) => Some(Amends::Replaces {
                target: *target,
                on: date(2020, 1, 1),
                by,
            }),
            Self::Retract(target) => Some(Amends::Retracts { target: *target }),
            _ => None,
        }
    }
}

pub(super) fn a(tags: &[(&str, &str)], text: &str) -> Ev {
    Ev::A(
        tags.iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect(),
        text.to_owned(),
    )
}
fn b(tags: &[(&str, &str)], text: &str) -> Ev {
    let Ev::A(tags, text) = a(tags, text) else {
        unreachable!()
    };
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
        hash::stream(
            &SALTS.fetch_add(1, Ordering::Relaxed).to_le_bytes(),
            &mut salt,
        );
        Ok(salt)
    };
    Prepared::new(
        event,
        id,
        on,
        Envelope::by(Actor::new("clerk").unwrap()),
        None,
        &[],
        &mut salt,
    )
    .unwrap()
}
pub(super) fn one(event: &Ev, n: u64) -> Submission {
    all(&[(event, n)], None)
}
pub(super) fn all(events: &[(&Ev, u64)], condition: Option<Condition>) -> Submission {
    let records = events
        .iter()
        .map(|(event, n)| prepare(*event, id(*n), Some(18_000)))
        .collect();
    Submission {
        records,
        condition,
        recorded_at: None,
    }
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
    Identity {
        ledger_id: LedgerId([3; 16]),
        origin: "example.org/test".to_owned(),
        schema: Ev::SCHEMA.to_owned(),
    }
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
    let forwards: Vec<u64> = view
        .select(query, 0..u64::MAX, false)
        .map(|r| r.unwrap().0.0)
        .collect();
    let mut backwards: Vec<u64> = view
        .select(query, 0..u64::MAX, true)
        .map(|r| r.unwrap().0.0)
        .collect();
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
    let tickets: Vec<Ticket> = (0..2_000)
        .map(|n| {
            store
                .submit(one(&a(&[("n", &n.to_string()), ("all", "x")], "text"), n))
                .unwrap()
        })
        .collect();
    let done: Vec<Done> = tickets.into_iter().map(|t| t.wait().unwrap()).collect();
    assert_eq!(
        done.iter().flat_map(positions).collect::<Vec<_>>(),
        (0..2_000).collect::<Vec<_>>()
    );
    let check = |view: &View| {
        assert_eq!(view.refresh().unwrap().size, Size(2_000));
        assert_eq!(view.find(id(1_234)).unwrap(), Some(Position(1_234)));
        assert_eq!(view.find(id(5_000)).unwrap(), None);
        assert_eq!(
            view.frame(Position(7)).unwrap().hash(Position(7)),
            done[7].records[0].hash
        );
        assert_eq!(selected(view, &Query::tag("n", "77")), [77]);
        assert_eq!(
            selected(view, &Query::tag("all", "x").tagged("n", "78")),
            [78]
        );
        assert_eq!(
            selected(
                view,
                &Query::tag("n", "9")
                    .or(Query::tag("n", "5"))
                    .or(Query::record(id(6)))
            ),
            [5, 6, 9]
        );
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
    assert_eq!(
        kind(append(&store, one(&a(&[], ""), 9_999))),
        ErrorKind::Closed
    );
    check(store.view());
    check(&reader);
    let again = Store::open(Arc::new(files.clone()), options(), Some(Ev::SCHEMA)).unwrap();
    assert_eq!(*again.opening(), Opening::default());
    check(again.view());
    assert_eq!(
        kind(Store::open(
            Arc::new(files.clone()),
            options(),
            Some(Ev::SCHEMA)
        )),
        ErrorKind::Locked
    );
    drop(again);
    assert_eq!(
        kind(Store::open(
            Arc::new(files.clone()),
            options(),
            Some("example.org/other")
        )),
        ErrorKind::WrongSchema
    );
    assert_eq!(
        kind(View::open(
            Arc::new(files),
            Some("example.org/other"),
            &options()
        )),
        ErrorKind::WrongSchema
    );
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
    assert_eq!(
        (error.kind(), error.position(), error.ids()),
        (ErrorKind::ContentDiffers, Some(Position(0)), &[id(1)][..])
    );
    assert_eq!(
        kind(append(&store, one(&b(&[("t", "1")], "one"), 1))),
        ErrorKind::ContentDiffers
    );
    let other_day = Submission {
        records: vec![prepare(&event, id(1), Some(18_001))],
        condition: None,
        recorded_at: None,
    };
    assert_eq!(kind(append(&store, other_day)), ErrorKind::ContentDiffers);
    let any_day = Submission {
        records: vec![prepare(&event, id(1), None)],
        condition: None,
        recorded_at: None,
    };
    assert!(append(&store, any_day).unwrap().repeated);
    assert_eq!(
        kind(append(&store, all(&[(&event, 1), (&event, 2)], None))),
        ErrorKind::PartlyPresent
    );
    assert_eq!(
        kind(append(&store, all(&[(&event, 2), (&event, 1)], None))),
        ErrorKind::PartlyPresent
    );
    assert_eq!(
        kind(append(&store, all(&[(&event, 3), (&event, 3)], None))),
        ErrorKind::InvalidInput
    );
    assert_eq!(
        kind(append(&store, all(&[], None))),
        ErrorKind::InvalidInput
    );
    assert_eq!(store.view().head().size, Size(1));
}

#[test]
fn conditions_see_log_and_group() {
    let (_files, store) = memory();
    append(&store, one(&a(&[("m", "1")], ""), 1)).unwrap();
    let absent = |tag: &str| Some(Query::tag("m", tag).absent());
    let error = append(&store, all(&[(&a(&[("m", "1")], "x"), 2)], absent("1"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(
        error.conflict().map(|c| (c.position, c.looked_at)),
        Some((Position(0), Size(0)))
    );
    append(&store, all(&[(&a(&[("m", "2")], "x"), 3)], absent("2"))).unwrap();
    // Many in flight, so that groups form: of each pair exactly one wins.
    let tickets: Vec<Ticket> = (0..400)
        .map(|n| {
            let tag = format!("pair-{}", n / 2);
            store
                .submit(all(&[(&a(&[("m", &tag)], ""), 100 + n)], absent(&tag)))
                .unwrap()
        })
        .collect();
    let won: Vec<bool> = tickets
        .into_iter()
        .map(|t| t.wait().map(|d| d.repeated).map_err(|e| e.kind()) == Ok(false))
        .collect();
    assert!(won.chunks(2).all(|pair| pair == [true, false]));
    assert_eq!(store.view().head().size, Size(202));
    let everything = |size| Some(Query::all().unchanged_since(Size(size)));
    assert_eq!(
        kind(append(&store, all(&[(&b(&[], ""), 900)], everything(201)))),
        ErrorKind::Conflict
    );
    append(&store, all(&[(&b(&[], ""), 900)], everything(202))).unwrap();
    assert_eq!(
        kind(append(&store, all(&[(&b(&[], ""), 901)], everything(204)))),
        ErrorKind::InvalidInput
    );
    let no_b = Some(Query::kind(Ev::B_KIND).absent());
    assert_eq!(
        kind(append(&store, all(&[(&b(&[], ""), 902)], no_b))),
        ErrorKind::Conflict
    );
}

#[test]
fn amendments_are_found_under_what_they_amend() {
    let (files, store) = memory();
    append(&store, one(&a(&[("loan", "1")], "as first said"), 1)).unwrap();
    let moved = Ev::Replace(id(1), Box::new(a(&[("loan", "2")], "other loan")));
    append(&store, one(&moved, 2)).unwrap();
    append(&store, one(&b(&[("loan", "3")], ""), 3)).unwrap();
    append(&store, one(&Ev::Retract(id(1)), 4)).unwrap();
    let check = |view: &View| {
        assert_eq!(selected(view, &Query::tag("loan", "1")), [0, 1, 3]);
        assert_eq!(selected(view, &Query::tag("loan", "2")), [1, 3]);
        assert_eq!(selected(view, &Query::tag("loan", "3")), [2]);
        assert_eq!(selected(view, &Query::kind(Ev::A_KIND)), [0, 1, 3]);
        assert_eq!(
            selected(view, &Query::kind(Ev::A_KIND).tagged("loan", "2")),
            [1, 3]
        );
        assert_eq!(selected(view, &Query::kind(Ev::REPLACE)), [1, 3]);
        assert_eq!(selected(view, &Query::record(id(1))), [0, 1, 3]);
        assert_eq!(
            view.amendments(id(1), Position(u64::MAX)).unwrap(),
            [Position(1), Position(3)]
        );
        assert_eq!(view.amendments(id(1), Position(3)).unwrap(), [Position(1)]);
    };
    check(store.view());
    let conflict = append(
        &store,
        all(
            &[(&a(&[], ""), 5)],
            Some(Query::tag("loan", "1").unchanged_since(Size(1))),
        ),
    )
    .unwrap_err();
    assert_eq!(conflict.conflict().unwrap().position, Position(3));
    for wrong in [Ev::Retract(id(77)), Ev::Retract(id(2)), Ev::Retract(id(6))] {
        let error = append(&store, one(&wrong, 6)).unwrap_err();
        assert_eq!(
            (error.kind(), error.ids()),
            (ErrorKind::AmendmentTarget, &[id(6)][..])
        );
    }
    store.close().unwrap();
    check(&View::open(Arc::new(files.clone()), None, &options()).unwrap());
    // Without an index the same is derived again.
    for name in files.list("index").unwrap_or_default() {
        files.remove(&format!("index/{name}")).unwrap();
    }
    check(&View::open(Arc::new(files.clone()), None, &options()).unwrap());
    check(
        Store::open(Arc::new(files), options(), None)
            .unwrap()
            .view(),
    );
}

#[test]
fn amendments_within_one_group_derive_from_each_other() {
    let (_files, store) = memory();
    let original = a(&[("loan", "1")], "");
    let moved = Ev::Replace(id(1), Box::new(b(&[("loan", "2")], "")));
    let retracted = Ev::Retract(id(1));
    append(
        &store,
        all(&[(&original, 1), (&moved, 2), (&retracted, 3)], None),
    )
    .unwrap();
    assert_eq!(selected(store.view(), &Query::tag("loan", "1")), [0, 1, 2]);
    assert_eq!(selected(store.view(), &Query::tag("loan", "2")), [1, 2]);
    // In flight together: the condition sees what the retraction is found under.
    let first = store.submit(one(&a(&[("loan", "9")], ""), 10)).unwrap();
    let second = store.submit(one(&Ev::Retract(id(10)), 11)).unwrap();
    let third = store
        .submit(all(
            &[(&a(&[], ""), 12)],
            Some(Query::tag("loan", "9").unchanged_since(Size(4))),
        ))
        .unwrap();
    assert!(first.wait().is_ok() && second.wait().is_ok());
    assert_eq!(
        third.wait().unwrap_err().conflict().unwrap().position,
        Position(4)
    );
}

#[test]
fn erasing_a_subject() {
    let (files, store) = memory();
    append(
        &store,
        all(
            &[
                (&member("citizen:1", "Lan"), 1),
                (&member("citizen:2", "Minh"), 2),
            ],
            None,
        ),
    )
    .unwrap();
    let commitment =
        |view: &View, position| view.frame(Position(position)).unwrap().commitments()[0].1;
    let known = |view: &View, position: u64| view.open_value(&commitment(view, position)).unwrap();
    assert!(matches!(known(store.view(), 0), Opened::Known { .. }));
    assert!(
        append(&store, one(&member("citizen:1", "Lan"), 1))
            .unwrap()
            .repeated,
        "another salt, the same content"
    );
    assert_eq!(
        kind(append(&store, one(&member("citizen:1", "Hoa"), 1))),
        ErrorKind::ContentDiffers
    );
    assert_eq!(
        kind(append(&store, one(&member("citizen:3", "Lan"), 1))),
        ErrorKind::ContentDiffers
    );
    let subject = SubjectId::new("citizen:1").unwrap();
    let erase = |n| {
        store.erase(&subject, |handle| {
            Ok(prepare(
                &LedgerEvent::SubjectErased {
                    handle,
                    basis: "art. 14".to_owned(),
                },
                id(n),
                Some(1),
            ))
        })
    };
    let root = store.view().root_at(Size(2)).unwrap();
    let done = erase(50).unwrap();
    assert_eq!((positions(&done), done.repeated), (vec![2], false));
    let again = erase(51).unwrap();
    assert_eq!((&again.records, again.repeated), (&done.records, true));
    assert_eq!(known(store.view(), 0), Opened::Erased);
    assert!(matches!(known(store.view(), 1), Opened::Known { .. }));
    assert_eq!(store.view().root_at(Size(2)).unwrap(), root);
    let error = append(
        &store,
        all(&[(&a(&[], ""), 8), (&member("citizen:1", "Lan"), 9)], None),
    )
    .unwrap_err();
    assert_eq!(
        (error.kind(), error.ids()),
        (ErrorKind::ErasedSubject, &[id(9)][..])
    );
    assert!(
        append(&store, one(&member("citizen:1", "Anything"), 1))
            .unwrap()
            .repeated,
        "an erased value matches anything"
    );
    assert_eq!(
        kind(store.erase(&SubjectId::new("citizen:9").unwrap(), |_| unreachable!())),
        ErrorKind::NotFound
    );
    assert_eq!(
        selected(store.view(), &Query::all()),
        [0, 1],
        "a record of the ledger itself matches nothing"
    );
    assert_eq!(store.view().scan(0..9).count(), 3);
    assert_eq!(
        kind(append(&store, one(&Ev::Retract(id(50)), 60))),
        ErrorKind::AmendmentTarget
    );
    store.close().unwrap();
    assert!(
        View::open(Arc::new(files.clone()), None, &options())
            .unwrap()
            .verify(&mut |_, _| {})
            .unwrap()
            .findings
            .is_empty()
    );
    // A copy without a vault is sealed, and takes no personal data.
    files.remove("vault/keys").unwrap();
    files.remove("vault/rows").unwrap();
    assert_eq!(
        kind(Store::open(Arc::new(files), options(), None)),
        ErrorKind::Damaged
    );
}

#[test]
fn a_restored_vault_is_erased_again() {
    let (files, store) = memory();
    append(&store, one(&member("citizen:1", "Lan"), 1)).unwrap();
    store.close().unwrap();
    let backup = files.fork();
    let store = Store::open(Arc::new(files.clone()), options(), None).unwrap();
    let subject = SubjectId::new("citizen:1").unwrap();
    store
        .erase(&subject, |handle| {
            Ok(prepare(
                &LedgerEvent::SubjectErased {
                    handle,
                    basis: "x".to_owned(),
                },
                id(5),
                Some(1),
            ))
        })
        .unwrap();
    store.close().unwrap();
    for name in ["vault/keys", "vault/rows"] {
        let old = blobs::blob_read(&backup, name).unwrap().unwrap();
        blobs::blob_write(&files, name, &old).unwrap();
    }
    let commitment = store.view().frame(Position(0)).unwrap().commitments()[0].1;
    let reader = View::open(Arc::new(files.clone()), None, &options()).unwrap();
    assert_eq!(reader.open_value(&commitment).unwrap(), Opened::Erased);
    let store = Store::open(Arc::new(files.clone()), options(), None).unwrap();
    assert_eq!(
        store.view().open_value(&commitment).unwrap(),
        Opened::Erased
    );
    store.close().unwrap();
    let vault = Vault::open(&files, identity().ledger_id, false)
        .unwrap()
        .unwrap();
    assert_eq!(vault.value(&commitment).unwrap(), Opened::Erased);
}

#[test]
fn times_are_the_clocks_and_never_go_back() {
    let files = MemoryFiles::default();
    let now = Arc::new(AtomicI64::new(5_000));
    let clock = Arc::clone(&now);
    let mut with_clock = options();
    with_clock.clock = Arc::new(move || clock.load(Ordering::Relaxed));
    let store = Store::create(Arc::new(files), identity(), with_clock).unwrap();
    let at = |position| {
        store
            .view()
            .frame(Position(position))
            .unwrap()
            .recorded_at()
    };
    append(&store, one(&a(&[], ""), 1)).unwrap();
    now.store(4_000, Ordering::Relaxed);
    append(&store, one(&a(&[], ""), 2)).unwrap();
    // 20:00 UTC is already the next day at +7.
    now.store(20 * 3_600_000_000, Ordering::Relaxed);
    let undated = Submission {
        records: vec![prepare(&a(&[], ""), id(3), None)],
        condition: None,
        recorded_at: None,
    };
    append(&store, undated).unwrap();
    assert_eq!((at(0), at(1), at(2)), (5_000, 5_000, 20 * 3_600_000_000));
    assert_eq!(store.view().frame(Position(2)).unwrap().occurred_on(), 1);
    assert_eq!(store.view().size_at(4_999).unwrap(), Size(0));
    assert_eq!(store.view().size_at(5_000).unwrap(), Size(2));
    assert_eq!(store.view().size_at(i64::MAX).unwrap(), Size(3));
    let mut given = all(&[(&a(&[], ""), 4), (&a(&[], ""), 5)], None);
    given.recorded_at = Some(vec![72_000_000_005, 72_000_000_003]);
    assert_eq!(kind(append(&store, given.clone())), ErrorKind::InvalidInput);
    given.recorded_at = Some(vec![72_000_000_003, 72_000_000_005]);
    append(&store, given).unwrap();
    assert_eq!((at(3), at(4)), (72_000_000_003, 72_000_000_005));
}

#[test]
fn readers_follow_a_live_writer_and_waiters_are_woken() {
    let (files, store) = memory();
    let reader = View::open(Arc::new(files), None, &options()).unwrap();
    let view = store.view().clone();
    let waiter = std::thread::spawn(move || {
        view.wait_beyond(Size(0), Duration::from_secs(60));
        view.head().size
    });
    for n in 0..300 {
        append(&store, one(&a(&[("n", &n.to_string())], ""), n)).unwrap();
        if n % 50 == 0 {
            assert_eq!(reader.refresh().unwrap().size, Size(n + 1));
            assert_eq!(selected(&reader, &Query::tag("n", n.to_string())), [n]);
            assert_eq!(
                reader.root_at(Size(n + 1)).unwrap(),
                store.view().head().root
            );
        }
    }
    assert!(waiter.join().unwrap() >= Size(1));
    assert_eq!(reader.refresh().unwrap(), store.view().head());
    for size in [0, 1, 7, 255, 256, 257, 299] {
        assert_eq!(
            reader.root_at(Size(size)).unwrap(),
            store.view().root_at(Size(size)).unwrap()
        );
    }
    assert_eq!(kind(reader.root_at(Size(301))), ErrorKind::NotFound);
}

#[test]
fn a_full_queue_blocks_or_says_busy_and_a_ticket_is_a_future() {
    let files = SimFiles::new();
    let mut small = options();
    small.queue = 1;
    let store = Arc::new(Store::create(Arc::new(files), identity(), small).unwrap());
    let mut busy = 0;
    let mut tickets = Vec::new();
    for n in 0..2_000 {
        match store.try_submit(one(&a(&[], ""), n)) {
            Ok(ticket) => tickets.push(ticket),
            Err(error) => {
                assert_eq!((error.kind(), error.ids()), (ErrorKind::Busy, &[id(n)][..]));
                busy += 1;
            }
        }
    }
    let taken = tickets.len();
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    assert_eq!(
        (store.view().head().size, busy),
        (Size(taken as u64), 2_000 - taken)
    );
    let threads: Vec<_> = (0..8)
        .map(|t| {
            let store = Arc::clone(&store);
            std::thread::spawn(move || {
                (0..100).for_each(|n| {
                    drop(append(&store, one(&a(&[], ""), 10_000 + t * 1_000 + n)).unwrap())
                })
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
    assert_eq!(store.view().head().size, Size(taken as u64 + 800));
    let mut ticket = store.submit(one(&a(&[], ""), 99_999)).unwrap();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let answer = loop {
        match std::future::Future::poll(std::pin::Pin::new(&mut ticket), &mut context) {
            std::task::Poll::Ready(answer) => break answer,
            std::task::Poll::Pending => std::thread::yield_now(),
        }
    };
    assert!(!answer.unwrap().repeated);
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
    let newer = || Submission {
        records: vec![prepare(&Newer, id(1), Some(18_000))],
        condition: None,
        recorded_at: None,
    };
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
    store.remove_blob("snapshots/x").unwrap();
    assert_eq!(store.view().blob("snapshots/x").unwrap(), None);
}
