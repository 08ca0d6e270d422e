//! The log's behaviour through its public face, on files in memory, on the simulated disk and on a real one.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_possible_wrap)]

#[path = "log/common.rs"]
mod common;
#[path = "log/damage.rs"]
mod damage;
#[path = "log/failing.rs"]
mod failing;
#[path = "log/reading.rs"]
mod reading;
#[path = "log/roots.rs"]
mod roots;
#[path = "log/writing.rs"]
mod writing;
