"""Flaws of long system messages: their head or their middle is lost, whatever the usage says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.model import answer
from readiness.mutants.endpoint.request_form import Says, begins_with_system
from readiness.mutants.endpoint.tokens import tokens
from readiness.mutants.flaw import Flaw

_CHECK = "api.long_system_message_read"
_LONG, _KEPT = 4_000, 1_500
#: What else has long system messages.
_ELSEWHERE = ("json_only", "memory", "tool_calling")

Message = Mapping[str, Any]


def _tail(words: Sequence[str]) -> Sequence[str]:
    return words[-_LONG:]


def _ends(words: Sequence[str]) -> Sequence[str]:
    return [*words[:_KEPT], *words[-_KEPT:]]


def _without_middle(words: Sequence[str]) -> Sequence[str]:
    third = len(words) // 3
    return [*words[:third], *words[-third:]]


def _cut(message: Message, keep: Callable[[Sequence[str]], Sequence[str]]) -> Message:
    if not _is_long(message):
        return message
    return {**message, "content": "".join(keep(tokens(text_of(message))))}


def _is_long(message: Message) -> bool:
    return message["role"] == "system" and len(tokens(text_of(message))) > _LONG


def _asks(keep: Callable[[Sequence[str]], Sequence[str]]) -> Callable[[Request], Request]:
    """Cut a long system message before it is counted."""
    return lambda request: (
        {**request, "messages": [_cut(each, keep) for each in request["messages"]]}
        if begins_with_system(request)
        and all(isinstance(each, dict) and "role" in each for each in request["messages"])
        else request
    )


def _says(keep: Callable[[Sequence[str]], Sequence[str]]) -> Says:
    """Cut a long system message after it was counted."""

    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        cut = [_cut(each, keep) for each in request["messages"]]
        return said if cut == request["messages"] else answer({**request, "messages": cut})

    return says


def _as_user(request: Request) -> Request:
    """As templates without a system role have it: before what the user says first."""
    if not begins_with_system(request) or len(request["messages"]) < 2:
        return request
    system, first, *others = request["messages"]
    if not _is_long(system):
        return request
    texts = [each.get("content") if isinstance(each, dict) else None for each in (system, first)]
    if not all(isinstance(of, str) for of in texts) or first.get("role") != "user":
        return request
    return {**request, "messages": [{**first, "content": "\n\n".join(map(str, texts))}, *others]}


FLAWS = [
    Flaw(
        "system_head_lost",
        "of a system message, the last 4,000 tokens are read",
        _CHECK,
        elsewhere=_ELSEWHERE,
        change_request=_asks(_tail),
    ),
    Flaw(
        "system_head_lost_and_counted",
        "of a system message, the last 4,000 tokens are read, and all are counted",
        _CHECK,
        elsewhere=_ELSEWHERE,
        change_output=_says(_tail),
    ),
    Flaw(
        "system_middle_lost",
        "of a system message beyond 4,000 tokens, 1,500 at each end are read",
        _CHECK,
        elsewhere=_ELSEWHERE,
        change_output=_says(_ends),
    ),
    Flaw(
        "system_middle_third_lost",
        "the middle third of a long system message is left out",
        _CHECK,
        elsewhere=_ELSEWHERE,
        change_output=_says(_without_middle),
    ),
    Flaw(
        "system_as_user",
        "a long system message may be put before what the user says first",
        change_request=_as_user,
    ),
]
