//! The commands about evidence: keys, checkpoints, proofs, and checking them without the ledger.

use clap::{ArgGroup, Args as ClapArgs, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand, Debug)]
pub(crate) enum Evidence {
    /// Make a signing key, to be kept away from the ledger
    #[command(after_help = KEYGEN_HELP)]
    Keygen(KeygenArgs),
    /// Sign the head, if it continues everything that was signed before
    #[command(after_help = CHECKPOINT_HELP)]
    Checkpoint(CheckpointArgs),
    /// Prove that a record is in the log, or that the log only grew
    #[command(after_help = PROVE_HELP)]
    Prove(ProveArgs),
    /// One file with a record and the proof that it is in the log
    #[command(after_help = RECEIPT_HELP)]
    Receipt(ReceiptArgs),
    /// Check receipts, proofs, checkpoints and statements, without the ledger
    #[command(after_help = CHECK_HELP)]
    Check(CheckArgs),
}

/// Whom to trust.
#[derive(ClapArgs, Debug, Clone)]
pub(crate) struct TrustArgs {
    /// A verifier key, as text or as a file that holds it: this log with no witness asked for. May be repeated
    #[arg(long = "vkey", value_name = "VKEY")]
    pub(crate) vkeys: Vec<String>,
    /// A C2SP tlog-policy: which logs and witnesses, and how many of these
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct KeygenArgs {
    /// The new file; nothing is overwritten. Beside it KEYFILE.head is made
    #[arg(short, long, value_name = "KEYFILE")]
    pub(crate) output: PathBuf,
    /// The key's name: the ledger's origin for its log, another name for statements
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// Do not encrypt the file
    #[arg(long)]
    pub(crate) no_passphrase: bool,
}

const KEYGEN_HELP: &str = "\
Example:  sovang keygen -o /media/key/book.key --name example.org/golden-book

The last line of stdout is the verifier key, the vkey: give it to whoever checks. The passphrase is asked for twice, or taken from \
SOVANG_KEY_PASSPHRASE. The file is PKCS #8, which OpenSSL reads too.

Keep KEYFILE and KEYFILE.head together, on a medium of their own, and never in a backup of the ledger: KEYFILE.head says what the \
key has signed last, and without it nothing is signed.";

#[derive(ClapArgs, Debug)]
pub(crate) struct CheckpointArgs {
    /// The ledger
    pub(crate) dir: PathBuf,
    /// The key, whose name is the ledger's origin
    #[arg(long, value_name = "KEYFILE")]
    pub(crate) key: PathBuf,
    /// Where to write it besides; without it, to stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

const CHECKPOINT_HELP: &str = "\
Example:  sovang checkpoint golden-book --key /media/key/book.key -o book.checkpoint

It runs beside a live writer. Every byte of the log is read and hashed again first. If the log does not continue what this key has \
signed, or a checkpoint that the ledger keeps, nothing is signed (exit 1): it is an older copy, or another history. Give the file to \
others: what they keep, nobody can change behind their backs.";

#[derive(ClapArgs, Debug)]
#[command(group = ArgGroup::new("what").required(true))]
pub(crate) struct ProveArgs {
    /// The ledger
    pub(crate) dir: PathBuf,
    /// That the record at this position is in the log
    #[arg(long, value_name = "N", group = "what")]
    pub(crate) position: Option<u64>,
    /// That the log only grew since it had so many records
    #[arg(long, value_name = "SIZE", group = "what")]
    pub(crate) since: Option<u64>,
    /// The file; without it, to stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

const PROVE_HELP: &str = "\
Example:  sovang prove golden-book --position 42 -o record-42.proof
          sovang prove golden-book --since 1000 -o grown.proof
          sovang check old.checkpoint grown.proof --vkey book.vkey

Both are against the newest signed checkpoint. A proof of a record is a C2SP tlog-proof, and holds the record's hash; `receipt` holds the \
record itself. A proof of growth is the body of a C2SP tlog-witness add-checkpoint request.";

#[derive(ClapArgs, Debug)]
pub(crate) struct ReceiptArgs {
    /// The ledger
    pub(crate) dir: PathBuf,
    /// The record
    #[arg(long, value_name = "N")]
    pub(crate) position: u64,
    /// The file; without it, to stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Against the newest checkpoint that meets this policy, not the newest of all
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Also as a QR code to print, .svg or .png. May be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) qr: Vec<PathBuf>,
}

const RECEIPT_HELP: &str = "\
Example:  sovang receipt golden-book --position 42 -o record-42.receipt
          sovang receipt golden-book --position 42 -o plaque.receipt --qr plaque.svg
          sovang check record-42.receipt --vkey book.vkey

It holds the public record: personal values are commitments in it, without their salts.";

#[derive(ClapArgs, Debug)]
pub(crate) struct CheckArgs {
    /// Receipts, proofs, checkpoints, growth files, fork proofs, statements, disclosures
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
    /// The raw entry that a proof is of, for logs that are not ours
    #[arg(long, value_name = "FILE")]
    pub(crate) leaf: Option<PathBuf>,
    /// The log's origin, when it is not the name of its key
    #[arg(long, value_name = "TEXT")]
    pub(crate) origin: Option<String>,
    /// Refuse a checkpoint that no quorum of witnesses has seen so lately: seconds, or 90s, 15m, 12h, 7d
    #[arg(long, value_name = "AGE")]
    pub(crate) max_age: Option<String>,
    /// When two of the files contradict each other, write the proof of that here
    #[arg(long, value_name = "FILE")]
    pub(crate) fork_proof: Option<PathBuf>,
    /// Replay statements on this ledger
    #[arg(long, value_name = "DIR")]
    pub(crate) replay: Option<PathBuf>,
    /// One JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

const CHECK_HELP: &str = "\
Example:  sovang check record-42.receipt --vkey example.org/book+0f3c91aa+AU5Z…
          sovang check record-42.receipt --vkey book.vkey --json
          sovang check old.checkpoint grown.proof --policy trust.policy --max-age 7d
          sovang check record-42.receipt name.disclosure --vkey book.vkey

A VKEY that is not itself a verifier key is the name of a file that holds one. A growth file is checked against the checkpoint named \
before it, a disclosure against the receipt of its record.

Exit codes: 0 = everything holds.  1 = something is false, malformed or not signed by a trusted key; two of the files show a fork.
2 = no trusted key, a file that is not there, a proof without its leaf. Over several files 1 outranks 2.";
