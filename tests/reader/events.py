"""The office's records as the JSON Lines that would record them, decoded by docs/FORMAT.md §5 and §9, so that a tally can be computed
a third time: by tests/tallies/oracle.py, which knows neither this format nor the Rust code."""

import datetime
import sys
import uuid
from pathlib import Path

from record import LEDGER_KINDS, REPLACES, RETRACTS, Decoder, Invalid

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tallies"))
import oracle  # noqa: E402

_EPOCH = datetime.date(1970, 1, 1).toordinal()

UNIT_KIND = ("ward", "commune", "special_zone", "district", "city", "province", "department", "group", "other")
SUBJECT = ("collective", "individual", "household")
FIELD = ("economy", "culture_society", "defence_security", "political_system", None)
LEVEL = ("commune", "district", "city", "province", "central")
FORM = ("certificate_of_merit", "diploma_of_merit", "commemorative_medal", "order", "medal", "honorary_title", "state_prize")
QUALIFIER = ("exact", "more_than", "less_than", "about")
GROUND = ("fraudulent_declaration", "false_papers", "unlawful_appraisal", "standard_not_met")


def _one_of(*names):
    def read(data):
        variant = data.number(4)
        if variant >= len(names):
            raise Invalid(f"variant {variant} of {len(names)}")
        return names[variant] if names[variant] is not None else data.text()

    return read


def _day(data):
    ordinal = _EPOCH + _signed(data, 4)
    return datetime.date.fromordinal(ordinal).isoformat()


def _signed(data, width):
    return int.from_bytes(data.take(width), "little", signed=True)


def _money(data):
    return _signed(data, 8)


def _year(data):
    return data.number(2)


def _text(data):
    return data.text()


def _digest(data):
    return data.take(32).hex()


def _maybe(read):
    return lambda data: data.option(lambda: read(data))


def _decision(data):
    return {"date": _day(data), "issuer": data.text(), "number": data.text()}


def _recipient(data):
    return _present({"kind": _one_of(*SUBJECT)(data), "name": data.option(data.text), "unit": data.option(data.text)})


def _contribution(data):
    variant = data.number(4)
    if variant == 0:
        return {"kind": "cash", "vnd": _money(data)}
    if variant == 1:
        return {"kind": "labour", "days": _money(data)}
    if variant == 2:
        area = _money(data)
        return {"kind": "land", "square_metres": f"{area // 100}.{area % 100:02}", "land": _one_of("residential", "farm")(data)}
    if variant == 3:
        return _present({"kind": "in_kind", "vnd": _money(data), "description": data.option(data.text)})
    raise Invalid(f"contribution {variant}")


def _present(fields):
    return {name: value for name, value in fields.items() if value is not None}


_EVENTS = {
    1: ("unit_defined", [("kind", _one_of(*UNIT_KIND)), ("valid_from", _day), ("valid_to", _maybe(_day)), ("unit", _text), ("name", _text),
                         ("parent", _maybe(_text))]),
    2: ("unit_succeeded", [("extent", _one_of("whole", "part")), ("effective_on", _day), ("from", _text), ("to", _text), ("act", _text),
                           ("note", _maybe(_text))]),
    3: ("model_registered", [("subject_kind", _one_of(*SUBJECT)), ("year", _year), ("field", _one_of(*FIELD)), ("model", _text),
                             ("title", _text), ("unit", _text), ("target", _maybe(_text)), ("address", _maybe(_text))]),
    4: ("model_continued", [("year", _year), ("model", _text)]),
    5: ("model_replicated", [("model", _text), ("replica", _text)]),
    6: ("model_withdrawn", [("model", _text), ("reason", _text)]),
    7: ("model_recognised", [("level", _one_of(*LEVEL)), ("decision", _decision), ("model", _text), ("tier", _maybe(_text)),
                             ("period", _maybe(_text))]),
    8: ("model_funded", [("source", _one_of("socialised", "budget", "sponsor", "own")), ("qualifier", _maybe(_one_of(*QUALIFIER))),
                         ("contribution", _contribution), ("model", _text)]),
    9: ("plaque_mounted", [("level", _one_of(*LEVEL)), ("decision", _maybe(_decision)), ("plaque", _text), ("model", _text),
                           ("place", _text), ("occasion", _maybe(_text)), ("inscription", _maybe(_text))]),
    10: ("plaque_removed", [("reason", _one_of("removed", "relocated", "missing")), ("plaque", _text)]),
    11: ("commendation_proposed", [("form", _one_of(*FORM)), ("level", _one_of(*LEVEL)), ("recipient", _recipient),
                                   ("commendation", _text), ("achievement", _maybe(_text))]),
    12: ("commendation_awarded", [("form", _one_of(*FORM)), ("level", _one_of(*LEVEL)), ("bonus_vnd", _maybe(_money)),
                                  ("decision", _decision), ("recipient", _recipient), ("commendation", _text),
                                  ("achievement", _maybe(_text))]),
    13: ("decision_annulled", [("ground", _one_of(*GROUND)), ("bonus_recovered_vnd", _maybe(_money)), ("decision", _decision),
                               ("by", _decision), ("artefact", _maybe(_text))]),
    15: ("record_retracted", [("reason", _text), ("authority", _maybe(_text))]),
    16: ("figure_published", [("value", _money), ("qualifier", _one_of(*QUALIFIER)), ("statement", _maybe(_digest)),
                              ("measure", _text), ("unit", _text), ("period", _text), ("source", _text)]),
}


def _read_event(data, kind, version):
    if version != 1 or kind not in _EVENTS:
        raise Invalid(f"kind {kind}, version {version}")
    name, fields = _EVENTS[kind]
    return {"type": name} | _present({field: read(data) for field, read in fields})


def _read_correction(data):
    occurred_on, reason, authority = _day(data), data.text(), data.option(data.text)
    kind, version = data.number(2), data.number(2)
    replacement = _read_event(data, kind, version) | {"occurred_on": occurred_on}
    return {"type": "record_corrected", "replacement": replacement} | _present({"reason": reason, "authority": authority})


def event_of(record):
    """What a record says; none for one of the ledger itself."""
    if record.kind >= LEDGER_KINDS:
        return None
    data = Decoder(record.payload)
    event = _read_correction(data) if record.kind == 14 else _read_event(data, record.kind, record.version)
    if bool(record.flags & REPLACES) != (record.kind == 14) or bool(record.flags & RETRACTS) != (record.kind == 15):
        raise Invalid("the flags are not those of the kind")
    data.end()
    if record.target is not None:
        event["target"] = str(uuid.UUID(bytes=record.target))
    return event | {"id": str(uuid.UUID(bytes=record.id)),
                    "occurred_on": datetime.date.fromordinal(_EPOCH + record.occurred_on).isoformat()}


def book_of(records):
    """The oracle's book of these records. One of the ledger itself counts in no tally, but has its position."""
    book = oracle.Book()
    for record in records:
        event = event_of(record)
        book.records.append((event["id"], event) if event else ("", {"type": "of the ledger"}))
    return book


def rows_of(book, tally, parameters):
    """The rows of a tally with a statement's parameters."""
    where = {}
    for name, values in parameters["where"].items():
        # Every condition must hold: two values of one dimension are met by no record, and U+0000 is the value of none.
        where[name] = "\0" if len(values) > 1 else "" if values[0] is None else values[0]
    try:
        document = book.tally(tally, parameters["by"], where, parameters["as_of"], parameters["from"], parameters["to"])
    except (KeyError, ValueError) as error:
        raise Invalid(f"no tally that can be computed: {error}") from None
    return document["rows"]
