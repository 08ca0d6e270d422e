#!/usr/bin/env python3
"""An independent calculation of Sovang's tallies from a JSON Lines file.

Written from the definitions of the tallies and from the rules of the domain, not from the Rust code, and
naive on purpose: a request folds the first SIZE records from nothing and looks at every one of them. It
trusts that the file obeys the rules (`generate.py` sees to that) and judges nothing.

    oracle.py FILE... --tally contributions --by year,source --where kind=cash --as-of 1000
    oracle.py FILE... --batch REQUESTS.json      # [{"tally": ..., "by": [...], "where": {...}, "as_of": N, ...}]
"""

import argparse
import json
import sys
import unicodedata
from collections import defaultdict


def nfc(value):
    return unicodedata.normalize("NFC", value)


def text(value):
    """A dimension's value, null where the record has none. Two spellings of one text are one row."""
    return None if value is None else nfc(value)


# ---------------------------------------------------------------------------------------------- the tallies' names

# Tally: (default dimensions, further dimensions, measures).
TALLIES = {
    "registered": (["year", "unit", "field", "subject_kind"], [], ["count"]),
    "recognised": (["year", "level", "subject_kind"], ["tier", "unit", "field"], ["count", "distinct_models"]),
    "recognition-rate": (["year"], ["unit", "field", "subject_kind"], ["registered", "recognised", "rate_bp"]),
    "continuity": (["year"], ["unit", "field"], ["new", "continued"]),
    "contributions": (["year", "kind"], ["unit", "field", "source", "land"],
                      ["count", "vnd", "labour_days", "square_decimetres"]),
    "plaques": (["level", "status"], ["year", "unit", "occasion"], ["count"]),
    "commendations": (["year", "form", "level", "recipient_kind"], ["unit"], ["count", "bonus_vnd"]),
    "proposals": (["year", "form", "level"], ["recipient_kind"], ["proposed", "awarded"]),
    "multi-level": (["levels"], ["year", "unit"], ["distinct_models"]),
    "cumulative": (["year"], [], ["registered", "recognised", "plaques", "commendations"]),
    "amendments": (["type"], ["year"], ["count"]),
}


def dimensions(tally):
    default, further, _ = TALLIES[tally]
    return default + further


# ------------------------------------------------------------------------------------------------------- the records

# A person's fields: they take no part in the id of a line without one.
PERSONAL = ("subject", "donor")


def without_personal(event):
    """The line's public part, which is what its derived id is made of."""
    public = {}
    for key, value in event.items():
        if key in PERSONAL or (key == "address" and "subject" in event):
            continue
        if key in ("recipient", "replacement") and isinstance(value, dict):
            value = without_personal(value)
        public[key] = value
    return public


def read_lines(path):
    # Not splitlines(): U+2028 and U+0085 end no line of JSON Lines.
    with open(path, encoding="utf-8-sig", newline="\n") as file:
        for line in file:
            if line.strip("\r\n"):
                yield json.loads(line)


class Book:
    """The accepted records in file order; a record's position is its index here."""

    def __init__(self, lines=()):
        self.records = []
        self.duplicates = 0
        self._ids = set()
        self._views = {}
        self.add_file(lines)

    @classmethod
    def from_files(cls, paths):
        book = cls()
        for path in paths:
            book.add_file(read_lines(path))
        return book

    def add_file(self, lines):
        """Add one file's lines. An id that is already here is a repetition and is passed over; a line without id
        counts once for every time it stands in one file, and once over several files."""
        times = defaultdict(int)
        for event in lines:
            if "id" in event:
                key = event["id"].lower()
            else:
                form = json.dumps(without_personal(event), sort_keys=True, ensure_ascii=False)
                key = (form, times[form])
                times[form] += 1
            if key in self._ids:
                self.duplicates += 1
                continue
            self._ids.add(key)
            self.records.append((event.get("id", "").lower(), event))

    def size(self):
        return len(self.records)

    def view(self, size=None):
        size = self.size() if size is None else size
        if size not in self._views:
            self._views[size] = View(self.records[:size])
        return self._views[size]

    def tally(self, tally, by=None, where=None, as_of=None, since=None, until=None):
        """The document that `sovang tally --format json` prints, without size and root."""
        view = self.view(as_of)
        by = TALLIES[tally][0] if by is None else by
        return {"tally": tally, "as_of": view.size, "rows": rows(view, tally, by, where or {}, since, until)}

    def answer(self, request):
        return self.tally(request["tally"], request.get("by"), request.get("where"), request.get("as_of"),
                          request.get("from"), request.get("to"))


class View:
    """What stands among the first SIZE records, amendments included."""

    def __init__(self, records):
        self.size = len(records)
        # The last correction stands, and a retraction is final: whatever is said of a retracted record later or
        # earlier, it counts nowhere.
        replaced, retracted = {}, set()
        for _, event in records:
            if event["type"] == "record_corrected":
                replaced[event["target"].lower()] = event["replacement"]
            elif event["type"] == "record_retracted":
                retracted.add(event["target"].lower())
        self.of_type = defaultdict(list)
        for record_id, event in records:
            if record_id and record_id in retracted:
                continue
            # A corrected record counts as its replacement, date included. An amendment is never amended, so each
            # one counts as it was written, a superseded correction and a correction of a retracted record too: the
            # register tells what was done.
            if record_id:
                event = replaced.get(record_id, event)
            self.of_type[event["type"]].append(event)
        # A decision is annulled as long as an annulment of it stands, whatever the dates: from the annulment's
        # record on nothing that cites the decision counts, and its retraction restores all of it.
        self.annulled = {decision_key(event["decision"]) for event in self.of_type["decision_annulled"]}
        self.models = {nfc(event["model"]): event for event in self.of_type["model_registered"]}
        self.removals = {nfc(event["plaque"]): event["reason"] for event in self.of_type["plaque_removed"]}
        self.recognitions = [e for e in self.of_type["model_recognised"] if not self.is_annulled(e)]
        self.awards = [e for e in self.of_type["commendation_awarded"] if not self.is_annulled(e)]

    def is_annulled(self, event):
        return decision_key(event["decision"]) in self.annulled

    def of_model(self, event):
        """Unit, field, subject kind and registration year of the model that a record is about, as the model's
        registration stands at this size, wherever in the file it is. A record that an override let in has none of
        them as long as its model is not registered; where the override waived something else (a gift after the
        withdrawal), or the model was registered later, they are the model's as for every other record."""
        model = self.models.get(nfc(event["model"]))
        if model is None:
            return {"unit": None, "field": None, "subject_kind": None, "registered_in": None}
        return {"unit": nfc(model["unit"]), "field": nfc(model["field"]), "subject_kind": model["subject_kind"],
                "registered_in": model["year"]}


def decision_key(decision):
    return nfc(decision["issuer"]), nfc(decision["number"]), decision["date"]


def year_of(event):
    return int(event["occurred_on"][:4])


# ----------------------------------------------------------------------------------------------------------- amounts

class Bounded:
    """A sum and the qualifiers of what was added up."""

    def __init__(self, value, qualifier):
        self.value = value
        self.qualifiers = {qualifier} - {"exact"}

    def add(self, other):
        self.value += other.value
        self.qualifiers |= other.qualifiers

    def bound(self):
        # Any `about`, or bounds in both directions, makes the sum `about`. An amount of zero that is a bound
        # ("more than 0") is a bound all the same: the sum contains it.
        if "about" in self.qualifiers or len(self.qualifiers) > 1:
            return "about"
        return next(iter(self.qualifiers), None)


def square_decimetres(area):
    whole, _, part = area.partition(".")
    if len(part) > 2:
        raise ValueError(f"an area finer than a square decimetre: {area}")
    return int(whole) * 100 + int(part.ljust(2, "0"))


# ------------------------------------------------------------------------------------------------------------- facts
# A tally is a list of facts: (dimensions, measures). A measure is an int or a Bounded, which are added up within a
# row, or a set, of which the row shows how many members it has.

def facts(view, tally, inside):
    """`inside` says whether a counted record lies between --from and --to. What a counted record refers to (its
    model, a plaque's removal, a proposal's award, a decision's annulment) is looked up whatever its date."""
    if tally == "registered":
        # A withdrawn model stays registered history.
        for event in filter(inside, view.of_type["model_registered"]):
            yield {"year": event["year"], "unit": nfc(event["unit"]), "field": nfc(event["field"]),
                   "subject_kind": event["subject_kind"]}, {"count": 1}

    elif tally == "recognised":
        for event in filter(inside, view.recognitions):
            of = view.of_model(event)
            yield {"year": year_of(event), "level": event["level"], "subject_kind": of["subject_kind"],
                   "tier": text(event.get("tier")), "unit": of["unit"], "field": of["field"]}, \
                  {"count": 1, "distinct_models": {nfc(event["model"])}}

    elif tally == "recognition-rate":
        # The counted records are the registrations. A recognition is looked up whenever it was, so --from and
        # --to do not touch it; one of an unregistered model has no registration year and is in no row.
        recognised = {nfc(event["model"]) for event in view.recognitions}
        for event in filter(inside, view.of_type["model_registered"]):
            model = nfc(event["model"])
            yield {"year": event["year"], "unit": nfc(event["unit"]), "field": nfc(event["field"]),
                   "subject_kind": event["subject_kind"]}, \
                  {"registered": 1, "recognised": {model} & recognised}

    elif tally == "continuity":
        # Every continuation counts, also a second one of the same model and year: no rule forbids it.
        for event in filter(inside, view.of_type["model_registered"]):
            yield {"year": event["year"], "unit": nfc(event["unit"]), "field": nfc(event["field"])}, {"new": 1}
        for event in filter(inside, view.of_type["model_continued"]):
            of = view.of_model(event)
            yield {"year": event["year"], "unit": of["unit"], "field": of["field"]}, {"continued": 1}

    elif tally == "contributions":
        for event in filter(inside, view.of_type["model_funded"]):
            of, gift = view.of_model(event), event["contribution"]
            # An absent qualifier is exact. The bound belongs to the measure that the gift adds to, never to count.
            qualifier = event.get("qualifier", "exact")
            measure, amount = {
                "cash": lambda: ("vnd", gift["vnd"]),
                "in_kind": lambda: ("vnd", gift["vnd"]),
                "labour": lambda: ("labour_days", gift["days"]),
                "land": lambda: ("square_decimetres", square_decimetres(gift["square_metres"])),
            }[gift["kind"]]()
            yield {"year": year_of(event), "kind": gift["kind"], "unit": of["unit"], "field": of["field"],
                   "source": event["source"], "land": gift.get("land")}, \
                  {"count": 1, measure: Bounded(amount, qualifier)}

    elif tally == "plaques":
        # An annulled decision's plaque goes on counting: it hangs there.
        for event in filter(inside, view.of_type["plaque_mounted"]):
            yield {"level": event["level"], "status": view.removals.get(nfc(event["plaque"]), "standing"),
                   "year": year_of(event), "unit": view.of_model(event)["unit"],
                   "occasion": text(event.get("occasion"))}, {"count": 1}

    elif tally == "commendations":
        for event in filter(inside, view.awards):
            recipient = event["recipient"]
            yield {"year": year_of(event), "form": event["form"], "level": event["level"],
                   "recipient_kind": recipient["kind"], "unit": text(recipient.get("unit"))}, \
                  {"count": 1, "bonus_vnd": event.get("bonus_vnd", 0)}

    elif tally == "proposals":
        # Awarded = an award of the same commendation id that counts (neither retracted nor of an annulled
        # decision), whatever its date, form and level; the row is the proposal's.
        awarded = {nfc(event["commendation"]) for event in view.awards}
        for event in filter(inside, view.of_type["commendation_proposed"]):
            yield {"year": year_of(event), "form": event["form"], "level": event["level"],
                   "recipient_kind": event["recipient"]["kind"]}, \
                  {"proposed": 1, "awarded": int(nfc(event["commendation"]) in awarded)}

    elif tally == "multi-level":
        # The counted records are the recognitions: the levels are those of the recognitions between --from and
        # --to. A model that is recognised without being registered counts, with neither year nor unit.
        levels, about = defaultdict(set), {}
        for event in filter(inside, view.recognitions):
            model = nfc(event["model"])
            levels[model].add(event["level"])
            about[model] = view.of_model(event)
        for model, reached in levels.items():
            yield {"levels": len(reached), "year": about[model]["registered_in"], "unit": about[model]["unit"]}, \
                  {"distinct_models": 1}

    elif tally == "cumulative":
        for event in filter(inside, view.of_type["model_registered"]):
            yield {"year": event["year"]}, {"registered": 1}
        for event in filter(inside, view.recognitions):
            yield {"year": year_of(event)}, {"recognised": 1}
        for event in filter(inside, view.of_type["plaque_mounted"]):
            yield {"year": year_of(event)}, {"plaques": 1}
        for event in filter(inside, view.awards):
            yield {"year": year_of(event)}, {"commendations": 1}

    elif tally == "amendments":
        # A retracted withdrawal or annulment counts nowhere, so not here either (its retraction does).
        for kind in ("model_withdrawn", "decision_annulled", "record_corrected", "record_retracted"):
            for event in filter(inside, view.of_type[kind]):
                yield {"type": kind, "year": year_of(event)}, {"count": 1}

    else:
        raise ValueError(f"no tally named {tally}")


# -------------------------------------------------------------------------------------------------------------- rows

def matches(dims, where):
    # Values compare in NFC, as identity does. No text of a record is empty, so an empty value asks for null.
    return all(("" if dims[key] is None else nfc(str(dims[key]))) == nfc(str(value)) for key, value in where.items())


def sort_key(values):
    return tuple((value is not None, value if value is not None else 0) for value in values)


def rows(view, tally, by, where, since, until):
    unknown = [key for key in [*by, *where] if key not in dimensions(tally)]
    if unknown:
        raise ValueError(f"{tally} has no dimension {', '.join(unknown)}")

    def inside(event):
        return (since is None or event["occurred_on"] >= since) and (until is None or event["occurred_on"] <= until)

    counted = facts(view, tally, inside)
    if tally == "cumulative":
        counted = up_to_each_year(counted, where)
        if "year" not in by:
            # The one total row of a running total is its last year, never the sum of the years.
            counted = counted[-1:]
    groups = {(): {}} if not by else {}
    for dims, measures in counted:
        if tally == "cumulative" or matches(dims, where):
            add(groups.setdefault(tuple(dims[key] for key in by), {}), measures)
    return [row(tally, by, values, groups[values]) for values in sorted(groups, key=sort_key)]


def up_to_each_year(counted, where):
    """Every year from the first to the last in which any of the four grew, with everything up to its end. A
    condition on the year chooses rows; it does not cut off what came before."""
    counted = list(counted)
    years = [dims["year"] for dims, _ in counted]
    result = []
    for year in range(min(years), max(years) + 1) if years else ():
        total = {}
        for dims, measures in counted:
            if dims["year"] <= year:
                add(total, measures)
        if matches({"year": year}, where):
            result.append(({"year": year}, total))
    return result


def add(total, measures):
    for measure, value in measures.items():
        if isinstance(value, Bounded):
            total.setdefault(measure, Bounded(0, "exact")).add(value)
        elif isinstance(value, set):
            total.setdefault(measure, set()).update(value)
        else:
            total[measure] = total.get(measure, 0) + value


def row(tally, by, values, total):
    result = dict(zip(by, values))
    for measure in TALLIES[tally][2]:
        value = total.get(measure, 0)
        if isinstance(value, Bounded):
            result[measure] = value.value
            if value.bound():
                result[measure + "_bound"] = value.bound()
        elif isinstance(value, set):
            result[measure] = len(value)
        else:
            result[measure] = value
    if tally == "recognition-rate":
        registered = result["registered"]
        result["rate_bp"] = result["recognised"] * 10_000 // registered if registered else 0
    return result


# ------------------------------------------------------------------------------------------------------ command line

def main():
    parser = argparse.ArgumentParser(description="tallies of a JSON Lines file, calculated without Sovang")
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--tally", choices=sorted(TALLIES))
    parser.add_argument("--by", help="dimensions, by commas; an empty text gives the total")
    parser.add_argument("--where", action="append", default=[], metavar="K=V")
    parser.add_argument("--as-of", type=int, metavar="SIZE")
    parser.add_argument("--from", dest="since", metavar="DATE")
    parser.add_argument("--to", dest="until", metavar="DATE")
    parser.add_argument("--batch", metavar="REQUESTS.json", help="answer a list of requests with a list")
    options = parser.parse_args()
    if (options.tally is None) == (options.batch is None):
        parser.error("give one of --tally and --batch")
    book = Book.from_files(options.files)
    if options.batch:
        with open(options.batch, encoding="utf-8") as file:
            answer = [book.answer(request) for request in json.load(file)]
    else:
        by = None if options.by is None else [key for key in options.by.split(",") if key]
        where = dict(condition.split("=", 1) for condition in options.where)
        answer = book.tally(options.tally, by, where, options.as_of, options.since, options.until)
    json.dump(answer, sys.stdout, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
