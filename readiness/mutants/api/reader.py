"""Reads requests about code words: it knows those that the messages state, and no others."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from random import Random
from typing import Any

from readiness.mutants.endpoint.answer import ModelOutput, ModelToolCall, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.tools import named_tool

_STATED = re.compile(r"\bcode word is ([\w-]+)")
_ASKED = re.compile(r"\b(?:What is|Which are) the code words?\?")
_STORY = re.compile(r"\bmake up a story\b", re.I)
_DEEDS = ("sailed", "rowed", "anchored", "waited", "sang", "slept", "fished", "painted", "mended")
_WRITE = "Write the code word down."
_TEXT = re.compile(r"\bWrite exactly this text down: (.+)", re.DOTALL)
_TOOL = "write_down"


def answer(request: Request) -> ModelOutput | None:
    """Tell the code words, or write one down; None where the last message asks for neither."""
    messages = request["messages"]
    asked = text_of(messages[-1])
    if _STORY.search(asked):
        return ModelOutput(_story(request))
    if (text := _TEXT.search(asked)) and request.get("tools"):
        return ModelOutput(None, (ModelToolCall(_TOOL, json.dumps({"word": text[1]})),))
    stated = _STATED.findall("\n".join(map(_said, messages)))
    if _ASKED.search(asked):
        return ModelOutput(" ".join(stated) or "I do not know any code word.")
    if not (_WRITE in asked and stated):
        return None
    if not named_tool(request) and request.get("tool_choice") == "none":
        return ModelOutput(stated[-1])
    offered = [tool["function"]["name"] for tool in request.get("tools") or ()]
    arguments = json.dumps({"word": stated[-1]})
    return (
        ModelOutput(None, (ModelToolCall(_TOOL, arguments),))
        if _TOOL in offered
        else ModelOutput(stated[-1])
    )


def _story(request: Request) -> str:
    """A story, drawn by temperature and seed."""
    random = Random(repr([request.get("temperature"), request.get("seed")]))
    return " ".join(f"Then {random.choice('ABCDEF')}. {random.choice(_DEEDS)}." for _ in range(24))


def _said(message: Mapping[str, Any]) -> str:
    """A message's text, and the arguments of its calls."""
    calls = message.get("tool_calls") or ()
    return "\n".join([text_of(message), *(each["function"]["arguments"] for each in calls)])
