//! The handle that may record.

use crate::importer::{Importer, Rules};
use crate::live::Live;
use crate::options::Options;
use crate::reader::Reader;
use crate::recorder::Recorder;
use sovang_core::{Event, Result};
use sovang_projection::{Folded, Stored};
use sovang_storage::store::Store;
use std::fmt;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

/// A ledger of events `E`, open for recording. Cheap to clone, usable from any thread; the last handle to go closes it.
///
/// It derefs to [`Reader`], so what takes `&Reader<E>` takes both. Nothing is recorded without saying who: see [`Self::by`].
pub struct Ledger<E> {
    reader: Reader<E>,
    store: Arc<Store>,
}

impl<E> Clone for Ledger<E> {
    fn clone(&self) -> Self {
        Self { reader: self.reader.clone(), store: Arc::clone(&self.store) }
    }
}
impl<E> Deref for Ledger<E> {
    type Target = Reader<E>;
    fn deref(&self) -> &Reader<E> {
        &self.reader
    }
}
impl<E> fmt::Debug for Ledger<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ledger({})", self.store.view().identity().origin)
    }
}

impl<E: Event> Ledger<E> {
    pub(crate) fn new(store: Store, options: Options) -> Self {
        store.compare_versions(Arc::new(crate::reader::same_decoded::<E>));
        store.rest_after(options.rest());
        Self { reader: Reader::new(store.view().clone(), options), store: Arc::new(store) }
    }
    /// Creates a ledger: [`Options::create`] with the defaults.
    ///
    /// # Errors
    /// See there.
    pub fn create(directory: impl AsRef<Path>, origin: &str) -> Result<Self> {
        Options::new().create(directory, origin)
    }
    /// Opens a ledger for recording: [`Options::open`] with the defaults.
    ///
    /// # Errors
    /// See there.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self> {
        Options::new().open(directory)
    }
    /// Opens a ledger, or creates it: [`Options::open_or_create`] with the defaults.
    ///
    /// # Errors
    /// See there.
    pub fn open_or_create(directory: impl AsRef<Path>, origin: &str) -> Result<Self> {
        Options::new().open_or_create(directory, origin)
    }
    /// Opens a ledger for reading: [`Options::open_read_only`] with the defaults.
    ///
    /// # Errors
    /// See there.
    pub fn open_read_only(directory: impl AsRef<Path>) -> Result<Reader<E>> {
        Options::new().open_read_only(directory)
    }
    /// The desk of one actor: the name of an office account, such as `clerk:lan`. A blank name is refused when something is recorded.
    #[must_use]
    pub fn by(&self, actor: impl Into<String>) -> Recorder<E> {
        Recorder::new(self.clone(), actor.into())
    }
    /// Takes many entries with their own ids and actors, each judged by `rules` on the log and on what was taken before;
    /// [`crate::NoRules`] for a domain that has none.
    ///
    /// # Errors
    /// When the log, which the rules learn first, cannot be read.
    pub fn importer<R: Rules<E>>(&self, rules: R) -> Result<Importer<E, R>> {
        Importer::new(self.clone(), rules)
    }
    /// A projection that is kept: its snapshot brought up to the head, and saved again.
    ///
    /// A snapshot of another revision, or one whose head is no prefix of this log, is never used: the state is then
    /// folded from the start.
    ///
    /// # Errors
    /// When a record cannot be read or the snapshot not be saved.
    pub fn project<P: Stored<E>>(&self, projection: P) -> Result<Folded<P>> {
        crate::snapshot::project(&self.reader, Some(&self.store), projection)
    }
    /// A projection that a thread of its own keeps up to date. Its snapshot is where it begins and is saved again now and
    /// then, and when it ends before the ledger is closed. It does not keep the ledger open.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn live<P: Stored<E> + Send + Sync + 'static>(&self, projection: P) -> Result<Live<P>> {
        Live::start(self.reader.clone(), Some(Arc::downgrade(&self.store)), projection)
    }
    /// Syncs what has been recorded and closes the ledger; other handles then answer `Closed`.
    ///
    /// # Errors
    /// When the last sync fails. What was answered `Ok` is durable all the same.
    pub fn close(self) -> Result<()> {
        self.store.close()
    }
    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.store
    }
}
