"""A probe: what to send, what a check needs to score the reply, and the forms it is sent in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from itertools import cycle
from random import Random
from typing import Any, NamedTuple

Message = Mapping[str, Any]

# Rough, and printed as such: between the tokenizers of today a factor of two is usual.
CHARACTERS_PER_TOKEN = 4.0
_WIDE = re.compile(r"[⺀-鿿가-힯＀-￯]")


class FieldRule(StrEnum):
    """How a field of the request comes about, where a probe does not say its value."""

    OMIT = "left out"
    BUDGET = "the most tokens that the reply may take"


OMIT, BUDGET = FieldRule.OMIT, FieldRule.BUDGET


class SamplingValue(NamedTuple):
    """The value of a sampling parameter; it is left out where the endpoint is sent none at all."""

    value: float


def tokens_of(text: str) -> int:
    """About how many tokens a text has."""
    wide = len(_WIDE.findall(text))
    return int(wide + (len(text) - wide) / CHARACTERS_PER_TOKEN)


def with_parameters(
    body: Mapping[str, Any], parameters: Mapping[str, Any], budget: int
) -> dict[str, Any]:
    """A request with what a probe sends besides messages, in place of what is usual."""
    sampled = "temperature" in body
    made = {**body, **parameters}
    for name, value in parameters.items():
        if value is OMIT or (isinstance(value, SamplingValue) and not sampled):
            del made[name]
        elif value is BUDGET:
            made[name] = budget
        elif isinstance(value, SamplingValue):
            made[name] = value.value
    return made


@dataclass(frozen=True)
class Probe:
    """What to send, and what a check needs to score the reply.

    Args:
        id: Stable across versions and unique within a check, as in `json.F3.017@v1`.
        messages: The conversation, in the wire's own form.
        expect: What the check's scorer compares the reply with.
        parameters: What the request holds besides messages, as in `{"stream": True}`; a field may
            be a `FieldRule` or a `SamplingValue`, which the endpoint's dialect settles.
        budget: Most tokens of visible text that the reply may take.
        family: The kind of probe; a plan takes its trials from all families evenly.
        labels: What else the record counts it under, as in `{"distance": "6-10"}`.
        cluster: What the probe shares with others, such as a document; "" where nothing.
        control: Whether the probe is trivially easy, and guards the check instead of counting.
        tokens: About how many tokens its requests have, where they are not made of `messages`.
        fewer: The same where the run can show defects only; 0 where it makes no difference.
        shared: What its requests are called that are sent once for several probes; "" for none.
        in_flight: How many requests are to be in flight along with it; 0 where it does not matter.
        needs: Features that its form takes, beside those that the check needs.
        adds: About how many tokens its form adds to what it asks.
        plain: The same in the plain form; None where it is in that.
    """

    id: str
    messages: Sequence[Message]
    expect: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    budget: int = 512
    family: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    cluster: str = ""
    control: bool = False
    tokens: int = 0
    fewer: int = 0
    shared: str = ""
    in_flight: int = 0
    needs: frozenset[str] = frozenset()
    adds: int = 0
    plain: Probe | None = None

    @property
    def slices(self) -> Mapping[str, str]:
        """What the record counts the probe under, apart from its check."""
        return {"family": self.family, **self.labels} if self.family else self.labels

    def within(self, lacking: Iterable[str], window: int | None) -> Probe:
        """The probe, in the plain form where an endpoint lacks a feature or the room for its own.

        What a requirement does not need is no reason to fail it. The room is half of the window: a
        tokenizer may well see twice the tokens.
        """
        fits = window is None or 2 * self.adds <= window
        return (
            self if self.plain is None or (fits and self.needs.isdisjoint(lacking)) else self.plain
        )


#: What the record counts probes under by their manner.
REPLY, SYSTEM = "reply", "system message"
STREAM = {"stream": True}


def streaming(probes: Sequence[Probe], key: str) -> list[Probe]:
    """Have every other probe answered by a stream, of each family, language and so on alike."""
    return [_replied(probe, on) for probe, on in _spread(probes, f"{key}/{REPLY}", every=2)]


def instructed(probes: Sequence[Probe], key: str, said: Sequence[str], every: int) -> list[Probe]:
    """Put a system message before one probe in so many; what it says comes by turns."""
    turns = cycle(said)
    return [
        _told(probe, next(turns) if on else "")
        for probe, on in _spread(probes, f"{key}/{SYSTEM}", every)
    ]


def reply(streamed: bool) -> Mapping[str, str]:
    """What the record counts a probe under by how its reply comes."""
    return {REPLY: "streamed" if streamed else "whole"}


def alike(probe: Probe, other: Probe) -> Probe:
    """A probe in the manner of another; its id says in which."""
    system = [each for each in other.messages[:1] if each["role"] == "system"]
    manner = ".".join([other.labels[REPLY], *["system"] * len(system)])
    return replace(
        probe,
        id=probe.id.replace("@", f".{manner}@"),
        messages=[*system, *probe.messages],
        parameters=other.parameters,
    )


def _spread(probes: Sequence[Probe], key: str, every: int) -> Iterator[tuple[Probe, bool]]:
    """Each probe, and whether it is one of so many: whatever it is counted under has its share.

    By the parity of its number a probe might always meet the same family. Probes that share their
    requests share their manner as well; and those of a short run are the first of a long one.
    """
    random = Random(key)
    met: Counter[tuple[str, str]] = Counter()
    taken: Counter[tuple[str, str]] = Counter()
    shared: dict[str, bool] = {}
    for probe in probes:
        slices = [("", ""), *probe.slices.items()]
        # Above 0 where one more is due; what is rare has the first say, for it has few chances.
        due = sum(
            Fraction(2 * (met[each] + 1) - every * (2 * taken[each] + 1), met[each] + 1)
            for each in slices
        )
        on = due > 0 or (due == 0 and random.randrange(every) == 0)
        on = shared.setdefault(probe.shared, on) if probe.shared else on
        met.update(slices)
        taken.update(slices if on else ())
        yield probe, on


def _replied(probe: Probe, streamed: bool) -> Probe:
    parameters = {**probe.parameters, **(STREAM if streamed else {})}
    return replace(probe, parameters=parameters, labels={**probe.labels, **reply(streamed)})


def _told(probe: Probe, said: str) -> Probe:
    labels = {**probe.labels, SYSTEM: "neutral" if said else "none"}
    system = [{"role": "system", "content": said}] if said else []
    return replace(probe, messages=[*system, *probe.messages], labels=labels)
