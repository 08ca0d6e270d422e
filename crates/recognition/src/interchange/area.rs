//! Areas: in square decimetres (hundredths of a square metre) in the ledger, in square metres as decimal text outside.

/// The square decimetres of an area in square metres: digits without leading zeros and, if wanted, a point and one or
/// two more. None for any other text, or an area beyond 64 bits.
///
/// ```
/// use sovang_recognition::interchange::{square_decimetres, square_metres};
/// assert_eq!(square_decimetres("659.88"), Some(65_988));
/// assert_eq!(square_metres(65_980), "659.8");
/// ```
#[must_use]
pub fn square_decimetres(square_metres: &str) -> Option<i64> {
    let (whole, fraction) = match square_metres.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (square_metres, "0"),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 2 || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    let hundredths = fraction.parse::<i64>().ok()? * if fraction.len() == 1 { 10 } else { 1 };
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(hundredths)
}

/// An area in square metres as [`square_decimetres`] reads it, without trailing zeros.
#[must_use]
pub fn square_metres(square_decimetres: i64) -> String {
    let (whole, hundredths) = (square_decimetres.unsigned_abs() / 100, square_decimetres.unsigned_abs() % 100);
    let sign = if square_decimetres < 0 { "-" } else { "" };
    match hundredths {
        0 => format!("{sign}{whole}"),
        h if h % 10 == 0 => format!("{sign}{whole}.{}", h / 10),
        h => format!("{sign}{whole}.{h:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_people_write_and_nothing_else() {
        for (text, area) in
            [("0", 0), ("0.05", 5), ("0.5", 50), ("12", 1200), ("12.30", 1230), ("92233720368547758.07", i64::MAX)]
        {
            assert_eq!(square_decimetres(text), Some(area), "{text}");
        }
        for bad in ["", ".", "1.", ".5", "-1", "+1", "1.234", "01", "1,5", "1e3", " 1", "92233720368547758.08", "١"] {
            assert_eq!(square_decimetres(bad), None, "{bad}");
        }
    }
    proptest! {
        #[test]
        fn round_trips(area in 0..=i64::MAX) {
            prop_assert_eq!(square_decimetres(&square_metres(area)), Some(area));
        }
    }
}
