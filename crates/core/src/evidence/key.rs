//! Keys: verifier keys as C2SP signed-note writes them, and the secret keys behind them.

use super::checkpoint::Checkpoint;
use super::note::{SignatureLine, cosigned_message};
use super::{EvidenceError, ed25519, text};
use crate::limits::ORIGIN_BYTES_MAX;
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroize as _;

/// What a key signs, and so how its signature lines are read (C2SP signed-note, "Signature types").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// 0x01: Ed25519 over the note's text. Logs and statements.
    Ed25519,
    /// 0x04: Ed25519 over a time and a checkpoint's text, `cosignature/v1`. Witnesses.
    Cosignature,
}
impl KeyKind {
    /// The signature type's byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }
    fn of(byte: u8) -> Result<Self, EvidenceError> {
        match byte {
            0x01 => Ok(Self::Ed25519),
            0x04 => Ok(Self::Cosignature),
            // Not ignored: a policy that counts such a key would mean something else without it.
            0x06 => Err(refuse("ML-DSA-44 keys (type 0x06) are not supported: only Ed25519, types 0x01 and 0x04")),
            _ => Err(refuse(format!("keys of type 0x{byte:02x} are not supported: only Ed25519, types 0x01 and 0x04"))),
        }
    }
}

fn refuse(why: impl Into<std::borrow::Cow<'static, str>>) -> EvidenceError {
    EvidenceError::Key { why: why.into() }
}

/// That a text can be a C2SP key name, and so an origin of ours: 1 to 255 bytes, no Unicode space, no control character
/// (U+0000 to U+001F and U+007F to U+009F), no plus sign.
///
/// # Errors
/// [`EvidenceError::Key`] that says what is wrong.
pub fn check_key_name(name: &str) -> Result<(), EvidenceError> {
    if !is_note_name(name) || name.contains(char::is_control) {
        return Err(refuse(format!("the name {name:?} is empty, or holds a space, a control character or a plus sign")));
    }
    if name.len() > ORIGIN_BYTES_MAX {
        return Err(refuse(format!("the name has {} bytes, more than ORIGIN_BYTES_MAX = {ORIGIN_BYTES_MAX}", name.len())));
    }
    Ok(())
}
/// What C2SP asks of a name in a signature line; a key that we are to trust is held to more.
pub(super) fn is_note_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c < ' ' || c == '+')
}

/// A public key with its name and kind: a C2SP *vkey*. Its text is `NAME+ID+base64(kind ‖ key)`.
///
/// ```
/// use sovang_core::evidence::{KeyKind, VerifierKey};
/// let key: VerifierKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k".parse()?;
/// assert_eq!((key.name(), key.kind(), key.id()), ("example.com/foo", KeyKind::Ed25519, 0x530d903a));
/// # Ok::<(), sovang_core::evidence::EvidenceError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct VerifierKey {
    name: String,
    id: u32,
    kind: KeyKind,
    public: [u8; 32],
}

impl VerifierKey {
    /// A key from its parts; the id follows from them.
    ///
    /// # Errors
    /// When the name is no key name, or the public key is no canonical point or one of small order.
    pub fn new(name: &str, kind: KeyKind, public: [u8; 32]) -> Result<Self, EvidenceError> {
        check_key_name(name)?;
        if !ed25519::is_point(&public) {
            return Err(refuse("the public key is no canonical Ed25519 point, or one of small order"));
        }
        Ok(Self { name: name.to_owned(), id: key_id(name, kind, &public), kind, public })
    }
    /// The key's name; for a log of ours its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The first four bytes of SHA-256(name ‖ LF ‖ kind ‖ public key), big endian.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }
    /// What it signs.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }
    /// The 32 bytes of RFC 8032.
    #[must_use]
    pub fn public_key(&self) -> &[u8; 32] {
        &self.public
    }
    /// That this key has signed exactly these bytes (docs/FORMAT.md §11.1).
    ///
    /// # Errors
    /// [`EvidenceError::Signature`] when it has not.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), EvidenceError> {
        if ed25519::holds(&self.public, message, signature) { Ok(()) } else { Err(self.fails()) }
    }
    pub(super) fn fails(&self) -> EvidenceError {
        EvidenceError::Signature { name: self.name.clone(), id: self.id }
    }
}

fn key_id(name: &str, kind: KeyKind, public: &[u8; 32]) -> u32 {
    let hash = Sha256::new().chain_update(name).chain_update([b'\n', kind.byte()]).chain_update(public).finalize();
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

impl FromStr for VerifierKey {
    type Err = EvidenceError;
    fn from_str(vkey: &str) -> Result<Self, EvidenceError> {
        // The base64 may hold plus signs, the name none.
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(refuse("it is not of the form NAME+ID+KEY"));
        };
        check_key_name(name)?;
        let key = text::unbase64(key).ok_or_else(|| refuse("the part after the second plus sign is not canonical base64"))?;
        let (kind, public) = key.split_first().ok_or_else(|| refuse("it holds no key"))?;
        let kind = KeyKind::of(*kind)?;
        let public = public.try_into().map_err(|_| refuse("an Ed25519 key has 32 bytes"))?;
        let key = Self::new(name, kind, public)?;
        if format!("{:08x}", key.id) == id {
            Ok(key)
        } else {
            Err(refuse(format!("its id is given as {id:?}, but that of this name and key is {:08x}", key.id)))
        }
    }
}
impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.kind.byte()][..], &self.public].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id, text::base64(&key))
    }
}
impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

/// A key that signs. Its bytes are wiped from memory when it is dropped, and `Debug` does not show them.
pub struct SecretKey {
    name: String,
    key: SigningKey,
    verifier: VerifierKey,
    cosigner: VerifierKey,
}

impl SecretKey {
    /// The key that RFC 8032 makes of these 32 random bytes.
    ///
    /// # Errors
    /// When the name is no key name.
    pub fn from_seed(name: &str, mut seed: [u8; 32]) -> Result<Self, EvidenceError> {
        let key = SigningKey::from_bytes(&seed);
        seed.zeroize();
        let public = key.verifying_key().to_bytes();
        Ok(Self {
            name: name.to_owned(),
            verifier: VerifierKey::new(name, KeyKind::Ed25519, public)?,
            cosigner: VerifierKey::new(name, KeyKind::Cosignature, public)?,
            key,
        })
    }
    /// The key's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The public side. One key should serve one kind only; what it is for decides.
    #[must_use]
    pub fn verifier(&self, kind: KeyKind) -> VerifierKey {
        match kind {
            KeyKind::Ed25519 => self.verifier.clone(),
            KeyKind::Cosignature => self.cosigner.clone(),
        }
    }
    /// The 32 bytes it was made of: the secret itself.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }
    /// Signs a note's text, its last LF included, as kind 0x01. Whether the text may be signed by this key is the caller's to know:
    /// a log's key signs checkpoints and nothing else.
    #[must_use]
    pub fn sign_text(&self, text: &str) -> SignatureLine {
        let signature = self.key.sign(text.as_bytes()).to_bytes().to_vec();
        SignatureLine { name: self.name.clone(), id: self.verifier.id, signature }
    }
    /// Cosigns a checkpoint as kind 0x04, as of a time in seconds since 1970: what a witness does once it has seen that the log only grew.
    #[must_use]
    pub fn cosign(&self, checkpoint: &Checkpoint, unix_seconds: u64) -> SignatureLine {
        let message = cosigned_message(checkpoint.note().text(), unix_seconds);
        let mut signature = unix_seconds.to_be_bytes().to_vec();
        signature.extend_from_slice(&self.key.sign(message.as_bytes()).to_bytes());
        SignatureLine { name: self.name.clone(), id: self.cosigner.id, signature }
    }
}
impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({}, …)", self.verifier)
    }
}
