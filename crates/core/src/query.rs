//! What to look at: kinds and tags; and what must not have happened since.

use crate::event::Kind;
use crate::hash;
use crate::ids::{RecordId, Size};

/// The key under which a tag is kept and found: 16 bytes of a hash, see [`hash::tag_key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagKey(pub [u8; 16]);

/// One alternative of a [`Query`]: any of these kinds (all when empty), and all of these tags, and this record or an amendment of it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Item {
    /// Kind numbers, any of which matches; empty = every kind.
    pub kinds: Vec<u16>,
    /// Tags, all of which must be there.
    pub tags: Vec<TagKey>,
    /// The record itself, or an amendment that names it.
    pub record: Option<RecordId>,
}

impl Item {
    /// Whether a record with these kinds (its own and, for an amendment, derived ones), tags and ids matches.
    #[must_use]
    pub fn matches(&self, kinds: &[u16], tags: &[TagKey], ids: &[RecordId]) -> bool {
        (self.kinds.is_empty() || self.kinds.iter().any(|k| kinds.contains(k)))
            && self.tags.iter().all(|t| tags.contains(t))
            && self.record.is_none_or(|r| ids.contains(&r))
    }
}

/// Which records: a union of [`Item`]s. Ledger-level records never match.
///
/// ```
/// use sovang_core::{Kind, Query};
/// const REPAID: Kind = Kind::new(2, 1, "loan_repaid");
/// let one_loans_history = Query::tag("loan", "L-1");
/// let its_repayments = Query::kind(REPAID).tagged("loan", "L-1");
/// let either = one_loans_history.or(Query::kind(REPAID));
/// # let _ = (its_repayments, either);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Query {
    items: Vec<Item>,
}

impl Query {
    /// Every record.
    #[must_use]
    pub fn all() -> Self {
        Self { items: vec![Item::default()] }
    }
    /// No record: for a decision that has nothing to look at.
    #[must_use]
    pub fn none() -> Self {
        Self { items: Vec::new() }
    }
    /// Records of one kind.
    #[must_use]
    pub fn kind(kind: Kind) -> Self {
        Self::kinds([kind])
    }
    /// Records of any of these kinds.
    #[must_use]
    pub fn kinds(kinds: impl IntoIterator<Item = Kind>) -> Self {
        let kinds: Vec<u16> = kinds.into_iter().map(|k| k.number()).collect();
        if kinds.is_empty() {
            return Self::none();
        }
        Self { items: vec![Item { kinds, ..Item::default() }] }
    }
    /// Records with this tag.
    #[must_use]
    pub fn tag(name: &str, value: impl AsRef<str>) -> Self {
        Self::all().tagged(name, value)
    }
    /// The record of this id and its amendments.
    #[must_use]
    pub fn record(id: RecordId) -> Self {
        Self { items: vec![Item { record: Some(id), ..Item::default() }] }
    }
    /// Of these records, those that also have this tag.
    #[must_use]
    pub fn tagged(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let key = hash::tag_key(name, value.as_ref());
        for item in &mut self.items {
            item.tags.push(key);
        }
        self
    }
    /// These records or those.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        for item in other.items {
            if !self.items.contains(&item) {
                self.items.push(item);
            }
        }
        self
    }
    /// The alternatives.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }
    /// Whether this is [`Self::none`].
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.items.is_empty()
    }
    /// Whether a record with these kinds, tags and ids matches: see [`Item::matches`].
    #[must_use]
    pub fn matches(&self, kinds: &[u16], tags: &[TagKey], ids: &[RecordId]) -> bool {
        self.items.iter().any(|i| i.matches(kinds, tags, ids))
    }
    /// The condition that no record matches: uniqueness.
    #[must_use]
    pub fn absent(self) -> Condition {
        self.unchanged_since(Size::ZERO)
    }
    /// The condition that no record at or after `size` matches.
    #[must_use]
    pub fn unchanged_since(self, size: Size) -> Condition {
        Condition { query: self, looked_at: size }
    }
}

/// That nothing matching a query came since the caller looked. Checked by the writer, at the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What was looked at.
    pub query: Query,
    /// The size at which it was.
    pub looked_at: Size,
}
