//! The binary from outside while the system fails it: calls that fail, kills at a call, many processes at once.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail by panicking, and says what it skips")]
#![cfg(unix)]

#[path = "../acceptance/book.rs"]
#[allow(dead_code, reason = "shared with the acceptance tests, which use all of it")]
mod book;
mod calls;
mod kills;
mod office;
mod processes;
mod trace;
