"""A probe: what to send, and what a check needs to score the reply."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

Message = Mapping[str, Any]

# A rough estimate, printed as such: tokenizers differ by a factor of two.
CHARACTERS_PER_TOKEN = 4.0
PER_MESSAGE = 4
_WIDE = re.compile(r"[⺀-鿿가-힯＀-￯]+")


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
    wide = 0 if text.isascii() else sum(map(len, _WIDE.findall(text)))
    return int(wide + (len(text) - wide) / CHARACTERS_PER_TOKEN)


def prompt_tokens(messages: Sequence[Message], tools: object = None) -> int:
    """The estimated tokens of a prompt: its texts, what else it has, and a few for each message."""
    texts = [text for each in messages for text in _texts(each)]
    return sum(map(tokens_of, texts)) + PER_MESSAGE * len(messages) + tokens_of(_json(tools))


def texts_of(messages: Sequence[Message]) -> list[str]:
    """What the user says, the longest text first."""
    said = [each["content"] for each in messages if each["role"] == "user"]
    parts = [part for each in said for part in (each if isinstance(each, list) else [each])]
    texts = [part["text"] if isinstance(part, dict) else part for part in parts]
    return sorted(texts, key=len, reverse=True)


def _texts(message: Message) -> Iterator[str]:
    content = message.get("content")
    for part in content if isinstance(content, list) else [content]:
        text = part.get("text") if isinstance(part, dict) else part
        yield text if isinstance(text, str) else _json(part)
    yield _json(message.get("tool_calls"))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=repr) if value else ""


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
        places: Where it stands on a scale, along which failures may gather, as in
            `{"turns back": 45}`.
        cluster: The document or conversation that the probe shares with others; "" for none.
        control: Whether the probe is a trivially easy control, which is not counted as a trial.
        tokens: The estimated tokens of its requests, where `messages` does not show them.
        fewer: The same estimate in a run that shows defects only; 0 where it is no different.
        small_budget: The budget in such a run, with room for twice a usual reply; 0 where it is
            no different.
        shared: The key of the requests that are sent once for several probes; "" for none.
        in_flight: The number of requests to be in flight along with it; 0 where any will do.
        needs: Features that its form depends on, besides those that the check needs.
        adds: The estimated tokens that its form adds to the request.
        plain: The same probe in a plainer form; None where there is none.
        fallback: The same probe without what an endpoint may decline; None where it has nothing.
    """

    id: str
    messages: Sequence[Message]
    expect: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    budget: int = 512
    family: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)
    cluster: str = ""
    control: bool = False
    tokens: int = 0
    fewer: int = 0
    small_budget: int = 0
    shared: str = ""
    in_flight: int = 0
    needs: frozenset[str] = frozenset()
    adds: int = 0
    plain: Probe | None = None
    fallback: Probe | None = None

    @property
    def slices(self) -> Mapping[str, str]:
        """The slices in which the record counts the probe: its family and labels."""
        return {"family": self.family, **self.labels} if self.family else self.labels

    def within(self, lacking: Iterable[str], window: int | None) -> Probe:
        """The probe, in a plainer form where an endpoint lacks a feature or the room for its own.

        What a requirement does not need is no reason to fail it. The room is half of the window: a
        tokenizer may well see twice the tokens.
        """
        fits = window is None or 2 * self.adds <= window
        if self.plain is None or (fits and self.needs.isdisjoint(lacking)):
            return self
        return replace(self.plain, shared=self.shared).within(lacking, window)
