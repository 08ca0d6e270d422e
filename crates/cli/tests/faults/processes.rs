//! One process writes while several read: each sees a sound ledger that only grows, and all of them the same one.

use crate::book::{Head, run};
use crate::office::Office;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// Rounds of each reader at least.
const ROUNDS: u32 = 4;

/// What one reader saw: the root at each size, sizes never falling.
fn look_on(office: &crate::office::Copy, reader: usize, done: &AtomicBool) -> BTreeMap<u64, String> {
    let mut seen = BTreeMap::new();
    let mut last = 0;
    let mut round = 0;
    loop {
        let is_last = done.load(Ordering::Acquire);
        let said = match reader {
            0 => office.run("head", &["--json"]),
            1 => office.run("verify", &["--json"]),
            _ => office.run("tally", &["registered", "--by", "", "--format", "json"]),
        };
        assert_eq!(said.code, Some(0), "reader {reader} in round {round}: {said:?}");
        let json = said.json();
        assert!(json["ok"] != false, "{json}");
        let head = Head { size: json["size"].as_u64().unwrap(), root: json["root"].as_str().unwrap().to_owned() };
        assert!(head.size >= last, "reader {reader}: {} after {last}", head.size);
        last = head.size;
        assert_eq!(seen.entry(head.size).or_insert_with(|| head.root.clone()), &head.root);
        let log = office.run("log", &["--json", "--from", &last.saturating_sub(3).to_string()]).lines();
        assert!(log.len() as u64 >= last.min(3), "a shown record stays");
        round += 1;
        if is_last && round >= ROUNDS {
            return seen;
        }
    }
}

#[test]
fn readers_in_other_processes_see_one_growing_ledger() {
    let office = Office::new(40, 0);
    let copy = office.copy();
    let done = AtomicBool::new(false);
    let seen: Vec<BTreeMap<u64, String>> = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|reader| {
                scope.spawn({
                    let (copy, done) = (&copy, &done);
                    move || look_on(copy, reader, done)
                })
            })
            .collect();
        // A second writer is refused or waits its turn; it never harms the first.
        let other = scope.spawn(|| (0..4).map(|_| copy.import(&office, &[]).code).collect::<Vec<_>>());
        for _ in 0..4 {
            let said = copy.import(&office, &[]);
            assert!(matches!(said.code, Some(0 | 4)), "{said:?}");
        }
        let codes = other.join().unwrap();
        assert!(codes.iter().all(|code| matches!(code, Some(0 | 4))), "{codes:?}");
        done.store(true, Ordering::Release);
        readers.into_iter().map(|reader| reader.join().unwrap()).collect()
    });
    let mut roots: BTreeMap<u64, String> = BTreeMap::new();
    for (size, root) in seen.into_iter().flatten() {
        assert_eq!(*roots.entry(size).or_insert_with(|| root.clone()), root, "one root for one size, whoever looks");
    }
    office.judge(&copy, "after readers and writers at once");
    let (size, root) = roots.pop_last().unwrap();
    let then =
        run(["tally", copy.ledger.to_str().unwrap(), "registered", "--by", "", "--as-of", &size.to_string(), "--format", "json"]);
    assert_eq!(then.json()["root"], root);
}
