//! What can go wrong with a disk that does not lose power, one call at a time.

use std::io;

/// A failure to come. Each happens once, at the `nth` such operation from now on; 1 is the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A sync, of a file or a directory, fails. Of what it should have made durable, the n-th part (a sector, or a change
    /// of a name) reached the disk if bit n of `kept` is set, modulo 60; the rest is lost although it still shows. The
    /// length is kept or lost with `len_kept`.
    Sync {
        /// Which sync.
        nth: u64,
        /// What of it reached the disk.
        kept: u64,
        /// Whether a new length reached the disk.
        len_kept: bool,
    },
    /// An allocation finds no space.
    Allocate {
        /// Which allocation.
        nth: u64,
    },
    /// A write fails after some of it was written.
    Write {
        /// Which write.
        nth: u64,
        /// How many sectors of it were written.
        sectors: u64,
    },
    /// A rename fails and does nothing.
    Rename {
        /// Which rename.
        nth: u64,
    },
    /// A call, whichever it is, fails with that error and does nothing. Of a sync nothing reaches the disk then, and all of it
    /// stays to be synced: the kindest way in which it can fail.
    Call {
        /// Which call.
        nth: u64,
        /// How it fails.
        error: io::ErrorKind,
    },
    /// From a call on every call fails, until [`super::SimFiles::take_faults`]: a cable was pulled, or a mount went read-only.
    Gone {
        /// The first call that fails.
        nth: u64,
        /// How they fail.
        error: io::ErrorKind,
    },
    /// A write fails after so many bytes of it were written, with that error.
    ShortWrite {
        /// Which write.
        nth: u64,
        /// How many bytes of it were written.
        bytes: u64,
        /// How it fails.
        error: io::ErrorKind,
    },
    /// A read gives fewer bytes than there are, as if the file ended there, which breaks the promise of [`crate::files::File`].
    ShortRead {
        /// Which read.
        nth: u64,
        /// How many bytes it gives.
        bytes: usize,
    },
    /// A read gives what is durable although something newer was written: a page that was dropped from the cache too early.
    StaleRead {
        /// Which read.
        nth: u64,
    },
    /// A read gives one flipped bit; the disk is sound.
    FlippedRead {
        /// Which read.
        nth: u64,
        /// Which bit of what is read, counted modulo what is read.
        bit: usize,
    },
    /// A sync claims success and does nothing: all of it stays pending.
    LyingSync {
        /// Which sync.
        nth: u64,
    },
    /// A write claims success and does nothing.
    LostWrite {
        /// Which write.
        nth: u64,
    },
    /// A write claims success and lands elsewhere in the same file.
    MisdirectedWrite {
        /// Which write.
        nth: u64,
        /// How many sectors farther on, or nearer to the start; not before it.
        sectors: i64,
    },
}

/// What a process asks of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Open,
    List,
    CreateDirectory,
    Rename,
    Remove,
    Lock,
    Len,
    Read,
    Write,
    SetLen,
    Allocate,
    Sync,
}

impl Fault {
    /// What counts the calls down, if this call counts.
    fn left(&mut self, call: Call) -> Option<&mut u64> {
        let (nth, counts) = match self {
            Self::Sync { nth, .. } | Self::LyingSync { nth } => (nth, call == Call::Sync),
            Self::Allocate { nth } => (nth, call == Call::Allocate),
            Self::Write { nth, .. }
            | Self::ShortWrite { nth, .. }
            | Self::LostWrite { nth }
            | Self::MisdirectedWrite { nth, .. } => (nth, call == Call::Write),
            Self::Rename { nth } => (nth, call == Call::Rename),
            Self::ShortRead { nth, .. } | Self::StaleRead { nth } | Self::FlippedRead { nth, .. } => (nth, call == Call::Read),
            Self::Call { nth, .. } | Self::Gone { nth, .. } => (nth, true),
        };
        counts.then_some(nth)
    }
}

/// The failures to come, and how many came.
#[derive(Default)]
pub(super) struct Plan {
    faults: Vec<Fault>,
    fired: u64,
}

impl Plan {
    pub(super) fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }
    /// Takes back what did not happen, and says how many did since the last call.
    pub(super) fn take(&mut self) -> u64 {
        self.faults.clear();
        std::mem::take(&mut self.fired)
    }
    /// Counts a call, and gives what is to go wrong with it. Of several faults that are due one waits for the next such call.
    pub(super) fn due(&mut self, call: Call) -> io::Result<Option<Fault>> {
        let mut due = None;
        for (n, fault) in self.faults.iter_mut().enumerate() {
            if let Some(left) = fault.left(call) {
                *left = left.saturating_sub(1);
                if *left == 0 && due.is_none() {
                    due = Some(n);
                }
            }
        }
        let Some(due) = due else { return Ok(None) };
        self.fired += 1;
        if let Fault::Gone { error, .. } = self.faults[due] {
            return Err(error.into());
        }
        match self.faults.remove(due) {
            Fault::Call { error, .. } => Err(error.into()),
            Fault::Allocate { .. } => Err(io::ErrorKind::StorageFull.into()),
            Fault::Rename { .. } => Err(failure()),
            fault => Ok(Some(fault)),
        }
    }
}

/// EIO, as near as the standard library can name it.
pub(super) fn failure() -> io::Error {
    io::Error::other("simulated failure of the disk")
}
