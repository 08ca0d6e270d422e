//! The tallies: small histories by hand, and random ones against a naive second calculation.

mod asked;
mod event;
mod history;
mod ledger;
mod oracle;
mod random;
mod small;
