"""Harmless variants of tool calls: what servers and models do, and clients take."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from readiness.mutants.endpoint.answer import Answer, Called, Request
from readiness.mutants.flaw import Flaw
from readiness.mutants.tool_calling.facts import WORDS, city_names
from readiness.mutants.tool_calling.requests import Says, dumped, kind

_PREAMBLE = "Let me look that up for you."


def _calling(change: Callable[[Request, Answer], Answer]) -> Says:
    """Change what is said along with calls."""
    return lambda request, said, _turn: (
        change(request, said) if kind(request) and said.calls else said
    )


def _arguments(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Says:
    return _written(lambda text: dumped(change(json.loads(text))))


def _written(change: Callable[[str], str]) -> Says:
    def each(said: Answer) -> tuple[Called, ...]:
        return tuple(replace(call, arguments=change(call.arguments)) for call in said.calls)

    return _calling(lambda _, said: replace(said, calls=each(said)))


def _in_english(of: dict[str, Any]) -> dict[str, Any]:
    known = city_names()
    return {
        key: WORDS["cities"][known[value]]["en"] if key == "city" and value in known else value
        for key, value in of.items()
    }


def _with_suffix(of: dict[str, Any]) -> dict[str, Any]:
    chinese = of.get("city") in {city["zh"] for city in WORDS["cities"]}
    return {**of, "city": f" {of['city']}市"} if chinese else of


def _with_default(of: dict[str, Any]) -> dict[str, Any]:
    return {**of, "include_aqi": of.get("include_aqi", False)} if "lang" in of else of


def _with_comma(request: Request, said: Answer, _turn: int) -> Answer:
    """Figures as Spanish writes them, or in the wide digits of East Asia."""
    told = kind(request) == "results" and not said.calls
    wide = str.maketrans("0123456789.", "０１２３４５６７８９，")
    return replace(said, content=(said.content or "").translate(wide)) if told else said


def _forced(finish: str, *kinds: str) -> Says:
    return _calling(
        lambda request, said: replace(said, finish=finish) if kind(request) in kinds else said
    )


FLAWS = [
    Flaw(
        "tool_preamble",
        "a short text may come before a call",
        says=_calling(lambda _, said: replace(said, content=_PREAMBLE)),
    ),
    Flaw(
        "tool_empty_content",
        "the content beside a call may be empty instead of null",
        says=_calling(lambda _, said: replace(said, content="")),
    ),
    Flaw(
        "tool_thinks",
        "the model thinks before it calls",
        says=_calling(lambda _, said: replace(said, reasoning="I need get_weather for this.")),
    ),
    Flaw(
        "tool_key_order",
        "arguments have no order",
        says=_arguments(lambda of: dict(reversed(of.items()))),
    ),
    Flaw("tool_spaces", "JSON may have spaces", says=_written(lambda of: f" {of}\n")),
    Flaw("tool_escapes", "JSON may escape", says=_written(lambda of: json.dumps(json.loads(of)))),
    Flaw("tool_english_city", "Beijing is 北京", says=_arguments(_in_english)),
    Flaw("tool_city_suffix", "so is 北京市", says=_arguments(_with_suffix)),
    Flaw("tool_default", "a default may be written out", says=_arguments(_with_default)),
    Flaw(
        "tool_reversed",
        "several calls may come in any order",
        says=_calling(lambda _, said: replace(said, calls=said.calls[::-1])),
    ),
    Flaw(
        "tool_one_by_one",
        "several calls may come one after another",
        says=_calling(lambda _, said: replace(said, calls=said.calls[:1])),
    ),
    Flaw(
        "tool_forced_tool_calls",
        "a named call may end with tool_calls",
        says=_forced("tool_calls", "named"),
    ),
    Flaw("tool_forced_stop", "a required call may end with stop", says=_forced("stop", "required")),
    Flaw("tool_wide_digits", "figures may be wide, and have a comma", says=_with_comma),
]
