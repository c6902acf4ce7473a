"""Probes of JSON: asked in words, and by `response_format`."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
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
from readiness.checks.json_only.record_spec import with_definitions
from readiness.forms.apply import in_form, in_forms, whole_and_streamed
from readiness.forms.covering import covering_forms
from readiness.forms.factors import (
    PLAIN,
    TELLING,
    TEXT,
    Factor,
    Form,
    Format,
    FormSpace,
    with_60k,
    without,
)
from readiness.probe import Message, Probe

PHRASINGS = ("chinese", "english", "schema", "typescript", "example")
#: How many of a hundred probes each family has.
TOLD = {"F1": 12, "F2": 15, "F3": 15, "F4": 13, "F5": 10}
TOLD |= {"F6": 5, "F7": 15, "F8": 5, "F9": 5, "F10": 5}
#: The same, where the values are what counts: F1 states none.
STATED = {"F2": 15, "F3": 20, "F4": 20, "F5": 15, "F6": 10, "F8": 5, "F10": 15}
#: Four times what a terse reply takes, so that one with much indentation ends by itself.
BUDGETS = {"F4": 1024, "F6": 4096, "F9": 1024, "F10": 1024}
#: More than a reply with much indentation takes in most tokenizers; twice that, where it is flat.
#: A question of F9 may be answered at some length.
SMALL_BUDGET = 256
SMALL_BUDGETS = {"F4": 640, "F6": 4096, "F9": 640, "F10": 640, "T1": 384, "poem": 384}
#: Every so many-th schema has more than types, required members, choices and nesting.
T2_EVERY = 5
#: Told in these words, a shape has its types only where the user lists its fields.
PROSE = ("chinese", "english")
#: A value of which neither a type was told nor what it is.
UNTYPED = {"type": ["string", "number", "null"]}


#: JSON is asked for in words: no format of a reply helps, and no tool has anything to do with it.
TOLD_FORMS = FormSpace(with_60k(TEXT), costly=TELLING)
#: Where values are what counts, a format may help.
FORMS = FormSpace({**TEXT, Factor.FORMAT: [*Format]})


#: The response format is what the check is about.
FORMAT_FORMS = FormSpace(without(TEXT, Factor.FORMAT))
#: The families whose replies are also looked at for their values.
COMPARED = ("F7", "F9")


#: The probe that has the article's own words, and nothing around them.
ARTICLE = "json_only.F1.001@v1"


def instruction_probes(seed: int, trials: int) -> list[Probe]:
    """Probes that say in words that JSON is wanted, and three that are trivially easy."""
    return [*_in_forms("json_only", seed, TOLD, trials), *_controls()]


def adversarial_probes(seed: int, trials: int) -> list[Probe]:
    """The probes of `instruction_probes` with orders in the data, or a correction at the end."""
    share = sum(TOLD[family] for family in COMPARED)
    # Some more than their share, which is rounded; the rest is not sent.
    told = -(-trials * 100 // share) + share
    return _in_forms("json_only", seed, TOLD, told, COMPARED)[:trials]


def format_probes(seed: int, trials: int) -> list[Probe]:
    """The probes of `with_object` and, twice as many, `with_schema`, whose values are known."""
    objects = trials // 3
    return [*with_object(seed, objects), *with_schema(seed, trials - objects)]


def stated_value_probes(seed: int, trials: int) -> list[Probe]:
    """Probes like those of `told`, though not the same, that state the values."""
    return _in_forms("json_only.values", seed, STATED, trials)


def _in_forms(
    series: str, seed: int, weights: Mapping[str, int], trials: int, families: Container[str] = ()
) -> list[Probe]:
    """The probes of so many trials, of some families or all; their forms hang on neither."""
    space = TOLD_FORMS if weights is TOLD else FORMS
    hundreds = {family: -(-trials // 100) * weight for family, weight in weights.items()}
    every = _probes(series, seed, hundreds, weights)
    key = f"{series}/{seed}"
    forms = covering_forms(space, key, [probe.slices for probe in every])
    form_of = {probe.id: form for probe, form in zip(every, forms, strict=True)}
    shares = _shares(weights, trials)
    return [
        _in_form(probe, form_of[probe.id], space, key)
        for probe in _probes(series, seed, shares, shares)
        if not families or probe.family in families
    ]


def _in_form(own: Probe, form: Form, space: FormSpace, key: str) -> Probe:
    """A probe in its form; a format takes a schema of an object."""
    if own.id == ARTICLE:
        form = PLAIN
    no_object = own.expect["schema"].get("type") != "object"
    if no_object and form[Factor.FORMAT] == Format.JSON_SCHEMA:
        form = {**form, Factor.FORMAT: Format.NONE}
    return in_form(own, form, space, Random(f"{key}/{own.id}"))


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
    name = f"{series}.{slot.family}.{slot.number + 1:03}@v1"
    return Probe(
        name,
        [
            {"role": "system", "content": only + shown(phrasing, draft.schema)},
            {"role": "user", "content": _said(slot, draft, phrasing)},
        ],
        {"schema": _asked_for(draft, phrasing), "phrasing": phrasing, **stated, "then": then},
        budget=BUDGETS.get(slot.family, 512),
        small_budget=SMALL_BUDGETS.get(slot.family, SMALL_BUDGET),
        family=slot.family,
        labels=_labels(draft),
        shared=name if series == "json_only" and slot.family in COMPARED else "",
    )


def _said(slot: JsonVariation, draft: ProbeContent, phrasing: str) -> str:
    """What the user says: a task, perhaps the shape in words, the data, and a remark."""
    in_prose = phrasing in PROSE and bool(draft.stated_facts)
    shape = in_words(draft.schema, slot.words) if in_prose else []
    task = draft.task or slot.choice("tasks")
    return "\n".join([task, *shape, *draft.stated_facts, *draft.remarks])


def _asked_for(draft: ProbeContent, phrasing: str) -> Mapping[str, Any]:
    """The shape of which a reply has to be: as it was told."""
    if draft.stated_facts or phrasing not in PROSE:
        return draft.schema
    return {**draft.schema, "properties": dict.fromkeys(draft.schema["properties"], UNTYPED)}


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
            small_budget=SMALL_BUDGET,
        )
        for language, value in PROMPTS["controls"].items()
    ]


#: A poem in a field takes more room than a record, and so do a nested one and one with long lists.
FORMAT_BUDGETS = {"poem": 2048, "T1": 1024, "bounds": 1024}


def with_object(seed: int, trials: int) -> list[Probe]:
    """Probes with the format json_object, whose prompt says JSON, though not "only"."""
    made = [_object_probe(_slot("object", seed, "T0", at)) for at in range(trials)]
    return in_forms(made, FORMAT_FORMS, f"json_only.object/{seed}")


def with_schema(seed: int, trials: int) -> list[Probe]:
    """Probes with a strict schema; four of five need only types, required, enum and nesting."""
    tiers = ["T1" if (at + 1) % T2_EVERY else "T2" for at in range(trials)]
    made = [_schema_probe(_slot("schema", seed, tier, at)) for at, tier in enumerate(tiers)]
    return in_forms(made, FORMAT_FORMS, f"json_only.schema/{seed}")


def poems(seed: int, trials: int) -> list[Probe]:
    """Probes with a strict schema whose prompt asks for a poem."""
    made = [_poem_probe(_slot("poem", seed, "poem", at)) for at in range(trials)]
    return in_forms(made, FORMAT_FORMS, f"json_only.poem/{seed}")


def rich_schemas(seed: int, trials: int) -> list[Probe]:
    """Probes with schemas that have more than types, required members, choices and nesting."""
    kinds = list(PROMPTS["members"])
    slots = [_slot("members", seed, kinds[at % len(kinds)], at) for at in range(trials)]
    others = (replace(slot, series=f"{slot.series}/again") for slot in slots)
    pairs = zip(map(_rich_probe, slots), map(_rich_probe, others), strict=True)
    made = [replace(probe, expect={**probe.expect, "again": other}) for probe, other in pairs]
    return whole_and_streamed(made, f"json_only.members/{seed}")


def bad_formats(seed: int, trials: int) -> list[Probe]:
    """Probes with a response format that is malformed, or that nothing can fit."""
    kinds = list(PROMPTS["bad_formats"])
    return [_bad_probe(_slot("bad", seed, kinds[at % len(kinds)], at)) for at in range(trials)]


def _slot(what: str, seed: int, family: str, at: int) -> JsonVariation:
    series = f"json_only.{what}"
    return JsonVariation(
        f"{series}/{seed}", family, at, at + Random(f"{series}/{seed}").randrange(180)
    )


def _valued(probe: Probe, value: Any, labels: Mapping[str, str]) -> Probe:
    """A probe whose values are known, and compared by another check than its form."""
    known = {**probe.expect, "value": value}
    return replace(probe, expect=known, labels=labels, shared=probe.id)


def _labels(draft: ProbeContent) -> Mapping[str, str]:
    """A value that is easily damaged is counted by its kind."""
    return {"value": draft.delicate or "usual"}


def _probe(
    slot: JsonVariation, said: list[str], schema: Mapping[str, Any], wanted: Mapping[str, Any]
) -> Probe:
    series = slot.series.partition("/")[0]
    return Probe(
        f"{series}.{slot.family}.{slot.number + 1:03}@v1",
        [{"role": "user", "content": "\n".join(said)}],
        {"schema": schema},
        {"response_format": wanted},
        budget=FORMAT_BUDGETS.get(slot.family, 512),
        small_budget=SMALL_BUDGETS.get(slot.family, SMALL_BUDGET),
        family=slot.family,
    )


def _strictly(schema: Mapping[str, Any], *, strict: bool = True) -> dict[str, Any]:
    return {
        "type": "json_schema",
        "json_schema": {"name": "record", "strict": strict, "schema": schema},
    }


def _object_probe(slot: JsonVariation) -> Probe:
    draft = flat(slot)
    said = [slot.choice("tasks"), *in_words(draft.schema, slot.words), *draft.stated_facts]
    # The mode promises an object; that the members asked for are there is the least of sense.
    schema = {"type": "object", "required": draft.schema["required"]}
    return _valued(_probe(slot, said, schema, {"type": "json_object"}), draft.value, _labels(draft))


def _schema_probe(slot: JsonVariation) -> Probe:
    if slot.family == "T1":
        draft = nested(slot) if slot.number % 2 else flat(slot)
        said = [slot.choice("records"), *draft.stated_facts]
        sent = with_definitions(draft.schema) if slot.number % 4 == 1 else draft.schema
        made = _probe(slot, said, draft.schema, _strictly(sent))
        return _valued(made, draft.value, _labels(draft))
    kinds = PROMPTS["tier2"]
    kind = kinds[slot.number // T2_EVERY % len(kinds)]  # By turns: what is drawn may be left out.
    value = {"reference": _code(slot), **kind["value"]}
    said = [slot.choice("records"), *facts(value, slot.words)]
    return _valued(
        _probe(slot, said, kind["schema"], _strictly(kind["schema"])), value, {"value": "usual"}
    )


def _rich_probe(slot: JsonVariation) -> Probe:
    kind = PROMPTS["members"][slot.family]
    value = {"reference": _code(slot), **_drawn(slot, kind["value"])}
    said = [slot.choice("records"), *facts(value, slot.words)]
    made = _probe(slot, said, kind["schema"], _strictly(kind["schema"], strict=kind["strict"]))
    return replace(made, expect={**made.expect, "value": value})


def _drawn(slot: JsonVariation, template: Any) -> Any:
    """The values of a template, with its codes drawn."""
    if isinstance(template, Mapping):
        return {key: _drawn(slot, of) for key, of in template.items()}
    if isinstance(template, list):
        return [_drawn(slot, of) for of in template]
    return _code(slot) if template == "{code}" else template


def _code(slot: JsonVariation) -> str:
    return f"R{slot.random.randrange(10**6):06}"


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
