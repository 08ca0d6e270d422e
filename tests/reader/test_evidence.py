"""What the second verifier makes of proofs, growth, forks, statements, tiles, disclosures and whole ledgers.

/tmp/reader/bin/python -m unittest discover tests/reader
"""

import base64
import json
import random
import struct
import tempfile
import unittest
import uuid
import warnings
from pathlib import Path

import maker
from check import Checker, check_files
from checksums import blake3_in
from forge import hash_of as record_hash_of
from maker import LOG, ORIGIN, STATEMENTS, TIMES
from merkle import EMPTY, leaf_of, recursive_root
from notes import Checkpoint, Refused
from policy import Policy
from proofs import Growth, NoLeaf, Proof, check_consistency, check_inclusion
from sovang_reader import Reading
from statements import canonical, from_canonical
from test_forged import frame
from test_reader import PAGE, from_dump
from timestamps import time_stamped
from trees import PARAMETERS, Tree, log_only, needing, result_of
from trust import Usage


class Proofs(unittest.TestCase):
    """Proofs, growth and forks of trees that the test makes."""

    @classmethod
    def setUpClass(cls):
        cls.tree = Tree(40)
        cls.signed = {size: maker.checkpoint(cls.tree.leaves[:size]) for size in range(41)}

    def test_every_record_of_every_size_and_no_other(self):
        for size in range(1, 41):
            leaves = self.tree.leaves[:size]
            root = recursive_root(leaves)
            for index in range(size):
                hashes = maker.path(index, leaves)
                check_inclusion(leaves[index], index, size, hashes, root)
                for wrong in (
                    (leaves[index - 1], index, size, hashes),
                    (leaves[index], (index + 1) % size, size, hashes),
                    (leaves[index], index, size, hashes + [root]),
                    (leaves[index], index, size, hashes[:-1]),
                ):
                    if size > 1:
                        with self.assertRaises(Refused):
                            check_inclusion(*wrong, root)

    def test_every_growth_and_no_other(self):
        other = Tree(40, b"other ")
        for new in range(1, 41):
            for old in range(1, new + 1):
                hashes = maker.growth_path(old, self.tree.leaves[:new])
                old_root, new_root = recursive_root(self.tree.leaves[:old]), recursive_root(self.tree.leaves[:new])
                check_consistency(old, new, old_root, new_root, hashes)
                for wrong in (
                    (recursive_root(other.leaves[:old]), new_root, hashes),
                    (old_root, new_root, hashes + [new_root]),
                    (old_root, recursive_root(other.leaves[:new]), hashes),
                    (old_root, new_root, hashes[1:] if hashes else [old_root]),
                ):
                    with self.assertRaises(Refused):
                        check_consistency(old, new, *wrong)

    def test_a_receipt_shows_its_record_and_a_proof_its_hash(self):
        for extra, record in ((b"\1" + self.tree.hashes[6], None), (b"\2" + self.tree.frames[6], self.tree.frames[6])):
            proof = Proof(maker.proof(6, self.tree.leaves, extra, self.signed[40]))
            self.assertEqual(proof.prove(log_only())[1], self.tree.hashes[6])
            self.assertEqual(proof.record is not None, record is not None)

    def test_what_is_no_receipt(self):
        frame_6, hash_6 = self.tree.frames[6], self.tree.hashes[6]
        good = self.tree.receipt(6, self.signed[40])
        wrong = {
            "another record": b"\2" + self.tree.frames[7],
            "bytes behind": b"\2" + frame_6 + b"\0",
            "too short": b"\2" + frame_6[:-1],
            "another kind": b"\3" + frame_6,
            "nothing": b"",
            "a hash and more": b"\1" + hash_6 + b"\0",
            "half a hash": b"\1" + hash_6[:-1],
            "another flag": b"\2" + frame_6[:8] + b"\x08" + frame_6[9:],
            "another instant": b"\2" + frame_6[:16] + b"\x01" + frame_6[17:],
        }
        for what, extra in wrong.items():
            with self.subTest(what), self.assertRaises(Refused):
                Proof(maker.proof(6, self.tree.leaves, extra, self.signed[40])).prove(log_only())
        for what, text in {
            "another index": good.replace("index 6", "index 5"),
            "index 06": good.replace("index 6", "index 06"),
            "beyond the tree": good.replace("index 6", "index 46"),
            "no index": good.replace("index 6\n", ""),
            "a line more": good.replace("index 6\n", "index 6\nindex 6\n"),
            "two extras": good.replace("extra ", "extra AQ==\nextra "),
            "an older checkpoint": self.tree.receipt(6, self.signed[39]),
            "no checkpoint": good.split("\n\n")[0] + "\n",
            "a space": good.replace("index 6", "index 6 "),
            "another version": good.replace("@v1", "@v2"),
        }.items():
            with self.subTest(what), self.assertRaises(Refused):
                Proof(text).prove(log_only())
        with self.assertRaises(NoLeaf):
            Proof(maker.proof(6, self.tree.leaves, None, self.signed[40])).prove(log_only())

    def test_a_growth_continues_the_checkpoint_before_it(self):
        grown = maker.growth(7, self.tree.leaves, self.signed[40])
        Growth(grown).prove(Checkpoint(self.signed[7]), log_only())
        Growth(maker.growth(40, self.tree.leaves, self.signed[40])).prove(Checkpoint(self.signed[40]), log_only())
        Growth(maker.growth(0, self.tree.leaves, self.signed[40])).prove(Checkpoint(self.signed[0]), log_only())
        other = maker.checkpoint(Tree(40, b"other ").leaves[:7])
        hashes = grown.split("\n\n")[0].split("\n")[1:]
        wrong = {
            "another checkpoint": (grown, self.signed[8]),
            "another history": (grown, other),
            "another size": (grown.replace("old 7", "old 8"), self.signed[7]),
            "hashes from 0": (grown.replace("old 7", "old 0"), self.signed[0]),
            "a hash less": (grown.replace(hashes[0] + "\n", ""), self.signed[7]),
            "a hash twice": (grown.replace(hashes[0], hashes[0] + "\n" + hashes[0]), self.signed[7]),
            "it shrinks": (maker.growth(7, self.tree.leaves, self.signed[6]), self.signed[7]),
            "not signed": (grown, maker.checkpoint(self.tree.leaves[:7], signer=STATEMENTS)),
        }
        for what, (text, old) in wrong.items():
            with self.subTest(what), self.assertRaises(Refused):
                Growth(text).prove(Checkpoint(old), log_only())

    def test_a_fork_is_two_histories_under_one_key(self):
        other = Tree(40, b"other ")
        signed = {size: maker.checkpoint(other.leaves[:size]) for size in (7, 30, 40)}
        same = sorted((self.signed[30], signed[30]), key=lambda text: base64.b64decode(text.split("\n")[2]))
        apart = (self.signed[7], signed[40], recursive_root(other.leaves[:7]), maker.growth_path(7, other.leaves))
        checker = Checker([], log_only())
        for fork in (maker.fork(*same), maker.fork(*apart)):
            self.assertEqual(checker.check(fork.encode())["kind"], "fork_proof")
        wrong = {
            "the wrong order": maker.fork(*same[::-1]),
            "no contradiction": maker.fork(same[0], same[0]),
            "the same root": maker.fork(
                self.signed[7], self.signed[40], recursive_root(self.tree.leaves[:7]), maker.growth_path(7, self.tree.leaves)
            ),
            "a false root": maker.fork(*apart[:2], recursive_root(self.tree.leaves[:8]), apart[3]),
            "no proof": maker.fork(*apart[:2]),
            "other of one size": maker.fork(*same, apart[2]),
            "larger first": maker.fork(apart[1], apart[0], *apart[2:]),
            "from nothing": maker.fork(self.signed[0], signed[40], apart[2], ()),
            "another signer": maker.fork(apart[0], maker.checkpoint(other.leaves, signer=STATEMENTS), *apart[2:]),
            "three": maker.fork(*same) + "\n" + same[0],
        }
        for what, fork in wrong.items():
            with self.subTest(what), self.assertRaises(Refused):
                checker.check(fork.encode())


class Statements(unittest.TestCase):
    """A figure and the log it is of."""

    @classmethod
    def setUpClass(cls):
        cls.leaves = Tree(40).leaves
        cls.signed = maker.checkpoint(cls.leaves)

    def make(self, parameters=(), result=(), signed=None, **more):
        return maker.statement(
            "registered", PARAMETERS | dict(parameters), result_of(self.leaves) | dict(result), signed or self.signed, **more
        )

    def test_json_is_canonical(self):
        for text in (
            "{}",
            "[]",
            "null",
            "true",
            '"é"',
            '"\\u0001\\n\\""',
            '{"a":1,"b":[-2,0]}',
            "123456789012345678901234567890",
            '{"\U00010000":1,"\uffee":2}',
            '"\x7f"',
        ):
            self.assertEqual(canonical(from_canonical(text)), text)
        for text in (
            "",
            "1.0",
            "1e3",
            "-0",
            "01",
            " 1",
            "[1, 2]",
            '{"b":1,"a":2}',
            '{"a":1,"a":1}',
            '"\\u00e9"',
            '"\\/"',
            "NaN",
            "'a'",
            "1 ",
            '{"\uffee":2,"\U00010000":1}',
            "[" * 33 + "]" * 33,
            '"\\ud800"',
            "[" * 5000,
            '"\\u001F"',
            "1" * 5000,
        ):
            with self.subTest(text[:30]), self.assertRaises(Refused):
                from_canonical(text)

    def test_a_statement_holds_under_its_own_key(self):
        checker = Checker([STATEMENTS.key], Policy([STATEMENTS.key]))
        self.assertEqual(checker.check(self.make().encode())["checkpoint_checked"], False)
        checker = Checker([STATEMENTS.key, LOG.key], Policy([STATEMENTS.key, LOG.key]))
        told = checker.check(self.make().encode())
        self.assertEqual((told["checkpoint_checked"], told["size"]), (True, 40))
        self.assertEqual(Checker([STATEMENTS.key], log_only()).check(self.make().encode())["checkpoint_checked"], True)

    def test_what_is_no_statement(self):
        keys = [STATEMENTS.key, LOG.key]
        good = self.make()
        wrong = {
            "signed by the log": self.make(signer=LOG),
            "by the log's key under another name": self.make(signer=maker.Signer("x.example", seed=f"{ORIGIN} 1")),
            "another digest": self.make(digest="00" * 32),
            "as of a later size": self.make({"as_of": 41}, {"as_of": 41}),
            "another as_of": self.make({"as_of": 29}),
            "another tally": good.replace("tally registered", "tally recognised"),
            "a parameter more": self.make({"x": 1}),
            "a number for a day": self.make({"from": 1}),
            "values that descend": self.make({"where": {"unit": ["b", "a"]}}),
            "no value": self.make({"where": {"unit": []}}),
            "as_of true": self.make({"as_of": True}),
            "checkpoint of somebody": self.make(signed=maker.checkpoint(self.leaves, signer=maker.Signer("y.example"))),
            "revision 01": self.make(revision="01"),
            "another version": good.replace("statement v1", "statement v2"),
        }
        for what, text in wrong.items():
            with self.subTest(what), self.assertRaises(Refused):
                known = keys + [maker.Signer("x.example", seed=f"{ORIGIN} 1").key]
                Checker(known, Policy(known)).check(text.encode())
        with self.assertRaises(Refused):
            Checker([LOG.key], log_only()).check(good.encode())
        both = Policy.parse(f"log {STATEMENTS.key}\nlog {LOG.key}\nquorum none\n".encode())
        with self.assertRaises(Refused):
            Checker([STATEMENTS.key], both).check(good.encode())
        inside = self.make(signed=self.signed + STATEMENTS.line(self.signed.split("\n\n")[0] + "\n"))
        with self.assertRaises(Refused):
            Checker([STATEMENTS.key], Policy([STATEMENTS.key])).check(inside.encode())

    def test_a_statement_is_no_checkpoint(self):
        with self.assertRaises(Refused):
            Checkpoint(self.make())


class Served(unittest.TestCase):
    """Directories of tiles."""

    def test_every_file_counts(self):
        tree = Tree(600)
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        maker.write_tiles(directory, tree.frames, tree.hashes, maker.checkpoint(tree.leaves))
        checker = Checker([], log_only())
        self.assertEqual(checker.check_tiles(directory)["size"], 600)
        names = sorted(path for path in directory.rglob("*") if path.is_file())
        self.assertEqual(
            [path.relative_to(directory).as_posix() for path in names],
            [
                "checkpoint",
                "records/000",
                "records/001",
                "records/002.p/88",
                "tile/0/000",
                "tile/0/001",
                "tile/0/002.p/88",
                "tile/1/000.p/2",
                "tile/entries/000",
                "tile/entries/001",
                "tile/entries/002.p/88",
            ],
        )
        chance = random.Random(3)
        for path in names:
            data = path.read_bytes()
            at = chance.randrange(len(data))
            for changed in (data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], data[:-1], data + b"\0", None):
                with self.subTest(path.name), self.assertRaises(Refused):
                    path.unlink() if changed is None else path.write_bytes(changed)
                    checker.check_tiles(directory)
                path.write_bytes(data)
        older = directory / "tile/0/001.p/9"
        older.parent.mkdir()
        older.write_bytes(b"".join(tree.leaves[256:265]))
        checker.check_tiles(directory)
        older.write_bytes(b"".join(tree.leaves[257:266]))
        with self.assertRaises(Refused):
            checker.check_tiles(directory)


class Anchors(unittest.TestCase):
    """Since when a record can have been made."""

    def test_a_record_with_a_cosigned_checkpoint_came_after_it(self):
        def said_of(what, text, source="witnesses"):
            payload = b"".join(struct.pack("<Q", len(one.encode())) + one.encode() for one in (what, text, source))
            tree = Tree(4)
            tree.frames[2] = frame(payload=payload, tags=(), kind=0xFF03)
            tree.hashes = [record_hash_of(one, position) for position, one in enumerate(tree.frames)]
            tree.leaves = [leaf_of(one) for one in tree.hashes]
            receipt = tree.receipt(2, maker.checkpoint(tree.leaves, 3)).encode()
            return Checker([], needing(2)).check(receipt)["anchor"]

        self.assertEqual(said_of("checkpoint", maker.checkpoint(Tree(2).leaves, 3)), f"not before {TIMES[1]}")
        self.assertIn("proves nothing", said_of("checkpoint", maker.checkpoint(Tree(2).leaves, 1)))
        self.assertIn("proves nothing", said_of("checkpoint", "once upon a time"))
        self.assertIn("has to be judged", said_of("value", "block 900000"))


class Stamps(unittest.TestCase):
    """Time-stamp responses that openssl made, and their copies with a bit changed."""

    FOLDER = PAGE.parents[1] / "crates" / "cli" / "tests" / "timestamp"
    TEXT = f"example.org/golden-book\n0\n{maker.coded(EMPTY)}\n"

    def stamped(self, token, certificate, text=TEXT):
        token = self.FOLDER.joinpath(token).read_bytes() if isinstance(token, str) else token
        return time_stamped(token, text, self.FOLDER.joinpath(certificate).read_bytes())

    def test_the_time_is_that_of_the_given_authority(self):
        # The authority's clock may be off by 1.5001 s, where it says so: the bound is rounded up.
        for token, certificate, off in (
            ("rsa.tsr", "ca-rsa.pem", 2),
            ("rsa-sha1-id.tsr", "ca-rsa.pem", 0),
            ("p256.tsr", "ca-ec.pem", 2),
            ("p384-without-certificate.tsr", "tsa-p384.pem", 2),
        ):
            with self.subTest(token):
                self.assertEqual(self.stamped(token, certificate), 1_795_528_651 + off)
        for token, certificate in (
            ("refused.tsr", "ca-rsa.pem"),
            ("rsa.tsr", "ca-ec.pem"),
            ("p384-without-certificate.tsr", "ca-ec.pem"),
        ):
            with self.subTest(token, certificate=certificate), self.assertRaises(Refused):
                self.stamped(token, certificate)
        with self.assertRaises(Refused):
            self.stamped("rsa.tsr", "ca-rsa.pem", self.TEXT + "\n")

    def test_a_changed_token_is_refused_or_changed_where_nobody_signs(self):
        warnings.simplefilter("ignore")  # a changed certificate has what the library is going to refuse
        data = self.FOLDER.joinpath("p256.tsr").read_bytes()
        passed = []
        for at in range(len(data)):
            try:
                self.assertEqual(self.stamped(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], "ca-ec.pem"), 1_795_528_653)
                passed.append(at)
            except Refused:
                continue
        # Granted with changes; versions; the list of digests before the token; a NULL behind an algorithm.
        self.assertTrue(set(passed) <= {8, 32, *range(34, 52), 700, 702, 791}, passed)


class Disclosures(unittest.TestCase):
    """One value for one reader."""

    def test_a_value_holds_against_the_receipt_of_its_record_alone(self):
        value, salt, position = "Nguyễn Văn A", bytes(range(32)), 3
        encoded = struct.pack("<Q", len(value.encode())) + value.encode()
        commitment = blake3_in("personal v1", salt + struct.pack("<HI", 1, len(encoded)) + encoded)
        tree = Tree(5)
        tree.frames[position] = frame(fields=(1,))[:-32] + commitment
        tree.hashes[position] = record_hash_of(tree.frames[position], position)
        tree.leaves[position] = leaf_of(tree.hashes[position])
        receipt = tree.receipt(position, maker.checkpoint(tree.leaves))
        said = {
            "commitment": commitment.hex(),
            "field": 1,
            "logged_at": 4,
            "origin": ORIGIN,
            "position": position,
            "purpose": "a check",
            "reader": "the auditor",
            "record_id": str(uuid.UUID(bytes=b"i" * 16)),
            "salt": maker.coded(salt),
            "value": value,
        }

        def check(shown, before=receipt):
            checker = Checker([], log_only())
            if before:
                checker.check(before.encode())
            return checker.check((canonical(shown) + "\n").encode())

        told = check(said)
        self.assertEqual((told["kind"], told["position"], told["field"], told["size"]), ("disclosure", 3, 1, 5))
        bytes_ = {name: one for name, one in said.items() if name != "value"} | {"value_bytes": maker.coded(b"\1\2")}
        wrong = [
            said | change
            for change in (
                {"value": "Nguyễn Văn B"},
                {"salt": maker.coded(bytes(32))},
                {"field": 2},
                {"field": True},
                {"field": 1 << 16},
                {"record_id": str(uuid.UUID(int=1))},
                {"commitment": bytes(32).hex()},
                {"commitment": commitment.hex().upper()},
                {"more": 1},
                {"logged_at": -1},
                {"reader": 1},
                {"salt": maker.coded(salt[:31])},
            )
        ]
        for shown in (*wrong, bytes_, {name: one for name, one in said.items() if name != "purpose"}):
            with self.subTest(shown), self.assertRaises(Refused):
                check(shown)
        # Without a receipt of that record nobody can say.
        other = tree.receipt(2, maker.checkpoint(tree.leaves))
        for shown, before in (
            (said, None),
            (said, other),
            (said | {"position": 2}, receipt),
            (said | {"origin": "elsewhere.example"}, receipt),
        ):
            with self.subTest(shown), self.assertRaises(Usage):
                check(shown, before)
        for text in (json.dumps(said), canonical(said) + "\n\n", " " + canonical(said) + "\n"):
            with self.assertRaises((Refused, Usage)):
                checker = Checker([], log_only())
                checker.check(receipt.encode())
                checker.check(text.encode())


class Against(unittest.TestCase):
    """The ledger that docs/FORMAT.md shows, beside checkpoints that somebody kept."""

    def test_a_ledger_goes_on_from_what_was_signed_or_is_refused(self):
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()), "ledger")
        from_dump(PAGE.read_text().split("<!-- dump: begin -->\n```text\n")[1].split("```\n<!-- dump: end -->")[0], directory)
        log = Reading(directory).log
        origin, signer = log.ledger.origin, maker.Signer(log.ledger.origin)
        policy = Policy([signer.key])

        def code(leaves, signer=signer, origin=origin):
            reading = Reading(directory)
            reading.hold_against(maker.checkpoint(leaves, signer=signer, origin=origin).encode(), policy)
            return reading.exit_code

        self.assertEqual([code(log.leaves[:size]) for size in range(4)], [0, 0, 0, 0])
        self.assertEqual(code(log.leaves + log.leaves[:1]), 1, "rolled back")
        self.assertEqual(code(log.leaves[::-1]), 1, "another history")
        self.assertEqual(code(log.leaves, signer=LOG), 1, "another key")
        self.assertEqual(code(log.leaves, origin="elsewhere.example"), 1, "another origin")


class Command(unittest.TestCase):
    """What the command says of several files."""

    def test_false_outranks_unanswerable(self):
        tree = Tree(9)
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        signed = maker.checkpoint(tree.leaves)
        texts = {
            "good": signed,
            "false": signed.replace("\n9\n", "\n8\n"),
            "leafless": maker.proof(2, tree.leaves, None, signed),
            "growth": maker.growth(4, tree.leaves, signed),
        }
        for name, text in texts.items():
            directory.joinpath(name).write_text(text)
        for names, code in (
            ("good", 0),
            ("good false", 1),
            ("leafless", 2),
            ("leafless false", 1),
            ("absent", 2),
            ("growth", 2),
            ("growth good", 2),
        ):
            with self.subTest(names):
                self.assertEqual(check_files([directory / name for name in names.split()], Checker([], log_only()))[1], code)
        self.assertEqual(check_files([directory / "good"], Checker([], Policy()))[1], 1)


if __name__ == "__main__":
    unittest.main()
