"""What must be true of a ledger after the power was cut (docs/RELIABILITY.md, the promise)."""

import json
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path

from office import SECRET


# Of many roots and checkpoints the newest are asked for.
_ROOTS, _CHECKPOINTS = 4, 2


class Lost(Exception):
    """A promise was not kept."""


def hold(true, what):
    """That something is true."""
    if not true:
        raise Lost(what)


class Said:
    """How a command ended and what it said."""

    def __init__(self, arguments, done):
        self.arguments, self.code = arguments, done.returncode
        self.out, self.err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    def done(self, *codes):
        """Standard output of a command that had to succeed."""
        hold(self.code in (codes or (0,)), f"{' '.join(self.arguments)}: exit code {self.code}: {self.out[-500:]}{self.err[-500:]}")
        return self.out

    def json(self):
        """The document of a command that had to succeed."""
        return json.loads(self.done())


class Sovang:
    """The program."""

    def __init__(self, binary):
        self.binary = str(Path(binary).resolve())

    def run(self, *arguments, before=()):
        """Runs it to its end, behind another program if one is named."""
        arguments = [*map(str, before), self.binary, *map(str, arguments)]
        return Said(arguments, subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, check=False))

    def head(self, ledger):
        """Size and root."""
        said = self.run("head", ledger, "--json").json()
        return said["size"], said["root"]

    def log(self, ledger, start=0):
        """Every record from a position on: its id, and its event with what personal values can be read."""
        said = self.run("log", ledger, "--json", "--with-personal", "--from", start).done()
        return [(record["id"], record["event"]) for record in map(json.loads, said.splitlines())]


@dataclass(frozen=True)
class Known:
    """What was acknowledged of a ledger, and what was under way when the power was cut.

    A record is the number of a line of the input, or the id of a subject that was erased."""

    records: tuple = ()
    coming: tuple = ()  # under way, in order
    batch: int = 0  # records of a batch under way; 0 is all of them
    answered: bool = False  # whether the command ended well
    shown: int = 0  # what a reader was shown
    roots: dict = field(default_factory=dict)  # by size
    checkpoints: tuple = ()  # files outside of the ledger
    gone: tuple = ()  # bytes that an erasure destroyed

    def sizes(self):
        """Where the log may end: at what was acknowledged, or behind batches of what was under way."""
        known, coming = len(self.records), len(self.coming)
        return {known, known + coming, *range(known, known + coming, self.batch or coming or 1)}

    def all(self):
        """Every record, also those under way."""
        return self.records + self.coming

    def lines(self):
        """How many lines of the input are acknowledged."""
        return sum(isinstance(record, int) for record in self.records)

    def now(self, size):
        """When so many records are there and nothing is under way."""
        return replace(self, records=self.all()[:size], coming=(), batch=0, shown=max(self.shown, size))


class Judge:
    """Judges ledgers of one input; `reference` is a ledger of all of its lines, made with the power on. Where `tail` is given only so
    many records at the end are compared one by one; those before are held by `verify` and the roots."""

    def __init__(self, sovang, lines, reference, vkey, tail=None):
        self.sovang, self.lines, self.vkey, self.tail = sovang, lines, vkey, tail
        self.reference = sovang.log(reference)
        self.of_line = [json.loads(line).get("subject", {}).get("id") for line in lines]

    def prefix(self, directory, count):
        """A file with the first lines of the input, or with the last of these where only the tail is judged."""
        path = Path(directory, f"first-{count}.jsonl")
        if not path.exists():
            start = max(0, count - self.tail) if self.tail else 0
            path.write_text("".join(line + "\n" for line in self.lines[start:count]), encoding="utf-8")
        return path

    def reader(self, ledger, durable, known):
        """What a reader must find, before any writer. A batch under way may wait for the next writer to prove it, and whoever is being
        erased may be shown as erased before that."""
        size, _ = self.sovang.head(ledger)
        hold(size in known.sizes(), f"a reader is shown {size} records; it may be {sorted(known.sizes())}")
        self._verified(ledger, size)
        self._records(ledger, known, size, waiting=True)
        self._forgotten(durable, known)

    def writer(self, ledger, durable, directory, known):
        """What there must be once a writer has opened the ledger; gives what is known then. The writer imports what was acknowledged,
        of which nothing may be new; where nothing was, it imports one line."""
        lines = known.lines()
        said = self.sovang.run("import", ledger, self.prefix(directory, max(lines, 1)), "--json").json()
        hold(lines == 0 or said["appended"] == 0, f"{said['appended']} of {lines} acknowledged lines were not there any more")
        if said["appended"]:
            known = replace(known, records=(0,), coming=(), batch=0)
        size = said["size"]
        hold(size in known.sizes(), f"{size} records; it may be {sorted(known.sizes())}")
        hold(size >= known.shown, f"{size} records, of which a reader was shown {known.shown}")
        self._records(ledger, known, size)
        for at, root in list(known.roots.items())[-_ROOTS:]:
            was = self.sovang.run("tally", ledger, "registered", "--by", "", "--as-of", at, "--format", "json").json()
            hold(was["root"] == root, f"the root of the first {at} records was {root} and is {was['root']}")
        for checkpoint in known.checkpoints[-_CHECKPOINTS:]:
            self.sovang.run("verify", ledger, "--against", checkpoint, "--vkey", self.vkey).done()
        self._verified(ledger, size)
        self._forgotten(durable, known.now(size))
        return known.now(size)

    def completed(self, ledger, directory, known, lines):
        """That the import of so many lines completes the ledger; gives what is known then."""
        missing = tuple(range(known.lines(), lines))
        said = self.sovang.run("import", ledger, self.prefix(directory, lines), "--json").json()
        hold(said["appended"] == len(missing), f"{said['appended']} lines were appended, {len(missing)} were missing")
        known = replace(known, coming=missing, batch=0).now(len(known.records) + len(missing))
        self._records(ledger, known, said["size"])
        self._verified(ledger, said["size"])
        return replace(known, roots=known.roots | {said["size"]: said["root"]})

    def erased(self, ledger, known, subject):
        """That an erasure is completed, or was, when it is asked for again; gives what is known then."""
        self.sovang.run("erase", ledger, "--subject", subject, "--basis", "their wish").done()
        if subject not in known.records:
            known = replace(known, records=(*known.records, subject))
        self._records(ledger, known, len(known.records))
        return known

    def refused(self, ledger, directory, subject):
        """That nothing more is recorded of somebody who was erased."""
        line = json.loads(next(line for line, whose in zip(self.lines, self.of_line) if whose == subject))
        path = Path(directory, "again.jsonl")
        path.write_text(json.dumps(line | {"model": "K-again"}, ensure_ascii=False) + "\n", encoding="utf-8")
        self.sovang.run("import", ledger, path).done(2)

    def _verified(self, ledger, size):
        said = self.sovang.run("verify", ledger, "--json")
        said.done(0)
        report = json.loads(said.out)
        hold(report["size"] == size and report["ok"], f"verify: {report}")

    def _records(self, ledger, known, size, waiting=False):
        start = max(0, size - self.tail) if self.tail else 0
        there, expected = self.sovang.log(ledger, start), known.all()[start:size]
        hold(len(there) == size - start, f"{len(there)} records are listed from {start} on, of {size}")
        erased = {record for record in expected if isinstance(record, str)}
        erasing = {record for record in known.all()[size:] if isinstance(record, str)} if waiting else set()
        for position, ((has_id, event), record) in enumerate(zip(there, expected), start):
            if isinstance(record, str):
                hold(event["type"] == "subject_erased", f"position {position} is to be an erasure: {event}")
                continue
            must_id, must = self.reference[record]
            whose = self.of_line[record]
            if whose in erased or whose in erasing and "erased" in event["subject"]:
                for name in ("subject", "address"):
                    hold(event[name].get("erased") is True, f"position {position}: {name} of an erased person: {event[name]}")
                    event, must = event | {name: None}, must | {name: None}
            hold((has_id, event) == (must_id, must), f"position {position}: {has_id} {event}, it was {must_id} {must}")

    def _forgotten(self, durable, known):
        for path in sorted(Path(durable).rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                hold(not any(text in data for text in SECRET), f"{path.name} has a personal value or a subject's id in the clear")
                hold(not any(piece in data for piece in known.gone), f"{path.name} has what an erasure destroyed")


def destroyed(before, after):
    """What a file had before an erasure and has no more: its runs of 16 bytes and longer that are zero now."""
    pieces, start = [], None
    after = after.ljust(len(before), b"\0")
    for at in range(len(before) + 1):
        was_lost = at < len(before) and after[at] == 0 and before[at] != 0
        if was_lost and start is None:
            start = at
        elif not was_lost and start is not None:
            if at - start >= 16:
                pieces.append(before[start:at])
            start = None
    return pieces
