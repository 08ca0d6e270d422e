//! What an append gives back.

use sovang_core::{Error, ErrorKind, Position, RecordHash, RecordId, Result, Size};
use sovang_storage::store::{self, Done};
use std::fmt;

/// A record that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Appended {
    /// Where it stands.
    pub position: Position,
    /// Its id.
    pub id: RecordId,
    /// Its hash.
    pub hash: RecordHash,
    /// Whether it had been recorded before, with the same content, and nothing was appended now.
    pub repeated: bool,
}
impl Appended {
    /// The size to wait for to see this record.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.position.next()
    }
}

pub(crate) fn appended(done: &Done) -> Vec<Appended> {
    done.records.iter().map(|r| Appended { position: r.position, id: r.id, hash: r.hash, repeated: done.repeated }).collect()
}

/// A record on its way to the disk. One thread may hold many; dropping one cancels nothing. With the feature `async` it can be
/// awaited, in any runtime.
#[must_use = "the record is durable only once the ticket says so"]
pub struct Ticket(store::Ticket);

impl Ticket {
    pub(crate) fn new(ticket: store::Ticket) -> Self {
        Self(ticket)
    }
    /// Waits until the record is durable.
    ///
    /// # Errors
    /// As [`crate::Recorder::record`].
    pub fn wait(self) -> Result<Appended> {
        the_one(self.0.wait())
    }
}
fn the_one(done: Result<Done>) -> Result<Appended> {
    appended(&done?).pop().ok_or_else(|| Error::new(ErrorKind::Closed, "the writer answered for no record"))
}
#[cfg(feature = "async")]
impl std::future::Future for Ticket {
    type Output = Result<Appended>;
    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0).poll(context).map(the_one)
    }
}
impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket")
    }
}
