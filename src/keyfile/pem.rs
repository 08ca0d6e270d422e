//! The bytes of a key file: PEM of PKCS #8 with two explanatory lines before it (docs/FORMAT.md §11.1).
//!
//! The key itself is the 48 bytes of RFC 8410 §7, version 1 without attributes: a fixed prefix and the seed. Encrypted, it is PBES2 (RFC
//! 8018) as other programs write and read it; new files use scrypt (N 2^14, r 8, p 5) and AES-256-CBC, which OpenSSL opens with its default limits.

use pkcs8::EncryptedPrivateKeyInfoOwned;
use pkcs8::der::asn1::OctetString;
use pkcs8::der::pem::{LineEnding, decode_vec, encode_string};
use pkcs8::der::{Decode as _, Encode as _};
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2;
use std::fmt;
use zeroize::Zeroizing;

const PLAIN_LABEL: &str = "PRIVATE KEY";
const SEALED_LABEL: &str = "ENCRYPTED PRIVATE KEY";
/// `SEQUENCE { INTEGER 0, SEQUENCE { OID 1.3.101.112 }, OCTET STRING { OCTET STRING seed } }` up to the seed.
const PREFIX: [u8; 16] = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// A key file is a few hundred bytes.
pub(super) const KEY_FILE_BYTES_MAX: usize = 16 << 10;
/// scrypt's cost: 16 MiB of memory, five times over, as much work as N 2^17 with p 1.
const SCRYPT_N: u64 = 1 << 14;
const SCRYPT_R: u16 = 8;
const SCRYPT_P: u16 = 5;
/// What a file may ask of whoever opens it: at most 128 MiB, and sixteen times the work of ours.
const SCRYPT_BLOCKS_MAX: u64 = 1 << 20;
const SCRYPT_WORK_MAX: u64 = SCRYPT_N * SCRYPT_R as u64 * SCRYPT_P as u64 * 16;
const PBKDF2_ITERATIONS_MAX: u32 = 10_000_000;

/// Salt and initialisation vector of a new file, 16 bytes each.
pub(super) type Random = [u8; 32];

/// Why a key file is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// The explanatory lines are not `name: …` and `vkey: …`.
    Lines,
    /// What follows is not one PEM document of a kind we write.
    Pem,
    /// The document is no Ed25519 key in PKCS #8, or is encrypted in a way we do not open.
    Key,
    /// Opening it would take more memory or time than is reasonable.
    Cost,
    /// It does not open with this passphrase.
    Passphrase,
    /// It is encrypted and no passphrase was given.
    Sealed,
}
impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lines => "the file does not start with a line `name: NAME` and a line `vkey: VKEY`",
            Self::Pem => "after the vkey there is not exactly one PEM document `PRIVATE KEY` or `ENCRYPTED PRIVATE KEY`",
            Self::Key => "the PEM document is no Ed25519 key in PKCS #8 version 1, or is encrypted otherwise than by PBES2",
            Self::Cost => "the file asks for too much work to open it",
            Self::Passphrase => "the passphrase does not open the key file",
            Self::Sealed => "the key file is encrypted and no passphrase was given",
        })
    }
}

/// What a key file says.
pub(super) struct KeyText {
    pub(super) name: String,
    pub(super) vkey: String,
    document: Zeroizing<Vec<u8>>,
    sealed: bool,
}

impl KeyText {
    /// Takes a whole file.
    pub(super) fn parse(text: &str) -> Result<Self, Unreadable> {
        let (name, rest) = line(text, "name: ").ok_or(Unreadable::Lines)?;
        let (vkey, pem) = line(rest, "vkey: ").ok_or(Unreadable::Lines)?;
        let (label, document) = decode_vec(pem.as_bytes()).map_err(|_| Unreadable::Pem)?;
        let label = [PLAIN_LABEL, SEALED_LABEL].into_iter().find(|known| *known == label).ok_or(Unreadable::Pem)?;
        let document = Zeroizing::new(document);
        // Nothing stands before or after it, and it is written in the one way.
        let again = Zeroizing::new(encode_string(label, LineEnding::LF, &document).map_err(|_| Unreadable::Pem)?);
        if *again != pem {
            return Err(Unreadable::Pem);
        }
        Ok(Self { name: name.to_owned(), vkey: vkey.to_owned(), document, sealed: label == SEALED_LABEL })
    }
    /// Whether it takes a passphrase.
    pub(super) fn is_sealed(&self) -> bool {
        self.sealed
    }
    /// The key's seed.
    pub(super) fn seed(&self, passphrase: Option<&str>) -> Result<Zeroizing<[u8; 32]>, Unreadable> {
        if !self.sealed {
            return seed_of(&self.document).ok_or(Unreadable::Key);
        }
        let passphrase = passphrase.ok_or(Unreadable::Sealed)?;
        let sealed = EncryptedPrivateKeyInfoOwned::from_der(&self.document).map_err(|_| Unreadable::Key)?;
        let EncryptionScheme::Pbes2(parameters) = &sealed.encryption_algorithm else { return Err(Unreadable::Key) };
        check_cost(&parameters.kdf)?;
        // Decrypting under another key gives noise: its padding fails, or what it decodes to.
        let opened = parameters.decrypt(passphrase, sealed.encrypted_data.as_bytes()).map_err(|_| Unreadable::Passphrase)?;
        seed_of(&Zeroizing::new(opened)).ok_or(Unreadable::Passphrase)
    }
}

/// The value of the line that starts the text, and what follows it.
fn line<'a>(text: &'a str, key: &str) -> Option<(&'a str, &'a str)> {
    text.strip_prefix(key)?.split_once('\n')
}

fn seed_of(document: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let seed = document.strip_prefix(&PREFIX)?;
    let mut out = Zeroizing::new([0; 32]);
    if seed.len() != out.len() {
        return None;
    }
    out.copy_from_slice(seed);
    Some(out)
}

fn check_cost(kdf: &pbes2::Kdf) -> Result<(), Unreadable> {
    let cheap = match kdf {
        pbes2::Kdf::Pbkdf2(p) => p.iteration_count <= PBKDF2_ITERATIONS_MAX,
        pbes2::Kdf::Scrypt(p) => {
            let blocks = u64::from(p.block_size).checked_mul(p.cost_parameter);
            let work = blocks.and_then(|blocks| blocks.checked_mul(u64::from(p.parallelization)));
            blocks.is_some_and(|blocks| blocks <= SCRYPT_BLOCKS_MAX) && work.is_some_and(|work| work <= SCRYPT_WORK_MAX)
        }
        _ => return Err(Unreadable::Key),
    };
    if cheap { Ok(()) } else { Err(Unreadable::Cost) }
}

/// The text of a new key file; sealed with a passphrase and fresh random bytes, or plain.
pub(super) fn write(
    name: &str,
    vkey: &str,
    seed: &[u8; 32],
    seal: Option<(&str, &Random)>,
) -> Result<Zeroizing<String>, Unreadable> {
    let mut plain = Zeroizing::new([0; 48]);
    plain[..16].copy_from_slice(&PREFIX);
    plain[16..].copy_from_slice(seed);
    let pem = match seal {
        None => encode_string(PLAIN_LABEL, LineEnding::LF, &*plain).map_err(|_| Unreadable::Key)?,
        Some((passphrase, random)) => {
            let document = sealed(&*plain, passphrase, random).ok_or(Unreadable::Key)?;
            encode_string(SEALED_LABEL, LineEnding::LF, &document).map_err(|_| Unreadable::Key)?
        }
    };
    let pem = Zeroizing::new(pem);
    Ok(Zeroizing::new(format!("name: {name}\nvkey: {vkey}\n{}", *pem)))
}

fn sealed(plain: &[u8], passphrase: &str, random: &Random) -> Option<Vec<u8>> {
    let mut iv = [0; 16];
    iv.copy_from_slice(&random[16..]);
    let scrypt = pbes2::ScryptParams {
        salt: pbes2::Salt::new(&random[..16]).ok()?,
        cost_parameter: SCRYPT_N,
        block_size: SCRYPT_R,
        parallelization: SCRYPT_P,
        key_length: None,
    };
    let parameters = pbes2::Parameters { kdf: pbes2::Kdf::Scrypt(scrypt), encryption: pbes2::EncryptionScheme::Aes256Cbc { iv } };
    let encrypted = parameters.encrypt(passphrase, plain).ok()?;
    let info = EncryptedPrivateKeyInfoOwned {
        encryption_algorithm: EncryptionScheme::Pbes2(parameters),
        encrypted_data: OctetString::new(encrypted).ok()?,
    };
    info.to_der().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: [u8; 32] = [7; 32];
    const RANDOM: Random = [9; 32];

    fn text(seal: bool) -> String {
        let seal = seal.then_some(("correct horse", &RANDOM));
        write("example.org/book", "example.org/book+0+AA==", &SEED, seal).unwrap().to_string()
    }
    fn why(text: &str, passphrase: Option<&str>) -> Option<Unreadable> {
        KeyText::parse(text).and_then(|key| key.seed(passphrase)).err()
    }

    #[test]
    fn what_is_written_is_read() {
        for seal in [false, true] {
            let key = KeyText::parse(&text(seal)).unwrap();
            assert_eq!((key.name.as_str(), key.vkey.as_str()), ("example.org/book", "example.org/book+0+AA=="));
            assert_eq!(key.is_sealed(), seal);
            assert_eq!(*key.seed(Some("correct horse")).unwrap(), SEED);
        }
        assert_eq!(why(&text(true), Some("wrong horse")), Some(Unreadable::Passphrase));
        assert_eq!(why(&text(true), None), Some(Unreadable::Sealed));
    }

    #[test]
    fn anything_before_between_or_after_is_refused() {
        for seal in [false, true] {
            let text = text(seal);
            assert_eq!(why(&format!("\n{text}"), None), Some(Unreadable::Lines));
            assert_eq!(why(&text.replace("vkey: ", "vkey:"), None), Some(Unreadable::Lines));
            for changed in [
                format!("{text}\n"),
                format!("{text}{text}"),
                text.replace("-----BEGIN", "more\n-----BEGIN"),
                text.replace('\n', "\r\n"),
                text.trim_end().to_owned(),
                text.replace("PRIVATE", "PUBLIC"),
            ] {
                assert!(why(&changed, Some("correct horse")).is_some(), "{changed}");
            }
        }
    }

    #[test]
    fn a_file_cannot_ask_for_endless_work() {
        let scrypt = |n, r, p| {
            pbes2::Kdf::Scrypt(pbes2::ScryptParams {
                salt: pbes2::Salt::new([0; 16]).unwrap(),
                cost_parameter: n,
                block_size: r,
                parallelization: p,
                key_length: None,
            })
        };
        assert_eq!(check_cost(&scrypt(SCRYPT_N, SCRYPT_R, SCRYPT_P)), Ok(()));
        assert_eq!(check_cost(&scrypt(1 << 17, 8, 1)), Ok(()));
        for (n, r, p) in [(1 << 18, 8, 1), (1 << 14, 8, 81), (u64::MAX, u16::MAX, u16::MAX)] {
            assert_eq!(check_cost(&scrypt(n, r, p)), Err(Unreadable::Cost), "{n} {r} {p}");
        }
    }
}
