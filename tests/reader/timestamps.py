"""RFC 3161 time-stamp responses, verified offline against one certificate (docs/FORMAT.md §11.2 and §11.7): DER in a page of code,
signatures and certificates by `cryptography`."""

import datetime
import hashlib
import re
from collections import namedtuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from notes import Refused

_SIGNED_DATA, _TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE, _MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_CERTIFICATE_ID = {"1.2.840.113549.1.9.16.2.12": "sha1", "1.2.840.113549.1.9.16.2.47": "sha256"}  # RFC 2634 and RFC 5035
_HASHES = {"2.16.840.1.101.3.4.2.1": "sha256", "2.16.840.1.101.3.4.2.2": "sha384", "2.16.840.1.101.3.4.2.3": "sha512"}
_OF_SIGNATURE = {"1.2.840.113549.1.1.1": None, "1.2.840.113549.1.1.11": "sha256", "1.2.840.113549.1.1.12": "sha384",
                 "1.2.840.113549.1.1.13": "sha512", "1.2.840.10045.4.3.2": "sha256", "1.2.840.10045.4.3.3": "sha384",
                 "1.2.840.10045.4.3.4": "sha512"}
_UNREADABLE = (IndexError, ValueError, TypeError, OverflowError, UnsupportedAlgorithm)
_TIME = re.compile(rb"([0-9]{14})(\.[0-9]{0,9}[1-9])?Z")
_SECOND = 1_000_000_000
INTEGER, OCTETS, OID, TIME, SEQUENCE, SET = 0x02, 0x04, 0x06, 0x18, 0x30, 0x31


class Item(namedtuple("Item", "tag body raw")):
    """One value in DER."""

    def of(self, tag):
        """Its content, when it has this tag."""
        if self.tag != tag:
            raise Refused(f"DER: tag {self.tag:#04x} where {tag:#04x} must be")
        return self.body

    def items(self, tag=SEQUENCE):
        """The values within it."""
        return _items(self.of(tag))

    def oid(self):
        """An object identifier in dotted form."""
        numbers, value = [], 0
        body = self.of(OID)
        if not body or body[-1] & 128:
            raise Refused("DER: an object identifier")
        for byte in body:
            value = value << 7 | byte & 127
            if not byte & 128:
                numbers.append(value)
                value = 0
        first = min(numbers[0] // 40, 2)
        return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def _items(data):
    found, at = [], 0
    while at < len(data):
        if len(data) - at < 2 or data[at] & 31 == 31:
            raise Refused("DER: a tag without length, or of several bytes")
        length, start = data[at + 1], at + 2
        if length >= 128:
            start = at + 2 + length - 128
            length = int.from_bytes(data[at + 2 : start], "big")
            if not 1 <= start - at - 2 <= 4 or length < 128 or not data[at + 2]:
                raise Refused("DER: a length that nobody would have written")
        if start + length > len(data):
            raise Refused("DER: a value ends too late")
        found.append(Item(data[at], data[start : start + length], data[at : start + length]))
        at = start + length
    return found


def _one(data):
    items = _items(data)
    if len(items) != 1:
        raise Refused("DER: one value must be all there is")
    return items[0]


def _tagged(items, tag):
    """The first of these with a tag; none when there is none."""
    return next((item for item in items if item.tag == tag), None)


def _hash_name(algorithm):
    oid = algorithm.items()[0].oid()
    if oid not in _HASHES:
        raise Refused(f"the hash {oid}")
    return _HASHES[oid]


def time_stamped(response, text, certificate_pem):
    """By when an authority has seen a checkpoint's text, in seconds since 1970, one whose certificate is the given one or issued by it:
    the token's time and the accuracy that it states, rounded up."""
    try:
        given = x509.load_pem_x509_certificate(certificate_pem)
        return _verify(response, text.encode(), given)
    except (*_UNREADABLE, x509.InvalidVersion, x509.ExtensionNotFound, x509.DuplicateExtension) as error:
        raise Refused(f"time stamp: {error}") from None


def _verify(response, text, given):
    outer = _one(response).items()
    if int.from_bytes(outer[0].items()[0].of(INTEGER), "big") not in (0, 1) or len(outer) != 2:
        raise Refused("the authority has granted nothing")
    kind, content = outer[1].items()
    if kind.oid() != _SIGNED_DATA:
        raise Refused("no signed data")
    signed = _one(content.of(0xA0)).items()
    encapsulated = signed[2].items()
    if encapsulated[0].oid() != _TST_INFO:
        raise Refused("no time-stamp token")
    info = _one(encapsulated[1].of(0xA0)).of(OCTETS)
    signers = signed[-1].items(SET)
    if len(signers) != 1:
        raise Refused(f"{len(signers)} signers")
    embedded = _tagged(signed[3:-1], 0xA0)
    certificates = [x509.load_der_x509_certificate(item.raw) for item in _items(embedded.body)] if embedded else []
    signer = _check_signer(signers[0].items(), info, [*certificates, given])
    time, beyond = _read_info(info, text)
    _check_certificate(signer, given, time)
    return int(time.timestamp()) - -beyond // _SECOND


def _check_signer(fields, info, certificates):
    """The certificate whose key signed the attributes, which name the token's digest and that certificate."""
    identifier, digest_name, attributes = fields[1], _hash_name(fields[2]), fields[3]
    said = {}
    for attribute in _items(attributes.of(0xA0)):
        name, values = attribute.items()
        if name.oid() in said:
            raise Refused("an attribute twice")
        said[name.oid()] = _one(values.of(SET))
    if _CONTENT_TYPE not in said or said[_CONTENT_TYPE].oid() != _TST_INFO:
        raise Refused("the attributes are of other content")
    if _MESSAGE_DIGEST not in said or said[_MESSAGE_DIGEST].of(OCTETS) != hashlib.new(digest_name, info).digest():
        raise Refused("the attributes are of another token")
    signer = next((certificate for certificate in certificates if _is_named(certificate, identifier)), None)
    if signer is None:
        raise Refused("the signer's certificate is not there")
    named = [_names(value, signer, _CERTIFICATE_ID[oid]) for oid, value in said.items() if oid in _CERTIFICATE_ID]
    if not named or not all(named):
        raise Refused("the attributes name another certificate")
    algorithm = fields[4].items()[0].oid()
    if algorithm not in _OF_SIGNATURE:
        raise Refused(f"the signature algorithm {algorithm}")
    name = _OF_SIGNATURE[algorithm] or digest_name
    _check_signature(signer.public_key(), fields[5].of(OCTETS), bytes([SET]) + attributes.raw[1:], name)
    return signer


def _is_named(certificate, identifier):
    """Whether a signer's identifier, issuer and serial number or key identifier, is that of a certificate."""
    if identifier.tag == SEQUENCE:
        issuer, serial = identifier.items()
        return (certificate.issuer.public_bytes(), certificate.serial_number) == (issuer.raw, int.from_bytes(serial.of(INTEGER), "big"))
    try:
        key = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return False
    return key == identifier.of(0x80)


def _names(value, certificate, default_hash):
    """Whether the first ESSCertID or ESSCertIDv2 is that of a certificate."""
    fields = value.items()[0].items()[0].items()
    name = default_hash
    if fields[0].tag == SEQUENCE:
        name = _hash_name(fields.pop(0))
    der = certificate.public_bytes(serialization.Encoding.DER)
    return fields[0].of(OCTETS) == hashlib.new(name, der).digest()


def _check_signature(key, signature, message, name):
    algorithm = {"sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}[name]()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(algorithm))
        else:
            raise Refused("a key that is neither RSA nor ECDSA")
    except InvalidSignature:
        raise Refused("the authority's signature does not verify") from None


def _read_info(info, text):
    """The time of a TSTInfo over this text, in whole seconds, and the nanoseconds beyond it that it may be off: fraction and accuracy."""
    fields = _one(info).items()
    algorithm, imprint = fields[2].items()
    if fields[0].of(INTEGER) != b"\1" or imprint.of(OCTETS) != hashlib.new(_hash_name(algorithm), text).digest():
        raise Refused("the token is of another text")
    stamp = _TIME.fullmatch(fields[4].of(TIME))
    if not stamp:
        raise Refused("the token's time")
    time = datetime.datetime.strptime(stamp[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=datetime.UTC)
    fraction = int((stamp[2] or b".0")[1:].ljust(9, b"0")[:9]) + (len(stamp[2] or b"") > 10)
    accuracy = _accuracy(fields[5].items()) if len(fields) > 5 and fields[5].tag == SEQUENCE else 0
    return time, fraction + accuracy


def _accuracy(parts):
    """Seconds, milliseconds [0] and microseconds [1] (RFC 3161 §2.4.2), in nanoseconds."""
    units = {INTEGER: _SECOND, 0x80: 1_000_000, 0x81: 1_000}
    tags = [part.tag for part in parts]
    if not set(tags) <= units.keys() or tags != sorted(set(tags)):
        raise Refused("the token's accuracy")
    values = [int.from_bytes(part.body, "big", signed=True) for part in parts]
    if any(value < 0 or part.tag != INTEGER and not 1 <= value <= 999 for part, value in zip(parts, values)):
        raise Refused("the token's accuracy")
    return sum(value * units[part.tag] for part, value in zip(parts, values))


def _check_certificate(signer, given, time):
    """The signer is for time stamps only, was valid, and is the given certificate or issued by it."""
    usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    if not usage.critical or list(usage.value) != [x509.ExtendedKeyUsageOID.TIME_STAMPING]:
        raise Refused("the signer's certificate is not for time stamps alone")
    if signer != given:
        if not given.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            raise Refused("the given certificate may not issue others")
        try:
            signer.verify_directly_issued_by(given)
        except InvalidSignature:
            raise Refused("the signer's certificate is not issued by the given one") from None
    for certificate in (signer, given):
        if not certificate.not_valid_before_utc <= time <= certificate.not_valid_after_utc:
            raise Refused("a certificate was not valid at the time")
