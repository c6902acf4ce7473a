"""Probes of the dimension `stability`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from readiness.probe import Probe
from readiness.resources import prompts

PROMPTS: Any = prompts("stability.yaml")
#: The lines of notes in a prompt whose prefill takes a while: about 8,000 tokens.
NOTES, SMALL_NOTES = 400, 10
#: The sessions of one user: requests, and seconds of idleness half-way. They are no round number,
#: because a server may close an idle connection at the moment when it is used again.
SESSIONS: Mapping[str, Mapping[str, float]] = {
    "busy": {"requests": 40, "idle": 1.7},
    "idle": {"requests": 4, "idle": 361.7},
}


def notes(random: Random, small: bool) -> str:
    """Notes that make prefill take a while."""
    return "".join(
        PROMPTS["note"].format(day=day, hall=random.randrange(40), value=random.randrange(9_999))
        for day in range(SMALL_NOTES if small else NOTES)
    )


def single(name: str, tokens: int = 500, **expect: Any) -> Callable[[int, int], Sequence[Probe]]:
    """Return a generator of trials that differ in nothing but their seed."""
    return lambda seed, trials: [
        Probe(f"stability.{name}.{at}@v1", [], {**expect, "seed": f"{seed}/{at}"}, tokens=tokens)
        for at in range(trials)
    ]


def over_values(
    name: str, values: Sequence[Any], key: str
) -> Callable[[int, int], Sequence[Probe]]:
    """Return a generator of trials that take one value each, in turn."""
    return lambda seed, trials: [
        Probe(
            f"stability.{name}.{at}@v1",
            [],
            {key: values[at % len(values)]},
            labels={key: str(values[at % len(values)])},
            tokens=500,
        )
        for at in range(trials)
    ]
