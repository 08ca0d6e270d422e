//! The rules that a real office keeps (domain.md, rules 1 to 9), decided when something is recorded.
//!
//! - An [`Entry<Recognition>`](sovang_core::Entry) is its own command: `clerk.execute(&entry)` records it if the rules
//!   allow it. Its state is an [`Office`], folded from no more than the rules look at.
//! - A [`WholeOffice`] holds all that stands in bounded memory, for imports that judge line after line.
//! - A [`Refusal`] says which rule, what it is about and what to do.
//! - [`Flags`] lists what stands but rests on something annulled or corrected since (rules 8 and 9).
//!
//! ```
//! use sovang_core::date;
//! use sovang_projection::testing::given_on;
//! use sovang_recognition::{Field, Recognition, SubjectKind, UnitKind, model_registered, unit_defined};
//!
//! let day = date(2024, 3, 1);
//! let office = || given_on::<Recognition>(day, [unit_defined("co-nhue-1", "Cổ Nhuế 1", UnitKind::Ward, day).into()]);
//! let register = |unit: &str| model_registered("m-1", "Flower road", SubjectKind::Collective, unit, Field::Economy, 2024);
//!
//! assert!(office().when(&register("co-nhue-1").on(day)).decided().is_ok());
//! let refusal = office().when(&register("co-nhue").on(day)).decided().unwrap_err();
//! assert_eq!((refusal.rule(), refusal.field()), (1, "unit"));
//! assert_eq!(
//!     refusal.to_string(),
//!     "rule 1: unit co-nhue is not defined: define it first, or override rule 1 with a reason"
//! );
//! ```
//!
//! Rule 7 is the event types' own, by `Recognition::validate`. Rules 10 to 12 are the tallies'.

mod books;
mod flags;
mod judge;
mod keys;
mod needs;
mod office;
mod refusal;
mod relation;

pub use flags::{Flag, Flagged, Flags};
pub use judge::Target;
pub use office::{Office, WholeOffice};
pub use refusal::Refusal;

/// Why [`execute`](sovang_projection::execute) recorded nothing: a rule said no, or the ledger failed.
pub type Refused = sovang_projection::ExecuteError<Refusal>;
