"""Flaws of texts that look like what templates, parsers and agents' programs look for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from readiness.mutants.api.requests import asked, valid
from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.flaw import Body, Flaw

_COPIES, _MARKUP = "api.stream_matches_whole", "api.markup_in_text_kept"
_MESSAGES = "api.all_messages_read"
_CONTROL = re.compile(r"<\|\w+\|>|\[/?[A-Z]+_[A-Z]+\]")
_BLOCK = re.compile(r"^```\w*\n|^```$\n?", re.MULTILINE)
_TAG = 8  # letters
_THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL)

Change = Callable[[str], str]


def _in_text(change: Change) -> dict[str, Any]:
    """Change the text of each reply."""
    return {
        "change_output": lambda _request, of, _turn: (
            replace(of, content=change(of.content)) if of.content else of
        )
    }


def _in_arguments(change: Change) -> dict[str, Any]:
    """Change the arguments of each call."""
    return {
        "change_output": lambda _request, of, _turn: replace(
            of, calls=tuple(replace(each, arguments=change(each.arguments)) for each in of.calls)
        )
    }


def _thought_first(_request: Request, of: ModelOutput, _turn: int) -> ModelOutput:
    """What stands before the end of reasoning is reasoning, wherever it stands."""
    thought, end, rest = (of.content or "").partition("</think>")
    return replace(of, content=rest, reasoning=thought) if end else of


def _said_by_user(change: Change) -> dict[str, Any]:
    """Another text of what the user says reaches the model."""

    def changed(request: Request) -> Request:
        messages = [
            {**each, "content": change(each["content"])}
            if each["role"] == "user" and isinstance(each["content"], str)
            else each
            for each in request["messages"]
        ]
        return {**request, "messages": messages}

    return {"change_request": asked(valid, changed)}


def _held_back(request: Request, made: list[Body]) -> list[Body]:
    """As parsers of calls do, which cannot tell the beginning of a tag from any other text."""
    if request.get("logprobs") or (request.get("n") or 1) > 1:
        return made
    sent, held = list[Body](), ""
    for chunk in made:
        for choice in chunk["choices"]:
            text = held + (choice["delta"].get("content") or "")
            begun = text.rfind("<")
            waits = begun >= 0 and len(text) - begun < _TAG and not choice["finish_reason"]
            held = text[begun:] if waits else ""
            if text:
                choice["delta"]["content"] = text.removesuffix(held)
        sent.append(chunk)
    return sent


FLAWS = [
    Flaw(
        "markup_thoughts_lost",
        "what stands from <think> to </think> is lost",
        _MARKUP,
        **_in_text(lambda text: _THOUGHT.sub("", text)),
    ),
    Flaw(
        "markup_thought_first",
        "a text up to </think> is taken for reasoning",
        _MARKUP,
        change_output=_thought_first,
    ),
    Flaw(
        "markup_calls_lost",
        "what stands from <tool_call> on is lost",
        _MARKUP,
        **_in_text(lambda text: text.partition("<tool_call>")[0]),
    ),
    Flaw(
        "markup_tokens_lost",
        "control tokens of templates are lost",
        _MARKUP,
        **_in_text(lambda text: _CONTROL.sub("", text)),
    ),
    Flaw(
        "markup_parameter_ends",
        "an argument ends at </parameter>",
        _MARKUP,
        **_in_arguments(lambda text: re.sub(r'</parameter>[^"]*', "", text)),
    ),
    Flaw(
        "markup_action_ends",
        "a text ends where an agent is told what it observes",
        _COPIES,
        **_in_text(lambda text: text.partition("Observation:")[0]),
    ),
    Flaw(
        "markup_unfenced",
        "blocks of code lose their fences",
        _COPIES,
        **_in_text(lambda text: _BLOCK.sub("", text)),
    ),
    Flaw(
        "markup_user_thoughts_lost",
        "of what a user says, what stands in <think> is lost",
        _MESSAGES,
        **_said_by_user(lambda text: _THOUGHT.sub("", text)),
    ),
    Flaw(
        "markup_user_call_ends",
        "what a user says ends where a call seems to begin",
        _MESSAGES,
        **_said_by_user(lambda text: text.partition("<tool_call>")[0]),
    ),
    Flaw(
        "markup_user_function_lost",
        "of what a user says, lines with <function= are lost",
        _MESSAGES,
        **_said_by_user(lambda text: re.sub(r"(?m)^.*<function=.*$", "", text)),
    ),
    Flaw(
        "markup_held_back",
        "what may begin a tag may wait in a stream for what follows",
        change_chunks=_held_back,
    ),
]
