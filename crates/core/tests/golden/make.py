"""Made the texts of this directory, from docs/FORMAT.md §3 and §11 and the C2SP texts, with other libraries than ours:
`pip install blake3 cryptography`, then `python make.py`. They are fixed: a difference is a change of the format."""

import base64
import hashlib
import struct
from pathlib import Path

from blake3 import blake3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = Path(__file__).parent


def b64(data):
    return base64.b64encode(data).decode()


def derived(context, data):
    return blake3(data, derive_key_context="sovang 2026-11 " + context).digest()


# Seeds of 32 equal bytes: test keys, never to be trusted.
class Key:
    def __init__(self, name, seed):
        self.name = name
        self.key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def id(self, kind):
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([kind]) + self.public).digest()[:4]

    def vkey(self, kind):
        return f"{self.name}+{self.id(kind).hex()}+{b64(bytes([kind]) + self.public)}"

    def line(self, kind, signature):
        return f"\u2014 {self.name} {b64(self.id(kind) + signature)}\n"

    def sign(self, text):
        return self.line(1, self.key.sign(text.encode()))

    def cosign(self, text, time):
        signature = self.key.sign(f"cosignature/v1\ntime {time}\n{text}".encode())
        return self.line(4, struct.pack(">Q", time) + signature)


def frame(n):
    actor = b"clerk:lan"
    metadata = bytes(3) + struct.pack("<Q", len(actor)) + actor + bytes(2)
    body = struct.pack("<HB", len(metadata), 0) + metadata + bytes([n]) * (n + 1)
    header = struct.pack("<IHHIiq", len(body), 3, 1, 0, 20_000 + n, 1_728_900_000_000_000 + n)
    return header + bytes(range(n, n + 16)) + body


def record_hash(n):
    f = frame(n)
    body_len, kind, version, flags, day, at = struct.unpack_from("<IHHIiq", f)
    body = f[40:]
    digest = derived("body v1", body + bytes(-len(body) % 64))
    preimage = struct.pack("<HHIQqiI", kind, version, flags, n, at, day, body_len) + f[24:40] + digest + bytes(32)
    return derived("record v1", preimage + bytes(16))


def leaf(n):
    return hashlib.sha256(b"\0" + record_hash(n)).digest()


def root(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return hashlib.sha256(b"\1" + root(leaves[:k]) + root(leaves[k:])).digest()


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def path(m, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return path(m, leaves[:k]) + [root(leaves[k:])]
    return path(m - k, leaves[k:]) + [root(leaves[:k])]


def consistency(m, leaves, whole=True):
    if m == len(leaves):
        return [] if whole else [root(leaves)]
    k = split(len(leaves))
    if m <= k:
        return consistency(m, leaves[:k], whole) + [root(leaves[k:])]
    return consistency(m - k, leaves[k:], False) + [root(leaves[:k])]


LOG = Key("example.org/golden", 1)
W1 = Key("w1.example.net", 2)
W2 = Key("w2.example.net/ủy-ban", 3)
OFFICE = Key("example.org/golden/statements", 4)
LEAVES = [leaf(n) for n in range(7)]


def checkpoint(leaves):
    text = f"{LOG.name}\n{len(leaves)}\n{b64(root(leaves))}\n"
    return text, text + "\n" + LOG.sign(text)


def lines(hashes):
    return "".join(b64(h) + "\n" for h in hashes)


def write(name, text):
    (HERE / name).write_bytes(text.encode())


text, signed = checkpoint(LEAVES)
cosigned = signed + W1.cosign(text, 1_750_000_000) + W2.cosign(text, 1_760_000_000)
write("keys", "".join(v + "\n" for v in [LOG.vkey(1), W1.vkey(4), W2.vkey(4), OFFICE.vkey(1)]))
write("checkpoint", signed)
write("checkpoint.cosigned", cosigned)
write("policy", f"log {LOG.vkey(1)}\nwitness w1 {W1.vkey(4)}\nwitness w2 {W2.vkey(4)} https://w2.example.net/\ngroup both all w1 w2\nquorum both\n")
proof = lines(path(4, LEAVES)) + "\n"
write("proof", "c2sp.org/tlog-proof@v1\nextra " + b64(b"\1" + record_hash(4)) + "\nindex 4\n" + proof + signed)
write("receipt", "c2sp.org/tlog-proof@v1\nextra " + b64(b"\2" + frame(4)) + "\nindex 4\n" + proof + cosigned)
_, old = checkpoint(LEAVES[:3])
write("checkpoint.old", old)
write("growth", "old 3\n" + lines(consistency(3, LEAVES)) + "\n" + cosigned)
# The same log with another first record.
other = [hashlib.sha256(b"\0" + bytes(32)).digest()] + LEAVES[1:]
_, other_signed = checkpoint(other)
a, b = sorted([(root(LEAVES), signed), (root(other), other_signed)])
write("fork.same-size", "sovang fork proof v1\n\n" + a[1] + "\n" + b[1])
write("fork.growth", "sovang fork proof v1\nother " + b64(root(other[:3])) + "\n" + lines(consistency(3, other)) + "\n" + old + "\n" + other_signed)
parameters = '{"as_of":5,"by":["year","unit"],"from":"2024-01-01","map_date":null,"to":null,"where":{"unit":["liên-mạc","phu-dien"],"year":[2024]}}'
result = f'{{"as_of":5,"root":"{b64(root(LEAVES[:5]))}","rows":[{{"count":2,"unit":"liên-mạc","year":2024}}],"size":5,"tally":"registered"}}'
body = f"sovang statement v1\ntally registered\nrevision 1\nparameters {parameters}\ndigest {derived('statement result v1', result.encode()).hex()}\nresult {result}\n\n{cosigned}"
write("statement", body + "\n" + OFFICE.sign(body))
