"""The part of a command line that says whom to trust."""

import re
import time
from pathlib import Path

from notes import COSIGNS, FILE_BYTES_MAX, Key, Refused
from policy import Policy

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Usage(Exception):
    """The question cannot be answered."""


def add_trust(parser):
    """The options that every command has which believes something."""
    parser.add_argument("--vkey", action="append", default=[], help="the key of the log, or of a statement: text or file")
    parser.add_argument("--policy", metavar="FILE", help="logs, witnesses and quorum, a C2SP tlog-policy")
    parser.add_argument("--origin", metavar="TEXT", help="the only origin to accept, whatever the key is called")
    parser.add_argument("--max-age", metavar="AGE", help="refuses what was last seen longer ago")
    parser.add_argument("--now", type=int, metavar="SECONDS", help="the present, in seconds since 1970")


def read_keys(texts):
    """The keys of --vkey: each the text of a vkey or a file with it."""
    keys = []
    for text in texts:
        try:
            key = Key.parse(Path(text).read_text("utf-8").removesuffix("\n") if "+" not in text else text)
        except (Refused, OSError, ValueError) as error:
            raise Usage(f"--vkey {text[:80]}: {error}") from None
        if key.kind == COSIGNS:
            raise Usage("--vkey names the key of a log or a statement, not of a witness")
        if key in keys:
            raise Usage(f"--vkey {text[:80]}: given twice")
        keys.append(key)
    return keys


def read_policy(arguments, keys):
    """The policy of the command line: a file, or those keys as logs without a quorum."""
    policy = Policy(keys)
    if arguments.policy:
        try:
            policy = Policy.parse(Path(arguments.policy).read_bytes())
        except (Refused, OSError) as error:
            raise Usage(str(error)) from None
    elif not keys:
        raise Usage("no trusted key: give --vkey or --policy")
    policy.origin, policy.now = arguments.origin, int(time.time()) if arguments.now is None else arguments.now
    if arguments.max_age is not None:
        age = re.fullmatch("([0-9]{1,20})([smhd]?)", arguments.max_age)
        if not age:
            raise Usage("--max-age is a number of seconds, or of s, m, h or d")
        policy.age_max = int(age[1]) * _UNITS[age[2]]
    return policy


def read_file(path):
    """The bytes of a file, one more than a file may have at most."""
    try:
        with open(path, "rb") as file:
            return file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise Usage(f"{path}: {error.strerror}") from None
