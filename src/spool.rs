//! Where an import keeps what it has decided until all of it is decided: a temporary file without a name.

use sovang_core::ids::Commitment;
use sovang_core::record::{PersonalRow, PersonalValue, Prepared};
use sovang_core::words::Words;
use sovang_core::{Error, ErrorKind, RecordId, Result, SubjectId, codec};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::BuildHasher as _;
use std::io::{BufWriter, Read as _, Seek as _, SeekFrom, Write as _};

/// A record as it is kept aside: what [`Prepared`] is made of, and the recorded time that a migration brings.
#[derive(serde::Serialize, serde::Deserialize)]
struct Kept {
    recorded_at: Option<i64>,
    replacement_kind: Option<u16>,
    dated_by_writer: bool,
    personal: Vec<KeptPersonal>,
}
#[derive(serde::Serialize, serde::Deserialize)]
struct KeptPersonal {
    field: u16,
    commitment: [u8; 32],
    value: Option<([u8; 32], String, Vec<u8>)>,
}

/// A record out of the spool.
pub(crate) struct Spooled {
    pub(crate) record: Prepared,
    pub(crate) recorded_at: Option<i64>,
}

pub(crate) struct Spool {
    file: BufWriter<File>,
    end: u64,
    /// Where each id's record starts: a hash of the id, and one more than the offset. The record tells whether it is the id's.
    offsets: Words,
    hasher: RandomState,
    /// The last amendment of each record that was amended, and by which id.
    amended: HashMap<RecordId, RecordId>,
}

fn failed(error: std::io::Error) -> Error {
    Error::io(error, "keep the import aside in a temporary file", std::env::temp_dir())
        .advise("set TMPDIR to a directory with room for the whole import")
}

impl Spool {
    pub(crate) fn new() -> Result<Self> {
        let file = tempfile::tempfile().map_err(failed)?;
        Ok(Self {
            file: BufWriter::with_capacity(1 << 20, file),
            end: 0,
            offsets: Words::new(),
            hasher: RandomState::new(),
            amended: HashMap::new(),
        })
    }
    pub(crate) fn len(&self) -> usize {
        self.offsets.len()
    }
    pub(crate) fn push(&mut self, record: &Prepared, recorded_at: Option<i64>) -> Result<()> {
        let kept = Kept {
            recorded_at,
            replacement_kind: record.replacement_kind(),
            dated_by_writer: record.is_dated_by_writer(),
            personal: record
                .personal()
                .iter()
                .map(|row| KeptPersonal {
                    field: row.field,
                    commitment: row.commitment.0,
                    value: row.value.as_ref().map(|v| (v.salt, v.subject.as_str().to_owned(), v.value.clone())),
                })
                .collect(),
        };
        let kept = codec::encode(&kept)?;
        let mut put = |bytes: &[u8]| self.file.write_all(bytes);
        put(&u32::try_from(kept.len()).unwrap_or(u32::MAX).to_le_bytes())
            .and_then(|()| put(&u32::try_from(record.len()).unwrap_or(u32::MAX).to_le_bytes()))
            .and_then(|()| put(&kept))
            .and_then(|()| put(record.bytes()))
            .map_err(failed)?;
        self.offsets.insert((u128::from(self.hash(record.id())) << 64) | u128::from(self.end + 1));
        if let Some(target) = record.target() {
            self.amended.insert(target, record.id());
        }
        self.end += 8 + kept.len() as u64 + record.len() as u64;
        Ok(())
    }
    /// The record of this id.
    pub(crate) fn get(&mut self, id: RecordId) -> Result<Option<Spooled>> {
        let candidates: Vec<u128> = self.offsets.with_upper(self.hash(id)).collect();
        for candidate in candidates {
            // The lower half.
            let offset = u64::try_from(candidate & u128::from(u64::MAX)).unwrap_or(u64::MAX) - 1;
            let there = self.at(offset)?;
            if there.as_ref().is_some_and(|spooled| spooled.record.id() == id) {
                return Ok(there);
            }
        }
        Ok(None)
    }
    fn at(&mut self, offset: u64) -> Result<Option<Spooled>> {
        self.file.flush().map_err(failed)?;
        let mut file = self.file.get_ref();
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        let record = read_one(&mut file);
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        record
    }
    fn hash(&self, id: RecordId) -> u64 {
        self.hasher.hash_one(id)
    }
    /// The last amendment in here of the record of this id.
    pub(crate) fn last_amendment(&self, target: RecordId) -> Option<RecordId> {
        self.amended.get(&target).copied()
    }
    /// Hands out everything in order and starts empty again.
    pub(crate) fn drain(&mut self, mut each: impl FnMut(Spooled) -> Result<()>) -> Result<()> {
        self.file.flush().map_err(failed)?;
        let mut file = self.file.get_ref();
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut reader = std::io::BufReader::with_capacity(1 << 20, file);
        for _ in 0..self.offsets.len() {
            match read_one(&mut reader)? {
                Some(spooled) => each(spooled)?,
                None => {
                    return Err(Error::new(ErrorKind::Io, "the import's temporary file is shorter than what was written to it"));
                }
            }
        }
        self.file.get_ref().set_len(0).map_err(failed)?;
        let mut file = self.file.get_ref();
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        self.offsets.clear();
        self.amended.clear();
        self.end = 0;
        Ok(())
    }
}

fn read_one(from: &mut impl std::io::Read) -> Result<Option<Spooled>> {
    let mut lengths = [0; 8];
    match from.read_exact(&mut lengths) {
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other.map_err(failed)?,
    }
    let length = |at: usize| u64::from(u32::from_le_bytes([lengths[at], lengths[at + 1], lengths[at + 2], lengths[at + 3]]));
    let mut take = |bytes: u64| {
        let mut buffer = Vec::new();
        from.take(bytes).read_to_end(&mut buffer).map_err(failed)?;
        Ok::<_, Error>(buffer)
    };
    let kept: Kept = codec::decode(&take(length(0))?)?;
    let frame = take(length(4))?;
    let personal = kept
        .personal
        .into_iter()
        .map(|p| {
            let value = match p.value {
                None => None,
                Some((salt, subject, value)) => Some(PersonalValue { subject: SubjectId::new(subject)?, salt, value }),
            };
            Ok(PersonalRow { field: p.field, commitment: Commitment(p.commitment), value })
        })
        .collect::<Result<Vec<_>>>()?;
    let record = Prepared::from_kept(frame, kept.replacement_kind, kept.dated_by_writer, personal)?;
    Ok(Some(Spooled { record, recorded_at: kept.recorded_at }))
}
