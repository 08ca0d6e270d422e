"""Two verifiers that share no line, `sovang` and tests/reader, on ledgers that the binary makes and on the same ledgers tampered with.

    /tmp/reader/bin/python tests/evidence/agree.py --sovang target/release/sovang --ledgers 1000
    /tmp/reader/bin/python tests/evidence/agree.py --sovang target/release/sovang --first 417 --ledgers 1 --keep DIR   # one of them again

Every ledger is created by `init` and two imports, with a checkpoint after each, cosigned by witnesses of this script, and everything
that leaves it is made: receipts, proofs, growth, statements, and for some a fork proof. Every second ledger is then tampered with at
random. Both verifiers judge all of it: `check` each file, `verify --against` the directory. They must give the same exit code, and
for each file the same verdict and, where it holds, the same facts. What is untampered must hold. Then single bytes: every change of a
file whose signers are all known and needed must be refused by both.
"""

import argparse
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "reader"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tallies"))
import generate  # noqa: E402
import ledgers  # noqa: E402
from check import Checker, check_files, replayed_log  # noqa: E402
from maker import WITNESSES, Signer, fork, growth_path  # noqa: E402
from merkle import recursive_root  # noqa: E402
from notes import Key  # noqa: E402
from segments import Log, read_ledger  # noqa: E402
from sovang_reader import Reading  # noqa: E402
from trust import Usage, add_trust, read_file, read_keys, read_policy  # noqa: E402

ORIGIN = "example.org/agree"
RECORDS_MAX = 40
FACTS = ("kind", "origin", "size", "root", "position", "record_hash", "log", "not_after")
FORK_EVERY, STATEMENT_EVERY = 10, 2
MUTANTS_AT_ONCE = 400
# Thousands of small files are synced, and no power loss is tried here.
IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class Sovang:
    """The binary."""

    def __init__(self, binary):
        self.binary = str(Path(binary).resolve())

    def run(self, *arguments, data=None, cwd=None):
        """Exit code, standard output and messages."""
        done = subprocess.run([self.binary, *map(str, arguments)], input=data, capture_output=True, check=False, cwd=cwd)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def done(self, *arguments, data=None, cwd=None):
        """What it says; it must succeed."""
        code, said, message = self.run(*arguments, data=data, cwd=cwd)
        if code:
            raise AssertionError(f"sovang {' '.join(map(str, arguments))} ended with {code}: {message}")
        return said


class Keys:
    """The keys of all ledgers: made once by `keygen`, copied for each."""

    def __init__(self, sovang, directory):
        self.directory = directory
        self.log = self._make(sovang, "log.key", ORIGIN)
        self.figures = self._make(sovang, "figures.key", "example.org/figures")
        self.stranger = Signer(ORIGIN, seed="somebody else").key

    def _make(self, sovang, name, of):
        said = sovang.done("keygen", "-o", self.directory / name, "--name", of, "--no-passphrase")
        return Key.parse(said.strip().splitlines()[-1])

    def copy_to(self, directory):
        """The key of the log as it was when it had signed nothing."""
        for name in ("log.key", "log.key.head", "figures.key", "figures.key.head"):
            shutil.copy(self.directory / name, directory / name)

    def policy(self, needed, of=3):
        """A policy that needs so many of the witnesses."""
        lines = [f"log {self.log}"] + [f"witness W{n + 1} {WITNESSES[n].key}" for n in range(of)]
        group = f"group G {needed} {' '.join(f'W{n + 1}' for n in range(of))}"
        return "\n".join([*lines, group, "quorum G", ""])


def lines_of(chance, seed, count):
    """So many lines that may be imported."""
    if chance.random() < 0.5:
        text = io.StringIO()
        generate.Life(seed, text).run(RECORDS_MAX)
        return [line for line in text.getvalue().split("\n") if line][:count]
    lines = [ledgers.UNIT] + ledgers.models(chance.randrange(30), 100)
    return [json.dumps(line, ensure_ascii=False) for line in lines[:count]]


class Case:
    """One ledger and what leaves it. File names are relative to `home`."""

    def __init__(self, sovang, keys, seed, home):
        self.sovang, self.keys, self.home = sovang, keys, home
        self.chance = random.Random(f"ledger {seed}")
        keys.copy_to(home)
        self.witnesses = self.chance.randrange(4)
        self.needed = self.chance.randint(1, max(self.witnesses, 1)) if self.witnesses else 0
        self.now = int(time.time())
        self.tampered = "nothing"
        self.policy_options = ["--policy", "policy"] if self.needed else ["--vkey", str(keys.log)]
        if self.needed:
            home.joinpath("policy").write_text(keys.policy(self.needed))
        self._build(seed)

    def _build(self, seed):
        count = self.chance.randint(1, RECORDS_MAX)
        self.lines = lines_of(self.chance, seed, count)
        self.old_size = self.chance.randint(1, len(self.lines))
        self.sovang.done("init", "ledger", "--origin", ORIGIN, cwd=self.home)
        self._import(self.lines[: self.old_size])
        self._sign("old")
        if seed % FORK_EVERY == 0 or self.chance.random() < 0.2:
            self._keep_older_copy()
        self._import(self.lines[self.old_size :])
        self._sign("new")
        self.files = ["old", "growth", "new", "receipt", "proof"]
        self.sovang.done("prove", "ledger", "--since", self.old_size, "-o", "growth", cwd=self.home)
        position = self.chance.randrange(len(self.lines))
        self.sovang.done("receipt", "ledger", "--position", position, "-o", "receipt", *self._policy_of_receipt(), cwd=self.home)
        self.sovang.done("prove", "ledger", "--position", self.chance.randrange(len(self.lines)), "-o", "proof", cwd=self.home)
        if seed % STATEMENT_EVERY == 0:
            tally = self.chance.choice(["registered", "contributions", "recognised", "cumulative", "amendments"])
            self.sovang.done("state", "ledger", tally, "--key", "figures.key", "-o", "statement", cwd=self.home)
            self.files.append("statement")
        if seed % FORK_EVERY == 0:
            self._fork()

    def _policy_of_receipt(self):
        return ["--policy", "policy"] if self.needed else []

    def _import(self, lines):
        if lines:
            batch = ["--batch", self.chance.randint(1, 9)] if self.chance.random() < 0.5 else []
            self.sovang.done("import", "ledger", "-", *batch, data=("\n".join(lines) + "\n").encode(), cwd=self.home)

    def _sign(self, name, directory="ledger"):
        self.sovang.done("checkpoint", directory, "--key", "log.key", "-o", name, cwd=self.home)
        signed = self.home.joinpath(name).read_text()
        text = signed.split("\n\n")[0] + "\n"
        if self.witnesses:
            signed += "".join(witness.line(text, self.now - 60 + n) for n, witness in enumerate(WITNESSES[: self.witnesses]))
            self.home.joinpath(name).write_text(signed)
            size = signed.split("\n")[1]
            self.home.joinpath(directory, "checkpoints", size).write_text(signed)

    def _keep_older_copy(self):
        """What a rolled back ledger would be, and where a fork begins: the ledger and the key's memory of what it signed."""
        shutil.copytree(self.home / "ledger", self.home / "older")
        shutil.copy(self.home / "log.key.head", self.home / "older.head")

    def _fork(self):
        """The same key signs another history, with the memory of its signatures put back: what only the key's owner can do."""
        added = len(self.lines) - self.old_size
        if not added:
            return  # nothing to contradict: whatever comes next continues all that was signed
        for name in ("ledger", "log.key.head"):
            self.home.joinpath(name).rename(self.home / f"true-{name}")
        shutil.copytree(self.home / "older", self.home / "ledger")
        shutil.copy(self.home / "older.head", self.home / "log.key.head")
        count = added if self.chance.random() < 0.5 else self.chance.randint(1, RECORDS_MAX)
        other = [ledgers.UNIT | {"unit": f"x-{n}", "name": f"Xã {n}", "valid_from": "2014-01-01"} for n in range(count)]
        self._import([json.dumps(line, ensure_ascii=False) for line in other])
        self._sign("forked")
        self.home.joinpath("ledger").rename(self.home / "forked-ledger")
        for name in ("ledger", "log.key.head"):
            self.home.joinpath(f"true-{name}").rename(self.home / name)
        self.files += ["forked", "fork"]
        if count == added:
            code, _, message = self.sovang.run("check", "new", "forked", *self.policy_options, "--fork-proof", "fork", cwd=self.home)
            if code != 1 or not self.home.joinpath("fork").exists():
                raise AssertionError(f"two histories of one size and no fork proof, exit {code}: {message}")
        else:
            self._write_fork(*(("new", "forked-ledger", "forked") if added < count else ("forked", "ledger", "new")))

    def _write_fork(self, smaller, directory, larger):
        """The fork proof of two sizes: the larger history has another root at the smaller size."""
        texts = [self.home.joinpath(name).read_text() for name in (smaller, larger)]
        sizes = [int(text.split("\n")[1]) for text in texts]
        leaves = Log(self.home / directory, read_ledger(self.home / directory)).leaves[: sizes[1]]
        self.home.joinpath("fork").write_text(fork(*texts, recursive_root(leaves[: sizes[0]]), growth_path(sizes[0], leaves)))

    def options(self):
        """Whom both verifiers are told to trust."""
        figures = ["--vkey", str(self.keys.figures)] if "statement" in self.files else []
        return [*self.policy_options, *figures]

    # ------------------------------------------------------------------------------------------------------- tampering

    def tamper(self):
        """Changes one thing at random and remembers what."""
        kinds = {
            "a byte of the ledger": 5,
            "a cut file of the ledger": 2,
            "a byte of a file": 6,
            "two lines swapped": 2,
            "a file cut": 2,
            "a line twice": 1,
            "a line of nobody known": 1,
            "another log's key": 1,
            "a line left out": 1,
        }
        kinds |= {"a byte of the policy": 2} if self.needed else {}
        kinds |= {"rolled back": 4} if self.home.joinpath("older").exists() else {}
        kinds |= {"another history": 4} if "forked" in self.files else {}
        kind = self.chance.choices(list(kinds), kinds.values())[0]
        self.tampered = kind + ": " + str(self._tamper(kind))

    def _tamper(self, kind):
        chance = self.chance
        if kind in ("a byte of the ledger", "a cut file of the ledger"):
            path = chance.choice(
                [
                    path
                    for path in sorted(self.home.joinpath("ledger").rglob("*"))
                    if path.is_file() and path.stat().st_size and path.parent.name != "checkpoints"
                ]
            )
            return self._change(path, kind)
        if kind == "a byte of the policy":
            return self._change(self.home / "policy", kind)
        if kind == "rolled back":
            shutil.rmtree(self.home / "ledger")
            self.home.joinpath("older").rename(self.home / "ledger")
            return "to the older copy"
        if kind == "another history":
            shutil.rmtree(self.home / "ledger")
            self.home.joinpath("forked-ledger").rename(self.home / "ledger")
            return "the forked ledger in its place"
        if kind == "another log's key":
            if self.needed:
                path = self.home / "policy"
                path.write_text(path.read_text().replace(str(self.keys.log), str(self.keys.stranger)))
            else:
                self.policy_options = ["--vkey", str(self.keys.stranger)]
            return "of the same name"
        return self._change(self.home / chance.choice(self.files), kind)

    def _change(self, path, kind):
        chance, data = self.chance, path.read_bytes()
        at = chance.randrange(len(data))
        lines = data.splitlines(keepends=True)
        if "byte" in kind:
            if chance.random() < 0.5 and any(data):
                at = chance.choice([at for at, byte in enumerate(data) if byte])
            changed = data[:at] + bytes([data[at] ^ chance.randrange(1, 256)]) + data[at + 1 :]
        elif "cut" in kind:
            changed = data[:at]
        elif kind == "two lines swapped":
            at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
            changed = b"".join(lines)
        elif kind == "a line twice":
            at = chance.randrange(len(lines))
            changed = b"".join(lines[: at + 1] + lines[at:])
        elif kind == "a line left out":
            at = chance.randrange(len(lines))
            changed = b"".join(lines[:at] + lines[at + 1 :])
        else:
            changed = data + "— nobody.example AAAAAAA=\n".encode()
        path.write_bytes(changed)
        return f"{path.relative_to(self.home)} at {at}"

    # --------------------------------------------------------------------------------------------------------- judging

    def disagreements(self, counts):
        """Where the two verifiers differ, and where something untampered is refused."""
        found, options = [], self.options()
        replay = ["--replay", "ledger"] if "statement" in self.files else []
        code, said, message = self.sovang.run("check", *self.files, *options, *replay, "--json", cwd=self.home)
        theirs = json.loads(said)["files"] if said.startswith("{") else None
        ours, our_code = second_verdict(self.home, self.files, options, "ledger" if replay else None)
        if code != our_code:
            found.append(f"check: exit {code} ({message.strip()}), the second verifier {our_code}: {ours}")
        for their, our in zip(theirs or (), ours or ()):
            counts["held" if our["ok"] else "refused"] += 1
            if their["ok"] != our["ok"] or (our["ok"] and facts_of(their) != facts_of(our)):
                found.append(
                    f"{our['file']}: {facts_of(their)} {their.get('what')}, the second verifier {facts_of(our)} {our['what']}"
                )
        code, _, message = self.sovang.run("verify", "ledger", "--against", "new", *self.policy_options, cwd=self.home)
        our_code, what = second_reading(self.home, self.policy_options)
        counts[f"verify: {our_code}"] += 1
        if code != our_code:
            found.append(f"verify: exit {code} ({message.strip()}), the second reader {our_code}: {what}")
        refused = [our for our in ours or () if not our["ok"] and our["file"] != "forked"]
        if self.tampered == "nothing" and (code or refused):
            found.append(f"untampered and refused: {code} {refused}")
        return found


def parsed(options):
    """The options of trust, as the second verifier's command line reads them."""
    parser = argparse.ArgumentParser()
    add_trust(parser)
    return parser.parse_args(list(map(str, options)))


def second_verdict(home, files, options, replay):
    """What tests/reader/check.py says of these files."""
    options = [str(home / option) if option == "policy" else option for option in options]
    try:
        arguments = parsed(options)
        keys = read_keys(arguments.vkey)
        policy = read_policy(arguments, keys)
        checker = Checker(keys, policy, None, replayed_log(home / replay) if replay else None)
    except Usage as usage:
        return [{"file": "", "ok": False, "what": str(usage)}], 2
    said, code = check_files([home / name for name in files], checker)
    for told in said:
        told["file"] = Path(told["file"]).name
    return said, code


def second_reading(home, options):
    """What tests/reader/sovang_reader.py says of the directory beside the newest checkpoint."""
    arguments = parsed([str(home / option) if option == "policy" else option for option in options])
    try:
        policy = read_policy(arguments, read_keys(arguments.vkey))
    except Usage as usage:
        return 2, usage
    reading = Reading(home / "ledger")
    reading.hold_against(read_file(home / "new"), policy)
    return reading.exit_code, reading.damage + reading.disagreements


def facts_of(told):
    """What the two verifiers must say alike of a file that holds."""
    if not told["ok"]:
        return {"ok": False}
    facts = {name: told.get(name) for name in FACTS}
    facts["witnesses"] = sorted((witness["name"], witness["time"]) for witness in told.get("witnesses") or ())
    return facts | {"ok": True, "ignored": told.get("ignored_lines")}


def run_case(sovang, keys, seed, tampered, work, counts):
    """Makes and judges one ledger; gives what is wrong."""
    home = work / f"ledger-{seed}"
    home.mkdir()
    case = Case(sovang, keys, seed, home)
    if tampered:
        case.tamper()
    counts[case.tampered.split(":")[0]] += 1
    found = case.disagreements(counts)
    if not found:
        shutil.rmtree(home)
    return [f"ledger {seed}, {case.tampered}: {one}" for one in found]


# ---------------------------------------------------------------------------------------------------------- single bytes


def every_change(sovang, keys, work, all_values, counts):
    """Single-byte changes of everything that one ledger gives away, once signed by the log alone and once cosigned by three."""
    found = []
    for needed in (0, 3):
        home = work / f"bytes-{needed}"
        home.mkdir()
        case = Case(sovang, keys, FORK_EVERY * (1 + needed), home) if not needed else CosignedCase(sovang, keys, FORK_EVERY, home)
        case.witnesses_needed = needed
        for name in case.files:
            if name == "forked":
                continue
            found += _changes_of(case, name, name == "new" and not needed or all_values, counts)
    return found


class CosignedCase(Case):
    """A ledger whose policy needs all three witnesses."""

    def __init__(self, sovang, keys, seed, home):
        home.joinpath("policy").write_text(keys.policy(3))
        super().__init__(sovang, keys, seed, home)


def _changes_of(case, name, all_values, counts):
    chance, data, found = random.Random(f"bytes of {name}"), case.home.joinpath(name).read_bytes(), []
    mutants = [
        (at, value)
        for at, byte in enumerate(data)
        for value in (sorted(set(range(256)) - {byte}) if all_values else [byte ^ chance.randrange(1, 256)])
    ]
    for first in range(0, len(mutants), MUTANTS_AT_ONCE):
        found += _judge_mutants(case, name, data, mutants[first : first + MUTANTS_AT_ONCE], counts)
    return found


def _judge_mutants(case, name, data, mutants, counts):
    """A growth is judged behind the checkpoint it grows from."""
    files = []
    for at, value in mutants:
        case.home.joinpath(f"m-{at}-{value}").write_bytes(data[:at] + bytes([value]) + data[at + 1 :])
        files += (["old"] if name == "growth" else []) + [f"m-{at}-{value}"]
    options = case.options()
    _, said, message = case.sovang.run("check", *files, *options, "--json", cwd=case.home)
    theirs = json.loads(said)["files"]
    ours, _ = second_verdict(case.home, files, options, None)
    found = []
    for their, our in zip(theirs, ours):
        if our["file"] == "old":
            continue
        counts["single bytes"] += 1
        if their["ok"] or our["ok"]:
            found.append(f"{name}, {our['file']}: {their['ok']}, the second verifier {our['ok']} {our.get('what')}")
    for at, value in mutants:
        case.home.joinpath(f"m-{at}-{value}").unlink()
    return found


def main():
    parser = argparse.ArgumentParser(description="two verifiers on the same ledgers, half of them tampered with")
    parser.add_argument("--sovang", required=True)
    parser.add_argument("--ledgers", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed; odd ones are tampered with")
    parser.add_argument(
        "--all-values", action="store_true", help="all 255 values of every byte of every kind of file, not of a checkpoint only"
    )
    parser.add_argument("--no-bytes", action="store_true", help="leave out the single bytes")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where the ledgers of a disagreement stay")
    arguments = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="sovang-agree-", dir=IN_MEMORY)) if arguments.keep is None else arguments.keep
    work.mkdir(parents=True, exist_ok=True)
    sovang, counts, found = Sovang(arguments.sovang), Counter(), []
    keys = Keys(sovang, work)
    started = time.monotonic()
    for seed in range(arguments.first, arguments.first + arguments.ledgers):
        found += run_case(sovang, keys, seed, seed % 2 == 1, work, counts)
    if not arguments.no_bytes:
        found += every_change(sovang, keys, work, arguments.all_values, counts)
    for name, count in sorted(counts.items()):
        print(f"{count:8} {name}")
    print(f"{arguments.ledgers} ledgers in {time.monotonic() - started:.0f} s: {len(found)} disagreements")
    for one in found:
        print(f"DISAGREE {one}")
    if found:
        print(f"the files are in {work}")
        return 1
    shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
