"""Harmless variants that take fewer kinds of requests than OpenAI does, and say so."""

from __future__ import annotations

import json
from collections.abc import Callable

from readiness.mutants.endpoint.answer import Request, RequestError, SubstituteResponse
from readiness.mutants.endpoint.request_form import (
    Where,
    all_of,
    beside_tools,
    from_developer,
    may_stop,
    several_choices,
    streamed,
    with_logprobs,
)
from readiness.mutants.flaw import Body, Flaw

_JSON = {"Content-Type": "application/json"}
#: What OpenAI alone knows.
_NOTES = ("user", "metadata", "store", "service_tier", "parallel_tool_calls")

Intercept = Callable[[Request, int], SubstituteResponse | None]


def _declines(where: Where, status: int, body: bytes) -> Intercept:
    due = SubstituteResponse(status, body, _JSON)
    return lambda request, _turn: due if where(request) else None


def _says(message: str, param: str, where: Where) -> Intercept:
    return _declines(where, 400, RequestError(message, param).body)


def _unknown(request: Request, _turn: int) -> SubstituteResponse | None:
    """As FastAPI does: each field that its model lacks is an error."""
    extra = [name for name in _NOTES if name in request]
    detail: list[Body] = [
        {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"}
        for name in extra
    ]
    body = json.dumps({"object": "error", "message": {"detail": detail}}).encode()
    return SubstituteResponse(422, body, _JSON) if extra else None


_RAISED = {
    "code": 500,
    "message": "Jinja Exception: Unexpected message role.",
    "type": "server_error",
}

FLAWS = [
    Flaw(
        "declines_stop",
        "stop sequences may be declined, as by OpenAI's reasoning models",
        intercept=_says("'stop' is not supported with this model", "stop", may_stop),
    ),
    Flaw(
        "declines_logprobs",
        "and so may logprobs",
        intercept=_says("'logprobs' is not enabled for this model", "logprobs", with_logprobs),
    ),
    Flaw(
        "declines_logprobs_beside_tools",
        "or logprobs in a stream beside tools alone, as by llama.cpp",
        intercept=_says(
            "logprobs is not supported with tools + stream",
            "logprobs",
            all_of(with_logprobs, streamed, beside_tools),
        ),
    ),
    Flaw(
        "declines_two_choices",
        "a greedy reply may come once only, as from vLLM",
        intercept=_declines(
            all_of(several_choices, lambda request: request.get("temperature") == 0),
            400,
            b'{"object": "error", "message": "n must be 1 in greedy sampling", "code": 400}',
        ),
    ),
    Flaw("declines_notes", "what one API alone knows may be declined", intercept=_unknown),
    Flaw(
        "declines_developer",
        "templates may know no developer",
        intercept=_declines(
            from_developer, 400, RequestError("unexpected message", "messages").body
        ),
    ),
    Flaw(
        "declines_developer_by_500",
        "and say so by an exception, as in llama.cpp",
        intercept=_declines(from_developer, 500, json.dumps({"error": _RAISED}).encode()),
    ),
]
