"""The data that a prompt states, and how it goes into a shape."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator

from readiness.mutants.json_only.shapes import WORDS, Schema
from readiness.resources import prompts

_FACT = re.compile(r"^- ([^\s:：（(]+)[:：] ?(.*)$", re.MULTILINE)
_ROW = re.compile(r"^(?!- ).* \| .*$", re.MULTILINE)
_ASIDES = [
    re.escape(aside).replace(r"\{question\}", ".+").replace(r"\{field\}", r"(\w+)")
    for aside in prompts("json_only.yaml")["asides"].values()
]
_YES = {words["yes"] for words in WORDS}
_EMPTY = {words["empty"] for words in WORDS}

#: Nodes are texts; or by key, and by number in lists, further nodes.
Node = str | Mapping[str, Any] | None


@dataclass(frozen=True)
class Facts:
    """What a prompt states: leaves by path, the records of a table, and what else it asks."""

    root: Mapping[str, Any]
    table: list[dict[str, str]]
    asked: frozenset[str]

    @property
    def any(self) -> bool:
        """Whether anything is stated at all; where nothing is, values are made up."""
        return bool(self.root or self.table)


def facts_in(said: str) -> Facts:
    """The facts of a text; of two that contradict each other, the later holds."""
    root: dict[str, Any] = {}
    for path, text in _FACT.findall(said):
        *parents, last = path.split(".")
        node = root
        for key in parents:
            inner = node.get(key)
            node[key] = node = inner if isinstance(inner, dict) else {}
        node[last] = text
    rows = [row.split(" | ") for row in _ROW.findall(said)]
    table = [dict(zip(rows[0], row, strict=False)) for row in rows[1:]]
    asked = [field for aside in _ASIDES for field in re.findall(aside, said)]
    return Facts(root, table, frozenset(asked))


def filled(schema: Schema, facts: Facts) -> Any:
    """The value of that shape that the facts state; null stands for what they don't."""
    return _Filler(schema, facts).fill(schema, facts.root or None)


def guessed(facts: Facts) -> Any:
    """The value that the facts state, where no shape is shown."""
    return facts.table if facts.table else _guess(facts.root)


def _guess(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _guess(part) for key, part in node.items()}
    return _number(node) if re.fullmatch(r"-?\d+(\.\d+)?", node) else _string(node)


def _string(text: str) -> str:
    return text.replace("⏎", "\n").replace("⇥", "\t")


def _number(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


#: How a leaf of each type is read, and what is made up where nothing is stated.
_LEAVES: Mapping[str, tuple[Callable[[str], Any], Any]] = {
    "string": (_string, "Sol"),
    "integer": (_number, 30),
    "number": (_number, 30),
    "boolean": (lambda text: text in _YES, True),
    "null": (lambda text: None, None),
}


def _kind(schema: Schema) -> str:
    """The type of a schema, the first where there are several."""
    kind = schema.get("type", "object" if "properties" in schema else "string")
    return str(kind[0]) if isinstance(kind, list) else str(kind)


@dataclass(frozen=True)
class _Filler:
    """Fills a shape from facts."""

    root: Schema
    facts: Facts

    def fill(self, schema: Schema, node: Node, key: str = "") -> Any:
        """The value of that shape at that node."""
        if "$ref" in schema:
            return self.fill(self._target(schema["$ref"]), node, key)
        if "anyOf" in schema:
            found = [(part, self.fill(part, node, key)) for part in schema["anyOf"]]
            fit = [value for part, value in found if Draft202012Validator(part).is_valid(value)]
            return (fit or [found[0][1]])[0]
        if "const" in schema:
            return schema["const"]
        kind = _kind(schema)
        if kind == "object":
            return self._object(schema, node)
        return self._array(schema, node) if kind == "array" else self._leaf(schema, node, key)

    def _target(self, reference: str) -> Schema:
        target: Any = self.root
        for step in reference.split("/")[1:]:
            target = target[step]
        found: Schema = target
        return found

    def _object(self, schema: Schema, node: Node) -> dict[str, Any]:
        inner = node if isinstance(node, Mapping) else {}
        members = schema.get("properties", {})
        return {key: self.fill(part, inner.get(key), key) for key, part in members.items()}

    def _array(self, schema: Schema, node: Node) -> list[Any]:
        items = schema.get("items", {})
        if isinstance(node, Mapping):
            return [self.fill(items, part) for part in node.values()]
        if isinstance(node, str):
            texts = [] if node in _EMPTY else node.split("; ")
            return [self.fill(items, text) for text in texts]
        if self.facts.table and items.get("type") == "object":
            return [self.fill(items, row) for row in self.facts.table]
        made_up = 0 if self.facts.any else max(1, schema.get("minItems", 1))
        return [self.fill(items, None) for _ in range(made_up)]

    def _leaf(self, schema: Schema, node: Node, key: str) -> Any:
        read, made_up = _LEAVES.get(_kind(schema), _LEAVES["string"])
        if isinstance(node, str):
            return None if node == "null" else read(node)
        if key in self.facts.asked:
            return "Because light, salt and seasons have their physics."
        if self.facts.any:
            return None
        made_up = "2026-01-01" if schema.get("format") == "date" else made_up
        return schema.get("enum", [made_up])[0]
