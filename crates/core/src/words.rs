//! A set of 128-bit words that takes little more memory than the words: for what an import must remember of each of its
//! lines, where the doubling of a general table would cost more than the lines' bound allows.

/// Parts that grow one by one, so that no growth holds more than one of them twice.
const PARTS: usize = 256;
/// A part is at most so full, in eighths.
const FULL_EIGHTHS: usize = 7;

/// A set of words other than zero. They are placed by their upper half: many words may share one, and are then found one
/// after another.
///
/// Memory: about 20 bytes a word on average once there are many, at most 22.
#[derive(Clone, Debug)]
pub struct Words {
    parts: Vec<Part>,
    len: usize,
}

#[derive(Clone, Debug, Default)]
struct Part {
    /// Open addressing; zero is a free place.
    places: Vec<u128>,
    len: usize,
}

impl Default for Words {
    fn default() -> Self {
        Self { parts: vec![Part::default(); PARTS], len: 0 }
    }
}

impl Words {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// How many words there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// Adds a word; false when it is there already. Zero is no word, and never added.
    pub fn insert(&mut self, word: u128) -> bool {
        let place = Place::of(upper(word));
        let part = &mut self.parts[place.part];
        if word == 0 || part.from(place).any(|there| there == word) {
            return false;
        }
        if part.len * 8 >= part.places.len() * FULL_EIGHTHS {
            part.grow();
        }
        part.put(word);
        part.len += 1;
        self.len += 1;
        true
    }
    /// The words with this upper half.
    pub fn with_upper(&self, half: u64) -> impl Iterator<Item = u128> + '_ {
        let place = Place::of(half);
        self.parts[place.part].from(place).filter(move |word| upper(*word) == half)
    }
    /// Forgets all words.
    pub fn clear(&mut self) {
        for part in self.parts.iter_mut().filter(|part| part.len > 0) {
            *part = Part::default();
        }
        self.len = 0;
    }
}

impl Part {
    /// What stands from a word's place on, up to the first free one.
    fn from(&self, place: Place) -> impl Iterator<Item = u128> + '_ {
        let start = place.within(self.places.len());
        self.places[start..].iter().chain(&self.places[..start]).copied().take_while(|word| *word != 0)
    }
    fn put(&mut self, word: u128) {
        let places = self.places.len();
        let mut at = Place::of(upper(word)).within(places);
        while self.places[at] != 0 {
            at = if at + 1 == places { 0 } else { at + 1 };
        }
        self.places[at] = word;
    }
    fn grow(&mut self) {
        let more = self.places.len() + self.places.len() / 8 + 8;
        let words = std::mem::replace(&mut self.places, vec![0; more]);
        for word in words.into_iter().filter(|word| *word != 0) {
            self.put(word);
        }
    }
}

/// Where a word belongs: a part, and how far within it, as a fraction of 2^64.
#[derive(Clone, Copy)]
struct Place {
    part: usize,
    fraction: u64,
}
impl Place {
    fn of(half: u64) -> Self {
        // The words' halves may be alike in some bits; their product with an odd constant is spread at the top.
        let spread = half.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let [first, ..] = spread.to_be_bytes();
        Self { part: usize::from(first), fraction: spread << 8 }
    }
    fn within(self, places: usize) -> usize {
        let scaled = (u128::from(self.fraction) * places as u128) >> 64;
        // Less than `places`.
        usize::try_from(scaled).unwrap_or(0)
    }
}

/// A word's upper half.
fn upper(word: u128) -> u64 {
    // 64 bits are left.
    u64::try_from(word >> 64).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn spread(n: u64) -> u128 {
        (u128::from(n.wrapping_mul(0xD6E8_FEB8_6659_FD93)) << 64) | (u128::from(n) + 1)
    }

    #[test]
    fn takes_little_more_memory_than_its_words() {
        let mut words = Words::new();
        let mut most = 0;
        for n in 0..200_000_u64 {
            assert!(words.insert(spread(n)));
            if n > 50_000 && n % 1000 == 0 {
                let places: usize = words.parts.iter().map(|part| part.places.capacity()).sum();
                most = most.max(places * size_of::<u128>() * 1000 / words.len());
            }
        }
        assert!(most <= 22_000, "{most} thousandths of a byte a word");
        assert_eq!(words.len(), 200_000);
        assert!((0..200_000).all(|n| words.with_upper(upper(spread(n))).eq([spread(n)])));
        assert!((0..200_000).all(|n| !words.insert(spread(n))));
    }

    #[test]
    fn zero_is_no_word() {
        let mut words = Words::new();
        assert!(!words.insert(0));
        assert!(words.is_empty());
        assert_eq!(words.with_upper(0).count(), 0);
    }

    proptest! {
        #[test]
        fn is_a_set(given in prop::collection::vec((0..20_u64, 0..5_u64), 0..400)) {
            let mut words = Words::new();
            let mut set = BTreeSet::new();
            for (high, low) in given {
                let word = (u128::from(high) << 64) | u128::from(low);
                prop_assert_eq!(words.insert(word), word != 0 && set.insert(word));
                prop_assert_eq!(words.len(), set.len());
            }
            for high in 0..20 {
                let found: BTreeSet<u128> = words.with_upper(high).collect();
                let expected: BTreeSet<u128> = set.iter().copied().filter(|word| upper(*word) == high).collect();
                prop_assert_eq!(found, expected);
            }
            words.clear();
            prop_assert!(words.is_empty() && words.with_upper(0).next().is_none());
        }
    }
}
