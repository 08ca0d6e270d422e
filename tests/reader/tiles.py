"""A directory of tiles as a web server serves it: C2SP tlog-tiles and docs/FORMAT.md §11.8. Everything is computed again from the
records and compared."""

import re
from pathlib import Path

from merkle import append, leaf_of, perfect, root_of
from notes import Checkpoint, Refused, text_of
from record import Invalid, read_frame

WIDTH = 256
_PARTIAL = re.compile(r"(.*)\.p/([1-9][0-9]{0,2})")


def path_of(number, width=WIDTH):
    """Where number N stands: x001/x234/067, and with .p/W when it is not full."""
    parts = [f"{number % 1000:03}"]
    while number := number // 1000:
        parts.insert(0, f"x{number % 1000:03}")
    return "/".join(parts) + ("" if width == WIDTH else f".p/{width}")


def _bundle(data, length_bytes, what):
    """The items behind their lengths."""
    items, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + length_bytes], "big")
        items.append(data[at + length_bytes : at + length_bytes + length])
        at += length_bytes + length
    if at != len(data):
        raise Refused(f"{what}: an item ends too late")
    return items


def _read(directory, name):
    try:
        return directory.joinpath(name).read_bytes()
    except OSError:
        raise Refused(f"{name}: not there") from None


class Tiles:
    """A directory, as served and not yet believed."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.checkpoint = Checkpoint(text_of(_read(self.directory, "checkpoint")))

    def prove(self, policy):
        """The checkpoint, once it is believed and everything beside it leads to its root."""
        proven, size = policy.prove(self.checkpoint), self.checkpoint.size
        entries = self._bundled("tile/entries", size, 2)
        self._check_records(entries)
        hashes, level = [leaf_of(entry) for entry in entries], 0
        frontier = []
        for index, leaf in enumerate(hashes):
            append(frontier, index, leaf)
        if root_of(frontier) != self.checkpoint.root:
            raise Refused("the entries do not lead to the root")
        while hashes:
            self._check_level(level, hashes)
            hashes, level = [perfect(hashes[at : at + WIDTH]) for at in range(0, len(hashes) - WIDTH + 1, WIDTH)], level + 1
        return proven

    def _files(self, folder, count):
        """Each file that must be there, and what it must hold as (name, first, end)."""
        for first in range(0, count, WIDTH):
            end = min(first + WIDTH, count)
            yield f"{folder}/{path_of(first // WIDTH, end - first)}", first, end

    def _bundled(self, folder, size, length_bytes):
        items = []
        for name, first, end in self._files(folder, size):
            found = _bundle(_read(self.directory, name), length_bytes, name)
            if len(found) != end - first:
                raise Refused(f"{name}: {len(found)} items, not {end - first}")
            items += found
        return items

    def _check_records(self, entries):
        for position, frame in enumerate(self._bundled("records", len(entries), 4)):
            try:
                record = read_frame(frame, position)
            except Invalid as invalid:
                raise Refused(f"the record at {position} is not valid: {invalid}") from None
            if record.length != len(frame) or record.hash != entries[position]:
                raise Refused(f"the record at {position} is not the one of its entry")

    def _check_level(self, level, hashes):
        folder = f"tile/{level}"
        for name, first, end in self._files(folder, len(hashes)):
            if _read(self.directory, name) != b"".join(hashes[first:end]):
                raise Refused(f"{name}: other hashes than its records'")
        self._check_older(folder, hashes)

    def _check_older(self, folder, hashes):
        """Partial tiles of earlier checkpoints may stay; what they hold may not differ."""
        whole = b"".join(hashes)
        for path in sorted(self.directory.joinpath(folder).rglob("*")):
            name = path.relative_to(self.directory / folder).as_posix()
            if not path.is_file():
                continue
            partial = _PARTIAL.fullmatch(name)
            digits = (partial[1] if partial else name).replace("/", "").replace("x", "")
            number, width = int(digits) if digits.isascii() and digits.isdigit() else -1, int(partial[2]) if partial else WIDTH
            if number < 0 or width > WIDTH - bool(partial) or path_of(number, width) != name:
                raise Refused(f"{folder}/{name}: no name of a tile")
            start = number * WIDTH * 32
            if path.read_bytes() != whole[start : start + 32 * width]:
                raise Refused(f"{folder}/{name}: other hashes than its records'")
