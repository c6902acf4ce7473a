"""Harmless variants of JSON replies: other forms of the same document."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from readiness.mutants.endpoint.answer import Request
from readiness.mutants.flaw import Body, Flaw
from readiness.mutants.json_only.flaws import Says, dumped, is_asked, is_told, leaves


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(part) for part in value] if isinstance(value, list) else value


def _floated(leaf: Any) -> Any:
    # Beyond 2**53 a float is another number.
    return float(leaf) if type(leaf) is int and abs(leaf) < 2**53 else leaf


def _anyhow(change: Callable[[str], str]) -> Says:
    """Change the text of any reply that is JSON, by words or by format."""
    return lambda request, said, _turn: (
        replace(said, content=change(said.content or "")) if is_asked(request) else said
    )


def _formed(change: Callable[[str], Any]) -> Callable[[Request, Body], Body]:
    """Change the form of the content in a body that holds JSON."""

    def forms(request: Request, body: Body) -> Body:
        first, *others = body["choices"]
        message = {**first["message"], "content": change(first["message"]["content"])}
        return {**body, "choices": [{**first, "message": message}, *others]}

    return lambda request, body: forms(request, body) if is_told(request) else body


_HARMLESS = [
    ("json_newline_after", "white space around JSON is legal", lambda text: f"\r\n\t {text}\n"),
    (
        "json_keys_reversed",
        "members have no order",
        lambda text: dumped(_reversed(json.loads(text))),
    ),
    (
        "json_pretty",
        "so is white space in it",
        lambda text: json.dumps(json.loads(text), ensure_ascii=False, indent=4),
    ),
    (
        "json_compact",
        "and none",
        lambda text: json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":")),
    ),
    ("json_escaped", "any character may be escaped", lambda text: json.dumps(json.loads(text))),
    ("json_float", "1.0 is an integer", lambda text: dumped(leaves(json.loads(text), _floated))),
]

FLAWS = [
    *(Flaw(name, about, change_output=_anyhow(change)) for name, about, change in _HARMLESS),
    Flaw(
        "json_in_parts",
        "content may come as a list of parts",
        change_body=_formed(lambda text: [{"type": "text", "text": text}]),
    ),
]
