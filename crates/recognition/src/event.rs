//! The vocabulary, version 1: what a recognition office records.
//!
//! One struct for each event, made by the function of the event's name, with a method for each optional field;
//! `.on(date)` or `.today()` makes an entry of it. What the fields may hold is said by [`Recognition::validate`].

mod build;
mod facts;
mod invalid;
mod persons;
pub(crate) mod stored;
mod tags;
pub(crate) mod validate;

pub use crate::codes::{
    Extent, Field, Form, Ground, LandKind, Level, Qualifier, RemovalReason, Source, SubjectKind, UnitKind, UnknownCode,
};
pub use build::{
    commendation_awarded, commendation_proposed, decision, decision_annulled, figure_published, model_continued, model_funded,
    model_recognised, model_registered, model_replicated, model_withdrawn, plaque_mounted, plaque_removed, record_corrected,
    record_retracted, unit_defined, unit_succeeded,
};
pub use facts::{
    Address, CommendationAwarded, CommendationProposed, Contribution, Decision, DecisionAnnulled, FigurePublished,
    ModelContinued, ModelFunded, ModelRecognised, ModelRegistered, ModelReplicated, ModelWithdrawn, PlaqueMounted, PlaqueRemoved,
    Recipient, RecordCorrected, RecordRetracted, UnitDefined, UnitSucceeded,
};
pub use invalid::{Fault, Invalid};
pub use validate::{DECISION_BYTES_MAX, ID_BYTES_MAX, LONG_TEXT_BYTES_MAX, TEXT_BYTES_MAX, YEAR_MAX};

use sovang_core::{Amends, CodecError, Decoder, Encoder, Event, Kind, Tags};

macro_rules! vocabulary {
    ($($(#[$doc:meta])* $name:ident $constant:ident = $number:literal $wire:literal,)*) => {
        /// An event of the recognition office.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Recognition {
            $($(#[$doc])* $name($name),)*
        }
        impl Recognition {
            $(
                #[doc = concat!("The kind of [`", stringify!($name), "`].")]
                pub const $constant: Kind = Kind::new($number, 1, $wire);
            )*
        }
        impl Event for Recognition {
            const SCHEMA: &'static str = "sovang/recognition";
            const KINDS: &'static [Kind] = &[$(Self::$constant),*];
            fn kind(&self) -> Kind {
                match self { $(Self::$name(_) => Self::$constant,)* }
            }
            fn encode(&self, to: &mut Encoder) -> Result<(), CodecError> {
                match self { $(Self::$name(event) => event.encode(to),)* }
            }
            fn decode(number: u16, version: u16, from: &mut Decoder) -> Result<Self, CodecError> {
                Ok(match (number, version) {
                    $(($number, 1) => Self::$name($name::decode_v1(from)?),)*
                    _ => return Err(from.unknown_kind()),
                })
            }
            fn tags(&self, tags: &mut Tags) {
                match self { $(Self::$name(event) => event.tags(tags),)* }
            }
            fn amends(&self) -> Option<Amends<'_, Self>> {
                match self {
                    Self::RecordCorrected(e) => {
                        Some(Amends::Replaces { target: e.target, on: e.replacement_on, by: &e.replacement })
                    }
                    Self::RecordRetracted(e) => Some(Amends::Retracts { target: e.target }),
                    _ => None,
                }
            }
        }
        $(
            impl From<$name> for Recognition {
                fn from(event: $name) -> Self {
                    Self::$name(event)
                }
            }
            impl $name {
                /// This event, which happened on that day.
                #[must_use]
                pub fn on(self, date: sovang_core::Date) -> sovang_core::Entry<Recognition> {
                    Recognition::from(self).on(date)
                }
                /// This event, which happened on the day on which the writer records it.
                #[must_use]
                pub fn today(self) -> sovang_core::Entry<Recognition> {
                    Recognition::from(self).today()
                }
            }
        )*
    };
}

// Numbers are for ever; a name may be read by others' programs and does not change either.
vocabulary! {
    /// A unit exists.
    UnitDefined UNIT_DEFINED = 1 "unit_defined",
    /// A unit goes over into another.
    UnitSucceeded UNIT_SUCCEEDED = 2 "unit_succeeded",
    /// A model is registered.
    ModelRegistered MODEL_REGISTERED = 3 "model_registered",
    /// A model is kept up in a later year.
    ModelContinued MODEL_CONTINUED = 4 "model_continued",
    /// A model was taken as the example for another.
    ModelReplicated MODEL_REPLICATED = 5 "model_replicated",
    /// A model ends.
    ModelWithdrawn MODEL_WITHDRAWN = 6 "model_withdrawn",
    /// A model is recognised by a decision.
    ModelRecognised MODEL_RECOGNISED = 7 "model_recognised",
    /// Something is given to a model.
    ModelFunded MODEL_FUNDED = 8 "model_funded",
    /// A plaque is mounted.
    PlaqueMounted PLAQUE_MOUNTED = 9 "plaque_mounted",
    /// A plaque is no longer there.
    PlaqueRemoved PLAQUE_REMOVED = 10 "plaque_removed",
    /// Someone is proposed for a commendation.
    CommendationProposed COMMENDATION_PROPOSED = 11 "commendation_proposed",
    /// Someone is commended by a decision.
    CommendationAwarded COMMENDATION_AWARDED = 12 "commendation_awarded",
    /// A decision is annulled by another.
    DecisionAnnulled DECISION_ANNULLED = 13 "decision_annulled",
    /// An original record stands as another event.
    RecordCorrected RECORD_CORRECTED = 14 "record_corrected",
    /// An original record does not stand.
    RecordRetracted RECORD_RETRACTED = 15 "record_retracted",
    /// A figure was published.
    FigurePublished FIGURE_PUBLISHED = 16 "figure_published",
}

impl Recognition {
    /// The event's name on the wire, such as `model_funded`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.kind().name()
    }
    /// The model it is about; of a replication the example, of an amendment none.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        Some(match self {
            Self::ModelRegistered(e) => &e.model,
            Self::ModelContinued(e) => &e.model,
            Self::ModelReplicated(e) => &e.model,
            Self::ModelWithdrawn(e) => &e.model,
            Self::ModelRecognised(e) => &e.model,
            Self::ModelFunded(e) => &e.model,
            Self::PlaqueMounted(e) => &e.model,
            _ => return None,
        })
    }
    /// The unit it names: the one defined or succeeded, a model's, a recipient's, a figure's.
    #[must_use]
    pub fn unit(&self) -> Option<&str> {
        match self {
            Self::UnitDefined(e) => Some(&e.unit),
            Self::UnitSucceeded(e) => Some(&e.from),
            Self::ModelRegistered(e) => Some(&e.unit),
            Self::CommendationProposed(e) => e.recipient.unit(),
            Self::CommendationAwarded(e) => e.recipient.unit(),
            Self::FigurePublished(e) => Some(&e.unit),
            _ => None,
        }
    }
    /// The plaque it is about.
    #[must_use]
    pub fn plaque(&self) -> Option<&str> {
        match self {
            Self::PlaqueMounted(e) => Some(&e.plaque),
            Self::PlaqueRemoved(e) => Some(&e.plaque),
            _ => None,
        }
    }
    /// The commendation it is about.
    #[must_use]
    pub fn commendation(&self) -> Option<&str> {
        match self {
            Self::CommendationProposed(e) => Some(&e.commendation),
            Self::CommendationAwarded(e) => Some(&e.commendation),
            _ => None,
        }
    }
    /// Every decision it cites: of an annulment the annulled one, then the annulling one.
    pub fn decisions(&self) -> impl Iterator<Item = &Decision> + Clone {
        let (first, second) = match self {
            Self::ModelRecognised(e) => (Some(&e.decision), None),
            Self::PlaqueMounted(e) => (e.decision.as_ref(), None),
            Self::CommendationAwarded(e) => (Some(&e.decision), None),
            Self::DecisionAnnulled(e) => (Some(&e.decision), Some(&e.by)),
            _ => (None, None),
        };
        first.into_iter().chain(second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sovang_core::{Personal, RecordId, TagKey, date, hash, shape};

    /// A stored layout never changes without a new version: add an arm to `decode`, then the lines that this test prints.
    #[test]
    fn the_schema_is_locked() {
        assert_eq!(shape::listing::<Recognition>().expect("every kind decodes"), include_str!("../sovang.lock"));
    }

    fn tags(event: impl Into<Recognition>) -> Vec<TagKey> {
        Tags::of(&event.into()).expect("tags")
    }
    fn keys(tags: &[(&str, &str)]) -> Vec<TagKey> {
        let mut keys: Vec<_> = tags.iter().map(|(name, value)| hash::tag_key(name, value)).collect();
        keys.sort_unstable();
        keys
    }
    fn medal(recipient: Recipient) -> CommendationAwarded {
        let by = decision("BDVTW", "77", date(2024, 10, 1));
        commendation_awarded("C", recipient, Form::Medal, Level::City, by).achievement("Gương sáng")
    }

    #[test]
    fn records_are_found_by_what_they_are_about() {
        let cited = decision("a|b", "c\\", date(2024, 10, 1));
        assert_eq!(cited.tag(), "a\\|b|c\\\\|2024");
        assert_ne!(decision("a", "b|c", cited.date).tag(), decision("a|b", "c", cited.date).tag());
        let registered = model_registered("M", "T", SubjectKind::Individual, "u", Field::Economy, 2024);
        assert_eq!(tags(registered.clone()), keys(&[("model", "M"), ("models-of", "u")]));
        assert_eq!(tags(registered.subject(Personal::of("P", "N"))), keys(&[("model", "M"), ("models-of", "u")]));
        assert_eq!(tags(unit_succeeded("a", "b", date(2025, 7, 1), "act", Extent::Part)), keys(&[("unit", "a"), ("unit", "b")]));
        assert_eq!(tags(model_replicated("a", "b")), keys(&[("model", "a"), ("model", "b")]));
        let mounted = plaque_mounted("P", "M", Level::City, "here").decision(cited.clone());
        let about = [("plaque", "P"), ("model", "M"), ("decision", "a\\|b|c\\\\|2024")];
        assert_eq!(tags(mounted.clone()), keys(&about));
        let target = RecordId::from_bytes([1; 16]);
        assert_eq!(tags(record_corrected(target, mounted, date(2024, 1, 1), "r")), keys(&about));
        assert_eq!(tags(record_retracted(target, "r")), []);
        let by = decision("x", "1", date(2025, 1, 1));
        assert_eq!(tags(decision_annulled(cited, Ground::FalsePapers, by)), keys(&[about[2], ("decision", "x|1|2025")]));
    }

    #[test]
    fn the_same_achievement_has_the_same_tag() {
        let person = |id: &str| medal(Recipient::individual(Personal::of(id, id)).of_unit("u"));
        assert_eq!(person("P").achievement_tag(), person("Q").achievement_tag(), "nothing of a person");
        assert_eq!(person("P").achievement_tag(), medal(Recipient::individual(Personal::None)).achievement_tag());
        let decomposed = person("P").achievement("Gu\u{31B}o\u{31B}ng sa\u{301}ng");
        assert_eq!(person("P").achievement_tag(), decomposed.achievement_tag(), "in NFC");
        let group = |name: &str| medal(Recipient::collective(name).of_unit("u"));
        assert_ne!(group("A").achievement_tag(), group("B").achievement_tag());
        assert_ne!(group("A").achievement_tag(), medal(Recipient::collective("A")).achievement_tag());
        let mut unnamed = group("A");
        unnamed.achievement = None;
        assert_eq!(unnamed.achievement_tag(), None);
    }

    #[test]
    fn an_address_goes_where_its_model_belongs() {
        let model = || model_registered("M", "T", SubjectKind::Individual, "u", Field::Economy, 2024);
        let personal = |event: &ModelRegistered| matches!(event.address, Some(Address::Personal(Personal::Known { .. })));
        let subject = || Personal::of("P", "N");
        assert!(personal(&model().subject(subject()).address("here")) && personal(&model().address("here").subject(subject())));
        assert_eq!(model().address("here").address, Some(Address::Public("here".into())));
        let mut apart = model().address("here");
        apart.subject = subject();
        let refused = Recognition::from(apart).validate().expect_err("a public address of a person");
        assert_eq!((refused.field.as_str(), refused.fault), ("address", Fault::AddressApart));
        let mut others = model().subject(subject()).address("here");
        others.address = Some(Address::Personal(Personal::of("Q", "there")));
        assert!(Recognition::from(others).validate().is_err());
    }

    #[test]
    fn what_a_program_makes_is_held_to_the_same() {
        let target = RecordId::from_bytes([1; 16]);
        let gift = model_funded("M", Contribution::Labour { days: -1 }, Source::Own);
        let refused = Recognition::from(record_corrected(target, gift, date(2024, 1, 1), "r")).validate().expect_err("negative");
        assert_eq!(
            (refused.to_string().as_str(), refused.rule()),
            ("replacement.contribution.days: is negative: quantities never are", 7)
        );
        let nested = record_corrected(target, record_retracted(target, "r"), date(2024, 1, 1), "r");
        assert_eq!(Recognition::from(nested).validate().expect_err("an amendment").rule(), 9);
        let misspelt = model_registered("M", "T", SubjectKind::Collective, "u", Field::Other("economy".into()), 2024);
        assert_eq!(Recognition::from(misspelt).validate().expect_err("a field").fault, Fault::Code);
        assert!(Recognition::from(model_continued("M", 0)).validate().is_err());
        assert!(Recognition::from(model_withdrawn("M", "a\nb")).validate().is_ok());
        let long = figure_published("x".repeat(TEXT_BYTES_MAX + 1), "u", "p", 1, Qualifier::Exact, "s");
        let refused = Recognition::from(long).validate().expect_err("too long").to_string();
        assert_eq!(refused, "measure: has 4097 bytes, more than TEXT_BYTES_MAX = 4096");
    }
}
