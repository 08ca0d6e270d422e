//! A projection that keeps itself up to date.

use crate::reader::Reader;
use crate::snapshot;
use sovang_core::{Error, ErrorKind, Event, Head, Result, Size};
use sovang_projection::{Folded, Stored};
use sovang_storage::store::Store;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// So many records at most are read ahead and then applied while nobody looks.
const STEP: u64 = 1024;
/// One wait within a longer one.
const LONG: Duration = Duration::from_secs(3600);
/// After so many records the snapshot is saved again.
const SAVE_AFTER: u64 = 100_000;
const POLL: Duration = Duration::from_millis(20);

/// A projection on a thread of its own, pulling from the log: a slow or failing view neither loses nor delays a record.
/// It stops when dropped.
pub struct Live<P> {
    shared: Arc<Shared<P>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared<P> {
    view: RwLock<Folded<P>>,
    progress: Mutex<Progress>,
    grown: Condvar,
    stop: AtomicBool,
}
struct Progress {
    size: Size,
    failed: Option<Error>,
}
impl<P> Shared<P> {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Send + Sync + 'static> Live<P> {
    /// With a writer, whose snapshots are then saved.
    pub(crate) fn start<E: Event>(reader: Reader<E>, writer: Option<Weak<Store>>, projection: P) -> Result<Self>
    where
        P: Stored<E>,
    {
        let limit = reader.refresh()?.size;
        let (state, from) = snapshot::load::<E, P>(&reader, limit)?.unwrap_or((projection, Size::ZERO));
        let root = reader.view().root_at(from)?;
        let shared = Arc::new(Shared {
            view: RwLock::new(Folded::new(state, Head { size: from, root })),
            progress: Mutex::new(Progress { size: from, failed: None }),
            grown: Condvar::new(),
            stop: AtomicBool::new(false),
        });
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name(format!("sovang {}", P::NAME))
            .spawn(move || Runner { saved: from, at: from, reader, writer, shared: &theirs }.run())
            .map_err(|e| Error::new(ErrorKind::Io, "cannot start a thread").caused_by(e))?;
        Ok(Self { shared, thread: Some(thread) })
    }
    /// Looks at the projection: the view derefs to the state and carries its head.
    pub fn read<R>(&self, look: impl FnOnce(&Folded<P>) -> R) -> R {
        look(&self.shared.view.read().unwrap_or_else(PoisonError::into_inner))
    }
    /// Waits until the projection has seen the first `size` records: with [`crate::Appended::size`], to read your own write.
    ///
    /// # Errors
    /// `TimedOut`, or what stopped the thread.
    pub fn wait_for(&self, size: Size, timeout: Duration) -> Result<()> {
        // A time that is never reached is no deadline.
        let deadline = Instant::now().checked_add(timeout);
        let mut progress = self.shared.progress();
        loop {
            if progress.size >= size {
                return Ok(());
            }
            if let Some(error) = &progress.failed {
                return Err(error.clone());
            }
            let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(Error::new(
                    ErrorKind::TimedOut,
                    format!("the projection is at size {}, not yet {size}", progress.size),
                ));
            }
            progress = self.shared.grown.wait_timeout(progress, left.min(LONG)).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

struct Runner<'a, E, P> {
    reader: Reader<E>,
    writer: Option<Weak<Store>>,
    shared: &'a Shared<P>,
    at: Size,
    saved: Size,
}

/// A thread that ends must not leave anyone waiting: a user's `apply` may have panicked.
struct Ending<'a, P>(&'a Shared<P>);
impl<P> Drop for Ending<'_, P> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let what = "the projection panicked, and is not kept up to date any more";
            self.0.progress().failed = Some(Error::new(ErrorKind::Closed, what));
        }
        self.0.grown.notify_all();
    }
}

impl<E: Event, P: Stored<E>> Runner<'_, E, P> {
    fn run(mut self) {
        let _ending = Ending(self.shared);
        while !self.shared.stop.load(Ordering::Acquire) {
            match self.step() {
                Ok(grown) => {
                    if self.at.0 - self.saved.0 >= SAVE_AFTER {
                        self.save();
                    }
                    if !grown {
                        self.reader.view().wait_beyond(self.at, POLL);
                    }
                }
                Err(error) => {
                    self.shared.progress().failed = Some(error);
                    return;
                }
            }
        }
        if self.at > self.saved {
            self.save();
        }
    }

    /// Applies the next records, and says whether there were any.
    fn step(&mut self) -> Result<bool> {
        let head = self.reader.refresh()?;
        let to = Size(head.size.0.min(self.at.0 + STEP));
        if to <= self.at {
            return Ok(false);
        }
        let root = if to == head.size { head.root } else { self.reader.view().root_at(to)? };
        let plan = self.shared.view.read().unwrap_or_else(PoisonError::into_inner).plan();
        // All that can fail comes before the first one is applied: a view is of its head, also after an error.
        let mut records = Vec::new();
        if !plan.query().is_none() {
            for record in self.reader.records_between(plan.query(), self.at, to) {
                let mut record = record?;
                if let Some(target) = record.amends() {
                    record.resolve(self.reader.standing_before(target, record.position)?);
                }
                records.push(record);
            }
        }
        let mut view = self.shared.view.write().unwrap_or_else(PoisonError::into_inner);
        for record in &records {
            view.state_mut().apply_planned(&plan, record);
        }
        view.head = Head { size: to, root };
        drop(view);
        self.at = to;
        self.shared.progress().size = to;
        self.shared.grown.notify_all();
        Ok(true)
    }

    /// Saves the snapshot, if there is a writer and it is still open. Derived: a failure costs the next start a longer fold, and nothing else.
    fn save(&mut self) {
        if let Some(store) = self.writer.as_ref().and_then(Weak::upgrade) {
            let view = self.shared.view.read().unwrap_or_else(PoisonError::into_inner);
            let _ = snapshot::save(&self.reader, &store, &view);
        }
        self.saved = self.at;
    }
}

impl<P> Drop for Live<P> {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic of a user's `apply` has been reported on its own thread.
            let _ = thread.join();
        }
    }
}
impl<P> fmt::Debug for Live<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Live(at size {})", self.shared.progress().size)
    }
}
