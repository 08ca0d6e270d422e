//! `sovang salvage`

use crate::args::SalvageArgs;
use crate::failure::{self, Failure};
use crate::{output, progress};
use serde_json::{Value, json};
use sovang::recognition::Recognition;
use sovang::{ErrorKind, Event as _, Finding, Salvage, Salvaged, Trace};
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// So many positions of lost values are named; the report has them all.
const NAMED: usize = 5;

pub(crate) fn run(args: &SalvageArgs) -> Result<(), Failure> {
    let report_path = report_path(&args.output)?;
    let mut salvage = Salvage::of(&args.dir);
    for copy in &args.copies {
        salvage = salvage.or(copy);
    }
    if let Some(origin) = &args.origin {
        // Without a word on the schema it is this program's own: what follows would not open it otherwise.
        salvage = salvage.origin(origin).schema(args.schema.as_deref().unwrap_or(Recognition::SCHEMA));
    } else if let Some(schema) = &args.schema {
        salvage = salvage.schema(schema);
    }
    let bar = progress::bytes("reading", 0);
    let saved = salvage.into_new(&args.output, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let saved = saved.map_err(|error| {
        // A file `ledger` that says otherwise is the user's to sort out; a missing one is, too.
        let nothing = error.kind() == ErrorKind::Damaged;
        let failure = Failure::from(error);
        if nothing { failure.advise(&format!("`sovang verify {}` lists all damage", args.dir.display())) } else { failure }
    })?;
    let document = document(&saved, args, &report_path);
    write_report(&report_path, &document)?;
    if args.json {
        return output::json(&document);
    }
    print(&saved, args, &report_path)
}

/// Beside the new ledger, not in it.
fn report_path(target: &Path) -> Result<PathBuf, Failure> {
    let absolute = std::path::absolute(target).map_err(|e| Failure::file(&e, "name", &target.display().to_string()))?;
    let Some(name) = absolute.file_name() else {
        return Err(Failure::input(format!("{} cannot be a new ledger", target.display())));
    };
    let mut file = OsString::from(name);
    file.push(".report.json");
    let path = if target.file_name().is_some() { target.with_file_name(file) } else { absolute.with_file_name(file) };
    if path.symlink_metadata().is_ok() {
        return Err(Failure::input(format!("there is a report already: {}", path.display()))
            .advise("move it away, or name another directory"));
    }
    Ok(path)
}

fn write_report(path: &Path, document: &Value) -> Result<(), Failure> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        serde_json::to_writer_pretty(&mut file, document)?;
        file.write_all(b"\n")?;
        file.sync_all()
    };
    write().map_err(|e| {
        Failure::new(failure::ENVIRONMENT, format!("the ledger is written, but not its report {}: {e}", path.display()))
    })
}

fn document(saved: &Salvaged, args: &SalvageArgs, report: &Path) -> Value {
    let finding = |f: &Finding| {
        json!({
            "position": f.position.map(|p| p.0),
            "file": f.file.as_ref().map(|file| file.display().to_string()),
            "offset": f.offset,
            "what": f.what,
        })
    };
    let trace = |t: &Trace| {
        json!({
            "file": t.file.display().to_string(),
            "offset": t.offset,
            "what": t.what,
            "size": t.head.size.0,
            "root": t.head.root.to_base64(),
        })
    };
    let copies = std::iter::once(&args.dir).chain(&args.copies);
    json!({
        "sound": saved.was_sound(),
        "size": saved.head.size.0,
        "root": saved.head.root.to_base64(),
        "known_size": saved.known_size.0,
        "lost_at_least": saved.lost_at_least(),
        "origin": saved.origin,
        "schema": saved.schema,
        "ledger_id": saved.ledger_id.to_string(),
        "named_by_caller": saved.is_named_by_caller,
        "stop": saved.stop.as_ref().map(finding),
        "findings": saved.findings.iter().map(finding).collect::<Vec<_>>(),
        "evidence_of_more": saved.traces.iter().map(trace).collect::<Vec<_>>(),
        "later_segments": saved.later_segments.iter().map(|island| json!({
            "file": island.file.display().to_string(),
            "from": island.from.0,
            "to": island.to.0,
            "whole": island.whole,
        })).collect::<Vec<_>>(),
        "copies": copies.zip(&saved.batches).map(|(copy, batches)| json!({
            "directory": copy.display().to_string(),
            "batches": batches,
        })).collect::<Vec<_>>(),
        "personal": saved.personal.as_ref().map(|personal| json!({
            "known": personal.known,
            "erased": personal.erased,
            "sealed": personal.sealed,
            "lost": personal.lost.iter().map(|p| p.0).collect::<Vec<_>>(),
            "lost_keys": personal.lost_keys,
            "unreadable": personal.unreadable.iter().map(|(file, why)| json!({
                "file": file.display().to_string(),
                "what": why,
            })).collect::<Vec<_>>(),
        })),
        "checkpoints": saved.checkpoints,
        "report": report.display().to_string(),
    })
}

fn print(saved: &Salvaged, args: &SalvageArgs, report: &Path) -> Result<(), Failure> {
    let mut out = output::stdout();
    let (dir, new) = (args.dir.display(), args.output.display());
    let head = saved.head;
    if saved.was_sound() {
        let but =
            if lost_values(saved) { "the records are all here, the personal values are not" } else { "nothing had to be saved" };
        writeln!(out, "the log of {dir} is sound: {but}")?;
    }
    writeln!(out, "{new}: {} records, root {}", head.size, head.root.to_base64())?;
    if let Some(stop) = &saved.stop {
        writeln!(out, "ends there: {stop}")?;
    }
    for finding in &saved.findings {
        writeln!(out, "damaged: {finding}")?;
    }
    if saved.lost_at_least() > 0 {
        writeln!(out, "lost: at least {} records, positions {} to {}", saved.lost_at_least(), head.size, saved.known_size.0 - 1)?;
        if let Some(trace) = saved.traces.last() {
            writeln!(
                out,
                "  {} in {} at byte {} speaks of size {}",
                trace.what,
                trace.file.display(),
                trace.offset,
                trace.head.size
            )?;
        }
    } else if !saved.was_sound() {
        writeln!(out, "lost: nothing that anything here speaks of")?;
    }
    for island in &saved.later_segments {
        let how = if island.whole { "is whole in itself" } else { "is sound in part" };
        writeln!(out, "{} {how}: positions {} up to {}", island.file.display(), island.from, island.to)?;
    }
    if !args.copies.is_empty() {
        for (copy, batches) in std::iter::once(&args.dir).chain(&args.copies).zip(&saved.batches) {
            writeln!(out, "{batches} batches from {}", copy.display())?;
        }
    }
    print_personal(&mut out, saved)?;
    if saved.checkpoints > 0 {
        writeln!(out, "checkpoints: {} files", saved.checkpoints)?;
    }
    writeln!(out, "report: {}", report.display())?;
    out.flush()?;
    for hint in hints(saved, args) {
        output::tell(&hint);
    }
    Ok(())
}

/// Whether something was lost of the vault.
fn lost_values(saved: &Salvaged) -> bool {
    let lost = |p: &sovang::SalvagedPersonal| !p.lost.is_empty() || !p.unreadable.is_empty() || p.lost_keys > 0;
    saved.personal.as_ref().is_some_and(lost)
}

fn print_personal(out: &mut output::Stdout, saved: &Salvaged) -> Result<(), Failure> {
    let Some(personal) = &saved.personal else {
        return Ok(());
    };
    for (file, why) in &personal.unreadable {
        writeln!(out, "personal values: {why} in {}", file.display())?;
    }
    let (known, erased, sealed, lost) = (personal.known, personal.erased, personal.sealed, personal.lost.len());
    if known + erased + sealed > 0 || lost > 0 {
        writeln!(out, "personal values: {known} known, {erased} erased, {sealed} sealed, {lost} lost (sealed from now on)")?;
    }
    if lost > 0 {
        let first: Vec<String> = personal.lost.iter().take(NAMED).map(ToString::to_string).collect();
        let more = if lost > NAMED { " …" } else { "" };
        writeln!(out, "  of the records at position {}{more}", first.join(", "))?;
    }
    if personal.lost_keys > 0 {
        let keys = personal.lost_keys;
        writeln!(out, "  {keys} keys of the vault are damaged: if one was an erased person's, that person is no longer refused")?;
    }
    Ok(())
}

fn hints(saved: &Salvaged, args: &SalvageArgs) -> Vec<String> {
    let mut hints = Vec::new();
    if !saved.was_sound() || lost_values(saved) {
        hints.push(format!(
            "hint: {} was not changed: keep it, until all that is missing has been recorded again",
            args.dir.display()
        ));
    }
    if saved.later_segments.iter().any(|island| island.whole) {
        hints.push(format!(
            "hint: with a copy of what is missing in between more can be saved: sovang salvage {} OTHER_COPY -o NEW",
            args.dir.display()
        ));
    }
    if saved.personal.as_ref().is_some_and(|personal| !personal.unreadable.is_empty() && personal.known == 0) {
        hints.push(format!("hint: put the vault's backup into {} to read personal values", args.output.join("vault").display()));
    }
    hints
}
