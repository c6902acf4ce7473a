"""The reader of requests that name their tools, in numbered steps or in a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from readiness.mutants.endpoint.answer import ModelOutput, ModelToolCall
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.tool_calling.reader_results import told

_FACT = re.compile(r"^- ([\w.-]+): (.*)$", re.MULTILINE)
_LISTED = re.compile(r"^\d+\. (\{.*\})$", re.MULTILINE)
_STEP = re.compile(r"^\d+[.．、)] ?(.*)$", re.MULTILINE)

Schema = Mapping[str, Any]
Tools = Mapping[str, Schema]


@dataclass(frozen=True)
class Done:
    """A call that was made, and what came of it."""

    name: str
    result: Mapping[str, Any]

    @property
    def failed(self) -> bool:
        """Whether the tool said that it failed."""
        return "error" in self.result


def answer(text: str, turns: Sequence[Any], tools: Tools, calling: bool) -> ModelOutput | None:
    """The next call that a text asks for, or what there is to say; None where it names no tool.

    Args:
        text: What the user said last.
        turns: The messages since.
        tools: The schemas of the tools that are offered, by their names.
        calling: Whether a call may be made.
    """
    steps = _steps(text, tools)
    if not steps:
        return None
    if (listed := _LISTED.findall(text)) and len(steps) == 1:
        return _next_of_list(steps[0][0], listed, turns, calling)
    made = _made(turns)
    name = next((due for step in steps if (due := _due(step, made))), "")
    if not name or not calling:
        return ModelOutput(_told(text, made))
    known = {key: of for done in made for key, of in done.result.items()}
    arguments = _Reader(tools[name], dict(_FACT.findall(text)), known).read()
    return ModelOutput(None, (ModelToolCall(name, json.dumps(arguments, ensure_ascii=False)),))


def _next_of_list(
    name: str, listed: Sequence[str], turns: Sequence[Any], calling: bool
) -> ModelOutput:
    """The call for the first item of a list that has had none."""
    made = [
        json.loads(call["function"]["arguments"])
        for turn in turns
        for call in turn.get("tool_calls") or ()
    ]
    left = [each for each in listed if json.loads(each) not in made]
    if not (left and calling):
        return ModelOutput("There is nothing left of the list.")
    return ModelOutput(None, (ModelToolCall(name, left[0]),))


def _steps(text: str, tools: Tools) -> list[list[str]]:
    """The tools of each step: the one to call, and those to call where it fails."""
    said = _LISTED.sub("", text)
    lines = _STEP.findall(said) or [_FACT.sub("", said)]
    found = [[name for _, name in sorted(_named(line, tools))] for line in lines]
    return [each for each in found if each]


def _named(line: str, tools: Tools) -> list[tuple[int, str]]:
    return [
        (match.start(), name)
        for name in tools
        if (match := re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", line, re.ASCII))
    ]


def _due(step: Sequence[str], made: Sequence[Done]) -> str:
    """The tool that a step still has to call; "" where it is done."""
    for name in step:
        outcomes = [done.failed for done in made if done.name == name]
        if not outcomes:
            return name
        if not all(outcomes):
            return ""
    return ""


def _made(turns: Sequence[Any]) -> list[Done]:
    calls = {
        call["id"]: call["function"]["name"]
        for turn in turns
        for call in turn.get("tool_calls") or ()
    }
    return [
        Done(calls.get(turn["tool_call_id"], ""), _result(text_of(turn)))
        for turn in turns
        if turn["role"] == "tool"
    ]


def _result(content: str) -> Mapping[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {"result": content}
    return found if isinstance(found, dict) else {"result": found}


def _told(text: str, made: Sequence[Done]) -> str:
    return told(text, [done.result for done in made]) or "There is nothing that I may call."


@dataclass(frozen=True)
class _Reader:
    """Reads the arguments of a call from facts and from earlier results."""

    schema: Schema
    facts: Mapping[str, str]
    known: Mapping[str, Any]

    def read(self) -> dict[str, Any]:
        """All arguments that are stated or known."""
        return self._object(self.schema, "")

    def _object(self, schema: Schema, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, member in schema.get("properties", {}).items():
            part, key = self._target(member), f"{path}{name}"
            within = any(of.startswith(f"{key}.") for of in self.facts)
            if key in self.known and not within and key not in self.facts:
                found[name] = self.known[key]
            elif part.get("type") in ("object", ["object", "null"]):
                found[name] = self._object(part, f"{key}.") or self._free(part, f"{key}.")
            elif key in self.facts:
                found[name] = _value(part, self.facts[key])
            elif "anyOf" in part:
                found[name] = self._either(part["anyOf"], f"{key}.")
        return found

    def _free(self, schema: Schema, path: str) -> dict[str, Any]:
        """The members that facts state of an object whose schema names none."""
        anything = schema.get("additionalProperties")
        part = anything if isinstance(anything, Mapping) else {}
        return {
            key.removeprefix(path): _value(part, of)
            for key, of in self.facts.items()
            if key.startswith(path)
        }

    def _either(self, schemas: Sequence[Schema], path: str) -> dict[str, Any]:
        """The object of which most is stated."""
        return max((self._object(self._target(each), path) for each in schemas), key=len)

    def _target(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            found: Any = self.schema
            for step in schema["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            schema = found
        return schema


def _value(schema: Schema, written: str) -> Any:
    """A value as it is written: a text as it stands, all else as JSON."""
    types = schema.get("type")
    textual = "string" in (types if isinstance(types, list) else [types])
    if textual and written != "null" and not written.startswith('"'):
        return written
    try:
        return json.loads(written)
    except ValueError:
        return written
