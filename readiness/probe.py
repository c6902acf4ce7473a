"""A probe: what to send, what a check needs to score the reply, and the probe's variants."""

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

# A rough estimate, printed as such: tokenizers differ by a factor of two.
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
    """The estimated tokens of a text."""
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
        messages: The conversation, as in the request body.
        expect: What the check's scorer compares the reply with.
        parameters: The request's other parameters, as in `{"stream": True}`; a value may be a
            `FieldRule` or a `SamplingValue`, which the endpoint's dialect resolves.
        budget: Maximum tokens of visible text in the reply.
        family: The kind of probe; a plan takes its trials evenly from all families.
        labels: Further slices that the record counts it in, as in `{"distance": "6-10"}`.
        cluster: The document or conversation that the probe shares with others; "" for none.
        control: Whether the probe is a trivially easy control, which is not counted as a trial.
        tokens: The estimated tokens of its requests, where `messages` does not show them.
        fewer: The same estimate in a run that shows defects only; 0 where it is no different.
        shared: The key of the requests that are sent once for several probes; "" for none.
        in_flight: The number of requests to be in flight along with it; 0 where any will do.
        needs: Features that its form depends on, besides those that the check needs.
        adds: The estimated tokens that its form adds to the request.
        plain: The same probe in the plain form; None where it has that form.
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
        """The slices in which the record counts the probe: its family and labels."""
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


#: The labels that name a probe's variant: how its reply is sent, and its system message.
REPLY, SYSTEM = "reply", "system message"
STREAM = {"stream": True}


def streaming(probes: Sequence[Probe], key: str) -> list[Probe]:
    """Stream the reply of every other probe, balanced over the families and other slices."""
    return [_replied(probe, on) for probe, on in _spread(probes, f"{key}/{REPLY}", every=2)]


def instructed(probes: Sequence[Probe], key: str, texts: Sequence[str], every: int) -> list[Probe]:
    """Put a system message before one probe in every `every`; the texts alternate."""
    turns = cycle(texts)
    return [
        _with_system_message(probe, next(turns) if on else "")
        for probe, on in _spread(probes, f"{key}/{SYSTEM}", every)
    ]


def reply(streamed: bool) -> Mapping[str, str]:
    """The label of a probe by whether its reply is streamed."""
    return {REPLY: "streamed" if streamed else "whole"}


def alike(probe: Probe, other: Probe) -> Probe:
    """A probe in the same variant as another; its id names the variant."""
    system = [each for each in other.messages[:1] if each["role"] == "system"]
    variant = ".".join([other.labels[REPLY], *["system"] * len(system)])
    return replace(
        probe,
        id=probe.id.replace("@", f".{variant}@"),
        messages=[*system, *probe.messages],
        parameters=other.parameters,
    )


def _spread(probes: Sequence[Probe], key: str, every: int) -> Iterator[tuple[Probe, bool]]:
    """Each probe, and whether it is one in every `every`: balanced over every slice.

    Choosing by the parity of the index could coincide with a family. Probes that share requests
    share their variant as well; the choice for the first n probes does not depend on the rest.
    """
    random = Random(key)
    seen: Counter[tuple[str, str]] = Counter()
    taken: Counter[tuple[str, str]] = Counter()
    shared: dict[str, bool] = {}
    for probe in probes:
        slices = [("", ""), *probe.slices.items()]
        # Positive where one more is due; rare slices weigh most, for they have few chances.
        due = sum(
            Fraction(2 * (seen[each] + 1) - every * (2 * taken[each] + 1), seen[each] + 1)
            for each in slices
        )
        on = due > 0 or (due == 0 and random.randrange(every) == 0)
        on = shared.setdefault(probe.shared, on) if probe.shared else on
        seen.update(slices)
        taken.update(slices if on else ())
        yield probe, on


def _replied(probe: Probe, streamed: bool) -> Probe:
    parameters = {**probe.parameters, **(STREAM if streamed else {})}
    return replace(probe, parameters=parameters, labels={**probe.labels, **reply(streamed)})


def _with_system_message(probe: Probe, text: str) -> Probe:
    labels = {**probe.labels, SYSTEM: "neutral" if text else "none"}
    system = [{"role": "system", "content": text}] if text else []
    return replace(probe, messages=[*system, *probe.messages], labels=labels)
