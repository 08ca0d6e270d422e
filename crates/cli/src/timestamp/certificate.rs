//! Certificates of time-stamping authorities, and the signatures that their keys verify: RSA (PKCS #1 v1.5) and ECDSA on P-256 and P-384, with SHA-2.

use super::Refused;
use super::fields::Fields;
use der::asn1::ObjectIdentifier;
use der::{Decode as _, Encode as _, Tag};
use rsa::BoxedUint;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use signature::hazmat::PrehashVerifier as _;
use time::UtcDateTime;
use x509_cert::certificate::Certificate as Parsed;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}
const RSA: ObjectIdentifier = oid("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = oid("1.2.840.10045.2.1");
const P256: ObjectIdentifier = oid("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = oid("1.3.132.0.34");
const TIME_STAMPING: ObjectIdentifier = oid("1.3.6.1.5.5.7.3.8");
const EXTENDED_KEY_USAGE: ObjectIdentifier = oid("2.5.29.37");
/// The extensions that are looked at; another one that is critical refuses its certificate.
const KNOWN_EXTENSIONS: [ObjectIdentifier; 3] = [oid("2.5.29.15"), oid("2.5.29.19"), EXTENDED_KEY_USAGE];
/// A shorter RSA key is refused.
const RSA_BITS_MIN: u32 = 2048;

/// A hash function that tokens use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    /// Only as a certificate's fingerprint in the older form of the signing-certificate attribute (RFC 2634): nothing is signed over it.
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}
impl Hash {
    pub(super) fn of_oid(oid: ObjectIdentifier) -> Result<Self, Refused> {
        match oid.to_string().as_str() {
            "2.16.840.1.101.3.4.2.1" => Ok(Self::Sha256),
            "2.16.840.1.101.3.4.2.2" => Ok(Self::Sha384),
            "2.16.840.1.101.3.4.2.3" => Ok(Self::Sha512),
            other => Err(Refused::new(format!("the hash function {other} is not accepted: SHA-256, SHA-384 and SHA-512 are"))),
        }
    }
    pub(super) fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

/// How a signature was made: the kind of key, and the hash function if the algorithm's name says it.
fn scheme(algorithm: ObjectIdentifier) -> Result<(ObjectIdentifier, Option<Hash>), Refused> {
    match algorithm.to_string().as_str() {
        "1.2.840.113549.1.1.1" => Ok((RSA, None)),
        "1.2.840.113549.1.1.11" => Ok((RSA, Some(Hash::Sha256))),
        "1.2.840.113549.1.1.12" => Ok((RSA, Some(Hash::Sha384))),
        "1.2.840.113549.1.1.13" => Ok((RSA, Some(Hash::Sha512))),
        "1.2.840.10045.4.3.2" => Ok((EC, Some(Hash::Sha256))),
        "1.2.840.10045.4.3.3" => Ok((EC, Some(Hash::Sha384))),
        "1.2.840.10045.4.3.4" => Ok((EC, Some(Hash::Sha512))),
        other => Err(Refused::new(format!(
            "the signature algorithm {other} is not accepted: RSA with PKCS #1 v1.5 and ECDSA are, with SHA-256, SHA-384 or SHA-512"
        ))),
    }
}

/// A certificate and its bytes.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    der: Vec<u8>,
    parsed: Parsed,
}

impl Certificate {
    pub(super) fn of_der(der: &[u8]) -> Result<Self, Refused> {
        let parsed = Parsed::from_der(der).map_err(|error| Refused::new(format!("a certificate cannot be read: {error}")))?;
        Ok(Self { der: der.to_vec(), parsed })
    }
    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }
    pub(super) fn subject(&self) -> String {
        self.parsed.tbs_certificate().subject().to_string()
    }
    /// Whether it is the one of this issuer (a DER name) and serial number (an INTEGER's bytes).
    pub(super) fn is(&self, issuer: &[u8], serial: &[u8]) -> bool {
        let tbs = self.parsed.tbs_certificate();
        tbs.issuer().to_der().is_ok_and(|name| name == issuer) && tbs.serial_number().as_bytes() == serial
    }
    /// Whether its key has this identifier (RFC 5280 §4.2.1.2).
    pub(super) fn has_key_id(&self, id: &[u8]) -> bool {
        let found = self.parsed.tbs_certificate().get_extension::<x509_cert::ext::pkix::SubjectKeyIdentifier>();
        matches!(found, Ok(Some((_, found))) if found.0.as_bytes() == id)
    }
    /// That it may sign time stamps (RFC 3161 §2.3), at that moment.
    pub(super) fn check_authority(&self, at: UtcDateTime) -> Result<(), Refused> {
        self.check_extensions()?;
        let purpose = self.parsed.tbs_certificate().get_extension::<ExtendedKeyUsage>().map_err(|_| self.unreadable())?;
        match purpose {
            Some((true, ExtendedKeyUsage(purposes))) if purposes == [TIME_STAMPING] => {}
            _ => {
                return Err(self.wrong("is not for time stamps alone: extended key usage must be critical and only timeStamping"));
            }
        }
        let usage = self.parsed.tbs_certificate().get_extension::<KeyUsage>().map_err(|_| self.unreadable())?;
        if usage.is_some_and(|(_, usage)| !usage.digital_signature() && !usage.non_repudiation()) {
            return Err(self.wrong("has a key that is not to sign with"));
        }
        self.check_validity(at)
    }
    /// That it may issue certificates, and was valid at that moment.
    fn check_issuer(&self, at: UtcDateTime) -> Result<(), Refused> {
        self.check_extensions()?;
        let constraints = self.parsed.tbs_certificate().get_extension::<BasicConstraints>().map_err(|_| self.unreadable())?;
        if !constraints.is_some_and(|(_, constraints)| constraints.ca) {
            return Err(self.wrong("may not issue certificates"));
        }
        let usage = self.parsed.tbs_certificate().get_extension::<KeyUsage>().map_err(|_| self.unreadable())?;
        if usage.is_some_and(|(_, usage)| !usage.key_cert_sign()) {
            return Err(self.wrong("has a key that may not sign certificates"));
        }
        self.check_validity(at)
    }
    fn check_extensions(&self) -> Result<(), Refused> {
        let extensions = self.parsed.tbs_certificate().extensions().map(Vec::as_slice).unwrap_or_default();
        match extensions.iter().find(|extension| extension.critical && !KNOWN_EXTENSIONS.contains(&extension.extn_id)) {
            None => Ok(()),
            Some(unknown) => Err(self.wrong(&format!("has the critical extension {}, which is not understood", unknown.extn_id))),
        }
    }
    fn check_validity(&self, at: UtcDateTime) -> Result<(), Refused> {
        let validity = self.parsed.tbs_certificate().validity();
        let at = u64::try_from(at.unix_timestamp()).unwrap_or_default();
        let (from, to) = (validity.not_before.to_unix_duration().as_secs(), validity.not_after.to_unix_duration().as_secs());
        if (from..=to).contains(&at) { Ok(()) } else { Err(self.wrong("was not valid at the token's time")) }
    }
    /// That `issuer` has signed this one.
    fn check_issued_by(&self, issuer: &Self) -> Result<(), Refused> {
        if self.parsed.tbs_certificate().issuer() != issuer.parsed.tbs_certificate().subject() {
            return Err(self.wrong("is of another issuer"));
        }
        let mut fields = Fields::of(&self.der, Tag::Sequence, "authority's certificate")?;
        let signed = fields.raw()?;
        let algorithm = fields.algorithm()?;
        let signature = self.parsed.signature().as_bytes().ok_or_else(|| self.unreadable())?;
        if self.parsed.signature_algorithm() != self.parsed.tbs_certificate().signature() {
            return Err(self.wrong("names two signature algorithms"));
        }
        let (_, Some(hash)) = scheme(algorithm)? else {
            return Err(self.wrong("does not say with which hash function it is signed"));
        };
        issuer.verify(algorithm, hash, signed, signature).map_err(|_| self.wrong("is not signed by the issuer that it names"))
    }
    /// That the key of this certificate has signed `message`; `hash` is the one that the signature goes with.
    pub(super) fn verify(
        &self,
        algorithm: ObjectIdentifier,
        hash: Hash,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Refused> {
        let (kind, named) = scheme(algorithm)?;
        if named.is_some_and(|named| named != hash) {
            return Err(Refused::new("the signature goes with two hash functions"));
        }
        let key = self.parsed.tbs_certificate().subject_public_key_info();
        if key.algorithm.oid != kind {
            return Err(Refused::new("the signature is not of the kind of the certificate's key"));
        }
        let bytes = key.subject_public_key.as_bytes().ok_or_else(|| self.unreadable())?;
        let digest = hash.digest(message);
        let holds = if kind == RSA {
            verify_rsa(bytes, hash, &digest, signature)?
        } else {
            let curve = key.algorithm.parameters.as_ref().and_then(|curve| curve.decode_as::<ObjectIdentifier>().ok());
            verify_ecdsa(curve, bytes, &digest, signature)?
        };
        if holds { Ok(()) } else { Err(Refused::new("the signature does not verify")) }
    }
    fn wrong(&self, what: &str) -> Refused {
        Refused::new(format!("the certificate of {} {what}", self.subject()))
    }
    fn unreadable(&self) -> Refused {
        self.wrong("cannot be read")
    }
}

fn verify_rsa(key: &[u8], hash: Hash, digest: &[u8], signature: &[u8]) -> Result<bool, Refused> {
    let mut fields = Fields::of(key, Tag::Sequence, "authority's RSA key")?;
    let mut number = || -> Result<BoxedUint, Refused> {
        let value: der::asn1::UintRef<'_> = fields.take(Tag::Integer)?.decode_as().map_err(|_| fields.malformed())?;
        Ok(BoxedUint::from_be_slice_vartime(value.as_bytes()))
    };
    let (modulus, exponent) = (number()?, number()?);
    if modulus.bit_width_vartime() < RSA_BITS_MIN {
        return Err(Refused::new("the authority's RSA key has fewer than 2,048 bits"));
    }
    fields.end()?;
    let key = rsa::PublicKey::new(modulus, exponent).map_err(|_| Refused::new("the authority's RSA key is malformed"))?;
    Ok(match hash {
        Hash::Sha256 => key.pkcs1v15_verify_prehash::<Sha256>(digest, signature).is_ok(),
        Hash::Sha384 => key.pkcs1v15_verify_prehash::<Sha384>(digest, signature).is_ok(),
        Hash::Sha512 => key.pkcs1v15_verify_prehash::<Sha512>(digest, signature).is_ok(),
        Hash::Sha1 => false,
    })
}

fn verify_ecdsa(curve: Option<ObjectIdentifier>, key: &[u8], digest: &[u8], signature: &[u8]) -> Result<bool, Refused> {
    let malformed = |_| Refused::new("the authority's ECDSA key is malformed");
    match curve {
        Some(P256) => {
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(malformed)?;
            Ok(p256::ecdsa::Signature::from_der(signature).is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok()))
        }
        Some(P384) => {
            let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(malformed)?;
            Ok(p384::ecdsa::Signature::from_der(signature).is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok()))
        }
        _ => Err(Refused::new("the authority's ECDSA key is on a curve that is not accepted: P-256 and P-384 are")),
    }
}

/// The certificates that whoever checks trusts: authorities, or who issues their certificates.
#[derive(Debug)]
pub(crate) struct Certificates(Vec<Certificate>);

impl Certificates {
    /// From a file: PEM, one certificate or several, or one in DER.
    pub(crate) fn parse(file: &[u8]) -> Result<Self, Refused> {
        if file.first() == Some(&0x30) {
            return Ok(Self(vec![Certificate::of_der(file)?]));
        }
        let chain =
            Parsed::load_pem_chain(file).map_err(|error| Refused::new(format!("it is no certificate in PEM: {error}")))?;
        let mut all = Vec::new();
        for parsed in chain {
            let der = parsed.to_der().map_err(|error| Refused::new(format!("a certificate cannot be read: {error}")))?;
            all.push(Certificate { der, parsed });
        }
        if all.is_empty() { Err(Refused::new("it holds no certificate")) } else { Ok(Self(all)) }
    }
    pub(super) fn all(&self) -> &[Certificate] {
        &self.0
    }
    /// That the signer's certificate is one of these, or was issued by one of these.
    pub(super) fn check_trusted(&self, signer: &Certificate, at: UtcDateTime) -> Result<(), Refused> {
        if self.0.iter().any(|trusted| trusted.der == signer.der) {
            return Ok(());
        }
        let mut why = None;
        for issuer in &self.0 {
            match signer.check_issued_by(issuer).and_then(|()| issuer.check_issuer(at)) {
                Ok(()) => return Ok(()),
                Err(refused) => why = Some(refused),
            }
        }
        Err(why.unwrap_or_else(|| signer.wrong("is not one that is trusted")))
    }
}
