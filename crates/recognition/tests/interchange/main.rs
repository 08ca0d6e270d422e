//! The interchange from outside: the contract's examples, bad lines, derived ids, migrations, random events.

mod bad_lines;
mod examples;
mod ids;
mod ledger_records;
mod migration;
mod random;
mod records;
