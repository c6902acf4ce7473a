"""Flaws of several calls, and of calls among many tools, with hard arguments, or after many."""

from __future__ import annotations

import json
from dataclasses import replace

from readiness.mutants.endpoint.answer import Answer, Called, Request
from readiness.mutants.endpoint.refusal import Refusal
from readiness.mutants.flaw import Flaw
from readiness.mutants.tool_calling.requests import (
    Arguments,
    arguments,
    calls,
    dumped,
    is_sound,
    kind,
    says,
    written,
)

_PARALLEL = "tool_calling.in_parallel"
_HARD = "tool_calling.hard_arguments"
_HISTORY = "tool_calling.after_thirty_turns"
_MANY = "tool_calling.among_many_tools"
_ALIKE = {
    "get_weather": "get_weather_history",
    "get_flight_status": "get_train_timetable",
    "get_train_timetable": "get_bus_timetable",
    "get_exchange_rate": "get_stock_price",
    "convert_temperature": "get_weather",
    "get_hotel_price": "get_population",
}


def _unitless(of: Arguments) -> Arguments:
    return {key: value for key, value in of.items() if key != "unit"}


def _dead_after_thirty(request: Request, _turn: int) -> Refusal | None:
    if not is_sound(request) or kind(request) != "history":
        return None
    body = b'{"error": {"message": "the template failed", "type": "server_error"}}'
    return Refusal(500, body, {"Content-Type": "application/json"})


def _dates_swapped(_request: Request, said: Answer) -> Answer:
    """Give each of several cities the date of the next."""
    asked = [json.loads(call.arguments) for call in said.calls]
    dates = [each["date"] for each in asked]
    moved = [{**each, "date": day} for each, day in zip(asked, dates[1:] + dates[:1], strict=True)]
    return replace(said, calls=tuple(Called("get_weather", dumped(each)) for each in moved))


def _similar(call: Called) -> Called:
    return replace(call, name=_ALIKE.get(call.name, "get_sunset_time"))


def _flat(of: Arguments) -> Arguments:
    place = of.get("location")
    return {**of, "location": f"{place['building']} {place['floor']}"} if place else of


def _cut(of: Arguments) -> Arguments:
    return {key: each[:256] if isinstance(each, str) else each for key, each in of.items()}


def _one_line(of: Arguments) -> Arguments:
    lines = {key: " ".join(of[key].splitlines()) for key in of if isinstance(of[key], str)}
    return {**of, **lines}


FLAWS = [
    Flaw(
        "tool_parallel_lost",
        "the last of several calls is lost",
        _PARALLEL,
        says("parallel", lambda _, said: replace(said, calls=said.calls[:-1] or said.calls)),
    ),
    Flaw(
        "tool_parallel_mixed",
        "several calls swap their dates",
        _PARALLEL,
        says("parallel", _dates_swapped),
    ),
    Flaw("tool_similar", "a similar tool is called", _MANY, calls("many", _similar)),
    Flaw("tool_cuts_text", "long texts are cut", _HARD, arguments("hard", _cut)),
    Flaw("tool_one_line", "line ends become spaces", _HARD, arguments("hard", _one_line)),
    Flaw("tool_flat", "nested objects become text", _HARD, arguments("hard", _flat)),
    Flaw(
        "tool_empty_text",
        "no arguments come as an empty text",
        _HARD,
        written("hard", lambda of: "" if of == "{}" else of),
    ),
    Flaw(
        "tool_ascii",
        "what is not ASCII comes as a question mark",
        _HARD,
        written("hard", lambda of: of.encode("ascii", "replace").decode()),
    ),
    Flaw(
        "tool_tired",
        "after thirty turns an argument is lost",
        _HISTORY,
        arguments("history", _unitless),
    ),
    Flaw("tool_history_500", "thirty turns end in a 500", _HISTORY, refuses=_dead_after_thirty),
]
