//! Whether a text names somebody: how free text is compared with personal values, so that what is to be erasable does not get
//! into records that are for ever.

use crate::codec;
use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Values of fewer characters count only as whole words: otherwise every text would hold them.
const SHORT_CHARS: usize = 3;

/// A text in Unicode normalization form C, in which ids compare.
#[must_use]
pub fn nfc(text: &str) -> Cow<'_, str> {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// A text as it is compared: Unicode normalization form C, in lower case, each run of white space as one space, none at either
/// end.
///
/// ```
/// use sovang_core::likeness::folded;
/// assert_eq!(folded("  NGUYE\u{302}\u{303}N\tVăn A\n"), folded("Nguyễn Văn A"));
/// ```
#[must_use]
pub fn folded(text: &str) -> String {
    let words = text.nfc().flat_map(char::to_lowercase).nfc().collect::<String>();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where a folded text holds a folded value, as the number of the word, from 1, at which it begins. A value of one or two
/// characters counts as a whole word only.
///
/// ```
/// use sovang_core::likeness::{folded, word_of};
/// let basis = folded("Request of Nguyễn Văn An, 2 May");
/// assert_eq!(word_of(&basis, &folded("nguyễn văn an")), Some(3));
/// assert_eq!(word_of(&basis, "an"), Some(5)); // not the middle of a word
/// assert_eq!(word_of(&basis, "ma"), None);
/// ```
#[must_use]
pub fn word_of(text: &str, value: &str) -> Option<usize> {
    if value.is_empty() {
        return None;
    }
    let is_short = value.chars().nth(SHORT_CHARS - 1).is_none();
    let is_apart = |at: usize| {
        let before = text[..at].chars().next_back();
        let after = text[at + value.len()..].chars().next();
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    };
    let (at, _) = text.match_indices(value).find(|(at, _)| !is_short || is_apart(*at))?;
    Some(text[..at].split(' ').count())
}

/// The texts of an encoded personal value: the value, where it is a text; else every run of at least two printable
/// characters in it, which finds the texts within a struct or a list.
///
/// ```
/// use sovang_core::{codec, likeness::texts_of};
/// assert_eq!(texts_of(&codec::encode("Trần Thị B").unwrap()), ["Trần Thị B"]);
/// assert_eq!(texts_of(&codec::encode(&(7u32, "Trần Thị B", "Tổ 5")).unwrap()), ["Trần Thị B", "Tổ 5"]);
/// ```
#[must_use]
pub fn texts_of(value: &[u8]) -> Vec<String> {
    if let Ok(text) = codec::decode::<String>(value) {
        return vec![text];
    }
    let mut runs = Vec::new();
    for chunk in value.utf8_chunks() {
        runs.extend(chunk.valid().split(char::is_control).filter(|run| run.chars().nth(1).is_some()).map(str::to_owned));
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::{folded, texts_of, word_of};

    #[test]
    fn what_is_alike() {
        let same = ["Đặng Thị Ngọc", "đặng  thị ngọc", " ĐẶNG THỊ NGỌC ", "Đa\u{323}\u{306}ng Thi\u{323} Ngo\u{323}c"];
        for other in same {
            assert_eq!(folded(other), folded(same[0]), "{other}");
        }
        assert_ne!(folded("Dang Thi Ngoc"), folded(same[0]), "a letter without its marks is another letter");
        assert_eq!(folded(" \u{A0} \n"), "");
    }

    #[test]
    fn where_a_value_begins() {
        let text = folded("Theo đơn của (Trần Thị B), số 17/2026; P-17");
        for (value, word) in [
            ("trần thị b", Some(4)),
            ("P-17", Some(9)),
            ("17", Some(8)),
            ("7/", None),
            ("b", Some(6)),
            ("ầ", None),
            ("", None),
            ("theo đơn của (trần thị b), số 17/2026; p-17", Some(1)),
            ("trần thị c", None),
        ] {
            assert_eq!(word_of(&text, &folded(value)), word, "{value}");
        }
    }

    #[test]
    fn texts_within_other_values() {
        let value = crate::codec::encode(&(vec!["An", "Bình Minh"], 5u16, Some("số 3"))).unwrap();
        assert_eq!(texts_of(&value), ["An", "Bình Minh", "số 3"]);
        assert_eq!(texts_of(&[0xFF, b'a', b'b', 0xFE, b'c']), ["ab"]);
        assert!(texts_of(&7i32.to_le_bytes()).is_empty());
    }
}
