//! Proofs that leave the ledger: of one record, with or without it, and of growth.

use crate::checkpoints::Checkpoints;
use crate::reader::Reader;
use sovang_core::evidence::{Checkpoint, EvidenceError, Growth, Leaf, Policy, Receipt, verify_checkpoint};
use sovang_core::record::Frame;
use sovang_core::{Error, ErrorKind, Event, Head, Position, Result, Size, tree};

impl<E: Event> Reader<E> {
    /// A C2SP tlog-proof that the record at a position is in the log, against the newest signed checkpoint that covers it. It holds the
    /// record's hash: whoever has the record can check that it is the one; [`Self::receipt`] holds the record itself.
    ///
    /// ```no_run
    /// # use sovang::{Ledger, Policy, Position, RawEvent, Receipt, VerifierKey};
    /// # let vkey: VerifierKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k".parse()?;
    /// let reader = Ledger::<RawEvent>::open_read_only("loans")?;
    /// let text = reader.prove(Position(42))?.to_string();
    /// let proven = text.parse::<Receipt>()?.verify(&Policy::key(vkey)?)?; // offline, without the ledger
    /// println!("record {} of {}", proven.position, proven.checkpoint.head.size);
    /// # Ok::<(), sovang::Error>(())
    /// ```
    ///
    /// # Errors
    /// `NotFound` when there is no such record, or no checkpoint covers it yet; `NotProven` when the newest one that does is not of this log;
    /// `Damaged`.
    pub fn prove(&self, position: Position) -> Result<Receipt> {
        self.proof(position, None, |hash, _| Leaf::Hash(hash))
    }
    /// As [`Self::prove`], but with the whole public record: a file that needs nothing beside it. Personal values are commitments in it. With a
    /// policy it is against the newest checkpoint that meets it.
    ///
    /// # Errors
    /// As [`Self::prove`]; `NotFound` when no checkpoint that covers the record meets the policy.
    pub fn receipt(&self, position: Position, policy: Option<&Policy>) -> Result<Receipt> {
        self.proof(position, policy, |_, frame| Leaf::Record(frame))
    }
    /// That the log only grew since it had `since` records, against the newest signed checkpoint: the body of a C2SP tlog-witness
    /// add-checkpoint request. From size 0 it proves nothing, as every log extends the empty one.
    ///
    /// # Errors
    /// `NotFound` when no checkpoint is of that size or larger; `NotProven` when the newest is not of this log; `Damaged`.
    pub fn prove_growth(&self, since: Size) -> Result<Growth> {
        let newest = Checkpoints::of(self.view().clone()).newest(|_| true)?.ok_or_else(none_yet)?;
        // After the checkpoint was found: the log has all that was signed by then.
        self.refresh()?;
        if newest.head().size < since {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("the newest checkpoint is of size {}, not yet {since}", newest.head().size),
            )
            .advise(SIGN));
        }
        self.growth_to(since, newest)
    }
    /// As [`Self::prove_growth`], to a checkpoint of this log.
    ///
    /// # Errors
    /// As there; `InvalidInput` when the checkpoint is smaller than `since`.
    pub fn growth_to(&self, since: Size, checkpoint: Checkpoint) -> Result<Growth> {
        let new = checkpoint.head();
        if new.size < since {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("the checkpoint is of size {}, smaller than {since}", new.size),
            ));
        }
        self.of_this_log(new)?;
        let hashes = self.view().consistency_proof(since, new.size)?;
        let growth = Growth { old: since, hashes, checkpoint };
        let old = Head { size: since, root: self.view().root_at(since)? };
        // Nothing leaves that does not hold: an index could be stale in a way that nobody met before.
        growth.extends(&old)?;
        Ok(growth)
    }

    fn proof(
        &self,
        position: Position,
        policy: Option<&Policy>,
        leaf: impl FnOnce(sovang_core::RecordHash, Frame) -> Leaf,
    ) -> Result<Receipt> {
        self.refresh()?;
        let frame = self.view().frame(position)?;
        let checkpoint = self.covering(position, policy)?;
        let head = checkpoint.head();
        self.refresh()?;
        self.of_this_log(head)?;
        let hashes = self.view().inclusion_proof(position, head.size)?;
        let hash = frame.hash(position);
        tree::verify_inclusion(&tree::leaf_hash(&hash), position, head.size, &hashes, &head.root)
            .map_err(|error| Error::new(ErrorKind::Damaged, error.to_string()).at(position))?;
        Ok(Receipt::of(position, leaf(hash, frame), hashes, checkpoint))
    }
    /// The newest checkpoint that covers a position and meets the policy, if there is one.
    fn covering(&self, position: Position, policy: Option<&Policy>) -> Result<Checkpoint> {
        let checkpoints = Checkpoints::of(self.view().clone());
        let mut newest_refused: Option<EvidenceError> = None;
        for size in checkpoints.sizes()?.into_iter().rev().filter(|size| size.contains(position)) {
            let Some(checkpoint) = checkpoints.get(size)? else { continue };
            match policy.map(|policy| verify_checkpoint(&checkpoint, policy)) {
                None | Some(Ok(_)) => return Ok(checkpoint),
                Some(Err(error)) => newest_refused = newest_refused.or(Some(error)),
            }
        }
        Err(match newest_refused {
            Some(why) => Error::new(
                ErrorKind::NotFound,
                format!("no checkpoint that covers the record meets the policy; of the newest: {why}"),
            )
            .at(position)
            .advise(
                "collect cosignatures with `sovang witness DIR --policy FILE`, or use the policy that this log is signed for",
            ),
            None => Error::new(ErrorKind::NotFound, "no signed checkpoint covers the record yet").at(position).advise(SIGN),
        })
    }
    pub(crate) fn of_this_log(&self, head: Head) -> Result<()> {
        Checkpoints::of(self.view().clone()).contradiction(head)?.map_or(Ok(()), Err)
    }
}

const SIGN: &str = "sign one with `sovang checkpoint DIR --key KEYFILE`";

pub(crate) fn none_yet() -> Error {
    Error::new(ErrorKind::NotFound, "there is no signed checkpoint yet").advise(SIGN)
}
