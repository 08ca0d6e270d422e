"""The program on a disk whose power is cut, under a real kernel.

    tests/power/run.py --lazyfs LAZYFS --sovang target/release/sovang [--rounds N] [--seed S] [--only NAME]

LAZYFS is the program of that name (github.com/dsrhaslab/lazyfs, at a47a5ba), which has to be there. Three parts:

1. Each command of a small office is run on a disk that loses power after each call that makes something durable, with each of its
   writes torn at sectors (of the log also elsewhere), and with each single one of several writes that no sync divides. That of a segment
   that is full (`--only rotation`) has to be asked for: it takes minutes.
2. One ledger lives through N rounds: the power goes at a moment drawn at random, while readers look on, or at the end.
3. The program without one of its syncs: each time something that was acknowledged must be seen to be lost. So this can fail.

What is judged, after each cut, is in judge.py. Exit code 0: all held, and each mistake was noticed."""

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import office
from disk import Broken, Disk, faults_of
from judge import Judge, Lost, Sovang, hold
from rounds import live
from stages import Rotation, stages

# Of a round about 13 are recorded.
_LINES, _LINES_OF_A_ROUND = 400, 15
# A segment is full after some 8,000 of these.
_LARGE_LINES, _TAIL = 8_600, 64
# A power loss takes the answer of a command with it.
_NO_DISK = 4


class Bench:
    """The program, its input, and where it is tried."""

    def __init__(self, lazyfs, binary, directory, lines, tail=None):
        self.lazyfs, self.sovang, self.directory = lazyfs, Sovang(binary), Path(directory)
        self.directory.mkdir(exist_ok=True)
        made = self.sovang.run("keygen", "-o", self.directory / "key", "--name", office.ORIGIN, "--no-passphrase").done()
        self.vkey = made.split()[-1]
        reference = self.directory / "reference"
        (self.directory / "all.jsonl").write_text("\n".join(lines), encoding="utf-8")
        self.sovang.run("init", reference, "--origin", office.ORIGIN).done()
        self.sovang.run("import", reference, self.directory / "all.jsonl").done()
        self.judge = Judge(self.sovang, lines, reference, self.vkey, tail)
        self.cases = 0

    def case(self, stage, fault=None, before=None):
        """Runs a stage's command with a fault to come, or behind another program, cuts the power, and judges. Gives the calls that were
        made, and whether the fault was met."""
        self.cases += 1
        here = self.directory / f"case-{self.cases}"
        here.mkdir()
        disk = Disk(self.lazyfs, here)
        shutil.copytree(stage.base, disk.durable, dirs_exist_ok=True)
        try:
            disk.start(fault)
            said = self.sovang.run(*stage.arguments(disk.at, here), before=before(disk.at) if before else ())
            known = stage.known
            if before and said.code != 0:
                raise Broken(f"{said.arguments[0]} does not let the program work: {said.err}")
            if said.code == 0:
                # What was acknowledged is looked at by readers at most, so it stays unsynced if it was.
                known = stage.acknowledged(disk, here)
            else:
                hold(said.code == _NO_DISK and disk.struck(), f"exit code {said.code}: {said.out}{said.err}")
            calls = disk.calls()
            met = disk.struck()
            disk.cut()
            disk.start()
            stage.judge(disk, here, known)
        finally:
            disk.cut()
        shutil.rmtree(here)
        return calls, met


def tearable(path):
    """Whether what is written there may be torn inside of a sector: the log and what is renamed into place stand that, the vault and HEAD
    rely on whole sectors."""
    return "/vault/" not in path and not path.endswith("HEAD")


def each_fault(stage):
    """Part 1 for one stage."""
    bench = stage.bench
    met, missed, lost, faults = 1, [], [], []
    try:
        faults = faults_of(bench.case(stage)[0], tearable)
    except Lost as why:
        lost.append(f"{stage.name}: the power goes at the end: {why} [case-{bench.cases}]")
    for fault in faults:
        try:
            if bench.case(stage, fault)[1]:
                met += 1
            else:
                missed.append(fault)
        except Lost as why:
            lost.append(f"{stage.name}: {fault}: {why} [case-{bench.cases}]")
    print(f"{stage.name}: {met} power losses, {len(missed)} that were not met, {len(lost)} broken promises", flush=True)
    for fault in missed:
        print(f"  not met: {fault}")
    for what in lost:
        print(f"  BROKEN: {what}", flush=True)
    return met, lost


# What is skipped, in which stage. Names are durable at once on this disk, so the sync of a directory is not missed.
_MISTAKES = (
    ("no sync at all", "import-of-all", ("",)),
    ("the log is not synced", "import-of-all", ("log/0",)),
    ("the vault's rows are not synced", "import-of-all", ("vault/rows",)),
    ("the vault's keys are not synced", "import-of-all", ("vault/keys",)),
    ("the log is not synced, in batches", "import-in-batches", ("log/0",)),
    ("a new segment is not synced", "creation", ("log/0", "log/0.tmp")),
    ("the ledger's file is not synced", "creation", ("ledger", "ledger.tmp")),
    ("the log is not synced when somebody is erased", "erasure", ("log/0",)),
    ("a destroyed key is not synced", "erasure", ("vault/keys",)),
    ("a backup's segment is not synced", "backup", ("log/0", "log/0.tmp")),
)


def each_mistake(bench, by_name):
    """Part 3: gives the mistakes that were not noticed."""
    unnoticed = []
    for what, name, paths in _MISTAKES:
        stage = by_name[name]
        ledger = "copy" if name.startswith("backup") else "book"

        def skipping(at, ledger=ledger, paths=paths):
            of = [word for path in paths if path for word in ("-P", str(at / ledger / path))]
            return ["strace", "-f", "-qq", "-o", "/dev/null", *of, "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:retval=0"]

        try:
            bench.case(stage, before=skipping)
            unnoticed.append(what)
            print(f"mistake NOT noticed: {what}", flush=True)
        except Lost as why:
            print(f"mistake noticed: {what}: {str(why)[:150]}", flush=True)
            shutil.rmtree(bench.directory / f"case-{bench.cases}")
    return unnoticed


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lazyfs", required=True, help="the program LazyFS")
    parser.add_argument("--sovang", required=True, help="the program under test")
    parser.add_argument("--rounds", type=int, default=100, help="of part 2 (100)")
    parser.add_argument("--seed", type=int, default=1, help="of part 2 (1)")
    parser.add_argument("--only", action="append", help="only these: a stage of part 1, rotation, rounds, mistakes")
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="sovang-power-"))
    started = time.monotonic()
    bench = Bench(options.lazyfs, options.sovang, directory, office.lines(_LINES + _LINES_OF_A_ROUND * options.rounds))
    wanted = lambda name: not options.only or name in options.only  # noqa: E731
    needs_stages = not set(options.only or ("all",)) <= {"rounds", "rotation"}
    by_name = {stage.name: stage for stage in stages(bench)} if needs_stages else {}
    met, lost, unnoticed = 0, [], []
    for stage in filter(lambda stage: wanted(stage.name), by_name.values()):
        more, broken = each_fault(stage)
        met, lost = met + more, lost + broken
    if "rotation" in (options.only or ()):
        large = office.lines(_LARGE_LINES, office.LONG)
        more, broken = each_fault(Rotation(Bench(options.lazyfs, options.sovang, directory / "large", large, _TAIL), "rotation"))
        met, lost = met + more, lost + broken
    if wanted("rounds"):
        cuts, broken = live(bench, options.rounds, random.Random(options.seed))
        met, lost = met + cuts, lost + broken
    if wanted("mistakes"):
        unnoticed = each_mistake(bench, by_name)
    seconds = time.monotonic() - started
    print(f"{met} power losses, {len(lost)} broken promises, {len(unnoticed)} mistakes not noticed, {seconds:.0f} seconds")
    if lost or unnoticed:
        print(f"left in {directory}")
        return 1
    shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    # So that nothing stays mounted.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    try:
        sys.exit(main())
    except Broken as why:
        sys.exit(f"error: {why}")
