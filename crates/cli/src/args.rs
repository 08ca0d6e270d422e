//! The command line as clap reads it. Help texts have examples; other programs rely on the names.

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
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
    #[command(
        after_help = "Example:  sovang verify golden-book\n          sovang verify golden-book --json\n\nExit codes: 0 = sound, which means consistent, not anchored: only a checkpoint from elsewhere shows that this is the history others saw.\n1 = the log is sound, but an index, a snapshot or the vault disagrees with it.  3 = the log is damaged."
    )]
    Verify {
        /// The ledger
        dir: PathBuf,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
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
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
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
