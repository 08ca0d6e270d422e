//! What is said of a ledger that is damaged, or older than what was signed of it.

use crate::args::Command;
use crate::failure::Failure;
use sovang::{Head, Ledger, RawEvent, Salvage, Salvaged, Size};
use std::fs;
use std::path::{Path, PathBuf};

/// A log of more bytes is not read once more only to say how far it holds: `verify` says so.
const READ_BYTES_MAX: u64 = 1 << 30;

/// The ledger that a command opens, where damage of it is worth explaining.
pub(crate) fn ledger_of(command: &Command) -> Option<PathBuf> {
    match command {
        Command::Import(args) => Some(args.dir.clone()),
        Command::Log(args) => Some(args.dir.clone()),
        Command::Tally(args) => Some(args.dir.clone()),
        Command::Export { dir, .. } | Command::Head { dir, .. } => Some(dir.clone()),
        Command::Backup(args) => Some(args.dir.clone()),
        Command::Erase(args) => Some(args.dir.clone()),
        Command::Disclose(args) => Some(args.dir.clone()),
        Command::Retention(args) => args.dir.clone(),
        _ => None,
    }
}

/// Adds to a refusal for damage how much of the log can be proven all the same.
pub(crate) fn explain(dir: &Path, failure: Failure) -> Failure {
    if !failure.is_damage() {
        return failure;
    }
    match survey(dir) {
        Some(found) if !found.was_sound() => failure.add(&provable(dir, found.head, found.is_named_by_caller)),
        _ => failure,
    }
}

/// How much of a damaged log can be proven, and how that is exported. `verified` is what a verification says of it.
pub(crate) fn how_far(dir: &Path, verified: Head) -> String {
    match survey(dir) {
        Some(found) => provable(dir, found.head, found.is_named_by_caller),
        None => provable(dir, verified, false),
    }
}

fn survey(dir: &Path) -> Option<Salvaged> {
    if log_bytes(dir) > READ_BYTES_MAX {
        return None;
    }
    Salvage::of(dir).survey(&mut |_, _| {}).ok()
}

fn provable(dir: &Path, head: Head, is_nameless: bool) -> String {
    let (dir, Head { size, root, .. }) = (dir.display(), head);
    if size == Size::ZERO {
        return format!(
            "provable: not one record of {dir} by itself; other copies may fill the gap: sovang salvage {dir} OTHER_COPY -o NEW"
        );
    }
    let origin = if is_nameless { " --origin NAME" } else { "" };
    let root = root.to_base64();
    format!(
        "provable: the first {size} records, root {root}; this writes them into a new ledger: sovang salvage {dir}{origin} -o NEW"
    )
}

/// Says so when a ledger is older than the last checkpoint that was signed of it.
pub(crate) fn say_if_rolled_back(dir: &Path) {
    if !dir.join("checkpoints").is_dir() {
        return;
    }
    // Why it cannot be opened, the command says.
    let Ok(reader) = Ledger::<RawEvent>::open_read_only(dir) else { return };
    if let Ok(Some(signed)) = reader.signed_beyond() {
        crate::output::tell(&older_than_signed(dir, reader.head().size, signed));
    }
}

/// A ledger that is older than what was signed of it.
pub(crate) fn older_than_signed(dir: &Path, size: Size, signed: Size) -> String {
    format!(
        "note: {} is older than its last signed checkpoint: it has {size} records, the checkpoint is of {signed}. It was rolled back, or \
         restored from an older copy. Records that are added now make another history than the one that was signed.",
        dir.display()
    )
}

fn log_bytes(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir.join("log")) else { return 0 };
    entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|file| file.len()).sum()
}
