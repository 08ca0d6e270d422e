"""Trees of records that the tests make, whom they trust, and a tally's result that might be of such a tree."""

import maker
from forge import hash_of as record_hash_of
from maker import LOG, NOW
from merkle import leaf_of, recursive_root
from policy import Policy
from test_forged import frame

PARAMETERS = {"as_of": 30, "by": ["year"], "from": None, "map_date": None, "to": "2024-12-31", "where": {"unit": ["phu-dien"]}}


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


def result_of(leaves, as_of=30, tally="registered"):
    """A result that might be of this tree."""
    return {
        "tally": tally,
        "size": as_of,
        "root": maker.coded(recursive_root(leaves[:as_of])),
        "as_of": as_of,
        "rows": [{"year": 2024, "count": 9_007_199_254_740_993}],
    }
