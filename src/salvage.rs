//! Saving what can be proven of a damaged ledger.

use crate::audit::Finding;
use crate::backup::check_apart;
use sovang_core::{Head, LedgerId, Position, Result, Size};
use sovang_storage::disk::DiskFiles;
use sovang_storage::files::Files;
use sovang_storage::{log, salvage};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use sovang_storage::log::{Island, Trace};

/// Writes what can be proven of a damaged ledger into a new one: the longest sequence of whole batches from position 0 on whose checksums and
/// roots hold. Ledger id, positions, times, hashes and roots stay, so that old checkpoints and proofs hold for the new ledger.
/// Nothing is ever written to the damaged one.
///
/// ```no_run
/// use sovang::Salvage;
/// let saved = Salvage::of("golden-book").or("last-week/golden-book").into_new("saved", &mut |_, _| {})?;
/// println!("{} records, at least {} lost", saved.head.size, saved.known_size.0 - saved.head.size.0);
/// # Ok::<(), sovang::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Salvage {
    copies: Vec<PathBuf>,
    named: salvage::Named,
}

impl Salvage {
    /// Of the ledger in this directory. It may be on read-only media.
    #[must_use]
    pub fn of(directory: impl Into<PathBuf>) -> Self {
        Self { copies: vec![directory.into()], named: salvage::Named::default() }
    }
    /// With another copy of the same ledger, such as an older backup: each batch and each personal value is taken from the first copy that has
    /// it whole. Copies byte for byte help, not ones that an import made.
    #[must_use]
    pub fn or(mut self, copy: impl Into<PathBuf>) -> Self {
        self.copies.push(copy.into());
        self
    }
    /// The ledger's name, where no copy's file `ledger` can be read.
    #[must_use]
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.named.origin = Some(origin.into());
        self
    }
    /// The name of its events' schema, where no copy's file `ledger` can be read.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.named.schema = Some(schema.into());
        self
    }
    /// How far the log can be proven, without writing anything. It does not look at personal values. `progress` is told bytes done and bytes in all.
    ///
    /// # Errors
    /// `NotALedger`, `WrongFormat`; `InvalidInput` when the copies are of different ledgers.
    pub fn survey(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Salvaged> {
        Ok(Salvaged::of(salvage::survey(&self.files(), &self.named, progress)?))
    }
    /// Writes the new ledger into `target`, which must be absent or empty, and verifies it. A sound ledger is copied whole. What is
    /// interrupted leaves no ledger there.
    ///
    /// # Errors
    /// `NotALedger`, `WrongFormat`; `Damaged` when not one record can be proven, and then nothing is written; `InvalidInput` when the name is
    /// needed and not given, contradicts a file `ledger`, when the copies are of different ledgers, or when `target` is inside one of them;
    /// `NotEmpty`; those of writing.
    pub fn into_new(&self, target: impl AsRef<Path>, progress: &mut dyn FnMut(u64, u64)) -> Result<Salvaged> {
        for copy in &self.copies {
            check_apart(copy, target.as_ref())?;
        }
        let target: Arc<dyn Files> = Arc::new(DiskFiles::new(target.as_ref()));
        Ok(Salvaged::of(salvage::salvage(&self.files(), &target, &self.named, progress)?))
    }
    fn files(&self) -> Vec<Arc<dyn Files>> {
        self.copies.iter().map(|copy| Arc::new(DiskFiles::new(copy)) as Arc<dyn Files>).collect()
    }
}

/// What a [`Salvage`] found and did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Salvaged {
    /// The ledger's name; empty in a survey when no copy's file `ledger` can be read.
    pub origin: String,
    /// The name of its events' schema; as the origin.
    pub schema: String,
    /// Its id.
    pub ledger_id: LedgerId,
    /// Whether no copy's file `ledger` can be read, so that the name is what the caller said.
    pub is_named_by_caller: bool,
    /// What can be proven: the head of the new ledger.
    pub head: Head,
    /// The largest size that anything in a copy speaks of: at least so many records there were.
    pub known_size: Size,
    /// Why the provable part ends where it does; none when nothing says that the log went on, and nothing is wrong with it.
    pub stop: Option<Finding>,
    /// Everything wrong with the first copy's log.
    pub findings: Vec<Finding>,
    /// What says that the log went on, by size.
    pub traces: Vec<Trace>,
    /// Later segments of the first copy that are sound in themselves: with a copy of what is before them they can be had too.
    pub later_segments: Vec<Island>,
    /// How many batches were taken from each copy, in their order.
    pub batches: Vec<u64>,
    /// The personal values; none when the ledger has no vault, and in a survey.
    pub personal: Option<SalvagedPersonal>,
    /// How many files of `checkpoints/` were copied.
    pub checkpoints: u64,
}

/// What became of the personal values of the records that were saved.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SalvagedPersonal {
    /// Copied.
    pub known: u64,
    /// Erased, as before.
    pub erased: u64,
    /// Sealed, as before.
    pub sealed: u64,
    /// Lost: the records whose values are missing or damaged in every copy. They read as sealed in the new ledger.
    pub lost: Vec<Position>,
    /// Damaged keys. If one of them was an erased person's, that person is no longer refused.
    pub lost_keys: u64,
    /// Vaults that cannot be opened at all, and why. When none can, the new ledger has no vault.
    pub unreadable: Vec<(PathBuf, String)>,
}

impl Salvaged {
    fn of(found: salvage::Salvaged) -> Self {
        let known_size = found.known_size();
        Self {
            origin: found.identity.origin,
            schema: found.identity.schema,
            ledger_id: found.identity.ledger_id,
            is_named_by_caller: found.identity_given,
            head: found.head,
            known_size,
            stop: found.stop.map(finding),
            findings: found.findings.into_iter().map(finding).collect(),
            traces: found.traces,
            later_segments: found.islands,
            batches: found.batches,
            personal: found.vault.map(|vault| SalvagedPersonal {
                known: vault.rows.known,
                erased: vault.rows.erased,
                sealed: vault.rows.sealed,
                lost: vault.rows.lost,
                lost_keys: vault.lost_slots,
                unreadable: vault.unreadable,
            }),
            checkpoints: found.checkpoints,
        }
    }
    /// Whether there was nothing to save: the first copy's log is sound, and nothing says that it went on.
    #[must_use]
    pub fn was_sound(&self) -> bool {
        self.findings.is_empty() && self.lost_at_least() == 0
    }
    /// How many records are known to be lost; there may have been more of which nothing is left.
    #[must_use]
    pub fn lost_at_least(&self) -> u64 {
        self.known_size.0 - self.head.size.0
    }
}

fn finding(found: log::Finding) -> Finding {
    Finding { position: found.position, file: Some(found.file), offset: found.offset, what: found.what, in_log: true }
}
