//! The vocabulary, version 1: what a recognition office records.
//!
//! One struct for each event, made by the function of the event's name, with a method for each optional field;
//! `.on(date)` or `.today()` makes an entry of it. What the fields may hold is said by [`Recognition::validate`].

mod build;
mod facts;
mod invalid;
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
    Address, CommendationAwarded, CommendationProposed, Contribution, Decision, DecisionAnnulled, FigurePublished, ModelContinued,
    ModelFunded, ModelRecognised, ModelRegistered, ModelReplicated, ModelWithdrawn, PlaqueMounted, PlaqueRemoved, Recipient,
    RecordCorrected, RecordRetracted, UnitDefined, UnitSucceeded,
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
