//! A projection that keeps itself up to date.

use crate::reader::Reader;
use crate::snapshot;
use sovang_core::{Error, ErrorKind, Event, Head, Result, Size};
use sovang_projection::{Folded, Stored};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// So many records at most are applied between two looks at the view.
const STEP: u64 = 4096;
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
    pub(crate) fn start<E: Event>(reader: Reader<E>, projection: P) -> Result<Self>
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
            .spawn(move || run(&reader, &theirs))
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
        let deadline = Instant::now() + timeout;
        let mut progress = self.shared.progress();
        loop {
            if progress.size >= size {
                return Ok(());
            }
            if let Some(error) = &progress.failed {
                return Err(error.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::new(
                    ErrorKind::TimedOut,
                    format!("the projection is at size {}, not yet {size}", progress.size),
                ));
            }
            progress = self.shared.grown.wait_timeout(progress, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn run<E: Event, P: Stored<E>>(reader: &Reader<E>, shared: &Shared<P>) {
    let mut at = shared.progress().size;
    while !shared.stop.load(Ordering::Acquire) {
        match step(reader, shared, at) {
            Ok(size) if size == at => reader.view().wait_beyond(at, POLL),
            Ok(size) => {
                at = size;
                shared.progress().size = size;
                shared.grown.notify_all();
            }
            Err(error) => {
                shared.progress().failed = Some(error);
                shared.grown.notify_all();
                return;
            }
        }
    }
}

/// Applies the next records, none when there are none, and gives the size reached.
fn step<E: Event, P: Stored<E>>(reader: &Reader<E>, shared: &Shared<P>, at: Size) -> Result<Size> {
    let head = reader.refresh()?;
    let to = Size(head.size.0.min(at.0 + STEP));
    if to <= at {
        return Ok(at);
    }
    let root = if to == head.size { head.root } else { reader.view().root_at(to)? };
    let mut view = shared.view.write().unwrap_or_else(PoisonError::into_inner);
    reader.fold_range(view.state_mut(), at, to)?;
    view.head = Head { size: to, root };
    Ok(to)
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
