//! `sovang anchor`

use crate::args::evidence::AnchorArgs;
use crate::failure::Failure;
use crate::{output, trusted};
use sovang::recognition::Recognition;
use sovang::{Checkpoint, Checkpoints, Ledger, LedgerEvent, evidence};

pub(crate) fn run(args: &AnchorArgs) -> Result<(), Failure> {
    let (what, text, source) = match (&args.value, &args.source) {
        (Some(value), Some(source)) => (LedgerEvent::ANCHOR_VALUE, value.clone(), source.clone()),
        _ => {
            let checkpoint = newest(args)?;
            (LedgerEvent::ANCHOR_CHECKPOINT, checkpoint.to_string(), format!("checkpoints/{}", checkpoint.head().size))
        }
    };
    let ledger = Ledger::<Recognition>::open(&args.dir)?;
    let done = ledger.by(&args.actor).anchor(what, &text, &source)?;
    ledger.close()?;
    output::tell(&format!("recorded at position {}: what comes after it is later than {source}", done.position));
    Ok(())
}

/// The newest checkpoint that somebody besides the log has signed.
fn newest(args: &AnchorArgs) -> Result<Checkpoint, Failure> {
    let policy = args.policy.as_deref().map(trusted::policy).transpose()?.map(|policy| policy.with_now(trusted::now()));
    let is_cosigned = |checkpoint: &Checkpoint| match &policy {
        Some(policy) => evidence::verify_checkpoint(checkpoint, policy).is_ok_and(|verified| verified.not_before.is_some()),
        None => checkpoint.note().signatures().iter().any(|line| line.signature.len() > 64),
    };
    let found = Checkpoints::of_directory(&args.dir)?.newest(is_cosigned)?;
    found.ok_or_else(|| {
        Failure::input("no checkpoint is cosigned by witnesses as asked")
            .advise("collect cosignatures with `sovang witness DIR --policy FILE`, or give a fresh public value with --value and --source")
    })
}
