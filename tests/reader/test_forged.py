"""Logs written by docs/FORMAT.md alone, with every checksum right, laid before the code and the reader: both must say the same.

    SOVANG=target/release/sovang /tmp/reader/bin/python -m unittest discover tests/reader

A state that a crash may leave must be read (0), one that no crash leaves must be refused (3).
"""

import json
import random
import struct
import tempfile
import unittest
from pathlib import Path

import ledgers
from forge import Forge
from record import PRIVATE, REPLACES, RETRACTS
from segments import PAGE, read_ledger
from sovang_reader import Reading

_HEAD = struct.Struct("<IHHIiq16s")
_TARGET = bytes(range(16))


def text(said):
    return struct.pack("<Q", len(said)) + said


def metadata(causation=b"\0", target=b"\0", override=b"\0", actor=text(b"clerk"), source=b"\0", correlation=b"\0"):
    return causation + target + override + actor + source + correlation


def frame(payload=b"payload", tags=(bytes(16), b"t" * 16), about=metadata(), fields=(), count=None, **head):
    """A frame; `fields` are the numbers of its personal fields."""
    body = struct.pack("<HB", len(about), len(tags)) + about + b"".join(tags) + payload
    flags = head.get("flags", PRIVATE if fields or count is not None else 0)
    private = b"".join(struct.pack("<H32s", number, bytes([number & 255]) * 32) for number in fields)
    private = struct.pack("<H", len(fields) if count is None else count) + private if flags & PRIVATE else b""
    return _HEAD.pack(len(body), head.get("kind", 3), head.get("version", 1), flags, 19_754, head.get("recorded_at", 1_700_000_000_000_000),
                      head.get("id", b"i" * 16)) + body + private


def batch_field(**wrong):
    """A batch with a field that is not what it must be, between two good ones."""

    def build(forge):
        forge.add([frame()])
        forge.head()
        forge.add([frame(), frame()], **wrong)
        forge.add([frame()])

    return build


class Forged(unittest.TestCase):
    """Every log is written into a ledger that the code created."""

    @classmethod
    def setUpClass(cls):
        cls.root = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))

    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(dir=self.root), "ledger")
        ledgers.create(self.directory)
        for path in sorted(self.directory.glob("vault/*")):
            path.unlink()
        self.directory.joinpath("vault").rmdir()
        self.ledger = read_ledger(self.directory)

    def judge(self, forge, code, size=None, notes=None):
        """Both verdicts must be `code`, and a sound log of `size` for both."""
        forge.write(self.directory)
        exit_code, said = ledgers.sovang("verify", self.directory, "--json")
        reading = Reading(self.directory)
        self.assertEqual((exit_code, reading.exit_code), (code, code), (said, reading.damage))
        if size is not None:
            verified = json.loads(said)
            said = reading.as_json()
            self.assertEqual((verified["size"], verified["root"]), (said["size"], said["root"]))
            self.assertEqual(said["size"], size)
        if notes is not None:
            self.assertEqual([note for note in reading.notes if "vault" not in note] != [], notes, reading.notes)

    def frames(self, count):
        return [frame(payload=b"x" * (i % 90), id=struct.pack(">QQ", 7, i), fields=(1, 2) if i % 4 == 0 else ()) for i in range(count)]

    def test_however_records_lie_in_batches_and_segments_the_root_is_one(self):
        frames, roots, chance = self.frames(300), set(), random.Random(6)
        for _ in range(4):
            forge, at = Forge(self.ledger, chance.randbytes(8)), 0
            while at < len(frames):
                step = chance.choice([1, 1, 2, 5, 60])
                forge.add(frames[at : at + step])
                at += step
                if chance.random() < 0.2:
                    forge.rotate()
            forge.head()
            self.judge(forge, 0, 300, notes=False)
            roots.add(Reading(self.directory).log.head)
        self.assertEqual(len(roots), 1)

    def test_what_a_crash_may_leave_is_read(self):
        frames = self.frames(9)

        def empty(forge):
            forge.head()

        def slot_of_the_segment_before(forge):
            forge.add(frames[:5])
            forge.head()
            forge.rotate()

        def unsealed(forge):
            forge.add(frames[:5])
            forge.rotate(sealed=False)
            forge.head(1)

        def unsealed_long_ago(forge):
            unsealed(forge)
            forge.add(frames[5:7])
            forge.rotate()
            forge.head()

        def longer_than_its_seal(forge):
            slot_of_the_segment_before(forge)
            forge.segments[0] += bytes(90) + b"old"

        def half_a_seal(forge):
            forge.add(frames[:5])
            end = len(forge.segments[0])
            forge.rotate()
            forge.head()
            del forge.segments[0][end + 30 :]

        def batch_behind_the_length(forge):
            forge.add(frames[:5])
            forge.rotate(sealed=False)
            forge.head()
            other = Forge(self.ledger)
            other.add(frames[:5])
            other.add(frames[5:6])
            forge.segments[0] = other.segments[0]

        def torn_trailer(forge):
            forge.add(frames[:5])
            forge.head()
            forge.add(frames[5:6])
            forge.segments[0][-1] ^= 1

        def space_behind(forge):
            forge.add(frames[:5])
            forge.head()
            forge.segments[0] += bytes(3 * PAGE)

        def one_slot_torn(forge):
            forge.add(frames[:5])
            forge.head(0)
            forge.head(1)
            forge.slots[0] = forge.slots[0][:512] + bytes(PAGE - 512)

        states = [(empty, 0, False), (slot_of_the_segment_before, 5, False), (unsealed, 5, True), (unsealed_long_ago, 7, True),
                  (longer_than_its_seal, 5, True), (half_a_seal, 5, True), (batch_behind_the_length, 5, True), (torn_trailer, 5, True),
                  (space_behind, 5, False), (one_slot_torn, 5, True)]
        for build, size, notes in states:
            with self.subTest(build.__name__):
                forge = Forge(self.ledger)
                build(forge)
                self.judge(forge, 0, size, notes)

    def test_what_no_crash_leaves_is_refused(self):
        frames = self.frames(9)

        def start(forge):
            forge.add(frames[:5])
            forge.head()

        def sealed_without_successor(forge):
            start(forge)
            forge.seal()

        def a_slot_above_the_end(forge):
            start(forge)
            del forge.segments[0][-1]

        def proven_by_the_next_header(forge):
            start(forge)
            forge.add(frames[5:6])
            end = len(forge.segments[0])
            forge.add(frames[6:7])
            forge.segments[0][end - 1] ^= 1

        def proven_behind_a_lost_header(forge):
            start(forge)
            at = len(forge.segments[0])
            forge.add(frames[5:6])
            forge.add(frames[6:7])
            forge.segments[0][at + 3] ^= 1
            del forge.segments[0][-1]

        def no_slot(forge):
            start(forge)
            forge.slots[0] = forge.slots[0][:512] + bytes(PAGE - 512)

        def slot_with(**wrong):
            def build(forge):
                start(forge)
                forge.head(1, **wrong)

            return build

        def proven(size, root):
            def build(forge):
                start(forge)
                forge.add(frames[5:6], proven=(forge.proven[0], size, root or forge.proven[2]))

            return build

        def another_predecessor(forge):
            forge.add(frames[:5])
            forge.rotate()
            forge.head()
            other = Forge(self.ledger)
            other.add([frame(payload=b"another")] + frames[1:5])
            other.seal()
            forge.segments[0] = other.segments[0]

        def a_segment_missing(forge):
            for i in range(3):
                forge.add(frames[i : i + 1])
                forge.rotate()
            forge.head()
            forge.segments[1] = b""

        states = {build.__name__: build for build in (
            sealed_without_successor, a_slot_above_the_end, proven_by_the_next_header, proven_behind_a_lost_header, no_slot,
            another_predecessor, a_segment_missing)}
        states |= {"slot: offset": slot_with(offset=9_999), "slot: batch": slot_with(batch=7), "slot: time": slot_with(recorded_at=7),
                   "slot: segment": slot_with(segment=1), "proven: size": proven(3, None), "proven: root": proven(5, bytes(32)),
                   "proven: above itself": proven(99, None)}
        for name, build in states.items():
            with self.subTest(name):
                forge = Forge(self.ledger)
                build(forge)
                self.judge(forge, 3)

    def test_each_rule_of_a_batch_is_needed(self):
        wrong = {"zero": {"zero": 1}, "zero2": {"zero2": 1}, "batch number": {"batch": 9}, "position": {"position": 2}, "count": {"count": 1},
                 "end size": {"end": 4}, "bytes behind the records": {"after": b"more"}, "root": {"root": bytes(32)},
                 "trailer's root": {"trailer_root": bytes(32)}, "trailer's zero": {"trailer_zero": 1}}
        for name, fields in wrong.items():
            with self.subTest(name):
                forge = Forge(self.ledger)
                batch_field(**fields)(forge)
                # What stands before is still there once nothing proves the wrong batch; the good one behind it does.
                self.judge(forge, 3)

    def test_time_goes_back_neither_in_a_batch_nor_between_two(self):
        later, earlier = frame(recorded_at=1_700_000_000_000_001), frame()
        for batches, code in (([[earlier, later]], 0), ([[later, later]], 0), ([[later, earlier]], 3), ([[later], [earlier]], 3),
                              ([[frame(recorded_at=-5)], [frame(recorded_at=-5)]], 0)):
            forge = Forge(self.ledger)
            for frames in batches:
                forge.add(frames)
            forge.head()
            self.judge(forge, code)

    def test_what_makes_a_frame_valid(self):
        amending = metadata(target=b"\1" + _TARGET)
        tags = [bytes([i]) * 16 for i in range(33)]
        room = (1 << 20) - len(frame(payload=b""))
        sound = {"plain": frame(), "no tags": frame(tags=()), "32 tags": frame(tags=tags[:32]), "no payload": frame(payload=b""),
                 "replaces": frame(flags=REPLACES, about=amending), "retracts": frame(flags=RETRACTS, about=amending),
                 "unknown kind": frame(kind=999), "unknown version": frame(version=9), "32 fields": frame(fields=range(1, 33)),
                 "the largest": frame(payload=bytes(room)), "override": frame(about=metadata(override=b"\1" + struct.pack("<QH", 1, 1) + text(b"why"))),
                 "source": frame(about=metadata(causation=b"\1" + _TARGET, source=b"\1" + text(b"s"), correlation=b"\1" + text(b"c")))}
        broken = {"flag 8": frame(flags=8), "highest flag": frame(flags=1 << 31), "both amendments": frame(flags=6, about=amending),
                  "33 tags": frame(tags=tags), "tags descend": frame(tags=tags[1::-1]), "a tag twice": frame(tags=tags[:1] * 2),
                  "no field": frame(count=0), "33 fields": frame(fields=range(1, 34)), "fields descend": frame(fields=(2, 1)),
                  "a field twice": frame(fields=(1, 1)), "too large": frame(payload=bytes(room + 1))}
        for code, frames in ((0, sound), (3, broken)):
            for name, one in frames.items():
                with self.subTest(name):
                    forge = Forge(self.ledger)
                    forge.add([one])
                    forge.head()
                    self.judge(forge, code, None if code else 1)

    def test_a_record_whose_metadata_nobody_can_read_is_named(self):
        unreadable = {"replaces nothing": frame(flags=REPLACES), "a target without a flag": frame(about=metadata(target=b"\1" + _TARGET)),
                      "bytes behind": frame(about=metadata() + b"\0"), "option 2": frame(about=metadata(source=b"\2")),
                      "not UTF-8": frame(about=metadata(actor=text(b"\xff"))), "no actor": frame(about=metadata(actor=text(b""))),
                      "beyond the calendar": frame(recorded_at=1 << 62), "of a later ledger": frame(kind=0xFF05)}
        for name, one in unreadable.items():
            with self.subTest(name):
                forge = Forge(self.ledger)
                forge.add([one])
                forge.head()
                forge.write(self.directory)
                reading = Reading(self.directory)
                self.assertEqual(len(reading.damage), 1, reading.damage)
                self.assertIn("position 0 cannot be read", reading.damage[0])
                self.assertEqual(ledgers.sovang("log", self.directory, "--json")[0], 3)


if __name__ == "__main__":
    unittest.main()
