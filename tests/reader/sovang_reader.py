"""A second reader of the format, written from docs/FORMAT.md and from nothing else.

    python3 -m venv /tmp/reader && /tmp/reader/bin/pip install -r tests/reader/requirements.txt
    /tmp/reader/bin/python tests/reader/sovang_reader.py DIR [--json] [--open]

Exit codes: 0 sound; 1 something beside the log disagrees with it; 2 usage; 3 damaged, or no ledger.
"""

import argparse
import base64
import json
import sys

from derived import check_index, check_snapshots
from segments import Damaged, Log, read_ledger
from vault import Vault


class Reading:
    """All that a directory says."""

    def __init__(self, directory, opened=False):
        self.ledger, self.log, self.vault = None, None, None
        self.damage, self.disagreements, self.notes = [], [], []
        try:
            self.ledger = read_ledger(directory)
        except Damaged as damage:
            self.damage.append(str(damage))
            return
        self.log = Log(directory, self.ledger)
        self.damage += self.log.damage
        self.notes += self.log.notes
        if self.damage:
            return  # what stands beside a damaged log cannot be held against it
        self.vault = Vault(directory, self.ledger, self.log, opened)
        self.disagreements += self.vault.disagreements
        self.notes += self.vault.notes
        check_index(directory, self.ledger, self.log, self.disagreements, self.notes)
        check_snapshots(directory, self.ledger, self.log, self.disagreements, self.notes)

    @property
    def exit_code(self):
        return 3 if self.damage else 1 if self.disagreements else 0

    def as_json(self):
        size, root = self.log.head if self.log else (0, b"")
        return {
            "ok": not self.exit_code,
            "origin": self.ledger and self.ledger.origin,
            "size": size,
            "root": base64.b64encode(root).decode(),
            "damage": self.damage,
            "disagreements": self.disagreements,
            "notes": self.notes,
            "record_hashes": [record.hash.hex() for record in self.log.records[:size]] if self.log else [],
        }


def main():
    parser = argparse.ArgumentParser(description="reads a ledger directory, and says whether it is sound")
    parser.add_argument("directory", metavar="DIR")
    parser.add_argument("--json", action="store_true", help="one JSON document, with the record hashes")
    parser.add_argument("--open", action="store_true", help="open every personal value and check its commitment; shows none")
    arguments = parser.parse_args()
    reading = Reading(arguments.directory, arguments.open)
    said = reading.as_json()
    if arguments.json:
        print(json.dumps(said))
    else:
        for name in ("origin", "size", "root"):
            print(f"{name:8}{said[name]}")
        for name, lines in (("damage", said["damage"]), ("differs", said["disagreements"]), ("note", said["notes"])):
            for line in lines:
                print(f"{name:8}{line}")
    return reading.exit_code


if __name__ == "__main__":
    sys.exit(main())
