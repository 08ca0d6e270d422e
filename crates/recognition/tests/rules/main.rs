//! Every rule has a test that fails without it, each decided both narrow and whole (see `desk`).

mod agree;
mod desk;
mod flags;
mod races;
mod rule_1;
mod rule_9;
mod rules_2_to_8;
