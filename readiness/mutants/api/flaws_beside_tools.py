"""Flaws of limits and stop sequences that show only where tools are offered."""

from __future__ import annotations

from collections.abc import Callable

from readiness.mutants.api.requests import JSON, LIMITS
from readiness.mutants.endpoint.answer import Request, RequestError, SubstituteResponse
from readiness.mutants.endpoint.request_form import (
    Where,
    all_of,
    beside_tools,
    old_limit,
    streamed,
    unstreamed,
)
from readiness.mutants.flaw import Body, Flaw

_LIMIT = "api.limit_honoured_beside_tools"
_STOP = "api.stop_honoured_beside_tools"


def _ignoring(where: Where, *names: str) -> Callable[[Request], Request]:
    """Parameters are lost where a request offers tools and has that form."""
    asked = all_of(beside_tools, where)
    return lambda request: (
        {key: request[key] for key in request if key not in names} if asked(request) else request
    )


def _free_choice(request: Request) -> bool:
    """Whether the model is free to call a tool or not."""
    return request.get("tool_choice") in (None, "auto")


def _in_one_piece(made: list[Body]) -> list[Body]:
    """A text comes in one chunk, as from a server that looks for calls in it first."""
    texts = [each for each in made for c in each["choices"] if c["delta"].get("content")]
    if len(texts) < 2:
        return made
    text = "".join(each["choices"][0]["delta"]["content"] for each in texts)
    first = {**texts[0]["choices"][0], "delta": {"content": text}}
    joined = {**texts[0], "choices": [first]}
    later = {id(each) for each in texts[1:]}  # Two pieces may be equal.
    return [joined if each is texts[0] else each for each in made if id(each) not in later]


def _declined(request: Request, _turn: int) -> SubstituteResponse | None:
    if not (beside_tools(request) and request.get("stop")):
        return None
    told = RequestError("'stop' is not supported with tools", "stop")
    return SubstituteResponse(400, told.body, JSON)


FLAWS = [
    Flaw(
        "api_tools_limit_ignored",
        "where the model may call a tool, token limits are ignored",
        _LIMIT,
        change_request=_ignoring(_free_choice, *LIMITS),
    ),
    Flaw(
        "api_tools_limit_ignored_streamed",
        "in streams beside tools, token limits are ignored",
        _LIMIT,
        change_request=_ignoring(streamed, *LIMITS),
    ),
    Flaw(
        "api_tools_old_limit_ignored",
        "beside tools, max_tokens is ignored",
        _LIMIT,
        change_request=_ignoring(old_limit, "max_tokens"),
    ),
    Flaw(
        "api_tools_stop_ignored",
        "beside tools, stop sequences are ignored",
        _STOP,
        change_request=_ignoring(beside_tools, "stop"),
    ),
    Flaw(
        "api_tools_stop_ignored_whole",
        "in whole replies beside tools, stop sequences are ignored",
        _STOP,
        change_request=_ignoring(unstreamed, "stop"),
    ),
    Flaw(
        "api_tools_text_in_one_piece",
        "beside tools, a text comes in one chunk, once it is known to hold no call",
        change_chunks=lambda request, made: _in_one_piece(made) if beside_tools(request) else made,
    ),
    Flaw("api_tools_stop_declined", "beside tools, stop is declined", intercept=_declined),
]
