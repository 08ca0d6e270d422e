//! `sovang verify`

use crate::failure::{self, Failure};
use crate::{output, progress};
use serde_json::json;
use sovang::{Audit, Finding};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(dir: &Path, as_json: bool) -> Result<ExitCode, Failure> {
    let bar = progress::bytes("verifying", 0);
    let audit = Audit::of_directory(dir, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    if as_json {
        output::json(&document(&audit))?;
    } else {
        print(&audit)?;
    }
    let code = match (audit.is_sound(), audit.findings.iter().any(|f| f.in_log)) {
        (true, _) => return Ok(ExitCode::SUCCESS),
        (false, true) => failure::DAMAGED,
        (false, false) => failure::FOUND,
    };
    for note in advice(code) {
        output::tell(note);
    }
    Ok(ExitCode::from(code))
}

fn document(audit: &Audit) -> serde_json::Value {
    let findings: Vec<_> = audit
        .findings
        .iter()
        .map(|f| {
            json!({
                "position": f.position.map(|p| p.0),
                "file": f.file.as_ref().map(|f| f.display().to_string()),
                "offset": f.offset,
                "what": f.what,
            })
        })
        .collect();
    json!({
        "ok": audit.is_sound(),
        "size": audit.head.size.0,
        "root": audit.head.root.to_base64(),
        "findings": findings,
        "notes": audit.notes,
    })
}

fn print(audit: &Audit) -> Result<(), Failure> {
    let mut out = output::stdout();
    for finding in &audit.findings {
        writeln!(out, "{}", line(finding))?;
    }
    for note in &audit.notes {
        writeln!(out, "note: {note}")?;
    }
    let head = audit.head;
    if audit.is_sound() {
        writeln!(out, "sound: {} records, root {} (consistent, not anchored)", head.size, head.root.to_base64())?;
    } else {
        writeln!(
            out,
            "{} findings; the log holds up to size {}, root {}",
            audit.findings.len(),
            head.size,
            head.root.to_base64()
        )?;
    }
    Ok(out.flush()?)
}

fn line(finding: &Finding) -> String {
    let what = if finding.in_log { "damaged" } else { "disagrees" };
    format!("{what}: {finding}")
}

fn advice(code: u8) -> &'static [&'static str] {
    if code == failure::DAMAGED {
        &["hint: nothing was changed; restore the directory from a backup, and keep this copy: what it proves is not lost"]
    } else {
        &["hint: the log is sound; `index/` and `snapshots/` are derived and may be deleted, `vault/` must come from its backup"]
    }
}
