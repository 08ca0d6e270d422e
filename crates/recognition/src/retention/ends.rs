//! When models and plaques ended, and which later dates corrections gave to records: what terms depend on beyond one record.

use crate::event::Recognition;
use sovang_core::likeness::nfc;
use sovang_core::{Query, RecordId, Recorded};
use sovang_projection::Projection;
use std::collections::BTreeMap;

/// How often a year was named by what stands.
type Years = BTreeMap<i32, i64>;

/// Folded over the log. Memory: an entry for each withdrawn model, removed plaque and corrected record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    models: BTreeMap<String, Years>,
    plaques: BTreeMap<String, Years>,
    corrected: BTreeMap<RecordId, i32>,
}

impl Ends {
    /// The last year in which the model that an event is about was withdrawn, or its plaque removed.
    #[must_use]
    pub(super) fn year_of_subject(&self, event: &Recognition) -> Option<i32> {
        let years = match event {
            Recognition::PlaqueMounted(e) => self.plaques.get(&*nfc(&e.plaque)),
            Recognition::PlaqueRemoved(e) => self.plaques.get(&*nfc(&e.plaque)),
            other => self.models.get(&*nfc(other.model()?)),
        };
        years?.iter().rev().find(|(_, weight)| **weight > 0).map(|(year, _)| *year)
    }
    /// The last year to which an original record was corrected.
    #[must_use]
    pub(super) fn year_of_record(&self, id: RecordId) -> Option<i32> {
        self.corrected.get(&id).copied()
    }
}

impl Projection<Recognition> for Ends {
    fn query(&self) -> Query {
        Query::kinds([Recognition::MODEL_WITHDRAWN, Recognition::PLAQUE_REMOVED, Recognition::RECORD_CORRECTED])
    }
    fn apply(&mut self, record: &Recorded<Recognition>) {
        if let Recognition::RecordCorrected(correction) = &record.event {
            let year = self.corrected.entry(correction.target).or_insert(i32::MIN);
            *year = (*year).max(correction.replacement_on.year());
        }
        for effect in record.effects() {
            let years = match effect.event {
                Recognition::ModelWithdrawn(e) => self.models.entry(nfc(&e.model).into_owned()),
                Recognition::PlaqueRemoved(e) => self.plaques.entry(nfc(&e.plaque).into_owned()),
                _ => continue,
            };
            *years.or_default().entry(effect.occurred_on.year()).or_default() += effect.weight;
        }
    }
}
