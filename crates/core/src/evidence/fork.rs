//! That a log's key has signed two histories (docs/FORMAT.md §11.5).

use super::text::{self, Lines};
use super::{Checkpoint, EvidenceError, Policy, VerifiedCheckpoint, verify_checkpoint};
use crate::ids::{Head, Root, Size};
use crate::limits::EVIDENCE_BYTES_MAX;
use crate::tree::{self, Hash};
use std::fmt;
use std::str::FromStr;

const WHAT: &str = "a fork proof";
const FIRST_LINE: &str = "sovang fork proof v1";

/// Two checkpoints of one log that contradict each other. Displays as exactly the bytes it was read from.
///
/// ```
/// use sovang_core::evidence::{Checkpoint, ForkProof, KeyKind, Policy, SecretKey};
/// use sovang_core::{Head, Root, Size};
/// let log = SecretKey::from_seed("example.org/log", [7; 32])?;
/// let one = Checkpoint::sign(&log, Head { size: Size(9), root: Root([1; 32]) })?;
/// let two = Checkpoint::sign(&log, Head { size: Size(9), root: Root([2; 32]) })?;
/// let proof = ForkProof::of(one, two, None)?;
/// proof.to_string().parse::<ForkProof>()?.verify(&Policy::key(log.verifier(KeyKind::Ed25519))?)?;
/// # Ok::<(), sovang_core::evidence::EvidenceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkProof {
    /// Of the smaller size; of one size, with the smaller root.
    a: Checkpoint,
    b: Checkpoint,
    /// When the sizes differ: the root that the larger tree has at the smaller size, and the proof of that.
    other: Option<(Root, Vec<Hash>)>,
}

/// A proven fork: both checkpoints hold, and no log can have both.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fork {
    /// Of the smaller size; of one size, with the smaller root.
    pub a: VerifiedCheckpoint,
    /// The other one.
    pub b: VerifiedCheckpoint,
    /// The root that `b`'s history has at `a`'s size.
    pub root_of_b_at_a: Root,
}

impl ForkProof {
    /// Of two checkpoints in either order. When their sizes differ: the root that the larger tree has at the smaller size, and the consistency
    /// proof from there to the larger checkpoint.
    ///
    /// # Errors
    /// When they do not contradict each other, by what is given; their signatures are not verified.
    pub fn of(one: Checkpoint, two: Checkpoint, other: Option<(Root, Vec<Hash>)>) -> Result<Self, EvidenceError> {
        let in_order = (one.head().size, one.head().root) <= (two.head().size, two.head().root);
        let (a, b) = if in_order { (one, two) } else { (two, one) };
        let proof = Self { a, b, other };
        proof.contradicts()?;
        Ok(proof)
    }
    /// Reads a fork proof. Nothing is verified.
    ///
    /// # Errors
    /// [`EvidenceError::Malformed`] with the line, or [`EvidenceError::TooLarge`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let mut lines = Lines::new(WHAT, text::checked(WHAT, bytes, ("EVIDENCE_BYTES_MAX", EVIDENCE_BYTES_MAX))?);
        lines.exactly(FIRST_LINE)?;
        let root = match lines.optional_field("other") {
            Some(root) => Some(Root(text::hash(root).ok_or_else(|| lines.bad("the root is not 32 bytes in canonical base64"))?)),
            None => None,
        };
        let hashes = lines.hashes()?;
        let other = match root {
            Some(root) => Some((root, hashes)),
            None if hashes.is_empty() => None,
            None => return Err(lines.bad("hashes without the line `other …`")),
        };
        let (a, b) = two_checkpoints(lines.rest(), lines.taken())?;
        let proof = Self { a, b, other };
        proof.check_order()?;
        Ok(proof)
    }
    fn check_order(&self) -> Result<(), EvidenceError> {
        let (a, b) = (self.a.head(), self.b.head());
        if a.size > b.size || (a.size == b.size && a.root > b.root) {
            return Err(EvidenceError::malformed(WHAT, 0, "the smaller checkpoint comes first; of one size, the smaller root"));
        }
        if self.other.is_some() == (a.size == b.size) {
            return Err(EvidenceError::malformed(WHAT, 2, "`other …` stands there iff the sizes differ"));
        }
        Ok(())
    }
    /// The checkpoint of the smaller size; of one size, with the smaller root.
    #[must_use]
    pub fn a(&self) -> &Checkpoint {
        &self.a
    }
    /// The other checkpoint.
    #[must_use]
    pub fn b(&self) -> &Checkpoint {
        &self.b
    }
    /// That no log can have both heads; gives the root of `b`'s history at `a`'s size.
    fn contradicts(&self) -> Result<Root, EvidenceError> {
        let disagrees = |what: &'static str| Err(EvidenceError::Disagrees { what: what.into() });
        self.check_order()?;
        if self.a.origin() != self.b.origin() {
            return disagrees("no fork: the checkpoints are of two logs");
        }
        let (a, b) = (self.a.head(), self.b.head());
        if a.size == Size::ZERO {
            return disagrees("no fork: every log extends the empty one");
        }
        let root = match &self.other {
            None => b.root,
            Some((root, hashes)) => {
                tree::verify_consistency(&Head { size: a.size, root: *root }, &b, hashes)
                    .map_err(|error| EvidenceError::Proof { what: "that the larger log has another beginning", error })?;
                *root
            }
        };
        if root == a.root { disagrees("no fork: the larger checkpoint extends the smaller one") } else { Ok(root) }
    }
    /// That the log has forked: both checkpoints hold under the policy, and they contradict each other. The policy's greatest age is not asked for.
    ///
    /// # Errors
    /// The first of these that does not hold.
    pub fn verify(&self, policy: &Policy) -> Result<Fork, EvidenceError> {
        let policy = policy.without_max_age();
        let a = verify_checkpoint(&self.a, &policy).map_err(|error| error.within("the first checkpoint"))?;
        let b = verify_checkpoint(&self.b, &policy).map_err(|error| error.within("the second checkpoint"))?;
        Ok(Fork { a, b, root_of_b_at_a: self.contradicts()? })
    }
}

/// Two checkpoints with an empty line between. Each has one empty line within, after its three lines.
fn two_checkpoints(rest: &str, before: usize) -> Result<(Checkpoint, Checkpoint), EvidenceError> {
    let end = rest
        .match_indices("\n\n")
        .nth(1)
        .map(|(at, _)| at + 1)
        .ok_or_else(|| EvidenceError::malformed(WHAT, before, "two checkpoints do not follow"))?;
    let (first, second) = (&rest[..end], &rest[end + 1..]);
    let a = Checkpoint::parse(first.as_bytes()).map_err(|e| e.after(before).within("the first checkpoint"))?;
    let skipped = before + first.matches('\n').count() + 1;
    let b = Checkpoint::parse(second.as_bytes()).map_err(|e| e.after(skipped).within("the second checkpoint"))?;
    Ok((a, b))
}

impl fmt::Display for ForkProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if let Some((root, hashes)) = &self.other {
            writeln!(f, "other {}", root.to_base64())?;
            for hash in hashes {
                writeln!(f, "{}", text::base64(hash))?;
            }
        }
        write!(f, "\n{}\n{}", self.a, self.b)
    }
}
impl FromStr for ForkProof {
    type Err = EvidenceError;
    fn from_str(text: &str) -> Result<Self, EvidenceError> {
        Self::parse(text.as_bytes())
    }
}
