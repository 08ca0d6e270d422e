//! The token itself: RFC 3161 over CMS (RFC 5652), with the certificate's fingerprint among what is signed (RFC 2634, RFC 5816).

use super::Refused;
use super::certificate::{Certificate, Certificates, Hash};
use super::fields::{Fields, context};
use der::Tag;
use der::asn1::ObjectIdentifier;
use sha2::{Digest as _, Sha256};
use time::{Date, Duration, Month, Time, UtcDateTime};

const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const TST_INFO: &str = "1.2.840.113549.1.9.16.1.4";
const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
const SIGNING_CERTIFICATE: &str = "1.2.840.113549.1.9.16.2.12";
const SIGNING_CERTIFICATE_V2: &str = "1.2.840.113549.1.9.16.2.47";
/// A response larger than this is none.
const RESPONSE_BYTES_MAX: usize = 256 * 1024;

/// The TimeStampReq for a text, to be sent to an authority: over SHA-256, asking for its certificate.
pub(crate) fn request(text: &[u8], mut nonce: [u8; 8]) -> Vec<u8> {
    // A positive INTEGER of exactly eight bytes: no sign, no leading zero.
    nonce[0] = nonce[0] & 0x7f | 0x40;
    let mut out = vec![0x30, 0x40 + 3, 0x02, 0x01, 0x01];
    // MessageImprint: the algorithm 2.16.840.1.101.3.4.2.1 with NULL, then the hash.
    out.extend([
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
    ]);
    out.extend(Sha256::digest(text));
    out.extend([0x02, 0x08]);
    out.extend(nonce);
    // certReq.
    out.extend([0x01, 0x01, 0xff]);
    out
}

/// A TimeStampResp that grants a token, read but not yet checked.
#[derive(Debug)]
pub(crate) struct Response<'a> {
    content: &'a [u8],
    info: Info<'a>,
    certificates: Vec<&'a [u8]>,
    signer: Signer<'a>,
}

/// What a token says, once it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamped {
    /// The authority's time.
    pub(crate) at: UtcDateTime,
    /// Whole seconds since 1970: the text was there by then, however inaccurate the authority says that its clock is.
    pub(crate) not_after: i64,
    /// The subject of the authority's certificate.
    pub(crate) authority: String,
}

/// TSTInfo.
#[derive(Debug)]
struct Info<'a> {
    hash: Hash,
    imprint: &'a [u8],
    at: UtcDateTime,
    accuracy: Duration,
}

#[derive(Debug)]
enum SignerId<'a> {
    IssuerAndSerial(&'a [u8], &'a [u8]),
    Key(&'a [u8]),
}

/// SignerInfo.
#[derive(Debug)]
struct Signer<'a> {
    id: SignerId<'a>,
    digest: Hash,
    /// The signed attributes, without tag and length.
    attributes: &'a [u8],
    algorithm: ObjectIdentifier,
    signature: &'a [u8],
}

impl<'a> Response<'a> {
    /// Reads a response file.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Refused> {
        if bytes.len() > RESPONSE_BYTES_MAX {
            return Err(Refused::new("it is too large for a time-stamp response"));
        }
        let mut response = Fields::of(bytes, Tag::Sequence, "time-stamp response")?;
        let mut status = response.sequence()?;
        match status.small()? {
            0 | 1 => {}
            refused => {
                return Err(Refused::new(format!("the authority refused to stamp it: its status is {refused}, not granted")));
            }
        }
        let mut content = Fields::inside(response.take(Tag::Sequence)?, "time-stamp token");
        response.end()?;
        let is_signed = content.oid()?.to_string() == SIGNED_DATA;
        let mut explicit =
            content.tagged(0)?.filter(|_| is_signed).ok_or_else(|| Refused::new("the token is not signed data"))?;
        content.end()?;
        let signed = explicit.sequence()?;
        explicit.end()?;
        Self::of_signed_data(signed)
    }
    fn of_signed_data(mut signed: Fields<'a>) -> Result<Self, Refused> {
        if signed.small()? != 3 {
            return Err(signed.malformed());
        }
        let mut algorithms = Fields::inside(signed.take(Tag::Set)?, "time-stamp token");
        let mut digests = Vec::new();
        while !algorithms.is_done() {
            digests.push(algorithms.algorithm()?);
        }
        let mut encapsulated = signed.sequence()?;
        let kind = encapsulated.oid()?.to_string();
        let mut explicit =
            encapsulated.tagged(0)?.filter(|_| kind == TST_INFO).ok_or_else(|| Refused::new("the token holds no time stamp"))?;
        let content = explicit.octets()?;
        explicit.end()?;
        encapsulated.end()?;
        let mut certificates = Vec::new();
        if let Some(mut set) = signed.tagged(0)? {
            while !set.is_done() {
                certificates.push(set.raw()?);
            }
        }
        // Revocation lists are not looked at.
        signed.tagged(1)?;
        let mut signers = Fields::inside(signed.take(Tag::Set)?, "time-stamp token's signer");
        signed.end()?;
        let signer = Signer::read(signers.sequence()?)?;
        if !signers.is_done() {
            return Err(Refused::new("the token has more than one signer"));
        }
        if !digests.into_iter().any(|digest| Hash::of_oid(digest) == Ok(signer.digest)) {
            return Err(signers.malformed());
        }
        Ok(Self { content, info: Info::read(content)?, certificates, signer })
    }
    /// Whether this is a stamp of the text. Who made it is another question.
    pub(crate) fn is_of(&self, text: &[u8]) -> bool {
        self.info.hash.digest(text) == self.info.imprint
    }
    /// The time it claims.
    pub(crate) fn claimed(&self) -> UtcDateTime {
        self.info.at
    }
    /// That the token is of this text, and made by an authority of these certificates or one whose certificate these issued.
    pub(crate) fn check(&self, text: &[u8], trusted: &Certificates) -> Result<Stamped, Refused> {
        if !self.is_of(text) {
            return Err(Refused::new("the token stamps another text"));
        }
        let signer = self.signer_certificate(trusted)?;
        self.signer.check(self.content, &signer)?;
        signer.check_authority(self.info.at)?;
        trusted.check_trusted(&signer, self.info.at)?;
        let latest = self.info.at.checked_add(self.info.accuracy).ok_or_else(|| Refused::new("the token's time is absurd"))?;
        let not_after = latest.unix_timestamp() + i64::from(latest.nanosecond() > 0);
        Ok(Stamped { at: self.info.at, not_after, authority: signer.subject() })
    }
    /// The signer's certificate: in the token if the authority was asked for it, else it must be the one given.
    fn signer_certificate(&self, trusted: &Certificates) -> Result<Certificate, Refused> {
        let is_signers = |certificate: &Certificate| match self.signer.id {
            SignerId::IssuerAndSerial(issuer, serial) => certificate.is(issuer, serial),
            SignerId::Key(id) => certificate.has_key_id(id),
        };
        for der in &self.certificates {
            // Others of the chain may be of kinds that cannot be read here.
            if let Ok(certificate) = Certificate::of_der(der)
                && is_signers(&certificate)
            {
                return Ok(certificate);
            }
        }
        let given = trusted.all().iter().find(|certificate| is_signers(certificate));
        given.cloned().ok_or_else(|| Refused::new("the signer's certificate is neither in the token nor among those given"))
    }
}

impl<'a> Info<'a> {
    fn read(content: &'a [u8]) -> Result<Self, Refused> {
        let mut info = Fields::of(content, Tag::Sequence, "time stamp")?;
        if info.small()? != 1 {
            return Err(Refused::new("the time stamp has a version that is not known"));
        }
        info.oid()?;
        let mut imprint = info.sequence()?;
        let hash = Hash::of_oid(imprint.algorithm()?)?;
        let digest = imprint.octets()?;
        imprint.end()?;
        info.take(Tag::Integer)?;
        let at = general_time(info.take(Tag::GeneralizedTime)?.value()).ok_or_else(|| info.malformed())?;
        let accuracy = match info.take_if(Tag::Sequence)? {
            Some(value) => accuracy(Fields::inside(value, "time stamp's accuracy"))?,
            None => Duration::ZERO,
        };
        // Ordering, nonce and the authority's name change nothing about the time.
        info.take_if(Tag::Boolean)?;
        info.take_if(Tag::Integer)?;
        info.tagged(0)?;
        if let Some(mut extensions) = info.tagged(1)? {
            while !extensions.is_done() {
                let mut extension = extensions.sequence()?;
                extension.oid()?;
                if extension.take_if(Tag::Boolean)?.is_some() {
                    return Err(Refused::new("the time stamp has a critical extension, which is not understood"));
                }
            }
        }
        info.end()?;
        Ok(Self { hash, imprint: digest, at, accuracy })
    }
}

/// YYYYMMDDHHMMSS, a fraction if any, Z (RFC 3161 §2.4.2).
fn general_time(text: &[u8]) -> Option<UtcDateTime> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    if whole.len() != 14 || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| whole.get(from..to)?.parse::<u8>().ok();
    let date =
        Date::from_calendar_date(whole.get(..4)?.parse().ok()?, Month::try_from(number(4, 6)?).ok()?, number(6, 8)?).ok()?;
    let nanoseconds = match fraction {
        None => 0,
        Some(digits) => {
            let plain = (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            if !plain || digits.ends_with('0') {
                return None;
            }
            format!("{digits:0<9}").parse().ok()?
        }
    };
    let time = Time::from_hms_nano(number(8, 10)?, number(10, 12)?, number(12, 14)?, nanoseconds).ok()?;
    Some(UtcDateTime::new(date, time))
}

/// How far the authority says that its clock may be off.
fn accuracy(mut fields: Fields<'_>) -> Result<Duration, Refused> {
    let seconds = match fields.take_if(Tag::Integer)? {
        Some(value) => value.decode_as::<u32>().map_err(|_| fields.malformed())?,
        None => 0,
    };
    let mut thousandths = |number| -> Result<u16, Refused> {
        let Some(value) = fields.take_if(context(number, false))? else { return Ok(0) };
        match value.value() {
            [low @ 1..=0x7f] => Ok(u16::from(*low)),
            [0, low] if *low >= 0x80 => Ok(u16::from(*low)),
            [high @ 1..=3, low] if u16::from_be_bytes([*high, *low]) <= 999 => Ok(u16::from_be_bytes([*high, *low])),
            _ => Err(fields.malformed()),
        }
    };
    let (millis, micros) = (thousandths(0)?, thousandths(1)?);
    fields.end()?;
    Ok(Duration::seconds(seconds.into()) + Duration::milliseconds(millis.into()) + Duration::microseconds(micros.into()))
}

impl<'a> Signer<'a> {
    fn read(mut info: Fields<'a>) -> Result<Self, Refused> {
        let version = info.small()?;
        let id = match (version, info.take_if(context(0, false))?) {
            (3, Some(key)) => SignerId::Key(key.value()),
            (1, None) => {
                let mut id = info.sequence()?;
                let issuer = id.raw()?;
                let serial = id.take(Tag::Integer)?.value();
                id.end()?;
                SignerId::IssuerAndSerial(issuer, serial)
            }
            _ => return Err(info.malformed()),
        };
        let digest = Hash::of_oid(info.algorithm()?)?;
        let attributes =
            info.take_if(context(0, true))?.ok_or_else(|| Refused::new("the token has no signed attributes"))?.value();
        let algorithm = info.algorithm()?;
        let signature = info.octets()?;
        // Unsigned attributes prove nothing.
        info.tagged(1)?;
        info.end()?;
        Ok(Self { id, digest, attributes, algorithm, signature })
    }
    /// That the owner of the certificate has signed this content.
    fn check(&self, content: &[u8], certificate: &Certificate) -> Result<(), Refused> {
        let signed = self.signed_bytes()?;
        let mut attributes = Fields::of(&signed, Tag::Set, "token's signed attributes")?;
        let (mut is_time_stamp, mut is_content, mut is_certificate) = (false, false, false);
        let mut seen = Vec::new();
        while !attributes.is_done() {
            let mut attribute = attributes.sequence()?;
            let kind = attribute.oid()?;
            let mut values = Fields::inside(attribute.take(Tag::Set)?, "token's signed attribute");
            attribute.end()?;
            if seen.contains(&kind) {
                return Err(Refused::new("the token says a signed attribute twice"));
            }
            seen.push(kind);
            match kind.to_string().as_str() {
                CONTENT_TYPE => is_time_stamp = values.oid()?.to_string() == TST_INFO,
                MESSAGE_DIGEST => is_content = values.octets()? == self.digest.digest(content),
                SIGNING_CERTIFICATE => is_certificate = names(values.sequence()?, Some(Hash::Sha1), certificate)?,
                SIGNING_CERTIFICATE_V2 => is_certificate = names(values.sequence()?, None, certificate)?,
                _ => continue,
            }
            values.end()?;
            if [SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2].contains(&kind.to_string().as_str()) && !is_certificate {
                break;
            }
        }
        if !is_time_stamp || !is_content {
            return Err(Refused::new("the token's signature is over another time stamp"));
        }
        if !is_certificate {
            return Err(Refused::new("the token's signature does not name the signer's certificate"));
        }
        certificate.verify(self.algorithm, self.digest, &signed, self.signature)
    }
    /// What is signed: the attributes as a SET (RFC 5652 §5.4), where the token has them under another tag.
    fn signed_bytes(&self) -> Result<Vec<u8>, Refused> {
        let set = der::asn1::AnyRef::new(Tag::Set, self.attributes);
        set.and_then(|set| der::Encode::to_der(&set)).map_err(|_| Refused::new("the token's signed attributes are malformed"))
    }
}

/// Whether the signing-certificate attribute's first entry is this certificate's fingerprint: with this hash function, or in the newer form with the one it says.
fn names(mut attribute: Fields<'_>, hash: Option<Hash>, certificate: &Certificate) -> Result<bool, Refused> {
    let mut entry = attribute.sequence()?.sequence()?;
    let hash = match hash {
        Some(hash) => hash,
        None => match entry.take_if(Tag::Sequence)? {
            None => Hash::Sha256,
            Some(algorithm) => Hash::of_oid(Fields::inside(algorithm, "token's signed attribute").oid()?)?,
        },
    };
    Ok(entry.octets()? == hash.digest(certificate.der()))
}
