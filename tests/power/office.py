"""What an office records, generated: no line is about anybody."""

import json

ORIGIN = "example.org/power"
KIN, NAME, HOME = "CITIZEN-", "Người kín ", "Ngõ kín số "
SECRET = tuple(text.encode() for text in (KIN, NAME, HOME))
"""What stands in every personal value and subject's id, and nowhere else."""
LONG = 16_000
"""Bytes that fit into a description."""
_MODELS_OF_A_SUBJECT = 3


def lines(count, filler=0):
    """So many events. Every second model is a person's, and a person's models come one soon after the other, so that whoever is erased
    is not met again. With `filler` as many more bytes stand in each gift."""
    made = [{"type": "unit_defined", "unit": "phu-dien", "name": "Phường Phú Diễn", "kind": "ward", "valid_from": "2013-12-27",
             "occurred_on": "2013-12-27", "actor": "clerk"}]
    model = 0
    while len(made) < count:
        one = {"type": "model_registered", "occurred_on": "2024-02-01", "actor": "clerk", "model": f"K-{model}",
               "title": f"Mô hình {model}", "unit": "phu-dien", "field": "economy", "year": 2024}
        if model % 2:
            one |= {"subject_kind": "collective"}
        else:
            who = model // 2 // _MODELS_OF_A_SUBJECT
            one |= {"subject_kind": "individual", "subject": {"id": f"{KIN}{who}", "name": f"{NAME}{who}"}, "address": f"{HOME}{model}"}
        gift = {"type": "model_funded", "occurred_on": "2024-05-05", "actor": "clerk", "model": f"K-{model}", "source": "own",
                "contribution": {"kind": "in_kind", "vnd": model, "description": f"{model} " + "x" * filler}}
        made += [one, gift]
        model += 1
    return [json.dumps(line, ensure_ascii=False) for line in made[:count]]
