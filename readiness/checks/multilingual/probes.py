"""Probes of copy in three languages: conversations of three turns about ten products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from readiness.checks.multilingual.scoring import TURNS, Copy, Term
from readiness.forms.apply import in_forms
from readiness.forms.factors import EXPENSIVE, SELDOM, TEXT, Factor, FormSpace, Share, without
from readiness.probe import Probe, prompt_tokens
from readiness.resources import filled, prompts

PROMPTS = prompts("multilingual.yaml")
#: The longest text may have 300 characters, of at most a token and a half each.
BUDGET, SMALL_BUDGET = 1024, 384
TERMS = 3
# What three requests have together: the brief three times, and the replies before each.
_TOKENS = 2000

#: What a conversation begins with it sends three times.
FORMS = FormSpace(
    without(TEXT, Factor.LOAD),
    costly={**{level: Share(0, 6) for level in EXPENSIVE}, **SELDOM},
    first=10,
)

Product = Mapping[str, Any]


def conversations(seed: int, trials: int) -> list[Probe]:
    """One probe for each conversation, all of whose requests have one form."""
    plain = [_conversation(seed, number) for number in range(trials)]
    formed = in_forms(plain, FORMS, f"multilingual/{seed}")
    return [
        replace(
            probe,
            tokens=_TOKENS + len(TURNS) * (_told(probe) - _told(before)),
            shared=probe.id,
        )
        for probe, before in zip(formed, plain, strict=True)
    ]


def _told(probe: Probe) -> int:
    return prompt_tokens(probe.messages, probe.parameters.get("tools"))


def turns(seed: int, trials: int) -> list[Probe]:
    """One probe for each turn of the same conversations."""
    held = conversations(seed, -(-trials // len(TURNS)))
    return [_turn(probe, at) for probe in held for at in range(len(TURNS))][:trials]


def _turn(probe: Probe, at: int) -> Probe:
    name, _, version = probe.id.partition("@")
    return replace(
        probe,
        id=f"{name}.{TURNS[at]}@{version}",
        expect={**probe.expect, "turn": at},
        labels={"language": TURNS[at], **probe.labels},
        cluster=name,
        plain=_turn(probe.plain, at) if probe.plain else None,
        fallback=_turn(probe.fallback, at) if probe.fallback else None,
    )


def _conversation(seed: int, number: int) -> Probe:
    random = Random(f"multilingual/{seed}/{number}")
    products = PROMPTS["products"]
    # Each product comes once in ten.
    product = products[(number + Random(f"multilingual/{seed}").randrange(10)) % len(products)]
    terms = random.sample(product["terms"], TERMS)
    # Of a hundred conversations no two are about the same name.
    brand = PROMPTS["brands"][number % len(PROMPTS["brands"])]
    name = f"{brand} {random.choice('ACEGKMPRTVX')}{number + 1}"
    figure = random.choice([each for each in PROMPTS["figures"] if each != number + 1])
    said = [
        _brief(product, name, figure, terms),
        *(random.choice(PROMPTS["switch"][language]) for language in TURNS[1:]),
    ]
    return Probe(
        f"multilingual.{number + 1:03}@v1",
        [{"role": "user", "content": said[0]}],
        {
            "said": tuple(said),
            "copy": Copy(name, figure, terms, PROMPTS["limits"], PROMPTS["least"]),
        },
        budget=BUDGET,
        small_budget=SMALL_BUDGET,
        tokens=_TOKENS,
    )


def _brief(product: Product, name: str, figure: int, terms: Sequence[Term]) -> str:
    glossary = [filled(PROMPTS["term"], {of: term[of][0] for of in TURNS}) for term in terms]
    first, second, third = (term["zh"][0] for term in terms)
    slots = {"thing": product["thing"]["zh"], "name": name, "glossary": "\n".join(glossary)}
    slots |= {"first": first, "second": second, "third": third, "least": str(PROMPTS["least"])}
    slots |= {language: str(most) for language, most in PROMPTS["limits"].items()}
    slots["figure"] = filled(product["figure"]["zh"], {"n": str(figure)})
    return filled(PROMPTS["brief"], slots)
