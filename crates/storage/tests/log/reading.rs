//! Readers beside a writer.

use crate::common::*;
use sovang_core::ErrorKind;
use sovang_storage::files::Open;
use sovang_storage::log::{Log, LogView, verify};
use std::sync::Arc;

#[test]
fn a_view_follows_the_writer() {
    let files = new_ledger();
    let view = LogView::open(Arc::clone(&files)).unwrap();
    assert_eq!(view.identity(), &identity());
    let mut log = open(&files, small_segments());
    for n in 0..12 {
        assert_eq!(view.refresh().unwrap(), log.head());
        assert_eq!(&view.end(), log.end());
        log.append(&records(n..n + 1)).unwrap();
        if n % 5 == 4 {
            // A view that looks seldom catches up over several segments.
            log.append(&[record(n, 3_000)]).unwrap();
            log.append(&[record(n, 3_000)]).unwrap();
            assert_eq!(view.refresh().unwrap(), log.head());
        }
        assert_eq!(LogView::open(Arc::clone(&files)).unwrap().head(), log.head());
    }
    let walked = walk(view.segments(), view.refresh().unwrap()).unwrap();
    assert_eq!(walked.len() as u64, log.head().size.0);
    let report = verify(&files, &|_, _| {}).unwrap();
    assert_eq!((report.findings.len(), report.head), (0, log.head()));
}

#[test]
fn a_view_survives_a_recovery_that_replaces_the_last_segment() {
    let files = ledger(&[1, 1, 1], small_segments());
    // A rotation cut short: the successor is in place, the predecessor is not sealed.
    let number = files.list("log").unwrap().len() as u64 - 1;
    let mut all = everything(&files);
    let mut log = open(&files, small_segments());
    let mut next = 3;
    while log.next().segment == number {
        log.append(&records(next..next + 1)).unwrap();
        next += 1;
    }
    let successor = read(&files, &format!("log/{}", number + 1));
    all.iter_mut().find(|(path, _)| *path == format!("log/{number}")).unwrap().1 = {
        let mut bytes = read(&files, &format!("log/{number}"));
        bytes.truncate(bytes.len() - 72);
        bytes
    };
    all.push((format!("log/{}", number + 1), successor[..4096].to_vec()));
    let files = of(&all);
    let view = LogView::open(Arc::clone(&files)).unwrap();
    assert_eq!(view.head(), head_of(&records(0..next - 1)));
    assert!(view.notes().iter().any(|note| note.what.contains("not sealed")), "{:?}", view.notes());
    let (mut log, recovered) = Log::open(Arc::clone(&files), small_segments(), &random).unwrap();
    assert!(recovered.finished_rotation);
    log.append(&records(next - 1..next)).unwrap();
    assert_eq!(view.refresh().unwrap(), log.head());
    assert_eq!(walk(view.segments(), log.head()).unwrap().len() as u64, next);
    log.close().unwrap();
    assert_eq!(sound(&files).notes, []);
}

#[test]
fn what_follows_the_durable_head_is_kept_by_writers_and_not_shown_by_readers() {
    let files = new_ledger();
    let mut log = open(&files, options());
    log.append(&records(0..2)).unwrap();
    let head = read(&files, "HEAD");
    log.append(&records(2..4)).unwrap();
    log.append(&records(4..5)).unwrap();
    drop(log);
    // HEAD as before the last two batches: the last batch's header proves the one before it, nothing proves the last.
    write(&files, "HEAD", &head);
    let view = LogView::open(Arc::clone(&files)).unwrap();
    assert_eq!(view.head(), head_of(&records(0..4)));
    assert!(view.notes()[0].what.contains("1 whole records"), "{:?}", view.notes());
    let (log, recovered) = Log::open(Arc::clone(&files), options(), &random).unwrap();
    assert_eq!((log.head(), recovered.kept_batches), (head_of(&records(0..5)), 1));
    assert_eq!(view.refresh().unwrap(), log.head());
}

#[test]
fn damage_below_the_head_is_a_typed_error() {
    let files = ledger(&[3, 3, 3], options());
    let view = LogView::open(Arc::clone(&files)).unwrap();
    let walked = walk(view.segments(), view.head()).unwrap();
    let bad = walked[4].location;
    let file = files.open("log/0", Open::Write).unwrap();
    file.write_at(&[0xff], bad.offset + 50).unwrap();
    let error = view.segments().frame(bad, walked[4].position).unwrap_err();
    for error in [error, walk(view.segments(), view.head()).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Damaged);
        assert_eq!((error.position(), error.offset()), (Some(walked[4].position), Some(bad.offset)));
        assert!(error.path().unwrap().ends_with("log/0") || error.path().unwrap().to_string_lossy().contains("log/0"));
        assert!(error.hint().is_some());
    }
    // What is before it is read all the same.
    assert_eq!(view.segments().walk(sovang_storage::log::Segments::start(), view.head().size).filter(Result::is_ok).count(), 4);
    // The damage is not at the end, so that writing goes on.
    open(&files, options()).append(&records(9..10)).unwrap();
}

#[test]
fn a_walk_names_the_segment_that_is_damaged() {
    let files = ledger(&[1; 9], small_segments());
    let view = LogView::open(Arc::clone(&files)).unwrap();
    assert!(view.end().next.segment > 2);
    let file = files.open("log/1", Open::Write).unwrap();
    file.write_at(&[0xff], 60).unwrap();
    let error = walk(view.segments(), view.head()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert!(error.path().unwrap().to_string_lossy().ends_with("log/1"), "{error}");
    files.remove("log/1").unwrap();
    let view = LogView::open(Arc::clone(&files)).unwrap_err();
    assert!(view.path().unwrap().to_string_lossy().ends_with("log/1"), "{view}");
}
