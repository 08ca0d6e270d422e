//! One file for each command.

mod demo;
mod export;
mod head;
mod import;
mod init;
mod log;
mod tally;
mod verify;

use crate::args::Command;
use crate::failure::Failure;
use std::process::ExitCode;

pub(crate) fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Init { dir, origin } => init::run(&dir, &origin),
        Command::Import(args) => import::run(&args),
        Command::Export { dir, with_personal } => export::run(&dir, with_personal),
        Command::Log(args) => log::run(&args),
        Command::Head { dir, json } => head::run(&dir, json),
        Command::Tally(args) => tally::run(&args),
        Command::Verify { dir, json } => return verify::run(&dir, json),
        Command::Demo { dir } => demo::run(dir.as_deref()),
    }?;
    Ok(ExitCode::SUCCESS)
}
