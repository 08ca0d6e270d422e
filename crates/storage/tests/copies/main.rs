//! Copies of a ledger: what `salvage` makes of a damaged one, and `backup` of one that is written to.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::print_stdout)]

mod backup;
mod crash;
mod ledger;
mod salvage;
