//! The RFC 6962 tree.
use crate::ids::Root;
/// SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Root {
    use sha2::{Digest, Sha256};
    Root(Sha256::digest([]).into())
}
