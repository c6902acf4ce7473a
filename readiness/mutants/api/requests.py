"""Changes of some requests, and of the responses to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
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
from readiness.mutants.endpoint.request_form import (
    Where,
    all_of,
    limited_to,
    streamed,
    unstreamed,
)
from readiness.mutants.endpoint.response import chunks as chunks_of
from readiness.mutants.endpoint.response import encode, frames, whole
from readiness.mutants.flaw import Body

LIMITS = ("max_completion_tokens", "max_tokens")
JSON = {"Content-Type": "application/json"}
CRASH = SubstituteResponse(
    500, b'{"error": {"message": "internal error", "type": "server_error"}}', JSON
)
#: A reply of a few words.
BRIEF = limited_to(16)
BRIEF_WHOLE, BRIEF_STREAM = all_of(unstreamed, BRIEF), all_of(streamed, BRIEF)
#: The other dimensions with such replies.
BRIEF_ELSEWHERE = ("load", "long_context", "stability")
#: All dimensions that send requests to the model.
EVERYWHERE = (
    *("json_only", "load", "long_context", "memory", "multilingual", "refusal", "spanish"),
    *("stability", "tool_calling"),
)

Asks = Callable[[Request], Request]
Says = Callable[[Request, ModelOutput, int], ModelOutput]
Forms = Callable[[Request, Body], Body]
Chunks = Callable[[Request, list[Body]], list[Body]]
Frames = Callable[[Request, list[bytes]], Sequence[bytes | float]]
Refuses = Callable[[Request, int], SubstituteResponse | None]
Errs = Callable[[Request | None, SubstituteResponse], SubstituteResponse]


def valid(request: Request) -> bool:
    """Whether the messages of a request are as they may be."""
    try:
        check_messages(request.get("messages"))
    except RequestError:
        return False
    return True


def asked(where: Where, change: Asks) -> Asks:
    """Change some requests, which may be invalid ones."""
    return lambda request: change(request) if where(request) else request


def without(*keys: str) -> Asks:
    """Ignore parameters of a request."""
    return lambda request: {key: request[key] for key in request if key not in keys}


def said(where: Where, change: Callable[[ModelOutput], ModelOutput]) -> Says:
    """Change the output for some requests."""
    return lambda request, answer, _turn: change(answer) if where(request) else answer


def text(where: Where, change: Callable[[str], str]) -> Says:
    """Change the text of the output for some requests."""
    return said(where, lambda answer: replace(answer, content=change(answer.content or "")))


def formed(where: Where, change: Callable[[Body], Body]) -> Forms:
    """Change the body of some replies that are not streamed."""
    return lambda request, body: change(body) if where(request) else body


def chunked(where: Where, change: Callable[[list[Body]], list[Body]]) -> Chunks:
    """Change the chunks of some streams."""
    return lambda request, made: change(made) if where(request) else made


def framed(where: Where, change: Callable[[list[bytes]], Sequence[bytes | float]]) -> Frames:
    """Change the frames of some streams."""
    return lambda request, made: change(made) if where(request) else made


def instead(where: Where, make: Callable[[Request], SubstituteResponse]) -> Refuses:
    """Send another response to some requests."""
    return lambda request, _turn: make(request) if where(request) else None


def listed_later(change: Callable[[Body], Body]) -> Callable[[Body], Body]:
    """A model list that is correct only the first time, which is when a run connects."""
    times = count()
    return lambda body: change(body) if next(times) else body


def crashes(when: Where) -> Refuses:
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


def limits_at_most(most: int, where: Where = lambda _request: True) -> Asks:
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
