//! Verification: all findings, with position and file, also of a ledger too damaged to open.

use crate::loan::{DAY, Loan, ORIGIN, RepaidByYear, fixed, opened, repaid};
use sovang::{Audit, ErrorKind, Event, Ledger, Position, Query, RawEvent};
use std::path::{Path, PathBuf};

/// A closed ledger of six loans, the fourth of which can be told by its name.
fn book(home: &Path) -> PathBuf {
    let dir = home.join("book");
    let ledger = fixed().0.create::<Loan>(&dir, ORIGIN).unwrap();
    let desk = ledger.by("teller:1");
    for n in 0..6 {
        let loan = if n == 3 { "the-marked-loan".to_owned() } else { format!("L-{n}") };
        desk.record(opened(&loan, n).on(DAY)).unwrap();
    }
    ledger.close().unwrap();
    dir
}
fn flip(file: &Path, at_text: &str) -> u64 {
    let mut bytes = std::fs::read(file).unwrap();
    let at = bytes.windows(at_text.len()).position(|window| window == at_text.as_bytes()).expect("the text is in the file");
    bytes[at] ^= 1;
    std::fs::write(file, bytes).unwrap();
    u64::try_from(at).unwrap()
}

#[test]
fn a_changed_byte_is_found_with_its_place() {
    let home = tempfile::tempdir().unwrap();
    let dir = book(home.path());
    let sound = Audit::of_directory(&dir, &mut |_, _| {}).unwrap();
    assert!(sound.is_sound());
    let segment = std::fs::read_dir(dir.join("log")).unwrap().next().unwrap().unwrap().path();
    flip(&segment, "the-marked-loan");

    let mut told = Vec::new();
    let audit = Audit::of_directory(&dir, &mut |done, all| told.push((done, all))).unwrap();
    let finding = &audit.findings[0];
    assert!(finding.in_log && finding.to_string().contains("position 3"), "{finding}");
    assert_eq!((finding.position, finding.file.as_deref()), (Some(Position(3)), Some(segment.as_path())));
    assert!(told.is_sorted() && told.iter().all(|(done, all)| done <= all) && !told.is_empty());

    // What cannot be trusted is refused, and said to be at the same place by whoever meets it.
    let met: Vec<sovang::Error> = [
        Ledger::<Loan>::open(&dir).and_then(|ledger| ledger.verify()).err(),
        Ledger::<RawEvent>::open_read_only(&dir).and_then(|reader| reader.verify()).err(),
        Ledger::<Loan>::open_read_only(&dir).and_then(|r| r.read(Query::all()).into_iter().collect::<Result<Vec<_>, _>>()).err(),
        Ledger::<Loan>::open_read_only(&dir).and_then(|reader| reader.fold(RepaidByYear::default())).err(),
    ]
    .into_iter()
    .map(|error| error.expect("damage is met"))
    .collect();
    for error in met {
        assert_eq!((error.kind(), error.position()), (ErrorKind::Damaged, Some(Position(3))), "{error}");
        assert!(error.path().is_some() && !error.is_retryable());
    }
}

#[test]
fn a_read_ends_after_an_error() {
    let home = tempfile::tempdir().unwrap();
    let dir = book(home.path());
    let segment = std::fs::read_dir(dir.join("log")).unwrap().next().unwrap().unwrap().path();
    let reader = Ledger::<Loan>::open_read_only(&dir).unwrap();
    flip(&segment, "the-marked-loan");
    let mut records = reader.read(Query::all()).into_iter();
    assert_eq!(records.by_ref().take_while(Result::is_ok).count(), 3);
    assert!(records.next().is_none());
    let mut tail = reader.read(Query::all()).follow();
    assert_eq!(tail.by_ref().take_while(Result::is_ok).count(), 3);
    assert!(tail.next().is_none());
}

#[test]
fn a_writer_that_meets_damage_appends_no_more() {
    let home = tempfile::tempdir().unwrap();
    let dir = book(home.path());
    let ledger = Ledger::<Loan>::open(&dir).unwrap();
    let desk = ledger.by("teller:1");
    desk.record(repaid("L-1", 1).on(DAY)).unwrap();
    let segment = std::fs::read_dir(dir.join("log")).unwrap().next().unwrap().unwrap().path();
    flip(&segment, "the-marked-loan");
    assert_eq!(ledger.get(Position(3)).unwrap_err().kind(), ErrorKind::Damaged);
    let error = desk.record(repaid("L-1", 1).on(DAY)).unwrap_err();
    assert_eq!((error.kind(), error.ids().len()), (ErrorKind::Damaged, 1));
    assert_eq!(ledger.get(Position(6)).unwrap().event, repaid("L-1", 1), "what is whole can still be read");
}
