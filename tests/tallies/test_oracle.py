"""Small cases worked out by hand, so that the oracle itself is held to something."""

import base64
import hashlib
import io
import json
import unicodedata
import unittest

import compare
import generate
import oracle


def rid(number):
    return f"00000000-0000-4000-8000-{number:012}"


def decision(number=1, issuer="QU", date="2024-10-01"):
    return {"issuer": issuer, "number": f"{number}-QD", "date": date}


def registered(model, year=2024, unit="u1", field="economy", kind="collective", on=None, **more):
    return {"type": "model_registered", "occurred_on": on or f"{year}-02-01", "actor": "a", "model": model, "title": "t",
            "subject_kind": kind, "unit": unit, "field": field, "year": year, **more}


def recognised(model, level="district", number=1, on="2024-10-01", **more):
    return {"type": "model_recognised", "occurred_on": on, "actor": "a", "model": model, "level": level,
            "decision": decision(number), **more}


def funded(model, contribution, on="2024-05-05", source="socialised", **more):
    return {"type": "model_funded", "occurred_on": on, "actor": "a", "model": model, "contribution": contribution,
            "source": source, **more}


def cash(vnd):
    return {"kind": "cash", "vnd": vnd}


def mounted(plaque, model="m1", on="2024-10-10", **more):
    return {"type": "plaque_mounted", "occurred_on": on, "actor": "a", "plaque": plaque, "model": model, "level": "city",
            "place": "p", **more}


def commendation(kind, name, on="2024-09-01", level="city", **more):
    event = {"type": f"commendation_{kind}", "occurred_on": on, "actor": "a", "commendation": name,
             "recipient": {"kind": "collective", "name": "n", "unit": "u1"}, "form": "diploma_of_merit", "level": level}
    return {**event, **({"decision": decision(9)} if kind == "awarded" else {}), **more}


def annulled(number, on="2025-06-01", **more):
    return {"type": "decision_annulled", "occurred_on": on, "actor": "a", "decision": decision(number),
            "ground": "false_papers", "by": decision(100 + number, date=on), **more}


def corrected(number, replacement, on="2025-07-01"):
    replacement = {key: value for key, value in replacement.items() if key not in ("actor", "id", "override")}
    return {"type": "record_corrected", "occurred_on": on, "actor": "a", "target": rid(number),
            "replacement": replacement, "reason": "r"}


def retracted(number, on="2025-08-01"):
    return {"type": "record_retracted", "occurred_on": on, "actor": "a", "target": rid(number), "reason": "r"}


class Case(unittest.TestCase):
    def rows(self, lines, tally, by=None, **options):
        # Through text, as from a file.
        lines = [json.loads(json.dumps(line)) for line in lines]
        return oracle.Book(lines).tally(tally, by, **options)["rows"]


class Registered(Case):
    def test_rows_are_by_the_models_year_and_sorted(self):
        lines = [registered("m3", 2024, "u2"), registered("m1", 2024, on="2025-01-03"), registered("m2", 2023)]
        self.assertEqual(self.rows(lines, "registered", ["year", "unit"]), [
            {"year": 2023, "unit": "u1", "count": 1}, {"year": 2024, "unit": "u1", "count": 1},
            {"year": 2024, "unit": "u2", "count": 1}])
        self.assertEqual(self.rows(lines, "registered", [], since="2025-01-01"), [{"count": 1}])

    def test_a_withdrawn_model_stays_and_a_retracted_one_goes(self):
        lines = [registered("m1", id=rid(1)), registered("m2", id=rid(2)),
                 {"type": "model_withdrawn", "occurred_on": "2024-03-01", "actor": "a", "model": "m1", "reason": "r"},
                 retracted(2)]
        self.assertEqual(self.rows(lines, "registered", []), [{"count": 1}])
        self.assertEqual(self.rows(lines, "registered", [], as_of=3), [{"count": 2}])

    def test_the_total_row_is_there_when_nothing_is(self):
        self.assertEqual(self.rows([], "registered", []), [{"count": 0}])
        self.assertEqual(self.rows([], "registered"), [])

    def test_units_compare_in_nfc(self):
        lines = [registered("m1", unit="đông-ngạc"), registered("m2", unit=unicodedata.normalize("NFD", "đông-ngạc"))]
        self.assertEqual(self.rows(lines, "registered", ["unit"]), [{"unit": "đông-ngạc", "count": 2}])
        where = {"unit": unicodedata.normalize("NFD", "đông-ngạc")}
        self.assertEqual(self.rows(lines, "registered", [], where=where), [{"count": 2}])


class Recognised(Case):
    def test_gross_and_distinct(self):
        lines = [registered("m1"), recognised("m1"), recognised("m1", "city"), recognised("m1", period="2023")]
        self.assertEqual(self.rows(lines, "recognised", ["year"]), [{"year": 2024, "count": 3, "distinct_models": 1}])
        self.assertEqual(self.rows(lines, "multi-level"), [{"levels": 2, "distinct_models": 1}])

    def test_an_annulment_counts_from_its_record_on_until_it_is_retracted(self):
        lines = [registered("m1"), recognised("m1"), recognised("m1", "city", 2), annulled(1, id=rid(1)), retracted(1)]
        for size, count in ((3, 2), (4, 1), (5, 2)):
            self.assertEqual(self.rows(lines, "recognised", [], as_of=size), [{"count": count, "distinct_models": 1}])
        # The annulment's own date plays no part.
        self.assertEqual(self.rows(lines, "recognised", [], as_of=4, until="2024-12-31"),
                         [{"count": 1, "distinct_models": 1}])

    def test_a_corrected_annulment_annuls_the_other_decision(self):
        lines = [registered("m1"), recognised("m1"), recognised("m1", "city", 2), annulled(1, id=rid(1)),
                 corrected(1, annulled(2))]
        self.assertEqual(self.rows(lines, "recognised", ["level"]),
                         [{"level": "district", "count": 1, "distinct_models": 1}])

    def test_the_model_is_looked_up_whatever_its_date_and_as_it_is_known(self):
        lines = [registered("m1", 2014, id=rid(1)), recognised("m1"), corrected(1, registered("m1", 2014, "u2"))]
        self.assertEqual(self.rows(lines, "recognised", ["unit"], since="2024-01-01"),
                         [{"unit": "u2", "count": 1, "distinct_models": 1}])
        self.assertEqual(self.rows(lines, "recognised", ["unit"], as_of=2),
                         [{"unit": "u1", "count": 1, "distinct_models": 1}])

    def test_an_unregistered_model_has_no_unit_and_null_sorts_first(self):
        lines = [registered("m1"), recognised("m1"), recognised("x", override={"rules": [1], "reason": "r"})]
        self.assertEqual(self.rows(lines, "recognised", ["unit", "subject_kind"]), [
            {"unit": None, "subject_kind": None, "count": 1, "distinct_models": 1},
            {"unit": "u1", "subject_kind": "collective", "count": 1, "distinct_models": 1}])
        self.assertEqual(self.rows(lines, "multi-level", ["levels", "year"]), [
            {"levels": 1, "year": None, "distinct_models": 1}, {"levels": 1, "year": 2024, "distinct_models": 1}])

    def test_the_rate_is_of_the_registrations_and_rounded_down(self):
        lines = [registered("m1", 2023), registered("m2", 2023), registered("m3", 2023), registered("m4", 2024),
                 recognised("m1"), recognised("m1", "city"), recognised("m2"),
                 recognised("x", override={"rules": [1], "reason": "r"})]
        self.assertEqual(self.rows(lines, "recognition-rate"), [
            {"year": 2023, "registered": 3, "recognised": 2, "rate_bp": 6666},
            {"year": 2024, "registered": 1, "recognised": 0, "rate_bp": 0}])
        # The recognitions of 2024 count although only the registrations of 2023 are looked at.
        self.assertEqual(self.rows(lines, "recognition-rate", [], until="2023-12-31"),
                         [{"registered": 3, "recognised": 2, "rate_bp": 6666}])
        self.assertEqual(self.rows([], "recognition-rate", []), [{"registered": 0, "recognised": 0, "rate_bp": 0}])


class Continuity(Case):
    def test_new_by_registration_year_and_continued_by_continued_year(self):
        lines = [registered("m1", 2023), registered("m2", 2024),
                 {"type": "model_continued", "occurred_on": "2025-01-05", "actor": "a", "model": "m1", "year": 2024}]
        self.assertEqual(self.rows(lines, "continuity"), [
            {"year": 2023, "new": 1, "continued": 0}, {"year": 2024, "new": 1, "continued": 1}])


class Contributions(Case):
    def test_kinds_and_their_measures(self):
        lines = [registered("m1"), funded("m1", cash(9007199254740993)), funded("m1", {"kind": "labour", "days": 12}),
                 funded("m1", {"kind": "land", "square_metres": "659.8", "land": "farm"}),
                 funded("m1", {"kind": "land", "square_metres": "0.05", "land": "residential"}),
                 funded("m1", {"kind": "in_kind", "vnd": 2000000, "description": "d"}, source="sponsor")]
        self.assertEqual(self.rows(lines, "contributions", []),
                         [{"count": 5, "vnd": 9007199256740993, "labour_days": 12, "square_decimetres": 65985}])
        self.assertEqual(self.rows(lines, "contributions", ["land"], where={"kind": "land"}), [
            {"land": "farm", "count": 1, "vnd": 0, "labour_days": 0, "square_decimetres": 65980},
            {"land": "residential", "count": 1, "vnd": 0, "labour_days": 0, "square_decimetres": 5}])

    def test_bounds(self):
        def bound(*qualifiers):
            row, = self.rows([funded("m1", cash(5), qualifier=q) for q in qualifiers], "contributions", [])
            self.assertNotIn("count_bound", row)
            return row.get("vnd_bound")

        self.assertIsNone(bound("exact", "exact"))
        self.assertEqual(bound("exact", "more_than", "more_than"), "more_than")
        self.assertEqual(bound("less_than", "exact"), "less_than")
        self.assertEqual(bound("more_than", "less_than"), "about")
        self.assertEqual(bound("about", "exact"), "about")

    def test_the_bound_belongs_to_its_own_measure(self):
        lines = [funded("m1", cash(5), qualifier="more_than"), funded("m1", {"kind": "labour", "days": 0})]
        self.assertEqual(self.rows(lines, "contributions", []), [
            {"count": 2, "vnd": 5, "vnd_bound": "more_than", "labour_days": 0, "square_decimetres": 0}])

    def test_the_last_correction_stands_and_moves_the_date(self):
        lines = [registered("m1"), funded("m1", cash(15), id=rid(1)),
                 corrected(1, funded("m1", cash(51), on="2023-05-05")), corrected(1, funded("m1", cash(7)))]
        for size, year, vnd in ((2, 2024, 15), (3, 2023, 51), (4, 2024, 7)):
            row, = self.rows(lines, "contributions", ["year"], as_of=size)
            self.assertEqual((row["year"], row["vnd"]), (year, vnd))
        self.assertEqual(self.rows(lines, "contributions", as_of=3, since="2024-01-01"), [])

    def test_equal_lines_without_id_both_count_and_an_id_counts_once(self):
        gift = funded("m1", cash(5))
        self.assertEqual(self.rows([gift, gift], "contributions", [])[0]["vnd"], 10)
        again = funded("m1", cash(5), id=rid(1))
        book = oracle.Book([again, again])
        self.assertEqual((book.size(), book.duplicates), (1, 1))
        # In two files the first of the one is the first of the other; a donor is no part of what a line says.
        book = oracle.Book([gift, gift])
        book.add_file([gift])
        self.assertEqual((book.size(), book.duplicates), (2, 1))


class Plaques(Case):
    def test_status_follows_the_removal_whatever_its_date(self):
        lines = [registered("m1"), recognised("m1"), mounted("p1", occasion="o"), mounted("p2"),
                 {"type": "plaque_removed", "occurred_on": "2025-05-01", "actor": "a", "plaque": "p1", "reason": "missing",
                  "id": rid(1)}, retracted(1)]
        self.assertEqual(self.rows(lines, "plaques", ["status", "occasion"], as_of=5, until="2024-12-31"), [
            {"status": "missing", "occasion": "o", "count": 1}, {"status": "standing", "occasion": None, "count": 1}])
        self.assertEqual(self.rows(lines, "plaques"), [{"level": "city", "status": "standing", "count": 2}])

    def test_a_plaque_of_an_annulled_decision_hangs_there(self):
        lines = [registered("m1"), mounted("p1", decision=decision(1)), annulled(1)]
        self.assertEqual(self.rows(lines, "plaques", []), [{"count": 1}])


class Commendations(Case):
    def test_awarded_is_by_the_same_id_whenever_and_wherever(self):
        lines = [commendation("proposed", "c1", id=rid(1)), commendation("proposed", "c2"),
                 commendation("awarded", "c1", on="2025-01-01", level="central", bonus_vnd=5),
                 commendation("awarded", "c3", on="2025-01-02")]
        self.assertEqual(self.rows(lines, "proposals", until="2024-12-31"), [
            {"year": 2024, "form": "diploma_of_merit", "level": "city", "proposed": 2, "awarded": 1}])
        self.assertEqual(self.rows(lines, "commendations", ["unit"]), [{"unit": "u1", "count": 2, "bonus_vnd": 5}])
        # A retracted proposal takes its award out of this tally, and the award stays in the other.
        lines.append(retracted(1))
        self.assertEqual(self.rows(lines, "proposals", []), [{"proposed": 1, "awarded": 0}])
        lines.append(annulled(9))
        self.assertEqual(self.rows(lines, "commendations", []), [{"count": 0, "bonus_vnd": 0}])


class Cumulative(Case):
    def test_every_year_from_the_first_to_the_last(self):
        lines = [registered("m1", 2020), registered("m2", 2023, on="2022-12-30"), recognised("m1", on="2024-10-01"),
                 mounted("p1", on="2025-01-01"), commendation("awarded", "c1", on="2021-09-09")]

        def row(year, *values):
            return dict(zip(("year", "registered", "recognised", "plaques", "commendations"), (year, *values)))

        expected = [row(2020, 1, 0, 0, 0), row(2021, 1, 0, 0, 1), row(2022, 1, 0, 0, 1), row(2023, 2, 0, 0, 1),
                    row(2024, 2, 1, 0, 1), row(2025, 2, 1, 1, 1)]
        self.assertEqual(self.rows(lines, "cumulative"), expected)
        self.assertEqual(self.rows(lines, "cumulative", where={"year": "2022"}), [expected[2]])
        total = {key: value for key, value in expected[-1].items() if key != "year"}
        self.assertEqual(self.rows(lines, "cumulative", []), [total])
        self.assertEqual(self.rows([], "cumulative", []), [{key: 0 for key in total}])


class Amendments(Case):
    def test_each_correction_counts_and_a_retracted_annulment_does_not(self):
        lines = [registered("m1"), funded("m1", cash(1), id=rid(1)), corrected(1, funded("m1", cash(2))),
                 corrected(1, funded("m1", cash(3)), on="2026-01-01"), retracted(1), recognised("m1"),
                 annulled(1, id=rid(2)), retracted(2)]
        self.assertEqual(self.rows(lines, "amendments", as_of=7), [
            {"type": "decision_annulled", "count": 1}, {"type": "record_corrected", "count": 2},
            {"type": "record_retracted", "count": 1}])
        self.assertEqual(self.rows(lines, "amendments", ["type", "year"]), [
            {"type": "record_corrected", "year": 2025, "count": 1}, {"type": "record_corrected", "year": 2026, "count": 1},
            {"type": "record_retracted", "year": 2025, "count": 2}])


class Generator(unittest.TestCase):
    def lines(self, number, seed):
        out = io.StringIO()
        generate.Life(seed, out).run(number)
        return out.getvalue()

    def test_it_is_deterministic_and_of_the_length_asked_for(self):
        text = self.lines(1_000, 7)
        self.assertEqual(text, self.lines(1_000, 7))
        self.assertNotEqual(text, self.lines(1_000, 8))
        self.assertEqual(len(text.splitlines()), 1_000)

    def test_every_kind_of_amendment_occurs(self):
        events = [json.loads(line) for line in self.lines(20_000, 1).splitlines()]
        of = {event["id"]: event["type"] for event in events if "id" in event}
        everything = {event["type"] for event in events}
        amendments = {"record_corrected", "record_retracted"}
        self.assertEqual({e["replacement"]["type"] for e in events if e["type"] == "record_corrected"},
                         everything - amendments)
        self.assertLessEqual(
            {"model_registered", "model_recognised", "model_funded", "model_continued", "model_withdrawn",
             "decision_annulled", "commendation_proposed", "commendation_awarded", "plaque_removed", "plaque_mounted"},
            {of[e["target"]] for e in events if e["type"] == "record_retracted"})
        self.assertEqual({rule for e in events for rule in e.get("override", {}).get("rules", [])}, {1, 4, 5})
        for event in events:
            if event["type"] == "record_corrected":
                self.assertEqual(event["replacement"]["type"], of[event["target"]])

    def test_the_office_refuses_what_the_rules_forbid(self):
        office = generate.Office()

        def record(event, waived=()):
            reason = office.refusal(event, waived)
            if reason is None:
                office.stand(generate.Record(event, None, waived))
            return reason

        self.assertIn("unit", record(registered("m1")))
        office.stand(generate.Record({"type": "unit_defined", "occurred_on": "2013-12-27", "unit": "u1", "name": "n",
                                      "kind": "ward", "valid_from": "2013-12-27", "valid_to": "2025-06-30"}, None, ()))
        self.assertIsNone(record(registered("m1")))
        self.assertIn("already", record(registered("m1")))
        self.assertIn("recognition or a decision", record(mounted("p1", on="2024-09-30")))
        self.assertIsNone(record(recognised("m1")))
        self.assertIn("once", record(recognised("m1", period="2024")))
        self.assertIsNone(record(recognised("m1", period="2024"), (4,)))
        self.assertIn("another date", record(recognised("m1", "city", decision=decision(1, date="2024-10-02"))))
        self.assertIn("issuer", record(recognised("m1", "city", decision=decision(1, "u1", "2025-07-01"))))
        self.assertIsNone(record(mounted("p1")))
        self.assertIsNone(record(annulled(1)))
        self.assertIn("annulled", record(recognised("m1", "city")))
        self.assertIsNone(record({"type": "model_withdrawn", "occurred_on": "2024-12-01", "actor": "a", "model": "m1",
                                  "reason": "r"}))
        self.assertIn("withdrawn", record(funded("m1", cash(1), on="2024-12-02")))
        self.assertIsNone(record(funded("m1", cash(1), on="2024-12-01")))
        self.assertIn("registered", record(funded("x", cash(1))))


class Root(unittest.TestCase):
    def test_against_the_definition(self):
        def by_definition(leaves):  # RFC 6962, 2.1, word for word
            if not leaves:
                return hashlib.sha256().digest()
            if len(leaves) == 1:
                return hashlib.sha256(b"\0" + leaves[0]).digest()
            k = 1
            while k * 2 < len(leaves):
                k *= 2
            return hashlib.sha256(b"\1" + by_definition(leaves[:k]) + by_definition(leaves[k:])).digest()

        for size in range(70):
            leaves = [bytes([n]) * 32 for n in range(size)]
            self.assertEqual(compare.rfc6962_root(leaves), by_definition(leaves))
        self.assertEqual(base64.b64encode(compare.rfc6962_root([])), b"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")


if __name__ == "__main__":
    unittest.main()
