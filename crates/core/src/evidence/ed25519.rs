//! Ed25519 (RFC 8032), strictly: one key and one message have no two readings of a signature (docs/FORMAT.md §11.1).

use ed25519_dalek::{Signature, VerifyingKey};

/// The point, if its encoding is canonical and it is not of small order.
fn point(encoding: &[u8; 32]) -> Option<VerifyingKey> {
    let key = VerifyingKey::from_bytes(encoding).ok()?;
    // Decompression takes y modulo p, and a sign of x = 0: encoding again tells.
    let canonical = VerifyingKey::from(key.to_edwards()).as_bytes() == encoding;
    (canonical && !key.is_weak()).then_some(key)
}

/// Whether this is a public key that may be trusted.
pub(super) fn is_point(public: &[u8; 32]) -> bool {
    point(public).is_some()
}

/// Whether the signature holds: canonical A and R, neither of small order, S below the group's order, and no cofactor.
pub(super) fn holds(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let (r, _) = signature.split_at(32);
    let r: Option<&[u8; 32]> = r.try_into().ok();
    let (Some(key), Some(_)) = (point(public), r.and_then(point)) else { return false };
    key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
}
