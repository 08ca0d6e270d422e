//! `sovang erase`

use crate::args::EraseArgs;
use crate::failure::Failure;
use crate::{keys, output, progress};
use serde_json::json;
use sovang::recognition::Recognition;
use sovang::recognition::interchange;
use sovang::{Appended, Checkpoints, Error, ErrorKind, Head, Historic, Ledger, LedgerEvent, RawEvent, SigningKey, Size};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

pub(crate) fn run(args: &EraseArgs) -> Result<(), Failure> {
    // What a receipt needs comes first: a wrong passphrase is to refuse while nothing is done.
    let key = args.key.as_deref().map(keys::open).transpose()?;
    let ledger = Ledger::<Recognition>::open(&args.dir)?;
    if let Some(key) = key.as_ref().filter(|key| key.name() != ledger.origin()) {
        return Err(Failure::input(format!("the key's name is {}, the ledger's {}", key.name(), ledger.origin()))
            .advise("give the key that signs this ledger's checkpoints; nothing was erased"));
    }
    let done = ledger.by(&args.actor).erase(&args.subject, &args.basis)?;
    let record = record_of(&ledger, &done)?;
    let head = ledger.head();
    ledger.close()?;
    report(args, &done, &record, head)?;
    match (&key, &args.output) {
        (Some(key), Some(path)) => receipt(&args.dir, key, &done, path).map_err(|failure| {
            failure.advise(&format!(
                "the erasure is done, by the record at position {}: the receipt alone is missing",
                done.position
            ))
        }),
        _ => {
            let dir = args.dir.display();
            output::tell(&format!(
                "hint: for a signed receipt of the erasure: sovang checkpoint {dir} --key KEYFILE, then sovang receipt {dir} --position {} -o FILE",
                done.position
            ));
            Ok(())
        }
    }
}

fn report(args: &EraseArgs, done: &Appended, record: &Erased, head: Head) -> Result<(), Failure> {
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
    Ok(())
}

/// Signs a head that covers the erasure, and writes the receipt of its record.
fn receipt(dir: &Path, key: &SigningKey, done: &Appended, path: &Path) -> Result<(), Failure> {
    let bar = progress::bytes("hashing", 0);
    let signed = Checkpoints::of_directory(dir)?.sign_with(&[key], &mut |hashed, total| {
        bar.set_length(total);
        bar.set_position(hashed);
    });
    bar.finish_and_clear();
    signed?;
    let receipt = Ledger::<RawEvent>::open_read_only(dir)?.receipt(done.position, None)?;
    output::document(Some(path), &receipt.to_string())
}

/// What the record of an erasure says of it.
struct Erased {
    handle: String,
    recorded_at: String,
}

fn record_of(ledger: &Ledger<Recognition>, done: &Appended) -> Result<Erased, Failure> {
    let no_erasure = |what: &str| -> Failure {
        Error::new(ErrorKind::Damaged, format!("the record of the erasure is {what}")).at(done.position).into()
    };
    match ledger.history(Size(done.position.0))?.next().transpose()? {
        Some(Historic::Ledger(record)) => match &record.event {
            LedgerEvent::SubjectErased { handle, .. } => {
                Ok(Erased { handle: hex(handle), recorded_at: interchange::instant(record.recorded_at)? })
            }
            other => Err(no_erasure(other.name())),
        },
        _ => Err(no_erasure("an event")),
    }
}
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a text cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
