"""What the second reader makes of the office's records: the events that the code shows, and the tallies that it prints.

    SOVANG=target/release/sovang /tmp/reader/bin/python -m unittest discover tests/reader
"""

import io
import json
import tempfile
import unittest
from pathlib import Path

import events  # first: it makes tests/tallies importable
import generate
import ledgers
import oracle
from segments import Log, read_ledger

_PERSONAL = ("subject", "donor")
_OF_THE_LINE = ("record_source", "correlation", "causation", "override", "actor", "recorded_at")


def public(event):
    """An event without a person's fields and what the envelope holds."""
    shown = {}
    for name, value in event.items():
        if name in _PERSONAL or name in _OF_THE_LINE or (isinstance(value, dict) and set(value) >= {"commitment"}):
            continue
        shown[name] = public(value) if isinstance(value, dict) else value
    if shown.get("kind") == "land":
        shown["square_metres"] = oracle.square_decimetres(shown["square_metres"])
    return shown


class Replay(unittest.TestCase):
    """A generated ledger, decoded and counted by the page of the format alone."""

    @classmethod
    def setUpClass(cls):
        directory = Path(cls.enterClassContext(tempfile.TemporaryDirectory()), "ledger")
        text = io.StringIO()
        generate.Life(7, text).run(1_500)
        ledgers.create(directory, ([json.loads(line) for line in text.getvalue().split("\n") if line], []))
        cls.directory, log = directory, Log(directory, read_ledger(directory), whole=True)
        cls.events = [events.event_of(record) for record in log.records]
        cls.book = events.book_of(log.records)

    def test_the_events_are_those_that_log_shows(self):
        shown = ledgers.records(self.directory)
        self.assertEqual(len(shown), len(self.events))
        for record, event in zip(shown, self.events):
            said = public(record["event"]) | {"id": record["id"], "occurred_on": record["occurred_on"]}
            self.assertEqual(public(event), said, record["position"])

    def test_every_tally_has_the_rows_that_are_printed(self):
        for tally in oracle.TALLIES:
            for by in (None, oracle.dimensions(tally)):
                options = [] if by is None else ["--by", ",".join(by)]
                printed = json.loads(ledgers.done("tally", self.directory, tally, *options, "--as-of", 1_200, "--format", "json"))
                parameters = {"as_of": 1_200, "by": by or oracle.TALLIES[tally][0], "from": None, "map_date": None, "to": None, "where": {}}
                with self.subTest(tally=tally, by=by):
                    self.assertEqual(events.rows_of(self.book, tally, parameters), printed["rows"])

    def test_conditions_that_no_record_meets(self):
        parameters = {"as_of": 1_200, "by": [], "from": None, "map_date": None, "to": None, "where": {"year": [2023, 2024]}}
        self.assertEqual(events.rows_of(self.book, "registered", parameters), [{"count": 0}])


if __name__ == "__main__":
    unittest.main()
