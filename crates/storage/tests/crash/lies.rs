//! A disk that lies: it says that it did what it did not, or did something else, or shows what is not there. Then records can be
//! lost, which nobody can prevent; but nothing is shown that was not written, and what contradicts itself is refused.

use crate::oracle::Known;
use crate::records::{Item, random};
use crate::window::{Fate, Loss, judge};
use crate::work::{Base, base};
use sovang_core::{ErrorKind, Result};
use sovang_storage::files::Files;
use sovang_storage::log::{Log, LogOptions};
use sovang_storage::sim::{Fault, SimFiles};
use std::sync::Arc;

/// One lie, told at the n-th call of its sort.
pub(crate) fn lies(nth: u64) -> Vec<Fault> {
    let misdirected = [-8, -1, 1, 3].map(|sectors| Fault::MisdirectedWrite { nth, sectors });
    let flipped = [0, 77, 1_000, 40_000].map(|bit| Fault::FlippedRead { nth, bit });
    let short = [0, 100, 5_000].map(|bytes| Fault::ShortRead { nth, bytes });
    let others = [Fault::LyingSync { nth }, Fault::LostWrite { nth }, Fault::StaleRead { nth }];
    [&misdirected[..], &flipped, &short, &others].concat()
}

/// Appends, rests, appends, closes, opens and appends while the disk lies once; stops where something is refused.
fn work(files: &SimFiles, options: LogOptions, known: &mut Known) -> Result<()> {
    let seen: Arc<dyn Files> = Arc::new(files.clone());
    let mut number = 100;
    let mut append = |log: &mut Log, known: &mut Known, payload_bytes| -> Result<()> {
        number += 1;
        known.pending = vec![Item { number, payload_bytes }];
        log.append(&[known.pending[0].prepare()])?;
        known.acked.append(&mut known.pending);
        Ok(())
    };
    let (mut log, _) = Log::open(Arc::clone(&seen), options, &random(1))?;
    append(&mut log, known, 100)?;
    append(&mut log, known, 1_400)?;
    log.idle()?;
    append(&mut log, known, 300)?;
    log.close()?;
    let (mut log, _) = Log::open(seen, options, &random(2))?;
    append(&mut log, known, 100)?;
    append(&mut log, known, 100)
}

/// How many of the ledgers on a disk that lied are refused, whole and shorter, with and without a power loss after it; none when the
/// lie was not told.
pub(crate) fn look(options: LogOptions, from: Base, fault: Fault, crashes: u64) -> std::result::Result<Option<[u64; 3]>, String> {
    let (image, mut known) = base(options, from).unwrap();
    let files = SimFiles::from_image(&image);
    files.inject(fault);
    let worked = work(&files, options, &mut known);
    if files.take_faults() == 0 {
        return Ok(None);
    }
    let mut fates = [0; 3];
    // The refusal of a reading that lied: the disk itself may be sound.
    if let Err(e) = worked
        && !matches!(e.kind(), ErrorKind::Damaged | ErrorKind::NotALedger | ErrorKind::WrongFormat | ErrorKind::Poisoned)
    {
        return Err(format!("a lie is reported as {:?}: {e}", e.kind()));
    }
    let disk = files.disk();
    let left = std::iter::once(disk.visible()).chain(disk.crashes(crashes, 1).map(|crash| crash.image));
    for image in left {
        let fate = judge(options, &image, &known, Loss::Possible)?;
        fates[match fate {
            Fate::Refused => 0,
            Fate::Whole => 1,
            Fate::Shorter => 2,
        }] += 1;
    }
    Ok(Some(fates))
}
