//! A projection's saved state.

use crate::{INPUT_BYTES_MAX, image, seal};
use sovang_core::{Event, codec, hash};
use sovang_projection::{Snapshot, Stored};
use sovang_recognition::{Recognition, tally};

/// The first byte of an input: the digests and lengths are made to fit.
pub const SUMS: u8 = 1;

/// What parses gives the same bytes, and so does a state that decodes; a state of another name, revision or ledger is none.
///
/// # Panics
/// When that does not hold.
pub fn run(bytes: &[u8]) {
    let Some((mode, rest)) = bytes.split_first().filter(|_| bytes.len() <= INPUT_BYTES_MAX) else { return };
    let mut file = rest.to_vec();
    if mode & SUMS != 0 {
        digests(&mut file);
    }
    let snapshot = match Snapshot::parse(&file) {
        Ok(snapshot) => snapshot,
        Err(error) => {
            assert!(error.hint().is_some(), "it says what to do: {error}");
            return;
        }
    };
    assert_eq!(snapshot.to_bytes(), file, "there is one encoding");
    state::<Recognition, tally::Registered>(&snapshot);
    state::<Recognition, tally::Recognised>(&snapshot);
    state::<Recognition, tally::Contributions>(&snapshot);
    state::<Recognition, tally::Commendations>(&snapshot);
    state::<Recognition, tally::Plaques>(&snapshot);
    state::<Recognition, tally::Cumulative>(&snapshot);
}

fn state<E: Event, P: Stored<E>>(snapshot: &Snapshot) {
    let here = snapshot.ledger_id() == image::LEDGER;
    let state = snapshot.state::<E, P>(image::LEDGER);
    if snapshot.name() != P::NAME || snapshot.revision() != P::REVISION || !here {
        assert!(matches!(state, Ok(None)));
        return;
    }
    if let Ok(state) = state {
        let state = state.expect("it is of this projection and ledger");
        let again = codec::encode_state(&state).expect("a state that was decoded");
        assert_eq!(again, snapshot.state_bytes(), "there is one encoding");
        let kept = Snapshot::of::<E, P>(&state, snapshot.ledger_id(), snapshot.head()).expect("a state that was decoded");
        assert_eq!(kept.to_bytes(), snapshot.to_bytes());
    }
}

/// Lengths and digests as a writer would put them, where the name's length leaves room.
fn digests(file: &mut [u8]) {
    if file.len() < 120 {
        return;
    }
    let name = crate::at(seal::number(file, 112, 2));
    let state_at = 120 + name + 32;
    if file.len() < state_at {
        return;
    }
    seal::put(file, 72, 8, (file.len() - state_at) as u64);
    let digest = hash::state_digest(&file[state_at..]);
    file[80..112].copy_from_slice(&digest);
    let digest = hash::snapshot_digest(&file[..120 + name]);
    file[120 + name..state_at].copy_from_slice(&digest);
}
