//! One group of submissions on its way into one batch: each is decided on the log and on what of the group came before.

use super::matching::Derived;
use super::shared::{LEDGER_KEY, Shared, amendments_key};
use super::{SameDecoded, StoreOptions, Submission};
use crate::log::{BATCH_FIXED_BYTES, RECORD_SUM_BYTES};
use bytes::Bytes;
use rustc_hash::{FxHashMap, FxHashSet};
use sovang_core::calendar::{DAY_MICROS, date_of, instant_of};
use sovang_core::personal::Opened;
use sovang_core::query::Item;
use sovang_core::record::{Frame, Prepared};
use sovang_core::{Condition, Conflict, Error, ErrorKind, Position, RecordHash, RecordId, Result, Size, TagKey, limits};
use std::ops::Range;
use std::sync::Arc;

/// Records of one group at most.
const GROUP_RECORDS_MAX: usize = 16_384;

/// Bytes that records take in a batch.
pub(super) fn batch_bytes(records: &[Prepared]) -> usize {
    BATCH_FIXED_BYTES + records.iter().map(|r| r.len() + RECORD_SUM_BYTES).sum::<usize>()
}

/// A record that is there, or will be with the group: then its hash is told by the log.
pub(super) struct Reference {
    pub(super) position: Position,
    pub(super) id: RecordId,
    pub(super) hash: Option<RecordHash>,
}

/// What a submission comes to, once the group is durable.
pub(super) enum Outcome {
    /// These records of the group.
    Appended(Range<usize>),
    /// They were there, or earlier in the group.
    Repeated(Vec<Reference>),
    /// Nothing of it was taken.
    Refused(Error),
}

/// Where a record is that a submission repeats or amends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Log(Position),
    Group(usize),
}

pub(super) struct Group {
    /// The position of its first record.
    first: u64,
    pub(super) records: Vec<Prepared>,
    /// What each amendment is found under, by the record's index.
    derived: FxHashMap<usize, Derived>,
    ids: FxHashMap<RecordId, usize>,
    found: Found,
    bytes: usize,
    last_recorded_at: i64,
}

/// By what the group's records are found; made only as far as a condition or an amendment asks.
#[derive(Default)]
struct Found {
    upto: usize,
    by_key: FxHashMap<TagKey, Vec<usize>>,
    newest_of_kind: FxHashMap<u16, usize>,
    newest: Option<usize>,
}

impl Group {
    pub(super) fn new(first: Size, last_recorded_at: i64) -> Self {
        Self {
            first: first.0,
            records: Vec::new(),
            derived: FxHashMap::default(),
            ids: FxHashMap::default(),
            found: Found::default(),
            bytes: BATCH_FIXED_BYTES,
            last_recorded_at,
        }
    }
    /// Whether these records still fit.
    pub(super) fn has_room(&self, records: &[Prepared]) -> bool {
        self.records.is_empty()
            || (self.records.len() + records.len() <= GROUP_RECORDS_MAX
                && self.bytes + batch_bytes(records) <= limits::BATCH_BYTES_MAX)
    }
    fn next(&self) -> u64 {
        self.first + self.records.len() as u64
    }
    fn position(&self, index: usize) -> Position {
        Position(self.first + index as u64)
    }
    /// The index keys of the record at `index`, as `keys_of` gives them for a frame.
    pub(super) fn keys(&self, index: usize, record: &Prepared) -> Vec<TagKey> {
        let mut keys = record.tags().to_vec();
        if record.kind() >= limits::LEDGER_KIND_FIRST {
            keys.push(LEDGER_KEY);
        }
        if let Some(derived) = self.derived.get(&index) {
            derived.add_keys(&mut keys);
        }
        keys
    }
    /// References to records of the group.
    pub(super) fn references(&self, range: Range<usize>) -> Vec<Reference> {
        let reference =
            |index: usize| Some(Reference { position: self.position(index), id: self.records.get(index)?.id(), hash: None });
        range.filter_map(reference).collect()
    }
    /// Whether the record at `position` was there before the group.
    pub(super) fn was_there(&self, position: Position) -> bool {
        position.0 < self.first
    }

    /// Decides a submission, and takes its records unless it is repeated or refused.
    pub(super) fn decide(&mut self, shared: &Arc<Shared>, options: &StoreOptions, submission: Submission) -> Outcome {
        match self.try_decide(shared, options, submission) {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Refused(error),
        }
    }
    fn try_decide(&mut self, shared: &Arc<Shared>, options: &StoreOptions, submission: Submission) -> Result<Outcome> {
        let Submission { mut records, condition, recorded_at } = submission;
        // Ids go first: what was answered once is answered again, whatever came since.
        if let Some(repeated) = self.repeated(shared, shared.same_decoded.get(), &records)? {
            return Ok(Outcome::Repeated(repeated));
        }
        let derived = self.amendments(shared, &records)?;
        check_subjects(shared, &records)?;
        if let Some(condition) = &condition {
            self.check(shared, condition)?;
        }
        let start = self.records.len();
        let mut last = self.last_recorded_at;
        for (index, record) in records.iter_mut().enumerate() {
            let at = match recorded_at.as_ref().and_then(|times| times.get(index)) {
                Some(at) if *at < last => {
                    return Err(Error::new(ErrorKind::InvalidInput, "recorded_at goes back behind the record before")
                        .with_ids([record.id()]));
                }
                Some(at) => *at,
                None => last.max((options.clock)()),
            };
            let today = at.saturating_add(i64::from(options.utc_offset_seconds) * 1_000_000).div_euclid(DAY_MICROS);
            let today = i32::try_from(today).unwrap_or(i32::MAX);
            // No reader could read a record of another time.
            instant_of(at).and_then(|_| date_of(today)).map_err(|_| {
                Error::new(ErrorKind::InvalidInput, "recorded_at is outside of the years 1 to 9999")
                    .with_ids([record.id()])
                    .advise("set the clock")
            })?;
            record.stamp(at, today);
            last = at;
        }
        self.last_recorded_at = last;
        for (index, derived) in derived {
            self.derived.insert(start + index, derived);
        }
        for (index, record) in (start..).zip(records) {
            self.ids.insert(record.id(), index);
            self.bytes += record.len() + RECORD_SUM_BYTES;
            self.records.push(record);
        }
        Ok(Outcome::Appended(start..self.records.len()))
    }

    fn place(&self, shared: &Arc<Shared>, id: RecordId) -> Result<Option<Place>> {
        if let Some(index) = self.ids.get(&id) {
            return Ok(Some(Place::Group(*index)));
        }
        Ok(shared.find(id, Size(self.first))?.map(Place::Log))
    }

    /// Where the records are, if all of them are there with the same content; none if none is.
    fn repeated(
        &self,
        shared: &Arc<Shared>,
        same_decoded: Option<&SameDecoded>,
        records: &[Prepared],
    ) -> Result<Option<Vec<Reference>>> {
        let mut places = Vec::new();
        let mut seen = FxHashSet::default();
        for (index, record) in records.iter().enumerate() {
            if records.len() > 1 && !seen.insert(record.id()) {
                return Err(
                    Error::new(ErrorKind::InvalidInput, "two records of one call have the same id").with_ids([record.id()])
                );
            }
            match self.place(shared, record.id())? {
                Some(place) if places.len() == index => places.push(place),
                None if places.is_empty() => {}
                _ => {
                    return Err(Error::new(
                        ErrorKind::PartlyPresent,
                        "some of these records are in the ledger and some are not: nothing was appended",
                    )
                    .advise("send exactly the same records again, or the missing ones in a call of their own"));
                }
            }
        }
        if places.is_empty() {
            return Ok(None);
        }
        let mut there = Vec::with_capacity(places.len());
        for (record, place) in records.iter().zip(places) {
            let (position, same) = match place {
                Place::Log(position) => (position, same_as_logged(shared, same_decoded, record, position)?),
                Place::Group(index) => (self.position(index), self.same_as_grouped(same_decoded, record, index)?),
            };
            if !same {
                return Err(Error::new(
                    ErrorKind::ContentDiffers,
                    format!("the id {} is there already, with other content", record.id()),
                )
                .at(position)
                .with_ids([record.id()])
                .advise("send a correction instead, or give the new record its own id"));
            }
            there.push(match place {
                Place::Log(position) => {
                    Reference { position, id: record.id(), hash: Some(shared.frame(position)?.hash(position)) }
                }
                Place::Group(_) => Reference { position, id: record.id(), hash: None },
            });
        }
        Ok(Some(there))
    }
    fn same_as_grouped(&self, same_decoded: Option<&SameDecoded>, record: &Prepared, index: usize) -> Result<bool> {
        let Some(there) = self.records.get(index) else {
            return Ok(false);
        };
        let frame = frame_of(there)?;
        if !same_public(same_decoded, record, &frame)? {
            return Ok(false);
        }
        Ok(record.personal().iter().zip(there.personal()).all(|(a, b)| match (&a.value, &b.value) {
            (Some(a), Some(b)) => a.subject == b.subject && a.value == b.value,
            _ => true,
        }))
    }

    /// What the amendments among the records are found under, by their index. Their targets are earlier original records.
    fn amendments(&mut self, shared: &Arc<Shared>, records: &[Prepared]) -> Result<Vec<(usize, Derived)>> {
        let mut all: Vec<(usize, Derived)> = Vec::new();
        if records.iter().all(|record| record.target().is_none()) {
            return Ok(all);
        }
        self.find_all();
        let mut originals: FxHashMap<RecordId, &Prepared> = FxHashMap::default();
        let mut amendments: FxHashMap<RecordId, Vec<&Prepared>> = FxHashMap::default();
        for (index, record) in records.iter().enumerate() {
            let Some(target) = record.target() else {
                originals.insert(record.id(), record);
                continue;
            };
            let mut derived = Derived::of(target);
            let refuse = |why: &str| {
                Err(Error::new(ErrorKind::AmendmentTarget, format!("the record {target} {why}")).with_ids([record.id()]))
            };
            let mut add = |target: &Prepared| {
                derived.add_prepared(target);
                (target.target().is_some(), target.kind())
            };
            let (is_amendment, kind) = if let Some(original) = originals.get(&target) {
                add(original)
            } else {
                match self.place(shared, target)? {
                    Some(Place::Group(at)) => match self.records.get(at) {
                        Some(original) => add(original),
                        None => return refuse("to be amended is not in the ledger"),
                    },
                    Some(Place::Log(position)) => {
                        let frame = shared.frame(position)?;
                        derived.add(&frame);
                        for position in shared.amendments(target, Size(self.first))? {
                            derived.add(&shared.frame(position)?);
                        }
                        (frame.is_amendment(), frame.kind())
                    }
                    None => return refuse("to be amended is not in the ledger"),
                }
            };
            if is_amendment {
                return refuse("to be amended is itself an amendment: amend the original record");
            }
            if kind >= limits::LEDGER_KIND_FIRST {
                return refuse("to be amended is a record of the ledger itself");
            }
            if record.replacement_kind().is_some_and(|replacement| replacement != kind) {
                return refuse("is of another kind than what is to replace it: retract it and record the other event");
            }
            for at in self.found.by_key.get(&amendments_key(target)).into_iter().flatten() {
                if let Some(earlier) = self.records.get(*at).filter(|r| r.target() == Some(target)) {
                    derived.add_prepared(earlier);
                }
            }
            let earlier = amendments.entry(target).or_default();
            earlier.iter().for_each(|earlier| derived.add_prepared(earlier));
            earlier.push(record);
            // An amendment of it is refused as one.
            originals.insert(record.id(), record);
            all.push((index, derived));
        }
        Ok(all)
    }

    /// Brings what records are found by up to the last one.
    fn find_all(&mut self) {
        for (index, record) in self.records.iter().enumerate().skip(self.found.upto) {
            let found = &mut self.found;
            found.upto = index + 1;
            if record.kind() >= limits::LEDGER_KIND_FIRST {
                continue;
            }
            let derived = self.derived.get(&index);
            found.newest = Some(index);
            for kind in derived.map(|d| d.kinds.as_slice()).unwrap_or_default().iter().chain([&record.kind()]) {
                found.newest_of_kind.insert(*kind, index);
            }
            let mut keys = record.tags().to_vec();
            if let Some(derived) = derived {
                derived.add_keys(&mut keys);
            }
            for key in keys {
                found.by_key.entry(key).or_default().push(index);
            }
        }
    }
    /// The newest record of the group that an alternative names.
    fn newest(&self, item: &Item) -> Option<usize> {
        let found = &self.found;
        let matches = |index: &usize| {
            let record = self.records.get(*index).filter(|r| r.kind() < limits::LEDGER_KIND_FIRST)?;
            let derived = self.derived.get(index);
            let mut kinds = derived.map(|d| d.kinds.clone()).unwrap_or_default();
            kinds.push(record.kind());
            let mut tags = derived.map(|d| d.tags.clone()).unwrap_or_default();
            tags.extend_from_slice(record.tags());
            let ids = [record.id(), record.target().unwrap_or(record.id())];
            item.matches(&kinds, &tags, &ids).then_some(*index)
        };
        if let Some(id) = item.record {
            let amendment = found.by_key.get(&amendments_key(id)).and_then(|all| all.iter().rev().find_map(matches));
            return amendment.or_else(|| self.ids.get(&id).and_then(matches));
        }
        if item.tags.is_empty() {
            if item.kinds.is_empty() {
                return found.newest;
            }
            return item.kinds.iter().filter_map(|kind| found.newest_of_kind.get(kind).copied()).max();
        }
        let mut lists = Vec::with_capacity(item.tags.len());
        for tag in &item.tags {
            lists.push(found.by_key.get(tag)?);
        }
        lists.into_iter().min_by_key(|list| list.len())?.iter().rev().find_map(matches)
    }
    /// That nothing which matches came at or after the size looked at.
    fn check(&mut self, shared: &Arc<Shared>, condition: &Condition) -> Result<()> {
        let Condition { query, looked_at } = condition;
        if looked_at.0 > self.next() {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("the condition looks at size {looked_at}, and the ledger's is {}", self.next()),
            ));
        }
        self.find_all();
        let in_group = query.items().iter().filter_map(|item| self.newest(item)).max().map(|index| self.position(index));
        let conflict = match in_group {
            Some(position) if position.0 >= looked_at.0 => Some(position),
            // The group comes after the log: a match there that is too early leaves only earlier ones.
            Some(_) => None,
            None => shared.newest_match(query, looked_at.0..self.first)?,
        };
        match conflict {
            None => Ok(()),
            Some(position) => Err(Error::new(ErrorKind::Conflict, "a record that the decision did not see came in between")
                .at(position)
                .with_conflict(Conflict::new(position, *looked_at))),
        }
    }
}

/// A record that is not yet in the log as a frame.
fn frame_of(record: &Prepared) -> Result<Frame> {
    Ok(Frame::parse(Bytes::copy_from_slice(record.bytes()))?)
}

fn same_public(same_decoded: Option<&SameDecoded>, record: &Prepared, there: &Frame) -> Result<bool> {
    match (record.same_public_content(there), same_decoded) {
        (Some(same), _) => Ok(same),
        (None, Some(decide)) => decide(record, there),
        (None, None) => Ok(false),
    }
}

/// Whether a record says what the log's says: a value that is erased or sealed matches anything.
fn same_as_logged(
    shared: &Arc<Shared>,
    same_decoded: Option<&SameDecoded>,
    record: &Prepared,
    position: Position,
) -> Result<bool> {
    let there = shared.frame(position)?;
    if !same_public(same_decoded, record, &there)? {
        return Ok(false);
    }
    let Some(vault) = &shared.vault else {
        return Ok(true);
    };
    for (field, commitment) in there.commitments() {
        let Some(ours) = record.personal().iter().find(|row| row.field == field).and_then(|row| row.value.as_ref()) else {
            continue;
        };
        if let Opened::Known { subject, value, .. } = vault.value(&commitment).map_err(|e| e.at(position))?
            && (subject != ours.subject || value != ours.value)
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// That no record names a person whose data was erased, and that there is a vault for what is personal.
fn check_subjects(shared: &Arc<Shared>, records: &[Prepared]) -> Result<()> {
    for record in records {
        for row in record.personal() {
            let Some(vault) = &shared.vault else {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    "this copy of the ledger has no vault, so it takes no personal data",
                )
                .with_ids([record.id()])
                .advise("restore `vault/` from its backup"));
            };
            if let Some(value) = &row.value
                && vault.is_erased(&value.subject)?
            {
                let what = "the record names a person whose data was erased";
                return Err(Error::new(ErrorKind::ErasedSubject, what).with_ids([record.id()]));
            }
        }
    }
    Ok(())
}
