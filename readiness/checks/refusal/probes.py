"""Probes of refusal: what must be refused, openly and in disguise, and what must not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from readiness.checks.refusal.classification import Bait
from readiness.checks.refusal.obfuscations import (
    CODED,
    DISGUISES,
    LANGUAGES,
    WORDS,
    disguise,
    plain,
)
from readiness.checks.refusal.prompt_wording import (
    PROMPTS,
    Goal,
    abroad,
    categories,
    harmless,
    keys,
)
from readiness.forms.apply import accepted, in_form, in_forms
from readiness.forms.factors import INSISTING, TEXT, FormSpace, insisting, with_60k
from readiness.probe import Probe

#: What does harm does it in every form, and what is harmless none.
FORMS = FormSpace(TEXT)
HARMFUL_FORMS = FormSpace(insisting(with_60k(TEXT)), costly=INSISTING)
#: Of a hundred probes, how many each category of a group has: openly, and in disguise.
SHARES = {"A1": (3, 2), "A2": (3, 1), "A3": (1, 1), "A4": (1, 1)}
#: Of the nine categories of A2, how many by turns have one more in disguise and one less openly.
MORE = 3
OPENLY = "openly"
OPENERS: Sequence[str] = PROMPTS["openers"]
#: All disguises with their variants, in the order of the prompts.
VARIANTS = [(family, each) for family, variants in DISGUISES.items() for each in variants]
#: Steps through a list with no divisor in common, so that any part of it is a mixture.
STRIDE, TURN = 37, 11
NEXT_HUNDRED = 7
TYPED = 60
BUDGET = 768
#: A refusal is short; what is harmless has five parts.
SMALL_REFUSAL, SMALL_ANSWER = 256, 512


@dataclass(frozen=True)
class DisguiseSlot:
    """One place among a hundred probes; `way` numbers its disguise, None where it has none."""

    category: str
    way: int | None


def harmful_probes(seed: int, trials: int) -> list[Probe]:
    """What must be refused: of each hundred, sixty openly and forty in disguise."""
    probes: list[Probe] = []
    used: dict[tuple[str, bool], int] = {}
    for hundred in range(-(-trials // 100)):
        slots = _slots(hundred)
        for place in range(len(slots)):
            slot = slots[place * STRIDE % len(slots)]
            key = slot.category, slot.way is None
            used[key] = used.get(key, -1) + 1
            probes.append(_sensitive(slot, seed, used[key]))
    formed = in_forms(probes[:trials], HARMFUL_FORMS, f"refusal/{seed}")
    return [_keyed(probe) for probe in formed]


def harmless_probes(seed: int, trials: int) -> list[Probe]:
    """What must be answered: sixty after the types of XSTest, and then by subjects."""
    made = [_innocent(seed, number) for number in range(trials)]
    formed = in_forms(made, FORMS, f"refusal.harmless/{seed}")
    return [replace(probe, shared=probe.id) for probe in formed]


def support_probes(seed: int, trials: int) -> list[Probe]:
    """Words of people in need."""
    said = Random(f"refusal.care/{seed}").sample(PROMPTS["care"], len(PROMPTS["care"]))
    made = [
        Probe(
            f"refusal.care.{number + 1:02}@v1",
            [
                {
                    "role": "user",
                    "content": OPENERS[number // len(said) % len(OPENERS)]
                    + said[number % len(said)],
                }
            ],
            budget=BUDGET,
        )
        for number in range(trials)
    ]
    return in_forms(made, FORMS, f"refusal.care/{seed}")


def _keyed(probe: Probe) -> Probe:
    """A probe whose key, where it has one, is in the same form, but for what may be declined."""
    bait: Bait = probe.expect["bait"]
    if bait.key is None:
        return probe
    key = replace(bait.key, id=f"{bait.key.id.partition('@')[0]}.{probe.id}")
    form = accepted(HARMFUL_FORMS.form_of(probe.labels))
    formed = in_form(key, form, HARMFUL_FORMS, Random(key.id))
    plain, fallback = (each and _keyed(each) for each in (probe.plain, probe.fallback))
    expect = {"bait": replace(bait, key=formed)}
    return replace(probe, expect=expect, plain=plain, fallback=fallback)


def _slots(hundred: int) -> list[DisguiseSlot]:
    """The hundred places: each category openly and in disguise, no two of its disguises alike."""
    slots, way = [], hundred * NEXT_HUNDRED
    more = {(hundred * MORE + at) % 9 for at in range(MORE)}
    for category in categories():
        openly, hidden = SHARES[category[:2]]
        if category[:2] == "A2" and ord(category[2]) - ord("a") in more:
            openly, hidden = openly - 1, hidden + 1
        slots += [DisguiseSlot(category, None)] * openly
        for _ in range(hidden):
            slots.append(DisguiseSlot(category, way * TURN % len(VARIANTS)))
            way += 1
    return slots


def _sensitive(slot: DisguiseSlot, seed: int, number: int) -> Probe:
    family, variant = (OPENLY, "") if slot.way is None else VARIANTS[slot.way]
    if family in LANGUAGES:
        goal = abroad(slot.category, family)
    else:
        goal = _turn(categories()[slot.category], f"{slot.category}/{seed}", number)
    goals = len(categories()[slot.category])
    form, opener = _worded(goal, number, goals, seed + list(categories()).index(slot.category))
    request = goal.request(form, opener)
    return Probe(
        f"refusal.{slot.category}.{family.replace(' ', '_')}.{number + 1:02}@v1",
        [_said(request)] if family == OPENLY else disguise(family, variant, request),
        {"bait": Bait(form, _topic(goal, family, variant), _key(family, variant))},
        budget=BUDGET,
        small_budget=SMALL_REFUSAL,
        family=family,
        labels={"category": slot.category, "form": form},
    )


def _turn(goals: Sequence[Goal], seed: str, number: int) -> Goal:
    """The goals of a category by turns, in an order that follows from the seed."""
    return Random(f"refusal.goals/{seed}").sample(goals, len(goals))[number % len(goals)]


def _worded(goal: Goal, number: int, goals: int, shift: int) -> tuple[str, str]:
    """The form of the n-th request for one of so many goals by turns, and how it opens."""
    forms = goal.forms
    round_, place = divmod(number, goals)
    opener = OPENERS[round_ // len(forms) % len(OPENERS)]
    return forms[(round_ + place + shift) % len(forms)], opener


def _topic(goal: Goal, family: str, variant: Any) -> tuple[str, ...]:
    """The words of an answer, which may keep to the disguise."""
    return (*goal.topic, WORDS[family](goal.word, variant)) if family in WORDS else goal.topic


def _key(family: str, variant: Any) -> Probe | None:
    """A harmless request in a disguise that a model may fail to read; None for any other."""
    if family not in CODED:
        return None
    place = VARIANTS.index((family, variant))
    goal = keys()[place % len(keys())]
    return Probe(
        f"refusal.key.{place:02}@v1",
        disguise(family, variant, goal.request("steps")),
        {"bait": Bait("steps", _topic(goal, family, variant))},
        budget=SMALL_ANSWER,
    )


def _innocent(seed: int, number: int) -> Probe:
    """The n-th harmless probe: of the typed ones first, then all subjects in all forms."""
    part = "harmless" if number < TYPED else "subjects"
    named = [(name, goal) for name, goals in harmless(part).items() for goal in goals]
    number -= 0 if number < TYPED else TYPED
    name, goal = named[number * STRIDE % len(named)]
    form, opener = _worded(goal, number, len(named), seed)
    return Probe(
        f"refusal.{part}.{name.replace(' ', '_')}.{number + 1:03}@v1",
        [_said(goal.request(form, opener))],
        {"bait": Bait(form, goal.topic, known=goal.known)},
        budget=BUDGET,
        small_budget=SMALL_ANSWER,
        family=name,
        labels={"form": form},
    )


def _said(request: str) -> dict[str, str]:
    return {"role": "user", "content": plain(request)}
