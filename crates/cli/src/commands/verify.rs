//! `sovang verify`

use crate::damage;
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
    for hint in advice(dir, &audit, code) {
        output::tell(&hint);
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

/// What to do about the findings.
fn advice(dir: &Path, audit: &Audit, code: u8) -> Vec<String> {
    let dir_said = dir.display();
    if code == failure::DAMAGED {
        return vec![
            damage::how_far(dir, audit.head),
            format!(
                "hint: nothing was changed; restore {dir_said} from a backup, and keep this copy: what it proves is not lost"
            ),
        ];
    }
    let in_file = |name: &str| {
        let path = dir.join(name);
        audit.findings.iter().any(|finding| finding.file.as_ref().is_some_and(|file| file.starts_with(&path)))
    };
    let mut hints = Vec::new();
    if in_file("index") || in_file("snapshots") {
        hints.push("hint: the log is sound; `index/` and `snapshots/` are derived and may be deleted".to_owned());
    }
    if in_file("vault") {
        hints.push(format!(
            "hint: the log is sound; restore `vault/` from its backup, or go on with the values that are left: sovang salvage {dir_said} -o NEW"
        ));
    }
    if in_file("checkpoints") {
        hints.push(format!(
            "hint: find a newer copy of {dir_said}, one that has all that was signed, and record nothing here before"
        ));
    }
    if hints.is_empty() {
        hints.push("hint: the log is sound".to_owned());
    }
    hints
}
