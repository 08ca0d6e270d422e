//! BLAKE3 with derived keys, one context for each use (docs/FORMAT.md). The tree above the record hashes is SHA-256: see [`crate::tree`].

use crate::ids::{Commitment, Position, RecordHash};
use crate::query::TagKey;
use blake3::Hasher;
use blake3::hazmat::{ContextKey, HasherExt};
use std::sync::LazyLock;

/// The contexts of every BLAKE3 hash of the format. A context is never used for two things.
pub mod context {
    /// The hash of a record.
    pub const RECORD: &str = "sovang 2026-11 record v1";
    /// The digest of a record's body.
    pub const BODY: &str = "sovang 2026-11 body v1";
    /// The root over a record's commitments.
    pub const PRIVATE_ROOT: &str = "sovang 2026-11 private root v1";
    /// A commitment to a personal value.
    pub const PERSONAL: &str = "sovang 2026-11 personal v1";
    /// A tag's key.
    pub const TAG: &str = "sovang 2026-11 tag v1";
    /// The digest of a sealed segment.
    pub const SEGMENT: &str = "sovang 2026-11 segment v1";
    /// The digest of a projection's state.
    pub const STATE: &str = "sovang 2026-11 state v1";
    /// The digest of a snapshot's header.
    pub const SNAPSHOT: &str = "sovang 2026-11 snapshot v1";
    /// The vault's keyed hash of an erased subject's id.
    pub const ERASED_SUBJECT: &str = "sovang 2026-11 erased subject v1";
    /// The digest of a statement's file, by which a published figure names it.
    pub const STATEMENT: &str = "sovang 2026-11 statement v1";
    /// The digest of a statement's result.
    pub const STATEMENT_RESULT: &str = "sovang 2026-11 statement result v1";
    /// Streams of test data: nothing that is stored.
    pub const TEST_STREAM: &str = "sovang 2026-11 test stream v1";
}

macro_rules! keys {
    ($($name:ident = $context:ident;)*) => {
        $(static $name: LazyLock<ContextKey> = LazyLock::new(|| blake3::hazmat::hash_derive_key_context(context::$context));)*
    };
}
keys! {
    RECORD = RECORD;
    BODY = BODY;
    PRIVATE = PRIVATE_ROOT;
    PERSONAL = PERSONAL;
    TAG = TAG;
    SEGMENT = SEGMENT;
    STATE = STATE;
    SNAPSHOT = SNAPSHOT;
}

fn hasher(key: &ContextKey) -> Hasher {
    Hasher::new_from_context_key(key)
}

/// The body's digest is over the body zero-padded to whole blocks of this many bytes.
pub const BODY_BLOCK: usize = 64;
/// Exactly so many bytes are hashed for a record.
pub const RECORD_PREIMAGE: usize = 128;

/// The digest of a record's body: BLAKE3 over the body, zero-padded to whole 64-byte blocks. The body's true length is in the record hash.
#[must_use]
pub fn body_digest(body: &[u8]) -> [u8; 32] {
    let mut h = hasher(&BODY);
    h.update(body);
    let over = body.len() % BODY_BLOCK;
    if over != 0 {
        h.update(&[0u8; BODY_BLOCK][over..]);
    }
    *h.finalize().as_bytes()
}

/// What a record hash covers besides the position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordDigest {
    /// The kind's number.
    pub kind: u16,
    /// The payload's version.
    pub version: u16,
    /// The flags.
    pub flags: u32,
    /// Microseconds since the Unix epoch.
    pub recorded_at: i64,
    /// Days since the Unix epoch.
    pub occurred_on: i32,
    /// The body's length in bytes.
    pub body_len: u32,
    /// The record's id.
    pub id: [u8; 16],
    /// [`body_digest`].
    pub body: [u8; 32],
    /// [`private_root`], or zeros without personal fields.
    pub private_root: [u8; 32],
}

impl RecordDigest {
    /// The 128 bytes that are hashed for the record at `position`.
    #[must_use]
    pub fn preimage(&self, position: Position) -> [u8; RECORD_PREIMAGE] {
        let mut b = [0u8; RECORD_PREIMAGE];
        b[0..2].copy_from_slice(&self.kind.to_le_bytes());
        b[2..4].copy_from_slice(&self.version.to_le_bytes());
        b[4..8].copy_from_slice(&self.flags.to_le_bytes());
        b[8..16].copy_from_slice(&position.0.to_le_bytes());
        b[16..24].copy_from_slice(&self.recorded_at.to_le_bytes());
        b[24..28].copy_from_slice(&self.occurred_on.to_le_bytes());
        b[28..32].copy_from_slice(&self.body_len.to_le_bytes());
        b[32..48].copy_from_slice(&self.id);
        b[48..80].copy_from_slice(&self.body);
        b[80..112].copy_from_slice(&self.private_root);
        b
    }
    /// The record's hash: BLAKE3 over [`Self::preimage`].
    #[must_use]
    pub fn hash(&self, position: Position) -> RecordHash {
        let mut h = hasher(&RECORD);
        h.update(&self.preimage(position));
        RecordHash(*h.finalize().as_bytes())
    }
}

/// The root over a record's commitments in ascending field order: count u16, then (field u16, commitment) each. Zeros when there are none.
#[must_use]
pub fn private_root(fields: &[(u16, Commitment)]) -> [u8; 32] {
    if fields.is_empty() {
        return [0; 32];
    }
    let mut h = hasher(&PRIVATE);
    // At most PERSONAL_FIELDS_MAX fields.
    h.update(&u16::try_from(fields.len()).unwrap_or(u16::MAX).to_le_bytes());
    for (field, commitment) in fields {
        h.update(&field.to_le_bytes());
        h.update(&commitment.0);
    }
    *h.finalize().as_bytes()
}

/// The commitment to a personal value: BLAKE3 over salt (32 random bytes), field u16, length u32, value.
#[must_use]
pub fn commitment(salt: &[u8; 32], field: u16, value: &[u8]) -> Commitment {
    let mut h = hasher(&PERSONAL);
    h.update(salt);
    h.update(&field.to_le_bytes());
    // At most PERSONAL_VALUE_BYTES_MAX bytes.
    h.update(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
    h.update(value);
    Commitment(*h.finalize().as_bytes())
}

/// The key of a tag: the first 16 bytes of BLAKE3 over name, a zero byte, and the value in NFC.
#[must_use]
pub fn tag_key(name: &str, value: &str) -> TagKey {
    let mut h = hasher(&TAG);
    h.update(name.as_bytes());
    h.update(&[0]);
    h.update(crate::likeness::nfc(value).as_bytes());
    let mut key = [0u8; 16];
    key.copy_from_slice(&h.finalize().as_bytes()[..16]);
    TagKey(key)
}

/// A running digest of a segment's bytes.
#[must_use]
pub fn segment_hasher() -> Hasher {
    hasher(&SEGMENT)
}

/// The digest of a projection's state.
#[must_use]
pub fn state_digest(state: &[u8]) -> [u8; 32] {
    let mut h = hasher(&STATE);
    h.update(state);
    *h.finalize().as_bytes()
}

/// The digest of a snapshot's header.
#[must_use]
pub fn snapshot_digest(header: &[u8]) -> [u8; 32] {
    let mut h = hasher(&SNAPSHOT);
    h.update(header);
    *h.finalize().as_bytes()
}

/// The digest of a statement: of all bytes of its file (docs/FORMAT.md §11.6).
#[must_use]
pub fn statement_digest(file: &[u8]) -> [u8; 32] {
    *Hasher::new_derive_key(context::STATEMENT).update(file).finalize().as_bytes()
}

/// The digest of a statement's result: of the bytes of its JSON (docs/FORMAT.md §11.6).
#[must_use]
pub fn statement_result_digest(result: &[u8]) -> [u8; 32] {
    *Hasher::new_derive_key(context::STATEMENT_RESULT).update(result).finalize().as_bytes()
}

/// Fills `into` with a stream of bytes that `material` determines: for generators of test data, never for secrets.
pub fn stream(material: &[u8], into: &mut [u8]) {
    Hasher::new_derive_key(context::TEST_STREAM).update(material).finalize_xof().fill(into);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_derive_key() {
        let mut whole = Hasher::new_derive_key(context::BODY);
        whole.update(&[7; 64]);
        assert_eq!(body_digest(&[7; 64]), *whole.finalize().as_bytes());
    }

    #[test]
    fn body_is_padded_to_blocks() {
        assert_eq!(body_digest(b"a"), body_digest(b"a\0"));
        assert_ne!(body_digest(&[0; 64]), body_digest(&[0; 65]));
    }

    #[test]
    fn tag_values_compare_in_nfc() {
        assert_eq!(tag_key("model", "C\u{1ED5} Nhu\u{1EBF}"), tag_key("model", "Co\u{302}\u{309} Nhue\u{302}\u{301}"));
        assert_ne!(tag_key("a", "bc"), tag_key("ab", "c"));
    }
}
