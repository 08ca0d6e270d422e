//! The first inputs of each target: sound bytes, and small changes to them. What fuzzing found beyond is kept beside them.

use crate::{evidence, image, index_run, segment, snapshot, vault};
use sovang::recognition::interchange::{Line, Mode, parse_line};
use sovang::recognition::{Recognition, tally};
use sovang_core::calendar::days_of;
use sovang_core::record::Prepared;
use sovang_core::{Head, RecordId, Root, Size};
use sovang_projection::Snapshot;

/// A few lines of an office, one of each type.
const OFFICE: &str = include_str!("../../../fuzz/office.jsonl");

/// Name and bytes of each first input of a target.
#[must_use]
pub fn of(target: &str) -> Vec<(String, Vec<u8>)> {
    let unnamed = match target {
        "frame" | "event" => frames(),
        "segment" => segments(),
        "head_slot" => edited(&[0, 2]).into_iter().chain([raw(1, "HEAD")]).collect(),
        "index_run" => edited(&[0, index_run::SUMS]),
        "vault" => edited(&[0, vault::KEYS, vault::SUMS, vault::KEYS | vault::SUMS]),
        "snapshot" => snapshots(),
        "import_jsonl" => OFFICE.lines().map(|line| line.as_bytes().to_vec()).chain([OFFICE.as_bytes().to_vec()]).collect(),
        "operations" => (0u8..11).map(|n| (0..120).map(|i: u8| i.wrapping_mul(n.wrapping_mul(2) + 3)).collect()).collect(),
        "evidence" => evidence::SEEDS.iter().map(|(which, text)| [&[*which], *text].concat()).collect(),
        _ => Vec::new(),
    };
    (0..).zip(unnamed).map(|(n, bytes): (u32, _)| (format!("seed-{n:02}"), bytes)).collect()
}

fn raw(mode: u8, path: &str) -> Vec<u8> {
    [&[mode][..], &image::read(&image::short_log(), path)].concat()
}

/// No change, and a few of each sort.
fn edited(modes: &[u8]) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for mode in modes {
        seeds.push(vec![*mode]);
        for (nth, edits) in [1usize, 9, 40].into_iter().enumerate() {
            let step = u8::try_from(nth).unwrap() * 2 + 5;
            seeds.push(
                [*mode].into_iter().chain((0..edits * 8).map(|i| u8::try_from(i % 251).unwrap().wrapping_mul(step))).collect(),
            );
        }
    }
    seeds
}

fn frames() -> Vec<Vec<u8>> {
    let mut frames = vec![image::record(0, b"payload").bytes().to_vec()];
    for (n, line) in (0u128..).zip(OFFICE.lines()) {
        let Ok(Line::Event { import, .. }) = parse_line(line.as_bytes(), Mode::Append) else { continue };
        let on = import.entry.occurred_on().map(days_of);
        let id = RecordId::from_bytes(n.to_be_bytes());
        let waiver = import.entry.waiver().cloned();
        let mut record =
            Prepared::new::<Recognition>(import.entry.event(), id, on, import.envelope, waiver, &[], &mut || Ok([7; 32]))
                .expect("a line of the office");
        record.stamp(1_700_000_000_000_000, 0);
        frames.push(record.bytes().to_vec());
    }
    frames
}

fn segments() -> Vec<Vec<u8>> {
    let log = image::read(&image::short_log(), "log/0");
    let behind = |mode: u8| [&[mode][..], &log[crate::seal::SEGMENT_HEADER..]].concat();
    let sums = segment::SUMS | segment::ROOTS;
    let mut seeds: Vec<Vec<u8>> = vec![behind(0), behind(sums), behind(segment::DURABLE), behind(sums | segment::DURABLE)];
    seeds.extend(edited(&[
        segment::EDITED,
        segment::EDITED | sums,
        segment::EDITED | segment::DURABLE,
        segment::EDITED | segment::SUMS,
    ]));
    seeds
}

fn snapshots() -> Vec<Vec<u8>> {
    let head = Head { size: Size(3), root: Root([4; 32]) };
    let empty = |bytes: Vec<u8>| [[0].to_vec(), bytes.clone()].concat();
    let registered = Snapshot::of::<Recognition, _>(&tally::Registered::default(), image::LEDGER, head).unwrap().to_bytes();
    let cumulative = Snapshot::of::<Recognition, _>(&tally::Cumulative::default(), image::LEDGER, head).unwrap().to_bytes();
    let commendations = Snapshot::of::<Recognition, _>(&tally::Commendations::default(), image::LEDGER, head).unwrap().to_bytes();
    let mut seeds: Vec<Vec<u8>> = [registered, cumulative, commendations].map(empty).to_vec();
    for n in 0..3 {
        let mut sums = seeds[n].clone();
        sums[0] = snapshot::SUMS;
        sums.extend_from_slice(&[0; 8]);
        seeds.push(sums);
    }
    seeds
}
