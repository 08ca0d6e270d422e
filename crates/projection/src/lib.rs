//! Projections, folds, commands and the decide loop of the Sovang ledger. Pure: records come in through iterators,
//! states and bytes go out; files, clocks and random sources belong to the callers.
//!
//! - [`Projection`]: a query and `apply`; [`Stored`] to be kept between runs, [`Merge`] to be folded in parallel.
//! - [`fold`], [`step`], [`fold_parallel`]: the runner. It resolves amendments, so that a projection that loops over
//!   [`Recorded::effects`](sovang_core::Recorded::effects) is right for every correction and retraction.
//! - [`Snapshot`]: a projection's state as bytes.
//! - [`Command`] and [`execute`]: decisions on folded state, appended only if what was looked at has not changed.
//! - [`testing`]: decisions tested without a store.
#![forbid(unsafe_code)]

mod command;
mod projection;
mod run;
mod snapshot;
pub mod testing;

pub use command::{ATTEMPTS_DEFAULT, Command, ExecuteError, Store, WIDENINGS_MAX, execute};
pub use projection::{Folded, Merge, Plan, Projection, Stored};
pub use run::{Before, fold, fold_parallel, step};
pub use snapshot::Snapshot;
