"""Ledgers that the code wrote, for the tests: the binary named by the environment variable SOVANG, and lines to import."""

import json
import os
import subprocess
from pathlib import Path

SOVANG = os.path.abspath(os.environ.get("SOVANG", "target/release/sovang"))
ORIGIN = "example.org/second-reader"
UNIT = {"type": "unit_defined", "occurred_on": "2013-12-27", "actor": "clerk", "unit": "phu-dien", "name": "Phường Phú Diễn",
        "kind": "ward", "valid_from": "2013-12-27"}


def sovang(*arguments, lines=None):
    """Runs the binary; gives its exit code and standard output."""
    data = None if lines is None else "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
    done = subprocess.run([SOVANG, *map(str, arguments)], input=data, capture_output=True, check=False)
    return done.returncode, done.stdout.decode()


def done(*arguments, lines=None):
    """Runs the binary, which must succeed."""
    code, said = sovang(*arguments, lines=lines)
    if code:
        raise AssertionError(f"sovang {' '.join(map(str, arguments))} ended with {code}")
    return said


def create(directory, *imports):
    """A ledger with these imports, each a pair of lines and the arguments of their import."""
    directory = Path(directory)
    done("init", directory, "--origin", ORIGIN)
    for lines, arguments in imports:
        done("import", directory, "-", *arguments, lines=lines)
    return directory


def records(directory):
    """The records as `log --json` prints them."""
    return [json.loads(line) for line in done("log", directory, "--json").splitlines()]


def models(first, end):
    """Registrations, every third of a person, and a gift to each fifth model."""
    lines = []
    for i in range(first, end):
        line = {"type": "model_registered", "occurred_on": "2024-02-01", "actor": "clerk", "model": f"M-{i}", "title": f"Vườn rau {i}",
                "subject_kind": "collective", "unit": "phu-dien", "field": "economy", "year": 2024}
        if i % 3 == 0:
            line |= {"subject_kind": "individual", "subject": {"id": f"P-{i % 40}", "name": f"Nguyễn Văn {i}"}, "address": f"ngõ {i}"}
        lines.append(line)
        if i % 5 == 0:
            lines.append({"type": "model_funded", "occurred_on": "2024-05-05", "actor": "clerk", "model": f"M-{i}",
                          "contribution": {"kind": "cash", "vnd": 1000 * i}, "source": "socialised", "record_source": f"scan:{i}",
                          "correlation": "gifts"})
    return lines


def amendments(standing):
    """Corrections and retractions of the gifts among records as `log --json` prints them: every one corrected, every second of
    those corrected again, every third retracted at last."""
    gifts = [(record["id"], record["event"]) for record in standing if record["event"]["type"] == "model_funded"]

    def corrected(index, vnd):
        target, event = gifts[index]
        replacement = event | {"contribution": {"kind": "cash", "vnd": vnd}, "occurred_on": "2024-05-06"}
        return {"type": "record_corrected", "occurred_on": "2025-06-02", "actor": "clerk", "target": target, "replacement": replacement,
                "reason": "digits swapped", "causation": target}

    lines = [corrected(i, 7) for i in range(len(gifts))] + [corrected(i, 8) for i in range(0, len(gifts), 2)]
    return lines + [{"type": "record_retracted", "occurred_on": "2025-06-03", "actor": "clerk", "target": target, "reason": "twice"}
                    for target, _ in gifts[::3]]
