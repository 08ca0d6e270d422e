"""One ledger that lives through many power losses, at moments drawn at random, while readers look on."""

import random
import shutil
import subprocess
import threading
import time
from dataclasses import replace

import office
from disk import Disk
from judge import Known, Lost, destroyed, hold

_COMING_MAX = 40
_PATIENCE = 60
# What a command answers whose disk is gone, or that is gone itself.
_NO_DISK = 4


class Onlooker(threading.Thread):
    """A reader in other processes that asks for the head again and again."""

    def __init__(self, bench, disk):
        super().__init__()
        self._bench, self._disk, self._ended = bench, disk, threading.Event()
        self.heads, self.refused = {}, None

    def run(self):
        last = 0
        while not self._ended.is_set():
            said = self._bench.sovang.run("head", self._disk.at / "book", "--json")
            if said.code != 0:
                if self._disk.is_on() and not self._ended.is_set():
                    self.refused = f"a reader beside the writer: {said.code} {said.err}"
                return
            head = said.json()
            if head["size"] < last:
                self.refused = f"a reader was shown {last} records, then {head['size']}"
            last = head["size"]
            self.heads[last] = head["root"]

    def end(self):
        """What it saw."""
        self._ended.set()
        self.join()
        return self.heads


class Life:
    """The ledger, and what is known of it."""

    def __init__(self, bench, chance, here):
        self.bench, self.chance, self.here = bench, chance, here
        self.disk, self.known, self.round = Disk(bench.lazyfs, here), Known(), 0
        self.cuts, self.under_way = 0, 0
        self.took = 0.1  # seconds, the last command that was let go on to its end
        for name in ("key", "key.head"):
            shutil.copyfile(bench.directory / name, here / name)
        bench.sovang.run("init", self.disk.durable / "book", "--origin", office.ORIGIN).done()

    @property
    def ledger(self):
        """Where the ledger is."""
        return self.disk.at / "book"

    def one_round(self):
        """A command, a power loss, and the judgement; gives what was done."""
        self.round += 1
        arguments, self.known, what = self._draw()
        before = (self.disk.durable / "book/vault/keys").read_bytes()
        self.disk.start()
        code, message, when = self._run_and_cut(arguments, before)
        what += f", {when}, exit code {code}"
        hold(code in (0, _NO_DISK), f"{what}: {message}")
        self.cuts, self.under_way = self.cuts + 1, self.under_way + (code == _NO_DISK)
        self.disk.start()
        self.bench.judge.reader(self.ledger, self.disk.durable, self.known)
        coming = self.known.coming
        self._recover()
        if self.chance.random() < 0.5:
            self._complete(coming)
        self.disk.cut()
        return what

    def _draw(self):
        lines = self.known.lines()
        left = len(self.bench.judge.lines) - lines
        more, some = bool(left), bool(lines)
        kind = self.chance.choices(("batches", "all", "erase", "sign"), (5 * more, 3 * more, some, some))[0]
        if kind == "erase":
            subject = self._living(lines)
            if subject:
                return (["erase", self.ledger, "--subject", subject, "--basis", "their wish"],
                        replace(self.known, coming=(subject,), batch=0), f"{subject} is erased")
        if kind in ("sign", "erase"):
            signed = self.here / f"signed-{self.round}"
            arguments = ["checkpoint", self.ledger, "--key", self.here / "key", "-o", signed]
            return arguments, replace(self.known, coming=()), "the head is signed"
        count = min(self.chance.randint(1, _COMING_MAX), left)
        batch = self.chance.randint(1, 4) if kind == "batches" else 0
        coming = tuple(range(lines, lines + count))
        arguments = ["import", self.ledger, self.bench.judge.prefix(self.here, lines + count), *(["--batch", batch] if batch else [])]
        return arguments, replace(self.known, coming=coming, batch=batch), f"{count} lines after {lines}, in batches of {batch or 'all'}"

    def _living(self, lines):
        whose = self.bench.judge.of_line
        later, erased = set(whose[lines:]), {record for record in self.known.records if isinstance(record, str)}
        return next((one for one in whose[:lines] if one and one not in later | erased), None)

    def _run_and_cut(self, arguments, keys_before):
        onlooker = Onlooker(self.bench, self.disk)
        onlooker.start()
        command = subprocess.Popen([self.bench.sovang.binary, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        when, started = "the power goes at the end", time.monotonic()
        try:
            if self.chance.random() < 0.75:
                moments = sorted(self.chance.uniform(0, 1.2 * self.took) for _ in range(2))
                when = f"the power goes after {moments[1]:.3f} s"
                time.sleep(moments[0])
                if self.chance.random() < 0.3:
                    self.disk.write_back()
                    when += ", all was written back on the way"
                time.sleep(moments[1] - moments[0])
                if self.chance.random() < 0.5:
                    command.kill()
                    when += ", the process first"
                self.disk.cut()
            _, message = command.communicate(timeout=_PATIENCE)
            if self.disk.is_on():
                self.took = time.monotonic() - started
        finally:
            command.kill()
        code = _NO_DISK if command.returncode < 0 else command.returncode
        if code == 0:
            self._acknowledged(arguments, keys_before)
        shown = onlooker.end()
        self.disk.cut()
        hold(onlooker.refused is None, onlooker.refused)
        self.known = replace(self.known, shown=max([self.known.shown, *shown]), roots=self.known.roots | shown)
        return code, message.decode(errors="replace"), when

    def _acknowledged(self, arguments, keys_before):
        if arguments[0] == "checkpoint":
            self.known = replace(self.known, checkpoints=(*self.known.checkpoints, arguments[-1]))
        if arguments[0] == "erase" and self.disk.is_on():
            gone = destroyed(keys_before, (self.ledger / "vault/keys").read_bytes())
            hold(gone, "an erasure destroyed no key")
            self.known = replace(self.known, gone=(*self.known.gone, *gone))
        self.known = self.known.now(len(self.known.all()))

    def _complete(self, coming):
        judge, lines = self.bench.judge, [record for record in coming if isinstance(record, int)]
        for subject in set(coming).difference(lines):
            self.known = judge.erased(self.ledger, self.known, subject)
        self.known = judge.completed(self.ledger, self.here, self.known, max([self.known.lines(), *(line + 1 for line in lines)]))

    def _recover(self):
        """Recovery, interrupted now and then."""
        while self.chance.random() < 0.3:
            self._interrupt()
        self.known = self.bench.judge.writer(self.ledger, self.disk.durable, self.here, self.known)

    def _interrupt(self):
        lines = self.known.lines()
        if not lines:
            return
        arguments = ["import", self.ledger, self.bench.judge.prefix(self.here, lines)]
        command = subprocess.Popen([self.bench.sovang.binary, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        time.sleep(self.chance.uniform(0, self.took))
        self.disk.cut()
        self.cuts += 1
        command.wait(_PATIENCE)
        hold(command.returncode in (0, _NO_DISK), f"an interrupted recovery: exit code {command.returncode}")
        self.disk.start()


def live(bench, rounds, chance: random.Random):
    """So many rounds; gives how many power losses, and the promise that was broken, if one was: the ledger does not go on then."""
    here = bench.directory / "rounds"
    here.mkdir()
    life = Life(bench, chance, here)
    lost, what = [], ""
    try:
        for _ in range(rounds):
            what = life.one_round()
    except Lost as why:
        lost.append(f"round {life.round}, behind {what!r}: {why}")
        print(f"  BROKEN: {lost[0]}", flush=True)
    finally:
        life.disk.cut()
    print(f"rounds: {life.round}, in which the power went {life.cuts} times, {life.under_way} times while the command was under way; "
          f"{len(life.known.records)} records, {sum(isinstance(record, str) for record in life.known.records)} people erased", flush=True)
    return life.cuts, lost
