"""Recognition of requests by their wording, and changes of the responses to them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from readiness.mutants.endpoint.answer import (
    ModelOutput,
    Request,
    RequestError,
    SubstituteResponse,
)
from readiness.mutants.endpoint.conversation import check_messages
from readiness.mutants.endpoint.model import complete
from readiness.mutants.endpoint.protocol import most_tokens
from readiness.mutants.endpoint.response import chunks as chunks_of
from readiness.mutants.endpoint.response import encode, frames, whole
from readiness.mutants.flaw import Body
from readiness.resources import prompts

LIMITS = ("max_completion_tokens", "max_tokens")
JSON = {"Content-Type": "application/json"}
CRASH = SubstituteResponse(
    500, b'{"error": {"message": "internal error", "type": "server_error"}}', JSON
)
_PROMPTS: Mapping[str, Any] = prompts("api.yaml")
_FILLER = _PROMPTS["filler"].strip()
#: What the places of a prompt are filled with: codes, and a sentence that comes again and again.
_FILLED = (
    (re.compile(r"\b[a-z]+-\d{3}\b|\{code\}|\{other\}"), "*"),
    (re.compile(rf"(?:{re.escape(_FILLER)} ?){{150,}}|\{{filler\}}"), "…"),
)

Asks = Callable[[Request], Request]
Says = Callable[[Request, ModelOutput, int], ModelOutput]
Forms = Callable[[Request, Body], Body]
Chunks = Callable[[Request, list[Body]], list[Body]]
Frames = Callable[[Request, list[bytes]], Sequence[bytes | float]]
Refuses = Callable[[Request, int], SubstituteResponse | None]
Errs = Callable[[Request | None, SubstituteResponse], SubstituteResponse]


def is_for(name: str, request: Request) -> bool:
    """Whether a request is one that this check sends."""
    return any(_words(request.get("messages"), turns) == words for words, turns in _known(name))


def asked(name: str, change: Asks) -> Asks:
    """Change the requests of a check."""
    return lambda request: change(request) if is_for(name, request) else request


def without(name: str, *keys: str) -> Asks:
    """Ignore parameters of the requests of a check."""
    return asked(name, lambda request: {key: request[key] for key in request if key not in keys})


def said(name: str, change: Callable[[ModelOutput], ModelOutput]) -> Says:
    """Change the output for the requests of a check."""
    return lambda request, answer, _turn: change(answer) if is_for(name, request) else answer


def text(name: str, change: Callable[[str], str]) -> Says:
    """Change the text of the output for the requests of a check."""
    return said(name, lambda answer: replace(answer, content=change(answer.content or "")))


def formed(name: str, change: Callable[[Body], Body]) -> Forms:
    """Change the body of replies that are not streamed."""
    return lambda request, body: change(body) if is_for(name, request) else body


def chunked(name: str, change: Callable[[list[Body]], list[Body]]) -> Chunks:
    """Change the chunks of streams for a check."""
    return lambda request, made: change(made) if is_for(name, request) else made


def framed(name: str, change: Callable[[list[bytes]], Sequence[bytes | float]]) -> Frames:
    """Change the frames of streams for a check."""
    return lambda request, made: change(made) if is_for(name, request) else made


def instead(name: str, make: Callable[[Request], SubstituteResponse | None]) -> Refuses:
    """Send another response to the requests of a check."""
    return lambda request, _turn: make(request) if is_for(name, request) else None


def crashes(when: Callable[[Request], bool]) -> Refuses:
    """Crash on some valid requests."""
    return lambda request, _turn: CRASH if when(request) else None


def relabelled(kind: str) -> Callable[[Request], SubstituteResponse]:
    """The correct reply with another Content-Type."""

    def make(request: Request) -> SubstituteResponse:
        done = complete(request)
        streamed = b"".join(frames(chunks_of(done)))
        body = streamed if request.get("stream") else encode(whole(done))
        return SubstituteResponse(200, body, {"Content-Type": kind})

    return make


def with_limits(change: Callable[[Request, int], int]) -> Asks:
    """Change the token limits of requests, which stay above 0."""

    def changed(request: Request) -> Request:
        try:
            check_messages(request.get("messages"))
        except RequestError:
            return request
        limits = {
            name: max(change(request, most), 1)
            for name in LIMITS
            if type(most := request.get(name)) is int and most > 0
        }
        return {**request, **limits}

    return changed


def limits_at_most(most: int, where: Callable[[Request], bool] = lambda _request: True) -> Asks:
    """Lower the token limits of some requests."""
    return with_limits(lambda request, limit: min(limit, most) if where(request) else limit)


def counts(change: Callable[[Request, Body], Body]) -> dict[str, Any]:
    """Hooks by which usage has other counts; the total stays their sum."""

    def changed(request: Request, found: Body) -> Body:
        if not found.get("usage"):
            return found
        usage = {**found["usage"], **change(request, found["usage"])}
        total = usage["prompt_tokens"] + usage["completion_tokens"]
        return {**found, "usage": {**usage, "total_tokens": total}}

    return in_both(changed)


def in_both(change: Callable[[Request, Body], Body]) -> dict[str, Any]:
    """Hooks by which whole replies and chunks are changed alike."""
    return {
        "change_body": change,
        "change_chunks": lambda request, found: [change(request, each) for each in found],
    }


def with_end(request: Request, tokens: int) -> int:
    """The completion tokens with that which ends a text: one that its limit cuts has none."""
    limit = most_tokens(request)
    return tokens if limit is not None and tokens >= limit else tokens + 1


def choice_of(body: Body, change: Callable[[Body], Body]) -> Body:
    """A body or chunk, each of its choices changed."""
    return {**body, "choices": [change(choice) for choice in body["choices"]]}


def each(change: Callable[[Body], Body]) -> Callable[[list[Body]], list[Body]]:
    """Change each chunk."""
    return lambda made: [change(chunk) for chunk in made]


@cache
def _known(name: str) -> Sequence[tuple[str, int]]:
    """The words that a check sends, and how many turns come between the first and the rest."""
    found = _PROMPTS[name]
    sent: list[Mapping[str, Any]] = [
        {"messages": each} if isinstance(each, list) else each
        for each in (found if isinstance(found, list) else [found])
    ]
    return [(_words(each.get("messages", [])), each.get("turns", 0)) for each in sent]


def _words(messages: Any, turns: int = 0) -> str:
    """The messages but for those turns, with whatever fills their places made the same."""
    if turns and isinstance(messages, list):
        messages = [*messages[:1], *messages[1 + 2 * turns :]]
    words = json.dumps(messages, ensure_ascii=False)
    for pattern, mark in _FILLED:
        words = pattern.sub(mark, words)
    return words
