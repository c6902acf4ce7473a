"""Harmless variants of reasoning: when models reason, whether it is shown, and who keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from readiness.mutants.endpoint.answer import ModelOutput, Request, RequestError, SubstituteResponse
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.flaw import Body, Flaw

FIELD = "reasoning_content"
_STEP = "First I look at what is asked, then at what is known of it, and weigh the two. "
#: Reasoning that takes more tokens than most replies may have.
LONG_THOUGHT = _STEP * 20
_LONG_MESSAGE, _MANY_MESSAGES = 300, 20


def hard(request: Request) -> bool:
    """Whether a request takes thought: it is long, or there is much before it."""
    messages = request["messages"]
    return len(messages) >= _MANY_MESSAGES or len(text_of(messages[-1])) >= _LONG_MESSAGE


def thinks(_request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """The model reasons before each reply."""
    return replace(said, reasoning=_STEP)


def _thinks_if_hard(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    return replace(said, reasoning=LONG_THOUGHT) if hard(request) else said


def since_user(request: Request) -> Sequence[Mapping[str, Any]]:
    """The messages since the user's last turn."""
    messages: Sequence[Mapping[str, Any]] = request["messages"]
    last = max((at for at, each in enumerate(messages) if each["role"] == "user"), default=-1)
    return messages[last + 1 :]


def _rejects(message: str) -> SubstituteResponse:
    body = RequestError(message, "messages").body
    return SubstituteResponse(400, body, {"Content-Type": "application/json"})


def _demands(request: Request, _turn: int) -> SubstituteResponse | None:
    """As DeepSeek does: calls come back with their reasoning."""
    calls = [each for each in since_user(request) if each.get("tool_calls")]
    if all(each.get(FIELD) for each in calls):
        return None
    return _rejects(f"'{FIELD}' is missing in a message with tool calls")


def _rejects_old(request: Request, _turn: int) -> SubstituteResponse | None:
    """Reasoning has no place before the user's last turn."""
    old = request["messages"][: len(request["messages"]) - len(since_user(request))]
    if any(FIELD in each for each in old):
        return _rejects(f"'{FIELD}' is only allowed since the last message of the user")
    return None


def _rejects_any(request: Request, _turn: int) -> SubstituteResponse | None:
    known = any(FIELD in each for each in request["messages"])
    return _rejects(f"unknown field '{FIELD}'") if known else None


def _hidden(_request: Request, body: Body) -> Body:
    choices = [
        {**each, "message": {key: of for key, of in each["message"].items() if key != FIELD}}
        for each in body["choices"]
    ]
    return {**body, "choices": choices}


def _hidden_chunks(_request: Request, chunks: list[Body]) -> list[Body]:
    shown = [any(FIELD in each["delta"] for each in chunk["choices"]) for chunk in chunks]
    return [chunk for chunk, out in zip(chunks, shown, strict=True) if not out]


FLAWS = [
    Flaw("reasons_if_hard", "a model may reason only where it must", change_output=_thinks_if_hard),
    Flaw(
        "reasoning_hidden",
        "reasoning may be counted and not shown",
        change_output=_thinks_if_hard,
        change_body=_hidden,
        change_chunks=_hidden_chunks,
    ),
    Flaw(
        "reasoning_demanded",
        "a call may have to come back with its reasoning",
        change_output=thinks,
        intercept=_demands,
    ),
    Flaw(
        "reasoning_rejected_later",
        "and without it once the user has said more",
        change_output=thinks,
        intercept=_rejects_old,
    ),
    Flaw(
        "reasoning_rejected",
        "or without it at any time",
        change_output=thinks,
        intercept=_rejects_any,
    ),
]
