//! A ledger's signed heads: the files of `checkpoints/` (docs/FORMAT.md §11.2). Signing is in `signer.rs`.

use crate::audit::Finding;
use crate::options::Options;
use crate::reader::Reader;
use sovang_core::evidence::Checkpoint;
use sovang_core::{Error, ErrorKind, Event, Head, RawEvent, Result, Root, Size, tree};
use sovang_storage::store::View;
use std::fmt;
use std::path::Path;

/// The checkpoints of a ledger, for whoever signs or collects cosignatures: in the writer's process or in any other, beside a
/// live writer too. It cannot record.
///
/// ```no_run
/// use sovang::{Checkpoints, SigningKey};
/// let key = SigningKey::open("/media/key/golden-book.key")?;
/// let checkpoint = Checkpoints::of_directory("golden-book")?.sign(&[&key])?;
/// print!("{checkpoint}");
/// # Ok::<(), sovang::Error>(())
/// ```
#[derive(Clone)]
pub struct Checkpoints {
    view: View,
}

impl fmt::Debug for Checkpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checkpoints({})", self.origin())
    }
}

impl Checkpoints {
    /// Those of the ledger in a directory. Opened read-only, whatever its events are.
    ///
    /// # Errors
    /// As [`crate::Ledger::open_read_only`].
    pub fn of_directory(directory: impl AsRef<Path>) -> Result<Self> {
        Ok(Self::of(Options::new().open_read_only::<RawEvent>(directory)?.view().clone()))
    }
    pub(crate) fn of(view: View) -> Self {
        Self { view }
    }
    pub(crate) fn view(&self) -> &View {
        &self.view
    }
    /// The ledger's name, and that of the key that signs for it.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.view.identity().origin
    }
    /// The sizes of which one is kept, ascending.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn sizes(&self) -> Result<Vec<Size>> {
        self.view.checkpoint_sizes()
    }
    /// The checkpoint of a size; none when none is kept. Its signatures are not verified: that takes a policy.
    ///
    /// # Errors
    /// `NotProven` with the file when it is malformed, or of another log or size than it should be.
    pub fn get(&self, size: Size) -> Result<Option<Checkpoint>> {
        let path = self.view.describe(&View::checkpoint_path(size));
        self.view.checkpoint(size)?.map(|bytes| self.read(&bytes, size).map_err(|e| e.in_file(&path))).transpose()
    }
    fn read(&self, bytes: &[u8], size: Size) -> Result<Checkpoint> {
        let checkpoint = Checkpoint::parse(bytes)?;
        let wrong =
            |what: String| Err(Error::new(ErrorKind::NotProven, what).advise("move the file away: it does not belong here"));
        if checkpoint.origin() != self.origin() {
            return wrong(format!("the checkpoint is of the log {:?}, not of {:?}", checkpoint.origin(), self.origin()));
        }
        if checkpoint.head().size != size {
            return wrong(format!(
                "the checkpoint is of size {}, not of the size that its file is named after",
                checkpoint.head().size
            ));
        }
        Ok(checkpoint)
    }
    /// All of them, by ascending size.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn all(&self) -> Result<Vec<Checkpoint>> {
        self.sizes()?.into_iter().filter_map(|size| self.get(size).transpose()).collect()
    }
    /// The one of the largest size for which `wanted` says yes.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn newest(&self, wanted: impl Fn(&Checkpoint) -> bool) -> Result<Option<Checkpoint>> {
        for size in self.sizes()?.into_iter().rev() {
            if let Some(checkpoint) = self.get(size)?.filter(&wanted) {
                return Ok(Some(checkpoint));
            }
        }
        Ok(None)
    }
    /// Adds a checkpoint's signature lines to those that are kept of the same head, durably; gives what is kept then. That they are
    /// worth keeping, whoever calls has verified.
    ///
    /// # Errors
    /// `NotProven` when the head is not one of this log, or another one is kept under that size; what the system refuses.
    pub fn add(&self, checkpoint: &Checkpoint) -> Result<Checkpoint> {
        let head = checkpoint.head();
        self.view.refresh()?;
        if let Some(why) = self.contradiction(head)? {
            return Err(why);
        }
        let mut kept = checkpoint.clone();
        self.view.change_checkpoint_file(&head.size.to_string(), &mut |there| {
            let before = there.as_deref().map(|bytes| self.read(bytes, head.size)).transpose()?;
            if let Some(mut before) = before.clone() {
                before.merge(checkpoint)?;
                kept = before;
            }
            Ok((before.as_ref() != Some(&kept)).then(|| kept.to_string().into_bytes()))
        })?;
        Ok(kept)
    }

    /// Why a head is not one that this log ever had, with both roots; none when it is a beginning of the log as last looked at.
    ///
    /// The index gives the proof and is not trusted: what it says must lead to the log's own root, or the records are read.
    pub(crate) fn contradiction(&self, head: Head) -> Result<Option<Error>> {
        let now = self.view.head();
        if head.size > now.size {
            let what = format!(
                "the log is rolled back: it has {} records, root {}, but there was a size {} with root {}",
                now.size,
                now.root.to_base64(),
                head.size,
                head.root.to_base64()
            );
            return Ok(Some(
                Error::new(ErrorKind::NotProven, what)
                    .advise("this is an older copy of the ledger: restore the newest one, and record here nothing meanwhile"),
            ));
        }
        let ours = self.root_now(head)?;
        if ours == head.root {
            return Ok(None);
        }
        let what = format!(
            "the log has another history: at size {} its root is {}, but there was one with root {}",
            head.size,
            ours.to_base64(),
            head.root.to_base64()
        );
        Ok(Some(Error::new(ErrorKind::NotProven, what).advise(
            "one of the two copies was changed or continued apart: find the copy that the older checkpoints belong to, and sign nothing here",
        )))
    }
    /// The log's root at the head's size.
    fn root_now(&self, head: Head) -> Result<Root> {
        let now = self.view.head();
        if head.size == now.size {
            return Ok(now.root);
        }
        if head.size == Size::ZERO {
            return Ok(Root::empty());
        }
        let proof = self.view.consistency_proof(head.size, now.size)?;
        if tree::verify_consistency(&head, &now, &proof).is_ok() {
            return Ok(head.root);
        }
        self.view.root_by_walk(head.size)
    }
    /// Checkpoints that the log contradicts, or that are none.
    pub(crate) fn check(&self) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        // Listed before the log is looked at: whatever was signed by then, it has.
        let sizes = self.sizes()?;
        self.view.refresh()?;
        for size in sizes {
            let wrong = match self.get(size) {
                Ok(Some(checkpoint)) => self.contradiction(checkpoint.head())?,
                Ok(None) => None,
                Err(error) if error.kind() == ErrorKind::NotProven => Some(error),
                Err(error) => return Err(error),
            };
            if let Some(error) = wrong {
                let file = Some(self.view.describe(&View::checkpoint_path(size)));
                findings.push(Finding { position: None, file, offset: None, what: error.message().to_owned(), in_log: false });
            }
        }
        Ok(findings)
    }
}

impl<E: Event> Reader<E> {
    /// The signed checkpoints that this ledger keeps, by ascending size. Their signatures are not verified: that takes a policy.
    ///
    /// # Errors
    /// `NotProven` with the file for one that is malformed or of another log.
    pub fn checkpoints(&self) -> Result<Vec<Checkpoint>> {
        Checkpoints::of(self.view().clone()).all()
    }
}
