//! Kill -9 at each system call, and at moments drawn at random: what was acknowledged is there, and the same command completes.

use crate::book::program;
use crate::office::Office;
use crate::trace;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Calls at which something is half done; a kill elsewhere is the same as at the next of these.
const CALLS: &[&str] =
    &["pwrite64", "fdatasync", "fsync", "fallocate", "ftruncate", "rename", "mkdir", "unlink", "openat", "pread64", "flock"];

/// A sequence of numbers that looks random and is the same each time.
struct Sequence(u64);
impl Sequence {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}

/// Kills an import at a call, `times` at most on the same ledger, each time at another one; then judges.
fn kill_at(office: &Office, call: &str, nth: u32, random: &mut Sequence, times: u64) -> u32 {
    let copy = office.copy();
    let mut kills = 0;
    let (mut call, mut nth) = (call.to_owned(), nth);
    let mut context = String::new();
    for _ in 0..times {
        context += &format!("{call} number {nth} kills; ");
        let said = trace::inject(&copy.ledger, &copy.import_args(office), &call, "signal=KILL", nth);
        // A thread that makes fewer calls is not killed, and then nothing is.
        assert!(said.code.is_none() || said.code == Some(137) || said.code == Some(0), "{context}: {said:?}");
        kills += u32::from(said.code != Some(0));
        call = ["pwrite64", "fdatasync"][usize::try_from(random.below(2)).unwrap()].to_owned();
        nth = u32::try_from(1 + random.below(9)).unwrap();
    }
    office.judge(&copy, &context);
    kills
}

/// So many kills, at every call of an import in turn.
fn kill_at_calls(office: &Office, wanted: u32, seed: u64) -> u32 {
    let mut random = Sequence(seed);
    let counted = office.copy();
    let calls = trace::calls(&counted.ledger, &counted.import_args(office));
    let mut kills = 0;
    let mut round = 0;
    while kills < wanted {
        let before = kills;
        for (call, count) in calls.iter().filter(|(call, _)| CALLS.contains(&call.as_str())) {
            for nth in 1..=*count {
                if kills < wanted {
                    kills += kill_at(office, call, nth, &mut random, 1 + round % 3);
                }
            }
        }
        assert!(kills > before, "no call kills: {calls:?}");
        round += 1;
    }
    kills
}

/// So many kills at moments drawn at random, without strace; fewer where nearly none comes in time.
fn kill_at_moments(office: &Office, wanted: u32, seed: u64) -> u32 {
    let mut random = Sequence(seed);
    let counted = office.copy();
    let started = Instant::now();
    assert_eq!(counted.import(office, &[]).code, Some(0));
    let mut takes = u64::try_from(started.elapsed().as_micros()).unwrap();
    let (mut kills, mut rounds) = (0, 0);
    // On a machine that is fast at times many are not killed in time; that must not go on for ever.
    while kills < wanted && rounds < 20 * wanted {
        let copy = office.copy();
        for _ in 0..=random.below(3) {
            rounds += 1;
            let mut child = program().args(copy.import_args(office)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_micros(random.below(takes)));
            child.kill().unwrap();
            let status = child.wait().unwrap();
            match status.signal() {
                Some(_) => kills += 1,
                // It was done before: the next moments are drawn from a shorter time.
                None => {
                    assert!(status.success(), "{status} without a kill, seed {seed}, round {rounds}");
                    takes -= takes / 16;
                }
            }
        }
        office.judge(&copy, &format!("killed at a moment, seed {seed}, round {rounds}"));
    }
    kills
}

#[test]
fn three_hundred_kills_lose_nothing_acknowledged() {
    let office = Office::new(6, 8);
    let moments = kill_at_moments(&office, 100, 20_141_014);
    let calls = if trace::is_there() { kill_at_calls(&office, 200, 7) } else { kill_at_moments(&office, 200, 7) };
    eprintln!("{moments} kills at random moments, {calls} at system calls");
    assert!(moments >= 100 && calls >= 200, "{moments} and {calls}");
}

#[test]
#[ignore = "an hour: cargo test -p sovang-cli --test faults -- --ignored --nocapture five_thousand"]
fn five_thousand_kills_lose_nothing_acknowledged() {
    let mut kills = 0;
    for seed in 1..=10 {
        let office = Office::new(u32::try_from(seed).unwrap() * 8, 8);
        let (moments, calls) = (kill_at_moments(&office, 250, seed), kill_at_calls(&office, 250, seed));
        assert!(moments >= 250 && calls >= 250, "{moments} and {calls}, seed {seed}");
        kills += moments + calls;
        eprintln!("{kills} kills");
    }
}
