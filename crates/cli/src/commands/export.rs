//! `sovang export`

use crate::failure::Failure;
use crate::output;
use sovang::recognition::Recognition;
use sovang::recognition::interchange::{self, Show};
use sovang::{Commitment, Historic, Ledger, Size};
use std::io::Write as _;
use std::path::Path;

pub(crate) fn run(dir: &Path, with_personal: bool) -> Result<(), Failure> {
    let reader = Ledger::<Recognition>::open_read_only(dir)?;
    let opener = |commitment: &Commitment| reader.open_value(commitment);
    let mut out = output::stdout();
    for record in reader.history(Size::ZERO)? {
        let line = match record? {
            Historic::Event(record) => {
                let show = if with_personal { Show::ValuesAndSalts(&opener) } else { Show::Commitments };
                interchange::line(&record, show)?
            }
            Historic::Ledger(record) => interchange::ledger_line(&record)?,
        };
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}
