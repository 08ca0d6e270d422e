//! Static tiles (C2SP tlog-tiles, docs/FORMAT.md §11.8): where the hashes, entries and records of a log stand when a plain web server
//! serves them, and their bytes. No files here.

use super::{EvidenceError, text};
use crate::ids::{RecordHash, Size};
use crate::limits::RECORD_BYTES_MAX;
use crate::tree::{Hash, Node};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// Hashes of a full tile, entries of a full bundle.
pub const TILE_WIDTH: u16 = 256;
const WIDTH: u64 = 256;
/// A tile's hashes are the roots of subtrees of so many tree levels more each level.
const HEIGHT: u32 = 8;
/// The highest level that a path may name (C2SP tlog-tiles).
const LEVEL_MAX: u8 = 63;
/// The highest level that a tree of fewer than 2^63 leaves has.
const LEVEL_REACHED_MAX: u8 = 7;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Content {
    /// `tile/<L>/…`: hashes of the tree. At level 0 leaf hashes; at level l roots of 256^l leaves each.
    Hashes {
        /// The tile level, 0 to 63.
        level: u8,
    },
    /// `tile/entries/…`: record hashes of 32 bytes, each behind its length as u16, big endian.
    Entries,
    /// `records/…`: frames, each behind its length as u32, big endian. Not of C2SP.
    Records,
}

/// One file of the export. Displays as its path.
///
/// ```
/// use sovang_core::evidence::tiles::{Content, Tile};
/// let tile = Tile { content: Content::Hashes { level: 0 }, index: 1_234_067, width: 8 };
/// assert_eq!(tile.to_string(), "tile/0/x001/x234/067.p/8");
/// assert_eq!("tile/0/x001/x234/067.p/8".parse::<Tile>()?, tile);
/// # Ok::<(), sovang_core::evidence::EvidenceError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// What it holds.
    pub content: Content,
    /// From the left, at its level.
    pub index: u64,
    /// How many hashes, entries or records: 256 when full.
    pub width: u16,
}

impl Tile {
    /// Whether it never changes.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }
    /// The numbers, at its level, of what it holds: positions for entries, records and hashes of level 0.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        let first = self.index * WIDTH;
        first..first + u64::from(self.width)
    }
    /// The tree's nodes whose hashes a tile of hashes holds; of a bundle, the leaves of its entries.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + use<> {
        let level = match self.content {
            Content::Hashes { level } => u32::from(level) * HEIGHT,
            Content::Entries | Content::Records => 0,
        };
        self.range().map(move |index| Node { level, index })
    }
    /// The tile of that content and index in a tree of `size` leaves; none when it would be empty.
    #[must_use]
    pub fn at(content: Content, index: u64, size: Size) -> Option<Self> {
        let level = match content {
            Content::Hashes { level } => level,
            Content::Entries | Content::Records => 0,
        };
        let there = whole(size, level).checked_sub(index.checked_mul(WIDTH)?)?.min(WIDTH);
        let width = u16::try_from(there).unwrap_or(TILE_WIDTH);
        (width > 0).then_some(Self { content, index, width })
    }
    /// Where, in a tree of `size` leaves, the hashes stand whose perfect root (`tree::perfect_root`) is that of `node`. None when the node is not
    /// within the tree.
    #[must_use]
    pub fn of(node: Node, size: Size) -> Option<(Self, Range<usize>)> {
        let level = u8::try_from(node.level / HEIGHT).ok()?;
        let below = node.level % HEIGHT;
        let first = node.index.checked_shl(below).filter(|first| first >> below == node.index)?;
        let tile = Self::at(Content::Hashes { level }, first / WIDTH, size)?;
        let start = usize::try_from(first % WIDTH).ok()?;
        let range = start..start + (1 << below);
        (range.end <= usize::from(tile.width)).then_some((tile, range))
    }
}

/// How many subtrees of 256^level leaves are whole.
fn whole(size: Size, level: u8) -> u64 {
    size.0.checked_shr(u32::from(level) * HEIGHT).unwrap_or(0)
}

/// Every tile, bundle and record file of a log of `new` records that one of `old` records does not have: all of them when `old` is 0. Level by level from
/// the lowest, left to right, the partial one last; then entries, then records.
pub fn since(old: Size, new: Size) -> impl Iterator<Item = Tile> {
    let hashes = (0..=LEVEL_REACHED_MAX).map(|level| Content::Hashes { level });
    hashes.chain([Content::Entries, Content::Records]).flat_map(move |content| {
        let level = if let Content::Hashes { level } = content { level } else { 0 };
        let (had, has) = (whole(old, level), whole(new, level));
        let range = if had == has { 0..0 } else { had / WIDTH..has.div_ceil(WIDTH) };
        range.filter_map(move |index| Tile::at(content, index, new))
    })
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            Content::Hashes { level } => write!(f, "tile/{level}/")?,
            Content::Entries => f.write_str("tile/entries/")?,
            Content::Records => f.write_str("records/")?,
        }
        let digits = self.index.to_string();
        let padded = format!("{digits:0>width$}", width = digits.len().next_multiple_of(3));
        let groups = padded.len() / 3;
        for n in 0..groups {
            let group = &padded[n * 3..n * 3 + 3];
            if n + 1 < groups { write!(f, "x{group}/")? } else { f.write_str(group)? }
        }
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}
impl FromStr for Tile {
    type Err = EvidenceError;
    fn from_str(path: &str) -> Result<Self, EvidenceError> {
        let bad = |why: &'static str| EvidenceError::malformed("the path of a tile", 0, why);
        let (content, rest) = if let Some(rest) = path.strip_prefix("tile/entries/") {
            (Content::Entries, rest)
        } else if let Some(rest) = path.strip_prefix("records/") {
            (Content::Records, rest)
        } else {
            let rest = path.strip_prefix("tile/").and_then(|rest| rest.split_once('/'));
            let (level, rest) = rest.ok_or_else(|| bad("it is none of tile/L/…, tile/entries/… and records/…"))?;
            let level = text::decimal(level).and_then(|level| u8::try_from(level).ok()).filter(|level| *level <= LEVEL_MAX);
            (Content::Hashes { level: level.ok_or_else(|| bad("a level is 0 to 63"))? }, rest)
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => {
                (index, text::decimal(width).and_then(|w| u16::try_from(w).ok()).filter(|w| (1..256).contains(w)))
            }
            None => (rest, Some(TILE_WIDTH)),
        };
        let width = width.ok_or_else(|| bad("a partial width is 1 to 255"))?;
        let digits: String = index.chars().filter(|c| !matches!(c, 'x' | '/')).collect();
        let index: u64 = digits.parse().map_err(|_| bad("the index is no number"))?;
        let tile = Self { content, index, width };
        // One path for each tile: what would be written otherwise is none.
        if index < u64::MAX / WIDTH && tile.to_string() == path {
            Ok(tile)
        } else {
            Err(bad("the index is not in its canonical form"))
        }
    }
}

/// The bytes of a tile of hashes.
#[must_use]
pub fn encode_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.concat()
}
/// The hashes of a tile of that width.
///
/// # Errors
/// When there are fewer or more bytes.
pub fn decode_hashes(bytes: &[u8], width: u16) -> Result<Vec<Hash>, EvidenceError> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if rest.is_empty() && hashes.len() == usize::from(width) {
        return Ok(hashes.to_vec());
    }
    let why = format!("{} bytes, where {width} hashes have {}", bytes.len(), usize::from(width) * 32);
    Err(EvidenceError::malformed("a tile", 0, why))
}

/// The bytes of a bundle of entries: each record hash behind its length, 32, as u16, big endian.
#[must_use]
pub fn encode_entries(entries: &[RecordHash]) -> Vec<u8> {
    entries.iter().flat_map(|entry| [0, 32].into_iter().chain(entry.0)).collect()
}
/// The record hashes of a bundle of that width.
///
/// # Errors
/// When there are fewer, more, or an entry of another length.
pub fn decode_entries(bytes: &[u8], width: u16) -> Result<Vec<RecordHash>, EvidenceError> {
    let bad = |why: String| EvidenceError::malformed("a bundle of entries", 0, why);
    let (entries, rest) = bytes.as_chunks::<34>();
    if !rest.is_empty() || entries.len() != usize::from(width) {
        return Err(bad(format!("{} bytes, where {width} entries have {}", bytes.len(), usize::from(width) * 34)));
    }
    let read = |(n, entry): (usize, &[u8; 34])| match entry {
        [0, 32, hash @ ..] => Ok(RecordHash(*hash)),
        _ => Err(bad(format!("entry {n} does not have 32 bytes"))),
    };
    entries.iter().enumerate().map(read).collect()
}

/// The bytes of a file of records: each frame behind its length as u32, big endian.
///
/// # Errors
/// When a frame is larger than any can be.
pub fn encode_records<'a>(frames: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, EvidenceError> {
    let mut bytes = Vec::new();
    for frame in frames {
        let length = u32::try_from(frame.len()).ok().filter(|_| frame.len() <= RECORD_BYTES_MAX);
        let (limit, max) = ("RECORD_BYTES_MAX", RECORD_BYTES_MAX);
        let length = length.ok_or(EvidenceError::TooLarge { what: "a record", limit, max })?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(frame);
    }
    Ok(bytes)
}
/// The frames of a file of records of that width, each still to be parsed.
///
/// # Errors
/// When there are fewer or more, or a length is larger than any can be.
pub fn decode_records(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, EvidenceError> {
    let bad = |why: String| EvidenceError::malformed("a file of records", 0, why);
    let mut rest = bytes;
    let mut frames = Vec::new();
    for n in 0..width {
        let short = || bad(format!("it ends within record {n} of {width}"));
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > RECORD_BYTES_MAX {
            return Err(bad(format!("record {n} would have {length} bytes, more than RECORD_BYTES_MAX = {RECORD_BYTES_MAX}")));
        }
        let (frame, after) = after.split_at_checked(length).ok_or_else(short)?;
        frames.push(frame);
        rest = after;
    }
    if rest.is_empty() { Ok(frames) } else { Err(bad(format!("{} bytes after the last record", rest.len()))) }
}
