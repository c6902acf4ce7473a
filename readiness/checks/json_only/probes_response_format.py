"""Probes that ask for JSON by response_format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from readiness.checks.json_only.probe_families import flat, nested
from readiness.checks.json_only.prompt_wording import facts, in_words
from readiness.checks.json_only.variation import PROMPTS, Slot
from readiness.probe import Probe

#: A poem in a field takes more room than a record, and a nested record more than a flat one.
BUDGETS = {"poem": 2048, "T1": 1024}


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


def _slot(what: str, seed: int, family: str, at: int) -> Slot:
    series = f"json_only.{what}"
    return Slot(f"{series}/{seed}", family, at, at + Random(f"{series}/{seed}").randrange(180))


def _probe(
    slot: Slot, said: list[str], schema: Mapping[str, Any], wanted: Mapping[str, Any]
) -> Probe:
    series = slot.series.partition("/")[0]
    return Probe(
        f"{series}.{slot.family}.{slot.number + 1:03}@v1",
        [{"role": "user", "content": "\n".join(said)}],
        {"schema": schema},
        {"response_format": wanted, **({"stream": True} if slot.streamed else {})},
        budget=BUDGETS.get(slot.family, 512),
        family=slot.family,
    )


def _strictly(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "json_schema",
        "json_schema": {"name": "record", "strict": True, "schema": schema},
    }


def _object_probe(slot: Slot) -> Probe:
    draft = flat(slot)
    said = [slot.choice("tasks"), *in_words(draft.schema, slot.words), *draft.told]
    # The mode promises an object; that the members asked for are there is the least of sense.
    schema = {"type": "object", "required": draft.schema["required"]}
    return _probe(slot, said, schema, {"type": "json_object"})


def _schema_probe(slot: Slot) -> Probe:
    if slot.family == "T1":
        draft = nested(slot) if slot.number % 2 else flat(slot)
        said = [slot.choice("records"), *draft.told]
        return _probe(slot, said, draft.schema, _strictly(draft.schema))
    kind = slot.random.choice(PROMPTS["tier2"])
    value = {"reference": f"R{slot.random.randrange(10**6):06}", **kind["value"]}
    said = [slot.choice("records"), *facts(value, slot.words)]
    return _probe(slot, said, kind["schema"], _strictly(kind["schema"]))


def _poem_probe(slot: Slot) -> Probe:
    words, data = slot.languages
    city = slot.random.choice(PROMPTS["texts"][data]["cities"])
    schema = flat(slot).schema
    return _probe(slot, [PROMPTS["poems"][words].format(city=city)], schema, _strictly(schema))


def _bad_probe(slot: Slot) -> Probe:
    draft = flat(slot)
    said = [slot.choice("tasks"), *draft.told]
    wanted = {"response_format": PROMPTS["bad_formats"][slot.family]}
    return replace(_probe(slot, said, draft.schema, {}), parameters=wanted)
