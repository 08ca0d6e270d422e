#!/usr/bin/env python3
"""Writes a long, legal and deterministic JSON Lines import: one office's records of 2014 to 2026.

    generate.py --lines 200000 --seed 1 -o FILE

`Office` knows what stands and refuses what the rules forbid; where a rule leaves room for two readings it refuses
what either of them would. `Life` proposes what an office could do next, and only what `Office` allows is written.
All names are invented.
"""

import argparse
import datetime
import json
import random
import sys
import unicodedata
import uuid
from collections import Counter, defaultdict

FIRST_DAY = datetime.date(2014, 1, 6)
LAST_DAY = datetime.date(2026, 11, 20)
REFORM = "2025-07-01"

# Ids with and without Vietnamese letters: the former are also cited in NFD.
WARDS = {
    "phu-dien": "Phú Diễn", "thượng-cát": "Thượng Cát", "lien-mac": "Liên Mạc", "đức-thắng": "Đức Thắng",
    "cổ-nhuế-2": "Cổ Nhuế 2", "xuan-tao": "Xuân Tảo", "tay-tuu": "Tây Tựu", "thuy-phuong": "Thụy Phương",
    "đông-ngạc": "Đông Ngạc", "phuc-dien": "Phúc Diễn", "xuan-dinh": "Xuân Đỉnh", "cổ-nhuế-1": "Cổ Nhuế 1",
    "minh-khai": "Minh Khai",
}
NEW_WARDS = {
    "phu-dien-2025": "Phú Diễn", "thượng-cát-2025": "Thượng Cát", "đông-ngạc-2025": "Đông Ngạc",
    "xuan-dinh-2025": "Xuân Đỉnh", "tay-tuu-2025": "Tây Tựu", "phu-thuong-2025": "Phú Thượng",
    "xuan-phuong-2025": "Xuân Phương", "nghia-do-2025": "Nghĩa Đô",
}
SUCCESSORS = {
    "phu-dien": ["phu-dien-2025"], "thượng-cát": ["thượng-cát-2025"], "lien-mac": ["thượng-cát-2025"],
    "đức-thắng": ["đông-ngạc-2025"], "cổ-nhuế-2": ["đông-ngạc-2025"], "xuan-tao": ["xuan-dinh-2025"],
    "tay-tuu": ["tay-tuu-2025", "thượng-cát-2025"], "thuy-phuong": ["thượng-cát-2025", "đông-ngạc-2025"],
    "đông-ngạc": ["đông-ngạc-2025", "phu-thuong-2025"], "phuc-dien": ["phu-dien-2025", "xuan-phuong-2025"],
    "xuan-dinh": ["xuan-dinh-2025", "đông-ngạc-2025", "phu-thuong-2025"],
    "cổ-nhuế-1": ["phu-dien-2025", "xuan-dinh-2025", "nghia-do-2025"],
    "minh-khai": ["tay-tuu-2025", "thượng-cát-2025", "xuan-phuong-2025"],
}
DISTRICT = "bac-tu-liem"
FIELDS = ["economy", "culture_society", "defence_security", "political_system"]
EXTRA_FIELD = "digital_change"
LEVELS = ["commune", "district", "city", "province", "central"]
FORMS = ["certificate_of_merit", "diploma_of_merit", "commemorative_medal", "order", "medal", "honorary_title",
         "state_prize"]
GROUNDS = ["fraudulent_declaration", "false_papers", "unlawful_appraisal", "standard_not_met"]
OCCASIONS = ["70 năm Giải phóng Thủ đô", "Ngày Quốc khánh 2/9", "Đại hội Đảng bộ", "Tết Nguyên đán"]
BEYOND_FLOAT = 2**53 + 1  # đồng that no float holds
# By level, whose decisions it has; a ward or the district is a defined unit, so it must exist on the day.
ISSUERS = {
    "commune": [*WARDS, *NEW_WARDS, "UBND-P"], "district": [DISTRICT, "QU-BTL", "Quận-uỷ-BTL"],
    "city": ["TU-HN", "ha-noi"], "province": ["UBND-TINH"], "central": ["BDVTW", "TTg"],
}
FAMILY = ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ", "Đặng", "Bùi", "Đỗ", "Ngô"]
MIDDLE = ["Văn", "Thị", "Đức", "Minh", "Ngọc", "Thanh", "Hữu", "Quang"]
GIVEN = ["An", "Bình", "Cường", "Dung", "Hà", "Hạnh", "Khánh", "Lan", "Mai", "Nam", "Phương", "Sơn", "Thảo", "Yến"]
THINGS = ["Camera an ninh", "Vườn rau sạch", "Tuyến phố xanh", "Đường hoa", "Tổ hoà giải", "Nhà sạch vườn đẹp",
          "Thư viện nhỏ", "Chợ văn minh", "Tuyến đường tự quản", "Bể bơi cho em"]


def nfc(text):
    return unicodedata.normalize("NFC", text)


def decision_key(decision):
    return nfc(decision["issuer"]), nfc(decision["number"]), decision["date"]


def year_of(event):
    return int(event["occurred_on"][:4])


class Record:
    """An original record: what it says now (None once retracted), and what it waives."""

    def __init__(self, event, record_id, waived):
        self.now, self.id, self.waived, self.corrections = event, record_id, waived, 0


class Office:
    """What stands, kept so that each rule is one look-up. `refusal` says why an event may not be recorded."""

    def __init__(self):
        self.units = {}
        self.ended = defaultdict(Counter)  # unit: dates from which a whole succession ended it
        self.models, self.plaques, self.removals, self.proposals, self.awards = {}, {}, {}, {}, {}
        self.resting_on_unit, self.resting_on_model = Counter(), Counter()
        self.withdrawn = defaultdict(Counter)  # model: dates of withdrawal
        self.recognitions = defaultdict(dict)  # model: standing recognitions, annulled ones too
        self.places = defaultdict(dict)  # (model, level, period): the same
        self.citing = defaultdict(dict)  # decision: records that cite it
        self.dates = defaultdict(Counter)  # (issuer, number, year): dates cited
        self.annulled = {}
        self.mounted = defaultdict(dict)  # model: its plaques
        self.achievements = defaultdict(Counter)

    # -- standing and falling

    def stand(self, record, sign=1):
        """Adds what a record says (+1), or takes it away (-1)."""
        event = record.now

        def keep(index, key):
            if sign > 0:
                index[key] = record
            else:
                del index[key]

        kind = event["type"]
        model = nfc(event.get("model", ""))
        if kind == "unit_defined":
            keep(self.units, nfc(event["unit"]))
            if "parent" in event:
                self.resting_on_unit[nfc(event["parent"])] += sign
        elif kind == "unit_succeeded":
            for unit in (event["from"], event["to"]):
                self.resting_on_unit[nfc(unit)] += sign
            if event["extent"] == "whole":
                self.ended[nfc(event["from"])][event["effective_on"]] += sign
        elif kind == "model_registered":
            keep(self.models, model)
            self.resting_on_unit[nfc(event["unit"])] += sign
        elif kind == "plaque_removed":
            keep(self.removals, nfc(event["plaque"]))
        elif kind in ("commendation_proposed", "commendation_awarded"):
            keep(self.proposals if kind == "commendation_proposed" else self.awards, nfc(event["commendation"]))
            self.resting_on_unit[nfc(event["recipient"].get("unit", ""))] += sign
            if kind == "commendation_awarded" and "achievement" in event:
                self.achievements[achievement_key(event)][award_key(event)] += sign
        elif kind == "decision_annulled":
            keep(self.annulled, decision_key(event["decision"]))
        elif model:
            self.resting_on_model[model] += sign
            if kind == "model_replicated":
                self.resting_on_model[nfc(event["replica"])] += sign
            elif kind == "model_withdrawn":
                self.withdrawn[model][event["occurred_on"]] += sign
            elif kind == "model_recognised":
                keep(self.recognitions[model], id(record))
                keep(self.places[place(event)], id(record))
            elif kind == "plaque_mounted":
                keep(self.plaques, nfc(event["plaque"]))
                keep(self.mounted[model], id(record))
        for decision in cited(event):
            keep(self.citing[decision_key(decision)], id(record))
            issuer, number, date = decision_key(decision)
            self.dates[issuer, number, date[:4]][date] += sign

    # -- rules

    def refusal(self, event, waived=()):
        """Why the event may not be recorded now, or None."""
        kind, on = event["type"], event["occurred_on"]
        model = nfc(event.get("model", ""))
        reasons = []

        def check(holds, reason, rule=None):
            if not holds and rule not in waived:
                reasons.append(reason)

        for decision in cited(event):
            key = decision_key(decision)
            check(key not in self.annulled, "an annulled decision is not cited again", 1)
            dates = {date for date, times in self.dates[(*key[:2], key[2][:4])].items() if times > 0}
            check(dates <= {decision["date"]}, "the same number in one year with another date")
            check(self.exists(key[0], decision["date"]), "the issuer does not exist on the date of its decision")
        if kind == "unit_defined":
            check(nfc(event["unit"]) not in self.units, "the unit is already defined")
        elif kind == "unit_succeeded":
            check(nfc(event["from"]) in self.units and nfc(event["to"]) in self.units, "both units are defined")
        elif kind == "model_registered":
            check(model not in self.models, "the model is already registered")
            check(nfc(event["unit"]) in self.units, "the unit is defined")
        elif kind in ("commendation_proposed", "commendation_awarded"):
            index = self.proposals if kind == "commendation_proposed" else self.awards
            check(nfc(event["commendation"]) not in index, "at most one proposal and one award")
            check("unit" not in event["recipient"] or nfc(event["recipient"]["unit"]) in self.units,
                  "the recipient's unit is defined")
            if kind == "commendation_awarded" and "achievement" in event:
                others = {name for name, n in self.achievements[achievement_key(event)].items() if n > 0}
                mine = award_key(event)
                # A person's award of an achievement meets every other; two collectives differ by name.
                check(not others or (mine and None not in others and mine not in others),
                      "the same achievement twice", 5)
        elif kind == "plaque_removed":
            plaque = nfc(event["plaque"])
            check(plaque in self.plaques and plaque not in self.removals, "the plaque stands")
            if plaque in self.plaques:
                check(self.plaques[plaque].now["occurred_on"] <= on, "removed before it was mounted")
        elif kind == "decision_annulled":
            key = decision_key(event["decision"])
            check(key not in self.annulled, "the decision is already annulled")
            check(self.citing.get(key), "a decision that nothing cites")
            check(key != decision_key(event["by"]), "a decision does not annul itself")
        elif kind == "figure_published":
            pass
        else:
            check(model in self.models, "the model is registered", 1)
            if kind == "model_replicated":
                check(nfc(event["replica"]) in self.models, "the replica is registered", 1)
                check(nfc(event["replica"]) != model, "a model does not replicate itself")
            elif kind == "model_withdrawn":
                check(not self.last_day(model), "the model is already withdrawn")
            elif kind == "plaque_mounted":
                check(nfc(event["plaque"]) not in self.plaques, "the plaque is already mounted")
                check(self.supported(event), "a recognition or a decision on or before the mounting")
            else:
                check(not self.last_day(model) or on <= self.last_day(model), "the model was withdrawn before", 1)
            if kind == "model_recognised":
                check(not self.occupied(place(event)), "recognised once", 4)
        return reasons[0] if reasons else None

    def correction_refusal(self, record, replacement, waived=()):
        self.stand(record, -1)
        reason = self.refusal(replacement, waived)
        if not reason and replacement["type"] == "decision_annulled" \
                and decision_key(replacement["decision"]) != decision_key(record.now["decision"]):
            reason = self.restoring_refusal(record.now["decision"])
        self.stand(record)
        return reason

    def retraction_refusal(self, record):
        event = record.now
        if event is None:
            return "a retraction is final"
        kind, model = event["type"], nfc(event.get("model", ""))
        if kind == "model_registered" and self.resting_on_model[model] > 0:
            return "something of the model rests on its registration"
        if kind == "unit_defined" and self.resting_on_unit[nfc(event["unit"])] > 0:
            return "something rests on the unit"
        if kind == "plaque_mounted" and nfc(event["plaque"]) in self.removals:
            return "a removal rests on the mounting"
        if kind == "model_recognised" and not all(self.stands_alone(plaque) for plaque in self.mounted[model].values()):
            return "a plaque may rest on the recognition"
        if kind == "decision_annulled":
            return self.restoring_refusal(event["decision"])
        return None

    def restoring_refusal(self, decision):
        """A place that was given away meanwhile would be taken twice; no rule says what then."""
        mine = self.citing[decision_key(decision)]
        for record in mine.values():
            if record.now["type"] == "model_recognised" and len(self.places[place(record.now)]) > 1:
                return "the place was given away"
        return None

    def exists(self, unit, date):
        if unit not in self.units:
            return True  # other issuers are taken as they are
        event = self.units[unit].now
        ends = [day for day, times in self.ended[unit].items() if times > 0]
        return event["valid_from"] <= date <= event.get("valid_to", "9999-12-31") and all(date < day for day in ends)

    def last_day(self, model):
        return min((day for day, times in self.withdrawn[model].items() if times > 0), default=None)

    def counts(self, record):
        return decision_key(record.now["decision"]) not in self.annulled

    def stands_alone(self, plaque):
        """A plaque with a decision of its own rests on no recognition, unless that decision is annulled."""
        return "decision" in plaque.now and self.counts(plaque)

    def occupied(self, key):
        return any(self.counts(record) for record in self.places[key].values())

    def supported(self, plaque):
        on = plaque["occurred_on"]
        if "decision" in plaque:
            return plaque["decision"]["date"] <= on
        return any(self.counts(record) and max(record.now["occurred_on"], record.now["decision"]["date"]) <= on
                   for record in self.recognitions[nfc(plaque["model"])].values())


def cited(event):
    """The decisions that a record cites; the one that an annulment annuls is not cited by it."""
    if event["type"] == "decision_annulled":
        return [event["by"]]
    return [event["decision"]] if "decision" in event else []


def place(event):
    return nfc(event["model"]), event["level"], nfc(event.get("period", event["occurred_on"][:4]))


def achievement_key(event):
    return nfc(event["achievement"]), event["form"], event["level"]


def award_key(event):
    recipient = event["recipient"]
    return nfc(recipient["name"]) if recipient["kind"] == "collective" else None


class Writer:
    """The file: what the office allows becomes a line."""

    def __init__(self, random_source, office, out):
        self.random, self.office, self.out = random_source, office, out
        self.lines = 0
        self.targets = defaultdict(list)  # type: records with an explicit id
        self.ids = []

    def line(self, event):
        self.out.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")
        self.lines += 1

    def envelope(self, event, record_id=None, waived=()):
        """The event with its common keys, in the order of the interchange's examples."""
        line = {"type": event["type"], "occurred_on": event["occurred_on"],
                "actor": self.random.choice(["clerk:lan", "clerk:minh", "Văn phòng"])}
        if record_id:
            line["id"] = record_id
        line.update((key, value) for key, value in event.items() if key not in line)
        if waived:
            line["override"] = {"rules": list(waived), "reason": "sổ cũ, không còn hồ sơ gốc"}
        chance = self.random.random()
        if chance < 0.05:
            line["record_source"] = f"scan:{event['occurred_on'][:4]}/{self.random.randrange(400):03}"
        elif chance < 0.07:
            line["correlation"] = self.new_id()
            if self.ids:
                line["causation"] = self.random.choice(self.ids)
        elif chance < 0.08:
            line["recorded_at"] = event["occurred_on"] + "T08:00:00Z"  # ignored, except by a migration
        return line

    def new_id(self):
        """A UUID of version 7 most of the time, 4 or 5 otherwise: any is allowed."""
        number = self.random.getrandbits(128)
        version = self.random.choice([7, 7, 7, 4, 5])
        return str(uuid.UUID(int=number & ~(0xF << 76) & ~(0x3 << 62) | version << 76 | 0x2 << 62))

    def record(self, event, with_id=None, waived=()):
        """Writes the event if the rules allow it."""
        if self.office.refusal(event, waived):
            return None
        record_id = self.new_id() if with_id or (with_id is None and self.random.random() < 0.7) else None
        record = Record(event, record_id, waived)
        self.office.stand(record)
        line = self.envelope(event, record_id, waived)
        self.line(line)
        if record_id:
            self.targets[event["type"]].append(record)
            self.ids.append(record_id)
            if self.random.random() < 0.0005:
                self.line(line)  # the same id with the same content is a repetition, and is skipped
        return record

    def correct(self, record, replacement, on):
        if record.now is None or self.office.correction_refusal(record, replacement, record.waived):
            return False
        self.office.stand(record, -1)
        record.now = replacement
        self.office.stand(record)
        record.corrections += 1
        event = {"type": "record_corrected", "occurred_on": on, "target": record.id, "replacement": replacement,
                 "reason": self.random.choice(["digits swapped", "nhầm dòng\nsửa theo bản gốc"])}
        if self.random.random() < 0.2:
            event["authority"] = "Chánh văn phòng"
        self.line(self.envelope(event, self.maybe_id(), record.waived))
        return True

    def retract(self, record, on):
        if self.office.retraction_refusal(record):
            return False
        self.office.stand(record, -1)
        record.now = None
        event = {"type": "record_retracted", "occurred_on": on, "target": record.id, "reason": "entered twice"}
        self.line(self.envelope(event, self.maybe_id()))
        return True

    def maybe_id(self):
        return self.new_id() if self.random.random() < 0.3 else None


class Life:
    """What happens in the office, day after day."""

    def __init__(self, seed, out):
        self.random = random.Random(seed)
        self.office = Office()
        self.writer = Writer(self.random, self.office, out)
        self.today = FIRST_DAY
        self.numbers = Counter()
        self.open_decisions = {}
        self.models, self.plaques = [], []
        self.groups = []
        self.persons = 0
        self.legacy = 0
        self.shared_achievements = []
        self.retracted_models = []
        self.reformed = False

    def run(self, lines):
        self.found()
        actions = {
            self.register: 34, self.recognise: 13, self.fund: 24, self.keep_up: 7, self.replicate: 2,
            self.withdraw: 1.5, self.mount: 3, self.remove: 1, self.propose: 2.5, self.award: 4, self.annul: 0.6,
            self.correct: 6, self.retract: 2.5, self.override: 1.2, self.publish: 0.4, self.gift_twice: 0.6,
            self.define_group: 0.2, self.register_again: 0.1, self.recognise_again: 0.4,
        }
        choices, weights = list(actions), list(actions.values())
        days = (LAST_DAY - FIRST_DAY).days
        while self.writer.lines < lines:
            self.today = FIRST_DAY + datetime.timedelta(days * self.writer.lines // max(lines, 1))
            if self.date() >= REFORM and not self.reformed:
                self.reform()
            self.random.choices(choices, weights)[0]()

    # -- small things

    def date(self, lag=0):
        return (self.today - datetime.timedelta(lag)).isoformat()

    def some_date(self):
        """Most things are entered within a month, some after years."""
        lag = self.random.randrange(30) if self.random.random() < 0.95 else self.random.randrange(900)
        return max(self.date(lag), "2014-01-01")

    def chance(self, of_one):
        return self.random.random() < of_one

    def cite(self, name):
        """Identity compares NFC, so now and then an id is cited in its other form."""
        return unicodedata.normalize("NFD" if self.chance(0.1) else "NFC", name)

    def person(self):
        if self.persons and self.chance(0.3):
            number = self.random.randrange(self.persons)
        else:
            number, self.persons = self.persons, self.persons + 1
        name = random.Random(number)
        return {"id": f"P-{number:06}",
                "name": f"{name.choice(FAMILY)} {name.choice(MIDDLE)} {name.choice(GIVEN)}"}

    def unit(self):
        if self.groups and self.chance(0.05):
            return self.random.choice(self.groups)
        wards = NEW_WARDS if self.reformed and self.chance(0.9) else WARDS
        return self.random.choice(list(wards))

    def model(self):
        """A model that is registered: a recent one more often, and a few that everything happens to."""
        if not self.models:
            return None
        chance = self.random.random()
        if chance < 0.1:
            return self.models[self.random.randrange(min(40, len(self.models)))]
        if chance < 0.6:
            return self.models[-1 - self.random.randrange(min(400, len(self.models)))]
        return self.random.choice(self.models)

    def decision(self, level):
        """One decision lists many subjects; numbers restart every year."""
        issuer = self.random.choice(ISSUERS[level])
        if issuer in NEW_WARDS and not self.reformed:
            return None
        old = self.open_decisions.get(issuer)
        if old and self.chance(0.85) and old["date"] <= self.date():
            return dict(old, issuer=self.cite(issuer), number=self.cite(old["number"]))
        date = self.date(self.random.randrange(20))
        if not self.office.exists(nfc(issuer), date):
            return None
        self.numbers[issuer, date[:4]] += 1
        number = self.numbers[issuer, date[:4]]
        decision = {"issuer": issuer, "number": f"{number}-QĐ/{'HĐND xã' if level == 'commune' else 'QU'}", "date": date}
        self.open_decisions[issuer] = decision
        return dict(decision)

    def day_of(self, decision):
        """A recognition or an award is dated as its decision, or a little later."""
        if self.chance(0.8):
            return decision["date"]
        day = datetime.date.fromisoformat(decision["date"]) + datetime.timedelta(self.random.randrange(20))
        return day.isoformat()

    def vnd(self):
        chance = self.random.random()
        if chance < 0.01:
            return 0
        if chance < 0.011:
            return BEYOND_FLOAT
        return self.random.randrange(1, 60_000) * self.random.choice([1_000, 10_000, 100_000]) + self.random.choice([0, 0, 1])

    # -- units

    def found(self):
        def define(unit, name, kind, valid_from="2013-12-27", **more):
            self.writer.record({"type": "unit_defined", "occurred_on": "2013-12-27", "unit": unit, "name": name,
                                "kind": kind, "valid_from": valid_from, **more}, with_id=True)

        define("ha-noi", "Thành phố Hà Nội", "city", valid_from="1954-10-10")
        define(DISTRICT, "Quận Bắc Từ Liêm", "district", parent="ha-noi", valid_to="2025-06-30")
        for unit, name in WARDS.items():
            define(unit, f"Phường {name}", "ward", parent=self.cite(DISTRICT))

    def reform(self):
        self.reformed = True
        for unit, name in NEW_WARDS.items():
            self.writer.record({"type": "unit_defined", "occurred_on": REFORM, "unit": unit, "name": f"Phường {name}",
                                "kind": "ward", "parent": "ha-noi", "valid_from": REFORM}, with_id=True)
        for old, successors in SUCCESSORS.items():
            for new in successors:
                event = {"type": "unit_succeeded", "occurred_on": REFORM, "from": self.cite(old), "to": self.cite(new),
                         "effective_on": REFORM, "act": "1656/NQ-UBTVQH15",
                         "extent": "whole" if len(successors) == 1 else "part"}
                if event["extent"] == "part":
                    event["note"] = "theo báo cáo\nchưa thống nhất"
                self.writer.record(event, with_id=True)

    def define_group(self):
        number = len(self.groups) + 1
        unit = f"tổ-dân-phố-{number}"
        self.writer.record({"type": "unit_defined", "occurred_on": self.date(), "unit": unit,
                            "name": f"Tổ dân phố {number}", "kind": self.random.choice(["group", "department", "other"]),
                            "parent": DISTRICT, "valid_from": self.date()}, with_id=True)
        self.groups.append(unit)

    # -- models

    def registration(self, model):
        on = self.some_date()
        kind = self.random.choices(["collective", "individual", "household"], [55, 35, 10])[0]
        event = {"type": "model_registered", "occurred_on": on, "model": model,
                 "title": f"{self.random.choice(THINGS)} {self.random.randrange(1, 60)}", "subject_kind": kind}
        if kind != "collective" and self.chance(0.9):
            event["subject"] = self.person()
        event["unit"] = self.cite(self.unit())
        event["field"] = EXTRA_FIELD if self.chance(0.08) else self.random.choice(FIELDS)
        # The year of the movement is mostly, not always, that of the entry.
        event["year"] = int(on[:4]) - (1 if self.chance(0.05) else 0)
        if self.chance(0.1):
            event["target"] = "100 hộ tham gia"
        if self.chance(0.15):
            event["address"] = f"Ngõ {self.random.randrange(300)}, phố Văn Hội"
        return event

    def register(self):
        number = len(self.models) + 1
        model = f"BTL-{self.today.year}-{number}" if self.chance(0.7) else f"Mô-hình-{self.today.year}-{number}"
        model = self.cite(model)
        if self.writer.record(self.registration(model)):
            self.models.append(model)

    def register_again(self):
        """A retraction is final, and the same id may be recorded again."""
        if self.retracted_models:
            model = self.retracted_models.pop()
            if self.writer.record(self.registration(model), with_id=True):
                self.models.append(model)

    def keep_up(self):
        if model := self.model():
            on = self.some_date()
            self.writer.record({"type": "model_continued", "occurred_on": on, "model": self.cite(model),
                                "year": int(on[:4])})

    def replicate(self):
        if model := self.model():
            self.writer.record({"type": "model_replicated", "occurred_on": self.some_date(), "model": self.cite(model),
                                "replica": self.cite(self.model())})

    def withdraw(self):
        if model := self.model():
            self.writer.record({"type": "model_withdrawn", "occurred_on": self.some_date(), "model": self.cite(model),
                                "reason": self.random.choice(["moved away", "không còn duy trì"])})

    def recognition(self, model):
        level = self.random.choices(LEVELS, [20, 50, 20, 4, 6])[0]
        decision = self.decision(level)
        if decision is None:
            return None
        event = {"type": "model_recognised", "occurred_on": self.day_of(decision), "model": self.cite(model),
                 "level": level, "decision": decision}
        if self.chance(0.3):
            event["tier"] = self.random.choice(["exemplar", "good", self.cite("tiêu biểu")])
        if self.chance(0.15):
            event["period"] = self.random.choice(
                [event["occurred_on"][:4], str(year_of(event) - 1), f"{year_of(event) - 4}-{year_of(event)}", "đợt 1"])
        return event

    def recognise(self):
        if (model := self.model()) and (event := self.recognition(model)):
            self.writer.record(event)

    def recognise_again(self):
        """The place of an annulled recognition is free."""
        annulled = [record for record in self.office.annulled.values() if record.now]
        if not annulled:
            return
        key = decision_key(self.random.choice(annulled).now["decision"])
        for record in list(self.office.citing[key].values())[:3]:
            if record.now["type"] == "model_recognised":
                event = self.recognition(record.now["model"])
                if event:
                    event["level"] = record.now["level"]
                    event.pop("period", None)
                    self.writer.record(event)

    # -- money, labour, land, goods

    def funding(self, model):
        kind = self.random.choices(["cash", "labour", "land", "in_kind"], [50, 20, 12, 18])[0]
        gift = {"kind": kind}
        if kind == "cash":
            gift["vnd"] = self.vnd()
        elif kind == "labour":
            gift["days"] = self.random.randrange(0, 400)
        elif kind == "land":
            gift["square_metres"] = self.random.choice(["{}", "{}.5", "{}.25", "{}.07"]).format(self.random.randrange(900))
            gift["land"] = self.random.choice(["farm", "residential"])
        else:
            gift.update(vnd=self.vnd(), description=self.random.choice(["xi măng", "cây xanh\nvà chậu"]))
        event = {"type": "model_funded", "occurred_on": self.some_date(), "model": self.cite(model),
                 "contribution": gift, "source": self.random.choice(["socialised", "budget", "sponsor", "own"])}
        # Bounds are rare, so that many rows are free of them, and some have one kind only.
        qualifier = self.random.choices(["exact", "more_than", "less_than", "about", None], [200, 12, 5, 2, 700])[0]
        if qualifier:
            event["qualifier"] = qualifier
        if self.chance(0.2):
            event["donor"] = self.person()
        return event

    def fund(self):
        if model := self.model():
            self.writer.record(self.funding(model))

    def gift_twice(self):
        """Two equal gifts of one day both count: the same line twice, without an id."""
        if model := self.model():
            event = self.funding(model)
            if self.office.refusal(event):
                return
            line = self.writer.envelope(event)
            for _ in range(self.random.choice([2, 2, 3])):
                self.office.stand(Record(event, None, ()))
                self.writer.line(line)

    # -- plaques

    def mount(self):
        if not (model := self.model()):
            return
        event = {"type": "plaque_mounted", "occurred_on": self.some_date(),
                 "plaque": self.cite(f"{'Biển' if self.chance(0.4) else 'BTL-P'}-{len(self.plaques) + 1}"),
                 "model": self.cite(model), "level": self.random.choice(LEVELS), "place": f"Tổ {self.random.randrange(1, 30)}"}
        if self.chance(0.6):
            event["occasion"] = self.cite(self.random.choice(OCCASIONS))
        if self.chance(0.4):
            event["decision"] = self.decision(event["level"])
            if event["decision"] is None:
                return
            event["occurred_on"] = max(event["occurred_on"], event["decision"]["date"])
        if self.chance(0.1):
            event["inscription"] = "Công trình\nDân vận khéo"
        if self.writer.record(event):
            self.plaques.append(event["plaque"])

    def remove(self):
        if self.plaques:
            self.writer.record({"type": "plaque_removed", "occurred_on": self.date(),
                                "plaque": self.cite(self.random.choice(self.plaques)),
                                "reason": self.random.choice(["removed", "relocated", "missing"])})

    # -- commendations

    def recipient(self):
        kind = self.random.choices(["collective", "individual", "household"], [60, 33, 7])[0]
        recipient = {"kind": kind}
        if kind == "collective":
            recipient["name"] = f"Tổ dân phố {self.random.randrange(1, 90)}"
        else:
            recipient["subject"] = self.person()
        if self.chance(0.95):
            recipient["unit"] = self.cite(self.unit())
        return recipient

    def propose(self):
        number = self.numbers["commendation"] = self.numbers["commendation"] + 1
        event = {"type": "commendation_proposed", "occurred_on": self.some_date(),
                 "commendation": self.cite(f"{'Đề-nghị' if self.chance(0.3) else 'BTL-C'}-{number}"),
                 "recipient": self.recipient(),
                 "form": self.random.choice(FORMS), "level": self.random.choice(LEVELS)}
        if self.chance(0.2):
            event["achievement"] = f"Thành tích đề nghị {number}"
        self.writer.record(event)

    def award(self):
        waived = ()
        proposed = None
        if self.writer.targets["commendation_proposed"] and self.chance(0.5):
            proposed = self.random.choice(self.writer.targets["commendation_proposed"]).now
        level = proposed["level"] if proposed and self.chance(0.9) else self.random.choice(LEVELS)
        decision = self.decision(level)
        if decision is None:
            return
        number = self.numbers["commendation"] = self.numbers["commendation"] + 1
        event = {"type": "commendation_awarded", "occurred_on": self.day_of(decision),
                 "commendation": self.cite(proposed["commendation"]) if proposed else f"Khen-thưởng-{number}",
                 "recipient": dict(proposed["recipient"]) if proposed else self.recipient(),
                 "form": proposed["form"] if proposed else self.random.choice(FORMS), "level": level,
                 "decision": decision}
        if self.chance(0.6):
            event["bonus_vnd"] = BEYOND_FLOAT if self.chance(0.01) else self.random.choice([0, 500_000, 1_490_000])
        if self.chance(0.3):
            event["achievement"] = f"Thành tích số {number}"
            if event["recipient"]["kind"] == "collective":
                self.shared_achievements.append(event)
        elif self.chance(0.1) and self.shared_achievements:
            # The same achievement: of another collective it is allowed, of the same one it needs an override.
            shared = self.random.choice(self.shared_achievements)
            event.update({key: shared[key] for key in ("achievement", "form", "level")}, recipient=self.recipient())
            if self.chance(0.5):
                event["recipient"] = dict(shared["recipient"])
            if event["recipient"]["kind"] != "collective":
                return
            if event["recipient"]["name"] == shared["recipient"]["name"]:
                waived = (5,)
        self.writer.record(event, waived=waived)

    def annul(self):
        citing = self.random.choice(["model_recognised", "model_recognised", "commendation_awarded", "plaque_mounted"])
        records = [r for r in self.writer.targets[citing][-3000:] if r.now and "decision" in r.now]
        if not records:
            return
        decision = dict(self.random.choice(records).now["decision"])
        by = self.decision("district" if self.chance(0.7) else "city")
        if by is None:
            return
        event = {"type": "decision_annulled", "occurred_on": max(by["date"], self.date()), "decision": decision,
                 "ground": self.random.choice(GROUNDS), "by": by}
        if self.chance(0.3):
            event.update(artefact="bằng gốc", bonus_recovered_vnd=self.random.choice([0, 1_490_000]))
        self.writer.record(event, with_id=self.chance(0.9))

    # -- published figures

    def publish(self):
        self.writer.record({"type": "figure_published", "occurred_on": self.date(),
                            "measure": self.random.choice(["registered", "vnd"]), "unit": DISTRICT,
                            "period": f"2014/{self.today.year}", "value": self.random.randrange(10**10),
                            "qualifier": self.random.choice(["exact", "more_than", "about"]),
                            "source": "báo cáo năm"})

    # -- overrides

    def override(self):
        """Legacy records: of models that are not registered or are so only later, or that were withdrawn; of a
        decision that was annulled; a second recognition."""
        chance = self.random.random()
        model = f"Sổ-cũ-{self.legacy}"
        if chance < 0.35:
            self.legacy += 1
            self.writer.record(self.funding(f"Sổ-cũ-{self.legacy}"), waived=(1,))
        elif chance < 0.6:
            # The same legacy model again: it reaches several levels.
            if event := self.recognition(model):
                self.writer.record(event, waived=(1,))
        elif chance < 0.7:
            self.writer.record({"type": "model_continued", "occurred_on": self.date(), "model": self.cite(model),
                                "year": self.today.year}, waived=(1,))
        elif chance < 0.75:
            decision = self.decision("district")
            if decision:
                self.writer.record({"type": "plaque_mounted", "occurred_on": decision["date"],
                                    "plaque": f"Biển-cũ-{self.legacy}", "model": model, "level": "district",
                                    "place": "đình làng", "decision": decision}, waived=(1,))
        elif chance < 0.77:
            self.legacy += 1
            self.writer.record({"type": "model_withdrawn", "occurred_on": self.date(), "model": model,
                                "reason": "không rõ"}, waived=(1,))
        elif chance < 0.79:
            event = self.registration(self.cite(model))
            if self.writer.record(event):
                self.models.append(event["model"])
        elif chance < 0.83:
            if withdrawn := self.target(["model_withdrawn"]):
                if withdrawn.now and nfc(withdrawn.now["model"]) in self.office.models:
                    event = self.funding(withdrawn.now["model"])
                    event["occurred_on"] = max(event["occurred_on"], withdrawn.now["occurred_on"])
                    self.writer.record(event, waived=(1,))
        elif chance < 0.86:
            if self.office.annulled and (name := self.model()) and (event := self.recognition(name)):
                annulled = self.random.choice(list(self.office.annulled.values()))
                event["decision"] = dict(annulled.now["decision"])
                self.writer.record(event, waived=(1,))
        elif self.writer.targets["model_recognised"]:
            before = self.random.choice(self.writer.targets["model_recognised"])
            if before.now and nfc(before.now["model"]) in self.office.models:
                event = self.recognition(before.now["model"])
                if event:
                    event["level"] = before.now["level"]
                    event["period"] = place(before.now)[2]
                    self.writer.record(event, waived=(4,))

    # -- amendments

    def target(self, kinds, corrected=0.0):
        """A record to amend; with a probability of `corrected` one that was corrected before."""
        records = self.writer.targets[self.random.choice(kinds)]
        if not records:
            return None
        for _ in range(30 if self.chance(corrected) else 1):
            record = self.random.choice(records)
            if record.corrections:
                break
        return record

    def correct(self):
        kinds = {"model_registered": 6, "model_funded": 8, "model_recognised": 4, "model_continued": 2,
                 "model_replicated": 1, "model_withdrawn": 2, "plaque_mounted": 2, "plaque_removed": 1,
                 "commendation_proposed": 2, "commendation_awarded": 3, "decision_annulled": 1, "unit_defined": 0.3,
                 "unit_succeeded": 2, "figure_published": 0.5}
        kind = self.random.choices(list(kinds), list(kinds.values()))[0]
        record = self.target([kind], corrected=0.3)
        if record is None or record.now is None:
            return
        replacement = json.loads(json.dumps(record.now))
        if self.chance(0.4) and kind not in ("unit_defined", "unit_succeeded"):
            moved = datetime.date.fromisoformat(replacement["occurred_on"]) + datetime.timedelta(self.random.choice(
                [-400, -365, -30, -1, 1, 30, 365]))
            replacement["occurred_on"] = min(max(moved.isoformat(), "2014-01-01"), self.date())
        getattr(self, "correct_" + kind)(replacement)
        self.writer.correct(record, replacement, self.date())

    def correct_unit_defined(self, event):
        event["name"] += " (cũ)" if len(event["name"]) < 40 else ""

    def correct_unit_succeeded(self, event):
        event["note"] = "đối chiếu nghị quyết"

    def correct_model_registered(self, event):
        change = self.random.randrange(5)
        if change == 0:
            event["unit"] = self.cite(self.unit())
        elif change == 1:
            event["field"] = self.random.choice([*FIELDS, EXTRA_FIELD])
        elif change == 2:
            event["year"] = min(max(2014, event["year"] + self.random.choice([-1, 1])), 2026)
        elif change == 3:
            event["subject_kind"] = self.random.choice(["individual", "household"])
            event["subject"] = self.person()
        else:
            event["subject_kind"] = "collective"
            event.pop("subject", None)

    def correct_model_funded(self, event):
        change = self.random.randrange(4)
        if change == 0:
            event.pop("qualifier", None)
        elif change == 1:
            event["source"] = self.random.choice(["socialised", "budget", "sponsor", "own"])
        elif change == 2 and "vnd" in event["contribution"]:
            event["contribution"]["vnd"] = self.vnd()
        else:
            event["contribution"] = self.funding(event["model"])["contribution"]

    def correct_model_recognised(self, event):
        change = self.random.randrange(4)
        if change == 0:
            event["level"] = self.random.choice(LEVELS)
        elif change == 1:
            event["tier"] = "exemplar"
        elif change == 2:
            event.pop("tier", None)
            event["period"] = f"{event['occurred_on'][:4]}/bổ sung"
        elif decision := self.decision(event["level"]):
            event["decision"] = decision

    def correct_model_continued(self, event):
        event["year"] = min(max(2014, event["year"] + self.random.choice([-1, 1])), 2026)

    def correct_model_replicated(self, event):
        pass

    def correct_model_withdrawn(self, event):
        event["reason"] = "chuyển sang phường khác"

    def correct_plaque_mounted(self, event):
        change = self.random.randrange(3)
        if change == 0:
            event["level"] = self.random.choice(LEVELS)
        elif change == 1:
            event["occasion"] = self.random.choice(OCCASIONS)
        else:
            event.pop("occasion", None)

    def correct_plaque_removed(self, event):
        event["reason"] = self.random.choice(["removed", "relocated", "missing"])

    def correct_commendation_proposed(self, event):
        event["form"] = self.random.choice(FORMS)
        event["level"] = self.random.choice(LEVELS)

    def correct_commendation_awarded(self, event):
        change = self.random.randrange(3)
        if change == 0:
            event["bonus_vnd"] = self.random.choice([0, 700_000, 12_345_678])
        elif change == 1:
            event["form"] = self.random.choice(FORMS)
        else:
            event["recipient"]["unit"] = self.cite(self.unit())

    def correct_decision_annulled(self, event):
        event["ground"] = self.random.choice(GROUNDS)
        others = [r for r in self.writer.targets["model_recognised"][-500:] if r.now]
        if others and self.chance(0.3):
            event["decision"] = dict(self.random.choice(others).now["decision"])

    def correct_figure_published(self, event):
        event["value"] += 1

    def retract(self):
        kind = self.random.choices(
            ["model_funded", "model_recognised", "model_continued", "model_withdrawn", "decision_annulled",
             "commendation_proposed", "commendation_awarded", "plaque_removed", "plaque_mounted", "model_replicated",
             "model_registered", "figure_published", "unit_defined"],
            [30, 15, 8, 8, 6, 5, 5, 5, 3, 2, 10, 1, 1])[0]
        record = self.target([kind], corrected=0.2)
        if record is None or record.now is None:
            return
        event = record.now
        if self.writer.retract(record, self.date()) and kind == "model_registered":
            self.retracted_models.append(event["model"])
            self.models.remove(event["model"])
        elif record.now is None and kind == "unit_defined" and event["unit"] in self.groups:
            self.writer.record(event, with_id=True)


def main():
    parser = argparse.ArgumentParser(description="write a deterministic, legal JSON Lines import")
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", dest="out", default="-", metavar="FILE")
    options = parser.parse_args()
    if options.out == "-":
        Life(options.seed, sys.stdout).run(options.lines)
    else:
        with open(options.out, "w", encoding="utf-8", newline="\n") as out:
            Life(options.seed, out).run(options.lines)


if __name__ == "__main__":
    main()
