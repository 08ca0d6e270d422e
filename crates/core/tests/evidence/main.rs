//! Evidence that leaves the ledger (docs/FORMAT.md §11): what holds is accepted and printed back byte for byte, whatever else is refused.
#![expect(clippy::disallowed_methods, reason = "a test may read its vectors")]
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test program with small numbers")]

mod checkpoints;
mod ed25519;
mod forks;
mod golden;
mod growth;
mod keys;
mod kit;
mod notes;
mod policies;
mod proofs;
mod random;
mod statements;
mod tampering;
mod tiles;
mod times;
