//! What evidence costs: signing a log, proving one record of it and its growth, and checking that.
//!
//!     cargo bench --bench evidence                            # 1,000,000 records
//!     SOVANG_BENCH_EVENTS=100000 cargo bench --bench evidence
//!     SOVANG_BENCH_DIR=/mnt/disk cargo bench --bench evidence # on another disk than the temporary directory's
//!
//! Medians over so many random records of the ledger, warm. A signature hashes the whole log again: that is its price.
#![allow(missing_docs, clippy::expect_used, clippy::unwrap_used, clippy::print_stdout, clippy::float_arithmetic)]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "figures for people to read")]

use sovang::evidence::{KeyKind, SecretKey};
use sovang::recognition::{self, Contribution, Recognition, Source};
use sovang::{Date, Growth, Ledger, Options, Policy, Position, RawEvent, Receipt, SigningKey, Size, date};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const ORIGIN: &str = "example.org/bench";
const DAY: Date = date(2024, 5, 5);
const BATCH: u64 = 1_000;
const SAMPLES: u64 = 500;

fn main() {
    let records: u64 = std::env::var("SOVANG_BENCH_EVENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let home = std::env::var_os("SOVANG_BENCH_DIR")
        .map_or_else(std::env::temp_dir, PathBuf::from)
        .join(format!("sovang-bench-{}", std::process::id()));
    std::fs::create_dir_all(&home).expect("a directory to measure in");
    measure(&home, records);
    std::fs::remove_dir_all(&home).expect("the directory goes again");
}

fn measure(home: &Path, records: u64) {
    let dir = home.join("book");
    let key = SigningKey::create(home.join("key"), ORIGIN, None).unwrap();
    let ledger: Ledger<Recognition> = Options::new().create(&dir, ORIGIN).unwrap();
    fill(&ledger, records / 2);
    ledger.checkpoint(&key).unwrap();
    fill(&ledger, records - records / 2);
    let started = Instant::now();
    let signed = ledger.checkpoint(&key).unwrap();
    println!("{records} records in {}; medians of {SAMPLES}\n", home.display());
    println!("sign the head (hashes the whole log): {:.2} s", started.elapsed().as_secs_f64());
    ledger.close().unwrap();

    let reader = Ledger::<RawEvent>::open_read_only(&dir).unwrap();
    let policy = Policy::key(key.vkey()).unwrap();
    println!("\n| what | bytes | make | check |\n|---|---|---|---|");
    let positions: Vec<Position> = random(SAMPLES).map(|n| Position(n % records)).collect();
    row(
        "proof of a record (its hash)",
        &positions,
        |p| reader.prove(p).unwrap().to_string(),
        |text| {
            text.parse::<Receipt>().unwrap().verify(&policy).unwrap();
        },
    );
    row(
        "receipt (the record itself)",
        &positions,
        |p| reader.receipt(p, None).unwrap().to_string(),
        |text| {
            text.parse::<Receipt>().unwrap().verify(&policy).unwrap();
        },
    );
    let witnesses: Vec<SecretKey> =
        (1..=3u8).map(|n| SecretKey::from_seed(&format!("w.example/{n}"), [n; 32]).unwrap()).collect();
    let lines: String =
        witnesses.iter().map(|w| format!("witness w{} {}\n", w.name(), w.verifier(KeyKind::Cosignature))).collect();
    let names: String = witnesses.iter().map(|w| format!(" w{}", w.name())).collect();
    let cosigned = Policy::parse(format!("log {}\n{lines}group all all{names}\nquorum all\n", key.vkey()).as_bytes()).unwrap();
    let with_witnesses = |p| {
        let mut receipt = reader.receipt(p, None).unwrap();
        for witness in &witnesses {
            receipt.checkpoint_mut().add(witness.cosign(&signed, 1_700_000_000)).unwrap();
        }
        receipt.to_string()
    };
    row("receipt with three cosignatures", &positions, with_witnesses, |text| {
        text.parse::<Receipt>().unwrap().verify(&cosigned).unwrap();
    });
    let old = reader.checkpoints().unwrap().remove(0);
    let sizes: Vec<Position> = vec![Position(old.head().size.0); 50];
    row(
        "growth from half of it",
        &sizes,
        |p| reader.prove_growth(Size(p.0)).unwrap().to_string(),
        |text| {
            text.parse::<Growth>().unwrap().verify(&old, &policy).unwrap();
        },
    );
}

fn fill(ledger: &Ledger<Recognition>, records: u64) {
    let desk = ledger.by("clerk:bench");
    for batch in 0..records.div_ceil(BATCH) {
        let count = BATCH.min(records - batch * BATCH);
        let entries = (0..count).map(|n| {
            let gift =
                recognition::model_funded("flower-road", Contribution::Cash { vnd: 1 + i64::try_from(n).unwrap() }, Source::Own);
            gift.on(DAY)
        });
        desk.record_all(entries).unwrap();
    }
}

fn row(what: &str, at: &[Position], mut make: impl FnMut(Position) -> String, check: impl Fn(&str)) {
    let (mut making, mut checking, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for position in at {
        let started = Instant::now();
        let text = make(*position);
        making.push(started.elapsed());
        let started = Instant::now();
        check(&text);
        checking.push(started.elapsed());
        bytes.push(text.len());
    }
    bytes.sort_unstable();
    println!("| {what} | {} | {} | {} |", bytes[bytes.len() / 2], median(making), median(checking));
}
fn median(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    format!("{:.2} ms", times[times.len() / 2].as_secs_f64() * 1_000.0)
}

/// A fixed sequence that wanders over all positions.
fn random(count: u64) -> impl Iterator<Item = u64> {
    (1..=count).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20)
}
