//! An auditor's read-only replay: no lock, nothing written, no event type needed; beside a live writer too.
//!
//!     cargo run --example auditor -- DIR

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

use sovang::{Ledger, Query, RawEvent};
use std::collections::BTreeMap;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::args().nth(1).ok_or("usage: auditor DIR (a ledger, such as `sovang demo DIR` makes)")?;
    let reader = Ledger::<RawEvent>::open_read_only(&directory)?;
    println!("origin {}, schema {}", reader.origin(), reader.schema());

    let audit = reader.audit()?; // re-hashes every byte
    for finding in &audit.findings {
        eprintln!("{finding}");
    }
    println!("size {}, root {}: {} findings", audit.head.size, audit.head.root, audit.findings.len());

    let mut by_kind = BTreeMap::new();
    for record in reader.read(Query::all()) {
        let record = record?;
        *by_kind.entry((record.event.number, record.event.version)).or_insert(0u64) += 1;
    }
    for ((number, version), count) in by_kind {
        println!("kind {number} version {version}: {count} records");
    }
    Ok(())
}
