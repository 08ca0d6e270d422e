//! Records to append and the ids to know them by again, and the randomness a log asks for.

use sovang_core::record::Prepared;
use sovang_core::tree::{Frontier, leaf_hash};
use sovang_core::{LedgerId, Position, RecordId, Result, Root};
use sovang_storage::log::Identity;
use std::cell::Cell;

/// A record is known by its number; its size goes with it, so that the same number is always the same record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Item {
    pub number: u64,
    pub payload_bytes: usize,
}

impl Item {
    /// Bytes of a record that are not its payload's.
    pub(crate) const OVERHEAD_BYTES: usize = 40 + 3 + 18;
    /// One whose batch fits into a sector.
    #[allow(dead_code, reason = "not all tests that share this need it")]
    pub(crate) fn small(number: u64) -> Self {
        Self { number, payload_bytes: 60 }
    }
    pub(crate) fn id(self) -> RecordId {
        let mut id = [0; 16];
        id[8..].copy_from_slice(&self.number.to_be_bytes());
        RecordId::from_bytes(id)
    }
    pub(crate) fn prepare(self) -> Prepared {
        // Metadata of nothing but an actor, as docs/FORMAT.md §3 and §5 have it.
        let mut metadata = vec![0, 0, 0];
        metadata.extend(5u64.to_le_bytes());
        metadata.extend(b"clerk");
        metadata.extend([0, 0]);
        let mut body = u16::try_from(metadata.len()).unwrap().to_le_bytes().to_vec();
        body.push(0);
        body.extend(metadata);
        let noise = self.number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes();
        body.extend(noise.iter().cycle().take(self.payload_bytes));
        assert_eq!(body.len() - self.payload_bytes + 40, Self::OVERHEAD_BYTES);
        let mut frame = u32::try_from(body.len()).unwrap().to_le_bytes().to_vec();
        frame.extend(7u16.to_le_bytes());
        frame.extend(1u16.to_le_bytes());
        frame.extend(0u32.to_le_bytes());
        frame.extend(20_000i32.to_le_bytes());
        frame.extend(0i64.to_le_bytes());
        frame.extend(self.id().to_bytes());
        frame.extend(body);
        let mut record = Prepared::from_kept(frame, None, false, Vec::new()).unwrap();
        record.stamp(1_700_000_000_000_000 + i64::try_from(self.number).unwrap(), 20_000);
        record
    }
}

/// The root that these records must have, by the core's tree alone.
#[allow(dead_code, reason = "not all tests that share this need it")]
pub(crate) fn root_of(items: &[Item]) -> Root {
    let mut frontier = Frontier::new();
    for (position, item) in (0..).zip(items) {
        frontier.push(leaf_hash(&item.prepare().hash(Position(position))));
    }
    frontier.root()
}

pub(crate) fn identity() -> Identity {
    Identity { ledger_id: LedgerId([7; 16]), origin: "example.org/crash".into(), schema: "example.org/crash".into() }
}

/// Reproducible bytes that do not repeat.
pub(crate) fn random(seed: u64) -> impl Fn(&mut [u8]) -> Result<()> {
    let state = Cell::new(seed | 1);
    move |bytes: &mut [u8]| {
        for byte in bytes {
            let mut x = state.get();
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            state.set(x);
            *byte = x.to_le_bytes()[3];
        }
        Ok(())
    }
}
