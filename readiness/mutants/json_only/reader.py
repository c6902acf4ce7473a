"""A perfect reader of prompts that ask for JSON: it knows what they say, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from readiness.mutants.endpoint.answer import Answer, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.json_only.facts import Facts, facts_in, filled, guessed
from readiness.mutants.json_only.shapes import Schema, json_in, shape_in
from readiness.resources import prompts

_REPEAT = tuple(prompts("json_only.yaml")["repeat"].values())


def answer(request: Request) -> Answer | None:
    """Answer a request for JSON; None where the request is about something else."""
    if request.get("tools"):
        return None
    wanted = wanted_format(request)
    system, said = _texts(request, ("system", "developer")), _texts(request, ("user",))
    if not wanted and "json" not in (system + said.partition("\n")[0]).lower():
        return None
    if said.startswith(_REPEAT):
        return Answer(json.dumps(json_in(said), ensure_ascii=False))
    shape, facts = shape_of(request), facts_in(said)
    if not wanted and not shape and not facts.any:
        return None
    return Answer(json.dumps(_value(shape, facts), ensure_ascii=False))


def wanted_format(request: Request) -> str:
    """The type of the response format that makes the reply JSON; "" where there is none."""
    wanted = request.get("response_format")
    kind = wanted.get("type") if isinstance(wanted, Mapping) else None
    return kind if kind in ("json_object", "json_schema") else ""


def shape_of(request: Request) -> Schema | None:
    """The shape that a request asks for, in its response format or in its texts."""
    if wanted_format(request) == "json_schema":
        schema: Schema = request["response_format"]["json_schema"]["schema"]
        return schema
    return shape_in(_texts(request, ("system", "developer")), _texts(request, ("user",)))


def facts_of(request: Request) -> Facts:
    """What the user states."""
    return facts_in(_texts(request, ("user",)))


def _value(shape: Schema | None, facts: Facts) -> Any:
    if shape is not None:
        return filled(shape, facts)
    return guessed(facts) if facts.any else {"ok": True}


def _texts(request: Request, roles: Sequence[str]) -> str:
    messages = request["messages"]
    return "\n".join(text_of(message) for message in messages if message["role"] in roles)
