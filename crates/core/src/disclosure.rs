//! One personal value shown to one reader: whether it is the one that a record commits to.

use crate::codec::CodecError;
use crate::hash;
use crate::ids::Commitment;
use crate::record::Frame;

/// Whether `value` (encoded as docs/FORMAT.md §5 says) under `salt` is what the record's personal field commits to; gives the commitment.
/// The frame is that of a receipt (§11.3): that the record is in the log is for the receipt to prove.
///
/// ```
/// # use sovang_core::{codec, disclosure, hash, record::Frame};
/// # fn check(frame: &Frame, salt: [u8; 32]) -> Result<(), sovang_core::CodecError> {
/// disclosure::verify(frame, 1, &salt, &codec::encode("Nguyễn Văn A")?)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `Personal` when the record has no such field, `PersonalMismatch` when value or salt is another.
pub fn verify(frame: &Frame, field: u16, salt: &[u8; 32], value: &[u8]) -> Result<Commitment, CodecError> {
    let committed = frame.commitments().into_iter().find(|(number, _)| *number == field).map(|(_, commitment)| commitment);
    let committed = committed.ok_or(CodecError::Personal { field, what: "the record has none of that number" })?;
    if hash::commitment(salt, field, value) == committed { Ok(committed) } else { Err(CodecError::PersonalMismatch { field }) }
}
