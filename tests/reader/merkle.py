"""The tree of RFC 6962 §2.1 and its frontier (docs/FORMAT.md §3)."""

from hashlib import sha256

EMPTY = sha256().digest()


def leaf_of(record_hash):
    """The leaf of a record."""
    return sha256(b"\0" + record_hash).digest()


def node_of(left, right):
    """The node above two."""
    return sha256(b"\1" + left + right).digest()


def root_of(frontier):
    """The root over the perfect subtrees, the largest first."""
    if not frontier:
        return EMPTY
    root = frontier[-1]
    for left in reversed(frontier[:-1]):
        root = node_of(left, root)
    return root


def append(frontier, size, leaf):
    """Adds the leaf with index `size` to the frontier of `size` leaves."""
    while size & 1:
        leaf = node_of(frontier.pop(), leaf)
        size >>= 1
    frontier.append(leaf)


def perfect(leaves):
    """The root of a power of two of leaves."""
    level = leaves
    while len(level) > 1:
        level = [node_of(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


def recursive_root(leaves):
    """MTH of RFC 6962 §2.1, word for word: slow, and the check on the functions above."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_of(recursive_root(leaves[:split]), recursive_root(leaves[split:]))
