//! What leaves the ledger to be checked without it (docs/FORMAT.md §11): signed notes, checkpoints, proofs, receipts, growth,
//! fork proofs, statements and tiles. Pure: keys, times and texts arrive as arguments.
//!
//! Where C2SP (commit `5ba5ee830903e91240fc6f9f3a7a9293d49e69c9`) has a format it is taken as it is; everything is read strictly: a
//! reader refuses what a writer would not have written, and what it accepts it prints again byte for byte. There is one path from a record
//! to a signature, in [`verify`](mod@verify), and everything goes along it.
//!
//! ```
//! use sovang_core::evidence::{Checkpoint, Policy, Receipt, SecretKey, KeyKind, Leaf};
//! use sovang_core::{Head, Position, RecordHash, Root, Size, tree};
//! let key = SecretKey::from_seed("example.org/log", [7; 32])?;
//! let record = RecordHash([1; 32]);
//! let head = Head { size: Size(1), root: Root(tree::leaf_hash(&record)) };
//! let checkpoint = Checkpoint::sign(&key, head)?;
//! let receipt = Receipt::of(Position(0), Leaf::Hash(record), Vec::new(), checkpoint);
//! let policy = Policy::key(key.verifier(KeyKind::Ed25519))?;
//! let proven = receipt.to_string().parse::<Receipt>()?.verify(&policy)?;
//! assert_eq!(proven.checkpoint.head, head);
//! # Ok::<(), sovang_core::evidence::EvidenceError>(())
//! ```

mod checkpoint;
mod ed25519;
mod error;
mod fork;
mod growth;
mod json;
mod key;
mod note;
mod policy;
mod policy_file;
mod proof;
mod receipt;
mod statement;
mod text;
pub mod tiles;
pub mod verify;

pub use checkpoint::Checkpoint;
pub use error::EvidenceError;
pub use fork::{Fork, ForkProof};
pub use growth::{Grown, Growth};
pub use key::{KeyKind, SecretKey, VerifierKey, check_key_name};
pub use note::{Note, SignatureLine, Verified};
pub use policy::{Policy, PolicyLog, PolicyWitness};
pub use proof::TlogProof;
pub use receipt::{Leaf, Receipt};
pub use statement::{Figure, Statement, VerifiedStatement};
pub use verify::{Proven, VerifiedCheckpoint, verify_checkpoint};
