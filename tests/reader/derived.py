"""What is derived from the log: index runs and snapshots (docs/FORMAT.md §6 and §8)."""

import re
import struct
from collections import namedtuple
from pathlib import Path

from checksums import blake3_in, crc32c
from merkle import perfect, root_of
from record import LEDGER_KINDS

_PAGE, _BODY = 4096, 4092
_ENTRY_BYTES = (4092, 12, 8, 16, 8, 4092, 4, 4, 4, 8, 32, 1)
IDS_FILTER, IDS, ID_FENCES, KEYS, KEY_FENCES, KEYS_FILTER, POSTINGS, OFFSETS, BATCHES, BATCH_FENCES, NODES, OVERFLOW = range(12)
_TOPS_PAGES = 512
_FILTER_BITS = 32_736
_VARIABLE_MAX = 3_756
_MASK = (1 << 64) - 1

_FOOTER = struct.Struct("<8sII16sQQ32sQQQQQQIII3III32s36I")
_SNAPSHOT = struct.Struct("<8sII16sQ32sQ32sH6s")
_RUN_NAME = re.compile(r"(0|[1-9][0-9]*)-([1-9][0-9]*)\.run")
Section = namedtuple("Section", "first pages entries")


class Wrong(Exception):
    """A derived file that must not be used."""


def spread(x):
    """The mixing function of §6.2."""
    x ^= x >> 30
    x = x * 0xBF58476D1CE4E5B9 & _MASK
    x ^= x >> 27
    x = x * 0x94D049BB133111EB & _MASK
    return x ^ x >> 31


def fingerprint(data, of_key):
    """The fingerprint of an id or a key."""
    a, b = struct.unpack("<QQ", data)
    return spread(spread(a ^ (2 if of_key else 1)) ^ b)


def filter_pages(fingerprints):
    """The bodies of the filter over them."""
    count = -(-12 * len(fingerprints) // _FILTER_BITS)
    bodies = [bytearray(_BODY) for _ in range(count)]
    for value in fingerprints:
        body = bodies[value * count >> 64]
        mixed = spread(value)
        place, step = mixed & 0xFFFFFFFF, mixed >> 32 | 1
        for _ in range(8):
            bit = place * _FILTER_BITS >> 32
            body[bit >> 3] |= 1 << (bit & 7)
            place = place + step & 0xFFFFFFFF
    return [bytes(body) for body in bodies]


def keys_of(records):
    """Each record's keys: its tags' keys and those that the engine derives (§6.1)."""
    gathered, keys = {}, []
    for record in records:
        own = set(record.tags)
        if record.kind >= LEDGER_KINDS:
            own.add(b"\0ledger records\0")
        if record.target is None:
            gathered[record.id] = own
        else:
            seen = gathered.setdefault(record.target, set())
            seen |= own
            own = seen | {record.target}
        keys.append(own)
    return keys


def check_index(directory, ledger, log, disagreements, notes):
    """Checks every run of `index/`."""
    folder = Path(directory, "index")
    keys = keys_of(log.records)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.endswith(".tmp"):
            continue
        if not _RUN_NAME.fullmatch(path.name):
            notes.append(f"index/{path.name}: not a run's name")
            continue
        try:
            run = Run(path, ledger, log, keys)
            if run.end > len(log.records):
                notes.append(f"index/{path.name}: stale: it is of a longer log")
            else:
                run.check()
        except (Wrong, struct.error) as wrong:
            disagreements.append(f"index/{path.name}: {wrong}")


class Run:
    """One run, compared with what the log gives for its range."""

    def __init__(self, path, ledger, log, keys):
        self._ledger, self._log, self._keys = ledger, log, keys
        self.first, self.end = map(int, _RUN_NAME.fullmatch(path.name).groups())
        data = path.read_bytes()
        if not data or len(data) % _PAGE:
            raise Wrong("not a whole number of pages")
        self.pages = [data[at : at + _PAGE] for at in range(0, len(data), _PAGE)]
        self._footer()
        for number in range(len(self.pages)):
            self._check_page(number)

    def _check_page(self, number):
        page, last = self.pages[number], number == len(self.pages) - 1
        bound = self._ledger.id + struct.pack("<QQ", self.first, self.end) + (b"" if last else self.root) + struct.pack("<I", number)
        if crc32c(bound, page[:_BODY]) != int.from_bytes(page[_BODY:], "little"):
            raise Wrong(f"the checksum of page {number} does not hold")

    def _footer(self):
        last = len(self.pages) - 1
        self._check_page(last)
        page = self.pages[last]
        fields = iter(_FOOTER.unpack_from(page))
        head = [next(fields) for _ in range(7)]
        self.root = head[6]
        if head[:6] != [b"SOVINDX1", 1, 0, self._ledger.id, self.first, self.end]:
            raise Wrong("magic, version, ledger id or range are wrong")
        self.after = tuple(next(fields) for _ in range(3))
        self.first_batch, self.least, self.greatest, self.other_ids, frontiers, segments = (next(fields) for _ in range(6))
        self.tops = [next(fields) for _ in range(3)]
        length, zero, self.root_first = (next(fields) for _ in range(3))
        self.sections = [Section(next(fields), next(fields), next(fields)) for _ in range(12)]
        at = 0
        for number, (section, entry) in enumerate(zip(self.sections, _ENTRY_BYTES)):
            if section.pages != -(-section.entries // (_BODY // entry)) or (section.pages and section.first != at):
                raise Wrong(f"section {number} is not where or as long as it must be")
            at += section.pages
        if zero or at != last or length != 32 * frontiers + 12 * segments + 8 * sum(self.tops):
            raise Wrong("the sections do not fill the file, or the variable part has another length")
        inline = length <= _VARIABLE_MAX
        if self.sections[OVERFLOW].entries != (0 if inline else length):
            raise Wrong("the overflow is not as long as the variable part")
        variable = page[336 : 336 + length] if inline else b"".join(self.entries(OVERFLOW))
        if any(page[336 + (length if inline else 0) : _BODY]):
            raise Wrong("the last page does not end in zeros")
        self.frontier = [variable[i : i + 32] for i in range(0, 32 * frontiers, 32)]
        at = 32 * frontiers
        self.segments = [struct.unpack_from("<IQ", variable, i) for i in range(at, at + 12 * segments, 12)]
        self.variable_tops = struct.unpack_from(f"<{sum(self.tops)}Q", variable, at + 12 * segments)

    def entries(self, number):
        """The entries of a section; what is behind the last one of a page must be zero."""
        section, size = self.sections[number], _ENTRY_BYTES[number]
        found, left, each = [], section.entries, _BODY // size
        for page in self.pages[section.first : section.first + section.pages]:
            here = min(left, each)
            if any(page[here * size : _BODY]):
                raise Wrong(f"a page of section {number} does not end in zeros")
            found += [page[i : i + size] for i in range(0, here * size, size)]
            left -= here
        return found

    def check(self):
        """Compares every section with the log."""
        log, first, end = self._log, self.first, self.end
        if log.root_at(end) != self.root or log.root_at(first) != self.root_first or root_of(self.frontier) != self.root:
            raise Wrong("root or frontier are not those of the log")
        if len(self.frontier) != end.bit_count():
            raise Wrong("the frontier has another length")
        records = log.records[first:end]
        self._check_places(records)
        self._check_batches()
        ids = sorted((fingerprint(record.id, False), position) for position, record in enumerate(records))
        self._expect(IDS, [struct.pack("<QI", *entry) for entry in ids])
        self._expect(IDS_FILTER, filter_pages([entry[0] for entry in ids]))
        keys = self._check_keys(first, end)
        self._check_fences([(IDS, ID_FENCES, [i[0] for i in ids]), (KEYS, KEY_FENCES, keys), (BATCHES, BATCH_FENCES, self.batches)])
        nodes = []
        for level in range(8, end.bit_length(), 8):
            span = 1 << level
            nodes += [perfect(log.leaves[i - span : i]) for i in range((first // span + 1) * span, end + 1, span)]
        self._expect(NODES, nodes)
        times = [int.from_bytes(record.id[:6]) for record in records if record.id[6] >> 4 == 7]
        if (self.least, self.greatest) != ((min(times), max(times)) if times else (_MASK, 0)):
            raise Wrong("the times of version 7 ids are others")
        if self.other_ids != int(len(times) < len(records)):
            raise Wrong("whether there are other ids is wrong")

    def _expect(self, number, entries):
        if self.entries(number) != entries:
            raise Wrong(f"section {number} is not what the log gives")

    def _check_places(self, records):
        self._expect(OFFSETS, [struct.pack("<I", record.place[1]) for record in records])
        segments = []
        for position, record in enumerate(records):
            if not segments or segments[-1][1] != record.place[0]:
                segments.append((position, record.place[0]))
        if self.segments != segments:
            raise Wrong("the segments are others")

    def _check_batches(self):
        log = self._log
        self.batches = [start - self.first for start in log.batch_starts if self.first <= start < self.end]
        self._expect(BATCHES, [struct.pack("<I", start) for start in self.batches])
        ends = [(end.segment, end.offset, end.batch + 1) for end in log.ends_at(self.end)]
        if self.after not in ends or self.first_batch != log.ends_at(self.first)[0].batch + 1:
            raise Wrong("the first batch, or the one after, is another")

    def _check_keys(self, first, end):
        keys = {}
        for position in range(first, end):
            for key in {fingerprint(key, True) for key in self._keys[position]}:
                keys.setdefault(key, []).append(position - first)
        entries, postings = [], []
        for key, positions in sorted(keys.items()):
            entries.append(struct.pack("<QII", key, len(positions), positions[0] if len(positions) == 1 else len(postings)))
            if len(positions) > 1:
                postings += positions
        self._expect(KEYS, entries)
        self._expect(POSTINGS, [struct.pack("<I", posting) for posting in postings])
        self._expect(KEYS_FILTER, filter_pages(list(keys)))
        return sorted(keys)

    def _check_fences(self, sections):
        """Every section's fences, in its own fence section or among the tops."""
        expected_tops, counts = [], []
        for number, fence_number, firsts in sections:
            fences = firsts[:: _BODY // _ENTRY_BYTES[number]]
            large = len(fences) > _TOPS_PAGES
            self._expect(fence_number, [struct.pack("<Q", fence) for fence in fences] if large else [])
            tops = fences[:: _BODY // 8] if large else fences
            expected_tops += tops
            counts.append(len(tops))
        if list(self.variable_tops) != expected_tops or self.tops != counts:
            raise Wrong("the tops are others")


def check_snapshots(directory, ledger, log, disagreements, notes):
    """Checks every file of `snapshots/`."""
    folder = Path(directory, "snapshots")
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.endswith(".tmp"):
            continue
        try:
            stale = _check_snapshot(path.name, path.read_bytes(), ledger, log)
            if stale:
                notes.append(f"snapshots/{path.name}: stale: it is {stale}")
        except Wrong as wrong:
            disagreements.append(f"snapshots/{path.name}: {wrong}")


def _check_snapshot(name, data, ledger, log):
    """Gives why a sound snapshot is of no use, if so."""
    if len(data) < _SNAPSHOT.size:
        raise Wrong("too short")
    magic, version, _, ledger_id, size, root, length, digest, name_length, reserved = _SNAPSHOT.unpack_from(data)
    end = _SNAPSHOT.size + name_length
    if (magic, version) != (b"SOVSNAP1", 1) or any(reserved) or len(data) != end + 32 + length:
        raise Wrong("magic, version, reserved bytes or length are wrong")
    if blake3_in("snapshot v1", data[:end]) != data[end : end + 32] or blake3_in("state v1", data[end + 32 :]) != digest:
        raise Wrong("a digest does not hold")
    projection = data[_SNAPSHOT.size : end].decode("latin-1")
    if not re.fullmatch(r"[a-z0-9_-]{1,64}", projection) or projection != name:
        raise Wrong("the projection's name is none, or not the file's")
    if ledger_id != ledger.id:
        return "of another ledger"
    if size > len(log.records):
        return "of a longer log"
    if log.root_at(size) != root:
        raise Wrong(f"its root at size {size} is not the log's")
    return None
