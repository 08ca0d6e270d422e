//! Checkpoints, proofs, receipts, growth and fork proofs: the library's one verifier says whether they hold.

use super::{Check, Kind, Outcome, fork, record};
use crate::failure::Failure;
use sovang::{Checkpoint, EvidenceError, ForkProof, Growth, Proven, Receipt, Size, TlogProof, evidence};

impl Check<'_> {
    pub(super) fn checkpoint(&mut self, bytes: &[u8]) -> Result<Outcome, Failure> {
        let policy = self.policy()?;
        let checked = Checkpoint::parse(bytes).and_then(|checkpoint| {
            let verified = evidence::verify_checkpoint(&checkpoint, &policy)?;
            Ok((checkpoint, verified))
        });
        Ok(match checked {
            Ok((checkpoint, verified)) => {
                self.seen.push(fork::Seen::checkpoint(checkpoint.clone()));
                self.before = Some(checkpoint);
                Outcome::holds(Kind::Checkpoint, "the log's head was signed").with_checkpoint(verified)
            }
            Err(error) => Outcome::of_error(Kind::Checkpoint, &error),
        })
    }

    /// A C2SP proof: of the raw entry if one was given, else of the record in `extra`.
    pub(super) fn proof(&mut self, bytes: &[u8]) -> Result<Outcome, Failure> {
        let proof = match TlogProof::parse(bytes) {
            Ok(proof) => proof,
            Err(error) => return Ok(Outcome::of_error(Kind::Proof, &error)),
        };
        let policy = self.policy()?;
        let checkpoint = proof.checkpoint.clone();
        let (kind, proven) = match &self.leaf {
            Some(entry) => (Kind::Proof, proof.verify_entry(entry, &policy)),
            None if proof.extra.is_none() => {
                let what = "the proof says nothing of what it is a proof of";
                return Ok(Outcome::not_checked(Kind::Proof, what, "give the raw entry with --leaf FILE"));
            }
            None => match Receipt::try_from(proof) {
                Ok(receipt) => {
                    let holds_record = matches!(receipt.leaf(), sovang::Leaf::Record(_));
                    (if holds_record { Kind::Receipt } else { Kind::Proof }, receipt.verify(&policy))
                }
                Err(error) => (Kind::Proof, Err(error)),
            },
        };
        Ok(match proven {
            Ok(proven) => {
                self.seen.push(fork::Seen::checkpoint(checkpoint));
                self.proven(kind, proven)
            }
            Err(error) => Outcome::of_error(kind, &error),
        })
    }
    fn proven(&mut self, kind: Kind, proven: Proven) -> Outcome {
        let what = match kind {
            Kind::Receipt => "this record is in the log",
            _ if proven.record_hash.is_none() => "the entry is in the log",
            _ => "a record of this hash is in the log",
        };
        let record = proven.frame.clone().map(|frame| record::Shown::of(proven.position, &frame));
        let outcome = Outcome {
            position: Some(proven.position.0),
            record_hash: proven.record_hash,
            record,
            ..Outcome::holds(kind, what).with_checkpoint(proven.checkpoint.clone())
        };
        self.receipts.push(proven);
        outcome
    }

    /// Growth from the checkpoint of the file before.
    pub(super) fn growth(&mut self, bytes: &[u8], before: Option<&Checkpoint>) -> Result<Outcome, Failure> {
        let growth = match Growth::parse(bytes) {
            Ok(growth) => growth,
            Err(error) => return Ok(Outcome::of_error(Kind::Growth, &error)),
        };
        let policy = self.policy()?;
        let Some(old) = before else {
            // What is false is said even when something is missing.
            if let Err(error) = evidence::verify_checkpoint(&growth.checkpoint, &policy) {
                return Ok(Outcome::of_error(Kind::Growth, &error));
            }
            let what = format!("growth since size {}, but from which checkpoint is not said", growth.old);
            let hint = "name the older checkpoint just before it: sovang check OLD_CHECKPOINT GROWTH_FILE";
            return Ok(Outcome::not_checked(Kind::Growth, what, hint));
        };
        Ok(match growth.verify(old, &policy) {
            Ok(grown) => {
                self.before = Some(growth.checkpoint.clone());
                self.seen.push(fork::Seen::growth(&growth));
                let (from, to) = (grown.old.head.size, grown.new.head.size);
                let what = match from {
                    Size::ZERO => {
                        "the log's head was signed; every log extends the empty one, so this proves no growth".to_owned()
                    }
                    from => format!("the log of size {to} extends the one of size {from}: nothing was changed or taken away"),
                };
                Outcome::holds(Kind::Growth, what).with_checkpoint(grown.new)
            }
            Err(error) => {
                if matches!(error, EvidenceError::Proof { .. }) {
                    self.seen.push(fork::Seen::growth(&growth));
                }
                Outcome::of_error(Kind::Growth, &error)
            }
        })
    }

    pub(super) fn fork_proof(&mut self, bytes: &[u8]) -> Result<Outcome, Failure> {
        let policy = self.policy()?;
        Ok(match ForkProof::parse(bytes).and_then(|proof| proof.verify(&policy)) {
            Ok(fork) => {
                let what = if fork.a.head.size == fork.b.head.size {
                    format!(
                        "the log has forked: at size {} it has signed the roots {} and {}",
                        fork.a.head.size,
                        fork.a.head.root.to_base64(),
                        fork.b.head.root.to_base64()
                    )
                } else {
                    format!(
                        "the log has forked: at size {} it has signed the root {}, and at size {} a history with the root {} there",
                        fork.a.head.size,
                        fork.a.head.root.to_base64(),
                        fork.b.head.size,
                        fork.root_of_b_at_a.to_base64()
                    )
                };
                Outcome::holds(Kind::ForkProof, what).with_checkpoint(fork.b)
            }
            Err(error) => Outcome::of_error(Kind::ForkProof, &error),
        })
    }
}
