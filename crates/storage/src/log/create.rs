//! Creating a ledger's files (design §4): every step can be repeated, and `ledger` comes last.

use super::head::{HEAD_BYTES, HEAD_FILE, encode_slot};
use super::identity::{self, LEDGER_FILE};
use super::segment::{LOG_DIRECTORY, SEGMENT_HEADER_BYTES, SegmentHeader, segment_path};
use super::writer::LOCK_FILE;
use super::{End, Identity, Random};
use crate::files::{Files, Open};
use crate::vault;
use sovang_core::{Error, ErrorKind, Result};
use std::io;

/// The files that an interrupted creation may have left.
const FILES: [&str; 3] = [LOCK_FILE, HEAD_FILE, "ledger.tmp"];
/// The directories that are made beside the log, and the most bytes that creation leaves in a file of theirs: of the vault the two headers.
const DIRECTORIES: [(&str, u64); 5] =
    [(vault::DIRECTORY, vault::HEADER_BYTES), ("index", 0), ("snapshots", 0), ("checkpoints", 0), ("quarantine", 0)];

/// A step's name for messages: what could not be done, and to what.
fn failed(files: &dyn Files, doing: &'static str, path: &str) -> impl FnOnce(io::Error) -> Error {
    let path = files.describe(path);
    move |e| Error::io(e, doing, path)
}

/// Creates the log of a new ledger, and what `beside` makes; durable on return.
pub(super) fn create(files: &dyn Files, identity: &Identity, random: Random<'_>, beside: &dyn Fn() -> Result<()>) -> Result<()> {
    let ledger_bytes = identity::encode(identity)?;
    files.create_directory("").map_err(failed(files, "create the ledger's directory", ""))?;
    check_empty(files)?;
    // Held until the end: two creations at once would mix their files.
    let _guard = take_new_lock(files)?;
    check_empty(files)?;
    let mut salt = [0; 16];
    random(&mut salt)?;
    write_head(files, identity)?;
    write_first_segment(files, identity, salt)?;
    beside()?;
    let sync = |directory| files.sync_directory(directory).map_err(failed(files, "sync a directory", directory));
    sync(LOG_DIRECTORY)?;
    // A name that such a sync lost still shows, and making a directory again does not write it once more.
    sync("").map_err(begin_anew)?;
    sync("..").map_err(begin_anew)?;
    write_whole(files, "ledger.tmp", LEDGER_FILE, &ledger_bytes)?;
    sync("").inspect_err(|_| {
        // Else the next one would open what may be gone after a power loss. If it stays, it does no more harm than that.
        let _ = files.remove(LEDGER_FILE);
    })
}

/// What is to be done when the name of a directory may not have reached the disk.
pub(crate) fn begin_anew(error: Error) -> Error {
    error.advise(
        "a power loss may take away what was made here: remove the ledger's directory, and create the ledger in a new one",
    )
}

fn check_empty(files: &dyn Files) -> Result<()> {
    let names = files.list("").map_err(failed(files, "list the directory", ""))?;
    let not_empty =
        |what: String, hint: &str| Err(Error::new(ErrorKind::NotEmpty, what).in_file(files.describe("")).advise(hint));
    if names.iter().any(|name| name == LEDGER_FILE) {
        return not_empty("there is a ledger already".to_owned(), "open it instead");
    }
    let is_known =
        |name: &str| FILES.contains(&name) || name == LOG_DIRECTORY || DIRECTORIES.iter().any(|(known, _)| *known == name);
    if let Some(name) = names.iter().find(|name| !is_known(name)) {
        return not_empty(format!("the directory is not empty: it holds {name:?}"), "name a new or an empty directory");
    }
    for (directory, bytes_max) in DIRECTORIES {
        if let Some(path) = content(files, directory, bytes_max)? {
            return not_empty(
                format!("the directory holds what is left of a ledger: {path}"),
                "name a new or an empty directory; if the ledger is to be restored, restore `ledger` and `log/` too",
            );
        }
    }
    let segments = match files.list(LOG_DIRECTORY) {
        Ok(segments) => segments,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(failed(files, "list the directory", LOG_DIRECTORY)(e)),
    };
    for name in segments.iter().filter(|name| !name.ends_with(".tmp")) {
        let path = format!("{LOG_DIRECTORY}/{name}");
        let file = files.open(&path, Open::Read).map_err(failed(files, "read a segment", &path))?;
        // Creation leaves a header and nothing after it.
        if name != "0" || file.len().map_err(failed(files, "read a segment", &path))? > SEGMENT_HEADER_BYTES as u64 {
            let what = "there are records here, but the file `ledger` is missing";
            return Err(Error::new(ErrorKind::Damaged, what)
                .in_file(files.describe(&path))
                .advise("restore `ledger` from a backup; it never changes"));
        }
    }
    Ok(())
}

/// A file of a directory with more bytes than a creation leaves there; none if the directory is not there.
fn content(files: &dyn Files, directory: &str, bytes_max: u64) -> Result<Option<String>> {
    let fail = |e| failed(files, "read the directory", directory)(e);
    let names = match files.list(directory) {
        Ok(names) => names,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(fail(e)),
    };
    for name in names {
        let path = format!("{directory}/{name}");
        if files.open(&path, Open::Read).map_err(fail)?.len().map_err(fail)? > bytes_max {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn take_new_lock(files: &dyn Files) -> Result<Box<dyn Send + Sync>> {
    match super::writer::lock(files) {
        Err(e) if e.kind() == ErrorKind::Damaged => {}
        other => return other,
    }
    // Another creation may have made it meanwhile, and its ledger be open: the file is never replaced.
    let file = files.open(LOCK_FILE, Open::Ensure).map_err(failed(files, "create the lock", LOCK_FILE))?;
    file.sync_all().map_err(failed(files, "sync the lock", LOCK_FILE))?;
    super::writer::lock(files)
}

fn write_head(files: &dyn Files, identity: &Identity) -> Result<()> {
    let mut bytes = encode_slot(identity.ledger_id, &End::start());
    bytes.resize(HEAD_BYTES, 0);
    let file = files.open(HEAD_FILE, Open::Create).map_err(failed(files, "create", HEAD_FILE))?;
    file.write_at(&bytes, 0).map_err(failed(files, "write", HEAD_FILE))?;
    file.sync_all().map_err(failed(files, "sync", HEAD_FILE))
}

fn write_first_segment(files: &dyn Files, identity: &Identity, salt: [u8; 16]) -> Result<()> {
    let create = failed(files, "create the log's directory", LOG_DIRECTORY);
    files.create_directory(LOG_DIRECTORY).map_err(create)?;
    let header = SegmentHeader {
        ledger_id: identity.ledger_id,
        salt,
        predecessor_length: 0,
        predecessor_digest: [0; 32],
        start: End::start(),
    };
    write_whole(files, "log/0.tmp", &segment_path(0), &header.encode())
}

/// Writes a file under a temporary name, syncs it and puts it in place.
fn write_whole(files: &dyn Files, temporary: &str, path: &str, bytes: &[u8]) -> Result<()> {
    let file = files.open(temporary, Open::Create).map_err(failed(files, "create", temporary))?;
    file.write_at(bytes, 0).map_err(failed(files, "write", temporary))?;
    file.sync_all().map_err(failed(files, "sync", temporary))?;
    files.rename(temporary, path).map_err(failed(files, "put in place", path))
}
