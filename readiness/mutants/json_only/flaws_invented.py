"""Flaws that only records show which nobody has thought of: rare shapes and unlucky names."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from readiness.mutants.endpoint.answer import Answer, Request
from readiness.mutants.flaw import Flaw
from readiness.mutants.json_only.changes import Says, dumped, is_told


def _anywhere(change: Callable[[Any], Any]) -> Says:
    """Change every part of a reply that words alone asked for as JSON, the innermost first."""

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return change({key: changed(part) for key, part in value.items()})
        return change([changed(part) for part in value]) if isinstance(value, list) else value

    def says(request: Request, said: Answer, _turn: int) -> Answer:
        if not is_told(request):
            return said
        return replace(said, content=dumped(changed(json.loads(said.content or "null"))))

    return says


def _flat(value: Any) -> Any:
    """A list of lists becomes one list of all that is in them."""
    nested = isinstance(value, list) and all(isinstance(part, list) for part in value)
    return [each for part in value for each in part] if nested else value


def _unprototyped(value: Any) -> Any:
    """As servers do that guard JavaScript's objects against pollution."""
    if not isinstance(value, dict):
        return value
    return {key: part for key, part in value.items() if key != "__proto__"}


_CHECK = "json_only.holds_for_any_record"
FLAWS = [
    Flaw("json_lists_flat", "a list of lists comes as one list", _CHECK, _anywhere(_flat)),
    Flaw("json_proto_lost", "a member is lost by its name", _CHECK, _anywhere(_unprototyped)),
]
