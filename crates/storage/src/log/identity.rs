//! The file `ledger`: who this ledger is (docs/FORMAT.md §1.1).

use super::bytes::{Put, Take, crc, crc_holds};
use super::damage::Damage;
use super::segment::{SEGMENT_HEADER_BYTES, segment_path};
use super::{FORMAT_VERSION, Identity};
use crate::files::{Files, Open, why_no_file};
use sovang_core::limits::ORIGIN_BYTES_MAX;
use sovang_core::{Error, ErrorKind, LedgerId, Result};
use std::io;

pub(super) const LEDGER_FILE: &str = "ledger";
const MAGIC: [u8; 8] = *b"SOVLEDGR";
const FIXED_BYTES: usize = 40;
const CRC_BYTES: usize = 4;
const _: () = assert!(8 + 4 + 4 + 16 + 2 + 2 + 4 == FIXED_BYTES);
/// The longest that a `ledger` file of this version gets.
const LEDGER_BYTES_MAX: usize = FIXED_BYTES + 2 * ORIGIN_BYTES_MAX + CRC_BYTES;

/// Checks what creation was given.
pub(super) fn check(identity: &Identity) -> Result<()> {
    let invalid = |what: String| Err(Error::new(ErrorKind::InvalidInput, what));
    for (what, text) in [("an origin", &identity.origin), ("a schema's name", &identity.schema)] {
        if text.is_empty() {
            return invalid(format!("{what} is empty"));
        }
        if text.len() > ORIGIN_BYTES_MAX {
            return Err(Error::too_large(what, text.len(), "ORIGIN_BYTES_MAX", ORIGIN_BYTES_MAX));
        }
    }
    if !is_key_name(&identity.origin) {
        return invalid(format!("the origin {:?} holds a space, a control character or a plus sign", identity.origin));
    }
    Ok(())
}

/// Whether a text may name a key in a C2SP signed note.
fn is_key_name(origin: &str) -> bool {
    sovang_core::evidence::check_key_name(origin).is_ok()
}

pub(super) fn encode(identity: &Identity) -> Result<Vec<u8>> {
    check(identity)?;
    let length = |text: &str| u16::try_from(text.len()).unwrap_or(u16::MAX);
    let mut bytes = Vec::with_capacity(LEDGER_BYTES_MAX);
    Put(&mut bytes)
        .bytes(&MAGIC)
        .u32(FORMAT_VERSION)
        .u32(0)
        .bytes(&identity.ledger_id.0)
        .u16(length(&identity.origin))
        .u16(length(&identity.schema))
        .u32(0)
        .bytes(identity.origin.as_bytes())
        .bytes(identity.schema.as_bytes());
    let sum = crc(&bytes);
    Put(&mut bytes).u32(sum);
    Ok(bytes)
}

/// Why a `ledger` file is not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    Version(u32),
    Damaged(&'static str),
}

pub(super) fn decode(bytes: &[u8]) -> Result<Identity, Unreadable> {
    let bad = |what| Err(Unreadable::Damaged(what));
    if bytes.len() < FIXED_BYTES + CRC_BYTES {
        return bad("the file is too short");
    }
    if !bytes.starts_with(&MAGIC) {
        return bad("the file does not start with its magic");
    }
    let Some(before) = crc_holds(bytes) else {
        return bad("the checksum fails");
    };
    let mut fields = Take(before);
    let _: [u8; 8] = fields.array();
    let version = fields.u32();
    if version != FORMAT_VERSION {
        return Err(Unreadable::Version(version));
    }
    let reserved = fields.u32();
    let ledger_id = LedgerId(fields.array());
    let (origin_len, schema_len) = (usize::from(fields.u16()), usize::from(fields.u16()));
    if reserved != 0 || fields.u32() != 0 {
        return bad("reserved bytes are not zero");
    }
    let texts = fields.rest();
    if origin_len + schema_len != texts.len() {
        return bad("the lengths do not add up");
    }
    let (origin, schema) = texts.split_at(origin_len);
    let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) if (1..=ORIGIN_BYTES_MAX).contains(&text.len()) => Ok(text.to_owned()),
        _ => Err(Unreadable::Damaged("origin or schema is no text of 1 to 255 bytes")),
    };
    let identity = Identity { ledger_id, origin: text(origin)?, schema: text(schema)? };
    if is_key_name(&identity.origin) { Ok(identity) } else { bad("the origin is no key name") }
}

fn no_ledger(files: &dyn Files) -> Error {
    Error::new(ErrorKind::NotALedger, "there is no ledger")
        .in_file(files.describe(""))
        .advise("name the directory that holds the file `ledger`, or create a ledger")
}

const EXPECTED: &str = "what creation wrote, and nothing changes: the same in every copy of this ledger";

/// Whether there are records in the first segment: then the file `ledger` was there once.
fn has_records(files: &dyn Files) -> bool {
    let first = files.open(&segment_path(0), Open::Read).and_then(|file| file.len());
    first.is_ok_and(|len| len > SEGMENT_HEADER_BYTES as u64)
}

fn lost(what: &'static str) -> Damage {
    Damage::new(LEDGER_FILE, what).expecting(EXPECTED)
}

/// Reads who the ledger is.
pub(super) fn read(files: &dyn Files) -> Result<Identity> {
    let fail = |e: io::Error| match why_no_file(&e) {
        Some(what) if has_records(files) => lost(what).error(files),
        Some(_) => no_ledger(files),
        None => Error::io(e, "read the ledger's identity", files.describe(LEDGER_FILE)),
    };
    let file = files.open(LEDGER_FILE, Open::Read).map_err(fail)?;
    // One byte more than the longest, so that a longer file is noticed.
    let mut bytes = vec![0; LEDGER_BYTES_MAX + 1];
    let len = file.read_at(&mut bytes, 0).map_err(fail)?;
    decode(&bytes[..len]).map_err(|e| match e {
        Unreadable::Damaged(what) => Damage::new(LEDGER_FILE, what).at(0).expecting(EXPECTED).error(files),
        Unreadable::Version(version) => Error::new(
            ErrorKind::WrongFormat,
            format!("the ledger is of format version {version}, this program knows {FORMAT_VERSION}"),
        )
        .in_file(files.describe(LEDGER_FILE))
        .advise("open it with the program that wrote it, or a newer one"),
    })
}
