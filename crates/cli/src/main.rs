//! `sovang`: the ledger's command line. Data on stdout, messages on stderr; exit codes 0 done, 1 a check found something
//! wrong, 2 usage or bad input, 3 damaged or not a ledger, 4 the environment.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod damage;
mod demo;
mod failure;
mod keys;
mod output;
mod private_file;
mod progress;
mod qr;
mod table;
mod timestamp;
mod trusted;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    failure::refuse_instead_of_dying();
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        // Usage errors exit with 2, `--help` and `--version` with 0.
        Err(error) => error.exit(),
    };
    match commands::run(args.command) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}
