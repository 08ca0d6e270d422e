"""One personal value, disclosed to one reader, held against the commitment in the receipt of its record (docs/FORMAT.md §11.9)."""

import re
import struct
import uuid

from checksums import blake3_in
from notes import NUMBER_MAX, Refused, from_base64
from statements import from_canonical

_NAMES = {"commitment", "field", "logged_at", "origin", "position", "purpose", "reader", "record_id", "salt"}
_TEXTS = ("commitment", "origin", "purpose", "reader", "record_id", "salt")
_HEX = re.compile("[0-9a-f]{64}", re.ASCII)


class Disclosure:
    """A disclosure, as written and not yet believed."""

    def __init__(self, text):
        said = from_canonical(text.removesuffix("\n"))
        if not isinstance(said, dict) or set(said) - _NAMES not in ({"value"}, {"value_bytes"}) or not _NAMES <= set(said):
            raise Refused("a disclosure has other keys")
        numbers = [said["field"], said["logged_at"], said["position"]]
        if any(type(said[name]) is not str for name in _TEXTS) or any(type(n) is not int or not 0 <= n <= NUMBER_MAX for n in numbers):
            raise Refused("a text or a number of the disclosure")
        if not _HEX.fullmatch(said["commitment"]) or said["field"] > 0xFFFF:
            raise Refused("the commitment or the field's number")
        self.said, self.commitment, self.salt = said, bytes.fromhex(said["commitment"]), from_base64(said["salt"])
        if len(self.salt) != 32:
            raise Refused(f"a salt of {len(self.salt)} bytes")
        self.origin, self.position, self.value = said["origin"], said["position"], self._value()

    def _value(self):
        said = self.said.get("value", self.said.get("value_bytes"))
        if type(said) is not str:
            raise Refused("the value is no text")
        if "value_bytes" in self.said:
            return from_base64(said)
        return struct.pack("<Q", len(said.encode())) + said.encode()

    def prove(self, record):
        """The number of the disclosed field, given the record that a receipt of this origin and position has proven."""
        field = self.said["field"]
        if self.said["record_id"] != str(uuid.UUID(bytes=record.id)):
            raise Refused("the record's id is another")
        if (field, self.commitment) not in record.private:
            raise Refused("the record has no such field with this commitment")
        if blake3_in("personal v1", self.salt + struct.pack("<HI", field, len(self.value)) + self.value) != self.commitment:
            raise Refused("salt and value do not hash to the commitment")
        return field
