//! `sovang prove`

use crate::args::evidence::ProveArgs;
use crate::failure::Failure;
use crate::output;
use sovang::{Ledger, Position, RawEvent, Size};

pub(crate) fn run(args: &ProveArgs) -> Result<(), Failure> {
    let reader = Ledger::<RawEvent>::open_read_only(&args.dir)?;
    let proof = match (args.position, args.since) {
        (Some(position), _) => reader.prove(Position(position))?.to_string(),
        (None, Some(since)) => reader.prove_growth(Size(since))?.to_string(),
        (None, None) => return Err(Failure::input("--position or --since is needed")),
    };
    output::document(args.output.as_deref(), &proof)
}
