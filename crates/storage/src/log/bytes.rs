//! Fields at fixed places: the layout tables of docs/FORMAT.md read off the calls in order.

use sovang_core::Root;

/// Puts fields one after another.
pub(super) struct Put<'a>(pub(super) &'a mut Vec<u8>);

impl Put<'_> {
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }
    pub(super) fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }
    pub(super) fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }
    pub(super) fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }
    pub(super) fn i64(&mut self, value: i64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }
    /// Zeros up to a length of the whole.
    pub(super) fn zeros_to(&mut self, len: usize) -> &mut Self {
        debug_assert!(self.0.len() <= len, "fields overran their place");
        self.0.resize(len, 0);
        self
    }
}

/// Takes fields one after another from a slice whose length was checked.
pub(super) struct Take<'a>(pub(super) &'a [u8]);

impl<'a> Take<'a> {
    pub(super) fn array<const N: usize>(&mut self) -> [u8; N] {
        let Some((array, rest)) = self.0.split_first_chunk::<N>() else {
            debug_assert!(false, "fields overran their place");
            return [0; N];
        };
        self.0 = rest;
        *array
    }
    pub(super) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }
    pub(super) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }
    pub(super) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }
    pub(super) fn i64(&mut self) -> i64 {
        i64::from_le_bytes(self.array())
    }
    pub(super) fn root(&mut self) -> Root {
        Root(self.array())
    }
    /// What was not taken.
    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }
}

/// The CRC32C (Castagnoli) that ends a structure outside a segment's batches.
pub(super) fn crc(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
}

/// Splits off the last four bytes and says whether they are the CRC of what is before them.
pub(super) fn crc_holds(bytes: &[u8]) -> Option<&[u8]> {
    let (before, sum) = bytes.split_last_chunk::<4>()?;
    (u32::from_le_bytes(*sum) == crc(before)).then_some(before)
}

/// Whether all bytes are zero.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<16>();
    words.iter().all(|word| u128::from_le_bytes(*word) == 0) && rest.iter().all(|byte| *byte == 0)
}
