//! Random histories of adding, crashing, flushing, merging, forgetting and discarding give the answers of plain maps.

use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    /// So many batches of so many records; each of (a few ids, a few keys).
    Append(Vec<Vec<(u8, u8)>>),
    /// All appended is durable; with or without a word of where the log goes on.
    Durable(bool),
    Flush,
    /// The process ends, and another opens the files.
    Reopen,
    Discard(u16),
    Check,
}

fn step() -> impl Strategy<Value = Step> {
    let batch = prop::collection::vec(any::<(u8, u8)>(), 1..60);
    prop_oneof![
        6 => prop::collection::vec(batch, 1..6).prop_map(Step::Append),
        5 => any::<bool>().prop_map(Step::Durable),
        1 => Just(Step::Flush),
        1 => Just(Step::Reopen),
        1 => any::<u16>().prop_map(Step::Discard),
        2 => Just(Step::Check),
    ]
}

fn record(n: u64, (id, keys): (u8, u8)) -> (RecordId, Vec<TagKey>) {
    // Most ids are unique, a few come twice: candidates are all handed over.
    let unique = if id < 8 { u64::from(id) } else { n };
    let id = match id % 3 {
        0 => other_id(unique),
        _ => RecordId::v7(unique * 7 % 500, [u8::try_from(unique % 251).unwrap(); 10]),
    };
    let mut tags = vec![key(1, u64::from(keys) % 5), key(2, n / 7), key(1, u64::from(keys) % 5)];
    tags.truncate(usize::from(keys % 4));
    (id, tags)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn answers_are_those_of_plain_maps(steps in prop::collection::vec(step(), 1..25), run_records in 1usize..50) {
        let files = files();
        let mut index = open(&files, options(run_records, true));
        let mut log = Log::new(20_000);
        let mut durable = 0;
        for step in steps {
            match step {
                Step::Append(batches) => for batch in batches {
                    let first = log.size();
                    log.append((first..).zip(batch).map(|(n, of)| record(n, of)));
                    log.feed(&index);
                },
                Step::Durable(told) => {
                    durable = log.size();
                    index.set_durable(Size(durable), told.then(|| log.next()));
                }
                Step::Flush => index.flush().expect("writes"),
                Step::Reopen => {
                    // What was not durable is lost.
                    drop(index);
                    log.truncate(durable);
                    index = open(&files, options(run_records, true));
                    prop_assert!(index.size().0 <= durable);
                    prop_assert_eq!(index.covered().frontier.root(), log.roots[usize::try_from(index.size().0).unwrap()]);
                    log.feed(&index);
                    durable = log.size();
                    index.set_durable(Size(durable), None);
                }
                Step::Discard(n) => {
                    let size = u64::from(n) % (log.size() + 1);
                    let before = index.size();
                    index.discard_from(Size(size));
                    prop_assert!(index.size() <= Size(size));
                    if index.size() < before {
                        let behind = matches!(index.find(RecordId::v7(0, [0; 10])), Err(IndexError::Behind { .. }));
                        prop_assert!(behind || index.size() >= Size(durable));
                        prop_assert!(index.find_before(RecordId::v7(0, [0; 10]), index.size()).is_ok());
                    }
                    log.feed(&index);
                    index.set_durable(Size(durable), None);
                }
                Step::Check => log.check(&index, 3)?,
            }
        }
        log.check(&index, 1)?;
        index.set_durable(Size(log.size()), Some(log.next()));
        index.flush().expect("writes");
        log.check(&index, 1)?;
        prop_assert_eq!(index.covered().frontier.size(), Size(log.size()));
        // The end of a full segment and the start of the next are the same place.
        prop_assert_eq!(index.covered().cursor.batch, log.next().batch);
        drop(index);
        let index = open(&files, options(run_records, true));
        log.check(&index, 1)?;
    }
}

#[test]
fn a_gap_is_refused() {
    let files = files();
    let index = open(&files, options(100, true));
    let mut log = Log::new(1 << 20);
    log.append((0..3).map(typical));
    log.append((3..6).map(typical));
    let added = |position: usize| {
        let record = &log.records[position];
        index.add(&Added {
            position: Position(position as u64),
            id: record.id,
            keys: &record.keys,
            location: record.location,
            first_in_batch: record.first_in_batch,
            hash: record.hash,
        })
    };
    assert!(added(1).is_err(), "positions are left out");
    added(0).expect("continues");
    assert!(added(2).is_err());
    added(1).expect("continues");
    added(0).expect("is known already");
    added(2).expect("continues");
    let mut other = log.records[3].clone();
    other.location.batch += 1;
    let skipped = index.add(&Added {
        position: Position(3),
        id: other.id,
        keys: &[],
        location: other.location,
        first_in_batch: true,
        hash: other.hash,
    });
    assert_eq!(skipped.expect_err("a batch is left out").kind(), ErrorKind::InvalidInput);
    assert_eq!(index.size(), Size(3));
    added(3).expect("continues");
}

#[test]
fn only_whole_durable_batches_are_written() {
    let files = files();
    let index = open(&files, options(1_000, true));
    let mut log = Log::new(1 << 20);
    for n in 0..4 {
        log.append((n * 10..n * 10 + 10).map(typical));
    }
    log.feed(&index);
    index.flush().expect("has nothing to write");
    assert_eq!(listing(&files), []);
    index.set_durable(Size(25), None);
    index.flush().expect("writes");
    assert_eq!(index.covered().cursor.position, 20, "up to the last batch that is durable as a whole");
    index.set_durable(Size(40), None);
    index.flush().expect("writes");
    assert_eq!(index.covered().cursor.position, 30, "and of which it is known where the next begins");
    assert_eq!(index.covered().cursor, log.records[30].batch_start);
    index.set_durable(Size(40), Some(log.next()));
    index.flush().expect("writes");
    assert_eq!(index.covered().cursor, log.next());
    log.check(&index, 1).expect("answers");
}

#[test]
fn closing_writes_what_is_worth_a_file() {
    let files = files();
    let mut log = Log::new(1 << 20);
    log.append((0..10).map(typical));
    let index = open(&files, options(640, true));
    log.feed(&index);
    index.set_durable(Size(10), Some(log.next()));
    index.close().expect("closes");
    assert_eq!(listing(&files), []);
    let index = open(&files, options(320, true));
    log.feed(&index);
    index.set_durable(Size(10), Some(log.next()));
    index.close().expect("closes");
    assert_eq!(listing(&files).len(), 1);
    let index = open(&files, options(320, true));
    assert_eq!(index.size(), Size(10));
    log.check(&index, 1).expect("answers");
}
