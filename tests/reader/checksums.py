"""The hashes of the format: CRC32C in plain Python, and BLAKE3 under the format's contexts (docs/FORMAT.md, conventions)."""

import struct

from blake3 import blake3

_POLYNOMIAL = 0x82F63B78  # Castagnoli, reflected


def _tables():
    """Four tables of 65,536: what 16 bits of the state contribute after 16, 32, 48 and 64 more bits. A table for a byte
    would do, at a third of the speed."""
    byte = []
    for state in range(256):
        for _ in range(8):
            state = state >> 1 ^ (_POLYNOMIAL if state & 1 else 0)
        byte.append(state)
    after16 = []
    for state in range(65_536):
        state = byte[state & 255] ^ state >> 8
        after16.append(byte[state & 255] ^ state >> 8)
    tables = [after16]
    for _ in range(3):
        tables.append([after16[state & 0xFFFF] ^ state >> 16 for state in tables[-1]])
    return byte, tables


_BYTE, (_AFTER16, _AFTER32, _AFTER48, _AFTER64) = _tables()
_WORDS = {}


def crc_start():
    """The state before the first byte."""
    return 0xFFFFFFFF


def crc_more(state, data):
    """The state after `data`."""
    words = len(data) >> 3
    unpack = _WORDS.get(words)
    if unpack is None:
        unpack = _WORDS.setdefault(words, struct.Struct(f"<{words}Q").unpack_from)
    a, b, c, d = _AFTER64, _AFTER48, _AFTER32, _AFTER16
    for word in unpack(data):
        word ^= state
        state = a[word & 0xFFFF] ^ b[word >> 16 & 0xFFFF] ^ c[word >> 32 & 0xFFFF] ^ d[word >> 48]
    for byte in bytes(data[words << 3 :]):
        state = _BYTE[(state ^ byte) & 255] ^ state >> 8
    return state


def crc_end(state):
    """The checksum that a state stands for."""
    return state ^ 0xFFFFFFFF


def crc32c(*parts):
    """The CRC32C of the parts joined."""
    state = crc_start()
    for part in parts:
        state = crc_more(state, part)
    return crc_end(state)


def blake3_in(context, data):
    """BLAKE3 with a context of the format."""
    return blake3(data, derive_key_context=f"sovang 2026-11 {context}").digest()


def blake3_plain(data):
    """BLAKE3 without a context: names in `quarantine/` only."""
    return blake3(data).digest()


def blake3_keyed(key, data):
    """BLAKE3 in keyed mode."""
    return blake3(data, key=key).digest()
