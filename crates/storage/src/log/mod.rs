//! The append-only log (docs/FORMAT.md §§1, 2, 4): segments of batches, a durable head in three slots, recovery, rotation,
//! a read-only view and verification. It sees records as bytes and never an event.

mod blueprint;
pub use blueprint::*;
