//! Signed notes (C2SP signed-note): a text and the signature lines under it.

use super::key::{KeyKind, VerifierKey, is_note_name};
use super::{EvidenceError, text};
use crate::limits::{NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX};
use std::fmt;
use std::str::FromStr;

const WHAT: &str = "a signed note";
const START: &str = "\u{2014} ";

/// A signature line: `— NAME base64(id ‖ signature)`. Displays as the line without its LF.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignatureLine {
    /// The key's name.
    pub name: String,
    /// The key's id.
    pub id: u32,
    /// What follows the id: 64 bytes by a key of kind 0x01; a time in seconds, u64 big endian, and 64 bytes by one of kind 0x04.
    pub signature: Vec<u8>,
}
impl SignatureLine {
    fn read(line: &str) -> Result<Self, &'static str> {
        let rest = line.strip_prefix(START).ok_or("a signature line starts with an em dash and a space")?;
        let (name, encoded) = rest.split_once(' ').ok_or("a signature line has a name, a space and base64")?;
        let bytes = text::unbase64(encoded).ok_or("the signature is not canonical base64")?;
        let Some((id, signature)) = bytes.split_first_chunk() else { return Err("the signature is shorter than a key id") };
        let line = Self { name: name.to_owned(), id: u32::from_be_bytes(*id), signature: signature.to_vec() };
        line.check()?;
        Ok(line)
    }
    /// Its fields are public, so that a line made by hand is checked where it enters a note.
    fn check(&self) -> Result<(), &'static str> {
        if !is_note_name(&self.name) {
            return Err("the key's name is empty, or holds a space, a control character or a plus sign");
        }
        if self.signature.is_empty() { Err("there is no signature after the key id") } else { Ok(()) }
    }
    /// The lines of a witness's answer (C2SP tlog-witness, add-checkpoint): one or more, each ending in LF.
    ///
    /// # Errors
    /// When a byte of it is anything else.
    pub fn parse_all(bytes: &[u8]) -> Result<Vec<Self>, EvidenceError> {
        read_lines("signature lines", text::checked("signature lines", bytes, ("NOTE_BYTES_MAX", NOTE_BYTES_MAX))?, 0)
    }
    /// Whether this line claims to be of that key.
    #[must_use]
    pub fn is_of(&self, key: &VerifierKey) -> bool {
        self.id == key.id() && self.name == key.name()
    }
    /// That the line is a signature of `key` over the note's `text`, and its time if it is a cosignature, in seconds since 1970.
    ///
    /// # Errors
    /// When the line is not that key's, or the signature does not hold.
    pub fn verify(&self, key: &VerifierKey, text: &str) -> Result<Option<u64>, EvidenceError> {
        if !self.is_of(key) {
            return Err(key.fails());
        }
        match key.kind() {
            KeyKind::Ed25519 => {
                let signature = self.signature.as_slice().try_into().map_err(|_| key.fails())?;
                key.verify(text.as_bytes(), signature)?;
                Ok(None)
            }
            KeyKind::Cosignature => {
                let (time, signature) = self.signature.split_first_chunk::<8>().ok_or_else(|| key.fails())?;
                let time = u64::from_be_bytes(*time);
                let signature = signature.try_into().map_err(|_| key.fails())?;
                key.verify(cosigned_message(text, time).as_bytes(), signature)?;
                Ok(Some(time))
            }
        }
    }
}
impl FromStr for SignatureLine {
    type Err = EvidenceError;
    fn from_str(line: &str) -> Result<Self, EvidenceError> {
        Self::read(line).map_err(|why| EvidenceError::malformed("a signature line", 0, why))
    }
}
impl fmt::Display for SignatureLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.id.to_be_bytes()[..], &self.signature].concat();
        write!(f, "{START}{} {}", self.name, text::base64(&bytes))
    }
}

/// What a cosigner signs (C2SP tlog-cosignature, "Ed25519 signed message").
pub(super) fn cosigned_message(text: &str, unix_seconds: u64) -> String {
    format!("cosignature/v1\ntime {unix_seconds}\n{text}")
}

fn read_lines(what: &'static str, lines: &str, before: usize) -> Result<Vec<SignatureLine>, EvidenceError> {
    let mut read = Vec::new();
    for (n, line) in lines.strip_suffix('\n').unwrap_or(lines).split('\n').enumerate() {
        too_many(n + 1)?;
        read.push(SignatureLine::read(line).map_err(|why| EvidenceError::malformed(what, before + n + 1, why))?);
    }
    Ok(read)
}
fn too_many(lines: usize) -> Result<(), EvidenceError> {
    let (limit, max) = ("NOTE_SIGNATURES_MAX", NOTE_SIGNATURES_MAX);
    if lines > max { Err(EvidenceError::TooLarge { what: "a note's signature lines", limit, max }) } else { Ok(()) }
}

/// A signed note. Displays as exactly the bytes it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

/// Which of the known keys have signed a note.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Each key once, in the order of its first line; with its time in seconds since 1970 if it is a cosigner's. Of several lines of one cosigner the
    /// earliest time counts: it saw the text no later than that, and claims nothing newer.
    pub keys: Vec<(VerifierKey, Option<u64>)>,
    /// Every line of a cosigner, with its time in seconds since 1970.
    pub cosignatures: Vec<(VerifierKey, u64)>,
    /// How many lines are of keys that are not known. Nothing is known about them.
    pub ignored: usize,
}

impl Note {
    /// A note of a text that ends in LF and at least one line.
    ///
    /// # Errors
    /// When it would not be read again.
    pub fn new(text: &str, signatures: Vec<SignatureLine>) -> Result<Self, EvidenceError> {
        text::checked(WHAT, text.as_bytes(), ("NOTE_BYTES_MAX", NOTE_BYTES_MAX))?;
        too_many(signatures.len())?;
        if signatures.is_empty() {
            return Err(EvidenceError::malformed(WHAT, 0, "it has no signature line"));
        }
        for line in &signatures {
            line.check().map_err(|why| EvidenceError::malformed(WHAT, 0, why))?;
        }
        let note = Self { text: text.to_owned(), signatures };
        if note.to_string().len() > NOTE_BYTES_MAX {
            return Err(EvidenceError::TooLarge { what: WHAT, limit: "NOTE_BYTES_MAX", max: NOTE_BYTES_MAX });
        }
        Ok(note)
    }
    /// Reads a note. No signature is verified, and the text means nothing until one is.
    ///
    /// # Errors
    /// [`EvidenceError::Malformed`] with the line, or [`EvidenceError::TooLarge`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let note = text::checked(WHAT, bytes, ("NOTE_BYTES_MAX", NOTE_BYTES_MAX))?;
        // The text may hold empty lines; the last one of the note ends it.
        let Some(split) = note.rfind("\n\n") else {
            return Err(EvidenceError::malformed(WHAT, 0, "no empty line parts the text from the signatures"));
        };
        let (text, lines) = (&note[..=split], &note[split + 2..]);
        if lines.is_empty() {
            return Err(EvidenceError::malformed(WHAT, 0, "it has no signature line"));
        }
        let before = text.matches('\n').count() + 1;
        Ok(Self { text: text.to_owned(), signatures: read_lines(WHAT, lines, before)? })
    }
    /// The text with its last LF: what is signed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
    /// The signature lines in their order.
    #[must_use]
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }
    /// Adds a line at the end, unless the very same is there.
    ///
    /// # Errors
    /// When the line is no signature line, or the note would be over a limit.
    pub fn add(&mut self, line: SignatureLine) -> Result<(), EvidenceError> {
        if !self.signatures.contains(&line) {
            let mut signatures = self.signatures.clone();
            signatures.push(line);
            *self = Self::new(&self.text, signatures)?;
        }
        Ok(())
    }
    /// Verifies every line whose name and id are those of a known key.
    ///
    /// # Errors
    /// When one of these does not hold, when a cosigner's time is 0 or over 2^63 - 1, or when no line is of a known key.
    pub fn verify(&self, known: &[VerifierKey]) -> Result<Verified, EvidenceError> {
        let mut verified = Verified { keys: Vec::new(), cosignatures: Vec::new(), ignored: 0 };
        for line in &self.signatures {
            let mut is_known = false;
            for key in known.iter().filter(|key| line.is_of(key)) {
                is_known = true;
                let time = line.verify(key, &self.text)?;
                if let Some(seconds) = time {
                    if seconds == 0 || seconds > text::NUMBER_MAX {
                        let why = "a time is from 1 to 2^63 - 1";
                        return Err(EvidenceError::Time { name: key.name().to_owned(), seconds, why });
                    }
                    verified.cosignatures.push((key.clone(), seconds));
                }
                match verified.keys.iter_mut().find(|(k, _)| k == key) {
                    Some((_, counted)) => *counted = (*counted).min(time),
                    None => verified.keys.push((key.clone(), time)),
                }
            }
            if !is_known {
                verified.ignored += 1;
            }
        }
        if verified.keys.is_empty() { Err(EvidenceError::NoKnownKey { what: "the note" }) } else { Ok(verified) }
    }
}
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for line in &self.signatures {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}
impl FromStr for Note {
    type Err = EvidenceError;
    fn from_str(text: &str) -> Result<Self, EvidenceError> {
        Self::parse(text.as_bytes())
    }
}
