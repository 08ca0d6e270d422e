//! The command line of what concerns persons: erasing, disclosing, and how long records are kept.

use clap::Args as ClapArgs;
use std::path::PathBuf;

#[derive(ClapArgs, Debug)]
pub(crate) struct EraseArgs {
    /// The ledger
    pub(crate) dir: PathBuf,
    /// Whose data: the subject's id, as events name it
    #[arg(long, value_name = "ID")]
    pub(crate) subject: String,
    /// The legal basis, public for ever: the law, the request's number; it may not name anybody
    #[arg(long, value_name = "TEXT")]
    pub(crate) basis: String,
    /// The office account that does it
    #[arg(long, value_name = "NAME", env = "SOVANG_ACTOR", default_value = "operator")]
    pub(crate) actor: String,
    /// The log's key: signs a checkpoint that covers the erasure, for a receipt
    #[arg(long, value_name = "KEYFILE", requires = "output")]
    pub(crate) key: Option<PathBuf>,
    /// The signed receipt of the erasure
    #[arg(short, long, value_name = "FILE", requires = "key")]
    pub(crate) output: Option<PathBuf>,
    /// One JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) const ERASE_HELP: &str = "\
Example:  sovang erase golden-book --subject P-17 --basis \"91/2025/QH15 art. 14, request 12/2026\" --actor dpo
          sovang erase golden-book --subject P-17 --basis \"request 12/2026\" --key ../log.key -o receipt.txt

The person's key and values are destroyed, and a record says that it was done, under a handle that leads to nobody. No total, \
hash, root or proof changes; the values read as erased from then on, and a new record that names the person is refused. Repeated, it \
says where it was done. It asks nothing before it does it. With --key and -o it also writes what shows the person, or a court, offline that it \
was done: the receipt of that record, under a signed checkpoint; `sovang check` verifies it.

A basis is refused when it holds the subject's id or a value of the vault, of whomever: letter case, spaces and the two \
Unicode spellings do not matter; values of one or two letters count as whole words.

A copy-on-write file system or an SSD may keep old blocks of the vault. Copies elsewhere (backups with the vault, exports with personal \
values, files given out by `sovang disclose`) cannot be recalled; a vault from before is erased again once it stands beside this log.";

#[derive(ClapArgs, Debug)]
pub(crate) struct DiscloseArgs {
    /// The ledger
    pub(crate) dir: PathBuf,
    /// The record
    #[arg(long, value_name = "POSITION")]
    pub(crate) position: u64,
    /// The number of its personal field: 1 = the person's name, 2 = the address of a model
    #[arg(long, value_name = "NUMBER")]
    pub(crate) field: u16,
    /// Who is to see it, public for ever: an office, a role
    #[arg(long = "to", value_name = "READER")]
    pub(crate) reader: String,
    /// What for, public for ever: a case, a request's number
    #[arg(long, value_name = "TEXT")]
    pub(crate) purpose: String,
    /// The file for the reader; it must not be there yet
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// The office account that does it
    #[arg(long, value_name = "NAME", env = "SOVANG_ACTOR", default_value = "operator")]
    pub(crate) actor: String,
    /// One JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) const DISCLOSE_HELP: &str = "\
Example:  sovang disclose golden-book --position 42 --field 1 --to \"district court\" --purpose \"case 12/2026\" -o value.json

The act is recorded first: which field of which record, to whom, what for; neither the value nor the person. FILE then holds \
the value and its salt, with which the reader checks it against the record's receipt: `sovang receipt` makes one, and it holds \
neither. Reader and purpose are refused when they hold a value of the vault. What was given out cannot be taken back.";

#[derive(ClapArgs, Debug)]
pub(crate) struct RetentionArgs {
    /// The ledger
    #[arg(required_unless_present = "example")]
    pub(crate) dir: Option<PathBuf>,
    /// The office's classes and terms; without it an example whose terms are invented
    #[arg(long, value_name = "FILE")]
    pub(crate) classes: Option<PathBuf>,
    /// Judge by this day, YYYY-MM-DD, instead of today (UTC)
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Option<String>,
    /// Print the example of a file of classes, to begin the office's own with
    #[arg(long)]
    pub(crate) example: bool,
    /// One JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) const RETENTION_HELP: &str = "\
Example:  sovang retention --example > classes.json
          sovang retention golden-book --classes classes.json --as-of 2035-01-01

Archives are kept permanently or 2 to 70 years, by class: which class has which term is the office's to say, in a JSON file. A class \
has a name, event types, `permanent` or `years`, the rule that says so as `source`, and optionally `levels` and `from`. Years count from \
the end of the year in which a record's event occurred or, with \"from\":\"end\", in which its model was withdrawn or its plaque \
removed; of several dates that a record was given the latest counts. The first class that fits counts; a correction or retraction goes with \
what it amends.

Nothing is deleted: the log is for ever and holds no personal data. Where a listed record has some that can still be read, \
`sovang erase` destroys it.";
