//! The recognition office on the Sovang ledger: what it records ([`event`], [`codes`]), the rules it keeps ([`rules`]),
//! the figures it publishes ([`tally`]), how its records travel as JSON Lines ([`interchange`]) and how long they are kept
//! ([`retention`]).
//!
//! ```
//! use sovang_core::date;
//! use sovang_recognition::{self as recognition, Contribution, Source};
//!
//! let gift = recognition::model_funded("flower-road", Contribution::Cash { vnd: 120_000_000 }, Source::Socialised);
//! let entry = gift.on(date(2024, 10, 5)); // ready for `execute`
//! assert_eq!(entry.event().model(), Some("flower-road"));
//! ```
//!
//! Nothing here reads a file, a clock or a random source.
#![forbid(unsafe_code)]

pub mod codes;
pub mod event;
pub mod interchange;
pub mod names;
pub mod retention;
pub mod rules;
pub mod tally;

pub use codes::{
    Extent, Field, Form, Ground, LandKind, Level, Qualifier, RemovalReason, Source, SubjectKind, UnitKind, UnknownCode,
};
pub use event::{
    Address, CommendationAwarded, CommendationProposed, Contribution, Decision, DecisionAnnulled, Fault, FigurePublished,
    Invalid, ModelContinued, ModelFunded, ModelRecognised, ModelRegistered, ModelReplicated, ModelWithdrawn, PlaqueMounted,
    PlaqueRemoved, Recipient, Recognition, RecordCorrected, RecordRetracted, UnitDefined, UnitSucceeded, commendation_awarded,
    commendation_proposed, decision, decision_annulled, figure_published, model_continued, model_funded, model_recognised,
    model_registered, model_replicated, model_withdrawn, plaque_mounted, plaque_removed, record_corrected, record_retracted,
    unit_defined, unit_succeeded,
};
pub use rules::Refused;
