"""Proofs over the tree (RFC 9162 §2.1.3.2 and §2.1.4.2) and the files that hold them: C2SP tlog-proof, receipts, growth, fork proofs
(docs/FORMAT.md §11.3 to §11.5)."""

from merkle import EMPTY, leaf_of, node_of
from notes import Checkpoint, Refused, from_base64, hash_of, number_of
from record import Invalid, read_frame

HASHES_MAX = 63
PROOF_LINE = "c2sp.org/tlog-proof@v1"
FORK_LINE = "sovang fork proof v1"
_HASH_ALONE, _WHOLE_RECORD = 1, 2


class NoLeaf(Exception):
    """Nothing says which record the proof is about: a question that cannot be answered, not a falsehood."""


def check_inclusion(leaf, index, size, hashes, root):
    """The leaf is the one with this index among `size` leaves with this root."""
    if index >= size:
        raise Refused(f"index {index} in a tree of {size}")
    number, last, node = index, size - 1, leaf
    for sibling in hashes:
        if last == 0:
            raise Refused("the inclusion proof is too long")
        if number & 1 or number == last:
            node = node_of(sibling, node)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            node = node_of(node, sibling)
        number, last = number >> 1, last >> 1
    if last or node != root:
        raise Refused("the inclusion proof does not lead to the root")


def check_consistency(old_size, new_size, old_root, new_root, hashes):
    """The tree of the old size is the beginning of that of the new one."""
    if old_size > new_size:
        raise Refused(f"size {old_size} is larger than {new_size}")
    if old_size == new_size:
        if hashes or old_root != new_root or (not old_size and old_root != EMPTY):
            raise Refused("the roots of one size differ, or a proof where there is none to give")
        return
    if not old_size:
        raise Refused("no proof starts at size 0")
    hashes = list(hashes)
    if old_size & old_size - 1 == 0:
        hashes.insert(0, old_root)
    if not hashes:
        raise Refused("no consistency proof")
    number, last = old_size - 1, new_size - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise Refused("the consistency proof is too long")
        if number & 1 or number == last:
            old, new = node_of(sibling, old), node_of(sibling, new)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            new = node_of(new, sibling)
        number, last = number >> 1, last >> 1
    if last or (old, new) != (old_root, new_root):
        raise Refused("the consistency proof does not lead from root to root")


def _hashes(lines):
    if len(lines) > HASHES_MAX:
        raise Refused(f"{len(lines)} hashes")
    return [hash_of(line) for line in lines]


def _head_and_rest(text):
    head, empty, rest = text.partition("\n\n")
    if not empty:
        raise Refused("no empty line")
    return head.split("\n"), rest


def _after(prefix, line):
    if not line.startswith(prefix):
        raise Refused(f"{prefix.strip()!r} is missing: {line[:80]!r}")
    return line[len(prefix) :]


class Proof:
    """A tlog-proof, as written and not yet believed."""

    def __init__(self, text):
        lines, rest = _head_and_rest(text)
        if lines.pop(0) != PROOF_LINE:
            raise Refused("no tlog-proof")
        self.extra = None
        if lines and lines[0].startswith("extra "):
            self.extra = from_base64(_after("extra ", lines.pop(0)))
            if not self.extra:
                raise Refused("an empty extra line")
        self.index = number_of(_after("index ", lines.pop(0) if lines else ""))
        self.hashes = _hashes(lines)
        self.checkpoint = Checkpoint(rest)
        self.record = None

    def record_hash(self):
        """What `extra` says, which counts only because its leaf leads to a signed root."""
        if self.extra is None:
            raise NoLeaf("the proof names no record: give the entry")
        if self.extra[0] == _HASH_ALONE:
            if len(self.extra) != 33:
                raise Refused(f"a record hash of {len(self.extra) - 1} bytes")
            return self.extra[1:]
        if self.extra[0] != _WHOLE_RECORD:
            raise Refused(f"extra of kind {self.extra[0]:#04x}")
        try:
            self.record = read_frame(self.extra[1:], self.index)
        except Invalid as invalid:
            raise Refused(f"the record is not valid: {invalid}") from None
        if self.record.length != len(self.extra) - 1:
            raise Refused("bytes follow the record")
        return self.record.hash

    def prove(self, policy, entry=None):
        """The checkpoint, once it is believed and the record, or the raw entry beside the proof, is shown to be in it."""
        record_hash = self.record_hash() if entry is None else None
        leaf = leaf_of(record_hash if entry is None else entry)
        proven = policy.prove(self.checkpoint)
        check_inclusion(leaf, self.index, self.checkpoint.size, self.hashes, self.checkpoint.root)
        return proven, record_hash


class Growth:
    """The body of an add-checkpoint request."""

    def __init__(self, text):
        lines, rest = _head_and_rest(text)
        self.old_size, self.hashes = number_of(_after("old ", lines[0])), _hashes(lines[1:])
        self.checkpoint = Checkpoint(rest)

    def prove(self, old, policy):
        """The new checkpoint, once both are believed and the new one is shown to continue the old one."""
        before, now = policy.prove(old, of_any_age=True), policy.prove(self.checkpoint)
        if old.origin != self.checkpoint.origin:
            raise Refused(f"the origins differ: {old.origin!r} and {self.checkpoint.origin!r}")
        if old.size != self.old_size:
            raise Refused(f"it grows from size {self.old_size}, and the checkpoint before it is of size {old.size}")
        if self.old_size:
            check_consistency(old.size, self.checkpoint.size, old.root, self.checkpoint.root, self.hashes)
        elif self.hashes:
            raise Refused("hashes, and nothing to prove from size 0")
        return before, now


class Fork:
    """A fork proof: one log has signed two histories."""

    def __init__(self, text):
        head, rest = _head_and_rest(text)
        if head.pop(0) != FORK_LINE:
            raise Refused("no fork proof")
        parts = rest.split("\n\n")
        if len(parts) != 4:
            raise Refused("a fork proof has two checkpoints")
        self.older, self.newer = Checkpoint("\n\n".join(parts[:2]) + "\n"), Checkpoint("\n\n".join(parts[2:]))
        self.other = hash_of(_after("other ", head.pop(0))) if head else None
        self.hashes = _hashes(head)

    def prove(self, policy):
        """The two checkpoints, once both are believed and shown to contradict each other."""
        older, newer, other = self.older, self.newer, self.other
        if older.origin != newer.origin or not older.size:
            raise Refused("two origins, or nothing to contradict")
        if older.size > newer.size or (older.size == newer.size) != (other is None):
            raise Refused("the smaller checkpoint comes first, and `other` stands between two sizes")
        if other is None and not older.root < newer.root:
            raise Refused("of one size, the smaller root comes first, and the roots differ")
        if other is not None:
            if other == older.root:
                raise Refused("no contradiction: the larger history has the root of the smaller one")
            check_consistency(older.size, newer.size, other, newer.root, self.hashes)
        return policy.prove(older, of_any_age=True), policy.prove(newer, of_any_age=True)
