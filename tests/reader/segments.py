"""The log: `ledger`, `HEAD`, the segments with their batches and seals, and the durable head (docs/FORMAT.md §1, §2, §4).

The ledger must be at rest: reading beside a writer needs the second reading of §4, which is left out here.
"""

import struct
from collections import namedtuple
from pathlib import Path

from checksums import blake3_in, crc32c, crc_end, crc_more, crc_start
from merkle import EMPTY, append, leaf_of, root_of
from record import Invalid, read_frame

PAGE = 4096
VERSION = 1
BATCH_BYTES_MAX = 16 << 20
SEGMENT_BYTES_MAX = 1 << 30
_SEGMENT_FILE_BYTES_MAX = SEGMENT_BYTES_MAX + BATCH_BYTES_MAX

_LEDGER = struct.Struct("<8sII16sHHI")
_SLOT = struct.Struct("<8sII16sQ32sQQQqII")
_SEGMENT = struct.Struct("<8sII16sQ16sQ32sQ32sQqII")
_BATCH = struct.Struct("<4sIQQIIQ32sQQ32sII")
_TRAILER = struct.Struct("<4sIQQQ32sII")
_SEAL = struct.Struct("<4sIQQQ32sI")
_AT = struct.Struct("<QQQ")

Ledger = namedtuple("Ledger", "id origin schema")
Slot = namedtuple("Slot", "number size root segment offset batch recorded_at frontier")
End = namedtuple("End", "segment offset size root batch recorded_at")
Header = namedtuple("Header", "number salt length digest size root batch recorded_at frontier")


class Damaged(Exception):
    """The log cannot be read on from here."""


def read_ledger(directory):
    """Who the ledger is."""
    path = Path(directory, "ledger")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise Damaged("ledger: not there; this is no ledger") from None
    if len(data) < _LEDGER.size + 4 or crc32c(data[:-4]) != int.from_bytes(data[-4:], "little"):
        raise Damaged("ledger: the checksum does not hold")
    magic, version, zero1, ledger_id, origin_length, schema_length, zero2 = _LEDGER.unpack_from(data)
    if (magic, version) != (b"SOVLEDGR", VERSION):
        raise Damaged(f"ledger: magic {magic!r} and version {version} are not those of version 1")
    names = data[_LEDGER.size : -4]
    if zero1 or zero2 or len(names) != origin_length + schema_length or not origin_length or not schema_length:
        raise Damaged("ledger: the lengths or reserved bytes are wrong")
    if max(origin_length, schema_length) > 255:
        raise Damaged("ledger: origin or schema is longer than 255 bytes")
    try:
        origin, schema = names[:origin_length].decode(), names[origin_length:].decode()
    except UnicodeDecodeError:
        raise Damaged("ledger: origin or schema is not UTF-8") from None
    if "+" in origin or any(c.isspace() for c in origin):
        raise Damaged(f"ledger: {origin!r} is no key name")
    return Ledger(ledger_id, origin, schema)


def _frontier(data, at, count, size, root):
    if count != size.bit_count():
        raise Invalid("the frontier's count is not that of the size")
    if any(data[at + 32 * count : at + 2048]):
        raise Invalid("unused places of the frontier are not zero")
    frontier = [bytes(data[i : i + 32]) for i in range(at, at + 32 * count, 32)]
    if root_of(frontier) != root:
        raise Invalid("the frontier's root is another")
    return frontier


def _page(data, magic, ledger):
    """Checks what a slot of HEAD and a segment's header have in common."""
    if len(data) < PAGE or crc32c(data[:4092]) != int.from_bytes(data[4092:PAGE], "little"):
        raise Invalid("the checksum does not hold")
    if data[:8] != magic or int.from_bytes(data[8:12], "little") != VERSION or any(data[12:16]) or data[16:32] != ledger.id:
        raise Invalid("magic, version, reserved bytes or ledger id are wrong")


def read_slot(data, number, ledger):
    """Slot `number` of HEAD."""
    _page(data, b"SOVHEAD1", ledger)
    _, _, _, _, size, root, segment, offset, batch, recorded_at, count, zero = _SLOT.unpack_from(data)
    if zero or any(data[2160:4092]) or offset < PAGE or (batch == 0) != (size == 0):
        raise Invalid("reserved bytes, offset or batch number are wrong")
    return Slot(number, size, root, segment, offset, batch, recorded_at, _frontier(data, 112, count, size, root))


def read_header(data, number, ledger):
    """The header of segment `number`."""
    _page(data, b"SOVSEGM1", ledger)
    _, _, _, _, named, salt, length, digest, size, root, batch, recorded_at, count, zero = _SEGMENT.unpack_from(data)
    if named != number or zero or any(data[2208:4092]) or (batch == 0) != (size == 0):
        raise Invalid("segment number, reserved bytes or batch number are wrong")
    if length > SEGMENT_BYTES_MAX:
        raise Invalid("the segment before it is said to be longer than 1 GiB")
    return Header(number, salt, length, digest, size, root, batch, recorded_at, _frontier(data, 160, count, size, root))


class Sums:
    """The checksums of §2.2 in one segment."""

    def __init__(self, ledger, header):
        self._prefix = crc_more(crc_start(), ledger.id + struct.pack("<Q", header.number) + header.salt)

    def of(self, offset, position, batch, data):
        return crc_end(crc_more(crc_more(self._prefix, _AT.pack(offset, position, batch)), data))


class Log:
    """A whole log, read from its first byte to its last."""

    def __init__(self, directory, ledger, whole=False):
        self.directory, self.ledger, self._whole = Path(directory), ledger, whole
        self.damage, self.notes, self.unreadable = [], [], []
        self.records, self.leaves, self.batch_starts, self.segment_starts = [], [], [], []
        self._ends = {0: []}  # the ends at each size: one, or two where a segment starts
        self._frontier = []
        self._end = End(0, 0, 0, EMPTY, 0, 0)
        self.head = (0, EMPTY)
        try:
            slots = self._read_slots()
            self._judge(self._read_segments(), slots)
        except Damaged as damage:
            self.damage.append(str(damage))
        self.damage += self.unreadable

    def root_at(self, size):
        """The root at the end of a batch; none elsewhere."""
        ends = self._ends.get(size)
        return ends[0].root if ends else None

    def ends_at(self, size):
        """The end of the batch that ends at a size, and the start of the segment that starts there."""
        return self._ends[size]

    def _read_slots(self):
        try:
            data = Path(self.directory, "HEAD").read_bytes()
        except FileNotFoundError:
            raise Damaged("HEAD: not there") from None
        if len(data) != 3 * PAGE:
            raise Damaged(f"HEAD: {len(data)} bytes, not {3 * PAGE}")
        slots = []
        for number in range(3):
            slot = data[number * PAGE : (number + 1) * PAGE]
            if not any(slot):
                continue
            try:
                slots.append(read_slot(slot, number, self.ledger))
            except Invalid as invalid:
                self.notes.append(f"HEAD: slot {number} is not valid: {invalid}")
        if not slots:
            raise Damaged("HEAD: no valid slot")
        return slots

    def _read_segments(self):
        """Reads all segments and gives what the last one's batches and tail prove, as (where, size, root)."""
        names = [entry.name for entry in self.directory.joinpath("log").iterdir()]
        numbers = sorted(int(name) for name in names if name.isascii() and name.isdigit() and str(int(name)) == name)
        if numbers != list(range(len(numbers))) or not numbers:
            raise Damaged(f"log: the segments are {numbers}, not 0, 1, 2 … without gaps")
        length, digest = 0, bytes(32)
        proven = []
        for number in numbers:
            where = f"log/{number}"
            path = self.directory.joinpath("log", str(number))
            if number == numbers[-1] and path.stat().st_size > _SEGMENT_FILE_BYTES_MAX:
                raise Damaged(f"{where}: longer than a segment's file can be")
            data = path.read_bytes()
            try:
                header = read_header(data, number, self.ledger)
            except Invalid as invalid:
                raise Damaged(f"{where}: the header is not valid: {invalid}") from None
            end = self._end
            if (header.length, header.digest) != (length, digest):
                raise Damaged(f"{where}: length or digest of the segment before is another; {self._stopped}")
            if header[5:] != (end.root, end.batch, end.recorded_at, self._frontier) or header.size != end.size:
                raise Damaged(f"{where}: the header does not continue the segment before; {self._stopped}")
            self.segment_starts.append((header.size, number))
            last = number == numbers[-1]
            proven = [(f"{where}, header", header.size, header.root)]
            # A successor names where its predecessor's batches end; what follows is the seal, or of no account (§2.4).
            limit = len(data) if last else self._named_length(number + 1)
            at, sums = self._read_batches(data[:limit], header, proven)
            seal = self._seal(sums, number, at)
            sealed = data[at : at + len(seal)] == seal
            if last:
                if sealed:
                    raise Damaged(f"{where}: sealed, and there is no segment {number + 1}")
                self._read_tail(data, at, sums, proven)
            elif not sealed or len(data) != at + len(seal):
                self.notes.append(f"{where}: not sealed, or longer than its seal: an interrupted rotation")
            length, digest = at, blake3_in("segment v1", data[:at])
        return proven

    def _named_length(self, number):
        """The length of the predecessor that the header of a segment names; the header itself is judged in its turn."""
        with open(self.directory.joinpath("log", str(number)), "rb") as file:
            return int.from_bytes(file.read(64)[56:], "little")

    def _seal(self, sums, number, at):
        end = self._end
        seal = _SEAL.pack(b"SOVS", 0, number, at, end.size, end.root, 0)
        return seal + struct.pack("<I", sums.of(at, end.size, end.batch, seal))

    def _read_batches(self, data, header, proven):
        sums = Sums(self.ledger, header)
        self._stand(End(header.number, PAGE, header.size, header.root, header.batch, header.recorded_at))
        view, at = memoryview(data), PAGE
        self._stopped = ""
        while True:
            try:
                at, evidence = self._read_batch(view, at, sums)
            except Invalid as invalid:
                self._stopped = f"log/{header.number}: no valid batch at {at}: {invalid}"
                return at, sums
            proven.append(evidence)

    def _stand(self, end):
        self._end = end
        self._ends.setdefault(end.size, []).append(end)

    def _read_batch(self, view, at, sums):
        """Reads the batch at an offset by the seven rules of §2.3; gives where it ends and what its header proves."""
        before = self._end
        number, first = before.batch + 1, before.size
        if len(view) - at < _BATCH.size + _TRAILER.size:
            raise Invalid("(3) no room")
        magic, count, batch, position, length, zero1, end_size, root, _, proven_size, proven_root, zero2, crc = _BATCH.unpack_from(view, at)
        if magic != b"SOVB" or zero1 or zero2 or crc != sums.of(at, position, batch, view[at : at + 124]):
            raise Invalid("(1) the header's magic, reserved bytes or checksum")
        if (batch, position) != (number, first):
            raise Invalid("(2) it does not continue the batch before")
        frames_end = at + _BATCH.size + length
        batch_end = frames_end + _TRAILER.size
        if not count or end_size != first + count or batch_end - at > BATCH_BYTES_MAX or batch_end > len(view):
            raise Invalid("(3) count, end size or length")
        records = self._read_records(view[:frames_end], at + _BATCH.size, count, number, first, sums)
        recorded_at = before.recorded_at if first else records[0].recorded_at
        for record in records:
            if record.recorded_at < recorded_at:
                raise Invalid("(5) recorded_at goes back")
            recorded_at = record.recorded_at
        trailer = _TRAILER.unpack_from(view, frames_end)
        crc = sums.of(frames_end, end_size, number, view[frames_end : frames_end + 68])
        if trailer != (b"SOVT", count, number, first, end_size, root, 0, crc):
            raise Invalid("(6) the trailer")
        frontier = self._frontier.copy()
        leaves = [leaf_of(record.hash) for record in records]
        for size, leaf in enumerate(leaves, first):
            append(frontier, size, leaf)
        if root_of(frontier) != root:
            raise Invalid("(7) the root")
        self._frontier = frontier
        self.records += records
        self.leaves += leaves
        self.batch_starts.append(first)
        self._stand(End(before.segment, batch_end, end_size, root, number, recorded_at))
        return batch_end, (f"log/{before.segment}, batch {number}", proven_size, proven_root)

    def _read_records(self, view, at, count, number, first, sums):
        records = []
        for position in range(first, first + count):
            record = read_frame(view[at:], position)
            end = at + record.length
            if int.from_bytes(view[end : end + 4], "little") != sums.of(at, position, number, view[at:end]) or end + 4 > len(view):
                raise Invalid("(4) a record's checksum")
            record.place = (self._end.segment, at, number)
            try:
                record.read()
            except Invalid as invalid:
                self.unreadable.append(f"log/{self._end.segment}: the record at position {position} cannot be read: {invalid}")
            if not self._whole:
                record.metadata = record.payload = None  # not needed any more, and most of the memory
            records.append(record)
            at = end + 4
        if at != len(view):
            raise Invalid("(4) the records' length")
        return records

    def _read_tail(self, data, at, sums, proven):
        tail = data[at:].rstrip(b"\0")
        if not tail:
            return
        where = f"log/{self._end.segment}"
        self.notes.append(f"{where}: {len(tail)} bytes at {at} are a torn tail, unless something proves them; {self._stopped}")
        found = data.find(b"SOVB", at)
        while found >= 0:
            if len(data) - found >= _BATCH.size:
                fields = _BATCH.unpack_from(data, found)
                batch, position, crc = fields[2], fields[3], fields[-1]
                if batch > self._end.batch and crc == sums.of(found, position, batch, data[found : found + 124]):
                    proven.append((f"{where}, header at {found}", fields[9], fields[10]))
            found = data.find(b"SOVB", found + 1)

    def _judge(self, proven, slots):
        """Holds the evidence against the log, and finds the durable head."""
        last = self.segment_starts[-1]
        for slot in slots:
            where = f"HEAD, slot {slot.number}"
            proven.append((where, slot.size, slot.root))
            if slot.segment > last[1] or (slot.size > last[0] if slot.segment < last[1] else slot.size < last[0]):
                self.damage.append(f"{where}: size {slot.size} cannot be in segment {slot.segment}")
            elif self.root_at(slot.size) == slot.root:
                said = End(slot.segment, slot.offset, slot.size, slot.root, slot.batch, slot.recorded_at)
                if said not in self._ends[slot.size]:
                    self.damage.append(f"{where}: it names another place or time than the log")
        for where, size, root in proven:
            at_size = self.root_at(size)
            if at_size is None:
                short = f"the log ends at {self._end.size}; {self._stopped}" if size > self._end.size else "no batch ends there"
                self.damage.append(f"{where}: it proves size {size}, but {short}")
            elif at_size != root:
                self.damage.append(f"{where}: the root it proves at size {size} is not the log's")
        size, root = max((size, root) for _, size, root in proven)
        if self._end.size > size:
            self.notes.append(f"log: the records from {size} to {self._end.size} are whole, but not proven durable")
        self.head = (size, root)
