"""Whom to trust: C2SP tlog-policy, quorum and time bounds (docs/FORMAT.md §11.2 and §11.7), and the one way by which a checkpoint
is believed."""

import re
from collections import namedtuple

from notes import COSIGNS, FILE_BYTES_MAX, SIGNS, Key, Refused, number_of

_TIMES = range(1_577_836_800, 253_402_300_800)  # 2020-01-01 to 9999-12-31
_EACH_MAX = 256
_AHEAD_MAX = 86_400
_OCTETS = re.compile(rb"[\t\n\x20-\x7e\x80-\xff]*")

Proven = namedtuple("Proven", "checkpoint log witnesses ignored not_after not_before")


class Policy:
    """Logs, witnesses, and which of the witnesses are enough. Names are octets: str with surrogates for what is not UTF-8."""

    def __init__(self, logs=()):
        self.logs, self.witnesses, self.groups, self.quorum = list(logs), {}, {}, "none"
        self.of_file = False  # made of keys given alone, whatever they sign
        self.origin = None  # the only origin to accept, whatever the log's key is called
        self.now = None  # seconds since 1970: refuses times a day ahead of it
        self.age_max = None  # in seconds: refuses what was last seen longer ago

    @classmethod
    def parse(cls, data):
        """The policy of a file."""
        if len(data) > FILE_BYTES_MAX or not _OCTETS.fullmatch(data):
            raise Refused("policy: too long, or a control character")
        policy = cls()
        policy.quorum, policy.of_file = None, True
        for number, line in enumerate(data.split(b"\n"), 1):
            words = [word.decode("utf-8", "surrogateescape") for word in re.split(rb"[ \t]+", line.strip(b" \t"))]
            if not words[0] or words[0].startswith("#"):
                continue
            try:
                policy._add(words)
            except Refused as refused:
                raise Refused(f"policy, line {number}: {refused}") from None
        if policy.quorum is None or max(map(len, (policy.logs, policy.witnesses, policy.groups))) > _EACH_MAX:
            raise Refused(f"policy: no quorum, or more than {_EACH_MAX} logs, witnesses or groups")
        return policy

    def _add(self, words):
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                self.logs.append(self._new_key(vkey, SIGNS))
            case ["witness", name, vkey] | ["witness", name, vkey, _]:
                key = self._new_key(vkey, COSIGNS)
                self._check_new(name)
                self.witnesses[name] = key
            case ["group", name, threshold, *members] if members:
                self._check_new(name)
                for member in members:
                    self._check_defined(member)
                if len(set(members)) != len(members):
                    raise Refused("a member twice")
                needed = {"any": 1, "all": len(members)}.get(threshold)
                needed = number_of(threshold) if needed is None else needed
                if not 1 <= needed <= len(members):
                    raise Refused(f"{needed} of {len(members)} members")
                self._check_free(members)
                self.groups[name] = needed, members
            case ["quorum", name]:
                if self.quorum is not None:
                    raise Refused("a second quorum")
                if name != "none":
                    self._check_defined(name)
                self.quorum = name
            case _:
                raise Refused(f"no line of a policy: {' '.join(words)[:80]!r}")

    def _new_key(self, vkey, kind):
        if any("\ud800" <= c <= "\udfff" for c in vkey):
            raise Refused("a key's name is not UTF-8")
        key = Key.parse(vkey)
        if key.kind != kind:
            raise Refused(f"a key of kind {key.kind:#04x}")
        if key.public in [known.public for known in (*self.logs, *self.witnesses.values())]:
            raise Refused("a key twice")
        return key

    def _check_new(self, name):
        if name == "none" or name in self.witnesses or name in self.groups:
            raise Refused(f"the name {name!r} is taken")

    def _check_defined(self, name):
        if name not in self.witnesses and name not in self.groups:
            raise Refused(f"{name!r} is not defined above")

    def _check_free(self, members):
        taken = [member for _, others in self.groups.values() for member in others]
        if any(member in taken for member in members):
            raise Refused("a member of another group: each witness counts in only one way")

    def enough(self, cosigned):
        """Whether these witnesses, by their names here, meet the quorum."""

        def met(name):
            if name in self.witnesses:
                return name in cosigned
            needed, members = self.groups[name]
            return sum(met(member) for member in members) >= needed

        return self.quorum == "none" or met(self.quorum)

    def prove(self, checkpoint, of_any_age=False):
        """Believes a checkpoint or refuses it. There is no other way to believe one."""
        # Keys given alone are a policy each, of the log they are called as.
        logs = [key for key in self.logs if self.of_file or checkpoint.origin in (key.name, self.origin)]
        signed, ignored = checkpoint.note.signers([*logs, *self.witnesses.values()])
        if self.origin not in (None, checkpoint.origin):
            raise Refused(f"the origin is {checkpoint.origin!r}, not {self.origin!r}")
        log = next((key for key in logs if key in signed and checkpoint.origin in (key.name, self.origin)), None)
        if log is None:
            raise Refused(f"not signed by a known log of the origin {checkpoint.origin!r}")
        times = {name: signed[key] for name, key in self.witnesses.items() if key in signed}
        for name, all_times in times.items():
            if any(time not in _TIMES or (self.now is not None and time > self.now + _AHEAD_MAX) for time in all_times):
                raise Refused(f"a time of {name} is absurd")
        times = {name: all_times[0] for name, all_times in times.items()}
        if not self.enough(set(times)):
            raise Refused(f"the quorum is not met by {sorted(times)}")
        not_after, not_before = self._bounds(times)
        if self.age_max is not None and not of_any_age and (not_before is None or self.now - not_before > self.age_max):
            raise Refused(f"stale: last seen at {not_before}, which is longer than {self.age_max} seconds before {self.now}")
        return Proven(checkpoint, log, times, ignored, not_after, not_before)

    def _bounds(self, times):
        """By when a quorum had seen it, and since when a quorum says it was the newest: none without witnesses in the quorum."""
        if self.quorum == "none":
            return None, None
        after = next(t for t in sorted(times.values()) if self.enough({name for name, time in times.items() if time <= t}))
        before = next(t for t in sorted(times.values(), reverse=True) if self.enough({name for name, time in times.items() if time >= t}))
        return after, before
