"""The vault's structure: headers, marks, slots and rows, and whether every commitment of the log has its row (docs/FORMAT.md §7).

The values themselves are opened only when asked for: see opening.py.
"""

import struct
import unicodedata
from collections import namedtuple
from pathlib import Path

from checksums import blake3_in, blake3_keyed, crc32c
from opening import value_of

_START = 4096
_FILE_BYTES_MAX = (1 << 39) + (1 << 20)
_SLOT_BYTES, _ROW_HEADER, _ROW_ALIGN = 128, 112, 128
_LIVING, _ERASED, _DELETED = 1, 2, 3
_VALUE, _SEALED, _TOMBSTONE, _VOID = 1, 2, 3, 4
_MARKS = ((512, 0), (1024, 1))
_TAG_AND_SALT = 16 + 32 + 2

_SLOT = struct.Struct("<4sIII16s32s32s28sI")
_ROW = struct.Struct("<4sHHII16s32s24sQIIII")
_MARK = struct.Struct("<8sQQQI")

Row = namedtuple("Row", "at end state field slot record commitment nonce ciphertext proven slots")
Slot = namedtuple("Slot", "state subject key")


class Vault:
    """What the vault of a ledger says."""

    def __init__(self, directory, ledger, log, opened=False):
        """With `opened` every value is opened, and held against its commitment and its subject's slot."""
        self.disagreements, self.notes = [], []
        self.values, self._opened = {}, opened  # by record and field: subject and encoded value
        self._ledger, self._log = ledger, log
        directory = Path(directory, "vault")
        if not directory.is_dir():
            if any(record.private for record in log.records):
                self.notes.append("vault: absent; this copy is without personal data")
            return
        for name in "keys", "rows":
            path = directory.joinpath(name)
            if path.is_file() and path.stat().st_size > _FILE_BYTES_MAX:
                self.disagreements.append(f"vault/{name}: longer than it can be")
                return
        try:
            keys, rows = directory.joinpath("keys").read_bytes(), directory.joinpath("rows").read_bytes()
        except FileNotFoundError as missing:
            self.disagreements.append(f"vault: {Path(missing.filename).name} is not there")
            return
        sound = [self._header(keys, b"SOVVKEYS", "keys"), self._header(rows, b"SOVVROWS", "rows")]
        if all(sound):
            self._check(keys, rows)

    def _sum(self, offset, data):
        return crc32c(self._ledger.id, struct.pack("<Q", offset), data)

    def _holds(self, data, offset, length):
        """Whether the bytes at an offset are followed by their checksum."""
        return self._sum(offset, data[offset : offset + length]) == int.from_bytes(data[offset + length : offset + length + 4], "little")

    def _header(self, data, magic, name):
        sound = len(data) >= _START and self._holds(data, 0, 508)
        sound = sound and data[:16] == magic + struct.pack("<II", 1, 0) and data[16:32] == self._ledger.id and not any(data[64:508])
        if name == "keys":
            sound = sound and not any(data[512:_START])
        else:
            marks = all(self._mark_at(data, at, parity) or not any(data[at : at + 512]) for at, parity in _MARKS)
            sound = sound and marks and not any(data[32:64]) and not any(data[1536:_START])
        if not sound:
            self.disagreements.append(f"vault/{name}: the header is not sound")
        return sound

    def _mark_at(self, data, at, parity):
        """The valid mark in a place, as sequence, checked, durable and slots."""
        if len(data) < at + 512:
            return None
        magic, sequence, *said = _MARK.unpack_from(data, at)
        sound = magic == b"SOVVMARK" and sequence % 2 == parity and self._holds(data, at, 508) and not any(data[at + 36 : at + 508])
        return (sequence, *said) if sound else None

    def _mark(self, data):
        """checked, durable and slots of the mark that holds."""
        marks = [self._mark_at(data, at, parity) for at, parity in _MARKS]
        return max(filter(None, marks), default=(0, _START, _START, 0))[1:]

    def _row(self, data, at):
        """The sound row at an offset, or none."""
        if len(data) - at < _ROW_HEADER or not self._holds(data, at, 108):
            return None
        magic, state, field, length, slot, record, commitment, nonce, proven, slots, crc, zero, _ = _ROW.unpack_from(data, at)
        end = at + -(-(_ROW_HEADER + length) // _ROW_ALIGN) * _ROW_ALIGN
        if magic != b"SOVR" or zero or not _VALUE <= state <= _VOID or end > len(data):
            return None
        rest = data[at + _ROW_HEADER : end]
        if state in (_VALUE, _SEALED):
            sound = crc == self._sum(at + _ROW_HEADER, rest) and not any(rest[length:])
            sound = sound and (length > _TAG_AND_SALT if state == _VALUE else not (length or slot or any(nonce)))
        else:
            sound = not (field or slot or any(record) or any(nonce) or crc or (state == _VOID and any(commitment)))
            sound = sound and not any(rest)
        return Row(at, end, state, field, slot, record, commitment, nonce, rest[:length], proven, slots) if sound else None

    def _check(self, keys, rows):
        owed = {(record.id, field, commitment) for record in self._log.records for field, commitment in record.private}
        promised = {commitment for _, _, commitment in owed}
        _, durable, slots = self._mark(rows)
        # All sound rows, those behind an unsound one too: any of them may prove that it should be sound.
        found, gap, at = [], None, _START
        while at < len(rows):
            row = self._row(rows, at)
            if row is None:
                gap = at if gap is None else gap
                at += _ROW_ALIGN
                continue
            found.append(row)
            durable, slots = max(durable, row.proven), max(slots, row.slots)
            if (row.record, row.field, row.commitment) in owed:
                durable = max(durable, row.end)
            at = row.end
        if gap is None:
            gap = len(rows)
        if gap < durable:
            self.disagreements.append(f"vault/rows: no sound row at {gap}, though the rows are durable up to {durable}")
        elif any(rows[gap:]):
            self.notes.append(f"vault/rows: a torn tail at {gap}")
        subjects = self._slots(keys, slots)
        known = set()
        for row in found:
            if row.state in (_VALUE, _SEALED):
                known.add((row.record, row.field, row.commitment))
            if row.state == _VALUE and row.slot not in subjects:
                self.disagreements.append(f"vault/rows: the row at {row.at} names slot {row.slot}, which is not sound")
        if known - owed:
            self.notes.append(f"vault/rows: {len(known - owed)} rows have no record")
        if self._opened:
            self._open(found, subjects, keys[32:64])
        deleted = {row.commitment for row in found if row.state == _TOMBSTONE}
        for record, field, commitment in sorted(owed - known):
            if commitment not in deleted:
                self.disagreements.append(f"vault/rows: no row for field {field} of record {record.hex()}")
        self.notes += [f"vault/rows: a tombstone at {row.at} is of no record" for row in found
                       if row.state == _TOMBSTONE and row.commitment not in promised]

    def _open(self, rows, subjects, secret):
        names = blake3_in("erased subject v1", secret)
        for row in rows:
            slot = subjects.get(row.slot)
            if row.state != _VALUE or slot is None or slot.state != _LIVING:
                continue
            value = value_of(self._ledger.id, slot.key, row)
            if value is None or blake3_keyed(names, unicodedata.normalize("NFC", value[0]).encode()) != slot.subject:
                self.disagreements.append(f"vault/rows: the row at {row.at} does not open, or is of another subject")
            else:
                self.values[row.record, row.field] = value

    def _slots(self, keys, durable):
        """The sound slots by number, held against the erasures that the log names."""
        subjects, handles, torn = {}, {}, False
        for number, at in enumerate(range(_START, len(keys), _SLOT_BYTES)):
            slot = keys[at : at + _SLOT_BYTES]
            magic, state, named, zero, handle, subject, key, reserved, _ = _SLOT.unpack(slot.ljust(_SLOT_BYTES, b"\0"))
            sound = magic == b"SOVK" and _LIVING <= state <= _DELETED and named == number and not zero and not any(reserved)
            sound = sound and len(slot) == _SLOT_BYTES and self._holds(keys, at, 124) and (state == _LIVING) == any(key)
            if sound:
                subjects[number], handles[handle] = Slot(state, subject, key), state
            elif number < durable:
                self.disagreements.append(f"vault/keys: slot {number} is not sound, though {durable} slots are durable")
            elif any(slot) and not torn:
                torn = True
                self.notes.append(f"vault/keys: a torn tail at {at}")
        if len(subjects) < durable and len(keys) < _START + _SLOT_BYTES * durable:
            self.disagreements.append(f"vault/keys: shorter than {durable} slots")
        named = {record.erased_handle for record in self._log.records} - {None}
        for handle in sorted(named):
            if handles.get(handle) == _LIVING:
                self.notes.append(f"vault/keys: the erasure of {handle.hex()} is not complete; the next writer completes it")
        for handle, state in handles.items():
            if state != _LIVING and handle not in named:
                self.disagreements.append(f"vault/keys: {handle.hex()} is erased, but no record says so")
        return subjects
