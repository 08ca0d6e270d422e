"""The second reader beside the code, on ledgers that the code wrote and on the one that docs/FORMAT.md shows.

    python3 -m venv /tmp/reader && /tmp/reader/bin/pip install -r tests/reader/requirements.txt
    SOVANG=target/release/sovang /tmp/reader/bin/python -m unittest discover tests/reader
"""

import base64
import json
import os
import random
import re
import shutil
import tempfile
import unittest
from pathlib import Path

import ledgers
from checksums import blake3_in, crc32c
from merkle import EMPTY, append, leaf_of, recursive_root, root_of
from opening import unseal
from sovang_reader import Reading

PAGE = Path(__file__).resolve().parents[2] / "docs" / "FORMAT.md"


def from_dump(text, directory):
    """Builds the files of a dump: `*` stands for zeros up to the next offset."""
    data, name = bytearray(), None

    def save():
        if name is not None:
            path = Path(directory, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    for line in text.splitlines():
        if header := re.fullmatch(r"== (\S+), (\d+) bytes", line):
            save()
            name, data = header[1], bytearray()
        elif body := re.match(r"([0-9a-f]{8})((?: {1,2}[0-9a-f]{2}){0,16})(?:\s|$)", line):
            offset = int(body[1], 16)
            data += bytes(offset - len(data)) + bytes.fromhex(body[2])
        elif line != "*" and not line.startswith("-- "):
            raise AssertionError(f"a line of the dump that means nothing: {line!r}")
    save()


def flips(test, ledger, names, times, seed):
    """Both verdicts, as exit codes, after each of so many flips of one bit in these files; they must be the same."""
    chance, copy = random.Random(seed), ledger.with_name("copy")
    for _ in range(times):
        name = chance.choice(names)
        data = bytearray(Path(ledger, name).read_bytes())
        # Half of them where there is something: most of a header is zeros.
        places = range(len(data)) if chance.random() < 0.5 else [at for at, byte in enumerate(data) if byte]
        at, bit = chance.choice(places), 1 << chance.randrange(8)
        data[at] ^= bit
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(ledger, copy)
        Path(copy, name).write_bytes(data)
        with test.subTest(file=name, at=at, bit=bit):
            code, said = ledgers.sovang("verify", copy)
            reading = Reading(copy)
            test.assertEqual(code, reading.exit_code, f"{said}{reading.damage}{reading.disagreements}{reading.notes}")
            yield code


class Primitives(unittest.TestCase):
    """The reader's own arithmetic on published values."""

    def test_crc32c_of_rfc_3720(self):
        self.assertEqual(crc32c(bytes(32)), 0x8A9136AA)
        self.assertEqual(crc32c(b"\xff" * 32), 0x62A8AB43)
        self.assertEqual(crc32c(bytes(range(32))), 0x46DD794E)
        self.assertEqual(crc32c(b"123456789"), 0xE3069283)
        self.assertEqual(crc32c(b"12", b"3456", b"789"), 0xE3069283)

    def test_the_cipher_opens_the_example_of_its_draft(self):
        sealed = bytes.fromhex(
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213"
            "b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52e"
            "c0875924c1c7987947deafd8780acf49")
        key, nonce, associated = bytes(range(0x80, 0xA0)), bytes(range(0x40, 0x58)), bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
        plain = unseal(key, nonce, sealed, associated)
        self.assertTrue(plain.startswith(b"Ladies and Gentlemen of the class of '99") and plain.endswith(b"sunscreen would be it."))
        self.assertIsNone(unseal(key, nonce, sealed, associated + b"\0"))

    def test_the_frontier_gives_the_root_of_the_definition(self):
        leaves = [leaf_of(blake3_in("test", bytes([i]))) for i in range(130)]
        frontier = []
        for size, leaf in enumerate(leaves):
            self.assertEqual(root_of(frontier), recursive_root(leaves[:size]))
            self.assertEqual(len(frontier), size.bit_count())
            append(frontier, size, leaf)
        self.assertEqual(root_of([]), EMPTY)


class Written(unittest.TestCase):
    """Ledgers that the code wrote are sound, and say the same to both."""

    def setUp(self):
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()), "ledger")

    def compare(self, segments=1, runs=None):
        head = json.loads(ledgers.done("head", self.directory, "--json"))
        reading = Reading(self.directory)
        said = reading.as_json()
        self.assertEqual((said["damage"], said["disagreements"], said["notes"]), ([], [], []))
        self.assertEqual(said["origin"], head["origin"])
        self.assertEqual((said["size"], said["root"]), (head["size"], head["root"]))
        shown = ledgers.records(self.directory)
        self.assertEqual(said["record_hashes"], [record["record_hash"] for record in shown])
        self.assertEqual([record.id.hex() for record in reading.log.records], [record["id"].replace("-", "") for record in shown])
        root = recursive_root([leaf_of(bytes.fromhex(record["record_hash"])) for record in shown])
        self.assertEqual(head["root"], base64.b64encode(root).decode())
        self.assertEqual(len(reading.log.segment_starts), segments)
        if runs is not None:
            self.assertEqual(len(list(self.directory.glob("index/*.run"))) > 0, runs)
        return reading

    def test_an_empty_ledger(self):
        ledgers.create(self.directory)
        self.assertEqual(self.compare().log.head, (0, EMPTY))

    def test_batches_of_one(self):
        ledgers.create(self.directory, ([ledgers.UNIT] + ledgers.models(0, 60), ["--batch", "1"]))
        reading = self.compare(runs=False)
        self.assertEqual(len(reading.log.batch_starts), len(reading.log.records))

    def test_several_imports_with_personal_data_and_amendments(self):
        ledgers.create(self.directory, ([ledgers.UNIT] + ledgers.models(0, 300), []), (ledgers.models(300, 700), ["--batch", "7"]))
        amendments = ledgers.amendments(ledgers.records(self.directory))
        ledgers.done("import", self.directory, "-", "--batch", "50", lines=amendments)
        reading = self.compare(runs=True)
        self.assertEqual(sum(record.target is not None for record in reading.log.records), len(amendments))
        self.assertEqual(sum(len(record.private) for record in reading.log.records), 2 * len(range(0, 700, 3)))

    def test_every_personal_value_opens(self):
        ledgers.create(self.directory, ([ledgers.UNIT] + ledgers.models(0, 60), []))
        reading = Reading(self.directory, opened=True)
        self.assertEqual((reading.damage, reading.disagreements), ([], []))
        shown = {}
        for line in ledgers.done("log", self.directory, "--json", "--with-personal").splitlines():
            record = json.loads(line)
            if subject := record["event"].get("subject"):
                record_id = bytes.fromhex(record["id"].replace("-", ""))
                shown[record_id, 1] = subject["id"], subject["name"]
                shown[record_id, 2] = subject["id"], record["event"]["address"]
        self.assertEqual(len(shown), 40)
        opened = {place: (subject, value[8:].decode()) for place, (subject, value) in reading.vault.values.items()}
        self.assertEqual(opened, shown)

    def test_a_migrated_copy_without_personal_values(self):
        original = ledgers.create(self.directory.with_name("original"), ([ledgers.UNIT] + ledgers.models(0, 40), []))
        export = [json.loads(line) for line in ledgers.done("export", original).splitlines()]
        ledgers.create(self.directory, (export, ["--migrate"]))
        self.assertEqual(self.compare().log.head, Reading(original).log.head)

    def test_two_segments(self):
        long_text = "xi măng " * 1_600
        gifts = [{"type": "model_funded", "occurred_on": "2024-05-08", "actor": "clerk", "model": "M-0", "source": "sponsor",
                  "contribution": {"kind": "in_kind", "vnd": i, "description": long_text}} for i in range(4_800)]
        ledgers.create(self.directory, ([ledgers.UNIT] + ledgers.models(0, 1) + gifts, []))
        self.compare(segments=2, runs=True)


class Damage(unittest.TestCase):
    """A changed bit has the same consequence for both."""

    @classmethod
    def setUpClass(cls):
        root = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        lines = [ledgers.UNIT] + ledgers.models(0, 260)
        cls.ledger = ledgers.create(root / "ledger", (lines[:300], ["--batch", "3"]), (lines[300:], []))
        cls.newer = root / "newer"
        shutil.copytree(cls.ledger, cls.newer)
        ledgers.done("import", cls.newer, "-", lines=ledgers.models(260, 600))

    def flip(self, names, times, seed):
        """The verdict of both after each of so many flips of one bit in these files."""
        yield from flips(self, self.ledger, names, times, seed)

    def test_every_flip_in_the_log_is_refused(self):
        for code in self.flip(["log/0"], 150, 1):
            self.assertEqual(code, 3)

    def test_a_flip_in_the_ledgers_own_page_is_refused(self):
        for code in self.flip(["ledger"], 30, 2):
            self.assertEqual(code, 3)

    def test_one_slot_of_head_may_be_lost(self):
        for code in self.flip(["HEAD"], 60, 3):
            self.assertEqual(code, 0)

    def test_every_flip_in_the_vault_is_a_finding(self):
        for code in self.flip(["vault/keys", "vault/rows"], 120, 4):
            self.assertEqual(code, 1)

    def test_every_flip_in_the_index_is_a_finding(self):
        runs = [path.relative_to(self.ledger) for path in self.ledger.glob("index/*.run")]
        self.assertTrue(runs)
        for code in self.flip(runs, 60, 5):
            self.assertEqual(code, 1)

    def test_what_is_longer_than_any_can_be_is_not_read(self):
        for name, length, code in ("log/0", (1 << 30) + (16 << 20) + 1, 3), ("vault/rows", (1 << 39) + (1 << 20) + 1, 1):
            with self.subTest(name), tempfile.TemporaryDirectory() as copy:
                shutil.copytree(self.ledger, copy, dirs_exist_ok=True)
                os.truncate(Path(copy, name), length)
                self.assertEqual((Reading(copy).exit_code, ledgers.sovang("verify", copy)[0]), (code, code))

    def test_what_is_newer_than_the_log_is_no_fault(self):
        for part in ("index", "vault"):
            with self.subTest(part), tempfile.TemporaryDirectory() as copy:
                shutil.copytree(self.ledger, copy, dirs_exist_ok=True)
                shutil.copytree(Path(self.newer, part), Path(copy, part), dirs_exist_ok=True)
                reading = Reading(copy)
                self.assertEqual((reading.exit_code, ledgers.sovang("verify", copy)[0]), (0, 0), reading.disagreements)
                self.assertNotEqual(reading.notes, [])

    def test_a_vault_that_is_older_than_the_log_lacks_rows(self):
        with tempfile.TemporaryDirectory() as copy:
            shutil.copytree(self.newer, copy, dirs_exist_ok=True)
            shutil.copytree(Path(self.ledger, "vault"), Path(copy, "vault"), dirs_exist_ok=True)
            self.assertEqual((Reading(copy).exit_code, ledgers.sovang("verify", copy)[0]), (1, 1))


class Page(unittest.TestCase):
    """The ledger whose every byte docs/FORMAT.md shows."""

    def setUp(self):
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()), "ledger")
        dump = PAGE.read_text().split("<!-- dump: begin -->\n```text\n")[1].split("```\n<!-- dump: end -->")[0]
        from_dump(dump, self.directory)

    def test_a_flip_in_it_has_the_same_consequence_for_both(self):
        codes = {}
        for name in ("HEAD", "ledger", "log/0", "vault/keys", "vault/rows", "snapshots/tally-registered"):
            codes[name] = set(flips(self, self.directory, [name], 40, name))
        self.assertEqual(codes, {"HEAD": {0}, "ledger": {3}, "log/0": {3}, "vault/keys": {1}, "vault/rows": {1},
                                 "snapshots/tally-registered": {1}})

    def test_the_second_reader_sees_every_byte_of_an_erased_row(self):
        rows, exits = self.directory / "vault" / "rows", set()
        sound = rows.read_bytes()
        for at in range(4096, len(sound)):
            rows.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
            exits.add(Reading(self.directory).exit_code)
        self.assertEqual(exits, {1})

    def test_verify_sees_what_is_left_behind_the_header_of_an_erased_row(self):
        rows = self.directory / "vault" / "rows"
        sound = rows.read_bytes()
        rows.write_bytes(sound[: 4096 + 112] + b"left" + sound[4096 + 116 :])
        self.assertEqual(ledgers.sovang("verify", self.directory)[0], 1)

    def test_the_ledger_in_the_page_is_sound_to_both(self):
        directory = self.directory
        reading = Reading(directory)
        self.assertEqual((reading.damage, reading.disagreements, reading.notes), ([], [], []))
        self.assertEqual(reading.log.head[0], 3)
        personal, plain, erasure = reading.log.records
        self.assertEqual((len(personal.private), plain.private), (1, ()))
        self.assertIsNotNone(erasure.erased_handle)
        before = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
        self.assertEqual(ledgers.sovang("verify", directory)[0], 0)
        shown = ledgers.records(directory)
        self.assertEqual([record["record_hash"] for record in shown], [record.hash.hex() for record in reading.log.records])
        self.assertTrue(shown[0]["event"]["subject"]["erased"])
        self.assertEqual(before, {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()})


if __name__ == "__main__":
    unittest.main()
