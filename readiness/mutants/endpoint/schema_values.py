"""Values changed by their JSON Schema, as a grammar that reads it otherwise would."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import takewhile
from typing import Any

Schema = Mapping[str, Any]
#: What becomes of a value by its schema.
Change = Callable[[Any, Schema], Any]


def within(value: Any, schema: Schema, change: Change) -> Any:
    """Change what stands in an object or a list."""
    if isinstance(value, dict):
        members = schema.get("properties") or {}
        return {key: change(of, members.get(key, {})) for key, of in value.items()}
    if isinstance(value, list):
        return [change(of, schema.get("items") or {}) for of in value]
    return value


def after_gap_lost(value: Any, schema: Schema) -> Any:
    """A grammar that knows one order: behind what is left out, nothing optional can come."""
    inner = within(value, schema, after_gap_lost)
    members, required = schema.get("properties") or {}, schema.get("required", ())
    if not (isinstance(inner, dict) and members):
        return inner
    reached = {*takewhile(lambda key: key in inner or key in required, members)}
    return {key: of for key, of in inner.items() if key in required or key in reached}
