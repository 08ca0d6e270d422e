//! A call fails, the vault is opened again by the same system and used on, and then power is lost: what an opening found in the
//! page cache only, because a failed sync had lost it, must not be relied on.

use super::*;
use crate::sim::Disk;

/// What is done with the vault. Rows are (record, subject).
#[derive(Clone, Copy, Debug)]
enum Work {
    /// Rows whose records the log takes.
    Put(&'static [(u64, u64)]),
    /// Rows whose records the log refuses: they are taken back.
    Refused(&'static [(u64, u64)]),
    /// Rows whose records the log never gets: the process dies. Another opens the vault.
    Orphaned(&'static [(u64, u64)]),
    /// A subject is erased: the log names the handle first.
    Erase(u64),
    Mark,
    /// Closes and opens.
    Close,
}
use Work::{Close, Erase, Mark, Orphaned, Put, Refused};

const HISTORIES: [&[Work]; 3] = [
    &[
        Put(&[(0, 0), (4, 1)]),
        Mark,
        Orphaned(&[(2, 2), (3, 0), (9, 1)]),
        Put(&[(3, 0), (5, 2)]),
        Refused(&[(6, 1), (14, 3)]),
        Put(&[(7, 1)]),
        Erase(0),
        Put(&[(8, 4)]),
        Close,
        Erase(1),
        Put(&[(10, 5)]),
    ],
    // Of new subjects only, the first of them erased before any record names them.
    &[Orphaned(&[(1, 1)]), Erase(1), Orphaned(&[(4, 2), (3, 3)]), Mark, Put(&[(4, 2), (5, 5)]), Close, Erase(2), Mark],
    &[Put(&[(4, 0), (1, 1)]), Erase(0), Refused(&[(9, 1), (2, 2)]), Erase(1), Put(&[(2, 2)]), Mark, Erase(2), Close],
];

/// One in five goes over several sectors.
fn value_of(n: u64, who: u64) -> PersonalRow {
    let short = row(n, who, 0);
    if n % 5 != 4 {
        return short;
    }
    let PersonalValue { subject, salt, .. } = short.value.unwrap();
    let value = vec![b'x'; 1500];
    let commitment = hash::commitment(&salt, 1, &value);
    PersonalRow { field: 1, commitment, value: Some(PersonalValue { subject, salt, value }) }
}

/// An id that no other number of the files looks like.
fn record(n: u64) -> RecordId {
    id(0x5241_0000_0000_0000 + n)
}

/// What the log has, and what is known of subjects that it names as erased.
#[derive(Clone, Default)]
struct Known {
    records: BTreeMap<u64, u64>,
    erased: BTreeMap<u64, Erased>,
}
#[derive(Clone)]
struct Erased {
    handle: [u8; 16],
    key: [u8; 32],
    ciphertexts: Vec<Vec<u8>>,
}
impl Known {
    fn exists(&self, of: RecordId, commitment: &sovang_core::ids::Commitment) -> bool {
        self.records.iter().any(|(n, who)| record(*n) == of && value_of(*n, *who).commitment == *commitment)
    }
    fn open(&self, files: &SimFiles) -> Result<Vault> {
        let vault = Vault::open(files, LEDGER, true)?.unwrap();
        vault.recover(&|of, commitment| Ok(self.exists(of, commitment)))?;
        vault.complete(&mut self.erased.values().map(|erased| erased.handle))?;
        Ok(vault)
    }

    /// Does one thing; what it did not come to after a failure is done by the next call.
    fn work(&mut self, files: &SimFiles, open: &mut Option<Vault>, random: &Randomness, work: Work) -> Result<()> {
        let put = |vault: &Vault, rows: &[(u64, u64)]| -> Result<std::ops::Range<u64>> {
            let made: Vec<_> = rows.iter().map(|(n, who)| (record(*n), value_of(*n, *who))).collect();
            vault.put(&made.iter().map(|(id, row)| (*id, row)).collect::<Vec<_>>(), &|b| random.fill(b))
        };
        if open.is_none() {
            *open = Some(self.open(files)?);
        }
        let vault = open.as_ref().unwrap();
        match work {
            Put(rows) => {
                put(vault, rows)?;
                self.records.extend(rows.iter().copied());
            }
            Refused(rows) => vault.withdraw(put(vault, rows)?)?,
            Orphaned(rows) => {
                put(vault, rows)?;
                *open = None;
                *open = Some(self.open(files)?);
            }
            Erase(who) => {
                let Some(handle) = vault.handle(&subject(who))? else { return Ok(()) };
                if !self.erased.contains_key(&who) {
                    let key = *vault.keys.find(&subject(who))?.unwrap().1.key;
                    vault.rows.extend()?;
                    let records = self.records.iter().filter(|(_, of)| **of == who);
                    let places = records.flat_map(|(n, who)| vault.rows.candidates(&value_of(*n, *who).commitment));
                    let ciphertexts = places.filter_map(|at| vault.rows.read(at).unwrap().1).map(|b| b[..32].to_vec()).collect();
                    self.erased.insert(who, Erased { handle, key, ciphertexts });
                }
                vault.erase(&handle)?;
            }
            Mark => vault.mark()?,
            Close => {
                vault.close()?;
                *open = None;
                *open = Some(self.open(files)?);
            }
        }
        Ok(())
    }

    /// What must hold of a vault at rest: nothing damaged, every value there or destroyed, and of an erased subject nothing left.
    fn hold(&self, vault: &Vault, image: &Image) -> Result<(), String> {
        let findings: Vec<String> = vault.check().unwrap().iter().map(ToString::to_string).collect();
        ensure(findings.is_empty(), || format!("{findings:?}"))?;
        for (n, who) in &self.records {
            let value = vault.value(&value_of(*n, *who).commitment).map_err(|e| format!("record {n}: {e}"))?;
            let is_right = match value {
                Opened::Erased => self.erased.contains_key(who),
                Opened::Known { .. } => !self.erased.contains_key(who),
                Opened::Sealed => false,
            };
            ensure(is_right, || format!("the value of record {n} is of another kind"))?;
        }
        let bytes: Vec<u8> = image.files.iter().filter(|(p, _)| p.starts_with("vault/")).flat_map(|(_, c)| c.to_vec()).collect();
        for (who, erased) in &self.erased {
            ensure(!holds(&bytes, &erased.key), || format!("the key of {who} is there"))?;
            ensure(!erased.ciphertexts.iter().any(|c| holds(&bytes, c)), || format!("a ciphertext of {who} is there"))?;
            for (n, _) in self.records.iter().filter(|(_, of)| *of == who) {
                ensure(!holds(&bytes, &record(*n).to_bytes()), || format!("the id of record {n} of {who} is there"))?;
            }
        }
        Ok(())
    }

    /// Judges what a power loss leaves of a vault that is open and at rest.
    fn power_loss(&self, disk: &Disk, seed: u64) -> Result<(), String> {
        let crashes = (0..2).map(|n| disk.crash_by(seed * 2 + n, false).image);
        for (n, image) in std::iter::once(disk.durable()).chain(crashes).enumerate() {
            self.restart(&image).map_err(|what| format!("{what}, after power loss {n}"))?;
        }
        Ok(())
    }
    fn restart(&self, image: &Image) -> Result<(), String> {
        let files = SimFiles::from_image(image);
        self.hold(&read(&files), image)?;
        let vault = self.open(&files).map_err(|e| e.to_string())?;
        self.hold(&vault, &files.disk().visible()).map_err(|what| format!("{what} once it was opened"))?;
        for who in self.erased.keys() {
            ensure(vault.is_erased(&subject(*who)).unwrap(), || format!("the erased subject {who} is taken again"))?;
        }
        let (mut more, mut open, random) = (self.clone(), Some(vault), Randomness::new(7_000));
        for work in [Put(&[(1_001, 1_001), (1_004, 1_001)]), Close] {
            more.work(&files, &mut open, &random, work).map_err(|e| e.to_string())?;
        }
        let image = files.disk().durable();
        more.hold(&read(&SimFiles::from_image(&image)), &image).map_err(|what| format!("{what} once it was used and closed"))
    }
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

/// Lets the `at`-th thing of a history meet a failure, opens again, goes on to the end, and judges a power loss at each rest. Gives
/// whether the failure was met.
fn meet(history: &[Work], at: usize, fault: Fault, evicted: bool) -> Result<bool, String> {
    let (files, random) = (SimFiles::new(), Randomness::new(20));
    new_ledger(&files, &random);
    let (mut known, mut open) = (Known::default(), None);
    for work in &history[..at] {
        known.work(&files, &mut open, &random, *work).unwrap();
    }
    files.inject(fault);
    let done = known.work(&files, &mut open, &random, history[at]);
    if files.take_faults() == 0 {
        return done.map(|()| false).map_err(|e| e.to_string());
    }
    drop(open.take());
    if evicted {
        files.evict(u64::MAX);
    }
    open = Some(known.open(&files).map_err(|e| format!("opened again: {e}"))?);
    known.power_loss(&files.disk(), 1).map_err(|what| format!("{what}; opened again"))?;
    // Sent again one by one, in another order than before.
    let again: Vec<Work> = match history[at] {
        Put(rows) | Refused(rows) | Orphaned(rows) => {
            let missing = (0..rows.len()).rev().filter(|n| !known.records.contains_key(&rows[*n].0));
            missing.map(|n| Put(&rows[n..=n])).collect()
        }
        other => vec![other],
    };
    for work in again.iter().chain(&history[at + 1..]) {
        known.work(&files, &mut open, &random, *work).map_err(|e| format!("{e} at {work:?}"))?;
        known.power_loss(&files.disk(), 2).map_err(|what| format!("{what}; opened again, and on to {work:?}"))?;
    }
    Ok(true)
}

#[test]
fn what_a_failed_call_lost_is_written_again_before_it_is_relied_on() {
    type Failures = fn(u64) -> Vec<Fault>;
    let failures: [Failures; 2] = [
        |nth| [0, u64::MAX, 0b0101].map(|kept| Fault::Sync { nth, kept, len_kept: kept & 1 == 1 }).to_vec(),
        |nth| [0, 1].map(|sectors| Fault::Write { nth, sectors }).to_vec(),
    ];
    let (mut met, mut wrong) = (0, Vec::new());
    for (history, at) in HISTORIES.iter().flat_map(|history| (0..history.len()).map(move |at| (history, at))) {
        for failures in failures {
            for nth in 1.. {
                let mut any = false;
                for (fault, evicted) in failures(nth).into_iter().flat_map(|fault| [(fault, false), (fault, true)]) {
                    let found = meet(history, at, fault, evicted);
                    any |= found != Ok(false);
                    met += u64::from(found != Ok(false));
                    let when = || format!("{fault:?} in {:?} after {:?}, evicted: {evicted}", history[at], &history[..at]);
                    wrong.extend(found.err().map(|what| format!("{what} :: {}", when())));
                }
                if !any {
                    break;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {met}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(met > 300, "{met}");
}
