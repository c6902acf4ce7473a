"""What a record is made of: from the kinds of its fields to a JSON Schema and a value of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

#: One kind and its range, as in `{"integer": [1, 5]}`; objects and lists hold further specs.
Spec = Mapping[str, Any]


@dataclass(frozen=True)
class ValueSource:
    """Where values come from: the words of one language, and chance."""

    texts: Mapping[str, list[str]]
    random: Random


def schema_of(spec: Spec) -> dict[str, Any]:
    """The JSON Schema of a spec; every member is required, and no other is allowed."""
    kind, of = _kind(spec)
    if kind == "object":
        members = {key: schema_of(part) for key, part in of.items()}
        closed = {"required": list(members), "additionalProperties": False}
        return {"type": "object", "properties": members, **closed}
    if kind == "list":
        count = spec.get("exactly")
        exact = {} if count is None else {"minItems": count, "maxItems": count}
        return {"type": "array", "items": schema_of(of), **exact}
    if kind == "given":
        return {"type": [_GIVEN[type(of)], "null"]}
    if kind == "nullable":
        plain = schema_of(of)
        return {**plain, "type": [plain["type"], "null"]}
    more = {"choice": {"enum": of}, "date": {"format": "date"}}
    return {"type": _TYPES.get(kind, "string"), **more.get(kind, {})}


def with_definitions(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The same schema as data models are written in: with titles, and objects as definitions."""
    definitions: dict[str, Any] = {}
    return {**_titled(schema, definitions), "title": "Record", "$defs": definitions}


def _titled(schema: Mapping[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    members = {
        name: _referred(part, definitions) for name, part in schema.get("properties", {}).items()
    }
    return {**schema, "properties": members}


def _referred(schema: Mapping[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A part of a schema, in which each object is a reference."""
    if "items" in schema:
        return {**schema, "items": _referred(schema["items"], definitions)}
    if schema.get("type") != "object":
        return dict(schema)
    part = _titled(schema, definitions)
    name = f"Part{len(definitions) + 1}"
    definitions[name] = {**part, "title": name}
    return {"$ref": f"#/$defs/{name}"}


def value_of(spec: Spec, source: ValueSource) -> Any:
    """A random value of a spec."""
    kind, of = _kind(spec)
    if kind == "object":
        return {key: value_of(part, source) for key, part in of.items()}
    if kind == "list":
        count = spec.get("exactly", spec.get("count"))
        return [value_of(of, source) for _ in range(count)]
    if kind == "nullable":
        return None if source.random.random() < 0.5 else value_of(of, source)
    return _LEAVES[kind](of, source)


def _kind(spec: Spec) -> tuple[str, Any]:
    return next(iter(spec.items()))


def _number(of: Any, source: ValueSource) -> float:
    return round(source.random.uniform(*of), 2)


def _scientific(of: Any, source: ValueSource) -> float:
    return float(f"{source.random.uniform(1, 9.9):.2f}e{source.random.randint(*of)}")


def _date(of: Any, source: ValueSource) -> str:
    year, month, day = (source.random.randint(*ends) for ends in (of, (1, 12), (1, 28)))
    return f"{year}-{month:02}-{day:02}"


def _code(of: Any, source: ValueSource) -> str:
    return "".join(str(source.random.randrange(10)) if mark == "#" else mark for mark in of)


_TYPES = {"integer": "integer", "number": "number", "scientific": "number", "boolean": "boolean"}

#: The types of values that a spec itself gives; null is none of them, and a schema lets it in.
_GIVEN: Mapping[type, str] = {int: "integer", str: "string", bool: "boolean"}

_LEAVES: Mapping[str, Callable[[Any, ValueSource], Any]] = {
    "text": lambda of, source: source.random.choice(source.texts[of]),
    "choice": lambda of, source: source.random.choice(of),
    "boolean": lambda of, source: source.random.choice(of),
    "given": lambda of, source: of,
    "integer": lambda of, source: source.random.randint(*of),
    "number": _number,
    "scientific": _scientific,
    "date": _date,
    "code": _code,
}
