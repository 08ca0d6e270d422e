//! A projection's state as bytes (docs/FORMAT.md §8): derived, so one that does not fit exactly is rebuilt, never used.

use crate::projection::Stored;
use sovang_core::{Error, ErrorKind, Event, Head, LedgerId, Result, Root, Size, codec, hash};

const MAGIC: [u8; 8] = *b"SOVSNAP1";
const FORMAT: u32 = 1;
/// Bytes before the name.
const FIXED_BYTES: usize = 120;
const DIGEST_BYTES: usize = 32;
const NAME_BYTES_MAX: usize = 64;

/// A projection's saved state with everything that says whether it may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    name: String,
    revision: u32,
    ledger_id: LedgerId,
    head: Head,
    state: Vec<u8>,
}

impl Snapshot {
    /// Of a state that was folded from all records below `head`, the end of a batch.
    ///
    /// # Errors
    /// When the projection's name is not 1 to 64 of `a-z`, `0-9`, `_` and `-`, or the state cannot be serialised.
    pub fn of<E: Event, P: Stored<E>>(state: &P, ledger_id: LedgerId, head: Head) -> Result<Self> {
        if !is_name(P::NAME) {
            return Err(Error::new(ErrorKind::InvalidInput, format!("{:?} cannot name a projection", P::NAME))
                .advise("a projection's name is 1 to 64 of a-z, 0-9, _ and -"));
        }
        let state = codec::encode_state(state)?;
        Ok(Self { name: P::NAME.to_owned(), revision: P::REVISION, ledger_id, head, state })
    }
    /// The head it was taken at. Before it is used, the log must be found to have had this root at this size.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }
    /// The name of its projection.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The revision of its projection.
    #[must_use]
    pub fn revision(&self) -> u32 {
        self.revision
    }
    /// The ledger it was taken of.
    #[must_use]
    pub fn ledger_id(&self) -> LedgerId {
        self.ledger_id
    }
    /// The encoded state.
    #[must_use]
    pub fn state_bytes(&self) -> &[u8] {
        &self.state
    }
    /// The state; none when this is of another projection, another revision or another ledger.
    ///
    /// # Errors
    /// When it is of `P` and its bytes are not a state of `P`: the layout changed without a new revision.
    pub fn state<E: Event, P: Stored<E>>(&self, ledger_id: LedgerId) -> Result<Option<P>> {
        if self.name != P::NAME || self.revision != P::REVISION || self.ledger_id != ledger_id {
            return Ok(None);
        }
        let state = codec::decode_state(&self.state).map_err(|error| {
            Error::from(error).advise(format!("raise the REVISION of {}: its state's layout has changed", P::NAME))
        })?;
        Ok(Some(state))
    }

    /// The bytes to save.
    ///
    /// ```text
    /// 0    8  magic SOVSNAP1        40  32  root                  120      name
    /// 8    4  format version 1      72   8  state length          120+n 32 digest of all before
    /// 12   4  revision              80  32  state digest          152+n    state, to the end
    /// 16  16  ledger id             112  2  name length n
    /// 32   8  size                  114  6  reserved
    /// ```
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FIXED_BYTES + self.name.len() + DIGEST_BYTES + self.state.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&self.revision.to_le_bytes());
        bytes.extend_from_slice(&self.ledger_id.0);
        bytes.extend_from_slice(&self.head.size.0.to_le_bytes());
        bytes.extend_from_slice(&self.head.root.0);
        bytes.extend_from_slice(&(self.state.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&hash::state_digest(&self.state));
        // A name is at most NAME_BYTES_MAX long: see `is_name`.
        bytes.extend_from_slice(&u16::try_from(self.name.len()).unwrap_or(u16::MAX).to_le_bytes());
        bytes.extend_from_slice(&[0; 6]);
        bytes.extend_from_slice(self.name.as_bytes());
        let digest = hash::snapshot_digest(&bytes);
        bytes.extend_from_slice(&digest);
        bytes.extend_from_slice(&self.state);
        bytes
    }

    /// From the bytes saved; any changed bit is refused.
    ///
    /// # Errors
    /// [`ErrorKind::WrongFormat`] for another format version, [`ErrorKind::Damaged`] for anything else that is not a
    /// snapshot as saved.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut rest = Fields(bytes);
        if rest.take::<8>()? != MAGIC {
            return Err(damaged("does not start as one"));
        }
        let format = u32::from_le_bytes(rest.take()?);
        if format != FORMAT {
            return Err(Error::new(
                ErrorKind::WrongFormat,
                format!("the snapshot is of format version {format}, this program knows {FORMAT}"),
            )
            .advise("it is derived from the log: delete it to have it rebuilt"));
        }
        let revision = u32::from_le_bytes(rest.take()?);
        let ledger_id = LedgerId(rest.take()?);
        let size = Size(u64::from_le_bytes(rest.take()?));
        let root = Root(rest.take()?);
        let state_len = u64::from_le_bytes(rest.take()?);
        let state_digest = rest.take::<32>()?;
        let name_len = usize::from(u16::from_le_bytes(rest.take()?));
        if rest.take::<6>()? != [0; 6] {
            return Err(damaged("has reserved bytes that are not zero"));
        }
        let name = rest.split(name_len)?;
        let header = &bytes[..bytes.len() - rest.0.len()];
        if rest.take::<32>()? != hash::snapshot_digest(header) {
            return Err(damaged("has a changed header"));
        }
        let state = rest.0;
        if state.len() as u64 != state_len || hash::state_digest(state) != state_digest {
            return Err(damaged("has a changed state"));
        }
        let name = std::str::from_utf8(name).ok().filter(|name| is_name(name));
        let Some(name) = name else {
            return Err(damaged("has no valid name"));
        };
        Ok(Self { name: name.to_owned(), revision, ledger_id, head: Head { size, root }, state: state.to_vec() })
    }
}

fn is_name(name: &str) -> bool {
    let valid = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(valid)
}

fn damaged(what: &str) -> Error {
    Error::new(ErrorKind::Damaged, format!("the snapshot {what}"))
        .advise("it is derived from the log: delete it to have it rebuilt")
}

/// What is left of the bytes.
struct Fields<'a>(&'a [u8]);
impl<'a> Fields<'a> {
    fn split(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(|| damaged("is cut off"))?;
        self.0 = rest;
        Ok(taken)
    }
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or_else(|| damaged("is cut off"))?;
        self.0 = rest;
        Ok(*taken)
    }
}
