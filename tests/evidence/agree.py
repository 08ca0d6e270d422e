"""Two verifiers that share no line, `sovang` and tests/reader, on ledgers that the binary makes and on the same ledgers tampered with.

    /tmp/reader/bin/python tests/evidence/agree.py --sovang target/release/sovang --ledgers 1000
    /tmp/reader/bin/python tests/evidence/agree.py --sovang target/release/sovang --first 417 --ledgers 1 --keep DIR   # one of them again

Every ledger is created by `init` and two imports, with a checkpoint after each, cosigned by witnesses of this script, and everything
that leaves it is made: receipts, proofs, growth, for some statements, disclosures, tiles and fork proofs. Every second ledger is then
tampered with at random. Both verifiers judge all of it: `check` each file, `verify --against` the directory. They must give the same
exit code, and for each file the same verdict and, where it holds, the same facts. What is untampered must hold. Then single bytes:
every change of a file whose signers are all known and needed must be refused by both.
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
from segments import Damaged, Log, read_ledger  # noqa: E402
from sovang_reader import Reading  # noqa: E402
from trust import Usage, add_trust, read_file, read_keys, read_policy  # noqa: E402

ORIGIN = "example.org/agree"
RECORDS_MAX = 40
FACTS = ("kind", "origin", "size", "root", "position", "record_hash", "log", "not_after")
FORK_EVERY, STATEMENT_EVERY, TILES_EVERY = 10, 2, 4
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

    def policy(self, needed, of):
        """A policy that knows the first of the witnesses and needs some of them."""
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

    def __init__(self, sovang, keys, seed, home, trust=None):
        """`trust` is how many witnesses cosign, how many of them the policy knows, and how many it needs; drawn when not given."""
        self.sovang, self.keys, self.home = sovang, keys, home
        self.chance = random.Random(f"ledger {seed}")
        keys.copy_to(home)
        self.witnesses, known, self.needed = trust or self._draw_trust()
        self.now = int(time.time())
        self.tampered = "nothing"
        self.policy_options = ["--policy", "policy"] if known else ["--vkey", str(keys.log)]
        if known:
            home.joinpath("policy").write_text(keys.policy(self.needed, known))
        self._build(seed)

    def _draw_trust(self):
        witnesses = self.chance.randrange(4)
        known = self.chance.randint(1, 3) if witnesses else 0
        return witnesses, known, self.chance.randint(1, min(witnesses, known)) if known else 0

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
        self.files = ["old", "growth", "new", "receipt", "proof"]
        self._act_on_persons()
        if self.witnesses and self.chance.random() < 0.3:
            self.sovang.done("anchor", "ledger", cwd=self.home)
        self.size = self._sign("new")
        self.sovang.done("prove", "ledger", "--since", self.old_size, "-o", "growth", cwd=self.home)
        self._receipt(self.chance.randrange(self.size), "receipt")
        self.sovang.done("prove", "ledger", "--position", self.chance.randrange(self.size), "-o", "proof", cwd=self.home)
        if "disclosure" in self.files:
            self._receipt(self.disclosed, "personal")
        if seed % STATEMENT_EVERY == 0:
            tally = self.chance.choice(["registered", "contributions", "recognised", "cumulative", "amendments"])
            as_of = ["--as-of", self.chance.randint(0, self.size)] if self.chance.random() < 0.5 else []
            self.sovang.done("state", "ledger", tally, *as_of, "--key", "figures.key", "-o", "statement", cwd=self.home)
            self.files.append("statement")
        if seed % TILES_EVERY == 0:
            self.sovang.done("tiles", "ledger", "-o", "tiles", cwd=self.home)
        if seed % FORK_EVERY == 0:
            self._fork()

    def _act_on_persons(self):
        """Discloses a value of one record, and erases somebody."""
        events = [json.loads(line) for line in self.lines]
        persons = [position for position, event in enumerate(events) if "subject" in event]
        if persons and self.chance.random() < 0.5:
            self.disclosed = self.chance.choice(persons)
            act = ["--position", self.disclosed, "--field", 1, "--to", "the auditor", "--purpose", "case 12"]
            self.sovang.done("disclose", "ledger", *act, "-o", "disclosure", cwd=self.home)
            self.files += ["personal", "disclosure"]
        if persons and self.chance.random() < 0.4:
            subject = events[self.chance.choice(persons)]["subject"]["id"]
            self.sovang.done("erase", "ledger", "--subject", subject, "--basis", "request 12", cwd=self.home)

    def _receipt(self, position, name):
        policy = ["--policy", "policy"] if self.needed else []
        self.sovang.done("receipt", "ledger", "--position", position, "-o", name, *policy, cwd=self.home)

    def _import(self, lines):
        if lines:
            batch = ["--batch", self.chance.randint(1, 9)] if self.chance.random() < 0.5 else []
            self.sovang.done("import", "ledger", "-", *batch, data=("\n".join(lines) + "\n").encode(), cwd=self.home)

    def _sign(self, name):
        """Signs and cosigns the head; gives the size."""
        self.sovang.done("checkpoint", "ledger", "--key", "log.key", "-o", name, cwd=self.home)
        signed = self.home.joinpath(name).read_text()
        text = signed.split("\n\n")[0] + "\n"
        size = int(text.split("\n")[1])
        if self.witnesses:
            signed += "".join(witness.line(text, self.now - 60 + n) for n, witness in enumerate(WITNESSES[: self.witnesses]))
            self.home.joinpath(name).write_text(signed)
            self.home.joinpath("ledger", "checkpoints", str(size)).write_text(signed)
        return size

    def _keep_older_copy(self):
        """What a rolled back ledger would be, and where a fork begins: the ledger and the key's memory of what it signed."""
        shutil.copytree(self.home / "ledger", self.home / "older")
        shutil.copy(self.home / "log.key.head", self.home / "older.head")

    def _fork(self):
        """The same key signs another history, with the memory of its signatures put back: what only the key's owner can do."""
        added = self.size - self.old_size
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
            code, _, message = self.sovang.run(
                "check", "new", "forked", *self.policy_options, "--fork-proof", "fork", cwd=self.home
            )
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
        # Of a damaged ledger the second reader reads nothing, the binary as far as it must: verify is asked of both below.
        damaged = second_reading(self.home, self.policy_options)[0] == 3
        replay = ["--replay", "ledger"] if "statement" in self.files and not damaged else []
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
        refused = [our for our in ours or () if not our["ok"]]
        if self.tampered == "nothing" and self.home.joinpath("tiles").exists():
            refused += [our for our in second_verdict(self.home, ["tiles"], options, None)[0] if not our["ok"]]
            counts["directories of tiles"] += 1
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
    except Damaged as damage:
        return [{"file": "", "ok": False, "what": str(damage)}], 3
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


BYTES_SEED = 10  # with records on both sides of the older checkpoint, a statement and a fork
TRUSTS = {"the log alone": (0, 0, 0), "every signer": (3, 3, 3), "one witness of two, and a third unknown": (3, 2, 1)}


def every_change(sovang, keys, work, all_values, counts):
    """Single-byte changes of everything that one ledger gives away, under three policies."""
    found = []
    for number, (name, trust) in enumerate(TRUSTS.items()):
        home = work / f"bytes-{number}"
        home.mkdir()
        case = Case(sovang, keys, BYTES_SEED, home, trust)
        assert {"statement", "fork", "growth"} <= set(case.files)
        for file in case.files:
            changes = Changes(case, file, must_refuse=trust[0] == trust[2])
            found += [f"{name}: {one}" for one in changes.judge(all_values or (file == "new" and not number), counts)]
    return found


class Changes:
    """Copies of one file with one byte changed."""

    def __init__(self, case, name, must_refuse):
        self.case, self.name, self.must_refuse = case, name, must_refuse
        self.data = case.home.joinpath(name).read_bytes()
        self.whole = second_verdict(case.home, self.before + [name], case.options(), None)[0][-1]

    @property
    def before(self):
        """A growth is judged behind the checkpoint it grows from."""
        return ["old"] if self.name == "growth" else []

    def judge(self, all_values, counts):
        """What is wrong: a change that passes where none may, a difference between the verifiers."""
        chance, found = random.Random(f"bytes of {self.name}"), []
        changes = [
            (at, value)
            for at, byte in enumerate(self.data)
            for value in (sorted(set(range(256)) - {byte}) if all_values else [byte ^ chance.randrange(1, 256)])
        ]
        for first in range(0, len(changes), MUTANTS_AT_ONCE):
            found += self._judge(changes[first : first + MUTANTS_AT_ONCE], counts)
        return found

    def _judge(self, changes, counts):
        home, data, files = self.case.home, self.data, []
        for at, value in changes:
            home.joinpath(f"m-{at}-{value}").write_bytes(data[:at] + bytes([value]) + data[at + 1 :])
            files += [*self.before, f"m-{at}-{value}"]
        _, said, message = self.case.sovang.run("check", *files, *self.case.options(), "--json", cwd=home)
        if not said:
            return [f"check said nothing: {message}"]
        ours, _ = second_verdict(home, files, self.case.options(), None)
        found = []
        for their, our in zip(json.loads(said)["files"], ours):
            if our["file"] in self.before:
                continue
            counts["single bytes, refused" if not our["ok"] else "single bytes, in a line that need not be"] += 1
            if facts_of(their) != facts_of(our) or our["ok"] and not self._may_pass(our):
                found.append(
                    f"{self.name}, {our['file']}: {facts_of(their)}, the second verifier {facts_of(our)} {our.get('what')}"
                )
        for at, value in changes:
            home.joinpath(f"m-{at}-{value}").unlink()
        return found

    def _may_pass(self, our):
        """Only a change within a witness's line, by which no more is listed as verified than was."""
        at, start = int(our["file"].split("-")[1]), 0
        for line in self.data.splitlines(keepends=True):
            if start <= at < start + len(line):
                of_witness = line.startswith("— witness-".encode())
            start += len(line)
        no_more = all(witness in self.whole["witnesses"] for witness in our["witnesses"])
        return not self.must_refuse and of_witness and no_more


def main():
    parser = argparse.ArgumentParser(description="two verifiers on the same ledgers, half of them tampered with")
    parser.add_argument("--sovang", required=True)
    parser.add_argument("--ledgers", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed; of four, the last two are tampered with")
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
        found += run_case(sovang, keys, seed, seed // 2 % 2 == 1, work, counts)
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
