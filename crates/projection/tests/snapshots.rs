//! A snapshot is used exactly where it fits, and refused after any change.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test program")]

mod common;

use common::*;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use sovang_core::{ErrorKind, Event, Head, LedgerId, Recorded, Root, Size};
use sovang_projection::testing::DAY;
use sovang_projection::{Projection, Snapshot, Stored};

const LEDGER: LedgerId = LedgerId([0x11; 16]);
const HEAD: Head = Head { size: Size(3), root: Root([0x22; 32]) };

fn state() -> ByDay {
    fold_all(&memory(vec![opened("ann").on(DAY), paid("ann", 5).on(DAY), paid("bob", -7).on(DAY)]), ByDay::default(), Size(3))
}

macro_rules! like_by_day {
    ($name:ident, $stored:literal, $revision:literal) => {
        #[derive(Serialize, Deserialize, Debug)]
        struct $name(Vec<u8>);
        impl Projection<Move> for $name {
            fn apply(&mut self, _: &Recorded<Move>) {}
        }
        impl Stored<Move> for $name {
            const NAME: &'static str = $stored;
            const REVISION: u32 = $revision;
        }
    };
}
like_by_day!(OtherRevision, "by_day", 4);
like_by_day!(OtherName, "by_month", 3);
like_by_day!(OtherLayout, "by_day", 3);
like_by_day!(BadName, "By day", 1);

#[test]
fn golden_bytes() {
    let bytes = Snapshot::of(&state(), LEDGER, HEAD).unwrap().to_bytes();
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(
        hex,
        concat!(
            "534f56534e415031",
            "01000000",
            "03000000",
            "11111111111111111111111111111111",
            "0300000000000000",
            "2222222222222222222222222222222222222222222222222222222222222222",
            "4600000000000000",
            "e1b6b490148be2cfaefb4755e981b9f25a9989bc0ba89649abdeb01b58651ee1",
            "0600",
            "000000000000",
            "62795f646179",
            "69d9d306f8520cd62ddf2aea346d7710b9bf637ee8908d3a662b55fb2d056566",
            "0200000000000000",
            "cd2a0000",
            "0300000000000000",
            "616e6e",
            "05000000000000000000000000000000",
            "cd2a0000",
            "0300000000000000",
            "626f62",
            "f9ffffffffffffffffffffffffffffff",
        )
    );
}

#[test]
fn round_trip_and_where_it_fits() {
    let snapshot = Snapshot::of(&state(), LEDGER, HEAD).unwrap();
    let read = Snapshot::parse(&snapshot.to_bytes()).unwrap();
    assert_eq!(read, snapshot);
    assert_eq!((read.name(), read.revision(), read.ledger_id(), read.head()), ("by_day", 3, LEDGER, HEAD));
    assert_eq!(read.state::<Move, ByDay>(LEDGER).unwrap(), Some(state()));
    assert_eq!(read.state::<Move, ByDay>(LedgerId([0; 16])).unwrap(), None);
    assert!(read.state::<Move, OtherRevision>(LEDGER).unwrap().is_none());
    assert!(read.state::<Move, OtherName>(LEDGER).unwrap().is_none());
    let error = read.state::<Move, OtherLayout>(LEDGER).unwrap_err();
    assert!(error.hint().unwrap().contains("REVISION of by_day"), "{error}");
}

#[test]
fn a_name_that_cannot_name_a_file_is_refused() {
    assert_eq!(Snapshot::of(&BadName(vec![]), LEDGER, HEAD).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn every_flipped_bit_and_every_cut_is_refused() {
    let bytes = Snapshot::of(&state(), LEDGER, HEAD).unwrap().to_bytes();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(Snapshot::parse(&changed).is_err(), "bit {bit}");
    }
    for len in 0..bytes.len() {
        assert!(Snapshot::parse(&bytes[..len]).is_err(), "{len} bytes");
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(Snapshot::parse(&longer).is_err());
}

proptest! {
    #[test]
    fn noise_never_panics(noise in proptest::collection::vec(any::<u8>(), 0..400), start in any::<bool>()) {
        let mut bytes = if start { b"SOVSNAP1\x01\0\0\0".to_vec() } else { Vec::new() };
        bytes.extend(noise);
        prop_assert!(Snapshot::parse(&bytes).is_err());
    }
}
