//! `sovang demo`
use crate::failure::Failure;
use std::path::Path;
pub(crate) fn run(_dir: Option<&Path>) -> Result<(), Failure> {
    Ok(())
}
