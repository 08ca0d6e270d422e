//! A power loss *and* damage: how much may then be lost, and that it is not silent.

use crate::oracle::{Known, items};
use crate::records::random;
use sovang_core::ErrorKind;
use sovang_storage::files::Files;
use sovang_storage::log::{Log, LogOptions, Recovered};
use sovang_storage::sim::{Content, Image, SimFiles};
use std::sync::Arc;

const SLOT_BYTES: usize = 4_096;

/// What became of a damaged log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was refused, at opening without any change or when the damaged record was read.
    Refused,
    /// Nothing acknowledged is missing.
    Whole,
    /// Acknowledged records are missing, within the window.
    Shorter,
}

/// What of a damaged log may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// What lies in the window; and no byte went missing, so that a loss is reported.
    Reported,
    /// What lies in the window.
    InWindow,
    /// Anything: the disk had said that it was there.
    Possible,
}

/// The size that nothing may be lost below: the best valid slot of `HEAD`, or the last segment's start
/// (docs/FORMAT.md §1.2, §2.1).
fn floor(image: &Image) -> u64 {
    let number = |bytes: &[u8], at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let holds = |bytes: &[u8]| crc32c::crc32c(&bytes[..SLOT_BYTES - 4]).to_le_bytes() == bytes[SLOT_BYTES - 4..];
    let head = image.files.get("HEAD").map(Content::to_vec).unwrap_or_default();
    let slots = head.chunks_exact(SLOT_BYTES).filter(|slot| slot.starts_with(b"SOVHEAD1") && holds(slot));
    let segments = image.files.iter().filter(|(path, _)| path.starts_with("log/") && !path.ends_with(".tmp"));
    let headers = segments.map(|(_, segment)| segment.to_vec()).filter(|s| s.len() >= SLOT_BYTES && holds(&s[..SLOT_BYTES]));
    let starts = headers.map(|header| number(&header, 96));
    slots.map(|slot| number(slot, 32)).chain(starts).max().unwrap_or(0)
}

/// Opens a damaged log and judges what became of it.
pub(crate) fn judge(options: LogOptions, image: &Image, known: &Known, loss: Loss) -> Result<Fate, String> {
    let sim = SimFiles::from_image(image);
    let files: Arc<dyn Files> = Arc::new(sim.clone());
    let refused = |e: &sovang_core::Error| {
        let refusal = matches!(e.kind(), ErrorKind::Damaged | ErrorKind::NotALedger | ErrorKind::WrongFormat);
        if refusal { Ok(Fate::Refused) } else { Err(format!("damage is reported as {:?}: {e}", e.kind())) }
    };
    let (log, Recovered { quarantined, .. }) = match Log::open(files, options, &random(5)) {
        Ok(opened) => opened,
        Err(_) if sim.disk().visible() != *image => return Err("a refused log was changed".into()),
        Err(e) => return refused(&e),
    };
    let found = match items(log.segments(), log.head().size) {
        Ok(found) => found,
        // Opening does not read what lies below the durable head; the reader meets the damage.
        Err(e) => return refused(&e),
    };
    if !known.submitted().starts_with(&found) {
        return Err(format!("{found:?} is no beginning of {known:?}"));
    }
    let (kept, acked) = (found.len(), known.acked.len());
    if kept >= acked {
        return Ok(Fate::Whole);
    }
    if loss == Loss::Possible {
        return Ok(Fate::Shorter);
    }
    if options.strict {
        return Err(format!("{kept} of {acked} records are left under strict durability"));
    }
    if u64::try_from(kept).unwrap() < floor(image) {
        return Err(format!("{kept} records are left, fewer than a head or a segment's header says"));
    }
    if loss == Loss::Reported && quarantined.is_none() {
        return Err(format!("{} acknowledged records are lost silently", acked - kept));
    }
    Ok(Fate::Shorter)
}

/// Each file that makes up the log, with one byte flipped or its end cut off, at every `stride`-th byte of what is used.
pub(crate) fn damaged(image: &Image, stride: usize, phase: usize) -> impl Iterator<Item = (Image, Loss, String)> {
    let paths = image.files.keys().filter(|path| path.starts_with("log/") || matches!(path.as_str(), "HEAD" | "ledger"));
    paths.flat_map(move |path| {
        let bytes = image.files[path].to_vec();
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        (phase % stride..used).step_by(stride).flat_map(move |at| {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            let cut = bytes[..at].to_vec();
            [(flipped, Loss::Reported, "flipped"), (cut, Loss::InWindow, "cut")].map(|(bytes, loss, how)| {
                let mut image = image.clone();
                image.files.insert(path.clone(), Content::new(&bytes));
                (image, loss, format!("{path} {how} at byte {at}"))
            })
        })
    })
}
