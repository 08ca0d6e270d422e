"""The second verifier: what `sovang check` says, said by a program that shares no line with it. Written from docs/FORMAT.md §11 and
the C2SP texts it names, and from nothing else.

    python3 -m venv /tmp/reader && /tmp/reader/bin/pip install -r tests/reader/requirements.txt
    /tmp/reader/bin/python tests/reader/check.py FILE... --vkey VKEY | --policy POLICY [--leaf ENTRY] [--origin TEXT] [--replay DIR]

FILE is a checkpoint, proof, receipt, growth (behind the checkpoint it grows from), fork proof, statement, disclosure (behind the
receipt of its record), or a directory of tiles. Exit codes: 0 all hold; 1 one is false or malformed; 2 usage, no trusted key, or
nothing says which record a proof is about; 3 the ledger of --replay is damaged. 1 outranks 2.
"""

import argparse
import base64
import json
import sys
from pathlib import Path

from disclosures import Disclosure
from events import book_of, rows_of
from notes import Checkpoint, Refused, text_of
from proofs import FORK_LINE, PROOF_LINE, Fork, Growth, NoLeaf, Proof
from record import TIME_ANCHORED, Invalid, time_anchor
from segments import Damaged, Log, read_ledger
from statements import STATEMENT_LINE, Statement
from tiles import Tiles
from timestamps import time_stamped
from trust import Usage, add_trust, read_file, read_keys, read_policy


class Checker:
    """Whom to trust, and what the files before this one have shown."""

    def __init__(self, keys, policy, entry=None, replayed=None, token=None):
        self.keys, self.policy, self.entry, self.replayed, self.token = keys, policy, entry, replayed, token
        self._checkpoint, self._receipts = None, {}

    def check(self, data):
        """What the bytes of a file prove; raises what is against it. A growth is held against the file before, a disclosure against
        a receipt of its record among the files before."""
        checkpoint, self._checkpoint = self._checkpoint, None
        text = text_of(data)
        first = text.split("\n", 1)[0]
        if first == PROOF_LINE:
            return self._proof(Proof(text))
        if first.startswith("old "):
            return self._growth(Growth(text), checkpoint)
        if first == FORK_LINE:
            older, newer = Fork(text).prove(self.policy)
            return _told("fork_proof", newer) | {"older_size": older.checkpoint.size}
        if first == STATEMENT_LINE:
            return self._statement(Statement(text))
        if first.startswith("{"):
            return self._disclosure(Disclosure(text))
        proven = self.policy.prove(Checkpoint(text))
        self._checkpoint = proven.checkpoint
        stamped = {"token_not_after": time_stamped(self.token[0], proven.checkpoint.note.text, self.token[1])} if self.token else {}
        return _told("checkpoint", proven) | stamped

    def check_tiles(self, directory):
        """What a directory of tiles proves."""
        return _told("tiles", Tiles(directory).prove(self.policy))

    def _proof(self, proof):
        proven, record_hash = proof.prove(self.policy, self.entry)
        told = _told("receipt" if proof.record else "proof", proven) | {"position": proof.index}
        told |= {"record_hash": record_hash.hex()} if record_hash else {}
        if proof.record and proof.record.kind == TIME_ANCHORED:
            told["anchor"] = self._anchor(proof.record)
        if proof.record:
            self._receipts[told["origin"], proof.index] = proof.record, told
        return told

    def _anchor(self, record):
        """Since when this record, and every later one, can have been made (§11.7)."""
        try:
            what, text, source = time_anchor(record)
            if what != "checkpoint":
                return f"made after this became known, which has to be judged: {text!r}, from {source!r}"
            not_before = self.policy.prove(Checkpoint(text), of_any_age=True).not_before
        except (Invalid, Refused) as error:
            return f"proves nothing: {error}"
        return "proves nothing: no quorum saw it" if not_before is None else f"not before {not_before}"

    def _disclosure(self, disclosure):
        receipt = self._receipts.get((disclosure.origin, disclosure.position))
        if receipt is None:
            raise Usage("a disclosure stands behind the receipt of its record")
        record, told = receipt
        return told | {"kind": "disclosure", "field": disclosure.prove(record)}

    def _growth(self, growth, before):
        if before is None:
            raise Usage("a growth stands behind the checkpoint it grows from")
        _, now = growth.prove(before, self.policy)
        self._checkpoint = now.checkpoint
        return _told("growth", now)

    def _statement(self, statement):
        key = statement.prove(self.keys, self.policy)
        logs = any(statement.checkpoint.origin in (log.name, self.policy.origin) for log in self.policy.logs)
        told = {"kind": "statement", "by": str(key), "checkpoint_checked": logs}
        if logs:
            told |= _told("statement", self.policy.prove(statement.checkpoint))
        if self.replayed is not None:
            log, book = self.replayed
            try:
                statement.check_replay(log, lambda tally, parameters: rows_of(book, tally, parameters))
            except Invalid as invalid:
                raise Refused(str(invalid)) from None
        return told


def _told(kind, proven):
    checkpoint = proven.checkpoint
    # A policy's names are bytes; what is no UTF-8 is shown as U+FFFD.
    names = {name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"): time for name, time in proven.witnesses.items()}
    witnesses = [{"name": name, "time": time} for name, time in sorted(names.items())]
    return {"kind": kind, "origin": checkpoint.origin, "size": checkpoint.size, "root": base64.b64encode(checkpoint.root).decode(),
            "log": str(proven.log), "witnesses": witnesses, "ignored_lines": proven.ignored, "not_after": proven.not_after}


def replayed_log(directory):
    """A ledger that is sound by itself, and the oracle's book of its records."""
    try:
        log = Log(directory, read_ledger(directory), whole=True)
        if log.damage:
            raise Damaged("; ".join(log.damage))
        return log, book_of(log.records[: log.head[0]])
    except Invalid as error:
        raise Damaged(str(error)) from None


def forked(said):
    """Whether two files that hold show one log with two roots at one size."""
    roots = {}
    for told in said:
        if told["ok"] and "root" in told and told["kind"] != "fork_proof":
            roots.setdefault((told["origin"], told["size"]), set()).add(told["root"])
    return any(len(one) > 1 for one in roots.values())


def check_files(paths, checker):
    """What each file proves, and the exit code of all: 1 as well when two of them contradict each other."""
    said, codes = [], set()
    for path in paths:
        try:
            told = checker.check_tiles(path) if Path(path).is_dir() else checker.check(read_file(path))
            code, what = 0, None
        except (Usage, NoLeaf) as error:
            told, code, what = {}, 2, str(error)
        except Refused as error:
            told, code, what = {}, 1, str(error)
        codes.add(code)
        said.append({"file": str(path), "ok": not code, "what": what} | told)
    return said, 1 if 1 in codes or forked(said) else max(codes)


def arguments_of(command_line=None):
    """The command line, parsed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("files", metavar="FILE", nargs="+")
    add_trust(parser)
    parser.add_argument("--leaf", metavar="FILE", help="the raw entry that a proof is about")
    parser.add_argument("--token", metavar="FILE", help="an RFC 3161 time-stamp response over the checkpoint")
    parser.add_argument("--tsa-cert", metavar="FILE", help="the certificate of the authority, or of who issued it, in PEM")
    parser.add_argument("--replay", metavar="DIR", help="computes a statement again from this ledger")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    return parser.parse_args(command_line)


def main():
    arguments = arguments_of()
    try:
        keys = read_keys(arguments.vkey)
        policy = read_policy(arguments, keys)
        entry = read_file(arguments.leaf) if arguments.leaf else None
        if bool(arguments.token) != bool(arguments.tsa_cert):
            raise Usage("--token and --tsa-cert go together")
        token = (read_file(arguments.token), read_file(arguments.tsa_cert)) if arguments.token else None
        checker = Checker(keys, policy, entry, replayed_log(arguments.replay) if arguments.replay else None, token)
    except Usage as usage:
        print(usage, file=sys.stderr)
        return 2
    except Damaged as damage:
        print(f"--replay {arguments.replay}: {damage}", file=sys.stderr)
        return 3
    said, code = check_files(arguments.files, checker)
    if arguments.json:
        print(json.dumps({"ok": not code, "files": said}, ensure_ascii=False))
    else:
        for told in said:
            print(f"{told['file']}: {'holds' if told['ok'] else 'REFUSED'}")
            for name, value in told.items():
                if name not in ("file", "ok") and value is not None:
                    print(f"  {name:<18} {value}")
    return code


if __name__ == "__main__":
    sys.exit(main())
