//! The binary from outside, as a clerk, a script or an auditor meets it: docs and scripts rely on what is asserted here.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail by panicking, and says what it skips")]

mod backup;
mod bad_input;
mod book;
mod damage;
mod disclose;
mod disk;
mod erase;
mod importing;
mod killed;
#[cfg(unix)]
mod lengths;
mod migration;
mod names;
mod opening;
mod output;
mod qr;
mod reading;
mod retention;
mod root;
mod salvage;
mod signed;
mod statement;
mod tiles;
mod token;
mod trust;
mod two_processes;
