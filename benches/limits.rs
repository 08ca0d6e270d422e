//! Where we stand against the physical limits, measured in the same run on the same data.
//!
//!     cargo bench --bench limits                          # 200,000 events, three rounds
//!     SOVANG_BENCH_EVENTS=1000000 cargo bench --bench limits
//!     SOVANG_BENCH_DIR=/mnt/disk cargo bench --bench limits   # on another disk than the temporary directory's
//!
//! Each row is a work and its limit in turn, round by round; the medians are printed with their ratio, which is the only
//! figure that means anything on a machine that drifts. A limit does what no ledger can do without: the bytes, the
//! syncs, the hashes, the decoding; no index, no threads to wake, no checks.
#![allow(missing_docs, clippy::expect_used, clippy::unwrap_used, clippy::print_stdout, clippy::float_arithmetic)]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "rates for people to read")]

use sovang::recognition::{self, Contribution, Field, Recognition, Source, SubjectKind, UnitKind, tally};
use sovang::{Date, Entry, Envelope, Import, Ledger, NoRules, Options, Query, RawEvent, RecordId, Recorded, Ticket, date};
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::hint::black_box;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

const ROUNDS: usize = 3;
/// A frame of this data with its checksum, about.
const FRAME_BYTES: usize = 185;
const DAY: Date = date(2024, 5, 5);
/// Events of each model in the bulk data.
const EVENTS_A_MODEL: usize = 8;

fn main() {
    let events: usize = std::env::var("SOVANG_BENCH_EVENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(200_000);
    let home = std::env::var_os("SOVANG_BENCH_DIR")
        .map_or_else(std::env::temp_dir, PathBuf::from)
        .join(format!("sovang-bench-{}", std::process::id()));
    fs::create_dir_all(&home).expect("a directory to measure in");
    println!("{events} events in {}, medians of {ROUNDS} interleaved rounds\n", home.display());
    println!("| work | ours | limit | ratio |\n|---|---|---|---|");
    appends(&home);
    let bulk = bulk(&home, events);
    reads(&bulk, events);
    println!(
        "\n{} bytes on disk an event ({} with everything but the vault)",
        bytes_of(&bulk.join("log")) / events as u64,
        bytes_of(&bulk) / events as u64
    );
    fs::remove_dir_all(&home).expect("the directory to be removed");
}

/// Runs a work and its limit in turn and prints the medians of events a second.
fn versus(name: &str, events: usize, mut ours: impl FnMut(usize), mut limit: impl FnMut(usize)) {
    let (mut us, mut them) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        us.push(seconds(|| ours(round)));
        them.push(seconds(|| limit(round)));
    }
    let (us, them) = (median(us), median(them));
    println!("| {name} | {} | {} | {:.2} |", rate(events, us), rate(events, them), them / us);
}
/// What is computed is not to be optimised away.
fn keep<T>(value: T) {
    drop(black_box(value));
}
fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
fn rate(events: usize, seconds: f64) -> String {
    let rate = events as f64 / seconds;
    if rate >= 1e6 {
        format!("{:.2} M/s", rate / 1e6)
    } else if rate >= 1e4 {
        format!("{:.1} k/s", rate / 1e3)
    } else {
        format!("{rate:.0} /s")
    }
}
fn bytes_of(path: &Path) -> u64 {
    if path.is_dir() {
        fs::read_dir(path).expect("readable").map(|e| bytes_of(&e.expect("readable").path())).sum()
    } else {
        fs::metadata(path).map_or(0, |m| m.len())
    }
}

fn gift(model: usize) -> Entry<Recognition> {
    let cash = Contribution::Cash { vnd: i64::try_from(1_500_000 + model).expect("small") };
    recognition::model_funded(format!("BTL-2024-{model:06}"), cash, Source::Socialised).on(DAY)
}
fn create(home: &Path, name: String) -> Ledger<Recognition> {
    Options::new().create(home.join(name), "example.org/bench").expect("a ledger")
}
/// A file with its space reserved, as a log has it.
fn reserved(path: &Path, bytes: usize) -> File {
    let file = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(path).expect("a file");
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes as u64).expect("space");
    file.sync_all().expect("a sync");
    file
}
/// One write and one sync for so many frames at a time.
fn write_and_sync(path: &Path, frames: usize, at_a_time: usize) {
    let file = reserved(path, frames * FRAME_BYTES);
    let chunk = vec![7u8; at_a_time * FRAME_BYTES];
    for index in 0..frames / at_a_time {
        file.write_all_at(&chunk, (index * chunk.len()) as u64).expect("a write");
        file.sync_data().expect("a sync");
    }
}

fn appends(home: &Path) {
    const ONE: usize = 2_000;
    versus(
        "A: durable append, 1 event a commit, 1 thread",
        ONE,
        |round| {
            let desk = create(home, format!("a{round}")).by("bench");
            (0..ONE).for_each(|i| keep(desk.record(gift(i)).expect("durable")));
        },
        |round| write_and_sync(&home.join(format!("limit-a{round}")), ONE, 1),
    );
    const THREADS: usize = 16;
    const EACH: usize = 1_000;
    versus(
        "B: the same, 16 threads",
        THREADS * EACH,
        |round| {
            let ledger = create(home, format!("b{round}"));
            std::thread::scope(|scope| {
                for thread in 0..THREADS {
                    let desk = ledger.by("bench");
                    scope.spawn(move || (0..EACH).for_each(|i| keep(desk.record(gift(thread * EACH + i)).expect("durable"))));
                }
            });
        },
        |round| write_and_sync(&home.join(format!("limit-b{round}")), THREADS * EACH, THREADS),
    );
    const TICKETS: usize = 32_000;
    versus(
        "B': one thread holding 4,000 tickets at a time",
        TICKETS,
        |round| {
            let desk = create(home, format!("t{round}")).by("bench");
            for chunk in 0..TICKETS / 4_000 {
                let tickets: Vec<Ticket> = (0..4_000).map(|i| desk.submit(gift(chunk * 4_000 + i)).expect("submitted")).collect();
                tickets.into_iter().for_each(|t| keep(t.wait().expect("durable")));
            }
        },
        |round| write_and_sync(&home.join(format!("limit-t{round}")), TICKETS, 4_000),
    );
    const THOUSANDS: usize = 100_000;
    versus(
        "C: 1,000 events a commit",
        THOUSANDS,
        |round| {
            let desk = create(home, format!("c{round}")).by("bench");
            for chunk in 0..THOUSANDS / 1_000 {
                desk.record_all((0..1_000).map(|i| gift(chunk * 1_000 + i))).expect("durable");
            }
        },
        |round| write_and_sync(&home.join(format!("limit-c{round}")), THOUSANDS, 1_000),
    );
    const CONDITIONAL: usize = 16_000;
    versus(
        "J: conditional append, 16 threads, 64 events a commit",
        CONDITIONAL,
        |round| {
            let ledger = create(home, format!("j{round}"));
            std::thread::scope(|scope| {
                for thread in 0..THREADS {
                    let desk = ledger.by("bench");
                    scope.spawn(move || {
                        let each = CONDITIONAL / THREADS;
                        for first in (thread * each..(thread + 1) * each).step_by(64) {
                            let entries = (first..(first + 64).min((thread + 1) * each)).map(gift);
                            desk.record_if(Query::tag("model", format!("BTL-2024-{first:06}")).absent(), entries)
                                .expect("durable");
                        }
                    });
                }
            });
        },
        |round| write_and_sync(&home.join(format!("limit-j{round}")), CONDITIONAL, 640),
    );
}

/// The bulk data: wards, models, and gifts to them.
fn entries(events: usize) -> impl Iterator<Item = Entry<Recognition>> {
    let ward = recognition::unit_defined("w-1", "W", UnitKind::Ward, date(2013, 12, 27)).on(date(2013, 12, 27));
    std::iter::once(ward).chain((1..events).map(|i| {
        let model = i / EVENTS_A_MODEL;
        if i % EVENTS_A_MODEL == 0 || i == 1 {
            let title = "Camera an ninh tổ dân phố";
            recognition::model_registered(
                format!("BTL-2024-{model:06}"),
                title,
                SubjectKind::Collective,
                "w-1",
                Field::Economy,
                2024,
            )
            .on(DAY)
        } else {
            gift(model)
        }
    }))
}

fn bulk(home: &Path, events: usize) -> PathBuf {
    versus(
        "D: bulk import without rules, one file",
        events,
        |round| {
            let ledger = create(home, format!("d{round}"));
            let mut importer = ledger.importer(NoRules).expect("an importer");
            let envelope = Envelope::by("bench".parse().expect("a name"));
            for (index, entry) in entries(events).enumerate() {
                let id =
                    RecordId::v7(1_700_000_000_000 + index as u64, (index as u128).to_le_bytes()[..10].try_into().expect("ten"));
                let import =
                    Import { entry: entry.with_id(id), envelope: envelope.clone(), recorded_at: None, given: Vec::new() };
                importer.take(import).expect("taken");
            }
            importer.finish().expect("appended");
            ledger.close().expect("closed");
        },
        |round| write_and_sync(&home.join(format!("limit-d{round}")), events, events.min(5_000)),
    );
    home.join("d0")
}

fn reads(bulk: &Path, events: usize) {
    let reader = Ledger::<Recognition>::open_read_only(bulk).expect("a reader");
    let frames: Vec<_> = reader.read(Query::all()).into_iter().map(|r| r.expect("a record").frame().clone()).collect();
    versus(
        "E: replay into a tally, one thread",
        events,
        |_| keep(reader.fold(tally::Contributions::default()).expect("folded").rows()),
        |_| {
            // The same records out of memory: decoding and nothing else.
            for (position, frame) in frames.iter().enumerate() {
                let record: Recorded<Recognition> =
                    Recorded::decode(sovang::Position(position as u64), frame.clone(), None).expect("decodes");
                black_box(record);
            }
        },
    );
    versus(
        "E: the same, two threads",
        events,
        |_| keep(reader.fold_parallel(tally::Contributions::default, 2).expect("folded").rows()),
        |_| {
            std::thread::scope(|scope| {
                for half in frames.chunks(frames.len().div_ceil(2)) {
                    scope.spawn(move || {
                        for frame in half {
                            black_box(
                                Recorded::<Recognition>::decode(sovang::Position(0), frame.clone(), None).expect("decodes"),
                            );
                        }
                    });
                }
            });
        },
    );
    let raw = Ledger::<RawEvent>::open_read_only(bulk).expect("a reader");
    versus(
        "F: verify everything",
        events,
        |_| assert!(raw.audit().expect("audited").is_sound()),
        |_| {
            // Record hashes, leaves and root on two threads, out of memory.
            let half = frames.len().div_ceil(2);
            let leaves: Vec<_> = std::thread::scope(|scope| {
                let parts: Vec<_> = frames
                    .chunks(half)
                    .enumerate()
                    .map(|(part, frames)| {
                        scope.spawn(move || {
                            let first = part * half;
                            frames
                                .iter()
                                .enumerate()
                                .map(|(i, f)| sovang::tree::leaf_hash(&f.hash(sovang::Position((first + i) as u64))))
                                .collect::<Vec<_>>()
                        })
                    })
                    .collect();
                parts.into_iter().flat_map(|part| part.join().expect("no panic")).collect()
            });
            let mut frontier = sovang::tree::Frontier::new();
            leaves.into_iter().for_each(|leaf| keep(frontier.push(leaf)));
            assert_eq!(frontier.root(), reader.head().root);
        },
    );
    let mut by_model: HashMap<String, Vec<usize>> = HashMap::new();
    for (position, frame) in frames.iter().enumerate() {
        let record: Recorded<Recognition> = Recorded::decode(sovang::Position(0), frame.clone(), None).expect("decodes");
        if let Some(model) = record.event.model() {
            by_model.entry(model.to_owned()).or_default().push(position);
        }
    }
    const LOOKUPS: usize = 20_000;
    let models = events / EVENTS_A_MODEL;
    let model = |i: usize| format!("BTL-2024-{:06}", i.wrapping_mul(2_654_435_761) % models.max(1));
    versus(
        "G: history of one model, random, warm",
        LOOKUPS,
        |_| {
            for i in 0..LOOKUPS {
                for record in reader.read(Query::tag("model", model(i))) {
                    black_box(record.expect("a record"));
                }
            }
        },
        |_| {
            for i in 0..LOOKUPS {
                for position in by_model.get(&model(i)).into_iter().flatten() {
                    black_box(
                        Recorded::<Recognition>::decode(sovang::Position(0), frames[*position].clone(), None).expect("decodes"),
                    );
                }
            }
        },
    );
    const OPENS: usize = 200;
    versus(
        "H: open, warm (opens a second)",
        OPENS,
        |_| (0..OPENS).for_each(|_| keep(Ledger::<Recognition>::open_read_only(bulk).expect("a reader"))),
        |_| {
            for _ in 0..OPENS {
                black_box(fs::read(bulk.join("HEAD")).expect("HEAD"));
                black_box(fs::read(bulk.join("ledger")).expect("ledger"));
            }
        },
    );
}
