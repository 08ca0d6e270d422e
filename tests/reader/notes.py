"""Verifier keys, signed notes, checkpoints and cosignatures: C2SP signed-note, tlog-checkpoint and tlog-cosignature, as strict as
docs/FORMAT.md §11.1 and §11.2."""

import base64
import binascii
import re
from collections import namedtuple
from hashlib import sha256

import ed25519
from merkle import EMPTY

FILE_BYTES_MAX = 2 << 20
NOTE_BYTES_MAX = 512 << 10
SIGNATURE_LINES_MAX = 64
NAME_BYTES_MAX = 255
NUMBER_MAX = (1 << 63) - 1
SIGNS, COSIGNS = 1, 4  # the kinds of keys
_SIGNATURE_BYTES = {SIGNS: 64, COSIGNS: 72}
_NUMBER = re.compile("0|[1-9][0-9]*", re.ASCII)
_HEX = re.compile("[0-9a-f]{8}", re.ASCII)


class Refused(Exception):
    """What is shown is malformed or false; the text says which rule it breaks."""


def text_of(data, limit=FILE_BYTES_MAX):
    """The text of a file of §11."""
    if len(data) > limit:
        raise Refused(f"{len(data)} bytes are more than {limit}")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(f"not UTF-8 at byte {error.start}") from None
    if not text.endswith("\n"):
        raise Refused("the last line has no end")
    if any(c < " " and c != "\n" for c in text):
        raise Refused("a control character")
    return text


def from_base64(text):
    """The bytes that a canonical base64 text stands for."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise Refused(f"no base64: {text[:80]!r}") from None
    if base64.b64encode(data).decode() != text:
        raise Refused(f"base64 that nobody would have written: {text[:80]!r}")
    return data


def hash_of(text):
    """A hash in base64."""
    data = from_base64(text)
    if len(data) != 32:
        raise Refused(f"a hash of {len(data)} bytes")
    return data


def number_of(text):
    """A number in decimal digits."""
    if not _NUMBER.fullmatch(text) or len(text) > 19 or int(text) > NUMBER_MAX:
        raise Refused(f"no number: {text[:80]!r}")
    return int(text)


def check_name(name):
    """A key name of at most 255 bytes."""
    if not name or "+" in name or any(c.isspace() or c < " " or "\x7f" <= c <= "\x9f" for c in name):
        raise Refused(f"no key name: {name[:80]!r}")
    if len(name.encode()) > NAME_BYTES_MAX:
        raise Refused(f"a key name of {len(name.encode())} bytes")


class Key(namedtuple("Key", "name id kind public")):
    """A public key that is known. Two are the same key when the 32 bytes are, whatever they are called."""

    @classmethod
    def of(cls, name, kind, public):
        """The key with its id."""
        check_name(name)
        return cls(name, sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4], kind, public)

    @classmethod
    def parse(cls, text):
        """The key that a vkey names."""
        parts = text.split("+", 2)
        if len(parts) != 3 or not _HEX.fullmatch(parts[1]):
            raise Refused(f"no vkey: {text[:120]!r}")
        data = from_base64(parts[2])
        if len(data) != 33 or data[0] not in _SIGNATURE_BYTES:
            raise Refused(f"a key of {len(data)} bytes and kind {data[:1].hex()}: neither 0x01 nor 0x04 with 32 bytes")
        key = cls.of(parts[0], data[0], data[1:])
        if key.id.hex() != parts[1]:
            raise Refused(f"the id {parts[1]} is not that of the key, {key.id.hex()}")
        if not ed25519.is_key(key.public):
            raise Refused("the key is no point, not canonical, or of small order")
        return key

    def __str__(self):
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    def time_of(self, text, signature):
        """The time of a valid cosignature, none for a valid signature; refuses all others."""
        if len(signature) != _SIGNATURE_BYTES[self.kind]:
            raise Refused(f"a signature of {len(signature)} bytes by {self.name}")
        message, time = text.encode(), None
        if self.kind == COSIGNS:
            time = int.from_bytes(signature[:8], "big")
            if time > NUMBER_MAX:
                raise Refused(f"the time {time} of {self.name}")
            message, signature = b"cosignature/v1\ntime %d\n" % time + message, signature[8:]
        if not ed25519.verifies(self.public, message, signature):
            raise Refused(f"the signature of {self.name} does not verify")
        return time


Line = namedtuple("Line", "name id signature")


class Note:
    """A text and its signature lines."""

    def __init__(self, text):
        if len(text.encode()) > NOTE_BYTES_MAX:
            raise Refused(f"a note of more than {NOTE_BYTES_MAX} bytes")
        end = text.rfind("\n\n")
        if end < 0 or not text.endswith("\n"):
            raise Refused("no empty line between a text and its signatures")
        self.text, lines = text[: end + 1], text[end + 2 : -1].split("\n")
        if len(lines) > SIGNATURE_LINES_MAX:
            raise Refused(f"{len(lines)} signature lines")
        self.lines = [self._line(line) for line in lines]

    @staticmethod
    def _line(line):
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "—":
            raise Refused(f"no signature line: {line[:80]!r}")
        if not parts[1] or "+" in parts[1] or any(map(str.isspace, parts[1])):
            raise Refused(f"no name in a signature line: {parts[1][:80]!r}")
        data = from_base64(parts[2])
        if len(data) < 5:
            raise Refused(f"a signature line of {len(data)} bytes")
        return Line(parts[1], data[:4], data[4:])

    def signers(self, known):
        """The known keys that signed, each once, with the times of its cosignatures in ascending order; and how many lines are of
        nobody known. A line of a known key that fails refuses all."""
        signed, ignored = {}, 0
        for line in self.lines:
            keys = [key for key in known if (key.name, key.id) == line[:2]]
            for key in keys:
                time = key.time_of(self.text, line.signature)
                signed[key] = sorted([*signed.get(key, ()), *([] if time is None else [time])])
            ignored += not keys
        if not signed:
            raise Refused("no line is of a key that is known")
        return signed, ignored


class Checkpoint:
    """A note of exactly three lines: origin, size, root."""

    def __init__(self, text):
        self.note = Note(text)
        lines = self.note.text.split("\n")
        if len(lines) != 4 or not lines[0]:
            raise Refused("a checkpoint has three lines: origin, size, root")
        self.origin, self.size, self.root = lines[0], number_of(lines[1]), hash_of(lines[2])
        if not self.size and self.root != EMPTY:
            raise Refused("the root at size 0 is not that of nothing")
