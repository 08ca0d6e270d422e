//! Time-stamp responses beside the checkpoints that they stamp (docs/FORMAT.md §11.2).

use crate::checkpoints::Checkpoints;
use sha2::{Digest as _, Sha256};
use sovang_core::{Result, Size};
use std::path::PathBuf;

/// Hex digits of a response's SHA-256 in its file's name.
const NAME_DIGITS: usize = 16;

impl Checkpoints {
    /// Keeps an RFC 3161 time-stamp response over the text of the checkpoint of a size, durably; gives its file. That it is one, whoever calls has checked.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn add_token(&self, size: Size, response: &[u8]) -> Result<PathBuf> {
        let mut digest = hex::encode(Sha256::digest(response));
        digest.truncate(NAME_DIGITS);
        let name = format!("{size}.{digest}.tsr");
        self.view().change_checkpoint_file(&name, &mut |there| Ok(there.is_none().then(|| response.to_vec())))?;
        Ok(self.view().describe(&format!("checkpoints/{name}")))
    }
}
