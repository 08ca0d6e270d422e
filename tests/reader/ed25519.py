"""Ed25519 as docs/FORMAT.md §11.1 wants it: A and R canonical and not of small order, S < ℓ, and [S]B = R + [k]A without cofactor.

The arithmetic is RFC 8032 §5.1 in plain integers. The library's verification comes first because it is fast and refuses most;
nothing is accepted on its word alone, since it lets through what is not canonical or of small order."""

from functools import lru_cache
from hashlib import sha512

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

P = (1 << 255) - 19
L = (1 << 252) + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
_ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)  # extended coordinates (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z


def decoded(data):
    """The point that 32 bytes encode canonically; none if they do not."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    if len(data) != 32 or y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * _ROOT_OF_MINUS_ONE % P
        if v * x * x % P != u:
            return None
    if x == 0 and sign:
        return None  # a negative zero
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def added(p, q):
    """The sum of two points."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _doubled(p):
    a, b, c = p[0] * p[0] % P, p[1] * p[1] % P, 2 * p[2] * p[2] % P
    h = a + b
    e, g = h - (p[0] + p[1]) ** 2 % P, a - b
    f = c + g
    return e * f % P, g * h % P, f * g % P, e * h % P


def _negative(p):
    return P - p[0], p[1], p[2], P - p[3]


def _same(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def _of_small_order(p):
    return _same(_doubled(_doubled(_doubled(p))), NEUTRAL)


def _sum_of_products(s, p, k, q):
    """[s]p + [k]q, both scalars in one pass."""
    table = (None, p, q, added(p, q))
    total = NEUTRAL
    for bit in range(max(s.bit_length(), k.bit_length()) - 1, -1, -1):
        total = _doubled(total)
        which = (s >> bit & 1) | (k >> bit & 1) << 1
        if which:
            total = added(total, table[which])
    return total


BASE = decoded((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def is_key(public):
    """Whether these bytes may be a public key at all."""
    point = decoded(public)
    return point is not None and not _of_small_order(point)


def equation_holds(public, message, signature):
    """The rule of §11.1 in full, by our own arithmetic."""
    if len(signature) != 64:
        return False
    a, r, s = decoded(public), decoded(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or _of_small_order(a) or _of_small_order(r) or s >= L:
        return False
    k = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % L
    return _same(_sum_of_products(s, BASE, k, _negative(a)), r)


@lru_cache(1 << 12)
def verifies(public, message, signature):
    """Whether a signature is valid."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return equation_holds(public, message, signature)
