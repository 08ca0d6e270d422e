//! The last page of a run: what it covers and where its sections are (docs/FORMAT.md §6.1).

use super::page::{BODY, u32_at, u64_at};
use super::tree::kept;
use crate::log::Cursor;
use sovang_core::tree::Frontier;
use sovang_core::{LedgerId, RecordId, Root};

const MAGIC: &[u8; 8] = b"SOVINDX1";
const VERSION: u32 = 1;

/// The sections of a run, in the order of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Section {
    /// Filter over the ids' fingerprints.
    IdFilter,
    /// (fingerprint u64, position u32), ascending.
    Ids,
    /// The first fingerprint of each page of ids, when the footer does not hold them.
    IdFences,
    /// (fingerprint u64, count u32, start u32), ascending.
    Keys,
    /// As for ids.
    KeyFences,
    /// Filter over the keys' fingerprints.
    KeyFilter,
    /// Positions u32, key after key, ascending within a key.
    Postings,
    /// The offset u32 of each record's frame.
    Offsets,
    /// The first position u32 of each batch.
    Batches,
    /// The first position u64 of each page of batches, when the footer does not hold them.
    BatchFences,
    /// Tree nodes, level after level.
    Nodes,
    /// What does not fit in the last page.
    Overflow,
}
pub(super) const SECTIONS: usize = 12;

impl Section {
    const ALL: [Self; SECTIONS] = [
        Self::IdFilter,
        Self::Ids,
        Self::IdFences,
        Self::Keys,
        Self::KeyFences,
        Self::KeyFilter,
        Self::Postings,
        Self::Offsets,
        Self::Batches,
        Self::BatchFences,
        Self::Nodes,
        Self::Overflow,
    ];
    /// Bytes of an entry.
    pub(super) const fn width(self) -> usize {
        match self {
            Self::IdFilter | Self::KeyFilter => BODY,
            Self::Ids => 12,
            Self::Keys => 16,
            Self::IdFences | Self::KeyFences | Self::BatchFences => 8,
            Self::Postings | Self::Offsets | Self::Batches => 4,
            Self::Nodes => 32,
            Self::Overflow => 1,
        }
    }
    /// Entries of a page.
    pub(super) const fn per_page(self) -> usize {
        BODY / self.width()
    }
}

/// How many first fingerprints or positions the footer holds itself; with more pages, those of fence pages.
pub(super) const TOPS_MAX: u64 = 512;

/// The sections with fences, and the sections that hold these.
pub(super) const FENCED: [(Section, Section); 3] =
    [(Section::Ids, Section::IdFences), (Section::Keys, Section::KeyFences), (Section::Batches, Section::BatchFences)];

/// Where a section is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// Its first page.
    pub(super) page: u32,
    /// Its pages.
    pub(super) pages: u32,
    /// Its entries.
    pub(super) entries: u32,
}

/// The ids of a run, as far as it takes to know that one is not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fence {
    /// The least and the greatest milliseconds of version 7 ids; none when the first is the greater.
    pub(super) millis: (u64, u64),
    /// Whether there are other ids.
    pub(super) others: bool,
}
impl Fence {
    pub(super) const NONE: Self = Self { millis: (u64::MAX, 0), others: false };

    pub(super) fn include(&mut self, id: RecordId) {
        match id.millis() {
            Some(millis) => {
                self.millis = (self.millis.0.min(millis), self.millis.1.max(millis));
            }
            None => self.others = true,
        }
    }
    pub(super) fn join(self, other: Self) -> Self {
        Self {
            millis: (self.millis.0.min(other.millis.0), self.millis.1.max(other.millis.1)),
            others: self.others || other.others,
        }
    }
    pub(super) fn may_hold(self, id: RecordId) -> bool {
        id.millis().map_or(self.others, |m| self.millis.0 <= m && m <= self.millis.1)
    }
}

/// What a run says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Footer {
    /// The first position.
    pub(super) first: u64,
    /// The root before it: that of the run it follows.
    pub(super) before: Root,
    /// The tree after the last position.
    pub(super) frontier: Frontier,
    /// The batch after the last position; its position is the run's end.
    pub(super) cursor: Cursor,
    /// The number of the first batch.
    pub(super) batch: u64,
    pub(super) fence: Fence,
    /// (first position relative to the run's, segment) for each segment.
    pub(super) segments: Vec<(u32, u64)>,
    pub(super) sections: [Extent; SECTIONS],
    /// For each of [`FENCED`]: the first key of each page, or of each page of fences.
    pub(super) tops: [Vec<u64>; 3],
}

/// The offsets of the last page's fields.
mod at {
    pub(super) const VERSION: usize = 8;
    pub(super) const LEDGER: usize = 16;
    pub(super) const FIRST: usize = 32;
    pub(super) const END: usize = 40;
    pub(super) const ROOT: usize = 48;
    pub(super) const CURSOR: usize = 80;
    pub(super) const BATCH: usize = 104;
    pub(super) const MILLIS: usize = 112;
    pub(super) const OTHERS: usize = 128;
    pub(super) const FRONTIER: usize = 132;
    pub(super) const SEGMENTS: usize = 136;
    pub(super) const TOPS: usize = 140;
    pub(super) const REST: usize = 152;
    pub(super) const RESERVED: usize = 156;
    pub(super) const BEFORE: usize = 160;
    pub(super) const SECTIONS: usize = 192;
    pub(super) const INLINE: usize = SECTIONS + super::SECTIONS * 12;
}
const _: () = assert!(at::INLINE == 336);

/// The last page, and how many bytes of the rest are in it or in the overflow section.
pub(super) struct Last<'a> {
    page: &'a [u8],
    pub(super) root: [u8; 32],
    pub(super) overflow: Extent,
    rest: usize,
}

/// The bytes of frontier, segment table and tops: all that has no fixed length.
fn rest(footer: &Footer) -> Vec<u8> {
    let mut bytes = footer.frontier.hashes().concat();
    for (first, segment) in &footer.segments {
        bytes.extend_from_slice(&first.to_le_bytes());
        bytes.extend_from_slice(&segment.to_le_bytes());
    }
    for top in footer.tops.iter().flatten() {
        bytes.extend_from_slice(&top.to_le_bytes());
    }
    bytes
}

impl Footer {
    /// One past the last position.
    pub(super) fn end(&self) -> u64 {
        self.cursor.position
    }
    pub(super) fn section(&self, section: Section) -> Extent {
        self.sections[section as usize]
    }
    /// What has to go into the overflow section: nothing when it fits in the last page.
    pub(super) fn overflow(&self) -> Vec<u8> {
        let rest = rest(self);
        if rest.len() <= BODY - at::INLINE { Vec::new() } else { rest }
    }
    /// The body of the last page. None when a count does not fit in its field.
    pub(super) fn to_page(&self, ledger: LedgerId) -> Option<[u8; BODY]> {
        let mut page = [0; BODY];
        let mut put = |at: usize, bytes: &[u8]| page[at..at + bytes.len()].copy_from_slice(bytes);
        let count = |n: usize| u32::try_from(n).ok().map(u32::to_le_bytes);
        let rest = rest(self);
        put(0, MAGIC);
        put(at::VERSION, &VERSION.to_le_bytes());
        put(at::LEDGER, &ledger.0);
        put(at::FIRST, &self.first.to_le_bytes());
        put(at::END, &self.end().to_le_bytes());
        put(at::ROOT, &self.frontier.root().0);
        put(at::BEFORE, &self.before.0);
        put(at::CURSOR, &self.cursor.segment.to_le_bytes());
        put(at::CURSOR + 8, &self.cursor.offset.to_le_bytes());
        put(at::CURSOR + 16, &self.cursor.batch.to_le_bytes());
        put(at::BATCH, &self.batch.to_le_bytes());
        put(at::MILLIS, &self.fence.millis.0.to_le_bytes());
        put(at::MILLIS + 8, &self.fence.millis.1.to_le_bytes());
        put(at::OTHERS, &u32::from(self.fence.others).to_le_bytes());
        put(at::FRONTIER, &count(self.frontier.hashes().len())?);
        put(at::SEGMENTS, &count(self.segments.len())?);
        for (i, tops) in self.tops.iter().enumerate() {
            put(at::TOPS + 4 * i, &count(tops.len())?);
        }
        put(at::REST, &count(rest.len())?);
        for (i, extent) in self.sections.iter().enumerate() {
            let at = at::SECTIONS + 12 * i;
            put(at, &extent.page.to_le_bytes());
            put(at + 4, &extent.pages.to_le_bytes());
            put(at + 8, &extent.entries.to_le_bytes());
        }
        if self.section(Section::Overflow).pages == 0 {
            put(at::INLINE, &rest);
        }
        Some(page)
    }
    /// Reads the fixed part of a last page whose checksum held: enough to read the overflow section.
    pub(super) fn last_page(page: &[u8], ledger: LedgerId, first: u64, end: u64) -> Option<Last<'_>> {
        let page = page.get(..BODY)?;
        let named = page[..8] == *MAGIC
            && u32_at(page, at::VERSION) == VERSION
            && u32_at(page, at::VERSION + 4) == 0
            && page[at::LEDGER..at::FIRST] == ledger.0
            && u64_at(page, at::FIRST) == first
            && u64_at(page, at::END) == end
            && u32_at(page, at::RESERVED) == 0;
        if !named {
            return None;
        }
        let root = hash_at(page, at::ROOT);
        let overflow = extent(page, Section::Overflow);
        Some(Last { page, root, overflow, rest: usize::try_from(u32_at(page, at::REST)).ok()? })
    }
}

fn hash_at(page: &[u8], at: usize) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(&page[at..at + 32]);
    hash
}
fn extent(page: &[u8], section: Section) -> Extent {
    let at = at::SECTIONS + 12 * section as usize;
    Extent { page: u32_at(page, at), pages: u32_at(page, at + 4), entries: u32_at(page, at + 8) }
}

impl Last<'_> {
    /// The footer, when everything in it is as a writer would have written it; `pages` is the file's length.
    pub(super) fn footer(&self, overflow: &[u8], pages: u64) -> Option<Footer> {
        let page = self.page;
        let inline = &page[at::INLINE..];
        let bytes = if self.overflow.pages == 0 { inline } else { overflow };
        if self.overflow.pages > 0 && usize::try_from(self.overflow.entries) != Ok(self.rest) {
            return None;
        }
        let (mut bytes, zero) = bytes.split_at_checked(self.rest)?;
        if zero.iter().any(|b| *b != 0) || (self.overflow.pages > 0 && inline.iter().any(|b| *b != 0)) {
            return None;
        }
        let mut take = |n: u64| {
            let (taken, left) = bytes.split_at_checked(usize::try_from(n).ok()?)?;
            bytes = left;
            Some(taken)
        };
        let (first, end) = (u64_at(page, at::FIRST), u64_at(page, at::END));
        let hashes = take(32 * u64::from(u32_at(page, at::FRONTIER)))?;
        let hashes = hashes.chunks_exact(32).filter_map(|h| h.try_into().ok()).collect();
        let segments = take(12 * u64::from(u32_at(page, at::SEGMENTS)))?;
        let segments = segments.chunks_exact(12).map(|s| (u32_at(s, 0), u64_at(s, 4))).collect();
        let mut tops: [Vec<u64>; 3] = Default::default();
        for (i, tops) in tops.iter_mut().enumerate() {
            let taken = take(8 * u64::from(u32_at(page, at::TOPS + 4 * i)))?;
            *tops = taken.chunks_exact(8).map(|t| u64_at(t, 0)).collect();
        }
        if !bytes.is_empty() {
            return None;
        }
        let footer = Footer {
            first,
            before: Root(hash_at(page, at::BEFORE)),
            frontier: Frontier::from_hashes(end, hashes).ok()?,
            cursor: Cursor {
                segment: u64_at(page, at::CURSOR),
                offset: u64_at(page, at::CURSOR + 8),
                batch: u64_at(page, at::CURSOR + 16),
                position: end,
            },
            batch: u64_at(page, at::BATCH),
            fence: Fence {
                millis: (u64_at(page, at::MILLIS), u64_at(page, at::MILLIS + 8)),
                others: u32_at(page, at::OTHERS) == 1,
            },
            segments,
            sections: Section::ALL.map(|s| extent(page, s)),
            tops,
        };
        let sound = footer.frontier.root() == Root(self.root) && u32_at(page, at::OTHERS) <= 1 && footer.is_whole(pages);
        sound.then_some(footer)
    }
}

impl Footer {
    /// Whether the sections follow each other to the last page and hold as many entries as they must.
    fn is_whole(&self, pages: u64) -> bool {
        let entries = |s| u64::from(self.section(s).entries);
        let mut next = 0;
        for section in Section::ALL {
            let extent = self.section(section);
            let needed = entries(section).div_ceil(section.per_page() as u64);
            if u64::from(extent.page) != next || u64::from(extent.pages) != needed {
                return false;
            }
            next += needed;
        }
        let records = self.end().checked_sub(self.first).filter(|n| *n > 0);
        let batches = self.cursor.batch.checked_sub(self.batch).filter(|n| *n > 0);
        let fenced = FENCED.iter().zip(&self.tops).all(|((of, fences), tops)| {
            let pages = u64::from(self.section(*of).pages);
            let (fences, tops) = (self.section(*fences), tops.len() as u64);
            if pages <= TOPS_MAX {
                fences.pages == 0 && tops == pages
            } else {
                u64::from(fences.entries) == pages && tops == u64::from(fences.pages)
            }
        });
        let segments_ascend = self.segments.first().is_some_and(|s| s.0 == 0)
            && self.segments.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1)
            && self.segments.last().is_some_and(|s| Some(u64::from(s.0)) < records);
        next + 1 == pages
            && Some(entries(Section::Ids)) == records
            && Some(entries(Section::Offsets)) == records
            && Some(entries(Section::Batches)) == batches
            && entries(Section::Nodes) == kept(self.first, self.end()).map(|k| k.2).sum::<u64>()
            && self.section(Section::IdFilter).pages > 0
            && (self.section(Section::KeyFilter).pages > 0) == (self.section(Section::Keys).pages > 0)
            && fenced
            && segments_ascend
    }
}

/// A run's file name.
pub(super) fn name(first: u64, end: u64) -> String {
    format!("{first}-{end}.run")
}
/// The range that a run's file name says.
pub(super) fn range(file_name: &str) -> Option<(u64, u64)> {
    let (first, end) = file_name.strip_suffix(".run")?.split_once('-')?;
    let (first, end) = (first.parse().ok()?, end.parse().ok()?);
    (first < end && name(first, end) == file_name).then_some((first, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_strict() {
        assert_eq!(range("0-9.run"), Some((0, 9)));
        for wrong in ["0-9.run.tmp", "00-9.run", "9-9.run", "+0-9.run", "-9.run", "0-9", "0-1-9.run"] {
            assert_eq!(range(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_fence_excludes_only_what_cannot_be_there() {
        let mut fence = Fence::NONE;
        let other = RecordId::from_bytes([4; 16]);
        assert!(!fence.may_hold(other) && !fence.may_hold(RecordId::v7(0, [0; 10])));
        fence.include(RecordId::v7(5, [9; 10]));
        fence.include(RecordId::v7(7, [9; 10]));
        let may: Vec<u64> = (0..10).filter(|m| fence.may_hold(RecordId::v7(*m, [0; 10]))).collect();
        assert_eq!(may, [5, 6, 7]);
        assert!(!fence.may_hold(other));
        fence.include(other);
        assert!(fence.may_hold(other));
        assert!(!fence.may_hold(RecordId::v7(4, [0; 10])));
        assert!(Fence::NONE.join(fence) == fence);
    }
}
