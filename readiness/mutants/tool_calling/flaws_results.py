"""Flaws of what is made of a tool's result."""

from __future__ import annotations

import json
from typing import Any

from readiness.mutants.endpoint.answer import Answer, Request
from readiness.mutants.flaw import Flaw
from readiness.mutants.tool_calling.reader import answer
from readiness.mutants.tool_calling.requests import dumped, results_in, says

_RESULT = "tool_calling.uses_the_result"
_TYPICAL = "The maximum temperature is 24.5 degrees and the humidity is 61.3 %."


def _told(request: Request) -> dict[str, Any]:
    """The last result, where the request brings one that is not yet followed by a call."""
    results = results_in(request)
    return dict(json.loads(results[-1])) if results else {}


def _invents(request: Request, said: Answer) -> Answer:
    return Answer(_TYPICAL) if "error" in _told(request) else said


def _ignores(request: Request, said: Answer) -> Answer:
    return Answer(_TYPICAL) if "temperature_max" in _told(request) else said


def _rounds(request: Request, said: Answer) -> Answer:
    found = _told(request)
    if "temperature_max" not in found:
        return said
    return Answer(f"{found['temperature_max']:.0f} °C, {found['humidity_percent']:.0f} %")


def _mixes(request: Request, said: Answer) -> Answer:
    """The figures are right, and stand for one another."""
    found = _told(request)
    if "temperature_max" not in found or len(results_in(request)) > 1:
        return said
    return Answer(f"{found['humidity_percent']} °C, humidity {found['temperature_max']}%")


def _again(request: Request, said: Answer) -> Answer:
    return said if said.calls or not _told(request) else _unanswered(request)


def _unanswered(request: Request) -> Answer:
    """What is said as long as there is no result."""
    messages = [each for each in request["messages"] if each["role"] in ("system", "user")]
    return answer({**request, "messages": messages}) or Answer(_TYPICAL)


def _by_place(request: Request, said: Answer) -> Answer:
    """Take results in the order in which they come, whatever call they say they answer."""
    results = iter([each for each in request["messages"] if each["role"] == "tool"])
    ids = [call["id"] for each in request["messages"] for call in each.get("tool_calls") or ()]
    renamed = {id(each): name for each, name in zip(results, ids, strict=False)}
    messages = [
        {**each, "tool_call_id": renamed.get(id(each), "")} if each["role"] == "tool" else each
        for each in request["messages"]
    ]
    return answer({**request, "messages": messages}) or said


def _gives_up(request: Request, said: Answer) -> Answer:
    return Answer(dumped(_told(request))[1:-1]) if "order" in _told(request) else said


def _mute(request: Request, said: Answer) -> Answer:
    return said if said.calls or not _told(request) else Answer("")


FLAWS = [
    Flaw("tool_invents", "a failed tool gets a result", _RESULT, says("results", _invents)),
    Flaw("tool_ignores", "the result is ignored", _RESULT, says("results", _ignores)),
    Flaw("tool_rounds", "figures are rounded", _RESULT, says("results", _rounds)),
    Flaw("tool_mixes", "figures stand for one another", _RESULT, says("results", _mixes)),
    Flaw("tool_calls_again", "the same call again and again", _RESULT, says("results", _again)),
    Flaw("tool_by_place", "results are told apart by order", _RESULT, says("results", _by_place)),
    Flaw("tool_gives_up", "a second call is not made", _RESULT, says("results", _gives_up)),
    Flaw("tool_mute", "nothing is said to a result", _RESULT, says("results", _mute)),
]
