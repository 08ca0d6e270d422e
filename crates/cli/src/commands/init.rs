//! `sovang init`

use crate::failure::Failure;
use crate::output;
use sovang::Ledger;
use sovang::recognition::Recognition;
use std::path::Path;

pub(crate) fn run(dir: &Path, origin: &str) -> Result<(), Failure> {
    let ledger = Ledger::<Recognition>::create(dir, origin)?;
    ledger.close()?;
    output::tell(&format!("created {origin} in {}", dir.display()));
    output::tell(&format!("go on with:  sovang import {} FILE.jsonl", dir.display()));
    Ok(())
}
