//! What is left of a damaged ledger, written into a new one: the records that can be proven from the first byte on, under the same
//! ledger id, positions, hashes and roots, so that old checkpoints and proofs hold for them. Nothing is written to what is damaged.

use crate::backup::{checkpoint_files, copy_checkpoints};
use crate::files::Files;
use crate::log::{self, Finding, Identity, Island, Log, Provable, Segments, Trace};
use crate::vault::{self, CopiedRows, Vault, Wanted};
use rustc_hash::FxHashSet;
use sovang_core::event::LedgerEvent;
use sovang_core::record::Frame;
use sovang_core::{Error, ErrorKind, Head, LedgerId, Position, Recorded, Result, Size};
use std::cell::RefCell;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// So many values are looked up at once.
const VALUES: usize = 4096;

/// Who the ledger is, where its file `ledger` cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// The log's name in checkpoints.
    pub origin: Option<String>,
    /// The name of the schema of its events.
    pub schema: Option<String>,
}

/// What a salvage found and did.
#[derive(Clone, Debug)]
pub struct Salvaged {
    /// Who the ledger is.
    pub identity: Identity,
    /// Whether that was given because no copy's `ledger` could be read.
    pub identity_given: bool,
    /// The provable prefix: what the new ledger holds.
    pub head: Head,
    /// Why the prefix ends there; none when nothing says that the log went on.
    pub stop: Option<Finding>,
    /// Everything wrong with the first copy's log.
    pub findings: Vec<Finding>,
    /// What says that the log went on, in the order of size.
    pub traces: Vec<Trace>,
    /// Later segments of the first copy that are sound in themselves: with a copy of what is before them they could be had.
    pub islands: Vec<Island>,
    /// How many batches were taken from each copy.
    pub batches: Vec<u64>,
    /// The personal values; none in a ledger that has no vault.
    pub vault: Option<SalvagedVault>,
    /// How many files of `checkpoints/` were copied.
    pub checkpoints: u64,
}

/// What became of the personal values.
#[derive(Clone, Debug, Default)]
pub struct SalvagedVault {
    /// Why a copy's vault could not be opened at all. When none could, the new ledger has no vault: every value reads as sealed.
    pub unreadable: Vec<(PathBuf, String)>,
    /// The values of the prefix's records.
    pub rows: CopiedRows,
    /// Damaged slots: whose key or whose erasure they held cannot be told any more.
    pub lost_slots: u64,
}

impl Salvaged {
    /// The largest size of which anything speaks: at least so many records there were.
    #[must_use]
    pub fn known_size(&self) -> Size {
        self.traces.iter().map(|trace| trace.head.size).max().unwrap_or(self.head.size).max(self.head.size)
    }
    /// Whether there was nothing to save: the first copy's log is sound, and nothing says that it went on.
    #[must_use]
    pub fn was_sound(&self) -> bool {
        self.findings.is_empty() && self.known_size() == self.head.size
    }
}

/// Says how far copies of one ledger prove its log, without writing anything. Of the vault it says nothing.
///
/// # Errors
/// As [`salvage`], but for the target. That nothing can be proven is no error.
pub fn survey(copies: &[Arc<dyn Files>], named: &Named, progress: &mut dyn FnMut(u64, u64)) -> Result<Salvaged> {
    let (identity, identity_given) = match identity(copies, named) {
        Ok(known) => (known, false),
        Err(Unnamed::Nameless(ledger_id)) => (Identity { ledger_id, origin: String::new(), schema: String::new() }, true),
        Err(Unnamed::Failed(e)) => return Err(e),
    };
    let mut steps = Steps::new(copies, progress);
    let found = log::provable(copies, identity.ledger_id, &mut |bytes| steps.advance(bytes))?;
    let findings = findings(copies, &mut steps);
    Ok(report(copies, identity, identity_given, found, findings))
}

/// Writes the longest provable prefix of one ledger's copies into a new ledger in `target`, which must be absent or empty. Of several
/// copies, the first is the one that is to be saved; each batch and each personal value is taken from the first that has it whole.
/// `progress` is told bytes done and, about, bytes in all.
///
/// # Errors
/// `NotALedger`; `PermissionDenied` for a segment, which would otherwise look lost; `Damaged` when not even the first batch can be proven, and then nothing is written; `InvalidInput` when `named` lacks
/// what no `ledger` file says, or contradicts one, or when the copies are of different ledgers; `NotEmpty` for the target; those of writing.
pub fn salvage(
    copies: &[Arc<dyn Files>],
    target: &Arc<dyn Files>,
    named: &Named,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Salvaged> {
    let (identity, given) = match identity(copies, named) {
        Ok(identity) => (identity, false),
        Err(Unnamed::Failed(e)) => return Err(e),
        Err(Unnamed::Nameless(ledger_id)) => (given_identity(copies, ledger_id, named)?, true),
    };
    let ledger = identity.ledger_id;
    check_new(&**target)?;
    log::check_readable(copies)?;
    let mut steps = Steps::new(copies, progress);
    let findings = findings(copies, &mut steps);
    let Some(salt) = log::first_salt(copies, ledger) else {
        return Err(nothing(copies, ledger));
    };
    if log::provable_start(copies, ledger)?.position == 0 && !findings.is_empty() {
        return Err(nothing(copies, ledger));
    }
    let steps = RefCell::new(steps);
    let made = RefCell::new(None);
    Log::create_with(
        target,
        &identity,
        &|bytes| {
            bytes.copy_from_slice(&salt);
            Ok(())
        },
        &|| {
            let found = log::write_provable(copies, ledger, &**target, &mut |bytes| steps.borrow_mut().advance(bytes))?;
            let vault = salvage_vault(copies, target, ledger, found.end.head().size)?;
            // The first copy's last, so that of two of one size its own is kept.
            let mut checkpoints = 0;
            for files in copies.iter().rev() {
                checkpoints += copy_checkpoints(&**files, &**target, None)?.0;
            }
            *made.borrow_mut() = Some((found, vault, checkpoints));
            Ok(())
        },
    )?;
    let Some((found, vault, checkpoints)) = made.into_inner() else {
        return Err(Error::new(ErrorKind::Io, "the new ledger was not written").in_file(target.describe("")));
    };
    check_written(target, &found.end.head())?;
    let mut report = report(copies, identity, given, found, findings);
    report.vault = vault;
    report.checkpoints = checkpoints;
    Ok(report)
}

/// Tells how much is done: the log is read twice.
struct Steps<'a> {
    done: u64,
    total: u64,
    progress: &'a mut dyn FnMut(u64, u64),
}
impl<'a> Steps<'a> {
    fn new(copies: &[Arc<dyn Files>], progress: &'a mut dyn FnMut(u64, u64)) -> Self {
        let total = copies.first().map_or(0, |files| log::log_bytes(&**files)) * 2;
        Self { done: 0, total, progress }
    }
    fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        (self.progress)(self.done.min(self.total), self.total);
    }
}

/// Why a ledger's identity is not known.
enum Unnamed {
    /// Its segments say whose they are, and no `ledger` file says how it is called.
    Nameless(LedgerId),
    Failed(Error),
}

fn identity(copies: &[Arc<dyn Files>], named: &Named) -> Result<Identity, Unnamed> {
    let mut known: Option<(usize, Identity)> = None;
    let mut first_failure = None;
    for (copy, files) in copies.iter().enumerate() {
        match log::identity_of(&**files) {
            Ok(identity) => match &known {
                Some((first, other)) if *other != identity => {
                    let what = format!(
                        "{} is a copy of another ledger than {}",
                        files.describe("").display(),
                        copies[*first].describe("").display()
                    );
                    return Err(Unnamed::Failed(Error::new(ErrorKind::InvalidInput, what).advise("name copies of one ledger")));
                }
                Some(_) => {}
                None => known = Some((copy, identity)),
            },
            Err(e) if matches!(e.kind(), ErrorKind::NotALedger | ErrorKind::Damaged | ErrorKind::Io) => {
                first_failure.get_or_insert(e);
            }
            Err(e) => return Err(Unnamed::Failed(e)),
        }
    }
    let segments = || copies.iter().find_map(|files| log::ledger_of_segments(&**files));
    match known {
        Some((copy, identity)) => {
            let contradicts = |given: &Option<String>, there: &str| given.as_ref().is_some_and(|given| given != there);
            if contradicts(&named.origin, &identity.origin) || contradicts(&named.schema, &identity.schema) {
                let what = format!("the ledger is {:?} with events of {:?}", identity.origin, identity.schema);
                let error = Error::new(ErrorKind::InvalidInput, what).in_file(copies[copy].describe("ledger"));
                return Err(Unnamed::Failed(error.advise("leave origin and schema out: the file can be read")));
            }
            Ok(identity)
        }
        None => Err(match (segments(), first_failure) {
            (Some(ledger), _) => Unnamed::Nameless(ledger),
            (None, Some(e)) => Unnamed::Failed(e),
            (None, None) => Unnamed::Failed(Error::new(ErrorKind::InvalidInput, "no copy was named")),
        }),
    }
}

/// The identity that the caller says, for a ledger whose file `ledger` is lost.
fn given_identity(copies: &[Arc<dyn Files>], ledger_id: LedgerId, named: &Named) -> Result<Identity> {
    match (&named.origin, &named.schema) {
        (Some(origin), Some(schema)) => Ok(Identity { ledger_id, origin: origin.clone(), schema: schema.clone() }),
        _ => {
            let path = copies.first().map(|files| files.describe("ledger")).unwrap_or_default();
            Err(Error::new(ErrorKind::InvalidInput, "the file `ledger` cannot be read, so origin and schema must be given")
                .in_file(path)
                .advise("the first line of any checkpoint is the origin; say it with `--origin`"))
        }
    }
}

fn check_new(target: &dyn Files) -> Result<()> {
    match target.list("") {
        Ok(names) if names.is_empty() => Ok(()),
        Ok(_) => Err(Error::new(ErrorKind::NotEmpty, "the directory for the new ledger is not empty")
            .in_file(target.describe(""))
            .advise("name a new or an empty directory; one that an interrupted salvage left may be removed")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(Error::io(e, "list the directory", target.describe(""))),
    }
}

fn nothing(copies: &[Arc<dyn Files>], ledger: LedgerId) -> Error {
    let mut error = Error::new(ErrorKind::Damaged, "not one record can be proven");
    if let Ok(found) = log::provable(copies, ledger, &mut |_| {}) {
        error =
            Error::new(ErrorKind::Damaged, format!("not one record can be proven: {}", found.stop.what)).in_file(found.stop.file);
        if let Some(offset) = found.stop.offset {
            error = error.at_offset(offset);
        }
        for island in found.islands.iter().filter(|island| island.whole) {
            error = error.advise(format!(
                "nothing was written; {} is whole in itself, with the records from {} up to {}: with another copy of what is before it, name both",
                island.file.display(),
                island.from,
                island.to
            ));
        }
    }
    if error.hint().is_none() {
        error = error
            .advise("nothing was written; restore the directory from a backup, or name other copies of this ledger behind it");
    }
    error
}

fn report(
    copies: &[Arc<dyn Files>],
    identity: Identity,
    identity_given: bool,
    found: Provable,
    findings: Vec<Finding>,
) -> Salvaged {
    let head = found.end.head();
    let mut traces = found.traces;
    if findings.is_empty() {
        // What follows the end of a sound log is a live writer's.
        traces.retain(|trace| trace.what != log::BATCH_HEADER);
    }
    for files in copies {
        for (name, size) in checkpoint_files(&**files).unwrap_or_default() {
            if let Some(size) = size.filter(|size| *size > head.size)
                && let Some(trace) = checkpoint_trace(&**files, &name, size)
            {
                traces.push(trace);
            }
        }
    }
    traces.sort_by_key(|trace| trace.head.size);
    // Other copies may have what the first one lacks, up to where the log simply ends.
    let ends = traces.is_empty() && (findings.is_empty() || found.stop.what == log::SEGMENT_ENDS);
    let stop = (!ends).then_some(found.stop);
    Salvaged {
        identity,
        identity_given,
        head,
        stop,
        findings,
        traces,
        islands: found.islands,
        batches: found.batches,
        vault: None,
        checkpoints: 0,
    }
}

/// What a signed checkpoint says of the log; its signatures are for others to check.
fn checkpoint_trace(files: &dyn Files, name: &str, size: Size) -> Option<Trace> {
    let path = format!("checkpoints/{name}");
    let bytes = crate::blobs::blob_read(files, &path).ok()??;
    let text = std::str::from_utf8(&bytes).ok()?;
    let root = text.lines().nth(2).and_then(sovang_core::Root::from_base64)?;
    Some(Trace { file: files.describe(&path), offset: 0, what: "checkpoint", head: Head { size, root } })
}

/// Everything wrong with the first copy's log; also what the system cannot read of it.
fn findings(copies: &[Arc<dyn Files>], steps: &mut Steps<'_>) -> Vec<Finding> {
    let Some(files) = copies.first() else {
        return Vec::new();
    };
    let report = log::verify(files, &|_, _| {});
    steps.advance(steps.total / 2);
    match report {
        Ok(report) => report.findings,
        Err(e) => vec![Finding {
            position: e.position(),
            file: e.path().map(PathBuf::from).unwrap_or_default(),
            offset: e.offset(),
            what: e.message().to_owned(),
        }],
    }
}

/// Reads the new ledger back.
fn check_written(target: &Arc<dyn Files>, head: &Head) -> Result<()> {
    let failed = |what: &str| {
        Error::new(ErrorKind::Io, format!("the new ledger does not read back as it was written: {what}"))
            .in_file(target.describe(""))
            .advise("the disk may be failing: write to another one")
    };
    log::reads_back(target, head)?.map_or(Ok(()), |what| Err(failed(&what)))
}

/// Copies the personal values of the new ledger's records; its log is in place.
fn salvage_vault(
    copies: &[Arc<dyn Files>],
    target: &Arc<dyn Files>,
    ledger: LedgerId,
    size: Size,
) -> Result<Option<SalvagedVault>> {
    let mut report = SalvagedVault::default();
    let mut vaults = Vec::new();
    for files in copies {
        match Vault::open(&**files, ledger, false) {
            Ok(None) => {}
            Ok(Some(vault)) => vaults.push((files, vault)),
            Err(e) => report.unreadable.push((files.describe("vault"), e.message().to_owned())),
        }
    }
    let Some((first, _)) = vaults.first() else {
        return Ok((!report.unreadable.is_empty()).then_some(report));
    };
    Vault::create_copy(&**target, &***first, ledger)?;
    let Some(new) = Vault::open(&**target, ledger, true)? else {
        return Err(Error::new(ErrorKind::Io, "the new vault was not written").in_file(target.describe("vault")));
    };
    new.recover(&|_, _| Ok(true))?;
    let segments = log::segments_of(Arc::clone(target), ledger);
    let erased = erased_in(&segments, size)?;
    for (number, (files, vault)) in vaults.iter().enumerate() {
        if number == 0 || vault::same_secret(&***files, &***first, ledger) {
            let lost = new.copy_erased(vault, &erased)?;
            // What another copy lost is of interest only when it is the one to be saved.
            report.lost_slots = if number == 0 { lost } else { report.lost_slots };
        }
    }
    let from: Vec<&Vault> = vaults.iter().map(|(_, vault)| vault).collect();
    let mut wanted = Vec::new();
    for walked in segments.walk(Segments::start(), size) {
        let walked = walked?;
        wanted.extend(wanted_of(walked.position, &walked.frame));
        if wanted.len() >= VALUES {
            add(&mut report.rows, new.copy_rows(&from, &wanted, &erased)?);
            wanted.clear();
        }
    }
    add(&mut report.rows, new.copy_rows(&from, &wanted, &erased)?);
    new.close()?;
    match new.check()?.into_iter().next() {
        Some(damage) => Err(damage),
        None => Ok(Some(report)),
    }
}

/// The personal values of a record.
pub(crate) fn wanted_of(position: Position, frame: &Frame) -> impl Iterator<Item = Wanted> {
    let record = frame.id();
    frame.commitments().into_iter().map(move |(field, commitment)| Wanted { position, record, field, commitment })
}

fn add(sum: &mut CopiedRows, more: CopiedRows) {
    sum.known += more.known;
    sum.erased += more.erased;
    sum.sealed += more.sealed;
    sum.bytes += more.bytes;
    sum.lost.extend(more.lost);
}

/// The handles of the erasures that a log names.
fn erased_in(segments: &Arc<Segments>, size: Size) -> Result<FxHashSet<[u8; 16]>> {
    let mut handles = FxHashSet::default();
    for walked in segments.walk(Segments::start(), size) {
        let walked = walked?;
        if walked.frame.kind() == LedgerEvent::SUBJECT_ERASED.number() {
            let record = Recorded::<LedgerEvent>::decode(walked.position, walked.frame, None);
            if let LedgerEvent::SubjectErased { handle, .. } = record.map_err(|e| Error::from(e).at(walked.position))?.event {
                handles.insert(handle);
            }
        }
    }
    Ok(handles)
}
