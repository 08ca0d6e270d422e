//! A reader beside a writer: the disk goes on between any two of its operations.

use crate::oracle::{Known, items};
use sovang_storage::files::{File, Files, Open};
use sovang_storage::log::LogView;
use sovang_storage::sim::{SimFiles, Snapshot};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// Where in the writer's history the reader is.
struct Clock {
    history: Arc<Vec<Snapshot>>,
    now: usize,
    random: u64,
    /// One in how many operations meets another state of the disk.
    pace: u64,
}

/// The disk as a reader meets it.
#[derive(Clone)]
struct Moving {
    files: SimFiles,
    clock: Arc<Mutex<Clock>>,
}
impl Moving {
    /// Lets the writer go on for a while, or not, before the reader's next operation.
    fn go_on(&self) {
        let mut clock = self.clock.lock().unwrap();
        clock.random = clock.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let drawn = clock.random >> 33;
        if drawn.is_multiple_of(clock.pace) {
            let steps = usize::try_from((drawn / clock.pace) % 7).unwrap();
            clock.now = (clock.now + steps).min(clock.history.len() - 1);
            self.files.set_disk(clock.history[clock.now].disk.clone());
        }
    }
    fn mark(&self) -> usize {
        let clock = self.clock.lock().unwrap();
        usize::try_from(clock.history[clock.now].mark).unwrap()
    }
    fn is_over(&self) -> bool {
        let clock = self.clock.lock().unwrap();
        clock.now + 1 == clock.history.len()
    }
}

impl Files for Moving {
    fn open(&self, path: &str, how: Open) -> io::Result<Arc<dyn File>> {
        assert_eq!(how, Open::Read, "a reader opens {path} for writing");
        self.go_on();
        Ok(Arc::new(MovingFile { file: self.files.open(path, how)?, moving: self.clone() }))
    }
    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        self.go_on();
        self.files.list(directory)
    }
    fn create_directory(&self, directory: &str) -> io::Result<()> {
        panic!("a reader creates {directory}")
    }
    fn sync_directory(&self, directory: &str) -> io::Result<()> {
        panic!("a reader syncs {directory}")
    }
    fn rename(&self, from: &str, _: &str) -> io::Result<()> {
        panic!("a reader renames {from}")
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        panic!("a reader removes {path}")
    }
    fn lock(&self, _: &str) -> io::Result<Box<dyn Send + Sync>> {
        panic!("a reader takes the lock")
    }
    fn describe(&self, path: &str) -> PathBuf {
        self.files.describe(path)
    }
}

struct MovingFile {
    file: Arc<dyn File>,
    moving: Moving,
}
impl File for MovingFile {
    fn len(&self) -> io::Result<u64> {
        self.moving.go_on();
        self.file.len()
    }
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.moving.go_on();
        self.file.read_at(into, offset)
    }
    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        panic!("a reader writes")
    }
    fn set_len(&self, _: u64) -> io::Result<()> {
        panic!("a reader truncates")
    }
    fn allocate(&self, _: u64) -> io::Result<()> {
        panic!("a reader allocates")
    }
    fn sync_all(&self) -> io::Result<()> {
        panic!("a reader syncs")
    }
    fn sync_data(&self) -> io::Result<()> {
        panic!("a reader syncs")
    }
}

/// Opens a reader at `start` of the history and follows to its end. What it is shown only grows, is what was submitted in
/// order, and holds what was acknowledged before it looked. Returns how often it looked.
pub(crate) fn follow(history: &Arc<Vec<Snapshot>>, known: &[Known], start: usize, seed: u64) -> Result<u64, String> {
    let files = SimFiles::from_disk(history[start].disk.clone());
    let clock = Clock { history: Arc::clone(history), now: start, random: seed, pace: 1 + seed % 4 };
    let moving = Moving { files, clock: Arc::new(Mutex::new(clock)) };
    let mut before = known[moving.mark()].acked.len();
    let view = LogView::open(Arc::new(moving.clone())).map_err(|e| format!("opening refuses: {e}"))?;
    let mut head = view.head();
    let mut looks = 1;
    loop {
        let shown = items(view.segments(), head.size).map_err(|e| format!("cannot read what is shown: {e}"))?;
        let submitted = known[moving.mark()].submitted();
        if !submitted.starts_with(&shown) {
            return Err(format!("shown {shown:?} of {submitted:?}"));
        }
        if shown.len() < before {
            return Err(format!("{} of {before} acknowledged records are shown", shown.len()));
        }
        if moving.is_over() {
            return Ok(looks);
        }
        before = shown.len().max(known[moving.mark()].acked.len());
        head = view.refresh().map_err(|e| format!("refreshing refuses: {e}"))?;
        looks += 1;
        moving.go_on();
    }
}
