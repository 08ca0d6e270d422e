//! The facade as an embedder meets it: one module for each of its duties, with the loan book of `loan.rs` as a stranger's event type.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod auditing;
mod deciding;
mod erasing;
mod erasure_files;
mod erasure_interleaved;
mod erasure_texts;
mod folding;
mod following;
mod importing;
mod kit;
mod ledger_records;
mod loan;
mod opening;
mod reading;
mod recording;
mod statements;
mod tiles;
mod trust;
