//! `sovang erase`

use crate::args::EraseArgs;
use crate::failure::Failure;
use crate::output;
use serde_json::json;
use sovang::recognition::Recognition;
use sovang::{Appended, Error, ErrorKind, Historic, Ledger, LedgerEvent, Size};
use std::fmt::Write as _;
use std::io::Write as _;

pub(crate) fn run(args: &EraseArgs) -> Result<(), Failure> {
    let ledger = Ledger::<Recognition>::open(&args.dir)?;
    let done = ledger.by(&args.actor).erase(&args.subject, &args.basis)?;
    let record = record_of(&ledger, &done)?;
    let head = ledger.head();
    ledger.close()?;
    if args.json {
        output::json(&json!({
            "position": done.position.0,
            "handle": record.handle,
            "record_hash": done.hash.to_string(),
            "repeated": done.repeated,
            "size": head.size.0,
            "root": head.root.to_base64(),
        }))?;
    } else {
        let mut out = output::stdout();
        let (position, handle, day) = (done.position, &record.handle, &record.recorded_at);
        if done.repeated {
            writeln!(out, "erased before: the record at position {position} of {day} says so, under the handle {handle}")?;
        } else {
            writeln!(out, "erased: the record at position {position} says so, under the handle {handle}")?;
        }
        out.flush()?;
    }
    if !done.repeated {
        output::tell("note: old blocks on a disk, and copies elsewhere, are not reached: see `sovang erase --help`");
    }
    let dir = args.dir.display();
    output::tell(&format!(
        "hint: for a signed receipt of the erasure: sovang checkpoint {dir} --key KEYFILE, then sovang receipt {dir} --position {} -o FILE",
        done.position
    ));
    Ok(())
}

/// What the record of an erasure says of it.
struct Erased {
    handle: String,
    recorded_at: String,
}

fn record_of(ledger: &Ledger<Recognition>, done: &Appended) -> Result<Erased, Failure> {
    let record = ledger.history(Size(done.position.0))?.next().transpose()?;
    match record {
        Some(Historic::Ledger(record)) => match &record.event {
            LedgerEvent::SubjectErased { handle, .. } => {
                let recorded_at = sovang::recognition::interchange::instant(record.recorded_at)?;
                Ok(Erased { handle: hex(handle), recorded_at })
            }
            other => Err(no_erasure(done, other.name())),
        },
        _ => Err(no_erasure(done, "an event")),
    }
}
fn no_erasure(done: &Appended, what: &str) -> Failure {
    Error::new(ErrorKind::Damaged, format!("the record of the erasure is {what}")).at(done.position).into()
}
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a text cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
