//! A ledger's bytes: the append-only log on disk with its recovery and verification, and beside it indexes, vault and
//! blobs. Nothing here sees an event's type; nothing above sees a file.
#![forbid(unsafe_code)]

pub mod backup;
pub mod blobs;
pub mod budget;
pub mod disk;
pub mod files;
pub mod index;
pub mod log;
pub mod memory;
pub mod salvage;
pub mod sim;
pub mod store;
mod sync;
pub mod vault;
