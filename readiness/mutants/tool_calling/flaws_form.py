"""Flaws of the form in which tool calls are sent: of a message, and of a stream's fragments."""

from __future__ import annotations

import json
from typing import Any

from readiness.mutants.endpoint.answer import Request
from readiness.mutants.flaw import Body, Flaw
from readiness.mutants.tool_calling.requests import chunks, fragments, kind, sent_calls, with_calls

_CORE = "tool_calling.consecutive_calls"
_PARALLEL = "tool_calling.parallel_calls"


def _lacks(name: str) -> Any:
    return lambda call: {key: of for key, of in call.items() if key != name}


def _dict(call: Body) -> Body:
    """A call whose arguments are an object, as Ollama's own API has them."""
    function = call["function"]
    try:
        return {**call, "function": {**function, "arguments": json.loads(function["arguments"])}}
    except ValueError:
        return call


def _dict_form(request: Request, body: Body) -> Body:
    return with_calls(body, "message", _dict) if kind(request) == "core" else body


def _dict_chunks(made: list[Body]) -> list[Body]:
    """All arguments in the first fragment, as an object."""
    text = "".join(call["function"]["arguments"] for each in made for call in fragments(each))
    first = next(place for place, each in enumerate(made) if fragments(each))
    whole = {"arguments": json.loads(text)}
    changed = [
        with_calls(each, "delta", lambda call: {**call, "function": {**call["function"], **whole}})
        for each in made[first : first + 1]
    ]
    return [*made[:first], *changed, *(each for each in made[first + 1 :] if not fragments(each))]


def _finishes(chunk: Body) -> bool:
    return any(choice["finish_reason"] for choice in chunk["choices"])


def _unfinished(made: list[Body]) -> list[Body]:
    return [each for each in made if not _finishes(each)]


def _finished_twice(made: list[Body]) -> list[Body]:
    return [twin for each in made for twin in [each] * (1 + _finishes(each))]


def _no_last_fragment(made: list[Body]) -> list[Body]:
    last = max(place for place, each in enumerate(made) if fragments(each))
    return [*made[:last], *made[last + 1 :]]


def _changed(name: str) -> Any:
    """The id or name of a call changes half-way through its fragments."""

    def change(made: list[Body]) -> list[Body]:
        last = max(place for place, each in enumerate(made) if fragments(each))
        return [
            with_calls(each, "delta", lambda call: _renamed(call, name)) if place == last else each
            for place, each in enumerate(made)
        ]

    return change


def _renamed(call: Body, name: str) -> Body:
    if name == "id":
        return {**call, "id": "call_another"}
    return {**call, "function": {**call["function"], "name": "get_another"}}


def _named_again(made: list[Body]) -> list[Body]:
    names = {
        call["index"]: call["function"]["name"]
        for each in made
        for call in fragments(each)
        if "id" in call
    }
    return [
        with_calls(
            each,
            "delta",
            lambda call: {**call, "function": {"name": names[call["index"]], **call["function"]}},
        )
        for each in made
    ]


def _each_call(change: Any) -> Any:
    return lambda made: [with_calls(each, "delta", change) for each in made]


def _one_id(call: Body) -> Body:
    return {**call, "id": "call_1"} if "id" in call else call


_NO_ID, _NO_ID_CHUNKS = sent_calls("core", _lacks("id"))
_NO_TYPE, _NO_TYPE_CHUNKS = sent_calls("core", _lacks("type"))
_SAME_ID, _SAME_ID_CHUNKS = sent_calls("parallel", _one_id)

FLAWS = [
    Flaw(
        "tool_arguments_object",
        "arguments are an object, not a string",
        _CORE,
        change_body=_dict_form,
        change_chunks=chunks("core", _dict_chunks),
    ),
    Flaw("tool_no_id", "calls have no id", _CORE, change_body=_NO_ID, change_chunks=_NO_ID_CHUNKS),
    Flaw(
        "tool_no_type",
        "calls have no type",
        _CORE,
        change_body=_NO_TYPE,
        change_chunks=_NO_TYPE_CHUNKS,
    ),
    Flaw(
        "tool_stream_no_index",
        "fragments have no index",
        _CORE,
        change_chunks=chunks("core", _each_call(_lacks("index"))),
    ),
    Flaw(
        "tool_stream_no_finish",
        "no finish_reason comes",
        _CORE,
        change_chunks=chunks("core", _unfinished),
    ),
    Flaw(
        "tool_stream_two_finishes",
        "two chunks finish",
        _CORE,
        change_chunks=chunks("core", _finished_twice),
    ),
    Flaw(
        "tool_stream_loses_end",
        "the last fragment is lost",
        _CORE,
        change_chunks=chunks("core", _no_last_fragment),
    ),
    Flaw(
        "tool_stream_other_id",
        "the id of a call changes",
        _CORE,
        change_chunks=chunks("core", _changed("id")),
    ),
    Flaw(
        "tool_stream_other_name",
        "the name of a call changes",
        _CORE,
        change_chunks=chunks("core", _changed("name")),
    ),
    Flaw(
        "tool_stream_name_repeated",
        "each fragment has the name of the tool, which the official SDK joins",
        _CORE,
        change_chunks=chunks("core", _named_again),
    ),
    Flaw(
        "tool_stream_one_index",
        "several calls share the index 0",
        _PARALLEL,
        change_chunks=chunks("parallel", _each_call(lambda call: {**call, "index": 0})),
    ),
    Flaw(
        "tool_one_id",
        "several calls share an id",
        _PARALLEL,
        change_body=_SAME_ID,
        change_chunks=_SAME_ID_CHUNKS,
    ),
]
