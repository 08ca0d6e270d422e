//! Reads policy files (C2SP tlog-policy, "Policy file syntax and structure"). Names are bytes there, not text.

use super::policy::{Group, Member, Policy, PolicyLog, PolicyWitness, at_most};
use super::{EvidenceError, VerifierKey, text};
use crate::limits::EVIDENCE_BYTES_MAX;
use std::borrow::Cow;
use std::collections::BTreeMap;

type Why = Cow<'static, str>;

pub(super) fn parse(bytes: &[u8]) -> Result<Policy, EvidenceError> {
    if bytes.len() > EVIDENCE_BYTES_MAX {
        return Err(EvidenceError::TooLarge { what: "a policy", limit: "EVIDENCE_BYTES_MAX", max: EVIDENCE_BYTES_MAX });
    }
    let mut file = File { policy: Policy::none(), names: BTreeMap::new(), has_quorum: false };
    for (n, line) in bytes.split(|b| *b == b'\n').enumerate() {
        file.line(line).map_err(|why| EvidenceError::Policy { line: n + 1, why })?;
    }
    if !file.has_quorum {
        return Err(EvidenceError::Policy { line: 0, why: "it has no quorum line".into() });
    }
    Ok(file.policy)
}

struct Named {
    member: Member,
    /// A name is a member of one group at most, so that no witness counts twice.
    in_group: bool,
}
struct File {
    policy: Policy,
    names: BTreeMap<Vec<u8>, Named>,
    has_quorum: bool,
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
fn key(vkey: &[u8]) -> Result<VerifierKey, Why> {
    let vkey = std::str::from_utf8(vkey).map_err(|_| "a key's name is UTF-8")?;
    vkey.parse().map_err(|error: EvidenceError| error.to_string().into())
}

impl File {
    fn line(&mut self, line: &[u8]) -> Result<(), Why> {
        if let Some(byte) = line.iter().find(|b| matches!(b, 0..=0x08 | 0x0A..=0x1F | 0x7F)) {
            return Err(format!("the byte 0x{byte:02x} may not stand in a policy").into());
        }
        let items: Vec<&[u8]> = line.split(|b| matches!(b, b' ' | b'\t')).filter(|item| !item.is_empty()).collect();
        let Some((keyword, items)) = items.split_first() else { return Ok(()) };
        match (*keyword, items) {
            ([b'#', ..], _) => Ok(()),
            (b"log", [vkey]) => self.log(vkey, None),
            (b"log", [vkey, url]) => self.log(vkey, Some(url)),
            (b"log", _) => Err("a log has a vkey and, if you like, a URL: `log VKEY [URL]`".into()),
            (b"witness", [name, vkey]) => self.witness(name, vkey, None),
            (b"witness", [name, vkey, url]) => self.witness(name, vkey, Some(url)),
            (b"witness", _) => Err("a witness has a name, a vkey and, if you like, a URL: `witness NAME VKEY [URL]`".into()),
            (b"group", [name, threshold, members @ ..]) => self.group(name, threshold, members),
            (b"group", _) => Err("a group has a name, a threshold and members: `group NAME all|any|K NAME…`".into()),
            (b"quorum", [name]) => self.quorum(name),
            (b"quorum", _) => Err("a quorum has one name: `quorum NAME`".into()),
            (unknown, _) => Err(format!("{:?} is none of log, witness, group and quorum", shown(unknown)).into()),
        }
    }
    fn log(&mut self, vkey: &[u8], url: Option<&[u8]>) -> Result<(), Why> {
        let key = key(vkey)?;
        self.policy.add_log(PolicyLog { origin: key.name().to_owned(), key, url: url.map(shown) })
    }
    fn witness(&mut self, name: &[u8], vkey: &[u8], url: Option<&[u8]>) -> Result<(), Why> {
        self.policy.add_witness(PolicyWitness { name: shown(name), key: key(vkey)?, url: url.map(shown) })?;
        self.define(name, Member::Witness(self.policy.witnesses.len() - 1))
    }
    fn group(&mut self, name: &[u8], threshold: &[u8], members: &[&[u8]]) -> Result<(), Why> {
        if members.is_empty() {
            return Err("a group has at least one member".into());
        }
        let threshold = match threshold {
            b"any" => 1,
            b"all" => members.len(),
            number => std::str::from_utf8(number)
                .ok()
                .and_then(text::decimal)
                .and_then(|k| usize::try_from(k).ok())
                .filter(|k| (1..=members.len()).contains(k))
                .ok_or_else(|| format!("a threshold is any, all, or a number from 1 to the {} members", members.len()))?,
        };
        let members = members.iter().map(|member| self.member(member)).collect::<Result<Vec<_>, Why>>()?;
        at_most(self.policy.groups.len() + 1, "groups")?;
        self.policy.groups.push(Group { threshold, members });
        self.define(name, Member::Group(self.policy.groups.len() - 1))
    }
    fn member(&mut self, name: &[u8]) -> Result<Member, Why> {
        let named = self.names.get_mut(name).ok_or_else(|| format!("no witness or group {:?} is defined above", shown(name)))?;
        if std::mem::replace(&mut named.in_group, true) {
            return Err(format!("{:?} is a member of a group already", shown(name)).into());
        }
        Ok(named.member)
    }
    fn quorum(&mut self, name: &[u8]) -> Result<(), Why> {
        if std::mem::replace(&mut self.has_quorum, true) {
            return Err("a policy has one quorum line".into());
        }
        if name != b"none" {
            let named = self.names.get(name).ok_or_else(|| format!("no witness or group {:?} is defined above", shown(name)))?;
            self.policy.quorum = Some((shown(name), named.member));
        }
        Ok(())
    }
    fn define(&mut self, name: &[u8], member: Member) -> Result<(), Why> {
        if name == b"none" {
            return Err("the name none is taken".into());
        }
        if self.names.insert(name.to_vec(), Named { member, in_group: false }).is_some() {
            return Err(format!("the name {:?} is defined twice", shown(name)).into());
        }
        Ok(())
    }
}
