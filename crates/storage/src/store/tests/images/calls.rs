//! Every call that a ledger makes of the disk fails, in each way: in creating, appending, beginning a segment, resting, erasing,
//! closing, opening and recovering. The caller is told, nothing that was answered is lost, and the next opening goes on.

use super::judge::{Effort, Judge, seeded};
use super::work::{Base, Op, Start, World, base};
use super::*;
use crate::sim::Fault;
use std::io::ErrorKind as Io;

/// How a call may fail: EIO, ENOSPC, EINTR, EACCES and EROFS, as the standard library names them.
const ERRORS: [Io; 5] = [Io::Other, Io::StorageFull, Io::Interrupted, Io::PermissionDenied, Io::ReadOnlyFilesystem];

/// Failures of the n-th call, or of the n-th call of one sort.
type Failures = fn(u64) -> Vec<Fault>;
fn failures() -> Vec<(&'static str, Failures)> {
    vec![
        ("a call fails", |nth| ERRORS.map(|error| Fault::Call { nth, error }).to_vec()),
        ("every call from there on fails", |nth| {
            vec![Fault::Gone { nth, error: Io::Other }, Fault::Gone { nth, error: Io::StorageFull }]
        }),
        ("a sync fails", |nth| [0, u64::MAX, 0b0101].map(|kept| Fault::Sync { nth, kept, len_kept: kept & 1 == 1 }).to_vec()),
        // Between two sectors: the vault relies on them (docs/RELIABILITY.md); `crash` cuts the log's writes at bytes.
        ("a write is cut short", |nth| [0, 1].map(|sectors| Fault::Write { nth, sectors }).to_vec()),
        ("a read is stale", |nth| vec![Fault::StaleRead { nth }]),
    ]
}
/// The operations in whose calls something fails, with what comes before them.
const WORK: [Op; 11] =
    [Op::Plain, Op::New, Op::Batch, Op::Rest, Op::More, Op::Erase, Op::Again, Op::Close, Op::New, Op::Kill, Op::Batch];

fn judge() -> Judge {
    Judge::new(OF_ONE_BATCH, Effort { images: 64, second_images: 2, second_one_in: 16 })
}
/// The world before the n-th operation.
fn world(judge: &Judge, start: &Start, before: usize) -> World {
    let mut world = World::new(judge, start);
    world.open().unwrap();
    for op in &WORK[..before] {
        world.step(*op).unwrap();
    }
    world
}

/// Lets the n-th operation meet a failure. None when it made no such call; otherwise the disk that it left, with what is known.
fn meet(judge: &mut Judge, start: &Start, n: usize, fault: Fault) -> Option<World> {
    let when = || format!("{fault:?} in {:?} after {:?}", WORK[n], &WORK[..n]);
    let mut world = world(judge, start, n);
    if WORK[n] == Op::Kill {
        world.after_kill.push(fault);
    } else {
        world.files.inject(fault);
    }
    let done = world.step(WORK[n]);
    if world.files.take_faults() == 0 {
        done.unwrap_or_else(|e| panic!("{e} without a failure :: {}", when()));
        return None;
    }
    match done {
        Ok(_) => {}
        // What is called damage would be restored from a backup: a failing call is none.
        Err(e) if e.kind() == ErrorKind::Damaged => {
            if !matches!(fault, Fault::StaleRead { .. }) {
                judge.violations.push(format!("a failing call is called damage: {e} :: {}", when()));
            }
        }
        // Nothing was written of it.
        Err(e) if e.kind() == ErrorKind::NoSpace => world.known.pending.clear(),
        Err(_) => {}
    }
    Some(world)
}

/// Judges what is left: by a process that comes next, and by one after a power loss.
fn look(judge: &mut Judge, world: &World, when: &dyn Fn() -> String) {
    let disk = world.files.disk();
    judge.kill(&disk, &world.known, when);
    for seed in 0..3 {
        let crash = disk.crash_by(seed, false);
        judge.counts.crash_points += 1;
        judge.image(&crash.image, &world.known, false, &|| format!("{}; then power lost with [{crash}]", when()));
    }
}

#[test]
fn every_call_fails_in_each_way() {
    let mut judge = judge();
    let start = base(OF_ONE_BATCH, Base::TwoSubjects);
    let mut met = 0u64;
    for n in 0..WORK.len() {
        for (name, faults) in failures() {
            for nth in 1.. {
                let mut any = false;
                for fault in faults(nth) {
                    let Some(world) = meet(&mut judge, &start, n, fault) else { continue };
                    (any, met) = (true, met + 1);
                    look(&mut judge, &world, &|| format!("{name}: {fault:?} in {:?} after {:?}", WORK[n], &WORK[..n]));
                    world.files.evict(u64::MAX);
                    let when = || format!("{name}, and what is clean left the cache: {fault:?} in {:?}", WORK[n]);
                    judge.image(&world.files.disk().visible(), &world.known, false, &when);
                }
                assert!(judge.violations.is_empty(), "{}", judge.violations.join("\n"));
                if !any {
                    break;
                }
            }
        }
    }
    println!("failing calls: {met} met, {}", judge.counts);
    assert!(met > 500 && judge.counts.kills > 100, "{met}");
}

/// How the first call of a pair fails: each way from `SOVANG_CRASH_SCALE=5` on.
fn first_errors() -> &'static [Io] {
    if scale() < 5 { &ERRORS[..1] } else { &ERRORS }
}

/// Opening again after a failure fails as well, at each of its calls and in each way, and then all is there.
#[test]
fn every_pair_of_calls_fails() {
    let mut judge = judge();
    let start = base(OF_ONE_BATCH, Base::TwoSubjects);
    let (mut firsts, mut pairs) = (0u64, 0u64);
    for n in 0..WORK.len() {
        for nth in 1.. {
            let mut any = false;
            for error in first_errors() {
                let fault = Fault::Call { nth, error: *error };
                let Some(world) = meet(&mut judge, &start, n, fault) else { continue };
                (any, firsts) = (true, firsts + 1);
                let when = format!("{fault:?} in {:?} after {:?}", WORK[n], &WORK[..n]);
                pairs += every_second(&mut judge, &world, &when);
            }
            assert!(judge.violations.is_empty(), "{}", judge.violations.join("\n"));
            if !any {
                break;
            }
        }
    }
    println!("pairs of failing calls: {firsts} first calls, {pairs} pairs, {}", judge.counts);
    assert!(pairs > 100_000, "{pairs}");
}
/// Lets each call of the opening fail in each way, and judges what is left. Gives how many that were.
fn every_second(judge: &mut Judge, world: &World, before: &str) -> u64 {
    let disk = world.files.disk();
    let mut pairs = 0;
    for second in 1..=calls_of_opening(&disk) {
        for error in ERRORS {
            let files = SimFiles::from_disk(disk.clone());
            files.inject(Fault::Call { nth: second, error });
            let opened = Store::open(Arc::new(files.clone()), seeded(OF_ONE_BATCH, 5_000), None);
            files.take_faults();
            let when = || format!("{before}, then {error:?} of call {second} of opening");
            match opened {
                Err(e) if e.kind() == ErrorKind::Damaged => {
                    judge.violations.push(format!("a failing call is called damage: {e} :: {}", when()));
                }
                // A file that only makes things faster may fail.
                Ok(_) | Err(_) => {}
            }
            pairs += 1;
            let left = files.disk();
            judge.kill(&left, &world.known, &when);
            judge.image(&left.crash_by(second, false).image, &world.known, false, &when);
        }
    }
    pairs
}

fn calls_of_opening(disk: &crate::sim::Disk) -> u64 {
    let files = SimFiles::from_disk(disk.clone());
    drop(Store::open(Arc::new(files.clone()), seeded(OF_ONE_BATCH, 5_000), None));
    files.take_counts().calls
}

#[test]
fn every_call_of_creating_fails_and_it_is_repeated() {
    let mut failed = 0;
    for error in ERRORS {
        for nth in 1.. {
            let files = SimFiles::new();
            files.inject(Fault::Call { nth, error });
            let created = Store::create(Arc::new(files.clone()), identity(), seeded(OF_ONE_BATCH, 1));
            if files.take_faults() == 0 {
                created.unwrap().close().unwrap();
                break;
            }
            failed += 1;
            if let Err(e) = &created {
                assert_ne!(e.kind(), ErrorKind::Damaged, "{error:?} of call {nth}: {e}");
            }
            drop(created);
            let crash = files.disk().crash_by(nth, false);
            for files in [SimFiles::from_disk(files.disk()), SimFiles::from_image(&crash.image)] {
                let store = Store::open(Arc::new(files.clone()), seeded(OF_ONE_BATCH, 2), None)
                    .or_else(|_| Store::create(Arc::new(files.clone()), identity(), seeded(OF_ONE_BATCH, 3)))
                    .unwrap_or_else(|e| panic!("{error:?} of call {nth}: {e}"));
                append(&store, one(&member("citizen:1", "Lan"), 1)).unwrap();
                assert!(store.view().verify(&mut |_, _| {}).unwrap().findings.is_empty());
            }
        }
    }
    println!("failing calls of creating: {failed}");
    assert!(failed > 100, "{failed}");
}

/// A record that is sent twice before it is durable is answered twice only once it is: its sync fails, and neither is.
#[test]
fn a_duplicate_is_not_answered_before_the_sync_of_the_first() {
    let files = SimFiles::new();
    let (at_the_clock, writer_is_there) = std::sync::mpsc::channel();
    let (open, gate) = std::sync::mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let mut with_gate = options();
    let clock = with_gate.clock;
    with_gate.clock = Arc::new(move || {
        // The first record is decided only when the others are in the queue: they come into one group after it.
        let _ = at_the_clock.send(());
        let _ = gate.lock().unwrap().recv();
        clock()
    });
    let store = Store::create(Arc::new(files.clone()), identity(), with_gate).unwrap();
    store.queue.rest_after(Duration::from_secs(3_600));
    let send = |n| store.submit(one(&a(&[], "x"), n)).unwrap();
    files.inject(Fault::Sync { nth: 2, kept: 0, len_kept: false });
    let before = send(1);
    writer_is_there.recv().unwrap();
    let (first, duplicate) = (send(2), send(2));
    drop(open);
    before.wait().unwrap();
    for ticket in [first, duplicate] {
        assert_eq!(kind(ticket.wait()), ErrorKind::Poisoned);
    }
    assert_eq!(files.take_faults(), 1);
}
