//! `sovang verify`

use crate::args::evidence::VerifyArgs;
use crate::damage;
use crate::failure::{self, Failure};
use crate::trusted::Trusted;
use crate::{output, progress};
use serde_json::{Value, json};
use sovang::{Audit, Checkpoint, Finding, Ledger, Policy, RawEvent, VerifiedCheckpoint, evidence};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(args: &VerifyArgs) -> Result<ExitCode, Failure> {
    let dir = &args.dir;
    let against = Against::of(args)?;
    let bar = progress::bytes("verifying", 0);
    let audit = Audit::of_directory(dir, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    let in_log = audit.findings.iter().any(|f| f.in_log);
    let anchor = match &against {
        // A damaged log is held against nothing.
        Some(against) if !in_log => Some(against.anchor(dir, args.fork_proof.as_deref())?),
        _ => None,
    };
    if args.json {
        output::json(&document(&audit, against.as_ref(), anchor.as_ref()))?;
    } else {
        print(&audit, against.as_ref(), anchor.as_ref())?;
    }
    let contradicted = matches!(anchor, Some(Err(_)));
    let code = match (audit.is_sound(), in_log) {
        (true, _) if !contradicted => return Ok(ExitCode::SUCCESS),
        (_, true) => failure::DAMAGED,
        (_, false) => failure::FOUND,
    };
    if !audit.is_sound() {
        for hint in advice(dir, &audit, code) {
            output::tell(&hint);
        }
    }
    Ok(ExitCode::from(code))
}

/// A checkpoint from elsewhere that the ledger is to continue.
struct Against {
    file: String,
    bytes: Vec<u8>,
    policy: Policy,
}
/// What it shows, or why the ledger does not continue it.
type Anchor = Result<VerifiedCheckpoint, String>;

impl Against {
    fn of(args: &VerifyArgs) -> Result<Option<Self>, Failure> {
        let Some(path) = &args.against else {
            if args.trust.vkeys.is_empty() && args.trust.policy.is_none() {
                return Ok(None);
            }
            return Err(Failure::input("--vkey and --policy say who signed a checkpoint, and none is given")
                .advise("add --against CHECKPOINT_FILE"));
        };
        let policy = Trusted::of(&args.trust)?.logs()?;
        let file = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|e| Failure::file(&e, "read", &file))?;
        Ok(Some(Self { file, bytes, policy }))
    }
    fn anchor(&self, dir: &Path, fork_proof: Option<&Path>) -> Result<Anchor, Failure> {
        let checked = Checkpoint::parse(&self.bytes).and_then(|checkpoint| {
            let verified = evidence::verify_checkpoint(&checkpoint, &self.policy)?;
            Ok((checkpoint, verified))
        });
        let (checkpoint, verified) = match checked {
            Ok(checked) => checked,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let reader = Ledger::<RawEvent>::open_read_only(dir)?;
        if verified.origin != reader.origin() {
            return Ok(Err(format!("the checkpoint is of the log {:?}, the ledger is {:?}", verified.origin, reader.origin())));
        }
        let error = match reader.extends(verified.head) {
            Ok(()) => return Ok(Ok(verified)),
            Err(error) if error.kind() == sovang::ErrorKind::NotProven => error,
            Err(error) => return Err(error.into()),
        };
        if let Some(path) = fork_proof {
            match reader.fork_proof(&checkpoint)?.filter(|proof| proof.verify(&self.policy).is_ok()) {
                Some(proof) => output::document(Some(path), &proof.to_string())?,
                None => output::tell("no fork proof: this ledger keeps no signed checkpoint that contradicts the given one"),
            }
        }
        Ok(Err(error.message().to_owned()))
    }
}

fn document(audit: &Audit, against: Option<&Against>, anchor: Option<&Anchor>) -> Value {
    let mut findings: Vec<Value> = audit
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
    let mut anchored = Value::Null;
    match (against, anchor) {
        (Some(against), Some(Err(what))) => {
            findings.push(json!({"position": null, "file": against.file, "offset": null, "what": what}));
        }
        (Some(against), Some(Ok(checkpoint))) => {
            anchored = json!({
                "file": against.file,
                "size": checkpoint.head.size.0,
                "root": checkpoint.head.root.to_base64(),
                "log": checkpoint.log.to_string(),
                "not_after": checkpoint.not_after,
            });
        }
        _ => {}
    }
    json!({
        "ok": findings.is_empty(),
        "size": audit.head.size.0,
        "root": audit.head.root.to_base64(),
        "findings": findings,
        "notes": audit.notes,
        "anchored": anchored,
    })
}

fn print(audit: &Audit, against: Option<&Against>, anchor: Option<&Anchor>) -> Result<(), Failure> {
    let mut out = output::stdout();
    for finding in &audit.findings {
        writeln!(out, "{}", line(finding))?;
    }
    for note in &audit.notes {
        writeln!(out, "note: {note}")?;
    }
    let head = audit.head;
    let root = head.root.to_base64();
    if audit.is_sound() {
        let anchored = match anchor {
            Some(Ok(_)) => "anchored",
            _ => "consistent, not anchored",
        };
        writeln!(out, "sound: {} records, root {root} ({anchored})", head.size)?;
    } else {
        writeln!(out, "{} findings; the log holds up to size {}, root {root}", audit.findings.len(), head.size)?;
    }
    match (against, anchor) {
        (Some(against), Some(Ok(checkpoint))) => {
            writeln!(
                out,
                "anchored: the ledger continues {}, signed at size {} by {}",
                against.file, checkpoint.head.size, checkpoint.log
            )?;
        }
        (Some(against), Some(Err(what))) => writeln!(out, "not anchored: {}: {}", against.file, output::harmless(what))?,
        _ => {}
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
