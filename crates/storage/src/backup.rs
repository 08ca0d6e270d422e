//! Copying a ledger beside its live writer: the log up to a durable head, who it is, its checkpoints, and only when asked for its
//! personal values. The copy is a ledger itself, and takes what is new when it is made again.
//!
//! **Order.** New rows of the vault, then segments, each whole under its name or not there, then erasures that the log names, then `HEAD`:
//! the order of a writer. So wherever it is interrupted the copy opens, with the records it had, those it was to get, or some whole
//! batches in between; doing it again completes it.

use crate::blobs::{blob_names, blob_read, blob_write};
use crate::files::Files;
use crate::log::{self, Identity, Log, LogCopy, LogView};
use crate::salvage::wanted_of;
use crate::store::{StoreOptions, View};
use crate::vault::{Vault, Wanted};
use rustc_hash::FxHashSet;
use sovang_core::ids::Commitment;
use sovang_core::{Error, ErrorKind, Head, RecordId, Result, Size};
use std::io;
use std::sync::Arc;

const CHECKPOINTS: &str = "checkpoints";
/// So many values are copied at once.
const VALUES: usize = 4096;

/// How to back up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackupOptions {
    /// Also the personal values, which are otherwise not in the copy. A copy has a vault from its first time on, or never.
    pub with_vault: bool,
    /// Reads all of the copy again, not only what is new.
    pub full: bool,
}

/// What a backup did.
#[derive(Clone, Debug)]
pub struct BackedUp {
    /// Who the ledger is.
    pub identity: Identity,
    /// The head of the copy.
    pub head: Head,
    /// Bytes that the copy did not have.
    pub copied_bytes: u64,
    /// Records that the copy did not have.
    pub copied_records: u64,
    /// Records of the copy that were read again and hashed.
    pub checked: u64,
    /// Checkpoints of the source that are larger than its log: it is older than its last signed head.
    pub signed_beyond: Option<Size>,
}

/// Copies what is new of a ledger into `target`: an absent or empty directory, or a copy made before. The source is only read, also beside
/// its writer. `progress` is told bytes done and, about, bytes in all.
///
/// # Errors
/// `NotALedger` or `Damaged` for the source, which is copied no further than it is sound; `InvalidInput` when the target is another
/// ledger, is newer or has another history, or has a vault and none was asked for, or the other way round; `NotEmpty`, `Locked`, `Damaged`
/// for the target; those of writing.
pub fn backup(
    source: &Arc<dyn Files>,
    target: &Arc<dyn Files>,
    options: BackupOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<BackedUp> {
    // Listed before the head is read: none of them is larger than it, if the source was not rolled back.
    let checkpoints = checkpoint_files(&**source)?;
    let signed = checkpoints.iter().filter_map(|(_, size)| *size).max();
    let checkpoints: Vec<String> = checkpoints.into_iter().map(|(name, _)| name).collect();
    let view = LogView::open(Arc::clone(source))?;
    let identity = view.identity().clone();
    let total = log::log_bytes(&**source);
    check_target(&**source, &**target, &identity, options)?;
    if is_absent(&**target)? {
        create(source, target, &identity, options)?;
    }
    let copy = LogCopy::open(Arc::clone(target)).map_err(|e| in_target(e, &**target))?;
    let old = copy.end().head();
    let until = copy.compare(source, &view)?;
    let mut vault = if options.with_vault { Some(VaultCopy::open(source, target, &identity)?) } else { None };
    let mut copied_bytes = 0;
    if let Some(vault) = &mut vault {
        copied_bytes += vault.take(old.size, until.head().size)?;
    }
    let mut done = 0;
    let taken = copy.take(source, &until, &mut |bytes| {
        done += bytes;
        progress(done.min(total), total);
    })?;
    copied_bytes += taken.bytes;
    if let Some(vault) = vault {
        vault.finish(until.head().size)?;
    }
    let (_, bytes) = copy_checkpoints(&**source, &**target, Some(&checkpoints))?;
    copied_bytes += bytes;
    let checked = copy.check(&taken, &until, options.full)?;
    copy.finish(&until)?;
    let head = LogView::open(Arc::clone(target)).map_err(|e| in_target(e, &**target))?.head();
    if head != until.head() {
        return Err(Error::new(
            ErrorKind::Io,
            format!("the copy does not read back: its size is {}, not {}", head.size, until.head().size),
        )
        .in_file(target.describe("")));
    }
    progress(total, total);
    Ok(BackedUp {
        identity,
        head,
        copied_bytes,
        copied_records: head.size.0 - old.size.0,
        checked,
        signed_beyond: signed.filter(|signed| *signed > view.head().size),
    })
}

/// What is wrong with a copy is not what its ledger's owner is to restore.
fn in_target(error: Error, target: &dyn Files) -> Error {
    if error.kind() != ErrorKind::Damaged {
        return error;
    }
    let directory = target.describe("");
    error.advise(format!("the copy {} is damaged, not the ledger: back up into a new directory", directory.display()))
}

fn is_absent(target: &dyn Files) -> Result<bool> {
    match log::identity_of(target) {
        Ok(_) => Ok(false),
        Err(e) if e.kind() == ErrorKind::NotALedger => Ok(true),
        Err(e) => Err(in_target(e, target)),
    }
}

/// Refuses, before anything is written, what cannot be a copy of this ledger.
fn check_target(source: &dyn Files, target: &dyn Files, identity: &Identity, options: BackupOptions) -> Result<()> {
    let refuse =
        |what: String, hint: &str| Err(Error::new(ErrorKind::InvalidInput, what).in_file(target.describe("")).advise(hint));
    let has_vault = |files: &dyn Files| match files.list("vault") {
        Ok(_) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(Error::io(e, "list the vault", files.describe("vault"))),
    };
    if options.with_vault && !has_vault(source)? {
        let what = format!("{} has no vault", source.describe("").display());
        return refuse(what, "leave `--with-vault` out, or restore `vault/` first");
    }
    let unasked = "the copy has a vault, and personal values were not asked for";
    let name_it = "say `--with-vault`, or name a new directory for a copy without them";
    if is_absent(target)? {
        // A first copy with its vault may have been interrupted.
        return if has_vault(target)? && !options.with_vault { refuse(unasked.to_owned(), name_it) } else { Ok(()) };
    }
    let theirs = log::identity_of(target)?;
    if theirs != *identity {
        let what = format!(
            "there is another ledger: {:?}, id {}, not {:?}, id {}",
            theirs.origin, theirs.ledger_id, identity.origin, identity.ledger_id
        );
        return refuse(what, "name a new directory, or the copy of this ledger");
    }
    match (has_vault(target)?, options.with_vault) {
        (true, false) => refuse(unasked.to_owned(), name_it),
        (false, true) => {
            refuse("the copy was begun without a vault".to_owned(), "name a new directory for a copy with personal values")
        }
        _ => Ok(()),
    }
}

/// Makes the copy of an empty ledger, which then takes everything.
fn create(source: &Arc<dyn Files>, target: &Arc<dyn Files>, identity: &Identity, options: BackupOptions) -> Result<()> {
    let ledger = identity.ledger_id;
    let salt = log::first_salt(std::slice::from_ref(source), ledger)
        .ok_or_else(|| Error::new(ErrorKind::Damaged, "the segment's header cannot be read").in_file(source.describe("log/0")))?;
    let random = |bytes: &mut [u8]| {
        bytes.copy_from_slice(&salt);
        Ok(())
    };
    Log::create_with(target, identity, &random, &|| {
        if options.with_vault { Vault::create_copy(&**target, &**source, ledger) } else { Ok(()) }
    })
}

/// A vault of a copy, open to take what is new of the source's.
struct VaultCopy {
    source: View,
    from: Vault,
    to: Vault,
}

impl VaultCopy {
    fn open(source: &Arc<dyn Files>, target: &Arc<dyn Files>, identity: &Identity) -> Result<Self> {
        let missing = |files: &Arc<dyn Files>| {
            Error::new(ErrorKind::Damaged, "the vault is missing")
                .in_file(files.describe("vault"))
                .advise("restore `vault/` from its backup")
        };
        let from = Vault::open(&**source, identity.ledger_id, false)?.ok_or_else(|| missing(source))?;
        let to = Vault::open(&**target, identity.ledger_id, true)?.ok_or_else(|| missing(target))?;
        let options = StoreOptions::reading();
        let copy = View::open(Arc::clone(target), None, &options)?;
        to.recover(&|record: RecordId, commitment: &Commitment| {
            let Some(position) = copy.find(record)? else {
                return Ok(false);
            };
            Ok(copy.frame(position)?.commitments().iter().any(|(_, c)| c == commitment))
        })?;
        Ok(Self { source: View::open(Arc::clone(source), None, &options)?, from, to })
    }
    /// Takes the values of the records from one size to another. Gives how many bytes that are.
    fn take(&mut self, old: Size, new: Size) -> Result<u64> {
        let erased = self.erased(new)?;
        self.to.copy_erased(&self.from, &erased)?;
        let mut bytes = 0;
        let mut wanted: Vec<Wanted> = Vec::new();
        for found in self.source.scan(old.0..new.0) {
            let (position, frame) = found?;
            wanted.extend(wanted_of(position, &frame));
            if wanted.len() >= VALUES {
                bytes += self.copy(&wanted, &erased)?;
                wanted.clear();
            }
        }
        Ok(bytes + self.copy(&wanted, &erased)?)
    }
    fn copy(&self, wanted: &[Wanted], erased: &FxHashSet<[u8; 16]>) -> Result<u64> {
        let copied = self.to.copy_rows(&[&self.from], wanted, erased)?;
        if let Some(position) = copied.lost.first() {
            return Err(Error::new(ErrorKind::Damaged, "the vault's value of a record is missing, damaged or cannot be read")
                .at(*position)
                .in_file(self.source.describe("vault/rows"))
                .advise("`sovang verify` lists all damage; restore `vault/` from its backup, or back up without it"));
        }
        for want in wanted {
            self.to.value(&want.commitment)?;
        }
        Ok(copied.bytes)
    }
    fn erased(&self, upto: Size) -> Result<FxHashSet<[u8; 16]>> {
        Ok(self.source.erased_handles(upto)?.into_iter().collect())
    }
    /// Completes the erasures that the copy's log, which is in place now, names.
    fn finish(self, size: Size) -> Result<()> {
        self.to.complete(&mut self.erased(size)?.into_iter())?;
        self.to.close()
    }
}

/// The files of `checkpoints/` with the size that each is about; not the lock, nor what an interrupted write left.
pub(crate) fn checkpoint_files(files: &dyn Files) -> Result<Vec<(String, Option<Size>)>> {
    let size = |name: &str| {
        let number = name.split('.').next().unwrap_or_default();
        number.parse().ok().filter(|size: &u64| size.to_string() == number).map(Size)
    };
    let names = blob_names(files, CHECKPOINTS)?.into_iter().filter(|name| name != "lock");
    Ok(names.map(|name| (size(&name), name)).map(|(size, name)| (name, size)).collect())
}

/// Copies the checkpoints of these names, or all; gives how many differed, and their bytes. One that cannot be read is passed over
/// when all are wanted: then it is about saving what there is.
pub(crate) fn copy_checkpoints(from: &dyn Files, to: &dyn Files, names: Option<&[String]>) -> Result<(u64, u64)> {
    let all = match names {
        Some(_) => Vec::new(),
        None => checkpoint_files(from).unwrap_or_default().into_iter().map(|(name, _)| name).collect(),
    };
    let (mut files, mut written) = (0, 0);
    for name in names.unwrap_or(&all) {
        let path = format!("{CHECKPOINTS}/{name}");
        let bytes = match blob_read(from, &path) {
            Err(_) if names.is_none() => continue,
            read => read?,
        };
        if let Some(bytes) = bytes
            && blob_read(to, &path)?.as_ref() != Some(&bytes)
        {
            blob_write(to, &path, &bytes)?;
            files += 1;
            written += bytes.len() as u64;
        }
    }
    Ok((files, written))
}
