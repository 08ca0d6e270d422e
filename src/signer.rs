//! Signing a head, and refusing to fork (design §7, docs/FORMAT.md §11.2).
//!
//! The order matters: the head is made firm, every byte is read and hashed again, what was signed before must be a beginning of it,
//! the place beside the key learns of the new head durably, and only then is there a signature.

use crate::checkpoints::Checkpoints;
use crate::keyfile::{LockedKey, SigningKey};
use crate::ledger::Ledger;
use sovang_core::evidence::Checkpoint;
use sovang_core::{Error, ErrorKind, Event, Head, Result};

impl Checkpoints {
    /// Signs the log's head with a key, or with an old and a new one at a rotation, and keeps the checkpoint in the ledger. Waits while
    /// another process signs with the same key.
    ///
    /// # Errors
    /// `InvalidInput` when a key's name is not the origin or its `KEYFILE.head` is missing; `NotProven` when the log does not continue what was
    /// signed before, with sizes and both roots; `Damaged`; what the system refuses. Nothing is signed then.
    pub fn sign(&self, keys: &[&SigningKey]) -> Result<Checkpoint> {
        self.sign_with(keys, &mut |_, _| {})
    }
    /// As [`Self::sign`], telling `progress` bytes hashed and bytes in all.
    ///
    /// # Errors
    /// As there.
    pub fn sign_with(&self, keys: &[&SigningKey], progress: &mut dyn FnMut(u64, u64)) -> Result<Checkpoint> {
        let (locked, head) = self.ready(keys, progress)?;
        for key in &locked {
            key.advance(head)?;
        }
        let mut signed: Option<Checkpoint> = None;
        for key in &locked {
            let one = Checkpoint::sign(key.key().secret(), head)?;
            match &mut signed {
                None => signed = Some(one),
                Some(all) => all.merge(&one)?,
            }
        }
        let signed = signed.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "no key to sign with"))?;
        self.add(&signed)
    }
    /// That [`Self::sign`] would sign now, and which head: nothing is signed.
    ///
    /// # Errors
    /// As there.
    pub fn would_sign(&self, keys: &[&SigningKey]) -> Result<Head> {
        Ok(self.ready(keys, &mut |_, _| {})?.1)
    }
    /// Everything that comes before the first change: the keys' locks, and a head that continues all that was signed.
    fn ready<'a>(&self, keys: &[&'a SigningKey], progress: &mut dyn FnMut(u64, u64)) -> Result<(Vec<LockedKey<'a>>, Head)> {
        self.check_names(keys)?;
        let locked = lock_all(keys)?;
        // Said before the long part.
        let last: Vec<Head> = locked.iter().map(LockedKey::last_signed).collect::<Result<_>>()?;
        let head = self.firm_head(progress)?;
        for (key, last) in locked.iter().zip(last) {
            if let Some(error) = self.contradiction(last)? {
                return Err(error.in_file(key.key().head_path()));
            }
        }
        if let Some(finding) = self.check()?.into_iter().next() {
            let refused = Error::new(ErrorKind::NotProven, format!("nothing is signed: {}", finding.what));
            let refused =
                refused.advise("the file must fit the log; find out which of the two was changed before anything is signed");
            return Err(finding.file.map_or(refused.clone(), |file| refused.in_file(file)));
        }
        Ok((locked, head))
    }
    fn check_names(&self, keys: &[&SigningKey]) -> Result<()> {
        match keys.iter().find(|key| key.name() != self.origin()) {
            None => Ok(()),
            Some(key) => Err(Error::new(
                ErrorKind::InvalidInput,
                format!("the key is named {:?}, but the log's origin is {:?}", key.name(), self.origin()),
            )
            .in_file(key.path())
            .advise("a log's key bears the log's origin as its name: sovang keygen --name ORIGIN")),
        }
    }
    /// The head now, durable beyond doubt, from bytes that were read and hashed just now.
    fn firm_head(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Head> {
        self.view().force()?;
        let hashed = self.view().rehash(progress)?;
        // A live writer went on meanwhile: what was hashed is to be as firm as what was there before.
        self.view().force()?;
        let seen = self.view().refresh()?;
        if seen.size < hashed.size {
            let what = format!("the log had {} records a moment ago and has {} now", hashed.size, seen.size);
            return Err(Error::new(ErrorKind::Damaged, what));
        }
        match self.contradiction(hashed)? {
            None => Ok(hashed),
            Some(_) => {
                Err(Error::new(ErrorKind::Damaged, format!("the log changed while it was read, up to size {}", hashed.size)))
            }
        }
    }
}

/// Takes the keys' locks, always in the same order.
fn lock_all<'a>(keys: &[&'a SigningKey]) -> Result<Vec<LockedKey<'a>>> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by_key(|i| keys[*i].path());
    let mut locked: Vec<Option<LockedKey<'a>>> = keys.iter().map(|_| None).collect();
    for i in order {
        if keys[..i].iter().any(|other| other.vkey() == keys[i].vkey()) {
            return Err(Error::new(ErrorKind::InvalidInput, "the same key is given twice").in_file(keys[i].path()));
        }
        locked[i] = Some(keys[i].lock()?);
    }
    Ok(locked.into_iter().flatten().collect())
}

impl<E: Event> Ledger<E> {
    /// Signs the head with the log's key and keeps the checkpoint in the ledger: [`Checkpoints::sign`]. It reads the whole log again.
    ///
    /// # Errors
    /// As there.
    pub fn checkpoint(&self, key: &SigningKey) -> Result<Checkpoint> {
        Checkpoints::of(self.view().clone()).sign(&[key])
    }
}
