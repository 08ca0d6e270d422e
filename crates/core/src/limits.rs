//! Named limits (design §8). Everything that is refused for its size names one of these.

/// Bytes of one record's frame: header, body and private section.
pub const RECORD_BYTES_MAX: usize = 1 << 20;
/// Bytes of one batch on disk, with its header and trailer.
pub const BATCH_BYTES_MAX: usize = 16 << 20;
/// Default bytes of a segment file before the log rotates.
pub const SEGMENT_BYTES_DEFAULT: u64 = 64 << 20;
/// Largest segment size that may be configured.
pub const SEGMENT_BYTES_MAX: u64 = 1 << 30;
/// Tags of one record.
pub const TAGS_MAX: usize = 32;
/// Hashes of one inclusion or consistency proof; a tree of 2^63 leaves needs no more.
pub const PROOF_HASHES_MAX: usize = 63;
/// Events within one another in one record: an amendment holds what replaces, and that is no amendment.
pub const EVENT_DEPTH_MAX: usize = 4;
/// Personal fields of one record.
pub const PERSONAL_FIELDS_MAX: usize = 32;
/// Bytes of one personal value as encoded.
pub const PERSONAL_VALUE_BYTES_MAX: usize = 64 << 10;
/// Bytes of an actor's name, a correlation and a subject's id.
pub const NAME_BYTES_MAX: usize = 128;
/// Bytes of an envelope's source and of an override's reason.
pub const SOURCE_BYTES_MAX: usize = 4096;
/// Bytes of a tag's value.
pub const TAG_VALUE_BYTES_MAX: usize = 4096;
/// Bytes of a ledger's origin (a C2SP key name).
pub const ORIGIN_BYTES_MAX: usize = 255;
/// Bytes of one line of an import file.
pub const IMPORT_LINE_BYTES_MAX: usize = 4 << 20;
/// Bytes of each text in a record of the ledger itself.
pub const LEDGER_TEXT_BYTES_MAX: usize = 64 << 10;
/// Bytes of any file of evidence: a proof, a policy, a fork proof (docs/FORMAT.md §11).
pub const EVIDENCE_BYTES_MAX: usize = 2 << 20;
/// Bytes of one signed note.
pub const NOTE_BYTES_MAX: usize = 512 << 10;
/// Signature lines of one signed note; C2SP signed-note asks for 16 at least.
pub const NOTE_SIGNATURES_MAX: usize = 64;
/// Logs, witnesses and groups of one policy, each; C2SP tlog-policy asks for 32 at least.
pub const POLICY_ITEMS_MAX: usize = 256;
/// Levels of arrays and objects within one another in the JSON of a statement.
pub const STATEMENT_JSON_DEPTH_MAX: usize = 32;
/// Kind numbers from here on belong to the ledger itself.
pub const LEDGER_KIND_FIRST: u16 = 0xFF00;

const _: () = assert!(RECORD_BYTES_MAX < BATCH_BYTES_MAX);
const _: () = assert!((BATCH_BYTES_MAX as u64) < SEGMENT_BYTES_DEFAULT);
const _: () = assert!(SEGMENT_BYTES_DEFAULT <= SEGMENT_BYTES_MAX);
// A body length, a count and an offset within a segment fit in 32 bits.
const _: () = assert!(SEGMENT_BYTES_MAX <= u32::MAX as u64);
