"""Whom the second verifier believes: published vectors, keys, notes, checkpoints, policies.

    /tmp/reader/bin/python -m unittest discover tests/reader
"""

import base64
import json
import unittest
from pathlib import Path

import ed25519
import maker
from maker import LOG, NOW, ORIGIN, STATEMENTS, TIMES, WITNESSES
from merkle import EMPTY, leaf_of
from notes import Checkpoint, Key, Note, Refused, hash_of, number_of, text_of
from policy import Policy
from proofs import NoLeaf, Proof, check_consistency, check_inclusion
from trees import Tree, log_only, needing

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
SUMDB = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
SUMDB_ORIGIN = "go.sum database tree"


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
        text, entry = (
            folder.joinpath("go.sum-database-tree-43930254.tlog-proof").read_text(),
            next(folder.glob("*.raw")).read_bytes(),
        )
        policy = Policy([Key.parse(SUMDB)])
        policy.origin = SUMDB_ORIGIN
        proven, record_hash = Proof(text).prove(policy, entry)
        self.assertEqual((proven.checkpoint.size, record_hash), (58_253_265, None))
        with self.assertRaises(NoLeaf):
            Proof(text).prove(policy)
        policy.origin = None
        refusals = {
            "another entry": (policy, entry + b"\n"),
            "the key's name is not the origin": (policy, entry),
            "another key": (log_only(), entry),
        }
        for what, (whom, leaf) in refusals.items():
            with self.subTest(what), self.assertRaises(Refused):
                Proof(text).prove(whom, leaf)

    def test_the_note_of_the_specification(self):
        key = Key.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
        note = Note(
            "This is an example message.\n\n"
            "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
        )
        self.assertEqual(note.signers([key]), ({key: []}, 0))

    def test_the_checkpoint_of_the_specification_has_the_form(self):
        text = (
            "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
            "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
            "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
        )
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
        wrong = [
            f"{name}+{id_}",
            f"+{id_}+{data}",
            f"{name}+{id_.upper()}+{data}",
            f"{name}+00000000+{data}",
            f"{name}x+{id_}+{data}",
            f"{name}+{id_}+{data}\n",
            f"{name}+{id_}+ {data}",
            f"{name}+{id_}+{data}=",
            str(Key.of(name, 6, raw[1:])),
            str(Key.of(name, 1, raw[1:] + b"\0")),
            str(small),
            str(beyond),
        ]
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
        for text in (
            *(f"{good[:-2]}{digits[at ^ bits]}=" for bits in (1, 2, 3)),
            good[:-1],
            good + "=",
            good[:9] + "\n" + good[9:],
            good.replace("+", "-"),
            good[:-4],
            good + "AAAA",
        ):
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
        for what, note in {
            "after": signed + failing,
            "alone": f"{text}\n{failing}",
            "unknown alone": f"{text}\n{other.line(text)}",
        }.items():
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
        for line in (
            "- a AAAAAAA=",
            "—  a AAAAAAA=",
            "— a  AAAAAAA=",
            "— a AAAAAAA= ",
            "— a AAAAAA==",
            "— a AAAAAAB=",
            "— a+b AAAAAAA=",
            "— a",
            " — a AAAAAAA=",
            "— a\u00a0b AAAAAAA=",
            "—a AAAAAAA=",
            "— AAAAAAA=",
            "",
        ):
            with self.subTest(line), self.assertRaises(Refused):
                log_only().prove(Checkpoint(signed + line + "\n"))

    def test_a_checkpoint_has_three_lines_and_the_root_of_nothing_at_size_0(self):
        root = maker.coded(EMPTY)

        def signed(text):
            return f"{text}\n{LOG.line(text)}"

        self.assertEqual(log_only().prove(Checkpoint(signed(f"{ORIGIN}\n0\n{root}\n"))).checkpoint.size, 0)
        for text in (
            f"{ORIGIN}\n0\n{maker.coded(leaf_of(b''))}\n",
            f"{ORIGIN}\n01\n{root}\n",
            f"{ORIGIN}\n1\n{root}\nextension\n",
            f"{ORIGIN}\n1\n",
            f"{ORIGIN}\n1\n{root[:-4]}\n",
            f"\n1\n{root}\n",
            f"{ORIGIN}\n1\n{root} \n",
            f"{ORIGIN}x\n1\n{root}\n",
            f"{ORIGIN}\n1\n{root}\n\n",
        ):
            with self.subTest(text), self.assertRaises(Refused):
                log_only().prove(Checkpoint(signed(text)))


class Policies(unittest.TestCase):
    """Whom to trust."""

    def test_the_policy_of_the_specification(self):
        keys = [maker.Signer(f"w{n}.example", 4).key for n in range(6)]
        names = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
        lines = [f"witness {name} {key}" for name, key in zip(names, keys)]
        policy = Policy.parse(
            "\n".join(
                [
                    "# whom we trust",
                    "",
                    f"\tlog {LOG.key} https://log.example/ ",
                    *lines[:3],
                    "group X-witnesses 2 X1 X2 X3",
                    *lines[3:],
                    "group Y-witnesses any Y1 Y2 Y3",
                    "group X-and-Y all X-witnesses Y-witnesses",
                    "quorum X-and-Y",
                    "",
                ]
            ).encode()
        )
        for cosigned, enough in (
            ("X1 X2 Y3", True),
            ("X1 X2 X3", False),
            ("X1 Y1 Y2 Y3", False),
            ("X3 X2 Y1", True),
            ("", False),
        ):
            self.assertEqual(policy.enough(set(cosigned.split())), enough, cosigned)

    def test_what_is_no_policy(self):
        w1, w2 = WITNESSES[0].key, WITNESSES[1].key
        same = Key.of("renamed.example", 4, w1.public)
        as_witness = Key.of("log-as-witness.example", 4, LOG.key.public)
        head = f"log {LOG.key}\nwitness W1 {w1}\nwitness W2 {w2}\n"
        good = head + "group G 2 W1 W2\nquorum G\n"
        for text in (good, good[:-1], good + "\n # the end"):
            Policy.parse(text.encode())
        many = [f"witness V{n} {maker.Signer(f'v{n}.example', 4).key}\n" for n in range(257)]
        Policy.parse((head.split("witness")[0] + "".join(many[:256]) + "quorum none\n").encode())
        wrong = {
            "257 witnesses": head.split("witness")[0] + "".join(many) + "quorum none\n",
            "no quorum": head,
            "two": good + "quorum none\n",
            "undefined": head + "quorum W3\n",
            "defined below": head + "quorum G\ngroup G any W1\n",
            "0 of 2": head + "group G 0 W1 W2\nquorum G\n",
            "3 of 2": head + "group G 3 W1 W2\nquorum G\n",
            "02": head + "group G 02 W1 W2\nquorum G\n",
            "no members": head + "group G any\nquorum G\n",
            "none as member": head + "group G any none\nquorum G\n",
            "none as name": head + f"witness none {maker.Signer('x', 4).key}\nquorum none\n",
            "twice": head + "group G 2 W1 W1\nquorum G\n",
            "in two groups": head + "group A any W1\ngroup B any W1 W2\nquorum B\n",
            "itself": head + "group G any G\nquorum G\n",
            "same name": head + f"witness W1 {maker.Signer('x', 4).key}\nquorum W1\n",
            "same key": head + f"witness W3 {same}\nquorum W1\n",
            "the log's": head + f"witness W3 {as_witness}\nquorum W1\n",
            "log twice": head + f"log {LOG.key}\nquorum W1\n",
            "a log that cosigns": f"log {w1}\nquorum none\n",
            "a witness that signs": f"witness W {LOG.key}\nquorum W\n",
            "another word": head + "threshold 2\nquorum W1\n",
            "more words": head + "quorum W1 W2\n",
            "control": good.replace("2 W1", "2\r W1"),
            "delete": good.replace("2 W1", "2\x7f W1"),
            "no space but": good.replace("group G", "group\u00a0G"),
        }
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


if __name__ == "__main__":
    unittest.main()
