"""Probes that ask for JSON and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from random import Random

from readiness.checks.json_only.probe_families import FAMILIES, Draft
from readiness.checks.json_only.prompt_wording import in_words, shown
from readiness.checks.json_only.variation import PROMPTS, Slot
from readiness.probe import Message, Probe, reply

PHRASINGS = ("chinese", "english", "schema", "typescript", "example")
#: How many of a hundred probes each family has.
TOLD = {"F1": 12, "F2": 15, "F3": 15, "F4": 13, "F5": 10}
TOLD |= {"F6": 5, "F7": 15, "F8": 5, "F9": 5, "F10": 5}
#: The same, where the values are what counts: F1 states none.
STATED = {"F2": 15, "F3": 20, "F4": 20, "F5": 15, "F6": 10, "F8": 5, "F10": 15}
#: Four times what a terse reply takes, so that one with much indentation ends by itself.
BUDGETS = {"F4": 1024, "F6": 4096, "F10": 1024}


def told(seed: int, trials: int) -> list[Probe]:
    """Probes that say in words that JSON is wanted, and three that are trivially easy."""
    return [*_probes("json_only", seed, _shares(TOLD, trials)), *_controls()]


def stated(seed: int, trials: int) -> list[Probe]:
    """Probes like those of `told`, though not the same, that state the values."""
    return _probes("json_only.values", seed, _shares(STATED, trials))


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


def _probes(series: str, seed: int, shares: Mapping[str, int]) -> list[Probe]:
    """The families' probes, mixed so that every part of the list has its share of each."""
    first = Random(f"{series}/{seed}").randrange(180)
    placed = []
    for family, share in shares.items():
        # A probe is the same whatever the number of trials: its turn counts in a hundred.
        for at in range(share):
            slot = Slot(f"{series}/{seed}", family, at, first + at)
            place = (at + Random(f"{series}/{seed}/{family}/place/{at}").random()) / share
            placed.append((place, _told_probe(series, slot)))
        first += TOLD[family]
    return [probe for _, probe in sorted(placed, key=lambda pair: pair[0])]


def _told_probe(series: str, slot: Slot) -> Probe:
    draft = FAMILIES[slot.family](slot)
    seed_words = draft.task == PROMPTS["seed"]["user"]
    phrasing = "chinese" if seed_words else PHRASINGS[slot.turn % len(PHRASINGS)]
    only = PROMPTS["only"][phrasing][slot.languages[0]]
    then = [{"say": say, "schema": draft.schema, "value": value} for say, value in draft.then]
    stated = {} if draft.value is None else {"value": draft.value}
    return Probe(
        f"{series}.{slot.family}.{slot.number + 1:03}@v1",
        [
            {"role": "system", "content": only + shown(phrasing, draft.schema)},
            {"role": "user", "content": _said(slot, draft, phrasing)},
        ],
        {"schema": draft.schema, "phrasing": phrasing, **stated, "then": then},
        {"stream": True} if slot.streamed else {},
        BUDGETS.get(slot.family, 512),
        slot.family,
        reply(slot.streamed),
    )


def _said(slot: Slot, draft: Draft, phrasing: str) -> str:
    """What the user says: a task, perhaps the shape in words, the data, and a remark."""
    in_prose = phrasing in ("chinese", "english") and bool(draft.told)
    shape = in_words(draft.schema, slot.words) if in_prose else []
    task = draft.task or slot.choice("tasks")
    return "\n".join([task, *shape, *draft.told, *draft.remarks])


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
