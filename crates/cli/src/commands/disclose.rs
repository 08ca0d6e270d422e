//! `sovang disclose`

use crate::args::DiscloseArgs;
use crate::failure::Failure;
use crate::output;
use crate::private_file::PrivateFile;
use serde_json::json;
use sovang::recognition::Recognition;
use sovang::{Ledger, Position};
use std::io::Write as _;

pub(crate) fn run(args: &DiscloseArgs) -> Result<(), Failure> {
    let ledger = Ledger::<Recognition>::open(&args.dir)?;
    // Before anything is recorded: a value that cannot be handed over is not to count as given.
    let file = PrivateFile::create(&args.output)?;
    let done = ledger.by(&args.actor).disclose(Position(args.position), args.field, &args.reader, &args.purpose)?;
    ledger.close()?;
    file.fill(done.to_string().as_bytes()).map_err(|failure| {
        failure.advise(&format!(
            "the record at position {} says that the value was given: say in another one that it was not",
            done.logged_at
        ))
    })?;
    if args.json {
        output::json(&json!({
            "logged_at": done.logged_at.0,
            "position": done.position.0,
            "record_id": done.record.to_string(),
            "field": done.field,
            "commitment": done.commitment.to_string(),
        }))?;
    } else {
        let mut out = output::stdout();
        writeln!(
            out,
            "{} holds field {} of the record at position {}; the record at position {} says that it was given",
            args.output.display(),
            done.field,
            done.position,
            done.logged_at
        )?;
        out.flush()?;
    }
    output::tell(&format!(
        "hint: the reader checks it against the record's receipt: sovang receipt {} --position {} -o RECEIPT, then sovang check RECEIPT {} --vkey VKEY",
        args.dir.display(),
        done.position,
        args.output.display()
    ));
    Ok(())
}
