"""Makes evidence for the tests: keys from fixed seeds, signed and cosigned checkpoints, proofs, statements and tiles, by the definitions
of RFC 6962 §2.1 and docs/FORMAT.md §11 alone."""

import base64
import struct
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from checksums import blake3_in
from merkle import leaf_of, recursive_root
from notes import COSIGNS, SIGNS, Key
from statements import canonical
from tiles import WIDTH, path_of

ORIGIN = "example.org/log"


def coded(data):
    """Bytes in base64."""
    return base64.b64encode(data).decode()


class Signer:
    """A key pair whose seed is its name."""

    def __init__(self, name, kind=SIGNS, seed=None):
        self._key = Ed25519PrivateKey.from_private_bytes(sha256((seed or f"{name} {kind}").encode()).digest())
        self.key = Key.of(name, kind, self._key.public_key().public_bytes_raw())

    def line(self, text, time=None):
        """A signature line over a note's text, a cosignature when there is a time."""
        message, before = text.encode(), b""
        if time is not None:
            message, before = b"cosignature/v1\ntime %d\n" % time + message, struct.pack(">Q", time)
        return f"— {self.key.name} {coded(self.key.id + before + self._key.sign(message))}\n"


LOG = Signer(ORIGIN)
STATEMENTS = Signer("example.org/figures")
WITNESSES = [Signer(f"witness-{n}.example", COSIGNS) for n in (1, 2, 3)]
TIMES = [1_795_500_000, 1_795_500_060, 1_795_500_120]
NOW = 1_795_510_000


def policy_text(quorum, witnesses=3, extra=""):
    """A policy that knows the log and the witnesses W1, W2 …"""
    lines = [f"log {LOG.key}"] + [f"witness W{n + 1} {WITNESSES[n].key}" for n in range(witnesses)]
    return "\n".join(lines) + f"\n{extra}quorum {quorum}\n"


def needing(count, of=3):
    """A policy that needs so many of the witnesses."""
    return policy_text("G", of, f"group G {count} {' '.join(f'W{n + 1}' for n in range(of))}\n")


def checkpoint(leaves, witnesses=0, signer=LOG, origin=ORIGIN, times=TIMES):
    """A signed checkpoint of a tree."""
    text = f"{origin}\n{len(leaves)}\n{coded(recursive_root(leaves))}\n"
    lines = signer.line(text) + "".join(WITNESSES[n].line(text, times[n]) for n in range(witnesses))
    return f"{text}\n{lines}"


def path(index, leaves):
    """PATH(m, D[n]) of RFC 6962 §2.1.1."""
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return path(index, leaves[:split]) + [recursive_root(leaves[split:])]
    return path(index - split, leaves[split:]) + [recursive_root(leaves[:split])]


def growth_path(old, leaves, whole=True):
    """SUBPROOF(m, D[n], b) of RFC 6962 §2.1.2."""
    if old == len(leaves):
        return [] if whole else [recursive_root(leaves)]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if old <= split:
        return growth_path(old, leaves[:split], whole) + [recursive_root(leaves[split:])]
    return growth_path(old - split, leaves[split:], False) + [recursive_root(leaves[:split])]


def proof(index, leaves, extra, signed):
    """A tlog-proof of one leaf in a signed checkpoint."""
    extra = "" if extra is None else f"extra {coded(extra)}\n"
    return f"c2sp.org/tlog-proof@v1\n{extra}index {index}\n{_lines(path(index, leaves))}\n{signed}"


def growth(old, leaves, signed):
    """The add-checkpoint body from a size to a signed checkpoint."""
    return f"old {old}\n{_lines(growth_path(old, leaves) if old else [])}\n{signed}"


def fork(older, newer, other=None, hashes=()):
    """A fork proof."""
    head = "" if other is None else f"other {coded(other)}\n{_lines(hashes)}"
    return f"sovang fork proof v1\n{head}\n{older}\n{newer}"


def _lines(hashes):
    return "".join(coded(hash_) + "\n" for hash_ in hashes)


def statement(tally, parameters, result, signed, signer=STATEMENTS, revision=1, digest=None):
    """A signed statement."""
    result = canonical(result)
    digest = digest or blake3_in("statement result v1", result.encode()).hex()
    text = (f"sovang statement v1\ntally {tally}\nrevision {revision}\nparameters {canonical(parameters)}\ndigest {digest}\n"
            f"result {result}\n\n{signed}")
    return f"{text}\n{signer.line(text)}"


def write_tiles(directory, frames, hashes, signed):
    """A directory of tiles."""
    directory = Path(directory)

    def write(folder, items, join):
        for first in range(0, len(items), WIDTH):
            part = items[first : first + WIDTH]
            file = directory / folder / path_of(first // WIDTH, len(part))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"".join(map(join, part)))

    write("records", frames, lambda frame: struct.pack(">I", len(frame)) + frame)
    write("tile/entries", hashes, lambda entry: struct.pack(">H", len(entry)) + entry)
    nodes, level = [leaf_of(entry) for entry in hashes], 0
    while nodes:
        write(f"tile/{level}", nodes, bytes)
        nodes = [recursive_root(nodes[at : at + WIDTH]) for at in range(0, len(nodes) - WIDTH + 1, WIDTH)]
        level += 1
    directory.joinpath("checkpoint").write_text(signed)
