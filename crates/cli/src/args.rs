//! The command line as clap reads it. Help texts have examples; other programs rely on the names.

pub(crate) mod evidence;
mod persons;
pub(crate) mod publishing;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
pub(crate) use persons::{DiscloseArgs, EraseArgs, RetentionArgs};
use std::path::PathBuf;

/// The golden book: an append-only ledger of records whose history anyone can verify.
#[derive(Parser, Debug)]
#[command(name = "sovang", version, propagate_version = true, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 a check found something wrong, 2 usage or bad input, 3 damaged or not a ledger, 4 the environment.\n\nStart with:  sovang demo"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Create a ledger in an empty or new directory
    #[command(after_help = "Example:  sovang init golden-book --origin example.org/golden-book")]
    Init {
        /// The directory; made with its parents, and must be empty
        dir: PathBuf,
        /// The ledger's name for ever: a C2SP key name, at most 255 bytes, without spaces and plus signs
        #[arg(long, value_name = "NAME")]
        origin: String,
    },
    /// Append events from JSON Lines files: all of them, or none
    #[command(after_help = IMPORT_HELP)]
    Import(ImportArgs),
    /// Write the log as JSON Lines, in position order
    #[command(
        after_help = "Example:  sovang export golden-book > book.jsonl\n          sovang init copy --origin example.org/copy && sovang import copy --migrate book.jsonl"
    )]
    Export {
        /// The ledger
        dir: PathBuf,
        /// Write personal values and their salts instead of their commitments
        #[arg(long)]
        with_personal: bool,
    },
    /// Show records
    #[command(
        after_help = "Example:  sovang log golden-book --model BTL-2024-0001\n          sovang log golden-book --json --from 100 --limit 10"
    )]
    Log(LogArgs),
    /// Show size and root
    #[command(
        after_help = "Example:  sovang head golden-book --json\n\nTwo copies with the same size and root hold the same records. Write both down elsewhere: that is what a later history can be held against."
    )]
    Head {
        /// The ledger
        dir: PathBuf,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Count and sum: one of the tallies an office publishes
    #[command(
        after_help = "Example:  sovang tally golden-book contributions --by year,kind --where source=socialised --from 2024-01-01\n          sovang tally golden-book registered --as-of 2019-12-31T23:59:59+07:00 --format csv\n          sovang tally golden-book --list"
    )]
    Tally(TallyArgs),
    /// Re-hash every byte and check everything that is kept
    #[command(after_help = evidence::VERIFY_HELP)]
    Verify(evidence::VerifyArgs),
    /// Copy a ledger beside its live writer; made again, only what is new
    #[command(after_help = BACKUP_HELP)]
    Backup(BackupArgs),
    /// Write what can be proven of a damaged ledger into a new one
    #[command(after_help = SALVAGE_HELP)]
    Salvage(SalvageArgs),
    /// Destroy a person's data, and record that it was done
    #[command(after_help = persons::ERASE_HELP)]
    Erase(EraseArgs),
    /// Give one personal value to one reader, and record that first
    #[command(after_help = persons::DISCLOSE_HELP)]
    Disclose(DiscloseArgs),
    /// List the records whose retention term has ended
    #[command(after_help = persons::RETENTION_HELP)]
    Retention(RetentionArgs),
    #[command(flatten)]
    Evidence(evidence::Evidence),
    /// Build the ten-year example of a district from nothing, print its figures, verify it
    #[command(after_help = "Example:  sovang demo\n          sovang demo demo-book && sovang tally demo-book cumulative")]
    Demo {
        /// A new or empty directory; without it one under the system's temporary directory
        dir: Option<PathBuf>,
    },
}

#[derive(ClapArgs, Debug)]
pub(crate) struct ImportArgs {
    /// The ledger
    pub(crate) dir: PathBuf,
    /// JSON Lines files, `-` for stdin
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// Decide every line and append nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Commit every N events, and keep what came before a bad line
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch: Option<u32>,
    /// Take recorded times, salts, commitments and the ledger's own records from an export; only into an empty ledger
    #[arg(long)]
    pub(crate) migrate: bool,
    /// Let a file without any event be no error
    #[arg(long)]
    pub(crate) allow_empty: bool,
    /// One JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

const IMPORT_HELP: &str = "\
Example:  sovang import golden-book 2024.jsonl
          grep commendation 2024.jsonl | sovang import golden-book - --dry-run

A line is one event, such as
{\"type\":\"model_continued\",\"occurred_on\":\"2025-02-01\",\"actor\":\"clerk\",\"model\":\"BTL-2024-0001\",\"year\":2025}

A line without `id` gets one derived from its content and from how many equal lines came before it in the same file: \
importing a file again appends nothing, and two equal gifts of one day in one file both count. Equal lines without `id` in \
two files count once.

One bad line refuses all of it, and the message names file, line and field. A kill or a power loss may leave the first \
part: the same command completes it.";

#[derive(ClapArgs, Debug)]
pub(crate) struct BackupArgs {
    /// The ledger
    pub(crate) dir: PathBuf,
    /// A new or empty directory, or the copy made before
    pub(crate) target: PathBuf,
    /// Also copy the personal values and their keys; said from the first time on, or never
    #[arg(long)]
    pub(crate) with_vault: bool,
    /// Read all of the copy again and hash it, not only what is new
    #[arg(long)]
    pub(crate) full: bool,
    /// One JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

const BACKUP_HELP: &str = "\
Example:  sovang backup golden-book /mnt/backup/golden-book
          sovang backup golden-book /mnt/backup/golden-book --full

The copy is a ledger that any command opens: to restore, copy it back. It is verified before this says done. Interrupted, it \
opens with what it had or what it got; the same command completes it. It is refused when it is not a beginning of the \
ledger: when it is another ledger, has another history, or is newer because the ledger was rolled back.

Personal values are not copied unless --with-vault says so: a copy that has them must be made again after an erasure.";

#[derive(ClapArgs, Debug)]
pub(crate) struct SalvageArgs {
    /// The damaged ledger; nothing is written to it
    pub(crate) dir: PathBuf,
    /// Other copies of the same ledger, to take from them what is missing
    #[arg(value_name = "OTHER_COPY")]
    pub(crate) copies: Vec<PathBuf>,
    /// The new ledger: an absent or empty directory. A report is written beside it, NEW.report.json
    #[arg(short, long, value_name = "NEW")]
    pub(crate) output: PathBuf,
    /// The ledger's name, when its file `ledger` cannot be read: the first line of any of its checkpoints
    #[arg(long, value_name = "NAME")]
    pub(crate) origin: Option<String>,
    /// The schema of its events, when its file `ledger` cannot be read; without it the one of this program
    #[arg(long, value_name = "NAME")]
    pub(crate) schema: Option<String>,
    /// One JSON document: the report
    #[arg(long)]
    pub(crate) json: bool,
}

const SALVAGE_HELP: &str = "\
Example:  sovang salvage golden-book -o saved
          sovang salvage golden-book /mnt/backup/golden-book -o saved

The new ledger holds the records from position 0 up to the first damage, with their ids, times, hashes and roots: old \
checkpoints and proofs hold for it. The report says what is missing: where the damage is, how far the ledger is known to have gone, \
and which later segments are whole, so that a second copy can fill the gap. Personal values are copied where they are sound.

Exit codes: 0 done, also when the ledger is sound; 2 usage; 3 not one record can be proven, or not a ledger; 4 the environment.";

#[derive(ClapArgs, Debug)]
pub(crate) struct LogArgs {
    /// The ledger
    pub(crate) dir: PathBuf,
    /// Records about this model, with their amendments
    #[arg(long, value_name = "ID")]
    pub(crate) model: Option<String>,
    /// Records about this unit, its models and its people, with their amendments
    #[arg(long, value_name = "ID")]
    pub(crate) unit: Option<String>,
    /// Records of this type, such as model_registered
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// From this position on
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    pub(crate) from: u64,
    /// So many records at most
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Show personal values instead of their commitments
    #[arg(long)]
    pub(crate) with_personal: bool,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct TallyArgs {
    /// The ledger
    pub(crate) dir: PathBuf,
    /// Which tally; see --list
    #[arg(required_unless_present = "list")]
    pub(crate) name: Option<String>,
    /// Name the tallies and their dimensions
    #[arg(long)]
    pub(crate) list: bool,
    #[command(flatten)]
    pub(crate) question: QuestionArgs,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

/// What is asked of a tally.
#[derive(ClapArgs, Debug)]
pub(crate) struct QuestionArgs {
    /// Dimensions of the rows, with commas; an empty text asks for one total row
    #[arg(long, value_name = "A,B")]
    pub(crate) by: Option<String>,
    /// Only records with this value in a dimension; an empty value means those that have none
    #[arg(long = "where", value_name = "DIMENSION=VALUE")]
    pub(crate) filters: Vec<String>,
    /// As known then: the first SIZE records, or what was recorded by an RFC 3339 time
    #[arg(long, value_name = "SIZE|TIME")]
    pub(crate) as_of: Option<String>,
    /// Only what occurred on this day or later
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<String>,
    /// Only what occurred on this day or earlier
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// For spreadsheets
    Csv,
    /// For programs
    Json,
}
