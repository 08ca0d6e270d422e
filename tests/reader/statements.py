"""Statements: a figure bound to the log it was computed from (docs/FORMAT.md §11.6)."""

import base64
import json
import re
from datetime import date

from checksums import blake3_in
from merkle import append, root_of
from notes import SIGNS, Checkpoint, Key, Note, Refused, hash_of, number_of

STATEMENT_LINE = "sovang statement v1"
_NAMES = ("tally", "revision", "parameters", "digest", "result")
_PARAMETERS = {"as_of", "by", "from", "map_date", "to", "where"}
_RESULT = {"tally", "size", "root", "as_of", "rows"}
_DEPTH_MAX = 32
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def canonical(value):
    """A value in RFC 8785 form, integers in plain decimal whatever their size."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{canonical(name)}:{canonical(value[name])}" for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def from_canonical(text):
    """The value of a text in that form."""

    def refuse(what):
        raise Refused(f"JSON that is no integer: {what[:80]}")

    def once(pairs):
        names = dict(pairs)
        if len(names) != len(pairs):
            raise Refused("JSON with a key twice")
        return names

    try:
        value = json.loads(text, parse_float=refuse, parse_constant=refuse, object_pairs_hook=once)
        if canonical(value) != text or _depth(value) > _DEPTH_MAX:
            raise Refused(f"JSON that is not in canonical form, or too deep: {text[:80]}")
    except (ValueError, RecursionError):
        raise Refused(f"no JSON: {text[:80]}") from None
    return value


def _depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


def _is_day(text):
    try:  # The year 0, which Python lacks, has the days of the year 2000.
        return bool(_DAY.fullmatch(text)) and date.fromisoformat(re.sub("^0000", "2000", text)) is not None
    except ValueError:
        return False


def _is_text_list(value):
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _ascend(values):
    """Whether these are the values of one dimension, none first."""
    if not isinstance(values, list) or not values or any(value is not None and type(value) not in (int, str) for value in values):
        return False
    keys = [(value is not None, type(value) is str, value if value is not None else 0) for value in values]
    return all(a < b for a, b in zip(keys, keys[1:]))


class Statement:
    """A statement, as written and not yet believed."""

    def __init__(self, text):
        self.note = Note(text)
        head, empty, rest = self.note.text.partition("\n\n")
        lines = head.split("\n")
        if lines[0] != STATEMENT_LINE or not empty or len(lines) != 6:
            raise Refused("a statement has six lines before its checkpoint")
        for line, name in zip(lines[1:], _NAMES):
            if not line.startswith(f"{name} "):
                raise Refused(f"no line {name!r}: {line[:80]!r}")
        self.tally, revision, parameters, digest, self.result_text = (line.split(" ", 1)[1] for line in lines[1:])
        if not self.tally or " " in self.tally:
            raise Refused("a tally's name is one word")
        self.revision, self.parameters = number_of(revision), from_canonical(parameters)
        self.result, self.checkpoint = from_canonical(self.result_text), Checkpoint(rest)
        if digest != blake3_in("statement result v1", self.result_text.encode()).hex():
            raise Refused("the digest is not that of the result")
        self._check_parameters()
        self._check_result()

    def _check_parameters(self):
        said = self.parameters
        if not isinstance(said, dict) or set(said) != _PARAMETERS:
            raise Refused("the parameters are others")
        as_of, days = said["as_of"], (said["from"], said["map_date"], said["to"])
        if type(as_of) is not int or not 0 <= as_of <= self.checkpoint.size:
            raise Refused(f"as_of is {as_of}, and the checkpoint's size {self.checkpoint.size}")
        if not _is_text_list(said["by"]) or any(day is not None and not (isinstance(day, str) and _is_day(day)) for day in days):
            raise Refused("a dimension or a day in the parameters")
        if not isinstance(said["where"], dict) or not all(map(_ascend, said["where"].values())):
            raise Refused("`where` in the parameters")

    def _check_result(self):
        said = self.result
        if not isinstance(said, dict) or set(said) != _RESULT:
            raise Refused("the result is no tally")
        as_of = self.parameters["as_of"]
        if said["tally"] != self.tally or any(type(said[name]) is not int or said[name] != as_of for name in ("as_of", "size")):
            raise Refused("the result is of another tally or size than the statement")
        if not isinstance(said["rows"], list) or not all(isinstance(row, dict) for row in said["rows"]):
            raise Refused("the result's rows are no objects")
        root = hash_of(said["root"] if isinstance(said["root"], str) else "")
        if as_of == self.checkpoint.size and root != self.checkpoint.root:
            raise Refused("the result's root at the checkpoint's size is another")

    def prove(self, keys, policy):
        """The key that signed it, of the given ones. A log's key may not, nor one that is called as the origin or has signed the
        checkpoint inside, whatever it is called."""
        known = list(dict.fromkeys([*keys, *policy.logs]))
        signed, _ = self.note.signers(known)
        origin = self.checkpoint.origin
        logs = [key.public for key in (*policy.logs, *policy.witnesses.values()) if policy.of_file or key.name == origin]
        for key in signed:
            if key.name == origin or key.public in logs or self._signed_inside(key):
                raise Refused(f"signed by {key.name}: a log's key states nothing")
        return next(iter(signed))

    def _signed_inside(self, key):
        """Whether a key has signed the checkpoint, under this name or any other that a line there has."""
        for line in self.checkpoint.note.lines:
            try:
                Key.of(line.name, SIGNS, key.public).time_of(self.checkpoint.note.text, line.signature)
                return True
            except Refused:
                continue
        return False

    def check_replay(self, log, rows):
        """The log, as the second reader has read it, is the one the checkpoint signs, and the result is what `rows` computes from
        its first records."""
        check_beginning(self.checkpoint, log)
        as_of = self.parameters["as_of"]
        root = base64.b64encode(root_at(log, as_of)).decode()
        computed = {"as_of": as_of, "root": root, "rows": rows(self.tally, self.parameters), "size": as_of, "tally": self.tally}
        if canonical(computed) != self.result_text:
            raise Refused(f"the log gives another result: {canonical(computed)[:400]}")


def root_at(log, size):
    """The root over the first records of a log."""
    frontier = []
    for position, leaf in enumerate(log.leaves[:size]):
        append(frontier, position, leaf)
    return root_of(frontier)


def check_beginning(checkpoint, log):
    """The log, as the second reader has read it, goes on from what a checkpoint signs."""
    if checkpoint.origin != log.ledger.origin:
        raise Refused(f"the ledger's origin is {log.ledger.origin!r}")
    if checkpoint.size > log.head[0]:
        raise Refused(f"rolled back: the ledger has {log.head[0]} records, and the checkpoint {checkpoint.size}")
    if root_at(log, checkpoint.size) != checkpoint.root:
        raise Refused("the ledger does not begin with what the checkpoint signs")
