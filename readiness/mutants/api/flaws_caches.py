"""Caches of replies whose key leaves out a part of the messages, or how a reply is sampled."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from readiness.mutants.api.requests import JSON
from readiness.mutants.endpoint.answer import ModelOutput, Request, SubstituteResponse
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.model import complete
from readiness.mutants.endpoint.response import chunks, encode, frames, whole
from readiness.mutants.flaw import Flaw
from readiness.verdict.claim import Verdict

Message = Mapping[str, Any]
#: What a cache takes for the messages of a request; None where it does not look at them.
Key = Callable[[Sequence[Message]], Any]

_CHANGED, _SAMPLED = "api.message_change_honoured", "api.sampling_change_honoured"
_STREAM = {"Content-Type": "text/event-stream"}
_DIGITS = re.compile(r"\d+")
_LONG = 2_000
_SAMPLING = ("temperature", "seed", "top_p")
#: How many characters two prompts must have in common at their beginning.
_PREFIX = 9_000


def cached(key: Key, *ignored: str) -> Callable[[Request, int], SubstituteResponse | None]:
    """A cache of replies by what the key makes of their messages, and by the other parameters."""
    kept: dict[str, Request] = {}

    def answered(request: Request, _turn: int) -> SubstituteResponse | None:
        found = key(request["messages"])
        if found is None:
            return None
        others = {name: of for name, of in request.items() if name not in ("messages", *ignored)}
        name = json.dumps([found, others], sort_keys=True, default=repr)
        first = kept.setdefault(name, request)
        if first is request:
            return None
        done = complete({**first, **others})
        if request.get("stream"):
            return SubstituteResponse(200, b"".join(frames(chunks(done))), _STREAM)
        return SubstituteResponse(200, encode(whole(done)), JSON)

    return answered


def _texts(messages: Sequence[Message]) -> list[str]:
    return [f"{each['role']}: {text_of(each)}" for each in messages]


def _without_digits(messages: Sequence[Message]) -> Any:
    return [_DIGITS.sub("", text) for text in _texts(messages)]


def _long_without_digits(messages: Sequence[Message]) -> Any:
    """Long texts that differ in figures alone resemble each other closely."""
    texts = _texts(messages)
    return _without_digits(messages) if sum(map(len, texts)) > _LONG else texts


def _head(messages: Sequence[Message]) -> Any:
    return "\n".join(_texts(messages))[:_LONG]


def _without_system(messages: Sequence[Message]) -> Any:
    return [each for each in messages if each["role"] != "system"]


def _without_last_turn(messages: Sequence[Message]) -> Any:
    """All that stands before the last message, where that is much."""
    before = _texts(messages[:-1])
    return before if sum(map(len, before)) > _LONG else _texts(messages)


def _without_earlier_turns(messages: Sequence[Message]) -> Any:
    """The system message and the last one, as of a question that stands for itself."""
    return [*(each for each in messages[:-1] if each["role"] == "system"), messages[-1]]


def _all(messages: Sequence[Message]) -> Any:
    return messages


def _one_space(messages: Sequence[Message]) -> Any:
    return [" ".join(text.split()) for text in _texts(messages)]


def _prefixes_known(change: Callable[[str], str]) -> dict[str, Any]:
    """Change the reply to a prompt that begins as an earlier one, which is kept in a cache."""
    kept: set[str] = set()

    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        text = "\n".join(_texts(request["messages"]))
        known = text[:_PREFIX] in kept
        if len(text) > _PREFIX:
            kept.add(text[:_PREFIX])
        return replace(said, content=change(said.content)) if known and said.content else said

    return {"change_output": says}


FLAWS = [
    Flaw(
        "api_prefix_garbled",
        "what is kept of the beginning of a long prompt is damaged when it is used again",
        _CHANGED,
        **_prefixes_known(lambda _text: "!" * 20),
        expected_verdict=Verdict.INCONCLUSIVE,
    ),
    Flaw(
        "api_prefix_spaced",
        "where it is used again, a reply may begin with a space",
        **_prefixes_known(lambda text: f" {text}"),
    ),
    Flaw(
        "api_cache_without_digits",
        "a cache does not tell figures apart",
        _CHANGED,
        intercept=cached(_without_digits),
    ),
    Flaw(
        "api_cache_without_digits_when_long",
        "a cache does not tell figures apart in long prompts",
        _CHANGED,
        intercept=cached(_long_without_digits),
    ),
    Flaw(
        "api_cache_of_heads",
        "a cache knows the first 2,000 characters of a prompt",
        _CHANGED,
        elsewhere=("memory", "tool_calling"),
        intercept=cached(_head),
    ),
    Flaw(
        "api_cache_without_system",
        "a cache does not tell system messages apart",
        _CHANGED,
        intercept=cached(_without_system),
    ),
    Flaw(
        "api_cache_without_last_turn",
        "a cache knows what stands before the last message of long conversations",
        _CHANGED,
        elsewhere=("memory",),
        intercept=cached(_without_last_turn),
    ),
    Flaw(
        "api_cache_without_earlier_turns",
        "a cache knows the system message and the last one",
        _CHANGED,
        elsewhere=("memory",),
        intercept=cached(_without_earlier_turns),
    ),
    Flaw(
        "api_cache_without_sampling",
        "a cache does not tell temperatures and seeds apart",
        _SAMPLED,
        intercept=cached(_all, *_SAMPLING),
    ),
    Flaw(
        "api_cache_without_seed",
        "a cache takes every sampled reply for the same",
        _SAMPLED,
        intercept=cached(_all, "seed"),
    ),
    Flaw(
        "api_cache_of_words",
        "a cache may leave out how many spaces stand between words",
        intercept=cached(_one_space),
    ),
    Flaw(
        "api_cache_without_user",
        "a cache may leave out who asks",
        intercept=cached(_all, "user", "metadata"),
    ),
]
