//! The two time axes: `occurred_on` is a day, `recorded_at` an instant in whole microseconds.
//!
//! On disk a day is an `i32` of days since 1970-01-01 and an instant an `i64` of microseconds since
//! 1970-01-01T00:00:00Z; both are those of the proleptic Gregorian calendar, of the years 1 to 9999: what four digits write, in
//! a line of an export as in RFC 3339.

use crate::codec::CodecError;
use std::ops::RangeInclusive;
pub use time::{Date, UtcDateTime};

/// The years that a ledger knows.
const YEARS: RangeInclusive<i32> = 1..=9999;

/// Microseconds of a day.
pub const DAY_MICROS: i64 = 86_400_000_000;

const UNIX_EPOCH_JULIAN: i32 = 2_440_588;

/// A day of the Gregorian calendar.
///
/// # Panics
/// When the month is not 1 to 12 or the day does not exist; meant for literals. For input use
/// [`Date::from_calendar_date`] or a parser.
///
/// ```
/// use sovang_core::date;
/// const FOUNDED: sovang_core::Date = date(2013, 12, 27);
/// assert_eq!(FOUNDED.year(), 2013);
/// ```
#[must_use]
pub const fn date(year: i32, month: u8, day: u8) -> Date {
    let month = match month {
        1 => time::Month::January,
        2 => time::Month::February,
        3 => time::Month::March,
        4 => time::Month::April,
        5 => time::Month::May,
        6 => time::Month::June,
        7 => time::Month::July,
        8 => time::Month::August,
        9 => time::Month::September,
        10 => time::Month::October,
        11 => time::Month::November,
        12 => time::Month::December,
        _ => panic!("a month is 1 to 12"),
    };
    match Date::from_calendar_date(year, month, day) {
        Ok(date) => date,
        Err(_) => panic!("no such day"),
    }
}

/// Days since 1970-01-01, as stored.
#[must_use]
pub const fn days_of(date: Date) -> i32 {
    date.to_julian_day() - UNIX_EPOCH_JULIAN
}

/// The day that is `days` after 1970-01-01.
///
/// # Errors
/// When the day lies outside the years 1 to 9999.
pub fn date_of(days: i32) -> Result<Date, CodecError> {
    days.checked_add(UNIX_EPOCH_JULIAN)
        .and_then(|julian| Date::from_julian_day(julian).ok())
        .filter(|date| YEARS.contains(&date.year()))
        .ok_or(CodecError::Malformed { what: "a day outside of the years 1 to 9999" })
}

/// Microseconds since 1970-01-01T00:00:00Z, as stored; finer digits are dropped towards the past.
#[must_use]
pub fn micros_of(at: UtcDateTime) -> i64 {
    // Years -9999 to 9999 in microseconds stay below 2^59.
    i64::try_from(at.unix_timestamp_nanos().div_euclid(1000)).unwrap_or(i64::MAX)
}

/// The instant `micros` microseconds after 1970-01-01T00:00:00Z.
///
/// # Errors
/// When the instant lies outside the years 1 to 9999.
pub fn instant_of(micros: i64) -> Result<UtcDateTime, CodecError> {
    let at = UtcDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).ok();
    at.filter(|at| YEARS.contains(&at.year())).ok_or(CodecError::Malformed { what: "an instant outside of the years 1 to 9999" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn epoch_and_known_days() {
        assert_eq!(days_of(date(1970, 1, 1)), 0);
        assert_eq!(days_of(date(2024, 10, 14)), 20_010);
        assert_eq!(days_of(date(1969, 12, 31)), -1);
        assert_eq!(micros_of(UtcDateTime::UNIX_EPOCH), 0);
    }

    #[test]
    fn the_years_are_those_of_four_digits() {
        let (first, last) = (days_of(date(1, 1, 1)), days_of(date(9999, 12, 31)));
        assert_eq!((first, last), (-719_162, 2_932_896));
        assert_eq!(date_of(first), Ok(date(1, 1, 1)));
        assert_eq!(date_of(last), Ok(date(9999, 12, 31)));
        let (start, end) = (i64::from(first) * DAY_MICROS, i64::from(last + 1) * DAY_MICROS);
        for inside in [start, end - 1] {
            assert_eq!(instant_of(inside).map(micros_of), Ok(inside));
        }
        for outside in [i32::MIN, first - 1, last + 1, i32::MAX] {
            assert!(date_of(outside).is_err(), "{outside}");
        }
        for outside in [i64::MIN, start - 1, end, i64::MAX] {
            assert!(instant_of(outside).is_err(), "{outside}");
        }
    }

    proptest! {
        #[test]
        fn days_round_trip(days in -4_000_000i32..4_000_000) {
            if let Ok(date) = date_of(days) { prop_assert_eq!(days_of(date), days) }
        }
        #[test]
        fn instants_round_trip(micros in any::<i64>()) {
            if let Ok(at) = instant_of(micros) { prop_assert_eq!(micros_of(at), micros) }
        }
    }
}
