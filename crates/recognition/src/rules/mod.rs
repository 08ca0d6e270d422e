//! The rules that a real office keeps (domain.md, rules 1 to 9), decided when something is recorded.
//!
//! - An [`Entry<Recognition>`](sovang_core::Entry) is its own command: `clerk.execute(&entry)` records it if the rules
//!   allow it. Its state is an [`Office`], folded from no more than the rules look at.
//! - A [`WholeOffice`] holds all that stands in bounded memory, for imports that judge line after line.
//! - A [`Refusal`] says which rule, what it is about and what to do.
//! - [`Flags`] lists what stands but rests on something annulled or corrected since (rules 8 and 9).
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
