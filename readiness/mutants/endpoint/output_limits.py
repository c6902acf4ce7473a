"""The limits of a request applied to the output: stop sequences and the token limit."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from readiness.mutants.endpoint.answer import ModelOutput, ModelToolCall, Request
from readiness.mutants.endpoint.protocol import WINDOW, most_tokens
from readiness.mutants.endpoint.tokens import count, tokens
from readiness.mutants.endpoint.tools import named_tool

# The tokens of a call's template, besides its name and arguments.
_PER_CALL = 3


@dataclass(frozen=True)
class LimitedOutput:
    """An output within its limits, with its tokens; `reasoned` is part of `tokens`."""

    answer: ModelOutput
    finish: str
    tokens: int
    reasoned: int


def limited(request: Request, answer: ModelOutput, prompt: int) -> LimitedOutput:
    """Cut the output at a stop sequence or at the token limit."""
    stopped = dataclasses.replace(answer, content=_until_stop(request, answer.content))
    room = min(most_tokens(request) or WINDOW, WINDOW - prompt)
    reasoned, spoken = count(stopped.reasoning), _taken(stopped)
    if reasoned + spoken <= room:
        return LimitedOutput(
            stopped, answer.finish or _finish(request, answer), reasoned + spoken, reasoned
        )
    cut = _cut(stopped, room)
    return LimitedOutput(cut, answer.finish or "length", room, min(reasoned, room))


def _taken(answer: ModelOutput) -> int:
    calls = sum(_PER_CALL + count(call.name) + count(call.arguments) for call in answer.calls)
    return count(answer.content or "") + calls


def _finish(request: Request, answer: ModelOutput) -> str:
    # OpenAI sends "stop" if the request names the function (vLLM pull request 25054).
    return "tool_calls" if answer.calls and not named_tool(request) else "stop"


def _until_stop(request: Request, content: str | None) -> str | None:
    stop = request.get("stop")
    if not (content and stop):
        return content
    places = [content.find(text) for text in ([stop] if isinstance(stop, str) else stop)]
    return content[: min((place for place in places if place >= 0), default=len(content))]


def _cut(answer: ModelOutput, room: int) -> ModelOutput:
    """The start of an output: first the reasoning, then the text, then the calls."""
    reasoning, room = _head(answer.reasoning, room)
    content, room = _head(answer.content or "", room)
    calls: list[ModelToolCall] = []
    for call in answer.calls:
        arguments, left = _head(call.arguments, room - _PER_CALL - count(call.name))
        if left >= 0 and room > 0:
            calls.append(ModelToolCall(call.name, arguments))
        room = left
    said = None if answer.content is None else content
    return ModelOutput(said, tuple(calls), reasoning, answer.finish)


def _head(text: str, room: int) -> tuple[str, int]:
    all_of_it = tokens(text)
    return "".join(all_of_it[: max(room, 0)]), room - len(all_of_it)
