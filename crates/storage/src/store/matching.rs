//! Which records a query names. An amendment is found under its own kind and tags and under those of its target and of
//! every earlier amendment of it (design §6).

use super::shared::{Shared, amendments_key};
use sovang_core::record::{Frame, Prepared};
use sovang_core::{Position, Query, RecordId, Result, TagKey};

/// What an amendment is found under besides its own kind and tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Derived {
    pub(super) target: RecordId,
    /// Kinds of the target and of earlier amendments.
    pub(super) kinds: Vec<u16>,
    /// Their tags.
    pub(super) tags: Vec<TagKey>,
}

impl Derived {
    pub(super) fn of(target: RecordId) -> Self {
        Self { target, kinds: Vec::new(), tags: Vec::new() }
    }
    fn add_parts(&mut self, kind: u16, tags: impl IntoIterator<Item = TagKey>) {
        if !self.kinds.contains(&kind) {
            self.kinds.push(kind);
        }
        for tag in tags {
            if !self.tags.contains(&tag) {
                self.tags.push(tag);
            }
        }
    }
    /// Adds the target or an earlier amendment of it.
    pub(super) fn add(&mut self, frame: &Frame) {
        self.add_parts(frame.kind(), frame.tags());
    }
    /// As [`Self::add`], of a record that is not yet in the log.
    pub(super) fn add_prepared(&mut self, record: &Prepared) {
        self.add_parts(record.kind(), record.tags().iter().copied());
    }
    /// Adds the index keys that these make: the tags, and one by which amendments of the target are found.
    pub(super) fn add_keys(&self, keys: &mut Vec<TagKey>) {
        for tag in self.tags.iter().copied().chain([amendments_key(self.target)]) {
            if !keys.contains(&tag) {
                keys.push(tag);
            }
        }
    }
    /// Whether an amendment with this kind, these tags and this id matches.
    pub(super) fn matches(&self, query: &Query, kind: u16, tags: &[TagKey], id: RecordId) -> bool {
        let mut kinds = self.kinds.clone();
        kinds.push(kind);
        let mut all = self.tags.clone();
        all.extend_from_slice(tags);
        query.matches(&kinds, &all, &[id, self.target])
    }
}

/// Whether a record that is no amendment matches; nothing is decoded or allocated.
fn matches_plainly(query: &Query, frame: &Frame) -> bool {
    let kind = frame.kind();
    query.items().iter().any(|item| {
        (item.kinds.is_empty() || item.kinds.contains(&kind))
            && item.record.is_none_or(|id| id == frame.id())
            && item.tags.iter().all(|tag| frame.has_tag(tag))
    })
}

impl Shared {
    /// Whether the record at `position` matches. Those of the ledger itself never do.
    pub(super) fn matches(&self, query: &Query, position: Position, frame: &Frame) -> Result<bool> {
        if frame.is_ledger_level() {
            return Ok(false);
        }
        if matches_plainly(query, frame) {
            return Ok(true);
        }
        Ok(match self.derived(frame, position)? {
            None => false,
            Some(derived) => derived.matches(query, frame.kind(), &frame.tags(), frame.id()),
        })
    }
}
