//! Reproducible draws for samples, faults and histories; nothing that needs to be good.

/// xorshift64*, started from a seed. The same seed draws the same on every machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Draws by that seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        // Mixed first: neighbouring seeds would draw alike for a while.
        let mut mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Self((mixed ^ (mixed >> 31)).max(1))
    }
    /// The next number, of 53 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
    }
    /// One of the numbers below `count`; 0 when that is 0.
    pub fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.draw() % count).unwrap_or_default()
    }
}
