//! Damaged ledgers: whatever changes is refused, found or harmless, and nothing is ever read that was not written.

use crate::common::*;
use sovang_core::record::{BODY_PREFIX_BYTES, HEADER_BYTES, Prepared};
use sovang_core::{ErrorKind, Position};
use sovang_storage::files::Files;
use sovang_storage::log::{Log, LogOptions, LogView, verify};
use std::sync::Arc;

/// What opening and verification say of a ledger that should hold records 0 to `size`.
struct Verdict {
    refused: bool,
    findings: usize,
    notes: usize,
}

/// Opens a damaged ledger in every way; what it shows must be what was written.
fn judge(files: &Arc<dyn Files>, size: u64, case: &str) -> Verdict {
    let before = everything(files);
    let report = verify(files, &|_, _| {});
    let view = LogView::open(Arc::clone(files));
    assert_eq!(everything(files), before, "{case}: reading wrote");
    let mut refused = report.is_err();
    let (findings, notes) = report.map_or((0, 0), |report| (report.findings.len(), report.notes.len()));
    match &view {
        Err(error) => {
            assert!(
                matches!(error.kind(), ErrorKind::Damaged | ErrorKind::NotALedger | ErrorKind::WrongFormat),
                "{case}: {error}"
            );
            refused = true;
        }
        Ok(view) => {
            assert_eq!(view.head(), head_of(&records(0..view.head().size.0)), "{case}");
            assert!(view.head().size.0 <= size, "{case}");
            if let Ok(walked) = walk(view.segments(), view.head()) {
                let same =
                    walked.iter().zip(records(0..size)).all(|(walked, record)| walked.frame.bytes()[..] == *record.bytes());
                assert!(same, "{case}: other records were read");
            } else {
                assert!(findings > 0, "{case}: a walk fails and verification finds nothing");
            }
        }
    }
    match Log::open(Arc::clone(files), options(), &random) {
        Err(_) => {
            assert!(refused, "{case}: a writer refuses what a reader opens");
            assert_eq!(everything(files), before, "{case}: a refusal changed something");
        }
        Ok((log, _)) => {
            assert!(view.is_ok(), "{case}: a writer opens what a reader refuses");
            assert_eq!(log.head(), head_of(&records(0..log.head().size.0)), "{case}");
            assert!(log.head().size.0 >= view.unwrap().head().size.0, "{case}");
        }
    }
    Verdict { refused, findings, notes }
}

fn changed(all: &[(String, Vec<u8>)], path: &str, change: impl FnOnce(&mut Vec<u8>)) -> Arc<dyn Files> {
    let mut all = all.to_vec();
    change(&mut all.iter_mut().find(|(name, _)| name == path).unwrap().1);
    of(&all)
}

fn small_ledger() -> (Vec<(String, Vec<u8>)>, u64) {
    let files = ledger(&[1, 2, 1, 1], small_segments());
    let all = everything(&files);
    assert!(all.iter().any(|(path, _)| path == "log/1") && !all.iter().any(|(path, _)| path == "log/3"));
    (all, 5)
}

/// Bytes whose fields say something; the rest are zeros under one checksum, of which a sample will do.
fn interesting(path: &str, at: usize) -> bool {
    let within = at % 4096;
    let fields = if path == "HEAD" { 112 + 96 } else { 160 + 96 };
    let is_slot = path == "HEAD" || at < 4096;
    !is_slot || within < fields || within >= 4090 || within.is_multiple_of(97)
}

#[test]
fn every_flipped_bit_is_refused_found_or_harmless() {
    let (all, size) = small_ledger();
    let segments = all.iter().filter(|(path, _)| path.starts_with("log/")).count();
    for (path, bytes) in &all {
        for at in (0..bytes.len()).filter(|at| interesting(path, *at)) {
            for bit in 0..8 {
                let case = format!("{path} byte {at} bit {bit}");
                let files = changed(&all, path, |bytes| bytes[at] ^= 1 << bit);
                let verdict = judge(&files, size, &case);
                let flagged = verdict.refused || verdict.findings > 0;
                // A slot of HEAD stands beside two others; the seal of a segment is made again from its successor's header.
                let seal = *path == format!("log/{}", segments - 2) && at >= bytes.len() - 72;
                let slot = path == "HEAD";
                assert!(flagged || ((seal || slot) && verdict.notes > 0), "{case} goes unnoticed");
            }
        }
    }
}

#[test]
fn every_cut_is_refused_or_found() {
    let (all, size) = small_ledger();
    let segments = all.iter().filter(|(path, _)| path.starts_with("log/")).count();
    for (path, bytes) in all.iter().filter(|(path, _)| path != "lock") {
        for len in (0..bytes.len()).filter(|at| interesting(path, *at)) {
            let case = format!("{path} cut at {len}");
            let files = changed(&all, path, |bytes| bytes.truncate(len));
            let verdict = judge(&files, size, &case);
            let seal = *path == format!("log/{}", segments - 2) && len >= bytes.len() - 72;
            assert!(verdict.refused || verdict.findings > 0 || (seal && verdict.notes > 0), "{case} goes unnoticed");
        }
    }
}

#[test]
fn every_missing_file_is_refused() {
    let (all, size) = small_ledger();
    for (path, _) in &all {
        let files = of(&all);
        files.remove(path).unwrap();
        if path == "lock" {
            // Readers need none.
            assert_eq!(LogView::open(Arc::clone(&files)).unwrap().head().size.0, size);
            assert_eq!(Log::open(files, options(), &random).unwrap_err().kind(), ErrorKind::Damaged);
        } else {
            assert!(judge(&files, size, path).refused, "{path}");
        }
    }
}

#[test]
fn every_torn_write_of_the_next_batch_is_quarantined() {
    let files = ledger(&[2, 1], options());
    let before = everything(&files);
    let end = read(&files, "log/0").len();
    let mut log = open(&files, options());
    log.append(&records(3..5)).unwrap();
    log.close().unwrap();
    let after = read(&files, "log/0");
    // The batch cut short, and with its start missing, in space that was reserved.
    for len in (1..after.len() - end).step_by(7).chain([after.len() - end - 1]) {
        for start in [false, true] {
            let mut torn = after[end..].to_vec();
            if start {
                torn[..len].fill(0)
            } else {
                torn[len..].fill(0)
            }
            let used = torn.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            torn.resize(9_000, 0);
            let files = changed(&before, "log/0", |bytes| bytes.extend_from_slice(&torn));
            let view = LogView::open(Arc::clone(&files)).unwrap();
            assert_eq!(view.head(), head_of(&records(0..3)));
            let whole = torn[..after.len() - end] == after[end..];
            assert_eq!(view.notes().len(), 1, "{len} {start} {:?}", view.notes());
            let report = verify(&files, &|_, _| {}).unwrap();
            assert_eq!((report.findings.len(), report.notes.len(), report.head.size.0), (0, 1, 3));
            let (mut log, recovered) = Log::open(Arc::clone(&files), options(), &random).unwrap();
            assert_eq!(recovered.quarantined.is_some(), !whole);
            if !whole {
                let (path, bytes) = recovered.quarantined.unwrap();
                assert_eq!(bytes, used as u64);
                let name = path.to_string_lossy().rsplit('/').next().unwrap().to_owned();
                assert!(name.starts_with(&format!("0-{end}-")), "{name}");
                assert_eq!(read(&files, &format!("quarantine/{name}")), torn[..used]);
                log.append(&records(3..4)).unwrap();
                log.close().unwrap();
                assert_eq!(sound(&files).notes, []);
            }
        }
    }
}

#[test]
fn verification_names_every_bad_record_and_goes_on() {
    let files = ledger(&[4, 3, 2, 2, 3], LogOptionsOf(4096 + 1_500).into());
    let view = LogView::open(Arc::clone(&files)).unwrap();
    let walked = walk(view.segments(), view.head()).unwrap();
    for bad in [1, 3, 5, 12] {
        let at = walked[bad].location;
        let file = files.open(&format!("log/{}", at.segment), sovang_storage::files::Open::Write).unwrap();
        file.write_at(b"!!", at.offset + 60).unwrap();
    }
    let report = verify(&files, &|_, _| {}).unwrap();
    let positions: Vec<_> =
        report.findings.iter().filter(|f| f.what.contains("record's checksum")).map(|f| f.position.unwrap()).collect();
    assert_eq!(positions, [1, 3, 5, 12].map(Position), "{:?}", report.findings);
    assert!(!report.is_sound());
    let shown = report.findings[0].to_string();
    assert!(shown.contains("position 1") && shown.contains("log/0"), "{shown}");
}

struct LogOptionsOf(u64);
impl From<LogOptionsOf> for sovang_storage::log::LogOptions {
    fn from(of: LogOptionsOf) -> Self {
        Self { segment_bytes: of.0, strict: false }
    }
}

#[test]
fn verification_goes_on_after_a_lost_header() {
    let files = ledger(&[1, 2, 1, 2], options());
    let view = LogView::open(Arc::clone(&files)).unwrap();
    let walked = walk(view.segments(), view.head()).unwrap();
    let header = walked[1].location.offset - 128;
    let file = files.open("log/0", sovang_storage::files::Open::Write).unwrap();
    file.write_at(b"X", header).unwrap();
    file.write_at(b"!!", walked[4].location.offset + 60).unwrap();
    let report = verify(&files, &|_, _| {}).unwrap();
    let found: Vec<_> = report.findings.iter().map(|f| (f.position.unwrap().0, f.offset.unwrap())).collect();
    assert_eq!(found, [(1, header), (4, walked[4].location.offset)]);
    assert_eq!(report.head, head_of(&records(0..1)), "sound up to the lost header");
}

/// A successor's header vouches for ever for the bytes of the segment before it: a writer that did not write them itself reads them again.
#[test]
fn no_rotation_vouches_for_damaged_bytes() {
    let of_six = LogOptions { segment_bytes: 4096 + 2500, strict: false };
    let all = everything(&ledger(&[1, 1, 1], of_six));
    for at in [4096 + 150, 100] {
        let damaged = changed(&all, "log/0", |bytes| bytes[at] ^= 1);
        let Ok((mut log, _)) = Log::open(Arc::clone(&damaged), of_six, &random) else {
            assert_eq!(at, 100, "only the header is read at once");
            continue;
        };
        let refused = (3..20).find_map(|n| log.append(&records(n..n + 1)).err().map(|error| (n, error)));
        let (n, error) = refused.expect("a rotation");
        assert!(error.kind() == ErrorKind::Damaged && error.position() == Some(Position(0)), "{error}");
        assert!(error.to_string().contains("log/0") && error.offset().is_some(), "{error}");
        assert!(!log.is_poisoned(), "nothing of the batch was written");
        assert_eq!(damaged.list("log").unwrap(), ["0"]);
        log.close().unwrap();
        // With the byte as it was it goes on.
        let repaired = changed(&everything(&damaged), "log/0", |bytes| bytes[at] ^= 1);
        let mut log = open(&repaired, of_six);
        log.append(&records(n..n + 1)).unwrap();
        assert_eq!(log.next().segment, 1);
        log.close().unwrap();
        assert_eq!(sound(&repaired).head, head_of(&records(0..n + 1)));
    }
}

#[test]
fn progress_reaches_the_end() {
    let files = ledger(&[5, 5, 5], small_segments());
    let last = std::sync::Mutex::new((0, 0));
    verify(&files, &|done, total| {
        let mut last = last.lock().unwrap();
        *last = (last.0.max(done), total);
    })
    .unwrap();
    let (done, total) = last.into_inner().unwrap();
    assert!(total > 3 * 4096);
    assert_eq!(done, total);
}

#[test]
fn files_of_another_time_are_refused() {
    let early = everything(&ledger(&[2], options()));
    let late = everything(&ledger(&[2, 2], options()));
    let pick = |all: &[(String, Vec<u8>)], path: &str| all.iter().find(|(name, _)| name == path).unwrap().1.clone();
    // A log from an old backup under today's HEAD would lose what was acknowledged.
    let files = changed(&early, "HEAD", |bytes| *bytes = pick(&late, "HEAD"));
    assert!(judge(&files, 4, "log early, HEAD late").refused);
    // The reverse knows less than the log, and the log's own headers tell the rest.
    let files = changed(&late, "HEAD", |bytes| *bytes = pick(&early, "HEAD"));
    assert!(!judge(&files, 4, "log late, HEAD early").refused);
    // A fork that went its own way does not fit the HEAD of the first.
    let fork = of(&early);
    let mut log = open(&fork, options());
    log.append(&[record(7, 40), record(8, 40)]).unwrap();
    log.close().unwrap();
    let files = changed(&late, "log/0", |bytes| *bytes = read(&fork, "log/0"));
    assert_eq!(LogView::open(files).unwrap_err().kind(), ErrorKind::Damaged);
}

#[test]
fn a_sealed_segment_without_its_successor_is_damage() {
    let (all, size) = small_ledger();
    let last = all.iter().filter(|(path, _)| path.starts_with("log/")).count() - 1;
    let files = of(&all);
    files.remove(&format!("log/{last}")).unwrap();
    let head = head_slots_before(&all, last as u64);
    write(&files, "HEAD", &head);
    let verdict = judge(&files, size, "no successor");
    assert!(verdict.refused && verdict.findings > 0);
}

/// HEAD with only the slots that point below a segment.
fn head_slots_before(all: &[(String, Vec<u8>)], segment: u64) -> Vec<u8> {
    let mut head = all.iter().find(|(path, _)| path == "HEAD").unwrap().1.clone();
    let mut left = 0;
    for slot in head.chunks_mut(4096) {
        if u64::from_le_bytes(slot[72..80].try_into().unwrap()) >= segment { slot.fill(0) } else { left += 1 }
    }
    assert!(left > 0, "some slot is older");
    head
}

/// A faulty program may write what nobody can read: every checksum and the root hold, and it is found all the same.
#[test]
fn a_record_that_cannot_be_read_is_named() {
    let files = new_ledger();
    let mut log = open(&files, options());
    let mut batch = records(0..3);
    let mut bytes = batch[1].bytes().to_vec();
    // The actor's length, in the metadata behind three options that are not there.
    bytes[HEADER_BYTES + BODY_PREFIX_BYTES + 3] = 0xFF;
    batch[1] = Prepared::from_kept(bytes, None, false, Vec::new()).unwrap();
    log.append(&batch).unwrap();
    let head = log.head();
    log.close().unwrap();
    let report = verify(&files, &|_, _| {}).unwrap();
    assert_eq!(report.head, head, "the log holds");
    assert_eq!(report.findings.iter().map(|f| f.position).collect::<Vec<_>>(), [Some(Position(1))]);
}

/// After a close two slots of `HEAD` say where the log ends: damage to any one hides nothing from a reader.
#[test]
fn a_damaged_slot_hides_nothing_after_a_close() {
    let files = ledger(&[2, 1, 3], options());
    let all = everything(&files);
    let head = LogView::open(Arc::clone(&files)).unwrap().head();
    assert_eq!(head.size.0, 6);
    for slot in 0..3 {
        for at in [0, 8, 16, 32, 40, 72, 80, 88, 96, 104, 112, 2160, 4091, 4095] {
            let damaged = changed(&all, "HEAD", |bytes| bytes[slot * 4096 + at] ^= 0x10);
            assert_eq!(LogView::open(damaged).unwrap().head(), head, "slot {slot}, byte {at}");
        }
    }
}
