//! `sovang state`

use crate::args::publishing::StateArgs;
use crate::failure::Failure;
use crate::{keys, output};
use sovang::evidence::Statement;
use sovang::recognition::Recognition;
use sovang::recognition::tally::Name;
use sovang::{Ledger, Reader, SigningKey, limits};
use std::io::Write as _;

pub(crate) fn run(args: &StateArgs) -> Result<(), Failure> {
    let tally: Name = args.tally.parse()?;
    // Said before anybody types a passphrase.
    args.question.request(tally)?;
    if !args.record {
        let reader = Ledger::<Recognition>::open_read_only(&args.dir)?;
        return write(args, &state(args, tally, &reader, &keys::open(&args.key)?)?);
    }
    let ledger = Ledger::<Recognition>::open(&args.dir)?;
    let statement = state(args, tally, &ledger, &keys::open(&args.key)?)?;
    let text = statement.to_string();
    if text.len() > limits::LEDGER_TEXT_BYTES_MAX {
        let (length, max) = (text.len(), limits::LEDGER_TEXT_BYTES_MAX);
        let what = format!("the statement has {length} bytes, and a record of one holds LEDGER_TEXT_BYTES_MAX = {max}");
        return Err(Failure::input(what).advise("ask for fewer rows, or leave --record out: nothing was written"));
    }
    // What was given out and not recorded could be denied; what was recorded and not written can be written again from the record.
    let recorded = ledger.by(&args.actor).record_statement(*statement.digest(), &text)?;
    ledger.close()?;
    write(args, &statement)?;
    output::tell(&format!("recorded at position {}", recorded.position));
    Ok(())
}

fn state(args: &StateArgs, tally: Name, reader: &Reader<Recognition>, key: &SigningKey) -> Result<Statement, Failure> {
    Ok(reader.state(key, tally, args.question.request(tally)?, args.question.point()?)?)
}

fn write(args: &StateArgs, statement: &Statement) -> Result<(), Failure> {
    let text = statement.to_string();
    output::document(args.output.as_deref(), &text)?;
    let digest = statement.file_digest().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (tally, as_of, size) = (&statement.figure().tally, statement.as_of(), statement.checkpoint().head().size);
    output::tell(&format!("stated {tally} of the first {as_of} records, under the checkpoint of size {size}"));
    if args.output.is_none() {
        output::tell(&format!("digest {digest}"));
        return Ok(());
    }
    let mut out = output::stdout();
    writeln!(out, "{digest}")?;
    Ok(out.flush()?)
}
