//! Why evidence is refused.

use crate::tree::ProofError;
use crate::{Error, ErrorKind};
use std::borrow::Cow;
use std::fmt;

/// Why evidence, a key or a policy is refused. Anything that is not `Ok` proves nothing.
///
/// As [`Error`] it is of kind [`ErrorKind::NotProven`], but for a key or a policy, which the caller gave:
/// [`ErrorKind::InvalidInput`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EvidenceError {
    /// The bytes do not follow the format.
    Malformed {
        /// What they should be.
        what: &'static str,
        /// The line at fault from 1, 0 when it is the whole.
        line: usize,
        /// What is wrong with it.
        why: Cow<'static, str>,
    },
    /// Larger than a named limit.
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit's name.
        limit: &'static str,
        /// The limit, in bytes or items.
        max: usize,
    },
    /// A key's text or name cannot be taken.
    Key {
        /// What is wrong with it.
        why: Cow<'static, str>,
    },
    /// A policy cannot be taken.
    Policy {
        /// The line at fault from 1, 0 when it is the whole.
        line: usize,
        /// What is wrong with it.
        why: Cow<'static, str>,
    },
    /// A signature line of a known key does not hold.
    Signature {
        /// The key's name.
        name: String,
        /// The key's id.
        id: u32,
    },
    /// No line is of a known key.
    NoKnownKey {
        /// What should have been signed.
        what: &'static str,
    },
    /// No trusted log has this origin.
    UnknownOrigin {
        /// The checkpoint's origin.
        origin: String,
    },
    /// The log's own signature is missing.
    NotSignedByLog {
        /// The checkpoint's origin.
        origin: String,
    },
    /// The witnesses that signed do not meet the policy's quorum.
    Quorum {
        /// The quorum's name in the policy.
        quorum: String,
        /// The names in the policy of those who signed.
        cosigned: Vec<String>,
    },
    /// A cosignature's time cannot be.
    Time {
        /// The witness's key name.
        name: String,
        /// Its time, in seconds since 1970.
        seconds: u64,
        /// Why it cannot be.
        why: &'static str,
    },
    /// The checkpoint is older than asked for, or has no time at all.
    Stale {
        /// The largest time since which a quorum vouches, in seconds since 1970.
        cosigned: Option<u64>,
        /// The smallest that was asked for.
        oldest: u64,
    },
    /// A Merkle proof does not hold.
    Proof {
        /// Of what.
        what: &'static str,
        /// Why.
        error: ProofError,
    },
    /// Two parts that must agree do not.
    Disagrees {
        /// What disagrees with what.
        what: Cow<'static, str>,
    },
    /// The error is in a part of what was given.
    Within {
        /// The part.
        part: &'static str,
        /// What is wrong with it.
        error: Box<EvidenceError>,
    },
}

impl EvidenceError {
    pub(super) fn malformed(what: &'static str, line: usize, why: impl Into<Cow<'static, str>>) -> Self {
        Self::Malformed { what, line, why: why.into() }
    }
    pub(super) fn within(self, part: &'static str) -> Self {
        Self::Within { part, error: Box::new(self) }
    }
    /// The same error in a file where the part starts after `lines` lines.
    pub(super) fn after(mut self, lines: usize) -> Self {
        if let Self::Malformed { line, .. } = &mut self {
            *line += lines;
        }
        self
    }
    /// Whether the bytes do not follow their format, as opposed to saying something that does not hold.
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        match self {
            Self::Malformed { .. } | Self::TooLarge { .. } => true,
            Self::Within { error, .. } => error.is_malformed(),
            _ => false,
        }
    }
    /// Whether what the caller gave to trust, a key or a policy, is at fault, and not the evidence.
    #[must_use]
    pub fn is_callers(&self) -> bool {
        match self {
            Self::Key { .. } | Self::Policy { .. } => true,
            Self::Within { error, .. } => error.is_callers(),
            _ => false,
        }
    }
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Malformed { .. } | Self::TooLarge { .. } => {
                "the file was changed or cut, or is of another kind; ask for it again"
            }
            Self::Key { .. } => "a verifier key looks like example.org/log+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            Self::Policy { .. } => {
                "the format is C2SP's tlog-policy: lines `log VKEY`, `witness NAME VKEY`, `group …`, `quorum NAME`"
            }
            Self::Signature { .. } | Self::Proof { .. } | Self::Disagrees { .. } => {
                "do not rely on it: it was changed, or is not of this log; keep the file and ask the log for it again"
            }
            Self::NoKnownKey { .. } | Self::NotSignedByLog { .. } => "check that the trusted key is the one that signs this log",
            Self::UnknownOrigin { .. } => "give the key whose name is this origin, or name the origin beside the key",
            Self::Quorum { .. } => "collect more cosignatures, or check with a policy that asks for fewer",
            Self::Time { .. } => "the witness's clock was wrong, or the present that was given is",
            Self::Stale { .. } => "ask for a newer checkpoint, cosigned by the policy's witnesses",
            Self::Within { error, .. } => return error.hint(),
        })
    }
}

impl fmt::Display for EvidenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { what, line: 0, why } => write!(f, "not {what}: {why}"),
            Self::Malformed { what, line, why } => write!(f, "not {what}: line {line}: {why}"),
            Self::TooLarge { what, limit, max } => write!(f, "{what}: more than {limit} = {max}"),
            Self::Key { why } => write!(f, "not a usable key: {why}"),
            Self::Policy { line: 0, why } => write!(f, "the policy: {why}"),
            Self::Policy { line, why } => write!(f, "the policy: line {line}: {why}"),
            Self::Signature { name, id } => write!(f, "the signature of {name} (key {id:08x}) does not hold"),
            Self::NoKnownKey { what } => write!(f, "{what} bears no signature of a trusted key"),
            Self::UnknownOrigin { origin } => write!(f, "no trusted key is of a log with the origin {origin:?}"),
            Self::NotSignedByLog { origin } => write!(f, "the checkpoint is not signed by a trusted key of the log {origin:?}"),
            Self::Quorum { quorum, cosigned } if cosigned.is_empty() => {
                write!(f, "the quorum {quorum} is not met: no witness of the policy has cosigned")
            }
            Self::Quorum { quorum, cosigned } => {
                write!(f, "the quorum {quorum} is not met: cosigned by {}", cosigned.join(", "))
            }
            Self::Time { name, seconds, why } => write!(f, "the cosignature of {name} is of the time {seconds}: {why}"),
            Self::Stale { cosigned: Some(seconds), oldest } => {
                write!(
                    f,
                    "the checkpoint is stale: a quorum vouches for it up to the time {seconds}, asked for is {oldest} at least"
                )
            }
            Self::Stale { cosigned: None, oldest } => {
                write!(f, "the checkpoint has no time by a quorum of witnesses; asked for is {oldest} at least")
            }
            Self::Proof { what, error } => write!(f, "{what}: {error}"),
            Self::Disagrees { what } => f.write_str(what),
            Self::Within { part, error } => write!(f, "{part}: {error}"),
        }
    }
}
impl std::error::Error for EvidenceError {}

impl From<EvidenceError> for Error {
    fn from(error: EvidenceError) -> Self {
        let kind = if error.is_callers() { ErrorKind::InvalidInput } else { ErrorKind::NotProven };
        let hint = error.hint();
        let told = Self::new(kind, error.to_string());
        match hint {
            Some(hint) => told.advise(hint),
            None => told,
        }
    }
}
