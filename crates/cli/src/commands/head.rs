//! `sovang head`

use crate::failure::Failure;
use crate::output;
use serde_json::json;
use sovang::{Ledger, RawEvent};
use std::io::Write as _;
use std::path::Path;

pub(crate) fn run(dir: &Path, as_json: bool) -> Result<(), Failure> {
    let reader = Ledger::<RawEvent>::open_read_only(dir)?;
    let head = reader.head();
    if as_json {
        return output::json(&json!({
            "origin": reader.origin(),
            "size": head.size.0,
            "root": head.root.to_base64(),
            "root_hex": head.root.to_string(),
        }));
    }
    let mut out = output::stdout();
    writeln!(out, "origin  {}", reader.origin())?;
    writeln!(out, "size    {}", head.size)?;
    writeln!(out, "root    {}", head.root.to_base64())?;
    Ok(out.flush()?)
}
