//! The reading side: of the writer's process, or opened read-only beside it.

use super::StoreOptions;
use super::select::{Scan, Select};
use super::shared::{Shared, Source};
use crate::blobs;
use crate::files::Files;
use crate::index::{Index, IndexOptions};
use crate::log::{Identity, LogView, Note};
use crate::vault::{EachValue, Vault};
use sovang_core::ids::Commitment;
use sovang_core::personal::Opened;
use sovang_core::record::Frame;
use sovang_core::tree::{Hash, Node};
use sovang_core::{Error, ErrorKind, Head, Position, Query, RecordId, Result, Root, Size};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Everything durable of a ledger, for reading. Cheap to clone, usable from any thread.
///
/// The view of a [`super::Store`] always knows the newest durable head. One from [`Self::open`] knows it as of the last
/// [`Self::refresh`]; it takes no lock and writes nothing.
#[derive(Clone)]
pub struct View {
    pub(super) shared: Arc<Shared>,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "View({}, size {})", self.identity().origin, self.head().size)
    }
}

/// Refuses a ledger of another schema.
pub(super) fn check_schema(files: &dyn Files, identity: &Identity, schema: Option<&str>) -> Result<()> {
    match schema {
        Some(schema) if schema != identity.schema => Err(Error::new(
            ErrorKind::WrongSchema,
            format!("the ledger holds events of {:?}, not of {schema:?}", identity.schema),
        )
        .in_file(files.describe("ledger"))),
        _ => Ok(()),
    }
}

impl View {
    /// Opens a ledger for reading only, also beside a live writer or on read-only media. Without a schema any will do. A vault
    /// that cannot be opened concerns personal values alone: [`Self::open_value`] says why.
    ///
    /// # Errors
    /// `NotALedger`, `WrongFormat`, `WrongSchema`, `Damaged`, or what the system refuses.
    pub fn open(files: Arc<dyn Files>, schema: Option<&str>, options: &StoreOptions) -> Result<Self> {
        let log = LogView::open(Arc::clone(&files))?;
        let identity = log.identity().clone();
        check_schema(&*files, &identity, schema)?;
        let index_options = IndexOptions { cache_bytes: options.cache_bytes, writable: false, ..IndexOptions::default() };
        let index = Index::open(Arc::clone(&files), identity.ledger_id, index_options)?;
        let (vault, vault_failure) = match Vault::open(&*files, identity.ledger_id, false) {
            Ok(vault) => (vault, None),
            Err(error) => (None, Some(error)),
        };
        let (segments, head) = (Arc::clone(log.segments()), log.head());
        let shared = Shared::new(files, identity, segments, index, vault, Source::Files(log), head);
        if let Some(why) = vault_failure {
            let _ = shared.vault_failure.set(why);
        }
        Ok(Self { shared: Arc::new(shared) })
    }
    /// Who the ledger is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.shared.identity
    }
    /// The durable head, as far as this view has looked.
    #[must_use]
    pub fn head(&self) -> Head {
        self.shared.head()
    }
    /// The durable head now.
    ///
    /// # Errors
    /// `Damaged` when what was durable is no longer there; I/O.
    pub fn refresh(&self) -> Result<Head> {
        self.shared.refresh()
    }
    /// Waits until the head is known to be beyond `size`, at most `timeout`. Only the writer's process is woken at once: a
    /// read-only view waits all the time and then wants a [`Self::refresh`].
    pub fn wait_beyond(&self, size: Size, timeout: Duration) {
        self.shared.wait_beyond(size, timeout);
    }
    /// What is unusual and harmless about the files, such as a torn tail; nothing for the writer's view.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        match &self.shared.source {
            Source::Writer => Vec::new(),
            Source::Files(log) => log.notes(),
        }
    }
    /// Whether this copy has a vault.
    #[must_use]
    pub fn has_vault(&self) -> bool {
        self.shared.vault.is_some() || self.shared.vault_failure.get().is_some()
    }

    /// The record at a position, its checksum verified.
    ///
    /// # Errors
    /// `NotFound` at or beyond the head, `Damaged`, I/O.
    pub fn frame(&self, position: Position) -> Result<Frame> {
        let size = self.head().size;
        if !size.contains(position) {
            return Err(Error::new(ErrorKind::NotFound, format!("there is no record: the ledger's size is {size}")).at(position));
        }
        self.shared.frame(position)
    }
    /// Every record of a range in order, those of the ledger itself included. The range is cut at the head.
    #[must_use]
    pub fn scan(&self, range: Range<u64>) -> Scan {
        Scan::new(&self.shared, self.cut(range))
    }
    /// The records of a range that a query names, in order or the newest first; never those of the ledger itself. An amendment
    /// is also found under the kinds and tags of its target and of earlier amendments of it. The range is cut at the head.
    #[must_use]
    pub fn select(&self, query: &Query, range: Range<u64>, backwards: bool) -> Select {
        Select::new(&self.shared, query, self.cut(range), backwards)
    }
    fn cut(&self, range: Range<u64>) -> Range<u64> {
        range.start..range.end.min(self.head().size.0)
    }
    /// Where the record with this id is.
    ///
    /// # Errors
    /// `Damaged`, I/O.
    pub fn find(&self, id: RecordId) -> Result<Option<Position>> {
        self.shared.find(id, self.head().size)
    }
    /// The positions of the amendments of a record before a position, ascending.
    ///
    /// # Errors
    /// `Damaged`, I/O.
    pub fn amendments(&self, target: RecordId, before: Position) -> Result<Vec<Position>> {
        self.shared.amendments(target, Size(before.0))
    }
    /// The root over the first `size` records.
    ///
    /// # Errors
    /// `NotFound` beyond the head; `Damaged`, I/O.
    pub fn root_at(&self, size: Size) -> Result<Root> {
        let head = self.head();
        if size == head.size {
            return Ok(head.root);
        }
        self.within(size)?;
        self.shared.indexed(size, |index| index.root_at(size, &|position| Ok(self.shared.frame(position)?.hash(position))))
    }
    /// The root of a perfect subtree of the first `size` records: what proofs are made of.
    ///
    /// # Errors
    /// As [`Self::root_at`].
    pub fn node(&self, node: Node, size: Size) -> Result<Hash> {
        self.within(size)?;
        self.shared.indexed(size, |index| index.node(node, &|position| Ok(self.shared.frame(position)?.hash(position))))
    }
    pub(super) fn within(&self, size: Size) -> Result<()> {
        let head = self.head();
        if size > head.size {
            return Err(Error::new(ErrorKind::NotFound, format!("the ledger's size is {}, not yet {size}", head.size)));
        }
        Ok(())
    }
    /// The largest size whose last record was recorded at or before this instant, in microseconds.
    ///
    /// # Errors
    /// `Damaged`, I/O.
    pub fn size_at(&self, recorded_at: i64) -> Result<Size> {
        // recorded_at never goes back.
        let (mut low, mut high) = (0, self.head().size.0);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.shared.frame(Position(middle))?.recorded_at() <= recorded_at {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(Size(low))
    }
    /// The value behind a commitment that the log has: known, erased, or sealed (so without a vault).
    ///
    /// # Errors
    /// `Damaged` when the vault should have it and does not, or it does not match.
    pub fn open_value(&self, commitment: &Commitment) -> Result<Opened> {
        self.shared.open_value(commitment)
    }
    /// The handles of the erasures that the first `upto` records name.
    ///
    /// # Errors
    /// `Damaged`, I/O.
    pub fn erased_handles(&self, upto: Size) -> Result<Vec<[u8; 16]>> {
        let upto = upto.min(self.head().size);
        Ok(self.shared.erasures(0..upto.0)?.into_iter().map(|(.., handle)| handle).collect())
    }
    /// Meets every personal value that can still be read: its field's number, whose it is, and the value as it was encoded. None
    /// without a vault; what is damaged is passed over.
    ///
    /// # Errors
    /// I/O, and why a vault that is there could not be opened.
    pub fn each_value(&self, each: EachValue<'_>) -> Result<()> {
        self.shared.each_value(each)
    }
    /// A blob such as `snapshots/NAME`; none when there is none of that name.
    ///
    /// # Errors
    /// I/O.
    pub fn blob(&self, path: &str) -> Result<Option<Vec<u8>>> {
        blobs::blob_read(&*self.shared.files, path)
    }
    /// The names of the blobs in a directory, ascending.
    ///
    /// # Errors
    /// I/O.
    pub fn blob_names(&self, directory: &str) -> Result<Vec<String>> {
        blobs::blob_names(&*self.shared.files, directory)
    }
    /// The path of one of this ledger's files, as a user would write it.
    #[must_use]
    pub fn describe(&self, path: &str) -> std::path::PathBuf {
        self.shared.files.describe(path)
    }
    /// Whether this subject's data was erased; only a writer's view knows, a reader's answers no.
    ///
    /// # Errors
    /// `Damaged` when a slot of the vault is: a miss could not be trusted.
    pub fn is_erased(&self, subject: &sovang_core::SubjectId) -> Result<bool> {
        match (&self.shared.vault, &self.shared.source) {
            (Some(vault), Source::Writer) => vault.is_erased(subject),
            _ => Ok(false),
        }
    }
}
