#![doc = include_str!("tour.md")]
#![forbid(unsafe_code)]

mod audit;
mod backup;
mod checkpoints;
mod disclosure;
mod environment;
mod erasure;
pub mod forks;
mod importer;
mod keyfile;
mod ledger;
mod ledger_records;
mod live;
#[cfg(feature = "recognition")]
mod office;
mod options;
mod places;
mod prove;
mod read;
mod reader;
mod recorder;
mod salvage;
mod signer;
mod snapshot;
mod spool;
#[cfg(feature = "recognition")]
mod statement;
#[cfg(feature = "testing")]
pub mod testing;
mod ticket;
mod tiles;
mod tokens;
mod witnesses;

pub use audit::{Audit, Finding};
pub use backup::{BackedUp, Backup};
pub use checkpoints::Checkpoints;
pub use environment::{Clock, IdSource, SystemClock, SystemIds};
pub use importer::{Imported, Importer, Named, Names, NoRules, Rules, Taken};
pub use keyfile::SigningKey;
pub use ledger::Ledger;
pub use live::Live;
pub use options::{Durability, Options};
pub use places::ledger_around;
pub use read::{Follow, Historic, History, Read, Records, Stopper};
pub use reader::{AsOf, Reader};
pub use recorder::Recorder;
pub use salvage::{Island, Salvage, Salvaged, SalvagedPersonal, Trace};
pub use ticket::{Appended, Ticket};
pub use tiles::Exported;
pub use witnesses::Cosigned;

pub use sovang_core::disclosure::Disclosure;
pub use sovang_core::event::LedgerEvent;
pub use sovang_core::evidence::{
    self, Checkpoint, EvidenceError, ForkProof, Growth, KeyKind, Leaf, Policy, Proven, Receipt, Statement, TlogProof,
    VerifiedCheckpoint, VerifierKey,
};
pub use sovang_core::ids::Commitment;
pub use sovang_core::{
    Actor, Amends, CodecError, Condition, Conflict, Date, Decoder, Effect, Encoder, Entry, Envelope, Error, ErrorKind, Event,
    Head, Import, Kind, LedgerId, Override, Personal, Position, Query, RawEvent, RecordHash, RecordId, Recorded, Result, Root,
    Size, SubjectId, Tags, UtcDateTime, calendar, date, likeness, limits, personal, record, tree,
};
pub use sovang_projection::{Command, ExecuteError, Folded, Merge, Projection, Stored};
#[cfg(feature = "recognition")]
pub use sovang_recognition as recognition;
