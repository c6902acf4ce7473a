"""How a prompt shows the shape that JSON is to have, and the data that is to go in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

#: The words of one language in prompts/json_only.yaml.
Words = Mapping[str, Any]

#: A list of that many records is shown as a table.
TABLE = 3


def shown(phrasing: str, schema: Mapping[str, Any]) -> str:
    """The shape as the phrasing shows it, below the instruction; "" where words do it."""
    if phrasing == "schema":
        return "\n" + json.dumps(schema, ensure_ascii=False)
    if phrasing == "typescript":
        return f"\ntype Reply = {_typescript(schema, '')};"
    if phrasing == "example":
        return "\n" + json.dumps(_example(schema), ensure_ascii=False)
    return ""


def in_words(schema: Mapping[str, Any], words: Words) -> list[str]:
    """The lines that describe a shape in words."""
    if schema["type"] == "object":
        return [words["fields"], *_fields(schema, words, "")]
    whole = words["whole"].format(type=_named(schema, words))
    members = list(_fields(schema["items"], words, ""))
    return [whole, *([words["fields"]] if members else []), *members]


def facts(value: Any, words: Words) -> list[str]:
    """The lines that state a value, leaf by leaf; a long list of records is a table."""
    return [words["data"], *_facts(value, words, "")]


def fact(path: str, value: Any, words: Words) -> str:
    """The line that states the value of one leaf."""
    return str(words["datum"].format(path=path, value=_spoken(value, words)))


def _fields(schema: Mapping[str, Any], words: Words, indent: str) -> Iterator[str]:
    for key, part in schema.get("properties", {}).items():
        yield indent + words["field"].format(key=key, type=_named(part, words))
        yield from _fields(part.get("items", part), words, indent + "  ")


def _named(schema: Mapping[str, Any], words: Words) -> str:
    """The type in words."""
    kind, types = schema["type"], words["types"]
    if isinstance(kind, list):
        plain = _named({**schema, "type": kind[0]}, words)
        return str(words["nullable"].format(type=plain))
    if "enum" in schema:
        values = ", ".join(f'"{value}"' for value in schema["enum"])
        return str(words["choice"].format(values=values))
    if kind == "array":
        return str(types[f"{schema['items']['type']}s"])
    return str(types[schema.get("format", kind)])


def _typescript(schema: Mapping[str, Any], indent: str) -> str:
    kind = schema["type"]
    if isinstance(kind, list):
        return f"{_typescript({**schema, 'type': kind[0]}, indent)} | null"
    if "enum" in schema:
        return " | ".join(f'"{value}"' for value in schema["enum"])
    if kind == "array":
        return f"{_typescript(schema['items'], indent)}[]"
    if kind == "object":
        inner = indent + "  "
        members = [
            f"{inner}{key if key.isascii() else json.dumps(key, ensure_ascii=False)}: "
            f"{_typescript(part, inner)};\n"
            for key, part in schema["properties"].items()
        ]
        return "{\n" + "".join(members) + indent + "}" if members else "{}"
    notes = {"integer": "number /* integer */", "date": "string /* YYYY-MM-DD */"}
    return str(notes.get(schema.get("format", kind), kind))


def _example(schema: Mapping[str, Any]) -> Any:
    kind = schema["type"]
    if kind == "object":
        return {key: _example(part) for key, part in schema["properties"].items()}
    if kind == "array":
        return [_example(schema["items"])]
    values = {"string": "abc", "integer": 1, "number": 0.5, "boolean": True, "date": "2020-01-31"}
    plain = kind[0] if isinstance(kind, list) else kind
    return schema["enum"][0] if "enum" in schema else values[schema.get("format", plain)]


def _facts(value: Any, words: Words, path: str) -> Iterator[str]:
    if _is_table(value):
        yield " | ".join(value[0])
        for record in value:
            yield " | ".join(_spoken(cell, words) for cell in record.values())
    elif isinstance(value, dict) and value:
        for key, part in value.items():
            yield from _facts(part, words, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and (not path or isinstance(value[0], dict | list)):
        for at, part in enumerate(value, 1):
            yield from _facts(part, words, f"{path}.{at}" if path else str(at))
    else:
        yield fact(path, value, words)


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and len(value) >= TABLE and isinstance(value[0], dict)


def _spoken(value: Any, words: Words) -> str:
    """A leaf as the data states it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(words["yes" if value else "no"])
    if isinstance(value, list) and value:
        return "; ".join(_spoken(part, words) for part in value)
    if isinstance(value, list | dict):
        return str(words["empty"])
    if value == "":
        return '""'
    return str(value).replace("\n", "⏎").replace("\t", "⇥")
