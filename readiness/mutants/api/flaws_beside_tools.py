"""Flaws of limits, stop sequences and texts that show only where tools are offered."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from json import JSONDecodeError, JSONDecoder

from readiness.mutants.api.requests import JSON, LIMITS, said, text
from readiness.mutants.endpoint.answer import (
    ModelOutput,
    ModelToolCall,
    Request,
    RequestError,
    SubstituteResponse,
)
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
_COPIES = "api.stream_matches_whole"
#: Where texts come beside tools as well.
_ELSEWHERE = ("json_only", "long_context", "memory", "multilingual", "refusal", "spanish",
              "tool_calling")  # fmt: skip
_STREAMED = all_of(beside_tools, streamed)
_TAG = re.compile(r"</?[a-z][^<>]*>")


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


def _json_first(told: str) -> tuple[str, str]:
    """The JSON object that a text begins with, or "", and what stands behind it."""
    try:
        found, end = JSONDecoder().raw_decode(told)
    except JSONDecodeError:
        return "", told
    return (told[:end], told[end:]) if isinstance(found, dict) else ("", told)


def _ends_with_json(told: str) -> str:
    """What stands behind the JSON of a call is of no use to a parser of calls."""
    return _json_first(told)[0] or told


def _json_called(made: ModelOutput) -> ModelOutput:
    """JSON at the beginning is a call, whatever its members are."""
    json, rest = _json_first(made.content or "")
    called = ModelToolCall("", json)
    return replace(made, content=None, calls=(called,)) if rest and json else made


FLAWS = [
    Flaw(
        "api_tools_limit_ignored",
        "where the model may call a tool, token limits are ignored",
        _LIMIT,
        change_request=_ignoring(_free_choice, *LIMITS),
        elsewhere=("tool_calling",),
    ),
    Flaw(
        "api_tools_limit_ignored_streamed",
        "in streams beside tools, token limits are ignored",
        _LIMIT,
        change_request=_ignoring(streamed, *LIMITS),
        elsewhere=("tool_calling",),
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
        "api_tools_stream_loses_breaks",
        "in streams beside tools, line breaks are lost",
        _COPIES,
        change_output=text(_STREAMED, lambda told: told.replace("\n", " ")),
        elsewhere=_ELSEWHERE,
    ),
    Flaw(
        "api_tools_stream_loses_blank_lines",
        "in streams beside tools, one of two line breaks is lost",
        _COPIES,
        change_output=text(_STREAMED, lambda told: re.sub(r"\n\n+", "\n", told)),
        elsewhere=_ELSEWHERE,
    ),
    Flaw(
        "api_tools_stream_loses_tags",
        "in streams beside tools, what looks like a tag is taken for a call's and lost",
        _COPIES,
        change_output=text(_STREAMED, lambda told: _TAG.sub("", told)),
        elsewhere=_ELSEWHERE,
    ),
    Flaw(
        "api_tools_tags_lost",
        "beside tools, what looks like a tag is lost",
        _COPIES,
        change_output=text(beside_tools, lambda told: _TAG.sub("", told)),
        elsewhere=_ELSEWHERE,
    ),
    Flaw(
        "api_tools_tag_ends",
        "beside tools, a text ends where a line begins with a tag, as where a call would begin",
        _COPIES,
        change_output=text(beside_tools, lambda told: re.split(r"(?m)^\W*<[a-z]", told)[0]),
        elsewhere=_ELSEWHERE,
    ),
    Flaw(
        "api_tools_json_ends",
        "beside tools, what stands behind JSON at the beginning of a text is lost",
        _COPIES,
        change_output=text(beside_tools, _ends_with_json),
        elsewhere=_ELSEWHERE,
    ),
    Flaw(
        "api_tools_json_ends_streamed",
        "in streams beside tools, what stands behind JSON at the beginning of a text is lost",
        _COPIES,
        change_output=text(_STREAMED, _ends_with_json),
        elsewhere=_ELSEWHERE,
    ),
    Flaw(
        "api_tools_json_lost",
        "beside tools, JSON at the beginning of a text is lost",
        _COPIES,
        change_output=text(beside_tools, lambda told: _json_first(told)[1] or told),
        elsewhere=_ELSEWHERE,
    ),
    Flaw(
        "api_tools_json_called",
        "beside tools, JSON at the beginning of a text comes as a call without a name",
        _COPIES,
        change_output=said(beside_tools, _json_called),
        elsewhere=_ELSEWHERE,
    ),
    Flaw(
        "api_tools_whole_text_stripped",
        "beside tools, white space around a whole text is left out, and in a stream it is not",
        change_output=lambda request, made, _turn: (
            replace(made, content=f"\n\n{made.content}\n")
            if _STREAMED(request) and "\n" in (made.content or "") and not made.calls
            else made
        ),
    ),
    Flaw(
        "api_tools_text_in_one_piece",
        "beside tools, a text comes in one chunk, once it is known to hold no call",
        change_chunks=lambda request, made: _in_one_piece(made) if beside_tools(request) else made,
    ),
    Flaw("api_tools_stop_declined", "beside tools, stop is declined", intercept=_declined),
]
