"""Flaws of long arguments, which parsers of calls cut or break, and harmless differences."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from readiness.mutants.api.requests import choice_of
from readiness.mutants.endpoint.answer import ModelOutput, ModelToolCall, Request
from readiness.mutants.endpoint.request_form import Says, Where, only, streamed, unstreamed
from readiness.mutants.flaw import Body, Flaw
from readiness.mutants.tool_calling.requests import dumped, fragments, with_calls

_VALUES = "tool_calling.extreme_argument_values"
#: The characters that a parser's buffer holds.
_SMALL, _LARGE = 2_048, 4_096


def _any(_request: Request) -> bool:
    return True


def _written(change: Callable[[str], str], where: Where = _any) -> Says:
    """Change the arguments of calls as they are written."""

    def changed(call: ModelToolCall) -> ModelToolCall:
        return replace(call, arguments=change(call.arguments))

    return only(
        where, lambda _request, said, _turn: replace(said, calls=tuple(map(changed, said.calls)))
    )


def _texts(change: Callable[[str], str]) -> Callable[[str], str]:
    """Change the texts among arguments, which stay JSON."""

    def changed(written: str) -> str:
        values = json.loads(written)
        return dumped(
            {key: change(of) if isinstance(of, str) else of for key, of in values.items()}
        )

    return changed


def _without_block(written: str) -> str:
    """A part is lost where one buffer is full and the next begins."""
    return written[:_LARGE] + written[_LARGE + 256 :]


def _as_text(_request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """A call that a parser has no room for comes as text."""
    long = [call for call in said.calls if len(call.arguments) > _LARGE]
    return ModelOutput(long[0].arguments) if long else said


def _until(most: int) -> Callable[[Request, list[Body]], list[Body]]:
    """Of streamed arguments, so many characters are sent."""

    def cut(_request: Request, made: list[Body]) -> list[Body]:
        sent = 0

        def kept(call: Body) -> Body:
            nonlocal sent
            function = call.get("function", {})
            text = function.get("arguments", "")[: max(most - sent, 0)]
            sent += len(text)
            return {**call, "function": {**function, "arguments": text}} if function else call

        return [with_calls(each, "delta", kept) if fragments(each) else each for each in made]

    return cut


def _joined(_request: Request, made: list[Body]) -> list[Body]:
    """Long arguments come in one fragment, as from a parser that waits for their end."""
    parts = [each for each in made for of in fragments(each) if "id" not in of]
    text = "".join(of["function"]["arguments"] for each in parts for of in fragments(each))
    if len(text) <= _LARGE or any(len(each["choices"]) != 1 for each in parts):
        return made
    only_part = fragments(parts[0])[0]
    call = {**only_part, "function": {**only_part["function"], "arguments": text}}
    first = choice_of(parts[0], lambda of: {**of, "delta": {"tool_calls": [call]}})
    later = {id(each) for each in parts[1:]}  # Two of them may be equal.
    return [first if each is parts[0] else each for each in made if id(each) not in later]


_BROKEN: list[tuple[str, str, dict[str, Any]]] = [
    ("cut_2048", "arguments end after 2,048 characters",
     {"change_output": _written(lambda text: text[:_SMALL])}),
    ("cut_4096", "arguments end after 4,096 characters where the reply is whole",
     {"change_output": _written(lambda text: text[:_LARGE], unstreamed)}),
    ("cut_4096_streamed", "streamed arguments end after 4,096 characters",
     {"change_chunks": _until(_LARGE)}),
    ("values_cut", "a text among arguments ends after 4,096 characters",
     {"change_output": _written(_texts(lambda text: text[:_LARGE]))}),
    ("values_cut_streamed", "a text among streamed arguments ends after 2,048 characters",
     {"change_output": _written(_texts(lambda text: text[:_SMALL]), streamed)}),
    ("block_lost", "beyond 4,096 characters, a part of the arguments is lost",
     {"change_output": _written(_without_block)}),
    ("as_text", "a call with arguments of more than 4,096 characters comes as text",
     {"change_output": _as_text}),
    ("emptied", "arguments of more than 4,096 characters come as {}",
     {"change_output": _written(lambda text: text if len(text) <= _LARGE else "{}")}),
]  # fmt: skip

FLAWS = [
    *(Flaw(f"long_arguments_{name}", about, _VALUES, **hooks) for name, about, hooks in _BROKEN),
    Flaw(
        "long_arguments_in_one_fragment",
        "long arguments may come in one fragment",
        change_chunks=_joined,
    ),
    Flaw(
        "long_arguments_indented",
        "arguments may be indented",
        change_output=_written(lambda text: json.dumps(json.loads(text), indent=2)),
    ),
]
