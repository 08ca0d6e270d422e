//! Erasing a person: gone from every copy's reading, and no figure, hash or proof the wiser.

use crate::loan::{Balance, DAY, Loan, ORIGIN, RepaidByYear, corrected, fixed, in_memory, moves, opened, play, signed};
use proptest::prelude::*;
use sovang::personal::Opened;
use sovang::{
    Actor, Command, Entry, Envelope, ErrorKind, Event, ExecuteError, Import, Ledger, NoRules, Personal, Position, Query, Reader,
    RecordId, Size,
};
use std::path::Path;

fn borrower(reader: &Reader<Loan>, position: u64) -> Personal<String> {
    match reader.get(Position(position)).unwrap().event {
        Loan::Signed { borrower, .. } => borrower,
        Loan::Corrected { by, .. } => match *by {
            Loan::Signed { borrower, .. } => borrower,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}
/// Files of the directory, all the way down, that hold these bytes.
fn files_with(needle: &[u8], directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(needle, &path));
        } else if std::fs::read(&path).unwrap().windows(needle.len()).any(|window| window == needle) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn an_erased_person_is_erased_everywhere() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("book");
    let ledger = fixed().0.create::<Loan>(&dir, ORIGIN).unwrap();
    let desk = ledger.by("teller:1");
    desk.record(opened("L-1", 50).on(DAY)).unwrap();
    let guaranteed = Loan::Signed {
        loan: "L-1".into(),
        borrower: Personal::of("citizen:1", "Trần Thị B"),
        guarantor: Personal::of("citizen:2", "Name-of-2"),
    };
    let first = desk.record(guaranteed.clone().on(DAY).with_id(RecordId::from_bytes([1; 16]))).unwrap();
    desk.record(corrected(&first, DAY, signed("L-1", 1)).on(DAY)).unwrap();
    let before = ledger.head();
    let reader = Ledger::<Loan>::open_read_only(&dir).unwrap();
    assert_eq!(borrower(&reader, 1).value().map(String::as_str), Some("Trần Thị B"));
    let commitments = ledger.get(first.position).unwrap().commitments();

    let done = desk.erase("citizen:1", "request of 2 May 2024").unwrap();
    assert_eq!((done.position, done.repeated), (Position(3), false));
    let both: [&Reader<Loan>; 2] = [&ledger, &reader];
    for reader in both {
        assert_eq!((borrower(reader, 1), borrower(reader, 2)), (Personal::Erased, Personal::Erased));
        let Loan::Signed { guarantor, .. } = reader.get(first.position).unwrap().event else { panic!("signed") };
        assert_eq!(guarantor.value().map(String::as_str), Some("Name-of-2"), "one event may name two and forget one");
        assert_eq!(reader.open_value(&commitments[0].1).unwrap(), Opened::Erased);
        let read = reader.read(Query::kind(Loan::SIGNED)).from(Size(1)).into_iter().next().unwrap().unwrap();
        assert!(matches!(read.event, Loan::Signed { borrower: Personal::Erased, .. }));
        let followed = reader.read(Query::kind(Loan::SIGNED)).follow().next().unwrap().unwrap();
        assert!(matches!(followed.event, Loan::Signed { borrower: Personal::Erased, .. }));
        assert_eq!((reader.head().size, reader.as_of(before.size).unwrap().head()), (Size(4), before));
        assert_eq!(reader.get(first.position).unwrap().hash(), first.hash);
        assert_eq!(reader.verify().unwrap().size, Size(4));
    }
    let head = ledger.head();
    drop((ledger, desk));
    let ledger = Ledger::<Loan>::open(&dir).unwrap();
    assert_eq!((ledger.head(), borrower(&ledger, 1), borrower(&ledger, 2)), (head, Personal::Erased, Personal::Erased));
    for needle in ["Trần Thị B", "Name-of-1", "citizen:1", "Name-of-2", "citizen:2"] {
        assert_eq!(files_with(needle.as_bytes(), &dir), [] as [String; 0], "{needle}");
    }
    assert!(!files_with(b"request of 2 May 2024", &dir).is_empty(), "the search finds what is there");
}

/// Signs for somebody, whatever the ledger says.
struct Sign(u32);
impl Command<Loan> for Sign {
    type State = ();
    type Refusal = ();
    fn state(&self) {}
    fn decide(&self, (): &()) -> Result<Vec<Entry<Loan>>, ()> {
        Ok(vec![signed("L-2", self.0).on(DAY)])
    }
}

#[test]
fn nothing_new_names_an_erased_person() {
    let ledger = in_memory();
    let desk = ledger.by("teller:1");
    let id = RecordId::from_bytes([1; 16]);
    let first = desk.record(signed("L-1", 1).on(DAY).with_id(id)).unwrap();
    let keyed = desk.clone().idempotency_key("request-1");
    let executed = keyed.execute(&Sign(1)).unwrap();
    desk.erase("citizen:1", "request").unwrap();

    let error = desk.record(signed("L-1", 1).on(DAY)).unwrap_err();
    assert_eq!((error.kind(), error.ids().len()), (ErrorKind::ErasedSubject, 1));
    assert!(!error.to_string().contains("citizen:1"), "an error is not to name the person");
    let batch = desk.record_all([opened("L-3", 1).on(DAY), signed("L-3", 1).on(DAY)]).unwrap_err();
    assert_eq!((batch.kind(), batch.entry()), (ErrorKind::ErasedSubject, Some(1)));
    assert!(matches!(desk.execute(&Sign(1)), Err(ExecuteError::Failed(e)) if e.kind() == ErrorKind::ErasedSubject));
    let import = |event: Loan, id| Import {
        entry: event.on(DAY).with_id(id),
        envelope: Envelope::by(Actor::new("teller:1").unwrap()),
        recorded_at: None,
        given: Vec::new(),
    };
    let mut importer = ledger.importer(NoRules).unwrap();
    assert!(matches!(importer.take(import(signed("L-1", 1), RecordId::from_bytes([2; 16]))),
        Err(ExecuteError::Failed(e)) if e.kind() == ErrorKind::ErasedSubject));
    assert_eq!(importer.take(import(signed("L-1", 1), id)).unwrap(), sovang::Taken::Duplicate);
    importer.finish().unwrap();

    // What was said before the erasure may be said again; otherwise the same content.
    let again = desk.record(signed("L-1", 1).on(DAY).with_id(id)).unwrap();
    assert_eq!((again.position, again.repeated), (first.position, true));
    assert_eq!(keyed.execute(&Sign(1)).unwrap()[0].position, executed[0].position);
    let other = desk.record(signed("L-9", 1).on(DAY).with_id(id)).unwrap_err();
    assert_eq!(other.kind(), ErrorKind::ContentDiffers);
    desk.record(signed("L-1", 2).on(DAY)).unwrap();
    assert_eq!(ledger.head().size, Size(4));
}

#[test]
fn an_erasure_has_a_subject_and_a_basis_and_is_done_once() {
    let ledger = in_memory();
    let desk = ledger.by("teller:1");
    desk.record(signed("L-1", 1).on(DAY)).unwrap();
    assert_eq!(desk.erase("citizen:9", "request").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(desk.erase("citizen:1", "  ").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(desk.erase(" ", "request").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(ledger.by(" ").erase("citizen:1", "request").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(borrower(&ledger, 0).value().map(String::as_str), Some("Name-of-1"));
    let done = desk.erase("citizen:1", "request").unwrap();
    let again = desk.erase("citizen:1", "another request").unwrap();
    assert_eq!((again.position, again.id, again.repeated), (done.position, done.id, true));
    assert_eq!(ledger.head().size, Size(2));
}

#[test]
fn nobody_erased_can_be_told_by_the_log() {
    let ledger = in_memory();
    let desk = ledger.by("teller:1");
    desk.record(signed("L-1", 1).on(DAY)).unwrap();
    let done = desk.erase("citizen:1", "request").unwrap();
    let raw = ledger.history(Size(1)).unwrap().next().unwrap().unwrap();
    let sovang::Historic::Ledger(record) = raw else { panic!("a record of the ledger itself") };
    assert_eq!(record.position, done.position);
    assert!(record.commitments().is_empty() && record.frame().tags().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn erasures_change_no_figure_and_no_earlier_root(
        moves in moves(40),
        erasing in proptest::collection::vec((0u32..5, 0usize..8), 0..8),
    ) {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("book");
        let mut ledger = fixed().0.create::<Loan>(&dir, ORIGIN).unwrap();
        play(&ledger, &moves);
        let size = ledger.head().size;
        let figures = |of: &Reader<Loan>, size: u64| {
            let then = of.as_of(Size(size)).unwrap();
            let folded = then.fold((RepaidByYear::default(), Balance::of("L-1"), Balance::of("L-2"))).unwrap();
            let head = folded.head;
            (folded.into_inner(), head)
        };
        let before: Vec<_> = (0..=size.0).map(|size| figures(&ledger, size)).collect();
        let mut erased = std::collections::BTreeSet::new();
        for (citizen, reopening) in erasing {
            match ledger.by("teller:1").erase(&format!("citizen:{citizen}"), "request") {
                Ok(done) => prop_assert_eq!(!erased.insert(citizen), done.repeated),
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::NotFound),
            }
            if reopening == 0 {
                drop(ledger);
                ledger = Ledger::<Loan>::open(&dir).unwrap();
            }
        }
        for (size, expected) in before.iter().enumerate() {
            prop_assert_eq!(&figures(&ledger, u64::try_from(size).unwrap()), expected);
        }
        prop_assert_eq!(ledger.head().size.0, size.0 + erased.len() as u64);
        prop_assert_eq!(&figures(&ledger, ledger.head().size.0).0, &before.last().unwrap().0);
        for record in ledger.read(Query::kind(Loan::SIGNED)) {
            if let Loan::Signed { borrower: Personal::Known { subject, .. }, .. } = record.unwrap().event {
                let citizen: u32 = subject.as_str().trim_start_matches("citizen:").parse().unwrap();
                prop_assert!(!erased.contains(&citizen));
            }
        }
        prop_assert_eq!(ledger.verify().unwrap(), ledger.head());
        prop_assert_eq!(ledger.as_of(size).unwrap().head(), before.last().unwrap().1);
    }
}
