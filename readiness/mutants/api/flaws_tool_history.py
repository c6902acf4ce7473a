"""Flaws of histories with tool calls in requests that offer no tools, as at the end of an agent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from readiness.mutants.api.requests import JSON, crashes
from readiness.mutants.endpoint.answer import Request, RequestError, SubstituteResponse
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.request_form import Where, after_tool_result, all_of, streamed
from readiness.mutants.flaw import Flaw

Message = Mapping[str, Any]
_CHECK = "api.tool_history_without_tools_read"
_MESSAGE = "messages with tool calls or results must define tools"


def _toolless(request: Request) -> bool:
    """Whether a tool has told something before, and the request offers none."""
    return after_tool_result(request) and not request.get("tools")


def _ends_with_result(request: Request) -> bool:
    return bool(request["messages"][-1]["role"] == "tool")


def _refused(request: Request, _turn: int) -> SubstituteResponse | None:
    if not _toolless(request):
        return None
    return SubstituteResponse(400, RequestError(_MESSAGE).body, JSON)


def _rewritten(
    where: Where, change: Callable[[list[Message]], list[Message]]
) -> Callable[[Request], Request]:
    """Change the messages where a request without tools has that form."""

    def rewrite(request: Request) -> Request:
        sound = isinstance(request.get("messages"), list) and all(
            isinstance(each, dict) and "role" in each for each in request["messages"]
        )
        if not (sound and _toolless(request) and where(request)):
            return request
        return {**request, "messages": change(list(request["messages"]))}

    return rewrite


def _later_user(request: Request) -> bool:
    return not _ends_with_result(request)


def _without_calls(found: list[Message]) -> list[Message]:
    return [each for each in found if each["role"] != "tool" and not each.get("tool_calls")]


def _without_results(found: list[Message]) -> list[Message]:
    return [{**each, "content": ""} if each["role"] == "tool" else each for each in found]


def _as_text(found: list[Message]) -> list[Message]:
    """Calls and results in words, as templates write them that have no form of their own."""
    return [
        {"role": "assistant", "content": json.dumps(each["tool_calls"])}
        if each.get("tool_calls")
        else {"role": "user", "content": f"Result: {text_of(each)}"}
        if each["role"] == "tool"
        else each
        for each in found
    ]


FLAWS = [
    Flaw(
        "toolless_history_refused",
        "a history with calls is refused where the request offers no tools",
        _CHECK,
        intercept=_refused,
    ),
    Flaw(
        "toolless_result_crashes",
        "a tool's result at the end crashes a request without tools",
        _CHECK,
        intercept=crashes(all_of(_toolless, _ends_with_result)),
    ),
    Flaw(
        "toolless_history_crashes_streamed",
        "a history with calls crashes a stream without tools",
        _CHECK,
        intercept=crashes(all_of(_toolless, streamed)),
    ),
    Flaw(
        "toolless_calls_dropped",
        "calls and results are dropped where the request offers no tools",
        _CHECK,
        change_request=_rewritten(_later_user, _without_calls),
    ),
    Flaw(
        "toolless_results_emptied",
        "results are emptied where the request offers no tools",
        _CHECK,
        change_request=_rewritten(_later_user, _without_results),
    ),
    Flaw(
        "toolless_history_as_text",
        "calls and results may be written as text where the request offers no tools",
        change_request=_rewritten(_later_user, _as_text),
    ),
]
