"""What flaws of JSON replies have in common: which replies they change, and which parts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from readiness.mutants.endpoint.answer import Answer, Request
from readiness.mutants.json_only.reader import answer, wanted_format

Says = Callable[[Request, Answer, int], Answer]


def is_asked(request: Request) -> bool:
    """Whether the reply is to be JSON, by words or by format."""
    return answer(request) is not None


def is_told(request: Request) -> bool:
    """Whether words alone ask for JSON."""
    return not wanted_format(request) and answer(request) is not None


def dumped(value: Any) -> str:
    """JSON as a model writes it."""
    return json.dumps(value, ensure_ascii=False)


def leaves(value: Any, change: Callable[[Any], Any]) -> Any:
    """Change every leaf, at any depth."""
    if isinstance(value, dict):
        return {key: leaves(part, change) for key, part in value.items()}
    return [leaves(part, change) for part in value] if isinstance(value, list) else change(value)


def objects(value: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """Change the objects at the top: the one, or those of the array."""
    if isinstance(value, list):
        return [objects(part, change) for part in value]
    return change(value) if isinstance(value, dict) else value


def lists(value: Any, change: Callable[[list[Any]], list[Any]]) -> Any:
    """Change every list of several objects, at any depth."""
    if isinstance(value, dict):
        return {key: lists(part, change) for key, part in value.items()}
    records = isinstance(value, list) and len(value) > 1 and isinstance(value[0], dict)
    return change(value) if records else value


def members_of(said: Answer) -> dict[str, Any]:
    """The members of the object that was answered; none where it was anything else."""
    value = json.loads(said.content or "null")
    return value if isinstance(value, dict) else {}
