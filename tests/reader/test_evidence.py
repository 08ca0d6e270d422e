"""The second verifier on published vectors and on evidence made by hand: what it accepts, and all that it refuses.

    /tmp/reader/bin/python -m unittest discover tests/reader
"""

import base64
import json
import random
import struct
import tempfile
import unittest
import uuid
from pathlib import Path

import ed25519
import maker
from check import Checker, check_files
from checksums import blake3_in
from forge import hash_of as record_hash_of
from maker import LOG, NOW, ORIGIN, STATEMENTS, TIMES, WITNESSES
from merkle import EMPTY, leaf_of, recursive_root
from notes import Checkpoint, Key, Note, Refused, hash_of, number_of, text_of
from policy import Policy
from proofs import Growth, NoLeaf, Proof, check_consistency, check_inclusion
from statements import Statement, canonical, from_canonical
from test_forged import frame
from trust import Usage

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
SUMDB = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
SUMDB_ORIGIN = "go.sum database tree"


def log_only():
    """Trusts the log's key, with no quorum."""
    return Policy([LOG.key])


def needing(count, of=3):
    """Trusts the log with so many of its witnesses."""
    policy = Policy.parse(maker.needing(count, of).encode())
    policy.now = NOW
    return policy


class Tree:
    """Records, their hashes and leaves."""

    def __init__(self, size, seed=b""):
        self.frames = [frame(payload=seed + b"%d" % i, fields=(1, 2) if i % 3 == 0 else ()) for i in range(size)]
        self.hashes = [record_hash_of(one, position) for position, one in enumerate(self.frames)]
        self.leaves = [leaf_of(one) for one in self.hashes]

    def receipt(self, position, signed):
        """The receipt of a record."""
        return maker.proof(position, self.leaves, b"\2" + self.frames[position], signed)


class Published(unittest.TestCase):
    """Vectors that others made."""

    def test_of_914_signatures_exactly_the_871_flagged_are_refused(self):
        flags = {"low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"}
        accepted = 0
        for vector in json.loads(VECTORS.joinpath("ed25519", "ed25519vectors.json").read_text()):
            key, signature = bytes.fromhex(vector["key"]), bytes.fromhex(vector["sig"])
            said = ed25519.verifies(key, vector["msg"].encode(), signature)
            self.assertEqual(said, not flags & set(vector["flags"] or ()), vector["number"])
            self.assertEqual(said, ed25519.equation_holds(key, vector["msg"].encode(), signature), vector["number"])
            accepted += said
        self.assertEqual(accepted, 43)

    def test_the_196_proofs_of_rfc_6962(self):
        seen = 0
        for file in sorted(VECTORS.joinpath("merkle").rglob("*.json")):
            vector = json.loads(file.read_text())
            hashes = [base64.b64decode(one) for one in vector["proof"] or ()]
            roots = [base64.b64decode(vector[name]) for name in ("root", "leafHash", "root1", "root2") if name in vector]
            try:
                if "leafIdx" in vector:
                    if any(len(root) != 32 for root in roots):
                        raise Refused("no hash")  # in a file of ours no hash has another length
                    check_inclusion(roots[1], vector["leafIdx"], vector["treeSize"], hashes, roots[0])
                else:
                    check_consistency(vector["size1"], vector["size2"], *roots, hashes)
                refused = False
            except Refused:
                refused = True
            self.assertEqual(refused, vector["wantErr"], file)
            seen += 1
        self.assertEqual(seen, 196)

    def test_a_proof_of_the_go_checksum_database(self):
        folder = VECTORS / "sumdb"
        text, entry = folder.joinpath("go.sum-database-tree-43930254.tlog-proof").read_text(), next(folder.glob("*.raw")).read_bytes()
        policy = Policy([Key.parse(SUMDB)])
        policy.origin = SUMDB_ORIGIN
        proven, record_hash = Proof(text).prove(policy, entry)
        self.assertEqual((proven.checkpoint.size, record_hash), (58_253_265, None))
        with self.assertRaises(NoLeaf):
            Proof(text).prove(policy)
        policy.origin = None
        refusals = {"another entry": (policy, entry + b"\n"), "the key's name is not the origin": (policy, entry),
                    "another key": (log_only(), entry)}
        for what, (whom, leaf) in refusals.items():
            with self.subTest(what), self.assertRaises(Refused):
                Proof(text).prove(whom, leaf)

    def test_the_note_of_the_specification(self):
        key = Key.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
        note = Note("This is an example message.\n\n"
                    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n")
        self.assertEqual(note.signers([key]), ({key: (None, None)}, 0))

    def test_the_checkpoint_of_the_specification_has_the_form(self):
        text = ("example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
                "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
                "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n")
        self.assertEqual(Checkpoint(text).size, 20_852_163)
        with self.assertRaises(Refused):
            log_only().prove(Checkpoint(text))


class Keys(unittest.TestCase):
    """What is a vkey."""

    def test_a_vkey_is_read_as_it_is_written(self):
        for key in (LOG.key, WITNESSES[0].key, STATEMENTS.key):
            self.assertEqual(Key.parse(str(key)), key)

    def test_what_is_no_vkey(self):
        name, id_, data = str(LOG.key).split("+", 2)
        raw = base64.b64decode(data)
        small = Key.of(name, 1, (1).to_bytes(32, "little"))
        beyond = Key.of(name, 1, (ed25519.P + 3).to_bytes(32, "little"))
        wrong = [f"{name}+{id_}", f"+{id_}+{data}", f"{name}+{id_.upper()}+{data}", f"{name}+00000000+{data}", f"{name}x+{id_}+{data}",
                 f"{name}+{id_}+{data}\n", f"{name}+{id_}+ {data}", f"{name}+{id_}+{data}=", str(Key.of(name, 6, raw[1:])),
                 str(Key.of(name, 1, raw[1:] + b"\0")), str(small), str(beyond)]
        for text in wrong:
            with self.subTest(text), self.assertRaises(Refused):
                Key.parse(text)
        for bad in ("a b", "a+b", "", "a\u00a0b", "a\u3000b", "a\tb", "a\x7fb", "x" * 256):
            with self.subTest(bad), self.assertRaises(Refused):
                Key.of(bad, 1, raw[1:])
        self.assertEqual(Key.of("x" * 255, 1, raw[1:]).name, "x" * 255)


class Texts(unittest.TestCase):
    """The form of every file."""

    def test_numbers_are_canonical(self):
        self.assertEqual([number_of(text) for text in ("0", "7", "9223372036854775807")], [0, 7, (1 << 63) - 1])
        for text in ("", "00", "01", "+1", "-1", " 1", "1 ", "1_0", "٣", "1.0", "9223372036854775808", "1" * 400):
            with self.subTest(text), self.assertRaises(Refused):
                number_of(text)

    def test_base64_that_decodes_to_the_same_bytes_is_refused(self):
        # The last digit before the padding has two bits that decoding drops.
        good = maker.coded(EMPTY)
        self.assertEqual(hash_of(good), EMPTY)
        digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        at = digits.index(good[-2])
        for text in (*(f"{good[:-2]}{digits[at ^ bits]}=" for bits in (1, 2, 3)), good[:-1], good + "=", good[:9] + "\n" + good[9:],
                     good.replace("+", "-"), good[:-4], good + "AAAA"):
            with self.subTest(text), self.assertRaises(Refused):
                hash_of(text)

    def test_text_is_utf_8_ends_in_a_line_end_and_has_no_control_character(self):
        self.assertEqual(text_of("một\n".encode()), "một\n")
        for data in (b"", b"a", b"a\r\n", b"\ta\n", b"a\0\n", b"\xff\n", b"\xed\xa0\x80\n", b"x" * (2 << 20) + b"\n"):
            with self.subTest(data[:10]), self.assertRaises(Refused):
                text_of(data)

    def test_lines_of_nobody_known_pass_and_a_failing_one_of_somebody_known_does_not(self):
        tree, other = Tree(3), maker.Signer("elsewhere.example")
        signed = maker.checkpoint(tree.leaves)
        text = signed.split("\n\n")[0] + "\n"
        same_name = maker.Signer(ORIGIN, seed="another seed")
        self.assertEqual(log_only().prove(Checkpoint(signed + other.line(text) + same_name.line(text))).ignored, 2)
        again = log_only().prove(Checkpoint(signed + LOG.line(text)))
        self.assertEqual((again.log, again.ignored), (LOG.key, 0))
        failing = LOG.line(text.replace("3", "4"))
        for what, note in {"after": signed + failing, "alone": f"{text}\n{failing}", "unknown alone": f"{text}\n{other.line(text)}"}.items():
            with self.subTest(what), self.assertRaises(Refused):
                log_only().prove(Checkpoint(note))

    def test_as_many_as_64_lines(self):
        signed = maker.checkpoint(Tree(3).leaves)
        unknown = "— elsewhere.example AAAAAAA=\n"
        self.assertEqual(log_only().prove(Checkpoint(signed + unknown * 63)).ignored, 63)
        with self.assertRaises(Refused):
            Checkpoint(signed + unknown * 64)

    def test_what_is_no_signature_line(self):
        signed = maker.checkpoint(Tree(3).leaves)
        for line in ("- a AAAAAAA=", "—  a AAAAAAA=", "— a  AAAAAAA=", "— a AAAAAAA= ", "— a AAAAAA==", "— a AAAAAAB=", "— a+b AAAAAAA=", "— a",
                     " — a AAAAAAA=", "— a\u00a0b AAAAAAA=", "—a AAAAAAA=", "— AAAAAAA=", ""):
            with self.subTest(line), self.assertRaises(Refused):
                log_only().prove(Checkpoint(signed + line + "\n"))

    def test_a_checkpoint_has_three_lines_and_the_root_of_nothing_at_size_0(self):
        root = maker.coded(EMPTY)

        def signed(text):
            return f"{text}\n{LOG.line(text)}"

        self.assertEqual(log_only().prove(Checkpoint(signed(f"{ORIGIN}\n0\n{root}\n"))).checkpoint.size, 0)
        for text in (f"{ORIGIN}\n0\n{maker.coded(leaf_of(b''))}\n", f"{ORIGIN}\n01\n{root}\n", f"{ORIGIN}\n1\n{root}\nextension\n",
                     f"{ORIGIN}\n1\n", f"{ORIGIN}\n1\n{root[:-4]}\n", f"\n1\n{root}\n", f"{ORIGIN}\n1\n{root} \n", f"{ORIGIN}x\n1\n{root}\n",
                     f"{ORIGIN}\n1\n{root}\n\n"):
            with self.subTest(text), self.assertRaises(Refused):
                log_only().prove(Checkpoint(signed(text)))


class Policies(unittest.TestCase):
    """Whom to trust."""

    def test_the_policy_of_the_specification(self):
        keys = [maker.Signer(f"w{n}.example", 4).key for n in range(6)]
        names = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
        lines = [f"witness {name} {key}" for name, key in zip(names, keys)]
        policy = Policy.parse("\n".join(["# whom we trust", "", f"\tlog {LOG.key} https://log.example/ ", *lines[:3],
                                         "group X-witnesses 2 X1 X2 X3", *lines[3:], "group Y-witnesses any Y1 Y2 Y3",
                                         "group X-and-Y all X-witnesses Y-witnesses", "quorum X-and-Y", ""]).encode())
        for cosigned, enough in (("X1 X2 Y3", True), ("X1 X2 X3", False), ("X1 Y1 Y2 Y3", False), ("X3 X2 Y1", True), ("", False)):
            self.assertEqual(policy.enough(set(cosigned.split())), enough, cosigned)

    def test_what_is_no_policy(self):
        w1, w2 = WITNESSES[0].key, WITNESSES[1].key
        same = Key.of("renamed.example", 4, w1.public)
        as_witness = Key.of("log-as-witness.example", 4, LOG.key.public)
        head = f"log {LOG.key}\nwitness W1 {w1}\nwitness W2 {w2}\n"
        good = head + "group G 2 W1 W2\nquorum G\n"
        Policy.parse(good.encode())
        wrong = {"no quorum": head, "two": good + "quorum none\n", "no line end": good[:-1], "undefined": head + "quorum W3\n",
                 "defined below": head + "quorum G\ngroup G any W1\n", "0 of 2": head + "group G 0 W1 W2\nquorum G\n",
                 "3 of 2": head + "group G 3 W1 W2\nquorum G\n", "02": head + "group G 02 W1 W2\nquorum G\n",
                 "no members": head + "group G any\nquorum G\n", "none as member": head + "group G any none\nquorum G\n",
                 "none as name": head + f"witness none {maker.Signer('x', 4).key}\nquorum none\n", "twice": head + "group G 2 W1 W1\nquorum G\n",
                 "in two groups": head + "group A any W1\ngroup B any W1 W2\nquorum B\n", "itself": head + "group G any G\nquorum G\n",
                 "same name": head + f"witness W1 {maker.Signer('x', 4).key}\nquorum W1\n",
                 "same key": head + f"witness W3 {same}\nquorum W1\n", "the log's": head + f"witness W3 {as_witness}\nquorum W1\n",
                 "log twice": head + f"log {LOG.key}\nquorum W1\n", "a log that cosigns": f"log {w1}\nquorum none\n",
                 "a witness that signs": f"witness W {LOG.key}\nquorum W\n", "another word": head + "threshold 2\nquorum W1\n",
                 "more words": head + "quorum W1 W2\n", "control": good.replace("2 W1", "2\r W1"), "delete": good.replace("2 W1", "2\x7f W1"),
                 "no space but": good.replace("group G", "group\u00a0G")}
        for what, text in wrong.items():
            with self.subTest(what), self.assertRaises(Refused):
                Policy.parse(text.encode())

    def test_names_are_octets(self):
        text = maker.policy_text("K", 0, f"witness K {WITNESSES[0].key}\n").encode()
        Policy.parse(text.replace(b" K", b" \xff\xfe"))
        with self.assertRaises(Refused):
            Policy.parse(text.replace(b"quorum K", b"quorum \xe2\x84\xaa"))

    def test_a_quorum_that_is_not_met_is_refused(self):
        tree = Tree(5)
        for witnesses in range(4):
            for needed in range(1, 4):
                with self.subTest(witnesses=witnesses, needed=needed):
                    checkpoint = Checkpoint(maker.checkpoint(tree.leaves, witnesses))
                    if witnesses >= needed:
                        self.assertEqual(len(needing(needed).prove(checkpoint).witnesses), witnesses)
                    else:
                        with self.assertRaises(Refused):
                            needing(needed).prove(checkpoint)

    def test_times_are_those_of_the_counted_quorum(self):
        checkpoint = Checkpoint(maker.checkpoint(Tree(5).leaves, 3, times=[TIMES[2], TIMES[0], TIMES[1]]))
        bounds = {1: (TIMES[0], TIMES[2]), 2: (TIMES[1], TIMES[1]), 3: (TIMES[2], TIMES[0])}
        for needed, (after, before) in bounds.items():
            proven = needing(needed).prove(checkpoint)
            self.assertEqual((proven.not_after, proven.not_before), (after, before), needed)
        self.assertEqual(log_only().prove(checkpoint).not_after, None)

    def test_absurd_and_stale_times_are_refused(self):
        leaves = Tree(5).leaves
        for time in (0, 1_577_836_799, NOW + 86_401):
            with self.subTest(time), self.assertRaises(Refused):
                needing(1).prove(Checkpoint(maker.checkpoint(leaves, 1, times=[time])))
        needing(1).prove(Checkpoint(maker.checkpoint(leaves, 1, times=[NOW + 86_400])))
        for age, fresh in ((NOW - TIMES[0], True), (NOW - TIMES[0] - 1, False)):
            policy = needing(3)
            policy.age_max = age
            with self.subTest(age):
                if fresh:
                    policy.prove(Checkpoint(maker.checkpoint(leaves, 3)))
                else:
                    with self.assertRaises(Refused):
                        policy.prove(Checkpoint(maker.checkpoint(leaves, 3)))
        unwitnessed = log_only()
        unwitnessed.now, unwitnessed.age_max = NOW, 1 << 40
        with self.assertRaises(Refused):
            unwitnessed.prove(Checkpoint(maker.checkpoint(leaves, 3)))


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
                for wrong in ((leaves[index - 1], index, size, hashes), (leaves[index], (index + 1) % size, size, hashes),
                              (leaves[index], index, size, hashes + [root]), (leaves[index], index, size, hashes[:-1])):
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
                for wrong in ((recursive_root(other.leaves[:old]), new_root, hashes), (old_root, new_root, hashes + [new_root]),
                              (old_root, recursive_root(other.leaves[:new]), hashes), (old_root, new_root, hashes[1:] if hashes else [old_root])):
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
        wrong = {"another record": b"\2" + self.tree.frames[7], "bytes behind": b"\2" + frame_6 + b"\0", "too short": b"\2" + frame_6[:-1],
                 "another kind": b"\3" + frame_6, "nothing": b"", "a hash and more": b"\1" + hash_6 + b"\0", "half a hash": b"\1" + hash_6[:-1],
                 "another flag": b"\2" + frame_6[:8] + b"\x08" + frame_6[9:], "another instant": b"\2" + frame_6[:16] + b"\x01" + frame_6[17:]}
        for what, extra in wrong.items():
            with self.subTest(what), self.assertRaises(Refused):
                Proof(maker.proof(6, self.tree.leaves, extra, self.signed[40])).prove(log_only())
        for what, text in {"another index": good.replace("index 6", "index 5"), "index 06": good.replace("index 6", "index 06"),
                           "beyond the tree": good.replace("index 6", "index 46"), "no index": good.replace("index 6\n", ""),
                           "a line more": good.replace("index 6\n", "index 6\nindex 6\n"), "two extras": good.replace("extra ", "extra AQ==\nextra "),
                           "an older checkpoint": self.tree.receipt(6, self.signed[39]), "no checkpoint": good.split("\n\n")[0] + "\n",
                           "a space": good.replace("index 6", "index 6 "), "another version": good.replace("@v1", "@v2")}.items():
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
        wrong = {"another checkpoint": (grown, self.signed[8]), "another history": (grown, other), "another size": (grown.replace("old 7", "old 8"), self.signed[7]),
                 "hashes from 0": (grown.replace("old 7", "old 0"), self.signed[0]),
                 "a hash less": (grown.replace(hashes[0] + "\n", ""), self.signed[7]), "a hash twice": (grown.replace(hashes[0], hashes[0] + "\n" + hashes[0]), self.signed[7]),
                 "it shrinks": (maker.growth(7, self.tree.leaves, self.signed[6]), self.signed[7]),
                 "not signed": (grown, maker.checkpoint(self.tree.leaves[:7], signer=STATEMENTS))}
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
            self.assertEqual(checker.check(fork.encode())["kind"], "fork")
        wrong = {"the wrong order": maker.fork(*same[::-1]), "no contradiction": maker.fork(same[0], same[0]),
                 "the same root": maker.fork(self.signed[7], self.signed[40], recursive_root(self.tree.leaves[:7]), maker.growth_path(7, self.tree.leaves)),
                 "a false root": maker.fork(*apart[:2], recursive_root(self.tree.leaves[:8]), apart[3]), "no proof": maker.fork(*apart[:2]),
                 "other of one size": maker.fork(*same, apart[2]), "larger first": maker.fork(apart[1], apart[0], *apart[2:]),
                 "from nothing": maker.fork(self.signed[0], signed[40], apart[2], ()),
                 "another signer": maker.fork(apart[0], maker.checkpoint(other.leaves, signer=STATEMENTS), *apart[2:]),
                 "three": maker.fork(*same) + "\n" + same[0]}
        for what, fork in wrong.items():
            with self.subTest(what), self.assertRaises(Refused):
                checker.check(fork.encode())


PARAMETERS = {"as_of": 30, "by": ["year"], "from": None, "map_date": None, "to": "2024-12-31", "where": {"unit": ["phu-dien"]}}


def result_of(leaves, as_of=30, tally="registered"):
    """A result that might be of this tree."""
    return {"tally": tally, "size": len(leaves), "root": maker.coded(recursive_root(leaves)), "as_of": as_of,
            "rows": [{"year": 2024, "count": 9_007_199_254_740_993}]}


class Statements(unittest.TestCase):
    """A figure and the log it is of."""

    @classmethod
    def setUpClass(cls):
        cls.leaves = Tree(40).leaves
        cls.signed = maker.checkpoint(cls.leaves)

    def make(self, parameters=(), result=(), signed=None, **more):
        return maker.statement("registered", PARAMETERS | dict(parameters), result_of(self.leaves) | dict(result), signed or self.signed, **more)

    def test_json_is_canonical(self):
        for text in ("{}", "[]", "null", "true", '"é"', '"\\u0001\\n\\""', '{"a":1,"b":[-2,0]}', "123456789012345678901234567890",
                     '{"\U00010000":1,"\uffee":2}', '"\x7f"'):
            self.assertEqual(canonical(from_canonical(text)), text)
        for text in ("", "1.0", "1e3", "-0", "01", " 1", "[1, 2]", '{"b":1,"a":2}', '{"a":1,"a":1}', '"\\u00e9"', '"\\/"', "NaN", "'a'", "1 ",
                     '{"\uffee":2,"\U00010000":1}', '"\\ud800"', "[" * 5000, '"\\u001F"', "1" * 5000):
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
        wrong = {"signed by the log": self.make(signer=LOG), "by the log's key under another name": self.make(signer=maker.Signer("x.example", seed=f"{ORIGIN} 1")),
                 "another digest": self.make(digest="00" * 32), "as of a later size": self.make({"as_of": 41}, {"as_of": 41}),
                 "another as_of": self.make({"as_of": 29}), "another tally": good.replace("tally registered", "tally recognised"),
                 "a parameter more": self.make({"x": 1}), "a number for a day": self.make({"from": 1}), "values that descend": self.make({"where": {"unit": ["b", "a"]}}),
                 "no value": self.make({"where": {"unit": []}}), "as_of true": self.make({"as_of": True}),
                 "checkpoint of somebody": self.make(signed=maker.checkpoint(self.leaves, signer=maker.Signer("y.example"))),
                 "revision 01": self.make(revision="01"), "another version": good.replace("statement v1", "statement v2")}
        for what, text in wrong.items():
            with self.subTest(what), self.assertRaises(Refused):
                known = keys + [maker.Signer("x.example", seed=f"{ORIGIN} 1").key]
                Checker(known, Policy(known)).check(text.encode())
        with self.assertRaises(Refused):
            Checker([LOG.key], log_only()).check(good.encode())

    def test_a_statement_is_no_checkpoint(self):
        with self.assertRaises(Refused):
            Checkpoint(self.make())


def changes(data, chance, all_values):
    """Every single-byte change: all 255 values of each byte, or one."""
    for at, byte in enumerate(data):
        for value in (set(range(256)) - {byte} if all_values else {byte ^ chance.randrange(1, 256)}):
            yield at, value, data[:at] + bytes([value]) + data[at + 1 :]


class Changed(unittest.TestCase):
    """Every single-byte change of a file is refused when whoever signed it is known and needed."""

    @classmethod
    def setUpClass(cls):
        cls.tree = Tree(13)
        other = Tree(13, b"other ")
        cls.files = {}
        for witnesses in (0, 3):
            signed, old = maker.checkpoint(cls.tree.leaves, witnesses), maker.checkpoint(cls.tree.leaves[:6], witnesses)
            cls.files[witnesses] = {
                "checkpoint": signed, "proof": maker.proof(4, cls.tree.leaves, b"\1" + cls.tree.hashes[4], signed),
                "receipt": cls.tree.receipt(6, signed), "growth": maker.growth(6, cls.tree.leaves, signed),
                "fork": maker.fork(old, maker.checkpoint(other.leaves, witnesses), recursive_root(other.leaves[:6]), maker.growth_path(6, other.leaves)),
                "statement": maker.statement("registered", PARAMETERS | {"as_of": 13}, result_of(cls.tree.leaves, 13), signed)}
        cls.old = {witnesses: maker.checkpoint(cls.tree.leaves[:6], witnesses).encode() for witnesses in (0, 3)}

    def refuse_all(self, name, witnesses, all_values):
        chance = random.Random(f"{name} {witnesses}")
        policy = needing(3) if witnesses else log_only()
        data = self.files[witnesses][name].encode()

        def checked(bytes_):
            checker = Checker([STATEMENTS.key], policy)
            checker.check(self.old[witnesses])  # what a growth grows from
            return checker.check(bytes_)

        self.assertEqual(checked(data)["kind"], name)
        for at, value, changed in changes(data, chance, all_values):
            try:
                told = checked(changed)
            except (Refused, NoLeaf, Usage):
                continue
            self.fail(f"{name}: byte {at} as {value:#04x} passes: {told}")

    def test_all_values_of_a_signed_checkpoint(self):
        self.refuse_all("checkpoint", 0, True)

    def test_one_value_of_everything_signed_by_the_log_alone(self):
        for name in self.files[0]:
            self.refuse_all(name, 0, False)

    def test_one_value_of_everything_cosigned_when_every_signer_is_needed(self):
        for name in self.files[3]:
            self.refuse_all(name, 3, False)

    def test_otherwise_only_a_line_of_somebody_unknown_or_made_unknown_may_change(self):
        data, policy = self.files[3]["checkpoint"].encode(), needing(1, 2)
        lines = data[: data.index("— witness".encode())]
        before = policy.prove(Checkpoint(data.decode()))
        self.assertEqual((len(before.witnesses), before.ignored), (2, 1))
        passed = 0
        for at, value, changed in changes(data, random.Random(7), True):
            try:
                after = policy.prove(Checkpoint(text_of(changed)))
            except Refused:
                continue
            passed += 1
            self.assertGreaterEqual(at, len(lines), f"byte {at} as {value:#04x}")
            self.assertTrue(len(after.witnesses) < 2 or after.witnesses == before.witnesses and after.ignored == 1, (at, value))
        self.assertGreater(passed, 0)


class Served(unittest.TestCase):
    """Directories of tiles."""

    def test_every_file_counts(self):
        tree = Tree(600)
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        maker.write_tiles(directory, tree.frames, tree.hashes, maker.checkpoint(tree.leaves))
        checker = Checker([], log_only())
        self.assertEqual(checker.check_tiles(directory)["size"], 600)
        names = sorted(path for path in directory.rglob("*") if path.is_file())
        self.assertEqual([path.relative_to(directory).as_posix() for path in names],
                         ["checkpoint", "records/000", "records/001", "records/002.p/88", "tile/0/000", "tile/0/001", "tile/0/002.p/88",
                          "tile/1/000.p/2", "tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"])
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
        said = {"commitment": commitment.hex(), "field": 1, "logged_at": 4, "origin": ORIGIN, "position": position, "purpose": "a check",
                "reader": "the auditor", "record_id": str(uuid.UUID(bytes=b"i" * 16)), "salt": maker.coded(salt), "value": value}

        def check(shown, before=receipt):
            checker = Checker([], log_only())
            if before:
                checker.check(before.encode())
            return checker.check((canonical(shown) + "\n").encode())

        self.assertEqual(check(said), {"kind": "disclosure", "position": 3, "field": 1})
        bytes_ = {name: one for name, one in said.items() if name != "value"} | {"value_bytes": maker.coded(b"\1\2")}
        wrong = [said | change for change in (
            {"value": "Nguyễn Văn B"}, {"salt": maker.coded(bytes(32))}, {"field": 2}, {"field": True}, {"field": 1 << 16}, {"position": 2},
            {"record_id": str(uuid.UUID(int=1))}, {"commitment": bytes(32).hex()}, {"commitment": commitment.hex().upper()},
            {"origin": "elsewhere.example"}, {"more": 1}, {"logged_at": -1}, {"reader": 1}, {"salt": maker.coded(salt[:31])})]
        for shown in (*wrong, bytes_, {name: one for name, one in said.items() if name != "purpose"}):
            with self.subTest(shown), self.assertRaises(Refused):
                check(shown)
        with self.assertRaises(Refused):
            check(said, tree.receipt(2, maker.checkpoint(tree.leaves)))
        with self.assertRaises(Usage):
            check(said, None)
        for text in (json.dumps(said), canonical(said) + "\n\n", " " + canonical(said) + "\n"):
            with self.assertRaises((Refused, Usage)):
                checker = Checker([], log_only())
                checker.check(receipt.encode())
                checker.check(text.encode())


class Command(unittest.TestCase):
    """What the command says of several files."""

    def test_false_outranks_unanswerable(self):
        tree = Tree(9)
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        signed = maker.checkpoint(tree.leaves)
        texts = {"good": signed, "false": signed.replace("\n9\n", "\n8\n"), "leafless": maker.proof(2, tree.leaves, None, signed),
                 "growth": maker.growth(4, tree.leaves, signed)}
        for name, text in texts.items():
            directory.joinpath(name).write_text(text)
        for names, code in (("good", 0), ("good false", 1), ("leafless", 2), ("leafless false", 1), ("absent", 2), ("growth", 2), ("growth good", 2)):
            with self.subTest(names):
                self.assertEqual(check_files([directory / name for name in names.split()], Checker([], log_only()))[1], code)
        self.assertEqual(check_files([directory / "good"], Checker([], Policy()))[1], 2)


if __name__ == "__main__":
    unittest.main()
