//! Reading a file forward, much at once.

use crate::files::File;
use bytes::Bytes;
use std::io;
use std::sync::Arc;

/// Bytes read at first: most walks are short, and zeroing memory that is not needed costs more than the reading.
const FIRST_BYTES: usize = 16 << 10;

/// A file and the part of it that was read last.
pub(super) struct Chunks {
    file: Arc<dyn File>,
    /// Bytes to read next: they double …
    next_bytes: usize,
    /// … up to these.
    chunk_bytes: usize,
    chunk: Bytes,
    chunk_at: u64,
}

impl Chunks {
    pub(super) fn new(file: Arc<dyn File>, chunk_bytes: usize) -> Self {
        Self { file, next_bytes: FIRST_BYTES.min(chunk_bytes), chunk_bytes, chunk: Bytes::new(), chunk_at: 0 }
    }
    /// At least `want` bytes from an offset on; fewer only at the file's end. They share the memory of those read at once.
    pub(super) fn ahead(&mut self, offset: u64, want: usize) -> io::Result<Bytes> {
        let at = offset.checked_sub(self.chunk_at).and_then(|at| usize::try_from(at).ok());
        if let Some(at) = at.filter(|at| at.saturating_add(want) <= self.chunk.len()) {
            return Ok(self.chunk.slice(at..));
        }
        let mut bytes = vec![0; want.max(self.next_bytes)];
        self.next_bytes = (self.next_bytes * 2).min(self.chunk_bytes);
        let got = self.file.read_at(&mut bytes, offset)?;
        bytes.truncate(got);
        self.chunk = bytes.into();
        self.chunk_at = offset;
        Ok(self.chunk.clone())
    }
}
