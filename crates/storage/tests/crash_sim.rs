//! The simulated disk itself: what was synced survives every crash, what was not may be lost in every way that the design
//! allows, and faults and counts are as asked.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use sovang_storage::files::{File, Files, Open};
use sovang_storage::sim::{Content, Fault, Image, SimFiles};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::sync::Arc;

fn ledger() -> SimFiles {
    let files = SimFiles::new();
    files.create_directory("").unwrap();
    files.create_directory("log").unwrap();
    files.sync_directory("..").unwrap();
    files.sync_directory("").unwrap();
    files
}
fn durable(files: &SimFiles, path: &str, bytes: &[u8]) -> Arc<dyn File> {
    let file = files.open(path, Open::Create).unwrap();
    file.write_at(bytes, 0).unwrap();
    file.sync_all().unwrap();
    files.sync_directory(if path.contains('/') { "log" } else { "" }).unwrap();
    file
}
type Listed = Vec<(String, Vec<u8>)>;
/// The different images a power loss can leave now.
fn images(files: &SimFiles) -> BTreeSet<Listed> {
    let disk = files.disk();
    let crashes = disk.crashes(10_000, 0);
    assert!(crashes.is_exhaustive());
    crashes.map(|crash| listed(&crash.image)).collect()
}
fn listed(image: &Image) -> Listed {
    image.files.iter().map(|(path, content)| (path.clone(), content.to_vec())).collect()
}
fn only(path: &str, bytes: &[u8]) -> Listed {
    vec![(path.to_owned(), bytes.to_vec())]
}
fn read(files: &dyn Files, path: &str) -> Vec<u8> {
    let file = files.open(path, Open::Read).unwrap();
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_at(&mut bytes, 0).unwrap();
    bytes
}

#[test]
fn a_directory_is_durable_with_its_parents_entry() {
    let files = SimFiles::new();
    files.create_directory("").unwrap();
    files.create_directory("log").unwrap();
    durable(&files, "log/0", b"x");
    let whole = only("log/0", b"x");
    assert_eq!(images(&files), BTreeSet::from([vec![], whole.clone()]));
    files.sync_directory("").unwrap();
    assert_eq!(images(&files), BTreeSet::from([vec![], whole.clone()]), "the ledger's own entry is pending");
    files.sync_directory("..").unwrap();
    assert_eq!(images(&files), BTreeSet::from([whole]));
}

#[test]
fn every_sector_and_the_length_are_lost_alone() {
    let files = ledger();
    let file = durable(&files, "log/0", &[1; 1_024]);
    file.write_at(&[2; 1_536], 0).unwrap();
    let images_now = images(&files);
    let lens: BTreeSet<usize> = images_now.iter().map(|image| image[0].1.len()).collect();
    assert_eq!(lens, BTreeSet::from([1_024, 1_536]));
    let first_two: BTreeSet<(u8, u8)> = images_now.iter().map(|image| (image[0].1[0], image[0].1[512])).collect();
    assert_eq!(first_two, BTreeSet::from([(1, 1), (1, 2), (2, 1), (2, 2)]));
    for image in &images_now {
        assert!(image[0].1[..512].iter().all(|b| *b == image[0].1[0]), "a sector is not torn");
    }
    file.sync_data().unwrap();
    assert_eq!(images(&files), BTreeSet::from([only("log/0", &[2; 1_536])]));
}

#[test]
fn an_earlier_version_of_a_sector_may_be_what_reached_the_disk() {
    let files = ledger();
    let file = durable(&files, "HEAD", &[1; 512]);
    file.write_at(&[2; 512], 0).unwrap();
    file.write_at(&[3; 512], 0).unwrap();
    let seen: BTreeSet<u8> = images(&files).iter().map(|image| image[0].1[0]).collect();
    assert_eq!(seen, BTreeSet::from([1, 2, 3]));
}

#[test]
fn a_rename_alone_replaces_or_does_not() {
    let files = ledger();
    durable(&files, "HEAD", b"old");
    let new = files.open("HEAD.tmp", Open::Create).unwrap();
    new.write_at(b"new", 0).unwrap();
    new.sync_all().unwrap();
    files.rename("HEAD.tmp", "HEAD").unwrap();
    let heads: BTreeSet<Vec<u8>> =
        images(&files).into_iter().map(|image| image.into_iter().find(|(path, _)| path == "HEAD").unwrap().1).collect();
    assert_eq!(heads, BTreeSet::from([b"old".to_vec(), b"new".to_vec()]));
    files.sync_directory("").unwrap();
    assert_eq!(images(&files), BTreeSet::from([only("HEAD", b"new")]));
}

#[test]
fn a_data_sync_leaves_lengths_pending_that_reading_does_not_need() {
    let files = ledger();
    let file = durable(&files, "log/0", b"header");
    let lens = || images(&files).iter().map(|image| image[0].1.len()).collect::<BTreeSet<_>>();
    file.allocate(4_096).unwrap();
    file.write_at(b"batch", 6).unwrap();
    file.sync_data().unwrap();
    assert_eq!(lens(), BTreeSet::from([4_096]), "the batch is beyond the old length");
    file.allocate(8_192).unwrap();
    file.sync_data().unwrap();
    assert_eq!(lens(), BTreeSet::from([4_096, 8_192]), "fdatasync need not make an allocation durable");
    file.sync_all().unwrap();
    assert_eq!(lens(), BTreeSet::from([8_192]));
}

#[test]
fn a_failed_sync_keeps_what_its_mask_says_and_calls_all_of_it_clean() {
    let files = ledger();
    let file = durable(&files, "log/0", &[1; 1_024]);
    file.write_at(&[2; 1_024], 0).unwrap();
    files.inject(Fault::Sync { nth: 1, kept: 0b10, len_kept: false });
    assert_eq!(file.sync_data().unwrap_err().kind(), ErrorKind::Other);
    assert_eq!(files.take_faults(), 1);
    let kept = [[1; 512], [2; 512]].concat();
    let after = BTreeSet::from([only("log/0", &kept)]);
    assert_eq!(images(&files), after);
    assert_eq!(read(&files, "log/0"), [2; 1_024], "it still shows");
    file.sync_data().unwrap();
    assert_eq!(images(&files), after, "a second sync claims success and does nothing");
    files.evict(u64::MAX);
    assert_eq!(read(&files, "log/0"), kept);
}

#[test]
fn other_faults_happen_once_at_their_turn() {
    let files = ledger();
    let file = durable(&files, "log/0", b"");
    files.inject(Fault::Write { nth: 2, sectors: 1 });
    file.write_at(&[1; 1_024], 0).unwrap();
    assert!(file.write_at(&[2; 1_024], 0).is_err());
    assert_eq!(read(&files, "log/0"), [[2; 512], [1; 512]].concat());
    files.inject(Fault::Allocate { nth: 1 });
    assert_eq!(file.allocate(2_048).unwrap_err().kind(), ErrorKind::StorageFull);
    file.allocate(2_048).unwrap();
    files.inject(Fault::Rename { nth: 1 });
    assert!(files.rename("log/0", "log/1").is_err());
    files.rename("log/0", "log/1").unwrap();
    files.inject(Fault::Sync { nth: 1, kept: 0, len_kept: false });
    assert!(files.sync_directory("log").is_err());
    assert!(images(&files).iter().all(|image| image[0].0 == "log/0"));
    files.inject(Fault::Rename { nth: 1 });
    assert_eq!(files.take_faults(), 4, "the last has not happened");
    files.rename("log/1", "log/0").unwrap();
}

#[test]
fn any_call_fails_at_its_turn_or_all_do_from_there_on() {
    let files = ledger();
    let file = durable(&files, "log/0", &[1; 600]);
    files.inject(Fault::Call { nth: 2, error: ErrorKind::Interrupted });
    file.len().unwrap();
    assert_eq!(file.write_at(&[2; 600], 0).unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(read(&files, "log/0"), [1; 600], "it did nothing");
    files.inject(Fault::Call { nth: 1, error: ErrorKind::Other });
    file.write_at(&[2; 600], 0).err().unwrap();
    file.write_at(&[2; 600], 0).unwrap();
    files.inject(Fault::Call { nth: 1, error: ErrorKind::Other });
    file.sync_data().unwrap_err();
    assert_eq!(images(&files).len(), 4, "what was not synced stays to be synced");
    file.sync_data().unwrap();
    assert_eq!(images(&files), BTreeSet::from([only("log/0", &[2; 600])]));
    files.inject(Fault::Gone { nth: 2, error: ErrorKind::ReadOnlyFilesystem });
    files.list("log").unwrap();
    for _ in 0..3 {
        assert_eq!(file.len().unwrap_err().kind(), ErrorKind::ReadOnlyFilesystem);
    }
    assert_eq!(files.open("log/0", Open::Read).err().unwrap().kind(), ErrorKind::ReadOnlyFilesystem);
    assert!(files.take_faults() > 3);
    file.len().unwrap();
    assert!(files.take_counts().calls > 10);
}

#[test]
fn a_write_is_cut_at_a_byte_lost_or_lands_elsewhere() {
    let files = ledger();
    let file = durable(&files, "log/0", &[1; 2_048]);
    files.inject(Fault::ShortWrite { nth: 1, bytes: 700, error: ErrorKind::StorageFull });
    assert_eq!(file.write_at(&[2; 1_000], 100).unwrap_err().kind(), ErrorKind::StorageFull);
    let shown = read(&files, "log/0");
    assert_eq!((shown[99], shown[100], shown[799], shown[800]), (1, 2, 2, 1));
    files.inject(Fault::LostWrite { nth: 1 });
    file.write_at(&[3; 2_048], 0).unwrap();
    assert_eq!(read(&files, "log/0"), shown);
    files.inject(Fault::MisdirectedWrite { nth: 1, sectors: 2 });
    file.write_at(&[4; 512], 512).unwrap();
    files.inject(Fault::MisdirectedWrite { nth: 1, sectors: -9 });
    file.write_at(&[5; 512], 512).unwrap();
    let shown = read(&files, "log/0");
    assert_eq!((shown[0], shown[1_000], shown[1_536], shown[2_047]), (5, 1, 4, 4));
}

#[test]
fn a_read_is_short_stale_or_flipped_once() {
    let files = ledger();
    let file = durable(&files, "log/0", &[1; 1_000]);
    file.write_at(&[2; 1_500], 0).unwrap();
    let sound = read(&files, "log/0");
    files.inject(Fault::ShortRead { nth: 1, bytes: 10 });
    let mut into = [0; 600];
    assert_eq!(file.read_at(&mut into, 0).unwrap(), 10);
    files.inject(Fault::StaleRead { nth: 1 });
    assert_eq!((file.read_at(&mut into, 500).unwrap(), into[0]), (500, 1));
    files.inject(Fault::FlippedRead { nth: 1, bit: 8 * 599 + 3 });
    assert_eq!((file.read_at(&mut into, 0).unwrap(), into[598], into[599]), (600, 2, 2 ^ 8));
    assert_eq!((read(&files, "log/0"), files.take_faults()), (sound, 3), "the disk is sound");
}

#[test]
fn a_lying_sync_leaves_all_pending() {
    let files = ledger();
    let file = durable(&files, "log/0", &[1; 512]);
    file.write_at(&[2; 512], 0).unwrap();
    files.inject(Fault::LyingSync { nth: 1 });
    file.sync_all().unwrap();
    assert_eq!(images(&files).len(), 2);
    files.create_directory("index").unwrap();
    files.inject(Fault::LyingSync { nth: 1 });
    files.sync_directory("").unwrap();
    assert!(!files.disk().durable().directories.contains("index"));
}

#[test]
fn a_bit_that_decays_is_gone_from_cache_and_disk() {
    let files = ledger();
    let file = durable(&files, "log/0", &[0; 600]);
    file.write_at(&[1; 10], 0).unwrap();
    files.rot("log/0", 5, 2).unwrap();
    files.rot("log/0", 599, 0).unwrap();
    assert_eq!((read(&files, "log/0")[5], read(&files, "log/0")[599]), (5, 1));
    let durable = files.disk().durable().files["log/0"].to_vec();
    assert_eq!((durable[5], durable[599]), (4, 1));
    assert_eq!(files.rot("log/0", 600, 0).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(files.rot("log/1", 0, 0).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_torn_sector_is_old_and_new_in_every_way() {
    let files = ledger();
    let file = durable(&files, "log/0", &[1; 1_024]);
    let mut new = [1; 1_024];
    new[10..15].fill(2);
    new[600] = 2;
    file.write_at(&new, 0).unwrap();
    let disk = files.disk();
    let torn = disk.torn(1_000, 0);
    assert!(torn.is_exhaustive());
    // Between the first and the last byte that differ, of which the second sector has one.
    let torn: Vec<Vec<u8>> = torn.map(|crash| crash.image.files["log/0"].to_vec()).collect();
    assert_eq!(torn.len(), 4 * 4);
    for bytes in &torn {
        let twos = bytes[10..15].iter().filter(|byte| **byte == 2).count();
        assert!((1..5).contains(&twos) && (bytes[10] == 2) != (bytes[14] == 2), "{bytes:?}");
        assert_eq!(bytes[..10], [1; 10]);
    }
    assert_eq!(torn.iter().collect::<BTreeSet<_>>().len(), 16);
    assert!(torn.iter().any(|bytes| bytes[600] == 2) && torn.iter().any(|bytes| bytes[600] == 1));
    let sampled = disk.torn(5, 3);
    assert!(!sampled.is_exhaustive());
    assert_eq!(sampled.count(), 5);
    file.sync_data().unwrap();
    assert_eq!(files.disk().torn(1_000, 0).count(), 0);
}

#[test]
fn a_drawn_power_loss_is_the_same_for_the_same_seed() {
    let files = ledger();
    let file = durable(&files, "log/0", &[1; 2_048]);
    file.write_at(&[2; 2_048], 0).unwrap();
    let all = images(&files);
    let drawn = |tear| (0..200).map(|seed| listed(&files.disk().crash_by(seed, tear).image)).collect::<Vec<_>>();
    assert_eq!(drawn(true), drawn(true));
    let (whole, torn): (BTreeSet<_>, BTreeSet<_>) = (drawn(false).into_iter().collect(), drawn(true).into_iter().collect());
    assert!(whole.len() > 8 && whole.is_subset(&all));
    assert!(!torn.is_subset(&all), "now and then a sector is torn");
}

#[test]
fn a_full_disk_refuses_what_grows() {
    let files = ledger();
    let file = durable(&files, "log/0", &[1; 1_000]);
    durable(&files, "HEAD", &[1; 1_000]);
    files.set_capacity(Some(2_500));
    file.write_at(&[2; 1_500], 0).unwrap();
    for refused in [file.write_at(&[3; 10], 1_495), file.allocate(1_501), file.set_len(1_501)] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::StorageFull);
    }
    file.write_at(&[3; 10], 1_490).unwrap();
    files.set_capacity(None);
    file.allocate(9_000).unwrap();
}

#[test]
fn operations_are_counted() {
    let files = ledger();
    let file = durable(&files, "log/0", &[1; 1_000]);
    let _ = files.take_counts();
    let mut into = [0; 600];
    file.read_at(&mut into, 500).unwrap();
    file.write_at(&[1; 700], 0).unwrap();
    file.sync_data().unwrap();
    let counts = files.take_counts();
    assert_eq!((counts.reads, counts.bytes_read, counts.writes, counts.bytes_written), (1, 500, 1, 700));
    assert_eq!((counts.data_syncs, counts.syncs, counts.directory_syncs), (1, 0, 0));
    assert_eq!(files.take_counts().reads, 0);
}

#[test]
fn snapshots_follow_each_change_and_carry_the_mark() {
    let files = ledger();
    let file = durable(&files, "log/0", &[0; 2_048]);
    files.record(true);
    file.write_at(&[1; 2_048], 0).unwrap();
    file.sync_data().unwrap();
    files.mark(1);
    let snapshots = files.take_snapshots();
    let kinds: Vec<_> = snapshots.iter().map(|s| (s.whole, s.mark)).collect();
    assert_eq!(kinds, [(false, 0), (false, 0), (false, 0), (true, 0), (true, 0), (true, 1)]);
    let ones = |disk: &sovang_storage::sim::Disk| disk.visible().files["log/0"].to_vec().iter().filter(|b| **b == 1).count();
    let ones: Vec<_> = snapshots.iter().map(|snapshot| ones(&snapshot.disk)).collect();
    assert_eq!(ones, [512, 1_024, 1_536, 2_048, 2_048, 2_048]);
    assert_eq!(snapshots[3].disk.crashes(100, 0).count(), 16);
    assert_eq!(snapshots[4].disk.crashes(100, 0).count(), 1);
    let sampled = snapshots[3].disk.crashes(10, 7);
    assert!(!sampled.is_exhaustive());
    let sampled: BTreeSet<_> = sampled.map(|crash| listed(&crash.image)).collect();
    assert_eq!(sampled.len(), 10, "none, all, each alone and each missing are different");
}

#[test]
fn a_machine_or_a_process_starts_again() {
    let files = ledger();
    durable(&files, "log/0", b"durable");
    let file = files.open("HEAD", Open::Create).unwrap();
    file.write_at(b"seen", 0).unwrap();
    let _held = files.lock("HEAD").unwrap();
    let process = SimFiles::from_disk(files.disk());
    assert_eq!(read(&process, "HEAD"), b"seen");
    process.lock("HEAD").unwrap();
    let crash = process.disk().crashes(1, 0).next().unwrap();
    let machine = SimFiles::from_image(&crash.image);
    assert_eq!(read(&machine, "log/0"), b"durable");
    assert_eq!(machine.open("HEAD", Open::Read).err().unwrap().kind(), ErrorKind::NotFound);
    assert_eq!(machine.disk().visible(), crash.image);
    assert_eq!(crash.image.files["log/0"], Content::new(b"durable"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// What was written before a sync is in every crash image after it, until it is written again.
    #[test]
    fn what_was_synced_is_in_every_image(
        before in prop::collection::vec((0usize..3_000, 1usize..900, 1u8..), 1..5),
        data_only in any::<bool>(),
        allocated in prop::option::of(0u64..4_000),
        after in prop::collection::vec((0usize..3_000, 1usize..900, 1u8..), 0..3),
        seed in any::<u64>(),
    ) {
        let files = ledger();
        let file = durable(&files, "log/0", b"");
        let write = |(offset, len, byte): (usize, usize, u8)| {
            file.write_at(&vec![byte; len], u64::try_from(offset).unwrap()).unwrap();
        };
        if let Some(len) = allocated {
            file.allocate(len).unwrap();
        }
        before.iter().copied().for_each(write);
        if data_only { file.sync_data().unwrap() } else { file.sync_all().unwrap() }
        let end = before.iter().map(|(offset, len, _)| offset + len).max().unwrap();
        let synced = read(&files, "log/0");
        after.iter().copied().for_each(write);
        let touched: BTreeSet<usize> = after.iter().flat_map(|(offset, len, _)| *offset..offset + len).collect();
        let longest = read(&files, "log/0").len();
        for crash in files.disk().crashes(64, seed) {
            let found = crash.image.files["log/0"].to_vec();
            prop_assert!((end..=longest).contains(&found.len()));
            for at in 0..end {
                prop_assert!(found[at] == synced[at] || touched.contains(&at), "byte {} is {} after {}", at, found[at], crash);
            }
        }
    }
}
