//! `sovang tiles`

use crate::args::publishing::TilesArgs;
use crate::failure::Failure;
use crate::output;
use serde_json::json;
use sovang::{Ledger, RawEvent};
use std::io::Write as _;

pub(crate) fn run(args: &TilesArgs) -> Result<(), Failure> {
    let done = Ledger::<RawEvent>::open_read_only(&args.dir)?.export_tiles(&args.output, args.compare)?;
    let root = done.head.root.to_base64();
    if args.json {
        return output::json(&json!({
            "size": done.head.size.0,
            "root": root,
            "written": done.written,
            "compared": done.compared,
            "removed": done.removed,
        }));
    }
    let mut out = output::stdout();
    writeln!(out, "{} serves size {}, root {root}", args.output.display(), done.head.size)?;
    writeln!(
        out,
        "files: {} written, {} found as they should be, {} partial ones removed",
        done.written, done.compared, done.removed
    )?;
    Ok(out.flush()?)
}
