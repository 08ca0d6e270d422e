//! The command line of what an office publishes: stated figures, a log that a web server serves, checkpoints with a time stamp.

use super::QuestionArgs;
use clap::{ArgGroup, Args as ClapArgs};
use std::path::PathBuf;

#[derive(ClapArgs, Debug)]
pub(crate) struct StateArgs {
    /// The ledger
    pub(crate) dir: PathBuf,
    /// Which tally; see `sovang tally DIR --list`
    pub(crate) tally: String,
    #[command(flatten)]
    pub(crate) question: QuestionArgs,
    /// The key for statements: a key of its own, never the log's
    #[arg(long, value_name = "KEYFILE")]
    pub(crate) key: PathBuf,
    /// The file; without it, to stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Record in the ledger that it was given out
    #[arg(long)]
    pub(crate) record: bool,
    /// The office account that gives it out
    #[arg(long, value_name = "NAME", env = "SOVANG_ACTOR", default_value = "operator", requires = "record")]
    pub(crate) actor: String,
}

pub(crate) const STATE_HELP: &str = "\
Example:  sovang keygen -o /media/key/figures.key --name example.org/golden-book/figures
          sovang state golden-book registered --by year --where unit=phu-dien --key /media/key/figures.key -o registered.statement
          sovang check registered.statement --vkey figures.vkey --vkey book.vkey --replay golden-book

A statement holds the question, the answer and the newest signed checkpoint of the log that it was computed from. Whoever has the log computes it again \
and must come to the same bytes.

With -o, stdout is the statement's digest: 64 hex digits, which a figure_published event can carry as its `statement`.";

#[derive(ClapArgs, Debug)]
pub(crate) struct TilesArgs {
    /// The ledger
    pub(crate) dir: PathBuf,
    /// The directory to serve; made if it is not there
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// Compute everything again and compare it with every file there, not only what is new
    #[arg(long)]
    pub(crate) compare: bool,
    /// One JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) const TILES_HELP: &str = "\
Example:  sovang checkpoint golden-book --key /media/key/book.key && sovang tiles golden-book -o /srv/www/golden-book

The log up to its newest signed checkpoint as plain files for any web server (C2SP tlog-tiles): hashes, entries, records, and the \
checkpoint last. Made again, it adds what is new. Full tiles never change, so a directory of another history is refused (exit 1). Personal values are \
commitments in it, without their salts.";

#[derive(ClapArgs, Debug)]
#[command(group = ArgGroup::new("what").required(true))]
pub(crate) struct StampArgs {
    /// The ledger
    pub(crate) dir: PathBuf,
    /// Write a request over the newest checkpoint, to be sent to a time-stamping authority
    #[arg(long, value_name = "FILE.tsq", group = "what")]
    pub(crate) request: Option<PathBuf>,
    /// Keep the authority's response beside the checkpoint that it stamps
    #[arg(long, value_name = "FILE.tsr", group = "what")]
    pub(crate) response: Option<PathBuf>,
    /// The authority's certificate, or that of who issued it, PEM or DER: the response is kept only if it holds
    #[arg(long, value_name = "CERT", requires = "response")]
    pub(crate) tsa_cert: Option<PathBuf>,
}

pub(crate) const STAMP_HELP: &str = "\
Example:  sovang stamp golden-book --request book.tsq
          curl -H 'Content-Type: application/timestamp-query' --data-binary @book.tsq https://tsa.example.org > book.tsr
          sovang stamp golden-book --response book.tsr --tsa-cert authority.pem
          sovang check book.checkpoint --vkey book.vkey --token book.tsr --tsa-cert authority.pem

RFC 3161: the authority says that the checkpoint was there at its time, and with it every record below. Nothing is sent from here.";
