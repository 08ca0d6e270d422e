//! The evidence's whole way: an office signs its ledger, gives out a receipt and a checkpoint, and an auditor who keeps them finds out
//! what was done to the ledger since.
//!
//!     cargo run --example audit

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use sovang::recognition::{self, Contribution, Recognition, Source};
use sovang::{Checkpoint, Ledger, Policy, Position, RawEvent, Receipt, SigningKey, date};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let home = tempfile::tempdir()?;
    let (dir, usb_stick) = (home.path().join("golden-book"), home.path().join("usb-stick"));
    std::fs::create_dir(&usb_stick)?;

    // The office. Its key lives on a medium of its own, never beside the ledger.
    let key = SigningKey::create(usb_stick.join("book.key"), "example.org/golden-book", Some("correct horse"))?;
    let ledger = Ledger::<Recognition>::create(&dir, "example.org/golden-book")?;
    let clerk = ledger.by("clerk:lan");
    for vnd in [15_000_000, 2_000_000, 7_500_000] {
        let gift = recognition::model_funded("flower-road", Contribution::Cash { vnd }, Source::Socialised);
        clerk.record(gift.on(date(2024, 10, 5)))?;
    }
    let kept = ledger.checkpoint(&key)?.to_string(); // three lines and a signature, to be given to anyone
    let receipt = ledger.receipt(Position(1), None)?.to_string();
    println!("what the office gives out:\n\n{kept}\nwho checks needs: {}\n", key.vkey());

    // Anyone, offline, without the ledger.
    let policy = Policy::key(key.vkey())?;
    let proven = receipt.parse::<Receipt>()?.verify(&policy)?;
    println!("record {} is in the log of {} records", proven.position, proven.checkpoint.head.size);
    let forged = receipt.replace("index 1", "index 2");
    println!("a forged receipt: {}", forged.parse::<Receipt>()?.verify(&policy).expect_err("another position"));

    // A year later the auditor holds the ledger against the checkpoint that was kept.
    let gift = recognition::model_funded("flower-road", Contribution::Cash { vnd: 1 }, Source::Socialised);
    clerk.record(gift.on(date(2025, 10, 5)))?;
    let old: Checkpoint = kept.parse()?;
    ledger.checkpoint(&key)?;
    let reader = Ledger::<RawEvent>::open_read_only(&dir)?;
    reader.extends(old.head())?;
    let grown = reader.prove_growth(old.head().size)?.verify(&old, &policy)?;
    println!("nothing was changed or taken away from size {} to size {}", grown.old.head.size, grown.new.head.size);

    // A copy in which somebody starts again from less is not signed: the stick remembers.
    let other = Ledger::<Recognition>::create(home.path().join("other"), "example.org/golden-book")?;
    println!("another history: {}", other.checkpoint(&key).expect_err("an older or other copy"));
    Ok(())
}
