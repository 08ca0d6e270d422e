"""Commands during which the power is cut: on which ledger they begin, what they are to do, and how what is left is judged."""

import shutil
from dataclasses import replace
from pathlib import Path

import office
from disk import After, Broken, Call, Disk, Reordered
from judge import Known, destroyed, hold

_BATCH = 4
_FIRST, _SECOND = 17, 33
# Enough for a run of the index to be written when a writer ends.
_MANY, _MORE = 290, 310
_SEGMENT = 64 << 20
_BATCHES = 4


class Stage:
    """One command. `base` is what is durable before it, `known` what is known while it is under way."""

    def __init__(self, bench, name, known, prepare=None):
        self.bench, self.name, self.known = bench, name, known
        self.base = bench.directory / "bases" / name
        self.base.mkdir(parents=True)
        if prepare:
            prepare(self.base / "book")
            size, root = bench.sovang.head(self.base / "book")
            self.known = replace(known, shown=size, roots={size: root})

    def arguments(self, at, here):
        """The command, for a ledger in `at`; files that are not on the disk are in `here`."""
        raise NotImplementedError

    def acknowledged(self, disk, _here):
        """What is known when the command has ended well, while the power is still on; looking at it syncs nothing."""
        size, root = self.bench.sovang.head(disk.at / "book")
        hold(size == len(self.known.all()), f"{size} records, while the power is on")
        return replace(self.known.now(size), answered=True, roots=self.known.roots | {size: root})

    def judge(self, disk, here, known):
        """Judges what is left, with the power on again."""
        bench, ledger = self.bench, disk.at / "book"
        bench.judge.reader(ledger, disk.durable, known)
        known = bench.judge.writer(ledger, disk.durable, here, known)
        # Whatever the writer found is there to stay, however it ended.
        disk.cut()
        disk.start()
        again = bench.judge.writer(ledger, disk.durable, here, known)
        hold(again.records == known.records, f"{len(known.records)} records, then {len(again.records)}")
        self.complete(disk, here, known)

    def complete(self, disk, here, known):
        """That the command can be given again, and does what it was to do."""
        lines = sum(isinstance(record, int) for record in self.known.all())
        self.bench.judge.completed(disk.at / "book", here, known, max(lines, known.lines()))


class Creation(Stage):
    """A ledger comes to be."""

    def arguments(self, at, _here):
        return ["init", at / "book", "--origin", office.ORIGIN]

    def judge(self, disk, here, known):
        if not known.answered:
            again = self.bench.sovang.run(*self.arguments(disk.at, here))
            # It may have been there already: what comes last is a sync.
            was_there = again.code == 2 and (disk.at / "book/ledger").exists()
            hold(again.code == 0 or was_there, f"created again: {again.code} {again.err}")
        super().judge(disk, here, known)


class Import(Stage):
    """Lines are imported, of which the first are there: all at once, or in batches."""

    def __init__(self, bench, name, before, after, batch, prepare):
        super().__init__(bench, name, Known(tuple(range(before)), tuple(range(before, after)), batch), prepare)

    def arguments(self, at, here):
        batch = ["--batch", self.known.batch] if self.known.batch else []
        return ["import", at / "book", self.bench.judge.prefix(here, len(self.known.all())), "--json", *batch]


class Rotation(Import):
    """An import in batches goes on in a new segment."""

    def __init__(self, bench, name):
        log = bench.directory / "reference" / "log"
        each = sum(segment.stat().st_size for segment in log.iterdir()) // len(bench.judge.lines)
        before = _SEGMENT // each - _BATCH * _BATCHES // 2

        def prepare(ledger):
            whole = bench.directory / "before.jsonl"
            whole.write_text("".join(line + "\n" for line in bench.judge.lines[:before]), encoding="utf-8")
            bench.sovang.run("init", ledger, "--origin", office.ORIGIN).done()
            bench.sovang.run("import", ledger, whole).done()

        super().__init__(bench, name, before, before + _BATCH * _BATCHES, _BATCH, prepare)

    def acknowledged(self, disk, here):
        if not (disk.at / "book/log/1").exists() or (self.base / "book/log/1").exists():
            raise Broken("the import does not begin a segment")
        return super().acknowledged(disk, here)


class Recovery(Import):
    """An import in batches is given again where it was interrupted before: a second power loss meets the recovery."""

    def __init__(self, bench, name, before, after, batch, prepare, fault):
        super().__init__(bench, name, before, after, batch, prepare)
        interrupt(self, lambda at, here: Import.arguments(self, at, here), fault)


class Erasure(Stage):
    """A person is erased."""

    subject = office.KIN + "1"

    def __init__(self, bench, name, lines, prepare):
        super().__init__(bench, name, Known(tuple(range(lines)), (self.subject,)), prepare)

    def arguments(self, at, _here):
        return ["erase", at / "book", "--subject", self.subject, "--basis", "their wish"]

    def acknowledged(self, disk, here):
        known = super().acknowledged(disk, here)
        return replace(known, gone=self._destroyed(disk.at))

    def complete(self, disk, here, known):
        ledger = disk.at / "book"
        if self.subject in known.records:
            self._destroyed(disk.durable)
        known = self.bench.judge.erased(ledger, known, self.subject)
        self._destroyed(disk.durable)
        self.bench.judge.refused(ledger, here, self.subject)
        super().complete(disk, here, known)

    def _destroyed(self, directory):
        before, after = ((root / "book/vault/keys").read_bytes() for root in (self.base, directory))
        pieces = destroyed(before, after)
        hold(pieces, "an erasure destroyed no key")
        return tuple(pieces)


class ErasureRecovery(Erasure):
    """An erasure was interrupted when it was in the log and no more; the next writer completes it, or is interrupted too."""

    def __init__(self, bench, name, lines, prepare, fault):
        super().__init__(bench, name, lines, prepare)
        interrupt(self, lambda at, here: Erasure.arguments(self, at, here), fault)

    def arguments(self, at, here):
        return ["import", at / "book", self.bench.judge.prefix(here, len(self.known.records))]


class Checkpoint(Stage):
    """The head is signed, and the checkpoint kept in the ledger."""

    def __init__(self, bench, name, lines, prepare):
        super().__init__(bench, name, Known(tuple(range(lines))), prepare)

    def arguments(self, at, here):
        for name in ("key", "key.head"):
            shutil.copyfile(self.bench.directory / name, here / name)
        return ["checkpoint", at / "book", "--key", here / "key", "-o", here / "signed"]

    def acknowledged(self, disk, here):
        return replace(super().acknowledged(disk, here), checkpoints=(here / "signed",))

    def complete(self, disk, here, known):
        run, ledger = self.bench.sovang.run, disk.at / "book"
        if known.answered:
            run("prove", ledger, "--position", 0, "-o", here / "proof").done()
        # The key remembers outside of the ledger what it has signed.
        run("checkpoint", ledger, "--key", here / "key", "-o", here / "signed-again").done()
        run("prove", ledger, "--position", 0, "-o", here / "proof-again").done()
        super().complete(disk, here, known)


class Backup(Stage):
    """A ledger on another disk is copied to this one, for the first time or again."""

    def __init__(self, bench, name, before, after, prepare):
        super().__init__(bench, name, Known(tuple(range(before)), tuple(range(before, after))))
        self.source = bench.directory / "bases" / f"{name}-source"
        prepare(self.source)
        if before:
            bench.sovang.run("backup", self.source, self.base / "copy", "--with-vault").done()
        bench.sovang.run("import", self.source, bench.judge.prefix(bench.directory, after)).done()

    def arguments(self, at, _here):
        return ["backup", self.source, at / "copy", "--with-vault"]

    def acknowledged(self, _disk, _here):
        return replace(self.known.now(len(self.known.all())), answered=True)

    def judge(self, disk, here, known):
        sovang, copy, source = self.bench.sovang, disk.at / "copy", self.bench.sovang.head(self.source)
        if known.records:
            size, _ = sovang.head(copy)
            hold(size in known.sizes(), f"the copy has {size} records; it may have {sorted(known.sizes())}")
            sovang.run("verify", copy).done()
        for _ in range(2):
            sovang.run(*self.arguments(disk.at, here), "--full").done()
            hold(sovang.head(copy) == source, "the copy is not the same")
            hold(sovang.log(copy) == sovang.log(self.source), "the copy has other values")
            sovang.run("verify", copy).done()
            disk.cut()
            disk.start()


def interrupt(stage, arguments, fault):
    """Leaves what is left of a command after a fault as the base of a stage."""
    here = stage.bench.directory / "bases" / f"{stage.name}-interrupted"
    disk = Disk(stage.bench.lazyfs, here)
    shutil.copytree(stage.base, disk.durable, dirs_exist_ok=True)
    try:
        disk.start(fault)
        stage.bench.sovang.run(*arguments(disk.at, here))
        if not disk.struck():
            raise Broken(f"{stage.name}: {fault}: this was not met")
    finally:
        disk.cut()
    shutil.rmtree(stage.base)
    shutil.copytree(disk.durable, stage.base)


def stages(bench):
    """All of them; `bench` has what they share."""

    def holding(count):
        def prepare(ledger):
            bench.sovang.run("init", ledger, "--origin", office.ORIGIN).done()
            if count:
                bench.sovang.run("import", ledger, bench.judge.prefix(bench.directory, count)).done()

        return prepare

    yield Creation(bench, "creation", Known())
    yield Import(bench, "first-import", 0, _FIRST, _BATCH, holding(0))
    yield Import(bench, "import-of-all", _MANY, _MORE, 0, holding(_MANY))
    yield Import(bench, "import-in-batches", _FIRST, _SECOND, _BATCH, holding(_FIRST))
    yield Erasure(bench, "erasure", _FIRST, holding(_FIRST))
    synced = Call("fsync", "book/log/0", "", 0, 0)
    yield Recovery(bench, "import-again", _FIRST, _SECOND, _BATCH, holding(_FIRST), After(synced, 2))
    yield Recovery(bench, "import-again-behind-a-hole", _FIRST, _SECOND, _BATCH, holding(_FIRST), Reordered("book/log/0", 1, 2))
    yield ErasureRecovery(bench, "erasure-again", _FIRST, holding(_FIRST), After(synced, 1))
    yield Checkpoint(bench, "checkpoint", _FIRST, holding(_FIRST))
    yield Backup(bench, "backup", 0, _FIRST, holding(_FIRST))
    yield Backup(bench, "backup-again", _FIRST, _SECOND, holding(_FIRST))
