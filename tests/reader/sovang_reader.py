"""A second reader of the format, written from docs/FORMAT.md and from nothing else.

    python3 -m venv /tmp/reader && /tmp/reader/bin/pip install -r tests/reader/requirements.txt
    /tmp/reader/bin/python tests/reader/sovang_reader.py DIR [--json] [--open] [--against CHECKPOINT --vkey VKEY | --policy FILE]

Exit codes: 0 sound; 1 something beside the log disagrees with it, or the log does not go on from the checkpoint; 2 usage; 3 damaged,
or no ledger.
"""

import argparse
import base64
import json
import sys

from derived import check_index, check_snapshots
from notes import Checkpoint, Refused, text_of
from segments import Damaged, Log, read_ledger
from statements import check_beginning
from trust import Usage, add_trust, read_file, read_keys, read_policy
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

    def hold_against(self, data, policy):
        """Holds the log against a checkpoint that somebody kept outside the ledger."""
        if self.damage:
            return
        try:
            checkpoint = Checkpoint(text_of(data))
            policy.prove(checkpoint)
            check_beginning(checkpoint, self.log)
        except Refused as refused:
            self.disagreements.append(f"checkpoint: {refused}")

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
    parser.add_argument("--against", metavar="CHECKPOINT", help="a signed checkpoint that the log must go on from")
    add_trust(parser)
    arguments = parser.parse_args()
    try:
        policy = read_policy(arguments, read_keys(arguments.vkey)) if arguments.against else None
        against = read_file(arguments.against) if arguments.against else None
    except Usage as usage:
        print(usage, file=sys.stderr)
        return 2
    reading = Reading(arguments.directory, arguments.open)
    if policy:
        reading.hold_against(against, policy)
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
