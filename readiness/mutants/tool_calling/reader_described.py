"""The reader of requests that only the descriptions of tools and of their arguments tell."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from readiness.mutants.endpoint.answer import ModelToolCall, Request
from readiness.mutants.endpoint.prompt_template import template_pattern
from readiness.resources import prompts

_SAID = prompts("tool_calling_described.yaml")
_SEARCH, _REGISTER = _SAID["search"], _SAID["register"]
_ITEM = re.compile(r"(\w+) \(([^)]+)\)")

Function = Mapping[str, Any]


def call_for(text: str, request: Request) -> ModelToolCall | None:
    """The call that a text asks for; None where it asks for nothing of this kind."""
    functions = [tool["function"] for tool in request.get("tools") or ()]
    return _search(text, functions) or _register(text, functions)


def _search(text: str, functions: Sequence[Function]) -> ModelToolCall | None:
    """The call of the tool whose description names the place; of the first one where none does."""
    asked = _match(_SEARCH["asks"], text)
    like = [each for each in functions if "reference" in _properties(each)]
    if not (asked and like):
        return None
    named = [each for each in like if re.search(rf"\b{asked['site']}\b", _description(each))]
    return _call((named or like)[0], {"reference": asked["reference"]})


def _register(text: str, functions: Sequence[Function]) -> ModelToolCall | None:
    asked = _match(_REGISTER["asks"], text)
    taking = [each for each in functions if "reason" in _properties(each)]
    if not (asked and taking):
        return None
    properties = _properties(taking[0])
    item = properties["items"]["items"]["properties"]
    items = [
        {"sku": sku, "condition": _code(item["condition"], "condition", said)}
        for sku, said in _ITEM.findall(asked["items"])
    ]
    reason = _code(properties["reason"], "reason", asked["reason"])
    return _call(taking[0], {"order": asked["order"], "reason": reason, "items": items})


def _match(asks: Mapping[str, str], text: str) -> re.Match[str] | None:
    return next((found for each in asks.values() if (found := _pattern(each).search(text))), None)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    pieces = {"site": r"[A-Z]\w+", "reference": r"RF-\d+", "order": r"RT-\d+"}
    return template_pattern(template, lambda name: pieces.get(name, r"[^;；。\n]+?"))


def _properties(function: Function) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (function.get("parameters") or {}).get("properties") or {}
    return found


def _description(described: Mapping[str, Any]) -> str:
    return str(described.get("description") or "")


def _code(schema: Mapping[str, Any], name: str, said: str) -> str:
    """The code that a description says to stand for something; the first one where none does."""
    meant: Mapping[str, str] = next((each for each in _REGISTER[name] if said in each.values()), {})
    stated = re.findall(r"(\w+) = ([^;]+?)(?=;|\.$|$)", _description(schema))
    codes: Sequence[str] = schema["enum"]
    return next(
        (code for code, words in stated if words in meant.values() and code in codes), codes[0]
    )


def _call(function: Function, arguments: Mapping[str, Any]) -> ModelToolCall:
    return ModelToolCall(str(function["name"]), json.dumps(arguments, ensure_ascii=False))
