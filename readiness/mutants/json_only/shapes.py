"""The shape that a prompt asks for, read from however it is shown, as a JSON Schema."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator

from readiness.resources import prompts

Schema = dict[str, Any]

WORDS = prompts("json_only.yaml")["words"].values()

_FIELD = re.compile(r"^( *)- ([^\s:：（(]+) ?[（(](.+)[)）]$", re.MULTILINE)
_INLINE = re.compile(r"[a-z_]+(?:(?:, ?|、)[a-z_]+){2,}")
_TYPESCRIPT = re.compile(r"^type \w+ = (.+)", re.MULTILINE | re.DOTALL)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|/\*.*?\*/|[{}\[\];:|]|[^\s{}\[\];:|"]+')
_TYPES = {str: "string", bool: "boolean", int: "number", float: "number"}
_LETTERED = {"age": "integer"}


def shape_in(system: str, said: str) -> Schema | None:
    """The shape that the texts of the system and of the user ask for; None where they show none."""
    if found := _TYPESCRIPT.search(system):
        return _union(_tokens(found[1]))
    if (shown := json_in(system)) is not None:
        return shown if _is_schema(json.dumps(shown)) else _like(shown)
    whole = next((found[1] for way in _WHOLE if (found := re.search(way, said, re.M))), "")
    fields = _FIELD.findall(said)
    if whole or fields:
        return _described(whole, fields)
    asking = "\n".join(line for line in said.split("\n") if "json" in line.lower())
    if inline := _INLINE.findall(asking):
        keys = re.split(r", ?|、", inline[-1])
        return _closed({key: {"type": _LETTERED.get(key, "string")} for key in keys})
    return None


def json_in(text: str) -> Any:
    """The first object or array that stands in a text; None where there is none."""
    for start in re.finditer(r"[{\[]", text):
        try:
            return json.JSONDecoder().raw_decode(text, start.start())[0]
        except ValueError:
            continue
    return None


@lru_cache(maxsize=1024)
def _is_schema(shown: str) -> bool:
    """Whether JSON is a schema; one out of which something was cut may be none."""
    schema = json.loads(shown)
    if not isinstance(schema, dict) or schema.get("type") not in ("object", "array"):
        return False
    return Draft202012Validator(Draft202012Validator.META_SCHEMA).is_valid(schema)


def _closed(members: dict[str, Schema]) -> Schema:
    return {"type": "object", "properties": members}


def _like(example: Any) -> Schema:
    """The shape of which an example is one."""
    if isinstance(example, dict):
        return _closed({key: _like(part) for key, part in example.items()})
    if isinstance(example, list):
        return {"type": "array", "items": _like(example[0] if example else "")}
    return {"type": [_TYPES.get(type(example), "null"), "null"]}


def _named() -> Iterator[tuple[str, Schema]]:
    """Every type that has a name in some language, and the name with "or null"."""
    for words in WORDS:
        for name, kind in words["types"].items():
            one = {"type": "string"} if name == "date" else {"type": name}
            shape = one
            if name.endswith("s"):
                item = _closed({}) if name == "objects" else {"type": name[:-1]}
                shape = {"type": "array", "items": item}
            elif name == "object":
                shape = _closed({})
            yield kind, shape
            yield words["nullable"].format(type=kind), {**shape, "type": [shape["type"], "null"]}


_NAMED = {name: json.dumps(shape) for name, shape in _named()}
_WHOLE = [re.escape(words["whole"]).replace(r"\{type\}", "(.+)") for words in WORDS]


def _type(name: str) -> Schema:
    """The type of that name; a choice is told by its quotes."""
    if name in _NAMED:
        shape: Schema = json.loads(_NAMED[name])
        return shape
    choices = re.findall(r'"([^"]*)"', name)
    return {"type": "string", **({"enum": choices} if choices else {})}


def _described(whole: str, fields: list[tuple[str, str, str]]) -> Schema:
    """The shape that lines in words describe; a line belongs to the last one less deep."""
    root = _type(whole) if whole else _closed({})
    opened = [root]
    for indent, key, kind in fields:
        del opened[len(indent) // 2 + 1 :]
        parent = opened[-1].get("items", opened[-1])
        # What stood above a line may have been cut off.
        members = parent.setdefault("properties", {})
        members[key] = _type(kind)
        opened.append(members[key])
    return root


def _tokens(source: str) -> deque[str]:
    return deque(token for token in _TOKEN.findall(source) if not token.startswith("/*"))


def _union(tokens: deque[str]) -> Schema:
    """Read a TypeScript type: alternatives, each perhaps with brackets for an array."""
    parts = [_postfix(tokens)]
    while tokens and tokens[0] == "|":
        tokens.popleft()
        parts.append(_postfix(tokens))
    if choices := [part["const"] for part in parts if "const" in part]:
        return {"type": "string", "enum": choices}
    return {**parts[0], "type": [parts[0]["type"], "null"]} if len(parts) > 1 else parts[0]


def _postfix(tokens: deque[str]) -> Schema:
    shape = _primary(tokens)
    while tokens and tokens[0] in "[]":
        if tokens.popleft() == "]":
            continue
        shape = {"type": "array", "items": shape}
    return shape


def _primary(tokens: deque[str]) -> Schema:
    token = tokens.popleft() if tokens else "null"
    if token == "{":
        return _members(tokens)
    return {"const": token[1:-1]} if token[0] == '"' else {"type": token}


def _members(tokens: deque[str]) -> Schema:
    members: dict[str, Schema] = {}
    while tokens and tokens[0] != "}":
        key = tokens.popleft()
        if tokens and tokens[0] == ":":
            tokens.popleft()
            members[json.loads(key) if key[0] == '"' else key] = _union(tokens)
    if tokens:
        tokens.popleft()
    return _closed(members)
