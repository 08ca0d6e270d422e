//! Putting segments in place that another writer wrote first, byte for byte: for copies of a log.
//!
//! A segment appears whole: it is written under a temporary name, synced and renamed, and its predecessor is sealed after
//! that. Several batches written into a segment that is in place would not do: a power loss may leave a later header, which
//! proves the batch before it, without that batch. So at each moment the segments in place are the beginning of a log.

use super::End;
use super::batch::BATCH_HEADER_BYTES;
use super::evidence::{CHUNK_BYTES, read_head};
use super::head::HEAD_FILE;
use super::head_writer::HeadWriter;
use super::segment::{LOG_DIRECTORY, SEAL_BYTES, segment_path};
use crate::files::{File, Files, Open};
use sovang_core::{Error, LedgerId, Result};
use std::io;
use std::sync::Arc;

/// What is written at once.
const BUFFER_BYTES: usize = 1 << 20;
const _: () = assert!(BUFFER_BYTES > BATCH_HEADER_BYTES);

/// Segments on their way into a log.
pub(super) struct Placing<'a> {
    files: &'a dyn Files,
    open: Option<Growing>,
    /// Seals that wait until the successor of their segment is in place: number, offset, bytes.
    seals: Vec<(u64, u64, Vec<u8>)>,
}

/// A segment that is being written.
struct Growing {
    number: u64,
    file: Arc<dyn File>,
    /// What is not yet written, and where it goes.
    buffer: Vec<u8>,
    at: u64,
}

impl<'a> Placing<'a> {
    pub(super) fn new(files: &'a dyn Files) -> Self {
        Self { files, open: None, seals: Vec::new() }
    }
    fn failed(&self, number: u64) -> impl Fn(io::Error) -> Error {
        let path = self.files.describe(&segment_path(number));
        move |e| Error::io(e, "write a copy of a segment", path.clone())
    }

    /// Begins a segment.
    pub(super) fn begin(&mut self, number: u64) -> Result<()> {
        self.finish()?;
        let file = self.files.open(&temporary(number), Open::Create).map_err(self.failed(number))?;
        self.open = Some(Growing { number, file, buffer: Vec::with_capacity(BUFFER_BYTES), at: 0 });
        Ok(())
    }
    /// Begins a segment with the first bytes of a file.
    pub(super) fn begin_with(&mut self, number: u64, from: &dyn File, len: u64) -> Result<()> {
        self.begin(number)?;
        let mut at = 0;
        while at < len {
            let mut chunk = vec![0; usize::try_from(len - at).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES)];
            let got = from.read_at(&mut chunk, at).map_err(self.failed(number))?;
            if got == 0 {
                return Err(self.failed(number)(io::ErrorKind::UnexpectedEof.into()));
            }
            self.write(&chunk[..got])?;
            at += got as u64;
        }
        Ok(())
    }
    /// Writes on, in the segment that was begun last.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        open.buffer.extend_from_slice(bytes);
        if open.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }
    fn flush(&mut self) -> Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let written = open.file.write_at(&open.buffer, open.at);
        open.at += open.buffer.len() as u64;
        open.buffer.clear();
        let number = open.number;
        written.map_err(self.failed(number))
    }
    /// Seals a segment once its successor is in place.
    pub(super) fn seal_later(&mut self, number: u64, offset: u64, seal: &[u8]) {
        self.seals.push((number, offset, seal.to_vec()));
    }
    /// Puts the segment that was begun last in place, and seals the one before it.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.flush()?;
        if let Some(Growing { number, file, .. }) = self.open.take() {
            let place = || {
                file.sync_all()?;
                self.files.rename(&temporary(number), &segment_path(number))?;
                self.files.sync_directory(LOG_DIRECTORY)
            };
            place().map_err(self.failed(number))?;
            while let Some((before, offset, seal)) = self.seals.pop_if(|(before, ..)| *before < number) {
                let file = self.files.open(&segment_path(before), Open::Write).map_err(self.failed(before))?;
                let sealed = file.write_at(&seal, offset).and_then(|()| file.set_len(offset + SEAL_BYTES as u64));
                sealed.and_then(|()| file.sync_all()).map_err(self.failed(before))?;
            }
        }
        Ok(())
    }
}

fn temporary(number: u64) -> String {
    format!("{}.tmp", segment_path(number))
}

/// Says in two slots of `HEAD` that the log, which is durable, ends there.
pub(super) fn write_head(files: &dyn Files, ledger: LedgerId, end: &End) -> Result<()> {
    let best = read_head(files, ledger)?.best;
    let write = || {
        let mut writer = HeadWriter::new(files.open(HEAD_FILE, Open::Write)?, ledger, best);
        writer.write(end)?;
        writer.settle(end)
    };
    write().map_err(|e| Error::io(e, "write the durable head", files.describe(HEAD_FILE)))
}
