//! Whom the user trusts: verifier keys and policies, as the options name them.

use crate::args::evidence::TrustArgs;
use crate::failure::Failure;
use sovang::{EvidenceError, Policy, VerifierKey};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// A file that holds one vkey is no longer than that.
const VKEY_FILE_BYTES_MAX: u64 = 4096;

/// What the options `--vkey` and `--policy` say.
#[derive(Debug)]
pub(crate) struct Trusted {
    /// Every vkey that was given: logs' keys, or a statement's.
    pub(crate) vkeys: Vec<VerifierKey>,
    policy: Option<Policy>,
    origin: Option<String>,
    max_age: Option<u64>,
}

impl Trusted {
    /// Reads keys and policy; none of either is a failure. A policy with keys beside it is for statements, whose key no policy names.
    pub(crate) fn of(args: &TrustArgs) -> Result<Self, Failure> {
        let vkeys = args.vkeys.iter().map(|text| vkey(text)).collect::<Result<Vec<_>, _>>()?;
        let policy = args.policy.as_deref().map(policy).transpose()?;
        if vkeys.is_empty() && policy.is_none() {
            return Err(
                Failure::input("no trusted key is given").advise("--vkey VKEY trusts one log, --policy FILE logs and witnesses")
            );
        }
        Ok(Self { vkeys, policy, origin: None, max_age: None })
    }
    /// The logs' origin is this one, whatever their keys are named.
    pub(crate) fn with_origin(mut self, origin: Option<&str>) -> Self {
        self.origin = origin.map(str::to_owned);
        self
    }
    /// Refuses older checkpoints.
    pub(crate) fn with_max_age(mut self, age: Option<&str>) -> Result<Self, Failure> {
        self.max_age = age.map(seconds).transpose()?;
        Ok(self)
    }
    /// The policy for everything but statements: the file's, else the keys' logs without witnesses.
    pub(crate) fn logs(&self) -> Result<Policy, Failure> {
        self.logs_among(&self.vkeys)
    }
    /// As [`Self::logs`], with these keys only, where no policy is given.
    pub(crate) fn logs_among(&self, keys: &[VerifierKey]) -> Result<Policy, Failure> {
        let policy = self.of_any_age(keys)?;
        Ok(match self.max_age {
            Some(age) => policy.with_max_age(age, now()),
            None => policy,
        })
    }
    /// As [`Self::logs`], but however old a checkpoint is.
    pub(crate) fn logs_of_any_age(&self) -> Result<Policy, Failure> {
        self.of_any_age(&self.vkeys)
    }
    fn of_any_age(&self, keys: &[VerifierKey]) -> Result<Policy, Failure> {
        let policy = match (&self.policy, keys.split_first()) {
            (Some(policy), _) => policy.clone(),
            (None, Some((first, more))) => more
                .iter()
                .try_fold(Policy::key(first.clone()), |policy, key| Ok(policy?.with_log(key.clone(), key.name())))
                .and_then(|policy| policy)
                .map_err(|e: EvidenceError| bad_key(&e))?,
            (None, None) => return Err(Failure::input("no log's key is given").advise("--vkey VKEY, or --policy FILE")),
        };
        let policy = match &self.origin {
            Some(origin) => policy.with_origin(origin).map_err(|e| bad_key(&e))?,
            None => policy,
        };
        Ok(policy.with_now(now()))
    }
    /// Whether a policy was given.
    pub(crate) fn has_policy(&self) -> bool {
        self.policy.is_some()
    }
}

/// Seconds since 1970 by this machine's clock.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn bad_key(error: &EvidenceError) -> Failure {
    Failure::input(error.to_string()).advise(error.hint().unwrap_or("give a log's verifier key"))
}

/// A verifier key as text, or the name of a file that holds one on a line of its own. What is a vkey is never taken for a name.
fn vkey(text: &str) -> Result<VerifierKey, Failure> {
    let as_text = match text.parse() {
        Ok(key) => return Ok(key),
        Err(error) => error,
    };
    let path = Path::new(text);
    if !path.is_file() {
        return Err(bad_key(&as_text).within(&format!("{text:?} is no file and no verifier key")));
    }
    let length = path.metadata().map_err(|e| Failure::file(&e, "read", text))?.len();
    let content = if length > VKEY_FILE_BYTES_MAX {
        return Err(Failure::input(format!("{text}: not a file that holds a verifier key and nothing else")));
    } else {
        std::fs::read_to_string(path).map_err(|e| Failure::file(&e, "read", text))?
    };
    let line = content.strip_suffix("\r\n").or_else(|| content.strip_suffix('\n')).unwrap_or(&content);
    line.parse().map_err(|e: EvidenceError| bad_key(&e).within(text))
}

/// A policy from its file.
pub(crate) fn policy(path: &Path) -> Result<Policy, Failure> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|e| Failure::file(&e, "read", &name))?;
    Policy::parse(&bytes).map_err(|e| Failure::input(e.to_string()).within(&name).advise(e.hint().unwrap_or_default()))
}

/// `90`, `90s`, `15m`, `12h`, `7d` in seconds.
fn seconds(text: &str) -> Result<u64, Failure> {
    let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
    let unit = text.chars().last().and_then(|last| units.iter().find(|(letter, _)| *letter == last));
    let (digits, unit) = match unit {
        Some((_, seconds)) => (&text[..text.len() - 1], *seconds),
        None => (text, 1),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let seconds = digits.parse::<u64>().ok().filter(|_| is_number).and_then(|n| n.checked_mul(unit));
    seconds.ok_or_else(|| Failure::input(format!("{text:?} is no age")).advise("--max-age 86400, or 90s, 15m, 12h, 7d"))
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn ages_are_read_in_their_units() {
        for (text, expected) in [("90", 90), ("90s", 90), ("15m", 900), ("12h", 43_200), ("7d", 604_800), ("0", 0)] {
            assert_eq!(seconds(text).unwrap(), expected, "{text}");
        }
        for text in ["", "d", "-1", "+1", "1.5h", "7 d", "7w", "ư", "99999999999999999999", "9999999999999999999d"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
