"""The reader of requests for JSON: it answers from their text, without error."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator

from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.surroundings import core
from readiness.mutants.refusal.reader import asked_in
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
        """Whether anything is stated; if nothing is, values are generated."""
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
    if text == '""':
        return ""
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
        named = {
            key: self.fill(part, inner.get(key), key)
            for key, part in members.items()
            if key in inner or not self._left_out(key, schema)
        }
        anything = schema.get("additionalProperties")
        if not anything:
            return named
        part = anything if isinstance(anything, Mapping) else {}
        others = {key: self.fill(dict(part), inner[key], key) for key in inner if key not in named}
        return {**named, **others}

    def _left_out(self, key: str, schema: Schema) -> bool:
        """Whether a member that the facts do not state may be left out."""
        asked = key in self.facts.asked or not self.facts.root
        return not asked and key not in schema.get("required", (key,))

    def _array(self, schema: Schema, node: Node) -> list[Any]:
        items = schema.get("items", {})
        items = self._target(items["$ref"]) if "$ref" in items else items
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


_REPEAT = tuple(prompts("json_only.yaml")["repeat"].values())


def answer(request: Request) -> ModelOutput | None:
    """Answer a request for JSON; None if it is of another kind."""
    request = core(request)
    if request.get("tools"):
        return None
    wanted = wanted_format(request)
    if wanted and asked_in(request):
        return None
    system, said = _texts(request, ("system", "developer")), _texts(request, ("user",))
    if not wanted and "json" not in (system + said.partition("\n")[0]).lower():
        return None
    if said.startswith(_REPEAT):
        return ModelOutput(json.dumps(json_in(said), ensure_ascii=False))
    shape, facts = shape_of(request), facts_in(said)
    if not wanted and not shape and not facts.any:
        return None
    return ModelOutput(json.dumps(_value(shape, facts), ensure_ascii=False))


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
    messages = core(request)["messages"]
    return "\n".join(text_of(message) for message in messages if message["role"] in roles)
