"""Flaws of tool calls: what a model, or the parser of its output, does to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import count

from readiness.mutants.endpoint.answer import Answer, Called, Request
from readiness.mutants.endpoint.manner import instructed, only
from readiness.mutants.endpoint.refusal import Refusal
from readiness.mutants.flaw import Flaw
from readiness.mutants.tool_calling.facts import decoy_in
from readiness.mutants.tool_calling.reader import last_question
from readiness.mutants.tool_calling.requests import (
    Arguments,
    Says,
    arguments,
    calls,
    dumped,
    is_sound,
    kind,
    says,
    written,
)

_CORE = "tool_calling.consecutive_calls"
_HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
_SUNNY = "It is going to be sunny."
_ELSEWHERE = {"巴黎": "罗马"}


def _without(name: str) -> Callable[[Arguments], Arguments]:
    return lambda of: {key: value for key, value in of.items() if key != name}


def _with(name: str, change: Callable[[Arguments], object]) -> Callable[[Arguments], Arguments]:
    return lambda of: {**of, name: change(of)}


def _elsewhere(of: Arguments) -> str:
    return _ELSEWHERE.get(of["city"], "巴黎")


def _next_day(of: Arguments) -> str:
    return (date.fromisoformat(of["date"]) + timedelta(days=1)).isoformat()


def _other_unit(of: Arguments) -> str:
    return "celsius" if of["unit"] == "fahrenheit" else "fahrenheit"


def _decoyed(request: Request, said: Answer) -> Answer:
    decoy = decoy_in(last_question(request["messages"])[0])
    if not decoy:
        return said
    return replace(
        said,
        calls=tuple(
            replace(call, arguments=dumped({**json.loads(call.arguments), "city": decoy}))
            for call in said.calls
        ),
    )


def _leaked(_request: Request, said: Answer) -> Answer:
    return Answer("\n".join(f"<tool_call>\n{_as_json(call)}\n</tool_call>" for call in said.calls))


def _leaked_bare(_request: Request, said: Answer) -> Answer:
    return Answer("\n".join(map(_as_json, said.calls)))


def _leaked_too(_request: Request, said: Answer) -> Answer:
    return replace(said, content="<|tool_call_begin|>get_weather")


def _as_json(call: Called) -> str:
    return dumped({"name": call.name, "arguments": json.loads(call.arguments)})


def _twice(text: str) -> str:
    return f'{{"days": 7, {text[1:]}'


def _in_100(wrong: Says, *places: int) -> Says:
    """Do so with some of every 100 plain calls; this server's own count decides."""
    seen = count(1)

    def change(request: Request, said: Answer, turn: int) -> Answer:
        rare = kind(request) == "core" and said.calls and next(seen) % 100 in places
        return wrong(request, said, turn) if rare else said

    return change


def _every_37th() -> Callable[[Request, int], Refusal | None]:
    """Refuse every 37th of the plain requests with tools."""
    seen = count(1)

    def refuse(request: Request, _turn: int) -> Refusal | None:
        if not is_sound(request) or kind(request) != "core" or next(seen) % 37:
            return None
        return Refusal(502, _HTML, {"Content-Type": "text/html"})

    return refuse


FLAWS = [
    Flaw("tool_loses_required", "days is lost", _CORE, arguments("core", _without("days"))),
    Flaw(
        "tool_loses_optional",
        "include_aqi is lost",
        _CORE,
        arguments("core", _without("include_aqi")),
    ),
    Flaw(
        "tool_adds_optional",
        "include_aqi is set unasked",
        _CORE,
        arguments("core", _with("include_aqi", lambda of: True)),
    ),
    Flaw(
        "tool_adds_unknown",
        "a parameter is made up",
        _CORE,
        arguments("core", _with("country", lambda of: "")),
    ),
    Flaw("tool_wrong_city", "another city", _CORE, arguments("core", _with("city", _elsewhere))),
    Flaw("tool_takes_decoy", "the city that is not meant", _CORE, says("core", _decoyed)),
    Flaw("tool_wrong_day", "a day too late", _CORE, arguments("core", _with("date", _next_day))),
    Flaw(
        "tool_date_form",
        "dates in another form",
        _CORE,
        arguments("core", _with("date", lambda of: of["date"].replace("-", "/"))),
    ),
    Flaw(
        "tool_number_as_text",
        "days is a string",
        _CORE,
        arguments("core", _with("days", lambda of: str(of["days"]))),
    ),
    Flaw("tool_wrong_unit", "the other unit", _CORE, arguments("core", _with("unit", _other_unit))),
    Flaw(
        "tool_no_such_unit",
        "a value that the enum lacks",
        _CORE,
        arguments("core", _with("unit", lambda of: of["unit"][0].upper())),
    ),
    Flaw("tool_double_encoded", "arguments are a string of JSON", _CORE, written("core", dumped)),
    Flaw("tool_half_arguments", "arguments break off", _CORE, written("core", lambda of: of[:-9])),
    Flaw("tool_double_key", "days stands twice in the arguments", _CORE, written("core", _twice)),
    Flaw(
        "tool_python",
        "arguments are Python's idea of a dict",
        _CORE,
        written("core", lambda of: repr(json.loads(of))),
    ),
    Flaw(
        "tool_wrong_name",
        "the name has a prefix",
        _CORE,
        calls("core", lambda call: replace(call, name=f"functions.{call.name}")),
    ),
    Flaw(
        "tool_called_twice",
        "each call is made twice",
        _CORE,
        says("core", lambda _, said: replace(said, calls=said.calls * 2)),
    ),
    Flaw(
        "tool_never_called",
        "words instead of a call",
        _CORE,
        says("core", lambda _, said: Answer(_SUNNY) if said.calls else said),
    ),
    Flaw(
        "tool_lost_after_system",
        "after a system message the tools are not seen",
        _CORE,
        only(instructed, says("core", lambda _, said: Answer(_SUNNY) if said.calls else said)),
    ),
    Flaw(
        "tool_leaks",
        "the call comes as marked text",
        _CORE,
        says("core", lambda request, said: _leaked(request, said) if said.calls else said),
    ),
    Flaw(
        "tool_leaks_bare",
        "the call comes as JSON text",
        _CORE,
        says("core", lambda request, said: _leaked_bare(request, said) if said.calls else said),
    ),
    Flaw(
        "tool_leaks_too",
        "markup of the template stands beside the call",
        _CORE,
        says("core", lambda request, said: _leaked_too(request, said) if said.calls else said),
    ),
    Flaw(
        "tool_finish_stop",
        "a call ends with finish_reason stop",
        _CORE,
        says("core", lambda _, said: replace(said, finish="stop")),
    ),
    Flaw(
        "tool_one_in_100",
        "one call of 100 lacks lang",
        _CORE,
        _in_100(arguments("core", _without("lang")), 60),
    ),
    Flaw(
        "tool_drops_3_in_100",
        "three calls of 100 are words instead",
        _CORE,
        _in_100(says("core", lambda _, said: Answer(_SUNNY)), 23, 58, 94),
    ),
    Flaw("tool_502", "every 37th request ends in a 502", _CORE, refuses=_every_37th()),
]
