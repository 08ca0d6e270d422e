"""Opens the values of a vault: XChaCha20-Poly1305 in plain Python, by draft-irtf-cfrg-xchacha-03 and RFC 8439, and what
docs/FORMAT.md §7.3 puts around it. A millisecond a value, so it is done only when asked for."""

import struct

from checksums import blake3_in

_CONSTANTS = (0x61707865, 0x3320646E, 0x79622D32, 0x6B206574)
_QUARTERS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15), (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
_WORD = 0xFFFFFFFF
_PRIME = (1 << 130) - 5
_CLAMP = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF


def _rounds(start):
    x = list(start)
    for _ in range(10):
        for a, b, c, d in _QUARTERS:
            for first, second, third, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                x[first] = x[first] + x[second] & _WORD
                mixed = x[third] ^ x[first]
                x[third] = (mixed << turn | mixed >> 32 - turn) & _WORD
    return x


def _block(key, counter, nonce):
    start = (*_CONSTANTS, *key, counter, *nonce)
    return struct.pack("<16I", *(a + b & _WORD for a, b in zip(_rounds(start), start)))


def unseal(key, nonce, data, associated):
    """The plaintext; none when the tag does not hold."""
    mixed = _rounds((*_CONSTANTS, *struct.unpack("<8I", key), *struct.unpack("<4I", nonce[:16])))
    subkey = mixed[:4] + mixed[12:]
    inner = (0, *struct.unpack("<2I", nonce[16:]))
    sealed, tag = data[:-16], data[-16:]
    once = _block(subkey, 0, inner)
    r, s = int.from_bytes(once[:16], "little") & _CLAMP, int.from_bytes(once[16:32], "little")
    padded = b"".join(part + bytes(-len(part) % 16) for part in (associated, sealed)) + struct.pack("<QQ", len(associated), len(sealed))
    sum_ = 0
    for at in range(0, len(padded), 16):
        sum_ = (sum_ + int.from_bytes(padded[at : at + 16] + b"\1", "little")) * r % _PRIME
    if (sum_ + s & (1 << 128) - 1).to_bytes(16, "little") != tag:
        return None
    stream = b"".join(_block(subkey, counter, inner) for counter in range(1, len(sealed) // 64 + 2))
    return bytes(a ^ b for a, b in zip(sealed, stream))


def value_of(ledger_id, key, row):
    """The subject's id and the encoded value of a row; none unless it opens and hashes to its commitment."""
    associated = ledger_id + row.commitment + row.record + struct.pack("<H", row.field)
    plain = unseal(key, row.nonce, row.ciphertext, associated)
    if plain is None or len(plain) < 34:
        return None
    salt, end = plain[:32], 34 + int.from_bytes(plain[32:34], "little")
    subject, value = plain[34:end], plain[end:]
    committed = blake3_in("personal v1", salt + struct.pack("<HI", row.field, len(value)) + value)
    return (subject.decode(), value) if committed == row.commitment else None
