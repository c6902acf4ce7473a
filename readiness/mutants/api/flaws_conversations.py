"""Flaws of the protocol's conversations: messages, or parts of them, that are lost on the way."""

from __future__ import annotations

from collections.abc import Callable

from readiness.mutants.api.requests import CRASH, asked, instead
from readiness.mutants.endpoint.answer import Request
from readiness.mutants.flaw import Flaw


def _last_alone(request: Request) -> Request:
    return {**request, "messages": request["messages"][-1:]}


def _without(role: str) -> Callable[[Request], Request]:
    """Lose all messages of one side."""

    def change(request: Request) -> Request:
        kept = [each for each in request["messages"] if each["role"] != role]
        return {**request, "messages": kept}

    return change


def _latest(request: Request) -> Request:
    return {**request, "messages": request["messages"][-50:]}


def _part(place: int) -> Callable[[Request], Request]:
    """Read one of the parts alone."""

    def change(request: Request) -> Request:
        (message,) = request["messages"]
        return {**request, "messages": [{**message, "content": [message["content"][place]]}]}

    return change


def _cut(start: int, end: int | None) -> Callable[[Request], Request]:
    """Read a part of the message alone."""

    def change(request: Request) -> Request:
        (message,) = request["messages"]
        return {**request, "messages": [{**message, "content": message["content"][start:end]}]}

    return change


def _until_token(request: Request) -> Request:
    (message,) = request["messages"]
    return {**request, "messages": [{**message, "content": message["content"].partition("<|")[0]}]}


FLAWS = [
    Flaw(
        "api_history_lost",
        "the last message alone is read",
        "api.remembers_turns",
        asks=asked("remembers_turns", _last_alone),
    ),
    Flaw(
        "api_assistant_lost",
        "what the assistant said before is not read",
        "api.remembers_turns",
        asks=asked("remembers_turns", _without("assistant")),
    ),
    Flaw(
        "api_system_lost",
        "system messages are not read",
        "api.remembers_turns",
        asks=asked("remembers_turns", _without("system")),
    ),
    Flaw(
        "api_system_lost_with_tools",
        "where there are tools, system messages are not read",
        "api.reads_instructions_with_tools",
        asks=asked("reads_instructions_with_tools", _without("system")),
    ),
    Flaw(
        "api_fifty_messages",
        "of a conversation, the last fifty messages are read",
        "api.remembers_turns",
        asks=asked("remembers_turns", _latest),
    ),
    Flaw(
        "api_first_part_alone",
        "the first text part alone is read",
        "api.reads_parts",
        asks=asked("reads_parts", _part(0)),
    ),
    Flaw(
        "api_last_part_alone",
        "the last text part alone is read",
        "api.reads_parts",
        asks=asked("reads_parts", _part(-1)),
    ),
    Flaw(
        "api_parts_crash",
        "text parts end in a 500",
        "api.reads_parts",
        refuses=instead("reads_parts", lambda _: CRASH),
    ),
    Flaw(
        "api_head_cut",
        "the head of a long message is lost",
        "api.reads_long_messages",
        asks=asked("reads_long_messages", _cut(-8_000, None)),
    ),
    Flaw(
        "api_tail_cut",
        "the tail of a long message is lost",
        "api.reads_long_messages",
        asks=asked("reads_long_messages", _cut(0, 8_000)),
    ),
    Flaw(
        "api_token_ends_message",
        "text that looks like a control token ends the message",
        "api.reads_past_special_tokens",
        asks=asked("reads_past_special_tokens", _until_token),
    ),
    Flaw(
        "api_null_content_crashes",
        "a tool call with content null ends in a 500, as with llama-cpp-python",
        "api.takes_tool_results",
        refuses=instead("takes_tool_results", lambda _: CRASH),
    ),
]
