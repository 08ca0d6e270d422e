//! The commands about evidence: keys, checkpoints, proofs, and checking them without the ledger.

use super::publishing;
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
    /// State a figure: with the log it was computed from, signed
    #[command(after_help = publishing::STATE_HELP)]
    State(publishing::StateArgs),
    /// Write the log as files that a plain web server can serve
    #[command(after_help = publishing::TILES_HELP)]
    Tiles(publishing::TilesArgs),
    /// Have a checkpoint stamped with the time by an authority (RFC 3161)
    #[command(after_help = publishing::STAMP_HELP)]
    Stamp(publishing::StampArgs),
    /// Collect witnesses' cosignatures of the newest checkpoint, by file or over the network
    #[command(after_help = WITNESS_HELP)]
    Witness(WitnessArgs),
    /// Record that another key signs from here on, and sign with both
    #[command(after_help = ROTATE_HELP)]
    RotateKey(RotateKeyArgs),
    /// Record what nobody could know before now, so that what comes later is known to be later
    #[command(after_help = ANCHOR_HELP)]
    Anchor(AnchorArgs),
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
pub(crate) struct VerifyArgs {
    /// The ledger
    pub(crate) dir: PathBuf,
    /// A checkpoint from elsewhere, signed earlier: that this ledger continues it
    #[arg(long, value_name = "CHECKPOINT_FILE")]
    pub(crate) against: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
    /// When the ledger contradicts the checkpoint and has signed that, write the proof of it here
    #[arg(long, value_name = "FILE", requires = "against")]
    pub(crate) fork_proof: Option<PathBuf>,
    /// One JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) const VERIFY_HELP: &str = "\
Example:  sovang verify golden-book
          sovang verify golden-book --json
          sovang verify golden-book --against last-year.checkpoint --vkey book.vkey

Exit codes: 0 = sound. That means consistent, and with --against also anchored: only a checkpoint from elsewhere shows that this is \
the history others saw.
1 = the log is sound, but an index, a snapshot, the vault or a checkpoint disagrees with it: it may be rolled back, or of another history.
3 = the log is damaged.";

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
    /// An RFC 3161 time-stamp response over a checkpoint among the files. May be repeated
    #[arg(long, value_name = "FILE.tsr", requires = "tsa_cert")]
    pub(crate) token: Vec<PathBuf>,
    /// The certificate of the time-stamping authority, or of who issued it, PEM or DER
    #[arg(long, value_name = "CERT", requires = "token")]
    pub(crate) tsa_cert: Option<PathBuf>,
    /// One JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

const CHECK_HELP: &str = "\
Example:  sovang check record-42.receipt --vkey example.org/book+0f3c91aa+AU5Z…
          sovang check record-42.receipt --vkey book.vkey --json
          sovang check old.checkpoint grown.proof --policy trust.policy --max-age 7d
          sovang check record-42.receipt name.disclosure --vkey book.vkey
          sovang check registered.statement --vkey figures.vkey --vkey book.vkey --replay golden-book
          sovang check book.checkpoint --vkey book.vkey --token book.tsr --tsa-cert authority.pem

A VKEY that is not itself a verifier key is the name of a file that holds one. A growth file is checked against the checkpoint named \
before it, a disclosure against the receipt of its record.

Exit codes: 0 = everything holds.  1 = something is false, malformed or not signed by a trusted key; two of the files show a fork.
2 = no trusted key, a file that is not there, a proof without its leaf. Over several files 1 outranks 2.";

#[derive(ClapArgs, Debug)]
pub(crate) struct WitnessArgs {
    /// The ledger
    pub(crate) dir: PathBuf,
    /// The policy that names the witnesses, with their URLs for --post
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// Only this witness, by its name in the policy. May be repeated
    #[arg(long = "witness", value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Write the request for the witnesses to carry to them
    #[arg(long, value_name = "FILE", group = "how")]
    pub(crate) request_out: Option<PathBuf>,
    /// Take a witness's answer: its signature lines
    #[arg(long, value_name = "FILE", group = "how")]
    pub(crate) response: Option<PathBuf>,
    /// Ask the witnesses over the network
    #[arg(long, group = "how")]
    pub(crate) post: bool,
    /// The size that the witnesses have seen last; without it, what the kept checkpoints say
    #[arg(long, value_name = "SIZE")]
    pub(crate) since: Option<u64>,
}

const WITNESS_HELP: &str = "\
Example:  sovang witness golden-book --policy trust.policy --request-out request   # carry it to the witness
          sovang witness golden-book --policy trust.policy --response answer       # and bring its answer back
          sovang witness golden-book --policy trust.policy --post

The request is the body of a C2SP tlog-witness add-checkpoint request, from the last size that the witness is known to have cosigned. A \
cosignature is kept in the ledger's checkpoints once it verifies. A witness that has seen more than this ledger has is never asked for less: \
that is a rolled back copy or a fork (exit 1).";

#[derive(ClapArgs, Debug)]
pub(crate) struct RotateKeyArgs {
    /// The ledger
    pub(crate) dir: PathBuf,
    /// The key that has signed so far
    #[arg(long, value_name = "KEYFILE")]
    pub(crate) old: PathBuf,
    /// The key that signs from here on; its name is the origin too
    #[arg(long, value_name = "KEYFILE")]
    pub(crate) new: PathBuf,
    /// The office account that records it
    #[arg(long, value_name = "NAME", default_value = "keyholder")]
    pub(crate) actor: String,
    /// Where to write the checkpoint with both signatures besides; without it, to stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

const ROTATE_HELP: &str = "\
Example:  sovang rotate-key golden-book --old /media/old/book.key --new /media/new/book.key -o handover.checkpoint

The checkpoint is signed by both keys: whoever trusts the old one sees the new one vouched for. Give out the new vkey with it.";

#[derive(ClapArgs, Debug)]
pub(crate) struct AnchorArgs {
    /// The ledger
    pub(crate) dir: PathBuf,
    /// A fresh public value that nobody could foresee; without it, the newest cosigned checkpoint
    #[arg(long, value_name = "TEXT", requires = "source")]
    pub(crate) value: Option<String>,
    /// Where the value was taken from
    #[arg(long, value_name = "TEXT", requires = "value")]
    pub(crate) source: Option<String>,
    /// The newest checkpoint that meets this policy, not just any cosigned one
    #[arg(long, value_name = "FILE", conflicts_with = "value")]
    pub(crate) policy: Option<PathBuf>,
    /// The office account that records it
    #[arg(long, value_name = "NAME", default_value = "keyholder")]
    pub(crate) actor: String,
}

const ANCHOR_HELP: &str = "\
Example:  sovang anchor golden-book
          sovang anchor golden-book --value 00000000000000000001c9f1… --source 'block 924837 of Bitcoin'

Every record after it was recorded after the witnesses' times, or after the value became known.";
