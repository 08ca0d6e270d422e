"""Every single-byte change of a file is refused where whoever signed it is known and needed; elsewhere it shows.

    /tmp/reader/bin/python -m unittest discover tests/reader
"""

import random
import unittest

import maker
from check import Checker
from maker import STATEMENTS
from merkle import recursive_root
from notes import Checkpoint, Refused, text_of
from proofs import NoLeaf
from trees import PARAMETERS, Tree, log_only, needing, result_of
from trust import Usage


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
                "checkpoint": signed,
                "proof": maker.proof(4, cls.tree.leaves, b"\1" + cls.tree.hashes[4], signed),
                "receipt": cls.tree.receipt(6, signed),
                "growth": maker.growth(6, cls.tree.leaves, signed),
                "fork_proof": maker.fork(
                    old,
                    maker.checkpoint(other.leaves, witnesses),
                    recursive_root(other.leaves[:6]),
                    maker.growth_path(6, other.leaves),
                ),
                "statement": maker.statement("registered", PARAMETERS | {"as_of": 13}, result_of(cls.tree.leaves, 13), signed),
            }
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


if __name__ == "__main__":
    unittest.main()
