"""A record's frame: what makes it valid, and its hash (docs/FORMAT.md §3 and §5)."""

import struct
import unicodedata

from checksums import blake3_in

PRIVATE, REPLACES, RETRACTS = 1, 2, 4
FRAME_BYTES_MAX = 1 << 20
TAGS_MAX = 32
PERSONAL_FIELDS_MAX = 32
ACTOR_BYTES_MAX = 128
LEDGER_KINDS = 0xFF00
SUBJECT_ERASED = 0xFF00
TIME_ANCHORED = 0xFF03

_FRAME = struct.Struct("<IHHIiq16s")
_HASHED = struct.Struct("<HHIQqiI16s32s32s16x")
_NO_PRIVATE_ROOT = bytes(32)
_DAYS = range(-719_162, 2_932_897)  # 0001-01-01 to 9999-12-31
_INSTANTS = range(-62_135_596_800_000_000, 253_402_300_800_000_000)  # the same in microseconds


class Invalid(Exception):
    """Bytes that break a rule of the format; the text names the rule."""


class Decoder:
    """Reads values in the encoding of §5."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if count > len(self.data) - self.at:
            raise Invalid("a value ends too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, width):
        return int.from_bytes(self.take(width), "little")

    def text(self):
        try:
            return self.take(self.number(8)).decode()
        except UnicodeDecodeError:
            raise Invalid("a text is not UTF-8") from None

    def option(self, read):
        some = self.number(1)
        if some > 1:
            raise Invalid("an option is neither 0 nor 1")
        return read() if some else None

    def end(self):
        if self.at != len(self.data):
            raise Invalid("bytes follow a value")


_LEDGER_PAYLOADS = {  # of records of the ledger itself, by kind
    SUBJECT_ERASED: (lambda p: p.take(16), Decoder.text),
    0xFF01: (lambda p: p.take(16), lambda p: p.number(2), Decoder.text, Decoder.text),
    0xFF02: (lambda p: p.option(p.text), Decoder.text),
    TIME_ANCHORED: (Decoder.text, Decoder.text, Decoder.text),
    0xFF04: (lambda p: p.take(32), Decoder.text),
}


class Record:
    """A valid frame. What its metadata says is known once they are read: they are no part of a frame's validity."""

    __slots__ = ("kind", "version", "flags", "occurred_on", "recorded_at", "id", "tags", "target", "metadata", "payload", "private",
                 "length", "place", "hash", "erased_handle")

    def read(self):
        """Reads the metadata, and the payload of a record of the ledger itself."""
        self.target, self.erased_handle = None, None
        metadata = Decoder(self.metadata)
        metadata.option(lambda: metadata.take(16))
        self.target = metadata.option(lambda: metadata.take(16))
        metadata.option(lambda: _read_override(metadata))
        actor = metadata.text()
        metadata.option(metadata.text)
        metadata.option(metadata.text)
        metadata.end()
        if (self.target is not None) != bool(self.flags & (REPLACES | RETRACTS)):
            raise Invalid("target and flags disagree")
        if not actor.strip() or len(actor.encode()) > ACTOR_BYTES_MAX or any(unicodedata.category(c) == "Cc" for c in actor):
            raise Invalid("an actor's name")
        if self.occurred_on not in _DAYS or self.recorded_at not in _INSTANTS:
            raise Invalid("a time outside the calendar")
        if self.kind >= LEDGER_KINDS:
            if self.version != 1 or self.kind not in _LEDGER_PAYLOADS:
                raise Invalid(f"a record of the ledger itself of unknown kind {self.kind:#x}")
            payload = Decoder(self.payload)
            fields = [read(payload) for read in _LEDGER_PAYLOADS[self.kind]]
            payload.end()
            if self.kind == SUBJECT_ERASED:
                self.erased_handle = fields[0]


def time_anchor(record):
    """What a `time_anchored` record says: `checkpoint` or `value`, the text, and where it comes from."""
    payload = Decoder(record.payload)
    said = payload.text(), payload.text(), payload.text()
    payload.end()
    return said


def read_frame(data, position):
    """The record whose frame `data` starts with; the frame's length is in it."""
    if len(data) < _FRAME.size:
        raise Invalid("no room for a frame")
    record = Record()
    body_length, record.kind, record.version, record.flags, record.occurred_on, record.recorded_at, record.id = _FRAME.unpack_from(data)
    flags = record.flags
    if flags & ~7 or flags & 6 == 6:
        raise Invalid(f"flags {flags:#x}")
    end = _FRAME.size + body_length
    if end > min(len(data), FRAME_BYTES_MAX):
        raise Invalid("the body is longer than its place")
    body = bytes(data[_FRAME.size : end])
    _read_body(record, body)
    private_root = _NO_PRIVATE_ROOT
    record.private = ()
    if flags & PRIVATE:
        section, record.private = _read_private(data, end)
        end += len(section)
        private_root = blake3_in("private root v1", section)
    if end > FRAME_BYTES_MAX:
        raise Invalid("the frame is larger than 1 MiB")
    record.length = end
    digest = blake3_in("body v1", body + bytes(-len(body) % 64))
    record.hash = blake3_in(
        "record v1",
        _HASHED.pack(record.kind, record.version, flags, position, record.recorded_at, record.occurred_on, body_length, record.id,
                     digest, private_root))
    return record


def _read_body(record, body):
    if len(body) < 3:
        raise Invalid("no room for a body")
    metadata_end = 3 + int.from_bytes(body[:2], "little")
    tags_end = metadata_end + 16 * body[2]
    if body[2] > TAGS_MAX or tags_end > len(body):
        raise Invalid("metadata and tags are longer than the body")
    record.metadata = body[3:metadata_end]
    record.tags = [body[at : at + 16] for at in range(metadata_end, tags_end, 16)]
    if any(a >= b for a, b in zip(record.tags, record.tags[1:])):
        raise Invalid("tags do not ascend")
    record.payload = body[tags_end:]


def _read_override(metadata):
    for _ in range(metadata.number(8)):
        metadata.number(2)
    metadata.text()


def _read_private(data, at):
    count = int.from_bytes(data[at : at + 2], "little")
    section = bytes(data[at : at + 2 + 34 * count])
    if not 1 <= count <= PERSONAL_FIELDS_MAX or len(section) != 2 + 34 * count:
        raise Invalid("the commitments' count")
    fields = [(int.from_bytes(section[i : i + 2], "little"), section[i + 2 : i + 34]) for i in range(2, len(section), 34)]
    if any(a >= b for (a, _), (b, _) in zip(fields, fields[1:])):
        raise Invalid("personal fields do not ascend")
    return section, fields
