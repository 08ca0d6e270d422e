//! `sovang backup`

use crate::args::BackupArgs;
use crate::failure::Failure;
use crate::{output, progress};
use serde_json::json;
use sovang::Backup;
use std::io::Write as _;

pub(crate) fn run(args: &BackupArgs) -> Result<(), Failure> {
    let bar = progress::bytes("copying", 0);
    let backup = Backup::of(&args.dir).with_vault(args.with_vault).full(args.full);
    let done = backup.to(&args.target, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let done = done?;
    let head = done.head;
    if args.json {
        return output::json(&json!({
            "size": head.size.0,
            "root": head.root.to_base64(),
            "copied_bytes": done.copied_bytes,
            "copied_records": done.copied_records,
            "checked": done.checked,
        }));
    }
    let mut out = output::stdout();
    writeln!(out, "{}: {} records, root {}", args.target.display(), head.size, head.root.to_base64())?;
    writeln!(out, "copied {} records, {} bytes; read back and hashed {}", done.copied_records, done.copied_bytes, done.checked)?;
    Ok(out.flush()?)
}
