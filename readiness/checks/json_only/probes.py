"""Probes of JSON: asked in words, and by `response_format`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from readiness.checks.json_only.probe_families import (
    FAMILIES,
    PROMPTS,
    JsonVariation,
    ProbeContent,
    flat,
    nested,
)
from readiness.checks.json_only.prompt_wording import facts, in_words, shown
from readiness.forms.apply import in_form, in_forms
from readiness.forms.factors import (
    COSTLY,
    PLAIN,
    Factor,
    FormSpace,
    Length,
    Load,
    Share,
    System,
    Tools,
    varying,
)
from readiness.probe import Message, Probe

PHRASINGS = ("chinese", "english", "schema", "typescript", "example")
#: How many of a hundred probes each family has.
TOLD = {"F1": 12, "F2": 15, "F3": 15, "F4": 13, "F5": 10}
TOLD |= {"F6": 5, "F7": 15, "F8": 5, "F9": 5, "F10": 5}
#: The same, where the values are what counts: F1 states none.
STATED = {"F2": 15, "F3": 20, "F4": 20, "F5": 15, "F6": 10, "F8": 5, "F10": 15}
#: Four times what a terse reply takes, so that one with much indentation ends by itself.
BUDGETS = {"F4": 1024, "F6": 4096, "F10": 1024}


#: JSON is asked for in words: no format of a reply helps, and no tool has anything to do with it.
FORMS = FormSpace(varying(Load, Length.TOKENS_60K, Tools.AUTO, Tools.NO_CHOICE))
#: Where none may fail, one trial after so long a text tells.
TOLD_FORMS = FormSpace(FORMS.levels, costly={**COSTLY, (Factor.SYSTEM, System.LONG): Share(1, 15)})


#: The probe that has the article's own words, and nothing around them.
ARTICLE = "json_only.F1.001@v1"


def instruction_probes(seed: int, trials: int) -> list[Probe]:
    """Probes that say in words that JSON is wanted, and three that are trivially easy."""
    return [*_in_forms("json_only", seed, TOLD, trials), *_controls()]


def stated_value_probes(seed: int, trials: int) -> list[Probe]:
    """Probes like those of `told`, though not the same, that state the values."""
    return _in_forms("json_only.values", seed, STATED, trials)


def _in_forms(series: str, seed: int, weights: Mapping[str, int], trials: int) -> list[Probe]:
    """The probes of so many trials; the form of each is the same whatever their number."""
    space = TOLD_FORMS if weights is TOLD else FORMS
    hundreds = {family: -(-trials // 100) * weight for family, weight in weights.items()}
    every = _probes(series, seed, hundreds, weights)
    formed = {each.id: each for each in in_forms(every, space, f"{series}/{seed}")}
    if ARTICLE in formed:
        own = next(each for each in every if each.id == ARTICLE)
        formed[ARTICLE] = in_form(own, PLAIN, space, Random(series))
    shares = _shares(weights, trials)
    return [formed[probe.id] for probe in _probes(series, seed, shares, shares)]


def next_turn(probe: Probe, replied: Message) -> Probe:
    """The probe of the turn that follows the reply to one."""
    turn, *then = probe.expect["then"]
    said = {"role": "user", "content": turn["say"]}
    expect = {**turn, "then": then}
    return replace(probe, messages=[*probe.messages, replied, said], expect=expect)


def _shares(weights: Mapping[str, int], trials: int) -> dict[str, int]:
    """Share the trials out by weight, one at least to each family while they reach."""
    total = sum(weights.values())
    shares = {family: int(trials * weight / total) for family, weight in weights.items()}
    shares = {family: share or trials >= len(weights) for family, share in shares.items()}
    while (left := trials - sum(shares.values())) != 0:
        step = 1 if left > 0 else -1
        lack = {name: step * (trials * weights[name] / total - shares[name]) for name in weights}
        shares[max(lack, key=lambda name: lack[name])] += step
    return shares


def _probes(
    series: str, seed: int, shares: Mapping[str, int], mixed: Mapping[str, int]
) -> list[Probe]:
    """The families' probes, mixed so that every part of the list has its share of each."""
    first = Random(f"{series}/{seed}").randrange(180)
    placed = []
    for family, share in shares.items():
        # A probe is the same whatever the number of trials: its turn counts in a hundred.
        for at in range(share):
            slot = JsonVariation(f"{series}/{seed}", family, at, first + at)
            place = (at + Random(f"{series}/{seed}/{family}/place/{at}").random()) / mixed[family]
            placed.append((place, _told_probe(series, slot)))
        first += TOLD[family]
    return [probe for _, probe in sorted(placed, key=lambda pair: pair[0])]


def _told_probe(series: str, slot: JsonVariation) -> Probe:
    draft = FAMILIES[slot.family](slot)
    seed_words = draft.task == PROMPTS["seed"]["user"]
    phrasing = "chinese" if seed_words else PHRASINGS[slot.turn % len(PHRASINGS)]
    only = PROMPTS["only"][phrasing][slot.languages[0]]
    then = [
        {"say": say, "schema": draft.schema, "value": value} for say, value in draft.later_turns
    ]
    stated = {} if draft.value is None else {"value": draft.value}
    return Probe(
        f"{series}.{slot.family}.{slot.number + 1:03}@v1",
        [
            {"role": "system", "content": only + shown(phrasing, draft.schema)},
            {"role": "user", "content": _said(slot, draft, phrasing)},
        ],
        {"schema": draft.schema, "phrasing": phrasing, **stated, "then": then},
        budget=BUDGETS.get(slot.family, 512),
        family=slot.family,
    )


def _said(slot: JsonVariation, draft: ProbeContent, phrasing: str) -> str:
    """What the user says: a task, perhaps the shape in words, the data, and a remark."""
    in_prose = phrasing in ("chinese", "english") and bool(draft.stated_facts)
    shape = in_words(draft.schema, slot.words) if in_prose else []
    task = draft.task or slot.choice("tasks")
    return "\n".join([task, *shape, *draft.stated_facts, *draft.remarks])


def _controls() -> list[Probe]:
    return [
        Probe(
            f"json_only.control.{language}@v1",
            [
                {
                    "role": "user",
                    "content": PROMPTS["repeat"][language] + json.dumps(value, ensure_ascii=False),
                }
            ],
            {"schema": {"type": "object"}, "value": value, "then": []},
            family="control",
            control=True,
        )
        for language, value in PROMPTS["controls"].items()
    ]


#: A poem in a field takes more room than a record, and a nested record more than a flat one.
FORMAT_BUDGETS = {"poem": 2048, "T1": 1024}


def with_object(seed: int, trials: int) -> list[Probe]:
    """Probes with the format json_object, whose prompt says JSON, though not "only"."""
    return [_object_probe(_slot("object", seed, "T0", at)) for at in range(trials)]


def with_schema(seed: int, trials: int) -> list[Probe]:
    """Probes with a strict schema; four of five need only types, required, enum and nesting."""
    tiers = ["T2" if at % 5 == 4 else "T1" for at in range(trials)]
    return [_schema_probe(_slot("schema", seed, tier, at)) for at, tier in enumerate(tiers)]


def poems(seed: int, trials: int) -> list[Probe]:
    """Probes with a strict schema whose prompt asks for a poem."""
    return [_poem_probe(_slot("poem", seed, "poem", at)) for at in range(trials)]


def bad_formats(seed: int, trials: int) -> list[Probe]:
    """Probes with a response format that is malformed, or that nothing can fit."""
    kinds = list(PROMPTS["bad_formats"])
    return [_bad_probe(_slot("bad", seed, kinds[at % len(kinds)], at)) for at in range(trials)]


def _slot(what: str, seed: int, family: str, at: int) -> JsonVariation:
    series = f"json_only.{what}"
    return JsonVariation(
        f"{series}/{seed}", family, at, at + Random(f"{series}/{seed}").randrange(180)
    )


def _probe(
    slot: JsonVariation, said: list[str], schema: Mapping[str, Any], wanted: Mapping[str, Any]
) -> Probe:
    series = slot.series.partition("/")[0]
    return Probe(
        f"{series}.{slot.family}.{slot.number + 1:03}@v1",
        [{"role": "user", "content": "\n".join(said)}],
        {"schema": schema},
        {"response_format": wanted, **({"stream": True} if slot.streamed else {})},
        budget=FORMAT_BUDGETS.get(slot.family, 512),
        family=slot.family,
    )


def _strictly(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "json_schema",
        "json_schema": {"name": "record", "strict": True, "schema": schema},
    }


def _object_probe(slot: JsonVariation) -> Probe:
    draft = flat(slot)
    said = [slot.choice("tasks"), *in_words(draft.schema, slot.words), *draft.stated_facts]
    # The mode promises an object; that the members asked for are there is the least of sense.
    schema = {"type": "object", "required": draft.schema["required"]}
    return _probe(slot, said, schema, {"type": "json_object"})


def _schema_probe(slot: JsonVariation) -> Probe:
    if slot.family == "T1":
        draft = nested(slot) if slot.number % 2 else flat(slot)
        said = [slot.choice("records"), *draft.stated_facts]
        return _probe(slot, said, draft.schema, _strictly(draft.schema))
    kind = slot.random.choice(PROMPTS["tier2"])
    value = {"reference": f"R{slot.random.randrange(10**6):06}", **kind["value"]}
    said = [slot.choice("records"), *facts(value, slot.words)]
    return _probe(slot, said, kind["schema"], _strictly(kind["schema"]))


def _poem_probe(slot: JsonVariation) -> Probe:
    words, data = slot.languages
    city = slot.random.choice(PROMPTS["texts"][data]["cities"])
    schema = flat(slot).schema
    return _probe(slot, [PROMPTS["poems"][words].format(city=city)], schema, _strictly(schema))


def _bad_probe(slot: JsonVariation) -> Probe:
    draft = flat(slot)
    said = [slot.choice("tasks"), *draft.stated_facts]
    wanted = {"response_format": PROMPTS["bad_formats"][slot.family]}
    return replace(_probe(slot, said, draft.schema, {}), parameters=wanted)
