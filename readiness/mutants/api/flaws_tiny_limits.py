"""Flaws of limits of one token or two, which health checks and classifiers send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from readiness.mutants.api.requests import JSON, LIMITS, crashes, framed, said, without
from readiness.mutants.endpoint.answer import (
    ModelOutput,
    Request,
    RequestError,
    SubstituteResponse,
)
from readiness.mutants.endpoint.protocol import most_tokens
from readiness.mutants.endpoint.request_form import (
    Where,
    all_of,
    limited_to,
    old_limit,
    streamed,
    unstreamed,
)
from readiness.mutants.flaw import Body, Flaw

_OLDER, _NEWER = "api.max_tokens_honoured", "api.max_completion_tokens_honoured"
_ONE, _TINY = limited_to(1), limited_to(2)


def _by_newer_name(request: Request) -> bool:
    return not old_limit(request)


def _ignored(where: Where) -> Callable[[Request], Request]:
    """Limits are not read, as by `if limit > 2`."""

    def changed(request: Request) -> Request:
        limits = [request[name] for name in LIMITS if type(request.get(name)) is int]
        return without(*LIMITS)(request) if limits and where(request) else request

    return changed


def _stops(where: Where) -> dict[str, Any]:
    """A cut reply ends with stop."""

    def stopped(body: Body) -> Body:
        choices = [
            {**each, "finish_reason": each["finish_reason"] and "stop"} for each in body["choices"]
        ]
        return {**body, "choices": choices}

    return {
        "change_body": lambda request, body: stopped(body) if where(request) else body,
        "change_chunks": lambda request, made: list(map(stopped, made)) if where(request) else made,
    }


def _silent(where: Where) -> dict[str, Any]:
    """The one token is taken for the end: nothing comes, and stop."""
    return {"change_output": said(where, lambda _of: ModelOutput("", finish="stop"))}


def _hangs_up(sent: list[bytes]) -> list[bytes | float]:
    """The connection ends behind the first frames."""
    return [*sent[:2], -1.0]


def _declined(request: Request, _turn: int) -> SubstituteResponse | None:
    """Some reasoning models say so where a limit leaves no room for an answer."""
    told = RequestError("Could not finish the message because max_tokens was reached", "max_tokens")
    few = most_tokens(request) is not None and _TINY(request)
    return SubstituteResponse(400, told.body, JSON) if few else None


def _no_text(_said: ModelOutput) -> ModelOutput:
    """The one token is part of a character, of which nothing can be shown."""
    return ModelOutput("", finish="length")


def _uncounted(request: Request, body: Body) -> Body:
    """A reply that has come to nothing has no content and no tokens, as Gemini's."""
    return _emptied(body, "message") if _TINY(request) else body


def _uncounted_stream(request: Request, made: list[Body]) -> list[Body]:
    if not _TINY(request):
        return made
    return [_emptied(each, "delta") for each in made]


def _emptied(body: Body, part: str) -> Body:
    choices = [
        {
            **each,
            part: {"role": "assistant"},
            "finish_reason": each["finish_reason"] and "length",
        }
        for each in body["choices"]
    ]
    if not (usage := body.get("usage")):
        return {**body, "choices": choices}
    counted = {**usage, "completion_tokens": 0, "total_tokens": usage["prompt_tokens"]}
    return {**body, "choices": choices, "usage": counted}


FLAWS = [
    Flaw("limit_of_one_500", "a limit of one token crashes", _OLDER, intercept=crashes(_ONE)),
    Flaw(
        "limit_of_two_ignored",
        "limits of one or two tokens are not read",
        _OLDER,
        change_request=_ignored(_TINY),
    ),
    Flaw(
        "limit_of_one_newer_ignored",
        "a limit of one token is not read by its newer name",
        _NEWER,
        change_request=_ignored(all_of(_ONE, _by_newer_name)),
    ),
    Flaw(
        "limit_of_one_stop",
        "a reply of one token ends with stop where it is whole",
        _OLDER,
        **_stops(all_of(_ONE, unstreamed)),
    ),
    Flaw(
        "limit_of_one_silent",
        "with a limit of one token nothing comes, and stop",
        _OLDER,
        **_silent(_ONE),
    ),
    Flaw(
        "limit_of_one_silent_streamed",
        "with a limit of one token by its newer name a stream is empty, and stops",
        _NEWER,
        **_silent(all_of(_ONE, streamed, _by_newer_name)),
    ),
    Flaw(
        "limit_of_one_breaks_off",
        "a stream of one token breaks off",
        _OLDER,
        change_frames=framed(all_of(_ONE, streamed), _hangs_up),
    ),
    Flaw(
        "limit_of_one_declined",
        "a limit of one or two tokens may be declined",
        intercept=_declined,
    ),
    Flaw(
        "limit_of_one_no_letter",
        "one token may be no whole letter",
        change_output=said(_ONE, _no_text),
    ),
    Flaw(
        "limit_of_one_nothing",
        "with a limit of one token nothing may come, and length, as from Gemini",
        change_body=_uncounted,
        change_chunks=_uncounted_stream,
    ),
]
