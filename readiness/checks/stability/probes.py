"""Stability: what is sent to see whether an endpoint stays what it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from readiness.probe import Probe
from readiness.resources import prompts

PROMPTS: Any = prompts("stability.yaml")
#: How long a note list is that takes a while to read: about 8,000 tokens.
NOTES, SMALL_NOTES = 400, 10
#: A session, as one user has it: requests, and seconds of silence in the middle of them, which are
#: no round number: who closes an idle connection in the moment it is used again does no wrong.
SESSIONS: Mapping[str, Mapping[str, float]] = {
    "busy": {"requests": 40, "idle": 1.7},
    "idle": {"requests": 4, "idle": 361.7},
}


def notes(random: Random, small: bool) -> str:
    """Lines that take a while to be read."""
    return "".join(
        PROMPTS["note"].format(day=day, hall=random.randrange(40), value=random.randrange(9_999))
        for day in range(SMALL_NOTES if small else NOTES)
    )


def single(name: str, tokens: int = 500, **expect: Any) -> Callable[[int, int], Sequence[Probe]]:
    """Make the trials of a check whose requests follow from what it is."""
    return lambda seed, trials: [
        Probe(f"stability.{name}.{at}@v1", [], {**expect, "seed": f"{seed}/{at}"}, tokens=tokens)
        for at in range(trials)
    ]


def each(name: str, values: Sequence[Any], key: str) -> Callable[[int, int], Sequence[Probe]]:
    """Make trials that differ in one value."""
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
