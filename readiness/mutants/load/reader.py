"""The reader of load tests' requests: it records what it is to, and begins as it is to."""

from __future__ import annotations

import json
import re

from readiness.mutants.endpoint.answer import ModelOutput, ModelToolCall, Request
from readiness.mutants.endpoint.conversation import text_of

_RECORD = re.compile(r"code (\w+) and the number (\d+)")


#: The number of a ticket, and the first line of a module, with which a reply is to begin.
_TICKET = re.compile(r"【(\w+)】.*先写出[^。]*编号", re.DOTALL)
_MODULE = re.compile(r"(# \w+)\n.*begin it with the\s+first line", re.DOTALL)
_REST = "This is the reference endpoint, and it has read your message."


def answer(request: Request) -> ModelOutput | None:
    """Call the only tool as the message states, or begin as it does."""
    text = text_of(request["messages"][-1])
    if begun := _TICKET.match(text) or _MODULE.match(text):
        return ModelOutput(f"{begun[1]}\n{_REST}")
    return _recorded(request)


def _recorded(request: Request) -> ModelOutput | None:
    """Call the only tool with the code and the number that the message states."""
    tools, told = request.get("tools"), _RECORD.search(text_of(request["messages"][-1]))
    if not tools or told is None:
        return None
    tool = tools[0]["function"]
    if sorted(tool.get("parameters", {}).get("properties", {})) != ["code", "number"]:
        return None
    arguments = json.dumps({"code": told[1], "number": int(told[2])})
    return ModelOutput(None, (ModelToolCall(tool["name"], arguments),))
