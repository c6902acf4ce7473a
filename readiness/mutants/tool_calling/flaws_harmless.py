"""Harmless variants of tool calls: what servers and models do, and clients accept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

from readiness.mutants.endpoint.answer import ModelOutput, ModelToolCall, Request
from readiness.mutants.flaw import Body, Flaw
from readiness.mutants.tool_calling.reader import WORDS, city_names
from readiness.mutants.tool_calling.requests import (
    Chunks,
    Says,
    dumped,
    each_choice,
    fragments,
    kind,
    with_calls,
)

_PREAMBLE = "Let me look that up for you."


def _calling(change: Callable[[Request, ModelOutput], ModelOutput]) -> Says:
    """Change the text along with calls."""
    return lambda request, said, _turn: (
        change(request, said) if kind(request) and said.calls else said
    )


def _arguments(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Says:
    return _written(lambda text: dumped(change(json.loads(text))))


def _written(change: Callable[[str], str]) -> Says:
    def each(said: ModelOutput) -> tuple[ModelToolCall, ...]:
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


def _with_comma(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """Figures as Spanish writes them, or in the wide digits of East Asia."""
    told = kind(request) == "results" and not said.calls
    wide = str.maketrans("0123456789.", "０１２３４５６７８９，")
    return replace(said, content=(said.content or "").translate(wide)) if told else said


def _forced(finish: str, *kinds: str) -> Says:
    return _calling(
        lambda request, said: replace(said, finish=finish) if kind(request) in kinds else said
    )


HARMLESS = [
    Flaw(
        "tool_preamble",
        "a short text may come before a call",
        change_output=_calling(lambda _, said: replace(said, content=_PREAMBLE)),
    ),
    Flaw(
        "tool_empty_content",
        "the content beside a call may be empty instead of null",
        change_output=_calling(lambda _, said: replace(said, content="")),
    ),
    Flaw(
        "tool_thinks",
        "the model thinks before it calls",
        change_output=_calling(
            lambda _, said: replace(said, reasoning="I need get_weather for this.")
        ),
    ),
    Flaw(
        "tool_key_order",
        "arguments have no order",
        change_output=_arguments(lambda of: dict(reversed(of.items()))),
    ),
    Flaw("tool_spaces", "JSON may have spaces", change_output=_written(lambda of: f" {of}\n")),
    Flaw(
        "tool_escapes",
        "JSON may escape",
        change_output=_written(lambda of: json.dumps(json.loads(of))),
    ),
    Flaw("tool_english_city", "Beijing is 北京", change_output=_arguments(_in_english)),
    Flaw("tool_city_suffix", "so is 北京市", change_output=_arguments(_with_suffix)),
    Flaw("tool_default", "a default may be written out", change_output=_arguments(_with_default)),
    Flaw(
        "tool_reversed",
        "several calls may come in any order",
        change_output=_calling(lambda _, said: replace(said, calls=said.calls[::-1])),
    ),
    Flaw(
        "tool_one_by_one",
        "several calls may come one after another",
        change_output=_calling(lambda _, said: replace(said, calls=said.calls[:1])),
    ),
    Flaw(
        "tool_forced_tool_calls",
        "a named call may end with tool_calls",
        change_output=_forced("tool_calls", "named"),
    ),
    Flaw(
        "tool_forced_stop",
        "a required call may end with stop",
        change_output=_forced("stop", "required"),
    ),
    Flaw("tool_wide_digits", "figures may be wide, and have a comma", change_output=_with_comma),
]


def _streamed(change: Callable[[list[Body]], list[Body]]) -> Chunks:
    return lambda request, made: change(made) if kind(request) else made


def _pieces(size: int) -> Callable[[list[Body]], list[Body]]:
    """Cut the arguments of each call into fragments of that many characters."""

    def cut(made: list[Body]) -> list[Body]:
        return [piece for each in _merged(made) for piece in _cut(each, size)]

    return cut


def _merged(made: list[Body]) -> list[Body]:
    """Each call in one chunk."""
    texts: dict[int, str] = {}
    for each in made:
        for call in fragments(each):
            text = call["function"].get("arguments") or ""
            texts[call["index"]] = texts.get(call["index"], "") + text
    opening = [each for each in made if all("id" in call for call in fragments(each))]
    return [
        with_calls(each, "delta", lambda call: _filled(call, texts[call["index"]]))
        for each in opening
    ]


def _filled(call: Body, text: str) -> Body:
    return {**call, "function": {**call["function"], "arguments": text}}


def _cut(chunk: Body, size: int) -> Iterator[Body]:
    texts = [call["function"]["arguments"] for call in fragments(chunk)]
    if not texts:
        yield chunk
        return
    yield with_calls(chunk, "delta", lambda call: _filled(call, texts[0][:size]))
    for start in range(size, len(texts[0]), size):
        piece = texts[0][start : start + size]
        yield with_calls(
            chunk,
            "delta",
            partial(_continued, piece),
        )


def _continued(piece: str, call: Body) -> Body:
    return {"index": call["index"], "function": {"arguments": piece}}


def _empty_again(call: Body) -> Body:
    """A fragment that begins no call has all fields, of which those that came are empty."""
    if "id" in call:
        return call
    function = {"name": None, **call["function"]}
    return {**call, "id": "", "type": "function", "function": function}


def _all_at_once(made: list[Body]) -> list[Body]:
    """All calls in one chunk."""
    merged = _merged(made)
    calls = [call for each in merged for call in fragments(each)]
    if not calls:
        return made
    first = next(place for place, each in enumerate(merged) if fragments(each))
    choice = merged[first]["choices"][0]
    one = {**merged[first], "choices": [{**choice, "delta": {"tool_calls": calls}}]}
    return [*merged[:first], one, *(each for each in merged[first + 1 :] if not fragments(each))]


def _null_calls(request: Request, body: Body) -> Body:
    """A reply without calls has `tool_calls: null`."""
    if not kind(request):
        return body
    choices = [
        {**each, "message": {"tool_calls": None, **each["message"]}} for each in body["choices"]
    ]
    return {**body, "choices": choices}


def _numbered(request: Request, body: Body) -> Body:
    """Kimi's ids: the tool, and its place in the reply."""
    if not kind(request):
        return body
    places = count()
    return with_calls(body, "message", lambda call: {**call, "id": _place(call, next(places))})


def _numbered_stream(made: list[Body]) -> list[Body]:
    return [with_calls(each, "delta", _numbered_fragment) for each in made]


def _numbered_fragment(call: Body) -> Body:
    return {**call, "id": _place(call, call["index"])} if "id" in call else call


def _place(call: Body, place: int) -> str:
    return f"functions.{call['function']['name']}:{place}"


HARMLESS_FORM = [
    Flaw(
        "tool_same_ids",
        "ids need to differ in a conversation only",
        change_body=_numbered,
        change_chunks=_streamed(_numbered_stream),
    ),
    Flaw(
        "tool_fields_empty_later",
        "later fragments may have an empty id, no name, and the type once more",
        change_chunks=_streamed(
            lambda made: [with_calls(each, "delta", _empty_again) for each in made]
        ),
    ),
    Flaw(
        "tool_one_piece",
        "arguments may come in one piece",
        change_chunks=_streamed(each_choice(_pieces(10**6))),
    ),
    Flaw(
        "tool_tiny_pieces",
        "or a character at a time",
        change_chunks=_streamed(each_choice(_pieces(1))),
    ),
    Flaw(
        "tool_one_chunk",
        "several calls may share a chunk",
        change_chunks=_streamed(each_choice(_all_at_once)),
    ),
    Flaw("tool_calls_null", "tool_calls may be null", change_body=_null_calls),
]

FLAWS = [*HARMLESS, *HARMLESS_FORM]
