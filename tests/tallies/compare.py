#!/usr/bin/env python3
"""Imports a generated file with the real binary and compares every figure with the oracle's.

    compare.py --sovang target/release/sovang --lines 200000 --seed 1 --requests 400

Shown: every tally over many --by, --where, --from, --to and --as-of; that a second import appends nothing; that
an export, with and without personal data, migrates to the same record hashes and root and that the oracle counts
the export as it counts the import; that batches and several files change no figure; that the root is the one
RFC 6962 gives for the printed record hashes. Exit code 1 on any difference, each with the command that repeats it.
"""

import argparse
import base64
import datetime
import hashlib
import json
import pathlib
import random
import shlex
import subprocess
import sys
import tempfile
import time
import unicodedata

import generate
import oracle

ORIGIN = "example.org/tallies"
SHOWN_DIFFERENCES = 5


class Report:
    def __init__(self):
        self.passed = self.failed = 0

    def equal(self, what, got, wanted, command=None):
        if got == wanted:
            self.passed += 1
            return True
        self.failed += 1
        print(f"FAILED {what}")
        if command:
            print(f"  repeat: {command}")
        for line in differences(got, wanted):
            print(f"  {line}")
        sys.stdout.flush()
        return False

    def step(self, text):
        print(f"[{time.strftime('%H:%M:%S')}] {text}")
        sys.stdout.flush()


def differences(got, wanted):
    if not (isinstance(got, list) and isinstance(wanted, list)):
        return [f"got    {str(got)[:600]}", f"wanted {str(wanted)[:600]}"]
    lines = [f"{len(got)} rows, wanted {len(wanted)}"] if len(got) != len(wanted) else []
    missing = [row for row in wanted if row not in got]
    surplus = [row for row in got if row not in wanted]
    lines += [f"wanted {row}" for row in missing[:SHOWN_DIFFERENCES]]
    lines += [f"got    {row}" for row in surplus[:SHOWN_DIFFERENCES]]
    return lines if missing or surplus else [*lines, "the same rows in another order or number"]


class Sovang:
    def __init__(self, binary):
        self.binary = str(binary)

    def command(self, *arguments):
        return shlex.join([self.binary, *map(str, arguments)])

    def run(self, *arguments, out=None):
        done = subprocess.run([self.binary, *map(str, arguments)], stdout=out or subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise Failed(f"{self.command(*arguments)}\n  exit {done.returncode}: {done.stderr.decode().strip()}")
        return done.stdout.decode("utf-8") if out is None else None

    def json(self, *arguments):
        return json.loads(self.run(*arguments))

    def new(self, directory, *arguments):
        self.run("init", directory, "--origin", ORIGIN)
        return self.json("import", directory, *arguments, "--json")


class Failed(Exception):
    pass


# ---------------------------------------------------------------------------------------------------------- RFC 6962

def rfc6962_root(leaves):
    """The Merkle tree hash of RFC 6962, section 2.1, with its recursion turned into a stack of perfect subtrees."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    stack = []  # (number of leaves, hash), sizes falling
    for leaf in leaves:
        node = (1, hashlib.sha256(b"\x00" + leaf).digest())
        while stack and stack[-1][0] == node[0]:
            size, left = stack.pop()
            node = (size + node[0], hashlib.sha256(b"\x01" + left + node[1]).digest())
        stack.append(node)
    root = stack.pop()[1]
    while stack:
        root = hashlib.sha256(b"\x01" + stack.pop()[1] + root).digest()
    return root


# ---------------------------------------------------------------------------------------------------------- requests

class Requests:
    """Random questions whose values come from the book itself, so that most of them select something."""

    def __init__(self, book, times, random_source):
        self.book, self.times, self.random = book, times, random_source
        size = book.size()
        # A few sizes, each asked many times: every one costs the oracle a fold.
        self.sizes = sorted({0, 1, 15, size // 7, size // 3, size // 2, size * 5 // 6, size - 1, size})
        self.values = {}

    def values_of(self, tally, dimension):
        key = tally, dimension
        if key not in self.values:
            rows = self.book.tally(tally, [dimension])["rows"]
            self.values[key] = [row[dimension] for row in rows if row[dimension] is not None]
        return self.values[key]

    def draw(self, tally):
        """(the oracle's request, the command line's options)"""
        pick = self.random
        names = oracle.dimensions(tally)
        request, options = {"tally": tally}, []
        chance = pick.random()
        if chance < 0.15:
            request["by"] = []
        elif chance < 0.8:
            request["by"] = pick.sample(names, pick.randint(1, len(names)))
        if "by" in request:
            options += ["--by", ",".join(request["by"])]
        where = {}
        for _ in range(pick.choice([0, 0, 1, 1, 2, 3])):
            name = pick.choice(names)
            values = self.values_of(tally, name)
            unused = {"year": 1999, "levels": 5, "unit": "no-such-unit", "occasion": "không có", "tier": "no_such_tier",
                      "field": "no_such_field", "land": "farm"}
            if values and pick.random() < 0.95:
                where[name] = pick.choice(values)
            elif name in unused:  # what is no code at all is refused for the dimensions with a closed list of codes
                where[name] = unused[name]
            if pick.random() < 0.1 and name not in ("year", "levels"):
                where[name] = ""
        if where:
            request["where"] = where
            for name, value in where.items():
                if name == "unit" and pick.random() < 0.2:
                    value = unicodedata.normalize("NFD", value)
                options += ["--where", f"{name}={value}"]
        days = []
        for _ in range(2):
            # Mostly days on which something was, so that it matters that both ends are included.
            day = datetime.date.fromisoformat(pick.choice(self.book.records)[1]["occurred_on"])
            days.append(pick.choice([day, day, day.replace(month=1, day=1), day.replace(month=12, day=31)]).isoformat())
        for key, day in zip(("from", "to"), sorted(days)):  # the other order is refused
            if pick.random() < 0.3:
                request[key] = day
                options += ["--" + key, day]
        chance = pick.random()
        if chance < 0.35:
            request["as_of"] = pick.choice(self.sizes)
            options += ["--as-of", str(request["as_of"])]
        elif chance < 0.5 and self.times:
            request["as_of"], moment = self.moment()
            options += ["--as-of", moment]
        return request, options

    def moment(self):
        """A time and the size it means: the largest whose last record was recorded by then."""
        when = parse_time(self.times[max(self.random.choice(self.sizes) - 1, 0)])
        when += datetime.timedelta(microseconds=self.random.choice([0, 0, -1, 1, -10**10, 10**10]))
        stamps = [parse_time(text) for text in self.times]
        size = max((n + 1 for n, stamp in enumerate(stamps) if stamp <= when), default=0)
        if self.random.random() < 0.3:
            return size, when.astimezone(datetime.timezone(datetime.timedelta(hours=7))).isoformat()
        return size, when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text):
    whole, _, rest = text.partition(".")
    if rest:
        digits = "".join(c for c in rest if c.isdigit()) if rest.endswith("Z") else rest
        text = f"{whole}.{digits[:6].ljust(6, '0')}Z" if rest.endswith("Z") else text
    return datetime.datetime.fromisoformat(text)


def normal(rows):
    """Rows with ids in NFC: which spelling of an id a row shows is left open."""
    return [{key: oracle.nfc(value) if isinstance(value, str) else value for key, value in row.items()} for row in rows]


def compare_tallies(report, sovang, directory, book, number, random_source, what):
    log = [json.loads(line) for line in sovang.run("log", directory, "--json").splitlines()]
    times = [record["recorded_at"] for record in log]
    report.equal(f"{what}: positions in the log", [r["position"] for r in log], list(range(book.size())))
    hashes = [bytes.fromhex(record["record_hash"]) for record in log]
    roots = {}
    requests = Requests(book, times, random_source)
    drawn = [({"tally": tally}, []) for tally in oracle.TALLIES]
    drawn += [({"tally": tally, "by": oracle.dimensions(tally)}, ["--by", ",".join(oracle.dimensions(tally))])
              for tally in oracle.TALLIES]
    drawn += [({"tally": tally, "by": []}, ["--by", ""]) for tally in oracle.TALLIES]
    tallies = list(oracle.TALLIES)
    drawn += [requests.draw(tallies[n % len(tallies)]) for n in range(number)]
    # Requests of one size follow each other, so that one folded view is in memory at a time.
    drawn.sort(key=lambda pair: pair[0].get("as_of", book.size()))
    for request, options in drawn:
        arguments = ["tally", directory, request["tally"], *options, "--format", "json"]
        wanted = book.answer(request)
        try:
            got = sovang.json(*arguments)
        except (Failed, ValueError) as error:
            report.equal(f"{what}: {error}", None, wanted["rows"])
            continue
        command = sovang.command(*arguments)
        if report.equal(f"{what}: {request}", normal(got.pop("rows", [])), wanted["rows"], command):
            # Whether size and root are those of the head or those at as_of is left open: they must belong together.
            size = got.get("size") if got.get("size") in (len(log), wanted["as_of"]) else len(log)
            if size not in roots:
                roots[size] = base64.b64encode(rfc6962_root(hashes[:size])).decode()
            rest = {"tally": wanted["tally"], "as_of": wanted["as_of"], "size": size, "root": roots[size]}
            report.equal(f"{what}: {request} beside the rows", got, rest, command)
    return log


# ------------------------------------------------------------------------------------------------------------- steps

def generated(path, lines, seed):
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        generate.Life(seed, out).run(lines)
    return oracle.Book.from_files([path])


def imported(report, sovang, directory, files, *options):
    """A new ledger of these files, compared in what the import says, with the book the oracle makes of them."""
    book = oracle.Book.from_files(files)
    said = sovang.new(directory, *files, *options)
    head = sovang.json("head", directory, "--json")
    wanted = {"appended": book.size(), "duplicates": book.duplicates, "size": book.size(), "root": head["root"]}
    report.equal(f"{directory.name}: what import says", said, wanted, sovang.command("import", directory, *files))
    return book


def check_main_ledger(report, sovang, work, lines, seed, requests):
    path, directory = work / "import.jsonl", work / "ledger"
    report.step(f"generating {lines} lines")
    generated(path, lines, seed)
    report.step("importing")
    book = imported(report, sovang, directory, [path])
    report.step(f"comparing tallies over {book.size()} records")
    log = compare_tallies(report, sovang, directory, book, requests, random.Random(seed), "import")

    report.step("recomputing the root")
    head = sovang.json("head", directory, "--json")
    root = rfc6962_root([bytes.fromhex(record["record_hash"]) for record in log])
    report.equal("root by RFC 6962", head.get("root_hex"), root.hex(), sovang.command("head", directory, "--json"))
    report.equal("root in base64", head["root"], base64.b64encode(root).decode())
    report.equal("size", head["size"], len(log))
    verified = sovang.json("verify", directory, "--json")
    report.equal("verify", (verified["ok"], verified["size"], verified["root"]), (True, len(log), head["root"]))

    report.step("importing again")
    again = sovang.json("import", directory, path, "--json")
    wanted = {"appended": 0, "duplicates": book.size() + book.duplicates, "size": book.size(), "root": head["root"]}
    report.equal("a second import appends nothing", again, wanted)

    for name, options in (("public", []), ("personal", ["--with-personal"])):
        report.step(f"migrating an export, {name}")
        check_migration(report, sovang, work, name, options, directory, book, log, head)
    check_prefix_roots(report, sovang, work, path, log)


def check_migration(report, sovang, work, name, options, directory, book, log, head):
    export, migrated = work / f"export-{name}.jsonl", work / f"migrated-{name}"
    with open(export, "wb") as out:
        sovang.run("export", directory, *options, out=out)
    said = sovang.new(migrated, export, "--migrate")
    command = sovang.command("import", migrated, export, "--migrate")
    report.equal(f"{name} export: size and root", (said["size"], said["root"]), (head["size"], head["root"]), command)
    copy = [json.loads(line) for line in sovang.run("log", migrated, "--json").splitlines()]
    for key in ("record_hash", "id", "recorded_at", "occurred_on", "actor"):
        at = next((n for n, (a, b) in enumerate(zip(copy, log)) if a[key] != b[key]), None)
        report.equal(f"{name} export: {key}, first difference at", at, None, command)
    report.equal(f"{name} export: records", len(copy), len(log))
    # The export says what the import said, key by key, and the oracle must count it alike.
    exported = oracle.Book.from_files([export])
    for position, ((_, line), (_, again)) in enumerate(zip(book.records, exported.records)):
        wanted = {key: value for key, value in line.items() if key != "recorded_at"}
        # What the line left to the ledger: its id, when it was recorded, the salts.
        got = {key: value for key, value in again.items() if key in wanted or key not in ("id", "recorded_at", "private")}
        if not options:
            wanted, got = hidden(wanted), hidden(got, shown_as_commitment=True)
        if got != wanted:
            report.equal(f"{name} export: what record {position} says", got, wanted, command)
            break
    else:
        report.equal(f"{name} export: records told again", exported.size(), book.size())
    for tally in oracle.TALLIES:
        wanted = book.tally(tally)["rows"]
        report.equal(f"{name} export counted by the oracle: {tally}", exported.tally(tally)["rows"], wanted)
        got = sovang.json("tally", migrated, tally, "--format", "json")["rows"]
        report.equal(f"{name} export migrated: {tally}", normal(got), wanted)
    if options:
        again = work / "export-again.jsonl"
        with open(again, "wb") as out:
            sovang.run("export", migrated, *options, out=out)
        report.equal("an export of the migrated ledger is the same file", again.read_bytes() == export.read_bytes(), True)


def hidden(event, shown_as_commitment=False):
    """The event with a mark in the place of every person's field; an export without personal data must have a
    commitment there, and nothing else."""
    result = {}
    for key, value in event.items():
        if key in oracle.PERSONAL or (key == "address" and "subject" in event):
            if not shown_as_commitment or (isinstance(value, dict) and list(value) == ["commitment"]):
                value = "personal"
        elif isinstance(value, dict):
            value = hidden(value, shown_as_commitment)
        result[key] = value
    return result


def check_prefix_roots(report, sovang, work, path, log):
    """The root of a prefix: the migrated export's first lines, cut at sizes that are and are not powers of two."""
    export = (work / "export-personal.jsonl").read_bytes().split(b"\n")
    for size in (1, 2, 3, 255, 256, 257, 1000):
        if size > len(log):
            break
        cut, directory = work / f"prefix-{size}.jsonl", work / f"prefix-{size}"
        cut.write_bytes(b"\n".join(export[:size]) + b"\n")
        said = sovang.new(directory, cut, "--migrate")
        root = rfc6962_root([bytes.fromhex(record["record_hash"]) for record in log[:size]])
        report.equal(f"root of the first {size}", said["root"], base64.b64encode(root).decode())


def check_other_ways(report, sovang, work, lines, seed, requests):
    """The same records in other batches and in several files: other recorded times, the same figures."""
    path = work / "small.jsonl"
    report.step(f"importing {lines} lines in other ways")
    generated(path, lines, seed + 1)
    whole = path.read_bytes()
    cut = [json.loads(line) for line in whole.decode().split("\n") if line]
    parts = []
    bounds = [0, len(cut) // 5, len(cut) // 2, len(cut)]
    for n, (start, end) in enumerate(zip(bounds, bounds[1:])):
        parts.append(work / f"part-{n}.jsonl")
        text = "\r\n".join(json.dumps(event, ensure_ascii=False) for event in cut[start:end])
        # Blank lines, CRLF, a leading BOM and a missing last line end are all allowed.
        parts[-1].write_text(("\ufeff" if n == 1 else "") + text + ("\r\n\r\n" if n < 2 else ""), encoding="utf-8", newline="")
    escaped = work / "escaped.jsonl"
    escaped.write_text("".join(json.dumps(dict(reversed(event.items())), ensure_ascii=True) + "\n" for event in cut))
    ways = {"one-by-one": ([path], ["--batch", 1]), "by-seven": ([path], ["--batch", 7]),
            "by-thousand": ([path], ["--batch", 1000]), "in-parts": (parts, []), "escaped": ([escaped], [])}
    for name, (files, options) in ways.items():
        directory = work / name
        book = imported(report, sovang, directory, files, *options)
        compare_tallies(report, sovang, directory, book, requests, random.Random(f"{seed} {name}"), name)
    check_batched_migrations(report, sovang, work)
    # Years in which nothing happened, which only the cumulative tally shows.
    sparse, defined = work / "sparse.jsonl", set()
    with open(sparse, "w", encoding="utf-8") as out:
        for event in cut:
            name = {"unit_defined": "unit", "model_registered": "model"}.get(event["type"])
            if name is None or (name == "model" and event["year"] % 4 != 3):
                continue
            key = name, oracle.nfc(event[name])
            if key not in defined:
                out.write(json.dumps(event, ensure_ascii=False) + "\n")
                defined.add(key)
    book = imported(report, sovang, work / "sparse", [sparse])
    compare_tallies(report, sovang, work / "sparse", book, requests, random.Random(f"{seed} sparse"), "sparse")


def check_batched_migrations(report, sovang, work):
    """The same records in other batches have the same root, with the recorded times of the ledger they come from."""
    head = sovang.json("head", work / "one-by-one", "--json")
    export = work / "one-by-one.jsonl"
    with open(export, "wb") as out:
        sovang.run("export", work / "one-by-one", "--with-personal", out=out)
    for batch in (1, 2, 97, 1000):
        said = sovang.new(work / f"batches-of-{batch}", export, "--migrate", "--batch", batch)
        report.equal(f"root in batches of {batch}", (said["size"], said["root"]), (head["size"], head["root"]))


def main():
    parser = argparse.ArgumentParser(description="compare the binary's tallies with an independent calculation")
    parser.add_argument("--sovang", required=True, type=pathlib.Path)
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--small-lines", type=int, default=3_000, help="for the ways that sync often")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--requests", type=int, default=300, help="random questions beside the fixed ones")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="work in DIR and leave it")
    options = parser.parse_args()
    report, sovang = Report(), Sovang(options.sovang.resolve())
    with tempfile.TemporaryDirectory(prefix="sovang-tallies-") as temporary:
        work = options.keep or pathlib.Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        for check, lines, number in ((check_other_ways, options.small_lines, max(options.requests // 5, 20)),
                                     (check_main_ledger, options.lines, options.requests)):
            try:
                check(report, sovang, work, lines, options.seed, number)
            except Failed as error:
                report.equal(f"{check.__name__} stopped", str(error), "no failure")
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
