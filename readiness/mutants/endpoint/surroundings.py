"""What stands around a request, such as earlier turns about other things, and what is asked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import chain
from re import Pattern
from typing import Any

from readiness.mutants.endpoint.answer import Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.prompt_template import template_pattern
from readiness.resources import prompts

_SAID = prompts("forms.yaml")
_ENDS = tuple(_SAID["after"].values())
_IRRELEVANT = frozenset(tool["function"]["name"] for tool in _SAID["tools"])


def core(request: Request) -> Request:
    """The request without what a perfect reader sees to have nothing to do with what is asked.

    Earlier turns about other things go, and so do texts for reference before the request, tools
    for other ends, and a response format that is the usual one. Content is plain text, and what a
    developer says is the system's message.
    """
    messages = [_told(_bare(each)) for each in _since_others(request["messages"])]
    left = {**request, "messages": messages}
    if tools := request.get("tools"):
        left["tools"] = [each for each in tools if _name(each) not in _IRRELEVANT]
    if left.get("response_format") == {"type": "text"}:
        del left["response_format"]
    return left


def _name(tool: dict[str, Any]) -> Any:
    return tool.get("function", {}).get("name")


def _told(message: dict[str, Any]) -> dict[str, Any]:
    return {**message, "role": "system"} if message["role"] == "developer" else message


def _bare(message: dict[str, Any]) -> dict[str, Any]:
    """A message as text alone, from where its text for reference ends."""
    if message.get("content") is None:
        return message
    text = text_of(message)
    if message["role"] == "user":
        ends = [at + len(end) for end in _ENDS if (at := text.rfind(end)) >= 0]
        text = text[max(ends, default=0) :].lstrip() if ends else text
    return {**message, "content": text}


def _since_others(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The system's messages, and those since the last turn about something else."""
    asked = [at for at, each in enumerate(messages) if each["role"] == "user"]
    others = [at for at in asked[:-1] if _is_other(text_of(messages[at]))]
    first = next((at for at in asked if at > max(others, default=-1)), 0)
    system = [each for each in messages[:first] if each["role"] in ("system", "developer")]
    return [*system, *messages[first:]]


def _is_other(text: str) -> bool:
    return len(text) < 200 and any(each.fullmatch(text) for each in _others())


@cache
def _others() -> Sequence[Pattern[str]]:
    turns = (asked for asked, *_ in chain.from_iterable(_SAID["turns"].values()))
    tools = (said[0] for key, said in _SAID["tool_turn"].items() if key != "name")
    return [template_pattern(each, lambda _name: r"\d+") for each in chain(turns, tools)]
