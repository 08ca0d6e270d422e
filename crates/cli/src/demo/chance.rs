//! Chance from a fixed seed, so that every run of the demo writes the same history.

use sovang::{Date, RecordId, calendar};
use time::Duration;

/// `SplitMix64`: small, and good enough to spread invented facts over years and wards.
#[derive(Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) const fn of(seed: u64) -> Self {
        Self(seed)
    }
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    /// One of `0..n`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        let scaled = (u128::from(self.next()) * n as u128) >> 64;
        usize::try_from(scaled).unwrap_or(0)
    }
    /// One of `low..=high`.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = usize::try_from(high - low + 1).unwrap_or(1);
        low + i64::try_from(self.below(width)).unwrap_or(0)
    }
    /// Whether something that happens in so many of a hundred cases happens now.
    pub(super) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }
    /// One of a list that is not empty.
    pub(super) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
    /// So many different ones, or all when there are no more.
    pub(super) fn draw<T>(&mut self, mut from: Vec<T>, count: usize) -> Vec<T> {
        let count = count.min(from.len());
        for place in 0..count {
            let other = place + self.below(from.len() - place);
            from.swap(place, other);
        }
        from.truncate(count);
        from
    }
    /// A day from the first to the last, both included.
    pub(super) fn day(&mut self, first: Date, last: Date) -> Date {
        let days = (last - first).whole_days().max(0);
        first.saturating_add(Duration::days(self.between(0, days)))
    }
    /// A total in so many parts, none of them nothing; all but the last are multiples of `step`.
    pub(super) fn portions(&mut self, total: i64, parts: usize, step: i64) -> Vec<i64> {
        let weights: Vec<i64> = (0..parts).map(|_| self.between(1, 100)).collect();
        let sum: i64 = weights.iter().sum();
        let spread = total / step - i64::try_from(parts).unwrap_or(0);
        let mut portions: Vec<i64> = weights.iter().map(|weight| (1 + spread * weight / sum) * step).collect();
        let left = total - portions.iter().sum::<i64>();
        if let Some(last) = portions.last_mut() {
            *last += left;
        }
        portions
    }
    /// An id for a record of that day that another record will name.
    pub(super) fn id(&mut self, on: Date) -> RecordId {
        let millis = i64::from(calendar::days_of(on)) * (calendar::DAY_MICROS / 1000);
        let mut random = [0; 10];
        random[..8].copy_from_slice(&self.next().to_le_bytes());
        random[8..].copy_from_slice(&self.next().to_le_bytes()[..2]);
        RecordId::v7(u64::try_from(millis).unwrap_or(0), random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sovang::date;

    #[test]
    fn portions_are_positive_and_add_up() {
        let mut chance = Chance::of(1);
        for (total, parts, step) in [(7_128_450_000, 214, 50_000), (3_187, 131, 1), (1_000_007, 3, 10)] {
            let portions = chance.portions(total, parts, step);
            assert_eq!((portions.len(), portions.iter().sum::<i64>()), (parts, total));
            assert!(portions.iter().all(|portion| *portion > 0));
        }
    }

    #[test]
    fn a_draw_gives_different_ones_and_never_more_than_there_are() {
        let mut chance = Chance::of(2);
        let mut drawn = chance.draw((0..50).collect(), 20);
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 20);
        assert_eq!(chance.draw(vec![1, 2], 3).len(), 2);
    }

    #[test]
    fn days_lie_between_the_first_and_the_last() {
        let mut chance = Chance::of(3);
        let (first, last) = (date(2024, 2, 28), date(2024, 3, 1));
        let days: std::collections::BTreeSet<_> = (0..100).map(|_| chance.day(first, last)).collect();
        assert_eq!(days.len(), 3);
        assert!(days.iter().all(|day| (first..=last).contains(day)));
        assert_eq!(chance.day(last, first), last);
    }
}
