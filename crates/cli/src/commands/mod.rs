//! One file for each command.

mod anchor;
mod backup;
mod check;
mod checkpoint;
mod demo;
mod disclose;
mod erase;
mod export;
mod head;
mod import;
mod init;
mod keygen;
mod log;
mod prove;
mod receipt;
mod retention;
mod rotate_key;
mod salvage;
mod stamp;
mod state;
mod tally;
mod tiles;
mod verify;
mod witness;

use crate::args::Command;
use crate::args::evidence::Evidence;
use crate::damage;
use crate::failure::Failure;
use std::process::ExitCode;

pub(crate) fn run(command: Command) -> Result<ExitCode, Failure> {
    let Some(dir) = damage::ledger_of(&command) else {
        return carry_out(command);
    };
    // Before, not after: what an import adds can make the ledger longer than what was signed of it.
    damage::say_if_rolled_back(&dir);
    carry_out(command).map_err(|failure| damage::explain(&dir, failure))
}

fn carry_out(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Init { dir, origin } => init::run(&dir, &origin),
        Command::Import(args) => import::run(&args),
        Command::Export { dir, with_personal } => export::run(&dir, with_personal),
        Command::Log(args) => log::run(&args),
        Command::Head { dir, json } => head::run(&dir, json),
        Command::Tally(args) => tally::run(&args),
        Command::Verify(args) => return verify::run(&args),
        Command::Backup(args) => backup::run(&args),
        Command::Salvage(args) => salvage::run(&args),
        Command::Erase(args) => erase::run(&args),
        Command::Disclose(args) => disclose::run(&args),
        Command::Retention(args) => retention::run(&args),
        Command::Evidence(command) => return evidence(command),
        Command::Demo { dir } => demo::run(dir.as_deref()),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn evidence(command: Evidence) -> Result<ExitCode, Failure> {
    match command {
        Evidence::Keygen(args) => keygen::run(&args),
        Evidence::Checkpoint(args) => checkpoint::run(&args),
        Evidence::Prove(args) => prove::run(&args),
        Evidence::Receipt(args) => receipt::run(&args),
        Evidence::Check(args) => return check::run(&args),
        Evidence::State(args) => state::run(&args),
        Evidence::Tiles(args) => tiles::run(&args),
        Evidence::Stamp(args) => stamp::run(&args),
        Evidence::Witness(args) => return witness::run(&args),
        Evidence::RotateKey(args) => rotate_key::run(&args),
        Evidence::Anchor(args) => anchor::run(&args),
    }?;
    Ok(ExitCode::SUCCESS)
}
