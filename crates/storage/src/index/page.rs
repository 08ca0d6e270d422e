//! Pages with checksums, the fingerprints they are sorted by, and the filter pages that say what is not there.

use sovang_core::LedgerId;

/// Bytes of a page in a file.
pub(super) const PAGE: usize = 4096;
/// Bytes of a page before its checksum.
pub(super) const BODY: usize = PAGE - 4;
/// Bits of a filter page.
const FILTER_BITS: u64 = BODY as u64 * 8;
/// Bits of the filter for each entry; with [`FILTER_PROBES`], about 1 of 300 misses is not seen by it.
pub(super) const FILTER_BITS_PER_ENTRY: u64 = 12;
const FILTER_PROBES: u32 = 8;

/// A page as read.
pub(super) type Page = [u8; PAGE];

/// What every page checksum of a run begins with, so that a page of another ledger, range, history or place never passes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seed(u32);

impl Seed {
    /// Of a run's last page.
    pub(super) fn of_last(ledger: LedgerId, first: u64, end: u64) -> Self {
        let sum = crc32c::crc32c(&ledger.0);
        let sum = crc32c::crc32c_append(sum, &first.to_le_bytes());
        Self(crc32c::crc32c_append(sum, &end.to_le_bytes()))
    }
    /// Of its other pages: the root at its end, which the last page names, takes part as well.
    pub(super) fn with_root(self, root: &[u8; 32]) -> Self {
        Self(crc32c::crc32c_append(self.0, root))
    }
    fn sum(self, number: u32, body: &[u8]) -> u32 {
        let sum = crc32c::crc32c_append(self.0, &number.to_le_bytes());
        crc32c::crc32c_append(sum, body)
    }
    /// Whether these are the bytes that were written as page `number`.
    pub(super) fn holds(self, number: u32, page: &[u8]) -> bool {
        page.len() == PAGE && page[BODY..] == self.sum(number, &page[..BODY]).to_le_bytes()
    }
    /// Puts the checksum behind the body of page `number`.
    pub(super) fn seal(self, number: u32, page: &mut [u8]) {
        let sum = self.sum(number, &page[..BODY]);
        page[BODY..PAGE].copy_from_slice(&sum.to_le_bytes());
    }
}

/// A little-endian u32 within a page whose layout has been checked.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut b = [0; 4];
    b.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(b)
}
/// A little-endian u64 within a page whose layout has been checked.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut b = [0; 8];
    b.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(b)
}

/// What a fingerprint is of: the same 16 bytes as an id and as a key have two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(super) enum Of {
    Id = 1,
    Key = 2,
}

/// The 8 bytes by which an id or key is sorted and found (docs/FORMAT.md §6.2): well spread, whatever the 16 bytes are.
pub(super) fn fingerprint(of: Of, bytes: &[u8; 16]) -> u64 {
    spread(spread(u64_at(bytes, 0) ^ of as u64) ^ u64_at(bytes, 8))
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014), a bijection.
fn spread(mut x: u64) -> u64 {
    x ^= x >> 30;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 27;
    x = x.wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// `fingerprint` scaled to `0..parts`: ascending fingerprints give ascending parts, so a filter is written in one pass.
fn scale(fingerprint: u64, parts: u64) -> u64 {
    // The high half of a 128-bit product is below `parts`.
    u64::try_from((u128::from(fingerprint) * u128::from(parts)) >> 64).unwrap_or(0)
}

/// How many filter pages so many entries take.
pub(super) fn filter_pages(entries: u64) -> u64 {
    (entries * FILTER_BITS_PER_ENTRY).div_ceil(FILTER_BITS)
}
/// The filter page of a fingerprint.
pub(super) fn filter_page(fingerprint: u64, pages: u32) -> u32 {
    u32::try_from(scale(fingerprint, pages.into())).unwrap_or(0)
}
fn filter_bits(fingerprint: u64) -> impl Iterator<Item = (usize, u8)> {
    let mixed = spread(fingerprint);
    let (start, step) = (mixed & 0xffff_ffff, mixed >> 32 | 1);
    (0..u64::from(FILTER_PROBES)).map(move |probe| {
        let bit = (((start + probe * step) & 0xffff_ffff) * FILTER_BITS) >> 32;
        // Below FILTER_BITS, which is far below u32.
        (usize::try_from(bit / 8).unwrap_or(0), 1u8 << (bit % 8))
    })
}
/// Enters a fingerprint into its filter page.
pub(super) fn filter_insert(body: &mut [u8], fingerprint: u64) {
    for (byte, mask) in filter_bits(fingerprint) {
        body[byte] |= mask;
    }
}
/// Whether a fingerprint may have been entered.
pub(super) fn filter_may_hold(body: &[u8], fingerprint: u64) -> bool {
    filter_bits(fingerprint).all(|(byte, mask)| body[byte] & mask != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_those_of_the_format() {
        let bytes: [u8; 16] = std::array::from_fn(|i| u8::try_from(i).unwrap());
        // Computed by hand from the format's two lines.
        assert_eq!(fingerprint(Of::Id, &bytes), 0x3234768245005d45);
        assert_ne!(fingerprint(Of::Id, &bytes), fingerprint(Of::Key, &bytes));
    }

    #[test]
    fn a_checksum_binds_place_range_and_root() {
        let seed = Seed::of_last(LedgerId([1; 16]), 0, 9).with_root(&[2; 32]);
        let mut page = [7; PAGE];
        seed.seal(3, &mut page);
        assert!(seed.holds(3, &page));
        assert!(!seed.holds(4, &page));
        assert!(!Seed::of_last(LedgerId([1; 16]), 0, 8).with_root(&[2; 32]).holds(3, &page));
        assert!(!Seed::of_last(LedgerId([1; 16]), 0, 9).with_root(&[3; 32]).holds(3, &page));
        assert!(!Seed::of_last(LedgerId([0; 16]), 0, 9).with_root(&[2; 32]).holds(3, &page));
        assert!(!seed.holds(3, &page[..PAGE - 1]));
        page[0] ^= 1;
        assert!(!seed.holds(3, &page));
    }

    #[test]
    fn a_filter_never_hides_and_seldom_errs() {
        let of = |n: u32| {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&n.to_le_bytes());
            fingerprint(Of::Key, &bytes)
        };
        let pages = u32::try_from(filter_pages(10_000)).unwrap();
        assert_eq!(pages, 4);
        let mut filter = vec![[0u8; BODY]; pages as usize];
        for n in 0..10_000 {
            filter_insert(&mut filter[filter_page(of(n), pages) as usize], of(n));
        }
        let may = |n| filter_may_hold(&filter[filter_page(of(n), pages) as usize], of(n));
        assert!((0..10_000).all(may));
        let wrong = (10_000..110_000).filter(|n| may(*n)).count();
        assert!(wrong < 1_000, "{wrong} of 100,000 not seen to be absent");
    }
}
