//! Changes to a sound file, as an input describes them: a few bytes of input reach any byte of a large file.

use arbitrary::{Arbitrary, Unstructured};

/// A change. Places are taken modulo the file's length.
#[derive(Arbitrary, Clone, Debug)]
pub enum Edit {
    /// Flips a bit.
    Flip {
        /// The byte.
        at: u32,
        /// The bit, modulo 8.
        bit: u8,
    },
    /// Overwrites with a number, little endian: the first `width` modulo 9 bytes of it.
    Number {
        /// The first byte.
        at: u32,
        /// How many bytes.
        width: u8,
        /// The number.
        to: u64,
    },
    /// Overwrites with bytes.
    Bytes {
        /// The first byte.
        at: u32,
        /// What is written.
        to: Vec<u8>,
    },
    /// Copies bytes to another place.
    Copy {
        /// The first byte.
        from: u32,
        /// Where it goes.
        to: u32,
        /// How many bytes.
        len: u16,
    },
    /// Cuts the file off.
    Cut {
        /// Its new length.
        at: u32,
    },
    /// Adds bytes at the end.
    Grow {
        /// How often, modulo 257.
        times: u16,
        /// What is added.
        by: Vec<u8>,
    },
}

/// Edits of an input at most.
const EDITS_MAX: usize = 24;

/// Takes edits from an input until it ends.
///
/// # Errors
/// When the input is too short.
pub fn edits(input: &mut Unstructured<'_>) -> arbitrary::Result<Vec<Edit>> {
    let mut edits = Vec::new();
    while !input.is_empty() && edits.len() < EDITS_MAX {
        edits.push(input.arbitrary()?);
    }
    Ok(edits)
}

/// Makes a change.
pub fn apply(file: &mut Vec<u8>, edit: &Edit) {
    let len = file.len();
    let place = |at: u32| at as usize % len.max(1);
    match edit {
        Edit::Cut { at } => file.truncate(place(*at)),
        Edit::Grow { times, by } => {
            for _ in 0..times % 257 {
                file.extend_from_slice(by.get(..by.len().min(256)).unwrap_or_default());
            }
        }
        _ if len == 0 => {}
        Edit::Flip { at, bit } => file[place(*at)] ^= 1 << (bit % 8),
        Edit::Number { at, width, to } => overwrite(file, place(*at), &to.to_le_bytes()[..usize::from(*width) % 9]),
        Edit::Bytes { at, to } => overwrite(file, place(*at), to),
        Edit::Copy { from, to, len } => {
            let from = place(*from);
            let copied = file[from..file.len().min(from + usize::from(*len))].to_vec();
            overwrite(file, place(*to), &copied);
        }
    }
}

fn overwrite(file: &mut [u8], at: usize, with: &[u8]) {
    let room = &mut file[at..];
    let len = room.len().min(with.len());
    room[..len].copy_from_slice(&with[..len]);
}
