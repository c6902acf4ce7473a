"""Probes of hostile requests: too large, too many, too deep, too long."""

from __future__ import annotations

import json
from typing import Any

from readiness.chat import Dialect
from readiness.checks.api.probes import BUDGET, PROMPTS
from readiness.exchange import Call, Repeated
from readiness.probe import Probe

NEIGHBOUR = PROMPTS["neighbour"]
#: Above the window by a tenth, for a word takes a token at the least.
OVERLONG = 1.1


def heavy(name: str) -> list[Probe]:
    """The probe of one kind of hostile request, whose neighbour is an ordinary one."""
    return [Probe(f"api.{name}.01@v1", PROMPTS[name]["messages"], budget=BUDGET)]


def nested() -> list[Probe]:
    """Probes with values nested in one another, to each of the depths."""
    said = PROMPTS["survives_deep_nesting"]
    return [
        Probe(f"api.survives_deep_nesting.{depth}@v1", said["messages"], {"depth": depth})
        for depth in said["depths"]
    ]


def padded(probe: Probe, dialect: Dialect) -> Call:
    """A right request with megabytes of white space before its last brace."""
    body = json.dumps(dialect.request(probe.messages, probe.budget, {}), ensure_ascii=False)
    return Call(Repeated(body[:-1], " ", PROMPTS["survives_a_huge_body"]["size"] - len(body), "}"))


def many_tools(probe: Probe, dialect: Dialect) -> Call:
    """A request that offers thousands of tools."""
    tools = [_tool(at) for at in range(PROMPTS["survives_many_tools"]["count"])]
    return Call(dialect.request(probe.messages, probe.budget, {"tools": tools}))


def deep(probe: Probe, dialect: Dialect) -> Call:
    """A request with arrays nested in one another, where no array belongs."""
    body = json.dumps(dialect.request(probe.messages, probe.budget, {}), ensure_ascii=False)
    depth = probe.expect["depth"]
    return Call(f'{body[:-1]}, "metadata": {"[" * depth}{"]" * depth}}}'.encode())


def overlong(window: int, dialect: Dialect) -> Call:
    """A request with more tokens than the window has."""
    said = PROMPTS["overlong"]
    messages = [{"role": "user", "content": said["word"] + said["question"]}]
    head, word, tail = json.dumps(dialect.request(messages, 8, {})).partition(said["word"])
    return Call(Repeated(head, word, int(window * OVERLONG), tail))


def _tool(at: int) -> dict[str, Any]:
    return {"type": "function", "function": {"name": f"tool_{at}"}}
