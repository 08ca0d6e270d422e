//! The writer's queue, tickets, group commit and followers under thousands of orders of their threads, chosen by shuttle:
//!
//! ```text
//! RUSTFLAGS="--cfg shuttle" CARGO_TARGET_DIR=target/shuttle cargo test -p sovang-storage --lib schedules
//! ```
//!
//! `SOVANG_SCHEDULES` says how many orders each test looks at. A failure prints the schedule that shuttle can replay.

use super::queue::{Job, Popped, Queue, Work};
use super::tests::{a, id, identity, one, options};
use super::ticket::{self, Ticket};
use super::{Done, Store, StoreOptions, View};
use crate::files::{File, Files, Open};
use crate::memory::MemoryFiles;
use crate::sync::{Mutex, thread};
use sovang_core::tree::{Frontier, leaf_hash};
use sovang_core::{Error, ErrorKind, Position, Result, Root, Size};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// Looks at many orders: half drawn at random, half with few switches, which find what needs a thread to be held up for long.
fn in_many_orders(test: impl Fn() + Send + Sync + 'static) {
    let orders = std::env::var("SOVANG_SCHEDULES").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000);
    let test = Arc::new(test);
    let again = Arc::clone(&test);
    shuttle::check_random(move || again(), orders);
    shuttle::check_pct(move || test(), orders, 3);
}

/// Files in memory, where every operation lets other threads go first, and the nth sync of data may fail.
#[derive(Clone)]
struct Yielding {
    files: MemoryFiles,
    /// Syncs of data until one fails; after that all do.
    syncs_left: Arc<AtomicU64>,
}
impl Yielding {
    fn new(syncs: u64) -> Self {
        Self { files: MemoryFiles::default(), syncs_left: Arc::new(AtomicU64::new(syncs)) }
    }
    fn shared(&self) -> Arc<dyn Files> {
        Arc::new(self.clone())
    }
}
impl Files for Yielding {
    fn open(&self, path: &str, how: Open) -> io::Result<Arc<dyn File>> {
        thread::yield_now();
        let file = self.files.open(path, how)?;
        Ok(Arc::new(YieldingFile { file, syncs_left: Arc::clone(&self.syncs_left) }))
    }
    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        thread::yield_now();
        self.files.list(directory)
    }
    fn create_directory(&self, directory: &str) -> io::Result<()> {
        self.files.create_directory(directory)
    }
    fn sync_directory(&self, directory: &str) -> io::Result<()> {
        self.files.sync_directory(directory)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        thread::yield_now();
        // Whoever writes a snapshot is alone: another process would use the same temporary name.
        assert!(!to.starts_with("snapshots/") || self.files.lock("lock").is_err(), "{to} is written without the lock");
        self.files.rename(from, to)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        thread::yield_now();
        self.files.remove(path)
    }
    fn lock(&self, path: &str) -> io::Result<Box<dyn Send + Sync>> {
        self.files.lock(path)
    }
    fn describe(&self, path: &str) -> PathBuf {
        self.files.describe(path)
    }
}
struct YieldingFile {
    file: Arc<dyn File>,
    syncs_left: Arc<AtomicU64>,
}
impl File for YieldingFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        thread::yield_now();
        self.file.read_at(into, offset)
    }
    /// In two parts, as a reader beside may see it.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let (first, second) = bytes.split_at(bytes.len() / 2);
        self.file.write_at(first, offset)?;
        thread::yield_now();
        self.file.write_at(second, offset + first.len() as u64)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }
    fn allocate(&self, len: u64) -> io::Result<()> {
        self.file.allocate(len)
    }
    fn sync_all(&self) -> io::Result<()> {
        self.file.sync_all()
    }
    fn sync_data(&self) -> io::Result<()> {
        thread::yield_now();
        let took = self.syncs_left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if took.is_err() { Err(io::Error::other("the disk is gone")) } else { self.file.sync_data() }
    }
}

fn store(files: &Yielding, queue: usize) -> Store {
    let options = StoreOptions { queue, ..options() };
    Store::create(files.shared(), identity(), options).unwrap()
}
fn submit(store: &Store, n: u64) -> Result<Done> {
    store.submit(one(&a(&[("n", "x")], "text"), n)).and_then(Ticket::wait)
}
fn unlocked<T>(mutex: &Mutex<T>) -> crate::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn job(n: u64) -> (Ticket, Job) {
    let (ticket, answerer) = ticket::pair(vec![id(n)]);
    (ticket, Job { work: Work::Append(one(&a(&[], ""), n)), answerer })
}
/// What a job asks for, and its answer.
fn answer(job: Job) -> u64 {
    let Work::Append(submission) = job.work else { panic!("only appends were pushed") };
    let there = submission.records[0].id();
    let size = Size((0..100).find(|n| id(*n) == there).unwrap());
    job.answerer.answer(Ok(Done { size, ..Done::default() }));
    size.0
}

#[test]
fn schedules_of_a_full_queue_answer_every_job_once_in_its_callers_order() {
    in_many_orders(|| {
        let queue = Arc::new(Queue::new(1));
        let served = Arc::new(Mutex::new(Vec::new()));
        let writer = thread::spawn({
            let (queue, served) = (Arc::clone(&queue), Arc::clone(&served));
            move || {
                let mut at_rest = true;
                loop {
                    match queue.pop(at_rest) {
                        Popped::Jobs(jobs) => jobs.into_iter().for_each(|job| unlocked(&served).push(answer(job))),
                        Popped::Idle => {
                            assert!(!at_rest, "at rest the writer waits for as long as it takes");
                            at_rest = true;
                            continue;
                        }
                        Popped::Closed => break,
                    }
                    at_rest = false;
                }
            }
        });
        let callers: Vec<_> = (0..2u64)
            .map(|caller| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || {
                    for n in [caller * 10, caller * 10 + 1] {
                        let (ticket, job) = job(n);
                        queue.push(job, true).unwrap();
                        assert_eq!(ticket.wait().unwrap().size, Size(n), "an answer is the one to this job");
                    }
                })
            })
            .collect();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        queue.refuse(Error::new(ErrorKind::Closed, "closed"));
        writer.join().unwrap();
        let served = unlocked(&served).clone();
        assert_eq!(served.len(), 4);
        for caller in 0..2 {
            let own: Vec<u64> = served.iter().copied().filter(|n| n / 10 == caller).collect();
            assert_eq!(own, [caller * 10, caller * 10 + 1]);
        }
    });
}

#[test]
fn schedules_of_a_refusing_queue_leave_nobody_waiting() {
    in_many_orders(|| {
        let queue = Arc::new(Queue::new(1));
        let callers: Vec<_> = (0..3u64)
            .map(|n| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || {
                    let (ticket, job) = job(n);
                    let wait = n != 2;
                    match queue.push(job, wait) {
                        // Taken, and then dropped with the queue: the outcome is unknown.
                        Ok(()) => assert_eq!(ticket.wait().unwrap_err().kind(), ErrorKind::Poisoned),
                        Err(error) => {
                            assert!(error.kind() == ErrorKind::Closed || (!wait && error.kind() == ErrorKind::Busy));
                        }
                    }
                })
            })
            .collect();
        queue.refuse(Error::new(ErrorKind::Closed, "closed"));
        queue.refuse(Error::new(ErrorKind::Io, "a later reason"));
        queue.drop_jobs();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
    });
}

#[test]
fn schedules_of_a_ticket_wake_whoever_waits_as_a_thread_or_as_a_task() {
    in_many_orders(|| {
        let (waited, first) = job(1);
        let (polled, second) = job(2);
        let writer = thread::spawn(move || {
            answer(first);
            answer(second);
        });
        let task = thread::spawn(move || assert_eq!(shuttle::future::block_on(polled).unwrap().size, Size(2)));
        assert_eq!(waited.wait().unwrap().size, Size(1));
        writer.join().unwrap();
        task.join().unwrap();
    });
}

/// The roots of a view's records, from the empty one on.
fn roots(view: &View, size: Size) -> Vec<Root> {
    let mut frontier = Frontier::new();
    let mut roots = vec![frontier.root()];
    for n in 0..size.0 {
        let frame = view.frame(Position(n)).unwrap();
        frontier.push(leaf_hash(&frame.hash(Position(n))));
        roots.push(frontier.root());
    }
    roots
}

#[test]
fn schedules_of_writers_and_followers_show_one_growing_log() {
    in_many_orders(|| {
        let files = Yielding::new(u64::MAX);
        let store = Arc::new(store(&files, 2));
        let callers: Vec<_> = (0..2u64)
            .map(|caller| {
                let store = Arc::clone(&store);
                thread::spawn(move || {
                    let mut last = None;
                    for n in [caller * 10, caller * 10 + 1] {
                        let done = submit(&store, n).unwrap();
                        let position = done.records[0].position;
                        assert!(last < Some(position), "one caller's order is position order");
                        last = Some(position);
                        assert!(store.view().head().size > Size(position.0), "what was answered is shown");
                        assert!(done.size > Size(position.0));
                        assert_eq!(store.view().find(id(n)).unwrap(), Some(position));
                    }
                })
            })
            .collect();
        // Another process: it knows only the files.
        let follower = thread::spawn({
            let files = files.clone();
            move || {
                let view = View::open(files.shared(), None, &options()).unwrap();
                let mut seen = Size::ZERO;
                for _ in 0..3 {
                    let head = view.refresh().expect("a reader beside a writer is never refused");
                    assert!(head.size >= seen, "what was shown stays");
                    seen = head.size;
                    assert_eq!(roots(&view, seen).pop(), Some(head.root));
                }
                seen
            }
        });
        // This process: it is woken.
        let waiting = thread::spawn({
            let store = Arc::clone(&store);
            move || {
                for n in 0..2 {
                    store.view().wait_beyond(Size(n), Duration::from_secs(3600));
                    assert!(store.view().head().size > Size(n));
                }
            }
        });
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        waiting.join().unwrap();
        assert!(follower.join().unwrap() <= Size(4));
        store.close().unwrap();
        let view = View::open(files.shared(), None, &options()).unwrap();
        assert_eq!(view.head().size, Size(4), "everything answered is there");
        assert_eq!(roots(&view, Size(4)).pop(), Some(view.head().root));
    });
}

#[test]
fn schedules_of_a_failing_disk_answer_everyone_and_keep_what_was_acknowledged() {
    // Creation and opening need a few syncs; the failure is at each of those that follow in turn.
    static RUN: AtomicU64 = AtomicU64::new(0);
    in_many_orders(|| {
        let files = Yielding::new(u64::MAX);
        let store = Arc::new(store(&files, 2));
        files.syncs_left.store(RUN.fetch_add(1, Ordering::Relaxed) % 6, Ordering::Relaxed);
        let callers: Vec<_> = (0..3u64)
            .map(|n| {
                let store = Arc::clone(&store);
                thread::spawn(move || match submit(&store, n) {
                    Ok(done) => Some(done.records[0].position),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Poisoned, "{error}");
                        assert_eq!(error.ids(), [id(n)], "it says which records");
                        None
                    }
                })
            })
            .collect();
        // Beside the writer, which may end at any moment.
        let _ = store.put_blob("snapshots/x", b"one");
        let acknowledged: Vec<Option<Position>> = callers.into_iter().map(|caller| caller.join().unwrap()).collect();
        // It fails when only the last rest's sync did.
        let _ = store.close();
        drop(store);
        files.syncs_left.store(u64::MAX, Ordering::Relaxed);
        let again = Store::open(files.shared(), options(), None).expect("it opens again");
        for (n, position) in (0..).zip(&acknowledged) {
            let found = again.view().find(id(n)).unwrap();
            assert!(position.is_none() || found == *position, "record {n}");
            let sent_again = submit(&again, n).unwrap();
            assert_eq!(sent_again.repeated, found.is_some(), "the same id can be sent again");
        }
        assert_eq!(again.view().head().size, Size(3));
        again.close().unwrap();
    });
}

#[test]
fn schedules_of_closing_lose_no_answer() {
    in_many_orders(|| {
        let files = Yielding::new(u64::MAX);
        let store = Arc::new(store(&files, 1));
        let callers: Vec<_> = (0..2u64)
            .map(|n| {
                let store = Arc::clone(&store);
                thread::spawn(move || match submit(&store, n) {
                    Ok(done) => Some(done.records[0].position),
                    Err(error) => {
                        assert!(matches!(error.kind(), ErrorKind::Closed | ErrorKind::Poisoned), "{error}");
                        assert_eq!(error.kind(), ErrorKind::Closed, "closing appends what is queued");
                        None
                    }
                })
            })
            .collect();
        let blob = thread::spawn({
            let store = Arc::clone(&store);
            move || store.put_blob("snapshots/x", b"one").map_err(|error| error.kind())
        });
        store.close().unwrap();
        assert!(matches!(blob.join().unwrap(), Ok(()) | Err(ErrorKind::Closed)));
        let acknowledged = callers.into_iter().filter_map(|caller| caller.join().unwrap()).count();
        let view = View::open(files.shared(), None, &options()).unwrap();
        assert_eq!(view.head().size, Size(acknowledged as u64), "exactly what was answered");
    });
}
