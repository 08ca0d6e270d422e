//! A desk that records by the rules, twice: narrow, as a command decides, and whole, as an import does. Whatever one
//! of them says the other has to say too.

use sovang_core::{Amends, Date, Entry, Event, RecordId, date};
use sovang_projection::testing::{Memory, record_id};
use sovang_projection::{ExecuteError, Store, execute, fold};
use sovang_recognition::rules::{Flagged, Flags, Refusal, Target, WholeOffice};
use sovang_recognition::*;
use std::collections::BTreeMap;

/// What a record id names.
enum Known {
    Amendment,
    Original(Option<Box<(Recognition, Date)>>),
}

pub(crate) struct Desk {
    memory: Memory<Recognition>,
    whole: WholeOffice,
    known: BTreeMap<RecordId, Known>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { memory: Memory::new(), whole: WholeOffice::new(), known: BTreeMap::new() }
    }
    /// With ward `w` and model `m` of it.
    pub(crate) fn open() -> Self {
        let mut desk = Self::new();
        desk.record(ward("w").on(date(2013, 12, 27)));
        desk.record(model("m", "w").on(date(2024, 1, 2)));
        desk
    }
    /// Records what the rules allow, and gives the record's id.
    #[track_caller]
    pub(crate) fn record(&mut self, entry: Entry<Recognition>) -> RecordId {
        match self.attempt(&entry) {
            Ok(id) => id,
            Err(refusal) => panic!("{:?} was refused: {refusal}", entry.event()),
        }
    }
    /// Asserts that the rules refuse it, and under which rule.
    #[track_caller]
    pub(crate) fn refuse(&mut self, rule: u16, entry: Entry<Recognition>) -> Refusal {
        match self.attempt(&entry) {
            Ok(_) => panic!("{:?} was not refused", entry.event()),
            Err(refusal) => {
                assert_eq!(refusal.rule(), rule, "{refusal}");
                if rule != 0 {
                    assert!(refusal.to_string().starts_with(&format!("rule {rule}: ")), "{refusal}");
                }
                refusal
            }
        }
    }
    /// Refused without a waiver of the rule, and recorded with it.
    #[track_caller]
    pub(crate) fn needs_waiver(&mut self, rule: u16, entry: Entry<Recognition>) -> RecordId {
        self.refuse(rule, entry.clone());
        for other in [1, 4, 5].into_iter().filter(|other| *other != rule) {
            self.refuse(rule, entry.clone().overriding([other], "of no help"));
        }
        self.record(entry.overriding([rule], "legacy"))
    }
    #[track_caller]
    pub(crate) fn attempt(&mut self, entry: &Entry<Recognition>) -> Result<RecordId, Refusal> {
        let id = entry.id().unwrap_or(record_id(self.memory.len().0));
        let narrow = match execute(&self.memory, entry, 1) {
            Ok(_) => Ok(()),
            Err(ExecuteError::Refused(refusal)) => Err(refusal),
            Err(ExecuteError::Failed(error)) => panic!("{error}"),
        };
        let whole = self.whole.admit(entry, id, &self.target(entry));
        assert_eq!(narrow, whole, "narrow and whole disagree on {:?}", entry.event());
        narrow.map(|()| {
            self.learn(entry, id);
            id
        })
    }
    fn target(&self, entry: &Entry<Recognition>) -> Target {
        let target = entry.event().amends().map(|a| a.target());
        match target.and_then(|id| self.known.get(&id)) {
            None => Target::Missing,
            Some(Known::Amendment) => Target::Amendment,
            Some(Known::Original(None)) => Target::Retracted,
            Some(Known::Original(Some(stood))) => Target::Standing { event: Box::new(stood.0.clone()), occurred_on: stood.1 },
        }
    }
    fn learn(&mut self, entry: &Entry<Recognition>, id: RecordId) {
        let standing = |event: &Recognition, on| Known::Original(Some(Box::new((event.clone(), on))));
        match entry.event().amends() {
            None => {
                let on = entry.occurred_on().expect("a dated entry");
                self.known.insert(id, standing(entry.event(), on));
            }
            Some(amends) => {
                let now = match amends {
                    Amends::Replaces { on, by, .. } => standing(by, on),
                    Amends::Retracts { .. } => Known::Original(None),
                };
                self.known.insert(amends.target(), now);
                self.known.insert(id, Known::Amendment);
            }
        }
    }
    /// A projection over all of the desk's records.
    pub(crate) fn folded<P: sovang_projection::Projection<Recognition>>(&self, projection: P) -> P {
        let query = projection.query();
        let records = self.memory.read(&query, sovang_core::Size::ZERO, self.memory.len()).expect("readable");
        fold(projection, records, &|target, position| self.memory.before(target, position)).expect("folds")
    }
    pub(crate) fn flags(&self) -> Vec<Flagged> {
        self.folded(Flags::new()).list()
    }
    /// Continues with a whole state that was folded from the records, as an import into a ledger starts.
    pub(crate) fn reopen(&mut self) {
        self.whole = self.folded(WholeOffice::new());
    }
}

pub(crate) fn ward(id: &str) -> UnitDefined {
    unit_defined(id, "Phường", UnitKind::Ward, date(2013, 12, 27))
}
pub(crate) fn model(id: &str, unit: &str) -> ModelRegistered {
    model_registered(id, "Vườn rau", SubjectKind::Collective, unit, Field::Economy, 2024)
}
pub(crate) fn gift(model: &str) -> ModelFunded {
    model_funded(model, Contribution::Cash { vnd: 15_000_000 }, Source::Socialised)
}
/// Number `n` of 2024, of 1 September 2024, of an issuer that is no unit.
pub(crate) fn ruling(n: u32) -> Decision {
    decision("UBND", format!("{n}/QD"), date(2024, 9, 1))
}
pub(crate) fn recognised(model: &str, decision: Decision) -> ModelRecognised {
    model_recognised(model, Level::District, decision)
}
pub(crate) fn plaque(id: &str, model: &str) -> PlaqueMounted {
    plaque_mounted(id, model, Level::District, "Tổ 5")
}
pub(crate) fn removal(id: &str) -> PlaqueRemoved {
    plaque_removed(id, RemovalReason::Missing)
}
pub(crate) fn award(id: &str, decision: Decision) -> CommendationAwarded {
    commendation_awarded(
        id,
        Recipient::collective("Tổ dân phố 5").of_unit("w"),
        Form::CertificateOfMerit,
        Level::District,
        decision,
    )
}
pub(crate) fn annulled(decision: Decision, by: Decision) -> DecisionAnnulled {
    decision_annulled(decision, Ground::StandardNotMet, by)
}
