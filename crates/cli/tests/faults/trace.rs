//! The program under strace: which system calls it makes on a ledger's files, and what it does when one of them fails or kills it.

use crate::book::Said;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};

/// Files and directories of a ledger that the workloads touch; strace is told of each, so that only calls on them count.
const PATHS: &[&str] = &[
    "",
    "ledger",
    "ledger.tmp",
    "lock",
    "HEAD",
    "log",
    "log/0",
    "log/0.tmp",
    "log/1",
    "log/1.tmp",
    "vault",
    "vault/keys",
    "vault/rows",
    "index",
    "snapshots",
    "quarantine",
    "checkpoints",
];

/// Whether strace is there and may trace; a test that needs it is skipped otherwise, and says so.
pub(crate) fn is_there() -> bool {
    let tried = Command::new("strace").args(["-f", "-qq", "-e", "trace=none", "true"]).output();
    if tried.is_ok_and(|output| output.status.success()) {
        return true;
    }
    eprintln!("skipped: this needs strace and leave to trace (apt-get install strace)");
    false
}

fn strace(ledger: &Path, args: &[String], options: &[&str]) -> Said {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq"]).args(options);
    for path in PATHS {
        command.arg("-P").arg(if path.is_empty() { ledger.to_owned() } else { ledger.join(path) });
    }
    Said::of(command.arg(env!("CARGO_BIN_EXE_sovang")).args(args).stdin(Stdio::null()).output().unwrap())
}

/// How many calls of each name one thread makes, at most: strace counts them by thread.
pub(crate) fn calls(ledger: &Path, args: &[String]) -> BTreeMap<String, u32> {
    let trace = tempfile::NamedTempFile::new().unwrap();
    let said = strace(ledger, args, &["-o", trace.path().to_str().unwrap()]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let mut counts: BTreeMap<(String, String), u32> = BTreeMap::new();
    for line in std::fs::read_to_string(trace.path()).unwrap().lines() {
        let mut words = line.splitn(2, ' ').map(str::trim_start);
        let (Some(thread), Some(call)) = (words.next(), words.next()) else { continue };
        if let Some((name, _)) =
            call.split_once('(').filter(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
        {
            *counts.entry((thread.to_owned(), name.to_owned())).or_default() += 1;
        }
    }
    let names: BTreeSet<String> = counts.keys().map(|(_, name)| name.clone()).collect();
    let most = |name: &String| counts.iter().filter(|((_, n), _)| n == name).map(|(_, count)| *count).max().unwrap_or(0);
    names.iter().map(|name| (name.clone(), most(name))).collect()
}

/// Runs with the nth call of that name, in each thread, failing or killing: `error=EIO` or `signal=KILL`.
pub(crate) fn inject(ledger: &Path, args: &[String], call: &str, what: &str, nth: u32) -> Said {
    strace(ledger, args, &["-o", "/dev/null", "-e", &format!("inject={call}:{what}:when={nth}")])
}
