"""Writes logs by docs/FORMAT.md alone: other batches, many segments, interrupted rotations, and batches that break one rule while
every checksum holds. What it writes is laid before the code and before the reader; both must say the same of it."""

import struct
from pathlib import Path

from checksums import blake3_in, crc32c
from merkle import append, leaf_of, root_of
from record import PRIVATE
from segments import PAGE, Sums

_HASHED = struct.Struct("<HHIQqiI16s32s32s16x")


def hash_of(frame, position):
    """A frame's record hash, whether or not the frame is valid."""
    body_length, kind, version, flags, occurred_on, recorded_at, record_id = struct.unpack_from("<IHHIiq16s", frame)
    body, section = frame[40 : 40 + body_length], frame[40 + body_length :]
    private_root = blake3_in("private root v1", section) if flags & PRIVATE else bytes(32)
    digest = blake3_in("body v1", body + bytes(-len(body) % 64))
    return blake3_in("record v1", _HASHED.pack(kind, version, flags, position, recorded_at, occurred_on, body_length, record_id, digest,
                                               private_root))


class Header:
    """As much of a segment's header as its checksums need."""

    def __init__(self, number, salt):
        self.number, self.salt = number, salt


class Forge:
    """A log in the making."""

    def __init__(self, ledger, seed=b"forged"):
        self.ledger, self._seed = ledger, seed
        self.segments, self.slots = [], [bytes(PAGE)] * 3
        self.size, self.batch, self.recorded_at, self.frontier = 0, 0, 0, []
        self._open(0, bytes(32))

    def _page(self, head, frontier_at):
        page = (head + b"".join(self.frontier)).ljust(4092, b"\0")
        assert len(head) == frontier_at
        return page + struct.pack("<I", crc32c(page))

    def _open(self, length, digest):
        number = len(self.segments)
        salt = blake3_in("forged salt", self._seed + bytes([number & 255, number >> 8]))[:16]
        self.sums = Sums(self.ledger, Header(number, salt))
        self.segments.append(bytearray(self._page(
            struct.pack("<8sII16sQ16sQ32sQ32sQqII", b"SOVSEGM1", 1, 0, self.ledger.id, number, salt, length, digest, self.size,
                        root_of(self.frontier), self.batch, self.recorded_at, len(self.frontier), 0), 160)))
        self.proven = (PAGE, self.size, root_of(self.frontier))

    def seal(self):
        """Ends the last segment with its seal."""
        segment = self.segments[-1]
        at = len(segment)
        seal = struct.pack("<4sIQQQ32sI", b"SOVS", 0, len(self.segments) - 1, at, self.size, root_of(self.frontier), 0)
        segment += seal + struct.pack("<I", self.sums.of(at, self.size, self.batch, seal))

    def rotate(self, sealed=True):
        """Goes on in a new segment."""
        segment = bytes(self.segments[-1])
        if sealed:
            self.seal()
        self._open(len(segment), blake3_in("segment v1", segment))

    def add(self, frames, **wrong):
        """A batch of these frames. `wrong` gives fields another value: count, batch, position, length, end, root, proven, zero,
        trailer_zero, or `after`, bytes between the last record and the trailer."""
        segment, at = self.segments[-1], len(self.segments[-1])
        first, number, count = self.size, self.batch + 1, wrong.get("count", len(frames))
        for position, frame in enumerate(frames, first):
            append(self.frontier, position, leaf_of(hash_of(frame, position)))
            self.recorded_at = struct.unpack_from("<q", frame, 16)[0]
        self.size, self.batch = first + len(frames), number
        number, position = wrong.get("batch", number), wrong.get("position", first)
        end, root = wrong.get("end", self.size), wrong.get("root", root_of(self.frontier))
        records = b""
        for i, frame in enumerate(frames):
            crc = self.sums.of(at + 128 + len(records), position + i, number, frame)
            records += frame + struct.pack("<I", crc)
        records += wrong.get("after", b"")
        header = struct.pack("<4sIQQIIQ32sQQ32sI", b"SOVB", count, number, position, wrong.get("length", len(records)),
                             wrong.get("zero", 0), end, root, *wrong.get("proven", self.proven), wrong.get("zero2", 0))
        segment += header + struct.pack("<I", self.sums.of(at, position, number, header)) + records
        trailer_at = len(segment)
        trailer = struct.pack("<4sIQQQ32sI", b"SOVT", count, number, position, end, wrong.get("trailer_root", root),
                              wrong.get("trailer_zero", 0))
        segment += trailer + struct.pack("<I", self.sums.of(trailer_at, end, number, trailer))
        self.proven = (len(segment), self.size, root_of(self.frontier))

    def head(self, slot=0, **wrong):
        """Writes a slot of HEAD that names the end of what there is."""
        self.slots[slot] = self._page(
            struct.pack("<8sII16sQ32sQQQqII", b"SOVHEAD1", 1, 0, self.ledger.id, self.size, root_of(self.frontier),
                        wrong.get("segment", len(self.segments) - 1), wrong.get("offset", len(self.segments[-1])),
                        wrong.get("batch", self.batch), wrong.get("recorded_at", self.recorded_at), len(self.frontier), 0), 112)

    def write(self, directory):
        """Replaces the log of a ledger directory."""
        directory = Path(directory)
        directory.joinpath("HEAD").write_bytes(b"".join(self.slots))
        for path in directory.joinpath("log").iterdir():
            path.unlink()
        for number, segment in enumerate(self.segments):
            directory.joinpath("log", str(number)).write_bytes(segment)
