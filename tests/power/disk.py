"""A directory whose power can be cut: LazyFS, a file system over FUSE that keeps what was written in a cache of its own and forgets,
when it is killed, all that was not synced. What is durable is in a plain directory beside it."""

import os
import re
import subprocess
import time
from collections import Counter, namedtuple
from pathlib import Path

Call = namedtuple("Call", "name path to size offset")
"""One call that LazyFS was asked for; paths are relative to the directory."""

_CALL = re.compile(r"lfs_(\w+)\((?:path|from)=([^,)]*)(?:,to=([^,)]*))?(?:,size=(\d+),off=(\d+))?")
_HIDDEN = ".fuse_hidden"
_START_SECONDS, _END_SECONDS = 30, 30
_CONFIG = """[faults]
fifo_path="{fifo}"
[cache]
apply_eviction=false
[cache.simple]
custom_size="{cache}mb"
blocks_per_page=1
[filesystem]
log_all_operations=true
logfile=""
{injection}"""


class Broken(Exception):
    """LazyFS does not do what it is used for here; nothing is said about the program under test."""


class After(namedtuple("After", "call nth")):
    """The power goes when the nth call of that name on that path has been done."""

    def injection(self, durable):
        """What LazyFS's configuration says of it."""
        to = f'to="{durable / self.call.to}"\n' if self.call.to else ""
        return (f'[[injection]]\ntype="clear-cache"\nfrom="{durable / self.call.path}"\n{to}timing="after"\nop="{self.call.name}"\n'
                f"occurrence={self.nth}\ncrash=true\n")

    def __str__(self):
        return f"the power goes after {self.call.name} {self.nth} of {self.call.path}"


class Unlinked(namedtuple("Unlinked", "path")):
    """The power goes when that path has been unlinked."""

    def command(self):
        """What LazyFS is told."""
        return f"lazyfs::crash::timing=after::op=unlink::from_rgx={re.escape(self.path)}$"

    def __str__(self):
        return f"the power goes after {self.path} is unlinked"


class Torn(namedtuple("Torn", "path nth parts persist")):
    """Of the nth write to a path, which has as many bytes as the parts together, one part reaches the disk; then the power goes."""

    def injection(self, durable):
        """What LazyFS's configuration says of it."""
        return (f'[[injection]]\ntype="torn-op"\nfile="{durable / self.path}"\noccurrence={self.nth}\nparts_bytes={list(self.parts)}\n'
                f"persist=[{self.persist}]\n")

    def __str__(self):
        return f"of write {self.nth} to {self.path}, cut into {list(self.parts)} bytes, part {self.persist} reaches the disk"


class Reordered(namedtuple("Reordered", "path group persist")):
    """Of the writes to a path between two syncs one reaches the disk, and none before it; then the power goes."""

    def injection(self, durable):
        """What LazyFS's configuration says of it."""
        return (f'[[injection]]\ntype="torn-seq"\nop="write"\nfile="{durable / self.path}"\noccurrence={self.group}\n'
                f"persist=[{self.persist}]\n")

    def __str__(self):
        return f"of the writes to {self.path} between two syncs (group {self.group}), only number {self.persist} reaches the disk"


class Disk:
    """The directory `at`; it is there between `start` and `cut`."""

    def __init__(self, lazyfs, directory, cache=64):
        self._lazyfs, self._directory, self._cache, self._process = str(Path(lazyfs).resolve()), Path(directory), cache, None
        self._going = False
        self.at, self.durable = self._directory / "mounted", self._directory / "durable"
        self._log, self._fifo = self._directory / "calls", self._directory / "told"
        for path in (self.at, self.durable):
            path.mkdir(parents=True, exist_ok=True)

    def start(self, fault=None):
        """Mounts it, with a fault to come."""
        config = self._directory / "lazyfs.toml"
        injection = fault.injection(self.durable) if hasattr(fault, "injection") else ""
        config.write_text(_CONFIG.format(fifo=self._fifo, cache=self._cache, injection=injection))
        # One thread: requests come in the order in which they are logged, and LazyFS's own locks are not what is tested.
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [self._lazyfs, str(self.at), "--config-path", str(config), "-o", f"modules=subdir,subdir={self.durable}", "-f", "-s"],
                stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        until = time.monotonic() + _START_SECONDS
        while not os.path.ismount(self.at):
            if self._process.poll() is not None or time.monotonic() > until:
                raise Broken(f"LazyFS does not mount: {self._log.read_text(errors='replace')[-500:]}")
            time.sleep(0.01)
        if hasattr(fault, "command"):
            self.tell(fault.command(), "VALID crash fault")

    def tell(self, command, heard):
        """Tells LazyFS something and waits until it has heard."""
        # It reads 100 bytes at most and takes them for one command.
        if len(command) >= 99:
            raise Broken(f"LazyFS cannot hear that much: {command}")
        before = self._text().count(heard)
        # Its end of the pipe is opened a moment after it is mounted, and this waits for that.
        with self._fifo.open("w") as fifo:
            fifo.write(command + "\n")
        until = time.monotonic() + _START_SECONDS
        while self._text().count(heard) == before:
            if time.monotonic() > until or not self.is_on():
                raise Broken(f"LazyFS does not hear {command}")
            time.sleep(0.01)

    def write_back(self):
        """Everything that was written reaches the disk, as the system may do at any moment."""
        self.tell("lazyfs::cache-checkpoint", "checkpoint is done")

    def is_on(self):
        """Whether the power is on."""
        return self._process is not None and not self._going and self._process.poll() is None and not self.struck()

    def cut(self):
        """Cuts the power, if it is still on: what was not synced is gone, and the directory with it."""
        if self._process is None:
            return
        self._check_cache()
        self._going = True
        self._process.kill()
        self._process.wait()
        self._process, self._going = None, False
        # Lazily: a process that is being killed may have files open there.
        until = time.monotonic() + _END_SECONDS
        while subprocess.run(["umount", "-l", self.at], capture_output=True, check=False).returncode == 0 or self._is_listed():
            if time.monotonic() > until:
                raise Broken(f"{self.at} stays mounted")
            time.sleep(0.01)

    def calls(self):
        """The calls of files since the start, in order."""
        found = []
        for name, path, to, size, offset in _CALL.findall(self._text()):
            found.append(Call(name, self._relative(path), self._relative(to), int(size or 0), int(offset or 0)))
        return found

    def struck(self):
        """Whether a fault was met."""
        return "Killing LazyFS" in self._text()

    def _check_cache(self):
        # A full cache is written through, as if it had been synced: no power loss would be one.
        written = sum(call.size for call in self.calls() if call.name == "write")
        if written > self._cache << 20:
            raise Broken(f"{written} bytes were written, for a cache of {self._cache} MiB")

    def _relative(self, path):
        return str(Path(path).relative_to(self.durable)) if path else ""

    def _text(self):
        return self._log.read_text(errors="replace")

    def _is_listed(self):
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            return any(line.split()[1] == str(self.at) for line in mounts)


def faults_of(calls, tear):
    """A fault for each state of the disk that these calls lead through, and for each way to tear and to reorder them.

    LazyFS makes bytes durable when a file is synced, and names at once: nothing new is durable after any other call. `tear` says of a
    path whether its writes may be torn inside of a sector.

    A file that is open while another is renamed over it is moved away first by FUSE, so that this rename is two: what is between them is
    a state that no local file system is in, and is left out."""
    faults, counts, since_sync, groups = [], Counter(), Counter(), Counter()
    for call in calls:
        counts[call.name, call.path] += 1
        nth = counts[call.name, call.path]
        if _HIDDEN in call.to:
            continue
        if call.name in ("fsync", "create", "rename"):
            faults.append(After(call, nth))
        elif call.name == "unlink":
            faults.append(Unlinked(call.path))
        if call.name == "write":
            since_sync[call.path] += 1
            faults += _torn(call, nth, tear(call.path))
            if since_sync[call.path] == 2:
                # LazyFS counts only groups of several writes.
                groups[call.path] += 1
                faults.append(Reordered(call.path, groups[call.path], 1))
            if since_sync[call.path] > 1:
                faults.append(Reordered(call.path, groups[call.path], since_sync[call.path]))
        elif call.name == "fsync":
            since_sync[call.path] = 0
    return faults


def _torn(call, nth, anywhere):
    sector, odd = 512, 1 + call.size // 3
    first = sector - call.offset % sector
    last = (call.offset + call.size) // sector * sector - call.offset
    places = {place for place in (first, last, *([odd] if anywhere else [])) if 0 < place < call.size}
    return [Torn(call.path, nth, (place, call.size - place), persist) for place in sorted(places) for persist in (1, 2)]
