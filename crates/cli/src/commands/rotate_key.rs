//! `sovang rotate-key`

use crate::args::evidence::RotateKeyArgs;
use crate::failure::Failure;
use crate::{keys, output};
use sovang::recognition::Recognition;
use sovang::{Checkpoints, Historic, Ledger, LedgerEvent, Size};

pub(crate) fn run(args: &RotateKeyArgs) -> Result<(), Failure> {
    let (old, new) = (keys::open(&args.old)?, keys::open(&args.new)?);
    let ledger = Ledger::<Recognition>::open(&args.dir)?;
    let checkpoints = Checkpoints::of_directory(&args.dir)?;
    // The record says that both have signed, so it is made only when both can.
    checkpoints.would_sign(&[&old, &new])?;
    let rotation = LedgerEvent::KeyRotated { old: Some(old.vkey().to_string()), new: new.vkey().to_string() };
    // One that was recorded and then interrupted is only to be signed.
    if last_of_ledger(&ledger)? != Some(rotation) {
        ledger.by(&args.actor).rotate_key(Some(&old.vkey().to_string()), &new.vkey().to_string())?;
    }
    let signed = checkpoints.sign(&[&old, &new])?;
    ledger.close()?;
    output::document(args.output.as_deref(), &signed.to_string())?;
    output::tell(&format!("signed size {} with both keys; from here on {} signs", signed.head().size, new.vkey()));
    Ok(())
}

/// What the last record says, if it is one of the ledger itself.
fn last_of_ledger(ledger: &Ledger<Recognition>) -> Result<Option<LedgerEvent>, Failure> {
    let Some(last) = ledger.head().size.last() else { return Ok(None) };
    Ok(match ledger.history(Size(last.0))?.next().transpose()? {
        Some(Historic::Ledger(record)) => Some(record.event),
        _ => None,
    })
}
