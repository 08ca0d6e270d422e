//! Trust policies (C2SP tlog-policy): which logs, which witnesses, and how many of these must have cosigned.

use super::EvidenceError;
use super::key::{KeyKind, VerifierKey};
use crate::limits::POLICY_ITEMS_MAX;
use std::borrow::Cow;

/// A log that is trusted to sign its checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyLog {
    /// The origin of its checkpoints: the key's name, unless another one was given.
    pub origin: String,
    /// Its key, of kind 0x01.
    pub key: VerifierKey,
    /// Where it can be reached, if the policy says so.
    pub url: Option<String>,
}

/// A witness whose cosignatures count.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyWitness {
    /// Its name in the policy, which means nothing elsewhere. Bytes that are not UTF-8 show as U+FFFD.
    pub name: String,
    /// Its key, of kind 0x04.
    pub key: VerifierKey,
    /// Its submission prefix, if the policy says so.
    pub url: Option<String>,
}

/// A witness or a group of the policy, by its place in the order of definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Witness(usize),
    Group(usize),
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) threshold: usize,
    /// Groups among them are defined before this one.
    pub(super) members: Vec<Member>,
}

/// From when a checkpoint must be, as seen from a given present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Present {
    pub(super) now: u64,
    pub(super) max_age: Option<u64>,
}

/// Whom to trust. A checkpoint holds under a policy iff it is signed by a log of the policy with that origin and
/// cosigned by witnesses that meet the quorum.
///
/// ```
/// use sovang_core::evidence::{KeyKind, Policy, SecretKey};
/// let log = SecretKey::from_seed("example.org/log", [1; 32])?.verifier(KeyKind::Ed25519);
/// let witness = SecretKey::from_seed("witness.example", [2; 32])?.verifier(KeyKind::Cosignature);
/// let file = format!("log {log}\nwitness w1 {witness}\nquorum w1\n");
/// let policy = Policy::parse(file.as_bytes())?;
/// assert!(!policy.quorum_met(&[]));
/// assert!(policy.quorum_met(&[witness]));
/// # Ok::<(), sovang_core::evidence::EvidenceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub(super) logs: Vec<PolicyLog>,
    pub(super) witnesses: Vec<PolicyWitness>,
    pub(super) groups: Vec<Group>,
    /// None is `quorum none`.
    pub(super) quorum: Option<(String, Member)>,
    pub(super) present: Option<Present>,
}

impl Policy {
    /// Reads a policy file. A last line without LF is taken too: people write these.
    ///
    /// # Errors
    /// [`EvidenceError::Policy`] with the line. Keys of kinds that we cannot verify (ML-DSA-44) are refused and not passed over, as the quorum
    /// would mean something else without them.
    pub fn parse(bytes: &[u8]) -> Result<Self, EvidenceError> {
        super::policy_file::parse(bytes)
    }
    /// Trusts one log, whose origin is the key's name, and asks for no witness.
    ///
    /// # Errors
    /// When the key is not of kind 0x01.
    pub fn key(log: VerifierKey) -> Result<Self, EvidenceError> {
        let origin = log.name().to_owned();
        Self::none().with_log(log, &origin)
    }
    /// `quorum none`, and no log yet: nothing holds under it.
    pub(super) fn none() -> Self {
        Self { logs: Vec::new(), witnesses: Vec::new(), groups: Vec::new(), quorum: None, present: None }
    }
    /// Trusts one more log, whose checkpoints have that origin (the Go checksum database's, for one, is not its key's name).
    ///
    /// # Errors
    /// When the key is not of kind 0x01, stands in the policy already, or the origin cannot be one.
    pub fn with_log(mut self, key: VerifierKey, origin: &str) -> Result<Self, EvidenceError> {
        check_origin(origin)?;
        self.add_log(PolicyLog { origin: origin.to_owned(), key, url: None }).map_err(refuse)?;
        Ok(self)
    }
    /// The same policy, with this origin for the checkpoints of each of its logs.
    ///
    /// # Errors
    /// When the origin cannot be one.
    pub fn with_origin(mut self, origin: &str) -> Result<Self, EvidenceError> {
        check_origin(origin)?;
        for log in &mut self.logs {
            origin.clone_into(&mut log.origin);
        }
        Ok(self)
    }
    /// Refuses cosignature times of more than a day after `now`, in seconds since 1970.
    #[must_use]
    pub fn with_now(mut self, now: u64) -> Self {
        self.present = Some(Present { now, max_age: self.present.and_then(|p| p.max_age) });
        self
    }
    /// Refuses a checkpoint unless witnesses that meet the quorum vouch for it at `now - seconds` or later, in seconds since 1970, and times as
    /// [`Self::with_now`] does. Under `quorum none` no checkpoint has a time, so all are refused.
    #[must_use]
    pub fn with_max_age(mut self, seconds: u64, now: u64) -> Self {
        self.present = Some(Present { now, max_age: Some(seconds) });
        self
    }
    pub(super) fn without_max_age(&self) -> Self {
        let mut policy = self.clone();
        if let Some(present) = &mut policy.present {
            present.max_age = None;
        }
        policy
    }
    /// The logs in their order.
    #[must_use]
    pub fn logs(&self) -> &[PolicyLog] {
        &self.logs
    }
    /// The witnesses in their order.
    #[must_use]
    pub fn witnesses(&self) -> &[PolicyWitness] {
        &self.witnesses
    }
    /// The quorum's name, `none` included.
    #[must_use]
    pub fn quorum(&self) -> &str {
        self.quorum.as_ref().map_or("none", |(name, _)| name)
    }
    /// Whether any witness is asked for.
    #[must_use]
    pub fn has_quorum(&self) -> bool {
        self.quorum.is_some()
    }

    /// Whether cosignatures by these keys are enough. Always under `quorum none`.
    #[must_use]
    pub fn quorum_met(&self, cosigned: &[VerifierKey]) -> bool {
        self.met(|witness| cosigned.contains(&witness.key))
    }
    fn met(&self, cosigned: impl Fn(&PolicyWitness) -> bool) -> bool {
        let Some((_, quorum)) = &self.quorum else { return true };
        let mut met: Vec<bool> = Vec::with_capacity(self.groups.len());
        let holds = |member: &Member, met: &[bool]| match *member {
            Member::Witness(n) => self.witnesses.get(n).is_some_and(&cosigned),
            Member::Group(n) => met.get(n).copied().unwrap_or(false),
        };
        for group in &self.groups {
            let count = group.members.iter().filter(|member| holds(member, &met)).count();
            met.push(count >= group.threshold);
        }
        holds(quorum, &met)
    }
    /// The smallest time T such that the witnesses with a time of at most T meet the quorum: what they saw existed by then. None when they
    /// do not meet it, and under `quorum none`.
    #[must_use]
    pub fn not_after(&self, times: &[(VerifierKey, u64)]) -> Option<u64> {
        self.bound(times, true)
    }
    /// The largest time T such that the witnesses with a time of at least T meet the quorum: what holds their cosignatures was made
    /// after it. None when they do not meet it, and under `quorum none`.
    #[must_use]
    pub fn not_before(&self, times: &[(VerifierKey, u64)]) -> Option<u64> {
        self.bound(times, false)
    }
    fn bound(&self, times: &[(VerifierKey, u64)], up_to: bool) -> Option<u64> {
        self.quorum.as_ref()?;
        let mut candidates: Vec<u64> = times.iter().map(|(_, time)| *time).collect();
        candidates.sort_unstable();
        if !up_to {
            candidates.reverse();
        }
        candidates.into_iter().find(|bound| {
            let counts = |time: u64| if up_to { time <= *bound } else { time >= *bound };
            self.met(|witness| times.iter().any(|(key, time)| *key == witness.key && counts(*time)))
        })
    }

    pub(super) fn add_log(&mut self, log: PolicyLog) -> Result<(), Cow<'static, str>> {
        if log.key.kind() != KeyKind::Ed25519 {
            return Err(
                format!("the key of the log {} is of kind 0x04, a witness's; a log's is of kind 0x01", log.key.name()).into()
            );
        }
        self.check_new(&log.key)?;
        at_most(self.logs.len() + 1, "logs")?;
        self.logs.push(log);
        Ok(())
    }
    pub(super) fn add_witness(&mut self, witness: PolicyWitness) -> Result<(), Cow<'static, str>> {
        if witness.key.kind() != KeyKind::Cosignature {
            return Err(
                format!("the key of the witness {} is of kind 0x01, a log's; a witness's is of kind 0x04", witness.name).into()
            );
        }
        self.check_new(&witness.key)?;
        at_most(self.witnesses.len() + 1, "witnesses")?;
        self.witnesses.push(witness);
        Ok(())
    }
    /// Keys are the same iff their public keys are, whatever their names. A log that is its own witness would be no witness at all.
    fn check_new(&self, key: &VerifierKey) -> Result<(), Cow<'static, str>> {
        let is_same = |other: &VerifierKey| other.public_key() == key.public_key();
        if let Some(log) = self.logs.iter().find(|log| is_same(&log.key)) {
            return Err(format!("the public key of {} is already that of the log {}", key.name(), log.key.name()).into());
        }
        if let Some(witness) = self.witnesses.iter().find(|witness| is_same(&witness.key)) {
            return Err(format!("the public key of {} is already that of the witness {}", key.name(), witness.name).into());
        }
        Ok(())
    }
}

pub(super) fn at_most(items: usize, what: &str) -> Result<(), Cow<'static, str>> {
    if items > POLICY_ITEMS_MAX {
        return Err(format!("more {what} than POLICY_ITEMS_MAX = {POLICY_ITEMS_MAX}").into());
    }
    Ok(())
}
/// An origin is one line of a note; only ours are key names.
fn check_origin(origin: &str) -> Result<(), EvidenceError> {
    if origin.is_empty() || origin.contains(|c| c < ' ') {
        return Err(refuse(format!("{origin:?} cannot be an origin")));
    }
    Ok(())
}
fn refuse(why: impl Into<Cow<'static, str>>) -> EvidenceError {
    EvidenceError::Policy { line: 0, why: why.into() }
}
