//! What a check found, for people and for programs.

use super::{Outcome, Verdict};
use crate::failure::Failure;
use crate::output::{self, Stdout};
use serde_json::{Value, json};
use sovang::{ForkProof, UtcDateTime, VerifiedCheckpoint};
use std::io::Write as _;
use time::format_description::well_known::Rfc3339;

pub(super) fn tell(outcomes: &[Outcome], fork: Option<&ForkProof>, as_json: bool) -> Result<(), Failure> {
    let all_hold = fork.is_none() && outcomes.iter().all(|outcome| outcome.verdict == Verdict::Holds);
    if as_json {
        let files: Vec<Value> = outcomes.iter().map(document).collect();
        return output::json(&json!({"ok": all_hold, "files": files, "fork": fork.map(ToString::to_string)}));
    }
    let mut out = output::stdout();
    for outcome in outcomes {
        print(&mut out, outcome)?;
    }
    if let Some(fork) = fork {
        let (a, b) = (fork.a().head(), fork.b().head());
        let sizes = if a.size == b.size { format!("size {}", a.size) } else { format!("the sizes {} and {}", a.size, b.size) };
        writeln!(out, "fork: two of these checkpoints, of {sizes}, cannot be of one history")?;
    }
    Ok(out.flush()?)
}

fn document(outcome: &Outcome) -> Value {
    let checkpoint = outcome.checkpoint.as_ref();
    let witnesses: Vec<Value> = checkpoint
        .map(|c| {
            c.witnesses.iter().map(|(name, key, time)| json!({"name": name, "vkey": key.to_string(), "time": time})).collect()
        })
        .unwrap_or_default();
    let event = outcome.record.as_ref().and_then(|record| record.event.as_ref());
    json!({
        "file": outcome.file,
        "kind": outcome.kind.as_str(),
        "ok": outcome.verdict == Verdict::Holds,
        "origin": checkpoint.map(|c| &c.origin),
        "size": checkpoint.map(|c| c.head.size.0),
        "root": checkpoint.map(|c| c.head.root.to_base64()),
        "position": outcome.position,
        "record_hash": outcome.record_hash.map(|hash| hash.to_string()),
        "event": event.and_then(|event| serde_json::from_str::<Value>(&event.to_string()).ok()),
        "log": checkpoint.map(|c| c.log.to_string()),
        "witnesses": witnesses,
        "ignored_lines": checkpoint.map(|c| c.ignored),
        "not_before": outcome.not_before,
        "not_after": checkpoint.and_then(|c| c.not_after),
        "what": outcome.what,
        "notes": outcome.notes,
    })
}

fn print(out: &mut Stdout, outcome: &Outcome) -> Result<(), Failure> {
    let verdict = match outcome.verdict {
        Verdict::Holds => "holds",
        Verdict::Refused => "refused",
        Verdict::NotChecked => "not checked",
    };
    let kind = outcome.kind.as_str().replace('_', " ");
    writeln!(out, "{verdict}: {} ({kind}): {}", output::harmless(&outcome.file), output::harmless(&outcome.what))?;
    if let Some(position) = outcome.position {
        line(out, "position", &position.to_string())?;
    }
    if let Some(hash) = outcome.record_hash {
        line(out, "record hash", &hash.to_string())?;
    }
    if let Some(record) = &outcome.record {
        for (key, value) in record.lines() {
            line(out, &key, &value)?;
        }
    }
    if let Some(checkpoint) = &outcome.checkpoint {
        head(out, checkpoint)?;
    }
    for note in &outcome.notes {
        line(out, "note", note)?;
    }
    if let Some(hint) = &outcome.hint {
        writeln!(out, "    hint: {}", output::harmless(hint))?;
    }
    Ok(())
}

fn head(out: &mut Stdout, checkpoint: &VerifiedCheckpoint) -> Result<(), Failure> {
    line(out, "log", &checkpoint.origin)?;
    line(out, "size", &checkpoint.head.size.to_string())?;
    line(out, "root", &checkpoint.head.root.to_base64())?;
    line(out, "signed by", &checkpoint.log.to_string())?;
    for (name, key, time) in &checkpoint.witnesses {
        line(out, "witness", &format!("{name} at {} ({key})", instant(*time)))?;
    }
    if let Some(time) = checkpoint.not_after {
        line(out, "existed by", &instant(time))?;
    }
    if checkpoint.ignored > 0 {
        line(out, "ignored", &format!("{} signature lines of keys that are not trusted", checkpoint.ignored))?;
    }
    Ok(())
}

/// Seconds since 1970 as RFC 3339 writes them.
pub(super) fn instant(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok().and_then(|seconds| UtcDateTime::from_unix_timestamp(seconds).ok());
    at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_else(|| seconds.to_string())
}

/// A value of several lines stands under its first.
fn line(out: &mut Stdout, key: &str, value: &str) -> Result<(), Failure> {
    let value = output::harmless(value).replace('\n', &format!("\n{:24}", ""));
    Ok(writeln!(out, "    {:<18}  {value}", output::harmless(key))?)
}
