//! Reading a file forward, much at once.

use crate::files::File;
use bytes::Bytes;
use std::io;
use std::sync::Arc;

/// A file and the part of it that was read last.
pub(super) struct Chunks {
    file: Arc<dyn File>,
    chunk_bytes: usize,
    chunk: Bytes,
    chunk_at: u64,
}

impl Chunks {
    pub(super) fn new(file: Arc<dyn File>, chunk_bytes: usize) -> Self {
        Self { file, chunk_bytes, chunk: Bytes::new(), chunk_at: 0 }
    }
    /// At least `want` bytes from an offset on; fewer only at the file's end. They share the memory of those read at once.
    pub(super) fn ahead(&mut self, offset: u64, want: usize) -> io::Result<Bytes> {
        let at = offset.checked_sub(self.chunk_at).and_then(|at| usize::try_from(at).ok());
        if let Some(at) = at.filter(|at| at.saturating_add(want) <= self.chunk.len()) {
            return Ok(self.chunk.slice(at..));
        }
        let mut bytes = vec![0; want.max(self.chunk_bytes)];
        let got = self.file.read_at(&mut bytes, offset)?;
        bytes.truncate(got);
        self.chunk = bytes.into();
        self.chunk_at = offset;
        Ok(self.chunk.clone())
    }
}
