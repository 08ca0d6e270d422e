//! Witnesses' cosignatures: what was known of them, and taking new ones (C2SP tlog-witness). Carrying requests and answers is the caller's.

use crate::checkpoints::Checkpoints;
use sovang_core::evidence::verify::{AHEAD_SECONDS_MAX, TIME_MIN};
use sovang_core::evidence::{Checkpoint, SignatureLine, VerifierKey};
use sovang_core::{Error, ErrorKind, Result, Size};

/// A cosignature that verified and is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cosigned {
    /// Whose.
    pub witness: VerifierKey,
    /// Of the checkpoint of this size.
    pub size: Size,
    /// When, by the witness's clock, in seconds since 1970.
    pub time: u64,
}

impl Checkpoints {
    /// The largest size at which a witness is known to have cosigned: where its next request starts. 0 when nothing is known.
    ///
    /// # Errors
    /// When a kept checkpoint cannot be read.
    pub fn last_cosigned(&self, witness: &VerifierKey) -> Result<Size> {
        let has_cosigned = |checkpoint: &Checkpoint| {
            checkpoint.note().signatures().iter().any(|line| line.verify(witness, checkpoint.note().text()).is_ok())
        };
        Ok(self.newest(has_cosigned)?.map_or(Size::ZERO, |checkpoint| checkpoint.head().size))
    }
    /// Takes the body of an answer to add-checkpoint: each line of one of these witnesses must be a cosignature of a checkpoint that is kept, at a
    /// time that can be, seen from `now` in seconds since 1970. Lines of other keys are passed over, as C2SP asks.
    ///
    /// # Errors
    /// `NotProven` when the body is malformed, a line of a known witness fails, or none is of a known witness; nothing is kept then. What the
    /// system refuses.
    pub fn take_cosignatures(&self, answer: &[u8], witnesses: &[VerifierKey], now: u64) -> Result<Vec<Cosigned>> {
        let mut taken: Vec<(Cosigned, Checkpoint)> = Vec::new();
        for line in SignatureLine::parse_all(answer)? {
            for witness in witnesses.iter().filter(|witness| line.is_of(witness)) {
                taken.push(self.place(&line, witness, now)?);
            }
        }
        if taken.is_empty() {
            return Err(Error::new(ErrorKind::NotProven, "no line of the answer is of a witness of the policy")
                .advise("compare the witness's key with the one in the policy"));
        }
        for (_, checkpoint) in &taken {
            self.add(checkpoint)?;
        }
        Ok(taken.into_iter().map(|(cosigned, _)| cosigned).collect())
    }
    /// The kept checkpoint that a line cosigns, with that line.
    fn place(&self, line: &SignatureLine, witness: &VerifierKey, now: u64) -> Result<(Cosigned, Checkpoint)> {
        let cosigns = |checkpoint: &Checkpoint| matches!(line.verify(witness, checkpoint.note().text()), Ok(Some(_)));
        let refuse = |what: String| Err(Error::new(ErrorKind::NotProven, what).advise("ask the witness again; nothing was kept"));
        let Some(mut checkpoint) = self.newest(cosigns)? else {
            return refuse(format!("the line of {} is no cosignature of a checkpoint that this ledger keeps", witness.name()));
        };
        let Ok(Some(time)) = line.verify(witness, checkpoint.note().text()) else {
            return refuse(format!("the line of {} does not verify", witness.name()));
        };
        if time < TIME_MIN || time > now.saturating_add(AHEAD_SECONDS_MAX) {
            return refuse(format!("{} cosigned at the time {time}, which cannot be", witness.name()));
        }
        checkpoint.add(line.clone())?;
        Ok((Cosigned { witness: witness.clone(), size: checkpoint.head().size, time }, checkpoint))
    }
}
