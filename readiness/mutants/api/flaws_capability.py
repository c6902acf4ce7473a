"""Endpoints that decline a feature once, and endpoints that take few parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from readiness.mutants.api.requests import EVERYWHERE, JSON
from readiness.mutants.endpoint.answer import (
    ModelOutput,
    ModelToolCall,
    Request,
    RequestError,
    SubstituteResponse,
)
from readiness.mutants.endpoint.engine import Engine
from readiness.mutants.endpoint.request_form import beside_tools, streamed
from readiness.mutants.flaw import Flaw

_THOUGHT = "I read what is asked, and then I answer."


def _by_schema(request: Request) -> bool:
    return (request.get("response_format") or {}).get("type") == "json_schema"


class _Once(Engine):
    """Declines the first request of a form, as a gateway that has no server for it."""

    status = 404
    declined = False

    def is_meant(self, request: Request) -> bool:
        """Whether a request has the form."""
        return False

    async def begin(self, request: Request) -> SubstituteResponse | None:
        """Begin a request, unless it is the first of the form."""
        refusal = await super().begin(request)
        if self.declined or not self.is_meant(request):
            return refusal
        self.declined = True
        body = RequestError("no server takes this request now", status=self.status).body
        return SubstituteResponse(self.status, body, JSON)


class _ToolsOnce(_Once):
    def is_meant(self, request: Request) -> bool:
        return beside_tools(request)


class _SchemaOnce(_Once):
    status = 501

    def is_meant(self, request: Request) -> bool:
        return _by_schema(request)


class _StreamOnce(_Once):
    status = 405

    def is_meant(self, request: Request) -> bool:
        return streamed(request)


class _Sharing(_ToolsOnce):
    """All calls of a tool have the arguments of the first."""

    @cached_property
    def arguments(self) -> dict[str, str]:
        """The first arguments, by tool."""
        return {}

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        if not answer.calls:
            return answer
        first = answer.calls[0]
        call = ModelToolCall(first.name, self.arguments.setdefault(first.name, first.arguments))
        return dataclasses.replace(answer, calls=(call,))


class _Unbound(_SchemaOnce):
    """A schema is no schema for the model."""

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        said = f"Here it is: {answer.content}" if _by_schema(request) else answer.content
        return dataclasses.replace(answer, content=said)


def _declines(wrong: Callable[[str, Any], bool]) -> Callable[[Request, int], Any]:
    """Decline the parameters that are wrong here, in OpenAI's words."""

    def refuses(request: Request, _turn: int) -> SubstituteResponse | None:
        name = next((name for name, value in request.items() if wrong(name, value)), "")
        if not name:
            return None
        told = f"Unsupported parameter: '{name}' is not supported with this model."
        return SubstituteResponse(400, RequestError(told, name, "unsupported_parameter").body, JSON)

    return refuses


_NO_STOP = _declines(lambda name, value: name == "stop" and value is not None)
#: What OpenAI's reasoning models take: other values, and other parameters, are declined.
_FIXED: Mapping[str, Any] = {"temperature": 1, "top_p": 1, "presence_penalty": 0,
                             "frequency_penalty": 0, "n": 1}  # fmt: skip
_NONE = ("max_tokens", "stop", "logprobs", "top_logprobs", "logit_bias", "parallel_tool_calls")


def _not_for_reasoning(name: str, value: Any) -> bool:
    if value is None:
        return False
    return name in _NONE or (name in _FIXED and value != _FIXED[name])


def _no_stop_in_streams(request: Request, turn: int) -> Any:
    """As of two engines behind one gateway, of which one has no stop sequences."""
    return _NO_STOP(request, turn) if streamed(request) else None


def _thinks(_request: Request, answer: ModelOutput, _turn: int) -> ModelOutput:
    return dataclasses.replace(answer, reasoning=_THOUGHT)


FLAWS = [
    Flaw(
        "tools_404_once_then_shared",
        "the first request with tools gets a 404; from then on, calls share their arguments",
        "api.tool_call_isolation",
        elsewhere=("tool_calling",),
        engine=_Sharing,
    ),
    Flaw(
        "schema_501_once_then_ignored",
        "the first request with a schema gets a 501; from then on, schemas are ignored",
        "api.sdk_parse",
        elsewhere=("json_only",),
        engine=_Unbound,
    ),
    Flaw(
        "stream_405_once_then_endless",
        "the first stream is declined with 405; from then on, none ends with [DONE]",
        "api.stream_ends_with_done",
        engine=_StreamOnce,
        elsewhere=EVERYWHERE,
        change_frames=lambda _request, frames: frames[:-1],
    ),
    Flaw(
        "stop_refused_in_streams",
        "stop sequences are honoured in whole replies, and refused in streams",
        "api.stop_sequence_honoured",
        intercept=_no_stop_in_streams,
    ),
    Flaw("tools_404_once", "a gateway had no server", engine=_ToolsOnce),
    Flaw("schema_501_once", "a gateway had no server", engine=_SchemaOnce),
    Flaw("stream_405_once", "a gateway had no server", engine=_StreamOnce),
    Flaw(
        "reasoning_model",
        "OpenAI's reasoning models take temperature 1 alone, no stop, and no older limit",
        intercept=_declines(_not_for_reasoning),
        change_output=_thinks,
    ),
    Flaw(
        "no_temperature",
        "a model whose sampling is fixed takes no sampling parameter",
        intercept=_declines(lambda name, _value: name in ("temperature", "top_p", "seed")),
    ),
    Flaw(
        "no_stop",
        "a server without stop sequences says so",
        intercept=_NO_STOP,
    ),
]
