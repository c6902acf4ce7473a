"""Flaws of conversations in which one tool is called after another, and harmless differences."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from readiness.mutants.any_dimension.reasoning import since_user
from readiness.mutants.api.requests import CRASH
from readiness.mutants.endpoint.answer import (
    ModelOutput,
    ModelToolCall,
    Request,
    SubstituteResponse,
)
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.request_form import Says, Where, all_of, only, streamed
from readiness.mutants.flaw import Body, Flaw
from readiness.mutants.tool_calling.requests import dumped, fragments, with_calls

_AGENT = "tool_calling.agent_conversation"
_SDK = "tool_calling.agent_through_sdk"

_LONG, _LATE, _AGAIN = 250, 4, 2
_LARGE = re.compile(r"(?<![\w.\"])\d{17,}(?![\w.\"])")


def results(request: Request) -> list[Mapping[str, Any]]:
    """The results since the user's last turn."""
    return [each for each in since_user(request) if each["role"] == "tool"]


def after(number: int) -> Where:
    """Whether there have been so many results since the user's last turn."""
    return lambda request: len(results(request)) >= number


def _failed(request: Request) -> bool:
    """Whether the last of several results is an error."""
    told = results(request)
    return len(told) > 1 and '"error"' in text_of(told[-1])


def _calls(where: Where, change: Callable[[ModelToolCall], ModelToolCall]) -> Says:
    return only(
        where, lambda _request, said, _turn: replace(said, calls=tuple(map(change, said.calls)))
    )


def _arguments(where: Where, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Says:
    return _calls(
        where, lambda call: replace(call, arguments=dumped(change(json.loads(call.arguments))))
    )


def _shortened(of: dict[str, Any]) -> dict[str, Any]:
    return {key: value[:_LONG] if isinstance(value, str) else value for key, value in of.items()}


def _unquoted(of: dict[str, Any]) -> dict[str, Any]:
    """Quotation marks in long texts are lost."""
    return {
        key: value.replace('"', "").replace("“", "") if len(str(value)) > _LONG else value
        for key, value in of.items()
    }


def _ends(_request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    return ModelOutput("All done.") if said.calls else said


def _last_call(request: Request) -> ModelToolCall | None:
    made = [call for each in since_user(request) for call in each.get("tool_calls") or ()]
    function = made[-1]["function"] if made else None
    return ModelToolCall(function["name"], function["arguments"]) if function else None


def _calls_again(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """A tool that fails is called again for ever."""
    call = _last_call(request)
    return ModelOutput(None, (call,)) if call else said


def _tries_again(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """A tool that fails is tried once more before another."""
    call = _last_call(request)
    failures = [each for each in results(request) if '"error"' in text_of(each)]
    return ModelOutput(None, (call,)) if call and len(failures) < _AGAIN else said


def _stale(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """The arguments of the call before are sent once more, where they have the same names."""
    before = _last_call(request)
    if not (before and said.calls):
        return said
    texts = json.loads(before.arguments)
    first = next((of for of in texts.values() if isinstance(of, str)), "")
    return replace(
        said,
        calls=tuple(
            replace(call, arguments=dumped({**json.loads(call.arguments), **_swapped(call, first)}))
            for call in said.calls
        ),
    )


def _swapped(call: ModelToolCall, text: str) -> dict[str, str]:
    names = [key for key, of in json.loads(call.arguments).items() if isinstance(of, str)]
    return {names[0]: text} if names else {}


def _crashes(request: Request, _turn: int) -> SubstituteResponse | None:
    return CRASH if _failed(request) else None


def _rounded(request: Request) -> Request:
    """Results are read as JSON whose numbers are floats."""
    if not isinstance(request.get("messages"), list):
        return request
    return {**request, "messages": [_with_rounded(each) for each in request["messages"]]}


def _with_rounded(message: Any) -> Any:
    told = isinstance(message, dict) and message.get("role") == "tool"
    if not (told and isinstance(message.get("content"), str)):
        return message
    text = _LARGE.sub(lambda found: str(int(float(found[0]))), message["content"])
    return {**message, "content": text}


def _repeating(
    field: str, where: Callable[[Request], bool]
) -> Callable[[Request, list[Body]], list[Body]]:
    """Each fragment of a call has its id, or the name of its tool."""

    def repeated(request: Request, made: list[Body]) -> list[Body]:
        begun = {of["index"]: of for each in made for of in fragments(each) if "id" in of}
        if not (begun and where(request)):
            return made
        return [
            with_calls(each, "delta", lambda of: _with(of, begun[of["index"]])) for each in made
        ]

    def _with(call: Body, begun: Body) -> Body:
        if field == "id":
            return {**call, "id": begun["id"]}
        return {**call, "function": {**call["function"], "name": begun["function"]["name"]}}

    return repeated


def _typed(_request: Request, made: list[Body]) -> list[Body]:
    """Each fragment has the type once more, and no id."""
    return [
        with_calls(each, "delta", lambda of: {"id": None, **of, "type": "function"})
        for each in made
    ]


def _always(_request: Request) -> bool:
    return True


def _spoken(_request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    return replace(said, content="Now for the next step.") if said.calls else said


_BROKEN: list[tuple[str, str, Says]] = [
    ("agents_end_early", "after four results it says that all is done", only(after(_LATE), _ends)),
    (
        "agents_long_text_cut",
        "after a result, texts in arguments are cut at 250 letters",
        _arguments(after(1), _shortened),
    ),
    (
        "agents_long_text_unquoted",
        "long texts in arguments lose their quotation marks in a stream",
        _arguments(all_of(after(1), streamed), _unquoted),
    ),
    (
        "agents_failed_again",
        "a tool that has failed is called again for ever",
        only(_failed, _calls_again),
    ),
    (
        "agents_stale_argument",
        "from the fifth call on, an argument is the one of the call before",
        only(after(_LATE), _stale),
    ),
]
_REPEATS: Sequence[tuple[str, str, str, Where]] = [
    ("agents_id_repeated", "each fragment has the id of its call", "id", _always),
    ("agents_id_repeated_later", "and so after two results", "id", after(2)),
    (
        "agents_name_repeated_later",
        "each fragment after two results has the name",
        "name",
        after(2),
    ),
]

FLAWS = [
    *(Flaw(name, about, _AGENT, change_output=says) for name, about, says in _BROKEN),
    Flaw(
        "agents_large_numbers_rounded",
        "whole numbers above 2**53 in results are rounded",
        _AGENT,
        change_request=_rounded,
    ),
    Flaw("agents_error_500", "an error among several results crashes", _AGENT, intercept=_crashes),
    *(
        Flaw(name, about, _SDK, change_chunks=_repeating(field, where))
        for name, about, field, where in _REPEATS
    ),
    Flaw(
        "agents_try_again",
        "a tool that fails may be tried once more",
        change_output=only(_failed, _tries_again),
    ),
    Flaw("agents_speak", "a text may come before each call", change_output=only(after(1), _spoken)),
    Flaw(
        "agents_type_repeated",
        "fragments may have the type once more, and a null for the id",
        change_chunks=_typed,
    ),
]
